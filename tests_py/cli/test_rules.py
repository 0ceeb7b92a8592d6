"""Rules are read and tried; writing them is SQL."""

from __future__ import annotations

from pathlib import Path

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
    rows = cli.json("rule", "explain", "acme", "--prompt-tokens", "1000", "--max-output", "1000")
    assert [(row["model"], row["rank"], row["chosen"]) for row in rows] == [("cheap", 1, True), ("dear", 2, False)]
    assert rows[0]["reason"] == "default: cheapest offer that fits"
    assert rows[0]["worst_case_cost_usd"] == 0.0024
    rows = cli.json("rule", "explain", "acme", '{"metadata": {"team": "red"}}')
    (chosen,) = (row for row in rows if row["chosen"])
    assert (chosen["model"], chosen["reason"]) == ("dear", "red: cheapest offer of the model")
    assert "refused: The model 'x'" in cli.text("rule", "explain", "acme", "--model", "x")
    assert cli.database.query("select count(*) from gateway.api_request_h") == [(0,)]

    assert cli.refusal("rule", "explain", "nobody").startswith("There is no customer 'nobody'")
    assert cli.refusal("rule", "explain", "acme", '{"modell": "x"}').startswith("A call has no attribute 'modell'")
    assert "no JSON object" in cli.misuse("rule", "explain", "acme", "[1]")


def test_tests_of_the_rulebook_run(cli: Cli) -> None:
    assert cli.text("rule", "test").startswith("there are no tests")
    cli("provider", "set", "local", "--endpoint", "http://127.0.0.1:9/v1")
    cli.json("model", "set", "local", "small", "--input", "1", "--output", "1")
    cli.json("customer", "create", "acme")
    cli.database.query(
        "insert into admin.routing_rule_test (test_name, customer, expected_model)"
        " values ('small', 'acme', 'small') returning 1"
    )
    assert cli.json("rule", "test") == [{"test_name": "small", "complaint": None}]


def test_a_draft_is_asked_about_and_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    draft = tmp_path / "draft.sql"
    draft.write_text("insert into admin.routing_rule (rule_name, deny_reason) values ('drafted', 'No.');")
    assert cli.json("rule", "what-if", "--draft", str(draft)) == []
    assert "drafted" not in [row["rule_name"] for row in cli.json("rule", "list")]
    draft.write_text("commit;")
    assert cli.refusal("rule", "what-if", "--draft", str(draft)).startswith("the draft ended its transaction itself")
