"""Kernel machines: ridge regression and support vectors, with kernels whose widths mean the same on every table.

Of each grid the setting that is sane on most tables comes first: it is what is taken where there is no time to choose.
"""

from __future__ import annotations

from itertools import product
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import laplacian_kernel
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import FloatArray
from .cross_fitted import CrossFitted


class InWidths(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # these come without types
    """Features of unit spread in units of a kernel's width, however many there are.

    Parameters
    ----------
    width : over the usual one; at 1, the kernel exp(-|a - b|²) of two rows is the one that scikit-learn calls "scale",
        and exp(-|a - b|₁) its default Laplacian
    norm : by which the kernel measures distances: 2, or 1 for the Laplacian

    Examples
    --------
    >>> InWidths().fit_transform([[-1.0, 1.0, -1.0, 1.0], [1.0, -1.0, 1.0, -1.0]])
    array([[-0.5,  0.5, -0.5,  0.5],
           [ 0.5, -0.5,  0.5, -0.5]])
    """

    def __init__(self, width: float = 1.0, norm: int = 2) -> None:
        self.width = width
        self.norm = norm

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Count the features (n, n_features) that vary: one that never did makes no distance."""
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64)
        self.n_varying_ = max(1, int(np.sum(rows.std(axis=0) > 0.5)))  # the spread is 1, or rounding
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Rows (n, n_features) in units of the width."""
        check_is_fitted(self)
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64, reset=False)
        return np.asarray(rows / (self.width * self.n_varying_ ** (1 / self.norm)))


def laplacian(A: FloatArray, B: FloatArray) -> FloatArray:
    """Laplacian kernel exp(-|a - b|₁) (n_a, n_b) of rows in units of its width.

    Examples
    --------
    >>> laplacian(np.array([[0.0, 0.0]]), np.array([[0.5, -0.5], [1.0, 1.0]])).round(3)
    array([[0.368, 0.135]])
    """
    return np.asarray(laplacian_kernel(A, B, gamma=1.0))


def _scaled(machine: Any, norm: int = 2) -> Pipeline:
    return make_pipeline(StandardScaler(), InWidths(norm=norm), machine)


def _support_vectors(**fixed: Any) -> SVR:
    return SVR(**fixed)  # whose types, by its defaults, take a kernel and its gamma for texts


def _widths_and_strengths(*strengths: float) -> list[dict[str, float]]:
    """Of a kernel that has a width; both matter, and more than how large errors may be that cost nothing."""
    return [{"inwidths__width": width, "svr__C": C} for width, C in product((2.0, 4.0, 1.0, 0.5), strengths)]


def kernel_ridge(**settings: Any) -> CrossFitted:
    """Ridge regression with an RBF kernel: smooth, and drawn to the mean far from all rows.

    Parameters
    ----------
    settings : those of `CrossFitted`

    References
    ----------
    Saunders et al., Proc. 15th Int. Conf. Machine Learning (1998) 515.
    """
    grid = [
        {"inwidths__width": width, "kernelridge__alpha": alpha}
        for width, alpha in product((2.0, 4.0, 1.0), (0.01, 0.1, 1.0, 0.001))
    ]
    return CrossFitted(_scaled(KernelRidge(kernel="rbf", gamma=1.0)), grid, **settings)


def support_vector(**settings: Any) -> CrossFitted:
    """Support vector regression with an RBF kernel.

    Parameters
    ----------
    settings : those of `CrossFitted`

    References
    ----------
    Smola & Schölkopf, Statistics and Computing 14 (2004) 199, doi:10.1023/B:STCO.0000035301.49549.88.
    """
    grid = _widths_and_strengths(10.0, 1.0, 100.0)
    return CrossFitted(_scaled(_support_vectors(kernel="rbf", gamma=1.0)), grid, **settings)


def support_vector_linear(**settings: Any) -> CrossFitted:
    """Support vector regression without a kernel: a weighted sum that large errors do not pull at.

    Parameters
    ----------
    settings : those of `CrossFitted`
    """
    grid = [{"svr__C": strength} for strength in (0.1, 0.01, 1.0, 10.0)]
    return CrossFitted(make_pipeline(StandardScaler(), SVR(kernel="linear")), grid, **settings)


def support_vector_polynomial(**settings: Any) -> CrossFitted:
    """Support vector regression with a polynomial kernel, of second or third degree: products of features count too.

    Parameters
    ----------
    settings : those of `CrossFitted`
    """
    grid = [{"svr__degree": degree, "svr__C": strength} for degree, strength in product((2, 3), (1.0, 0.1, 0.01, 10.0))]
    return CrossFitted(_scaled(_support_vectors(kernel="poly", gamma=1.0, coef0=1.0)), grid, **settings)


def support_vector_laplacian(**settings: Any) -> CrossFitted:
    """Support vector regression with a Laplacian kernel: kinks at the rows, and so less smooth than with an RBF one.

    Parameters
    ----------
    settings : those of `CrossFitted`
    """
    grid = _widths_and_strengths(1.0, 10.0, 100.0)
    return CrossFitted(_scaled(_support_vectors(kernel=laplacian), norm=1), grid, **settings)
