"""What the database gives is read exactly, or refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from onevault.invoices.document import contradictions, read, read_value
from tests_py.invoices import sample


def test_amounts_stay_exact() -> None:
    document = read(json.dumps(sample.euro()))
    assert document.lines[0].exact_usd == Decimal("1200.0012345678")
    assert document.total == Decimal("1425.62")
    assert document == read_value(sample.euro())


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"total": "NaN"},
        {"total": "Infinity"},
        {"total": "much"},
        {"total": None},
        {"currency": "usd"},
        {"currency": "USD\n"},
        {"currency": "<b>"},
        {"kind": "RECEIPT"},
        {"status": "open"},
        {"object": "bill"},
        {"known_at": "yesterday"},
        {"lines": [sample.usage_line(1, "1.00") | {"requests": -1}]},
        {"lines": [sample.usage_line(1, "1.00") | {"kind": "GIFT"}]},
        {"lines": [sample.usage_line(1, "1.00") | {"remainder_usd": "NaN"}]},
        {"seller": {"legal_name": None}},
    ],
    ids=str,
)
def test_what_no_invoice_has_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(json.dumps(sample.brief() | change))


@pytest.mark.parametrize("made", [sample.brief(), sample.euro(), sample.credit_note(), sample.draft(), sample.many(9)])
def test_the_samples_add_up(made: dict[str, Any]) -> None:
    assert contradictions(read_value(made)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"subtotal": "430.01", "total": "430.01", "due": "430.01"}, "the lines sum to 430.00, the subtotal is 430.01"),
        ({"tax_total": "1.00", "total": "431.00", "due": "431.00"}, "the lines of tax sum to 0, the tax is 1.00"),
        ({"total": "430.01", "due": "430.01"}, "the total is not subtotal plus tax"),
        ({"credited": "1.00"}, "what is due is not the total less what was credited, prepaid and paid"),
        ({"prepaid_applied": "1.00"}, "what is due is not the total less what was credited, prepaid and paid"),
        ({"paid": "1.00"}, "what is due is not the total less what was credited, prepaid and paid"),
    ],
)
def test_figures_that_do_not_add_up_are_named(change: dict[str, Any], sentence: str) -> None:
    assert contradictions(sample.sample(**change)) == [sentence]
