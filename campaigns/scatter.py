"""What is really made where an alloy is aimed at: as campaign.yaml says it, or learned from what analyses found."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, log, sqrt

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..design.scatter import Off, Scatter
from ..design.telling_apart import BALANCE_G, BUTTON_G, ICP_RELATIVE, Apart
from ..surrogates.base import FloatArray
from .snapshot import Snapshot

# With fewer alloys of which nominal and measured compositions are known, a scatter is a draw of lots.
LEAST_ALLOYS = 5
# The scatter that all elements share counts as much as that of so many alloys, in the scatter of each.
_SHARED = 4
# A mean that is not so many standard errors from zero is taken for chance.
_CLEAR = 2.0
_NOTHING = 1e-9  # a scatter that is rounding


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was found of one element: measured less nominal amounts, as they are or as shares of the nominal.

    Parameters
    ----------
    element : which
    differences : (n,) of the alloys that hold it
    """

    element: str
    differences: FloatArray

    @property
    def n(self) -> int:
        return len(self.differences)

    @property
    def squares(self) -> float:
        """Sum of squares about the mean."""
        return float(((self.differences - self.differences.mean()) ** 2).sum()) if self.n else 0.0


def scatter(snapshot: Snapshot) -> tuple[Scatter | None, tuple[str, ...]]:
    """What is really made where the campaign aims at an alloy, and what should be known of that; None where not asked.

    Scatter that is learned is the standard deviation of measured less nominal amounts, as shares of the nominal where
    these scatter more evenly; which of the two, the likelihood of all of them says. That of each element is drawn
    towards that of all, by as much as four alloys would. A mean beyond two standard errors is taken for a loss, or a
    gain. The error of the analysis is in it: what is learned is a little more than what is made.
    """
    made = snapshot.spec.composition
    if made is None or made.made_within is None:
        return None, ()
    if snapshot.spec.calphad is not None:
        return None, (
            "made_within: phases take time to compute, and are not computed of all that may be made of an alloy: every "
            "alloy is judged as it is aimed at.",
        )
    if not isinstance(made.made_within, str):
        return Scatter(snapshot.space.basis, made.balance, {e: Off(std) for e, std in made.made_within.items()}), ()
    solutes = tuple(element for element in snapshot.space.elements if element != made.balance)
    table = snapshot.table
    rows = np.isfinite(table.nominal).all(axis=1) & np.isfinite(table.measured).all(axis=1)
    n = int(rows.sum())
    if n < LEAST_ALLOYS:
        usual = Scatter(snapshot.space.basis, made.balance, {e: Off(ICP_RELATIVE, relative=True) for e in solutes})
        said = f"{n} alloys have a nominal and a measured composition" if n != 1 else "one alloy has both compositions"
        return usual, (
            f"made_within: {said}, too few to learn from (it takes {LEAST_ALLOYS}): every amount is taken to come out "
            f"within {ICP_RELATIVE:.0%} of itself, the error of an analysis by ICP-OES.",
        )
    columns = [table.elements.index(element) for element in solutes]
    off, words = learned(solutes, table.nominal[rows][:, columns], table.measured[rows][:, columns])
    unit = BASIS_SIGN[snapshot.space.basis]
    said = "; ".join(each.format(unit=unit) for each in words)
    return Scatter(snapshot.space.basis, made.balance, off), (f"What is made, learned from {n} alloys: {said}.",)


def learned(
    elements: tuple[str, ...], nominal: FloatArray, measured: FloatArray
) -> tuple[dict[str, Off], tuple[str, ...]]:
    """How far elements come out from what was aimed at; and that in words, with {unit} where the unit belongs.

    Parameters
    ----------
    elements : without the balance
    nominal, measured : (n, n_elements) amounts [%]

    Examples
    --------
    >>> aimed = np.array([[4.0], [8.0], [4.0], [8.0]])
    >>> off, words = learned(("Sn",), aimed, aimed * np.array([[0.94], [0.95], [0.95], [0.96]]))
    >>> words
    ('Sn comes out 5 ± 0.91 % of itself lower',)
    """
    held = (nominal > 0) & (measured > 0)  # what was weighed in and is not found was not looked for
    apart = measured - nominal
    absolute = [_Found(e, apart[held[:, i], i]) for i, e in enumerate(elements)]
    shares = [_Found(e, apart[held[:, i], i] / nominal[held[:, i], i]) for i, e in enumerate(elements)]
    # A density of a share is one of an amount times the amount: so that the two can be compared.
    gain = _log_likelihood(shares) - float(np.log(nominal[held]).sum()) - _log_likelihood(absolute)
    relative = gain >= -1e-9  # where all amounts are alike, a loss is a share of what was weighed
    found = shares if relative else absolute
    freedom = sum(max(each.n - 1, 0) for each in found)
    shared = sum(each.squares for each in found) / max(freedom, 1)
    off, words = {}, []
    for each in found:
        variance = (_SHARED * shared + each.squares) / (_SHARED + max(each.n - 1, 0))
        shift = float(each.differences.mean()) if each.n > 1 else 0.0
        error = sqrt(variance / max(each.n, 1))
        shift = shift if abs(shift) > _CLEAR * error else 0.0
        off[each.element] = Off(hypot(sqrt(variance), error), shift, relative)
        words.append(_in_words(each.element, off[each.element]))
    return off, tuple(words)


def _log_likelihood(found: list[_Found]) -> float:
    """Of differences under a normal of each element, at its most likely; elements with one value say nothing."""
    told = [each for each in found if each.n > 1]
    least = max((float(np.abs(each.differences).max()) for each in told), default=0.0) * 1e-6 + 1e-300
    return -sum(each.n * log(max(sqrt(each.squares / each.n), least)) for each in told)


def _in_words(element: str, off: Off) -> str:
    """How an element comes out, with {unit} where the unit belongs."""
    scale, unit = (100, "% of itself") if off.relative else (1, "{unit}")
    if off.shift == 0:
        return f"{element} comes out within {off.std * scale:.2g} {unit}"
    way = "lower" if off.shift < 0 else "higher"
    either = f" ± {off.std * scale:.2g}" if off.std > _NOTHING else ""
    return f"{element} comes out {abs(off.shift) * scale:.2g}{either} {unit} {way}"


def apart(snapshot: Snapshot, scattering: Scatter | None) -> Apart:
    """Which designs of the campaign's space are told apart."""
    melting = snapshot.spec.melting
    balance_g = BALANCE_G if melting is None else melting.balance_g
    return Apart(snapshot.space, scattering, balance_g=balance_g, mass_g=snapshot.spec.mass_g or BUTTON_G)
