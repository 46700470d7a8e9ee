"""Melt sheets of a round: what to weigh for each of its alloys, as a table, a page to print, and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from math import fsum, isfinite
from pathlib import Path
from typing import Any

from ..design.charging import charging_of
from ..design.elements import SYMBOLS, values
from ..design.melt import Charge, charge
from ..design.stock import Need, Stock, needs
from ..design.telling_apart import BALANCE_G, BUTTON_G
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Answers, Json
from .furnaces import FURNACE, furnace_of, losses_of, usual_furnace
from .printing import table_lines
from .reading import listed
from .sheet import Dialect, Sheet, new_sheet
from .snapshot import Snapshot
from .stock_file import read_stock
from .wording import label

TEMPLATE = Path(__file__).with_name("melt-sheet.html")
# Up to so many alloys the page shows what each takes from the shelf; beyond, it is too wide for A4.
MOST_COLUMNS = 6
# Less of an element than this is shown as none [wt.%]: no analysis finds it.
SHOWN = 0.0005

COLUMNS = ("id", "alloy", "order", "material", "purity", "exact_g", "weigh_g")
# In a file that is taken to the balance there is room for what was really weighed, and what else is known.
FILE_COLUMNS = (*COLUMNS, "weighed_g", "place", "furnace", "cost")
BATCH = "batch"  # stands for an id in the rows of what all alloys take together


@dataclass(frozen=True, slots=True)
class Melt:
    """One melt of a round.

    Parameters
    ----------
    ids : of the alloy, and of those that are other heat treatments of the same melt
    charge : what to weigh in
    furnace : its name; empty where nobody says it
    treatments : what is done to each afterwards, in words, by id; empty where nothing is known
    """

    ids: tuple[str, ...]
    charge: Charge
    furnace: str = ""
    treatments: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What the rounded masses give, in words: `Ti-24.001Nb wt, off by 0.001 wt.% Nb at most`."""
        element, error = max(self.charge.error_wt_pct.items(), key=lambda each: round(abs(each[1]), 9))
        off = f", off by {abs(error):.2g} wt.% {element} at most" if abs(error) >= SHOWN else ""
        return self.charge.achieved.name(self.charge.composition.basis) + off


