"""Bgolearn: its expected improvement on the table of virtual samples that are left, with its defaults.

Of a batch it takes the highest few. Its report is not written, and the figures that it draws are not kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from Bgolearn.BGOsampling import Bgolearn
from replaying import main


class ByEI:
    """See `replaying.Chooser`."""

    def __init__(self, names: list[str], X: np.ndarray, heights: np.ndarray, seed: int) -> None:
        self.X, self.pool, self.heights, self.seed = X, pd.DataFrame(X, columns=names), heights, seed
        np.random.seed(seed)  # noqa: NPY002 (it draws among equals from there)

    def pick(self, made: np.ndarray, n: int) -> np.ndarray:
        """The rows that it recommends of those left."""
        left = np.setdiff1d(np.arange(len(self.pool)), made)
        model = Bgolearn().fit(
            data_matrix=self.pool.iloc[made],
            Measured_response=pd.Series(self.heights[made]),
            virtual_samples=self.pool.iloc[left],
            opt_num=n,
            min_search=False,
            seed=self.seed,
            Generate_HTML_report=False,
        )
        _, chosen = model.EI()
        return np.array([left[np.flatnonzero((self.X[left] == row).all(axis=1))[0]] for row in chosen])


if __name__ == "__main__":
    main(ByEI, "Bgolearn", "scikit-learn")
