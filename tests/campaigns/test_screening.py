from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from unittest.mock import patch

import numpy as np
import pytest

from alloyloop.campaigns import screening
from alloyloop.campaigns.answers import Json
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.engines import OneProcess
from alloyloop.campaigns.screening import StoppedError, parse_range
from alloyloop.design.composition import Composition
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, contents, make

pytestmark = pytest.mark.torch

QUESTION = """\
alloyloop: 1
name: Soft and strong
composition:
  basis: at_pct
  balance: Ti
  step: 1
  elements:
    Nb: {min: 0, max: 40}
    Zr: {min: 0, max: 20}
    Sn: {min: 0, max: 8}
  rules:
    - Nb + Zr >= 5
    - vec <= 4.35
properties:
  youngs_modulus_GPa: {goal: minimize}
  yield_strength_MPa: {goal: above, limit: 600}
  hardness_HV: {goal: report}
  corrosion_rate_mm_per_y: {goal: below, limit: 0.1}
features: composition
model: gaussian-process
"""
HEADER = (
    "id,status,Ti_at_pct,Nb_at_pct,Zr_at_pct,Sn_at_pct,youngs_modulus_GPa,yield_strength_MPa,hardness_HV,"
    "corrosion_rate_mm_per_y\n"
)


def experiments() -> str:
    """A SYNTHETIC table of 30 alloys, and no measurement of corrosion."""
    rng = np.random.default_rng(2)
    rows = []
    for i in range(30):
        nb, zr, sn = (int(rng.integers(top + 1)) for top in (40, 20, 8))
        modulus = 55 + 0.09 * (nb - 23) ** 2 + 0.4 * zr + rng.normal(0, 1)
        strength = 500 + 25 * sn + 4 * zr + rng.normal(0, 15)
        hardness = 180 + 6 * sn + 3 * zr
        rows.append(f"K{i},known,{100 - nb - zr - sn},{nb},{zr},{sn},{modulus:.2f},{strength:.1f},{hardness},\n")
    return HEADER + "".join(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("campaigns") / "soft", QUESTION, experiments())


@pytest.fixture
def small_slices() -> Iterator[None]:
    """Slices of a few hundred designs, so that a screen of seven thousand has a middle."""
    with patch.multiple(screening, SLICE=500, SLICE_OF_SLOW=500):
        yield


def interrupt_at(share: float):  # type: ignore[no-untyped-def]  # what a progress bar is
    def progress(looked: int, of: int) -> None:
        if looked >= share * of:
            raise KeyboardInterrupt

    return progress


def test_the_best_are_judged_as_predict_does_and_come_with_their_index_and_score(folder: Path) -> None:
    told = alloyloop("screen", folder, "--top", 3, "--json").json
    first = told["alloys"][0]
    name = Composition(first["composition"], "at_pct").name()
    predicted = alloyloop("predict", folder, name, "--json").json["alloys"][0]
    for key in ("composition", "basis", "other_basis", "process", "nearest"):
        assert first[key] == predicted[key]
    assert first["predicted"]["youngs_modulus_GPa"]["mean"] == pytest.approx(
        predicted["predicted"]["youngs_modulus_GPa"]["mean"], rel=1e-9
    )
    assert [alloy["score"] for alloy in told["alloys"]] == sorted((a["score"] for a in told["alloys"]), reverse=True)
    space = Campaign(folder).snapshot().space
    (point,) = space.at([first["index"]])
    amounts = dict(zip(space.elements, space.percent(point[None])[0].tolist(), strict=True))
    assert {element: amount for element, amount in amounts.items() if amount} == first["composition"]


def test_json_says_what_was_asked_and_how_many_were_left(folder: Path) -> None:
    told = alloyloop("screen", folder, "--top", 1, "--stage", "P(all) >= 0.5", "--stage", "Sn >= 2", "--json").json
    space = Campaign(folder).snapshot().space
    assert told["range"] == [0, space.count]
    assert told["count"] == space.count
    assert [stage["gate"] for stage in told["stages"]] == ["vec <= 4.35", "Sn >= 2", "P(all) >= 0.5"]
    left = [stage["left"] for stage in told["stages"]]
    assert told["count"] > left[0] > left[1] > left[2] > 0
    assert told["scored_by"].startswith("expected improvement of youngs_modulus_GPa on ")
    assert told["scored_by"].endswith(", where yield_strength_MPa is above 600")
    assert told["front_axes"] == ["minimize youngs_modulus_GPa", "probability that yield_strength_MPa is above 600"]
    assert "corrosion_rate_mm_per_y has no measurement yet: its limit is not part of this screen." in told["remarks"]


