"""Three SYNTHETIC laboratories whose best alloy is known, for closed loops: formulas, in which no alloy was measured.

    python benchmarks/oracles.py        # looks at every design of each, and says whether the best is the one told here

Fixed before anything was tuned, and not to be changed after. Their shapes are those of problems that metallurgists
have: a valley beside a shoulder, a property that rises up to the border of a phase field and is not to be had beyond
it, and many elements of which a good alloy takes few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from alloyloop.design.diagram import IntArray
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates import FloatArray

BoolArray = NDArray[np.bool_]
Formula = Callable[[FloatArray], FloatArray]

N_START = 8
_AT_A_TIME = 262_144
# Alloys on the border are fcc, whatever the last digit of a sum says.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Oracle:
    """A synthetic laboratory, and the best that can be made in it.

    Parameters
    ----------
    name : of the problem
    words : what it is like
    space : what may be made
    quantity : the property that is pursued, with its unit
    sign : 1 where more of it is better, -1 where less is
    noise : standard deviation of one measurement
    truth : the property of alloys without noise: (n, n_elements) amounts in at.%, in the order of the space -> (n,)
    allowed : of which alloys an X-ray pattern shows the phase that is asked for -> (n,); None where any will do
    best_at_pct : the best allowed design of the whole space, found by looking at every one
    """

    name: str
    words: str
    space: DesignSpace
    quantity: str
    sign: float
    noise: float
    truth: Formula
    allowed: Callable[[FloatArray], BoolArray] | None
    best_at_pct: dict[str, float]

    @property
    def best(self) -> float:
        """The property of the best allowed design."""
        amounts = np.array([[self.best_at_pct.get(element, 0.0) for element in self.space.elements]])
        return float(self.truth(amounts)[0])

    def values(self, points: IntArray) -> FloatArray:
        """The property of points of the space, without noise. (n, d) -> (n,)"""
        return self.truth(self.space.percent(points))

    def keeps(self, points: IntArray) -> BoolArray:
        """Which points of the space are of the phase that is asked for. (n, d) -> (n,)"""
        if self.allowed is None:
            return np.ones(len(points), dtype=bool)
        return self.allowed(self.space.percent(points))

    def start(self, seed: int) -> IntArray:
        """The alloys that any method begins with: uniform over the space. (N_START, d)"""
        return self.space.sample(N_START, np.random.default_rng([seed, 0]))

    def scatter(self, seed: int, n: int) -> FloatArray:
        """What the first n measurements of a run are off by: the same for every method. (n,)"""
        return np.random.default_rng([seed, 1]).normal(0.0, self.noise, n)

    def regrets(self, points: IntArray) -> FloatArray:
        """How far the best allowed alloy is ahead of the best one made so far, after each; inf before one is allowed.

        Parameters
        ----------
        points : (n, d) in the order in which they were made

        Returns
        -------
        (n,) in the property's unit, 0 or more, never rising
        """
        short = np.where(self.keeps(points), self.sign * (self.best - self.values(points)), np.inf)
        return np.minimum.accumulate(short)


def softness(at_pct: FloatArray) -> FloatArray:
    """A SYNTHETIC Young's modulus of Ti-Nb-Zr-Sn-Mo-Ta [GPa]: a valley over the valence electrons, and a shoulder.

    E = 52 + 42 (1 - exp(-((v - 4.24) / 0.06)²)) + 22 exp(-((v - 4.13) / 0.035)²) + 0.6 (Sn - 4.5)² exp(-Nb / 40)
    + 0.035 (Zr - 9)² + 1.3 Mo + 0.4 Ta, where v is the number of valence electrons per atom and elements are in at.%:
    the formula of the benchmark of single batches, which this project was given. Its valley is an edge of the beta
    field; the shoulder beside it is what omega does.

    Parameters
    ----------
    at_pct : (n, 6) amounts of Nb, Zr, Sn, Mo, Ta and Ti

    Examples
    --------
    >>> softness(np.array([[24.0, 9.0, 4.5, 0.0, 0.0, 62.5]]))
    array([52.03647837])
    """
    nb, zr, sn, mo, ta, _ = at_pct.T
    v = 4 + (nb + 2 * mo + ta) / 100
    valley = 52 + 42 * (1 - np.exp(-(((v - 4.24) / 0.06) ** 2))) + 22 * np.exp(-(((v - 4.13) / 0.035) ** 2))
    return np.asarray(valley + 0.6 * (sn - 4.5) ** 2 * np.exp(-nb / 40) + 0.035 * (zr - 9) ** 2 + 1.3 * mo + 0.4 * ta)


def fcc_margin(at_pct: FloatArray) -> FloatArray:
    """How much aluminium an Al-Co-Cr-Fe-Ni alloy may take on before it is no longer fcc; SYNTHETIC. [at.%]

    12 + 0.25 (Ni - 25) + 0.1 (Co - 18) - 0.015 (Cr - 8)² - Al, elements in at.%: nickel and cobalt hold the field open,
    chromium closes it ever faster.

    Parameters
    ----------
    at_pct : (n, 5) amounts of Al, Co, Cr, Fe and Ni

    Returns
    -------
    (n,) fcc where it is 0 or more
    """
    al, co, cr, _, ni = at_pct.T
    return np.asarray(12 + 0.25 * (ni - 25) + 0.1 * (co - 18) - 0.015 * (cr - 8) ** 2 - al)


def field_hardness(at_pct: FloatArray) -> FloatArray:
    """A SYNTHETIC hardness of Al-Co-Cr-Fe-Ni [HV]: rises towards the border of the fcc field, and more so beyond it.

    130 + 6 Al + 3.6 Cr - 0.05 Cr² + 4 Fe - 0.08 Fe² - 0.06 (Co - 17)² + 180 / (1 + exp((m + 4) / 1.5)), where m is
    `fcc_margin` and elements are in at.%: the last term is the hardness of bcc, half of it reached 4 at.% of aluminium
    beyond the border.

    Parameters
    ----------
    at_pct : (n, 5) amounts of Al, Co, Cr, Fe and Ni
    """
    al, co, cr, fe, _ = at_pct.T
    fcc = 130 + 6 * al + 3.6 * cr - 0.05 * cr**2 + 4 * fe - 0.08 * fe**2 - 0.06 * (co - 17) ** 2
    return np.asarray(fcc + 180 / (1 + np.exp(np.clip((fcc_margin(at_pct) + 4) / 1.5, -700, 700))))


# SYNTHETIC: what each element has by itself [HV], its valence electrons, and what pairs have more, half and half [HV].
_MANY = ("Al", "Co", "Cr", "Cu", "Fe", "Mn", "Mo", "Nb", "Ti", "V", "W", "Ni")
_ALONE = np.array([190.0, 190, 240, 120, 200, 170, 300, 230, 240, 250, 320, 180])
_VALENCE = np.array([3.0, 9, 6, 11, 8, 7, 6, 5, 4, 5, 6, 10])
_PAIRS = {
    ("Al", "Ti"): 330.0,
    ("Al", "Cr"): 260.0,
    ("Cr", "Ti"): 300.0,
    ("Co", "Ti"): 270.0,
    ("Al", "Co"): 240.0,
    ("Mo", "Ni"): 210.0,
    ("Fe", "Mo"): 260.0,
    ("Nb", "Ni"): 190.0,
    ("Cr", "Co"): 120.0,
    ("Cu", "Fe"): -180.0,
    ("Cr", "Cu"): -160.0,
    ("Cu", "V"): -150.0,
    ("Cu", "Mo"): -200.0,
    ("W", "Mn"): -140.0,
    ("W", "Ti"): -120.0,
}


@cache
def _interactions() -> FloatArray:
    matrix = np.zeros((len(_MANY), len(_MANY)))
    for (one, other), extra in _PAIRS.items():
        i, j = _MANY.index(one), _MANY.index(other)
        matrix[i, j] = matrix[j, i] = 2 * extra
    return matrix


def many_hardness(at_pct: FloatArray) -> FloatArray:
    """A SYNTHETIC hardness of alloys of twelve elements [HV]: each by itself, pairs, and a window of valence electrons.

    Σ h_i c_i + 4 Σ w_ij c_i c_j + 140 exp(-((v - 6.1) / 0.7)²), where c are atomic fractions, v is the mean number of
    valence electrons, and h and w are this module's tables. Fifteen of the 66 pairs count.

    Parameters
    ----------
    at_pct : (n, 12) amounts of Al, Co, Cr, Cu, Fe, Mn, Mo, Nb, Ti, V, W and Ni
    """
    c = np.asarray(at_pct) / 100
    pairs = (c @ _interactions() * c).sum(axis=1)
    return np.asarray(c @ _ALONE + pairs + 140 * np.exp(-(((c @ _VALENCE - 6.1) / 0.7) ** 2)))


def beta_titanium() -> Oracle:
    """A beta-titanium valley in six elements."""
    most = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15, "Ta": 20}
    elements = tuple(Element(symbol, 0, high, 0.5) for symbol, high in most.items())
    return Oracle(
        "beta titanium",
        "SYNTHETIC: the modulus of Ti-Nb-Zr-Sn-Mo-Ta, softest in a narrow valley with a shoulder beside it",
        DesignSpace(Lattice(elements, "Ti", 50, 90), "at_pct"),
        "youngs_modulus_GPa",
        sign=-1.0,
        noise=1.5,
        truth=softness,
        allowed=None,
        best_at_pct={"Ti": 62.5, "Nb": 24.0, "Zr": 9.0, "Sn": 4.5},
    )


def fcc_field() -> Oracle:
    """A two-phase field: hard alloys of Al-Co-Cr-Fe-Ni that are fcc."""
    elements = (Element("Al", 0, 30, 0.5), *(Element(symbol, 5, 35, 0.5) for symbol in ("Co", "Cr", "Fe")))
    return Oracle(
        "fcc field",
        "SYNTHETIC: the hardness of Al-Co-Cr-Fe-Ni that must be fcc. Each melt is indented and its phase is seen, so "
        "that bcc alloys, which are harder, have a value too",
        DesignSpace(Lattice(elements, "Ni", 5, 50), "at_pct"),
        "hardness_HV",
        sign=1.0,
        noise=6.0,
        truth=field_hardness,
        allowed=lambda at_pct: np.asarray(fcc_margin(at_pct) >= -_ROUNDING),
        best_at_pct={"Al": 15.0, "Co": 11.0, "Cr": 14.0, "Fe": 18.0, "Ni": 42.0},
    )


def many_elements() -> Oracle:
    """Twelve elements, of which an alloy holds three to five."""
    *chosen, balance = _MANY
    elements = tuple(Element(symbol, 0, 40, 1) for symbol in chosen)
    limit = CountLimit("elements", _MANY, 3, 5)
    return Oracle(
        "twelve elements",
        "SYNTHETIC: the hardness of alloys of three to five of twelve elements, of which the best takes few",
        DesignSpace(Lattice(elements, balance, 0, 40, present_above=5, limits=(limit,)), "at_pct"),
        "hardness_HV",
        sign=1.0,
        noise=10.0,
        truth=many_hardness,
        allowed=None,
        best_at_pct={"Al": 16.0, "Co": 36.0, "Cr": 18.0, "Ti": 30.0},
    )


ORACLES: dict[str, Callable[[], Oracle]] = {
    "beta-titanium": beta_titanium,
    "fcc-field": fcc_field,
    "twelve-elements": many_elements,
}


def best_of_all(oracle: Oracle) -> dict[str, float]:
    """The best allowed design of a space, by looking at every one; its amounts in at.%."""
    found, best = oracle.space.between(0, 1)[0], -np.inf
    for first in range(0, oracle.space.count, _AT_A_TIME):
        points = oracle.space.between(first, first + _AT_A_TIME)
        values = np.where(oracle.keeps(points), oracle.sign * oracle.values(points), -np.inf)
        if values.max() > best:
            found, best = points[values.argmax()], float(values.max())
    amounts = oracle.space.percent(found[None])[0].tolist()
    return {element: amount for element, amount in zip(oracle.space.elements, amounts, strict=True) if amount > 0}


def main() -> None:
    """Look at every design, and print."""
    for make in ORACLES.values():
        oracle = make()
        found = best_of_all(oracle)
        assert found == oracle.best_at_pct, f"{oracle.name}: the best is {found}, not {oracle.best_at_pct}"
        named = " ".join(f"{element} {amount:g}" for element, amount in sorted(found.items()))
        print(f"{oracle.name}: {oracle.space.counted()}; the best of all: {named}, {oracle.best:.2f} {oracle.quantity}")


if __name__ == "__main__":
    main()
