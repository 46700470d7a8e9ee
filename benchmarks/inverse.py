"""Do answers to wanted properties hold as often as they say? In SYNTHETIC laboratories, and on published tables.

    python benchmarks/inverse.py                  # some twenty minutes of one core
    python benchmarks/inverse.py --tenth          # to look at
    python benchmarks/inverse.py --only real      # or synthetic, or time

Synthetic: in six laboratories, formulas and draws of smooth random functions in which no alloy was measured, 30 to 100
random alloys are melted and two properties measured with noise; beliefs are those that a campaign forms which leaves
everything open. Wants are random: limits on one property or both, on one side or two, that 1 to 20 % of all designs
meet. Five answers are asked for of each, and each is melted and measured once more. Printed is how many met the wants,
by what was claimed of them, as the beliefs say it (plain) and as `design/picked.py` corrects it. Twice: where a
measurement scatters as is usual of its property (`design/usual_scatter.py`), and where it scatters a third of that and
nobody says so.

Whether more is claimed too much the more designs compete is asked of the same wants: the likeliest of the first 10,
100, 1000 and 4000 of a uniform sample.

Real: of published tables the rows are left out in fifths; wants are random limits on one property or two around values
that occur, the three likeliest of the rows left out are picked, and it is looked up whether they met them. The tables
are not ours to ship: they are looked for in ../shared/data, or where ALLOYLOOP_SHARED says.

Time: an answer beside a batch of four that `suggest` would propose, from the same beliefs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from time import process_time

import numpy as np
from beliefs import machine, shared_data
from left_out_tables import Table, believed
from numpy.typing import NDArray
from oracles import fcc_field, field_hardness, many_elements, many_hardness, softness
from reference_space import reference_space
from threadpoolctl import threadpool_limits

from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.diagram import IntArray
from alloyloop.design.erring import together
from alloyloop.design.features import FEATURE_SETS, Alloys, Features, alloys_at, feature_set, telling_descriptors
from alloyloop.design.goals import Minimize, Within
from alloyloop.design.inverse import inverse
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.outlook import Sought, outlook
from alloyloop.design.picked import correction
from alloyloop.design.propose import SPARING, propose
from alloyloop.design.space import DesignSpace
from alloyloop.design.usual_scatter import usual_scatter
from alloyloop.design.wants import Want, Wanted
from alloyloop.surrogates import FloatArray

BoolArray = NDArray[np.bool_]
Formula = Callable[[FloatArray], FloatArray]

SIZES, SEEDS, N_WANTS, N_QUIET, N_ANSWERS = (30, 60, 100), (0, 1), 28, 6, 5  # wants of each table
SHARES = (0.01, 0.2)  # of all designs that meet what is wanted
EDGES = (0.0, 0.15, 0.35, 0.55, 0.75, 0.85, 0.95, 1.0 + 1e-9)
LINE = (0.75, 0.85)  # of answers claimed so, as many must hold
COMPETING = (10, 100, 1000, 4000)
N_REFERENCE = 4000
MOST_ERROR, MOST_TIME = 5.0, 3.0


@dataclass(frozen=True, eq=False)
class Laboratory:
    """A SYNTHETIC laboratory that measures two properties.

    Parameters
    ----------
    name : of it
    space : what may be made
    truths : the properties by name, without noise: (n, n_elements) amounts in at.% -> (n,)
    """

    name: str
    space: DesignSpace
    truths: Mapping[str, Formula]

    def truth(self, points: IntArray) -> dict[str, FloatArray]:
        """Properties of points of the space, without noise."""
        percent = self.space.percent(points)
        return {name: formula(percent) for name, formula in self.truths.items()}


def drawn(seed: int, most: Sequence[float], length: float, mean: float, spread: float) -> Formula:
    """A SYNTHETIC smooth function of a composition, drawn from a Gaussian process with a Matérn-5/2 kernel.

    By 512 random waves [Rahimi and Recht, NeurIPS 20 (2007) 1177].

    Parameters
    ----------
    seed : of the draw
    most : of each element, which amounts are divided by
    length : lengthscale of those ratios
    mean, spread : of the function
    """
    rng, n = np.random.default_rng([77, seed]), 512
    waves = rng.normal(size=(len(most), n)) / np.sqrt(rng.chisquare(5, n) / 5) / length
    phases, heights = rng.uniform(0, 2 * np.pi, n), rng.normal(size=n) * np.sqrt(2 / n)
    return lambda percent: mean + spread * np.cos(percent / np.array(most) @ waves + phases) @ heights


def friedman(at_pct: FloatArray) -> FloatArray:
    """A SYNTHETIC strength of Al-Co-Cr-Fe-Ni [MPa], after Friedman's test function: a product, a bend and two slopes.

    300 + 15 (10 sin(π a b) + 20 (c - 0.5)² + 10 d + 5 e), where a to e are Al, Co, Cr, Fe and Ni over 35 at.%.

    References
    ----------
    Friedman, Ann. Stat. 19 (1991) 1.
    """
    a, b, c, d, e = at_pct.T / 35
    return np.asarray(300 + 15 * (10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e))


def laboratories(seed: int) -> Iterator[Laboratory]:
    """The six; random functions are drawn anew with each seed."""
    titanium, cantor, many = reference_space(0.5), fcc_field().space, many_elements().space
    hea, beta = np.full(5, 35.0), np.array([40.0, 30, 12, 15, 20, 90])

    def strength(most: Sequence[float] | FloatArray, length: float) -> Formula:
        return drawn(seed, list(most), length, 700, 120)

    def hardness(most: Sequence[float] | FloatArray, length: float) -> Formula:
        return drawn(seed + 1000, list(most), length, 350, 60)

    yield Laboratory(
        "beta titanium", titanium, {"youngs_modulus_GPa": softness, "yield_strength_MPa": strength(beta, 1)}
    )
    yield Laboratory("fcc field", cantor, {"hardness_HV": field_hardness, "yield_strength_MPa": strength(hea, 1)})
    yield Laboratory(
        "twelve elements", many, {"hardness_HV": many_hardness, "yield_strength_MPa": strength(np.full(12, 40.0), 1)}
    )
    yield Laboratory("Friedman's function", cantor, {"yield_strength_MPa": friedman, "hardness_HV": hardness(hea, 1)})
    ternary = DesignSpace(Lattice((Element("Nb", 0, 40, 0.5), Element("Zr", 0, 30, 0.5)), "Ti", 0, 100), "at_pct")
    three = (40.0, 30.0, 100.0)
    yield Laboratory(
        "smooth draws, 3 elements",
        ternary,
        {"yield_strength_MPa": strength(three, 0.7), "hardness_HV": hardness(three, 0.7)},
    )
    yield Laboratory(
        "rough draws, 6 elements",
        titanium,
        {"yield_strength_MPa": strength(beta, 0.5), "hardness_HV": hardness(beta, 0.5)},
    )


@dataclass(eq=False)
class Tally:
    """Answers: what was claimed of each, plain and corrected, whether it held, and which they were.

    Parameters
    ----------
    plain, corrected : probabilities claimed
    held : whether the wants were met
    rows : what answers have in common that are not independent of each other
    """

    plain: list[FloatArray] = field(default_factory=list)
    corrected: list[FloatArray] = field(default_factory=list)
    held: list[BoolArray] = field(default_factory=list)
    rows: list[NDArray[np.str_]] = field(default_factory=list)

    def add(self, plain: FloatArray, corrected: FloatArray, held: BoolArray, rows: NDArray[np.str_]) -> None:
        """Some more of them, (n,) each."""
        self.plain.append(plain)
        self.corrected.append(corrected)
        self.held.append(held)
        self.rows.append(rows)

    def table(self) -> Iterator[str]:
        """How many held, by what was claimed."""
        held, rows = np.concatenate(self.held), np.concatenate(self.rows)
        yield f"  {'claimed':<13} {'plain':^39} | {'corrected':^39}"
        yield f"  {'':<13} " + " | ".join([f"{'answers':>7} {'claimed':>8} {'held':>6}  95 % of share"] * 2)
        for low, high in pairwise(EDGES):
            said = []
            for parts in (self.plain, self.corrected):
                claimed = np.concatenate(parts)
                within = (low <= claimed) & (claimed < high)
                said.append(_bin(claimed[within], held[within], rows[within]))
            yield f"  {low:.2f} to {min(high, 1):.2f}  " + " | ".join(said)

    def share(self, parts: Sequence[FloatArray], low: float, high: float) -> tuple[int, float, float]:
        """How many answers were claimed in a range, what share of them held, and what was claimed on average."""
        claimed, held = np.concatenate(parts), np.concatenate(self.held)
        within = (low <= claimed) & (claimed <= high)
        if not within.any():
            return 0, np.nan, np.nan
        return int(within.sum()), float(held[within].mean()), float(claimed[within].mean())


def _bin(claimed: FloatArray, held: BoolArray, rows: NDArray[np.str_]) -> str:
    if not len(held):
        return f"{0:7d}{'':29}"
    low, high = wilson(float(held.mean()), len(np.unique(rows)))
    mark = " " if low <= claimed.mean() <= high else "*"
    return f"{len(held):7d} {claimed.mean():8.3f} {held.mean():6.3f}  {low:.3f} to {high:.3f}{mark}"


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of the probability behind a share of n [Wilson, J. Am. Stat. Assoc. 22 (1927) 209]."""
    z2 = 1.96**2
    middle, half = share + z2 / (2 * n), 1.96 * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return float(middle - half) / (1 + z2 / n), float(middle + half) / (1 + z2 / n)


