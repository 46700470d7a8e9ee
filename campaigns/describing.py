"""One alloy described: both bases, every descriptor with its source, phase rules, and what a policy says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..design.composition import Composition
from ..design.descriptors import DESCRIPTORS, PHASE_RULES
from ..design.policies import POLICIES, policy
from .answers import Json


@dataclass(frozen=True, slots=True)
class Described:
    """The value of one descriptor for one alloy, with what a reader needs to trust it."""

    value: float
    unit: str
    source: str
    verified: bool
    in_range: bool
    validity: str

    def json(self) -> Json:
        """As in `--json`."""
        return {
            "value": self.value,
            "unit": self.unit,
            "source": self.source,
            "verified": self.verified,
            "in_range": self.in_range,
            "validity": self.validity,
        }


@dataclass(frozen=True, slots=True)
class Description:
    """An alloy described.

    Parameters
    ----------
    composition : the alloy
    descriptors : those that are known for it, by name
    phases : verdicts of the empirical phase rules, by name
    flags : what element policies say
    """

    composition: Composition
    descriptors: Mapping[str, Described]
    phases: Mapping[str, str]
    flags: tuple[str, ...]

    def json(self) -> Json:
        """As in `--json`."""
        return {
            "at_pct": self.composition.at_pct,
            "wt_pct": self.composition.wt_pct,
            "descriptors": {name: described.json() for name, described in self.descriptors.items()},
            "phases": dict(self.phases),
            "flags": list(self.flags),
        }


def describe(alloy: str, policy_name: str | None = None) -> Description:
    """Describe an alloy by its name; without a policy's name, by the one that is meant for alloys of its main element.

    Raises
    ------
    AlloyloopError
        for a name that cannot be read, or an unknown policy
    """
    composition = Composition.parse(alloy)
    elements, fractions = composition.elements, composition.fractions[None]
    described = {}
    for name, descriptor in DESCRIPTORS.items():
        value = float(descriptor.function(fractions, elements)[0])
        if np.isfinite(value):
            described[name] = Described(
                value,
                descriptor.unit,
                descriptor.source,
                descriptor.verified_for(elements),
                bool(descriptor.valid(fractions, elements)[0]),
                descriptor.validity,
            )
    wt_pct = composition.wt_pct
    main = max(wt_pct, key=wt_pct.__getitem__)
    judges = [policy(policy_name)] if policy_name else [each for each in POLICIES.values() if each.base == main]
    flags = tuple(flag for judge in judges for flag in judge.flags(wt_pct))
    phases = {name: str(rule.function(fractions, elements)[0]) for name, rule in PHASE_RULES.items()}
    return Description(composition, described, phases, flags)
