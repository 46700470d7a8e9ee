"""Rules a design must keep, as they are written: sums, ratios, descriptors and choices, each perhaps with a condition.

`Nb + Ta >= 10`, `Zr / Nb <= 2`, `Nb + Ta >= 10 at.%`, `mo_equivalent_wang between 8 and 25`, `price_usd_per_kg <= 60`,
`quench is water`, `solution_temperature_C >= 850 if Mo > 5`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .alloy_names import DASHES
from .composition import Basis, at_to_wt, atomic_fractions
from .descriptors import DESCRIPTORS, descriptor
from .process import Process

# A sum of decimals such as 0.1 + 0.2 must not break a rule by its last binary digit.
TOLERANCE = 1e-9

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Designs:
    """n designs as rules see them.

    Parameters
    ----------
    elements : the elements, the balance last; none in a pure process space
    basis : of the amounts
    percent : (n, n_elements) amounts [%]
    process : values of process variables, n of each
    """

    elements: tuple[str, ...]
    basis: Basis
    percent: FloatArray
    process: Process

    def __len__(self) -> int:
        return len(self.percent)

    @cached_property
    def fractions(self) -> FloatArray:
        """(n, n_elements) atomic fractions."""
        return atomic_fractions(self.percent, self.elements, self.basis)

    @cached_property
    def _other(self) -> FloatArray:
        return at_to_wt(self.percent, self.elements) if self.basis == "at_pct" else 100 * self.fractions

    def values(self, name: str, basis: Basis | None = None) -> NDArray[Any]:
        """Amounts of an element [% of a basis, the space's own if not given], or values of a process variable. (n,)"""
        if name in self.process:
            return self.process[name]
        amounts = self.percent if basis in (None, self.basis) else self._other
        return amounts[:, self.elements.index(name)]


class Test(Protocol):
    """One question about a design that is answered by yes, no or not known."""

    @property
    def text(self) -> str:
        """As it was written."""
        ...

    def quantity(self, designs: Designs) -> NDArray[Any]:
        """What is asked about: numbers, NaN where not known, or choices, None where not known. (n,)"""
        ...

    def known(self, designs: Designs) -> BoolArray:
        """Where there is an answer. (n,)"""
        ...

    def holds(self, designs: Designs) -> BoolArray:
        """Where the answer is yes. (n,)"""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a quantity.

    Parameters
    ----------
    low, high : infinite where there is none
    low_open, high_open : whether equality does not meet them
    """

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def hold(self, quantity: FloatArray, scale: float | FloatArray = 1.0) -> BoolArray:
        """Whether bounds, multiplied by `scale` (>= 0), are met; a quantity that is not known (NaN) meets none."""
        met = ~np.isnan(quantity)
        for sign, bound, is_open in ((1, self.low, self.low_open), (-1, self.high, self.high_open)):
            if math.isfinite(bound):
                above = sign * (quantity - bound * scale)
                slack = TOLERANCE * max(1.0, abs(bound))
                met &= above > slack if is_open else above >= -slack
        return np.asarray(met)


@dataclass(frozen=True, slots=True)
class Sum:
    """Bounds on a sum of elements and process variables, or on the ratio of two.

    Parameters
    ----------
    text : as it was written
    terms : (name, factor) of what is summed
    over : (element, factor > 0) of what it is divided by; none for a plain sum
    limits : bounds; those of a ratio a / b are read as a <= limit b, so that an alloy without a and b keeps them all
        (but for `<` and `>`, which nothing and nothing do not meet)
    basis : of the amounts; None for the space's own
    """

    text: str
    terms: tuple[tuple[str, Fraction], ...]
    over: tuple[tuple[str, Fraction], ...]
    limits: Limits
    basis: Basis | None = None

    @property
    def names(self) -> frozenset[str]:
        """Everything that is named in it."""
        return frozenset(name for name, _ in (*self.terms, *self.over))

    def quantity(self, designs: Designs) -> FloatArray:
        """The sum, or the ratio; NaN for nothing over nothing. (n,)"""
        above, below = self._parts(designs)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(above / below)

    def known(self, designs: Designs) -> BoolArray:
        """Where all that is summed is known, nothing over nothing too. (n,)"""
        above, below = self._parts(designs)
        return ~np.isnan(above + below)

    def holds(self, designs: Designs) -> BoolArray:
        """Where the bounds are met. (n,)"""
        above, below = self._parts(designs)
        return self.limits.hold(above, below)

    def at_most(self) -> tuple[tuple[dict[str, Fraction], Fraction, bool], ...]:
        """It as inequalities: each says that a sum of factors times values is at most a number, or less if True."""
        inequalities = []
        for sign, bound, is_open in (
            (-1, self.limits.low, self.limits.low_open),
            (1, self.limits.high, self.limits.high_open),
        ):
            if math.isfinite(bound):
                limit = sign * Fraction(str(bound))
                factors: dict[str, Fraction] = {}
                for name, factor in self.terms:
                    factors[name] = factors.get(name, Fraction(0)) + sign * factor
                for name, factor in self.over:
                    factors[name] = factors.get(name, Fraction(0)) - limit * factor
                inequalities.append((factors, Fraction(0) if self.over else limit, is_open))
        return tuple(inequalities)

    def _parts(self, designs: Designs) -> tuple[FloatArray, FloatArray]:
        def total(terms: tuple[tuple[str, Fraction], ...]) -> FloatArray:
            parts = [float(factor) * designs.values(name, self.basis) for name, factor in terms]
            return np.asarray(np.sum(parts, axis=0), dtype=np.float64)

        return total(self.terms), total(self.over) if self.over else np.ones(len(designs))


@dataclass(frozen=True, slots=True)
class Computed:
    """Bounds on a descriptor.

    Parameters
    ----------
    text : as it was written
    name : the descriptor
    limits : bounds in its unit
    """

    text: str
    name: str
    limits: Limits

    def quantity(self, designs: Designs) -> FloatArray:
        """The descriptor, NaN where an element lacks a value. (n,)"""
        return descriptor(self.name).function(designs.fractions, designs.elements)

    def known(self, designs: Designs) -> BoolArray:
        """Where no element lacks a value. (n,)"""
        return ~np.isnan(self.quantity(designs))

    def holds(self, designs: Designs) -> BoolArray:
        """Where the bounds are met. (n,)"""
        return self.limits.hold(self.quantity(designs))


@dataclass(frozen=True, slots=True)
class Is:
    """That a choice is, or is not, one of its values.

    Parameters
    ----------
    text : as it was written
    name : the process variable
    choice : one of its choices
    wanted : False for `is not`
    """

    text: str
    name: str
    choice: str
    wanted: bool = True

    def quantity(self, designs: Designs) -> NDArray[Any]:
        """The choices, None where not known. (n,)"""
        return designs.values(self.name)

    def known(self, designs: Designs) -> BoolArray:
        """Where the choice is known. (n,)"""
        return np.array([value is not None for value in self.quantity(designs)], dtype=bool)

    def holds(self, designs: Designs) -> BoolArray:
        """Where it is so; not where the choice is not known. (n,)"""
        is_it = np.array([value == self.choice for value in self.quantity(designs)], dtype=bool)
        return np.asarray(self.known(designs) & (is_it == self.wanted))


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that every design keeps, everywhere or where conditions hold.

    Parameters
    ----------
    text : the rule as it was written
    wanted : what is to hold
    given : where; a design for which one of these is false keeps the rule
    """

    text: str
    wanted: Sum | Computed | Is
    given: tuple[Sum | Computed | Is, ...] = ()

    def holds(self, designs: Designs) -> BoolArray:
        """Where it is kept; not where that is not known. (n,)"""
        kept = self.wanted.holds(designs)
        for condition in self.given:
            kept = kept | (condition.known(designs) & ~condition.holds(designs))
        return np.asarray(kept)

    def quantity(self, designs: Designs) -> NDArray[Any]:
        """The quantity that is bounded. (n,)"""
        return self.wanted.quantity(designs)


# -- reading ----------------------------------------------------------------------------------------------------------

# More digits than anybody measures are not read: sums of them would be slow, or infinite.
_UNSIGNED = r"\d{1,15}(?:\.\d{1,15})?(?:[eE][-+]?\d{1,2})?"
_NUMBER = rf"[-+]?{_UNSIGNED}"
_SIGN = r"<=|>=|<|>"
_CHAIN = re.compile(rf"^(?P<low>{_NUMBER})\s*(?P<first><=|<)(?P<left>.+?)(?P<second><=|<)\s*(?P<high>{_NUMBER})$")
_BETWEEN = re.compile(rf"^(?P<left>.+?)\s+between\s+(?P<low>{_NUMBER})\s+and\s+(?P<high>{_NUMBER})$")
_BOUND = re.compile(rf"^(?P<left>[^<>]+?)\s*(?P<sign>{_SIGN})\s*(?P<right>[^<>]+)$")
_IS = re.compile(r"^(?P<name>\w+)\s+is\s+(?P<no>not\s+)?(?P<choice>.+)$")
_OF = r"(?<![A-Za-z_])(?:at|wt)(?:\.?\s*%|_pct)?(?!\w)"
_BASIS = re.compile(rf"\s*(?P<basis>{_OF})\s*$")
_TERM = re.compile(
    rf"\s*(?P<sign>[-+]?)\s*(?:(?P<factor>{_UNSIGNED})\s*(?:\*\s*(?=[A-Za-z_]))?)?(?P<name>[A-Za-z_]\w*)?\s*"
)
_IF = re.compile(r"(?:^|\s+)if(?:\s+|$)")
# Not the `and` of `between 5 and 10 at.%`, after whose number the test is over.
_AND = re.compile(rf"\s+and(?:$|\s+(?!{_NUMBER}\s*(?:$|and\b|%|{_OF})))")
_SPELLING = DASHES | str.maketrans({"≤": "<=", "≥": ">=", "×": "*", "·": "*"})

_HOW = (
    "Write it like 'Nb + Ta >= 10', 'Zr / Nb <= 2', 'mo_equivalent_wang between 8 and 25', 'quench is water' or "
    "'solution_temperature_C >= 850 if Mo > 5'."
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a rule may name.

    Parameters
    ----------
    elements : of the space
    numbers : process variables that are numbers
    choices : process variables that are choices, with their choices
    """

    elements: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def listed(self) -> str:
        """All of them in a sentence."""
        return ", ".join((*self.elements, *self.numbers, *self.choices))


def plainly(text: str) -> str:
    """A rule in plain signs and single spaces, however it was typed or pasted.

    >>> plainly("Nb  ≥ 10")
    'Nb >= 10'
    """
    return " ".join(text.translate(_SPELLING).split())


def parse_rule(text: str, names: Names) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text : a test, or `TEST if TEST and TEST …`. A test is `SUM <= number`, `SUM between a and b`, `a <= SUM <= b`,
        `SUM <= SUM`, the same with a ratio `SUM / SUM` or a descriptor in place of the sum, or `CHOICE is [not] value`;
        a SUM is of elements and process variables with numbers before them. `at.%` or `wt.%` at the end of a test says
        the basis of its amounts, where it is not the space's own. `<` and `>` are not met by equality.
    names : the elements and process variables that there are

    Raises
    ------
    AlloyloopError
        for a rule that cannot be read, an unknown name, or bounds that exclude each other

    Examples
    --------
    >>> rule = parse_rule("Nb + 0.5 Ta >= 10 if Mo > 5", Names(("Nb", "Ta", "Mo", "Ti")))
    >>> rule.wanted.terms, rule.given[0].text
    ((('Nb', Fraction(1, 1)), ('Ta', Fraction(1, 2))), 'Mo > 5')
    """
    plain = plainly(text)
    wanted, *rest = _IF.split(plain)
    if len(rest) > 1:
        raise AlloyloopError(f"The rule '{text}' cannot be read: it has more than one 'if'", _HOW)
    given = _AND.split(rest[0]) if rest else []
    return Rule(plain, _test(wanted, plain, names), tuple(_test(part, plain, names) for part in given))


def _test(text: str, rule: str, names: Names) -> Sum | Computed | Is:
    if match := _IS.match(text):
        return _is(text, match, rule, names)
    basis: Basis | None = None
    plain = text
    if match := _BASIS.search(text):
        basis = "at_pct" if match["basis"].startswith("at") else "wt_pct"
        plain = text[: match.start()].strip()
    plain = plain.removesuffix("%").strip()
    if match := _BETWEEN.match(plain):
        left, limits = match["left"], Limits(float(match["low"]), float(match["high"]))
    elif match := _CHAIN.match(plain):
        limits = Limits(float(match["low"]), float(match["high"]), match["first"] == "<", match["second"] == "<")
        left = match["left"]
    elif match := _BOUND.match(plain):
        return _bound(text, match, rule, names, basis)
    else:
        raise AlloyloopError(f"The rule '{rule}' cannot be read at '{text}'", _HOW)
    if limits.low > limits.high or (limits.low == limits.high and (limits.low_open or limits.high_open)):
        raise AlloyloopError(
            f"The rule '{rule}' allows nothing: {limits.low:g} is not below {limits.high:g}", "Swap the two numbers."
        )
    return _bounded(text, left.strip(), limits, rule, names, basis)


def _is(text: str, match: re.Match[str], rule: str, names: Names) -> Is:
    choices = names.choices.get(match["name"])
    if choices is None:
        raise AlloyloopError(
            f"The rule '{rule}' asks what {match['name']} is, which is not a process variable with choices",
            f"There {'is' if names.choices else 'are'} {', '.join(names.choices) or 'none'}.",
        )
    if match["choice"] not in choices:
        raise AlloyloopError(
            f"The rule '{rule}' names {match['choice']!r}, which is not a choice of {match['name']}",
            f"Its choices are {', '.join(choices)}.",
        )
    return Is(text, match["name"], match["choice"], wanted=match["no"] is None)


def _bound(text: str, match: re.Match[str], rule: str, names: Names, basis: Basis | None) -> Sum | Computed | Is:
    """A test of the form `LEFT sign RIGHT`, of which either side may be a number."""
    left, sign, right = match["left"].strip(), match["sign"], match["right"].strip()
    if re.fullmatch(_NUMBER, left):
        left, sign, right = right, {"<": ">", ">": "<", "<=": ">=", ">=": "<="}[sign], left
    choices = names.choices
    if named := next((name for name in (left, right) if name in choices), None):
        raise AlloyloopError(
            f"The rule '{rule}' bounds {named}, whose values are names and not numbers",
            f"Write '{named} is {choices[named][0]}', or '{named} is not {choices[named][0]}'.",
        )
    is_open = sign in "<>"
    if re.fullmatch(_NUMBER, right):
        number = float(right)
        limits = Limits(low=number, low_open=is_open) if ">" in sign else Limits(high=number, high_open=is_open)
        return _bounded(text, left, limits, rule, names, basis)
    if "/" in left or "/" in right:
        raise AlloyloopError(f"The rule '{rule}' compares a ratio with a sum", "Compare a ratio with a number.")
    terms, constant = _sum(left, rule, names)
    others, other_constant = _sum(right, rule, names)
    for name, factor in others.items():
        terms[name] = terms.get(name, Fraction(0)) - factor
    bound = float(other_constant - constant)
    limits = Limits(low=bound, low_open=is_open) if ">" in sign else Limits(high=bound, high_open=is_open)
    return _as_sum(text, terms, {}, limits, rule, names, basis)


def _bounded(text: str, left: str, limits: Limits, rule: str, names: Names, basis: Basis | None) -> Sum | Computed:
    """Limits on a descriptor, a ratio or a sum."""
    if left in DESCRIPTORS and left not in names.numbers:
        if basis is not None:
            raise AlloyloopError(
                f"The rule '{rule}' gives a basis to the descriptor {left}, which has a unit of its own",
                "Take out at or wt.",
            )
        return Computed(text, left, limits)
    above, *below = left.split("/")
    if len(below) > 1:
        raise AlloyloopError(f"The rule '{rule}' divides twice", _HOW)
    terms, constant = _sum(above, rule, names)
    over, divisor = _sum(below[0], rule, names) if below else ({}, Fraction(1))
    if not over:
        if divisor <= 0 or not terms:
            raise AlloyloopError(f"The rule '{rule}' cannot be read at '{left}'", _HOW)
        moved = [
            bound if math.isinf(bound) else float(Fraction(str(bound)) * divisor - constant)
            for bound in (limits.low, limits.high)
        ]
        limits = Limits(moved[0], moved[1], limits.low_open, limits.high_open)
    elif constant or divisor or any(factor <= 0 or name not in names.elements for name, factor in over.items()):
        raise AlloyloopError(
            f"The rule '{rule}' divides by something that may be zero or less",
            "Divide a sum of elements by a sum of elements, as in '(Zr + Sn) / Nb <= 2'.",
        )
    return _as_sum(text, terms, over, limits, rule, names, basis)


def _as_sum(
    text: str,
    terms: dict[str, Fraction],
    over: dict[str, Fraction],
    limits: Limits,
    rule: str,
    names: Names,
    basis: Basis | None,
) -> Sum:
    if basis is not None and (others := [name for name in (*terms, *over) if name not in names.elements]):
        raise AlloyloopError(
            f"The rule '{rule}' gives a basis to {others[0]}, which is not an element", "Take out at or wt."
        )
    return Sum(text, tuple(terms.items()), tuple(over.items()), limits, basis)


def _sum(text: str, rule: str, names: Names) -> tuple[dict[str, Fraction], Fraction]:
    """Factors by name, and the constant, of a sum such as `Nb + 0.5 Ta - 2`."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    terms: dict[str, Fraction] = {}
    constant, position = Fraction(0), 0
    while position < len(text):
        match = _TERM.match(text, position)
        if (
            match is None
            or match.end() == position
            or (position and not match["sign"])
            or not (match["factor"] or match["name"])
        ):
            raise AlloyloopError(f"The rule '{rule}' cannot be read at '{text[position:]}'", _HOW)
        factor = Fraction(match["factor"] or 1) * (-1 if match["sign"] == "-" else 1)
        position = match.end()
        if match["name"] is None:
            constant += factor
            continue
        _refuse_unknown(match["name"], rule, names)
        terms[match["name"]] = terms.get(match["name"], Fraction(0)) + factor
    if not text:
        raise AlloyloopError(f"The rule '{rule}' cannot be read", _HOW)
    return terms, constant


def _refuse_unknown(name: str, rule: str, names: Names) -> None:
    known: Collection[str] = (*names.elements, *names.numbers)
    if name in known:
        return
    if name in DESCRIPTORS:
        raise AlloyloopError(
            f"The rule '{rule}' counts with the descriptor {name}, which must stand alone",
            f"Write it like '{name} >= 10'.",
        )
    if name in names.choices:
        raise AlloyloopError(
            f"The rule '{rule}' counts with {name}, whose values are names and not numbers",
            f"Write it like '{name} is {names.choices[name][0]}'.",
        )
    raise AlloyloopError(
        f"The rule '{rule}' names {name}, which is neither a descriptor, an element of this space nor a process "
        f"variable ({names.listed})",
        "Correct the name; `alloyloop descriptors` lists the descriptors.",
    )
