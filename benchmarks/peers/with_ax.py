"""Ax: the model and the acquisition that it takes by itself, asked of every row that is left.

Its client has no list of candidates: it proposes points of a box. The columns of the pool are its parameters here, in
the ranges that they have, what was made is attached, and the acquisition is evaluated where alloys are. Of a batch each
pick is pending for the next.
"""

from __future__ import annotations

import numpy as np
from ax.adapter.registry import Generators
from ax.api.client import Client
from ax.api.configs import RangeParameterConfig
from ax.core.observation import ObservationFeatures
from replaying import main
from torch import manual_seed


class Ax:
    """See `replaying.Chooser`."""

    def __init__(self, names: list[str], X: np.ndarray, heights: np.ndarray, seed: int) -> None:
        manual_seed(seed)
        self.names, self.X, self.heights, self.n_told = names, X, heights, 0
        self.client = Client(random_seed=seed)
        low, high = X.min(axis=0).tolist(), X.max(axis=0).tolist()
        ranges = zip(names, low, high, strict=True)
        self.client.configure_experiment(
            [RangeParameterConfig(name=name, parameter_type="float", bounds=(a, b)) for name, a, b in ranges]
        )
        self.client.configure_optimization("height")

    def _parameters(self, row: int) -> dict[str, float]:
        return dict(zip(self.names, self.X[row].tolist(), strict=True))

    def pick(self, made: np.ndarray, n: int) -> np.ndarray:
        """The rows left of the highest acquisition value."""
        for row in made[self.n_told :]:
            trial = self.client.attach_trial(self._parameters(row))
            self.client.complete_trial(trial, raw_data={"height": float(self.heights[row])})
        self.n_told = len(made)
        experiment = self.client._experiment
        adapter = Generators.BOTORCH_MODULAR(experiment=experiment, data=experiment.lookup_data())
        left, picked = np.setdiff1d(np.arange(len(self.X)), made), list[int]()
        for _ in range(n):
            asked = [ObservationFeatures(self._parameters(row)) for row in left]
            pending = {"height": [ObservationFeatures(self._parameters(row)) for row in picked]} if picked else None
            values = np.array(adapter.evaluate_acquisition_function(asked, pending_observations=pending))
            picked.append(int(left[np.argmax(values)]))
            left = np.setdiff1d(left, picked)
        return np.array(picked)


if __name__ == "__main__":
    main(Ax, "ax-platform", "botorch", "torch")
