"""One writer at a time, who says who he is: the others wait in line, and are told whom they wait for."""

from __future__ import annotations

import errno
import getpass
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from ..surrogates.errors import AlloyloopError
from .files import remove, write_cache

# Seconds a second writer waits in silence, and after which it gives up on one that does not end.
SILENCE, PATIENCE = 3.0, 60.0
# Seconds between two looks at a lock.
_POLL = 0.03
# Hours after which a writer on another machine is thought to have been cut off.
_OLD = 6.0
# What network drives answer that know no locks.
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


def user() -> str:
    """The name of whoever runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in a container, or on Windows
        return "unknown"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a folder.

    Parameters
    ----------
    user, host, pid : of the process
    verb : what it does, such as `suggest`
    since : when it began, in UTC
    """

    user: str
    host: str
    pid: int
    verb: str
    since: str

    @classmethod
    def myself(cls, verb: str) -> Owner:
        """This process, from now on."""
        return cls(user(), socket.gethostname(), os.getpid(), verb, datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def noted(cls, note: Path) -> Owner | None:
        """Whoever a note names; None where there is none, or it cannot be understood."""
        try:
            said = json.loads(note.read_text(encoding="utf-8"))
            owner = cls(str(said["user"]), str(said["host"]), int(said["pid"]), str(said["verb"]), str(said["since"]))
            owner.age()  # can be told
            return owner
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def age(self) -> float:
        """For how long, in seconds; 0 where its clock is ahead of ours."""
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(self.since)).total_seconds())

    def is_gone(self) -> bool:
        """Whether the process is known to have ended; of other machines, and on Windows, that is not known."""
        if self.host != socket.gethostname() or sys.platform == "win32":  # there, asking would end it
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            return False
        return False

    def words(self) -> str:
        """Who it is and what it does.

        >>> Owner("ann", "lab-pc", 4711, "suggest", "2026-07-01T12:00:00+00:00").words()
        'ann on lab-pc (`suggest`, process 4711)'
        """
        return f"{self.user} on {self.host} (`{self.verb}`, process {self.pid})"


@contextmanager
def held(folder: Path, cache: Path, verb: str) -> Iterator[None]:
    """Hold a campaign's folder against other writers.

    Whoever waits stands in line: a writer that is done and comes again goes behind those that are waiting.

    Parameters
    ----------
    folder, cache : the campaign's, and where its locks are
    verb : what is being done, for those who wait

    Raises
    ------
    AlloyloopError
        where one and the same writer has been at it for longer than `PATIENCE`
    OSError
        where nothing can be written in it
    """
    note, told = cache / "writer.json", False
    began = changed = time.monotonic()
    owner: Owner | None = None

    def wait() -> None:
        nonlocal told, changed, owner
        now = time.monotonic()
        if (current := Owner.noted(note)) != owner:  # others wait in line as well, and one after the other is served
            owner, changed = current, now
        if now - changed > PATIENCE:
            raise _told(folder, cache, owner)
        if now - began > SILENCE and not told:
            told = True
            who = "somebody else" if owner is None else f"{owner.words()}, for {_time(owner.age())} so far,"
            sys.stderr.write(f"alloyloop: waiting for {who} to finish writing in {folder} …\n")
        time.sleep(_POLL)

    with ExitStack() as locks:
        with ExitStack() as line:
            line.callback(_acquired(cache / "line", wait).release)
            locks.callback(_acquired(cache / "lock", wait).release)
        write_cache(note, json.dumps(asdict(Owner.myself(verb))).encode())
        try:
            yield
        finally:
            with suppress(AlloyloopError):
                remove(note)


def _acquired(path: Path, wait: Callable[[], None]) -> BaseFileLock:
    """A lock of the system, which ends with its process; where the drive knows none, a file, which filelock watches."""
    kind: Callable[[Path], BaseFileLock] = FileLock
    while True:
        lock = kind(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            wait()
        except (OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
                raise
            if kind is SoftFileLock:
                raise
            kind, path = SoftFileLock, path.with_name(f"{path.name}.soft")
        else:
            return lock


def _told(folder: Path, cache: Path, owner: Owner | None) -> AlloyloopError:
    """What to say to somebody who has waited for long enough."""
    if owner is None:
        return AlloyloopError(
            f"Somebody else has been writing in {folder} for {PATIENCE:g} s", "Try again when they are done."
        )
    problem = f"{owner.words()} has been writing in {folder} for {_time(owner.age())}"
    if owner.is_gone():
        remedy = f"That process is gone, but the system keeps its lock: wait a minute, or delete {cache}."
    elif owner.host != socket.gethostname() and owner.age() > _OLD * 3600:
        remedy = f"If nothing of alloyloop runs on {owner.host} any more, delete {cache}; else try again later."
    else:
        remedy = "Try again when they are done."
    return AlloyloopError(problem, f"{remedy} Nothing was changed.")


def _time(seconds: float) -> str:
    """A time in words.

    >>> _time(34), _time(600), _time(20000)
    ('34 s', '10 min', '5.6 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
