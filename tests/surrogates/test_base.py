from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from alloyloop import surrogates
from alloyloop.surrogates import AlloyloopError, Prediction, surrogate, surrogate_names
from alloyloop.surrogates import base as base_module
from alloyloop.surrogates.scales import LOG, Normal


def belief(mean: float = 60.0, std: float = 3.0, noise: float = 4.0) -> Prediction:
    return Prediction(np.array([mean]), np.array([std]), np.array([noise]))


def test_a_measurement_scatters_by_what_is_unknown_and_by_noise() -> None:
    assert belief(std=3.0, noise=4.0).measured_std[0] == 5.0  # 3-4-5


@pytest.mark.parametrize(("level", "z"), [(0.5, 0.674490), (0.9, 1.644854), (0.95, 1.959964)])
def test_intervals_are_those_of_the_normal_distribution(level: float, z: float) -> None:  # z: any table of quantiles
    low, high = belief().interval(level)
    assert (low[0], high[0]) == pytest.approx((60 - 5 * z, 60 + 5 * z), abs=1e-5)


@given(st.floats(0.01, 0.98), st.floats(0, 1e3), st.floats(0, 1e3))
def test_a_surer_interval_holds_the_less_sure_one(level: float, std: float, noise: float) -> None:
    (low, high), (lower, higher) = (belief(0.0, std, noise).interval(at) for at in (level, level + 0.01))
    assert lower <= low <= high <= higher


@pytest.mark.parametrize("level", [0, 1, 90])
def test_an_interval_of_ninety_means_0_9(level: float) -> None:
    with pytest.raises(AlloyloopError, match="between 0 and 1"):
        belief().interval(level)


def test_the_parts_of_a_prediction_have_one_length() -> None:
    with pytest.raises(AlloyloopError, match=r"\(2,\), \(1,\), \(1,\)"):
        Prediction(np.zeros(2), np.zeros(1), np.zeros(1))


def test_a_belief_made_on_a_logarithm_is_asked_there() -> None:
    """Corrosion of 1 mm per year give or take a factor e: half are slower than 1, and none slower than 0."""
    rate = Prediction(np.array([1.6]), np.array([2.0]), np.array([0.0]), Normal(LOG, np.zeros(1), np.ones(1)))
    assert np.exp(rate.log_probability(-np.inf, [1.0])) == pytest.approx(0.5)
    low, high = rate.interval(0.9)
    assert (low[0], high[0]) == pytest.approx((1 / 5.18025, 5.18025), rel=1e-5)  # exp(1.644854), by pocket calculator


def test_without_a_scale_behind_it_a_belief_is_normal_in_its_own_unit() -> None:
    theirs = norm(60, 5)
    assert np.exp(belief().log_probability(55, 70)) == pytest.approx(theirs.cdf(70) - theirs.cdf(55))
    assert belief().log_density([57.0]) == pytest.approx(theirs.logpdf(57))


@pytest.mark.parametrize("behind", [None, Normal(LOG, np.log([60.0]), np.array([0.1]))])
def test_a_widened_belief_expects_the_same_and_is_less_sure(behind: Normal | None) -> None:
    plain = replace(belief(), behind=behind)
    wide = plain.widened(2.0)
    assert (wide.mean, wide.std, wide.noise) == (plain.mean, 2 * plain.std, 2 * plain.noise)
    assert wide.measurement.std == 2 * plain.measurement.std
    (low, high), (lower, higher) = plain.interval(), wide.interval()
    assert lower < low < high < higher


def test_what_is_behind_a_belief_is_about_as_many_points() -> None:
    with pytest.raises(AlloyloopError, match="1 points has a belief about 2"):
        replace(belief(), behind=Normal(LOG, np.zeros(2), np.ones(2)))


def test_an_unknown_model_is_told_with_those_there_are() -> None:
    with pytest.raises(AlloyloopError, match=r"'forrest'.*extra-trees, forest, gaussian-process"):
        surrogate("forrest")


def test_models_of_other_packages_come_in_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = EntryPoint("dictionary", "builtins:dict", "alloyloop.surrogates")
    monkeypatch.setattr(base_module, "entry_points", lambda group: [ours] if group == "alloyloop.surrogates" else [])
    assert "dictionary" in surrogate_names()
    assert surrogate("dictionary", option=1) == {"option": 1}  # type: ignore[comparison-overlap]  # a stand-in


def test_a_registered_name_builds_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_module, "SURROGATES", {})
    base_module.register_surrogate("mine")(dict)  # type: ignore[arg-type]  # a stand-in
    assert surrogate_names() == ("mine",)
    assert surrogate("mine", option=1) == {"option": 1}  # type: ignore[comparison-overlap]


def test_the_names_of_the_models_are_known_without_torch_or_scikit_learn() -> None:
    code = (
        "import sys; from alloyloop.surrogates import surrogate_names; surrogate_names();"
        "sys.exit(bool({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_door_knows_no_other_names() -> None:
    with pytest.raises(AttributeError, match="Frost"):
        surrogates.Frost  # noqa: B018  # looking is the test


@pytest.mark.torch
def test_everything_named_at_the_door_can_be_had() -> None:
    assert all(getattr(surrogates, name) is not None for name in surrogates.__all__)


def test_an_error_that_crosses_to_another_process_comes_back_whole() -> None:
    sent = AlloyloopError("a worker cannot read it", "Install the same version.", place="worker 2")
    received = pickle.loads(pickle.dumps(sent))
    assert (str(received), received.remedy) == (str(sent), sent.remedy)
