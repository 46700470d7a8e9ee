"""Reasons for a belief, as numbers: what shuffling costs, what each part contributes, which rows disagree."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import factorial, sqrt
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .base import FloatArray, Prediction
from .errors import AlloyloopError
from .scales import LINEAR, Scale

BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.intp]
Asker: TypeAlias = Callable[[BoolArray, IntArray], FloatArray]

# With at most so many groups every subset of them is tried; each more doubles the number.
MOST_ENUMERATED = 8
# Predictions that a sampled explanation is made of, or a few more: each background row is used equally often.
N_SAMPLED = 32_768
# Orders that SHAP draws, each with its reverse.
N_ORDERS = 10


@dataclass(frozen=True, slots=True)
class Rise:
    """How much larger the error becomes, in the unit of y: its mean over repeats, and their standard deviation."""

    mean: float
    std: float


def rise_of_error(y: FloatArray, mean: FloatArray, shuffled: FloatArray) -> Rise:
    """What the root mean square error gains where one thing is shuffled among the rows.

    Parameters
    ----------
    y, mean : (n,) measured and predicted
    shuffled : (n_repeats, n) predicted of the same rows, that one thing shuffled anew each time

    References
    ----------
    Fisher, Rudin and Dominici, J. Mach. Learn. Res. 20 (2019) 177; Breiman, Machine Learning 45 (2001) 5.

    Examples
    --------
    >>> rise_of_error(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 2.0]]))
    Rise(mean=0.5, std=0.7071067811865476)
    """
    rises = np.sqrt(np.mean((shuffled - y) ** 2, axis=1)) - sqrt(np.mean((mean - y) ** 2))
    return Rise(float(rises.mean()), float(rises.std(ddof=1)) if len(rises) > 1 else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """How a difference is shared among groups.

    Parameters
    ----------
    base : what the difference is from
    of : (n_groups,) the share of each; with `base` they sum to the whole
    errors : (n_groups,) standard error of each, from sampling; 0 where every subset was tried
    """

    base: float
    of: FloatArray
    errors: FloatArray


def shapley(ask: Asker, n_groups: int, n_background: int, rng: np.random.Generator) -> Shares:
    """Share the difference between one point and the mean of background rows among groups of features.

    The Shapley value: what a group changes when it goes over from a background row to the point, averaged over every
    order in which the groups may do so and over the background rows. It is exact for few groups; for more, orders are
    drawn, each with its reverse, equally many from each background row.

    Parameters
    ----------
    ask : given (m, n_groups) which groups have gone over, and (m,) of which background row the others are, the mean
        (m,) that is predicted
    n_groups, n_background : how many there are
    rng : draws the orders

    References
    ----------
    Shapley, Contributions to the Theory of Games II, Princeton 1953, 307; Štrumbelj and Kononenko, Knowl. Inf. Syst. 41
    (2014) 647, doi:10.1007/s10115-013-0679-x; Mitchell et al., J. Mach. Learn. Res. 23 (2022) 43 (reversed orders).

    Examples
    --------
    Of 10 a and 2 b, where the background is a = 0 and b = 0 or 1, and the point is a = b = 1:

    >>> background = np.array([[0.0, 0.0], [0.0, 1.0]])
    >>> told = shapley(
    ...     lambda taken, row: np.where(taken, 1.0, background[row]) @ [10.0, 2.0], 2, 2, np.random.default_rng(0)
    ... )
    >>> told.base, told.of
    (1.0, array([10.,  1.]))
    """
    if n_groups <= MOST_ENUMERATED:
        return _enumerated(ask, n_groups, n_background)
    return _sampled(ask, n_groups, n_background, rng)


def _enumerated(ask: Asker, n: int, n_background: int) -> Shares:
    subsets = (
        np.arange(2**n)[:, None] >> np.arange(n)
    ) % 2 == 1  # (2^n, n); number i holds group j if its bit j is set
    taken = np.repeat(subsets, n_background, axis=0)
    worth = ask(taken, np.tile(np.arange(n_background), 2**n)).reshape(2**n, n_background).mean(axis=1)
    size = subsets.sum(axis=1)
    weights = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    shares = np.empty(n)
    for j in range(n):
        without = np.flatnonzero(~subsets[:, j])
        shares[j] = weights[size[without]] @ (worth[without + 2**j] - worth[without])
    return Shares(float(worth[0]), shares, np.zeros(n))


def _sampled(ask: Asker, n: int, n_background: int, rng: np.random.Generator) -> Shares:
    rounds = max(1, round(N_SAMPLED / (2 * (n + 1) * n_background)))
    rows = np.tile(np.arange(n_background), rounds)
    orders = rng.permuted(np.tile(np.arange(n), (len(rows), 1)), axis=1)  # (n_orders, n) which group goes over when
    gains = np.zeros((len(rows), n))
    base = 0.0
    for each in (orders, orders[:, ::-1]):
        turn = np.argsort(each, axis=1)  # (n_orders, n) when each group goes over
        taken = turn[:, None, :] < np.arange(n + 1)[:, None]  # (n_orders, n + 1, n)
        worth = ask(taken.reshape(-1, n), np.repeat(rows, n + 1)).reshape(len(rows), n + 1)
        gains += np.take_along_axis(np.diff(worth, axis=1), turn, axis=1) / 2
        base += float(worth[:, 0].mean()) / 2
    errors = gains.std(axis=0, ddof=1) / sqrt(len(rows)) if len(rows) > 1 else np.full(n, np.nan)
    return Shares(base, gains.mean(axis=0), errors)


def check_shap() -> None:
    """Refuse where the package shap is not installed."""
    if find_spec("shap") is None:
        raise AlloyloopError(
            "SHAP values need the package shap, which is not installed", "Install it: pip install 'alloyloop[shap]'."
        )


@dataclass(frozen=True, slots=True)
class _Mixtures:
    """What SHAP calls a masker: the mixtures of one point with every background row, told by numbers."""

    n_groups: int
    n_background: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_background, self.n_groups

    def __call__(self, taken: BoolArray, point: FloatArray) -> tuple[FloatArray]:
        told = np.empty((self.n_background, 2 + self.n_groups))
        told[:, 0], told[:, 1], told[:, 2:] = point[0], np.arange(self.n_background), taken
        return (told,)


def shap_shares(
    ask: Callable[[BoolArray, IntArray, IntArray], FloatArray],
    n_points: int,
    n_groups: int,
    n_background: int,
    seed: int = 0,
) -> tuple[Shares, ...]:
    """The same Shapley values as `shapley` of several points, by the package shap.

    Exact for few groups; for more, `N_ORDERS` orders are drawn, each with its reverse and over all background rows.

    Parameters
    ----------
    ask : given (m, n_groups) which groups have gone over, (m,) of which background row the others are, and (m,) to
        which point, the mean (m,) that is predicted
    n_points, n_groups, n_background : how many there are
    seed : of the orders

    Returns
    -------
    of each point

    References
    ----------
    Lundberg and Lee, Advances in Neural Information Processing Systems 30 (2017) 4765.
    """
    check_shap()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matplotlib's, about colour maps that shap makes
        from shap.explainers import ExactExplainer, PermutationExplainer

    def predict(told: FloatArray) -> FloatArray:
        which = told[:, :2].astype(np.intp)
        return ask(told[:, 2:] > 0.5, which[:, 1], which[:, 0])

    masker, points = _Mixtures(n_groups, n_background), np.tile(np.arange(float(n_points))[:, None], (1, n_groups))
    if n_groups <= MOST_ENUMERATED:
        found: Any = ExactExplainer(predict, masker)(points, silent=True)
        errors = np.zeros((n_points, n_groups))
    else:
        kept = np.random.get_state()  # noqa: NPY002  # shap draws by NumPy's global state, which is not ours to change
        try:
            explainer = PermutationExplainer(predict, masker, seed=seed)
            n_asked = N_ORDERS * (2 * n_groups + 1)
            found = explainer(points, max_evals=n_asked, error_bounds=True, silent=True)
        finally:
            np.random.set_state(kept)  # noqa: NPY002
        errors = np.asarray(found.error_std) / sqrt(2 * N_ORDERS)
    base = np.broadcast_to(np.asarray(found.base_values, dtype=np.float64).ravel(), n_points)
    of = np.asarray(found.values, dtype=np.float64)
    return tuple(Shares(float(base[i]), of[i], errors[i]) for i in range(n_points))


def layers(model: Any) -> Iterator[Any]:
    """A fitted surrogate, the one inside it, as that on a scale, and so on inward."""
    while model is not None:
        yield model
        model = getattr(model, "surrogate_", None)


@dataclass(frozen=True, slots=True, eq=False)
class Inner:
    """A fitted surrogate that learned something itself, inside those that only change what it sees or says.

    Parameters
    ----------
    model : the surrogate
    columns : the features that it sees, of those given; None where it sees others that were made of them
    scale : on which it knows the property
    """

    model: Any
    columns: tuple[int, ...] | None
    scale: Scale = LINEAR


def innermost(model: Any, columns: Sequence[int]) -> Iterator[Inner]:
    """The surrogates inside a fitted one: itself where there is none, several in a blend.

    Parameters
    ----------
    columns : the features that it sees
    """
    from .blend import Blend
    from .preparation import Prepared
    from .warped import Warped

    seen: tuple[int, ...] | None = tuple(columns)
    last: Any = model
    scale: Scale = LINEAR
    for layer in layers(model):
        if isinstance(layer, Blend):
            for fitted, member in zip(layer.members_, layer.members, strict=True):
                for inner in innermost(fitted, member.columns):
                    own = None if inner.columns is None or seen is None else tuple(seen[i] for i in inner.columns)
                    yield Inner(inner.model, own, scale)
            return
        seen = None if isinstance(layer, Prepared) and layer.steps else seen
        scale = layer.scale if isinstance(layer, Warped) else scale
        last = layer
    yield Inner(last, seen, scale)


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a surrogate chose for itself on rows left out.

    Parameters
    ----------
    settings : by name
    n_tried : how many settings it chose from; None where it does not say
    """

    settings: Mapping[str, Any]
    n_tried: int | None

    @property
    def words(self) -> str:
        """The settings."""
        return ", ".join(f"{name} {_setting(value)}" for name, value in self.settings.items())

    def __str__(self) -> str:
        return self.words + (f" (of {self.n_tried} settings tried)" if self.n_tried else "")


