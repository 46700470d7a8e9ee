"""A SYNTHETIC laboratory for `alloyloop demo`: a formula with noise stands where a furnace and a tensile test would.

Nothing it returns was measured, and no other command uses it. Its formula is made up, in the shape that beta titanium
has: a valley over the molybdenum equivalent, stiff on the alpha'' side below it, slowly stiffer above it.
"""

from __future__ import annotations

import math

import numpy as np

from ..design.composition import Composition
from ..design.descriptors import evaluate
from ..surrogates.errors import AlloyloopError

SOURCE = "synthetic laboratory of alloyloop demo"
NOTE = "SYNTHETIC: computed by a formula with noise, not measured"

BOTTOM, SOFTEST = 13.0, 48.0  # of the valley: molybdenum equivalent (Wang) [wt.%], modulus [GPa]
RISE_BELOW, WIDTH_BELOW = 62.0, 5.0  # towards too little of the beta stabilisers: to 110 GPa [GPa], [wt.%]
RISE_ABOVE, WIDTH_ABOVE = 37.0, 9.0  # towards too much of them
PER_AT_PCT = {"Mo": 2.5, "Ta": 0.3, "Sn": -0.8}  # added to the valley, GPa per at.%
LEAST_STABLE = 11.8  # beta is kept on quenching from here on, wt.%
MELT_STD, SPECIMEN_STD = 2.0, 1.5  # from melt to melt, and between the specimens of one melt, GPa


def youngs_modulus(composition: Composition) -> float:
    """The laboratory's secret: the modulus before any noise.

    E = 48 + R (1 - exp(-(m - 13)² / 2w²)) + 2.5 Mo + 0.3 Ta - 0.8 Sn, where m is the molybdenum equivalent of Wang,
    Dong and Liaw [wt.%], R and w are 62 and 5 below the bottom, 37 and 9 above it, and the elements are in at.%.

    Returns
    -------
    Young's modulus [GPa]

    Examples
    --------
    >>> [round(youngs_modulus(Composition.parse(name))) for name in ("Ti-35Nb-7Zr-5Ta wt", "Ti-6Al-4V wt")]
    [51, 110]
    """
    equivalent = molybdenum_equivalent(composition)
    rise, width = (RISE_BELOW, WIDTH_BELOW) if equivalent < BOTTOM else (RISE_ABOVE, WIDTH_ABOVE)
    valley = SOFTEST + rise * (1 - math.exp(-0.5 * ((equivalent - BOTTOM) / width) ** 2))
    return valley + sum(PER_AT_PCT.get(element, 0.0) * at_pct for element, at_pct in composition.at_pct.items())


def molybdenum_equivalent(composition: Composition) -> float:
    """Wang's molybdenum equivalent of one alloy [wt.%]."""
    fractions = composition.vector(composition.elements, "at_pct")[np.newaxis] / 100
    return float(evaluate(("mo_equivalent_wang",), fractions, composition.elements)[0, 0])


def measure(composition: Composition, rng: np.random.Generator, replicates: int = 3) -> dict[str, str | float | int]:
    """Melt and test an alloy, in make-believe.

    Parameters
    ----------
    rng : one melt's offset and each specimen's scatter are drawn from it
    replicates : specimens of the one melt, 1 or more

    Returns
    -------
    column of experiments.csv → value: the mean modulus [GPa] to 0.1, the standard deviation between the specimens
    (left out for one), their number, the phases, and `source` and `note`, which both say that this is synthetic

    Raises
    ------
    AlloyloopError
        for less than one specimen
    """
    if replicates < 1:
        raise AlloyloopError(f"{replicates} specimens cannot be tested", "Ask for 1 or more.")
    melt = youngs_modulus(composition) + rng.normal(0.0, MELT_STD)
    specimens = melt + rng.normal(0.0, SPECIMEN_STD, size=replicates)
    result: dict[str, str | float | int] = {"youngs_modulus_GPa": round(float(specimens.mean()), 1)}
    if replicates > 1:
        result["youngs_modulus_GPa_std"] = round(float(specimens.std(ddof=1)), 2)
    result["youngs_modulus_GPa_n"] = replicates
    result["phases"] = "beta" if molybdenum_equivalent(composition) >= LEAST_STABLE else "beta + alpha''"
    return result | {"source": SOURCE, "note": NOTE}
