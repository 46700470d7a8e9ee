"""What a further melt is worth: held to mpmath, to BoTorch, and to plain Monte Carlo over the surrogate's joint draws.

One approximation is made and held to here as it is: the chance that a candidate keeps its limits is taken at the
candidate alone, independent of what the same draw says of the limits at the baseline.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

import mpmath  # type: ignore[import-untyped]  # comes with torch
import numpy as np
import pytest
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import LinearMCObjective
from botorch.models.model import Model
from botorch.sampling.normal import SobolQMCNormalSampler
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alloyloop.design.acquisition import MOST_BASELINE, Acquisition, acquisition, log_expected_improvement
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Maximize, Minimize, Pursued, Within
from alloyloop.surrogates.base import FloatArray

pytestmark = pytest.mark.torch

ELEMENTS = ("Nb", "Zr", "Ti")
MODELS = ("gaussian-process", "extra-trees")
GOALS: tuple[Pursued, ...] = (Minimize(), Maximize())


def exact_log_ei(mean: float, std: float, best: float) -> float:
    """Log of φ(u) + u Φ(u), times std, with 60 digits."""
    with mpmath.workdps(60):
        u = (mpmath.mpf(mean) - mpmath.mpf(best)) / mpmath.mpf(std)
        # φ(u) + u Φ(u) loses as many digits as u² has before it: below -10, its continued fraction's integral instead.
        if u > -10:
            improvement = mpmath.npdf(u) + u * mpmath.ncdf(u)
            return float(mpmath.log(improvement) + mpmath.log(std))
        # ∫₀^∞ t φ(t - u) dt = φ(u) ∫₀^∞ t exp(u t - t²/2) dt, scaled by s = -u t.
        scaled = mpmath.quad(lambda s: s * mpmath.exp(-s - s**2 / (2 * u**2)), [0, 5, 20, 60, 150])
        return float(-(u**2) / 2 - mpmath.log(2 * mpmath.pi) / 2 + mpmath.log(scaled / u**2) + mpmath.log(std))


def log_ei(mean: float, std: float, best: float) -> float:
    return float(log_expected_improvement(np.array([mean]), np.array([std]), np.array([best]))[0])


@pytest.mark.parametrize(
    "u", [1e6, 300, 30, 3, 0, -0.999, -1, -1.001, -3, -9, -30, -100, -1e3, -9.99e3, -1.001e4, -1e5, -1e6]
)
def test_log_expected_improvement_is_exact_to_a_million_standard_deviations(u: float) -> None:
    assert log_ei(u, 1.0, 0.0) == pytest.approx(exact_log_ei(u, 1.0, 0.0), rel=1e-9, abs=1e-12)


@given(st.floats(-50, 50), st.floats(0.1, 20), st.floats(-50, 50))
def test_log_expected_improvement_is_that_of_mpmath(mean: float, std: float, best: float) -> None:
    assert log_ei(mean, std, best) == pytest.approx(exact_log_ei(mean, std, best), rel=1e-8, abs=1e-9)


def test_log_expected_improvement_is_the_mean_gain_of_draws() -> None:
    gains = np.maximum(np.random.default_rng(0).normal(48, 5, 1_000_000) - 52, 0)
    assert np.exp(log_ei(48, 5, 52)) == pytest.approx(gains.mean(), abs=4 * gains.std() / 1000)


def test_a_known_value_gains_what_it_is_above_the_best_and_nothing_below() -> None:
    assert log_ei(55, 0.0, 52) == pytest.approx(np.log(3))
    assert log_ei(50, 0.0, 52) < -1e100
    assert log_ei(52, 0.0, 52) < -200


def test_expected_improvement_is_monotone_from_one_formula_to_the_next() -> None:
    u = np.concatenate([-np.logspace(7, -3, 4000), np.logspace(-3, 3, 1000)])
    assert (np.diff(log_expected_improvement(u, np.ones(1), np.zeros(1))) > 0).all()


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


@pytest.fixture
def many_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many draws that what is left of chance is below a per cent."""
    monkeypatch.setattr(import_module("alloyloop.design.acquisition"), "N_DRAWS", 8192)


def built(
    goal: Pursued,
    belief: Belief,
    baseline: Alloys,
    constraints: tuple[tuple[Belief, Within], ...] = (),
    pending: Alloys | None = None,
    n_picks: int = 1,
    seed: int = 1,
) -> Acquisition:
    nothing = baseline.rows(np.array([], dtype=np.int64))
    coming = nothing if pending is None else pending
    return acquisition(goal, belief, constraints, baseline, coming, n_picks, np.random.default_rng(seed))


def likely(values: FloatArray) -> NDArray[np.bool_]:
    """Which candidates gain enough for Monte Carlo to measure it."""
    return np.asarray(values > values.max() - 3)


