"""Memory does not grow with the number of calls, whatever became of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from litestar_app import watch
from litestar_app.admission import Load
from litestar_app.answers import Answer
from litestar_app.calls import Ask, Decision
from litestar_app.routes.completions import Call
from litestar_app.watch import Watch
from onevault.frames import Chunk, End
from tests_py.conftest import StartGateway
from tests_py.faults.conftest import Report
from tests_py.faults.test_overload import make_caller, postgres_of
from tests_py.litestar_app.kit import CHAT, Worker, event, receipt, running_front, until
from tests_py.support.flood import flood
from tests_py.support.gateway import Gateway
from tests_py.support.memory import Sampler, private_bytes

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
WARM_UP_SECONDS = 60.0 if SOAK else 5.0
LOAD_SECONDS = 900.0 if SOAK else 8.0
RATE = 75.0 if SOAK else 40.0
BODY_BYTES = 40_000
GROWTH_PER_CALL = 20 if SOAK else 25_000
"""Bytes that a process may grow by a call: a leaked body is 40,000, the warming up of a short run some 8,000."""


async def test_a_front_keeps_nothing_of_calls_that_are_over(
    collector_off: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for ever nor until the collector comes. Mutants: `forget` leaves the answer among those that wait; a link
    that keeps the claims of answers that are over; a Load that is not closed; an error that is not unwound; a `Watch`
    that knows its task for ever.
    """
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.0)
    async with running_front() as desk:
        for number in range(30):
            worker = await Worker.dial(desk.front, f"w{number}")
            asked = len(desk.road.asks)
            stream = number % 3 == 0
            call = desk.post({**CHAT, "stream": stream})
            claimed = await worker.claim(await desk.ticket(asked), msg_id=number)
            worker.begin(claimed.ticket, "text/event-stream" if stream else "application/json")
            if number % 5 == 4:
                call.cancel()
                await until(lambda: desk.front.links.waiting == 0)
            elif stream:
                worker.send(Chunk(claimed.ticket, event("Hi")), End(claimed.ticket, receipt()))
                assert (await call).status_code == 200
            else:
                worker.answer(claimed.ticket)
                assert (await call).status_code == 200
            worker.die()
            await until(lambda: desk.front.links.workers == 0)
        stays = await Worker.dial(desk.front, "stays")
        for number in range(5):
            call, asked = desk.post(), len(desk.road.asks)
            stays.answer((await stays.claim(await desk.ticket(asked), msg_id=number)).ticket)
            assert (await call).status_code == 200
        desk.road.says = database_is_full
        for _ in range(5):
            assert (await desk.post()).status_code == 503
        desk.road.says = database_is_odd
        for _ in range(5):
            assert (await desk.post()).status_code == 500
        await desk.client.aclose()  # its connections hold the last calls
        await until(lambda: not kept())
        assert desk.front.held["calls"] == desk.front.links.waiting == 0
        assert not [t for t in asyncio.all_tasks() if "_listen" in repr(t.get_coro())]


@pytest.fixture
def collector_off() -> Iterator[None]:
    """What only the garbage collector would find stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def database_is_full(_: Ask) -> Decision:
    raise psycopg.errors.QueryCanceled


def database_is_odd(_: Ask) -> Decision:
    raise LookupError


def kept() -> Counter[str]:
    """Objects of calls that are alive."""
    kinds = (Answer, Call, Load, Watch)
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, kinds))


def test_memory_is_flat_under_load(start_gateway: StartGateway, report: Report) -> None:
    """Mutants: a front that keeps bodies; a worker that keeps requests; in the full size statements prepared anew for
    each batch."""
    gateway = start_gateway()
    callers = [make_caller(gateway, tier) for tier in ("PREMIUM", "BASIC")]
    body = {"messages": [{"role": "user", "content": "x" * BODY_BYTES}]}
    flood(gateway.port, callers, RATE, WARM_UP_SECONDS, **body)
    leaving = threading.Event()
    leaver = threading.Thread(target=leave_again_and_again, args=(gateway, callers[0].token, leaving))
    leaver.start()
    with Sampler(
        0.25 if not SOAK else 5.0,
        front=lambda: private_bytes(front.pid for front in gateway.fronts),
        worker=lambda: private_bytes(worker.pid for worker in gateway.workers),
        postgres=lambda: private_bytes(postgres_of(gateway)),
    ) as memory:
        heard = flood(gateway.port, callers, RATE, LOAD_SECONDS, **body)
    leaving.set()
    leaver.join()
    statuses = Counter(call.status for call in heard)
    growth = {name: round(memory.slope(name) * LOAD_SECONDS / len(heard)) for name in ("front", "worker")}
    whole = {
        name: [round(values[0][1] / 1e6, 1), round(values[-1][1] / 1e6, 1)] for name, values in memory.samples.items()
    }
    report(rate=RATE, seconds=LOAD_SECONDS, statuses=statuses, bytes_a_call=growth, megabytes=whole)
    assert set(statuses) <= {200, 503}, statuses
    assert all(grown < GROWTH_PER_CALL for grown in growth.values()), (growth, whole)
    if SOAK:
        assert memory.slope("postgres", WARM_UP_SECONDS) < 20_000, whole
    assert not gauges_that_hold(gateway)


def leave_again_and_again(gateway: Gateway, token: str, over: threading.Event) -> None:
    """A customer who hangs up in the middle of a stream."""
    body = {**CHAT, "model": "sandbox-small", "stream": True, "metadata": {"sandbox_tokens_per_second": "20"}}
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=30) as client:
        while not over.is_set():
            with (
                contextlib.suppress(httpx.HTTPError),
                client.stream("POST", f"{gateway.url}/v1/chat/completions", json=body) as response,
            ):
                next(response.iter_bytes())


def gauges_that_hold(gateway: Gateway, seconds: float = 30) -> dict[str, float]:
    """Gauges of what a front holds that are not back at nothing in time."""
    deadline = time.monotonic() + seconds
    while True:
        text = httpx.get(f"{gateway.url}/metrics", timeout=10).text
        found = re.findall(r"^onevault_front_(calls|body_bytes|answer_bytes|undecided) (\S+)$", text, re.MULTILINE)
        assert len(found) == 4, text
        held = {name: float(value) for name, value in found if float(value)}
        if not held or time.monotonic() > deadline:
            return held
        time.sleep(0.1)
