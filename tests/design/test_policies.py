"""A policy says what is barred, limited or worth a remark, with a reason, and can be chosen or left."""

from __future__ import annotations

import pytest

from alloyloop.design.elements import SYMBOLS
from alloyloop.design.policies import POLICIES, Policy, PolicyRule, policy
from alloyloop.surrogates.errors import AlloyloopError

RULES = [(name, rule) for name, each in POLICIES.items() for rule in each.rules]


def test_the_five_policies_of_the_issue_are_there() -> None:
    assert set(POLICIES) == {
        "implant-titanium", "absorbable-magnesium", "implant-cobalt-chromium", "implant-stainless", "none",
    }  # fmt: skip


@pytest.mark.parametrize("rule", [rule for _, rule in RULES], ids=[f"{name}-{rule.element}" for name, rule in RULES])
def test_every_rule_names_a_known_element_a_reason_and_a_source_and_only_a_limit_has_a_number(rule: PolicyRule) -> None:
    assert rule.element in SYMBOLS
    assert rule.verdict in {"barred", "limited", "flagged"}
    assert (rule.limit_wt_pct is not None) == (rule.verdict == "limited")
    assert rule.reason
    assert rule.source


@pytest.mark.parametrize("each", POLICIES.values(), ids=lambda each: each.name)
def test_no_policy_speaks_twice_of_one_element(each: Policy) -> None:
    elements = [rule.element for rule in each.rules]
    assert len(elements) == len(set(elements))


@pytest.mark.parametrize(
    ("name", "barred"),
    [
        ("implant-titanium", {"V", "Ni", "Be"}),
        ("absorbable-magnesium", {"Be", "Cd", "Pb"}),
        ("implant-cobalt-chromium", {"Be"}),
        ("implant-stainless", {"Be"}),
    ],
)
def test_vanadium_nickel_and_beryllium_are_barred_where_the_family_can_do_without(name: str, barred: set[str]) -> None:
    assert barred <= policy(name).barred


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("implant-titanium", ["Ti", "Nb", "Zr", "Ta", "Sn", "Mo", "Hf"]),
        ("absorbable-magnesium", ["Mg", "Zn", "Ca", "Zr"]),
        ("implant-cobalt-chromium", ["Co", "Cr", "Mo"]),
        ("implant-stainless", ["Fe", "Cr", "Ni", "Mo", "N"]),
    ],
)
def test_a_family_may_hold_what_it_is_made_of(name: str, family: list[str]) -> None:
    assert policy(name).barred.isdisjoint(family)


def test_a_beta_titanium_of_safe_elements_has_no_flag() -> None:
    assert policy("implant-titanium").flags({"Ti": 53, "Nb": 35, "Zr": 7, "Ta": 5}) == []


def test_ti_6al_4v_is_told_of_its_vanadium_and_its_aluminium() -> None:
    vanadium, aluminium = policy("implant-titanium").flags({"Ti": 90, "Al": 6, "V": 4})
    assert vanadium.startswith("V is barred: cytotoxic")
    assert aluminium.startswith("Al is flagged: ")
    assert "(policy implant-titanium)" in vanadium


def test_a_limit_speaks_above_it_not_at_it() -> None:
    magnesium = policy("absorbable-magnesium")
    assert magnesium.flags({"Mg": 99.983, "Fe": 0.017}) == []  # the 170 ppm of DOMAIN §2.4
    (flag,) = magnesium.flags({"Mg": 99.982, "Fe": 0.018})
    assert flag.startswith("Fe is limited to 0.017 wt.%: ")


def test_an_element_of_amount_zero_is_not_there() -> None:
    assert policy("implant-titanium").flags({"Ti": 100.0, "V": 0.0}) == []


def test_none_bars_nothing() -> None:
    assert policy("none").barred == frozenset()
    assert policy("none").flags({"V": 50.0, "Be": 50.0}) == []


def test_no_rule_has_been_compared_with_its_source_yet_and_none_says_so() -> None:
    assert not any(rule.verified for _, rule in RULES)


def test_an_unknown_policy_is_named_with_those_there_are() -> None:
    with pytest.raises(AlloyloopError, match=r"no element policy named 'implant'.*implant-titanium"):
        policy("implant")