# -- synthetic ---------------------------------------------------------------------------------------------------------


def options_for(alloys: Alloys) -> dict[str, Option]:
    """What a campaign of these alloys would choose from."""
    telling = telling_descriptors(alloys)
    sets = {name: feature_set(name, telling, alloys.elements, (), None) for name in FEATURE_SETS}
    models = ("gaussian-process", "extra-trees")
    return {f"{model} on {name}": Option(model, seen) for model in models for name, seen in sets.items()}


def random_wants(
    truth: Mapping[str, FloatArray], rng: np.random.Generator
) -> Iterator[tuple[dict[str, Within], BoolArray]]:
    """Limits that a share of designs between `SHARES` meets, and which of the reference designs do; without end."""
    names = list(truth)
    while True:
        asked = rng.choice(names, rng.integers(1, len(names) + 1), replace=False).tolist()
        each = rng.uniform(*SHARES) ** (1 / len(asked))
        limits = {}
        for name in asked:
            start = rng.choice([0.0, 1 - each, rng.uniform(0, 1 - each)], p=[0.25, 0.25, 0.5])
            low, high = np.quantile(truth[name], [start, start + each])
            if low == high:  # of values that were rounded
                break
            limits[name] = Within(-np.inf if start == 0 else low, np.inf if start == 1 - each else high)
        if len(limits) < len(asked):
            continue
        meets = np.all([limit.allows(truth[name]) for name, limit in limits.items()], axis=0)
        if SHARES[0] <= meets.mean() <= SHARES[1]:
            yield limits, meets


