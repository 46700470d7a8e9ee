"""Melt sheets of a round: what to weigh for each of its alloys, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from ..design.melt import Charge
from .answers import Answers, Json
from .sheet import Dialect, Sheet, new_sheet

# Of one arc-melted button, where nobody says otherwise; 20 to 100 g are usual.
BUTTON_G = 40.0


def melt_sheet_table(ids: Sequence[str], charges: Sequence[Charge]) -> Sheet:
    """One row for each thing to weigh, alloys in their order, each closed by its total."""
    columns = ["id", "alloy", "order", "material", "purity", "exact_g", "weigh_g"]
    number = Dialect().number
    rows: list[dict[str, str]] = []
    for id, charge in zip(ids, charges, strict=True):
        alloy = {"id": id, "alloy": charge.composition.name()}
        rows += [
            alloy | {name: value if isinstance(value, str) else number(value) for name, value in line.items()}
            for line in charge.rows()
        ]
        total = {"material": "total", "exact_g": number(round(charge.exact_g, 6)), "weigh_g": number(charge.weigh_g)}
        rows.append(alloy | total)
    return new_sheet(columns, rows, file="melt-sheet.csv")


def melt_sheet_json(ids: Sequence[str], charges: Sequence[Charge]) -> Json:
    """The same as JSON, with the composition that the rounded masses give."""
    return {
        "charges": [
            {
                "id": id,
                "alloy": charge.composition.name(),
                "mass_g": charge.mass_g,
                "lines": charge.rows(),
                "total_g": charge.weigh_g,
                "achieved_wt_pct": charge.achieved.wt_pct,
                "warnings": list(charge.warnings),
            }
            for id, charge in zip(ids, charges, strict=True)
        ]
    }


def proposals_table(answers: Answers) -> Sheet:
    """proposals.csv of a round: each design, its alloy in both bases, what is expected of it, and why it was picked."""
    number = Dialect().number
    rows = []
    for alloy in answers.alloys:
        row = {"id": alloy.id}
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
