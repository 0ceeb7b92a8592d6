"""`onevault prices`: what models cost."""

from __future__ import annotations

import click

from onevault import calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.session import connect


@click.group("prices")
def command() -> None:
    """What models cost."""


@command.command("sync")
@json_option
def sync(as_json: bool) -> None:
    """Bring the public price book in; what was set by hand is left alone."""
    from onevault.seed import sync_price_book

    with connect("dba") as (_, connection):
        row = sync_price_book(connection)
    print_record(row, as_json=as_json)


@command.command("list")
@click.argument("provider", required=False)
@click.argument("model", required=False)
@click.option("--all", "all_prices", is_flag=True, help="Those too that are over or still to come.")
@json_option
def list_prices(provider: str | None, model: str | None, all_prices: bool, as_json: bool) -> None:
    """List prices in USD per million tokens."""
    with connect("dba") as (_, connection):
        rows = calls.list_prices(connection, provider, model)
    print_rows([row for row in rows if all_prices or row["is_in_force"]], as_json=as_json, empty="there are no prices")
