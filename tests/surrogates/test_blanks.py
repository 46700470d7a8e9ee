from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.blanks import MOST, Scenarios, average, scenarios, spread_back

# Amount, temperature, and a quench in water or air as one column each.
KNOWN = np.array(
    [
        [10.0, 700.0, 1.0, 0.0],
        [20.0, 700.0, 1.0, 0.0],
        [30.0, 900.0, 0.0, 1.0],
        [40.0, 700.0, 0.0, 1.0],
    ]
)
BLANK = np.nan


def levels(may_be: Scenarios, row: int) -> dict[tuple[float, ...], float]:
    """What one row may be, and how probable that is."""
    those = may_be.owner == row
    return dict(zip(map(tuple, may_be.rows[those].tolist()), may_be.weight[those].tolist(), strict=True))


def kernel(rows: np.ndarray) -> np.ndarray:
    """A squared exponential and a line: its variances differ from row to row."""
    far = ((rows[:, None] - rows) ** 2).sum(axis=2)
    return np.asarray(np.exp(-far / 2) + 0.3 * rows @ rows.T)


@st.composite
def mixtures(draw: st.DrawFn) -> Scenarios:
    """Two to four rows of one to three scenarios each."""
    counts = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    weight = np.concatenate([rng.dirichlet(np.ones(count)) for count in counts])
    return Scenarios(rng.normal(size=(sum(counts), 2)), np.repeat(np.arange(len(counts)), counts), weight)


def by_enumeration(may_be: Scenarios) -> np.ndarray:
    """Covariance of the rows over every way in which each independently becomes one of its scenarios."""
    K, of = kernel(may_be.rows), [np.flatnonzero(may_be.owner == row) for row in range(may_be.owner[-1] + 1)]
    return np.asarray(sum(np.prod(may_be.weight[[*way]]) * K[np.ix_(way, way)] for way in product(*of)))


def test_a_blank_temperature_may_be_any_that_was_used_as_often_as_it_was() -> None:
    may_be = scenarios(np.array([[50.0, BLANK, 1.0, 0.0]]), [1], KNOWN)
    assert levels(may_be, 0) == {(50.0, 700.0, 1.0, 0.0): 0.75, (50.0, 900.0, 1.0, 0.0): 0.25}


def test_blank_columns_are_filled_from_one_donor_so_that_a_choice_stays_one() -> None:
    may_be = scenarios(np.array([[50.0, BLANK, BLANK, BLANK]]), [1, 2, 3], KNOWN)
    assert levels(may_be, 0) == {
        (50.0, 700.0, 1.0, 0.0): 0.5,
        (50.0, 700.0, 0.0, 1.0): 0.25,
        (50.0, 900.0, 0.0, 1.0): 0.25,
    }


def test_a_donor_that_knows_only_a_part_is_not_asked_where_others_know_all() -> None:
    donors = np.vstack([KNOWN, [50.0, 900.0, BLANK, BLANK]])
    X = np.array([[60.0, BLANK, BLANK, BLANK]])
    assert levels(scenarios(X, [1, 2, 3], donors), 0) == levels(scenarios(X, [1, 2, 3], KNOWN), 0)


def test_columns_that_no_donor_knows_together_are_filled_group_by_group() -> None:
    donors = KNOWN.copy()
    donors[:2, 1], donors[2:, 2:] = BLANK, BLANK  # two know the quench, water; two the temperature
    may_be = scenarios(np.array([[50.0, BLANK, BLANK, BLANK]]), [1, 2, 3], donors)
    assert levels(may_be, 0) == {(50.0, 900.0, 1.0, 0.0): 0.5, (50.0, 700.0, 1.0, 0.0): 0.5}


def test_a_column_that_no_donor_knows_becomes_zero_and_leaves_the_others_alone() -> None:
    donors = KNOWN.copy()
    donors[:, 1] = BLANK
    may_be = scenarios(np.array([[50.0, BLANK, BLANK, BLANK]]), [1, 2, 3], donors)
    assert levels(may_be, 0) == {(50.0, 0.0, 1.0, 0.0): 0.5, (50.0, 0.0, 0.0, 1.0): 0.5}
    assert levels(scenarios(donors, [1], donors[:0]), 2) == {(30.0, 0.0, 0.0, 1.0): 1.0}


def test_rows_without_a_blank_are_themselves() -> None:
    may_be = scenarios(KNOWN, [1, 2, 3], KNOWN)
    assert may_be.rows is KNOWN
    assert may_be.mixing.toarray().tolist() == np.eye(4).tolist()


def test_no_rows_are_no_scenarios() -> None:
    assert scenarios(KNOWN[:0], [1], KNOWN).mixing.shape == (0, 0)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=12))
