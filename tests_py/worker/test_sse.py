"""Server-sent events are cut right, whatever the line ends and wherever the stream was cut."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.providers.sse import MAX_EVENT_BYTES, EventCutter, EventTooLong, read_data

STREAM = (
    b": hello\n\n"
    b"data: one\n\n"
    b'data:{"two":"\xf0\x9f\x9a\x82"}\n\n'
    b"event: message\nid: 3\ndata: three\ndata: and more\nretry: 5\n\n"
    b"data\n\n"
    b"data:  two spaces\n\n"
    b"ignored: x\n\n"
    b"data: [DONE]\n\n"
)
DATA = [
    None,
    b"one",
    b'{"two":"\xf0\x9f\x9a\x82"}',
    b"three\nand more",
    b"",
    b" two spaces",
    None,
    b"[DONE]",
]


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    cutter = EventCutter()
    events: list[bytes] = []
    position = 0
    for size in sizes:
        events += cutter.feed(stream[position : position + size])
        position += size
    events += cutter.feed(stream[position:])
    last = cutter.close()
    return events if last is None else [*events, last]


def said(events: list[bytes]) -> list[bytes | None]:
    return [read_data(event) for event in events if event.strip(b"\r\n")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 10_000])
def test_every_line_end_and_every_cut(end: bytes, size: int) -> None:
    stream = STREAM.replace(b"\n", end)
    events = cut(stream, [size] * (len(stream) // size))
    assert said(events) == DATA
    assert b"".join(events).rstrip(b"\r\n") == stream.rstrip(b"\r\n")


@given(st.lists(st.integers(0, 30), max_size=60), st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=1))
def test_mixed_line_ends_cut_anywhere(sizes: list[int], ends: list[bytes]) -> None:
    lines = STREAM.split(b"\n")[:-1]
    stream = b"".join(line + ends[number % len(ends)] for number, line in enumerate(lines))
    events = cut(stream, sizes)
    assert b"".join(events).rstrip(b"\r\n") == stream.rstrip(b"\r\n")
    assert said(events) == read_slowly(stream)


def read_slowly(stream: bytes) -> list[bytes | None]:
    """The specification, line by line."""
    found: list[bytes | None] = []
    event: list[bytes] = []
    for line in [*re.split(rb"\r\n|\n|\r", stream), b""]:
        if line:
            event.append(line)
        elif event:
            data = [line[5:].removeprefix(b" ") for line in event if line == b"data" or line.startswith(b"data:")]
            found.append(b"\n".join(data) if data else None)
            event = []
    return found


def test_events_that_come_together_are_given_together() -> None:
    assert EventCutter().feed(b"data: 1\n\ndata: 2\n\n") == [b"data: 1\n\n", b"data: 2\n\n"]


def test_a_byte_order_mark_is_skipped_even_in_pieces() -> None:
    stream = b"\xef\xbb\xbfdata: x\n\n"
    for size in (1, 2, 3, 4, 100):
        assert cut(stream, [size] * 5) == [b"data: x\n\n"]


def test_the_last_event_may_lack_its_blank_line() -> None:
    assert said(cut(b"data: 1\n\ndata: 2", [])) == [b"1", b"2"]
    assert said(cut(b"data: 1\n\ndata: 2\n", [])) == [b"1", b"2"]
    assert said(cut(b"data: 1\n\n\n", [])) == [b"1"]


@pytest.mark.parametrize("size", [1000, 16384, 1 << 21])
def test_an_event_without_an_end_is_refused(size: int) -> None:
    cutter = EventCutter()
    with pytest.raises(EventTooLong):
        for _ in range(0, MAX_EVENT_BYTES + (2 << 20), size):
            assert cutter.feed(b"x" * size) == []


def test_a_long_event_in_small_pieces_is_not_searched_again_and_again() -> None:
    stream = b"data: " + b"x" * 1_000_000 + b"\n\n"
    cutter = EventCutter()
    events: list[bytes] = []
    for start in range(0, len(stream), 10):  # quadratic work would take minutes
        events += cutter.feed(stream[start : start + 10])
    assert events == [stream]


def test_random_bytes_never_break_it() -> None:
    dice = random.Random(1)
    for _ in range(300):
        stream = bytes(dice.choice(b"data: \r\n\r\n:x\xff") for _ in range(dice.randint(0, 60)))
        sizes = [dice.randint(0, 5) for _ in range(30)]
        joined = b"".join(cut(stream, sizes))
        assert joined.rstrip(b"\r\n") == stream.rstrip(b"\r\n")
