"""`campaign.plot` and `alloyloop plot`: every kind of picture by name, from a question asked to a file written.

Each kind is a method of `Plots`: its first line says what it shows, its parameters are the options of the command.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..surrogates.errors import AlloyloopError
from .files import write_atomically
from .folder import Folder
from .house_style import FORMATS, SMALLEST, WIDTHS, check_ending, picture_of
from .reading import counted, listed
from .snapshot import BoolArray, Snapshot, read_snapshot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .explaining import ModelsExplained
    from .left_out import LeftOut
    from .wanting import Held, Wishes

# In a notebook a column of print is this many times as wide as on paper, and as sharp.
MAGNIFIED, DOTS_PER_INCH = 1.6, 200


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A figure at the size it has in print; shows itself in a notebook.

    Parameters
    ----------
    figure : of matplotlib, to be changed at will
    about : what it shows, in one sentence; for those who cannot see it, too
    remarks : what should be known about it
    """

    figure: Figure
    about: str
    remarks: tuple[str, ...] = ()

    def save(self, path: str | Path) -> Path:
        """Write it as .svg, .png or .pdf, as the name ends; a folder that is not there yet is made.

        Raises
        ------
        AlloyloopError
            for another ending, and where the file cannot be written
        """
        path = Path(path)
        check_ending(path.suffix, FORMATS)
        if path.parent.parent.is_dir():
            path.parent.mkdir(exist_ok=True)
        write_atomically(path, picture_of(self.figure, path.suffix))
        return path

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = (round(96 * MAGNIFIED * inches) for inches in self.figure.get_size_inches())
        return picture_of(self.figure, ".png", DOTS_PER_INCH), {"width": width, "height": height}


