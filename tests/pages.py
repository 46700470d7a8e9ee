"""Pages of the documentation as they are run: their commands with the output that is shown, their files, their Python.

Three kinds of blocks are read, in the order of the page:

- `console`: lines that begin with `$ ` are commands, the others what they print, of which a last line `...` leaves the
  rest out; a command below which nothing stands is run, and what it prints is not compared;
- `yaml PATH` or `text PATH`: what the file of this name holds from here on;
- `python`: run, with the names of the blocks before.

`python -m tests.pages PAGE …` writes the shown output of pages anew, as many lines as were shown.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .campaigns.folders import alloyloop

DOCS = Path(__file__).resolve().parents[1] / "docs"
REST = "..."
BLOCK = re.compile(r"^```(console|python|(?:yaml|text) \S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page: `kind` is console, python or the path of a file."""

    kind: str
    text: str
    start: int  # of its text in the page

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Of a console block, each command after `$ ` with the lines shown below it."""
        shown: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                shown.append((line.removeprefix("$ "), []))
            else:
                shown[-1][1].append(line.rstrip())
        return shown


def blocks(page: str) -> list[Block]:
    """The blocks of a page that are run."""
    return [Block(one[1].split()[-1], one[2], one.start(2)) for one in BLOCK.finditer(page)]


def run(command: str) -> list[str]:
    """What a command prints, in lines. A command that fails is an error."""
    program, *arguments = shlex.split(command)
    assert program == "alloyloop", command
    told = alloyloop(*arguments)
    assert (told.code, told.err) == (0, ""), f"{command}: {told.err}"
    return [line.rstrip() for line in told.out.splitlines()]


def head(shown: list[str], printed: list[str]) -> list[str]:
    """What is to be shown of what was printed: nothing, all, or as many lines as are shown before `...`."""
    if shown[-1:] != [REST]:
        return printed if shown else []
    n = len(shown) - 1
    return [*printed[:n], REST] if n < len(printed) else printed


def played(pages: list[Path]) -> Iterator[tuple[Path, str]]:
    """Pages as they should read, run one after the other in the folder that is current, which keeps what they make."""
    names: dict[str, object] = {}
    for page in pages:
        text, moved = page.read_text(encoding="utf-8"), 0
        for block in blocks(text):
            if block.kind == "console":
                lines = [
                    line for command, shown in block.commands for line in (f"$ {command}", *head(shown, run(command)))
                ]
                new = "".join(f"{line}\n" for line in lines)
                at = block.start + moved
                text = text[:at] + new + text[at + len(block.text) :]
                moved += len(new) - len(block.text)
            elif block.kind == "python":
                exec(compile(block.text, page.name, "exec"), names)
            else:
                Path(block.kind).write_text(block.text, encoding="utf-8")
        yield page, text


def main() -> None:
    """Write the pages that are named, run in their order in one folder, anew."""
    pages = [Path(page).resolve() for page in sys.argv[1:]]
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        for example in (DOCS / "examples").iterdir():
            shutil.copy(example, folder)
        for page, text in played(pages):
            page.write_text(text, encoding="utf-8")
        os.chdir("/")


if __name__ == "__main__":
    main()
