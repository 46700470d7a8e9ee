"""report.html: one page that says what is asked, where it stands, what to melt next and all that was measured.

What was expected of an alloy stands in its round's decision.json, and nothing is fitted for that; what the models are
worth and in which ranges they meet the goals is asked before, see `opinion`. The page loads nothing and runs nothing,
and whatever somebody wrote into the folder is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ..design.alloy_names import BASIS_SIGN, other_basis
from ..design.descriptors import DESCRIPTORS, descriptor
from ..design.goals import Goal, Match, Pursued, Report, Within
from ..design.process import Choice, Condition, Numeric
from ..design.rules import Computed, Rule
from ..design.space import DesignSpace
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Predicted
from .files import read_bytes
from .house_style import figure_svg
from .journal import digest, read_journal
from .plots import Comeback, candidate_names, comebacks, parity, progress, synthetic_rows, trade_off
from .reading import counted, listed
from .rounds import PastRound, past_rounds
from .sheet import read_sheet
from .snapshot import Snapshot
from .status import Status, status
from .wording import label, words_and_unit

if TYPE_CHECKING:
    from .opinion import Opinion
    from .windowing import Told

TEMPLATE = Path(__file__).with_name("report.html")
NOT_PREDICTED = "not predicted"
# What a screen reader says of a picture; its caption and the tables tell the rest.
PARITY = "Chart of measured values against expected ones."
UNSEEN = "Chart of measured values against those that models had predicted without them."
TRADE_OFF = "Chart of the pursued properties against each other, with the Pareto front."
WINDOWS = "Chart of the windows: for each thing that is chosen, which part of its range they leave."
# Of so many results, a smaller share inside their 90 % intervals is warned of.
LEAST_INSIDE, LEAST_RESULTS = 0.8, 10
# Columns of a melt sheet that are read at the balance, the box to tick after them; others follow.
AT_THE_BALANCE = ("order", "material", "weigh_g")
# So many process variables, or more, stand below each other in one column of the next batch: a page has no room beside.
STACKED = 3
# Known alloys of a window that are named.
SHOWN = 20
NO_KNOWN_ALLOY = "No known alloy lies inside: the whole window is a prediction."

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/[^\s\"<>;]*[^\s\"<>;,.])", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.(?P<decimals>\d+))?")


def report_html(snapshot: Snapshot, told: Opinion | None = None) -> str:
    """The report of a campaign, the same text for the same files.

    Parameters
    ----------
    snapshot : the campaign
    told : what its models say; the page goes without where they were not asked

    Returns
    -------
    one HTML5 document that needs no other file, no network and no script
    """
    rounds = past_rounds(snapshot)
    stands = status(snapshot)
    came = comebacks(snapshot, rounds)
    called = candidate_names(snapshot, rounds)
    experiments = _experiments(snapshot, called)
    last_change, damage = _last_change(snapshot)
    warnings = _warnings(snapshot, rounds, came, damage, told)
    has_numbers = _has_numbers(snapshot, rounds)
    n_pursued = sum(isinstance(goal, Pursued) for goal in snapshot.goals.values())
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"label": label, "linked": linked, "words_and_unit": words_and_unit}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        name=snapshot.spec.name,
        version=version("alloyloop"),
        is_demo=snapshot.folder.demo_mark.is_file(),
        synthetic={row.id for row in experiments if row.is_synthetic},
        sought=sought(snapshot),
        question=_question(snapshot),
        stands=stands,
        is_pursued=n_pursued > 0,
        batch=_next_batch(snapshot, rounds, stands, called),
        is_stacked=len(snapshot.space.process) >= STACKED,
        melt_sheet=_melt_sheet(snapshot, rounds),
        warnings=warnings,
        progress=_picture(progress(snapshot), _progress_in_words(snapshot, rounds)) if has_numbers else "",
        trade_off=_picture(trade_off(snapshot), TRADE_OFF) if has_numbers and n_pursued > 1 else "",
        has_alloys=bool(snapshot.space.elements),
        comebacks=[(snapshot.table.ids[point.row], _alloy(snapshot, point.row), point) for point in came],
        n_inside=sum(point.is_inside for point in came),
        parity=_picture(parity(snapshot), PARITY) if came else "",
        told=told,
        unseen=_unseen(told) if told is not None and len(came) < LEAST_RESULTS else "",
        windows=None if told is None else _windows(told),
        models=_models(rounds),
        remarks=_remarks(snapshot, rounds, told, warnings),
        processes=[variable.name for variable in snapshot.space.process],
        conditions=[condition.name for condition in snapshot.space.conditions],
        results=[*snapshot.goals, *snapshot.table.layout.classes],
        experiments=experiments,
        provenance=_provenance(snapshot, rounds, last_change, told),
    )


def linked(text: str) -> Markup:
    """Text with its DOIs as links; everything else in it is text, addresses too.

    Examples
    --------
    >>> linked("see 10.1002/adem.200300567, <b>")
    Markup('see <a href="https://doi.org/10.1002/adem.200300567">10.1002/adem.200300567</a>, &lt;b&gt;')
    """
    html, end = Markup(), 0
    for match in _DOI.finditer(text):
        html += escape(text[end : match.start()])
        html += Markup('<a href="https://doi.org/{}">{}</a>').format(quote(match[1], safe="/():._-"), match[1])
        end = match.end()
    return html + escape(text[end:])


def _picture(figure: Any, said: str) -> Markup:
    """A figure with what a screen reader says of it; matplotlib escapes the text in it."""
    svg = figure_svg(figure)
    return Markup('<svg role="img" aria-label="{}"').format(said) + Markup(svg.removeprefix("<svg"))


# -- the question -----------------------------------------------------------------------------------------------------


def sought(snapshot: Snapshot) -> str:
    """The question in one sentence: "Sought: an alloy of Ti with Nb, its Young's modulus as low as possible."."""
    if snapshot.space.elements:
        *others, balance = snapshot.space.elements
        kind = f"an alloy of {balance}" + (f" with {listed(others)}" if others else "")
    else:
        kind = f"a process, by {listed([words_and_unit(variable.name)[0] for variable in snapshot.space.process])}"
    wants = [f"its {wanted}" for wanted in _wanted(snapshot)]
    return f"Sought: {kind}, {listed(wants)}." if wants else f"Studied: {kind}; nothing is pursued or limited."


def _question(snapshot: Snapshot) -> dict[str, list[str]]:
    """The question in its parts: what each is called, and what it says."""
    space = snapshot.space
    reported = [words_and_unit(name)[0] for name, goal in snapshot.goals.items() if isinstance(goal, Report)]
    classes = [
        f"{name} ({listed(list(snapshot.table.layout.classes[name]), 'or')})"
        for name, goal in snapshot.class_goals.items()
        if isinstance(goal, Report)
    ]
    parts = {
        f"Composition [{BASIS_SIGN[space.basis]}]": _bounds(space),
        "Candidates": _candidates(snapshot),
        "Process": [_process(variable) for variable in space.process],
        "Conditions": [f"{label(condition.name)}: {condition.at:g} wanted" for condition in space.conditions],
        "Rules": [_rule(rule) for rule in space.rules],
        "Wanted": _wanted(snapshot),
        "Weights": [f"{words_and_unit(name)[0]} {weight:g}" for name, weight in snapshot.spec.weights.items()],
        "Reported": reported + classes,
        "Element policy": _policy(space),
        "Designs": [str(space.counted())],
    }
    return {name: said for name, said in parts.items() if said}


def _wanted(snapshot: Snapshot) -> list[str]:
    """What is pursued, and the limits and classes that must be kept, in words."""
    goals = (*snapshot.goals.items(), *snapshot.class_goals.items())
    return [_goal(name, goal) for name, goal in goals if not isinstance(goal, Report)]


def _candidates(snapshot: Snapshot) -> list[str]:
    table = snapshot.space.candidates
    return [] if table is None else [f"the {counted(len(table.percent), 'row')} of {snapshot.spec.candidates}"]


def _bounds(space: DesignSpace) -> list[str]:
    lattice = space.lattice
    if lattice is None:
        return [listed(space.elements)] if space.elements else []
    steps = {element.step for element in lattice.elements}
    bounds = [
        f"{element.symbol} {element.low:g} to {element.high:g}"
        + (f" in steps of {element.step:g}" if len(steps) > 1 else "")
        for element in lattice.elements
    ]
    balance = f"{lattice.balance} {lattice.balance_low:g} to {lattice.balance_high:g} (the balance)"
    present = [f"what is present is at least {lattice.present_above:g}"] if lattice.present_above else []
    present += [limit.text for limit in lattice.limits]
    return [balance, *bounds, *(f"all in steps of {step:g}" for step in steps if len(steps) == 1), *present]


def _process(variable: Numeric | Choice) -> str:
    if isinstance(variable, Choice):
        return f"{label(variable.name)}: {listed(variable.choices, 'or')}"
    bounds = f"{label(variable.name)}: {variable.low:g} to {variable.high:g}"
    if variable.listed:
        return f"{label(variable.name)}: {listed([f'{value:g}' for value in variable.listed], 'or')}"
    return bounds if variable.step is None else f"{bounds} in steps of {variable.step:g}"


def _rule(rule: Rule) -> str:
    """A rule as it was written, or in words where it bounds a descriptor alone.

    >>> from ..design.rules import Names, parse_rule
    >>> names = Names(("Nb", "Zr"))
    >>> _rule(parse_rule("mo_equivalent_wang >= 11.8", names)), _rule(parse_rule("Nb / Zr < 2", names))
    ('Mo equivalent wang at least 11.8 wt.%', 'Nb / Zr < 2')
    """
    if rule.given or not isinstance(rule.wanted, Computed):
        return rule.text
    limits, name = rule.wanted.limits, rule.wanted.name
    low = f"{'above' if limits.low_open else 'at least'} {limits.low:g}" if isfinite(limits.low) else ""
    high = f"{'below' if limits.high_open else 'at most'} {limits.high:g}" if isfinite(limits.high) else ""
    bounds = f"between {limits.low:g} and {limits.high:g}" if low and high else low or high
    words, unit = words_and_unit(name)
    unit = unit or (descriptor(name).unit.removeprefix("-") if name in DESCRIPTORS else "")
    return f"{words[:1].upper()}{words[1:]} {bounds} {unit}".rstrip()


def _goal(name: str, goal: Goal) -> str:
    words, unit = words_and_unit(name)
    if isinstance(goal, Match):
        target, tolerance = (f"{value:g} {unit}".rstrip() for value in (goal.target, goal.tolerance))
        return f"{words} as near to {target} as possible (met within {tolerance})"
    return f"{words} {goal.words} {unit}".rstrip() if isinstance(goal, Within) else f"{words} {goal.words}"


def _policy(space: DesignSpace) -> list[str]:
    if space.policy is None:
        return []
    limited = [
        f"{rule.element} at most {rule.limit_wt_pct:g} wt.%"
        for rule in space.policy.rules
        if rule.verdict == "limited" and rule.limit_wt_pct is not None and rule.element in space.elements
    ]
    barred = sorted(space.policy.barred)
    return [f"{space.policy.title} ({space.policy.name})", *([f"bars {listed(barred)}"] if barred else []), *limited]


# -- where it stands --------------------------------------------------------------------------------------------------


def _last_change(snapshot: Snapshot) -> tuple[Mapping[str, object], list[str]]:
    """The newest event of the journal, and what is wrong with the journal."""
    try:
        events = read_journal(snapshot.folder.journal)
    except AlloyloopError as error:
        return {}, [str(error)]
    return (events[-1].content if events else {}), []


def _has_numbers(snapshot: Snapshot, rounds: Sequence[PastRound]) -> bool:
    """Whether there is anything that a picture of progress could show."""
    expected = {name for past in rounds for alloy in past.proposals.values() for name in alloy.predicted}
    return any(name in expected or np.isfinite(snapshot.values(name)).any() for name in snapshot.goals)


def _warnings(
    snapshot: Snapshot,
    rounds: Sequence[PastRound],
    came: Sequence[Comeback],
    damage: Sequence[str],
    told: Opinion | None,
) -> list[str]:
    """What somebody who decides by this page should know first."""
    said = [
        *damage,
        *(
            f"Round {past.number} has no decision.json that can be read: what it expected is not shown."
            for past in rounds
            if not past.decision
        ),
    ]
    asked = _mapping(rounds[-1].decision.get("digests")).get(snapshot.folder.question.name) if rounds else None
    if asked and asked != digest(read_bytes(snapshot.folder.question)):
        number = rounds[-1].number
        said.append(f"campaign.yaml was changed after round {number} was chosen, which answers the question as it was.")
    inside = sum(point.is_inside for point in came)
    if len(came) >= LEAST_RESULTS and inside < LEAST_INSIDE * len(came):
        said.append(f"Only {inside} of {len(came)} results lie inside the 90 % intervals that rounds had expected.")
    if told is not None:
        said += [warning for quality in told.qualities for warning in quality.warnings]
    return said


def _remarks(
    snapshot: Snapshot, rounds: Sequence[PastRound], told: Opinion | None, warnings: Sequence[str]
) -> list[str]:
    """What else was assumed, left out or found, without what is warned of already."""
    said = _texts(rounds[-1].decision.get("remarks")) if rounds else []
    asked = () if told is None else (*told.remarks, *(told.windowed.asked.remarks if told.windowed else ()))
    return [remark for remark in dict.fromkeys([*snapshot.remarks, *said, *asked]) if remark not in warnings]


def _models(rounds: Sequence[PastRound]) -> dict[str, Any]:
    """What the last round says of how it was chosen; empty where it says nothing."""
    decision = rounds[-1].decision if rounds else {}
    chosen = [
        (name, str(model.get("name", "")), str(model.get("why", "")))
        for name, model in _mapping(decision.get("models")).items()
        if isinstance(model, Mapping)
    ]
    acquisition = rounds[-1].acquisition if rounds else ""
    runner_ups = _texts(decision.get("runner_ups"))
    if not (chosen or acquisition or runner_ups):
        return {}
    return {"round": rounds[-1].number, "chosen": chosen, "acquisition": acquisition, "runner_ups": runner_ups}


def _provenance(
    snapshot: Snapshot, rounds: Sequence[PastRound], last_change: Mapping[str, object], told: Opinion | None
) -> list[tuple[str, str]]:
    """What was written by which version from which files; each a name and what it says."""
    lines = [("Report written by", f"alloyloop {version('alloyloop')}")]
    if told is None:
        lines.append(("Models", "not asked (--quick): how good they are, and windows, are left out"))
    if last_change:
        lines.append(("Last change", f"{last_change.get('what')} on {last_change.get('when')}"))
    files = (snapshot.folder.question, snapshot.folder.experiments)
    lines += [(f"{file.name} (SHA-256)", digest(read_bytes(file))) for file in files]
    if rounds and rounds[-1].decision:
        decision, number = rounds[-1].decision, rounds[-1].number
        used = [f"{package} {release}" for package, release in _mapping(decision.get("versions")).items()]
        lines.append((f"Round {number} was chosen by", ", ".join(used)))
        lines.append((f"Round {number}, seed", str(decision.get("seed", ""))))
        frozen = _mapping(decision.get("digests"))
        lines += [(f"Round {number} was chosen from {name} (SHA-256)", str(said)) for name, said in frozen.items()]
    return lines


def _progress_in_words(snapshot: Snapshot, rounds: Sequence[PastRound]) -> str:
    """What the chart of progress shows, for who cannot see it."""
    names = [words_and_unit(name)[0] for name, goal in snapshot.goals.items() if not isinstance(goal, Report)]
    of = f" of {listed(names)}" if names else ""
    return f"Chart{of}: what was known before, expected and measured in {counted(len(rounds), 'round')}."


def _unseen(told: Opinion) -> Markup:
    """What models believed of rows that they had not seen, drawn; "" where that is of no property with numbers."""
    if all(quality.forecasts is None for quality in told.qualities):
        return Markup()
    from .model_plots import unseen_figure

    return _picture(unseen_figure(told.qualities), UNSEEN)


def _windows(told: Opinion) -> dict[str, Any]:
    """Windows as the page shows them: a table, and a part for each of them."""
    found = told.windowed
    if found is None:
        return {"title": "", "said": told.meaning, "of": ()}
    wants = listed([_goal(want.names[0], want.goal) for want in found.asked.wanted.wants])
    if not found.of:
        title = f"No range of compositions and treatments has {wants} with a chance of {found.probability:.0%}"
        return {"title": title, "said": f"{found.reach} {told.meaning}", "of": ()}
    from .house_style import PAGE
    from .window_plots import windows_figure

    columns, rows = found.table()
    return {
        "title": f"Where {wants} is met with a chance of {found.probability:.0%}",
        "said": told.meaning,
        "columns": columns,
        "rows": rows,
        "of": [_window(f"W{i}", window) for i, window in enumerate(found.of, start=1)],
        "picture": _picture(windows_figure(found, PAGE), WINDOWS),
    }


def _window(id: str, told: Told) -> tuple[str, list[str], str]:
    """What is expected inside one window, and which known alloys lie there; its bounds as campaign.yaml writes them."""
    expected = [f"{label(name)}: {each}" for name, each in told.expected.items()]
    expected += [
        f"{label(name)}: {', '.join(f'{kind} {share:.0%}' for kind, share in shares.items())}"
        for name, shares in told.classes.items()
    ]
    least = f"The least likely design inside is {told.worst}, with {told.window.probability_worst:.0%}."
    known = list(told.measured)[:SHOWN]
    more = f" and {len(told.measured) - SHOWN} more" if len(told.measured) > SHOWN else ""
    inside = f"Known alloys inside: {', '.join(known)}{more}." if known else NO_KNOWN_ALLOY
    return id, [f"Expected inside: {'; '.join(expected)}.", least, inside], told.bounds


def _mapping(said: object) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}


def _texts(said: object) -> list[str]:
    return [str(text) for text in said] if isinstance(said, list) else []


# -- alloys -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A prediction drawn on a scale from 0 to 100 that all predictions of one property share.

    Parameters
    ----------
    low, mean, high : of the prediction
    best : the best value measured; None where there is none
    """

    low: float
    mean: float
    high: float
    best: float | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An alloy that waits for its measurement.

    Parameters
    ----------
    id, status, round : of its row
    candidate : what the user's table of candidates calls it; "" where there is none
    alloy, other : its name in the campaign's basis, and in the other
    process : values, in the order of the campaign's process variables
    expected : for each property of the batch, the prediction and its bar; None where there is none
    classes : for each property of the batch that has classes, the likeliest and its probability
    chance : that every goal that can be met is met; "" where that was not asked
    nearest, flags, why, beyond : as they were found when it was suggested
    """

    id: str
    status: str
    round: int | None
    candidate: str
    alloy: str
    other: str
    process: tuple[str, ...]
    expected: tuple[tuple[Predicted, Bar] | None, ...]
    classes: tuple[str, ...]
    chance: str
    nearest: str
    flags: tuple[str, ...]
    why: str
    beyond: str


@dataclass(frozen=True, slots=True)
class NextBatch:
    """The alloys that wait, the properties that were predicted of any of them, and whether limits were asked."""

    properties: tuple[str, ...]
    classes: tuple[str, ...]
    has_limits: bool
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A row of experiments.csv: its cells as the report shows them, conditions after the process values.

    What the user's table of candidates calls it is known of what a round proposed from that table.
    """

    id: str
    status: str
    round: int | None
    candidate: str
    alloy: str
    process: tuple[str, ...]
    results: tuple[str, ...]
    source: str
    remarks: str
    is_synthetic: bool


