"""How well the surrogates predict alloys that they have not seen, beside what they must beat.

    python benchmarks/accuracy.py            # some minutes on one core
    python benchmarks/accuracy.py --quick    # without the nested choice

Two literature tables: Young's modulus of beta titanium (random tenths of the rows, and whole papers left out) and
hardness of Al-Co-Cr-Cu-Fe-Ni alloys (random tenths). `chosen` may use, for each part left out, only what the other
parts say: there it compares the models on composition, on descriptors and on both by inner folds, and takes the best.
The tables are not ours to ship; where they are missing, this says so and ends.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline

from alloyloop.design.composition import wt_to_at
from alloyloop.design.descriptors import evaluate
from alloyloop.design.elements import values
from alloyloop.design.features import Alloys, telling_descriptors
from alloyloop.surrogates import FloatArray, surrogate
from alloyloop.surrogates.scores import (
    Fold,
    LinearMixture,
    Maker,
    MeanBaseline,
    Scores,
    choose,
    group_folds,
    held_out,
    shuffled_folds,
)

N_SHUFFLES = 5
INNER_FOLDS = 5


def shared_data() -> Path | None:
    """Folder of the tables, beside the repository or where ALLOYLOOP_SHARED says; None where there is none."""
    beside = Path(__file__).resolve().parents[1].parent / "shared"
    folder = Path(os.environ.get("ALLOYLOOP_SHARED", beside)) / "data"
    return folder if folder.is_dir() else None


@dataclass(frozen=True)
class Table:
    """Alloys with one measured property.

    Parameters
    ----------
    name : of the property, with its unit
    elements : n_elements symbols
    X : (n, n_elements + n_descriptors) atomic fractions, and then descriptors
    y : (n,) measured values
    groups : (n,) the paper each row came from, where it is known
    pure : (n_elements,) the property of the pure elements, where a rule of mixtures can be made of them
    """

    name: str
    elements: tuple[str, ...]
    X: FloatArray
    y: FloatArray
    groups: NDArray[Any] | None
    pure: FloatArray | None

    def columns(self, features: str) -> list[int]:
        """Columns of X that a set of features has."""
        n = len(self.elements)
        return {
            "composition": list(range(n)),
            "descriptors": list(range(n, self.X.shape[1])),
            "both": list(range(self.X.shape[1])),
        }[features]


def _table(name: str, elements: Sequence[str], fractions: FloatArray, y: FloatArray, **more: Any) -> Table:
    told = telling_descriptors(Alloys(tuple(elements), fractions, {}))
    X = np.column_stack([fractions, evaluate(told, fractions, elements)])
    return Table(name, tuple(elements), X, y, **{"groups": None, "pure": None} | more)


def beta_titanium(folder: Path) -> Table:
    """Young's modulus of 175 Ti-Nb-Zr-Sn-Mo-Ta alloys from 60 papers."""
    frame = pd.read_csv(folder / "beta_ti_modulus.csv")
    elements = ("Ti", "Nb", "Zr", "Sn", "Mo", "Ta")
    wt_pct = frame[[f"{element}_wt_pct" for element in elements]].to_numpy(np.float64)
    fractions = wt_to_at(100 * wt_pct / wt_pct.sum(axis=1, keepdims=True), elements) / 100
    y = frame["youngs_modulus_GPa"].to_numpy(np.float64)
    pure = values("youngs_modulus_GPa", elements)
    return _table("youngs_modulus_GPa", elements, fractions, y, groups=frame["reference_no"].to_numpy(), pure=pure)


def high_entropy_hardness(folder: Path) -> Table:
    """Vickers hardness of 155 as-cast alloys; Wen et al., Acta Mater. 170 (2019) 109."""
    frame = pd.read_csv(folder / "hea_hardness_wen155.csv")
    elements = ("Al", "Co", "Cr", "Cu", "Fe", "Ni")
    at_pct = frame[[f"{element}_at_pct" for element in elements]].to_numpy(np.float64)
    fractions = at_pct / at_pct.sum(axis=1, keepdims=True)
    return _table("hardness_HV", elements, fractions, frame["hardness_HV"].to_numpy(np.float64))


def on_columns(make: Maker, columns: list[int]) -> Any:
    """Make a model that sees some columns only."""
    return make_pipeline(ColumnTransformer([("seen", "passthrough", columns)]), make())


