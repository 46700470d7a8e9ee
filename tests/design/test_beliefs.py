"""A belief is features and a surrogate together; which ones is settled by what held-out measurements say."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from alloyloop.design.beliefs import (
    LEAST_COMPARED,
    Belief,
    Evidence,
    Option,
    choose,
    held_out,
    held_out_folds,
    learn,
    learn_chosen,
    others_tell,
)
from alloyloop.design.features import Alloys, Features
from alloyloop.design.formulas import parse_formula
from alloyloop.design.rules import Names
from alloyloop.surrogates import Prediction, surrogate
from alloyloop.surrogates.base import SURROGATES, Family, FloatArray
from alloyloop.surrogates.left_out import LEAST_SOURCES
from alloyloop.surrogates.scales import LINEAR, LOG, Scale

pytestmark = pytest.mark.torch

ELEMENTS = ("Nb", "Zr", "Fe", "Ti")
COMPOSITION = Features(ELEMENTS)


def alloys(n: int, rng: np.random.Generator) -> Alloys:
    """Random alloys of niobium and zirconium in titanium, without iron."""
    niobium, zirconium = rng.uniform(0, 0.35, n), rng.uniform(0, 0.2, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, np.zeros(n), 1 - niobium - zirconium]), {})


def modulus(of: Alloys) -> FloatArray:
    """A made-up property of the composition alone [GPa]."""
    return np.asarray(110 - 150 * of.fractions[:, 0] + 300 * of.fractions[:, 0] ** 2 - 40 * of.fractions[:, 1])


def evidence(of: Alloys, values: FloatArray, sources: list[str] | None = None) -> Evidence:
    told = np.array(sources if sources is not None else [""] * len(of))
    return Evidence("youngs_modulus_GPa", of, values, np.full(len(of), np.nan), told)


def marked_by_source(rng: np.random.Generator, *, told: bool) -> Evidence:
    """Eight papers of six alloys, each with an offset of its own and a trace of iron that is all its own.

    Iron gives the paper away but not its offset: who has seen a paper's other rows predicts well from the iron, and
    who has not is led astray by it.
    """
    papers = np.repeat(np.arange(8), 6)
    plain = alloys(48, rng)
    iron = 0.001 * rng.permutation(8)[papers]
    fractions = plain.fractions + np.outer(iron, [0, 0, 1, -1])
    offsets = 15 * rng.permutation(np.linspace(-1, 1, 8))[papers]
    values = modulus(plain) + offsets + rng.normal(0, 1, 48)
    return evidence(Alloys(ELEMENTS, fractions, {}), values, [f"paper {paper}" for paper in papers] if told else None)


IRON_BLIND = Features(("Nb", "Zr", "Fe", "Ti"), composition=False, descriptors=("vec", "density_g_per_cm3"))
OPTIONS = {"blind": Option("gaussian-process", IRON_BLIND), "sees iron": Option("gaussian-process", COMPOSITION)}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_model_that_recognises_the_paper_wins_only_where_papers_are_not_told(seed: int) -> None:
    told = choose(marked_by_source(np.random.default_rng(seed), told=True), OPTIONS)
    untold = choose(marked_by_source(np.random.default_rng(seed), told=False), OPTIONS)
    assert (told.name, untold.name) == ("blind", "sees iron")
    best = "left out nothing fitted them clearly better, and nothing plainer did as well."
    assert told.why.startswith(f"With whole sources {best} Mean log-likelihood: blind ")
    assert untold.why.startswith(f"With rows {best} Mean log-likelihood: sees iron ")


SCORES = re.compile(r"(?:log-likelihood: |; )([a-z ,]+) (-?[0-9.]+) \(RMSE ([0-9.e+]+)\)")


def test_the_reason_names_every_option_best_first_with_its_score_and_its_error() -> None:
    why = choose(marked_by_source(np.random.default_rng(0), told=True), OPTIONS).why
    told = SCORES.findall(why)
    assert [name for name, _, _ in told] == ["blind", "sees iron"]
    assert float(told[0][1]) > float(told[1][1])
    assert float(told[0][2]) == pytest.approx(9.5, abs=4)  # the offsets: 15 times 0.65, and noise
    assert float(told[0][2]) < float(told[1][2])


def test_a_choice_does_not_depend_on_the_order_of_the_options_nor_on_chance() -> None:
    known = marked_by_source(np.random.default_rng(3), told=True)
    backwards = dict(reversed(OPTIONS.items()))
    assert choose(known, OPTIONS) == choose(known, OPTIONS) == choose(known, backwards)


@pytest.mark.parametrize(("n_sources", "how"), [(LEAST_SOURCES - 1, "rows"), (LEAST_SOURCES, "whole sources")])
def test_few_sources_are_not_left_out_whole(n_sources: int, how: str) -> None:
    rng = np.random.default_rng(4)
    made = alloys(20, rng)
    known = evidence(made, modulus(made), [f"paper {i % n_sources}" for i in range(20)])
    assert choose(known, OPTIONS).why.startswith(f"With {how} left out")


def test_a_row_without_a_source_is_a_source_of_its_own() -> None:
    rng = np.random.default_rng(5)
    made = alloys(20, rng)
    known = evidence(made, modulus(made), ["paper"] * 10 + [""] * 10)
    assert choose(known, OPTIONS).why.startswith("With whole sources left out")


def test_rows_of_one_composition_are_held_out_together_where_there_are_no_sources() -> None:
    made = alloys(20, np.random.default_rng(14))
    twice = Alloys(ELEMENTS, np.repeat(made.fractions, 2, axis=0), {})
    folds, how = held_out_folds(evidence(twice, modulus(twice)))
    assert how == "whole compositions"
    for train, test in folds:
        assert not set(train // 2) & set(test // 2)


@pytest.mark.parametrize("n", [3, 12, 150, 250])
def test_every_row_is_held_out_once_however_many_there_are(n: int) -> None:
    made = alloys(n, np.random.default_rng(15))
    folds, _ = held_out_folds(evidence(made, modulus(made)))
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(n))
    assert len(folds) == min(n, 10 if n <= 200 else 5)


class Average:
    """Says of everything what the mean was, give or take what it is told to."""

    def __init__(self, bias: float, std: float) -> None:
        self.bias, self.std = bias, std

    def get_params(self, deep: bool = True) -> dict[str, float]:
        return {"bias": self.bias, "std": self.std}

    def fit(self, X: FloatArray, y: FloatArray, **told: object) -> Average:
        self.mean, self.noise_, self.scale_ = float(np.mean(y)), 0.0, 1.0
        return self

    def believe(self, X: FloatArray) -> Prediction:
        return Prediction(np.full(len(X), self.mean + self.bias), np.full(len(X), self.std), np.zeros(len(X)))


def averages(monkeypatch: pytest.MonkeyPatch, **kinds: tuple[float, float]) -> dict[str, Option]:
    """Options that are averages, by name: their bias and how far they say they err."""
    for name, (bias, std) in kinds.items():
        build: Any = lambda bias=bias, std=std, **_: Average(bias, std)  # noqa: E731  # a stand-in
        monkeypatch.setitem(SURROGATES, name, Family(build))
    return {name: Option(name, COMPOSITION) for name in kinds}


def test_how_sure_an_option_is_of_itself_does_not_count_but_is_mended_by_its_factor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = averages(monkeypatch, sure=(12.0, 3.0), vague=(0.0, 10.0))
    made = alloys(60, np.random.default_rng(6))
    known = evidence(made, modulus(made))
    choice = choose(known, options)
    assert choice.name == "vague"  # it errs less
    assert choice.factor < 0.8
    assert choose(known, {"sure": options["sure"]}).factor > 1.5
    low, high = learn(known, options["vague"], choice.factor).about(made).interval()
    assert 0.8 < np.mean((low <= known.values) & (known.values <= high)) < 0.97


def test_one_row_that_no_option_can_explain_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    options = averages(monkeypatch, wider=(20.0, 25.0), better=(0.0, 16.0))
    made = alloys(60, np.random.default_rng(6))
    values = modulus(made)
    values[7] += 1000  # a misprint, which the bias happens to lie nearer to
    assert choose(evidence(made, values), options).name == "better"


def test_what_is_not_tried_for_want_of_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    options = averages(monkeypatch, first=(3.0, 10.0), second=(0.0, 10.0))
    made = alloys(40, np.random.default_rng(6))
    choice = choose(evidence(made, modulus(made)), options, in_time=lambda: False)
    assert choice.name == "first"
    assert choice.why.endswith("Not tried, for want of time: second.")


def test_a_variation_of_the_best_is_taken_only_where_it_is_clearly_better(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = averages(monkeypatch, plain=(12.0, 12.0), same=(12.0, 12.0), better=(0.0, 10.0))
    made = alloys(40, np.random.default_rng(6))
    known, plain = evidence(made, modulus(made)), {"plain": kinds["plain"]}

    def varied(best: str, _: Option, name: str) -> dict[str, Option]:
        return {f"{best}, {name}": kinds[name]}

    for name, taken in (("same", "plain"), ("better", "plain, better")):
        choice = choose(known, plain, variations=partial(varied, name=name))
        assert choice.name == taken


class LeavesOut(Average):
    """The same, and it says what it believed of each row."""

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "mean")

    def fit(self, X: FloatArray, y: FloatArray, **told: object) -> LeavesOut:
        super().fit(X, y)
        self.held_out_ = self.believe(X)
        return self


def test_no_fit_is_made_twice_of_a_family_that_leaves_rows_out_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[str] = []

    class Counted(LeavesOut):
        def fit(self, X: FloatArray, y: FloatArray, **told: object) -> LeavesOut:
            fitted.append(f"{self.std:g}")
            return super().fit(X, y)

    build: Any = lambda std, **_: Counted(0.0, std)  # noqa: E731  # a stand-in
    for name, std in (("vague", 30.0), ("sure", 10.0)):
        monkeypatch.setitem(SURROGATES, name, Family(partial(build, std), leaves_out=True))
    options = {name: Option(name, COMPOSITION) for name in ("vague", "sure")}
    made = alloys(40, np.random.default_rng(6))
    known, on_the_way = evidence(made, modulus(made)), dict[str, Belief]()
    choice = choose(known, options, fitted=on_the_way)
    belief = learn_chosen(known, options, choice, on_the_way)
    assert fitted == ["30", "10"]
    assert choice.factor != 1
    assert belief.about(made).std == pytest.approx(learn_chosen(known, options, choice).about(made).std)


@pytest.mark.parametrize("scale", [LINEAR, LOG], ids=["linear", "log"])
def test_what_was_fitted_on_the_way_is_believed_as_if_it_were_fitted_again(scale: Scale) -> None:
    made, asked = alloys(14, np.random.default_rng(16)), alloys(5, np.random.default_rng(17))
    values = modulus(made) + np.random.default_rng(18).normal(0, 5, 14)
    known, options = evidence(made, values), {"ridge": Option("ridge", COMPOSITION, scale)}
    on_the_way: dict[str, Belief] = {}
    choice = replace(choose(known, options, fitted=on_the_way), factor=1.7)
    handed, again = learn_chosen(known, options, choice, on_the_way), learn_chosen(known, options, choice)
    some = known.rows(np.arange(12))
    for one, other in ((handed, again), (handed.again(some), again.again(some))):
        assert one.about(asked).mean == pytest.approx(other.about(asked).mean)
        assert one.about(asked).measured_std == pytest.approx(other.about(asked).measured_std)
        assert one.covariance(asked, asked) == pytest.approx(other.covariance(asked, asked))
    assert handed.on_scale()[1] == scale


def test_models_that_only_judge_an_option_are_made_sparingly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests of fewer trees, say: what is believed in the end has all of them."""
    made = alloys(20, np.random.default_rng(6))
    known, built = evidence(made, modulus(made)), list[float]()

    def build(std: float = 20.0, **_: object) -> Any:
        built.append(std)
        return Average(0.0, std)

    monkeypatch.setitem(SURROGATES, "average", Family(build, sparing={"std": 5.0}))
    folds, _ = held_out_folds(known)
    assert set(held_out(known, Option("average", COMPOSITION), folds).std) == {5.0}
    assert set(learn(known, Option("average", COMPOSITION)).about(made).std) == {20.0}
    assert built == [5.0] * len(folds) + [20.0]


