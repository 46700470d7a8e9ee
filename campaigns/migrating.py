"""Questions in older formats, brought up to the present one; comments and the order of keys stay.

A migration changes the document of one format into that of the next, in place, and stays for good: each golden folder
of `tests/campaigns/golden` opens by those that its format needs. There is one format so far, and so no migration.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

FORMAT = 1
Migration = Callable[[CommentedMap], None]

# By the format that a migration starts from.
MIGRATIONS: dict[int, Migration] = {}


def can_be_read(version: int, migrations: Mapping[int, Migration] = MIGRATIONS) -> bool:
    """Whether a format is the present one, or can be brought up to it."""
    return 0 <= version <= FORMAT and all(step in migrations for step in range(version, FORMAT))


def bring_up(document: CommentedMap, version: int, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Change a document of some format that can be read into one of the present format, in place."""
    for step in range(version, FORMAT):
        migrations[step](document)
        document["alloyloop"] = step + 1


def rewritten(text: str, migrations: Mapping[int, Migration] = MIGRATIONS) -> str:
    """The text of a campaign.yaml in the present format, with its comments, order, quotation marks and line ends.

    A text that is in the present format is returned as it is.
    """
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 10_000  # long lines stay whole
    document = yaml.load(text)
    version = document["alloyloop"]
    if version == FORMAT:
        return text
    bring_up(document, version, migrations)
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue().replace("\n", "\r\n" if "\r\n" in text else "\n")
