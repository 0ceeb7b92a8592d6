"""`onevault tenant`: organisations whose customers call the gateway."""

from __future__ import annotations

from decimal import Decimal

import click

from onevault import calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT
from onevault.cli.session import connect


@click.group("tenant")
def command() -> None:
    """Organisations whose customers call the gateway."""


@command.command("create")
@click.argument("name")
@click.option("--time-zone", help="IANA name; budgets begin at its midnight. [default: UTC]")
@click.option("--markup", type=AMOUNT, metavar="PERCENT", help="Percent added to provider cost. [default: 20]")
@json_option
def create(name: str, time_zone: str | None, markup: Decimal | None, as_json: bool) -> None:
    """Make a tenant."""
    with connect("dba") as (_, connection):
        row = calls.insert_tenant(connection, name, time_zone, markup)
    print_record(row, as_json=as_json)


@command.command("list")
@json_option
def list_tenants(as_json: bool) -> None:
    """List tenants."""
    with connect("dba") as (_, connection):
        rows = calls.list_tenants(connection)
    print_rows(rows, as_json=as_json, empty="there are no tenants")