def test_bounds_are_learned_from_and_never_judged() -> None:
    made = alloys(40, np.random.default_rng(11))
    values, sign = modulus(made), np.zeros(40, dtype=int)
    values[::4], sign[::4] = 1e4, -1  # each is below ten thousand: that says nothing
    known = Evidence("E", made, values, np.full(40, np.nan), np.full(40, ""), sign)
    folds, _ = held_out_folds(known)
    held = held_out(known, OPTIONS["sees iron"], folds)
    assert len(held) == 30
    assert np.abs(held.mean - values[sign == 0]).max() < 5


def test_properties_learned_together_help_where_one_has_few_values() -> None:
    rng = np.random.default_rng(12)
    made, asked = alloys(60, rng), alloys(50, rng)
    strength = Evidence("strength", made, 10 * modulus(made) + 300, np.full(60, np.nan), np.full(60, ""))
    few = np.arange(60) % 6 == 0
    known = Evidence(
        "E", made.rows(few), modulus(made)[few], np.full(10, np.nan), np.full(10, ""), ids=strength.ids[few]
    )
    alone = learn(known, OPTIONS["sees iron"]).about(asked)
    both = Evidence(
        known.property, known.alloys, known.values, known.noise, known.sources, ids=known.ids, companions=(strength,)
    )
    together = learn(both, Option("gaussian-process", COMPOSITION, together=("strength",))).about(asked)
    error = [np.sqrt(np.mean((belief.mean - modulus(asked)) ** 2)) for belief in (alone, together)]
    assert error[1] < 0.5 * error[0]


