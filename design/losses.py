"""What a furnace takes away of each element, learned from what was aimed at and what was analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from ..surrogates.base import FloatArray
from .charging import BOILING_POINT_K

LEAST_MELTS = 3  # with fewer the interval of a mean says nothing
INTERVAL = 0.90  # probability that an interval holds the loss, as elsewhere in alloyloop


@dataclass(frozen=True, slots=True)
class FittedLoss:
    """What a furnace takes away of one element.

    Parameters
    ----------
    element : which
    n_melts : how many melts tell it
    loss : the share that is lost [-]; NaN where too few melts tell it. Below 0 more was found than was weighed in
    low, high : the central 90 % interval of it [-]
    """

    element: str
    n_melts: int
    loss: float = np.nan
    low: float = np.nan
    high: float = np.nan

    @property
    def is_told(self) -> bool:
        """Whether there is a loss that cannot be the chance of a few analyses."""
        return self.low > 0

    @property
    def words(self) -> str:
        """The same for a person.

        Examples
        --------
        >>> FittedLoss("Sn", 6, 0.014, 0.009, 0.019).words
        'Sn loses 1.4 % (0.9 to 1.9 %, 6 melts)'
        >>> FittedLoss("Nb", 6, -0.002, -0.008, 0.004).words
        'no loss of Nb can be told (-0.8 to 0.4 %, 6 melts)'
        >>> FittedLoss("Mn", 2).words
        'of Mn nothing can be told: it takes 3 melts that were analysed, and there are 2'
        """
        if np.isnan(self.loss):
            there = "is 1" if self.n_melts == 1 else f"are {self.n_melts}"
            return (
                f"of {self.element} nothing can be told: it takes {LEAST_MELTS} melts that were analysed, "
                f"and there {there}"
            )
        interval = f"({100 * self.low:.2g} to {100 * self.high:.2g} %, {self.n_melts} melts)"
        if self.is_told:
            return f"{self.element} loses {100 * self.loss:.2g} % {interval}"
        return f"no loss of {self.element} can be told {interval}"


def keepers(elements: Sequence[str], balance: str) -> tuple[str, ...]:
    """The elements that a furnace leaves alone: those that boil above 2900 K; the balance, where that does not.

    Examples
    --------
    >>> keepers(["Ti", "Nb", "Sn"], "Ti"), keepers(["Mg", "Zn", "Zr"], "Mg")
    (('Ti', 'Nb'), ('Mg',))
    """
    kept = tuple(element for element in elements if element not in BOILING_POINT_K)
    return kept if balance in kept else (balance,)


def fit_losses(
    elements: Sequence[str],
    charged: FloatArray,
    analysed: FloatArray,
    *,
    kept: Mapping[str, float],
    left: FloatArray | None = None,
) -> tuple[FittedLoss, ...]:
    """Learn losses from melts of which both compositions are known.

    What is left of element i in melt r is ln(1 - loss_i) = ln(a_ri / c_ri) + s_r, where a is analysed, c charged, and
    s_r = ln(mass after / mass before), which compositions alone do not tell: without the masses s_r is such that of the
    elements `kept` together as much is lost as is said of them. A loss is that of the mean of the logs, since an
    analysis errs by a share of what it finds, and its interval is Student's.

    Parameters
    ----------
    elements : n_elements symbols
    charged, analysed : (n, n_elements) amounts [wt.%, or any unit of mass]; an element counts where both are above 0
    kept : elements whose loss is taken to be known, such as those that the furnace leaves alone -> that loss [-]
    left : (n,) mass after melting over mass weighed in [-]; NaN where it was not weighed

    Returns
    -------
    one for each element that any melt tells of; those kept are told only where masses are known

    Examples
    --------
    >>> charged = np.array([[90.0, 10.0], [80.0, 20.0], [85.0, 15.0]])
    >>> analysed = charged * np.array([1.0, 0.95])  # exactly 5 % of the tin is gone
    >>> (tin,) = fit_losses(["Ti", "Sn"], charged, analysed, kept={"Ti": 0.0})
    >>> tin.words
    'Sn loses 5 % (5 to 5 %, 3 melts)'
    """
    charged = charged / charged.sum(axis=1, keepdims=True)
    analysed = analysed / analysed.sum(axis=1, keepdims=True)
    weighed = np.full(len(charged), np.nan) if left is None else left
    held = (charged > 0) & (analysed > 0)
    reference = held & np.isin(elements, list(kept))
    remains = charged * (1 - np.array([kept.get(element, 0.0) for element in elements]))
    before, after = (np.where(reference, amounts, 0.0).sum(axis=1) for amounts in (remains, analysed))
    by_reference = np.divide(before, after, out=np.full(len(before), np.nan), where=after > 0)
    is_weighed = np.isfinite(weighed)
    share = np.where(is_weighed, weighed, by_reference)
    tells = held & np.isfinite(share)[:, None] & (is_weighed[:, None] | ~np.isin(elements, list(kept)))
    fitted = []
    for i, element in enumerate(elements):
        rows = tells[:, i]
        if rows.any():
            fitted.append(_fitted(element, np.log(analysed[rows, i] / charged[rows, i] * share[rows])))
    return tuple(fitted)


def _fitted(element: str, logs: FloatArray) -> FittedLoss:
    """A loss from the logs of what is left of an element in each melt. (n,)"""
    n = len(logs)
    if n < LEAST_MELTS:
        return FittedLoss(element, n)
    from scipy.special import stdtrit

    mean = float(logs.mean())
    half = float(stdtrit(n - 1, (1 + INTERVAL) / 2)) * float(logs.std(ddof=1)) / sqrt(n)
    return FittedLoss(element, n, 1 - exp(mean), 1 - exp(mean + half), 1 - exp(mean - half))


def charged_for(wanted: FloatArray, elements: Sequence[str], loss: Mapping[str, float]) -> FloatArray:
    """What is weighed in of each element so that an alloy remains, where losses are allowed for.

    Parameters
    ----------
    wanted : (n, n_elements) amounts [wt.%]
    elements : n_elements symbols
    loss : element -> the share that was allowed for [-]

    Returns
    -------
    (n, n_elements) in the unit of `wanted`; rows sum to more than it does

    Examples
    --------
    >>> charged_for(np.array([[95.0, 5.0]]), ["Ti", "Sn"], {"Sn": 0.5})
    array([[95., 10.]])
    """
    return np.asarray(wanted / (1 - np.array([loss.get(element, 0.0) for element in elements])))
