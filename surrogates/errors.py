"""The one base of every error that alloyloop raises on purpose."""

from __future__ import annotations


class AlloyloopError(ValueError):
    """A mistake a person can mend: what is wrong, where, and what to do.

    The command line prints it as one sentence and exits with 1; anything else is a defect of ours, with its traceback.

    Parameters
    ----------
    problem : what is wrong, as a sentence without its full stop
    remedy : what to do about it, as a sentence; may be empty where the problem says it
    place : where it is, such as "experiments.csv, row 3, column Nb_wt_pct"; may be empty

    Examples
    --------
    >>> print(AlloyloopError("'6l.2' is not a number", "Write it like 61.2.", place="row 3, column E"))
    row 3, column E: '6l.2' is not a number. Write it like 61.2.
    """

    def __init__(self, problem: str, remedy: str = "", *, place: str = "") -> None:
        super().__init__(problem, remedy)  # what it is made again from, where it comes from another process
        self.problem = problem
        self.remedy = remedy
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.place else self.sentence

    @property
    def sentence(self) -> str:
        """The problem and its remedy, without the place."""
        return f"{self.problem.rstrip('.')}. {self.remedy}".strip()