@dataclass(frozen=True, slots=True)
class MeltSheet:
    """What to weigh for the alloys of a round. It can be taken apart: `ids, charges = sheet`.

    Parameters
    ----------
    round : its number
    melts : one for each alloy that is melted, in the order of the table
    needs : what all of them take from the shelf, by material
    remarks : what is not weighed and why, and what the shelf lacks
    """

    round: int
    melts: tuple[Melt, ...]
    needs: tuple[Need, ...]
    remarks: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The id under which each melt is weighed."""
        return tuple(melt.ids[0] for melt in self.melts)

    @property
    def charges(self) -> tuple[Charge, ...]:
        """What to weigh in for each melt."""
        return tuple(melt.charge for melt in self.melts)

    @property
    def cost(self) -> float:
        """Of all that is weighed in [money]; NaN where a price is not known."""
        return fsum(need.cost for need in self.needs)

    @property
    def weigh_g(self) -> float:
        """The mass of all that is weighed in [g]."""
        return round(fsum(need.total_g for need in self.needs), 9)

    @property
    def warnings(self) -> dict[str, tuple[str, ...]]:
        """What to know before weighing, each sentence once -> the ids that it is about."""
        said: dict[str, tuple[str, ...]] = {}
        for id, each in zip(self.ids, self.charges, strict=True):
            for warning in each.warnings:
                said[warning] = (*said.get(warning, ()), id)
        return said

    def __iter__(self) -> Iterator[Any]:
        return iter((self.ids, self.charges))


def melt_sheet(
    snapshot: Snapshot,
    round: int | None = None,
    mass_g: float | None = None,
    stock: Stock | None = None,
    balance_resolution_g: float | None = None,
    furnace: str | None = None,
) -> MeltSheet:
    """What to weigh for a round, as campaign.yaml says under `melting`, or as is said here.

    Rows tied by `parent` are one melt, and weighed once; one that was made in another round is not weighed again.

    Parameters
    ----------
    snapshot : the campaign
    round : the last one where none is named
    mass_g : of each melt [g]
    stock : beside, and before, what campaign.yaml and its table of stock say
    balance_resolution_g : what the balance reads [g]
    furnace : of all melts, whatever their rows say

    Raises
    ------
    AlloyloopError
        where nothing is melted, there is no such round, or the stock cannot make an alloy
    """
    rows, asked = _rows_of(snapshot, round)
    melting = snapshot.spec.melting
    shelf, remarks = _shelf(snapshot)
    mass_g = (snapshot.spec.mass_g or BUTTON_G) if mass_g is None else mass_g
    if balance_resolution_g is None:
        balance_resolution_g = BALANCE_G if melting is None else melting.balance_g
    groups, said = _melts(snapshot, rows)
    melts = []
    for group in groups:
        row = group[0]
        composition = snapshot.composition(row)
        assert composition is not None  # rows without one were left out
        where = furnace_of(snapshot, row) if furnace is None else furnace
        own = replace(shelf, loss=losses_of(melting, where)).joined(stock or Stock())
        ids = tuple(snapshot.table.ids[each] for each in group)
        try:
            weighed = charge(
                composition,
                mass_g,
                stock=own,
                balance_resolution_g=balance_resolution_g,
                charging=charging_of(where),
            )
        except AlloyloopError as error:
            raise AlloyloopError(error.problem, error.remedy, place=ids[0]) from error
        treated = {id: _treatment(snapshot, each) for id, each in zip(ids, group, strict=True)}
        melts.append(Melt(ids, weighed, where, treated))
    weighed_in = ({line.material: line.weigh_g for line in melt.charge.lines} for melt in melts)
    taken = needs(weighed_in, shelf.joined(stock or Stock()))
    short = [
        f"{need.short_g:g} g {need.material} are lacking: {need.total_g:g} g are needed and {need.in_stock_g:g} g left."
        for need in taken
        if need.short_g
    ]
    return MeltSheet(asked, tuple(melts), taken, (*remarks, *said, *short))


def round_charges(snapshot: Snapshot, alloys: Iterable[Answer]) -> dict[str, Charge]:
    """What to weigh for the alloys of a round that is being written, of pure metals, by id.

    Mass, balance and losses are those of campaign.yaml, which is frozen with the round; the shelf changes, and is asked
    by `melt_sheet` alone.
    """
    melting, mass_g = snapshot.spec.melting, snapshot.spec.mass_g or BUTTON_G
    charges = {}
    for alloy in alloys:
        if alloy.composition is not None:
            chosen = alloy.process.get(FURNACE)
            furnace = chosen if isinstance(chosen, str) else usual_furnace(snapshot)
            losses = {} if melting is None else melting.losses.get(furnace, {})
            charges[alloy.id] = charge(
                alloy.composition,
                mass_g,
                stock=Stock(loss=losses),
                balance_resolution_g=BALANCE_G if melting is None else melting.balance_g,
                charging=charging_of(furnace),
            )
    return charges


def melt_sheet_table(ids: Sequence[str], charges: Sequence[Charge]) -> Sheet:
    """One row for each thing to weigh, alloys in their order, each closed by its total."""
    rows = (row for id, each in zip(ids, charges, strict=True) for row in _table_rows(id, each, Dialect()))
    return new_sheet(COLUMNS, rows, file="melt-sheet.csv")


def melt_sheet_file(sheet: MeltSheet, dialect: Dialect | None = None) -> Sheet:
    """The table to take to the balance: with a column for what was really weighed, and what the batch takes at its end.

    Parameters
    ----------
    sheet : what to weigh
    dialect : of the campaign's own table, so that the same spreadsheet opens both
    """
    dialect = dialect or Dialect()
    rows: list[dict[str, str]] = []
    for melt in sheet.melts:
        lines = _table_rows(melt.ids[0], melt.charge, dialect)
        costs = (*(line.cost for line in melt.charge.lines), melt.charge.cost)
        places = (*(line.place for line in melt.charge.lines), "")
        rows += [
            line | {"place": place, "furnace": melt.furnace, "cost": _money(cost, dialect)}
            for line, place, cost in zip(lines, places, costs, strict=True)
        ]
    rows += [
        {
            "id": BATCH,
            "material": need.material,
            "weigh_g": dialect.number(need.total_g),
            "cost": _money(need.cost, dialect),
        }
        for need in sheet.needs
    ]
    return new_sheet(FILE_COLUMNS, rows, file="melt-sheet.csv", dialect=dialect)


def melt_sheet_lines(sheet: MeltSheet, width: int | None = None) -> Iterator[str]:
    """The sheet for a terminal: what to weigh, how to charge it, what comes of it, and what it takes from the shelf."""
    table = melt_sheet_table(*sheet)
    yield from table_lines(table.columns, table.rows, width)
    yield ""
    for melt in sheet.melts:
        also = f", also for {listed(melt.ids[1:])}" if melt.ids[1:] else ""
        yield f"{melt.ids[0]}{also}: as weighed {melt.said}."
        if charged := [f"{line.material} {line.place}" for line in melt.charge.lines if line.place]:
            yield f"  Charge{f' ({melt.furnace})' if melt.furnace else ''}: {'; '.join(charged)}."
    yield ""
    is_known = any(need.in_stock_g is not None for need in sheet.needs)
    is_paid = any(isfinite(need.cost) for need in sheet.needs)
    columns = ["material", "total_g", *["in_stock_g"] * is_known, *["cost"] * is_paid]
    number = Dialect().number
    rows = [
        [
            need.material,
            number(need.total_g),
            *["" if need.in_stock_g is None else number(need.in_stock_g)] * is_known,
            *[_money(need.cost, Dialect())] * is_paid,
        ]
        for need in sheet.needs
    ]
    if isfinite(sheet.cost):
        rows.append(["total", number(sheet.weigh_g), *[""] * is_known, *[_money(sheet.cost, Dialect())] * is_paid])
    yield from table_lines(columns, rows, width)
    for warning, ids in sheet.warnings.items():
        yield f"{', '.join(ids) if len(ids) < len(sheet.melts) or len(ids) == 1 else 'All'}: {warning}"
    for remark in sheet.remarks:
        yield f"Remark: {remark}"


def melt_sheet_json(sheet: MeltSheet) -> Json:
    """The same as JSON, with the composition that the rounded masses give."""
    return {
        "round": sheet.round,
        "charges": [
            {
                "id": melt.ids[0],
                "ids": list(melt.ids),
                "alloy": melt.charge.composition.name(),
                "mass_g": melt.charge.mass_g,
                "furnace": melt.furnace,
                "lines": [
                    row | {"place": line.place, "cost": _plain(line.cost)}
                    for row, line in zip(melt.charge.rows(), melt.charge.lines, strict=True)
                ],
                "total_g": melt.charge.weigh_g,
                "cost": _plain(melt.charge.cost),
                "achieved_wt_pct": melt.charge.achieved.wt_pct,
                "error_wt_pct": melt.charge.error_wt_pct,
                "warnings": list(melt.charge.warnings),
            }
            for melt in sheet.melts
        ],
        "stock": [
            {
                "material": need.material,
                "each_g": dict(zip(sheet.ids, need.each_g, strict=True)),
                "total_g": need.total_g,
                "in_stock_g": need.in_stock_g,
                "short_g": need.short_g,
                "cost": _plain(need.cost),
            }
            for need in sheet.needs
        ],
        "cost": _plain(sheet.cost),
        "remarks": list(sheet.remarks),
    }


def melt_sheet_html(sheet: MeltSheet, name: str) -> str:
    """The sheet as a page to print on A4: one HTML5 document that needs no other file, no network and no script.

    Parameters
    ----------
    sheet : what to weigh
    name : of the campaign
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        name=name,
        version=version("alloyloop"),
        sheet=sheet,
        grams=_grams(sheet),
        is_wide=len(sheet.melts) > MOST_COLUMNS,
        is_known=any(need.in_stock_g is not None for need in sheet.needs),
        is_paid=any(isfinite(need.cost) for need in sheet.needs),
        money=lambda cost: _money(cost, Dialect()),
        charging_of=charging_of,
    )