@dataclass(frozen=True, slots=True)
class MeltSheet:
    """The melt sheet of a round: what to weigh for each alloy, `(id, the user's own name, name, rows of cells)`.

    After so many of its columns there is a box to tick.
    """

    round: int
    columns: tuple[str, ...]
    ticked_after: int
    alloys: tuple[tuple[str, str, str, list[tuple[str, ...]]], ...]


def _next_batch(
    snapshot: Snapshot, rounds: Sequence[PastRound], stands: Status, called: Mapping[int, str]
) -> NextBatch:
    table = snapshot.table
    foreseen = {(past.number, id): alloy for past in rounds for id, alloy in past.proposals.items()}
    rows = np.flatnonzero(table.pending).tolist()
    answers = {row: foreseen.get((table.round[row] or 0, table.ids[row])) for row in rows}
    predicted = [answer.predicted for answer in answers.values() if answer is not None]
    properties = tuple(name for name in snapshot.goals if any(name in one for one in predicted))
    scales = {name: _scale([one[name] for one in predicted if name in one], name, stands) for name in properties}
    told = [answer.classes for answer in answers.values() if answer is not None]
    classes = tuple(name for name in snapshot.class_goals if any(name in one for one in told))
    proposals = tuple(_proposal(snapshot, row, answers[row], scales, classes, called) for row in rows)
    return NextBatch(properties, classes, any(proposal.chance for proposal in proposals), proposals)


