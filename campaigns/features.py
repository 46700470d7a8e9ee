"""The key `features` of campaign.yaml: what its entries mean in one campaign, and whether every alloy has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal

import numpy as np

from ..design.calphad import Calphad
from ..design.composition import Basis
from ..design.descriptors import DESCRIPTORS
from ..design.element_properties import ElementProperty
from ..design.features import Alloys, Column, Features, Treatment, alloys_at, known_for
from ..design.formulas import Formula, parse_formula, spelled
from ..design.process import Choice, Numeric
from ..design.rules import Names, plainly
from ..design.space import DesignSpace
from ..surrogates.errors import AlloyloopError
from .amounts import COMPOSITION_COLUMN
from .element_tables import TABLES, read_element_table
from .problems import Problem
from .spec import CampaignSpec, Mistakes, Written
from .table import FIRST_COLUMNS, LAST_COLUMNS, ExperimentTable

# Designs that are drawn and asked whether formulas have a value for them.
N_DRAWN = 1024
_UNDEFINED = "Write a formula that has a value there too, such as Zr / (Nb + 1), or keep such alloys out by a bound."


@dataclass(frozen=True, slots=True)
class NamedFeatures:
    """What a list under `features` names.

    Parameters
    ----------
    composition : whether it names the composition
    telling : whether it names the descriptors that can tell something
    descriptors, formulas, tables : likewise, one by one
    columns : of experiments.csv, that are features themselves
    in_formulas : columns of experiments.csv that formulas name
    remarks : what was assumed on reading the tables
    calphad : columns that the key calphad makes
    """

    composition: bool = False
    telling: bool = False
    descriptors: tuple[str, ...] = ()
    formulas: tuple[Formula, ...] = ()
    tables: tuple[ElementProperty, ...] = ()
    columns: tuple[str, ...] = ()
    in_formulas: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    calphad: tuple[str, ...] = ()

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns of experiments.csv that models are to see, each once."""
        return tuple(dict.fromkeys((*self.columns, *self.in_formulas)))

    def features(
        self,
        alloys: Alloys,
        process: tuple[Treatment, ...],
        telling: Sequence[str] = (),
        unknown: Literal["flagged", "integrated"] = "flagged",
        calphad: Calphad | None = None,
    ) -> Features:
        """What a surrogate is to see.

        Parameters
        ----------
        alloys : that it learns from
        process : process variables and conditions, which are seen beside whatever is named
        telling : the descriptors that can tell something
        unknown : see `Features`
        calphad : of which it may name columns
        """
        columns = tuple(Column(name, _middle(alloys, name), name in self.columns) for name in self.all_columns)
        named = (*self.descriptors, *(telling if self.telling else ()))
        return Features(
            alloys.elements,
            # Where no descriptor tells anything, as of a single alloy, and nothing else is named, the composition does.
            self.composition or (self.telling and not named),
            tuple(dict.fromkeys(named)),
            process,
            self.formulas,
            self.tables,
            columns,
            unknown,
            calphad if self.calphad else None,
            self.calphad,
        )


def _middle(alloys: Alloys, name: str) -> float:
    values = alloys.process[name] if name in alloys.process else np.empty(0)
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def named_features(
    written: Written, space: DesignSpace, columns: Sequence[str], folder: Path | None = None
) -> NamedFeatures | None:
    """What `features` names, where it is a list; None where it is a word.

    Parameters
    ----------
    written : campaign.yaml
    space : that it describes
    columns : of experiments.csv
    folder : where tables of elements lie

    Raises
    ------
    CampaignFileError
        with every mistake, each with its line
    """
    asked = written.spec.features
    if isinstance(asked, str):
        return None
    reader, mistakes = _Reader(written.spec, space, columns, folder or Path()), Mistakes(written)
    for i, text in enumerate(asked):
        with mistakes.at("features", i):
            if text in asked[:i]:
                raise AlloyloopError(f"'{text}' is named twice", "Take one out.")
            reader.read(text)
    mistakes.raise_any()
    found = reader.found()
    with mistakes.at("features"):
        nothing = Alloys(space.elements, np.empty((0, space.n_elements)), {})
        # Columns of calphad alone are enough; the database is not read for that.
        seen = replace(found, composition=True) if found.calphad else found
        seen.features(nothing, _treatments(space), unknown="integrated")
    with mistakes.at("calphad"):
        if written.spec.calphad is not None and not found.calphad:
            raise AlloyloopError(
                "Nothing would see its columns: features is a list that names none of them",
                "Name calphad there, or one of its columns, or take the key out.",
            )
    mistakes.raise_any()
    return found


def _treatments(space: DesignSpace) -> tuple[Treatment, ...]:
    return (*space.process, *space.conditions)


