"""What is really made, as campaign.yaml says it or analyses tell; and that proposals keep away from an edge by it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.scatter import LEAST_ALLOYS, apart, learned, scatter
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.scatter import Off
from alloyloop.design.telling_apart import BUTTON_G

from .folders import QUESTION, make

BIRDSHOT = Path(__file__).parents[2].parent / "shared" / "data" / "birdshot_hea_year1.csv"
HEADER = (
    "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,Ti_wt_pct_measured,Nb_wt_pct_measured,Zr_wt_pct_measured,"
    "youngs_modulus_GPa\n"
)


def made_within(said: str) -> str:
    return QUESTION.replace("  step: 1\n", f"  step: 1\n  made_within: {said}\n")


def read(folder: Path, question: str, rows: str = "") -> Snapshot:
    return Campaign(make(folder / "campaign", question, HEADER + rows)).snapshot()


def mistakes(folder: Path, question: str) -> list[str]:
    with pytest.raises(CampaignFileError) as caught:
        read(folder, question)
    return [str(problem) for problem in caught.value.problems]


def analysed(n: int, *, loss: float = 0.05, scatter: float = 0.01) -> str:
    """Alloys of which niobium comes out lower by a share, each by a bit more or less."""
    rows = []
    for i, z in enumerate(np.resize([-1.0, 1.0, 0.5, -0.5], n)):
        niobium = 20.0 + i
        found = niobium * (1 - loss + scatter * z)
        rows.append(f"A{i},known,{80 - i},{niobium},0,{100 - found:.4f},{found:.4f},0,70\n")
    return "".join(rows)


def test_without_made_within_alloys_are_made_as_they_are_aimed_at(tmp_path: Path) -> None:
    assert scatter(read(tmp_path, QUESTION)) == (None, ())


def test_what_campaign_yaml_says_is_a_standard_deviation_in_its_basis(tmp_path: Path) -> None:
    said, remarks = scatter(read(tmp_path, made_within("{Nb: 0.5, Zr: 0.3}")))
    assert said is not None
    assert (said.basis, said.balance, said.off) == ("wt_pct", "Ti", {"Nb": Off(0.5), "Zr": Off(0.3)})
    assert remarks == ()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("{Ti: 0.5}", "line 7.*made_within.Ti: Ti is the balance: it takes the remainder"),
        ("{Mo: 0.5}", r"line 7.*made_within.Mo: Mo is not an element of this space \(Nb, Zr\)"),
        ("{Nb: -1}", "line 7.*made_within.*greater than or equal to 0"),
        ("sometimes", "line 7.*made_within"),
    ],
)
def test_what_cannot_be_is_named_with_its_line(said: str, what: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, made_within(said))
    assert re.search(what, found[0])


def test_a_share_needs_a_scatter(tmp_path: Path) -> None:
    question = QUESTION.replace("  step: 1\n", "  step: 1\n  made_within_share: 0.9\n")
    (said,) = mistakes(tmp_path, question)
    assert "line 7" in said
    assert "nothing says how that scatters" in said


def test_a_loss_is_learned_from_analyses(tmp_path: Path) -> None:
    said, (remark,) = scatter(read(tmp_path, made_within("learned"), analysed(12)))
    assert said is not None
    niobium = said.off["Nb"]
    assert niobium.relative
    assert niobium.shift == pytest.approx(-0.05, abs=0.001)
    assert niobium.std == pytest.approx(0.01 * np.sqrt(0.625), rel=0.15)  # of -1, 1, 0.5 and -0.5; and of their mean
    assert said.off["Zr"].shift == 0  # never weighed in: only what all elements share is known of it
    assert said.off["Zr"].std > 0
    assert remark.startswith("What is made, learned from 12 alloys: Nb comes out 5 ± 0.8")
    assert "% of itself lower; Zr comes out within" in remark


def test_the_next_alloy_scatters_about_a_mean_that_is_not_sure_either() -> None:
    """Of n normals with standard deviation s about their mean, the next is so with s √(1 + 1 / n)."""
    shares = np.array([[0.94], [0.95], [0.95], [0.96]])
    off, _ = learned(("Sn",), np.full((4, 1), 8.0), 8 * shares)
    assert off["Sn"].std == pytest.approx(shares.std(ddof=1) * np.sqrt(1 + 1 / 4))


def test_the_least_number_of_analyses_is_enough(tmp_path: Path) -> None:
    _, (remark,) = scatter(read(tmp_path, made_within("learned"), analysed(LEAST_ALLOYS)))
    assert f"learned from {LEAST_ALLOYS} alloys" in remark


def test_with_few_analyses_the_error_of_an_analysis_is_taken_and_said(tmp_path: Path) -> None:
    said, (remark,) = scatter(read(tmp_path, made_within("learned"), analysed(LEAST_ALLOYS - 1)))
    assert said is not None
    assert said.off == {"Nb": Off(0.02, relative=True), "Zr": Off(0.02, relative=True)}
    assert "4 alloys have a nominal and a measured composition, too few to learn from" in remark


def drawn(rng: np.random.Generator, n: int, *, relative: bool) -> tuple[np.ndarray, np.ndarray]:
    """Nominal and measured amounts of two elements that scatter by 0.04 of themselves, or by 0.4 %."""
    nominal = rng.uniform(2, 40, (n, 2))
    scale = nominal if relative else np.full_like(nominal, 10.0)
    return nominal, nominal + 0.04 * scale * rng.normal(size=(n, 2))


@pytest.mark.parametrize("relative", [True, False])
def test_scatter_is_a_share_where_large_amounts_scatter_more(*, relative: bool) -> None:
    off, words = learned(("Nb", "Zr"), *drawn(np.random.default_rng(0), 200, relative=relative))
    assert [each.relative for each in off.values()] == [relative, relative]
    np.testing.assert_allclose([each.std for each in off.values()], 0.04 if relative else 0.4, rtol=0.15)
    assert all(each.shift == 0 for each in off.values())
    assert words[0].startswith("Nb comes out within")


@pytest.mark.skipif(not BIRDSHOT.exists(), reason="the tables of ../shared/data are not beside this checkout")
def test_real_melts_scatter_by_shares_of_the_error_that_analyses_are_known_for() -> None:
    """Of 76 arc-melted CoCrFeNiVAl alloys with EDS: chromium came out 0.33 at.% higher, of some ten weighed in."""
    table = pd.read_csv(BIRDSHOT)
    elements = ("Co", "Cr", "Fe", "V")
    nominal = table[[f"{element}_at_pct" for element in elements]].to_numpy(dtype=np.float64)
    measured = table[[f"{element}_eds_measured_at_pct" for element in elements]].to_numpy(dtype=np.float64)
    rows = np.isfinite(nominal).all(axis=1) & np.isfinite(measured).all(axis=1)
    off, _ = learned(elements, nominal[rows], measured[rows])
    for each in off.values():
        assert each.relative
        assert 0.01 <= each.std <= 0.03  # ICP-OES is good to 1 to 3 %
    assert 0.02 <= off["Cr"].shift <= 0.05


def test_the_scatter_of_an_element_with_few_analyses_is_near_that_of_all() -> None:
    rng = np.random.default_rng(1)
    nominal = np.column_stack([np.full(40, 20.0), np.where(np.arange(40) < 2, 20.0, 0.0)])
    measured = nominal + np.column_stack([rng.normal(0, 0.4, 40), np.where(np.arange(40) < 2, 0.01, 0.0)])
    off, _ = learned(("Nb", "Zr"), nominal, measured)
    assert off["Zr"].std > 0.5 * off["Nb"].std  # two alloys that agree by chance are no proof


def test_an_element_that_was_weighed_in_and_not_found_was_not_looked_for() -> None:
    nominal = np.full((9, 2), 10.0)
    measured = np.zeros((9, 2))
    measured[:, 0] = 9.9 + np.resize([0.05, 0.1, 0.15], 9)
    off, _ = learned(("Nb", "O"), nominal, measured)
    assert off["O"].shift == 0
    assert off["O"].std < 0.02


def test_an_error_that_all_alloys_share_is_a_loss_and_no_scatter() -> None:
    nominal = np.full((9, 1), 10.0)
    off, words = learned(("Sn",), nominal, nominal - 0.3)
    assert off["Sn"].shift == pytest.approx(-0.03)
    assert off["Sn"].std == pytest.approx(0, abs=1e-9)
    assert words == ("Sn comes out 3 % of itself lower",)


def test_phases_are_not_computed_of_all_that_may_be_made(tmp_path: Path) -> None:
    snapshot = read(tmp_path, made_within("{Nb: 0.5}"))
    spec = snapshot.spec.model_copy(update={"calphad": object()})
    with_phases = Snapshot(snapshot.folder, type(snapshot.written)(spec), snapshot.space, snapshot.table)
    said, (remark,) = scatter(with_phases)
    assert said is None
    assert "phases take time" in remark


def test_alloys_are_told_apart_at_the_mass_of_a_melt(tmp_path: Path) -> None:
    snapshot = read(tmp_path, made_within("{Nb: 0.5}"))
    assert apart(snapshot, None).mass_g == BUTTON_G
    priced = read(tmp_path / "priced", QUESTION + "cost: {per_melt: 1, mass_g: 200}\n")
    assert apart(priced, None).mass_g == 200


# Strength rises with niobium, 10 MPa with each per cent.
EDGE = """\
alloyloop: 1
name: Edge
composition:
  basis: wt_pct
  balance: Ti
  step: 0.25
  elements:
    Nb: {min: 0, max: 40}
