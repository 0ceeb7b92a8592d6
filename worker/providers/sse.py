"""Server-sent events, cut out of a byte stream without changing a byte of them.

Events end at a blank line; a line ends in LF, CRLF or CR; `data:` may repeat within an event;
lines that begin with a colon are comments. (WHATWG HTML, section 9.2.)
"""

from __future__ import annotations

import re
from typing import Final

# Errors
#   EventTooLong        an event longer than the limit; the stream cannot be read any further

MAX_EVENT_BYTES: Final = 24 * 1024 * 1024
"""The longest event, and so the longest line, that is accepted: a picture is one, and so is what repeats the request.
The last of a stream has to fit into a frame of the link."""

_BOM: Final = b"\xef\xbb\xbf"
# Atomic, or CRLF would be taken for two line ends.
_BLANK_LINE: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class EventTooLong(Exception):
    """The peer sends an event without an end."""


class EventCutter:
    """Cuts a byte stream into whole events, however the bytes were cut on their way.

    The events together are the stream as it came: blank lines and comments included, a leading
    byte order mark left out.
    """

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = b""
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._fresh = True

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read, give the events that are complete now. Raises `EventTooLong`."""
        if self._fresh:
            if self._rest:
                data = self._rest + data
                self._rest = b""
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest = data
                return []
            self._fresh = False
            data = data.removeprefix(_BOM)
        elif self._rest or self._pieces:
            # A blank line can be cut in two; only the last bytes seen before can belong to it.
            joint = self._rest + data
            if len(data) < self._limit and not _ends_event(joint):
                return self._keep(data, joint)
            data = b"".join([*self._pieces, joint])
            self._pieces.clear()
            self._rest = b""
            self._waiting = 0
        if b"\r" not in data:
            if data.endswith(b"\n\n"):
                events = [part + b"\n\n" for part in data[:-2].split(b"\n\n")]
                return events if len(events) > 1 else [data]
            events = data.split(b"\n\n")
            tail = events.pop()
            events = [part + b"\n\n" for part in events]
        else:
            events = []
            start = 0
            for blank in _BLANK_LINE.finditer(data):
                events.append(data[start : blank.end()])
                start = blank.end()
            tail = data[start:]
        if len(tail) > self._limit:
            raise EventTooLong
        self._rest = tail
        self._waiting = len(tail)
        return events

    def close(self) -> bytes | None:
        """The stream has ended: the event that lacks its blank line, if there is one."""
        tail = b"".join([*self._pieces, self._rest])
        self._pieces.clear()
        self._rest = b""
        return tail + b"\n\n" if tail.strip(b"\r\n") else None

    def _keep(self, data: bytes, joint: bytes) -> list[bytes]:
        """Put by a piece in which no event ends, without looking at the earlier ones again."""
        self._waiting += len(data)
        if self._waiting > self._limit:
            raise EventTooLong
        self._pieces.append(joint[:-3])
        self._rest = joint[-3:]
        return []


def _ends_event(data: bytes) -> bool:
    if b"\r" in data:
        return _BLANK_LINE.search(data) is not None
    return b"\n\n" in data


def read_data(event: bytes) -> bytes | None:
    """The data of an event: its `data:` lines joined by LF; None if it has none (a comment)."""
    if event.startswith(b"data:") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        # The common form: one data line, LF, blank line.
        return event[6:-2] if event[5:6] == b" " else event[5:-2]
    lines: list[bytes] = []
    for line in _LINE_END.split(event):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines) if lines else None
