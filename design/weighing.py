"""Several pursued goals as one number, where weights say how much each counts."""

from __future__ import annotations

import numpy as np

from ..surrogates.base import FloatArray


def spread(values: FloatArray) -> float:
    """A difference that matters of a property, in its unit: its standard deviation over the values that are known.

    Where they do not differ, their size; 1 where that is 0 or nothing is known.

    Examples
    --------
    >>> spread(np.array([50.0, 70.0, np.nan])), spread(np.array([60.0])), spread(np.array([]))
    (10.0, 60.0, 1.0)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return 1.0
    return float(np.std(known)) or float(np.abs(known).max()) or 1.0


def weighed(objectives: FloatArray, weights: FloatArray, spreads: FloatArray) -> FloatArray:
    """The weighted sum of objectives, each in units of its property's spread: larger is better.

    So a weight of 2 beside one of 1 says: the same share of what is usual counts twice as much, whatever the units.

    Parameters
    ----------
    objectives : (..., n_goals) how good each goal is served, in the properties' units; larger is better
    weights : (n_goals,) above 0
    spreads : (n_goals,) of the properties; see `spread`

    Returns
    -------
    (...) without a unit; only differences mean anything

    Examples
    --------
    A modulus of 60 instead of 70 GPa beside a strength of 500 instead of 600 MPa, where such differences are usual:

    >>> weighed(np.array([[-60.0, 500.0], [-70.0, 600.0]]), np.array([2.0, 1.0]), np.array([10.0, 100.0]))
    array([-7., -8.])
    """
    return np.asarray(objectives @ (np.asarray(weights) / np.asarray(spreads)))
