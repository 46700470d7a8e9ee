"""What one cell of a table says: a number as people write it, that nothing is known, or text that stays text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError


class NotANumberError(AlloyloopError):
    """A cell that holds something else than one number."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a number cell says.

    Parameters
    ----------
    value : the number; NaN where the cell is blank or says that it is not known
    std : what follows ±; NaN where nothing does
    censored : "<" or ">" where only a bound is known, else ""
    """

    value: float
    std: float = math.nan
    censored: str = ""


def read_number(cell: str, decimal: str = ".") -> Reading:
    """Read a number as a person writes it into a cell.

    Parameters
    ----------
    cell : such as ``61.2``, ``61,2`` (where commas are decimal), ``1 234.5``, ``<12``, ``61.2 ± 0.8``; blank, ``-``,
        ``n/a`` and their kind are not known
    decimal : the file's decimal mark

    Raises
    ------
    NotANumberError : for everything else, such as a date that a spreadsheet made of a number

    Examples
    --------
    >>> read_number("1 234,5", ",").value, read_number("<12").censored, read_number("61.2 ± 0.8").std
    (1234.5, '<', 0.8)
    >>> read_number("12. Mrz")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    NotANumberError: '12. Mrz' is a date, not a number. Format the column as numbers and type the value again.
    """
    if is_not_known(cell):
        return Reading(math.nan)
    if len(cell) > _LONGEST:
        raise _no_number_at_all(cell, decimal)
    text = _plain_signs(cell)
    if bound := re.match(r"([<>])=?\s*", text):
        return Reading(_one_number(text[bound.end() :], cell, decimal), censored=bound[1])
    value_text, plus_minus, std_text = text.partition("±")
    value = _one_number(value_text.strip(), cell, decimal)
    return Reading(value, _one_number(std_text.strip(), cell, decimal) if plus_minus else math.nan)


def read_numbers(cells: Sequence[str], decimal: str = ".") -> tuple[FloatArray, dict[int, Reading | NotANumberError]]:
    """Read a column: the plain numbers at once, and everything else that is not blank one by one.

    Parameters
    ----------
    cells : (n,) text of the column
    decimal : the file's decimal mark

    Returns
    -------
    (n,) numbers, NaN where a cell is blank, not known or not a number; and what the cells say that are not plain
    numbers, by position

    Examples
    --------
    >>> numbers, others = read_numbers(["61.2", "", "<12"])
    >>> numbers.tolist(), others[2].censored
    ([61.2, nan, 12.0], '<')
    """
    plain = _plain(decimal)
    of_cell = {cell: float(cell.replace(",", ".")) if plain(cell) else math.nan for cell in set(cells)}
    numbers = np.array([of_cell[cell] for cell in cells], dtype=np.float64)
    others: dict[int, Reading | NotANumberError] = {}
    for position in np.flatnonzero(~np.isfinite(numbers)).tolist():
        if not cells[position]:
            continue
        try:
            reading = read_number(cells[position], decimal)
        except NotANumberError as error:
            numbers[position], others[position] = math.nan, error
        else:
            numbers[position], others[position] = reading.value, reading
    return numbers, others


@cache
def _plain(decimal: str) -> Callable[[str], object]:
    mark = re.escape(decimal)
    return re.compile(rf"[+-]?(?:[0-9]+{mark}?[0-9]*|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch


def is_not_known(cell: str) -> bool:
    """Tell whether a cell is blank or says that there is no value.

    Examples
    --------
    >>> [is_not_known(cell) for cell in ("", "n/a", "–", "0")]
    [True, True, True, False]
    """
    return not cell or cell.casefold() in _NOT_KNOWN


_NOT_KNOWN = {
    "-",
    "–",
    "—",
    "--",
    "---",
    "/",
    ".",
    "?",
    "na",
    "n/a",
    "n.a",
    "n.a.",
    "#n/a",
    "<na>",
    "nan",
    "none",
    "null",
} | {*("nd", "n.d.", "nr", "n.r.", "n.m.", "k.a.", "unknown")}
_LONGEST = 200  # no number that a person writes has more signs
_NUMBER = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")  # with either decimal mark
_SIGNS = str.maketrans({"−": "-", "‐": "-", "‑": "-", "–": "-", "≤": "<", "≥": ">", "⩽": "<", "⩾": ">", "’": "'"}) | {
    ord(blank): " " for blank in "\u00a0\u2007\u2009\u202f\u200a\t\n\r"
}
_MONTH = (
    r"(?:jan|ene|gen|feb|fév|fev|mar|mär|mrz|mär|maer|mrt|apr|avr|abr|may|mai|mag|mei|maj|jun|jui|giu|jul|lug|aug|aoû|ago|sep|set"
    r"|oct|okt|ott|out|nov|dec|dez|déc|dic)[^\W\d]*\.?"
)
_DATE = re.compile(
    rf"[0-9]{{1,4}}[.\-/ ]*{_MONTH}(?:[.\-/ ]*[0-9]{{1,4}})?|{_MONTH}[.\-/ ]*[0-9]{{1,4}}(?:[.\-/, ]*[0-9]{{2,4}})?"
    r"|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:[ T].*)?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{2}|[0-9]{4})(?:[ T].*)?"
    r"|[0-9]{1,2}/[0-9]{1,2}|[0-9]{1,2}\.[0-9]{1,2}\.|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?",
    re.IGNORECASE,
)

_WRITTEN = r"[+-]?[0-9]++(?:[.,][0-9]++)?+"  # in one way alone, or "1,1,1,1 …" could be cut in endless ways
_RANGE = re.compile(rf"{_WRITTEN}\s*(?:-|–|\.\.\.?|…|to|bis|à)\s*{_WRITTEN}")
_SEVERAL = re.compile(rf"{_WRITTEN}(?:\s*[,;/ ]\s*{_WRITTEN})+")
_LEADING = re.compile(rf"({_WRITTEN})(?:\s+[^0-9.,][^.,]*|[^\W\d_]+|[%°]\w?)$")
_PLUS_MINUS = re.compile(r"\s*(?:\+/-|\+-)\s*")


def _plain_signs(cell: str) -> str:
    """Write the many dashes, blanks and bounds of typography with the signs of a keyboard."""
    return _PLUS_MINUS.sub("±", cell.translate(_SIGNS)).strip()


@cache
def _forms(decimal: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a number with this decimal mark: written our way, and with the other mark where it is plain."""
    mark, other = re.escape(decimal), re.escape(_other(decimal))
    exponent = r"(?:[eE][+-]?[0-9]+)?"
    whole = (
        rf"(?:[0-9]{{1,3}}(?:[ '][0-9]{{3}})+|[0-9]{{1,3}}(?:{other}[0-9]{{3}})+(?={mark}[0-9])"
        rf"|[0-9]{{1,3}}(?:{other}[0-9]{{3}}){{2,}}|[0-9]+)"
    )
    ours = rf"[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+){exponent}"
    # 1.234 is a thousand and more to a reader of decimal commas; 61.2 and 0.125 can only be decimals.
    theirs = rf"[+-]?(?:(?:0?|[0-9]{{4,}}){other}[0-9]+|[0-9]{{1,3}}{other}(?![0-9]{{3}}(?![0-9]))[0-9]+){exponent}"
    return re.compile(ours), re.compile(theirs)


