"""From wanted properties to alloys: the likeliest of different regions, how sure that is, and what stands in the way.

The search is that of `propose`: a broad sample, and climbs over exchanges between elements from the best of it. What it
climbs is the log of the probability that all wants are met. That never saturates, so that it finds its way where no
design is likely; and where something is to be as high as possible as well, its expected value decides among the designs
that are likely enough.

The first answer is the best. Each further one is the best that is not near those before it, and how far is not near is
no setting: of the usual distance between two designs of the space, a half, a quarter and so on, the largest is taken at
which so many answers can be had that are likely enough, or half as likely as the best where none is. So answers are of
different regions where there are such, and else as far apart in the one as they can be; what a laboratory cannot tell
apart is never answered twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, log

import numpy as np

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .distances import distances
from .features import Alloys, BoolArray, alloys_at
from .goals import Within
from .propose import THOROUGH, Effort, exchange
from .reaching import Reach, Reaching
from .regions import N_USUAL, SHARES, Distance, regions
from .space import DesignSpace, nothing_left, rows_in
from .surer import Surer, surer
from .telling_apart import Apart
from .wants import Foreseen, Wanted
from .worth import Worth

# Where no design is likely enough, so much of the highest probability is enough for a further answer; and of what is
# pursued, so much of what the best has more than designs usually have.
SHARE_OF_THE_BEST = 0.5
# Probabilities that differ by less do not decide which answer comes first.
ALIKE = 0.01
# Designs that could be melted to learn of an answer.
N_OTHERS = 256
# A further answer, and a design that needs little widening, is looked for near what has been found already, and in a
# sample so many times smaller.
_N_TIMES_SMALLER, _N_STARTS, _N_HINTS, _N_HINTED = 4, 3, 64, 4
# Heights of designs that are likely enough are above all others; of those that break a computed limit, below.
_ENOUGH, _BROKEN = 1e3, -1e6
_N_BISECTIONS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The alloys that are likeliest to have what is wanted, each of another region where there are several.

    Parameters
    ----------
    points : (n, d) of the space, in the order in which they are to be read
    chance : (n,) of each, the probability that all wants are met, as it is to be told of a picked alloy
    chances : (n, n_wants) of each want alone; 1 of what is pursued
    value : (n,) what is pursued, expected: larger is better; zeros where nothing is
    surer : what to measure to become sure of each
    regions : (n,) numbers from 0, the same for answers between which no valley of the probability lies
    """

    points: IntArray
    chance: FloatArray
    chances: FloatArray
    value: FloatArray
    surer: tuple[Surer, ...]
    regions: IntArray

    def __len__(self) -> int:
        return len(self.points)


def inverse(
    space: DesignSpace,
    wanted: Wanted,
    elements: tuple[str, ...],
    n: int,
    rng: np.random.Generator,
    *,
    probability: float = 0.8,
    measured: bool = True,
    avoid: IntArray | None = None,
    known: Alloys | None = None,
    cost: Callable[[Alloys], FloatArray] | None = None,
    apart: Apart | None = None,
    effort: Effort = THOROUGH,
) -> tuple[Found, Reach]:
    """The n alloys of a space that are likeliest to have what is wanted, and whether that is likely enough.

    Answers come in the order of their probability, in whole percent; of those alike, the cheaper first where costs are
    known, else those nearer to a known alloy. Where something is pursued, those that are likely enough come first, the
    best of them before the others.

    Parameters
    ----------
    space : what may be made; `held.held` makes one in which elements or treatments are fixed
    wanted : what is wanted
    elements : the elements that the beliefs know, the space's own first
    n : how many answers; fewer come back where the space holds fewer that a laboratory can tell apart
    rng : for the search
    probability : that is enough
    measured : whether a new measurement is to meet the wants, with its noise, or the property itself
    avoid : (m, d) points that are no answers
    known : alloys that were measured, for the order of answers
    cost : what alloys cost, (n,), NaN where that is not known
    apart : what a laboratory cannot tell apart; by default with no scatter of what is made
    effort : how far to look

    Raises
    ------
    AlloyloopError
        where the space has no allowed point but those to be avoided, or none of those looked at can be predicted
    """
    measuring, searching, looking, reaching = rng.spawn(4)
    claim = claimed(wanted, probability)
    none = np.empty((0, space.diagram.n_columns), dtype=np.int64)
    search = _Search(
        space,
        elements,
        effort,
        _Height.over(space, wanted, elements, claim, effort, looking, measured=measured),
        none if avoid is None else avoid,
        Distance.usual(space, measuring),
        Apart(space) if apart is None else apart,
    )
    points, seen, enough = search.answers(n, searching)
    alloys = alloys_at(space, points, elements)
    foreseen = wanted.foresee(alloys, measured=measured)
    others = seen.points[looking.permutation(len(seen.points))[:N_OTHERS]]
    found = Found(
        points,
        np.asarray(wanted.correct(np.exp(foreseen.together()))),
        np.exp(foreseen.alone()),
        foreseen.value(),
        surer(wanted, alloys, alloys_at(space, others, elements), others, probability),
        regions(alloys, space.process, lambda mixed: search.height(mixed) >= enough),
    )
    order = _order(found, probability if wanted.is_pursuing else inf, _dearness(space, alloys, known, cost))
    asked = Reaching(space, wanted, elements, seen.points, claim, measured, _again(effort), search.apart)
    return _in_order(found, order), asked.asked(reaching)


