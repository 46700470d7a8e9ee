from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.calibration import Reliability, calibrated_held_out, coverage, scale_factor
from alloyloop.surrogates.scores import Fold, group_folds, held_out, shuffled_folds

NORMAL = norm.ppf((np.arange(4000) + 0.5) / 4000)  # what honest errors look like


def test_coverage_is_the_share_inside() -> None:
    assert coverage(np.array([0.6, -0.7, 0.0, 5.0]), np.ones(4), level=0.5) == 0.5  # within 0.674 of a std


@pytest.mark.parametrize("level", [0, 1, 90])
def test_an_interval_of_ninety_means_0_9(level: float) -> None:
    with pytest.raises(AlloyloopError, match="between 0 and 1"):
        coverage(np.ones(2), np.ones(2), level)


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize("truth", [0.6, 1.0, 2.0])
def test_many_rows_tell_the_factor(truth: float, level: float) -> None:
    assert scale_factor(truth * NORMAL, np.ones(4000), level) == pytest.approx(truth, rel=0.01)


def test_each_row_is_judged_by_its_own_spread() -> None:
    stds = np.tile([1.0, 100.0], 2000)
    assert scale_factor(2 * NORMAL * stds, stds) == pytest.approx(2, rel=0.01)


def test_the_share_is_held_whatever_the_distribution() -> None:
    """Student's t with three degrees of freedom, which no normal resembles."""
    errors = t(3).ppf((np.arange(4000) + 0.5) / 4000)
    assert coverage(errors, np.full(4000, scale_factor(errors, np.ones(4000)))) == pytest.approx(0.9, abs=0.003)


