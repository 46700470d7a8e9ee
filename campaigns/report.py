"""report.html: one page that says what is asked, where it stands, what to melt next and all that was measured.

Nothing is fitted for it: what was expected of an alloy stands in its round's decision.json. The page loads nothing and
runs nothing, and whatever a user or a stranger wrote into the folder is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from math import isfinite
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..design.alloy_names import BASIS_SIGN, other_basis
from ..design.descriptors import descriptor
from ..design.goals import Goal, Maximize, Minimize, Report, Within
from ..design.rules import Rule
from ..design.space import Choice, DesignSpace
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Predicted
from .files import read_bytes
from .journal import digest, read_journal
from .plots import (
    Comeback,
    PastRound,
    comebacks,
    figure_svg,
    is_synthetic,
    label,
    parity,
    past_rounds,
    progress,
    words_and_unit,
)
from .sheet import Sheet, read_sheet
from .snapshot import Snapshot
from .status import Status, status

TEMPLATE = Path(__file__).with_name("report.html")
# A folder that `alloyloop demo` made says so in this file.
DEMO = "DEMO.txt"

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/[^\s\"<>]+)", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")


def report_html(snapshot: Snapshot) -> str:
    """The report of a campaign, the same text for the same files.

    Returns
    -------
    one HTML5 document that needs no other file, no network and no script
    """
    rounds = past_rounds(snapshot)
    stands, cannot_rank = _status(snapshot)
    last = rounds[-1] if rounds else None
    came = comebacks(snapshot, rounds)
    rows = _rows(snapshot)
    changed, journal_remarks = _last_change(snapshot)
    template = _environment().from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        spec=snapshot.spec,
        version=version("alloyloop"),
        is_demo=(snapshot.folder.path / DEMO).is_file(),
        has_synthetic=any(row.is_synthetic for row in rows),
        sought=sought(snapshot),
        question=_question(snapshot),
        stands=stands,
        cannot_rank=cannot_rank,
        best=_best(snapshot, stands),
        batch=_batch(snapshot, rounds, stands),
        melt_sheet=_melt_sheet(snapshot, last),
        progress=_progress(snapshot),
        comebacks=[(snapshot.table.ids[point.row], _alloy(snapshot, point.row), point) for point in came],
        synthetic_ids={row.id for row in rows if row.is_synthetic},
        parity=Markup(figure_svg(parity(snapshot))) if came else "",
        last=last,
        remarks=_remarks(snapshot, rounds, journal_remarks),
        experiments=rows,
        columns=_columns(snapshot),
        digests={file.name: digest(read_bytes(file)) for file in (snapshot.folder.question, snapshot.folder.experiments)},
        changed=changed,
    )


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"label": label, "number": _number, "linked": _linked}
    return environment


# -- the question -----------------------------------------------------------------------------------------------------


def sought(snapshot: Snapshot) -> str:
    """The question in one sentence."""
    balance, *others = _balance_first(snapshot.space)
    kind = f"an alloy of {balance}" + (f" with {_listed(others)}" if others else "")
    wants = [f"its {_goal(name, goal)}" for name, goal in snapshot.goals.items() if not isinstance(goal, Report)]
    return f"Sought: {kind}, {_listed(wants)}." if wants else f"Studied: {kind}; nothing is pursued or limited."


def _question(snapshot: Snapshot) -> dict[str, list[str]]:
    """The question in its parts: what each is called, and what it says."""
    space, spec = snapshot.space, snapshot.spec
    parts = {
        f"Composition [{BASIS_SIGN[space.basis]}]": _bounds(space),
        "Process": [_process(variable) for variable in spec.process and space.process],
        "Rules": [_rule(rule) for rule in space.rules],
        "Wanted": [_goal(name, goal) for name, goal in snapshot.goals.items() if not isinstance(goal, Report)],
        "Reported": [
            *(words_and_unit(name)[0] for name, goal in snapshot.goals.items() if isinstance(goal, Report)),
            *(f"{label(name)}, as {_listed(list(classes))}" for name, classes in snapshot.table.layout.classes.items()),
        ],
        "Element policy": _policy(space),
        "Designs": [f"{space.count:,} on their steps, before rules are asked"],
    }
    return {name: said for name, said in parts.items() if said}


def _balance_first(space: DesignSpace) -> list[str]:
    *others, balance = space.elements
    return [balance, *others]


def _bounds(space: DesignSpace) -> list[str]:
    lattice = space.lattice
    steps = {element.step for element in lattice.elements}
    shared = steps.pop() if len(steps) == 1 else None
    balance = f"{lattice.balance} {lattice.balance_low:g} to {lattice.balance_high:g}, the balance"
    bounds = [
        f"{element.symbol} {element.low:g} to {element.high:g}" + ("" if shared else f", in steps of {element.step:g}")
        for element in lattice.elements
    ]
    return [balance, *bounds, *([f"all in steps of {shared:g}"] if shared else [])]


def _process(variable: object) -> str:
    if isinstance(variable, Choice):
        return f"{label(variable.name)}: {_listed(list(variable.choices), 'or')}"
    return f"{label(variable.name)}: {variable.low:g} to {variable.high:g} in steps of {variable.step:g}"


def _rule(rule: Rule) -> str:
    if rule.of_descriptor:
        name = rule.terms[0][0]
        unit = descriptor(name).unit.replace("-", "")
        words = words_and_unit(name)[0]
    else:
        unit = ""
        words = " ".join(f"{factor:+g} {name}" for name, factor in rule.terms)
    return f"{words}"