def _again(effort: Effort) -> Effort:
    """How far to look once much has been seen."""
    n_sampled = effort.n_sampled // _N_TIMES_SMALLER
    return replace(effort, n_sampled=n_sampled, n_starts=_N_STARTS, n_hints=_N_HINTS, n_hinted=_N_HINTED)


def claimed(wanted: Wanted, probability: float) -> float:
    """Log of the least probability to be claimed of an alloy that is honestly as likely; infinite where none is enough.

    Examples
    --------
    >>> from .computed import computed
    >>> from .wants import Want
    >>> light = Want("vec below 4.2", ("vec",), Within(high=4.2))
    >>> half = Wanted((light,), {"vec": computed("vec")}, correct=lambda claim: claim / 2)
    >>> round(float(np.exp(claimed(half, 0.4))), 6), claimed(half, 0.8)
    (0.8, inf)
    """
    low, high = 0.0, 1.0
    if not wanted.correct(np.array([high]))[0] >= probability:
        return inf
    for _ in range(_N_BISECTIONS):
        middle = (low + high) / 2
        if wanted.correct(np.array([middle]))[0] >= probability:
            high = middle
        else:
            low = middle
    return float(np.log(high))


@dataclass(frozen=True, slots=True, eq=False)
class _Height:
    """What a search climbs: the log of the probability; or the expected value, above all that is not likely enough.

    Parameters
    ----------
    wanted, claim, measured : as in `_Search`
    middle, spread : of the values of designs of the space
    """

    wanted: Wanted
    claim: float
    measured: bool
    middle: float = 0.0
    spread: float = 1.0

    @staticmethod
    def over(
        space: DesignSpace,
        wanted: Wanted,
        elements: tuple[str, ...],
        claim: float,
        effort: Effort,
        rng: np.random.Generator,
        *,
        measured: bool,
    ) -> _Height:
        """With values in shares of their spread over designs of the space."""
        plain = _Height(wanted, claim, measured)
        if not wanted.is_pursuing:
            return plain
        values = wanted.value(alloys_at(space, space.sample(min(N_USUAL, effort.n_sampled), rng), elements))
        values = values[np.isfinite(values)]
        if len(values) == 0:
            return plain
        return replace(plain, middle=float(np.median(values)), spread=float(values.std()) or 1.0)

    def enough(self, best: float) -> float:
        """How high a further answer must be, where the first is as high as can be."""
        if best > _ENOUGH / 2:
            return best - abs(best - _ENOUGH) * (1 - SHARE_OF_THE_BEST)
        return self.claim if best >= self.claim else best + log(SHARE_OF_THE_BEST)

    def __call__(self, alloys: Alloys) -> FloatArray:
        """(n,) NaN where something cannot be predicted."""
        heights, known = np.full(len(alloys), np.nan), self.wanted.known(alloys)
        if known.any():
            heights[known] = self.of(self.wanted.foresee(alloys.rows(known), measured=self.measured))
        return heights

    def of(self, foreseen: Foreseen) -> FloatArray:
        """(n,)"""
        logs = foreseen.together()
        heights = logs.copy()
        if self.wanted.is_pursuing and (enough := logs >= self.claim).any():
            value = foreseen.rows(enough).value()
            heights[enough] = _ENOUGH + np.nan_to_num((value - self.middle) / self.spread, nan=-_ENOUGH)
        if (broken := np.isneginf(logs)).any():
            heights[broken] = _BROKEN * (1 + _off_limits(foreseen.rows(broken)))
        return heights