@pytest.mark.parametrize("goal", GOALS, ids=["minimise", "maximise"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("many_draws")
def test_the_value_is_the_mean_gain_over_the_baseline_in_joint_draws(model: str, goal: Pursued) -> None:
    belief, baseline, candidates = case(model)
    value = built(goal, belief, baseline).value(candidates)
    n = 200_000
    together = belief.features.encode(baseline + candidates)
    draws = goal.sign * belief.surrogate.sample(together, n, np.random.default_rng(2))
    gains = np.maximum(draws[:, len(baseline) :] - draws[:, : len(baseline)].max(axis=1, keepdims=True), 0)
    seen = likely(value)
    assert seen.sum() >= 2
    error = 4 * gains[:, seen].std(axis=0) / np.sqrt(n) + 0.02 * gains[:, seen].mean(axis=0)
    assert (np.abs(np.exp(value[seen]) - gains[:, seen].mean(axis=0)) < error).all()


@pytest.mark.parametrize("goal", GOALS, ids=["minimise", "maximise"])
@pytest.mark.usefixtures("many_draws")
def test_the_value_is_that_of_botorch(goal: Pursued) -> None:
    belief, baseline, candidates = case(seed=3)
    value = built(goal, belief, baseline).value(candidates)
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
@pytest.mark.usefixtures("many_draws")
def test_with_a_limit_the_value_is_the_gain_over_what_keeps_it_times_the_chance_to_keep_it(model: str) -> None:
    belief, baseline, candidates = case(model, seed=4)
    other, limit = believed(model, baseline, np.random.default_rng(40), scale=5.0), Within(52, 66)
    value = built(Minimize(), belief, baseline, ((other, limit),)).value(candidates)
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


@pytest.mark.usefixtures("many_draws")
def test_a_limit_that_everything_keeps_changes_nothing_and_one_that_nothing_keeps_forbids() -> None:
    belief, baseline, candidates = case(seed=5)
    other = believed("gaussian-process", baseline, np.random.default_rng(50))
    free = built(Minimize(), belief, baseline, ((other, Within(low=-1e6)),))
    alone = built(Minimize(), belief, baseline).value(candidates)
    assert free.value(candidates)[likely(alone)] == pytest.approx(alone[likely(alone)], abs=0.05)  # other draws
    forbidden = built(Minimize(), belief, baseline, ((other, Within(low=1e6)),)).value(candidates)
    assert (forbidden < -1e6).all()


def test_among_equal_gains_the_likelier_to_keep_the_limit_is_worth_more() -> None:
    belief, baseline, candidates = case(seed=6)
    other, limit = believed("gaussian-process", baseline, np.random.default_rng(60)), Within(high=60)
    value = built(Minimize(), belief, baseline, ((other, limit),))
    without = Acquisition(value.sign, value.objective, (), value.normals, value.best)
    of = other.about(candidates)
    chance = limit.log_probability(of.mean, of.std)
    assert value.value(candidates) - without.value(candidates) == pytest.approx(chance)


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
@pytest.mark.usefixtures("many_draws")
def test_the_gains_of_a_batch_add_up_to_the_gain_of_the_batch(model: str) -> None:
    belief, baseline, candidates = case(model, seed=9)
    value, gains, batch = built(Minimize(), belief, baseline, n_picks=4), [], candidates.rows(np.array([], np.int64))
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


@pytest.mark.usefixtures("many_draws")
def test_leaving_out_measured_alloys_that_cannot_be_the_best_changes_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    belief, baseline, candidates = case(seed=12, n=30)
    assert len(baseline) < MOST_BASELINE
    every = built(Minimize(), belief, baseline).value(candidates)
    monkeypatch.setattr(import_module("alloyloop.design.acquisition"), "MOST_BASELINE", 12)
    some = built(Minimize(), belief, baseline)
    assert len(some.objective.baseline) == 12
    seen = likely(every)
    assert some.value(candidates)[seen] == pytest.approx(every[seen], abs=0.05)


def test_the_same_seed_gives_the_same_values() -> None:
    belief, baseline, candidates = case(seed=13)
    first, again, other = (built(Minimize(), belief, baseline, seed=seed).value(candidates) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("many_draws")
def test_an_alloy_measured_twice_over_is_worth_no_more(model: str) -> None:
    belief, baseline, candidates = case(model, seed=14)
    once = built(Minimize(), belief, baseline).value(candidates)
    twice = built(Minimize(), belief, baseline + baseline).value(candidates)
    assert np.isfinite(twice).all()
    assert twice[likely(once)] == pytest.approx(once[likely(once)], abs=0.05)


def test_the_value_of_an_alloy_does_not_depend_on_its_neighbours_in_the_table() -> None:
    belief, baseline, candidates = case(seed=15)
    value = built(Minimize(), belief, baseline)
    alone = [float(value.value(candidates.rows(np.array([i])))[0]) for i in range(len(candidates))]
    assert value.value(candidates) == pytest.approx(alone, rel=1e-7)
