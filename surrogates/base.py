"""What every surrogate promises, what it answers with, and the names by which one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, Literal, Protocol, Self, TypeAlias, overload, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import AlloyloopError
from .html_tables import html_notes, html_table
from .scales import LINEAR, Normal
from .scales import FloatArray as FloatArray  # where the other floors look for it

Builder: TypeAlias = "Callable[..., Surrogate]"

# The source of measurements made where predictions are wanted: the user's own laboratory.
HERE = "here"
# Points of a prediction that a notebook shows.
MOST_SHOWN = 20


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
    behind : the normal belief about a measurement on the scale that the property was modelled on; where there is none,
        a measurement is normal in the property's own unit

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
    behind: Normal | None = None

    def __post_init__(self) -> None:
        parts = [self.mean, self.std, self.noise]
        if self.mean.ndim != 1 or any(part.shape != self.mean.shape for part in parts):
            shapes = ", ".join(str(part.shape) for part in parts)
            raise AlloyloopError(f"mean, std and noise of a prediction have the shapes {shapes}, not one length")
        if self.behind is not None and not self.behind.mean.shape == self.behind.std.shape == self.mean.shape:
            raise AlloyloopError(
                f"a prediction of {len(self)} points has a belief about {len(self.behind.mean)} behind it"
            )

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def measured_std(self) -> FloatArray:
        """(n,) standard deviations of a new measurement."""
        return np.asarray(np.hypot(self.std, self.noise))

    @property
    def measurement(self) -> Normal:
        """The belief about a new measurement, normal on the scale that the property was modelled on."""
        return Normal(LINEAR, self.mean, self.measured_std) if self.behind is None else self.behind

    def interval(self, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends (n,) that hold a new measurement with probability `level`."""
        return self.measurement.interval(level)

    def log_probability(self, low: ArrayLike, high: ArrayLike) -> FloatArray:
        """Log of the probability (n,) that a new measurement lies between two values, of which one may be infinite."""
        return self.measurement.log_probability(low, high)

    def log_density(self, y: ArrayLike) -> FloatArray:
        """Log density (n,) of measured values, per unit of the property, on whatever scale it was modelled."""
        return self.measurement.log_density(y)

    def widened(self, factor: float) -> Prediction:
        """The same expected values with every standard deviation, also that on the scale, `factor` times as large."""
        behind = self.behind and replace(self.behind, std=factor * self.behind.std)
        return Prediction(self.mean, factor * self.std, factor * self.noise, behind)

    def _repr_html_(self) -> str:
        low, high = self.interval()
        numbers = np.column_stack([self.mean, self.measured_std, low, high])[:MOST_SHOWN].tolist()
        rows = [[str(i), *(f"{each:.4g}" for each in row)] for i, row in enumerate(numbers)]
        more = [f"The first {MOST_SHOWN} of {len(self)}."] if len(self) > MOST_SHOWN else []
        return html_table(["", "mean", "std of a measurement", "90 % from", "to"], rows) + html_notes(more)

    def rows(self, chosen: NDArray[Any]) -> Prediction:
        """Some of the points, by mask or by index."""
        behind = self.behind and Normal(self.behind.scale, self.behind.mean[chosen], self.behind.std[chosen])
        return Prediction(self.mean[chosen], self.std[chosen], self.noise[chosen], behind)

    def among(self, these: NDArray[np.bool_]) -> Prediction:
        """The same beliefs about the marked of more points (n,), and NaN about the others."""
        place = np.where(these, np.cumsum(these) - 1, -1)

        def spread_out(part: FloatArray) -> FloatArray:
            return np.append(part, np.nan)[place]

        behind = self.behind and Normal(self.behind.scale, spread_out(self.behind.mean), spread_out(self.behind.std))
        return Prediction(spread_out(self.mean), spread_out(self.std), spread_out(self.noise), behind)

    @staticmethod
    def together(parts: Sequence[Prediction]) -> Prediction:
        """Beliefs about several sets of points, on one scale, as one."""
        behind = None
        if all(part.behind is not None for part in parts):
            normals = [part.measurement for part in parts]
            behind = Normal(
                normals[0].scale, *(np.concatenate([getattr(n, k) for n in normals]) for k in ("mean", "std"))
            )
        mean, std, noise = (np.concatenate([getattr(part, k) for part in parts]) for k in ("mean", "std", "noise"))
        return Prediction(mean, std, noise, behind)


