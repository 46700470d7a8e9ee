"""What a round expected of an alloy beside what came of it, and how surprising that is; nothing is fitted for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from statistics import NormalDist

from .answers import Predicted, PredictedClasses
from .cells import Reading, read_number
from .rounds import past_round
from .snapshot import Snapshot
from .table import class_finder

# A class that had less of a chance than this is a surprise.
_SURPRISING = 0.1
# Ends of the central interval that holds nine of ten, in standard deviations.
_ENDS = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True, slots=True)
class Surprise:
    """One property: what was expected and what came.

    Parameters
    ----------
    sentence : it in words
    z : how far it is off, in standard deviations; None of a class
    """

    sentence: str
    z: float | None = None


def surprises(snapshot: Snapshot, id: str, cells: Mapping[str, str]) -> dict[str, Surprise]:
    """Of each property in the cells that the alloy's round predicted, how surprising it is; by property.

    Parameters
    ----------
    snapshot : the campaign
    id : of the alloy's row; a row that is not there, or of no round, surprises nobody
    cells : what came, column -> text
    """
    number = snapshot.table.round[snapshot.table.row(id)] if id in snapshot.table.ids else None
    foreseen = None if number is None else past_round(snapshot, number).proposals.get(id)
    found: dict[str, Surprise] = {}
    if foreseen is None or number is None:
        return found
    for name, chances in foreseen.classes.items():
        label = class_finder(snapshot.table.layout.classes.get(name, {}))(cells.get(name, ""))
        if label is not None:
            found[name] = Surprise(f"{id} {name}: {label} came, {_words_of_class(label, chances, number)}.")
    for name, predicted in foreseen.predicted.items():
        if name not in cells:
            continue
        came = read_number(cells[name], snapshot.table.sheet.dialect.decimal)
        if not isfinite(came.value):
            continue
        z = how_far(came, predicted)
        at_least = " or beyond" if came.censored and z else ""
        sentence = (
            f"{id} {name}: {came.censored}{came.value:g} came, {predicted.mean:.4g} was expected (90 %: "
            f"{predicted.low:.4g} to {predicted.high:.4g}, round {number}): {_words(z)} (z = {z:+.1f}{at_least})."
        )
        found[name] = Surprise(sentence, z if isfinite(z) else None)
    return found


def how_far(came: Reading, expected: Predicted) -> float:
    """How far a measurement is off, in standard deviations; NaN where nothing was in doubt.

    Each side of the mean has its own unit, such that the ends of the interval of nine in ten are 1.645 off: what is
    expected of a corrosion rate reaches further up than down. A bound is as far off as the nearest value that keeps it.

    Examples
    --------
    >>> expected = Predicted(60.0, 2.0, 56.71, 63.29)
    >>> [round(how_far(Reading(came), expected), 1) for came in (60.0, 63.29, 64.0)]
    [0.0, 1.6, 2.0]
    >>> [round(how_far(Reading(50.0, censored=sign), expected), 1) for sign in ("<", ">")]
    [-5.0, 0.0]
    """
    off = came.value - expected.mean
    if (came.censored == ">" and off < 0) or (came.censored == "<" and off > 0):
        return 0.0
    reach = (expected.high - expected.mean if off > 0 else expected.mean - expected.low) / _ENDS
    unit = reach if reach > 0 else expected.std
    return off / unit if unit > 0 else nan


def _words(z: float) -> str:
    size = abs(z)
    if size != size:
        return "not comparable"
    if size < 1:
        return "as expected"
    if size < 2:
        return f"somewhat {'higher' if z > 0 else 'lower'} than expected"
    return f"a surprise, {'higher' if z > 0 else 'lower'} than expected"


def _words_of_class(found: str, expected: PredictedClasses, number: int) -> str:
    likeliest, chance = expected.likeliest, expected.classes.get(found, 0.0)
    told = f"{likeliest} {expected.classes[likeliest]:.0%}"
    if found == likeliest:
        return f"as expected ({told}, round {number})"
    surprise = ": a surprise" if chance < _SURPRISING else ""
    return f"{likeliest} was expected ({told}, {found} {chance:.0%}, round {number}){surprise}"
