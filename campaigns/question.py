"""campaign.yaml for a table whose columns were inferred, as text that a user can correct."""

from __future__ import annotations

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.compat import StringIO

from .infer import Inference, Range
from .migrating import FORMAT


def question_of(inferred: Inference, name: str) -> tuple[str, tuple[str, ...]]:
    """campaign.yaml as text for an inferred table, and what was decided in it, in words."""
    said = list(inferred.remarks)
    document = CommentedMap({"alloyloop": FORMAT, "name": name})
    if inferred.basis is not None:
        document["composition"] = _composition(inferred)
    else:
        said.append("No composition was found in the table: the campaign is a study of the process alone.")
    if inferred.process:
        process = CommentedMap()
        for variable, levels in inferred.process.items():
            if isinstance(levels, Range):
                process[variable] = _flow({"min": levels.low, "max": levels.high, "step": levels.step})
            else:
                process[variable] = _flow({"choices": list(levels)})
        document["process"] = process
    if inferred.conditions:
        document["conditions"] = CommentedMap({name: _flow({"at": at}) for name, at in inferred.conditions.items()})
        document.yaml_set_comment_before_after_key(
            "conditions", "where predictions are wanted; the table's most frequent values"
        )
    document["properties"], pursued = _properties(inferred)
    document |= {"features": "auto", "model": "auto", "batch": 4, "seed": 0}
    if pursued:
        said.append(f"The goal is to {pursued}; correct it under properties in campaign.yaml if you want another.")
    else:
        said.append("No property has a goal that people usually mean: give one minimize or maximize in campaign.yaml.")
    stream = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.dump(document, stream)
    return stream.getvalue(), tuple(said)


def _composition(inferred: Inference) -> CommentedMap:
    """What the alloys may consist of: the ranges of the table."""
    elements = CommentedMap()
    for symbol, bounds in inferred.elements.items():
        elements[symbol] = _flow({"min": bounds.low, "max": bounds.high})
        if bounds.step != inferred.step and symbol != inferred.balance:
            elements[symbol]["step"] = _plain(bounds.step)
    composition = CommentedMap(
        {
            "basis": inferred.basis,
            "balance": inferred.balance,
            "step": _plain(inferred.step),
            "elements": elements,
            "policy": "none",
        }
    )
    composition.yaml_add_eol_comment("the ranges of the table: narrow them to what you would melt", "elements")
    return composition


def _properties(inferred: Inference) -> tuple[CommentedMap, str]:
    """The properties with their goals, and the one that is pursued, in words: the first that people pursue."""
    properties = CommentedMap()
    pursued = ""
    for name, goal in inferred.properties.items():
        usual = goal != "report"
        properties[name] = _flow({"goal": goal if not pursued else "report"})
        if usual and pursued:
            properties.yaml_add_eol_comment(
                f"people usually {goal} it: pursued too, it would make a Pareto front", name
            )
        elif usual:
            pursued = f"{goal} {name}"
    for name, classes in inferred.classes.items():
        properties[name] = _flow({"goal": "report", "classes": {label: list(said) for label, said in classes.items()}})
    return properties, pursued


def _flow(content: dict[str, object]) -> CommentedMap:
    """A mapping written in one line; whole numbers as such."""
    mapping = CommentedMap({key: _plain(value) for key, value in content.items()})
    mapping.fa.set_flow_style()
    return mapping


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
