"""The questions of built-in campaigns, asked of public tables of the same kind, beside what their studies published.

    python benchmarks/templates.py                            # some minutes on one core
    python benchmarks/templates.py --tables beta_ti_ms        # some of the tables
    python benchmarks/templates.py > benchmarks/results/templates.txt

Most campaigns come without a table, since their studies published none. Each table here is of the same kind and other
data: what differs is said beside it, and the study's own figures are those of its abstract or of a review (section 1 of
../shared/design/DOMAIN.md), not ours. The model kind that the study used, a Gaussian process and the mean of all rows
are judged on rows that they have not seen: random tenths, as most studies do, and tenths of whole papers, or of whole
compositions or settings where the table names no papers. All see the composition in atomic fractions and the process;
nothing is tuned by hand. The tables are not ours to ship: they are looked for in ../shared/data, or where
ALLOYLOOP_SHARED says.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from beliefs import machine, shared_data
from threadpoolctl import threadpool_limits

from alloyloop.campaigns.learning import evidence, options
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.templates import template
from alloyloop.design.beliefs import Evidence
from alloyloop.design.comparing import Judged, Learner, choosing, judged, mean_baseline
from alloyloop.design.features import designs
from alloyloop.surrogates.scores import Fold, group_folds, shuffled_folds

N_PARTS = 10


@dataclass(frozen=True)
class Case:
    """One table, and the campaign whose question it can answer.

    Parameters
    ----------
    table : of ../shared/data
    inputs, target, group : columns, as `alloyloop compare --data` takes them
    of : the name of the built-in campaign
    kind : the model kind that its study used
    study : what the study published of its errors
    differs : what is other in this table
    """

    table: str
    inputs: str
    target: str
    of: str
    kind: str
    study: str
    differs: str
    group: str = ""

    def read(self, folder: Path) -> tuple[Snapshot, Evidence]:
        """The table as a campaign of its own, and its rows with a value."""
        snapshot = snapshot_of(folder / f"{self.table}.csv", self.inputs, self.target, self.group)
        return snapshot, evidence(snapshot, self.target)


CASES = (
    Case(
        "hea_hardness_wen155",
        "*_at_pct",
        "hardness_HV",
        "hea-hardness",
        "support-vector",
        "Wen et al. 2019 tell what their 42 melts gained (883 after 775 HV), and no error that we could read",
        "none: these are the 155 castings that the study began with",
    ),
    Case(
        "cocrtimow_hardness_initial48",
        "*_at_pct",
        "hardness_HV30",
        "hea-hardness",
        "support-vector",
        "of this system, doi:10.20517/jmi.2022.03: mean relative error 5 to 6 % above 600 HV, 15 % below; 138 alloys",
        "another system, Co-Cr-Ti-Mo-W, and only the 48 alloys of its first stage",
    ),
    Case(
        "rhea_yield_strength",
        "*_at_pct,test_temperature_C",
        "yield_strength_MPa",
        "refractory-strength",
        "forest",
        "Bhandari et al. 2021: 95 % on two systems at 800 and 1200 °C, poor on others (as the review says)",
        "ten elements and many systems, 20 °C to 1600 °C; the study saw bulk modulus and melting point",
    ),
    Case(
        "beta_ti_ms",
        "*_wt_pct",
        "Ms_K",
        "ti-ms-modulus-cost",
        "neural-network",
        "Wu et al. 2020: RMSE 33.4 K (as the review says; of which rows is not said)",
        "a collection of 25 papers, their methods of measuring mixed; the state of the alloys is not recorded",
        "reference_no",
    ),
    Case(
        "mg_bio_cast_tensile",
        "*_wt_pct,heat_treatment",
        "yield_strength_MPa",
        "mg-stent",
        "forest",
        "Suh et al. 2023: a window of 244 to 305 MPa in compression, and no error in the review",
        "tensile yield strength of castings instead of compressive strength; no corrosion; no papers named",
    ),
    Case(
        "mg_alloys_tensile_m916",
        "*_wt_pct,process_class",
        "yield_strength_MPa",
        "mg-mn-extrusion",
        "neural-network",
        "Mi et al. 2022: R² 0.98 of yield strength; four alloys made afterwards missed by 6 to 9 %",
        "31 elements and six routes without their temperatures and speeds; no papers named",
    ),
    Case(
        "nims_steel_fatigue",
        "*_wt_pct,Fe_wt_pct_by_balance,*_temperature_C,reduction_ratio,inclusion_*",
        "fatigue_strength_1e7_MPa",
        "stainless-fatigue-life",
        "neural-network",
        "Ye et al.: no figure in the review; errors grow toward long lives",
        "measured fatigue strength of carbon and low-alloy steels, from composition and heat treatment; the study: "
        "simulated lives of stainless steel, from its grains",
    ),
    Case(
        "lpbf_density_316l",
        "laser_power_W,scan_speed_mm_per_s,hatch_spacing_mm,layer_thickness_mm",
        "relative_density_pct",
        "stainless-316l-lpbf",
        "neuro-fuzzy",
        "Zhang et al. 2019: good inside the trained range only (as the review says), on 139 fatigue lives",
        "density instead of life; 351 settings of 20 papers, on many machines",
        "source_doi",
    ),
    Case(
        "slm_316l_doe_train",
        "laser_power_W,scan_speed_mm_per_s,hatch_spacing_mm,layer_thickness_mm",
        "ultimate_tensile_strength_MPa",
        "stainless-316l-lpbf",
        "neuro-fuzzy",
        "as above",
        "tensile strength instead of life; 27 settings of one designed experiment, on one machine",
    ),
)


def _asking(snapshot: Snapshot, asked: Mapping[str, str]) -> Snapshot:
    """The same table, asked with other keys of campaign.yaml."""
    written = snapshot.written
    return replace(snapshot, written=replace(written, spec=written.spec.model_copy(update=dict(asked))))


def learners(snapshot: Snapshot, found: Evidence, kind: str) -> dict[str, Learner]:
    """What is judged, by name; each sees the composition and the process, and a value as it is."""
    told: dict[str, Learner] = {}
    for model in (kind, "gaussian-process"):
        asked = {"model": model, **({"features": "composition"} if snapshot.spec.composition is not None else {})}
        offered, _ = options(_asking(snapshot, asked), found)
        name, option = next((name, option) for name, option in offered.items() if ", " not in name)
        told[name] = choosing({name: option})
    return {**told, "mean": mean_baseline}


def ways(found: Evidence) -> dict[str, list[Fold]]:
    """How rows are left out, by what is said of it; whole groups only where some group has several rows."""
    of_elements = found.alloys.fractions.round(6).tolist()
    groups, of = designs(found.alloys).tolist(), "settings"
    if found.alloys.elements:
        groups, of = [str(shares) for shares in of_elements], "compositions"
    if any(found.sources):
        groups, of = [source or f"row {i}" for i, source in enumerate(found.sources)], "papers"
    told = {"random tenths": shuffled_folds(len(found), N_PARTS)}
    if len(set(groups)) < len(found):
        told[f"tenths of {len(set(groups))} whole {of}"] = group_folds(groups, N_PARTS, 0)
    return told


def line(name: str, made: Judged) -> str:
    """One line of the table."""
    scores, train = made.held_out.scores, made.train
    return (
        f"    {name:40s} {scores['rmse']:8.4g} {scores['mape']:7.1%} {scores['r2']:7.2f} {scores['coverage90']:7.0%}"
        f" {train['rmse'] / scores['rmse']:9.2f}"
    )


def told(case: Case, folder: Path) -> Iterator[str]:
    """What came of one table."""
    began = time.process_time()
    snapshot, found = case.read(folder)
    yield f"\n{case.of} ({template(case.of).title}): {case.target} of {len(found)} rows of {case.table}"
    yield f"  the study: {case.study}"
    yield f"  other here: {case.differs}"
    for way, folds in ways(found).items():
        yield f"  {way + ' left out':44s}     RMSE    MAPE      R²  in 90 %  training"
        for name, learner in learners(snapshot, found, case.kind).items():
            yield line(name, judged(found, learner, folds))
    yield f"  {time.process_time() - began:.0f} s of one core"


def main() -> None:
    """Print what came of all tables."""
    known = [case.table for case in CASES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(known), help=f"names, with commas: {', '.join(known)}")
    asked: Sequence[str] = parser.parse_args().tables.split(",")
    say: Callable[[str], None] = partial(print, flush=True)
    say(machine())
    say("training: RMSE on training rows over that on rows left out; the smaller, the more training scores flatter")
    folder = shared_data()
    with threadpool_limits(limits=1):
        for case in (case for case in CASES if case.table in asked):
            if folder is None or not (folder / f"{case.table}.csv").is_file():
                say(f"\nSkipped {case.table}: not here; it lies in ../shared/data, or where ALLOYLOOP_SHARED says.")
                continue
            for text in told(case, folder):
                say(text)


if __name__ == "__main__":
    main()
