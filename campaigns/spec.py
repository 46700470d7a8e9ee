"""campaign.yaml: its schema, and the line of every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, count
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ..design.calphad import meanings
from ..design.composition import Basis
from ..design.computed import MELT_COST
from ..design.corrosion import ZERO_CELSIUS_K
from ..design.cost import Cost
from ..design.descriptors import DESCRIPTORS
from ..design.elements import atomic_masses
from ..design.features import FEATURE_SETS
from ..design.goals import Goal, Is, Match, Maximize, Minimize, Report, Within
from ..design.telling_apart import BALANCE_G
from ..surrogates.base import surrogate_names
from ..surrogates.classifiers import classifier_names
from ..surrogates.errors import AlloyloopError
from ..surrogates.steps import SPELLING
from .element_tables import is_element_table
from .files import read_text
from .migrating import FORMAT, bring_up, can_be_read
from .problems import CampaignFileError, Problem
from .reading import listed
from .table import FIRST_COLUMNS, LAST_COLUMNS

Keys = tuple[str | int, ...]

FILE = "campaign.yaml"

# No question of a person is longer, holds more or is nested deeper.
MOST_BYTES, MOST_VALUES, MOST_NESTED = 100_000, 20_000, 50
MOST_DIGITS, MOST_FORMATS = 300, 1_000_000

# A step of preparation: of the rows, or of the features, with how many features, axes or clusters it leaves or makes.
MERGE_REPEATS = "merge repeats"
PREPARATION = re.compile(rf"{MERGE_REPEATS}|{SPELLING.pattern}")


# The numbers that each goal takes, and the goals that one or more properties must have.
NUMBERS_OF_A_GOAL = {
    "below": ("limit",),
    "above": ("limit",),
    "between": ("low", "high"),
    "match": ("target", "tolerance"),
}
ALL_NUMBERS_OF_GOALS = tuple(dict.fromkeys(name for names in NUMBERS_OF_A_GOAL.values() for name in names))
PURSUED_GOALS = ("minimize", "maximize", "match")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ElementSpec(_Strict):
    """Bounds and step of one element [% of the basis]."""

    min: float = Field(default=0.0, ge=0, le=100)
    max: float = Field(ge=0, le=100)
    step: float | None = Field(default=None, gt=0)


class GroupSpec(_Strict):
    """How many of some elements an alloy may hold."""

    of: tuple[str, ...] = Field(min_length=1)
    min_elements: int | None = Field(default=None, ge=0)
    max_elements: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _limits_something(self) -> GroupSpec:
        if self.min_elements is None and self.max_elements is None:
            raise ValueError("a group takes min_elements, max_elements or both, and here none is given")
        return self


class CompositionSpec(_Strict):
    """What the alloys may consist of; a table of candidates with compositions says the elements and amounts itself."""

    basis: Basis
    balance: str
    step: float | None = Field(default=None, gt=0, le=50)
    elements: dict[str, ElementSpec] = {}
    present_above: float | None = Field(default=None, gt=0, le=100)
    min_elements: int | None = Field(default=None, ge=1)
    max_elements: int | None = Field(default=None, ge=1)
    groups: dict[str, GroupSpec] = {}
    rules: tuple[str, ...] = ()
    policy: str = "none"
    made_within: Literal["learned"] | dict[str, Annotated[float, Field(ge=0, le=100)]] | None = None
    made_within_share: float | None = Field(default=None, gt=0.5, lt=1)


class NumericSpec(_Strict):
    """A process variable that is a number; without a step any value in its range may be measured."""

    min: float
    max: float
    step: float | None = Field(default=None, gt=0)


class ChoiceSpec(_Strict):
    """A process variable with named values."""

    choices: tuple[str, ...] = Field(min_length=1)


class ConditionSpec(_Strict):
    """A condition of testing, and its value where predictions are wanted."""

    at: float


class PropertySpec(_Strict):
    """What is wanted of one property."""

    goal: Literal["minimize", "maximize", "match", "below", "above", "between", "is", "report"]
    limit: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    tolerance: float | None = Field(default=None, gt=0)
    weight: float | None = Field(default=None, gt=0)
    reference: float | None = None
    value: str | None = None
    classes: dict[str, str | tuple[str, ...]] | None = None
    scale: Literal["auto", "linear", "log", "logit"] = "auto"
    calculated: str | None = Field(default=None, min_length=1)

    @field_validator("value", mode="before")
    @classmethod
    def _is_written_as_the_classes_are(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) else value  # YAML reads `yes` as true and `1` as a number

    @model_validator(mode="after")
    def _numbers_fit_the_goal(self) -> PropertySpec:
        asked = NUMBERS_OF_A_GOAL.get(self.goal, ())
        given = tuple(name for name in ALL_NUMBERS_OF_GOALS if getattr(self, name) is not None)
        if set(asked) != set(given):
            need = " and ".join(asked) or "no number"
            raise ValueError(f"the goal {self.goal} takes {need}, and here {' and '.join(given) or 'none'} is given")
        if self.goal == "between" and not cast(float, self.low) < cast(float, self.high):
            raise ValueError(f"nothing lies between {self.low:g} and {self.high:g}")
        if self.weight is not None and self.goal == "report":
            raise ValueError("a weight is for what is wanted, and this property is only reported")
        if self.reference is not None and self.goal not in PURSUED_GOALS:
            raise ValueError(f"a reference is for what is pursued: {', '.join(PURSUED_GOALS)}")
        if self.classes is not None and self.goal not in ("is", "report"):
            raise ValueError(f"the goal {self.goal} is for numbers, and this property has classes: write is or report")
        if self.goal == "is" and (self.classes is None or len(self.classes) < 2):
            raise ValueError("the goal is asks for one of two or more classes, and they stand under classes")
        if (self.goal == "is") != (self.value is not None):
            raise ValueError("the goal is takes a value, the class that is wanted, and no other goal does")
        if self.classes is not None and (self.scale != "auto" or self.calculated is not None):
            raise ValueError("scale and calculated are for numbers, and this property has classes")
        return self

    def meaning(self) -> Goal:
        """The goal on the floor below."""
        match self.goal:
            case "minimize":
                return Minimize()
            case "maximize":
                return Maximize()
            case "match":
                return Match(cast(float, self.target), cast(float, self.tolerance))
            case "below":
                return Within(high=cast(float, self.limit))
            case "above":
                return Within(low=cast(float, self.limit))
            case "between":
                return Within(cast(float, self.low), cast(float, self.high))
            case "is":
                return Is(cast(str, self.value))
            case "report":
                return Report()


class CostSpec(_Strict):
    """What one melt costs [money]."""

    per_melt: float = Field(default=0.0, ge=0)
    mass_g: float | None = Field(default=None, gt=0)
    prices_per_kg: dict[str, Annotated[float, Field(ge=0)]] = {}
    process: dict[str, Annotated[float, Field(ge=0)] | dict[str, Annotated[float, Field(ge=0)]]] = {}

    def meaning(self) -> Cost:
        """The cost on the floor below."""
        return Cost(self.per_melt, self.mass_g, self.prices_per_kg, self.process)


class MeltingSpec(_Strict):
    """How alloys are weighed in and melted: mass of a melt, balance, shelf, and what each furnace takes away.

    `losses` are shares by furnace and element; `impurities` are the most that an alloy may hold of an element that it
    is to hold none of [wt.%].
    """

    mass_g: float | None = Field(default=None, gt=0)
    balance_g: float = Field(default=BALANCE_G, gt=0)
    furnace: str | None = Field(default=None, min_length=1)
    losses: dict[str, dict[str, Annotated[float, Field(ge=0, lt=1)]]] = {}
    impurities: dict[str, Annotated[float, Field(ge=0, lt=100)]] = {}
    stock: str | None = None

    @field_validator("stock")
    @classmethod
    def _lies_beside_the_question(cls, name: str | None) -> str | None:
        return name if name is None else _beside(name, "stock")

    @model_validator(mode="after")
    def _names_the_furnace(self) -> MeltingSpec:
        known = " or ".join(self.losses)
        if self.furnace is None and len(self.losses) > 1:
            raise ValueError(f"losses are those of several furnaces: say which is the usual one, furnace: {known}")
        if self.furnace is not None and self.losses and self.furnace not in self.losses:
            raise ValueError(f"there are losses of {known}, and none of {self.furnace}: write '{self.furnace}: {{}}'")
        return self

    @property
    def usual_furnace(self) -> str:
        """The furnace of a melt of which nobody says it; empty where there is none."""
        return self.furnace or next(iter(self.losses), "")


class BudgetSpec(_Strict):
    """What the campaign may use up: melts, or money."""

    melts: int | None = Field(default=None, ge=1)
    money: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> BudgetSpec:
        if (self.melts is None) == (self.money is None):
            raise ValueError("a budget is in melts or in money: give one of the two")
        return self


class CalphadSpec(_Strict):
    """What is asked of a thermodynamic database beside campaign.yaml; see `Calphad`."""

    database: str
    temperature_C: tuple[float, ...] = Field(min_length=1)
    phases: tuple[str, ...] = ()
    driving_forces: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    most_alloys: int = Field(default=10_000, ge=1)

    @field_validator("database")
    @classmethod
    def _lies_beside_the_question(cls, name: str) -> str:
        return _beside(name, "database")

    @field_validator("temperature_C")
    @classmethod
    def _is_a_temperature(cls, temperatures: tuple[float, ...]) -> tuple[float, ...]:
        if cold := [temperature for temperature in temperatures if temperature <= -ZERO_CELSIUS_K]:
            raise ValueError(f"{cold[0]:g} °C is below absolute zero")
        return temperatures

    @model_validator(mode="after")
    def _asks_once(self) -> CalphadSpec:
        if not self.phases and not self.driving_forces:
            raise ValueError("it asks for nothing: give it phases, driving_forces or both")
        lists = (self.phases, self.driving_forces, [f"{temperature:g} °C" for temperature in self.temperature_C])
        if twice := [name for names in lists for i, name in enumerate(names) if name in names[:i]]:
            raise ValueError(f"{twice[0]} is asked for twice")
        if both := sorted({*self.phases, *self.driving_forces} & set(self.suspended)):
            raise ValueError(f"{both[0]} is asked for and suspended at once")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it makes."""
        return tuple(meanings(self.database, self.temperature_C, self.phases, self.driving_forces))


