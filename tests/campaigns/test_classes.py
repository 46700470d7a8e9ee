"""A property that has classes, from campaign.yaml to what is proposed, recorded, screened and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns import comparing, learning
from alloyloop.campaigns.answers import Answer, PredictedClasses
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.comparing import Asked, compare
from alloyloop.campaigns.comparison import ClassComparison
from alloyloop.campaigns.learning import LEAST_REPORTED, believe
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.spec import read_spec
from alloyloop.design.beliefs import Choice, Evidence
from alloyloop.design.comparing import (
    ClassLearner,
    Learner,
    frequencies,
    judged_classes,
    mean_baseline,
    random_folds,
    source_folds,
)
from alloyloop.design.features import Alloys
from alloyloop.design.goals import Is, Report
from alloyloop.surrogates.classifiers import CLASSIFIERS
from alloyloop.surrogates.errors import AlloyloopError

from ..nearest_class import NAME, registered
from .folders import QUESTION as PLAIN
from .folders import Told, alloyloop, contents, make

E_GPa = "youngs_modulus_GPa"
PHASES = '  phases: {goal: is, value: beta, classes: {beta: [beta, "single beta"], other: ["*"]}}\n'
QUESTION = PLAIN.replace("features:", f"{PHASES}features:").replace(
    "model: gaussian-process", f"model: {{{E_GPa}: gaussian-process, phases: {NAME}}}"
)
HEADER = "id,status,round,source,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa,phases,reason,note"


def rows() -> Iterator[str]:
    """A modulus that rises with niobium, and beta from 24 wt.% of niobium on: what is softest is not beta."""
    for i in range(30):
        niobium, zirconium = 10 + i, 3 * i % 10
        found = ("beta", "Single beta")[i % 2] if niobium >= 24 else "beta + omega"
        made = f"{100 - niobium - zirconium},{niobium},{zirconium}"
        yield f"A{i},known,,paper {i % 6},{made},{50 + 0.5 * niobium:g},{found if i else ''},,"


EXPERIMENTS = "\n".join([HEADER, *rows(), ""])


@pytest.fixture(scope="module", autouse=True)
def nearest_class() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that nothing here changes."""
    return make(tmp_path_factory.mktemp("classes") / "ti", QUESTION, EXPERIMENTS)


def good(told: Told) -> Told:
    assert (told.code, told.err) == (0, "")
    return told


# -- campaign.yaml ----------------------------------------------------------------------------------------------------


