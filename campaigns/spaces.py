"""The design space that campaign.yaml describes, together with its table of candidates where it names one."""

from __future__ import annotations

from math import fsum
from pathlib import Path

from ..design.elements import atomic_masses
from ..design.lattice import CountLimit, Element, Lattice, exact
from ..design.policies import policy
from ..design.process import Choice, Condition, Numeric
from ..design.rules import Computed, Names, Rule, parse_rule
from ..design.space import DesignSpace
from ..surrogates.errors import AlloyloopError
from .choosing import read_candidates
from .costing import computed_rules, money, refuse_unknown
from .features import NamedFeatures
from .spec import ChoiceSpec, CompositionSpec, Mistakes, NumericSpec, Written
from .table import Layout


def design_space(written: Written, folder: Path | None = None) -> tuple[DesignSpace, tuple[str, ...]]:
    """The space that campaign.yaml describes, and what had to be assumed of it.

    Parameters
    ----------
    written : the file's content
    folder : where the table of candidates lies, if it names one

    Raises
    ------
    CampaignFileError
        with every mistake that the schema alone does not see: a bound that leaves nothing, an unknown element, a rule
        that cannot be read, an element that the policy bars, a row of candidates that is none
    """
    spec, mistakes = written.spec, Mistakes(written)
    if spec.composition is None and not spec.process:
        mistakes.add(problem="There is nothing to choose", remedy="Write a composition, a process, or both.")
    if spec.composition is not None and spec.rules:
        mistakes.add(
            "rules",
            problem="The rules of a campaign with a composition stand under composition",
            remedy="Move them there.",
        )
    made = spec.composition
    elements = _elements(made, mistakes) if made is not None else ()
    process = _process(written, mistakes)
    # Read by the elements as they are listed, so that all mistakes are said at once; a table may bring others.
    rules = _rules(written, _listed(made), mistakes) if spec.candidates is None else ()
    mistakes.raise_any()
    table = None
    if spec.candidates is not None:
        with mistakes.at("candidates"):
            table = read_candidates(folder or Path(), spec.candidates, made, process)
    mistakes.raise_any()
    candidates = None if table is None else table.candidates
    if table is not None:
        process = tuple(table.narrowed(variable) for variable in process)
    lattice = None
    if made is not None and not (candidates is not None and candidates.elements):
        lattice = _lattice(made, elements, mistakes)
    elif made is not None:
        _refuse_what_candidates_say(made, mistakes)
    mistakes.raise_any()
    if candidates is not None:
        rules = _rules(written, candidates.elements or _listed(made), mistakes)
    mistakes.raise_any()
    conditions = tuple(Condition(name, wanted.at) for name, wanted in spec.conditions.items())
    with mistakes.at(*(("composition", "policy") if made is not None else ("process",))):
        followed = None if made is None or made.policy == "none" else policy(made.policy)
        basis = "at_pct" if made is None else made.basis
        space = DesignSpace(lattice, basis, process, rules, followed, conditions, candidates)
    mistakes.raise_any()
    if made is not None:
        _refuse_wrong_scatter(made, space.elements, mistakes)
    of_money = money(written, space, mistakes)
    mistakes.raise_any()
    remarks = [*([] if table is None else table.remarks), *of_money]
    if lattice is not None and made is not None:
        remarks += _remarks(written, made, lattice)
    return space, tuple(remarks)


def layout(written: Written, space: DesignSpace, named: NamedFeatures | None = None) -> Layout:
    """What the columns of experiments.csv mean in a campaign, where `named` are the features that it names."""
    spec = written.spec
    seen = named.all_columns if named is not None else ()
    calculated = (wanted.calculated for wanted in spec.properties.values() if wanted.calculated is not None)
    return Layout(
        basis=space.basis if space.elements else None,
        elements=space.elements,
        balance=None if spec.composition is None else spec.composition.balance,
        numeric=(
            *(variable.name for variable in space.process if isinstance(variable, Numeric)),
            *(condition.name for condition in space.conditions),
        ),
        choices={variable.name: variable.choices for variable in space.process if isinstance(variable, Choice)},
        properties=tuple(spec.learned),
        classes={
            name: {label: (said,) if isinstance(said, str) else said for label, said in wanted.classes.items()}
            for name, wanted in spec.properties.items()
            if wanted.classes is not None
        },
        extra=tuple(dict.fromkeys((*seen, *calculated))),
    )


