"""Kill `record` and `suggest` at every call that writes, fill their disk, and look whether anything was lost.

    python benchmarks/kills.py                 # some 2 500 real kills (SIGKILL), a quarter of an hour on two cores
    python benchmarks/kills.py --quick         # every call once, two minutes

Each kill is a process of its own, forked from this one, that kills itself at one call of `files.DISK`; `crashes.py`
says which campaigns, which deeds, and what is looked for afterwards. The search of `suggest` is left out: what it
writes is written all the same. Where `strace` is installed the command line is killed at its system calls as well, and
where a small tmpfs can be mounted, a disk that is really full is written to. Needs a system that forks.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from crashes import (
    DEEDS,
    CurrentlessDisk,
    Deed,
    DyingDisk,
    FullDisk,
    RefusingDisk,
    States,
    judged,
    on,
    outcome_of,
    quick_suggestion,
    states,
)
from reference_space import ran_on

from alloyloop.campaigns import suggesting
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.files import Disk

TWICE = 150  # kills of a deed whose next writer is killed as well
SYSTEM_CALLS = ("write", "fsync", "rename", "mkdir", "unlink", "openat")
TMPFS_KIB = 1024


@dataclass
class Found:
    """What came of one kind of cut.

    Parameters
    ----------
    cuts : how many
    old, new : how many left the campaign as it was, and as it should be
    wrong : what was wrong, and how often
    """

    cuts: int = 0
    old: int = 0
    new: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


def killed(act: Callable[[], object], disk: Disk) -> bool:
    """Do something in a process of its own, on a disk that may end it; whether it was ended by SIGKILL."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with on(disk):
                act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def myself() -> None:
    """Kill this process."""
    os.kill(os.getpid(), signal.SIGKILL)


