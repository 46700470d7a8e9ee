"""Whether wanted properties can be reached in a space: which want is in the way, what would have to give, what is left.

Where no design is likely enough, each want is widened alone, and all of them together, until some design is: the limits
of the least widening, and the design that needs it, are searched for as answers are. Whether more data could change the
answer is asked of joint draws of what the properties may truly be over the designs that are likeliest: in how many of
them some design meets all wants, and which designs those are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .features import Alloys, BoolArray, alloys_at
from .goals import Within
from .outlook import Draws
from .propose import Effort, exchange
from .space import DesignSpace, rows_in
from .telling_apart import Apart
from .wants import Foreseen, Wanted
from .worth import Worth

# Designs, and draws of what they may truly be, by which it is judged what is left.
N_PROMISING, N_DRAWS = 256, 256
# Of so many in an order they are taken.
_MOST_ORDERED = 1024
# Designs that are named to be melted where more data could change the answer.
MOST_NAMED = 3
# Designs over which the spread of what a want is about is taken.
N_SPREAD = 256
# Standard deviations after which a number is as good as inside.
_FAR = 10.0
# While designs are compared, and of the one that is taken.
_ROUGHLY, _EXACTLY = 14, 40
_MOST_SPREADS = 64.0
# Below any height of a design that needs some widening.
_NEVER = -1e6


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Whether what is wanted can be had, and what stands in the way where it cannot.

    Parameters
    ----------
    reachable : whether some design was found that meets all wants with the probability asked for
    best : the highest probability that was found
    bottleneck : the want, in its words, without which the highest probability would be highest; empty where nothing has
        to hold
    relaxed : by the words of a want, the limits to which it alone would have to be widened, least, for the probability
        to be met; a want that no widening makes up for is not among them, and none is where it is met as it is
    together : the same where all limits are widened at once, each by the same share of its spread over the space; empty
        where that does not help either
    share : that share
    chance_left : the probability that some design truly meets all wants, be it known which or not
    where : (k, d) designs to melt that could change the answer: those of which most likely one or more truly meet all
        wants; none where hardly any may
    """

    reachable: bool
    best: float
    bottleneck: str
    relaxed: Mapping[str, tuple[float, float]]
    together: Mapping[str, tuple[float, float]]
    share: float
    chance_left: float
    where: IntArray


