"""Closed loops on synthetic laboratories whose best alloy is known: alloyloop beside plain BoTorch.

    nice python benchmarks/closed_loop.py                        # hours of one core; finished runs are not repeated
    nice python benchmarks/closed_loop.py --side ours --seeds 3  # to look at
    nice python benchmarks/closed_loop.py --side ours --again    # after a change of ours: drops its kept runs first
    python benchmarks/closed_loop.py --told                      # only what is in results/closed_loop.jsonl so far

The laboratories are those of `oracles.py`, fixed before anything was tuned. Each run starts from the same eight alloys,
drawn uniformly, and makes eight batches of four; the n-th melt of a run is off by the same amount on every side. How
much measurements scatter no side is told; ours takes it from the name of the property, as it would anywhere, and by
that name expects two to five times too much. Asked is the regret: how far the truth of the best allowed alloy that was
made falls short of the best allowed alloy of the whole lattice, whatever was measured of either.

ours: `alloyloop suggest`, asked anew for every batch with `model: gaussian-process` for the property and
`features: composition`, and every other setting as it comes. Descriptors are left out, since the laboratories are made
of some of them: with `features: auto` the electrons of a valley would be found at once, which says nothing of real
ones.

botorch: `SingleTaskGP` on amounts normalised to the bounds, values standardised, noise inferred; `optimize_acqf` of
`qLogNoisyExpectedImprovement` with 10 restarts and 256 raw samples, one alloy of the batch after the other; that
amounts sum to 100 is an equality. Of a phase a second `SingleTaskGP` is fitted to 0 and 1, and 0.5 or more is the
constraint, once both have been seen. What it finds lies on no step, and holds more elements than allowed: the nearest
design of the lattice is made of it, proved nearest where rounding each amount breaks a bound or the number of elements.
A design may come twice, as it would to a user.

random: designs uniform over the space, to see what there is to gain.

A regret of nothing has no logarithm: in geometric means a regret counts as no less than a tenth of the scatter of one
measurement, which nobody could see. The ratio of mean regrets, which needs no such floor, stands beside.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from oracles import N_START, ORACLES, BoolArray, Oracle
from reference_space import ran_on
from threadpoolctl import threadpool_limits

from alloyloop.campaigns import Campaign
from alloyloop.design.diagram import IntArray
from alloyloop.design.nearest import nearest
from alloyloop.surrogates import FloatArray

N_BATCH, N_ROUNDS = 4, 8
N_MELTS = N_START + N_BATCH * N_ROUNDS
LEAST_REGRET = 0.1  # of the scatter of one measurement
N_RESAMPLED = 4096
SHOWN = (8, 16, 24, 32, 40)  # melts
N_DIGITS = 2  # of a value in a table
PHASES, PHASE, OTHER = "phases", "fcc", "other"
RESULTS = Path(__file__).parent / "results" / "closed_loop.jsonl"


@dataclass(frozen=True, eq=False)
class Known:
    """What a side knows when it is asked for a batch.

    Parameters
    ----------
    points : (n, d) designs made
    values : (n,) what was measured of them
    kept : (n,) whether they are of the phase that is asked for
    seed : of this batch
    """

    points: IntArray
    values: FloatArray
    kept: BoolArray
    seed: int


Side = Callable[[Oracle, Known], IntArray]
"""The next designs (N_BATCH, d)."""


def botorch(oracle: Oracle, known: Known) -> IntArray:
    """Plain BoTorch, rounded to the lattice."""
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.acquisition.objective import GenericMCObjective
    from botorch.fit import fit_gpytorch_mll
    from botorch.models.gp_regression import SingleTaskGP
    from botorch.models.model_list_gp_regression import ModelListGP
    from botorch.models.transforms import Normalize, Standardize
    from botorch.optim.optimize import optimize_acqf
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.manual_seed(known.seed)
    tensor = partial(torch.as_tensor, dtype=torch.double)
    bounds, X = tensor(oracle.space.bounds), tensor(oracle.space.percent(known.points))
    n_elements = oracle.space.n_elements

    def fitted(values: FloatArray) -> SingleTaskGP:
        scaled = Normalize(n_elements, bounds=bounds)
        model = SingleTaskGP(X, tensor(values)[:, None], input_transform=scaled, outcome_transform=Standardize(1))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        return model

    def first(outcomes: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
        return outcomes[..., 0]

    models = [fitted(oracle.sign * known.values)]
    constraints: list[Callable[[torch.Tensor], torch.Tensor]] | None = None
    if 0 < known.kept.sum() < len(known.kept):
        models.append(fitted(known.kept.astype(np.float64)))
        constraints = [lambda outcomes: 0.5 - outcomes[..., 1]]  # kept where it is not above 0
    worth = qLogNoisyExpectedImprovement(
        ModelListGP(*models),
        X,
        objective=GenericMCObjective(first),
        constraints=constraints,
        prune_baseline=True,
    )
    all_amounts = (torch.arange(n_elements), torch.ones(n_elements, dtype=torch.double), 100.0)
    found, _ = optimize_acqf(
        worth,
        bounds,
        N_BATCH,
        num_restarts=10,
        raw_samples=256,
        sequential=True,
        equality_constraints=[all_amounts],
    )
    return rounded(oracle, found.numpy())


def rounded(oracle: Oracle, percent: FloatArray) -> IntArray:
    """The designs nearest to alloys that lie on no step. (n, n_elements) -> (n, d)"""
    points, _ = oracle.space.snap(percent, {})
    for i in np.flatnonzero(~oracle.space.allows(points)):
        points[i] = nearest(oracle.space, percent[i], None, np.random.default_rng(0)).point
    return points


def ours(oracle: Oracle, known: Known) -> IntArray:
    """What `alloyloop suggest` proposes in a campaign of its own."""
    with TemporaryDirectory() as folder:
        Path(folder, "campaign.yaml").write_text(json.dumps(question(oracle, known.seed)), encoding="utf-8")
        table(oracle, known).to_csv(Path(folder, "experiments.csv"), index=False)
        alloys = Campaign.open(folder).suggest(N_BATCH, dry_run=True).alloys
    elements = oracle.space.elements
    amounts = [alloy.composition.vector(elements, "at_pct") for alloy in alloys if alloy.composition is not None]
    return oracle.space.snap(np.array(amounts), {})[0]


def question(oracle: Oracle, seed: int) -> dict[str, Any]:
    """An oracle as campaign.yaml asks it; JSON is YAML."""
    lattice = oracle.space.lattice
    assert lattice is not None  # of every oracle
    goal = "maximize" if oracle.sign > 0 else "minimize"
    properties: dict[str, Any] = {oracle.quantity: {"goal": goal}}
    if oracle.allowed is not None:
        labels = {PHASE: [PHASE], OTHER: [OTHER]}
        properties[PHASES] = {"goal": "is", "value": PHASE, "classes": labels}
    composition: dict[str, Any] = {
        "basis": "at_pct",
        "balance": lattice.balance,
        "step": float(lattice.unit),
        "elements": {each.symbol: {"min": each.low, "max": each.high} for each in lattice.elements}
        | {lattice.balance: {"min": lattice.balance_low, "max": lattice.balance_high}},
    }
    for limit in lattice.limits:
        composition |= {"min_elements": limit.least, "max_elements": limit.most}
    if lattice.present_above > 0:
        composition["present_above"] = lattice.present_above
    return {
        "alloyloop": 1,
        "name": f"{oracle.name}, SYNTHETIC",
        "composition": composition,
        "properties": properties,
        "features": "composition",
        "model": {oracle.quantity: "gaussian-process"},
        "batch": N_BATCH,
        "seed": seed,
    }


def table(oracle: Oracle, known: Known) -> pd.DataFrame:
    """What was made and measured, as experiments.csv tells it."""
    columns: dict[str, Any] = {"id": [f"melt {i}" for i in range(len(known.points))], "status": "measured"}
    amounts = oracle.space.percent(known.points)
    columns |= {f"{element}_at_pct": amounts[:, i] for i, element in enumerate(oracle.space.elements)}
    columns[oracle.quantity] = known.values.round(N_DIGITS)
    if oracle.allowed is not None:
        columns[PHASES] = np.where(known.kept, PHASE, OTHER)
    return pd.DataFrame(columns)


def random(oracle: Oracle, known: Known) -> IntArray:
    """Designs uniform over the space."""
    return oracle.space.sample(N_BATCH, np.random.default_rng(known.seed))


SIDES: dict[str, Side] = {"ours": ours, "botorch": botorch, "random": random}


@dataclass(frozen=True)
class Run:
    """A finished closed loop.

    Parameters
    ----------
    side, oracle, seed : which
    seconds : of CPU time that choosing all batches took
    points : (N_MELTS, d) the designs in the order in which they were made, in the units of the space
    """

    side: str
    oracle: str
    seed: int
    seconds: float
    points: list[list[int]]


def run(side: str, name: str, seed: int) -> Run:
    """Close a loop."""
    oracle = ORACLES[name]()
    points, scatter, seconds = oracle.start(seed), oracle.scatter(seed, N_MELTS), 0.0
    for batch in range(N_ROUNDS):
        values = oracle.values(points) + scatter[: len(points)]
        known = Known(points, values, oracle.keeps(points), seed=1000 * seed + batch)
        start = time.process_time()
        points = np.vstack([points, SIDES[side](oracle, known)])
        seconds += time.process_time() - start
    return Run(side, name, seed, round(seconds, 1), points.tolist())


def line(done: Run) -> str:
    """A run as it is kept."""
    return json.dumps(asdict(done)) + "\n"


def finished(path: Path) -> dict[tuple[str, str, int], Run]:
    """The runs in a file, by side, oracle and seed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    runs = (Run(**json.loads(each)) for each in lines)
    return {(done.side, done.oracle, done.seed): done for done in runs}


