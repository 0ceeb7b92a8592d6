"""Answers in OpenAI's chat completions format, written.

What a model thought has no place of its own in the format. It is written as many servers do: its words as
`reasoning_content`, and as `reasoning_details` with its signature and the family of providers that can read it; given
back in a later request's assistant message, it reaches them again (see `chat_request`).
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from worker.dialects.conversation import Family
from worker.dialects.events import (
    Begin,
    CallBegin,
    CallPiece,
    Event,
    Finish,
    ImagePiece,
    Odds,
    RefusalPiece,
    SealedThought,
    Signature,
    Source,
    TextPiece,
    ThoughtPiece,
)
from worker.shapes import Attempt, Usage

_OF_CALLS: Final[Family] = "google"


class ChatWriter:
    """Writes answers. `name` is the answer's id where the provider gives none, `include_usage` as in `Call`.

    `functions`: the customer offers them under that name, and is told of a call by the field of that time.
    """

    in_turn = False

    def __init__(self, name: str, model: str, *, include_usage: bool, functions: bool = False) -> None:
        self._id = f"chatcmpl-{name}"
        self._model = model
        self._include_usage = include_usage
        self._functions = functions
        self._created = int(time.time())
        self._signature: Signature | None = None
        self._thought = ""
        self._said = 0
        self._listed: dict[str, int] = {}

    def write(self, event: Event) -> bytes:
        """See `Writer`."""
        if self._signature is None or isinstance(event, CallBegin):
            return self._write(event)
        return self._sign() + self._write(event)

    def _sign(self) -> bytes:
        """The signature of what was thought so far."""
        signature, self._signature = self._signature, None
        if signature is None:
            return b""
        thought, self._thought = self._thought, ""
        return self._list("reasoning_details", _details(thought, signature))

    def _list(self, name: str, one: dict[str, Any]) -> bytes:
        """One more of a list. OpenAI's SDK tells them apart by their places, and fails without."""
        place = self._listed[name] = self._listed.get(name, -1) + 1
        return self._chunk({name: [{"index": place, **one}]})

    def _write(self, event: Event) -> bytes:
        match event:
            case Begin():
                return self._chunk({"role": "assistant", "content": ""})
            case TextPiece(text):
                self._said += len(text)
                return self._chunk({"content": text})
            case RefusalPiece(text):
                return self._chunk({"refusal": text})
            case ThoughtPiece(text):
                self._thought += text
                return self._chunk({"reasoning_content": text})
            case Signature():
                # One of Google's may be that of the call which follows.
                self._signature = event
                return b"" if event.family == _OF_CALLS else self._sign()
            case SealedThought():
                return self._list("reasoning_details", _details("", event))
            case CallBegin() | CallPiece() if self._functions:
                return self._write_function(event)
            case CallBegin():
                return self._chunk({"tool_calls": [{"index": event.number, **self._call(event, "")}]})
            case CallPiece(index, arguments):
                return self._chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
            case ImagePiece(kind, data):
                return self._list("images", _image(kind, data))
            case Source():
                return self._list("annotations", _cite(event, self._said))
            case Odds(tokens):
                return self._chunk({}, odds={"content": tokens, "refusal": None})
            case Finish(reason):
                return self._chunk({}, self._reason(reason))

    def _write_function(self, event: CallBegin | CallPiece) -> bytes:
        """There is room for one."""
        if event.number != 0:
            return b""
        self._signature = None
        said = {"name": event.name, "arguments": ""} if isinstance(event, CallBegin) else {"arguments": event.arguments}
        return self._chunk({"function_call": said})

    def _reason(self, reason: str) -> str:
        if reason == "tool_calls" and self._functions:
            return "function_call"
        return "stop" if reason == "other" else reason

    def end(self, attempt: Attempt) -> tuple[bytes, bytes]:
        """See `Writer`; the front says `[DONE]` itself."""
        if not self._include_usage:
            return b"", b""
        usage = write_chat_usage(attempt.usage)
        return _event(self._envelope("chat.completion.chunk", []) | {"usage": usage}), b""

    def write_whole(self, events: list[Event], attempt: Attempt) -> bytes:
        """See `Writer`."""
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        calls: dict[int, dict[str, Any]] = {}
        details: list[dict[str, str]] = []
        odds: list[dict[str, Any]] = []
        thought, reason = "", "stop"
        for event in events:
            if self._signature is not None and not isinstance(event, CallBegin):
                details.append(_details(thought, self._signature))
                self._signature, thought = None, ""
            match event:
                case TextPiece(text):
                    message["content"] = (message["content"] or "") + text
                case RefusalPiece(text):
                    message["refusal"] = (message["refusal"] or "") + text
                case ThoughtPiece(text):
                    thought += text
                    message["reasoning_content"] = message.get("reasoning_content", "") + text
                case Signature() if event.family == _OF_CALLS:
                    self._signature = event
                case Signature():
                    details.append(_details(thought, event))
                    thought = ""
                case SealedThought():
                    details.append(_details("", event))
                case CallBegin():
                    calls[event.number] = self._call(event, "")
                case CallPiece(index, arguments):
                    calls[index]["function"]["arguments"] += arguments
                case ImagePiece(kind, data):
                    message.setdefault("images", []).append(_image(kind, data))
                case Source():
                    message.setdefault("annotations", []).append(_cite(event, len(message["content"] or "")))
                case Odds(tokens):
                    odds += tokens
                case Finish(said):
                    reason = self._reason(said)
        if details:
            message["reasoning_details"] = details
        if calls and self._functions:
            message["function_call"] = next(iter(calls.values()))["function"]
        elif calls:
            message["tool_calls"] = list(calls.values())
        found = {"content": odds, "refusal": None} if odds else None
        choice = {"index": 0, "message": message, "logprobs": found, "finish_reason": reason}
        body = self._envelope("chat.completion", [choice])
        return msgspec.json.encode(body | {"usage": write_chat_usage(attempt.usage)})

    def _call(self, event: CallBegin, arguments: str) -> dict[str, Any]:
        call: dict[str, Any] = {"id": event.id, "type": "function"}
        call["function"] = {"name": event.name, "arguments": arguments}
        if self._signature is not None:
            call["extra_content"] = {self._signature.family: {"thought_signature": self._signature.signature}}
            self._signature, self._thought = None, ""
        return call

    def _chunk(self, delta: dict[str, Any], reason: str | None = None, *, odds: dict[str, Any] | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": odds, "finish_reason": reason}
        return _event(self._envelope("chat.completion.chunk", [choice]))

    def _envelope(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model, "choices": choices}


def write_chat_usage(usage: Usage | None) -> dict[str, Any] | None:
    """Buckets as a usage object of this format; None where nothing is known."""
    if usage is None:
        return None
    other = usage.other or {}
    written = (usage.cache_write or 0) + other.get("cache_write_1h", 0)
    sound_in, sound_out = other.get("input_audio", 0), other.get("output_audio", 0)
    read = (usage.cache_read or 0) + other.get("cache_read_audio", 0)
    prompt = (usage.input_uncached or 0) + read + written + sound_in + other.get("input_image", 0)
    completion = (usage.output or 0) + sound_out + other.get("output_image", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": read,
            "cache_write_tokens": written,
            "audio_tokens": sound_in,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning or 0, "audio_tokens": sound_out},
    }


def _details(text: str, event: Signature | SealedThought) -> dict[str, str]:
    if isinstance(event, SealedThought):
        return {"type": "redacted", "data": event.data, "family": event.family}
    return {"type": "thought", "text": text, "signature": event.signature, "family": event.family}


def _cite(event: Source, end: int) -> dict[str, Any]:
    place = {"start_index": end - event.length, "end_index": end}
    return {"type": "url_citation", "url_citation": {"url": event.url, "title": event.title, **place}}


def _image(kind: str, data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
