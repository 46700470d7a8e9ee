"""How often the alloy that has the wanted properties is among the first three, of measured alloys that were left out.

    python benchmarks/inverse_recall.py            # some eight minutes of one core
    python benchmarks/inverse_recall.py --parts 2  # two tenths of each table, to look at

Of each published table the rows are left out in tenths. What is wanted are the properties of one alloy left out, each
give or take the standard deviation that is stated of it or usual of such measurements; the answers are ranked among the
alloys left out with it, and count where one of the first three was measured to have all that is wanted. Beside ours, by
the probability that all wants are met under what a campaign believes that leaves everything open, stand

- the nearest neighbour: the known alloy whose properties are nearest to those wanted is looked up, and the alloys left
  out are ranked by how near their compositions are to its;
- a plain Gaussian process: scikit-learn's on at.%, one a property, and alloys ranked by how far its means are from what
  is wanted, in standard deviations of each property over the known alloys;
- chance: what blind choice finds, in closed form; and the ceiling: one alloy left out has what is wanted, always.

The tables are not ours to ship: they are looked for in ../shared/data, or where ALLOYLOOP_SHARED says.
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import islice
from math import comb

import numpy as np
from beliefs import machine, scikit_gaussian_process, shared_data
from left_out_tables import Measured, Part, Table
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from alloyloop.design.erring import together
from alloyloop.design.features import Features
from alloyloop.design.goals import Within
from alloyloop.design.wants import Want, Wanted
from alloyloop.surrogates import FloatArray

N_PARTS, N_FIRST, RATIO = 10, 3, 2.0
TABLES = (
    Table("hea_hardness_wen155", "??_at_pct", ("hardness_HV",)),
    Table(
        "mg_bio_cast_tensile",
        "??_wt_pct,Y_wt_pct,heat_treatment",
        ("yield_strength_MPa", "ultimate_tensile_strength_MPa", "elongation_pct"),
    ),
    Table(
        "birdshot_hea_year1",
        "??_at_pct,V_at_pct",
        ("hardness_HV", "yield_strength_MPa", "ultimate_tensile_strength_true_MPa", "elongation_true_pct"),
    ),
)
OURS, NEAREST, PLAIN, CHANCE, CEILING = "ours", "nearest neighbour", "plain GP", "chance", "ceiling"
BoolArray = NDArray[np.bool_]


def ours(part: Part, low: FloatArray, high: FloatArray) -> FloatArray:
    """How good each alloy left out is (n_wants, m), for limits (n_wants, n_properties)."""
    correlation = together(part.beliefs)
    names = tuple(part.beliefs)

    def of(ends: tuple[FloatArray, FloatArray]) -> FloatArray:
        between = zip(names, *ends, strict=True)
        wants = tuple(Want(name, (name,), Within(float(a), float(b))) for name, a, b in between)
        return Wanted(wants, part.beliefs, correlation=correlation).log_chance(part.asked.alloys)

    return np.array([of(ends) for ends in zip(low, high, strict=True)])


def nearest(part: Part, low: FloatArray, high: FloatArray) -> FloatArray:
    """The same by the known alloy whose properties are nearest to the middle of what is wanted."""
    values = part.known.values
    spread = values.std(axis=0)
    away = ((values[None] - (low + high)[:, None] / 2) / spread) ** 2
    model = part.known.alloys.fractions[away.sum(axis=2).argmin(axis=1)]
    return np.asarray(-np.abs(part.asked.alloys.fractions[None] - model[:, None]).sum(axis=2))


def plain(part: Part, low: FloatArray, high: FloatArray) -> FloatArray:
    """The same by scikit-learn's Gaussian process on at.%."""
    away = np.zeros((len(low), len(part.asked)))
    for k, belief in enumerate(part.beliefs.values()):
        known = belief.evidence.rows(belief.evidence.exact)
        mean = scikit_gaussian_process(Features(known.alloys.elements), 2.5)(known).about(part.asked.alloys).mean
        away += ((mean[None] - (low + high)[:, k, None] / 2) / known.values.std()) ** 2
    return -away


WAYS = {OURS: ours, NEAREST: nearest, PLAIN: plain}


def found(part: Part) -> dict[str, FloatArray]:
    """By way, whether its first three held an alloy that has what one left out has (n,); of chance, how often."""
    values = part.asked.values[None]
    low, high = part.asked.values - part.scatter, part.asked.values + part.scatter
    meets = np.asarray(((low[:, None] <= values) & (values <= high[:, None])).all(axis=2))  # (n_wants, m)
    told = {name: _among_first(way(part, low, high), meets) for name, way in WAYS.items()}
    m, first = meets.shape[1], min(N_FIRST, meets.shape[1])
    told[CHANCE] = np.array([1 - comb(m - n, first) / comb(m, first) for n in meets.sum(axis=1).tolist()])
    return told | {CEILING: np.ones(len(low))}


def _among_first(good: FloatArray, meets: BoolArray) -> FloatArray:
    first = np.argsort(-good, axis=1, kind="stable")[:, :N_FIRST]
    return np.asarray(np.take_along_axis(meets, first, axis=1).any(axis=1), dtype=np.float64)


def report(table: Measured, told: dict[str, FloatArray]) -> None:
    """Print one table's shares."""
    n = len(told[OURS])
    print(f"\n{table.name}: {n} of {len(table.ids)} rows left out; wanted: {', '.join(table.found)}")
    for name, each in told.items():
        share = each.mean()
        print(f"  {name:<18} {share:6.1%} ± {np.sqrt(share * (1 - share) / n):.1%}")
    for name in (NEAREST, PLAIN):
        ratio, most = (told[of].mean() / max(told[name].mean(), 1e-9) for of in (OURS, CEILING))
        word = "reached" if ratio >= RATIO else "MISSED "
        within = "" if most >= RATIO else f"; no ranking could do more than {most:.2f} times as often"
        print(f"  {word}  at least twice as often as {name}: {ratio:.2f} times{within}")


def main() -> None:
    """Print what each way found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=N_PARTS, help="how many of the ten parts to leave out")
    parser.add_argument("--tables", default=",".join(table.name for table in TABLES), help="names, with commas")
    given = parser.parse_args()
    folder = shared_data()
    if folder is None:
        print("Skipped: the tables are not here. They lie in ../shared/data, or where ALLOYLOOP_SHARED says.")
        return
    say = partial(print, flush=True)
    say(machine())
    with threadpool_limits(limits=1):
        for table in (one for one in TABLES if one.name in given.tables.split(",")):
            measured = table.read(folder)
            parts = [found(part) for part in islice(measured.left_out(N_PARTS), given.parts)]
            report(measured, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


if __name__ == "__main__":
    main()