def _scale(predicted: Sequence[Predicted], name: str, stands: Status) -> tuple[float, float, float | None]:
    """The ends of a property's bars, and its best measured value."""
    best = None if stands.best is None else stands.best.values.get(name)
    ends = [end for one in predicted for end in (one.low, one.high)] + ([] if best is None else [best])
    return min(ends), max(ends), best


def _proposal(
    snapshot: Snapshot,
    row: int,
    answer: Answer | None,
    scales: Mapping[str, tuple[float, float, float | None]],
    classes: Sequence[str],
    called: Mapping[int, str],
) -> Proposal:
    table = snapshot.table
    composition = snapshot.composition(row)
    foreseen = answer.composition if answer else None
    is_changed = composition is not None and foreseen is not None and composition.distance(foreseen) > 1e-6
    flags = answer.flags if answer else ()
    if answer and is_changed:
        flags = (f"changed since it was suggested: what is expected is of {answer.name}", *flags)
    expected = []
    for name, (low, high, best) in scales.items():
        prediction = answer.predicted.get(name) if answer else None
        expected.append(None if prediction is None else (prediction, _bar(prediction, low, high, best)))
    return Proposal(
        id=table.ids[row],
        status=table.status[row],
        round=table.round[row],
        candidate=called.get(row, ""),
        alloy=_alloy(snapshot, row),
        other="" if composition is None else composition.name(other_basis(snapshot.space.basis)),
        process=_process_cells(snapshot, row, snapshot.space.process),
        expected=tuple(expected),
        classes=tuple(str(answer.classes.get(name, NOT_PREDICTED)) if answer else NOT_PREDICTED for name in classes),
        chance=f"{answer.probability['all']:.0%}" if answer and len(answer.probability) > 1 else "",
        nearest=answer.nearest_known if answer and answer.nearest else "",
        flags=flags,
        why=answer.why if answer else "",
        beyond=answer.beyond if answer else "",
    )


