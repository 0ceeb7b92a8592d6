"""`onevault bill`: what a customer owes for a month."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import click

from onevault import billing_calls, calls
from onevault.cli.output import CommandError, write_json
from onevault.cli.parameters import MOMENT, MONTH
from onevault.cli.session import connect
from onevault.invoices import document, html, text
from onevault.invoices.document import Document

_SUMS = ("provider_cost_usd", "markup_usd", "customer_cost_usd", "own_key_cost_usd")


@click.command("bill")
@click.argument("customer")
@click.option("--month", type=MONTH, help="Month of the tenant's calendar. [default: the current one]")
@click.option("--format", "form", type=click.Choice(["text", "json", "html", "pdf"]), default="text", show_default=True)
@click.option("--as-known", "known_at", type=MOMENT, help="As it was known at this moment. [default: now]")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it here instead of printing it.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    customer: str, month: date | None, form: str, known_at: datetime | None, output: Path | None, as_json: bool
) -> None:
    """Print a customer's bill of a month: the invoice, or the draft of a month that is not closed."""
    with connect("dba") as (_, connection):
        known = calls.was_customer(connection, customer)
        if known is None:
            raise CommandError(f"there is no customer {customer!r}: `onevault customer list` lists them")
        month = month or known["this_month"]
        if month > known["this_month"]:
            raise CommandError(f"{month:%Y-%m} is still to come: this month is {known['this_month']:%Y-%m}")
        invoice = billing_calls.read_bill_document(connection, known["customer"], month, known_at)
        lines = calls.read_bill(connection, known["customer"], month)
    if form == "json" or as_json:
        sums = {name: sum((line[name] for line in lines), Decimal(0)) for name in _SUMS}
        bill = {
            "tenant": known["tenant"],
            "customer": known["customer"],
            "period": f"{month:%Y-%m}",
            "is_open": month >= known["this_month"],
            "currency": "USD",
            "lines": lines,
            **sums,
            "invoice": json.loads(invoice),
        }
        _give((write_json(bill) + "\n").encode(), output)
    else:
        _give(_render(document.read(invoice), form, output), output)


def _render(paper: Document, form: str, output: Path | None) -> bytes:
    if form == "html":
        return html.render(paper).encode()
    if form == "text":
        return text.render(paper).encode()
    if output is None and sys.stdout.isatty():
        raise CommandError("a PDF is nothing for a terminal: add --output FILE, or redirect it")
    # Only who wants one waits for what makes it.
    from onevault.invoices import pdf

    return pdf.render(paper)


def _give(told: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(told)
    else:
        output.write_bytes(told)
