"""Whatever stands in a campaign's files, reading them ends soon, in what they say or in a sentence; none is changed.

The inputs that once brought more are kept here; benchmarks/fuzz.py tries a million others.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alloyloop.campaigns.cells import read_number
from alloyloop.campaigns.examining import check
from alloyloop.campaigns.files import decode, encode
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.journal import change_of, digests_after, digests_before, read_event
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.sheet import parse_sheet, read_sheet
from alloyloop.campaigns.spec import read_spec
from alloyloop.campaigns.table import class_finder
from alloyloop.surrogates.errors import AlloyloopError

QUESTION = """\
alloyloop: 1
name: Spoilt
composition:
  basis: wt_pct
  balance: Ti
  step: 5
  elements: {Nb: {min: 0, max: 40}, Zr: {min: 0, max: 10}}
  rules: [Nb + Zr >= 5]
properties:
  youngs_modulus_GPa: {goal: minimize}
"""
TABLE = (
    "id;status;Ti_wt_pct;Nb_wt_pct;Zr_wt_pct;youngs_modulus_GPa;note\r\nA;known;60;40;0;61,2;ok\r\nB;;bal.;5;;<80;\r\n"
)
MOST_S = 5

NINE_TIMES_NINE = "x0: &x0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
BAD_QUESTIONS = {
    "names parts of itself over and over": QUESTION + NINE_TIMES_NINE,
    "holds itself": QUESTION + "x: &a {b: *a}\n",
    "opens brackets without end": QUESTION + "x: " + "[" * 30_000,
    "opens braces without end": QUESTION + "x: " + "{a: " * 20_000,
    "is indented without end": QUESTION + "x:\n  " + "- " * 40_000,
    "asks keys without end": QUESTION + "? " * 40_000,
    "holds many values": QUESTION + "x: [" + "1," * 30_000 + "]\n",
    "merges what is not there": QUESTION + "x: &a\n  <<: *a\n",
    "is said to be an ordered map": QUESTION + "x: !!omap a\n",
    "has a date that is none": QUESTION + "x: 2001-99-99\n",
    "has a time that is none": QUESTION + "x: 2001-01-01T99:99:99Z\n",
    "has a number that is none": QUESTION + "x: !!float x\n",
    "has a number of 5000 digits": QUESTION + f"seed: {'9' * 5000}\n",
    "has a hexadecimal number of 5000 digits": QUESTION + f"seed: 0x{'f' * 5000}\n",
    "has a format of 5000 digits": QUESTION.replace("alloyloop: 1", f"alloyloop: 0x{'f' * 5000}"),
    "runs a command": QUESTION + "x: !!python/object/apply:os.mkdir [made]\n",
    "has half a letter": QUESTION.replace("Spoilt", '"\\ud800"'),
    "has a zero": QUESTION + "\0",
    "has a rule without end": QUESTION.replace("[Nb + Zr", "[" + "(" * 5000 + "Nb"),
    "is too long": QUESTION + "#\n" * 60_000,
}
BAD_TABLES = {
    "a line of a million cells": "id" + "," * 1_000_001,
    "quotation marks that nothing closes": "id;b\n" + '"x;1\n' * 20_001,
    "a cell of quotation marks": "id\n" + '"' * 500_000,
    "no letter": ";;;\n" * 1000,
    "five thousand columns": ("a," * 5000 + "\n") * 20,
    "a column that has no name": "id,,E\nA,1,2\n",
}
BAD_CELLS = ["1," * 60 + "x", "1" + " " * 50_000 + "x", " " * 50_000 + "±" + " " * 50_000, "9" * 5000, "1/" * 60]


@contextmanager
def soon() -> Iterator[None]:
    """Fail after `MOST_S` of processor time."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"more than {MOST_S} s")

    before = signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


needs_timer = pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="this system has no timer of processor time")


def campaign(folder: Path, question: bytes | str = QUESTION, table: bytes | str = TABLE) -> Folder:
    for name, content in (("campaign.yaml", question), ("experiments.csv", table)):
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        (folder / name).write_bytes(data)
    return Folder(folder)