def test_rows_of_a_companion_whose_features_are_not_known_are_not_learned_from() -> None:
    rng = np.random.default_rng(6)
    made, others = alloys(12, rng), alloys(12, rng)
    pure = Alloys(ELEMENTS, np.array([[0.0, 0.0, 0.0, 1.0]]), {})  # of which log(Nb) has no value
    hardness, asked = modulus(others), Alloys(ELEMENTS, np.array([[0.2, 0.1, 0.0, 0.7]]), {})
    option = Option(
        "gaussian-process",
        Features(ELEMENTS, formulas=(parse_formula("log(Nb)", Names(ELEMENTS), (), "at_pct"),)),
        together=("hardness_HV",),
    )

    def told(companion: Evidence) -> Prediction:
        known = replace(evidence(made, modulus(made)), companions=(replace(companion, property="hardness_HV"),))
        return learn(known, option).about(asked)

    with_pure = told(evidence(others + pure, np.append(hardness, 110.0)))
    assert with_pure.mean == pytest.approx(told(evidence(others, hardness)).mean, rel=1e-9)


def test_what_is_held_out_of_a_property_is_held_out_of_its_companions() -> None:
    made = alloys(4, np.random.default_rng(13))
    ids, sources = np.array(["A", "B", "C", "D"]), np.array(["p", "q", "", "q"])
    other = Evidence("strength", made, np.arange(4.0), np.full(4, np.nan), sources, ids=ids)
    known = Evidence(
        "E", made.rows(np.arange(3)), np.arange(3.0), np.full(3, np.nan), sources[:3], ids=ids[:3], companions=(other,)
    )
    # B, whose source q is left out whole, takes D with it.
    assert known.rows(np.array([True, False, True])).companions[0].ids.tolist() == ["A", "C"]


