"""The front's outer skin: uvicorn's HTTP protocol with limits, deadlines, and one refusal in our shape.

uvicorn sets no limit on a head, no deadline for receiving one, and answers what is no HTTP at once, even into the
middle of an answer that runs. Here, for each connection:

    a head       at most 64 kB and 100 lines (431), a URL of 8 kB (414), whole within `head_seconds` (408)
    a body       whole within `body_seconds` (408); its framing may not outweigh it
    an answer    read at 48 kB in `send_seconds` at least, or the connection is broken off
    a pause      between two requests `keep_alive_seconds` at most; before the first, `head_seconds`
    requests     at most 16 that wait for an answer

Deadlines are looked at twice a second (`sweep`), so that a request that is quick costs no timer at all. After a refusal
nothing more is read as HTTP, and the connection is closed once the client has had a moment to read why.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from litestar_app.errors import (
    GatewayError,
    HeadTooLarge,
    InvalidRequest,
    Overloaded,
    TooSlow,
    error_body,
    error_headers,
    shape_of,
)
from litestar_app.heads import MAX_HEAD_BYTES, MAX_HEAD_LINES, HeadCheck, head_bytes
from litestar_app.replies import request_id_headers

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

MAX_WAITING: Final = 16
LINGER_SECONDS: Final = 2.0
_SPARE_CONNECTIONS: Final = 64
"""Connections beyond the limit that are told so; any more are closed without a word."""

_FRAMING_BYTES: Final = 64 * 1024
_FRAMING_FACTOR: Final = 16
_LOOK_AGAIN_SECONDS: Final = 5.0
# What of a request comes next on a connection.
_NOTHING: Final = 0
_HEAD: Final = 1
_BODY: Final = 2

_MALFORMED: Final = "The request is malformed: check its headers and framing."


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one front grants its connections. `refused` is told the status of each refusal that is said here."""

    check: HeadCheck
    connections: int
    head_seconds: float
    body_seconds: float
    keep_alive_seconds: float
    send_seconds: float
    refused: Callable[[int], None]


class _RefusedError(Exception):
    """Leaves the parser from within a callback; what is refused stands in the protocol."""


def bounded(bounds: Bounds) -> type[FrontProtocol]:
    """The protocol class of a front with these bounds."""

    class Bounded(FrontProtocol):
        _bounds = bounds

    return Bounded


def sweep(connections: Iterable[asyncio.Protocol], now: float) -> None:
    """End those that have used up their time; `now` is the loop's."""
    for connection in tuple(connections):
        if isinstance(connection, FrontProtocol) and (now >= connection.read_by or now >= connection.written_by):
            connection.expire(now)


