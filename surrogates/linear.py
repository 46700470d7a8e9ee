"""Linear models: a property as a weighted sum of its features, with all weights free, held small, or mostly zero."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .cross_fitted import CrossFitted

# Of standardised features and values: enough to decide where fractions that add up to 1 leave the weights open, and to
# keep weights from answering to the rounding of such sums, but nothing that 20 rows of a feature would notice.
HARDLY = 1e-4


def linear(**settings: Any) -> CrossFitted:
    """Ordinary least squares; of all weights that fit equally well, the smallest.

    Parameters
    ----------
    settings : those of `CrossFitted`

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((30, 2))
    >>> linear().fit(X, 100 + 20 * X[:, 0]).predict([[0.0, 0.5], [2.0, 0.5]]).round(1)
    array([100., 140.])
    """
    return CrossFitted(make_pipeline(StandardScaler(), Ridge(alpha=HARDLY, solver="svd")), **settings)


def ridge(**settings: Any) -> CrossFitted:
    """Least squares with the squares of the weights held small, as strongly as rows left out ask for.

    Parameters
    ----------
    settings : those of `CrossFitted`

    References
    ----------
    Hoerl & Kennard, Technometrics 12 (1970) 55, doi:10.1080/00401706.1970.10488634.
    """
    grid = [{"ridge__alpha": alpha} for alpha in (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 0.1)]
    return CrossFitted(make_pipeline(StandardScaler(), Ridge(solver="svd")), grid, **settings)


def lasso(**settings: Any) -> CrossFitted:
    """Least squares with the sizes of the weights held small: of features that say the same, most are left out.

    Parameters
    ----------
    settings : those of `CrossFitted`

    References
    ----------
    Tibshirani, J. R. Stat. Soc. B 58 (1996) 267, doi:10.1111/j.2517-6161.1996.tb02080.x.
    """
    grid = [{"lasso__alpha": alpha} for alpha in (0.01, 0.03, 0.1, 0.3, 0.003, 0.001)]
    return CrossFitted(make_pipeline(StandardScaler(), Lasso(tol=1e-3, max_iter=100_000)), grid, **settings)
