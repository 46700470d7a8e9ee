"""The house keeps its floors: imports point down, no files know each other, and only campaigns/ writes to the disk.

Every rule is a function of one file's text, so that it is also shown here, on a line or two, what it catches.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
BELOW: dict[str, set[str]] = {
    "surrogates": set(),
    "design": {"surrogates"},
    "campaigns": {"design", "surrogates"},
}
FILES = sorted(file.relative_to(ROOT).as_posix() for floor in BELOW for file in (ROOT / floor).rglob("*.py"))

# Names that put something on a disk, whatever object they are called on. `str.replace` and `list.remove` keep `replace`
# and `remove` off this list; they are caught by the modules below, which is where the dangerous ones live.
WRITERS = {
    *("write_text", "write_bytes", "writelines", "mkdir", "makedirs", "rmdir", "unlink", "touch", "rename"),
    *("symlink_to", "hardlink_to", "chmod", "to_csv", "to_excel", "to_json", "to_parquet", "to_pickle", "to_feather"),
    *("tofile", "savefig", "save", "savez", "savez_compressed", "savetxt"),
}
WRITING_MODULES = {"os", "shutil", "tempfile", "pickle", "joblib", "sqlite3", "subprocess"}


def imports(source: str) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement, those inside functions and `if TYPE_CHECKING:` too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def floors_entered(file: str, source: str) -> Iterator[tuple[int, str]]:
    """(line, floor) of every relative import that leaves the file's own floor; "" is above the house."""
    inside = len(PurePosixPath(file).parent.parts)
    for node in imports(source):
        if isinstance(node, ast.ImportFrom) and node.level > inside:
            heads = [node.module.partition(".")[0]] if node.module else [name.name for name in node.names]
            yield from ((node.lineno, head if node.level == inside + 1 else "") for head in heads)


def upward(file: str, source: str) -> list[str]:
    floor = PurePosixPath(file).parts[0]
    return [f"{file}:{line} enters {to!r}" for line, to in floors_entered(file, source) if to not in BELOW[floor]]


def absolute(file: str, source: str) -> list[str]:
    """Imports of our own code by its full name, where STYLE asks for a relative one."""
    ours = {"alloyloop", *BELOW}
    found = []
    for node in imports(source):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        found += [f"{file}:{node.lineno} {name}" for name in names if not relative and name.partition(".")[0] in ours]
    return found


# A solver prints lines of its own, whatever it is told: it is led to the null device, which is no disk.
TO_THE_NULL_DEVICE = {"design/milp.py"}


def writes(file: str, source: str) -> list[str]:
    """What could put a file on the user's disk: a method, a module, a file opened not only to read."""
    found = []
    for node in imports(source):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        found += [f"{file}:{node.lineno} import {name}" for name in names if name.partition(".")[0] in WRITING_MODULES]
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in WRITERS or (name == "open" and not opened_to_read(call)):
            found.append(f"{file}:{call.lineno} {name}(…)")
    return found


def opened_to_read(call: ast.Call) -> bool:
    """Whether an `open` names a mode that only reads; a mode that is computed is not taken on trust."""
    at = 1 if isinstance(call.func, ast.Name) else 0  # open(path, mode), path.open(mode)
    mode = next((word.value for word in call.keywords if word.arg == "mode"), None)
    mode = mode or (call.args[at] if len(call.args) > at else ast.Constant("r"))
    return isinstance(mode, ast.Constant) and set(str(mode.value)) <= set("rbt")


def known_by(file: str, source: str, files: set[str]) -> set[str]:
    """The files that this one imports, by their paths in the repository."""
    found = set()
    for node in imports(source):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        base = PurePosixPath(file).parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for name in node.names:
            # `from . import elements` reaches a file; `from .elements import value` and a package's door a name in one.
            places = (f"{base / name.name}.py", f"{base / name.name}/__init__.py", f"{base}.py", f"{base}/__init__.py")
            found |= {next((place for place in places if place in files), file)}
    return found - {file}


def circle(sources: dict[str, str]) -> list[str]:
    """One circle of files that import each other, or nothing."""
    graph = {file: known_by(file, source, set(sources)) for file, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(file) for file in error.args[1]]
    return []


def text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_imports_point_down(file: str) -> None:
    assert upward(file, text(file)) == []


@pytest.mark.parametrize("file", FILES)
def test_imports_inside_the_house_are_relative(file: str) -> None:
    assert absolute(file, text(file)) == []


def test_no_two_files_import_each_other() -> None:
    assert circle({file: text(file) for file in FILES}) == []


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith("campaigns/")])
def test_nothing_outside_campaigns_writes_to_the_disk(file: str) -> None:
    found = [what.partition(" ")[2] for what in writes(file, text(file))]
    assert found == (["import os", "open(…)"] if file in TO_THE_NULL_DEVICE else [])


@pytest.mark.parametrize("file", sorted(TO_THE_NULL_DEVICE))
def test_what_may_open_the_null_device_opens_nothing_else(file: str) -> None:
    calls = [ast.unparse(node) for node in ast.walk(ast.parse(text(file))) if isinstance(node, ast.Call)]
    assert [call for call in calls if "open(" in call] == ["os.open(os.devnull, os.O_WRONLY)"]


def test_every_floor_is_looked_at() -> None:
    assert {PurePosixPath(file).parts[0] for file in FILES} == set(BELOW)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("surrogates/base.py", "from ..design import Composition"),
        ("surrogates/base.py", "from .. import campaigns"),
        ("design/space.py", "def late():\n    from ..campaigns.table import ExperimentTable"),
        ("design/space.py", "if TYPE_CHECKING:\n    from ..campaigns import Campaign"),
        ("campaigns/cli.py", "from ...elsewhere import x"),
    ],
)
def test_an_upward_import_is_seen_wherever_it_hides(file: str, source: str) -> None:
    assert upward(file, source)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("design/space.py", "from ..surrogates import Prediction"),
        ("design/space.py", "from .lattice import Lattice"),
        ("campaigns/report/page.py", "from ...design import Composition"),
        ("campaigns/report/page.py", "from ..spec import CampaignSpec"),
    ],
)
def test_a_downward_import_is_left_alone(file: str, source: str) -> None:
    assert upward(file, source) == []


@pytest.mark.parametrize("source", ["import alloyloop.design", "from alloyloop.design import x", "import design"])
def test_an_absolute_import_of_our_own_is_seen(source: str) -> None:
    assert absolute("campaigns/cli.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "path.write_text('x')",
        "open(path, 'w')",
        "open(path, mode=mode)",
        "path.open('a')",
        "frame.to_csv(path)",
        "import shutil",
        "from os import replace",
    ],
)
def test_a_write_is_seen(source: str) -> None:
    assert writes("design/space.py", source)


@pytest.mark.parametrize("source", ["open(path)", "path.open(mode='rb')", "path.read_text()", "name.replace('a', 'b')"])
def test_reading_is_left_alone(source: str) -> None:
    assert writes("design/space.py", source) == []


def test_two_files_that_import_each_other_are_seen() -> None:
    lattice, space = "from .space import DesignSpace", "def late():\n    from . import lattice"
    assert circle({"design/__init__.py": "", "design/lattice.py": lattice, "design/space.py": space})


def test_a_door_that_opens_on_its_rooms_is_no_circle() -> None:
    door, base = "from .base import Prediction", "from ..surrogates import errors"
    errors = ""
    assert not circle({"surrogates/__init__.py": door, "surrogates/base.py": base, "surrogates/errors.py": errors})
