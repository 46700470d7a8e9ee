"""From wants to alloys: against every design of small spaces, closed forms of one normal, and draws.

The beliefs are `Field`s, Gaussian processes by the textbook, so that what is expected can be computed beside them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from alloyloop.design.computed import ComputedBelief, computed
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Alloys, alloys_at
from alloyloop.design.formulas import Formula
from alloyloop.design.goals import Is, Maximize, Within
from alloyloop.design.held import held
from alloyloop.design.inverse import Found, claimed, inverse
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.propose import THOROUGH
from alloyloop.design.reaching import Reach
from alloyloop.design.regions import Distance, regions
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.design.telling_apart import Apart
from alloyloop.design.wants import Want, Wanted
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_outlook import ELEMENTS, Field, field, rate
from .test_wants import of_class

SPACE = DesignSpace(Lattice((Element("Nb", 0, 40, 2.5), Element("Zr", 0, 30, 2.5)), "Ti"), "at_pct")
FINE = DesignSpace(Lattice((Element("Nb", 0, 40, 0.25), Element("Zr", 0, 30, 0.25)), "Ti"), "at_pct")
CLIMBING = replace(THOROUGH, n_listed=0)
NUMBERS = {"E_GPa": field(0), "YS_MPa": field(1), "rate": rate(2)}
TOGETHER = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])


def want(name: str, low: float = -inf, high: float = inf) -> Want:
    return Want(f"{name} {low:g} to {high:g}", (name,), Within(low, high))


EASY = (want("E_GPa", 52, 66), want("YS_MPa", low=58))
HARD = (want("E_GPa", 58, 60), want("YS_MPa", low=64))


@cache
def every(space: DesignSpace) -> IntArray:
    points = space.between(0, space.count)
    return points[space.allows(points)]


def alloys(points: IntArray, space: DesignSpace = SPACE) -> Alloys:
    return alloys_at(space, points, ELEMENTS)


def asked(
    wants: tuple[Want, ...], space: DesignSpace = SPACE, n: int = 3, seed: int = 0, **told: object
) -> tuple[Found, Reach]:
    wanted = Wanted(wants, NUMBERS, correlation=TOGETHER)
    return inverse(space, wanted, ELEMENTS, n, np.random.default_rng(seed), **told)  # type: ignore[arg-type]


def chances(
    wants: tuple[Want, ...], points: IntArray, space: DesignSpace = SPACE, *, measured: bool = True
) -> FloatArray:
    return Wanted(wants, NUMBERS, correlation=TOGETHER).chance(alloys(points, space), measured=measured)


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wants", [EASY, HARD, (want("E_GPa", high=20),)], ids=["easy", "hard", "hopeless"])
@pytest.mark.parametrize("space", [SPACE, FINE], ids=["listed", "climbed"])
def test_the_first_answer_is_the_likeliest_of_all_designs(space: DesignSpace, wants: tuple[Want, ...]) -> None:
    effort = THOROUGH if space is SPACE else CLIMBING
    found, reach = asked(wants, space, effort=effort)
    best = np.log(chances(wants, every(space), space)).max()
    assert np.log(found.chance[0]) == pytest.approx(best, abs=1e-6 if space is SPACE else 0.01)
    assert reach.best == pytest.approx(found.chance.max())


def test_an_answer_is_told_with_its_probability_and_that_of_each_want() -> None:
    found, _ = asked(EASY)
    np.testing.assert_allclose(found.chance, chances(EASY, found.points))
    for i, one in enumerate(EASY):
        np.testing.assert_allclose(found.chances[:, i], chances((one,), found.points), rtol=1e-9)
    np.testing.assert_array_equal(found.value, 0.0)


def test_without_the_noise_of_a_measurement_it_is_the_property_itself_that_is_asked() -> None:
    found, _ = asked(EASY, measured=False)
    np.testing.assert_allclose(found.chance, chances(EASY, found.points, measured=False))
    assert found.chance[0] == pytest.approx(chances(EASY, every(SPACE), measured=False).max())


@pytest.mark.parametrize("effort", [THOROUGH, CLIMBING], ids=["listed", "climbed"])
def test_answers_are_designs_of_the_space_that_a_laboratory_tells_apart(effort: object) -> None:
    space = FINE if effort is CLIMBING else SPACE
    found, _ = asked((want("E_GPa", 56, 62),), space, n=8, effort=effort)
    assert len(found) == 8
    assert space.allows(found.points).all()
    for i in range(8):
        assert not Apart(space).too_close(np.delete(found.points, i, axis=0), found.points[[i]]).any()


def test_what_is_to_be_avoided_is_no_answer() -> None:
    best = asked(EASY)[0].points
    found, _ = asked(EASY, avoid=best)
    assert not rows_in(found.points, best).any()


def test_a_space_of_three_designs_has_three_answers() -> None:
    three = held(SPACE, {"Nb": (10, 10), "Zr": (0, 5)})
    assert three.count == 3
    found, _ = asked(EASY, three, n=5)
    assert len(found) == 3
    with pytest.raises(AlloyloopError, match="is taken"):
        asked(EASY, three, n=5, avoid=every(three))


def test_what_is_fixed_is_so_in_every_answer() -> None:
    part = held(FINE, {"Nb": (20, 30), "Zr": (5, 5)})
    found, _ = asked(EASY, part)
    amounts = part.percent(found.points)
    assert ((amounts[:, 0] >= 20) & (amounts[:, 0] <= 30) & (amounts[:, 1] == 5)).all()
    assert found.chance[0] == pytest.approx(chances(EASY, every(part), part).max())


def test_the_same_seed_gives_the_same_answers() -> None:
    (one, reach), (other, again) = (asked(HARD, FINE, seed=3, effort=CLIMBING) for _ in range(2))
    np.testing.assert_array_equal(one.points, other.points)
    assert reach.relaxed == again.relaxed
    np.testing.assert_array_equal(reach.where, again.where)


def hills(*heights: float) -> Field:
    """A property that is 60 where little is known, and as high as said at niobium 5, 20 and 35 at.%."""
    at = np.array([[0.05, 0.15, 0.8], [0.2, 0.15, 0.65], [0.35, 0.15, 0.5]])
    return Field(Alloys(ELEMENTS, at, {}), np.array(heights), scatter=1.0, reach=0.06)


EVEN = DesignSpace(Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 30, 1)), "Ti"), "at_pct")


def high(*heights: float) -> Wanted:
    """Wants what is above 70."""
    return Wanted((want("E_GPa", low=70),), {"E_GPa": hills(*heights)})


def answered(wanted: Wanted) -> Found:
    return inverse(EVEN, wanted, ELEMENTS, 2, np.random.default_rng(0))[0]


def test_answers_are_of_different_regions_where_there_are_several() -> None:
    found = answered(high(80, 40, 79))
    np.testing.assert_allclose(EVEN.percent(found.points)[:, 0], [5, 35], atol=2)
    np.testing.assert_array_equal(found.regions, [0, 1])


def test_answers_of_one_region_are_as_far_apart_as_likely_ones_can_be_and_it_is_said() -> None:
    wanted = high(80, 40, 40)
    found = answered(wanted)
    np.testing.assert_array_equal(found.regions, [0, 0])
    distance = Distance.usual(EVEN, np.random.default_rng(0))
    likely = every(EVEN)[wanted.chance(alloys(every(EVEN), EVEN)) >= 0.8]
    farthest = distance(likely, found.points[:1]).max()
    assert found.chance.min() >= 0.8
    assert farthest / 2 < distance(found.points[:1], found.points[1:])[0] <= farthest  # halves are tried


def test_the_second_answer_is_one_far_away_and_not_a_likelier_one_next_door() -> None:
    wanted = high(80, 40, 73)
    found = answered(wanted)
    neighbours = EVEN.neighbours(found.points[0])
    assert wanted.chance(alloys(neighbours, EVEN)).max() > found.chance[1]
    assert not rows_in(found.points[1:], neighbours).any()


@pytest.mark.parametrize(("valley", "expected"), [((0.18, 0.22), [0, 1, 1]), ((0.5, 0.6), [0, 0, 0])])
def test_a_valley_between_two_answers_parts_their_regions(valley: tuple[float, float], expected: list[int]) -> None:
    three = alloys(SPACE.snap(np.array([[5.0, 10, 85], [35, 10, 55], [30, 10, 60]]), {})[0])

    def is_likely(of: Alloys) -> NDArray[np.bool_]:
        return np.asarray((of.fractions[:, 0] < valley[0]) | (of.fractions[:, 0] > valley[1]))

    assert regions(three, (), is_likely).tolist() == expected


# -- their order -------------------------------------------------------------------------------------------------------


def test_the_likelier_comes_first() -> None:
    found, _ = asked(HARD, n=6)
    assert (np.diff(np.round(found.chance, 2)) <= 0).all()


def test_of_answers_alike_the_cheaper_comes_first_and_else_the_nearer_to_a_known_alloy() -> None:
    certain = Wanted((want("vec", low=4.0),), {"vec": computed("vec")})  # which every alloy meets
    rng = np.random.default_rng(0)
    cheap, _ = inverse(SPACE, certain, ELEMENTS, 5, rng, cost=lambda of: 1 + of.fractions[:, 0])
    assert (np.diff(SPACE.percent(cheap.points)[:, 0]) >= 0).all()
    known = alloys(SPACE.snap(np.array([[40.0, 30.0, 30.0]]), {})[0])
    near, _ = inverse(SPACE, certain, ELEMENTS, 5, rng, known=known)
    assert (np.diff(np.abs(alloys(near.points).fractions - known.fractions).sum(axis=1)) >= 0).all()


def test_what_is_pursued_is_best_among_designs_that_are_likely_enough() -> None:
    wants = (want("E_GPa", 50, 70), Want("maximize YS_MPa", ("YS_MPa",), Maximize()))
    for space, effort in ((SPACE, THOROUGH), (FINE, CLIMBING)):
        found, _ = asked(wants, space, probability=0.7, effort=effort)
        likely = every(space)[chances(wants[:1], every(space), space) >= 0.7]
        best = field(1).about(alloys(likely, space)).mean.max()
        assert found.value[0] == pytest.approx(best, rel=1e-3)
        assert found.chance[0] >= 0.7
        assert (np.diff(found.value) <= 0).all()


def test_where_no_design_is_likely_enough_what_is_pursued_waits() -> None:
    wants = (*HARD, Want("maximize rate", ("rate",), Maximize()))
    found, reach = asked(wants)
    assert not reach.reachable
    assert found.chance[0] == pytest.approx(chances(HARD, every(SPACE)).max())


def test_a_narrow_band_of_a_descriptor_is_found_where_no_sample_meets_it() -> None:
    wide = DesignSpace(Lattice((Element("Nb", 0, 40, 0.1), Element("Zr", 0, 30, 0.1)), "Ti"), "at_pct")
    band = (want("vec", 4.3069, 4.3071), want("E_GPa", 40, 80))  # niobium 30.7 at.%: one design in 400
    wanted = Wanted(band, NUMBERS | {"vec": computed("vec")})
    found, _ = inverse(wide, wanted, ELEMENTS, 2, np.random.default_rng(0), effort=replace(CLIMBING, n_sampled=64))
    np.testing.assert_allclose(wide.percent(found.points)[:, 0], 30.7)


def test_treatments_are_chosen_too_and_other_treatments_are_other_regions() -> None:
    process = (Numeric("temperature_C", 700, 900, 50), Choice("quench", ("water", "air")))
    space = replace(SPACE, process=process)
    found, _ = asked(EASY, space, n=2)
    assert space.allows(found.points).all()
    quench = found.points[:, -1]
    assert quench[0] != quench[1]
    assert found.regions.tolist() == [0, 1]


def test_a_space_of_treatments_alone_is_answered() -> None:
    space = DesignSpace(None, "at_pct", (Numeric("power_W", 100, 300, 10),))

    def density(of: Alloys) -> FloatArray:
        return np.asarray(99 - (np.asarray(of.process["power_W"], dtype=np.float64) - 210) ** 2 / 1000)

    dense = Wanted((want("density", low=98.95),), {"density": ComputedBelief("density", density)})
    found, _ = inverse(space, dense, (), 2, np.random.default_rng(0))
    levels = space.process_values(found.points)["power_W"]
    assert ((levels >= 203) & (levels <= 217)).any()


# -- claims and honest probabilities -----------------------------------------------------------------------------------


def test_answers_are_told_with_their_honest_probability() -> None:
    wanted = Wanted(EASY, NUMBERS, correct=lambda claim: claim**2)
    found, reach = inverse(SPACE, wanted, ELEMENTS, 3, np.random.default_rng(0), probability=0.5)
    best = Wanted(EASY, NUMBERS).chance(alloys(every(SPACE))).max()
    assert found.chance[0] == pytest.approx(best**2)
    assert reach.best == pytest.approx(best**2)
    assert reach.reachable == (best**2 >= 0.5)


def test_a_claim_is_as_high_as_makes_it_honest() -> None:
    wanted = Wanted(EASY, NUMBERS, correct=lambda claim: claim**2)
    assert np.exp(claimed(wanted, 0.64)) == pytest.approx(0.8)
    assert claimed(replace(wanted, correct=lambda claim: claim * 0.7), 0.8) == inf


def test_where_no_claim_is_honest_enough_nothing_is_said_to_help() -> None:
    wanted = Wanted(EASY, NUMBERS, correct=lambda claim: 0.7 * claim)
    _, reach = inverse(SPACE, wanted, ELEMENTS, 1, np.random.default_rng(0))
    assert not reach.reachable
    assert reach.relaxed == {} == reach.together


# -- what can be reached -----------------------------------------------------------------------------------------------


def test_what_is_reachable_needs_no_widening() -> None:
    _, reach = asked(EASY, probability=0.5)
    assert reach.reachable
    assert (reach.relaxed, reach.together, reach.share) == ({}, {}, 0.0)


def test_the_bottleneck_is_the_want_without_which_most_could_be_had() -> None:
    wants = (want("E_GPa", 40, 80), want("YS_MPa", low=85), want("rate", 0.2, 5))
    _, reach = asked(wants)
    without = [chances(tuple(w for w in wants if w is not each), every(SPACE)).max() for each in wants]
    assert reach.bottleneck == wants[int(np.argmax(without))].words == wants[1].words


def least_widening(low: float, high: float, others: FloatArray, probability: float) -> float:
    """By how much the first want is to be widened, at the design that needs least: each by a root finder of its own."""
    now, least = NUMBERS["E_GPa"].about(alloys(every(SPACE))), inf
    for mean, std, other in zip(now.mean, now.measured_std, others, strict=True):

        def ends(t: float, mean: float = mean) -> tuple[float, float]:
            return min(low, mean - t), max(high, mean + t)

        def missing(t: float, mean: float = mean, std: float = std, other: float = other) -> float:
            a, b = ends(t, mean)
            return float((norm.cdf(b, mean, std) - norm.cdf(a, mean, std)) * other - probability)

        farthest = abs(low - mean) + abs(high - mean)
        if other > probability:
            a, b = ends(brentq(missing, -farthest, farthest + 12 * std))
            least = min(least, low - a + b - high)
    return least


@pytest.mark.parametrize(("space", "effort"), [(SPACE, THOROUGH), (SPACE, CLIMBING)], ids=["listed", "climbed"])
def test_one_want_is_widened_as_little_as_a_search_of_all_designs_finds(space: DesignSpace, effort: object) -> None:
    wants = (want("E_GPa", 58, 60), want("YS_MPa", low=55))
    wanted = Wanted(wants, NUMBERS)
    _, reach = inverse(space, wanted, ELEMENTS, 1, np.random.default_rng(0), effort=effort)  # type: ignore[arg-type]
    others = chances(wants[1:], every(SPACE))
    low, high = reach.relaxed[wants[0].words]
    assert (low <= 58, high >= 60) == (True, True)
    assert (58 - low) + (high - 60) == pytest.approx(least_widening(58, 60, others, 0.8), abs=0.01)


@pytest.mark.parametrize("share", [0.98, 1.02], ids=["a little less", "as said"])
def test_what_is_said_to_be_enough_is_just_enough(share: float) -> None:
    _, reach = asked(HARD)
    assert not reach.reachable
    assert set(reach.relaxed) == {one.words for one in HARD[:1]}
    for i, one in enumerate(HARD[:1]):
        assert isinstance(one.goal, Within)
        low, high = reach.relaxed[one.words]
        goal = Within(
            one.goal.low - share * (one.goal.low - low) if np.isfinite(low) else -inf,
            one.goal.high + share * (high - one.goal.high) if np.isfinite(high) else inf,
        )
        widened = tuple(replace(one, goal=goal) if j == i else other for j, other in enumerate(HARD))
        assert (chances(widened, every(SPACE)).max() >= 0.8) == (share > 1)


def test_a_want_whose_widening_cannot_help_is_not_named() -> None:
    wants = (want("E_GPa", 40, 80), want("YS_MPa", low=120))
    _, reach = asked(wants)
    assert list(reach.relaxed) == [wants[1].words]


def test_all_are_widened_by_one_share_of_their_spreads_and_no_more_than_needed() -> None:
    _, reach = asked(HARD)
    moved = {}
    for one in HARD:
        assert isinstance(one.goal, Within)
        low, high = reach.together[one.words]
        moved[one.words] = [end for end in (one.goal.low - low, high - one.goal.high) if np.isfinite(end)]
        spread = float(NUMBERS[one.names[0]].about(alloys(every(SPACE))).mean.std())
        np.testing.assert_allclose(moved[one.words], reach.share * spread, rtol=0.05)
    for share, is_enough in ((1.01, True), (0.98, False)):
        widened = []
        for one in HARD:
            assert isinstance(one.goal, Within)
            by = share * moved[one.words][0]
            widened.append(replace(one, goal=Within(one.goal.low - by, one.goal.high + by)))
        assert (chances(tuple(widened), every(SPACE)).max() >= 0.8) == is_enough


def test_a_class_is_never_widened() -> None:
    beta = Want("phases is beta", ("phases",), Is("beta"))
    wanted = Wanted((want("E_GPa", 40, 80), beta), NUMBERS, {"phases": of_class("beta", "other")})
    _, reach = inverse(SPACE, wanted, ELEMENTS, 1, np.random.default_rng(0), probability=0.95)
    assert reach.bottleneck == beta.words
    assert beta.words not in reach.relaxed


def truly_met(wants: tuple[Want, ...], n: int) -> FloatArray:
    """In which draws which of all designs meet wants, by the belief's own way to draw; properties err on their own."""
    rng = np.random.default_rng(9)
    met = np.ones((n, len(every(SPACE))), dtype=bool)
    for one in wants:
        assert isinstance(one.goal, Within)
        met &= one.goal.allows(NUMBERS[one.names[0]].sample(alloys(every(SPACE)), n, rng))
    return met


