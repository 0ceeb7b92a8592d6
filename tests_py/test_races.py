"""What only second connections can show: loaders, budgets and locks under concurrency."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import call, load_fixtures, result, route, settle


@pytest.fixture
def vault(database: ClonedDatabase) -> Iterator[ClonedDatabase]:
    """A database with fixtures and one offer whose output costs one USD a token and whose input is free.

    Calls may wait in its queues however long a busy machine takes.
    """
    load_fixtures(database)
    database.query("update ops.admission as a set longest_wait = interval '10 days' returning a.queue_name")
    database.query("select test.make_offer('maker', 'model-a', 0, 1000000)")
    yield database


def together(database: ClonedDatabase, tasks: list[Callable[[psycopg.Connection[Any]], Any]]) -> list[Any]:
    """Runs each task on a connection of its own, all let go at the same moment; gives their results."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[psycopg.Connection[Any]], Any]) -> Any:
        with database.connect() as connection:
            start.wait(30)
            return task(connection)

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def test_eight_connections_loading_one_key_leave_one_current_row(vault: ClonedDatabase) -> None:
    vault.query("select test.make_tenant('contested')")

    def load(number: int) -> Callable[[psycopg.Connection[Any]], int]:
        def task(connection: psycopg.Connection[Any]) -> int:
            added = 0
            for turn in range(20):
                row = connection.execute(
                    b"select util.fn_load_satellite('auth.tenant_s',"
                    b" jsonb_build_object('tenant_hk', util.hash_key('contested')), %s::jsonb, 'race')",
                    (f'{{"markup_percent": {(number * 20 + turn) % 7}}}',),
                ).fetchone()
                assert row is not None
                added += row[0]
            return added

        return task

    added = sum(together(vault, [load(number) for number in range(8)]))
    versions = vault.query(
        "select s.load_date, s.load_end_date, s.markup_percent from auth.tenant_s as s"
        " where s.tenant_hk = util.hash_key('contested') order by s.load_date"
    )
    assert len(versions) == added + 1
    assert [end for _, end, _ in versions if end is None] == [None]
    for (_, end, before), (begin, _, after) in itertools.pairwise(versions):
        assert end == begin
        assert before != after


def test_eight_connections_adding_one_hub_key_add_one_row(vault: ClonedDatabase) -> None:
    added = together(
        vault,
        [
            lambda connection: connection.execute(
                b"select util.fn_load_hub('auth.tenant_h', util.hash_key('new'), 'new', 'race')"
            ).fetchone()
        ]
        * 8,
    )
    assert Counter(row[0] for row in added) == {True: 1, False: 7}


def test_two_hundred_concurrent_calls_on_a_budget_for_fifty(vault: ClonedDatabase) -> None:
    vault.query("""select test.make_customer('fifty', '{"cost_budget_daily": 50, "markup_percent": 0}')""")

    def callers(connection: psycopg.Connection[Any]) -> list[str]:
        batches = [route(connection, [call("fifty", max_output_tokens=1)] * 5) for _ in range(5)]
        return [status for batch in batches for status, _ in batch]

    outcome = Counter(status for statuses in together(vault, [callers] * 8) for status in statuses)
    assert outcome == {"routed": 50, "budget_exceeded": 150}
    assert scope(vault, "fifty") == (0, 50)
    with vault.connect() as connection:
        while settle(connection):
            pass
    assert scope(vault, "fifty") == (50, 0)
    assert vault.query("select sum(s.customer_cost) from gateway.api_request_s as s") == [(Decimal(50),)]


