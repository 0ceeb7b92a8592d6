"""Decisions that go straight to a worker: to whom, with what, and what becomes of them when nobody is there.

Mutants they catch: a worker that leaves is given work; one that says nothing is given more; the message of a call
whose customer has left is kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from litestar_app import connection
from litestar_app.calls import Ask, Decision
from onevault.frames import Body, Cancel, Claim, Gone, Hello, Ping, Wake, Work
from tests_py.litestar_app.kit import ANSWER, CHAT, Desk, Worker, decision, running_front, until

ANSWER_OF_SECOND = json.dumps({**ANSWER, "id": "second"}).encode()
MESSAGE = '{"request": "as the queue has it"}'


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_front() as desk:
        desk.road.says = handing_over()
        yield desk


def handing_over() -> Callable[[Ask], Decision]:
    """SQL that hands over every call, with message numbers from 1."""
    numbers = iter(range(1, 1000))
    return lambda _: decision(queue="premium", msg_id=next(numbers), work=MESSAGE)


async def taken(worker: Worker) -> Body:
    """The body of the next work, once the worker has said that it has come."""
    work = await worker.receive(Work)
    body = await worker.receive(Body)
    assert body.ticket == work.ticket
    worker.send(Ping())
    return body


async def test_a_call_goes_to_a_worker_with_its_body(desk: Desk) -> None:
    worker = await Worker.dial(desk.front, room=8)
    call = desk.post()
    ticket = bytes.fromhex(await desk.ticket())
    assert await worker.receive(Work) == Work(ticket, "premium", 1, MESSAGE, 60_000)
    assert (await worker.receive(Body)).body == json.dumps(CHAT, separators=(",", ":")).encode()
    worker.answer(ticket)
    assert (await call).json()["id"] == ANSWER["id"]
    assert desk.road.rooms == [8]
    assert Wake() not in worker.frames


async def test_sql_is_told_how_much_the_workers_take(desk: Desk) -> None:
    one = await Worker.dial(desk.front, "w1", room=2)
    two = await Worker.dial(desk.front, "w2", room=3)
    calls = []
    for worker in (two, one, two, one, two):  # who has most room, and of those with as much the first
        calls.append(desk.post())
        await taken(worker)
    assert desk.road.rooms == [5, 4, 3, 2, 1]
    for call in calls:
        call.cancel()


async def test_who_takes_nothing_is_given_nothing(desk: Desk) -> None:
    worker = await Worker.dial(desk.front, room=4)
    worker.send(Hello("w1", 0))
    await until(lambda: desk.front.links.room == 0)
    call = desk.post()
    await desk.ticket()
    assert desk.road.rooms == [0]
    call.cancel()


async def test_who_does_not_say_that_work_has_come_gets_no_more(desk: Desk) -> None:
    worker = await Worker.dial(desk.front, room=4)
    call = desk.post()
    body = await worker.receive(Work)
    await until(lambda: desk.front.links.room == 0)
    worker.send(Ping())
    await until(lambda: desk.front.links.room == 3)
    worker.answer(body.ticket)
    assert (await call).status_code == 200
    assert desk.front.links.room == 4


async def test_what_a_stuck_worker_was_given_is_read_by_another(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_STUCK_SECONDS", 0.05)
    stuck = await Worker.dial(desk.front, "w1", room=4)
    call = desk.post()
    ticket = (await stuck.receive(Work)).ticket
    await stuck.receive(Body)
    await until(lambda: desk.reads.released == [("premium", 1, 1, 0)])
    second = await Worker.dial(desk.front, "w2")
    second.send(Claim(ticket, "premium", 1, 2))
    body = await second.receive(Body)
    assert (await stuck.receive(Cancel)).ticket == ticket
    stuck.answer(ticket)  # too late: it is fenced, and nobody listens
    second.answer(body.ticket, ANSWER_OF_SECOND)
    assert (await call).json()["id"] == "second"


async def test_a_worker_that_wakes_before_another_has_read_it_is_heard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_STUCK_SECONDS", 0.05)
    worker = await Worker.dial(desk.front, room=4)
    call = desk.post()
    ticket = (await worker.receive(Work)).ticket
    await until(lambda: desk.reads.released == [("premium", 1, 1, 0)])
    worker.answer(ticket)
    assert (await call).json()["id"] == ANSWER["id"]


async def test_with_nobody_linked_any_more_the_message_is_given_back(desk: Desk) -> None:
    call = desk.post()
    await until(lambda: desk.reads.returned == [("premium", 1, 1)])
    worker = await Worker.dial(desk.front)
    body = await worker.claim(await desk.ticket(), read_ct=2)
    worker.answer(body.ticket)
    assert (await call).status_code == 200


async def test_the_work_of_a_dead_worker_is_read_by_another(desk: Desk) -> None:
    worker = await Worker.dial(desk.front, room=4)
    call = desk.post()
    ticket = (await taken(worker)).ticket
    worker.die()
    await until(lambda: desk.reads.released == [("premium", 1, 1, 0)])
    second = await Worker.dial(desk.front, "w2")
    second.answer((await second.claim(ticket, read_ct=2)).ticket)
    assert (await call).status_code == 200


async def test_what_was_given_back_is_claimed_by_who_reads_it(desk: Desk) -> None:
    """A worker that is full, or leaves, has the message read again."""
    worker = await Worker.dial(desk.front, "w1", room=4)
    call = desk.post()
    work = await worker.receive(Work)
    second = await Worker.dial(desk.front, "w2")
    second.send(Claim(work.ticket, work.queue, work.msg_id, 2))
    second.answer((await second.receive(Body)).ticket)
    assert (await call).status_code == 200


async def test_a_worker_hears_that_the_customer_has_left_meanwhile(desk: Desk) -> None:
    worker = await Worker.dial(desk.front, room=4)
    decided = asyncio.Event()
    route = desk.road.route

    async def slow(asks: list[Ask], reply_to: str, *, notify: bool, room: int) -> list[Decision]:
        decisions = await route(asks, reply_to, notify=notify, room=room)
        await decided.wait()
        return decisions

    desk.road.route = slow  # type: ignore[method-assign]
    call = desk.post()
    ticket = bytes.fromhex(await desk.ticket())
    call.cancel()
    await until(lambda: desk.front.links._answers[ticket].over)
    decided.set()
    assert (await worker.receive(Work)).ticket == ticket
    assert await worker.receive(Gone) == Gone(ticket, "client_gone", 0)
