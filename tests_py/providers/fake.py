"""A provider that speaks OpenAI's wire format, politely or not.

    with FakeProvider() as fake:
        endpoint = fake.endpoint("cut-stream")      # http://127.0.0.1:…/cut-stream/v1

How it behaves is part of the endpoint, so that one server plays all the candidates of a request. `BEHAVIOURS` lists
what it can do; a number after a name is its argument ("slow-300"). It runs in a thread of its own, keeps connections
alive, and remembers what it was sent (`fake.seen`).
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests_py.providers import wire
from tests_py.providers.behaviours import ANSWERS_QUESTIONS, BEHAVIOURS, FOREVER


@dataclass
class Seen:
    """One request as it arrived."""

    behaviour: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    raw: bytes
    on_connection: int = 1
    """Which request of its connection this is, from 1."""
    finished: bool = False
    """The whole answer was sent; False for one that the caller broke off."""
    broken_off: bool = False
    """The caller hung up on a provider that had fallen silent."""


@dataclass
class FakeProvider:
    """The server; a context manager. It answers `text`, says that it used `usage`, and `gate` lets gated answers go."""

    text: str = "Hello there, how can I help you today?"
    usage: dict[str, Any] = field(default_factory=wire.usage)
    seen: list[Seen] = field(default_factory=list)
    asked: list[Seen] = field(default_factory=list)
    """Questions for the list of models, which validate a key; they are no calls."""
    gate: threading.Event = field(default_factory=threading.Event, repr=False)
    port: int = 0

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(5)

    def endpoint(self, behaviour: str = "ok") -> str:
        """The base URL of a provider that behaves so."""
        return f"http://127.0.0.1:{self.port}/{behaviour}/v1"

    def count(self, behaviour: str) -> int:
        """How many requests came for this behaviour."""
        return sum(seen.behaviour == behaviour for seen in self.seen)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(started))
        finally:
            self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._done = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=1 << 26, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._done.wait()
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            count = 0
            while seen := await _read_request(reader):
                count += 1
                seen.on_connection = count
                is_question = seen.path.split("?")[0].endswith("/models")
                (self.asked if is_question else self.seen).append(seen)
                name, _, argument = seen.behaviour.rpartition("-")
                if argument.isdigit() and name in BEHAVIOURS:
                    make = BEHAVIOURS[name]
                else:
                    name, make, argument = seen.behaviour, BEHAVIOURS[seen.behaviour], "0"
                if is_question and name not in ANSWERS_QUESTIONS:
                    make = BEHAVIOURS["ok"]
                async for step in make(self, seen, int(argument)):
                    if step is FOREVER:
                        await writer.drain()
                        seen.broken_off = await reader.read(1) == b""
                        return
                    if isinstance(step, float):
                        await writer.drain()
                        await asyncio.sleep(step)
                    elif step is None:
                        return
                    else:
                        writer.write(step)
                await writer.drain()
                seen.finished = True
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    path = lines[0].split(" ")[1]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(path.split("/")[1], path, headers, json.loads(raw or b"{}"), raw)
