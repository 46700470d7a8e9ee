"""First designs, before anything is known: spread over the space, or best for a polynomial model, inside all rules.

Each kind has a *criterion* that says what a further point adds to those there are. From several starts, points are
exchanged one at a time for others of a uniform sample, then for their neighbours on the lattice too, until none gains
[Fedorov, Theory of Optimal Experiments, Academic Press 1972; Cook and Nachtsheim, Technometrics 22 (1980) 315].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, get_args

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import IntArray
from .process import Numeric
from .space import DesignSpace, rows_in

Kind = Literal["space-filling", "d-optimal", "i-optimal"]
FIRST_DESIGNS: Final[tuple[Kind, ...]] = get_args(Kind)

N_SAMPLED = 2048
# Of 300 sets of designs of small spaces, held against all that there are, 48 missed the best with one start, 9 with
# five (one told 12 % less) and one with twenty (0.4 % less).
N_STARTS = 20
# So many of the ends are taken further, over neighbours, which cost ten times as much as the rows of the sample.
N_REFINED = 5
# Every exchange gains, so they end; this only bounds how long they may take on a plateau of rounding errors.
_MOST_SWEEPS = 100
# A gain below this share of what a point adds is rounding.
_LEAST_GAIN = 1e-9
# A term that varies less than this over the space, where its columns have a standard deviation of 1, is rounding too.
_LEAST_SPREAD = 1e-6
# What is known of a coefficient beforehand, in units of what a measurement tells of it on average over the space: for
# one that is to be estimated next to nothing, so little that it decides only where there are fewer runs than terms.
_UNKNOWN = 1e-4
# For one that is not, as much as a measurement tells: it is then expected to be as large as the scatter of one.
_POTENTIAL = 1.0


def first_designs(
    space: DesignSpace, n: int, kind: str, rng: np.random.Generator, taken: IntArray | None = None
) -> IntArray:
    """Designs to begin with: different allowed points, none of them taken, that tell most together.

    Parameters
    ----------
    space : what may be made
    n : how many are wanted
    kind : `space-filling`, the least difference between any two as large as it can be; `d-optimal`, the coefficients
        of `model_for` as sharp as they can be, together; `i-optimal`, its predictions, on average over the space
    rng : for the samples that are searched
    taken : (m, d) points measured or under way, which count as designs that are there already; or None

    Returns
    -------
    (n, d) points, each the one of them that adds most to those before it; fewer where fewer are left

    Raises
    ------
    AlloyloopError
        for another kind, or where the space has no allowed point

    Examples
    --------
    >>> from alloyloop.design import DesignSpace, Element, Lattice
    >>> space = DesignSpace(Lattice((Element("Nb", 0, 100, 10), Element("Zr", 0, 100, 10)), "Ti"), "at_pct")
    >>> points = first_designs(space, 6, "d-optimal", np.random.default_rng(0))
    >>> sorted(space.percent(points).astype(int).tolist())
    [[0, 0, 100], [0, 50, 50], [0, 100, 0], [50, 0, 50], [50, 50, 0], [100, 0, 0]]
    """
    if kind not in FIRST_DESIGNS:
        raise AlloyloopError(f"There are no {kind!r} first designs", f"Name one of {', '.join(FIRST_DESIGNS)}.")
    taken = np.empty((0, space.diagram.n_columns), dtype=np.int64) if taken is None else np.unique(taken, axis=0)
    searching, judging = rng.spawn(2)
    sample = space.sample(max(N_SAMPLED, 16 * n) + len(taken), searching)
    criterion: Criterion
    if kind == "space-filling":
        criterion = Maximin(space, places(space, sample).mean(axis=0))
    else:
        model = model_for(space, n + len(taken), judging)
        criterion = DOptimal(model) if kind == "d-optimal" else IOptimal(model)
    search = _Search(space, criterion, sample[~rows_in(sample, taken)], taken)
    n = min(n, len(search.pool))
    if n == 0:
        return search.pool[:0]
    starts = [search.greedy(n), *(searching.permutation(search.pool)[:n] for _ in range(N_STARTS - 1))]
    ends = sorted((search.exchanged(start) for start in starts), key=search.value, reverse=True)
    best = max((search.exchanged(end, around=True) for end in ends[:N_REFINED]), key=search.value)
    return replace(search, pool=best).greedy(n)


class Criterion(Protocol):
    """What points are worth together; it sees each of them as a row of numbers."""

    def rows(self, points: IntArray) -> FloatArray:
        """Points as it sees them. (n, d) -> (n, k)"""
        ...

    def adds(self, candidates: FloatArray, there: FloatArray) -> FloatArray:
        """What each candidate would add to those that are there. (n, k), (m, k) -> (n,)"""
        ...

    def value(self, chosen: FloatArray, taken: FloatArray) -> float:
        """What the chosen are worth beside those taken; no less once one is exchanged for what adds more."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """For the points that are worth most beside those taken.

    Parameters
    ----------
    pool : (n, d) points to choose from, none of them taken; neighbours are looked at besides
    taken : (m, d)
    """

    space: DesignSpace
    criterion: Criterion
    pool: IntArray
    taken: IntArray

    def value(self, points: IntArray) -> float:
        """What points are worth. (n, d)"""
        return self.criterion.value(self.criterion.rows(points), self.criterion.rows(self.taken))

    def greedy(self, n: int) -> IntArray:
        """n points of the pool, each the one that adds most to those before it. (n, d)"""
        rows, there = self.criterion.rows(self.pool), self.criterion.rows(self.taken)
        left = np.ones(len(self.pool), dtype=bool)
        chosen: list[int] = []
        while len(chosen) < n:
            best = int(np.argmax(np.where(left, self.criterion.adds(rows, there), -np.inf)))
            chosen.append(best)
            left[best] = False
            there = np.vstack([there, rows[best]])
        return self.pool[chosen]

    def exchanged(self, points: IntArray, *, around: bool = False) -> IntArray:
        """Points after every exchange that gains, of one for another of the pool or, if asked, around it. (n, d)"""
        points, pool = points.copy(), self.criterion.rows(self.pool)
        for _ in range(_MOST_SWEEPS):
            before = points.copy()
            for i in range(len(points)):
                others = np.vstack([self.taken, np.delete(points, i, axis=0)])
                near = self.space.neighbours(points[i]) if around else self.pool[:0]
                points[i] = self._better(np.vstack([points[i], near]), others, pool)
            if (points == before).all():
                break
        return points

    def _better(self, near: IntArray, others: IntArray, pool: FloatArray) -> IntArray:
        """Of points near and in the pool that which adds most to the others; the first if none adds more. (d,)"""
        candidates = np.vstack([near, self.pool])
        adds = self.criterion.adds(np.vstack([self.criterion.rows(near), pool]), self.criterion.rows(others))
        barred = {row.tobytes() for row in others}
        enough = adds[0] + _LEAST_GAIN * max(1.0, abs(adds[0]))
        for i in np.argsort(-adds, kind="stable"):
            if adds[i] <= enough:
                break
            if candidates[i].tobytes() not in barred:
                return np.asarray(candidates[i])
        return np.asarray(near[0])


# -- spread over the space --------------------------------------------------------------------------------------------


def places(space: DesignSpace, points: IntArray) -> FloatArray:
    """Points as coordinates of which half the sum of absolute differences is the difference of two designs.

    That is the share of atoms exchanged, plus half for the whole range of each process variable that is a number, plus
    1 for each choice that is another. (n, d) -> (n, k)
    """
    columns = [space.fractions(points)]
    for i, variable in enumerate(space.process, start=space.n_elements):
        if isinstance(variable, Numeric):
            grid = variable.grid
            columns.append((grid[points[:, [i]]] - grid[0]) / (grid[-1] - grid[0] or 1.0))
        else:
            columns.append((points[:, [i]] == np.arange(variable.n_levels)).astype(np.float64))
    return np.column_stack(columns)


@dataclass(frozen=True, slots=True, eq=False)
class Maximin:
    """The least difference of two points [Johnson, Moore and Ylvisaker, J. Stat. Plan. Inference 26 (1990) 131].

    An exchange for a point that is further from its nearest leaves no other nearer to it than that, so the differences
    to the nearest, in ascending order, only grow.

    Parameters
    ----------
    space : what may be made
    middle : (k,) of its coordinates, where a point that is alone lies best
    """

    space: DesignSpace
    middle: FloatArray

    def rows(self, points: IntArray) -> FloatArray:
        """Coordinates. (n, d) -> (n, k)"""
        return places(self.space, points)

    def adds(self, candidates: FloatArray, there: FloatArray) -> FloatArray:
        """Difference to the nearest that is there; minus that to the middle where none is. (n, k), (m, k) -> (n,)"""
        from scipy.spatial.distance import cdist

        gaps = cdist(candidates, there if len(there) else self.middle[None], "cityblock") / 2
        return np.asarray(gaps.min(axis=1) if len(there) else -gaps[:, 0])

    def value(self, chosen: FloatArray, taken: FloatArray) -> float:
        """The least of the differences of each from its nearest. (n, k), (m, k)"""
        every = np.vstack([chosen, taken])
        return min(float(self.adds(chosen[[i]], np.delete(every, i, axis=0))[0]) for i in range(len(chosen)))


# -- best for a model -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A polynomial in composition and process, its terms uncorrelated and of mean square 1 over its space.

    Parameters
    ----------
    space : what may be made
    text : the model in words
    middle, scale : (k,) mean and standard deviation over the space of each of its `places`
    transform : (n_monomials, n_terms) from the `_monomials` of the standardised places to the terms
    prior : (n_terms,) what is known of each coefficient beforehand; 1 is what a measurement tells on average
    """

    space: DesignSpace
    text: str
    middle: FloatArray
    scale: FloatArray
    transform: FloatArray
    prior: FloatArray

    @property
    def n_terms(self) -> int:
        """How many coefficients it has."""
        return len(self.prior)

    def rows(self, points: IntArray) -> FloatArray:
        """The terms of each point. (n, d) -> (n, n_terms)"""
        standard = (places(self.space, points) - self.middle) / self.scale
        return np.asarray(np.hstack(_monomials(standard)) @ self.transform)


