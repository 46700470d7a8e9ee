"""Measurements of one property that were made in unlike ways, and so are not one property."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from .reading import counted, listed
from .table import ExperimentTable

# Said of a property NAME in the columns NAME_method and NAME_medium; of all properties of a row in test_method and
# test_medium.
WAYS = ("method", "medium")


def unlike(table: ExperimentTable, names: Iterable[str] | None = None) -> list[str]:
    """Remarks on properties whose rows were measured by several methods, or in several media.

    Rates of corrosion by lost mass, current and hydrogen differ by a factor of two or more, and between media more than
    between alloys. A way that campaign.yaml has as a process variable is modelled, and nothing is said of it.

    Parameters
    ----------
    table : the experiments
    names : of the properties; all where it is None
    """
    remarks = []
    for name in table.layout.properties if names is None else names:
        for way in WAYS:
            columns = {f"{name}_{way}", f"test_{way}"}
            if columns & set(table.layout.choices) or not columns & table.sheet.positions.keys():
                continue
            rows = np.flatnonzero(table.usable & np.isfinite(table.values(name))).tolist()
            said = Counter(way_of(table, row, name, way) for row in rows)
            silent = said.pop("", 0)
            if len(said) < 2:
                continue
            of_each = listed([f"{label} ({counted(count, 'row')})" for label, count in said.most_common()])
            others = f", and {counted(silent, 'row')} without one" if silent else ""
            remarks.append(
                f"{table.sheet.file}: {name} mixes measurements of unlike {way}: {of_each}{others}. Models take "
                f"them for one: give each {way} a property of its own, or make test_{way} a process variable with a "
                "rule that says which is wanted."
            )
    return remarks


def way_of(table: ExperimentTable, row: int, name: str, way: str) -> str:
    """The method or the medium by which a property of a row was measured, in small letters; "" where it is not said."""
    columns = (f"{name}_{way}", f"test_{way}")
    said = (table.sheet.cell(row, column) for column in columns if column in table.sheet.positions)
    return next((cell.casefold() for cell in said if cell), "")
