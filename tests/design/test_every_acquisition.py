"""What every acquisition promises, whatever is believed: it drives a campaign, and has a number for every alloy."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from alloyloop.design.acquisition import ACQUISITIONS, Acquisition
from alloyloop.design.acquisitions import acquisition_names
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.classes import ClassBelief, learn_classes
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Minimize, Within
from alloyloop.design.outlook import ClassWanted, Limited, Sought, outlook
from alloyloop.surrogates.base import FloatArray

from .strategies_outlook import ELEMENTS, Field, looking, nothing, some_alloys

MODELS = ("gaussian-process", "extra-trees")
# Those that are to find the best alloy, and not to learn where nobody wants to melt.
SEARCHING = sorted(ACQUISITIONS.keys() - {"posterior-variance", "integrated-variance", "level-set"})
POOL = some_alloys(40, np.random.default_rng(3))
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "acquisitions.md").read_text(encoding="utf-8")


def modulus(alloys: Alloys) -> FloatArray:
    """A valley in niobium that falls with zirconium [GPa]."""
    niobium, zirconium = alloys.fractions[:, 0], alloys.fractions[:, 1]
    return np.asarray(60 + 400 * (niobium - 0.18) ** 2 - 25 * zirconium)


def richness(alloys: Alloys) -> FloatArray:
    """Must be above 20 at.%."""
    return np.asarray(100 * (alloys.fractions[:, 0] + 0.5 * alloys.fractions[:, 1]))


def melted_by(name: str, seed: int) -> list[int]:
    """Which of the pool are made, two a round for six rounds, after six by lot."""
    made: list[int] = np.random.default_rng(seed).permutation(len(POOL))[:6].tolist()
    for _ in range(6):
        melted = POOL.rows(np.array(made))
        soft = Sought("E_GPa", Minimize(), Field(melted, modulus(melted), scatter=0.3, spread=8.0), scale=5.0)
        rich = Field(melted, richness(melted), scatter=0.3, middle=20.0)
        known = looking(soft, limits=(Limited("richness_at_pct", Within(low=20), rich),), seed=seed)
        value = Acquisition(known, ACQUISITIONS[name])
        for _ in range(2):
            worth = value.value(POOL)
            worth[made] = -np.inf
            made.append(int(worth.argmax()))
            value = value.with_pick(POOL.rows(np.array(made[-1:])))
    return made


@pytest.mark.parametrize("name", SEARCHING)
def test_what_searches_finds_a_far_better_alloy_than_chance_would(name: str) -> None:
    """Of 34 alloys left, twelve are made: by lot the best would be among them once in three times."""
    moduli = np.where(richness(POOL) > 20, modulus(POOL), np.inf)
    ranks = [int((moduli < moduli[melted_by(name, seed)].min()).sum()) for seed in range(6)]
    assert max(ranks) <= 1, ranks
    assert ranks.count(0) >= 5, ranks


TABLES = {
    "some rows": ((0, 1, 2, 3, 4, 5), None),
    "one row": ((0,), (60.0,)),
    "repeats": ((0, 1, 2, 2), (60.0, 64.0, 58.0, 59.0)),
    "all the same": ((0, 1, 2, 2), (60.0, 60.0, 60.0, 60.0)),
}


@cache
def believed(model: str, table: str) -> tuple[Belief, ClassBelief]:
    """A modulus and a phase learned from some of the pool."""
    rows, told = TABLES[table]
    melted = POOL.rows(np.array(rows))
    moduli = modulus(melted) if told is None else np.array(told)
    blank, alone = np.full(len(melted), np.nan), np.array([""] * len(melted))
    belief = learn(Evidence("E_GPa", melted, moduli, blank, alone), Option(model, Features(ELEMENTS)))
    phases = Evidence("phases", melted, np.where(richness(melted) > 20, 0.0, 1.0), blank, alone)
    return belief, learn_classes(phases, ("beta", "other"), Option("linear-discriminant", Features(ELEMENTS)))


def worth_of_one_more(name: str, model: str, table: str, pending: Alloys) -> Acquisition:
    belief, phases = believed(model, table)
    rng = np.random.default_rng(0)
    melted = belief.evidence.alloys
    sought = Sought("E_GPa", Minimize(), belief, scale=float(np.std(belief.evidence.values)) or 1.0)
    wanted = ClassWanted(phases, "beta", 1 - phases.evidence.values)
    limits = (Limited("E_GPa", Within(high=70.0), belief),)
    over = some_alloys(48, rng)
    known = outlook((sought,), melted, pending, over, 3, rng, limits=limits, classes=(wanted,), n_draws=64)
    return Acquisition(known, ACQUISITIONS[name])


@pytest.mark.torch
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", acquisition_names())
def test_the_picks_of_a_batch_are_different_and_none_is_taken(name: str, model: str) -> None:
    made = list(TABLES["some rows"][0])
    value = worth_of_one_more(name, model, "some rows", nothing(POOL))
    for _ in range(3):
        worth = value.value(POOL)
        assert not np.isnan(worth).any()
        worth[made] = -np.inf
        made.append(int(worth.argmax()))
        value = value.with_pick(POOL.rows(np.array(made[-1:])))
    assert len(set(made)) == 9


@pytest.mark.torch
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", acquisition_names())
def test_whatever_was_measured_every_alloy_has_a_worth_of_its_own(name: str, model: str, table: str) -> None:
    for pending in (nothing(POOL), POOL.rows(np.array([3, 3]))):
        value = worth_of_one_more(name, model, table, pending)
        worth = value.value(POOL)
        assert not np.isnan(worth).any()
        assert worth.max() > -np.inf
        alone = [float(value.value(POOL.rows(np.array([i])))[0]) for i in range(3)]
        assert worth[:3] == pytest.approx(alone, rel=1e-6)


@pytest.mark.torch
def test_on_one_belief_botorch_ranks_alike() -> None:
    import torch
    from botorch.acquisition.active_learning import qNegIntegratedPosteriorVariance
    from botorch.acquisition.analytic import PosteriorStandardDeviation, UpperConfidenceBound

    belief, _ = believed("gaussian-process", "some rows")
    model: Any = belief.surrogate
    over = some_alloys(64, np.random.default_rng(1))
    known = looking(Sought("E_GPa", Minimize(), belief, 5.0), reference=over, explore=0.9)
    gains = {
        name: ACQUISITIONS[name].build(known)(POOL)
        for name in ("upper-confidence-bound", "posterior-variance", "integrated-variance")
    }
    asked = torch.from_numpy(POOL.fractions).unsqueeze(1)
    with torch.no_grad():
        bound = UpperConfidenceBound(model, beta=float(norm.ppf(0.95)) ** 2, maximize=False)(asked).numpy()
        std = PosteriorStandardDeviation(model)(asked).numpy()
        left = qNegIntegratedPosteriorVariance(model, mc_points=torch.from_numpy(over.fractions))(asked).numpy()
    assert (np.argsort(gains["upper-confidence-bound"]) == np.argsort(bound)).all()
    assert (np.argsort(gains["posterior-variance"]) == np.argsort(std)).all()
    now = (belief.about(over).std ** 2).mean()
    assert np.exp(gains["integrated-variance"]) == pytest.approx((now + left) / now, rel=1e-6)


def test_every_acquisition_says_in_a_line_what_it_looks_for() -> None:
    assert all(rule.about and rule.build.__doc__ for rule in ACQUISITIONS.values())


def test_the_page_of_acquisitions_tells_of_all_of_them_and_of_no_other() -> None:
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)) == sorted(ACQUISITIONS)


def test_the_example_of_one_of_your_own_runs() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    exec(compile(example, "docs/acquisitions.md", "exec"), {})
    rule = ACQUISITIONS.pop("boldest")
    assert rule.build(looking())(POOL) == pytest.approx(np.log(looking().sought[0].belief.about(POOL).std))