def test_the_front_trades_the_goals_against_each_other(folder: Path) -> None:
    front = alloyloop("screen", folder, "--top", 1, "--json").json["front"]
    moduli = [alloy["predicted"]["youngs_modulus_GPa"]["mean"] for alloy in front]
    chances = [alloy["probability"]["all"] for alloy in front]
    assert len(front) > 3
    assert moduli == sorted(moduli)
    assert chances == sorted(chances)
    assert alloyloop("screen", folder, "--top", 1, "--no-front", "--json").json["front"] == []


def test_words_show_counts_table_and_front(folder: Path) -> None:
    told = alloyloop("screen", folder, "--top", 2, "--stage", "price_usd_per_kg <= 60")
    lines = told.out.splitlines()
    assert told.code == 0
    assert " designs → " in lines[0]
    assert lines[0].endswith(" (price_usd_per_kg <= 60)")
    assert "The best by expected improvement of youngs_modulus_GPa on" in told.out
    assert "The Pareto front of" in told.out
    assert told.err == ""


def test_a_range_is_screened_alone_and_ranges_add_up(folder: Path) -> None:
    whole = alloyloop("screen", folder, "--json").json
    parts = [alloyloop("screen", folder, "--range", part, "--json").json for part in ("0:3_000", "3000:")]
    best = sorted((a for part in parts for a in part["alloys"]), key=lambda a: (-a["score"], a["index"]))[:100]
    assert [a["index"] for a in best] == [a["index"] for a in whole["alloys"]]
    assert [a["score"] for a in best] == [a["score"] for a in whole["alloys"]]
    for i, stage in enumerate(whole["stages"]):
        assert stage["left"] == sum(part["stages"][i]["left"] for part in parts)


@pytest.mark.parametrize(
    ("by", "scored_by"),
    [
        ("probability", "probability that yield_strength_MPa is above 600"),
        ("youngs_modulus_GPa", "minimize youngs_modulus_GPa"),
        ("yield_strength_MPa", "maximize yield_strength_MPa"),
        ("maximise hardness_HV", "maximize hardness_HV"),
        ("minimize price_usd_per_kg", "minimize price_usd_per_kg"),
    ],
)
def test_designs_are_ranked_by_what_is_asked(folder: Path, by: str, scored_by: str) -> None:
    told = alloyloop("screen", folder, "--top", 5, "--by", by, "--json").json
    assert told["scored_by"] == scored_by
    assert len(told["alloys"]) == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--by", "softness"],
            "--by: Nothing is known by the name 'softness'. Write expected-improvement, ",
        ),
        (["--by", "smallest vec"], "--by: Nothing is known by the name 'smallest vec'"),
        (
            ["--by", "hardness_HV"],
            "hardness_HV has no goal that says which way is better. Write 'minimize ",
        ),
        (["--by", "vec"], "vec has no goal that says which way is better"),
        (["--stage", "P(phases is beta) >= 0.8"], "phases is asked for a class, and it has none that could be"),
        (["--stage", "Cu >= 2"], "--stage 'Cu >= 2': "),
        (["--range", "7"], "'7' is no range of indices"),
        (["--range", "5:5"], "There is no range 5:5 of this space"),
        (["--range", "0:99999999"], "There is no range 0:99999999 of this space. Its designs are numbered from 0 to "),
        (["--top", "0"], "The best 0 cannot be shown"),
        (["--resume"], "No screen of this question was stopped"),
        (["--workers", "2", "--cluster", "tcp://127.0.0.1:1"], "--workers and --cluster are both given"),
        (["--workers", "0"], "0 workers cannot be started"),
    ],
)
def test_a_question_that_cannot_be_asked_is_said_in_one_sentence(folder: Path, options: list[str], said: str) -> None:
    told = alloyloop("screen", folder, *options)
    assert told.code == 1
    assert said in told.err
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1


def test_without_a_pursued_property_designs_are_ranked_by_probability(tmp_path: Path) -> None:
    question = QUESTION.replace("youngs_modulus_GPa: {goal: minimize}", "youngs_modulus_GPa: {goal: below, limit: 60}")
    told = alloyloop("screen", make(tmp_path / "c", question, experiments()), "--top", 1, "--json").json
    assert told["scored_by"] == "probability that youngs_modulus_GPa is below 60 and yield_strength_MPa is above 600"
    assert told["front"] == []


def test_where_only_a_computed_goal_is_known_and_no_alloy_is_there_is_nothing_to_improve_on(tmp_path: Path) -> None:
    question = QUESTION.replace("hardness_HV: {goal: report}", "price_usd_per_kg: {goal: minimize}")
    empty = make(tmp_path / "c", question.replace("corrosion", "# corrosion"), HEADER)
    told = alloyloop("screen", empty, "--top", 1)
    assert told.code == 1
    assert told.err == (
        "alloyloop: --by: No alloy is known that one could improve on in price_usd_per_kg. Rank by 'minimize "
        "price_usd_per_kg' or the like, or record or add an alloy first.\n"
    )
    assert alloyloop("screen", empty, "--by", "minimize price_usd_per_kg", "--top", 1).code == 0


