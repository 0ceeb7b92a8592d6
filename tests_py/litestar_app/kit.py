"""What tests of the front share: a front on a real port whose SQL is told what to say, and a worker.

The HTTP server, the link and everything between are the real ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import httpx
import msgspec

from litestar_app.app import build_app
from litestar_app.calls import Ask, Caller, Decision, Gauges, Readiness, Reads, Reply, Road
from litestar_app.front import Front
from litestar_app.lane import DatabaseAway
from litestar_app.server import FrontServer, front_config
from onevault.envelope import Keyring
from onevault.frames import Body, Chunk, Claim, End, Frame, FrameDecoder, Head, Hello, Wake, encode
from onevault.settings import Settings
from onevault.tokens import Secret, issue_token, make_reference

KEYRING = Keyring(Secret(bytes(range(32))))
PEPPER = KEYRING.pepper
REQUEST_ID = "0197a1b2-0000-7000-8000-000000000001"
TOKEN = issue_token(make_reference()).reveal()
HEADERS = {"authorization": f"Bearer {TOKEN}"}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
F = TypeVar("F", bound=Frame)


def receipt(**changes: Any) -> bytes:
    """A receipt as sp_record_results gives it."""
    whole = {
        "settled": True,
        "status": "SUCCESS",
        "request_id": REQUEST_ID,
        "provider": "openai",
        "model": "gpt-4o",
        "route_reason": "cheapest",
        "attempts": 1,
        "latency_ms": 12,
        "cost": {"provider": "0.0000123", "markup": "0.0000012", "customer": "0.0000135", "currency": "USD"},
        "usage": {"input_uncached": 3, "output": 1},
        **changes,
    }
    return json.dumps(whole).encode()


def event(text: str) -> bytes:
    """One event of a stream as a provider sends it."""
    chunk = {
        "id": "chatcmpl-9",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def decision(**changes: Any) -> Decision:
    """What SQL says about a call that it routed."""
    routed = Decision(
        status="routed",
        http_status=200,
        request_id=REQUEST_ID,
        provider="openai",
        model="gpt-4o",
        rate_limit=60,
        rate_remaining=59,
        rate_reset_ms=1500,
        retry_after_ms=None,
        left_ms=60_000,
        message=None,
        detail=None,
    )
    return routed._replace(**changes)


class ToldRoad(Road):
    """A road that gives the decision it was told to give."""

    def __init__(self) -> None:
        super().__init__("host=/nowhere", 1)
        self.says: Callable[[Ask], Decision] = lambda _: decision()
        self.asks: list[Ask] = []
        self.notified: list[bool] = []
        self.rooms: list[int] = []
        self.away = False

    async def route(self, asks: list[Ask], reply_to: str, *, notify: bool, room: int) -> list[Decision]:
        self.asks += asks
        self.notified.append(notify)
        self.rooms.append(room)
        if self.away:
            raise DatabaseAway
        return [self.says(ask) for ask in asks]


class ToldReads(Reads):
    """Doors that give what they were told to give."""

    def __init__(self) -> None:
        super().__init__("host=/nowhere")
        self.says = Reply("ok", body=msgspec.Raw(b"{}"))
        self.asked: list[tuple[Any, ...]] = []
        self.released: list[tuple[str, int, int, int]] = []
        self.returned: list[tuple[str, int, int]] = []
        self.reclaimed = "released"
        self.away = False

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def list_models(self, caller: Caller) -> Reply:
        return self._say("list_models", caller)

    async def get_usage(self, caller: Caller, parameters: dict[str, Any]) -> Reply:
        return self._say("get_usage", caller, parameters)

    async def get_billing(self, caller: Caller, period: str | None) -> Reply:
        return self._say("get_billing", caller, period)

    async def reclaim_message(self, queue: str, msg_id: int, read_ct: int, delivered: int) -> str:
        if self.away:
            raise DatabaseAway
        self.released.append((queue, msg_id, read_ct, delivered))
        return self.reclaimed

    async def return_message(self, queue: str, msg_id: int, read_ct: int) -> None:
        self.returned.append((queue, msg_id, read_ct))

    async def read_metrics(self) -> Gauges:
        if self.away:
            raise DatabaseAway
        return Gauges()

    async def check_ready(self) -> Readiness:
        if self.away:
            raise DatabaseAway
        return Readiness(ready=True)

    def _say(self, *asked: Any) -> Reply:
        self.asked.append(asked)
        if self.away:
            raise DatabaseAway
        return self.says


class Worker(asyncio.Protocol):
    """The worker's end of a link, moved by hand."""

    linked: ClassVar[set[Worker]] = set()

    def __init__(self, name: str = "w1", room: int = 0) -> None:
        self._hello = Hello(name, room)
        self._decoder = FrameDecoder()
        self._arrived = asyncio.Event()
        self.frames: list[Frame] = []
        self.lost = asyncio.Event()

    @classmethod
    async def dial(cls, front: Front, name: str = "w1", room: int = 0) -> Worker:
        """A worker linked to this front, that takes so many calls without reading them."""
        before = front.links.workers
        path = front.links.address.removeprefix("unix:")
        _, worker = await asyncio.get_running_loop().create_unix_connection(lambda: cls(name, room), path)
        await until(lambda: front.links.workers > before)
        return worker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self.linked.add(self)
        self.send(self._hello)

    def data_received(self, data: bytes) -> None:
        self.frames += self._decoder.feed(data)
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.linked.discard(self)
        self.lost.set()

    def send(self, *frames: Frame) -> None:
        self.transport.write(b"".join(encode(frame) for frame in frames))

    async def receive(self, kind: type[F]) -> F:
        """The next frame, which must be of this kind; wakes in between are left out."""
        async with asyncio.timeout(5):
            while True:
                self.frames = [frame for frame in self.frames if kind is Wake or type(frame) is not Wake]
                if self.frames:
                    frame = self.frames.pop(0)
                    assert isinstance(frame, kind), frame
                    return frame
                self._arrived.clear()
                await self._arrived.wait()

    async def claim(self, ticket: str | bytes, *, msg_id: int = 1, read_ct: int = 1) -> Body:
        """Claim a request and get its body."""
        raw = bytes.fromhex(ticket) if isinstance(ticket, str) else ticket
        self.send(Claim(raw, "standard", msg_id, read_ct))
        return await self.receive(Body)

    def begin(self, ticket: bytes, content_type: str = "application/json") -> None:
        self.send(Head(ticket, REQUEST_ID, "openai", "gpt-4o", content_type))

    def answer(self, ticket: bytes, data: bytes = b"", **changes: Any) -> None:
        """Send a whole plain answer."""
        self.begin(ticket)
        self.send(Chunk(ticket, data or json.dumps(ANSWER).encode()), End(ticket, receipt(**changes)))

    def die(self) -> None:
        self.transport.abort()


