"""Reads the names people give to alloys: `Ti-35Nb-7Zr-5Ta wt`, `Al0.3CoCrFeNi`, `316L`, `Nb 35, Zr 7, Ti bal. at%`.

This module knows spelling, not metallurgy: it turns a name into amounts and, where the name tells, their basis.
`Composition.parse` is the door; its docstring lists the forms.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..surrogates.errors import AlloyloopError
from .elements import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BASIS_SIGN", "BASIS_SUFFIX", "Basis", "Grade", "grade", "grades", "other_basis"]

Basis = Literal["at_pct", "wt_pct"]
BASIS_SIGN: dict[Basis, str] = {"at_pct": "at.%", "wt_pct": "wt.%"}
BASIS_SUFFIX: dict[Basis, str] = {"at_pct": "at", "wt_pct": "wt"}

SUM_TOLERANCE = 0.5  # %; a table's rounding, which is scaled away; further off is a mistake
# A formula that leaves one number out may be a name run together, in per cent: Ti15Mo, TiAl6V4.
LARGEST_COMPOUND = 5  # of two elements; LaNi5 and CaCu5 are formulas
LEAST_SOLUTE = 2  # of several; the ratios of high-entropy formulas, such as MoNb1.5Ti1.5C0.2, are smaller
LONGEST_NAME = 200  # signs; a steel with every element named has half of that

# Hyphens, en and em dashes, minus signs; NFKC leaves them alone.
DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−⁃➖"), "-")
CLOSING = {"(": ")", "[": "]", "{": "}"}

WT_WORDS, AT_WORDS = r"wt|mass|weight", r"at|atomic|atom|mol|mole"
PERCENT = r"(?:%|pct|percent|per\s?cent)"
BASIS_WITH_PERCENT = re.compile(
    rf"(?:\bin\s+)?(?<![A-Za-z])(?:(?P<wt>{WT_WORDS})|(?P<at>{AT_WORDS}))[\s._-]*{PERCENT}\.?", re.IGNORECASE
)
BASIS_AT_THE_END = re.compile(
    rf"(?<![A-Za-z])(?:(?P<wt>{WT_WORDS})|(?P<at>{AT_WORDS}))\.?(?=[\s)\]]*$)"
)  # At: astatine

NUMBER = r"[0-9]+(?:[.,][0-9]+)?|\.[0-9]+"
SYMBOL = r"[A-Z][a-z]?(?![a-z])"
THOUSANDS = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2},[0-9]{3}(?![0-9])")
PART = re.compile(
    rf"""(?P<number>{NUMBER})
       | (?P<ppm>(?:(?P<wtppm>wt\.?\s?|w)|(?P<atppm>at\.?\s?|a))?ppm)
       | (?P<balance>(?i:balance|bal|rest|remainder)(?![A-Za-z])\.?)
       | (?P<element>{SYMBOL})
       | (?P<dash>-)
       | (?P<space>[\s,;:=%()\[\]{{}}]+)
       | (?P<word>[A-Za-z]+)
       | (?P<other>.)""",
    re.VERBOSE,
)
FORMULA = re.compile(rf"(?:\s*(?:{SYMBOL})(?:{NUMBER})?)+")
FORMULA_PART = re.compile(
    rf"[\s·-]*(?:(?:(?P<element>{SYMBOL})|(?P<close>[)\]}}]))(?P<number>{NUMBER})?|(?P<open>[(\[{{]))"
)


@dataclass(frozen=True, slots=True)
class Grade:
    """An alloy known by a designation, with its nominal composition in wt.%."""

    name: str
    aliases: tuple[str, ...]
    composition: str  # dashed, wt.%, such as "Ti-6Al-4V"
    source: str
    verified: bool
    note: str


@dataclass(frozen=True, slots=True)
class ReadName:
    """What a name says: its cleaned spelling, the amounts, and their basis, or None where it does not tell."""

    name: str
    amounts: dict[str, float]  # element -> %, in the order given; within 0.5 of a sum of 100
    basis: Basis | None


class Pair(NamedTuple):
    """One element of a written name and its amount [%]; None where it has none of its own."""

    element: str
    amount: Decimal | None
    is_balance: bool = False


class FormulaPart(NamedTuple):
    """An element or a bracket of a formula, and the number behind it."""

    group: dict[str, Decimal]
    number: Decimal


def read_name(text: str, basis: Basis | None = None) -> ReadName:
    """Read a name as `Composition.parse` describes it; `basis` is what the caller knows, if anything."""
    cleaned = clean(text)
    name, said = _without_basis(cleaned)
    if basis is not None:
        said.add(basis)
    if len(said) > 1:
        raise AlloyloopError(f"{cleaned!r} is given both in wt.% and in at.%", "Keep the one that is meant.")
    stated: Basis | None = next(iter(said), None)
    if not name:
        raise AlloyloopError("the alloy's name is empty", "Write it like Ti-35Nb-7Zr-5Ta wt, Al0.3CoCrFeNi or 316L.")
    known = grade(name)
    if known is None:
        return _read_written(name, stated)
    if stated != "at_pct":
        return ReadName(name, _read_written(known.composition, "wt_pct").amounts, "wt_pct")
    try:
        return _read_written(name, stated)
    except AlloyloopError as error:
        raise AlloyloopError(
            f"{name!r} is a grade whose nominal composition, {known.composition}, is recorded in wt.%",
            "Leave at.% out, or write the amounts you mean.",
        ) from error


def other_basis(basis: Basis) -> Basis:
    """The basis that `basis` is not."""
    return "wt_pct" if basis == "at_pct" else "at_pct"


def grade(name: str) -> Grade | None:
    """The grade of that name or alias, without regard to case, spaces and dashes; None if there is none.

    Examples
    --------
    >>> grade("Ti-64").composition
    'Ti-6Al-4V'
    """
    return _grades_by_key().get(_key(name))


@cache
def grades() -> tuple[Grade, ...]:
    """Every grade of alloys.csv, in its order."""
    with Path(__file__).with_name("alloys.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Grade(
                name=row["name"],
                aliases=tuple(alias.strip() for alias in row["aliases"].split(";") if alias.strip()),
                composition=row["composition_wt_pct"],
                source=row["source"],
                verified=row["verified"] == "yes",
                note=row["note"],
            )
            for row in csv.DictReader(file)
        )


@cache
def _grades_by_key() -> dict[str, Grade]:
    return {_key(name): known for known in grades() for name in (known.name, *known.aliases)}


def _key(name: str) -> str:
    return re.sub(r"[\s-]", "", clean(name)).casefold()


def clean(text: str) -> str:
    """Put Unicode spelling right: subscripts, thin and non-breaking spaces, dashes, invisible signs.

    Examples
    --------
    >>> clean("Al₀.₃CoCrFeNi"), clean("Ti–35Nb−7Zr wt.%")
    ('Al0.3CoCrFeNi', 'Ti-35Nb-7Zr wt.%')
    """
    if len(text) > LONGEST_NAME:
        raise AlloyloopError(
            f"{text[:20]!r}… is too long to be an alloy's name", f"Keep it below {LONGEST_NAME} signs."
        )
    visible = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", visible).translate(DASHES).split())


def unknown_element(symbol: str, name: str = "") -> AlloyloopError:
    """The error for a symbol that is not in the element table, with the nearest ones that are."""
    within = f" in {name!r}" if name else ""
    nearest = " or ".join(_nearest_symbols(symbol))
    return AlloyloopError(
        f"{symbol!r}{within} is not an element we know", f"Did you mean {nearest}?" if nearest else ""
    )


def _nearest_symbols(word: str) -> list[str]:
    guess = word.strip().capitalize()
    if guess in SYMBOLS:
        return [guess]
    likeness = {symbol: SequenceMatcher(None, guess, symbol).ratio() for symbol in SYMBOLS}
    alike = [symbol for symbol in SYMBOLS if symbol[0] == guess[:1] and likeness[symbol] > 0.3]
    return sorted(alike, key=likeness.__getitem__, reverse=True)[:3]


def _without_basis(cleaned: str) -> tuple[str, set[Basis]]:
    """The name without the words that say its basis, and what they say."""
    said: set[Basis] = set()
    for pattern in (BASIS_WITH_PERCENT, BASIS_AT_THE_END):
        said |= {"wt_pct" if match["wt"] else "at_pct" for match in pattern.finditer(cleaned)}
        cleaned = pattern.sub(" ", cleaned)
    for match in PART.finditer(cleaned):
        if match["wtppm"]:
            said.add("wt_pct")
        if match["atppm"]:
            said.add("at_pct")
    bare = re.sub(r"\(\s*\)|\[\s*\]", " ", cleaned)
    return " ".join(bare.split()).rstrip(" ,;:"), said


def _read_written(name: str, basis: Basis | None) -> ReadName:
    """Read a name that is written out, so no grade."""
    if (match := THOUSANDS.search(name)) is not None:
        number = match[0]
        raise AlloyloopError(
            f"{number} in {name!r} may be {number.replace(',', '')} or {number.replace(',', '.')}",
            "Write it without the comma, or with a point.",
        )
    if re.search(r"[(\[{]\s*[A-Z(\[{]", name):
        return _atomic(name, _read_formula(name), basis)
    if FORMULA.fullmatch(name):
        pairs = [
            Pair(match["element"], _decimal(match["number"]) if match["number"] else None)
            for match in FORMULA_PART.finditer(name)
        ]
        return _read_plain_formula(name, pairs, basis)
    return ReadName(name, _fill_balance(name, _read_pairs(name)), basis)


def _read_plain_formula(name: str, pairs: list[Pair], basis: Basis | None) -> ReadName:
    """Read a formula without brackets, such as Al0.3CoCrFeNi; or refuse one that may be a run-together name."""
    _refuse_duplicates(name, pairs)
    amounts = [pair.amount for pair in pairs]
    if " " in name and None in amounts and len(pairs) > 1:
        raise _no_amount(name, pairs[amounts.index(None)].element)
    if len(pairs) == 1 and amounts[0] not in (None, 1, 100):  # Ti555, Al6061
        raise AlloyloopError(f"{name!r} is not a grade we know", "Write out its composition, like Ti-35Nb-7Zr-5Ta wt.")
    if basis == "wt_pct" and None not in amounts:  # Ti53Nb35Zr7Ta5 wt%
        return ReadName(name, _fill_balance(name, pairs), basis)
    if dashed := _as_run_together(pairs):
        written = "-".join([dashed[0].element, *(f"{pair.amount}{pair.element}" for pair in dashed[1:])])
        if basis == "wt_pct":  # a formula cannot be meant
            return ReadName(written, _fill_balance(written, dashed), basis)
        formula = "".join(f"{pair.element}{1 if pair.amount is None else pair.amount}" for pair in pairs)
        raise AlloyloopError(
            f"{name!r} may be the formula {formula}, which counts atoms, or the name {written}",
            f"Write '{formula}', '{written} wt' or '{written} at'.",
        )
    return _atomic(name, {pair.element: Decimal(1) if pair.amount is None else pair.amount for pair in pairs}, basis)


def _as_run_together(pairs: list[Pair]) -> list[Pair]:
    """The dashed name that may be meant by Ti6Al4V or TiAl6V4; none for Fe3Al, LaNi5, Al0.3CoCrFeNi or Fe49Mn50C."""
    elements = [pair.element for pair in pairs]
    numbers = [pair.amount for pair in pairs if pair.amount is not None]
    is_compound = len(numbers) == 1 and numbers[0] <= LARGEST_COMPOUND
    if not numbers or len(numbers) != len(pairs) - 1 or is_compound or _is_about(99, numbers):
        return []
    is_shifted = pairs[-1].amount is None  # Ti6Al4V
    is_behind = pairs[0].amount is None and max(numbers) >= LEAST_SOLUTE  # TiAl6V4, but not MoNb1.5Ti1.5C0.2
    if not (is_shifted or is_behind):
        return []
    solutes = [Pair(element, number) for element, number in zip(elements[1:], numbers, strict=True)]
    return [Pair(elements[0], None, is_balance=True), *solutes]


def _atomic(name: str, ratios: dict[str, Decimal], basis: Basis | None) -> ReadName:
    """Turn the ratios of a formula into at.%."""
    total = sum(ratios.values())
    if total == 0:
        raise AlloyloopError(f"{name!r} contains nothing", "Give at least one element an amount.")
    if basis == "wt_pct" and len(ratios) > 1:
        raise AlloyloopError(
            f"{name!r} is a formula, which counts atoms, but wt.% is asked for",
            "Leave wt.% out, or write it with dashes, like Ti-35Nb-7Zr-5Ta wt.",
        )
    amounts = {element: float(100 * ratio / total) for element, ratio in ratios.items()}
    return ReadName(name, amounts, basis if len(ratios) == 1 and basis else "at_pct")


def _read_formula(name: str) -> dict[str, Decimal]:
    """Element -> number of atoms, of a formula with brackets. An element may occur again, as in CH3CH2OH."""
    levels: list[list[FormulaPart]] = [[]]
    opened: list[str] = []
    position = 0
    while position < len(name):
        match = FORMULA_PART.match(name, position)
        if match is None:
            raise _not_understood(name, name[position:].strip())
        position = match.end()
        number = _decimal(match["number"]) if match["number"] else Decimal(1)
        if match["open"]:
            opened.append(match["open"])
            levels.append([])
        elif match["close"]:
            if not opened or CLOSING[opened.pop()] != match["close"]:
                raise _unmatched_brackets(name)
            group = _add_up(levels.pop())
            levels[-1].append(FormulaPart(group, number))
        elif match["element"] not in SYMBOLS:
            raise unknown_element(match["element"], name)
        else:
            levels[-1].append(FormulaPart({match["element"]: Decimal(1)}, number))
    if opened:
        raise _unmatched_brackets(name)
    return _add_up(levels[0])


def _add_up(parts: list[FormulaPart]) -> dict[str, Decimal]:
    """Element -> number of atoms of the parts together.

    Where their numbers sum to 100 they are per cent, and a bracket's number is what the bracket has altogether:
    (CoCrNi)94Al3Ti3 has 31.33 at.% Co, not 94 atoms of it. Else it multiplies what stands inside, as in Mg(OH)2.
    """
    is_percent = _is_about(100, [part.number for part in parts])
    ratios: dict[str, Decimal] = defaultdict(Decimal)
    for group, number in parts:
        share = sum(group.values()) if is_percent else Decimal(1)
        for element, ratio in group.items():
            ratios[element] += ratio * number / (share or 1)
    return dict(ratios)


def _read_pairs(name: str) -> list[Pair]:
    """Elements and amounts of a dashed name or a list, in the order given."""
    groups: list[list[str | Decimal | None]] = [[]]  # between dashes; str: an element, Decimal: an amount, None: "bal."
    for match in PART.finditer(name):
        group = groups[-1]
        if match["number"]:
            group.append(_decimal(match["number"]))
        elif match["ppm"] is not None and group and isinstance(group[-1], Decimal):
            group[-1] = group[-1].scaleb(-4)
        elif match["balance"]:
            group.append(None)
        elif match["element"] or match["word"]:
            symbol = match["element"] or match["word"]
            if symbol not in SYMBOLS:
                raise unknown_element(symbol, name)
            group.append(symbol)
        elif match["dash"]:
            groups.append([])
        elif not match["space"]:
            raise _not_understood(name, match[0])
    pairs: list[Pair] = []
    for group in groups:
        if not group:
            raise AlloyloopError(f"{name!r} has a dash too many", "An amount cannot be negative, nor left out.")
        is_behind = group[0] is None and not (len(group) > 1 and isinstance(group[1], str))
        if is_behind and pairs and pairs[-1] == Pair(pairs[-1].element, None):  # Ti-bal
            pairs[-1] = Pair(pairs[-1].element, None, is_balance=True)
            group = group[1:]
        pairs += _pairs_of_group(name, group)
    if len(groups) > 1 and pairs[0].amount is None and not any(pair.is_balance for pair in pairs):
        pairs[0] = Pair(pairs[0].element, None, is_balance=True)
    return pairs


def _pairs_of_group(name: str, group: list[str | Decimal | None]) -> list[Pair]:
    """Pair every element with the amount, or the "bal.", beside it: 35Nb 7Zr, or Nb 35, Zr 7, Ti bal."""
    if len(group) == 1 and isinstance(group[0], str):
        return [Pair(group[0], None)]
    pairs = []
    for i in range(0, len(group), 2):
        couple = group[i : i + 2]
        elements = [part for part in couple if isinstance(part, str)]
        amounts = [part for part in couple if not isinstance(part, str)]
        if not elements:
            raise _no_element(name, "bal." if amounts[0] is None else f"{amounts[0]:f}")
        if not amounts:
            raise _no_amount(name, elements[0])
        pairs.append(Pair(elements[0], amounts[0], is_balance=amounts[0] is None))
    return pairs


def _fill_balance(name: str, pairs: list[Pair]) -> dict[str, float]:
    """Element -> amount [%]; the balance takes what the others leave."""
    _refuse_duplicates(name, pairs)
    balances = [pair.element for pair in pairs if pair.is_balance]
    bare = [pair.element for pair in pairs if pair.amount is None and not pair.is_balance]
    if bare:
        raise _no_amount(name, bare[0])
    if len(balances) > 1:
        raise AlloyloopError(f"{name!r} names two balances, {' and '.join(balances)}", "Give one of them an amount.")
    total = sum((pair.amount for pair in pairs if pair.amount is not None), Decimal(0))
    if balances and total >= 100 and len(pairs) > 1:
        raise AlloyloopError(
            f"{name!r} leaves nothing for {balances[0]}: the other elements add up to {total:f}", "Correct the amounts."
        )
    if not balances and not _is_about(100, [total]):
        raise AlloyloopError(
            f"{name!r} adds up to {total:f}, not 100", "Name one element as the balance, or correct the amounts."
        )
    return {pair.element: float(100 - total if pair.amount is None else pair.amount) for pair in pairs}


def _refuse_duplicates(name: str, pairs: list[Pair]) -> None:
    elements = [pair.element for pair in pairs]
    for element in elements:
        if element not in SYMBOLS:
            raise unknown_element(element, name)
        if elements.count(element) > 1:
            raise AlloyloopError(f"{name!r} names {element} more than once", "Give each element one amount.")


def _is_about(whole: int, parts: Sequence[Decimal]) -> bool:
    return abs(float(sum(parts)) - whole) <= SUM_TOLERANCE


def _decimal(number: str) -> Decimal:
    return Decimal(number.replace(",", "."))


def _no_amount(name: str, element: str) -> AlloyloopError:
    return AlloyloopError(f"{name!r} gives no amount of {element}", f"Write its amount, or '{element} bal.'.")


def _no_element(name: str, amount: str) -> AlloyloopError:
    return AlloyloopError(
        f"{amount} in {name!r} belongs to no element",
        "Write every amount beside its element, all before or all behind.",
    )


def _unmatched_brackets(name: str) -> AlloyloopError:
    return AlloyloopError(f"the brackets of {name!r} do not match", "Open and close them in pairs.")


def _not_understood(name: str, part: str) -> AlloyloopError:
    return AlloyloopError(
        f"{name!r} is not an alloy's name we can read, from {part!r} on",
        "Write it like Ti-35Nb-7Zr-5Ta wt, Al0.3CoCrFeNi or 316L.",
    )
