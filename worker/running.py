"""One request in the worker: from the claim of its body to the last frame of its answer.

A `Running` is what everybody who has to do with a request holds in common: the link hands it frames, the road walks it
through its candidates, the adapter writes its output into it, the watch looks whether it is late. Its task is cancelled
only while a provider is being called; whoever cancels leaves the reason here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Final, Literal

from onevault.frames import Body, Chunk, End, Gone, Head, encode
from worker.shapes import Attempt, Candidate, Delivery

if TYPE_CHECKING:
    from worker.link import Link

SILENCE_SECONDS: Final = 60.0
"""How long a provider that has begun may say nothing."""

PIECE_BYTES: Final = 1024 * 1024
"""Answers travel in chunks of at most this size."""

Ending = Literal["client_gone", "front_gone"]
Lateness = Literal["silence", "deadline"]
Start = Callable[["Running"], Coroutine[object, object, None]]


class Running:
    """A claimed request. `start` makes the coroutine that serves it once its body, or a refusal, is here."""

    __slots__ = (
        "_attempt_at",
        "_body_pieces",
        "_first_byte_at",
        "_gate",
        "_last",
        "_loop",
        "_paused",
        "_sleep",
        "_start",
        "_task",
        "attempt",
        "body",
        "calling",
        "candidate",
        "claimed_at",
        "deadline_at",
        "delivered",
        "delivery",
        "ending",
        "gone",
        "late",
        "limit_at",
        "link",
        "readings",
        "renew_early",
        "renewed_at",
        "settling",
        "ticket",
        "told_bytes",
    )

    def __init__(self, delivery: Delivery, start: Start) -> None:
        self._loop = asyncio.get_running_loop()
        self._start = start
        self._task: asyncio.Task[None] | None = None
        self._gate: asyncio.Future[None] | None = None
        self._paused = False
        self._sleep: asyncio.Future[None] | None = None
        self._body_pieces: list[bytes] = []
        self._last = b""
        self._attempt_at = 0.0
        self._first_byte_at: float | None = None
        self.delivery = delivery
        self.ticket = bytes.fromhex(delivery.message.ticket)
        self.link: Link | None = None
        self.body: Body | None = None
        self.gone: Gone | None = None
        self.claimed_at = self.renewed_at = self._loop.time()
        self.deadline_at = self.claimed_at + (delivery.message.deadline_ms - delivery.read_at_ms) / 1000
        self.limit_at = math.inf
        self.calling = False
        self.settling = False
        self.delivered = False
        self.ending: Ending | None = None
        self.late: Lateness | None = None
        self.candidate: Candidate | None = None
        self.attempt: Attempt | None = None
        self.told_bytes = 0
        self.renew_early = False
        self.readings = 1

    # What the link tells

    def begin(self, body: Body) -> None:
        """The body is here."""
        self.body = body
        self._serve()

    def refuse(self, gone: Gone) -> None:
        """There is no body: nobody waits for this answer."""
        self.gone = gone
        self._serve()

    def end(self, ending: Ending) -> None:
        """The customer or the front has gone: stop the call, book what was used.

        A plain call whose customer has hung up goes on to its end: only its last byte says what it used.
        """
        if self.ending is None:
            self.ending = ending
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)
        if self._task is None:
            self._serve()
        if self.body is None or self.body.stream or self.ending != "client_gone":
            self._interrupt()

    def pause(self) -> None:
        """The customer reads slowly."""
        self._paused = True

    def resume(self) -> None:
        """The customer has caught up."""
        self._paused = False
        self.open_gate()

    def open_gate(self) -> None:
        """Let the output go on if nothing holds it any more."""
        gate = self._gate
        if gate is not None and not gate.done() and not self._held_up():
            gate.set_result(None)

    # What the watch tells

    def check_time(self, now: float) -> None:
        """Interrupt a call that is late."""
        if not self.calling:
            return
        if now >= self.deadline_at:
            self.late = "deadline"
        elif now >= self.limit_at:
            self.late = "silence"
        else:
            return
        self._interrupt()

    def abandon(self) -> None:
        """This worker stops before the request is over: leave it unbooked for another, unless it is being booked."""
        if self._task is not None and not self.settling:
            self._task.cancel()

    # What the road tells

    def begin_attempt(self, attempt: Attempt, candidate: Candidate) -> None:
        """A provider is being called: from now on the task may be cancelled."""
        self.attempt = attempt
        self.candidate = candidate
        self.late = None
        self._body_pieces.clear()
        self._last = b""
        self._first_byte_at = None
        self._attempt_at = self._loop.time()
        self.limit_at = self._attempt_at + candidate.first_byte_timeout_ms / 1000
        self.calling = True

    def wait_longer(self, candidate: Candidate) -> None:
        """Another provider is called as well, from now on."""
        self.limit_at = max(self.limit_at, self._loop.time() + candidate.first_byte_timeout_ms / 1000)

    def adopt(self, attempt: Attempt, candidate: Candidate, begun_at: float, heard_at: float | None) -> None:
        """Of two calls this one counts; it began and was first heard then."""
        self.attempt = attempt
        self.candidate = candidate
        self._attempt_at = begun_at
        if heard_at is not None:
            self._note_first_byte(heard_at)
        self.limit_at = self._loop.time() + SILENCE_SECONDS

    async def sleep(self, seconds: float) -> None:
        """Wait between two calls; not longer than somebody waits for the answer."""
        self._sleep = self._loop.create_future()
        timer = self._loop.call_later(seconds, _wake, self._sleep)
        try:
            await self._sleep
        finally:
            timer.cancel()

    def end_attempt(self, attempt: Attempt) -> None:
        """The call is over, however it ended."""
        self.calling = False
        attempt.latency_ms = _milliseconds(self._loop.time() - self._attempt_at)

    def finish(self, receipt: bytes, *, answered: bool) -> None:
        """The request has been booked: what is left of its answer, if it has one, leaves with the receipt."""
        if self.link is None:
            return
        frames: list[bytes] = []
        if answered and self._body_pieces:
            frames.append(self._head("application/json"))
            for piece in self._body_pieces:
                frames += self._chunks(piece)
        last = self._last if answered else b""
        if last and not self.delivered:
            frames.append(self._head("text/event-stream"))
        if len(last) > PIECE_BYTES:  # it may be longer than a frame; `onevault` goes into its end
            frames += self._chunks(last[:-PIECE_BYTES])
            last = last[-PIECE_BYTES:]
        frames.append(encode(End(self.ticket, receipt, last)))
        self.link.write(b"".join(frames))

    @property
    def output_bytes(self) -> int:
        """Bytes of text that were passed on to the front."""
        return self.attempt.output_bytes if self.delivered and self.attempt is not None else 0

    @property
    def latency_ms(self) -> int:
        """Milliseconds since the claim."""
        return _milliseconds(self._loop.time() - self.claimed_at)

    @property
    def first_byte_ms(self) -> int | None:
        """Milliseconds from the claim to the first byte of the answer that counts."""
        return None if self._first_byte_at is None else _milliseconds(self._first_byte_at - self.claimed_at)

    # What the adapter writes (see worker.providers.base.Output)

    def alive(self) -> None:
        now = self._loop.time()
        self.limit_at = now + SILENCE_SECONDS
        if self.body is not None and not self.body.stream:
            self._note_first_byte(now)

    async def send(self, data: bytes) -> None:
        assert self.body is not None
        now = self._loop.time()
        self._note_first_byte(now)
        if not self.body.stream:
            self._body_pieces.append(data)
            return
        if self.link is not None:
            frames = self._chunks(data)
            if not self.delivered:
                frames.insert(0, self._head("text/event-stream"))
            self.link.write(frames[0] if len(frames) == 1 else b"".join(frames))
        self.delivered = True
        if self._held_up():
            self.limit_at = math.inf
            self._gate = self._loop.create_future()
            await self._gate
            now = self._loop.time()
        self.limit_at = now + SILENCE_SECONDS

    def hold(self, last: bytes) -> None:
        self._last = last

    # Within

    def _serve(self) -> None:
        if self._task is None:
            self._task = self._loop.create_task(self._start(self))

    def _interrupt(self) -> None:
        if self.calling and self._task is not None:
            self.calling = False
            self._task.cancel()

    def _held_up(self) -> bool:
        return self._paused or (self.link is not None and self.link.blocked)

    def _note_first_byte(self, now: float) -> None:
        if self._first_byte_at is None:
            self._first_byte_at = now
            if self.attempt is not None:
                self.attempt.first_byte_ms = _milliseconds(now - self._attempt_at)

    def _head(self, content_type: str) -> bytes:
        assert self.candidate is not None
        request = self.delivery.message.request
        dropped = ", ".join(self.attempt.dropped) if self.attempt is not None else ""
        provider, model = self.candidate.provider, self.candidate.model
        return encode(Head(self.ticket, request, provider, model, content_type, dropped))

    def _chunks(self, data: bytes) -> list[bytes]:
        if len(data) <= PIECE_BYTES:
            return [encode(Chunk(self.ticket, data))]
        starts = range(0, len(data), PIECE_BYTES)
        return [encode(Chunk(self.ticket, data[start : start + PIECE_BYTES])) for start in starts]


def _wake(sleep: asyncio.Future[None]) -> None:
    if not sleep.done():
        sleep.set_result(None)


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
