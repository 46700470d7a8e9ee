from __future__ import annotations

import pickle
from collections.abc import Hashable
from dataclasses import replace
from functools import cache
from typing import Final, cast
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.design import screen as screen_module
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.criteria import Criterion, ExpectedImprovement, LogOdds, PredictedMean
from alloyloop.design.descriptors import descriptor
from alloyloop.design.features import Features, alloys_at
from alloyloop.design.gates import Gate, Predicted, cheap_first, parse_gate
from alloyloop.design.goals import Goal, Within
from alloyloop.design.improvement import log_expected_improvement
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.predictors import Asked, Described, Swept, predictor
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import Rule, parse_rule
from alloyloop.design.screen import Ranking, Screening
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.sweep import Sweep

pytestmark = pytest.mark.torch

MODULUS, STRENGTH, PRICE = "youngs_modulus_GPa", "yield_strength_MPa", "price_usd_per_kg"
LIMIT: Final = ((STRENGTH, Within(low=700.0)),)
GOALS: Final[dict[str, Goal]] = {STRENGTH: LIMIT[0][1]}
SCALES: Final = {MODULUS: 10.0, STRENGTH: 90.0}
SCORES: Final[tuple[Criterion, ...]] = (
    ExpectedImprovement(MODULUS, -1.0, 60.0),
    ExpectedImprovement(MODULUS, -1.0, 60.0, LIMIT),
    LogOdds(LIMIT),
    LogOdds((*LIMIT, (MODULUS, Within(45.0, 60.0)))),
    PredictedMean(MODULUS, -1.0, 10.0),
    PredictedMean(STRENGTH, 1.0, 90.0),
    PredictedMean(PRICE, -1.0, 20.0),
)
AXES: Final[tuple[tuple[Criterion, ...], ...]] = (
    (),
    (SCORES[4], SCORES[2]),
    (SCORES[4], SCORES[5], SCORES[6]),
)
STAGES: Final = (
    "Nb + Zr >= 10",
    "price_usd_per_kg <= 40",
    "youngs_modulus_GPa <= 65",
    "youngs_modulus_GPa between 50 and 70",
    "P(yield_strength_MPa) >= 0.6",
    "P(youngs_modulus_GPa <= 62) >= 0.3",
)
ELEMENTS = (Element("Nb", 0, 40, 2.5), Element("Zr", 0, 20, 5), Element("Sn", 0, 10, 2.5))


@cache
def space(name: str) -> DesignSpace:
    """Spaces whose points can all be asked, one by one."""
    if name == "composition":
        return DesignSpace(Lattice(ELEMENTS, "Ti", 40, 100), "at_pct")
    process = (Numeric("temperature_C", 750, 800, 50), Choice("quench", ("water", "air")))
    lattice = Lattice(tuple(replace(each, step=5) for each in ELEMENTS), "Ti")
    plain = DesignSpace(lattice, "wt_pct", process)
    texts = ("mo_equivalent_wang between 3 and 25", "vec <= 4.3", "Nb + Zr >= 5 if temperature_C > 750")
    return replace(plain, rules=tuple(parse_rule(text, plain.names) for text in texts))


SPACES = ("composition", "with process and rules")


@cache
def believed(name: str, model: str) -> tuple[Belief, ...]:
    """A SYNTHETIC table: 40 designs of a space, a modulus with a valley and a strength that grows with tin."""
    here, rng = space(name), np.random.default_rng(1)
    alloys = alloys_at(here, here.sample(40, rng), here.elements)
    nb, zr, sn = alloys.fractions[:, :3].T
    modulus = 55 + 900 * (nb - 0.22) ** 2 + 60 * zr * nb + rng.normal(0, 1, len(nb))
    strength = 650 + 900 * sn - 300 * (zr - 0.1) + rng.normal(0, 20, len(nb))
    both, unknown, source = Features(here.elements, process=here.process), np.full(40, np.nan), np.full(40, "")
    mixed = replace(both, composition=False, descriptors=("vec", "mo_equivalent_wang", "size_mismatch_pct"))
    return (
        learn(Evidence(MODULUS, alloys, modulus, unknown, source), Option(model, both)),
        learn(Evidence(STRENGTH, alloys, strength, unknown, source), Option("gaussian-process", mixed)),
    )


def screening(
    name: str,
    score: Criterion = SCORES[0],
    axes: tuple[Criterion, ...] = (),
    stages: tuple[str, ...] = (),
    k: int = 10,
    model: str = "gaussian-process",
) -> Screening:
    here = space(name)
    gates: tuple[Gate, ...] = cheap_first([parse_gate(text, here.names, SCALES, GOALS) for text in stages])
    predictors = (*(predictor(belief) for belief in believed(name, model)), Described(PRICE))
    return Screening(here, here.elements, predictors, gates, score, axes, k, 0, here.count)


