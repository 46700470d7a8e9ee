"""Taking measurements back: which cells may change, replicates to mean and scatter, and how surprising it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import nan
from statistics import fmean, stdev

from ..surrogates.errors import AlloyloopError
from .answers import PredictedClasses
from .cells import read_number
from .rounds import past_round
from .sheet import Sheet
from .snapshot import Snapshot, why_not_made
from .table import STATUSES, ExperimentTable, class_finder

# Endings of the columns of amounts that `record` takes.
_AMOUNTS = tuple(product(("at_pct", "wt_pct"), ("", "_measured")))
# Two numbers further apart than this are rather one with a decimal comma: 58,2 is not the pair 58 and 2.
_LIKELY_ONE = 3.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came back of one alloy.

    Parameters
    ----------
    id : of its row
    cells : column -> text, as it will stand in experiments.csv
    surprise : what was expected and what came, one sentence a property; empty where nothing was predicted
    outside : why the alloy, as it was made, would not be proposed; empty where nothing of how it was made was entered
    """

    id: str
    cells: Mapping[str, str]
    surprise: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def result_from_words(snapshot: Snapshot, id: str, words: Sequence[str], status: str = "", because: str = "") -> Result:
    """Read `NAME=58.2,59.1,57.7` words about one alloy.

    Parameters
    ----------
    words : property, process or other columns with their values; a property may have replicates, separated by commas
    status : "" sets `measured` where a property is given
    because : the reason of a failure

    Raises
    ------
    AlloyloopError
        for an unknown id, column or status, a value that is not a number, or replicates that are rather one number
    """
    cells: dict[str, str] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not text.strip():
            raise AlloyloopError(f"'{word}' is not a result", "Write NAME=value, such as youngs_modulus_GPa=58.2,59.1.")
        name = name.strip()
        if name in cells:
            raise AlloyloopError(f"{name} is given twice", "Write its replicates as NAME=58.2,59.1.")
        _refuse_unknown(snapshot, name)
        if name in snapshot.table.layout.properties and "," in text:
            cells |= _replicates(snapshot, name, text)
        else:
            cells[name] = _in_our_dialect(snapshot, name, text.strip(), ".")
    return _complete(snapshot, id, cells, cells.pop("status", status), cells.pop("reason", because))


