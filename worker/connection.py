"""The worker's end of one connection to one front, with all requests that it serves over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from onevault.frames import (
    Body,
    Cancel,
    Claim,
    Frame,
    FrameDecoder,
    FrameError,
    Gone,
    Hello,
    Pause,
    Ping,
    Resume,
    Wake,
    Work,
    encode,
)
from onevault.log import get_log
from worker.running import Running

# Errors
#   FrontGone           nobody listens where a message wants its answer, or another front than the one it means
#   FrontUnreachable    the front could not be dialled now, which says nothing about whether it lives

_PING: Final = encode(Ping())

_log = get_log("worker.link")


class FrontGone(Exception):
    """Nobody listens at this address any more."""


class FrontUnreachable(Exception):
    """The front could not be dialled, for a reason on this side or a passing one."""


class Listener(NamedTuple):
    """Who is told what a front says: that there is work, and work itself."""

    wake: Callable[[], None]
    take: Callable[[Link, Work], None]


class Link(asyncio.Protocol):
    """One connection to one front, with all requests that this worker serves for it."""

    def __init__(self, hello: Hello, listener: Listener, on_lost: Callable[[Link], None]) -> None:
        self.blocked = False
        self.lost = False
        self._hello = hello
        self._listener = listener
        self._on_lost = on_lost
        self._decoder = FrameDecoder()
        self._requests: dict[bytes, Running] = {}
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []

    def claim(self, run: Running) -> None:
        """Ask the front for a request's body; claims made together leave in one write."""
        self.adopt(run)
        delivery = run.delivery
        self.write(encode(Claim(run.ticket, delivery.queue, delivery.msg_id, delivery.read_ct)))

    def adopt(self, run: Running) -> None:
        """Serve a request whose body the front sends unasked."""
        assert run.ticket not in self._requests
        run.link = self
        self._requests[run.ticket] = run

    def greet(self, hello: Hello) -> None:
        """Say again who is calling, and how much it takes."""
        if hello != self._hello:
            self._hello = hello
            self.write(encode(hello))

    def find(self, ticket: bytes) -> Running | None:
        """The request of this ticket, if it is being served over this link."""
        return self._requests.get(ticket)

    def release(self, run: Running) -> None:
        """The request is over."""
        self._requests.pop(run.ticket, None)

    def write(self, data: bytes) -> None:
        """Send encoded frames; what is written in one turn of the loop leaves in one piece."""
        if self.lost:
            return
        self._unsent.append(data)
        if len(self._unsent) == 1:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Hang up after sending what was written."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.write(encode(self._hello))

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._decoder.feed(data)
        except FrameError as error:
            _log.warning("link_broken", error)
            self.abort()
            return
        given = False
        for frame in frames:
            match frame:
                case Work():
                    given = True
                    self._listener.take(self, frame)
                case Wake():
                    self._listener.wake()
                case Body(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.begin(frame)
                case Gone(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.refuse(frame)
                case Cancel(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.end("client_gone")
                case Pause(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.pause()
                case Resume(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.resume()
                case _:
                    self._receive_other(frame)
        if given:
            self.write(_PING)

    def pause_writing(self) -> None:
        self.blocked = True

    def resume_writing(self) -> None:
        self.blocked = False
        for run in self.requests():
            run.open_gate()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.blocked = False
        self._unsent.clear()
        self._on_lost(self)

    def end_all(self) -> None:
        """The front has gone: stop the calls, book what was used."""
        for run in self.requests():
            run.end("front_gone")

    def requests(self) -> tuple[Running, ...]:
        """What is being served over this link."""
        return tuple(self._requests.values())

    def abort(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _receive_other(self, frame: Frame) -> None:
        _log.warning("frame_unexpected", kind=type(frame).__name__)

    def _flush(self) -> None:
        if self._unsent and self._transport is not None:
            data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
            self._unsent.clear()
            self._transport.write(data)
