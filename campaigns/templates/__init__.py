"""Built-in campaigns: folders as a user has them, each with a page that says where its values come from."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ...surrogates.errors import AlloyloopError

PAGE, EXPERIMENTS = "README.md", "experiments.csv"

# What each is about, in the order of docs/field.md.
FAMILIES = {
    "stainless steel": ("stainless-316l-lpbf", "stainless-fatigue-life", "stainless-uhs-hardness"),
    "cobalt-chromium": ("cocr-ordering", "hip-pair-wear"),
    "titanium": (
        *("beta-ti", "ti-dental-wear", "ti-electronic", "ti-modulus-readable", "ti-ms-modulus-cost"),
        *("ti-phase-gate", "ti-powder-quality", "ti-zr-nb-ta-hardness"),
    ),
    "magnesium": (
        *("az31-processing", "mg-ageing-hardness", "mg-corrosion-potential", "mg-galvanic-funnel", "mg-intermetallics"),
        *("mg-mn-extrusion", "mg-mn-grain-size", "mg-severe-deformation", "mg-stent"),
    ),
    "high-entropy": ("hea-hardness", "hea-hardness-mn", "hea-printed", "refractory-strength", "vcrfeconi-strength"),
}


@dataclass(frozen=True, slots=True)
class Template:
    """A built-in campaign, to be copied.

    Parameters
    ----------
    name : of its folder here
    title : the heading of its page
    summary : the first paragraph of its page, in one line
    family : of alloys
    folder : where it lies
    """

    name: str
    title: str
    summary: str
    family: str
    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """What is copied, by name: `README.md` (the page), `campaign.yaml`, `experiments.csv`, tables that it names."""
        return tuple(sorted(file for file in self.folder.iterdir() if file.is_file()))

    @property
    def first_design_only(self) -> bool:
        """It comes without a row: the first round spreads over the space, later ones learn from what was measured."""
        _, *rows = (self.folder / EXPERIMENTS).read_text(encoding="utf-8").splitlines()
        return not any(row.strip() for row in rows)


def template_names() -> tuple[str, ...]:
    """The names of the built-in campaigns.

    Examples
    --------
    >>> "beta-ti" in template_names()
    True
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
    >>> offered = template("beta-ti")
    >>> offered.title, offered.family, offered.first_design_only
    ('Soft beta titanium', 'titanium', False)
    """
    names = template_names()
    if name not in names:
        meant = get_close_matches(name, names, n=1)
        guess = f"Did you mean {meant[0]}? " if meant else ""
        raise AlloyloopError(f"There is no built-in campaign {name!r}", f"{guess}There is: {', '.join(names)}.")
    folder = Path(__file__).parent / name
    heading, summary, *_ = (folder / PAGE).read_text(encoding="utf-8").split("\n\n")
    family = next((family for family, known in FAMILIES.items() if name in known), "other")
    return Template(name, heading.removeprefix("# ").strip(), " ".join(summary.split()), family, folder)
