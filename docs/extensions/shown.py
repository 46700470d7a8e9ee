"""`alloyloop` as a directive: a command is run while the site is built, and what it prints is shown below it.

    ```{alloyloop} models
    ```

So lists of models, descriptors and options are those of the code, never typed in. A command that fails ends the build.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, cast
from unittest.mock import patch

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata, OptionSpec

# Of a page: what --help is folded to, and plain text without the signs of a terminal.
PLAIN = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}


def printed(command: str) -> str:
    """What `alloyloop` with these words prints, run in a folder that is thrown away.

    Raises
    ------
    SystemExit
        with its code, where the command fails
    """
    from alloyloop.campaigns.cli import app

    out, before = io.StringIO(), Path.cwd()
    with TemporaryDirectory() as folder, patch.dict(os.environ, PLAIN), contextlib.redirect_stdout(out):
        os.chdir(folder)
        try:
            app(shlex.split(command), prog_name="alloyloop", standalone_mode=False)
        finally:
            os.chdir(before)
    return out.getvalue()


class Shown(SphinxDirective):
    """The words after `alloyloop`, run and shown with what they print."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = {}

    def run(self) -> list[nodes.Node]:
        """Show the command and what it printed."""
        command = self.arguments[0]
        self.env.note_reread()
        try:
            text = f"$ alloyloop {command}\n{printed(command)}"
        except Exception as error:
            raise self.error(f"`alloyloop {command}` cannot be shown: {error}") from error
        block = nodes.literal_block(text, text, language="console")
        self.set_source_info(block)
        return [block]


class Commands(SphinxDirective):
    """Every command of the command line, each under its name with its help."""

    def run(self) -> list[nodes.Node]:
        """Make a section for each command."""
        import typer.main

        from alloyloop.campaigns.cli import app

        self.env.note_reread()
        names: Iterable[str] = cast(Any, typer.main.get_command(app)).commands
        return [_section(self, name, printed(f"{name} --help")) for name in names]


class Printed(SphinxDirective):
    """Files as they are, by a glob beside the page: a section for each."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the sections, by name."""
        page = Path(self.env.doc2path(self.env.docname))
        files = sorted(page.parent.glob(self.arguments[0]))
        if not files:
            raise self.error(f"no file is {self.arguments[0]}")
        return [self.section(file) for file in files]

    def section(self, file: Path) -> nodes.section:
        """The name of a file, and what is in it."""
        self.env.note_dependency(str(file))
        return _section(self, file.name, file.read_text(encoding="utf-8"))


def _section(directive: SphinxDirective, name: str, text: str) -> nodes.section:
    """A heading that can be linked to, and text as it is."""
    section = nodes.section("", nodes.title(name, name), ids=[nodes.make_id(name)], names=[name])
    section += nodes.literal_block(text, text, language="none")
    directive.state.document.note_implicit_target(section)
    return section


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take part in a build of the site."""
    app.add_directive("alloyloop", Shown)
    app.add_directive("alloyloop-commands", Commands)
    app.add_directive("printed", Printed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
