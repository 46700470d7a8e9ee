"""What a campaign has used up of its budget, in melts or in money, and what that leaves for the next batch."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np

from ..design.composition import atomic_fractions
from ..design.features import Alloys
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .answers import Json
from .reading import counted
from .snapshot import BoolArray, Snapshot

# What was proposed will be made, and what failed was made: only what was withdrawn costs nothing.
SPENDING = ("proposed", "made", "measured", "failed")
# A sum of money may be over by rounding.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be used up in all, and what has been.

    Parameters
    ----------
    total, spent : in melts, or in money
    in_money : which of the two
    n_melts : how many melts that were
    n_unknown : of how many rows the cost is not known, and is taken to be the others' mean
    """

    total: float
    spent: float
    in_money: bool
    n_melts: int
    n_unknown: int = 0

    @property
    def left(self) -> float:
        """What has not been used up."""
        return max(self.total - self.spent, 0.0)

    @property
    def share_left(self) -> float:
        """The share of it that has not been used up, from 1 to 0."""
        return self.left / self.total

    @property
    def words(self) -> str:
        """How it stands, in words.

        >>> Budget(total=40, spent=12, in_money=False, n_melts=12).words
        '12 of 40 melts spent, 28 left'
        >>> Budget(total=5000, spent=620.5, in_money=True, n_melts=8).words
        '620.50 of 5000 spent on 8 melts, 4379.50 left'
        """
        if not self.in_money:
            return f"{self.spent:g} of {counted(int(self.total), 'melt')} spent, {self.left:g} left"
        spent = f"{_money(self.spent)} of {_money(self.total)} spent on {counted(self.n_melts, 'melt')}"
        if self.n_unknown:
            spent += f" ({counted(self.n_unknown, 'row')} of unknown cost counted as the others' mean)"
        return f"{spent}, {_money(self.left)} left"

    def json(self) -> Json:
        """As in `--json`."""
        return {
            "in": "money" if self.in_money else "melts",
            "total": self.total,
            "spent": self.spent,
            "left": self.left,
            "share_left": self.share_left,
            "words": self.words,
        }

    def granted(self, n: int, least: float = 1.0) -> tuple[int, tuple[str, ...]]:
        """How many of n melts that are asked for may be proposed, and a remark where it is fewer.

        Parameters
        ----------
        n : asked for
        least : what the cheapest melt costs; 1 of a budget in melts

        Raises
        ------
        AlloyloopError
            where the budget does not do for one
        """
        most = n if least <= 0 else floor(self.left / least * (1 + _SLACK))
        if most < 1:
            raise self._used_up(least)
        return self._told(n, most)

    def afforded(self, costs: FloatArray) -> tuple[int, tuple[str, ...]]:
        """How many of the picks of a batch, the first first, the budget does for, and a remark where it is fewer.

        Parameters
        ----------
        costs : (n,) of each pick [money]; a budget in melts does for all that it has granted

        Raises
        ------
        AlloyloopError
            where it does not do for the first
        """
        n = len(costs)
        if not self.in_money or not n:
            return n, ()
        most = int((np.cumsum(costs) <= self.left * (1 + _SLACK)).sum())
        if most < 1:
            raise self._used_up(float(costs[0]))
        return self._told(n, most)

    def _used_up(self, least: float) -> AlloyloopError:
        need = f", and no melt was found that costs less than {_money(least)}" * (self.in_money and self.left > 0)
        remedy = "Raise it in campaign.yaml, or withdraw what will not be made after all."
        return AlloyloopError(f"The budget is used up: {self.words}{need}", remedy)

    def _told(self, n: int, most: int) -> tuple[int, tuple[str, ...]]:
        if most >= n:
            return n, ()
        return most, (f"{counted(most, 'melt')} and not {n}, for that is all the budget does for: {self.words}.",)


def budget(snapshot: Snapshot) -> Budget | None:
    """What a campaign has used up of its budget; None where campaign.yaml gives none.

    Rows of a round count unless they are withdrawn: known ones were made before. Several heat treatments of one melt,
    tied by `parent`, are one melt, and none where it was made before.
    """
    asked = snapshot.spec.budget
    if asked is None:
        return None
    rows, melted = _spent(snapshot)
    n_melts = int(melted.sum())
    if asked.melts is not None:
        return Budget(asked.melts, n_melts, in_money=False, n_melts=n_melts)
    cost = snapshot.cost
    assert cost is not None  # a budget in money without one is refused
    assert asked.money is not None  # one of the two is given
    alloys = _planned(snapshot).rows(rows)
    costs = cost.of_treating(alloys) + np.where(melted[rows], cost.of_melting(alloys), 0.0)
    known = np.isfinite(costs)
    mean = float(costs[known].mean()) if known.any() else 0.0
    spent = float(np.where(known, costs, mean).sum())
    return Budget(asked.money, spent, in_money=True, n_melts=n_melts, n_unknown=int((~known).sum()))


def _spent(snapshot: Snapshot) -> tuple[BoolArray, BoolArray]:
    """(n,) Which rows use up something of the budget, and which of these are the first of their melt."""
    table = snapshot.table
    of_round = np.array([number is not None for number in table.round], dtype=np.bool_)
    rows = table.is_row(*SPENDING) & of_round
    made_before = {id for id, row in zip(table.ids, rows, strict=True) if not row}
    melted, seen = rows.copy(), set[str]()
    for row in np.flatnonzero(rows).tolist():
        melt = table.parent[row] or table.ids[row]
        melted[row] = melt not in seen and melt not in made_before
        seen.add(melt)
    return rows, melted


def _planned(snapshot: Snapshot) -> Alloys:
    """Every row as it was weighed in: as planned, else as analysed."""
    table = snapshot.table
    amounts = np.where(np.isfinite(table.nominal), table.nominal, table.measured)
    return Alloys(table.elements, atomic_fractions(amounts, table.elements, snapshot.space.basis), snapshot.process)


def _money(amount: float) -> str:
    return f"{amount:.2f}".removesuffix(".00")
