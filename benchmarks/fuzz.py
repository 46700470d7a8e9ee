"""Broken files by the hundred thousand: does any of them bring more than a sentence?

    python benchmarks/fuzz.py                        # some minutes on one core
    python benchmarks/fuzz.py --scale 0.01           # a look
    python benchmarks/fuzz.py --atheris 60           # besides, atheris looks for new paths for so many seconds a target

Files as people write them are cut, doubled, spliced and spoilt at random, and read as `check` reads them. Looked for:
an exception that is not an AlloyloopError; more than 5 s of processor time; anything that reading should not do: a file
opened for writing, renamed or deleted, a file outside the folder read, a process started, a connection made, code run;
a table that is not written back to the byte. What was found is printed as Python would write it; the script exits 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from large_campaign import QUESTION
from reference_space import ran_on

from alloyloop.campaigns.cells import read_number
from alloyloop.campaigns.changes import Change
from alloyloop.campaigns.choosing import read_candidates
from alloyloop.campaigns.examining import check
from alloyloop.campaigns.files import decode, encode
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.history import History
from alloyloop.campaigns.journal import change_of, digest, digests_after, digests_before, read_event
from alloyloop.campaigns.sheet import parse_sheet, sheet_text
from alloyloop.campaigns.spaces import design_space, layout
from alloyloop.campaigns.spec import CompositionSpec, read_written
from alloyloop.campaigns.stock_file import read_stock
from alloyloop.campaigns.table import ExperimentTable, Layout
from alloyloop.surrogates.errors import AlloyloopError

MOST_S = 5.0
LAYOUT = Layout(
    *("wt_pct", ("Nb", "Zr", "Ti"), "Ti", ("temperature_C",), {"quench": ("water", "air")}, ("modulus_GPa",)),
    classes={"phase": {"beta": ("beta", "β*"), "other": ("*",)}},
)
TABLE = (
    "id;status;round;parent;source;Ti_wt_pct;Nb_wt_pct;Zr_at_pct;Nb_wt_pct_measured;temperature_C;quench;modulus_GPa;"
    "modulus_GPa_std;modulus_GPa_n;phase;note\r\n"
    "A;known;;;Lit;bal.;40;0;;900;water;61,2;;3;beta;ok\r\n"
    'B;measured;1;A;"Lit; 2";60;40;;39,5;;air;<58,3 ± 0,8;1;;alpha;"cracked, ""badly"""\r\n'
    "C;proposed;2;;;60;40;0;;1e3;;n/a;;;;=1+1\r\n"
)
SMALL = "alloyloop: 1\nname: x\nproperties: {a: {goal: below, limit: 3}}\nprocess: {p: {min: 0, max: 1, step: 0.1}}\n"
TARGETS = ("cell", "event", "question", "small question", "folder", "stock", "candidates", "table")
COUNTS = dict(zip(TARGETS, (580_000, 260_000, 2_000, 20_000, 1_000, 15_000, 15_000, 120_000), strict=True))

# What is written into files now and then.
WORDS = [word.encode("utf-8", "surrogatepass") for word in "\0\ud800\ufeff\r\n\t±−"]
WORDS += [b"\xff", b"\xff\xfe", b"\n---\n", b"sep=;\n", b"9" * 30, b"9" * 400, b"!!python/object/apply:os.system [ls]"]
WORDS += rb"""
" ' ; , | = - + @ < > % \ * ? ~ : { } [ ] # null true nan inf 1e999 -0 1e-320 0.1 100 2001-99-99 *a &a !!binary !!float
<<: max min step Nb rules id status Ti_wt_pct added cells change after ../../etc/passwd /dev/zero =1+1 __class__ 12.Mrz
""".split()


class Hang(BaseException):
    """More than `MOST_S` of processor time went by."""