def test_too_few_rows_take_the_first_option_and_say_so() -> None:
    rng = np.random.default_rng(7)
    for n in (1, LEAST_COMPARED - 1):
        made = alloys(n, rng)
        choice = choose(evidence(made, modulus(made)), OPTIONS)
        assert (choice.name, choice.why) == ("blind", f"{n} rows are too few to compare models on.")


def test_a_single_option_needs_no_comparison() -> None:
    made = alloys(40, np.random.default_rng(8))
    choice = choose(evidence(made, modulus(made)), {"only": OPTIONS["blind"]})
    assert choice.name == "only"
    assert choice.why.startswith("campaign.yaml leaves no other. With rows left out its RMSE was ")


@pytest.mark.parametrize("model", ["gaussian-process", "extra-trees"])
def test_a_belief_is_the_surrogate_fitted_on_the_features_with_the_noise_that_was_stated(model: str) -> None:
    rng = np.random.default_rng(9)
    made, asked = alloys(15, rng), alloys(4, rng)
    noise = np.where(np.arange(15) < 5, 6.0, np.nan)
    known = Evidence("youngs_modulus_GPa", made, modulus(made), noise, np.array([""] * 15))
    belief = learn(known, Option(model, COMPOSITION))
    plain = surrogate(model).fit(made.fractions, known.values, noise=noise)
    assert isinstance(belief, Belief)
    assert belief.about(asked).mean == pytest.approx(plain.believe(asked.fractions).mean)
    assert belief.about(asked).std == pytest.approx(plain.believe(asked.fractions).std)
    assert belief.covariance(asked, made) == pytest.approx(plain.covariance(asked.fractions, made.fractions))