def test_where_nothing_passes_the_counts_say_so(folder: Path) -> None:
    told = alloyloop("screen", folder, "--stage", "youngs_modulus_GPa <= 1")
    assert told.code == 0
    assert "→ 0 (youngs_modulus_GPa <= 1)" in told.out
    assert "No design passes every stage." in told.out


def test_nothing_of_the_campaign_changes(folder: Path) -> None:
    before = contents(folder)
    alloyloop("screen", folder, "--top", 3)
    assert contents(folder) == before


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_a_screen_that_was_stopped_goes_on_to_the_same_answer(folder: Path, share: float) -> None:
    campaign, stages = Campaign(folder), ("P(all) >= 0.3",)
    whole = campaign.screen(20, stages=stages).json()
    with pytest.raises(StoppedError, match=r"^Stopped at \d+%. The same command with --resume goes on.$"):
        campaign.screen(20, stages=stages, progress=interrupt_at(share))
    looked: list[int] = []
    assert campaign.screen(20, stages=stages, resume=True, progress=lambda n, of: looked.append(n)).json() == whole
    assert looked[0] >= share * whole["count"]
    with pytest.raises(AlloyloopError, match="No screen of this question was stopped"):
        campaign.screen(20, stages=stages, resume=True)


@pytest.mark.usefixtures("small_slices")
def test_another_question_does_not_go_on_with_what_was_stopped(tmp_path: Path) -> None:
    folder = make(tmp_path / "c", QUESTION, experiments())
    campaign = Campaign(folder)
    with pytest.raises(StoppedError):
        campaign.screen(20, progress=interrupt_at(0.5))
    others: list[Json] = [
        {"top": 21},
        {"by": "probability"},
        {"stages": ["Sn >= 1"]},
        {"range": (0, 99)},
        {"front": False},
    ]
    for other in others:
        with pytest.raises(AlloyloopError, match="No screen of this question was stopped"):
            campaign.screen(**{"top": 20, "resume": True, **other})
    file = folder / "experiments.csv"
    file.write_text(file.read_text(encoding="utf-8") + "N,known,70,20,5,5,61,650,,\n", encoding="utf-8")
    with pytest.raises(AlloyloopError, match="No screen of this question was stopped"):
        campaign.screen(20, resume=True)


@pytest.mark.usefixtures("small_slices")
def test_what_is_kept_of_a_stopped_screen_is_text_and_its_damage_is_said(tmp_path: Path) -> None:
    folder = make(tmp_path / "c", QUESTION, experiments())
    campaign = Campaign(folder)
    with pytest.raises(StoppedError):
        campaign.screen(20, progress=interrupt_at(0.5))
    (kept,) = (folder / ".alloyloop" / "screens").iterdir()
    said = json.loads(kept.read_text(encoding="utf-8"))
    assert said["done"] > 0
    assert len(said["index"]) == len(said["values"]) >= 20
    for damage in ("{", "{}", json.dumps({**said, "index": said["index"][1:]}), json.dumps({**said, "left": [1]})):
        kept.write_text(damage, encoding="utf-8")
        with pytest.raises(AlloyloopError, match="What was kept of this screen is damaged"):
            campaign.screen(20, resume=True)


@pytest.mark.usefixtures("small_slices")
def test_an_interrupt_ends_with_one_sentence_and_the_exit_code_of_one(folder: Path) -> None:
    with patch.object(OneProcess, "find", side_effect=KeyboardInterrupt):
        told = alloyloop("screen", folder)
    assert told.code == 130
    assert told.err == "alloyloop: Stopped at 0%. The same command with --resume goes on.\n"


@pytest.mark.usefixtures("small_slices")
def test_a_folder_in_which_nothing_can_be_written_is_screened_all_the_same(folder: Path) -> None:
    with patch.object(screening, "write_atomically", side_effect=PermissionError):
        assert Campaign(folder).screen(1).alloys
        with pytest.raises(StoppedError, match="What was found could not be kept"):
            Campaign(folder).screen(1, progress=interrupt_at(0.5))


def test_where_no_measured_alloy_keeps_the_limits_gains_are_over_the_worst(tmp_path: Path) -> None:
    question = QUESTION.replace("limit: 600", "limit: 6000")
    told = alloyloop("screen", make(tmp_path / "c", question, experiments()), "--top", 1, "--json").json
    assert any(remark.startswith("No measured alloy is believed to keep the limits") for remark in told["remarks"])


