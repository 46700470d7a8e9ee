"""How what is made scatters about what was aimed at: weighing, losses in the furnace, inhomogeneity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .composition import Basis, amounts_in, atomic_fractions
from .features import Alloys

AS_MADE = "composition as made"
"""Among the process values of alloys: 1 where a composition is what came out, and not what was aimed at."""


def as_made(alloys: Alloys) -> Alloys:
    """Alloys whose compositions are what came out: to make them again, one aims so that losses are made up for."""
    return Alloys(alloys.elements, alloys.fractions, {**alloys.process, AS_MADE: np.ones(len(alloys))})


@dataclass(frozen=True, slots=True)
class Off:
    """How far an element comes out from what was aimed at.

    Parameters
    ----------
    std : one standard deviation
    shift : mean of what is made less what was aimed at; losses are negative
    relative : whether both are shares of the amount aimed at [-], and not % of the basis
    """

    std: float
    shift: float = 0.0
    relative: bool = False

    def __post_init__(self) -> None:
        if not self.std >= 0:
            raise AlloyloopError(f"A scatter of {self.std:g} is no standard deviation", "Give one of 0 or more.")


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """What is made where an alloy is aimed at.

    Parameters
    ----------
    basis : of the amounts that scatter
    balance : the element that takes the remainder
    off : of each element that scatters; what is not weighed in does not

    Notes
    -----
    An element scatters less where there is hardly any of it, so that nothing falls below zero and the mean stays.

    Examples
    --------
    >>> scatter = Scatter("at_pct", "Ti", {"Nb": Off(0.5)})
    >>> aimed = Alloys(("Nb", "Zr", "Ti"), np.array([[0.25, 0.1, 0.65]]), {})
    >>> made = scatter.made(aimed, np.array([[-1.0], [1.0]]))
    >>> made.fractions
    array([[0.245, 0.1  , 0.655],
           [0.255, 0.1  , 0.645]])
    """

    basis: Basis
    balance: str
    off: Mapping[str, Off]

    def __post_init__(self) -> None:
        if self.balance in self.off:
            raise AlloyloopError(
                f"{self.balance} takes the remainder, and scatters as the others do", "Give the others a scatter."
            )

    @property
    def n_scattering(self) -> int:
        """How many elements have a standard deviation above 0."""
        return sum(off.std > 0 for off in self.off.values())

    @property
    def is_shifted(self) -> bool:
        """Whether what is made differs from what was aimed at also on average."""
        return any(off.shift != 0 for off in self.off.values())

    def std(self, amounts: FloatArray, elements: tuple[str, ...]) -> FloatArray:
        """Standard deviations of amounts [% of the basis]; 0 for the balance. (n, n_elements) -> (n, n_elements)"""
        each = [self.off.get(element, Off(0.0)) for element in elements]
        std = np.array([off.std for off in each]) * np.where([off.relative for off in each], amounts, 1.0)
        return np.where(amounts > 0, std, 0.0)

    def made(self, alloys: Alloys, normals: FloatArray) -> Alloys:
        """What comes out where each alloy is aimed at, under each of some scatters; without losses of `as_made` ones.

        Parameters
        ----------
        alloys : n of them
        normals : (n_scatters, `n_scattering`) in standard deviations, in the order of `off`

        Returns
        -------
        n times n_scatters alloys, those of the first alloy first
        """
        elements = alloys.elements
        aimed = amounts_in(alloys.fractions, elements, self.basis)
        each = [self.off.get(element, Off(0.0)) for element in elements]
        shift = np.array([off.shift for off in each]) * np.where([off.relative for off in each], aimed, 1.0)
        if AS_MADE in alloys.process:
            shift = np.where(alloys.process[AS_MADE][:, None] == 1.0, 0.0, shift)
        centre = np.where(aimed > 0, np.maximum(aimed + shift, 0.0), 0.0)
        moved = [element for element, off in self.off.items() if off.std > 0]
        columns = [moved.index(element) if element in moved else -1 for element in elements]
        z = np.column_stack([normals, np.zeros(len(normals))])[:, columns]  # (n_scatters, n_elements)
        farthest = np.abs(z).max(axis=0)
        std = np.minimum(self.std(aimed, elements), centre / np.maximum(farthest, 1.0))
        amounts = centre[:, None, :] + std[:, None, :] * z  # (n, n_scatters, n_elements)
        if self.balance in elements:
            place = elements.index(self.balance)
            others = amounts.sum(axis=2) - amounts[:, :, place]
            amounts[:, :, place] = np.maximum(100 - others, 0.0)
        amounts = 100 * amounts / amounts.sum(axis=2, keepdims=True)
        fractions = atomic_fractions(amounts.reshape(-1, len(elements)), elements, self.basis)
        process = {name: np.repeat(values, len(normals)) for name, values in alloys.process.items()}
        return Alloys(elements, fractions, process)


@lru_cache(maxsize=64)
def scatters(n: int, n_pairs: int) -> FloatArray:
    """A fixed set of points spread like n independent standard normals, in opposite pairs.

    Quasi-random, then turned and stretched so that mean and covariance are exactly those of the normals: averages of
    properties that are linear or quadratic in the amounts are exact.

    Parameters
    ----------
    n : how many normals
    n_pairs : how many pairs, at least n

    Returns
    -------
    (2 n_pairs, n), the second half opposite to the first; one row where n is 0

    Examples
    --------
    >>> points = scatters(2, 4)
    >>> points.shape, bool(np.allclose(points.T @ points / 8, np.eye(2)))
    ((8, 2), True)
    """
    if n == 0:
        return np.zeros((1, 0))
    from scipy.stats import qmc  # here: what only reads a campaign need not load it

    uniform = qmc.Sobol(n, rng=np.random.default_rng(0)).random_base2(int(np.ceil(np.log2(n_pairs))))[:n_pairs]
    half = ndtri(np.clip(uniform, 1e-6, 1 - 1e-6))
    factor = np.linalg.cholesky(half.T @ half / n_pairs)
    half = np.linalg.solve(factor, half.T).T
    return np.asarray(np.vstack([half, -half]), dtype=np.float64)
