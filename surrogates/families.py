"""The models that come built in, by the names that `model:` in campaign.yaml gives them.

By the name of a module and of what it holds, and not by an import, so that `alloyloop models` loads none of them.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any, cast

from .base import Builder, Family, Surrogate


def _ours(module: str, name: str, **fixed: Any) -> Builder:
    def build(**settings: Any) -> Surrogate:
        return cast(Surrogate, getattr(import_module(f".{module}", __package__), name)(**fixed, **settings))

    return build


_process = partial(Family, bounds=True, blanks=True, together=True)
_cross_fitted = partial(Family, leaves_out=True)  # through the adapter of cross_fitted.py
# Of trees a quarter errs by some 0.6 % more: less than which rows are left out together does.
_forest = partial(Family, blanks=True, sparing={"n_trees": 50})

BUILT_IN: dict[str, Family] = {
    "gaussian-process": _process(
        _ours("gaussian_process", "GaussianProcess"),
        "smooth, knows what it does not know; the first choice up to some hundred alloys",
    ),
    "sparse-gaussian-process": _process(
        _ours("gaussian_process", "GaussianProcess", sparse=True), "the same where few of many features matter"
    ),
    "forest": _forest(_ours("forest", "Forest"), "random forest: jumps and interactions; flat beyond the data"),
    "extra-trees": _forest(
        _ours("forest", "Forest", kind="extra-trees"), "a forest with random cuts: smoother on few alloys"
    ),
    "linear": _cross_fitted(_ours("linear", "linear"), "least squares: a weighted sum; the baseline to beat"),
    "ridge": _cross_fitted(_ours("linear", "ridge"), "least squares, weights held small; steady where features repeat"),
    "lasso": _cross_fitted(_ours("linear", "lasso"), "least squares on the few features that matter"),
    "kernel-ridge": _cross_fitted(
        _ours("kernel_machines", "kernel_ridge"), "smooth, like a Gaussian process with one width for all features"
    ),
    "support-vector": _cross_fitted(
        _ours("kernel_machines", "support_vector"), "smooth (RBF kernel); large errors do not pull at it"
    ),
    "support-vector-linear": _cross_fitted(
        _ours("kernel_machines", "support_vector_linear"), "a weighted sum that large errors do not pull at"
    ),
    "support-vector-polynomial": _cross_fitted(
        _ours("kernel_machines", "support_vector_polynomial"), "products of two or three features; wild beyond the data"
    ),
    "support-vector-laplacian": _cross_fitted(
        _ours("kernel_machines", "support_vector_laplacian"), "less smooth than RBF; often the best kernel for alloys"
    ),
    "nearest-neighbours": _cross_fitted(
        _ours("neighbours", "nearest_neighbours"), "the mean of the most similar alloys; never beyond what was measured"
    ),
    "radial-basis-network": _cross_fitted(
        _ours("radial_basis", "radial_basis_network"), "bells about clusters of alloys; wants a hundred alloys and more"
    ),
    "decision-tree": _cross_fitted(
        _ours("trees", "decision_tree"), "one tree: a few values with jumps between; easy to read, errs more than many"
    ),
    "bagging": _cross_fitted(
        _ours("trees", "bagging"), "the mean of fifty trees: robust, needs no care; flat beyond the data"
    ),
    "gradient-boosting": _cross_fitted(
        _ours("trees", "gradient_boosting"), "a sum of small trees: interactions of many features, from fifty alloys on"
    ),
    "adaboost": _cross_fitted(
        _ours("trees", "adaboost"), "trees that dwell on the alloys they miss: sharp, but misled by mistaken values"
    ),
    "xgboost": _cross_fitted(
        _ours("trees", "xgboost"),
        "gradient boosting, leaves held small: quick on many alloys; learns little from a dozen",
        needs="xgboost",
        extra="xgboost",
    ),
    "neural-network": _cross_fitted(
        _ours("network", "neural_network"), "four small networks: smooth interactions; wants a hundred alloys and more"
    ),
    "neuro-fuzzy": _cross_fitted(
        _ours("fuzzy", "neuro_fuzzy"), "a few rules that pass softly into each other, each a weighted sum; can be read"
    ),
    "symbolic-regression": _cross_fitted(
        _ours("symbolic", "symbolic"),
        "one short formula of the features; can be read, and another one may fit as well",
        needs="pyoperon",
        extra="symbolic",
    ),
    "stack": Family(
        _ours("stack", "Stack"),
        "unlike families, weighed by rows left out: errs about as the best of them, and takes as long as all",
        leaves_out=True,
    ),
}
