"""How well the surrogates predict alloys that they have not seen, beside what they must beat.

    python benchmarks/accuracy.py            # some ten minutes on one core
    python benchmarks/accuracy.py --quick    # without the nested choice

Three literature tables: that of the built-in campaign beta-ti, a larger one of the modulus of beta titanium (random
tenths of the rows, and whole papers left out), and hardness of Al-Co-Cr-Cu-Fe-Ni alloys (random tenths). "Chosen
inside" is what `model: auto` and `features: auto` do: for each part left out, the models on composition, on
descriptors and on both are compared within the other parts alone. The last two tables are not ours to ship; where they
are missing, this says so.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.learning import AUTO_MODELS, evidence
from alloyloop.design.beliefs import Evidence, Option, choose, learn
from alloyloop.design.composition import wt_to_at
from alloyloop.design.elements import values
from alloyloop.design.features import FEATURE_SETS, Alloys, feature_set, telling_descriptors
from alloyloop.surrogates import FloatArray
from alloyloop.surrogates.scores import (
    Fold,
    LinearMixture,
    Maker,
    MeanBaseline,
    Scores,
    group_folds,
    held_out,
    shuffled_folds,
)

N_SHUFFLES = 5


def shared_data() -> Path | None:
    """Folder of the tables, beside the repository or where ALLOYLOOP_SHARED says; None where there is none."""
    beside = Path(__file__).resolve().parents[1].parent / "shared"
    folder = Path(os.environ.get("ALLOYLOOP_SHARED", beside)) / "data"
    return folder if folder.is_dir() else None


@dataclass(frozen=True, eq=False)
class Table:
    """Alloys with one measured property.

    Parameters
    ----------
    evidence : what a campaign would have to learn from
    pure : (n_elements,) the property of the pure elements, where a rule of mixtures can be made of them
    """

    evidence: Evidence
    pure: FloatArray | None = None

    @property
    def fractions(self) -> FloatArray:
        """(n, n_elements) atomic fractions, what the baselines see."""
        return self.evidence.alloys.fractions


def beta_titanium(folder: Path) -> Table:
    """Young's modulus of 175 Ti-Nb-Zr-Sn-Mo-Ta alloys from 38 papers."""
    frame = pd.read_csv(folder / "beta_ti_modulus.csv")
    elements = ("Ti", "Nb", "Zr", "Sn", "Mo", "Ta")
    wt_pct = frame[[f"{element}_wt_pct" for element in elements]].to_numpy(np.float64)
    papers = frame["reference_no"].to_numpy(np.str_)
    found = _evidence("youngs_modulus_GPa", elements, wt_to_at(wt_pct, elements), frame, papers)
    return Table(found, values("youngs_modulus_GPa", elements))


def high_entropy_hardness(folder: Path) -> Table:
    """Vickers hardness of 155 as-cast alloys; Wen et al., Acta Mater. 170 (2019) 109."""
    frame = pd.read_csv(folder / "hea_hardness_wen155.csv")
    elements = ("Al", "Co", "Cr", "Cu", "Fe", "Ni")
    at_pct = frame[[f"{element}_at_pct" for element in elements]].to_numpy(np.float64)
    return Table(_evidence("hardness_HV", elements, at_pct, frame, np.full(len(frame), "")))


def built_in(template: str, name: str) -> Table:
    """What a built-in campaign's own table says of a property."""
    with TemporaryDirectory() as folder:
        return Table(evidence(Campaign.new(Path(folder) / template, template).snapshot(), name))


def shared(read: Callable[[Path], Table]) -> Table | None:
    """A table that is not ours to ship; None where it is not here."""
    folder = shared_data()
    return None if folder is None else read(folder)


def _evidence(
    name: str, elements: tuple[str, ...], at_pct: FloatArray, frame: pd.DataFrame, sources: NDArray[np.str_]
) -> Evidence:
    alloys = Alloys(elements, at_pct / at_pct.sum(axis=1, keepdims=True), {})
    return Evidence(name, alloys, frame[name].to_numpy(np.float64), np.full(len(frame), np.nan), sources)


def options(evidence: Evidence, models: Sequence[str]) -> dict[str, Option]:
    """Every model on every set of features, as `model: auto` and `features: auto` offer them."""
    told = telling_descriptors(evidence.alloys)
    seen = {name: feature_set(name, told, evidence.alloys.elements, ()) for name in FEATURE_SETS}
    return {f"{model} on {name}": Option(model, features) for model in models for name, features in seen.items()}


