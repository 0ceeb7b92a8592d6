"""Answers in the format of Amazon Bedrock's Converse and ConverseStream, read.

A stream is whole when it has said why it ended; what was used follows in an event of its own, also of what went wrong.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.dialects.events import (
    Begin,
    CallBegin,
    CallPiece,
    Event,
    Finish,
    ImagePiece,
    SealedThought,
    Signature,
    TextPiece,
    ThoughtPiece,
)
from worker.providers.amazon import classify_amazon
from worker.providers.base import CallFailed
from worker.providers.eventstream import Frame
from worker.providers.loose import inside, objects, read_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_converse_usage

_REASONS: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_FAULTS: Final = frozenset(("malformed_model_output", "malformed_tool_use"))
_Object = dict[str, Any]


class ConverseReader:
    """Reads answers."""

    def __init__(self, tally: Tally) -> None:
        self.done = False
        self._tally = tally
        self._finished = self._failed = False
        self._begun = False
        self._calls: dict[object, int] = {}
        self._spoken: set[object] = set()

    def read(self, event: Frame, data: bytes) -> list[Event]:
        """See `Reader`."""
        kind = event.headers.get("message-type", "event")
        if kind != "event":
            raise _failure(event)
        try:
            said = msgspec.json.decode(data, type=_Object)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise CallFailed("truncated_stream" if self._begun else "server_error") from None
        events = self._said(event.headers.get("event-type", ""), said)
        if self._begun:
            return events
        self._begun = True
        return [Begin(""), *events]

    def read_whole(self, body: bytes) -> list[Event]:
        """See `Reader`."""
        answer = read_object(body)
        content = inside(inside(answer, "output"), "message").get("content")
        events: list[Event] = [Begin("")]
        for index, block in enumerate(objects(content)):
            events += [*self._block(index, block), *self._close(index)]
        self._note(answer)
        events += self._finish(answer)
        if self._failed or not self._finished:
            raise CallFailed("server_error")
        return events

    def is_whole(self) -> bool:
        """See `Reader`."""
        return self._finished

    def _said(self, kind: str, said: _Object) -> list[Event]:
        index = said.get("contentBlockIndex")
        if not isinstance(index, int):
            index = 0
        match kind:
            case "contentBlockStart":
                return self._block(index, inside(said, "start"))
            case "contentBlockDelta":
                return self._block(index, inside(said, "delta"))
            case "contentBlockStop":
                return self._close(index)
            case "messageStop":
                return self._finish(said)
            case "metadata":
                self._note(said)
                if self._failed:
                    raise CallFailed("server_error")
                self.done = self._finished
        return []

    def _block(self, index: int, block: _Object) -> list[Event]:
        """A block, its start or a delta of it: they have the same fields."""
        if isinstance(text := block.get("text"), str) and text:
            return [TextPiece(text)]
        if (use := inside(block, "toolUse")) and use.get("type") != "server_tool_use":
            return self._call(index, use)
        if thought := inside(block, "reasoningContent"):
            return _thought(thought)
        if picture := inside(block, "image"):
            data = inside(picture, "source").get("bytes")
            return [ImagePiece(f"image/{picture.get('format') or 'png'}", data)] if isinstance(data, str) else []
        words = [part.get("text") for part in objects(inside(block, "citationsContent").get("content"))]
        return [TextPiece(word) for word in words if isinstance(word, str) and word]

    def _call(self, index: int, use: _Object) -> list[Event]:
        events: list[Event] = []
        if "name" in use and index not in self._calls:
            number = self._calls[index] = len(self._calls)
            events.append(CallBegin(number, str(use.get("toolUseId") or f"call_{number}"), str(use["name"] or "")))
        given = use.get("input")
        if isinstance(given, dict):  # of a plain answer
            given = msgspec.json.encode(given).decode()
        if isinstance(given, str) and given and index in self._calls:
            self._spoken.add(index)
            events.append(CallPiece(self._calls[index], given))
        return events

    def _close(self, index: int) -> list[Event]:
        if index in self._calls and index not in self._spoken:
            self._spoken.add(index)
            return [CallPiece(self._calls[index], "{}")]
        return []

    def _finish(self, said: _Object) -> list[Event]:
        reason = said.get("stopReason")
        if not isinstance(reason, str):
            return []
        if reason in _FAULTS:
            self._failed = True
            return []
        self._finished = True
        word = _REASONS.get(reason, "other")
        self._tally.finish(word)
        sequence = inside(said, "additionalModelResponseFields").get("stop_sequence")
        return [Finish(word, sequence if isinstance(sequence, str) else None)]

    def _note(self, said: _Object) -> None:
        tier = inside(said, "serviceTier").get("type")
        self._tally.serve(tier if isinstance(tier, str) else None)
        if usage := inside(said, "usage"):
            self._tally.use(normalise_converse_usage(usage), usage)


def _thought(said: _Object) -> list[Event]:
    inner = inside(said, "reasoningText") or said
    text, signature, sealed = inner.get("text"), inner.get("signature"), said.get("redactedContent")
    events: list[Event] = []
    if isinstance(text, str) and text:
        events.append(ThoughtPiece(text))
    if isinstance(signature, str) and signature:
        events.append(Signature(signature, "bedrock"))
    if isinstance(sealed, str) and sealed:
        events.append(SealedThought(sealed, "bedrock"))
    return events


def _failure(event: Frame) -> CallFailed:
    """An exception in place of an event, modelled or not."""
    told = event.headers
    return classify_amazon(None, told.get("exception-type") or told.get("error-code") or "", event.payload)
