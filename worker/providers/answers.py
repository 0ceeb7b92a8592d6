"""Answers in OpenAI's chat completions format for customers who speak it too: looked at, never rewritten.

What goes on to the customer is the bytes as they came, less `[DONE]` (the front says it, after the booking) and less a
usage chunk nobody asked for.
"""

from __future__ import annotations

from typing import Final

import msgspec

from worker.providers.base import LABELS, CallFailed, text_bytes
from worker.providers.listening import NOTHING, Heard, SseListener
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_openai_usage


class Choice(msgspec.Struct):
    """One choice of an answer, or a piece of it."""

    index: int = 0
    delta: dict[str, object] | None = None
    message: dict[str, object] | None = None
    finish_reason: str | None = None
    usage: dict[str, object] | None = None
    """Where Moonshot's server tells it."""


class Answer(msgspec.Struct):
    """An answer or a chunk of one, as far as the gateway looks."""

    id: str | None = None
    choices: list[Choice] | None = None
    usage: dict[str, object] | None = None
    service_tier: str | None = None
    error: object = None
    kind: object = msgspec.field(name="object", default=None)


_decoder: Final = msgspec.json.Decoder(Answer)


class ChatListener(SseListener):
    """Listens to one answer. `include_usage`: the customer asked for the usage chunk; `marks`: see `Quirks`."""

    def __init__(self, tally: Tally, include_usage: bool, marks: tuple[str, ...]) -> None:
        super().__init__(tally)
        self._include_usage = include_usage
        self._marks = marks
        self._open: set[int] = set()
        self._finished = False
        self._said_real = self._heard = False

    def answer(self, body: bytes) -> bytes:
        """See `Listener`: noted and passed on untouched."""
        answer = decode_answer(body)
        if answer is None:
            raise CallFailed("server_error")
        self.tally.serve(answer.service_tier)
        if answer.usage is not None:  # what failed was used all the same
            self.tally.use(normalise_openai_usage(answer.usage), answer.usage)
        if answer.error is not None:
            raise classify_error_object(answer.error, self._marks)
        if not answer.choices or any(choice.finish_reason == "error" for choice in answer.choices):
            raise CallFailed("server_error")
        for choice in answer.choices:
            if choice.message:
                self.tally.say(text_bytes(choice.message))
            if choice.finish_reason is not None:
                self.tally.finish(choice.finish_reason)
        return body

    def understand(self, event: bytes, data: bytes) -> Heard:
        """Note what a chunk says."""
        if data == b"[DONE]":
            self.done = True
            return NOTHING
        chunk = decode_answer(data)
        if chunk is None:
            raise CallFailed("truncated_stream" if self._said_real else "server_error")
        self._heard = True
        if chunk.service_tier is not None:
            self.tally.serve(chunk.service_tier)
        if (usage := usage_of(chunk)) is not None:
            said = sum(text_bytes(choice.delta) for choice in chunk.choices or () if choice.delta)
            self.tally.use(normalise_openai_usage(usage), usage, ahead=said)
        if chunk.error is not None:
            raise classify_error_object(chunk.error, self._marks)
        if not chunk.choices:
            only_usage = chunk.usage is not None and chunk.choices is not None
            return Heard(event if self._include_usage or not only_usage else b"", False)
        real = False
        for choice in chunk.choices:
            if choice.delta and (size := text_bytes(choice.delta)):
                self.tally.say(size)
                self._open.add(choice.index)
                real = True
            elif choice.delta and says_more_than_role(choice.delta):
                real = True
            if choice.finish_reason is not None:
                if choice.finish_reason == "error":
                    raise CallFailed("server_error")
                self.tally.finish(choice.finish_reason)
                self._open.discard(choice.index)
                self._finished = True
                real = True
        self._said_real |= real
        return Heard(event, real)

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`; the front says `[DONE]` itself."""
        if not self._heard:
            raise CallFailed("server_error")
        if not self.done and (not self._finished or self._open):
            raise self.broken()
        return b"", b""


def usage_of(chunk: Answer) -> dict[str, object] | None:
    """What a chunk says was used, be it in a choice."""
    if chunk.usage is None and chunk.choices:
        return next((choice.usage for choice in chunk.choices if choice.usage is not None), None)
    return chunk.usage


def decode_answer(data: bytes) -> Answer | None:
    """The typed answer; None if it is none. Odd types in fields that do not matter are let pass."""
    try:
        found = _decoder.decode(data)
        if found.kind == "error" and found.error is None:  # as Mistral's server tells one
            found.error = msgspec.json.decode(data)
        return found
    except msgspec.ValidationError:
        pass
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    try:
        loose = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(loose, dict):
        return None
    choices, usage, tier = loose.get("choices"), loose.get("usage"), loose.get("service_tier")
    return Answer(
        choices=[_loose_choice(c) for c in choices] if isinstance(choices, list) else None,
        usage=usage if isinstance(usage, dict) else None,
        service_tier=tier if isinstance(tier, str) else None,
        error=loose.get("error"),
    )


def _loose_choice(said: object) -> Choice:
    if not isinstance(said, dict):
        return Choice()
    index, delta, message = said.get("index"), said.get("delta"), said.get("message")
    reason = said.get("finish_reason")
    return Choice(
        index=index if isinstance(index, int) else 0,
        delta=delta if isinstance(delta, dict) else None,
        message=message if isinstance(message, dict) else None,
        finish_reason=reason if isinstance(reason, str) else None,
    )


def says_more_than_role(delta: dict[str, object]) -> bool:
    """Whether a piece holds anything but labels."""
    return any(value for name, value in delta.items() if name not in LABELS)
