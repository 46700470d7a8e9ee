"""How well a window is found that is known to be there: a box planted in a SYNTHETIC property, 200 noisy measurements.

    python benchmarks/windows.py                # 500 boxes, some six minutes of one idle core
    python benchmarks/windows.py --draws 60     # to look at

Titanium with two to five other elements, each of 0 to 20 at.% on a step of 1 %; two or four of them are boxed in, in
ranges drawn at random, the others do nothing. What is wanted holds for a design's true property inside the box and
nowhere else. Four kinds of truth:

    each     a property for each boxed element, rising with it, each to be between two limits
    worst    one property, which rises with the distance of the element that is farthest from the middle of its range
    smooth   the same with a flat bottom and a rounded edge, up to another plateau
    hard     the same with a jump at the border: what a Gaussian process cannot learn, and a phase boundary is

Measurements are of designs drawn uniformly, with noise of 15 % of the property's standard deviation over the space. Our
Gaussian process learns them, and the window is sought in which the wants hold, of the alloy itself, with 0.8. Printed:

    inside   the share of the window's designs that lie in the true box, counted exactly; the rule is 0.9, always
    overlap  designs in both over designs in either, counted exactly; the rule is 0.8 in the median with two elements,
             0.6 with four
    too sure by how much the window's probability is above that share, and the probability that a new measurement meets
             the wants above the true one; the rule is at most 0.05
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import process_time

import numpy as np
from reference_space import ran_on
from scipy.special import ndtr
from threadpoolctl import threadpool_limits

from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.features import Alloys, Features, alloys_at
from alloyloop.design.goals import Within
from alloyloop.design.held import held
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.space import DesignSpace
from alloyloop.design.windows import Window, windows
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

TRUTHS = ("each", "worst", "smooth", "hard")
N_MEASURED, NOISE = 200, 0.15
SYMBOLS, MOST = ("Nb", "Zr", "Sn", "Mo", "Ta"), 20
LEAST_INSIDE, LEAST_OVERLAP, MOST_TOO_SURE = 0.9, {2: 0.8, 4: 0.6}, 0.05


@dataclass(frozen=True, eq=False)
class Planted:
    """A box in a space, and properties by which wants hold inside it alone.

    Parameters
    ----------
    space : in which it is
    low, high : (n_boxed,) lowest and highest amounts inside [at.%]
    properties : of (n, n_boxed) amounts, each with its limits
    """

    space: DesignSpace
    low: FloatArray
    high: FloatArray
    properties: tuple[tuple[Callable[[FloatArray], FloatArray], Within], ...]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The box by element."""
        ends = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return dict(zip(self.space.elements, ends, strict=False))

    def amounts(self, points: np.ndarray) -> FloatArray:
        """Of the boxed elements [at.%]."""
        return self.space.percent(points)[:, : len(self.low)]


def planted(n_boxed: int, truth: str, rng: np.random.Generator) -> Planted:
    """A box drawn at random; borders lie between two steps."""
    n_idle = int(rng.integers(0, 6 - n_boxed))
    symbols = SYMBOLS[: n_boxed + n_idle]
    space = DesignSpace(Lattice(tuple(Element(symbol, 0, MOST, 1) for symbol in symbols), "Ti"), "at_pct")
    sides = rng.uniform(0.35, 0.7, n_boxed) if n_boxed == 2 else rng.uniform(0.65, 0.85, n_boxed)
    begins = rng.uniform(0.05, 0.95 - sides)
    low, high = np.floor(begins * MOST) + 1, np.floor((begins + sides) * MOST)
    middle, half = (low + high) / 2, (high - low + 1) / 2
    if truth == "each":
        return Planted(space, low, high, tuple(_of_one(i, low[i] - 0.5, high[i] + 0.5) for i in range(n_boxed)))
    shape = {"worst": _ramp, "smooth": _edge, "hard": _jump}[truth]
    at_border = float(shape(np.ones(1))[0])

    def value(amounts: FloatArray) -> FloatArray:
        return shape(np.abs((amounts - middle) / half).max(axis=1))

    return Planted(space, low, high, ((value, Within(high=at_border)),))


def _of_one(i: int, low: float, high: float) -> tuple[Callable[[FloatArray], FloatArray], Within]:
    def rising(amounts: FloatArray) -> FloatArray:
        return np.asarray(amounts[:, i] / 20 + 0.3 * np.sin(amounts[:, i] / 12))

    ends = np.zeros((2, i + 1))
    ends[:, i] = low, high
    return rising, Within(*rising(ends).tolist())


def _ramp(distance: FloatArray) -> FloatArray:
    return distance


def _edge(distance: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-(distance - 1) / 0.15)))


def _jump(distance: FloatArray) -> FloatArray:
    return np.where(distance > 1, 1.0, np.where(distance < 1, 0.0, 0.5))


