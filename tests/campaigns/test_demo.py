"""`alloyloop demo`: real literature, a SYNTHETIC laboratory, and no way to take the one for the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alloyloop.campaigns import learning
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.demo import LABEL, run_demo
from alloyloop.campaigns.folder import Folder
from alloyloop.design.beliefs import Choice
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, contents

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module", autouse=True)
def without_cross_validation() -> Iterator[None]:
    """Any model will do for what is tested here, and choosing takes most of the time."""
    chosen = Choice("gaussian-process on composition", "for the test")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learning, "choose", lambda found, options, *_: chosen)
        yield


@pytest.fixture(scope="module")
def told(without_cross_validation: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A demo run once: its folder, and its lines."""
    lines: list[str] = []
    directory = tmp_path_factory.mktemp("demo") / "demo"
    run_demo(directory, lines.append)
    return directory, "\n".join(lines).split("\n")


def test_everything_after_the_first_synthetic_result_says_that_it_is_synthetic(told: tuple[Path, list[str]]) -> None:
    _, lines = told
    first = next(number for number, line in enumerate(lines) if line.startswith(LABEL))
    last = max(number for number, line in enumerate(lines) if line.startswith(LABEL))
    assert all(line.startswith(LABEL) for line in lines[first : last + 1])
    assert {line.split(":")[0] for line in lines[last + 1 :] if line} == {"Report", "Campaign"}
    assert not [line for line in lines[:first] if "R002" in line]


def test_every_line_of_the_second_round_and_its_melt_sheet_is_labelled(told: tuple[Path, list[str]]) -> None:
    of_round_2 = [line for line in told[1] if "R002-" in line]
    assert len(of_round_2) > 2 * 4
    assert [line for line in of_round_2 if not line.startswith(LABEL)] == []


def test_the_first_round_comes_from_the_literature_alone(told: tuple[Path, list[str]]) -> None:
    frozen = (told[0] / "rounds" / "001" / "inputs" / "experiments.csv").read_text(encoding="utf-8")
    assert "synthetic" not in frozen.casefold()


def test_a_synthetic_row_says_so_in_the_table_and_in_the_journal(told: tuple[Path, list[str]]) -> None:
    directory, _ = told
    snapshot = Campaign(directory).snapshot()
    rows = [row for row, status in enumerate(snapshot.table.status) if status == "measured"]
    assert len(rows) == 4
    for row in rows:
        assert "synthetic" in snapshot.table.source[row]
        assert "SYNTHETIC" in snapshot.table.sheet.cell(row, "note")
    events = [json.loads(data) for name, data in contents(directory).items() if name.startswith("journal/")]
    recorded = [event for event in events if event["what"] == "record"]
    assert len(recorded) == 4
    assert all("SYNTHETIC" in json.dumps(event["results"]) for event in recorded)


def test_the_report_says_so_too(told: tuple[Path, list[str]]) -> None:
    assert "SYNTHETIC" in (told[0] / "report.html").read_text(encoding="utf-8")


def test_two_rounds_are_there_and_the_campaign_is_sound(told: tuple[Path, list[str]]) -> None:
    campaign = Campaign(told[0])
    assert campaign.check()[0] == ()
    assert campaign.status().rounds == 2
    assert campaign.status().pending == ("R002-1", "R002-2", "R002-3", "R002-4")


def test_a_second_run_makes_the_same_demo_anew(told: tuple[Path, list[str]]) -> None:
    directory, _ = told
    first = {name: data for name, data in contents(directory).items() if name.startswith("rounds/")}
    (directory / "left-over.txt").write_text("of the first run", encoding="utf-8")
    second = alloyloop("demo", "--dir", directory, "--json")
    assert (second.code, second.err) == (0, "")
    assert second.json["synthetic"] is True
    assert [[alloy["id"] for alloy in batch] for batch in second.json["rounds"]] == [
        [f"R00{number}-{place}" for place in (1, 2, 3, 4)] for number in (1, 2)
    ]
    again = contents(directory)
    assert {name: data for name, data in again.items() if name.startswith("rounds/")} == first
    assert "left-over.txt" not in again


@pytest.mark.parametrize("mark", [None, "my own notes on the demo"], ids=["a campaign", "a folder with such a file"])
def test_a_folder_that_no_demo_made_is_left_alone(mark: str | None, tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    Campaign.new(directory, "beta-ti")
    if mark is not None:
        Folder(directory).demo_mark.write_text(mark, encoding="utf-8")
    before = contents(directory)
    with pytest.raises(AlloyloopError, match="is there already and no earlier demo"):
        run_demo(directory, print)
    assert contents(directory) == before
