"""A fitted Gaussian process asked of very many rows: means, standard deviations, and bounds over whole cells of rows.

A `Sweep` is a handful of arrays and needs neither torch nor scikit-learn, so that the workers of a cluster take it in
at once. What a search costs is the number of rows that it looks at, and bounds spare it most of them: a cell of near
rows whose bounds already fall short is left out whole, and the answer stays exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import dgemm, get_blas_funcs

from .base import FloatArray
from .errors import AlloyloopError

if TYPE_CHECKING:
    from .hyperparameters import Hyperparameters

IndexArray: TypeAlias = NDArray[np.intp]
Precision: TypeAlias = Literal["float64", "float32"]

# Bytes of kernel values worked on at a time: a few such blocks stay in a core's share of the cache, or in a GPU.
BLOCK = 2**20
BLOCK_IN_TORCH = 2**27

CELL_SIZE = 0.13  # edge of a cell, in lengthscales: larger ones are fewer and bound less well
LEAST_ROWS = 8  # in a cell on average: bounding a cell costs more than predicting a row
MOST_BOXES = 2**31 - 1  # what a 32-bit integer can number

# How far a computed variance may be from the exact one, for unit spread: rounding, times the condition of the training
# rows' covariance, which the least scatter that a fit may find keeps below some 1e6.
VARIANCE_MARGIN = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows grouped with their neighbours.

    Parameters
    ----------
    order : (n,) indices of the rows, cell after cell; `np.take(X, order, axis=0)` is several times as fast as X[order]
    starts : (n_cells + 1,) where in `order` each cell begins; the last is n
    """

    order: IndexArray
    starts: IndexArray


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What no row of a cell passes, in the property's unit.

    Parameters
    ----------
    mean_low, mean_high : (n_cells,) below and above the mean of every row
    std_high : (n_cells,) above the standard deviation of the property itself at every row
    """

    mean_low: FloatArray
    mean_high: FloatArray
    std_high: FloatArray


class Process(Protocol):
    """What a sweep takes from a fitted `GaussianProcess`."""

    hyperparameters_: Hyperparameters
    scale_: float
    lengthscales_: FloatArray
    _centre: float
    _origin: FloatArray
    _U: FloatArray
    _lowest: FloatArray
    _highest: FloatArray
    _weights: FloatArray
    _of_here: FloatArray
    _here_variance: float
    _root: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The posterior of a fitted `GaussianProcess`, made to be asked of millions of rows.

    It is the belief of `GaussianProcess.believe`, rearranged: the inverse of the Cholesky factor is kept, so that a
    block of rows costs one triangular product, and blocks are sized to the cache and worked on in place. A row's answer
    does not depend on the rows beside it, but for rounding.

    Parameters
    ----------
    centre, scale : mean and spread of the training values, in the property's unit; what follows is for unit spread
    origin : (n_features,) mean of the training rows, in the unit of each feature
    lengthscales : (n_features,) of the Matérn kernel, in the unit of each feature
    train : (n_train, n_features) training rows about `origin`, in lengthscales
    weights : (n_train,) of the training rows' covariances with a row, in that row's mean
    inverse : (n_train, n_train) lower triangular; the inverse of the lower Cholesky factor of the covariance of the
        training values, where the rows are those
    lowest, highest : (n_features,) where the trend ends: the range of the rows learned from, as `train` has them
    slopes : (n_features,) prior standard deviations of the linear trend's slopes, per lengthscale
    trend : (n_features,) expected slopes of the trend, in those standard deviations
    norm : of the mean less its trend, in the function space that belongs to the Matérn kernel
    of_here : (n_train,) of those covariances, in what a row has in common with the offset of the source that is meant
    here_variance : variance of that offset; 0 where no row tells of it
    dtype : float64, or float32 for about twice the speed
    device : "cpu", or a device of torch such as "cuda"

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> X, y = np.array([[0.0], [20.0], [40.0]]), np.array([110.0, 70.0, 65.0])
    >>> gp = GaussianProcess(bounds=[[0], [50]], noise_prior=5.0).fit(X, y)
    >>> mean, std = Sweep.of(gp).mean_and_std([[20.0], [50.0]])
    >>> bool(np.allclose(std, gp.believe([[20.0], [50.0]]).std))
    True

    Only cells that may hold a value below 66 need be looked at:

    >>> asked = np.linspace(0, 50, 1001)[:, None]
    >>> cells = Sweep.of(gp).cells(asked)
    >>> bounds = Sweep.of(gp).bounds(asked[cells.order], cells.starts)
    >>> int((bounds.mean_low < 66).sum()), len(bounds.mean_low)
    (9, 27)

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, ch. 2, 4 and 6.
    """

    centre: float
    scale: float
    origin: FloatArray
    lengthscales: FloatArray
    train: FloatArray
    weights: FloatArray
    inverse: FloatArray
    lowest: FloatArray
    highest: FloatArray
    slopes: FloatArray
    trend: FloatArray
    norm: float
    of_here: FloatArray
    here_variance: float
    dtype: Precision = "float64"
    device: str = "cpu"

    @staticmethod
    def of(gp: Process, dtype: Precision = "float64", device: str = "cpu") -> Sweep:
        """Take from a fitted Gaussian process what predicting needs.

        Answers differ from those of `GaussianProcess.believe` by less than 1e-11 of the property's spread in double
        precision. In single precision, with up to 600 rows of six elements, they differ by less than 5e-4 of it where
        the learned scatter is a tenth of the spread, and by less than 3e-3 where it is the least that a fit may find.
        With `device="cuda"` torch computes them on a GPU, in blocks sized for one; that is tested with torch on the
        processor, and has not been run on a GPU yet. Cells and bounds are always found on the processor, in double
        precision.
        """
        from sklearn.utils.validation import check_is_fitted

        from .hyperparameters import matern  # with SciPy's optimisers, which a worker does not need

        check_is_fitted(gp)
        hyper = gp.hyperparameters_
        # Outputs are measured in units of the Matérn part's amplitude here, so that its kernel is 1 at distance 0.
        unit = sqrt(hyper.amplitude)
        weights, train = unit * gp._weights, gp._U / hyper.lengthscales
        slopes = sqrt(hyper.slope) / unit * hyper.lengthscales
        trend = (train * slopes).T @ weights
        squared_norm = weights @ matern(train)[0] @ weights
        return Sweep(
            centre=gp._centre,
            scale=gp.scale_ * unit,
            origin=gp._origin,
            lengthscales=gp.lengthscales_,
            train=train,
            weights=weights,
            inverse=np.asfortranarray(unit * gp._root),
            lowest=gp._lowest / hyper.lengthscales,
            highest=gp._highest / hyper.lengthscales,
            slopes=slopes,
            trend=trend,
            norm=sqrt(max(float(squared_norm), 0.0)),
            of_here=gp._of_here,
            here_variance=gp._here_variance / hyper.amplitude,
            dtype=dtype,
            device=device,
        )

    def mean(self, X: ArrayLike) -> FloatArray:
        """Expected values (n,), in some n_train operations a row."""
        return self._believe(X, with_std=False)[0]

    def mean_and_std(self, X: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Expected values and standard deviations of the property itself (n,), in some n_train² operations a row."""
        return self._believe(X, with_std=True)

    def cells(self, X: ArrayLike, size: float = CELL_SIZE) -> Cells:
        """Group rows into boxes with an edge of `size` lengthscales, or wider where those would hold few rows.

        The boxes lie along the principal directions of the rows: features that sum to 100 %, or that are functions of a
        few others, fill fewer dimensions than they have, and so meet fewer boxes.
        """
        rows = self._rows(X)
        if len(rows) == 0:
            return Cells(np.empty(0, dtype=np.intp), np.zeros(1, dtype=np.intp))
        V = self._scaled(rows)
        V -= V.mean(axis=0)
        _, directions = np.linalg.eigh(dgemm(1.0, V.T, V.T, trans_b=True))
        along = dgemm(1.0, V.T, directions[:, ::-1], trans_a=True).T  # (n_features, n), widest first
        along -= along.min(axis=1, keepdims=True)
        while True:
            box = _numbered(along / size)
            order = np.argsort(box)
            starts = np.flatnonzero(np.diff(box[order], prepend=-1, append=-1))
            n_cells = len(starts) - 1
            if n_cells * LEAST_ROWS <= len(rows) or n_cells == 1:
                return Cells(order, starts)
            size *= 1.5

    def bounds(self, X: ArrayLike, starts: ArrayLike) -> Bounds:
        """Bounds on mean and standard deviation over cells of rows, in some n_train² operations a cell.

        Parameters
        ----------
        X : (n, n_features) rows, cell after cell. The cells may come from another property's `cells`: the nearer their
            rows are in this one's lengthscales, the tighter the bounds.
        starts : (n_cells + 1,) where each cell begins; the last is n, and no cell is empty

        Notes
        -----
        The mean is a function m of the Matérn kernel's space, plus a trend that is linear in rows drawn in to the range
        of the training rows and is taken exactly. Since m(x) = ⟨m, k_x⟩, Cauchy and Schwarz bound by ‖m‖ρ(r) what
        m(x) - m(c) is beyond the gradient at the cell's centre c, with ρ² = ‖k_x - k_c - (x-c)·∇k_c‖² =
        2 - 2k(r) + 2rk'(r) + 5r²/3 for a row r lengthscales away; by Taylor's theorem ρ <= 5r²/2.

        The standard deviation at x is the distance of k_x, of the whole kernel, from the span of those of the training
        rows, each with its noise as a coordinate of its own; so by the triangle inequality it exceeds that at c by at
        most ‖k_x - k_c‖, whose square is 2 - 2k(r) and the squared distance of the two as the trend sees them. Nor does
        it exceed the prior's, and that of the offset of the source that is meant.

        The bounds hold of what is computed in double precision, being widened by what rounding may do: by some 1e-9 of
        the property's spread for a mean with 300 training rows, by 1e-10 of its square for a variance.
        """
        V = np.ascontiguousarray(self._scaled(self._rows(X)).T)  # (n_features, n): all below runs along the rows
        ends = np.asarray(starts, dtype=np.intp)
        first, counts = ends[:-1], np.diff(ends)
        centres = np.add.reduceat(V, first, axis=1) / counts
        mean, gradient, variance = self._expand(centres.T)
        features, at_centres = self._trend_features(V.T).T, self._trend_features(centres.T).T
        away, drift = V - np.repeat(centres, counts, axis=1), features - np.repeat(at_centres, counts, axis=1)
        rise = _dot(np.repeat(gradient.T, counts, axis=1), away) + np.einsum("j,ji->i", self.trend, drift)
        root = np.sqrt(5 * np.maximum.reduceat(_dot(away, away), first))

        rest = self.norm * _taylor_remainder(root) + self._rounding * (1 + root)
        low, high = np.minimum.reduceat(rise, first), np.maximum.reduceat(rise, first)
        prior = 1 + np.maximum.reduceat(_dot(features, features), first)
        known_least = (np.sqrt(prior) + sqrt(self.here_variance)) ** 2
        margin = VARIANCE_MARGIN * known_least
        farther = np.sqrt(_squared_distance(root) + np.maximum.reduceat(_dot(drift, drift), first))
        variance_high = (np.sqrt(variance + margin) + farther) ** 2
        return Bounds(
            mean_low=self.centre + self.scale * (mean + low - rest),
            mean_high=self.centre + self.scale * (mean + high + rest),
            std_high=self.scale * np.sqrt(np.minimum(known_least, variance_high) + margin),
        )

    @property
    def _rounding(self) -> float:
        """More than a computed mean may be off by, for unit spread."""
        n, d = self.train.shape
        size = np.abs(self.weights).sum() + np.abs(self.trend) @ np.abs(self.train * self.slopes).max(axis=0)
        farthest = (self.train**2).sum(axis=1).max()
        return float((16 * (d + 4) + n) * np.finfo(np.float64).eps * (1 + farthest) * size)

    def _rows(self, X: ArrayLike) -> FloatArray:
        """X (n, n_features) as finite numbers, or an error that says what is wrong."""
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.origin):
            raise AlloyloopError(f"rows of shape {rows.shape} do not give each of {len(self.origin)} features a value")
        if not np.isfinite(rows).all():
            raise AlloyloopError("a feature to predict from is missing or infinite", "Give every feature a number.")
        return rows

    def _scaled(self, rows: FloatArray) -> FloatArray:
        """Rows about the mean of the training rows, in lengthscales; a new array."""
        V = rows - self.origin
        V /= self.lengthscales
        return V

    def _trend_features(self, V: FloatArray) -> FloatArray:
        """What the trend sees of scaled rows: them, drawn in to the range of the training rows, times its slopes."""
        return np.asarray(np.clip(V, self.lowest, self.highest) * self.slopes)

    def _blocks(self, rows: FloatArray, size: int) -> Iterator[tuple[slice, FloatArray]]:
        for start in range(0, len(rows), size):
            at = slice(start, start + size)
            yield at, self._scaled(rows[at])

    def _believe(self, X: ArrayLike, *, with_std: bool) -> tuple[FloatArray, FloatArray]:
        """Means, and standard deviations where they are wanted."""
        rows = self._rows(X)
        mean, variance = np.empty(len(rows)), np.empty(len(rows) if with_std else 0)
        work = (
            _Processor(self, len(rows), self.dtype) if self.device == "cpu" else _Torch(self, self.dtype, self.device)
        )
        for at, V in self._blocks(rows, work.size):
            if with_std:
                mean[at], variance[at] = work.mean_and_variance(V)
            else:
                mean[at] = work.mean(V)
        mean *= self.scale
        mean += self.centre
        return mean, self.scale * np.sqrt(np.maximum(variance, 0))

    def _expand(self, V: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean (n,), its gradient without the trend's (n, n_features), and variance (n,) at scaled rows."""
        mean, gradient, variance = np.empty(len(V)), np.empty(V.shape), np.empty(len(V))
        work = _Processor(self, len(V), "float64")
        for start in range(0, len(V), work.size):
            at = slice(start, start + work.size)
            mean[at], gradient[at], variance[at] = work.mean_gradient_and_variance(V[at])
        return mean, gradient, np.maximum(variance, 0)


class _Processor:
    """Predicts blocks of scaled rows, for unit spread, in buffers used again for each block.

    All products of matrices here go through SciPy's BLAS. NumPy brings another with threads of its own; where each has
    two they keep the other's waiting, which made this ten times slower on two cores.
    """

    def __init__(self, sweep: Sweep, n_rows: int, dtype: Precision) -> None:
        n = len(sweep.train)
        self._sweep = sweep
        self._dtype = np.dtype(dtype)
        self.size = max(1, min(n_rows, BLOCK // (n * self._dtype.itemsize)))
        self._gemm, self._gemv, self._trmm = get_blas_funcs(("gemm", "gemv", "trmm"), dtype=self._dtype)
        self._train = self._fortran(_train_factor(sweep.train, self._dtype))
        self._features = self._fortran(sweep._trend_features(sweep.train))
        self._weights = self._fortran(sweep.weights)
        self._of_here = self._fortran(sweep.of_here)
        self._inverse = self._fortran(sweep.inverse)
        self._kernel, self._root = np.empty((2, self.size, n), dtype=self._dtype)

    def _fortran(self, values: FloatArray) -> Any:
        """In the precision asked for and in the layout that BLAS takes without a copy."""
        return np.asarray(values, dtype=self._dtype, order="F")

    def mean(self, V: FloatArray) -> FloatArray:
        """Means (n,)."""
        return self._mean(self._matern(V), self._sweep._trend_features(V))

    def mean_and_variance(self, V: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means (n,) and variances (n,), which rounding may leave below zero."""
        k, features = self._matern(V), self._sweep._trend_features(V)
        return self._mean(k, features), self._variance(k, features)

    def mean_gradient_and_variance(self, V: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """As well the gradients (n, n_features) of the means without their trend."""
        slope = np.empty((len(V), len(self._weights)), dtype=self._dtype)
        k, features = self._matern(V, slope), self._sweep._trend_features(V)
        slope *= self._weights
        pull = self._gemm(1.0, self._sweep.train.T, slope.T).T - slope.sum(axis=1)[:, None] * V
        return self._mean(k, features), pull, self._variance(k, features)

    def _mean(self, k: Any, features: FloatArray) -> FloatArray:
        return np.asarray(self._gemv(1.0, k.T, self._weights, trans=1) + np.vecdot(features, self._sweep.trend))

    def _variance(self, k: Any, features: FloatArray) -> FloatArray:
        """Prior variance less what the training rows explain of it; overwrites k."""
        self._gemm(1.0, self._features, self._fortran(features.T), beta=1.0, c=k.T, overwrite_c=True)
        unknown = 1 + np.vecdot(features, features)
        if self._sweep.here_variance:
            unknown += self._sweep.here_variance - 2 * self._gemv(1.0, k.T, self._of_here, trans=1)
        self._trmm(1.0, self._inverse, k.T, lower=True, overwrite_b=True)
        return np.asarray(unknown - np.vecdot(k, k))

    def _matern(self, V: FloatArray, slope: Any = None) -> Any:
        """Matérn-5/2 kernel (n, n_train), and if asked its slope with respect to -r²/2, where root = √5 r.

        The kernel is (1 + root + root²/3) exp(-root), its slope 5/3 (1 + root) exp(-root).
        """
        k, minus_root = self._kernel[: len(V)], self._root[: len(V)]
        self._gemm(1.0, self._train, _row_factor(V, self._dtype).T, c=k.T, overwrite_c=True)  # root²/3
        np.sqrt(k, out=minus_root)
        minus_root *= -sqrt(3)
        k -= minus_root
        k += 1
        if slope is not None:
            np.subtract(1, minus_root, out=slope)
        np.exp(minus_root, out=minus_root)
        k *= minus_root
        if slope is not None:
            slope *= minus_root
            slope *= 5 / 3
        return k


class _Torch:
    """The same in torch, in blocks that keep a GPU busy."""

    def __init__(self, sweep: Sweep, dtype: Precision, device: str) -> None:
        import torch

        if device.startswith("cuda") and not torch.cuda.is_available():
            raise AlloyloopError("torch finds no GPU here", 'Ask for device="cpu".')
        self._torch = torch
        self._sweep = sweep
        self._dtype = np.dtype(dtype)
        self._device = device
        self.size = max(1, BLOCK_IN_TORCH // (len(sweep.train) * self._dtype.itemsize))
        self._train = self._there(_train_factor(sweep.train, self._dtype).T)
        self._features = self._there(sweep._trend_features(sweep.train).T)
        self._weights = self._there(sweep.weights)
        self._of_here = self._there(sweep.of_here)
        self._inverse = self._there(sweep.inverse.T)

    def _there(self, values: Any) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(values, dtype=self._dtype)).to(self._device)

    def mean(self, V: FloatArray) -> FloatArray:
        """Means (n,)."""
        return self._mean(self._matern(V), self._sweep._trend_features(V))

    def mean_and_variance(self, V: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means (n,) and variances (n,), which rounding may leave below zero."""
        k, features = self._matern(V), self._sweep._trend_features(V)
        mean = self._mean(k, features)
        k.addmm_(self._there(features), self._features)
        less = (k @ self._inverse).square_().sum(dim=1) + 2 * (k @ self._of_here)
        return mean, 1 + np.vecdot(features, features) + self._sweep.here_variance - less.cpu().numpy()

    def _mean(self, k: Any, features: FloatArray) -> FloatArray:
        return np.asarray((k @ self._weights).cpu().numpy() + features @ self._sweep.trend)

    def _matern(self, V: FloatArray) -> Any:
        """Matérn-5/2 kernel (n, n_train)."""
        k = self._there(_row_factor(V, self._dtype)) @ self._train
        minus_root = k.sqrt().mul_(-sqrt(3))
        return k.sub_(minus_root).add_(1).mul_(minus_root.exp_())


def _row_factor(V: FloatArray, dtype: np.dtype[Any]) -> Any:
    """(n, n_features + 2), which times `_train_factor` transposed is 5/3 of the squared distances.

    Squares are made larger by a rounding error, so that no squared distance can come out below zero.
    """
    n, d = V.shape
    factor = np.empty((n, d + 2), dtype=dtype)
    factor[:, :d] = V
    factor[:, d] = (1 + (d + 4) * np.finfo(dtype).eps) * np.vecdot(V, V)
    factor[:, d + 1] = 1
    return factor


def _train_factor(T: FloatArray, dtype: np.dtype[Any]) -> Any:
    """(n_train, n_features + 2); see `_row_factor`."""
    *_, squares, ones = _row_factor(T, dtype).T
    return 5 / 3 * np.column_stack([-2 * T, ones, squares])


def _numbered(along: FloatArray) -> NDArray[np.int32]:
    """One number (n,) for each box of edge 1 that holds points (n_directions, n), none of them negative.

    Directions are taken in as long as the number fits; the last are the narrowest.
    """
    number, n_boxes = np.zeros(along.shape[1]), 1
    for steps in np.floor(along):
        n_steps = int(steps.max()) + 1
        if n_boxes * n_steps > MOST_BOXES:
            break
        number *= n_steps
        number += steps
        n_boxes *= n_steps
    return number.astype(np.int32)


def _dot(A: FloatArray, B: FloatArray) -> FloatArray:
    """Scalar products (n,) of the columns of (d, n)."""
    return cast(FloatArray, np.einsum("ji,ji->i", A, B))


_CANCELLED = 4e-15  # more than the rounding of the terms near 2 that cancel in the two functions below


def _squared_distance(root: FloatArray) -> FloatArray:
    """‖k_x - k_c‖² = 2 - 2k of the Matérn kernel, where root = √5 r; at most root²/3."""
    k = (1 + root + root**2 / 3) * np.exp(-root)
    return np.minimum(2 - 2 * k + _CANCELLED, root**2 / 3)


def _taylor_remainder(root: FloatArray) -> FloatArray:
    """‖k_x - k_c - (x-c)·∇k_c‖ of the Matérn kernel, where root = √5 r; at most root²/2."""
    squared = 2 + root**2 / 3 - 2 * (1 + root + 2 / 3 * root**2 + root**3 / 3) * np.exp(-root)
    return np.minimum(np.sqrt(np.maximum(squared, 0) + _CANCELLED * (1 + root**2)), root**2 / 2)
