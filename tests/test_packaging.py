"""What is installed is what is in the repository, under one name: alloyloop."""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("surrogates", "design", "campaigns")
FILES = sorted(
    file.relative_to(ROOT).as_posix()
    for floor in FLOORS
    for file in (ROOT / floor).rglob("*")
    if file.is_file() and "__pycache__" not in file.parts
)
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
PACKAGES: set[str] = set(SETUPTOOLS["packages"])
PATTERNS: dict[str, list[str]] = SETUPTOOLS["package-data"]


def package(folder: PurePosixPath) -> str:
    return ".".join(("alloyloop", *folder.parts))


def ships(file: str, packages: set[str], patterns: dict[str, list[str]]) -> bool:
    """Whether setuptools takes the file along: as a module of a listed package, or as data of the nearest one above."""
    path = PurePosixPath(file)
    if path.suffix == ".py":
        return package(path.parent) in packages
    home = next((folder for folder in path.parents if package(folder) in packages), None)
    if home is None:
        return False
    inside = path.relative_to(home)
    return any(covers(pattern, inside) for pattern in (*patterns.get("*", []), *patterns.get(package(home), [])))


def covers(pattern: str, inside: PurePosixPath) -> bool:
    """Whether a glob pattern takes a file: `*` stays in one folder, `**/` stands for any number of them, or none."""
    if "**/" in pattern:
        return fnmatch(str(inside), pattern.replace("**/", "*"))
    wanted = PurePosixPath(pattern).parts
    return len(wanted) == len(inside.parts) and all(map(fnmatch, inside.parts, wanted))


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_the_floors_is_shipped(file: str) -> None:
    assert ships(file, PACKAGES, PATTERNS), f"name its folder or its pattern in pyproject.toml: {file}"


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_every_listed_package_exists(name: str) -> None:
    assert (ROOT.joinpath(*name.split(".")[1:]) / "__init__.py").is_file()


@pytest.mark.parametrize("floor", FLOORS)
def test_every_floor_says_that_it_is_typed(floor: str) -> None:
    assert (ROOT / floor / "py.typed").is_file()


@pytest.mark.parametrize(
    "file",
    ["design/physics/model.py", "design/physics/table.csv", "design/notes.txt", "design/physics/py.typed"],
)
def test_a_forgotten_folder_or_pattern_is_seen(file: str) -> None:
    assert not ships(file, {"alloyloop.design"}, {"*": ["*.csv", "py.typed"]})


def test_a_folder_of_data_below_a_listed_package_ships_by_its_pattern() -> None:
    everything = {"alloyloop.campaigns.templates": ["**/*"]}
    assert ships("campaigns/templates/beta-ti/README.md", {"alloyloop.campaigns.templates"}, everything)


@pytest.mark.slow
def test_the_wheel_holds_every_file_and_no_bytecode_under_one_name(tmp_path: Path) -> None:
    source = tmp_path / "source"  # a copy, since a build leaves build/ and *.egg-info/ behind
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, source / floor, ignore=shutil.ignore_patterns("__pycache__"))
        assert compileall.compile_dir(source / floor, quiet=1)  # as any checkout that was used has it
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "--no-deps",
        "--wheel-dir",
        "dist",
        ".",
    ]
    if int(version("setuptools").partition(".")[0]) >= 77:  # as pyproject.toml asks: no need to fetch another
        command.append("--no-build-isolation")
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = {name for name in names if ".dist-info/" not in name}
    assert shipped == {f"alloyloop/{file}" for file in FILES}