class CampaignSpec(_Strict):
    """The whole of campaign.yaml."""

    alloyloop: int
    name: str = Field(min_length=1)
    composition: CompositionSpec | None = None
    process: dict[str, NumericSpec | ChoiceSpec] = {}
    conditions: dict[str, ConditionSpec] = {}
    rules: tuple[str, ...] = ()
    candidates: str | None = None
    properties: dict[str, PropertySpec] = Field(min_length=1)
    features: str | tuple[str, ...] = "auto"
    calphad: CalphadSpec | None = None
    model: str | dict[str, str] = "auto"
    prepare: tuple[str, ...] = ()
    acquisition: str = "auto"
    explore: float | None = Field(default=None, ge=0, le=1)
    search: Literal["exchange", "population"] = "exchange"
    cost: CostSpec | None = None
    budget: BudgetSpec | None = None
    melting: MeltingSpec | None = None
    batch_shares: tuple[str, ...] = ()
    batch: int = Field(default=4, ge=1, le=96)
    seed: int = Field(default=0, ge=0, lt=2**63)

    @field_validator("candidates")
    @classmethod
    def _lies_beside_the_question(cls, name: str | None) -> str | None:
        return name if name is None else _beside(name, "table")

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the files beside campaign.yaml that it is asked with: of candidates, of elements, of phases."""
        named = self.features if isinstance(self.features, tuple) else ()
        of_elements = (name for name in named if is_element_table(name))
        of_phases = (self.calphad.database,) if self.calphad is not None else ()
        return (*((self.candidates,) if self.candidates is not None else ()), *of_elements, *of_phases)

    @property
    def mass_g(self) -> float | None:
        """The mass of a melt [g], as said of melting or of its cost; None where neither says it."""
        said = (None if each is None else each.mass_g for each in (self.melting, self.cost))
        return next((mass for mass in said if mass is not None), None)

    @property
    def goals(self) -> dict[str, Goal]:
        """The goals of the numeric properties, by name."""
        return {name: spec.meaning() for name, spec in self.properties.items() if spec.classes is None}

    @property
    def computed(self) -> tuple[str, ...]:
        """The numeric properties that are computed and not measured: descriptors of a composition, and `melt_cost`."""
        known = (MELT_COST, *(DESCRIPTORS if self.composition is not None else ()))
        return tuple(name for name in self.goals if name in known)

    @property
    def learned(self) -> dict[str, Goal]:
        """The goals of the numeric properties that are measured and modelled, by name."""
        return {name: goal for name, goal in self.goals.items() if name not in self.computed}

    @property
    def class_goals(self) -> dict[str, Goal]:
        """The goals of the properties that have classes, by name."""
        return {name: spec.meaning() for name, spec in self.properties.items() if spec.classes is not None}

    @property
    def weights(self) -> dict[str, float]:
        """The weights of goals, by property; only those given."""
        return {name: spec.weight for name, spec in self.properties.items() if spec.weight is not None}

    @property
    def references(self) -> dict[str, float]:
        """What a pursued property is to be better than, by property; only those given."""
        return {name: spec.reference for name, spec in self.properties.items() if spec.reference is not None}

    def model_of(self, name: str) -> str:
        """The model of one property: its name, or auto.

        One word for all properties is that of the numbers; classes follow it where a classifier has the same name.
        """
        if not isinstance(self.model, str):
            return self.model.get(name, "auto")
        return "auto" if name in self.class_goals and self.model not in classifier_names() else self.model


def _beside(name: str, what: str) -> str:
    """The name of a file beside campaign.yaml."""
    # Opening a stranger's folder must not read what lies elsewhere.
    if not name or PurePath(name).name != name or "\\" in name:
        raise ValueError(f"the {what} lies beside campaign.yaml: this is not the name of a file alone")
    return name


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """campaign.yaml as it was written: what it says, and where.

    Parameters
    ----------
    spec : its content
    line_of : the line of a key, or of the deepest of its parents that the file has
    """

    spec: CampaignSpec
    line_of: Callable[[Keys], int | None] = lambda keys: None

    def problem(self, keys: Keys, problem: str, remedy: str = "") -> Problem:
        """A mistake at a key."""
        return Problem(FILE, self.line_of(keys), ".".join(map(str, keys)) or None, problem, remedy)


def read_spec(path: Path) -> CampaignSpec:
    """Read campaign.yaml, as `read_written` does, for its content alone."""
    return read_written(path).spec


def read_written(path: Path) -> Written:
    """Read campaign.yaml; what it says of the space is judged where the space is built.

    Raises
    ------
    CampaignFileError
        with every mistake, each with its line and keys
    """
    document = _parsed(read_text(path, MOST_BYTES).text, path.name)
    if not isinstance(document, CommentedMap):
        raise CampaignFileError.whole_file(
            path.name,
            "This file is empty" if document is None else "This file is not a list of keys and values",
            "`alloyloop new DIR --template beta-ti` writes a complete one to start from.",
        )
    _refuse_other_formats(path.name, document)
    bring_up(document, document["alloyloop"])
    try:
        plain = _plain(document, count(1), path.name)
    except RecursionError as error:
        raise _not_yaml(path.name, "a part of it holds itself") from error
    try:
        spec = CampaignSpec.model_validate(plain)
    except ValidationError as error:
        meant = [detail for detail in error.errors() if _is_meant(plain, detail["loc"])]
        raise CampaignFileError([_problem(path.name, document, detail) for detail in meant]) from error
    written = Written(spec, lambda keys: _line(document, keys))
    _refuse_links_elsewhere(written, path.parent)
    _refuse_unknown_names(written)
    return written


def _parsed(text: str, file: str) -> Any:
    """Parse YAML; nothing in it is ever run."""
    if _depth(text) > MOST_NESTED:  # the parser takes the square of the depth
        raise _not_yaml(file, f"it is nested more than {MOST_NESTED} deep")
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = None if mark is None else mark.line + 1
        problem = Problem(file, line, None, f"This is not YAML: {error.problem}", "Check its indentation and colons.")
        raise CampaignFileError([problem]) from error
    except YAMLError as error:
        raise CampaignFileError.whole_file(file, f"This is not YAML: {error}") from error
    except RecursionError as error:
        raise _not_yaml(file, "it is nested too deep") from error
    except ValueError as error:  # of a date or a number that is none
        raise _not_yaml(file, f"a value in it cannot be read ({error})") from error
    except Exception as error:  # the parser's own, on tags and merges that lead nowhere
        raise _not_yaml(file, "a value in it cannot be read") from error


def _depth(text: str) -> int:
    """How many brackets are open at once, at most."""
    steps = (1 if sign in "[{" else -1 for sign in re.findall(r"[\[\]{}]", text))
    return max(accumulate(steps), default=0)


def _not_yaml(file: str, why: str) -> CampaignFileError:
    return CampaignFileError.whole_file(file, f"This is not YAML that could be meant: {why}", "Take that out of it.")


class Mistakes:
    """Gathers what is wrong in several places of campaign.yaml before anything is raised."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._problems: list[Problem] = []

    def add(self, *keys: str | int, problem: str, remedy: str = "") -> None:
        """Note a mistake at a key."""
        self._problems.append(self._written.problem(keys, problem, remedy))

    @contextmanager
    def at(self, *keys: str | int) -> Iterator[None]:
        """Note what is raised inside as a mistake at a key."""
        try:
            yield
        except CampaignFileError as error:  # of another file, which has places of its own
            self._problems += error.problems
        except AlloyloopError as error:
            self.add(*keys, problem=error.problem, remedy=error.remedy)

    def raise_any(self) -> None:
        """Raise all that was noted, if there is any."""
        if self._problems:
            raise CampaignFileError(self._problems)


