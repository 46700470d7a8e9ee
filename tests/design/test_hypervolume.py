"""The hypervolume that one more alloy is expected to add: held to joint draws of everything, and to mpmath far away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import mpmath  # type: ignore[import-untyped]  # comes with torch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.acquisition import ACQUISITIONS, Acquisition
from alloyloop.design.beliefs import Evidence, Option, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued, Within
from alloyloop.design.hypervolume import log_expected_hypervolume_improvement, reference_of
from alloyloop.design.outlook import Limited, Outlook, Sought
from alloyloop.design.pareto import boxes
from alloyloop.surrogates.base import FloatArray, Prediction
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_outlook import ELEMENTS, Everything, Field, field, looking, some_alloys

N_DRAWS, N_SAMPLES = 1024, 2000
NAME = "log-expected-hypervolume-improvement"


@dataclass(frozen=True, eq=False)
class Price:
    """A number that is computed and not believed: so much for a tenth of niobium."""

    for_niobium: float = 100.0

    @property
    def features(self) -> Everything:
        return Everything()

    def about(self, alloys: Alloys) -> Prediction:
        nothing = np.zeros(len(alloys))
        return Prediction(self.for_niobium * alloys.fractions[:, 0], nothing, nothing)

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        return np.zeros((len(some), len(others)))

    def sample(self, alloys: Alloys, n_samples: int, rng: np.random.Generator) -> FloatArray:
        return np.tile(self.about(alloys).mean, (n_samples, 1))


def forest(seed: int) -> Any:
    of = field(seed)
    nothing = np.full(len(of.values), np.nan)
    evidence = Evidence("E_GPa", of.alloys, of.values, nothing, np.full(len(of.values), ""))
    return learn(evidence, Option("extra-trees", Features(ELEMENTS)))


def sought(*goals: Pursued, beliefs: Sequence[Any] = (), references: Sequence[float | None] = ()) -> list[Sought]:
    """Goals for waves of different places: the same alloys measured, and different ones best."""
    known = field(0).alloys
    waves = [field(k) for k in range(len(goals))]
    shifted = [Field(known, wave.values, scatter=2.0) for wave in waves]
    return [
        Sought(f"property_{k}", goal, (beliefs or shifted)[k], reference=(references or [None] * len(goals))[k])
        for k, goal in enumerate(goals)
    ]


def candidates(n: int = 12) -> Alloys:
    return some_alloys(n, np.random.default_rng(77))


def value(seen: Outlook, alloys: Alloys) -> FloatArray:
    return Acquisition(seen, ACQUISITIONS[NAME]).value(alloys)


def sampled(seen: Outlook, alloys: Alloys, *, together: bool = False) -> FloatArray:
    """Gains in hypervolume in joint draws of what is known and of alloys, each alone or all together. (n_samples, …)

    Limits are drawn at the known alloys, and the chance that the alloys keep them is left out.
    """
    rng, m = np.random.default_rng(5), len(seen.known_so_far)
    every = seen.known_so_far + alloys
    values = np.stack([each.goal.objective(each.belief.sample(every, N_SAMPLES, rng)) for each in seen.sought], -1)
    kept = np.ones((N_SAMPLES, m), dtype=bool)
    for each in seen.limits:
        kept &= each.limit.allows(each.belief.sample(every, N_SAMPLES, rng)[:, :m])
    reference = reference_of(seen).point
    gains = []
    for drawn, allowed in zip(values, kept, strict=True):
        above = boxes(drawn[:m][allowed], reference)
        if together:
            left = boxes(np.vstack([drawn[:m][allowed], drawn[m:]]), reference)
            far = np.full((1, values.shape[2]), 1e3)
            gains.append(above.volume_below(far) - left.volume_below(far))
        else:
            gains.append(above.volume_below(drawn[m:]))
    return np.array(gains)


def assert_agrees(found: FloatArray, gains: FloatArray) -> None:
    """Where alloys gain enough for plain Monte Carlo to measure it."""
    mean, error = gains.mean(axis=0), gains.std(axis=0) / np.sqrt(len(gains))
    seen = (mean > 0.02 * mean.max()) & (error < 0.2 * mean)
    assert seen.sum() >= 2
    assert (np.abs(np.exp(found[seen]) - mean[seen]) < 4 * error[seen] + 0.04 * mean[seen]).all()


@pytest.fixture
def many_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many that what is left of chance is some per cent."""
    monkeypatch.setattr(import_module("alloyloop.design.hypervolume"), "N_DRAWS", N_DRAWS)


GOALS: dict[str, tuple[Pursued, ...]] = {
    "down and up": (Minimize(), Maximize()),
    "up and to a target": (Maximize(), Match(62.0, 1.0)),
    "to two targets": (Match(58.0, 1.0), Match(70.0, 1.0)),
    "three": (Minimize(), Maximize(), Match(62.0, 1.0)),
    "four": (Minimize(), Maximize(), Minimize(), Maximize()),
    "one": (Minimize(),),
}


