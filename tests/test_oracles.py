"""Synthetic laboratories have the best alloy that they say, and closed loops in them are counted fairly."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import combinations
from math import comb, exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns import Campaign
from alloyloop.surrogates import FloatArray

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "bench" / "suggest"
NAMES = ("beta-titanium", "fcc-field", "twelve-elements")


@pytest.fixture(scope="module")
def oracles() -> Iterator[Any]:
    yield from _from(ROOT / "benchmarks", "oracles")


@pytest.fixture(scope="module")
def loop(oracles: Any) -> Iterator[Any]:
    yield from _from(ROOT / "benchmarks", "closed_loop")


def _from(folder: Path, name: str) -> Iterator[Any]:
    """A script's module, with the folder it lies in on the path, and neither afterwards."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield import_module(name)
    for loaded in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[loaded], "__file__", "")):
            del sys.modules[loaded]


def best_of(oracle: Any) -> FloatArray:
    return np.array([[oracle.best_at_pct.get(element, 0.0) for element in oracle.space.elements]])


# -- what they hold ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_oracle_says_that_it_is_synthetic(oracles: Any, name: str) -> None:
    oracle = oracles.ORACLES[name]()
    assert oracle.words.startswith("SYNTHETIC")
    assert "SYNTHETIC" in oracle.truth.__doc__


def test_the_valley_is_that_of_the_benchmark_of_single_batches(oracles: Any) -> None:
    if not SHARED.is_dir():
        pytest.skip("the benchmark of single batches is not in ../shared/bench")
    oracle = oracles.beta_titanium()
    for given in _from(SHARED, "problem"):
        at_pct = given.uniform(1000, np.random.default_rng(0))
        assert oracle.space.elements == (*given.EL[1:], given.EL[0])
        assert oracle.truth(at_pct[:, [1, 2, 3, 4, 5, 0]]) == pytest.approx(given.modulus(at_pct), rel=1e-12)
        assert oracle.noise == given.SD["E"]


@pytest.mark.parametrize("name", NAMES)
def test_the_best_is_an_allowed_design_and_none_drawn_or_near_it_is_better(oracles: Any, name: str) -> None:
    oracle = oracles.ORACLES[name]()
    points, near = oracle.space.snap(best_of(oracle), {})
    assert near.all()
    assert oracle.space.percent(points) == pytest.approx(best_of(oracle))
    assert oracle.space.allows(points).all()
    assert oracle.keeps(points).all()
    others = np.vstack([oracle.space.neighbours(points[0]), oracle.space.sample(4096, np.random.default_rng(0))])
    values = oracle.sign * oracle.values(others)[oracle.keeps(others)]
    assert values.max() < oracle.sign * oracle.best


@pytest.mark.parametrize("name", NAMES)
def test_the_best_lies_on_no_bound_but_that_an_element_may_be_absent(oracles: Any, name: str) -> None:
    oracle = oracles.ORACLES[name]()
    lows, highs = oracle.space.bounds
    best = best_of(oracle)[0]
    present = best > 0
    assert (best[present] > lows[present]).all()
    assert (best < highs).all()


def test_of_the_valley_the_best_is_exact(oracles: Any) -> None:
    """Its terms in Zr and Sn are 0 at 9 and 4.5 and nowhere less, so that only Nb, Mo and Ta are left to look at."""
    nb, mo, ta = (grid.ravel() for grid in np.meshgrid(*(np.arange(0, high + 0.5, 0.5) for high in (40, 15, 20))))
    at_pct = np.column_stack([nb, np.full_like(nb, 9.0), np.full_like(nb, 4.5), mo, ta, 86.5 - nb - mo - ta])
    values = oracles.softness(at_pct)
    oracle = oracles.beta_titanium()
    assert at_pct[values.argmin()] == pytest.approx(best_of(oracle)[0])
    assert values.min() == pytest.approx(52 + 22 * exp(-((0.11 / 0.035) ** 2)))


