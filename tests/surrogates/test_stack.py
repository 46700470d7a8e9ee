"""Unlike families weighed by rows left out. That a stack keeps what every surrogate promises the common suite tests."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from alloyloop.surrogates import AlloyloopError, GaussianProcess, surrogate
from alloyloop.surrogates.blend import mixture
from alloyloop.surrogates.stack import LEAST_SHARE, PRIOR_GROUPS, Stack, likeliest_shares

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X, NEW = RNG.random((30, 3)), RNG.random((8, 3))
Y = 60 + 30 * X[:, 0] - 20 * X[:, 1] + RNG.normal(0, 1, 30)
SOURCES = np.repeat([f"paper {i}" for i in range(6)], 5)
QUICK = ("ridge", "nearest-neighbours")


@pytest.mark.parametrize(("other", "correlation"), [(1.0, 0.0), (2.0, 0.0), (1.5, 0.5), (1.2, -0.6)])
def test_shares_are_the_variance_minimising_ones_where_there_are_many_rows(other: float, correlation: float) -> None:
    """Bates and Granger, Oper. Res. Q. 20 (1969) 451, eq. 1, with the first error of unit variance."""
    n = 20_000
    shared = correlation * other
    errors = np.random.default_rng(1).multivariate_normal([0, 0], [[1, shared], [shared, other**2]], n)
    first = (other**2 - shared) / (1 + other**2 - 2 * shared)
    assert likeliest_shares(errors, np.arange(n))[0] == pytest.approx(first, abs=0.02)


@pytest.mark.parametrize("n_groups", [40, 8])
def test_shares_make_the_pooled_errors_likeliest_under_their_prior(n_groups: int) -> None:
    """The same by a general optimiser: a normal of fitted variance seen once for each group, a Dirichlet prior."""
    errors = np.random.default_rng(4).normal(0, [1.0, 1.3, 2.0], (40, 3))

    def loss(shares: np.ndarray) -> float:
        pooled = np.mean((errors @ shares) ** 2)
        return float(n_groups / 2 * np.log(pooled) - PRIOR_GROUPS / 3 * np.log(shares).sum())

    whole = LinearConstraint(np.ones((1, 3)), 1, 1)
    best = minimize(loss, np.full(3, 1 / 3), method="SLSQP", bounds=[(1e-6, 1)] * 3, constraints=whole, tol=1e-10).x
    assert best.min() > LEAST_SHARE
    assert likeliest_shares(errors, np.arange(40) % n_groups) == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("other", [1.5, 3.0])
def test_with_fewer_sources_shares_are_nearer_to_equal_ones(other: float) -> None:
    errors = np.random.default_rng(2).normal(0, [1, other], (120, 2))
    first = [likeliest_shares(errors, np.arange(120) % n_sources)[0] for n_sources in (120, 20, 5, 1)]
    assert all(more > fewer + 0.01 for more, fewer in pairwise(first))
    assert first[-1] > 0.5


@given(st.integers(1, 5), st.integers(3, 30), st.floats(1e-6, 1e6), st.integers(0, 2**32 - 1))
def test_shares_add_up_to_one_and_none_is_of_no_use(k: int, n: int, unit: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.normal(0, rng.lognormal(0, 2, k), (n, k))
    shares = likeliest_shares(unit * errors, np.arange(n))
    assert shares.sum() == pytest.approx(1)
    assert ((shares == 0) | (shares >= LEAST_SHARE)).all()
    assert shares == pytest.approx(likeliest_shares(errors, np.arange(n)), abs=1e-3), "whatever the unit"


def test_members_that_err_alike_share_alike() -> None:
    errors = np.random.default_rng(3).normal(0, 1, (40, 1)).repeat(3, axis=1)
    assert likeliest_shares(errors, np.arange(40)) == pytest.approx(np.full(3, 1 / 3))


def test_members_that_never_err_share_alike() -> None:
    assert likeliest_shares(np.zeros((9, 2)), np.arange(9)) == pytest.approx(np.full(2, 0.5))


def test_a_member_that_never_errs_is_taken_alone() -> None:
    errors = np.random.default_rng(5).normal(0, [0.0, 1.0, 100.0], (60, 3))
    assert likeliest_shares(errors, np.arange(60)).tolist() == [1, 0, 0]


def test_the_member_whose_kind_of_function_it_is_counts_most() -> None:
    weights = Stack(members=QUICK).fit(X, Y).weights_
    assert next(iter(weights)) == "ridge"
    assert weights["ridge"] > 0.8


def test_members_are_weighed_by_what_they_said_of_sources_left_out() -> None:
    alone: list[Any] = [surrogate(name).fit(X, Y, source=SOURCES) for name in QUICK]
    errors = np.stack([Y - one.held_out_.mean for one in alone], axis=1)
    expected = dict(zip(QUICK, likeliest_shares(errors, SOURCES).tolist(), strict=True))
    weights = Stack(members=QUICK).fit(X, Y, source=SOURCES).weights_
    assert weights == pytest.approx(expected, abs=1e-3)


def test_the_belief_is_the_mixture_of_what_its_members_believe() -> None:
    model = Stack(members=(*QUICK, "gaussian-process")).fit(X, Y)
    alone = [surrogate(name).fit(X, Y).believe(NEW) for name in model.weights_]
    expected, found = mixture(alone, list(model.weights_.values())), model.believe(NEW)
    assert found.mean == pytest.approx(expected.mean)
    assert found.std == pytest.approx(expected.std)
    assert found.noise == pytest.approx(expected.noise)


def test_members_are_told_what_is_usual_and_how_long_they_may_take() -> None:
    (ridge,) = Stack(members=("ridge",), noise_prior=3.0, tune_seconds=0.0, n_repeats=1, seed=5).fit(X, Y).members_
    assert (ridge.noise_prior, ridge.tune_seconds, ridge.n_repeats, ridge.seed) == (3.0, 0.0, 1, 5)


@pytest.mark.parametrize("name", ["gaussian-process", "ridge"])
def test_what_is_held_out_of_a_source_is_not_learned_from_it(name: str) -> None:
    """Whether the member leaves rows out itself or is fitted anew; a shift of one source would show."""
    shifted = Y + np.where(SOURCES == "paper 2", 1000.0, 0.0)
    told, retold = (Stack(members=(name,)).fit(X, y, source=SOURCES).held_out_ for y in (Y, shifted))
    assert told is not None
    assert retold is not None
    own = SOURCES == "paper 2"
    if name == "gaussian-process":  # ridge chooses one strength by all rows left out, and so a little by these
        assert retold.mean[own] == pytest.approx(told.mean[own])
    assert np.abs(retold.mean[own] - told.mean[own]).max() < 50
    assert np.abs(retold.mean[~own] - told.mean[~own]).max() > 50


def test_held_out_rows_are_those_that_hold_a_value_in_their_order() -> None:
    censored = np.zeros(30, dtype=int)
    censored[[3, 17]] = -1
    model = Stack(members=("gaussian-process", "ridge")).fit(X, Y, censored=censored)
    assert model.held_out_ is not None
    assert len(model.held_out_) == 28
    errors = Y[censored == 0] - model.held_out_.mean
    assert np.sqrt(np.mean(errors**2)) < 0.3 * np.std(Y)


def test_bounds_are_learned_by_the_members_that_can() -> None:
    censored = np.where(np.quantile(Y, 0.7) < Y, 1, 0)
    stack, alone = (m.fit(X, Y, censored=censored) for m in (Stack(members=("gaussian-process",)), GaussianProcess()))
    assert stack.predict(NEW) == pytest.approx(alone.predict(NEW))
    assert stack.predict(NEW) != pytest.approx(GaussianProcess().fit(X[censored == 0], Y[censored == 0]).predict(NEW))


@pytest.mark.parametrize("n", [1, 2])
def test_of_a_row_or_two_nothing_is_left_out_and_shares_are_equal(n: int) -> None:
    model = Stack(members=QUICK).fit(X[:n], Y[:n])
    assert model.weights_ == dict.fromkeys(QUICK, 0.5)
    assert model.held_out_ is None


@pytest.mark.parametrize("members", [(), ("ridge", "ridge")])
def test_members_are_named_once_each(members: tuple[str, ...]) -> None:
    with pytest.raises(AlloyloopError, match="a stack cannot be made of"):
        Stack(members=members).fit(X, Y)


def test_a_member_that_does_not_exist_is_refused_with_the_names_that_do() -> None:
    with pytest.raises(AlloyloopError, match="there is no model named 'magic'"):
        Stack(members=("ridge", "magic")).fit(X, Y)


def test_bounds_alone_teach_it_nothing() -> None:
    with pytest.raises(AlloyloopError, match="all values are bounds"):
        Stack(members=("gaussian-process",)).fit(X, Y, censored=np.ones(30, dtype=int))
