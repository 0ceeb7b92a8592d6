"""The bill as text: the one of the brief to the cent, and what else can stand on it."""

from __future__ import annotations

from onevault.invoices import text
from onevault.invoices.document import read_value
from tests_py.invoices import sample

BRIEF = """\
OneVault AI Gateway - Monthly Bill
==================================

Invoice     OV-2026-000017
Status      final
Period      November 2026
Covers      2026-11-01 to 2026-11-30
Issued      2026-12-01
Due         2026-12-31
Customer    acme (tenant default)
Currency    USD
From        OneVault Gateway GmbH
            Lindenstraße 12
            10969 Berlin
            Germany
            Tax no. DE 312 555 017
            billing@onevault.example
To          Acme Health, Inc.
            500 Terry A. Francois Blvd
            San Francisco, CA 94158
            United States
            Tax no. US 94-3141592
            ap@acme.example

Base Usage:
- 1,000,000 tokens processed: $80.00
- Provider costs: $60.00
- Gateway markup: $20.00

Value-Added Services:
- Real-time Analytics Dashboard: $50.00
- Smart Routing & Optimization: $100.00
- Compliance Reporting (HIPAA): $200.00

Total: $430.00
Amount due by 2026-12-31: $430.00

How to pay:
Bank transfer to IBAN DE02 1203 0000 0000 2020 51, BIC BYLADEM1001
Reference: OV-2026-000017

Usage by provider and model:

Provider   Model              Requests  Input tokens  Cache read  Cache write  Output tokens  Provider cost, USD  \
Markup, USD  Amount, USD
---------  -----------------  --------  ------------  ----------  -----------  -------------  ------------------  \
-----------  -----------
anthropic  claude-sonnet-4-5       250       180,000      30,000       20,000         90,000               21.00  \
       7.00        28.00
openai     gpt-5-mini              640       310,000     120,000            0        150,000               22.50  \
       7.50        30.00
openai     gpt-5                   110        60,000           0            0         40,000               16.50  \
       5.50        22.00

Details:
- Requests: 1,000
- Measured savings: $41.25
- Exact charges for usage: $80.00
- Rounding remainder of all lines: $0.00
- As known at: 2026-12-01 09:00:00 UTC
"""


def test_the_bill_of_the_brief_is_right_to_the_cent() -> None:
    assert text.render(sample.sample()) == BRIEF


def test_a_bill_in_euros_tells_rate_tax_credits_and_what_is_left() -> None:
    shown = text.render(read_value(sample.euro()))
    assert (
        """
Base Usage:
- 106,419,769 tokens processed: €1,104.01
- Provider costs: $900.01
- Gateway markup: $300.00

Value-Added Services:
- Priority support (10 of 30 days): €153.33

Credits and Adjustments:
- Included usage of plan Scale: -€46.00
- Welcome credit: -€9.20
- Corrected price of gpt-5 in October: -€4.14

Subtotal: €1,198.00
VAT 19 % (DE): €227.62
Total: €1,425.62
From prepaid balance: -€400.00
Paid: -€25.62
Amount due by 2026-12-31: €1,000.00
"""
        in shown
    )
    assert (
        """
Details:
- Requests: 12,348
- Measured savings: -$3.50
- Paid to the providers by yourself, in no sum here: $12.35
- Exact charges for usage: $1,200.0136345678
- Rounding remainder of all lines: $0.0027650026
- Exchange rate: 1 USD = 0.92 EUR (2026-11-30)
"""
        in shown
    )


def test_columns_of_nothing_but_zeros_are_left_out() -> None:
    shown = text.render(read_value(sample.euro()))
    assert "Cache" not in shown
    assert "sandbox-small         3            12              4" in shown


def test_a_credit_note_says_what_it_gives_back() -> None:
    shown = text.render(read_value(sample.credit_note()))
    assert shown.startswith("OneVault AI Gateway - Credit Note\n")
    assert "\nCredit note OV-2026-000018\nRefers to   OV-2026-000017\n" in shown
    assert "\nTotal: -$100.00\nBalance of this credit note: -$100.00\n" in shown
    assert "Base Usage" not in shown
    assert "How to pay" not in shown


