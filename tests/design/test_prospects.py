"""What a batch, and what is left, may gain and teach: held to draws of one's own and to what must be so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued, Within
from alloyloop.design.hypervolume import reference_of
from alloyloop.design.outlook import Limited, Outlook, Sought, outlook
from alloyloop.design.pareto import hypervolume
from alloyloop.design.prospects import prospects, taught

ELEMENTS = ("Nb", "Zr", "Ti")


def alloys(n: int, rng: np.random.Generator) -> Alloys:
    niobium, zirconium = rng.uniform(0, 0.4, n), rng.uniform(0, 0.3, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), {})


def believed(of: Alloys, seed: int) -> Belief:
    rng = np.random.default_rng(seed)
    wave = np.sin((7 + seed) * of.fractions[:, 0]) + np.cos((9 + seed) * of.fractions[:, 1])
    values = 60 + 10 * (wave + rng.normal(0, 0.1, len(of)))
    nothing = np.full(len(of), np.nan)
    option = Option("gaussian-process", Features(ELEMENTS))
    return learn(Evidence("E_GPa", of, values, nothing, np.full(len(of), "")), option)


def case(*goals: Pursued, limit: Within | None = None) -> tuple[Outlook, Alloys, Alloys]:
    """What is known, a batch and a pool."""
    rng = np.random.default_rng(4)
    known, batch, pool = alloys(8, rng), alloys(3, rng), alloys(20, rng)
    sought = [Sought(f"property {k}", goal, believed(known, k), 10.0) for k, goal in enumerate(goals)]
    limited = [] if limit is None else [Limited("limited", limit, believed(known, 5))]
    nothing = known.rows(np.array([], dtype=np.int64))
    ahead = outlook(sought, known, nothing, alloys(64, rng), 3, rng, limits=limited)
    return ahead, batch, pool


@pytest.mark.parametrize("goal", [Minimize(), Maximize(), Match(60, 1)], ids=["minimise", "maximise", "match"])
def test_gains_are_those_of_joint_draws(goal: Pursued) -> None:
    ahead, batch, pool = case(goal)
    may = prospects(ahead, batch, pool, np.random.default_rng(0))
    belief, n = ahead.sought[0].belief, 100_000
    draws = goal.objective(belief.sample(ahead.baseline + batch + pool, n, np.random.default_rng(1)))
    known, with_batch = draws[:, :8].max(axis=1), draws[:, :11].max(axis=1)
    noise = float(np.median(belief.about(batch).noise))
    assert may.gain == pytest.approx((with_batch - known).mean(), rel=0.1, abs=0.01)
    assert may.gains[0] == pytest.approx((draws[:, :9].max(axis=1) - known).mean(), rel=0.15, abs=0.01)
    assert may.scatter == pytest.approx(noise)
    assert may.chance == pytest.approx((with_batch - known > noise).mean(), abs=0.03)
    left = draws.max(axis=1) - known
    assert may.left == pytest.approx(left.mean(), rel=0.1)
    assert [may.left_low, may.left_high] == pytest.approx(np.quantile(left, [0.05, 0.95]), rel=0.1, abs=0.1)
    assert may.left_chance == pytest.approx((left > noise).mean(), abs=0.03)


def test_what_breaks_its_limits_gains_nothing() -> None:
    ahead, batch, pool = case(Minimize(), limit=Within(high=-1e6))
    none = prospects(ahead, batch, pool, np.random.default_rng(0))
    assert (none.gain, none.left, none.chance, none.left_chance) == (0, 0, 0, 0)
    assert not none.worth_going_on
    free, *_ = case(Minimize(), limit=Within(high=1e6))
    alone, *_ = case(Minimize())
    with_limit, without = (prospects(each, batch, pool, np.random.default_rng(0)).gain for each in (free, alone))
    assert with_limit == pytest.approx(without, rel=0.05)


def test_of_several_goals_the_gain_is_in_hypervolume() -> None:
    ahead, batch, pool = case(Minimize(), Maximize())
    may = prospects(ahead, batch, pool, np.random.default_rng(0))
    worst, rng, n = reference_of(ahead).point, np.random.default_rng(1), 300
    drawn = [each.goal.objective(each.belief.sample(ahead.baseline + batch, n, rng)) for each in ahead.sought]
    volumes = [
        [hypervolume(np.column_stack([drawn[0][i, :m], drawn[1][i, :m]]), worst) for m in (8, 11)] for i in range(n)
    ]
    assert may.gain == pytest.approx(np.diff(volumes, axis=1).mean(), rel=0.35)
    assert may.left >= may.gain
    assert may.scatter > 0


def test_with_nothing_left_but_the_batch_that_is_all_there_is_to_gain() -> None:
    ahead, batch, pool = case(Minimize())
    may = prospects(ahead, batch, pool.rows(np.array([], dtype=np.int64)), np.random.default_rng(0))
    assert may.left == pytest.approx(may.gain)
    assert may.left_chance == may.chance


def test_what_is_measured_teaches_less_the_second_time() -> None:
    ahead, batch, _ = case(Minimize(), Maximize())
    twice = batch.rows(np.array([0, 0]))
    first, again = taught(ahead, twice)
    assert 0 < again < 0.6 * first < 1


def test_what_is_to_come_leaves_less_to_teach() -> None:
    ahead, batch, _ = case(Minimize())
    pending = replace(ahead, to_come=batch.rows(np.array([0])))
    assert taught(pending, batch)[0] < taught(ahead, batch)[0]


def test_teaching_is_the_share_of_the_variance_that_a_measurement_takes_away() -> None:
    ahead, batch, _ = case(Minimize())
    belief, one = ahead.sought[0].belief, batch.rows(np.array([0]))
    told = belief.about(one)
    cross = belief.covariance(ahead.reference, one)[:, 0]
    taken = cross**2 / (told.std[0] ** 2 + told.noise[0] ** 2)
    expected = taken.sum() / (belief.about(ahead.reference).std ** 2).sum()
    assert taught(ahead, one)[0] == pytest.approx(expected, rel=1e-4)
