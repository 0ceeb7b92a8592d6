"""The link over real sockets: claims, deaths on either side, back-pressure, tombstones, wake hints."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from litestar_app import watch
from litestar_app.answers import HIGH_WATER
from litestar_app.sockets import LinkError, listen
from onevault.frames import Body, Cancel, Chunk, Claim, End, Gone, Head, Pause, Resume, Wake
from tests_py.litestar_app.kit import ANSWER, CHAT, Desk, Worker, decision, event, receipt, running_front, until


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_front() as desk:
        yield desk


def delivered(desk: Desk, ticket: bytes) -> bool:
    """Whether anything of this answer has gone to the customer."""
    return desk.front.links._answers[ticket].delivered > 0


async def ask_without_reading(desk: Desk) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A customer who asks for a stream and reads nothing of it yet."""
    request = json.dumps({**CHAT, "stream": True}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]), limit=1024)
    authorization = desk.client.headers["authorization"]
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: %b\r\n"
        b"content-length: %d\r\n\r\n%b" % (authorization.encode(), len(request), request)
    )
    return reader, writer


async def fill_up(worker: Worker, ticket: bytes, piece: bytes) -> int:
    """Send pieces until the front asks for a pause; gives how many."""
    sent = 0
    while not any(isinstance(frame, Pause) for frame in worker.frames):
        worker.send(Chunk(ticket, piece))
        sent += 1
        assert sent < 2000
        await asyncio.sleep(0.001)
    return sent


