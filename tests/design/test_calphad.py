"""Phase fractions and driving forces are those of handbooks and of hand calculations; what is not known is not guessed.

The databases of assessed systems are those that pycalphad installs with its own tests; none is kept here.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pycalphad", reason="pycalphad is not installed: pip install 'alloyloop[calphad]'")

from alloyloop.design import calphad as calphad_module
from alloyloop.design import phase_database
from alloyloop.design.calphad import Calphad
from alloyloop.design.equilibrium import System
from alloyloop.design.phase_database import PhaseDatabase
from alloyloop.surrogates.errors import AlloyloopError

R = 8.3145  # J/(mol K), as pycalphad has it
KELVIN = 273.15
AL_ZN = ("Al", "Zn")


@cache
def shipped(name: str) -> PhaseDatabase:
    return PhaseDatabase(name, (files("pycalphad.tests.databases") / name).read_text())


def toy(solid: tuple[float, float] = (0, 0), liquid: tuple[float, float] = (5000, 8000)) -> PhaseDatabase:
    """Two ideal solutions of aluminium and zinc [J/mol], whose equilibria can be worked out by hand."""
    parameters = "".join(
        f"PARAMETER G({phase},{element};0) 298.15 {energy}; 3000 N !\n"
        for phase, energies in (("FCC_A1", solid), ("LIQUID", liquid))
        for element, energy in zip(("AL", "ZN"), energies, strict=True)
    )
    return PhaseDatabase(
        "toy.tdb",
        "ELEMENT AL FCC_A1 26.98 4577.3 28.32 !\nELEMENT ZN HCP_A3 65.39 5656.8 41.63 !\n"
        "PHASE FCC_A1 % 1 1 !\nCONSTITUENT FCC_A1 :AL,ZN: !\nPHASE LIQUID % 1 1 !\nCONSTITUENT LIQUID :AL,ZN: !\n"
        + parameters,
    )


TOY = toy()


def of_zinc(*x: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.column_stack([1 - np.array(x), np.array(x)])


# -- equilibria that can be worked out by hand ------------------------------------------------------------------------


@settings(max_examples=15)
@given(x=st.floats(0.01, 0.99), low=st.floats(500, 20000), high=st.floats(500, 20000))
def test_the_driving_force_of_an_ideal_solution_is_that_of_the_parallel_tangent(
    x: float, low: float, high: float
) -> None:
    # Where each potential is RT ln x, the best composition of the other phase gives RT ln Σ x exp(-ΔG/RT).
    temperature_C = 400.0
    asked = Calphad(toy(liquid=(round(low), round(high))), AL_ZN, (temperature_C,), driving_forces=("LIQUID",))
    RT = R * (temperature_C + KELVIN)
    expected = RT * np.log((1 - x) * np.exp(-round(low) / RT) + x * np.exp(-round(high) / RT))
    assert asked.compute(of_zinc(x), AL_ZN)[0, 0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("x", [0.3, 0.4, 0.5])
def test_the_shares_of_two_ideal_solutions_are_those_of_van_laar_and_the_lever_rule(x: float) -> None:
    # Both phases ideal: x_L/x_S = exp(-ΔG/RT) for each element (van Laar 1908).
    temperature_C = 400.0
    asked = Calphad(toy(liquid=(-3000, 4000)), AL_ZN, (temperature_C,), ("FCC_A1", "LIQUID"))
    RT = R * (temperature_C + KELVIN)
    of_al, of_zn = np.exp(3000 / RT), np.exp(-4000 / RT)  # liquid over solid
    solid = (of_al - 1) / (of_al - of_zn)  # zinc in the solid
    liquid = of_zn * solid
    expected = (x - liquid) / (solid - liquid)
    assert asked.compute(of_zinc(x), AL_ZN)[0] == pytest.approx([expected, 1 - expected], abs=1e-5)


# -- facts of handbooks -----------------------------------------------------------------------------------------------


def stable(database: str, alloy: dict[str, float], phase: str, *temperatures_C: float) -> list[float]:
    """The share of a phase at each temperature."""
    asked = Calphad(shipped(database), tuple(alloy), temperatures_C, (phase,))
    return list(asked.compute(np.array([list(alloy.values())]), tuple(alloy))[0])


@pytest.mark.parametrize(
    ("element", "melts_C"), [("Al", 660.32), ("Zn", 419.53)]
)  # fixed points of the temperature scale ITS-90
def test_pure_metals_melt_where_the_temperature_scale_says(element: str, melts_C: float) -> None:
    assert stable("alzn_mey.tdb", {element: 1.0}, "LIQUID", melts_C - 0.5, melts_C + 0.5) == pytest.approx([0, 1])


def test_aluminium_and_zinc_have_their_eutectic_at_381_C() -> None:  # Murray, Bull. Alloy Phase Diagrams 4 (1983) 55
    solid, melted = stable("alzn_mey.tdb", {"Al": 0.113, "Zn": 0.887}, "LIQUID", 379.0, 383.0)
    assert solid == 0
    assert melted > 0.9


def test_magnesium_and_aluminium_have_their_eutectic_at_437_C() -> (
    None
):  # Murray, Bull. Alloy Phase Diagrams 3 (1982) 60
    solid, melted = stable("Al-Mg_Zhong.tdb", {"Al": 0.31, "Mg": 0.69}, "LIQUID", 430.0, 444.0)
    assert solid == 0
    assert melted > 0.9


def test_both_sides_of_a_miscibility_gap_are_one_phase() -> None:  # Al-Zn below 351.5 °C at 39.5 at.% Zn, Murray 1983
    share = stable("alzn_mey.tdb", {"Al": 0.6, "Zn": 0.4}, "FCC_A1", 300.0)
    assert share == pytest.approx([1.0])


def test_the_driving_force_of_melting_is_that_of_its_enthalpy() -> None:
    # ΔG = ΔH (1 - T/T_m) near the melting point, with 10711 J/mol and 933.47 K: Dinsdale, Calphad 15 (1991) 317.
    asked = Calphad(shipped("alzn_mey.tdb"), ("Al",), (640.0,), driving_forces=("LIQUID",))
    expected = -10711 * (1 - (640 + KELVIN) / 933.47)
    assert asked.compute(np.ones((1, 1)), ("Al",))[0, 0] == pytest.approx(expected, rel=0.02)


def test_an_ordered_phase_counts_under_its_name_only_where_it_is_ordered() -> None:
    # Nickel with 5 at.% Al is γ, Ni3Al is γ′, 20 at.% is both, NiAl is B2: Dupin et al., Calphad 25 (2001) 279.
    # One Gibbs energy, that of the ordered phase, describes γ and γ′; another B2 and its disordered state.
    of_nickel = of_zinc(0.95, 0.75, 0.80, 0.50)
    phases = ("FCC_A1", "FCC_L12", "BCC_A2", "BCC_B2")
    shares = Calphad(shipped("alni_dupin_2001.tdb"), ("Al", "Ni"), (900.0,), phases).compute(of_nickel, ("Al", "Ni"))
    assert shares[[0, 1, 3]] == pytest.approx(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    assert (shares[2, :2] > 0.2).all()
    assert shares[2, :2].sum() == pytest.approx(1)


@pytest.mark.slow
def test_titanium_turns_beta_at_882_C_and_beta_counts_as_disordered() -> None:
    # ASM Handbook vol. 2: 882 °C. In COST 507 the ordered BCC_B2 describes BCC_A2 too.
    asked = Calphad(shipped("COST507.tdb"), ("Ti",), (880.0, 884.0), ("HCP_A3", "BCC_A2", "BCC_B2"))
    alpha, beta = asked.compute(np.ones((1, 1)), ("Ti",)).reshape(2, 3)
    assert alpha == pytest.approx([1, 0, 0])
    assert beta == pytest.approx([0, 1, 0])


# -- what holds of every alloy ----------------------------------------------------------------------------------------

ALL_PHASES = Calphad(shipped("alzn_mey.tdb"), AL_ZN, (200.0, 400.0, 700.0), ("FCC_A1", "HCP_A3", "LIQUID"))


@settings(max_examples=25)
@given(st.floats(0, 1))
def test_the_shares_of_all_phases_sum_to_one(x: float) -> None:
    shares = ALL_PHASES.compute(of_zinc(x), AL_ZN).reshape(3, 3)
    assert shares.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert (shares >= 0).all()


@given(st.floats(0.25, 0.9), st.floats(0.25, 0.9))
@settings(max_examples=15)
def test_between_two_alloys_of_one_tie_line_shares_are_linear(some: float, other: float) -> None:
    # At 200 °C aluminium and zinc form FCC_A1 and HCP_A3 from some 16 to 98 at.% Zn (Murray 1983): the lever rule.
    shares = ALL_PHASES.compute(of_zinc(some, other, (some + other) / 2), AL_ZN)[:, 0]
    assert shares[2] == pytest.approx((shares[0] + shares[1]) / 2, abs=1e-5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
@settings(max_examples=10)
def test_an_alloy_has_the_same_features_in_any_table(amounts: list[float]) -> None:
    alone = np.vstack([ALL_PHASES.compute(of_zinc(x), AL_ZN) for x in amounts])
    together = ALL_PHASES.compute(of_zinc(*amounts), AL_ZN)
    with_others = np.column_stack([of_zinc(*amounts)[:, ::-1], np.zeros(len(amounts))])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(ALL_PHASES.compute(with_others, ("Zn", "Al", "Mg")), alone)


def test_an_element_in_no_amount_is_no_element_of_the_alloy() -> None:
    only_al = Calphad(TOY, ("Al",), (400.0,), driving_forces=("LIQUID",)).compute(np.ones((1, 1)), ("Al",))
    of_both = Calphad(TOY, AL_ZN, (400.0,), driving_forces=("LIQUID",)).compute(of_zinc(0.0), AL_ZN)
    assert only_al == pytest.approx(-5000)
    assert of_both == pytest.approx(-5000)


def test_a_suspended_phase_takes_no_part() -> None:
    assert Calphad(TOY, AL_ZN, (400.0,), ("LIQUID",)).compute(of_zinc(0.3), AL_ZN)[0, 0] == 0
    without = Calphad(TOY, AL_ZN, (400.0,), ("LIQUID",), suspended=("FCC_A1",))
    assert without.compute(of_zinc(0.3), AL_ZN)[0, 0] == pytest.approx(1)


# -- columns and memory -----------------------------------------------------------------------------------------------


def test_columns_are_named_with_phase_temperature_and_unit() -> None:
    asked = Calphad(TOY, AL_ZN, (400.0, 512.5), ("FCC_A1",), ("LIQUID",))
    assert asked.names == (
        "fraction_FCC_A1_400C",
        "driving_force_LIQUID_400C_J_per_mol",
        "fraction_FCC_A1_512.5C",
        "driving_force_LIQUID_512.5C_J_per_mol",
    )
    assert asked.compute(of_zinc(0.1, 0.2), AL_ZN).shape == (2, 4)
    assert asked.compute(np.empty((0, 2)), AL_ZN).shape == (0, 4)
    assert asked.meanings["fraction_FCC_A1_400C"] == (
        "Share of the atoms in FCC_A1 in equilibrium at 400 °C, by toy.tdb [-]"
    )


def refuse_to_solve(*_: object) -> None:
    raise AssertionError("this was computed before")


def test_what_was_computed_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Calphad(TOY, AL_ZN, (400.0,), ("FCC_A1",))
    once = asked.compute(of_zinc(0.1, 0.1, 0.2), AL_ZN)
    assert len(asked.known) == 2
    monkeypatch.setattr(calphad_module, "system", refuse_to_solve)
    np.testing.assert_array_equal(asked.compute(of_zinc(0.2, 0.1 + 1e-12), AL_ZN), once[[2, 0]])
    with pytest.raises(AssertionError):
        asked.compute(of_zinc(0.3), AL_ZN)


def test_sent_to_another_process_it_brings_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Calphad(TOY, AL_ZN, (400.0,), ("FCC_A1",))
    values = asked.compute(of_zinc(0.1), AL_ZN)
    monkeypatch.setattr(calphad_module, "system", refuse_to_solve)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(asked)).compute(of_zinc(0.1), AL_ZN), values)


def test_its_name_in_a_message_holds_no_database() -> None:
    assert "PARAMETER" not in repr(Calphad(TOY, AL_ZN, (400.0,), ("FCC_A1",)))


def test_more_alloys_than_asked_for_are_refused_before_any_is_computed() -> None:
    asked = Calphad(TOY, AL_ZN, (400.0,), ("FCC_A1",), most_alloys=2)
    assert asked.count_new(of_zinc(0.1, 0.1, 0.2), AL_ZN) == 2
    with pytest.raises(AlloyloopError, match=r"3 alloys .* about 1 min.*calphad\.most_alloys from 2"):
        asked.compute(of_zinc(0.1, 0.2, 0.3), AL_ZN)
    assert asked.known == {}
    asked.compute(of_zinc(0.1, 0.2), AL_ZN)
    asked.compute(of_zinc(0.1, 0.2, 0.3), AL_ZN)  # one more is new
    with pytest.raises(AlloyloopError, match=r"1000000 alloys .* about 14 h"):
        asked.afford(1_000_000)


# -- what is not known ------------------------------------------------------------------------------------------------


def test_an_equilibrium_that_does_not_add_up_to_the_alloy_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = System(shipped("alzn_mey.tdb"), ("Zn", "Al"), ())
    alloy = np.array([0.4, 0.6])
    found = solver.equilibrium(alloy, 200 + KELVIN)
    assert found is not None
    assert set(found.fractions) == {"FCC_A1", "HCP_A3"}
    all_parts = solver._space.get_composition_sets
    monkeypatch.setattr(solver._space, "get_composition_sets", lambda: all_parts()[:1])
    assert solver.equilibrium(alloy, 200 + KELVIN) is None


def test_an_equilibrium_below_which_another_phase_lies_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = System(TOY, AL_ZN, ())
    alloy = np.array([0.4, 0.6])
    assert solver.equilibrium(alloy, 700.0, ("LIQUID",)) is not None
    monkeypatch.setattr(solver, "_driving_force", lambda *_: 5.0)  # J/mol above the tangent
    assert solver.equilibrium(alloy, 700.0, ("LIQUID",)) is None


class Lost:
    """A solver that never converges."""

    def equilibrium(self, *_: object) -> None:
        return None


def test_what_did_not_converge_is_unknown_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Calphad(TOY, AL_ZN, (400.0,), ("FCC_A1",))
    asked.compute(of_zinc(0.1), AL_ZN)
    monkeypatch.setattr(calphad_module, "system", lambda *_: Lost())
    values = asked.compute(of_zinc(0.1, 0.2), AL_ZN)
    assert np.isnan(values).tolist() == [[False], [True]]
    assert asked.whys_unknown(of_zinc(0.1, 0.2), AL_ZN) == [
        "",
        "have an equilibrium that did not converge with toy.tdb",
    ]


def test_an_alloy_with_another_element_is_unknown_and_says_why() -> None:
    asked = Calphad(TOY, AL_ZN, (400.0,), ("FCC_A1",))
    fractions, elements = np.array([[0.5, 0.5, 0.0], [0.5, 0.4, 0.1]]), ("Al", "Zn", "Ca")
    assert np.isnan(asked.compute(fractions, elements)).tolist() == [[False], [True]]
    assert asked.whys_unknown(fractions, elements) == [
        "",
        "hold elements that toy.tdb was not asked about: it was about Al, Zn",
    ]


def test_a_phase_that_the_elements_cannot_form_has_no_share_and_no_known_driving_force() -> None:
    database = shipped("Al-Mg_Zhong.tdb")
    asked = Calphad(database, ("Al", "Mg"), (300.0,), ("ALMG_BETA",), ("ALMG_BETA",))
    values = asked.compute(np.array([[1.0, 0.0], [0.9, 0.1]]), ("Al", "Mg"))
    assert values[0, 0] == 0
    assert np.isnan(values[0, 1])
    assert np.isfinite(values[1]).all()
    assert asked.whys_unknown(np.array([[1.0, 0.0], [0.9, 0.1]]), ("Al", "Mg")) == [
        "cannot form a phase of Al-Mg_Zhong.tdb whose driving force is a feature",
        "",
    ]


# -- what cannot be asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"elements": ("Al", "Ca", "Sr")}, "toy.tdb has no Ca, Sr: it describes Al, Zn. Give a database of all"),
        ({"phases": ("FCC",)}, "toy.tdb has no phase FCC. Did you mean FCC_A1?"),
        ({"phases": ("SIGMA",)}, "toy.tdb has no phase SIGMA. It has FCC_A1, LIQUID."),
        ({"suspended": ("HCP_A3",)}, "toy.tdb has no phase HCP_A3."),
        ({"suspended": ("FCC_A1",)}, "FCC_A1 is asked for and suspended at once."),
        ({"phases": ()}, "asks for nothing. Give it temperature_C"),
        ({"temperatures_C": ()}, "asks for nothing. Give it temperature_C"),
        ({"temperatures_C": (400.0, 20.0)}, "does not reach 20 °C (293.15 K): G("),
        ({"temperatures_C": (2726.85,)}, "is given for 298.15 to 3000 K. Choose a temperature"),
    ],
)
def test_a_question_that_the_database_cannot_answer_is_refused(wrong: dict[str, Any], message: str) -> None:
    right = {"elements": AL_ZN, "temperatures_C": (400.0,), "phases": ("FCC_A1",)}
    with pytest.raises(AlloyloopError) as refused:
        Calphad(TOY, **{**right, **wrong})
    assert message in str(refused.value)


def test_a_phase_that_no_alloy_of_the_elements_forms_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"ALMG_BETA of Al-Mg_Zhong\.tdb cannot be formed by Al\."):
        Calphad(shipped("Al-Mg_Zhong.tdb"), ("Al",), (300.0,), ("ALMG_BETA",))


def test_the_ground_of_a_phase_that_never_disorders_is_no_phase() -> None:
    # Lukas, Fries and Sundman, Computational Thermodynamics (2007), section 5.8.5.
    text = TOY.text.replace("PHASE LIQUID %", "TYPE_DEFINITION & GES A_P_D FCC_A1 NEVER_DIS LIQUID !\nPHASE LIQUID &")
    assert TOY.formable(AL_ZN) == ("FCC_A1", "LIQUID")
    assert PhaseDatabase("never.tdb", text).formable(AL_ZN) == ("FCC_A1",)


@pytest.mark.parametrize(
    ("spoiled", "line"),
    [
        (TOY.text.replace("PHASE LIQUID % 1 1 !", "PHASE LIQUID ? !"), 5),
        (TOY.text.replace("298.15 5000;", "298.15 5000 +* T;"), 9),
        (TOY.text.replace("298.15 5000;", "298.15 __import__('os');"), 9),
        (TOY.text.replace("298.15 5000;", "298.15 T.__class__;"), 9),
        ("hello\nfriend", 2),
    ],
)
def test_a_text_that_is_no_database_is_refused_with_its_line(spoiled: str, line: int) -> None:
    with pytest.raises(AlloyloopError, match=rf"my\.tdb, line {line}: This is not a TDB that can be read"):
        _ = PhaseDatabase("my.tdb", spoiled).phases


@pytest.mark.parametrize("empty", ["", "$ nothing but a comment", "ELEMENT AL FCC_A1 26.98 4577.3 28.32 !\n"])
def test_a_database_without_a_phase_is_refused(empty: str) -> None:
    with pytest.raises(AlloyloopError, match=r"my\.tdb: It describes no phase"):
        _ = PhaseDatabase("my.tdb", empty).phases


def test_without_pycalphad_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase_database, "find_spec", lambda _: None)
    with pytest.raises(AlloyloopError, match=r'pip install "alloyloop\[calphad\]"'):
        _ = PhaseDatabase("new.tdb", TOY.text + "$ not read before").phases


# A hook cannot be taken off again, hence a process of its own. Making a syntax tree is `compile`, and runs nothing.
WATCHED = """
import sys
from alloyloop.design.phase_database import PhaseDatabase
from alloyloop.surrogates.errors import AlloyloopError
text = sys.stdin.read()
PhaseDatabase("first.tdb", text).phases  # what is imported once is imported now
seen = []
sys.addaudithook(lambda event, _: seen.append(event))
PhaseDatabase("second.tdb", text + "$").phases
for what in ("__import__('os').system('true')", "exec('1')", "().__class__", "eval(T)", "open(T)"):
    try:
        PhaseDatabase("third.tdb", text.replace("5000", what)).phases
    except AlloyloopError:
        pass
print(sorted(set(seen) & {"exec", "import", "open", "os.system", "subprocess.Popen", "pickle.find_class"}))
"""


def test_reading_a_strangers_database_runs_nothing_and_opens_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", WATCHED], input=TOY.text, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
