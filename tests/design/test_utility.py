"""One number of one goal, or of several: held to what joint draws of the properties say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued
from alloyloop.design.outlook import Outlook, Sought, covariance_to_come, outlook, variance_to_come
from alloyloop.design.utility import Linear, Utility, utility
from alloyloop.surrogates.base import FloatArray

ELEMENTS = ("Nb", "Zr", "Ti")
N_DRAWS, N_SAMPLES = 4096, 100_000


def alloys(n: int, rng: np.random.Generator) -> Alloys:
    niobium, zirconium = rng.uniform(0, 0.4, n), rng.uniform(0, 0.3, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), {})


def believed(of: Alloys, seed: int, scale: float) -> Belief:
    rng = np.random.default_rng(seed)
    wave = np.sin((7 + seed) * of.fractions[:, 0]) + np.cos((9 + seed) * of.fractions[:, 1])
    values = 60 + scale * (wave + rng.normal(0, 0.1, len(of)))
    nothing = np.full(len(of), np.nan)
    return learn(
        Evidence("E_GPa", of, values, nothing, np.full(len(of), "")), Option("gaussian-process", Features(ELEMENTS))
    )


def ahead(goals: Sequence[Pursued], weights: Sequence[float] | None, n_picks: int = 1) -> tuple[Outlook, Alloys]:
    """Something known, and candidates."""
    rng = np.random.default_rng(1)
    known, candidates = alloys(8, rng), alloys(15, rng)
    sought = [
        Sought(
            f"property {k}",
            goal,
            believed(known, k, 10.0 ** (k % 3)),
            10.0 ** (k % 3),
            1.0 if weights is None else weights[k],
        )
        for k, goal in enumerate(goals)
    ]
    nothing = known.rows(np.array([], dtype=np.int64))
    return outlook(
        sought, known, nothing, candidates, n_picks, rng, weighted=weights is not None, n_draws=N_DRAWS
    ), candidates


def sampled(seen: Outlook, candidates: Alloys, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The number, drawn jointly of the known alloys and of candidates, and the gain on the best known."""
    rng, every = np.random.default_rng(2), seen.baseline + candidates
    drawn = [each.goal.objective(each.belief.sample(every, N_SAMPLES, rng)) / each.scale for each in seen.sought]
    values = np.tensordot(weights, np.array(drawn), axes=1)
    m = len(seen.baseline)
    return values[:, m:], np.maximum(values[:, m:] - values[:, :m].max(axis=1, keepdims=True), 0)


def agrees(number: Utility, seen: Outlook, candidates: Alloys, weights: FloatArray) -> None:
    values, gains = sampled(seen, candidates, weights)
    mean, std = number.about(candidates)
    spread = values.std(axis=0)
    assert (np.abs(mean - values.mean(axis=0)) < 0.06 * spread).all()
    assert std == pytest.approx(spread, rel=0.06)
    improvement = np.exp(number.log_improvement(candidates))
    likely = gains.mean(axis=0) > 0.05 * gains.mean(axis=0).max()
    assert likely.sum() >= 3
    assert improvement[likely] == pytest.approx(gains.mean(axis=0)[likely], rel=0.12)


def test_of_one_goal_it_is_the_objective_in_the_unit_of_the_property() -> None:
    seen, candidates = ahead([Minimize()], None)
    number = utility(seen)
    assert isinstance(number, Linear)
    belief = seen.sought[0].belief.about(candidates)
    assert number.about(candidates)[0] == pytest.approx(-belief.mean)
    assert number.about(candidates)[1] == pytest.approx(belief.std)
    assert number.noise(candidates) == pytest.approx(belief.noise)


def test_weighed_goals_are_a_sum_in_units_of_their_spreads() -> None:
    seen, candidates = ahead([Minimize(), Maximize()], [2.0, 1.0])
    number = utility(seen)
    assert isinstance(number, Linear)
    agrees(number, seen, candidates, np.array([2.0, 1.0]))
    first, second = (each.belief for each in seen.sought)
    expected = 4 * first.covariance(candidates, candidates) + second.covariance(candidates, candidates) / 100
    assert number.covariance(candidates, candidates) == pytest.approx(expected)


def test_a_target_among_weighed_goals_is_drawn() -> None:
    seen, candidates = ahead([Match(60, 1), Maximize()], [2.0, 1.0])
    number = utility(seen)
    assert not number.linear
    agrees(number, seen, candidates, np.array([2.0, 1.0]))


def test_a_target_alone_is_integrated_exactly() -> None:
    seen, candidates = ahead([Match(60, 1)], None)
    agrees(utility(seen), seen, candidates, np.array([1.0]))


def test_goals_without_weights_are_mixed_anew_for_every_pick() -> None:
    seen, candidates = ahead([Minimize(), Maximize(), Maximize()], None, n_picks=3)
    first = utility(seen).about(candidates)[0]
    picked = seen.with_pick(candidates.rows(np.array([0]))).with_pick(candidates.rows(np.array([1])))
    third = utility(picked).about(candidates)[0]
    assert np.corrcoef(first, third)[0, 1] < 0.99
    assert (utility(seen).about(candidates)[0] == first).all()


def test_of_a_mixture_no_alloy_that_is_worse_in_every_goal_is_better() -> None:
    seen, candidates = ahead([Minimize(), Maximize()], None)
    drawn = utility(seen).drawn(candidates)
    objectives = [
        seen.draws(k).given(candidates)[0] + seen.draws(k).given(candidates)[1][:, None] * seen.next_normals(k)
        for k in range(2)
    ]
    worse = (-objectives[0][:, None] < -objectives[0][None]) & (objectives[1][:, None] < objectives[1][None])
    assert worse.any()
    assert (drawn[:, None] - drawn[None])[worse].max() < 0


def test_improvement_far_below_the_best_still_ranks() -> None:
    seen, candidates = ahead([Minimize(), Match(60, 1)], [1.0, 1.0])
    low = Sought("property 0", Minimize(), seen.sought[0].belief, 1e-6, 1.0)
    values = utility(replace(seen, sought=(low, seen.sought[1]), _draws={})).log_improvement(candidates)
    assert np.isfinite(values).all()
    assert len(np.unique(values)) == len(values)


def test_a_smaller_eagerness_hopes_for_less() -> None:
    seen, candidates = ahead([Minimize()], None)
    less = replace(seen, eagerness=0.5)
    assert (utility(less).log_improvement(candidates) < utility(seen).log_improvement(candidates)).all()


def test_what_is_to_come_is_learned_with_its_noise() -> None:
    known = alloys(8, np.random.default_rng(1))
    belief, coming, others = believed(known, 1, 10.0), known.rows(np.array([0])), alloys(5, np.random.default_rng(3))
    cross, own = belief.covariance(others, coming)[:, 0], belief.about(coming)
    expected = belief.covariance(others, others) - np.outer(cross, cross) / (own.std[0] ** 2 + own.noise[0] ** 2)
    assert covariance_to_come(belief, others, others, coming) == pytest.approx(expected, rel=1e-4)
    assert variance_to_come(belief, others, coming) == pytest.approx(np.diag(expected), rel=1e-4)
    assert variance_to_come(belief, others, known.rows(np.array([], dtype=np.int64))) == pytest.approx(
        belief.about(others).std ** 2
    )
