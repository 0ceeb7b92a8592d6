"""`onevault token`: what customers call with."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import click

from onevault import calls
from onevault.cli.output import CommandError, json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT, MOMENT, NETWORKS, WORDS
from onevault.cli.session import connect
from onevault.envelope import load_keyring
from onevault.issuing import IssuedToken, issue
from onevault.tokens import Secret


@click.group("token")
def command() -> None:
    """What customers call with."""


@command.command("issue")
@click.argument("customer")
@click.option("--name", help="What people call it. [default: token]")
@click.option("--expires", type=MOMENT, help="When it ends, or in how long. [default: never]")
@click.option("--daily-budget", type=AMOUNT, help="Most it may spend a day. [default: the customer's]")
@click.option("--monthly-budget", type=AMOUNT, help="Most it may spend a month. [default: the customer's]")
@click.option("--rpm", type=click.IntRange(min=1), metavar="N", help="Requests a minute. [default: the customer's]")
@click.option("--models", type=WORDS, help="Models it may use. [default: the customer's]")
@click.option("--scopes", type=WORDS, help="What it may be used for. [default: inference,usage,billing]")
@click.option("--from", "networks", type=NETWORKS, help="Networks it may be used from. [default: any]")
@json_option
def issue_token(
    customer: str,
    name: str | None,
    expires: datetime | None,
    daily_budget: Decimal | None,
    monthly_budget: Decimal | None,
    rpm: int | None,
    models: list[str] | None,
    scopes: list[str] | None,
    networks: list[str] | None,
    as_json: bool,
) -> None:
    """Issue another token to a customer; it is printed this once."""
    token = {
        "token_name": name,
        "expires_at": expires,
        "cost_budget_daily": daily_budget,
        "cost_budget_monthly": monthly_budget,
        "rate_limit_requests_per_minute": rpm,
        "allowed_models": models,
        "scopes": scopes,
        "allowed_addresses": networks,
    }
    with connect("dba") as (settings, connection):
        issued = issue(connection, load_keyring(settings), customer, token)
    print_token(issued, as_json=as_json)


@command.command("list")
@click.argument("customer")
@json_option
def list_tokens(customer: str, as_json: bool) -> None:
    """List a customer's tokens, the newest first, without what is secret."""
    with connect("dba") as (_, connection):
        rows = calls.list_tokens(connection, customer)
        if not rows and calls.was_customer(connection, customer) is None:
            raise CommandError(f"there is no customer {customer!r}: `onevault customer list` lists them")
    if not as_json:
        rows = [{key: value for key, value in row.items() if key not in ("customer", "scopes")} for row in rows]
    print_rows(rows, as_json=as_json, empty="it has no tokens")


@command.command("revoke")
@click.argument("token_id", metavar="ID")
@json_option
def revoke(token_id: str, as_json: bool) -> None:
    """Revoke a token for good, from the next call on."""
    with connect("dba") as (_, connection):
        row = calls.revoke_token(connection, token_id)
    if row is None:
        raise CommandError(f"there is no token {token_id!r}: `onevault token list CUSTOMER` lists their ids")
    print_record(row, as_json=as_json)


def print_token(issued: IssuedToken, webhook_secret: Secret[str] | None = None, *, as_json: bool) -> None:
    """Prints a new token, and the secret of a new webhook, the one time that they can be seen."""
    record = {
        "tenant": issued.tenant,
        "customer": issued.customer,
        "token": issued.token.reveal(),
        "token_id": issued.token_id,
    }
    if webhook_secret is not None:
        record["webhook_secret"] = webhook_secret.reveal()
    print_record(record, as_json=as_json)
    if not as_json:
        both = "the token: it is" if webhook_secret is None else "the token and the webhook's secret: they are"
        click.echo(f"Keep {both} shown this once.", err=True)
