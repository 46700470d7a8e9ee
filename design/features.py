"""What a surrogate sees of a design: atomic fractions, descriptors, formulas, what a user brings, and the process."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .calphad import Calphad
from .composition import Basis, amounts_in
from .descriptors import DESCRIPTORS, descriptor
from .diagram import IntArray
from .element_properties import ElementProperty
from .formulas import Formula, spelled
from .process import Choice, Condition, Numeric, Process
from .space import DesignSpace

Treatment = Numeric | Choice | Condition
BoolArray = NDArray[np.bool_]

FEATURE_SETS = ("composition", "descriptors", "both")


@dataclass(frozen=True, slots=True, eq=False)
class Alloys:
    """n designs as numbers: what is in them and how they are treated.

    Parameters
    ----------
    elements : the elements, absent ones included
    fractions : (n, n_elements) atomic fractions, rows summing to 1
    process : values of each process variable, condition and further number, n of each; NaN or None where not known
    """

    elements: tuple[str, ...]
    fractions: FloatArray
    process: Process

    def __len__(self) -> int:
        return len(self.fractions)

    def __add__(self, others: Alloys) -> Alloys:
        """These alloys, then others of the same elements; what only one of the two tells is not known of the other."""
        process = {
            name: np.concatenate([_told(self, name, others), _told(others, name, self)])
            for name in dict.fromkeys((*self.process, *others.process))
        }
        return Alloys(self.elements, np.vstack([self.fractions, others.fractions]), process)

    def rows(self, chosen: NDArray[np.bool_] | IntArray) -> Alloys:
        """Some of them, by mask or by index."""
        process = {name: values[chosen] for name, values in self.process.items()}
        return Alloys(self.elements, self.fractions[chosen], process)


def _told(alloys: Alloys, name: str, others: Alloys) -> NDArray[Any]:
    """Process values of some alloys; unknown ones, of the kind that others have, where they tell none. (n,)"""
    if name in alloys.process:
        return alloys.process[name]
    words = others.process[name].dtype == object
    return np.full(len(alloys), None, dtype=object) if words else np.full(len(alloys), np.nan)


def alloys_at(space: DesignSpace, points: IntArray, elements: tuple[str, ...]) -> Alloys:
    """Points of a space as alloys over `elements`, which hold the space's own first."""
    absent = np.zeros((len(points), len(elements) - space.n_elements))
    return Alloys(elements, np.column_stack([space.fractions(points), absent]), space.process_values(points))


@dataclass(frozen=True, slots=True)
class Column:
    """A number that a user keeps of alloys that were made, such as a grain size; of a new design it is not known.

    Parameters
    ----------
    name : with its unit
    middle : what stands where it is not known
    is_feature : whether it is one itself, and not only part of formulas
    """

    name: str
    middle: float = 0.0
    is_feature: bool = True


