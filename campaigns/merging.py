"""Two people's branches of one campaign, merged by git: the rows of experiments.csv settled by the journal.

Git joins experiments.csv by union, so rows that stood side by side, or whole tables where a branch added a column, come
out double. Every event says which cells it changed, so that the right value of each is known: a row that is there twice
becomes one. Where two branches gave one cell different values, or one id to different alloys, a person must choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced

from .changes import Change, Row, in_decimal
from .files import read_bytes, write_atomically
from .folder import Folder
from .history import History, rebuilt
from .journal import Event, change_of, read_heads, read_journal
from .problems import CampaignFileError, Problem
from .reading import counted, listed
from .sheet import Sheet, parse_sheet, read_sheet, sheet_bytes, sheet_text

# What git writes round lines that it leaves to a person.
_MARKS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
# A row on its way: where one branch has it further than the other, nobody needs to choose.
_WAY = {"proposed": 0, "made": 1, "measured": 2, "failed": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A table after two branches met.

    Parameters
    ----------
    sheet : every alloy once
    change : what it holds beyond what the journal says: what was edited by hand, and what a person chose
    problems : what a person must choose, with its row in the file
    remarks : what was settled
    is_known : whether the journal says the whole table, so that `change` is all that it does not say
    """

    sheet: Sheet
    change: Change
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    is_known: bool = True


def merged(folder: Folder, sheet: Sheet, history: History) -> Merged:
    """Settle a table that git has merged.

    Where the journal has one head, and so nothing but the table speaks of branches, an id that stands there twice may
    be a person's mistake: rows that are no longer true are taken out, and all others are left to `check`.

    Parameters
    ----------
    folder : the campaign's
    sheet : experiments.csv as git left it
    history : of the campaign, with both branches' events
    """
    merging = _Merging(folder, sheet, history)
    is_git_s = len(history.heads) > 1 or bool(_headers(sheet)) or merging.sheet is not sheet
    return merging.settled() if is_git_s else merging.without_leftovers()


def settled(folder: Folder, sheet: Sheet) -> tuple[Sheet, tuple[str, ...]]:
    """A campaign's table with every alloy once, and what was settled; the same table where the journal has one head.

    Raises
    ------
    CampaignFileError
        where a person must choose; names every choice
    """
    try:
        heads = read_heads(folder.journal, folder.heads).events
    except CampaignFileError as error:  # the table can be read all the same; writing will be refused
        return sheet, (f"{error.place}: {error.problem}; `alloyloop verify` says more.",)
    if len(heads) < 2 and not _is_doubled(sheet):
        return sheet, ()
    found = merged(folder, sheet, History.of(read_journal(folder.journal)))
    if found.problems:
        raise CampaignFileError(found.problems)
    return found.sheet, found.remarks


def settle(folder: Folder) -> None:
    """Write a campaign's table with every alloy once; to be called by whoever holds the folder.

    The event that joins the branches follows with the next change. Until then settling again changes nothing.

    Raises
    ------
    CampaignFileError
        where a person must choose; names every choice
    """
    sheet = read_sheet(folder.experiments)
    once, _ = settled(folder, sheet)
    if once is not sheet and sheet_bytes(once) != read_bytes(folder.experiments):
        write_atomically(folder.experiments, sheet_bytes(once))


@dataclass(frozen=True, slots=True)
class _Version:
    """One of the rows of an alloy: where it stands, from 0, and the cells that say something."""

    row: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class _Told:
    """What the events say of one cell: every text it had, the last of them, and those that the branches ended with."""

    texts: set[str] = field(default_factory=set)
    now: str | None = None
    last: list[tuple[Event, str]] = field(default_factory=list)


