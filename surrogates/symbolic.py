"""Symbolic regression: one short formula of the features, found by genetic programming."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike
from pyoperon.sklearn import SymbolicRegressor
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import FloatArray
from .cross_fitted import CrossFitted

# The parts of a formula, last operation last: what Operon calls each, its weight or number, and which feature, or -1.
Tree: TypeAlias = tuple[tuple[str, float, int], ...]

# A feature that varies by less than this share of its size, such as a temperature in kelvin, is counted from its mean.
FAR_FROM_ZERO = 0.2
# A row that counts fully is shown so many times: the search takes no weights.
N_COPIES = 4
# A formula holds no more than one feature, number or operation for so many rows; but a sum of two it may be.
ROWS_FOR_ONE, LEAST_LENGTH = 2, 3
# No value is expected further beyond those measured than this share of their range.
MARGIN = 0.5

# What a formula is made of. The analytic quotient a / √(1 + b²) stands for a / b: it has no poles.
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "aq": lambda a, b: a / (1 + b**2) ** 0.5,
}


def symbolic(**settings: Any) -> CrossFitted:
    """One formula of the features, as long as rows left out ask for; see `ShortFormula`.

    Three lengths are tried, the middle one first, and rows are left out once: a search costs more than a sum.

    Parameters
    ----------
    settings : those of `CrossFitted`

    Examples
    --------
    >>> X = np.random.default_rng(0).uniform(1, 5, (60, 2))
    >>> model = symbolic().fit(X, X[:, 0] * X[:, 1])
    >>> model.predict([[2.0, 3.0]]).round(1)
    array([6.])
    """
    grid = [{"max_length": length} for length in (15, 7, 25)]
    return CrossFitted(ShortFormula(), grid, **{"n_repeats": 1, **settings})


class ShortFormula(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # these come without types
    """The formula that says most about a property for its length: sums, products and quotients of features.

    Operon breeds formulas for two ends, a small error and a short length, and fits their numbers by least squares; of
    the best for each length, that with the least Bayesian information criterion is kept.

    Parameters
    ----------
    max_length : how many features, numbers and operations it may hold; no more than half as many as there are rows
    population, n_generations : of formulas
    n_steps : of the numbers of each formula, by least squares
    random_state : of the search

    Attributes
    ----------
    tree_ : the formula, last operation last: operations, features with their weight, and numbers
    complexity_ : how many features, numbers and operations it holds
    error_ : root mean square error on the rows it was found from

    References
    ----------
    Burlacu, Kronberger & Kommenda, Operon C++, Proc. Genetic and Evolutionary Computation Conf. Companion (2020) 1562,
    doi:10.1145/3377929.3398099; Ni, Drieberg & Rockett, IEEE Trans. Evol. Comput. 17 (2013) 146,
    doi:10.1109/TEVC.2012.2195319, on the analytic quotient.
    """

    def __init__(
        self,
        max_length: int = 15,
        population: int = 100,
        n_generations: int = 20,
        n_steps: int = 10,
        random_state: int = 0,
    ) -> None:
        self.max_length = max_length
        self.population = population
        self.n_generations = n_generations
        self.n_steps = n_steps
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Find a formula for values y (n,) from features X (n, n_features); rows count by their weights (n,)."""
        checked: Any = validate_data(self, cast(Any, X), cast(Any, y), dtype=np.float64, y_numeric=True)
        rows, values = checked
        weights = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self._settle(rows)
        self._least, self._most = _beyond(values)
        scaled = self._scaled(rows)
        self.tree_ = self._found(scaled, values, weights)
        said = self._said(scaled)
        self._constant, self._factor = _scaled_to(said, values, weights)
        self.complexity_ = len(self.tree_)
        self.error_ = float(np.sqrt(np.average((values - self.predict(rows)) ** 2, weights=weights)))
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Expected values (n,)."""
        check_is_fitted(self)
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64, reset=False)
        said = self._constant + self._factor * self._said(self._scaled(rows))
        return np.clip(np.nan_to_num(said, nan=self._constant), self._least, self._most)

    def formula(self, names: Sequence[str], centre: float = 0.0, unit: float = 1.0) -> str:
        """The formula in words of the features, numbers to four digits.

        Parameters
        ----------
        names : (n_features,) of the features
        centre, unit : a value of 1 here is `centre` plus one `unit`

        Examples
        --------
        >>> X = np.random.default_rng(0).uniform(1, 5, (60, 2))
        >>> ShortFormula(max_length=7).fit(X, 10 + 2 * X[:, 0] * X[:, 1]).formula(["Nb", "Sn"])
        '2.0*Nb*Sn + 10.0'
        """
        import sympy

        check_is_fitted(self)
        features = [
            (sympy.Symbol(name) - float(origin)) / float(size)
            for name, origin, size in zip(names, self._origin, self._size, strict=True)
        ]
        said = _evaluated(self.tree_, features)
        whole = sympy.sympify(centre + unit * (self._constant + self._factor * said))
        shorter = min(whole, sympy.expand(whole), key=sympy.count_ops)
        digits = {number: sympy.Float(f"{float(number):.4g}") for number in shorter.atoms(sympy.Float)}
        return str(sympy.sstr(shorter.xreplace(digits), full_prec=False)).replace("**", "^")

    def _settle(self, rows: FloatArray) -> None:
        """From where and in which unit each feature is counted: products and ratios of amounts keep their sense."""
        size, span = np.abs(rows).max(axis=0), np.ptp(rows, axis=0)
        self._origin = np.where(span < FAR_FROM_ZERO * size, rows.mean(axis=0), 0.0)
        largest = np.abs(rows - self._origin).max(axis=0)
        self._varies = span > 1e-9 * size
        self._size = np.where(self._varies, largest, 1.0)

    def _scaled(self, rows: FloatArray) -> FloatArray:
        return np.where(self._varies, (rows - self._origin) / self._size, 0.0)

    def _found(self, scaled: FloatArray, y: FloatArray, weights: FloatArray) -> Tree:
        """The formula that the search finds; a mere number where nothing varies."""
        varying = np.flatnonzero(self._varies)
        if not len(varying) or np.ptp(y) <= 1e-9 * np.abs(y).max():
            return (("constant", 0.0, -1),)
        longest = min(self.max_length, max(LEAST_LENGTH, len(y) // ROWS_FOR_ONE))
        copies = np.maximum(1, np.rint(N_COPIES * weights / weights.max())).astype(int)
        copies = np.ones_like(copies) if (copies == N_COPIES).all() else copies
        search = SymbolicRegressor(
            allowed_symbols="add,sub,mul,aq,constant,variable",
            objectives=["r2", "length"],
            model_selection_criterion="bayesian_information_criterion",
            max_length=longest,
            initialization_max_length=min(10, longest),
            population_size=self.population,
            generations=self.n_generations,
            max_evaluations=10**9,  # the generations end the search, not a count that depends on the formulas
            optimizer_iterations=self.n_steps,
            random_state=self.random_state,
        ).fit(np.repeat(scaled[:, varying], copies, axis=0), np.repeat(y, copies))
        columns = dict(zip(search.variables_, varying.tolist(), strict=True))
        return tuple((node.Name, float(node.Value), columns.get(node.HashValue, -1)) for node in search.model_.Nodes)

    def _said(self, scaled: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.broadcast_to(_evaluated(self.tree_, list(scaled.T)), len(scaled)).astype(np.float64)


def _evaluated(tree: Tree, features: Sequence[Any]) -> Any:
    """What a formula says of features, each an array or a symbol; the last operand was pushed last and comes first."""
    stack: list[Any] = []
    for kind, value, column in tree:
        if kind in OPERATIONS:
            stack.append(OPERATIONS[kind](stack.pop(), stack.pop()))
        else:
            stack.append(value * features[column] if column >= 0 else value)
    return stack.pop()


def _scaled_to(said: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Constant and factor that bring what is said nearest to values (n,) that count by their weights."""
    middle, mean = np.average(said, weights=weights), np.average(y, weights=weights)
    apart = said - middle
    squares = float(weights @ apart**2)
    factor = float(weights @ (apart * (y - mean))) / squares if squares > 0 else 0.0
    return float(mean - factor * middle), factor


def _beyond(y: FloatArray) -> tuple[float, float]:
    """The least and the most that may be expected."""
    margin = MARGIN * float(np.ptp(y))
    return float(y.min()) - margin, float(y.max()) + margin
