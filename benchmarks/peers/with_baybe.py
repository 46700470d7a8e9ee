"""BayBE: a campaign on a search space made of the pool, with the recommender that it takes by itself.

That is a two-phase recommender: alloys are known from the start, so that its Gaussian process and acquisition choose at
once. That it is not to recommend again what was measured has to be said.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from baybe import Campaign
from baybe.objectives import SingleTargetObjective
from baybe.parameters import NumericalDiscreteParameter
from baybe.searchspace import SearchSpace
from baybe.settings import Settings
from baybe.targets import NumericalTarget
from replaying import main


class BayBE:
    """See `replaying.Chooser`."""

    def __init__(self, names: list[str], X: np.ndarray, heights: np.ndarray, seed: int) -> None:
        Settings(random_seed=seed).activate()
        self.pool, self.heights, self.n_told = pd.DataFrame(X, columns=names), heights, 0
        parameters = [NumericalDiscreteParameter(name, tuple(np.unique(X[:, k]))) for k, name in enumerate(names)]
        space = SearchSpace.from_dataframe(self.pool, parameters)
        goal = SingleTargetObjective(NumericalTarget("height"))
        self.campaign = Campaign(space, goal, allow_recommending_already_measured=False)

    def pick(self, made: np.ndarray, n: int) -> np.ndarray:
        """The recommended rows."""
        new = made[self.n_told :]
        self.campaign.add_measurements(self.pool.iloc[new].assign(height=self.heights[new]))
        self.n_told = len(made)
        return self.campaign.recommend(n).index.to_numpy()


if __name__ == "__main__":
    main(BayBE, "baybe", "botorch", "torch")
