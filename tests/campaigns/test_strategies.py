"""What strategies pick: `auto` what `suggest` would of the same list, others what their name says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.learning import options
from alloyloop.campaigns.pools import Pool, pool_of
from alloyloop.campaigns.strategies import AsSuggested, _ranked, strategy, strategy_names
from alloyloop.design.beliefs import choose
from alloyloop.design.diagram import IntArray
from alloyloop.surrogates.errors import AlloyloopError

from .folders import make

N, N_MADE = 40, 14
SPACE = """\
  step: 1
  elements:
    Co: {min: 0, max: 60}
    Ni: {min: 0, max: 40}
"""
QUESTION = f"""\
alloyloop: 1
name: Replayed
composition:
  basis: at_pct
  balance: Fe
{SPACE}properties:
  coercivity_mT: {{goal: minimize}}
features: composition
model: gaussian-process
acquisition: upper-confidence-bound
explore: 0.999
seed: 5
"""
LIMITED = QUESTION.replace("minimize}\n", "minimize}\n  kerr_mrad: {goal: above, limit: 4}\n")


def table() -> tuple[np.ndarray, np.ndarray]:
    """Amounts (40, 3) of Fe, Co, Ni in at.%, and a SYNTHETIC coercivity and Kerr rotation (40, 2)."""
    rng = np.random.default_rng(4)
    co, ni = rng.integers(0, 60, N), rng.integers(0, 40, N)
    amounts = np.column_stack([100 - co - ni, co, ni])
    coercivity = 3 + 0.002 * (co - 35) ** 2 + 0.004 * (ni - 10) ** 2 + rng.normal(0, 0.05, N)
    return amounts, np.column_stack([coercivity, 3 + 0.05 * co])


def rows(first: int, last: int, status: str = "known,") -> str:
    amounts, values = table()
    lines = [
        f"L{i},{status}{','.join(map(str, amounts[i]))}" + (f",{values[i, 0]:.4f},{values[i, 1]:.4f}" if status else "")
        for i in range(first, last)
    ]
    return "\n".join(lines) + "\n"


HEADER = "id,status,Fe_at_pct,Co_at_pct,Ni_at_pct,coercivity_mT,kerr_mrad\n"


def pool(path: Path, question: str = QUESTION) -> Pool:
    return pool_of(Campaign(make(path / "all", question, HEADER + rows(0, N))).snapshot())


def picked(of: Pool, name: str, made: IntArray, n: int, seed: int = 0) -> list[int]:
    rows: list[int] = strategy(name, of, stopping=False).pick(made, n, np.random.default_rng(seed)).rows.tolist()
    return rows


@pytest.mark.parametrize("question", [QUESTION, LIMITED])
def test_auto_picks_what_suggest_would_of_the_same_list(tmp_path: Path, question: str) -> None:
    asked = question.replace(SPACE, "") + "candidates: library.csv\n"
    folder = make(tmp_path / "so-far", asked, HEADER + rows(0, N_MADE))
    library = "id,Fe_at_pct,Co_at_pct,Ni_at_pct\n" + rows(N_MADE, N, "")
    (folder / "library.csv").write_text(library, encoding="utf-8")
    batch = Campaign(folder).suggest(3, dry_run=True)
    amounts, _ = table()
    replayed = amounts[picked(pool(tmp_path, question), "auto", np.arange(N_MADE), 3)]
    made = [alloy.composition for alloy in batch]
    suggested = [[one.at_pct.get(e, 0.0) for e in ("Fe", "Co", "Ni")] for one in made if one is not None]
    np.testing.assert_allclose(replayed, suggested)


@pytest.mark.parametrize("name", ["auto", "random", "greedy", "extra-trees", "forest/log-expected-improvement"])
def test_a_pick_is_left_over_and_there_are_as_many_as_asked_for(tmp_path: Path, name: str) -> None:
    made = np.array([0, 5, 6, 11, 20, 39])
    got = picked(pool(tmp_path), name, made, 4)
    assert len(set(got)) == 4
    assert not set(got) & set(made.tolist())


def test_what_may_be_chosen_from_is_asked_for_again_only_where_it_could_change_a_pick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, asked = pool(tmp_path, QUESTION.replace("features: composition", "features: auto")), list[int]()
    chosen_by: list[int] = []

    def counted(snapshot: Any, found: Any) -> Any:
        asked.append(len(found))
        return options(snapshot, found)

    def chosen(found: Any, offered: Any, **kept: Any) -> Any:
        chosen_by.append(len(found))
        return choose(found, offered, **kept)

    monkeypatch.setattr("alloyloop.campaigns.strategies.options", counted)
    monkeypatch.setattr("alloyloop.campaigns.strategies.choose", chosen)
    picks = []
    for takes in (True, False):
        chooser = strategy("auto", of, stopping=False)
        assert isinstance(chooser, AsSuggested)
        assert chooser._takes_every()
        chooser._takes[:] = [takes]
        steps = [chooser.pick(np.arange(n), 2, np.random.default_rng(n)).rows.tolist() for n in (14, 15, 24, 26)]
        picks.append(steps)
    assert picks[0] == picks[1]
    assert asked == [14, 24, 14, 15, 24, 26]  # models are chosen anew of 12, 24, 48 …
    assert chosen_by == [14, 24] * 2  # by nothing but what was made


def test_of_an_alloy_that_a_descriptor_does_not_know_it_is_asked_for_every_batch(tmp_path: Path) -> None:
    """Bismuth, which the space does not hold, has no bond order in the table of Morinaga et al."""
    header = HEADER.replace(",coercivity", ",Bi_at_pct,coercivity")
    amounts = "\n".join(f"F{i},known,{60 - i},{20 + i},19,1,{3 + 0.1 * i},4" for i in range(12)) + "\n"
    folder = make(tmp_path / "foreign", QUESTION, header + amounts)
    chooser = strategy("auto", pool_of(Campaign(folder).snapshot(), whole_table=True))
    assert isinstance(chooser, AsSuggested)
    assert not chooser._takes_every()


def test_greedy_takes_the_best_that_is_expected(tmp_path: Path) -> None:
    """Beside the Gaussian process fitted by itself."""
    from alloyloop.surrogates import GaussianProcess

    amounts, values = table()
    made, left = np.arange(N_MADE), np.arange(N_MADE, N)
    fractions = amounts[:, [1, 2, 0]] / 100
    model = GaussianProcess().fit(fractions[made], values[made, 0])
    assert picked(pool(tmp_path), "greedy", made, 1) == [int(left[np.argmin(model.predict(fractions[left]))])]


def test_what_is_not_made_yet_teaches_nothing(tmp_path: Path) -> None:
    """A lie about every alloy that is left changes no pick."""
    from dataclasses import replace

    honest, made = pool(tmp_path), np.arange(N_MADE)
    evidence = honest.evidence["coercivity_mT"]
    lied = evidence.values.copy()
    lied[N_MADE:] = lied[N_MADE:][::-1] * 50
    liar = replace(honest, evidence={"coercivity_mT": replace(evidence, values=lied)}, objectives=-lied[:, None])
    assert picked(liar, "auto", made, 3) == picked(honest, "auto", made, 3)
    scales = []
    for of in (honest, liar):
        chooser = strategy("auto", of)
        assert isinstance(chooser, AsSuggested)
        ahead = chooser._ahead(made, of.alloys.rows(np.arange(N_MADE, N)), 1, np.random.default_rng(0))
        scales.append(ahead.sought[0].scale)
    assert scales[0] == scales[1]


def test_a_limit_keeps_it_from_what_cannot_be_allowed(tmp_path: Path) -> None:
    amounts, _ = table()
    got = picked(pool(tmp_path, LIMITED.replace("limit: 4", "limit: 5.5")), "auto", np.arange(N_MADE), 1)
    assert amounts[got[0], 1] >= 45  # 5.5 mrad are had with 50 at.% of cobalt


def test_it_says_when_nothing_is_left_that_is_worth_a_melt(tmp_path: Path) -> None:
    _, values = table()
    by_worth = np.argsort(values[:, 0])
    chooser = strategy("auto", pool(tmp_path))
    assert chooser.pick(by_worth[: N - 3], 1, np.random.default_rng(0)).enough
    assert not chooser.pick(by_worth[::-1][: N // 2], 1, np.random.default_rng(0)).enough
    never = strategy("auto", pool(tmp_path / "again"), stopping=False)
    assert not never.pick(by_worth[: N - 3], 1, np.random.default_rng(0)).enough


def test_what_is_not_known_of_an_alloy_makes_it_the_last_choice() -> None:
    class Worth:
        def value(self, alloys: object) -> np.ndarray:
            return np.array([np.nan, -1e300, np.nan, -2.0])

    unknown: Any = Worth()
    assert np.argsort(-_ranked(unknown, unknown), kind="stable").tolist() == [3, 1, 0, 2]


def test_random_knows_nothing_and_depends_on_its_seed(tmp_path: Path) -> None:
    of, made = pool(tmp_path), np.arange(5)
    assert picked(of, "random", made, 3, seed=1) == picked(of, "random", made, 3, seed=1)
    firsts = {picked(of, "random", made, 1, seed)[0] for seed in range(200)}
    assert len(firsts) > 30  # of 35


def test_a_name_changes_the_model_the_acquisition_or_both(tmp_path: Path) -> None:
    of = pool(tmp_path)
    for name, model, rule in (
        ("auto", "gaussian-process", "upper-confidence-bound"),  # as campaign.yaml says
        ("extra-trees", "extra-trees", None),
        ("greedy", "gaussian-process", "greedy"),
        ("forest/log-expected-improvement", "forest", "log-expected-improvement"),
    ):
        chooser = strategy(name, of)
        assert isinstance(chooser, AsSuggested)
        assert chooser.pool.snapshot.spec.model == model
        assert (chooser.rule.name if chooser.rule else None) == rule


def test_a_name_that_there_is_not_is_answered_with_one_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match=r"no strategy 'gausian-process'.*Did you mean gaussian-process"):
        strategy("gausian-process", pool(tmp_path))
    assert {"auto", "random", "forest", "greedy"} <= set(strategy_names())
