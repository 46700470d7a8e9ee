"""Gates that designs of a screen must pass: rules, bounds on what is predicted, and bounds on a probability.

`Nb + Ta >= 10`, `price_usd_per_kg <= 60`, `youngs_modulus_GPa <= 60`, `P(yield_strength_MPa >= 800) >= 0.9`,
`P(all) >= 0.5`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log

from ..surrogates.errors import AlloyloopError
from .criteria import Bounded, LogOdds, PredictedMean
from .goals import Goal, Within, limits
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


def parse_gate(text: str, names: Names, scales: Mapping[str, float], goals: Mapping[str, Goal]) -> Gate:
    """Read a gate.

    Parameters
    ----------
    text : a rule, as `parse_rule` reads it; a bound on a predicted property, `NAME <= x`, `NAME >= x` or
        `NAME between a and b`; or `P(WHAT) >= p`, where WHAT is such a bound, the name of a property with a limit of
        its own, or `all` of these. P is of a new measurement.
    names : what rules may name
    scales : how much each property that is predicted varies over the data, in its unit
    goals : of the campaign

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
    try:
        if match := _CHANCE.match(plain):
            return _chance(plain, match, scales, goals)
        wanted = _wanted(plain)
        if wanted is not None and wanted[0] in scales:
            name, within = wanted
            return Predicted(plain, PredictedMean(name, 1.0, scales[name]), within.low, within.high)
        if (match := _CLASS.match(plain)) and match["name"] not in (names.choices or {}):
            raise _no_classes(match["name"])
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


def _chance(text: str, match: re.Match[str], scales: Mapping[str, float], goals: Mapping[str, Goal]) -> Predicted:
    chance = float(match["least"]) / (100 if match["pct"] else 1)
    if "<" in match["sign"] or not 0 < chance < 1:
        raise AlloyloopError(
            f"A gate on a probability asks for at least a share between 0 and 1, not {match['sign']} {match['least']}",
            "Write it like P(youngs_modulus_GPa <= 60) >= 0.8.",
        )
    what, own = match["what"].strip(), {name: goal for name, goal in limits(goals).items() if name in scales}
    if what == "all" or what in own:
        pairs = tuple(own.items()) if what == "all" else ((what, own[what]),)
        if not pairs:
            raise AlloyloopError(
                "No property that can be predicted has a limit, so P(all) is always 1",
                "Write the limit out, such as P(youngs_modulus_GPa <= 60) >= 0.8.",
            )
        return Predicted(text, LogOdds(pairs), log(chance / (1 - chance)))
    if wanted := _wanted(what):
        name, within = wanted
        return Predicted(text, LogOdds(((_known(name, scales), within),)), log(chance / (1 - chance)))
    if match_class := _CLASS.match(what):
        raise _no_classes(match_class["name"])
    if re.fullmatch(r"\w+", what):
        raise AlloyloopError(
            f"{_known(what, scales)} has no limit of its own",
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


def _known(name: str, scales: Mapping[str, float]) -> str:
    if name not in scales:
        raise AlloyloopError(
            f"{name} is not a property that can be predicted here", f"Those are {', '.join(scales) or 'none'}."
        )
    return name


def _no_classes(name: str) -> AlloyloopError:
    return AlloyloopError(
        f"{name} is asked for a class, and classes are not predicted in this version",
        "Use a descriptor that tells them apart, or leave this stage out.",
    )
