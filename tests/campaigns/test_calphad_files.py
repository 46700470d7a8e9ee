"""The database lies beside campaign.yaml, and what was computed with it is kept where it may be deleted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pycalphad", reason="pycalphad is not installed: pip install 'alloyloop[calphad]'")

from alloyloop.campaigns.calphad_files import keep_calphad, read_calphad
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.design import calphad as calphad_module
from alloyloop.design.calphad import Calphad

AL_ZN = ("Al", "Zn")
TEXT = """$ Ideal solutions, with a comment of the kind that old files have: 25 °C
ELEMENT AL FCC_A1 26.98 4577.3 28.32 !
ELEMENT ZN HCP_A3 65.39 5656.8 41.63 !
PHASE FCC_A1 % 1 1 !
CONSTITUENT FCC_A1 :AL,ZN: !
PARAMETER G(FCC_A1,AL;0) 298.15 0; 3000 N !
PARAMETER G(FCC_A1,ZN;0) 298.15 0; 3000 N !
PHASE ZN_ONLY % 1 1 !
CONSTITUENT ZN_ONLY :ZN: !
PARAMETER G(ZN_ONLY,ZN;0) 298.15 -1000; 3000 N !
"""
ALLOYS = np.array([[1 / 3, 2 / 3], [0.9, 0.1], [1.0, 0.0]])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "my.tdb").write_bytes(TEXT.encode("cp1252").replace(b"\n", b"\r\n"))
    return Folder(tmp_path)


def asked(folder: Folder, driving_forces: tuple[str, ...] = ("ZN_ONLY",), suspended: tuple[str, ...] = ()) -> Calphad:
    return read_calphad(
        folder,
        AL_ZN,
        database="my.tdb",
        temperature_C=(400.0,),
        phases=("FCC_A1",),
        driving_forces=driving_forces,
        suspended=suspended,
    )


def refuse_to_solve(*_: object) -> None:
    raise AssertionError("this was computed before")


def test_what_was_kept_is_read_again_to_the_last_digit(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asked(folder)
    values = first.compute(ALLOYS, AL_ZN)
    assert np.isnan(values[2, 1])  # aluminium forms no ZN_ONLY, and that is kept too
    keep_calphad(folder, first)
    monkeypatch.setattr(calphad_module, "system", refuse_to_solve)
    np.testing.assert_array_equal(asked(folder).compute(ALLOYS, AL_ZN), values)


def test_another_question_or_another_database_knows_nothing_of_it(folder: Folder) -> None:
    first = asked(folder, driving_forces=())
    first.compute(ALLOYS, AL_ZN)
    keep_calphad(folder, first)
    assert len(asked(folder, driving_forces=()).known) == 3
    assert asked(folder).known == {}
    assert asked(folder, driving_forces=(), suspended=("ZN_ONLY",)).known == {}
    (folder.path / "my.tdb").write_text(TEXT.replace("-1000", "-1001"))
    assert asked(folder, driving_forces=()).known == {}


@pytest.mark.parametrize("spoiled", ["", "Al,Zn\n1,0\n", "\0", "Al,fraction_FCC_A1_400C\n1,0.5\n"])
def test_a_spoiled_cache_is_as_none(folder: Folder, spoiled: str) -> None:
    first = asked(folder)
    first.compute(ALLOYS, AL_ZN)
    keep_calphad(folder, first)
    (kept,) = folder.cache.glob("calphad-*.csv")
    kept.write_text(spoiled)
    assert asked(folder).known == {}


def test_a_cache_cut_off_in_a_row_is_as_none(folder: Folder) -> None:
    first = asked(folder)
    first.compute(ALLOYS, AL_ZN)
    keep_calphad(folder, first)
    (kept,) = folder.cache.glob("calphad-*.csv")
    kept.write_text(kept.read_text().rstrip().rpartition(",")[0])
    assert asked(folder).known == {}


def test_a_folder_that_takes_no_file_is_no_reason_to_stop(folder: Folder) -> None:
    folder.cache.write_text("a file where a folder should be")
    first = asked(folder)
    first.compute(ALLOYS, AL_ZN)
    keep_calphad(folder, first)
    assert asked(folder).known == {}


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match=r"my\.tdb: There is no such file"):
        asked(Folder(tmp_path))
