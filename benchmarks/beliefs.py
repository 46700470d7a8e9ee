"""How well a campaign believes on published tables: the choice it makes, beside what that must beat, in one run.

    python benchmarks/beliefs.py                       # some forty minutes on one core
    python benchmarks/beliefs.py --quick               # fewer folds and shuffles, no magnesium
    python benchmarks/beliefs.py --tables modulus,ms   # some of the tables

Each table is read as `alloyloop compare --data` reads it, and `auto` is what `model: auto` and `features: auto` do: for
every part that is left out, the models, the blend and the width of their intervals are chosen within the other parts
alone. Beside it stand the mean, a linear mixture, a Gaussian process of ours on the composition alone, and the models
of other libraries, all on the same folds. Forests, extra trees and boosted trees are tuned by cross-validation within
each training part; a Gaussian process tunes itself. The tables are not ours to ship, but for the built-in one: they are
looked for in ../shared/data, or where ALLOYLOOP_SHARED says. XGBoost is compared with where it is installed.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.learning import evidence, options, variations
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.beliefs import Evidence, Option, learn
from alloyloop.design.comparing import Judged, Learned, Learner, choosing, judged, mean_baseline, mixture_baseline
from alloyloop.design.features import Alloys, Features, feature_set
from alloyloop.surrogates import FloatArray, Prediction
from alloyloop.surrogates.scores import Fold, Forecasts, group_folds, shuffled_folds

RANDOM, PAPERS, COMPOSITIONS, NEXT = "random parts", "whole papers", "whole compositions", "the next batch"
# Sets with fewer rows are pooled, and not held to the bounds alone.
LEAST_ALONE = 100

Reach: TypeAlias = "Callable[[Mapping[str, Result]], Iterator[tuple[str, bool]]]"


@dataclass(frozen=True, eq=False)
class Result:
    """What came of one learner on one table.

    Parameters
    ----------
    repeats : how it did on the rows left out, once for every repetition of the folds
    """

    repeats: tuple[Judged, ...]

    @property
    def forecasts(self) -> list[Forecasts]:
        """What was believed of the rows left out, repetition by repetition."""
        return [one.held_out for one in self.repeats]

    def score(self, name: str) -> float:
        """A score of `Forecasts.scores`, the mean over the repetitions."""
        return float(np.mean([one.scores[name] for one in self.forecasts]))

    @property
    def total_nll(self) -> float:
        """Negative log-likelihood of all rows together, the mean over the repetitions."""
        return float(np.mean([-one.log_density.sum() for one in self.forecasts]))

    @property
    def held(self) -> FloatArray:
        """(n,) whether the 90 % interval held each row; of several repetitions, the share that did."""
        return np.asarray(np.mean([np.abs(2 * one.rank - 1) <= 0.9 for one in self.forecasts], axis=0))

    @property
    def taken(self) -> str:
        """In what share of the folds each option was taken, alone or as a part of a blend."""
        folds = [name.split(" + ") for one in self.repeats for name in one.taken]
        counts = Counter(part for parts in folds for part in parts)
        return "; ".join(f"{part} in {count / len(folds):.0%}" for part, count in counts.most_common())

    def __str__(self) -> str:
        told = f"{self.score('rmse'):9.3f} {self.score('r2'):6.2f}"
        if np.isnan(self.score("nll")):  # it does not say how sure it is
            return f"{told}       -        -        -"
        return f"{told} {self.score('nll'):7.3f} {self.score('coverage90'):8.3f} {self.score('sharpness'):8.3g}"


@dataclass(frozen=True, eq=False)
class Task:
    """One property of a table, and a way to leave rows of it out.

    Parameters
    ----------
    table : name of the table
    snapshot : the table as a campaign of its own
    found : the evidence of the property
    way : RANDOM, PAPERS, COMPOSITIONS or NEXT
    repetitions : of each the folds
    others : what is compared with `auto` beside the baselines, by name
    reach : what must be reached, in words, and whether it was
    """

    table: str
    snapshot: Snapshot
    found: Evidence
    way: str
    repetitions: Sequence[Sequence[Fold]]
    others: Mapping[str, Learner]
    reach: Reach = lambda results: iter(())


def shared_data() -> Path | None:
    """Folder of the tables, beside the repository or where ALLOYLOOP_SHARED says; None where there is none."""
    beside = Path(__file__).resolve().parents[1].parent / "shared"
    folder = Path(os.environ.get("ALLOYLOOP_SHARED", beside)) / "data"
    return folder if folder.is_dir() else None


def auto(snapshot: Snapshot) -> Learner:
    """Learn as a campaign does that leaves everything open."""

    def learner(known: Evidence) -> Learned:
        offered, left_out = options(snapshot, known)
        return choosing(offered, variations)(known.rows(~left_out))

    return learner


def plain(snapshot: Snapshot, found: Evidence) -> Learner:
    """A Gaussian process of ours on the composition and the process, its intervals set as `auto` sets them."""
    return choosing({"gaussian-process": Option("gaussian-process", _composition(snapshot, found))})


def _composition(snapshot: Snapshot, found: Evidence) -> Features:
    """Atomic fractions, of all elements that alloys hold, and the process."""
    process = (*snapshot.space.process, *snapshot.space.conditions)
    return feature_set("composition", (), found.alloys.elements, process)


def scikit_gaussian_process(seen: Features, nu: float) -> Learner:
    """scikit-learn's Gaussian process: constant times Matérn with a length for each feature, and white noise.

    Fractions are given in at.%; inputs have no other scaling, and the hyperparameters wide bounds and two restarts.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    wide = (1e-2, 1e4)

    def learner(known: Evidence) -> Learned:
        varies = np.ptp(seen.encode(known.alloys), axis=0) > 0

        def encode(alloys: Alloys) -> FloatArray:
            return np.asarray(100 * seen.encode(alloys)[:, varies])

        lengths: Any = np.full(varies.sum(), 20.0)
        kernel = ConstantKernel(1.0, wide) * Matern(lengths, wide, nu=nu) + WhiteKernel(0.1, (1e-5, 10.0))
        model: Any = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound
            model.fit(encode(known.alloys), known.values)

        def about(alloys: Alloys) -> Prediction:
            mean, std = model.predict(encode(alloys), return_std=True)
            return Prediction(mean, np.zeros(len(mean)), std)

        return Learned(f"scikit-learn GP, Matérn {nu}", about)

    return learner


