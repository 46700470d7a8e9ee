"""What a further melt is worth: held to BoTorch, and to plain Monte Carlo over the surrogate's joint draws.

One approximation is made and held to here as it is: the chance that a candidate keeps its limits is taken at the
candidate alone, independent of what the same draw says of the limits at the baseline.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

import numpy as np
import pytest
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import LinearMCObjective
from botorch.models.model import Model
from botorch.sampling.normal import SobolQMCNormalSampler
from numpy.typing import NDArray

from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued, Within
from alloyloop.design.outlook import MOST_BASELINE, Limited, Sought, outlook
from alloyloop.surrogates.base import FloatArray

pytestmark = pytest.mark.torch

ELEMENTS = ("Nb", "Zr", "Ti")
MODELS = ("gaussian-process", "extra-trees")
GOALS: tuple[Pursued, ...] = (Minimize(), Maximize(), Match(62.0, 1.0))
OF_GOALS = ["minimise", "maximise", "match"]


def alloys(n: int, rng: np.random.Generator) -> Alloys:
    niobium, zirconium = rng.uniform(0, 0.4, n), rng.uniform(0, 0.3, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), {})


def believed(model: str, of: Alloys, rng: np.random.Generator, scale: float = 10.0) -> Belief:
    """A belief learned from a wavy property and a scatter of a tenth of its spread."""
    wave = np.sin(9 * of.fractions[:, 0]) + np.cos(11 * of.fractions[:, 1])
    values = 60 + scale * (wave + rng.normal(0, 0.1, len(of)))
    nothing = np.full(len(of), np.nan)
    return learn(Evidence("E_GPa", of, values, nothing, np.array([""] * len(of))), Option(model, Features(ELEMENTS)))


def case(model: str = "gaussian-process", seed: int = 0, n: int = 8) -> tuple[Belief, Alloys, Alloys]:
    """A belief, the alloys measured, and candidates."""
    rng = np.random.default_rng(seed)
    measured = alloys(n, rng)
    return believed(model, measured, rng), measured, alloys(12, rng)


MANY = 8192  # draws, so that what is left of chance is below a per cent


def built(
    goal: Pursued,
    belief: Belief,
    baseline: Alloys,
    constraints: tuple[tuple[Belief, Within], ...] = (),
    pending: Alloys | None = None,
    n_picks: int = 1,
    seed: int = 1,
    n_draws: int = 256,
) -> Acquisition:
    nothing = baseline.rows(np.array([], dtype=np.int64))
    ahead = outlook(
        [Sought("E_GPa", goal, belief)],
        baseline,
        nothing if pending is None else pending,
        baseline,
        n_picks,
        np.random.default_rng(seed),
        limits=[Limited("limited", limit, believed) for believed, limit in constraints],
        n_draws=n_draws,
    )
    return Acquisition(ahead, acquisition_rule("log-expected-improvement"))


def likely(values: FloatArray) -> NDArray[np.bool_]:
    """Which candidates gain enough for Monte Carlo to measure it."""
    return np.asarray(values > values.max() - 3)


@pytest.mark.parametrize("goal", GOALS, ids=OF_GOALS)
@pytest.mark.parametrize("model", MODELS)
def test_the_value_is_the_mean_gain_over_the_baseline_in_joint_draws(model: str, goal: Pursued) -> None:
    belief, baseline, candidates = case(model)
    value = built(goal, belief, baseline, n_draws=MANY).value(candidates)
    n = 200_000
    together = belief.features.encode(baseline + candidates)
    draws = goal.objective(belief.surrogate.sample(together, n, np.random.default_rng(2)))
    gains = np.maximum(draws[:, len(baseline) :] - draws[:, : len(baseline)].max(axis=1, keepdims=True), 0)
    seen = likely(value)
    assert seen.sum() >= 2
    error = 4 * gains[:, seen].std(axis=0) / np.sqrt(n) + 0.02 * gains[:, seen].mean(axis=0)
    assert (np.abs(np.exp(value[seen]) - gains[:, seen].mean(axis=0)) < error).all()


@pytest.mark.parametrize("goal", [Minimize(), Maximize()], ids=OF_GOALS[:2])
def test_the_value_is_that_of_botorch(goal: Minimize | Maximize) -> None:
    belief, baseline, candidates = case(seed=3)
    value = built(goal, belief, baseline, n_draws=MANY).value(candidates)
    oracle = qLogNoisyExpectedImprovement(
        cast(Model, belief.surrogate),
        X_baseline=torch.from_numpy(baseline.fractions),
        sampler=SobolQMCNormalSampler(torch.Size([8192]), seed=0),
        objective=LinearMCObjective(torch.tensor([goal.sign], dtype=torch.float64)),
        prune_baseline=False,
        cache_root=False,
    )
    with torch.no_grad():
        theirs = oracle(torch.from_numpy(candidates.fractions).unsqueeze(1)).numpy()
    seen = likely(value)
    assert seen.sum() >= 2
    assert value[seen] == pytest.approx(theirs[seen], abs=0.05)


@pytest.mark.parametrize("model", MODELS)
def test_with_a_limit_the_value_is_the_gain_over_what_keeps_it_times_the_chance_to_keep_it(model: str) -> None:
    belief, baseline, candidates = case(model, seed=4)
    other, limit = believed(model, baseline, np.random.default_rng(40), scale=5.0), Within(52, 66)
    value = built(Minimize(), belief, baseline, ((other, limit),), n_draws=MANY).value(candidates)
    n, m = 200_000, len(baseline)
    together = belief.features.encode(baseline + candidates)
    draws = -belief.surrogate.sample(together, n, np.random.default_rng(5))
    # Two independent sets of draws of the limited property: that is the approximation.
    at_baseline = limit.allows(other.surrogate.sample(together, n, np.random.default_rng(6))[:, :m])
    at_candidates = limit.allows(other.surrogate.sample(together, n, np.random.default_rng(7))[:, m:])
    none_kept = ~at_baseline.any(axis=1)
    assert 0.01 < at_candidates.mean() < 0.99
    best = np.where(at_baseline, draws[:, :m], -np.inf).max(axis=1)
    best[none_kept] = draws[none_kept, :m].min(axis=1)
    gains = np.maximum(draws[:, m:] - best[:, None], 0) * at_candidates
    seen = likely(value)
    assert seen.sum() >= 2
    error = 4 * gains[:, seen].std(axis=0) / np.sqrt(n) + 0.03 * gains[:, seen].mean(axis=0)
    assert (np.abs(np.exp(value[seen]) - gains[:, seen].mean(axis=0)) < error).all()


def test_a_limit_that_everything_keeps_changes_nothing_and_one_that_nothing_keeps_forbids() -> None:
    belief, baseline, candidates = case(seed=5)
    other = believed("gaussian-process", baseline, np.random.default_rng(50))
    free = built(Minimize(), belief, baseline, ((other, Within(low=-1e6)),), n_draws=MANY)
    alone = built(Minimize(), belief, baseline, n_draws=MANY).value(candidates)
    assert free.value(candidates)[likely(alone)] == pytest.approx(alone[likely(alone)], abs=0.05)  # other draws
    forbidden = built(Minimize(), belief, baseline, ((other, Within(low=1e6)),), n_draws=MANY).value(candidates)
    assert (forbidden < -1e6).all()


def test_among_equal_gains_the_likelier_to_keep_the_limit_is_worth_more() -> None:
    belief, baseline, candidates = case(seed=6)
    other, limit = believed("gaussian-process", baseline, np.random.default_rng(60)), Within(high=60)
    value = built(Minimize(), belief, baseline, ((other, limit),))
    of = other.about(candidates)
    chance = limit.log_probability(of.mean, of.std)
    gain = value.rule.build(value.outlook)(candidates)
    assert value.value(candidates) - gain == pytest.approx(chance)


@pytest.mark.parametrize("model", MODELS)
def test_a_pick_counts_as_one_that_is_pending(model: str) -> None:
    belief, baseline, candidates = case(model, seed=7)
    other = (believed(model, baseline, np.random.default_rng(70)), Within(50, 70))
    pick = candidates.rows(np.array([0]))
    picked = built(Minimize(), belief, baseline, (other,), n_picks=3).with_pick(pick)
    pending = built(Minimize(), belief, baseline, (other,), pending=pick, n_picks=2)
    assert picked.value(candidates) == pytest.approx(pending.value(candidates), rel=1e-9)


def test_a_pick_leaves_nothing_to_gain_where_it_is_and_less_near_it() -> None:
    belief, baseline, candidates = case(seed=8)
    before = built(Minimize(), belief, baseline)
    values = before.value(candidates)
    best = np.array([int(values.argmax())])
    after = before.with_pick(candidates.rows(best)).value(candidates)
    assert after[best][0] < values[best][0] - 5
    assert (after < values + 0.05).all()


@pytest.mark.parametrize("model", MODELS)
def test_the_gains_of_a_batch_add_up_to_the_gain_of_the_batch(model: str) -> None:
    belief, baseline, candidates = case(model, seed=9)
    value, gains, batch = (
        built(Minimize(), belief, baseline, n_picks=4, n_draws=MANY),
        [],
        candidates.rows(np.array([], np.int64)),
    )
    for i in range(4):
        pick = candidates.rows(np.array([i]))
        gains.append(float(np.exp(value.value(pick)[0])))
        value, batch = value.with_pick(pick), batch + pick
    n, m = 200_000, len(baseline)
    draws = -belief.surrogate.sample(belief.features.encode(baseline + batch), n, np.random.default_rng(10))
    joint = np.maximum(draws[:, m:].max(axis=1) - draws[:, :m].max(axis=1), 0)
    assert sum(gains) == pytest.approx(joint.mean(), abs=4 * joint.std() / np.sqrt(n) + 0.02 * joint.mean())


def test_what_is_pending_is_not_worth_making_again() -> None:
    belief, baseline, candidates = case(seed=11)
    alone = built(Minimize(), belief, baseline).value(candidates)
    best = np.array([int(alone.argmax())])
    waiting = built(Minimize(), belief, baseline, pending=candidates.rows(best)).value(candidates)
    assert waiting[best][0] < alone[best][0] - 5


def test_leaving_out_measured_alloys_that_cannot_be_the_best_changes_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    belief, baseline, candidates = case(seed=12, n=30)
    assert len(baseline) < MOST_BASELINE
    every = built(Minimize(), belief, baseline, n_draws=MANY).value(candidates)
    monkeypatch.setattr(import_module("alloyloop.design.outlook"), "MOST_BASELINE", 12)
    some = built(Minimize(), belief, baseline, n_draws=MANY)
    assert len(some.outlook.baseline) == 12
    seen = likely(every)
    assert some.value(candidates)[seen] == pytest.approx(every[seen], abs=0.05)


def test_the_same_seed_gives_the_same_values() -> None:
    belief, baseline, candidates = case(seed=13)
    first, again, other = (built(Minimize(), belief, baseline, seed=seed).value(candidates) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("model", MODELS)
def test_an_alloy_measured_twice_over_is_worth_no_more(model: str) -> None:
    belief, baseline, candidates = case(model, seed=14)
    once = built(Minimize(), belief, baseline, n_draws=MANY).value(candidates)
    twice = built(Minimize(), belief, baseline + baseline, n_draws=MANY).value(candidates)
    assert np.isfinite(twice).all()
    assert twice[likely(once)] == pytest.approx(once[likely(once)], abs=0.05)


def test_the_value_of_an_alloy_does_not_depend_on_its_neighbours_in_the_table() -> None:
    belief, baseline, candidates = case(seed=15)
    value = built(Minimize(), belief, baseline)
    alone = [float(value.value(candidates.rows(np.array([i])))[0]) for i in range(len(candidates))]
    assert value.value(candidates) == pytest.approx(alone, rel=1e-7)
