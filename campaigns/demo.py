"""`alloyloop demo`: two rounds of the beta-titanium campaign, the first answered by a SYNTHETIC laboratory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from ..design.composition import Composition
from ..design.telling_apart import BUTTON_G
from ..surrogates.errors import AlloyloopError
from .answers import Json
from .campaign import Campaign
from .files import read_bytes, write_atomically
from .folder import Folder
from .melting import melt_sheet_table
from .printing import answer_lines, table_lines
from .synthetic_lab import SOURCE, measure

LABEL = "[SYNTHETIC]"
ABOUT = (
    "This campaign was made by `alloyloop demo`, which makes it anew each time it runs.\n"
    "Its literature rows are real; the results of round 1 come from a SYNTHETIC laboratory: a formula with noise.\n"
)


def run_demo(directory: Path, say: Callable[[str], None]) -> Json:
    """Suggest, take back synthetic results, suggest again, and write the report.

    Parameters
    ----------
    directory : the folder to make; one that an earlier demo made is replaced
    say : prints a line

    Raises
    ------
    AlloyloopError
        where the folder holds something else than an earlier demo
    """
    mark = Folder(directory).demo_mark
    if mark.is_file() and read_bytes(mark) == ABOUT.encode():
        shutil.rmtree(directory)
    elif directory.exists() and any(directory.iterdir()):
        raise AlloyloopError(f"{directory} is there already and no earlier demo", "Name another folder with --dir.")
    campaign = Campaign.new(directory, "beta-ti")
    write_atomically(mark, ABOUT)
    snapshot = campaign.snapshot()
    say(f"{snapshot.spec.name}: {snapshot.known.sum()} alloys of the literature, each with its source.")
    say("Which titanium alloy to melt next, if it is to be as soft as possible and still beta?\n")
    say("Round 1, suggested from the literature:\n")
    first = campaign.suggest()
    for line in answer_lines(first):
        say(line)

    def synthetic(line: str) -> None:
        for part in line.splitlines() or [""]:
            say(f"{LABEL} {part}".rstrip())

    synthetic("")
    synthetic(f"Nothing below is measured: the {SOURCE} answers with a formula and noise.")
    rng = np.random.default_rng(snapshot.spec.seed)
    for alloy in first:
        came = measure(cast(Composition, alloy.composition), rng)
        synthetic(f"{alloy.id}  {alloy.name}: {came['youngs_modulus_GPa']} GPa")
        for result in campaign.record(alloy.id, *(f"{name}={value}" for name, value in came.items())):
            for sentence in result.surprise:
                synthetic(f"  {sentence}")
    synthetic("")
    synthetic("Round 2, suggested from the literature and these four results:")
    second = campaign.suggest()
    for line in answer_lines(second):
        synthetic(line)
    synthetic("")
    synthetic(f"Melt sheet of round 2, buttons of {BUTTON_G:g} g:")
    sheet = melt_sheet_table(*campaign.melt_sheet())
    for line in table_lines(sheet.columns, sheet.rows):
        synthetic(line)
    report = campaign.report()
    say(f"\nReport:   {report}")
    say(f"Campaign: {directory}  (try `alloyloop status {directory}`)")
    return {
        "campaign": str(directory),
        "report": str(report),
        "synthetic": True,
        "rounds": [[alloy.json() for alloy in first], [alloy.json() for alloy in second]],
    }
