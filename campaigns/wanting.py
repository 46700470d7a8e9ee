"""What a person wants, in words or in Python, as wants of the floor below; and what is fixed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import inf, isfinite
from typing import Any, TypeAlias

import numpy as np

from ..design.computed import MELT_COST, computed
from ..design.descriptors import DESCRIPTORS
from ..design.formulas import Formula
from ..design.goals import Is, Match, Maximize, Minimize, Report, Within
from ..design.held import Range
from ..design.process import Choice
from ..design.rules import plainly
from ..design.space import DesignSpace
from ..design.wants import Want
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .headers import quantity_header, unit_of
from .reading import listed
from .snapshot import BoolArray, Snapshot
from .units import converted, split_unit

WantedGoal: TypeAlias = Within | Is | Minimize | Maximize
Value: TypeAlias = str | tuple[float | None, float | None] | WantedGoal | Match
Wishes: TypeAlias = str | Want | Sequence[str | Want] | Mapping[str, Value]
"""Wants as Python takes them: words, a list of them, or by name ranges, words, classes and goals."""
Held: TypeAlias = Sequence[str] | Mapping[str, float | str | Sequence[float | str]]
"""What is held, as Python takes it: words, or by name a value, (low, high) or choices."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_UNIT = r"(?:\s+(?P<unit>[^\d\s].*))?$"
_LEFT, _LOW, _HIGH = r"(?P<left>.+?)", rf"(?P<low>{_NUMBER})", rf"(?P<high>{_NUMBER})"
_ABOVE, _BELOW = r">=|>|above|over|more than|at least", r"<=|<|below|under|less than|at most"
_IS = r"(?:\s+is)?"
# Of each form of words what it is called here; the first that fits is meant.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("extreme", re.compile(r"^(?P<way>maximi[sz]e|minimi[sz]e)\s+(?P<left>.+)$")),
    ("extreme", re.compile(rf"^{_LEFT}{_IS}\s+as\s+(?P<way>high|low)\s+as\s+possible$")),
    ("range", re.compile(rf"^{_LEFT}{_IS}\s+between\s+{_LOW}\s+and\s+{_HIGH}{_UNIT}")),
    ("range", re.compile(rf"^{_LEFT}{_IS}\s+(?:in|within|from)\s+\[?{_LOW}\s*(?:\.\.+|,|to)\s*{_HIGH}\]?{_UNIT}")),
    ("range", re.compile(rf"^{_LOW}\s*<=?\s*{_LEFT}\s*<=?\s*{_HIGH}{_UNIT}")),
    ("near", re.compile(rf"^{_LEFT}\s*(?:=|\s+is\s)\s*(?P<middle>{_NUMBER})\s*\+/?-\s*(?P<off>{_NUMBER}){_UNIT}")),
    ("range", re.compile(rf"^{_LEFT}{_IS}\s*(?:{_ABOVE})\s*{_LOW}{_UNIT}")),
    ("range", re.compile(rf"^{_LEFT}{_IS}\s*(?:{_BELOW})\s*{_HIGH}{_UNIT}")),
    ("exact", re.compile(rf"^{_LEFT}\s*(?:=|\s+is\s)\s*(?P<middle>{_NUMBER}){_UNIT}")),
    ("class", re.compile(r"^(?P<left>\w+)(?:\s+is\s+|\s*=\s*)(?P<label>.+)$")),
)
_HOW = (
    "Write it like 'youngs_modulus_GPa between 48 and 52', 'yield_strength_MPa above 500', "
    "'youngs_modulus_GPa = 50 +- 2', 'phases is beta', 'maximize yield_strength_MPa' or "
    "'yield_strength_MPa / youngs_modulus_GPa above 8'."
)
_HOW_FIXED = "Write it like Ta=0, Nb=20..30 or quench=water, a name of this space first."
# A sign that is used in words of ranges and is no part of names or numbers.
_SPELLING = str.maketrans({"±": "+-", "…": ".."})


def wants_of(snapshot: Snapshot, wishes: Wishes | None = None) -> tuple[Want, ...]:
    """What is wanted: what is said, or else the campaign's own goals.

    Parameters
    ----------
    wishes : words such as `youngs_modulus_GPa between 48 and 52`, or a list of them; or by property (low, high), of
        which one may be None, words such as `>= 500` or `maximize`, the name of a class, or a goal

    Raises
    ------
    AlloyloopError
        for words that cannot be read, a name of which nothing is known, a unit that is another, or nothing wanted
    """
    if isinstance(wishes, str | Want):
        wishes = [wishes]
    if wishes is None:
        wants = _own(snapshot)
    elif isinstance(wishes, Mapping):
        wants = tuple(_named(snapshot, name, value) for name, value in wishes.items())
    else:
        wants = tuple(each if isinstance(each, Want) else want_in_words(snapshot, each) for each in wishes)
    if not wants:
        raise AlloyloopError("Nothing is wanted", _HOW)
    return tuple({want.words: want for want in wants}.values())


