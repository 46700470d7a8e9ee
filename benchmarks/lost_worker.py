"""What a lost worker and a stop cost a screen, and that they change nothing of its answer.

    python benchmarks/lost_worker.py         # some minutes on two cores

The 1 822 786 alloys of the reference space (`reference_space.py`) are screened by a Gaussian process on 100 rows of a
SYNTHETIC modulus: in this process; by `dask scheduler` and two `dask worker` started as processes, one of which is
killed in the middle; and in this process again, interrupted in the middle (a real SIGINT) and gone on with. Slices are
a sixteenth of the usual, so that there is a middle.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import numpy as np
from reference_space import MOST, ran_on, reference_space, synthetic_modulus

from alloyloop.campaigns import Campaign, engines, screening
from alloyloop.campaigns.screening import StoppedError

N_ROWS, TOP = 100, 100
STAGES = ("price_usd_per_kg <= 60", "P(youngs_modulus_GPa <= 70) >= 0.2")


def campaign(folder: Path) -> Campaign:
    """The reference space as a campaign, with a SYNTHETIC table."""
    rng, space = np.random.default_rng(0), reference_space(1.0)
    percent = space.percent(space.sample(N_ROWS, rng))
    elements = "\n".join(f"    {symbol}: {{min: 0, max: {most}}}" for symbol, most in MOST.items())
    question = f"""\
alloyloop: 1
name: Reference space with a SYNTHETIC modulus
composition:
  basis: at_pct
  balance: Ti
  step: 1
  elements:
    Ti: {{min: 50, max: 90}}
{elements}
properties:
  youngs_modulus_GPa: {{goal: minimize}}
features: composition
model: gaussian-process
"""
    header = ",".join(["id", "status", *(f"{e}_at_pct" for e in space.elements), "youngs_modulus_GPa", "source"])
    rows = [
        f"S{i},known,{','.join(f'{amount:g}' for amount in amounts)},{modulus!r},SYNTHETIC"
        for i, (amounts, modulus) in enumerate(zip(percent, synthetic_modulus(percent, rng).tolist(), strict=True))
    ]
    folder.mkdir()
    (folder / "campaign.yaml").write_text(question, encoding="utf-8")
    (folder / "experiments.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return Campaign.open(folder)


def asked(campaign: Campaign, progress: Callable[[int, int], None], **how: object) -> tuple[str, float]:
    """The answer as the command line prints it with --json, and the seconds it took."""
    begun = time.perf_counter()
    screened = campaign.screen(TOP, stages=STAGES, progress=progress, **how)  # type: ignore[arg-type]
    return json.dumps(screened.json(), indent=1), time.perf_counter() - begun


@contextmanager
def dask_processes() -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of `dask scheduler`, and two `dask worker` of it, each one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
    with TemporaryDirectory() as scratch:
        processes = [subprocess.Popen(scheduler, cwd=scratch, **quiet)]  # type: ignore[call-overload]
        try:
            processes += [subprocess.Popen(worker, cwd=scratch, **quiet) for _ in range(2)]  # type: ignore[call-overload]
            yield address, processes[1:]
        finally:
            for process in processes:
                process.kill()
                process.wait()


def with_a_worker_killed(campaign: Campaign) -> tuple[str, float, str]:
    """Ask two workers, and kill one while it works on a wave in the middle."""
    told: list[str] = []
    with dask_processes() as (address, workers):

        def kill_in_the_middle(looked: int, of: int) -> None:
            if looked > 0.4 * of and not told:
                told.append(f"worker {workers[0].pid} killed (SIGKILL) at {looked / of:.0%}")
                Timer(0.1, workers[0].kill).start()  # while the next wave is being looked at

        answer, seconds = asked(campaign, kill_in_the_middle, cluster=address)
        assert workers[0].wait(10) == -signal.SIGKILL
        assert workers[1].poll() is None
    return answer, seconds, told[0]


def stopped_and_gone_on_with(campaign: Campaign) -> tuple[str, float, str]:
    """Interrupt it in the middle, as Ctrl-C does, and go on; the seconds are of both parts."""

    def interrupt_in_the_middle(looked: int, of: int) -> None:
        if looked > 0.4 * of:
            signal.raise_signal(signal.SIGINT)

    begun, told = time.perf_counter(), "it was not stopped"
    try:
        asked(campaign, interrupt_in_the_middle)
    except StoppedError as stopped:
        told = str(stopped)
    first = time.perf_counter() - begun
    answer, seconds = asked(campaign, lambda looked, of: None, resume=True)
    return answer, first + seconds, told


def main() -> None:
    """Run all three, and print what they took and whether they agree."""
    print(ran_on("alloyloop", "numpy", "scipy", "dask"))
    screening.SLICE //= 16
    engines.TASKS_PER_WORKER = 4
    with TemporaryDirectory() as folder:
        reference = campaign(Path(folder) / "reference")
        reference.screen(1, range=(0, 10))  # imports what has to be imported
        one, seconds = asked(reference, lambda looked, of: None)
        said = json.loads(one)
        counts = " → ".join(f"{n:,}" for n in (said["count"], *(stage["left"] for stage in said["stages"])))
        print(f"designs after {', '.join(STAGES)}: {counts}")
        print(f"one process:                    {seconds:6.1f} s (fitting is counted)")
        for name, ask in (
            ("two workers, one killed", with_a_worker_killed),
            ("stopped and gone on with", stopped_and_gone_on_with),
        ):
            answer, seconds, told = ask(reference)
            print(f"{name + ':':31} {seconds:6.1f} s; {told}; same answer, byte for byte: {answer == one}")
            if answer != one:
                sys.exit(1)
        best = said["alloys"][0]
        print(f"best: no. {best['index']}, {best['composition']}, log expected improvement {best['score']!r}")


if __name__ == "__main__":
    main()
