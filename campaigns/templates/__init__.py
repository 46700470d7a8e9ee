"""Built-in campaigns: folders as a user has them, each with a page that says where its values come from."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from ...surrogates.errors import AlloyloopError

PAGE = "README.md"


def templates() -> dict[str, str]:
    """What there is: name → what it is for, the first paragraph of its page.

    Examples
    --------
    >>> list(templates())
    ['beta-ti']
    """
    pages = sorted(Path(__file__).parent.glob(f"*/{PAGE}"))
    return {page.parent.name: _first_paragraph(page.read_text(encoding="utf-8")) for page in pages}


def template(name: str) -> Path:
    """The folder of a built-in campaign, to be copied: `campaign.yaml`, `experiments.csv` and its page.

    Raises
    ------
    AlloyloopError
        for a name that there is not

    Examples
    --------
    >>> sorted(file.name for file in template("beta-ti").iterdir())
    ['README.md', 'campaign.yaml', 'experiments.csv']
    """
    names = list(templates())
    if name not in names:
        meant = get_close_matches(name, names, n=1)
        guess = f"Did you mean {meant[0]}? " if meant else ""
        raise AlloyloopError(f"There is no built-in campaign {name!r}", f"{guess}There is: {', '.join(names)}.")
    return Path(__file__).parent / name


def _first_paragraph(page: str) -> str:
    """In one line; the page begins with its heading."""
    return " ".join(page.split("\n\n")[1].split())
