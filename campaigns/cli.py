"""The command line: `alloyloop VERB …`. Each command parses, calls one verb, and prints; the work is done elsewhere.

Nothing heavy is imported at the top: `--help`, `check`, `status` and `describe` must not wait for torch.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

import typer

from ..surrogates.errors import AlloyloopError
from .answers import Answers, Json
from .printing import answer_lines, table_lines

if TYPE_CHECKING:
    from ..surrogates.base import Family
    from .furnaces import FurnaceLosses
    from .snapshot import Snapshot
    from .windowing import Tolerated, Windowed

app = typer.Typer(
    name="alloyloop",
    help="Which alloy to melt next: an active-learning design loop over a folder of plain files.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The campaign's folder.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with the manual's keys.")]


def main() -> None:
    """Run the command line: exit 0 on success, 1 on a user's mistake (one sentence on stderr), 2 on wrong usage."""
    try:
        app()
    except AlloyloopError as error:
        print(f"alloyloop: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # `alloyloop … | head` has seen enough
        sys.stderr.close()
        raise SystemExit(0) from None


def _say(text: str = "") -> None:
    print(text)


def _print_json(content: Json) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False))


class _Told(Protocol):
    """What a question was answered with."""

    def json(self) -> Json: ...

    def lines(self, width: int | None = None) -> Iterable[str]: ...


def _tell(told: _Told, as_json: bool) -> None:
    """Print an answer as JSON, or as lines for a person."""
    if as_json:
        _print_json(told.json())
        return
    for line in told.lines(_width()):
        _say(line)


def _width() -> int | None:
    """Of the terminal; None in a pipe, where lines may be as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for line in table_lines(columns, rows, _width()):
        _say(line)


def _print_answers(answers: Answers) -> None:
    for line in answer_lines(answers, _width()):
        _say(line)


@app.command()
def new(
    directory: Directory,
    name: Annotated[
        str | None, typer.Option("--template", help="A built-in campaign; see `alloyloop templates`.")
    ] = None,
    table: Annotated[Path | None, typer.Option("--from", help="Any table of alloys (CSV or .xlsx).")] = None,
    basis: Annotated[
        str | None, typer.Option(help="With --from: at_pct or wt_pct, where the columns do not say.")
    ] = None,
    balance: Annotated[str | None, typer.Option(help="With --from: the element that takes the remainder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a campaign folder, from a built-in campaign or from a table of your own."""
    from .campaign import Campaign

    if (name is None) == (table is None):
        raise typer.BadParameter("give either --template NAME or --from TABLE")
    if name is not None:
        campaign = Campaign.new(directory, name)
        said: tuple[str, ...] = ()
    else:
        from .starting import campaign_from_table

        said = campaign_from_table(directory, Path(str(table)), basis, balance)
        campaign = Campaign(directory)
    problems, _ = campaign.check()
    if as_json:
        _print_json(
            {"campaign": str(directory), "inferred": list(said), "problems": [asdict(problem) for problem in problems]}
        )
        return
    for line in said:
        _say(line)
    if problems:
        mistakes = "one mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        _say(f"{directory} is made, and its table has {mistakes}: `alloyloop check {directory}` says where.")
    else:
        _say(f"{directory} is ready: look at campaign.yaml, then `alloyloop suggest {directory}`.")