def mistakes(tmp_path: Path, question: str) -> list[str]:
    (tmp_path / "campaign.yaml").write_text(question, encoding="utf-8")
    with pytest.raises(CampaignFileError) as caught:
        read_spec(tmp_path / "campaign.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_a_class_is_wanted_or_only_reported(tmp_path: Path) -> None:
    for text, goal in ((QUESTION, Is("beta")), (QUESTION.replace("is, value: beta", "report"), Report())):
        (tmp_path / "campaign.yaml").write_text(text, encoding="utf-8")
        spec = read_spec(tmp_path / "campaign.yaml")
        assert spec.class_goals == {"phases": goal}
        assert spec.goals.keys() == {E_GPa}


def test_classes_and_the_value_are_written_alike_where_yaml_reads_no_words(tmp_path: Path) -> None:
    text = QUESTION.replace("value: beta, classes: {beta: [beta, ", "value: 1, classes: {1: [beta, ")
    (tmp_path / "campaign.yaml").write_text(text, encoding="utf-8")
    assert read_spec(tmp_path / "campaign.yaml").class_goals == {"phases": Is("1")}


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("value: beta", "value: gamma", "line 14, properties.phases.value", "'gamma' is no class of phases. Write one"),
        ("value: beta, ", "", "properties.phases", "the goal is takes a value"),
        (
            "goal: is",
            "goal: report",
            "properties.phases",
            "the goal is takes a value, the class that is wanted, and no",
        ),
        ("goal: is, value: beta", "goal: minimize", "properties.phases", "the goal minimize is for numbers"),
        (', other: ["*"]', "", "properties.phases", "the goal is asks for one of two or more classes"),
        (NAME, "extra-trees", "line 16, model.phases", "There is no model named 'extra-trees'. Write auto or one of "),
        (f"phases: {NAME}", "colour: forest", "line 16, model.colour", "There is no property colour. Those of "),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(old: str, new: str, place: str, says: str, tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, QUESTION.replace(old, new))
    assert place in said
    assert says in said


def test_one_model_for_all_properties_is_that_of_numbers_and_classes_follow_where_they_can(tmp_path: Path) -> None:
    for model, of_classes in (("extra-trees", "auto"), ("auto", "auto"), ("gaussian-process", "gaussian-process")):
        text = PLAIN.replace("features:", f"{PHASES}features:").replace("model: gaussian-process", f"model: {model}")
        (tmp_path / "campaign.yaml").write_text(text, encoding="utf-8")
        spec = read_spec(tmp_path / "campaign.yaml")
        assert (spec.model_of(E_GPa), spec.model_of("phases")) == (model, of_classes)


# -- what is believed -------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_rows_teach_which_class_they_are_of_where_that_is_known(folder: Path) -> None:
    beliefs = believe(Campaign(folder).snapshot())
    belief = beliefs.classes["phases"]
    assert belief.labels == ("beta", "other")
    assert len(belief.evidence) == 29  # of the first of thirty it is not said
    assert belief.evidence.values.tolist() == [1.0] * 13 + [0.0] * 16
    assert set(belief.evidence.sources) == {f"paper {i}" for i in range(6)}
    assert beliefs.choices["phases"].name == f"{NAME} on composition"
    assert beliefs.every.keys() == {E_GPa, "phases"}
    assert "log loss" in beliefs.choices["phases"].why


@pytest.mark.torch
def test_auto_chooses_once_for_the_same_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []

    def choose(found: object, labels: object, options: dict[str, object], *_: object) -> Choice:
        made.append(list(options))
        return Choice(list(options)[-1], "for the test")

    monkeypatch.setattr(learning, "choose_classes", choose)
    question = QUESTION.replace(f", phases: {NAME}", "").replace("features: composition", "features: auto")
    question = question.replace("gaussian-process", "extra-trees")
    monkeypatch.setattr(learning, "choose", lambda found, options, *_: Choice(next(iter(options)), "for the test"))
    campaign = make(tmp_path / "ti", question, EXPERIMENTS)
    first, again = (believe(Campaign(campaign).snapshot()) for _ in range(2))
    assert made == [[f"{NAME} on composition", f"{NAME} on descriptors", f"{NAME} on both"]]
    assert first.choices["phases"] == again.choices["phases"] == Choice(f"{NAME} on both", "for the test")


@pytest.mark.torch
def test_where_all_rows_are_of_one_class_they_are_counted_and_that_is_said(tmp_path: Path) -> None:
    experiments = EXPERIMENTS.replace("beta + omega", "beta")
    beliefs = believe(Campaign(make(tmp_path / "ti", QUESTION, experiments)).snapshot())
    assert any(
        remark.startswith("phases: all 29 rows are beta, so that nothing tells when an alloy is not; each is taken to ")
        and "98.3%" in remark  # 29.5 / 30, by hand
        for remark in beliefs.remarks
    )


@pytest.mark.torch
def test_a_class_that_is_only_reported_needs_as_many_rows_as_a_number(tmp_path: Path) -> None:
    reported = QUESTION.replace("is, value: beta", "report")
    for question, n, is_modelled in (
        (reported, LEAST_REPORTED - 1, False),
        (reported, LEAST_REPORTED, True),
        (QUESTION, 1, True),
        (QUESTION, 0, False),
    ):
        some = [line if i <= n else line.rsplit(",", 3)[0] + ",,," for i, line in enumerate(rows())]
        campaign = make(tmp_path / f"{is_modelled} {n}", question, "\n".join([HEADER, *some, ""]))
        beliefs = believe(Campaign(campaign).snapshot())
        assert ("phases" in beliefs.classes) == is_modelled
        said = f"phases is known of {n} row{'' if n == 1 else 's'}: too few to model."
        assert (said in beliefs.remarks) == (not is_modelled)


@pytest.mark.torch
def test_rows_whose_features_are_not_known_are_left_out_with_a_count(tmp_path: Path) -> None:
    question = QUESTION.replace("features: composition", "features: [bond_order]")  # thorium has none in the table
    header = HEADER.replace("Zr_wt_pct", "Zr_wt_pct,Th_wt_pct")
    some = [",".join([*line.split(",")[:7], "0", *line.split(",")[7:]]) for line in rows()]
    some.append("T,known,,,70,20,0,10,60,beta,,")
    beliefs = believe(Campaign(make(tmp_path / "ti", question, "\n".join([header, *some, ""]))).snapshot())
    assert len(beliefs.classes["phases"].evidence) == 29
    assert any(remark.startswith("phases: 1 row is left out") for remark in beliefs.remarks)


@pytest.mark.torch
def test_steps_of_preparation_are_said_to_be_for_numbers(tmp_path: Path) -> None:
    prepared = make(tmp_path / "ti", f"{QUESTION}prepare: [pca 2]\n", EXPERIMENTS)
    assert any("steps under prepare are for numbers" in said for said in believe(Campaign(prepared).snapshot()).remarks)


# -- predictions ------------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_a_prediction_says_how_likely_each_class_is_and_the_chance_of_all_goals_holds_it(folder: Path) -> None:
    (alloy,) = good(alloyloop("predict", folder, "Ti-36Nb-2Zr wt", "--json")).json["alloys"]
    shares = alloy["predicted"]["phases"]["classes"]
    assert shares.keys() == {"beta", "other"}
    assert shares["beta"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)
    assert alloy["probability"] == {"phases": shares["beta"], "all": shares["beta"]}
    assert alloy["predicted"][E_GPa].keys() == {"mean", "std", "low", "high"}
    shown = good(alloyloop("predict", folder, "Ti-36Nb-2Zr wt")).out
    assert f"beta ({shares['beta']:.0%})" in shown
    assert "chance of all goals" in shown


@pytest.mark.torch
def test_limits_and_classes_multiply(tmp_path: Path) -> None:
    question = QUESTION.replace(f"{E_GPa}: {{goal: minimize}}", f"{E_GPa}: {{goal: below, limit: 66}}")
    made = make(tmp_path / "ti", question, EXPERIMENTS)
    chances = good(alloyloop("predict", made, "Ti-30Nb wt", "--json")).json["alloys"][0]["probability"]
    assert chances.keys() == {E_GPa, "phases", "all"}
    assert chances["all"] == pytest.approx(chances[E_GPa] * chances["phases"])


@pytest.mark.torch
def test_a_class_that_is_only_reported_is_shown_and_is_no_goal(tmp_path: Path) -> None:
    made = make(tmp_path / "ti", QUESTION.replace("is, value: beta", "report"), EXPERIMENTS)
    (alloy,) = good(alloyloop("predict", made, "Ti-36Nb-2Zr wt", "--json")).json["alloys"]
    assert alloy["predicted"]["phases"]["classes"]["beta"] > 0.8
    assert alloy["probability"] == {"all": 1.0}


def answer(**classes: PredictedClasses) -> Answer:
    return Answer("R001-1", None, {}, {}, {"all": 1.0}, None, classes=classes)


def test_an_answer_is_read_back_as_it_was_written() -> None:
    one = answer(phases=PredictedClasses({"beta": 0.93, "other": 0.07}))
    assert Answer.from_json(json.loads(json.dumps({**one.json(), "composition": None}))) == one
    assert one.json()["predicted"] == {"phases": {"classes": {"beta": 0.93, "other": 0.07}}}


@pytest.mark.parametrize("damage", [{}, {"beta": 1.5}, {"beta": "likely"}, {"beta": float("nan")}])
def test_a_damaged_prediction_of_classes_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        PredictedClasses.from_json({"classes": damage})


# -- what is proposed, and what comes back ----------------------------------------------------------------------------


@pytest.mark.torch
def test_what_is_proposed_is_likely_of_the_class_and_the_decision_says_so(tmp_path: Path) -> None:
    """Zirconium makes alloys a little stiffer, and beta: without the class some are proposed that are not."""
    made = [(10 + i, 3 * i % 10) for i in range(30)]
    lines = (
        f"A{i},known,,,{100 - nb - zr},{nb},{zr},{50 + 0.5 * nb + 0.2 * zr:g},{'beta' if zr > 4 else 'omega'},,"
        for i, (nb, zr) in enumerate(made)
    )
    experiments = "\n".join([HEADER, *lines, ""])
    wanted, free = (
        make(tmp_path / name, question, experiments)
        for name, question in (("is", QUESTION), ("report", QUESTION.replace("is, value: beta", "report")))
    )
    proposed = good(alloyloop("suggest", wanted, "-n", "2", "--json")).json
    chances = [alloy["probability"]["phases"] for alloy in proposed["proposals"]]
    others = good(alloyloop("suggest", free, "-n", "2", "--dry-run", "--json")).json["proposals"]
    assert min(alloy["predicted"]["phases"]["classes"]["beta"] for alloy in others) < 0.4 < 0.5 < min(chances)
    decision = json.loads((wanted / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))
    assert decision["proposals"] == proposed["proposals"]
    assert decision["models"]["phases"]["name"] == f"{NAME} on composition"
    assert decision["stop"]["best_known"]["id"] == "A2"  # the softest beta alloy: 12 wt.% Nb and 6 of Zr
    header = (wanted / "rounds" / "001" / "proposals.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "phases_beta,phases_other" in header

    words = good(alloyloop("record", wanted, "R001-1", f"{E_GPa}=62", "phases=beta")).out
    assert f"phases: beta came, as expected (beta {chances[0]:.0%}, round 1)." in words
    words = good(alloyloop("record", wanted, "R001-2", "phases=alpha")).out
    assert (
        f"phases: other came, beta was expected (beta {chances[1]:.0%}, other {1 - chances[1]:.0%}, round 1)" in words
    )

    report = good(alloyloop("report", wanted))
    assert "its phases is beta" not in report.out


@pytest.mark.torch
def test_without_any_alloy_of_the_class_what_is_of_it_is_sought_and_that_is_said(tmp_path: Path) -> None:
    none = EXPERIMENTS.replace("Single beta", "omega").replace(",beta,", ",alpha,").replace("beta + omega", "alpha")
    assert "beta" not in none
    told = good(alloyloop("suggest", make(tmp_path / "ti", QUESTION, none), "-n", "1", "--dry-run", "--json")).json
    said = "No measured alloy is believed to keep what is asked of phases: the best known is one that does not."
    assert said in told["remarks"]


@pytest.mark.torch
def test_a_class_that_was_not_looked_at_is_no_part_of_the_choice_and_that_is_said(tmp_path: Path) -> None:
    blank = "\n".join([HEADER, *(line.rsplit(",", 3)[0] + ",,," for line in rows()), ""])
    told = good(alloyloop("suggest", make(tmp_path / "ti", QUESTION, blank), "-n", "1", "--dry-run", "--json")).json
    assert "phases has not been looked at yet: its class is not part of this choice." in told["remarks"]
    assert told["proposals"][0]["probability"] == {"all": 1.0}


def test_the_best_is_of_the_class_as_it_was_found(folder: Path) -> None:
    assert good(alloyloop("status", folder, "--json")).json["best"]["id"] == "A14"


@pytest.mark.torch
def test_the_best_are_shown_with_what_was_found_of_them(folder: Path) -> None:
    best = good(alloyloop("best", folder, "-n", "1", "--json")).json["alloys"][0]
    assert best["measured"] == {E_GPa: 62, "phases": "beta"}
    assert "phases measured" in good(alloyloop("best", folder)).out


@pytest.mark.torch
def test_an_alloy_is_explained_with_the_probability_of_each_class(folder: Path) -> None:
    assert "Phases: beta 9" in good(alloyloop("explain", folder, "A26")).out
    assert "; found beta." in good(alloyloop("explain", folder, "A26")).out
    assert good(alloyloop("explain", folder, "A26", "--json")).json["alloy"]["measured"]["phases"] == "beta"


def with_expectation(path: Path, chance: float) -> Path:
    """A campaign whose first round expected its only alloy to be beta, and no model needed for it."""
    proposed = "R001-1,proposed,1,,65,30,5,,,,\n"
    made = make(path, QUESTION, EXPERIMENTS + proposed)
    alloy = {
        **answer(phases=PredictedClasses({"beta": chance, "other": 1 - chance})).json(),
        "composition": {"Ti": 65.0, "Nb": 30.0, "Zr": 5.0},
        "basis": "wt_pct",
    }
    (made / "rounds" / "001").mkdir(parents=True)
    (made / "rounds" / "001" / "decision.json").write_text(json.dumps({"proposals": [alloy]}), encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("chance", "came", "said"),
    [
        (0.93, "beta", "R001-1 phases: beta came, as expected (beta 93%, round 1)."),
        (0.93, "alpha", "R001-1 phases: other came, beta was expected (beta 93%, other 7%, round 1): a surprise."),
        (0.8, "alpha", "R001-1 phases: other came, beta was expected (beta 80%, other 20%, round 1)."),
    ],
)
def test_what_was_expected_is_said_beside_what_came(chance: float, came: str, said: str, tmp_path: Path) -> None:
    told = good(alloyloop("record", with_expectation(tmp_path / "ti", chance), "R001-1", f"phases={came}", "--json"))
    assert told.json["recorded"][0]["surprise"] == [said]


def test_the_report_shows_what_is_wanted_and_what_is_expected(tmp_path: Path) -> None:
    made = with_expectation(tmp_path / "ti", 0.93)
    before = contents(made)
    good(alloyloop("report", made, "--quick"))
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "phases is beta" in page
    assert "beta (93%)" in page
    assert contents(made).keys() - before.keys() == {"report.html"}


# -- screens ----------------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_a_screen_asks_for_classes_and_their_probability(folder: Path) -> None:
    stages = ("phases is beta", "P(phases is beta) >= 0.8", "P(all) >= 0.85")
    told = good(alloyloop("screen", folder, "--top", "3", *(w for s in stages for w in ("--stage", s)), "--json")).json
    assert tuple(stage["gate"] for stage in told["stages"]) == stages
    left = [stage["left"] for stage in told["stages"]]
    assert told["count"] > left[0] > left[1] > left[2] > 0
    assert told["scored_by"].endswith(", where phases is beta")
    assert told["front_axes"] == [f"minimize {E_GPa}", "probability that phases is beta"]
    for alloy in told["alloys"]:
        assert alloy["predicted"]["phases"]["classes"]["beta"] >= 0.85
        assert alloy["probability"]["all"] == alloy["probability"]["phases"]
    assert good(alloyloop("screen", folder, "--top", "3", "--by", "probability", "--json")).json["alloys"]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("phases is gamma", "'gamma' is no class of phases. Those are beta, other, as campaign.yaml says."),
        ("colour is grey", "colour is asked for a class, and it has none that could be predicted here."),
    ],
)
def test_a_class_that_there_is_not_is_said_in_one_sentence(stage: str, said: str, folder: Path) -> None:
    told = alloyloop("screen", folder, "--stage", stage)
    assert (told.code, told.out) == (1, "")
    assert said in told.err


