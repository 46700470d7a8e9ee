"""Steps of preparation as they are written; what they do stands in preparation.py, which needs torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import AlloyloopError

SPELLING = re.compile(r"(select|pca|ica|clusters) ([1-9]\d{0,2})")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of preparation.

    Parameters
    ----------
    kind : `select` keeps the features that tell most of the property, `pca` and `ica` replace the features by principal
        and by independent axes, `clusters` adds the distance to the middle of each kind of row that there is
    count : of features kept, of axes or of kinds, at most
    """

    kind: str
    count: int

    def __str__(self) -> str:
        return f"{self.kind} {self.count}"


def steps(texts: Iterable[str]) -> tuple[Step, ...]:
    """Steps as they are written.

    Examples
    --------
    >>> steps(["select 8", "pca 3"])
    (Step(kind='select', count=8), Step(kind='pca', count=3))
    """
    return tuple(_step(text) for text in texts)


def _step(text: str) -> Step:
    spelled = SPELLING.fullmatch(text)
    if spelled is None:
        raise AlloyloopError(
            f"'{text}' is no step of preparation", "Write select 8, pca 5, ica 5 or clusters 4, with any number to 999."
        )
    return Step(spelled[1], int(spelled[2]))