def test_batches_in_any_order_do_not_deadlock(vault: ClonedDatabase) -> None:
    """Several fronts and workers at once on the same few customers of two tenants, batches shuffled."""
    for number in range(8):
        vault.query(
            """select test.make_customer(%s, '{"cost_budget_daily": 100000, "markup_percent": 0}', %s)""",
            f"c{number}",
            f"tenant {number % 2}",
        )
    # Limits that customers share, which each batch locks before anybody's own rows.
    vault.query(
        "insert into admin.usage_limit (tenant, customer, provider, unit, period, amount) values"
        " ('tenant 0', null, null, 'USD', 'DAY', 100000), ('tenant 0', null, null, 'PARALLEL', null, 100000),"
        " ('tenant 1', null, 'maker', 'REQUESTS', 'WEEK', 100000),"
        " ('tenant 1', 'c1', null, 'TOKENS', 'MINUTE', 10000000)"
        " returning limit_name"
    )

    def front(seed: int) -> Callable[[psycopg.Connection[Any]], int]:
        def task(connection: psycopg.Connection[Any]) -> int:
            chance = random.Random(seed)
            routed = 0
            for _ in range(30):
                calls = [call(f"c{number}", max_output_tokens=1) for number in range(8)] * 2
                chance.shuffle(calls)
                routed += sum(status == "routed" for status, _ in route(connection, calls))
            return routed

        return task

    def worker(connection: psycopg.Connection[Any]) -> int:
        return sum(settle(connection, 40) for _ in range(30))

    done = together(vault, [front(1), front(2), front(3), worker, worker, worker])
    assert sum(done[:3]) == 3 * 30 * 16
    settled = sum(done[3:])
    with vault.connect() as connection:
        while more := settle(connection):
            settled += more
    assert settled == 3 * 30 * 16
    differences = vault.query(
        "select s.scope_hk from ops.scope_state as s join ops.scope_fact as f on s.scope_hk = f.scope_hk"
        " where (s.day_spent_usd, s.day_held_usd, s.month_spent_usd, s.month_held_usd)"
        " is distinct from (f.day_spent, f.day_held, f.month_spent, f.month_held)"
    )
    assert differences == []
    assert vault.query("select count(*) from ops.reservation") == [(0,)]
    assert vault.query("select v.subject, v.finding from ops.invariant_violation as v") == []
    used = dict(vault.query("select l.limit_name, l.spent::integer from ops.usage_limit as l where l.held = 0"))
    assert used == {
        "tenant 0 USD DAY": 720, "tenant 0 PARALLEL": 0, "tenant 1 maker REQUESTS WEEK": 720, "c1 TOKENS MINUTE": 0,
    }  # fmt: skip


def test_customers_of_a_tenant_share_its_budget_to_the_last_dollar(vault: ClonedDatabase) -> None:
    for number in range(8):
        vault.query("""select test.make_customer(%s, '{"markup_percent": 0}', 'sharing')""", f"c{number}")
    vault.query(
        "insert into admin.usage_limit (tenant, unit, period, amount) values ('sharing', 'USD', 'WEEK', 50)"
        " returning limit_name"
    )

    def callers(number: int) -> Callable[[psycopg.Connection[Any]], list[str]]:
        def task(connection: psycopg.Connection[Any]) -> list[str]:
            batches = [route(connection, [call(f"c{number}", max_output_tokens=1)] * 5) for _ in range(5)]
            return [status for batch in batches for status, _ in batch]

        return task

    outcome = Counter(status for statuses in together(vault, [callers(n) for n in range(8)]) for status in statuses)
    assert outcome == {"routed": 50, "budget_exceeded": 150}
    with vault.connect() as connection:
        while settle(connection):
            pass
    assert vault.query("select l.spent, l.held from ops.usage_limit as l") == [(50, 0)]
    assert vault.query("select v.subject, v.finding from ops.invariant_violation as v") == []


def test_who_sweeps_does_not_wait_for_who_settles(vault: ClonedDatabase) -> None:
    """The one locks messages before reservations, the other comes from reservations: waiting could be a deadlock."""
    vault.query("""select test.make_customer('late', '{"cost_budget_daily": 50, "markup_percent": 0}')""")
    with vault.connect() as settling, vault.connect() as sweeping:
        sweeping.execute("set lock_timeout = '5s'")
        route(settling, [call("late", max_output_tokens=3)] * 2)
        settling.execute("update ops.reservation set deadline = clock_timestamp() - interval '3 minutes'")
        with settling.transaction():
            # As fn_delete_messages has it before the reservations are settled.
            settling.execute("select from pgmq.q_standard order by msg_id limit 1 for update")
            swept = sweeping.execute("select ops.fn_sweep_requests()").fetchone()
        assert swept == (1,), "the other one is left to whoever has its message"
        assert sweeping.execute("select ops.fn_sweep_requests()").fetchone() == (1,)
    assert scope(vault, "late") == (0, 0)