@pytest.mark.torch
def test_gains_are_counted_over_the_best_alloy_that_was_found_to_be_of_the_class(folder: Path) -> None:
    scored_by = good(alloyloop("screen", folder, "--top", "1", "--json")).json["scored_by"]
    believed = believe(Campaign(folder).snapshot()).of[E_GPa]
    best = believed.about(believed.evidence.alloys.rows(np.array([14]))).mean[0]
    assert scored_by == f"expected improvement of {E_GPa} on {best:.4g}, where phases is beta"


# -- comparisons ------------------------------------------------------------------------------------------------------


def sure_of(code: int, chance: float) -> ClassLearner:
    """Believes of every alloy that it is of one class of two, with a probability."""
    shares = np.full(2, 1 - chance)
    shares[code] = chance
    return lambda known: lambda alloys: np.tile(shares, (len(alloys), 1))


def knowing(chance: float) -> ClassLearner:
    """Tells the classes of the evidence below apart, and is so sure of it."""

    def about(alloys: Alloys) -> np.ndarray:
        beta = np.where(alloys.fractions[:, 0] > 0.5, chance, 1 - chance)
        return np.column_stack([beta, 1 - beta])

    return lambda known: about


def comparison(sources: bool, **learners: ClassLearner) -> ClassComparison:
    fractions = np.random.default_rng(1).dirichlet(np.ones(2), 30)
    told = np.array([f"paper {i % 5}" if sources else "" for i in range(30)], dtype=np.str_)
    codes = np.where(fractions[:, 0] > 0.5, 0.0, 1.0)
    found = Evidence("phases", Alloys(("Nb", "Ti"), fractions, {}), codes, np.full(30, np.nan), told)
    ways = {"random": random_folds(found, 0)} | ({"by_source": source_folds(found, 0)} if sources else {})
    every = {"class frequencies": frequencies(2), **learners}
    repeats = {
        name: {way: [judged_classes(found, 2, learner, folds)] for way, folds in ways.items()}
        for name, learner in every.items()
    }
    return ClassComparison(found, ("beta", "other"), repeats)


