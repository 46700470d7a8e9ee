"""The key `calphad` of campaign.yaml: the database beside it, and what was computed with it, kept in the cache."""

from __future__ import annotations

import csv
from contextlib import suppress
from importlib.metadata import version
from io import StringIO

from ..design.calphad import Calphad, Key
from ..design.phase_database import PhaseDatabase
from ..surrogates.errors import AlloyloopError
from .files import read_text, write_atomically
from .folder import Folder
from .journal import digest


def read_calphad(
    folder: Folder,
    elements: tuple[str, ...],
    *,
    database: str,
    temperature_C: tuple[float, ...],
    phases: tuple[str, ...] = (),
    driving_forces: tuple[str, ...] = (),
    suspended: tuple[str, ...] = (),
    most_alloys: int = 10_000,
) -> Calphad:
    """What campaign.yaml asks of a thermodynamic database, with what was computed before.

    Parameters
    ----------
    folder : the campaign's
    elements : that its alloys may hold
    database : name of the TDB file in the folder
    temperature_C, phases, driving_forces, suspended, most_alloys : see `Calphad`

    Raises
    ------
    AlloyloopError
        where the file cannot be read, or does not know what is asked
    """
    text = read_text(folder.path / database).text
    asked = Calphad(
        PhaseDatabase(database, text), elements, temperature_C, phases, driving_forces, suspended, most_alloys
    )
    with suppress(AlloyloopError, ValueError, KeyError, TypeError):  # none yet, or spoiled: it is computed again
        asked.known.update(_read(read_text(folder.cache / _name(asked)).text, asked.names))
    return asked


def keep_calphad(folder: Folder, calphad: Calphad) -> None:
    """Keep what was computed; a folder that cannot be written to is left as it is."""
    path = folder.cache / _name(calphad)
    with suppress(AlloyloopError, OSError):
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, _written(calphad))


def _name(calphad: Calphad) -> str:
    """Of the file that keeps the results of one question to one database by one version of what computes them."""
    versions = tuple(version(package) for package in ("alloyloop", "pycalphad"))
    question = (calphad.database.digest, calphad.names, sorted(calphad.suspended), versions)
    return f"calphad-{digest(repr(question).encode())[:16]}.csv"


def _written(calphad: Calphad) -> str:
    elements = sorted({element for key in calphad.known for element, _ in key})
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*elements, *calphad.names])
    for key, values in calphad.known.items():
        amounts = dict(key)
        writer.writerow([*(amounts.get(element, "") for element in elements), *map(repr, values)])
    return stream.getvalue()


def _read(text: str, names: tuple[str, ...]) -> dict[Key, tuple[float, ...]]:
    """What was written, by composition; a ValueError or KeyError where it was not written so."""
    found: dict[Key, tuple[float, ...]] = {}
    table = csv.DictReader(StringIO(text))
    elements = [name for name in table.fieldnames or () if name not in names]
    for row in table:
        key = tuple((element, float(row[element])) for element in elements if row[element])
        found[key] = tuple(float(row[name]) for name in names)
    return found
