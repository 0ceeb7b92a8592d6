"""How large a picture is, by the head of each format, wherever the format has it; and nothing for what is none."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litestar_app.pictures import measure_picture, measure_url


def told(data: bytes) -> tuple[int, int] | None:
    return measure_picture(base64.b64encode(data).decode())


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(100)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(width: int, height: int, *before: bytes, marker: int = 0xC0) -> bytes:
    frame = segment(marker, struct.pack(">BHHB", 8, height, width, 3) + bytes(9))
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0" + bytes(9)) + b"".join(before) + frame + bytes(20)


def gif(width: int, height: int, *before: bytes, colours: int = 0, picture: tuple[int, int] = (1, 1)) -> bytes:
    flags = 0x80 | colours - 1 if colours else 0
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, flags, 0, 0) + bytes(3 * 2**colours if colours else 0)
    return head + b"".join(before) + b"," + struct.pack("<HHHH", 0, 0, *picture) + bytes(20)


def webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


# A camera's small picture of the same, which has a frame of its own.
SMALL = segment(0xE1, b"Exif\0\0" + jpeg(160, 120))
COLOURS = [segment(0xE2, b"ICC_PROFILE\0" + bytes(60_000))] * 3
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"


@pytest.mark.parametrize(
    "data",
    [
        png(640, 480),
        jpeg(640, 480),
        jpeg(640, 480, SMALL),
        jpeg(640, 480, SMALL, *COLOURS),
        jpeg(640, 480, b"\xff\xff\xff" + segment(0xDB, bytes(65))[1:]),
        jpeg(640, 480, segment(0xC4, bytes(20)), marker=0xC2),
        gif(640, 480),
        gif(640, 480, LOOP, colours=8),
        gif(1, 1, LOOP, picture=(640, 480)),
        webp(b"VP8 ", b"\x10\x20\x30\x9d\x01\x2a" + struct.pack("<HH", 640 | 0x4000, 480) + bytes(20)),
        webp(b"VP8L", b"\x2f" + struct.pack("<I", 639 | 479 << 14) + bytes(20)),
        webp(b"VP8X", bytes(4) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little") + bytes(20)),
    ],
    ids=["png", "jpeg", "jpeg-exif", "jpeg-colours", "jpeg-fill", "jpeg-progressive", "gif", "gif-loop", "gif-picture",
         "webp", "webp-lossless", "webp-extended"],
)  # fmt: skip
def test_a_size_is_read(data: bytes) -> None:
    assert told(data) == (640, 480)
    assert told(data[:20]) is None
    assert measure_url(f"data:image/png;base64,{base64.b64encode(data).decode()}") == (640, 480)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", png(0, 480), png(2**24, 1), b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8" + bytes(40),
     webp(b"VP8?", bytes(30)), jpeg(640, 480, *([segment(0xFE, b"")] * 100)), webp(b"VP8L", bytes(30)),
     b"GIF89a" + bytes(40)],
)  # fmt: skip
def test_what_has_no_size_is_any_picture(data: bytes) -> None:
    assert told(data) is None


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:image/png,hello", "data:", "", "data:;base64,%%%"])
def test_an_address_is_any_picture(url: str) -> None:
    assert measure_url(url) is None


@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF1234WEBPVP8 "]),
    st.binary(max_size=200),
)
def test_no_picture_breaks_anything(head: bytes, rest: bytes) -> None:
    size = told(head + rest)
    assert size is None or min(size) > 0


@given(st.text(max_size=100))
def test_no_text_breaks_anything(data: str) -> None:
    measure_picture(data)
    measure_url(data)
