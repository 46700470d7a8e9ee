"""Classes of alloys: what is believed of them, how that weighs in a choice, and what a screen asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from alloyloop.design import classes
from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import LEAST_COMPARED, Evidence, Option, learn
from alloyloop.design.classes import ClassBelief, OneClass, choose_classes, learn_classes, log_lead, log_odds
from alloyloop.design.comparing import choosing_classes, judged_classes, mean_advantage, random_folds
from alloyloop.design.criteria import Bracket, ExpectedImprovement, LogOdds, PredictedMean, chance_of, class_of
from alloyloop.design.features import Alloys, Features, alloys_at
from alloyloop.design.gates import Gate, Predicted, parse_gate
from alloyloop.design.goals import Goal, Is, Minimize, Report, Within, classes_wanted, in_words, limits
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.outlook import ClassWanted, Sought, outlook
from alloyloop.design.predictors import Predictor, class_predictors, predictor
from alloyloop.design.rules import Names
from alloyloop.design.screen import Screening
from alloyloop.design.space import DesignSpace
from alloyloop.design.utility import utility
from alloyloop.surrogates import Prediction
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from ..nearest_class import NAME, NearestClass, registered

LABELS = ("beta", "alpha", "omega")
ELEMENTS = ("Nb", "Zr", "Ti")
MODULUS = "youngs_modulus_GPa"
SEEN = Features(ELEMENTS)
OPTION = Option(NAME, SEEN)


@pytest.fixture(scope="module", autouse=True)
def nearest_class() -> Iterator[None]:
    with registered():
        yield


def alloys(n: int, seed: int = 0) -> Alloys:
    rng = np.random.default_rng(seed)
    niobium, zirconium = rng.uniform(0, 0.4, n), rng.uniform(0, 0.3, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), {})


def evidence(n: int = 40, codes: Sequence[int] | None = None, sources: Sequence[str] | None = None) -> Evidence:
    """Alloys that are beta above 0.25 of niobium, and else alpha or, above 0.2 of zirconium, omega."""
    made = alloys(n)
    niobium, zirconium = made.fractions[:, 0], made.fractions[:, 1]
    found = np.where(niobium > 0.25, 0, np.where(zirconium > 0.2, 2, 1)) if codes is None else np.array(codes)
    told = np.array([""] * n if sources is None else sources, dtype=np.str_)
    return Evidence("phases", made, found.astype(np.float64), np.full(n, np.nan), told)


def chances(n: int, k: int = 3, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).dirichlet(np.ones(k), n)


# -- what is believed -------------------------------------------------------------------------------------------------


def test_probabilities_are_those_of_the_classifier_on_the_features() -> None:
    found = evidence()
    belief, asked = learn_classes(found, LABELS, OPTION), alloys(7, seed=1)
    by_hand = NearestClass(3).fit(found.alloys.fractions, found.values)
    np.testing.assert_array_equal(belief.about(asked), by_hand.predict_proba(asked.fractions))
    np.testing.assert_allclose(
        np.exp(belief.log_probability(asked, "omega")), by_hand.predict_proba(asked.fractions)[:, 2]
    )
    assert belief.seen == LABELS


def test_a_class_that_no_row_is_of_has_a_probability_all_the_same() -> None:
    belief = learn_classes(evidence(6, [0, 1, 0, 1, 0, 1]), LABELS, OPTION)
    assert belief.about(alloys(3)).shape == (3, 3)
    assert belief.seen == ("beta", "alpha")


@pytest.mark.parametrize(("whole", "told"), [(True, ["0", "0", "1", "2", "3", "4"]), (False, None)])
def test_a_classifier_is_told_what_is_left_out_together(whole: bool, told: list[str] | None) -> None:
    """Whole sources, where the next alloy comes from another; equal designs it finds by itself."""
    found = replace(evidence(6, [0, 1, 0, 1, 0, 1], ["a", "a", "b", "c", "d", "e"]), whole_sources=whole)
    model = learn_classes(found, LABELS, OPTION).classifier
    assert isinstance(model, NearestClass)
    assert (model.source_ is None) if told is None else np.asarray(model.source_).tolist() == told


@given(st.integers(1, 10_000), st.integers(2, 9), st.integers(0, 1))
def test_rows_of_one_class_say_that_the_next_is_of_it_as_jeffreys_did(n: int, k: int, code: int) -> None:
    # The mean of the share of a class, of which n of n were seen, under Jeffreys's prior: of scipy.stats.
    (shares,) = OneClass(code, n, k).predict_proba(np.zeros((1, 2)))
    assert shares[code] == pytest.approx(beta(n + 0.5, 0.5).mean())
    assert shares.sum() == pytest.approx(1)
    assert len(set(np.delete(shares, code))) == 1


def test_rows_of_one_class_are_counted_and_no_classifier_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "_fitted", lambda *about: pytest.fail("it was fitted"))
    belief = learn_classes(evidence(9, [1] * 9), LABELS, OPTION)
    assert belief.about(alloys(2)).tolist() == [[0.025, 0.95, 0.025]] * 2
    assert belief.seen == ("alpha",)


def test_where_there_is_one_class_alone_everything_is_of_it() -> None:
    assert OneClass(0, 3, 1).predict_proba(np.zeros((2, 1))).tolist() == [[1.0], [1.0]]


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=6), st.data())
def test_odds_are_those_of_one_against_all_others_and_a_lead_is_over_the_likeliest(
    weights: list[float], data: st.DataObject
) -> None:
    shares = np.array([weights]) / np.sum(weights)
    code = data.draw(st.integers(0, len(weights) - 1))
    p = float(shares[0, code])
    assert float(log_odds(shares, code)[0]) == pytest.approx(log(p / (1 - p)), abs=1e-9)
    lead = float(log_lead(shares, code)[0])
    assert (lead >= 0) == (p == shares.max())
    assert lead >= log_odds(shares, code)[0] - 1e-9


def test_odds_of_what_is_sure_are_finite() -> None:
    sure = np.array([[1.0, 0.0]])
    assert np.isfinite([log_odds(sure, 0), log_odds(sure, 1), log_lead(sure, 0), log_lead(sure, 1)]).all()


# -- the choice -------------------------------------------------------------------------------------------------------


def options(*, turned: bool = False) -> dict[str, Option]:
    """Options that see different features; the other way round where they are turned."""
    sets = [SEEN, Features(ELEMENTS, composition=False, descriptors=("vec",))]
    return {f"set {i}": Option(NAME, seen) for i, seen in enumerate(sets[::-1] if turned else sets)}


@pytest.mark.parametrize("turned", [False, True])
def test_the_option_that_makes_classes_left_out_likeliest_is_chosen_and_the_losses_are_told(turned: bool) -> None:
    found, offered = evidence(), options(turned=turned)
    choice = choose_classes(found, LABELS, offered)
    codes = found.values.astype(int)
    losses = {
        name: -np.log(
            NearestClass(3).fit(option.features.encode(found.alloys), codes).held_out_[np.arange(40), codes]
        ).mean()
        for name, option in offered.items()
    }
    assert choice.name == min(losses, key=losses.__getitem__)
    for name, loss in losses.items():
        assert f"{name} {loss:.3f}" in choice.why
    assert choice.why.startswith("It had the least mean log loss on rows left out: ")


def test_what_frequencies_alone_would_lose_is_told_beside() -> None:
    # By hand: 10 and 4 rows. Of 13 others 9 or 3 are of the class of the one left out, and each of two classes counts
    # half a row more: 9.5 / 14 ten times, and 3.5 / 14 four times.
    choice = choose_classes(evidence(14, [0] * 10 + [1] * 4), ("beta", "other"), options())
    assert f"class frequencies {-(10 * log(9.5 / 14) + 4 * log(3.5 / 14)) / 14:.3f}" in choice.why


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        ([0, 1] * (LEAST_COMPARED // 2 - 1), f"{LEAST_COMPARED - 2} rows are too few to compare models on."),
        ([1] * 30, "All 30 rows are alpha, so that there is nothing to tell apart."),
    ],
)
def test_where_nothing_can_be_compared_the_first_option_is_taken(codes: list[int], why: str) -> None:
    choice = choose_classes(evidence(len(codes), codes), LABELS, options())
    assert (choice.name, choice.why) == ("set 0", why)


def test_a_single_option_is_taken_and_its_loss_is_told() -> None:
    assert choose_classes(evidence(6), LABELS, {"one": OPTION}).why == "campaign.yaml leaves no other."
    why = choose_classes(evidence(), LABELS, {"one": OPTION}).why
    assert why.startswith("campaign.yaml leaves no other. On rows left out its mean log loss was one 0.")


def test_what_there_was_no_time_for_is_named() -> None:
    choice = choose_classes(evidence(), LABELS, options(), in_time=lambda: False)
    assert choice.name == "set 0"
    assert choice.why.endswith(" Not tried, for want of time: set 1.")


# -- comparing --------------------------------------------------------------------------------------------------------


def test_a_learner_of_classes_knows_its_training_part_alone() -> None:
    found = evidence()
    folds = random_folds(found, 0)
    one = judged_classes(found, 3, choosing_classes(LABELS, {"one": OPTION}), folds)
    seen, unseen = folds[0]
    by_hand = NearestClass(3).fit(found.alloys.fractions[seen], found.values[seen])
    p = by_hand.predict_proba(found.alloys.fractions[unseen])[np.arange(len(unseen)), found.values[unseen].astype(int)]
    np.testing.assert_allclose(one.losses[np.isin(one.rows, unseen)], -np.log(p)[np.argsort(unseen)])
    assert one.scores["log_loss"] == pytest.approx(one.losses.mean())
    assert one.train["log_loss"] < one.scores["log_loss"]


def test_a_learner_chooses_as_a_campaign_does() -> None:
    found = evidence()
    learned = choosing_classes(LABELS, options())(found)
    chosen = learn_classes(found, LABELS, options()[choose_classes(found, LABELS, options()).name])
    np.testing.assert_array_equal(learned(alloys(5)), chosen.about(alloys(5)))


def test_a_difference_of_losses_is_as_sure_as_its_sources_agree() -> None:
    more = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    alone, together = (mean_advantage(np.zeros(6), more, np.array(of)) for of in (list("abcdef"), list("aaabbb")))
    assert alone == pytest.approx((0.5, np.std(more) / np.sqrt(6)))  # the error of a mean of six
    assert together == pytest.approx((0.5, np.sqrt(2 * 1.5**2) / 6))  # of two sources that are off by 1.5 in sum
    assert mean_advantage(np.zeros(6), np.ones(6), np.array(list("aaabbb"))) == (1.0, 0.0)


# -- goals and criteria -----------------------------------------------------------------------------------------------


def test_a_class_that_is_wanted_is_no_limit_of_a_number() -> None:
    goals: dict[str, Goal] = {"phases": Is("beta"), MODULUS: Minimize(), "Rm_MPa": Within(low=5), "colour": Report()}
    assert classes_wanted(goals) == {"phases": Is("beta")}
    assert limits(goals) == {"Rm_MPa": Within(low=5)}
    assert Is("beta").words == "is beta"
    assert in_words("phases", Is("beta")) == "phases is beta"


IS_BETA = ("phases", Is("beta"))
STRONG = ("Rm_MPa", Within(low=500.0))


def known(values: FloatArray) -> Bracket:
    nothing = np.zeros(len(values))
    return Bracket.of(Prediction(values, nothing, nothing))


def test_the_probability_of_all_is_the_product_of_classes_and_limits() -> None:
    p = np.array([0.2, 0.5, 0.999])
    strength = Prediction(np.array([500.0, 520.0, 600.0]), np.full(3, 12.0), np.full(3, 16.0))
    brackets = {chance_of("phases", "beta"): known(np.log(p / (1 - p))), "Rm_MPa": Bracket.of(strength)}
    both = p * np.exp(strength.log_probability(500.0, np.inf))
    criterion = LogOdds((IS_BETA, STRONG))
    np.testing.assert_allclose(criterion.highest(brackets), np.log(both / (1 - both)))
    np.testing.assert_allclose(criterion.lowest(brackets), np.log(both / (1 - both)))
    assert criterion.words == "probability that phases is beta and Rm_MPa is above 500"
    assert criterion.means == ("P(phases is beta)", "Rm_MPa")


def test_a_gain_counts_as_much_as_the_class_is_likely() -> None:
    p = np.array([0.1, 0.9])
    modulus = Bracket.of(Prediction(np.array([50.0, 60.0]), np.full(2, 5.0), np.zeros(2)))
    brackets = {MODULUS: modulus, chance_of("phases", "beta"): known(np.log(p / (1 - p)))}
    plain, weighed = (ExpectedImprovement(MODULUS, -1.0, 58.0, pairs) for pairs in ((), (IS_BETA,)))
    np.testing.assert_allclose(weighed.highest(brackets), plain.highest(brackets) + np.log(p))
    assert weighed.words.endswith(", where phases is beta")


@given(st.floats(-30, 30), st.floats(0, 20), st.floats(0, 1))
def test_bounds_of_odds_bound_what_is_between(low: float, width: float, share: float) -> None:
    nothing = np.zeros(1)
    wide = Bracket(np.array([low]), np.array([low + width]), nothing, nothing, nothing)
    name, criterion = chance_of("phases", "beta"), LogOdds((IS_BETA,))
    (value,) = criterion.highest({name: known(np.array([low + share * width]))})
    assert criterion.lowest({name: wide})[0] - 1e-9 <= value <= criterion.highest({name: wide})[0] + 1e-9


def test_of_what_is_not_asked_yet_anything_may_come() -> None:
    unknown = {chance_of("phases", "beta"): Bracket.unknown(1)}
    criterion = LogOdds((IS_BETA,))
    assert criterion.lowest(unknown)[0] < -1e9 < 1e9 < criterion.highest(unknown)[0]


# -- gates ------------------------------------------------------------------------------------------------------------

NAMES = Names(("Nb", "Zr", "Ti"), (), {"quench": ("water", "air")})
GOALS: dict[str, Goal] = {"phases": Is("beta"), "Rm_MPa": Within(low=500.0), MODULUS: Minimize()}
PREDICTED = {"phases": LABELS, "colour": ("grey", "light blue")}


def gate(text: str, goals: dict[str, Goal] = GOALS) -> Gate:
    return parse_gate(text, NAMES, {"Rm_MPa": 90.0}, goals, PREDICTED)


def test_a_gate_may_ask_that_a_class_is_the_likeliest() -> None:
    assert gate("phases is omega") == Predicted(
        "phases is omega", PredictedMean(class_of("phases", "omega"), 1.0, 1.0), least=0.0
    )
    assert isinstance(gate("colour is light blue"), Predicted)
    assert not isinstance(gate("quench is water"), Predicted)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("P(phases is omega) >= 0.8", (("phases", Is("omega")),)),
        ("P(phases) >= 80 %", (IS_BETA,)),
        ("P(all) >= 0.8", (STRONG, IS_BETA)),
    ],
)
def test_a_gate_may_bound_the_probability_of_a_class(text: str, pairs: tuple[object, ...]) -> None:
    read = gate(text)
    assert isinstance(read, Predicted)
    assert read.criterion == LogOdds(pairs)  # type: ignore[arg-type]  # the parameters are of one type
    assert read.least == pytest.approx(log(4))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("phases is gamma", "'gamma' is no class of phases. Those are beta, alpha, omega, as campaign.yaml says"),
        ("P(phases is gamma) >= 0.8", "'gamma' is no class of phases"),
        ("quality is good", "quality is asked for a class, and it has none that could be predicted here. Those that "),
        ("P(colour) >= 0.8", "campaign.yaml asks for no class of colour. Name one, such as P"),
    ],
)
def test_a_class_that_there_is_not_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(AlloyloopError, match=said) as error:
        gate(text)
    assert error.value.place == f"--stage '{text}'"


def test_a_class_that_is_wanted_and_not_predicted_is_no_part_of_all() -> None:
    read = parse_gate("P(all) >= 0.5", NAMES, {"Rm_MPa": 90.0}, GOALS, {})
    assert isinstance(read, Predicted)
    assert read.criterion == LogOdds((STRONG,))


# -- predictors and screens -------------------------------------------------------------------------------------------


def test_predictors_of_classes_answer_in_odds_and_leads() -> None:
    belief, asked = learn_classes(evidence(), LABELS, OPTION), alloys(9, seed=2)
    found = class_predictors(belief)
    assert list(found) == [name for label in LABELS for name in (f"P(phases is {label})", f"phases is {label}")]
    for code, label in enumerate(LABELS):
        for name, odds in ((chance_of("phases", label), log_odds), (class_of("phases", label), log_lead)):
            one = found[name]
            said = one.believe(one.encode(asked))
            assert one.name == name
            np.testing.assert_array_equal(said.mean, odds(belief.about(asked), code))
            assert not said.std.any()
            assert not said.noise.any()


SPACE = DesignSpace(Lattice((Element("Nb", 0, 40, 2), Element("Zr", 0, 30, 2)), "Ti"), "at_pct")


@pytest.mark.torch
@pytest.mark.parametrize("size", [10**9, 50])
def test_a_screen_finds_what_asking_every_design_finds(size: int) -> None:
    belief, rng = learn_classes(evidence(), LABELS, OPTION), np.random.default_rng(1)
    measured = alloys(12, seed=4)
    values = 60 + 40 * (measured.fractions[:, 0] - 0.2) ** 2 + rng.normal(0, 1, 12)
    modulus = learn(
        Evidence(MODULUS, measured, values, np.full(12, np.nan), np.full(12, "")), Option("gaussian-process", SEEN)
    )
    predictors: tuple[Predictor, ...] = (predictor(modulus), *class_predictors(belief).values())
    score = ExpectedImprovement(MODULUS, -1.0, 60.0, (IS_BETA,))
    gates = tuple(gate(text) for text in ("phases is beta", "P(phases is beta) >= 0.7"))
    axes = (PredictedMean(MODULUS, -1.0, 10.0), LogOdds((IS_BETA,)))
    question = Screening(SPACE, ELEMENTS, predictors, gates, score, axes, 5, 0, SPACE.count)
    found, keeper = question.nothing, question.keeper
    for start in range(0, SPACE.count, size):
        found = keeper.kept([found, question.find(start, min(start + size, SPACE.count), keeper.bar(question.nothing))])
    every = alloys_at(SPACE, SPACE.at(range(SPACE.count)), ELEMENTS)
    p = belief.about(every)
    likeliest, likely = p.argmax(axis=1) == 0, p[:, 0] >= 0.7
    assert 0 < (likeliest & likely).sum() < likeliest.sum() < SPACE.count
    assert found.left == (SPACE.count, likeliest.sum(), (likeliest & likely).sum())
    about = modulus.about(every)
    gains = ExpectedImprovement(MODULUS, -1.0, 60.0).highest({MODULUS: Bracket.of(about)}) + np.log(p[:, 0])
    best = np.argsort(-np.where(likeliest & likely, gains, -np.inf), kind="stable")[:5]
    assert question.ranking(found).index == tuple(best.tolist())


# -- the acquisition --------------------------------------------------------------------------------------------------


def built(found: FloatArray, belief: ClassBelief, seed: int = 1) -> tuple[Acquisition, Alloys]:
    """An acquisition of a modulus, of eight measured alloys that were found to be beta, or not, or not looked at."""
    measured, rng = alloys(8, seed=5), np.random.default_rng(2)
    values = 60 + 10 * np.sin(9 * measured.fractions[:, 0]) + rng.normal(0, 0.5, 8)
    modulus = learn(
        Evidence(MODULUS, measured, values, np.full(8, np.nan), np.full(8, "")), Option("gaussian-process", SEEN)
    )
    nothing = measured.rows(np.array([], dtype=np.int64))
    wanted = ClassWanted(belief, "beta", found)
    sought = [Sought(MODULUS, Minimize(), modulus)]
    ahead = outlook(sought, measured, nothing, measured, 3, np.random.default_rng(seed), classes=(wanted,))
    return Acquisition(ahead, acquisition_rule("log-expected-improvement")), measured


def drawn(value: Acquisition) -> FloatArray:
    """Draws of the modulus at what is known so far."""
    return value.outlook.draws(0).values


def best(value: Acquisition) -> FloatArray:
    """What is to be beaten in each draw."""
    return utility(value.outlook).best


@pytest.mark.torch
def test_what_a_further_alloy_is_worth_is_weighed_by_the_probability_of_its_class() -> None:
    belief, asked = learn_classes(evidence(), LABELS, OPTION), alloys(12, seed=6)
    value, _ = built(np.ones(8), belief)
    gain = value.rule.build(value.outlook)(asked)
    np.testing.assert_allclose(value.value(asked) - gain, belief.log_probability(asked, "beta"))


@pytest.mark.torch
def test_only_an_alloy_that_was_found_to_be_of_the_class_is_to_be_beaten() -> None:
    belief = learn_classes(evidence(), LABELS, OPTION)
    for i in range(8):
        value, _ = built(np.where(np.arange(8) == i, 1.0, 0.0), belief)
        np.testing.assert_array_equal(best(value), -drawn(value)[:, i])
    none, _ = built(np.zeros(8), belief)  # then whatever is of it is a gain over the worst there is
    np.testing.assert_array_equal(best(none), (-drawn(none)).min(axis=1))


@pytest.mark.torch
def test_an_alloy_that_was_not_looked_at_is_of_the_class_in_as_many_draws_as_it_is_likely() -> None:
    belief = learn_classes(evidence(), LABELS, OPTION)
    unsure = int(np.argmin(np.abs(belief.about(alloys(8, seed=5))[:, 0] - 0.5)))
    value, measured = built(np.where(np.arange(8) == unsure, np.nan, 0.0), belief)
    p = belief.about(measured.rows(np.array([unsure])))[0, 0]
    of_it = best(value) == -drawn(value)[:, unsure]
    worst = (-drawn(value)).min(axis=1) == -drawn(value)[:, unsure]
    assert 0.1 < p < 0.9
    assert (of_it & ~worst).mean() == pytest.approx(p * (~worst).mean(), abs=0.05)


@pytest.mark.torch
def test_a_pick_joins_with_the_probability_of_its_class() -> None:
    belief, asked = learn_classes(evidence(), LABELS, OPTION), alloys(12, seed=6)
    value, _ = built(np.zeros(8), belief)
    after = value.with_pick(asked.rows(np.array([0])))
    assert np.isnan(after.outlook.classes[0].found).tolist() == [False] * 8 + [True]
    assert len(after.outlook.known_so_far) == 9
    p = belief.about(asked)[0, 0]
    ahead = -drawn(after)[:, 8] > (-drawn(after)[:, :8]).min(axis=1)
    assert (best(after) == -drawn(after)[:, 8])[ahead].mean() == pytest.approx(p, abs=0.1)


@pytest.mark.torch
def test_without_a_feature_of_the_classifier_an_alloy_has_no_worth() -> None:
    with_gap = Features((*ELEMENTS[:2], "Th", "Ti"), descriptors=("bond_order",))  # thorium has none in the table
    shape = alloys(8, seed=5)
    elements, zeros = ("Nb", "Zr", "Th", "Ti"), np.zeros((8, 1))
    measured = Alloys(elements, np.column_stack([shape.fractions[:, :2], zeros, shape.fractions[:, 2:]]), {})
    modulus = learn(
        Evidence(MODULUS, measured, np.arange(8.0), np.full(8, np.nan), np.full(8, "")),
        Option("gaussian-process", Features(elements)),
    )
    found = Evidence("phases", measured, np.array([0.0, 1.0] * 4), np.full(8, np.nan), np.full(8, ""))
    wanted = ClassWanted(learn_classes(found, LABELS, Option(NAME, with_gap)), "beta", np.ones(8))
    nothing = measured.rows(np.array([], dtype=np.int64))
    sought = [Sought(MODULUS, Minimize(), modulus)]
    ahead = outlook(sought, measured, nothing, measured, 1, np.random.default_rng(0), classes=(wanted,))
    value = Acquisition(ahead, acquisition_rule("log-expected-improvement"))
    asked = Alloys(elements, np.array([[0.2, 0.1, 0.0, 0.7], [0.2, 0.0, 0.1, 0.7]]), {})
    assert np.isnan(value.value(asked)).tolist() == [False, True]