def baselines(table: Table) -> dict[str, Maker]:
    """What has to be beaten."""
    makers: dict[str, Maker] = {"mean": MeanBaseline, "linear mixture, fitted": LinearMixture}
    return makers | ({} if table.pure is None else {"rule of mixtures": partial(LinearMixture, pure=table.pure)})


def believed(
    evidence: Evidence, folds: Sequence[Fold], pick: Callable[[Evidence], Option]
) -> tuple[FloatArray, FloatArray]:
    """Mean (n,) and std (n,) of a measurement at every row, by the option picked on the rows outside its fold."""
    mean, std = np.empty(len(evidence)), np.empty(len(evidence))
    everything = np.arange(len(evidence))
    for train, test in folds:
        known = evidence.rows(np.isin(everything, train))
        belief = learn(known, pick(known)).about(evidence.alloys.rows(test))
        mean[test], std[test] = belief.mean, belief.measured_std
    return mean, std


def chosen(evidence: Evidence, models: Sequence[str], taken: Counter[str]) -> Callable[[Evidence], Option]:
    """Pick as a campaign does: by comparing the models inside the rows it is given. Counts what it took."""

    def pick(known: Evidence) -> Option:
        offered = options(known, models)
        name = choose(known, offered).name
        taken[name] += 1
        return offered[name]

    return pick


def ways(table: Table) -> Iterator[tuple[str, list[list[Fold]]]]:
    """Name the ways to leave rows out, each with the folds of every repetition."""
    yield "random tenths", [shuffled_folds(len(table.evidence), 10, seed) for seed in range(N_SHUFFLES)]
    if table.evidence.sources.any():
        yield "whole papers", [group_folds(table.evidence.sources)]


def line(name: str, scores: Sequence[Scores]) -> str:
    """Render one row of the table: means over the repetitions."""
    mean = {key: np.mean([getattr(one, key) for one in scores]) for key in ("rmse", "r2", "coverage90", "crps")}
    return f"  {name:34s} {mean['rmse']:7.2f} {mean['r2']:6.2f} {mean['coverage90']:8.2f} {mean['crps']:7.2f}"


def report(table: Table, models: Sequence[str], nested: bool, say: Callable[[str], None] = print) -> None:
    """Print all scores of a table."""
    known, y = table.evidence, table.evidence.values
    for way, repetitions in ways(table):
        say(f"\n{known.property}, {len(y)} alloys, {way} left out")
        say(f"  {'':34s}    RMSE     R²  in 90 %    CRPS")
        for name, make in baselines(table).items():
            say(line(name, [Scores.of(y, *held_out(make, table.fractions, y, folds)) for folds in repetitions]))
        for name in options(known, models):
            pick = partial(_the_option, name=name, models=models)
            say(line(name, [Scores.of(y, *believed(known, folds, pick)) for folds in repetitions]))
        if nested:
            taken: Counter[str] = Counter()
            auto = chosen(known, AUTO_MODELS, taken)
            say(line("chosen inside", [Scores.of(y, *believed(known, folds, auto)) for folds in repetitions]))
            say("    took " + "; ".join(f"{name} {n}×" for name, n in taken.most_common()))


def _the_option(known: Evidence, name: str, models: Sequence[str]) -> Option:
    return options(known, models)[name]


TABLES: dict[str, Callable[[], Table | None]] = {
    "beta-ti": lambda: built_in("beta-ti", "youngs_modulus_GPa"),
    "modulus": lambda: shared(beta_titanium),
    "hardness": lambda: shared(high_entropy_hardness),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the nested choice")
    parser.add_argument("--models", default="gaussian-process,extra-trees,forest", help="names, with commas")
    parser.add_argument("--tables", default=",".join(TABLES), help="names, with commas")
    given = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("alloyloop", "numpy", "scipy", "scikit-learn", "torch"))
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
    )
    for name in given.tables.split(","):
        table = TABLES[name]()
        if table is None:
            print(f"Skipped {name}: its table is not here. It lies in ../shared/data, or where ALLOYLOOP_SHARED says.")
        else:
            report(table, given.models.split(","), nested=not given.quick)


if __name__ == "__main__":
    main()