class _Reader:
    """Reads the entries of the list one after another."""

    def __init__(self, spec: CampaignSpec, space: DesignSpace, columns: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self._elements = space.elements
        self._basis: Basis = space.basis
        numbers = (variable.name for variable in space.process if isinstance(variable, Numeric))
        choices = {variable.name: variable.choices for variable in space.process if isinstance(variable, Choice)}
        conditions = (condition.name for condition in space.conditions)
        self._names = Names(space.elements, (*numbers, *conditions), choices)
        self._results = {f"{name}{part}": name for name in spec.properties for part in ("", "_std", "_n")}
        self._columns = {spelled(name): name for name in columns if name and not self._is_ours(name)}
        self._named = dict.fromkeys(("composition", "descriptors"), False)
        self._asked = spec.calphad
        self._calphad: dict[str, None] = {}
        self._descriptors: list[str] = []
        self._formulas: list[Formula] = []
        self._tables: list[ElementProperty] = []
        self._own: list[str] = []
        self._remarks: list[str] = []

    def found(self) -> NamedFeatures:
        """What has been read."""
        named = (name for formula in self._formulas for name in formula.names)
        in_formulas = (self._columns[name] for name in named if name in self._columns and not self._is_known(name))
        return NamedFeatures(
            self._named["composition"],
            self._named["descriptors"],
            tuple(self._descriptors),
            tuple(self._formulas),
            tuple(self._tables),
            tuple(self._own),
            tuple(dict.fromkeys(in_formulas)),
            tuple(self._remarks),
            tuple(self._calphad),
        )

    def read(self, text: str) -> None:
        """Take in one entry."""
        if text in self._named:
            self._refuse_without_composition(text)
            self._named[text] = True
        elif text == "calphad" or (self._asked is not None and text in self._asked.columns):
            if self._asked is None:
                raise AlloyloopError(
                    "There is no key calphad, of which there would be columns", "Add it; docs/calphad.md says how."
                )
            self._calphad |= dict.fromkeys(self._asked.columns if text == "calphad" else (text,))
        elif PurePath(text).suffix.lower() in TABLES:
            self._refuse_without_composition(text)
            properties, remarks = read_element_table(self._folder, text, self._elements)
            self._tables += properties
            self._remarks += remarks
        elif text in self._names.numbers or text in self._names.choices:
            pass  # seen beside whatever is named
        elif text in DESCRIPTORS and text not in self._elements:
            self._read_descriptor(text)
        elif spelled(text) in self._columns and text not in self._elements:
            self._own.append(self._columns[spelled(text)])
        else:
            self._refuse_results((text,))
            self._refuse_results(Formula(plainly(text)).names)
            self._formulas.append(parse_formula(text, self._names, self._columns, self._basis))

    def _read_descriptor(self, name: str) -> None:
        self._refuse_without_composition(name)
        if not known_for((name,), self._elements):
            raise AlloyloopError(
                f"The feature {name} is not known for every alloy of {', '.join(self._elements)}",
                "Take it out of features: the element table lacks a value, or the formula is not for all of these.",
            )
        self._descriptors.append(name)

    def _refuse_without_composition(self, text: str) -> None:
        if not self._elements:
            raise AlloyloopError(
                f"There is no composition, of which {text} would say something", "Name process variables or columns."
            )

    def _refuse_results(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._results:
                raise AlloyloopError(
                    f"{name} is a result: it is not known before an alloy is made and measured",
                    f"Take {self._results[name]} out of properties if other properties are to be predicted from it.",
                )

    def _is_ours(self, name: str) -> bool:
        """Whether a column has a meaning of its own."""
        is_amount = COMPOSITION_COLUMN.fullmatch(name) is not None
        return is_amount or name in self._results or name in (*FIRST_COLUMNS, *LAST_COLUMNS)

    def _is_known(self, name: str) -> bool:
        """Whether a name in a formula stands for something before it stands for a column."""
        known: Collection[str] = {*self._elements, *(DESCRIPTORS if self._elements else ())}
        return name in known or name in map(spelled, self._names.numbers)


# -- where formulas have no value -------------------------------------------------------------------------------------


def _formulas_alone(named: NamedFeatures, elements: tuple[str, ...], space: DesignSpace) -> Features:
    columns = tuple(Column(name) for name in named.all_columns)
    return Features(
        elements,
        composition=False,
        process=_treatments(space),
        formulas=named.formulas,
        columns=columns,
        unknown="integrated",
    )


def undefined_rows(
    named: NamedFeatures, space: DesignSpace, table: ExperimentTable, alloys: Alloys
) -> tuple[Problem, ...]:
    """The mistakes of rows of which a formula has no value, though all is known that it names.

    Parameters
    ----------
    named : what `features` names
    space, table : of the campaign
    alloys : every row of the table
    """
    rows = np.flatnonzero(table.has_composition)
    if not named.formulas:
        return ()
    without = _formulas_alone(named, alloys.elements, space).undefined(alloys.rows(rows))
    return tuple(
        table.sheet.problem(int(rows[i]), None, f"The feature {said}", _UNDEFINED)
        for i, said in sorted(without.items())
    )


def undefined_designs(written: Written, named: NamedFeatures, space: DesignSpace) -> tuple[Problem, ...]:
    """The mistake of a space of which some designs drawn are such that a formula has no value."""
    if not named.formulas or space.count == 0:
        return ()
    ends = space.at(sorted({0, space.count - 1}))
    points = np.vstack([ends, space.diagram.sample(N_DRAWN, np.random.default_rng(0))])
    without = _formulas_alone(named, space.elements, space).undefined(alloys_at(space, points, space.elements))
    for i, said in sorted(without.items()):
        if space.allows(points[[i]]).all():
            said = f"The feature {said}, as in designs of this space"
            return (written.problem(("features",), said, _UNDEFINED),)
    return ()
