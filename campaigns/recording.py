"""Taking results back: which row they are of, which cells change, and what is said of them beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..design.composition import Composition
from ..design.derived import METHODS
from ..surrogates.errors import AlloyloopError
from .as_made import analysed, composition_of, is_amount, says_what_it_is, unproposed
from .cells import is_not_known
from .deriving import Derived, columns_named, derived, is_derived, with_columns
from .reported import of_repetitions, read_reported
from .sheet import Sheet, new_sheet, read_sheet
from .snapshot import Snapshot, why_not_made
from .surprise import surprises
from .table import STATUSES, ExperimentTable
from .unlike import WAYS, unlike, way_of

if TYPE_CHECKING:
    import pandas as pd

# Endings by which a table of results is known from the id of an alloy.
TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm"}
# A column by this name, in a table of results, holds names of alloys that were never proposed.
ALLOY = "alloy"
# An alloy that differs from another by more than this is not the same with a typing mistake [at.%].
_ANOTHER = 1.0
# Between the parts of a note.
_NEXT = "; "


@dataclass(frozen=True, slots=True)
class Given:
    """What was said of results beside the words or the table.

    Parameters
    ----------
    status : "" sets `measured` where a property is given
    because : the reason of a failure
    measured : the composition as analysed, such as `Ti-24.3Nb-4.1Zr wt`
    source : of a row: a furnace, a laboratory, a paper
    derive : of a table, `NAME=METHOD(INPUT=COLUMN, …)`: properties computed from its columns
    """

    status: str = ""
    because: str = ""
    measured: str = ""
    source: str = ""
    derive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came back of one alloy.

    Parameters
    ----------
    id : of its row
    cells : column -> text, as it will stand in experiments.csv
    surprise : what was expected and what came, one sentence a property; empty where nothing was predicted
    outside : why the alloy, as it was made, would not be proposed; empty where nothing of how it was made was entered
    new : whether the row is added: an alloy that was never proposed
    before : what stood in the cells
    z : property -> how far it is off what was expected, in standard deviations
    remarks : what was assumed, and which measurements do not go together
    told : what the journal keeps beside the cells: the raw readings of what was computed
    """

    id: str
    cells: Mapping[str, str]
    surprise: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    new: bool = False
    before: Mapping[str, str] = field(default_factory=dict)
    z: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def corrected(self) -> tuple[str, ...]:
        """What stood there and stands there no more, one sentence a column; the journal keeps it."""
        changed = (
            (name, was, self.cells[name])
            for name, was in self.before.items()
            if was and was != self.cells[name] and name != "status"
        )
        return tuple(f"{self.id} {name}: was {was}, is {now or 'blank'}." for name, was, now in changed)

    def json(self) -> dict[str, Any]:
        """As in `--json`."""
        return {
            "id": self.id,
            "new": self.new,
            "cells": dict(self.cells),
            "before": dict(self.before),
            "surprise": list(self.surprise),
            "z": dict(self.z),
            "outside": list(self.outside),
            "remarks": list(self.remarks),
            "told": dict(self.told),
        }


def read_results(
    snapshot: Snapshot,
    results: str | pd.DataFrame | Sheet | Path,
    words: Sequence[str] = (),
    given: Given = Given(),
) -> list[Result]:
    """Read what a person reports: of one alloy in words, or of several in a table.

    Parameters
    ----------
    results : an id, or the name of an alloy that was never proposed; or a table: its path, a DataFrame or a sheet
    words : of one alloy, see `result_from_words`

    Raises
    ------
    AlloyloopError
        for whatever cannot be meant; with its row, of a table
    """
    if isinstance(results, str) and Path(results).suffix.lower() not in TABLES:
        if given.derive:
            raise AlloyloopError(
                "--derive is for the columns of a table",
                "Write the readings of one alloy as NAME=METHOD(…), such as hardness_HV='vickers(1 kgf, 61 um)'.",
            )
        return [result_from_words(snapshot, results, words, given)]
    if words or given.status or given.because or given.measured:
        raise AlloyloopError("A table of results takes no further words", "Put them into its columns.")
    return results_from_sheet(snapshot, _as_sheet(results), given)


def result_from_words(
    snapshot: Snapshot,
    alloy: str,
    words: Sequence[str],
    given: Given = Given(),
) -> Result:
    """Read `NAME=58.2,59.1,57.7` words about one alloy.

    Parameters
    ----------
    alloy : the id of its row; or, of an alloy that was never proposed, its name
    words : properties as `read_reported` or `derived` reads them; process and other columns with their values
    given : what was said beside

    Raises
    ------
    AlloyloopError
        for an unknown alloy, column or status, a value that is not a number, or replicates that are rather one number
    """
    said: dict[str, str] = {}
    for word in words:
        name, sign, text = (part.strip() for part in word.partition("="))
        if not sign or not text:
            raise AlloyloopError(f"'{word}' is not a result", "Write NAME=value, such as youngs_modulus_GPa=58.2,59.1.")
        if name in said:
            raise AlloyloopError(f"{name} is given twice", "Write its replicates as NAME=58.2,59.1.")
        _refuse_unknown(snapshot, name)
        said[name] = text
    return _Reader(snapshot, ".", given).result(alloy, said)