def want_in_words(snapshot: Snapshot, words: str) -> Want:
    """One want, as a person says it.

    Parameters
    ----------
    words : of a property, a descriptor, `melt_cost` or a formula of them: `… between A and B`, `… in A..B`,
        `… above A`, `… <= B`, `… = A +- B`, `maximize …`, `minimize …`; of a property that has classes `… is CLASS`
    """
    plain = plainly(words.translate(_SPELLING))
    form, said = _read(plain)
    name = said["left"].strip()
    if form == "class" or (form == "exact" and name in snapshot.class_goals):
        return _of_class(snapshot, name, (said.get("label") or said["middle"]).strip("'\""))
    if form == "extreme":
        return _want(snapshot, name, Maximize() if said["way"][:2] in ("ma", "hi") else Minimize())
    if form == "exact":
        _unit_of(snapshot, name, (float(said["middle"]),), said["unit"])
        raise AlloyloopError(
            f"'{plain}' would be met by no measurement: none is exactly that",
            f"Say how near, as in '{name} = {said['middle']} +- 2'.",
        )
    if form == "near":
        middle, off = float(said["middle"]), abs(float(said["off"]))
        low, high = middle - off, middle + off
    else:
        low, high = float(said.get("low") or -inf), float(said.get("high") or inf)
    _unit_of(snapshot, name, tuple(filter(isfinite, (low, high))), said["unit"])
    return _want(snapshot, name, Within(low, high))


def _read(plain: str) -> tuple[str, dict[str, Any]]:
    """The form that some words have, and its parts by name; those that are not said are None or missing."""
    for form, pattern in _FORMS:
        if match := pattern.match(plain):
            return form, match.groupdict()
    raise AlloyloopError(f"'{plain}' cannot be read as something wanted", _HOW)


def in_words(name: str, goal: WantedGoal) -> str:
    """A want as words that `want_in_words` reads again.

    Examples
    --------
    >>> in_words("youngs_modulus_GPa", Within(48, 52)), in_words("phases", Is("beta")), in_words("vec", Maximize())
    ('youngs_modulus_GPa between 48 and 52', 'phases is beta', 'maximize vec')
    """
    if isinstance(goal, Within):
        low, high = f"{goal.low:.10g}", f"{goal.high:.10g}"
        if goal.low == -inf:
            return f"{name} below {high}"
        return f"{name} above {low}" if goal.high == inf else f"{name} between {low} and {high}"
    if isinstance(goal, Is):
        return f"{name} is {goal.label}"
    return f"{'maximize' if isinstance(goal, Maximize) else 'minimize'} {name}"


def fixed_of(space: DesignSpace, held: Held) -> dict[str, Range]:
    """What is held, as ranges of the floor below: from words such as `Ta=0`, `Nb=20..30` and `quench=water,air`.

    Parameters
    ----------
    held : such words, or by name a value, (low, high), or choices

    Examples
    --------
    >>> from alloyloop.design import Choice, DesignSpace
    >>> space = DesignSpace(None, "wt_pct", (Choice("quench", ("water", "air", "furnace")),))
    >>> fixed_of(space, ["Ta=0", "Nb = 20..30", "quench=water,air"])
    {'Ta': (0.0, 0.0), 'Nb': (20.0, 30.0), 'quench': ('water', 'air')}
    >>> fixed_of(space, {"Ta": 0, "Nb": (20, 30)})
    {'Ta': (0.0, 0.0), 'Nb': (20.0, 30.0)}
    """
    if isinstance(held, Mapping):
        held = [f"{name}={_as_word(value)}" for name, value in held.items()]
    choices = {variable.name for variable in space.process if isinstance(variable, Choice)}
    ranges: dict[str, Range] = {}
    for text in held:
        name, sign, said = (part.strip() for part in plainly(text.translate(_SPELLING)).partition("="))
        if not (name and sign and said):
            raise AlloyloopError(f"'{text}' fixes nothing", _HOW_FIXED)
        if name in ranges:
            raise AlloyloopError(f"{name} is fixed twice", "Fix it once.")
        ranges[name] = _range(name, said, name in choices)
    return ranges


def _range(name: str, said: str, is_choice: bool) -> Range:
    """Between what something is held, as it is said."""
    if is_choice:
        return tuple(part.strip() for part in said.split(","))
    if match := re.fullmatch(rf"({_NUMBER})\s*(?:\.\.+|to)\s*({_NUMBER})", said):
        return float(match[1]), float(match[2])
    if not re.fullmatch(_NUMBER, said):
        raise AlloyloopError(f"{name} cannot be fixed at '{said}'", _HOW_FIXED)
    return float(said), float(said)


