"""The campaign folder: rounds whole or not at all, and plain words where nothing can be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.files import Disk, remove, write_new
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
    assert attributes == ["* -text", "experiments.csv merge=union"]


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


def test_a_folder_that_cannot_be_written_is_said_and_stays_as_it_was(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    before = contents(folder.path)
    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(AlloyloopError, match=r"Nothing can be written in .*: Permission denied"), folder.writing():
        raise AssertionError
    assert contents(folder.path) == before


def test_a_read_only_disk_is_said_and_every_question_is_answered_on_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    campaign = Campaign(folder.path)
    campaign.record("A", "youngs_modulus_GPa=84")
    remove(folder.cache)
    before = contents(folder.path)
    for call in ("create", "write", "sync", "rename", "make_folder", "unlink", "remove_folder"):
        monkeypatch.setattr(Disk, call, refuse)
    with pytest.raises(AlloyloopError, match=r"Nothing can be written in .*: It is on a read-only disk"):
        campaign.record("A", "youngs_modulus_GPa=85")
    assert campaign.check()[0] == ()
    assert campaign.status().rounds == 0
    assert campaign.snapshot().table.values("youngs_modulus_GPa")[0] == 84
    assert contents(folder.path) == before
    assert not folder.cache.exists()


def test_a_round_appears_with_all_of_its_files(folder: Folder) -> None:
    with folder.writing():
        folder.stage_round(3, ROUND)
        assert not folder.round(3).exists()
        folder.put_round(3)
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
        write_new(path, content)

    before = contents(folder.path)
    monkeypatch.setattr("alloyloop.campaigns.folder.write_new", crash)
    with pytest.raises(KeyboardInterrupt), folder.writing():
        folder.stage_round(1, ROUND)
    assert contents(folder.path) == before
    assert not folder.round(1).exists()

    monkeypatch.undo()  # and what the crash left behind is not in the way
    with folder.writing():
        folder.stage_round(1, {"decision.json": b"second"})
        folder.put_round(1)
    assert contents(folder.round(1)) == {"decision.json": b"second"}


def test_a_round_that_was_left_by_a_suggestion_that_was_cut_off_is_replaced_whole(folder: Folder) -> None:
    with folder.writing():
        folder.stage_round(1, ROUND)
        folder.put_round(1)
        folder.stage_round(1, {"decision.json": b"second"})
        folder.put_round(1)
    assert contents(folder.round(1)) == {"decision.json": b"second"}


def test_what_a_killed_writer_left_in_the_cache_goes_with_the_next(folder: Folder) -> None:
    with folder.writing():
        pass
    (folder.cache / "heads.json.4711.tmp").write_text("half of", encoding="utf-8")
    with folder.writing():
        assert not list(folder.cache.glob("*.tmp"))


def test_no_file_has_a_name_that_windows_does_not_know(folder: Folder) -> None:
    campaign = Campaign(folder.path)
    campaign.record("A", "youngs_modulus_GPa=84")
    with folder.writing():
        folder.stage_round(1, ROUND)
        folder.put_round(1)
    for path in folder.path.rglob("*"):  # the signs that Microsoft's "Naming Files" reserves, and an end in "." or " "
        assert not set(path.name) & set('<>:"/\\|?*'), path.name
        assert path.name[-1] not in ". "