class Bench:
    """Prepared campaigns, and the cuts that are made in copies of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: dict[str, Found] = {}
        self.known: dict[str, States] = {}
        for i, deed in enumerate(DEEDS):
            deed.prepare(self.base(i))
            self.known[deed.name] = states(deed, self.base(i), folder / "once")

    def base(self, i: int) -> Path:
        """The prepared campaign of one deed."""
        return self.folder / f"prepared-{i}"

    @contextmanager
    def copy(self, i: int, place: Path | None = None) -> Iterator[Path]:
        """A copy of it."""
        path = (place or self.folder) / "cut"
        shutil.copytree(self.base(i), path)
        try:
            yield path
        finally:
            shutil.rmtree(path)

    def look(self, kind: str, deed: Deed, folder: Path, outcome: str) -> None:
        """Judge one cut."""
        found, known = self.found.setdefault(kind, Found()), self.known[deed.name]
        found.cuts += 1
        found.new += (folder / "experiments.csv").read_bytes() == known.new_bytes
        found.old += (folder / "experiments.csv").read_bytes() == known.old_bytes
        for problem in judged(folder, deed, known, outcome):
            found.wrong[f"{deed.name}: {problem}"] += 1

    def kill_once(self, kind: type[DyingDisk], hows: tuple[str, ...], name: str) -> None:
        """At every call of every deed."""
        for i, deed in enumerate(DEEDS):
            for at, call in enumerate(self.known[deed.name].calls, 1):
                for how in hows:
                    if how == "within" and call != "write":
                        continue
                    with self.copy(i) as folder:
                        campaign = Campaign(folder)
                        if killed(partial(deed.act, campaign), kind(at, how, myself)):
                            self.look(name, deed, folder, "killed")

    def kill_twice(self, times: int) -> None:
        """A deed, and then whoever comes next, at calls drawn by lot."""
        rng = random.Random(0)
        for i, deed in enumerate(DEEDS):
            n_calls = len(self.known[deed.name].calls)
            for _ in range(times):
                with self.copy(i) as folder:
                    campaign = Campaign(folder)
                    first = DyingDisk(rng.randint(1, n_calls), rng.choice(("before", "after")), myself)
                    second = DyingDisk(rng.randint(1, 30), rng.choice(("before", "after")), myself)
                    killed(partial(deed.act, campaign), first)
                    # It writes nothing of its own: what is wrong with it is found once all was finished.
                    if killed(partial(campaign.record, "A", "no such column=1"), second):
                        self.look("the next writer killed too", deed, folder, "killed")
                    else:
                        self.look("the next writer refused", deed, folder, "killed")

    def fill(self) -> None:
        """From every call on the disk is full; and every call fails once."""
        for i, deed in enumerate(DEEDS):
            for at in range(1, len(self.known[deed.name].calls) + 1):
                for name, disk in (
                    ("full disk", FullDisk(at)),
                    ("over quota", FullDisk(at, errno.EDQUOT)),
                    ("one call fails", RefusingDisk(at)),
                ):
                    with self.copy(i) as folder:
                        self.look(name, deed, folder, outcome_of(deed, folder, disk))

    def fill_for_real(self) -> str:
        """A tmpfs with less and less room; empty where it was done, else why not."""
        place = self.folder / "tmpfs"
        place.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_KIB}k", "tmpfs", str(place)], capture_output=True, check=False
        )
        if mounted.returncode:
            return mounted.stderr.decode().strip() or "it cannot be mounted"
        try:
            for i, deed in enumerate(DEEDS):
                for room in range(0, 132, 4):
                    with self.copy(i, place) as folder:
                        ballast = place / "ballast"
                        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize // 1024
                        ballast.write_bytes(b"\0" * 1024 * max(0, free - room))
                        outcome = outcome_of(deed, folder, Disk())
                        ballast.unlink()
                        self.look("tmpfs that is full", deed, folder, outcome)
        finally:
            subprocess.run(["umount", str(place)], check=True)
        return ""

    def kill_by_strace(self) -> str:
        """The command line, by the system, at its own calls; empty where it was done, else why not."""
        if shutil.which("strace") is None:
            return "strace is not installed"
        deed, i = next((deed, i) for i, deed in enumerate(DEEDS) if deed.name == "record one result")
        words = ["record", "R001-2", "youngs_modulus_GPa=58.2,59.1", "note=soft"]
        for call in SYSTEM_CALLS:
            with self.copy(i) as folder:
                total = _calls(call, folder, words)
            # Most files that are opened are Python's own, before anything is written.
            for when in range(max(1, total - 40), total + 1):
                with self.copy(i) as folder:
                    if _strace(folder, words, f"inject={call}:signal=KILL:when={when}").returncode != 0:
                        self.look("the command line, by strace", deed, folder, "killed")
        return ""


def _strace(folder: Path, words: list[str], *expressions: str) -> subprocess.CompletedProcess[str]:
    options = [part for expression in expressions for part in ("-e", expression)]
    code = "import sys; from alloyloop.campaigns.cli import main; main()"
    command = ["strace", "-f", "-qq", *options, sys.executable, "-B", "-c", code, words[0], str(folder), *words[1:]]
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)


def _calls(call: str, folder: Path, words: list[str]) -> int:
    """How often the command line makes a system call."""
    return sum(f"{call}(" in line for line in _strace(folder, words, f"trace={call}").stderr.splitlines())


def main() -> None:
    """Print the table."""
    quick = "--quick" in sys.argv[1:]
    began = time.monotonic()
    suggesting.suggest = quick_suggestion
    with TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary))
        bench.kill_once(DyingDisk, ("before",) if quick else ("before", "within", "after"), "killed")
        bench.kill_once(CurrentlessDisk, ("before",) if quick else ("before", "after"), "killed, unsynced writes lost")
        left_out = []
        if not quick:
            bench.kill_twice(TWICE)
            left_out.append(("tmpfs that is full", bench.fill_for_real()))
            left_out.append(("the command line, by strace", bench.kill_by_strace()))
        bench.fill()
    print(ran_on())
    calls = {deed.name: len(bench.known[deed.name].calls) for deed in DEEDS}
    told = "; ".join(f"{name} {n}" for name, n in calls.items())
    print(f"{len(DEEDS)} deeds, {sum(calls.values())} calls that write: {told}")
    print(f"\n{'cut short by':34} {'times':>6} {'old':>6} {'new':>6} {'between':>8} {'wrong':>6}")
    for kind, found in bench.found.items():
        between = found.cuts - found.old - found.new
        print(f"{kind:34} {found.cuts:6} {found.old:6} {found.new:6} {between:8} {found.wrong.total():6}")
    total = sum(found.cuts for found in bench.found.values())
    print(f"{'all':34} {total:6} {'':6} {'':6} {'':8} {sum(f.wrong.total() for f in bench.found.values()):6}")
    for kind, found in bench.found.items():
        for problem, times in found.wrong.most_common():
            print(f"{kind}: {problem} ({times})")
    for kind, why in left_out:
        if why:
            print(f"{kind}: left out, {why}")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
