"""Answers of OpenAI's Responses API for customers who speak it too: looked at, never rewritten.

What goes on to the customer is the bytes as they came; only the event that ends the stream waits until the call has
been booked.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.providers.base import CallFailed, text_bytes
from worker.providers.listening import Heard, SseListener
from worker.providers.loose import text
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_responses_usage

_LAST: Final = frozenset(("response.completed", "response.incomplete", "response.failed"))
_REASONS: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_SEALED: Final = "reasoning.encrypted_content"
_SEARCH: Final = "web_search_call"


class Response(msgspec.Struct):
    """A response, as far as the gateway looks."""

    status: str | None = None
    error: object = None
    incomplete_details: dict[str, Any] | None = None
    output: list[dict[str, Any]] | None = None
    usage: dict[str, Any] | None = None
    service_tier: str | None = None


class Said(msgspec.Struct):
    """One event of a stream, as far as the gateway looks."""

    type: str
    delta: object = None
    response: Response | None = None
    item: dict[str, Any] | None = None
    code: str | None = None
    message: str | None = None
    error: object = None


_said: Final = msgspec.json.Decoder(Said)
_response: Final = msgspec.json.Decoder(Response)


class ResponsesListener(SseListener):
    """Listens to one answer. `marks` as in `Quirks`."""

    def __init__(self, tally: Tally, marks: tuple[str, ...]) -> None:
        super().__init__(tally)
        self._marks = marks
        self._last = b""

    def understand(self, event: bytes, data: bytes) -> Heard:
        """Note what an event says."""
        try:
            said = _said.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self.broken() from None
        if said.type.endswith(".delta"):
            size = text_bytes(said.delta)
            self.tally.say(size)
            return Heard(event, size > 0)
        if said.type in _LAST and said.response is not None:
            self._take(said.response)
            self.done = True
            self._last = event
            return Heard(b"", True)
        if said.type == "error":
            raise classify_error_object(said.error or {"code": said.code, "message": said.message}, self._marks)
        # An item of a tool that the provider runs itself is output although no text comes of it yet.
        real = said.type == "response.output_item.added" and (said.item or {}).get("type") not in (
            "message",
            "reasoning",
        )
        return Heard(event, real)

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`."""
        if not self.done:
            raise self.broken()
        return b"", self._last

    def answer(self, body: bytes) -> bytes:
        """See `Listener`: noted and passed on untouched."""
        try:
            response = _response.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise CallFailed("server_error") from None
        if response.status is None:
            raise CallFailed("server_error")
        self._take(response)
        for item in response.output or ():
            self.tally.say(text_bytes([item.get("content"), item.get("summary"), item.get("arguments")]))
        return body

    def _take(self, response: Response) -> None:
        """Usage, tier and end of a response that is over. Raises `CallFailed` for one that failed."""
        self.tally.serve(response.service_tier)
        searches = sum(item.get("type") == _SEARCH for item in response.output or ())
        if response.usage is not None:
            self.tally.use(normalise_responses_usage(response.usage, searches), response.usage)
        if response.status == "failed":
            raise classify_error_object(response.error or {}, self._marks)
        self.tally.finish(end_of(response))


def include_sealed(given: msgspec.Raw | None) -> msgspec.Raw:
    """What to include in an answer, sealed thoughts with it."""
    asked = (msgspec.json.decode(given, type=list[str] | None) if given is not None else None) or []
    return msgspec.Raw(msgspec.json.encode([*asked, *([] if _SEALED in asked else [_SEALED])]))


def end_of(response: Response) -> str:
    """Why it ended, in the words that the books use."""
    if response.status == "incomplete":
        return _REASONS.get(text(response.incomplete_details or {}, "reason"), "other")
    called = any(str(item.get("type")).endswith("function_call") for item in response.output or ())
    return "tool_calls" if called else "stop"
