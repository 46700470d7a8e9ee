"""`alloyloop windows`: ranges inside which what is wanted holds, and how far the elements of one alloy may drift."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..design.diagram import IntArray
from ..design.features import Alloys
from ..design.held import Range
from ..design.inverse import inverse
from ..design.outlook import Believed
from ..design.process import Choice, Process
from ..design.space import DesignSpace, spaced
from ..design.windows import Window, tolerance, windows
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from ..surrogates.html_tables import html_notes, html_table
from .answers import Json
from .asking import PROBABILITY, Question, check_probability, measured_words, names_of, question
from .named import named
from .printing import table_lines
from .readable import finer
from .reading import counted, listed
from .snapshot import IMPURITIES, Snapshot, plain, why_not
from .spec import CampaignSpec
from .wanting import Held, Wishes
from .wording import rounded

# Windows that are looked for, one beside the other.
MOST_WINDOWS = 3
# Designs of a window that predictions inside it are read off, and quantiles of each one's next measurement.
N_INSIDE, N_QUANTILES = 512, 64
# Measured alloys inside a window that a person is shown; --json has all.
SHOWN = 8
INNER = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a property is expected to be over the designs of a window, in its unit.

    Parameters
    ----------
    mean : between what 90 % of the designs' means lie
    low, high : between what 90 % of new measurements lie, each of a design drawn by lot
    """

    mean: tuple[float, float]
    low: float
    high: float

    def json(self) -> Json:
        """As in `--json`."""
        return {"mean": list(self.mean), "low": self.low, "high": self.high}

    def __str__(self) -> str:
        digits = finer(2.5 * (self.high - self.low))  # as of a standard deviation of a quarter of that
        least, most, low, high = rounded(digits, *self.mean, self.low, self.high)
        means = f"{least} to {most}"
        if (self.low, self.high) == self.mean:  # computed, and so not in doubt
            return means
        return f"{means} (new measurements {low} to {high})"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One window, and what is known of it.

    Parameters
    ----------
    window : the ranges and how surely they hold
    expected : by property that is a number
    classes : by property that has classes, the mean probability of each over the designs
    measured : the known alloys inside, by id, with what was measured of what is wanted, in words
    worst : the name of the design inside that is least likely to meet the wants
    bounds : the ranges as campaign.yaml writes them
    """

    window: Window
    expected: Mapping[str, Expected]
    classes: Mapping[str, Mapping[str, float]]
    measured: Mapping[str, str]
    worst: str
    bounds: str

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        window = self.window
        predicted = {name: each.json() for name, each in self.expected.items()}
        return {
            "ranges": {name: list(kept) for name, kept in window.ranges.items()},
            "probability_mean": window.probability_mean,
            "probability_worst": window.probability_worst,
            "worst": self.worst,
            "predicted": {**predicted, **{name: {"classes": dict(each)} for name, each in self.classes.items()}},
            "alloys": window.n_designs,
            "volume_share": window.volume_share,
            "measured_inside": list(self.measured),
            "bounds": self.bounds,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Windowed:
    """What `windows` answers.

    Parameters
    ----------
    asked : the question
    probability : that was asked for
    of : the windows, the widest first
    reach : in words, what the likeliest design of all reaches where there is no window
    """

    asked: Question
    probability: float
    of: tuple[Told, ...]
    reach: str = ""

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        return {
            "wants": list(self.asked.words),
            "probability": self.probability,
            "windows": [told.json() for told in self.of],
            "remarks": list(self.remarks),
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What should be known about them."""
        return (*filter(None, [self.reach]), *self.asked.remarks)

    @property
    def title(self) -> str:
        """What was asked, and how many windows there are."""
        wanted = "; ".join(self.asked.words)
        if not self.of:
            return f"No range of compositions and treatments holds with {self.probability:.0%}: {wanted}"
        return f"{counted(len(self.of), 'window')} in which it holds with {self.probability:.0%}: {wanted}"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column names and rows of text: a row for each thing that is chosen, a column for each window."""
        ids = [f"W{i}" for i in range(1, len(self.of) + 1)]
        names = list(dict.fromkeys(name for told in self.of for name in told.window.ranges))
        sign = BASIS_SIGN[self.asked.space.basis]
        rows = [
            [f"{name} [{sign}]" if name in self.asked.space.elements else name]
            + [_words(told.window.ranges[name]) if name in told.window.ranges else "any" for told in self.of]
            for name in names
        ]
        rows += [
            ["chance, mean", *(f"{told.window.probability_mean:.0%}" for told in self.of)],
            ["chance, worst design", *(f"{told.window.probability_worst:.0%}" for told in self.of)],
            ["designs", *(spaced(told.window.n_designs) for told in self.of)],
            ["share of the space", *(_share(told.window.volume_share) for told in self.of)],
        ]
        return ["", *ids], rows

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width: the table, each window in words, the remarks."""
        yield f"{self.title}."
        if self.of:
            yield ""
            yield from table_lines(*self.table(), width)
        for i, told in enumerate(self.of, start=1):
            yield f"\nW{i}  expected inside"
            yield from (f"  {name}: {each}" for name, each in told.expected.items())
            yield from (f"  {name}: {_shares(each)}" for name, each in told.classes.items())
            yield f"  Least likely inside: {told.worst}, {told.window.probability_worst:.0%}."
            yield f"  {self._measured(told)}"
            yield "  As campaign.yaml writes it:"
            yield from (f"    {line}" for line in told.bounds.splitlines())
        yield from (f"\nRemark: {remark}" for remark in self.remarks)

    def _measured(self, told: Told) -> str:
        if not told.measured:
            return "No known alloy lies inside: the whole window is a prediction."
        shown = [f"{id} ({words})" if words else id for id, words in list(told.measured.items())[:SHOWN]]
        more = f" and {len(told.measured) - SHOWN} more" if len(told.measured) > SHOWN else ""
        return f"Known alloys inside: {', '.join(shown)}{more}."

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        columns, rows = self.table()
        table = html_table(columns, rows) if self.of else ""
        return f"<p>{html.escape(self.title)}</p>{table}{html_notes(self.remarks)}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tolerated:
    """How far one alloy may drift.

    Parameters
    ----------
    asked : the question
    probability : below which the chance is not to fall
    name : of the alloy
    chance : that it meets the wants as it is
    ranges : by element or process variable, between what it may lie, the balance taking the remainder; none where the
        alloy itself is not likely enough
    remarks : what should be known about it
    """

    asked: Question
    probability: float
    name: str
    chance: float
    ranges: Mapping[str, Range]
    remarks: tuple[str, ...]

    def json(self) -> Json:
        """As in `--json`."""
        return {
            "wants": list(self.asked.words),
            "probability": self.probability,
            "alloy": self.name,
            "chance": self.chance,
            "tolerance": {name: list(kept) for name, kept in self.ranges.items()},
            "remarks": list(self.remarks),
        }

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width."""
        wanted = "; ".join(self.asked.words)
        yield f"{self.name} meets it with {self.chance:.0%}: {wanted}."
        if not self.ranges:
            yield f"That is below {self.probability:.0%} already, so that nothing may drift."
        else:
            yield f"The chance stays at {self.probability:.0%} or above while one of these, and nothing else, is\n"
            sign = BASIS_SIGN[self.asked.space.basis]
            rows = [
                (f"{name} [{sign}]" if name in self.asked.space.elements else name, _words(kept))
                for name, kept in self.ranges.items()
            ]
            yield from table_lines(("", "from … to"), rows, width)
        yield from (f"\nRemark: {remark}" for remark in self.remarks)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(chr(10).join(self.lines()))}</pre>"


def find_windows(
    snapshot: Snapshot,
    wishes: Wishes | None = None,
    probability: float = PROBABILITY,
    *,
    n: int = MOST_WINDOWS,
    fix: Held = (),
    noise: bool = True,
) -> Windowed:
    """The widest windows.

    Parameters
    ----------
    snapshot, wishes, fix, noise : as those of `question`
    probability : with which the wants are to hold inside
    n : how many windows at most, one beside the other
    """
    check_probability(probability)
    if not 1 <= n <= 20:
        raise AlloyloopError(f"{n} windows cannot be looked for", "Ask for 1 to 20.")
    asked = question(snapshot, wishes, fix, noise=noise)
    elements = snapshot.table.elements
    seeking, inside, falling_short = np.random.default_rng(snapshot.spec.seed).spawn(3)
    found = windows(asked.space, asked.chance, elements, probability, seeking, n=n)
    told = tuple(_told(asked, window, inside) for window in found)
    reach = "" if told else _why_none(asked, probability, falling_short)
    return Windowed(asked, probability, told, reach)


def _why_none(asked: Question, probability: float, rng: np.random.Generator) -> str:
    """What the likeliest design reaches, where none reaches what was asked for."""
    _, reach = inverse(asked.space, asked.wanted, asked.snapshot.table.elements, 1, rng, probability=probability)
    if reach.reachable:
        return (
            f"Single designs reach {reach.best:.0%}, and no range around one does: `alloyloop inverse` shows them, and "
            "a lower --probability may have a window."
        )
    return (
        f"The likeliest design of the space reaches {reach.best:.0%}: `alloyloop inverse` says what is in the way, and "
        "which alloys to melt to find out."
    )


def _told(asked: Question, window: Window, rng: np.random.Generator) -> Told:
    """What is known of one window."""
    snapshot = asked.snapshot
    points = window.points(asked.space, N_INSIDE, rng)
    alloys = asked.alloys(points)
    return Told(
        window,
        {name: told for name, belief in asked.beliefs.numbers.items() if (told := _expected(belief, alloys))},
        {
            name: dict(zip(belief.labels, belief.about(alloys.rows(known)).mean(axis=0).tolist(), strict=True))
            for name, belief in asked.beliefs.classes.items()
            if (known := belief.features.known(alloys)).any()
        },
        _measured_inside(snapshot, asked, window),
        names_of(asked.space, window.worst)[0],
        bounds(snapshot.spec, asked.space, window.ranges),
    )


def _expected(belief: Believed, alloys: Alloys) -> Expected | None:
    """What a property is expected to be over some designs; None where it can be predicted of none."""
    known = belief.features.known(alloys)
    if not known.any():
        return None
    told = belief.about(alloys.rows(known))
    normal = told.measurement
    from scipy.special import ndtri

    quantiles = ndtri((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES)
    measured = normal.scale.backward(normal.mean[:, None] + normal.std[:, None] * quantiles)
    means = np.quantile(told.mean, INNER)
    low, high = np.quantile(measured, INNER) if (normal.std > 0).any() else means
    return Expected((float(means[0]), float(means[1])), float(low), float(high))


def _measured_inside(snapshot: Snapshot, asked: Question, window: Window) -> dict[str, str]:
    """The known alloys in a window, by id, with what was measured of what is wanted."""
    table, n = snapshot.table, asked.space.n_elements
    inside = snapshot.known & window.inside(np.nan_to_num(table.amounts[:, :n], nan=-1.0), snapshot.process)
    inside &= np.nan_to_num(table.amounts[:, n:]).sum(axis=1) <= IMPURITIES
    names = dict.fromkeys(name for want in asked.wanted.wants for name in want.names)
    return {table.ids[row]: measured_words(snapshot, row, names) for row in np.flatnonzero(inside).tolist()}


def bounds(spec: CampaignSpec, space: DesignSpace, ranges: Mapping[str, Range]) -> str:
    """Ranges as campaign.yaml writes them: bounds of elements and process variables; of candidates, rules.

    A campaign with these bounds in the place of its own has the designs of the window, and no others.
    """
    tabled = () if space.candidates is None else (*space.candidates.elements, *space.candidates.process)
    lines: list[str] = []
    elements = [name for name in space.elements if name in ranges and name not in tabled]
    if elements and spec.composition is not None:
        lines += ["composition:", "  elements:"]
        for name in elements:
            own = spec.composition.elements.get(name)
            step = f", step: {own.step:g}" if own is not None and own.step is not None else ""
            lines.append(f"    {name}: {{{_ends(ranges[name])}{step}}}")
    chosen = [variable for variable in space.process if variable.name in ranges and variable.name not in tabled]
    if chosen:
        lines.append("process:")
        for variable in chosen:
            kept = ranges[variable.name]
            if isinstance(variable, Choice):
                lines.append(f"  {variable.name}: {{choices: [{', '.join(map(_quoted, kept))}]}}")
            else:
                step = f", step: {variable.step:g}" if variable.step is not None else ""
                lines.append(f"  {variable.name}: {{{_ends(kept)}{step}}}")
    if rules := [line for name in tabled if name in ranges for line in _rules(space, name, ranges[name])]:
        lines += ["rules:", *(f"  - {rule}" for rule in rules)]
    return "\n".join(lines)


def _ends(kept: Range) -> str:
    low, high = kept
    return f"min: {low:.10g}, max: {high:.10g}"


def _rules(space: DesignSpace, name: str, kept: Range) -> list[str]:
    """What keeps rows of a table of candidates inside a range."""
    (choices,) = [each.choices for each in space.process if each.name == name and isinstance(each, Choice)] or [()]
    if choices:
        return [f"{name} is not {choice}" for choice in choices if choice not in kept]
    low, high = kept
    return [f"{name} between {low:.10g} and {high:.10g}"]


def _quoted(word: float | str) -> str:
    """A word as YAML reads it back, be it `on`, `1` or `as cast, aged`."""
    return '"' + str(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _words(kept: Range) -> str:
    if isinstance(kept[0], str):
        return " or ".join(map(str, kept))
    low, high = kept
    return f"{low:.10g}" if low == high else f"{low:.10g} … {high:.10g}"


def _share(share: float) -> str:
    if share > 0.995:
        return "100 %" if share == 1 else "over 99 %"
    return f"{share:.2g}" if share < 1e-4 else f"{100 * share:.2g} %"


def _shares(classes: Mapping[str, float]) -> str:
    return ", ".join(f"{label} {share:.0%}" for label, share in classes.items())


def tolerate(
    snapshot: Snapshot,
    alloy: str,
    wishes: Wishes | None = None,
    probability: float = PROBABILITY,
    *,
    process: Mapping[str, float | str] | None = None,
    fix: Held = (),
    noise: bool = True,
) -> Tolerated:
    """How far each element and process variable of one alloy may drift before its chance falls below a probability.

    Parameters
    ----------
    alloy : the id of a row, or a name such as `Ti-12Nb-12Zr-12Sn wt`
    process : process values of an alloy that is named

    Raises
    ------
    AlloyloopError
        where the alloy is none of the space
    """
    check_probability(probability)
    asked = question(snapshot, wishes, fix, noise=noise)
    point, name, said = _point(asked, alloy, process)
    chance = float(asked.chance(asked.alloys(point))[0])
    if not isfinite(chance):
        raise AlloyloopError(f"Nothing can be predicted of {name}", "`alloyloop predict` says why.")
    ranges: Mapping[str, Range] = {}
    if chance >= probability:
        ranges = tolerance(asked.space, asked.chance, point[0], snapshot.table.elements, probability)
    return Tolerated(asked, probability, name, chance, ranges, (*said, *asked.remarks))


def _point(asked: Question, alloy: str, process: Mapping[str, float | str] | None) -> tuple[IntArray, str, list[str]]:
    """The point (1, d) of the space that an alloy stands on, its name, and a remark where it lies beside it."""
    snapshot, space = asked.snapshot, asked.space
    if alloy in snapshot.table.ids:
        row = snapshot.table.row(alloy)
        composition = snapshot.composition(row)
        treatment: Process = {name: values[[row]] for name, values in snapshot.process.items()}
    else:
        one = named(snapshot, [alloy], process)
        composition, treatment = one.compositions[0], one.process
    unknown = [each.name for each in space.process if plain(treatment[each.name][0]) is None]
    if unknown:
        like = next(each for each in space.process if each.name == unknown[0])
        value = like.choices[0] if isinstance(like, Choice) else f"{like.low:g}"
        raise AlloyloopError(
            f"How {alloy} is treated is not said: {listed(unknown)}", f"Say --at {unknown[0]}={value}."
        )
    amounts: FloatArray = np.empty(0)
    if composition is not None:
        known = [element for element in composition.elements if element in space.elements]
        if known != [*composition.elements]:
            raise AlloyloopError(f"{alloy} holds elements that are not in the space", "Name one without them.")
        amounts = composition.vector(space.elements, space.basis)
    points, near = space.snap(amounts[None], treatment)
    if not (near[0] and space.allows(points)[0]):
        whys = "; ".join(why_not(snapshot, composition, treatment)) or "it breaks what is fixed"
        raise AlloyloopError(f"{alloy} is no design of this space: {whys}", "Name one that could be proposed.")
    (name,) = names_of(space, points)
    off = np.abs(space.percent(points)[0] - amounts).max(initial=0.0) > 1e-9
    return points, name, [f"{alloy} lies between steps; asked of the nearest design, {name}."] if off else []
