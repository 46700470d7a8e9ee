"""What benchmarks of inverse design on measured tables share: rows left out, and what is believed without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alloyloop.campaigns.learning import evidence, options, variations
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.beliefs import Belief, Evidence, Option, choose, learn_chosen
from alloyloop.design.features import Alloys
from alloyloop.design.usual_scatter import usual_scatter
from alloyloop.surrogates import FloatArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """A table of alloys that were made and measured.

    Parameters
    ----------
    name : of the file, without its ending
    inputs, properties : columns, as `alloyloop compare --data` takes them
    """

    name: str
    inputs: str
    properties: tuple[str, ...]

    def read(self, folder: Path) -> Measured:
        """The rows of which every property was measured."""
        snapshot = snapshot_of(folder / f"{self.name}.csv", self.inputs, ",".join(self.properties))
        found = {name: evidence(snapshot, name) for name in self.properties}
        ids = reduce(np.intersect1d, [one.ids[one.exact] for one in found.values()])
        return Measured(self.name, snapshot, found, ids)


@dataclass(frozen=True, eq=False)
class Measured:
    """A table that has been read.

    Parameters
    ----------
    name : of the table
    snapshot : the table as a campaign of its own
    found : the evidence of each property
    ids : (n,) of the rows of which every property was measured
    """

    name: str
    snapshot: Snapshot
    found: dict[str, Evidence]
    ids: NDArray[np.str_]

    def left_out(self, n_parts: int, seed: int = 0) -> Iterator[Part]:
        """Leave the rows out in parts, at random; what is believed of each part was learned from all other rows."""
        shuffled = np.random.default_rng(seed).permutation(self.ids)
        for ids in np.array_split(shuffled, n_parts):
            beliefs = {name: _auto(self.snapshot, _without(one, ids)) for name, one in self.found.items()}
            others = np.setdiff1d(self.ids, ids)
            yield Part(beliefs, *(Rows({k: _only(one, of) for k, one in self.found.items()}) for of in (ids, others)))


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of which every property was measured.

    Parameters
    ----------
    found : by property, in one order
    """

    found: dict[str, Evidence]

    def __len__(self) -> int:
        return len(self.alloys)

    @property
    def alloys(self) -> Alloys:
        """The alloys."""
        return next(iter(self.found.values())).alloys

    @property
    def values(self) -> FloatArray:
        """What was measured of them. (n, n_properties)"""
        return np.column_stack([one.values for one in self.found.values()])

    @property
    def noise(self) -> FloatArray:
        """Standard deviation that is stated of it, NaN where none is. (n, n_properties)"""
        return np.column_stack([one.noise for one in self.found.values()])


@dataclass(frozen=True, eq=False)
class Part:
    """Rows that were left out, and what is believed without them.

    Parameters
    ----------
    beliefs : by property, learned from all other rows as `model: auto` learns
    asked, known : the rows left out, and the others
    """

    beliefs: dict[str, Belief]
    asked: Rows
    known: Rows

    @property
    def ids(self) -> NDArray[np.str_]:
        """Names of the rows left out."""
        return next(iter(self.asked.found.values())).ids

    @property
    def scatter(self) -> FloatArray:
        """Standard deviation of each value left out: as stated of it, or else as usual of the property. (n, k)

        Of a single specimen some tables state 0.
        """
        usual = [usual_scatter(name, self.known.values[:, k]) for k, name in enumerate(self.beliefs)]
        by_spread = 0.1 * self.known.values.std(axis=0)  # of a property of which nothing is known
        told = np.where([one is None for one in usual], by_spread, np.array(usual, dtype=np.float64))
        return np.where(self.asked.noise > 0, self.asked.noise, told)


def _without(found: Evidence, ids: NDArray[np.str_]) -> Evidence:
    return found.rows(~np.isin(found.ids, ids))


def _only(found: Evidence, ids: NDArray[np.str_]) -> Evidence:
    order = {name: place for place, name in enumerate(found.ids.tolist())}
    return found.rows(np.array([order[name] for name in ids.tolist()], dtype=np.int64))


def _auto(snapshot: Snapshot, known: Evidence) -> Belief:
    """What a campaign believes that leaves everything open."""
    offered, left_out = options(snapshot, known)
    return believed(known.rows(~left_out), offered)


def believed(known: Evidence, offered: Mapping[str, Option]) -> Belief:
    """What is believed by the option, or the blend of several, that is chosen as a campaign chooses."""
    every, fitted = dict(offered), dict[str, Belief]()

    def more(name: str, option: Option) -> Mapping[str, Option]:
        varied = variations(known, name, option)
        every.update(varied)
        return varied

    choice = choose(known, offered, variations=more, fitted=fitted)
    return learn_chosen(known, every, choice, fitted)
