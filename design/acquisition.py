"""What a further melt is worth: acquisitions by name, each a function of what is known before the next pick.

One file and one decorated name adds one; `acquisitions.py` brings ours together, and chooses among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..surrogates.base import FloatArray
from .features import Alloys
from .outlook import Outlook
from .utility import as_modelled, utility

Gain = Callable[[Alloys], FloatArray]
"""Log of what making each alloy is worth, before limits; larger is better, and it never saturates. (n,)"""
Build = Callable[[Outlook], Gain]


@dataclass(frozen=True, slots=True)
class Rule:
    """An acquisition before anything is known.

    Parameters
    ----------
    name : by which it is asked for
    build : makes its gain from an outlook
    about : one line that says what it looks for
    weighs : by whose probability the gain is multiplied: that limits and classes hold and the melt succeeds, or that of
        the melt alone
    several : whether it takes several pursued goals as they are; others see one number made of them
    """

    name: str
    build: Build
    about: str
    weighs: Literal["limits", "success"] = "limits"
    several: bool = False


ACQUISITIONS: dict[str, Rule] = {}


def register_acquisition(
    name: str, about: str, weighs: Literal["limits", "success"] = "limits", several: bool = False
) -> Callable[[Build], Build]:
    """Decorate a function from an outlook to a gain, to let it be asked for by `name`; see `Rule`."""

    def decorate(build: Build) -> Build:
        ACQUISITIONS[name] = Rule(name, build, about, weighs, several)
        return build

    return decorate


@dataclass(frozen=True, eq=False)
class Acquisition:
    """What one more alloy is worth; `value` asks it of many, `with_pick` says what it becomes once one is to be made.

    Parameters
    ----------
    outlook : what is known before the pick
    rule : what is looked for
    price : log of what an alloy's cost divides its worth by, (n,); None where cost does not count
    """

    outlook: Outlook
    rule: Rule
    price: Callable[[Alloys], FloatArray] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "_gain", self.rule.build(self.outlook))

    def value(self, alloys: Alloys) -> FloatArray:
        """Log of the worth of each alloy; NaN without a feature. (n,)"""
        known = self.outlook.known(alloys)
        if known.all():
            return self._value(alloys)
        value = np.full(len(alloys), np.nan)
        if known.any():
            value[known] = self._value(alloys.rows(known))
        return value

    def _value(self, alloys: Alloys) -> FloatArray:
        gain: Gain = self._gain  # type: ignore[attr-defined]
        holds = self.outlook.log_allowed if self.rule.weighs == "limits" else self.outlook.log_success
        value = gain(alloys) + holds(alloys)
        return value if self.price is None else value - self.price(alloys)

    def with_pick(self, alloy: Alloys) -> Acquisition:
        """The acquisition after one alloy (a single row) has been picked."""
        return replace(self, outlook=self.outlook.with_pick(alloy))


@register_acquisition(
    "log-expected-improvement",
    "how far an alloy is expected to improve on the best known, with noise and pending alloys counted",
)
def log_expected_improvement_of(outlook: Outlook) -> Gain:
    """Noisy, batch expected improvement in closed form given joint draws of what is known so far.

    Of one property that is minimised or maximised it is that on the scale of its model, where the belief is normal.
    """
    return utility(as_modelled(outlook)).log_improvement


@register_acquisition(
    "parego", "expected improvement of a mixture of several goals that is drawn anew for every pick", several=True
)
def parego(outlook: Outlook) -> Gain:
    """Expected improvement of an augmented Chebyshev mixture [Knowles, IEEE Trans. Evol. Comput. 10 (2006) 50]."""
    return utility(replace(outlook, weighted=False)).log_improvement
