"""The campaign folder on disk: where each file is, who may write, and rounds that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..surrogates.errors import AlloyloopError
from . import spec
from .files import write_atomically

# So that git merges the rows of two people; the journal's events are files of their own.
# Rounds and events are known by their digests, so git must not change their line ends.
GIT_ATTRIBUTES = "experiments.csv merge=union\njournal/** -text\nrounds/** -text\n"
# Seconds a second writer waits before it is told.
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Folder:
    """A campaign's files.

    Parameters
    ----------
    path : the folder
    """

    path: Path

    @property
    def question(self) -> Path:
        """campaign.yaml."""
        return self.path / spec.FILE

    @property
    def experiments(self) -> Path:
        """experiments.csv."""
        return self.path / "experiments.csv"

    @property
    def journal(self) -> Path:
        """The folder of events."""
        return self.path / "journal"

    @property
    def report(self) -> Path:
        """report.html."""
        return self.path / "report.html"

    @property
    def demo_mark(self) -> Path:
        """By this file `alloyloop demo` says that it made the folder, and may make it again."""
        return self.path / "DEMO.txt"

    @property
    def cache(self) -> Path:
        """What may be deleted at any time."""
        return self.path / ".alloyloop"

    def round(self, number: int) -> Path:
        """The folder of one round."""
        return self.path / "rounds" / f"{number:03d}"

    def checked(self) -> Folder:
        """Return this folder if it is a campaign's.

        Raises
        ------
        AlloyloopError
            where it is not there, or lacks campaign.yaml or experiments.csv
        """
        if not self.path.is_dir():
            raise AlloyloopError(f"There is no folder {self.path}", "`alloyloop new DIR --template beta-ti` makes one.")
        for file in (self.question, self.experiments):
            if not file.is_file():
                raise AlloyloopError(
                    f"{self.path} is not a campaign: it has no {file.name}",
                    "Name a campaign's folder, or make one with `alloyloop new DIR --template beta-ti`.",
                )
        return self

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder against other writers.

        Raises
        ------
        AlloyloopError
            where this is not a campaign, nothing can be written in it, or somebody else has been writing for longer
            than `PATIENCE`
        """
        self.checked()
        lock = FileLock(self.cache / "lock", timeout=PATIENCE)
        try:
            self.cache.mkdir(exist_ok=True)
            (self.cache / ".gitignore").write_text("*\n", encoding="utf-8")
            lock.acquire()
        except Timeout as error:
            raise AlloyloopError(
                f"Somebody else has been writing in {self.path} for {PATIENCE:g} s", "Try again when they are done."
            ) from error
        except OSError as error:
            raise AlloyloopError(
                f"Nothing can be written in {self.path}: {error.strerror}",
                "Check its permissions; nothing was changed.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def write_round(self, number: int, files: Mapping[str, bytes]) -> Path:
        """Write a round: all of its files appear at once, or none.

        Parameters
        ----------
        number : of the round; a folder left by a suggestion that was cut off before it was entered in experiments.csv
            is replaced
        files : content by name, such as `inputs/campaign.yaml`
        """
        final = self.round(number)
        staged = self.cache / f"round-{number:03d}"
        shutil.rmtree(staged, ignore_errors=True)
        for name, content in files.items():
            file = staged / name
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, content)
        final.parent.mkdir(exist_ok=True)
        if final.exists():
            shutil.rmtree(final)
        staged.replace(final)
        return final