@runtime_checkable
class Surrogate(Protocol):
    """Numbers in, beliefs out: what each surrogate does, whatever it is made of.

    X is (n, n_features), a NumPy array or a DataFrame; y is (n,). All are finite, but for the columns of X that a
    surrogate was told may be blank; `noise` may hold NaN. Nothing random is left to chance: the same data give the same
    belief. BoTorch's acquisitions can ask a fitted surrogate as they ask a `Model`; see `botorch_model.BotorchModel`.
    """

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
    ) -> Self:
        """Learn from measurements.

        Parameters
        ----------
        X : (n, n_features) features, n >= 1
        y : (n,) measured values
        noise : (n,) standard deviation of each value, in the unit of y; NaN, or no array at all, where it is not known
        censored : (n,) -1 where y is only an upper bound ("<12"), 1 where it is a lower one (">12"), 0 where it is the
            value; a surrogate that cannot learn from bounds leaves those rows out
        source : (n,) names of the papers or laboratories that rows come from, "" where not known; `HERE` is where
            predictions are wanted. A surrogate may learn that rows of one source share an offset
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


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of model that is asked for by name.

    Parameters
    ----------
    build : makes one, unfitted, from settings
    about : what it is good for and what not, in one line
    bounds : whether it learns from values that are only bounds
    blanks : whether it takes features that are not known as they are, where it is told which may be
    together : whether it learns several properties together
    leaves_out : whether it leaves rows out by itself, together those of which `fit` is told in `groups` (n,), and tells
        in `held_out_` what it believed of them
    sparing : settings with which it believes about the same in a fraction of the time, for fits that only judge it
    needs : the module that it stands on, where `extra` installs it
    extra : of this package, by which that is installed
    """

    build: Builder
    about: str = ""
    bounds: bool = False
    blanks: bool = False
    together: bool = False
    leaves_out: bool = False
    sparing: Mapping[str, Any] = field(default_factory=dict)
    needs: str = ""
    extra: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether what it stands on is there."""
        return not self.needs or find_spec(self.needs) is not None

    def made(self, name: str, **settings: Any) -> Any:
        """One of them, unfitted.

        Raises
        ------
        AlloyloopError
            where what it stands on is not installed
        """
        if not self.is_installed:
            raise AlloyloopError(
                f"the model {name} stands on the package {self.needs}, which is not installed",
                f"Install it: pip install 'alloyloop[{self.extra}]'.",
            )
        return self.build(**settings)


SURROGATES: dict[str, Family] = {}
GROUP = "alloyloop.surrogates"  # the entry points by which installed packages add to them


def register_surrogate(name: str, about: str = "", **traits: Any) -> Callable[[Builder], Builder]:
    """Decorate a function (or class) that builds a surrogate from settings, to let users ask for it by `name`.

    Parameters
    ----------
    name : as `model:` in campaign.yaml says it
    about : what it is good for and what not, in one line
    traits : other fields of `Family`
    """

    return registering(SURROGATES, name, about, **traits)


def registering(families: dict[str, Family], name: str, about: str, **traits: Any) -> Callable[[Builder], Builder]:
    """Decorate what builds a kind of model, to let it be asked for by `name` among some families."""

    def decorate(build: Builder) -> Builder:
        families[name] = Family(build, about, **traits)
        return build

    return decorate


def family(name: str) -> Family:
    """The kind of model of this name, whose module is not imported before one is built.

    Names come from `SURROGATES` and from the entry points `alloyloop.surrogates` of installed packages.
    """
    return family_among(SURROGATES, GROUP, "model", name)


def family_among(families: Mapping[str, Family], group: str, kind: str, name: str) -> Family:
    """The family of a name: one of these, or of an entry point of a group of installed packages.

    Raises
    ------
    AlloyloopError
        where neither knows it; says of which kind it is
    """
    if name in families:
        return families[name]
    entries = [entry for entry in entry_points(group=group) if entry.name == name]
    if not entries:
        known = ", ".join(names_among(families, group))
        raise AlloyloopError(f"there is no {kind} named {name!r}", f"Choose one of {known}.")
    return Family(lambda **settings: entries[0].load()(**settings), f"from {entries[0].value}")


def names_among(families: Mapping[str, Family], group: str) -> tuple[str, ...]:
    """Names of families and of entry points of a group, sorted."""
    return tuple(sorted(families.keys() | {entry.name for entry in entry_points(group=group)}))


def surrogate(name: str, **settings: Any) -> Surrogate:
    """Build the surrogate of this name, unfitted; see `family`.

    Raises
    ------
    AlloyloopError
        for a name that is not known, or where the package that it stands on is not installed
    """
    made: Surrogate = family(name).made(name, **settings)
    return made


def surrogate_names() -> tuple[str, ...]:
    """Every name that `surrogate` knows, sorted.

    Examples
    --------
    >>> {"extra-trees", "forest", "gaussian-process"} <= set(surrogate_names())
    True
    """
    return names_among(SURROGATES, GROUP)
