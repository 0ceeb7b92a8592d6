"""Credits: granted, paid for ahead, listed."""

from __future__ import annotations

from tests_py.cli.conftest import Cli


def test_credits_are_granted_topped_up_and_listed(cli: Cli) -> None:
    cli("customer", "create", "acme")
    flags = ["--name", "welcome", "--expires", "2099-01-01", "--priority", "5", "--description", "Welcome"]
    granted = cli.json("credit", "grant", "ACME", "20.50", *flags)
    assert (granted["customer"], granted["credit"], granted["credit_kind"]) == ("acme", "welcome", "PROMOTION")
    assert (granted["amount_usd"], granted["expires_on"], granted["priority"]) == (20.5, "2099-01-01", 5)
    assert granted["description"] == "Welcome"
    assert cli.json("credit", "top-up", "acme", "100", "--reference", "wire 1")["outcome"] == "topped up"
    assert cli.json("credit", "top-up", "acme", "100", "--reference", "wire 1")["outcome"] == "it is recorded already"
    assert "another payment" in cli.refusal("credit", "top-up", "acme", "99", "--reference", "wire 1")
    assert "prepaid" in cli.text("credit", "grant", "acme", "7", "--kind", "prepaid")
    shown = cli.json("credit", "list", "Acme")
    assert [(row["credit_kind"], row["remaining_usd"], row["expires_on"]) for row in shown] == [
        ("PROMOTION", 20.5, "2099-01-01"),
        ("PREPAID", 7, None),
        ("PREPAID", 100, None),
    ]
    assert "is no date" in cli.misuse("credit", "grant", "acme", "7", "--expires", "tomorrow")
