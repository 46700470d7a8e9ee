"""campaign.yaml: its schema, the line of every mistake in it, and what it means on the floor below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ..design.composition import Basis
from ..design.descriptors import DESCRIPTORS, descriptor
from ..design.elements import atomic_masses
from ..design.features import FEATURE_SETS
from ..design.goals import Goal, Maximize, Minimize, Report, Within
from ..design.lattice import Element, Lattice
from ..design.policies import policy
from ..design.rules import Rule, parse_rule
from ..design.space import Choice, Condition, DesignSpace, Numeric
from ..surrogates.base import surrogate_names
from ..surrogates.errors import AlloyloopError
from .files import read_text
from .problems import CampaignFileError, Problem
from .table import Layout

Keys = tuple[str | int, ...]

FILE = "campaign.yaml"
FORMAT = 1

# Keys of the manual that this version does not act on: refused by name, since to pass over them would be to guess.
LATER = {
    "": ("acquisition", "explore", "batch_shares", "budget", "candidates"),
    "composition": ("present_above", "max_elements", "min_elements", "groups", "made_within"),
}
LATER_GOALS = ("match", "is")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ElementSpec(_Strict):
    """Bounds and step of one element [% of the basis]."""

    min: float = Field(default=0.0, ge=0, le=100)
    max: float = Field(ge=0, le=100)
    step: float | None = Field(default=None, gt=0)


class CompositionSpec(_Strict):
    """What the alloys may consist of."""

    basis: Basis
    balance: str
    step: float = Field(gt=0, le=50)
    elements: dict[str, ElementSpec] = Field(min_length=1)
    rules: tuple[str, ...] = ()
    policy: str = "none"


class NumericSpec(_Strict):
    """A process variable on a step."""

    min: float
    max: float
    step: float = Field(gt=0)


class ChoiceSpec(_Strict):
    """A process variable with named values."""

    choices: tuple[str, ...] = Field(min_length=1)


class ConditionSpec(_Strict):
    """A condition of testing, and its value where predictions are wanted."""

    at: float


class PropertySpec(_Strict):
    """What is wanted of one property."""

    goal: Literal["minimize", "maximize", "below", "above", "between", "report"]
    limit: float | None = None
    low: float | None = None
    high: float | None = None
    classes: dict[str, str | tuple[str, ...]] | None = None

    @model_validator(mode="after")
    def _numbers_fit_the_goal(self) -> PropertySpec:
        asked = {"below": ("limit",), "above": ("limit",), "between": ("low", "high")}.get(self.goal, ())
        given = tuple(name for name in ("limit", "low", "high") if getattr(self, name) is not None)
        if set(asked) != set(given):
            need = " and ".join(asked) or "no number"
            raise ValueError(f"the goal {self.goal} takes {need}, and here {' and '.join(given) or 'none'} is given")
        if self.goal == "between" and not cast(float, self.low) < cast(float, self.high):
            raise ValueError(f"nothing lies between {self.low:g} and {self.high:g}")
        if self.classes is not None and self.goal != "report":
            raise ValueError("a property with classes can only be reported in this version")
        return self

    def meaning(self) -> Goal:
        """The goal on the floor below."""
        match self.goal:
            case "minimize":
                return Minimize()
            case "maximize":
                return Maximize()
            case "below":
                return Within(high=cast(float, self.limit))
            case "above":
                return Within(low=cast(float, self.limit))
            case "between":
                return Within(cast(float, self.low), cast(float, self.high))
            case "report":
                return Report()


class CampaignSpec(_Strict):
    """The whole of campaign.yaml."""

    alloyloop: int
    name: str = Field(min_length=1)
    composition: CompositionSpec
    process: dict[str, NumericSpec | ChoiceSpec] = {}
    conditions: dict[str, ConditionSpec] = {}
    properties: dict[str, PropertySpec] = Field(min_length=1)
    features: str | tuple[str, ...] = "auto"
    model: str = "auto"
    batch: int = Field(default=4, ge=1, le=96)
    seed: int = Field(default=0, ge=0)

    @property
    def goals(self) -> dict[str, Goal]:
        """The goals of the numeric properties, by name."""
        return {name: spec.meaning() for name, spec in self.properties.items() if spec.classes is None}


def design_space(spec: CampaignSpec, line_of: Callable[[Keys], int | None] = lambda keys: None) -> DesignSpace:
    """The space that campaign.yaml describes.

    Parameters
    ----------
    spec : the file's content
    line_of : the line of a key in the file, for messages

    Raises
    ------
    CampaignFileError
        with every mistake that the schema alone does not see: a bound that leaves nothing, an unknown element, a rule
        that cannot be read, an element that the policy bars
    """
    made = spec.composition
    mistakes = _Mistakes(line_of)
    elements: dict[str, Element] = {}
    for symbol, bounds in made.elements.items():
        with mistakes.at("composition", "elements", symbol):
            elements[symbol] = Element(symbol, bounds.min, bounds.max, bounds.step or made.step)
            atomic_masses((symbol,))
    with mistakes.at("composition", "balance"):
        atomic_masses((made.balance,))
    process: list[Numeric | Choice] = []
    for name, variable in spec.process.items():
        with mistakes.at("process", name):
            if isinstance(variable, NumericSpec):
                process.append(Numeric(name, variable.min, variable.max, variable.step))
            else:
                process.append(Choice(name, variable.choices))
    numeric = (variable.name for variable in process if isinstance(variable, Numeric))
    names = (*made.elements, made.balance, *numeric)
    rules: list[Rule] = []
    for i, text in enumerate(made.rules):
        with mistakes.at("composition", "rules", i):
            rules.append(parse_rule(text, tuple(dict.fromkeys(names))))
    mistakes.raise_any()
    own = made.elements.get(made.balance)  # the balance is listed where it has bounds of its own
    chosen = tuple(element for symbol, element in elements.items() if symbol != made.balance)
    with mistakes.at("composition", "elements"):
        lattice = Lattice(chosen, made.balance, own.min if own else 0.0, own.max if own else 100.0)
    mistakes.raise_any()
    conditions = tuple(Condition(name, wanted.at) for name, wanted in spec.conditions.items())
    with mistakes.at("composition", "policy"):
        followed = None if made.policy == "none" else policy(made.policy)
        space = DesignSpace(lattice, made.basis, tuple(process), tuple(rules), followed, conditions)
    mistakes.raise_any()
    return space


def layout(spec: CampaignSpec, space: DesignSpace) -> Layout:
    """What the columns of experiments.csv mean in a campaign."""
    return Layout(
        basis=space.basis,
        elements=space.elements,
        balance=spec.composition.balance,
        numeric=(
            *(variable.name for variable in space.process if isinstance(variable, Numeric)),
            *(condition.name for condition in space.conditions),
        ),
        choices={variable.name: variable.choices for variable in space.process if isinstance(variable, Choice)},
        properties=tuple(spec.goals),
        classes={
            name: {label: (said,) if isinstance(said, str) else said for label, said in wanted.classes.items()}
            for name, wanted in spec.properties.items()
            if wanted.classes is not None
        },
    )


def read_spec(path: Path) -> CampaignSpec:
    """Read campaign.yaml and build its space once, so that a spec that is returned has none of the mistakes named here.

    Raises
    ------
    CampaignFileError
        with every mistake, each with its line and keys
    """
    text = read_text(path).text
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = None if mark is None else mark.line + 1
        problem = Problem(
            path.name, line, None, f"This is not YAML: {error.problem}", "Check its indentation and colons."
        )
        raise CampaignFileError([problem]) from error
    except YAMLError as error:
        raise CampaignFileError.whole_file(path.name, f"This is not YAML: {error}") from error
    if not isinstance(document, CommentedMap):
        raise CampaignFileError.whole_file(
            path.name,
            "This file is empty" if document is None else "This file is not a list of keys and values",
            "`alloyloop new DIR --template beta-ti` writes a complete one to start from.",
        )
    _refuse_other_formats(path.name, document)
    later = list(_later_keys(path.name, document))
    if later:
        raise CampaignFileError(later)
    plain = _plain(document)
    try:
        spec = CampaignSpec.model_validate(plain)
    except ValidationError as error:
        meant = [detail for detail in error.errors() if _is_meant(plain, detail["loc"])]
        raise CampaignFileError([_problem(path.name, document, detail) for detail in meant]) from error
    _refuse_unknown_names(spec, lambda keys: _line(document, keys))
    design_space(spec, lambda keys: _line(document, keys))
    return spec


class _Mistakes:
    """Gathers what is wrong in several places before anything is raised."""

    def __init__(self, line_of: Callable[[Keys], int | None]) -> None:
        self._line_of = line_of
        self._problems: list[Problem] = []

    @contextmanager
    def at(self, *keys: str | int) -> Iterator[None]:
        try:
            yield
        except AlloyloopError as error:
            place = ".".join(str(key) for key in keys)
            self._problems.append(Problem(FILE, self._line_of(keys), place, error.problem, error.remedy))

    def raise_any(self) -> None:
        if self._problems:
            raise CampaignFileError(self._problems)


def _refuse_unknown_names(spec: CampaignSpec, line_of: Callable[[Keys], int | None]) -> None:
    """A model or a feature that there is not is said by `check`, and not first by `suggest`."""
    mistakes = _Mistakes(line_of)
    with mistakes.at("model"):
        if spec.model not in ("auto", *surrogate_names()):
            raise AlloyloopError(
                f"There is no model named '{spec.model}'", f"Write auto or one of {', '.join(surrogate_names())}."
            )
    with mistakes.at("features"):
        if isinstance(spec.features, tuple):
            for name in spec.features:
                descriptor(name)
        elif spec.features not in ("auto", *FEATURE_SETS):
            raise AlloyloopError(
                f"There is no feature set named '{spec.features}'",
                f"Write auto, {', '.join(FEATURE_SETS)}, or a list of descriptors.",
            )
    for name, wanted in spec.properties.items():
        with mistakes.at("properties", name):
            if name in DESCRIPTORS and wanted.goal != "report":
                raise AlloyloopError(
                    f"{name} is a descriptor, and this version does not yet pursue what is computed",
                    f"Write a bound on it as a rule, such as {name} <= 6; if it was measured, give it another name.",
                )
    mistakes.raise_any()


def _is_meant(document: Mapping[str, Any], keys: Keys) -> bool:
    """A process variable is read as a number and as a choice: of the two, the mistakes of the one that was meant."""
    if len(keys) < 3 or keys[0] != "process":
        return True
    wanted = document["process"][keys[1]]
    return keys[2] == ("ChoiceSpec" if isinstance(wanted, Mapping) and "choices" in wanted else "NumericSpec")


def _refuse_other_formats(file: str, document: CommentedMap) -> None:
    version = document.get("alloyloop")
    if version is None:
        raise CampaignFileError.whole_file(
            file,
            "The key alloyloop is missing, which names the version of the format",
            f"Write 'alloyloop: {FORMAT}' first.",
        )
    if not isinstance(version, int) or version != FORMAT:
        line = _line(document, ("alloyloop",))
        newer = isinstance(version, int) and version > FORMAT
        remedy = "Install a newer alloyloop." if newer else f"This version reads format {FORMAT}."
        raise CampaignFileError([Problem(file, line, "alloyloop", f"This campaign has format {version}", remedy)])


def _later_keys(file: str, document: CommentedMap) -> Iterator[Problem]:
    for section, keys in LATER.items():
        part = document.get(section) if section else document
        for key in keys:
            if isinstance(part, CommentedMap) and key in part:
                place = f"{section}.{key}" if section else key
                yield Problem(
                    file,
                    _line(document, tuple(place.split("."))),
                    place,
                    "This version does not act on it yet",
                    "Take it out.",
                )
    properties = document.get("properties")
    for name, wanted in properties.items() if isinstance(properties, CommentedMap) else ():
        goal = wanted.get("goal") if isinstance(wanted, CommentedMap) else None
        if goal in LATER_GOALS:
            where: Keys = ("properties", str(name), "goal")
            remedy = "Use minimize, maximize, below, above, between or report."
            yield Problem(
                file,
                _line(document, where),
                f"properties.{name}.goal",
                f"This version does not know {goal} yet",
                remedy,
            )


def _plain(node: Any) -> Any:
    """The document without its line numbers; keys as text, since YAML reads `No:` as false and `1:` as a number."""
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return tuple(_plain(value) for value in node)
    return node


def _problem(file: str, document: CommentedMap, detail: Any) -> Problem:
    keys = tuple(key for key in detail["loc"] if key not in ("NumericSpec", "ChoiceSpec", "tuple[str, ...]", "str"))
    place = ".".join(str(key) for key in keys)
    kind = detail["type"]
    if kind == "extra_forbidden":
        problem, remedy = "There is no such key", "Correct its spelling, or take it out."
    elif kind == "missing":
        problem, remedy = "This key is missing", "Add it; docs/file-formats.md lists what each means."
    else:
        said = detail["msg"].removeprefix("Value error, ")
        given = detail["input"]
        short = isinstance(given, str | int | float | bool)
        problem, remedy = said, f"It says {given!r}." if short else ""
    return Problem(file, _line(document, keys), place or None, problem, remedy)


def _line(document: CommentedMap, keys: Keys) -> int | None:
    """The line of the deepest of these keys that the file has, counted from 1."""
    node: Any = document
    line = None
    for key in keys:
        if isinstance(node, CommentedMap):
            own = next((k for k in node if str(k) == str(key)), None)
            if own is None:
                break
            line, node = node.lc.key(own)[0] + 1, node[own]
        elif isinstance(node, CommentedSeq) and str(key).isdigit() and int(str(key)) < len(node):
            line, node = node.lc.item(int(str(key)))[0] + 1, node[int(str(key))]
        else:
            break
    return line