@dataclass(frozen=True, eq=False)
class Reaching:
    """A question about what a space reaches.

    Parameters
    ----------
    space, wanted, elements : as of `inverse.inverse`
    points : (n, d) designs that a search for the likeliest has looked at, all of a small space
    log_claim : log of the probability to be claimed, so that it is as high as asked for once it is corrected; infinite
        where no claim is enough
    measured : whether a measurement is to meet the wants, or the property itself
    effort : how far to look for a design that needs little widening
    apart : what a laboratory cannot tell apart
    """

    space: DesignSpace
    wanted: Wanted
    elements: tuple[str, ...]
    points: IntArray
    log_claim: float
    measured: bool
    effort: Effort
    apart: Apart

    def asked(self, rng: np.random.Generator) -> Reach:
        """The answer."""
        widening, drawing = rng.spawn(2)
        foreseen = self._foreseen(self.points)
        logs = foreseen.together()
        reachable = bool(logs.max() >= self.log_claim)
        relaxed: dict[str, tuple[float, float]] = {}
        together: dict[str, tuple[float, float]] = {}
        share = 0.0
        if not reachable and self.log_claim <= 0:
            relaxed = self._each_alone(widening)
            share, together = self._all_at_once(widening)
        chance_left, where = self._left(drawing)
        return Reach(
            reachable,
            float(self.wanted.correct(np.exp(logs.max(keepdims=True)))[0]),
            self._bottleneck(foreseen),
            relaxed,
            together,
            share,
            chance_left,
            where,
        )

    def _foreseen(self, points: IntArray) -> Foreseen:
        return self.wanted.foresee(self._alloys(points), measured=self.measured)

    def _alloys(self, points: IntArray) -> Alloys:
        return alloys_at(self.space, points, self.elements)

    @property
    def _limited(self) -> list[int]:
        """The wants that have limits."""
        return [i for i, want in enumerate(self.wanted.wants) if isinstance(want.goal, Within)]

    def _bottleneck(self, foreseen: Foreseen) -> str:
        """The want without which the likeliest design would be likeliest."""
        held = [i for i, want in enumerate(self.wanted.wants) if not want.is_pursued]
        if not held:
            return ""
        return self.wanted.wants[max(held, key=lambda i: float(foreseen.together(without=i).max()))].words

    # -- how far wants would have to give -------------------------------------------------------------------------

    def _each_alone(self, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
        """By words, the limits to which each want alone has to be widened."""
        relaxed = {}
        for i in self._limited:

            def widened(foreseen: Foreseen, n_halvings: int, i: int = i) -> tuple[FloatArray, FloatArray]:
                return _alone(foreseen, i, self.log_claim, n_halvings)

            if (found := self._least(widened, rng)) is not None:
                limits = widened(found, _EXACTLY)[0][0, i]
                relaxed[self.wanted.wants[i].words] = (float(limits[0]), float(limits[1]))
        return relaxed

    def _all_at_once(self, rng: np.random.Generator) -> tuple[float, dict[str, tuple[float, float]]]:
        """The share of their spreads by which all limits have to be widened, and the limits by words."""
        spreads = self._spreads(rng)

        def widened(foreseen: Foreseen, n_halvings: int) -> tuple[FloatArray, FloatArray]:
            return _together(foreseen, spreads, self.log_claim, n_halvings)

        if not spreads.any() or (found := self._least(widened, rng)) is None:
            return 0.0, {}
        limits, share = widened(found, _EXACTLY)
        told = {self.wanted.wants[i].words: (float(limits[0, i, 0]), float(limits[0, i, 1])) for i in self._limited}
        return float(share[0]), told

    def _spreads(self, rng: np.random.Generator) -> FloatArray:
        """(n_wants,) the spread over the space of what is expected of what each limit is about; 0 of other wants."""
        alloys = self._alloys(self.space.sample(min(N_SPREAD, self.effort.n_sampled), rng))
        foreseen = self.wanted.foresee(alloys.rows(self.wanted.known(alloys)), measured=self.measured)
        spreads = np.zeros(len(self.wanted.wants))
        for i in self._limited:
            spreads[i] = float(np.nanstd(foreseen.expected(self.wanted.wants[i])))
        return spreads

    def _least(self, widened: _Widened, rng: np.random.Generator) -> Foreseen | None:
        """The design that needs least widening; None where none was found for which any is enough."""

        def height(alloys: Alloys) -> FloatArray:
            heights, known = np.full(len(alloys), np.nan), self.wanted.known(alloys)
            if known.any():
                heights[known] = -widened(self.wanted.foresee(alloys.rows(known), measured=self.measured), _ROUGHLY)[1]
            return heights

        worth = Worth(self.space, height, self.elements, self.points[:0], hints=self.points[: self.effort.n_hints])
        points, heights = exchange(worth, self.effort, rng)
        if len(points) == 0 or heights[0] <= _NEVER:
            return None
        return self._foreseen(points[:1])

    # -- what is left ---------------------------------------------------------------------------------------------

    def _left(self, rng: np.random.Generator) -> tuple[float, IntArray]:
        """The probability that some design truly meets all wants, and of which designs one most likely does."""
        promising = self._promising(rng)
        met = self._met(promising, rng)
        where, open_ = list[int](), met.any(axis=1)
        chance = float(open_.mean())
        while len(where) < MOST_NAMED and open_.any():
            where.append(int(met[open_].sum(axis=0).argmax()))
            open_ = open_ & ~met[:, where[-1]]
        return chance, promising[where]

    def _promising(self, rng: np.random.Generator) -> IntArray:
        """The likeliest designs, and others drawn by how likely they are, so that not all lie on one hill. (m, d)

        No two of them are such that a laboratory cannot tell them apart: a belief that is rough would else have as many
        chances as it has designs.
        """
        logs = self.wanted.foresee(self._alloys(self.points), measured=False).together()
        best = self._told_apart(np.argsort(-logs, kind="stable"), self.points[:0], N_PROMISING // 2)
        # The largest of logs of weights with Gumbel noise are draws without replacement.
        return self._told_apart(np.argsort(-(logs + rng.gumbel(size=len(logs))), kind="stable"), best, N_PROMISING)

    def _told_apart(self, order: NDArray[np.intp], kept: IntArray, n: int) -> IntArray:
        """Designs that are kept, and the first of others in an order that are told apart from those, up to n. (m, d)"""
        left = self.points[order[:_MOST_ORDERED]]
        left = left[~(rows_in(left, kept) | self.apart.too_close(left, kept))]
        while len(left) and len(kept) < n:
            kept, left = np.vstack([kept, left[:1]]), left[1:]
            left = left[~self.apart.too_close(left, kept[-1:])]
        return kept

    def _met(self, points: IntArray, rng: np.random.Generator) -> BoolArray:
        """In which joint draws of the properties themselves which designs meet all wants. (n_draws, m)

        Of different properties of a design, draws are correlated as errors are. What is not known of a class, or of
        whether melts succeed, is common to all designs: where one is of the class, likelier ones are too.
        """
        wanted, alloys = self.wanted, self._alloys(points)
        normals = rng.standard_normal((len(wanted.names), N_DRAWS, len(points)))
        mixed = np.einsum("kj,jdm->kdm", np.linalg.cholesky(wanted.between(wanted.names)), normals)
        values = {}
        for name, drawn in zip(wanted.names, mixed, strict=True):
            belief, scale = wanted.numbers[name].on_scale()
            values[name] = scale.backward(Draws.of(belief, alloys, drawn).values)
        met = np.ones((N_DRAWS, len(points)), dtype=bool)
        for want in wanted.wants:
            if isinstance(want.goal, Within):
                of = values[want.names[0]] if want.formula is None else want.formula.values(values.__getitem__)
                met &= want.goal.allows(of)
        chances = np.exp(wanted.foresee(alloys, measured=False).log_classes)
        for of_class, level in zip(chances, rng.random((len(chances), N_DRAWS, 1)), strict=True):
            met &= level < of_class
        return met


_Widened = Callable[[Foreseen, int], tuple[FloatArray, FloatArray]]
"""From what is believed of n alloys to limits (n, n_wants, 2) that are wide enough, and how much that is. (n,)"""


def _alone(foreseen: Foreseen, i: int, log_claim: float, n_halvings: int) -> tuple[FloatArray, FloatArray]:
    """Limits (n, n_wants, 2) with one want widened least, so that all are met likely enough; and by how much. (n,)

    On the scale of the model the number is normal, so that the least widening first moves the end that is nearer to its
    mean, and both once they are as far from it: [min(low, mean - t), max(high, mean + t)] with one number t. By how
    much is told in the property's unit; where no t is enough it is -`_NEVER`, and more the less likely other wants are.
    """
    about = foreseen.about(foreseen.wanted.wants[i])
    limits = foreseen.limits
    low, high = limits[:, i, 0], limits[:, i, 1]
    lower, upper = about.scale.limits(low, high)

    def at(t: FloatArray) -> FloatArray:
        ends = limits.copy()
        ends[:, i, 0] = np.where(about.mean - t < lower, about.scale.backward(about.mean - t), low)
        ends[:, i, 1] = np.where(about.mean + t > upper, about.scale.backward(about.mean + t), high)
        return ends

    gaps = [np.where(np.isfinite(end), np.abs(end - about.mean), 0.0) for end in (lower, upper)]
    farthest = np.maximum(*gaps)
    beyond = farthest + _FAR * about.std + 1e-9 * np.abs(about.mean)
    enough, logs = _bisected(foreseen, at, -farthest, beyond, log_claim, n_halvings)
    ends = at(enough)
    before, after = limits[:, i], ends[:, i]
    moved = np.abs(np.subtract(after, before, out=np.zeros_like(before), where=after != before)).sum(axis=1)
    return ends, np.where(logs >= log_claim, moved, -_NEVER - logs)


def _together(
    foreseen: Foreseen, spreads: FloatArray, log_claim: float, n_halvings: int
) -> tuple[FloatArray, FloatArray]:
    """Limits (n, n_wants, 2) that are all widened by one share of spreads (n_wants,), and that share. (n,)"""

    def at(share: FloatArray) -> FloatArray:
        return np.asarray(foreseen.limits + share[:, None, None] * spreads[:, None] * np.array([-1.0, 1.0]))

    most = np.full(len(foreseen), _MOST_SPREADS)
    enough, logs = _bisected(foreseen, at, np.zeros(len(foreseen)), most, log_claim, n_halvings)
    return at(enough), np.where(logs >= log_claim, enough, -_NEVER - logs)


def _bisected(
    foreseen: Foreseen,
    at: Callable[[FloatArray], FloatArray],
    least: FloatArray,
    most: FloatArray,
    log_claim: float,
    n_halvings: int,
) -> tuple[FloatArray, FloatArray]:
    """The smallest numbers (n,) at which limits are wide enough, and log of the probability at the largest. (n,)"""
    logs = np.maximum(foreseen.together(at(most)), _NEVER)
    for _ in range(n_halvings):
        middle = (least + most) / 2
        is_enough = foreseen.together(at(middle)) >= log_claim
        least, most = np.where(is_enough, least, middle), np.where(is_enough, middle, most)
    return most, logs