class _Merging:
    def __init__(self, folder: Folder, sheet: Sheet, history: History) -> None:
        self.history = history
        self.sheet = sheet = _without_marks(sheet)
        self.decimal = sheet.dialect.decimal
        expected = rebuilt(folder, history)
        self.expected = {} if expected is None else _rows(expected, self.decimal)
        self.is_known = expected is not None
        self.told = self._told()
        self.fresh = {id for (id, _), told in self.told.items() if told.last}
        self.first, self.versions = self._versions()
        columns = [name for versions in self.versions.values() for version in versions for name in version.cells]
        self.names = list(dict.fromkeys([*sheet.columns, *columns, *(() if expected is None else expected.columns)]))
        self.names = [name for name in self.names if name]
        self.base = self.first if expected is None else expected
        self.contested = self._contested()
        self.problems: list[Problem] = []

    def settled(self) -> Merged:
        ids = list(dict.fromkeys([*self.versions, *self.expected]))
        rows = {id: row for id in ids if (row := self._row(id)) is not None}
        self._refuse_contested()
        stand = _rows(self.first, self.decimal)
        both = {id: (stand[id], row) for id, row in rows.items() if id in stand}
        cells = {id: differ for id, (was, row) in both.items() if (differ := _differing(self.names, was, row))}
        new = tuple(row for id, row in rows.items() if id not in stand)
        columns = tuple(name for name in self.names if name not in self.first.positions)
        sheet = Change(columns, new, cells, decimal=self.decimal).apply(self.first)
        remarks: tuple[str, ...] = ()
        if joined := sum(len(versions) > 1 for versions in self.versions.values()):
            remarks = (
                f"{self.sheet.file}: two branches were merged, which left {counted(joined, 'alloy')} with several "
                "rows: they were joined as the journal says.",
            )
        change = Change.between(self.base, sheet)
        problems = tuple(sorted(self.problems, key=lambda problem: problem.row or 0))
        return Merged(sheet, change, problems, remarks, self.is_known)

    def without_leftovers(self) -> Merged:
        """The table without rows that are no longer true, where the one that is true stands beside them."""
        leftovers = [
            version.row
            for id, versions in self.versions.items()
            if any(version.cells == self.expected.get(id) for version in versions)
            for version in versions
            if version.cells != self.expected[id] and not self._novel(version.cells)
        ]
        sheet = self.sheet.without_rows(leftovers)
        return Merged(sheet, Change.between(self.base, sheet), is_known=self.is_known)

    def _row(self, id: str) -> dict[str, str] | None:
        """The cells of one alloy; None where it was taken out by hand."""
        versions = self.versions.get(id, [])
        expected = self.expected.get(id)
        if id in self.contested:  # the journal speaks of two alloys, so only the file can say which is which
            return dict(versions[0].cells) if versions else None
        if not versions:
            return dict(expected) if expected is not None and id in self.fresh else None
        row, unsettled = {"id": id}, []
        for name in self.names:
            if name == "id":
                continue
            stand = list(dict.fromkeys(version.cells.get(name, "") for version in versions))
            text = self._text(id, name, stand, expected)
            if text is None:
                unsettled.append(name)
            elif text:
                row[name] = text
        if unsettled:
            self.problems.append(self._choice(id, unsettled))
        return row

    def _text(self, id: str, name: str, stand: Sequence[str], expected: Mapping[str, str] | None) -> str | None:
        """What one cell says, of the texts that stand in the file; None where a person must choose."""
        told = self.told.get((id, name), _Told())
        rivals = dict.fromkeys(text for _, text in told.last)
        if name == "status" and (furthest := _furthest(rivals)):
            rivals = {furthest: None}
        if len(rivals) > 1:
            return stand[0] if len(stand) == 1 else None  # whoever deleted the other row has chosen
        said = next(iter(rivals)) if rivals else None
        if said is None:
            said = told.now if expected is None else expected.get(name, "")
        if len(stand) == 1 and (said is None or stand[0] not in told.texts):
            return stand[0]  # by hand
        is_by_hand = any(text != said and text not in told.texts for text in stand)
        return None if is_by_hand else said

    def _told(self) -> dict[tuple[str, str], _Told]:
        """What every event said of each cell; as set last count those of the branches alone."""
        forked = {event.digest for event in self.history.forked}
        told: dict[tuple[str, str], _Told] = {}
        for event in self.history.events:
            change = change_of(event) or Change()
            added = ((row["id"], name, "", text) for row in change.added for name, text in row.items())
            for id, name, *texts in (*added, *_cells(change)):
                before, after = (in_decimal(text, change.decimal, self.decimal) for text in texts)
                cell = told.setdefault((id, name), _Told())
                cell.texts |= {before, after}
                cell.now = after
                if event.digest in forked:
                    known = [(other, text) for other, text in cell.last if not self.history.is_before(other, event)]
                    cell.last = [*known, (event, after)]
        return told

    def _versions(self) -> tuple[Sheet, dict[str, list[_Version]]]:
        """The table with the first row of each id alone, and every version of every row.

        A row is read by the header above it; where two of one width stand above it, by the one that leaves less of it
        unknown to the journal.
        """
        sheet, headers = self.sheet, _headers(self.sheet)
        ends = [*headers, len(sheet.rows)]
        parts = [sheet.without_rows(range(ends[0], len(sheet.rows)))]
        parts += [sheet.part(start, stop) for start, stop in zip(headers, ends[1:], strict=True)]
        versions: dict[str, list[_Version]] = {}
        left_out, kept = [*headers], set[str]()
        for k, (part, start) in enumerate(zip(parts, [0, *(header + 1 for header in headers)], strict=True)):
            readings = [above.columns for above in parts[k::-1] if len(above.columns) == len(part.columns)]
            for i, cells in enumerate(part.rows):
                said = min((_said(columns, cells) for columns in readings), key=lambda said: len(self._novel(said)))
                id = said.get("id", "")
                if id and id in kept:
                    left_out.append(start + i)
                else:
                    kept.add(id)
                known = versions.setdefault(id, [])
                if all(said != version.cells for version in known):
                    known.append(_Version(start + i, said))
        versions.pop("", None)
        return sheet.without_rows(left_out), versions

    def _novel(self, said: Mapping[str, str]) -> list[str]:
        """The cells of a row that say what the journal has never said."""
        id = said.get("id", "")
        return [
            name
            for name, text in said.items()
            if text not in {*self.told.get((id, name), _Told()).texts, self._expected(id, name)}
        ]

    def _expected(self, id: str, name: str) -> str:
        """What the journal says of a cell; blank where it does not know the alloy."""
        return self.expected.get(id, {}).get(name, "")

    def _contested(self) -> dict[str, list[Event]]:
        """The ids under which two branches entered different alloys, and the events that did."""
        entered: dict[str, list[tuple[Event, Mapping[str, str]]]] = {}
        for event in self.history.forked:
            for row in (change_of(event) or Change()).added:
                entered.setdefault(row["id"], []).append((event, row))
        return {
            id: [event for event, _ in by]
            for id, by in entered.items()
            if any(row != by[0][1] and not self.history.is_before(by[0][0], event) for event, row in by[1:])
        }

    def _refuse_contested(self) -> None:
        open_ids = {id: by for id, by in self.contested.items() if len(self.versions.get(id, ())) > 1}
        rounds: dict[object, list[str]] = {}
        for id, by in open_ids.items():
            rounds.setdefault(by[0].content.get("round"), []).append(id)
        for number, ids in rounds.items():
            row = self.sheet.row_numbers[self.versions[ids[0]][1].row]
            people = listed([_by(event) for event in open_ids[ids[0]]])
            if number is None:
                problem = f"{listed(ids)} {_is(ids)} entered on two branches for different alloys, by {people}"
                remedy = f"Give the rows of one of them another id, such as {ids[0]}b."
            else:
                problem = f"Round {number} was made on two branches, by {people}: {listed(ids)} {_is(ids)} two alloys"
                remedy = (
                    f"Keep one of them in rounds/{number:03d} (`git checkout --ours` or `--theirs`), and give the rows "
                    f"of the other ids of their own, such as {ids[0]}b."
                )
            self.problems.append(Problem(self.sheet.file, row, "id", problem, remedy))

    def _choice(self, id: str, names: Sequence[str]) -> Problem:
        said = []
        for name in names:
            told = self.told.get((id, name), _Told())
            stand = dict.fromkeys(version.cells.get(name, "") for version in self.versions[id])
            by = {text: " (by hand)" for text in stand if text not in {*told.texts, self._expected(id, name)}}
            by |= {text: f" ({_by(event)})" for event, text in told.last}
            said.append(f"{name} {listed([(text or 'blank') + by.get(text, '') for text in stand], 'or')}")
        return Problem(
            self.sheet.file,
            self.sheet.row_numbers[self.versions[id][-1].row],
            names[0] if len(names) == 1 else None,
            f"{id} was changed on two branches: {'; '.join(said)}",
            f"Keep the row of {id} that is right and delete the others; all else is joined as the journal says.",
        )