@pytest.mark.parametrize("goals", GOALS.values(), ids=GOALS)
@pytest.mark.usefixtures("many_draws")
def test_the_value_is_the_mean_gain_in_hypervolume_in_joint_draws(goals: tuple[Pursued, ...]) -> None:
    seen = looking(*sought(*goals), n_draws=N_DRAWS)
    assert_agrees(value(seen, candidates()), sampled(seen, candidates()))


@pytest.mark.usefixtures("many_draws")
def test_alloys_that_break_a_limit_in_a_draw_are_not_on_its_front() -> None:
    limit = Limited("limited", Within(high=62.0), Field(field(0).alloys, field(3).values))
    seen = looking(*sought(Minimize(), Maximize()), limits=[limit], n_draws=N_DRAWS)
    assert 0.05 < seen.allowed.mean() < 0.95
    alone = value(seen, candidates()) - limit.log_probability(candidates())
    assert_agrees(alone, sampled(seen, candidates()))


@pytest.mark.usefixtures("many_draws")
def test_a_computed_goal_counts_as_what_it_is() -> None:
    found = sought(Minimize(), Minimize(), beliefs=(field(0), Price()))
    seen = looking(*found, n_draws=N_DRAWS)
    assert_agrees(value(seen, candidates()), sampled(seen, candidates()))


@pytest.mark.torch
@pytest.mark.usefixtures("many_draws")
def test_forests_take_part() -> None:
    found = sought(Minimize(), Maximize(), beliefs=(forest(0), forest(1)))
    seen = looking(*found, baseline=field(0).alloys, n_draws=N_DRAWS)
    assert_agrees(value(seen, candidates()), sampled(seen, candidates()))


@pytest.mark.parametrize("goals", [GOALS["down and up"], GOALS["three"]], ids=["two", "three"])
@pytest.mark.usefixtures("many_draws")
def test_the_gains_of_a_batch_add_up_to_the_gain_of_the_batch(goals: tuple[Pursued, ...]) -> None:
    seen = start = looking(*sought(*goals), n_draws=N_DRAWS)
    batch, gain = candidates(4), 0.0
    for i in range(len(batch)):
        pick = batch.rows(np.array([i]))
        gain += float(np.exp(value(seen, pick)[0]))
        seen = seen.with_pick(pick)
    joint = sampled(start, batch, together=True)
    assert gain == pytest.approx(joint.mean(), abs=4 * joint.std() / np.sqrt(len(joint)) + 0.03 * joint.mean())


def test_a_pick_leaves_nothing_to_gain_where_it_is_and_no_more_elsewhere() -> None:
    seen = looking(*sought(Minimize(), Maximize()))
    before = value(seen, candidates())
    best = np.array([int(before.argmax())])
    after = value(seen.with_pick(candidates().rows(best)), candidates())
    assert after[best] < before[best] - 3
    assert (after < before + 0.15).all()  # what the pick says of the others is drawn, too


def test_a_pick_counts_as_one_that_is_pending() -> None:
    pick = candidates(1)
    picked = looking(*sought(Minimize(), Maximize()), n_picks=3).with_pick(pick)
    pending = looking(*sought(Minimize(), Maximize()), to_come=pick, n_picks=2)
    assert value(picked, candidates()) == pytest.approx(value(pending, candidates()), rel=1e-6)


def exactly(means: Sequence[float], stds: Sequence[float], alloy: Sequence[float] | None) -> float:
    """Log of the expected area above (0, 0) that a normal alloy adds to another one that is known, with 60 digits."""
    with mpmath.workdps(60):

        def above(k: int, cut: float) -> Any:
            u = (mpmath.mpf(means[k]) - mpmath.mpf(cut)) / mpmath.mpf(stds[k])
            return (mpmath.npdf(u) + u * mpmath.erfc(-u / mpmath.sqrt(2)) / 2) * mpmath.mpf(stds[k])

        if alloy is None:
            return float(mpmath.log(above(0, 0.0) * above(1, 0.0)))
        a, b = alloy
        return float(mpmath.log((above(0, 0.0) - above(0, a)) * above(1, b) + above(0, a) * above(1, 0.0)))


@dataclass(frozen=True, eq=False)
class Told:
    """One alloy of which a value is known, and others of which a mean and a standard deviation are."""

    known: float
    mean: float
    std: float

    @property
    def features(self) -> Everything:
        return Everything()

    def about(self, alloys: Alloys) -> Prediction:
        is_known = alloys.fractions[:, 0] == 0
        mean, std = np.where(is_known, self.known, self.mean), np.where(is_known, 0.0, self.std)
        return Prediction(mean, std, np.zeros(len(alloys)))

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        return np.zeros((len(some), len(others)))


def told(means: Sequence[float], stds: Sequence[float], alloy: Sequence[float]) -> tuple[Outlook, Alloys]:
    two = Alloys(ELEMENTS, np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 0.5]]), {})
    found = [
        Sought(f"property_{k}", Maximize(), Told(alloy[k], means[k], stds[k]), reference=0.0)  # type: ignore[arg-type]
        for k in range(2)
    ]
    return looking(*found, baseline=two.rows(np.array([0])), n_draws=64), two.rows(np.array([1]))