def test_it_shows_itself_in_a_notebook(folder: Path) -> None:
    assert "<table>" in Campaign(folder).screen(2)._repr_html_()


@pytest.mark.parametrize(
    ("text", "meant"), [(":", (None, None)), ("10:", (10, None)), (":1 000", (None, 1000)), ("1_0:20", (10, 20))]
)
def test_ranges_are_read(text: str, meant: tuple[int | None, int | None]) -> None:
    assert parse_range(text) == meant


SEVERAL = QUESTION.replace("{goal: above, limit: 600}", "{goal: maximize}")
WEIGHED = SEVERAL.replace("minimize}", "minimize, weight: 2}").replace("maximize}", "maximize, weight: 1}")
MATCH = QUESTION.replace("{goal: minimize}", "{goal: match, target: 65, tolerance: 2}")
TOGETHER = "expected improvement of youngs_modulus_GPa and yield_strength_MPa together, as weighed"


def asking(folder: Path, path: Path, question: str) -> Path:
    """A copy of a campaign that asks something else; which models to trust was settled there."""
    alloyloop("screen", folder, "--range", "0:1")
    copytree(folder, path)
    (path / "campaign.yaml").write_text(question, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("question", "scored_by", "axes"),
    [
        (SEVERAL, "minimize youngs_modulus_GPa", ["minimize youngs_modulus_GPa", "maximize yield_strength_MPa"]),
        (WEIGHED, TOGETHER, ["minimize youngs_modulus_GPa", "maximize yield_strength_MPa"]),
        (
            MATCH,
            "expected approach of youngs_modulus_GPa to 65 (the best known is ",
            ["youngs_modulus_GPa near 65", "probability that yield_strength_MPa is above 600"],
        ),
    ],
    ids=["a front", "weights", "a target"],
)
def test_every_kind_of_goal_ranks_designs_and_is_an_axis(
    question: str, scored_by: str, axes: list[str], folder: Path, tmp_path: Path
) -> None:
    told = alloyloop("screen", asking(folder, tmp_path / "c", question), "--top", 3, "--json").json
    assert told["scored_by"].startswith(scored_by)
    assert told["front_axes"] == axes
    assert len(told["alloys"]) == 3
    assert told["front"]


def test_by_a_target_the_nearest_comes_first(folder: Path, tmp_path: Path) -> None:
    asked = asking(folder, tmp_path / "c", MATCH)
    first, *others = alloyloop("screen", asked, "--by", "youngs_modulus_GPa", "--top", 50, "--json").json["alloys"]
    off = [abs(alloy["predicted"]["youngs_modulus_GPa"]["mean"] - 65) for alloy in (first, *others)]
    assert off == sorted(off)
    assert off[0] < 0.05  # among thousands of designs one is expected to be all but on target


def test_among_weighed_goals_the_first_trades_one_against_the_other(folder: Path, tmp_path: Path) -> None:
    def best(weight: float) -> dict[str, float]:
        question = WEIGHED.replace("weight: 2", f"weight: {weight}")
        asked = asking(folder, tmp_path / str(weight), question)
        predicted = alloyloop("screen", asked, "--top", 1, "--json").json["alloys"][0]["predicted"]
        return {name: predicted[name]["mean"] for name in ("youngs_modulus_GPa", "yield_strength_MPa")}

    soft, strong = best(50), best(0.02)
    assert soft["youngs_modulus_GPa"] < strong["youngs_modulus_GPa"]
    assert soft["yield_strength_MPa"] < strong["yield_strength_MPa"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (SEVERAL, "and here youngs_modulus_GPa, yield_strength_MPa have none. Rank by another: "),
        (
            WEIGHED.replace("goal: minimize", "goal: match, target: 65, tolerance: 2"),
            "One of youngs_modulus_GPa, yield_strength_MPa is brought to a target",
        ),
    ],
)
def test_an_improvement_that_has_no_formula_is_refused_with_what_can_be_asked(
    question: str, said: str, folder: Path, tmp_path: Path
) -> None:
    told = alloyloop("screen", asking(folder, tmp_path / "c", question), "--by", "expected-improvement")
    assert (told.code, told.out) == (1, "")
    assert said in told.err


def test_a_descriptor_that_is_pursued_is_an_axis_too(folder: Path, tmp_path: Path) -> None:
    question = QUESTION.replace("  hardness_HV", "  price_usd_per_kg: {goal: minimize}\n  hardness_HV")
    told = alloyloop("screen", asking(folder, tmp_path / "c", question), "--range", "0:500", "--json").json
    assert told["front_axes"][:2] == ["minimize youngs_modulus_GPa", "minimize price_usd_per_kg"]
