"""How much sooner two workers replay a table than one, and that their answers are the same.

    nice python benchmarks/backtest_workers.py                       # half an hour of two cores that do nothing else
    nice python benchmarks/backtest_workers.py --seeds 4 --pairs 1   # to look at

A SYNTHETIC table of 1 000 alloys of the reference space (`reference_space.py`) is replayed by `auto`, 20 times 60
melts, by fours, with `--workers 1` and `--workers 2`, in turn. Both start processes of their own, so that what is
compared is what the second adds.

The rule: two workers are at least 1.7 times as fast (median of five pairs).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from reference_space import ran_on, reference_space, synthetic_modulus

from alloyloop.campaigns.answers import Json
from alloyloop.campaigns.backtesting import Asked, backtest
from alloyloop.campaigns.pools import table_with_goals
from alloyloop.campaigns.snapshot import Snapshot

N_ROWS, BUDGET, LEAST_TIMES = 1000, 60, 1.7


def table(folder: Path) -> Snapshot:
    """The reference space with a SYNTHETIC modulus, as anybody's table."""
    rng, space = np.random.default_rng(0), reference_space(1.0)
    percent = space.percent(space.sample(N_ROWS, rng))
    lines = [",".join([*(f"{element}_at_pct" for element in space.elements), "youngs_modulus_GPa"])]
    for amounts, modulus in zip(percent, synthetic_modulus(percent, rng).tolist(), strict=True):
        lines.append(",".join([*(f"{amount:g}" for amount in amounts), repr(modulus)]))
    path = folder / "synthetic.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table_with_goals(path, "*_at_pct", ["minimize youngs_modulus_GPa"])


def replayed(snapshot: Snapshot, asked: Asked, workers: int, folder: Path) -> tuple[float, Json]:
    """Seconds, and the answer."""
    began = time.perf_counter()
    answer = backtest(snapshot, asked, whole_table=True, cache=folder, workers=workers).json()
    return time.perf_counter() - began, answer


def main() -> None:
    """Print the pairs and their median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--strategy", default="auto")
    told = parser.parse_args()
    asked = Asked((told.strategy,), start=5, batch=4, budget=BUDGET, seeds=told.seeds)
    print(ran_on("alloyloop", "numpy", "distributed"))
    print(f"{told.strategy}, {told.seeds} times {BUDGET} melts of {N_ROWS} SYNTHETIC alloys, by fours")
    times = []
    with TemporaryDirectory() as place:
        snapshot = table(Path(place))
        for pair in range(told.pairs):
            # In turn, so that a machine that grows slower or faster favours neither.
            order = (1, 2) if pair % 2 == 0 else (2, 1)
            found = {n: replayed(snapshot, asked, n, Path(place) / "cache") for n in order}
            if found[1][1] != found[2][1]:
                raise SystemExit("Two workers answered otherwise than one.")
            times.append(found[1][0] / found[2][0])
            print(f"  one worker {found[1][0]:6.1f} s, two {found[2][0]:6.1f} s: {times[-1]:.2f} times", flush=True)
    kept = "kept" if np.median(times) >= LEAST_TIMES else "MISSED"
    print(f"Median {np.median(times):.2f} times; at least {LEAST_TIMES}: {kept}. The answers are the same.")


if __name__ == "__main__":
    main()
