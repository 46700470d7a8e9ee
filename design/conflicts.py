"""Which bounds and rules of a space exclude each other, and which exclude nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .lattice import CountLimit, Lattice, exact
from .milp import Alternatives
from .process import MOST_LEVELS, Choice, Numeric
from .program import Program
from .rules import Designs, Is, Rule, Sum
from .space import DesignSpace

# Designs that are drawn where rules are curved; a space that holds no more is listed whole.
N_DRAWN = 20_000
# Of those, the ones that come nearest to keeping every rule are followed from neighbour to neighbour.
N_FOLLOWED = 4
# A range that is left out reaches so many times as far as the rules of its variable could ask alone.
_FAR = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a space that a person wrote: the bounds of an element or a process variable, a limit or a rule.

    Parameters
    ----------
    text : it in words, with its numbers
    keys : where it stands: ("elements", "Nb") or ("rules", 2) in the composition of campaign.yaml, ("process", name)
    proved : whether what is said of it is proved; else many draws say so
    """

    text: str
    keys: tuple[str | int, ...]
    proved: bool = True


def conflicts(space: DesignSpace) -> tuple[Part, ...]:
    """Parts of a space that cannot all hold; without any one of them, the others can.

    The parts are halved until each is found to be needed or not [QuickXplain: Junker, Proc. AAAI (2004) 167]. Whether
    there is a design is decided by a mixed-integer linear program or, where a rule is curved and the space large, by
    drawing and following.

    Returns
    -------
    Empty where there is a design. Not `proved` where draws decided: there may then be one that none came upon.

    Examples
    --------
    >>> from .lattice import Element
    >>> from .rules import Names, parse_rule
    >>> lattice = Lattice((Element("Nb", 0, 40, 1), Element("Ta", 0, 20, 1)), "Ti", 50)
    >>> rules = tuple(parse_rule(text, Names(lattice.symbols)) for text in ("Nb + Ta >= 55", "Ta <= 5"))
    >>> [part.text for part in conflicts(DesignSpace(lattice, "wt_pct", rules=rules))]
    ['Ti 50 to 100 %', 'Nb + Ta >= 55']
    """
    pieces = list(_pieces(space))
    if not pieces or _has_design(space)[0]:
        return ()

    def has_design(kept: Sequence[_Piece]) -> bool:
        return _has_design(_with_only(space, pieces, kept))[0]

    needed = _excluding(has_design, pieces[::-1], ())
    _, proved = _has_design(_with_only(space, pieces, needed))
    return tuple(replace(piece.part, proved=proved) for piece in pieces if piece in needed)


def _excluding(
    has_design: Callable[[Sequence[_Piece]], bool],
    pieces: Sequence[_Piece],
    kept: Sequence[_Piece],
    *,
    changed: bool = False,
) -> list[_Piece]:
    """Of some pieces, those that leave no design beside others, kept, and each of which is needed for that.

    Parameters
    ----------
    changed : whether more are kept than when it was last asked whether they alone leave a design
    """
    if changed and not has_design(kept):
        return []
    if len(pieces) == 1:
        return list(pieces)
    half = len(pieces) // 2
    second = _excluding(has_design, pieces[half:], (*kept, *pieces[:half]), changed=True)
    first = _excluding(has_design, pieces[:half], (*kept, *second), changed=bool(second))
    return [*first, *second]


def _with_only(space: DesignSpace, pieces: Sequence[_Piece], kept: Sequence[_Piece]) -> DesignSpace:
    """A space without all of its pieces but some."""
    for piece in pieces:
        if piece not in kept:
            space = piece.left_out(space)
    return space


def always_true(space: DesignSpace) -> tuple[Part, ...]:
    """Rules, limits on the elements present, and `present_above`, that exclude nothing that the rest allows.

    All that are named can be left out together: of two that say the same, it is the later one. A design that keeps the
    rest and breaks a part is sought by a mixed-integer linear program; for a curved rule among draws: it is not
    `proved` then, since such a design may only be rare. What is idle only because of a curved rule is not named.

    Returns
    -------
    Empty too where the space holds no design

    Examples
    --------
    >>> from .lattice import Element
    >>> from .rules import Names, parse_rule
    >>> lattice = Lattice((Element("Nb", 0, 40, 1), Element("Ta", 0, 20, 1)), "Ti")
    >>> rules = tuple(parse_rule(text, Names(lattice.symbols)) for text in ("Nb <= 30", "Ti >= 40", "vec <= 4.7"))
    >>> [part.text for part in always_true(DesignSpace(lattice, "wt_pct", rules=rules))]
    ['Ti >= 40', 'vec <= 4.7']
    """
    if not _has_design(space)[0]:
        return ()
    draws = _Draws.of(space) if Program.of(space).curved else None
    idle: list[Part] = []
    for piece in reversed(list(_pieces(space))):
        if piece.broken is None:
            continue
        without = piece.left_out(space)
        program = Program.of(without, with_presence=True)
        broken = piece.broken(program)
        if broken is not None:
            solution = program.solve(also=(broken,))
            part, is_idle = piece.part, solution.point is None and solution.proved
        elif draws is not None and piece.rule is not None:
            part, is_idle = replace(piece.part, proved=draws.whole), draws.never_break(piece.rule, without)
        else:
            continue
        if is_idle:
            idle.append(part)
            space = without
    return tuple(reversed(idle))


