"""Figures are written as people write them, and none is rounded away."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevault.invoices import amounts


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("1234.56", "USD", "$1,234.56"),
        ("1234.56", "EUR", "€1,234.56"),
        ("0.1", "GBP", "£0.10"),
        ("-0.10", "EUR", "−€0.10"),
        ("-0.00", "USD", "$0.00"),
        ("1234", "JPY", "¥1,234"),
        ("12", "CHF", "CHF\N{NO-BREAK SPACE}12.00"),
        ("-1234.5", "CAD", "−CAD\N{NO-BREAK SPACE}1,234.50"),
        ("1.5", "KWD", "KWD\N{NO-BREAK SPACE}1.500"),
        ("1E+3", "USD", "$1,000.00"),
        ("12345678901234567890.12", "USD", "$12,345,678,901,234,567,890.12"),
        ("0.005", "USD", "$0.005"),
        ("10.5", "JPY", "¥10.5"),
    ],
)
def test_an_amount_of_a_currency(amount: str, currency: str, written: str) -> None:
    assert amounts.write_amount(Decimal(amount), currency) == written


@pytest.mark.parametrize(
    ("amount", "cents", "exact"),
    [
        ("60", "$60.00", "$60.00"),
        ("60.0000000001", "$60.00", "$60.0000000001"),
        ("0.0000120000", "$0.000012", "$0.000012"),
        ("0.125", "$0.12", "$0.125"),
        ("0.135", "$0.14", "$0.135"),
        ("0", "$0.00", "$0.00"),
        ("-3.5", "−$3.50", "−$3.50"),
    ],
)
def test_exact_dollars_to_the_cent_or_whole(amount: str, cents: str, exact: str) -> None:
    assert amounts.write_usd(Decimal(amount)) == cents
    assert amounts.write_exact_usd(Decimal(amount)) == exact


def test_a_column_has_as_many_decimals_as_its_smallest_figure_needs() -> None:
    column = [Decimal("900"), None, Decimal("0.000123"), Decimal(0), Decimal("-1234.5")]
    assert amounts.write_column(column, minus="-") == ["900.0000", "", "0.0001", "0.0000", "-1,234.5000"]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**9), max_value=10**9))
def test_no_amount_looks_like_nothing_or_like_another(amount: Decimal) -> None:
    written = amounts.write_exact_usd(amount, minus="-")
    assert Decimal(written.replace("$", "").replace(",", "")) == amount
    (figure,) = amounts.write_column([amount])
    assert (amount == 0) == (not figure.strip("−0.,"))
