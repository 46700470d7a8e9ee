"""campaign.yaml as JSON Schema, by which editors complete keys, say what they mean, and underline mistakes."""

from __future__ import annotations

from typing import Any

from .answers import Json
from .migrating import FORMAT
from .spec import ALL_NUMBERS_OF_GOALS, NUMBERS_OF_A_GOAL, CampaignSpec

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# What the keys mean, by the class that has them; docs/file-formats.md says more of each.
MEANINGS: dict[str, dict[str, str]] = {
    "CampaignSpec": {
        "alloyloop": "The version of this format.",
        "name": "Of the campaign.",
        "composition": "What the alloys may consist of; left out in a study of the process alone.",
        "process": "Variables chosen with the alloy, by name with unit: min, max and perhaps step, or choices.",
        "conditions": "How properties were tested: rows may differ in it; every design is predicted `at` this value.",
        "rules": "What every design keeps, in a campaign without a composition.",
        "candidates": "The name of a table beside campaign.yaml to choose from.",
        "properties": "What is measured, by name with unit, and what is wanted of it.",
        "features": "What a model sees: auto, composition, descriptors, both, or a list.",
        "calphad": "What is asked of a thermodynamic database.",
        "model": "auto or a name (`alloyloop models`), or one for each property.",
        "prepare": "Steps before the model: merge repeats, select 8, pca 5, ica 5, clusters 4.",
        "acquisition": "What the next alloys are looked for by: auto or a name (`alloyloop acquisitions`).",
        "explore": "0 takes what is expected to be best, 1 only learns; left out, expected improvement settles it.",
        "search": "How the best alloys are looked for.",
        "cost": "What a melt costs [money].",
        "budget": "What the campaign may use up: melts, or money.",
        "melting": "How alloys are weighed in and melted.",
        "batch_shares": "Process variables that all alloys of a batch have in common: one furnace run.",
        "batch": "How many alloys a round has.",
        "seed": "Settles every random draw.",
    },
    "CompositionSpec": {
        "basis": "Of every amount in the campaign.",
        "balance": "The element that takes the remainder.",
        "step": "The smallest amount weighed on purpose [%].",
        "elements": "Bounds of each element [%].",
        "present_above": "An element is absent, or at least this much [%].",
        "min_elements": "How many elements an alloy holds at least; the balance counts.",
        "max_elements": "How many elements an alloy holds at most; the balance counts.",
        "groups": "Elements, by a name for them, of which so many are present.",
        "rules": "What every design keeps, such as `10 <= Nb + Ta <= 30`.",
        "policy": "What the alloy may not contain, and why (`alloyloop policies`).",
        "made_within": "How far amounts come out from the aim: standard deviation per element [%], or learned.",
        "made_within_share": "So large a share of what is made must be as good.",
    },
    "ElementSpec": {
        "min": "The least amount [%].",
        "max": "The largest amount [%].",
        "step": "The smallest amount weighed on purpose [%], if not the common one.",
    },
    "GroupSpec": {
        "of": "Symbols of the elements.",
        "min_elements": "How many of them an alloy holds at least.",
        "max_elements": "How many of them an alloy holds at most.",
    },
    "NumericSpec": {
        "min": "The lowest value.",
        "max": "The highest value.",
        "step": "Between values that can be set; any can, where it is left out.",
    },
    "ChoiceSpec": {"choices": "The values there are."},
    "ConditionSpec": {"at": "The value at which designs are predicted."},
    "PropertySpec": {
        "goal": "What is wanted: less, more, a target, a limit, a class, or nothing but to be told.",
        "limit": "Of the goals below and above.",
        "low": "Of the goal between.",
        "high": "Of the goal between.",
        "target": "Of the goal match.",
        "tolerance": "Of the goal match: within it the target is met.",
        "weight": "Of what is pursued, to make one number of several goals; of a limit, the power of its probability.",
        "reference": "From where the hypervolume of a Pareto front is counted.",
        "value": "Of the goal is: the class that is wanted.",
        "classes": "Of a property in words: per class the words that mean it; * stands for anything.",
        "scale": "On which it is modelled.",
        "calculated": "A column of experiments.csv with calculated values of the same property.",
    },
    "CalphadSpec": {
        "database": "The name of a TDB file beside campaign.yaml.",
        "temperature_C": "At which phases are computed.",
        "phases": "Whose fractions are features.",
        "driving_forces": "Phases whose driving forces are features.",
        "suspended": "Phases that take no part.",
        "most_alloys": "New ones computed at a time.",
    },
    "CostSpec": {
        "per_melt": "Of each melt [money].",
        "mass_g": "Of a melt [g].",
        "prices_per_kg": "Of elements [money per kg].",
        "process": "Of process variables [money]: one number, or one for each of their values.",
    },
    "BudgetSpec": {"melts": "How many.", "money": "How much."},
    "MeltingSpec": {
        "mass_g": "Of a melt [g].",
        "balance_g": "What the balance reads [g].",
        "furnace": "The usual one.",
        "losses": "By furnace and element, as shares of what was weighed in.",
        "impurities": "The most of an element that an alloy is to hold none of [wt.%].",
        "stock": "The name of a table of the shelf beside campaign.yaml.",
    },
}
_BESIDE = ("candidates", "database", "stock")


def campaign_schema() -> Json:
    """The JSON Schema (2020-12) of campaign.yaml.

    It accepts what the reader accepts, but for numbers in quotation marks, and knows keys, types, ranges, and which
    numbers a goal takes. What hangs on several keys, on names or on other files only `alloyloop check` knows.

    Examples
    --------
    >>> schema = campaign_schema()
    >>> schema["properties"]["batch"]["description"], schema["properties"]["batch"]["maximum"]
    ('How many alloys a round has.', 96)
    """
    schema = CampaignSpec.model_json_schema()
    kinds = {"CampaignSpec": schema, **schema["$defs"]}
    for kind, keys in MEANINGS.items():
        for key, meaning in keys.items():
            said = kinds[kind]["properties"][key]
            said.pop("title", None)
            said["description"] = meaning
            if key in _BESIDE:
                _name_of_a_file(said)
    schema["title"] = "campaign.yaml of alloyloop"
    schema["properties"]["alloyloop"] |= {"const": FORMAT}
    asked = kinds["PropertySpec"]
    asked["properties"]["value"]["anyOf"] += [{"type": "boolean"}, {"type": "number"}]  # YAML reads `yes` as true
    asked["allOf"] = [_numbers_of(goal) for goal in asked["properties"]["goal"]["enum"]]
    return {"$schema": _DIALECT, **schema}


def _name_of_a_file(said: dict[str, Any]) -> None:
    for kind in said.get("anyOf", (said,)):
        if kind["type"] == "string":
            kind["pattern"] = r"^[^/\\]+$"


def _numbers_of(goal: str) -> Json:
    """That a goal takes its numbers and no others."""
    asked = NUMBERS_OF_A_GOAL.get(goal, ())
    others = {name: {"type": "null"} for name in ALL_NUMBERS_OF_GOALS if name not in asked}
    return {"if": {"properties": {"goal": {"const": goal}}}, "then": {"required": list(asked), "properties": others}}
