"""Judging beliefs on rows left out: nobody sees what he is judged by, and every score says which rows it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design import comparing
from alloyloop.design.beliefs import Choice as Chosen
from alloyloop.design.beliefs import Evidence, Option, Part
from alloyloop.design.comparing import (
    LEAST_DESIGNS,
    MOST_ALONE,
    Learned,
    choosing,
    frequencies,
    judged,
    judged_classes,
    mean_baseline,
    mixture_baseline,
    random_folds,
    source_folds,
    why_not_by_source,
    why_not_random,
    without_process,
)
from alloyloop.design.features import Alloys, Features, designs
from alloyloop.design.process import Choice, Condition
from alloyloop.surrogates import Prediction
from alloyloop.surrogates.scales import LOG

RNG = np.random.default_rng(0)
QUENCH, TESTED = Choice("quench", ("air", "water")), Condition("test_temperature_C", 37.0)


def measured(n: int, sources: list[str] | None = None, values: np.ndarray | None = None) -> Evidence:
    """n alloys of three elements, 100 GPa of the first, 50 of the second and 80 of the third, give or take nothing."""
    fractions = np.random.default_rng(n).dirichlet(np.ones(3), n)
    values = fractions @ [100.0, 50.0, 80.0] if values is None else values
    told = np.array([""] * n if sources is None else sources, dtype=np.str_)
    return Evidence("youngs_modulus_GPa", Alloys(("Nb", "Ti", "Zr"), fractions, {}), values, np.full(n, np.nan), told)


def by_heart(known: Evidence) -> Learned:
    """Knows what it has seen, and says 1000 of the rest: a leak shows."""
    seen = {tuple(row): value for row, value in zip(known.alloys.fractions, known.values, strict=True)}

    def about(alloys: Alloys) -> Prediction:
        mean = np.array([seen.get(tuple(row), 1000.0) for row in alloys.fractions])
        return Prediction(mean, np.zeros(len(mean)), np.ones(len(mean)))

    return Learned("by heart", about)


def test_no_row_is_judged_by_who_has_seen_it_and_its_own_rows_are_scored_beside() -> None:
    evidence = measured(20)
    one = judged(evidence, by_heart, random_folds(evidence, 0))
    assert (one.held_out.mean == 1000).all()
    assert one.train["rmse"] == 0
    assert one.taken == ("by heart",) * 5


def test_every_value_is_judged_once_in_the_order_of_the_rows_and_a_bound_never() -> None:
    evidence = replace(measured(20), censored=np.where(np.arange(20) % 4 == 0, 1, 0))
    one = judged(evidence, mean_baseline, random_folds(evidence, 3))
    assert one.rows.tolist() == [i for i in range(20) if i % 4]
    np.testing.assert_array_equal(one.held_out.y, evidence.values[one.rows])


def test_rows_of_one_design_are_left_out_together() -> None:
    evidence = measured(30)
    fractions = evidence.alloys.fractions[np.repeat(np.arange(10), 3)]
    evidence = replace(evidence, alloys=Alloys(("Nb", "Ti", "Zr"), fractions, {}))
    assert (judged(evidence, by_heart, random_folds(evidence, 0)).held_out.mean == 1000).all()


@given(st.integers(LEAST_DESIGNS, 40), st.integers(0, 2**32 - 1))
def test_random_folds_judge_every_row_once(n: int, seed: int) -> None:
    folds = random_folds(measured(n), seed)
    assert sorted(np.concatenate([unseen for _, unseen in folds])) == list(range(n))
    assert len(folds) == 5


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=6, max_size=40))
def test_no_source_is_on_both_sides(sources: list[str]) -> None:
    evidence = measured(len(sources), sources)
    if why_not_by_source(evidence):
        return
    for seen, unseen in source_folds(evidence, 0):
        assert not ({sources[i] for i in seen} & {sources[i] for i in unseen}) - {""}


@pytest.mark.parametrize(("n_sources", "n_folds"), [(2, 2), (MOST_ALONE, MOST_ALONE), (MOST_ALONE + 1, 5)])
def test_few_sources_are_left_out_one_by_one_and_many_in_fifths(n_sources: int, n_folds: int) -> None:
    evidence = measured(2 * n_sources, [str(i // 2) for i in range(2 * n_sources)])
    assert len(source_folds(evidence, 0)) == n_folds


def test_another_seed_leaves_out_other_rows_and_the_same_seed_the_same() -> None:
    parts = [[unseen.tolist() for _, unseen in random_folds(measured(40), seed)] for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (measured(0, values=np.empty(0)), "no row has a value"),
        (measured(LEAST_DESIGNS - 1), "4 different designs are too few"),
        (measured(9, values=np.full(9, 60.0)), "all its values are 60"),
        (replace(measured(9), censored=np.ones(9, dtype=np.int64)), "no row has a value"),
        (measured(LEAST_DESIGNS), ""),
    ],
)
def test_what_cannot_be_judged_says_why(evidence: Evidence, why: str) -> None:
    assert why_not_random(evidence).startswith(why)
    assert bool(why_not_random(evidence)) == bool(why)


def test_one_source_or_none_cannot_be_left_out() -> None:
    assert why_not_by_source(measured(6)) == "no row names its source"
    assert why_not_by_source(measured(6, ["Liu 2022"] * 6)) == "all rows are from one source, Liu 2022"
    assert why_not_by_source(measured(6, ["Liu 2022"] * 5 + [""])) == ""


def test_the_mean_errs_by_the_spread_and_the_mixture_not_at_all_on_a_mixture() -> None:
    evidence = measured(60)
    folds = random_folds(evidence, 0)
    mean, mixture = (judged(evidence, learner, folds).held_out.scores for learner in (mean_baseline, mixture_baseline))
    assert mean["rmse"] == pytest.approx(np.std(evidence.values), rel=0.1)
    assert mixture["rmse"] == pytest.approx(0, abs=1e-9)
    assert np.isfinite(mixture["nll"])


def test_a_process_is_taken_away_and_a_condition_of_testing_is_not() -> None:
    option = Option("forest", Features(("Nb", "Ti"), process=(QUENCH, TESTED)))
    less = without_process(option)
    assert less is not None
    assert less.features.process == (TESTED,)
    assert less.features.composition
    assert without_process(less) is None


def test_nothing_is_left_of_a_study_of_the_process_alone() -> None:
    assert without_process(Option("forest", Features((), composition=False, process=(QUENCH,)))) is None


def test_alloys_are_one_design_where_composition_and_process_are_the_same() -> None:
    quench = np.array(["air", "water", "air", None], dtype=object)
    assert designs(Alloys(("Ti",), np.ones((4, 1)), {"quench": quench})).tolist() == [0, 1, 0, 2]


def test_frequencies_are_those_of_the_training_part() -> None:
    # By hand: nine of twelve rows are of class 0, and the three others are all of the source d. Whichever source is
    # left out, the others are of class 0 mostly, so that 9 of 12 are right, and one class of two is recognised.
    evidence = measured(12, list("aaabbbccdddd"), np.array([0.0] * 6 + [0, 0] + [1, 1, 1, 0]))
    one = judged_classes(evidence, 2, frequencies(2), source_folds(evidence, 0))
    assert one.scores["accuracy"] == pytest.approx(9 / 12)
    assert one.scores["recall"] == pytest.approx(0.5)
    assert one.confusion.tolist() == [[9, 0], [3, 0]]
    assert one.scores["auc"] == 0.5
    assert one.train.keys() == one.scores.keys()


@pytest.mark.torch
def test_an_option_is_chosen_within_the_training_part_alone() -> None:
    """A row that is misprinted a hundredfold changes what is believed of others, but not of itself."""
    evidence = measured(24)
    options = {name: Option("gaussian-process", Features(("Nb", "Ti", "Zr"))) for name in ("one",)}
    folds = random_folds(evidence, 0)
    misprinted = replace(evidence, values=np.where(np.arange(24) == 5, 5000.0, evidence.values))
    before, after = (judged(of, choosing(options), folds).held_out for of in (evidence, misprinted))
    assert (before.mean[5], before.low[5], before.high[5]) == (after.mean[5], after.low[5], after.high[5])
    assert (before.mean != after.mean).any()


BLEND = (Part("descriptors", 0.6, 1.0), Part("both", 0.4, 1.0))


@pytest.mark.torch
@pytest.mark.parametrize(
    ("made", "taken"),
    [
        (Chosen("both, varied", "for the test"), "both, varied"),
        (Chosen("60% descriptors + 40% both", "for the test", parts=BLEND), "both + descriptors"),
    ],
)
def test_what_was_chosen_may_be_a_variation_or_a_blend(
    made: Chosen, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is among the options by its name; a blend is counted by its parts, whatever their weights."""
    evidence = measured(12)
    seen = {name: Features(("Nb", "Ti", "Zr"), name == "both", ("vec",)) for name in ("both", "descriptors")}
    options = {name: Option("gaussian-process", features) for name, features in seen.items()}
    varied = {"both, varied": replace(options["both"], scale=LOG)}

    def choose(
        known: object, among: object, variations: Callable[[str, Option], Mapping[str, Option]], fitted: object = None
    ) -> Chosen:
        variations("both", options["both"])
        return made

    monkeypatch.setattr(comparing, "choose", choose)
    learner = choosing(options, lambda known, name, option: varied)
    one = judged(evidence, learner, random_folds(evidence, 0))
    assert one.taken == (taken,) * 5
    assert np.isfinite(one.held_out.mean).all()