def _refuse_links_elsewhere(written: Written, folder: Path) -> None:
    """A file that campaign.yaml names is no link out of its folder: what a stranger's leads to would be copied."""
    spec, mistakes = written.spec, Mistakes(written)
    named: dict[Keys, str | None] = {("candidates",): spec.candidates}
    if isinstance(spec.features, tuple):
        named |= {("features", i): name for i, name in enumerate(spec.features) if is_element_table(name)}
    named[("calphad", "database")] = None if spec.calphad is None else spec.calphad.database
    named[("melting", "stock")] = None if spec.melting is None else spec.melting.stock
    for keys, name in named.items():
        with mistakes.at(*keys):
            if name is not None and not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise AlloyloopError(f"{name} is a link to a file elsewhere", "Put the file itself into the folder.")
    mistakes.raise_any()


def _refuse_unknown_names(written: Written) -> None:
    """A model or a feature set that there is not is said by `check`, and not first by `suggest`.

    What a list of features names hangs on the space and the table too, and is read with them.
    """
    spec, mistakes = written.spec, Mistakes(written)
    if isinstance(spec.model, str):
        with mistakes.at("model"):
            _refuse_unknown_model(spec.model, surrogate_names() if spec.goals else classifier_names())
    else:
        for name, model in spec.model.items():
            with mistakes.at("model", name):
                if name not in spec.properties:
                    raise AlloyloopError(
                        f"There is no property {name}", f"Those of campaign.yaml are {', '.join(spec.properties)}."
                    )
                _refuse_unknown_model(model, surrogate_names() if name in spec.goals else classifier_names())
    for name, asked in spec.properties.items():
        with mistakes.at("properties", name, "value"):
            if asked.value is not None and asked.value not in (asked.classes or {}):
                raise AlloyloopError(
                    f"'{asked.value}' is no class of {name}", f"Write one of {', '.join(asked.classes or {})}."
                )
    with mistakes.at("features"):
        if spec.composition is None and spec.features in FEATURE_SETS:
            raise AlloyloopError(
                "Without a composition a model sees the process variables, and has no features of alloys",
                "Write auto, or a list of formulas such as ['laser_power_W / scan_speed_mm_per_s'].",
            )
        if isinstance(spec.features, str) and spec.features not in ("auto", *FEATURE_SETS):
            raise AlloyloopError(
                f"There is no feature set named '{spec.features}'",
                f"Write auto, {', '.join(FEATURE_SETS)}, or a list such as ['{spec.features}'].",
            )
        if not spec.features:
            raise AlloyloopError("The list of features is empty", "Write auto, or name a feature.")
    with mistakes.at("calphad"):
        if spec.calphad is not None and spec.composition is None:
            raise AlloyloopError("Without a composition there are no phases to compute", "Take the key out.")
        if spec.calphad is not None and spec.features == "composition":
            raise AlloyloopError(
                "Nothing would see its columns: features says composition alone",
                "Write features: auto, descriptors, both or a list with calphad in it, or take the key out.",
            )
    with mistakes.at("acquisition"):
        if spec.acquisition != "auto":
            from ..design.acquisitions import refuse

            refuse(spec.acquisition, spec.explore)
    for i, name in enumerate(spec.batch_shares):
        with mistakes.at("batch_shares", i):
            if name not in spec.process:
                known = ", ".join(spec.process) or "none"
                raise AlloyloopError(
                    f"A batch can share a process variable, and {name} is none",
                    f"Those of campaign.yaml: {known}.",
                )
    for i, step in enumerate(spec.prepare):
        with mistakes.at("prepare", i):
            if not PREPARATION.fullmatch(step):
                raise AlloyloopError(
                    f"'{step}' is no step of preparation",
                    f"Write {MERGE_REPEATS}, select 8, pca 5, ica 5 or clusters 4, say.",
                )
    columns: dict[str, str] = {}
    for section, names in (
        ("process", spec.process),
        ("conditions", spec.conditions),
        ("properties", spec.properties),
    ):
        for name in names:
            with mistakes.at(section, name):
                if name in columns:
                    raise AlloyloopError(
                        f"{name} stands under {columns[name]} too, and experiments.csv has one column of that name",
                        "Give one of the two another name.",
                    )
                columns[name] = section
    _refuse_what_weighs_or_refers_in_vain(spec, mistakes)
    _refuse_what_cannot_be_melted(spec, mistakes)
    for name, wanted in spec.properties.items():
        with mistakes.at("properties", name, "calculated"):
            calculated = wanted.calculated
            if calculated is not None and (calculated in columns or calculated in (*FIRST_COLUMNS, *LAST_COLUMNS)):
                said = f"{calculated} stands under {columns.get(calculated, 'the columns that every table has')}"
                raise AlloyloopError(
                    f"{said}, and calculated values of {name} need a column of their own",
                    "Give the column another name in experiments.csv, and write it here.",
                )
    mistakes.raise_any()


