"""Campaign folders written by hand, with rounds whose expectations are chosen and not computed: nothing is fitted."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.snapshot import Snapshot, read_snapshot

from .folders import make

QUESTION = dedent("""\
    alloyloop: 1
    name: Strong and soft
    composition:
      basis: at_pct
      balance: Ti
      step: 1
      elements: {Nb: {max: 30}, Zr: {max: 20}}
      rules: [Nb + Zr >= 5, density_g_per_cm3 <= 7]
      policy: implant-titanium
    process:
      ageing_temperature_C: {min: 300, max: 600, step: 50}
      quench: {choices: [water, air]}
    properties:
      youngs_modulus_GPa: {goal: minimize}
      yield_strength_MPa: {goal: above, limit: 500}
      phases: {goal: report, classes: {beta: [beta], other: ["*"]}}
    """)
HEADER = (
    "id,status,round,source,Ti_at_pct,Nb_at_pct,Zr_at_pct,ageing_temperature_C,quench,"
    "youngs_modulus_GPa,youngs_modulus_GPa_std,youngs_modulus_GPa_n,yield_strength_MPa,phases,reason,note\n"
)
# Two alloys of the literature, of which B is the softer and too weak; a round with a surprise, a failure and an alloy
# that still waits; and the next round.
EXPERIMENTS = HEADER + dedent("""\
    A,known,,10.1000/first,80,20,0,400,water,70,,,600,beta,,
    B,known,,J. Titanium 1 (1999) 7,75,25,0,,,55,2,3,400,beta + omega,,
    R001-1,measured,1,,74,26,0,350,air,60,1.5,3,550,beta,,
    R001-2,measured,1,,70,20,10,350,air,90,,,700,beta,,
    R001-3,failed,1,,65,30,5,350,air,,,,,,cracked,
    R001-4,made,1,,72,24,4,350,air,,,,,,,
    R002-1,proposed,2,,71,24,5,500,water,,,,,,,
    """)


def proposal(id: str, amounts: dict[str, float], mean: float, std: float = 5.0, **more: Any) -> dict[str, Any]:
    """An alloy of decision.json; the 90 % interval of a normal distribution is 1.645 standard deviations each way."""
    modulus = {"mean": mean, "std": std, "low": mean - 1.645 * std, "high": mean + 1.645 * std}
    strength = {"mean": 560.0, "std": 40.0, "low": 494.2, "high": 625.8}
    return {
        "id": id,
        "composition": amounts,
        "basis": "at_pct",
        "process": {"ageing_temperature_C": 350.0, "quench": "air"},
        "predicted": {"youngs_modulus_GPa": modulus, "yield_strength_MPa": strength},
        "probability": {"yield_strength_MPa": 0.93, "all": 0.93},
        "nearest": {"id": "A", "distance": 6.0},
        "flags": [],
        "why": f"because of {id}",
        **more,
    }


FIRST = [
    proposal("R001-1", {"Ti": 74.0, "Nb": 26.0}, 58.0),
    proposal("R001-2", {"Ti": 70.0, "Nb": 20.0, "Zr": 10.0}, 62.0),
    proposal("R001-3", {"Ti": 65.0, "Nb": 30.0, "Zr": 5.0}, 61.0),
    proposal("R001-4", {"Ti": 72.0, "Nb": 24.0, "Zr": 4.0}, 59.0),
]
SECOND = [proposal("R002-1", {"Ti": 71.0, "Nb": 24.0, "Zr": 5.0}, 57.0, flags=["outside the data"])]


def written(
    path: Path, question: str = QUESTION, experiments: str = EXPERIMENTS, rounds: dict[int, Any] | None = None
) -> Snapshot:
    """Write a campaign into a new folder below `path`, without a journal, and read it.

    Parameters
    ----------
    rounds : the proposals of each round, or any other content of its decision.json
    """
    campaign = make(path / "campaign", question, experiments)
    for number, content in ({1: FIRST, 2: SECOND} if rounds is None else rounds).items():
        folder = campaign / "rounds" / f"{number:03}"
        folder.mkdir(parents=True)
        decision = {"round": number, "proposals": content} if isinstance(content, list) else content
        (folder / "decision.json").write_text(json.dumps(decision), encoding="utf-8")
    return read_snapshot(Folder(campaign))
