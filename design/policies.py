"""Element policies: what a family of alloys should not contain, and why.

A policy is advice with reasons, not a law of nature: standard implants hold nickel, cobalt, aluminium and vanadium. So
it is data, one row a rule in `policies.csv` beside this file, and a campaign names the policy it wants, or `none`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from ..surrogates.errors import AlloyloopError

Verdict = Literal["barred", "limited", "flagged"]

_FILE = Path(__file__).with_name("policies.csv")


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """What a policy says of one element.

    Parameters
    ----------
    element : its symbol
    verdict : "barred", not to be added at all; "limited", at most `limit_wt_pct`; "flagged", allowed and remarked upon
    limit_wt_pct : the most that is allowed [wt.%], where limited
    reason : why, in words
    source : where the reason and the limit come from
    verified : whether they were compared with the source
    """

    element: str
    verdict: Verdict
    limit_wt_pct: float | None
    reason: str
    source: str
    verified: bool

    def speaks(self, wt_pct: float) -> bool:
        """Whether an alloy with so much of the element gives cause for the rule."""
        return wt_pct > (self.limit_wt_pct or 0.0)

    def __str__(self) -> str:
        limit = "" if self.limit_wt_pct is None else f" to {self.limit_wt_pct:g} wt.%"
        return f"{self.element} is {self.verdict}{limit}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Policy:
    """A named set of rules on elements.

    Parameters
    ----------
    name, title : as in campaign.yaml, and in words
    base : the main element of the alloys it is meant for; empty for those of any
    rules : in the order of the file

    Examples
    --------
    >>> policy("implant-titanium").flags({"Ti": 90.0, "Al": 6.0, "V": 4.0})[0]
    'V is barred: cytotoxic; its ions are released by wear (policy implant-titanium)'
    """

    name: str
    title: str
    base: str
    rules: tuple[PolicyRule, ...]

    @property
    def barred(self) -> frozenset[str]:
        """The elements that are not to be added at all."""
        return frozenset(rule.element for rule in self.rules if rule.verdict == "barred")

    def flags(self, composition_wt_pct: Mapping[str, float]) -> list[str]:
        """What the policy has to say of an alloy, a sentence a rule; empty where it has nothing to say.

        Parameters
        ----------
        composition_wt_pct : element -> amount [wt.%]
        """
        return [
            f"{rule} (policy {self.name})"
            for rule in self.rules
            if rule.speaks(composition_wt_pct.get(rule.element, 0.0))
        ]


def _read() -> dict[str, Policy]:
    heads: dict[str, tuple[str, str]] = {}
    rules: dict[str, list[PolicyRule]] = {}
    with _FILE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            heads[row["policy"]] = (row["title"], row["base"])
            of_policy = rules.setdefault(row["policy"], [])
            if row["element"]:  # a policy without rules has one row without an element
                of_policy.append(
                    PolicyRule(
                        row["element"],
                        cast(Verdict, row["verdict"]),
                        float(row["limit_wt_pct"]) if row["limit_wt_pct"] else None,
                        row["reason"],
                        row["source"],
                        row["verified"] == "yes",
                    )
                )
    return {name: Policy(name, *heads[name], tuple(of_policy)) for name, of_policy in rules.items()}


POLICIES: dict[str, Policy] = _read()
"""Every built-in policy by its name."""


def policy(name: str) -> Policy:
    """Look up a policy.

    Raises
    ------
    AlloyloopError
        if there is none of that name

    Examples
    --------
    >>> sorted(policy("implant-titanium").barred)
    ['Be', 'Cd', 'Ni', 'Pb', 'V']
    """
    if name not in POLICIES:
        raise AlloyloopError(f"there is no element policy named {name!r}", f"Known: {', '.join(POLICIES)}.")
    return POLICIES[name]
