"""Bgolearn and BayBE at the question of `screening.py`; run by it, in the environment where they are installed."""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Read a question from a file, answer it with one peer, print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=("bgolearn", "baybe"))
    parser.add_argument("question", type=Path, help="an .npz with X, y (the rows) and, for Bgolearn, candidates")
    parser.add_argument("--batch", type=int, default=4)
    arguments = parser.parse_args()
    with np.load(arguments.question) as question:
        X, y, candidates = question["X"], question["y"], question["candidates"]
    took = {"bgolearn": _bgolearn, "baybe": _baybe}[arguments.peer](X, y, candidates, arguments.batch)
    took["alloys"] = len(candidates)
    took["peak_MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("RESULT " + json.dumps(took))


def _bgolearn(X: np.ndarray, y: np.ndarray, candidates: np.ndarray, batch: int) -> dict[str, float]:
    import Bgolearn.BGOsampling as Sampling
    import pandas as pd

    # It draws one figure of all candidates, which fails at this size; without it the rest runs.
    Sampling.save_prediction_figure = lambda *args, **kwargs: None
    os.chdir(tempfile.gettempdir())  # it writes beside itself
    names = [f"x{i}" for i in range(X.shape[1])]
    virtual = pd.DataFrame(candidates, columns=names)
    start, wall = time.process_time(), time.time()
    model = Sampling.Bgolearn().fit(
        data_matrix=pd.DataFrame(X, columns=names),
        Measured_response=pd.Series(y),
        virtual_samples=virtual,
        opt_num=batch,
        min_search=True,
        Generate_HTML_report=False,
    )
    model.EI()
    return {"cpu_s": time.process_time() - start, "wall_s": time.time() - wall}


def _baybe(X: np.ndarray, y: np.ndarray, candidates: np.ndarray, batch: int) -> dict[str, float]:
    import pandas as pd
    from baybe import Campaign
    from baybe.acquisition import qLogExpectedImprovement
    from baybe.objectives import SingleTargetObjective
    from baybe.recommenders import BotorchRecommender
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget

    names = [f"x{i}" for i in range(X.shape[1])]
    start, wall = time.process_time(), time.time()
    space = SearchSpace.from_dataframe(
        pd.DataFrame(candidates, columns=names), parameters=_parameters(candidates, names)
    )
    target = NumericalTarget(name="y", minimize=True)
    recommender = BotorchRecommender(acquisition_function=qLogExpectedImprovement())
    campaign = Campaign(space, SingleTargetObjective(target), recommender)
    campaign.add_measurements(pd.DataFrame(X, columns=names).assign(y=y))
    campaign.recommend(batch)
    return {"cpu_s": time.process_time() - start, "wall_s": time.time() - wall}


def _parameters(candidates: np.ndarray, names: list[str]) -> list[object]:
    from baybe.parameters import NumericalDiscreteParameter

    return [
        NumericalDiscreteParameter(name=name, values=tuple(np.unique(column)))
        for name, column in zip(names, candidates.T, strict=True)
    ]


if __name__ == "__main__":
    main()