def botorch_gaussian_process(seen: Features, *, scaled: bool, noise_told: bool) -> Learner:
    """BoTorch's SingleTaskGP with its defaults, fitted by fit_gpytorch_mll.

    Parameters
    ----------
    seen : its features
    scaled : whether they are brought to [0, 1] within the training part
    noise_told : whether it is told the noise of each value; its median where that is not known
    """
    import torch
    from botorch.exceptions.warnings import InputDataWarning
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Normalize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    def learner(known: Evidence) -> Learned:
        X = torch.from_numpy(seen.encode(known.alloys))
        told = (
            np.where(known.noise > 0, known.noise, np.nanmedian(known.noise[known.noise > 0])) if noise_told else None
        )
        variances = None if told is None else torch.from_numpy(told**2)[:, None]
        transform = Normalize(X.shape[1]) if scaled else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputDataWarning)
            model = SingleTaskGP(X, torch.from_numpy(known.values)[:, None], variances, input_transform=transform)
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))

        def about(alloys: Alloys) -> Prediction:
            with torch.no_grad():
                posterior = model.posterior(torch.from_numpy(seen.encode(alloys)), observation_noise=True)
            mean, variance = (part.detach().squeeze(-1).numpy() for part in (posterior.mean, posterior.variance))
            return Prediction(mean, np.zeros(len(mean)), np.sqrt(variance))

        return Learned("BoTorch", about)

    return learner


def tuned(seen: Features, estimator: Any, grid: Mapping[str, Sequence[Any]], way: str) -> Learner:
    """A regressor of scikit-learn's manners, its settings chosen by the error in three parts of what it is given.

    Parts are of whole compositions where these are left out. With no settings to choose from it is taken as it is.
    """
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    def learner(known: Evidence) -> Learned:
        model: Any = clone(estimator)
        if grid:
            folds = group_folds(groups_of(known, way), 3, 0)
            model = GridSearchCV(model, dict(grid), scoring="neg_mean_squared_error", cv=folds)
        model.fit(seen.encode(known.alloys), known.values)

        def about(alloys: Alloys) -> Prediction:
            mean = np.asarray(model.predict(seen.encode(alloys)), dtype=np.float64)
            return Prediction(mean, nothing := np.full(len(mean), np.nan), nothing)

        return Learned(type(estimator).__name__, about)

    return learner