def wants_of(limits: Mapping[str, Within]) -> tuple[Want, ...]:
    """Limits by property as wants."""
    return tuple(Want(f"{name} {limit.words}", (name,), limit) for name, limit in limits.items())


@dataclass(eq=False)
class Synthetic:
    """What came of the synthetic laboratories.

    Parameters
    ----------
    answers : all of them
    errors, measured : how far the property of each answer, and one measurement of it, was from the middle of the limits
        wanted, in % of that
    competing : by number of designs, what was claimed of the likeliest of each want, and whether it held
    seconds : CPU time of each answer, and of each correction
    """

    answers: Tally = field(default_factory=Tally)
    errors: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    competing: dict[int, list[tuple[float, bool]]] = field(default_factory=lambda: {n: [] for n in COMPETING})
    by_laboratory: dict[str, Tally] = field(default_factory=dict)

    def run(self, laboratory: Laboratory, n: int, seed: int, noisy: float, n_wants: int) -> None:
        """Melt and measure n alloys, ask, and look."""
        rng = np.random.default_rng([seed, n])
        space, elements = laboratory.space, laboratory.space.elements
        reference, points = space.sample(N_REFERENCE, rng), space.sample(n, rng)
        truth, alloys, competitors = laboratory.truth(reference), alloys_at(space, points, elements), reference
        noise = {name: noisy * (usual_scatter(name, values) or 0.0) for name, values in truth.items()}
        beliefs = {}
        for name, values in laboratory.truth(points).items():
            values = values + rng.normal(0, noise[name], n)
            scatter = usual_scatter(name, values)
            found = Evidence(name, alloys, values, np.full(n, np.nan), np.full(n, ""), usual_scatter=scatter)
            beliefs[name] = believed(found, options_for(alloys))
        correlation = together(beliefs)
        tally = self.by_laboratory.setdefault(laboratory.name, Tally())
        wants = random_wants(truth, rng)
        sample = alloys_at(space, competitors, elements)
        for k in range(n_wants):
            limits, _ = next(wants)
            plainly = Wanted(wants_of(limits), beliefs, correlation=correlation)
            honest = correction(plainly, rng)
            wanted = Wanted(plainly.wants, beliefs, correlation=correlation, correct=honest)
            answers, _ = inverse(space, wanted, elements, N_ANSWERS, rng, effort=SPARING)
            made = laboratory.truth(answers.points)
            new = {name: values + rng.normal(0, noise[name], len(values)) for name, values in made.items()}
            held = np.all([limit.allows(new[name]) for name, limit in limits.items()], axis=0)
            plain = np.exp(wanted.log_chance(alloys_at(space, answers.points, elements)))
            rows = np.full(len(held), f"{laboratory.name} {n} {seed} {k}")  # answers to one want err together
            for one in (self.answers, tally):
                one.add(plain, honest(plain), held, rows)
            self._look_at_errors(limits, made, new)
            self._compete(wanted, sample, truth, noise, limits, rng)

    def _look_at_errors(
        self, limits: Mapping[str, Within], made: Mapping[str, FloatArray], new: Mapping[str, FloatArray]
    ) -> None:
        for name, limit in limits.items():
            target = (limit.low + limit.high) / 2
            if np.isfinite(target):
                self.errors += (100 * np.abs(made[name] - target) / target).tolist()
                self.measured += (100 * np.abs(new[name] - target) / target).tolist()

    def _compete(
        self,
        wanted: Wanted,
        sample: Alloys,
        truth: Mapping[str, FloatArray],
        noise: Mapping[str, float],
        limits: Mapping[str, Within],
        rng: np.random.Generator,
    ) -> None:
        logs = wanted.log_chance(sample)
        for n, said in self.competing.items():
            best = int(np.argmax(logs[:n]))
            new = {name: float(truth[name][best] + rng.normal(0, noise[name])) for name in limits}
            said.append(
                (float(np.exp(logs[best])), all(bool(limits[name].allows(np.array(new[name]))) for name in new))
            )

    def report(self) -> Iterator[str]:
        """What is printed of them."""
        yield from self.answers.table()
        yield "  (* what was claimed lies outside the interval)"
        for words, parts in (("plain", self.answers.plain), ("corrected", self.answers.corrected)):
            n, held, claimed = self.answers.share(parts, *LINE)
            good = n >= 400 and LINE[0] <= held <= LINE[1]
            word = "reached" if good else "MISSED "
            told = f"of {n} answers claimed 0.75 to 0.85 (mean {claimed:.3f}), {held:.1%} held (75 to 85 %)"
            yield f"  {word}  {words}: {told}"
        for name, tally in self.by_laboratory.items():
            n, held, claimed = tally.share(tally.corrected, *LINE)
            yield f"           {name}: {n}, {held:.1%} (claimed {claimed:.1%})"
        word = "reached" if median(self.errors) < MOST_ERROR else "MISSED "
        yield f"  {word}  median property error of five answers {median(self.errors):.1f} % of the target (< 5 %)"
        yield f"           and of one measurement of each {median(self.measured):.1f} %"
        yield "  the likeliest of so many designs: claimed on average, and held"
        for n, said in self.competing.items():
            claimed, held = (float(np.mean(each)) for each in zip(*said, strict=True))
            yield f"    {n:5d}  {claimed:.3f}  {held:.3f} ± {np.sqrt(held * (1 - held) / len(said)):.3f}"