def test_what_is_left_is_as_often_met_as_in_draws() -> None:
    wants = (want("E_GPa", 58, 60), want("YS_MPa", low=72))
    _, reach = inverse(SPACE, Wanted(wants, NUMBERS), ELEMENTS, 1, np.random.default_rng(0))
    met = truly_met(wants, 4000)
    expected = met.any(axis=1).mean()
    assert 0.1 < expected < 0.9
    assert reach.chance_left == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 256))
    # The first design to melt is among those that meet all wants most often.
    often = met.mean(axis=0)
    assert often[rows_in(every(SPACE), reach.where[:1])][0] > 0.8 * often.max()


def test_what_errs_together_is_seldom_high_in_one_and_low_in_the_other() -> None:
    apart = (want("a", low=60), want("b", high=58))
    left = []
    for r in (-0.95, 0.95):
        wanted = Wanted(apart, {"a": field(0), "b": field(0)}, correlation=np.array([[1, r], [r, 1]]))
        left.append(inverse(SPACE, wanted, ELEMENTS, 1, np.random.default_rng(0))[1].chance_left)
    assert left[1] < left[0] - 0.1


def test_where_nothing_may_meet_the_wants_there_is_nothing_to_melt() -> None:
    _, reach = asked((want("E_GPa", high=-40),))
    assert reach.chance_left == 0
    assert len(reach.where) == 0


