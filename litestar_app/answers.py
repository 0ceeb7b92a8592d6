"""One request's answer on its way: what the link delivers and what the route waits for.

An `Answer` is created before SQL is asked, because a worker may claim it before the statement's
result has come back. It ends in one of two ways: `finish` with the worker's receipt, or `fail`
with the error that the customer is told.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from litestar_app.errors import GatewayError, Overloaded, ProviderFailed
from litestar_app.events import count_events, estimate_text
from onevault.frames import Body, Cancel, Claim, End, Head, Pause, Resume, encode

if TYPE_CHECKING:
    from litestar_app.admission import Load
    from litestar_app.connection import Link

HIGH_WATER: Final = 256 * 1024
LOW_WATER: Final = 64 * 1024
"""Bytes of a stream that wait for a slow customer before the worker is paused, and resumed."""

LONGEST_PLAIN_ANSWER: Final = 64 * 1024 * 1024


class Answer:
    """What is known about one request that a worker answers."""

    __slots__ = (
        "_body",
        "_events",
        "_include_usage",
        "_load",
        "_passed",
        "_paused",
        "_pieces",
        "_streamed",
        "_surface",
        "_waiter",
        "_waiting",
        "claim",
        "delivered",
        "error",
        "head",
        "last_event",
        "last_sent",
        "link",
        "receipt",
        "ticket",
    )

    def __init__(
        self,
        surface: str,
        body: bytes,
        load: Load,
        *,
        stream: bool,
        include_usage: bool,
        passed: dict[str, str] | None = None,
    ) -> None:
        self.ticket = os.urandom(16)
        self.link: Link | None = None
        self.claim: Claim | None = None
        self.head: Head | None = None
        self.receipt: bytes | None = None
        self.error: GatewayError | None = None
        self.delivered = 0
        """Bytes that were handed to the customer's connection."""
        self.last_event = b""
        """The event that ends a whole stream; `onevault` is to be put into it."""
        self.last_sent = b""
        """What was taken last of a stream."""
        self._events = 0
        self._passed = passed or {}
        self._surface = surface
        self._body = body
        self._load = load
        self._streamed = stream
        self._include_usage = include_usage
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.receipt is not None or self.error is not None

    async def arrival(self) -> None:
        """Wait until there is something to take: a piece of a stream, or the end of the answer."""
        if self.over or (self._streamed and self._pieces):
            return
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def take(self) -> bytes:
        """All bytes that have come since the last call; from now on they count as delivered."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._waiting = 0
        if not self.delivered:
            self._body = b""  # no other worker can start over now
            self._load.drop_body()
        self.delivered += len(data)
        if self._streamed:
            self._events += count_events(data)
            self.last_sent = data
        return data

    def delivered_text(self) -> int:
        """About how many bytes of text were delivered: what an answer that broke off is charged by."""
        return estimate_text(self.delivered, self._events, self.last_sent) if self._events else 0

    def drained(self) -> None:
        """The customer's connection has taken what was given: let a paused worker go on."""
        self._load.keep_answer(self._waiting)
        if self._paused and self._waiting <= LOW_WATER:
            self._paused = False
            if self.link is not None:
                self.link.write(encode(Resume(self.ticket)))

    # What the link calls

    def body_frame(self) -> bytes:
        """The frame that answers a claim."""
        return encode(Body(self.ticket, self._surface, self._streamed, self._include_usage, self._body, self._passed))

    def open(self, head: Head) -> None:
        """Real output begins."""
        self.head = head

    def add(self, data: bytes) -> None:
        """One more piece has come from the worker."""
        self._pieces.append(data)
        self._waiting += len(data)
        if not self._load.add_answer(len(data)):
            self.cancel(Overloaded())
        elif self._streamed:
            most = LOW_WATER if self._load.tight else HIGH_WATER
            if self._waiting > most and not self._paused and self.link is not None:
                self._paused = True
                self.link.write(encode(Pause(self.ticket)))
            self._wake()
        elif self._waiting > LONGEST_PLAIN_ANSWER:
            self.cancel(ProviderFailed("The provider's answer is too large to pass on."))

    def finish(self, end: End) -> None:
        """The worker has booked the request."""
        self.receipt = end.receipt
        self.last_event = end.last
        self._wake()

    def start_over(self) -> bool:
        """The worker died. True if another one can answer as if nothing had happened.

        What had come and was not taken is forgotten: it is charged by what was delivered, and nothing more may be.
        """
        self.link = self.claim = None
        self._pieces.clear()
        self._waiting = 0
        self._paused = False
        self._load.keep_answer(0)
        if self.delivered:
            return False
        self.head = None
        return True

    def fail(self, error: GatewayError) -> None:
        """Nothing more will come; the customer is told why."""
        if not self.over:
            self.error = error
            self._wake()

    def cancel(self, error: GatewayError) -> None:
        """Fail, and have the worker stop and book what was used."""
        if not self.over:
            self.fail(error)
            if self.link is not None:
                self.link.write(encode(Cancel(self.ticket)))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