@dataclass(frozen=True, slots=True)
class Score:
    """How one window did; see the top of this file."""

    inside: float
    overlap: float
    too_sure: float
    too_sure_measured: float
    seconds: float


def score(case: Planted, probability: float, rng: np.random.Generator) -> Score | None:
    """Measure, learn, look and count; None where no window was found."""
    space, n = case.space, N_MEASURED
    measured = space.sample(n, rng)
    uniform = case.amounts(space.sample(4096, rng))
    alloys, nothing = alloys_at(space, measured, space.elements), np.full(n, np.nan)
    learned: list[tuple[Belief, Within]] = []
    noises = [NOISE * float(of(uniform).std()) for of, _ in case.properties]
    for (of, limit), noise in zip(case.properties, noises, strict=True):
        values = of(case.amounts(measured)) + rng.normal(0, noise, n)
        evidence = Evidence("E_GPa", alloys, values, nothing, np.array([""] * n))
        learned.append((learn(evidence, Option("gaussian-process", Features(space.elements))), limit))

    def chance(asked: Alloys) -> FloatArray:
        return np.exp(sum(belief.log_inside(limit, asked) for belief, limit in learned))

    start = process_time()
    found = windows(space, chance, space.elements, probability, rng, n=1)
    seconds = process_time() - start
    if not found:
        return None
    (window,) = found
    both = n_in_both(case, window)
    points = window.points(space, 4096, rng)
    asked = alloys_at(space, points, space.elements)
    says = np.exp(sum(belief.about(asked).log_probability(limit.low, limit.high) for belief, limit in learned))
    is_so = np.ones(len(points))
    for (of, limit), noise in zip(case.properties, noises, strict=True):
        values = of(case.amounts(points))
        is_so *= ndtr((limit.high - values) / noise) - ndtr((limit.low - values) / noise)
    inside = both / window.n_designs
    overlap = both / (held(space, case.ranges).count + window.n_designs - both)
    return Score(inside, overlap, window.probability_mean - inside, float((says - is_so).mean()), seconds)


def n_in_both(case: Planted, window: Window) -> int:
    """How many designs lie in the true box and in the window."""
    try:
        return held(held(case.space, window.ranges), case.ranges).count
    except AlloyloopError:  # they have nothing in common
        return 0


def main() -> None:
    """Plant, find and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--probability", type=float, default=0.8)
    told = parser.parse_args()
    say = partial(print, flush=True)
    say(ran_on("alloyloop", "numpy", "scipy"))
    say(f"SYNTHETIC: {told.draws} planted boxes, {N_MEASURED} measurements each, windows at {told.probability:g}\n")
    say("boxed truth   boxes found | inside min  5 %   median | overlap 10 % median | too sure max, measured | CPU s")
    every: list[Score] = []
    kinds = [(n_boxed, truth) for n_boxed in LEAST_OVERLAP for truth in TRUTHS]
    for i, (n_boxed, truth) in enumerate(kinds):
        draws = range(i, told.draws, len(kinds))
        with threadpool_limits(limits=1):
            scores = [one for draw in draws if (one := drawn(draw, n_boxed, truth, told.probability)) is not None]
        every += scores
        inside, overlap, sure, measured, seconds = np.array(
            [(one.inside, one.overlap, one.too_sure, one.too_sure_measured, one.seconds) for one in scores]
        ).T
        short = "" if np.median(overlap) >= LEAST_OVERLAP[n_boxed] else "  overlap MISSED"
        say(
            f"{n_boxed:5d} {truth:6s} {len(draws):6d} {len(scores):5d} | {inside.min():10.3f} "
            f"{np.quantile(inside, 0.05):5.3f} {np.median(inside):8.3f} | {np.quantile(overlap, 0.1):12.3f} "
            f"{np.median(overlap):6.3f} | {sure.max():12.3f}, {measured.max():8.3f} | {seconds.mean():5.2f}{short}"
        )
    least, most = min(one.inside for one in every), max(max(one.too_sure, one.too_sure_measured) for one in every)
    n_short = sum(one.inside < LEAST_INSIDE for one in every)
    n_sure = sum(max(one.too_sure, one.too_sure_measured) > MOST_TOO_SURE for one in every)
    say(f"\ninside: {least:.3f} at least, below {LEAST_INSIDE} in {n_short} of {len(every)}")
    say(f"too sure: {most:.3f} at most, above {MOST_TOO_SURE} in {n_sure} of {len(every)}")


def drawn(draw: int, n_boxed: int, truth: str, probability: float) -> Score | None:
    """The score of one box."""
    rng = np.random.default_rng([draw, n_boxed])
    return score(planted(n_boxed, truth, rng), probability, rng)


if __name__ == "__main__":
    main()
