"""How large a picture is, from the first bytes of its base64: what is held for it depends on that, and SQL says how.

Only heads are read, and nothing of the picture itself. A size that cannot be told is None: then it is any picture.
"""

from __future__ import annotations

import binascii
import struct
from typing import Final

_HEAD_CHARS: Final = 64
# A photograph's size may stand behind a small picture of it, and behind the colours of a camera.
_MOST_CHARS: Final = 512 * 1024
_FEWER_CHARS: Final = (4 * 1024, 64 * 1024, _MOST_CHARS)
_MOST_SEGMENTS: Final = 100
_STARTS: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_GIF_PICTURE: Final = 0x2C
_GIF_EXTENSION: Final = 0x21
_LOSSLESS: Final = 0x2F

Size = tuple[int, int]


def measure_picture(data: str) -> Size | None:
    """Width and height of a PNG, JPEG, GIF or WebP in base64."""
    head = _decode(data, _HEAD_CHARS)
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
            size: Size | None = struct.unpack(">II", head[16:24])
        elif head.startswith(b"\xff\xd8"):
            size = _measure_jpeg(data)
        elif head[:6] in (b"GIF87a", b"GIF89a"):
            size = _measure_gif(_decode(data, _MOST_CHARS))
        elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            size = _measure_webp(head)
        else:
            size = None
    except (struct.error, IndexError):
        return None
    return size if size is not None and min(size) > 0 and max(size) < 2**24 else None


def measure_url(url: str) -> Size | None:
    """The same of a data URL; None for any other, since nobody here looks at it."""
    head, comma, data = url.partition(",") if url.startswith("data:") else ("", "", "")
    return measure_picture(data) if comma and head.endswith(";base64") else None


def _decode(data: str, chars: int) -> bytes:
    try:
        return binascii.a2b_base64(data[:chars].encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _measure_jpeg(data: str) -> Size | None:
    for chars in _FEWER_CHARS:
        try:
            return _find_frame(_decode(data, chars))
        except (struct.error, IndexError):
            continue
    return None


def _find_frame(data: bytes) -> Size | None:
    place = 2
    for _ in range(_MOST_SEGMENTS):
        while data[place] == 0xFF and data[place + 1] == 0xFF:
            place += 1
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker in _STARTS:
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        place += 2 + length
    return None


def _measure_gif(data: bytes) -> Size | None:
    """The larger of the screen and its first picture."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(_MOST_SEGMENTS):
        if data[place] == _GIF_PICTURE:
            wide, high = struct.unpack_from("<HH", data, place + 5)
            return max(width, wide), max(height, high)
        if data[place] != _GIF_EXTENSION:
            return None
        place += 2
        while data[place]:
            place += 1 + data[place]
        place += 1
    return None


def _measure_webp(head: bytes) -> Size | None:
    match head[12:16]:
        case b"VP8X":
            wide, wider, high, higher = struct.unpack_from("<HBHB", head, 24)
            return 1 + (wide | wider << 16), 1 + (high | higher << 16)
        case b"VP8L" if head[20] == _LOSSLESS:
            (bits,) = struct.unpack_from("<I", head, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 " if head[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None
