"""Eight processes record results into one campaign at the same time: is any lost, and what does waiting cost.

    python benchmarks/writers.py               # some minutes on two cores

Each of eight processes records 200 results of its own alloys by the Python API, one call each; then each of eight
records 20 by the command line. Looked for: every result in the table, one event for each, every event after the one
before it and found the table as that had left it, and the table as the last one left it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from crashes import QUESTION, broken, events
from reference_space import ran_on

from alloyloop.campaigns.campaign import Campaign

WRITERS, BY_API, BY_COMMAND = 8, 200, 20

BY_API_CODE = """
import sys, time
from alloyloop.campaigns.campaign import Campaign
folder, writer, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
campaign = Campaign(folder)
for i in range(times):
    began = time.perf_counter()
    campaign.record(f"W{writer}-{i:03d}", f"youngs_modulus_GPa={50 + writer}.{i:03d}")
    print(time.perf_counter() - began)
"""
BY_COMMAND_CODE = """
import subprocess, sys, time
folder, writer, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
main = "import sys; from alloyloop.campaigns.cli import main; main()"
for i in range(times):
    began = time.perf_counter()
    words = ["record", folder, f"W{writer}-{i:03d}", f"youngs_modulus_GPa={50 + writer}.{i:03d}"]
    subprocess.run([sys.executable, "-c", main, *words], check=True, stdout=subprocess.DEVNULL)
    print(time.perf_counter() - began)
"""


def campaign(folder: Path, times: int) -> Campaign:
    """A campaign whose alloys wait for their results: `times` of each writer."""
    alloys = [(f"W{writer}-{i:03d}", 10 + i % 30) for writer in range(WRITERS) for i in range(times)]
    rows = [f"{id},made,,{100 - niobium},{niobium},0,\n" for id, niobium in alloys]
    folder.mkdir()
    (folder / "campaign.yaml").write_text(QUESTION, encoding="utf-8")
    header = "id,status,round,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa\n"
    (folder / "experiments.csv").write_text(header + "".join(rows), encoding="utf-8")
    return Campaign(folder)


def together(code: str, folder: Path, times: int) -> tuple[list[float], list[str]]:
    """Let all writers write at once: the seconds that each result took, and what went wrong."""
    command = [sys.executable, "-c", code, str(folder)]
    running = [
        subprocess.Popen(
            [*command, str(writer), str(times)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        for writer in range(WRITERS)
    ]
    told = [(process, process.communicate()[0]) for process in running]
    wrong = [f"a writer ended with {process.returncode}" for process, _ in told if process.returncode]
    return [float(line) for _, output in told for line in output.splitlines()], wrong


def judged(campaign: Campaign, times: int) -> list[str]:
    """What is wrong with a campaign into which all writers have written."""
    table, folder = campaign.snapshot().table, campaign.folder.path
    wanted = {f"W{writer}-{i:03d}": 50 + writer + i / 1000 for writer in range(WRITERS) for i in range(times)}
    found = dict(zip(table.ids, table.values("youngs_modulus_GPa").tolist(), strict=True))
    wrong = [f"{id} is {found.get(id)}" for id, value in wanted.items() if found.get(id) != value]
    journal = list(events(folder).values())
    named = Counter(id for event in journal for id in event["results"])
    if named != Counter(list(wanted)):
        wrong.append(f"{len(wanted)} results and {named.total()} in the journal")
    for earlier, later in pairwise(journal):
        if len(later["after"]) != 1 or later["digests"]["before"] != earlier["digests"]["after"]:
            wrong.append(f"the event of {later['when']} did not go on from the one before it")
    return [*wrong, *broken(folder)]


def main() -> None:
    """Print the table."""
    print(ran_on("filelock"))
    print(f"{'':18} {'results':>8} {'seconds':>8} {'median s':>9} {'longest s':>10} {'wrong':>6}")
    problems = []
    with TemporaryDirectory() as temporary:
        for how, code, times in (("Python API", BY_API_CODE, BY_API), ("command line", BY_COMMAND_CODE, BY_COMMAND)):
            made = campaign(Path(temporary) / how.replace(" ", "-"), times)
            began = time.perf_counter()
            seconds, wrong = together(code, made.folder.path, times)
            took = time.perf_counter() - began
            wrong += judged(made, times)
            problems += wrong
            median, longest = np.median(seconds), max(seconds)
            n = WRITERS * times
            print(f"{how:18} {n:8} {took:8.0f} {median:9.2f} {longest:10.1f} {len(wrong):6}")
    print("\n".join(problems))


if __name__ == "__main__":
    main()