def tuned_of(model: Any) -> Tuned | None:
    """What a fitted surrogate, or one inside it, chose for itself; None where it chooses nothing.

    Examples
    --------
    >>> class Chosen:
    ...     tuned_ = {"svr__C": 10.0, "svr__gamma": 0.1}
    ...     n_tried_ = 12
    >>> print(tuned_of(Chosen()))
    C 10, gamma 0.1 (of 12 settings tried)
    """
    for layer in layers(model):
        if settings := getattr(layer, "tuned_", None):
            short = [name.rpartition("__")[2] for name in settings]
            names = short if len(set(short)) == len(short) else list(settings)
            plain = dict(zip(names, map(_plain, settings.values()), strict=True))
            return Tuned(plain, getattr(layer, "n_tried_", None))
    return None


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else type(value).__name__


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return " × ".join(map(_setting, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Told:
    """What a fitted model says of itself that a person can read.

    Parameters
    ----------
    formula : what is expected, by the features; empty where it has none
    rules : sentences; none where it has none
    scale : on which the formula, or the rules, give the property
    """

    formula: str
    rules: tuple[str, ...]
    scale: Scale = LINEAR

    def of(self, words: str) -> str:
        """What the formula gives: the property itself, or its logarithm, say."""
        return words if self.scale == LINEAR else f"{self.scale.name} of {words}"


def told_of(inner: Inner, names: Sequence[str]) -> Told | None:
    """The formula or the rules of a regressor that has some, in the names of features; None of any other.

    Parameters
    ----------
    inner : whose fitted regressor, or the last step of it, may have `formula(names, centre, unit)` or `rules(…)`; it
        knows a property of unit spread about zero, of which 1 is `centre` plus one `unit`
    names : of the features given
    """
    model = inner.model
    regressor: Any = getattr(model, "regressor_", None)
    last: Any = regressor.steps[-1][1] if hasattr(regressor, "steps") else regressor
    has_formula, has_rules = hasattr(last, "formula"), hasattr(last, "rules")
    if not (has_formula or has_rules):
        return None
    made = [f"axis {i + 1}" for i in range(model.n_features_in_)]
    own = made if inner.columns is None else [names[i] for i in inner.columns]
    somewhere, unit = np.zeros((1, model.n_features_in_)), float(model.scale_)
    centre = float(model.predict(somewhere)[0]) - unit * float(np.ravel(regressor.predict(somewhere))[0])
    formula = last.formula(own, centre, unit) if has_formula else ""
    return Told(formula, tuple(last.rules(own, centre, unit)) if has_rules else (), inner.scale)


def relevances_of(model: Any, n_features: int) -> FloatArray | None:
    """The share of attention (n_features,) that a surrogate says it gives each feature; None where it does not say."""
    told = next((layer.relevances_ for layer in layers(model) if hasattr(layer, "relevances_")), None)
    return None if told is None or len(told) != n_features else np.asarray(told, dtype=np.float64)


def discounted_by(model: Any) -> frozenset[int]:
    """The training rows that a surrogate gave less weight, since they disagree with all others."""
    told = next((layer.outliers_ for layer in layers(model) if hasattr(layer, "outliers_")), ())
    return frozenset(int(row) for row in told)


def left_out_one_by_one(model: Any) -> Prediction | None:
    """What a surrogate believes of each training row by all others; None where it, or one inside it, cannot say."""
    if not all(hasattr(layer, "leave_one_out") for layer in layers(model)):
        return None
    try:
        return cast(Prediction, model.leave_one_out())
    except AlloyloopError:  # it could of fewer rows
        return None


def deviations(prediction: Prediction, y: FloatArray) -> FloatArray:
    """By how many standard deviations measurements lie above what was predicted, on the scale of the model. (n,)

    0 where no uncertainty is left at all, as of equal values without any noise.

    Examples
    --------
    >>> belief = Prediction(mean=np.array([60.0]), std=np.array([3.0]), noise=np.array([4.0]))
    >>> deviations(belief, np.array([75.0]))
    array([3.])
    """
    belief = prediction.measurement
    error = belief.scale.forward(y) - belief.mean
    return np.asarray(np.divide(error, belief.std, out=np.zeros_like(error), where=belief.std > 0))