def test_one_result_told_by_many_is_booked_once(vault: ClonedDatabase) -> None:
    vault.query("""select test.make_customer('once', '{"cost_budget_daily": 50, "markup_percent": 0}')""")
    with vault.connect() as connection:
        route(connection, [call("once", max_output_tokens=3)])
        ((message,),) = (
            connection.execute(b"select to_jsonb(r) from gateway.sp_read_messages(1, 60) as r").fetchall(),
        )
    read = message[0]
    told = result(read["queue"], read["msg_id"], read["read_ct"], read["message"], output=2)
    receipts = together(
        vault,
        [
            lambda connection: connection.execute(
                b"select gateway.sp_record_result(%s::jsonb)", (Jsonb(told),)
            ).fetchone()
        ]
        * 6,
    )
    settled = [row[0]["settled"] for row in receipts]
    assert settled.count(True) == 1
    assert {row[0]["cost"]["customer"] for row in receipts} == {"2"}
    assert scope(vault, "once") == (2, 0)


def test_a_new_token_keeps_up_with_a_change_under_way(vault: ClonedDatabase) -> None:
    """A budget changed in one open transaction is what a token issued meanwhile in another gets."""
    vault.query("""select test.make_customer('busy', '{"cost_budget_daily": 1}')""")
    with vault.connect(autocommit=False) as dba, vault.connect() as command_line:
        dba.execute(b"""select test.make_customer('busy', '{"cost_budget_daily": 2}')""")
        issued = threading.Thread(
            target=lambda: command_line.execute(b"select test.make_token('busy', 'second')"), daemon=True
        )
        issued.start()
        dba.commit()
        issued.join(30)
        assert not issued.is_alive()
    budgets = vault.query(
        "select p.token_name, p.daily_budget_usd from ops.principal as p where p.customer_bk = 'busy'"
    )
    assert dict(budgets) == {"token": Decimal(2), "second": Decimal(2)}


def scope(database: ClonedDatabase, customer: str) -> tuple[Any, ...]:
    """Spent and held today."""
    (state,) = database.query(
        "select s.day_spent_usd, s.day_held_usd from ops.scope_state as s where s.scope_hk = util.hash_key(%s)",
        customer,
    )
    return state


def test_who_settles_while_a_limit_is_changed_is_counted(vault: ClonedDatabase) -> None:
    """The settling waits for the limit's row; if that were another one afterwards, it would find none to count in."""
    vault.query("""select test.make_customer('patient', '{"markup_percent": 0}')""")
    vault.query(
        "insert into admin.usage_limit (customer, unit, period, amount) values ('patient', 'USD', 'MONTH', 50)"
        " returning limit_name"
    )
    with vault.connect(autocommit=False) as dba, vault.connect() as settling:
        route(settling, [call("patient", max_output_tokens=3)])
        dba.execute(b"update admin.usage_limit set amount = 60 where customer = 'patient'")
        settled = threading.Thread(target=lambda: settle(settling, output=2), daemon=True)
        settled.start()
        waits = "select count(*) from pg_catalog.pg_locks as l where not l.granted and l.locktype = 'transactionid'"
        while vault.query(waits) == [(0,)]:
            assert settled.is_alive(), "it waits for the limit's row"
            time.sleep(0.01)
        dba.commit()
        settled.join(30)
        assert not settled.is_alive()
    assert vault.query("select l.amount, l.spent, l.held from ops.usage_limit as l") == [(60, 2, 0)]
    assert vault.query("select v.subject, v.finding from ops.invariant_violation as v") == []
