"""Calls of tools one after the other, for grammars in which each is a block of its own that ends before the next.

OpenAI's chat completions number them, and a server may go on with one after it has begun another, or leave one without
arguments. What belongs to the next call waits then until the one before is whole, or all of them are.
"""

from __future__ import annotations

import msgspec

from worker.dialects.events import CallBegin, CallPiece, Event, Finish


class InTurn:
    """Brings the events of one stream into that order."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._said = ""
        self._waiting: list[Event] = []

    def take(self, events: list[Event]) -> list[Event]:
        """What may be told now."""
        told: list[Event] = []
        for event in events:
            told += self._take(event)
        return told

    def _take(self, event: Event) -> list[Event]:
        if isinstance(event, CallPiece) and event.number == self._number:
            self._said += event.arguments
            return [event, *self._go_on()] if self._waiting and self._is_whole() else [event]
        if isinstance(event, Finish):
            return [*self._tell_all(), event]
        if self._waiting or (isinstance(event, CallBegin) and self._number is not None and not self._is_whole()):
            self._waiting.append(event)
            return []
        if isinstance(event, CallBegin):
            self._number, self._said = event.number, ""
        return [event]

    def _is_whole(self) -> bool:
        try:
            msgspec.json.decode(self._said)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return False
        return True

    def _go_on(self) -> list[Event]:
        waiting, self._waiting = self._waiting, []
        return self.take(waiting)

    def _tell_all(self) -> list[Event]:
        """Nothing more comes: each call with all of its pieces."""
        waiting, self._waiting = self._waiting, []
        told: list[Event] = []
        for event in waiting:
            if isinstance(event, CallPiece):
                continue
            told.append(event)
            if isinstance(event, CallBegin):
                told += [more for more in waiting if isinstance(more, CallPiece) and more.number == event.number]
        return told
