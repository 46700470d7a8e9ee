"""A fitted Gaussian process asked of very many rows: means, standard deviations, and bounds over whole cells of rows.

A `Sweep` is a handful of arrays and needs neither torch nor scikit-learn, so that the workers of a cluster take it in
at once. What a search costs is the number of rows that it looks at, and bounds spare it most of them: a cell of near
rows whose bounds already fall short is left out whole, and the answer stays exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.blas import get_blas_funcs

from .base import FloatArray
from .errors import AlloyloopError

if TYPE_CHECKING:
    from .gaussian_process import GaussianProcess

IndexArray: TypeAlias = NDArray[np.intp]
Precision: TypeAlias = Literal["float64", "float32"]

# Bytes of kernel values worked on at a time: so many that three blocks stay in a core's share of the cache, or on a GPU.
BLOCK = 2**20
BLOCK_ON_GPU = 2**27

CELL_SIZE = 0.13  # edge of a cell, in lengthscales: larger ones are fewer and bound less well
LEAST_ROWS = 8  # in a cell on average: bounding a cell costs more than predicting a row
MOST_BOXES = 2**31 - 1  # what 32 bits can number

# How far a computed variance may be from the exact one, for outputs of unit spread: rounding, times the condition of the
# training covariance, which the least scatter that a fit may find keeps below 1e5 for each hundred rows.
VARIANCE_MARGIN = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows grouped with their neighbours.

    Parameters
    ----------
    order : (n,) indices of the rows, cell after cell
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


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The posterior of a fitted `GaussianProcess`, made to be asked of millions of rows.

    It is the belief of `GaussianProcess.believe`, rearranged: the inverse of the Cholesky factor is kept, so that a
    block of rows costs one triangular product, and blocks are sized to the cache and worked on in place. A row's answer
    does not depend on the rows beside it, but for rounding.

    Parameters
    ----------
    centre, scale : mean and spread of the training values, in the property's unit; the others below are for unit spread
    origin : (n_features,) mean of the training rows, in the unit of each feature
    lengthscales : (n_features,) of the Matérn kernel, in the unit of each feature
    train : (n_train, n_features) training rows about `origin`, in lengthscales
    weights : (n_train,) what each training row adds to the mean, times its prior covariance with the row asked for
    inverse : (n_train, n_train) inverse of the lower Cholesky factor of the training rows' covariance with their noise
    slopes : (n_features,) prior standard deviations of the linear trend, over one lengthscale
    dtype : float64, or float32 for about twice the speed
    device : "cpu", or a device of torch such as "cuda"

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> X, y = np.array([[0.0], [20.0], [40.0]]), np.array([110.0, 70.0, 65.0])
    >>> gp = GaussianProcess(bounds=[[0], [50]], noise_prior=5.0).fit(X, y)
    >>> sweep = Sweep.of(gp)
    >>> mean, std = sweep.mean_and_std([[20.0], [50.0]])
    >>> bool(np.allclose(std, gp.believe([[20.0], [50.0]]).std))
    True

    Only the cells that may hold a value below 66 need be looked at:

    >>> asked = np.linspace(0, 50, 1001)[:, None]
    >>> cells = sweep.cells(asked)
    >>> bounds = sweep.bounds(asked[cells.order], cells.starts)
    >>> int((bounds.mean_low < 66).sum()), len(bounds.mean_low)
    (5, 8)

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
    slopes: FloatArray
    dtype: Precision = "float64"
    device: str = "cpu"
    trend: FloatArray = field(init=False, repr=False)  # (n_features,) slopes of the posterior trend
    norm: float = field(init=False, repr=False)  # of the mean without its trend, in the Matérn kernel's space

    def __post_init__(self) -> None:
        matern = _Kernel(self.train, len(self.train)).values(self.train)
        object.__setattr__(self, "trend", self._trend_features(self.train).T @ self.weights)
        object.__setattr__(self, "norm", sqrt(max(float(self.weights @ matern @ self.weights), 0.0)))

    @staticmethod
    def of(gp: GaussianProcess, dtype: Precision = "float64", device: str = "cpu") -> Sweep:
        """Take from a fitted Gaussian process what predicting needs.

        In double precision the answers are those of `GaussianProcess.believe` to 1e-11 of the property's spread, in
        single precision to MEASURED of it. With `device="cuda"` torch computes them on a GPU, in blocks sized for it:
        tested against the processor on torch's own processor device, and on no GPU yet. Cells and bounds are always
        found on the processor and in double precision.
        """
        lengthscales = gp._lengthscales
        return Sweep(
            centre=gp._centre,
            scale=gp.scale_,
            origin=gp._origin,
            lengthscales=gp.lengthscales_,
            train=gp._train_U / lengthscales,
            weights=gp._weights,
            inverse=solve_triangular(gp._cholesky, np.eye(len(gp._weights)), lower=True),
            slopes=sqrt(gp._slope_variance) * lengthscales,
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
        """Group rows into boxes of an edge of `size` lengthscales, wider where boxes would hold few rows.

        The boxes lie along the principal directions of the rows: features that sum to 100 %, or that are functions of a
        few others, fill fewer dimensions than they have, and there as few boxes are met as can be.
        """
        rows = self._rows(X)
        if len(rows) == 0:
            return Cells(np.empty(0, dtype=np.intp), np.zeros(1, dtype=np.intp))
        V = self._scaled(rows).T
        V -= V.mean(axis=1, keepdims=True)
        _, directions = np.linalg.eigh(V @ V.T)
        along = directions.T[::-1] @ V  # (n_features, n), widest first
        along -= along.min(axis=1, keepdims=True)
        while True:
            key = _boxes(along / size)
            order = np.argsort(key)
            key = key[order]
            starts = np.concatenate([[0], np.flatnonzero(key[1:] != key[:-1]) + 1, [len(key)]])
            if (len(starts) - 1) * LEAST_ROWS <= len(key) or len(starts) == 2:
                return Cells(order, starts)
            size *= 1.5

    def bounds(self, X: ArrayLike, starts: ArrayLike) -> Bounds:
        """Bounds of mean and standard deviation over cells of rows, in some n_train² operations a cell.

        Parameters
        ----------
        X : (n, n_features) rows, cell after cell; the cells may come from elsewhere, and the nearer the rows of a cell
            are in this property's lengthscales, the tighter its bounds
        starts : (n_cells + 1,) where each cell begins, the last is n; every cell holds a row

        Notes
        -----
        The mean is a function m of the Matérn kernel's space plus a trend that is linear in the rows drawn in to the
        training range and is taken exactly. As m(x) = ⟨m, k_x⟩, the Cauchy-Schwarz inequality bounds what is left of
        m(x) - m(c) beyond its gradient at the cell's centre c by ‖m‖ ρ(r), where ρ² = 2 - 2k + 2rk' + 5r²/3 is the
        squared norm of k_x - k_c - (x-c)·∇k_c at the distance r in lengthscales, and ρ <= 5r²/2 by Taylor's theorem.

        The posterior standard deviation at x is the distance of k_x, of the whole kernel, from the span of those of
        the training rows (each with its noise as a coordinate of its own), so that by the triangle inequality it is at
        most the one at c plus ‖k_x - k_c‖, and never above the prior's.

        Both are widened by a margin for rounding: means by at most some 1e-10 of the property's spread for every
        hundred rows, variances by 1e-10 of its square. They hold of the answers in double precision.
        """
        rows = self._rows(X)
        ends = np.asarray(starts, dtype=np.intp)
        first, counts = ends[:-1], np.diff(ends)
        ...
