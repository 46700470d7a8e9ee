"""Can the report be read by everybody: what axe finds in Chromium, whether the HTML is valid, and how large it is.

    python benchmarks/accessibility.py --modules DIR              # of a campaign with two rounds, made for this
    python benchmarks/accessibility.py --modules DIR REPORT …     # of reports that are there
    python benchmarks/accessibility.py --modules DIR --pictures OUT REPORT    # pictures of three widths, and A4 pages

DIR, outside the repository, holds the three packages of npm that look; what it lacks is installed into it, with npm:

    axe-core, puppeteer-core, html-validate         (versions: `PACKAGES` below)

A page is opened without a network, 1280, 800 and 375 px wide, in light and in dark. Printed of each: how many requests
it made beside itself (the rule is none), how wide it is (the rule is no wider than the window), and what axe finds, by
impact; the rule is nothing serious or critical. Skipped, with a word, where node, npm or Chromium is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("axe-core@4.14.1", "puppeteer-core@24.43.1", "html-validate@10.17.0")
DRIVER = Path(__file__).with_suffix(".mjs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BAD = {"serious", "critical"}


def main() -> int:
    """Look at the reports; 0 where every rule is kept, or nothing can be looked at."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="*", type=Path)
    parser.add_argument("--modules", type=Path, required=True, help="a folder for what npm installs")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the last report")
    asked = parser.parse_args()
    tools = {name: shutil.which(name) for name in ("node", "npm")}
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    missing = [name for name, path in tools.items() if path is None] + ([] if browser else ["chromium"])
    if missing or browser is None:
        print(f"Skipped: {', '.join(missing)} is not installed.")
        return 0
    modules = asked.modules.resolve()
    install(modules)
    with tempfile.TemporaryDirectory() as folder:
        reports = [report.resolve() for report in asked.reports] or [example(Path(folder))]
        kept = [valid(modules, reports), *seen(modules, browser, asked.pictures, reports)]
    print("Every rule is kept." if all(kept) else "MISSED: see above.")
    return 0 if all(kept) else 1


def install(modules: Path) -> None:
    """Put the packages into a folder, where they are not there yet, and print their versions."""
    modules.mkdir(parents=True, exist_ok=True)
    if not all((modules / "node_modules" / package.partition("@")[0]).is_dir() for package in PACKAGES):
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=modules, check=True)
    for package in PACKAGES:
        name = package.partition("@")[0]
        said = json.loads((modules / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
        print(f"{name} {said['version']}", end="; ")
    print()


def example(folder: Path) -> Path:
    """The report of a campaign with two rounds, of which the first was measured in a SYNTHETIC laboratory."""
    from alloyloop.campaigns.demo import run_demo

    run_demo(folder / "demo", say=lambda line: None)
    return folder / "demo" / "report.html"


def valid(modules: Path, reports: Sequence[Path]) -> bool:
    """Whether html-validate finds nothing in pages; prints what it finds, and how large they are."""
    for report in reports:
        print(f"{report.name}: {report.stat().st_size / 1e6:.2f} MB")
    found = subprocess.run(
        ["node", str(modules / "node_modules/html-validate/bin/html-validate.mjs"), *map(str, reports)],
        cwd=modules,
        capture_output=True,
        text=True,
        check=False,
    )
    print(found.stdout.strip() or "html-validate: nothing")
    return found.returncode == 0


def seen(modules: Path, browser: str, pictures: Path | None, reports: Sequence[Path]) -> list[bool]:
    """Whether each view of each page keeps the rules; prints what is found."""
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    out = str(pictures.resolve()) if pictures is not None else ""
    command = ["node", str(DRIVER), str(modules), browser, out, *map(str, reports)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    kept = []
    for view in map(json.loads, done.stdout.splitlines()):
        bad = [each for each in view["violations"] if each["impact"] in BAD]
        kept.append(not bad and view["loaded"] == 0 and view["wide"] <= view["width"])
        said = "; ".join(f"{v['impact']} {v['id']} × {v['nodes']}: {v['first']}" for v in view["violations"])
        size = f"{view['width']:4d} px, {view['scheme']:5}: {view['loaded']} requests, {view['wide']} px wide"
        print(f"{size}, axe: {said or 'nothing'}")
    return kept


if __name__ == "__main__":
    sys.exit(main())
