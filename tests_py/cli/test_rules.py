"""Rules are read and tried; writing them is SQL."""

from __future__ import annotations

from tests_py.cli.conftest import Cli


def test_rules_are_listed_and_shown(cli: Cli) -> None:
    cli.database.query(
        "insert into admin.routing_rule (rule_name, rule_priority, conditions)"
        """ values ('reports', 10, '{"request_type": "report"}') returning 1"""
    )
    assert [row["rule_name"] for row in cli.json("rule", "list")] == ["reports", "default"]
    assert '{"request_type":"report"}' in cli.text("rule", "list")
    shown = cli.json("rule", "show", "Reports")
    assert (shown["rule_priority"], shown["conditions"]) == (10, {"request_type": "report"})
    assert cli.refusal("rule", "show", "none") == "there is no rule 'none': `onevault rule list` lists them"


def test_a_rule_is_tried_without_a_trace(cli: Cli) -> None:
    cli("provider", "set", "local", "--endpoint", "http://127.0.0.1:9/v1")
    for model, price in (("cheap", "1"), ("dear", "5")):
        cli.json("model", "set", "local", model, "--input", price, "--output", price)
    cli.json("customer", "create", "acme")
    cli.database.query(
        "insert into admin.routing_rule (rule_name, conditions, target_model)"
        """ values ('red', '{"metadata.team": "red"}', 'dear') returning 1"""
    )
    rows = cli.json("rule", "test", "acme", "--prompt-tokens", "1000", "--max-output", "1000")
    assert [(row["model"], row["rank"], row["chosen"]) for row in rows] == [("cheap", 1, True), ("dear", 2, False)]
    assert rows[0]["reason"] == "default: cheapest offer that fits"
    assert rows[0]["worst_case_cost_usd"] == 0.0024
    rows = cli.json("rule", "test", "acme", '{"metadata": {"team": "red"}}')
    (chosen,) = (row for row in rows if row["chosen"])
    assert (chosen["model"], chosen["reason"]) == ("dear", "red: cheapest offer of the model")
    assert "refused: The model 'x'" in cli.text("rule", "test", "acme", "--model", "x")
    assert cli.database.query("select count(*) from gateway.api_request_h") == [(0,)]

    assert cli.refusal("rule", "test", "nobody").startswith("There is no customer 'nobody'")
    assert cli.refusal("rule", "test", "acme", '{"modell": "x"}').startswith("A call has no attribute 'modell'")
    assert "no JSON object" in cli.misuse("rule", "test", "acme", "[1]")