def _refuse_what_weighs_or_refers_in_vain(spec: CampaignSpec, mistakes: Mistakes) -> None:
    """Weights make one number of several pursued goals, or there are none; a reference is for a Pareto front."""
    wanted = [name for name, each in spec.properties.items() if each.goal in PURSUED_GOALS]
    weighed = [name for name in wanted if name in spec.weights]
    for name in wanted:
        if weighed and name not in weighed:
            with mistakes.at("properties", name):
                raise AlloyloopError(
                    f"{name} is pursued without a weight, and {listed(weighed)} with one",
                    "Give every pursued property a weight, for one number made of them, or none, for a Pareto front.",
                )
        if name in spec.references and (weighed or len(wanted) == 1):
            with mistakes.at("properties", name, "reference"):
                why = "weights make one number" if weighed else "one property is pursued"
                raise AlloyloopError(
                    f"A reference is where the hypervolume of a Pareto front is counted from, and here {why}",
                    "Take it out.",
                )


def _refuse_what_cannot_be_melted(spec: CampaignSpec, mistakes: Mistakes) -> None:
    """Elements that there are not, a balance too coarse for the melt, and two masses of one melt."""
    melting = spec.melting
    if melting is None:
        return
    with mistakes.at("melting"):
        if spec.composition is None:
            raise AlloyloopError("Nothing is melted in this campaign: it has no composition", "Take the key out.")
    of_elements = [(("losses", furnace), element) for furnace, losses in melting.losses.items() for element in losses]
    for keys, element in (*of_elements, *((("impurities",), element) for element in melting.impurities)):
        with mistakes.at("melting", *keys, element):
            atomic_masses([element])
    with mistakes.at("melting", "mass_g"):
        if melting.mass_g is not None and spec.cost is not None and spec.cost.mass_g not in (None, melting.mass_g):
            raise AlloyloopError(
                f"A melt weighs {melting.mass_g:g} g here, and {spec.cost.mass_g:g} g under cost",
                "Keep one of the two.",
            )
    with mistakes.at("melting", "balance_g"):
        if spec.mass_g is not None and melting.balance_g > spec.mass_g / 100:
            raise AlloyloopError(
                f"A balance that reads {melting.balance_g:g} g does not weigh out {spec.mass_g:g} g of an alloy",
                "Write what it reads in grams, 0.001 for a milligram.",
            )


