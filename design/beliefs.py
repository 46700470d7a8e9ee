"""What is believed of a property of an alloy: features and a surrogate together, chosen by evidence if asked to."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import SURROGATES, FloatArray, Prediction, Surrogate, family, surrogate
from ..surrogates.left_out import LEAST_SOURCES, n_parts
from ..surrogates.scales import LINEAR, Scale
from .diagram import IntArray
from .features import Alloys, Features, designs, together
from .goals import Within

if TYPE_CHECKING:
    from ..surrogates.scores import Fold


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The measurements of one property.

    Parameters
    ----------
    property : its name, with its unit
    alloys : the n alloys measured
    values : (n,) measured values, means of replicates where there were several
    noise : (n,) standard error of each value, NaN where not known
    sources : (n,) the paper, laboratory or heat each row came from, empty where not known
    censored : (n,) -1 where a value is only an upper bound, 1 where a lower bound, 0 where it was measured
    ids : (n,) names of the rows
    companions : the evidence of other properties that may be learned together with this one
    usual_scatter : standard deviation that one measurement usually has, in the property's unit; None where not known
    whole_sources : whether what is asked will be of a source, or a composition, of its own: then whole ones are left
        out to judge by, and else designs
    """

    property: str
    alloys: Alloys
    values: FloatArray
    noise: FloatArray
    sources: NDArray[np.str_]
    censored: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    ids: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype=np.str_))
    companions: tuple[Evidence, ...] = ()
    usual_scatter: float | None = None
    whole_sources: bool = True

    def __post_init__(self) -> None:
        n = len(self.values)
        if not len(self.censored):
            object.__setattr__(self, "censored", np.zeros(n, dtype=np.int64))
        if not len(self.ids):
            object.__setattr__(self, "ids", np.array([f"row {i}" for i in range(n)], dtype=np.str_))

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, chosen: NDArray[np.bool_] | IntArray) -> Evidence:
        """Some of the measurements, by mask or by index.

        Companions lose the rows of the alloys that are left out, and those of sources of which no row is left: what is
        predicted of an alloy must not have been learned from its other properties.
        """
        kept, left_out = self.ids[chosen], np.setdiff1d(self.ids, self.ids[chosen])
        sources = np.setdiff1d(self.sources, [*self.sources[chosen], ""])
        companions = tuple(
            other.rows(~(np.isin(other.ids, left_out) | np.isin(other.sources, sources))) for other in self.companions
        )
        return replace(
            self,
            alloys=self.alloys.rows(chosen),
            values=self.values[chosen],
            noise=self.noise[chosen],
            sources=self.sources[chosen],
            censored=self.censored[chosen],
            ids=kept,
            companions=companions,
        )

    @builtins.property  # `property` is a field here
    def exact(self) -> NDArray[np.bool_]:
        """(n,) the rows that hold a value, and not only a bound."""
        return np.asarray(self.censored == 0)


