"""Rules a design must keep: bounds on sums of elements, on process variables and on descriptors.

`Nb + Ta >= 10`, `0.5 Nb - Zr <= 4`, `mo_equivalent_wang between 8 and 25`, `price_usd_per_kg <= 60`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .descriptors import DESCRIPTORS, descriptor

# A sum of decimals such as 0.1 + 0.2 must not break a rule by its last binary digit.
TOLERANCE = 1e-9

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_BOUND = re.compile(rf"^(?P<left>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>{_NUMBER})$")
_RANGE = re.compile(rf"^(?P<left>.+?)\s+between\s+(?P<low>{_NUMBER})\s+and\s+(?P<high>{_NUMBER})$")
_TERM = re.compile(r"\s*(?P<sign>[-+]?)\s*(?:(?P<factor>\d+(?:\.\d+)?)\s*\*?\s*)?(?P<name>[A-Za-z_]\w*)\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """Bounds on one quantity.

    Parameters
    ----------
    text : the rule as it was written
    terms : (name, factor) pairs of elements or process variables, or the one name of a descriptor with factor 1
    low, high : bounds, infinite where there is none; both are met by equality
    of_descriptor : whether the one term is a descriptor
    """

    text: str
    terms: tuple[tuple[str, float], ...]
    low: float
    high: float
    of_descriptor: bool

    def quantity(
        self, columns: Mapping[str, FloatArray], fractions: FloatArray, elements: tuple[str, ...]
    ) -> FloatArray:
        """The bounded quantity. (n,)

        Parameters
        ----------
        columns : amounts in the space's basis [%] and process values, each (n,), by name
        fractions : (n, n_elements) atomic fractions of `elements`
        """
        if self.of_descriptor:
            return descriptor(self.terms[0][0]).function(fractions, elements)
        return np.asarray(sum(factor * columns[name] for name, factor in self.terms))

    def holds(self, quantity: FloatArray) -> NDArray[np.bool_]:
        """Whether the bounds are met; a quantity that is not known (NaN) does not meet them."""
        slack = TOLERANCE * max(1.0, *(abs(bound) for bound in (self.low, self.high) if math.isfinite(bound)))
        return np.asarray((quantity >= self.low - slack) & (quantity <= self.high + slack))


def parse_rule(text: str, names: tuple[str, ...]) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text : `QUANTITY <= number`, `QUANTITY >= number` or `QUANTITY between a and b`; QUANTITY is a descriptor, or a sum
        of elements and process variables with numbers before them
    names : the elements and process variables that there are

    Raises
    ------
    AlloyloopError
        for a rule that cannot be read, an unknown name, or bounds that exclude each other

    Examples
    --------
    >>> parse_rule("Nb + 0.5 Ta >= 10", ("Nb", "Ta", "Ti")).terms
    (('Nb', 1.0), ('Ta', 0.5))
    """
    plain = " ".join(text.replace("≤", "<=").replace("≥", ">=").split())
    if match := _RANGE.match(plain):
        low, high = float(match["low"]), float(match["high"])
    elif match := _BOUND.match(plain):
        limit = float(match["limit"])
        low, high = (limit, math.inf) if match["sign"] in (">=", ">") else (-math.inf, limit)
    else:
        raise AlloyloopError(
            f"The rule '{text}' cannot be read",
            "Write it like 'Nb + Ta >= 10' or 'mo_equivalent_wang between 8 and 25'; "
            "ratios and conditions come in a later version.",
        )
    if low > high:
        raise AlloyloopError(f"The rule '{text}' allows nothing: {low:g} is above {high:g}", "Swap the two numbers.")
    left = match["left"].strip()
    if left in DESCRIPTORS:
        return Rule(plain, ((left, 1.0),), low, high, of_descriptor=True)
    return Rule(plain, _terms(left, plain, names), low, high, of_descriptor=False)


def _terms(left: str, rule: str, names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    terms: list[tuple[str, float]] = []
    position = 0
    while position < len(left):
        match = _TERM.match(left, position)
        if match is None or (terms and not match["sign"]):
            raise AlloyloopError(
                f"The rule '{rule}' cannot be read at '{left[position:]}'", "Write it like 'Nb + 0.5 Ta >= 10'."
            )
        if match["name"] in DESCRIPTORS:
            raise AlloyloopError(
                f"The rule '{rule}' counts with the descriptor {match['name']}, which must stand alone",
                f"Write it like '{match['name']} >= 10'; expressions of descriptors come in a later version.",
            )
        if match["name"] not in names:
            raise AlloyloopError(
                f"The rule '{rule}' names {match['name']}, which is neither a descriptor, an element of this space "
                f"({', '.join(names)}) nor a process variable that is a number",
                "Correct the name; `alloyloop descriptors` lists the descriptors.",
            )
        factor = float(match["factor"] or 1) * (-1 if match["sign"] == "-" else 1)
        terms.append((match["name"], factor))
        position = match.end()
    return tuple(terms)
