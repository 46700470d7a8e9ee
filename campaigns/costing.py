"""What campaign.yaml says of money and of properties that are computed: judged in one place, and limits made rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from ..design.computed import MELT_COST, lacking
from ..design.cost import PRICE, Cost, CostLimit
from ..design.descriptors import DESCRIPTORS
from ..design.elements import atomic_masses
from ..design.goals import Within, limits
from ..design.process import Choice
from ..design.rules import Computed, Limits, Rule
from ..design.space import DesignSpace
from ..surrogates.errors import AlloyloopError
from .reading import listed
from .spec import CampaignSpec, Mistakes, PropertySpec, Written

_HOW_A_STEP_COSTS = "Write a price for each choice, or a price per unit of a number."


def computed_rules(spec: CampaignSpec) -> dict[str, Rule]:
    """The limits of what is computed of a composition as rules of the space, by property.

    What breaks one is never proposed. In a pure process space, which has no such rules, they are limits as others are.
    """
    rules = {}
    for name, limit in limits(spec.goals).items() if spec.composition is not None else ():
        if name in DESCRIPTORS:
            text, bounds = _bounded(name, limit)
            rules[name] = Rule(text, Computed(text, name, bounds))
        elif name == MELT_COST and spec.cost is not None:
            text, bounds = _bounded(name, limit)
            rules[name] = Rule(text, CostLimit(text, name, bounds, spec.cost.meaning()))
    return rules


def _bounded(name: str, limit: Within) -> tuple[str, Limits]:
    """A limit as a rule spells it, and its bounds."""
    if limit.low > -inf and limit.high < inf:
        text = f"{name} between {limit.low:.15g} and {limit.high:.15g}"
    else:
        text = f"{name} <= {limit.high:.15g}" if limit.high < inf else f"{name} >= {limit.low:.15g}"
    return text, Limits(limit.low, limit.high)


def money(written: Written, space: DesignSpace, mistakes: Mistakes) -> tuple[str, ...]:
    """Note what is wrong with cost, budget and the properties that are computed.

    Parameters
    ----------
    written : the file's content
    space : that it describes
    mistakes : where they are noted

    Returns
    -------
    remarks on prices that the user did not give
    """
    spec = written.spec
    for name in spec.computed:
        _judge_computed(name, spec.properties[name], spec, space, mistakes)
    if spec.budget is not None and spec.budget.money is not None and spec.cost is None:
        mistakes.add(
            *("budget", "money"),
            problem="A budget in money needs to know what a melt costs",
            remedy="Write it under cost, such as 'cost: {per_melt: 40}', or give the budget in melts.",
        )
    if spec.cost is None:
        return ()
    _judge_steps(spec.cost.process, space, mistakes)
    cost = spec.cost.meaning()
    _judge_charge(cost, space, mistakes)
    if not (cost.per_melt or cost.mass_g or cost.prices_per_kg or cost.steps):
        mistakes.add(
            "cost", problem="Nothing costs anything", remedy="Give per_melt, mass_g or process, or take it out."
        )
    if taken := cost.from_table(space.elements):
        said = f"what is paid for {listed(taken)} is taken from the element table: raw material in bulk, USD per kg"
        return (str(written.problem(("cost",), said, "Write your own prices under prices_per_kg.")),)
    return ()


def _judge_computed(
    name: str, wanted: PropertySpec, spec: CampaignSpec, space: DesignSpace, mistakes: Mistakes
) -> None:
    with mistakes.at("properties", name):
        if wanted.scale != "auto" or wanted.calculated is not None:
            raise AlloyloopError(
                f"{name} is computed, and scale and calculated are for what is measured",
                "Take them out, or give a property that was measured another name.",
            )
        if name == MELT_COST and spec.cost is None:
            raise AlloyloopError(
                f"{MELT_COST} is computed, and nothing says what a melt costs",
                "Write it under cost, such as 'cost: {per_melt: 40, mass_g: 40}'.",
            )
        if name in DESCRIPTORS:
            refuse_unknown(name, space.elements, f"{name} out of the properties")
    with mistakes.at("model", name):
        if not isinstance(spec.model, str) and name in spec.model:
            raise AlloyloopError(f"{name} is computed, and takes no model", "Take it out.")


def refuse_unknown(name: str, elements: Sequence[str], place: str) -> None:
    """Refuse a descriptor that is not known of alloys of these elements; `place` is what may be taken out, and whence.

    Raises
    ------
    AlloyloopError
        where an element, or a pair of them, lacks a value
    """
    if not (without := lacking(name, elements)):
        return
    remedy = f"Take the element out of the space, or {place}."
    if name == PRICE:
        remedy = (
            f"The element table has no such price. Ask for {MELT_COST} instead and write what you pay under cost, such "
            f"as 'cost: {{mass_g: 1000, prices_per_kg: {{{without[0]}: 2}}}}', or take {place}."
        )
    raise AlloyloopError(f"{name} cannot be computed of alloys with {listed(without, 'or')}", remedy)


def _judge_steps(steps: Mapping[str, float | Mapping[str, float]], space: DesignSpace, mistakes: Mistakes) -> None:
    variables = {variable.name: variable for variable in space.process}
    for name, step in steps.items():
        with mistakes.at("cost", "process", name):
            if name not in variables:
                known = f"Those of this campaign are {listed(tuple(variables))}." if variables else "There is none."
                raise AlloyloopError(f"{name} is not a process variable", known)
            variable = variables[name]
            if isinstance(variable, Choice):
                if not isinstance(step, Mapping):
                    raise AlloyloopError(f"{name} has choices, and they have one price together", _HOW_A_STEP_COSTS)
                if unknown := [choice for choice in step if choice not in variable.choices]:
                    choices = listed(variable.choices)
                    raise AlloyloopError(f"'{unknown[0]}' is no choice of {name}", f"Its choices are {choices}.")
                if left := [choice for choice in variable.choices if choice not in step]:
                    raise AlloyloopError(
                        f"There is no price of {name} {listed(left)}", "Write 0 where it costs nothing."
                    )
            elif isinstance(step, Mapping):
                raise AlloyloopError(f"{name} is a number, and has prices of choices", _HOW_A_STEP_COSTS)
            elif variable.low < 0:
                raise AlloyloopError(
                    f"{name} may be below 0, and a price per unit would be paid back there",
                    "Count it from its lowest value, or take its price out.",
                )


def _judge_charge(cost: Cost, space: DesignSpace, mistakes: Mistakes) -> None:
    for element in cost.prices_per_kg:
        with mistakes.at("cost", "prices_per_kg", element):
            atomic_masses([element])
    with mistakes.at("cost", "mass_g"):
        if cost.mass_g is not None and not space.elements:
            raise AlloyloopError("Nothing is melted in this campaign: it has no composition", "Take it out.")
        if cost.mass_g is None and cost.prices_per_kg:
            raise AlloyloopError("Prices of elements say nothing without the mass of a melt", "Write mass_g: 40, say.")
    with mistakes.at("cost", "prices_per_kg"):
        if without := cost.without_price(space.elements):
            raise AlloyloopError(
                f"The element table has no price of {listed(without, 'or')}", "Write what you pay per kg here."
            )
