"""Fills an empty vault with a year of booked requests, and everything that is derived from them.

Set by set, in the database: who calls (callers.sql), their requests day by day (requests.sql), then usage by hour,
windows of providers and spending by the house's own functions, the marks of how far each of them got, and months that
are over in the order of their customers.
"""

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import psycopg

from bench.errors import HistoryError

MONTHS: Final = 12

_T = TypeVar("_T")

_SQL: Final = Path(__file__).parent
_MARKS: Final = """
insert into ops.watermark (rollup_name, rolled_up_to, counted_to, open_key) values
('usage', %(until)s, %(until)s, util.fn_request_key_at(%(until)s)),
('usage mended', date_trunc('hour', %(until)s::timestamptz, 'UTC') - interval '1 hour', null, null),
('spending', %(until)s, null, null),
('provider performance', %(windows)s, null, null)
on conflict (rollup_name) do update set
rolled_up_to = excluded.rolled_up_to, counted_to = excluded.counted_to, open_key = excluded.open_key
"""
_SIZES: Final = """
select
    r.name,
    sum(pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0))::bigint as data_bytes,
    sum(pg_indexes_size(c.oid))::bigint as index_bytes
from unnest(array[
    'gateway.api_request_h', 'gateway.api_request_s', 'gateway.api_request_attempt_s', 'gateway.api_request_feedback_s',
    'gateway.provider_performance_h', 'gateway.provider_performance_s', 'gateway.customer_spending_h',
    'gateway.customer_spending_s', 'ops.usage_hourly'
]) as r (name)
inner join pg_class as c on c.oid = r.name::regclass or exists (
    select from pg_partition_tree(r.name::regclass) as t where t.relid = c.oid and t.isleaf
)
group by r.name
order by 2 desc
"""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a table with all its partitions, and of its indexes."""

    name: str
    data_bytes: int
    index_bytes: int


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: requests, seconds by step, bytes by table. `since` and `until` bound the requests' times."""

    requests: int
    since: dt.datetime
    until: dt.datetime
    seconds: dict[str, float]
    sizes: list[Size]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A range of time and how many requests fall into it."""

    since: dt.datetime
    until: dt.datetime
    requests: int


def fill(dsn: str, *, requests: int, customers: int, tenants: int, jobs: int = 1) -> Books:
    """Fill the empty vault behind `dsn`, a superuser's connection string, with `requests` of twelve calendar months.

    With none there are callers only, and no past. `jobs` connections make requests at the same time.
    Raises HistoryError when requests are there already.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        if connection.execute("select from gateway.api_request_h limit 1").fetchone():
            raise HistoryError("there are requests in this vault already: take an empty directory")
        now = dt.datetime.now(dt.UTC)
        since = _months_before(now, MONTHS - 1)
        until = now - dt.timedelta(minutes=10)
        clock = _Clock()
        with clock.step("callers"):
            if requests:
                connection.execute("set role onevault_owner")
                connection.execute("select ops.fn_keep_partitions(%s)", (since,))
                connection.execute("reset role")
            _make_callers(connection, since, customers, tenants)
        if not requests:
            connection.execute("vacuum analyze")
            return Books(requests=0, since=since, until=until, seconds=clock.seconds, sizes=sizes(connection))
        with clock.step("requests"):
            parts = list(split(since, until, requests, dt.timedelta(days=1)))
            _in_turn(dsn, parts, jobs, _draw, _make_requests)
        months = list(split(since, until, requests, None))
        with clock.step("usage by hour"):
            _in_turn(dsn, months, jobs, _prepare, lambda c, part: _run(c, "usage.sql", part, until=now))
        with clock.step("vacuum analyze of the facts"):
            connection.execute("vacuum analyze")
        with clock.step("provider windows"):
            windows = _five_minutes(until)
            for part in split(since, windows, requests, None):
                _run(connection, "performance.sql", part)
        connection.execute(_MARKS, {"until": now - dt.timedelta(minutes=1), "windows": windows})
        with clock.step("spending"):
            _in_turn(dsn, _bills(connection, since), jobs, _prepare, _load_spending)
        with clock.step("hot state"):
            connection.execute("select ops.fn_rebuild_hot_state()")
        with clock.step("months in the order of customers"):
            _order_months(connection)
        with clock.step("vacuum analyze"):
            connection.execute("vacuum analyze")
        return Books(requests=requests, since=since, until=until, seconds=clock.seconds, sizes=sizes(connection))


