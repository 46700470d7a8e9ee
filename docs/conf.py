"""How the documentation is built by `make docs`: every warning is an error, and no page asks the network."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "alloyloop"
author = project_copyright = "the alloyloop contributors"
version = release = installed("alloyloop")
language = "en"

extensions = [
    "myst_nb",  # Markdown and notebooks
    "numpydoc",  # docstrings
    "sphinx.ext.autodoc",
    "extensions.mathml",
    "extensions.shown",
]
exclude_patterns = ["_build", "extensions", "examples"]

# Markdown as GitHub shows it, with formulas and definitions.
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4
highlight_language = "none"

# Notebooks are kept with their outputs, and tests run them; the site shows them as they are.
nb_execution_mode = "off"

# A `name` in a docstring is code. What scikit-learn adds to every estimator is told in its own documentation.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {
    "members": True,
    "exclude-members": "get_metadata_routing, set_fit_request, set_predict_request, set_score_request",
}
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "alloyloop"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}

# Pages link as they do in the repository; what lies outside this folder is shown by one of its pages.
ON_THE_SITE = {"../benchmarks/README.md": "benchmarks.md", "../README.md": "index.md"}


def stay_on_the_site(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn links to files outside this folder into links to the pages that show them."""
    for outside, page in ON_THE_SITE.items():
        source[0] = source[0].replace(f"]({outside}", f"]({page}")


def say_the_language(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Say of the pages in Chinese that they are: screen readers, fonts and hyphenation go by it."""
    if page.startswith("zh/"):
        context["language"] = "zh-CN"


def setup(app: Sphinx) -> None:
    """Take part in a build of the site."""
    app.connect("source-read", stay_on_the_site)
    app.connect("html-page-context", say_the_language)
