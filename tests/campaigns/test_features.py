"""What `features` of campaign.yaml may name, and what is said of an entry that names nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.examining import check
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.snapshot import Snapshot, read_snapshot
from alloyloop.design.features import Features
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, QUESTION, contents, make
from .process_study import EXPERIMENTS as PROCESS_EXPERIMENTS
from .process_study import QUESTION as PROCESS_QUESTION

PROCESS = "process:\n  solution_temperature_C: {min: 750, max: 1050, step: 50}\n  quench: {choices: [water, air]}\n"
# The rows of EXPERIMENTS with a grain size, not known of the last, and a column in words.
GRAINS = "\n".join(
    line + more
    for line, more in zip(
        EXPERIMENTS.splitlines(),
        [",grain size [um],grain_um,operator", ",10,10,me", ",20,20,me", ",30,30,you", ",40,40,you", ",,,you"],
        strict=True,
    )
)


def question(features: str) -> str:
    return QUESTION.replace("features: composition", f"features: {features}")


def snapshot(path: Path, features: str) -> Snapshot:
    return read_snapshot(Folder(make(path / "ti", question(features), GRAINS)))


def seen(of: Snapshot) -> Features:
    assert of.named is not None
    return of.named.features(of.alloys(), (*of.space.process, *of.space.conditions), ("vec",))


def problems(path: Path, features: str) -> list[str]:
    return [str(problem) for problem in check(Folder(make(path / "ti", question(features), GRAINS))).problems]


@pytest.mark.parametrize(
    ("features", "names"),
    [
        ("[composition]", ("Nb_fraction", "Zr_fraction", "Ti_fraction")),
        ("[vec, mo_equivalent_wang]", ("vec", "mo_equivalent_wang")),
        ("[descriptors]", ("vec",)),  # those that can tell something
        ("[vec, descriptors]", ("vec",)),
        ("[Zr / Nb]", ("Zr / Nb",)),
        ("[Nb]", ("Nb",)),
        ("['min(Nb, Zr)', log(Nb + 1)]", ("min(Nb, Zr)", "log(Nb + 1)")),
        ("[mo_equivalent_wang * Zr]", ("mo_equivalent_wang * Zr",)),
        ("[composition, grain_um]", ("Nb_fraction", "Zr_fraction", "Ti_fraction", "grain_um", "grain_um known")),
        ("['grain size [um]']", ("grain size [um]", "grain size [um] known")),  # no formula could name it
        ("[grain_um ** -0.5]", ("grain_um ** -0.5",)),
    ],
)
def test_a_list_names_what_is_seen(features: str, names: tuple[str, ...], tmp_path: Path) -> None:
    of = snapshot(tmp_path, features)
    assert seen(of).names == names


def test_a_word_names_no_list(tmp_path: Path) -> None:
    assert snapshot(tmp_path, "both").named is None


def test_the_process_is_seen_beside_whatever_is_named(tmp_path: Path) -> None:
    text = question("[vec, quench, solution_temperature_C * Nb]") + PROCESS
    of = read_snapshot(Folder(make(tmp_path / "ti", text, EXPERIMENTS)))
    assert seen(of).names == (
        "vec", "solution_temperature_C * Nb", "solution_temperature_C", "solution_temperature_C known",
        "quench=water", "quench=air",
    )  # fmt: skip


def test_elements_stand_for_amounts_in_the_campaigns_basis(tmp_path: Path) -> None:
    of = snapshot(tmp_path, "[Nb]")
    assert seen(of).encode(of.alloys())[:, 0] == pytest.approx([20, 30, 35, 40, 30])  # wt.%, as in the table


def test_a_column_is_known_of_rows_and_not_of_designs(tmp_path: Path) -> None:
    of = snapshot(tmp_path, "[grain_um]")
    encoded = seen(of).encode(of.alloys())
    # The median of 10, 20, 30 and 40 stands where it is not known.
    assert encoded.tolist() == [[10, 1], [20, 1], [30, 1], [40, 1], [25, 0]]
    assert of.table.extra["grain_um"][:4].tolist() == [10, 20, 30, 40]


def test_columns_in_formulas_are_read_too(tmp_path: Path) -> None:
    of = snapshot(tmp_path, "[grain_um ** -0.5]")
    assert of.named is not None
    assert (of.named.columns, of.named.in_formulas) == ((), ("grain_um",))
    assert seen(of).encode(of.alloys())[0, 0] == pytest.approx(10**-0.5)


TABLE = "symbol,name,radius_pm,melting_K\nTi,Titanium,147,1941\nNb,Niobium,147,2750\nZr,Zirconium,160,2128\n"


def folder_with_table(path: Path, table: str = TABLE, features: str = "[mine.csv]") -> Folder:
    folder = make(path / "ti", question(features), EXPERIMENTS)
    (folder / "mine.csv").write_text(table, encoding="utf-8")
    return Folder(folder)


def test_a_table_of_elements_gives_means_and_spreads_of_its_numbers(tmp_path: Path) -> None:
    of = read_snapshot(folder_with_table(tmp_path))
    assert seen(of).names == ("radius_pm_mean", "radius_pm_std", "melting_K_mean", "melting_K_std")
    assert of.remarks[0] == "mine.csv: not read, since it holds no number: name."
    encoded = seen(of).encode(of.alloys())
    assert encoded[0, :2] == pytest.approx([147, 0])  # Nb and Ti are of one size
    # Ti-20Nb wt is 88.6 at.% Ti by 80/47.867 and 20/92.906 moles.
    assert encoded[0, 2] == pytest.approx(0.88588 * 1941 + 0.11412 * 2750, abs=0.1)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (TABLE.replace("160", ""), "mine.csv, row 1, column radius_pm: There is no value of Zr"),
        (TABLE.replace("Zr,Zirconium,160,2128\n", ""), "column radius_pm: There is no value of Zr"),
        (TABLE.replace("Zr,", "Zz,"), "mine.csv, row 4, column symbol: 'Zz' is not an element"),
        (TABLE.replace("Zr,", "Nb,"), "mine.csv, row 4, column symbol: Row 3 is of Nb too"),
        (TABLE.replace("160", "l60"), "mine.csv, row 4, column radius_pm: 'l60' is not a number"),
        ("symbol,name\nTi,Titanium\nNb,Niobium\nZr,Zirconium\n", "line 14, features.0: mine.csv has no column of num"),
    ],
)
def test_a_mistake_in_a_table_of_elements_is_said_with_its_place(table: str, says: str, tmp_path: Path) -> None:
    found = [str(problem) for problem in check(folder_with_table(tmp_path, table)).problems]
    assert any(says in problem for problem in found), found


@pytest.mark.parametrize("name", ["other.csv", "../mine.csv", "a/mine.csv", "/etc/mine.csv", "..\\\\mine.csv"])
def test_a_table_lies_beside_the_question(name: str, tmp_path: Path) -> None:
    folder = folder_with_table(tmp_path, features=f"['{name}']")
    (tmp_path / "mine.csv").write_text(TABLE, encoding="utf-8")
    (problem,) = check(folder).problems
    assert problem.column == "features.0"
    assert "beside campaign.yaml" in problem.problem


def test_the_same_property_in_two_tables_is_refused(tmp_path: Path) -> None:
    folder = folder_with_table(tmp_path, features="[mine.csv, yours.csv]")
    (folder.path / "yours.csv").write_text(TABLE, encoding="utf-8")
    (problem,) = check(folder).problems
    assert str(problem).startswith("campaign.yaml, line 14, features: There are two features named melting_K_mean")


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ("[vecc]", "line 14, features.0: 'vecc' is neither a descriptor, an element of this space"),
        ("[vec, vecc]", "line 14, features.1: 'vecc' is neither"),
        ("[vecc]", "Did you mean vec?"),
        ("[Nb / Ta]", "features.0: 'Nb / Ta' names Ta, which is neither"),
        ("[Nb //]", "features.0: The formula 'Nb //' cannot be read"),
        ("[min(Nb, Zr)]", "features.0: The formula 'min(Nb' cannot be read"),
        ("[vec, vec]", "features.1: 'vec' is named twice"),
        ("[youngs_modulus_GPa]", "features.0: youngs_modulus_GPa is a result"),
        ("[youngs_modulus_GPa_std * Nb]", "features.0: youngs_modulus_GPa_std is a result"),
        ("[Ti_wt_pct]", "features.0: 'Ti_wt_pct' is neither"),
        ("[id]", "features.0: 'id' is neither"),
        ("[hcp_c_over_a]", "features.0: 'hcp_c_over_a' is neither"),
        ("[]", "line 14, features: The list of features is empty"),
        ("[5]", "line 14, features.0: Input should be a valid string. It says 5."),
        ("vec", "Write auto, composition, descriptors, both, or a list such as ['vec']."),
        ("[operator]", "experiments.csv, row 2, column operator: 'me' is not a number"),
    ],
)
def test_an_entry_that_names_nothing_is_said_with_its_line(features: str, says: str, tmp_path: Path) -> None:
    found = problems(tmp_path, features)
    assert says in found[0], found


def test_a_descriptor_that_lacks_an_element_of_the_space_is_refused_before_it_is_learned_from(tmp_path: Path) -> None:
    text = question("[bond_order]").replace("    Zr: {", "    Mg: {").replace("Nb + Zr", "Nb + Mg")
    (problem,) = check(Folder(make(tmp_path / "ti", text, EXPERIMENTS.replace("Zr_", "Mg_")))).problems
    assert str(problem).startswith("campaign.yaml, line 14, features.0: The feature bond_order is not known for every")


def test_a_row_of_which_a_formula_has_no_value_is_named(tmp_path: Path) -> None:
    rows = problems(tmp_path, "[Nb / Zr]")
    said = "experiments.csv, row 2: The feature 'Nb / Zr' has no value where Nb = 20 and Zr = 0. Write a formula that"
    assert rows[0].startswith(said)
    assert len([row for row in rows if row.startswith("experiments.csv")]) == 4  # those without Zr


def test_a_space_with_designs_of_which_a_formula_has_no_value_is_refused(tmp_path: Path) -> None:
    # Each row has some Zr, and designs may have none.
    rows = EXPERIMENTS.splitlines()[0] + "\nE,known,,60,30,10,61,,,,\nF,known,,55,35,10,60,,,,\n"
    folder = make(tmp_path / "ti", question("[Nb / Zr]"), rows)
    (problem,) = check(Folder(folder)).problems
    assert str(problem).startswith("campaign.yaml, line 14, features: The feature 'Nb / Zr' has no value where Nb = ")
    with pytest.raises(AlloyloopError, match="'Nb / Zr' has no value"):
        Campaign.open(folder).suggest(1)


def test_a_formula_need_have_no_value_for_designs_that_a_rule_keeps_out(tmp_path: Path) -> None:
    asked = question("[1 / (Nb - 10)]")
    assert len(check(Folder(make(tmp_path / "all", asked, EXPERIMENTS))).problems) == 1
    # With 10 wt.% Nb and 0 to 10 wt.% Zr it is 0.33 × 10 + 0.47 × 10 = 8 at most.
    ruled = asked.replace("  - Nb + Zr <= 45\n", "  - Nb + Zr <= 45\n    - mo_equivalent_wang >= 9\n")
    assert check(Folder(make(tmp_path / "some", ruled, EXPERIMENTS))).problems == ()


def test_what_is_not_known_of_a_row_is_no_mistake_of_a_formula(tmp_path: Path) -> None:
    text = question("[solution_temperature_C / Nb]") + PROCESS
    assert check(Folder(make(tmp_path / "ti", text, EXPERIMENTS))).problems == ()


def test_without_a_composition_formulas_are_of_the_process(tmp_path: Path) -> None:
    energy = "laser_power_W / scan_speed_mm_per_s"
    folder = make(tmp_path / "study", PROCESS_QUESTION + f"features: [{energy}]\n", PROCESS_EXPERIMENTS)
    of = read_snapshot(Folder(folder))
    assert seen(of).names[0] == energy
    assert seen(of).encode(of.alloys())[:, 0] == pytest.approx([0.5, 0.75, 0.375, 250 / 600])
    for wrong, says in (("vec", "There is no composition"), ("composition", "no composition"), ("Nb", "neither")):
        folder = make(tmp_path / wrong, PROCESS_QUESTION + f"features: [{wrong}]\n", PROCESS_EXPERIMENTS)
        (problem,) = check(Folder(folder)).problems
        assert says in problem.problem


@pytest.mark.torch
def test_tables_of_elements_are_frozen_with_the_inputs_of_a_round(tmp_path: Path) -> None:
    folder = folder_with_table(tmp_path)
    folder.experiments.write_text(EXPERIMENTS.partition("\n")[0] + "\n")  # nothing to learn from is quicker
    Campaign.open(folder.path).suggest(1)
    written = contents(folder.path)
    assert written["rounds/001/inputs/mine.csv"] == TABLE.encode()