# -- what makes one sure -----------------------------------------------------------------------------------------------


def after_one_melt(belief: Field, answer: Alloys, melted: Alloys, goal: Within, n: int = 1500) -> FloatArray:
    """What the probability of the property itself becomes, once a design has been measured, in n draws of what is."""
    now, rng = belief.about(melted), np.random.default_rng(3)
    told = []
    for value in rng.normal(now.mean[0], np.hypot(now.std[0], now.noise[0]), size=n):
        then = belief.once_measured(melted, np.array([value])).about(answer)
        told.append(float(np.exp(goal.log_probability(then.mean, then.std))[0]))
    return np.array(told)


@pytest.mark.parametrize("one", [want("E_GPa", 57, 61), want("E_GPa", low=66)], ids=["a range", "a limit"])
def test_the_doubt_falls_by_as_much_as_in_draws_of_what_a_melt_may_show(one: Want) -> None:
    assert isinstance(one.goal, Within)
    belief = field(0, scatter=4.0)
    wanted = Wanted((one,), {"E_GPa": belief})
    found, _ = inverse(SPACE, wanted, ELEMENTS, 1, np.random.default_rng(0), probability=0.7)
    answer, told = alloys(found.points), found.surer[0]
    p = float(wanted.chance(answer, measured=False)[0])
    assert told.doubt == pytest.approx(p * (1 - p))
    then = after_one_melt(belief, answer, answer, one.goal)
    assert told.doubt - told.gain == pytest.approx((then * (1 - then)).mean(), abs=0.01)
    assert told.confirmed == pytest.approx((then >= 0.7).mean(), abs=0.04)
    if told.other is not None:
        then = after_one_melt(belief, answer, alloys(told.other[None]), one.goal)
        assert told.doubt - told.other_gain == pytest.approx((then * (1 - then)).mean(), abs=0.01)