def ask(question: Screening, size: int = 10**9, order: np.random.Generator | None = None) -> tuple[Ranking, list[int]]:
    """Screen in slices of one size, in an order that is drawn, and what each gate left."""
    starts = np.arange(question.start, question.stop, size)
    if order is not None:
        starts = order.permutation(starts)
    opening, keeper, found = question.opening(np.random.default_rng(0)), question.keeper, question.nothing
    for start in starts.tolist():
        bar = opening.raised(keeper.bar(found))
        found = keeper.kept([found, question.find(start, min(start + size, question.stop), bar)])
    return question.ranking(found), list(found.left)


@cache
def one_by_one(name: str, model: str, criterion: Hashable) -> FloatArray:
    """Every point of a space asked by itself."""
    question, points = screening(name, model=model), space(name).at(range(space(name).count))
    return np.array([question.alone(point, (cast(Criterion, criterion),))[0] for point in points])


def by_brute_force(question: Screening, name: str, model: str) -> tuple[list[int], list[float], list[int], list[int]]:
    """The best with their scores, the front, and the counts, of all points and by the definitions."""
    here = space(name)
    points = here.at(range(here.count))
    alive = (np.arange(here.count) >= question.start) & (np.arange(here.count) < question.stop)
    left = [int(alive.sum())]
    for gate in (*here.asked, *question.gates):
        if isinstance(gate, Predicted):
            values = one_by_one(name, model, cast(Hashable, gate.criterion))
            alive &= (values >= gate.least) & (values <= gate.most)
        else:
            alive &= gate.holds(here.designs(points))
        left.append(int(alive.sum()))
    index = np.flatnonzero(alive)
    scores = one_by_one(name, model, cast(Hashable, question.score))[index]
    best = np.argsort(-scores, kind="stable")[: question.k]
    front: list[int] = []
    if question.axes:
        places = np.column_stack([one_by_one(name, model, cast(Hashable, axis))[index] for axis in question.axes])
        for i, here_is in enumerate(places):
            if not ((places >= here_is).all(axis=1) & (places > here_is).any(axis=1)).any():
                front.append(int(index[i]))
    return index[best].tolist(), scores[best].tolist(), front, left


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("model", ["gaussian-process", "extra-trees"])
@settings(max_examples=15)
@given(
    score=st.sampled_from(SCORES),
    axes=st.sampled_from(AXES),
    stages=st.lists(st.sampled_from(STAGES), unique=True, max_size=3),
    k=st.integers(1, 30),
    size=st.sampled_from([7, 100, 333, 10**9]),
    order=st.integers(0, 3),
    ends=st.tuples(st.floats(0, 0.3), st.floats(0.7, 1)),
    few=st.booleans(),
)
def test_a_screen_answers_as_brute_force_does_in_slices_of_any_size_and_order(
    name: str,
    model: str,
    score: Criterion,
    axes: tuple[Criterion, ...],
    stages: list[str],
    k: int,
    size: int,
    order: int,
    ends: tuple[float, float],
    few: bool,
) -> None:
    n = space(name).count
    question = screening(name, score, axes, tuple(stages), k, model)
    question = replace(question, start=int(ends[0] * n), stop=max(int(ends[1] * n), 1))
    # Small numbers make every part of the search matter on a small space: an opening, cells, blocks.
    with patch.multiple(
        screen_module, N_OPENING=50 if few else 10**9, BLOCK=200, FEWEST_ASKED=4, MOST_ASKED=16, LEAST_IN_CELL=1.5
    ):
        ranking, left = ask(question, size, np.random.default_rng(order))
    best, scores, front, counts = by_brute_force(question, name, model)
    assert list(ranking.index) == best
    assert ranking.scores.tolist() == scores
    assert sorted(ranking.front_index) == front
    assert left == counts


@pytest.mark.parametrize("size", [13, 100, 10**9])
@pytest.mark.parametrize("criterion", [PredictedMean(MODULUS, 1.0, 10.0), LogOdds(LIMIT)], ids=["mean", "probability"])
def test_a_design_on_the_very_bound_of_a_gate_passes_whatever_stands_beside_it(
    criterion: PredictedMean | LogOdds, size: int
) -> None:
    """Its value has other last digits in every slice; what it has alone decides."""
    values = one_by_one("composition", "gaussian-process", criterion)
    for bound in values[::60].tolist():
        for gate in (Predicted("at least", criterion, least=bound), Predicted("at most", criterion, most=bound)):
            _, left = ask(replace(screening("composition", k=1), gates=(gate,)), size)
            assert left[1] == ((values >= gate.least) & (values <= gate.most)).sum()


@pytest.mark.parametrize("name", SPACES)
def test_points_and_indices_of_the_answer_are_the_same_designs(name: str) -> None:
    ranking, _ = ask(screening(name, axes=AXES[1]))
    assert space(name).index(ranking.points) == list(ranking.index)
    assert space(name).index(ranking.front) == list(ranking.front_index)
    assert ranking.front_values[:, 0].tolist() == sorted(ranking.front_values[:, 0], reverse=True)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("model", ["gaussian-process", "extra-trees"])