def test_scenarios_are_finite_keep_what_is_known_and_stay_with_their_rows(blank: list[list[bool]]) -> None:
    numbers = np.arange(4.0 * len(blank)).reshape(-1, 4)
    X = np.where(np.pad(blank, ((0, 0), (1, 0))), BLANK, numbers)
    may_be = scenarios(X, [1, 2, 3], X)
    its = X[may_be.owner]
    assert np.isfinite(may_be.rows).all()
    assert (np.isnan(its) | (may_be.rows == its)).all()
    assert (np.diff(may_be.owner) >= 0).all()
    assert np.bincount(may_be.owner, weights=may_be.weight) == pytest.approx(np.ones(len(X)))


def test_many_levels_are_put_together_into_few_of_them() -> None:
    temperatures = np.linspace(600, 1000, 101)
    donors = np.column_stack([np.zeros(101), temperatures])
    may_be = scenarios(np.array([[0.0, BLANK]]), [1], donors)
    assert len(may_be.rows) == MOST
    assert set(may_be.rows[:, 1]) <= set(temperatures)
    assert may_be.weight.sum() == pytest.approx(1)
    assert may_be.weight @ may_be.rows[:, 1] == pytest.approx(800, abs=4)  # their mean, to a step between levels
    spread = np.sqrt(may_be.weight @ (may_be.rows[:, 1] - 800) ** 2)
    assert spread == pytest.approx(temperatures.std(), rel=0.02)


def test_a_rare_choice_is_kept_apart_from_the_common_ones() -> None:
    donors = np.column_stack([np.linspace(600, 1000, 100), np.r_[np.ones(98), np.zeros(2)], np.r_[np.zeros(98), 1, 1]])
    may_be = scenarios(np.full((1, 3), BLANK), [0, 1, 2], donors, most=4)
    assert len(may_be.rows) == 4
    assert may_be.weight[may_be.rows[:, 2] == 1] == pytest.approx([0.02])


@pytest.mark.parametrize("far", [1.0, 1e3, 1e9])
def test_levels_that_rounding_can_hardly_tell_apart_do_no_harm(far: float) -> None:
    donors = np.append(2 - np.arange(1, 40) * np.spacing(1.0), far)[:, None]
    may_be = scenarios(np.array([[BLANK]]), [0], donors, most=38)
    assert len(np.unique(may_be.rows)) == len(may_be.rows) <= 38
    assert may_be.weight.sum() == pytest.approx(1)
    assert far in may_be.rows


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_the_order_of_the_donors_does_not_matter(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    donors = np.round(rng.normal(size=(40, 3)), 1)
    donors[rng.random(40) < 0.2, 1] = BLANK
    X = np.array([[1.0, BLANK, BLANK], [2.0, BLANK, 3.0]])
    some, others = (scenarios(X, [1, 2], rows, most=most) for rows in (donors, rng.permutation(donors)))
    assert some.rows.tolist() == others.rows.tolist()
    assert some.weight == pytest.approx(others.weight)


@pytest.mark.parametrize(
    ("value", "column", "message"),
    [
        (np.nan, 0, "row 2 counted from 0, column Nb_at_pct: a value is missing"),
        (np.inf, 0, "row 2 counted from 0, column Nb_at_pct: a value is infinite"),
        (-np.inf, 1, "row 2 counted from 0, column temperature_C: a value is infinite"),
    ],
)
def test_a_cell_that_may_not_be_blank_is_named(value: float, column: int, message: str) -> None:
    X = KNOWN.copy()
    X[2, column] = value
    with pytest.raises(AlloyloopError, match=message):
        scenarios(X, [1], KNOWN, names=["Nb_at_pct", "temperature_C", "water", "air"])


def test_a_column_without_a_name_is_called_by_its_place() -> None:
    with pytest.raises(AlloyloopError, match="row 0 counted from 0, column 3"):
        scenarios(np.array([[1.0, 2.0, 3.0, BLANK]]), [1], KNOWN)


@given(mixtures())
def test_the_average_is_that_of_every_way_the_rows_can_be(may_be: Scenarios) -> None:
    assert average(kernel(may_be.rows), may_be.mixing) == pytest.approx(by_enumeration(may_be))


@given(mixtures())
def test_an_averaged_covariance_is_positive_definite(may_be: Scenarios) -> None:
    assert np.linalg.eigvalsh(average(kernel(may_be.rows), may_be.mixing)).min() > -1e-12


@settings(max_examples=30)
@given(mixtures())
def test_derivatives_are_spread_back_as_finite_differences_say(may_be: Scenarios) -> None:
    W, K = may_be.mixing, kernel(may_be.rows)
    n, N = W.shape
    pull = np.random.default_rng(n * N).normal(size=(n, n))  # of a number that is linear in the average, for exactness
    back = spread_back(pull, W)
    for i, j in product(range(N), range(N)):
        more = K.copy()
        more[i, j] += 1
        assert back[i, j] == pytest.approx(np.sum(pull * (average(more, W) - average(K, W))), abs=1e-9)


def test_where_nothing_is_blank_nothing_is_computed() -> None:
    W, K = scenarios(KNOWN, [], KNOWN).mixing, np.eye(4)
    assert average(K, W) is K
    assert spread_back(K, W) is K
