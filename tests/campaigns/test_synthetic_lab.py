"""The demo's laboratory: plausible, noisy, repeatable, and never to be taken for a real one."""

from __future__ import annotations

import numpy as np
import pytest

from alloyloop.campaigns.synthetic_lab import MELT_STD, SPECIMEN_STD, measure, youngs_modulus
from alloyloop.design.composition import Composition
from alloyloop.surrogates.errors import AlloyloopError

TNZT = Composition.parse("Ti-35Nb-7Zr-5Ta wt")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("name", "literature_GPa"),
    [  # usual figures: Niinomi 1998, Mater. Sci. Eng. A 243:231; Ti2448: Hao et al. 2007, Acta Biomater. 3:277
        ("Ti-35Nb-7Zr-5Ta wt", 55),
        ("Ti-24Nb-4Zr-7.9Sn wt", 42),
        ("Ti-15Mo wt", 78),
        ("Ti-6Al-4V wt", 112),
    ],
)
def test_well_known_alloys_are_about_as_stiff_as_they_are(name: str, literature_GPa: float) -> None:
    assert youngs_modulus(Composition.parse(name)) == pytest.approx(literature_GPa, abs=10)


def test_the_modulus_is_a_valley_over_niobium() -> None:
    along = [youngs_modulus(Composition.parse(f"Ti-{niobium}Nb wt")) for niobium in range(1, 100)]
    turns = np.flatnonzero(np.diff(np.sign(np.diff(along))))
    assert len(turns) == 1
    assert 35 <= turns[0] + 2 <= 45  # 13 wt.% of equivalent molybdenum at 0.33 a wt.% of niobium: 39.4


def test_every_result_says_that_it_is_synthetic() -> None:
    result = measure(TNZT, rng())
    assert "synthetic" in str(result["source"]).lower()
    assert "synthetic" in str(result["note"]).lower()


def test_the_same_seed_gives_the_same_result() -> None:
    assert measure(TNZT, rng(4)) == measure(TNZT, rng(4))
    assert measure(TNZT, rng(4)) != measure(TNZT, rng(5))


def test_results_scatter_about_the_formula_from_melt_to_melt_and_from_specimen_to_specimen() -> None:
    draws = rng()
    results = [measure(TNZT, draws, replicates=3) for _ in range(2000)]
    means = np.array([float(result["youngs_modulus_GPa"]) for result in results])
    within = np.array([float(result["youngs_modulus_GPa_std"]) for result in results])
    # Standard errors by hand: 2.18/√2000 = 0.05 of the mean, 1.6 % of its spread, 1.6 % of the mean variance within.
    assert means.mean() == pytest.approx(youngs_modulus(TNZT), abs=0.2)
    assert means.std() == pytest.approx(np.hypot(MELT_STD, SPECIMEN_STD / np.sqrt(3)), rel=0.07)
    assert np.sqrt((within**2).mean()) == pytest.approx(SPECIMEN_STD, rel=0.07)


def test_one_specimen_has_no_standard_deviation() -> None:
    result = measure(TNZT, rng(), replicates=1)
    assert result["youngs_modulus_GPa_n"] == 1
    assert "youngs_modulus_GPa_std" not in result


def test_no_specimen_is_no_measurement() -> None:
    with pytest.raises(AlloyloopError, match="0 specimens"):
        measure(TNZT, rng(), replicates=0)


@pytest.mark.parametrize(("name", "phases"), [("Ti-35Nb-7Zr-5Ta wt", "beta"), ("Ti-20Nb wt", "beta + alpha''")])
def test_too_little_of_the_beta_stabilisers_leaves_martensite(name: str, phases: str) -> None:
    assert measure(Composition.parse(name), rng())["phases"] == phases