def _bar(predicted: Predicted, low: float, high: float, best: float | None) -> Bar:
    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 1) if high > low else 50.0

    ends = place(predicted.low), place(predicted.mean), place(predicted.high)
    return Bar(*ends, None if best is None else place(best))


def _melt_sheet(snapshot: Snapshot, rounds: Sequence[PastRound]) -> MeltSheet | None:
    """The last round's melt-sheet.csv; None where there is none that can be read."""
    if not rounds:
        return None
    number = rounds[-1].number
    try:
        sheet = read_sheet(snapshot.folder.round(number) / "melt-sheet.csv")
    except AlloyloopError:
        return None
    if not {"id", "alloy"} < set(sheet.columns):
        return None
    own = [name for name in sheet.columns if name not in ("id", "alloy")]
    columns = (*(name for name in AT_THE_BALANCE if name in own), *(n for n in own if n not in AT_THE_BALANCE))
    called = {id: alloy.candidate for id, alloy in rounds[-1].proposals.items()}
    heads = zip(sheet.column("id"), sheet.column("alloy"), strict=True)
    cells = zip(*(_aligned(sheet.column(name)) for name in columns), strict=True)
    alloys = tuple(
        (id, called.get(id, ""), alloy, [row for _, row in lines])
        for (id, alloy), lines in groupby(zip(heads, cells, strict=True), key=lambda line: line[0])
    )
    return MeltSheet(number, columns, sum(name in AT_THE_BALANCE for name in columns) or len(columns), alloys)


