"""What an alloy may be: held to BoTorch, to SciPy's distributions, and to plain Monte Carlo over joint draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import foldnorm, laplace, norm

from alloyloop.design import hopes
from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.features import Alloys
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued, Within
from alloyloop.design.hopes import (
    distance_expected,
    distance_spread,
    greedy,
    hope,
    log_height,
    probability_of_improvement,
    shares_of,
    upper_confidence_bound,
)
from alloyloop.design.outlook import Limited, Outlook, Sought
from alloyloop.surrogates.base import FloatArray

from .strategies_outlook import field, looking, rate, some_alloys

CANDIDATES = some_alloys(40, np.random.default_rng(99))
ONE_DIRECTION: tuple[Pursued, ...] = (Minimize(), Maximize())
EVERY_GOAL: tuple[Pursued, ...] = (*ONE_DIRECTION, Match(55, 3))
NAMES = {Minimize: "minimise", Maximize: "maximise", Match: "match"}


def named(goal: Pursued) -> str:
    return NAMES[type(goal)]


def pursuing(goal: Pursued, seed: int = 0, scale: float = 10.0) -> Sought:
    return Sought("E_GPa", goal, field(seed), scale)


def order(values: FloatArray) -> list[int]:
    return [int(i) for i in np.argsort(-values, kind="stable")]


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(0.01, 100))
def test_a_height_is_what_lies_above_the_floor_and_rises_everywhere(value: float, floor: float, scale: float) -> None:
    lower, upper = log_height(np.array([value, value + 0.01 * scale]), floor, scale)
    assert lower < upper
    if value - floor > scale:
        assert np.exp(lower) == pytest.approx(value - floor, rel=1e-4)
    if value - floor < -scale:  # a line that falls by 10 for every scale
        assert upper - lower == pytest.approx(0.1, rel=1e-3)


@given(st.floats(-30, 30), st.floats(0.01, 20))
def test_how_far_a_normal_value_is_from_a_target_is_folded_normal(off: float, std: float) -> None:
    mean, spread = foldnorm.stats(abs(off) / std, scale=std)
    assert distance_expected(np.array([off]), np.array([std]))[0] == pytest.approx(float(mean), rel=1e-9)
    assert distance_spread(np.array([off]), np.array([std]))[0] == pytest.approx(np.sqrt(float(spread)), rel=1e-4)


@pytest.mark.parametrize("goal", EVERY_GOAL, ids=named)
def test_greedy_ranks_by_what_is_expected_of_the_goal(goal: Pursued) -> None:
    sought = pursuing(goal)
    draws = field().sample(CANDIDATES, 100_000, np.random.default_rng(2))
    expected = goal.objective(draws).mean(axis=0)
    gains = greedy(looking(sought))(CANDIDATES)
    assert np.corrcoef(np.argsort(np.argsort(gains)), np.argsort(np.argsort(expected)))[0, 1] > 0.999
    floor = goal.objective(field().sample(field().alloys, 100_000, np.random.default_rng(3))).mean(axis=0).min()
    high = expected > floor + 10
    assert high.any()
    assert np.exp(gains[high]) == pytest.approx(expected[high] - floor, abs=0.2)


def test_a_chance_to_keep_the_limits_multiplies_the_height_above_the_worst_measured() -> None:
    limited = Limited("Ms_K", Within(high=62), field(5))
    value = Acquisition(looking(limits=(limited,)), acquisition_rule("greedy")).value(CANDIDATES)
    gain = greedy(looking())(CANDIDATES)
    now = field(5).about(CANDIDATES)
    assert np.exp(value - gain) == pytest.approx(norm.cdf((62 - now.mean) / now.std), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("goal", EVERY_GOAL, ids=named)
def test_without_exploring_the_hopeful_end_is_what_is_expected(goal: Pursued) -> None:
    sought = pursuing(goal)
    gain = upper_confidence_bound(looking(sought, explore=0.0))(CANDIDATES)
    assert gain == pytest.approx(greedy(looking(sought))(CANDIDATES))


@pytest.mark.parametrize("goal", ONE_DIRECTION, ids=named)
def test_exploring_alone_it_is_where_least_is_known(goal: Pursued) -> None:
    gain = upper_confidence_bound(looking(pursuing(goal), explore=1.0))(CANDIDATES)
    assert gain == pytest.approx(np.log(field().about(CANDIDATES).std))


@given(st.floats(0, 0.99), st.floats(0, 0.99))
def test_the_hopeful_end_rises_with_explore(some: float, more: float) -> None:
    low, high = (upper_confidence_bound(looking(explore=explore))(CANDIDATES) for explore in sorted((some, more)))
    assert (low <= high + 1e-12).all()


def test_eagerness_narrows_what_is_hoped_for() -> None:
    half = upper_confidence_bound(looking(explore=float(2 * norm.cdf(1.0) - 1)))(CANDIDATES)
    told = upper_confidence_bound(looking(explore=float(2 * norm.cdf(2.0) - 1), eagerness=0.5))(CANDIDATES)
    assert told == pytest.approx(half)


def test_what_is_to_come_narrows_the_interval_as_if_it_had_been_measured_as_expected() -> None:
    pick = CANDIDATES.rows(np.array([7]))
    before = upper_confidence_bound(looking(explore=0.9))(CANDIDATES)
    after = upper_confidence_bound(looking(explore=0.9).with_pick(pick))(CANDIDATES)
    measured = field().once_measured(pick, field().about(pick).mean)  # as expected: the mean stays
    then = upper_confidence_bound(
        looking(Sought("E_GPa", Minimize(), measured, 10.0), baseline=field().alloys, explore=0.9)
    )
    assert after == pytest.approx(then(CANDIDATES), rel=1e-5)
    assert after[7] < before[7] - 0.1


def test_on_a_logarithmic_scale_the_hopeful_end_is_a_quantile_of_the_property() -> None:
    gain = upper_confidence_bound(looking(Sought("corrosion_rate_mm_per_y", Minimize(), rate()), explore=0.9))(
        CANDIDATES
    )
    logs = rate().logs.about(CANDIDATES)
    assert order(gain) == order(-np.exp(norm.ppf(0.05, logs.mean, logs.std)))


def test_on_a_logarithmic_scale_the_chance_to_improve_is_that_of_the_logarithm() -> None:
    lower = looking(Sought("corrosion_rate_mm_per_y", Minimize(), rate()))
    logs = looking(Sought("log_rate", Minimize(), rate().logs))
    assert probability_of_improvement(lower)(CANDIDATES) == pytest.approx(probability_of_improvement(logs)(CANDIDATES))


@pytest.mark.parametrize("goal", EVERY_GOAL, ids=named)
def test_what_is_expected_of_an_alloy_does_not_change_with_those_to_come(goal: Pursued) -> None:
    before = looking(pursuing(goal))
    after = before.with_pick(CANDIDATES.rows(np.array([7])))
    assert greedy(after)(CANDIDATES) == pytest.approx(greedy(before)(CANDIDATES))


def two_goals(weighted: bool = False) -> Outlook:
    modulus, strength = Sought("E_GPa", Minimize(), field(1), 10.0, 2.0), Sought("YS_MPa", Maximize(), field(2), 20.0)
    return looking(modulus, strength, baseline=field(1).alloys, weighted=weighted, explore=0.9)


def test_weighed_goals_are_summed_in_their_spreads_and_so_are_their_variances() -> None:
    gain = upper_confidence_bound(two_goals(weighted=True))
    draws = np.random.default_rng(0)
    sums = -2 / 10 * field(1).sample(CANDIDATES, 100_000, draws) + 1 / 20 * field(2).sample(CANDIDATES, 100_000, draws)
    known = -2 / 10 * field(1).about(field(1).alloys).mean + 1 / 20 * field(2).about(field(1).alloys).mean
    ends = np.quantile(sums, 0.95, axis=0) - known.min()
    high = ends > 1
    assert np.exp(gain(CANDIDATES))[high] == pytest.approx(ends[high], abs=0.05)


def test_of_several_goals_it_is_the_hypervolume_that_hopeful_ends_add() -> None:
    ours = looking(
        Sought("E_GPa", Minimize(), field(1), 10.0, reference=75.0),
        Sought("YS_MPa", Maximize(), field(2), 20.0, reference=45.0),
        baseline=field(1).alloys,
        explore=0.9,
    )
    gain = upper_confidence_bound(ours)(CANDIDATES)
    pairs = [(each.goal, each.belief, each.scale) for each in ours.sought]

    def ends(alloys: Alloys, z: float) -> FloatArray:
        moments = [(goal.objective(b.about(alloys).mean), b.about(alloys).std, scale) for goal, b, scale in pairs]
        return np.column_stack([(mean + z * std) / scale for mean, std, scale in moments])

    known, hoped = ends(ours.baseline, 0.0), ends(CANDIDATES, float(norm.ppf(0.95)))
    low, high = np.array([-75 / 10, 45 / 20]), np.vstack([known, hoped]).max(axis=0)
    darts = np.random.default_rng(4).uniform(low, high, (100_000, 2))
    reached = np.any(np.all(darts[:, None] <= known[None], axis=2), axis=1)
    added = (np.all(darts[:, None] <= hoped[None], axis=2) & ~reached[:, None]).mean(axis=0) * (high - low).prod()
    assert (added > 0.1).sum() > 5
    assert np.exp(gain)[added > 0.1] == pytest.approx(added[added > 0.1], rel=0.1)
    assert (gain[added == 0] < gain[added > 0.1].min()).all()
    assert len(set(gain[added == 0])) == (added == 0).sum()  # what adds nothing is told apart still


def test_without_weights_a_sum_is_mixed_anew_for_every_pick() -> None:
    ours = two_goals()
    shares = [shares_of(ours), shares_of(ours.with_pick(CANDIDATES.rows(np.array([0]))))]
    assert (shares[0] != shares[1]).all()
    assert [share @ [10.0, 20.0] for share in shares] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("goal", EVERY_GOAL, ids=named)
def test_the_chance_to_improve_is_the_share_of_joint_draws_that_do(goal: Pursued) -> None:
    belief, n = field(3), 100_000
    ours = looking(Sought("E_GPa", goal, belief, 10.0), n_draws=4096)
    gain = probability_of_improvement(ours)(CANDIDATES)
    draws = goal.objective(belief.sample(belief.alloys + CANDIDATES, n, np.random.default_rng(5)))
    margin = 0.0 if isinstance(goal, Match) else belief.scatter  # of one measurement
    better = (draws[:, 8:] > draws[:, :8].max(axis=1, keepdims=True) + margin).mean(axis=0)
    assert (better > 0.05).sum() >= 3
    assert np.exp(gain) == pytest.approx(better, abs=0.01)


def test_the_chance_to_better_a_mixture_of_goals_is_near_the_share_of_draws_that_do() -> None:
    from alloyloop.design.utility import utility

    ours = two_goals()
    judged = utility(ours)
    better = (judged.drawn(CANDIDATES) > judged.best).mean(axis=1)
    assert np.exp(probability_of_improvement(ours)(CANDIDATES)) == pytest.approx(better, abs=0.08)


def test_a_chance_does_not_saturate_far_below_the_best() -> None:
    known = field(0, n=30, spread=3.0, scatter=0.05)
    gain = probability_of_improvement(looking(Sought("E_GPa", Minimize(), known, 10.0)))(CANDIDATES)
    assert np.isfinite(gain).all()
    assert gain.min() < -40
    assert len(set(gain)) == len(CANDIDATES)


def test_without_a_margin_the_next_best_thing_would_be_beside_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    belief = field(0, scatter=0.5)
    best = belief.alloys.rows(np.array([int(belief.about(belief.alloys).mean.argmin())]))
    beside = Alloys(best.elements, best.fractions + np.array([[0.002, 0.0, -0.002]]), {})
    ours = looking(Sought("E_GPa", Minimize(), belief))
    assert probability_of_improvement(ours)(beside)[0] < np.log(0.05)
    monkeypatch.setattr(hopes, "MARGIN", 0.0)
    assert probability_of_improvement(ours)(beside)[0] > np.log(0.2)


@pytest.mark.parametrize("n_designs", [11, 921, 10**8])
def test_where_nobody_says_how_bold_to_be_the_number_of_designs_does(n_designs: int) -> None:
    """0.23 of what one in so many numbers of a Laplace distribution is above their mean, in standard deviations."""
    z = 0.23 * laplace.isf(1 / n_designs) / laplace.std()
    counted = upper_confidence_bound(looking(n_designs=n_designs))(CANDIDATES)
    bold = upper_confidence_bound(looking(explore=2 * norm.cdf(z) - 1))(CANDIDATES)
    assert counted == pytest.approx(bold)


def test_more_designs_never_make_it_less_daring() -> None:
    ends = [hope(looking(n_designs=n)) for n in (1, 2, 5, 100, 10**6, 10**15)]
    assert ends == sorted(ends)
    assert ends[0] == 0


def test_a_budget_that_runs_out_makes_hopes_less() -> None:
    assert hope(looking(n_designs=1000, eagerness=0.9)) == pytest.approx(0.9 * hope(looking(n_designs=1000)))
