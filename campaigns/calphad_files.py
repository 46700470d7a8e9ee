"""The key `calphad` of campaign.yaml: the database beside it, and what was computed with it, kept in the cache."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.metadata import version
from io import StringIO

from ..design.calphad import Calphad, Key
from ..design.phase_database import PhaseDatabase
from ..surrogates.errors import AlloyloopError
from .files import read_text, write_atomically
from .folder import Folder
from .journal import digest
from .spec import CalphadSpec, Mistakes, Written


class KeptCalphad:
    """What campaign.yaml asks of a thermodynamic database: read when it is first needed, so that `record` need not.

    Parameters
    ----------
    folder : the campaign's
    written : its question
    asked : of the database
    own, foreign : elements of the space, and further ones of rows; of these those that the database knows are asked for
    """

    def __init__(
        self, folder: Folder, written: Written, asked: CalphadSpec, own: tuple[str, ...], foreign: tuple[str, ...] = ()
    ) -> None:
        self._folder, self._written, self._asked = folder, written, asked
        self._own, self._foreign = own, foreign
        self._n_kept = 0

    @cached_property
    def calphad(self) -> Calphad:
        """The question, with what was computed before.

        Raises
        ------
        CampaignFileError
            with every mistake, each with its line: what the database does not know, or why it cannot be read
        """
        database = self._checked()
        known = tuple(element for element in self._foreign if element in database.elements)
        with suppress(AlloyloopError):  # where it knows less of them than is asked, their rows have no equilibrium
            database.refuse((*self._own, *known), (), (), self._asked.temperature_C)
            return self._read((*self._own, *known))
        return self._read(self._own)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is computed meanwhile, be it all that was wanted or not."""
        try:
            yield
        finally:
            if "calphad" in self.__dict__ and len(self.calphad.known) > self._n_kept:
                keep_calphad(self._folder, self.calphad)
                self._n_kept = len(self.calphad.known)

    def _read(self, elements: tuple[str, ...]) -> Calphad:
        calphad = read_calphad(self._folder, elements, **self._asked.model_dump())
        self._n_kept = len(calphad.known)
        return calphad

    def _checked(self) -> PhaseDatabase:
        """The database, which can answer what is asked."""
        asked, mistakes = self._asked, Mistakes(self._written)
        with mistakes.at("calphad", "database"):
            database = PhaseDatabase(asked.database, read_text(self._folder.path / asked.database).text)
            try:
                database.refuse(self._own, (), (), ())
            except AlloyloopError as error:
                problem = f"{error.place}: {error.problem}" if error.place else error.problem
                raise AlloyloopError(problem, error.remedy) from error
        mistakes.raise_any()
        for key in ("phases", "driving_forces", "suspended"):
            for i, phase in enumerate(getattr(asked, key)):
                left_out = (phase,) if key == "suspended" else ()
                with mistakes.at("calphad", key, i):
                    database.refuse(self._own, () if left_out else (phase,), left_out, ())
        for i, temperature in enumerate(asked.temperature_C):
            with mistakes.at("calphad", "temperature_C", i):
                database.refuse(self._own, (), (), (temperature,))
        mistakes.raise_any()
        return database


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
