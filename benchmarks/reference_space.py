"""What benchmarks of counting and screening share: a space of six-element titanium alloys in at.%."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from alloyloop.campaigns.engines import OneProcess
from alloyloop.campaigns.screening import SLICE
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.rules import Names, parse_rule
from alloyloop.design.screen import Ranking, Screening
from alloyloop.design.space import DesignSpace

MOST = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15, "Ta": 20}
COUNTS = {5.0: 1_513, 2.5: 25_683, 2.0: 72_925, 1.0: 1_822_786}  # by enumeration, as issue 3 gives them


def reference_space(
    step: float, rules: Sequence[str] = (), present_above: float = 0.0, max_elements: int = 6
) -> DesignSpace:
    """Ti 50–90, Nb 0–40, Zr 0–30, Sn 0–12, Mo 0–15, Ta 0–20 at.%, on a step [%]."""
    elements = tuple(Element(symbol, 0, most, step) for symbol, most in MOST.items())
    symbols = (*MOST, "Ti")
    limits = (CountLimit("max_elements", symbols, 0, max_elements),) if max_elements < len(symbols) else ()
    lattice = Lattice(elements, "Ti", 50, 90, present_above=present_above, limits=limits)
    return DesignSpace(lattice, "at_pct", rules=tuple(parse_rule(rule, Names(symbols)) for rule in rules))


def synthetic_modulus(percent: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A SYNTHETIC property with scatter, for timing alone: no alloy has it. (n, 6) -> (n,)"""
    nb, zr, sn, mo, ta, _ = percent.T
    smooth = 95 - 1.6 * nb + 0.03 * nb**2 - 0.4 * zr - 0.9 * sn + 0.05 * sn**2 - 1.1 * mo + 0.06 * mo**2 - 0.2 * ta
    return np.asarray(smooth + 4 * np.sin(nb / 9 + zr / 7) + rng.normal(0, 2, len(percent)))


def screened(screening: Screening) -> Ranking:
    """The best of a range, as `alloyloop screen` finds them in one process, without its files and its progress bar."""
    bar, found, engine = screening.opening(np.random.default_rng(0)), screening.nothing, OneProcess(screening)
    for start in range(screening.start, screening.stop, SLICE):
        new = engine.find([(start, min(start + SLICE, screening.stop))], bar.raised(screening.keeper.bar(found)))
        found = screening.keeper.kept([found, new])
    return screening.ranking(found)


def ran_on(*packages: str) -> str:
    """Where a benchmark was run."""
    cores, versions = os.cpu_count(), ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{date.today()}, {platform.machine()}, {cores} cores, Python {platform.python_version()}, {versions}"