def _furthest(statuses: Iterable[str]) -> str:
    """The one that is further on the way from proposed to measured than all others; empty where none is."""
    statuses = list(statuses)
    if len(statuses) < 2 or any(status not in _WAY for status in statuses):
        return ""
    *_, second, first = sorted(statuses, key=_WAY.__getitem__)
    return first if _WAY[first] > _WAY[second] else ""


def _by(event: Event) -> str:
    when = str(event.content.get("when", ""))[:16].replace("T", " ")
    return f"{event.content.get('who', 'somebody')}, {when}"


def _is(ids: Sequence[str]) -> str:
    return "is" if len(ids) == 1 else "are"


def _cells(change: Change) -> Iterator[tuple[str, str, str, str]]:
    """Every cell that a change changed: id, column, before, after."""
    for id, changed in change.cells.items():
        for name, (before, after) in changed.items():
            yield id, name, before, after


def _differing(names: Iterable[str], was: Row, now: Row) -> dict[str, tuple[str, str]]:
    """The cells of a row that are not as they were, before and after."""
    return {name: pair for name in names if (pair := (was.get(name, ""), now.get(name, "")))[0] != pair[1]}


def _rows(sheet: Sheet, decimal: str) -> dict[str, dict[str, str]]:
    """id → column → what the cell says, of the first row of each id."""
    rows: dict[str, dict[str, str]] = {}
    for cells in sheet.rows:
        said = _said(sheet.columns, cells)
        own = {name: in_decimal(text, sheet.dialect.decimal, decimal) for name, text in said.items()}
        rows.setdefault(said.get("id", ""), own)
    return rows


