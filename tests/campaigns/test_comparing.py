"""`compare`: every model on rows it has not seen, in words, in JSON and in a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np
import pytest

from alloyloop.campaigns import comparing
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.comparing import Asked, compare
from alloyloop.campaigns.comparing_plots import compared as figure_of
from alloyloop.campaigns.comparing_plots import picture
from alloyloop.campaigns.comparison import Compared, Comparison, Score
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.beliefs import Evidence
from alloyloop.design.comparing import (
    ClassLearner,
    Learned,
    Learner,
    frequencies,
    judged,
    mean_baseline,
    random_folds,
    source_folds,
)
from alloyloop.design.features import Alloys
from alloyloop.surrogates import Prediction
from alloyloop.surrogates.errors import AlloyloopError

from .folders import QUESTION, Told, alloyloop, make

N = 24
SCORES = {"rmse", "mae", "mape", "r2", "nll", "coverage90", "sharpness"}  # the manual, section 4
E_GPa, HV = "youngs_modulus_GPa", "hardness_HV"
HEADER = "id,status,source,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,quench,youngs_modulus_GPa,hardness_HV,phases"
CAMPAIGN = QUESTION.replace(
    "properties:\n",
    "process:\n  quench: {choices: [air, water]}\nproperties:\n  hardness_HV: {goal: report}\n"
    "  phases: {goal: report, classes: {beta: [beta], other: ['*']}}\n",
)


def rows(sources: int = 6) -> Iterator[str]:
    """A modulus that falls with niobium and is 8 GPa lower after water, and a hardness that never varies."""
    rng = np.random.default_rng(0)
    yield HEADER
    for i in range(N):
        nb, zr, water = int(rng.integers(10, 40)), int(rng.integers(0, 10)), i % 2
        modulus = 100 - nb - 8 * water + rng.normal(0, 1)
        phase = "beta" if i % 3 else "alpha"
        quench = "water" if water else "air"
        yield f"A{i},known,paper {i % sources},{100 - nb - zr},{nb},{zr},{quench},{modulus:.1f},200,{phase}"


def snapshot_of(path: Path, experiments: str | None = None) -> Snapshot:
    return Campaign(make(path, CAMPAIGN, experiments or "\n".join(rows()) + "\n")).snapshot()


def off_by(error: float, name: str, std: float = 1.0) -> Learner:
    """Expects every value of the evidence below, wrong by so much, and takes it for right within `std`."""

    def learner(known: Evidence) -> Learned:
        def about(alloys: Alloys) -> Prediction:
            n = len(alloys)
            return Prediction(
                100 * alloys.fractions[:, 0] + error * (-1.0) ** np.arange(n), np.zeros(n), np.full(n, std)
            )

        return Learned(name, about)

    return learner


def comparison(
    errors: dict[str, float], sources: list[str] | None = None, stds: Mapping[str, float] = MappingProxyType({})
) -> Comparison:
    """A comparison of models that err by so much on a modulus of 0 to 100 GPa."""
    fractions = np.random.default_rng(1).dirichlet(np.ones(2), N)
    told = np.array(sources or [""] * N, dtype=np.str_)
    found = Evidence(E_GPa, Alloys(("Nb", "Ti"), fractions, {}), 100 * fractions[:, 0], np.full(N, np.nan), told)
    learners: dict[str, Learner] = {"mean": mean_baseline}
    learners |= {name: off_by(error, name, stds.get(name, 1.0)) for name, error in errors.items()}
    ways = {"random": random_folds(found, 0)} | ({"by_source": source_folds(found, 0)} if sources else {})
    repeats = {
        name: {way: [judged(found, learner, folds)] for way, folds in ways.items()}
        for name, learner in learners.items()
    }
    return Comparison(found, repeats, frozenset(errors))


def good(told: Told) -> Told:
    assert (told.code, told.err) == (0, "")
    return told


# -- what is said of it -----------------------------------------------------------------------------------------------


def test_the_model_that_errs_least_is_taken_and_the_next_is_named_with_how_sure_that_is() -> None:
    said = " ".join(comparison({"gp": 2.0, "forest": 5.0}).sentences())
    assert said.startswith("Take gp: it errs 2 GPa (RMSE, rows left out by lot). The next, forest, errs 3 ± 0 GPa more")
    assert "that is more than chance" in said


def test_two_models_that_err_alike_may_differ_by_chance() -> None:
    assert "that may be chance" in " ".join(comparison({"gp": 2.0, "forest": 2.0}).sentences())


def test_a_model_no_better_than_the_mean_is_not_recommended() -> None:
    said = " ".join(comparison({"gp": 90.0}).sentences())
    assert said.startswith("No model is surely better than the mean of all rows, which errs ")
    assert said.count("mean") == 1


def test_a_baseline_that_errs_less_and_a_model_that_is_likelier_are_named() -> None:
    of = comparison({"linear mixture": 1.0, "gp": 2.0, "forest": 9.0})
    assert "A linear mixture errs less, 1 GPa." in list(replace(of, takeable=frozenset({"gp", "forest"})).sentences())
    # Off by 3 ± 1, or by 3.1 ± 10: the density of the latter is the larger (z²/2 + log std is 4.5 or 2.4).
    likelier = comparison({"gp": 3.0, "forest": 3.1}, stds={"forest": 10.0})
    assert any(said.startswith("forest makes the values left out likeliest (NLL ") for said in likelier.sentences())


def test_whole_sources_decide_where_there_are_any() -> None:
    of = comparison({"gp": 2.0}, [f"paper {i % 4}" for i in range(N)])
    assert of.ways == ("by_source", "random")
    assert "With rows left out by lot, as most papers do, it errs 2 GPa." in list(of.sentences())
    assert of.table()[0][-1] == "RMSE by lot"
    alone = comparison({"gp": 2.0})
    assert alone.ways == ("random",)
    assert "by lot, as most papers do" not in " ".join(alone.sentences())


def test_intervals_that_are_too_narrow_are_said_to_be() -> None:
    # Off by 5 GPa where 1 is claimed: none of the values is within 1.645.
    assert "Its 90 % intervals hold only 0% of the values left out" in " ".join(comparison({"gp": 5.0}).sentences())
    assert "too narrow" not in " ".join(comparison({"gp": 1.0}).sentences())


def test_a_table_has_the_best_model_first_and_its_unit() -> None:
    columns, cells = comparison({"forest": 5.0, "gp": 2.0}).table()
    assert columns[:3] == ["model", "RMSE [GPa]", "in training"]
    assert [row[0] for row in cells] == ["gp", "forest", "mean"]


def test_a_spread_needs_two_repeats() -> None:
    assert np.isnan(Score.of([1.0], [0.5]).std)
    assert Score.of([1.0], [0.5]).json() == {"mean": 1.0, "std": None, "train": 0.5}
    assert str(Score.of([1.0, 3.0], [0.5, 0.5])) == "2 ± 1.4"


# -- the picture ------------------------------------------------------------------------------------------------------


def test_a_picture_has_a_row_of_three_panels_for_each_property() -> None:
    figure = figure_of(Compared({E_GPa: comparison({"gp": 2.0}), HV: comparison({"gp": 3.0})}))
    assert len(figure.axes) == 6
    assert figure.axes[0].get_xlabel() == "Predicted Young's modulus\n[GPa]"
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == ["gp", "mean"]


def test_a_picture_is_what_the_name_of_its_file_says() -> None:
    of = Compared({E_GPa: comparison({"gp": 2.0})})
    assert picture(of, ".png").startswith(b"\x89PNG")
    assert ElementTree.fromstring(picture(of, ".SVG").decode()).tag.endswith("svg")
    assert picture(of, ".svg") == picture(of, ".svg")
    with pytest.raises(AlloyloopError, match=r"No picture can be written as '.doc'"):
        picture(of, ".doc")


def test_without_a_comparison_there_is_nothing_to_draw() -> None:
    with pytest.raises(AlloyloopError, match="No model was compared"):
        picture(Compared({}), ".svg")


# -- a campaign -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def by_count() -> Iterator[None]:
    """Of classes their frequencies alone are judged here; classifiers are compared in test_classes.py."""

    def counted(*about: object) -> tuple[dict[str, ClassLearner], np.ndarray]:
        return {"class frequencies": frequencies(2)}, np.zeros(N, dtype=bool)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comparing, "_class_learners", counted)
        yield


@pytest.fixture
def numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_class_learners", lambda *about: ({}, np.zeros(N, dtype=bool)))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """One repeat of the Gaussian processes."""
    return compare(snapshot_of(tmp_path_factory.mktemp("compared") / "ti"), Asked(1, ("gaussian-process",)))


@pytest.mark.torch
def test_every_model_has_the_scores_of_the_manual_in_both_ways(done: Compared) -> None:
    models = done.json()["models"]
    assert {"mean", "linear mixture", "gaussian-process on composition"} <= models.keys()
    for name, of in models.items():
        if name != "class frequencies":
            assert of[E_GPa].keys() == {"random", "by_source"}
            assert of[E_GPa]["random"].keys() == SCORES
            assert all(score.keys() == {"mean", "std", "train"} for score in of[E_GPa]["random"].values())


@pytest.mark.torch
def test_classes_are_judged_beside_numbers(done: Compared) -> None:
    scores = done.json()["models"]["class frequencies"]["phases"]["random"]
    assert scores.keys() == {"accuracy", "recall", "auc", "log_loss", "confusion"}
    assert scores["accuracy"]["mean"] == pytest.approx(2 / 3)  # every third alloy is not beta
    assert scores["confusion"]["mean"] == {"beta": {"beta": 16, "other": 0}, "other": {"beta": 8, "other": 0}}


@pytest.mark.torch
def test_a_process_that_matters_is_missed_where_it_is_taken_away(done: Compared) -> None:
    of = done.of[E_GPa]
    with_process, without = (
        of.scores(f"gaussian-process on composition{less}", "random")["rmse"].mean for less in ("", ", no process")
    )
    assert with_process < without
    assert without > 3  # 8 GPa between the two quenches, unseen
    assert of.best is not None
    assert not of.best.endswith("no process")


@pytest.mark.torch
def test_a_property_that_never_varies_is_left_out_with_a_reason(done: Compared) -> None:
    assert HV not in done.of
    assert "hardness_HV is not compared: all its values are 200, so that there is nothing to predict." in done.remarks


def test_the_same_campaign_is_compared_to_the_same_digits_and_repeats_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_learners", lambda *about: ({"mean": mean_baseline}, np.zeros(N, dtype=bool)))
    snapshot = snapshot_of(tmp_path / "ti")
    first, again = (compare(snapshot, Asked(3)).json() for _ in range(2))
    assert first == again
    ways = first["models"]["mean"][E_GPa]
    assert ways["random"]["rmse"]["std"] > 0
    assert ways["by_source"]["rmse"]["std"] is None  # six sources are left out one by one: nothing is left to lot


class Clock:
    """A minute passes whenever it is looked at."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 60
        return self.seconds


