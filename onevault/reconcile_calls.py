"""The SQL of reconciliation for the command line: doors that import what providers say was used, and take it back.

Takes an open connection of a DBA or the owner, and commits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from psycopg.rows import dict_row

from onevault.calls import Connection, Row, fetch_one


def import_usage(connection: Connection, source: str, rows: Sequence[Mapping[str, Any]]) -> Row:
    """Loads rows named as the columns of gateway.provider_usage_h and _s, with `provider`; how many of them changed."""
    statement = (
        "select i.rows_read, i.days, i.added, i.corrected, i.ended, i.unchanged"
        " from gateway.sp_import_provider_usage(%s, %s::jsonb) as i"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        (row,) = cursor.execute(statement, (source, msgspec.json.encode(rows).decode())).fetchall()
        return row


def forget_usage(connection: Connection, provider: str, first: date, last: date, reason: str) -> int:
    """Takes back what was imported of a provider from one day (UTC) to another; how many rows that ends."""
    statement = "select gateway.sp_forget_provider_usage(%s, %s, %s, %s) as ended"
    return int(fetch_one(connection, statement, (provider, first, last, reason))["ended"])