async def test_a_call_goes_through(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    call = desk.post()
    ticket = await desk.ticket()
    body = await worker.claim(ticket)
    assert body == Body(bytes.fromhex(ticket), "chat", False, False, json.dumps(CHAT, separators=(",", ":")).encode())
    worker.answer(body.ticket)
    response = await call
    assert response.status_code == 200
    assert {name: response.json()[name] for name in ANSWER} == ANSWER
    assert desk.front.links.waiting == 0


async def test_the_answer_may_come_before_the_decision_has_returned(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    held = asyncio.Event()
    route = desk.road.route

    async def slow(*arguments: object, **options: object) -> object:
        decisions = await route(*arguments, **options)  # type: ignore[arg-type]
        await held.wait()
        return decisions

    desk.road.route = slow  # type: ignore[assignment,method-assign]
    call = desk.post({**CHAT, "stream": True})
    body = await worker.claim(await desk.ticket())
    worker.begin(body.ticket)
    worker.send(Chunk(body.ticket, event("Hi")), End(body.ticket, receipt()))
    await asyncio.sleep(0.05)
    held.set()
    assert (await call).text.endswith("data: [DONE]\n\n")


async def test_an_unknown_ticket_is_gone(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    worker.send(Claim(b"\0" * 16, "standard", 1, 1))
    assert await worker.receive(Gone) == Gone(b"\0" * 16, "unknown_ticket", 0)


async def test_a_call_that_sql_refused_leaves_no_tombstone(desk: Desk) -> None:
    desk.road.says = lambda _: decision(status="budget_exceeded", http_status=402, message="Spent.")
    assert (await desk.post()).status_code == 402
    worker = await Worker.dial(desk.front)
    worker.send(Claim(bytes.fromhex(await desk.ticket()), "standard", 1, 1))
    assert (await worker.receive(Gone)).reason == "unknown_ticket"


async def test_a_dead_worker_before_the_first_byte_is_a_delay_not_an_error(desk: Desk) -> None:
    first = await Worker.dial(desk.front, "w1")
    second = await Worker.dial(desk.front, "w2")
    call = desk.post({**CHAT, "stream": True})
    body = await first.claim(await desk.ticket(), msg_id=7, read_ct=1)
    first.begin(body.ticket)
    first.die()
    await until(lambda: desk.reads.released == [("standard", 7, 1, 0)])
    assert await second.receive(Wake) == Wake()
    again = await second.claim(body.ticket, msg_id=7, read_ct=2)
    assert again == body
    second.begin(body.ticket)
    second.send(Chunk(body.ticket, event("Hi")), End(body.ticket, receipt()))
    response = await call
    assert response.status_code == 200
    assert response.text.count("chat.completion.chunk") == 2
    assert response.text.endswith("data: [DONE]\n\n")


async def test_a_message_is_given_back_as_soon_as_the_database_takes_it(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    call = desk.post()
    await worker.claim(await desk.ticket(), msg_id=7)
    desk.reads.away = True
    worker.die()
    await until(lambda: desk.front.links.workers == 0)
    await asyncio.sleep(0.1)
    assert desk.reads.released == []
    desk.reads.away = False
    await until(lambda: desk.reads.released == [("standard", 7, 1, 0)])
    call.cancel()


async def test_an_answer_that_was_booked_and_lost_is_told_at_once(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    desk.reads.reclaimed = "gone"
    call = desk.post()
    body = await worker.claim(await desk.ticket(), msg_id=7)
    worker.begin(body.ticket)
    worker.die()
    response = await call
    assert (response.status_code, response.json()["error"]["code"]) == (502, "provider_error")
    assert "booked" in response.json()["error"]["message"]


async def test_pieces_of_a_dead_worker_are_not_mixed_into_a_plain_answer(desk: Desk) -> None:
    first = await Worker.dial(desk.front)
    call = desk.post()
    body = await first.claim(await desk.ticket())
    first.begin(body.ticket)
    first.send(Chunk(body.ticket, b'{"half":'))
    await asyncio.sleep(0.02)
    first.die()
    await until(lambda: bool(desk.reads.released))
    second = await Worker.dial(desk.front)
    again = await second.claim(body.ticket, read_ct=2)
    second.answer(again.ticket)
    assert (await call).json()["id"] == ANSWER["id"]


async def test_a_dead_worker_after_the_first_byte_ends_the_stream_with_an_error(desk: Desk) -> None:
    first = await Worker.dial(desk.front)
    call = desk.post({**CHAT, "stream": True})
    body = await first.claim(await desk.ticket(), msg_id=7)
    first.begin(body.ticket)
    first.send(Chunk(body.ticket, event("Hi")))
    await until(lambda: delivered(desk, body.ticket))
    first.die()
    text = (await call).text
    assert text.startswith(event("Hi").decode())
    rest = text.removeprefix(event("Hi").decode())
    error = json.loads(rest.removeprefix("data: "))["error"]
    assert (error["code"], error["type"]) == ("provider_error", "server_error")
    assert "[DONE]" not in text
    await until(lambda: desk.reads.released == [("standard", 7, 1, len("Hi"))])
    second = await Worker.dial(desk.front)
    second.send(Claim(body.ticket, "standard", 7, 2))
    assert await second.receive(Gone) == Gone(body.ticket, "worker_lost", len("Hi"))


async def test_what_the_customer_had_not_got_when_the_worker_died_is_neither_told_nor_charged(desk: Desk) -> None:
    first = await Worker.dial(desk.front)
    call = desk.post({**CHAT, "stream": True})
    body = await first.claim(await desk.ticket(), msg_id=7)
    first.begin(body.ticket)
    first.send(Chunk(body.ticket, event("Hi")))
    await until(lambda: delivered(desk, body.ticket))
    answer = desk.front.links._answers[body.ticket]
    link = answer.link
    assert link is not None
    # In one moment, before whoever writes to the customer is woken.
    answer.add(event(" for nothing"))
    link.connection_lost(None)
    text = (await call).text
    assert "for nothing" not in text
    assert "broke off" in text
    await until(lambda: desk.reads.released == [("standard", 7, 1, len("Hi"))])


async def test_nothing_follows_what_a_later_reading_books(desk: Desk) -> None:
    stuck, fresh = await Worker.dial(desk.front, "w1"), await Worker.dial(desk.front, "w2")
    call = desk.post({**CHAT, "stream": True})
    body = await stuck.claim(await desk.ticket(), msg_id=7, read_ct=1)
    stuck.begin(body.ticket)
    stuck.send(Chunk(body.ticket, event("Hi")))
    await until(lambda: delivered(desk, body.ticket))
    fresh.send(Claim(body.ticket, "standard", 7, 2))
    assert await fresh.receive(Gone) == Gone(body.ticket, "worker_lost", len("Hi"))
    assert await stuck.receive(Cancel) == Cancel(body.ticket)
    stuck.send(Chunk(body.ticket, event(" for nothing")), End(body.ticket, receipt()))
    text = (await call).text
    assert "for nothing" not in text
    assert "broke off" in text


async def test_the_next_worker_hears_of_what_was_delivered_before_the_customer_has_heard_of_the_end(desk: Desk) -> None:
    first, second = await Worker.dial(desk.front, "w1"), await Worker.dial(desk.front, "w2")
    _, writer = await ask_without_reading(desk)
    body = await first.claim(await desk.ticket(), msg_id=7)
    first.begin(body.ticket)
    piece = event("x" * 65536)
    await fill_up(first, body.ticket, piece)
    first.die()
    await until(lambda: bool(desk.reads.released))
    assert body.ticket in desk.front.links._answers, "the customer still has to be told"
    second.send(Claim(body.ticket, "standard", 7, 2))
    gone = await second.receive(Gone)
    assert (gone.reason, gone.delivered_bytes >= 65536) == ("worker_lost", True)
    writer.close()


async def test_a_client_that_leaves_cancels(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    with pytest.raises(httpx.ReadTimeout):
        await desk.post(timeout=0.1)
    body = await worker.claim(await desk.ticket())
    assert await worker.receive(Cancel) == Cancel(body.ticket)
    # What the worker still sends, and its booking, do no harm.
    worker.answer(body.ticket)
    await until(lambda: desk.front.links.waiting == 0)


async def test_a_client_that_left_before_the_claim_is_told_to_the_worker(desk: Desk) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await desk.post(timeout=0.1)
    await until(lambda: desk.front.links.waiting == 0)
    worker = await Worker.dial(desk.front)
    worker.send(Claim(bytes.fromhex(await desk.ticket()), "standard", 1, 1))
    assert (await worker.receive(Gone)).reason == "client_gone"


async def test_a_worker_that_dies_after_the_client_left_leaves_word_for_the_next(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    with pytest.raises(httpx.ReadTimeout):
        await desk.post(timeout=0.1)
    body = await worker.claim(await desk.ticket())
    await worker.receive(Cancel)
    worker.die()
    await until(lambda: bool(desk.reads.released))
    second = await Worker.dial(desk.front)
    second.send(Claim(body.ticket, "standard", 1, 2))
    assert (await second.receive(Gone)).reason == "client_gone"


async def test_the_deadline_answers_and_cancels(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.01)
    desk.road.says = lambda _: decision(left_ms=0)
    worker = await Worker.dial(desk.front)
    call = desk.post()
    body = await worker.claim(await desk.ticket())
    response = await call
    assert (response.status_code, response.json()["error"]["code"]) == (504, "timeout")
    assert await worker.receive(Cancel) == Cancel(body.ticket)


async def test_the_gateways_own_limit_of_time_holds_without_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GRACE_SECONDS", 0.05)
    async with running_front(request_timeout_seconds=0.3) as desk:
        response = await desk.post()
        assert response.json()["error"]["code"] == "timeout"


async def test_a_slow_reader_pauses_the_worker_and_then_gets_everything(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    reader, writer = await ask_without_reading(desk)
    body = await worker.claim(await desk.ticket())
    worker.begin(body.ticket)
    piece = b"data: " + b"x" * 65536 + b"\n\n"
    sent = await fill_up(worker, body.ticket, piece)
    assert sent * len(piece) > HIGH_WATER
    got = b""
    while not any(isinstance(frame, Resume) for frame in worker.frames):
        got += await reader.read(65536)
    worker.send(End(body.ticket, receipt()))
    got += await reader.read(-1)
    writer.close()
    assert got.count(b"x" * 1000) > 0
    assert got.count(b"data: x") == sent
    assert b"[DONE]" in got


async def test_a_stuck_worker_is_superseded_by_a_later_reading(desk: Desk) -> None:
    stuck, fresh = await Worker.dial(desk.front, "w1"), await Worker.dial(desk.front, "w2")
    call = desk.post()
    body = await stuck.claim(await desk.ticket(), msg_id=7, read_ct=1)
    again = await fresh.claim(body.ticket, msg_id=7, read_ct=2)
    assert await stuck.receive(Cancel) == Cancel(body.ticket)
    stuck.answer(body.ticket, b'{"id":"stale"}')
    fresh.answer(again.ticket)
    assert (await call).json()["id"] == ANSWER["id"]


async def test_one_ticket_is_answered_once(desk: Desk) -> None:
    first, second = await Worker.dial(desk.front, "w1"), await Worker.dial(desk.front, "w2")
    call = desk.post()
    body = await first.claim(await desk.ticket(), msg_id=7)
    second.send(Claim(body.ticket, "standard", 8, 1))
    assert (await second.receive(Gone)).reason == "unknown_ticket"
    first.answer(body.ticket)
    assert (await call).status_code == 200


async def test_wake_goes_to_as_many_workers_as_there_is_work(desk: Desk) -> None:
    busy, idle = await Worker.dial(desk.front, "w1"), await Worker.dial(desk.front, "w2")
    first = desk.post()
    body = await busy.claim(await desk.ticket())
    await asyncio.sleep(0.02)
    busy.frames.clear()
    idle.frames.clear()
    second = desk.post()
    await desk.ticket(1)
    assert await idle.receive(Wake) == Wake()
    assert not busy.frames
    busy.answer(body.ticket)
    idle.answer((await idle.claim(await desk.ticket(1))).ticket)
    await asyncio.gather(first, second)


async def test_sql_is_to_notify_only_when_nobody_is_linked(desk: Desk) -> None:
    first = desk.post()
    await desk.ticket()
    worker = await Worker.dial(desk.front)
    second = desk.post()
    await desk.ticket(1)
    assert desk.road.notified == [True, False]
    for number in (0, 1):
        worker.answer((await worker.claim(await desk.ticket(number))).ticket)
    await asyncio.gather(first, second)


@pytest.mark.parametrize("nonsense", [b"\xff\xff\xff\xff", b"\0\0\0\1\xc1", b"\0\0\0\2\x91\x0b"])
async def test_a_peer_that_speaks_nonsense_is_hung_up_on(desk: Desk, nonsense: bytes) -> None:
    worker = await Worker.dial(desk.front)
    call = desk.post()
    await worker.claim(await desk.ticket())
    worker.transport.write(nonsense)
    async with asyncio.timeout(5):
        await worker.lost.wait()
    await until(lambda: bool(desk.reads.released))
    second = await Worker.dial(desk.front)
    second.answer((await second.claim(await desk.ticket(), read_ct=2)).ticket)
    assert (await call).status_code == 200


async def test_frames_of_foreign_tickets_are_ignored(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    worker.send(Head(b"?" * 16, "", "", "", ""), Chunk(b"?" * 16, b"x"), End(b"?" * 16, b"{}"))
    call = desk.post()
    worker.answer((await worker.claim(await desk.ticket())).ticket)
    assert (await call).status_code == 200


async def test_the_socket_is_ours_alone_and_removed_at_the_end() -> None:
    async with running_front() as desk:
        path = desk.socket
        assert path.name.startswith(f"front-{os.getpid()}-")
        assert path.stat().st_mode & 0o777 == 0o600
        assert desk.front.links.address == f"unix:{path}"
    assert not path.exists()


def test_a_place_where_no_socket_fits_is_named(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="ONEVAULT_LINK_DIR"):
        listen(tmp_path / ("d" * 120) / "front-1-ab.sock")