@pytest.mark.torch
@pytest.mark.usefixtures("numbers_alone")
def test_when_the_time_is_over_what_was_left_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learners = {name: off_by(2.0, name) for name in ("gp", "forest")}
    monkeypatch.setattr(comparing, "_learners", lambda *about: (learners, np.zeros(N, dtype=bool)))
    snapshot = snapshot_of(tmp_path / "ti")
    remarks = " ".join(compare(snapshot, Asked(2, minutes=3.5), clock=Clock()).remarks)
    assert "The 3.5 minutes were over after 3 of 6 parts. Never judged: forest on youngs_modulus_GPa, rows" in remarks
    remarks = " ".join(compare(snapshot, Asked(3, minutes=4.5), clock=Clock()).remarks)
    assert "The 4.5 minutes were over after 4 of 8 parts: 1 of 3 repeats are whole." in remarks
    told: list[tuple[int, int]] = []
    compare(snapshot, Asked(1), progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.torch
def test_an_option_that_cannot_be_learned_is_said_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(known: Evidence) -> Learned:
        raise AlloyloopError("It is too hard", "Ask an easier question.")

    learners = {"gp": off_by(2.0, "gp"), "forest": refuses}
    monkeypatch.setattr(comparing, "_learners", lambda *about: (learners, np.zeros(N, dtype=bool)))
    done = compare(snapshot_of(tmp_path / "ti"), Asked(1))
    assert list(done.of[E_GPa].repeats) == ["gp"]
    assert "youngs_modulus_GPa, forest, rows left out by lot: not judged. It is too hard." in " ".join(done.remarks)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("experiments", "said"),
    [
        (f"{HEADER}\n", "youngs_modulus_GPa is not compared: no row has a value"),
        ("\n".join([HEADER, *list(rows())[1:4]]) + "\n", "3 different designs are too few: 5 or more"),
    ],
)
def test_with_nothing_to_judge_by_the_reason_is_said_for_each_property(
    experiments: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(AlloyloopError, match=said):
        compare(snapshot_of(tmp_path / "ti", experiments), Asked())


@pytest.mark.torch
def test_one_source_cannot_be_left_out_and_it_is_said(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path / "ti", "\n".join(rows(sources=1)) + "\n")
    done = compare(snapshot, Asked(1, ("gaussian-process",)))
    assert done.of[E_GPa].ways == ("random",)
    assert f"{E_GPa}: whole sources are not left out, since all rows are from one source, paper 0." in done.remarks


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"repeats": 0}, "0 repeats cannot be made"),
        ({"minutes": 0.0}, "Nothing can be compared in 0 minutes"),
        ({"minutes": float("nan")}, "Nothing can be compared in nan minutes"),
        ({"models": ("oracle",)}, "There is no model named 'oracle'. Name some of auto, "),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(AlloyloopError, match=said):
        Asked(**asked)  # type: ignore[arg-type]  # of several kinds


