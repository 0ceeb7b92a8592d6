"""`onevault credit`: credits are granted, paid for ahead, and listed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import click

from onevault import billing_calls as calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT, DATE
from onevault.cli.session import connect


@click.group("credit")
def command() -> None:
    """Credits are granted, paid for ahead, and listed."""


@command.command("grant")
@click.argument("customer")
@click.argument("amount", type=AMOUNT)
@click.option(
    "--kind",
    type=click.Choice(["promotion", "prepaid"]),
    default="promotion",
    show_default=True,
    help="A promotion lowers invoices, what is prepaid pays them.",
)
@click.option("--name", help="What it is called, once for each customer. [default: kind and day]")
@click.option("--expires", "expires_on", type=DATE, help="First day whose usage it does not pay for. [default: never]")
@click.option("--priority", type=int, help="Lower ones are used first. [default: 100]")
@click.option("--description", help="What invoices say of a promotion. [default: the kind]")
@json_option
def grant(
    customer: str,
    amount: Decimal,
    kind: str,
    name: str | None,
    expires_on: date | None,
    priority: int | None,
    description: str | None,
    as_json: bool,
) -> None:
    """Grant CUSTOMER a credit of AMOUNT USD."""
    with connect("dba") as (_, connection):
        record = calls.grant_credit(
            connection,
            customer,
            amount,
            kind=kind,
            name=name,
            expires_on=expires_on,
            priority=priority,
            description=description,
        )
    print_record(record, as_json=as_json)


@command.command("list")
@click.argument("customer")
@json_option
def show_list(customer: str, as_json: bool) -> None:
    """List the credits of CUSTOMER in the order in which they are used."""
    with connect("dba") as (_, connection):
        rows = calls.list_credits(connection, customer)
    print_rows(rows, as_json=as_json, empty="there are no credits")


@command.command("top-up")
@click.argument("customer")
@click.argument("amount", type=AMOUNT)
@click.option(
    "--reference", required=True, help="What the bank statement says; names the credit and makes it happen once."
)
@click.option("--expires", "expires_on", type=DATE, help="First day whose usage it does not pay for. [default: never]")
@json_option
def top_up(customer: str, amount: Decimal, reference: str, expires_on: date | None, as_json: bool) -> None:
    """Record that CUSTOMER has paid AMOUNT USD ahead."""
    with connect("dba") as (_, connection):
        outcome = calls.top_up(connection, customer, amount, reference, expires_on)
    print_record({"customer": customer, "reference": reference, "outcome": outcome}, as_json=as_json)
