"""How long it takes to count a design space, and to list it, beside building the grid.

    python benchmarks/counting.py

The rule: any of the first five under a second of CPU time; the counts at 5, 2.5, 2 and 1 % are known from enumeration.
"""

from __future__ import annotations

import time

import numpy as np
from reference_space import COUNTS, MOST, ran_on, reference_space

TIED = ("Nb + Ta >= 10", "Zr / Nb <= 2", "Sn + Mo <= 12", "Mo <= 5 if Ta > 5")


def main() -> None:
    """Count, and print."""
    print(ran_on("alloyloop", "numpy"))
    print(f"{'step':>6} {'rules':<44} {'designs':>22} {'CPU time [ms]':>14}  counted")
    for step in (5.0, 2.5, 2.0, 1.0, 0.1):
        count, cpu = counted(step, 0)
        known = COUNTS.get(step)
        assert known is None or count == known, f"{count} designs at {step} %, where {known} are known"
        assert cpu < 1, f"{cpu:.2f} s of CPU time at {step} %"
        print(f"{step:>5g} % {'bounds':<44} {count:>22,} {1e3 * cpu:>14.1f}  exactly")
    for step in (1.0, 0.5, 0.2, 0.1):
        for n_rules in (1, 2, 4):
            count, cpu, how = *counted(step, n_rules), asked(step, n_rules)
            words = f"present above 2, 5 elements, {n_rules} rule{'s' * (n_rules > 1)}"
            print(f"{step:>5g} % {words:<44} {count:>22,} {1e3 * cpu:>14.1f}  {how}")
    print("rules: " + "; ".join(TIED))
    print()
    space = reference_space(1.0)
    n = space.count
    start = time.process_time()
    for first in range(0, n, 65_536):
        space.between(first, first + 65_536)
    listed = time.process_time() - start
    start = time.process_time()
    grid = built()
    other = time.process_time() - start
    assert len(grid) == n
    print(f"all {n:,} at 1 %, slice by slice: {1e9 * listed / n:.0f} ns each; by building NumPy's whole grid and")
    print(
        f"throwing away what does not sum to 100: {1e9 * other / n:.0f} ns each, and {grid_size():,} rows made for them"
    )


def counted(step: float, n_rules: int) -> tuple[int, float]:
    """The count, and the CPU time from nothing [s]."""
    start = time.process_time()
    count = _space(step, n_rules).count
    return count, time.process_time() - start


def asked(step: float, n_rules: int) -> str:
    """Whether every rule was counted with."""
    n = len(_space(step, n_rules).asked)
    return f"{n} rules left to be asked" if n else "exactly"


def _space(step: float, n_rules: int):  # type: ignore[no-untyped-def]  # a DesignSpace
    return reference_space(step, TIED[:n_rules], *((2.0, 5) if n_rules else (0.0, 6)))


def grid_size() -> int:
    """Rows of the full grid at 1 %, before any is thrown away."""
    return int(np.prod([most + 1 for most in MOST.values()]))


def built() -> np.ndarray:
    """All compositions at 1 %, by the full grid."""
    grid = np.stack(np.meshgrid(*(np.arange(most + 1) for most in MOST.values()), indexing="ij"), axis=-1).reshape(
        -1, 5
    )
    balance = 100 - grid.sum(axis=1)
    kept = (balance >= 50) & (balance <= 90)
    return np.column_stack([grid[kept], balance[kept]])


if __name__ == "__main__":
    main()
