"""A batch is the best there is, wherever that can be checked; never taken, never twice, the same for a seed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from alloyloop.design import beliefs
from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.composition import Basis
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Alloys, Features, alloys_at
from alloyloop.design.goals import Minimize, Within
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.outlook import N_DRAWS, Limited, Sought, outlook
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.propose import SEARCHES, SPARING, THOROUGH, Batch, propose
from alloyloop.design.rules import Names, parse_rule
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.surrogates.base import FloatArray, Surrogate, family, surrogate, surrogate_names
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import as_set, every_point

pytestmark = pytest.mark.torch

# The most of ten searches that may end below the best there is. A population may settle on a lesser peak: of sixty,
# two did.
MOST_MISSED = {"exchange": 0, "population": 2}
MODELS = ("gaussian-process", "extra-trees")
CLIMBING = replace(THOROUGH, n_listed=0)  # so that spaces of some thousand alloys are not asked for whole
PROCESS = (Numeric("solution_temperature_C", 750, 1050, 100), Choice("quench", ("water", "air")))


def wide(basis: Basis = "wt_pct", process: tuple[Numeric | Choice, ...] = ()) -> DesignSpace:
    """Five elements with some thousands of alloys, more than are sampled; with process, fewer in more ways."""
    steps = dict.fromkeys(("Nb", "Zr", "Mo"), 5.0 if process else 2.5) | {"Sn": 4.0 if process else 2.0}
    tops = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15}
    lattice = Lattice(tuple(Element(symbol, 0, top, steps[symbol]) for symbol, top in tops.items()), "Ti", 50, 90)
    return DesignSpace(lattice, basis, process, (parse_rule("Nb + Mo >= 5", Names(lattice.symbols)),))


def narrow() -> DesignSpace:
    """Twelve alloys."""
    lattice = Lattice((Element("Nb", 0, 30, 10), Element("Zr", 0, 10, 5)), "Ti")
    return DesignSpace(lattice, "at_pct")


def worth_of(
    belief: Belief,
    alloys: Alloys,
    n_picks: int,
    rng: np.random.Generator,
    limits: tuple[Limited, ...] = (),
    n_draws: int = N_DRAWS,
) -> Acquisition:
    """Expected improvement on measured alloys, of a property that is to be low."""
    none = alloys.rows(np.array([], dtype=np.int64))
    sought = [Sought("E_GPa", Minimize(), belief)]
    known = outlook(sought, alloys, none, none, n_picks, rng, limits=limits, n_draws=n_draws)
    return Acquisition(known, acquisition_rule("log-expected-improvement"))


def case(
    model: str,
    seed: int,
    space: DesignSpace,
    n_measured: int = 15,
    n_picks: int = 1,
    *,
    limited: bool = False,
    n_draws: int = N_DRAWS,
) -> tuple[Acquisition, IntArray, np.random.Generator]:
    """What a further alloy of the space is worth after some random ones were measured, and where those lie."""
    rng = np.random.default_rng(seed)
    points = space.sample(n_measured, rng)
    alloys = alloys_at(space, points, space.elements)
    nothing = np.full(len(points), np.nan)
    option = Option(model, Features(space.elements, process=space.process))

    def belief() -> Belief:
        slopes, waves = rng.normal(0, 20, space.n_elements), rng.normal(0, 8, space.n_elements)
        values: FloatArray = 60 + alloys.fractions @ slopes + 15 * np.sin(alloys.fractions @ waves)
        values = values + rng.normal(0, 2, len(points))
        return learn(Evidence("E_GPa", alloys, values, nothing, np.array([""] * len(points))), option)

    wanted = belief()
    limits = (Limited("YS_MPa", Within(high=65.0), belief()),) if limited else ()
    return worth_of(wanted, alloys, n_picks, rng, limits, n_draws), points, rng


@cache
def listed(space: DesignSpace) -> IntArray:
    """All allowed points of a space."""
    everything = every_point(space)
    return everything[space.allows(everything)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("space", [wide("wt_pct"), wide("at_pct", PROCESS)], ids=["composition", "and process"])
def test_the_pick_is_the_best_of_all_alloys(space: DesignSpace, model: str) -> None:
    assert len(listed(space)) > 1.5 * THOROUGH.n_sampled
    missed: dict[str, list[int]] = {search: [] for search in SEARCHES}
    for seed in range(10):
        value, taken, rng = case(model, seed, space, limited=seed % 3 == 0, n_draws=64)  # a surface as rough as any
        left = listed(space)[~rows_in(listed(space), taken)]
        best = value.value(alloys_at(space, left, space.elements)).max()
        for search in SEARCHES:
            found = propose(space, value, space.elements, taken, 1, rng, CLIMBING, search).log_gains[0]
            assert best - 0.1 < found <= best + 1e-6  # in nats: never a tenth of the expected gain is lost
            if found < best - 1e-6:
                missed[search].append(seed)
    for search, seeds in missed.items():  # in forty cases of four kinds
        assert len(seeds) <= MOST_MISSED[search], (search, seeds)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("n_taken", [0, 1000])
def test_a_sparing_search_looks_at_few_designs_and_half_of_them_as_it_goes(
    n_taken: int, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = wide()
    value, measured, rng = case("gaussian-process", 1, space)
    taken = np.vstack([measured, space.sample(n_taken, rng)])
    ask, looked = Acquisition.value, []

    def counted(self: Acquisition, alloys: Alloys) -> FloatArray:
        looked.append(len(alloys))
        return ask(self, alloys)

    monkeypatch.setattr(Acquisition, "value", counted)
    propose(space, value, space.elements, taken, 1, rng, SPARING, search)
    assert looked[0] <= SPARING.most_looked // 2
    most_neighbours = 5 * 4 * 2  # of five elements each gives some to another, with steps of two kinds
    assert sum(looked) <= SPARING.most_looked + most_neighbours


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", range(4))
def test_on_a_smooth_surface_a_sparing_search_is_as_good(seed: int, search: str) -> None:
    space = wide()
    value, taken, rng = case("gaussian-process", seed, space)
    left = listed(space)[~rows_in(listed(space), taken)]
    best = value.value(alloys_at(space, left, space.elements)).max()
    found = propose(space, value, space.elements, taken, 1, rng, SPARING, search).log_gains[0]
    assert found == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_batch_is_of_different_allowed_points_that_nobody_has_taken(model: str, seed: int, search: str) -> None:
    space = wide(process=PROCESS)
    value, taken, rng = case(model, seed, space, n_picks=4)
    batch = propose(space, value, space.elements, taken, 4, rng, search=search)
    assert len(as_set(batch.points)) == 4
    assert space.allows(batch.points).all()
    assert space.lattice is not None
    assert space.lattice.holds(batch.points[:, : space.n_elements]).all()
    assert not rows_in(batch.points, taken).any()


@pytest.mark.parametrize("search", SEARCHES)
def test_each_pick_is_valued_after_those_before_it_and_above_its_runner_up(search: str) -> None:
    space = wide()
    value, taken, rng = case("gaussian-process", 5, space, n_picks=4)
    batch = propose(space, value, space.elements, taken, 4, rng, search=search)
    for point, gain, other in zip(batch.points, batch.log_gains, batch.runner_ups, strict=True):
        worth = value.value(alloys_at(space, np.array([point, other]), space.elements))
        assert worth[0] == pytest.approx(gain)
        assert worth[1] <= worth[0]
        value = value.with_pick(alloys_at(space, point[None], space.elements))


def proposed(seed: int, search: str) -> Batch:
    space = wide()
    value, taken, rng = case("gaussian-process", seed, space, n_picks=3)
    return propose(space, value, space.elements, taken, 3, rng, search=search)


@pytest.mark.parametrize("search", SEARCHES)
def test_the_same_seed_gives_the_same_batch(search: str) -> None:
    first, again, other = proposed(6, search), proposed(6, search), proposed(7, search)
    assert first.points.tolist() == again.points.tolist()
    assert first.log_gains.tolist() == again.log_gains.tolist()
    assert first.runner_ups.tolist() == again.runner_ups.tolist()
    assert first.points.tolist() != other.points.tolist()


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("model", MODELS)
def test_fewer_come_back_where_fewer_are_left(model: str, search: str) -> None:
    space = narrow()
    value, taken, rng = case(model, 8, space, n_measured=9, n_picks=5)
    batch = propose(space, value, space.elements, taken, 5, rng, search=search)
    assert as_set(batch.points) == as_set(listed(space)) - as_set(taken)
    assert (len(batch.points), len(batch.log_gains), len(batch.runner_ups)) == (3, 3, 3)
    assert batch.runner_ups[2].tolist() == batch.points[2].tolist()  # there was no other


@pytest.mark.parametrize("search", SEARCHES)
def test_the_last_alloy_left_is_found_however_many_are_taken(search: str) -> None:
    space = wide()
    value, _, rng = case("gaussian-process", 9, space)
    everything = listed(space)
    batch = propose(space, value, space.elements, np.delete(everything, 3210, axis=0), 1, rng, search=search)
    assert batch.points.tolist() == [everything[3210].tolist()]


@pytest.mark.parametrize("search", SEARCHES)
def test_a_space_of_which_everything_is_taken_is_told_so(search: str) -> None:
    space = narrow()
    value, _, rng = case("gaussian-process", 10, space, n_measured=9)
    with pytest.raises(AlloyloopError, match=r"Every design of the space is taken: measured, pending or withdrawn\. W"):
        propose(space, value, space.elements, listed(space), 1, rng, search=search)


def test_a_search_that_there_is_not_is_refused() -> None:
    space = narrow()
    value, taken, rng = case("gaussian-process", 10, space, n_measured=5)
    with pytest.raises(AlloyloopError, match=r"There is no search 'genetic'\. Write one of exchange, population\."):
        propose(space, value, space.elements, taken, 1, rng, search="genetic")


@pytest.mark.parametrize("search", SEARCHES)
def test_designs_that_cannot_be_predicted_are_never_picked(search: str, monkeypatch: pytest.MonkeyPatch) -> None:
    space = wide()
    value, taken, rng = case("gaussian-process", 12, space, n_picks=2)
    ask = Acquisition.value

    def unknown_with_tin(self: Acquisition, alloys: Alloys) -> FloatArray:
        return np.where(alloys.fractions[:, alloys.elements.index("Sn")] > 0, np.nan, ask(self, alloys))

    monkeypatch.setattr(Acquisition, "value", unknown_with_tin)
    batch = propose(space, value, space.elements, taken, 2, rng, search=search)
    assert (batch.points[:, space.elements.index("Sn")] == 0).all()
    assert (batch.runner_ups[:, space.elements.index("Sn")] == 0).all()


@pytest.mark.parametrize("search", SEARCHES)
def test_where_no_design_can_be_predicted_it_is_said(search: str, monkeypatch: pytest.MonkeyPatch) -> None:
    space = wide()
    value, taken, rng = case("gaussian-process", 12, space)
    monkeypatch.setattr(Acquisition, "value", lambda self, alloys: np.full(len(alloys), np.nan))
    with pytest.raises(
        AlloyloopError, match=r"None of \d+ designs can be predicted: features are not known of any\. T"
    ):
        propose(space, value, space.elements, taken, 1, rng, search=search)


@pytest.mark.parametrize("search", SEARCHES)
def test_where_no_design_is_worth_anything_one_is_picked_all_the_same(
    search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = wide()
    value, taken, rng = case("gaussian-process", 12, space)
    monkeypatch.setattr(Acquisition, "value", lambda self, alloys: np.full(len(alloys), -np.inf))
    batch = propose(space, value, space.elements, taken, 1, rng, search=search)
    assert space.allows(batch.points).tolist() == [True]
    assert np.exp(batch.log_gains).tolist() == [0]


@pytest.mark.parametrize("search", SEARCHES)
def test_a_space_without_a_design_is_told_so(search: str) -> None:
    value, _, rng = case("gaussian-process", 12, wide())
    space = wide()
    none = replace(space, rules=(parse_rule("Nb + Zr >= 90", space.names),))
    with pytest.raises(AlloyloopError, match="No design keeps every bound and rule"):
        propose(none, value, none.elements, np.empty((0, 5), dtype=np.int64), 1, rng, search=search)


def test_elements_that_only_the_table_knows_are_proposed_at_nothing() -> None:
    space = narrow()
    elements = (*space.elements, "O")
    rng = np.random.default_rng(11)
    points = space.sample(6, rng)
    alloys = alloys_at(space, points, elements)
    evidence = Evidence("E", alloys, np.arange(6.0), np.full(6, np.nan), np.array([""] * 6))
    belief = learn(evidence, Option("gaussian-process", Features(elements)))
    value = worth_of(belief, alloys, 1, rng)
    batch = propose(space, value, elements, points, 1, rng)
    assert batch.points.shape == (1, space.n_elements)
    assert space.allows(batch.points).all()


@pytest.mark.parametrize("model", [name for name in surrogate_names() if family(name).is_installed])
def test_every_family_drives_the_loop(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twelve alloys, six measured, the two to make next are the best that are left: no gradient is asked for."""

    def quick(name: str, **settings: object) -> Surrogate:
        hurried = {"n_repeats": 1, "tune_seconds": 0.0} if family(name).leaves_out else {}
        return surrogate(name, **settings, **hurried)

    monkeypatch.setattr(beliefs, "surrogate", quick)
    space = narrow()
    worth, taken, rng = case(model, 0, space, n_measured=6, n_picks=2)
    batch = propose(space, worth, space.elements, taken, 2, rng, SPARING)
    left = listed(space)[~rows_in(listed(space), taken)]
    values = worth.value(alloys_at(space, left, space.elements))
    assert batch.log_gains[0] == pytest.approx(values.max(), abs=1e-9)
    assert not rows_in(batch.points, taken).any()
    assert len(as_set(batch.points)) == 2
