"""On the literature's tables, what is chosen without looking reaches what the literature reaches."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.design.comparing import Judged
from alloyloop.surrogates import Prediction
from alloyloop.surrogates.scores import Forecasts

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def benchmark() -> Any:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "beliefs.py"
    spec = spec_from_file_location("beliefs", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["beliefs"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["beliefs"]


@pytest.fixture
def folder(benchmark: Any) -> Path:
    found = benchmark.shared_data()
    if found is None:
        pytest.skip("the literature tables are not in ../shared/data, nor where ALLOYLOOP_SHARED says")
    return Path(found)


def believed(benchmark: Any, mean: float, std: float, y: tuple[float, ...] = (1.0, 2.0)) -> Any:
    """A result of one repetition in which the same was believed of every row."""
    values, n = np.array(y), len(y)
    told = Forecasts.of(values, Prediction(np.full(n, mean), np.zeros(n), np.full(n, std)))
    return benchmark.Result((Judged(np.arange(n), told, {}, ("gaussian-process on both + forest on both",)),))


def test_without_the_tables_the_benchmark_says_so(
    benchmark: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALLOYLOOP_SHARED", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["beliefs.py", "--tables", "modulus,hardness"])
    benchmark.main()
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[1:]] == ["Skipped modulus", "Skipped hardness"]


def test_a_batch_is_foretold_from_those_before_it_alone(benchmark: Any) -> None:
    folds = benchmark.next_batches(np.array(["AAA", "AAB", "AAA", "AAC"]))
    assert [(train.tolist(), test.tolist()) for train, test in folds] == [([0, 2], [1]), ([0, 1, 2], [3])]


def test_the_limit_and_the_better_of_the_others_both_count(benchmark: Any) -> None:
    results = {  # of the values 1 and 2 the mean 1.5 errs 0.5, the mean 2 errs √½
        "auto": believed(benchmark, 1.5, 1.0),
        "random forest": believed(benchmark, 2.0, 1.0),
        "XGBoost": believed(benchmark, 1.5, 3.0),
    }
    worse = {**results, "auto": believed(benchmark, 2.0, 1.0)}
    verdicts = [
        benchmark.at_most(0.49, "HV")(results),
        benchmark.at_most(0.51, "HV")(results),
        benchmark.not_worse("random", "XGBoost")(results),
        benchmark.not_worse("random")(worse),
        benchmark.not_worse("random", "XGBoost")(worse),
    ]
    assert [reached for one in verdicts for _, reached in one] == [False, True, True, True, False]


def test_what_was_taken_is_counted_part_by_part(benchmark: Any) -> None:
    assert believed(benchmark, 1.5, 1.0).taken == "gaussian-process on both in 100%; forest on both in 100%"


@pytest.mark.slow
def test_modulus_of_alloys_from_unseen_papers_is_predicted_within_10_2_GPa(benchmark: Any, folder: Path) -> None:
    asked = next(benchmark.modulus(folder, quick=False))
    result = benchmark.judge(asked, benchmark.auto(asked.snapshot))
    assert len(result.repeats[0].taken) == len(np.unique(asked.found.sources))  # each paper alone
    assert result.score("rmse") <= 10.2  # the spread of the data is 12.2
    assert 0.8 <= result.score("coverage90") <= 0.97


@pytest.mark.slow
def test_hardness_of_unseen_high_entropy_alloys_is_predicted_within_38_HV(benchmark: Any, folder: Path) -> None:
    asked = next(benchmark.hardness(folder, quick=False))
    result = benchmark.judge(asked, benchmark.auto(asked.snapshot))
    assert len(result.repeats) == 5  # shuffles
    assert result.score("rmse") <= 38
    assert 0.85 <= result.score("coverage90") <= 0.97


@pytest.mark.slow
def test_the_next_batches_of_a_campaign_are_likelier_than_to_botorch(benchmark: Any, folder: Path) -> None:
    plain = "BoTorch SingleTaskGP"
    for asked in benchmark.campaign(folder, quick=False):
        learners = benchmark.learners(asked)
        ours, theirs = (benchmark.judge(asked, learners[name]).total_nll for name in ("auto", plain))
        assert ours < theirs, asked.found.property