def test_an_invoice_and_its_credit_note_say_what_was_taken_off() -> None:
    shown = text.render(sample.sample(credited="100.00", due="330.00"))
    assert "\nTotal: $430.00\nCredited: -$100.00\nAmount due by 2026-12-31: $330.00\n" in shown
    note = sample.credit_note() | {"credited": "-60.00", "paid": "-40.00", "due": "0.00", "status": "paid"}
    assert (
        "\nTotal: -$100.00\nTaken off OV-2026-000017: $60.00\nRefunded: $40.00\nBalance of this credit note: $0.00\n"
        in text.render(read_value(note))
    )


def test_a_draft_has_no_number_and_says_what_it_is() -> None:
    shown = text.render(read_value(sample.draft()))
    assert "\n*** DRAFT ***  Not an invoice: figures as known at 2026-11-12 08:15 UTC.\n" in shown
    assert "\nInvoice     no number yet\n" in shown
    assert "\nTo          acme\n" in shown
    assert "\nAmount due: $430.00\n" in shown
    assert "Due  " not in shown


def test_a_void_invoice_asks_for_nothing() -> None:
    shown = text.render(sample.sample(status="void"))
    assert "*** VOID ***" in shown
    assert "Total: $430.00" in shown
    assert "Amount due" not in shown
    assert "How to pay" not in shown


def test_a_paid_invoice_says_so() -> None:
    shown = text.render(sample.sample(status="paid", paid="430.00", due="0.00"))
    assert "*** PAID ***" in shown
    assert "\nPaid: -$430.00\nAmount due: $0.00\n" in shown
    assert "How to pay" not in shown


def test_savings_that_are_not_known_are_not_told() -> None:
    assert "savings" not in text.render(sample.sample(usage=sample.brief()["usage"] | {"saved_usd": None}))


def test_usage_given_back_is_told_by_its_amount() -> None:
    note = sample.credit_note() | {"lines": [sample.usage_line(1, "-12.50")]}
    assert "\nBase Usage:\n- Usage: -$12.50\n" in text.render(read_value(note))


def test_several_taxes_are_summed() -> None:
    taxes = [sample.other_line(7, "TAX", "State tax 5 %", "21.50"), sample.other_line(8, "TAX", "City tax 1 %", "4.30")]
    shown = text.render(
        sample.sample(lines=sample.brief()["lines"] + taxes, tax_total="25.80", total="455.80", due="455.80")
    )
    assert "Subtotal: $430.00\nState tax 5 %: $21.50\nCity tax 1 %: $4.30\nTax: $25.80\nTotal: $455.80\n" in shown


def test_yen_have_no_decimals() -> None:
    lines = [sample.other_line(1, "SERVICE", "Priority support", "75000")]
    yen = {"currency": "JPY", "subtotal": "75000", "tax_total": "0", "total": "75000", "due": "75000"}
    assert "\nTotal: ¥75,000\n" in text.render(sample.sample(lines=lines, units_per_usd="150", **yen))


def test_a_name_neither_breaks_the_line_nor_turns_it() -> None:
    names = ["two\nlines\tand\x00more", "\u202e00.034$", "שלום"]
    shown = text.render(
        sample.sample(lines=[sample.other_line(n, "SERVICE", name, "1.00") for n, name in enumerate(names)])
    )
    assert "\n- two lines and\N{REPLACEMENT CHARACTER}more: $1.00\n" in shown
    assert "\n- \N{REPLACEMENT CHARACTER}00.034$: $1.00\n" in shown
    assert "\n- \N{FIRST STRONG ISOLATE}שלום\N{POP DIRECTIONAL ISOLATE}: $1.00\n" in shown


def test_columns_stand_under_each_other_whatever_the_script() -> None:
    lines = [
        sample.usage_line(n, "1.00") | {"provider": "p", "model": model, "requests": 1}
        for n, model in enumerate(("漢字株式会社", "e\u0301te\u0301", "plain"))
    ]
    rows = [line for line in text.render(sample.sample(lines=lines)).splitlines() if line.startswith("p  ")]
    assert rows == [
        "p         漢字株式会社         1         1.00",
        "p         e\u0301te\u0301                  1         1.00",
        "p         plain                1         1.00",
    ]
