"""CPU time of an equilibrium, and how often one fails, on light alloys in COST 507 (which pycalphad installs).

    python benchmarks/calphad.py [n_alloys]

`USUAL_SECONDS` in design/calphad.py, from which a user is told how long a screen would take, is about the mean.
"""

from __future__ import annotations

import sys
import time
import warnings
from importlib.resources import files

import numpy as np
from reference_space import ran_on

from alloyloop.design.calphad import USUAL_SECONDS
from alloyloop.design.equilibrium import System
from alloyloop.design.phase_database import PhaseDatabase

SYSTEMS = (
    ("Al", "Mg"),
    ("Al", "Mg", "Zn"),
    ("Al", "Ti", "V"),
    ("Al", "Mg", "Mn", "Zn"),
    ("Al", "Mg", "Mn", "Si", "Zn", "Zr"),
)
TEMPERATURES_K = (600.0, 900.0)


def main(n: int) -> None:
    """Measure, and print."""
    print(ran_on("alloyloop", "pycalphad", "numpy"))
    database = PhaseDatabase("COST507.tdb", (files("pycalphad.tests.databases") / "COST507.tdb").read_text())
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(f"{len(database.phases)} phases, read in {time.process_time() - start:.1f} s")
    print(
        f"{'system':<22} {'made [s]':>9} {'equilibrium [ms]':>17} {'with driving force [ms]':>24} {'not converged':>14}"
    )
    means = []
    for elements in SYSTEMS:
        rng = np.random.default_rng(7)
        alloys = rng.dirichlet(np.where(np.isin(elements, ("Mg", "Ti")), 60.0, 2.0), n)  # some percent of each
        start = time.process_time()
        system = System(database, elements, ())
        system.equilibrium(alloys[0], 700.0, ("LIQUID",))
        made = time.process_time() - start
        plain, _ = timed(system, alloys, ())
        driven, failed = timed(system, alloys, ("LIQUID",))
        means.append(plain)
        print(f"{'-'.join(elements):<22} {made:>9.1f} {1e3 * plain:>17.0f} {1e3 * driven:>24.0f} {failed:>14.1%}")
    print(f"mean {1e3 * np.mean(means):.0f} ms, said to users {1e3 * USUAL_SECONDS:.0f} ms;", end=" ")
    print(f"a million alloys at one temperature: {1e6 * np.mean(means) / 3600:.0f} h of one core")


def timed(system: System, alloys: np.ndarray, driving_forces: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of CPU time an equilibrium, and the share that did not converge."""
    start = time.process_time()
    found = [system.equilibrium(alloy, kelvin, driving_forces) for alloy in alloys for kelvin in TEMPERATURES_K]
    return (time.process_time() - start) / len(found), sum(one is None for one in found) / len(found)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
