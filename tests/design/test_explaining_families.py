"""Every model that there is can be explained: what it needs, what each thing does, what one prediction is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alloyloop.design import beliefs
from alloyloop.design.beliefs import Belief, Choice, Evidence, Option, Part, learn, learn_chosen
from alloyloop.design.explaining import (
    HeldOut,
    contributions,
    effects,
    feature_contributions,
    importances,
    mean_alloy,
    moves,
    neighbours,
    outliers,
    relevances,
)
from alloyloop.design.features import Alloys, Features
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice as Level
from alloyloop.design.process import Numeric
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.base import family, surrogate, surrogate_names
from alloyloop.surrogates.scales import LOG

pytestmark = pytest.mark.torch

ELEMENTS = ("Nb", "Zr", "Ti")
AGEING, QUENCH = Numeric("ageing_C", 300, 500, 100), Level("quench", ("water", "air"))
LATTICE = Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 20, 1)), "Ti", 50, 100)
SPACE = DesignSpace(LATTICE, "at_pct", (AGEING, QUENCH))
FEATURES = Features(ELEMENTS, process=(AGEING, QUENCH))
INSTALLED = [name for name in surrogate_names() if family(name).is_installed]
N = 24


def known() -> Evidence:
    """Twenty-four alloys whose modulus falls by 1 GPa per at.% of Nb."""
    rng = np.random.default_rng(0)
    niobium, zirconium = rng.uniform(0.05, 0.35, N), rng.uniform(0.0, 0.1, N)
    process = {
        "ageing_C": rng.choice([300.0, 400.0, 500.0], N),
        "quench": np.array(rng.choice(["water", "air"], N), dtype=object),
    }
    alloys = Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), process)
    values = 100 - 100 * niobium + rng.normal(0, 0.5, N)
    return Evidence("youngs_modulus_GPa", alloys, values, np.full(N, np.nan), np.full(N, ""))


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """One setting, four parts, few trees: whether a family can be explained is asked, and not how good it is."""
    from alloyloop.surrogates import left_out

    def quick(name: str, **settings: Any) -> Any:
        model: Any = surrogate(name, **settings)
        params = model.get_params()
        hurried: dict[str, Any] = {key: 10 for key in params if key.endswith("n_estimators")}
        if "grid" in params:
            first = {key: value for key, value in dict(*params["grid"][:1]).items() if not key.endswith("n_estimators")}
            hurried |= {"n_repeats": 1, "grid": [first]}
        return model.set_params(**hurried)

    monkeypatch.setattr(beliefs, "surrogate", quick)
    monkeypatch.setattr(left_out, "N_FOLDS_OF_FEW", 4)


def assert_explained(belief: Belief) -> None:
    found = belief.evidence
    fold = np.arange(N) % 2
    held = HeldOut(found, tuple(belief.again(found.rows(fold != i)) for i in (0, 1)), fold, "rows")
    needed = importances(SPACE, held, np.random.default_rng(0))
    assert {one.thing.name for one in needed} == {"Nb", "Zr", "Ti", "ageing_C", "quench"}
    assert needed[0].thing.name in {"Nb", "Ti"}  # each tells the other

    curves = {effect.thing.name: effect for effect in effects(SPACE, belief, mean_alloy(SPACE, found.alloys))}
    assert set(curves) == {"Nb", "Zr", "ageing_C", "quench"}
    for effect in curves.values():
        low, high = effect.prediction.interval()
        assert (low <= effect.prediction.mean).all()
        assert (effect.prediction.mean <= high).all()
        assert np.isfinite([low, high]).all()
    assert curves["Nb"].prediction.mean[0] > curves["Nb"].prediction.mean[-1]

    one = found.alloys.rows(np.array([3]))
    expected = belief.about(one).mean[0]
    shared = contributions(SPACE, belief, one, np.random.default_rng(0)).shares
    assert shared.base + shared.of.sum() == pytest.approx(expected)
    (near,) = neighbours(SPACE, belief, one, belief.again, n=1)
    assert near.row == 3
    assert near.distance == pytest.approx(0, abs=1e-9)
    assert np.isfinite(near.without)
    assert len(outliers(belief, held)) < N / 4
    told = relevances(belief)
    assert told is None or sum(told.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", INSTALLED)
def test_every_family_can_be_explained(name: str) -> None:
    assert_explained(learn(known(), Option(name, FEATURES)))


@pytest.mark.parametrize("name", ["gaussian-process", "extra-trees", "ridge"])
@pytest.mark.parametrize("how", [{"prepare": ("pca 3",)}, {"scale": LOG}], ids=["prepared", "on a scale"])
def test_prepared_and_on_a_scale_as_well(name: str, how: dict[str, Any]) -> None:
    assert_explained(learn(known(), Option(name, FEATURES, **how), factor=1.5))


def test_a_blend_as_well() -> None:
    options = {name: Option(name, FEATURES) for name in ("ridge", "gaussian-process")}
    choice = Choice("a blend", "", 1.2, (Part("ridge", 0.4, 2.0), Part("gaussian-process", 0.6, 0.9)))
    assert_explained(learn_chosen(known(), options, choice))


# -- SHAP values ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linear() -> Belief:
    pytest.importorskip("shap", reason="shap is not installed: pip install 'alloyloop[shap]'")
    return learn(known(), Option("linear", FEATURES))


def test_features_of_a_straight_line_get_its_terms(linear: Belief) -> None:
    """What is linear is shared as its terms, whatever the mixtures: weight times the distance to the mean."""
    alloys = linear.evidence.alloys
    told = feature_contributions(linear, alloys.rows(np.array([0, 5])), np.random.default_rng(0))
    assert set(told.names) == {"Nb", "Zr", "Ti", "ageing_C", "quench"}
    X = FEATURES.encode(alloys)
    column = FEATURES.names.index("ageing_C")
    ends = np.tile(X.mean(axis=0), (2, 1))
    ends[:, column] = [300, 500]
    slope = np.diff(linear.surrogate.predict(ends))[0] / 200
    for row, shares in zip((0, 5), told.shares, strict=True):
        wanted = slope * (X[row, column] - X[:, column].mean())
        assert shares.of[told.names.index("ageing_C")] == pytest.approx(wanted, abs=1e-9)
        assert shares.base + shares.of.sum() == pytest.approx(linear.surrogate.predict(X[[row]])[0])


def test_what_moves_the_model_is_told_of_things_and_of_features(linear: Belief) -> None:
    told = moves(SPACE, linear, np.random.default_rng(0))
    assert told.n_rows == N
    assert next(iter(told.things)).name == "Nb"
    assert "Ti" not in {thing.name for thing in told.things}  # the balance pays for the others
    assert {"Nb", "Ti"} <= set(told.features)
    sizes = list(told.features.values())
    assert sizes == sorted(sizes, reverse=True)
    again = moves(SPACE, linear, np.random.default_rng(0))
    assert (again.things, again.features) == (told.things, told.features)


def test_the_sizes_are_means_over_the_rows(linear: Belief) -> None:
    """By our own shares of every row, one at a time."""
    told = moves(SPACE, linear, np.random.default_rng(0))
    alloys = linear.evidence.alloys
    every = [contributions(SPACE, linear, alloys.rows(np.array([i])), np.random.default_rng(0)) for i in range(N)]
    wanted = np.mean([np.abs(one.shares.of) for one in every], axis=0)
    assert [told.things[thing] for thing in every[0].things] == pytest.approx(wanted)