# -- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_a_table_is_compared_without_a_campaign_and_drawn(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("\n".join(rows()) + "\n", encoding="utf-8")
    arguments = ["--data", tmp_path / "mine.csv", "--inputs", "*_wt_pct,quench", "--target", E_GPa, "--group", "source"]
    arguments += ["--models", "gaussian-process", "--repeats", "1"]
    told = good(alloyloop("compare", *arguments, "-o", tmp_path / "mine.png"))
    assert told.out.startswith(f"{E_GPa}: {N} values of 6 sources, whole sources left out\n")
    assert "Take gaussian-process on " in told.out
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")
    content = good(alloyloop("compare", *arguments, "--json")).json
    assert content.keys() == {"models", "tuned", "best", "verdict", "remarks"}
    assert content["best"][E_GPa] in content["models"]


@pytest.mark.parametrize(
    "arguments", [(), ("ti", "--data", "mine.csv"), ("ti", "--inputs", "*_at_pct"), ("ti", "--group", "paper")]
)
def test_a_campaign_or_a_table_is_compared_and_not_both(arguments: tuple[str, ...]) -> None:
    told = alloyloop("compare", *arguments)
    assert (told.code, told.out) == (2, "")


def test_a_picture_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    told = alloyloop("compare", make(tmp_path / "ti"), "-o", tmp_path / "out.doc")
    assert (told.code, told.out) == (1, "")
    assert "No picture can be written as '.doc'" in told.err


@pytest.mark.torch
def test_a_comparison_shows_itself_in_a_notebook(done: Compared) -> None:
    assert "<table>" in done._repr_html_()
    assert Campaign.compare.__doc__ is not None