def test_the_other_design_is_the_one_that_teaches_most() -> None:
    belief = field(0, scatter=8.0)  # so noisy that a design of a larger variance may teach more
    found, _ = inverse(
        SPACE, Wanted((want("E_GPa", 57, 61),), {"E_GPa": belief}), ELEMENTS, 3, np.random.default_rng(0)
    )
    others = alloys(every(SPACE))
    for point, told in zip(found.points, found.surer, strict=True):
        answer = alloys(point[None])
        shared = belief.covariance(answer, others)[0] ** 2 / (belief.about(others).std ** 2 + 8.0**2)
        own = belief.about(answer).std[0] ** 4 / (belief.about(answer).std[0] ** 2 + 8.0**2)
        if told.other is None:
            assert shared.max() < 1.06 * own
        else:
            assert shared[rows_in(every(SPACE), told.other[None])][0] > 0.99 * shared.max()
            assert told.other_gain > told.gain


def test_the_want_that_is_least_decided_carries_the_doubt() -> None:
    found, _ = asked(HARD)
    p = np.column_stack([chances((one,), found.points, measured=False) for one in HARD])
    doubts = p * (1 - p)
    for i, told in enumerate(found.surer):
        assert told.want == HARD[int(doubts[i].argmax())].words
        assert told.share == pytest.approx(doubts[i].max() / doubts[i].sum())


