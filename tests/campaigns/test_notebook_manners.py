"""In a notebook values show themselves as small tables, long work shows a bar, and nothing else is printed."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns import Answer, Answers, Campaign
from alloyloop.campaigns.notebook import in_notebook, shown
from alloyloop.design import Composition, Count
from alloyloop.design.windows import Window
from alloyloop.surrogates import Prediction

from .folders import make

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def hostile_answers() -> Answers:
    alloy = Answer(
        id=HOSTILE,
        composition=Composition({"Ti": 60, "Nb": 40}, "wt_pct"),
        process={"quench": HOSTILE},
        predicted={},
        probability={},
        nearest=None,
        flags=(HOSTILE,),
        why=HOSTILE,
        runner_up=HOSTILE,
        measured={"phases": HOSTILE},
    )
    return Answers((alloy,), (HOSTILE,), beside=(alloy,))


def window() -> Window:
    ranges: dict[str, Any] = {"Nb": (20.0, 30.5), "Ti": (69.5, 80.0), HOSTILE: ("water", HOSTILE)}
    return Window(ranges, 0.9, 0.8, np.zeros((1, 3), dtype=np.int64), Count(12, 12, 12, "counted"), 0.1, np.zeros(2))


def hostile_campaign(path: Path) -> Campaign:
    folder = make(path / "ti")
    question = (folder / "campaign.yaml").read_text(encoding="utf-8")
    (folder / "campaign.yaml").write_text(question.replace("name: Small", f"name: '{HOSTILE}'"), encoding="utf-8")
    return Campaign(folder)


@pytest.fixture
def reprs(tmp_path: Path) -> dict[str, str]:
    """The HTML of one value of each kind, in which somebody wrote a script wherever words may be."""
    three = Prediction(np.arange(3.0), np.ones(3), np.ones(3))
    answers = hostile_answers()
    values = {
        "campaign": hostile_campaign(tmp_path),
        "answers": answers,
        "answer": answers[0],
        "window": window(),
        "composition": Composition.parse("Ti-24Nb wt"),
        "prediction": three,
    }
    return {name: value._repr_html_() for name, value in values.items()}


@dataclass
class Shown(HTMLParser):
    """What HTML is made of; an element that is not closed where it should be is an error."""

    source: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


EVERY = pytest.mark.parametrize("kind", ["campaign", "answers", "answer", "window", "composition", "prediction"])


@EVERY
def test_what_somebody_wrote_is_text_and_nothing_is_loaded(kind: str, reprs: dict[str, str]) -> None:
    for tag, attributes in Shown(reprs[kind]).tags:
        assert tag not in {"script", "img", "link", "iframe", "style"}
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "href"}]
    if kind not in ("composition", "prediction"):
        assert "&lt;script&gt;" in reprs[kind]


@EVERY
def test_no_colour_is_named_so_that_a_dark_notebook_can_be_read(kind: str, reprs: dict[str, str]) -> None:
    assert not re.search(r"color|background|#[0-9a-f]{3}", reprs[kind])


@EVERY
def test_a_screen_reader_finds_the_headers_of_every_cell(kind: str, reprs: dict[str, str]) -> None:
    tags = Shown(reprs[kind]).tags
    scopes = [attributes.get("scope") for tag, attributes in tags if tag == "th"]
    assert set(scopes) <= {"col", "row"}
    rows = sum(tag == "tr" for tag, _ in tags)
    assert scopes.count("row") == max(rows - 1, 0)


def test_a_window_shows_its_ranges() -> None:
    shown_as = window()._repr_html_()
    assert "<td>20 to 30.5</td>" in shown_as
    assert "12 designs, of which each holds with 90% in the mean, the worst with 80%" in shown_as


def test_a_long_prediction_shows_its_beginning_and_how_long_it_is() -> None:
    long = Prediction(np.arange(500.0), np.ones(500), np.ones(500))._repr_html_()
    assert long.count("<tr>") == 21
    assert "The first 20 of 500." in long


# -- bars -------------------------------------------------------------------------------------------------------------


class Place:
    """Where a notebook shows something that may change."""

    def __init__(self) -> None:
        self.showed: list[str] = []

    def update(self, html: str) -> None:
        self.showed.append(html)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Place:
    """This process as the kernel of a notebook, as IPython tells it."""
    place = Place()

    def display(html: str, *, display_id: bool) -> Place:
        assert display_id
        place.update(html)
        return place

    ipython, module = ModuleType("IPython"), ModuleType("IPython.display")
    monkeypatch.setattr(ipython, "get_ipython", lambda: SimpleNamespace(kernel=object()), raising=False)
    monkeypatch.setattr(module, "display", display, raising=False)
    monkeypatch.setattr(module, "HTML", str, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return place


def test_a_bar_shows_how_far_long_work_is_and_leaves_nothing_behind(notebook: Place) -> None:
    with shown("designs looked at") as tell:
        tell(1, 4)
        tell(1, 4)
        tell(4, 4)
    assert notebook.showed == [
        "<label><progress></progress> designs looked at</label>",
        '<label><progress max="4" value="1"></progress> 1 of 4 designs looked at</label>',
        '<label><progress max="4" value="4"></progress> 4 of 4 designs looked at</label>',
        "",
    ]


def test_a_bar_goes_too_where_the_work_fails(notebook: Place) -> None:
    def fails() -> None:
        with shown("rounds") as tell:
            tell(1, 2)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert notebook.showed[-1] == ""


def test_who_asked_to_be_told_is_told_instead(notebook: Place) -> None:
    told: list[tuple[int, int]] = []
    with shown("rounds", lambda done, of: told.append((done, of))) as tell:
        tell(1, 2)
    assert (told, notebook.showed) == ([(1, 2)], [])


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    ipython = ModuleType("IPython")
    monkeypatch.setattr(ipython, "get_ipython", lambda: SimpleNamespace(), raising=False)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert not in_notebook()


# -- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_no_verb_prints_anything(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    campaign = Campaign.open(make(tmp_path / "ti"))
    campaign.check()
    batch = campaign.suggest(2)
    campaign.record(batch[0].id, "youngs_modulus_GPa=62")
    campaign.withdraw(batch[1].id, because="no niobium left")
    campaign.undo()
    campaign.redo()
    campaign.status()
    campaign.best()
    campaign.predict("Ti-30Nb wt")
    campaign.explain()
    campaign.inverse("youngs_modulus_GPa below 70", n=1)
    campaign.windows("youngs_modulus_GPa below 80", 0.5, n=1)
    campaign.tolerance("Ti-35Nb wt", "youngs_modulus_GPa below 80", 0.5)
    campaign.screen(3, range=(0, 50))
    campaign.melt_sheet()
    campaign.verify(again=False)
    campaign.report()
    Campaign.new(tmp_path / "new")
    assert tuple(capfd.readouterr()) == ("", "")
