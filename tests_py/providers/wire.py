"""OpenAI's wire format as bytes, for the fake provider: heads, bodies, chunks, events."""

from __future__ import annotations

import gzip as _gzip
import json
from typing import Any, Literal

ID = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
MODEL = "gpt-4o-2024-08-06"
CREATED = 1741570283


def usage(prompt: int = 19, completion: int = 10, cached: int = 4, reasoning: int = 3) -> dict[str, Any]:
    """A usage object with all details."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def answer(text: str, used: dict[str, Any] | None) -> bytes:
    """A plain answer."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    return _answer(message, "stop", used)


def tool_answer(name: str, used: dict[str, Any] | None) -> bytes:
    """A plain answer that calls a tool."""
    function = {"name": name, "arguments": '{"city":"Zürich"}'}
    call = {"id": "call_1", "type": "function", "function": function}
    return _answer({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls", used)


def events(
    text: str, used: dict[str, Any] | None, *, usage_on: Literal["own", "finish", "every"] = "own"
) -> list[bytes]:
    """The events of a stream: role, one for each word, finish, usage (on a chunk of its own or not), `[DONE]`."""
    every = used if usage_on == "every" else None
    words = [word if number == 0 else " " + word for number, word in enumerate(text.split(" "))]
    found = [event(chunk({"role": "assistant", "content": "", "refusal": None}, used=_grown(every, 0)))]
    for number, word in enumerate(words, 1):
        found.append(event(chunk({"content": word}, used=_grown(every, number))))
    found.append(event(chunk({}, "stop", used=used if usage_on != "own" else None)))
    if used is not None and usage_on == "own":
        found.append(event({**_envelope("chat.completion.chunk"), "choices": [], "usage": used}))
    return [*found, b"data: [DONE]\n\n"]


def tool_events(name: str, used: dict[str, Any] | None) -> list[bytes]:
    """The events of a stream that calls a tool, its arguments in fragments."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
    pieces = ['{"ci', 'ty":"Zü', 'rich"', "}"]
    found = [event(chunk({"role": "assistant", "content": None})), event(chunk({"tool_calls": [first]}))]
    found += [event(chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})) for part in pieces]
    found.append(event(chunk({}, "tool_calls")))
    if used is not None:
        found.append(event({**_envelope("chat.completion.chunk"), "choices": [], "usage": used}))
    return [*found, b"data: [DONE]\n\n"]


def chunk(delta: dict[str, Any], finish: str | None = None, *, used: dict[str, Any] | None = None) -> dict[str, Any]:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_envelope("chat.completion.chunk"), "choices": [choice], "usage": used}


def event(data: dict[str, Any]) -> bytes:
    """A server-sent event; text goes out as UTF-8, not escaped."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def refusal(status: int, message: str, *, code: str | None = None, headers: tuple[str, ...] = ()) -> bytes:
    """An error response."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return plain(json.dumps({"error": error}).encode(), *headers, status=status)


def plain(body: bytes, *headers: str, status: int = 200, content_type: str = "application/json") -> bytes:
    """A response with a known length."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"content-type: {content_type}",
        f"content-length: {len(body)}",
        "x-request-id: req_1",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def stream_head(*headers: str, content_type: str = "text/event-stream; charset=utf-8") -> bytes:
    """The head of a streamed response."""
    lines = ["HTTP/1.1 200 OK", f"content-type: {content_type}", "transfer-encoding: chunked"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def piece(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_piece() -> bytes:
    """The end of a chunked body."""
    return b"0\r\n\r\n"


def gzip(data: bytes) -> bytes:
    """Compressed."""
    return _gzip.compress(data)


def _answer(message: dict[str, Any], finish: str, used: dict[str, Any] | None) -> bytes:
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    body: dict[str, Any] = {**_envelope("chat.completion"), "choices": [choice]}
    if used is not None:
        body["usage"] = used
    return json.dumps(body, ensure_ascii=False).encode()


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": ID, "object": kind, "created": CREATED, "model": MODEL, "system_fingerprint": "fp_1"}


def _grown(used: dict[str, Any] | None, count: int) -> dict[str, Any] | None:
    return None if used is None else {**used, "completion_tokens": count, "total_tokens": used["prompt_tokens"] + count}
