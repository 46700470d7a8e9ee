"""Manners in a notebook: long work shows how far it is and leaves nothing behind; elsewhere Python stays silent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, and not a script, a terminal or IPython in one."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


@contextmanager
def shown(what: str, progress: Progress | None = None) -> Iterator[Progress]:
    """To whom long work in the block tells how much is done, and of how much.

    Parameters
    ----------
    what : is counted, such as "designs looked at"
    progress : who asked to be told; where nobody did, a bar in a notebook, which goes when the block ends

    Examples
    --------
    >>> with shown("rounds made again") as tell:
    ...     tell(1, 2)
    """
    if progress is not None or not in_notebook():
        yield progress or (lambda done, of: None)
        return
    display = import_module("IPython.display")
    place, last = display.display(display.HTML(bar_html(what, 0, 0)), display_id=True), ""

    def tell(done: int, of: int) -> None:
        nonlocal last
        share = f"{done / of:.0%}" if of else ""
        if share != last:
            place.update(display.HTML(bar_html(what, done, of)))
        last = share

    try:
        yield tell
    finally:
        place.update(display.HTML(""))


def bar_html(what: str, done: int, of: int) -> str:
    """A bar in the notebook's own colours, which a screen reader reads out.

    >>> bar_html("rounds", 1, 2)
    '<label><progress max="2" value="1"></progress> 1 of 2 rounds</label>'
    >>> bar_html("rounds", 0, 0)  # not known yet of how many
    '<label><progress></progress> rounds</label>'
    """
    if not of:
        return f"<label><progress></progress> {escape(what)}</label>"
    return f'<label><progress max="{of}" value="{done}"></progress> {done} of {of} {escape(what)}</label>'
