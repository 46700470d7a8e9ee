"""What we believe: numbers in, calibrated beliefs out. Knows nothing of alloys."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .base import SURROGATES, FloatArray, Prediction, Surrogate, register_surrogate, surrogate, surrogate_names
from .errors import AlloyloopError
from .families import BUILT_IN

if TYPE_CHECKING:
    from .botorch_model import BotorchModel
    from .forest import Forest
    from .gaussian_process import GaussianProcess
    from .sweep import Sweep

SURROGATES.update(BUILT_IN)

__all__ = [
    "SURROGATES",
    "AlloyloopError",
    "BotorchModel",
    "FloatArray",
    "Forest",
    "GaussianProcess",
    "Prediction",
    "Surrogate",
    "Sweep",
    "register_surrogate",
    "surrogate",
    "surrogate_names",
]

# These import torch, scikit-learn or scipy.linalg; `alloyloop check` must not.
_LAZY = {"BotorchModel": "botorch_model", "Forest": "forest", "GaussianProcess": "gaussian_process", "Sweep": "sweep"}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
