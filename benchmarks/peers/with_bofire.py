"""BoFire: the model and the acquisition of its single-objective strategy, asked of every row that is left.

It optimises over a domain and has no list of candidates; the columns of the pool are continuous inputs here, in the
ranges that they have, what was made is told, and the acquisition is calculated where alloys are. Of a batch each pick
is pending for the next.
"""

from __future__ import annotations

import bofire.strategies.api as strategies
import numpy as np
import pandas as pd
from bofire.data_models.domain.api import Domain
from bofire.data_models.features.api import ContinuousInput, ContinuousOutput
from bofire.data_models.objectives.api import MaximizeObjective
from bofire.data_models.strategies.api import SoboStrategy
from replaying import main


class BoFire:
    """See `replaying.Chooser`."""

    def __init__(self, names: list[str], X: np.ndarray, heights: np.ndarray, seed: int) -> None:
        self.pool, self.heights, self.n_told = pd.DataFrame(X, columns=names), heights, 0
        low, high = X.min(axis=0).tolist(), X.max(axis=0).tolist()
        inputs = [ContinuousInput(key=name, bounds=(a, b)) for name, a, b in zip(names, low, high, strict=True)]
        output = ContinuousOutput(key="height", objective=MaximizeObjective(w=1.0))
        domain = Domain.from_lists(inputs=inputs, outputs=[output])
        self.strategy = strategies.map(SoboStrategy(domain=domain, seed=seed))

    def pick(self, made: np.ndarray, n: int) -> np.ndarray:
        """The rows left of the highest acquisition value."""
        new = made[self.n_told :]
        self.strategy.tell(self.pool.iloc[new].assign(height=self.heights[new], valid_height=1))
        self.n_told = len(made)
        left, picked = np.setdiff1d(np.arange(len(self.pool)), made), list[int]()
        for _ in range(n):
            values = np.asarray(self.strategy.calc_acquisition(self.pool.iloc[left])).reshape(-1)
            picked.append(int(left[np.argmax(values)]))
            left = np.setdiff1d(left, picked)
            if len(picked) < n:
                self.strategy.add_candidates(self.pool.iloc[picked[-1:]])
        if n > 1:
            self.strategy.reset_candidates()
        return np.array(picked)


if __name__ == "__main__":
    main(BoFire, "bofire", "botorch", "torch")
