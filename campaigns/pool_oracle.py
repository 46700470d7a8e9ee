"""SYNTHETIC pools: a model of a table stands in for it where it holds too few alloys to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..design.beliefs import Evidence
from ..design.features import alloys_at
from ..design.goals import classes_wanted
from ..design.space import DesignSpace
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .answers import design_name
from .learning import believe
from .pools import Pool, Repeats, judged, numbers_wanted
from .reading import listed
from .snapshot import Snapshot, plain

# Designs of the space that make a pool: of fewer the best is found by chance, and a joint draw of more takes its time.
N_DESIGNS = 500
SYNTHETIC = "SYNTHETIC: a model of the table stands in for it"


def oracle_pools(snapshot: Snapshot, seeds: Sequence[int], space: DesignSpace | None = None) -> tuple[Pool, ...]:
    """A pool for each seed: designs of the space, with what one joint draw of what is believed says of them.

    A draw and not the mean: the mean is smoother than any table, and its best is where there happen to be data. What
    is drawn has no noise. A class is the likeliest one.

    Parameters
    ----------
    snapshot : a campaign, or a table as one, with something pursued
    seeds : of the draws
    space : the part of the campaign's from which designs are; all of it where None

    Raises
    ------
    AlloyloopError
        where something that is wanted cannot be modelled
    """
    beliefs = believe(snapshot)
    numbers, classes = numbers_wanted(snapshot), list(classes_wanted(snapshot.class_goals))
    if unknown := [name for name in (*numbers, *classes) if name not in beliefs.learned]:
        raise AlloyloopError(
            f"{listed(unknown)} cannot be modelled: {' '.join(beliefs.remarks)}".rstrip(": "), "Enter more results."
        )
    space = snapshot.space if space is None else space
    points = space.sample(N_DESIGNS, np.random.default_rng(snapshot.spec.seed))
    asked = replace(snapshot, space=space)
    alloys = asked.at_conditions(alloys_at(space, points, snapshot.table.elements))
    known = np.all([belief.features.known(alloys) for belief in beliefs.learned.values()], axis=0)
    points, alloys = points[known], alloys.rows(known)
    process = space.process_values(points)
    names = tuple(
        design_name(composition, {name: plain(values[i]) for name, values in process.items()})
        for i, composition in enumerate(space.compositions(points))
    )
    ids = np.array([f"design {i}" for i in range(len(alloys))], dtype=np.str_)
    likeliest = {name: beliefs.classes[name].about(alloys).argmax(axis=1).astype(np.float64) for name in classes}
    remarks = (f"{SYNTHETIC}. {len(alloys)} designs of its space are the candidates, drawn anew for each run.",)

    def evidence(name: str, values: FloatArray) -> Evidence:
        return Evidence(name, alloys, values, np.full(len(alloys), np.nan), np.full(len(alloys), "", "<U1"), ids=ids)

    pools = []
    for seed in seeds:
        rng = np.random.default_rng([seed, len(alloys)])
        drawn = {name: beliefs.of[name].sample(alloys, 1, rng)[0] for name in numbers}
        repeats = {
            name: Repeats(values, np.full(len(values), np.nan), np.arange(len(values)))
            for name, values in {**drawn, **likeliest}.items()
        }
        of_numbers = {name: evidence(name, values) for name, values in drawn.items()}
        of_classes = {name: evidence(name, values) for name, values in likeliest.items()}
        pools.append(judged(snapshot, alloys, of_numbers, of_classes, names, remarks, repeats))
    return tuple(pools)
