"""A measurement as people report it: one number, replicates, `58.2 ± 1.1 (n=5)`, a bound; and the cells it fills."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from statistics import fmean, stdev

from ..surrogates.errors import AlloyloopError
from .cells import Reading, read_number

# Two numbers further apart than this are rather one with a decimal comma: 58,2 is not the pair 58 and 2.
_LIKELY_ONE = 3.0
_BRACKET = re.compile(r"\s*\(([^()]*)\)\s*$")
_COUNT = re.compile(r"n\s*=\s*([0-9]{1,9})", re.IGNORECASE)
_DEVIATION = {"sd", "s.d.", "std", "std dev", "standard deviation"}
_ERROR = {"se", "s.e.", "sem", "s.e.m.", "standard error"}
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Reported:
    """What was measured of one property of one alloy.

    Parameters
    ----------
    value : mean of the replicates [the property's unit]
    std : standard deviation between replicates; NaN where it was not told
    n : how many replicates; 0 where it was not told
    censored : "<" or ">" where the value is only a bound, else ""
    digits : decimals that the numbers were told with; None where they are to stand as they were written
    remark : what had to be assumed
    """

    value: float
    std: float = nan
    n: int = 0
    censored: str = ""
    digits: int | None = None
    remark: str = ""

    def cells(self, name: str, number: Callable[[float], str]) -> dict[str, str]:
        """The cells of experiments.csv that it fills, column -> text; `number` writes as that file does."""
        rounded = [each if self.digits is None else round(each, self.digits) for each in (self.value, self.std)]
        cells = {name: self.censored + number(rounded[0])}
        if isfinite(self.std):
            cells[f"{name}_std"] = number(rounded[1])
        if self.n:
            cells[f"{name}_n"] = str(self.n)
        return cells


def read_reported(name: str, text: str, decimal: str = ".") -> Reported:
    """Read what somebody measured.

    Parameters
    ----------
    name : of the property, for messages
    text : one number; several, replicates, with commas or, where commas are decimal marks, semicolons between them;
        `58.2 ± 1.1`, where ± is the standard deviation between replicates unless `(se, n=5)`, their standard error, is
        said behind it; `<12` or `>12`; a count as `(n=5)` behind any
    decimal : the decimal mark

    Raises
    ------
    AlloyloopError
        where it is no number, where it may be one number or several, or where a count or a scatter contradicts itself

    Examples
    --------
    >>> read_reported("E", "58.2 ± 0.5 (se, n=4)").cells("E", "{:g}".format)
    {'E': '58.2', 'E_std': '1', 'E_n': '4'}
    >>> read_reported("E", "58.2,59.1,57.7").cells("E", "{:g}".format)
    {'E': '58.333', 'E_std': '0.709', 'E_n': '3'}
    >>> read_reported("E", "<12").cells("E", "{:g}".format)
    {'E': '<12'}
    """
    n, scatter, rest = _behind(name, text)
    parts = _parts(rest, decimal)
    if len(parts) > 1:
        return _of_replicates(name, rest, parts, decimal, n)
    read = read_number(rest, decimal)
    if not isfinite(read.value):
        raise AlloyloopError(f"{name} is empty: '{text}'", "Write a number, or leave it out if it is not known.")
    if read.std < 0:
        raise AlloyloopError(f"A scatter of {read.std:g} of {name} is negative", "Correct it.")
    if scatter and not isfinite(read.std):
        raise AlloyloopError(f"{name} = {text} names a scatter and gives none", "Write it like 58.2 ± 1.1 (sd, n=5).")
    if scatter == "error":
        if n < 2:
            raise AlloyloopError(
                f"The standard error of {name} says nothing of its scatter without the number of replicates",
                "Write it like 58.2 ± 0.5 (se, n=5).",
            )
        return Reported(read.value, float(f"{read.std * sqrt(n):.6g}"), n)
    assumed = isfinite(read.std) and not scatter
    remark = f"± {read.std:g} of {name} is taken for the standard deviation between replicates." if assumed else ""
    return Reported(read.value, read.std, n, read.censored, remark=remark)


def of_repetitions(values: Sequence[float]) -> Reported:
    """Repetitions that were computed from raw readings, rounded to four figures of what was found.

    >>> of_repetitions([0.71104]), of_repetitions([0.711, 0.735]).n
    (Reported(value=0.711, std=nan, n=0, censored='', digits=None, remark=''), 2)
    """
    mean = float(f"{fmean(values):.4g}")
    return Reported(mean) if len(values) == 1 else Reported(mean, float(f"{stdev(values):.3g}"), len(values))


def _behind(name: str, text: str) -> tuple[int, str, str]:
    """What stands in brackets at the end: the count, and `deviation` or `error`; and what is before it."""
    bracket = _BRACKET.search(text)
    if bracket is None:
        return 0, "", text.strip()
    n, scatter = 0, ""
    for word in (part.strip() for part in bracket[1].split(",")):
        if count := _COUNT.fullmatch(word):
            n = int(count[1])
        elif word.casefold() in _DEVIATION | _ERROR:
            scatter = "error" if word.casefold() in _ERROR else "deviation"
        else:
            raise AlloyloopError(
                f"'({bracket[1]})' behind {name} is not understood", "Write it like 58.2 ± 1.1 (sd, n=5)."
            )
    if n == 0 and _COUNT.search(bracket[1]):
        raise AlloyloopError(f"{name} cannot be the mean of 0 replicates", "Correct n.")
    return n, scatter, text[: bracket.start()].strip()


def _parts(text: str, decimal: str) -> list[str]:
    """The replicates of a text; itself alone where it is one number."""
    separator = ";" if ";" in text else ","
    return [part.strip() for part in text.split(separator)] if separator != decimal else [text]


def _of_replicates(name: str, text: str, parts: Sequence[str], decimal: str, n: int) -> Reported:
    with_points = all("," not in part for part in parts)
    readings = [_alone(name, part, read_number(part, decimal if with_points else ",")) for part in parts]
    small, large = min(map(abs, readings)), max(map(abs, readings))
    if ";" not in text and large > _LIKELY_ONE * small and (other := _other_reading(text, parts)):
        raise AlloyloopError(
            f"{name}={text} would be {len(parts)} measurements, {', '.join(parts[:-1])} and {parts[-1]}",
            f"Write {other}, else every number with a decimal point.",
        )
    if n not in (0, len(parts)):
        raise AlloyloopError(f"{name} has {len(parts)} replicates, and n={n} is said", "Correct one of the two.")
    digits = 2 + max(len(part.replace(",", ".").partition(".")[2]) for part in parts)
    return Reported(fmean(readings), stdev(readings), len(parts), digits=digits)


def _other_reading(text: str, parts: Sequence[str]) -> str:
    """What commas that seem to separate replicates may be instead; "" where they cannot be anything else."""
    if _THOUSANDS.fullmatch(text):
        return f"{text.replace(',', '')} if these commas are of thousands"
    if len(parts) % 2 == 0 and "." not in text:
        decimals = ",".join(".".join(pair) for pair in zip(parts[::2], parts[1::2], strict=True))
        return f"{decimals} if these commas are decimal marks"
    return ""


def _alone(name: str, part: str, read: Reading) -> float:
    """The number of one replicate, which must be no more and no less than that."""
    if not isfinite(read.value):
        raise AlloyloopError(f"One of the replicates of {name} is empty", "Write them like 58.2,59.1,57.7.")
    if read.censored or isfinite(read.std):
        what = "only a bound" if read.censored else "a mean with its scatter"
        raise AlloyloopError(
            f"The replicate {part} of {name} is {what}, and has no place among numbers",
            "Record the bound alone, or the numbers alone, and the rest as a note.",
        )
    return read.value
