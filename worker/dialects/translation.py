"""An answer in a grammar that the customer does not speak: read into events, written in his."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from worker.dialects.events import CallBegin, Event, Finish, ImagePiece, size_of
from worker.dialects.in_turn import InTurn
from worker.providers.listening import Heard, SseListener
from worker.providers.tally import Tally
from worker.shapes import Attempt


class Reader(Protocol):
    """Reads a provider's grammar. `done`: nothing that counts follows."""

    done: bool

    def read(self, event: Any, data: bytes) -> list[Event]:
        """What one event of a stream says; usage and the like go to the tally. Raises `CallFailed`."""

    def read_whole(self, body: bytes) -> list[Event]:
        """What a plain answer says. Raises `CallFailed`."""

    def is_whole(self) -> bool:
        """Whether a stream that ended here is complete."""


class Writer(Protocol):
    """Writes the customer's grammar. `in_turn`: a call is over when the next one begins."""

    in_turn: bool

    def write(self, event: Event) -> bytes:
        """Events of a stream, none or several."""

    def end(self, attempt: Attempt) -> tuple[bytes, bytes]:
        """The end of a stream: what goes out at once, and the event that goes out when the call has been booked."""

    def write_whole(self, events: list[Event], attempt: Attempt) -> bytes:
        """A plain answer."""


class Translation(SseListener):
    """A listener between two grammars. `names`: what the customer calls tools of which the provider was told otherwise,
    see `fit_names`."""

    def __init__(self, tally: Tally, reader: Reader, writer: Writer, names: Mapping[str, str] | None = None) -> None:
        super().__init__(tally)
        self._reader = reader
        self._writer = writer
        self._names = names or {}
        self._in_turn = InTurn() if writer.in_turn else None

    def hear(self, event: Any) -> Heard:
        """See `Listener`. Comments mean nothing to the customer and stay here."""
        heard = super().hear(event)
        return Heard(b"", None) if heard.real is None else heard

    def understand(self, event: Any, data: bytes) -> Heard:
        """One event's meaning in the customer's words."""
        said = self._named(self._reader.read(event, data))
        self.done = self._reader.done
        if not said:
            return Heard(b"", False)
        real = False
        for piece in said:
            size = size_of(piece)
            self.tally.say(size)
            real |= size > 0 or isinstance(piece, Finish | ImagePiece)
        told = said if self._in_turn is None else self._in_turn.take(said)
        return Heard(b"".join(map(self._writer.write, told)), real)

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`."""
        if not self._reader.is_whole():
            raise self.broken()
        self.tally.complete()
        return self._writer.end(self.tally.attempt)

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        events = self._named(self._reader.read_whole(body))
        for event in events:
            self.tally.say(size_of(event))
        return self._writer.write_whole(events, self.tally.attempt)

    def _named(self, events: list[Event]) -> list[Event]:
        if not self._names:
            return events
        names = self._names
        return [
            event._replace(name=names.get(event.name, event.name)) if isinstance(event, CallBegin) else event
            for event in events
        ]
