"""A campaign as it stands on disk at one moment: the question, the space and the table, read and checked."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.calphad import Calphad
from ..design.composition import Composition, atomic_fractions
from ..design.computed import ComputedBelief, computed
from ..design.cost import Cost
from ..design.diagram import IntArray
from ..design.features import Alloys
from ..design.goals import Goal
from ..design.process import Numeric, Process
from ..design.rules import TOLERANCE
from ..design.space import DesignSpace
from ..surrogates.base import FloatArray
from .answers import design_name
from .calphad_files import KeptCalphad
from .changes import UNDONE
from .features import NamedFeatures, named_features, undefined_rows
from .folder import Folder
from .problems import CampaignFileError, Problem
from .recovering import experiments_now
from .spaces import design_space, layout
from .spec import CampaignSpec, Written, read_written
from .table import ExperimentTable

BoolArray = NDArray[np.bool_]

# Measured values are compared with each other where their conditions differ by less than this share of their range.
NEAR = 0.05
# Elements outside the space, up to this much together [%], are impurities: oxygen in titanium, iron in magnesium.
IMPURITIES = 0.5


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What campaign.yaml and experiments.csv say.

    Parameters
    ----------
    folder : where they are
    written : the question as it was written
    space : the design space it describes
    table : the experiments
    assumed : what was rounded or assumed on reading the question
    named : what `features` names, where it is a list
    phases : what is asked of a thermodynamic database
    """

    folder: Folder
    written: Written
    space: DesignSpace
    table: ExperimentTable
    assumed: tuple[str, ...] = ()
    named: NamedFeatures | None = None
    phases: KeptCalphad | None = None

    @property
    def spec(self) -> CampaignSpec:
        """The question."""
        return self.written.spec

    @property
    def calphad(self) -> Calphad | None:
        """What is asked of a thermodynamic database, which is read when this is first asked for.

        Raises
        ------
        CampaignFileError
            where it cannot answer
        """
        return None if self.phases is None else self.phases.calphad

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask models in the block on one thread, and keep in the folder's cache what was computed in it of phases.

        Matrices here are small: on a busy machine, threads that wait for each other take four times as long.
        """
        from threadpoolctl import threadpool_limits

        keeping = nullcontext() if self.phases is None else self.phases.kept()
        with threadpool_limits(limits=1, user_api="blas"), keeping:
            yield

    @property
    def goals(self) -> dict[str, Goal]:
        """The goals of numeric properties, by name."""
        return self.spec.goals

    @property
    def learned(self) -> dict[str, Goal]:
        """The goals of the numeric properties that are measured and modelled, by name."""
        return self.spec.learned

    @property
    def cost(self) -> Cost | None:
        """What a melt costs; None where campaign.yaml does not say."""
        return None if self.spec.cost is None else self.spec.cost.meaning()

    @property
    def computed(self) -> dict[str, ComputedBelief]:
        """The numeric properties that are computed, by name."""
        return {name: computed(name, self.cost) for name in self.spec.computed}

    @property
    def class_goals(self) -> dict[str, Goal]:
        """The goals of the properties that have classes, by name."""
        return self.spec.class_goals

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was rounded, scaled or assumed on reading."""
        wanted = (*self.learned, *self.table.layout.classes)
        missing = [name for name in wanted if name not in self.table.sheet.columns]
        unmeasured = [f"experiments.csv has no column {name} yet; `record` adds it." for name in missing]
        passed_over = [
            f"experiments.csv has a column {name}, which is computed: its values are not used. If they were measured "
            "and are wanted, give the property another name in both files."
            for name in self.spec.computed
            if name in self.table.sheet.columns
        ]
        return (*self.assumed, *self.table.remarks, *unmeasured, *passed_over)

    @cached_property
    def process(self) -> dict[str, NDArray[Any]]:
        """Process values and conditions of every row, NaN or None where not known."""
        values: dict[str, NDArray[Any]] = {}
        for variable in (*self.space.process, *self.space.conditions):
            column = self.table.process[variable.name]
            values[variable.name] = column if isinstance(column, np.ndarray) else np.array(column, dtype=object)
        return values

    @property
    def known(self) -> BoolArray:
        """(n,) The rows that can teach: known or measured, with a composition."""
        return self.table.usable

    def values(self, name: str) -> FloatArray:
        """(n,) What was measured of a property, or is computed of it for each row; NaN where it is not known."""
        if name in self.spec.computed:
            return self.computed[name].of(self.alloys())
        return self.table.values(name)

    def std(self, name: str) -> FloatArray:
        """(n,) Standard deviation between replicates of a property; NaN where it is not known, or computed."""
        return np.full(len(self.table), np.nan) if name in self.spec.computed else self.table.std(name)

    def with_value(self, name: str) -> BoolArray:
        """(n,) The rows known by a value of one property: computed, or measured and not censored."""
        if name in self.spec.computed:
            return np.asarray(self.known & np.isfinite(self.values(name)))
        return np.asarray(self.known & np.isfinite(self.table.values(name)) & (self.table.censored(name) == ""))

    def alloys(self) -> Alloys:
        """Every row as measured where it was, else as planned; over the table's elements, the space's first."""
        fractions = atomic_fractions(self.table.amounts, self.table.elements, self.space.basis)
        return Alloys(self.table.elements, fractions, {**self.process, **self.table.extra})

    def at_conditions(self, alloys: Alloys) -> Alloys:
        """The same alloys under the conditions that campaign.yaml asks for."""
        asked = {condition.name: np.full(len(alloys), condition.at) for condition in self.space.conditions}
        return Alloys(alloys.elements, alloys.fractions, {**alloys.process, **asked})

    def near_conditions(self) -> BoolArray:
        """(n,) The rows tested under the conditions asked for, within `NEAR` of their range, or not known how."""
        near = np.ones(len(self.table), dtype=bool)
        for condition in self.space.conditions:
            values = self.process[condition.name]
            known = np.isfinite(values)
            slack = NEAR * np.ptp(values[known]) if known.any() else 0.0
            near &= ~known | (np.abs(values - condition.at) <= slack)
        return near

    def in_space(self) -> BoolArray:
        """(n,) The rows that could have been proposed but for their step: inside the bounds and the rules.

        A process value that is not known is inside its bounds, and keeps no rule that asks for it.
        """
        own = np.nan_to_num(self.table.amounts[:, : self.space.n_elements], nan=-1.0)
        inside = self.space.contains(own, self.process) & ~self._foreign(self.table.amounts)
        for variable in self.space.process:
            if isinstance(variable, Numeric):
                values = self.process[variable.name]
                slack = TOLERANCE * max(1.0, abs(variable.low), abs(variable.high))
                inside &= ~((values < variable.low - slack) | (values > variable.high + slack))
        return np.asarray(inside)

    def _foreign(self, amounts: FloatArray) -> BoolArray:
        """(n,) The rows that hold more of elements outside the space than impurities do."""
        return np.asarray(np.nan_to_num(amounts[:, self.space.n_elements :]).sum(axis=1) > IMPURITIES)

    def taken(self) -> IntArray:
        """The points of the space that a row already stands on, but for suggestions that were taken back. (m, d)"""
        sheet = self.table.sheet
        reasons = sheet.column("reason") if "reason" in sheet.positions else ("",) * len(self.table)
        undone = np.array([reason == UNDONE["reason"] for reason in reasons], dtype=bool)
        return self._points(~(undone & self.table.is_row(UNDONE["status"])))

    def pending_points(self) -> IntArray:
        """The points of the space whose alloys are proposed or being made. (m, d)"""
        return self._points(self.table.pending)

    def _points(self, rows: BoolArray) -> IntArray:
        """The points that some rows stand on, as planned or else as analysed."""
        nominal = self.table.nominal
        planned = np.where(np.isfinite(nominal), nominal, self.table.measured)
        points, near = self.space.snap(planned[:, : self.space.n_elements], self.process)
        found: IntArray = points[rows & near & ~self._foreign(planned)]
        return found

    def composition(self, row: int) -> Composition | None:
        """What one row consists of, as planned or else as analysed, in the campaign's basis, the balance first.

        None where neither is known, or the campaign has no composition.
        """
        if not self.space.elements:
            return None
        planned, analysed = self.table.nominal[row], self.table.measured[row]
        known = planned if np.isfinite(planned).all() else analysed
        if not np.isfinite(known).all():
            return None
        balance = self.space.elements[-1]
        amounts = dict(zip(self.table.elements, known.tolist(), strict=True))
        ordered = {balance: amounts[balance]} | amounts
        return Composition({element: amount for element, amount in ordered.items() if amount > 0}, self.space.basis)

    def treatment(self, row: int) -> dict[str, float | str | None]:
        """Process values and conditions of one row; None where not known."""
        return {name: plain(values[row]) for name, values in self.process.items()}

    def name(self, row: int) -> str:
        """What one row is called: its alloy, or its process values; empty where neither is known."""
        composition, treatment = self.composition(row), self.treatment(row)
        said = any(value is not None for value in treatment.values())
        if composition is None and (self.space.elements or not said):
            return ""
        return design_name(composition, treatment)

    def is_of(self, name: str, label: str) -> FloatArray:
        """(n,) 1 where a row was found to be of a class, 0 where of another, NaN where it is not known."""
        found = [np.nan if said is None else float(said == label) for said in self.table.class_of(name)]
        return np.array(found, dtype=np.float64)

    def measured(self, row: int) -> dict[str, float | str]:
        """The numbers measured on one row and the classes found, by property."""
        values = {name: float(self.table.values(name)[row]) for name in self.learned}
        found = {name: self.table.class_of(name)[row] for name in self.class_goals}
        return {name: value for name, value in values.items() if np.isfinite(value)} | {
            name: said for name, said in found.items() if said is not None
        }