def keys_of_rule(written: Written, number: int) -> tuple[str | int, ...]:
    """Where in campaign.yaml the rule of this number stands; after those written as such come limits on descriptors."""
    made = written.spec.composition
    n_written = len(written.spec.rules if made is None else made.rules)
    if number >= n_written:
        return ("properties", list(computed_rules(written.spec))[number - n_written])
    return ("rules", number) if written.spec.composition is None else ("composition", "rules", number)


def _elements(made: CompositionSpec, mistakes: Mistakes) -> tuple[Element, ...]:
    """The elements with bounds, the balance among them where it has any."""
    elements: list[Element] = []
    for symbol, bounds in made.elements.items():
        with mistakes.at("composition", "elements", symbol):
            atomic_masses((symbol,))
            elements.append(Element(symbol, bounds.min, bounds.max, bounds.step or made.step or 1.0))
    with mistakes.at("composition", "balance"):
        atomic_masses((made.balance,))
    known = tuple(dict.fromkeys((*made.elements, made.balance)))
    for name, group in made.groups.items():
        with mistakes.at("composition", "groups", name):
            if unknown := [symbol for symbol in group.of if made.elements and symbol not in known]:
                raise AlloyloopError(
                    f"The group names {unknown[0]}, which is not an element of this space ({', '.join(known)})",
                    "Correct the name, or take it out.",
                )
            _limit(name, group.of, group.min_elements, group.max_elements)
    return tuple(elements)


def _limit(name: str, of: tuple[str, ...], least: int | None, most: int | None) -> CountLimit:
    if least is not None and most is not None and least > most:
        raise AlloyloopError(
            f"At least {least} elements are asked for, and at most {most}", "Give the smaller number as min_elements."
        )
    if least is not None and least > len(of):
        raise AlloyloopError(
            f"At least {least} elements are asked for, and there are {len(of)}: {', '.join(of)}", "Ask for fewer."
        )
    return CountLimit(name, of, least or 0, len(of) if most is None else most)


def _process(written: Written, mistakes: Mistakes) -> tuple[Numeric | Choice, ...]:
    made = written.spec.composition
    elements = () if made is None else (*made.elements, made.balance)
    process: list[Numeric | Choice] = []
    for name, variable in written.spec.process.items():
        with mistakes.at("process", name):
            if name in elements:
                raise AlloyloopError(f"{name} is an element of this space too", "Give the variable another name.")
            if isinstance(variable, ChoiceSpec):
                process.append(Choice(name, variable.choices))
            else:
                process.append(Numeric(name, variable.min, variable.max, variable.step))
    return tuple(process)


def _lattice(made: CompositionSpec, elements: tuple[Element, ...], mistakes: Mistakes) -> Lattice | None:
    """The compositions on their steps; None where a mistake was noted."""
    for key, given in (("step", made.step), ("elements", made.elements)):
        if not given:
            mistakes.add(
                *("composition", key),
                problem="This key is missing",
                remedy="Add it; docs/file-formats.md lists what each means.",
            )
    mistakes.raise_any()
    own = made.elements.get(made.balance)  # the balance is listed where it has bounds of its own
    chosen = tuple(element for element in elements if element.symbol != made.balance)
    symbols = (*(element.symbol for element in chosen), made.balance)
    low, high = (own.min, own.max) if own else (0.0, 100.0)
    least = fsum(float(element.lowest * exact(element.step)) for element in chosen)
    if least > 100 - low:
        left = f"which leaves {100 - least:g} % for {made.balance}, and it must be at least {low:g} %"
        mistakes.add(
            *("composition", "elements"),
            problem=f"The smallest amounts add up to {least:g} %, "
            + (left if least < 100 else f"so that nothing is left for {made.balance}"),
            remedy="Lower a smallest amount.",
        )
    for element in chosen:
        if element.low > 0 and element.high < (made.present_above or 0.0):
            mistakes.add(
                *("composition", "present_above"),
                problem=f"{element.symbol} must be present, with {element.high:g} % at most, and what is present is to "
                f"be at least {made.present_above:g} %",
                remedy=f"Lower present_above, or raise the bounds of {element.symbol}.",
            )
    limits: list[CountLimit] = []
    with mistakes.at("composition", "min_elements"):
        _limit("elements", symbols, made.min_elements, made.max_elements)
        if made.min_elements is not None:
            limits.append(_limit("min_elements", symbols, made.min_elements, None))
        if made.max_elements is not None:
            limits.append(_limit("max_elements", symbols, None, made.max_elements))
    limits += [_limit(name, group.of, group.min_elements, group.max_elements) for name, group in made.groups.items()]
    mistakes.raise_any()
    with mistakes.at("composition", "elements"):
        return Lattice(chosen, made.balance, low, high, made.present_above or 0.0, tuple(limits))
    return None