class Plots:
    """The pictures of a campaign; see docs/plots.md.

    Every one takes `width`: `column`, 8.5 cm in print, or `page`, 17.4 cm.

    Parameters
    ----------
    folder : the campaign's

    Examples
    --------
    >>> campaign.plot.ternary("Ti", "Nb", "Zr", of="youngs_modulus_GPa").save("map.svg")  # doctest: +SKIP
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    # -- what the files say -----------------------------------------------------------------------------------------

    def progress(self, *, width: str = "column") -> Picture:
        """What was known, expected and measured, round by round, with the best so far."""
        from .plots import progress

        return self._drawn("progress", progress(self._snapshot, _inches(width)))

    def pareto(self, *, width: str = "column") -> Picture:
        """The trade-off between pursued properties: the Pareto front, its history, and what is proposed."""
        from .plots import trade_off

        return self._drawn("pareto", trade_off(self._snapshot, _inches(width)))

    def rounds(self, *, width: str = "column") -> Picture:
        """What came beside what its round had expected, with 90 % intervals."""
        from .plots import parity

        return self._drawn("rounds", parity(self._snapshot, _inches(width)))

    def surprise(self, *, width: str = "column") -> Picture:
        """How surprising results were, round by round, in standard deviations."""
        from .data_plots import surprise_figure

        return self._drawn("surprise", surprise_figure(self._snapshot, _inches(width)))

    def batch(self, *, round: int | None = None, width: str = "column") -> Picture:
        """What the alloys of a round consist of, the last if none is named."""
        from .data_plots import batch_figure

        return self._drawn("batch", batch_figure(self._snapshot, round, _inches(width)))

    def data(self, *, width: str = "column") -> Picture:
        """What was tried, and where it is thin: a flat map of the space, and the range of each variable."""
        from .data_plots import tried_figure
        from .tried import tried

        return self._drawn("data", tried_figure(tried(self._snapshot), _inches(width)))

    # -- how the models do ------------------------------------------------------------------------------------------

    def parity(self, *, width: str = "column") -> Picture:
        """Measured against predicted of rows and whole sources that the models had not seen, with 90 % intervals."""
        from .model_plots import held_out_figure

        told = self._left_out()
        return self._drawn("parity", held_out_figure(told, _inches(width)), told.remarks)

    def calibration(self, *, width: str = "column") -> Picture:
        """Whether intervals hold as many values as they say, level by level."""
        from .model_plots import calibration_figure

        told = self._left_out()
        return self._drawn("calibration", calibration_figure(told, _inches(width)), told.remarks)

    def effects(self, *, of: str = "", width: str = "column") -> Picture:
        """What each element and process variable does to a property, from the best known alloy."""
        from .model_plots import effects_figure

        told = self._explained()
        return self._drawn("effects", effects_figure(told, of, _inches(width)), told.remarks)

    def relevances(self, *, width: str = "column") -> Picture:
        """What the models need to know, and what they attend to."""
        from .model_plots import relevances_figure

        told = self._explained()
        return self._drawn("relevances", relevances_figure(told, _inches(width)), told.remarks)

    # -- what is believed of the space ------------------------------------------------------------------------------

    def ternary(
        self,
        *elements: str,
        of: str = "",
        show: str = "mean",
        through: str = "",
        wants: Wishes | None = None,
        width: str = "column",
    ) -> Picture:
        """A triangle of three elements, the others as in an alloy: what is expected, in doubt, likely or worth making.

        Parameters
        ----------
        elements : three; where none is named the balance and the two that the data vary most
        of : the property, of `mean` and `std`
        show : `mean`, `std`, `probability` (that all wants are met) or `acquisition`
        through : the alloy, an id or a name; the best known where it is empty
        wants : of `probability`, such as `youngs_modulus_GPa below 60`; the campaign's goals where not given
        """
        from .map_plots import map_figure
        from .maps import mapped, section

        snapshot = self._snapshot
        with snapshot.asking():
            shown = mapped(snapshot, [section(snapshot, elements, through)], show, of, wants)
        return self._drawn("ternary", map_figure(shown, _inches(width)), shown.remarks)

    def quaternary(
        self,
        *elements: str,
        of: str = "",
        show: str = "mean",
        through: str = "",
        amounts: Sequence[float] = (),
        wants: Wishes | None = None,
        width: str = "page",
    ) -> Picture:
        """The same at several amounts of a fourth element.

        Parameters
        ----------
        elements : four, the last of which is sliced
        amounts : of the fourth [% of the campaign's basis]; four over its range where none is given
        of, show, through, wants : as of `ternary`
        """
        from .map_plots import map_figure
        from .maps import mapped, slices

        snapshot = self._snapshot
        with snapshot.asking():
            shown = mapped(snapshot, slices(snapshot, elements, through, amounts), show, of, wants)
        return self._drawn("quaternary", map_figure(shown, _inches(width)), shown.remarks)

    def windows(
        self,
        *,
        wants: Wishes | None = None,
        probability: float = 0.8,
        n: int = 3,
        fix: Held = (),
        width: str = "page",
    ) -> Picture:
        """Ranges of elements and process variables in which all designs have what is wanted, side by side.

        Parameters
        ----------
        wants, probability, n, fix : as of `Campaign.windows`
        """
        from .window_plots import windows_figure
        from .windowing import find_windows

        snapshot = self._snapshot
        with snapshot.asking():
            found = find_windows(snapshot, wants, probability, n=n, fix=fix)
        if not found.of:
            raise AlloyloopError(f"There is no window to draw. {found.reach}".rstrip("."))
        return self._drawn("windows", windows_figure(found, _inches(width)), found.remarks)

    def backtest(self, *, seeds: int = 20, budget: int | None = None, width: str = "column") -> Picture:
        """How soon each strategy would have found what is good in the table; `alloyloop backtest` has more options.

        Parameters
        ----------
        seeds : how many runs of each strategy
        budget : how many melts each makes
        """
        from .backtest_plots import backtested
        from .backtesting import Asked, backtest

        replayed = backtest(self._snapshot, Asked(seeds=seeds, budget=budget))
        return self._drawn("backtest", backtested(replayed, _inches(width)))

    # -- in common --------------------------------------------------------------------------------------------------

    @property
    def _snapshot(self) -> Snapshot:
        return read_snapshot(self.folder)

    def _left_out(self) -> LeftOut:
        from .left_out import left_out

        snapshot = self._snapshot
        with snapshot.asking():
            return left_out(snapshot)

    def _explained(self) -> ModelsExplained:
        from .explaining import explain_models

        snapshot = self._snapshot
        with snapshot.asking():
            return explain_models(snapshot)

    def _drawn(self, kind: str, figure: Figure, remarks: Sequence[str] = ()) -> Picture:
        """A picture; of what models say it tells if they learned from made-up results."""
        if kind in _OF_MODELS and (n := int(self._made_up.sum())):
            said = f"learned from {counted(n, 'SYNTHETIC result')}"
            figure.supxlabel(said, x=0.99, ha="right", fontsize=SMALLEST)
        return Picture(figure, KINDS[kind], tuple(remarks))

    @property
    def _made_up(self) -> BoolArray:
        """(n,) The rows that are learned from and were not measured."""
        from .plots import synthetic_rows

        return synthetic_rows(self._snapshot) & self._snapshot.known


def _inches(width: str) -> float:
    if width not in WIDTHS:
        raise AlloyloopError(f"No picture is '{width}' wide", f"Write {listed(list(WIDTHS), 'or')}.")
    return WIDTHS[width]


def _kinds() -> dict[str, str]:
    """What each kind shows, by name, in the order of `Plots`."""
    methods = {name: method for name, method in vars(Plots).items() if callable(method) and not name.startswith("_")}
    return {name: (inspect.getdoc(method) or "").partition("\n")[0] for name, method in methods.items()}


KINDS = _kinds()
# What models say: such a picture tells if results that they learned from were made up.
_OF_MODELS = ("parity", "calibration", "effects", "relevances", "ternary", "quaternary", "windows")


def draw(plots: Plots, kind: str, elements: Sequence[str] = (), **given: Any) -> Picture:
    """The picture of some kind with what was given of its options; those that are None were not.

    Raises
    ------
    AlloyloopError
        where there is no such kind, or it does not take what was given

    Examples
    --------
    >>> draw(Plots(Folder(Path("my-ti"))), "progres")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    alloyloop.surrogates.errors.AlloyloopError: There is no plot 'progres', but there is progress. ...
    """
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        like = f", but there is {near[0]}" if near else ""
        raise AlloyloopError(f"There is no plot '{kind}'{like}", f"Those are {listed(list(KINDS))}.")
    method: Callable[..., Picture] = getattr(plots, kind)
    wanted: Mapping[str, Any] = {name: value for name, value in given.items() if value is not None}
    takes = inspect.signature(method).parameters
    strange = [name for name in wanted if name not in takes]
    strange += ["elements"] if elements and "elements" not in takes else []
    if strange:
        own = [name for name in takes if name != "self"]
        raise AlloyloopError(f"The plot {kind} does not take {listed(strange)}", f"It takes {listed(own)}.")
    return method(*elements, **wanted)