properties:
  strength_MPa: {goal: maximize}
features: composition
model: gaussian-process
acquisition: log-expected-improvement
"""
SWELLING = "  swelling_pct: {goal: below, limit: 30}\n"


def niobium_proposed(folder: Path, question: str, said: str = "", fall: float = -10.0) -> float:
    """In the one alloy proposed; strength falls by so many MPa per % beyond 25 %, and swelling is as the niobium."""
    rows = [
        f"A{nb},known,{100 - nb},{nb},{300 + 10 * min(nb, 25) - fall * max(nb - 25, 0)},{nb}\n"
        for nb in range(1, 41, 2)
    ]
    header = "id,status,Ti_wt_pct,Nb_wt_pct,strength_MPa,swelling_pct\n"
    question = question.replace("  step: 0.25\n", f"  step: 0.25\n{said}")
    (alloy,) = Campaign(make(folder, question, header + "".join(rows))).suggest(1, dry_run=True).alloys
    assert alloy.composition is not None
    return alloy.composition.wt_pct["Nb"]


@pytest.mark.torch
def test_proposals_back_off_from_an_edge_by_what_is_made(tmp_path: Path) -> None:
    """Up by 10 and down by 40, the mean over normals is best where Φ(d / σ) = 40 / (10 + 40), 3.4 % before the edge."""
    exact = niobium_proposed(tmp_path / "exact", EDGE, fall=40)
    robust = niobium_proposed(tmp_path / "robust", EDGE, "  made_within: {Nb: 4}\n", fall=40)
    assert exact >= 23  # a belief is smoother than the edge
    assert robust == pytest.approx(25 - 4 * 0.84, abs=0.75)


@pytest.mark.torch
def test_so_large_a_share_of_what_is_made_keeps_a_limit(tmp_path: Path) -> None:
    limited = EDGE.replace("features", SWELLING + "features")
    edge = niobium_proposed(tmp_path / "edge", limited)
    nine_of_ten = niobium_proposed(tmp_path / "share", limited, "  made_within: {Nb: 2}\n  made_within_share: 0.9\n")
    assert 29 <= edge <= 30.5
    assert nine_of_ten == pytest.approx(30 - 1.28 * 2, abs=0.75)
