"""What to make: alloys, descriptors, spaces, goals, acquisition, proposals, melt sheets."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .candidates import Candidates
from .composition import Basis, Composition, at_to_wt, wt_to_at
from .descriptors import DESCRIPTORS, Descriptor, descriptor, evaluate, register_descriptor
from .elements import SYMBOLS
from .goals import Goal, Is, Maximize, Minimize, Report, Within
from .lattice import CountLimit, Element, Lattice
from .melt import Charge, Stock, charge
from .policies import POLICIES, Policy, policy
from .process import Choice, Numeric
from .rules import Names, Rule, parse_rule
from .space import Count, DesignSpace

if TYPE_CHECKING:
    from .acquisition import Acquisition
    from .propose import Batch

__all__ = [
    "DESCRIPTORS",
    "POLICIES",
    "SYMBOLS",
    "Acquisition",
    "Basis",
    "Batch",
    "Candidates",
    "Charge",
    "Choice",
    "Composition",
    "Count",
    "CountLimit",
    "Descriptor",
    "DesignSpace",
    "Element",
    "Goal",
    "Is",
    "Lattice",
    "Maximize",
    "Minimize",
    "Names",
    "Numeric",
    "Policy",
    "Report",
    "Rule",
    "Stock",
    "Within",
    "at_to_wt",
    "charge",
    "descriptor",
    "evaluate",
    "parse_rule",
    "policy",
    "register_descriptor",
    "wt_to_at",
]

# These import scipy.stats; `alloyloop check` must not wait for it.
_LAZY = {"Acquisition": "acquisition", "Batch": "propose"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