@pytest.mark.parametrize("known", [(2.0, 3.0), (1e-3, 50.0), (-1.0, 4.0)])
@pytest.mark.parametrize("far", [2.0, 0.5, 0.0, -1.0, -5.0, -20.0, -25.0, -30.0, -50.0, -1e3, -1e6])
def test_the_value_is_exact_however_far_below_the_front_an_alloy_is_believed(
    far: float, known: tuple[float, float]
) -> None:
    seen, alloy = told((far, far - 0.3), (1.0, 0.8), known)
    expected = exactly((far, far - 0.3), (1.0, 0.8), known if min(known) > 0 else None)
    assert value(seen, alloy)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.floats(-60, 10), st.floats(-60, 10), st.floats(0.01, 5), st.floats(0.1, 20))
def test_between_numbers_and_their_logarithms_the_value_is_exact_too(
    one: float, other: float, std: float, known: float
) -> None:
    seen, alloy = told((one, other), (1.0, std), (known, 1.0))
    expected = exactly((one, other), (1.0, std), (known, 1.0))
    assert value(seen, alloy)[0] == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_near_a_target_that_is_out_of_reach_the_nearer_is_worth_more() -> None:
    means = np.linspace(-2000, 40, 30)
    nearer = [value(*told_to_match(float(mean)))[0] for mean in means]
    assert np.isfinite(nearer).all()
    assert (np.diff(nearer) > 0).all()


def told_to_match(mean: float) -> tuple[Outlook, Alloys]:
    seen, alloy = told((mean, 1.0), (1.0, 1.0), (45.0, 2.0))
    first = Sought("property_0", Match(50.0, 1.0), seen.sought[0].belief, reference=40.0)
    return looking(first, seen.sought[1], baseline=seen.baseline, n_draws=64), alloy


def test_the_value_of_an_alloy_does_not_depend_on_its_neighbours_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, many = looking(*sought(Minimize(), Maximize())), candidates(40)
    together = value(seen, many)
    monkeypatch.setattr(import_module("alloyloop.design.hypervolume"), "_AT_ONCE", 3000)
    assert value(seen, many) == pytest.approx(together, rel=1e-9)
    assert [value(seen, many.rows(np.array([i])))[0] for i in range(40)] == pytest.approx(together.tolist(), rel=1e-7)


def test_as_few_draws_as_are_taken_rank_alloys_as_many_do(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, many = looking(*sought(Minimize(), Maximize()), n_draws=N_DRAWS), candidates(200)
    few = value(seen, many)
    monkeypatch.setattr(import_module("alloyloop.design.hypervolume"), "N_DRAWS", N_DRAWS)
    enough = value(seen, many)
    assert enough[few.argmax()] > enough.max() - 0.1


def test_less_eager_is_less_hopeful() -> None:
    found = sought(Minimize(), Maximize())
    eager, greedy = (value(looking(*found, eagerness=eagerness), candidates()) for eagerness in (1.0, 0.2))
    assert (greedy < eager).all()


def test_more_goals_than_boxes_can_be_had_for_are_refused() -> None:
    seen = looking(*sought(*[Minimize()] * 5))
    with pytest.raises(AlloyloopError, match=r"5 goals are pursued.*at most\. Write `acquisition: parego`"):
        log_expected_hypervolume_improvement(seen)


def test_the_reference_point_says_where_it_comes_from() -> None:
    found = sought(Minimize(), Match(62.0, 1.0), references=(90.0, None))
    words = reference_of(looking(*found)).words
    assert words.startswith("Hypervolume is counted from property_0 90 (as given), property_1 ")
    assert words.endswith(" off 62 (a tenth of the front's range beyond its worst).")


def test_what_is_given_is_read_in_the_unit_of_the_property() -> None:
    found = sought(Minimize(), Maximize(), Match(60.0, 1.0), references=(90.0, 40.0, 66.0))
    assert reference_of(looking(*found)).point.tolist() == [-90, 40, -6]


def test_the_reference_point_is_that_of_the_alloys_that_likely_keep_the_limits() -> None:
    """By hand: of four alloys known for certain, the last, worst in its own way, breaks the limit."""
    four = some_alloys(4, np.random.default_rng(3))
    values = np.array([[10.0, 1.0], [5.0, 6.0], [7.0, 4.0], [0.0, 20.0]])
    known = [Field(four, column, scatter=1e-3, reach=1e-3) for column in values.T]
    limit = Limited("limited", Within(high=1.0), Field(four, np.array([0.0, 0.0, 0.0, 9.0]), scatter=1e-3, reach=1e-3))
    found = [Sought("one", Maximize(), known[0]), Sought("other", Maximize(), known[1])]
    assert reference_of(looking(*found, limits=[limit])).point == pytest.approx([5 - 0.5, 1 - 0.5], abs=1e-3)
    assert reference_of(looking(*found)).point == pytest.approx([0 - 1.0, 1 - 1.9], abs=1e-3)


def test_the_reference_point_stays_through_a_batch() -> None:
    seen = looking(*sought(Minimize(), Maximize()))
    assert reference_of(seen.with_pick(candidates(1))).point.tolist() == reference_of(seen).point.tolist()