def test_of_the_field_the_best_is_exact(oracles: Any) -> None:
    """Every one of its designs, counted and looked at without the library."""
    oracle, count, best = oracles.fcc_field(), 0, (-np.inf, np.empty(0))
    co, cr, fe = (grid.ravel() for grid in np.meshgrid(*[np.arange(5, 35.5, 0.5)] * 3))
    for al in np.arange(0, 30.5, 0.5):
        ni = 100 - al - co - cr - fe
        inside = (ni >= 5) & (ni <= 50)
        at_pct = np.column_stack([np.full_like(co, al), co, cr, fe, ni])[inside]
        count += len(at_pct)
        at_pct = at_pct[oracles.fcc_margin(at_pct) >= 0]
        if len(at_pct):
            values = oracles.field_hardness(at_pct)
            best = max(best, (float(values.max()), at_pct[values.argmax()]), key=lambda one: one[0])
    assert count == oracle.space.count
    assert best[0] == pytest.approx(oracle.best)
    assert best[1] == pytest.approx(best_of(oracle)[0])


@pytest.mark.slow
def test_of_twelve_elements_the_best_is_exact(oracles: Any) -> None:
    """Every one of its designs: all ways to share 100 among three to five, for each choice of so many elements."""
    oracle, count, best = oracles.many_elements(), 0, -np.inf
    for n in (3, 4, 5):
        shares = np.stack(np.meshgrid(*[np.arange(5, 41)] * (n - 1)), axis=-1).reshape(-1, n - 1)
        shares = np.column_stack([shares, 100 - shares.sum(axis=1)])
        shares = shares[(shares[:, -1] >= 5) & (shares[:, -1] <= 40)]
        count += len(shares) * comb(12, n)
        for chosen in combinations(range(12), n):
            if _most(oracles, chosen) <= best:
                continue
            some = np.zeros((len(shares), 12))
            some[:, chosen] = shares
            best = max(best, float(oracle.truth(some).max()))
    assert count == oracle.space.count
    assert best == pytest.approx(oracle.best)


def _most(oracles: Any, chosen: tuple[int, ...]) -> float:
    """No alloy of these elements has more: the hardest alone, every pair the strongest, the window's top."""
    pairs = oracles._interactions()[np.ix_(chosen, chosen)].max()
    return float(oracles._ALONE[list(chosen)].max() + pairs * (1 - 1 / len(chosen)) + 140)


def test_what_is_hardest_is_not_fcc(oracles: Any) -> None:
    oracle = oracles.fcc_field()
    points = oracle.space.sample(4096, np.random.default_rng(1))
    values, kept = oracle.values(points), oracle.keeps(points)
    assert 0.2 < kept.mean() < 0.6
    assert values[~kept].max() > oracle.best


def test_what_is_best_of_twelve_elements_takes_few(oracles: Any) -> None:
    assert len(oracles.many_elements().best_at_pct) < 5


@pytest.mark.parametrize("name", NAMES)
def test_every_side_begins_with_the_same_alloys_and_is_off_by_the_same(oracles: Any, name: str) -> None:
    one, again = oracles.ORACLES[name](), oracles.ORACLES[name]()
    assert (one.start(3) == again.start(3)).all()
    assert (one.scatter(3, 40)[:8] == again.scatter(3, 8)).all()
    assert (one.start(3) != one.start(4)).any()
    assert one.space.allows(one.start(3)).all()


def test_regret_is_of_the_best_allowed_alloy_so_far_whatever_was_measured(oracles: Any) -> None:
    oracle = oracles.fcc_field()
    at_pct = np.array([[30, 20, 20, 20, 10], [0, 25, 10, 35, 30], [0, 30, 10, 35, 25], best_of(oracle)[0]])
    points, _ = oracle.space.snap(at_pct, {})
    # By hand from the formulas: 22 and 20.5 at.% from the border, Co 8 and 13 off its best; bcc adds 0.001 HV there.
    second = 130 + 36 - 5 + 140 - 98 - 0.06 * 8**2
    assert oracle.regrets(points) == pytest.approx([np.inf, *[oracle.best - second] * 2, 0.0], abs=0.01)


# -- how loops are run and counted -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_campaign_asks_for_the_same_designs(loop: Any, tmp_path: Path, name: str) -> None:
    oracle = loop.ORACLES[name]()
    points = oracle.start(0)
    known = loop.Known(points, oracle.values(points), oracle.keeps(points), seed=0)
    (tmp_path / "campaign.yaml").write_text(json.dumps(loop.question(oracle, 0)), encoding="utf-8")
    loop.table(oracle, known).to_csv(tmp_path / "experiments.csv", index=False)
    snapshot = Campaign.open(tmp_path).snapshot()
    assert snapshot.space.count == oracle.space.count
    assert snapshot.space.elements == oracle.space.elements
    assert (snapshot.taken() == points).all()


