"""`onevault prices`: what models cost."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from onevault import price_calls
from onevault.calls import Row
from onevault.cli.output import json_option, print_json, print_record, print_rows
from onevault.cli.session import connect


@click.group("prices")
def command() -> None:
    """What models cost."""


@command.command("sync")
@click.option("--apply", "applies", is_flag=True, help="Bring it in; without it, shown and asked about at a terminal.")
@json_option
def sync(applies: bool, as_json: bool) -> None:
    """Show what the public price book would change, and bring it in; what was set by hand is left alone."""
    from onevault.seed import compare_price_book, sync_price_book

    with connect("dba") as (_, connection):
        changes = compare_price_book(connection)
        if not as_json:
            _print_changes(changes)
        if not applies and not as_json and sys.stdin.isatty():
            applies = click.confirm("Bring it in?")
        done = sync_price_book(connection) if applies else {}
    if as_json:
        print_json(
            {"applied": applies, "counts": Counter(row["change"] for row in changes), **done, "changes": changes}
        )
    elif applies:
        print_record(done, as_json=False)
    else:
        click.echo("nothing was changed; bring it in with: onevault prices sync --apply")


@command.command("list")
@click.argument("provider", required=False)
@click.argument("model", required=False)
@click.option("--all", "all_prices", is_flag=True, help="Those too that are over or still to come.")
@json_option
def list_prices(provider: str | None, model: str | None, all_prices: bool, as_json: bool) -> None:
    """List prices in USD per million of what is counted."""
    with connect("dba") as (_, connection):
        rows = price_calls.list_prices(connection, provider, model)
    print_rows([row for row in rows if all_prices or row["is_in_force"]], as_json=as_json, empty="there are no prices")


def _print_changes(changes: Sequence[Row]) -> None:
    print_rows([_describe(row) for row in changes], as_json=False, empty="all prices are as the price book says")
    counts = Counter(row["change"] for row in changes)
    if counts:
        click.echo("\n" + ", ".join(f"{number} {change}" for change, number in sorted(counts.items())))


def _describe(row: Row) -> dict[str, Any]:
    """One change as a line: what of the price is not the plain case stands behind its meter."""
    tier = "batch" if row["mode"] == "batch" else row["service_tier"]
    above = f"above {row['threshold_tokens']}" if row["threshold_tokens"] else ""
    plain = ("", "standard")
    return {
        "change": "kept by hand" if row["change"] == "kept" else row["change"],
        "model": f"{row['provider']}/{row['model']}",
        "price": " ".join(
            part for part in (row["meter"], row["variant"], tier, row["region"], above) if part not in plain
        ),
        "before": row["usd_per_million_before"],
        "after": row["usd_per_million_before"] if row["change"] == "kept" else row["usd_per_million"],
        "from": row["valid_from"],
        "to": row["valid_to"],
    }
