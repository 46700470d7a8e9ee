"""Reading what people save, and writing so that nothing is ever half written."""

from __future__ import annotations

import errno
import os
import pickle
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.files import TextFile, decode, encode, read_text, write_atomically
from alloyloop.campaigns.problems import CampaignFileError, Problem

needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither such permissions nor links for all"
)


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom"),
    [
        ("β-Ti".encode(), "β-Ti", "utf-8", False),
        (b"\xef\xbb\xbf" + "β-Ti".encode(), "β-Ti", "utf-8", True),
        (b"\xff\xfe" + "β-Ti".encode("utf-16-le"), "β-Ti", "utf-16-le", True),
        (b"\xfe\xff" + "β-Ti".encode("utf-16-be"), "β-Ti", "utf-16-be", True),
        ("id,E\nA,61".encode("utf-16-le"), "id,E\nA,61", "utf-16-le", False),
        ("id,E\nA,61".encode("utf-16-be"), "id,E\nA,61", "utf-16-be", False),
        ("900 °C ± 5".encode("cp1252"), "900 °C ± 5", "cp1252", False),
        (b"\x81\xb0", "\x81°", "latin-1", False),  # 0x81 means nothing in cp1252
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16-le", "utf-16-be", "utf-16-le bare", "utf-16-be bare", "cp1252", "latin-1"],
)
def test_every_encoding_a_spreadsheet_saves_is_read(data: bytes, text: str, encoding: str, bom: bool) -> None:
    file = decode(data, "a.csv")
    assert (file.text, file.encoding, file.bom) == (text, encoding, bom)
    assert encode(file) == data


def test_a_guessed_encoding_is_said() -> None:
    assert decode(b"id,E", "a.csv").remarks == ()
    (remark,) = decode("°".encode("cp1252"), "a.csv").remarks
    assert "a.csv is not UTF-8" in remark


def test_zero_bytes_are_not_text() -> None:
    with pytest.raises(CampaignFileError, match=r"a\.csv: This is not a text file: byte 3 is zero"):
        decode(b"id\0,E\n", "a.csv")


def test_a_letter_that_the_old_encoding_lacks_makes_the_file_utf_8() -> None:
    assert encode(TextFile("β", "cp1252")) == b"\xef\xbb\xbf" + "β".encode()


@given(st.binary(max_size=200))
def test_whatever_can_be_read_is_written_back_byte_for_byte(data: bytes) -> None:
    try:
        file = decode(data, "a.csv")
    except CampaignFileError:
        return
    assert encode(file) == data


def test_a_missing_file_and_a_folder_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match=r"nowhere\.csv: There is no such file"):
        read_text(tmp_path / "nowhere.csv")
    with pytest.raises(CampaignFileError, match="A file was expected"):
        read_text(tmp_path)
    with pytest.raises(CampaignFileError, match="Its folder does not exist"):
        write_atomically(tmp_path / "nowhere" / "a.csv", "id\n")


def test_text_is_written_as_it_is_line_ends_included(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.csv", "id\r\nβ\n")
    assert (tmp_path / "a.csv").read_bytes() == b"id\r\n\xce\xb2\n"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "experiments.csv"
    path.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(CampaignFileError, match=r"experiments\.csv: The disk is full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_is_interrupted_leaves_nothing_beside_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.csv", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_a_spreadsheet_holds_open_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(CampaignFileError, match="Close it in the spreadsheet that may hold it open"):
        write_atomically(tmp_path / "a.csv", "new")


@needs_posix
def test_a_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "a.csv", tmp_path / "link.csv"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_problem_of_a_table_has_a_row_and_one_of_another_file_a_line() -> None:
    assert Problem("experiments.csv", 3, "E", "It is wrong").place == "experiments.csv, row 3, column E"
    assert (
        Problem("campaign.yaml", 5, "elements.Zr.max", "It is wrong").place == "campaign.yaml, line 5, elements.Zr.max"
    )


def test_an_error_of_many_problems_shows_the_first_and_counts_the_others() -> None:
    problems = [Problem("a.csv", row, "E", "It is wrong", "Correct it.") for row in (2, 3, 4)]
    error = CampaignFileError(problems)
    assert str(error).startswith("a.csv, row 2, column E: It is wrong. Correct it. (And 2 more mistakes")
    assert error.problems == tuple(problems)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems
