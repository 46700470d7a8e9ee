"""Formulas that are found: what they say, how they read, and that they stay where the data are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pyoperon", reason="the extra symbolic is not installed")

from pyoperon.sklearn import SymbolicRegressor

from alloyloop.surrogates.symbolic import ShortFormula, symbolic

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.uniform(1, 5, (60, 3))


def value_of(formula: str, row: np.ndarray) -> float:
    """What a formula says, by SymPy and not by us."""
    whole: Any = sympy.sympify(formula.replace("^", "**"))
    return float(whole.subs(dict(zip(("Nb", "Sn", "Zr"), row, strict=True))))


def test_a_product_of_two_features_is_found_and_reads_as_one() -> None:
    model = ShortFormula(max_length=7).fit(X, 10 + 2 * X[:, 0] * X[:, 1])
    assert model.formula(["Nb", "Sn", "Zr"]) == "2.0*Nb*Sn + 10.0"
    assert model.error_ == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_what_it_expects_is_what_operon_expects_of_the_formula_it_found(seed: int) -> None:
    """Its signs, the order of its operands, and its features; Operon counts in single precision."""
    z = np.sin(X[:, 0]) - X[:, 1] / X[:, 2] + RNG.normal(0, 0.1, 60)
    scaled = X / X.max(axis=0)
    theirs = SymbolicRegressor(
        allowed_symbols="add,sub,mul,aq,constant,variable",
        objectives=["r2", "length"],
        model_selection_criterion="bayesian_information_criterion",
        max_length=15,
        initialization_max_length=10,
        population_size=100,
        generations=20,
        max_evaluations=10**9,
        optimizer_iterations=10,
        random_state=seed,
    ).fit(scaled, z)
    ours = ShortFormula(random_state=seed).fit(X, z)
    assert ours.predict(X) == pytest.approx(theirs.predict(scaled), abs=1e-3)


def test_the_written_formula_says_what_the_model_expects_in_the_unit_of_the_property() -> None:
    y = 100 + 20 * X[:, 0] / X[:, 1] + 3 * X[:, 2]
    model = symbolic().fit(X, y)
    short: Any = model.regressor_
    formula = short.formula(["Nb", "Sn", "Zr"], float(np.mean(y)), model.scale_)
    said = [value_of(formula, row) for row in X]
    assert said == pytest.approx(model.predict(X), abs=0.02 * float(np.std(y)))  # four digits of each number


def test_a_feature_far_from_zero_is_counted_from_its_mean() -> None:
    """Kelvins about 1200: their small differences would be lost in single precision."""
    kelvin = 1200 + 10 * RNG.random(60)
    model = ShortFormula(max_length=7).fit(kelvin[:, None], (kelvin - 1205) ** 2)
    assert model.error_ < 0.1
    assert model._origin == pytest.approx(kelvin.mean())


def test_a_row_that_counts_less_moves_the_formula_less() -> None:
    y, counts = 2 * X[:, 0], np.ones(60)
    y[0] += 30
    errors = []
    for counts[0] in (1.0, 0.01):
        model = ShortFormula(max_length=5).fit(X, y, sample_weight=counts)
        errors.append(np.abs(model.predict(X[1:]) - y[1:]).mean())
    assert errors[1] < 0.5 * errors[0]


def test_a_longer_formula_is_no_longer_than_allowed() -> None:
    """But for a factor and a constant, which bring it to the unit of the property."""
    for longest in (3, 9, 21):
        model = ShortFormula(max_length=longest).fit(X, np.sin(X).sum(axis=1))
        assert model.complexity_ <= longest + 4


def test_few_rows_get_a_short_formula() -> None:
    assert ShortFormula(max_length=25).fit(X[:10], np.sin(X[:10]).sum(axis=1)).complexity_ <= 5 + 4


def test_where_nothing_varies_the_formula_is_the_mean() -> None:
    assert ShortFormula().fit(np.ones((4, 1)), [1.0, 2.0, 3.0, 4.0]).formula(["Nb"]) == "2.5"
    assert ShortFormula().fit(X[:5], np.full(5, 7.0)).predict(X) == pytest.approx(np.full(60, 7.0))


@settings(max_examples=15, deadline=None)
@given(far=st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3), seed=st.integers(0, 5))
def test_nothing_is_expected_further_beyond_the_values_than_half_their_range(far: list[float], seed: int) -> None:
    y = X[:, 0] ** 2 * X[:, 1] - X[:, 2]
    model = ShortFormula(max_length=20, n_generations=5, random_state=seed).fit(X, y)
    margin = 0.5 * np.ptp(y) + 1e-9
    assert y.min() - margin <= model.predict([far])[0] <= y.max() + margin
