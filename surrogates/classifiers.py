"""The classifiers that come built in, by the names that `model:` in campaign.yaml gives them, and how to add one.

By the name of a module and of what it holds, and not by an import, so that `alloyloop check` loads none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, Protocol, Self, TypeAlias

from numpy.typing import ArrayLike, NDArray

from .base import Family, FloatArray, family_among, names_among, registering


class Classifier(Protocol):
    """Numbers in, probabilities of classes out: what each classifier does, whatever it is made of.

    Settings that each takes: `n_classes`, how many classes there are, where it is not one more than the largest number
    in training; `seed`. The same data give the same belief. No probability is 0 or 1.

    Attributes
    ----------
    held_out_ : (n, k) probabilities of the training rows, each by members that had not seen it, nor any row of its
        source
    """

    @property
    def held_out_(self) -> FloatArray:
        """See above."""
        ...

    def fit(self, X: ArrayLike, y: ArrayLike, *, source: ArrayLike | None = None) -> Self:
        """Learn from rows whose class is known.

        Parameters
        ----------
        X : (n, n_features) features, n >= 2
        y : (n,) number of the class of each row, from 0; two classes at least are there
        source : (n,) names of the papers or laboratories that rows come from, "" where not known
        """
        ...

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Probabilities (n, k) of the classes of each row; rows sum to 1."""
        ...

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Number (n,) of the likeliest class of each row."""
        ...


Maker: TypeAlias = Callable[..., Any]

CLASSIFIERS: dict[str, Family] = {}
GROUP = "alloyloop.classifiers"  # the entry points by which installed packages add to them


def register_classifier(name: str, about: str = "", **traits: Any) -> Callable[[Maker], Maker]:
    """Decorate a function (or class) that builds a `Classifier` from settings, to let users ask for it by `name`.

    Parameters
    ----------
    name : as `model:` in campaign.yaml says it
    about : what it is good for and what not, in one line
    traits : other fields of `Family`
    """

    return registering(CLASSIFIERS, name, about, **traits)


def classifier(name: str, **settings: Any) -> Classifier:
    """Build the classifier of this name, unfitted.

    Names come from `CLASSIFIERS` and from the entry points `alloyloop.classifiers` of installed packages.

    Raises
    ------
    AlloyloopError
        for a name that is not known, or where the package that it stands on is not installed
    """
    made: Classifier = family_among(CLASSIFIERS, GROUP, "model of classes", name).made(name, **settings)
    return made


def classifier_names() -> tuple[str, ...]:
    """Every name that `classifier` knows, sorted.

    Examples
    --------
    >>> {"forest", "gaussian-process", "linear-discriminant"} <= set(classifier_names())
    True
    """
    return names_among(CLASSIFIERS, GROUP)


def _ours(name: str) -> Maker:
    def build(**settings: Any) -> Any:
        return getattr(import_module(".classifier_families", __package__), name)(**settings)

    return build


_leaves_out = partial(Family, leaves_out=True)

CLASSIFIERS |= {
    "gaussian-process": _leaves_out(
        _ours("gaussian_process"), "smooth, and sure only near alloys of a known class; the first choice for few"
    ),
    "forest": _leaves_out(_ours("forest"), "many trees with random cuts: jumps and interactions; large tables too"),
    "gradient-boosting": _leaves_out(
        _ours("gradient_boosting"), "many shallow trees, each mending those before; wants a hundred alloys and more"
    ),
    "support-vector": _leaves_out(
        _ours("support_vector"), "a smooth border, drawn by the alloys nearest to it; good with rare classes"
    ),
    "linear-discriminant": _leaves_out(
        _ours("linear_discriminant"), "a straight border; the baseline to beat, and hard to beat on few alloys"
    ),
    "logistic": _leaves_out(
        _ours("logistic"), "a straight border too, with fewer assumptions: how fast one class gives way to another"
    ),
    "naive-bayes": _leaves_out(
        _ours("naive_bayes"), "each feature speaks for itself; for very few alloys, crude for many"
    ),
    "nearest-neighbours": _leaves_out(_ours("nearest_neighbours"), "the votes of the most similar alloys"),
    "probabilistic-network": _leaves_out(
        _ours("probabilistic_network"), "a support vector machine that sees how dense each class lies about an alloy"
    ),
}
