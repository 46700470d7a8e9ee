"""What is wrong in a user's file: where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ..surrogates.errors import AlloyloopError

_TABLES = {".csv", ".tsv", ".txt", ".tab", ".xlsx", ".xlsm"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file.

    Parameters
    ----------
    file : the file's name, as the user knows it
    row : the row a spreadsheet shows (the header is row 1), or the line of another file; None for the whole file
    column : the column's name, or the key of a file that has no columns; None where it is the whole row
    problem : what is wrong, as a sentence without its full stop
    remedy : what to do about it, as a sentence

    Examples
    --------
    >>> print(Problem("experiments.csv", 3, "E", "'6l.2' is not a number", "Write it like 61.2."))
    experiments.csv, row 3, column E: '6l.2' is not a number. Write it like 61.2.
    >>> print(Problem("campaign.yaml", 5, "elements.Zr.max", "'lots' is not a number", "Write it like 40."))
    campaign.yaml, line 5, elements.Zr.max: 'lots' is not a number. Write it like 40.
    """

    file: str
    row: int | None
    column: str | None
    problem: str
    remedy: str = ""

    @property
    def place(self) -> str:
        """Where it is, such as ``experiments.csv, row 3, column E``."""
        is_table = PurePath(self.file).suffix.lower() in _TABLES
        parts = [self.file] if self.file else []
        if self.row is not None:
            parts.append(f"{'row' if is_table else 'line'} {self.row}")
        if self.column is not None:
            parts.append(f"column {self.column}" if is_table else self.column)
        return ", ".join(parts)

    def __str__(self) -> str:
        sentence = f"{self.problem.rstrip('.')}. {self.remedy}".strip()
        return f"{self.place}: {sentence}" if self.place else sentence


class CampaignFileError(AlloyloopError):
    """A file that cannot be used as it is, with every mistake found in it.

    Printed, it is its first problem and the number of the others; ``problems`` holds them all.

    Examples
    --------
    >>> print(CampaignFileError([Problem("results.csv", None, None, "The file is empty", "Save the table again.")]))
    results.csv: The file is empty. Save the table again.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *others = problems
        super().__init__(first.problem, first.remedy, place=first.place)
        self.problems = tuple(problems)
        self.args = (self.problems,)  # an exception is copied and pickled by its arguments
        self._others = len(others)

    @classmethod
    def whole_file(cls, file: str, problem: str, remedy: str = "") -> CampaignFileError:
        """One problem that concerns a file as a whole."""
        return cls([Problem(file, None, None, problem, remedy)])

    def __str__(self) -> str:
        if not self._others:
            return super().__str__()
        more = "one more mistake" if self._others == 1 else f"{self._others} more mistakes"
        return f"{super().__str__()} (And {more}: `alloyloop check` lists them all.)"