def _said(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """The cells of a row that say something, by column."""
    return {name: text for name, text in zip(columns, cells, strict=True) if name and text}


def _headers(sheet: Sheet) -> list[int]:
    """The rows that are a header again, which union leaves where a branch added a column."""
    return [row for row, cells in enumerate(sheet.rows) if {"id", "status"} <= {*cells}]


def _is_doubled(sheet: Sheet) -> bool:
    """Whether a table looks as if git had merged it: an id stands there twice, or git's marks do."""
    if "id" not in sheet.positions:
        return sheet.columns[0].startswith(_MARKS)
    ids = [id for id in sheet.column("id") if id]
    return len({*ids}) < len(ids) or any(cells[0].startswith(_MARKS) for cells in sheet.rows)


def _without_marks(sheet: Sheet) -> Sheet:
    """The table without the lines that git writes round what it leaves to a person."""
    marked = [row for row, cells in enumerate(sheet.rows) if cells[0].startswith(_MARKS)]
    if not sheet.columns[0].startswith(_MARKS):
        return sheet.without_rows(marked) if marked else sheet
    lines = [line for line in sheet_text(sheet).splitlines(keepends=True) if not line.startswith(_MARKS)]
    plain = parse_sheet("".join(lines), sheet.file)
    return replaced(plain, dialect=replaced(plain.dialect, encoding=sheet.dialect.encoding, bom=sheet.dialect.bom))
