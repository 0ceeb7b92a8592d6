"""`onevault invoice`: months are closed, invoices listed, paid, voided and given back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import click

from onevault import billing_calls as calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT, MONTH
from onevault.cli.session import connect


@click.group("invoice")
def command() -> None:
    """Months are closed, invoices listed, paid, voided and given back."""


@command.command("close")
@click.argument("month", type=MONTH)
@click.option("--tenant", help="Close it for this tenant alone. [default: for all]")
@click.option("--draft", is_flag=True, help="Make out drafts instead, without numbers.")
@json_option
def close(month: date, tenant: str | None, draft: bool, as_json: bool) -> None:
    """Close MONTH (yyyy-mm): every invoice is made out and numbered. Closed again it changes nothing."""
    with connect("dba") as (_, connection):
        rows = calls.close_month(connection, month, tenant, finalise=not draft)
    print_rows(rows, as_json=as_json, empty="there is nothing to bill")


@command.command("list")
@click.argument("customer", required=False)
@click.option("--month", type=MONTH, help="Those of this month. [default: all]")
@json_option
def show_list(customer: str | None, month: date | None, as_json: bool) -> None:
    """List invoices and credit notes, of CUSTOMER or of all."""
    with connect("dba") as (_, connection):
        rows = calls.list_invoices(connection, customer, month)
    print_rows(rows, as_json=as_json, empty="there are no invoices")


@command.command("pay")
@click.argument("number")
@click.argument("amount", type=AMOUNT)
@click.option("--reference", required=True, help="What the bank statement says; makes it happen once.")
@json_option
def pay(number: str, amount: Decimal, reference: str, as_json: bool) -> None:
    """Record that AMOUNT of the invoice NUMBER was paid, in its currency."""
    with connect("dba") as (_, connection):
        outcome = calls.record_payment(connection, number, amount, reference)
    print_record({"invoice_number": number, "outcome": outcome}, as_json=as_json)


@command.command("refund")
@click.argument("customer")
@click.argument("amount", type=AMOUNT)
@click.option("--reference", required=True, help="What the bank statement says; makes it happen once.")
@json_option
def refund(customer: str, amount: Decimal, reference: str, as_json: bool) -> None:
    """Record that AMOUNT USD went back to CUSTOMER, who has that too much."""
    with connect("dba") as (_, connection):
        outcome = calls.record_refund(connection, customer, amount, reference)
    print_record({"customer": customer, "outcome": outcome}, as_json=as_json)


@command.command("void")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it is kept.")
@click.option("--reissue", is_flag=True, help="Make out another one of the same month at once.")
@json_option
def void(number: str, reason: str, reissue: bool, as_json: bool) -> None:
    """Make the unpaid invoice NUMBER void."""
    with connect("dba") as (_, connection):
        outcome = calls.void_invoice(connection, number, reason, reissue=reissue)
    print_record({"invoice_number": number, "outcome": outcome}, as_json=as_json)


@command.command("credit-note")
@click.argument("number")
@click.argument("amount", type=AMOUNT)
@click.option("--reason", required=True, help="What for; it stands on the credit note.")
@json_option
def credit_note(number: str, amount: Decimal, reason: str, as_json: bool) -> None:
    """Give AMOUNT of the invoice NUMBER back, tax included, in its currency."""
    with connect("dba") as (_, connection):
        note = calls.issue_credit_note(connection, number, amount, reason)
    print_record({"invoice_number": note, "refers_to": number}, as_json=as_json)