def _rows_of(snapshot: Snapshot, round: int | None) -> tuple[list[int], int]:
    """The rows of a round, and its number."""
    if not snapshot.space.elements:
        raise AlloyloopError(
            "Nothing is melted in this campaign: it has no composition",
            "The process values of a round are in its proposals.csv.",
        )
    rounds = [number for number in snapshot.table.round if number is not None]
    if not rounds:
        raise AlloyloopError("There is no round yet", "`alloyloop suggest` makes the first.")
    asked = max(rounds) if round is None else round
    rows = [row for row, number in enumerate(snapshot.table.round) if number == asked]
    if not rows:
        raise AlloyloopError(f"There is no round {asked}", f"The last is {max(rounds)}.")
    return rows, asked


def _melts(snapshot: Snapshot, rows: Sequence[int]) -> tuple[list[list[int]], list[str]]:
    """Rows that are one melt, the one that others name first, and what is not weighed."""
    table, remarks = snapshot.table, []
    of_round = {table.ids[row] for row in rows}
    melts: dict[str, list[int]] = {}
    for row in rows:
        id, parent = table.ids[row], table.parent[row]
        if table.status[row] == "withdrawn":
            remarks.append(f"{id} is withdrawn, and not weighed.")
        elif snapshot.composition(row) is None:
            remarks.append(f"{id} has no composition, and is not weighed.")
        elif parent and parent not in of_round and parent in table.ids:
            remarks.append(f"{id} is of the melt {parent}, which was made before: it is not weighed again.")
        elif parent:
            melts.setdefault(parent, []).append(row)
        else:
            melts.setdefault(id, []).insert(0, row)
    if not melts:
        raise AlloyloopError(
            f"Nothing is to be weighed for round {table.round[rows[0]]}. {' '.join(remarks)}",
            "Name another with --round.",
        )
    for melt in melts.values():
        _refuse_if_they_differ(snapshot, melt)
    return list(melts.values()), [*remarks, *_alike(snapshot, melts.values())]


