"""Reading an answer as it comes: cut into events, understood by a listener, passed on to the customer.

A listener knows one provider's grammar, and the customer's if that is another. What it gives back goes out as it is:
the very bytes that came where both speak alike. The loop here is the same for all: it holds back what comes before
the first real output, so that another candidate may still answer, and it counts what comes after a hang-up.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final, NamedTuple, Protocol

import httpx

from worker.providers.base import CallFailed, Output
from worker.providers.sse import EventCutter, EventTooLong, read_data
from worker.providers.tally import Tally
from worker.providers.wire import MAX_ANSWER_BYTES, read_pieces, read_rest

HELD_EVENTS: Final = 64
HELD_BYTES: Final = 256 * 1024
_TRAILER_SECONDS: Final = 0.05


class Heard(NamedTuple):
    """What an event comes to: the bytes to pass on, and whether they are real output.

    A comment is neither: None, it passes on only between other events.
    """

    data: bytes
    real: bool | None


NOTHING: Final = Heard(b"", False)


class Cutter(Protocol):
    """Cuts a byte stream into events."""

    def feed(self, data: bytes) -> list[Any]:
        """The events that are complete now. Raises `EventTooLong`."""

    def close(self) -> Any | None:
        """The stream has ended: the event that lacks its end, if it can be read."""


class Listener(Protocol):
    """Understands one answer. `done`: nothing that counts follows."""

    done: bool
    cutter: Cutter
    tally: Tally

    def hear(self, event: Any) -> Heard:
        """Understand one event. Raises `CallFailed`."""

    def end(self) -> tuple[bytes, bytes]:
        """The stream is over: what goes out at once, and the event that ends it for the customer, once it is booked.

        Raises `CallFailed` if it was cut off.
        """

    def answer(self, body: bytes) -> bytes:
        """Understand a whole answer that was no stream; gives what the customer gets. Raises `CallFailed`."""


class SseListener:
    """A listener's common ground for answers in server-sent events."""

    def __init__(self, tally: Tally) -> None:
        self.done = False
        self.cutter: Cutter = EventCutter()
        self.tally = tally
        self.begun = False
        """Whether an event has been understood; what breaks before is the provider's trouble, not a cut."""

    def hear(self, event: bytes) -> Heard:
        """See `Listener`."""
        data = read_data(event)
        if data is None:
            return Heard(event, None)
        heard = self.understand(event, data)
        self.begun = True
        return heard

    def understand(self, event: bytes, data: bytes) -> Heard:
        """Understand an event's data. Raises `CallFailed`."""
        raise NotImplementedError

    def broken(self) -> CallFailed:
        """The failure of an answer that cannot be read, or was cut off."""
        return CallFailed("truncated_stream" if self.begun else "server_error")


class PlainListener(SseListener):
    """A listener's common ground for answers that are never streamed."""

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        raise NotImplementedError

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`."""
        return b"", b""


async def read_plain(response: httpx.Response, listener: Listener, output: Output) -> None:
    """Read a whole answer, have it understood, pass it on. Raises `CallFailed`."""
    pieces: list[bytes] = []
    async for piece in read_pieces(response, MAX_ANSWER_BYTES):
        output.alive()
        pieces.append(piece)
    body = listener.answer(pieces[0] if len(pieces) == 1 else b"".join(pieces))
    listener.tally.complete()
    await output.send(body)


async def read_stream(response: httpx.Response, listener: Listener, output: Output) -> None:
    """Pass a stream on, event by event. Raises `CallFailed`.

    When the call is cancelled, what has come by then is counted, though it goes nowhere.
    """
    reader = _Reader(listener, output)
    try:
        await _read_events(response, reader)
    except asyncio.CancelledError:
        with contextlib.suppress(EventTooLong, CallFailed):
            async for piece in read_rest(response, MAX_ANSWER_BYTES):
                reader.count(listener.cutter.feed(piece))
        raise
    finally:
        listener.tally.tell_rest()


async def _read_events(response: httpx.Response, reader: _Reader) -> None:
    listener = reader.listener
    pieces = read_pieces(response, MAX_ANSWER_BYTES)
    try:
        async for piece in pieces:
            await reader.take(listener.cutter.feed(piece))
            if listener.done:
                break
    except EventTooLong:
        raise CallFailed("server_error") from None
    if listener.done:
        # The connection can serve again if the body's end is read; it has mostly come already.
        try:
            async with asyncio.timeout(_TRAILER_SECONDS):
                async for _ in pieces:
                    pass
        except TimeoutError:
            pass
    else:
        last = listener.cutter.close()
        if last is not None:
            await reader.take([last])
    await reader.close()


class _Reader:
    """The state of one stream on its way to the customer."""

    def __init__(self, listener: Listener, output: Output) -> None:
        self.listener = listener
        self._output = output
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._comments = b""
        self._alive = False
        self._flowing = False

    async def take(self, events: list[Any]) -> None:
        """Have events understood that arrived together and pass them on as one piece."""
        if self._alive:
            self._output.alive()
        passed: list[bytes] = []
        failure: CallFailed | None = None
        listener = self.listener
        for event in events:
            try:
                data, real = listener.hear(event)
            except CallFailed as error:
                failure = error
                break
            if real is None:
                if data and self._flowing:
                    passed.append(data)
                elif len(self._comments) < HELD_BYTES:
                    self._comments += data  # goes with the next event, of which it is no sign
                continue
            if not self._alive:
                self._alive = True
                self._output.alive()
            if data:
                passed.append(self._comments + data)
                self._comments = b""
            if real:
                self._flowing = True
            if listener.done:
                break
        if passed:
            await self._pass_on(passed)
        if failure is not None:
            raise failure

    def count(self, events: list[Any]) -> None:
        """Have events understood that nobody waits for any more. Raises `CallFailed`."""
        for event in events:
            if self.listener.done:
                return
            self.listener.hear(event)

    async def close(self) -> None:
        """The stream has ended. Raises `CallFailed` (truncated_stream) if it was cut off."""
        rest, last = self.listener.end()
        self.listener.tally.complete()
        if self._held or rest:
            self._flowing = True
            await self._pass_on([rest] if rest else [])
        if last:
            self._output.hold(last)

    async def _pass_on(self, events: list[bytes]) -> None:
        if not self._flowing:
            self._held += events
            self._held_bytes += sum(map(len, events))
            if len(self._held) < HELD_EVENTS and self._held_bytes < HELD_BYTES:
                return
            self._flowing = True
            events = []
        if self._held:
            events = [*self._held, *events]
            self._held = []
        await self._output.send(events[0] if len(events) == 1 else b"".join(events))