@dataclass(frozen=True, slots=True)
class Option:
    """A model and the features it would see.

    Parameters
    ----------
    model : a name that `alloyloop.surrogates.surrogate` knows
    features : what it sees
    scale : on which the property is modelled
    prepare : steps between the features and the model, such as `pca 5`
    together : properties that are learned together with this one, of the evidence's companions
    """

    model: str
    features: Features
    scale: Scale = LINEAR
    prepare: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """A fitted surrogate with the features it sees, asked in alloys.

    Parameters
    ----------
    evidence : what it learned from
    features : how alloys become the surrogate's numbers
    surrogate : fitted on them
    again : learns in the same way from other evidence
    """

    evidence: Evidence
    features: Features
    surrogate: Surrogate
    again: Callable[[Evidence], Belief]

    def about(self, alloys: Alloys) -> Prediction:
        """What is believed of the property of each alloy, and of a measurement of it."""
        return self.surrogate.believe(self.features.encode(alloys))

    def on_scale(self) -> tuple[Belief, Scale]:
        """The normal belief on the scale that the property was modelled on, and that scale."""
        from ..surrogates.warped import Warped

        if not isinstance(self.surrogate, Warped):
            return self, LINEAR
        return replace(self, surrogate=self.surrogate.surrogate_), self.surrogate.scale

    def log_inside(self, limit: Within, alloys: Alloys) -> FloatArray:
        """Log of the probability that the property of each alloy keeps a limit: on the scale of the model. (n,)"""
        normal, scale = self.on_scale()
        on = limit.on(scale)
        told = (self if on is None else normal).about(alloys)
        return (limit if on is None else on).log_probability(told.mean, told.std)

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        """Posterior covariance of the property between alloys. (n_some, n_others)"""
        return self.surrogate.covariance(self.features.encode(some), self.features.encode(others))

    def sample(self, alloys: Alloys, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws of the property itself, noise free. (n_samples, n)"""
        return self.surrogate.sample(self.features.encode(alloys), n_samples, rng)


@dataclass(frozen=True, slots=True)
class Part:
    """An option's part in what is believed.

    Parameters
    ----------
    name : of the option
    weight : its share; 1 where it stands alone
    factor : on its standard deviations, so that its 90 % intervals hold 90 % of the rows held out
    """

    name: str
    weight: float = 1.0
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """Which option was chosen for a property, or which blend of several, and why.

    Parameters
    ----------
    name : of the option or the blend
    why : one sentence
    factor : on the standard deviations, so that 90 % intervals hold 90 % of the rows held out
    parts : of a blend; empty where one option was chosen
    """

    name: str
    why: str
    factor: float = 1.0
    parts: tuple[Part, ...] = ()


def learn(evidence: Evidence, option: Option, factor: float = 1.0) -> Belief:
    """Fit one option to the evidence.

    Parameters
    ----------
    evidence : what there is to learn from
    option : how
    factor : on the standard deviations; see `Choice`
    """
    model = _widened(_model(evidence, option), factor)
    return _fitted(evidence, option, model, partial(learn, option=option, factor=factor))


def learn_chosen(
    evidence: Evidence, options: Mapping[str, Option], choice: Choice, fitted: Mapping[str, Belief] | None = None
) -> Belief:
    """Fit what was chosen, an option or a blend of several, to the evidence.

    Parameters
    ----------
    evidence, options : that `choose` saw
    choice : what it chose
    fitted : fits to this evidence that it made on the way; what is among them is not fitted again
    """
    if not choice.parts:
        option = options[choice.name]
        if fitted is None or choice.name not in fitted:
            return learn(evidence, option, choice.factor)
        again = partial(learn, option=option, factor=choice.factor)
        made = fitted[choice.name]
        return replace(made, surrogate=_widened_fit(made.surrogate, choice.factor), again=again)
    from ..surrogates.blend import Blend, Member

    parts = [(part, options[part.name]) for part in choice.parts]
    whole = replace(parts[0][1], model=choice.name, features=together([option.features for _, option in parts]))
    column = {name: i for i, name in enumerate(whole.features.names)}
    members = [
        Member(
            _widened(_model(evidence, option), part.factor),
            tuple(column[name] for name in option.features.names),
            part.weight,
        )
        for part, option in parts
    ]
    again = partial(learn_chosen, options=options, choice=choice)
    return _fitted(evidence, whole, _widened(Blend(tuple(members)), choice.factor), again)


def _model(evidence: Evidence, option: Option, *, sparing: bool = False) -> Any:
    settings: dict[str, Any] = dict(family(option.model).sparing) if sparing else {}
    if evidence.usual_scatter is not None:
        settings["noise_prior"] = evidence.usual_scatter
    if option.features.blanks:
        settings["blanks"] = option.features.blanks
    model = surrogate(option.model, **settings)
    if option.prepare:
        from ..surrogates.preparation import Prepared

        model = Prepared(model, option.prepare)
    return model


def _widened(model: Any, factor: float) -> Any:
    from ..surrogates.widened import Widened

    return model if factor == 1 else Widened(model, factor)


def _widened_fit(fitted: Any, factor: float) -> Any:
    """The same of a fitted surrogate, without another fit."""
    from ..surrogates.warped import Warped
    from ..surrogates.widened import Widened

    if factor == 1:
        return fitted
    return fitted.widened(factor) if isinstance(fitted, Warped) else Widened.around(fitted, factor)


def _fitted(evidence: Evidence, option: Option, model: Any, again: Callable[[Evidence], Belief]) -> Belief:
    """A model on an option's scale, fitted to the evidence of a property and of those learned together with it."""
    from ..surrogates.warped import Warped

    others = [other for other in evidence.companions if other.property in option.together]
    learned = [evidence, *(other.rows(option.features.known(other.alloys)) for other in others)]
    told: dict[str, Any] = {
        "noise": np.concatenate([one.noise for one in learned]),
        "censored": np.concatenate([one.censored for one in learned]),
        "source": np.concatenate([one.sources for one in learned]),
    }
    if len(learned) > 1:
        told["task"] = np.repeat(np.arange(len(learned)), [len(one) for one in learned])
    if option.model in SURROGATES and family(option.model).leaves_out:
        told["groups"] = left_out_together(evidence)[0]
    X = np.concatenate([option.features.encode(one.alloys) for one in learned])
    model = model if option.scale == LINEAR else Warped(model, option.scale)
    fitted = model.fit(X, np.concatenate([one.values for one in learned]), **told)
    return Belief(evidence, option.features, fitted, again)


# Below this many rows a comparison is a draw of lots: the first option is taken.
LEAST_COMPARED = 12
# A row that every option finds impossible would decide the comparison alone: with this probability a measurement is
# taken for a gross error, scattered this many times as widely as the belief.
GROSS_ERROR, GROSS_WIDTH = 0.02, 10.0
# A variation or a blend is taken only where it makes held-out rows at least this much likelier: it costs more.
CLEARLY = 0.01
# With fewer rows the weights of a blend are chance.
LEAST_BLENDED = 40


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """How an option, or a blend, did on held-out rows.

    Parameters
    ----------
    held : what was believed of them, calibrated
    factor : that calibrates it
    densities : (n,) log density of each row, which may be a gross error
    errors : (n,) of what was expected
    """

    held: Prediction
    factor: float
    densities: FloatArray
    errors: FloatArray

    @property
    def rmse(self) -> float:
        """Root mean square error."""
        return float(np.sqrt((self.errors**2).mean()))

    @property
    def likelihood(self) -> float:
        return float(self.densities.mean())

    def clearly_beats(self, other: _Tried, errors: float = 2.0, n_fitted: int = 0) -> bool:
        """Whether it makes the rows likelier by more than so many standard errors of the difference.

        Numbers that were fitted to the same rows, such as weights, make them likelier by themselves: by about 1/n each.
        """
        gain = self.densities - other.densities
        n = len(gain)
        return float(gain.mean()) - n_fitted / n > max(CLEARLY, errors * float(gain.std()) / sqrt(n))

    @staticmethod
    def of(held: Prediction, values: FloatArray, groups: IntArray) -> _Tried:
        from ..surrogates.calibration import scale_factor

        factor = scale_factor(held.measurement.residuals(values), np.ones(len(values)), sources=groups)
        told = held.widened(factor)
        usual = told.log_density(values) + np.log1p(-GROSS_ERROR)
        gross = told.widened(GROSS_WIDTH).log_density(values) + np.log(GROSS_ERROR)
        return _Tried(told, factor, np.logaddexp(usual, gross), held.mean - values)


def choose(
    evidence: Evidence,
    options: Mapping[str, Option],
    in_time: Callable[[], bool] = lambda: True,
    variations: Callable[[str, Option], Mapping[str, Option]] = lambda name, option: {},
    fitted: dict[str, Belief] | None = None,
) -> Choice:
    """Choose the option under which held-out rows are likeliest, or a blend of several that is clearly likelier.

    Of options that their likelihood cannot tell apart, the first is taken: put the plainest first.

    Whole sources are held out together, since rows of one paper resemble each other more than the next alloy will. Each
    option's intervals are first scaled to hold as many held-out rows as they say, so that what is compared is how much
    an option knows, and not how sure it is of itself.

    Parameters
    ----------
    evidence : what there is to learn from; a row without a source is a source of its own
    options : by name; where there are too few rows to compare, the first is taken
    in_time : asked before each option but the first; where it says no, the options not yet tried are left out, and the
        reason says so; the same evidence gives the same choice as long as there is time for all
    variations : of the best option, by name, tried after it; one is taken where it is clearly better
    fitted : where fits to all of the evidence that are made on the way are left, by option, for `learn_chosen`
    """
    names, n = list(options), int(evidence.exact.sum())
    if n < LEAST_COMPARED:
        few = f"{n} rows are too few to compare models on."
        return Choice(names[0], "campaign.yaml leaves no other." if len(names) == 1 else few)
    folds, how = held_out_folds(evidence)
    # Models that leave rows out themselves are fitted once; beside others, all are judged on the same parts.
    by_itself = all(family(option.model).leaves_out and not option.prepare for option in options.values())
    groups = left_out_together(evidence)[0][evidence.exact]
    judge = partial(_Tried.of, values=evidence.values[evidence.exact], groups=groups)
    tried: dict[str, _Tried] = {}
    untried = []
    for name, option in options.items():
        if tried and not in_time():
            untried.append(name)
            continue
        held: Prediction | None = None
        if by_itself:
            whole = learn(evidence, option)
            held = getattr(whole.surrogate, "held_out_", None)
            if fitted is not None:
                fitted[name] = whole
        tried[name] = judge(held_out(evidence, option, folds) if held is None else held)
    likeliest = max(tried.values(), key=lambda one: one.likelihood)
    best = next(name for name in tried if not likeliest.clearly_beats(tried[name]))
    for name, option in variations(best, options[best]).items():
        if not in_time():
            untried.append(name)
            continue
        tried[name] = judge(held_out(evidence, option, folds))
        if tried[name].clearly_beats(tried[best]):
            best = name
    parts: tuple[Part, ...] = ()
    if n >= LEAST_BLENDED and best in options:
        fitting = [name for name in tried if name in options and _blendable(options[best], options[name])]
        blended, blend = _blend({name: tried[name] for name in fitting}, judge)
        if len(blended) > 1 and blend.clearly_beats(tried[best], errors=1.0, n_fitted=len(fitting) - 1):
            best = " + ".join(f"{part.weight:.0%} {part.name}" for part in blended)
            tried[best], parts = blend, blended
    ranked = sorted(tried, key=lambda name: (name != best, -tried[name].likelihood))
    told = "; ".join(f"{name} {tried[name].likelihood:.3f} (RMSE {tried[name].rmse:.3g})" for name in ranked)
    if len(tried) == 1 and not untried:
        why = f"campaign.yaml leaves no other. With {how} left out its RMSE was {tried[best].rmse:.3g}."
    else:
        best_of = "nothing fitted them clearly better, and nothing plainer did as well"
        why = f"With {how} left out {best_of}. Mean log-likelihood: {told}."
    if untried:
        why += f" Not tried, for want of time: {', '.join(untried)}."
    return Choice(best, why, tried[best].factor, parts)


def others_tell(evidence: Evidence, own: NDArray[np.bool_], option: Option) -> bool:
    """Whether rows of another kind clearly tell more of those of one's own than these tell of each other.

    What is held out is of one's own kind; no row of another kind that shares its source is learned from.

    Parameters
    ----------
    evidence : of both kinds
    own : (n,) which rows are of one's own kind
    option : by which it is judged
    """
    inside, outside = evidence.rows(own), evidence.rows(~own)
    folds, _ = held_out_folds(inside)
    groups = left_out_together(inside)[0][inside.exact]
    judge = partial(_Tried.of, values=inside.values[inside.exact], groups=groups)
    exact, index = np.flatnonzero(inside.exact), np.flatnonzero(own)
    parts, order = [], []
    for train, test in folds:
        asked = np.intersect1d(test, exact)
        if len(asked):
            strange = ~np.isin(outside.sources, inside.sources[test][inside.sources[test] != ""])
            learned = evidence.rows(np.sort(np.concatenate([index[train], np.flatnonzero(~own)[strange]])))
            parts.append(learn(learned, option).about(inside.alloys.rows(asked)))
            order.append(asked)
    together = Prediction.together(parts).rows(np.argsort(np.concatenate(order)))
    return judge(together).clearly_beats(judge(held_out(inside, option, folds)))


def _blendable(best: Option, other: Option) -> bool:
    """Whether an option can be blended with the best: on the same scale, and told alike what is not known."""
    return (best.scale, best.prepare, best.features.unknown) == (other.scale, other.prepare, other.features.unknown)


def _blend(tried: Mapping[str, _Tried], judge: Callable[[Prediction], _Tried]) -> tuple[tuple[Part, ...], _Tried]:
    """The blend of options that makes held-out rows most likely, and how it does."""
    from ..surrogates.blend import mixture, weights_of

    weights = weights_of(np.column_stack([one.densities for one in tried.values()]))
    weighed = sorted(zip(weights.tolist(), tried, strict=True), reverse=True)
    parts = tuple(Part(name, weight, tried[name].factor) for weight, name in weighed if weight > 0)
    held = mixture([tried[part.name].held for part in parts], [part.weight for part in parts])
    return parts, judge(held)


def held_out_folds(evidence: Evidence) -> tuple[list[Fold], str]:
    """Rows to learn from and to be judged by; and what is held out together, in words."""
    from ..surrogates.scores import group_folds, shuffled_folds

    n = len(evidence)
    groups, words = left_out_together(evidence)
    n_groups = int(groups.max()) + 1
    if 1 < n_groups < n:
        return group_folds(groups, n_parts(n, n_groups)), words
    return shuffled_folds(n, n_parts(n, n)), words


def left_out_together(evidence: Evidence) -> tuple[IntArray, str]:
    """(n,) a number for what is left out together where beliefs are judged; and what that is, in words.

    Whole sources where there are some; else rows of one composition, which a forest would know again; else rows of one
    design.
    """
    if evidence.whole_sources:
        sources = np.unique(sources_of(evidence), return_inverse=True)[1].ravel()
        if (evidence.sources != "").any() and sources.max() + 1 >= LEAST_SOURCES:
            return sources, "whole sources"
        alike = np.unique(evidence.alloys.fractions.round(6), axis=0, return_inverse=True)[1].ravel()
        if LEAST_SOURCES <= alike.max() + 1 < len(evidence):
            return alike, "whole compositions"
    return designs(evidence.alloys), "rows"


def sources_of(evidence: Evidence) -> NDArray[np.str_]:
    """(n,) the source of each row; one without is a source of its own."""
    own = [f"row {i}" for i in range(len(evidence))]
    return np.where(evidence.sources != "", evidence.sources, own)


def held_out(evidence: Evidence, option: Option, folds: list[Fold]) -> Prediction:
    """What is believed of every measured row, bounds left out, by models that did not see its fold.

    Models are made sparingly: see `Family.sparing`.
    """
    exact = np.flatnonzero(evidence.exact)
    parts, order = [], []
    for train, test in folds:
        asked = np.intersect1d(test, exact)
        if len(asked):
            known = evidence.rows(train)
            belief = _fitted(known, option, _model(known, option, sparing=True), partial(learn, option=option))
            parts.append(belief.about(evidence.alloys.rows(asked)))
            order.append(asked)
    back = np.argsort(np.concatenate(order))
    return Prediction.together(parts).rows(back)
