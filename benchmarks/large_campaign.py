"""How long a campaign of 100 000 rows takes to open and to check, and how much memory.

    python benchmarks/large_campaign.py               # a minute

The rule: each below 3 s, start of the interpreter included, and below 1 GB. The tables are SYNTHETIC: one has no
mistake, but a treatment, replicates, bounds, classes, decimal commas, notes in quotation marks and 500 alloys that wait
for their results; in another one row in a hundred is a mistake, and in the last every row is two, all named by `check`.
That last one, and times on a clock, which other work on the machine stretches, are printed without being judged.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from reference_space import MOST, ran_on

ROWS, PENDING = 100_000, 500
MOST_S, MOST_MB = 3.0, 1_000.0
QUESTION = f"""\
alloyloop: 1
name: A SYNTHETIC campaign of many rows
composition:
  basis: wt_pct
  balance: Ti
  step: 0.5
  elements:
{chr(10).join(f"    {symbol}: {{min: 0, max: {most}}}" for symbol, most in MOST.items())}
  max_elements: 5
  rules: [Nb + Ta >= 5]
process:
  solution_temperature_C: {{min: 700, max: 1000, step: 25}}
  quench: {{choices: [water, air]}}
properties:
  youngs_modulus_GPa: {{goal: minimize}}
  yield_strength_MPa: {{goal: above, limit: 600}}
  phase:
    goal: is
    value: beta
    classes: {{beta: beta, martensite: ["alpha*"]}}
"""
OPEN = "import sys; from alloyloop.campaigns.campaign import Campaign; Campaign(sys.argv[2]).snapshot()"
COMMAND = "import sys; from alloyloop.campaigns.cli import main; main()"


def table(rows: int, *, every: int) -> str:
    """A table of so many alloys, of which one in so many is a mistake; none where it is 0."""
    rng = np.random.default_rng(0)
    units = np.floor(rng.random((rows, len(MOST))) * [2 * most for most in MOST.values()]) * 0.4
    amounts = units / 2
    titanium = 100 - amounts.sum(axis=1)
    modulus, std = 60 + 20 * rng.random(rows), rng.random(rows)
    strength, hot = 500 + 400 * rng.random(rows), 700 + 25 * rng.integers(0, 13, rows)
    names = [f"{symbol}_wt_pct" for symbol in ("Ti", *MOST)]
    header = ["id", "status", "round", "source", *names, "solution_temperature_C", "quench"]
    results = ["youngs_modulus_GPa", "youngs_modulus_GPa_std", "youngs_modulus_GPa_n", "yield_strength_MPa", "phase"]
    lines = [";".join([*header, *results, "note"])]
    for i in range(rows):
        mistaken = every > 0 and i % every == 0
        waits = i >= rows - PENDING
        status = "proposed" if waits else ("known", "measured")[i % 2]
        cells = [f"A{i:06d}", status, str(i // 1000), f"Paper {i % 300}", f"{titanium[i] + mistaken:.1f}"]
        cells += [f"{amount:.1f}" for amount in amounts[i]]
        cells += [str(hot[i]), ("water", "air", "")[i % 3]]
        if waits:
            cells += [""] * 5
        else:
            mean = f"{modulus[i]:.2f}" + (" GPa" if mistaken else "")
            bound = f"<{strength[i]:.0f}" if i % 20 == 0 else f"{strength[i]:.1f}"
            cells += [mean, f"{std[i]:.2f}", str(2 + i % 4), bound, ("beta", "alpha''", "beta", "")[i % 4]]
        cells.append('"as cast; then rolled"' if i % 10 == 0 else "")
        lines.append(";".join(cells).replace(".", ","))
    return "\r\n".join(lines) + "\r\n"


def measured(code: str, *arguments: str) -> tuple[float, float, float]:
    """Wall time and CPU time [s] and the most memory [MB] of a new interpreter."""
    began = perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: `check` found mistakes
        raise SystemExit(f"{arguments[0]} ended with {process.returncode}")
    return perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3


def main() -> None:
    """Print the table; exit 1 where something takes longer, or more, than the rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    print(ran_on("numpy", "pydantic"))
    print(f"{rows:,} rows".replace(",", " "))
    print(f"{'':<32}{'MB of CSV':>10}{'wall s':>8}{'CPU s':>7}{'peak MB':>9}")
    missed = False
    with TemporaryDirectory() as temporary:
        for name, every in (("", 0), (", a mistake in 100 rows", 100), (", two in each row", 1)):
            folder = Path(temporary) / f"campaign{every}"
            folder.mkdir()
            (folder / "campaign.yaml").write_text(QUESTION, encoding="utf-8")
            csv = folder / "experiments.csv"
            csv.write_bytes(table(rows, every=every).encode("cp1252"))
            verbs = [("open", OPEN), ("check", COMMAND), ("status", COMMAND)]
            for verb, code in verbs[1:2] if every else verbs:
                wall, cpu, memory = measured(code, verb, str(folder))
                missed |= every != 1 and (cpu > MOST_S or memory > MOST_MB)
                print(f"{verb + name:<32}{csv.stat().st_size / 1e6:>10.1f}{wall:>8.2f}{cpu:>7.2f}{memory:>9.0f}")
    if missed:
        raise SystemExit(f"MISSED: below {MOST_S:g} s of CPU and {MOST_MB:g} MB was wanted")


if __name__ == "__main__":
    main()