def results_from_sheet(
    snapshot: Snapshot,
    sheet: Sheet,
    given: Given = Given(),
) -> list[Result]:
    """Read a table of results: an id column, and any of the columns of experiments.csv. Blank cells say nothing.

    A row without an id, or with one that is not in experiments.csv, is an alloy that was never proposed where the row
    says what it consists of: in columns of amounts, or by its name in a column `alloy`.

    Raises
    ------
    AlloyloopError
        where there is no id column, an id twice, or what `result_from_words` refuses; with file and row
    """
    if sheet.problems:
        raise AlloyloopError(sheet.problems[0].problem, sheet.problems[0].remedy, place=sheet.problems[0].place)
    if "id" not in sheet.columns:
        raise AlloyloopError(
            "There is no column id", "Add one with the ids of the proposals, such as R001-2.", place=sheet.file
        )
    derive = _asked_to_derive(snapshot, sheet, given.derive)
    readings = {column for how in derive.values() for column in columns_named(how)}
    raw = {ALLOY, *readings} - {*snapshot.table.sheet.columns, *snapshot.table.layout.columns}
    results: list[Result] = []
    for row, cells in enumerate(sheet.rows):
        place = sheet.problem(row, None, "").place
        whole = dict(zip(sheet.columns, cells, strict=True))
        said = {name: cell for name, cell in whole.items() if cell and name != "id" and name not in readings & raw}
        try:
            for name in said.keys() - raw:
                _refuse_unknown(snapshot, name)
            for name, how in derive.items():
                if text := with_columns(how, whole, sheet.dialect.decimal):
                    said[name] = text
            reader = _Reader(snapshot, sheet.dialect.decimal, given, taken=[result.id for result in results])
            results.append(reader.result(whole["id"], said))
        except AlloyloopError as error:
            raise AlloyloopError(error.problem, error.remedy, place=place) from error
    if not results:
        raise AlloyloopError("There is no row in it", "Add a row for each alloy.", place=sheet.file)
    return results


def entered(table: ExperimentTable, results: Sequence[Result]) -> ExperimentTable:
    """The table with the results in it, new rows at its end.

    Raises
    ------
    AlloyloopError
        where a result would be a mistake in experiments.csv, such as text in a number cell; the first is named
    """
    sheet = table.sheet
    if added := [{"id": result.id, **result.cells} for result in results if result.new]:
        sheet = sheet.with_rows(added)
    changes = [(table.row(result.id), result.cells) for result in results if not result.new]
    cells = {(row, name): text for row, changed in changes for name, text in changed.items()}
    changed = table.read(sheet.with_cells(cells), table.layout)
    if changed.problems:
        first = changed.problems[0]
        id = "" if first.row is None else changed.ids[changed.sheet.row_numbers.index(first.row)]
        place = ", ".join(part for part in (id, f"column {first.column}" if first.column else "") if part)
        raise AlloyloopError(first.problem, f"{first.remedy} Nothing was recorded.", place=place)
    return changed


def with_reasons(snapshot: Snapshot, result: Result) -> Result:
    """The result with what its alloy, as it was entered, breaks, and with what it was measured unlike.

    Nothing of it is refused: it was made and measured so.

    Parameters
    ----------
    snapshot : the campaign with the result in it
    result : of which amounts or process values are judged, if any were entered, and the ways of measuring
    """
    table, layout = snapshot.table, snapshot.table.layout
    row = table.row(result.id)
    told = [name for name in layout.properties if name in result.cells]
    ways = [name for name in told if any(way_of(table, row, name, way) for way in WAYS)]
    said = replace(result, remarks=(*result.remarks, *unlike(table, ways)))
    if not any(map(is_amount, result.cells)) and not result.cells.keys() & {*layout.numeric, *layout.choices}:
        return said
    return replace(said, outside=tuple(why_not_made(snapshot, row)))


