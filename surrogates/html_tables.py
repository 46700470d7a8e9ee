"""Small tables of HTML by which values show themselves in a notebook: accessible, escaped, in its own colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table whose columns and rows have their headers; it names no colour, and so can be read on any ground.

    Parameters
    ----------
    columns : the headers
    rows : cells of text, the first of which heads its row
    caption : what the table is

    Examples
    --------
    >>> html_table(["id", "GPa"], [["<R001-1>", "52"]]).partition("<tbody>")[2]
    '<tr><th scope="row">&lt;R001-1&gt;</th><td>52</td></tr></tbody></table>'
    """
    titled = f'<caption style="caption-side: top; text-align: left">{escape(caption)}</caption>' if caption else ""
    head = "".join(f'<th scope="col">{escape(column)}</th>' if column else "<td></td>" for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    )
    return f"<table>{titled}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_notes(notes: Sequence[str]) -> str:
    """What should be known beside a table, a paragraph each.

    >>> html_notes(["a < b"])
    '<p><small>a &lt; b</small></p>'
    """
    return "".join(f"<p><small>{escape(note)}</small></p>" for note in notes)
