"""The first suggestion of a fresh machine, from the start of the process to the printed batch, beside plain BoTorch.

    python benchmarks/first_suggestion.py

The fixed problem of ../shared/bench/suggest, or where ALLOYLOOP_SHARED says: six elements, 30 noisy rows of a synthetic
modulus, four alloys asked for. Ours is `alloyloop suggest` on a folder with everything at its default, so that six
models are judged on rows left out before one is taken, and again on the same folder, where that choice is remembered;
theirs imports BoTorch, fits one given model, and optimises qLogNEI as the reference does. Every run is a process of its
own with one thread, and they take turns. The time is the processor's, user and system, of the whole process.

The rule: less than 8 s, and less than BoTorch takes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen
from time import perf_counter

from beliefs import shared_data
from reference_space import ran_on

N_ROWS, N_ALLOYS, MOST_SECONDS = 30, 4, 8.0
SUGGEST = "import sys; from alloyloop.campaigns.cli import main; sys.argv[0] = 'alloyloop'; main()"
BOTORCH = f"from reference import history, suggest; print(suggest(*history({N_ROWS}), False, {N_ALLOYS}))"


def seconds(code: str, *arguments: str, place: Path | None = None) -> tuple[float, float]:
    """Processor's and wall time of one new interpreter."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    start = perf_counter()
    process = Popen([sys.executable, "-c", code, *arguments], cwd=place, env=os.environ | one_thread, stdout=DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"It failed: {' '.join(arguments) or code}")
    return used.ru_utime + used.ru_stime, perf_counter() - start


def write_campaign(folder: Path, problem: Path) -> None:
    """Write the fixed problem as a user would: the space, what is wanted, and the rows."""
    sys.path.insert(0, str(problem))
    from problem import EL, HI, LO, history  # type: ignore[import-not-found]  # beside the data, and not a package

    folder.mkdir()
    bounds = zip(EL, LO, HI, strict=True)
    amounts = "".join(f"    {name}: {{min: {low:g}, max: {high:g}}}\n" for name, low, high in bounds)
    (folder / "campaign.yaml").write_text(
        "alloyloop: 1\nname: The fixed problem\ncomposition:\n  basis: at_pct\n  balance: Ti\n  step: 0.5\n"
        f"  elements:\n{amounts}properties:\n  youngs_modulus_GPa: {{goal: minimize}}\nbatch: {N_ALLOYS}\n",
        encoding="utf-8",
    )
    X, Y = history(N_ROWS)
    cells = [",".join(map(repr, [*x, y])) for x, y in zip(X.tolist(), Y[:, 0].tolist(), strict=True)]
    rows = [f"K{i},known,{row}" for i, row in enumerate(cells)]
    head = f"id,status,{','.join(f'{name}_at_pct' for name in EL)},youngs_modulus_GPa"
    (folder / "experiments.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def timed(problem: Path, n_repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Times of a first suggestion, of one on a folder that has seen one, and of BoTorch, in turn."""
    times: dict[str, list[tuple[float, float]]] = {"alloyloop": [], "alloyloop, again": [], "BoTorch": []}
    with tempfile.TemporaryDirectory() as place:
        fresh, used = Path(place) / "fresh", Path(place) / "used"
        write_campaign(fresh, problem)
        for _ in range(n_repeats):
            shutil.rmtree(used, ignore_errors=True)
            shutil.copytree(fresh, used)
            for name in ("alloyloop", "alloyloop, again"):
                times[name].append(seconds(SUGGEST, "suggest", str(used)))
            times["BoTorch"].append(seconds(BOTORCH, place=problem))
    return times


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; exit 1 where the rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    n_repeats = parser.parse_args(arguments).repeats
    data = shared_data()
    problem = None if data is None else data.parent / "bench" / "suggest"
    if problem is None or not problem.is_dir():
        print("Skipped: the fixed problem is not here. It lies in ../shared/bench, or where ALLOYLOOP_SHARED says.")
        return
    print(ran_on("alloyloop", "numpy", "scipy", "scikit-learn", "torch", "botorch"))
    print(f"{'a batch of four from 30 rows':<30}{'CPU s':>7}{'wall s':>8}")
    medians = {}
    for name, times in timed(problem, n_repeats).items():
        medians[name], wall = (median(part) for part in zip(*times, strict=True))
        print(f"{name:<30}{medians[name]:>7.2f}{wall:>8.2f}")
    if medians["alloyloop"] > min(MOST_SECONDS, medians["BoTorch"]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
