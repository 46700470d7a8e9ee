"""The built-in classifiers, each a scikit-learn classifier and the few settings that it is tuned over.

What they were chosen by: the mean log loss on rows and on whole sources left out of eight tables of 51 to 350 alloys,
with two to six classes (phases of high-entropy and titanium alloys, cracks, densities of printed steel, processes).
"""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import FloatArray
from .classifying import CrossFittedClassifier
from .kernel_machines import InWidths
from .neighbours import FadingNeighbours

STRENGTHS = (0.3, 3.0, 30.0)  # what an alloy on the wrong side of a support vector machine's border may cost
N_TREES = 50  # of each of ten members


def _scaled(machine: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), InWidths(), machine)


def _for_trees(trees: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), trees)  # scikit-learn's see single precision, and no range below 1e-7


def gaussian_process(**settings: Any) -> CrossFittedClassifier:
    """Gaussian process under a logistic curve (Laplace's approximation), each class against the rest; an RBF kernel.

    Its width and amplitude are those of a few that make the rows left out likeliest, which was as good on five tables
    of up to 114 rows as to find the likeliest under a prior, and takes a tenth of the time.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, ch. 3.
    """
    machine = GaussianProcessClassifier(ConstantKernel(1.0) * RBF(1.0), optimizer=cast(Any, None))
    grid = [
        {"inwidths__width": width, "gaussianprocessclassifier__kernel__k1__constant_value": amplitude**2}
        for width, amplitude in product((2.0, 1.0, 0.5), (1.5, 5.0))
    ]
    return CrossFittedClassifier(_scaled(machine), grid, **settings)