class Desk:
    """A front that runs: its parts, its address, and a client."""

    def __init__(self, front: Front, road: ToldRoad, reads: ToldReads, server: FrontServer, port: int) -> None:
        self.front = front
        self.road = road
        self.reads = reads
        self.server = server
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.AsyncClient(base_url=self.url, headers=HEADERS, timeout=20, trust_env=False)

    @property
    def socket(self) -> Path:
        """The unix socket on which the front waits for workers."""
        return Path(self.front.links.address.removeprefix("unix:"))

    async def ticket(self, number: int = 0) -> str:
        """The ticket of the call that was asked about as number so and so."""
        await until(lambda: len(self.road.asks) > number)
        return self.road.asks[number].ticket

    def post(
        self, body: Any = CHAT, path: str = "/v1/chat/completions", **options: Any
    ) -> asyncio.Task[httpx.Response]:
        """A call under way."""
        return asyncio.create_task(self.client.post(path, json=body, **options))


@contextlib.asynccontextmanager
async def running_front(**changes: Any) -> AsyncIterator[Desk]:
    """A front on a free port; `changes` are settings."""
    directory = Path(tempfile.mkdtemp(prefix="ov-"))
    road, reads = ToldRoad(), ToldReads()
    front = Front(Settings(link_dir=directory, **changes), KEYRING, road, reads)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = FrontServer(front_config(build_app(front), front, front.settings.max_connections), front)
    desk = Desk(front, road, reads, server, listener.getsockname()[1])
    # Not `serve`: it would take the signals of the test's own process.
    running = asyncio.create_task(server._serve([listener]))
    try:
        await until(lambda: server.started)
        yield desk
    finally:
        await desk.client.aclose()
        server.should_exit = True
        front.links.fail_all(lambda: AssertionError("left running"), "front_draining")  # type: ignore[arg-type,return-value]
        async with asyncio.timeout(10):
            await running
        for worker in tuple(Worker.linked):
            worker.die()
        await until(lambda: not Worker.linked)
        shutil.rmtree(directory)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)
