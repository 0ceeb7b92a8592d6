"""The SQL of exports for the command line: the doors that set their keys, and what waits or is parked.

Every function takes an open connection of a DBA or the owner, and commits nothing.
"""

from __future__ import annotations

from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from onevault.calls import Connection, Row

_SET: Final = "select admin.sp_set_usage_export_key(%s, %s, %s, %s) as is_new"
_LIST: Final = (
    "select e.* from admin.usage_export as e where e.export = coalesce(lower(btrim(%s)), e.export) order by 1"
)


def identify_export(connection: Connection, export: str) -> bytes:
    """What an export's key is to be sealed for."""
    statement = "select admin.sp_identify_usage_export(%s) as identity"
    identity: bytes = _all(connection, statement, (export,))[0]["identity"]
    return identity


def set_key(connection: Connection, export: str, *, fingerprint: bytes, sealed: bytes, encryption_key_id: str) -> bool:
    """True when it is another key than before; what was parked for it goes out again."""
    (row,) = _all(connection, _SET, (export, fingerprint, sealed, encryption_key_id))
    return bool(row["is_new"])


def list_exports(connection: Connection, export: str | None = None) -> list[Row]:
    """Rows of admin.usage_export: all, or one."""
    return _all(connection, _LIST, (export,))


def _all(connection: Connection, statement: LiteralString, values: tuple[Any, ...]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()