def test_a_run_makes_the_start_and_all_batches(loop: Any) -> None:
    oracle = loop.ORACLES["fcc-field"]()
    done = loop.run("random", "fcc-field", 2)
    points = np.array(done.points)
    assert len(points) == loop.N_MELTS == 40
    assert (points[:8] == oracle.start(2)).all()
    assert oracle.space.allows(points).all()


@pytest.mark.torch  # it names the version of BoTorch that it would stand beside
def test_a_finished_run_is_not_repeated(
    loop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "runs.jsonl"
    arguments = ["closed_loop.py", "--side", "random", "--oracle", "fcc-field", "--results", str(path), "--seeds"]
    monkeypatch.setattr(sys, "argv", [*arguments, "2"])
    loop.main()
    first = path.read_text(encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [*arguments, "3"])
    loop.main()
    assert path.read_text(encoding="utf-8").startswith(first)
    assert set(loop.finished(path)) == {("random", "fcc-field", seed) for seed in range(3)}
    assert "random" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*arguments, "1", "--again"])
    loop.main()
    assert set(loop.finished(path)) == {("random", "fcc-field", 0)}


def test_an_alloy_off_the_lattice_becomes_the_nearest_design(loop: Any) -> None:
    oracle = loop.ORACLES["twelve-elements"]()
    wanted = dict.fromkeys(oracle.space.elements, 1.4) | {"Al": 20.2, "Co": 30.3, "Cr": 19.7, "Ti": 20.0}
    percent = np.array([list(wanted.values())])
    point = loop.rounded(oracle, percent * 100 / percent.sum())
    assert oracle.space.allows(point).all()
    made = dict(zip(oracle.space.elements, oracle.space.percent(point)[0], strict=True))
    assert {element for element, amount in made.items() if amount > 0} >= {"Al", "Co", "Cr", "Ti"}
    on_step = oracle.start(0)
    assert (loop.rounded(oracle, oracle.space.percent(on_step)) == on_step).all()


def test_sides_are_compared_by_ratios_of_regrets(loop: Any) -> None:
    compared = loop.Comparison.of(np.array([1.0, 4.0]), np.array([2.0, 2.0]), least=0.1)
    assert compared.geometric == pytest.approx(1.0)  # the root of a half times two
    assert compared.arithmetic == pytest.approx(2.5 / 2)
    assert compared.better == 0.5
    assert (compared.low, compared.high) == pytest.approx((0.5, 2.0))


def test_a_regret_too_small_to_see_is_no_advantage(loop: Any) -> None:
    compared = loop.Comparison.of(np.array([0.0]), np.array([0.05]), least=0.1)
    assert compared.geometric == 1.0


def test_what_came_of_the_runs_is_told_over_the_seeds_that_both_have(loop: Any) -> None:
    oracle = loop.ORACLES["fcc-field"]()
    start = oracle.start(0)
    best, _ = oracle.space.snap(best_of(oracle), {})

    def of(side: str, seed: int, last: Any) -> Any:
        points = np.vstack([np.tile(start[oracle.keeps(start)][:1], (39, 1)), last])
        return loop.Run(side, "fcc-field", seed, 8.0, points.tolist())

    runs = [of("ours", 0, best), of("ours", 1, start[:1]), of("botorch", 0, start[:1])]
    text = "\n".join(loop.told({(run.side, run.oracle, run.seed): run for run in runs}))
    assert "in 100% of 1 seeds" in text
    assert "Over 1 oracles: 0." in text


def test_kept_runs_are_of_the_oracles_as_they_are(loop: Any) -> None:
    runs = loop.finished(loop.RESULTS)
    if not runs:
        pytest.skip("no closed loop has been kept")
    for (_, name, seed), done in runs.items():
        oracle, points = loop.ORACLES[name](), np.array(done.points)
        assert (points[:8] == oracle.start(seed)).all()
        assert oracle.space.allows(points).all()


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.filterwarnings("default")  # BoTorch warns of what it tries again
@pytest.mark.parametrize("side", ["ours", "botorch"])
def test_a_side_proposes_four_allowed_designs(loop: Any, side: str) -> None:
    oracle = loop.ORACLES["fcc-field"]()
    points = oracle.start(0)
    known = loop.Known(points, oracle.values(points) + oracle.scatter(0, 8), oracle.keeps(points), seed=0)
    batch = loop.SIDES[side](oracle, known)
    assert batch.shape == (4, 5)
    assert oracle.space.allows(batch).all()
