"""Reads a filled vault as its readers do, and says which of the goals are missed."""

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import psycopg

from bench.history.books import fill
from bench.history.reads import Reading, read_bills, read_views
from bench.history.road import Road, drive
from onevault.database import open_database
from onevault.migrate import migrate
from onevault.settings import load_settings

VIEW_GOAL_MS: Final = 300
BILL_GOAL_MS: Final = 200
CLOSE_GOAL_SECONDS: Final = 60

# The last month that is put in order, which it is two days after its end; and the one that is now.
_MONTHS: Final = """
select
    date_trunc('month', least(max(u.usage_hour), now() - interval '2 days') at time zone 'UTC')::date as next_month,
    date_trunc('month', max(u.usage_hour) at time zone 'UTC')::date as current
from ops.usage_hourly as u
"""
_FIRST_OPEN: Final = """
select coalesce(min(s.billing_period), %s)
from gateway.customer_spending_s as s
where
    s.load_end_date is null and s.total_customer_charges > 0
    and not exists (select from gateway.month_close_s as m where m.billing_period = s.billing_period)
"""
# By rank: who calls most and next to most, who is in the middle of the calls, and one of the many who call little.
_RANKS: Final = (1, 2, 30, 500)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Every reading; the road on this vault and on an empty one; seconds of the month's close where there is one."""

    readings: list[Reading]
    road: Road | None = None
    empty_road: Road | None = None
    close_seconds: float | None = None


def measure(dsn: str, *, runs: int, only: str | None = None) -> Measured:
    """Measure the vault behind `dsn`, a superuser's connection string. With `only` one view and nothing else."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        next_month, current = connection.execute(_MONTHS).fetchall()[0]
        last = (next_month - dt.timedelta(days=1)).replace(day=1)
        customers = _customers(connection)
        readings = list(read_views(connection, customers, last, runs, only))
        if only:
            return Measured(readings=readings)
        for month in (last, current):
            readings.extend(read_bills(connection, customers, month, runs))
        return Measured(
            readings=readings,
            road=drive(connection),
            empty_road=_drive_empty(len(connection.execute("select from gateway.customer_h").fetchall())),
            close_seconds=_close(connection, last),
        )


def as_text(measured: Measured, *, plans: bool = True) -> str:
    """The figures for people; readings that miss their goal are marked, and explained below."""
    lines = [f"{'view':<21} {'how':<6} {'customer':<14} {'rows':>7} {'median':>9} {'worst':>9} {'alone':>9}  ms"]
    missed = [reading for reading in measured.readings if reading.alone_ms >= _goal(reading)]
    for reading in measured.readings:
        mark = "  MISSED" if reading in missed else ""
        what = f"{reading.view:<21} {reading.how:<6} {reading.customer:<14} {reading.rows:>7}"
        lines.append(f"{what} {reading.median_ms:>9.1f} {reading.worst_ms:>9.1f} {reading.alone_ms:>9.1f}{mark}")
    for name, road in (("with this history", measured.road), ("on an empty vault", measured.empty_road)):
        if road:
            decide = f"decide {road.decide_ms:.3f} CPU-ms, {road.decide_wal_bytes:.0f} bytes of WAL"
            lines.append(f"{name}: {decide}; book {road.book_ms:.3f} CPU-ms, {road.book_wal_bytes:.0f} bytes of WAL")
    if measured.close_seconds is not None:
        mark = "  MISSED" if measured.close_seconds >= CLOSE_GOAL_SECONDS else ""
        lines.append(f"close of a month: {measured.close_seconds:.1f} s{mark}")
    if plans:
        for reading in missed:
            lines += ["", f"{reading.view}, {reading.how}, {reading.customer}:", reading.plan]
    return "\n".join(lines)


def _goal(reading: Reading) -> float:
    return BILL_GOAL_MS if reading.how == "bill" else VIEW_GOAL_MS


def _customers(connection: psycopg.Connection) -> Sequence[str]:
    statement = "select h.customer_bk from gateway.customer_h as h where h.customer_bk like 'history-%' order by 1"
    names = [name for (name,) in connection.execute(statement).fetchall()]
    return [names[min(rank, len(names)) - 1] for rank in _RANKS]


def _drive_empty(customers: int) -> Road:
    home = Path(tempfile.mkdtemp(prefix="onevault-history-"))
    # As root, PostgreSQL runs as a system user of its own, which must be able to reach its data.
    home.chmod(0o755)
    database = open_database(load_settings({"ONEVAULT_HOME": str(home / "data")}, None))
    try:
        migrate(database.dsn("owner"))
        fill(database.dsn("owner"), requests=0, customers=min(customers, 1000), tenants=20)
        with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
            return drive(connection)
    finally:
        database.close()
        shutil.rmtree(home, ignore_errors=True)


def _close(connection: psycopg.Connection, month: dt.date) -> float:
    """Seconds of the slower close of the first two months that are open, the first of which may be a part of one; they
    are not later than `month`."""
    seconds: list[float] = []
    for _ in range(2):
        ((first,),) = connection.execute(_FIRST_OPEN, (month,)).fetchall()
        begun = time.monotonic()
        connection.execute(b"select gateway.sp_close_month(%s)", (first,))
        seconds.append(time.monotonic() - begun)
    return max(seconds)
