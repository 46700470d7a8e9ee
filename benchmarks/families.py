"""Which family of models, when: every family of the registry on a dozen published tables, by rows that it had not seen.

    python benchmarks/families.py --write | tee benchmarks/results/families.txt    # some forty minutes on two cores
    python benchmarks/families.py --quick                                          # three tables, for a look
    python benchmarks/families.py --tables modulus,fatigue --families ridge,gaussian-process

Each table is read as `alloyloop compare --data` reads it, and every family sees the same: the composition and the
process. For every part that is left out, a family is tuned, and the width of its intervals found, within the other
parts alone. `--write` puts the tables of the page docs/families.md in their places. Nothing is cached. The tables are
looked for in ../shared/data, or where ALLOYLOOP_SHARED says; they are not ours to ship.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np
from beliefs import PRINTED, Result, machine, shared_data, verdict
from numpy.typing import NDArray

from alloyloop.campaigns.learning import evidence
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.design.beliefs import Evidence, Option, sources_of
from alloyloop.design.comparing import (
    Learner,
    choosing,
    judged,
    mean_baseline,
    mixture_baseline,
    without_process,
)
from alloyloop.design.features import Features, designs, feature_set
from alloyloop.surrogates import SURROGATES, AlloyloopError
from alloyloop.surrogates.base import family
from alloyloop.surrogates.left_out import LEAST_SOURCES
from alloyloop.surrogates.scores import Fold, group_folds
from alloyloop.surrogates.stack import MEMBERS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "families.md"
WHOLE, RANDOM = "left out whole", "left out by lot"
N_FOLDS = 5
# How parts are drawn. One shuffle will do to set families beside each other, but on tables of few rows; whether a stack
# is better than its best member in hindsight asks for all, since one lot makes one of them lucky.
SHUFFLES, FEW = (0, 1, 2), 30
# For the short answer: tables of no more rows are small, and so many families are named.
SMALL, N_NAMED = 120, 4
MOST_OVER = 1.03  # the stack's error over that of its best member
BASELINES: dict[str, Learner] = {"mean": mean_baseline, "linear mixture": mixture_baseline}


@dataclass(frozen=True, slots=True)
class Table:
    """A property of a published table.

    Parameters
    ----------
    file : below the folder of shared data, without its ending
    inputs, property, group : columns, as `snapshot_of` takes them
    said : what it is, in a few words
    kind : "strength", "corrosion" or "", for what the literature says of these
    at_most : a condition and the highest level of it at which rows are taken; it is then no feature
    without_process : whether families are also judged without the process columns
    """

    file: str
    inputs: str
    property: str
    said: str
    group: str = ""
    kind: str = ""
    at_most: tuple[str, float] | None = None
    without_process: bool = False


STEEL = "normalising_temperature_C,quenching_temperature_C,tempering_temperature_C,reduction_ratio,inclusion_*"
TABLES = {
    "fatigue": Table(
        "nims_steel_fatigue",
        f"*_wt_pct,Fe_wt_pct_by_balance,{STEEL}",
        "fatigue_strength_1e7_MPa",
        "fatigue strength of steels [MPa]",
        kind="strength",
        without_process=True,
    ),
    "density": Table(
        "lpbf_density_316l",
        f"{PRINTED},geometric_factor,atmosphere,printed_geometry,density_method",
        "relative_density_pct",
        "density of laser-melted 316L [%]",
        group="source_doi",
    ),
    "corrosion": Table(
        "hea_corrosion",
        "*_at_pct,pH_as_given,chloride_mol_per_L,sulfate_mol_per_L",
        "neg_log10_icorr_A_per_cm2_inferred",
        "corrosion current of high-entropy alloys [-log10 A/cm²], of low trust",
        kind="corrosion",
    ),
    "magnesium": Table(
        "mg_bio_cast_tensile",
        "*_wt_pct,heat_treatment",
        "yield_strength_MPa",
        "yield strength of cast magnesium [MPa]",
        kind="strength",
    ),
    "modulus": Table(
        "beta_ti_modulus", "*_wt_pct", "youngs_modulus_GPa", "modulus of beta titanium [GPa]", group="reference_no"
    ),
    "refractory": Table(
        "rhea_yield_strength",
        "*_at_pct,test_temperature_C",
        "yield_strength_MPa",
        "yield strength of refractory alloys at 20 to 25 °C [MPa]",
        kind="strength",
        at_most=("test_temperature_C", 25.0),
    ),
    "hardness": Table(
        "hea_hardness_wen155", "*_at_pct", "hardness_HV", "hardness of Al-Co-Cr-Cu-Fe-Ni, as cast [HV]", kind="strength"
    ),
    "martensite": Table("beta_ti_ms", "*_wt_pct", "Ms_K", "martensite start of titanium [K]", group="reference_no"),
    "hardness of papers": Table(
        "shippable/hea_hardness_literature",
        "*_at_pct,processing",
        "hardness_HV",
        "hardness of Al-Co-Cr-Cu-Fe-Ni, many papers [HV]",
        group="source",
        kind="strength",
    ),
    "campaign": Table(
        "birdshot_hea_year1", "??_at_pct,V_at_pct", "hardness_HV", "hardness of Al-Co-Cr-Fe-Ni-V [HV]", kind="strength"
    ),
    "printed strength": Table(
        "slm_316l_doe_train",
        "laser_power_W,scan_speed_mm_per_s,hatch_spacing_mm,layer_thickness_mm",
        "ultimate_tensile_strength_MPa",
        "tensile strength of laser-melted 316L [MPa]",
        kind="strength",
    ),
    "magnesium corrosion": Table(
        "shippable/mg_stent_literature",
        "*_wt_pct,Mg_wt_pct_by_balance",
        "corrosion_rate_in_vitro_mm_per_y",
        "corrosion rate of magnesium in vitro [mm/y]",
        group="source_doi",
        kind="corrosion",
    ),
}
QUICK = ("modulus", "campaign", "printed strength")
LINEAR_ONES = ("linear", "ridge", "lasso", "support-vector-linear")
KERNELS = ("gaussian-process", "kernel-ridge", "support-vector", "support-vector-laplacian")
FORESTS = ("forest", "extra-trees", "bagging")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """The rows of a table and what families see of them."""

    found: Evidence
    seen: Features

    @property
    def has_sources(self) -> bool:
        """Whether rows name sources enough to leave whole ones out; if so, it matters whether they are."""
        return bool((self.found.sources != "").any()) and len(np.unique(sources_of(self.found))) >= LEAST_SOURCES

    @property
    def groups(self) -> NDArray[np.str_]:
        """(n,) what is left out together: sources, where there are enough of them, else compositions, else designs."""
        if self.has_sources:
            return sources_of(self.found)
        alike = np.array([str(row) for row in self.found.alloys.fractions.round(6).tolist()])
        return alike if self.seen.composition else designs(self.found.alloys).astype(np.str_)

    @property
    def whole(self) -> str:
        """What is left out whole, in words."""
        kind = "sources" if self.has_sources else "compositions" if self.seen.composition else "designs"
        return f"{len(np.unique(self.groups))} {kind}"


@lru_cache(maxsize=1)
def loaded(name: str) -> Loaded:
    """Read a table."""
    folder, table = shared_data(), TABLES[name]
    if folder is None:
        raise AlloyloopError("the tables are not here", "Say where with ALLOYLOOP_SHARED.")
    snapshot = snapshot_of(folder / f"{table.file}.csv", table.inputs, table.property, table.group)
    found = evidence(snapshot, table.property)
    process = (*snapshot.space.process, *snapshot.space.conditions)
    if table.at_most is not None:
        condition, level = table.at_most
        found = found.rows(np.asarray(found.alloys.process[condition], dtype=np.float64) <= level)
        process = ()
    elements = found.alloys.elements
    has_elements = bool(snapshot.space.elements)
    seen = (
        feature_set("composition", (), elements, process)
        if has_elements
        else Features(elements, composition=False, process=process)
    )
    found = replace(found, companions=())
    return Loaded(found.rows(found.exact & seen.known(found.alloys)), seen)


@dataclass(frozen=True, slots=True)
class Job:
    """A family to be judged on a table.

    Parameters
    ----------
    table, way, family : names
    shuffles : seeds of the lots by which parts are left out
    process : False where process columns are kept back
    """

    table: str
    way: str
    family: str
    shuffles: tuple[int, ...]
    process: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What came of a job; `failed` says why nothing did."""

    job: Job
    seconds: float
    n_fits: int = 0
    result: Result | None = None
    failed: str = ""

    @property
    def rmse(self) -> float:
        """Root mean square error on rows left out, the mean over shuffles; NaN where there is none."""
        return float("nan") if self.result is None else self.result.score("rmse")

    @property
    def train_rmse(self) -> float:
        """That of the same models on the rows that they learned from."""
        return (
            float("nan") if self.result is None else float(np.mean([one.train["rmse"] for one in self.result.repeats]))
        )

    def __str__(self) -> str:
        if self.result is None:
            return f"  {self.job.family:28s} failed: {self.failed}"
        score = self.result.score
        return (
            f"  {self.job.family:28s} {self.rmse:9.4g} {score('r2'):6.2f} {score('coverage90'):7.0%} "
            f"{score('nll'):8.3f} {self.train_rmse:11.4g} {self.seconds / self.n_fits:10.2f}"
        )


