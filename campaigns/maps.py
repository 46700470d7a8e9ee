"""What is believed over sections of the space: triangles of three elements, the others held. See `map_plots.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import BASIS_SIGN
from ..design.classes import ClassBelief
from ..design.composition import atomic_fractions
from ..design.features import Alloys
from ..design.goals import classes_wanted, pursued
from ..design.outlook import see_phases
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .asking import question
from .budgeting import budget
from .learning import Beliefs, believe
from .named import named
from .outlooks import is_measured
from .reading import listed
from .scatter import scatter
from .snapshot import IMPURITIES, BoolArray, Snapshot, plain
from .status import status
from .suggesting import Manner, worth_next
from .wanting import Wishes
from .wording import words_and_unit

Show: TypeAlias = Literal["mean", "std", "probability", "acquisition"]
SHOWS: tuple[str, ...] = get_args(Show)

# Steps along a side of a triangle, and where phases take their time to compute.
N_SIDE, N_SIDE_OF_PHASES = 48, 12
# Alloys so near to a section are shown on it: material to be exchanged [% of the campaign's basis].
NEAR = 5.0
N_SLICES = 4
# A triangle smaller than this cannot be told from a point [%].
_LEAST = 1e-6
# Beside the seed, which stream of random numbers the acquisition draws from.
_DRAWING = 11


@dataclass(frozen=True, eq=False)
class Section:
    """A triangle of three elements; every other element, and the process, is held.

    Parameters
    ----------
    snapshot : the campaign
    elements : the three, at the top, the left and the right
    held : amounts of the table's other elements [% of the campaign's basis]
    process : process values, held as well; conditions are those asked for
    like : the alloy whose they are, in words; empty where nothing is held
    lows : (3,) the least of each of the three that is shown [%]
    total : what the three sum to [%]
    """

    snapshot: Snapshot
    elements: tuple[str, str, str]
    held: Mapping[str, float]
    process: Mapping[str, float | str | None]
    like: str
    lows: FloatArray
    total: float

    @property
    def span(self) -> float:
        """How much the three share beyond what each has at least [%]: the side of the triangle."""
        return float(self.total - self.lows.sum())

    @property
    def words(self) -> str:
        """What is held, in words; empty where all elements are shown, and no process is held."""
        sign = BASIS_SIGN[self.snapshot.space.basis]
        kept = [f"{element} {amount:.4g}" for element, amount in self.held.items() if amount > 0]
        own = self.snapshot.space.elements
        none = [element for element, amount in self.held.items() if amount <= 0 and element in own]
        said = [f"{listed(kept)} {sign}"] if kept else []
        said += [f"no {listed(none, 'or')}"] if none else []
        said += [_treatment(name, value) for name, value in self.process.items() if value is not None]
        return ", ".join(said)

    def amounts(self, n_side: int) -> FloatArray:
        """(n, 3) Amounts of the three [%] over the triangle, in rows from its base to its top, n_side steps a side."""
        top, left = np.meshgrid(np.arange(n_side + 1), np.arange(n_side + 1), indexing="ij")
        keep = top + left <= n_side
        steps = np.column_stack([top[keep], left[keep], n_side - top[keep] - left[keep]])
        return np.asarray(self.lows + self.span * steps / n_side)

    def percent(self, amounts: FloatArray) -> FloatArray:
        """(n, n_elements) Amounts of all the table's elements [%], of amounts (n, 3) of the three."""
        elements = self.snapshot.table.elements
        row = np.array([self.held.get(element, 0.0) for element in elements])
        percent = np.tile(row, (len(amounts), 1))
        percent[:, [elements.index(element) for element in self.elements]] = amounts
        return percent

    def alloys(self, amounts: FloatArray) -> Alloys:
        """Amounts (n, 3) of the three as alloys."""
        snapshot = self.snapshot
        fractions = atomic_fractions(self.percent(amounts), snapshot.table.elements, snapshot.space.basis)
        return snapshot.at_conditions(Alloys(snapshot.table.elements, fractions, self._treated(len(amounts))))

    def inside(self, amounts: FloatArray) -> BoolArray:
        """(n,) Which amounts (n, 3) of the three the space and its rules allow, be they on the step or not."""
        space, percent = self.snapshot.space, self.percent(amounts)
        own, others = percent[:, : space.n_elements], percent[:, space.n_elements :]
        return np.asarray(space.contains(own, self._treated(len(amounts))) & (others.sum(axis=1) <= IMPURITIES))

    def _treated(self, n: int) -> dict[str, NDArray[Any]]:
        values = dict(self.snapshot.space.unknown_process(n))
        for name, value in self.process.items():
            if value is not None:
                values[name][:] = value
        return values

    @cached_property
    def off(self) -> FloatArray:
        """(n_rows,) How far each row of the table lies from it: material to be exchanged [%]; NaN without amounts."""
        elements = self.snapshot.table.elements
        amounts = self.snapshot.table.amounts
        others = [i for i, element in enumerate(elements) if element not in self.elements]
        held = np.array([self.held.get(elements[i], 0.0) for i in others])
        apart = np.abs(amounts[:, others] - held).sum(axis=1)
        inside = amounts[:, [elements.index(element) for element in self.elements]].sum(axis=1)
        return np.asarray((apart + np.abs(inside - self.total)) / 2)

    def places(self, rows: BoolArray) -> FloatArray:
        """(m, 3) Where rows of the table would lie on it, in the ratio that the three have in them [%]."""
        columns = [self.snapshot.table.elements.index(element) for element in self.elements]
        amounts = self.snapshot.table.amounts[rows][:, columns]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(amounts * (self.total / amounts.sum(axis=1))[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What is believed over one section.

    Parameters
    ----------
    section : the triangle
    amounts : (n, 3) of its three elements [%]
    values : (n,) what is shown there; NaN where a feature is not known
    inside : (n,) what the space and its rules allow
    """

    section: Section
    amounts: FloatArray
    values: FloatArray
    inside: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """One quantity over one section, or over several.

    Parameters
    ----------
    snapshot : the campaign
    show : which quantity
    label : what it is called, with its unit
    layers : of each section
    remarks : what should be known about it
    """

    snapshot: Snapshot
    show: str
    label: str
    layers: tuple[Layer, ...]
    remarks: tuple[str, ...] = ()

    @property
    def values(self) -> FloatArray:
        """All that is known of the quantity, over all sections."""
        every = np.concatenate([layer.values for layer in self.layers])
        return np.asarray(every[np.isfinite(every)])


def _treatment(name: str, value: float | str) -> str:
    """A process value in words.

    >>> _treatment("ageing_temperature_C", 350.0), _treatment("quench", "water")
    ('ageing temperature 350 °C', 'quench water')
    """
    words, unit = words_and_unit(name)
    return f"{words} {value if isinstance(value, str) else f'{value:g}'} {unit}".rstrip()


def section(
    snapshot: Snapshot, elements: Sequence[str] = (), like: str = "", held: Mapping[str, float] | None = None
) -> Section:
    """The triangle of three elements through an alloy, as far as the bounds of the space reach.

    Parameters
    ----------
    elements : three of the space; where none is named the balance and the two others that the data vary most
    like : the id of a row, or the name of an alloy, through which it goes; the best known, or else the first proposed,
        where it is empty
    held : amounts that other elements have instead of its [% of the campaign's basis]

    Raises
    ------
    AlloyloopError
        where these are not three elements of the space, there is no such alloy, or nothing is left between the bounds
    """
    three = _three(snapshot, elements)
    amounts, process, said = _like(snapshot, like)
    kept = {element: amount for element, amount in amounts.items() if element not in three} | dict(held or {})
    total = 100.0 - sum(kept.values())
    space, sign = snapshot.space, BASIS_SIGN[snapshot.space.basis]
    low, high = space.bounds[:, [space.elements.index(element) for element in three]]
    lows = np.maximum(low, total - (high.sum() - high))
    if total - lows.sum() <= _LEAST:
        others = listed([f"{element} {amount:g}" for element, amount in kept.items() if amount > 0]) or "no other"
        raise AlloyloopError(
            f"With {others} {sign}, {total:g} {sign} are left for {listed(list(three))}, and their bounds leave no "
            "range of that",
            "Name other elements, or the alloy through which the section is to go.",
        )
    return Section(snapshot, three, kept, process, said, lows, total)


def slices(
    snapshot: Snapshot, elements: Sequence[str] = (), like: str = "", amounts: Sequence[float] = ()
) -> tuple[Section, ...]:
    """Triangles of three elements at several amounts of a fourth.

    Parameters
    ----------
    elements : four of the space, of which the last is the fourth
    like : as for `section`
    amounts : of the fourth [% of the campaign's basis]; `N_SLICES` over its range where none is given
    """
    if len(snapshot.space.elements) < 4:
        n = len(snapshot.space.elements)
        raise AlloyloopError(f"Slices take four elements, and this space has {n}", "`ternary` takes three.")
    chosen = tuple(elements) or _most_varied(snapshot, 4)
    if len(chosen) != 4:
        raise AlloyloopError(f"Slices take four elements, and not {len(chosen)}", "Name four, the sliced one last.")
    *three, fourth = chosen
    _check_elements(snapshot, chosen)
    levels = list(amounts) or _levels(snapshot, three, fourth, like)
    return tuple(section(snapshot, three, like, {fourth: level}) for level in levels)


def _levels(snapshot: Snapshot, three: Sequence[str], fourth: str, like: str) -> list[float]:
    """Amounts of a fourth element over its range, as far as the three others leave room for it, on its step."""
    space = snapshot.space
    low, high = dict(zip(space.elements, space.bounds.T.tolist(), strict=True))[fourth]
    others, _, _ = _like(snapshot, like)
    kept = sum(amount for element, amount in others.items() if element not in (*three, fourth))
    least = sum(space.bounds[0, space.elements.index(element)] for element in three)
    levels = np.linspace(low, max(low, min(high, 0.95 * (100.0 - kept - least))), N_SLICES)
    if space.lattice is not None:
        unit = float(space.lattice.unit)
        levels = np.round(levels / unit) * unit
    return sorted({float(level) for level in levels})


def _three(snapshot: Snapshot, elements: Sequence[str]) -> tuple[str, str, str]:
    if len(snapshot.space.elements) < 3:
        n = len(snapshot.space.elements)
        have = f"this space has {n}" if n else "this campaign has no composition"
        raise AlloyloopError(f"A ternary diagram takes three elements, and {have}", "`effects` shows each by itself.")
    chosen = tuple(elements) or _most_varied(snapshot, 3)
    if len(set(chosen)) != 3 or len(chosen) != 3:
        said = listed(list(chosen))
        raise AlloyloopError(f"A ternary diagram takes three elements, and not {said}", "Name three, with commas.")
    _check_elements(snapshot, chosen)
    return chosen[0], chosen[1], chosen[2]


def _check_elements(snapshot: Snapshot, elements: Sequence[str]) -> None:
    for element in elements:
        if element not in snapshot.space.elements:
            raise AlloyloopError(
                f"{element} is not an element of this space", f"Its elements are {listed(snapshot.space.elements)}."
            )


def _most_varied(snapshot: Snapshot, n: int) -> tuple[str, ...]:
    """The balance, then the elements whose amounts differ most among the known alloys, or in the space."""
    *others, balance = snapshot.space.elements
    rows = snapshot.known
    varied = snapshot.table.amounts[rows][:, : len(others)].std(axis=0) if rows.any() else np.zeros(len(others))
    ranges = np.ptp(snapshot.space.bounds[:, :-1], axis=0)
    order = np.lexsort((-ranges, -varied))
    return (balance, *(others[i] for i in order[: n - 1]))


def _like(snapshot: Snapshot, like: str) -> tuple[dict[str, float], dict[str, float | str | None], str]:
    """Amounts of all the table's elements in an alloy [%], its process values, and what it is called."""
    table, row = snapshot.table, None
    if like in table.ids:
        row = table.row(like)
    elif not like:
        ranked, pending = status(snapshot).ranking, np.flatnonzero(table.pending & table.has_composition)
        found = [*ranked[:1], *pending[:1].tolist(), *np.flatnonzero(snapshot.known)[:1].tolist()]
        if not found:
            raise AlloyloopError("There is no alloy yet through which a section could go", "Name one.")
        row = int(found[0])
    if row is not None:
        amounts = dict(zip(table.elements, table.amounts[row].tolist(), strict=True))
        if not np.isfinite(list(amounts.values())).all():
            raise AlloyloopError(
                f"{table.ids[row]} has no composition", "Enter it in experiments.csv, or name another."
            )
        process = {variable.name: plain(snapshot.process[variable.name][row]) for variable in snapshot.space.process}
        return amounts, process, table.ids[row]
    asked = named(snapshot, [like])
    (composition,) = asked.compositions
    assert composition is not None  # the campaign has elements: its callers ask
    if foreign := [element for element in composition.elements if element not in table.elements]:
        raise AlloyloopError(
            f"{listed(foreign)} is not in this campaign", f"Its elements are {listed(table.elements)}."
        )
    vector = composition.vector(table.elements, snapshot.space.basis)
    unknown: dict[str, float | str | None] = dict.fromkeys(variable.name for variable in snapshot.space.process)
    return dict(zip(table.elements, vector.tolist(), strict=True)), unknown, composition.name()


# -- what is shown ----------------------------------------------------------------------------------------------------


def mapped(
    snapshot: Snapshot, sections: Sequence[Section], show: str = "mean", of: str = "", wants: Wishes | None = None
) -> Map:
    """One quantity over some sections.

    Parameters
    ----------
    snapshot : the campaign
    sections : where
    show : `mean`: what is expected; `std`: how little is known, as a standard deviation; `probability` that all wants
        are met; `acquisition`: what one more alloy is worth, beside the best here
    of : which property, of `mean` and `std`; the first that is pursued where it is empty. Of a property that has
        classes, the probability of the one that is asked for is its mean
    wants : of `probability`, see `wants_of`; the campaign's own where not given

    Raises
    ------
    AlloyloopError
        where there is no such property or quantity, or nothing is known of it yet
    """
    if show not in SHOWS:
        raise AlloyloopError(f"There is no map of '{show}'", f"Those are {listed(SHOWS)}.")
    if show == "probability":
        asked = question(snapshot, wants)
        if not any(not want.is_pursued for want in asked.wanted.wants):
            raise AlloyloopError(
                f"No limit is asked for ({listed(asked.words)}), and of that there is no probability",
                "Say one, such as --want 'youngs_modulus_GPa below 60'.",
            )
        meant = [want.words for want in asked.wanted.wants if not want.is_pursued]
        label = f"Probability that {listed([_said(words) for words in meant])} [%]"
        return _layers(snapshot, sections, show, label, _percent(asked.chance), asked.remarks, slow=asked.sees_phases)
    beliefs = believe(snapshot)
    if show == "acquisition":
        label, value, slow = _worth(snapshot, beliefs)
        made = _layers(snapshot, sections, show, label, value, beliefs.remarks, slow=slow)
        return _beside_the_best(made)
    label, value, slow = _about(snapshot, beliefs, show, of)
    return _layers(snapshot, sections, show, label, value, beliefs.remarks, slow=slow)


def _layers(
    snapshot: Snapshot,
    sections: Sequence[Section],
    show: str,
    label: str,
    value: Callable[[Alloys], FloatArray],
    remarks: Sequence[str],
    *,
    slow: bool,
) -> Map:
    layers = []
    for each in sections:
        amounts = each.amounts(N_SIDE_OF_PHASES if slow else N_SIDE)
        layers.append(Layer(each, amounts, value(each.alloys(amounts)), each.inside(amounts)))
    if not any(np.isfinite(layer.values).any() for layer in layers):
        raise AlloyloopError(
            "Nothing can be predicted on this section: features of its alloys are not known", "Name other elements."
        )
    return Map(snapshot, show, label, tuple(layers), tuple(remarks))


def _percent(chance: Callable[[Alloys], FloatArray]) -> Callable[[Alloys], FloatArray]:
    return lambda alloys: 100 * chance(alloys)


def _said(want: str) -> str:
    """A want with its property as a person writes it.

    >>> _said("youngs_modulus_GPa below 60"), _said("phases is beta")
    ("Young's modulus below 60 GPa", 'phases is beta')
    """
    name, _, rest = want.partition(" ")
    words, unit = words_and_unit(name)
    return f"{words} {rest} {unit}".rstrip()


def _about(
    snapshot: Snapshot, beliefs: Beliefs, show: str, of: str
) -> tuple[str, Callable[[Alloys], FloatArray], bool]:
    """The label of the mean or standard deviation of a property, what it is of alloys, and whether that takes time."""
    first = [name for name in pursued(snapshot.goals) if name in beliefs.every]
    name = of or next(iter([*first, *beliefs.every]), "")
    if name not in beliefs.every:
        raise AlloyloopError(_why_not_believed(snapshot, name), _others(beliefs))
    belief = beliefs.every[name]
    words, unit = words_and_unit(name)
    of_unit = f" [{unit}]" if unit else ""
    slow = see_phases([belief.features])
    if isinstance(belief, ClassBelief):
        wanted = classes_wanted(snapshot.class_goals)
        label = wanted[name].label if name in wanted else belief.labels[0]
        column = belief.labels.index(label)
        if show == "std":
            raise AlloyloopError(f"{name} has classes, and their probability is all there is to show", "Show the mean.")
        return (
            f"Probability that {words} is {label} [%]",
            _known(belief, lambda at: 100 * belief.about(at)[:, column]),
            slow,
        )
    if show == "std":
        if name in beliefs.computed:
            raise AlloyloopError(f"{name} is computed, and so not in doubt", "Show the mean.")
        return f"Uncertainty of the {words}{of_unit}", _known(belief, lambda at: belief.about(at).std), slow
    return f"Expected {words}{of_unit}", _known(belief, lambda at: belief.about(at).mean), slow


def _known(belief: Any, value: Callable[[Alloys], FloatArray]) -> Callable[[Alloys], FloatArray]:
    """What is said of the alloys whose features are known, NaN of the others."""

    def of(alloys: Alloys) -> FloatArray:
        known = belief.features.known(alloys)
        values = np.full(len(alloys), np.nan)
        if known.any():
            values[known] = value(alloys.rows(known))
        return values

    return of


def _why_not_believed(snapshot: Snapshot, name: str) -> str:
    if not name:
        return "No property has been measured often enough to model"
    if name in {**snapshot.goals, **snapshot.class_goals}:
        return f"{name} has not been measured often enough to model"
    return f"There is no property '{name}' in campaign.yaml"


def _others(beliefs: Beliefs) -> str:
    known = listed(list(beliefs.every))
    return f"Known are {known}." if known else "`alloyloop record` enters measurements."


def _worth(snapshot: Snapshot, beliefs: Beliefs) -> tuple[str, Callable[[Alloys], FloatArray], bool]:
    """The log of what one more alloy is worth, as the next `suggest` would count it; what is pending is to come."""
    if not is_measured(snapshot, beliefs):
        raise AlloyloopError(
            "What is pursued has not been measured yet, so that no alloy is worth more than another",
            "`alloyloop record` enters measurements.",
        )
    rng = np.random.default_rng([snapshot.spec.seed, _DRAWING])
    manner = Manner(acquisition=snapshot.spec.acquisition, explore=snapshot.spec.explore)
    worth, ahead, _ = worth_next(snapshot, beliefs, 1, rng, scatter(snapshot)[0], manner, budget(snapshot))
    name = worth.rule.name.removeprefix("log-").replace("-", " ")
    return f"{name[:1].upper()}{name[1:]}, of the best here [%]", worth.value, see_phases(ahead.outlook.seen)


def _beside_the_best(made: Map) -> Map:
    """Logs of worth as shares of the best that the space allows on the map, or else of the best [%]."""
    inside = np.concatenate([layer.values[layer.inside & np.isfinite(layer.values)] for layer in made.layers])
    best = float(inside.max() if len(inside) else made.values.max())
    layers = tuple(
        Layer(each.section, each.amounts, np.minimum(100 * np.exp(each.values - best), 100.0), each.inside)
        for each in made.layers
    )
    return Map(made.snapshot, made.show, made.label, layers, made.remarks)
