"""What the table teaches: which rows count for which property, with what noise, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns import learning
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.learning import LEAST_REPORTED, Beliefs, believe, evidence
from alloyloop.design.beliefs import Choice, Part
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, QUESTION, contents, make

pytestmark = pytest.mark.torch

HEADER, *ROWS = EXPERIMENTS.splitlines()
E_GPa = "youngs_modulus_GPa"


def believed(folder: Path) -> Beliefs:
    return believe(Campaign(folder).snapshot())


def table(*rows: str) -> str:
    return "".join(f"{row}\n" for row in (HEADER, *rows))


def test_known_and_measured_rows_teach_and_the_others_do_not(tmp_path: Path) -> None:
    rows = (
        "A,known,,80,20,0,85,,,,",
        "B,measured,1,70,30,0,72,,,,",
        "C,failed,1,65,35,0,63,,,cracked,",
        "D,withdrawn,1,60,40,0,66,,,,",
        "E,proposed,1,60,30,10,,,,,",
        "F,known,,75,25,0,,,,,",
        "G,known,,75,20,5,<80,,,,",
    )
    found = evidence(Campaign(make(tmp_path / "ti", experiments=table(*rows))).snapshot(), E_GPa)
    assert found.values.tolist() == [85, 72, 80]
    assert found.censored.tolist() == [0, 0, -1]
    assert found.ids.tolist() == ["A", "B", "G"]


def test_the_noise_of_a_mean_is_its_scatter_over_the_root_of_its_number(tmp_path: Path) -> None:
    rows = ("A,known,,80,20,0,85,4,4,,", "B,known,,70,30,0,72,3,,,", "C,known,,65,35,0,63,,5,,")
    noise = evidence(Campaign(make(tmp_path / "ti", experiments=table(*rows))).snapshot(), E_GPa).noise
    # 4 / sqrt(4); alone, so taken as one of 3; no scatter told
    np.testing.assert_array_equal(noise, [2, 3, np.nan])


def test_what_was_analysed_goes_before_what_was_planned(tmp_path: Path) -> None:
    header = f"{HEADER},Ti_at_pct_measured,Nb_at_pct_measured"
    rows = ["A,known,,80,20,0,85,,,,,88,12", "B,known,,70,30,0,72,,,,,,"]
    folder = make(tmp_path / "ti", experiments="\n".join([header, *rows]) + "\n")
    fractions = evidence(Campaign(folder).snapshot(), E_GPa).alloys.fractions
    assert fractions[0] == pytest.approx([0.12, 0, 0.88])  # Nb, Zr, Ti
    # Ti-30Nb wt by hand: (30 / 92.906) / (30 / 92.906 + 70 / 47.867)
    assert fractions[1] == pytest.approx([0.18087, 0, 0.81913], abs=1e-5)


def test_a_bound_is_learned_from_where_the_model_can_and_else_counted(tmp_path: Path) -> None:
    high = table(*ROWS, "F,known,,80.5,19.5,0,>140,,,,")
    asked = Campaign(make(tmp_path / "without")).snapshot().alloys().rows(np.array([0]))
    means = []
    for name, experiments in (("without", EXPERIMENTS), ("with", high)):
        beliefs = believed(make(tmp_path / f"{name} bound", experiments=experiments))
        means.append(beliefs.of[E_GPa].about(asked).mean[0])
        assert not beliefs.remarks
    assert means[1] > means[0] + 2
    forest = make(tmp_path / "forest", QUESTION.replace("gaussian-process", "forest"), high)
    assert believed(forest).remarks == (f"{E_GPa}: 1 bounds (< or >) are left out by forest.",)


def test_what_was_measured_in_the_campaign_comes_from_here(tmp_path: Path) -> None:
    header = HEADER.replace("status,", "status,source,")
    rows = ("A,known,paper 1,,80,20,0,85,,,,", "B,known,,,75,25,0,80,,,,", "C,measured,,1,70,30,0,72,,,,",
            "D,measured,heat 3,1,65,35,0,70,,,,")  # fmt: skip
    folder = make(tmp_path / "ti", experiments="\n".join([header, *rows]) + "\n")
    assert evidence(Campaign(folder).snapshot(), E_GPa).sources.tolist() == ["paper 1", "", "here", "heat 3"]


def test_a_property_that_is_wanted_is_modelled_on_any_number_and_a_reported_one_on_enough(tmp_path: Path) -> None:
    question = QUESTION.replace("features:", "  hardness_HV: {goal: report}\nfeatures:")
    for n_values in (LEAST_REPORTED - 1, LEAST_REPORTED):
        rows = [f"{row},{200 + i if i < n_values else ''}" for i, row in enumerate(ROWS)]
        folder = make(tmp_path / str(n_values), question, "\n".join([f"{HEADER},hardness_HV", *rows]) + "\n")
        beliefs = believed(folder)
        assert E_GPa in beliefs.of
        assert ("hardness_HV" in beliefs.of) == (n_values >= LEAST_REPORTED)
    assert E_GPa in believed(make(tmp_path / "one", experiments=table(*ROWS[:1]))).of


def test_rows_whose_features_are_not_known_are_left_out_with_a_count(tmp_path: Path) -> None:
    question = QUESTION.replace("features: composition", "features: [bond_order]")
    header = HEADER.replace("Zr_wt_pct", "Zr_wt_pct,Th_wt_pct")
    rows = [",".join([*row.split(",")[:6], "0", *row.split(",")[6:]]) for row in ROWS]
    folder = make(tmp_path / "ti", question, "\n".join([header, *rows, "F,known,,70,20,0,10,80,,,,"]) + "\n")
    beliefs = believed(folder)  # thorium has no bond order in the table of Morinaga
    assert len(beliefs.of[E_GPa].evidence) == len(ROWS)
    assert any("1 row" in remark and "left out" in remark for remark in beliefs.remarks)


@pytest.mark.parametrize("model", ["gaussian-process", "forest", "extra-trees"])
@pytest.mark.parametrize("features", ["composition", "descriptors", "both", "[vec, mo_equivalent_wang]"])
def test_a_model_and_features_that_are_named_are_the_ones_used(model: str, features: str, tmp_path: Path) -> None:
    question = QUESTION.replace("gaussian-process", model).replace("features: composition", f"features: {features}")
    chosen = believed(make(tmp_path / "ti", question)).choices[E_GPa]
    assert chosen.name.startswith(f"{model} on ")


def test_a_choice_is_made_once_for_the_same_data_and_again_for_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def choose(found: object, options: dict[str, object], *_: object) -> Choice:
        made.append(sorted(options))
        return Choice(sorted(options)[-1], "for the test")

    monkeypatch.setattr(learning, "choose", choose)
    folder = make(tmp_path / "ti", QUESTION.replace("model: gaussian-process", "model: auto"))
    first, again = believed(folder), believed(folder)
    assert (len(made), first.choices) == (1, again.choices)
    assert made[0] == ["extra-trees on composition", "gaussian-process on composition"]
    (folder / "experiments.csv").write_text(table(*ROWS, "F,known,,75,25,0,80,,,,"), encoding="utf-8")
    believed(folder)
    assert len(made) == 2


@pytest.mark.parametrize("damage", ["", "not json", "[]", '{"x": 1}'])
def test_a_damaged_cache_is_as_good_as_none(damage: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    sound = believed(folder).choices
    (folder / ".alloyloop" / "choices.json").write_text(damage, encoding="utf-8")
    assert believed(folder).choices == sound


def test_asking_changes_none_of_the_files_that_are_kept(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    before = contents(folder)
    believed(folder)
    assert contents(folder) == before


def test_a_descriptor_that_an_element_of_the_space_lacks_is_no_feature(tmp_path: Path) -> None:
    """Carbon has no metallic radius in the element table: no row has any, and a proposal may."""
    question = QUESTION.replace("Zr: {min: 0, max: 10}", "C: {min: 0, max: 1}").replace("Nb + Zr", "Nb + C")
    experiments = EXPERIMENTS.replace("Zr_wt_pct", "C_wt_pct").replace("60,30,10", "70,30,0")
    chosen = question.replace("features: composition", "features: both")
    seen = believe(Campaign(make(tmp_path / "both", chosen, experiments)).snapshot()).of[E_GPa].features
    assert "vec" in seen.descriptors
    assert "size_mismatch_pct" not in seen.descriptors
    named = question.replace("features: composition", "features: [size_mismatch_pct]")
    with pytest.raises(AlloyloopError, match="size_mismatch_pct is not known for every alloy of Nb, C, Ti"):
        believe(Campaign(make(tmp_path / "named", named, experiments)).snapshot())


def test_repeats_are_merged_where_campaign_yaml_says_so(tmp_path: Path) -> None:
    rows = table(*ROWS, "F,known,,80,20,0,91,,,,", "G,known,,80,20,0,89,,,,")
    plain = make(tmp_path / "plain", experiments=rows)
    merged = make(tmp_path / "merged", f"{QUESTION}prepare: [merge repeats]\n", rows)
    assert len(believed(plain).of[E_GPa].evidence) == len(ROWS) + 2
    beliefs = believed(merged)
    found = beliefs.of[E_GPa].evidence
    assert "F + G" in " ".join(found.ids)
    assert len(found) < len(ROWS) + 2
    assert any("without repeats" in remark for remark in beliefs.remarks)


def positive_rates(n: int = 40) -> str:
    """A rate that spans two decades and is a straight line in niobium on a logarithm."""
    rng = np.random.default_rng(0)
    niobium = rng.integers(0, 70, n) / 2
    rates = np.exp(niobium / 8 + rng.normal(0, 0.3, n))
    pairs = enumerate(zip(niobium, rates, strict=True))
    rows = [f"A{i},known,,{100 - x},{x},0,70,,,,,{rate:.4g}" for i, (x, rate) in pairs]
    return "\n".join([f"{HEADER},rate_mm_per_y", *rows, ""])


def test_a_skewed_positive_property_is_modelled_on_a_logarithm_and_never_believed_below_zero(tmp_path: Path) -> None:
    question = QUESTION.replace("features:", "  rate_mm_per_y: {goal: report}\nfeatures:")
    beliefs = believed(make(tmp_path / "auto", question, positive_rates()))
    assert beliefs.choices["rate_mm_per_y"].name.endswith(", log")
    belief = beliefs.of["rate_mm_per_y"]
    low, high = belief.about(belief.evidence.alloys).interval(0.99)
    assert (low > 0).all()
    assert (high > low).all()
    plain = question.replace("{goal: report}", "{goal: report, scale: linear}")
    assert not believed(make(tmp_path / "plain", plain, positive_rates())).choices["rate_mm_per_y"].name.endswith("log")
    wrong = make(
        tmp_path / "wrong", question.replace("{goal: report}", "{goal: report, scale: log}"),
        positive_rates().replace("\nA0,", "\nZ,known,,90,10,0,70,,,,,0\nA0,"),
    )  # fmt: skip
    with pytest.raises(AlloyloopError, match="rate_mm_per_y of Z is not above zero, and has no logarithm"):
        believed(wrong)


def test_calculated_values_of_a_property_are_learned_together_with_it_where_that_helps(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    niobium = rng.permutation(70)[:50] / 2
    modulus = 90 - 25 * np.sin(niobium / 5)
    lines = [f"{HEADER},calculated_GPa"]
    for i, (x, value) in enumerate(zip(niobium, modulus, strict=True)):
        measured = f"{value + rng.normal(0, 0.3):.4g}" if i < 14 else ""
        lines.append(f"A{i},known,,{100 - x},{x},0,{measured},,,,,{1.3 * value - 10:.4g}")
    question = QUESTION.replace("{goal: minimize}", "{goal: minimize, calculated: calculated_GPa}")
    folder = make(tmp_path / "ti", question, "\n".join(lines) + "\n")
    beliefs = believed(folder)
    assert beliefs.choices[E_GPa].name.endswith(f", together with {E_GPa}, calculated")
    alloys = Campaign(folder).snapshot().alloys()
    assert np.sqrt(np.mean((beliefs.of[E_GPa].about(alloys).mean - modulus) ** 2)) < 2
    assert believed(folder).choices == beliefs.choices  # from the cache


def test_a_blend_is_kept_with_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (Part("gaussian-process on composition", 0.7, 1.1), Part("extra-trees on composition", 0.3, 0.9))
    monkeypatch.setattr(learning, "choose", lambda *_: Choice("a blend", "for the test", 1.2, parts))
    folder = make(tmp_path / "ti", QUESTION.replace("model: gaussian-process", "model: auto"))
    first = believed(folder)
    monkeypatch.setattr(learning, "choose", lambda *_: pytest.fail("it was chosen again"))
    again = believed(folder)
    assert again.choices[E_GPa] == first.choices[E_GPa] == Choice("a blend", "for the test", 1.2, parts)
    asked = first.of[E_GPa].evidence.alloys
    assert again.of[E_GPa].about(asked).mean.tolist() == first.of[E_GPa].about(asked).mean.tolist()
    other = first.of[E_GPa].again(first.of[E_GPa].evidence)
    assert other.about(asked).mean.tolist() == first.of[E_GPa].about(asked).mean.tolist()


def test_each_property_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    question = QUESTION.replace("features:", "  rate_mm_per_y: {goal: report, scale: linear}\nfeatures:").replace(
        "model: gaussian-process", "model: {youngs_modulus_GPa: extra-trees, rate_mm_per_y: gaussian-process}"
    )
    choices = believed(make(tmp_path / "ti", question, positive_rates())).choices
    assert choices[E_GPa].name.startswith("extra-trees on ")
    assert choices["rate_mm_per_y"].name.startswith("gaussian-process on ")