def trees(seen: Features, way: str) -> dict[str, Learner]:
    """Tuned forests, extra trees and, where it is installed, XGBoost."""
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    grid: dict[str, Sequence[Any]] = {"max_features": [0.33, 0.66, 1.0], "min_samples_leaf": [1, 3]}
    learners = {
        "random forest, tuned": tuned(seen, RandomForestRegressor(200, random_state=0), grid, way),
        "extra trees, tuned": tuned(seen, ExtraTreesRegressor(200, random_state=0), grid, way),
    }
    if find_spec("xgboost") is not None:
        make = import_module("xgboost").XGBRegressor
        boosted = make(n_estimators=400, subsample=0.8, n_jobs=1, random_state=0)
        settings: dict[str, Sequence[Any]] = {"learning_rate": [0.03, 0.1], "max_depth": [3, 6]}
        settings["colsample_bytree"] = [0.5, 1.0]
        learners["XGBoost, tuned"] = tuned(seen, boosted, settings, way)
    return learners


def tuned_models(seen: Features) -> dict[str, Learner]:
    """What is to be beaten on whole compositions."""
    return {"scikit-learn GP, Matérn 5/2": scikit_gaussian_process(seen, 2.5), **trees(seen, COMPOSITIONS)}


def groups_of(found: Evidence, way: str) -> NDArray[np.str_]:
    """What is left out together, by a name for each row (n,)."""
    rows = np.array([f"row {i}" for i in range(len(found))], dtype=np.str_)
    if way == PAPERS:
        return np.where(found.sources != "", found.sources, rows)
    if way == COMPOSITIONS:
        return np.array([str(row) for row in found.alloys.fractions.round(6).tolist()], dtype=np.str_)
    return rows


def task(
    table: str,
    snapshot: Snapshot,
    name: str,
    way: str,
    repetitions: Callable[[Evidence], Sequence[Sequence[Fold]]],
    others: Callable[[Features], Mapping[str, Learner]] = lambda seen: {},
    reach: Reach = lambda results: iter(()),
) -> Task:
    """A task on the rows of a property that every option can take."""
    found = replace(evidence(snapshot, name), whole_sources=way != RANDOM)
    _, left_out = options(snapshot, found)
    found = found.rows(~left_out)
    return Task(table, snapshot, found, way, repetitions(found), others(_composition(snapshot, found)), reach)


def learners(asked: Task) -> dict[str, Learner]:
    """All that is compared, by name."""
    has_elements = bool(asked.snapshot.space.elements)
    return {
        "auto": auto(asked.snapshot),
        f"gaussian-process on {'composition' if has_elements else 'process'}": plain(asked.snapshot, asked.found),
        "mean": mean_baseline,
        **({"linear mixture": mixture_baseline} if has_elements else {}),
        **asked.others,
    }


def judge(asked: Task, learner: Learner) -> Result:
    """Let a learner be judged on all rows of a task that it has not seen."""
    return Result(tuple(judged(asked.found, learner, folds) for folds in asked.repetitions))


def run(asked: Task, say: Callable[[str], None]) -> Result:
    """Judge and print all learners of a task; return what came of `auto`."""
    started, found = time.perf_counter(), asked.found
    n_groups = len(np.unique(groups_of(found, asked.way)))
    n_folds = "/".join(dict.fromkeys(str(len(folds)) for folds in asked.repetitions))
    of = f" of {n_groups}" if asked.way in (PAPERS, COMPOSITIONS) else ""
    again = f", {len(asked.repetitions)} times" if len(asked.repetitions) > 1 else ""
    say(f"\n{asked.table}: {found.property}, {len(found)} rows, {asked.way}{of} left out in {n_folds} folds{again}")
    say(f"  {'':36s}     RMSE     R²     NLL  in 90 %    width   seconds")
    results: dict[str, Result] = {}
    for name, learner in learners(asked).items():
        began = time.perf_counter()
        results[name] = judge(asked, learner)
        say(f"  {name:36s} {results[name]} {time.perf_counter() - began:9.1f}")
    say(f"  auto took {results['auto'].taken}")
    for words, reached in asked.reach(results):
        say(f"  {verdict(reached)}: {words}")
    say(f"  {time.perf_counter() - started:.0f} s")
    return results["auto"]


def verdict(reached: bool) -> str:
    """In a word."""
    return "reached" if reached else "MISSED "


