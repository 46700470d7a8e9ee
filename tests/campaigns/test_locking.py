"""One writer at a time: the others wait in line, are told whom they wait for, and never wait for the dead."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from filelock import FileLock

from alloyloop.campaigns import locking
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.locking import Owner
from alloyloop.surrogates.errors import AlloyloopError

from .folders import make

NOBODY = 2**22 + 1  # above the largest process number of Linux


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(make(tmp_path / "ti"))


def noted(folder: Folder, owner: Owner) -> None:
    (folder.cache / "writer.json").write_text(json.dumps(asdict(owner)), encoding="utf-8")


def test_whoever_writes_says_who_he_is_and_since_when(folder: Folder) -> None:
    with folder.writing("suggest"):
        owner = Owner.noted(folder.cache / "writer.json")
        assert owner is not None
        assert (owner.host, owner.pid, owner.verb) == (socket.gethostname(), os.getpid(), "suggest")
        assert 0 <= owner.age() < 60
        assert not owner.is_gone()
    assert Owner.noted(folder.cache / "writer.json") is None


def test_a_second_writer_is_told_whom_it_waited_for(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locking, "SILENCE", 0.0)
    monkeypatch.setattr(locking, "PATIENCE", 0.1)
    me = f"{locking.user()} on {socket.gethostname()}"
    with (
        folder.writing("suggest"),
        pytest.raises(AlloyloopError, match=rf"{me} \(`suggest`, process {os.getpid()}\) has been writing in .* for"),
        Folder(folder.path).writing("record"),
    ):
        raise AssertionError
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"alloyloop: waiting for {me} (`suggest`, process {os.getpid()}), for ")


def test_nobody_gives_up_while_one_after_the_other_is_served(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.5)
    waiting = threading.Event()

    def write() -> None:
        with Folder(folder.path).writing():
            waiting.set()

    with folder.writing():
        other = threading.Thread(target=write)
        other.start()
        for pid in range(10):  # ten others, a tenth of a second each
            noted(folder, replace(Owner.myself("record"), pid=NOBODY + pid))
            time.sleep(0.1)
        assert other.is_alive()
    other.join()
    assert waiting.is_set()


def test_a_short_wait_is_silent(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    done = threading.Event()

    def hold() -> None:
        with folder.writing():
            done.set()
            time.sleep(0.1)

    other = threading.Thread(target=hold)
    other.start()
    done.wait()
    with Folder(folder.path).writing():
        other.join()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pid": NOBODY}, "That process is gone, but the system keeps its lock"),
        (
            {"host": "elsewhere", "since": "2020-01-01T00:00:00+00:00"},
            "If nothing of alloyloop runs on elsewhere any",
        ),
        ({"host": "elsewhere"}, "Try again when they are done. Nothing was changed"),
    ],
    ids=["dead", "old and elsewhere", "elsewhere"],
)
def test_what_to_do_depends_on_who_it_is(
    changes: dict[str, object], says: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "pid" in changes and sys.platform == "win32":
        pytest.skip("of a process nothing is known on Windows")
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with folder.writing():
        noted(folder, replace(Owner.myself("record"), **changes))  # type: ignore[arg-type]  # whichever it is
        with pytest.raises(AlloyloopError, match=says), Folder(folder.path).writing():
            raise AssertionError


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"user": "a", "host": "b", "pid": 1, "verb": "c", "since": "noon"}'])
def test_a_note_that_says_nothing_is_somebody_elses(note: str, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with folder.writing():
        (folder.cache / "writer.json").write_text(note, encoding="utf-8")
        with pytest.raises(AlloyloopError, match="Somebody else has been writing in"), Folder(folder.path).writing():
            raise AssertionError


def test_the_note_of_a_writer_that_was_killed_holds_nobody_up(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with folder.writing():
        pass
    noted(folder, replace(Owner.myself("suggest"), pid=NOBODY))
    with folder.writing("record"):
        owner = Owner.noted(folder.cache / "writer.json")
        assert owner is not None
        assert owner.verb == "record"


KILLED = """
import os, signal, sys
from pathlib import Path
from alloyloop.campaigns.folder import Folder
with Folder(Path(sys.argv[1])).writing("suggest"):
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_a_lock_ends_with_its_process(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == b"writing"
        monkeypatch.setattr(locking, "PATIENCE", 0.05)
        with pytest.raises(AlloyloopError, match=f"process {running.pid}"), folder.writing():
            raise AssertionError
        running.kill()
        running.wait()
    with folder.writing():
        pass


def test_the_folder_is_free_again_after_a_writer_failed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with pytest.raises(ZeroDivisionError), folder.writing():
        raise ZeroDivisionError
    with folder.writing():
        assert (folder.cache / "lock").exists()


def test_where_the_drive_knows_no_locks_a_file_holds_others_off(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "_acquire", unknown)
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with folder.writing():
        assert (folder.cache / "lock.soft").exists()
        with pytest.raises(AlloyloopError, match="has been writing"), Folder(folder.path).writing():
            raise AssertionError
    assert not (folder.cache / "lock.soft").exists()
    with folder.writing():
        pass


def test_whoever_comes_again_stands_behind_those_that_wait(folder: Folder) -> None:
    """Of two that write again and again, neither waits for more than a few turns of the other."""
    turns: list[str] = []
    together = threading.Barrier(2)

    def write(name: str) -> None:
        together.wait()
        for _ in range(8):
            with Folder(folder.path).writing():
                turns.append(name)
                time.sleep(0.1)  # some looks at the lock

    others = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert max(turns.index("a"), turns.index("b")) <= 2
