"""Plans are listed, subscribed to, changed and cancelled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests_py.cli.conftest import Cli


def test_a_customer_goes_from_plan_to_plan(cli: Cli) -> None:
    today = datetime.now(UTC).date()
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    assert [(row["plan"], row["monthly_fee_usd"], row["customers"]) for row in cli.json("plan", "list")] == [
        ("analytics", 50, 0),
        ("advanced_routing", 100, 0),
        ("compliance_reporting", 200, 0),
        ("priority_support", 500, 0),
    ]
    cli.json("customer", "create", "acme")
    assert cli.text("plan", "list", "--customer", "acme") == "acme never had a plan\n"
    begun = cli.json("plan", "subscribe", "acme", "analytics", "--from", "2026-01-10", "--trial-until", "2026-02-01")
    assert begun == {
        "customer": "acme",
        "plan": "analytics",
        "valid_from": "2026-01-10",
        "valid_to": None,
        "trial_until": "2026-02-01",
    }
    assert cli.json("plan", "list")[0]["customers"] == 1
    changed = cli.json("plan", "change", "acme", "analytics", "advanced_routing")
    assert [(row["plan"], row["valid_from"], row["valid_to"]) for row in changed] == [
        ("analytics", "2026-01-10", f"{today}"),
        ("advanced_routing", f"{today}", None),
    ]
    (cancelled,) = cli.json("plan", "cancel", "acme", "advanced_routing", "--at-period-end")
    assert cancelled["valid_to"] == f"{following}"
    assert cli.text("plan", "cancel", "acme", "advanced_routing").startswith("it was to begin today or later")
    assert [row["plan"] for row in cli.json("plan", "list", "--customer", "ACME")] == ["analytics"]
    assert cli.refusal("plan", "cancel", "acme", "analytics").startswith("The customer 'acme' does not have the plan")
    assert "is no date" in cli.misuse("plan", "subscribe", "acme", "analytics", "--from", "2026-13-01")
