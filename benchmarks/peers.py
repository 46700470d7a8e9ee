"""Other libraries on the pools of `backtests.py`, from the same starts, beside ours and a plain Gaussian process.

    python benchmarks/peers.py --environments DIR --make                     # an environment for each peer, below DIR
    nice python benchmarks/peers.py --environments DIR --seeds 3             # finished replays are kept
    nice python benchmarks/peers.py --environments DIR --peer ax --pool hea  # some of them
    python benchmarks/peers.py | tee benchmarks/results/peers.txt            # only what is kept

Every peer runs in a process and an environment of its own, on one thread, with the versions that
peers/requirements-PEER.txt pins. It is given the pool as a plain table of numbers, and chooses with its defaults as far
as it has any for a list of candidates; what that means of each stands in peers/with_PEER.py and in what is printed.
Seconds are the CPU time of its process without imports. Ours and the plain one are read from what `backtests.py` keeps.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
from backtests import RESULTS as BACKTESTS
from pools import BUDGET, N_START, POOLS, Candidates, Run, kept, missing, pool
from reference_space import ran_on

from alloyloop.design.replay import starts

HERE = Path(__file__).parent
RUNNERS = HERE / "peers"
RESULTS = HERE / "results" / "peers.jsonl"
PEERS = {
    "baybe": "a search space of the pool's rows and what a campaign recommends by itself",
    "bofire": "the model and the acquisition of its single-objective strategy, asked of every row left",
    "ax": "the model and the acquisition that it takes by itself, asked of every row left",
    "bgolearn": "its expected improvement on a table of virtual samples, which are the rows left",
}
OURS = ("auto", "botorch")
# First, so that all have the same.
TORCH = "torch==2.13.0"
PREFIX = "RESULT "  # as in peers/replaying.py, which runs where this file cannot be imported


def make(peer: str, environments: Path) -> None:
    """An environment with one peer in it."""
    folder = environments / peer
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    pinned = RUNNERS / f"requirements-{peer}.txt"
    subprocess.run([*pip, TORCH], check=True)
    subprocess.run([*pip, "--requirement", str(pinned)], check=True)


def run(peer: str, name: str, batch: int, seed: int, environments: Path) -> Run:
    """Replay one pool with one peer, in its own environment."""
    candidates = cast(Candidates, pool(name))
    names, X = candidates.columns
    (start,) = starts(len(candidates), N_START, [seed])
    with TemporaryDirectory() as place:
        problem = Path(place) / "problem.npz"
        np.savez(problem, names=np.array(names), X=X, heights=candidates.heights, start=start)
        runner = [str(environments / peer / "bin" / "python"), str((RUNNERS / f"with_{peer}.py").resolve())]
        asked = [str(problem), "--batch", str(batch), "--budget", str(BUDGET), "--seed", str(seed)]
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        ended = subprocess.run(
            [*runner, *asked], env={**os.environ, **one_thread}, capture_output=True, text=True, check=False
        )
    told = [line for line in ended.stdout.splitlines() if line.startswith(PREFIX)]
    if ended.returncode or not told:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        return Run(peer, name, batch, seed, error=lines[-1] if lines else f"exit {ended.returncode}")
    found = json.loads(told[-1].removeprefix(PREFIX))
    return Run(peer, name, batch, seed, tuple(found["order"]), found["seconds"], found["versions"])


def beside(runs: Mapping[tuple[str, str, int, int], Run]) -> dict[tuple[str, str, int, int], Run]:
    """Ours and the plain one on the same pools, batches and seeds, as far as `backtests.py` has kept them."""
    wanted = {key[1:] for key in runs}
    found = kept(BACKTESTS).items()
    return {key: each for key, each in found if each.side in OURS and key[1:] in wanted}


def told(runs: Mapping[tuple[str, str, int, int], Run]) -> Iterator[str]:
    """All that is kept, in lines: each peer beside ours on the starts that both have."""
    ours = beside(runs)
    for peer, way in PEERS.items():
        done = {key: each for key, each in runs.items() if key[0] == peer}
        if not done:
            yield f"{peer}: not replayed"
            yield ""
            continue
        versions = sorted({each.versions for each in done.values() if each.versions})
        yield f"{peer} ({'; '.join(versions) or 'failed'}): {way}"
        for batch in sorted({key[2] for key in done}):
            yield from _table(peer, batch, done, ours)
        yield ""


def _table(
    peer: str,
    batch: int,
    done: Mapping[tuple[str, str, int, int], Run],
    ours: Mapping[tuple[str, str, int, int], Run],
) -> Iterator[str]:
    yield "  one at a time" if batch == 1 else f"  {batch} at a time"
    yield "    pool      seeds    side         acceleration   best found   melts to half   CPU [s] a step"
    medians: dict[str, list[float]] = {}
    for name in POOLS:
        of_pool = {key[3]: each for key, each in done.items() if key[1:3] == (name, batch)}
        seeds = [seed for seed, each in sorted(of_pool.items()) if each.order]
        for error in sorted({each.error for each in of_pool.values() if each.error}):
            yield f"    {name:<10}{sum(each.error == error for each in of_pool.values()):>5}    {peer} failed: {error}"
        if not seeds:
            continue
        sides: dict[str, list[Run]] = {peer: [of_pool[seed] for seed in seeds]}
        for side in OURS:
            if all((side, name, batch, seed) in ours for seed in seeds):
                sides[side] = [ours[side, name, batch, seed] for seed in seeds]
        for side, found in sides.items():
            middle = float(np.median([each.score.acceleration for each in found]))
            medians.setdefault(side, []).append(middle)
            yield f"    {name:<10}{len(seeds):>5}    {side:<10}{middle:>12.2f}{_rest(found)}"
    n_pools = len(medians.get(peer, ()))
    means = [f"{side} {np.exp(np.mean(np.log(of))):.2f}" for side, of in medians.items() if len(of) == n_pools]
    if means:
        yield f"    geometric mean of the medians of {n_pools} pools: {', '.join(means)}"


def _rest(found: Sequence[Run]) -> str:
    best = sum(each.score.melts_to_best is not None for each in found)
    half = np.median([each.score.melts_to_half or np.inf for each in found])
    seconds = np.median([each.seconds for each in found])
    return f"{f'{best} of {len(found)}':>14}{half:>16.0f}{seconds:>17.3f}"


def main() -> None:
    """Make environments, replay what is asked for, or print all that is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, help="a folder that holds an environment for each peer")
    parser.add_argument("--make", action="store_true", help="make these, and run nothing")
    parser.add_argument("--peer", choices=PEERS, nargs="*", default=list(PEERS))
    parser.add_argument("--pool", choices=POOLS, nargs="*", default=list(POOLS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch", type=int, nargs="*", default=[1])
    parser.add_argument("--results", type=Path, default=RESULTS, help="replays are read from it and appended to it")
    asked = parser.parse_args()
    if asked.make:
        if asked.environments is None:
            parser.error("--make needs --environments")
        for peer in asked.peer:
            make(peer, asked.environments)
        return
    runs = kept(asked.results)
    if asked.environments is not None:
        for name in asked.pool:
            if pool(name) is None:
                print(missing(name))
        wanted = [
            (peer, name, batch, seed)
            for seed in range(asked.seeds)
            for batch in asked.batch
            for name in asked.pool
            for peer in asked.peer
            if pool(name) is not None
        ]
        with asked.results.open("a", encoding="utf-8") as file:
            for key in wanted:
                if key not in runs:
                    runs[key] = run(*key, asked.environments)
                    print(json.dumps(asdict(runs[key])), file=file, flush=True)
    print(ran_on("alloyloop", "numpy", "scipy"))
    for line in told(runs):
        print(line)


if __name__ == "__main__":
    main()
