"""The documentation as a site: every page is found, every public name is told of, nothing comes from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from alloyloop.campaigns.spec import CampaignSpec
from alloyloop.surrogates import hyperparameters

from .pages import DOCS, Block, blocks

ROOT = DOCS.parent
PAGES = sorted(
    page for page in [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")] if "_build" not in page.relative_to(DOCS).parts
)
TUTORIAL = [DOCS / "tutorial" / f"{name}.md" for name in ("first-batch", "results", "questions")]
CHINESE = DOCS / "zh" / "first-batch.md"
# A script or a style that a page loads, not a link that a reader follows.
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src"}


def listed() -> list[str]:
    """The pages that the navigation names, without their endings."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", index, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for tree in trees for line in tree.splitlines() if line.strip() and line[0] != ":"]
    return [re.sub(r".*<(.*)>", r"\1", line) for line in lines]


def test_every_page_is_in_the_navigation_once() -> None:
    there = sorted(str(page.relative_to(DOCS).with_suffix("")) for page in PAGES if page != DOCS / "index.md")
    assert sorted(listed()) == there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_file_that_a_page_links_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("floor", ["surrogates", "design", "campaigns"])
def test_every_public_name_is_in_the_reference(floor: str) -> None:
    page = (DOCS / "reference" / f"{floor}.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\.\. auto\w+:: alloyloop\.\w+\.(\w+)$", page, re.MULTILINE))
    told |= set(re.findall(r"^`(\w+)`$", page, re.MULTILINE))
    assert told == set(import_module(f"alloyloop.{floor}").__all__)


def test_the_priors_of_the_mathematics_are_those_of_the_code() -> None:
    page = (DOCS / "mathematics.md").read_text(encoding="utf-8")
    of = {
        r"lengthscales $\ell_j$": hyperparameters.LENGTHSCALE,
        "variance *a* about the trend": hyperparameters.AMPLITUDE,
        "variance of the trend, *d b*": hyperparameters.TREND,
        r"variance of the offsets, $\omega^2$": hyperparameters.OFFSET,
    }
    for name, (mean, std) in of.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
        _, _, told_mean, told_std, _ = row.split("|")
        assert told_mean.strip().replace("−", "-").startswith(f"{mean:g}")
        assert told_std.strip().startswith(f"{std:g}")
    assert f"and {hyperparameters.LENGTHSCALES_TOGETHER:g} all together" in page


def test_every_word_of_the_glossary_is_told_once_and_in_order() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        words = re.findall(r"^(\S[^\n]*)\n: ", part, re.MULTILINE)
        assert len(words) >= 20
        assert len(set(words)) == len(words)


def by_kind(page: Path) -> Iterator[tuple[str, list[Block]]]:
    of = blocks(page.read_text(encoding="utf-8"))
    for kind in dict.fromkeys(block.kind for block in of):
        yield kind, [block for block in of if block.kind == kind]


def test_the_chinese_page_shows_what_the_english_one_does() -> None:
    english, chinese = dict(by_kind(TUTORIAL[0])), dict(by_kind(CHINESE))
    assert [block.text for block in chinese["console"]] == [block.text for block in english["console"]]
    questions = [YAML(typ="safe").load(of["hard/campaign.yaml"][0].text) for of in (english, chinese)]
    assert questions[0] == questions[1]
    assert CampaignSpec.model_validate(questions[1]).batch == 4


def test_no_line_breaks_within_a_chinese_paragraph() -> None:
    # A break between two lines is shown as a space, which Chinese does not have there.
    prose = re.sub(r"^```.*?^```$", "", CHINESE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"[\u3000-\u9fff\uff00-\uffef]\n(?![\n|:-])\S+", prose) == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; every warning is an error."""
    pytest.importorskip("sphinx.application")  # botorch's wheel leaves a folder `sphinx` of its own
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-d", str(folder / "trees")]
    told = subprocess.run(
        [*build, str(DOCS), str(folder / "html")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    return folder / "html"


class Loaded(HTMLParser):
    """What a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_link = tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload", "preconnect", "prefetch"}
        address = given.get("href") if is_link else given.get(LOADS.get(tag, ""))
        if address:
            self.addresses.append(address)


@pytest.mark.slow
@pytest.mark.torch
def test_no_page_of_the_site_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        elsewhere = [one for one in loaded.addresses if re.match(r"(?:\w+:)?//", one)]
        assert elsewhere == [], page
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    assert [found for style in styles for found in re.findall(r"(?:@import|url\()\s*['\"]?(?:\w+:)?//\S+", style)] == []


@pytest.mark.slow
@pytest.mark.torch
def test_formulas_need_no_script(site: Path) -> None:
    page = (site / "mathematics.html").read_text(encoding="utf-8")
    assert page.count("<math") >= 30
    assert not re.search(r"<script[^>]*mathjax", page, re.IGNORECASE)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize(("page", "language"), [("index", "en"), ("zh/first-batch", "zh-CN")])
def test_a_page_says_in_what_language_it_is(site: Path, page: str, language: str) -> None:
    assert f'<html class="no-js" lang="{language}"' in (site / f"{page}.html").read_text(encoding="utf-8")
