"""What a measurement teaches: held to brute force on a textbook's Gaussian process, to SciPy and to Monte Carlo."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from alloyloop.design.acquisition import ACQUISITIONS
from alloyloop.design.beliefs import Evidence
from alloyloop.design.classes import ClassBelief
from alloyloop.design.computed import ComputedBelief
from alloyloop.design.exploration import integrated_variance, level_set, log_doubt_settled, posterior_variance
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Match, Maximize, Minimize, Within
from alloyloop.design.outlook import ClassWanted, Limited, Outlook, Sought
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_outlook import ELEMENTS, Field, field, looking, nothing, some_alloys

CANDIDATES = some_alloys(25, np.random.default_rng(99))
REFERENCE = some_alloys(64, np.random.default_rng(98))
LIMITED = Limited("Ms_K", Within(high=62), field(5))


def one(i: int) -> Alloys:
    return CANDIDATES.rows(np.array([i]))


def test_what_a_batch_tells_is_the_information_of_its_joint_measurement() -> None:
    """½ log det(1 + K / σ²) [MacKay 1992], which the gains of one pick after the other must add up to."""
    ours, told = looking(), 0.0
    for i in range(4):
        told += float(np.exp(posterior_variance(ours)(one(i))[0]))
        ours = ours.with_pick(one(i))
    batch = CANDIDATES.rows(np.arange(4))
    joint = np.eye(4) + field().covariance(batch, batch) / field().scatter ** 2
    assert told == pytest.approx(0.5 * np.linalg.slogdet(joint)[1], rel=1e-6)


def test_limited_properties_count_as_well_as_pursued_ones() -> None:
    both = np.exp(posterior_variance(looking(limits=(LIMITED,)))(CANDIDATES))
    pursued = np.exp(posterior_variance(looking())(CANDIDATES))
    limited = np.exp(posterior_variance(looking(Sought("Ms_K", Minimize(), field(5))))(CANDIDATES))
    assert both == pytest.approx(pursued + limited)


def test_where_measurements_do_not_scatter_they_teach_no_more_than_can_be_told() -> None:
    exact = looking(Sought("E_GPa", Minimize(), Field(field().alloys, field().values, scatter=0.0)))
    assert np.isfinite(posterior_variance(exact)(CANDIDATES)).all()


def mean_variance(belief: Field) -> float:
    return float((belief.about(REFERENCE).std ** 2).mean())


@pytest.mark.parametrize("pending", [0, 2])
def test_the_share_of_variance_that_falls_is_that_after_conditioning(pending: int) -> None:
    to_come = CANDIDATES.rows(np.arange(pending))
    gain = integrated_variance(looking(reference=REFERENCE, to_come=to_come))(CANDIDATES)
    before = field().once_measured(to_come, np.zeros(pending))  # the variance is the same whatever is measured
    after = [mean_variance(before.once_measured(one(i), np.zeros(1))) for i in range(len(CANDIDATES))]
    shares = (mean_variance(before) - np.array(after)) / mean_variance(field())
    assert np.exp(gain) == pytest.approx(shares, rel=1e-4)


def test_shares_of_all_wanted_properties_are_summed() -> None:
    together = looking(limits=(LIMITED,), reference=REFERENCE)
    alone = [looking(reference=REFERENCE), looking(Sought("Ms_K", Maximize(), field(5)), reference=REFERENCE)]
    shares = [np.exp(integrated_variance(each)(CANDIDATES)) for each in alone]
    assert np.exp(integrated_variance(together)(CANDIDATES)) == pytest.approx(shares[0] + shares[1])


def test_an_alloy_at_the_rim_teaches_less_of_the_map_than_its_own_variance_says() -> None:
    rim = Alloys(ELEMENTS, np.array([[0.9, 0.0, 0.1]]), {})  # far from the space
    ours = looking(reference=REFERENCE)
    assert posterior_variance(ours)(rim)[0] > posterior_variance(ours)(CANDIDATES).max()
    assert integrated_variance(ours)(rim)[0] < integrated_variance(ours)(CANDIDATES).min()


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=5), st.floats(0, 1))
def test_doubt_settled_is_that_of_two_correlated_normal_values(offs: list[float], share: float) -> None:
    """E[p'²] is the probability that two copies, correlated by the share, are both above 0 [Chevalier et al. 2014]."""
    falls = []
    for off in offs:
        both = multivariate_normal([0, 0], [[1, share], [share, 1]], allow_singular=True).cdf([off, off])
        falls.append(both - norm.cdf(off) ** 2)
    log_fall = log_doubt_settled(np.array(offs)[:, None], np.full((len(offs), 1), share))[0]
    assert np.exp(log_fall) == pytest.approx(sum(falls), abs=2e-5)


def test_what_hardly_settles_anything_is_told_apart_still() -> None:
    logs = log_doubt_settled(np.array([[-60.0], [70.0]]), np.tile([0.1, 0.2, 0.5, 1.0], (2, 1)))
    assert np.isfinite(logs).all()
    assert (np.diff(logs) > 100).all()


@pytest.mark.parametrize(
    ("pursued", "limited"),
    [
        (Sought("E_GPa", Minimize(), field()), Limited("Ms_K", Within(high=62), field(5))),
        (Sought("E_GPa", Minimize(), field()), Limited("Ms_K", Within(50, 65), field(5))),
        (Sought("Ms_K", Match(57.5, 7.5), field(5)), None),
    ],
    ids=["one end", "two ends", "a target and its tolerance"],
)
@pytest.mark.parametrize("pending", [0, 1])
def test_doubt_about_a_limit_falls_as_in_imagined_measurements(
    pursued: Sought, limited: Limited | None, pending: int
) -> None:
    to_come, rng = CANDIDATES.rows(np.arange(pending)), np.random.default_rng(6)
    limits = () if limited is None else (limited,)
    ours = looking(pursued, limits=limits, reference=REFERENCE, to_come=to_come, baseline=field().alloys)
    gain = level_set(ours)(CANDIDATES.rows(np.arange(3)))
    within = limited.limit if limited else pursued.goal.limit  # type: ignore[union-attr]
    levels = [level for level in (within.low, within.high) if np.isfinite(level)]

    def doubt(belief: Field) -> float:
        now = belief.about(REFERENCE)
        chances = [norm.cdf((level - now.mean) / now.std) for level in levels]
        return float(sum((chance * (1 - chance)).mean() for chance in chances))

    falls = np.zeros((3, 100))
    for sample in range(100):
        start = field(5)
        if pending:
            start = start.once_measured(to_come, start.sample(to_come, 1, rng)[0] + rng.normal(0, start.scatter, 1))
        for i in range(3):
            value = start.sample(one(i), 1, rng)[0] + rng.normal(0, start.scatter, 1)
            falls[i, sample] = doubt(start) - doubt(start.once_measured(one(i), value))
    error = 4 * falls.std(axis=1) / 10 + 1e-5
    if pending:  # its values are taken as they are expected: an approximation
        error = error + 0.25 * falls.mean(axis=1)
    assert (np.abs(np.exp(gain) - falls.mean(axis=1)) < error).all()


def test_without_a_boundary_there_is_none_to_find() -> None:
    with pytest.raises(AlloyloopError, match="no property has a limit"):
        level_set(looking())


class Judge:
    """Niobium above 20 at.% makes it beta, more surely the further away."""

    def predict_proba(self, X: object) -> FloatArray:
        beta = norm.cdf((np.asarray(X)[:, 0] - 0.2) / 0.05)
        return np.column_stack([beta, 1 - beta])


def phases(outlook: Outlook | None = None) -> ClassWanted:
    measured = (outlook or looking()).baseline
    blank = np.full(len(measured), np.nan)
    evidence = Evidence("phases", measured, np.zeros(len(measured)), blank, np.array([""] * len(measured)))
    return ClassWanted(ClassBelief(evidence, ("beta", "other"), Features(ELEMENTS), Judge()), "beta", blank)


def with_niobium(*shares: float, zirconium: float = 0.1) -> Alloys:
    return Alloys(ELEMENTS, np.array([[share, zirconium, 1 - share - zirconium] for share in shares]), {})


@cache
def by_class() -> Outlook:
    return looking(classes=(phases(),), reference=some_alloys(256, np.random.default_rng(7)))


def test_the_boundary_of_a_class_is_where_it_is_as_likely_as_not() -> None:
    gain = level_set(by_class())(with_niobium(0.05, 0.15, 0.2, 0.25, 0.35))
    assert gain.argmax() == 2
    assert gain[0] < gain[2] - 3
    assert gain[4] < gain[2] - 3


def test_near_a_pick_there_is_less_to_tell_of_a_class_and_far_from_it_as_much() -> None:
    asked = with_niobium(0.2, 0.21) + with_niobium(0.2, zirconium=0.28)
    before = level_set(by_class())(asked)
    after = level_set(by_class().with_pick(with_niobium(0.2)))(asked)
    assert (after[:2] < before[:2] - 0.5).all()
    assert after[2] > before[2] - 0.1


@pytest.mark.parametrize("name", ["posterior-variance", "integrated-variance", "level-set"])
def test_what_is_computed_has_nothing_to_teach(name: str) -> None:
    price = ComputedBelief("melt_cost", lambda alloys: 10 * alloys.fractions[:, 0])
    limited = Limited("melt_cost", Within(high=2.0), price)
    both = looking(limits=(limited, LIMITED), reference=REFERENCE)
    without = looking(limits=(LIMITED,), reference=REFERENCE)
    build = ACQUISITIONS[name].build
    assert build(both)(CANDIDATES) == pytest.approx(build(without)(CANDIDATES))


@pytest.mark.parametrize("name", ["posterior-variance", "integrated-variance", "level-set"])
def test_only_that_the_melt_succeeds_counts_beside_what_is_learned(name: str) -> None:
    assert ACQUISITIONS[name].weighs == "success"


@pytest.mark.parametrize("name", ["posterior-variance", "integrated-variance", "level-set"])
def test_an_alloy_to_come_teaches_less_a_second_time(name: str) -> None:
    ours = looking(limits=(LIMITED,), reference=REFERENCE, to_come=nothing(REFERENCE))
    build = ACQUISITIONS[name].build
    once, again = (float(build(each)(one(3))[0]) for each in (ours, ours.with_pick(one(3))))
    assert again < once - 0.2