# -- whether there is a design ----------------------------------------------------------------------------------------


def _has_design(space: DesignSpace) -> tuple[bool, bool]:
    """Whether a space holds a design, and whether that is proved."""
    program = Program.of(space)
    solution = program.solve()
    if solution.point is None:
        if solution.proved or not program.curved:
            return False, solution.proved
    elif all(rule.holds(space.designs(solution.point[None]))[0] for rule in program.curved):
        return True, True
    return _drawn(replace(space, rules=tuple(r for r in space.rules if r not in program.curved)), program.curved)


def _drawn(space: DesignSpace, curved: Sequence[Rule]) -> tuple[bool, bool]:
    """Whether a space holds a design that keeps curved rules as well, by drawing; and whether that is proved."""
    draws = _Draws.of(space)
    rules = (*curved, *space.asked)
    if len(draws.points) == 0 or draws.keep(rules).any():
        return len(draws.points) > 0, True
    if draws.whole:
        return False, True
    scales = [np.nanstd(short, where=np.isfinite(short)) for short in _shortfalls(rules, draws.designs)]

    def short_of(points: IntArray) -> FloatArray:
        shortfalls = _shortfalls(rules, space.designs(points))
        return np.asarray(sum(short / (scale or 1.0) for short, scale in zip(shortfalls, scales, strict=True)))

    shortfall = short_of(draws.points)
    for point in draws.points[np.argsort(shortfall, kind="stable")[:N_FOLLOWED]]:
        if _followed(space, point, short_of):
            return True, True
    return False, False


def _followed(space: DesignSpace, point: IntArray, short_of: Callable[[IntArray], FloatArray]) -> bool:
    """Whether going from neighbour to neighbour, each with a smaller shortfall, ends where there is none."""
    least = inf
    while len(around := space.neighbours(point)):
        shortfall = short_of(around)
        if shortfall.min() >= least:
            return False
        least = float(shortfall.min())
        if least == 0:
            return True
        point = around[int(shortfall.argmin())]
    return False


def _shortfalls(rules: Sequence[Rule], designs: Designs) -> list[FloatArray]:
    """For each rule, by how much its quantity is outside its limits: 0 where it is kept, infinite where not known."""
    shortfalls = []
    for rule in rules:
        if isinstance(rule.wanted, Is):
            off = np.ones(len(designs))
        else:
            quantity = np.asarray(rule.quantity(designs), dtype=np.float64)
            off = np.maximum(rule.wanted.limits.low - quantity, quantity - rule.wanted.limits.high)
        shortfalls.append(np.where(rule.holds(designs), 0.0, np.nan_to_num(off, nan=inf, posinf=inf)))
    return shortfalls


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Points of a space that keep all of its rules but those that are asked.

    Parameters
    ----------
    points : (n, d)
    designs : the same as rules see them
    whole : whether these are all that there are
    """

    points: IntArray
    designs: Designs
    whole: bool

    @staticmethod
    def of(space: DesignSpace) -> _Draws:
        whole = space.count <= N_DRAWN
        points = space.between(0, space.count) if whole else space.diagram.sample(N_DRAWN, np.random.default_rng(0))
        return _Draws(points, space.designs(points), whole)

    def keep(self, rules: Sequence[Rule]) -> NDArray[np.bool_]:
        """Which of them keep some rules. (n,)"""
        kept = np.ones(len(self.points), dtype=bool)
        for rule in rules:
            kept &= rule.holds(self.designs)
        return kept

    def never_break(self, rule: Rule, without: DesignSpace) -> bool:
        """Whether those that keep all that is curved in a space without a rule keep that rule, and there are some."""
        kept = self.keep((*without.rules, *without.policy_limits))
        return bool(kept.any() and rule.holds(self.designs)[kept].all())


# -- the parts of a space ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A part, and how a space is without it.

    Parameters
    ----------
    part : the part
    left_out : of a space, that without it
    broken : what a design keeps that breaks it, or None where that is curved; None of parts that are allowed to be idle
    rule : itself, if it is a rule of the space
    """

    part: Part
    left_out: Callable[[DesignSpace], DesignSpace]
    broken: Callable[[Program], Alternatives | None] | None = None
    rule: Rule | None = None


def _pieces(space: DesignSpace) -> Iterator[_Piece]:
    """All parts; those first that are best left out, since the others explain a conflict better."""
    for variable in space.process:
        if _is_bound(space, variable):
            yield _Piece(
                Part(_range_text(variable), ("process", variable.name)), partial(_without_range, variable=variable)
            )
    if space.lattice is not None:
        yield from _of_lattice(space.lattice)
    for limit in space.policy_limits:
        yield _Piece(Part(limit.text, ("policy",)), partial(_without_policy_limit, limit=limit))
    for i, rule in enumerate(space.rules):
        yield _Piece(
            Part(rule.text, ("rules", i)),
            partial(_without_rule, rule=rule),
            partial(_broken, rule=rule),
            rule,
        )