def at_most(limit: float, unit: str, score: str = "rmse") -> Reach:
    """`auto` errs no more than a limit."""

    def reach(results: Mapping[str, Result]) -> Iterator[tuple[str, bool]]:
        found = results["auto"].score(score)
        yield f"RMSE at most {limit:g} {unit}: {found:.4g}", found <= limit

    return reach


def not_worse(*than: str) -> Reach:
    """`auto` errs no more than the best of those whose names begin so."""

    def reach(results: Mapping[str, Result]) -> Iterator[tuple[str, bool]]:
        errors = {name: one.score("rmse") for name, one in results.items() if name.startswith(than)}
        best, found = min(errors, key=errors.__getitem__), results["auto"].score("rmse")
        yield f"not worse than the best of the others, {best} {errors[best]:.4g}: {found:.4g}", found <= errors[best]

    return reach


def all_of(*parts: Reach) -> Reach:
    """Several."""
    return lambda results: (one for part in parts for one in part(results))


def likelier(results: Mapping[str, Result]) -> Iterator[tuple[str, bool]]:
    """`auto` makes the next batches likelier than a plain BoTorch Gaussian process."""
    found, other = results["auto"].total_nll, results["BoTorch SingleTaskGP"].total_nll
    yield f"summed NLL below BoTorch's, {other:.1f}: {found:.1f}", found < other


def next_batches(batches: NDArray[np.str_]) -> list[Fold]:
    """For each batch but the first: the rows of all before it, and its own."""
    names = np.unique(batches)
    return [(np.flatnonzero(batches < name), np.flatnonzero(batches == name)) for name in names[1:]]


def floor(asked: Task, error: float) -> Iterator[str]:
    """How far apart papers are on nearly the same alloy, which no model can foretell, and how near an error is to that.

    A measurement's scatter by pairs of near alloys, whose values differ by √2 of it and by what the alloys differ; and
    as a Gaussian process finds it, that knows where alloys differ.
    """
    found = asked.found
    at_pct = 50 * cdist(found.alloys.fractions, found.alloys.fractions, "cityblock")
    first, second = np.triu_indices(len(found), 1)
    difference, foreign = found.values[first] - found.values[second], found.sources[first] != found.sources[second]
    yield f"The floor set by scatter between papers, {asked.found.property}:"
    for within in (0.5, 1.0, 2.0):
        near = at_pct[first, second] <= within
        of_two, of_one = (
            f"{_scatter(difference[near & part])} in {(near & part).sum()}" for part in (foreign, ~foreign)
        )
        yield f"  within {within:g} at.% measurements scatter by {of_two} pairs of two papers, {of_one} of one"
    model: Any = learn(found, Option("gaussian-process", _composition(asked.snapshot, found))).surrogate
    yield f"  fitted: offset of a paper {model.source_std_:.2f}, with the scatter of a measurement {model.noise_:.2f}"
    yield f"  auto errs {error:.2f}, {error / model.noise_ - 1:+.0%} of the fitted floor"


def _scatter(differences: FloatArray) -> str:
    """Standard deviation of one of two, by their differences."""
    return f"{np.sqrt(np.mean(differences**2) / 2):.2f}" if len(differences) else "-"


def tenths(quick: bool, shuffles: int = 1) -> Callable[[Evidence], Sequence[Sequence[Fold]]]:
    """Random tenths, or fifths where it must be quick."""
    return lambda found: [
        shuffled_folds(len(found), 5 if quick else 10, seed) for seed in range(1 if quick else shuffles)
    ]


def grouped(way: str, k: int | None) -> Callable[[Evidence], Sequence[Sequence[Fold]]]:
    """Whole groups: in k parts chosen by lot, or each alone; fewer groups than parts are left out one by one."""

    def repetitions(found: Evidence) -> Sequence[Sequence[Fold]]:
        groups = groups_of(found, way)
        alone = k is None or len(np.unique(groups)) <= k
        return [group_folds(groups) if alone else group_folds(groups, k, 0)]

    return repetitions


def built_in(_: Path | None, quick: bool) -> Iterator[Task]:
    """The modulus of the built-in campaign."""
    with TemporaryDirectory() as place:
        snapshot = Campaign.new(Path(place) / "beta-ti", "beta-ti").snapshot()
    yield task("beta-ti (built in)", snapshot, "youngs_modulus_GPa", PAPERS, grouped(PAPERS, 10))
    yield task("beta-ti (built in)", snapshot, "youngs_modulus_GPa", RANDOM, tenths(quick))