class _Reader:
    """Reads what was said of one alloy into the cells of its row.

    Parameters
    ----------
    snapshot : the campaign as it is
    decimal : the decimal mark of what was said
    given : what was said beside
    taken : ids of the rows read before
    """

    def __init__(self, snapshot: Snapshot, decimal: str, given: Given, taken: Sequence[str] = ()) -> None:
        self.snapshot = snapshot
        self.table = snapshot.table
        self.decimal = decimal
        self.given = given
        self.taken = taken
        self.remarks: list[str] = []
        self.derived: list[Derived] = []

    def result(self, alloy: str, said: Mapping[str, str]) -> Result:
        """What was said of an alloy, by its id or its name, as cells of its row."""
        if alloy in self.taken:
            raise AlloyloopError(f"{alloy} is there twice", "Give each alloy one row, its replicates as mean.")
        said = {"source": self.given.source, **said} if self.given.source else dict(said)
        status, because = said.pop("status", self.given.status), said.pop("reason", self.given.because)
        id, made = self._whose(alloy, said)
        was = {} if made else self._row(id)
        if self.given.measured:
            made |= analysed(self.snapshot, was or made, self.given.measured)
        told = {name: text for name, text in said.items() if name not in made}
        if ALLOY not in self.table.sheet.positions:
            told.pop(ALLOY, "")
        cells = made | self._cells(told, {**was, **made})
        cells |= self._outdated(was, cells)
        cells |= self._ended(id, was, cells, status.casefold(), because)
        foreseen = surprises(self.snapshot, id, cells)
        return Result(
            id,
            cells,
            tuple(each.sentence for each in foreseen.values()),
            new=not was,
            before={name: was.get(name, "") for name in cells} if was else {},
            z={name: each.z for name, each in foreseen.items() if each.z is not None},
            remarks=tuple(self.remarks),
            told={"derived": {each.name: each.json() for each in self.derived}} if self.derived else {},
        )

    def _whose(self, alloy: str, said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The id of the row, and the cells that say what the alloy is where the row is to be added."""
        name = said.get(ALLOY, "")
        if alloy in self.table.ids:
            self._compare(alloy, name)
            return alloy, {}
        ours = {column: self._in_our_dialect(column, text) for column, text in said.items()}
        is_id = bool(name or says_what_it_is(self.snapshot, ours))
        found = unproposed(self.snapshot, name or alloy, ours, alloy if is_id else "", self.taken)
        if found is None:
            raise self._unknown(alloy)
        return found

    def _compare(self, id: str, name: str) -> None:
        """Remark where the alloy that a table names beside an id is not the one of its row."""
        planned = self.snapshot.composition(self.table.row(id))
        if not name or planned is None:
            return
        with suppress(AlloyloopError):
            said = Composition.parse(name, planned.basis)
            if said.distance(planned) > _ANOTHER:
                self.remarks.append(f"{id} is {planned.name()}, and beside it stands {name}: check the id.")

    def _row(self, id: str) -> dict[str, str]:
        sheet = self.table.sheet
        return dict(zip(sheet.columns, sheet.rows[self.table.row(id)], strict=True))

    def _cells(self, said: Mapping[str, str], row: Mapping[str, str]) -> dict[str, str]:
        """The cells that were said, with what follows from them and from the alloy of the row, in our dialect."""
        cells: dict[str, str] = {}
        number = self.table.sheet.dialect.number
        for name, text in said.items():
            if name not in self.table.layout.properties or is_not_known(text):
                follows = {name: self._in_our_dialect(name, text)}
            elif is_derived(text):
                found = derived(name, text, composition_of(self.table, row))
                self.derived.append(found)
                follows = of_repetitions(found.values).cells(name, number) | {f"{name}_method": found.method.name}
            else:
                reported = read_reported(name, text, self.decimal)
                self.remarks += filter(None, [reported.remark])
                follows = reported.cells(name, number)
            if twice := [column for column in follows if column != name and column in said]:
                raise AlloyloopError(
                    f"{twice[0]} is {said[twice[0]]}, and {name} = {text} says it, too", "Give it once."
                )
            cells |= follows
        return cells

    def _in_our_dialect(self, name: str, cell: str) -> str:
        """A number written with their decimal mark as our file writes numbers; text as it is."""
        numeric = name.endswith(("_std", "_n")) or is_amount(name)
        if not numeric and name not in (*self.table.layout.properties, *self.table.layout.numeric):
            return cell
        ours = self.table.sheet.dialect.decimal
        return cell if ours == self.decimal else cell.replace(self.decimal, ours)

    def _outdated(self, was: Mapping[str, str], cells: Mapping[str, str]) -> dict[str, str]:
        """What stood beside an earlier value goes when the value goes, unless it is given anew; raw readings come."""
        changed = [name for name in self.table.layout.properties if name in cells and cells[name] != was.get(name)]
        gone = [f"{name}{end}" for name in changed for end in ("_std", "_n")]
        gone += [f"{name}_method" for name in changed if was.get(f"{name}_method") in METHODS]
        outdated = {name: "" for name in gone if was.get(name) and name not in cells}
        note = cells.get("note", was.get("note", ""))
        begins = tuple(f"{name} by " for name in changed)
        kept = [part for part in note.split(_NEXT) if not part.startswith(begins)] if changed else [note]
        with_readings = _NEXT.join(filter(None, [*kept, *(each.note for each in self.derived)]))
        return outdated if with_readings == note else outdated | {"note": with_readings}

    def _ended(
        self, id: str, was: Mapping[str, str], cells: Mapping[str, str], status: str, because: str
    ) -> dict[str, str]:
        """The status and the reason."""
        if status and status not in STATUSES:
            raise AlloyloopError(f"There is no status '{status}'", f"Write one of {', '.join(STATUSES)}.")
        if because and status not in ("failed", "withdrawn"):
            raise AlloyloopError("A reason belongs to a failed or withdrawn alloy", "Add --status failed.")
        if status == "failed" and not because:
            raise AlloyloopError("A failed alloy needs its reason", "Add --because cracked, say.")
        if not cells and not status:
            raise AlloyloopError(
                f"There is nothing to record of {id}", "Write NAME=value, such as youngs_modulus_GPa=58.2."
            )
        ended: dict[str, str] = {}
        status = status or self._follows(was.get("status", "").casefold(), cells)
        if status and not because and status not in ("failed", "withdrawn") and was.get("reason"):
            ended["reason"] = ""
        if status:
            ended["status"] = status
        if because:
            ended["reason"] = because
        return ended

    def _follows(self, was: str, cells: Mapping[str, str]) -> str:
        """The status that follows from what was said of an alloy; "" where it stays as it was."""
        said = {name for name, cell in cells.items() if not is_not_known(cell)}
        if said & {*self.table.layout.properties, *self.table.layout.classes}:
            return "known" if was == "known" else "measured"
        is_made = not was or (
            was == "proposed" and any(is_amount(name) and name.endswith("_measured") for name in said)
        )
        return "made" if is_made else ""

    def _unknown(self, alloy: str) -> AlloyloopError:
        pending = [id for id, waits in zip(self.table.ids, self.table.pending, strict=True) if waits]
        like = "its name, such as 'Ti-24Nb-4Zr wt'" if self.snapshot.space.elements else "its process values"
        remedy = f"Those waiting for results are {', '.join(pending) or 'none'}; "
        return AlloyloopError(
            f"There is no alloy {alloy}" if alloy else "There is neither an id nor an alloy",
            f"{remedy}one that was never proposed is recorded by {like}.",
        )


def _refuse_unknown(snapshot: Snapshot, name: str) -> None:
    table = snapshot.table
    ends = ("_std", "_n", *(f"_{way}" for way in WAYS))
    beside = {*(f"{own}{end}" for own in table.layout.properties for end in ends), *(f"test_{way}" for way in WAYS)}
    allowed = {*table.layout.columns, *table.sheet.columns, *beside} - {"id", "round", "parent"}
    if name not in allowed and not (snapshot.space.elements and is_amount(name)):
        properties = ", ".join((*table.layout.properties, *table.layout.classes))
        raise AlloyloopError(
            f"There is no column {name}",
            f"The properties here are {properties}; other columns are those of experiments.csv.",
        )


def _asked_to_derive(snapshot: Snapshot, sheet: Sheet, asked: Sequence[str]) -> dict[str, str]:
    """Property -> how it is computed from columns of a table of results."""
    derive: dict[str, str] = {}
    for text in asked:
        name, sign, how = (part.strip() for part in text.partition("="))
        if not sign or "(" not in how:
            raise AlloyloopError(
                f"'{text}' does not say how a property is computed",
                "Write it like corrosion_rate_mm_per_y=mass_loss(mass=loss_mg, area=area_cm2, time=time_h).",
            )
        if name not in snapshot.table.layout.properties:
            known = ", ".join(snapshot.table.layout.properties)
            raise AlloyloopError(f"There is no property {name} to be computed", f"Those here are {known}.")
        if unknown := [column for column in columns_named(how) if column not in sheet.columns]:
            raise AlloyloopError(
                f"There is no column {unknown[0]}", f"Its columns are {', '.join(sheet.columns)}.", place=sheet.file
            )
        derive[name] = how
    return derive


def _as_sheet(results: str | pd.DataFrame | Sheet | Path) -> Sheet:
    if isinstance(results, Sheet):
        return results
    if isinstance(results, str | Path):
        return read_sheet(Path(results))
    texts = results.astype(object).where(results.notna(), "").astype(str)
    columns = [str(name) for name in texts.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in texts.itertuples(index=False, name=None)]
    return new_sheet(columns, rows, file="the DataFrame")