def test_evidence_is_taken_apart_row_by_row() -> None:
    made = alloys(4, np.random.default_rng(10))
    known = Evidence("E", made, np.arange(4.0), np.arange(4.0) / 10, np.array(["a", "b", "a", ""]))
    some = known.rows(np.array([True, False, False, True]))
    assert (len(some), some.values.tolist(), some.noise.tolist()) == (2, [0, 3], [0.0, 0.3])
    assert some.sources.tolist() == ["a", ""]
    assert some.alloys.fractions.tolist() == made.fractions[[0, 3]].tolist()


def of_two_kinds(rng: np.random.Generator, jump: float, n_own: int = 12, n_others: int = 40) -> tuple[Evidence, Any]:
    """Few alloys of one kind and many of another, in which the property is higher by `jump`; and which are which."""
    of = alloys(n_own + n_others, rng)
    own = np.arange(len(of)) < n_own
    return evidence(of, modulus(of) + np.where(own, 0.0, jump) + rng.normal(0, 0.5, len(of))), own


@pytest.mark.parametrize(("jump", "told"), [(0.0, True), (60.0, False)])
def test_rows_of_another_kind_are_learned_from_where_they_clearly_tell_more(jump: float, told: bool) -> None:
    option = Option("gaussian-process", Features(ELEMENTS))
    found, own = of_two_kinds(np.random.default_rng(0), jump)
    assert others_tell(found, own, option) is told


def test_rows_of_another_kind_from_the_source_held_out_are_not_learned_from() -> None:
    # Of each source one alloy of either kind, next to each other: who sees the one knows the other.
    rng = np.random.default_rng(1)
    pairs = alloys(12, rng)
    of = pairs + pairs
    noise = np.tile(rng.normal(0, 20, 12), 2)
    found = evidence(of, 60 + noise, [f"paper {i}" for i in range(12)] * 2)
    option = Option("gaussian-process", Features(ELEMENTS))
    assert not others_tell(found, np.arange(24) < 12, option)
    assert others_tell(replace(found, sources=np.full(24, "")), np.arange(24) < 12, option)
