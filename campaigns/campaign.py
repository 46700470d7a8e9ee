"""A campaign: a folder of plain files, and the verbs that ask and change it."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from ..surrogates.errors import AlloyloopError
from .answers import Answer, Answers, Json
from .changes import Change
from .examining import check, refuse_if_empty
from .files import read_bytes, write_atomically
from .folder import GIT_ATTRIBUTES, Folder
from .history import History
from .journal import digest, read_heads, read_journal, write_event
from .named import named
from .notebook import Progress, shown
from .problems import Problem
from .reading import counted
from .recording import Given, Result, entered, read_results, with_reasons
from .sheet import Sheet, sheet_bytes
from .snapshot import Snapshot, nearest_design, read_snapshot, why_not
from .status import Status, status
from .templates import template
from .writing import Writer, changing

if TYPE_CHECKING:
    import pandas as pd

    from ..design.melt import Stock
    from .backtested import Backtested
    from .comparison import Compared
    from .explaining import AlloyExplained, ModelsExplained
    from .furnaces import FurnaceLosses
    from .inverting import Inverted
    from .melting import MeltSheet
    from .plotting import Plots
    from .refitting import Refitted
    from .screening import Screened
    from .undoing import Undoing
    from .verifying import Verified
    from .wanting import Held, Wishes
    from .windowing import Tolerated, Windowed


# Of the best alloys so many are shown, where nobody says how many.
MOST_BEST = 5


class Campaign:
    """A view of one campaign folder. Every verb reads the files as they are now, and each change is one atomic write.

    Parameters
    ----------
    path : the folder; `Campaign.open` also checks it

    Examples
    --------
    >>> campaign = Campaign.open("my-ti")  # doctest: +SKIP
    >>> campaign.suggest(4)  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = Folder(Path(path))

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a campaign.

        Raises
        ------
        CampaignFileError
            where campaign.yaml or experiments.csv has a mistake; names every one
        AlloyloopError
            where the folder is not a campaign
        """
        campaign = cls(path)
        campaign.snapshot()
        return campaign

    @classmethod
    def new(cls, path: str | Path, name: str = "beta-ti") -> Self:
        """Make a campaign from a built-in one (`templates()` names them).

        Raises
        ------
        AlloyloopError
            where there is no such template, or the folder is there already and not empty
        """
        files = {file.name: read_bytes(file) for file in template(name).files}
        return cls.written(path, files, {"template": name})

    @classmethod
    def written(cls, path: str | Path, files: Mapping[str, bytes], how: Json) -> Self:
        """Write a new campaign's files into a folder that is not there yet or empty; `how` goes into its journal."""
        folder = Folder(Path(path))
        if folder.path.exists() and (not folder.path.is_dir() or any(folder.path.iterdir())):
            raise AlloyloopError(f"{path} is there already", "Name a folder that is not, or empty it.")
        staged = Folder(folder.path.with_name(f".{folder.path.name}.new"))
        try:
            shutil.rmtree(staged.path, ignore_errors=True)
            staged.path.mkdir(parents=True)
            for file, content in {**files, ".gitattributes": GIT_ATTRIBUTES.encode()}.items():
                write_atomically(staged.path / file, content)
            written = (staged.question.name, staged.experiments.name)
            write_event(staged.journal, "new", {**how, "digests": _digests(staged, written)})
            if folder.path.exists():
                folder.path.rmdir()
            staged.path.replace(folder.path)
        except OSError as error:
            raise AlloyloopError(f"{path} cannot be made: {error.strerror}", "Name another folder.") from error
        finally:
            shutil.rmtree(staged.path, ignore_errors=True)
        return cls(path)

    def snapshot(self) -> Snapshot:
        """The question, the space and the table as they are now."""
        return read_snapshot(self.folder)

    def check(self) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
        """Every mistake in the files, and every remark on what was rounded, scaled or assumed."""
        checked = check(self.folder)
        return checked.problems, checked.remarks

    # -- the two verbs --------------------------------------------------------------------------------------------

    def suggest(
        self,
        n: int | None = None,
        *,
        dry_run: bool = False,
        own: Sequence[str] = (),
        start: str | None = None,
        search: str | None = None,
        acquisition: str | None = None,
        explore: float | None = None,
    ) -> Answers:
        """Propose the next alloys, write them into experiments.csv, and freeze the round.

        Parameters
        ----------
        n : how many; the campaign's `batch` where not given
        dry_run : write nothing
        own : names of alloys of the user's, judged beside (at the end of the answer, under their names)
        start : how the first designs are chosen, before anything pursued is measured: `space-filling` where not given,
            `d-optimal` or `i-optimal`
        search : how the best alloys are looked for: `exchange`, from the best of a broad sample to ever better
            neighbours, or `population`, by differential evolution; the campaign's `search` where not given
        acquisition : what they are looked for by, a name of `alloyloop.design.acquisition_names` or `auto`; the
            campaign's where not given
        explore : between 0, greedy, and 1, only to learn; the campaign's where not given

        Returns
        -------
        the alloys, in the order they were picked
        """
        from .suggesting import Manner, suggest

        with ExitStack() as held:
            writer = None if dry_run else held.enter_context(changing(self.folder, "suggest"))
            snapshot = self.snapshot() if writer is None else writer.snapshot
            heads = read_heads(self.folder.journal) if writer is None else writer.heads
            n = snapshot.spec.batch if n is None else n
            if not 1 <= n <= 96:
                raise AlloyloopError(f"{n} alloys cannot be suggested", "Ask for 1 to 96.")
            number = _next_round(snapshot, heads.last_round)
            asked = named(snapshot, own)
            remarks = refuse_if_empty(snapshot)
            with snapshot.asking():
                suggestion = suggest(snapshot, n, number, asked, Manner(start, search, acquisition, explore))
            answers = Answers(suggestion.alloys, (*remarks, *suggestion.remarks), number, suggestion.beside)
            if writer is not None:
                _write_round(writer, answers, suggestion.decision)
        return answers

    def record(
        self,
        results: str | pd.DataFrame | Sheet | Path,
        *words: str,
        status: str = "",
        because: str = "",
        measured: str = "",
        source: str = "",
        derive: Sequence[str] = (),
    ) -> tuple[Result, ...]:
        """Take measurements back; only the cells named in them change. See docs/recording.md.

        Parameters
        ----------
        results : the id of one alloy, or the name of one that was never proposed, followed by words; or a table with
            an id column: a DataFrame, a sheet or a path
        words : such as `youngs_modulus_GPa=58.2,59.1,57.7`; several numbers are replicates
        status : such as `failed`; `measured` where a property is given
        because : the reason of a failure
        measured : the composition as analysed, such as `Ti-24.3Nb-4.1Zr wt`
        source : a furnace, a laboratory, a paper
        derive : of a table, `NAME=METHOD(INPUT=COLUMN, …)`: properties that are computed from its columns

        Returns
        -------
        what was entered, and how surprising it was
        """
        with changing(self.folder, "record") as writer:
            snapshot = writer.snapshot
            read = read_results(snapshot, results, words, Given(status, because, measured, source, tuple(derive)))
            table = entered(snapshot.table, read)
            details: Json = {
                "results": {r.id: dict(r.cells) for r in read},
                "before": {r.id: dict(r.before) for r in read},
            }
            if told := {r.id: dict(r.told) for r in read if r.told}:
                details["told"] = told
            writer.commit("record", Change.between(writer.sheet, table.sheet), details)
        return tuple(with_reasons(replace(snapshot, table=table), result) for result in read)

    def refitted(self, before: Snapshot, recorded: Sequence[str]) -> Refitted:
        """What results changed in what is believed of them, of the alloys that wait, and of the best; fits models.

        Parameters
        ----------
        before : the campaign as it was before they were recorded
        recorded : ids of the rows that they are of
        """
        from .refitting import refitted

        return refitted(before, self.snapshot(), recorded)

    def withdraw(self, *ids: str, because: str, replace: bool = False) -> Answers:
        """Give alloys up: they are no longer pending, and not proposed again; see docs/journal.md.

        Parameters
        ----------
        ids : of the alloys
        because : why
        replace : whether as many others are proposed in their place, as a round of their own that knows what is pending

        Returns
        -------
        what is proposed in their place; no alloy where `replace` is not asked for
        """
        from .withdrawing import withdrawal

        with changing(self.folder, "withdraw") as writer:
            change = withdrawal(writer.snapshot, ids, because)
            writer.commit("withdraw", change, {"ids": list(ids), "because": because})
        return self.suggest(len(ids)) if replace else Answers(())

    def undo(self, *, dry_run: bool = False) -> Undoing:
        """Take back what was suggested, recorded, withdrawn or edited last and is not taken back yet.

        Parameters
        ----------
        dry_run : only say what would be taken back
        """
        from .undoing import undoing

        return self._taken_back("undo", undoing, dry_run)

    def redo(self, *, dry_run: bool = False) -> Undoing:
        """Put back what the last undo took back.

        Parameters
        ----------
        dry_run : only say what would be put back
        """
        from .undoing import redoing

        return self._taken_back("redo", redoing, dry_run)

    def _taken_back(self, verb: str, choose: Callable[[History, Sheet], Undoing], dry_run: bool) -> Undoing:
        if dry_run:
            return choose(History.of(read_journal(self.folder.journal)), self.snapshot().table.sheet)
        with changing(self.folder, verb) as writer:
            chosen = choose(History.of(writer.events()), writer.sheet)
            writer.commit(chosen.what, chosen.change, chosen.details)
        return chosen

    # -- questions ------------------------------------------------------------------------------------------------

    def verify(self, *, again: bool = True, progress: Progress | None = None) -> Verified:
        """Whether the journal is whole, the files are as it left them, and past rounds come out again as they did.

        Parameters
        ----------
        again : whether to make every round again from its frozen inputs, which takes as long as `suggest` did
        progress : told how many rounds were made again, and of how many
        """
        from .verifying import verify

        with shown("rounds made again", progress) as told:
            return verify(self.folder, again=again, progress=told)

    def status(self) -> Status:
        """Where the campaign stands; models are not fitted for it."""
        return status(self.snapshot())

    def best(self, n: int | None = None) -> Answers:
        """The best alloys measured so far that keep the limits, best first, with what is believed of them.

        Parameters
        ----------
        n : how many; where not given five, or all of a Pareto front of more
        """
        from .judging import judge
        from .learning import believe

        snapshot = self.snapshot()
        stands = status(snapshot)
        if n is None:
            n = max(MOST_BEST, 0 if stands.front is None else len(stands.front.alloys))
        rows = list(stands.ranking[:n])
        process = {name: values[rows] for name, values in snapshot.process.items()}
        with snapshot.asking():
            beliefs = believe(snapshot)
            answers = judge(
                snapshot,
                beliefs,
                [snapshot.table.ids[row] for row in rows],
                [snapshot.composition(row) for row in rows],
                process,
                why=["" if stands.front is None else stands.front.place(snapshot.table.ids[row]) for row in rows],
                measured=[snapshot.measured(row) for row in rows],
            )
        return Answers(answers, (*snapshot.remarks, *beliefs.remarks))

    def predict(self, alloys: str | Sequence[str] = (), process: Mapping[str, float | str] | None = None) -> Answers:
        """What is believed of given alloys, and why they could not be proposed.

        Parameters
        ----------
        alloys : names such as `Ti-12Nb-12Zr-12Sn wt`; in a campaign without a composition, process values such as
            `laser_power_W=200, scan_speed_mm_per_s=800`
        process : process values by name that all of them share; those not given are not known
        """
        from .judging import judge
        from .learning import believe

        snapshot = self.snapshot()
        asked = named(snapshot, [alloys] if isinstance(alloys, str) else alloys, process)
        if not asked.names:
            like = "Ti-12Nb-12Zr-12Sn wt" if snapshot.space.elements else "laser_power_W=200, quench=water"
            raise AlloyloopError("Nothing is named that could be predicted", f"Name it like '{like}'.")
        with snapshot.asking():
            beliefs = believe(snapshot)
            answers = judge(snapshot, beliefs, asked.names, asked.compositions, asked.process)
        flagged = []
        for i, answer in enumerate(answers):
            one = {name: values[[i]] for name, values in asked.process.items()}
            reasons = why_not(snapshot, answer.composition, one)
            would = tuple(f"would not be proposed: {reason}" for reason in reasons)
            if reasons and (near := nearest_design(snapshot, answer.composition, one)):
                would += (f"the nearest design that could be: {near}",)
            flagged.append(replace(answer, flags=(*would, *answer.flags)))
        return Answers(tuple(flagged), (*snapshot.remarks, *beliefs.remarks))

    def explain(
        self, alloy: str = "", process: Mapping[str, float | str] | None = None, *, shap: bool = False
    ) -> ModelsExplained | AlloyExplained:
        """Why the campaign believes what it believes; see docs/explaining.md.

        Parameters
        ----------
        alloy : the id of a row, or a name as for `predict`, to explain what is predicted of it and why it was chosen;
            the models are explained where it is empty
        process : process values of an alloy that is named; those not given are not known
        shap : whether to share what is predicted among the features that the models see, too (the extra `shap`)
        """
        from .explaining import explain_alloy, explain_models

        snapshot = self.snapshot()
        with snapshot.asking():
            if not alloy:
                return explain_models(snapshot, shap=shap)
            return explain_alloy(snapshot, alloy, process, shap=shap)

    def compare(
        self,
        repeats: int = 3,
        models: Sequence[str] = (),
        minutes: float = 10.0,
        *,
        progress: Progress | None = None,
    ) -> Compared:
        """All models on this campaign's data, on rows and whole sources that they had not seen; see docs/comparing.md.

        Parameters
        ----------
        repeats : how often leaving out by lot is repeated with other lots
        models : names of models, or `auto`; where empty those that `auto` chooses from, `auto`, and the campaign's own
        minutes : after which nothing more is begun
        progress : told how many parts of the comparison are done, and of how many
        """
        from .comparing import Asked, compare

        snapshot = self.snapshot()
        with snapshot.asking(), shown("parts compared", progress) as told:
            return compare(snapshot, Asked(repeats, tuple(models), minutes), progress=told)

    def backtest(
        self,
        strategies: Sequence[str] = (),
        *,
        start: int = 5,
        batch: int | None = None,
        budget: int | None = None,
        seeds: int = 20,
        noisy: bool = False,
        oracle: bool = False,
        fix: Held = (),
        resume: bool = False,
        workers: int | None = None,
        cluster: str | None = None,
        progress: Progress | None = None,
    ) -> Backtested:
        """Had this been used from the start, how many melts would it have saved; see docs/backtesting.md.

        Parameters
        ----------
        strategies : names, such as `auto`, `forest`, `greedy` and `random`; these and `gaussian-process` where empty
        start : how many random alloys each run begins with
        batch : how many are made at a time; the campaign's by default
        budget : how many are made in all, those of the start counted; 60, or all that there are, by default
        seeds : how many runs of each strategy
        noisy : whether strategies see a random repeat of each alloy, and not the mean
        oracle : whether a model stands in for the table (SYNTHETIC) although it has alloys enough
        fix : what is held, as of `inverse`: only rows that fit are candidates
        resume : go on with the same backtest after it was stopped
        workers : processes of this machine to use
        cluster : address of a Dask scheduler
        progress : told how many runs are done, and of how many
        """
        from .backtesting import STRATEGIES, Asked, backtest

        asked = Asked(tuple(strategies) or STRATEGIES, start, batch, budget, seeds, noisy, oracle, fix)
        with shown("runs", progress) as told:
            return backtest(self.snapshot(), asked, resume=resume, workers=workers, cluster=cluster, progress=told)

    def screen(
        self,
        top: int = 100,
        by: str = "",
        *,
        stages: Sequence[str] = (),
        range: tuple[int | None, int | None] | None = None,
        front: bool = True,
        resume: bool = False,
        workers: int | None = None,
        cluster: str | None = None,
        progress: Progress | None = None,
    ) -> Screened:
        """The best of all designs of the space, or of a range of it, and a Pareto front; see docs/screening.md.

        Parameters
        ----------
        top : how many of the best
        by : `expected-improvement`, `probability`, or the name of a property or descriptor, perhaps after `minimize` or
            `maximize`; what the goals suggest where it is empty
        stages : what designs must pass, such as `price_usd_per_kg <= 60` or `P(yield_strength_MPa >= 800) >= 0.9`
        range : (start, stop) indices of the space; all where it is None
        front : whether to keep a Pareto front as well
        resume : go on with the same screen after it was stopped
        workers, cluster : processes of this machine, or the address of a Dask scheduler; this process without them
        progress : told how many designs have been looked at, and of how many
        """
        from .screening import Asked, screen

        snapshot = self.snapshot()
        with snapshot.asking(), shown("designs looked at", progress) as told:
            return screen(
                snapshot,
                Asked(top, by, tuple(stages), range, front),
                resume=resume,
                workers=workers,
                cluster=cluster,
                progress=told,
            )

    def inverse(
        self,
        wants: Wishes | None = None,
        n: int = 5,
        probability: float = 0.8,
        *,
        fix: Held = (),
        noise: bool = True,
    ) -> Inverted:
        """Alloys that have what is wanted, how likely, and what is in the way where none has; see docs/inverse.md.

        Parameters
        ----------
        wants : words such as `youngs_modulus_GPa between 48 and 52`, a list of them, or by property (low, high), words
            or a class; the campaign's own goals where not given
        n : how many alloys, each of another region of the space
        probability : that is enough
        fix : what is held, such as `["Ta=0", "Nb=20..30", "quench=water"]` or `{"Ta": 0}`
        noise : whether a new measurement is to meet the wants, or else the alloy itself
        """
        from .inverting import invert

        snapshot = self.snapshot()
        with snapshot.asking():
            return invert(snapshot, wants, n, probability, fix=fix, noise=noise)

    def windows(
        self,
        wants: Wishes | None = None,
        probability: float = 0.8,
        *,
        n: int = 3,
        fix: Held = (),
        noise: bool = True,
    ) -> Windowed:
        """Ranges of elements and process variables in which all designs have what is wanted; see docs/inverse.md.

        Parameters
        ----------
        wants, fix, noise : as of `inverse`
        probability : with which it holds
        n : how many windows at most, none of which has a design in common with another
        """
        from .windowing import find_windows

        snapshot = self.snapshot()
        with snapshot.asking():
            return find_windows(snapshot, wants, probability, n=n, fix=fix, noise=noise)

    def tolerance(
        self,
        alloy: str,
        wants: Wishes | None = None,
        probability: float = 0.8,
        *,
        process: Mapping[str, float | str] | None = None,
        fix: Held = (),
        noise: bool = True,
    ) -> Tolerated:
        """How far each element of one alloy may drift before the chance of what is wanted falls below a probability.

        Parameters
        ----------
        alloy : the id of a row, or a name such as `Ti-12Nb-12Zr-12Sn wt`
        wants, probability, fix, noise : as of `windows`
        process : process values of an alloy that is named
        """
        from .windowing import tolerate

        snapshot = self.snapshot()
        with snapshot.asking():
            return tolerate(snapshot, alloy, wants, probability, process=process, fix=fix, noise=noise)

    def melt_sheet(
        self,
        round: int | None = None,
        mass_g: float | None = None,
        stock: Stock | None = None,
        balance_resolution_g: float | None = None,
        furnace: str | None = None,
    ) -> MeltSheet:
        """What to weigh for each melt of a round, the last where none is named, and what that takes from the shelf.

        What is not given is as campaign.yaml says under `melting`.

        Parameters
        ----------
        mass_g : of each button; 40 g where nobody says it
        stock, balance_resolution_g : as for `alloyloop.design.melt.charge`; a stock is added to that of the campaign
        furnace : which all are melted in, whatever their rows say
        """
        from .melting import melt_sheet

        return melt_sheet(self.snapshot(), round, mass_g, stock, balance_resolution_g, furnace)

    def refit_losses(self) -> tuple[FurnaceLosses, ...]:
        """What furnaces take away of each element, learned from melts with a nominal and a measured composition."""
        from .furnaces import refit_losses

        return refit_losses(self.snapshot())

    @property
    def plot(self) -> Plots:
        """Its pictures: `campaign.plot.progress()`, `campaign.plot.ternary("Ti", "Nb", "Zr")` …; see docs/plots.md."""
        from .plotting import Plots

        return Plots(self.folder)

    def report(self, *, quick: bool = False) -> Path:
        """Write report.html anew, and say where it is.

        Parameters
        ----------
        quick : from the files alone, without asking models how good they are and where the goals are met
        """
        from .report import report_html

        snapshot, told = self.snapshot(), None
        if not quick:
            from .opinion import opinion

            told = opinion(snapshot)
        write_atomically(self.folder.report, report_html(snapshot, told))
        return self.folder.report

    def _repr_html_(self) -> str:
        snapshot = self.snapshot()
        stands = status(snapshot)
        best = "none yet" if stands.best is None else f"{stands.best.alloy}, {stands.best.words}"
        if stands.front is not None:
            best = f"{counted(len(stands.front.alloys), 'alloy')} on the Pareto front"
        return (
            f"<b>{html.escape(snapshot.spec.name)}</b><br>rounds {stands.rounds}, pending {len(stands.pending)}, "
            f"best {html.escape(best)}"
        )


