"""Tables and alloys as lines of plain text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .answers import Answers


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """A table's lines, each column as wide as it needs.

    Parameters
    ----------
    columns, rows : the cells
    width : of the terminal; a table wider than this is shown row by row, one cell a line

    Examples
    --------
    >>> print("\\n".join(table_lines(("id", "GPa"), [("R001-1", "52")])))
    id      GPa
    ------  ---
    R001-1  52
    """
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        label = max(map(len, columns))
        for row in rows:
            yield from (f"{name:<{label}}  {cell}" for name, cell in zip(columns, row, strict=True))
            yield ""
        return
    for row in (columns, ["-" * width for width in widths], *rows):
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def answer_lines(answers: Answers, width: int | None = None) -> Iterator[str]:
    """Alloys as a table, then why each was picked and its flags, then the remarks."""
    yield from table_lines(*answers.table(), width)
    for alloy in (*answers.alloys, *answers.beside):
        notes = [note for note in (alloy.why, alloy.beyond, *alloy.flags) if note]
        if notes:
            called = f"{alloy.candidate}, " if alloy.candidate else ""
            yield f"\n{alloy.id}  {called}{alloy.name}"
            yield from (f"  {note}" for note in notes)
    for remark in answers.remarks:
        yield f"\nRemark: {remark}"
