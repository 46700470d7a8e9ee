"""The campaign folder: one writer at a time, rounds whole or not at all, plain words where nothing can be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from alloyloop.campaigns import folder as folder_module
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.files import write_atomically
from alloyloop.campaigns.folder import Folder
from alloyloop.surrogates.errors import AlloyloopError

from .folders import contents, make

ROUND = {"inputs/campaign.yaml": b"question", "decision.json": b"{}"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(make(tmp_path / "ti"))


def test_a_new_campaign_is_the_template_its_git_attributes_and_one_event(tmp_path: Path) -> None:
    Campaign.new(tmp_path / "ti", "beta-ti")
    names = set(contents(tmp_path / "ti"))
    assert {"campaign.yaml", "experiments.csv", "README.md", ".gitattributes"} < names
    (event,) = names - {"campaign.yaml", "experiments.csv", "README.md", ".gitattributes"}
    assert event.startswith("journal/")


def test_git_joins_rows_and_leaves_what_has_a_digest_as_it_is(tmp_path: Path) -> None:
    Campaign.new(tmp_path / "ti", "beta-ti")
    attributes = (tmp_path / "ti" / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert attributes == ["experiments.csv merge=union", "journal/** -text", "rounds/** -text"]


@pytest.mark.parametrize("is_file", [True, False], ids=["a file", "a folder with something in it"])
def test_a_new_campaign_takes_no_place_that_is_taken(is_file: bool, tmp_path: Path) -> None:
    if is_file:
        (tmp_path / "ti").write_text("mine", encoding="utf-8")
    else:
        (tmp_path / "ti").mkdir()
        (tmp_path / "ti" / "notes.txt").write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(AlloyloopError, match="is there already"):
        Campaign.new(tmp_path / "ti")
    assert contents(tmp_path) == before


def test_a_place_below_a_file_cannot_be_made_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AlloyloopError, match="cannot be made"):
        Campaign.new(tmp_path / "file" / "ti")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="There is no folder"), Folder(tmp_path / "none").writing():
        raise AssertionError


@pytest.mark.parametrize("missing", ["campaign.yaml", "experiments.csv"])
def test_a_folder_that_is_not_a_campaign_is_said_and_nothing_is_put_into_it(missing: str, folder: Folder) -> None:
    (folder.path / missing).unlink()
    with pytest.raises(AlloyloopError, match=f"is not a campaign: it has no {missing}"), folder.writing():
        raise AssertionError
    assert not folder.cache.exists()


def test_a_second_writer_waits_and_is_then_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "PATIENCE", 0.05)
    with (
        folder.writing(),
        pytest.raises(AlloyloopError, match="Somebody else has been writing"),
        Folder(folder.path).writing(),
    ):
        raise AssertionError


def test_the_folder_is_free_again_after_a_writer_failed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "PATIENCE", 0.05)
    with pytest.raises(ZeroDivisionError), folder.writing():
        raise ZeroDivisionError
    with folder.writing():
        assert (folder.cache / "lock").exists()


def test_a_folder_that_cannot_be_written_is_said_and_stays_as_it_was(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(lock: FileLock) -> None:
        raise PermissionError(13, "Permission denied")

    before = contents(folder.path)
    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(AlloyloopError, match=r"Nothing can be written in .*: Permission denied"), folder.writing():
        raise AssertionError
    assert contents(folder.path) == before


def test_a_round_appears_with_all_of_its_files(folder: Folder) -> None:
    with folder.writing():
        folder.write_round(3, ROUND)
    assert contents(folder.path / "rounds") == {f"003/{name}": content for name, content in ROUND.items()}


@pytest.mark.parametrize("at", range(len(ROUND)))
def test_a_crash_while_a_round_is_written_leaves_no_round(
    at: int, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def crash(path: Path, content: bytes) -> None:
        if len(written) == at:
            raise KeyboardInterrupt
        written.append(path)
        write_atomically(path, content)

    before = contents(folder.path)
    monkeypatch.setattr("alloyloop.campaigns.folder.write_atomically", crash)
    with pytest.raises(KeyboardInterrupt), folder.writing():
        folder.write_round(1, ROUND)
    assert contents(folder.path) == before
    assert not folder.round(1).exists()

    monkeypatch.undo()  # and what the crash left behind is not in the way
    with folder.writing():
        folder.write_round(1, {"decision.json": b"second"})
    assert contents(folder.round(1)) == {"decision.json": b"second"}
