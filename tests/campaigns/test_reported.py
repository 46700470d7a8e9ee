"""What people write of a measurement, and the three numbers that it is: a mean, a scatter, a count."""

from __future__ import annotations

from contextlib import suppress
from math import isnan, nan, sqrt
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.reported import Reported, of_repetitions, read_reported
from alloyloop.surrogates.errors import AlloyloopError


@pytest.mark.parametrize(
    ("text", "value", "std", "n"),
    [
        ("58.2", 58.2, nan, 0),
        ("58.2 (n=3)", 58.2, nan, 3),
        ("58.2 ± 1.1", 58.2, 1.1, 0),
        ("58.2+-1.1", 58.2, 1.1, 0),
        ("58.2 +/- 1.1 (n=5)", 58.2, 1.1, 5),
        ("58.2 ± 1.1 (sd, n = 5)", 58.2, 1.1, 5),
        ("58.2 ± 0.5 (SEM, n=4)", 58.2, 0.5 * sqrt(4), 4),  # the standard error is the deviation over the root of n
        ("1234.5", 1234.5, nan, 0),
        ("200,210", 205.0, stdev([200, 210]), 2),
        ("58.2; 59.1; 57.7", mean([58.2, 59.1, 57.7]), stdev([58.2, 59.1, 57.7]), 3),
        ("58,2; 59,1; 57,7", mean([58.2, 59.1, 57.7]), stdev([58.2, 59.1, 57.7]), 3),
        ("58.2,59.1,57.7 (n=3)", mean([58.2, 59.1, 57.7]), stdev([58.2, 59.1, 57.7]), 3),
    ],
)
def test_a_measurement_is_read_in_the_forms_people_write(text: str, value: float, std: float, n: int) -> None:
    read = read_reported("E", text)
    assert read.value == pytest.approx(value)
    assert (read.n, read.censored) == (n, "")
    assert (isnan(read.std) and isnan(std)) or read.std == pytest.approx(std)


@pytest.mark.parametrize(("text", "sign"), [("<12", "<"), ("≥ 12", ">"), ("> 12 (n=2)", ">")])
def test_a_bound_stays_a_bound(text: str, sign: str) -> None:
    assert read_reported("A", text).cells("A", "{:g}".format)["A"] == f"{sign}12"


def test_it_is_said_what_a_scatter_was_taken_for_unless_it_says_so_itself() -> None:
    assert (
        read_reported("E", "58.2 ± 1.1").remark == "± 1.1 of E is taken for the standard deviation between replicates."
    )
    assert read_reported("E", "58.2 ± 1.1 (sd)").remark == ""
    assert read_reported("E", "58.2 ± 1.1 (se, n=3)").remark == ""


def test_decimal_commas_are_read_where_the_table_has_them() -> None:
    assert read_reported("E", "58,2 ± 1,1 (n=5)", ",") == Reported(
        58.2, 1.1, 5, remark="± 1.1 of E is taken for the standard deviation between replicates."
    )
    assert read_reported("E", "58,2;59,1", ",").n == 2


def test_numbers_are_written_with_two_decimals_more_than_replicates_have() -> None:
    cells = read_reported("E", "58.2,59.1,57.7").cells("E", "{:.12g}".format)
    assert cells == {"E": "58.333", "E_std": "0.709", "E_n": "3"}  # by hand, in test_recording.py


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("58,2", "would be 2 measurements, 58 and 2. Write 58.2 if these commas are decimal marks"),
        ("1,234.5", "would be 2 measurements, 1 and 234.5. Write 1234.5 if these commas are of thousands"),
        ("12,345,678", "would be 3 measurements, 12, 345 and 678. Write 12345678 if"),
        ("<12,13", "The replicate <12 of E is only a bound"),
        ("58 ± 1,59 ± 1", "The replicate 58 ± 1 of E is a mean with its scatter"),
        ("58.2,,57.7", "One of the replicates of E is empty"),
        ("58.2,59.1 (n=3)", "E has 2 replicates, and n=3 is said"),
        ("58.2 (n=0)", "E cannot be the mean of 0 replicates"),
        ("58.2 (soft)", "'(soft)' behind E is not understood"),
        ("58.2 (sd)", "names a scatter and gives none"),
        ("58.2 ± 0.5 (se)", "standard error of E says nothing of its scatter without the number of replicates"),
        ("58.2 ± -0.5", "A scatter of -0.5 of E is negative"),
        ("soft", "'soft' is not a number"),
    ],
)
def test_what_may_mean_two_things_is_refused(text: str, says: str) -> None:
    with pytest.raises(AlloyloopError) as error:
        read_reported("E", text)
    assert says in str(error.value)


@given(st.text("0123456789.,;<>±+-() nse=", max_size=20), st.sampled_from(".,"))
def test_whatever_is_written_is_a_finite_number_or_refused(text: str, decimal: str) -> None:
    with suppress(AlloyloopError):
        read = read_reported("E", text, decimal)
        assert abs(read.value) < float("inf")
        assert isnan(read.std) or read.std >= 0


def test_repetitions_of_a_computed_property_are_its_replicates() -> None:
    assert of_repetitions([0.71104, 0.73551]) == Reported(0.7233, float(f"{stdev([0.71104, 0.73551]):.3g}"), 2)
