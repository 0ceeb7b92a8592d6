"""The only SQL of the commands about money: doors of `admin`, the close of a month, views of `business_vault`.

As in `onevault/calls.py`: every function takes an open connection and commits nothing; what the database refuses comes
out as `psycopg.Error` with SQLSTATE VG and an HTTP status.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, LiteralString

from onevault.calls import Connection, Row, fetch_all, fetch_one

_INVOICES: Final = """
select
    i.invoice_number, i.invoice_kind, i.invoice_status, i.tenant, i.customer, i.billing_period, i.issued_on, i.due_on,
    i.currency, i.total_amount, i.due_amount
from business_vault.invoice as i
where
    (%(customer)s::text is null or lower(i.customer) = lower(%(customer)s))
    and (%(month)s::date is null or i.billing_period = %(month)s)
order by i.billing_period desc, i.tenant, i.customer, i.invoice_number
"""

_CREDITS: Final = """
select
    c.customer, c.credit, c.credit_kind, c.amount_usd, c.used_usd, c.expired_usd, c.remaining_usd, c.priority,
    c.valid_from, nullif(c.expires_on, 'infinity') as expires_on, c.description
from admin.credit as c
where lower(c.customer) = lower(%s)
order by c.priority, c.expires_on nulls last, c.credit
"""
# What is not given is left to the view.
_GRANT: Final = """
insert into admin.credit (customer, credit, credit_kind, amount_usd, priority, expires_on, description)
values (%(customer)s, %(credit)s, %(kind)s, %(amount)s, %(priority)s, %(expires_on)s, %(description)s)
returning
    customer, credit, credit_kind, amount_usd, priority, valid_from, nullif(expires_on, 'infinity') as expires_on,
    description
"""


def read_bill_document(connection: Connection, customer: str, month: date | None, known_at: datetime | None) -> str:
    """The bill of a month as JSON (see onevault.invoices): the invoice, or a draft; now, or as known at a moment."""
    statement = "select admin.sp_read_bill(%s, %s, %s)::text as told"
    return _text(connection, statement, (customer, month, known_at))


def close_month(connection: Connection, month: date, tenant: str | None, *, finalise: bool) -> list[Row]:
    """The invoices of the month, which is closed by then; or drafts of them."""
    fetch_all(connection, "select set_config('statement_timeout', '0', true)")
    statement = "select c.* from gateway.sp_close_month(%s, %s, %s) as c"
    return fetch_all(connection, statement, (month, tenant, finalise))


def list_invoices(connection: Connection, customer: str | None, month: date | None) -> list[Row]:
    """Rows of business_vault.invoice, the newest month first."""
    return fetch_all(connection, _INVOICES, {"customer": customer, "month": month})


def record_payment(connection: Connection, number: str, amount: Decimal, reference: str) -> str:
    """Whether the invoice is paid by it; `amount` in its currency."""
    return _text(connection, "select admin.record_payment(%s, %s, %s) as told", (number, amount, reference))


def record_refund(connection: Connection, customer: str, amount: Decimal, reference: str) -> str:
    """What became of it; `amount` in USD."""
    return _text(connection, "select admin.record_refund(%s, %s, %s) as told", (customer, amount, reference))


def void_invoice(connection: Connection, number: str, reason: str, *, reissue: bool) -> str:
    """What became of it, with the number of the one in its place."""
    return _text(connection, "select admin.void_invoice(%s, %s, %s) as told", (number, reason, reissue))


def issue_credit_note(connection: Connection, number: str, amount: Decimal, reason: str) -> str:
    """The credit note's number; `amount` in the invoice's currency."""
    return _text(connection, "select admin.issue_credit_note(%s, %s, %s) as told", (number, amount, reason))


def grant_credit(
    connection: Connection,
    customer: str,
    amount: Decimal,
    *,
    kind: str,
    name: str | None,
    expires_on: date | None,
    priority: int | None,
    description: str | None,
) -> Row:
    """The credit as it was granted; `amount` in USD."""
    values = {
        "customer": customer,
        "credit": name,
        "kind": kind,
        "amount": amount,
        "priority": priority,
        "expires_on": expires_on,
        "description": description,
    }
    return fetch_one(connection, _GRANT, values)


def list_credits(connection: Connection, customer: str) -> list[Row]:
    """Rows of admin.credit in the order in which they are used."""
    return fetch_all(connection, _CREDITS, (customer,))


def top_up(connection: Connection, customer: str, amount: Decimal, reference: str, expires_on: date | None) -> str:
    """What became of it; `amount` in USD."""
    statement = "select admin.top_up(%s, %s, %s, coalesce(%s::date, 'infinity')) as told"
    return _text(connection, statement, (customer, amount, reference, expires_on))


def _text(connection: Connection, statement: LiteralString, values: Sequence[Any]) -> str:
    return str(fetch_one(connection, statement, values)["told"])