def why_not(snapshot: Snapshot, composition: Composition | None, process: Process) -> list[str]:
    """Every reason, in words, for which one design could not be proposed; empty where it could be.

    Parameters
    ----------
    composition : in any basis; None where the campaign has none
    process : process values and conditions, one of each
    """
    space = snapshot.space
    if composition is None:
        return space.why_not(np.empty(0), process)
    if foreign := [element for element in composition.elements if element not in space.elements]:
        return [f"{element} is not in the space" for element in foreign]
    return space.why_not(composition.vector(space.elements, space.basis), process)


def nearest_design(snapshot: Snapshot, composition: Composition | None, process: Process) -> str:
    """The design nearest to one that could not be proposed, and how far it is; empty where it holds other elements.

    Parameters
    ----------
    composition, process : as for `why_not`; process values that are not known may become anything
    """
    from ..design.nearest import nearest

    space = snapshot.space
    if composition is not None and not set(composition.elements) <= set(space.elements):
        return ""
    amounts = np.empty(0) if composition is None else composition.vector(space.elements, space.basis)
    values = {variable.name: plain(process[variable.name][0]) for variable in space.process}
    known = {name: value for name, value in values.items() if value is not None}
    found = nearest(space, amounts, known, np.random.default_rng(snapshot.spec.seed))
    if found.distance <= TOLERANCE:
        return ""
    (made,) = space.compositions(found.point[None])
    treated = {name: plain(column[0]) for name, column in space.process_values(found.point[None]).items()}
    return f"{design_name(made, {} if made else treated)} ({found.words})"


