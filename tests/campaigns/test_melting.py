"""The melt sheet of a round: what campaign.yaml, the shelf and the table say of it, on paper, in a file and as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from alloyloop.campaigns.answers import Answer
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.melting import melt_sheet_html, round_charges
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.spec import CampaignSpec
from alloyloop.campaigns.stock_file import read_stock
from alloyloop.design.composition import Composition
from alloyloop.surrogates.errors import AlloyloopError

from .folders import QUESTION, alloyloop, make

ELEMENTS = ("Ti", "Nb", "Zr", "Sn")
TITANIUM = QUESTION.replace("    Zr: {min: 0, max: 10}\n", "    Zr: {min: 0, max: 10}\n    Sn: {min: 0, max: 10}\n")
MAGNESIUM = """\
alloyloop: 1
name: Stents
composition:
  basis: wt_pct
  balance: Mg
  step: 0.05
  elements:
    Zn: {min: 0, max: 3}
    Mn: {min: 0, max: 2}
    Sr: {min: 0, max: 1}
    Ca: {min: 0, max: 1}
properties:
  corrosion_rate_mm_per_y: {goal: minimize}
melting: {mass_g: 500, furnace: resistance, losses: {resistance: {Mg: 0, Zn: 0, Mn: 0, Sr: 0, Ca: 0}}, stock: shelf.csv}
"""
MELTING = "melting: {furnace: arc, losses: {arc: {Sn: 0.01}, induction: {Sn: 0.03}}, balance_g: 0.0001}\n"
TI2448 = "64.1,24,4,7.9"  # Ti-24Nb-4Zr-7.9Sn wt


def table(*rows: str, more: Sequence[str] = ()) -> str:
    """Rows of id, status, round, parent and amounts, and of more columns."""
    columns = ("id", "status", "round", "parent", *(f"{element}_wt_pct" for element in ELEMENTS), *more)
    return "".join(f"{row}\n" for row in (",".join(columns), *rows))


def of(tmp_path: Path, *rows: str, melting: str = "", more: Sequence[str] = (), question: str = TITANIUM) -> Campaign:
    """A titanium campaign with these rows, and this under `melting`."""
    return Campaign(make(tmp_path / "ti", question + melting, table(*rows, more=more)))


def weighed(charge: Any) -> dict[str, float]:
    return {line["material"]: line["exact_g"] for line in charge["lines"]}


def json_of(campaign: Campaign, *arguments: object) -> Any:
    told = alloyloop("melt-sheet", campaign.folder.path, *arguments, "--json")
    assert (told.code, told.err) == (0, "")
    return told.json


# -- the worked sheets of DOMAIN §4.4 ---------------------------------------------------------------------------------

SHELF = "material,purity\nTi,0.997\nNb,0.998\nZr,0.995\nSn,0.999\n"


def test_a_titanium_button_of_40_g_is_the_worked_sheet(tmp_path: Path) -> None:
    melting = MELTING.replace("balance_g", "stock: shelf.csv, balance_g")
    campaign = of(tmp_path, f"R001-1,proposed,1,,{TI2448}", melting=melting)
    (campaign.folder.path / "shelf.csv").write_text(SHELF, encoding="utf-8")
    (charge,) = json_of(campaign)["charges"]
    assert weighed(charge) == pytest.approx({"Ti": 25.7172, "Nb": 9.6192, "Zr": 1.6080, "Sn": 3.1951}, abs=5e-5)
    assert charge["total_g"] == pytest.approx(40.1395, abs=2e-4)
    assert charge["warnings"] == []


def test_a_magnesium_melt_of_500_g_from_masters_is_the_worked_sheet(tmp_path: Path) -> None:
    header = "id,status,round," + ",".join(f"{element}_wt_pct" for element in ("Mg", "Zn", "Mn", "Sr", "Ca"))
    campaign = Campaign(make(tmp_path / "mg", MAGNESIUM, f"{header}\nR001-1,proposed,1,97.6,1,1,0.3,0.1\n"))
    shelf = "material,in_stock_g\nMg,1000\nZn,1000\nMg-5Mn,60\nMg-20Sr,50\nMg-30Ca,50\nCa,0\n"
    (campaign.folder.path / "shelf.csv").write_text(shelf, encoding="utf-8")
    content = json_of(campaign)
    (charge,) = content["charges"]
    expected = {"Mg-5Mn": 100.0, "Mg-20Sr": 7.5, "Mg-30Ca": 1.6667, "Zn": 5.0, "Mg": 385.8333}
    assert weighed(charge) == pytest.approx(expected, abs=5e-5)
    assert [line["material"] for line in charge["lines"]] == ["Mg", "Mg-5Mn", "Mg-20Sr", "Mg-30Ca", "Zn"]
    assert content["remarks"] == [
        "shelf.csv: Ca used up, and left out.",
        "40 g Mg-5Mn are lacking: 100 g are needed and 60 g left.",
    ]


# -- which mass, furnace and stock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "arguments", "mass_g"),
    [
        ("", (), 40),
        ("cost: {mass_g: 50, prices_per_kg: {Sn: 30}}\n", (), 50),
        ("melting: {mass_g: 60}\n", (), 60),
        ("melting: {mass_g: 60}\ncost: {per_melt: 40}\n", (), 60),
        ("melting: {mass_g: 60}\n", ("--mass", 20), 20),
    ],
)
def test_a_melt_has_the_mass_that_the_nearest_word_gives_it(
    said: str, arguments: tuple[object, ...], mass_g: float, tmp_path: Path
) -> None:
    (charge,) = json_of(of(tmp_path, f"R001-1,proposed,1,,{TI2448}", melting=said), *arguments)["charges"]
    assert charge["mass_g"] == mass_g
    assert charge["total_g"] == pytest.approx(mass_g, abs=0.01)


ROWS_WITH_FURNACES = (f"R001-1,proposed,1,,{TI2448},", "R001-2,proposed,1,,70,20,5,5,induction")


def test_a_row_is_melted_in_its_own_furnace_or_else_in_the_usual_one(tmp_path: Path) -> None:
    campaign = of(tmp_path, *ROWS_WITH_FURNACES, melting=MELTING, more=["furnace"])
    arc, induction = json_of(campaign)["charges"]
    assert (arc["furnace"], induction["furnace"]) == ("arc", "induction")
    assert weighed(arc)["Sn"] == pytest.approx(40 * 0.079 / 0.99, abs=1e-6)
    assert weighed(induction)["Sn"] == pytest.approx(40 * 0.05 / 0.97, abs=1e-6)
    assert [line["material"] for line in arc["lines"]] == ["Sn", "Ti", "Zr", "Nb"]  # from the bottom of the hearth
    assert [line["material"] for line in induction["lines"]] == ["Ti", "Nb", "Zr", "Sn"]
    assert arc["lines"][0]["place"] == "at the bottom, covered by the rest"


def test_a_furnace_may_be_a_process_variable(tmp_path: Path) -> None:
    process = "process: {furnace: {choices: [arc, induction]}}\n"
    campaign = of(tmp_path, *ROWS_WITH_FURNACES, melting=MELTING + process, more=["furnace"])
    assert [charge["furnace"] for charge in json_of(campaign)["charges"]] == ["arc", "induction"]


def test_what_is_said_on_the_command_line_goes_before_campaign_yaml(tmp_path: Path) -> None:
    campaign = of(tmp_path, *ROWS_WITH_FURNACES, melting=MELTING, more=["furnace"])
    one, other = json_of(campaign, "--furnace", "induction")["charges"]
    assert (one["furnace"], other["furnace"]) == ("induction", "induction")
    one, other = json_of(campaign, "--loss", "Sn=0.2", "--resolution", "0.1")["charges"]
    assert weighed(other)["Sn"] == pytest.approx(40 * 0.05 / 0.8, abs=1e-6)
    assert {round(10 * line["weigh_g"], 9) % 1 for line in (*one["lines"], *other["lines"])} == {0}


def test_a_furnace_of_which_nothing_is_said_is_a_mistake(tmp_path: Path) -> None:
    campaign = of(tmp_path, f"R001-1,proposed,1,,{TI2448},ark", melting=MELTING, more=["furnace"])
    told = alloyloop("melt-sheet", campaign.folder.path)
    assert told.code == 1
    assert "campaign.yaml gives losses of arc and induction, and none of ark. Correct the name" in told.err


@pytest.mark.parametrize("text", ["material\nTi\nNb\nZr\n", "material,in_stock_g\nTi,\nNb,\nZr,\nSn,0\n"])
def test_an_alloy_that_the_shelf_cannot_make_is_named_with_what_it_lacks(text: str, tmp_path: Path) -> None:
    campaign = of(tmp_path, f"R001-1,proposed,1,,{TI2448}", melting="melting: {stock: shelf.csv}\n")
    (campaign.folder.path / "shelf.csv").write_text(text, encoding="utf-8")
    told = alloyloop("melt-sheet", campaign.folder.path)
    assert told.code == 1
    assert re.match(
        r"alloyloop: R001-1: Ti-24Nb-4Zr-7\.9Sn wt cannot be made .* too little Sn, by 7\.9 wt\.%", told.err
    )
    assert json_of(campaign, "--master", "Ti-50Sn")["charges"][0]["lines"]


# -- one melt, one sheet ----------------------------------------------------------------------------------------------


def test_several_heat_treatments_of_one_melt_are_weighed_once(tmp_path: Path) -> None:
    rows = (f"R001-2,proposed,1,R001-1,{TI2448}", f"R001-1,proposed,1,,{TI2448}", f"R001-3,proposed,1,R001-1,{TI2448}")
    content = json_of(of(tmp_path, *rows))
    (charge,) = content["charges"]
    assert charge["ids"] == ["R001-1", "R001-2", "R001-3"]
    assert sum(need["total_g"] for need in content["stock"]) == pytest.approx(40, abs=0.003)


def test_rows_of_one_heat_that_has_no_row_of_its_own_are_one_melt(tmp_path: Path) -> None:
    rows = (f"R001-1,proposed,1,heat 7,{TI2448}", f"R001-2,proposed,1,heat 7,{TI2448}")
    assert [charge["ids"] for charge in json_of(of(tmp_path, *rows))["charges"]] == [["R001-1", "R001-2"]]


def test_a_melt_of_an_earlier_round_is_not_made_again_nor_what_is_withdrawn(tmp_path: Path) -> None:
    rows = (
        f"R001-1,measured,1,,{TI2448}",
        f"R002-1,proposed,2,R001-1,{TI2448}",
        "R002-2,withdrawn,2,,90,10,0,0",
        "R002-3,proposed,2,,80,20,0,0",
    )
    content = json_of(of(tmp_path, *rows))
    assert [charge["id"] for charge in content["charges"]] == ["R002-3"]
    assert content["remarks"] == [
        "R002-1 is of the melt R001-1, which was made before: it is not weighed again.",
        "R002-2 is withdrawn, and not weighed.",
    ]
    assert json_of(of(tmp_path / "earlier", *rows), "--round", 1)["charges"][0]["id"] == "R001-1"


def test_a_round_of_which_nothing_is_melted_says_why(tmp_path: Path) -> None:
    campaign = of(tmp_path, "R001-1,withdrawn,1,,90,10,0,0")
    with pytest.raises(AlloyloopError, match=r"for round 1\. R001-1 is withdrawn.*Name another with --round"):
        campaign.melt_sheet()


def test_one_melt_cannot_be_two_alloys(tmp_path: Path) -> None:
    campaign = of(tmp_path, f"R001-1,proposed,1,,{TI2448}", "R001-2,proposed,1,R001-1,80,20,0,0")
    with pytest.raises(AlloyloopError, match=r"row 3, column parent: R001-2 is tied to the melt of R001-1, and is ano"):
        campaign.melt_sheet()


def test_an_alloy_that_is_weighed_twice_is_remarked_on(tmp_path: Path) -> None:
    rows = (f"R001-1,proposed,1,,{TI2448}", f"R001-2,proposed,1,,{TI2448}")
    (remark,) = json_of(of(tmp_path, *rows))["remarks"]
    assert remark.startswith("R001-1 and R001-2 are the same alloy: write R001-1 as the parent of the others")


# -- the shelf --------------------------------------------------------------------------------------------------------


def shelf(tmp_path: Path, text: str) -> Path:
    (tmp_path / "shelf.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_shelf_is_read_in_the_dialect_of_the_laboratory(tmp_path: Path) -> None:
    text = "material;purity;price_per_kg;in_stock_g;Ti_wt_pct;Fe_wt_pct;O_wt_pct;supplier\r\n"
    text += "Ti sponge;;25,5;3000;99,83;0,07;0,1;A\r\nTi-50Nb;0,998;150;40;;;;B\r\nNb;;;;;;;\r\n"
    stock, remarks = read_stock(shelf(tmp_path, text), "shelf.csv")
    assert (tuple(stock.masters), stock.pure) == (("Ti sponge", "Ti-50Nb"), frozenset({"Nb"}))
    assert remarks == ()
    assert stock.composition("Ti sponge").wt_pct == pytest.approx({"Ti": 99.83, "Fe": 0.07, "O": 0.1})
    assert (stock.purity, stock.price_per_kg) == ({"Ti-50Nb": 0.998}, {"Ti sponge": 25.5, "Ti-50Nb": 150})
    assert stock.in_stock_g == {"Ti sponge": 3000, "Ti-50Nb": 40}


def test_every_mistake_of_a_shelf_is_told_with_its_row(tmp_path: Path) -> None:
    text = "material,purity,price_per_kg,Ti_wt_pct\nTi,99.7,,\nXx-5Mn,,,\n,,1,\nNb,,a lot,\nTi,,,\nsponge,,,90\n"
    with pytest.raises(CampaignFileError) as error:
        read_stock(shelf(tmp_path, text), "shelf.csv")
    told = [str(problem) for problem in error.value.problems]
    for row, said in (
        (2, "a purity of 99.7 (Ti) is not in (0, 1]. Write 99.5 % as 0.995."),
        (3, "'Xx' in 'Xx-5Mn' is not an element"),
        (4, "column material: This row has no material"),
        (5, "column price_per_kg: 'a lot' is not a number"),
        (6, "column material: Row 2 is of Ti too"),
        (7, "Ti adds up to 90 wt.%, not 100"),
    ):
        assert [line for line in told if line.startswith(f"shelf.csv, row {row}") and said in line], (row, told)


@pytest.mark.parametrize(("text", "said"), [("metal\nTi\n", "There is no column material"), ("", "The file is empty")])
def test_a_shelf_that_is_no_table_of_materials_says_so(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match=said):
        read_stock(shelf(tmp_path, text), "shelf.csv")


def test_a_shelf_that_is_not_there_says_so(tmp_path: Path) -> None:
    campaign = of(tmp_path, f"R001-1,proposed,1,,{TI2448}", melting="melting: {stock: shelf.csv}\n")
    with pytest.raises(AlloyloopError, match=r"shelf\.csv: It is not beside campaign\.yaml"):
        campaign.melt_sheet()


def test_a_charge_costs_what_was_paid_or_else_what_the_campaign_says_of_its_elements(tmp_path: Path) -> None:
    said = "cost: {mass_g: 100, prices_per_kg: {Ti: 12, Nb: 80}}\nmelting: {stock: shelf.csv}\n"
    campaign = of(tmp_path, "R001-1,proposed,1,,80,20,0,0", melting=said)
    shelf(campaign.folder.path, "material,price_per_kg\nTi,25\nNb,\n")
    content = json_of(campaign)
    assert content["cost"] == pytest.approx(0.080 * 25 + 0.020 * 80)
    assert content["charges"][0]["cost"] == content["cost"]


def test_nothing_is_said_of_cost_where_nothing_is_known_of_it(tmp_path: Path) -> None:
    campaign = of(tmp_path, "R001-1,proposed,1,,80,20,0,0")
    assert json_of(campaign)["cost"] is None
    assert "cost" not in alloyloop("melt-sheet", campaign.folder.path).out


# -- on the terminal, in a file and on paper --------------------------------------------------------------------------

TWO = (f"R001-1,proposed,1,,{TI2448}", "R001-2,proposed,1,,80,20,0,0")


def test_the_rounding_error_is_given_back_as_composition(tmp_path: Path) -> None:
    out = alloyloop("melt-sheet", of(tmp_path, *TWO).folder.path, "--mass", "1", "--resolution", "0.009").out
    # 0.801 and 0.198 g, the nearest whole numbers of 9 mg to 0.8 and 0.2 g
    assert "R001-2: as weighed Ti-19.82Nb wt, off by 0.18 wt.% Ti at most." in out
    (_, charge) = json_of(of(tmp_path / "again", *TWO), "--mass", 1, "--resolution", 0.009)["charges"]
    assert charge["error_wt_pct"] == pytest.approx({"Ti": 100 * 0.801 / 0.999 - 80, "Nb": 100 * 0.198 / 0.999 - 20})


def test_a_warning_of_all_alloys_is_said_once(tmp_path: Path) -> None:
    rows = (f"R001-1,proposed,1,,{TI2448}", "R001-2,proposed,1,,85,10,0,5")
    out = alloyloop("melt-sheet", of(tmp_path, *rows).folder.path).out
    assert out.count("All: No loss is allowed for Sn, which may evaporate or burn.") == 1


def test_the_file_is_written_as_the_campaigns_table_is_and_closes_with_what_the_batch_takes(tmp_path: Path) -> None:
    rows = table(*TWO).replace(",", ";").replace("7.9", "7,9").replace("64.1", "64,1")
    campaign = Campaign(make(tmp_path / "ti", TITANIUM + MELTING, rows))
    out = tmp_path / "sheet.csv"
    assert alloyloop("melt-sheet", campaign.folder.path, "-o", out).code == 0
    header, *lines = [line.split(";") for line in out.read_text(encoding="utf-8").splitlines()]
    told = [dict(zip(header, line, strict=True)) for line in lines]
    assert [row["weigh_g"] for row in told if row["id"] == "R001-2"] == ["32", "8", "40"]
    assert {row["material"]: row["weigh_g"] for row in told if row["id"] == "batch"} == {
        "Sn": "3,1919",  # 40 g of which 7.9 % remain of 99 %
        "Ti": "57,64",
        "Zr": "1,6",
        "Nb": "17,6",
    }
    assert {row["weighed_g"] for row in told} == {""}


def test_no_name_from_the_shelf_becomes_a_formula_of_a_spreadsheet(tmp_path: Path) -> None:
    said = "melting: {stock: shelf.csv}\n"
    campaign = of(tmp_path, "R001-1,proposed,1,,80,20,0,0", melting=said)
    shelf(campaign.folder.path, 'material,Ti_wt_pct\n"=HYPERLINK(""http://x"")",100\nNb,\n')
    out = tmp_path / "sheet.csv"
    assert alloyloop("melt-sheet", campaign.folder.path, "-o", out).code == 0
    written = out.read_text(encoding="utf-8")
    assert "'=HYPERLINK" in written
    assert not re.search(r"""(?:^|,)"?[=+@]""", written, re.MULTILINE)