class FrontProtocol(HttpToolsProtocol):
    """One connection."""

    _bounds: Bounds

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self.read_by = self.written_by = math.inf
        self._part = _NOTHING
        self._running: RequestResponseCycle | None = None
        self._deaf = False
        self._refusal: GatewayError | None = None
        self._now = 0.0
        self._arrived = 0  # bytes since the head began, or since the body did
        self._carried = 0  # bytes of them that are the body's own
        self._mixed = False  # the head began behind another request, in one piece with it

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._now = self.loop.time()
        self.read_by = self._now + self._bounds.head_seconds
        surplus = len(self.connections) - self._bounds.connections
        if surplus > _SPARE_CONNECTIONS:
            self._deaf = True
            transport.abort()
        elif surplus > 0:
            self._refuse(Overloaded())

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn tells only the newest request; the one that runs may be an older one.
        self._hang_up(self._running)
        self.pipeline.clear()
        self.read_by = self.written_by = math.inf
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self.written_by = self.loop.time() + self._bounds.send_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        self.written_by = math.inf
        super().resume_writing()

    # What arrives

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._now = self.loop.time()
        self._arrived += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nobody here speaks what was asked for: this request is answered, and what follows is not HTTP.
            self._deaf = True
            if self.cycle.response_complete:
                self._close()
            else:
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(self._refusal or InvalidRequest(_MALFORMED))
        else:
            part = self._part
            if part == _NOTHING:
                self._arrived = 0
                self._mixed = False
            elif part == _HEAD:
                if self._arrived > MAX_HEAD_BYTES:
                    self._refuse(HeadTooLarge(MAX_HEAD_LINES, MAX_HEAD_BYTES))
            elif self._arrived > self._carried * _FRAMING_FACTOR + _FRAMING_BYTES:
                self._refuse(InvalidRequest("The body's framing outweighs the body: send larger chunks."))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._part = _HEAD
        self.read_by = self._now + self._bounds.head_seconds

    def on_headers_complete(self) -> None:
        refusal = self._judge_head()
        if refusal is not None:
            self._refusal = refusal
            raise _RefusedError
        super().on_headers_complete()
        self.headers = []  # what trails a body is no header of anything
        if not self.pipeline:
            self._running = self.cycle
        self._part = _BODY
        self._arrived = self._carried = 0
        self.read_by = self._now + self._bounds.body_seconds

    def on_body(self, body: bytes) -> None:
        self._carried += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._part = _NOTHING
        self._arrived = 0
        self._mixed = True
        cycle = self.cycle
        self.read_by = self._now + (self._bounds.keep_alive_seconds if cycle.response_complete else _LOOK_AGAIN_SECONDS)
        super().on_message_complete()

    def _judge_head(self) -> GatewayError | None:
        if len(self.pipeline) >= MAX_WAITING:
            return InvalidRequest("Too many requests on one connection: wait for an answer, or open another.")
        if (self._arrived > MAX_HEAD_BYTES or self._mixed) and head_bytes(self.url, self.headers) > MAX_HEAD_BYTES:
            return HeadTooLarge(MAX_HEAD_LINES, MAX_HEAD_BYTES)
        return self._bounds.check.refusal(self.url, self.parser.get_http_version(), self.headers)

    def _should_upgrade(self) -> bool:
        return False

    # What leaves

    def on_response_complete(self) -> None:
        """An answer is whole. As uvicorn does it, less its timer, and a refusal that waited may be said."""
        self.server_state.total_requests += 1
        now = self.loop.time()
        if self.transport.is_closing():
            self.written_by = now + self._bounds.send_seconds
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._running, app = self.pipeline.pop()
            self._start_asgi_task(self._running, app)
        elif self._refusal is not None:
            self._say(self._refusal)
        elif self._deaf:
            self._close()
        elif self._part == _NOTHING:
            self.read_by = now + self._bounds.keep_alive_seconds

    def expire(self, now: float) -> None:
        """Time is over: for the client to read, or to send, or to ask again."""
        if now >= self.written_by or (self._deaf and self._is_answered()):
            self.transport.abort()
        elif self.transport.is_closing():
            self.written_by, self.read_by = now + self._bounds.send_seconds, math.inf
        elif self._part == _HEAD and not self.flow.read_paused:
            self._refuse(TooSlow("head", self._bounds.head_seconds))
        elif self._part == _BODY and not self.flow.read_paused:
            self._refuse(TooSlow("body", self._bounds.body_seconds))
        elif self._is_answered():
            self._close()
        else:
            self.read_by = now + _LOOK_AGAIN_SECONDS

    # Refusing

    def _refuse(self, refusal: GatewayError) -> None:
        """Hear nothing more; say why once every earlier request has its answer; close."""
        self._deaf = True
        self.read_by = math.inf
        if self._part == _BODY:
            cycle = self.cycle
            if self.pipeline:
                self.pipeline.popleft()  # the newest, whose body this is
            elif cycle.response_started:
                self._hang_up(cycle)
                self._close()
                return
            else:
                self._hang_up(cycle)
                self._running = None
        if self._is_answered():
            self._say(refusal)
        else:
            self._refusal = refusal

    def _say(self, refusal: GatewayError) -> None:
        if self.transport.is_closing():
            return
        self._bounds.refused(refusal.status)
        ids = request_id_headers()
        shape = shape_of(self.url.decode("latin-1"))
        body = error_body(refusal, shape, ids["x-request-id"])
        lines = [
            *self.server_state.default_headers,
            *((name.encode(), value.encode()) for name, value in ids.items()),
            *error_headers(refusal, len(body)),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        self.transport.write(STATUS_LINE[refusal.status] + head + b"\r\n" + body)
        # To close at once, with words of the client unread, would take the answer from him.
        self.transport.write_eof()
        self.read_by = self.loop.time() + LINGER_SECONDS

    def shutdown(self) -> None:
        """The server stops: nobody is waited for who has been refused already."""
        if self._deaf and self._is_answered():
            self.transport.close()
        else:
            super().shutdown()

    def _close(self) -> None:
        self._deaf = True
        self.read_by = math.inf
        self.written_by = self.loop.time() + self._bounds.send_seconds
        self.transport.close()

    def _is_answered(self) -> bool:
        return not self.pipeline and (self._running is None or self._running.response_complete)

    @staticmethod
    def _hang_up(cycle: RequestResponseCycle | None) -> None:
        """Tell a call that its client has gone."""
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
