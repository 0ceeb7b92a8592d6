"""What PostgreSQL did meanwhile: statements, durable commits and WAL, as its superuser sees them.

Commits are counted as commit records in the WAL (pg_walinspect), so they are exact at once, where
pg_stat_database lags behind by up to ten seconds. Both extensions live in the database `postgres`:
the gateway's own stays as it is.
"""

from typing import Final, Self

import msgspec
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

STATEMENTS_LIBRARY: Final = "pg_stat_statements"

_SERVICE_STATEMENTS: Final = """
    select
        s.query,
        s.calls
    from pg_stat_statements as s
    inner join pg_roles as r on s.userid = r.oid
    where r.rolname in ('onevault_app', 'onevault_worker')
    order by s.calls desc
"""
_COMMITS: Final = """
    select
        coalesce(sum(w.count) filter (where w.record = 'Transaction/COMMIT'), 0)::bigint as commits,
        (%(upto)s::pg_lsn - %(since)s::pg_lsn)::bigint as wal_bytes
    from pg_get_wal_stats(%(since)s, %(upto)s, true) as w (record, count)
"""
_BOOKED: Final = """
    select
        (select count(*) from gateway.api_request_h) as routed,
        count(*) as booked,
        count(*) filter (where s.response_status = 'SUCCESS') as succeeded
    from gateway.api_request_s as s
"""


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests the vault holds: routed (hub rows), booked (satellite rows), succeeded."""

    routed: int
    booked: int
    succeeded: int

    def since(self, before: Self) -> "Booked":
        """The requests that came between `before` and this."""
        return Booked(
            routed=self.routed - before.routed,
            booked=self.booked - before.booked,
            succeeded=self.succeeded - before.succeeded,
        )


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What the services made PostgreSQL do in an interval.

    `statements` is None when pg_stat_statements is not loaded; `by_statement` maps its text,
    without any value, to calls.
    """

    statements: int | None
    by_statement: dict[str, int]
    commits: int
    wal_bytes: int


class Watch:
    """A superuser's look at the server behind `conninfo`, the connection string of its owner."""

    def __init__(self, conninfo: str) -> None:
        self._vault = psycopg.connect(make_conninfo(conninfo, user="postgres"), autocommit=True)
        aside = make_conninfo(conninfo, user="postgres", dbname="postgres")
        self._aside = psycopg.connect(aside, autocommit=True)
        self._since = ""

    def close(self) -> None:
        """Close both connections."""
        self._vault.close()
        self._aside.close()

    def prepare(self) -> None:
        """Make the server countable; what needs a restart is in force after its next one."""
        self._aside.execute("create extension if not exists pg_walinspect")
        self._aside.execute("create extension if not exists pg_stat_statements")
        # WAL that is gone cannot be counted: keep what one measurement writes.
        self._aside.execute("alter system set wal_keep_size = '4GB'")
        self._aside.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
        self._aside.execute("select pg_reload_conf()")

    def begin(self) -> None:
        """Start an interval."""
        if self._counts_statements():
            self._aside.execute("select pg_stat_statements_reset()")
        self._since = self._position()

    def end(self) -> Work:
        """End the interval that `begin` started."""
        upto = self._position()
        statements: dict[str, int] = {}
        if self._counts_statements():
            for query, calls in self._aside.execute(_SERVICE_STATEMENTS).fetchall():
                text = " ".join(query.split())
                statements[text] = statements.get(text, 0) + calls
        positions = {"since": self._since, "upto": upto}
        commits, wal_bytes = self._aside.execute(_COMMITS, positions).fetchall()[0]
        return Work(
            statements=sum(statements.values()) if statements else None,
            by_statement=statements,
            commits=commits,
            wal_bytes=wal_bytes,
        )

    def booked(self) -> Booked:
        """Count the requests in the vault now."""
        with self._vault.cursor(row_factory=class_row(Booked)) as cursor:
            return cursor.execute(_BOOKED).fetchall()[0]

    def _position(self) -> str:
        row = self._aside.execute("select pg_current_wal_insert_lsn()::text").fetchall()[0]
        return str(row[0])

    def _counts_statements(self) -> bool:
        row = self._aside.execute("select current_setting('shared_preload_libraries')").fetchall()[0]
        return STATEMENTS_LIBRARY in row[0]