def model_for(space: DesignSpace, n_runs: int, rng: np.random.Generator) -> Model:
    """The polynomial for which that many runs are designed.

    It is linear and quadratic in everything: in composition Scheffé's quadratic mixture model [J. R. Stat. Soc. B 20
    (1958) 344] in atomic fractions, with process variables that of Kowalski, Cornell and Vining [Commun. Stat. Theory
    Methods 29 (2000) 2255], without composition the full second-order polynomial; each choice has its own effect. Terms
    that others explain over the space (the fractions sum to 1, bounds and rules may tie more) are left out of it.

    With fewer runs than terms the linear ones are to be estimated and the quadratic ones are *potential*: expected
    to be as large as the scatter of a measurement [DuMouchel and Jones, Technometrics 36 (1994) 37].

    Parameters
    ----------
    space : what may be made
    n_runs : how many different designs there will be, those taken among them
    rng : for the uniform sample that stands for the space

    Examples
    --------
    >>> from alloyloop.design import DesignSpace, Element, Lattice
    >>> space = DesignSpace(Lattice((Element("Nb", 0, 40, 5), Element("Zr", 0, 40, 5)), "Ti"), "at_pct")
    >>> model_for(space, 6, np.random.default_rng(0)).text
    'quadratic model of 6 terms'
    >>> model_for(space, 5, np.random.default_rng(0)).text
    'linear model of 3 terms, with 3 quadratic terms for which there are too few runs expected to be small'
    """
    sample = space.sample(N_SAMPLED, rng)
    columns = places(space, sample)
    middle, scale = columns.mean(axis=0), columns.std(axis=0)
    scale[scale < _LEAST_SPREAD] = 1.0
    first, second = _monomials((columns - middle) / scale)
    linear = _orthonormal(first)
    explained = linear @ (first @ linear).T @ second / len(sample)
    curved = _orthonormal(second - first @ explained)
    n_linear, n_curved = linear.shape[1], curved.shape[1]
    if n_runs >= n_linear + n_curved:
        text = f"quadratic model of {n_linear + n_curved} terms"
        prior = np.full(n_linear + n_curved, _UNKNOWN)
    else:
        text = (
            f"linear model of {n_linear} terms, with {n_curved} quadratic terms for which there are too few runs "
            "expected to be small"
        )
        prior = np.repeat([_UNKNOWN, _POTENTIAL], [n_linear, n_curved])
    transform = np.block([[linear, -explained @ curved], [np.zeros((second.shape[1], n_linear)), curved]])
    return Model(space, text, middle, scale, transform, prior)


