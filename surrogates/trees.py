"""Decision trees: one, the mean of many (bagging), and many of which each mends those before it (boosting).

A forest, which judges itself by the rows that each tree did not draw, has a file of its own.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from sklearn.ensemble import AdaBoostRegressor, GradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from .cross_fitted import CrossFitted

# Shallow or deep, and stopped early or late: which pays differs from table to table (eight tasks on six tables of 80 to
# 360 rows, random rows or whole papers left out). That each boosted tree sees a part of the rows and of the features
# pays on six of the eight: 3 % off the error in the geometric mean.
BOOSTED = [{"max_depth": depth, "n_estimators": n} for depth, n in product((2, 4), (50, 200))]


def decision_tree(**settings: Any) -> CrossFitted:
    """One regression tree, pruned until no branch gains less than it costs: jumps between a few values.

    Parameters
    ----------
    settings : those of `CrossFitted`

    References
    ----------
    Breiman, Friedman, Olshen & Stone, Classification and Regression Trees, Wadsworth 1984, ch. 3.

    Examples
    --------
    >>> aged_h = [[h] for h in range(20)]
    >>> decision_tree().fit(aged_h, [200.0] * 10 + [300.0] * 10).predict([[2], [15]])
    array([200., 300.])
    """
    # Costs are shares of the values' variance. A middling one is first: few rows take it.
    costs = (0.003, 0.01, 0.001, 0.03, 0.0)
    grid = [{"ccp_alpha": cost, "min_samples_leaf": n} for cost, n in product(costs, (4, 1))]
    return CrossFitted(DecisionTreeRegressor(), grid, **settings)


def bagging(*, n_repeats: int = 2, **settings: Any) -> CrossFitted:
    """Mean of fifty trees, each grown on a bootstrap sample of the rows until its leaves hold so few.

    This is the forest whose trees may cut at any feature, which scikit-learn grows and asks faster than its
    `BaggingRegressor` of the same trees. Unlike "forest", it is tuned, and judged on whole sources left out.

    Parameters
    ----------
    n_repeats, settings : those of `CrossFitted`; fewer repeats than there, for every member is fifty trees

    References
    ----------
    Breiman, Machine Learning 24 (1996) 123, doi:10.1007/BF00058655.
    """
    grid = [{"min_samples_leaf": n} for n in (2, 1, 5)]
    return CrossFitted(RandomForestRegressor(n_estimators=50, max_features=1.0), grid, n_repeats=n_repeats, **settings)


def gradient_boosting(*, n_repeats: int = 2, **settings: Any) -> CrossFitted:
    """Sum of shallow trees, each fitted to what those before it left over, on a part of the rows and features.

    Parameters
    ----------
    n_repeats, settings : those of `CrossFitted`; fewer repeats than there, for every member is up to 200 trees

    References
    ----------
    Friedman, Ann. Stat. 29 (2001) 1189, doi:10.1214/aos/1013203451; Comput. Stat. Data Anal. 38 (2002) 367,
    doi:10.1016/S0167-9473(01)00065-2, on the parts.
    """
    boosted = GradientBoostingRegressor(learning_rate=0.1, subsample=0.7, max_features=0.5)
    return CrossFitted(boosted, BOOSTED, n_repeats=n_repeats, **settings)


def adaboost(*, n_repeats: int = 2, **settings: Any) -> CrossFitted:
    """Weighted median of fifty trees, of which each draws the rows more often that those before it missed.

    A row whose stated noise is large is drawn less often at first, but gains weight like any other where it is missed.

    Parameters
    ----------
    n_repeats, settings : those of `CrossFitted`; fewer repeats than there, for every member is fifty trees

    References
    ----------
    Drucker, Proc. 14th Int. Conf. Machine Learning (1997) 107, of the kind called AdaBoost.R2.
    """
    grid = [{"estimator__max_depth": depth} for depth in (2, 4, 8)]
    boosted = AdaBoostRegressor(DecisionTreeRegressor(), n_estimators=50)
    return CrossFitted(boosted, grid, n_repeats=n_repeats, **settings)


def xgboost(**settings: Any) -> CrossFitted:
    """Gradient boosting as XGBoost does it: its leaves are held small too, and hold the weight of four rows.

    Parameters
    ----------
    settings : those of `CrossFitted`

    References
    ----------
    Chen & Guestrin, Proc. 22nd ACM SIGKDD (2016) 785, doi:10.1145/2939672.2939785.
    """
    from xgboost import XGBRegressor

    boosted = XGBRegressor(
        learning_rate=0.1,
        subsample=0.8,
        colsample_bytree=0.8,
        min_child_weight=4,
        n_jobs=1,  # the sums of several threads come in any order, and the last digits with them
    )
    return CrossFitted(boosted, BOOSTED, **settings)
