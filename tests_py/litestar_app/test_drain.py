"""Stopping: nothing new, running answers finish, what does not finish in time is told so."""

from __future__ import annotations

import asyncio
import json
import signal

import httpx
import pytest

from onevault.frames import Chunk, End
from tests_py.litestar_app.kit import CHAT, HEADERS, Desk, Worker, event, receipt, running_front, until


def stop(desk: Desk) -> None:
    """What SIGTERM does."""
    desk.server.handle_exit(signal.SIGTERM, None)


def port(desk: Desk) -> int:
    return int(desk.url.rsplit(":", 1)[1])


async def test_running_answers_finish_and_then_the_front_is_gone() -> None:
    async with running_front() as desk:
        worker = await Worker.dial(desk.front)
        running = desk.post({**CHAT, "stream": True})
        claimed = await worker.claim(await desk.ticket())
        worker.begin(claimed.ticket)
        worker.send(Chunk(claimed.ticket, event("before")))
        stop(desk)
        await until(lambda: desk.front.draining)
        worker.send(Chunk(claimed.ticket, event("after")), End(claimed.ticket, receipt()))
        text = (await running).text
        assert "before" in text
        assert "after" in text
        assert text.endswith("data: [DONE]\n\n")
        await until(lambda: not desk.socket.exists())
        await worker.lost.wait()


async def test_new_calls_on_kept_connections_are_sent_elsewhere() -> None:
    async with running_front() as desk:
        worker = await Worker.dial(desk.front)
        async with httpx.AsyncClient(base_url=desk.url, headers=HEADERS, trust_env=False) as kept:
            for _ in range(2):
                assert (await kept.get("/healthz/ready")).status_code == 200
            running = desk.post()
            claimed = await worker.claim(await desk.ticket())
            stop(desk)
            await until(lambda: desk.front.draining)
            response = await kept.post("/v1/chat/completions", json=CHAT)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
        assert response.headers["connection"] == "close"
        assert response.headers["retry-after"] == "1"
        worker.answer(claimed.ticket)
        assert (await running).status_code == 200


async def test_a_connection_that_is_kept_alive_is_not_cut_off_in_the_middle_of_a_call() -> None:
    """Nothing runs when it is told to leave, and the next call is on its way already."""
    async with running_front() as desk, httpx.AsyncClient(base_url=desk.url, headers=HEADERS, trust_env=False) as kept:
        assert (await kept.get("/healthz/ready")).status_code == 200
        stop(desk)
        await until(lambda: desk.front.draining)
        await desk.front.links.idle()
        await asyncio.sleep(0.1)
        response = await kept.post("/v1/chat/completions", json=CHAT)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
        assert response.headers["connection"] == "close"
        await until(lambda: not desk.socket.exists())


async def test_a_draining_front_is_not_ready_and_takes_no_connections() -> None:
    async with running_front() as desk:
        worker = await Worker.dial(desk.front)
        async with httpx.AsyncClient(base_url=desk.url, trust_env=False) as kept:
            await kept.get("/healthz/ready")
            running = desk.post()
            claimed = await worker.claim(await desk.ticket())
            stop(desk)
            await until(lambda: desk.front.draining)
            response = await kept.get("/healthz/ready")
        assert (response.status_code, response.json()["ready"]) == (503, False)
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port(desk))
        worker.answer(claimed.ticket)
        await running


async def test_an_idle_front_stops_at_once() -> None:
    async with running_front() as desk:
        stop(desk)
        await until(lambda: not desk.socket.exists())


async def test_what_does_not_finish_in_time_is_told_so() -> None:
    async with running_front(drain_timeout_seconds=0.3) as desk:
        worker = await Worker.dial(desk.front)
        plain, stream, unclaimed = desk.post(), desk.post({**CHAT, "stream": True}), desk.post()
        await desk.ticket(2)
        by_kind = {ask.stream: ask.ticket for ask in desk.road.asks[:2]}
        await worker.claim(by_kind[False])
        claimed = await worker.claim(by_kind[True])
        worker.begin(claimed.ticket)
        worker.send(Chunk(claimed.ticket, event("Hi")))
        stop(desk)
        for call in (plain, unclaimed):
            response = await call
            assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
        events = (await stream).text.strip().split("\n\n")
        assert json.loads(events[-1].removeprefix("data: "))["error"]["code"] == "draining"
        await until(lambda: not desk.socket.exists())
        async with asyncio.timeout(5):
            await worker.lost.wait()
        # The worker lives and books; nobody else is to take its messages up.
        assert desk.reads.released == []


async def test_a_second_signal_does_not_wait() -> None:
    async with running_front() as desk:
        running = desk.post()
        await desk.ticket()
        stop(desk)
        await until(lambda: desk.front.draining)
        stop(desk)
        assert desk.server.should_exit
        desk.front._end_all()
        assert (await running).status_code == 503
