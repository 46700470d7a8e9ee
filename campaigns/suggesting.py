"""The next batch: chosen by what each melt is expected to gain, or spread out where nothing is known yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import numpy as np

from ..design.acquisition import Acquisition, Rule
from ..design.acquisitions import acquisition_rule, automatic, refuse
from ..design.cost import eagerness, price
from ..design.diagram import IntArray
from ..design.features import Alloys, alloys_at
from ..design.first_designs import FIRST_DESIGNS, first_designs
from ..design.goals import classes_wanted, limits, pursued
from ..design.hypervolume import has_volume, reference_of
from ..design.outlook import Outlook, see_phases
from ..design.propose import SPARING, THOROUGH, Batch, propose
from ..design.prospects import prospects, taught
from ..design.scatter import Scatter
from ..design.space import nothing_left, rows_in
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Json, design_name
from .budgeting import Budget, budget
from .judging import judge
from .learning import Beliefs, believe
from .made_on import made_on
from .named import Named
from .outlooks import Ahead, is_measured, look_ahead
from .reading import counted, listed
from .reasons import reasons, stop_figures
from .scatter import apart, scatter
from .snapshot import Snapshot, plain

# What each kind of first designs is for.
STARTS = {
    "space-filling": "spread over the space",
    "d-optimal": "settle the coefficients of a quadratic model (D-optimal)",
    "i-optimal": "predict well over the whole space with a quadratic model (I-optimal)",
}
# Designs drawn to see what is left, and where phases take their time to compute; those of them that promise most are
# drawn jointly.
N_LOOKED, N_LOOKED_OF_PHASES, N_POOL = 2048, 96, 192
# Less likely than this to keep every limit, even the likeliest design is a compromise and the user is told.
HARDLY = 0.1
PACKAGES = ("alloyloop", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a batch is to be chosen, where that is not as campaign.yaml says.

    Parameters
    ----------
    start : how first designs are chosen, one of `FIRST_DESIGNS`; `space-filling` where not given
    search : how the best designs are looked for, one of `SEARCHES`
    acquisition : what they are looked for by, a name or `auto`
    explore : between 0 and 1, how much
    """

    start: str | None = None
    search: str | None = None
    acquisition: str | None = None
    explore: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Suggestion:
    """A batch before it is written down.

    Parameters
    ----------
    points : (n, d) of the space
    alloys : the same as answers, in the order they were picked
    beside : the user's own candidates, judged in the same way
    decision : how it came about: models, settings, runner-ups, expected gain, stop figures
    remarks : what should be known about it
    """

    points: IntArray
    alloys: tuple[Answer, ...]
    beside: tuple[Answer, ...]
    decision: Json
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """The designs that were chosen, and what is told of each of them beside what is predicted."""

    points: IntArray
    why: Sequence[str]
    decision: Json
    remarks: Sequence[str] = ()
    gains: Sequence[float | None] = ()
    teaches: Sequence[float | None] = ()
    runner_ups: Sequence[str] = ()
    scatter: Scatter | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Independent streams of random numbers, the same for the same seed and round."""

    searching: np.random.Generator
    drawing: np.random.Generator
    stopping: np.random.Generator

    @staticmethod
    def of(snapshot: Snapshot, round_number: int) -> _Draws:
        return _Draws(*np.random.default_rng([snapshot.spec.seed, round_number]).spawn(3))


def suggest(snapshot: Snapshot, n: int, round_number: int, own: Named, manner: Manner | None = None) -> Suggestion:
    """Choose the next n alloys.

    Parameters
    ----------
    snapshot : the campaign
    n : how many
    round_number : of the round they will be; names them and, with the campaign's seed, settles every random draw
    own : designs of the user's, judged beside
    manner : where it is not to be as campaign.yaml says

    Raises
    ------
    AlloyloopError
        where no property is pursued, the space has no design left, or the budget is used up
    """
    asked = {"n": n, **asdict(manner or Manner())}
    manner = _meant(snapshot, manner or Manner())
    wanted = pursued(snapshot.goals)
    draws = _Draws.of(snapshot, round_number)
    purse = budget(snapshot)
    granted, cut = (n, ()) if purse is None else purse.granted(n, _cheapest(snapshot, draws.searching))
    beliefs = believe(snapshot)
    decision: Json = {
        "asked": asked,
        "seed": snapshot.spec.seed,
        "versions": {name: version(name) for name in PACKAGES},
        "made_on": made_on(),
        "models": {name: {"name": choice.name, "why": choice.why} for name, choice in beliefs.choices.items()},
    }
    if is_measured(snapshot, beliefs):
        if manner.start is not None:
            raise AlloyloopError(
                f"{listed(list(wanted))} has been measured already, so this round is chosen by what it is expected to "
                "gain",
                f"Leave {manner.start} out: it is for the first designs.",
            )
        made = _by_gain(snapshot, beliefs, granted, draws, manner, purse)
    else:
        unknown = [name for name in wanted if name not in beliefs.computed] or list(wanted)
        made = _spread_out(snapshot, granted, manner.start or "space-filling", draws, unknown, purse)
        asked_of = (*limits(snapshot.goals), *classes_wanted(snapshot.class_goals))
        if open_ := [name for name in asked_of if name not in beliefs.every]:
            said = f"Nothing is known of {listed(open_)} yet: any chance of all goals is without what is asked of it."
            made = replace(made, remarks=[*made.remarks, said])
    points = made.points
    if len(points) == 0:
        raise nothing_left()
    remarks = [*snapshot.remarks, *beliefs.remarks, *cut, *made.remarks]
    ids = [f"R{round_number:03d}-{i}" for i in range(1, len(points) + 1)]
    compositions, process = snapshot.space.compositions(points), snapshot.space.process_values(points)
    alloys = judge(snapshot, beliefs, ids, compositions, process, made.why, scatter=made.scatter)
    told = tuple(
        replace(alloy, gain=gain, teaches=teaches, runner_up=runner_up)
        for alloy, gain, teaches, runner_up in zip(
            alloys,
            made.gains or [None] * len(points),
            made.teaches or [None] * len(points),
            made.runner_ups or [""] * len(points),
            strict=False,
        )
    )
    names = [made.name() if made else name for name, made in zip(own.names, own.compositions, strict=True)]
    beside = judge(snapshot, beliefs, names, own.compositions, own.process, scatter=made.scatter)
    if purse is not None:
        decision["budget"] = purse.json()
    return Suggestion(points, told, beside, decision | made.decision, tuple(remarks))


def _meant(snapshot: Snapshot, asked: Manner) -> Manner:
    """What is asked for, or else as campaign.yaml says; refused where there is no such thing."""
    spec = snapshot.spec
    if asked.start is not None and asked.start not in FIRST_DESIGNS:
        raise AlloyloopError(f"There is no start '{asked.start}'", f"Write one of {', '.join(FIRST_DESIGNS)}.")
    explore = spec.explore if asked.explore is None else asked.explore
    if explore is not None and not 0 <= explore <= 1:
        raise AlloyloopError(f"explore is a number between 0 and 1, and not {explore:g}", "0 is greedy, 1 only learns.")
    name = asked.acquisition or spec.acquisition
    refuse(name, explore)
    return Manner(asked.start, asked.search or spec.search, name, explore)


def _cheapest(snapshot: Snapshot, rng: np.random.Generator) -> float:
    """What the cheapest melt costs, of many; 1 where a melt is counted and not money."""
    if snapshot.cost is None or snapshot.spec.budget is None or snapshot.spec.budget.money is None:
        return 1.0
    looked = alloys_at(snapshot.space, snapshot.space.sample(N_LOOKED, rng), snapshot.table.elements)
    return float(np.nanmin(snapshot.cost.of(looked), initial=np.inf))


def _spread_out(
    snapshot: Snapshot, n: int, kind: str, draws: _Draws, wanted: list[str], purse: Budget | None
) -> _Choice:
    """First designs, where nothing is known of what is pursued."""
    space, taken = snapshot.space, snapshot.taken()
    if snapshot.spec.batch_shares:  # the others of the batch take the levels of its first design
        first = first_designs(space, 1, kind, draws.searching, taken)
        places = {name: space.columns[name].number for name in snapshot.spec.batch_shares}
        if len(first):
            space = space.held_at({name: int(first[0, place]) for name, place in places.items()})
    points = first_designs(space, n, kind, draws.searching, taken)
    few = _few_left(snapshot, len(points), n)
    affordable, short = _affordable(snapshot, points, purse)
    points = points[:affordable]
    have = "have" if len(wanted) > 1 else "has"
    why = [f"{listed(wanted)} {have} not been measured yet: chosen to {STARTS[kind]}."] * len(points)
    said = f"No measurement of {listed(wanted)} yet: this round is {kind}, not a search for the best."
    decision: Json = {"start": kind, "acquisition": f"{kind}: to {STARTS[kind]}", "stop": {}, "runner_ups": []}
    return _Choice(points, why, decision, [said, *few, *short])


def _few_left(snapshot: Snapshot, n_found: int, n: int) -> list[str]:
    """A remark where fewer designs were found than asked for."""
    if n_found >= n or n_found == 0:
        return []
    n_free = snapshot.space.count - len(np.unique(snapshot.taken(), axis=0))
    apart_too = " that a laboratory can tell apart" if n_free > n_found and not snapshot.space.asked else ""
    are = "is" if n_found == 1 else "are"
    return [f"Only {counted(n_found, 'design')} {are} left in the space{apart_too}."]


def _affordable(snapshot: Snapshot, points: IntArray, purse: Budget | None) -> tuple[int, tuple[str, ...]]:
    """How many of some picks, the first first, the budget does for, and a remark where not for all."""
    if snapshot.cost is None or purse is None:
        return len(points), ()
    return purse.afforded(snapshot.cost.of(alloys_at(snapshot.space, points, snapshot.table.elements)))


def _afforded(snapshot: Snapshot, batch: Batch, purse: Budget | None) -> tuple[Batch, tuple[str, ...]]:
    """What the budget does for of a batch."""
    n, short = _affordable(snapshot, batch.points, purse)
    return Batch(batch.points[:n], batch.log_gains[:n], batch.runner_ups[:n]), short


def _by_gain(
    snapshot: Snapshot, beliefs: Beliefs, n: int, draws: _Draws, manner: Manner, purse: Budget | None
) -> _Choice:
    """The designs that are worth most by an acquisition."""
    space, elements = snapshot.space, snapshot.table.elements
    scattering, remarks = scatter(snapshot)
    worth, ahead, because = worth_next(snapshot, beliefs, n, draws.drawing, scattering, manner, purse)
    effort, more, versions = THOROUGH, [], {}
    if see_phases(ahead.outlook.seen):
        effort, versions = SPARING, {"pycalphad": version("pycalphad")}
        more.append(
            f"Phases take time to compute: for each pick about {effort.most_looked} designs were looked at, and not "
            "thousands."
        )
    taken = snapshot.taken()
    batch = propose(
        space,
        worth,
        elements,
        taken,
        n,
        draws.searching,
        effort,
        manner.search or "exchange",
        shares=snapshot.spec.batch_shares,
        apart=apart(snapshot, scattering),
        pending=snapshot.pending_points(),
    )
    few = _few_left(snapshot, len(batch.points), n)
    batch, short = _afforded(snapshot, batch, purse)
    chosen = alloys_at(space, batch.points, elements)
    pool, likeliest = _what_is_left(snapshot, worth, np.vstack([taken, batch.points]), effort is SPARING, draws)
    may = prospects(ahead.outlook, chosen, pool, draws.stopping)
    teaches = taught(ahead.outlook, chosen)
    cost = None if snapshot.cost is None else float(np.nansum(snapshot.cost.of(chosen)))
    decision: Json = {
        "acquisition": {"name": worth.rule.name, "about": worth.rule.about, "why": because},
        "search": manner.search,
        "expected_gains": list(may.gains),
        "runner_ups": list(dict.fromkeys(_names(snapshot, batch.runner_ups))),
        "stop": stop_figures(ahead, may, cost),
    }
    if has_volume(ahead.outlook):
        decision["reference"] = reference_of(ahead.outlook).words
    if versions:
        decision["versions"] = {name: version(name) for name in PACKAGES} | versions
    unlikely = _compromise(snapshot, ahead.outlook, np.vstack([batch.points, likeliest]))
    return _Choice(
        batch.points,
        reasons(ahead, chosen, may, teaches),
        decision,
        [*ahead.remarks, *remarks, *more, *few, *short, *unlikely],
        list(may.gains),
        teaches.tolist(),
        _names(snapshot, batch.runner_ups),
        scattering,
    )


def worth_next(
    snapshot: Snapshot,
    beliefs: Beliefs,
    n: int,
    rng: np.random.Generator,
    scattering: Scatter | None,
    manner: Manner,
    purse: Budget | None,
) -> tuple[Acquisition, Ahead, str]:
    """What one more alloy is worth before the first of n picks, what is known then, and why it is judged so.

    Parameters
    ----------
    snapshot, beliefs : the campaign and what it believes; something that is pursued is known, see `is_measured`
    n : how many picks there will be
    rng : for the draws of what is known
    scattering : of what is really made; None where it is made as aimed at
    manner : how it is to be judged; what it leaves open `auto` decides
    purse : what is left of the budget; None where there is none
    """
    share_left = 1.0 if purse is None else purse.share_left
    ahead = look_ahead(snapshot, beliefs, n, rng, scattering, manner.explore, eagerness(share_left))
    rule, because = _rule(ahead, manner)
    charged = None
    if purse is not None and purse.in_money and snapshot.cost is not None:
        charged = price(snapshot.cost, ahead.outlook.reference, share_left, purse.left)
    return Acquisition(ahead.outlook, rule, charged), ahead, because


def _rule(ahead: Ahead, manner: Manner) -> tuple[Rule, str]:
    """The acquisition, and why."""
    if manner.acquisition not in (None, "auto"):
        return acquisition_rule(str(manner.acquisition)), "as asked for"
    return automatic(ahead.outlook)


def _what_is_left(
    snapshot: Snapshot, worth: Acquisition, taken: IntArray, sparing: bool, draws: _Draws
) -> tuple[Alloys, IntArray]:
    """Of many designs that are left those that promise most, and the one likeliest to keep every limit. (., (1, d))"""
    points = snapshot.space.sample(N_LOOKED_OF_PHASES if sparing else N_LOOKED, draws.stopping)
    points = points[~rows_in(points, taken)]
    alloys = alloys_at(snapshot.space, points, snapshot.table.elements)
    known = worth.outlook.known(alloys) if len(points) else np.zeros(0, dtype=bool)
    points, alloys = points[known], alloys.rows(known)
    if len(points) == 0:
        return alloys, points
    order = np.argsort(-worth.value(alloys), kind="stable")[:N_POOL]
    likeliest = int(np.argmax(worth.outlook.log_allowed(alloys)))
    return alloys.rows(order), points[[likeliest]]


def _compromise(snapshot: Snapshot, outlook: Outlook, points: IntArray) -> list[str]:
    """A remark where no design, of many, is likely to keep all that is asked."""
    chances = np.exp(outlook.log_allowed(alloys_at(snapshot.space, points, snapshot.table.elements)))
    best = int(np.argmax(chances))
    if chances[best] >= HARDLY or not (outlook.limits or outlook.classes):
        return []
    (name,) = _names(snapshot, points[[best]])
    asked = [*(each.name for each in outlook.limits), *(each.belief.evidence.property for each in outlook.classes)]
    return [
        f"No design is likely to meet what is asked of {listed(asked)} together: the likeliest of those looked at is "
        f"{name}, with a chance of {chances[best]:.1%}. What is proposed is the best compromise."
    ]


def _names(snapshot: Snapshot, points: IntArray) -> list[str]:
    """What points of the space are called."""
    process = snapshot.space.process_values(points)
    return [
        design_name(composition, {name: plain(values[i]) for name, values in process.items()})
        for i, composition in enumerate(snapshot.space.compositions(points))
    ]
