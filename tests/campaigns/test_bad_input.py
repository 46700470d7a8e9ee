"""Bad folders: one clear sentence with its place, or the sensible thing with a remark, and no byte of them changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from .folders import EXPERIMENTS, QUESTION, alloyloop, contents, make


@dataclass(frozen=True)
class Bad:
    """One edit of a good folder, and the sentence that it deserves."""

    what: str
    says: str
    file: str = "experiments.csv"
    was: str = ""
    now: str = ""

    def folder(self, path: Path) -> Path:
        folder = make(path)
        text = {"campaign.yaml": QUESTION, "experiments.csv": EXPERIMENTS}[self.file]
        assert self.was in text
        changed = text.replace(self.was, self.now, 1) if self.was else self.now
        (folder / self.file).write_text(changed, encoding="utf-8")
        return folder


BAD = [
    Bad("an unknown element", "campaign.yaml, line 9, composition.elements.Zq: 'Zq'", "campaign.yaml", "Zr:", "Zq:"),
    Bad(
        "a missing basis", "campaign.yaml, line 3, composition.basis: This key is", "campaign.yaml", "basis: wt_pct", ""
    ),
    Bad("a newer format", "campaign.yaml, line 1, alloyloop: This campaign has", "campaign.yaml", "loop: 1", "loop: 9"),
    Bad("an empty question", "campaign.yaml: This file is empty", "campaign.yaml"),
    Bad("a question that is not YAML", "campaign.yaml, line 14: This is not YAML", "campaign.yaml", "}\nf", "\nf"),
    Bad("an empty table", "experiments.csv: "),
    Bad(
        "a sum of 97",
        "experiments.csv, row 3: The amounts sum to 97 wt.%, not 100.",
        was="B,known,,70",
        now="B,known,,67",
    ),
    Bad(
        "fractions for percent",
        "experiments.csv, row 3: The amounts sum to 1, not 100 wt.%. They look like fractions: multiply them by 100.",
        was="70,30,0,72",
        now="0.7,0.3,0,72",
    ),
    Bad(
        "a negative amount", "row 3, column Zr_wt_pct: An amount of -5 is negative", was="70,30,0,72", now="75,30,-5,72"
    ),
    Bad("text in a number cell", "row 4, column youngs_modulus_GPa: '6l.2' is not a number", was=",63,", now=",6l.2,"),
    Bad("a spreadsheet's date", "row 4, column youngs_modulus_GPa: '12. Mrz' is a date", was=",63,", now=",12. Mrz,"),
    Bad("a spreadsheet's error", "row 4, column youngs_modulus_GPa: '#DIV/0!' is a sp", was=",63,", now=",#DIV/0!,"),
    Bad(
        "a duplicated id", "experiments.csv, row 6, column id: Row 2 has the id 'A' too.", was="E,known", now="A,known"
    ),
    Bad("a missing id", "experiments.csv, row 6, column id: This row has no id.", was="E,known", now=",known"),
    Bad("no id column", "experiments.csv, row 1: There is no column id.", was="id,", now="alloy,"),
    Bad(
        "a status typed wrong",
        "row 3, column status: 'knwon' is not a status. Write known",
        was="B,known",
        now="B,knwon",
    ),
    Bad(
        "no status and no result",
        "row 3, column status: This row has neither",
        was="B,known,,70,30,0,72",
        now="B,,,70,30,0,",
    ),
    Bad("a round with a name", "row 3, column round: 'first' is not a number", was="B,known,,", now="B,known,first,"),
    Bad("an element of no table", "experiments.csv, row 1, column Zq_wt_pct: ", was="Zr_wt_pct", now="Zq_wt_pct"),
    Bad("no composition", "experiments.csv, row 3: This row has no composition.", was="70,30,0,72", now=",,,72"),
    Bad(
        "no composition columns",
        "There are no composition columns. Name them",
        was="Ti_wt_pct,Nb_wt_pct,Zr_wt_pct",
        now="a,b,c",
    ),
    Bad("a column twice", "experiments.csv", was="reason", now="note"),
    Bad("a row with too many cells", "experiments.csv, row 3", was="72,,,,", now="72,,,,,,,7"),
    Bad("a negative scatter", "column youngs_modulus_GPa_std: A standard deviation of -2", was="85,,", now="85,-2,"),
    Bad("half a replicate", "column youngs_modulus_GPa_n: 2.5 is not a number of", was="85,,,", now="85,,2.5,"),
    Bad(
        "a name with other capitals",
        "is nearly named youngs_modulus_GPa",
        was="youngs_modulus_GPa,",
        now="Youngs_Modulus_GPa,",
    ),
    Bad("a quotation mark left open", "experiments.csv, row 3", was="72,,,,", now='72,,,"cracked,'),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.what)
def test_check_names_the_mistake_with_its_place_and_changes_nothing(bad: Bad, tmp_path: Path) -> None:
    folder = bad.folder(tmp_path / "ti")
    before = contents(folder)
    told = alloyloop("check", folder)
    assert bad.says in told.out
    assert (told.code, told.err) == (1, "")
    assert contents(folder) == before


@pytest.mark.parametrize(
    "command",
    [("suggest",), ("record", "A", "youngs_modulus_GPa=80"), ("status",), ("best",), ("melt-sheet",), ("report",)],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.what)
def test_every_command_refuses_it_in_one_sentence_and_changes_nothing(
    command: tuple[str, ...], bad: Bad, tmp_path: Path
) -> None:
    folder = bad.folder(tmp_path / "ti")
    before = contents(folder)
    told = alloyloop(command[0], folder, *command[1:])
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("alloyloop: ")
    assert bad.says in told.err
    assert told.err.count("\n") == 1
    assert contents(folder) == before


def test_the_mistakes_of_a_file_are_all_named_not_only_the_first(tmp_path: Path) -> None:
    table = EXPERIMENTS.replace("85", "hard").replace("C,known", "A,known").replace("60,30,10", "60,30,7")
    told = alloyloop("check", make(tmp_path / "ti", experiments=table))
    assert [line.split(":")[0] for line in told.out.splitlines()] == [
        "experiments.csv, row 2, column youngs_modulus_GPa",
        "experiments.csv, row 4, column id",
        "experiments.csv, row 6",
    ]


@pytest.mark.parametrize("command", ["check", "suggest", "status", "best", "melt-sheet", "report"])
@pytest.mark.parametrize("place", ["a folder without a campaign", "no folder", "a file"])
def test_what_is_not_a_campaign_is_said_and_left_alone(command: str, place: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    if place == "a file":
        target.write_text("mine", encoding="utf-8")
    elif place == "a folder without a campaign":
        target.mkdir()
    told = alloyloop(command, target)
    assert (told.code, told.out) == (1, "")
    assert str(target) in told.err
    assert "alloyloop new DIR --template beta-ti" in told.err
    assert not list(tmp_path.rglob(".alloyloop"))


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        ("\ufeff" + EXPERIMENTS, ""),
        (EXPERIMENTS.replace(",", ";").replace("85", "85,5"), ""),
        ("\ufeff" + EXPERIMENTS.replace(",", "\t").replace("\n", "\r\n"), ""),
        (EXPERIMENTS.replace("70,30,0", "70.2,30,0"), "row 3 sum to 100 ± 0.5 and were scaled to 100"),
        (EXPERIMENTS.replace("80,20,0", ",20,0"), "Ti takes the remainder in 1 row"),
        (EXPERIMENTS.replace("B,known", "B,"), "row 3 without a status but with a result: read as known"),
        (EXPERIMENTS.replace(",63,", ",n/a,"), "1 cell saying 'n/a': read as not known"),
        (EXPERIMENTS.replace("youngs_modulus_GPa", "young_modulus_GPa"), "there is no column youngs_modulus_GPa"),
        (EXPERIMENTS.splitlines()[0] + "\n", ""),
    ],
    ids=["a byte-order mark", "semicolons and decimal commas", "tabs", "a sum of 100.2", "a blank balance",
         "a blank status", "n/a", "a property under another name", "no row"],
)  # fmt: skip
def test_what_can_be_understood_is_taken_with_a_remark(data: str, remark: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=data)
    before = contents(folder)
    told = alloyloop("check", folder)
    assert (told.code, told.err) == (0, "")
    assert "No mistakes found." in told.out
    assert remark in told.out
    assert ("Remark:" in told.out) == bool(remark)
    assert contents(folder) == before