def results_from_sheet(snapshot: Snapshot, sheet: Sheet) -> list[Result]:
    """Read a table of results: an id column, and any of the columns of experiments.csv. Blank cells say nothing.

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
    results: list[Result] = []
    for row, cells in enumerate(sheet.rows):
        place = sheet.problem(row, None, "").place
        given = {name: cell for name, cell in zip(sheet.columns, cells, strict=True) if cell and name != "id"}
        id = sheet.cell(row, "id")
        if any(result.id == id for result in results):
            raise AlloyloopError(
                f"{id} is there twice", "Give each alloy one row, its replicates as mean.", place=place
            )
        try:
            for name in given:
                _refuse_unknown(snapshot, name)
            theirs = {
                name: _in_our_dialect(snapshot, name, cell, sheet.dialect.decimal) for name, cell in given.items()
            }
            results.append(_complete(snapshot, id, theirs, theirs.pop("status", ""), theirs.pop("reason", "")))
        except AlloyloopError as error:
            raise AlloyloopError(error.problem, error.remedy, place=place) from error
    if not results:
        raise AlloyloopError("There is no row in it", "Add a row for each alloy.", place=sheet.file)
    return results


def entered(table: ExperimentTable, results: Sequence[Result]) -> ExperimentTable:
    """The table with the results in it.

    Raises
    ------
    AlloyloopError
        where a result would be a mistake in experiments.csv, such as text in a number cell; the first is named
    """
    changed = table.with_changes({result.id: result.cells for result in results})
    if changed.problems:
        first = changed.problems[0]
        id = "" if first.row is None else changed.ids[changed.sheet.row_numbers.index(first.row)]
        place = ", ".join(part for part in (id, f"column {first.column}" if first.column else "") if part)
        raise AlloyloopError(first.problem, f"{first.remedy} Nothing was recorded.", place=place)
    return changed


def with_reasons(snapshot: Snapshot, result: Result) -> Result:
    """The result with what its alloy, as it was entered, breaks: said, and never refused, since it was made so.

    Parameters
    ----------
    snapshot : the campaign with the result in it
    result : of which amounts or process values are judged, if any were entered
    """
    layout = snapshot.table.layout
    amounts = {f"{element}_{basis}{end}" for element in snapshot.table.elements for basis, end in _AMOUNTS}
    if not result.cells.keys() & {*amounts, *layout.numeric, *layout.choices}:
        return result
    row = snapshot.table.row(result.id)
    return replace(result, outside=tuple(why_not_made(snapshot, row)))


def _refuse_unknown(snapshot: Snapshot, name: str) -> None:
    table = snapshot.table
    derived = {f"{own}{end}" for own in table.layout.properties for end in ("_std", "_n")}
    measured = {f"{element}_{snapshot.space.basis}_measured" for element in table.elements}
    allowed = {*table.layout.columns, *table.sheet.columns, *derived, *measured} - {"id", "round", "parent"}
    if name not in allowed:
        properties = ", ".join((*table.layout.properties, *table.layout.classes))
        raise AlloyloopError(
            f"There is no column {name}",
            f"The properties here are {properties}; other columns are those of experiments.csv.",
        )


def _replicates(snapshot: Snapshot, name: str, text: str) -> dict[str, str]:
    parts = [part.strip() for part in text.split(",")]
    values = [read_number(part).value for part in parts]
    if any(value != value for value in values):
        raise AlloyloopError(f"One of the replicates of {name} is empty: '{text}'", "Write them like 58.2,59.1,57.7.")
    small, large = min(map(abs, values)), max(map(abs, values))
    if len(values) % 2 == 0 and "." not in text and large > _LIKELY_ONE * small:
        decimal = ",".join(".".join(pair) for pair in zip(parts[::2], parts[1::2], strict=True))
        raise AlloyloopError(
            f"{name}={text} would be {len(values)} measurements, {', '.join(parts[:-1])} and {parts[-1]}",
            f"Write {decimal} if these commas are decimal marks, else every number with a decimal point.",
        )
    number = snapshot.table.sheet.dialect.number
    digits = 2 + max(len(part.partition(".")[2]) for part in parts)
    mean, std = round(fmean(values), digits), round(stdev(values), digits)
    return {name: number(mean), f"{name}_std": number(std), f"{name}_n": str(len(values))}


def _in_our_dialect(snapshot: Snapshot, name: str, cell: str, theirs: str) -> str:
    """A number written with their decimal mark as our file writes numbers; text as it is."""
    table = snapshot.table
    numeric = name.endswith(("_std", "_n", "_pct", "_pct_measured"))
    if not numeric and name not in (*table.layout.properties, *table.layout.numeric):
        return cell
    ours = table.sheet.dialect.decimal
    return cell if ours == theirs else cell.replace(theirs, ours)


def _complete(snapshot: Snapshot, id: str, cells: dict[str, str], status: str, because: str) -> Result:
    table = snapshot.table
    if id not in table.ids:
        pending = [known for known, waits in zip(table.ids, table.pending, strict=True) if waits]
        raise AlloyloopError(
            f"There is no alloy {id}", f"Those waiting for results are {', '.join(pending) or 'none'}."
        )
    results = set(cells) & {*table.layout.properties, *table.layout.classes}
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
    was = table.status[table.row(id)]
    if not status and results:
        status = "known" if was == "known" else "measured"
    cells |= _outdated(table, id, cells)
    if status:
        cells["status"] = status
    if because:
        cells["reason"] = because
    return Result(id, cells, _surprise(snapshot, id, cells))


def _outdated(table: ExperimentTable, id: str, cells: Mapping[str, str]) -> dict[str, str]:
    """The scatter and the count of an earlier result go when its value goes, unless new ones are given."""
    row, sheet = table.row(id), table.sheet
    was = {name: sheet.cell(row, name) for name in sheet.columns}
    changed = [name for name in table.layout.properties if name in cells and cells[name] != was.get(name)]
    beside = [f"{name}{end}" for name in changed for end in ("_std", "_n")]
    return {name: "" for name in beside if was.get(name) and name not in cells}


def _surprise(snapshot: Snapshot, id: str, cells: Mapping[str, str]) -> tuple[str, ...]:
    """What the round expected of the alloy beside what came; nothing is refitted for it."""
    number = snapshot.table.round[snapshot.table.row(id)]
    foreseen = None if number is None else past_round(snapshot, number).proposals.get(id)
    sentences = []
    for name, expected in foreseen.classes.items() if foreseen else ():
        found = class_finder(snapshot.table.layout.classes.get(name, {}))(cells.get(name, ""))
        if found is not None:
            sentences.append(f"{id} {name}: {found} came, {_words_of_class(found, expected, number)}.")
    for name, predicted in foreseen.predicted.items() if foreseen else ():
        if name in cells:
            came = read_number(cells[name], snapshot.table.sheet.dialect.decimal).value
            z = (came - predicted.mean) / predicted.std if predicted.std > 0 else nan
            sentences.append(
                f"{id} {name}: {came:g} came, {predicted.mean:.4g} was expected (90 %: {predicted.low:.4g} to "
                f"{predicted.high:.4g}, round {number}): {_words(z)} (z = {z:+.1f})."
            )
    return tuple(sentences)


# What had less of a chance than this is a surprise.
_SURPRISING = 0.1


def _words_of_class(found: str, expected: PredictedClasses, number: int | None) -> str:
    likeliest, chance = expected.likeliest, expected.classes.get(found, 0.0)
    told = f"{likeliest} {expected.classes[likeliest]:.0%}"
    if found == likeliest:
        return f"as expected ({told}, round {number})"
    surprise = ": a surprise" if chance < _SURPRISING else ""
    return f"{likeliest} was expected ({told}, {found} {chance:.0%}, round {number}){surprise}"


def _words(z: float) -> str:
    size = abs(z)
    if size != size:
        return "not comparable"
    if size < 1:
        return "as expected"
    if size < 2:
        return f"somewhat {'higher' if z > 0 else 'lower'} than expected"
    return f"a surprise, {'higher' if z > 0 else 'lower'} than expected"
