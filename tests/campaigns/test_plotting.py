"""`alloyloop plot` and `campaign.plot`: every kind by name, written where it is asked for, or one sentence why not."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.house_style import COLUMN, PAGE
from alloyloop.campaigns.plotting import KINDS, Picture, Plots, draw
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop
from .written import HEADER, QUESTION, written

PAGE_OF_DOCS = (Path(__file__).resolve().parents[2] / "docs" / "plots.md").read_text(encoding="utf-8")
SEVERAL = QUESTION.replace("{goal: above, limit: 500}", "{goal: maximize}")
OF_FILES = ("progress", "pareto", "rounds", "surprise", "batch", "data")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with two goals and two rounds, of which nothing has to be fitted."""
    return written(tmp_path_factory.mktemp("plotting"), SEVERAL).folder.path


def test_the_command_lists_every_kind_with_what_it_shows() -> None:
    told = alloyloop("plot", "--list")
    assert told.code == 0
    for kind, about in KINDS.items():
        assert any(line.split()[:1] == [kind] and about in line for line in told.out.splitlines())
    assert alloyloop("plot", "--list", "--json").json == {"kinds": KINDS}


def test_every_kind_is_on_the_page() -> None:
    for kind in KINDS:
        assert f"| `{kind}` |" in PAGE_OF_DOCS


@pytest.mark.parametrize("kind", OF_FILES)
def test_a_picture_is_written_into_the_folder_of_the_campaign(kind: str, folder: Path) -> None:
    told = alloyloop("plot", folder, kind)
    assert (told.code, told.err) == (0, "")
    assert told.out == f"Wrote {folder / 'plots' / kind}.svg.\n"
    assert (folder / "plots" / f"{kind}.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_picture_is_written_where_and_as_it_is_asked_for(folder: Path, tmp_path: Path) -> None:
    told = alloyloop("plot", folder, "batch", "--round", 1, "-o", tmp_path / "b.png", "--json").json
    assert told == {"plot": str(tmp_path / "b.png"), "about": KINDS["batch"], "remarks": []}
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


def test_a_campaign_with_its_pictures_is_as_sound_as_before(folder: Path) -> None:
    alloyloop("plot", folder, "progress")
    assert Campaign(folder).check()[0] == ()


def test_a_picture_shows_itself_in_a_notebook_larger_than_in_print(folder: Path) -> None:
    content, size = Campaign(folder).plot.batch()._repr_png_()
    assert content.startswith(b"\x89PNG")
    assert size["width"] > 96 * COLUMN


@pytest.mark.parametrize(("width", "inches"), [("column", COLUMN), ("page", PAGE)])
def test_a_picture_is_as_wide_as_it_is_asked_for(width: str, inches: float, folder: Path) -> None:
    assert Campaign(folder).plot.progress(width=width).figure.get_figwidth() == inches


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["progres"], "There is no plot 'progres', but there is progress. Those are progress, pareto"),
        (["progress", "--of", "youngs_modulus_GPa"], "The plot progress does not take of. It takes width"),
        (["progress", "--elements", "Ti,Nb,Zr"], "The plot progress does not take elements. It takes width"),
        (["progress", "--width", "poster"], "No picture is 'poster' wide. Write column or page"),
        (["progress", "-o", "progress.doc"], "No picture can be written as '.doc'. Let the name end in .svg"),
        (["batch", "--round", "9"], "There is no round 9"),
        (["ternary", "--elements", "Ti,Nb"], "A ternary diagram takes three elements, and not Ti and Nb"),
        (["quaternary"], "Slices take four elements, and this space has 3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_drawn_is_said_in_one_sentence(words: list[str], said: str, folder: Path) -> None:
    told = alloyloop("plot", folder, *words)
    assert told.code == 1
    assert told.err.startswith(f"alloyloop: {said}")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("pareto", "fewer than two properties are pursued"),
        ("rounds", "Nothing that was predicted has been measured yet"),
        ("surprise", "Nothing that was predicted has been measured yet"),
        ("batch", "There is no round yet"),
        ("data", "No alloy is known yet"),
        ("ternary", "There is no alloy yet through which a section could go"),
    ],
)
def test_of_an_empty_campaign_it_is_said_what_is_missing(kind: str, said: str, tmp_path: Path) -> None:
    told = alloyloop("plot", written(tmp_path, experiments=HEADER, rounds={}).folder.path, kind)
    assert told.code == 1
    assert said in told.err


def test_amounts_that_are_none_are_wrong_usage(folder: Path) -> None:
    assert alloyloop("plot", folder, "quaternary", "--amounts", "0,much").code == 2
    assert alloyloop("plot", folder).code == 2


def test_options_of_the_command_are_parameters_in_python(folder: Path) -> None:
    plots = Campaign(folder).plot
    assert isinstance(plots, Plots)
    assert isinstance(draw(plots, "batch", round=1, of=None), Picture)
    with pytest.raises(AlloyloopError, match="The plot batch does not take show"):
        draw(plots, "batch", show="std")
    for kind in KINDS:
        assert "width" in inspect.signature(getattr(plots, kind)).parameters


@pytest.mark.slow
@pytest.mark.torch
def test_every_command_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Campaign.new("my-ti", "beta-ti")
    commands = [
        shlex.split(line, comments=True)[1:] for line in PAGE_OF_DOCS.splitlines() if line[:13] == "    alloyloop"
    ]
    assert len(commands) == 10
    for command in commands:
        told = alloyloop(*command)
        assert told.code == 0, (command, told.err)


@pytest.mark.torch
def test_what_was_learned_or_came_from_a_synthetic_laboratory_says_so(folder: Path) -> None:
    made_up = written(folder.parent / "made-up", SEVERAL).folder.path
    table = made_up / "experiments.csv"
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    note = header.split(",").index("note")
    told = [row.split(",") for row in rows]
    for cells in told:
        if "measured" in cells:
            cells[note] = "SYNTHETIC: nothing was melted"
    table.write_text("\n".join([header, *(",".join(cells) for cells in told)]) + "\n", encoding="utf-8")
    for kind in ("surprise", "relevances"):
        assert "SYNTHETIC" not in words_of(draw(Campaign(folder).plot, kind).figure)
        assert "SYNTHETIC" in words_of(draw(Campaign(made_up).plot, kind).figure)


def words_of(figure: Figure) -> str:
    """All that is written in a figure."""
    return " ".join(text.get_text() for text in figure.findobj(Text))