def _of_lattice(lattice: Lattice) -> Iterator[_Piece]:
    for element in lattice.elements:
        if element.low > 0 or element.high < 100:
            text = f"{element.symbol} {element.low:g} to {element.high:g} %"
            yield _Piece(Part(text, ("elements", element.symbol)), partial(_without_bounds, symbol=element.symbol))
    if lattice.balance_low > 0 or lattice.balance_high < 100:
        text = f"{lattice.balance} {lattice.balance_low:g} to {lattice.balance_high:g} %"
        yield _Piece(Part(text, ("elements", lattice.balance)), partial(_changed, balance_low=0.0, balance_high=100.0))
    if lattice.present_above > 0:
        text = f"what is present is at least {lattice.present_above:g} %"
        least = lattice.least_present
        yield _Piece(
            Part(text, ("present_above",)),
            partial(_changed, present_above=0.0),
            lambda program: program.short_of(least),
        )
    for limit in lattice.limits:
        keys = (limit.name,) if limit.name in ("min_elements", "max_elements") else ("groups", limit.name)
        yield _Piece(
            Part(f"{limit.name}: {limit.text}", keys),
            partial(_without_limit, limit=limit),
            partial(_outside, limit=limit),
        )


def _broken(program: Program, *, rule: Rule) -> Alternatives | None:
    return program.broken(rule)


def _outside(program: Program, *, limit: CountLimit) -> Alternatives:
    return tuple((row.opposite,) for row in program.counted(limit))


def _without_rule(space: DesignSpace, *, rule: Rule) -> DesignSpace:
    return replace(space, rules=tuple(other for other in space.rules if other is not rule))


def _without_policy_limit(space: DesignSpace, *, limit: Rule) -> DesignSpace:
    if space.policy is None or not isinstance(limit.wanted, Sum):
        return space
    others = tuple(said for said in space.policy.rules if said.element not in limit.wanted.names)
    return replace(space, policy=replace(space.policy, rules=others))


def _changed(space: DesignSpace, **changes: Any) -> DesignSpace:
    """A space with another lattice."""
    return space if space.lattice is None else replace(space, lattice=replace(space.lattice, **changes))


def _without_limit(space: DesignSpace, *, limit: CountLimit) -> DesignSpace:
    limits = space.lattice.limits if space.lattice is not None else ()
    return _changed(space, limits=tuple(other for other in limits if other is not limit))


def _without_bounds(space: DesignSpace, *, symbol: str) -> DesignSpace:
    elements = space.lattice.elements if space.lattice is not None else ()
    return _changed(
        space,
        elements=tuple(replace(each, low=0.0, high=100.0) if each.symbol == symbol else each for each in elements),
    )


def _is_bound(space: DesignSpace, variable: Numeric | Choice) -> bool:
    """Whether a process variable has a range of its own, and a rule speaks of it."""
    tabled = space.candidates is not None and variable.name in space.candidates.process
    tests = [test for rule in space.rules for test in (rule.wanted, *rule.given)]
    return not tabled and any(
        variable.name in test.names if isinstance(test, Sum) else variable.name == test.name for test in tests
    )


def _range_text(variable: Numeric | Choice) -> str:
    if isinstance(variable, Choice):
        return f"{variable.name} is {' or '.join(variable.choices)}"
    return f"{variable.name} {variable.low:g} to {variable.high:g}"


def _without_range(space: DesignSpace, *, variable: Numeric | Choice) -> DesignSpace:
    """A space in which a number may be far below and above its range, on its step, and a choice may be another."""
    if isinstance(variable, Choice):
        wider: Numeric | Choice = Choice(variable.name, (*variable.choices, "/".join(variable.choices)))
    else:
        reach = exact(_FAR * max([variable.high - variable.low, *_reaches(space, variable.name)]))
        step = variable.spacing * max(1, ceil(2 * reach / variable.spacing / (MOST_LEVELS - 2)))
        far = ceil(reach / step) * step
        low = exact(variable.low)
        wider = Numeric(variable.name, float(low - far), float(low + far), float(step))
    return replace(space, process=tuple(wider if each.name == variable.name else each for each in space.process))


def _reaches(space: DesignSpace, name: str) -> Iterator[float]:
    """How far from zero each inequality that speaks of a process variable could ask it to be."""
    sizes = dict.fromkeys(space.elements, 100.0)
    sizes |= {each.name: max(abs(each.low), abs(each.high)) for each in space.process if isinstance(each, Numeric)}
    for test in (test for rule in space.rules for test in (rule.wanted, *rule.given) if isinstance(test, Sum)):
        for factors, most, _ in test.at_most():
            if factors.get(name):
                others = sum(abs(float(factor)) * sizes[other] for other, factor in factors.items() if other != name)
                yield (abs(float(most)) + others) / abs(float(factors[name]))
