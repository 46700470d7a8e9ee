"""What every runner does: read a pool, replay it with one peer, print the order and what each step took.

It runs in the environment of the peer, so that it knows of NumPy alone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

PREFIX = "RESULT "


class Chooser(Protocol):
    """A peer at work on a pool."""

    def pick(self, made: np.ndarray, n: int) -> np.ndarray:
        """The next n rows of the pool, none of those made so far. (n,)"""
        ...


def main(chooser: Callable[[list[str], np.ndarray, np.ndarray, int], Chooser], *packages: str) -> None:
    """Replay a pool and print the result as a line of JSON.

    Parameters
    ----------
    chooser : makes the peer from names of columns, the columns (n, n_columns), heights (n,), of which it may look at
        those of rows made alone, larger is better, and a seed
    packages : whose versions are told
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("problem", type=Path, help="an .npz of names, X (n, n_columns), heights (n,) and start")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--budget", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    with np.load(asked.problem) as problem:
        names, X, heights, made = (problem[key] for key in ("names", "X", "heights", "start"))
    os.chdir(asked.problem.parent)  # some write beside themselves
    started, n_steps = time.process_time(), 0
    peer = chooser([str(name) for name in names], X, heights, asked.seed)
    while len(made) < asked.budget:
        picked = np.asarray(peer.pick(made, min(asked.batch, asked.budget - len(made))))
        if len(np.unique(picked)) < len(picked) or np.isin(picked, made).any():
            raise ValueError(f"rows {picked.tolist()} were chosen twice")
        made, n_steps = np.append(made, picked), n_steps + 1
    took = (time.process_time() - started) / n_steps
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    print(PREFIX + json.dumps({"order": made.tolist(), "seconds": round(took, 4), "versions": versions}), flush=True)
