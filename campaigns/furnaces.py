"""Which furnace melts what, what it is allowed to take away, and what analyses say that it does take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..design.composition import at_to_wt
from ..design.losses import FittedLoss, charged_for, fit_losses, keepers
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .answers import Json
from .cells import read_numbers
from .reading import counted, listed
from .snapshot import Snapshot
from .spec import MeltingSpec, read_spec

# Columns of experiments.csv that say where a row is melted, and what was weighed before and after.
FURNACE, CHARGED_G, MELTED_G = "furnace", "charged_g", "melted_g"


def furnace_of(snapshot: Snapshot, row: int) -> str:
    """The furnace of one row: as its own cell says, else the usual one of campaign.yaml; empty where neither says."""
    table = snapshot.table
    said = table.process[FURNACE][row] if FURNACE in table.process else None
    if said is None and FURNACE in table.sheet.positions:
        said = table.sheet.cell(row, FURNACE)
    return said if isinstance(said, str) and said else usual_furnace(snapshot)


def usual_furnace(snapshot: Snapshot) -> str:
    """The furnace of a melt of which nobody says it; empty where campaign.yaml does not either."""
    melting = snapshot.spec.melting
    return "" if melting is None else melting.usual_furnace


def losses_of(melting: MeltingSpec | None, furnace: str) -> Mapping[str, float]:
    """What a furnace is said to take away, by element [-].

    Raises
    ------
    AlloyloopError
        where campaign.yaml gives losses of others alone
    """
    if melting is None or not melting.losses:
        return {}
    if furnace and furnace not in melting.losses:
        known = listed(tuple(melting.losses))
        raise AlloyloopError(
            f"campaign.yaml gives losses of {known}, and none of {furnace}",
            f"Correct the name, or write '{furnace}: {{}}' under melting.losses.",
        )
    return melting.losses.get(furnace, {})


@dataclass(frozen=True, slots=True)
class FurnaceLosses:
    """What the analyses of past melts say of one furnace.

    Parameters
    ----------
    furnace : its name; empty where nobody gave one
    fitted : of each element that some melt tells of
    stated : what campaign.yaml says it takes away [-]
    kept : the elements against which losses are counted, where masses before and after are not known
    n_melts, n_weighed : how many melts there are, and of how many both masses are known
    """

    furnace: str
    fitted: tuple[FittedLoss, ...]
    stated: Mapping[str, float]
    kept: tuple[str, ...]
    n_melts: int
    n_weighed: int

    @property
    def told(self) -> dict[str, float]:
        """The losses to write into campaign.yaml: as learned where they are told, else as they are stated."""
        learned = {each.element: float(f"{each.loss:.2g}") for each in self.fitted if each.is_told}
        return {**self.stated, **learned}

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for a person."""
        name = f"Furnace {self.furnace}" if self.furnace else "Furnace"
        if not self.n_melts:
            return (f"{name}: no melt of it has a nominal and a measured composition.",)
        how = []
        if self.n_weighed < self.n_melts:
            how.append(f"counted against {listed(self.kept)}")
        if self.n_weighed:
            how.append(f"by mass of {counted(self.n_weighed, 'melt')}")
        said = [
            each.words
            + (f"; {100 * self.stated[each.element]:g} % is allowed for" if each.element in self.stated else "")
            for each in self.fitted
        ]
        head = f"{name}, {counted(self.n_melts, 'melt')} with a nominal and a measured composition, {', '.join(how)}:"
        return (head, *(f"  {each}." for each in said or ["no element is left to tell a loss of"]))

    def json(self) -> Json:
        """The same as JSON."""
        return {
            "furnace": self.furnace,
            "melts": self.n_melts,
            "weighed": self.n_weighed,
            "kept": list(self.kept),
            "losses": {
                each.element: {
                    "melts": each.n_melts,
                    "loss": _plain(each.loss),
                    "low": _plain(each.low),
                    "high": _plain(each.high),
                    "stated": self.stated.get(each.element),
                }
                for each in self.fitted
            },
        }


def as_written(learned: Sequence[FurnaceLosses]) -> str:
    """Losses of several furnaces as campaign.yaml holds them, on one line.

    Examples
    --------
    >>> tin = FittedLoss("Sn", 6, 0.0141, 0.009, 0.019)
    >>> as_written([FurnaceLosses("arc", (tin,), {"Mn": 0.03}, ("Ti",), 6, 0)])
    'melting: {losses: {arc: {Mn: 0.03, Sn: 0.014}}}'
    """
    losses = [
        f"{_key(each.furnace)}: {{{', '.join(f'{element}: {share:g}' for element, share in each.told.items())}}}"
        for each in learned
    ]
    return f"melting: {{losses: {{{', '.join(losses)}}}}}"


