"""How often the search for the next alloy reaches the very best, where every design of a space can be looked at.

    python benchmarks/optimum.py                # half an hour of one idle core
    python benchmarks/optimum.py --cases 30     # to look at

Random questions: three to six elements with steps of their own, in either basis; bounds, a least amount of what is
present, limits on element counts, rules (one of them on a descriptor), process variables with levels and choices, and a
condition; a SYNTHETIC property, which is smooth or has steps, and its noisy history of 8 to 60 rows; a belief about it
by a Gaussian process or by extra trees, and in a third of the cases a limit on another property; an acquisition, by
name; the first pick of a batch, or the third. Every case is searched at the effort that `suggest` makes, and then every
design is valued, several thousand at a time. Spaces of up to some thousand designs the search lists by itself; the rule
is for those that it does not.

The rule: the true best acquisition value is reached (to 1e-6 nats) in 99 of 100 cases, with each surrogate.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from time import process_time

import numpy as np
from reference_space import ran_on
from threadpoolctl import threadpool_limits

from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.composition import Basis
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Alloys, Features, alloys_at
from alloyloop.design.goals import Maximize, Minimize, Within
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.outlook import Limited, Sought, outlook
from alloyloop.design.process import Choice, Condition, Numeric
from alloyloop.design.propose import THOROUGH, propose
from alloyloop.design.rules import Names, parse_rule
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

MODELS = ("gaussian-process", "extra-trees")
ACQUISITIONS = (
    "log-expected-improvement",
    "log-expected-improvement",  # the default, and so asked for twice as often
    "upper-confidence-bound",
    "probability-of-improvement",
    "greedy",
    "posterior-variance",
)
SAME = 1e-6  # nats: two designs as good as one another
SMALL, LARGE = (500, 4_000), (20_000, 200_000)  # designs; one case in five is small
AT_A_TIME = 8192
NEED = 0.99
BASES: tuple[Basis, ...] = ("at_pct", "wt_pct")
SOLUTES = ("Nb", "Zr", "Sn", "Mo", "Ta")
RULES = ("Nb + Mo >= 5", "Zr <= 1.5 Nb", "Ti >= 50", "vec <= 4.35", "Zr >= 4 if Nb > 10")
PROCESS = (
    Numeric("solution_temperature_C", 750, 1050, 50),
    Choice("quench", ("water", "air", "furnace")),
    Numeric.of_values("ageing_h", np.array([0.0, 1, 4, 24])),
)


def drawn_space(rng: np.random.Generator) -> DesignSpace:
    """A space of a size that can be listed."""
    low, high = SMALL if rng.random() < 0.2 else LARGE
    while True:
        solutes = SOLUTES[: int(rng.integers(2, 6))]
        elements = []
        for symbol in solutes:
            step = float(rng.choice([0.5, 1.0, 2.0, 2.5, 4.0]))
            elements.append(Element(symbol, 0, step * int(rng.integers(3, 16)), step))
        limits = (CountLimit("max_elements", (*solutes, "Ti"), 0, int(rng.integers(3, 7))),)
        least = float(rng.choice([0.0, 0.0, 1.0, 4.0]))
        process = tuple(variable for variable in PROCESS if rng.random() < 0.35)
        conditions = (Condition("test_temperature_C", 37.0),) if rng.random() < 0.3 else ()
        try:
            lattice = Lattice(tuple(elements), "Ti", 20, 100, least, limits)
            names = Names(lattice.symbols)
            rules = tuple(
                parse_rule(text, names)
                for text in RULES
                if rng.random() < 0.3 and all(symbol in solutes for symbol in SOLUTES if symbol in text)
            )
            space = DesignSpace(lattice, BASES[int(rng.integers(2))], process, rules, None, conditions)
            if low <= space.count <= high and space.allows(space.diagram.sample(50, rng)).any():
                return space
        except AlloyloopError:  # bounds that leave no composition
            continue


def property_of(space: DesignSpace, rng: np.random.Generator) -> partial[FloatArray]:
    """A synthetic property: waves, and a step, over amounts scaled by their ranges and levels."""
    n = space.n_elements
    return partial(
        _values,
        span=np.maximum(np.ptp(space.fractions(space.diagram.sample(200, rng)), axis=0), 1e-3),
        waves=rng.normal(0, rng.choice([1.5, 4.0]), (4, n)),
        phases=rng.uniform(0, 2 * np.pi, 4),
        step=(rng.normal(size=n), float(rng.choice([0.0, 10.0]))),
        treatment=rng.normal(0, 4, 64),
    )


def _values(
    alloys: Alloys,
    span: FloatArray,
    waves: FloatArray,
    phases: FloatArray,
    step: tuple[FloatArray, float],
    treatment: FloatArray,
) -> FloatArray:
    scaled = alloys.fractions / span
    value = 60 + 8 * np.sin(scaled @ waves.T + phases).sum(axis=1)
    value = value + step[1] * (scaled @ step[0] > 0.3)
    for i, values in enumerate(alloys.process.values()):
        codes = np.unique(values.astype(str), return_inverse=True)[1]
        value = value + treatment[(7 * i + codes) % 64]
    return np.asarray(value)


@dataclass(frozen=True, eq=False)
class Case:
    """A question, and where the history lies.

    Parameters
    ----------
    space : to look in
    value : what a further design is worth
    taken : (m, d) points of the history and of picks
    said : in words
    """

    space: DesignSpace
    value: Acquisition
    taken: IntArray
    said: str

    def best(self) -> float:
        """Of every design that is left."""
        best = -np.inf
        for start in range(0, self.space.count, AT_A_TIME):
            points = self.space.between(start, start + AT_A_TIME)
            points = points[self.space.allows(points) & ~rows_in(points, self.taken)]
            if len(points):
                best = max(best, float(self.value.value(alloys_at(self.space, points, self.space.elements)).max()))
        return best

    def found(self, seed: int) -> float:
        """By the search."""
        rng = np.random.default_rng([seed, 1])
        batch = propose(self.space, self.value, self.space.elements, self.taken, 1, rng, THOROUGH)
        return float(batch.log_gains[0])


def cases(model: str, seeds: range) -> Iterator[Case]:
    """Random questions to a belief of one kind."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        space = drawn_space(rng)
        points = space.sample(int(rng.integers(8, 61)), rng)
        alloys = alloys_at(space, points, space.elements)
        told = {name: rng.normal(37.0, 100.0, len(points)) for name in (each.name for each in space.conditions)}
        alloys = Alloys(alloys.elements, alloys.fractions, dict(alloys.process) | told)
        features = Features(space.elements, process=(*space.process, *space.conditions))

        option = Option(model, features)

        def belief(
            rng: np.random.Generator = rng,
            space: DesignSpace = space,
            alloys: Alloys = alloys,
            option: Option = option,
        ) -> Belief:
            values = property_of(space, rng)(alloys) + rng.normal(0, 2, len(alloys))
            nothing = np.full(len(values), np.nan)
            return learn(Evidence("E_GPa", alloys, values, nothing, np.array([""] * len(values))), option)

        goal = Minimize() if rng.random() < 0.5 else Maximize()
        limits = [Limited("YS_MPa", Within(low=60.0), belief())] if rng.random() < 1 / 3 else []
        name = ACQUISITIONS[int(rng.integers(len(ACQUISITIONS)))]
        at = alloys_at(space, points, space.elements)  # as it would be at the wanted conditions
        nothing_to_come = at.rows(np.array([], dtype=np.int64))
        reference = alloys_at(space, space.sample(256, rng), space.elements)
        known = outlook([Sought("E_GPa", goal, belief())], at, nothing_to_come, reference, 3, rng, limits=limits)
        said = f"{space.count} designs, {len(space.process)} process, {len(points)} rows, {name}"
        case = Case(space, Acquisition(known, acquisition_rule(name)), points, said)
        for _ in range(2 * int(rng.integers(2))):
            picked = propose(space, case.value, space.elements, case.taken, 1, rng, THOROUGH).points
            after = case.value.with_pick(alloys_at(space, picked, space.elements))
            case = replace(case, value=after, taken=np.vstack([case.taken, picked]), said=f"{case.said}, a later pick")
        yield case