def _refuse_if_they_differ(snapshot: Snapshot, melt: Sequence[int]) -> None:
    first, *others = melt
    for row in others:
        if snapshot.composition(row) != snapshot.composition(first):
            table = snapshot.table
            raise AlloyloopError(
                f"{table.ids[row]} is tied to the melt of {table.ids[first]}, and is another alloy",
                "Correct its amounts, or empty its cell parent.",
                place=table.sheet.problem(row, "parent", "").place,
            )


def _alike(snapshot: Snapshot, melts: Iterable[Sequence[int]]) -> list[str]:
    """A sentence on each alloy that is weighed more than once."""
    same: dict[object, list[str]] = {}
    for row, *_ in melts:
        same.setdefault(snapshot.composition(row), []).append(snapshot.table.ids[row])
    return [
        f"{listed(ids)} are the same alloy: write {ids[0]} as the parent of the others if one melt does for all."
        for ids in same.values()
        if len(ids) > 1
    ]


def _shelf(snapshot: Snapshot) -> tuple[Stock, tuple[str, ...]]:
    """Prices and impurities of campaign.yaml, and its table of stock; losses are a furnace's."""
    melting, cost = snapshot.spec.melting, snapshot.spec.cost
    prices: dict[str, float] = {}
    if cost is not None and cost.mass_g is not None:
        in_table = zip(SYMBOLS, values("price_usd_per_kg", SYMBOLS).tolist(), strict=True)
        prices = {element: price for element, price in in_table if isfinite(price)} | cost.prices_per_kg
    if melting is None:
        return Stock(price_per_kg=prices), ()
    stock = Stock(price_per_kg=prices, impurities=melting.impurities)
    if melting.stock is None:
        return stock, ()
    shelf, remarks = read_stock(snapshot.folder.path, melting.stock)
    return stock.joined(shelf), remarks


