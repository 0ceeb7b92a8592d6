"""A worker with everything around it played: the database by lists, a front by a real unix socket."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from onevault.frames import (
    Body,
    Cancel,
    Chunk,
    Claim,
    End,
    Frame,
    FrameDecoder,
    Gone,
    Head,
    Hello,
    Pause,
    Ping,
    Resume,
    Wake,
    Work,
    encode,
)
from onevault.settings import Settings
from tests_py.worker.kit import CUSTOMER, tls
from worker.booking import Booker
from worker.calls import Calls, ReadMessage, Receipt, Report, SealedKey
from worker.drain import Drain, Limits
from worker.keys import ProviderKeys
from worker.link import Links
from worker.providers.base import Provider
from worker.providers.openai import OpenAIProvider
from worker.providers.sandbox import SandboxProvider
from worker.providers.wire import open_transport
from worker.road import Road
from worker.shapes import Candidate, Result


class Answer:
    """What a front gets for one ticket, frame by frame."""

    def __init__(self, body: Body | Gone) -> None:
        self.body = body
        self.frames: list[Frame] = []
        self.claims: list[Claim] = []
        self.over = asyncio.Event()
        self.begun = asyncio.Event()

    @property
    def data(self) -> bytes:
        return b"".join(frame.data for frame in self.frames if isinstance(frame, Chunk))

    @property
    def heads(self) -> list[Head]:
        return [frame for frame in self.frames if isinstance(frame, Head)]

    @property
    def receipt(self) -> dict[str, Any]:
        """The receipt of the one `End`, which must be the last frame."""
        (end,) = [frame for frame in self.frames if isinstance(frame, End)]
        assert self.frames[-1] is end
        found: dict[str, Any] = json.loads(end.receipt)
        return found

    async def wait(self, seconds: float = 10) -> dict[str, Any]:
        """The receipt, as soon as it is there."""
        async with asyncio.timeout(seconds):
            await self.over.wait()
        return self.receipt

    async def wait_for_output(self, seconds: float = 10) -> None:
        """Until the first chunk has come."""
        async with asyncio.timeout(seconds):
            await self.begun.wait()


class FakeFront:
    """A front: gives bodies to those who claim, remembers what comes back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[bytes, Answer] = {}
        self.hellos: list[str] = []
        self.rooms: list[int] = []
        self.pings = 0
        self.links: list[asyncio.Transport] = []
        self.silent = False
        self.reads: list[int] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _FrontLink(self), str(self.path))

    def send(self, frame: Frame) -> None:
        for link in self.links:
            link.write(encode(frame))

    def hang_up(self) -> None:
        """Die as seen from the worker: all connections gone, nobody listens."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in tuple(self.links):
            link.abort()
        self.path.unlink(missing_ok=True)


class _FrontLink(asyncio.Protocol):
    def __init__(self, front: FakeFront) -> None:
        self.front = front
        self.decoder = FrameDecoder()
        self.greeted = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.front.links.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self.transport is not None
        if self.transport in self.front.links:
            self.front.links.remove(self.transport)

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        frames = self.decoder.feed(data)
        self.front.reads.append(len(frames))
        for frame in frames:
            if isinstance(frame, Hello):
                if not self.greeted:
                    self.front.hellos.append(frame.worker)
                self.greeted = True
                self.front.rooms.append(frame.room)
                continue
            if isinstance(frame, Ping):
                self.front.pings += 1
                continue
            assert isinstance(frame, Claim | Head | Chunk | End)
            answer = self.front.answers.get(frame.ticket)
            if answer is None:
                assert isinstance(frame, Claim)
                self.transport.write(encode(Gone(frame.ticket, "unknown_ticket", 0)))
            elif isinstance(frame, Claim):
                answer.claims.append(frame)
                if not self.front.silent:
                    self.transport.write(encode(answer.body))
            else:
                answer.frames.append(frame)
                if isinstance(frame, Chunk):
                    answer.begun.set()
                if isinstance(frame, End):
                    answer.over.set()


class FakeCalls(Calls):
    """The database, played: a list of messages, a list of results, keys by name. `away` makes it fail."""

    def __init__(self) -> None:
        self.waiting: list[ReadMessage] = []
        self.results: list[Result] = []
        self.renewed: list[tuple[list[Report], int]] = []
        self.returned: list[tuple[list[Receipt], int]] = []
        self.keys: dict[bytes, SealedKey] = {}
        self.key_readings = 0
        self.readings: list[int] = []
        self.away: Exception | None = None
        self.fenced = False

    async def read_messages(self, limit: int, seconds: int) -> list[ReadMessage]:
        await asyncio.sleep(0)
        if self.away is not None:
            raise self.away
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self.readings.append(len(taken))
        return taken

    async def renew_messages(self, reports: Sequence[Report], seconds: int) -> None:
        if self.away is not None:
            raise self.away
        self.renewed.append((list(reports), seconds))

    async def return_messages(self, receipts: Sequence[Receipt], seconds: int) -> None:
        if self.away is not None:
            raise self.away
        self.returned.append((list(receipts), seconds))

    async def record_results(self, results: list[Result]) -> list[bytes]:
        await asyncio.sleep(0.001)
        if self.away is not None:
            raise self.away
        self.results += msgspec.json.decode(msgspec.json.encode(results), type=list[Result])
        return [
            json.dumps(
                {"settled": not self.fenced, "status": "FENCED" if self.fenced else r.status, "request_id": r.request}
            ).encode()
            for r in results
        ]

    async def read_provider_key(self, key: bytes) -> SealedKey | None:
        await asyncio.sleep(0)
        if self.away is not None:
            raise self.away
        self.key_readings += 1
        return self.keys.get(key)

    async def close(self) -> None:
        pass


class Plain:
    """A keyring for tests: sealed is what it says."""

    def open(self, blob: bytes, identity: bytes) -> bytes:
        return blob.removeprefix(identity)


class House:
    """A running worker and its surroundings."""

    def __init__(self, calls: FakeCalls, front: FakeFront, drain: Drain, links: Links) -> None:
        self.calls = calls
        self.front = front
        self.drain = drain
        self.links = links

    def ask(
        self,
        *candidates: Candidate,
        body: dict[str, Any] | None = None,
        stream: bool = False,
        include_usage: bool = False,
        surface: str = "chat",
        seconds: float = 30,
        gone: Gone | None = None,
        reply_to: str | None = None,
        read_ct: int = 1,
        hedge_ms: int | None = None,
        hand_over: bool = False,
    ) -> Answer:
        """Queue a request as routing would, with its body waiting in the front, or have the front hand it over."""
        ticket = secrets.token_bytes(16)
        given = {"messages": [{"role": "user", "content": "Hello."}]} if body is None else body
        frame = Body(ticket, surface, stream, include_usage, json.dumps(given).encode())
        answer = Answer(frame if gone is None else Gone(ticket, gone.reason, gone.delivered_bytes))
        self.front.answers[ticket] = answer
        message = {
            "request": f"0198c0de-0000-7000-8000-{secrets.token_hex(6)}",
            "customer": CUSTOMER,
            "reply_to": reply_to or f"unix:{self.front.path}",
            "ticket": ticket.hex(),
            "deadline_ms": int(seconds * 1000),
            "candidates": list(candidates),
            "hedge": None if hedge_ms is None else {"after_ms": hedge_ms, "offer": candidates[1].offer},
        }
        number = len(self.front.answers)
        text = msgspec.json.encode(message).decode()
        if hand_over:
            self.front.send(Work(ticket, "standard", number, text, int(seconds * 1000)))
            self.front.send(answer.body)
            return answer
        self.calls.waiting.append(ReadMessage(Receipt("standard", number, read_ct), text, 0))
        self.drain.wake()
        return answer

    def tell(self, answer: Answer, kind: type[Cancel] | type[Pause] | type[Resume]) -> None:
        """Send a frame about a request to the worker."""
        self.front.send(kind(answer.body.ticket))

    async def result(self) -> Result:
        """The only result so far, as soon as it is booked."""
        async with asyncio.timeout(10):
            while not self.calls.results:
                await asyncio.sleep(0.005)
        (result,) = self.calls.results
        return result


@asynccontextmanager
async def open_house(
    directory: Path, *, concurrency: int = 64, stop_seconds: float = 5, settings: Settings | None = None
) -> AsyncIterator[House]:
    """A worker, running, with a front and a database that are played."""
    calls = FakeCalls()
    front = FakeFront(directory / "front-1-ab.sock")
    await front.open()
    links = Links("worker-test", directory)
    drain = Drain(calls, links, Limits(concurrency, stop_seconds))
    transport = open_transport(context=tls())
    providers: dict[str, Provider] = {
        "openai": OpenAIProvider(transport),
        "sandbox": SandboxProvider(settings or Settings()),
    }
    keys = ProviderKeys(calls.read_provider_key, Plain())
    drain.use_road(Road(providers, keys, Booker(calls.record_results), drain.ended, drain.tell))
    running = asyncio.create_task(drain.run())

    async def check() -> None:
        while True:
            await asyncio.sleep(0.02)
            drain.check(asyncio.get_running_loop().time())

    checking = asyncio.create_task(check())
    try:
        yield House(calls, front, drain, links)
    finally:
        drain.stop()
        await running
        await drain.finish()
        checking.cancel()
        await links.close()
        front.hang_up()
        await transport.aclose()
        await asyncio.sleep(0)


__all__ = ["Cancel", "FakeCalls", "FakeFront", "Gone", "House", "Pause", "Resume", "Wake", "open_house"]
