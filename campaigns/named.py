"""Designs that a person names: alloys, or the process values that name a design where there is no composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..design.composition import Composition
from ..design.process import Choice, Process
from ..surrogates.errors import AlloyloopError
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """n designs that were asked about.

    Parameters
    ----------
    names : as they were given
    compositions : in the campaign's basis; None each where the campaign has no composition
    process : process values and conditions, n of each
    """

    names: tuple[str, ...]
    compositions: tuple[Composition | None, ...]
    process: Process


def named(snapshot: Snapshot, names: Sequence[str], process: Mapping[str, float | str] | None = None) -> Named:
    """Read names of designs: `Ti-12Nb-12Zr-12Sn wt`, or `laser_power_W=200, quench=water` without a composition.

    Parameters
    ----------
    names : of the designs; where the campaign has no composition and `process` says all, there may be none
    process : process values and conditions that all of them share; those not given are not known

    Raises
    ------
    AlloyloopError
        for a name that cannot be read, an unknown process variable, or a value that it cannot have
    """
    shared = dict(process or {})
    if snapshot.space.elements:
        compositions = tuple(in_basis(snapshot, Composition.parse(name)) for name in names)
        return Named(tuple(names), compositions, _process(snapshot, [shared] * len(names)))
    texts = tuple(names) or ((", ".join(f"{name}={value}" for name, value in shared.items()),) if shared else ())
    given: list[dict[str, float | str]] = [{**shared, **_pairs(text)} for text in texts]
    return Named(texts, (None,) * len(texts), _process(snapshot, given))


def in_basis(snapshot: Snapshot, composition: Composition) -> Composition:
    """The same alloy in the campaign's basis."""
    basis = snapshot.space.basis
    if composition.basis == basis:
        return composition
    return Composition(composition.amounts(basis), basis, composition.text)


def _pairs(text: str) -> dict[str, str]:
    """The process values that a name consists of, such as `laser_power_W=200, quench=water`."""
    pairs: dict[str, str] = {}
    for part in text.replace(";", ",").split(","):
        name, sign, value = (word.strip() for word in part.partition("="))
        if not (sign and name and value):
            raise AlloyloopError(
                f"'{text}' names no design: this campaign has no composition",
                "Name it by its process values, such as 'laser_power_W=200, scan_speed_mm_per_s=800'.",
            )
        if name in pairs:
            raise AlloyloopError(f"'{text}' gives {name} twice", "Give each process value once.")
        pairs[name] = value
    return pairs


def _process(snapshot: Snapshot, given: Sequence[Mapping[str, float | str]]) -> Process:
    """Process values of n designs; what is not given is not known, but for the conditions that campaign.yaml sets."""
    values = dict(snapshot.space.unknown_process(len(given)))
    choices = {variable.name: variable.choices for variable in snapshot.space.process if isinstance(variable, Choice)}
    for row, pairs in enumerate(given):
        for name, value in pairs.items():
            if name not in values:
                raise AlloyloopError(
                    f"{name} is not a process variable here", f"Those are {', '.join(values) or 'none'}."
                )
            if name in choices and value not in choices[name]:
                raise AlloyloopError(f"{name} is never '{value}'", f"Its choices are {', '.join(choices[name])}.")
            try:
                values[name][row] = str(value) if name in choices else float(value)
            except ValueError as error:
                raise AlloyloopError(f"{name}={value} is not a number", f"Write {name}=900, say.") from error
    return values
