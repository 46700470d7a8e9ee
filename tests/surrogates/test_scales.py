"""Scales are functions; the oracles are SciPy's distributions and its adaptive quadrature."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import lognorm, multivariate_normal, norm

from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.scales import LINEAR, LOG, Log, Logit, Normal, Scale, likely_scales

PERCENT = Logit(0, 100, margin=1e-4)
every_scale = pytest.mark.parametrize("scale", [LINEAR, LOG, PERCENT], ids=lambda scale: scale.name)
inside = st.floats(0.5, 99.5)  # values that every scale takes
stds = st.floats(0, 2)


@every_scale
@given(y=inside)
def test_there_and_back_is_the_same_value(scale: Scale, y: float) -> None:
    assert scale.backward(scale.forward(y)) == pytest.approx(y)


@every_scale
@given(y=inside)
def test_slope_is_the_derivative(scale: Scale, y: float) -> None:
    step = 1e-5
    rise = scale.forward(y + step) - scale.forward(y - step)
    assert scale.slope(y) == pytest.approx(rise / (2 * step), rel=1e-4)


@every_scale
def test_a_missing_value_stays_missing(scale: Scale) -> None:
    assert np.isnan(scale.forward([np.nan, 3.0])).tolist() == [True, False]


@every_scale
def test_scales_are_values(scale: Scale) -> None:
    for twin in (copy.deepcopy(scale), pickle.loads(pickle.dumps(scale))):
        assert twin == scale
        assert hash(twin) == hash(scale)
    assert Logit(0, 1) != Logit(0, 100)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_what_has_no_logarithm_is_refused_by_name(value: float) -> None:
    with pytest.raises(AlloyloopError, match=f"value of {value:g} has no logarithm"):
        LOG.forward([2.0, value])


@pytest.mark.parametrize(
    ("low", "high", "margin"), [(1, 1, 0.1), (2, 1, 0.1), (0, np.inf, 0.1), (0, 1, 0), (0, 1, 0.5)]
)
def test_a_logit_needs_two_bounds_and_room_between(low: float, high: float, margin: float) -> None:
    with pytest.raises(AlloyloopError, match="two finite bounds"):
        Logit(low, high, margin)


def test_a_logit_is_the_logarithm_of_odds() -> None:
    shares = np.array([0.2, 0.5, 0.99])
    assert Logit(0, 1, 1e-4).forward(shares) == pytest.approx(logit(shares))  # SciPy's
    assert Logit(0, 1).backward([-800.0, 800.0]) == pytest.approx([0, 1])


def test_a_value_at_or_beyond_a_bound_is_drawn_in_by_the_margin() -> None:
    scale = Logit(0, 100, margin=0.001)
    assert scale.backward(scale.forward([100.0, 100.3, 99.95, 0.0, -1.0])) == pytest.approx(
        [99.9, 99.9, 99.9, 0.1, 0.1]
    )
    assert np.isfinite(scale.slope([0.0, 100.0])).all()


def test_the_margin_is_half_the_smallest_distance_that_was_told_from_the_bound() -> None:
    assert Logit.of([91.0, 99.8, 100.0], 0, 100).margin == pytest.approx(0.001)
    assert Logit.of([40.0, 60.0], 0, 100).margin == 0.005  # nothing was near; no more than half a per cent
    assert Logit.of([0.0, 100.0], 0, 100).margin == 0.005


normal = st.tuples(st.floats(-2, 2), stds)


@given(normal)
def test_moments_of_a_logarithm_are_those_of_the_log_normal_distribution(belief: tuple[float, float]) -> None:
    centre, std = belief
    mean, spread = LOG.moments(np.array([centre]), np.array([std]))
    theirs = lognorm(max(std, 1e-300), scale=np.exp(centre))
    assert mean[0] == pytest.approx(theirs.mean())
    assert spread[0] == pytest.approx(theirs.std() if std > 1e-3 else std * np.exp(centre), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(("centre", "std"), [(0.0, 0.1), (3.0, 1.0), (-5.0, 2.0), (2.0, 3.0)])
def test_moments_of_a_logit_are_right_to_1e_5_of_the_range(centre: float, std: float) -> None:
    def expectation(power: int, about: float) -> float:
        return float(quad(lambda x: (expit(centre + std * x) - about) ** power * norm.pdf(x), -10, 10, limit=500)[0])

    mean, spread = Logit(0, 1).moments(np.array([centre]), np.array([std]))
    assert mean[0] == pytest.approx(expectation(1, 0.0), abs=1e-5)
    assert spread[0] == pytest.approx(np.sqrt(expectation(2, mean[0])), abs=1e-5)


@every_scale
@given(belief=normal, noise=stds)
def test_what_is_unknown_and_the_noise_make_up_the_variance_of_a_measurement(
    scale: Scale, belief: tuple[float, float], noise: float
) -> None:
    centre, std = (np.array([part]) for part in belief)
    mean, known, scatter = scale.belief(centre, std, np.array([noise]))
    total_mean, total = scale.moments(centre, np.hypot(std, noise))
    assert mean == pytest.approx(total_mean)
    assert np.hypot(known, scatter) == pytest.approx(total)


@every_scale
@pytest.mark.parametrize(("std", "noise"), [(0.0, 0.5), (0.5, 0.0), (0.0, 0.0)])
def test_what_does_not_vary_on_the_scale_does_not_vary(scale: Scale, std: float, noise: float) -> None:
    _, known, scatter = scale.belief(np.array([1.0]), np.array([std]), np.array([noise]))
    assert (known[0] > 1e-9, scatter[0] > 1e-9) == (std > 0, noise > 0)


@every_scale
def test_covariance_is_that_of_draws(scale: Scale) -> None:
    shared = np.array([[0.5, 0.3, -0.2], [0.3, 0.4, 0.0], [-0.2, 0.0, 0.3]])
    noise, centre = np.array([0.3, 0.0, 0.2]), np.array([0.0, 1.0, 2.0])
    total = np.sqrt(np.diag(shared) + noise**2)
    draws = multivariate_normal(centre, shared, seed=0).rvs(200_000)
    # What measurements of one alloy average to: with independent scatter, they vary together as their averages do.
    one, other = (scale.backward(draws + np.random.default_rng(seed).normal(0, noise, draws.shape)) for seed in (1, 2))
    sampled = np.cov(one.T, other.T)[:3, 3:]
    ours = scale.covariance((centre, total), (centre, total), shared)
    assert ours == pytest.approx(sampled, abs=0.03 * np.abs(ours).max())


@every_scale
def test_covariance_holds_the_variances_and_a_known_value_shares_nothing(scale: Scale) -> None:
    centre, std, noise = np.array([0.5, 1.0]), np.array([0.7, 0.0]), np.array([0.2, 0.0])
    shared = np.diag(std**2)
    measured = (centre, np.hypot(std, noise))
    ours = scale.covariance(measured, measured, shared)
    assert np.sqrt(np.diag(ours)) == pytest.approx(scale.belief(centre, std, noise)[1])
    assert ours[0, 1] == ours[1, 1] == 0


@every_scale
def test_a_belief_wider_than_all_numbers_stays_finite(scale: Scale) -> None:
    parts = scale.belief(np.array([0.0, 300.0]), np.array([100.0, 1.0]), np.array([100.0, 1.0]))
    assert np.isfinite(parts).all()


def test_a_million_beliefs_are_taken_in_blocks() -> None:
    centre = np.linspace(-3, 3, 10_000)
    mean = PERCENT.moments(centre, np.ones(10_000))[0]
    assert mean[5000:5003] == pytest.approx(PERCENT.moments(centre[5000:5003], np.ones(3))[0], rel=1e-12)


@every_scale
@given(belief=st.tuples(st.floats(-2, 3), st.floats(0.1, 2)), level=st.floats(0.05, 0.95))
def test_an_interval_holds_its_share(scale: Scale, belief: tuple[float, float], level: float) -> None:
    said = Normal(scale, *(np.array([part]) for part in belief))
    low, high = said.interval(level)
    assert np.exp(said.log_probability(low, high)) == pytest.approx(level, rel=1e-6)


@every_scale
def test_everything_lies_between_no_limits(scale: Scale) -> None:
    said = Normal(scale, np.array([0.3]), np.array([1.0]))
    assert said.log_probability(-np.inf, np.inf) == pytest.approx(0)
    assert said.log_probability(-np.inf, 1.0) == pytest.approx(said.log_probability(-np.inf, np.array([1.0])))


def test_probabilities_are_exact_far_in_the_tails() -> None:
    said = Normal(LINEAR, np.array([0.0]), np.array([1.0]))
    assert said.log_probability(30, np.inf) == pytest.approx(norm.logsf(30))
    assert said.log_probability(-np.inf, -30) == pytest.approx(norm.logcdf(-30))
    assert said.log_probability(30, 31) == pytest.approx(
        norm.logsf(30) + np.log1p(-np.exp(norm.logsf(31) - norm.logsf(30)))
    )


def test_a_positive_property_is_surely_above_zero_and_a_percentage_below_a_hundred() -> None:
    rate, density = (Normal(scale, np.array([0.0]), np.array([5.0])) for scale in (LOG, PERCENT))
    assert rate.log_probability(0, np.inf) == density.log_probability(0, 100) == 0
    assert rate.log_probability(-np.inf, 0) == density.log_probability(101, np.inf) == -np.inf
    assert density.log_probability(-np.inf, -1) == -np.inf
    assert np.isfinite(density.log_probability(100, np.inf))  # as good as at the bound, by the margin


@pytest.mark.parametrize(
    ("low", "high", "sure"), [(1, 3, True), (2, 3, True), (1, 2, True), (3, 4, False), (0, 1, False)]
)
def test_a_known_value_is_inside_or_not(low: float, high: float, sure: bool) -> None:
    said = Normal(LINEAR, np.array([2.0]), np.array([0.0]))
    assert np.exp(said.log_probability(low, high)) == float(sure)


@every_scale
def test_densities_of_different_scales_are_comparable(scale: Scale) -> None:
    """In the property's own unit each sums to one."""
    said = Normal(scale, np.array([0.4]), np.array([0.5]))
    low, high = (float(end[0]) for end in said.interval(1 - 1e-9))
    assert quad(lambda y: float(np.exp(said.log_density(y)[0])), low, high, limit=200)[0] == pytest.approx(1, abs=1e-6)