def test_the_classifier_that_loses_least_is_taken_and_the_next_is_named_with_how_sure_that_is() -> None:
    # By hand: minus the logarithms of 0.9 and 0.8.
    first, second, last = comparison(True, good=knowing(0.9), worse=knowing(0.8)).sentences()
    assert first.startswith("Take good: log loss 0.105, right for 100% of the rows, whole sources left out; by their ")
    assert second.startswith("The log loss of the next, worse, is 0.12 ± ")
    assert second.endswith(" larger: that is more than chance.")
    assert last.endswith("on its own training rows, where it is right for 100% of them: do not report such numbers.")


def test_a_classifier_no_better_than_the_frequencies_is_not_recommended() -> None:
    (said,) = comparison(False, good=sure_of(0, 0.5)).sentences()
    assert said.startswith("No classifier is surely better than class frequencies (log loss 0.69")


def test_classes_have_the_scores_of_the_manual_and_a_table_with_the_best_first() -> None:
    of = comparison(True, worse=knowing(0.8), good=knowing(0.9))
    told = of.json()["good"]
    assert told.keys() == {"random", "by_source"}
    assert told["random"].keys() == {"accuracy", "recall", "auc", "log_loss", "confusion"}
    assert all(told["random"][score].keys() == {"mean", "std", "train"} for score in told["random"])
    assert told["random"]["confusion"]["mean"]["beta"]["other"] == 0
    columns, cells = of.table()
    assert columns == ["model", "log loss", "in training", "right", "in training", "recall", "AUC", "log loss by lot"]
    assert [row[0] for row in cells] == ["good", "worse", "class frequencies"]
    assert cells[0][:4] == ["good", "0.1054", "0.1054", "100%"]
    assert "\n".join(of.lines()).startswith("phases: 30 rows of 5 sources, whole sources left out\n")
    assert comparison(False, good=knowing(0.9)).ways == ("random",)


