"""Calls of tools one after the other, for grammars in which each is a block of its own that ends before the next.

OpenAI's chat completions number them, and a server may go on with one after it has begun another, or leave one without
arguments. What belongs to the next call waits then until the one before is whole, or all of them are.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from worker.dialects.events import CallBegin, CallPiece, Event, Finish

_MOST_WAITING: Final = 200
"""Of more events none is told before the end: going through them for each call would take a worker's time."""


class InTurn:
    """Brings the events of one stream into that order."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._waiting: list[Event] = []
        self._arguments = _Arguments()

    def take(self, events: list[Event]) -> list[Event]:
        """What may be told now."""
        told: list[Event] = []
        for event in events:
            told += self._take(event)
        return told

    def _take(self, event: Event) -> list[Event]:
        if isinstance(event, CallPiece) and event.number == self._number:
            self._arguments.add(event.arguments)
            goes_on = 0 < len(self._waiting) <= _MOST_WAITING and self._arguments.whole
            return [event, *self._go_on()] if goes_on else [event]
        if isinstance(event, Finish):
            return [*self._tell_all(), event]
        if self._waiting or (isinstance(event, CallBegin) and self._number is not None and not self._arguments.whole):
            self._waiting.append(event)
            return []
        if isinstance(event, CallBegin):
            self._number, self._arguments = event.number, _Arguments()
        return [event]

    def _go_on(self) -> list[Event]:
        waiting, self._waiting = self._waiting, []
        return self.take(waiting)

    def _tell_all(self) -> list[Event]:
        """Nothing more comes: each call with all of its pieces."""
        waiting, self._waiting = self._waiting, []
        pieces: defaultdict[int, list[Event]] = defaultdict(list)
        for event in waiting:
            if isinstance(event, CallPiece):
                pieces[event.number].append(event)
        told: list[Event] = []
        for event in waiting:
            if isinstance(event, CallBegin):
                told += [event, *pieces.pop(event.number, ())]
            elif not isinstance(event, CallPiece):
                told.append(event)
        return told


class _Arguments:
    """Whether the arguments of a call are whole: an object whose last bracket has come. Each sign is looked at once,
    however many pieces they come in."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._depth = 0
        self._begun = self._in_words = self._escaped = False

    def add(self, piece: str) -> None:
        """More of them has come."""
        self._unread.append(piece)

    @property
    def whole(self) -> bool:
        """All that has come is an object, and nothing of it is missing."""
        for piece in self._unread:
            for sign in piece:
                self._read(sign)
        self._unread.clear()
        return self._begun and self._depth == 0

    def _read(self, sign: str) -> None:
        if self._in_words:
            self._in_words = self._escaped or sign != '"'
            self._escaped = sign == "\\" and not self._escaped
        elif sign == '"':
            self._in_words = True
        elif sign in "{[":
            self._begun = True
            self._depth += 1
        elif sign in "}]":
            self._depth -= 1