def regrets(oracle: Oracle, done: Run) -> FloatArray:
    """The regret after each melt. (N_MELTS,)"""
    return oracle.regrets(np.array(done.points))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our regrets beside another side's, over the seeds that both have finished.

    Parameters
    ----------
    n : how many seeds
    geometric : ratio of geometric means, ours over theirs
    low, high : it lies between them with 90 % confidence: quantiles over resampled seeds
    arithmetic : ratio of means
    better : share of the seeds of which ours is the lesser regret, ties counting half
    """

    n: int
    geometric: float
    low: float
    high: float
    arithmetic: float
    better: float

    @staticmethod
    def of(ours: FloatArray, theirs: FloatArray, least: float) -> Comparison:
        """From regrets of the same seeds (n,) each; none counts as less than `least` in geometric means."""
        logs = np.log(np.maximum(ours, least)) - np.log(np.maximum(theirs, least))
        again = np.random.default_rng(0).choice(logs, (N_RESAMPLED, len(logs))).mean(axis=1)
        low, high = np.exp(np.quantile(again, [0.05, 0.95]))
        better = (ours < theirs).mean() + 0.5 * (ours == theirs).mean()
        return Comparison(
            len(logs),
            float(np.exp(logs.mean())),
            float(low),
            float(high),
            float(ours.mean() / theirs.mean()),
            float(better),
        )

    @property
    def words(self) -> str:
        """In a line."""
        return (
            f"geometric mean {self.geometric:.2f} times theirs ({self.low:.2f} to {self.high:.2f}), mean "
            f"{self.arithmetic:.2f} times, less in {self.better:.0%} of {self.n} seeds"
        )


def told(runs: Mapping[tuple[str, str, int], Run]) -> Iterator[str]:
    """What came of the runs, in lines: each oracle, then all of them."""
    ratios, worst = [], 0.0
    for name, make in ORACLES.items():
        oracle = make()
        least = LEAST_REGRET * oracle.noise
        of = {
            side: {seed: regrets(oracle, done) for (by, on, seed), done in runs.items() if (by, on) == (side, name)}
            for side in SIDES
        }
        yield f"{name}: {oracle.quantity} with a scatter of {oracle.noise:g}; the best is {oracle.best:.2f}"
        header = "".join(f"{f'after {n}':>10}" for n in SHOWN)
        yield f"  {'median regret':<14}{'seeds':>6}{header}{'geometric':>11}{'mean':>8}{'CPU [s] a batch':>17}"
        for side, by_seed in of.items():
            if by_seed:
                all_of = np.array(list(by_seed.values()))
                seconds = [done.seconds / N_ROUNDS for (by, on, _), done in runs.items() if (by, on) == (side, name)]
                cells = "".join(f"{np.median(all_of[:, n - 1]):>10.3g}" for n in SHOWN)
                last = all_of[:, -1]
                geometric = np.exp(np.log(np.maximum(last, least)).mean())
                yield (
                    f"  {side:<14}{len(last):>6}{cells}{geometric:>11.3g}{last.mean():>8.3g}{np.median(seconds):>17.2f}"
                )
        both = sorted(of["ours"].keys() & of["botorch"].keys())
        if both:
            ours_last, theirs_last = (np.array([of[side][seed][-1] for seed in both]) for side in ("ours", "botorch"))
            compared = Comparison.of(ours_last, theirs_last, least)
            ratios.append(compared.geometric)
            worst = max(worst, compared.geometric)
            yield f"  ours beside BoTorch after {N_MELTS}: {compared.words}"
        yield ""
    if ratios:
        yield (
            f"Over {len(ratios)} oracles: {np.exp(np.log(ratios).mean()):.2f} times BoTorch's regret (geometric mean; "
            f"wanted: 0.6), at worst {worst:.2f} (wanted: 1)"
        )


def main() -> None:
    """Run what has not been run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--oracle", choices=ORACLES, nargs="*", default=list(ORACLES))
    parser.add_argument("--side", choices=SIDES, nargs="*", default=list(SIDES))
    parser.add_argument("--results", type=Path, default=RESULTS, help="runs are read from it and appended to it")
    parser.add_argument("--told", action="store_true", help="run nothing")
    parser.add_argument("--again", action="store_true", help="drop the kept runs of these sides and oracles first")
    asked = parser.parse_args()
    if asked.again:
        kept = [
            done
            for done in finished(asked.results).values()
            if done.side not in asked.side or done.oracle not in asked.oracle
        ]
        asked.results.write_text("".join(map(line, kept)), encoding="utf-8")
    with threadpool_limits(limits=1):
        for seed in range(0 if asked.told else asked.seeds):
            for name, side in product(asked.oracle, asked.side):
                if (side, name, seed) not in finished(asked.results):
                    done = run(side, name, seed)
                    with asked.results.open("a", encoding="utf-8") as file:
                        file.write(line(done))
    print(ran_on("alloyloop", "botorch", "gpytorch", "torch", "numpy"))
    for words in told(finished(asked.results)):
        print(words)


if __name__ == "__main__":
    main()