def _refuse_what_candidates_say(made: CompositionSpec, mistakes: Mistakes) -> None:
    """Keys that shape a lattice would do nothing where a table gives the compositions."""
    for key in ("step", "elements", "present_above", "min_elements", "max_elements", "groups"):
        if getattr(made, key):
            mistakes.add(
                *("composition", key),
                problem="The candidates say which compositions there are, and this key would do nothing",
                remedy="Take it out; bounds may be written as rules, such as 'Nb <= 40'.",
            )


def _refuse_wrong_scatter(made: CompositionSpec, elements: tuple[str, ...], mistakes: Mistakes) -> None:
    """What is made scatters by the elements of the space, and the balance takes the remainder."""
    if made.made_within is None and made.made_within_share is not None:
        mistakes.add(
            *("composition", "made_within_share"),
            problem="There is a share of what is made, and nothing says how that scatters",
            remedy="Write made_within too, such as 'made_within: {Nb: 0.5}' or 'made_within: learned'.",
        )
    for element in made.made_within if isinstance(made.made_within, dict) else ():
        with mistakes.at("composition", "made_within", element):
            if element == made.balance:
                raise AlloyloopError(
                    f"{element} is the balance: it takes the remainder, and scatters as the others do", "Take it out."
                )
            if element not in elements:
                known = ", ".join(each for each in elements if each != made.balance)
                raise AlloyloopError(
                    f"{element} is not an element of this space ({known})", "Correct the name, or take it out."
                )


def _listed(made: CompositionSpec | None) -> tuple[str, ...]:
    """The elements of a composition, the balance last; none where there is no composition."""
    if made is None:
        return ()
    return (*(symbol for symbol in made.elements if symbol != made.balance), made.balance)


def _rules(written: Written, elements: tuple[str, ...], mistakes: Mistakes) -> tuple[Rule, ...]:
    """The rules, which may name these elements and every process variable."""
    process, made = written.spec.process, written.spec.composition
    numbers = tuple(name for name, variable in process.items() if isinstance(variable, NumericSpec))
    choices = {name: variable.choices for name, variable in process.items() if isinstance(variable, ChoiceSpec)}
    rules: list[Rule] = []
    for i, text in enumerate(written.spec.rules if made is None else made.rules):
        with mistakes.at(*keys_of_rule(written, i)):
            rule = parse_rule(text, Names(elements, numbers, choices))
            for test in (rule.wanted, *rule.given):
                if isinstance(test, Computed) and not elements:
                    raise AlloyloopError(
                        f"The rule '{text}' bounds the descriptor {test.name}, and there is no composition to compute "
                        "it from",
                        "Take it out.",
                    )
                if isinstance(test, Computed):
                    refuse_unknown(test.name, elements, f"the rule '{text}' out")
            rules.append(rule)
    return (*rules, *computed_rules(written.spec).values())


def _remarks(written: Written, made: CompositionSpec, lattice: Lattice) -> list[str]:
    """What was rounded, and what may not be meant."""
    remarks = [element.off_step for element in lattice.elements if element.off_step]
    amounts = [float(element.highest * exact(element.step)) for element in lattice.elements]
    if lattice.balance_low == 0 and fsum(amounts) > 100:
        remarks.append(
            str(
                written.problem(
                    ("composition", "elements"),
                    f"the largest amounts add up to {fsum(amounts):g} %, so {lattice.balance} may fall to 0 %",
                    f"If that is not meant, give it a bound of its own: '{lattice.balance}: {{min: 50, max: 100}}'.",
                )
            )
        )
    for element, most in zip(lattice.elements, amounts, strict=True):
        if most < lattice.present_above:
            remarks.append(
                str(
                    written.problem(
                        ("composition", "present_above"),
                        f"{element.symbol} is never present, since its largest amount {most:g} % is below "
                        f"{lattice.present_above:g} %",
                    )
                )
            )
    return remarks