@dataclass(frozen=True)
class Features:
    """A map from designs to the numbers a surrogate is fitted on.

    Parameters
    ----------
    elements : the elements whose atomic fractions are seen
    composition : whether the atomic fractions themselves are features
    descriptors : names of the descriptors that are features
    process : process variables and conditions that are features; a choice is one column a level
    formulas : that are features
    tables : properties of the elements, of which the mean and the standard deviation over the atoms are features
    columns : further numbers, by name among the process values of alloys; not known where they are not there
    calphad : phase equilibria of which columns are features; not known where one could not be computed
    calphad_columns : which of its columns; all where none is named
    unknown : how a process value or a further number that is not known is told. `flagged`: a choice is none of its
        levels, a number stands at the middle of its range (a condition: at its `at`) beside a column that says so.
        `integrated`: NaN, a formula of it too, for a surrogate that averages over what it may be (see `blanks`)

    Raises
    ------
    AlloyloopError
        where there is no feature, or two have one name
    """

    elements: tuple[str, ...]
    composition: bool = True
    descriptors: tuple[str, ...] = ()
    process: tuple[Treatment, ...] = ()
    formulas: tuple[Formula, ...] = ()
    tables: tuple[ElementProperty, ...] = ()
    columns: tuple[Column, ...] = ()
    unknown: Literal["flagged", "integrated"] = "flagged"
    calphad: Calphad | None = None
    calphad_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        if not names:
            raise AlloyloopError("There is no feature to learn from", "Name a descriptor, or write features: auto.")
        if twice := sorted(name for name in names if names.count(name) > 1):
            raise AlloyloopError(f"There are two features named {twice[0]}", "Take one out, or give it another name.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that `encode` makes."""
        return tuple(name for part in self._parts() for name in part.meanings)

    @property
    def blanks(self) -> tuple[int, ...]:
        """Which columns may be NaN for a value that is not known; none where unknown values are flagged."""
        may = [part.unknown is not None for part in self._parts() for _ in part.meanings]
        return tuple(i for i, is_blank in enumerate(may) if is_blank)

    def meaning(self, name: str) -> str:
        """What a column is, in a line.

        Examples
        --------
        >>> Features(("Nb", "Ti"), descriptors=("vec",)).meaning("vec")
        'Valence electron concentration, d electrons counted also where the shell is full [-]'
        """
        return {name: said for part in self._parts() for name, said in part.meanings.items()}[name]

    def encode(self, alloys: Alloys) -> FloatArray:
        """Alloys as features.

        Returns
        -------
        (n, n_features), NaN where a descriptor or a property needs an element's value that is not in its table, where
        a formula has no value, and in `blanks` for what is not known
        """
        seen, parts = _Seen(self, alloys), self._parts()
        encoded = np.empty((len(alloys), sum(len(part.meanings) for part in parts)))
        start = 0
        for part in parts:
            stop = start + len(part.meanings)
            encoded[:, start:stop] = part.values(seen)
            start = stop
        return encoded

    def known(self, alloys: Alloys) -> BoolArray:
        """(n,) Of which alloys all features are known, but for what `blanks` may leave open."""
        seen, known = _Seen(self, alloys), np.ones(len(alloys), dtype=np.bool_)
        for part in self._parts():
            finite = np.isfinite(part.values(seen)).all(axis=1)
            known &= finite if part.unknown is None else finite | part.unknown(seen)
        return known

    def without_phases(self, alloys: Alloys) -> BoolArray:
        """(n,) Of which alloys a column of `calphad` that is a feature is not known."""
        if self.calphad is None:
            return np.zeros(len(alloys), dtype=np.bool_)
        values = _phases(self.calphad, self.calphad_columns).values(_Seen(self, alloys))
        return np.asarray(np.isnan(values).any(axis=1))

    def undefined(self, alloys: Alloys) -> dict[int, str]:
        """Of which alloys a formula has no value although all that it names is known, with what is wrong, in words."""
        seen, found = _Seen(self, alloys), dict[int, str]()
        for formula in self.formulas:
            named = {name: seen.value(name, formula.basis) for name in formula.names}
            is_known = np.all([np.isfinite(values) for values in named.values()], axis=0)
            without = is_known & np.isnan(formula.values(named.__getitem__))
            for row in np.flatnonzero(without).tolist():
                where = " and ".join(f"{name} = {values[row]:.4g}" for name, values in named.items())
                found.setdefault(row, f"'{formula.text}' has no value where {where}")
        return found

    def _parts(self) -> list[_Part]:
        parts = [_fractions(self.elements)] if self.composition else []
        parts += [_descriptor(name) for name in self.descriptors]
        parts += [_formula(formula, self._unsure(formula)) for formula in self.formulas]
        parts += [_table(table) for table in self.tables]
        parts += [_phases(self.calphad, self.calphad_columns)] if self.calphad is not None else []
        integrated = self.unknown == "integrated"
        for variable in self.process:
            if isinstance(variable, Choice):
                parts.append(_choice(variable, integrated=integrated))
            else:
                parts.append(_number(variable.name, _treatment(variable), integrated=integrated))
        said = "a column of experiments.csv, not known of a new design"
        parts += [_number(column.name, said, integrated=integrated) for column in self.columns if column.is_feature]
        return parts

    def _unsure(self, formula: Formula) -> tuple[str, ...]:
        """What a formula names that may not be known, where that is to be integrated out."""
        if self.unknown == "flagged":
            return ()
        return tuple(name for name in formula.names if name in self.fillings)

    @property
    def fillings(self) -> dict[str, float]:
        """What stands for numbers that are not known where these are flagged, by name."""
        variables = (variable for variable in self.process if not isinstance(variable, Choice))
        return {spelled(known.name): known.middle for known in (*variables, *self.columns)}


class _Seen:
    """What is known of n alloys, name by name, each worked out once."""

    def __init__(self, features: Features, alloys: Alloys) -> None:
        self.alloys = alloys
        self._fillings = features.fillings
        self._flagged = features.unknown == "flagged"
        self._spelled = {spelled(name): name for name in alloys.process}
        self._found: dict[tuple[str, Basis | None], FloatArray] = {}

    def number(self, name: str) -> FloatArray:
        """(n,) A process variable, a condition or a further number; NaN where not known."""
        if (known := self._spelled.get(spelled(name))) is None:
            return np.full(len(self.alloys), np.nan)
        return np.asarray(self.alloys.process[known], dtype=np.float64)

    def filled(self, name: str) -> FloatArray:
        """(n,) The same, with what stands there where not known."""
        numbers = self.number(name)
        return np.where(np.isfinite(numbers), numbers, self._fillings[spelled(name)])

    def descriptor(self, name: str) -> FloatArray:
        """(n,) NaN where not known."""
        if (name, None) not in self._found:
            self._found[name, None] = descriptor(name).function(self.alloys.fractions, self.alloys.elements)
        return self._found[name, None]

    def amount(self, element: str, basis: Basis) -> FloatArray:
        """(n,) How much of an element there is [%]."""
        if (element, basis) not in self._found:
            amounts = amounts_in(self.alloys.fractions, self.alloys.elements, basis)
            self._found |= {(symbol, basis): amounts[:, i] for i, symbol in enumerate(self.alloys.elements)}
        return self._found[element, basis]

    def value(self, name: str, basis: Basis) -> FloatArray:
        """(n,) What a name in a formula stands for."""
        if name in self._fillings:
            return self.filled(name) if self._flagged else self.number(name)
        return self.amount(name, basis) if name in self.alloys.elements else self.descriptor(name)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some columns of what a surrogate sees.

    Parameters
    ----------
    meanings : what each column is, by its name
    values : (n, n_columns) of alloys
    unknown : (n,) of which alloys it is not known what they are; None where it always is
    """

    meanings: Mapping[str, str]
    values: Callable[[_Seen], FloatArray]
    unknown: Callable[[_Seen], BoolArray] | None = None


def _fractions(elements: tuple[str, ...]) -> _Part:
    said = {f"{element}_fraction": f"atomic fraction of {element}, from 0 to 1" for element in elements}
    return _Part(said, lambda seen: seen.alloys.fractions)


def _descriptor(name: str) -> _Part:
    asked = descriptor(name)
    said = (asked.function.__doc__ or asked.formula).partition("\n")[0].rstrip(".")
    return _Part({name: f"{said} [{asked.unit}]"}, lambda seen: seen.descriptor(name)[:, None])


def _formula(formula: Formula, unsure: tuple[str, ...]) -> _Part:
    said = f"computed; amounts of elements in {'wt' if formula.basis == 'wt_pct' else 'at'}.%"

    def values(seen: _Seen) -> FloatArray:
        return formula.values(partial(seen.value, basis=formula.basis))[:, None]

    def unknown(seen: _Seen) -> BoolArray:
        return np.asarray(np.any([np.isnan(seen.number(name)) for name in unsure], axis=0))

    return _Part({formula.text: said}, values, unknown if unsure else None)


def _table(table: ElementProperty) -> _Part:
    mean, std = table.names
    by = f"of {table.name} over the atoms" + (f" ({table.source})" if table.source else "")
    said = {mean: f"mean {by}", std: f"standard deviation {by}"}
    return _Part(said, lambda seen: np.column_stack(table.mean_and_std(seen.alloys.fractions, seen.alloys.elements)))


def _phases(calphad: Calphad, columns: tuple[str, ...]) -> _Part:
    said, asked = calphad.meanings, columns or calphad.names
    chosen = [calphad.names.index(name) for name in asked]
    return _Part(
        {name: said[name] for name in asked},
        lambda seen: calphad.compute(seen.alloys.fractions, seen.alloys.elements)[:, chosen],
    )


def _choice(variable: Choice, *, integrated: bool) -> _Part:
    said = {f"{variable.name}={word}": f"1 where {variable.name} is {word}, else 0" for word in variable.choices}

    def levels(seen: _Seen) -> BoolArray:
        words = np.asarray(seen.alloys.process[variable.name], dtype=object)
        return np.column_stack([words == word for word in variable.choices])

    def unknown(seen: _Seen) -> BoolArray:
        return np.asarray(~levels(seen).any(axis=1))

    def values(seen: _Seen) -> FloatArray:
        is_level = levels(seen).astype(np.float64)
        if integrated:
            is_level[~is_level.any(axis=1)] = np.nan
        return is_level

    return _Part(said, values, unknown if integrated else None)


def _number(name: str, said: str, *, integrated: bool) -> _Part:
    if integrated:
        return _Part({name: said}, lambda seen: seen.number(name)[:, None], lambda seen: np.isnan(seen.number(name)))

    def values(seen: _Seen) -> FloatArray:
        return np.column_stack([seen.filled(name), np.isfinite(seen.number(name))])

    return _Part({name: said, f"{name} known": f"1 where {name} is known, else 0"}, values)


def _treatment(variable: Numeric | Condition) -> str:
    if isinstance(variable, Condition):
        return f"a condition, predicted at {variable.at:g}"
    return f"a process variable, {variable.low:g} to {variable.high:g}"


def together(sets: Sequence[Features]) -> Features:
    """Features that hold all columns of several that differ in composition, descriptors and phases alone."""
    descriptors = dict.fromkeys(name for seen in sets for name in seen.descriptors)
    calphad = next((seen.calphad for seen in sets if seen.calphad is not None), None)
    composition = any(seen.composition for seen in sets)
    return replace(sets[0], composition=composition, descriptors=tuple(descriptors), calphad=calphad)


def telling_descriptors(alloys: Alloys) -> tuple[str, ...]:
    """The descriptors that can teach something: known for every alloy, meant for most, and not the same for all."""
    names = []
    for name in DESCRIPTORS:
        asked = descriptor(name)
        values = asked.function(alloys.fractions, alloys.elements)
        meant = asked.valid(alloys.fractions, alloys.elements).mean() >= 0.5
        if meant and np.isfinite(values).all() and np.ptp(values) > 1e-9 * max(1.0, float(np.abs(values).max())):
            names.append(name)
    return tuple(names)


def known_for(names: Sequence[str], elements: tuple[str, ...]) -> tuple[str, ...]:
    """The descriptors that are known for any alloy of these elements, by one that holds them all."""
    fractions = np.full((1, len(elements)), 1 / len(elements))
    return tuple(name for name in names if np.isfinite(descriptor(name).function(fractions, elements)).all())


def feature_set(
    name: str,
    descriptors: tuple[str, ...],
    elements: tuple[str, ...],
    process: tuple[Treatment, ...],
    calphad: Calphad | None = None,
) -> Features:
    """The features of a name, `composition`, `descriptors` or `both`, where `descriptors` are those that can tell.

    Where none can, as of a single alloy, there is the composition. All columns of `calphad` stand beside descriptors.
    """
    if name not in FEATURE_SETS:
        raise AlloyloopError(
            f"There is no feature set named {name!r}",
            f"Write auto, {', '.join(FEATURE_SETS)}, or a list of descriptors.",
        )
    composition = name != "descriptors" or not descriptors
    if name == "composition":
        return Features(elements, process=process)
    return Features(elements, composition, descriptors, process, calphad=calphad)


def designs(alloys: Alloys) -> IntArray:
    """(n,) a number for each alloy, the same for alloys of one composition, process and conditions.

    Examples
    --------
    >>> designs(Alloys(("Ti",), np.ones((3, 1)), {"quench": np.array(["air", "water", "air"], dtype=object)}))
    array([0, 1, 0])
    """
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in _keys(alloys)], dtype=np.int64)


def _keys(alloys: Alloys) -> Iterator[Hashable]:
    treatments = [values.tolist() for values in alloys.process.values()]
    for i, row in enumerate(alloys.fractions.round(9).tolist()):
        yield (*row, *(str(values[i]) for values in treatments))
