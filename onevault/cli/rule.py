"""`onevault rule`: how calls are routed. Rules are written in SQL, into admin.routing_rule."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, TextIO

import click
import msgspec
from psycopg.pq import TransactionStatus

from onevault import calls
from onevault.cli.output import CommandError, json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT
from onevault.cli.session import connect

_SHORT = (
    "rule_priority", "rule_name", "is_active", "tenant", "customer", "token_id", "conditions", "deny_reason",
    "target_provider", "target_model", "targets", "fallbacks", "max_attempts",
)  # fmt: skip
_SHOWN = 20


@click.group("rule")
def command() -> None:
    """How calls are routed; written in SQL, into admin.routing_rule."""


@command.command("list")
@json_option
def list_rules(as_json: bool) -> None:
    """List rules in the order in which they are asked."""
    with connect("dba") as (_, connection):
        rows = calls.list_rules(connection)
    if not as_json:
        rows = [{column: row[column] for column in _SHORT} for row in rows]
    print_rows(rows, as_json=as_json, empty="there are no rules: the cheapest offer that fits is taken")


@command.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show one rule."""
    with connect("dba") as (_, connection):
        rows = calls.list_rules(connection, name)
    if not rows:
        raise CommandError(f"there is no rule {name!r}: `onevault rule list` lists them")
    print_record(rows[0], as_json=as_json)


@command.command("test")
@json_option
def test(as_json: bool) -> None:
    """Run the tests of the rulebook (rows of admin.routing_rule_test); fails if one fails."""
    with connect("dba") as (_, connection):
        rows = calls.test_rules(connection)
    failed = sum(row["complaint"] is not None for row in rows)
    print_rows(rows, as_json=as_json, empty="there are no tests: they are rows of admin.routing_rule_test")
    if failed:
        raise CommandError(f"{failed} of {len(rows)} tests fail")


@command.command("what-if")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How far back.")
@click.option(
    "--draft", type=click.File(), help="SQL that changes rules, prices or customers; it is rolled back in the end."
)
@json_option
def what_if(days: int, draft: TextIO | None, as_json: bool) -> None:
    """Show where the calls of the last days would go, and at what cost, by the rules of now or a draft of others."""
    with connect("dba") as (_, connection):
        connection.execute("begin")
        try:
            if draft is not None:
                connection.execute(draft.read().encode())
                if connection.info.transaction_status != TransactionStatus.INTRANS:
                    raise CommandError("the draft ended its transaction itself: leave BEGIN, COMMIT and ROLLBACK out")
            now = calls.read_clock(connection)
            rows = calls.what_if(connection, now - timedelta(days=days), now)
        finally:
            connection.execute("rollback")
    print_rows(rows, as_json=as_json, empty="there was no call that was answered")


@command.command("explain")
@click.argument("customer")
@click.argument("request_json", metavar="[REQUEST]", required=False)
@click.option("--model", help="Model asked for. [default: auto]")
@click.option("--type", "request_type", help="Type of the request. [default: completion]")
@click.option("--prompt-tokens", type=click.IntRange(min=0), metavar="N", help="Length of the prompt.")
@click.option("--max-output", type=click.IntRange(min=1), metavar="N", help="Longest answer wanted.")
@click.option("--max-cost", type=AMOUNT, help="Most it may cost.")
@click.option("--stream", is_flag=True, help="The answer is to be streamed.")
@click.option("--token", help="Id or name of the customer's token. [default: one without limits]")
@click.option("--all", "all_offers", is_flag=True, help=f"More than {_SHOWN} lines.")
@json_option
def explain(
    customer: str,
    request_json: str | None,
    model: str | None,
    request_type: str | None,
    prompt_tokens: int | None,
    max_output: int | None,
    max_cost: Decimal | None,
    stream: bool,
    token: str | None,
    all_offers: bool,
    as_json: bool,
) -> None:
    """Try what would become of a CUSTOMER's call, and why; nothing is called, reserved or counted.

    REQUEST is a JSON object of what routing looks at, like '{"metadata": {"team": "red"}}'; options add to it.
    """
    options: dict[str, Any] = {
        "model": model,
        "type": request_type,
        "prompt_tokens": prompt_tokens,
        "max_output_tokens": max_output,
        "max_cost": max_cost,
        "stream": stream or None,
        "token": token,
    }
    request = _read_request(request_json) | {name: value for name, value in options.items() if value is not None}
    with connect("dba") as (_, connection):
        rows = calls.explain_route(connection, customer, request)
    shown = rows if all_offers or as_json else rows[:_SHOWN]
    print_rows(shown, as_json=as_json, empty="there is no model to route to")
    if len(shown) < len(rows):
        click.echo(f"… and {len(rows) - len(shown)} more; --all shows them", err=True)


def _read_request(text: str | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise click.BadParameter(f"no JSON object: {error}", param_hint="REQUEST") from None
