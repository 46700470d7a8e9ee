"""A campaign from any table: what was inferred becomes campaign.yaml and experiments.csv, where it can be corrected."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from ..design.composition import Basis
from ..surrogates.errors import AlloyloopError
from .campaign import Campaign
from .infer import infer
from .question import question_of
from .sheet import read_sheet, sheet_bytes


def campaign_from_table(
    directory: Path, table: Path, basis: str | None = None, balance: str | None = None
) -> tuple[str, ...]:
    """Make a campaign folder from a table of alloys.

    Parameters
    ----------
    directory : the folder to make
    table : CSV of any dialect, or .xlsx
    basis : `at_pct` or `wt_pct`, where the table's columns do not say it
    balance : the element that takes the remainder, where the table has no column of it or another is wanted

    Returns
    -------
    what was inferred, one sentence a column or key

    Raises
    ------
    AlloyloopError
        where the table cannot be read, its basis is nowhere said, or the folder is not empty
    """
    if basis is not None and basis not in get_args(Basis):
        raise AlloyloopError(f"'{basis}' is not a basis", "Write --basis at_pct or --basis wt_pct.")
    inferred = infer(read_sheet(table), basis=cast("Basis | None", basis), balance=balance)
    if inferred.basis is None and (basis or balance or not inferred.process):
        raise AlloyloopError(
            "No composition was found in the table" + ("" if basis or balance else ", and no process variable"),
            "Name its columns Ti_wt_pct, 'Nb (at.%)' or 'laser power (W)', say, or give one column of alloy names.",
            place=inferred.sheet.file,
        )
    said = tuple(str(column) for column in inferred.columns)
    question, more = question_of(inferred, table.stem.replace("_", " "))
    files = {"campaign.yaml": question.encode(), "experiments.csv": sheet_bytes(inferred.experiments())}
    Campaign.written(directory, files, {"table": table.name, "inferred": [*said, *more]})
    return (*said, *more)
