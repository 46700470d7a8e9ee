"""How well population search finds the next alloy, beside exchanges between elements, on published tables.

    python benchmarks/population.py                # some ten minutes of one idle core
    python benchmarks/population.py --seeds 3      # to look at

Both searches, at the effort that `suggest` makes, are asked for the design with the largest expected improvement: as
the first pick of a batch, and as the third. The belief about the property is a Gaussian process or extra trees, learned
from the composition or the process values alone: smooth, or in steps that have no gradient. The spaces are that of the
built-in campaign (beta titanium, with a rule that has to be asked of each design), the one around the hardness of 155
alloys, and a process study of laser melting with continuous numbers and a choice; and the same made coarse, so that
every design can be looked at. Where that cannot be done, the best is the best that any search found.

`short` is in nats of the expected improvement: 0.01 is one percent less expected gain. `designs` are those whose
acquisition was computed; seconds are CPU time of one thread, in which drawing and checking designs count as well. The
tables of hardness and of laser melting are not ours to ship: they are looked for in ../shared/data, or where
ALLOYLOOP_SHARED says.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from beliefs import shared_data
from reference_space import ran_on
from threadpoolctl import threadpool_limits

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.learning import evidence
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import Option, learn
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Features, alloys_at
from alloyloop.design.goals import Maximize, Minimize, Pursued
from alloyloop.design.outlook import Sought, outlook
from alloyloop.design.process import Numeric
from alloyloop.design.propose import SEARCHES, THOROUGH
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.design.worth import Worth
from alloyloop.surrogates import FloatArray

MODELS = ("gaussian-process", "extra-trees")
SAME = 1e-6  # nats: two designs as good as one another
PRINTED = "laser_power_W,scan_speed_mm_per_s,hatch_spacing_mm,layer_thickness_mm,spot_size_mm,atmosphere"
AT_A_TIME = 65_536


@dataclass(frozen=True, eq=False)
class Question:
    """Where to look for what.

    Parameters
    ----------
    name : of the space
    space : to look in
    elements : that the belief knows
    taken : designs that are not to be had
    value : what a further design is worth
    """

    name: str
    space: DesignSpace
    elements: tuple[str, ...]
    taken: IntArray
    value: Acquisition

    @property
    def worth(self) -> Worth:
        """With no design looked at yet."""
        return Worth(self.space, self.value.value, self.elements, self.taken)

    def after(self, point: IntArray) -> Question:
        """The question once a design (d,) has been picked."""
        picked = self.value.with_pick(alloys_at(self.space, point[None], self.elements))
        return replace(self, taken=np.vstack([self.taken, point]), value=picked)

    def best(self) -> float:
        """The best of every design."""
        best = -np.inf
        for start in range(0, self.space.count, AT_A_TIME):
            points = self.space.between(start, start + AT_A_TIME)
            points = points[self.space.allows(points) & ~rows_in(points, self.taken)]
            if len(points):
                best = max(best, float(self.value.value(alloys_at(self.space, points, self.elements)).max()))
        return best


@dataclass(frozen=True, eq=False)
class Runs:
    """What came of one search with each seed: values, designs looked at, and CPU time [s]. (n_seeds,) each"""

    values: FloatArray
    designs: FloatArray
    seconds: FloatArray

    def told(self, best: float) -> str:
        """In a line."""
        short = best - self.values
        return (
            f"{np.mean(short <= SAME):8.0%} {np.median(short):9.4f} {short.max():9.4f} "
            f"{self.designs.mean():9.0f} {self.seconds.mean():8.2f}"
        )


def runs(question: Question, search: str, n_seeds: int) -> Runs:
    """Search with each seed."""
    found = []
    for seed in range(n_seeds):
        worth, start = question.worth, time.process_time()
        _, values = SEARCHES[search](worth, THOROUGH, np.random.default_rng(seed))
        found.append((values[0], worth.n_looked, time.process_time() - start))
    return Runs(*np.array(found).T)


def snapshots() -> Iterator[tuple[str, Snapshot, str, Pursued]]:
    """The tables as campaigns, with a property and what is pursued of it."""
    with TemporaryDirectory() as folder:
        yield "beta-Ti modulus", Campaign.new(Path(folder) / "beta-ti").snapshot(), "youngs_modulus_GPa", Minimize()
    tables = shared_data()
    if tables is None:
        print("Skipped hardness and laser melting: their tables are not here.")
        return
    hardness = snapshot_of(tables / "hea_hardness_wen155.csv", "*_at_pct", "hardness_HV")
    yield "HEA hardness", hardness, "hardness_HV", Maximize()
    printed = snapshot_of(tables / "lpbf_density_316l.csv", PRINTED, "relative_density_pct", "source_doi")
    free = tuple(Numeric(v.name, v.low, v.high) if isinstance(v, Numeric) else v for v in printed.space.process)
    printed = replace(printed, space=replace(printed.space, process=free))
    yield "laser melting", printed, "relative_density_pct", Maximize()


def coarse(space: DesignSpace) -> DesignSpace:
    """A space with steps so coarse that every design can be looked at."""
    if space.lattice is not None:
        elements = tuple(replace(element, step=4.0) for element in space.lattice.elements)
        return replace(space, lattice=replace(space.lattice, elements=elements))
    levels = (
        Numeric(v.name, v.low, v.high, (v.high - v.low) / 5) if isinstance(v, Numeric) else v for v in space.process
    )
    return replace(space, process=tuple(levels))


def question(name: str, snapshot: Snapshot, wanted: str, goal: Pursued, model: str) -> Question:
    """What a first pick is worth, where a property is pursued."""
    found = evidence(snapshot, wanted)
    belief = learn(found, Option(model, Features(snapshot.table.elements, process=snapshot.space.process)))
    none = found.alloys.rows(np.array([], dtype=np.int64))
    sought = [Sought(wanted, goal, belief)]
    ahead = outlook(sought, found.alloys, none, found.alloys, 3, np.random.default_rng(0))
    value = Acquisition(ahead, acquisition_rule("log-expected-improvement"))
    return Question(name, snapshot.space, snapshot.table.elements, snapshot.taken(), value)


def main() -> None:
    """Search, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    n_seeds = parser.parse_args().seeds
    say = partial(print, flush=True)
    say(ran_on("alloyloop", "numpy", "scipy"))
    say(f"{n_seeds} seeds each; members of a population {THOROUGH.n_members}, broad sample {THOROUGH.n_sampled}\n")
    title = f"{'belief':<17} {'pick':>5} {'search':<11} {'reached':>8} {'short':>9} {'at worst':>9} "
    title += f"{'designs':>9} {'CPU [s]':>8}"
    ratios, reached = list[tuple[float, float]](), dict[str, list[float]]()
    with threadpool_limits(limits=1):
        for name, whole, wanted, goal in snapshots():
            for snapshot, is_coarse in ((replace(whole, space=coarse(whole.space)), True), (whole, False)):
                how = "every one looked at" if is_coarse else "the best is that of any search"
                say(f"{name}: {snapshot.space.counted()}; {how}\n  {title}")
                for model in MODELS:
                    asked = question(name, snapshot, wanted, goal, model)
                    for pick in (1, 3):
                        done = {search: runs(asked, search, n_seeds) for search in SEARCHES}
                        best = asked.best() if is_coarse else max(one.values.max() for one in done.values())
                        for search, one in done.items():
                            say(f"  {model:<17} {pick:>5} {search:<11} {one.told(best)}")
                            reached.setdefault(search, []).extend(best - one.values)
                        ours, others = done["exchange"], done["population"]
                        ratios.append(
                            (ours.designs.mean() / others.designs.mean(), ours.seconds.mean() / others.seconds.mean())
                        )
                        for _ in range(2 if pick == 1 else 0):
                            points, _ = SEARCHES["exchange"](asked.worth, THOROUGH, np.random.default_rng(0))
                            asked = asked.after(points[0])
                say("")
    designs, seconds = np.exp(np.log(ratios).mean(axis=0))
    for search, short in reached.items():
        lost = np.array(short)
        say(
            f"{search}: the best in {np.mean(lost <= SAME):.1%} of {len(lost)} searches, no more than 0.01 short of it "
            f"in {np.mean(lost <= 0.01):.1%}, no more than 0.1 in {np.mean(lost <= 0.1):.1%}; at worst {lost.max():.2f}"
        )
    say(f"Exchanges look at {designs:.1f} times as many designs, and take {seconds:.1f} times as long: geometric means")


if __name__ == "__main__":
    main()
