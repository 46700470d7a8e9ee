"""Properties of the elements that a user brings, and what they say of an alloy: mean and spread over its atoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..surrogates.base import FloatArray


@dataclass(frozen=True, slots=True)
class ElementProperty:
    """One number of each of some elements.

    Parameters
    ----------
    name : of the property, with its unit
    elements, values : the elements that it is known of, and their values
    source : where it was read, such as the name of a file

    Examples
    --------
    >>> hardness = ElementProperty("mohs", ("Nb", "Ti"), (6.0, 6.0))
    >>> hardness.mean_and_std(np.array([[0.5, 0.5, 0.0], [0.5, 0.4, 0.1]]), ("Nb", "Ti", "Zr"))
    (array([ 6., nan]), array([ 0., nan]))
    """

    name: str
    elements: tuple[str, ...]
    values: tuple[float, ...]
    source: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Names of its mean and its standard deviation."""
        return f"{self.name}_mean", f"{self.name}_std"

    def mean_and_std(self, fractions: FloatArray, elements: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """v̄ = Σ c v and √(Σ c (v - v̄)²).

        Parameters
        ----------
        fractions : (n, n_elements) atomic fractions; rows sum to 1
        elements : n_elements symbols

        Returns
        -------
        mean, std : (n,) each, in the property's unit; NaN where it is not known of an element that is present
        """
        known = dict(zip(self.elements, self.values, strict=True))
        numbers = np.array([known.get(element, 0.0) for element in elements])
        unknown = [i for i, element in enumerate(elements) if element not in known]
        mean = np.where((fractions[:, unknown] > 0).any(axis=1), np.nan, fractions @ numbers)
        return mean, np.sqrt(np.einsum("ij,ij->i", fractions, np.square(numbers - mean[:, None])))
