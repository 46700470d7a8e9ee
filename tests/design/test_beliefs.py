"""A belief is features and a surrogate together; which ones is settled by what held-out measurements say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from alloyloop.design.beliefs import LEAST_COMPARED, LEAST_SOURCES, Belief, Evidence, Option, choose, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.surrogates import surrogate
from alloyloop.surrogates.base import SURROGATES, FloatArray

pytestmark = pytest.mark.torch

ELEMENTS = ("Nb", "Zr", "Fe", "Ti")
COMPOSITION = Features(ELEMENTS)


def alloys(n: int, rng: np.random.Generator) -> Alloys:
    """Random alloys of niobium and zirconium in titanium, without iron."""
    niobium, zirconium = rng.uniform(0, 0.35, n), rng.uniform(0, 0.2, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, np.zeros(n), 1 - niobium - zirconium]), {})


def modulus(of: Alloys) -> FloatArray:
    """A made-up property of the composition alone [GPa]."""
    return np.asarray(110 - 150 * of.fractions[:, 0] + 300 * of.fractions[:, 0] ** 2 - 40 * of.fractions[:, 1])


def evidence(of: Alloys, values: FloatArray, sources: list[str] | None = None) -> Evidence:
    told = np.array(sources if sources is not None else [""] * len(of))
    return Evidence("youngs_modulus_GPa", of, values, np.full(len(of), np.nan), told)


def marked_by_source(rng: np.random.Generator, *, told: bool) -> Evidence:
    """Eight papers of six alloys, each with an offset of its own and a trace of iron that is all its own.

    Iron gives the paper away but not its offset: who has seen a paper's other rows predicts well from the iron, and
    who has not is led astray by it.
    """
    papers = np.repeat(np.arange(8), 6)
    plain = alloys(48, rng)
    iron = 0.001 * rng.permutation(8)[papers]
    fractions = plain.fractions + np.outer(iron, [0, 0, 1, -1])
    offsets = 15 * rng.permutation(np.linspace(-1, 1, 8))[papers]
    values = modulus(plain) + offsets + rng.normal(0, 1, 48)
    return evidence(Alloys(ELEMENTS, fractions, {}), values, [f"paper {paper}" for paper in papers] if told else None)


IRON_BLIND = Features(("Nb", "Zr", "Fe", "Ti"), composition=False, descriptors=("vec", "density_g_per_cm3"))
OPTIONS = {"blind": Option("gaussian-process", IRON_BLIND), "sees iron": Option("gaussian-process", COMPOSITION)}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_model_that_recognises_the_paper_wins_only_where_papers_are_not_told(seed: int) -> None:
    told = choose(marked_by_source(np.random.default_rng(seed), told=True), OPTIONS)
    untold = choose(marked_by_source(np.random.default_rng(seed), told=False), OPTIONS)
    assert (told.name, untold.name) == ("blind", "sees iron")
    assert told.why.startswith("With whole sources left out it erred least. RMSE: blind ")
    assert untold.why.startswith("With rows left out it erred least. RMSE: sees iron ")


def test_the_reason_names_every_option_best_first_with_its_error() -> None:
    why = choose(marked_by_source(np.random.default_rng(0), told=True), OPTIONS).why
    told = re.findall(r"(?:RMSE: |; )([a-z ]+) ([0-9.]+) \(90 % intervals held ([0-9]+)%\)", why)
    assert [name for name, _, _ in told] == ["blind", "sees iron"]
    assert float(told[0][1]) == pytest.approx(9.5, abs=4)  # the offsets: 15 times 0.65, and noise
    assert float(told[0][1]) < float(told[1][1])


def test_a_choice_does_not_depend_on_the_order_of_the_options_nor_on_chance() -> None:
    known = marked_by_source(np.random.default_rng(3), told=True)
    backwards = dict(reversed(OPTIONS.items()))
    assert choose(known, OPTIONS) == choose(known, OPTIONS) == choose(known, backwards)


@pytest.mark.parametrize(("n_sources", "how"), [(LEAST_SOURCES - 1, "rows"), (LEAST_SOURCES, "whole sources")])
def test_few_sources_are_not_left_out_whole(n_sources: int, how: str) -> None:
    rng = np.random.default_rng(4)
    made = alloys(20, rng)
    known = evidence(made, modulus(made), [f"paper {i % n_sources}" for i in range(20)])
    assert choose(known, OPTIONS).why.startswith(f"With {how} left out")


def test_a_row_without_a_source_is_a_source_of_its_own() -> None:
    rng = np.random.default_rng(5)
    made = alloys(20, rng)
    known = evidence(made, modulus(made), ["paper"] * 10 + [""] * 10)
    assert choose(known, OPTIONS).why.startswith("With whole sources left out")


class Average:
    """Says of everything what the mean was, give or take what it is told to."""

    def __init__(self, bias: float, std: float) -> None:
        self.bias, self.std = bias, std

    def fit(self, X: FloatArray, y: FloatArray, *, noise: FloatArray | None = None) -> Average:
        self.mean = float(np.mean(y))
        return self

    def predict(self, X: FloatArray, return_std: bool = False) -> tuple[FloatArray, FloatArray]:
        return np.full(len(X), self.mean + self.bias), np.full(len(X), self.std)


def test_an_honest_spread_counts_for_more_than_a_small_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SURROGATES, "sure of itself", lambda: Average(0.0, 0.1))
    monkeypatch.setitem(SURROGATES, "honest", lambda: Average(3.0, 10.0))
    made = alloys(40, np.random.default_rng(6))
    options = {name: Option(name, COMPOSITION) for name in ("sure of itself", "honest")}
    choice = choose(evidence(made, modulus(made)), options)
    errors = {name: float(rmse) for name, rmse in re.findall(r"(?:RMSE: |; )([a-z ]+) ([0-9.]+) \(", choice.why)}
    assert choice.name == "honest"
    assert errors["sure of itself"] < errors["honest"]


def test_of_two_honest_options_the_one_that_errs_less_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SURROGATES, "biased", lambda: Average(3.0, 20.0))
    monkeypatch.setitem(SURROGATES, "less biased, and very wide", lambda: Average(2.0, 200.0))
    made = alloys(40, np.random.default_rng(6))
    options = {name: Option(name, COMPOSITION) for name in ("biased", "less biased, and very wide")}
    assert choose(evidence(made, modulus(made)), options).name == "less biased, and very wide"


def test_too_few_rows_take_the_first_option_and_say_so() -> None:
    rng = np.random.default_rng(7)
    for n in (1, LEAST_COMPARED - 1):
        made = alloys(n, rng)
        choice = choose(evidence(made, modulus(made)), OPTIONS)
        assert (choice.name, choice.why) == ("blind", f"{n} rows are too few to compare models on.")


def test_a_single_option_needs_no_comparison() -> None:
    made = alloys(40, np.random.default_rng(8))
    choice = choose(evidence(made, modulus(made)), {"only": OPTIONS["blind"]})
    assert (choice.name, choice.why) == ("only", "campaign.yaml leaves no other.")


@pytest.mark.parametrize("model", ["gaussian-process", "extra-trees"])
def test_a_belief_is_the_surrogate_fitted_on_the_features_with_the_noise_that_was_stated(model: str) -> None:
    rng = np.random.default_rng(9)
    made, asked = alloys(15, rng), alloys(4, rng)
    noise = np.where(np.arange(15) < 5, 6.0, np.nan)
    known = Evidence("youngs_modulus_GPa", made, modulus(made), noise, np.array([""] * 15))
    belief = learn(known, Option(model, COMPOSITION))
    plain = surrogate(model).fit(made.fractions, known.values, noise=noise)
    assert isinstance(belief, Belief)
    assert belief.about(asked).mean == pytest.approx(plain.believe(asked.fractions).mean)
    assert belief.about(asked).std == pytest.approx(plain.believe(asked.fractions).std)
    assert belief.covariance(asked, made) == pytest.approx(plain.covariance(asked.fractions, made.fractions))


def test_evidence_is_taken_apart_row_by_row() -> None:
    made = alloys(4, np.random.default_rng(10))
    known = Evidence("E", made, np.arange(4.0), np.arange(4.0) / 10, np.array(["a", "b", "a", ""]))
    some = known.rows(np.array([True, False, False, True]))
    assert (len(some), some.values.tolist(), some.noise.tolist()) == (2, [0, 3], [0.0, 0.3])
    assert some.sources.tolist() == ["a", ""]
    assert some.alloys.fractions.tolist() == made.fractions[[0, 3]].tolist()