def _as_word(value: float | str | Sequence[float | str]) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value)
    return (".." if not isinstance(value[0], str) else ",").join(map(str, value))


def beyond_measured(snapshot: Snapshot, wants: Sequence[Want]) -> tuple[str, ...]:
    """A remark on every want that lies outside all that was measured, or asks for a class that no row is of."""
    remarks = []
    for want in wants:
        if isinstance(want.goal, Is):
            found = snapshot.is_of(want.names[0], want.goal.label)[snapshot.known]
            if not (found == 1).any():
                remarks.append(f"No row was found to be {want.goal.label}: what {want.names[0]} would be is a guess.")
        if not isinstance(want.goal, Within):
            continue
        values = measured_of(snapshot, want)
        if len(values) and not (values.min() <= want.goal.high and values.max() >= want.goal.low):
            side = "below" if want.goal.high < values.min() else "above"
            remarks.append(
                f"'{want.words}' lies {side} all {len(values)} rows of the table, {values.min():.4g} to "
                f"{values.max():.4g}: what is said of it reaches beyond the data."
            )
    return tuple(remarks)


def was_met(snapshot: Snapshot, wants: Sequence[Want]) -> BoolArray:
    """(n,) Whether what was measured of each row meets every limit and class; not where one is not known."""
    met = snapshot.known.copy()
    for want in wants:
        if isinstance(want.goal, Is):
            met &= snapshot.is_of(want.names[0], want.goal.label) == 1
        elif isinstance(want.goal, Within):
            met &= want.goal.allows(_numbers(snapshot, want))
    return met


def measured_of(snapshot: Snapshot, want: Want) -> FloatArray:
    """(n,) What the known rows have of a number that is wanted, where it is known."""
    values = _numbers(snapshot, want)
    return np.asarray(values[snapshot.known & np.isfinite(values)])


def _numbers(snapshot: Snapshot, want: Want) -> FloatArray:
    """(n,) What each row has of a number that is wanted; NaN where it is not known."""
    if want.formula is not None:
        return want.formula.values(lambda name: _column(snapshot, name))
    return _column(snapshot, want.names[0])


def _column(snapshot: Snapshot, name: str) -> FloatArray:
    if name in snapshot.learned:
        return np.where(snapshot.with_value(name), snapshot.values(name), np.nan)
    return computed(name, snapshot.cost).of(snapshot.alloys())


def _own(snapshot: Snapshot) -> tuple[Want, ...]:
    """The campaign's own goals; what is brought to a target is wanted within its tolerance."""
    wants = []
    for name, goal in {**snapshot.goals, **snapshot.class_goals}.items():
        if not isinstance(goal, Report):
            meant = goal.limit if isinstance(goal, Match) else goal
            wants.append(Want(in_words(name, meant), (name,), meant))
    if not wants:
        raise AlloyloopError("campaign.yaml only reports its properties, so that nothing is wanted of any alloy", _HOW)
    return tuple(wants)


def _named(snapshot: Snapshot, name: str, value: Value) -> Want:
    """A want given by name."""
    match value:
        case Is():
            return _of_class(snapshot, name, value.label)
        case Match():
            return _want(snapshot, name, value.limit)
        case Within() | Minimize() | Maximize():
            return _want(snapshot, name, value)
        case (low, high):
            ends = (-inf if low is None else float(low), inf if high is None else float(high))
            return _want(snapshot, name, Within(*ends))
        case str() if re.fullmatch(r"maximi[sz]e|minimi[sz]e", value.strip()):
            return want_in_words(snapshot, f"{value.strip()} {name}")
        case str() if name in snapshot.class_goals:
            return _of_class(snapshot, name, value.strip())
        case str():
            return want_in_words(snapshot, f"{name} {value}")
    raise AlloyloopError(f"{value!r} says nothing that could be wanted of {name}", "Give (low, high), words or a goal.")


def _of_class(snapshot: Snapshot, name: str, label: str) -> Want:
    classes = tuple(snapshot.table.layout.classes.get(name, ()))
    if not classes:
        _refuse_unknown(snapshot, name)
        raise AlloyloopError(f"{name} is a number and has no class '{label}'", _HOW)
    if label not in classes:
        raise AlloyloopError(
            f"{name} is never '{label}'", f"Write '{name} is CLASS'; its classes are {listed(classes)}."
        )
    return Want(in_words(name, Is(label)), (name,), Is(label))


