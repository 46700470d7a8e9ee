"""What is said of an alloy: prediction, chance of the limits, the nearest known alloy, and warnings."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import Any, cast

import pytest

from alloyloop.campaigns.answers import Answer, Answers
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.judging import _flags

from .folders import EXPERIMENTS, QUESTION, alloyloop, make

pytestmark = pytest.mark.torch

E_GPa = "youngs_modulus_GPa"
HEADER, *ROWS = EXPERIMENTS.splitlines()


def judged(folder: Path, *names: str) -> Answers:
    return Campaign(folder).predict(names)


def flags(answer: Answer) -> str:
    return "; ".join(answer.flags)


def test_a_known_alloy_is_its_own_nearest(tmp_path: Path) -> None:
    (answer,) = judged(make(tmp_path / "ti"), "Ti-35Nb wt")
    assert answer.nearest is not None
    assert answer.nearest.id == "C"
    assert answer.nearest.distance == pytest.approx(0, abs=1e-9)


def test_the_distance_is_the_material_to_be_exchanged(tmp_path: Path) -> None:
    question, table = QUESTION.replace("wt_pct", "at_pct"), EXPERIMENTS.replace("wt_pct", "at_pct")
    (answer,) = judged(make(tmp_path / "ti", question, table), "Ti-37Nb-3Zr at")
    # from C, Ti-35Nb: 5 at.% of titanium give way to 2 of niobium and 3 of zirconium; D, Ti-40Nb, is 3 away from it
    # with 3 of niobium for 3 of zirconium
    assert answer.nearest is not None
    assert answer.nearest.id == "D"
    assert answer.nearest.distance == pytest.approx(3)


def test_nine_in_ten_measurements_are_expected_in_the_interval(tmp_path: Path) -> None:
    predicted = judged(make(tmp_path / "ti"), "Ti-25Nb-5Zr wt")[0].predicted[E_GPa]
    normal = NormalDist(predicted.mean, predicted.std)
    assert normal.cdf(predicted.high) - normal.cdf(predicted.low) == pytest.approx(0.9)
    assert predicted.mean == pytest.approx((predicted.low + predicted.high) / 2)


def test_the_chance_of_a_limit_is_that_of_a_new_measurement_and_all_is_their_product(tmp_path: Path) -> None:
    more = "  a_MPa: {goal: above, limit: 500}\n  b_HV: {goal: between, low: 180, high: 220}\nfeatures:"
    rows = [f"{row},{480 + 10 * i},{190 + 5 * i}" for i, row in enumerate(ROWS)]
    folder = make(
        tmp_path / "ti", QUESTION.replace("features:", more), "\n".join([f"{HEADER},a_MPa,b_HV", *rows]) + "\n"
    )
    (answer,) = judged(folder, "Ti-25Nb-5Zr wt")
    a, b = (NormalDist(answer.predicted[name].mean, answer.predicted[name].std) for name in ("a_MPa", "b_HV"))
    assert answer.probability["a_MPa"] == pytest.approx(1 - a.cdf(500))
    assert answer.probability["b_HV"] == pytest.approx(b.cdf(220) - b.cdf(180))
    assert answer.probability["all"] == pytest.approx(answer.probability["a_MPa"] * answer.probability["b_HV"])


def test_an_alloy_far_from_all_data_is_flagged_and_a_known_one_is_not(tmp_path: Path) -> None:
    near, far = judged(make(tmp_path / "ti"), "Ti-32Nb wt", "Ti-80Nb-10Zr wt")
    assert "outside the data" not in flags(near)
    assert "outside the data" in flags(far)


@pytest.mark.parametrize(("distance", "is_outside"), [(1e-14, False), (0.34, False), (0.36, True)])
def test_what_would_be_shown_as_no_farther_is_not_flagged(distance: float, is_outside: bool) -> None:
    farthest = 0.31 if distance > 0.1 else 0.0  # 0: of a campaign whose alloys differ in their treatment alone
    assert bool(_flags(cast(Any, None), None, [], distance, farthest)) == is_outside


def test_more_of_an_element_than_any_known_alloy_is_flagged(tmp_path: Path) -> None:
    (answer,) = judged(make(tmp_path / "ti"), "Ti-41Nb-10Zr wt")
    more = [flag for flag in answer.flags if "more than any known alloy" in flag]
    assert more == ["Nb 41 wt.% is more than any known alloy holds (40)"]  # of zirconium, 10 is what E holds


def test_the_policy_speaks(tmp_path: Path) -> None:
    question = QUESTION.replace("rules:", "policy: implant-titanium\n  rules:").replace(
        "{min: 0, max: 10}", "{max: 10}"
    )
    table = EXPERIMENTS.replace("Zr_wt_pct", "Al_wt_pct")
    folder = make(tmp_path / "ti", question, table)  # aluminium is in the table, and not in the space
    (answer,) = judged(folder, "Ti-30Nb-10Al wt")
    assert "Al is not in the space" in flags(answer)
    assert "Al" in flags(answer).partition("Al is not in the space")[2]


def test_an_alloy_of_which_a_feature_is_not_known_gets_no_number_and_no_traceback(tmp_path: Path) -> None:
    question = QUESTION.replace("features: composition", "features: [bond_order]")
    header = HEADER.replace("Zr_wt_pct", "Zr_wt_pct,Th_wt_pct")
    rows = [",".join([*row.split(",")[:6], "0", *row.split(",")[6:]]) for row in ROWS]
    folder = make(tmp_path / "ti", question, "\n".join([header, *rows, "F,known,,70,20,0,10,80,,,,"]) + "\n")
    for form in ((), ("--json",)):
        told = alloyloop("predict", folder, "Ti-20Nb-10Th wt", *form)
        assert (told.code, told.err) == (0, "")
        assert "nan" not in told.out.casefold()


def test_best_judges_an_alloy_of_which_only_the_analysis_is_known(tmp_path: Path) -> None:
    header = f"{HEADER},Ti_wt_pct_measured,Nb_wt_pct_measured,Zr_wt_pct_measured"
    rows = [*(f"{row},,," for row in ROWS), "F,known,,,,,50,,,,,70.2,24.8,5"]
    folder = make(tmp_path / "ti", experiments="\n".join([header, *rows]) + "\n")
    campaign = Campaign(folder)
    assert campaign.best(1)[0].name == "Ti-24.8Nb-5Zr wt"
    assert campaign.status().best is not None
