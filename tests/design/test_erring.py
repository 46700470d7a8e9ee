"""Errors that go together are found in rows that were left out, and none is made of chance or of a few rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.computed import computed
from alloyloop.design.erring import together
from alloyloop.design.features import Features
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.scales import LINEAR, LOG, Scale

from .strategies_outlook import ELEMENTS, some_alloys

pytestmark = pytest.mark.torch


def learned(
    name: str, errors: FloatArray, model: str = "gaussian-process", first: int = 0, scale: Scale = LINEAR
) -> Belief:
    """What is learned of a straight property of random alloys, measured with given errors, in rows from a first on."""
    alloys = some_alloys(len(errors), np.random.default_rng(0))
    values = scale.backward(3 + 2 * alloys.fractions[:, 0] + 0.3 * errors)
    nothing, ids = np.full(len(errors), np.nan), np.array([f"row {first + i}" for i in range(len(errors))])
    evidence = Evidence(name, alloys, values, nothing, np.full(len(errors), "", dtype="<U9"), ids=ids)
    return learn(evidence, Option(model, Features(ELEMENTS), scale))


def errors(correlation: float, n: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    both = np.array([[1, correlation], [correlation, 1]])
    one, other = np.random.default_rng(seed).multivariate_normal([0, 0], both, size=n).T
    return one, other


@pytest.mark.parametrize("model", ["gaussian-process", "ridge", "decision-tree"])
def test_errors_that_go_together_are_found(model: str) -> None:
    one, other = errors(0.8, 60)
    found = together({"a": learned("a", one, model), "b": learned("b", other, model)})
    assert 0.6 < found[0, 1] < 0.95


def test_a_property_on_a_logarithm_errs_on_that_scale() -> None:
    one, other = errors(-0.8, 60)
    found = together({"a": learned("a", one), "b": learned("b", other, scale=LOG)})
    assert -0.95 < found[0, 1] < -0.6


def test_errors_of_their_own_are_hardly_taken_for_more() -> None:
    of_each = [together({"a": learned("a", a), "b": learned("b", b)}) for a, b in (errors(0, 30, s) for s in range(8))]
    found = np.array([each[0, 1] for each in of_each])
    assert (found == 0).sum() >= 5  # of eight; each is beyond two standard errors once in twenty times


def test_a_few_rows_say_nothing() -> None:
    one, other = errors(0.9, 12)
    rest = learned("b", other, first=10)  # two rows are of both
    np.testing.assert_array_equal(together({"a": learned("a", one), "b": rest}), np.eye(2))


def test_repeats_of_two_alloys_say_nothing() -> None:
    beliefs = {}
    for name, each in zip("ab", errors(0.9, 12), strict=True):
        belief = learned(name, each)
        two = belief.evidence.alloys.rows(np.repeat([0, 1], 6))
        beliefs[name] = belief.again(replace(belief.evidence, alloys=two))
    np.testing.assert_array_equal(together(beliefs), np.eye(2))


def test_what_is_computed_does_not_err() -> None:
    one, other = errors(0.8, 40)
    found = together({"a": learned("a", one), "vec": computed("vec"), "b": learned("b", other)})
    assert found[0, 2] > 0.5
    np.testing.assert_array_equal(found[1], [0, 1, 0])


def test_pairs_that_do_not_fit_together_are_drawn_towards_none() -> None:
    a, b = errors(0.97, 40)
    c = np.where(np.arange(40) < 20, a, -a)
    beliefs = {"a": learned("a", a), "b": learned("b", b), "c": learned("c", c), "d": learned("d", b)}
    assert np.linalg.eigvalsh(together(beliefs)).min() > 0