def _aligned(cells: Sequence[str]) -> list[str]:
    """Numbers of one column with as many decimals as the longest of them; other text as it is.

    >>> _aligned(["13.6", "24", "", "total"])
    ['13.6', '24.0', '', 'total']
    """
    numbers = [_NUMBER.fullmatch(cell) for cell in cells]
    decimals = max((len(number["decimals"] or "") for number in numbers if number), default=0)
    return [f"{float(cell):.{decimals}f}" if number else cell for cell, number in zip(cells, numbers, strict=True)]


def _experiments(snapshot: Snapshot, called: Mapping[int, str]) -> list[Experiment]:
    table = snapshot.table
    columns, is_synthetic = table.sheet.positions, synthetic_rows(snapshot)

    def cells(row: int, *names: str) -> list[str]:
        return [cell for name in names if name in columns and (cell := table.sheet.cell(row, name))]

    return [
        Experiment(
            id=table.ids[row],
            status=table.status[row],
            round=table.round[row],
            candidate=called.get(row, ""),
            alloy=_alloy(snapshot, row),
            process=_process_cells(snapshot, row, (*snapshot.space.process, *snapshot.space.conditions)),
            results=(
                *(_measured(snapshot, name, row) for name in snapshot.goals),
                *("; ".join(cells(row, name)) for name in table.layout.classes),
            ),
            source="; ".join(cells(row, "source")),
            remarks="; ".join(cells(row, "reason", "note")),
            is_synthetic=bool(is_synthetic[row]),
        )
        for row in range(len(table))
    ]


def _measured(snapshot: Snapshot, name: str, row: int) -> str:
    """A value with the standard deviation between its replicates and their number, as far as known."""
    table, value = snapshot.table, float(snapshot.values(name)[row])
    if not isfinite(value):
        return ""
    if name not in snapshot.learned:
        return f"{value:.4g}"
    std, count = float(table.std(name)[row]), float(table.counts(name)[row])
    text = f"{table.censored(name)[row]}{value:.4g}"
    text += f" ±\u00a0{std:.2g}" if isfinite(std) else ""  # a line may break before it, not in it
    return text + (f" (n\u00a0=\u00a0{count:g})" if isfinite(count) else "")


def _process_cells(snapshot: Snapshot, row: int, variables: Sequence[Numeric | Choice | Condition]) -> tuple[str, ...]:
    values = (snapshot.table.process[variable.name][row] for variable in variables)
    return tuple(v if isinstance(v, str) else "" if v is None or not isfinite(v) else f"{v:g}" for v in values)


def _alloy(snapshot: Snapshot, row: int) -> str:
    composition = snapshot.composition(row)
    return "" if composition is None else composition.name()