class Watch:
    """Sees what reading does that it should not, by Python's own audit events."""

    FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "subprocess", "socket")
    CHANGING = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate", "shutil", "os.link")

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.seen = os.fspath(folder), False, list[str]()
        ours = (*sys.path, sys.prefix, sys.base_prefix, str(Path(__file__).parents[1]))
        self._trusted = (self.folder, *filter(None, ours))
        sys.addaudithook(self._hook)

    def _hook(self, event: str, told: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event.startswith((*self.FORBIDDEN, *self.CHANGING)):
            self.seen.append(f"{event} {told!r:.100}")
        elif event == "open" and isinstance(told[0], str | bytes):
            path, writes = os.fsdecode(told[0]), (told[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            is_ours = path.startswith(self._trusted) and ".." not in Path(path).parts
            if path != os.devnull and (writes or not is_ours):  # the solver of milp.py is silenced to devnull
                self.seen.append(f"open {path}")
        elif event == "exec" and told[0].co_filename.startswith("<") and "frozen" not in told[0].co_filename:
            self.seen.append(f"exec {told[0]!r}")

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Watch what happens inside."""
        self.on = True
        try:
            yield
        finally:
            self.on = False


class Reader:
    """Reads bytes as each kind of file that there is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.watch = folder, Watch(folder)
        self.sheet = parse_sheet("id;E\nA;85,5\nB;\n", "experiments.csv")
        self.made = CompositionSpec(basis="wt_pct", balance="Ti")
        self.seeds = self._seeds()

    def _seeds(self) -> dict[str, list[bytes]]:
        table = TABLE.encode()
        other = TABLE.replace(",", ".").replace(";", ",").encode()
        change = Change(("E",), ({"id": "C", "E": "1,5"},), {"A": {"E": ("85,5", "9")}}, ({"id": "B"},), ",")
        event = {"what": "record", "after": ["0" * 64], "change": change.json(), "round": 3}
        old = {"what": "record", "results": {"A": {"E": "9"}}, "before": {"A": {"E": ""}}, "digests": {"a": "b"}}
        changed = {**event, "digests": {"before": {"a": "b"}, "after": {"a": "c"}}, "undoes": "0" * 64, "known": True}
        events = [json.dumps(each).encode() for each in (event, old, changed)]
        stock = b"material,purity,price_per_kg,in_stock_g,Ti_wt_pct\nNb,0.999,90,500,\nMg-30Ca,,20,,\nscrap,1,1,0,90\n"
        library = b"id;Ti_wt_pct;Nb_wt_pct;temperature_C\nA;60;40;900\nB;bal.;30;800\n"
        cells = [
            b"61.2",
            b"61,2 \xc2\xb1 0,8",
            b"<12",
            b"1 234,5",
            b"12. Mrz",
            b"1.5e-3",
            b"n/a",
            b"3.1, 4; 5",
            b"5 GPa",
        ]
        golden = Path(__file__).parents[1] / "tests" / "campaigns" / "golden"
        questions = [path.read_bytes() for path in sorted(golden.glob("**/campaign.yaml"))]
        question = QUESTION.encode()
        return {
            "cell": cells,
            "table": [table, other, TABLE.encode("utf-16"), TABLE.encode("cp1252", "replace")],
            "event": events,
            "stock": [stock],
            "candidates": [library],
            "small question": [SMALL.encode()],
            "question": [question, *questions],
            "folder": [question + b"\0\0" + table, *(each + b"\0\0" + table for each in questions)],
        }

    def read(self, target: str, data: bytes) -> None:
        """Read it; only an AlloyloopError may come of it."""
        path = self._put(target, data)
        signal.setitimer(signal.ITIMER_PROF, MOST_S)
        try:
            with suppress(AlloyloopError), self.watch():
                self._look(target, data, path)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if self.watch.seen:
            seen, self.watch.seen = self.watch.seen, []
            raise RuntimeError("; ".join(seen[:3]))

    def _put(self, target: str, data: bytes) -> Path:
        """Write what the target reads."""
        names = {"event": f"20260101T000000000Z-record-{digest(data)[:12]}.json", "stock": "stock.csv"}
        path = self.folder / names.get(target, "campaign.yaml" if "question" in target else "library.csv")
        if target == "folder":
            question, _, table = data.partition(b"\0\0")
            (self.folder / "campaign.yaml").write_bytes(question)
            (self.folder / "experiments.csv").write_bytes(table)
        elif target not in ("cell", "table"):
            path.write_bytes(data)
        return path

    def _look(self, target: str, data: bytes, path: Path) -> None:
        match target:
            case "cell":
                read_number(data.decode("utf-8", "replace"), ",."[len(data) % 2])
            case "table":
                file = decode(data, "experiments.csv")
                sheet = parse_sheet(file.text, "experiments.csv")
                if sheet_text(sheet) != file.text:
                    raise RuntimeError("text is not written back as it was")
                if encode(file) != data:
                    raise RuntimeError(f"bytes are not written back as they were: {file.encoding} {file.bom}")
                ExperimentTable.read(sheet, LAYOUT)
            case "event":
                try:
                    event = read_event(path)
                finally:
                    self.watch.on = False
                    path.unlink()
                    self.watch.on = True
                _ = digests_after(event), digests_before(event), History.of([event, event]).undone
                if (change := change_of(event)) is not None:
                    _ = change.inverse(), change.apply(self.sheet), change.rest(self.sheet)
            case "stock":
                read_stock(self.folder, path.name)
            case "candidates":
                read_candidates(self.folder, path.name, self.made, ())
            case "folder":
                check(Folder(self.folder))
            case _:
                written = read_written(path)
                space, _ = design_space(written, self.folder)
                layout(written, space, None)


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One of some files, spoilt in a few places."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at, length = rng.randint(0, len(data)), rng.choice((1, 1, 2, 5, 20, 100))
        part = data[at : at + length]
        match rng.randrange(7):
            case 0:
                data = data[:at] + rng.choice(WORDS) + data[at:]
            case 1:
                data = data[:at] + rng.choice(WORDS) + data[at + length :]
            case 2:
                data = data[:at] + data[at + length :]
            case 3:
                data = data[:at] + part * rng.choice((2, 3, 50)) + data[at + length :]
            case 4:
                other = rng.choice(seeds)
                data = data[:at] + other[rng.randint(0, len(other)) :]
            case 5:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            case _:
                data = data[:at] + rng.choice(WORDS) * rng.choice((2, 30, 300)) + data[at:]
    return data[:20_000]


def tried(reader: Reader, target: str, n: int, rng: random.Random) -> Iterator[tuple[bytes, str]]:
    """Inputs that brought more than a sentence, and what they brought."""
    for _ in range(n):
        data = mutated(rng, reader.seeds[target])
        try:
            reader.read(target, data)
        except Hang:
            yield data, f"more than {MOST_S:g} s"
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            yield data, f"{type(error).__name__}: {error!s:.150} ({Path(place.filename).name}:{place.lineno})"


def with_atheris(reader: Reader, target: str, seconds: int) -> None:
    """Let atheris look for inputs that take new paths; it ends the process where it finds one that fails."""
    atheris = import_module("atheris")  # pip install atheris, in an environment of its own
    for module in [module for name, module in sys.modules.items() if name.startswith("alloyloop.campaigns")]:
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", "") == module.__name__ and callable(value) and hasattr(value, "__code__"):
                setattr(module, name, atheris.instrument_func(value))
    corpus = reader.folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for i, seed in enumerate(reader.seeds[target]):
        (corpus / str(i)).write_bytes(seed)
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", str(corpus)], lambda data: reader.read(target, data))
    atheris.Fuzz()


def main() -> None:
    """Print the table, and every kind of failure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS)
    parser.add_argument("--atheris", type=int, default=0)
    asked = parser.parse_args()

    def too_long(*_: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, too_long)
    print(ran_on("ruamel.yaml", "pydantic"))
    total, failed = 0, False
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as temporary:
        reader = Reader(Path(temporary))
        for target in TARGETS:  # what is imported late is imported now
            with suppress(AlloyloopError):
                reader._look(target, reader.seeds[target][0], reader._put(target, reader.seeds[target][0]))
        reader.watch.on, reader.watch.seen = False, []
        if asked.atheris:
            with_atheris(reader, asked.only or "table", asked.atheris)
        print(f"{'':<16}{'inputs':>9}{'CPU s':>8}{'failed':>8}")
        for target in TARGETS if asked.only is None else (asked.only,):
            n, began = max(1, round(asked.scale * COUNTS[target])), time.process_time()
            kinds, examples = Counter[str](), dict[str, bytes]()
            for data, said in tried(reader, target, n, random.Random(f"{target} {asked.seed}")):
                kinds[said] += 1
                examples[said] = min(examples.get(said, data), data, key=len)
            total += n
            failed |= bool(kinds)
            print(f"{target:<16}{n:>9}{time.process_time() - began:>8.0f}{kinds.total():>8}", flush=True)
            for said, count in kinds.most_common(20):
                print(f"    {count} times {said}\n        {examples[said]!r:.600}", flush=True)
        print(f"{'together':<16}{total:>9}")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
