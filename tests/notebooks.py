"""The notebooks of the documentation, run in a folder of their own.

`python -m tests.notebooks NAME …` (all without a name) keeps in each notebook what it shows when it is run now.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from .pages import DOCS

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


def executed(file: Path, folder: Path) -> Any:
    """A notebook with what its cells show, run as if `docs/notebooks` lay in this folder, beside `docs/examples`."""
    import nbformat
    from nbclient import NotebookClient

    notebook = cast(Any, nbformat).read(file, as_version=4)
    here = folder / "notebooks"
    here.mkdir()
    shutil.copytree(DOCS / "examples", folder / "examples")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    client = NotebookClient(notebook, timeout=900, record_timing=False, resources={"metadata": {"path": str(here)}})
    client.execute()
    return notebook


def shown(notebook: Any) -> str:
    """All that the cells of a notebook show, as HTML where there is such, and else as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data = [output.get("data", {}) for output in outputs]
    told = [each.get("text/html", each.get("text/plain", "")) for each in data]
    return "\n".join([*told, *(output.get("text", "") for output in outputs)])


def main() -> None:
    """Run the notebooks that are named and keep what they show."""
    import nbformat

    for file in [DOCS / "notebooks" / f"{name}.ipynb" for name in sys.argv[1:]] or NOTEBOOKS:
        with TemporaryDirectory() as folder:
            # Tables that are not in the project, where they lie beside it.
            (Path(folder) / "shared").symlink_to(DOCS.parents[1] / "shared")
            notebook = executed(file, Path(folder))
        notebook.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        cast(Any, nbformat).write(notebook, file)


if __name__ == "__main__":
    main()
