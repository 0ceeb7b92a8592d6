"""A front lets in what it has room for: calls, bodies, answers, and calls that nobody has decided yet."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from litestar_app.admission import PATIENCE_SECONDS, Admission, Bounds
from litestar_app.calls import Ask, Decision
from onevault.frames import Body, Cancel, Chunk, Claim, End, Head, Pause
from tests_py.litestar_app.kit import ANSWER, CHAT, HEADERS, REQUEST_ID, Desk, Worker, receipt, running_front, until

_KIB = 1024


def assert_refused(response: httpx.Response) -> None:
    assert response.status_code == 503, response.text
    assert response.json()["error"]["code"] == "overloaded"
    assert int(response.headers["retry-after"]) >= 1


def assert_empty(desk: Desk) -> None:
    books = desk.front.admission
    assert (books.calls, books.body_bytes, books.answer_bytes) == (0, 0, 0)


async def emptied(desk: Desk) -> None:
    await until(lambda: desk.front.admission.calls == 0)
    assert_empty(desk)


def padded(size: int) -> dict[str, Any]:
    return {**CHAT, "messages": [{"role": "user", "content": "x" * size}]}


async def test_no_more_calls_than_it_may_hold() -> None:
    """Mutants: the count never goes down; it is not looked at."""
    async with running_front(front_calls=2) as desk:
        worker = await Worker.dial(desk.front)
        calls = [desk.post(), desk.post()]
        tickets = [await desk.ticket(0), await desk.ticket(1)]
        assert_refused(await desk.post())
        assert len(desk.road.asks) == 2, "SQL was not asked about the third"
        for number, ticket in enumerate(tickets):
            claimed = await worker.claim(ticket, msg_id=number)
            worker.answer(claimed.ticket)
        assert [(await call).status_code for call in calls] == [200, 200]
        again = desk.post()
        worker.answer((await worker.claim(await desk.ticket(2), msg_id=3)).ticket)
        assert (await again).status_code == 200
        await emptied(desk)


async def test_no_more_bytes_of_bodies_than_it_may_hold() -> None:
    """Mutants: bodies are not counted; they stay counted when they are refused."""
    async with running_front(front_body_bytes=100 * _KIB) as desk:
        worker = await Worker.dial(desk.front)
        call = desk.post(padded(60 * _KIB))
        claimed = await worker.claim(await desk.ticket())
        assert_refused(await desk.post(padded(60 * _KIB)))
        await until(lambda: desk.front.admission.calls == 1)
        small = desk.post()
        worker.answer((await worker.claim(await desk.ticket(1), msg_id=2)).ticket)
        assert (await small).status_code == 200, "a small one still fits"
        worker.answer(claimed.ticket)
        assert (await call).status_code == 200
        await emptied(desk)


async def test_slow_customers_hold_no_more_than_there_is_room_for() -> None:
    """Mutants: streams are paused at their own limit only; answers are not counted."""
    async with running_front(front_answer_bytes=1024 * _KIB) as desk:
        worker = await Worker.dial(desk.front)
        books = desk.front.admission
        port = int(desk.url.rsplit(":", 1)[1])
        customers = [await ask_and_never_read(port) for _ in range(4)]
        tickets = [await claim(worker, await desk.ticket(number), number) for number in range(4)]
        for ticket in tickets:
            worker.send(Head(ticket, REQUEST_ID, "openai", "gpt-4o", "text/event-stream"))
            for _ in range(1000):  # until the buffers between us and the customer are full
                worker.send(Chunk(ticket, b"data: " + b"x" * 64 * _KIB + b"\n\n"))
                before = books.answer_bytes
                for _ in range(20):
                    await asyncio.sleep(0)
                if books.answer_bytes > before:
                    await asyncio.sleep(0.01)
                if Pause(ticket) in worker.frames:
                    break
            assert Pause(ticket) in worker.frames
        assert books.tight
        assert books.answer_bytes <= 1024 * _KIB
        assert Cancel not in {type(frame) for frame in worker.frames}, "they fit because each is held to less"
        assert_refused(await desk.post())
        for writer in customers:
            writer.close()
        await emptied(desk)


async def test_a_large_plain_answer_counts_until_its_customer_has_it() -> None:
    """Mutant: the whole body is handed to the server at once, which buffers it outside the books."""
    async with running_front(front_answer_bytes=10_000 * _KIB) as desk:
        worker = await Worker.dial(desk.front)
        writer = await ask_and_never_read(int(desk.url.rsplit(":", 1)[1]), stream=False)
        ticket = (await worker.claim(await desk.ticket())).ticket
        worker.begin(ticket)
        large = {**ANSWER, "padding": "x" * 8000 * _KIB}
        data = json.dumps(large).encode()
        for start in range(0, len(data), _KIB * _KIB):
            worker.send(Chunk(ticket, data[start : start + _KIB * _KIB]))
        worker.send(End(ticket, receipt()))
        await until(lambda: not worker.frames and desk.front.admission.answer_bytes == len(data))
        await asyncio.sleep(0.2)
        assert desk.front.admission.answer_bytes == len(data), "still held for the customer"
        assert_refused(await desk.post())
        writer.close()
        await emptied(desk)


async def test_a_database_that_does_not_decide_costs_nobody_their_time() -> None:
    """Mutant: the wait for a decision is not looked at."""
    async with running_front() as desk:
        decided = asyncio.Event()
        route = desk.road.route

        async def stuck(asks: list[Ask], reply_to: str, *, notify: bool, room: int) -> list[Decision]:
            await decided.wait()
            return await route(asks, reply_to, notify=notify, room=room)

        desk.road.route = stuck  # type: ignore[method-assign]
        first = desk.post()
        await until(lambda: desk.front.admission.calls == 1)
        second = desk.post()
        await until(lambda: desk.front.held["undecided"] == 1)
        await asyncio.sleep(PATIENCE_SECONDS + 0.1)
        assert_refused(await desk.post())
        decided.set()
        worker = await Worker.dial(desk.front)
        for number in range(2):
            worker.answer((await worker.claim(await desk.ticket(number), msg_id=number)).ticket)
        assert [(await call).status_code for call in (first, second)] == [200, 200]
        await emptied(desk)


async def test_the_books_are_empty_after_calls_of_every_kind() -> None:
    """Mutants: no close() on one of the ways out; bytes of an answer that failed stay counted."""
    async with running_front(body_limit_bytes=64 * _KIB) as desk:
        worker = await Worker.dial(desk.front)
        assert (await desk.post(padded(80 * _KIB))).status_code == 413
        assert (await desk.client.post("/v1/chat/completions", content=b"{")).status_code == 400
        desk.road.away = True
        assert (await desk.post()).status_code == 503
        desk.road.away = False
        writer = await ask_and_never_read(int(desk.url.rsplit(":", 1)[1]))
        ticket = (await worker.claim(await desk.ticket(1))).ticket
        worker.begin(ticket, "text/event-stream")
        writer.close()
        await emptied(desk)
        worker.send(Chunk(ticket, b"late"))
        call = desk.post()
        dying = await claim(worker, await desk.ticket(2), 2)
        worker.begin(dying)
        worker.send(Chunk(dying, b"half"))
        await until(lambda: desk.front.admission.answer_bytes == 4)
        worker.die()
        await until(lambda: desk.front.admission.answer_bytes == 0)
        other = await Worker.dial(desk.front, "w2")
        other.answer((await other.claim(dying, msg_id=2, read_ct=2)).ticket)
        assert (await call).status_code == 200
        await emptied(desk)


def test_what_comes_after_the_end_is_not_counted() -> None:
    """Mutant: a call that is over goes on in the books."""
    books = Admission(Bounds(1, 10, 10))
    load = books.enter(0.0, 0.0)
    load.close()
    assert not load.add_answer(5)
    assert books.answer_bytes == 0


async def claim(worker: Worker, ticket: str, msg_id: int) -> bytes:
    """Claim a request while frames about others arrive."""
    worker.send(Claim(bytes.fromhex(ticket), "standard", msg_id, 1))
    await until(lambda: any(isinstance(frame, Body) and frame.ticket.hex() == ticket for frame in worker.frames))
    return bytes.fromhex(ticket)


async def ask_and_never_read(port: int, *, stream: bool = True) -> asyncio.StreamWriter:
    """A customer who asks and reads nothing."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    body = json.dumps({**CHAT, "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {HEADERS['authorization']}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    return writer
