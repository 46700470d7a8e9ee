"""A part of a design space: elements and process variables held at a value, or kept inside narrower ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from ..surrogates.errors import AlloyloopError
from .lattice import Element, Lattice
from .process import Choice
from .rules import Is, Limits, Rule, Sum
from .space import DesignSpace

Range = tuple[float, float] | tuple[str, ...]
"""Lowest and highest value of an element [%] or a numeric process variable; or the choices that are left."""


def held(space: DesignSpace, ranges: Mapping[str, Range]) -> DesignSpace:
    """The part of a space in which elements and process variables, by name, stay inside ranges.

    Its points are points of the space: made of the same columns, on the same steps, under the same rules.

    Parameters
    ----------
    space : of which it is a part
    ranges : (low, high) of elements, the balance too, in the space's basis [%], and of numeric process variables, both
        ends allowed; of a choice, the choices that are left

    Raises
    ------
    AlloyloopError
        for a name that is not in the space, a choice that there is not, or a range of which the space has nothing

    Examples
    --------
    >>> space = DesignSpace(Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 10, 1)), "Ti"), "at_pct")
    >>> held(space, {"Nb": (20, 30), "Zr": (0, 0)}).count
    11
    """
    variables = {variable.name: variable for variable in space.process}
    for name in ranges:
        if name not in (*space.elements, *variables):
            raise AlloyloopError(f"{name} is not in this space", f"It has {', '.join((*space.elements, *variables))}.")
    rules: list[Rule] = []
    amounts: dict[str, tuple[float, float]] = {}
    for name, kept in ranges.items():
        variable = variables.get(name)
        if isinstance(variable, Choice):
            rules += _not_chosen(variable, kept)
            continue
        low, high = _numbers(name, kept)
        if name in variables:
            rules.append(_between(name, low, high))
        else:
            amounts[name] = (low, high)
    lattice = space.lattice
    if amounts and lattice is not None:
        lattice = _narrower(lattice, amounts)
    else:
        rules += [_between(name, low, high) for name, (low, high) in amounts.items()]
    part = replace(space, lattice=lattice, rules=(*space.rules, *rules))
    if part.count == 0:
        said = ", ".join(f"{name} {range_in_words(kept)}" for name, kept in ranges.items())
        raise AlloyloopError(f"The space has no design with {said}", "Widen a range, or leave one out.")
    return part


def _numbers(name: str, kept: Range) -> tuple[float, float]:
    if len(kept) == 2 and not isinstance(kept[0], str) and not isinstance(kept[1], str):
        return float(kept[0]), float(kept[1])
    said = range_in_words(kept)
    raise AlloyloopError(f"{name} is a number, and is to be {said}", "Give its lowest and its highest value.")


def range_in_words(kept: Range) -> str:
    """A range or the choices that are left, in words.

    >>> range_in_words((20.0, 30.5)), range_in_words(("water", "air"))
    ('20 to 30.5', 'water or air')
    """
    if len(kept) == 2 and not isinstance(kept[0], str):
        return f"{kept[0]:g}" if kept[0] == kept[1] else f"{kept[0]:g} to {kept[1]:g}"
    return " or ".join(map(str, kept))


def _not_chosen(variable: Choice, kept: Range) -> list[Rule]:
    for choice in kept:
        if choice not in variable.choices:
            raise AlloyloopError(
                f"{variable.name} has no choice {choice}", f"Its choices are {', '.join(variable.choices)}."
            )
    text = f"{variable.name} is {range_in_words(kept)}"
    return [Rule(text, Is(text, variable.name, other, wanted=False)) for other in variable.choices if other not in kept]


def _between(name: str, low: float, high: float) -> Rule:
    text = f"{name} is {range_in_words((low, high))}"
    return Rule(text, Sum(text, ((name, Fraction(1)),), (), Limits(low, high)))


def _narrower(lattice: Lattice, amounts: Mapping[str, tuple[float, float]]) -> Lattice:
    """A lattice with narrower bounds, and the same steps."""

    def inside(name: str, low: float, high: float) -> tuple[float, float]:
        asked = amounts.get(name, (low, high))
        if max(asked[0], low) > min(asked[1], high):
            raise AlloyloopError(
                f"{name} is to be {range_in_words(asked)} %, and the space has it from {low:g} to {high:g} %",
                f"Give amounts of {name} that the space has, or widen its bounds.",
            )
        return max(asked[0], low), min(asked[1], high)

    elements = tuple(
        Element(each.symbol, *inside(each.symbol, each.low, each.high), each.step) for each in lattice.elements
    )
    low, high = inside(lattice.balance, lattice.balance_low, lattice.balance_high)
    return replace(lattice, elements=elements, balance_low=low, balance_high=high)
