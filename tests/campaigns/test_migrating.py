"""Older formats are brought up without losing a comment; newer ones are refused by name. Format 0 is made up here."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml.comments import CommentedMap

from alloyloop.campaigns import migrating
from alloyloop.campaigns.migrating import bring_up, can_be_read, rewritten
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.spec import read_spec

OLD = """\
# Which alloy next?
alloyloop: 0
title: 'Old'   # as it was called then

properties:
  # the softer the better
  youngs_modulus_GPa: {goal: minimize}
process:
  T_C: {min: 20, max: 40}  # two baths
"""


def from_0(document: CommentedMap) -> None:
    """What was called title is called name."""
    place = list(document).index("title")
    comment = document.ca.items.pop("title", None)
    document.insert(place, "name", document.pop("title"))
    if comment is not None:
        document.ca.items["name"] = comment


def test_comments_and_the_order_of_keys_stay() -> None:
    new = rewritten(OLD, {0: from_0})
    assert new == OLD.replace("alloyloop: 0", "alloyloop: 1").replace("title: 'Old'  ", "name: 'Old'  ").replace(
        "name: 'Old'   #", new[new.index("name") : new.index("#", new.index("name")) + 1]
    )
    assert [line for line in new.splitlines() if "#" in line and line not in OLD] == [
        line for line in new.splitlines() if line.startswith("name")
    ]


def test_line_ends_stay() -> None:
    new = rewritten(OLD.replace("\n", "\r\n"), {0: from_0})
    assert new.count("\r\n") == new.count("\n") == OLD.count("\n")


def test_the_present_format_is_left_as_it_is() -> None:
    text = OLD.replace("alloyloop: 0", "alloyloop:   1")
    assert rewritten(text, {0: from_0}) == text


def test_an_older_format_is_read_as_what_it_became(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "campaign.yaml").write_text(OLD, encoding="utf-8")
    with pytest.raises(CampaignFileError, match=r"has format 0\. This version reads format 1"):
        read_spec(tmp_path / "campaign.yaml")
    monkeypatch.setitem(migrating.MIGRATIONS, 0, from_0)
    assert read_spec(tmp_path / "campaign.yaml").name == "Old"
    assert (tmp_path / "campaign.yaml").read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize(("number", "said"), [("2", "format 2"), ("999999999999", "format of a number without end")])
def test_a_newer_format_is_refused_with_what_to_install(number: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(OLD.replace("alloyloop: 0", f"alloyloop: {number}"), encoding="utf-8")
    with pytest.raises(
        CampaignFileError, match=f"{said}. Install a newer alloyloop: `pip install --upgrade alloyloop`"
    ):
        read_spec(tmp_path / "campaign.yaml")


@pytest.mark.parametrize("number", ["true", "1.0", "one", "-1", "[1]", ""])
def test_what_is_no_version_is_refused(number: str, tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text(OLD.replace("alloyloop: 0", f"alloyloop: {number}"), encoding="utf-8")
    with pytest.raises(CampaignFileError, match="alloyloop"):
        read_spec(tmp_path / "campaign.yaml")


def test_a_format_is_read_where_every_step_up_to_ours_is_known() -> None:
    assert [can_be_read(version, {0: from_0}) for version in (-1, 0, 1, 2)] == [False, True, True, False]
    assert not can_be_read(0, {})


def test_a_document_says_its_new_format() -> None:
    document = CommentedMap({"alloyloop": 0, "title": "x"})
    bring_up(document, 0, {0: from_0})
    assert dict(document) == {"alloyloop": 1, "name": "x"}
