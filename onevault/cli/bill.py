"""`onevault bill`: what a customer owes for a month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

import click

from onevault import calls
from onevault.cli.output import CommandError, print_json, print_rows
from onevault.cli.parameters import MONTH
from onevault.cli.session import connect

_COLUMNS = {
    "provider": "Provider",
    "model": "Model",
    "request_count": "Requests",
    "input_tokens": "Input tokens",
    "cache_read_tokens": "Cache read",
    "cache_write_tokens": "Cache write",
    "output_tokens": "Output tokens",
    "provider_cost_usd": "Provider cost, USD",
    "markup_usd": "Markup, USD",
    "customer_cost_usd": "Charge, USD",
    "own_key_cost_usd": "By own keys, USD",
}
_SUMS = ("provider_cost_usd", "markup_usd", "customer_cost_usd", "own_key_cost_usd")
_CENT = Decimal("0.01")


@click.command("bill")
@click.argument("customer")
@click.option("--month", type=MONTH, help="Month of the tenant's calendar. [default: the current one]")
@click.option("--format", "form", type=click.Choice(["text", "json", "html", "pdf"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(customer: str, month: date | None, form: str, as_json: bool) -> None:
    """Print a customer's bill of a month, by provider and model."""
    if form == "pdf":
        raise CommandError("bills are not made as PDF yet: take --format html and print it from a browser")
    with connect("dba") as (_, connection):
        known = calls.was_customer(connection, customer)
        if known is None:
            raise CommandError(f"there is no customer {customer!r}: `onevault customer list` lists them")
        month = month or known["this_month"]
        lines = calls.read_bill(connection, known["customer"], month)
    bill = {
        "tenant": known["tenant"],
        "customer": known["customer"],
        "period": f"{month:%Y-%m}",
        "is_open": month >= known["this_month"],
        "currency": "USD",
        "lines": lines,
        **{name: sum((line[name] for line in lines), Decimal(0)) for name in _SUMS},
    }
    if form == "json" or as_json:
        print_json(bill)
    elif form == "html":
        click.echo(_html(bill, lines))
    else:
        _print_text(bill, lines)


def _print_text(bill: dict[str, Any], lines: Sequence[calls.Row]) -> None:
    click.echo(f"{_title(bill)}\n")
    print_rows(lines, as_json=False, empty="nothing was used")
    click.echo(f"\nprovider cost {_cents(bill['provider_cost_usd'])} + markup {_cents(bill['markup_usd'])} USD")
    click.echo(f"total {_cents(bill['customer_cost_usd'])} USD")
    if bill["own_key_cost_usd"]:
        click.echo(f"by own keys, paid to the providers themselves: {_cents(bill['own_key_cost_usd'])} USD")


def _title(bill: dict[str, Any]) -> str:
    so_far = ", so far" if bill["is_open"] else ""
    return f"OneVault AI Gateway: bill of {bill['customer']} ({bill['tenant']}) for {bill['period']}{so_far}"


def _cents(amount: Decimal) -> str:
    """Two decimals; an amount that they would hide is shown whole."""
    rounded = amount.quantize(_CENT)
    return f"{rounded:f}" if rounded or not amount else f"{amount.normalize():f}"


def _html(bill: dict[str, Any], lines: Sequence[calls.Row]) -> str:
    heading = "".join(f"<th>{name}</th>" for name in _COLUMNS.values())
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(_cell(line[name]))}</td>" for name in _COLUMNS) + "</tr>" for line in lines
    )
    title = escape(_title(bill))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 2rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ccc; padding: .25rem .75rem; text-align: right; }}
th:nth-child(-n+2), td:nth-child(-n+2) {{ text-align: left; }}
</style>
</head>
<body>
<h1>{title}</h1>
<table>
<thead><tr>{heading}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p>Provider cost {_cents(bill["provider_cost_usd"])} USD, markup {_cents(bill["markup_usd"])} USD.</p>
<p><strong>Total {_cents(bill["customer_cost_usd"])} USD</strong></p>
</body>
</html>"""


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)
