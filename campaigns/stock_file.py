"""The table of what is on the shelf, beside campaign.yaml: a row for each metal and master alloy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

from ..design.composition import Composition
from ..design.elements import SYMBOLS
from ..design.stock import Stock
from ..surrogates.errors import AlloyloopError
from .problems import CampaignFileError, Problem
from .reading import SheetReader
from .sheet import read_sheet

MATERIAL = "material"
NUMBERS = ("purity", "price_per_kg", "in_stock_g")

_AMOUNT = re.compile(r"([A-Z][a-z]?)_wt_pct")


def read_stock(folder: Path, name: str) -> tuple[Stock, tuple[str, ...]]:
    """Read a table of metals and master alloys, written in any dialect that experiments.csv may have.

    A material is an element, a master alloy by its name (`Mg-30Ca`, in wt.%), or anything whose amounts stand in
    columns such as `Ti_wt_pct`. Further columns are `purity`, `price_per_kg` and `in_stock_g`; others are the user's.

    Parameters
    ----------
    folder : of the campaign
    name : of the file in it

    Returns
    -------
    stock : with the metals of the table alone, but for those used up
    remarks : what had to be assumed, and what is used up

    Raises
    ------
    CampaignFileError
        where there is no such file, or cells are mistakes; names every one
    """
    if not (folder / name).is_file():
        remedy = "Correct the name under melting.stock, or put the table there."
        raise CampaignFileError([Problem(name, None, None, "It is not beside campaign.yaml", remedy)])
    reader = SheetReader(read_sheet(folder / name))
    if MATERIAL not in reader.sheet.positions:
        said = "There is no column material"
        raise CampaignFileError(
            [Problem(name, reader.sheet.header_number, None, said, "Name metals and masters in it.")]
        )
    numbers = {column: reader.plain_numbers(column).tolist() for column in NUMBERS}
    amounts = {
        found[1]: reader.plain_numbers(column).tolist()
        for column in reader.sheet.columns
        if (found := _AMOUNT.fullmatch(column))
    }
    stock, first, used_up = Stock(pure=frozenset()), dict[str, int](), []
    for row, material in enumerate(reader.cells(MATERIAL)):
        if not material:
            reader.problem(row, MATERIAL, "This row has no material", "Write an element or a master alloy.")
        elif first.setdefault(material, row) != row:
            earlier = reader.sheet.row_numbers[first[material]]
            reader.problem(row, MATERIAL, f"Row {earlier} is of {material} too", "Take one of them out.")
        else:
            known = {column: values[row] for column, values in numbers.items() if isfinite(values[row])}
            held = {element: values[row] for element, values in amounts.items() if isfinite(values[row])}
            try:
                one = _of_one(material, known, held)
            except AlloyloopError as error:
                reader.problem(row, None, error.problem, error.remedy)
            else:
                stock = stock.joined(one)
            if known.get("in_stock_g") == 0:
                used_up.append(material)
    if reader.problems:
        raise CampaignFileError(sorted(reader.problems, key=lambda problem: problem.row or 0))
    if used_up:
        reader.remark(f"{', '.join(used_up)} used up, and left out.")
    return stock, tuple(reader.remarks)


def _of_one(material: str, said: Mapping[str, float], amounts: Mapping[str, float]) -> Stock:
    """A shelf with one material on it; an empty one, where it is used up."""

    def of(column: str) -> dict[str, float]:
        return {material: said[column]} if column in said else {}

    is_metal = material in SYMBOLS and not amounts
    stock = Stock(
        masters=[] if is_metal else [material],
        pure=frozenset([material] if is_metal else []),
        compositions={material: Composition(amounts, "wt_pct", material)} if amounts else {},
        purity=of("purity"),
        price_per_kg=of("price_per_kg"),
        in_stock_g=of("in_stock_g"),
    )
    return Stock(pure=frozenset()) if said.get("in_stock_g") == 0 else stock