def split(since: dt.datetime, until: dt.datetime, requests: int, step: dt.timedelta | None) -> Iterator[Part]:
    """Cut a range into steps, or into calendar months without one; requests are spread evenly and none is lost."""
    begin, made = since, 0
    while begin < until:
        end = min(begin + step if step else _months_before(begin, -1), until)
        upto = round(requests * ((end - since) / (until - since)))
        yield Part(since=begin, until=end, requests=upto - made)
        begin, made = end, upto


def sizes(connection: psycopg.Connection) -> list[Size]:
    """Bytes of the tables that grow with traffic, the largest first."""
    rows = connection.execute(_SIZES).fetchall()
    return [Size(name=name, data_bytes=data, index_bytes=indexes) for name, data, indexes in rows]


class _Clock:
    """Seconds by step, told as they pass."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name, self._begun = "", 0.0

    def step(self, name: str) -> "_Clock":
        self._name, self._begun = name, time.monotonic()
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.seconds[self._name] = time.monotonic() - self._begun
        print(f"{self._name}: {self.seconds[self._name]:.1f} s", file=sys.stderr, flush=True)


def _make_callers(connection: psycopg.Connection, since: dt.datetime, customers: int, tenants: int) -> None:
    with connection.transaction():
        for name, value in (("from", since.isoformat()), ("customers", customers), ("tenants", tenants)):
            connection.execute("select set_config('bench.' || %s, %s, true)", (name, str(value)))
        connection.execute(_read("callers.sql"))


def _in_turn(
    dsn: str,
    parts: list[_T],
    jobs: int,
    prepare: Callable[[psycopg.Connection], None],
    make: Callable[[psycopg.Connection, _T], None],
) -> None:
    """Make every part over `jobs` connections; each takes a run of its own, so that its rows lie together."""

    def work(own: list[_T]) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            prepare(connection)
            for part in own:
                make(connection, part)

    share = -(-len(parts) // jobs)
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, [parts[begin : begin + share] for begin in range(0, len(parts), share)]))


def _order_months(connection: psycopg.Connection) -> None:
    # As the product does, but run after run.
    connection.execute("set role onevault_owner")
    while connection.execute("select ops.fn_order_months(1000000)").fetchone() != (None,):
        pass
    connection.execute("reset role")


def _prepare(connection: psycopg.Connection) -> None:
    connection.execute("set work_mem = '256MB'")
    connection.execute("set synchronous_commit = off")


def _draw(connection: psycopg.Connection) -> None:
    _prepare(connection)
    connection.execute(_read("draw.sql"))


def _make_requests(connection: psycopg.Connection, part: Part) -> None:
    if part.requests:
        _run(connection, "requests.sql", part, requests=part.requests)


def _bills(connection: psycopg.Connection, since: dt.datetime) -> list[tuple[str, dt.date]]:
    """Tenants and months: those that a time zone may reach included."""
    tenants = connection.execute("select t.tenant_bk from auth.tenant_h as t").fetchall()
    months = [_months_before(since, 1 - number).date() for number in range(MONTHS + 2)]
    return [(tenant, month) for (tenant,) in tenants for month in months]


def _load_spending(connection: psycopg.Connection, bill: tuple[str, dt.date]) -> None:
    # In short transactions: the loader locks each customer's bill until the end of its own.
    tenant, month = bill
    connection.execute("select set_config('onevault.tenant', %s, false)", (tenant,))
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(_read("spending.sql"), {"month": month})


def _run(connection: psycopg.Connection, name: str, part: Part, **more: object) -> None:
    # As literals: a plan that knows them reads one partition.
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(_read(name), {"from": part.since, "to": part.until, **more})


def _read(name: str) -> bytes:
    return (_SQL / name).read_bytes()


def _months_before(moment: dt.datetime, months: int) -> dt.datetime:
    number = moment.year * 12 + moment.month - 1 - months
    return dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=dt.UTC)


def _five_minutes(moment: dt.datetime) -> dt.datetime:
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)