def hardness(folder: Path, quick: bool) -> Iterator[Task]:
    """As-cast Al-Co-Cr-Cu-Fe-Ni; Wen et al., Acta Mater. 170 (2019) 109."""
    from sklearn.ensemble import ExtraTreesRegressor

    snapshot = snapshot_of(folder / "hea_hardness_wen155.csv", "*_at_pct", "hardness_HV")

    def others(seen: Features) -> dict[str, Learner]:
        return {
            "scikit-learn GP, Matérn 5/2": scikit_gaussian_process(seen, 2.5),
            "scikit-learn GP, Matérn 3/2": scikit_gaussian_process(seen, 1.5),
            "extra trees": tuned(seen, ExtraTreesRegressor(300, random_state=0), {}, RANDOM),
        }

    reach = all_of(at_most(38, "HV"), not_worse("scikit-learn"))
    yield task("hea_hardness_wen155", snapshot, "hardness_HV", RANDOM, tenths(quick, 5), others, reach)


def strength(folder: Path, quick: bool) -> Iterator[Task]:
    """Yield strength of refractory alloys from room temperature up."""
    snapshot = snapshot_of(folder / "rhea_yield_strength.csv", "*_at_pct,test_temperature_C", "yield_strength_MPa")
    yield task(
        "rhea_yield_strength",
        snapshot,
        "yield_strength_MPa",
        COMPOSITIONS,
        grouped(COMPOSITIONS, 3 if quick else 10),
        tuned_models,
        not_worse("random forest", "XGBoost", "scikit-learn"),
    )


def magnesium(folder: Path, quick: bool) -> Iterator[Task]:
    """Tensile properties of magnesium alloys, by composition and kind of process."""
    names = ("yield_strength_MPa", "ultimate_tensile_strength_MPa", "elongation_pct")
    snapshot = snapshot_of(folder / "mg_alloys_tensile_m916.csv", "*_wt_pct,process_class", ",".join(names))
    for name in names[: 1 if quick else None]:
        yield task(
            "mg_alloys_tensile_m916",
            snapshot,
            name,
            COMPOSITIONS,
            grouped(COMPOSITIONS, 3),
            lambda seen: (
                {"scikit-learn GP, Matérn 5/2": scikit_gaussian_process(seen, 2.5)} | trees(seen, COMPOSITIONS)
            ),
            not_worse("random forest", "XGBoost", "scikit-learn"),
        )


def modulus(folder: Path, quick: bool) -> Iterator[Task]:
    """Young's modulus of beta titanium from 38 papers."""
    snapshot = snapshot_of(folder / "beta_ti_modulus.csv", "*_wt_pct", "youngs_modulus_GPa", "reference_no")
    ways = grouped(PAPERS, 10 if quick else None)
    yield task("beta_ti_modulus", snapshot, "youngs_modulus_GPa", PAPERS, ways, reach=at_most(10.2, "GPa"))
    yield task("beta_ti_modulus", snapshot, "youngs_modulus_GPa", RANDOM, tenths(quick))


def martensite(folder: Path, quick: bool) -> Iterator[Task]:
    """Martensite start of beta titanium from 25 papers."""
    snapshot = snapshot_of(folder / "beta_ti_ms.csv", "*_wt_pct", "Ms_K", "reference_no")
    ways = grouped(PAPERS, 10 if quick else None)
    yield task("beta_ti_ms", snapshot, "Ms_K", PAPERS, ways, reach=at_most(58, "K"))
    yield task("beta_ti_ms", snapshot, "Ms_K", RANDOM, tenths(quick))


# Further tables with papers: file, inputs, properties, column of the paper.
PRINTED = "laser_power_W,scan_speed_mm_per_s,hatch_spacing_mm,layer_thickness_mm,spot_size_mm,powder_D50_um"
WITH_PAPERS = (
    ("mpea_nsgan_subset", "*_at_pct", ("hardness_HV", "yield_strength_MPa"), "source"),
    (
        "lpbf_density_316l",
        f"{PRINTED},geometric_factor,atmosphere,printed_geometry,density_method",
        ("relative_density_pct",),
        "source_doi",
    ),
    ("shippable/beta_ti_literature", "??_wt_pct,V_wt_pct", ("youngs_modulus_GPa",), "source_doi_or_url"),
    ("shippable/hea_hardness_literature", "*_at_pct,processing", ("hardness_HV",), "source"),
)


