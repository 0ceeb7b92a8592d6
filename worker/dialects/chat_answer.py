"""Answers in OpenAI's chat completions format, read and written.

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
    RefusalPiece,
    SealedThought,
    Signature,
    TextPiece,
    ThoughtPiece,
    size_of,
)
from worker.providers.answers import Answer, Choice, decode_answer
from worker.providers.base import CallFailed
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_openai_usage
from worker.shapes import Attempt, Usage

_FINISHES: Final = {"function_call": "tool_calls"}
_OF_CALLS: Final[Family] = "google"


class ChatReader:
    """Reads answers; one choice of them, since translated requests ask for no more."""

    def __init__(self, tally: Tally, marks: tuple[str, ...]) -> None:
        self.done = False
        self._tally = tally
        self._marks = marks
        self._begun = self._finished = False
        self._numbers: dict[int, int] = {}
        self._ids: list[str] = []
        self._argued: set[int] = set()

    def read(self, _: bytes, data: bytes) -> list[Event]:
        """See `Reader`."""
        if data == b"[DONE]":
            self.done = True
            return []
        chunk = self._decode(data)
        said: list[Event] = []
        for choice in chunk.choices or ():
            said += self._pieces(choice.delta or {}, whole=False)
            said += self._finish(choice)
        if chunk.usage is not None:
            ahead = sum(map(size_of, said))
            self._tally.use(normalise_openai_usage(chunk.usage), chunk.usage, ahead=ahead)
        return [*self._begin(chunk), *said]

    def read_whole(self, body: bytes) -> list[Event]:
        """See `Reader`."""
        answer = self._decode(body)
        if not answer.choices:
            raise CallFailed("server_error")
        if answer.usage is not None:
            self._tally.use(normalise_openai_usage(answer.usage), answer.usage)
        choice = answer.choices[0]
        return [*self._begin(answer), *self._pieces(choice.message or {}, whole=True), *self._finish(choice)]

    def is_whole(self) -> bool:
        """See `Reader`."""
        return self._begun and (self.done or self._finished)

    def _decode(self, data: bytes) -> Answer:
        answer = decode_answer(data)
        if answer is None:
            raise CallFailed("truncated_stream" if self._begun else "server_error")
        if answer.error is not None:
            raise classify_error_object(answer.error, self._marks)
        self._tally.serve(answer.service_tier)
        return answer

    def _begin(self, answer: Answer) -> list[Event]:
        if self._begun:
            return []
        self._begun = True
        return [Begin(answer.id or "")]

    def _pieces(self, said: dict[str, object], *, whole: bool) -> list[Event]:
        pieces: list[Event] = []
        thought = said.get("reasoning_content") or said.get("reasoning")
        if isinstance(thought, str) and thought:
            pieces.append(ThoughtPiece(thought))
        content = said.get("content")
        if isinstance(content, list):  # Mistral's models that think
            pieces += _read_chunks(content)
        elif isinstance(content, str) and content:
            pieces.append(TextPiece(content))
        refusal = said.get("refusal")
        if isinstance(refusal, str) and refusal:
            pieces.append(RefusalPiece(refusal))
        calls = said.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                pieces += self._call(call, place if whole else None)
        return pieces

    def _call(self, call: dict[str, Any], place: int | None) -> list[Event]:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        index = call.get("index") if place is None else place
        if not isinstance(index, int):
            # Some servers do not count; a call begins with its id.
            index = max(self._numbers, default=-1)
            index += not self._numbers or call.get("id") is not None
        pieces: list[Event] = []
        number = self._numbers.get(index)
        name, given = str(function.get("name") or ""), str(call.get("id") or "")
        # Other servers count all of them as one; a name and another id begin a call too.
        if number is None or (name and given and self._ids[number] != given):
            number = self._numbers[index] = len(self._ids)
            self._ids.append(given)
            extra = ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature")
            if isinstance(extra, str):
                pieces.append(Signature(extra, "google"))
            pieces.append(CallBegin(number, given or f"call_{number}", name))
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        if isinstance(arguments, str) and arguments:
            self._argued.add(number)
            pieces.append(CallPiece(number, arguments))
        return pieces

    def _finish(self, choice: Choice) -> list[Event]:
        reason = choice.finish_reason
        if reason is None:
            return []
        if reason == "error":
            raise CallFailed("server_error")
        self._finished = True
        self._tally.finish(reason)
        bare = [CallPiece(number, "{}") for number in range(len(self._ids)) if number not in self._argued]
        return [*bare, Finish(_FINISHES.get(reason, reason))]


def _read_chunks(chunks: list[Any]) -> list[Event]:
    pieces: list[Event] = []
    for chunk in chunks:
        if not isinstance(chunk, dict):
            continue
        if chunk.get("type") == "thinking":
            inner = chunk.get("thinking")
            words = "".join(
                str(part.get("text") or "")
                for part in (inner if isinstance(inner, list) else ())
                if isinstance(part, dict)
            )
            if words:
                pieces.append(ThoughtPiece(words))
        elif isinstance(chunk.get("text"), str) and chunk["text"]:
            pieces.append(TextPiece(chunk["text"]))
    return pieces


class ChatWriter:
    """Writes answers. `name` is the answer's id where the provider gives none, `include_usage` as in `Call`."""

    def __init__(self, name: str, model: str, *, include_usage: bool) -> None:
        self._id = f"chatcmpl-{name}"
        self._model = model
        self._include_usage = include_usage
        self._created = int(time.time())
        self._signature: Signature | None = None
        self._thought = ""

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
        return self._chunk({"reasoning_details": [_details(thought, signature)]})

    def _write(self, event: Event) -> bytes:
        match event:
            case Begin():
                return self._chunk({"role": "assistant", "content": ""})
            case TextPiece(text):
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
                return self._chunk({"reasoning_details": [_details("", event)]})
            case CallBegin():
                return self._chunk({"tool_calls": [{"index": event.number, **self._call(event, "")}]})
            case CallPiece(index, arguments):
                return self._chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
            case ImagePiece(kind, data):
                return self._chunk({"images": [_image(kind, data)]})
            case Finish(reason):
                return self._chunk({}, "stop" if reason == "other" else reason)

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
                case Finish(said):
                    reason = "stop" if said == "other" else said
        if details:
            message["reasoning_details"] = details
        if calls:
            message["tool_calls"] = list(calls.values())
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        body = self._envelope("chat.completion", [choice])
        return msgspec.json.encode(body | {"usage": write_chat_usage(attempt.usage)})

    def _call(self, event: CallBegin, arguments: str) -> dict[str, Any]:
        call: dict[str, Any] = {"id": event.id, "type": "function"}
        call["function"] = {"name": event.name, "arguments": arguments}
        if self._signature is not None:
            call["extra_content"] = {self._signature.family: {"thought_signature": self._signature.signature}}
            self._signature, self._thought = None, ""
        return call

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
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
    prompt = (usage.input_uncached or 0) + (usage.cache_read or 0) + written + sound_in + other.get("input_image", 0)
    completion = (usage.output or 0) + sound_out + other.get("output_image", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": written,
            "audio_tokens": sound_in,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning or 0, "audio_tokens": sound_out},
    }


def _details(text: str, event: Signature | SealedThought) -> dict[str, str]:
    if isinstance(event, SealedThought):
        return {"type": "redacted", "data": event.data, "family": event.family}
    return {"type": "thought", "text": text, "signature": event.signature, "family": event.family}


def _image(kind: str, data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
