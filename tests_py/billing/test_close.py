"""The close of a month while others close it, while it is killed, and while traffic flows: one set of invoices, without
a gap and without a duplicate.

Catches: a number that is taken before the invoice is certain, a close that commits in parts, two closes that do not
wait for each other, a charge that is read twice or not at all while calls are booked.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import call, load_fixtures, route, settle

CUSTOMERS = 12
MONTH = "2026-01-01"
_CLOSE = b"select c.customer, c.invoice_number, c.total from gateway.sp_close_month('2026-01-01') as c"


@pytest.fixture
def used(database: ClonedDatabase) -> ClonedDatabase:
    """Customers who used something in a month that is over, each for as many dollars as his number."""
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a')")
    for number in range(1, CUSTOMERS + 1):
        database.query("select test.make_customer(%s)", f"user {number:02}")
        database.query("select test.booked(%s, '2026-01-15 10:00Z', %s)", f"user {number:02}", number)
    return database


def close(database: ClonedDatabase) -> list[tuple[Any, ...]]:
    """Closes the month on a connection of its own; gives its invoices."""
    with database.connect("dba") as connection:
        return connection.execute(_CLOSE).fetchall()


def check(database: ClonedDatabase, invoices: list[tuple[Any, ...]]) -> None:
    """The invoices are whole, numbered without a gap, and all that was written."""
    assert [Decimal(total) for _, _, total in invoices] == [Decimal(number) for number in range(1, CUSTOMERS + 1)]
    assert sorted(int(number[-6:]) for _, number, _ in invoices) == list(range(1, CUSTOMERS + 1))
    assert database.query("select count(*) from gateway.invoice_s") == [(CUSTOMERS,)]
    assert database.query("select c.last_number from gateway.invoice_counter as c") == [(CUSTOMERS,)]
    assert database.query(
        "select count(*), sum(p.amount_usd) filter (where p.account = 'receivable') from gateway.ledger_posting_s as p"
    ) == [(2 * CUSTOMERS, Decimal(CUSTOMERS * (CUSTOMERS + 1) // 2))]


def test_two_closes_at_once_make_one_set_of_invoices(used: ClonedDatabase) -> None:
    with ThreadPoolExecutor(4) as pool:
        heard = [task.result() for task in [pool.submit(close, used) for _ in range(4)]]
    assert heard[0] == heard[1] == heard[2] == heard[3]
    check(used, heard[0])


def test_a_close_that_is_killed_leaves_nothing_and_no_gap(used: ClonedDatabase) -> None:
    """It is stopped where it has numbered invoices already: at the last customer's spending."""
    with used.connect(autocommit=False) as blocker, used.connect("dba") as victim, ThreadPoolExecutor(1) as pool:
        blocker.execute(
            b"insert into gateway.customer_spending_h (spending_hk, spending_bk, customer_hk, record_source)"
            b" select util.hash_key(c.customer_bk, '2026-01'), c.customer_bk || '|2026-01', c.customer_hk, 'test'"
            b" from gateway.customer_h as c where c.customer_bk = 'user 12'"
        )
        closing = pool.submit(victim.execute, _CLOSE)
        used.wait_until_blocked(victim)
        with used.cluster.maintenance() as killer:
            killer.execute(b"select pg_catalog.pg_terminate_backend(%s)", (victim.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            closing.result()
        blocker.rollback()
    assert used.query("select count(*) from gateway.invoice_h") == [(0,)]
    assert used.query("select count(*) from gateway.ledger_entry_h") == [(0,)]
    check(used, close(used))


def test_a_credit_that_is_granted_meanwhile_pays(used: ClonedDatabase) -> None:
    """It is good for the month that is closed and no other: the close waits for it, and would else let it expire."""
    with used.connect(autocommit=False) as granting, used.connect("dba") as closer, ThreadPoolExecutor(1) as pool:
        granting.execute(
            b"insert into admin.credit (customer, credit_kind, amount_usd, valid_from, expires_on)"
            b" values ('user 07', 'PREPAID', 7, '2026-01-01', '2026-02-01')"
        )
        closing = pool.submit(lambda: closer.execute(_CLOSE).fetchall())
        used.wait_until_blocked(closer)
        granting.commit()
        assert len(closing.result()) == CUSTOMERS
    assert used.query("select c.used_usd from admin.credit as c where c.customer = 'user 07'") == [(Decimal(7),)]


def test_calls_go_on_while_a_month_is_closed(used: ClonedDatabase) -> None:
    done = threading.Event()

    def book() -> int:
        settled = 0
        with used.connect() as connection:
            while not done.is_set():
                route(connection, [call(f"user {number:02}") for number in range(1, CUSTOMERS + 1)])
                settled += settle(connection)
        return settled

    with ThreadPoolExecutor(2) as pool:
        bookings = [pool.submit(book) for _ in range(2)]
        try:
            invoices = close(used)
        finally:
            done.set()
        assert sum(task.result() for task in bookings) > 0
    check(used, invoices)
    assert used.query("select v.invariant, v.finding from ops.invariant_violation as v") == []


def test_a_tenant_may_not_close(used: ClonedDatabase) -> None:
    with used.connect() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(b"set role onevault_bi")
        connection.execute(_CLOSE)