def _want(snapshot: Snapshot, text: str, goal: WantedGoal) -> Want:
    """A want of a number, or of a formula of several."""
    if re.fullmatch(r"\w+", text):
        _refuse_unknown(snapshot, text)
        if text in snapshot.class_goals:
            classes = listed(tuple(snapshot.table.layout.classes[text]), "or")
            raise AlloyloopError(f"{text} has classes and is no number", f"Write '{text} is CLASS', of {classes}.")
        return Want(in_words(text, goal), (text,), goal)
    formula = Formula(text.replace("^", "**"), snapshot.space.basis)
    for name in formula.names:
        _refuse_unknown(snapshot, name, f"'{text}' names {name}: ")
        if name in snapshot.class_goals:
            raise AlloyloopError(f"'{text}' counts with {name}, which has classes and is no number", _HOW)
    return Want(in_words(formula.text, goal), formula.names, goal, formula)


def _refuse_unknown(snapshot: Snapshot, name: str, before: str = "") -> None:
    """Refuse a name of which nothing can be wanted, and say what it may have meant."""
    properties = (*snapshot.learned, *snapshot.class_goals)
    computable = (*(DESCRIPTORS if snapshot.space.elements else ()), *((MELT_COST,) if snapshot.cost else ()))
    known = (*properties, *computable)
    if name in known:
        return
    if name == MELT_COST:
        raise AlloyloopError(
            f"{before}campaign.yaml does not say what a melt costs",
            "Write it under cost, such as 'cost: {per_melt: 40, mass_g: 40}'.",
        )
    variables = {variable.name: variable for variable in snapshot.space.process}
    if name in snapshot.space.elements or name in variables:
        like = "20..30" if name in snapshot.space.elements else "900"
        if isinstance(variable := variables.get(name), Choice):
            like = variable.choices[0]
        raise AlloyloopError(
            f"{before}{name} is chosen and not measured, so that it is fixed and not wanted",
            f"Write --fix {name}={like}, in Python fix=['{name}={like}'].",
        )
    words, unit = split_unit(name)
    same = [each for each in known if split_unit(each)[0] == words]
    if unit and same:
        raise AlloyloopError(f"{before}{_other_unit(same[0], unit)}", f"Say it of {same[0]}.")
    if name in snapshot.table.sheet.columns:
        raise AlloyloopError(
            f"{before}{name} is a column of {snapshot.table.sheet.file or 'the table'} and not among the properties",
            f"Write '{name}: {{goal: report}}' under properties in campaign.yaml, or name it with --target.",
        )
    usual = quantity_header(name).name  # of E, the modulus
    alike = [usual] if usual in known else get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"Did you mean {listed(alike, 'or')}? " if alike else ""
    raise AlloyloopError(
        f"{before}nothing is measured by the name {name}" if before else f"Nothing is measured by the name {name}",
        f"{meant}There is {listed(properties)}{', and `alloyloop descriptors` lists more' if computable else ''}.",
    )


def _other_unit(name: str, unit: str, values: Sequence[float] = ()) -> str:
    """That a property is in another unit than was said, and what the numbers would be in its own."""
    own = split_unit(name)[1]
    said = [converted(value, unit, own) for value in values or (1.0,)]
    if not own or None in said:
        return f"{name} is {f'in {own}' if own else 'a number without a unit'}, and {unit} is no unit of it"
    theirs = " to ".join(f"{value:g}" for value in values or (1.0,))
    ours = " to ".join(f"{value:.6g}" for value in said if value is not None)
    return f"{name} is in {own}: {theirs} {unit} {'is' if theirs == '1' else 'are'} {ours} {own}"


def _unit_of(snapshot: Snapshot, name: str, values: Sequence[float], unit: str | None) -> None:
    """Refuse numbers that are in another unit than what they are about, with what they would be in its own."""
    words, in_name = split_unit(name)
    known = (*snapshot.learned, *DESCRIPTORS)
    if name not in known and in_name:
        for same in (each for each in known if split_unit(each)[0] == words):
            ours = " to ".join(f"{value:.6g}" for value in _in_unit(values, in_name, same))
            raise AlloyloopError(
                _other_unit(same, in_name, values), f"Say it of {same}{f', with {ours}' if ours else ''}."
            )
    if unit is None:
        return
    said = unit_of(unit)
    if said is None:
        raise AlloyloopError(f"'{unit}' after the number is no unit that is known", _HOW)
    if re.fullmatch(r"\w+", name) and said != split_unit(name)[1]:
        _refuse_unknown(snapshot, name)
        raise AlloyloopError(_other_unit(name, said, values), f"Give the numbers as {name} has them.")


def _in_unit(values: Sequence[float], unit: str, name: str) -> list[float]:
    return [value for each in values if (value := converted(each, unit, split_unit(name)[1])) is not None]