def papers(folder: Path, quick: bool) -> Iterator[Task]:
    """What else has papers to be left out: for the intervals."""
    for file, inputs, names, column in WITH_PAPERS:
        for name in names:
            snapshot = snapshot_of(folder / f"{file}.csv", inputs, name, column)
            yield task(file, snapshot, name, PAPERS, grouped(PAPERS, 5 if quick else 10))
            yield task(file, snapshot, name, RANDOM, tenths(quick=True))


def campaign(folder: Path, quick: bool) -> Iterator[Task]:
    """Five batches of a Bayesian campaign on Al-Co-Cr-Fe-Ni-V: each foretold from those before it."""
    names = ("hardness_HV", "yield_strength_MPa", "elongation_true_pct")
    snapshot = snapshot_of(folder / "birdshot_hea_year1.csv", "??_at_pct,V_at_pct", ",".join(names), "batch")

    def others(seen: Features) -> dict[str, Learner]:
        plain = partial(botorch_gaussian_process, seen)
        return {
            "BoTorch SingleTaskGP": plain(scaled=False, noise_told=False),
            "BoTorch, inputs normalised": plain(scaled=True, noise_told=False),
            "BoTorch, noise told": plain(scaled=False, noise_told=True),
        }

    for name in names:
        made = task("birdshot_hea_year1", snapshot, name, NEXT, lambda found: (), others, likelier)
        folds = next_batches(made.found.sources)
        # One laboratory made them all: batches are no sources.
        yield replace(made, repetitions=[folds], found=_of_one_source(made.found))


def _of_one_source(found: Evidence) -> Evidence:
    companions = tuple(_of_one_source(one) for one in found.companions)
    return replace(found, sources=np.full(len(found), ""), companions=companions)


TABLES: dict[str, Callable[[Any, bool], Iterator[Task]]] = {
    "beta-ti": built_in,
    "modulus": modulus,
    "ms": martensite,
    "campaign": campaign,
    "hardness": hardness,
    "papers": papers,
    "strength": strength,
    "magnesium": magnesium,
}


def pooled(done: Sequence[tuple[Task, Result]], way: str, low: float, high: float) -> Iterator[str]:
    """The share of all rows of several tables that 90 % intervals held, and each table's own."""
    of_way = [(asked, one.held) for asked, one in done if asked.way == way]
    if not of_way:
        return
    every = np.concatenate([held for _, held in of_way])
    yield f"\n90 % intervals, {way} left out"
    share = float(every.mean())
    yield f"  {verdict(low <= share <= high)}: pooled {low:.0%} to {high:.0%}: {share:.1%} of {len(every)}"
    for asked, held in of_way:
        is_judged = way == PAPERS and len(held) >= LEAST_ALONE
        word = verdict(bool(0.8 <= held.mean() <= 0.97)) if is_judged else "       "
        yield f"  {word}  {asked.table}, {asked.found.property}: {held.mean():.1%} of {len(held)}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer folds and shuffles, one property of magnesium")
    parser.add_argument("--tables", default=",".join(TABLES), help=f"names, with commas: {', '.join(TABLES)}")
    given = parser.parse_args()
    say = partial(print, flush=True)
    say(machine())
    folder, done = shared_data(), list[tuple[Task, Result]]()
    with threadpool_limits(limits=1):
        for name in given.tables.split(","):
            if folder is None and name != "beta-ti":
                say(
                    f"Skipped {name}: its table is not here. It lies in ../shared/data, or where ALLOYLOOP_SHARED says."
                )
                continue
            for asked in TABLES[name](folder, given.quick):
                done.append((asked, run(asked, say)))
                if asked.way == PAPERS and name in ("modulus", "ms"):
                    for line in floor(asked, done[-1][1].score("rmse")):
                        say(line)
    for line in (*pooled(done, PAPERS, 0.86, 0.94), *pooled(done, RANDOM, 0.88, 0.92)):
        say(line)


def machine() -> str:
    """The day, the machine and the versions."""
    packages = []
    for name in ("alloyloop", "numpy", "scipy", "scikit-learn", "torch", "botorch", "xgboost-cpu", "xgboost"):
        with suppress(PackageNotFoundError):
            packages.append(f"{name} {version(name)}")
    of = f"{platform.machine()}, {os.cpu_count()} cores, one thread, Python {platform.python_version()}"
    return f"{date.today()}, {of}, {', '.join(packages)}"


if __name__ == "__main__":
    main()
