"""On the literature's tables, the model that is chosen without looking reaches what the literature reaches."""

from __future__ import annotations

import sys
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def benchmark() -> Any:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "accuracy.py"
    spec = spec_from_file_location("accuracy", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["accuracy"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["accuracy"]


@pytest.fixture
def folder(benchmark: Any) -> Path:
    found = benchmark.shared_data()
    if found is None:
        pytest.skip("the literature tables are not in ../shared/data, nor where ALLOYLOOP_SHARED says")
    return Path(found)


def test_without_the_tables_the_benchmark_says_so(
    benchmark: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALLOYLOOP_SHARED", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["accuracy.py", "--tables", "modulus,hardness"])
    benchmark.main()
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[1:]] == ["Skipped modulus", "Skipped hardness"]


@pytest.mark.slow
def test_modulus_of_alloys_from_unseen_papers_is_predicted_within_10_5_GPa(benchmark: Any, folder: Path) -> None:
    evidence = benchmark.beta_titanium(folder).evidence  # the spread of the data is 12.2
    folds = benchmark.group_folds(evidence.sources)
    scores, taken = as_chosen(benchmark, evidence, folds)
    assert taken.total() == len(folds) == len(np.unique(evidence.sources))
    assert scores.rmse <= 10.5
    assert 0.8 <= scores.coverage90 <= 0.97


@pytest.mark.slow
def test_hardness_of_unseen_high_entropy_alloys_is_predicted_within_45_HV(benchmark: Any, folder: Path) -> None:
    evidence = benchmark.high_entropy_hardness(folder).evidence
    shuffles = [benchmark.shuffled_folds(len(evidence), 10, seed) for seed in range(5)]
    scores = [as_chosen(benchmark, evidence, folds)[0] for folds in shuffles]
    assert np.mean([one.rmse for one in scores]) <= 45
    assert 0.85 <= np.mean([one.coverage90 for one in scores]) <= 0.97


def as_chosen(benchmark: Any, evidence: Any, folds: Any) -> tuple[Any, Counter[str]]:
    """Scores of what `auto` chooses inside the rows outside each fold, and what it took."""
    taken: Counter[str] = Counter()
    pick = benchmark.chosen(evidence, benchmark.AUTO_MODELS, taken)
    return benchmark.Scores.of(evidence.values, *benchmark.believed(evidence, folds, pick)), taken