@app.command()
def templates(
    name: Annotated[str | None, typer.Argument(help="Print the page of this one.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List the built-in campaigns, or print the page of one."""
    from .templates import PAGE, template, template_names

    if name is not None:
        page = (template(name).folder / PAGE).read_text(encoding="utf-8")
        _print_json({"name": name, "page": page}) if as_json else _say(page)
        return
    known = [template(each) for each in template_names()]
    if as_json:
        shown = ("name", "title", "family", "first_design_only", "summary")
        _print_json({"templates": [{key: getattr(each, key) for key in shown} for each in known]})
        return
    rows = [(each.name, each.title, each.family, "first design only" * each.first_design_only) for each in known]
    _print_table(("name", "campaign", "family", "table"), rows)


# What `model: auto` takes.
AUTO = "whichever makes rows left out likeliest"


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models that `model:` in campaign.yaml may name, of numbers and of classes, and what each is good for."""
    from ..surrogates.base import Family, family, surrogate_names
    from ..surrogates.classifiers import CLASSIFIERS, classifier, classifier_names

    auto = f"{AUTO}, or a blend of several"
    of_numbers = {name: family(name) for name in surrogate_names()}
    elsewhere = Family(cast(Any, classifier), "from an installed package")
    of_classes = {name: CLASSIFIERS.get(name, elsewhere) for name in classifier_names()}
    if as_json:
        _print_json({"models": _families_json(auto, of_numbers), "classifiers": _families_json(AUTO, of_classes)})
        return
    _print_table(("of a number", "good for"), _family_rows(auto, of_numbers))
    _say()
    _print_table(("of a class", "good for"), _family_rows(AUTO, of_classes))


def _families_json(auto: str, families: Mapping[str, Family]) -> Json:
    told: Json = {"auto": {"about": auto}}
    for name, of in families.items():
        traits = {"bounds": of.bounds, "blanks": of.blanks, "together": of.together}
        told[name] = {"about": of.about, **traits, "extra": of.extra or None, "installed": of.is_installed}
    return told


def _family_rows(auto: str, families: Mapping[str, Family]) -> list[tuple[str, str]]:
    lacking = {name: f" (pip install 'alloyloop[{of.extra}]')" for name, of in families.items() if not of.is_installed}
    return [("auto", auto), *((name, of.about + lacking.get(name, "")) for name, of in families.items())]


@app.command()
def acquisitions(as_json: AsJson = False) -> None:
    """List the acquisitions that `acquisition:` in campaign.yaml may name, and what each looks for."""
    from ..design.acquisitions import acquisition_names, acquisition_rule

    known = [(name, acquisition_rule(name).about) for name in acquisition_names()]
    if as_json:
        _print_json({"acquisitions": [{"name": name, "about": about} for name, about in known]})
        return
    auto = "expected improvement of one goal, of hypervolume where several are pursued; see docs/acquisitions.md"
    _print_table(("acquisition", "looks for"), [("auto", auto), *known])


@app.command()
def descriptors(as_json: AsJson = False) -> None:
    """List the descriptors that rules and features may name, with unit, formula, validity and source."""
    from ..design.descriptors import DESCRIPTORS

    known = [
        {
            "name": d.name,
            "unit": d.unit,
            "formula": d.formula,
            "validity": d.validity,
            "source": d.source,
            "verified": d.verified,
        }
        for d in DESCRIPTORS.values()
    ]
    if as_json:
        _print_json({"descriptors": known})
        return
    _print_table(("name", "unit", "formula"), [(str(d["name"]), str(d["unit"]), str(d["formula"])) for d in known])


@app.command()
def policies(as_json: AsJson = False) -> None:
    """List the element policies: what is barred, limited or flagged, and why."""
    from ..design.policies import POLICIES

    if as_json:
        rules = {
            each.name: {
                "title": each.title,
                "rules": [
                    {
                        "element": rule.element,
                        "verdict": rule.verdict,
                        "limit_wt_pct": rule.limit_wt_pct,
                        "reason": rule.reason,
                        "source": rule.source,
                        "verified": rule.verified,
                    }
                    for rule in each.rules
                ],
            }
            for each in POLICIES.values()
        }
        _print_json({"policies": rules})
        return
    for each in POLICIES.values():
        _say(f"{each.name}: {each.title}")
        for rule in each.rules:
            _say(f"  {rule}{'' if rule.verified else ' [unverified]'}")


@app.command()
def describe(
    alloy: Annotated[str, typer.Argument(help='Such as "Ti-35Nb-7Zr-5Ta wt".', show_default=False)],
    policy: Annotated[str | None, typer.Option(help="Judge by this element policy; see `alloyloop policies`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Describe an alloy: at.%, wt.%, density, price, every descriptor, what an element policy says of it."""
    from .describing import describe as description

    told = description(alloy, policy)
    if as_json:
        _print_json(told.json())
        return
    _say(f"{told.composition.name('wt_pct')}  =  {told.composition.name('at_pct')}\n")
    at_pct, wt_pct = told.composition.at_pct, told.composition.wt_pct
    _print_table(("element", "wt.%", "at.%"), [(e, f"{wt_pct[e]:.4g}", f"{at_pct[e]:.4g}") for e in at_pct])
    _say()
    rows = [
        (
            name,
            f"{d.value:.5g}",
            d.unit,
            "" if d.verified else "unverified",
            "" if d.in_range else "outside its range",
        )
        for name, d in told.descriptors.items()
    ]
    _print_table(("descriptor", "value", "unit", "", "range"), rows)
    for rule, verdict in told.phases.items():
        _say(f"{rule}: {verdict}")
    for flag in told.flags:
        _say(f"Flag: {flag}")


@app.command()
def check(directory: Directory, as_json: AsJson = False) -> None:
    """List every mistake in campaign.yaml and experiments.csv, with its place and what to do."""
    from .examining import check as look
    from .folder import Folder
    from .status import count_json

    found = look(Folder(directory))
    if as_json:
        designs = None if found.designs is None else count_json(found.designs)
        problems = [asdict(problem) for problem in found.problems]
        _print_json({"problems": problems, "remarks": list(found.remarks), "designs": designs})
    else:
        for problem in found.problems:
            _say(str(problem))
        for remark in found.remarks:
            _say(f"Remark: {remark}")
        if not found.problems:
            _say(f"Space: {found.designs}.")
            _say("No mistakes found.")
    if found.problems:
        raise SystemExit(1)


@app.command()
def suggest(
    directory: Directory,
    n: Annotated[int | None, typer.Option("-n", help="How many alloys; the campaign's batch by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    own: Annotated[list[str] | None, typer.Option("--with", help="An alloy of your own, judged beside them.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Choose the first designs space-filling, d-optimal or i-optimal.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Look for the best by exchange or population; as campaign.yaml says by default.")
    ] = None,
    acquisition: Annotated[
        str | None, typer.Option(help="What is looked for: auto or a name; `alloyloop acquisitions` lists them.")
    ] = None,
    explore: Annotated[
        float | None, typer.Option(help="0 … 1: judge alloys by the hopeful end of their interval; 0 is greedy.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose the next batch, write it into experiments.csv, and freeze the round."""
    from .campaign import Campaign

    answers = Campaign(directory).suggest(
        n, dry_run=dry_run, own=own or (), start=start, search=search, acquisition=acquisition, explore=explore
    )
    if as_json:
        _print_json(
            {
                "round": answers.round,
                "proposals": [alloy.json() for alloy in answers.alloys],
                "beside": [alloy.json() for alloy in answers.beside],
                "remarks": list(answers.remarks),
            }
        )
        return
    _print_answers(answers)
    if dry_run:
        _say("\nNothing was written (--dry-run).")
    else:
        melted = any(alloy.composition is not None for alloy in answers)
        weigh = f"; `alloyloop melt-sheet {directory}` prints what to weigh" if melted else ""
        _say(f"\nRound {answers.round} is in experiments.csv{weigh}.")


def _pairs(given: Sequence[str] | None, what: str) -> dict[str, float]:
    pairs = {}
    for text in given or ():
        name, sign, number = text.partition("=")
        try:
            pairs[name.strip()] = float(number)
        except ValueError:
            sign = ""
        if not sign:
            raise typer.BadParameter(f"'{text}' is no {what}: write it like Zr=0.995")
    return pairs


@app.command("melt-sheet")
def melt_sheet(
    directory: Directory,
    round: Annotated[int | None, typer.Option("--round", help="The last one by default.")] = None,
    mass: Annotated[
        float | None, typer.Option("--mass", help="Mass of one button [g]; as campaign.yaml says, or 40.")
    ] = None,
    master: Annotated[
        list[str] | None, typer.Option("--master", help="A master alloy in stock, such as Mg-30Ca (wt.%).")
    ] = None,
    purity: Annotated[
        list[str] | None, typer.Option("--purity", help="Purity of a charge metal, such as Zr=0.995.")
    ] = None,
    loss: Annotated[
        list[str] | None, typer.Option("--loss", help="Share of an element that evaporates, such as Sn=0.01.")
    ] = None,
    furnace: Annotated[
        str | None, typer.Option(help="Whose losses count, and in which order is charged; as campaign.yaml says.")
    ] = None,
    resolution: Annotated[
        float | None, typer.Option("--resolution", help="What the balance reads [g]; 0.001 where nothing says it.")
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit-losses", help="Say instead what furnaces take away, learned from analysed melts.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Also write it: a page to print (.html) or a table (.csv, .xlsx)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what to weigh for each alloy of a round, and what the round takes from the shelf."""
    from ..design.elements import SYMBOLS
    from ..design.stock import Stock
    from .campaign import Campaign
    from .melting import melt_sheet_file, melt_sheet_html, melt_sheet_json, melt_sheet_lines
    from .workbook import table_bytes

    if output is not None and output.suffix.lower() not in (".html", ".csv", ".xlsx"):
        raise typer.BadParameter(f"'{output}' is neither a page (.html) nor a table (.csv, .xlsx)")
    campaign = Campaign(directory)
    if refit:
        _print_losses(campaign.refit_losses(), as_json)
        return
    pure = _pairs(purity, "purity")
    masters = (*(master or ()), *(name for name in pure if name not in SYMBOLS))
    given = Stock(masters, pure, _pairs(loss, "loss"))
    sheet = campaign.melt_sheet(round, mass, given, resolution, furnace)
    if output is not None:
        from .files import write_atomically

        snapshot = campaign.snapshot()
        if output.suffix.lower() == ".html":
            write_atomically(output, melt_sheet_html(sheet, snapshot.spec.name))
        else:
            write_atomically(output, table_bytes(output, melt_sheet_file(sheet, snapshot.table.sheet.dialect)))
    if as_json:
        _print_json(melt_sheet_json(sheet))
        return
    for line in melt_sheet_lines(sheet, _width()):
        _say(line)


def _print_losses(learned: Sequence[FurnaceLosses], as_json: bool) -> None:
    from .furnaces import as_written

    if as_json:
        _print_json({"furnaces": [each.json() for each in learned]})
        return
    for each in learned:
        for line in each.lines:
            _say(line)
    _say(f"To allow for them, write into campaign.yaml: {as_written(learned)}")


@app.command()
def record(
    directory: Directory,
    what: Annotated[
        str,
        typer.Argument(
            help="The id of an alloy, the name of one that was never proposed, or a table of results.",
            show_default=False,
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            help="NAME=58.2, NAME=58.2,59.1,57.7, NAME='58.2 ± 1.1 (n=5)', NAME='<12', NAME='vickers(1 kgf, 61 um)'.",
            show_default=False,
        ),
    ] = None,
    status: Annotated[str, typer.Option(help="made, measured, failed or withdrawn.")] = "",
    because: Annotated[str, typer.Option(help="Why it failed or was withdrawn.")] = "",
    measured: Annotated[str, typer.Option(help='The composition as analysed, such as "Ti-24.3Nb-4.1Zr wt".')] = "",
    source: Annotated[str, typer.Option(help="A furnace, a laboratory, a paper.")] = "",
    derive: Annotated[
        list[str] | None,
        typer.Option(help="Of a table: NAME=METHOD(INPUT=COLUMN, ...), a property computed from its columns."),
    ] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Say what it changed in what is believed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take measurements back, of one alloy or from a table (CSV, .xlsx) with an id column; see docs/recording.md."""
    from .campaign import Campaign

    campaign = Campaign(directory)
    before = campaign.snapshot() if refit else None
    results = campaign.record(
        what, *(values or ()), status=status, because=because, measured=measured, source=source, derive=derive or ()
    )
    changed = None if before is None else campaign.refitted(before, [result.id for result in results])
    if as_json:
        of_models = {} if changed is None else {"refit": changed.json()}
        _print_json({"recorded": [result.json() for result in results], **of_models})
        return
    for result in results:
        cells = ", ".join(f"{name} = {text or 'blank'}" for name, text in result.cells.items())
        _say(f"{result.id}{' (a new row)' if result.new else ''}: {cells}")
        for sentence in (*result.corrected, *result.surprise, *result.remarks):
            _say(f"  {sentence}")
        for reason in result.outside:
            _say(f"  As made it would not be proposed: {reason}.")
    for line in () if changed is None else changed.lines(_width()):
        _say(line)


@app.command()
def withdraw(
    directory: Directory,
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Such as R002-3.", show_default=False)],
    because: Annotated[str, typer.Option(help="Why; it is kept with the alloy.", show_default=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Propose as many others, as the next round.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give alloys up: nobody waits for them any more, nothing is learned from them, they are not proposed again."""
    from .campaign import Campaign

    answers = Campaign(directory).withdraw(*ids, because=because, replace=replace)
    if as_json:
        proposals = [alloy.json() for alloy in answers.alloys]
        _print_json({"withdrawn": ids, "because": because, "round": answers.round, "proposals": proposals})
        return
    if not replace:
        _say(f"Withdrawn: {', '.join(ids)}. `alloyloop undo {directory}` takes that back.")
        return
    _say(f"Withdrawn: {', '.join(ids)}. In its place, as round {answers.round}:\n")
    _print_answers(answers)


@app.command()
def undo(
    directory: Directory,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken back.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Put back what the last undo took back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back what was suggested, recorded, withdrawn or edited last; nothing is deleted."""
    from .campaign import Campaign

    campaign = Campaign(directory)
    done = campaign.redo(dry_run=dry_run) if redo else campaign.undo(dry_run=dry_run)
    if as_json:
        _print_json({**done.json(), "written": not dry_run})
        return
    for sentence in done.words:
        _say(sentence)
    if dry_run:
        _say("Nothing was written (--dry-run).")


@app.command()
def status(directory: Directory, as_json: AsJson = False) -> None:
    """Say where the campaign stands: rounds, what is pending, the best so far, and whether to go on."""
    from ..design.space import spaced
    from .campaign import Campaign

    stands = Campaign(directory).status()
    if as_json:
        _print_json(stands.json())
        return
    counts = ", ".join(f"{count} {name}" for name, count in stands.measured.items())
    _say(f"Rounds: {stands.rounds}.  Alloys: {counts}.")
    designs, most = stands.designs, "" if stands.designs.exact else "at most "
    _say(f"Space: {most}{spaced(designs.number)} designs, {designs.how}.")
    _say(f"Pending: {', '.join(stands.pending) or 'none'}.")
    if stands.best is not None:
        weighed = ", ".join(f"{name} {weight:g}" for name, weight in stands.weights.items())
        _say(f"Best: {stands.best.id}, {stands.best.alloy}, {stands.best.words}{weighed and f' (weights: {weighed})'}.")
    elif stands.front is not None:
        _say(f"Pareto front: {stands.front.words}.")
        _print_table(*stands.front.table())
    else:
        _say("Best: no measured alloy is inside the space, tested as asked for, and keeps every limit.")
    if stands.budget is not None:
        _say(f"Budget: {stands.budget.words}.")
    if stands.stop.get("words"):
        _say(f"Going on (as of round {stands.stop['round']}): {stands.stop['words']}")


@app.command()
def best(
    directory: Directory,
    n: Annotated[
        int | None, typer.Option("-n", help="How many; 5 or, where several goals are pursued, the whole Pareto front.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the best alloys measured so far, and what is believed of them."""
    from .campaign import Campaign

    _show_alloys(Campaign(directory).best(n), as_json)


@app.command()
def predict(
    directory: Directory,
    alloys: Annotated[
        list[str] | None,
        typer.Argument(
            help='Such as "Ti-12Nb-12Zr-12Sn wt"; without a composition, "laser_power_W=200, scan_speed_mm_per_s=800".',
            show_default=False,
        ),
    ] = None,
    process: Annotated[list[str] | None, typer.Option("--at", help="A process value, such as quench=water.")] = None,
    as_json: AsJson = False,
) -> None:
    """Predict the properties of given alloys, with 90 % intervals."""
    from .campaign import Campaign

    _show_alloys(Campaign(directory).predict(alloys or (), _process_values(process)), as_json)


def _process_values(given: Sequence[str] | None) -> dict[str, float | str]:
    values: dict[str, float | str] = {}
    for word in given or ():
        name, sign, value = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"'{word}' is no process value: write it like quench=water")
        values[name.strip()] = value.strip()
    return values


def _show_alloys(answers: Answers, as_json: bool) -> None:
    if as_json:
        _print_json({"alloys": [alloy.json() for alloy in answers.alloys], "remarks": list(answers.remarks)})
    else:
        _print_answers(answers)


@app.command()
def explain(
    directory: Directory,
    alloy: Annotated[
        str | None,
        typer.Argument(
            help="A row of experiments.csv, such as R002-1, or an alloy's name; the models where it is left out.",
            show_default=False,
        ),
    ] = None,
    process: Annotated[list[str] | None, typer.Option("--at", help="A process value, such as quench=water.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Draw it: a .svg, .png or .pdf file.")] = None,
    shap: Annotated[
        bool, typer.Option("--shap", help="Also by the features that the models see; needs the extra shap.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which elements and features drive the models, what one prediction is made of, and why a choice was made."""
    from .campaign import Campaign

    explained = Campaign(directory).explain(alloy or "", _process_values(process), shap=shap)
    if output is not None:
        from .explaining_plots import picture
        from .files import write_atomically

        write_atomically(output, picture(explained, output.suffix))
    _tell(explained, as_json)


@app.command()
def screen(
    directory: Directory,
    top: Annotated[int, typer.Option("--top", help="How many of the best to show.")] = 100,
    by: Annotated[
        str, typer.Option(help="expected-improvement, probability, or a property or descriptor such as 'minimize vec'.")
    ] = "",
    stages: Annotated[
        list[str] | None,
        typer.Option("--stage", help="What designs must pass: a rule, a bound on a property, 'P(NAME >= 800) >= 0.9'."),
    ] = None,
    indices: Annotated[str, typer.Option("--range", help="Only designs with these indices, as 0:1000000.")] = ":",
    front: Annotated[bool, typer.Option("--front/--no-front", help="Whether to keep a Pareto front as well.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the same screen after it was stopped.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes of this machine to use.")] = None,
    cluster: Annotated[str | None, typer.Option(help="A Dask scheduler to use, such as tcp://host:8786.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at every design of the space, or at a range of them, and show the best and the Pareto front."""
    from .campaign import Campaign
    from .screening import StoppedError, parse_range

    try:
        with _progress("designs looked at") as progress:
            screened = Campaign(directory).screen(
                top,
                by,
                stages=stages or (),
                range=parse_range(indices),
                front=front,
                resume=resume,
                workers=workers,
                cluster=cluster,
                progress=progress,
            )
    except StoppedError as stopped:
        print(f"alloyloop: {stopped}", file=sys.stderr)
        raise SystemExit(130) from None  # as a shell says of what the user interrupted
    _tell(screened, as_json)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, where that is a terminal; told how much is done, and of how much."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


@app.command()
def compare(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The campaign's folder.", show_default=False)
    ] = None,
    repeats: Annotated[int, typer.Option(help="How often leaving out by lot is repeated.")] = 3,
    models: Annotated[str, typer.Option(help="Models to compare, with commas; see `alloyloop models`.")] = "",
    minutes: Annotated[float, typer.Option(help="After which nothing more is begun.")] = 10.0,
    data: Annotated[Path | None, typer.Option(help="Any table (CSV, .xlsx) instead of a campaign.")] = None,
    inputs: Annotated[str, typer.Option(help="With --data: its inputs, such as '*_at_pct,temperature_C'.")] = "",
    target: Annotated[str, typer.Option(help="With --data: what was measured, such as hardness_HV.")] = "",
    group: Annotated[str, typer.Option(help="With --data: the column of papers, batches or heats.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Draw it: a .svg or .png file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare all models on rows and whole sources they had not seen; of a campaign, or of any table."""
    if (directory is None) == (data is None):
        raise typer.BadParameter("give either the folder of a campaign or --data TABLE")
    if data is None and (inputs or target or group):
        raise typer.BadParameter("--inputs, --target and --group go with --data: a campaign says them in campaign.yaml")
    from .comparing import Asked, compare
    from .folder import Folder
    from .one_table import snapshot_of
    from .snapshot import read_snapshot

    asked = Asked(repeats, tuple(filter(None, map(str.strip, models.split(",")))), minutes)
    if output is not None:
        from .house_style import check_ending

        check_ending(output.suffix)
    snapshot = read_snapshot(Folder(directory)) if directory else snapshot_of(Path(str(data)), inputs, target, group)
    with _progress("parts compared") as progress, snapshot.asking():
        compared = compare(snapshot, asked, progress=progress)
    if output is not None:
        from .comparing_plots import picture
        from .files import write_atomically

        write_atomically(output, picture(compared, output.suffix))
    _tell(compared, as_json)


Wants = Annotated[
    list[str] | None,
    typer.Option(
        "--want",
        help="Such as 'youngs_modulus_GPa between 48 and 52', 'phases is beta' or 'maximize yield_strength_MPa'; the "
        "campaign's own goals by default.",
    ),
]
Fixed = Annotated[
    list[str] | None, typer.Option("--fix", help="What is held, such as Ta=0, Nb=20..30 or quench=water.")
]
Probability = Annotated[float, typer.Option(help="The chance that is enough.")]
Noise = Annotated[
    bool, typer.Option("--noise/--no-noise", help="Whether a new measurement is to meet it, or the alloy itself.")
]
CampaignOrData = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="The campaign's folder.", show_default=False)
]
Data = Annotated[Path | None, typer.Option(help="Any table (CSV, .xlsx) instead of a campaign.")]
Inputs = Annotated[str, typer.Option(help="With --data: its inputs, such as '*_at_pct,temperature_C'.")]
Target = Annotated[str, typer.Option(help="With --data: what was measured, such as hardness_HV.")]
Group = Annotated[str, typer.Option(help="With --data: the column of papers, batches or heats.")]


def _campaign_or_data(directory: Path | None, data: Path | None, inputs: str, target: str, group: str) -> Snapshot:
    """What is asked: a campaign as it stands, or any table."""
    if (directory is None) == (data is None):
        raise typer.BadParameter("give either the folder of a campaign or --data TABLE")
    if data is None and (inputs or target or group):
        raise typer.BadParameter("--inputs, --target and --group go with --data: a campaign says them in campaign.yaml")
    from .folder import Folder
    from .one_table import snapshot_of
    from .snapshot import read_snapshot

    return read_snapshot(Folder(directory)) if directory else snapshot_of(Path(str(data)), inputs, target, group)


@app.command()
def inverse(
    directory: CampaignOrData = None,
    wants: Wants = None,
    fix: Fixed = None,
    n: Annotated[int, typer.Option("-n", help="How many alloys, each of another region.")] = 5,
    probability: Probability = 0.8,
    noise: Noise = True,
    data: Data = None,
    inputs: Inputs = "",
    target: Target = "",
    group: Group = "",
    as_json: AsJson = False,
) -> None:
    """Say which alloys have wanted properties, how likely that is, and what is in the way where none has."""
    snapshot = _campaign_or_data(directory, data, inputs, target, group)
    from .inverting import invert

    with snapshot.asking():
        inverted = invert(snapshot, wants, n, probability, fix=fix or (), noise=noise)
    _tell(inverted, as_json)


@app.command()
def windows(
    directory: CampaignOrData = None,
    wants: Wants = None,
    fix: Fixed = None,
    n: Annotated[int, typer.Option("-n", help="How many windows at most, one beside the other.")] = 3,
    probability: Probability = 0.8,
    noise: Noise = True,
    alloy: Annotated[
        str, typer.Option(help="How far the elements of this alloy may drift: an id, or a name such as 'Ti-24Nb at'.")
    ] = "",
    process: Annotated[
        list[str] | None, typer.Option("--at", help="With --alloy: a process value, such as quench=water.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw them: a .svg, .png or .pdf file.")] = None,
    data: Data = None,
    inputs: Inputs = "",
    target: Target = "",
    group: Group = "",
    as_json: AsJson = False,
) -> None:
    """Find element and process ranges inside which wanted properties hold; or how far one alloy may drift."""
    if process and not alloy:
        raise typer.BadParameter("--at goes with --alloy, whose treatment it says; --fix holds it for windows")
    if plot is not None:
        from .house_style import check_ending

        if alloy:
            raise typer.BadParameter("--plot draws windows, and --alloy asks for none")
        check_ending(plot.suffix)
    snapshot = _campaign_or_data(directory, data, inputs, target, group)
    from .windowing import find_windows, tolerate

    told: Windowed | Tolerated
    with snapshot.asking():
        if alloy:
            at = _process_values(process)
            told = tolerate(snapshot, alloy, wants, probability, process=at, fix=fix or (), noise=noise)
        else:
            told = find_windows(snapshot, wants, probability, n=n, fix=fix or (), noise=noise)
            if plot is not None:
                from .files import write_atomically
                from .window_plots import picture

                write_atomically(plot, picture(told, plot.suffix))
    _tell(told, as_json)


@app.command()
def backtest(
    directory: CampaignOrData = None,
    goals: Annotated[
        list[str] | None,
        typer.Option("--goal", help="Such as 'maximize hardness_HV', 'elongation_pct above 10' or 'phases is beta'."),
    ] = None,
    start: Annotated[int, typer.Option(help="How many random alloys each run begins with.")] = 5,
    batch: Annotated[int | None, typer.Option(help="How many are made at a time; the campaign's, or 4.")] = None,
    budget: Annotated[int | None, typer.Option(help="How many are made in all, the start counted; 60, or all.")] = None,
    seeds: Annotated[int, typer.Option(help="How many runs of each strategy.")] = 20,
    strategies: Annotated[
        str, typer.Option(help="With commas: auto, random, models, acquisitions, or MODEL/ACQUISITION.")
    ] = "auto,gaussian-process,forest,greedy,random",
    noisy: Annotated[bool, typer.Option("--noisy", help="See a random repeat of each alloy, not their mean.")] = False,
    oracle: Annotated[bool, typer.Option("--oracle", help="Let a model stand in for the table (SYNTHETIC).")] = False,
    fix: Fixed = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the same backtest after it stopped.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes of this machine to use.")] = None,
    cluster: Annotated[str | None, typer.Option(help="A Dask scheduler to use, such as tcp://host:8786.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write what --json prints into it.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it: a .svg, .png or .pdf file.")] = None,
    data: Data = None,
    inputs: Inputs = "",
    as_json: AsJson = False,
) -> None:
    """Replay a table as a laboratory: how many melts would each strategy have needed to find what is good in it."""
    if (directory is None) == (data is None):
        raise typer.BadParameter("give either the folder of a campaign or --data TABLE")
    if data is None and inputs:
        raise typer.BadParameter("--inputs goes with --data: a campaign says them in campaign.yaml")
    if plot is not None:
        from .house_style import check_ending

        check_ending(plot.suffix)
    for path in filter(None, (output, plot)):  # it may be hours until they are written
        if not path.parent.is_dir():
            raise AlloyloopError("Its folder does not exist", "Make it, or name another.", place=str(path))
    from .backtesting import Asked
    from .backtesting import backtest as replay
    from .files import write_atomically
    from .folder import Folder
    from .pools import table_with_goals, with_goals
    from .screening import StoppedError
    from .snapshot import read_snapshot

    if directory is not None:
        snapshot = read_snapshot(Folder(directory))
        snapshot = with_goals(snapshot, goals) if goals else snapshot
    else:
        snapshot = table_with_goals(Path(str(data)), inputs, goals or ())
    named = tuple(filter(None, map(str.strip, strategies.split(","))))
    asked = Asked(named, start, batch, budget, seeds, noisy, oracle, fix or ())
    try:
        with _progress("runs") as progress:
            backtested = replay(
                snapshot,
                asked,
                whole_table=data is not None,
                cache=Path(".alloyloop") if data is not None else None,
                resume=resume,
                workers=workers,
                cluster=cluster,
                progress=progress,
            )
    except StoppedError as stopped:
        print(f"alloyloop: {stopped}", file=sys.stderr)
        raise SystemExit(130) from None
    if output is not None:
        write_atomically(output, f"{json.dumps(backtested.json(), ensure_ascii=False, indent=1, allow_nan=False)}\n")
    if plot is not None:
        from .backtest_plots import picture

        write_atomically(plot, picture(backtested, plot.suffix))
    _tell(backtested, as_json)


@app.command()
def verify(
    directory: Directory,
    again: Annotated[
        bool, typer.Option("--again/--quick", help="Whether past rounds are made again from what they froze.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Check that the journal is whole, the files are as it left them, and past rounds come out again as they did."""
    from .campaign import Campaign

    with _progress("rounds made again") as progress:
        found = Campaign(directory).verify(again=again, progress=progress)
    if as_json:
        _print_json(found.json())
    else:
        for line in found.lines:
            _say(line)
    if not found.whole:
        raise SystemExit(1)


@app.command()
def plot(
    directory: CampaignOrData = None,
    kind: Annotated[
        str | None, typer.Argument(help="What to draw, such as progress; --list names all.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A .svg, .png or .pdf file; DIR/plots/KIND.svg by default.")
    ] = None,
    of: Annotated[str | None, typer.Option(help="The property.")] = None,
    elements: Annotated[str, typer.Option(help="Of ternary three, of quaternary four, such as Ti,Nb,Zr.")] = "",
    show: Annotated[str | None, typer.Option(help="Of maps: mean, std, probability or acquisition.")] = None,
    through: Annotated[str | None, typer.Option(help="Of maps: the alloy they go through, an id or a name.")] = None,
    amounts: Annotated[str, typer.Option(help="Of quaternary: of the last element, such as 0,4,8.")] = "",
    wants: Wants = None,
    probability: Annotated[float | None, typer.Option(help="Of windows: the chance that is enough.")] = None,
    round: Annotated[int | None, typer.Option(help="Of batch: the round; the last by default.")] = None,
    width: Annotated[str | None, typer.Option(help="In print: column (8.5 cm) or page (17.4 cm).")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Say what there is to draw.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a campaign: progress, maps, how its models do; `--list` says what there is. See docs/plots.md."""
    from .plotting import KINDS, draw

    if listing:
        _print_json({"kinds": KINDS}) if as_json else _print_table(("kind", "shows"), list(KINDS.items()))
        return
    if directory is None or kind is None:
        raise typer.BadParameter("name the folder of a campaign and a kind; --list says what there is")
    from .campaign import Campaign
    from .house_style import check_ending

    path = output or directory / "plots" / f"{kind}.svg"
    check_ending(path.suffix)
    try:
        levels = [float(amount) for amount in amounts.split(",") if amount.strip()]
    except ValueError:
        raise typer.BadParameter(f"'{amounts}' are no amounts: write them like 0,4,8") from None
    picture = draw(
        Campaign(directory).plot,
        kind,
        [element.strip() for element in elements.split(",") if element.strip()],
        of=of,
        show=show,
        through=through,
        amounts=levels or None,
        wants=wants,
        probability=probability,
        round=round,
        width=width,
    )
    picture.save(path)
    if as_json:
        _print_json({"plot": str(path), "about": picture.about, "remarks": list(picture.remarks)})
        return
    for remark in picture.remarks:
        _say(f"Remark: {remark}")
    _say(f"Wrote {path}.")


@app.command()
def report(
    directory: Directory,
    quick: Annotated[
        bool, typer.Option("--quick", help="From the files alone: without windows, and how good the models are.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write report.html: question, next batch, melt sheet, progress, models, windows and the table, in one file."""
    from .campaign import Campaign

    path = Campaign(directory).report(quick=quick)
    _print_json({"report": str(path)}) if as_json else _say(f"Wrote {path}.")


@app.command()
def export(
    directory: Directory,
    output: Annotated[Path, typer.Argument(help="The workbook to write, such as table.xlsx.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Write experiments.csv as an Excel workbook, to fill in and take back by `record`; see docs/file-formats.md."""
    from .files import write_atomically
    from .folder import Folder
    from .recovering import experiments_now
    from .workbook import workbook

    if output.suffix.lower() != ".xlsx":
        raise typer.BadParameter(f"'{output}' is no workbook: its name ends in .xlsx")
    table, remarks = experiments_now(Folder(directory).checked())
    write_atomically(output, workbook(table, output.name))
    if as_json:
        _print_json({"workbook": str(output), "rows": len(table.rows), "remarks": list(remarks)})
        return
    for remark in remarks:
        _say(f"Remark: {remark}")
    _say(f"Wrote {output}: {len(table.rows)} rows. `alloyloop record {directory} {output}` takes back what you enter.")


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write it into this file.")] = None,
) -> None:
    """Print the JSON Schema of campaign.yaml, by which editors complete and check it; see docs/file-formats.md."""
    from .files import write_atomically
    from .schema import campaign_schema

    text = json.dumps(campaign_schema(), ensure_ascii=False, indent=1)
    if output is None:
        print(text)
        return
    write_atomically(output, f"{text}\n")
    _say(f"Wrote {output}. An editor uses it where campaign.yaml begins: # yaml-language-server: $schema={output.name}")


@app.command()
def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where to make the demo campaign.")] = Path("demo"),
    as_json: AsJson = False,
) -> None:
    """Run two rounds of the beta-titanium campaign, the first answered by a SYNTHETIC laboratory."""
    from .demo import run_demo

    told = run_demo(directory, (lambda text: None) if as_json else _say)
    if as_json:
        _print_json(told)
