"""Gates that designs of a screen must pass: rules, bounds on what is predicted, and bounds on a probability.

`Nb + Ta >= 10`, `price_usd_per_kg <= 60`, `youngs_modulus_GPa <= 60`, `phases is beta`,
`P(yield_strength_MPa >= 800) >= 0.9`, `P(phases is beta) >= 0.8`, `P(all) >= 0.5`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from types import MappingProxyType

from ..surrogates.errors import AlloyloopError
from .criteria import Bounded, LogOdds, PredictedMean, class_of
from .goals import Goal, Is, Limit, Within, classes_wanted, limits
from .rules import Computed, Names, Rule, parse_rule, plainly

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CHANCE = re.compile(rf"^P\s*\((?P<what>.*)\)\s*(?P<sign><=|>=|<|>)\s*(?P<least>{_NUMBER})\s*(?P<pct>%?)$")
_BOUND = re.compile(rf"^(?P<name>\w+)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>{_NUMBER})$")
_BETWEEN = re.compile(rf"^(?P<name>\w+)\s+between\s+(?P<low>{_NUMBER})\s+and\s+(?P<high>{_NUMBER})$")
_CLASS = re.compile(r"^(?P<name>\w+)\s+is\s+(?P<label>.+)$")


@dataclass(frozen=True, slots=True)
class Predicted:
    """A gate on what is predicted.

    Parameters
    ----------
    text : as it was written
    criterion : what is bounded
    least, most : the values between which it passes
    """

    text: str
    criterion: Bounded
    least: float = -inf
    most: float = inf


Gate = Rule | Predicted


def parse_gate(
    text: str,
    names: Names,
    scales: Mapping[str, float],
    goals: Mapping[str, Goal],
    classes: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Gate:
    """Read a gate.

    Parameters
    ----------
    text : a rule, as `parse_rule` reads it; a bound on a predicted property, `NAME <= x`, `NAME >= x` or
        `NAME between a and b`; `NAME is CLASS`, where no other class is likelier; or `P(WHAT) >= p`, where WHAT is such
        a bound or class, the name of a property with a limit or class of its own, or `all` of these. P is of a new
        measurement.
    names : what rules may name
    scales : how much each property that is predicted varies over the data, in its unit
    goals : of the campaign
    classes : of each property that is predicted to be of one of them

    Raises
    ------
    AlloyloopError
        for a gate that cannot be read

    Examples
    --------
    >>> gate = parse_gate("P(youngs_modulus_GPa <= 60) >= 0.8", Names(("Ti",)), {"youngs_modulus_GPa": 12.0}, {})
    >>> gate.criterion.words, round(gate.least, 3)
    ('probability that youngs_modulus_GPa is below 60', 1.386)
    """
    plain = plainly(text)
    known = _Known(scales, classes, goals)
    try:
        if match := _CHANCE.match(plain):
            return _chance(plain, match, known)
        wanted = _wanted(plain)
        if wanted is not None and wanted[0] in scales:
            name, within = wanted
            return Predicted(plain, PredictedMean(name, 1.0, scales[name]), within.low, within.high)
        if (match := _CLASS.match(plain)) and match["name"] not in (names.choices or {}):
            name, goal = known.of_class(match)
            return Predicted(plain, PredictedMean(class_of(name, goal.label), 1.0, 1.0), least=0.0)
        return parse_rule(plain, names)
    except AlloyloopError as error:
        raise AlloyloopError(error.problem, error.remedy, place=f"--stage '{text}'") from error


def cheap_first(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Gates in the order in which they cost least: elements and process, descriptors, means, probabilities."""

    def cost(gate: Gate) -> int:
        if isinstance(gate, Predicted):
            return 3 if gate.criterion.stds else 2
        return int(any(isinstance(test, Computed) for test in (gate.wanted, *gate.given)))

    return tuple(sorted(gates, key=cost))


@dataclass(frozen=True, slots=True)
class _Known:
    """What gates on predictions may name: see `parse_gate`."""

    scales: Mapping[str, float]
    classes: Mapping[str, Sequence[str]]
    goals: Mapping[str, Goal]

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits and the classes that the campaign asks for, of what is predicted."""
        numbers = {name: goal for name, goal in limits(self.goals).items() if name in self.scales}
        return numbers | {name: goal for name, goal in classes_wanted(self.goals).items() if name in self.classes}

    def of_number(self, name: str) -> str:
        """The name of a property that is a number; another is a mistake."""
        if name not in self.scales:
            raise AlloyloopError(
                f"{name} is not a property that can be predicted here", f"Those are {', '.join(self.scales) or 'none'}."
            )
        return name

    def of_class(self, match: re.Match[str]) -> tuple[str, Is]:
        """A property and its class; one that there is not is a mistake."""
        name, label = match["name"], match["label"].strip()
        if name not in self.classes:
            raise AlloyloopError(
                f"{name} is asked for a class, and it has none that could be predicted here",
                f"Those that have are {', '.join(self.classes) or 'none'}.",
            )
        if label not in self.classes[name]:
            raise AlloyloopError(
                f"'{label}' is no class of {name}", f"Those are {', '.join(self.classes[name])}, as campaign.yaml says."
            )
        return name, Is(label)


def _chance(text: str, match: re.Match[str], known: _Known) -> Predicted:
    chance = float(match["least"]) / (100 if match["pct"] else 1)
    if "<" in match["sign"] or not 0 < chance < 1:
        raise AlloyloopError(
            f"A gate on a probability asks for at least a share between 0 and 1, not {match['sign']} {match['least']}",
            "Write it like P(youngs_modulus_GPa <= 60) >= 0.8.",
        )
    return Predicted(text, LogOdds(_limits_meant(match, known)), log(chance / (1 - chance)))


def _limits_meant(match: re.Match[str], known: _Known) -> tuple[tuple[str, Limit], ...]:
    """The limits that a probability is of."""
    what, own = match["what"].strip(), known.limits
    if what == "all" or what in own:
        pairs = tuple(own.items()) if what == "all" else ((what, own[what]),)
        if not pairs:
            raise AlloyloopError(
                "No property that can be predicted has a limit, so P(all) is always 1",
                "Write the limit out, such as P(youngs_modulus_GPa <= 60) >= 0.8.",
            )
        return pairs
    if wanted := _wanted(what):
        name, within = wanted
        return ((known.of_number(name), within),)
    if match_class := _CLASS.match(what):
        return (known.of_class(match_class),)
    if what in known.classes:
        raise AlloyloopError(
            f"campaign.yaml asks for no class of {what}",
            f"Name one, such as P({what} is {known.classes[what][0]}) >= {match['least']}.",
        )
    if re.fullmatch(r"\w+", what):
        raise AlloyloopError(
            f"{known.of_number(what)} has no limit of its own",
            f"Write one, such as P({what} <= 60) >= {match['least']}.",
        )
    raise AlloyloopError(f"'{what}' cannot be read as a goal", "Write P(NAME <= x), P(NAME between a and b) or P(all).")


def _wanted(text: str) -> tuple[str, Within] | None:
    """A name and its limits; None where the text is no such bound."""
    if match := _BETWEEN.match(text):
        return match["name"], Within(float(match["low"]), float(match["high"]))
    if match := _BOUND.match(text):
        limit = float(match["limit"])
        return match["name"], Within(low=limit) if ">" in match["sign"] else Within(high=limit)
    return None
