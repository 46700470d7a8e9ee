"""Thompson sampling picks an alloy as often as it is believed to be the best."""

from __future__ import annotations

import numpy as np
import pytest

from alloyloop.design.features import Alloys
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued
from alloyloop.design.outlook import Sought
from alloyloop.design.thompson import thompson_sampling

from .strategies_outlook import ELEMENTS, field, looking, nothing, rate, some_alloys

POOL = some_alloys(12, np.random.default_rng(99))
BETWEEN = some_alloys(30, np.random.default_rng(98))


@pytest.mark.parametrize("goal", [Minimize(), Maximize(), Match(52, 3)], ids=["minimise", "maximise", "match"])
def test_an_alloy_is_picked_as_often_as_it_is_believed_to_be_the_best(goal: Pursued) -> None:
    belief, n = field(3), 400
    sought = Sought("E_GPa", goal, belief, 10.0)
    worlds = (thompson_sampling(looking(sought, reference=POOL, seed=seed, n_draws=2)) for seed in range(n))
    best = [int(world(POOL).argmax()) for world in worlds]
    often = np.bincount(best, minlength=len(POOL)) / n
    draws = goal.objective(belief.sample(POOL, 200_000, np.random.default_rng(1)))
    chance = np.bincount(draws.argmax(axis=1), minlength=len(POOL)) / len(draws)
    assert (chance > 0.04).sum() >= 3
    assert (np.abs(often - chance) < 4 * np.sqrt(chance * (1 - chance) / n) + 0.005).all()


def test_on_a_logarithmic_scale_worlds_are_drawn_there() -> None:
    belief, n = rate(3), 400
    sought = Sought("corrosion_rate_mm_per_y", Minimize(), belief)
    worlds = (thompson_sampling(looking(sought, reference=POOL, seed=seed, n_draws=2)) for seed in range(n))
    often = np.bincount([int(world(POOL).argmax()) for world in worlds], minlength=len(POOL)) / n
    draws = belief.logs.sample(POOL, 100_000, np.random.default_rng(1))
    chance = np.bincount(draws.argmin(axis=1), minlength=len(POOL)) / len(draws)
    assert (np.abs(often - chance) < 4 * np.sqrt(chance * (1 - chance) / n) + 0.005).all()


def test_it_is_one_function_whatever_else_is_asked() -> None:
    gain = thompson_sampling(looking(reference=POOL))
    together = gain(POOL + BETWEEN)
    alone = [float(gain(BETWEEN.rows(np.array([i])))[0]) for i in range(len(BETWEEN))]
    assert together[len(POOL) :] == pytest.approx(alone)
    assert (gain(POOL) == gain(POOL)).all()


def test_every_pick_is_of_another_world() -> None:
    ours = looking(reference=POOL)
    worlds, known = [thompson_sampling(ours)(BETWEEN)], [thompson_sampling(ours)(ours.baseline)]
    for i in range(3):
        ours = ours.with_pick(POOL.rows(np.array([i])))
        worlds.append(thompson_sampling(ours)(BETWEEN))
        known.append(thompson_sampling(ours)(ours.baseline))
    assert np.abs(np.diff(known, axis=0)).max(axis=1).min() > 0.01
    assert np.corrcoef(worlds).min() < 0.9
    assert len({int(world.argmax()) for world in worlds}) >= 2


def test_far_from_all_that_was_drawn_it_is_what_was_expected() -> None:
    """On average over worlds it is so everywhere, but there it is in each: two such alloys differ as expected."""
    far = Alloys(ELEMENTS, np.array([[0.0, 0.95, 0.05], [0.1, 0.85, 0.05]]), {})
    belief = field(middle=90.0)
    sought = Sought("E_GPa", Maximize(), belief, 10.0)
    heights = []
    for seed in range(200):
        world = thompson_sampling(looking(sought, reference=POOL, seed=seed, n_draws=2))
        heights.append(np.exp(world(far + POOL.rows(np.array([0])))))
    low, high, drawn = np.array(heights).T
    expected = belief.about(far + POOL.rows(np.array([0]))).mean
    assert high - low == pytest.approx(np.full(200, expected[1] - expected[0]), abs=0.05)
    error = 4 * (high - drawn).std() / np.sqrt(200)
    assert (high - drawn).mean() == pytest.approx(expected[1] - expected[2], abs=error)


def test_without_a_sample_of_the_space_the_known_alloys_are_drawn() -> None:
    gain = thompson_sampling(looking(reference=nothing(POOL)))
    assert np.isfinite(gain(POOL)).all()
