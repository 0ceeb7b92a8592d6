"""Answers in Cohere's format (`/v2/chat`), read. What it plans before it calls a tool is a thought."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.dialects.events import Begin, CallBegin, CallPiece, Event, Finish, TextPiece, ThoughtPiece
from worker.providers.base import CallFailed
from worker.providers.loose import inside, objects, read_object
from worker.providers.refusals import classify_cohere
from worker.providers.tally import Tally
from worker.providers.usage import normalise_cohere_usage
from worker.shapes import ErrorClass

_REASONS: Final = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "length",
}
_FAULTS: Final[dict[str, ErrorClass]] = {"ERROR": "server_error", "TIMEOUT": "timeout"}
_Object = dict[str, Any]


class _Said(msgspec.Struct):
    """One event of a stream, as far as the gateway looks."""

    type: str = ""
    id: str | None = None
    index: int = 0
    delta: _Object | None = None
    message: object = None


_said: Final = msgspec.json.Decoder(_Said)


class CohereReader:
    """Reads answers."""

    def __init__(self, tally: Tally) -> None:
        self.done = False
        self._tally = tally
        self._begun = False
        self._calls: dict[int, int] = {}
        self._spoken: set[int] = set()

    def read(self, _: Any, data: bytes) -> list[Event]:
        """See `Reader`."""
        try:
            said = _said.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise CallFailed("truncated_stream" if self._begun else "server_error") from None
        if not said.type and isinstance(said.message, str):
            raise classify_cohere(500, data)
        events = self._events(said)
        if self._begun:
            return events
        self._begun = True
        return [Begin(said.id or ""), *events]

    def read_whole(self, body: bytes) -> list[Event]:
        """See `Reader`."""
        answer = read_object(body)
        message = answer.get("message")
        if not isinstance(message, dict):
            raise classify_cohere(500, body)
        events: list[Event] = [Begin(str(answer.get("id") or ""))]
        events += self._message(message)
        for index, call in enumerate(objects(message.get("tool_calls"))):
            events += [*self._begin_call(index, call), *self._close(index)]
        events += self._finish(answer)
        if not self.done:
            raise CallFailed("server_error")
        return events

    def is_whole(self) -> bool:
        """See `Reader`."""
        return self.done

    def _events(self, said: _Said) -> list[Event]:
        message = inside(said.delta or {}, "message")
        match said.type:
            case "content-start" | "content-delta" | "tool-plan-delta":
                return self._message(message)
            case "tool-call-start":
                return self._begin_call(said.index, inside(message, "tool_calls"))
            case "tool-call-delta":
                return self._argue(said.index, inside(message, "tool_calls"))
            case "tool-call-end":
                return self._close(said.index)
            case "message-end":
                return self._finish(said.delta or {})
        return []

    def _message(self, message: _Object) -> list[Event]:
        """What is said in a message, or in a piece of one: a list of content, or one."""
        events: list[Event] = []
        plan = message.get("tool_plan")
        if isinstance(plan, str) and plan:
            events.append(ThoughtPiece(plan))
        content = message.get("content")
        if isinstance(content, str) and content:
            events.append(TextPiece(content))
        for part in objects(content if isinstance(content, list) else [content]):
            thought, text = part.get("thinking"), part.get("text")
            if isinstance(thought, str) and thought:
                events.append(ThoughtPiece(thought))
            if isinstance(text, str) and text:
                events.append(TextPiece(text))
        return events

    def _begin_call(self, index: int, call: _Object) -> list[Event]:
        if index in self._calls:
            return []
        number = self._calls[index] = len(self._calls)
        name = str(inside(call, "function").get("name") or "")
        return [CallBegin(number, str(call.get("id") or f"{name}_{number}"), name), *self._argue(index, call)]

    def _argue(self, index: int, call: _Object) -> list[Event]:
        arguments = inside(call, "function").get("arguments")
        if index not in self._calls or not isinstance(arguments, str) or not arguments:
            return []
        self._spoken.add(index)
        return [CallPiece(self._calls[index], arguments)]

    def _close(self, index: int) -> list[Event]:
        if index in self._calls and index not in self._spoken:
            self._spoken.add(index)
            return [CallPiece(self._calls[index], "{}")]
        return []

    def _finish(self, said: _Object) -> list[Event]:
        if usage := inside(said, "usage"):
            self._tally.use(normalise_cohere_usage(usage), usage)
        reason = said.get("finish_reason")
        if not isinstance(reason, str):
            return []
        if reason in _FAULTS:
            raise CallFailed(_FAULTS[reason])
        self.done = True
        word = _REASONS.get(reason, "other")
        self._tally.finish(word)
        return [Finish(word)]