def synthetic(noisy: float, n_wants: int, seeds: Sequence[int]) -> None:
    """Run and print the laboratories."""
    came = Synthetic()
    for seed in seeds:
        for laboratory in laboratories(seed):
            for n in SIZES:
                came.run(laboratory, n, seed, noisy, n_wants)
    words = "as usual" if noisy == 1 else f"{noisy:.2f} of what is usual, and nobody says so"
    n_all = len(seeds) * 6 * len(SIZES) * n_wants
    print(f"\nSYNTHETIC laboratories, {n_all} random wants; measurements scatter {words}")
    for line in came.report():
        print(line, flush=True)


# -- real --------------------------------------------------------------------------------------------------------------

REAL = (
    Table("hea_hardness_wen155", "??_at_pct", ("hardness_HV",)),
    Table("birdshot_hea_year1", "??_at_pct,V_at_pct", ("hardness_HV", "yield_strength_MPa")),
    Table(
        "mg_bio_cast_tensile",
        "??_wt_pct,Y_wt_pct,heat_treatment",
        ("yield_strength_MPa", "ultimate_tensile_strength_MPa"),
    ),
    Table("beta_ti_modulus", "*_wt_pct", ("youngs_modulus_GPa",)),
    Table("rhea_yield_strength", "*_at_pct,test_temperature_C", ("yield_strength_MPa",)),
)
N_FIFTHS, N_PICKED = 5, 3


