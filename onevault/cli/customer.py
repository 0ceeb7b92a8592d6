"""`onevault customer`: who calls and is billed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import click

from onevault import calls
from onevault.cli.output import CommandError, json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT, WORDS
from onevault.cli.session import connect
from onevault.cli.token import print_token
from onevault.envelope import load_keyring
from onevault.issuing import issue, make_webhook_secret

_SHORT = (
    "tenant",
    "customer",
    "priority_tier",
    "rate_limit_requests_per_minute",
    "cost_budget_daily",
    "cost_budget_monthly",
    "compliance",
    "is_active",
)


@click.group("customer")
def command() -> None:
    """Who calls the gateway and is billed."""


@command.command("create")
@click.argument("name")
@click.option("--tenant", help="Organisation it belongs to. [default: default]")
@click.option("--tier", help="BASIC, STANDARD or PREMIUM. [default: STANDARD]")
@click.option("--daily-budget", type=AMOUNT, help="Most it may spend a day. [default: no limit]")
@click.option("--monthly-budget", type=AMOUNT, help="Most it may spend a month. [default: no limit]")
@click.option("--rpm", type=click.IntRange(min=1), metavar="N", help="Requests a minute. [default: no limit]")
@click.option("--compliance", type=WORDS, help="Levels that providers must meet, like HIPAA,GDPR.")
@click.option("--preferred", type=WORDS, help="Providers to try first, like openai,anthropic.")
@click.option("--models", type=WORDS, help="Models it may use. [default: all]")
@click.option("--webhook-url", help="Where events are told; https. Its secret is printed too.")
@json_option
def create(
    name: str,
    tenant: str | None,
    tier: str | None,
    daily_budget: Decimal | None,
    monthly_budget: Decimal | None,
    rpm: int | None,
    compliance: list[str] | None,
    preferred: list[str] | None,
    models: list[str] | None,
    webhook_url: str | None,
    as_json: bool,
) -> None:
    """Make a customer and its first token, which is printed this once, as is the secret of its webhook."""
    with connect("dba") as (settings, connection):
        keyring = load_keyring(settings)
        row = calls.insert_customer(
            connection,
            {
                "customer": name,
                "tenant": tenant,
                "priority_tier": tier,
                "cost_budget_daily": daily_budget,
                "cost_budget_monthly": monthly_budget,
                "rate_limit_requests_per_minute": rpm,
                "compliance": compliance,
                "preferred_providers": preferred,
                "allowed_models": models,
                "webhook_url": webhook_url,
            },
        )
        issued = issue(connection, keyring, row["customer"], {"token_name": "first"})
        webhook_secret = None
        if webhook_url:
            webhook_secret, _ = make_webhook_secret(connection, keyring, row["customer"], timedelta(0))
    print_token(issued, webhook_secret, as_json=as_json)


@command.command("list")
@json_option
def list_customers(as_json: bool) -> None:
    """List customers; --json tells everything about them."""
    with connect("dba") as (_, connection):
        rows = calls.list_customers(connection)
    if not as_json:
        rows = [{name: row[name] for name in _SHORT} for row in rows]
    print_rows(rows, as_json=as_json, empty="there are no customers")


@command.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show one customer."""
    with connect("dba") as (_, connection):
        rows = calls.list_customers(connection, name)
    if not rows:
        raise CommandError(f"there is no customer {name!r}: `onevault customer list` lists them")
    print_record(rows[0], as_json=as_json)
