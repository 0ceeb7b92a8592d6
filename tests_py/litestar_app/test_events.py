"""The text in a stream that broke off, estimated from its envelope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litestar_app.events import count_events, estimate_text
from tests_py.litestar_app.kit import event


def estimate(*pieces: bytes) -> int:
    return estimate_text(sum(map(len, pieces)), sum(map(count_events, pieces)), pieces[-1])


def test_equal_envelopes_give_the_text_exactly() -> None:
    words = ["The ", "quick ", "brown ", "fox"]
    assert estimate(*map(event, words)) == len("The quick brown fox")


def test_start_and_end_events_weigh_little() -> None:
    start = event("").replace(b'"content": ""', b'"role": "assistant", "content": ""')
    words = [event(f"word {number:03} ") for number in range(200)]
    text = 200 * len("word 000 ")
    assert abs(estimate(start, *words) - text) < 100


def test_several_events_may_come_in_one_piece() -> None:
    assert estimate(event("a" * 10) + event("b" * 30), event("c" * 20) + event("d" * 4)) == 64


def test_lines_may_end_in_crlf() -> None:
    assert estimate(event("a" * 10).replace(b"\n\n", b"\r\n\r\n")) in range(8, 13)


def tool_call(arguments: str) -> bytes:
    call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function", "function": {"arguments": arguments}}
    return b"data: " + json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]}).encode() + b"\n\n"


def test_arguments_of_tool_calls_are_text() -> None:
    assert estimate(tool_call("a" * 9), tool_call("b" * 5)) == 14


@pytest.mark.parametrize(
    "last", [b"", b": comment\n\n", b"data: nonsense\n\n", b"data: {\n\n", b"data: []\n\n", event("")]
)
def test_what_cannot_be_read_is_not_charged(last: bytes) -> None:
    assert estimate(event("some text"), last) == 0
