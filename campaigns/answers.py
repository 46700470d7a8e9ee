"""What a campaign answers about alloys, the same for every question, and how it reads as JSON and as a table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, isfinite, log10
from typing import Any, Self

from ..design.alloy_names import other_basis
from ..design.composition import Composition
from ..surrogates.html_tables import html_notes, html_table
from .wording import rounded

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is expected of one property of one alloy, in its unit.

    Parameters
    ----------
    mean : expected value
    std : standard deviation of a new measurement
    low, high : ends of the interval that holds a new measurement with probability 0.9

    Examples
    --------
    >>> print(Predicted(mean=52.04, std=4.4, low=44.8, high=59.3))
    52.0 (44.8 to 59.3)
    >>> print(Predicted(mean=5.2, std=18.0, low=0.0312, high=21.4), "mm/y, modelled as a logarithm")
    5 (0.031 to 21) mm/y, modelled as a logarithm
    """

    mean: float
    std: float
    low: float
    high: float

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """A prediction as `json` wrote it; whatever is no number is a ValueError, KeyError or TypeError."""
        numbers = {name: float(said[name]) for name in ("mean", "std", "low", "high")}
        if not all(map(isfinite, numbers.values())):
            raise ValueError("a prediction that is not a number")
        return cls(**numbers)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that holds a new measurement with probability 0.9."""
        return self.low, self.high

    def json(self) -> Json:
        """As in `--json`."""
        return {"mean": self.mean, "std": self.std, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        if self.std == 0:  # computed, and so not in doubt
            return f"{self.mean:.4g}"
        digits = max(0, 1 - floor(log10(self.std)))  # two figures of the uncertainty
        mean, low, high = rounded(digits, self.mean, self.low, self.high)
        return f"{mean} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class PredictedClasses:
    """Of which class one alloy is expected to be.

    Parameters
    ----------
    classes : the probability of each class, in the order of campaign.yaml

    Examples
    --------
    >>> print(PredictedClasses({"beta": 0.93, "other": 0.07}))
    beta (93%)
    """

    classes: Mapping[str, float]

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """A prediction as `json` wrote it; whatever is no probability is a ValueError, KeyError or TypeError."""
        classes = {str(label): float(chance) for label, chance in dict(said["classes"]).items()}
        if not classes or not all(0 <= chance <= 1 for chance in classes.values()):
            raise ValueError("a probability of a class that is none")
        return cls(classes)

    @property
    def likeliest(self) -> str:
        """The likeliest class; of equals the first."""
        return max(self.classes, key=self.classes.__getitem__)

    def json(self) -> Json:
        """As in `--json`."""
        return {"classes": dict(self.classes)}

    def __str__(self) -> str:
        return f"{self.likeliest} ({self.classes[self.likeliest]:.0%})"


@dataclass(frozen=True, slots=True)
class Nearest:
    """The known alloy that is nearest.

    Parameters
    ----------
    id : of its row in experiments.csv
    distance : material to be exchanged [at.%]; without a composition, how far the process values lie apart, on average
        over the variables [% of their ranges]
    """

    id: str
    distance: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One alloy, and what is believed of it.

    Parameters
    ----------
    id : of its row in experiments.csv, or its name where it has none
    composition : in the campaign's basis; None where the campaign has none (a pure process study)
    process : process values by name
    predicted : by property
    probability : that a new measurement meets each goal that is a limit, a class or a target, by property, and `all`
    nearest : the nearest known alloy; None where nothing is known
    flags : what a metallurgist should be warned of
    why : why it was chosen, in one sentence; empty where it was not
    measured : what was measured of it, by property
    classes : by property that has classes
    gain : what it is expected to gain beside those picked before it; None where it was not chosen for that
    teaches : share by which measuring it is expected to narrow what is believed over the space, between 0 and 1
    runner_up : the next best design, by its name; empty where there is none
    cost : of the melt [money]; None where campaign.yaml does not say
    candidate : what the user's table of candidates calls it; "" where there is none, or it is not of that table
    """

    id: str
    composition: Composition | None
    process: Mapping[str, float | str | None]
    predicted: Mapping[str, Predicted]
    probability: Mapping[str, float]
    nearest: Nearest | None
    flags: tuple[str, ...] = ()
    why: str = ""
    measured: Mapping[str, float | str] | None = None
    classes: Mapping[str, PredictedClasses] = field(default_factory=dict)
    gain: float | None = None
    teaches: float | None = None
    runner_up: str = ""
    cost: float | None = None
    candidate: str = ""

    @property
    def expected(self) -> dict[str, Predicted | PredictedClasses]:
        """All that is predicted, by property: numbers, then classes."""
        return {**self.predicted, **self.classes}

    @property
    def name(self) -> str:
        """The alloy's name in the campaign's basis; without a composition, its process values."""
        return design_name(self.composition, self.process)

    @property
    def beyond(self) -> str:
        """What it costs and which design came next, in words; empty where neither is known."""
        cost = "" if self.cost is None else f"Costs {self.cost:.2f}. "
        return f"{cost}Runner-up: {self.runner_up}." if self.runner_up else cost.rstrip()

    @property
    def nearest_known(self) -> str:
        """The nearest known alloy and how far away it is, in words."""
        if self.nearest is None:
            return "none"
        unit = "% of the process ranges" if self.composition is None else "at.%"
        return f"{self.nearest.id}, {self.nearest.distance:.1f} {unit} away"

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """An alloy as `json` wrote it; damage is a ValueError, KeyError, TypeError or AttributeError."""
        near, amounts = said["nearest"], said["composition"]
        foreseen = {str(name): expected for name, expected in said["predicted"].items()}
        return cls(
            id=str(said["id"]),
            composition=None
            if amounts is None
            else Composition({element: float(amount) for element, amount in amounts.items()}, said["basis"]),
            process=dict(said["process"]),
            predicted={name: Predicted.from_json(of) for name, of in foreseen.items() if "classes" not in of},
            probability={str(name): float(chance) for name, chance in said["probability"].items()},
            nearest=None if near is None else Nearest(str(near["id"]), float(near["distance"])),
            flags=tuple(map(str, said["flags"])),
            why=str(said["why"]),
            classes={name: PredictedClasses.from_json(of) for name, of in foreseen.items() if "classes" in of},
            gain=_number(said.get("gain")),
            teaches=_number(said.get("teaches")),
            runner_up=str(said.get("runner_up", "")),
            cost=_number(said.get("cost")),
            candidate=str(said.get("candidate", "")),
        )

    def json(self) -> Json:
        """As in `--json` (the manual's keys); without a composition, the three keys of it are null."""
        made = self.composition
        answer: Json = {
            "id": self.id,
            "composition": None if made is None else made.amounts(made.basis),
            "basis": None if made is None else made.basis,
            "other_basis": None if made is None else made.amounts(other_basis(made.basis)),
            "process": dict(self.process),
            "predicted": {name: expected.json() for name, expected in self.expected.items()},
            "probability": dict(self.probability),
            "nearest": None if self.nearest is None else {"id": self.nearest.id, "distance": self.nearest.distance},
            "flags": list(self.flags),
            "why": self.why,
        }
        told = {"gain": self.gain, "teaches": self.teaches, "runner_up": self.runner_up or None, "cost": self.cost}
        answer |= {name: value for name, value in told.items() if value is not None}
        if self.candidate:
            answer["candidate"] = self.candidate
        if self.measured is not None:
            answer["measured"] = dict(self.measured)
        return answer

    def _repr_html_(self) -> str:
        return Answers((self,))._repr_html_()