def _next_round(snapshot: Snapshot, last: int) -> int:
    """One more than any round there was, be its rows still there or taken out by hand; `last` is the journal's."""
    return max((last, *(number for number in snapshot.table.round if number is not None))) + 1


def _write_round(writer: Writer, answers: Answers, decision: Json) -> None:
    """Freeze a round, and enter its alloys."""
    from .melting import melt_sheet_table, proposals_table, round_charges

    snapshot, number = writer.snapshot, answers.round or 0
    table = snapshot.table.with_rows([_row(snapshot, alloy, number) for alloy in answers.alloys])
    record: Json = {
        "round": number,
        "digests": {name: digest(content) for name, content in writer.before.items()},
        **decision,
        "proposals": [alloy.json() for alloy in answers.alloys],
        "remarks": list(answers.remarks),
    }
    files = {
        **{f"inputs/{name}": content for name, content in writer.before.items()},
        "proposals.csv": sheet_bytes(proposals_table(answers)),
        "decision.json": (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode(),
    }
    if charges := round_charges(snapshot, answers.alloys):
        files["melt-sheet.csv"] = sheet_bytes(melt_sheet_table(list(charges), list(charges.values())))
    frozen = {name: digest(content) for name, content in files.items()}
    details: Json = {"round": number, "ids": [alloy.id for alloy in answers.alloys], "frozen": frozen}
    writer.commit("suggest", Change.between(writer.sheet, table.sheet), details, files)


def _row(snapshot: Snapshot, alloy: Answer, round_number: int) -> dict[str, str]:
    """A proposal as a row of experiments.csv."""
    number = snapshot.table.sheet.dialect.number
    basis = snapshot.space.basis
    amounts = {} if alloy.composition is None else alloy.composition.amounts(basis)
    cells = {"id": alloy.id, "status": "proposed", "round": str(round_number)}
    cells |= {f"{element}_{basis}": number(amounts.get(element, 0.0)) for element in snapshot.table.elements}
    for variable in snapshot.space.process:  # a condition is known once it was tested
        value = alloy.process[variable.name]
        cells[variable.name] = value if isinstance(value, str) else number(cast(float, value))
    return cells


def _digests(folder: Folder, names: Iterable[str]) -> Json:
    return {name: digest(read_bytes(folder.path / name)) for name in names}
