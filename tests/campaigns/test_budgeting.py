"""What a budget has been spent on, counted by hand; what it leaves; and that nobody proposes what cannot be paid."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.budgeting import Budget, budget
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.snapshot import Snapshot, read_snapshot
from alloyloop.surrogates.errors import AlloyloopError

from .folders import make

QUESTION = dedent("""\
    alloyloop: 1
    name: Dear
    composition:
      basis: BASIS
      balance: Ti
      step: 1
      elements: {Nb: {max: 60}}
    process:
      quench: {choices: [water, furnace]}
    properties:
      youngs_modulus_GPa: {goal: minimize}
    cost: {per_melt: 40, mass_g: 50, prices_per_kg: {Ti: 12, Nb: 80}, process: {quench: {water: 0, furnace: 20}}}
    budget: {BUDGET}
    """)
HEADER = "id,status,round,parent,Ti_BASIS,Nb_BASIS,quench,youngs_modulus_GPa,reason\n"
# In its rounds one melt of each status that is paid for, and one that is not; and two that were there before.
ROWS = """\
old,known,,,60,40,water,70,
mine,measured,,,60,40,water,68,
R001-1,measured,1,,60,40,water,65,
R001-2,failed,1,,50,50,water,,cracked
R001-3,withdrawn,1,,50,50,furnace,,no niobium
R002-1,made,2,,100,0,furnace,,
R002-2,proposed,2,,40,60,furnace,,
"""


def at(tmp_path: Path, rows: str = ROWS, *, of: str = "money: 500", basis: str = "wt_pct") -> Snapshot:
    question = QUESTION.replace("BUDGET", of).replace("BASIS", basis)
    folder = make(tmp_path / "dear", question, HEADER.replace("BASIS", basis) + rows)
    return read_snapshot(Folder(folder))


def asked(snapshot: Snapshot) -> Budget:
    found = budget(snapshot)
    assert found is not None
    return found


def test_what_is_proposed_made_measured_or_failed_in_a_round_is_spent_and_nothing_else(tmp_path: Path) -> None:
    found = asked(at(tmp_path, of="melts: 10"))
    assert (found.spent, found.left, found.share_left) == (4, 6, 0.6)
    assert found.words == "4 of 10 melts spent, 6 left"


def test_money_is_spent_on_melts_their_charges_and_their_treatments(tmp_path: Path) -> None:
    # 50 g a melt: Ti at 12 and Nb at 80 a kg; by hand, in the order of the rows.
    by_hand = (
        (40 + 0.030 * 12 + 0.020 * 80)  # 60 Ti, 40 Nb, water
        + (40 + 0.025 * 12 + 0.025 * 80)  # 50 Ti, 50 Nb, water: it cracked, and was made
        + (40 + 0.050 * 12 + 20)  # Ti, furnace
        + (40 + 0.020 * 12 + 0.030 * 80 + 20)  # 40 Ti, 60 Nb, furnace
    )
    found = asked(at(tmp_path))
    assert found.spent == pytest.approx(by_hand)
    assert found.left == pytest.approx(500 - by_hand)
    assert found.words == "207.50 of 500 spent on 4 melts, 292.50 left"
    assert found.json() == {
        "in": "money",
        "total": 500,
        "spent": pytest.approx(by_hand),
        "left": pytest.approx(500 - by_hand),
        "share_left": pytest.approx(1 - by_hand / 500),
        "words": found.words,
    }


def test_atomic_percent_are_paid_by_weight(tmp_path: Path) -> None:
    # Ti-50Nb at is 34.0 wt.% Ti: 47.867 g of Ti for 92.906 g of Nb (IUPAC).
    found = asked(at(tmp_path, "R001-1,measured,1,,50,50,water,65,\n", basis="at_pct"))
    assert found.spent == pytest.approx(40 + 0.05 * (47.867 * 12 + 92.906 * 80) / (47.867 + 92.906))


def test_heat_treatments_of_one_melt_are_one_melt(tmp_path: Path) -> None:
    rows = dedent("""\
        R001-1b,measured,1,R001-1,60,40,furnace,65,
        R001-1,measured,1,,60,40,water,65,
        R001-1c,made,1,R001-1,60,40,furnace,,
        """)
    assert asked(at(tmp_path / "melts", rows, of="melts: 10")).spent == 1
    in_money = asked(at(tmp_path / "money", rows))
    assert in_money.n_melts == 1
    assert in_money.spent == pytest.approx(40 + 0.030 * 12 + 0.020 * 80 + 20 + 20)


def test_a_treatment_of_a_melt_that_was_there_before_is_no_melt(tmp_path: Path) -> None:
    rows = "old,known,,,60,40,water,70,\nR001-1,measured,1,old,60,40,furnace,65,\n"
    assert asked(at(tmp_path / "melts", rows, of="melts: 10")).spent == 0
    assert asked(at(tmp_path / "money", rows)).spent == pytest.approx(20)


def test_treatments_of_a_melt_that_has_no_row_are_one_melt(tmp_path: Path) -> None:
    rows = "R001-1,measured,1,melt 7,60,40,furnace,65,\nR001-2,measured,1,melt 7,60,40,water,65,\n"
    assert asked(at(tmp_path, rows, of="melts: 10")).spent == 1


def test_what_was_weighed_in_is_paid_and_not_what_was_analysed(tmp_path: Path) -> None:
    header = "id,status,round,Ti_wt_pct,Nb_wt_pct,Ti_wt_pct_measured,Nb_wt_pct_measured,quench,youngs_modulus_GPa\n"
    question = QUESTION.replace("BUDGET", "money: 500").replace("BASIS", "wt_pct")
    folder = make(tmp_path / "dear", question, header + "R001-1,measured,1,60,40,70,30,water,65\n")
    assert asked(read_snapshot(Folder(folder))).spent == pytest.approx(40 + 0.030 * 12 + 0.020 * 80)


def test_a_melt_of_unknown_cost_counts_as_the_others_do(tmp_path: Path) -> None:
    rows = "R001-1,measured,1,,60,40,water,65,\nR001-2,measured,1,,60,40,,65,\n"
    found = asked(at(tmp_path, rows))
    assert found.spent == pytest.approx(2 * (40 + 0.030 * 12 + 0.020 * 80))
    assert "(1 row of unknown cost counted as the others' mean)" in found.words


def test_a_campaign_without_a_budget_has_none(tmp_path: Path) -> None:
    question = QUESTION.replace("budget: {BUDGET}\n", "").replace("BASIS", "wt_pct")
    folder = make(tmp_path / "dear", question, HEADER.replace("BASIS", "wt_pct") + ROWS)
    assert budget(read_snapshot(Folder(folder))) is None


def test_a_batch_is_cut_to_what_is_left_and_says_so() -> None:
    found = Budget(total=10, spent=8, in_money=False, n_melts=8)
    assert found.granted(2) == (2, ())
    assert found.granted(4) == (
        2,
        ("2 melts and not 4, for that is all the budget does for: 8 of 10 melts spent, 2 left.",),
    )
    money = Budget(total=500, spent=380, in_money=True, n_melts=8)
    assert money.granted(4, least=50)[0] == 2
    assert money.granted(4, least=60)[0] == 2  # 120 / 60, exactly
    assert money.granted(4, least=0) == (4, ())  # what costs nothing is made at will


def test_nothing_is_left_for_another_melt() -> None:
    with pytest.raises(AlloyloopError, match=r"^The budget is used up: 10 of 10 melts spent, 0 left\. Raise it"):
        Budget(total=10, spent=10, in_money=False, n_melts=10).granted(1)
    over = Budget(total=10, spent=12, in_money=False, n_melts=12)  # it was lowered meanwhile
    assert (over.left, over.share_left) == (0, 0)
    money = Budget(total=500, spent=460, in_money=True, n_melts=9)
    with pytest.raises(AlloyloopError, match=r"40 left, and no melt was found that costs less than 50\."):
        money.granted(1, least=50)
    with pytest.raises(AlloyloopError, match="no melt was found that costs less than 45"):
        money.afforded(np.array([45.0, 30.0]))


def test_picks_are_paid_in_their_order() -> None:
    found = Budget(total=500, spent=400, in_money=True, n_melts=9)
    assert found.afforded(np.array([60.0, 40.0])) == (2, ())
    n, (said,) = found.afforded(np.array([60.0, 50.0, 10.0]))
    assert (n, said[:19]) == (1, "1 melt and not 3, f")
    assert Budget(total=10, spent=8, in_money=False, n_melts=8).afforded(np.array([1e6])) == (1, ())


@given(st.integers(1, 100), st.integers(0, 120), st.integers(1, 96))
def test_no_budget_is_ever_overdrawn(total: int, spent: int, n: int) -> None:
    found = Budget(total=total, spent=spent, in_money=False, n_melts=spent)
    try:
        granted, said = found.granted(n)
    except AlloyloopError:
        assert spent >= total
    else:
        assert 1 <= granted <= n
        assert spent + granted <= total
        assert (granted < n) == bool(said)


# -- a campaign that pays ---------------------------------------------------------------------------------------------

# Soft where there is much Nb, and Nb is dear: the two goals are at odds.
BOTH = dedent("""\
    alloyloop: 1
    name: Soft and cheap
    composition:
      basis: wt_pct
      balance: Ti
      step: 1
      elements: {Nb: {min: 10, max: 40}, Zr: {max: 10}}
    properties:
      youngs_modulus_GPa: {goal: minimize}
      melt_cost: {goal: minimize}
    features: composition
    model: gaussian-process
    cost: {per_melt: 40, mass_g: 1000, prices_per_kg: {Ti: 12, Nb: 80, Zr: 60}}
    budget: {money: 210}
    seed: 3
    """)
KNOWN = """\
id,status,round,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa
A,known,,80,20,0,85
B,known,,70,30,0,72
C,known,,65,35,0,63
D,known,,60,40,0,66
E,known,,60,30,10,61
"""


@pytest.mark.torch
def test_modulus_and_price_are_pursued_together_until_the_money_is_spent(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "both", BOTH, KNOWN))
    first = campaign.suggest(2)
    for alloy in first:
        assert alloy.composition is not None
        ti, nb, zr = (alloy.composition.wt_pct.get(element, 0) for element in ("Ti", "Nb", "Zr"))
        by_hand = 40 + 0.12 * ti + 0.80 * nb + 0.60 * zr  # a kilogram
        assert alloy.cost == pytest.approx(by_hand)
        assert alloy.predicted["melt_cost"].mean == pytest.approx(by_hand)
        assert alloy.predicted["melt_cost"].std == 0
    spent = asked(campaign.snapshot())
    assert spent.spent == pytest.approx(first[0].cost + first[1].cost)
    second = campaign.suggest(4)
    assert len(second) < 4
    assert any("for that is all the budget does for" in remark for remark in second.remarks)
    at_the_end = asked(campaign.snapshot())
    assert 0 <= at_the_end.left < 58.8  # the cheapest has 10 % Nb: 40 + 0.9 * 12 + 0.1 * 80 is 58.8
    with pytest.raises(AlloyloopError, match="The budget is used up"):
        campaign.suggest(1)
