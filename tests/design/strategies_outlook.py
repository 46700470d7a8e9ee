"""What is believed, by the textbook: a Gaussian process without anything learned, and outlooks made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from alloyloop.design.features import Alloys
from alloyloop.design.goals import Minimize, Within
from alloyloop.design.outlook import Outlook, Sought, outlook
from alloyloop.surrogates.base import FloatArray, Prediction
from alloyloop.surrogates.scales import LINEAR, LOG, Scale

ELEMENTS = ("Nb", "Zr", "Ti")


class Everything:
    """Sees all that there is to know."""

    def known(self, alloys: Alloys) -> NDArray[np.bool_]:
        return np.ones(len(alloys), dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Field:
    """A normal belief with a known kernel, conditioned on measurements [Rasmussen and Williams, 2006, eqs 2.25-26]."""

    alloys: Alloys
    values: FloatArray
    scatter: float = 2.0
    middle: float = 60.0
    spread: float = 10.0
    reach: float = 0.15

    @property
    def features(self) -> Everything:
        return Everything()

    def kernel(self, some: Alloys, others: Alloys) -> FloatArray:
        apart = cdist(some.fractions, others.fractions)
        return np.asarray(self.spread**2 * np.exp(-((apart / self.reach) ** 2) / 2))

    def _weights(self, others: Alloys) -> FloatArray:
        noisy = self.kernel(self.alloys, self.alloys) + self.scatter**2 * np.eye(len(self.alloys))
        return np.asarray(np.linalg.solve(noisy, self.kernel(self.alloys, others)), dtype=np.float64)

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        return np.asarray(self.kernel(some, others) - self.kernel(some, self.alloys) @ self._weights(others))

    def about(self, alloys: Alloys) -> Prediction:
        mean = self.middle + self._weights(alloys).T @ (self.values - self.middle)
        explained = (self.kernel(self.alloys, alloys) * self._weights(alloys)).sum(axis=0)
        std = np.sqrt(np.maximum(self.spread**2 - explained, 0.0))
        return Prediction(mean, std, np.full(len(alloys), self.scatter))

    def on_scale(self) -> tuple[Field, Scale]:
        return self, LINEAR

    def log_inside(self, limit: Within, alloys: Alloys) -> FloatArray:
        now = self.about(alloys)
        return limit.log_probability(now.mean, now.std)

    def sample(self, alloys: Alloys, n_samples: int, rng: np.random.Generator) -> FloatArray:
        covariance = self.covariance(alloys, alloys) + 1e-9 * self.spread**2 * np.eye(len(alloys))
        return rng.multivariate_normal(self.about(alloys).mean, covariance, size=n_samples, method="cholesky")

    def once_measured(self, alloys: Alloys, values: FloatArray) -> Field:
        """The belief after some alloys more."""
        together = self.alloys + alloys
        return Field(together, np.append(self.values, values), self.scatter, self.middle, self.spread, self.reach)


class Rate(Field):
    """A positive property that is modelled by its logarithm, of which the values here are, as a corrosion rate is."""

    @property
    def logs(self) -> Field:
        """The belief about the logarithm."""
        return Field(self.alloys, self.values, self.scatter, self.middle, self.spread, self.reach)

    def on_scale(self) -> tuple[Field, Scale]:
        return self.logs, LOG

    def about(self, alloys: Alloys) -> Prediction:
        now = self.logs.about(alloys)
        return Prediction(*LOG.belief(now.mean, now.std, now.noise))

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        a, b = ((now.mean, now.measured_std) for now in (self.logs.about(some), self.logs.about(others)))
        return LOG.covariance(a, b, self.logs.covariance(some, others))


def rate(seed: int = 0) -> Rate:
    """A corrosion rate [mm per year] after some measurements."""
    of = field(seed)
    return Rate(of.alloys, (of.values - 60) / 10, scatter=0.1, middle=0.0, spread=1.0)


def some_alloys(n: int, rng: np.random.Generator) -> Alloys:
    """Titanium with niobium and zirconium."""
    niobium, zirconium = rng.uniform(0, 0.4, n), rng.uniform(0, 0.3, n)
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), {})


def field(seed: int = 0, n: int = 8, **settings: float) -> Field:
    """A belief after n measurements of a wavy property."""
    rng = np.random.default_rng(seed)
    alloys = some_alloys(n, rng)
    wave = np.sin(9 * alloys.fractions[:, 0]) + np.cos(11 * alloys.fractions[:, 1])
    return Field(alloys, 60 + 10 * (wave + rng.normal(0, 0.1, n)), **settings)


def nothing(alloys: Alloys) -> Alloys:
    return alloys.rows(np.array([], dtype=np.intp))


def looking(
    *sought: Sought,
    baseline: Alloys | None = None,
    to_come: Alloys | None = None,
    reference: Alloys | None = None,
    n_picks: int = 4,
    seed: int = 1,
    **told: Any,
) -> Outlook:
    """An outlook over the measured alloys of the first property; by default to minimise one."""
    sought = sought or (Sought("E_GPa", Minimize(), field(), scale=10.0),)
    rng = np.random.default_rng(seed)
    known = baseline
    if known is None:
        belief: Any = sought[0].belief
        known = belief.alloys if isinstance(belief, Field) else belief.evidence.alloys
    coming = nothing(known) if to_come is None else to_come
    over = some_alloys(64, rng) if reference is None else reference
    return outlook(sought, known, coming, over, n_picks, rng, **told)