def test_the_next_row_is_held_though_the_factor_was_found_on_few() -> None:
    """Without drawing towards 1, n rows and the next one are exchangeable: held with the asked probability."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(4000):
        errors = 2 * rng.normal(size=20)
        factor = scale_factor(errors[:19], np.ones(19)) ** ((19 + 9) / 19)  # undo the drawing
        held.append(abs(errors[19]) <= norm.ppf(0.95) * factor)
    assert np.mean(held) == pytest.approx(0.9, abs=0.015)  # three standard errors


def test_the_next_source_is_held_though_its_rows_err_together() -> None:
    """Nineteen sources of ten rows, each with an error of its own, tell how wide an interval holds a twentieth."""
    rng = np.random.default_rng(0)
    sources, held = np.repeat(np.arange(19), 10), []
    for _ in range(4000):
        errors = 2 * rng.normal(size=20)
        factor = scale_factor(errors[sources], np.ones(190), sources=sources) ** ((19 + 9) / 19)  # undo the drawing
        held.append(abs(errors[19]) <= norm.ppf(0.95) * factor)
    assert np.mean(held) == pytest.approx(0.9, abs=0.015)  # three standard errors


@pytest.mark.parametrize(("n", "most"), [(0, 1.0), (1, 1.2), (9, 1.8)])
def test_few_rows_hardly_move_it(n: int, most: float) -> None:
    assert 1 <= scale_factor(np.full(n, 100.0), np.ones(n)) <= most
    assert 1 >= scale_factor(np.full(n, 0.01), np.ones(n)) >= 1 / most


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_it_is_bounded_and_knows_no_sign_and_no_unit(errors: list[float]) -> None:
    found, stds = np.array(errors), np.ones(len(errors))
    factor = scale_factor(found, stds)
    assert 0.5 <= factor <= 3
    assert scale_factor(-1024 * found, 1024 * stds) == factor


@given(st.permutations(range(12)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    errors, sources = np.arange(12.0), np.arange(12) % 5
    assert scale_factor(errors[order], np.ones(12), sources=sources[order]) == scale_factor(
        errors, np.ones(12), sources=sources
    )


def test_rows_of_one_source_say_as_much_as_one_row_would() -> None:
    errors = np.full(900, 2 * norm.ppf(0.95))
    one, alone = scale_factor(errors, np.ones(900), sources=["one paper"] * 900), scale_factor(errors[:1], np.ones(1))
    assert one == pytest.approx(alone)
    assert one == pytest.approx(2 ** (1 / 10))  # one row that says 2, and nine that say 1


def test_sources_of_one_row_each_are_rows() -> None:
    errors = np.linspace(-3, 3, 30)
    assert scale_factor(errors, np.ones(30), sources=list(range(30))) == scale_factor(errors, np.ones(30))


class Overconfident:
    """Knows the mean, and thinks that it errs by a third of what it does."""

    def fit(self, X: Any, y: Any, **stated: Any) -> Overconfident:
        self.spread = np.std(y) / 3
        return self

    def predict(self, X: Any, return_std: bool) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(X)), np.full(len(X), self.spread)


def test_calibrated_beliefs_hold_what_they_say_and_expect_the_same() -> None:
    y = np.random.default_rng(0).normal(size=300)
    X, folds = np.zeros((300, 1)), shuffled_folds(300, 5)
    plain_mean, plain_std = held_out(Overconfident, X, y, folds)
    mean, std = calibrated_held_out(Overconfident, X, y, folds, lambda rows: shuffled_folds(len(rows), 5))
    assert np.array_equal(mean, plain_mean)
    assert coverage(y, plain_std) < 0.5
    assert coverage(y, std) == pytest.approx(0.9, abs=0.05)


def test_a_factor_is_never_found_on_rows_that_it_is_judged_by() -> None:
    """Whatever is measured in a fold, what was believed of that fold stays the same."""
    rng = np.random.default_rng(0)
    X, y, papers = rng.normal(size=(60, 2)), rng.normal(size=60), np.repeat(np.arange(12), 5)
    folds = group_folds(papers, 4)
    seen: list[np.ndarray] = []

    def inner(rows: np.ndarray) -> list[Fold]:
        seen.append(rows)
        return group_folds(papers[rows], 3)

    _, std = calibrated_held_out(Overconfident, X, y, folds, inner, np.full(60, 0.1), sources=papers)
    train, test = folds[0]
    assert np.array_equal(seen[0], train)
    other = y.copy()
    other[test] += 1000
    _, again = calibrated_held_out(Overconfident, X, other, folds, inner, np.full(60, 0.1), sources=papers)
    assert np.array_equal(std[test], again[test])
    assert not np.array_equal(std[train], again[train])


def test_honest_beliefs_lie_on_the_diagonal() -> None:
    curve = Reliability.of(norm.cdf(NORMAL))
    assert curve.levels == pytest.approx(np.arange(0.05, 1, 0.05))
    assert curve.held == pytest.approx(curve.levels, abs=1e-3)
    assert ((curve.low <= curve.held) & (curve.held <= curve.high)).all()


def test_overconfident_beliefs_lie_below_it_and_below_its_band() -> None:
    curve = Reliability.of(norm.cdf(3 * NORMAL), levels=[0.5, 0.9])
    assert curve.held == pytest.approx(2 * norm.cdf(norm.ppf([0.75, 0.95]) / 3) - 1, abs=1e-3)
    assert (curve.held < curve.low).all()


def test_the_band_is_that_of_a_binomial_table() -> None:
    """Of 20 trials at 0.5, 6 to 14 come in 95 of 100: any table of the binomial distribution."""
    curve = Reliability.of(np.linspace(0, 1, 20), levels=[0.5])
    assert (curve.low[0], curve.high[0]) == (0.3, 0.7)


def test_rows_of_a_few_sources_say_less() -> None:
    ranks, sources = np.linspace(0, 1, 200), np.arange(200) % 20
    by_row, by_source = Reliability.of(ranks), Reliability.of(ranks, sources=sources)
    assert np.array_equal(by_row.held, by_source.held)
    assert (by_source.high - by_source.low > by_row.high - by_row.low).all()
    assert (by_source.low[9], by_source.high[9]) == (0.3, 0.7)