def why_not_planned(snapshot: Snapshot, row: int) -> list[str]:
    """Every bound and rule that one row breaks as it was planned, or else analysed; impurities are passed over."""
    planned = snapshot.table.nominal[row]
    amounts = planned if np.isfinite(planned).all() else snapshot.table.measured[row]
    return _why_not(snapshot, amounts, {name: values[[row]] for name, values in snapshot.process.items()})


def why_not_made(snapshot: Snapshot, row: int) -> list[str]:
    """Every bound and rule that one row breaks as it was made: as analysed where it was, and on no step."""
    process = {name: values[[row]] for name, values in snapshot.process.items()}
    return _why_not(snapshot, snapshot.table.amounts[row], process, made=True)


def _why_not(snapshot: Snapshot, amounts: FloatArray, process: Process, *, made: bool = False) -> list[str]:
    """The same for amounts of the table's elements (n_elements,) [%]."""
    space, elements = snapshot.space, snapshot.table.elements
    others = [elements[i] for i in range(space.n_elements, len(elements)) if amounts[i] > 0]
    if others and amounts[space.n_elements :].sum() > IMPURITIES:
        return [f"{element} is not in the space" for element in others]
    return space.why_not(amounts[: space.n_elements], process, made=made)


def plain(value: object) -> float | str | None:
    """A process value out of its array: a number or a word; None where it is not known."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]  # a cell of a float array
    return None if np.isnan(number) else number


def read_snapshot(folder: Folder) -> Snapshot:
    """Read a campaign.

    Raises
    ------
    CampaignFileError
        where a file has a mistake; names every one
    """
    snapshot, problems = read_with_problems(folder.checked())
    if problems:
        raise CampaignFileError(problems)
    return snapshot


def read_with_problems(folder: Folder) -> tuple[Snapshot, tuple[Problem, ...]]:
    """Read a campaign, and the mistakes in its table; those of campaign.yaml are raised, since all else hangs on it."""
    with _keeping_all():
        return _read(folder)


@contextmanager
def _keeping_all() -> Iterator[None]:
    """Let Python not look for what is not needed any more: of a table that is being read, nothing is.

    Looking through its cells again and again takes as long as reading them.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


def _read(folder: Folder) -> tuple[Snapshot, tuple[Problem, ...]]:
    written = read_written(folder.question)
    space, assumed = design_space(written, folder.path)
    sheet, unfinished = experiments_now(folder)
    assumed = (*unfinished, *assumed)
    named = named_features(written, space, sheet.columns, folder.path)
    if named is not None:
        assumed = (*assumed, *named.remarks)
    table = ExperimentTable.read(sheet, layout(written, space, named))
    asked, phases = written.spec.calphad, None
    if asked is not None:
        phases = KeptCalphad(folder, written, asked, space.elements, table.elements[space.n_elements :])
    snapshot = Snapshot(folder, written, space, table, assumed, named, phases)
    undefined = undefined_rows(named, space, table, snapshot.alloys()) if named is not None else ()
    return snapshot, (*table.problems, *undefined)
