"""The campaign folder on disk: where each file is, who may write, and rounds that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..surrogates.errors import AlloyloopError
from . import spec
from .files import make_folder, put_in_place, remove, sync_folder, write_cache, write_new
from .locking import held
from .problems import CampaignFileError

# So that git merges the rows of two people; the journal's events are files of their own.
# All files are known by their digests, so git must not change their line ends.
GIT_ATTRIBUTES = "* -text\nexperiments.csv merge=union\n"


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

    @property
    def heads(self) -> Path:
        """Where the journal stands, so that nobody has to read all of it."""
        return self.cache / "heads.json"

    @property
    def left(self) -> Path:
        """A copy of experiments.csv as the last event left it, to tell what was edited by hand since."""
        return self.cache / "experiments.csv"

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
    def writing(self, verb: str = "write") -> Iterator[None]:
        """Hold the folder against other writers; `verb` is what they are told of this one.

        Raises
        ------
        AlloyloopError
            where this is not a campaign, nothing can be written in it, or somebody else is writing for too long
        """
        self.checked()
        with ExitStack() as holding:
            try:
                make_folder(self.cache)
                if not (self.cache / ".gitignore").exists():
                    write_cache(self.cache / ".gitignore", b"*\n")
                holding.enter_context(held(self.path, self.cache, verb))
                for left in self.cache.glob("*.tmp"):  # by somebody who was killed
                    remove(left)
            except CampaignFileError as error:
                raise self._cannot_be_written(error.problem) from error
            except OSError as error:
                raise self._cannot_be_written(error.strerror or str(error)) from error
            yield

    def _cannot_be_written(self, why: str) -> AlloyloopError:
        return AlloyloopError(
            f"Nothing can be written in {self.path}: {why}", "Check its permissions; nothing was changed."
        )

    def staged_round(self, number: int) -> Path:
        """Where a round is made ready."""
        return self.cache / f"round-{number:03d}"

    def stage_round(self, number: int, files: Mapping[str, bytes]) -> None:
        """Write a round where nobody sees it yet, whole and lasting.

        Parameters
        ----------
        number : of the round
        files : content by name, such as `inputs/campaign.yaml`
        """
        staged = self.staged_round(number)
        remove(staged)
        for name, content in files.items():
            make_folder((staged / name).parent)
            write_new(staged / name, content)
        for folder in dict.fromkeys((staged / name).parent for name in files):
            sync_folder(folder)

    def put_round(self, number: int) -> None:
        """Let a staged round appear: all of its files at once, or none.

        A folder left by a suggestion that was cut off before it came into the journal is replaced.
        """
        final = self.round(number)
        make_folder(final.parent)
        remove(final)
        put_in_place(self.staged_round(number), final)
