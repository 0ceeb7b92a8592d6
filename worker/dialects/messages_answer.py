"""Answers in Anthropic's Messages format, read and written.

A signature of another family of providers is written with its name before it, so that it can be told again when the
customer sends the thought back (see `messages_request`). One that stands before a call, as Google's do, becomes a
thought without words.
"""

from __future__ import annotations

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
    Source,
    TextPiece,
    ThoughtPiece,
    size_of,
)
from worker.providers.loose import objects, text
from worker.providers.messages import REASONS, Said, note_usage, read_answer, read_said
from worker.providers.tally import Tally
from worker.shapes import Attempt, Usage

_STOPS: Final = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class MessagesReader:
    """Reads answers."""

    def __init__(self, tally: Tally) -> None:
        self.done = False
        self._tally = tally
        self._finished = False
        self._calls: dict[int, int] = {}
        self._spoken: set[int] = set()
        self._cited: list[dict[str, Any]] = []
        self._length = 0

    def read(self, _: bytes, data: bytes) -> list[Event]:
        """See `Reader`."""
        said = read_said(data)
        events = self._events(said)
        note_usage(self._tally, said, ahead=sum(map(size_of, events)))
        return events

    def read_whole(self, body: bytes) -> list[Event]:
        """See `Reader`."""
        answer = read_answer(body)
        answer.note(self._tally)
        events: list[Event] = [Begin(answer.id)]
        for index, block in enumerate(answer.content or ()):
            events += self._block(index, block)
            events += self._close(index)
        return [*events, *self._finish(answer.stop_reason, answer.stop_sequence)]

    def is_whole(self) -> bool:
        """See `Reader`."""
        return self.done or self._finished

    def _events(self, said: Said) -> list[Event]:
        match said.type:
            case "message_start":
                return [Begin(str((said.message or {}).get("id") or ""))]
            case "content_block_start":
                return self._block(said.index, said.content_block or {})
            case "content_block_delta":
                return self._delta(said.index, said.delta or {})
            case "content_block_stop":
                return self._close(said.index)
            case "message_delta":
                delta = said.delta or {}
                return self._finish(delta.get("stop_reason"), delta.get("stop_sequence"))
            case "message_stop":
                self.done = True
        return []

    def _block(self, index: int, block: dict[str, Any]) -> list[Event]:
        self._length, self._cited = len(text(block, "text")), objects(block.get("citations"))
        match block.get("type"):
            case "text":
                return [TextPiece(said)] if (said := text(block, "text")) else []
            case "thinking":
                thought: list[Event] = [ThoughtPiece(said)] if (said := text(block, "thinking")) else []
                return [*thought, Signature(seal, "anthropic")] if (seal := text(block, "signature")) else thought
            case "redacted_thinking":
                return [SealedThought(text(block, "data"), "anthropic")]
            case "tool_use":
                number = self._calls[index] = len(self._calls)
                call: list[Event] = [CallBegin(number, str(block.get("id") or ""), str(block.get("name") or ""))]
                if given := block.get("input"):
                    self._spoken.add(index)
                    call.append(CallPiece(number, msgspec.json.encode(given).decode()))
                return call
        return []

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Event]:
        match delta.get("type"):
            case "text_delta":
                self._length += len(text(delta, "text"))
                return [TextPiece(said)] if (said := text(delta, "text")) else []
            case "citations_delta":
                self._cited += objects([delta.get("citation")])
            case "thinking_delta":
                return [ThoughtPiece(said)] if (said := text(delta, "thinking")) else []
            case "signature_delta":
                return [Signature(said, "anthropic")] if (said := text(delta, "signature")) else []
            case "input_json_delta" if index in self._calls and (said := text(delta, "partial_json")):
                self._spoken.add(index)
                return [CallPiece(self._calls[index], said)]
        return []

    def _close(self, index: int) -> list[Event]:
        if index in self._calls and index not in self._spoken:
            self._spoken.add(index)
            return [CallPiece(self._calls[index], "{}")]
        cited, self._cited = self._cited, []
        return [Source(url, text(one, "title"), self._length) for one in cited if (url := text(one, "url"))]

    def _finish(self, reason: object, stop_sequence: object) -> list[Event]:
        if not isinstance(reason, str):
            return []
        self._finished = True
        word = REASONS.get(reason, "other")
        self._tally.finish(word)
        return [Finish(word, stop_sequence if isinstance(stop_sequence, str) else None)]