def test_density_of_a_logarithm_is_scipys() -> None:
    said = Normal(LOG, np.log([2.0]), np.array([0.7]))
    assert said.log_density([3.0]) == pytest.approx(lognorm(0.7, scale=2.0).logpdf(3.0))
    assert said.residuals([3.0]) == pytest.approx(np.log(1.5) / 0.7)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "bounded", "names"),
    [
        pytest.param(RNG.normal(60, 12, 200), None, ["linear"], id="a modulus"),
        pytest.param(np.exp(RNG.normal(0, 1, 200)), None, ["linear", "log"], id="a corrosion rate"),
        pytest.param(10 ** RNG.uniform(-3, 3, 200), None, ["linear", "log"], id="decades, evenly"),
        pytest.param(RNG.normal(0, 1, 200), None, ["linear"], id="a potential, of both signs"),
        pytest.param(-np.exp(RNG.normal(0, 1, 200)), None, ["linear"], id="skewed, but negative"),
        pytest.param(100 - np.exp(RNG.normal(0, 1, 200)), (0, 100), ["linear", "logit"], id="a density near 100 %"),
        pytest.param(RNG.normal(50, 8, 200), (0, 100), ["linear"], id="a percentage far from both bounds"),
        pytest.param(np.append(np.full(50, 99.0), 101.0), (0, 100), ["linear"], id="no percentage, beyond a bound"),
        pytest.param(np.full(5, 100.0), (0, 100), ["linear"], id="all the same"),
        pytest.param(np.array([]), (0, 100), ["linear"], id="nothing"),
    ],
)
def test_scales_are_offered_by_the_shape_of_the_values(
    values: np.ndarray, bounded: tuple[float, float] | None, names: list[str]
) -> None:
    assert [scale.name for scale in likely_scales(values, bounded)] == names


def test_there_is_one_logarithm() -> None:
    assert Log() == LOG
