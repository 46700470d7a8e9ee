"""Whether what is on disk is what happened: the journal, the files, and every round made again from what it froze."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ..surrogates.errors import AlloyloopError
from .answers import Answer, Json
from .changes import Change
from .files import read_bytes, read_text
from .folder import Folder
from .history import History, parents, rebuilt
from .journal import Event, digest, digests_after, digests_before, read_event
from .problems import CampaignFileError, Problem
from .reading import counted, listed
from .recovering import experiments_now

# Predictions that differ by less than this share of their standard deviation are the same: the rounding of processors.
SAME = 1e-6
# What git writes before the first of two versions between which a person must choose.
_TORN = "<<<<<<< "
# So many differences are told one by one.
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class VerifiedRound:
    """A past round, made again.

    Parameters
    ----------
    round : its number
    reproduced : whether the same alloys were chosen, and the same predicted of them
    difference : what differs, and why it may; empty where nothing does
    """

    round: int
    reproduced: bool
    difference: str = ""

    def json(self) -> Json:
        """As in `--json`."""
        return {"round": self.round, "reproduced": self.reproduced, "difference": self.difference}


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found.

    Parameters
    ----------
    events : how many there are in the journal
    problems : where the journal, or what a round froze, is damaged
    differences : where campaign.yaml or experiments.csv are not as the journal left them, in words
    rounds : every round, made again
    """

    events: int
    problems: tuple[Problem, ...]
    differences: tuple[str, ...]
    rounds: tuple[VerifiedRound, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing of what happened was lost or changed."""
        return not self.problems

    @property
    def lines(self) -> Iterator[str]:
        """All of it in words."""
        yield from map(str, self.problems)
        yield f"Journal: {counted(self.events, 'event')}, {'whole' if self.whole else 'NOT whole'}."
        yield from self.differences
        for each in self.rounds:
            said = "reproduced" if each.reproduced else "not reproduced"
            yield f"Round {each.round}: {said}. {each.difference}".rstrip()

    def json(self) -> Json:
        """As in `--json`."""
        return {
            "whole": self.whole,
            "events": self.events,
            "problems": [asdict(each) for each in self.problems],
            "differences": list(self.differences),
            "rounds": [each.json() for each in self.rounds],
        }


def verify(
    folder: Folder, *, again: bool = True, progress: Callable[[int, int], None] = lambda done, of: None
) -> Verified:
    """Check a campaign against its journal.

    Parameters
    ----------
    folder : the campaign's
    again : whether to make every round again from its frozen inputs, which takes as long as `suggest` did
    progress : told how many rounds were made again, and of how many
    """
    folder.checked()
    history, problems = read_history(folder)
    differences = tuple(_differences(folder, history, problems)) if history.events else ()
    rounds: list[VerifiedRound] = []
    suggestions = [event for event in history.events if event.content.get("what") == "suggest" and event.round]
    for i, event in enumerate(suggestions):
        rivals = [other for other in suggestions if other.round == event.round and other is not event]
        found = tuple(_round_problems(folder, event, rivals))
        if found and any(not tuple(_round_problems(folder, other, ())) for other in rivals):
            rounds.append(VerifiedRound(event.round, False, "It gave way to the round that another branch made."))
        elif found:
            problems += found
        elif again:
            rounds.append(made_again(folder.round(event.round), event.round))
        progress(i + 1, len(suggestions))
    return Verified(len(history.events), tuple(problems), differences, tuple(rounds))


def history_problems(folder: Folder) -> tuple[Problem, ...]:
    """What of the journal is damaged or missing, and which rounds hold what two branches made."""
    _, problems = read_history(folder)
    decisions = sorted(folder.round(0).parent.glob("*/decision.json"))
    torn = [file.parent for file in decisions if _TORN.encode() in read_bytes(file)]
    return (*problems, *(problem for path in torn if (problem := _decision(path)[1]) is not None))


def read_history(folder: Folder) -> tuple[History, list[Problem]]:
    """All events of a journal that can be read, and what is wrong with the others, or missing."""
    events: list[Event] = []
    problems: list[Problem] = []
    for path in sorted(folder.journal.glob("*.json")):
        try:
            events.append(read_event(path))
        except CampaignFileError as error:
            problems += error.problems
    known = {event.digest for event in events}
    damaged = {PurePosixPath(problem.file).stem.rpartition("-")[2] for problem in problems}
    for event in events:
        for parent in parents(event):
            if parent not in known and parent[:12] not in damaged:
                problems.append(
                    Problem(
                        f"journal/{event.name}",
                        None,
                        None,
                        f"The event before this one is missing: its name ends in {parent[:12]}.json",
                        "Restore it from git or a backup.",
                    )
                )
    begun = [event for event in events if event.content.get("what") == "new"]
    if len(begun) > 1:
        names = listed([event.name for event in begun])
        problem = "The journals of two campaigns are in one folder"
        problems.append(Problem("journal", None, None, problem, f"Keep the events of one; they begin with {names}."))
    return History.of(events), problems


def _differences(folder: Folder, history: History, problems: list[Problem]) -> Iterator[str]:
    """Where the files are not as the journal left them, in words; what must be chosen after a merge is a problem."""
    table = folder.experiments.name
    files = {name: None for head in history.heads for name in digests_after(head) if _is_plain(name)}
    for name in files:
        left = {digests_after(head).get(name) for head in history.heads}
        path = folder.path / name
        if not path.is_file():
            yield f"{name} is missing; the last event names it."
        elif name == table:
            yield from _table_differences(folder, history, digest(read_bytes(path)), left, problems)
        elif digest(read_bytes(path)) not in left:
            yield from _text_differences(folder, history, path, left)


def _table_differences(
    folder: Folder, history: History, now: str, left: set[str | None], problems: list[Problem]
) -> Iterator[str]:
    name = folder.experiments.name
    try:
        sheet, remarks = experiments_now(folder)
    except CampaignFileError as error:
        problems += error.problems
        return
    yield from remarks
    if now in left and len(history.heads) == 1:
        return
    expected = rebuilt(folder, history)
    if expected is None:
        yield f"{name} is not as the last event left it (edited by hand?), and older events do not say what it was."
    elif change := Change.between(expected, sheet):
        yield from _words(change, name)
    elif not remarks and now not in left:
        yield f"{name} was written in another form, with the same cells."


def _words(change: Change, name: str) -> Iterator[str]:
    """What a table holds beyond the journal, cell by cell."""
    cells = [
        f"{id} {column}: {before or 'blank'} in the journal, {after or 'blank'} in {name}; edited by hand?"
        for id, changed in change.cells.items()
        for column, (before, after) in changed.items()
    ]
    yield from cells[:MOST_TOLD]
    if len(cells) > MOST_TOLD:
        yield f"{counted(len(cells) - MOST_TOLD, 'more cell')} of {name}."
    if change.added:
        yield f"{_ids(change.added)}: in {name} and not in the journal; entered by hand?"
    if change.removed:
        yield f"{_ids(change.removed)}: in the journal and not in {name}; taken out by hand?"


def _ids(rows: Sequence[Mapping[str, str]]) -> str:
    ids = [row["id"] for row in rows]
    more = f" and {len(ids) - MOST_TOLD} more" * (len(ids) > MOST_TOLD)
    return f"{listed(ids) if not more else ', '.join(ids[:MOST_TOLD])}{more}"


def _text_differences(folder: Folder, history: History, path: Path, left: set[str | None]) -> Iterator[str]:
    """What changed in a text beside the table, by line, where a round froze it as it was."""
    kept = (folder.round(event.round) / "inputs" / path.name for event in reversed(history.events) if event.round)
    old = next((file for file in kept if file.is_file() and digest(read_bytes(file)) in left), None)
    if old is None or path.suffix not in {".yaml", ".csv"}:
        yield f"{path.name} is not as the last event left it; edited by hand?"
        return
    was, now = read_text(old).text.splitlines(), read_text(path).text.splitlines()
    changes = [each for each in SequenceMatcher(None, was, now, autojunk=False).get_opcodes() if each[0] != "equal"]
    for _, start, end, new_start, new_end in changes[:MOST_TOLD]:
        before, after = " / ".join(map(str.strip, was[start:end])), " / ".join(map(str.strip, now[new_start:new_end]))
        yield (
            f"{path.name}, line {new_start + 1}: '{before or 'nothing'}' in the journal, '{after or 'nothing'}' now; "
            "edited by hand?"
        )


def _round_problems(folder: Folder, event: Event, rivals: Sequence[Event]) -> Iterator[Problem]:
    """Where what a round froze is missing, or is not what its event and its decision say."""
    path = folder.round(event.round)
    place = f"rounds/{path.name}"
    if not path.is_dir():
        yield Problem(place, None, None, "The round is missing", "Restore it from git or a backup.")
        return
    decision, problem = _decision(path)
    if problem is not None:
        yield problem
        return
    inputs = {f"inputs/{name}": told for name, told in _named(decision.get("digests")).items()}
    at_first = {f"inputs/{name}": told for name, told in digests_before(event).items() if f"inputs/{name}" in inputs}
    frozen = _named(event.content.get("frozen"))
    for name in dict.fromkeys((*inputs, *frozen)):
        if not _is_plain(name.removeprefix("inputs/")):
            yield Problem(f"{place}/decision.json", None, None, f"It names a file outside the round: {name}")
            continue
        file = path / name
        said = {told[name] for told in (inputs, at_first, frozen) if name in told}
        if not file.is_file():
            yield Problem(f"{place}/{name}", None, None, "The file is missing", "Restore it from git or a backup.")
        elif said != {digest(read_bytes(file))}:
            problem_said = "It was changed after the round was made"
            yield Problem(f"{place}/{name}", None, None, problem_said, "Restore it from git or a backup.")


def _decision(path: Path) -> tuple[Json, Problem | None]:
    """What a round's decision.json says."""
    place = f"rounds/{path.name}/decision.json"
    text = ""
    try:
        text = read_text(path / "decision.json").text
        said = json.loads(text)
        if isinstance(said, dict) and isinstance(said.get("proposals"), list):
            return said, None
        why = "It does not say what was proposed"
    except CampaignFileError as error:
        why = error.problem
    except (ValueError, RecursionError):
        why = "It is not JSON"
        if _TORN in text:
            why = "It holds what two branches made, with git's marks between"
    remedy = "Restore it from a backup, or take one with `git checkout --ours` or `--theirs`."
    return {}, Problem(place, None, None, why, remedy)


def made_again(path: Path, number: int) -> VerifiedRound:
    """Choose a round's alloys again from what it froze, and compare.

    Parameters
    ----------
    path : of the round's folder
    number : of the round, which with the seed settles every random draw
    """
    from .named import named
    from .snapshot import read_snapshot
    from .suggesting import Manner, suggest

    decision, problem = _decision(path)
    if problem is not None:
        return VerifiedRound(number, False, str(problem))
    asked = decision.get("asked")
    asked = dict(asked) if isinstance(asked, Mapping) else {}
    said = decision["proposals"]
    start = asked.get("start", decision.get("start"))
    manner = Manner(start, asked.get("search", decision.get("search")), asked.get("acquisition"), asked.get("explore"))
    try:
        with TemporaryDirectory() as temporary:
            copy = Folder(Path(temporary))
            for name in _named(decision.get("digests")):
                if _is_plain(name):
                    (copy.path / name).write_bytes(read_bytes(path / "inputs" / name))
            snapshot = read_snapshot(copy)
            again = suggest(snapshot, int(asked.get("n") or len(said)), number, named(snapshot, ()), manner)
        before = [Answer.from_json(alloy) for alloy in said]
    except AlloyloopError as error:
        return VerifiedRound(number, False, f"It cannot be made again: {error}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return VerifiedRound(number, False, f"The proposals in rounds/{path.name}/decision.json cannot be read.")
    return _compared(number, before, again.alloys, _why(decision, again.decision))


def _compared(number: int, before: Sequence[Answer], after: Sequence[Answer], why: str) -> VerifiedRound:
    """Two makings of one round, and why they may differ."""
    was, now = {alloy.id: alloy for alloy in before}, {alloy.id: alloy for alloy in after}
    others = [
        f"{id} was {was[id].name if id in was else 'not there'}, now {now[id].name if id in now else 'not there'}"
        for id in dict.fromkeys((*was, *now))
        if id not in was or id not in now or (was[id].name, was[id].process) != (now[id].name, now[id].process)
    ]
    if others:
        return VerifiedRound(number, False, f"{'; '.join(others)}. {why}")
    apart = max((_apart(was[id], now[id]) for id in was), default=0.0)
    if apart > SAME:
        said = f"The same alloys, but predictions differ by up to {apart:.2g} of their standard deviation"
        return VerifiedRound(number, False, f"{said}. {why}")
    rounding = f"Predictions differ by rounding alone (up to {apart:.0e} of their standard deviation)." if apart else ""
    return VerifiedRound(number, True, rounding)


def _apart(one: Answer, other: Answer) -> float:
    """The largest difference between what is predicted of an alloy twice, in standard deviations; of classes, of 1."""
    if one.predicted.keys() != other.predicted.keys() or one.classes.keys() != other.classes.keys():
        return float("inf")
    numbers = [
        abs(a - b) / (one.predicted[name].std or 1.0)
        for name in one.predicted
        for a, b in (
            (one.predicted[name].mean, other.predicted[name].mean),
            (one.predicted[name].std, other.predicted[name].std),
        )
    ]
    chances = [
        abs(chance - other.classes[name].classes.get(label, 0.0))
        for name in one.classes
        for label, chance in one.classes[name].classes.items()
    ]
    return max((*numbers, *chances), default=0.0)


def _why(then: Json, now: Json) -> str:
    """With what a round was made that is other now."""
    packages, own = _named(then.get("versions")), _named(then.get("made_on"))
    others = [
        f"{name} {packages[name]} (here {of})" for name, of in now["versions"].items() if packages.get(name, of) != of
    ]
    if own.get("source", now["made_on"]["source"]) != now["made_on"]["source"]:
        others.append("another source of alloyloop of this version")
    others += [
        f"{name} {own[name]} (here {now['made_on'][name]})"
        for name in ("python", "machine")
        if own.get(name, now["made_on"][name]) != now["made_on"][name]
    ]
    if others:
        return f"It was made with {listed(others)}."
    if not own:
        return "The versions are the same; of what source of alloyloop and on what machine it was made is not known."
    return "Versions, source and machine are the same, so this should not be: please report it."


def _named(said: object) -> dict[str, str]:
    """A mapping of texts out of a file that anybody may have written."""
    if not isinstance(said, Mapping):
        return {}
    return {name: text for name, text in said.items() if isinstance(name, str) and isinstance(text, str)}


def _is_plain(name: str) -> bool:
    """Whether a name is that of a file, and no path that leads elsewhere."""
    return bool(name) and name == PurePosixPath(name).name and not {"\\", ":", "\0"} & {*name} and name != ".."