def jobs(tables: Sequence[str], families: Sequence[str], quick: bool) -> Iterator[Job]:
    """All that is to be judged, table by table."""
    for name in tables:
        table = loaded(name)
        shuffles = SHUFFLES if len(table.found) <= FEW and not quick else SHUFFLES[:1]
        baselines = [baseline for baseline in BASELINES if table.seen.composition or baseline == "mean"]
        for way in (WHOLE, RANDOM) if table.has_sources else (WHOLE,):
            yield from (Job(name, way, one, shuffles) for one in (*families, *baselines))
        if TABLES[name].without_process:
            yield from (Job(name, WHOLE, one, shuffles, process=False) for one in families)
        if not quick and len(shuffles) < len(SHUFFLES) and "stack" in families:
            yield from (Job(name, WHOLE, one, SHUFFLES[1:]) for one in ("stack", *MEMBERS) if one in families)


def folds_of(table: Loaded, way: str, seed: int) -> list[Fold]:
    """Fifths chosen by lot: of whole groups, or of the rows, those of one design staying together."""
    groups = table.groups if way == WHOLE else designs(table.found.alloys)
    return group_folds(groups, N_FOLDS, seed)


def judge(job: Job) -> Done:
    """Let a family be judged on all rows that it has not seen."""
    table, began = loaded(job.table), time.process_time()
    option = Option(job.family, table.seen)
    if not job.process:
        option = without_process(option) or option
    learner = BASELINES.get(job.family) or choosing({option.model: option})
    found = replace(table.found, whole_sources=job.way == WHOLE)
    parts = [folds_of(table, job.way, seed) for seed in job.shuffles]
    try:
        result = Result(tuple(judged(found, learner, folds) for folds in parts))
    except (AlloyloopError, ValueError, ArithmeticError) as error:  # one family must not spoil the page
        return Done(job, time.process_time() - began, failed=f"{type(error).__name__}: {error}")
    return Done(job, time.process_time() - began, sum(len(folds) for folds in parts), result)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Everything that was judged, and what it says."""

    done: Sequence[Done]

    def of(self, way: str, *, process: bool = True) -> dict[str, dict[str, Done]]:
        """What came of each family by table."""
        found: dict[str, dict[str, Done]] = {}
        for one in self.done:
            is_asked = one.job.way == way and one.job.process == process and SHUFFLES[0] in one.job.shuffles
            if is_asked and one.result is not None:
                found.setdefault(one.job.table, {})[one.job.family] = one
        return found

    @property
    def families(self) -> list[str]:
        """Those that were judged on any table, baselines not among them."""
        return list(
            dict.fromkeys(one.job.family for one in self.done if one.result and one.job.family not in BASELINES)
        )

    def sections(self) -> dict[str, list[str]]:
        """The parts of the page that are written by this script."""
        return {
            "tables": list(self._tables()),
            "when": list(self._when()),
            "summary": list(self._summary()),
            "whole": list(self._errors(WHOLE)),
            "lot": list(self._errors(RANDOM)),
            "process": list(self._process()),
            "pattern": list(self._pattern()),
            "stack": list(self._stack()),
        }

    def _tables(self) -> Iterator[str]:
        yield from head("table", "property", "rows", "features", "left out whole")
        for name in self.of(WHOLE):
            table = loaded(name)
            cells = (TABLES[name].said, len(table.found), len(table.seen.names), table.whole)
            yield row(name, *map(str, cells))

    def _when(self) -> Iterator[str]:
        """The families that err least on tables of a kind."""
        ratios, tables = self._ratios(WHOLE), list(self.of(WHOLE))
        kinds = {
            f"up to {SMALL} rows": [name for name in tables if len(loaded(name).found) <= SMALL],
            f"more than {SMALL} rows": [name for name in tables if len(loaded(name).found) > SMALL],
            "the next alloy is another paper's": [name for name in tables if loaded(name).has_sources],
            "the next alloy is another composition": [
                name for name in tables if loaded(name).seen.composition and not loaded(name).has_sources
            ],
            "a process alone": [name for name in tables if not loaded(name).seen.composition],
        }
        yield from head("where", "tables", "err least (error over the best of each table, mean)")
        for words, of in kinds.items():
            means = {
                name: geometric_mean(by_table[table] for table in of)
                for name, by_table in ratios.items()
                if of and set(of) <= by_table.keys()
            }
            best = sorted(means, key=means.__getitem__)[:N_NAMED]
            yield row(words, str(len(of)), ", ".join(f"{name} ({means[name]:.2f})" for name in best))

    def _ratios(self, way: str) -> dict[str, dict[str, float]]:
        """RMSE of each family over that of the best, by table."""
        ratios: dict[str, dict[str, float]] = {}
        for table, by_family in self.of(way).items():
            best = min(one.rmse for name, one in by_family.items() if name not in BASELINES)
            for name, one in by_family.items():
                ratios.setdefault(name, {})[table] = one.rmse / best
        return ratios

    def _summary(self) -> Iterator[str]:
        whole, lot = self._ratios(WHOLE), self._ratios(RANDOM)
        yield from head(
            "family", "error: mean", "worst", "on", "by lot: mean", "training", "in 90 %", "by lot", "NLL", "s per fit"
        )
        nll = {
            table: {name: one.result.score("nll") for name, one in by_family.items() if one.result}
            for table, by_family in self.of(WHOLE).items()
        }
        for name in sorted(whole, key=lambda name: geometric_mean(whole[name].values())):
            ratios = whole[name]
            worst = max(ratios, key=ratios.__getitem__)
            own = [by_family[name] for by_family in self.of(WHOLE).values() if name in by_family]
            surplus = [of[name] - min(of.values()) for of in nll.values() if name in of]
            training = geometric_mean([max(one.train_rmse / one.rmse, 1e-3) for one in own])
            yield row(
                name,
                f"{geometric_mean(ratios.values()):.2f}",
                f"{ratios[worst]:.2f}",
                worst,
                f"{geometric_mean(lot[name].values()):.2f}" if name in lot else "-",
                f"{training:.2f}",
                f"{self.coverage(name, WHOLE):.0%}",
                f"{self.coverage(name, RANDOM):.0%}",
                f"+{np.mean(surplus):.2f}",
                f"{median(one.seconds / one.n_fits for one in own):.1f}",
            )

    def coverage(self, name: str, way: str) -> float:
        """Share of all rows of all tables that 90 % intervals held; NaN where none was judged so."""
        held = [of[name].result for of in self.of(way).values() if name in of]
        rows = [one.held for one in held if one is not None]
        return float(np.concatenate(rows).mean()) if rows else float("nan")

    def _errors(self, way: str) -> Iterator[str]:
        by_table, ratios = self.of(way), self._ratios(way)
        yield from head("family", *by_table)
        for name in sorted(ratios, key=lambda name: geometric_mean(ratios[name].values())):
            cells = []
            for table, by_family in by_table.items():
                told = f"{by_family[name].rmse:.3g}" if name in by_family else "-"
                cells.append(f"**{told}**" if ratios[name].get(table) == 1 else told)
            yield row(name, *cells)

    def _process(self) -> Iterator[str]:
        """Errors without and with process columns; where nothing is left without, the mean stands for that."""
        whole, bare = self.of(WHOLE), self.of(WHOLE, process=False)
        pairs: dict[str, dict[str, tuple[float, float]]] = {}
        for table, by_family in whole.items():
            if table not in bare and (loaded(table).seen.composition or "mean" not in by_family):
                continue
            without = bare.get(table) or dict.fromkeys(by_family, by_family["mean"])
            both = [name for name in self.families if name in by_family and name in without]
            pairs[table] = {name: (without[name].rmse, by_family[name].rmse) for name in both}
        yield from head("family", *(f"{table}: without → with" for table in pairs))
        for name in self.families:
            yield row(name, *("{:.3g} → {:.3g}".format(*of[name]) if name in of else "-" for of in pairs.values()))
        yield ""
        for table, of in pairs.items():
            ratios = {name: with_ / without for name, (without, with_) in of.items()}
            rises = [f"{name} ({ratio:.2f})" for name, ratio in ratios.items() if ratio >= 1]
            yield (
                f"- {table}: the error falls for {len(ratios) - len(rises)} of {len(ratios)} families, to "
                f"{median(ratios.values()):.2f} times what it was (median)"
                + (f"; not for {', '.join(rises)}." if rises else ".")
            )

    def _pattern(self) -> Iterator[str]:
        """Kernel models and forests beside linear ones, where the literature sets them above these."""
        yield from head("table", "linear", "kernels", "forests", "kernels ahead", "forests ahead")
        ahead = {"kernels": list[str](), "forests": list[str]()}
        asked = [name for name in self.of(WHOLE) if TABLES[name].kind]
        for name in asked:
            by_family = self.of(WHOLE)[name]

            def middle(names: Iterable[str], of: Mapping[str, Done] = by_family) -> float:
                return median([of[one].rmse for one in names if one in of] or [float("nan")])

            linear, kernels, forests = middle(LINEAR_ONES), middle(KERNELS), middle(FORESTS)
            for words, error in (("kernels", kernels), ("forests", forests)):
                if error < linear:
                    ahead[words].append(name)
            told = (
                f"{linear:.3g}",
                f"{kernels:.3g} ({kernels / linear:.2f})",
                f"{forests:.3g} ({forests / linear:.2f})",
            )
            yield row(f"{name} ({TABLES[name].kind})", *told, *("yes" if name in of else "no" for of in ahead.values()))
        yield ""
        for words, of in ahead.items():
            behind = [name for name in asked if name not in of]
            rest = f"; not on {', '.join(behind)}" if behind else ""
            yield f"- The {words} (their median) err less than the linear models on {len(of)} of {len(asked)}{rest}."

    def _stack(self) -> Iterator[str]:
        """The stack beside its members, over all shuffles."""
        errors: dict[str, dict[str, list[float]]] = {}
        for one in self.done:
            if one.job.family in ("stack", *MEMBERS) and one.job.way == WHOLE and one.job.process and one.result:
                own = errors.setdefault(one.job.table, {}).setdefault(one.job.family, [])
                own += [forecasts.scores["rmse"] for forecasts in one.result.forecasts]
        ratios: dict[str, dict[str, float]] = {}
        yield from head("table", "shuffles", "stack", *MEMBERS, "over the best")
        for table, by_family in errors.items():
            means = {name: float(np.mean(of)) for name, of in by_family.items()}
            if means.keys() < {"stack", *MEMBERS}:
                continue
            ratios[table] = {name: means["stack"] / means[name] for name in MEMBERS}
            told = (f"{means[name]:.4g}" for name in ("stack", *MEMBERS))
            yield row(table, str(len(by_family["stack"])), *told, f"{max(ratios[table].values()):.3f}")
        yield ""
        if ratios:
            worst = {table: max(of.values()) for table, of in ratios.items()}
            over = [f"{table} ({ratio:.3f})" for table, ratio in worst.items() if ratio > MOST_OVER]
            mean, rest = geometric_mean(worst.values()), f": {', '.join(over)}" if over else ""
            yield f"- {verdict(mean < 1)}: in the geometric mean it errs less than the best of each table: {mean:.3f}."
            yield f"- {verdict(not over)}: nowhere by more than {MOST_OVER - 1:.0%} more than that member{rest}."
            for name in MEMBERS:
                yield f"- Beside {name} everywhere: {geometric_mean(of[name] for of in ratios.values()):.3f}."

    def verdicts(self) -> Iterator[str]:
        """Whether intervals hold what they say, family by family."""
        for way in (WHOLE, RANDOM):
            shares = {name: self.coverage(name, way) for name in self.families}
            outside = [f"{name} {share:.1%}" for name, share in shares.items() if not 0.85 <= share <= 0.95]
            yield (
                f"{verdict(not outside)}: pooled over the tables, rows {way}, 90 % intervals hold 85 to 95 % for every "
                f"family{': not ' + ', '.join(outside) if outside else ''}"
            )


def head(*cells: str) -> Iterator[str]:
    """The first two lines of a Markdown table."""
    yield row(*cells)
    yield row(*("---" for _ in cells))


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def written(page: str, sections: Mapping[str, Sequence[str]]) -> str:
    """The page with each section between its markers, `<!-- begin NAME -->` and `<!-- end NAME -->`."""
    for name, lines in sections.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(pattern.findall(page)) != 1:
            raise AlloyloopError(f"the page has no place for {name}", f"Write {begin} and {end} into it, once.")
        inside = "\n".join((begin, "", *lines, "", end))
        page = pattern.sub(lambda _, inside=inside: inside, page)  # type: ignore[misc]
    return page


def main() -> None:
    """Judge, print, and write the page."""
    installed = [name for name in SURROGATES if family(name).is_installed]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(QUICK)}, one shuffle")
    parser.add_argument("--tables", default="", help=f"names, with commas: {', '.join(TABLES)}")
    parser.add_argument("--families", default="", help="names, with commas; all that are installed, where not given")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/families.md")
    given = parser.parse_args()
    if given.write and (given.quick or given.tables or given.families):
        parser.error("the page is of all tables and families: --write goes without --quick, --tables and --families")
    tables = given.tables.split(",") if given.tables else list(QUICK if given.quick else TABLES)
    families = given.families.split(",") if given.families else installed
    say = partial(print, flush=True)
    say(machine())
    missing = [
        f"{name} (pip install 'alloyloop[{family(name).extra}]')" for name in SURROGATES if name not in installed
    ]
    say(f"{len(families)} families{', not installed: ' + ', '.join(missing) if missing else ''}")
    if shared_data() is None:
        say("The tables are not here. They lie in ../shared/data, or where ALLOYLOOP_SHARED says.")
        return
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the workers
    began, done, last = time.perf_counter(), list[Done](), None
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        for one in pool.map(judge, list(jobs(tables, families, given.quick))):
            if (place := (one.job.table, one.job.way, one.job.process, one.job.shuffles)) != last:
                kept = "" if one.job.process else ", process columns kept back"
                again = f", shuffled {len(one.job.shuffles)} times" if len(one.job.shuffles) > 1 else ""
                table = loaded(one.job.table)
                say(f"\n{one.job.table}: {TABLES[one.job.table].said}, {len(table.found)} rows")
                say(f"{table.whole if one.job.way == WHOLE else 'rows'} {one.job.way}{kept}{again}")
                say(f"  {'':28s}      RMSE     R²  in 90 %     NLL  in training  s per fit")
                last = place
            say(str(one))
            done.append(one)
    page = Page(done)
    sections = page.sections()
    for name, lines in sections.items():
        say("", f"{name}:", *lines, sep="\n")
    say("", *page.verdicts(), f"{(time.perf_counter() - began) / 60:.1f} minutes, {given.workers} processes", sep="\n")
    if given.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), sections), encoding="utf-8")


if __name__ == "__main__":
    main()
