"""Answers in OpenAI's chat completions format, read."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.dialects.events import (
    Begin,
    CallBegin,
    CallPiece,
    Event,
    Finish,
    RefusalPiece,
    Signature,
    TextPiece,
    ThoughtPiece,
    size_of,
)
from worker.providers.answers import Answer, Choice, decode_answer, usage_of
from worker.providers.base import CallFailed
from worker.providers.loose import inside, text
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_openai_usage

_FINISHES: Final = {"function_call": "tool_calls", "model_length": "length"} | {
    reason: reason for reason in ("stop", "length", "tool_calls", "content_filter")
}
"""OpenAI's words, and one of Mistral's for a model that had no more room."""


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
        if (usage := usage_of(chunk)) is not None:
            self._tally.use(normalise_openai_usage(usage), usage, ahead=sum(map(size_of, said)))
        for choice in chunk.choices or ():
            said += self._finish(choice)
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
            if answer.usage is not None:
                self._tally.use(normalise_openai_usage(answer.usage), answer.usage)
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
            if extra := text(inside(inside(call, "extra_content"), "google"), "thought_signature"):
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
        word = _FINISHES.get(reason, "other")
        self._tally.finish(word)
        bare = [CallPiece(number, "{}") for number in range(len(self._ids)) if number not in self._argued]
        return [*bare, Finish(word)]


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
