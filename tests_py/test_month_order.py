"""A month is put into the order of its customers while others read and book: nobody waits for it, nobody misses a row.

Catches: a wait for a lock in which the road stands, a reader whose snapshot is older than the copy, a booking that
comes between the count and the exchange, a run that is killed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import call, load_fixtures, route, settle

ROWS = 60
MONTH = "api_request_s_2020_01"
_PARTITION = """
select format(
    'create table gateway.api_request_s_2020_01 partition of gateway.api_request_s for values from (%L) to (%L)',
    util.fn_request_key_at('2020-01-01Z'), util.fn_request_key_at('2020-02-01Z')
)
"""
_BOOK = b"select test.book_at(%s, '2020-01-10Z'::timestamptz + %s * interval '1 minute')"
_COUNT = b"select count(*) from gateway.api_request_s as s where s.request_timestamp < '2020-02-01Z'"
_RUN = b"select ops.fn_order_months(20)"


@pytest.fixture
def copied(database: ClonedDatabase) -> ClonedDatabase:
    """A month of which all rows are copied, that waits for the exchange."""
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a')")
    for name in ("anna", "ben"):
        database.query("select test.make_customer(%s)", name)
    with database.connect() as connection:
        connection.execute("set role onevault_owner")
        ((statement,),) = connection.execute(_PARTITION).fetchall()
        connection.execute(statement.encode())
        connection.execute("reset role")
        for number in range(ROWS):
            connection.execute(_BOOK, (("anna", "ben")[number % 2], number))
        for _ in range(ROWS // 20):
            assert run(connection) == "copied"
    return database


def run(connection: psycopg.Connection[Any]) -> str | None:
    """One run of the job, with no more rights than it has by the clock; gives what it did."""
    connection.execute("set role onevault_owner")
    ((done,),) = connection.execute(_RUN).fetchall()
    connection.execute("reset role")
    assert done is None or isinstance(done, str)
    return done


def swap(connection: psycopg.Connection[Any]) -> str:
    """Tries the exchange, whoever is there; gives what it did."""
    ((done,),) = connection.execute(b"select ops.fn_swap_month(%s)", (MONTH,)).fetchall()
    return str(done)


def count(connection: psycopg.Connection[Any]) -> int:
    """How many requests a connection sees in the month."""
    ((rows,),) = connection.execute(_COUNT).fetchall()
    return int(rows)


def make_request(database: ClonedDatabase) -> None:
    """A call is decided and booked now; raises LockNotAvailable if it has to wait for somebody."""
    with database.connect() as connection:
        connection.execute("set lock_timeout = '2s'")
        assert [status for status, _ in route(connection, [call("anna")])] == ["routed"]
        assert settle(connection) == 1


def test_nobody_waits_behind_it_for_a_reader(copied: ClonedDatabase) -> None:
    """Mutant: a lock_timeout of seconds in fn_swap_month."""
    with copied.connect(autocommit=False) as reader, copied.connect() as job, ThreadPoolExecutor(1) as pool:
        assert count(reader) == ROWS
        assert run(job) == "waiting"
        swapping = pool.submit(lambda: [swap(job) for _ in range(5)])
        while not swapping.done():
            make_request(copied)
        assert swapping.result() == ["waiting"] * 5
        assert count(reader) == ROWS
        reader.rollback()
        assert [run(job) for _ in range(2)] == ["ordered", None]
        assert count(job) == ROWS


def test_a_reader_of_before_misses_nothing(copied: ClonedDatabase) -> None:
    """Mutant: fn_outlast_transactions is true at once, and the reader misses what was brought after he began."""
    with copied.connect(autocommit=False) as reader, copied.connect() as job:
        job.execute(_BOOK, ("anna", 3))
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select h.customer_bk from gateway.customer_h as h")
        meanwhile = [run(job) for _ in range(2)]
        assert count(reader) == ROWS + 1
        assert meanwhile == ["waiting", "waiting"]
        reader.rollback()
        assert [run(job) for _ in range(3)] == ["copied", "ordered", None]
        assert count(job) == ROWS + 1


def test_a_booking_that_comes_while_the_exchange_is_prepared_is_there(copied: ClonedDatabase) -> None:
    """Mutants: no lock in share mode, so that the booking does not wait; no rows brought in fn_finish_month."""
    with (
        copied.connect(autocommit=False) as reader,
        copied.connect(autocommit=False) as job,
        copied.connect() as late,
        ThreadPoolExecutor(1) as pool,
    ):
        # As if the reader had come in the moment after it was asked who is there.
        job.execute("create or replace function ops.fn_outlast_transactions(p_patience interval) returns boolean"
                    " language sql set search_path = '' as 'select true'")  # fmt: skip
        job.commit()
        assert count(reader) == ROWS
        assert run(job) == "waiting"
        booking = pool.submit(late.execute, _BOOK, ("anna", 3))
        copied.wait_until_blocked(late)
        make_request(copied)
        job.commit()
        booking.result(5)
        reader.rollback()
        for wanted in ("copied", "ordered", None):
            assert run(job) == wanted
            job.commit()
        assert count(job) == ROWS + 1


def test_a_run_that_is_killed_costs_that_run(copied: ClonedDatabase) -> None:
    with copied.connect(autocommit=False) as killed:
        assert run(killed) == "ordered"
        copied.query("select pg_terminate_backend(%s)", killed.info.backend_pid)
        with pytest.raises(psycopg.OperationalError):
            killed.execute("select 1")
    with copied.connect() as job:
        assert count(job) == ROWS
        assert [run(job) for _ in range(2)] == ["ordered", None]
        assert count(job) == ROWS
