"""The SQL of `onevault keys`: what is sealed under which master key, and the doors that change it; and what was found
out about a key at a provider.

Every function takes an open connection and commits nothing. All but the last need that of the owner, whose views and
doors these are.
"""

from __future__ import annotations

from typing import Any, Final, LiteralString, NamedTuple

from psycopg.rows import class_row, dict_row

from onevault.calls import Connection, Row

_COUNT_SECRETS: Final = """
select s.master_key_id, s.kind, count(*) as secrets from ops.sealed_secret as s group by s.master_key_id, s.kind
"""
_COUNT_TOKENS: Final = """
select t.master_key_id, count(*) as tokens from ops.token_pepper as t group by t.master_key_id
"""
_FOREIGN: Final = """
select s.kind, s.row_hk from ops.sealed_secret as s where s.master_key_id <> %s order by s.kind, s.load_date, s.row_hk
"""
_ONE: Final = """
select s.kind, s.row_hk, s.name, s.sealed, s.master_key_id
from ops.sealed_secret as s where s.kind = %s and s.row_hk = %s
"""
_WAITING: Final = """
select t.token_id, t.customer, t.token_name, t.token_hint, t.master_key_id
from ops.token_pepper as t where t.master_key_id <> %s order by t.customer, t.token_id
"""


class SealedSecret(NamedTuple):
    """A sealed secret in force; `row_hk` is the identity it is sealed for."""

    kind: str
    row_hk: bytes
    name: str
    sealed: bytes
    master_key_id: str


def count_secrets(connection: Connection) -> list[Row]:
    """{"master_key_id", "kind", "secrets"} for each pair that there is."""
    return _all(connection, _COUNT_SECRETS)


def count_tokens(connection: Connection) -> list[Row]:
    """{"master_key_id", "tokens"}: tokens that may call, by the key whose pepper made their digest."""
    return _all(connection, _COUNT_TOKENS)


def list_waiting_tokens(connection: Connection, master_key_id: str) -> list[Row]:
    """Tokens that may call and whose digest is of another master key."""
    return _all(connection, _WAITING, (master_key_id,))


def list_foreign_secrets(connection: Connection, master_key_id: str) -> list[tuple[str, bytes]]:
    """Kind and identity of every sealed secret that is not under this master key, the oldest of each kind first."""
    return connection.execute(_FOREIGN, (master_key_id,)).fetchall()


def read_secret(connection: Connection, kind: str, row_hk: bytes) -> SealedSecret | None:
    """One sealed secret as it is now."""
    with connection.cursor(row_factory=class_row(SealedSecret)) as cursor:
        return cursor.execute(_ONE, (kind, row_hk)).fetchone()


def rewrap_secret(
    connection: Connection, was: SealedSecret, sealed: bytes, fingerprint: bytes, master_key_id: str
) -> bool:
    """False when it is no longer what `was` says; then nothing is changed."""
    statement = "select admin.sp_rewrap_secret(%s, %s, %s, %s, %s, %s) as is_rewrapped"
    values = (was.kind, was.row_hk, was.sealed, sealed, fingerprint, master_key_id)
    (row,) = _all(connection, statement, values)
    return bool(row["is_rewrapped"])


def announce_master_key(connection: Connection, master_key_id: str) -> None:
    """From now on digests of tokens move to this master key when they are used."""
    connection.execute("select admin.sp_announce_master_key(%s)", (master_key_id,))


def read_announced_key(connection: Connection) -> str | None:
    """The master key that was announced last."""
    rows = _all(connection, "select m.key_id from ops.master_key as m")
    return rows[0]["key_id"] if rows else None


def read_key_validation(connection: Connection, provider: str, customer: str | None, name: str) -> Row:
    """{"finding", "is_worker_at_work"}: what the key's provider said of it; "waiting" for what it says."""
    statement = "select v.* from admin.sp_read_key_validation(%s, %s, %s) as v"
    (row,) = _all(connection, statement, (provider, customer, name))
    return row


def _all(connection: Connection, statement: LiteralString, values: tuple[Any, ...] = ()) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()
