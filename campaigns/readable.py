"""What a person reads of a model: what it chose for itself, its formula or rules, and rules of thumb of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, inf, isfinite, log10

from ..design.alloy_names import BASIS_SIGN
from ..design.beliefs import Belief, Choice
from ..design.explaining import Thing
from ..design.readable import Averages, Clause, Tallies
from ..surrogates.explain import Told, Tuned, innermost, told_of, tuned_of
from .answers import Json
from .snapshot import Snapshot
from .wording import rounded, words_and_unit


@dataclass(frozen=True, slots=True)
class Own:
    """What one model of a belief says of itself.

    Parameters
    ----------
    name : of the option that it is
    tuned : what it chose for itself; None where it chooses nothing
    told : its formula or rules; None where it has none that a person could read
    """

    name: str
    tuned: Tuned | None
    told: Told | None

    def json(self) -> Json:
        """As in `--json`; see docs/explaining.md."""
        tuned = None if self.tuned is None else {"settings": dict(self.tuned.settings), "tried": self.tuned.n_tried}
        told = None if self.told is None else {"formula": self.told.formula, "rules": list(self.told.rules)}
        return {"model": self.name, "tuned": tuned, "told": told}


def own(belief: Belief, choice: Choice) -> tuple[Own, ...]:
    """What each model of a belief says of itself: one, or several of a blend."""
    names = [part.name for part in choice.parts] or [choice.name]
    features = belief.features.names
    inside = innermost(belief.surrogate, range(len(features)))
    return tuple(
        Own(name, tuned_of(inner.model), told_of(inner, features)) for name, inner in zip(names, inside, strict=True)
    )


def own_lines(models: Sequence[Own], property: str) -> Iterator[str]:
    """The same for a person to read."""
    words = words_and_unit(property)[0]
    for one in models:
        of = f" of {one.name}" if len(models) > 1 else ""
        if one.tuned is not None:
            yield f"  Settings{of}, chosen on rows left out: {one.tuned}."
        if one.told is None:
            continue
        if one.told.formula:
            yield f"\n  Its formula{of}\n    {one.told.of(words)} = {one.told.formula}"
        if one.told.rules:
            yield f"\n  Its rules{of}, for {one.told.of(words)}"
            yield from (f"    {rule}" for rule in one.told.rules)


# -- rules of thumb ---------------------------------------------------------------------------------------------------


def averages_json(snapshot: Snapshot, told: Averages, property: str) -> Json:
    """Rules of thumb for a number, as in `--json`."""
    words = list(_averages(snapshot, told, property))
    return {
        "of": [
            {
                "where": _where_json(rule.clauses),
                "rows": len(rule.rows),
                "mean": rule.mean,
                "lowest": rule.lowest,
                "highest": rule.highest,
                "within": rule.within,
                "words": said,
            }
            for rule, said in zip(told.of, words, strict=True)
        ],
        "left_out": told.left_out,
        "rmse": told.rmse,
        "mean_rmse": told.mean_rmse,
        "surely_better": told.is_sure,
    }


def tallies_json(snapshot: Snapshot, told: Tallies) -> Json:
    """Rules of thumb for a class, as in `--json`."""
    return {
        "of": [
            {
                "where": _where_json(rule.clauses),
                "rows": len(rule.rows),
                "counts": dict(zip(told.labels, rule.counts.tolist(), strict=True)),
                "right": rule.right,
                "words": said,
            }
            for rule, said in zip(told.of, _tallies(snapshot, told), strict=True)
        ],
        "left_out": told.left_out,
        "right": told.right,
        "most_frequent_right": told.most_frequent_right,
    }


def _where_json(clauses: Sequence[Clause]) -> list[Json]:
    return [
        {
            "name": clause.thing.name,
            "of": clause.thing.kind,
            "low": clause.low if isfinite(clause.low) else None,
            "high": clause.high if isfinite(clause.high) else None,
            "among": list(clause.among) or None,
            "unknown": "only" if clause.low == inf else "too" if clause.or_unknown else "not",
        }
        for clause in clauses
    ]


def averages_lines(snapshot: Snapshot, told: Averages, property: str) -> Iterator[str]:
    """Rules of thumb for a number, and how far to trust them, for a person to read."""
    unit = words_and_unit(property)[1]
    if told.rmse is None or told.mean_rmse is None:
        yield "\n  Too few rows to read rules of thumb off."
        return
    if len(told.of) == 1:
        yield f"\n  No rule of thumb tells more than {'the mean of all'} {_rows(snapshot)}."
        return
    yield "\n  Rules of thumb, read off a shallow tree of the table"
    yield from (f"    {sentence}" for sentence in _averages(snapshot, told, property))
    digits = finer(told.mean_rmse)
    ours, theirs = (f"{error:.{digits}f} {unit}".strip() for error in (told.rmse, told.mean_rmse))
    if told.rmse >= told.mean_rmse:
        yield (
            f"    These rules do not hold on {_rows(snapshot)} left out: with {told.left_out} left out they err by "
            f"{ours} (root mean square), the mean by {theirs}."
        )
    else:
        sure = "that is more than chance" if told.is_sure else "that may be chance"
        yield (
            f"    With {told.left_out} left out they err by {ours} (root mean square), the mean by {theirs}: {sure}."
        )


def _averages(snapshot: Snapshot, told: Averages, property: str) -> Iterator[str]:
    unit, spread = words_and_unit(property)[1], max(rule.highest for rule in told.of) - min(r.lowest for r in told.of)
    digits = max(0, finer(spread / 4) - 1)
    for rule in told.of:
        mean, low, high = rounded(digits, rule.mean, rule.lowest, rule.highest)
        said = f"{_where(snapshot, rule.clauses)}: {mean} {unit}".rstrip()
        missed = ""
        if rule.within is not None:
            missed = f", 4 in 5 of them within {rounded(digits, rule.within)[0]} when left out"
        yield f"{said} ({len(rule.rows)} {_rows(snapshot)}, {low} to {high}{missed})."


def tallies_lines(snapshot: Snapshot, told: Tallies, property: str) -> Iterator[str]:
    """Rules of thumb for a class, and how far to trust them, for a person to read."""
    words = words_and_unit(property)[0]
    yield f"{words[:1].upper()}{words[1:]}"
    if told.right is None or told.most_frequent_right is None:
        yield "  Too few rows to read rules of thumb off."
        return
    if len(told.of) == 1:
        yield f"  No rule of thumb tells more than how frequent each class is: {next(_tallies(snapshot, told))}"
        return
    yield "  Rules of thumb, read off a shallow tree of the table"
    yield from (f"    {sentence}" for sentence in _tallies(snapshot, told))
    ours, theirs = f"{told.right:.0%}", f"{told.most_frequent_right:.0%}"
    of = f"right for {ours} of the {_rows(snapshot)}, the most frequent class for {theirs}"
    if told.right <= told.most_frequent_right:
        yield f"    These rules do not hold on {_rows(snapshot)} left out: with {told.left_out} left out they are {of}."
    else:
        yield f"    With {told.left_out} left out they are {of}."


def _tallies(snapshot: Snapshot, told: Tallies) -> Iterator[str]:
    for rule in told.of:
        n = len(rule.rows)
        by_count = sorted(zip(rule.counts.tolist(), told.labels, strict=True), key=lambda pair: -pair[0])
        (most, label), *others = [pair for pair in by_count if pair[0]]
        rest = "".join(f", {other} in {count}" for count, other in others)
        right = "" if rule.right is None else f"; {rule.right} of {n} foretold when left out"
        yield f"{_where(snapshot, rule.clauses)}: {label} in {most} of {n}{rest}{right}."


def _rows(snapshot: Snapshot) -> str:
    return "alloys" if snapshot.space.elements else "rows"


def _where(snapshot: Snapshot, clauses: Sequence[Clause]) -> str:
    return "Where " + " and ".join(_clause(snapshot, clause) for clause in clauses) if clauses else "Everywhere"


def _clause(snapshot: Snapshot, clause: Clause) -> str:
    name, sign = in_words(snapshot, clause.thing)
    unknown = " or not known" if clause.or_unknown else ""
    if clause.among:
        return f"{name} is {' or '.join(clause.among)}{unknown}"
    if clause.low == inf:
        return f"{name} is not known"
    unit = f" {sign}" if sign else ""
    if isfinite(clause.low) and isfinite(clause.high):
        return f"{name} is {clause.low:g} to below {clause.high:g}{unit}{unknown}"
    if isfinite(clause.low):
        return f"{name} is at least {clause.low:g}{unit}{unknown}"
    return f"{name} is below {clause.high:g}{unit}{unknown}" if isfinite(clause.high) else f"{name} is known"


def in_words(snapshot: Snapshot, thing: Thing) -> tuple[str, str]:
    """What a thing is called, and its unit; empty of a choice."""
    if thing.kind == "element":
        return thing.name, BASIS_SIGN[snapshot.space.basis]
    words, sign = words_and_unit(thing.name)
    return (words, sign) if sign else (thing.name, "")


def finer(spread: float) -> int:
    """Decimals that show two figures of a tenth of a spread: differences of means are known better than values.

    Examples
    --------
    >>> finer(17.9), finer(179.0), finer(0.179)
    (1, 0, 3)
    """
    return max(0, 1 - floor(log10(spread / 10))) if spread > 0 and isfinite(spread) else 2


def moves_rows(
    snapshot: Snapshot, sizes: Mapping[Thing, float] | Mapping[str, float], most: int, digits: int
) -> list[tuple[str, str]]:
    """Names and mean sizes of contributions as rows of text, the largest first; of the rest only how large they get."""
    told = [(thing if isinstance(thing, str) else in_words(snapshot, thing)[0], size) for thing, size in sizes.items()]
    rows = [(name, f"{size:.{digits}f}") for name, size in told[:most]]
    if rest := told[most:]:
        rows.append((f"{len(rest)} others", f"up to {rest[0][1]:.{digits}f}"))
    return rows
