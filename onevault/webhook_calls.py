"""The SQL of webhooks for the command line: the doors that set secrets and send a test, and the view of deliveries.

Every function takes an open connection of a DBA or the owner, and commits nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from onevault.calls import Connection, Row

_SET: Final = "select admin.sp_set_webhook_secret(%s, %s, %s, %s, %s, %s) as number"
_READ: Final = "select d.* from admin.webhook_delivery as d where d.event_id = %s"


def identify_secret(connection: Connection, customer: str) -> bytes:
    """What a customer's next webhook secret is to be sealed for."""
    identity: bytes = _one(connection, "select admin.sp_identify_webhook_secret(%s) as identity", (customer,))[
        "identity"
    ]
    return identity


def set_secret(
    connection: Connection,
    customer: str,
    identity: bytes,
    *,
    fingerprint: bytes,
    sealed: bytes,
    encryption_key_id: str,
    overlap: timedelta,
) -> int:
    """Its number among the customer's secrets; those before it sign beside it for `overlap`."""
    number: int = _one(connection, _SET, (customer, identity, fingerprint, sealed, encryption_key_id, overlap))[
        "number"
    ]
    return number


def send_test(connection: Connection, customer: str) -> str:
    """The id of an event webhook.test that is sent once this is committed."""
    event_id: str = _one(connection, "select admin.sp_test_webhook(%s) as event_id", (customer,))["event_id"]
    return event_id


def read_delivery(connection: Connection, event_id: str) -> Row:
    """The event's row of admin.webhook_delivery."""
    return _one(connection, _READ, (event_id,))


def _one(connection: Connection, statement: LiteralString, values: tuple[Any, ...]) -> Row:
    with connection.cursor(row_factory=dict_row) as cursor:
        (row,) = cursor.execute(statement, values).fetchall()
    return row
