"""Fakes that play scenarios: a format says what an answer is, the stage cuts, delays and garbles it.

with FakeAnthropic() as fake:
    endpoint = fake.endpoint("cut-after-3")                                  # a scenario by its name, or
    endpoint = fake.endpoint(Scenario(pieces=("a", "b"), usage={...}))       # one of the test's own
    ...
    assert fake.seen[-1].body == {...}
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests_py.providers import wire
from tests_py.providers.scenarios import Book, Scenario
from tests_py.providers.server import FOREVER, FakeServer, Seen, Step


@dataclass
class Reply:
    """A response before anybody misbehaves: `body`, or the `events` of a stream."""

    body: bytes = b""
    events: list[bytes] | None = None
    status: int = 200
    headers: tuple[str, ...] = ()
    content_type: str = "application/json"


class Refused(Exception):
    """The request is not as this provider takes it; `code` is the provider's word, empty: what fits the status."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass
class ScenarioServer(FakeServer):
    """A server of one format. Who inherits says what an answer, a refusal and an error amid a stream are."""

    scenarios: ClassVar[dict[str, Scenario]] = {}
    """The format's own, beside the common ones."""

    key: str = field(default="", kw_only=True)
    """The one key that it takes; empty: every key."""

    def __post_init__(self) -> None:
        self.book = Book(dict(self.scenarios))

    def endpoint(self, behaviour: str | Scenario = "ok") -> str:
        """The base URL of a provider that plays this scenario, by its name or as it is."""
        return super().endpoint(self.book.add(behaviour) if isinstance(behaviour, Scenario) else behaviour)

    def root(self, behaviour: str | Scenario = "ok") -> str:
        """The same without `base`."""
        return self.endpoint(behaviour).removesuffix(self.base)

    def check_key(self, given: str | None, message: str, status: int = 401) -> None:
        """Refuse a request that brings no key, or another than the one there is."""
        if not given or given != (self.key or given):
            raise Refused(status, message)

    @abstractmethod
    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        """The response that the format has for a request. Raises Refused."""

    @abstractmethod
    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        """The format's way to say no; `more` is added to the error's object."""

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        """The format's way to fail in the middle of a stream. Raises Refused where it has no streams."""
        raise Refused(400, "This format has no streams.")

    async def steps(self, seen: Seen) -> AsyncIterator[Step]:
        scenario = self.book.find(seen.behaviour)
        if scenario.wait:
            yield FOREVER if scenario.wait < 0 else scenario.wait
        if scenario.cut_head:
            yield 0.0
            yield None
        try:
            if scenario.refuse is not None:
                raise Refused(scenario.refuse, f"You said {seen.raw.decode(errors='replace')[:500]}", scenario.code)
            reply = self.reply(seen, scenario)
        except Refused as no:
            reply = self.refusal(no.status, str(no), no.code, scenario.error or {})
            yield plain(reply, scenario)
            return
        playing = self._stream(seen, reply, scenario) if reply.events is not None else self._whole(reply, scenario)
        async for step in playing:
            yield step

    async def _whole(self, reply: Reply, scenario: Scenario) -> AsyncIterator[Step]:
        if scenario.stall_after is not None:
            yield FOREVER
        if scenario.error_after is not None:
            reply = self.refusal(500, "It broke.", scenario.code, scenario.error or {})
            reply.status = 200
        data = plain(reply, scenario)
        if scenario.cut_after is not None:
            yield data[: -max(1, len(reply.body) // 2)]
            yield 0.02
            yield None
        if scenario.form == "bytewise":
            for number, byte in enumerate(data):
                yield bytes([byte])
                if number % 100 == 0:
                    yield 0.0
        else:
            yield data

    async def _stream(self, seen: Seen, reply: Reply, scenario: Scenario) -> AsyncIterator[Step]:
        events = list(reply.events or ())
        yield wire.stream_head(*reply.headers, *scenario.headers, content_type=reply.content_type)
        while scenario.only_comments:
            yield wire.piece(b": PROCESSING\n\n")
            yield 0.02
        ends = [scenario.cut_after, scenario.end_after, scenario.stall_after, scenario.error_after]
        said = events[: min((end for end in ends if end is not None), default=len(events))]
        left = events[len(said) :]
        if scenario.garble_after is not None:
            said[scenario.garble_after] = _garbled(said[scenario.garble_after])
        if scenario.error_after is not None:
            said.append(self.error_event(seen, scenario))
        for step in _shape(said, scenario):
            yield step
        if scenario.stall_after is not None:
            yield FOREVER
        if scenario.cut_after is not None:
            if scenario.cut_inside and left:
                yield wire.piece(left[0][: len(left[0]) // 2])
            yield 0.02
            yield None
        yield wire.last_piece()


def plain(reply: Reply, scenario: Scenario) -> bytes:
    """A reply with a known length, as bytes."""
    headers = (*reply.headers, *scenario.headers)
    return wire.plain(reply.body, *headers, status=reply.status, content_type=reply.content_type)


def answer(body: dict[str, Any], *headers: str, status: int = 200) -> Reply:
    """A plain reply in JSON; text goes out as UTF-8, not escaped."""
    return Reply(json.dumps(body, ensure_ascii=False).encode(), status=status, headers=headers)


def stream(events: Iterable[bytes], *headers: str) -> Reply:
    """A stream of server-sent events."""
    return Reply(events=list(events), headers=headers, content_type="text/event-stream; charset=utf-8")


def named_event(name: str, data: dict[str, Any]) -> bytes:
    """A server-sent event with a name."""
    return b"event: " + name.encode() + b"\n" + wire.event(data)


def require(body: dict[str, Any], *names: str, allowed: Iterable[str] = (), code: str = "") -> None:
    """Refuse a request that lacks a field, or has one that the format does not know."""
    for name in names:
        if name not in body:
            raise Refused(400, f"{name}: Field required", code)
    if unknown := set(body) - {*names, *allowed}:
        raise Refused(400, f"{min(unknown)}: Extra inputs are not permitted", code)


def bearer(seen: Seen) -> str:
    """The token of "Authorization: Bearer", or empty."""
    kind, _, token = seen.headers.get("authorization", "").partition(" ")
    return token if kind == "Bearer" else ""


def packed(vector: list[float]) -> str:
    """An embedding in base64: float32, little-endian."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def vectors(count: int, size: int | None) -> list[list[float]]:
    """Embeddings whose numbers a float32 holds exactly; the first number is the position."""
    return [[float(number), *(step / 8 for step in range(1, size or 4))] for number in range(count)]


def _garbled(event: bytes) -> bytes:
    where = len(event) // 2
    return event[:where] + b"\xff" + event[where + 1 :]


def _shape(events: list[bytes], scenario: Scenario) -> Iterable[Step]:
    if scenario.form in ("lf", "crlf"):
        end = b"\n" if scenario.form == "lf" else b"\r\n"
        yield from (wire.piece(event.replace(b"\r\n", b"\n").replace(b"\n", end)) for event in events)
    elif scenario.form == "comments":
        for event in events:
            yield wire.piece(b": PROCESSING\n\n")
            yield wire.piece(b": more\n" + event)
    elif scenario.form == "bytewise":
        for number, byte in enumerate(b"".join(events)):
            yield wire.piece(bytes([byte]))
            if number % 100 == 0:
                yield 0.0
    elif scenario.form == "in-one":
        yield wire.piece(b"".join(events))
    else:
        yield from map(wire.piece, events)


def _png() -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", head)
        + part(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
        + part(b"IEND", b"")
    )


PNG = _png()
"""An image of one red point."""