def state(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@needs_timer
@pytest.mark.parametrize("which", BAD_QUESTIONS)
def test_a_question_that_nobody_means_is_refused_in_a_sentence(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = campaign(tmp_path, BAD_QUESTIONS[which])
    before = state(tmp_path)
    with soon():
        found = check(folder)
    assert found.problems
    assert all(len(str(problem)) < 20_000 for problem in found.problems)
    assert state(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["campaign.yaml", "experiments.csv"]


@needs_timer
@pytest.mark.parametrize("which", BAD_TABLES)
def test_a_table_that_nobody_means_ends_soon(which: str, tmp_path: Path) -> None:
    folder = campaign(tmp_path, table=BAD_TABLES[which])
    with soon():
        assert check(folder).problems


@needs_timer
@pytest.mark.parametrize("cell", BAD_CELLS, ids=range(len(BAD_CELLS)))
def test_a_cell_that_nobody_means_ends_soon(cell: str) -> None:
    with soon(), suppress(AlloyloopError):
        for decimal in ".,":
            read_number(cell, decimal)


@needs_timer
def test_words_with_many_stars_are_matched_soon() -> None:
    with soon():
        assert class_finder({"x": ("*a" * 30 + "b",), "y": ("a*",)})("a" * 5000) == "y"


@pytest.mark.parametrize("name", ["campaign.yaml", "experiments.csv"])
def test_a_file_of_a_gigabyte_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    folder = campaign(tmp_path)
    with (tmp_path / name).open("r+b") as file:
        file.truncate(1_000_000_000)
    (problem,) = check(folder).problems
    assert str(problem).startswith(f"{name}: It has 1e+03 MB, and no more than")


def test_a_workbook_that_unpacks_to_a_gigabyte_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with ZipFile(tmp_path / "a.xlsx", "w", ZIP_DEFLATED) as parts, parts.open("xl/x.xml", "w") as part:
        for _ in range(600):
            part.write(bytes(1_000_000))
    with pytest.raises(
        CampaignFileError, match=r"a\.xlsx: This workbook cannot be read \(it has 600 MB when unpacked\)"
    ):
        read_sheet(tmp_path / "a.xlsx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "results.csv")
    with pytest.raises(CampaignFileError, match=r"results\.csv: A file was expected"):
        read_sheet(tmp_path / "results.csv")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("candidates: {}\n", "candidates"),
        ("melting: {{stock: {}}}\n", "melting.stock"),
        ("features: [{}]\n", "features.0"),
        ("calphad: {{database: {}, temperature_C: [600], phases: [BCC_A2]}}\n", "calphad.database"),
    ],
)
def test_what_campaign_yaml_names_never_lies_elsewhere(line: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("a,secret\n1,2\n", encoding="utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    for name in ("../elsewhere.csv", str(tmp_path / "elsewhere.csv"), "..", "linked.csv"):
        folder = campaign(inside, QUESTION + line.format(name))
        if name == "linked.csv":
            (inside / name).symlink_to(tmp_path / "elsewhere.csv")
        if key == "features.0" and name == "..":
            continue  # no table, but a formula that cannot be read
        said = " ".join(map(str, check(folder).problems))
        assert key in said
        assert "secret" not in said


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("Ti_wt_pct,Nb_wt_pct\n60,40\n", encoding="utf-8")
    (tmp_path / "now.csv").symlink_to("new.csv")
    question = QUESTION.replace("  step: 5\n  elements: {Nb: {min: 0, max: 40}, Zr: {min: 0, max: 10}}\n", "")
    question = question.replace("Nb + Zr", "Nb") + "candidates: now.csv\n"
    folder = campaign(tmp_path, question, "id,status\n")
    assert not [problem for problem in check(folder).problems if problem.file == "campaign.yaml"]


WORDS = st.sampled_from(
    [*'\0\ufeff\r\n";,=-±<[{', "*a", "&a ", "!!binary ", ": ", "- ", "9" * 30, "nan", "1e999", "../x", "max", "Nb"]
).map(str.encode)


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> bytes:
    """A file as it should be, spoilt in a few places."""
    data = text.encode()
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(data))), draw(st.sampled_from([0, 1, 5, 30]))
        part = draw(WORDS | st.binary(max_size=3)) * draw(st.sampled_from([1, 1, 2, 40]))
        data = data[:at] + part + data[at + length :]
    return data


SPOILT = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_a_sentence(read: Callable[[], object]) -> None:
    with suppress(AlloyloopError):
        read()


@SPOILT
@given(data=spoilt(QUESTION))
def test_a_spoilt_question_brings_only_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_bytes(data)
    only_a_sentence(lambda: read_spec(tmp_path / "campaign.yaml"))
    assert (tmp_path / "campaign.yaml").read_bytes() == data


@SPOILT
@given(question=st.just(QUESTION.encode()) | spoilt(QUESTION), table=spoilt(TABLE))
def test_a_spoilt_folder_brings_only_problems(question: bytes, table: bytes, tmp_path: Path) -> None:
    check(campaign(tmp_path, question, table))
    assert (tmp_path / "experiments.csv").read_bytes() == table


@given(data=spoilt(TABLE) | spoilt(TABLE).map(lambda data: data.decode("latin-1").encode("utf-16-be")))
def test_spoilt_text_is_written_back_to_the_byte(data: bytes) -> None:
    with suppress(CampaignFileError):
        assert encode(decode(data, "a.csv")) == data


EVENT_KEYS = st.sampled_from(
    [
        "what",
        "after",
        "round",
        "change",
        "digests",
        "before",
        "results",
        "cells",
        "added",
        "columns",
        "removed",
        "id",
        "",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(EVENT_KEYS, inner, max_size=4),
    max_leaves=12,
)


@SPOILT
@given(content=st.dictionaries(EVENT_KEYS, JSON, max_size=6))
def test_an_event_that_anybody_made_up_brings_only_a_sentence(content: dict[str, object], tmp_path: Path) -> None:
    text = json.dumps(content)
    path = tmp_path / f"20260101T000000000Z-record-{sha256(text.encode()).hexdigest()[:12]}.json"
    path.write_text(text, encoding="utf-8")
    event = read_event(path)
    _ = digests_after(event), digests_before(event), event.round
    only_a_sentence(lambda: (change := change_of(event)) and change.apply(parse_sheet("id;E\nA;85,5\n")))


def test_a_column_is_found_again_under_the_name_by_which_it_is_read() -> None:
    sheet = parse_sheet("id,E\nA,61\n").with_cells({(0, "=x"): "1", (0, "\ufeffa  b"): "2"})
    assert sheet.columns == ("id", "E", "'=x", "a b")
    with pytest.raises(AlloyloopError, match="A column that is to be added has no name"):
        sheet.with_cell(0, " ", "3")
