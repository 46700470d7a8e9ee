"""Built-in campaigns: folders as a user has them, each with a page that says where its values come from."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ...surrogates.errors import AlloyloopError

PAGE = "README.md"


@dataclass(frozen=True, slots=True)
class Template:
    """A built-in campaign, to be copied.

    Parameters
    ----------
    name : of its folder here
    title : the heading of its page
    summary : the first paragraph of its page, in one line
    folder : where it lies
    """

    name: str
    title: str
    summary: str
    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """What is copied, by name: `README.md` (the page), `campaign.yaml`, `experiments.csv`."""
        return tuple(sorted(file for file in self.folder.iterdir() if file.is_file()))


def template_names() -> tuple[str, ...]:
    """The names of the built-in campaigns.

    Examples
    --------
    >>> template_names()
    ('beta-ti',)
    """
    return tuple(sorted(page.parent.name for page in Path(__file__).parent.glob(f"*/{PAGE}")))


def template(name: str) -> Template:
    """A built-in campaign by its name.

    Raises
    ------
    AlloyloopError
        for a name that there is not

    Examples
    --------
    >>> template("beta-ti").title
    'Soft beta titanium'
    """
    names = template_names()
    if name not in names:
        meant = get_close_matches(name, names, n=1)
        guess = f"Did you mean {meant[0]}? " if meant else ""
        raise AlloyloopError(f"There is no built-in campaign {name!r}", f"{guess}There is: {', '.join(names)}.")
    folder = Path(__file__).parent / name
    heading, summary, *_ = (folder / PAGE).read_text(encoding="utf-8").split("\n\n")
    return Template(name, heading.removeprefix("# ").strip(), " ".join(summary.split()), folder)
