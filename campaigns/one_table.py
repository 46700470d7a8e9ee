"""Any table asked without a campaign: its inputs and targets are named, and it is read as `new --from` reads it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..surrogates.errors import AlloyloopError
from .columns import Role
from .folder import Folder
from .headers import count_header, std_header
from .infer import Guesser, Inference, infer
from .problems import CampaignFileError
from .question import question_of
from .sheet import Sheet, new_sheet, read_sheet
from .snapshot import Snapshot
from .spaces import design_space, layout
from .spec import read_written
from .table import ExperimentTable

TOLD = "it was named so"


def snapshot_of(path: Path, inputs: str = "", targets: str = "", group: str = "") -> Snapshot:
    """A table as a campaign of it would stand on the disk, in memory alone; rows with mistakes are left out.

    Parameters
    ----------
    path : CSV of any dialect, or .xlsx
    inputs : names of columns and globs, with commas, such as `*_at_pct,temperature_C`: amounts are a composition, words
        become choices, and other numbers are process variables; what `new --from` takes for these, where empty
    targets : likewise, of what was measured; what `new --from` takes for it, where empty
    group : the column that says which rows belong together: a paper, a batch, a heat

    Raises
    ------
    AlloyloopError
        where the table cannot be read, no column has a name that is asked for, or there is nothing to learn from or of
    """
    sheet = read_sheet(path)
    if sheet.problems:
        raise CampaignFileError(sheet.problems)
    if not sheet.rows:
        raise CampaignFileError.whole_file(sheet.file, "The table has a header but no rows")
    seen, measured = _named(sheet, inputs, "--inputs"), _named(sheet, targets, "--target")
    groups = _named(sheet, group, "--group")
    if len(groups) > 1:
        raise AlloyloopError(f"Rows are grouped by one column, not by {len(groups)}", "Name one.", place="--group")
    if seen:
        measured = measured or _measured(sheet, seen)
        if both := set(seen) & {*measured, *groups}:
            raise AlloyloopError(
                f"The column {min(both)} is an input and something else too", "Name it once.", place=sheet.file
            )
        named = {*seen, *measured, *groups}
        sheet = _with_columns(sheet, [n for n in sheet.columns if n in named or _is_spread(n, measured)])
    return _snapshot(_Told(sheet, seen, measured, groups).inference(), path.stem)


class _Told(Guesser):
    """A guesser that is told the roles of some columns, and of all inputs where any is."""

    def __init__(self, sheet: Sheet, inputs: Sequence[str], targets: Sequence[str], groups: Sequence[str]) -> None:
        super().__init__(sheet, None, None)
        self.inputs, self.targets, self.groups = inputs, targets, groups

    def inference(self) -> Inference:
        """Give every column a role; of the measured ones, those that were named."""
        inferred = super().inference()
        if not self.targets:
            return inferred
        properties = {name: goal for name, goal in inferred.properties.items() if name in self.targets}
        classes = {name: of for name, of in inferred.classes.items() if name in self.targets}
        return replace(inferred, properties=properties, classes=classes)

    def _bookkeeping(self) -> None:
        for place in self.columns.left:
            column = self.columns[place]
            if column.name in self.groups:
                self.columns.take(place, "source", "source", TOLD)
            elif column.name in self.targets:
                self.columns.take(place, column.name, "property" if column.is_numeric else "class", TOLD)
        if not self.inputs:
            super()._bookkeeping()

    def _quantities(self) -> None:
        if not self.inputs:
            super()._quantities()
        for place in self.columns.left:
            if self.columns[place].name in self.inputs:
                self.columns.take(place, self.columns[place].name, "process", TOLD)


def _snapshot(inferred: Inference, name: str) -> Snapshot:
    if not inferred.elements and not inferred.process and not inferred.conditions:
        raise AlloyloopError(
            "No composition and no process variable was found to learn from",
            "Name their columns with --inputs.",
            place=inferred.sheet.file,
        )
    if not inferred.properties and not inferred.classes:
        raise AlloyloopError(
            "No column was taken for something measured", "Name it with --target.", place=inferred.sheet.file
        )
    question, _ = question_of(inferred, name)
    with TemporaryDirectory() as place:
        folder = Folder(Path(place))
        folder.question.write_text(question, encoding="utf-8")
        written = read_written(folder.question)
        space, _ = design_space(written, folder.path)
    table = ExperimentTable.read(inferred.experiments(inferred.sheet.file), layout(written, space))
    remarks = inferred.remarks
    if table.problems:
        n_rows = int(np.sum(table.has_problem))
        rows = "1 row with a mistake is" if n_rows == 1 else f"{n_rows} rows with mistakes are"
        remarks += (f"{rows} left out: {table.problems[0]}",)
    return Snapshot(folder, written, space, table, remarks)


def _named(sheet: Sheet, asked: str, option: str) -> list[str]:
    """The columns that names and globs, with commas, ask for, in the table's order."""
    patterns = [pattern.strip() for pattern in asked.split(",") if pattern.strip()]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in sheet.columns):
            raise AlloyloopError(
                f"{sheet.file} has no column {pattern}", f"It has {', '.join(sheet.columns)}.", place=option
            )
    return [name for name in sheet.columns if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _measured(sheet: Sheet, inputs: Collection[str]) -> list[str]:
    """The columns that `new --from` would take for something measured, but for the inputs."""
    measured: tuple[Role, ...] = ("property", "class")
    return [column.old for column in infer(sheet).columns if column.role in measured and column.old not in inputs]


def _is_spread(name: str, targets: Collection[str]) -> bool:
    """Whether a column is the spread or the number of the replicates of a target."""
    return any(of in targets for of in (std_header(name), count_header(name)) if of)


def _with_columns(sheet: Sheet, names: Sequence[str]) -> Sheet:
    """The table with these columns alone."""
    at = [sheet.positions[name] for name in names]
    rows = [dict(zip(names, (cells[place] for place in at), strict=True)) for cells in sheet.rows]
    return new_sheet(names, rows, file=sheet.file, dialect=sheet.dialect)
