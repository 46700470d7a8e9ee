"""Whole variables under linear inequalities, of which only one of several may have to hold: the cheapest, by HiGHS."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, inf, log2

import numpy as np

from ..surrogates.base import FloatArray
from .diagram import IntArray

# Branches that are looked at before the best so far is taken; a limit of time would make answers differ by machine.
MOST_NODES = 20_000
# Rows with larger factors than this are divided, since HiGHS reckons poorly with them.
_LARGEST_FACTOR = 2**20
_INFEASIBLE = 2  # as scipy.optimize.milp numbers it


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One inequality: factors times variables are at most `most`.

    Parameters
    ----------
    factors : (n_variables,)
    most : the bound, met by equality
    whole : whether all these are whole numbers, so that it is decided exactly
    """

    factors: FloatArray
    most: float
    whole: bool = True

    def holds(self, variables: FloatArray) -> bool:
        """Whether variables (n_variables,) meet it."""
        return bool(self.factors @ variables <= self.most)

    @property
    def opposite(self) -> Row:
        """That it is not met."""
        return Row(-self.factors, -self.most - self.whole, self.whole)


Alternatives = tuple[tuple[Row, ...], ...]
"""At least one of them holds, with all its rows."""


@dataclass(frozen=True, slots=True)
class Segment:
    """So many steps of a variable that cost the same each; it is its lower bound and the sum of its segments.

    Parameters
    ----------
    variable : its number
    length : how many steps
    slope : what each costs; later segments of a variable cost more
    """

    variable: int
    length: int
    slope: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What HiGHS gave.

    Parameters
    ----------
    x : (n_variables,) whole numbers, which keep everything but for HiGHS's tolerance; None if there are none
    impossible : whether nothing keeps everything
    at_least : what anything costs at least
    """

    x: FloatArray | None
    impossible: bool
    at_least: float


@dataclass(frozen=True, slots=True, eq=False)
class Variables:
    """Whole numbers within bounds.

    Parameters
    ----------
    low, high : (n_variables,) bounds
    one_of : for each group of variables of 0 or 1, of which exactly one is 1, which they are
    equal : factors (n_variables,) of sums that equal a number

    Examples
    --------
    >>> small = Variables(np.zeros(2, int), np.full(2, 9), (), ((np.array([2.0, 3.0]), 17.0),))
    >>> either = ((Row(np.array([1.0, 0.0]), 2.0),), (Row(np.array([0.0, 1.0]), 2.0),))
    >>> small.cheapest([either], np.array([1.0, 2.0])).x
    array([7., 1.])
    """

    low: IntArray
    high: IntArray
    one_of: tuple[IntArray, ...] = ()
    equal: tuple[tuple[FloatArray, float], ...] = ()

    def __len__(self) -> int:
        return len(self.low)

    def hold(self, x: FloatArray, told: Sequence[Alternatives]) -> bool:
        """Whether whole numbers (n_variables,) keep everything."""
        return (
            bool(((x >= self.low) & (x <= self.high)).all())
            and all(x[group].sum() == 1 for group in self.one_of)
            and all(bool(factors @ x == total) for factors, total in self.equal)
            and all(any(all(row.holds(x) for row in rows) for rows in alternatives) for alternatives in told)
        )

    def cheapest(
        self, told: Sequence[Alternatives], costs: FloatArray, segments: Sequence[Segment] = (), tighter: float = 0.0
    ) -> Found:
        """The cheapest that keep everything.

        Parameters
        ----------
        told : what to keep
        costs : (n_variables,) of one of each variable
        segments : of variables that cost otherwise
        tighter : how much the bounds of rows that are not whole are lowered
        """
        from scipy.optimize import Bounds, LinearConstraint, milp

        selected = self._with_selectors(told, tighter)
        if selected is None:
            return Found(None, True, inf)
        rows, n_selectors = selected
        n, n_all = len(self), len(self) + n_selectors + len(segments)
        matrix: list[FloatArray] = []
        low: list[float] = []
        high: list[float] = []

        def add(factors: FloatArray, others: Mapping[int, float], least: float, most: float) -> None:
            row = np.zeros(n_all)
            row[:n] = factors
            row[[n + other for other in others]] = list(others.values())
            scale = 2.0 ** -max(0, ceil(log2(max(1.0, np.abs(row).max()) / _LARGEST_FACTOR)))
            matrix.append(scale * row)
            low.append(scale * least)
            high.append(scale * most)

        for group in self.one_of:
            add(np.isin(np.arange(n), group).astype(np.float64), {}, 1.0, 1.0)
        for factors, total in self.equal:
            add(factors, {}, total, total)
        for factors, selectors, most in rows:
            add(factors, selectors, -inf, most)
        for variable in {segment.variable for segment in segments}:
            own = {n_selectors + i: -1.0 for i, segment in enumerate(segments) if segment.variable == variable}
            least = float(self.low[variable])
            add((np.arange(n) == variable).astype(np.float64), own, least, least)
        with _quiet():
            result = milp(
                np.concatenate([costs, np.zeros(n_selectors), [segment.slope for segment in segments]]),
                integrality=np.ones(n_all, dtype=np.int64),
                bounds=Bounds(
                    np.concatenate([self.low, np.zeros(n_all - n)]),
                    np.concatenate([self.high, np.ones(n_selectors), [segment.length for segment in segments]]),
                ),
                constraints=LinearConstraint(np.array(matrix), low, high) if matrix else (),
                # Its presolve saves no time here, and now and then does not tell the impossible from the unbounded.
                options={"mip_rel_gap": 0.0, "node_limit": MOST_NODES, "presolve": False},
            )
        return Found(
            None if result.x is None else np.rint(result.x[:n]),
            result.status == _INFEASIBLE,
            -inf if result.mip_dual_bound is None else float(result.mip_dual_bound),
        )

    def _with_selectors(self, told: Sequence[Alternatives], tighter: float) -> tuple[list[_Selected], int] | None:
        """Rows over the variables and selectors, 0 or 1, and how many of these; None where something cannot be kept.

        A selector says that one of several alternatives holds: where it is 0, each row of that alternative is slackened
        by as much as it can be exceeded at all.
        """
        rows: list[_Selected] = []
        n = 0
        for alternatives in told:
            possible = [kept for each in alternatives if (kept := self._to_keep(each, tighter)) is not None]
            if not possible:
                return None
            if not all(possible):  # one of them holds anyway
                continue
            if len(possible) == 1:
                rows += [(row.factors, {}, most) for row, most, _ in possible[0]]
                continue
            selectors = range(n, n + len(possible))
            for selector, kept in zip(selectors, possible, strict=True):
                rows += [(row.factors, {selector: excess}, most + excess) for row, most, excess in kept]
            rows.append((np.zeros(len(self)), dict.fromkeys(selectors, -1.0), -1.0))
            n += len(possible)
        return rows, n

    def _to_keep(self, rows: Sequence[Row], tighter: float) -> list[tuple[Row, float, float]] | None:
        """Of rows that are to hold together, those that may not, each with its bound and by how much it can be
        exceeded; None where one of them cannot hold."""
        kept = []
        for row in rows:
            most = row.most if row.whole else row.most - tighter
            least, largest = self._span(row)
            if least > most:
                return None
            if largest > most:
                kept.append((row, most, largest - most))
        return kept

    def _span(self, row: Row) -> tuple[float, float]:
        """The least and the most that a row's sum may come to within the bounds of the variables."""
        ends = np.array([row.factors * self.low, row.factors * self.high])
        least, most = ends.min(axis=0), ends.max(axis=0)
        for group in self.one_of:
            least[group], most[group] = 0.0, 0.0
        chosen = [row.factors[group] for group in self.one_of]
        return (
            float(least.sum() + sum(group.min() for group in chosen)),
            float(most.sum() + sum(group.max() for group in chosen)),
        )


_Selected = tuple[FloatArray, dict[int, float], float]  # factors of the variables and of selectors, and the bound


@contextmanager
def _quiet() -> Iterator[None]:
    """Lead standard output nowhere for a while.

    HiGHS 1.12 prints a line of its own to it now and then, whatever its options say [its issue 2783], and that would
    come between a command's JSON. It goes through the buffer of the C library, which is emptied before and after.
    """
    c_library = ctypes.CDLL(None if os.name == "posix" else "ucrtbase")
    c_library.fflush(None)
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output
        kept = -1
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    try:
        yield
    finally:
        c_library.fflush(None)
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)
        else:
            os.close(1)