def test_of_a_class_one_melt_shows_which_it_is() -> None:
    beta = Want("phases is beta", ("phases",), Is("beta"))
    wanted = Wanted((beta,), NUMBERS, {"phases": of_class("beta", "other")})
    found, _ = inverse(SPACE, wanted, ELEMENTS, 1, np.random.default_rng(0))
    (told,) = found.surer
    assert (told.name, told.confirmed) == ("phases", found.chance[0])
    assert told.gain == told.doubt


def test_of_a_formula_what_it_hangs_on_most_is_to_be_measured() -> None:
    sure, unsure = field(0, spread=1.0), field(1, spread=15.0)
    ratio = Want("a / b above 1", ("a", "b"), Within(low=1.05), Formula("a / b"))
    for a, b, name in ((sure, unsure, "b"), (unsure, sure, "a")):
        found, _ = inverse(SPACE, Wanted((ratio,), {"a": a, "b": b}), ELEMENTS, 1, np.random.default_rng(0))
        assert found.surer[0].name == name


def test_what_is_to_be_melted_is_told_apart() -> None:
    _, reach = asked(HARD, FINE, effort=CLIMBING)
    assert len(reach.where) > 1
    for i in range(1, len(reach.where)):
        assert not Apart(FINE).too_close(reach.where[[i]], reach.where[:i]).any()