def _number(said: object) -> float | None:
    """A number that may be missing."""
    return None if said is None else float(said)  # type: ignore[arg-type]  # a TypeError says it was none


@dataclass(frozen=True, slots=True)
class Answers(Sequence[Answer]):
    """Several alloys; shows itself as a table in a notebook.

    Parameters
    ----------
    alloys : best or first picked first
    remarks : what should be known about all of them, such as rows that could not be used
    round : the number of the round they were proposed in; None where they were not
    beside : the user's own candidates, judged in the same way
    """

    alloys: tuple[Answer, ...]
    remarks: tuple[str, ...] = ()
    round: int | None = None
    beside: tuple[Answer, ...] = ()

    def __len__(self) -> int:
        return len(self.alloys)

    def __getitem__(self, index: Any) -> Any:
        return self.alloys[index]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column names and rows of text: what a person wants to see first; the user's own candidates last."""
        every = (*self.alloys, *self.beside)
        processes = list(dict.fromkeys(name for alloy in every for name in alloy.process))
        properties = list(dict.fromkeys(name for alloy in every for name in alloy.expected))
        measured = list(dict.fromkeys(name for alloy in every for name in alloy.measured or ()))
        chance = any(len(alloy.probability) > 1 for alloy in every)
        has_compositions = any(alloy.composition is not None for alloy in every)
        listed = any(alloy.candidate for alloy in every)
        columns = ["id", *(["candidate"] if listed else []), *(["alloy"] if has_compositions else []), *processes]
        columns += [f"{name} measured" for name in measured]
        columns += [*properties, *(["chance of all goals"] if chance else []), "nearest known"]
        rows = []
        for alloy in every:
            row = [alloy.id, *([alloy.candidate] if listed else []), *([alloy.name] if has_compositions else [])]
            row += [_text(alloy.process.get(name)) for name in processes]
            row += [_text((alloy.measured or {}).get(name)) for name in measured]
            row += [str(alloy.expected.get(name, "")) for name in properties]
            if chance:
                row.append(f"{alloy.probability.get('all', 1.0):.0%}")
            row.append(alloy.nearest_known)
            rows.append(row)
        return columns, rows

    def _repr_html_(self) -> str:
        every = (*self.alloys, *self.beside)
        flags = [f"{alloy.id}: {flag}" for alloy in every for flag in alloy.flags]
        why = [(alloy.id, f"{alloy.why} {alloy.beyond}".strip()) for alloy in every if alloy.why or alloy.beyond]
        told = "".join(f"<dt>{html.escape(id)}</dt><dd>{html.escape(said)}</dd>" for id, said in why)
        because = f"<details><summary>Why</summary><dl>{told}</dl></details>" if why else ""
        return html_table(*self.table()) + html_notes(flags) + because + html_notes(self.remarks)


def design_name(composition: Composition | None, process: Mapping[str, float | str | None]) -> str:
    """What a design is called: by what it consists of, or else by how it is made.

    Examples
    --------
    >>> design_name(Composition({"Ti": 60, "Nb": 40}, "wt_pct"), {"quench": "water"})
    'Ti-40Nb wt'
    >>> design_name(None, {"laser_power_W": 200.0, "scan_speed_mm_per_s": 800.0, "atmosphere": None})
    'laser_power_W=200, scan_speed_mm_per_s=800'
    """
    if composition is not None:
        return composition.name()
    return ", ".join(f"{name}={_text(value)}" for name, value in process.items() if value is not None) or "not known"


def _text(value: float | str | None) -> str:
    if value is None:
        return "not known"
    return value if isinstance(value, str) else f"{value:.10g}"