def _refuse_unknown_model(name: str, known: Sequence[str]) -> None:
    if name not in ("auto", *known):
        raise AlloyloopError(f"There is no model named '{name}'", f"Write auto or one of {', '.join(known)}.")


def _is_meant(document: Mapping[str, Any], keys: Keys) -> bool:
    """A process variable is read as a number and as a choice: of the two, the mistakes of the one that was meant.

    So are features and a model, as a word and as a list of words, or a word for each property; and what a process
    variable costs, or within what an element is made, as one number or word and as one each.
    """
    depth = {"cost.process": 3, "composition.made_within": 2}.get(".".join(map(str, keys[:2])), len(keys))
    if len(keys) > depth:
        given: Any = document
        for key in keys[:depth]:
            given = given[key]
        return str(keys[depth]).startswith("dict") == isinstance(given, Mapping)
    if len(keys) > 1 and keys[0] in ("features", "model"):
        kind, of = {"features": ("tuple[str, ...]", tuple), "model": ("dict[str,str]", Mapping)}[str(keys[0])]
        return keys[1] == (kind if isinstance(document[str(keys[0])], of) else "str")
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
    if not isinstance(version, int) or isinstance(version, bool) or not can_be_read(version):
        line = _line(document, ("alloyloop",))
        newer = isinstance(version, int) and version > FORMAT
        newest = "Install a newer alloyloop: `pip install --upgrade alloyloop`."
        remedy = newest if newer else f"This version reads format {FORMAT}."
        if newer and version > MOST_FORMATS:
            version = "of a number without end"
        raise CampaignFileError([Problem(file, line, "alloyloop", f"This campaign has format {version}", remedy)])


