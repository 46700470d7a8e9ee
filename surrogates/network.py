"""Neural networks: a few small multilayer perceptrons from different starts, averaged (a deep ensemble)."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .base import FloatArray
from .cross_fitted import CrossFitted

# How scikit-learn says that L-BFGS has taken as many steps as it was given; any other failure of it has another status.
OUT_OF_STEPS = r"lbfgs failed to converge[^\n]*\(status=1\)"


class Networks(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # these come without types
    """Mean of multilayer perceptrons with one layer of tanh units, which differ in the weights that they start from.

    Parameters
    ----------
    n_networks : that are averaged
    n_units : of the hidden layer
    alpha : weight decay, over the number of rows; features and values of unit spread ask for 0.01 to 10
    n_steps : of L-BFGS, at most. Few on purpose: to stop before all is learned by heart holds the weights small too.
        That a network was stopped is therefore no warning; that its optimiser failed in another way is one
    random_state : of the starts

    References
    ----------
    Hansen & Salamon, IEEE Trans. Pattern Anal. Mach. Intell. 12 (1990) 993, doi:10.1109/34.58871.

    Examples
    --------
    >>> X = np.linspace(-1.5, 1.5, 30)[:, None]
    >>> Networks(alpha=0.01).fit(X, np.sin(2 * X[:, 0])).predict([[np.pi / 4]]).round(1)
    array([1.])
    """

    def __init__(
        self,
        n_networks: int = 4,
        n_units: int = 12,
        alpha: float = 1.0,
        n_steps: int = 100,
        random_state: int | None = None,
    ) -> None:
        self.n_networks = n_networks
        self.n_units = n_units
        self.alpha = alpha
        self.n_steps = n_steps
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train every network on all rows (n, n_features), standardised; weights (n,) say what each row counts for."""
        starts = check_random_state(self.random_state).randint(2**31 - 1, size=self.n_networks)
        self.networks_ = [
            MLPRegressor(
                hidden_layer_sizes=(self.n_units,),
                activation="tanh",
                solver="lbfgs",
                alpha=self.alpha,
                max_iter=self.n_steps,
                random_state=int(start),
            )
            for start in starts
        ]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", OUT_OF_STEPS, ConvergenceWarning)
            for network in self.networks_:
                network.fit(X, y, sample_weight)
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Mean (n,) of what the networks say of rows (n, n_features)."""
        check_is_fitted(self)
        said = np.stack([np.asarray(network.predict(X)) for network in self.networks_])
        return np.asarray(said.mean(axis=0))


def neural_network(*, n_repeats: int = 2, **settings: Any) -> CrossFitted:
    """Mean of four small neural networks, whose weight decay is tuned; flat beyond the rows.

    A feature outside the range that was seen counts as the end of that range: what a network would make of it depends
    on where its weights started, not on the data. So does one that never varied.

    Parameters
    ----------
    n_repeats, settings : those of `CrossFitted`; fewer repeats than there, for every member is four networks
    """
    regressor = make_pipeline(MinMaxScaler(clip=True), StandardScaler(), Networks())
    # A middling decay is first: few rows take it.
    grid = [{"networks__alpha": alpha} for alpha in (1.2, 6.0, 0.25, 30.0, 0.05)]
    return CrossFitted(regressor, grid, n_repeats=n_repeats, **settings)
