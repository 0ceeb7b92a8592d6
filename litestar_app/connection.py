"""The front's end of one connection to one worker process, with all requests that this worker has claimed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from onevault.frames import (
    Cancel,
    Chunk,
    Claim,
    End,
    Frame,
    FrameDecoder,
    FrameError,
    Head,
    Hello,
    Ping,
    Work,
    encode,
)
from onevault.log import get_log

if TYPE_CHECKING:
    from litestar_app.answers import Answer
    from litestar_app.link import Links

_SILENT_SECONDS: Final = 0.1
"""Who has not said for so long that work has come may be stuck, and gets no more."""

_STUCK_SECONDS: Final = 2.0
"""Who has not said for so long that work has come is not waited for: others may read it."""

_log = get_log("front.link")


class Link(asyncio.Protocol):
    """One connection to one worker process."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._decoder = FrameDecoder()
        self._transport: asyncio.WriteTransport | None = None
        self.name = ""
        """The worker's own, where it is unlike any other's."""
        self.lost = asyncio.Event()
        self.claimed: dict[bytes, Answer] = {}
        self._takes = 0
        self._unheard: list[bytes] = []
        self._given_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._claims: dict[bytes, Claim] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        if self._unheard:
            self._hear()
        try:
            for frame in self._decoder.feed(data):
                self._receive(frame)
        except FrameError as error:
            _log.error("link_spoke_nonsense", error)
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._hear()
        self.lost.set()
        claimed = [(self.claimed[ticket], claim) for ticket, claim in self._claims.items()]
        self.claimed.clear()
        self._claims.clear()
        self._links.lost(self, claimed)

    def room(self, now: float) -> int:
        """How many requests this worker can be given."""
        if self._unheard and now - self._given_at > _SILENT_SECONDS:
            return 0
        return max(0, self._takes - len(self.claimed))

    def hand_over(self, work: Work, now: float) -> None:
        """Give this worker a request with its body, as if it had read and claimed it."""
        if not self._unheard:
            self._given_at = now
            self._alarm = asyncio.get_running_loop().call_later(_STUCK_SECONDS, self._give_up)
        self._unheard.append(work.ticket)
        self.write(encode(work))
        self._claim(Claim(work.ticket, work.queue, work.msg_id, 1))

    def write(self, data: bytes) -> None:
        """Send an encoded frame; nothing happens when the worker has gone."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection after what was written."""
        if self._transport is not None:
            self._transport.close()

    def hang_up(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def drop(self, answer: Answer) -> None:
        """Take a request away from this worker."""
        if self.claimed.pop(answer.ticket, None) is not None:
            del self._claims[answer.ticket]
            self.write(encode(Cancel(answer.ticket)))

    def _receive(self, frame: Frame) -> None:
        # In the order of their frequency. A ticket that is not ours any more is no error.
        if type(frame) is Chunk:
            if (answer := self.claimed.get(frame.ticket)) and not answer.over:
                answer.add(frame.data)
        elif type(frame) is End:
            if answer := self.claimed.pop(frame.ticket, None):
                del self._claims[frame.ticket]
                answer.link = None
                answer.finish(frame)
        elif type(frame) is Head:
            if answer := self.claimed.get(frame.ticket):
                answer.open(frame)
        elif type(frame) is Claim:
            self._claim(frame)
        elif type(frame) is Hello:
            self._takes = frame.room
            self._links.add(self)
        elif type(frame) is not Ping:
            raise FrameError("a frame that only fronts send")

    def _hear(self) -> None:
        self._unheard.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _give_up(self) -> None:
        """Have others read what was given: whichever answers first, this worker or they, is heard."""
        _log.warning("worker_stuck", count=len(self._unheard))
        for ticket in self._unheard:
            if ticket in self.claimed:
                self._links.release(self.claimed[ticket], self._claims[ticket])

    def _claim(self, claim: Claim) -> None:
        if answer := self._links.claim(self, claim):
            self.claimed[claim.ticket] = answer
            self._claims[claim.ticket] = claim
            self.write(answer.body_frame())