def _treatment(snapshot: Snapshot, row: int) -> str:
    """What is done to one row after melting, `Solution temperature [°C] 850, Quench water`, without the furnace."""
    designed = [variable.name for variable in snapshot.space.process if variable.name != FURNACE]
    values = snapshot.treatment(row)
    return ", ".join(
        f"{label(name)} {value if isinstance(value, str) else f'{value:.10g}'}"
        for name in designed
        if (value := values[name]) is not None
    )


def _table_rows(id: str, charge: Charge, dialect: Dialect) -> list[dict[str, str]]:
    """One row for each thing to weigh, and their total."""
    alloy = {"id": id, "alloy": charge.composition.name()}
    rows = [
        alloy | {name: value if isinstance(value, str) else dialect.number(value) for name, value in line.items()}
        for line in charge.rows()
    ]
    total = {
        "material": "total",
        "exact_g": dialect.number(round(charge.exact_g, 6)),
        "weigh_g": dialect.number(charge.weigh_g),
    }
    return [*rows, alloy | total]


def _grams(sheet: MeltSheet) -> Callable[[float], str]:
    """Writes grams with as many decimals as the balance reads."""
    masses = [line.weigh_g for each in sheet.charges for line in each.lines]
    decimals = max(len(f"{mass:.9f}".rstrip("0").partition(".")[2]) for mass in masses)
    return lambda mass: f"{mass:.{decimals}f}"


def _money(cost: float, dialect: Dialect) -> str:
    """Money to the cent; empty where a price is not known."""
    return f"{cost:.2f}".replace(".", dialect.decimal) if isfinite(cost) else ""


def _plain(number: float) -> float | None:
    return round(number, 6) if isfinite(number) else None


def proposals_table(answers: Answers) -> Sheet:
    """proposals.csv of a round: each design, its alloy in both bases, what is expected of it, and why it was picked."""
    number = Dialect().number
    rows = []
    for alloy in answers.alloys:
        row = {"id": alloy.id}
        if alloy.candidate:
            row["candidate"] = alloy.candidate
        if alloy.composition is not None:
            row["alloy"] = alloy.name
            for basis in ("wt_pct", "at_pct"):
                amounts = alloy.composition.amounts(basis)
                row |= {f"{element}_{basis}": number(amount) for element, amount in amounts.items()}
        row |= {
            name: value if isinstance(value, str) else number(value)
            for name, value in alloy.process.items()
            if value is not None
        }
        for name, predicted in alloy.predicted.items():
            row |= {f"{name}_{part}": number(value) for part, value in predicted.json().items()}
        for name, expected in alloy.classes.items():
            row |= {f"{name}_{label}": number(chance) for label, chance in expected.classes.items()}
        row |= {f"probability_{name}": number(chance) for name, chance in alloy.probability.items()}
        if alloy.nearest is not None:
            unit = "pct_of_ranges" if alloy.composition is None else "at_pct"
            row |= {"nearest": alloy.nearest.id, f"nearest_distance_{unit}": number(alloy.nearest.distance)}
        row |= {"flags": "; ".join(alloy.flags), "why": alloy.why}
        rows.append(row)
    columns = dict.fromkeys(name for row in rows for name in row)
    last = ("flags", "why")
    return new_sheet([name for name in columns if name not in last] + list(last), rows, file="proposals.csv")