def test_scores_are_those_of_the_beliefs(name: str, model: str) -> None:
    """Against the surrogates themselves and the formulas of acquisition and goals."""
    here, (modulus, strength) = space(name), believed(name, model)
    points = here.at(range(0, here.count, 37))
    alloys = alloys_at(here, points, here.elements)
    E, R = modulus.about(alloys), strength.about(alloys)
    question = screening(name, model=model)
    gain = log_expected_improvement(-E.mean, E.std, np.array(-60.0)) + LIMIT[0][1].log_probability(R.mean, R.std)
    p = np.exp(LIMIT[0][1].log_probability(R.mean, R.measured_std))
    price = descriptor(PRICE).function(alloys.fractions, alloys.elements)
    asked = np.array([question.alone(point, (SCORES[1], SCORES[2], SCORES[4], SCORES[6])) for point in points])
    np.testing.assert_allclose(asked[:, 0], gain, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(1 / (1 + np.exp(-asked[:, 1])), p, rtol=1e-9)
    np.testing.assert_allclose(asked[:, 2], -E.mean, rtol=1e-10)
    np.testing.assert_allclose(asked[:, 3], -price, rtol=1e-12)


def test_rules_that_counting_cannot_take_in_are_the_first_stages() -> None:
    question = screening("with process and rules", stages=("P(yield_strength_MPa) >= 0.6", "vec >= 4", "Nb >= 5"))
    assert question.stages == (
        *(rule.text for rule in space("with process and rules").asked),
        "Nb >= 5",
        "vec >= 4",
        "P(yield_strength_MPa) >= 0.6",
    )
    assert "vec <= 4.3" in question.stages


def test_a_gate_that_nothing_passes_leaves_nothing() -> None:
    for text in ("Nb >= 90", "youngs_modulus_GPa <= -50"):
        ranking, left = ask(screening("composition", axes=AXES[1], stages=(text, "P(yield_strength_MPa) >= 0.6")))
        assert ranking.index == ranking.front_index == ()
        assert left[0] == space("composition").count
        assert left[-1] == 0


def test_most_designs_are_ruled_out_before_they_are_asked() -> None:
    """What the bounds are for: of ten thousands only a few are worth a standard deviation."""
    fine = DesignSpace(Lattice(tuple(replace(each, step=1) for each in ELEMENTS), "Ti", 40, 100), "at_pct")
    question = replace(screening("composition"), space=fine, stop=fine.count)
    n_asked = {"mean": 0, "mean_and_std": 0}

    def counted(name: str):  # type: ignore[no-untyped-def]  # of a method of Sweep
        plain = getattr(Sweep, name)

        def ask_and_count(self: Sweep, X: FloatArray) -> object:
            n_asked[name] += len(X)
            return plain(self, X)

        return ask_and_count

    with patch.multiple(Sweep, mean=counted("mean"), mean_and_std=counted("mean_and_std")):
        ask(question, 4096)
    assert fine.count > 9000
    assert n_asked["mean"] < 0.5 * fine.count
    assert n_asked["mean_and_std"] < 0.1 * fine.count


def test_a_gaussian_process_is_swept_and_any_other_surrogate_is_asked() -> None:
    assert isinstance(predictor(believed("composition", "gaussian-process")[0]), Swept)
    assert isinstance(predictor(believed("composition", "extra-trees")[0]), Asked)


def test_a_question_is_sent_to_another_process_whole() -> None:
    question = screening("with process and rules", SCORES[1], AXES[1], ("P(yield_strength_MPa) >= 0.6",))
    there = pickle.loads(pickle.dumps(question))
    assert ask(there)[0].scores.tolist() == ask(question)[0].scores.tolist()


def test_a_design_that_cannot_be_predicted_is_left_out() -> None:
    """Carbon has no metallic radius, and an alloy with carbon no size mismatch: only those without are ranked."""
    here = DesignSpace(Lattice((Element("C", 0, 2, 1), Element("Nb", 0, 10, 1)), "Ti"), "at_pct")
    mismatch = "size_mismatch_pct"
    question = Screening(
        here, here.elements, (Described(mismatch),), (), PredictedMean(mismatch, 1.0, 1.0), (), 99, 0, here.count
    )
    ranking, left = ask(question)
    assert left == [33]
    assert len(ranking.index) == 11
    assert (ranking.points[:, 0] == 0).all()


def test_a_rule_of_the_space_is_a_gate_like_any_other() -> None:
    rule = parse_rule("vec <= 4.2", space("composition").names)
    as_rule = replace(space("composition"), rules=(rule,))
    inside = replace(screening("composition"), space=as_rule, stop=as_rule.count)
    outside = replace(screening("composition"), gates=(rule,))
    assert isinstance(outside.gates[0], Rule)
    assert ask(inside)[1] == ask(outside)[1]
    assert ask(inside)[0].scores.tolist() == ask(outside)[0].scores.tolist()
