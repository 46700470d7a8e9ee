"""With what a round is made, beside the versions of packages: which source of alloyloop, on what machine."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

from .journal import digest

# The floors whose files have a say in what is chosen.
_FLOORS = ("surrogates", "design", "campaigns")


def made_on() -> dict[str, str]:
    """Python, the machine, and a digest of alloyloop's own source, which says more than its version.

    Examples
    --------
    >>> sorted(made_on())
    ['machine', 'python', 'source']
    """
    machine = f"{platform.system()} {platform.machine()}".strip()
    return {"source": _source(), "python": platform.python_version(), "machine": machine}


@cache
def _source() -> str:
    house = Path(__file__).parent.parent
    files = sorted(file for floor in _FLOORS for kind in ("*.py", "*.csv") for file in (house / floor).glob(kind))
    return digest("".join(f"{file.name} {digest(file.read_bytes())}\n" for file in files))[:12]