class PromptForest(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn comes without types
    """scikit-learn's random forest, whose trees are asked without ceremony: thirty rows take a tenth of the time."""

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Probabilities (n, k) of the classes: the mean of the trees'."""
        check_is_fitted(self)
        asked: Any = validate_data(self, cast(Any, X), dtype=np.float32, reset=False)
        return np.asarray(np.mean([tree.tree_.predict(asked) for tree in self.estimators_], axis=0))


def forest(**settings: Any) -> CrossFittedClassifier:
    """Random forest.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`

    References
    ----------
    Breiman, Machine Learning 45 (2001) 5, doi:10.1023/A:1010933404324.
    """
    grid = [{"promptforest__min_samples_leaf": n} for n in (3, 1)]
    return CrossFittedClassifier(_for_trees(PromptForest(N_TREES)), grid, **settings)


def gradient_boosting(*, n_repeats: int = 1, **settings: Any) -> CrossFittedClassifier:
    """Sum of shallow trees, each fitted to what those before it left over, on a part of the rows and features.

    Parameters
    ----------
    n_repeats, settings : those of `CrossFittedClassifier`; fewer repeats than there, for it is slow

    References
    ----------
    Friedman, Ann. Stat. 29 (2001) 1189, doi:10.1214/aos/1013203451.
    """
    machine = _for_trees(GradientBoostingClassifier(subsample=0.7, max_features="sqrt"))
    grid = [
        {"gradientboostingclassifier__max_depth": depth, "gradientboostingclassifier__n_estimators": n}
        for depth, n in ((1, 60), (3, 30))
    ]
    return CrossFittedClassifier(machine, grid, n_repeats=n_repeats, **settings)


def support_vector(**settings: Any) -> CrossFittedClassifier:
    """Support vector machine with an RBF kernel.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`

    References
    ----------
    Cortes and Vapnik, Machine Learning 20 (1995) 273, doi:10.1007/BF00994018; Platt, in Advances in Large Margin
    Classifiers, MIT Press 1999, on probabilities from its margins.
    """
    grid = [{"inwidths__width": width, "svc__C": strength} for width, strength in product((2.0, 1.0), STRENGTHS)]
    return CrossFittedClassifier(_scaled(SVC(gamma=cast(Any, 1.0))), grid, **settings)


class WeighedDiscriminant(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """Linear discriminant analysis in which classes are as frequent as the weights of their rows say.

    Parameters
    ----------
    shrinkage : share by which covariances are drawn to those of features that are all independent and alike
    """

    def __init__(self, shrinkage: float = 0.1) -> None:
        self.shrinkage = shrinkage

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from rows (n, n_features) of classes (n,) with weights (n,)."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        weights = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        shares = np.bincount(codes, weights) / weights.sum()
        machine = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=self.shrinkage, priors=shares / shares.sum())
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Only one sample", UserWarning)  # of a class: the others tell its spread
            self.machine_ = machine.fit(X, y)
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Probabilities (n, k) of the classes."""
        return np.asarray(self.machine_.predict_proba(X))


def linear_discriminant(**settings: Any) -> CrossFittedClassifier:
    """Linear discriminant analysis, its covariances shrunk.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`

    References
    ----------
    Friedman, J. Am. Stat. Assoc. 84 (1989) 165, doi:10.1080/01621459.1989.10478752, on the shrinkage.
    """
    grid = [{"weigheddiscriminant__shrinkage": share} for share in (0.6, 0.3, 0.1, 0.03)]
    return CrossFittedClassifier(make_pipeline(StandardScaler(), WeighedDiscriminant()), grid, **settings)


def logistic(**settings: Any) -> CrossFittedClassifier:
    """Logistic regression, its coefficients held back.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`

    References
    ----------
    Cox, J. R. Stat. Soc. B 20 (1958) 215; held back as by Hoerl and Kennard, Technometrics 12 (1970) 55.
    """
    grid = [{"logisticregression__C": strength} for strength in (1.0, 10.0, 0.1)]
    regression = LogisticRegression(max_iter=1000)
    return CrossFittedClassifier(make_pipeline(StandardScaler(), regression), grid, **settings)


def naive_bayes(**settings: Any) -> CrossFittedClassifier:
    """Naive Bayes: in each class each feature is normal, and knows nothing of the others.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`
    """
    grid = [{"gaussiannb__var_smoothing": share} for share in (1.0, 0.1, 0.01)]
    return CrossFittedClassifier(make_pipeline(StandardScaler(), GaussianNB()), grid, **settings)


class NearestVotes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """Votes of the nearest rows, which fade with the distance; see `FadingNeighbours`.

    Parameters
    ----------
    n_neighbors : how many rows vote
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Keep rows (n, n_features), their classes (n,) and how much each counts (n,)."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        votes = MultiOutputRegressor(FadingNeighbours(self.n_neighbors))
        self.votes_ = votes.fit(X, np.eye(len(self.classes_))[codes], sample_weight)
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Shares (n, k) of the votes."""
        return np.asarray(self.votes_.predict(X))


def nearest_neighbours(**settings: Any) -> CrossFittedClassifier:
    """The votes of the nearest rows, features in units of their spread.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`
    """
    grid = [{"nearestvotes__n_neighbors": n} for n in (16, 9, 5, 3)]
    return CrossFittedClassifier(make_pipeline(StandardScaler(), NearestVotes()), grid, **settings)


class SummationLayer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """Rows, and beside them what the summation layer of a probabilistic neural network makes of them.

    Each class has a density, the mean of normal ones about its rows; their shares are added to the features. The share
    of a training row is found without the row itself: else it would only say that the row is there.

    Parameters
    ----------
    width : standard deviation of each normal density

    References
    ----------
    Specht, Neural Networks 3 (1990) 109, doi:10.1016/0893-6080(90)90049-Q, on the network; Izonin et al., Computers,
    Materials & Continua 71 (2022) 5933, doi:10.32604/cmc.2022.022582, on what a support vector machine makes of rows
    so extended, where the quality of titanium powders is told.

    Examples
    --------
    >>> SummationLayer().fit([[0.0], [0.1], [2.0]], [0, 0, 1]).transform([[0.0], [2.0]]).round(2)
    array([[0., 1., 0.],
           [2., 0., 1.]])
    """

    def __init__(self, width: float = 0.5) -> None:
        self.width = width

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Keep rows (n, n_features) and their classes (n,)."""
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64)
        self.rows_ = np.asarray(rows)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.members_ = np.eye(len(self.classes_))[codes]
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Rows (n, n_features), and shares of the densities (n, k) beside them."""
        check_is_fitted(self)
        asked: Any = validate_data(self, cast(Any, X), dtype=np.float64, reset=False)
        rows = np.asarray(asked)
        return self._extended(rows, self._bells(rows))

    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **fit_params: Any) -> FloatArray:
        """Fit, and extend the training rows, each without itself; like TargetEncoder's, not what `transform` says."""
        self.fit(X, y)
        bells = self._bells(self.rows_)
        np.fill_diagonal(bells, 0.0)
        return self._extended(self.rows_, bells)

    def _bells(self, rows: FloatArray) -> FloatArray:
        """How much each kept row adds at each row (n, n_kept), where the nearest other adds 1."""
        return np.asarray(np.exp(-cdist(rows, self.rows_, "sqeuclidean") / (2 * self.width**2)))

    def _extended(self, rows: FloatArray, bells: FloatArray) -> FloatArray:
        densities = bells @ (self.members_ / self.members_.sum(axis=0))
        total = densities.sum(axis=1, keepdims=True)
        shares = np.where(total > 0, densities / np.where(total > 0, total, 1.0), 1 / len(self.classes_))
        return np.column_stack([rows, shares])


def probabilistic_network(**settings: Any) -> CrossFittedClassifier:
    """A support vector machine that sees the features and the summation layer of a probabilistic neural network.

    Parameters
    ----------
    settings : those of `CrossFittedClassifier`

    References
    ----------
    Izonin et al., Computers, Materials & Continua 71 (2022) 5933, doi:10.32604/cmc.2022.022582.
    """
    grid = [{"summationlayer__width": width, "svc__C": strength} for width, strength in product((0.5, 0.25), STRENGTHS)]
    machine = make_pipeline(StandardScaler(), InWidths(), SummationLayer(), SVC(gamma=cast(Any, 1.0)))
    return CrossFittedClassifier(machine, grid, **settings)
