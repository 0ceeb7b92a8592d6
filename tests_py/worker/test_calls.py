"""The worker's statements on the real database, and what it does when the connection breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import psycopg
import pytest

from tests_py.support.cluster import ClonedDatabase
from tests_py.worker.kit import CUSTOMER, OFFER
from worker.calls import Calls, DatabaseAway, Receipt
from worker.shapes import Attempt, Result, Usage

REQUEST = "0198c0de-0000-7000-8000-000000000001"


@pytest.fixture
async def calls(database: ClonedDatabase) -> AsyncIterator[Calls]:
    opened = Calls(database.dsn("worker"))
    yield opened
    await opened.close()


def send(database: ClonedDatabase, queue: str = "standard") -> int:
    message = json.dumps({"request": REQUEST, "customer": CUSTOMER, "candidates": []})
    ((number,),) = database.query("select pgmq.send(%s, %s::jsonb)", queue, message)
    assert isinstance(number, int)
    return number


def kill_backends(database: ClonedDatabase) -> None:
    database.query(
        "select pg_terminate_backend(a.pid) from pg_stat_activity as a "
        "where a.application_name like 'onevault worker %%' and a.datname = current_database()"
    )


async def test_a_message_is_read_once_until_it_is_given_back(calls: Calls, database: ClonedDatabase) -> None:
    assert await calls.read_messages(10, 60) == []
    number = send(database)
    ((receipt, text, _),) = await calls.read_messages(10, 60)
    assert receipt == Receipt("standard", number, 1)
    assert json.loads(text)["request"] == REQUEST
    assert await calls.read_messages(10, 60) == []
    await calls.return_messages([receipt], 0)
    ((again, _, _),) = await calls.read_messages(10, 60)
    assert again == Receipt("standard", number, 2)
    await calls.return_messages([receipt], 0)
    assert await calls.read_messages(10, 60) == [], "an old receipt moves nothing"


async def test_no_more_than_asked_for_and_the_premium_first(calls: Calls, database: ClonedDatabase) -> None:
    for _ in range(5):
        send(database)
    send(database, "premium")
    found = [receipt.queue for receipt, _, _ in await calls.read_messages(3, 60)]
    assert found[0] == "premium"
    assert set(found[1:]) == {"standard"}
    assert len(found) <= 3


async def test_a_result_of_a_request_that_is_not_held_settles_nothing(calls: Calls, database: ClonedDatabase) -> None:
    send(database)
    ((receipt, _, _),) = await calls.read_messages(1, 60)
    usage = Usage(input_uncached=1, output=2)
    made = Attempt(number=1, offer=OFFER, key=None, outcome="SUCCESS", usage=usage, usage_source="provider_final")
    results = [
        Result(
            request=REQUEST,
            customer=CUSTOMER,
            queue="standard",
            msg_id=receipt.msg_id + extra,
            read_ct=1,
            status="SUCCESS",
            attempts=[made],
        )
        for extra in (0, 1000)
    ]
    receipts = [json.loads(text) for text in await calls.record_results(results)]
    assert [found.get("settled", False) for found in receipts] == [False, False]


async def test_a_key_that_is_not_there(calls: Calls) -> None:
    assert await calls.read_provider_key(bytes(32)) is None


async def test_reading_and_booking_are_durable(calls: Calls) -> None:
    await calls.read_messages(1, 60)
    for session in (calls._queue, calls._booking):
        assert await session.fetch("show synchronous_commit") == [("on",)]


async def test_due_jobs_run_and_notifications_arrive(calls: Calls, database: ClonedDatabase) -> None:
    await calls.listen()
    await calls.run_due_jobs()
    ran = "select count(*) = count(distinct j.xmin::text), count(*) = count(j.last_finished_at) from ops.job as j"
    assert database.query(ran) == [(True, True)], "each job is a transaction of its own"
    heard = 0

    async def hear() -> None:
        nonlocal heard
        async for _ in calls.notified(2):
            heard += 1

    hearing = asyncio.create_task(hear())
    await asyncio.sleep(0.2)
    database.query("select pg_notify('onevault_work', '')")
    async with asyncio.timeout(5):
        while not heard:
            await asyncio.sleep(0.01)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


async def test_a_broken_connection_is_said_once_and_mended(calls: Calls, database: ClonedDatabase) -> None:
    await calls.read_messages(1, 60)
    await calls.listen()
    kill_backends(database)
    with pytest.raises(DatabaseAway):
        await calls.read_messages(1, 60)
    assert await calls.read_messages(1, 60) == []
    with pytest.raises(DatabaseAway):
        async for _ in calls.notified(1):
            pass
    await calls.listen()


async def test_a_connection_with_an_answer_half_read_is_replaced(calls: Calls, database: ClonedDatabase) -> None:
    """Mutant: only connections that are closed are replaced, and every later statement fails."""
    await calls.return_messages([], 0)
    send(database)
    connection = await calls._queue.connect()
    connection.pgconn.send_query(b"select 1")
    with pytest.raises(DatabaseAway):
        await calls.read_messages(1, 60)
    assert len(await calls.read_messages(1, 60)) == 1


async def test_no_database_is_said_quickly_to_all_who_ask(database: ClonedDatabase) -> None:
    calls = Calls("postgresql://onevault_worker@127.0.0.1:1/onevault")
    found = await asyncio.gather(*(calls.read_messages(1, 60) for _ in range(20)), return_exceptions=True)
    assert {type(error) for error in found} == {DatabaseAway}
    await calls.close()


async def test_the_worker_may_do_nothing_else(calls: Calls) -> None:
    for statement in ("select * from pgmq.q_standard", "select * from gateway.api_request_s", "create table x ()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await calls._queue.fetch(statement)