def _monomials(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One beside the columns, and their products two by two. (n, k) -> (n, 1 + k), (n, k (k + 1) / 2)"""
    left, right = np.triu_indices(columns.shape[1])
    return np.column_stack([np.ones(len(columns)), columns]), columns[:, left] * columns[:, right]


def _orthonormal(columns: FloatArray) -> FloatArray:
    """What makes of columns uncorrelated ones of mean square 1, as many as differ. (n, k) -> (k, rank)"""
    _, sizes, directions = np.linalg.svd(columns / np.sqrt(len(columns)), full_matrices=False)
    kept = sizes > _LEAST_SPREAD
    return np.asarray(directions[kept].T / sizes[kept])


@dataclass(frozen=True, slots=True, eq=False)
class _Optimal:
    """What points tell of the coefficients of a model, in units of what one measurement does.

    Parameters
    ----------
    model : terms and what is known of them
    """

    model: Model

    def rows(self, points: IntArray) -> FloatArray:
        """Terms. (n, d) -> (n, n_terms)"""
        return self.model.rows(points)

    def information(self, there: FloatArray) -> FloatArray:
        """M, with what was known before. (n, n_terms) -> (n_terms, n_terms)"""
        return np.asarray(there.T @ there + np.diag(self.model.prior))

    def _seen(self, candidates: FloatArray, there: FloatArray) -> tuple[FloatArray, FloatArray]:
        """M⁻¹ x of each candidate x, and its leverage x' M⁻¹ x. (n, n_terms), (n,)"""
        seen: FloatArray = candidates @ np.linalg.inv(self.information(there))
        return seen, np.asarray((seen * candidates).sum(axis=1))


class DOptimal(_Optimal):
    """The volume in which the coefficients lie, as small as it can be: log det M."""

    def adds(self, candidates: FloatArray, there: FloatArray) -> FloatArray:
        """Growth of log det M by each candidate. (n, n_terms), (m, n_terms) -> (n,)"""
        return np.asarray(np.log1p(self._seen(candidates, there)[1]))

    def value(self, chosen: FloatArray, taken: FloatArray) -> float:
        """Log det M. (n, n_terms), (m, n_terms)"""
        return float(np.linalg.slogdet(self.information(np.vstack([chosen, taken])))[1])


class IOptimal(_Optimal):
    """The variance of the prediction on average over the space, as small as it can be: tr M⁻¹, as terms are."""

    def adds(self, candidates: FloatArray, there: FloatArray) -> FloatArray:
        """By how much each candidate lowers the variance. (n, n_terms), (m, n_terms) -> (n,)"""
        seen, leverage = self._seen(candidates, there)
        return np.asarray((seen**2).sum(axis=1) / (1 + leverage))

    def value(self, chosen: FloatArray, taken: FloatArray) -> float:
        """Minus the variance. (n, n_terms), (m, n_terms)"""
        return -float(np.trace(np.linalg.inv(self.information(np.vstack([chosen, taken])))))