def _other(decimal: str) -> str:
    return "." if decimal == "," else ","


def _one_number(text: str, cell: str, decimal: str) -> float:
    """Read one number; `cell` is what the user sees of it."""
    ours, theirs = _forms(decimal)
    if ours.fullmatch(text):
        digits = re.sub(rf"[ '{_other(decimal)}]", "", text).replace(decimal, ".")
    elif decimal == "," and theirs.fullmatch(text):
        digits = text
    else:
        raise _not_a_number(text, cell, decimal)
    value = float(digits)
    if not math.isfinite(value):
        raise NotANumberError(f"{_shown(cell)} is larger than any number", "Correct it.")
    return value


def _not_a_number(text: str, cell: str, decimal: str) -> NotANumberError:
    """Say what a cell holds instead of a number, and how to mend it."""
    other = _other(decimal)
    shown = _shown(cell)
    if _DATE.fullmatch(text):
        return NotANumberError(
            f"{shown} is a date, not a number", "Format the column as numbers and type the value again."
        )
    if text.startswith("#"):
        return NotANumberError(
            f"{shown} is a spreadsheet's error, not a number",
            "Mend the formula or the width of the column, save again.",
        )
    if re.fullmatch(rf"[+-]?[1-9][0-9]{{0,2}}{re.escape(other)}[0-9]{{3}}", text):
        readings = f"{text.replace(other, '')} or {text.replace(other, decimal)}"
        return NotANumberError(f"{shown} may be {readings}", f"Write {readings}.")
    if other in text and _forms(other)[0].fullmatch(text):
        names = {",": "decimal comma", ".": "decimal point"}
        plain = re.sub(rf"[ '{decimal}]", "", text).replace(other, decimal)
        return NotANumberError(
            f"{shown} is written with a {names[other]}, the file is not",
            f"Write {plain}, or save the whole file with {names[other]}s{' and semicolons' if other == ',' else ''}.",
        )
    if _RANGE.fullmatch(text):
        return NotANumberError(
            f"{shown} is a range, not a number", "Write its middle, and its spread in the _std column."
        )
    if _SEVERAL.fullmatch(text):
        return NotANumberError(
            f"{shown} is several numbers",
            "Write their mean, their spread in the _std and their count in the _n column.",
        )
    if leading := _LEADING.match(text):
        return NotANumberError(
            f"{shown} is not a number alone", f"Write {leading[1]}; units belong in the column's name, remarks in note."
        )
    return _no_number_at_all(cell, decimal)


def _no_number_at_all(cell: str, decimal: str) -> NotANumberError:
    return NotANumberError(
        f"{_shown(cell)} is not a number", f"Write it like 61{decimal}2, or leave it empty if it is not known."
    )


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:39]}…")


def safe_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes before = + - @; numbers stay numbers.

    Examples
    --------
    >>> [safe_cell(text) for text in ("=1+1", "-12,5", "+3e-4", "@home", "- cracked", "Ti-35Nb")]
    ["'=1+1", '-12,5', '+3e-4', "'@home", "'- cracked", 'Ti-35Nb']
    """
    starts_a_formula = text.lstrip()[:1] in {"=", "+", "-", "@", "＝", "＋", "－", "＠"}
    return f"'{text}" if starts_a_formula and len(text.strip()) > 1 and not _NUMBER.fullmatch(text.strip()) else text
