"""How long a command takes to start that predicts nothing, beside `python -c "import pandas"`.

    python benchmarks/startup.py

The rule: each command takes at most three times the CPU time of importing pandas, which a busy machine changes little,
and loads neither torch nor scikit-learn nor matplotlib.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

HEAVY = ("torch", "botorch", "gpytorch", "sklearn", "matplotlib")
REPEATS = 7
MOST = 3.0  # times the time of importing pandas

RUN = "import sys; from alloyloop.campaigns.cli import main; sys.argv[0] = 'alloyloop'; main()"
WATCHED = f"""
import atexit, sys
atexit.register(lambda: print("heavy:", *(name for name in {HEAVY} if name in sys.modules), file=sys.stderr))
{RUN}
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of a command's times [s], and the heavy packages it loaded."""

    name: str
    cpu: float
    wall: float
    heavy: tuple[str, ...] = ()


def run(code: str, arguments: Sequence[str]) -> tuple[float, float, str]:
    """CPU and wall time of one new interpreter [s], and what it wrote on stderr."""
    before, start = os.times(), perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wall, after = perf_counter() - start, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return cpu, wall, done.stderr


def timed(name: str, code: str, *arguments: str) -> Timing:
    """A command's median times over `REPEATS` runs, after one that fills the disk's cache."""
    run(code, arguments)
    runs = [run(code, arguments) for _ in range(REPEATS)]
    return Timing(name, median(cpu for cpu, _, _ in runs), median(wall for _, wall, _ in runs))


def command(*arguments: str) -> Timing:
    """An `alloyloop` command timed, and once watched for what it imports."""
    timing = timed(f"alloyloop {arguments[0]}", RUN, *arguments)
    _, _, said = run(WATCHED, arguments)
    heavy = next(line for line in said.splitlines() if line.startswith("heavy:")).split()[1:]
    return Timing(timing.name, timing.cpu, timing.wall, tuple(heavy))


def main() -> None:
    """Print the table; exit 1 where a command is slower than the rule or loads a heavy package."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("alloyloop", "numpy", "pandas", "typer"))
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
    )
    pandas = timed('python -c "import pandas"', "import pandas")
    with tempfile.TemporaryDirectory() as place:
        folder = str(Path(place) / "beta-ti")
        run(RUN, ("new", folder, "--template", "beta-ti"))
        timings = [
            command("--help"),
            command("describe", "Ti-35Nb-7Zr-5Ta wt"),
            command("check", folder),
            command("status", folder),
        ]
    print(f"{'':<28}{'CPU s':>8}{'ratio':>7}{'wall s':>8}{'ratio':>7}  heavy packages")
    for timing in (pandas, *timings):
        ratios = (timing.cpu / pandas.cpu, timing.wall / pandas.wall)
        print(
            f"{timing.name:<28}{timing.cpu:>8.2f}{ratios[0]:>7.2f}{timing.wall:>8.2f}{ratios[1]:>7.2f}  "
            f"{', '.join(timing.heavy) or 'none'}"
        )
    if any(timing.heavy or timing.cpu > MOST * pandas.cpu for timing in timings):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
