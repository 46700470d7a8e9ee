"""How far measurements of a property usually scatter: between laboratories, for one composition and route."""

from __future__ import annotations

import re

import numpy as np

from ..surrogates.base import FloatArray

# Pattern of a property's name, with its unit; scatter as a share of the value, or in the unit; where it is from.
_USUAL: tuple[tuple[str, float, bool, str], ...] = (
    (r"modulus.*_GPa$", 3.5, False, "2 to 5 GPa between specimens and methods, from experience"),
    (r"hardness", 0.071, True, "eleven groups of one formula and route: Borg et al., Sci. Data 7 (2020) 430"),
    (r"yield_(strength|stress)", 0.065, True, "33 groups: Borg et al., Sci. Data 7 (2020) 430"),
    (r"strength", 0.082, True, "ultimate tensile strength, 18 groups: Borg et al., Sci. Data 7 (2020) 430"),
    (r"elongation", 0.17, True, "19 groups: Borg et al., Sci. Data 7 (2020) 430"),
    (r"^(Ms|martensite_start)_(K|C)$", 7.5, False, "5 to 10 K by calorimetry, from experience"),
    (r"corrosion_rate", 0.4, True, "30 to 50 %, whatever the medium, from experience"),
)


def usual_scatter(name: str, values: FloatArray) -> float | None:
    """Standard deviation that one measurement of a property usually has, in its unit; None where nothing is known.

    Parameters
    ----------
    name : of the property, with its unit
    values : (n,) measured values; a scatter that is a share is one of their median

    Examples
    --------
    >>> usual_scatter("hardness_HV", np.array([400.0, 500.0, 600.0]))
    35.5
    >>> usual_scatter("youngs_modulus_GPa", np.array([60.0, 80.0]))
    3.5
    >>> usual_scatter("colour", np.array([1.0])) is None
    True
    """
    for pattern, scatter, is_share, _ in _USUAL:
        if re.search(pattern, name):
            typical = float(np.median(np.abs(values))) if is_share and len(values) else 1.0
            return scatter * typical if typical > 0 else None
    return None
