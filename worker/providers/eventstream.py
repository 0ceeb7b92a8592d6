"""Amazon's binary event stream, cut into frames.

A frame is its length, that of its headers, a checksum of both; the headers; the payload; a checksum of all before it.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from worker.providers.sse import MAX_EVENT_BYTES, EventTooLong

_PRELUDE: Final = struct.Struct(">III")
_CHECKSUM: Final = struct.Struct(">I")
_LEAST: Final = _PRELUDE.size + _CHECKSUM.size
# What follows a header's name, by its type: bytes of the value, None where two bytes say how many.
_SIZES: Final[dict[int, int | None]] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: None, 7: None, 8: 8, 9: 16}
_TEXT: Final = 7


class Frame(NamedTuple):
    """One message: its headers as far as they are text, without the colon before their names; and its payload."""

    headers: dict[str, str]
    payload: bytes


BROKEN: Final = Frame({}, b"")
"""What stands for bytes that are no frame; nothing behind them can be read."""


class FrameCutter:
    """Cuts a byte stream into frames, however the bytes were cut on their way."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take what was read, give the frames that are complete now. Raises `EventTooLong`."""
        frames: list[Frame] = []
        if self._broken:
            return frames
        self._rest += data
        while len(self._rest) >= _PRELUDE.size:
            size, inside, checksum = _PRELUDE.unpack_from(self._rest)
            if zlib.crc32(self._rest[:8]) != checksum or not _LEAST + inside <= size:
                return self._give_up(frames)
            if size > self._limit:
                raise EventTooLong
            if len(self._rest) < size:
                break
            whole = bytes(self._rest[:size])
            del self._rest[:size]
            frame = _read_frame(whole, inside)
            if frame is None:
                return self._give_up(frames)
            frames.append(frame)
        return frames

    def close(self) -> Frame | None:
        """The stream has ended: a frame that lacks its end cannot be read."""
        return None

    def _give_up(self, frames: list[Frame]) -> list[Frame]:
        self._broken = True
        self._rest.clear()
        return [*frames, BROKEN]


def _read_frame(whole: bytes, inside: int) -> Frame | None:
    body = len(whole) - _CHECKSUM.size
    if (zlib.crc32(whole[:body]),) != _CHECKSUM.unpack_from(whole, body):
        return None
    start = _PRELUDE.size + inside
    headers = _read_headers(whole[_PRELUDE.size : start])
    return None if headers is None else Frame(headers, whole[start:body])


def _read_headers(data: bytes) -> dict[str, str] | None:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            start = at + 1
            name = data[start : start + data[at]].decode()
            at = start + data[at]
            kind = data[at]
            size = _SIZES[kind]
            at += 1
            if size is None:
                size = int.from_bytes(data[at : at + 2], "big")
                at += 2
            if at + size > len(data):
                return None
            if kind == _TEXT:
                found[name.removeprefix(":")] = data[at : at + size].decode()
            at += size
    except (IndexError, KeyError, UnicodeDecodeError):
        return None
    return found
