"""Reading what people save, and writing so that nothing is ever half written."""

from __future__ import annotations

import errno
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns import files
from alloyloop.campaigns.files import (
    Disk,
    TextFile,
    decode,
    encode,
    make_folder,
    put_in_place,
    read_text,
    remove,
    stage,
    staged_name,
    write_atomically,
    write_cache,
    write_new,
)
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


@pytest.mark.parametrize("step", ["create", "write", "sync", "rename"])
@pytest.mark.parametrize("write", [write_atomically, stage], ids=["at once", "beside it"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    write: Callable[[Path, bytes], object], step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "experiments.csv"
    path.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Disk, step, fail)
    if write is stage and step == "rename":
        write(path, b"new")  # which is not part of it
        path.with_name(".experiments.csv.staged").unlink()
    else:
        with pytest.raises(CampaignFileError, match=r"experiments\.csv: The disk is full"):
            write(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (errno.EDQUOT, "The disk is full. Make room and try again"),
        (errno.EROFS, "It is on a read-only disk. Copy the campaign to a folder that may be written in"),
        (errno.EACCES, "It cannot be written. Close it in the spreadsheet"),
        (errno.EIO, "It cannot be written: Input/output error. Try again"),
    ],
)
def test_whatever_the_system_says_becomes_a_sentence(
    error: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(Disk, "create", fail)
    with pytest.raises(CampaignFileError, match=says):
        write_new(tmp_path / "a.csv", b"new")


def test_a_drive_that_knows_no_fsync_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", unknown)
    write_atomically(tmp_path / "a.csv", "new")
    assert (tmp_path / "a.csv").read_text() == "new"


def test_what_is_staged_waits_beside_the_file_and_takes_its_place_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "experiments.csv"
    path.write_text("old")
    stage(path, b"never mind")
    staged = stage(path, b"new")
    assert (path.read_text(), staged.read_text(), staged) == ("old", "new", staged_name(path))
    put_in_place(staged, path)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@needs_posix
def test_what_is_staged_for_a_link_waits_beside_what_the_link_stands_for(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "table.csv").write_text("old")
    link = tmp_path / "experiments.csv"
    link.symlink_to(tmp_path / "drive" / "table.csv")
    put_in_place(stage(link, b"new"), link)
    assert link.is_symlink()
    assert (tmp_path / "drive" / "table.csv").read_text() == "new"


def test_a_file_that_may_not_be_written_is_found_out_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "experiments.csv"
    path.write_text("old")
    real = os.open

    def held_open(file: Path, flags: int, *mode: int) -> int:
        if Path(file) == path and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(file, flags, *mode)

    monkeypatch.setattr(os, "open", held_open)
    with pytest.raises(CampaignFileError, match="Close it in the spreadsheet that may hold it open"):
        stage(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_and_deleted_with_all_that_is_in_them(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    write_new(tmp_path / "a" / "b" / "c.txt", b"")
    remove(tmp_path / "a")
    remove(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_writer_made_meanwhile_is_as_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Disk.make_folder

    def after_another(disk: Disk, path: Path) -> None:
        path.mkdir()
        make(disk, path)

    monkeypatch.setattr(Disk, "make_folder", after_another)
    make_folder(tmp_path / "a")
    assert (tmp_path / "a").is_dir()


def test_a_file_where_a_folder_is_to_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(CampaignFileError, match="a: It cannot be made: File exists"):
        make_folder(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"


@needs_posix
def test_a_link_to_a_folder_is_deleted_and_not_what_it_stands_for(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mine.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    remove(tmp_path / "link")
    assert [path.name for path in tmp_path.rglob("*")] == ["real", "mine.txt"]


@pytest.mark.parametrize("step", ["make_folder", "create", "write", "rename"])
def test_a_cache_that_cannot_be_kept_is_nobodys_affair(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Disk, step, fail)
    write_cache(tmp_path / "cache" / "heads.json", b"{}")
    assert not (tmp_path / "cache" / "heads.json").exists()


def test_every_write_goes_through_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoDisk(Disk):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    monkeypatch.setattr(files, "DISK", NoDisk())
    for write in (write_atomically, write_new, write_cache):
        with pytest.raises(AssertionError, match="create"):
            write(tmp_path / "a.csv", b"")
    assert list(tmp_path.iterdir()) == []


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

    monkeypatch.setattr(Disk, "rename", refuse)
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
