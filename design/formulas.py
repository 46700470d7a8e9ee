"""Formulas: features that a person writes down, such as `Nb / Zr` or `laser_power_W / (scan_speed * hatch_spacing)`.

A formula is read by Python's grammar, and of that only numbers, names, + - * / ** and the functions of `FUNCTIONS` are
let through, as values of our own: nothing of it is ever run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, reduce
from math import isfinite
from typing import Any
from unicodedata import normalize

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .composition import Basis
from .descriptors import DESCRIPTORS
from .rules import Names, plainly

Values = Callable[[str], FloatArray]
"""The (n,) values of a name in n alloys."""

# Longer ones are no formula that anybody reads, and could be nested more deeply than Python reads itself.
MOST_SIGNS = 200

_HOW = "Write it like 'Nb / Zr', 'mo_equivalent_wang * Sn', 'log(Nb + 1)' or 'grain_size_um ** -0.5'."


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Nothing in nothing is 0: of an alloy without Zr and Nb, the share Zr / (Zr + Nb) says that there is no Zr."""
    return np.where((above == 0) & (below == 0), 0.0, np.divide(above, below))


FUNCTIONS: dict[str, Callable[..., Any]] = {"log": np.log, "sqrt": np.sqrt, "exp": np.exp, "abs": np.abs}
"""Functions of one number; `log` is the natural logarithm."""
_OF_MANY: dict[str, Callable[..., Any]] = {"min": np.minimum, "max": np.maximum}
_SIGNS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: _ratio,
    ast.Pow: np.power,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}


@dataclass(frozen=True, slots=True)
class _Applied:
    """A function of parts, or of two after another where there are more than it takes."""

    function: Callable[..., Any]
    parts: tuple[_Part, ...]


_Part = float | str | _Applied


@dataclass(frozen=True, slots=True)
class Formula:
    """A number computed from what is known of an alloy; made by `parse_formula`, which checks its names.

    Parameters
    ----------
    text : as it is written
    basis : of the amounts that element symbols stand for [%]

    Raises
    ------
    AlloyloopError
        for a text that cannot be read

    Examples
    --------
    >>> ratio = Formula("Zr / Nb")
    >>> ratio.names
    ('Zr', 'Nb')
    >>> ratio.values({"Zr": np.array([5.0, 0.0, 5.0]), "Nb": np.array([20.0, 0.0, 0.0])}.__getitem__)
    array([0.25, 0.  ,  nan])
    """

    text: str
    basis: Basis = "at_pct"

    def __post_init__(self) -> None:
        if not self.names:
            raise AlloyloopError(f"'{self.text}' is the same number for every alloy", _HOW)

    @property
    def names(self) -> tuple[str, ...]:
        """What it names, each once, in the order in which it does."""
        return tuple(dict.fromkeys(_names(_read(self.text))))

    def values(self, of: Values) -> FloatArray:
        """Compute it; NaN where what it names is not known, and where it divides something by nothing or is infinite.

        Parameters
        ----------
        of : gives the (n,) values of a name
        """
        with np.errstate(all="ignore"):
            values = np.asarray(_value(_read(self.text), of), dtype=np.float64)
        return np.where(np.isfinite(values), values, np.nan)


def parse_formula(text: str, names: Names, columns: Collection[str] = (), basis: Basis = "at_pct") -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : of numbers, names, + - * / ** (or ^), brackets, and log, sqrt, exp, abs, min and max
    names : the elements, process variables and conditions that there are
    columns : names of further numbers that are known of some alloys
    basis : of the amounts that element symbols stand for

    Raises
    ------
    AlloyloopError
        for a formula that cannot be read, or a name that is none of these and no descriptor

    Examples
    --------
    >>> parse_formula("Nb − 2·Zr", Names(("Nb", "Zr", "Ti")))
    Formula(text='Nb - 2*Zr', basis='at_pct')
    """
    formula = Formula(plainly(text).replace("^", "**"), basis)
    descriptors = tuple(DESCRIPTORS) if names.elements else ()
    known = {spelled(name) for name in (*names.elements, *names.numbers, *descriptors, *columns)}
    for name in formula.names:
        if name in map(spelled, names.choices):
            raise AlloyloopError(
                f"'{text}' counts with {name}, whose values are names and not numbers", "Take it out of the formula."
            )
        if name not in known:
            alike = get_close_matches(name, known, n=1)
            whole = f"'{name}'" if name == formula.text else f"'{text}' names {name}, which"
            raise AlloyloopError(
                f"{whole} is neither a descriptor, an element of this space, a process variable or condition "
                f"({names.listed}) nor a column of numbers",
                f"Did you mean {alike[0]}?" if alike else "Correct it; `alloyloop descriptors` lists the descriptors.",
            )
    return formula


def spelled(name: str) -> str:
    """A name as Python's grammar spells it: of two signs that look alike, such as the two µ, always the same one."""
    return normalize("NFKC", name)


@lru_cache(maxsize=1024)
def _read(text: str) -> _Part:
    """What a formula says."""
    if len(text) > MOST_SIGNS:
        raise AlloyloopError(f"The formula '{text[:40]} …' is longer than {MOST_SIGNS} signs", "Write it shorter.")
    try:
        return _part(ast.parse(text.strip(), mode="eval").body, text)
    except (SyntaxError, ValueError, MemoryError) as error:  # of brackets nested too deeply it says MemoryError
        raise AlloyloopError(f"The formula '{text}' cannot be read", _HOW) from error


def _part(node: ast.AST, text: str) -> _Part:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and isfinite(number):
            return float(number)
        case ast.Name(id=name):
            return name
        case ast.UnaryOp(op=sign, operand=one) if type(sign) in _SIGNS:
            return _Applied(_SIGNS[type(sign)], (_part(one, text),))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            return _Applied(_SIGNS[type(sign)], (_part(left, text), _part(right, text)))
        case ast.Call(func=ast.Name(id=name), args=[one], keywords=[]) if name in FUNCTIONS:
            return _Applied(FUNCTIONS[name], (_part(one, text),))
        case ast.Call(func=ast.Name(id=name), args=[_, _, *_] as several, keywords=[]) if name in _OF_MANY:
            return _Applied(_OF_MANY[name], tuple(_part(one, text) for one in several))
        case _:
            raise AlloyloopError(f"The formula '{text}' cannot be read at '{ast.unparse(node)}'", _HOW)


def _value(part: _Part, of: Values) -> FloatArray:
    if isinstance(part, str):
        return of(part)
    if isinstance(part, _Applied):
        first, *others = (_value(one, of) for one in part.parts)
        return np.asarray(reduce(part.function, others, first) if others else part.function(first))
    return np.asarray(part, dtype=np.float64)


def _names(part: _Part) -> list[str]:
    if isinstance(part, _Applied):
        return [name for one in part.parts for name in _names(one)]
    return [part] if isinstance(part, str) else []