def _plain(node: Any, values: Iterator[int], file: str) -> Any:
    """The document without its line numbers; keys as text, since YAML reads `No:` as false and `1:` as a number.

    `values` counts what it holds: by naming its parts again and again a small file could hold more than memory does.
    """
    if next(values) > MOST_VALUES:
        raise _not_yaml(file, f"it holds more than {MOST_VALUES} values")
    if isinstance(node, CommentedMap):
        return {str(_plain(key, values, file)): _plain(value, values, file) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return tuple(_plain(value, values, file) for value in node)
    if isinstance(node, int) and abs(node) >= 10**MOST_DIGITS:
        raise _not_yaml(file, f"a number in it has more than {MOST_DIGITS} digits")
    return node


# What pydantic adds to a place where a value may be of several kinds.
_KINDS = (
    *("NumericSpec", "ChoiceSpec", "tuple[str, ...]", "dict[str,str]", "str"),
    *("constrained-float", "dict[str,constrained-float]", "literal['learned']"),
)


def _problem(file: str, document: CommentedMap, detail: Any) -> Problem:
    keys = tuple(key for key in detail["loc"] if key not in _KINDS)
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
            own = key if key in node else next((k for k in node if str(k) == str(key)), None)
            if own is None:
                break
            line, node = node.lc.key(own)[0] + 1, node[own]
        elif isinstance(node, CommentedSeq) and str(key).isdigit() and int(str(key)) < len(node):
            line, node = node.lc.item(int(str(key)))[0] + 1, node[int(str(key))]
        else:
            break
    return line
