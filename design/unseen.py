"""What alloys have that a model has never seen: where it can only guess, and should say so."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from .features import Alloys, BoolArray, Treatment
from .process import Choice

# Of a number's size: what is beyond all others by less is their equal.
BEYOND = 1e-9


def unseen(variables: Sequence[Treatment], training: Alloys, asked: Alloys) -> list[list[str]]:
    """What some alloys have that no alloy learned from had, in words: elements, words, numbers beyond all others.

    Parameters
    ----------
    variables : the process variables and conditions that count
    training : the alloys it learned from
    asked : n alloys; of what is not known of them nothing is said

    Returns
    -------
    n lists

    Examples
    --------
    >>> learned = Alloys(("Nb", "Ti"), np.array([[0.0, 1.0]]), {})
    >>> unseen((), learned, Alloys(("Nb", "Ti"), np.array([[0.1, 0.9]]), {}))
    [['holds Nb, of which no alloy learned from had any']]
    """
    said: list[list[str]] = [[] for _ in range(len(asked))]

    def say(rows: BoolArray, words: str) -> None:
        for row in np.flatnonzero(rows).tolist():
            said[row].append(words)

    learned = {element for i, element in enumerate(training.elements) if (training.fractions[:, i] > 0).any()}
    for i, element in enumerate(asked.elements):
        if element not in learned:
            say(asked.fractions[:, i] > 0, f"holds {element}, of which no alloy learned from had any")
    for variable in variables:
        name = variable.name
        if isinstance(variable, Choice):
            words, known_words = np.asarray(asked.process[name], dtype=object), set(training.process[name].tolist())
            for word in dict.fromkeys(words.tolist()):
                if word is not None and word not in known_words:
                    say(words == word, f"{name} is {word}, which it was of no alloy learned from")
            continue
        known, values = (np.asarray(of.process[name], dtype=np.float64) for of in (training, asked))
        low, high = np.nanmin(known, initial=inf), np.nanmax(known, initial=-inf)
        if low > high:
            say(np.isfinite(values), f"{name} was not known of any alloy learned from")
            continue
        slack = BEYOND * max(abs(low), abs(high))
        for value in np.unique(values[(values < low - slack) | (values > high + slack)]).tolist():
            beyond = f"outside what was learned from: {low:.10g} to {high:.10g}"
            say(values == value, f"{name} {value:.10g} is {beyond}")
    return said
