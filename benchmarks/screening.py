"""The best alloys of a whole lattice by expected improvement: what it takes, beside Bgolearn and BayBE.

    python benchmarks/screening.py [--peers PYTHON] [--large]

One question: 100 rows of a SYNTHETIC property, the reference space at 1 % (1 822 786 alloys), the best four by expected
improvement. Fitting is counted, imports are not; every contestant has a process of its own. `--peers` names a Python in
which Bgolearn 3.1.2 and BayBE 0.15.0 are installed; BayBE is asked the 72 925 alloys at 2 %. `--large` screens 10⁶ to
10⁸ alloys of finer steps as well, to see what memory does.

The rules: peak memory below 1 GB, flat from 10⁶ to 10⁸ alloys, and at least 40 times less CPU time than Bgolearn.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from reference_space import ran_on, reference_space, screened, synthetic_modulus

from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.criteria import ExpectedImprovement
from alloyloop.design.features import Alloys, Features
from alloyloop.design.predictors import predictor
from alloyloop.design.screen import Screening
from alloyloop.surrogates.gaussian_process import GaussianProcess

N_ROWS, BATCH = 100, 4
HERE = Path(__file__).resolve()


def main() -> None:
    """Ask every contestant, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", help="a Python in which Bgolearn and BayBE are installed")
    parser.add_argument("--large", action="store_true", help="10^7 and 10^8 alloys as well")
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        step, most = arguments.ours.split(",")
        print("RESULT " + json.dumps(ours(float(step), int(most))))
        return
    print(ran_on("alloyloop", "numpy", "scipy"))
    print(f"{'who':<22} {'alloys':>12} {'CPU time [s]':>13} {'wall [s]':>9} {'peak memory [MB]':>17}")
    mine = asked([sys.executable, str(HERE), "--ours", "1,0"])
    line("alloyloop", mine)
    assert mine["peak_MB"] < 1000, f"{mine['peak_MB']:.0f} MB"
    if arguments.large:
        for step, most in (("1", "1000000"), ("0.5", "10000000"), ("0.25", "100000000")):
            line(f"alloyloop, step {step} %", asked([sys.executable, str(HERE), "--ours", f"{step},{most}"]))
    if arguments.peers:
        with tempfile.TemporaryDirectory() as folder:
            for peer, step in (("bgolearn", 1.0), ("baybe", 2.0)):
                file = question(Path(folder), step)
                took = asked([arguments.peers, str(HERE.with_name("screening_peers.py")), peer, str(file)])
                line(peer, took)
                if peer == "bgolearn":
                    print(f"{'':22} {took['cpu_s'] / mine['cpu_s']:.0f} times the CPU time of alloyloop")


def line(who: str, took: dict[str, float]) -> None:
    """One contestant."""
    alloys, cpu, wall, peak = (took[key] for key in ("alloys", "cpu_s", "wall_s", "peak_MB"))
    print(f"{who:<22} {alloys:>12,.0f} {cpu:>13.2f} {wall:>9.2f} {peak:>17.0f}", flush=True)


def asked(command: list[str]) -> dict[str, float]:
    """What a contestant says of itself."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (said,) = [text for text in done.stdout.splitlines() if text.startswith("RESULT ")]
    return dict(json.loads(said.removeprefix("RESULT ")))


def question(folder: Path, step: float) -> Path:
    """The rows and the list of all alloys, for those who want one."""
    space, file = reference_space(step), folder / f"{step}.npz"
    X, y = rows()
    np.savez(file, X=X, y=y, candidates=space.percent(space.between(0, space.count)))
    return file


def rows() -> tuple[np.ndarray, np.ndarray]:
    """100 alloys on 2 %, and a SYNTHETIC property of them."""
    rng, space = np.random.default_rng(0), reference_space(2.0)
    percent = space.percent(space.sample(N_ROWS, rng))
    return percent, synthetic_modulus(percent, rng)


def ours(step: float, most: int) -> dict[str, float]:
    """Count, fit and screen; `most` is where the range ends (0: nowhere)."""
    percent, y = rows()
    start, wall = time.process_time(), time.time()
    space = reference_space(step)
    unknown = np.full(N_ROWS, np.nan)
    alloys = Alloys(space.elements, percent / 100, {})
    evidence = Evidence("modulus_GPa", alloys, y, unknown, np.full(N_ROWS, ""))
    features = Features(space.elements)
    gp = GaussianProcess().fit(features.encode(alloys), y)
    belief = Belief(evidence, features, gp, partial(learn, option=Option("gaussian-process", features)))
    score = ExpectedImprovement("modulus_GPa", -1.0, float(belief.about(alloys).mean.min()))
    stop = min(most, space.count) if most else space.count
    screening = Screening(space, space.elements, (predictor(belief),), (), score, (), BATCH, 0, stop)
    ranking = screened(screening)
    assert len(ranking.points) == BATCH
    return {
        "alloys": stop,
        "cpu_s": time.process_time() - start,
        "wall_s": time.time() - wall,
        "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
