"""Which alloys a laboratory can tell apart: those that balance and chemical analysis do not mistake for each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..surrogates.base import FloatArray
from .composition import Basis
from .diagram import IntArray
from .elements import atomic_masses
from .scatter import Scatter
from .space import DesignSpace

# Relative error of inductively coupled plasma optical emission spectrometry, the usual analysis of an alloy: 1 to 3 %.
ICP_RELATIVE = 0.02
# Of a laboratory balance, and of one arc-melted button; 20 to 100 g are usual.
BALANCE_G, BUTTON_G = 0.001, 40.0
# Two alloys are told apart where which of the two an analysis belongs to is mistaken no more often than this.
MOST_MISTAKEN = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Which designs of a space are told apart.

    Both alloys are weighed, made and analysed; an amount then errs by the step of the balance, by the scatter of what
    is made where that is known, and by the analysis. Let d be the length of the difference between the two
    compositions, each amount counted in the standard deviation of its difference, the balance element left out since it
    takes the remainder. Who is shown two analyses and has to say which belongs to which alloy is wrong with probability
    Φ(-d): they are told apart where that is at most 5 %, d at least 1.64. So are designs that are treated differently.

    Parameters
    ----------
    space : whose points are asked about; of one without compositions nothing is too close
    scatter : of what is made; None where that is not known
    relative : error of the analysis, one standard deviation as a share of the amount [-]
    balance_g : step of the balance [g]
    mass_g : of a melt [g]

    Examples
    --------
    >>> from .lattice import Element, Lattice
    >>> space = DesignSpace(Lattice((Element("Nb", 0, 40, 0.5),), "Ti"), "wt_pct")
    >>> picked = space.snap(np.array([[36.0, 64.0]]), {})[0]
    >>> near = space.snap(np.array([[36.5, 63.5], [38.0, 62.0]]), {})[0]
    >>> Apart(space).too_close(near, picked)
    array([ True, False])
    """

    space: DesignSpace
    scatter: Scatter | None = None
    relative: float = ICP_RELATIVE
    balance_g: float = BALANCE_G
    mass_g: float = BUTTON_G

    def too_close(self, points: IntArray, picks: IntArray) -> NDArray[np.bool_]:
        """Which points are not told apart from one of the picks. (n, d), (m, d) -> (n,)"""
        n_elements, n = self.space.n_elements, len(points)
        close = np.zeros(n, dtype=bool)
        if n_elements < 2 or len(picks) == 0:
            return close
        least = float(ndtri(MOST_MISTAKEN)) ** 2
        solutes, treated = slice(0, n_elements - 1), slice(n_elements, None)
        amounts, variances = self._measured(points)
        for pick, of_pick, variance in zip(picks, *self._measured(picks), strict=True):
            apart = (amounts - of_pick)[:, solutes] ** 2 / (variances + variance)[:, solutes]
            close |= (apart.sum(axis=1) < least) & (points[:, treated] == pick[treated]).all(axis=1)
        return close

    def _measured(self, points: IntArray) -> tuple[FloatArray, FloatArray]:
        """Amounts [% of the basis], and the variances with which they are found. (n, n_elements) each"""
        elements, amounts = self.space.elements, self.space.percent(points)
        # A weighed mass is rounded to the step: uniform, so that its standard deviation is a step over the root of 12.
        weighed = 100 * self.balance_g / np.sqrt(12) / self.mass_g
        variances = (self.relative * amounts) ** 2 + (weighed * _of_a_mass(amounts, elements, self.space.basis)) ** 2
        if self.scatter is not None:
            variances += self.scatter.std(amounts, elements) ** 2
        return amounts, variances


def _of_a_mass(amounts: FloatArray, elements: tuple[str, ...], basis: Basis) -> FloatArray:
    """By how much an amount rises for each wt.% more of its element. (n, n_elements)"""
    if basis == "wt_pct":
        return np.ones_like(amounts)
    masses = atomic_masses(elements)
    return np.asarray((amounts @ masses)[:, None] / 100 / masses)
