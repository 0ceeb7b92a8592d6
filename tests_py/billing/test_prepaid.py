"""Who pays ahead cannot use more than he has paid, whoever calls, pays, bills or switches him at the same moment.

Catches: a top-up that overwrites another one, a limit that is moved without its lock, one that forgets what was under
way when the customer was switched, a close that waits for the road or lets it wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import call, load_fixtures, route, settle

CALLERS = 4
TOP_UPS = 5
_SWITCH = b"update admin.billing_profile as b set is_prepaid = %s where b.customer = 'ahead'"
_WAITS = "select exists (select from pg_catalog.pg_stat_activity as a where a.pid = %s and a.wait_event_type = 'Lock')"
_LIMIT = "select l.amount, l.spent, l.held from ops.usage_limit as l"


@pytest.fixture
def vault(database: ClonedDatabase) -> ClonedDatabase:
    """A customer who pays ahead and has paid nothing, and a model whose output costs one USD a token."""
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a', 0, 1000000)")
    for customer in ("ahead", "other"):
        database.query("""select test.make_customer(%s, '{"markup_percent": 0}')""", customer)
    database.query("select test.booked('other', '2026-01-15 10:00Z', 7)")
    database.query("insert into admin.billing_profile (customer, is_prepaid) values ('ahead', true) returning customer")
    return database


def together(database: ClonedDatabase, tasks: list[Callable[[psycopg.Connection[Any]], Any]]) -> list[Any]:
    """Runs each task on a connection of its own; gives their results."""

    def run(task: Callable[[psycopg.Connection[Any]], Any]) -> Any:
        with database.connect() as connection:
            return task(connection)

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def ask(connection: psycopg.Connection[Any], batch: int = 3) -> Counter[str]:
    """Calls of one USD each, some of which are answered in between; by what became of them."""
    outcome: Counter[str] = Counter()
    for _ in range(24 // batch):
        outcome.update(status for status, _ in route(connection, [call("ahead", max_output_tokens=1)] * batch))
        settle(connection, 2)
    return outcome


def finish(database: ClonedDatabase) -> None:
    with database.connect() as connection:
        while settle(connection):
            pass


def check_books(database: ClonedDatabase) -> None:
    assert database.query("select ops.fn_rebuild_hot_state()") == [(0,)]
    assert database.query("select v.subject, v.finding from ops.invariant_violation as v") == []


def test_no_number_of_callers_overruns_what_was_paid(vault: ClonedDatabase) -> None:
    def pay(number: int) -> Callable[[psycopg.Connection[Any]], Any]:
        return lambda connection: connection.execute("select admin.top_up('ahead', 10, %s)", (f"wire {number}",))

    def close(connection: psycopg.Connection[Any]) -> None:
        connection.execute(b"select gateway.sp_close_month('2026-01-01')")

    outcome = together(vault, [*[ask] * CALLERS, *[pay(number) for number in range(TOP_UPS)], close])
    total: Counter[str] = sum(outcome[:CALLERS], Counter())
    assert set(total) <= {"routed", "budget_exceeded"}
    assert total["routed"] <= 10 * TOP_UPS
    # Whoever came before the money was there asks again: all of it is used, and nothing more.
    total += sum(together(vault, [ask] * CALLERS), Counter())
    assert total["routed"] == 10 * TOP_UPS
    finish(vault)
    assert vault.query(_LIMIT) == [(10 * TOP_UPS, 10 * TOP_UPS, 0)]
    assert vault.query(
        "select b.settled_usd, b.prepaid_usd from business_vault.customer_balance as b where b.customer = 'ahead'"
    ) == [(0, 10 * TOP_UPS)]
    check_books(vault)


def test_of_two_entries_at_once_both_count(vault: ClonedDatabase) -> None:
    """The second one waits for the limit, and then reads the ledger with what the first one posted."""
    paid = b"""select gateway.fn_post_entry(util.hash_key('ahead'), 'PAYMENT', 'payment:1',
        '[{"account": "cash", "amount_usd": 5}, {"account": "receivable", "amount_usd": -5}]')"""
    with vault.connect(autocommit=False) as first, vault.connect() as second, ThreadPoolExecutor(1) as pool:
        first.execute(b"select admin.top_up('ahead', 10, 'wire')")
        posting = pool.submit(second.execute, paid)
        while vault.query(_WAITS, second.info.backend_pid) != [(True,)]:
            assert not posting.done(), "the second does not wait"
        first.commit()
        posting.result()
    assert vault.query(_LIMIT) == [(15, 0, 0)]


def test_who_is_switched_while_he_calls_owes_what_he_used(vault: ClonedDatabase) -> None:
    def ask_alone(connection: psycopg.Connection[Any]) -> Counter[str]:
        return ask(connection, 1)

    def switch(connection: psycopg.Connection[Any]) -> None:
        for turn in range(10):
            connection.execute(_SWITCH, (turn % 2 == 1,))

    vault.query("select admin.top_up('ahead', 30, 'wire')")
    together(vault, [ask_alone, ask_alone, ask_alone, switch])
    finish(vault)
    vault.query("select ops.fn_write_off_credits()")
    ((amount, spent, held),) = vault.query(_LIMIT)
    assert (amount, held) == (30, 0)
    assert vault.query(
        "select sum(s.customer_cost) from gateway.api_request_s as s where s.customer_hk = util.hash_key('ahead')"
    ) == [(spent,)]
    check_books(vault)