class Page(HTMLParser):
    """The text of a page, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_to_print_holds_the_whole_sheet_and_needs_nothing_else(tmp_path: Path) -> None:
    question = TITANIUM.replace("name: Small", "name: <script>Soft</script> & light")
    process = "process: {quench: {choices: [water, air]}}\n"
    rows = (f"R001-1,proposed,1,,{TI2448},water", f"R001-2,proposed,1,R001-1,{TI2448},air")
    campaign = of(tmp_path, *rows, melting=MELTING + process, more=["quench"], question=question)
    out = tmp_path / "sheet.html"
    assert alloyloop("melt-sheet", campaign.folder.path, "-o", out).code == 0
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert (page.loads, "script" in page.tags) == ([], False)
    assert "size: A4" in text
    for said in (
        *("<script>Soft</script> & light: melt sheet of round 1", "R001-1, R001-2", "Ti-24Nb-4Zr-7.9Sn wt"),
        *("25.6400", "9.6000", "1.6000", "3.1919", "40.0319", "on top, under the arc"),
        *("R001-1 afterwards: Quench water", "R001-2 afterwards: Quench air", "Times turned"),
    ):
        assert said in page.text, said


def test_a_page_of_many_alloys_stays_as_wide_as_its_paper(tmp_path: Path) -> None:
    rows = [f"R001-{i},proposed,1,,{90 - i},{10 + i},0,0" for i in range(1, 9)]
    page = Page(melt_sheet_html(of(tmp_path, *rows).melt_sheet(), "Many"))
    assert "R001-8" in page.text
    assert "R001-8 [g]" not in page.text


@pytest.mark.parametrize("name", ["sheet.pdf", "sheet"])
def test_only_pages_and_tables_are_written(name: str, tmp_path: Path) -> None:
    told = alloyloop("melt-sheet", of(tmp_path, *TWO).folder.path, "-o", tmp_path / name)
    assert (told.code, (tmp_path / name).exists()) == (2, False)


def test_a_sheet_comes_apart_into_ids_and_charges(tmp_path: Path) -> None:
    ids, charges = of(tmp_path, *TWO).melt_sheet(mass_g=50)
    assert ids == ("R001-1", "R001-2")
    assert [charge.mass_g for charge in charges] == [50, 50]


# -- a round that is being written ------------------------------------------------------------------------------------


def test_a_rounds_own_sheet_has_the_mass_balance_and_losses_of_campaign_yaml_and_no_shelf(tmp_path: Path) -> None:
    melting = MELTING.replace("{furnace", "{mass_g: 60, stock: missing.csv, furnace")
    snapshot = of(tmp_path, *TWO, melting=melting).snapshot()
    alloy = Answer("R002-1", Composition.parse("Ti-10Sn wt"), {}, {}, {"all": 1.0}, None)
    (charge,) = round_charges(snapshot, [alloy]).values()
    tin = next(line for line in charge.lines if line.material == "Sn")
    assert (charge.mass_g, tin.weigh_g) == (60, 6.0606)
    assert tin.exact_g == pytest.approx(6 / 0.99)


# -- losses that are learned ------------------------------------------------------------------------------------------

MEASURED = tuple(f"{element}_wt_pct_measured" for element in ELEMENTS)


def analysed(id: str, tin: float, left: float, round: str = "", **more: str) -> str:
    """A row whose tin was aimed at and of which this share is left, beside titanium; more by column."""
    found = tin * left / (100 - tin + tin * left) * 100
    cells = (id, "known" if not round else "measured", round, more.get("parent", ""))
    return ",".join((*cells, f"{100 - tin},0,0,{tin}", f"{100 - found:.9f},0,0,{found:.9f}", more.get("furnace", "")))


def furnaces_of(campaign: Campaign) -> Any:
    told = alloyloop("melt-sheet", campaign.folder.path, "--refit-losses", "--json")
    assert (told.code, told.err) == (0, "")
    return {each["furnace"]: each for each in told.json["furnaces"]}


def test_losses_are_learned_from_nominal_and_measured_rows_of_each_furnace(tmp_path: Path) -> None:
    rows = [analysed("A", 5, 0.96), analysed("B", 8, 0.95), analysed("C", 10, 0.94)]
    rows += [analysed("D", 5, 0.8, furnace="induction"), analysed("E", 8, 0.8, furnace="induction")]
    campaign = of(tmp_path, *rows, melting=MELTING, more=[*MEASURED, "furnace"])
    furnaces = furnaces_of(campaign)
    tin = furnaces["arc"]["losses"]["Sn"]
    # by hand: ln 0.96, ln 0.95 and ln 0.94 have the mean -0.051330 and the standard deviation 0.010527; Student's 90 %
    # of 2 degrees of freedom is 2.920
    assert tin["loss"] == pytest.approx(0.050035, abs=1e-5)
    assert (tin["low"], tin["high"]) == pytest.approx((0.033026, 0.066744), abs=2e-5)
    assert (tin["melts"], tin["stated"], furnaces["arc"]["kept"]) == (3, 0.01, ["Ti"])
    assert furnaces["induction"]["losses"]["Sn"] == {
        "melts": 2,
        "loss": None,
        "low": None,
        "high": None,
        "stated": 0.03,
    }
    told = alloyloop("melt-sheet", campaign.folder.path, "--refit-losses").out
    assert "Sn loses 5 % (3.3 to 6.7 %, 3 melts); 1 % is allowed for." in told
    assert "of Sn nothing can be told: it takes 3 melts that were analysed, and there are 2" in told


def test_the_line_that_is_told_can_be_written_into_campaign_yaml_and_forgets_no_furnace(tmp_path: Path) -> None:
    rows = [analysed(id, 5, 0.95, furnace="our furnace: 2") for id in "ABC"]
    stated = "melting: {furnace: arc, losses: {arc: {Sn: 0.01}, 'our furnace: 2': {Mn: 0.02}}}\n"
    campaign = of(tmp_path, *rows, melting=stated, more=[*MEASURED, "furnace"])
    last = alloyloop("melt-sheet", campaign.folder.path, "--refit-losses").out.splitlines()[-1]
    told = YAML(typ="safe").load(last.partition("campaign.yaml: ")[2])
    told["melting"]["furnace"] = "arc"
    melting = CampaignSpec.model_validate(YAML(typ="safe").load(TITANIUM) | told).melting
    assert melting is not None
    assert melting.losses == {"our furnace: 2": {"Mn": 0.02, "Sn": 0.05}, "arc": {"Sn": 0.01}}


def test_what_a_round_allowed_for_is_read_where_it_was_frozen(tmp_path: Path) -> None:
    rows = [analysed(f"R001-{i}", 5, 1.0, "1") for i in range(1, 4)]
    campaign = of(tmp_path, *rows, melting=MELTING.replace("Sn: 0.01", "Sn: 0.5"), more=[*MEASURED, "furnace"])
    inputs = campaign.folder.round(1) / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "campaign.yaml").write_text(TITANIUM + MELTING.replace("Sn: 0.01", "Sn: 0.04"), encoding="utf-8")
    # the alloys came out as they were wanted, with 4 % more of tin weighed in than that
    assert furnaces_of(campaign)["arc"]["losses"]["Sn"]["loss"] == pytest.approx(0.04, abs=1e-6)


def test_several_treatments_of_one_melt_tell_its_losses_once(tmp_path: Path) -> None:
    rows = [analysed("A", 5, 0.95), analysed("B", 5, 0.95, parent="A"), analysed("C", 5, 0.95, parent="A")]
    assert furnaces_of(of(tmp_path, *rows, more=[*MEASURED, "furnace"]))[""]["losses"]["Sn"]["melts"] == 1


def test_masses_before_and_after_tell_what_compositions_cannot(tmp_path: Path) -> None:
    rows = [f"{analysed(id, 5, 1.0)},40,36" for id in "ABC"]  # a tenth of everything is gone
    told = furnaces_of(of(tmp_path, *rows, more=[*MEASURED, "furnace", "charged_g", "melted_g"]))[""]
    assert (told["weighed"], told["losses"].keys()) == (3, {"Ti", "Sn"})
    assert [each["loss"] for each in told["losses"].values()] == pytest.approx([0.1, 0.1])


def test_nothing_is_learned_where_nothing_was_analysed(tmp_path: Path) -> None:
    told = alloyloop("melt-sheet", of(tmp_path, *TWO).folder.path, "--refit-losses")
    assert told.code == 1
    assert "No melt has a nominal and a measured composition. Analyse some, and `record` them in columns" in told.err


# -- docs/melt-sheet.md ------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "melt-sheet.md").read_text(encoding="utf-8")


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_sheet_of_the_documentation_is_what_its_shelf_and_campaign_yaml_give(tmp_path: Path) -> None:
    (melting,), (stock, rows), (told, learned) = fenced("yaml"), fenced("text"), fenced("console")
    campaign = Campaign(make(tmp_path / "my-ti", TITANIUM + melting, rows))
    shelf(campaign.folder.path, stock)
    (campaign.folder.path / "shelf.csv").rename(campaign.folder.path / "stock.csv")
    for console, *options in ((told,), (learned, "--refit-losses")):
        shown = [line.rstrip() for line in console.splitlines()[1:]]
        assert alloyloop("melt-sheet", campaign.folder.path, *options).out.splitlines() == shown


# -- what campaign.yaml may say ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ("{losses: {arc: {Sm: 2}}}", r"melting.losses.arc.Sm: Input should be less than 1\. It says 2\."),
        ("{losses: {arc: {Xx: 0.1}}}", "melting.losses.arc.Xx: 'Xx' is not an element"),
        ("{impurities: {Xx: 0.1}}", "melting.impurities.Xx: 'Xx' is not an element"),
        ("{losses: {arc: {}, oven: {}}}", "melting: losses are those of several furnaces: say which is the usual one"),
        ("{furnace: ark, losses: {arc: {}}}", "melting: there are losses of arc, and none of ark: write 'ark: {}'"),
        ("{balance_g: 1}\ncost: {mass_g: 40}", "melting.balance_g: A balance that reads 1 g does not weigh out 40 g"),
        ("{mass_g: 40}\ncost: {mass_g: 50}", "melting.mass_g: A melt weighs 40 g here, and 50 g under cost. Keep one"),
        ("{stock: ../shelf.csv}", "melting.stock: the stock lies beside campaign.yaml"),
        ("{mass: 40}", "melting.mass: There is no such key"),
    ],
)
def test_a_mistake_under_melting_is_told_with_its_line(said: str, mistake: str, tmp_path: Path) -> None:
    campaign = of(tmp_path, f"R001-1,proposed,1,,{TI2448}", melting=f"melting: {said}\n")
    line = len(TITANIUM.splitlines()) + 1
    with pytest.raises(CampaignFileError, match=rf"campaign\.yaml, line {line}, {mistake}"):
        campaign.snapshot()


def test_nothing_is_melted_without_a_composition(tmp_path: Path) -> None:
    study = "alloyloop: 1\nname: Beam\nprocess: {power_W: {min: 1, max: 9}}\n"
    study += "properties: {hardness_HV: {goal: maximize}}\nmelting: {mass_g: 40}\n"
    campaign = Campaign(make(tmp_path / "lpbf", study, "id,status,power_W,hardness_HV\nA,known,2,3\n"))
    with pytest.raises(CampaignFileError, match="line 5, melting: Nothing is melted in this campaign"):
        campaign.snapshot()
