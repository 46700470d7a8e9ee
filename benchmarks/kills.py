"""Kill what writes at every call that writes, fill its disk, and look whether anything was lost.

    python benchmarks/kills.py                 # some 2 500 real kills (SIGKILL), four minutes on two quiet cores
    python benchmarks/kills.py --quick         # every call once

`record`, `suggest`, `undo` and `withdraw` are killed. Each kill is a process of its own, forked from this one, that
kills itself at one call of `files.DISK`; `crashes.py` says which campaigns, which deeds, and what is looked for
afterwards. The search of `suggest` is left out: what it writes is written all the same. Where `strace` is installed the
command line is killed at its system calls as well, and where a small tmpfs can be mounted, a disk that is really full
is written to. Needs a system that forks.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
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

WORKERS = os.cpu_count()
TWICE = 130  # kills of a deed whose next writer is killed as well
CALLS_TO_FINISH = 12  # of a writer that only finishes what was cut off
BY_STRACE, LAST_CALLS = "record one result", 24
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

    def add(self, other: Found) -> None:
        """Count other cuts as well."""
        self.cuts, self.old, self.new = self.cuts + other.cuts, self.old + other.old, self.new + other.new
        self.wrong += other.wrong

    def line(self, kind: str) -> str:
        """A row of the table."""
        between = self.cuts - self.old - self.new
        return f"{kind:34} {self.cuts:6} {self.old:6} {self.new:6} {between:8} {self.wrong.total():6}"


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
    """A prepared campaign, and the cuts that are made in copies of it."""

    def __init__(self, folder: Path, deed: Deed) -> None:
        self.folder, self.deed, self.base = folder, deed, folder / "prepared"
        deed.prepare(self.base)
        self.known: States = states(deed, self.base, folder / "once")
        self.found: dict[str, Found] = {}
        self.left_out: list[str] = []

    @contextmanager
    def copy(self, place: Path | None = None) -> Iterator[Path]:
        """A copy of it."""
        path = (place or self.folder) / "cut"
        shutil.copytree(self.base, path)
        try:
            yield path
        finally:
            shutil.rmtree(path)

    def look(self, kind: str, folder: Path, outcome: str) -> None:
        """Judge one cut."""
        found = self.found.setdefault(kind, Found())
        found.cuts += 1
        found.new += (folder / "experiments.csv").read_bytes() == self.known.new_bytes
        found.old += (folder / "experiments.csv").read_bytes() == self.known.old_bytes
        for problem in judged(folder, self.deed, self.known, outcome):
            found.wrong[f"{self.deed.name}: {problem}"] += 1

    def kill_once(self, kind: type[DyingDisk], hows: tuple[str, ...], name: str) -> None:
        """At every call."""
        for at, call in enumerate(self.known.calls, 1):
            for how in hows:
                if how == "within" and call != "write":
                    continue
                with self.copy() as folder:
                    if killed(partial(self.deed.act, Campaign(folder)), kind(at, how, myself)):
                        self.look(name, folder, "killed")

    def kill_twice(self, times: int) -> None:
        """The deed, and then whoever comes next, at calls drawn by lot."""
        rng = random.Random(0)
        for _ in range(times):
            with self.copy() as folder:
                first, second = (
                    DyingDisk(rng.randint(1, most), rng.choice(("before", "after")), myself)
                    for most in (len(self.known.calls), CALLS_TO_FINISH)
                )
                killed(partial(self.deed.act, Campaign(folder)), first)
                # It writes nothing of its own: it finishes what was cut off, and finds that there is no such column.
                again = killed(partial(Campaign(folder).record, "A", "no such column=1"), second)
                name = "killed, and the next writer too" if again else "killed, the next writer refused"
                self.look(name, folder, "killed")

    def fill(self) -> None:
        """From every call on the disk is full; and every call fails once."""
        for at in range(1, len(self.known.calls) + 1):
            for name, disk in (("full disk", FullDisk(at)), ("one call fails", RefusingDisk(at))):
                with self.copy() as folder:
                    self.look(name, folder, outcome_of(self.deed, folder, disk))

    def fill_for_real(self) -> None:
        """A tmpfs with less and less room."""
        place = self.folder / "tmpfs"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_KIB}k", "tmpfs", str(place)]
        mounted = subprocess.run(mount, capture_output=True, check=False)
        if mounted.returncode:
            self.left_out.append(f"a tmpfs that is full: {mounted.stderr.decode().strip()}")
            return
        try:
            for room in range(0, 132, 4):
                with self.copy(place) as folder:
                    ballast, system = place / "ballast", os.statvfs(place)
                    free = system.f_bavail * system.f_frsize // 1024
                    ballast.write_bytes(b"\0" * 1024 * max(0, free - room))
                    outcome = outcome_of(self.deed, folder, Disk())
                    ballast.unlink()
                    self.look("a tmpfs that is full", folder, outcome)
        finally:
            subprocess.run(["umount", str(place)], check=True)

    def kill_by_strace(self) -> None:
        """The command line, by the system, at its own calls."""
        if shutil.which("strace") is None:
            self.left_out.append("the command line, by strace: it is not installed")
            return
        for call in SYSTEM_CALLS:
            with self.copy() as folder:
                total = _calls(call, folder)
            # Most files that are opened are Python's own, before anything is written.
            for when in range(max(1, total - LAST_CALLS), total + 1):
                with self.copy() as folder:
                    if _strace(folder, f"inject={call}:signal=KILL:when={when}").returncode != 0:
                        self.look("the command line, by strace", folder, "killed")


@dataclass(frozen=True)
class Cuts:
    """All cuts of one deed.

    Parameters
    ----------
    name : of the deed
    n_calls : how many calls it makes that write
    found : what came of each kind of cut
    left_out : what could not be done, and why
    """

    name: str
    n_calls: int
    found: dict[str, Found]
    left_out: list[str]


def cut(i: int, quick: bool) -> Cuts:
    """Cut one deed short in every way."""
    suggesting.suggest = quick_suggestion
    with TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary), DEEDS[i])
        bench.kill_once(DyingDisk, ("before",) if quick else ("before", "within", "after"), "killed")
        bench.kill_once(CurrentlessDisk, ("before",) if quick else ("before", "after"), "killed, unsynced writes lost")
        bench.fill()
        if not quick:
            bench.kill_twice(TWICE)
            bench.fill_for_real()
            if bench.deed.name == BY_STRACE:
                bench.kill_by_strace()
    return Cuts(bench.deed.name, len(bench.known.calls), bench.found, bench.left_out)


def _strace(folder: Path, *expressions: str) -> subprocess.CompletedProcess[str]:
    options = [part for expression in expressions for part in ("-e", expression)]
    code = "import sys; from alloyloop.campaigns.cli import main; main()"
    words = ["record", str(folder), "R001-2", "youngs_modulus_GPa=58.2,59.1", "note=soft"]
    command = ["strace", "-f", "-qq", *options, sys.executable, "-B", "-c", code, *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)


def _calls(call: str, folder: Path) -> int:
    """How often the command line makes a system call."""
    return sum(f"{call}(" in line for line in _strace(folder, f"trace={call}").stderr.splitlines())


def main() -> None:
    """Print the table."""
    quick = "--quick" in sys.argv[1:]
    began = time.monotonic()
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as workers:
        deeds = list(workers.map(cut, range(len(DEEDS)), [quick] * len(DEEDS)))
    print(ran_on("alloyloop"))
    told = "; ".join(f"{deed.name} {deed.n_calls}" for deed in deeds)
    print(f"{len(deeds)} deeds, {sum(deed.n_calls for deed in deeds)} calls that write: {told}\n")
    print(f"{'cut short by':34} {'times':>6} {'old':>6} {'new':>6} {'between':>8} {'wrong':>6}")
    found: dict[str, Found] = {}
    for deed in deeds:
        for kind, its in deed.found.items():
            found.setdefault(kind, Found()).add(its)
    everything = Found()
    for kind, its in found.items():
        everything.add(its)
        print(its.line(kind))
    print(everything.line("all"))
    for problem, times in everything.wrong.most_common():
        print(f"{problem} ({times})")
    for why in dict.fromkeys(why for deed in deeds for why in deed.left_out):
        print(f"left out: {why}")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
