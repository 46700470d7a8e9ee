"""Money and computed properties in campaign.yaml: mistakes with their lines, limits as rules, what is foretold."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from alloyloop.campaigns.examining import check
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.judging import judge
from alloyloop.campaigns.learning import Beliefs
from alloyloop.campaigns.snapshot import Snapshot, read_snapshot
from alloyloop.campaigns.standing import standing
from alloyloop.design.composition import Composition
from alloyloop.design.goals import limits, pursued

from .folders import make

QUESTION = dedent("""\
    alloyloop: 1
    name: Light
    composition:
      basis: at_pct
      balance: Ti
      step: 1
      elements: {Nb: {max: 40}, Zr: {max: 20}}
    process:
      quench: {choices: [water, furnace]}
      age_C: {min: 0, max: 500, step: 100}
      cooling_C: {min: -196, max: -196}
    properties:
      youngs_modulus_GPa: {goal: minimize}
    """)
ROWS = dedent("""\
    id,status,Ti_at_pct,Nb_at_pct,Zr_at_pct,quench,age_C,cooling_C,youngs_modulus_GPa
    A,known,100,0,0,water,0,-196,105
    B,known,75,25,0,water,300,-196,65
    C,known,60,40,0,furnace,300,-196,60
    """)
COST = "cost: {per_melt: 40, mass_g: 1000, prices_per_kg: {Ti: 10, Nb: 80, Zr: 30}}\n"
CHOICES = "process: {quench: {water: 0, furnace: 20}, age_C: 0.02}"


def written(tmp_path: Path, properties: str = "", more: str = "", rows: str = ROWS, question: str = QUESTION) -> Folder:
    return Folder(make(tmp_path / "light", question + properties + more, rows))


def read(tmp_path: Path, properties: str = "", more: str = "", rows: str = ROWS) -> Snapshot:
    return read_snapshot(written(tmp_path, properties, more, rows))


def with_oxygen() -> str:
    return QUESTION.replace("Zr: {max: 20}", "O: {max: 1}")


DENSITY = "  density_g_per_cm3: {goal: below, limit: 5}\n"
PRICE_OF_A_MELT = "  melt_cost: {goal: minimize}\n"


@pytest.mark.parametrize(
    ("properties", "more", "says"),
    [
        ("", "cost: {per_melt: -1}\n", "line 14, cost.per_melt: Input should be greater than or equal to 0"),
        ("", "cost: {process: {quench: 3}}\n", "quench: quench has choices, and they have one price together. Write a"),
        ("", "cost: {process: {quench: {water: 0}}}\n", "There is no price of quench furnace. Write 0 where it costs"),
        (
            "",
            "cost: {process: {quench: {water: 0, furnace: 1, oil: 2}}}\n",
            "'oil' is no choice of quench. Its choices are water and furnace.",
        ),
        (
            "",
            "cost: {process: {quench: {water: -1, furnace: 1}}}\n",
            "line 14, cost.process.quench.water: Input should be greater than or equal to 0. It says -1.",
        ),
        ("", "cost: {process: {age_C: {water: 0}}}\n", "age_C is a number, and has prices of choices"),
        ("", "cost: {process: {cooling_C: 1}}\n", "cooling_C may be below 0, and a price per unit would be paid back"),
        (
            "",
            "cost: {process: {ageing: 2}}\n",
            "ageing is not a process variable. Those of this campaign are quench, age_C",
        ),
        ("", "cost: {prices_per_kg: {Ti: 3}}\n", "Prices of elements say nothing without the mass of a melt"),
        ("", "cost: {mass_g: 40, prices_per_kg: {Xx: 3}}\n", "cost.prices_per_kg.Xx: 'Xx' is not an element"),
        ("", "cost: {}\n", "line 14, cost: Nothing costs anything"),
        ("", "budget: {money: 100}\n", "line 14, budget.money: A budget in money needs to know what a melt costs"),
        ("", "budget: {money: 100, melts: 3}\n", "a budget is in melts or in money: give one of the two"),
        (
            PRICE_OF_A_MELT,
            "",
            "line 14, properties.melt_cost: melt_cost is computed, and nothing says what a melt costs",
        ),
        (
            "  density_g_per_cm3: {goal: minimize, scale: log}\n",
            "",
            "line 14, properties.density_g_per_cm3: density_g_per_cm3 is computed, and scale and calculated are for",
        ),
        (DENSITY, "model: {density_g_per_cm3: forest}\n", "density_g_per_cm3 is computed, and takes no model."),
        (
            "  density_g_per_cm3: {goal: below, limit: 2}\n",
            "",
            "line 14, properties.density_g_per_cm3: The space is empty: there is no design that keeps "
            "'density_g_per_cm3 <= 2' (line 14). Relax it.",
        ),
    ],
)
def test_a_mistake_is_named_once_with_its_line(properties: str, more: str, says: str, tmp_path: Path) -> None:
    (problem,) = check(written(tmp_path, properties, more)).problems
    assert says in str(problem)


def test_what_no_element_table_knows_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    found = check(written(tmp_path, DENSITY, "cost: {mass_g: 40}\n", "id,status\n", with_oxygen())).problems
    assert [str(problem) for problem in found] == [
        "campaign.yaml, line 14, properties.density_g_per_cm3: density_g_per_cm3 cannot be computed of alloys with O. "
        "Take the element out of the space, or density_g_per_cm3 out of the properties.",
        "campaign.yaml, line 15, cost.prices_per_kg: The element table has no price of O. Write what you pay per kg "
        "here.",
    ]


def test_a_price_that_no_table_has_can_be_given_as_what_a_melt_costs(tmp_path: Path) -> None:
    steel = QUESTION.replace("Zr: {max: 20}", "N: {min: 0.2, max: 1}").replace("Ti", "Fe").replace("Nb:", "Cr:")
    rows = "id,status,Fe_at_pct,Cr_at_pct,N_at_pct\n"
    price = "  price_usd_per_kg: {goal: below, limit: 9}\n"
    (problem,) = check(written(tmp_path / "price", price, "", rows, steel)).problems
    assert str(problem) == (
        "campaign.yaml, line 14, properties.price_usd_per_kg: price_usd_per_kg cannot be computed of alloys with N. "
        "The element table has no such price. Ask for melt_cost instead and write what you pay under cost, such as "
        "'cost: {mass_g: 1000, prices_per_kg: {N: 2}}', or take price_usd_per_kg out of the properties."
    )
    cost = "cost: {mass_g: 1000, prices_per_kg: {N: 2}}\n"  # as the message says
    melt = price.replace("price_usd_per_kg", "melt_cost")
    assert list(check(written(tmp_path / "melt", melt, cost, rows, steel)).problems) == []


def test_a_rule_on_what_no_element_table_knows_is_refused_at_once(tmp_path: Path) -> None:
    ruled = with_oxygen().replace("  step: 1\n", "  step: 1\n  rules: [Nb <= 30, density_g_per_cm3 <= 6]\n")
    (problem,) = check(written(tmp_path, "", "", "id,status\n", ruled)).problems
    assert str(problem) == (
        "campaign.yaml, line 7, composition.rules.1: density_g_per_cm3 cannot be computed of alloys with O. Take the "
        "element out of the space, or the rule 'density_g_per_cm3 <= 6' out."
    )


def test_prices_of_the_element_table_are_named_as_such(tmp_path: Path) -> None:
    said = read(tmp_path / "some", "", "cost: {mass_g: 40, prices_per_kg: {Ti: 10}}\n").remarks
    assert any("what is paid for Nb and Zr is taken from the element table" in remark for remark in said)
    own = read(tmp_path / "none", "", COST).remarks
    assert not any("element table" in remark for remark in own)


def test_a_pure_process_study_has_costs_of_its_steps_and_no_charge(tmp_path: Path) -> None:
    question = "alloyloop: 1\nname: P\nprocess:\n  age_C: {min: 0, max: 500}\nproperties:\n  relative_density_pct: "
    rows = "id,status,age_C,relative_density_pct\nA,known,100,99\n"
    money = "{goal: maximize}\n  melt_cost: {goal: below, limit: 6}\ncost: {process: {age_C: 0.02}}\n"
    snapshot = read_snapshot(written(tmp_path / "steps", money, "", rows, question))
    assert snapshot.values("melt_cost") == pytest.approx([2])
    (problem,) = check(
        written(tmp_path / "charge", money.replace("0.02}", "0.02}, mass_g: 5"), "", rows, question)
    ).problems
    assert "cost.mass_g: Nothing is melted in this campaign" in str(problem)


def test_a_density_that_is_a_property_of_a_process_study_is_measured(tmp_path: Path) -> None:
    question = "alloyloop: 1\nname: P\nprocess:\n  age_C: {min: 0, max: 500}\nproperties:\n"
    rows = "id,status,age_C,density_g_per_cm3\nA,known,100,7.9\n"
    snapshot = read_snapshot(written(tmp_path, "  density_g_per_cm3: {goal: maximize}\n", "", rows, question))
    assert snapshot.spec.computed == ()
    assert snapshot.table.values("density_g_per_cm3").tolist() == [7.9]


# Of 75 Ti, 25 Nb at by hand: 75 × 47.867 g and 25 × 92.906 g (IUPAC), and the densities 4.506 and 8.57 g/cm3.
SHARE_OF_NB = 25 * 92.906 / (75 * 47.867 + 25 * 92.906)


def test_a_descriptor_is_computed_of_every_row_and_may_be_any_goal(tmp_path: Path) -> None:
    snapshot = read(tmp_path, "  vec: {goal: minimize}\n  density_g_per_cm3: {goal: report}\n" + PRICE_OF_A_MELT, COST)
    assert snapshot.spec.computed == ("vec", "density_g_per_cm3", "melt_cost")
    assert list(snapshot.learned) == ["youngs_modulus_GPa"]
    assert list(pursued(snapshot.goals)) == ["youngs_modulus_GPa", "vec", "melt_cost"]
    assert snapshot.values("vec") == pytest.approx([4, 4.25, 4.4])
    charge = 10 + SHARE_OF_NB * (80 - 10)  # of a kilogram
    assert snapshot.values("melt_cost")[:2] == pytest.approx([50, 40 + charge], rel=1e-5)
    assert np.isnan(snapshot.std("vec")).all()
    assert snapshot.with_value("vec").all()


def test_what_was_analysed_is_what_is_computed_of(tmp_path: Path) -> None:
    rows = (
        "id,status,Ti_at_pct,Nb_at_pct,Zr_at_pct,Ti_at_pct_measured,Nb_at_pct_measured,Zr_at_pct_measured\n"
        "A,known,75,25,0,80,20,0\nB,proposed,75,25,0,,,\n"
    )
    assert read(tmp_path, "  vec: {goal: minimize}\n", "", rows).values("vec") == pytest.approx([4.2, 4.25])


def test_measured_values_of_what_is_computed_are_passed_over_with_one_remark(tmp_path: Path) -> None:
    rows = "id,status,Ti_at_pct,Nb_at_pct,youngs_modulus_GPa,vec\nA,known,75,25,65,9.9\n"
    snapshot = read(tmp_path, "  vec: {goal: minimize}\n", "", rows)
    assert snapshot.values("vec") == pytest.approx([4.25])
    (said,) = [remark for remark in snapshot.remarks if " vec" in remark]
    assert said.startswith("experiments.csv has a column vec, which is computed: its values are not used.")
    (none,) = [read(tmp_path / "none", "  vec: {goal: minimize}\n").remarks]
    assert not any(" vec" in remark for remark in none)  # and no column is asked for


def test_a_limit_of_a_descriptor_is_a_rule_of_the_space(tmp_path: Path) -> None:
    snapshot = read(tmp_path, "  vec: {goal: below, limit: 4.1}\n")
    assert [rule.text for rule in snapshot.space.rules] == ["vec <= 4.1"]
    # With 5 and 4 electrons, Nb may have at most 10 at.%: 11 amounts of Nb times 21 of Zr, 2 quenches, 6 temperatures.
    assert snapshot.space.counted().number == 11 * 21 * 2 * 6
    assert snapshot.in_space().tolist() == [True, False, False]
    points = snapshot.space.sample(200, np.random.default_rng(0))
    assert (snapshot.space.percent(points)[:, 0] <= 10).all()


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ("{goal: above, limit: 4.1}", "vec >= 4.1"),
        ("{goal: between, low: 4.1, high: 4.2}", "vec between 4.1 and 4.2"),
        ("{goal: below, limit: 4.123456789}", "vec <= 4.123456789"),
    ],
)
def test_a_rule_that_was_a_limit_is_spelled_as_rules_are(goal: str, text: str, tmp_path: Path) -> None:
    assert [rule.text for rule in read(tmp_path, f"  vec: {goal}\n").space.rules] == [text]


def test_a_limit_of_the_cost_is_a_rule_too(tmp_path: Path) -> None:
    # Ti costs 40 + 10; the furnace, 20 more; 500 °C, 10 more. So 60 pays for Ti with water and up to 500 °C alone.
    more = COST.replace("}}", f"}}, {CHOICES}}}")
    snapshot = read(tmp_path, "  melt_cost: {goal: below, limit: 60}\n", more)
    points = snapshot.space.between(0, snapshot.space.count)
    kept = points[snapshot.space.allows(points)]
    costs = snapshot.space.process_values(kept)
    assert set(costs["quench"].tolist()) == {"water"}
    (of_titanium,) = kept[(snapshot.space.percent(kept)[:, 2] == 100) & (costs["age_C"] == 500)]
    assert of_titanium[2] == 100
    assert snapshot.in_space().tolist() == [True, False, False]
    assert "'melt_cost <= 20' (line 14)" in str(
        check(written(tmp_path / "less", "  melt_cost: {goal: below, limit: 20}\n", more)).problems[0]
    )


def test_what_is_computed_is_foretold_without_a_doubt(tmp_path: Path) -> None:
    properties = "  vec: {goal: minimize}\n  density_g_per_cm3: {goal: below, limit: 5}\n"
    snapshot = read(tmp_path, properties, COST)
    beliefs = Beliefs({}, {}, (), {}, snapshot.computed)
    made = [Composition({"Ti": 75, "Nb": 25}, "at_pct"), Composition({"Ti": 100}, "at_pct")]
    two, one = judge(snapshot, beliefs, ["two", "one"], made, snapshot.space.unknown_process(2))
    foretold = two.predicted["vec"]
    assert (foretold.mean, foretold.low, foretold.high) == pytest.approx((4.25, 4.25, 4.25))
    assert foretold.std == 0
    assert str(two.predicted["vec"]) == "4.25"
    assert (two.probability, one.probability) == (
        {"density_g_per_cm3": 0, "all": 0},
        {"density_g_per_cm3": 1, "all": 1},
    )
    assert two.cost == pytest.approx(40 + 10 + SHARE_OF_NB * 70, rel=1e-5)
    assert limits(snapshot.goals).keys() == {"density_g_per_cm3"}


def test_an_alloy_dearer_than_any_known_one_is_flagged(tmp_path: Path) -> None:
    rows = ROWS.partition("C,known")[0]
    snapshot = read(tmp_path, "", COST, rows)
    beliefs = Beliefs({}, {}, (), {}, snapshot.computed)
    made = [Composition({"Ti": 60, "Nb": 40}, "at_pct"), Composition({"Ti": 75, "Nb": 25}, "at_pct")]
    dear, known = judge(snapshot, beliefs, ["dear", "known"], made, snapshot.space.unknown_process(2))
    # Of 60 Ti, 40 Nb at, 56.4 wt.% is Nb: 40 × 92.906 of 60 × 47.867 + 40 × 92.906.
    assert "dear: a melt of it costs 89.48, where those of known alloys cost up to 77.50" in dear.flags
    assert not any(flag.startswith("dear") for flag in known.flags)


def test_alloys_are_ranked_by_what_is_computed(tmp_path: Path) -> None:
    def ranked(snapshot: Snapshot) -> tuple[list[str], list[int]]:
        stands = standing(snapshot)
        assert stands is not None
        return [snapshot.table.ids[row] for row in stands.rows], stands.ranks.tolist()

    # Nb is heavier than Ti: A, B and C in this order. The more Nb the softer, so that none is better in both.
    both, ranks = ranked(read(tmp_path / "both", "  density_g_per_cm3: {goal: minimize}\n"))
    assert (sorted(both), ranks) == (["A", "B", "C"], [0, 0, 0])
    question = QUESTION.replace("minimize", "report") + "  density_g_per_cm3: {goal: minimize}\n"
    assert ranked(read_snapshot(written(tmp_path / "one", question=question))) == (["A", "B", "C"], [0, 1, 2])
    assert ranked(read(tmp_path / "limited", "  vec: {goal: between, low: 4.2, high: 4.3}\n")) == (["B"], [0])
