"""The six published tables that backtests and peers are replayed on, read in one way and begun with the same alloys.

    from pools import POOLS, pool

A table is looked for in ../shared/data, or where ALLOYLOOP_SHARED says; they are not ours to ship. A candidate is a
design that was made: rows of one composition and one treatment are one, at the mean of what was measured of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from beliefs import shared_data
from families import STEEL
from numpy.typing import NDArray

from alloyloop.campaigns.learning import evidence
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.design.beliefs import Evidence
from alloyloop.design.features import Alloys, Features, designs
from alloyloop.design.replay import Score, score
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.base import FloatArray

N_START, BUDGET = 5, 60


@dataclass(frozen=True, slots=True)
class Source:
    """A published table and what is wanted of it.

    Parameters
    ----------
    file : below the folder of shared data, without its ending
    inputs, property : columns, as `snapshot_of` takes them
    wanted : "maximize" or "minimize"
    said : what it is, in a few words
    between : a column and the levels between which rows are taken; it is then no part of what a candidate is
    """

    file: str
    inputs: str
    property: str
    wanted: str
    said: str
    between: tuple[str, float, float] | None = None


POOLS = {
    "hea": Source(
        "hea_hardness_wen155", "*_at_pct", "hardness_HV", "maximize", "hardness of Al-Co-Cr-Cu-Fe-Ni, as cast [HV]"
    ),
    "feconi": Source(
        "feconi_magnetic_library", "*_at_pct", "kerr_rotation_mrad", "maximize", "Kerr rotation of Fe-Co-Ni [mrad]"
    ),
    "nims": Source(
        "nims_steel_fatigue",
        f"*_wt_pct,Fe_wt_pct_by_balance,{STEEL}",
        "fatigue_strength_1e7_MPa",
        "maximize",
        "fatigue strength of steels [MPa]",
    ),
    "beta": Source(
        "beta_ti_modulus", "*_wt_pct", "youngs_modulus_GPa", "minimize", "Young's modulus of beta titanium [GPa]"
    ),
    "mg": Source(
        "mg_bio_cast_tensile",
        "*_wt_pct,heat_treatment",
        "ultimate_tensile_strength_MPa",
        "maximize",
        "tensile strength of cast magnesium [MPa]",
    ),
    "rhea": Source(
        "rhea_yield_strength",
        "*_at_pct,test_temperature_C",
        "yield_strength_MPa",
        "maximize",
        "yield strength of refractory alloys at 20 to 25 °C [MPa]",
        between=("test_temperature_C", 20.0, 25.0),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The designs of a table, of which one would have chosen.

    Parameters
    ----------
    name : in `POOLS`
    source : the table
    space : its design space
    evidence : n rows, one for each candidate
    """

    name: str
    source: Source
    space: DesignSpace
    evidence: Evidence

    def __len__(self) -> int:
        return len(self.evidence)

    @property
    def alloys(self) -> Alloys:
        """The n candidates."""
        return self.evidence.alloys

    @property
    def heights(self) -> FloatArray:
        """(n,) how good each is, larger is better."""
        return self.evidence.values if self.source.wanted == "maximize" else -self.evidence.values

    @property
    def features(self) -> Features:
        """What there is to see of a candidate: its composition and how it was treated."""
        dropped = self.source.between[0] if self.source.between else ""
        process = tuple(each for each in (*self.space.process, *self.space.conditions) if each.name != dropped)
        return Features(self.alloys.elements, composition=bool(self.space.elements), process=process)

    @property
    def columns(self) -> tuple[list[str], FloatArray]:
        """Names of columns and a plain numeric matrix (n, n_columns), for those who know nothing of alloys.

        Atomic fractions of the elements that vary, process variables that vary, and a column of 0 and 1 for each word.
        """
        names, columns = list(self.alloys.elements), list(self.alloys.fractions.T)
        for variable in self.features.process:
            values = self.alloys.process[variable.name]
            if values.dtype == object:
                for word in sorted(set(values)):
                    names.append(f"{variable.name}_{word}")
                    columns.append((values == word).astype(np.float64))
            else:
                names.append(variable.name)
                columns.append(values)
        varies = [k for k, column in enumerate(columns) if np.ptp(column) > 0]
        return [names[k] for k in varies], np.column_stack([columns[k] for k in varies])


@lru_cache
def pool(name: str) -> Candidates | None:
    """The candidates of a table, numbered in the order of their first row; None where the table is not there.

    Raises
    ------
    AlloyloopError
        where no pool has the name
    """
    if name not in POOLS:
        raise AlloyloopError(f"No pool is called {name}", f"There are {', '.join(POOLS)}.")
    source, folder = POOLS[name], shared_data()
    if folder is None:
        return None
    snapshot = snapshot_of(folder / f"{source.file}.csv", source.inputs, source.property)
    rows = evidence(snapshot, source.property)
    rows = rows.rows(rows.exact)
    if source.between is not None:
        column, low, high = source.between
        levels = np.asarray(rows.alloys.process[column], dtype=np.float64)
        rows = rows.rows((levels >= low) & (levels <= high))
        process = {key: values for key, values in rows.alloys.process.items() if key != column}
        rows = replace(rows, alloys=replace(rows.alloys, process=process))
    return Candidates(name, source, snapshot.space, one_each(rows))


def one_each(rows: Evidence) -> Evidence:
    """One row for each design, at the mean of its values; what repeats, papers and other properties say is left out."""
    which: NDArray[np.int64] = designs(rows.alloys)
    _, first = np.unique(which, return_index=True)
    means = np.bincount(which, rows.values) / np.bincount(which)
    alone = replace(rows, companions=(), sources=np.full(len(rows), "", dtype=np.str_))
    return replace(alone.rows(np.sort(first)), values=means[which[np.sort(first)]])


def missing(name: str) -> str:
    """One sentence where a table is not there."""
    return f"{name}: skipped, since ../shared/data/{POOLS[name].file}.csv is not there."


@dataclass(frozen=True, slots=True)
class Run:
    """One replay.

    Parameters
    ----------
    side, pool, batch, seed : of what
    order : candidates in the order in which they were made; none where it failed
    seconds : of CPU, a step
    versions : of the packages
    error : the last line that it left, where it failed
    """

    side: str
    pool: str
    batch: int
    seed: int
    order: tuple[int, ...] = ()
    seconds: float = 0.0
    versions: str = ""
    error: str = ""

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What it is a run of."""
        return self.side, self.pool, self.batch, self.seed

    @property
    def score(self) -> Score:
        """How soon it came upon what is good."""
        return score(np.array(self.order), _there(self.pool).heights)


def _there(name: str) -> Candidates:
    """The candidates of a table that was replayed, and so was there."""
    found = pool(name)
    assert found is not None
    return found


def kept(path: Path) -> dict[tuple[str, str, int, int], Run]:
    """Replays that were finished before."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    done = [Run(**{**line, "order": tuple(line["order"])}) for line in lines]
    return {each.key: each for each in done}


if __name__ == "__main__":
    for each in POOLS:
        held = pool(each)
        if held is None:
            print(missing(each))
        else:
            size = f"{len(held):4} candidates, {held.columns[1].shape[1]:2} columns"
            print(f"{each:7} {size}, best {held.heights.max():g}: {held.source.said}")
