from __future__ import annotations

import pickle
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import kernels

from alloyloop.surrogates import AlloyloopError, GaussianProcess, gaussian_process, inducing
from alloyloop.surrogates import sweep as module
from alloyloop.surrogates.base import HERE
from alloyloop.surrogates.sweep import LEAST_ROWS, Cells, Sweep

pytestmark = pytest.mark.torch

Matern: Any = kernels.Matern  # published without types

KINDS = (
    "one feature",
    "three, one constant",
    "six that sum to 100",
    "few rows",
    "hardly any scatter",
    "hardly any curve",
    "from here and elsewhere",
    "blank cells",
    "inducing points",
)


def drawn(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of features, as the kind of table has them."""
    match kind:
        case "one feature":
            return rng.uniform(0, 50, (n, 1))
        case "three, one constant":
            return np.column_stack([rng.uniform(0, 40, n), rng.uniform(800, 1100, n), np.full(n, 37.0)])
        case _:
            return np.round(100 * rng.dirichlet([12, 3, 2, 1, 1, 1], n))


@lru_cache
def fitted(kind: str, n: int = 60) -> GaussianProcess:
    """A Gaussian process of synthetic measurements."""
    rng = np.random.default_rng(3)
    X = drawn(kind, 4 if kind == "few rows" else n, rng)
    unit = (X - X.min(axis=0)) / np.maximum(np.ptp(X, axis=0), 1)
    scatter, curve = 1e-3 if kind.startswith("hardly") else 2.0, 0.0 if kind == "hardly any curve" else 10.0
    y = 60 - 20 * unit[:, 0] + curve * np.sin(5 * unit).sum(axis=1) + scatter * rng.normal(size=len(X))
    noise = np.where(np.arange(len(X)) % 3, np.nan, scatter)
    source = np.repeat(["a", "b", HERE], (len(X) + 2) // 3)[: len(X)] if kind == "from here and elsewhere" else None
    if kind == "blank cells":
        X[::7, 1] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        if kind == "inducing points":
            patch.setattr(gaussian_process, "MOST_EXACT", n // 2)
            patch.setattr(inducing, "MOST_INDUCING", 8)  # not the farthest row of every feature
        return GaussianProcess(blanks=[1] if kind == "blank cells" else []).fit(X, y, noise=noise, source=source)


def asked(kind: str, n: int = 500) -> np.ndarray:
    """Rows to predict, some of them beyond the training rows."""
    X = drawn(kind, n, np.random.default_rng(4))
    return np.asarray(X.mean(axis=0) + 1.5 * (X - X.mean(axis=0)))


def cells_of(sizes: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_belief_of_the_gaussian_process(kind: str) -> None:
    gp, X = fitted(kind), asked(kind)
    mean, std = Sweep.of(gp).mean_and_std(X)
    belief = gp.believe(X)
    assert mean == pytest.approx(belief.mean, abs=1e-11 * gp.scale_)
    assert std == pytest.approx(belief.std, abs=1e-11 * gp.scale_)
    assert Sweep.of(gp).mean(X) == pytest.approx(mean, abs=1e-12 * gp.scale_)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_posterior_that_botorch_computes(kind: str) -> None:
    gp, X = fitted(kind), asked(kind)
    mean, std = Sweep.of(gp).mean_and_std(X)
    with torch.no_grad():
        posterior = gp.posterior(torch.from_numpy(X[:, None]))  # each row by itself
    assert mean == pytest.approx(posterior.mean.flatten().numpy(), rel=1e-6)
    assert std == pytest.approx(posterior.variance.sqrt().flatten().numpy(), rel=1e-4)


@pytest.mark.parametrize(("kind", "share"), [("six that sum to 100", 5e-4), ("hardly any scatter", 3e-3)])
def test_single_precision_is_as_near_as_it_says(kind: str, share: float) -> None:
    gp, X = fitted(kind, 300), asked(kind)
    belief = gp.believe(X)
    mean, std = Sweep.of(gp, dtype="float32").mean_and_std(X)
    assert mean == pytest.approx(belief.mean, abs=share * gp.scale_)
    assert std == pytest.approx(belief.std, abs=share * gp.scale_)
    assert np.abs(mean - belief.mean).max() > 1e-9 * gp.scale_, "this was double precision"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_torch_computes_the_same(kind: str, dtype: module.Precision, monkeypatch: pytest.MonkeyPatch) -> None:
    gp, X = fitted(kind), asked(kind)
    monkeypatch.setattr(module, "BLOCK_IN_TORCH", 2**16)  # several blocks
    share = 1e-11 if dtype == "float64" else 1e-3
    there = Sweep.of(gp, dtype=dtype, device="cpu:0")  # torch's name of the processor
    mean, std = Sweep.of(gp).mean_and_std(X)
    for found, expected in ((there.mean(X), mean), *zip(there.mean_and_std(X), (mean, std), strict=True)):
        assert found == pytest.approx(expected, abs=share * gp.scale_)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_alone_is_predicted_as_among_others(kind: str) -> None:
    gp, X = fitted(kind), asked(kind)
    sweep = Sweep.of(gp)
    together = np.array(sweep.mean_and_std(X))
    alone = np.array([sweep.mean_and_std(row[None]) for row in X[:50]])[:, :, 0].T
    assert alone == pytest.approx(together[:, :50], abs=1e-12 * gp.scale_)
    assert sweep.mean_and_std(X[::-3])[0] == pytest.approx(together[0, ::-3], abs=1e-12 * gp.scale_)


def test_blocks_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    gp, X = fitted("six that sum to 100"), asked("six that sum to 100")
    whole, cells = Sweep.of(gp).mean_and_std(X), cells_of([5] * 100)
    bounds = Sweep.of(gp).bounds(X, cells)
    monkeypatch.setattr(module, "BLOCK", 7 * 60 * 8)
    assert np.array(Sweep.of(gp).mean_and_std(X)) == pytest.approx(np.array(whole))
    assert Sweep.of(gp).bounds(X, cells).mean_low == pytest.approx(bounds.mean_low)
    assert Sweep.of(gp).bounds(X, cells).std_high == pytest.approx(bounds.std_high)


def test_no_rows_are_an_answer_too() -> None:
    sweep, none = Sweep.of(fitted("one feature")), np.empty((0, 1))
    cells = sweep.cells(none)
    assert sweep.mean_and_std(none)[1].shape == cells.order.shape == (0,)
    assert sweep.bounds(none, cells.starts).std_high.shape == (0,)


def test_another_process_predicts_without_torch_and_scikit_learn(tmp_path: Path) -> None:
    gp, X = fitted("six that sum to 100"), asked("six that sum to 100")
    sweep = Sweep.of(gp)
    (tmp_path / "asked").write_bytes(pickle.dumps((sweep, X)))
    code = """
import pickle, sys
from pathlib import Path
sweep, X = pickle.loads(Path("asked").read_bytes())
cells = sweep.cells(X)
answer = sweep.mean_and_std(X), sweep.bounds(X[cells.order], cells.starts).std_high
Path("answer").write_bytes(pickle.dumps((answer, {"torch", "sklearn"} & set(sys.modules))))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    ((mean, std), std_high), heavy = pickle.loads((tmp_path / "answer").read_bytes())
    cells = sweep.cells(X)
    assert heavy == set()
    assert np.array([mean, std]) == pytest.approx(np.array(sweep.mean_and_std(X)), abs=1e-12 * gp.scale_)
    assert std_high == pytest.approx(sweep.bounds(X[cells.order], cells.starts).std_high)


def within_cells(sweep: Sweep, X: np.ndarray, starts: np.ndarray) -> bool:
    """Whether no row's mean or standard deviation, computed one by one or all together, passes its cell's bounds."""
    bounds, n = sweep.bounds(X, starts), np.diff(starts)
    low, high, std_high = (np.repeat(each, n) for each in (bounds.mean_low, bounds.mean_high, bounds.std_high))
    return all(
        (low <= mean).all() and (mean <= high).all() and (std <= std_high).all()
        for mean, std in (sweep.mean_and_std(X), np.array([sweep.mean_and_std(row[None]) for row in X])[:, :, 0].T)
    )


@given(
    kind=st.sampled_from(KINDS),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    spread=st.floats(-9, 0.5),
    reach=st.floats(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_row_of_a_cell_passes_its_bounds(
    kind: str, sizes: list[int], spread: float, reach: float, seed: int
) -> None:
    """Whoever made the cells: about any centre, within the training rows or beyond, of 1e-9 to 3 ranges."""
    gp, rng = fitted(kind), np.random.default_rng(seed)
    table = drawn(kind, 100, np.random.default_rng(3))
    ranges = np.maximum(np.ptp(table, axis=0), 1)
    centres = table.mean(axis=0) + reach * (table[rng.integers(100, size=len(sizes))] - table.mean(axis=0))
    shape = (sum(sizes), len(ranges))
    X = np.repeat(centres, sizes, axis=0) + 10**spread * ranges * rng.uniform(-0.5, 0.5, shape)
    assert within_cells(Sweep.of(gp), X, cells_of(sizes))


@pytest.mark.parametrize("kind", KINDS)
def test_no_training_row_passes_the_bounds_of_a_cell_about_it(kind: str) -> None:
    gp = fitted(kind)
    X = np.repeat(gp._train_rows(), 2, axis=0)
    X[1::2] += 1e-3 * gp.lengthscales_
    assert within_cells(Sweep.of(gp), X, np.arange(0, len(X) + 1, 2))


def test_a_slope_that_no_training_row_tells_is_in_the_bounds() -> None:
    """Of training rows on one line, across which the trend is as unknown beside a well-known row as it ever was."""
    X = np.repeat([[0.0, 0.0], [25.0, 25.0], [50.0, 50.0]], 40, axis=0)
    sweep = Sweep.of(GaussianProcess().fit(X, X[:, 0] + np.random.default_rng(0).normal(0, 1e-3, len(X))))
    across = np.array([[25.0, 25.0], [27.0, 23.0], [23.0, 27.0]])
    _, std = sweep.mean_and_std(across)
    assert std[1] > 5 * std[0]
    assert within_cells(sweep, across, np.array([0, 3]))
    assert sweep.bounds(across, [0, 3]).std_high[0] < std[1] + 2 * std[0]


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_of_rows_of_the_same_place_are_their_prediction(kind: str) -> None:
    gp, X = fitted(kind), asked(kind, 50)
    sweep = Sweep.of(gp)
    mean, std = sweep.mean_and_std(X)
    bounds = sweep.bounds(np.repeat(X, 3, axis=0), np.arange(0, 151, 3))
    for low_or_high in (bounds.mean_low, bounds.mean_high):
        assert low_or_high == pytest.approx(mean, abs=1e-6 * gp.scale_)
    assert bounds.std_high == pytest.approx(std, abs=1e-5 * gp.scale_)


def test_bounds_of_half_the_cell_are_four_times_as_near_to_the_mean() -> None:
    """Inside the training rows the mean is followed to first order, and the standard deviation to none."""
    gp = fitted("six that sum to 100")
    sweep, edge = Sweep.of(gp), 0.01 * gp.lengthscales_ * np.array([1, -1, 1, -1, 1, -1])
    at = gp._train_rows().mean(axis=0)

    def slack(half: float) -> tuple[float, float]:
        X = at + half * edge * np.linspace(-1, 1, 9)[:, None]
        bounds, (mean, std) = sweep.bounds(X, [0, 9]), sweep.mean_and_std(X)
        return bounds.mean_high[0] - mean.max(), bounds.std_high[0] - std.max()

    (mean, std), (mean_of_half, std_of_half) = slack(1.0), slack(0.5)
    assert mean / mean_of_half == pytest.approx(4, rel=0.1)
    assert std / std_of_half == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_cell_as_wide_as_the_table_nothing_is_known_but_the_prior(kind: str) -> None:
    gp = fitted(kind)
    far = gp._train_rows().mean(axis=0) + 1e4 * gp.lengthscales_ * np.array([[1.0], [-1.0]])
    inside = np.clip((far - gp._origin) / gp._range, gp._lowest, gp._highest)
    found = gp.hyperparameters_
    prior = np.sqrt(found.amplitude + found.slope * (inside**2).sum(axis=1).max())
    expected = gp.scale_ * (prior + np.sqrt(gp._here_variance))
    assert Sweep.of(gp).bounds(far, [0, 2]).std_high[0] == pytest.approx(expected)


R = np.array([1e-3, 0.01, 0.1, 0.5, 1.0, 3.0])  # distances in lengthscales


def squared_norms(points: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """‖Σ c_i k(·, x_i)‖² for each row of points and coefficients, by scikit-learn's Matérn kernel."""
    kernel = Matern(1.0, nu=2.5)
    return np.array(
        [c @ kernel(x[:, None]) @ c for x, c in zip(points, np.broadcast_to(coefficients, points.shape), strict=True)]
    )


def test_the_distance_of_two_rows_is_that_of_their_kernels() -> None:
    expected = squared_norms(np.column_stack([R, 0 * R]), np.array([1.0, -1.0]))
    assert module._squared_distance(np.sqrt(5) * R) == pytest.approx(expected, rel=1e-6, abs=1e-14)


def test_the_remainder_is_the_norm_of_what_a_gradient_leaves() -> None:
    """The gradient as a central difference, 1e-3 lengthscales wide."""
    r, h = R[2:], 1e-3
    points = np.column_stack([r, 0 * r, np.full(len(r), h), np.full(len(r), -h)])
    coefficients = np.column_stack([np.ones(len(r)), -np.ones(len(r)), -r / (2 * h), r / (2 * h)])
    expected = np.sqrt(squared_norms(points, coefficients))
    assert module._taylor_remainder(np.sqrt(5) * r) == pytest.approx(expected, rel=1e-3)


def test_close_by_the_remainder_is_five_halves_of_the_squared_distance() -> None:
    """Taylor's theorem with κ''''(0) = 25, from the series 1 - 5r²/6 + 25r⁴/24 of the kernel."""
    close = np.array([1e-8, 1e-5, 1e-3])
    assert module._taylor_remainder(np.sqrt(5) * close) == pytest.approx(2.5 * close**2, rel=2e-2)
    assert (module._taylor_remainder(np.sqrt(5) * R) <= 2.5 * R**2).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_norm_is_that_of_the_mean_less_its_trend(kind: str) -> None:
    gp = fitted(kind)
    kernel = gp.hyperparameters_.amplitude * Matern(gp.lengthscales_, nu=2.5)(gp._train_rows())
    assert Sweep.of(gp).norm == pytest.approx(np.sqrt(gp._weights @ kernel @ gp._weights), rel=1e-6)


def check_partition(cells: Cells, n: int) -> None:
    assert np.sort(cells.order).tolist() == list(range(n))
    assert (cells.starts[0], cells.starts[-1]) == (0, n)
    assert (np.diff(cells.starts) > 0).all()


@given(
    kind=st.sampled_from(KINDS),
    n=st.integers(1, 400),
    stretch=st.sampled_from([0.0, 1e-6, 1.0, 1e6]),
    n_places=st.integers(1, 400),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_row_is_in_one_cell(kind: str, n: int, stretch: float, n_places: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = stretch * drawn(kind, n_places, rng)[rng.integers(n_places, size=n)]
    cells = Sweep.of(fitted(kind)).cells(X)
    check_partition(cells, n)
    assert (len(cells.starts) - 1) * LEAST_ROWS <= max(n, LEAST_ROWS)


@pytest.mark.parametrize("kind", ["one feature", "three, one constant", "six that sum to 100"])
def test_rows_of_a_cell_are_near_in_lengthscales(kind: str) -> None:
    gp, X = fitted(kind), np.repeat(drawn(kind, 300, np.random.default_rng(5)), LEAST_ROWS, axis=0)
    cells = Sweep.of(gp).cells(X, size=0.3)
    for place in np.split(X[cells.order] / gp.lengthscales_, cells.starts[1:-1]):
        assert np.linalg.norm(place - place[0], axis=1).max() <= 0.3 * np.sqrt(X.shape[1])


def test_features_that_follow_from_others_make_no_more_cells() -> None:
    gp, along = fitted("one feature"), np.linspace(0, 50, 2000)[:, None]
    rows = gp._train_rows() * [1.0, -0.7]
    both = GaussianProcess().fit(rows, 60 - rows[:, 0])
    length = np.hypot(*(50 * np.array([1.0, 0.7]) / both.lengthscales_))  # of the line that the rows lie on
    n_cells = len(Sweep.of(both).cells(along * [1.0, -0.7]).starts) - 1
    assert length / module.CELL_SIZE <= n_cells <= length / module.CELL_SIZE + 1


def test_rows_too_far_apart_to_number_their_boxes_still_make_cells() -> None:
    X = np.random.default_rng(0).uniform(-1e12, 1e12, (200, 6))
    check_partition(Sweep.of(fitted("six that sum to 100")).cells(X), 200)


@pytest.mark.parametrize("rows", [np.zeros((4, 2)), np.zeros(6)])
def test_rows_of_other_features_are_refused(rows: np.ndarray) -> None:
    with pytest.raises(AlloyloopError, match=r"rows of shape .* do not give each of 6 features"):
        Sweep.of(fitted("six that sum to 100")).mean(rows)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_feature_that_is_no_number_is_refused(value: float) -> None:
    sweep = Sweep.of(fitted("one feature"))
    for ask in (sweep.mean, sweep.mean_and_std, sweep.cells):
        with pytest.raises(AlloyloopError, match="missing or infinite"):
            ask([[20.0], [value]])


def test_what_was_not_fitted_cannot_be_swept() -> None:
    with pytest.raises(NotFittedError):
        Sweep.of(GaussianProcess())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(AlloyloopError, match="no GPU"):
        Sweep.of(fitted("one feature"), device="cuda").mean([[1.0]])
