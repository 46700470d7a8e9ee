"""A campaign from any table: what was inferred becomes campaign.yaml and experiments.csv, where it can be corrected."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.compat import StringIO

from ..design.composition import Basis
from ..surrogates.errors import AlloyloopError
from .campaign import Campaign
from .infer import Inference, Range, infer
from .migrating import FORMAT
from .sheet import read_sheet, sheet_bytes


def campaign_from_table(
    directory: Path, table: Path, basis: str | None = None, balance: str | None = None
) -> tuple[str, ...]:
    """Make a campaign folder from a table of alloys.

    Parameters
    ----------
    directory : the folder to make
    table : CSV of any dialect, or .xlsx
    basis : `at_pct` or `wt_pct`, where the table's columns do not say it
    balance : the element that takes the remainder, where the table has no column of it or another is wanted

    Returns
    -------
    what was inferred, one sentence a column or key

    Raises
    ------
    AlloyloopError
        where the table cannot be read, its basis is nowhere said, or the folder is not empty
    """
    if basis is not None and basis not in get_args(Basis):
        raise AlloyloopError(f"'{basis}' is not a basis", "Write --basis at_pct or --basis wt_pct.")
    inferred = infer(read_sheet(table), basis=cast("Basis | None", basis), balance=balance)
    if inferred.basis is None and (basis or balance or not inferred.process):
        raise AlloyloopError(
            "No composition was found in the table" + ("" if basis or balance else ", and no process variable"),
            "Name its columns Ti_wt_pct, 'Nb (at.%)' or 'laser power (W)', say, or give one column of alloy names.",
            place=inferred.sheet.file,
        )
    said = tuple(str(column) for column in inferred.columns)
    question, more = question_of(inferred, table.stem.replace("_", " "))
    files = {"campaign.yaml": question.encode(), "experiments.csv": sheet_bytes(inferred.experiments())}
    Campaign.written(directory, files, {"table": table.name, "inferred": [*said, *more]})
    return (*said, *more)


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
