"""`onevault webhook`: the secret that signs a customer's events, and a test of where they go."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

import click
import psycopg

from onevault import webhook_calls
from onevault.calls import Row
from onevault.cli.output import CommandError, json_option, print_json, print_record
from onevault.cli.session import connect, use_database
from onevault.envelope import load_keyring
from onevault.issuing import make_webhook_secret

_OVERLAP = timedelta(hours=24)
_POLL_SECONDS = 0.1


@click.group("webhook")
def command() -> None:
    """What tells customers of events."""


@command.command("secret")
@click.argument("customer")
@click.option("--at-once", is_flag=True, help="The one before signs no more. [default: for 24 hours, beside this one]")
@json_option
def secret(customer: str, at_once: bool, as_json: bool) -> None:
    """Make the secret that signs a customer's events, or the next one; it is printed this once."""
    overlap = timedelta(0) if at_once else _OVERLAP
    with connect("dba") as (settings, connection):
        made, number = make_webhook_secret(connection, load_keyring(settings), customer, overlap)
    print_record({"customer": customer, "webhook_secret": made.reveal(), "number": number}, as_json=as_json)
    if not as_json:
        click.echo("Keep the secret: it is shown this once.", err=True)
        if number > 1 and not at_once:
            click.echo("For 24 hours events are signed with the one before it too.", err=True)


@command.command("test")
@click.argument("customer")
@click.option("--wait", type=click.FloatRange(1, 600), default=30.0, show_default=True, help="Seconds to wait.")
@json_option
def test(customer: str, wait: float, as_json: bool) -> None:
    """Send an event webhook.test by queue and worker and tell how the endpoint answered; exit code 1 if not by 2xx."""
    with use_database() as (_, database), psycopg.connect(database.dsn("dba"), autocommit=True) as connection:
        event_id = webhook_calls.send_test(connection, customer)
        until = time.monotonic() + wait
        row = webhook_calls.read_delivery(connection, event_id)
        while row["delivery_state"] == "WAITING" and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            row = webhook_calls.read_delivery(connection, event_id)
    is_delivered = row["delivery_state"] == "DELIVERED"
    if as_json:
        print_json(row)
    elif is_delivered:
        click.echo(f"delivered: {row['last_http_status']} in {row['last_latency_ms']} ms")
    else:
        raise CommandError(_explain(row, wait))
    sys.exit(0 if is_delivered else 1)


def _explain(row: Row, wait: float) -> str:
    if row["delivery_state"] == "WAITING":
        return (
            f"not delivered: no worker took it within {wait:g} seconds. Start one with `onevault work` or "
            f"`onevault up`; {row['event_id']} waits for it"
        )
    status = f" ({row['last_http_status']} in {row['last_latency_ms']} ms)" if row["last_http_status"] else ""
    return f"not delivered: {row['finding']}{status}. {row['remedy']}"
