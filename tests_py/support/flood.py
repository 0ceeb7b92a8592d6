"""Offered load: calls that come when they come, whether or not those before were answered (an open loop)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import uvloop

_TICK_SECONDS = 0.005
_ANSWER_SECONDS = 60.0


class Caller(NamedTuple):
    """Who calls: a name to tell results apart, and a token."""

    name: str
    token: str


class Heard(NamedTuple):
    """What became of one call. Seconds since the flood began; status 0: the connection broke or nothing came."""

    caller: str
    sent_at: float
    seconds: float
    status: int
    retry_after: int | None
    request_id: str | None

    @property
    def heard_at(self) -> float:
        return self.sent_at + self.seconds


def flood(port: int, callers: Sequence[Caller], rate: float, seconds: float, **body: Any) -> list[Heard]:
    """`rate` calls a second in turn by the callers; returns when the last one was answered."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_flood(port, callers, rate, seconds, body))


async def _flood(
    port: int, callers: Sequence[Caller], rate: float, seconds: float, body: dict[str, Any]
) -> list[Heard]:
    loop = asyncio.get_running_loop()
    turns = itertools.cycle([(caller.name, _request(caller.token, body)) for caller in callers])
    idle: list[_Line] = []
    heard: list[Heard] = []
    calls: set[asyncio.Task[None]] = set()
    begun = loop.time()

    async def call(name: str, request: bytes) -> None:
        at = loop.time() - begun
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                head: dict[str, str] = {}
                while idle and not head:
                    line = idle.pop()
                    # One that was idle for long has been closed by the front, or is so at this very moment.
                    with contextlib.suppress(ConnectionError):
                        head = await line.ask(request)
                if not head:
                    line = await _Line.open(port)
                    head = await line.ask(request)
            if line.usable:
                idle.append(line)
        except (OSError, TimeoutError):
            head = {}
        retry_after = head.get("retry-after")
        heard.append(
            Heard(
                name, at, loop.time() - begun - at, int(head.get("status", 0)),
                int(retry_after) if retry_after else None, head.get("x-onevault-request-id"),
            )
        )  # fmt: skip

    sent = 0
    while (passed := loop.time() - begun) < seconds:
        while sent < rate * passed:
            task = loop.create_task(call(*next(turns)))
            calls.add(task)
            task.add_done_callback(calls.discard)
            sent += 1
        await asyncio.sleep(_TICK_SECONDS)
    while calls:
        await asyncio.wait(tuple(calls))
    for line in idle:
        line.close()
    return heard


def _request(token: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(
        {"model": "sandbox-small", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}], **body}
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


class _Line(asyncio.Protocol):
    """One connection of the customers', for one call at a time."""

    def __init__(self) -> None:
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._answer: asyncio.Future[dict[str, str]] | None = None

    @classmethod
    async def open(cls, port: int) -> _Line:
        _, line = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return line

    async def ask(self, request: bytes) -> dict[str, str]:
        """The answer's headers and its `status`. Raises OSError."""
        if self._transport is None:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if len(body) < int(found.get("content-length", "0")):
            return
        self._got = b""
        self.usable = found.get("connection") != "close"
        if self._answer is not None and not self._answer.done():
            self._answer.set_result({**found, "status": lines[0].split(" ")[1]})

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