def _key(furnace: str) -> str:
    """A furnace as a key of YAML; one without a name gets one."""
    return furnace if re.fullmatch(r"[A-Za-z]\w*", furnace) else json.dumps(furnace or "my furnace", ensure_ascii=False)


def refit_losses(snapshot: Snapshot) -> tuple[FurnaceLosses, ...]:
    """Learn from every melt with a nominal and a measured composition what each furnace takes away.

    Furnaces of campaign.yaml of which no melt was analysed come last, with what is stated of them.

    What was weighed in is the nominal composition and what campaign.yaml, as it was frozen with the melt's round,
    allowed for losses. Where the columns `charged_g` and `melted_g` say what a melt weighed before and after, a loss is
    absolute; else it is counted against the elements that do not evaporate.

    Raises
    ------
    AlloyloopError
        where no melt has both compositions
    """
    table, space = snapshot.table, snapshot.space
    if not space.elements:
        raise AlloyloopError("Nothing is melted in this campaign: it has no composition", "There is nothing to lose.")
    both = np.isfinite(table.nominal).all(axis=1) & np.isfinite(table.measured).all(axis=1) & ~table.has_problem
    rows = _one_of_each_melt(snapshot, np.flatnonzero(both).tolist())
    if not rows:
        raise AlloyloopError(
            "No melt has a nominal and a measured composition",
            f"Analyse some, and `record` them in columns such as {space.elements[0]}_{space.basis}_measured.",
        )
    left = _left(snapshot)
    by_furnace: dict[str, list[int]] = {}
    for row in rows:
        by_furnace.setdefault(furnace_of(snapshot, row), []).append(row)
    stated = {} if snapshot.spec.melting is None else snapshot.spec.melting.losses
    unused = (FurnaceLosses(name, (), losses, (), 0, 0) for name, losses in stated.items() if name not in by_furnace)
    learned = (_of_furnace(snapshot, furnace, melts, left[melts]) for furnace, melts in by_furnace.items())
    return (*learned, *unused)


def _of_furnace(snapshot: Snapshot, furnace: str, rows: list[int], left: FloatArray) -> FurnaceLosses:
    table, elements = snapshot.table, snapshot.table.elements
    nominal, measured = table.nominal[rows], table.measured[rows]
    if snapshot.space.basis == "at_pct":
        nominal, measured = at_to_wt(nominal, elements), at_to_wt(measured, elements)

    @cache
    def allowed(round_number: int | None) -> Mapping[str, float]:
        return _allowed(snapshot, round_number, furnace)

    charged = np.vstack([charged_for(nominal[[i]], elements, allowed(table.round[row])) for i, row in enumerate(rows)])
    stated = losses_of(snapshot.spec.melting, furnace)
    present = [element for element, most in zip(elements, nominal.max(axis=0).tolist(), strict=True) if most > 0]
    kept = keepers(present, snapshot.space.elements[-1])
    known = {element: stated.get(element, 0.0) for element in kept}
    fitted = fit_losses(elements, charged, measured, kept=known, left=left)
    return FurnaceLosses(furnace, fitted, stated, kept, len(rows), int(np.isfinite(left).sum()))


def _allowed(snapshot: Snapshot, round_number: int | None, furnace: str) -> Mapping[str, float]:
    """What was allowed for when a round was weighed in; nothing for alloys of no round, which others melted."""
    if round_number is None:
        return {}
    try:
        melting = read_spec(snapshot.folder.round(round_number) / "inputs" / snapshot.folder.question.name).melting
    except AlloyloopError:  # a round that was made by hand
        melting = snapshot.spec.melting
    return {} if melting is None else melting.losses.get(furnace, {})


def _one_of_each_melt(snapshot: Snapshot, rows: list[int]) -> list[int]:
    """The first of the rows of each melt: several heat treatments of one melt tell its composition once."""
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(snapshot.table.parent[row] or snapshot.table.ids[row], row)
    return list(first.values())


def _left(snapshot: Snapshot) -> FloatArray:
    """(n,) What is left of each row's charge after melting [-]; NaN where it was not weighed before and after."""
    sheet = snapshot.table.sheet
    before, after = (
        read_numbers(sheet.column(name), sheet.dialect.decimal)[0]
        if name in sheet.positions
        else np.full(len(snapshot.table), np.nan)
        for name in (CHARGED_G, MELTED_G)
    )
    return np.where((before > 0) & (after > 0), after / np.where(before > 0, before, 1.0), np.nan)


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else number