def _off_limits(foreseen: Foreseen) -> FloatArray:
    """How far numbers are expected off their limits, as shares of these: the way back for what is sure to break one."""
    off = np.zeros(len(foreseen))
    for want in foreseen.wanted.wants:
        if isinstance(want.goal, Within):
            expected = foreseen.expected(want)
            beyond = np.maximum(np.maximum(want.goal.low - expected, expected - want.goal.high), 0.0)
            ends = [abs(end) for end in (want.goal.low, want.goal.high) if np.isfinite(end) and end != 0]
            off += np.nan_to_num(beyond / max(ends, default=1.0))
    return off


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Designs that a search has looked at.

    Parameters
    ----------
    points : (n, d), the best first
    heights : (n,)
    """

    points: IntArray
    heights: FloatArray

    def joined(self, points: IntArray, heights: FloatArray) -> _Seen:
        """With more of them, those that it has left out."""
        new = ~rows_in(points, self.points)
        points, heights = np.vstack([self.points, points[new]]), np.append(self.heights, heights[new])
        order = np.argsort(-heights, kind="stable")
        return _Seen(points[order], heights[order])


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """A search for answers.

    Parameters
    ----------
    space, elements, effort : as of `inverse`
    height : what it climbs
    taken : (m, d) points that are no answers
    distance : between designs
    apart : what a laboratory cannot tell apart
    """

    space: DesignSpace
    elements: tuple[str, ...]
    effort: Effort
    height: _Height
    taken: IntArray
    distance: Distance
    apart: Apart

    def answers(self, n: int, rng: np.random.Generator) -> tuple[IntArray, _Seen, float]:
        """Up to n answers, as they were picked; all designs looked at; and the height that is enough for an answer."""
        first = Worth(self.space, self.height, self.elements, self.taken)
        exchange(first, self.effort, rng)
        seen = _Seen(*first.looked)
        if len(seen.points) == 0:
            raise nothing_left()
        picks, enough = seen.points[:1], self.height.enough(float(seen.heights[0]))
        shares = list(self._shares(seen.points[seen.heights >= enough], n))
        while len(picks) < n:
            too_near = partial(self._too_near, picks=picks, share=shares[0])
            ends, heights = seen.points, seen.heights
            if self.space.count > self.effort.n_listed:
                again = Worth(self.space, self.height, self.elements, self.taken, too_near, self._hints(seen, too_near))
                exchange(again, _again(self.effort), rng)
                ends, heights = again.looked
                seen = seen.joined(ends, heights)
            free = np.flatnonzero(~too_near(ends))[:1]
            if len(free) and (heights[free[0]] >= enough or len(shares) == 1):
                picks = np.vstack([picks, ends[free]])
            elif len(shares) > 1:
                shares.pop(0)
            else:
                break
        return picks, seen, enough

    def _too_near(self, points: IntArray, picks: IntArray, share: float) -> BoolArray:
        """Which points (m, d) are of the region of an answer picked before, or not told apart from it. (m,)"""
        alike = rows_in(points, picks) | self.apart.too_close(points, picks)
        return np.asarray(alike | self.distance.near(points, picks, share))

    def _hints(self, seen: _Seen, too_near: Callable[[IntArray], BoolArray]) -> IntArray:
        """The best designs looked at that are not too near. (m, d)"""
        free = np.flatnonzero(~too_near(seen.points))
        return seen.points[free[:_N_HINTS]]

    def _shares(self, likely: IntArray, n: int) -> Sequence[float]:
        """Shares of the usual distance: the largest at which there are n likely designs, and those below it."""
        for i, share in enumerate(SHARES):
            left, n_picked = likely, 0
            while len(left) and n_picked < n:
                left, n_picked = left[~self._too_near(left, left[:1], share)], n_picked + 1
            if n_picked == n:
                return SHARES[i:]
        return SHARES[-1:]


def _dearness(
    space: DesignSpace, alloys: Alloys, known: Alloys | None, cost: Callable[[Alloys], FloatArray] | None
) -> FloatArray:
    """What decides between alloys that are equally likely: their cost, or else the distance to a known alloy. (n,)"""
    if cost is not None and np.isfinite(costs := cost(alloys)).any():
        return np.nan_to_num(costs, nan=inf)
    if known is None or len(known) == 0:
        return np.zeros(len(alloys))
    return np.asarray(distances(space, alloys, known).min(axis=1))


def _order(found: Found, enough: float, dearness: FloatArray) -> IntArray:
    """The order in which answers are read (n,): see `inverse`; with values where the probability is enough for them."""
    is_enough = found.chance >= enough
    rank = np.where(is_enough, -found.value, -np.round(found.chance / ALIKE))
    return np.lexsort((dearness, rank, ~is_enough))


def _in_order(found: Found, order: IntArray) -> Found:
    """The same answers in another order, and their regions numbered anew."""
    _, first, numbers = np.unique(found.regions[order], return_index=True, return_inverse=True)
    return Found(
        found.points[order],
        found.chance[order],
        found.chances[order],
        found.value[order],
        tuple(found.surer[i] for i in order),
        np.argsort(np.argsort(first))[numbers.ravel()],
    )
