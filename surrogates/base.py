"""What every surrogate promises, what it answers with, and the names by which one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from statistics import NormalDist
from typing import Any, Literal, Protocol, Self, TypeAlias, cast, overload, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import AlloyloopError

FloatArray: TypeAlias = NDArray[np.float64]
Builder: TypeAlias = "Callable[..., Surrogate]"


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A belief about one property at n points, in the property's own unit.

    The property and a measurement of it are two things: `std` is how little is known of the property itself and shrinks
    with data, `noise` is the scatter of one measurement about it and does not.

    Parameters
    ----------
    mean : (n,) expected values
    std : (n,) standard deviations of the property itself
    noise : (n,) standard deviations of one measurement about the property

    Examples
    --------
    >>> belief = Prediction(mean=np.array([60.0]), std=np.array([3.0]), noise=np.array([4.0]))
    >>> belief.measured_std
    array([5.])
    >>> low, high = belief.interval(0.9)
    >>> low.round(1), high.round(1)
    (array([51.8]), array([68.2]))
    """

    mean: FloatArray
    std: FloatArray
    noise: FloatArray

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or not self.mean.shape == self.std.shape == self.noise.shape:
            shapes = ", ".join(str(part.shape) for part in (self.mean, self.std, self.noise))
            raise AlloyloopError(f"mean, std and noise of a prediction have the shapes {shapes}, not one length")

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def measured_std(self) -> FloatArray:
        """(n,) standard deviations of a new measurement."""
        return np.asarray(np.hypot(self.std, self.noise))

    def interval(self, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends (n,) that hold a new measurement with probability `level`, taken as normal."""
        if not 0 < level < 1:
            raise AlloyloopError(f"an interval cannot hold a share of {level}", "Give a level between 0 and 1.")
        half = NormalDist().inv_cdf((1 + level) / 2) * self.measured_std
        return self.mean - half, self.mean + half


@runtime_checkable
class Surrogate(Protocol):
    """Numbers in, beliefs out: what each surrogate does, whatever it is made of.

    X is (n, n_features), a NumPy array or a DataFrame; y is (n,). All are finite; `noise` may hold NaN. Nothing random
    is left to chance: the same data give the same belief. A fitted surrogate is a BoTorch `Model` as well.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, *, noise: ArrayLike | None = None) -> Self:
        """Learn from measurements.

        Parameters
        ----------
        X : (n, n_features) features, n >= 1
        y : (n,) measured values
        noise : (n,) standard deviation of each value, in the unit of y; NaN, or no array at all, where it is not known
        """
        ...

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> FloatArray: ...
    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> tuple[FloatArray, FloatArray]: ...
    def predict(self, X: ArrayLike, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """Expected values (n,), and with `return_std` the standard deviations (n,) of a new measurement."""
        ...

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        ...

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B, noise free."""
        ...

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        ...


SURROGATES: dict[str, Builder] = {}


def register_surrogate(name: str) -> Callable[[Builder], Builder]:
    """Decorate a function (or class) that builds a surrogate from options, to let users ask for it by `name`."""

    def decorate(build: Builder) -> Builder:
        SURROGATES[name] = build
        return build

    return decorate


def surrogate(name: str, **options: Any) -> Surrogate:
    """Build the surrogate of this name, unfitted; its module is imported now and not before.

    Names come from `SURROGATES` and from the entry points `alloyloop.surrogates` of installed packages.
    """
    build = SURROGATES.get(name)
    if build is None:
        found = [entry for entry in entry_points(group="alloyloop.surrogates") if entry.name == name]
        if not found:
            raise AlloyloopError(f"there is no model named {name!r}", f"Choose one of {', '.join(surrogate_names())}.")
        build = cast(Builder, found[0].load())
    return build(**options)


def surrogate_names() -> tuple[str, ...]:
    """Every name that `surrogate` knows, sorted.

    Examples
    --------
    >>> {"extra-trees", "forest", "gaussian-process"} <= set(surrogate_names())
    True
    """
    return tuple(sorted(SURROGATES.keys() | {entry.name for entry in entry_points(group="alloyloop.surrogates")}))


# By name and not by an import, so that this file needs none of them and `alloyloop models` does not load torch.
def _ours(module: str, name: str, **fixed: Any) -> Builder:
    def build(**options: Any) -> Surrogate:
        return cast(Surrogate, getattr(import_module(f".{module}", __package__), name)(**fixed, **options))

    return build


SURROGATES["gaussian-process"] = _ours("gaussian_process", "GaussianProcess")
SURROGATES["forest"] = _ours("forest", "Forest")
SURROGATES["extra-trees"] = _ours("forest", "Forest", kind="extra-trees")