@pytest.fixture
def mean_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of numbers only the mean is judged here; test_comparing.py compares their models."""

    def learners(snapshot: object, found: Evidence, models: Sequence[str]) -> tuple[dict[str, Learner], np.ndarray]:
        return {"auto": mean_baseline}, np.zeros(len(found), dtype=bool)

    monkeypatch.setattr(comparing, "_learners", learners)


@pytest.mark.torch
@pytest.mark.usefixtures("mean_alone")
def test_classifiers_are_compared_beside_the_models_of_numbers(folder: Path) -> None:
    done = compare(Campaign(folder).snapshot(), Asked(2, (NAME, "auto")))
    of = done.classes["phases"]
    assert of.ranked[-1] == "class frequencies"
    assert set(of.ranked) == {"class frequencies", "auto", *(f"{NAME} on {seen}" for seen in SETS)}
    told = done.json()
    assert told["best"]["phases"] == of.best
    assert told["verdict"]["phases"].startswith("Take ")
    assert told["models"]["auto"].keys() == {E_GPa, "phases"}
    assert told["models"][f"{NAME} on both"]["phases"]["random"]["log_loss"]["std"] > 0
    assert "phases: 29 rows of 6 sources, whole sources left out" in "\n".join(done.lines())
    assert ">phases</caption>" in done._repr_html_()


SETS = ("composition", "descriptors", "both")


@pytest.mark.torch
@pytest.mark.usefixtures("mean_alone")
def test_models_of_the_other_kind_alone_are_said_not_to_compare(folder: Path) -> None:
    snapshot = Campaign(folder).snapshot()
    classes_alone = compare(snapshot, Asked(1, (NAME,)))
    assert not classes_alone.of
    assert f"Numbers are not compared: {NAME} are for classes." in classes_alone.remarks
    numbers_alone = compare(snapshot, Asked(1, ("extra-trees",)))
    assert not numbers_alone.classes
    assert "Classes are not compared: extra-trees are for numbers." in numbers_alone.remarks


def test_classes_that_cannot_be_told_apart_are_said_not_to_be_compared(tmp_path: Path) -> None:
    alike = make(tmp_path / "ti", QUESTION, EXPERIMENTS.replace("beta + omega", "beta"))
    snapshot = Campaign(alike).snapshot()
    with pytest.raises(AlloyloopError, match="phases is not compared: all rows are beta"):
        compare(snapshot, Asked(1, (NAME,)))


@pytest.mark.torch
@pytest.mark.usefixtures("mean_alone")
def test_classifiers_that_auto_does_not_choose_from_see_all_features(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comparing, "AUTO_CLASSIFIERS", ("other",))
        patched.setattr(comparing, "classifier_names", lambda: (NAME, "other"))
        patched.setitem(CLASSIFIERS, "other", CLASSIFIERS[NAME])
        of = compare(Campaign(folder).snapshot(), Asked(1)).classes["phases"]
    classifiers = {f"{NAME} on both", *(f"other on {seen}" for seen in SETS)}
    assert set(of.ranked) == {"class frequencies", "auto", *classifiers}
