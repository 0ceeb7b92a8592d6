"""An HTTP server of a few lines for the fakes: it reads requests, remembers them, and plays steps.

It runs in a thread of its own, keeps connections alive, and the first segment of a path names what it shall do, so
that one server plays all the candidates of a request.
"""

from __future__ import annotations

import asyncio
import email.parser
import json
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Self

Step = bytes | float | None
"""Bytes to send, seconds to wait, or None: break the connection off."""

FOREVER = 3600.0
RESET = -1.0
"""A step: the connection is torn down without a farewell, whatever of it is still on its way."""


@dataclass
class Seen:
    """One request as it arrived."""

    behaviour: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    """What the JSON said, or the fields of a form; a file of a form is the dict of `_read_form`."""
    raw: bytes
    method: str = "POST"
    on_connection: int = 1
    """Which request of its connection this is, from 1."""
    finished: bool = False
    """The whole answer was sent; False for one that the caller broke off."""
    broken_off: bool = False
    """The caller hung up on a provider that had fallen silent."""

    @property
    def route(self) -> str:
        """The path without the behaviour and without the query."""
        return "/" + self.path.split("?")[0].split("/", 2)[2]

    @property
    def is_question(self) -> bool:
        """It asks for the list of models."""
        return self.path.split("?")[0].endswith("/models")


@dataclass
class FakeServer(ABC):
    """The server; a context manager. Who inherits says in `steps` what happens to a request."""

    base: ClassVar[str] = ""
    """What stands between the behaviour and the routes in this provider's endpoints."""

    seen: list[Seen] = field(default_factory=list, kw_only=True)
    asked: list[Seen] = field(default_factory=list, kw_only=True)
    """Questions for the list of models, which validate a key; they are no calls."""
    gate: threading.Event = field(default_factory=threading.Event, repr=False, kw_only=True)
    """Lets gated answers go."""
    port: int = field(default=0, kw_only=True)

    @abstractmethod
    def steps(self, seen: Seen) -> AsyncIterator[Step]:
        """The response to a request, step by step."""

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
        return f"http://127.0.0.1:{self.port}/{behaviour}{self.base}"

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
                (self.asked if seen.is_question else self.seen).append(seen)
                async for step in self.steps(seen):
                    if step is FOREVER:
                        await writer.drain()
                        seen.broken_off = await reader.read(1) == b""
                        return
                    if step is RESET:
                        await _tear(writer)
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


async def _tear(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    line: socket.socket = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    kind = headers.get("content-type", "")
    body = _read_form(kind, raw) if kind.startswith("multipart/") else json.loads(raw or b"{}")
    return Seen(path.split("/")[1], path, headers, body, raw, method)


def _read_form(kind: str, raw: bytes) -> dict[str, Any]:
    """A form's fields by name; several of one name ("image[]") are a list, a file is {filename, type, content}."""
    message = email.parser.BytesParser().parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + raw)
    form: dict[str, Any] = {}
    for part in message.get_payload():
        assert isinstance(part, email.message.Message)
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        filename = part.get_filename()
        value: Any = content.decode() if filename is None else {
            "filename": filename, "type": part.get_content_type(), "content": content
        }  # fmt: skip
        if name.endswith("[]"):
            form.setdefault(name, []).append(value)
        else:
            form[name] = value
    return form