def real(n_parts: int, n_wants: int) -> None:
    """Leave out, ask and print."""
    folder = shared_data()
    if folder is None:
        print("Skipped: the tables are not here. They lie in ../shared/data, or where ALLOYLOOP_SHARED says.")
        return
    pooled = Tally()
    for table in REAL:
        measured, own, rng = table.read(folder), Tally(), np.random.default_rng(1)
        for _, part in zip(range(n_parts), measured.left_out(N_FIFTHS), strict=False):
            correlation, alloys = together(part.beliefs), part.asked.alloys
            values = dict(zip(part.beliefs, part.asked.values.T, strict=True))
            known = dict(zip(part.beliefs, part.known.values.T, strict=True))
            wants = random_wants(known, rng)
            for _ in range(n_wants):
                limits, _ = next(wants)
                wanted = Wanted(wants_of(limits), part.beliefs, correlation=correlation)
                plain = np.exp(wanted.log_chance(alloys))
                first = np.argsort(-plain, kind="stable")[:N_PICKED]
                held = np.all([limit.allows(values[name][first]) for name, limit in limits.items()], axis=0)
                corrected = correction(wanted, rng, searched=False)(plain[first])
                for tally in (own, pooled):
                    tally.add(plain[first], corrected, held, part.ids[first])
        print(f"\n{table.name}: {len(measured.ids)} rows, {', '.join(table.properties)}; left out in fifths")
        for line in own.table():
            print(line, flush=True)
    print(
        "\nall tables together (* what was claimed lies outside the interval, of as many as there are different rows)"
    )
    for line in pooled.table():
        print(line)


# -- time --------------------------------------------------------------------------------------------------------------


def timed(n: int, repetitions: int) -> None:
    """How long an answer takes beside a batch, from the same beliefs."""
    (laboratory, *_), space = laboratories(0), reference_space(0.5)
    elements, rng = space.elements, np.random.default_rng(n)
    points = space.sample(n, rng)
    alloys, beliefs = alloys_at(space, points, elements), dict[str, Belief]()
    for name, values in laboratory.truth(points).items():
        scatter = usual_scatter(name, values)
        values = values + rng.normal(0, scatter or 0.0, n)
        found = Evidence(name, alloys, values, np.full(n, np.nan), np.full(n, ""), usual_scatter=scatter)
        beliefs[name] = learn(found, Option("gaussian-process", Features(elements)))
    (modulus, limited), none = beliefs, alloys.rows(np.empty(0, dtype=np.int64))
    limits = {modulus: Within(55, 65), limited: Within(low=650)}

    def suggest() -> None:
        known = outlook([Sought(modulus, Minimize(), beliefs[modulus])], alloys, none, none, 4, rng)
        worth = Acquisition(known, acquisition_rule("log-expected-improvement"))
        propose(space, worth, elements, np.empty((0, len(elements)), dtype=np.int64), 4, rng)

    def answer() -> None:
        wanted = Wanted(wants_of(limits), beliefs, correlation=together(beliefs))
        wanted = Wanted(wanted.wants, beliefs, correlation=wanted.correlation, correct=correction(wanted, rng))
        inverse(space, wanted, elements, N_ANSWERS, rng)

    def correcting() -> None:
        correction(Wanted(wants_of(limits), beliefs, correlation=together(beliefs)), rng)

    told = []
    for run in (suggest, answer, correcting):
        run()  # warm
        seconds = []
        for _ in range(repetitions):
            start = process_time()
            run()
            seconds.append(process_time() - start)
        told.append(median(seconds))
    word = "reached" if told[1] < MOST_TIME * told[0] else "MISSED "
    print(
        f"  {word}  {n} rows: suggest {told[0]:.2f} s, inverse {told[1]:.2f} s, {told[1] / told[0]:.1f} times (< 3); "
        f"of it correlation and correction {told[2]:.2f} s",
        flush=True,
    )


def main() -> None:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenth", action="store_true", help="a tenth of the wants, and fewer parts")
    parser.add_argument("--only", default="synthetic,real,time", help="which parts, with commas")
    given = parser.parse_args()
    print(machine(), flush=True)
    with threadpool_limits(limits=1):
        if "synthetic" in given.only:
            for noisy, n_wants in ((1.0, N_WANTS), (1 / 3, N_QUIET)):
                synthetic(noisy, max(n_wants // 10, 1) if given.tenth else n_wants, SEEDS[:1] if given.tenth else SEEDS)
        if "real" in given.only:
            real(1 if given.tenth else N_FIFTHS, 20 if given.tenth else 60)
        if "time" in given.only:
            print("\nCPU time of one thread, warm, medians; two properties, six elements, step 0.5 at.%, five answers")
            for n in (30, 100, 300):
                timed(n, 3 if given.tenth else 5)


if __name__ == "__main__":
    main()
