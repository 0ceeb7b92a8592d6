"""Frames survive any cut of the stream; nonsense is refused without quoting it."""

from __future__ import annotations

import random
import struct

import pytest

from onevault import frames
from onevault.frames import (
    Body,
    Cancel,
    Chunk,
    Claim,
    End,
    Frame,
    FrameDecoder,
    FrameError,
    FrameTooLarge,
    Gone,
    Head,
    Hello,
    Pause,
    Resume,
    Wake,
    encode,
)

TICKET = bytes(range(16))

ONE_OF_EACH: list[Frame] = [
    Hello("worker 7"),
    Claim(TICKET, "gateway_premium", 2**40, 3),
    Head(TICKET, "0198", "openai", "gpt-4o", "application/json"),
    Chunk(TICKET, "data: ü\n\n".encode()),
    Chunk(TICKET, b""),
    End(TICKET, b'{"settled":true}'),
    Body(TICKET, "chat", True, False, b'{"messages":[]}'),
    Gone(TICKET, "worker_lost", 77),
    Cancel(TICKET),
    Pause(TICKET),
    Resume(TICKET),
    Wake(),
]


def test_every_frame_comes_back_as_it_was_sent() -> None:
    decoder = FrameDecoder()
    for frame in ONE_OF_EACH:
        assert decoder.feed(encode(frame)) == [frame]


def test_many_frames_in_one_read() -> None:
    assert FrameDecoder().feed(b"".join(map(encode, ONE_OF_EACH))) == ONE_OF_EACH


def test_one_byte_at_a_time() -> None:
    decoder = FrameDecoder()
    got: list[Frame] = []
    for byte in b"".join(map(encode, ONE_OF_EACH)):
        got += decoder.feed(bytes([byte]))
    assert got == ONE_OF_EACH


@pytest.mark.parametrize("seed", range(20))
def test_cut_anywhere(seed: int) -> None:
    dice = random.Random(seed)
    sent = [dice.choice(ONE_OF_EACH) for _ in range(50)] + [Chunk(TICKET, dice.randbytes(5000))]
    stream = b"".join(map(encode, sent))
    decoder = FrameDecoder()
    got: list[Frame] = []
    position = 0
    while position < len(stream):
        step = dice.randint(0, 200)
        got += decoder.feed(stream[position : position + step])
        position += step
    assert got == sent


def test_a_large_body_in_small_reads_is_put_together_once() -> None:
    body = Body(TICKET, "chat", False, False, b"x" * (10 * 1024 * 1024))
    stream = encode(body)
    decoder = FrameDecoder()
    got: list[Frame] = []
    for start in range(0, len(stream), 65536):
        got += decoder.feed(stream[start : start + 65536])
    assert got == [body]


def test_a_frame_keeps_no_hold_on_the_buffer_it_came_in() -> None:
    buffer = bytearray(encode(Chunk(TICKET, b"payload")))
    (frame,) = FrameDecoder().feed(bytes(buffer))
    assert isinstance(frame, Chunk)
    assert type(frame.data) is bytes


def test_a_frame_that_is_too_long_is_refused_before_it_is_read() -> None:
    decoder = FrameDecoder()
    with pytest.raises(FrameTooLarge):
        decoder.feed(struct.pack(">I", frames.MAX_FRAME_BYTES + 1))
    with pytest.raises(FrameError):
        decoder.feed(encode(Wake()))


def test_a_frame_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(FrameTooLarge):
        encode(Chunk(TICKET, bytes(frames.MAX_FRAME_BYTES)))


@pytest.mark.parametrize(
    "payload",
    [b"\xc1", b"\x91\xcc\xfe", b"\x80", b"\x92\x04\xa6secret", b"\x93\x04\xc4\x01x\xa6secret"],
    ids=["no msgpack", "unknown tag", "a map", "a field missing", "a text where bytes belong"],
)
def test_nonsense_is_refused_and_not_quoted(payload: bytes) -> None:
    decoder = FrameDecoder()
    with pytest.raises(FrameError) as caught:
        decoder.feed(struct.pack(">I", len(payload)) + payload)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_newer_peer_may_add_a_field() -> None:
    longer = b"\x93\x0b\xc3\x2a"  # Wake with two fields that this version does not know
    assert FrameDecoder().feed(struct.pack(">I", len(longer)) + longer) == [Wake()]
