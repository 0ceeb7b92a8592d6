"""`onevault invoice`: a month is closed, paid, voided and given back by commands."""

from __future__ import annotations

from tests_py.cli.conftest import Cli
from tests_py.support.vault import load_fixtures


def test_a_month_is_closed_and_paid_by_commands(cli: Cli) -> None:
    load_fixtures(cli.database)
    cli.database.query("select test.make_offer('maker', 'model-a')")
    for customer, usd in (("acme", 10), ("zeta", 5)):
        cli.database.query("select test.make_customer(%s)", customer)
        cli.database.query("select test.booked(%s, '2026-01-15 10:00Z', %s)", customer, usd)
    assert [row["status"] for row in cli.json("invoice", "close", "2026-01", "--draft")] == ["draft", "draft"]
    acme, zeta = cli.json("invoice", "close", "2026-01")
    assert (acme["customer"], acme["total"], zeta["customer"], zeta["total"]) == ("acme", "10.00", "zeta", "5.00")
    number = acme["invoice_number"]
    assert cli.json("invoice", "pay", number, "10", "--reference", "bank 1")["outcome"] == "paid"
    note = cli.json("invoice", "credit-note", number, "2.5", "--reason", "an outage")
    assert note["refers_to"] == number
    assert cli.json("invoice", "refund", "acme", "2.5", "--reference", "bank 2")["outcome"] == "refunded"
    reissued = cli.json("invoice", "void", zeta["invoice_number"], "--reason", "wrong address", "--reissue")
    assert reissued["outcome"].startswith("void, in its place OV-")
    listed = [(row["invoice_kind"], row["invoice_status"]) for row in cli.json("invoice", "list", "--month", "2026-01")]
    assert sorted(listed) == [("CREDIT_NOTE", "PAID"), ("INVOICE", "FINAL"), ("INVOICE", "PAID"), ("INVOICE", "VOID")]
    assert number in cli.text("bill", "acme", "--month", "2026-01")
    assert "There is no invoice" in cli.refusal("invoice", "pay", "OV-0", "1", "--reference", "bank 3")
    assert "is not over" in cli.refusal("invoice", "close", "2999-01")