def baselines(table: Table) -> dict[str, Maker]:
    """What has to be beaten."""
    seen = table.columns("composition")
    mixture = partial(LinearMixture, pure=table.pure)
    return {
        "mean": MeanBaseline,
        "rule of mixtures": partial(on_columns, mixture, seen),
        "linear mixture, fitted": partial(on_columns, LinearMixture, seen),
    }


def candidates(table: Table, models: Sequence[str]) -> dict[str, Maker]:
    """Every model on every set of features."""
    return {
        f"{model}, {features}": partial(on_columns, partial(surrogate, model), table.columns(features))
        for model in models
        for features in ("composition", "descriptors", "both")
    }


def best(scores: Mapping[str, Scores], by: str) -> str:
    """Name the candidate with the lowest score of a kind."""
    return min(scores, key=lambda name: float(getattr(scores[name], by)))


@dataclass(frozen=True)
class Chosen:
    """Beliefs (n,) of each fold by the candidate that the other folds favour, and how often each was taken."""

    mean: FloatArray
    std: FloatArray
    taken: Counter[str]


def chosen(table: Table, folds: Sequence[Fold], models: Sequence[str]) -> dict[str, Chosen]:
    """Choose for each fold among the models without looking at it, by the error and by the CRPS of inner folds."""
    options = candidates(table, models)
    found = {by: Chosen(np.empty(len(table.y)), np.empty(len(table.y)), Counter()) for by in ("rmse", "crps")}
    for train, test in folds:
        X, y = table.X[train], table.y[train]
        groups = None if table.groups is None else table.groups[train]
        scores = choose(options, X, y, groups=groups, k=INNER_FOLDS).scores
        for by, so_far in found.items():
            name = best(scores, by)
            so_far.taken[name] += 1
            model = options[name]().fit(X, y)
            so_far.mean[test], so_far.std[test] = model.predict(table.X[test], return_std=True)
    return found


def ways(table: Table) -> Iterator[tuple[str, list[list[Fold]]]]:
    """Name the ways to leave rows out, each with the folds of every repetition."""
    yield "random tenths", [shuffled_folds(len(table.y), 10, seed) for seed in range(N_SHUFFLES)]
    if table.groups is not None:
        yield "whole papers", [group_folds(table.groups)]


def line(name: str, scores: Sequence[Scores]) -> str:
    """Render one row of the table: means over the repetitions."""
    mean = {key: np.mean([getattr(one, key) for one in scores]) for key in ("rmse", "r2", "coverage90", "crps")}
    return f"  {name:34s} {mean['rmse']:7.2f} {mean['r2']:6.2f} {mean['coverage90']:8.2f} {mean['crps']:7.2f}"


def report(table: Table, models: Sequence[str], nested: bool, say: Callable[[str], None] = print) -> None:
    """Print all scores of a table."""
    for way, repetitions in ways(table):
        say(f"\n{table.name}, {len(table.y)} alloys, {table.X.shape[1]} features, {way} left out")
        say(f"  {'':34s}    RMSE     R²  in 90 %    CRPS")
        for name, make in (baselines(table) | candidates(table, models)).items():
            scores = [Scores.of(table.y, *held_out(make, table.X, table.y, folds)) for folds in repetitions]
            say(line(name, scores))
        if nested:
            results = [chosen(table, folds, models) for folds in repetitions]
            for by in ("rmse", "crps"):
                of_all = [result[by] for result in results]
                scores = [Scores.of(table.y, one.mean, one.std) for one in of_all]
                say(line(f"chosen by {by.upper()} of inner folds", scores))
                taken = sum((one.taken for one in of_all), Counter[str]())
                say("    took " + "; ".join(f"{name} {n}×" for name, n in taken.most_common()))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the nested choice")
    parser.add_argument("--models", default="gaussian-process,extra-trees,forest", help="names, with commas")
    given = parser.parse_args()
    folder = shared_data()
    if folder is None:
        print(
            "Skipped: the literature tables are not here. They lie in ../shared/data, or where ALLOYLOOP_SHARED says."
        )
        return
    for table in (beta_titanium(folder), high_entropy_hardness(folder)):
        report(table, given.models.split(","), nested=not given.quick)


if __name__ == "__main__":
    main()