def main() -> None:
    """Search, list and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300)
    n_cases = parser.parse_args().cases
    say = partial(print, flush=True)
    say(ran_on("alloyloop", "numpy", "scipy", "scikit-learn"))
    say(f"{n_cases} cases with each surrogate; effort: {THOROUGH}\n")
    with threadpool_limits(limits=1):
        for model in MODELS:
            short, counts, seconds = np.empty(n_cases), np.empty(n_cases), np.empty(n_cases)
            for i, case in enumerate(cases(model, range(n_cases))):
                start = process_time()
                found = case.found(i)
                seconds[i], counts[i], short[i] = process_time() - start, case.space.count, case.best() - found
                if short[i] > SAME:
                    say(f"  {model}, case {i}: {short[i]:.2g} nats short; {case.said}")
            reached, large = short <= SAME, counts > THOROUGH.n_listed
            say(
                f"{model:<17} reached {reached.mean():.1%} of all; of {large.sum()} spaces too large to be listed "
                f"({np.median(counts[large]):.0f} designs in the median, at most {counts.max():.0f}) "
                f"{reached[large].mean():.1%}; {np.median(seconds):.2f} s a pick"
                f"{'' if reached[large].mean() >= NEED else '   MISSED'}"
            )


if __name__ == "__main__":
    main()