class MessagesWriter:
    """Writes answers. `name` is the answer's id; `prompt_tokens` an estimate: a stream begins with them."""

    in_turn = True

    def __init__(self, name: str, model: str, prompt_tokens: int) -> None:
        self._id = f"msg_{name}"
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._index = -1
        self._calls: dict[int, int] = {}
        self._open: str | None = None
        self._reason = "end_turn"
        self._stop_sequence: str | None = None

    def write(self, event: Event) -> bytes:
        """See `Writer`."""
        match event:
            case Begin():
                usage = write_messages_usage(Usage(input_uncached=self._prompt_tokens, output=1))
                return _event("message_start", message=self._message([], None, None, usage))
            case TextPiece(text) | RefusalPiece(text):
                return self._within("text", {"text": ""}) + self._delta("text_delta", text=text)
            case ThoughtPiece(text):
                return self._within("thinking", {"thinking": "", "signature": ""}) + self._delta(
                    "thinking_delta", thinking=text
                )
            case Signature():
                opened = self._within("thinking", {"thinking": "", "signature": ""})
                return opened + self._delta("signature_delta", signature=_signed(event)) + self._close()
            case SealedThought():
                return self._close() + self._begin("redacted_thinking", {"data": _signed(event)}) + self._close()
            case CallBegin(_, call, name):
                opened = self._close() + self._begin("tool_use", {"id": call, "name": name, "input": {}})
                self._calls[event.number] = self._index
                return opened
            case CallPiece(index, arguments):
                return self._delta("input_json_delta", self._calls.get(index), partial_json=arguments)
            case ImagePiece():
                return self._close() + self._begin("image", _image(event)) + self._close()
            case Finish(reason, stop_sequence):
                self._reason, self._stop_sequence = _stop(reason, stop_sequence), stop_sequence
                return self._close()
        return b""

    def end(self, attempt: Attempt) -> tuple[bytes, bytes]:
        """See `Writer`."""
        usage = write_messages_usage(attempt.usage or Usage(input_uncached=self._prompt_tokens))
        delta = {"stop_reason": self._reason, "stop_sequence": self._stop_sequence}
        return _event("message_delta", delta=delta, usage=usage), _event("message_stop")

    def write_whole(self, events: list[Event], attempt: Attempt) -> bytes:
        """See `Writer`."""
        blocks: list[dict[str, Any]] = []
        arguments: dict[int, str] = {}
        calls: dict[int, dict[str, Any]] = {}
        for event in events:
            match event:
                case TextPiece(text) | RefusalPiece(text):
                    _last(blocks, "text", {"text": ""})["text"] += text
                case ThoughtPiece(text):
                    _last(blocks, "thinking", {"thinking": "", "signature": ""})["thinking"] += text
                case Signature():
                    _last(blocks, "thinking", {"thinking": "", "signature": ""})["signature"] = _signed(event)
                case SealedThought():
                    blocks.append({"type": "redacted_thinking", "data": _signed(event)})
                case CallBegin(index, call, name):
                    calls[index] = {"type": "tool_use", "id": call, "name": name, "input": {}}
                    arguments[index] = ""
                    blocks.append(calls[index])
                case CallPiece(index, more):
                    arguments[index] += more
                case ImagePiece():
                    blocks.append({"type": "image", **_image(event)})
                case Finish(reason, stop_sequence):
                    self._reason, self._stop_sequence = _stop(reason, stop_sequence), stop_sequence
        for index, block in calls.items():
            block["input"] = _parsed(arguments[index])
        usage = write_messages_usage(attempt.usage or Usage(input_uncached=self._prompt_tokens))
        return msgspec.json.encode(self._message(blocks, self._reason, self._stop_sequence, usage))

    def _message(
        self, content: list[Any], reason: str | None, stop: str | None, usage: dict[str, Any]
    ) -> dict[str, Any]:
        head = {"id": self._id, "type": "message", "role": "assistant", "model": self._model, "content": content}
        return head | {"stop_reason": reason, "stop_sequence": stop, "usage": usage}

    def _within(self, kind: str, empty: dict[str, Any]) -> bytes:
        """A block of this kind is open, whether it was before or not."""
        return b"" if self._open == kind else self._close() + self._begin(kind, empty)

    def _begin(self, kind: str, empty: dict[str, Any]) -> bytes:
        self._index += 1
        self._open = kind
        return _event("content_block_start", index=self._index, content_block={"type": kind, **empty})

    def _delta(self, kind: str, index: int | None = None, **said: str) -> bytes:
        place = self._index if index is None else index
        return _event("content_block_delta", index=place, delta={"type": kind, **said})

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=self._index)


def write_messages_usage(usage: Usage) -> dict[str, Any]:
    """Buckets as a usage object of this format."""
    other = usage.other or {}
    hour = other.get("cache_write_1h", 0)
    short = usage.cache_write or 0
    details = {} if usage.reasoning is None else {"output_tokens_details": {"thinking_tokens": usage.reasoning}}
    return {
        "input_tokens": (usage.input_uncached or 0) + other.get("input_audio", 0) + other.get("input_image", 0),
        "cache_creation_input_tokens": short + hour,
        "cache_read_input_tokens": (usage.cache_read or 0) + other.get("cache_read_audio", 0),
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour},
        "output_tokens": (usage.output or 0) + other.get("output_audio", 0) + other.get("output_image", 0),
        **details,
    }


def _stop(reason: str, stop_sequence: str | None) -> str:
    return "stop_sequence" if stop_sequence is not None else _STOPS.get(reason, "end_turn")


def _signed(event: Signature | SealedThought) -> str:
    own: Family = "anthropic"
    seal = event.data if isinstance(event, SealedThought) else event.signature
    return seal if event.family == own else f"{event.family}.{seal}"


def _image(event: ImagePiece) -> dict[str, Any]:
    """A picture as this format has it in questions; answers have no word for one."""
    return {"source": {"type": "base64", "media_type": event.media_type, "data": event.data}}


def _parsed(arguments: str) -> Any:
    try:
        found = msgspec.json.decode(arguments or "{}")
    except (msgspec.MsgspecError, RecursionError):
        return {"invalid_json": arguments}
    return found if isinstance(found, dict) else {"value": found}


def _last(blocks: list[dict[str, Any]], kind: str, empty: dict[str, Any]) -> dict[str, Any]:
    """The last block if it is of this kind and still being written, else a new one."""
    if not blocks or blocks[-1]["type"] != kind or blocks[-1].get("signature"):
        blocks.append({"type": kind, **empty})
    return blocks[-1]


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **fields}))
