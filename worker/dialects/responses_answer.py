"""Answers in the format of OpenAI's Responses API, written.

A thought becomes a `reasoning` item; its signature is `encrypted_content` with the name of the family of providers that
can read it before it, and reaches them again when the customer sends the item back (see `responses_request`).
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

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
)
from worker.shapes import Attempt, Usage

_Object = dict[str, Any]


class ResponsesWriter:
    """Writes answers. `name` is the answer's id; `echo` are fields of the request that the format repeats."""

    in_turn = True

    def __init__(self, name: str, model: str, echo: _Object) -> None:
        self._name = name
        self._echo = echo
        self._model = model
        self._created = int(time.time())
        self._number = -1
        self._items: list[_Object] = []
        self._open: _Object | None = None
        self._calls: dict[int, _Object] = {}
        self._reason = "stop"

    def write(self, event: Event) -> bytes:
        """See `Writer`."""
        match event:
            case Begin():
                started = self._response("in_progress", None)
                return self._event("response.created", response=started) + self._event(
                    "response.in_progress", response=started
                )
            case TextPiece(text):
                return self._in_message("output_text", {"text": "", "annotations": []}) + self._add("text", text)
            case RefusalPiece(text):
                return self._in_message("refusal", {"refusal": ""}) + self._add("refusal", text)
            case ThoughtPiece(text):
                return self._in_thought() + self._add("text", text)
            case Signature(signature, family):
                opened = self._in_thought()
                assert self._open is not None
                self._open["encrypted_content"] = f"{family}.{signature}"
                return opened + self._close()
            case SealedThought(data, family):
                opened = self._close() + self._begin(self._reasoning())
                assert self._open is not None
                self._open["encrypted_content"] = f"{family}.sealed.{data}"
                return opened + self._close()
            case CallBegin(index, call, name):
                item = {
                    "type": "function_call",
                    "id": self._item_id("fc"),
                    "call_id": call,
                    "name": name,
                    "arguments": "",
                }
                self._calls[index] = item
                return self._close() + self._begin(item | {"status": "in_progress"}, item)
            case CallPiece(index, arguments):
                return self._argue(index, arguments)
            case ImagePiece(_, data):
                picture: _Object = {"type": "image_generation_call", "id": self._item_id("ig"), "result": None}
                opened = self._close() + self._begin(picture | {"status": "in_progress"}, picture)
                picture["result"] = data
                return opened + self._close()
            case Source():
                return self._cite(event)
            case Finish(reason):
                self._reason = reason
                return self._close(self._status())
        return b""

    def end(self, attempt: Attempt) -> tuple[bytes, bytes]:
        """See `Writer`."""
        status = self._status()
        return b"", self._event(f"response.{status}", response=self._response(status, attempt.usage))

    def write_whole(self, events: list[Event], attempt: Attempt) -> bytes:
        """See `Writer`."""
        for event in events:
            self.write(event)
        return msgspec.json.encode(self._response(self._status(), attempt.usage))

    def _status(self) -> str:
        return "incomplete" if self._reason in ("length", "content_filter") else "completed"

    def _response(self, status: str, usage: Usage | None) -> _Object:
        why = None
        if status == "incomplete":
            why = {"reason": "max_output_tokens" if self._reason == "length" else "content_filter"}
        over = status != "in_progress"
        return {
            "id": f"resp_{self._name}",
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": why,
            "instructions": None,
            "model": self._model,
            "output": self._items if over else [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "temperature": None,
            "top_p": None,
            "metadata": {},
            "store": False,
            **self._echo,
            "usage": write_responses_usage(usage) if over and usage is not None else None,
        }

    # Items: at most one is open, and in a message one part

    def _in_message(self, kind: str, empty: _Object) -> bytes:
        opened = b""
        if self._open is None or self._open["type"] != "message":
            item: _Object = {"type": "message", "id": self._item_id("msg"), "role": "assistant", "content": []}
            opened = self._close() + self._begin(item | {"status": "in_progress"}, item)
        assert self._open is not None
        parts = self._open["content"]
        if not parts or parts[-1]["type"] != kind:
            opened += self._close_part()
            parts.append({"type": kind, **empty})
            opened += self._event(
                "response.content_part.added",
                **self._place(),
                content_index=len(parts) - 1,
                part={"type": kind, **empty},
            )
        return opened

    def _in_thought(self) -> bytes:
        if self._open is not None and self._open["type"] == "reasoning":
            return b""
        return self._close() + self._begin(self._reasoning())

    def _reasoning(self) -> _Object:
        return {"type": "reasoning", "id": self._item_id("rs"), "summary": []}

    def _add(self, field: str, text: str) -> bytes:
        assert self._open is not None
        if self._open["type"] == "reasoning":
            added = b""
            if not self._open["summary"]:
                part = {"type": "summary_text", "text": ""}
                self._open["summary"].append(dict(part))
                added = self._event(
                    "response.reasoning_summary_part.added", **self._place(), summary_index=0, part=part
                )
            self._open["summary"][0]["text"] += text
            kind = "response.reasoning_summary_text.delta"
            return added + self._event(kind, **self._place(), summary_index=0, delta=text)
        parts = self._open["content"]
        parts[-1][field] += text
        kind = "response.refusal.delta" if field == "refusal" else "response.output_text.delta"
        extra: _Object = {} if field == "refusal" else {"logprobs": []}
        return self._event(kind, **self._place(), content_index=len(parts) - 1, delta=text, **extra)

    def _cite(self, source: Source) -> bytes:
        if self._open is None or self._open["type"] != "message" or self._open["content"][-1]["type"] != "output_text":
            return b""
        part = self._open["content"][-1]
        end = len(part["text"])
        place = {"start_index": end - source.length, "end_index": end}
        cited = {"type": "url_citation", "url": source.url, "title": source.title, **place}
        part["annotations"].append(cited)
        where = self._place() | {"content_index": len(self._open["content"]) - 1}
        number = len(part["annotations"]) - 1
        kind = "response.output_text.annotation.added"
        return self._event(kind, **where, annotation_index=number, annotation=cited)

    def _argue(self, index: int, arguments: str) -> bytes:
        item = self._calls.get(index)
        if item is None:
            return b""
        item["arguments"] += arguments
        place = {"item_id": item["id"], "output_index": self._items.index(item)}
        return self._event("response.function_call_arguments.delta", **place, delta=arguments)

    def _begin(self, shown: _Object, item: _Object | None = None) -> bytes:
        self._open = shown if item is None else item
        self._items.append(self._open)
        return self._event("response.output_item.added", output_index=len(self._items) - 1, item=dict(shown))

    def _close_part(self) -> bytes:
        assert self._open is not None
        if not self._open["content"]:
            return b""
        index = len(self._open["content"]) - 1
        part = self._open["content"][index]
        place = self._place() | {"content_index": index}
        if part["type"] == "refusal":
            done = self._event("response.refusal.done", **place, refusal=part["refusal"])
        else:
            done = self._event("response.output_text.done", **place, text=part["text"], logprobs=[])
        return done + self._event("response.content_part.done", **place, part=part)

    def _close(self, status: str = "completed") -> bytes:
        item = self._open
        if item is None:
            return b""
        closed = b""
        if item["type"] == "message":
            closed = self._close_part()
        elif item["type"] == "reasoning" and item["summary"]:
            place = self._place() | {"summary_index": 0}
            part = item["summary"][0]
            closed = self._event("response.reasoning_summary_text.done", **place, text=part["text"])
            closed += self._event("response.reasoning_summary_part.done", **place, part=part)
        elif item["type"] == "function_call":
            place = self._place()
            closed = self._event(
                "response.function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"]
            )
        if item["type"] != "reasoning":
            item["status"] = status
        self._open = None
        return closed + self._event("response.output_item.done", output_index=len(self._items) - 1, item=item)

    def _place(self) -> _Object:
        assert self._open is not None
        return {"item_id": self._open["id"], "output_index": len(self._items) - 1}

    def _item_id(self, kind: str) -> str:
        return f"{kind}_{self._name.replace('-', '')}{len(self._items)}"

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        data = msgspec.json.encode({"type": kind, "sequence_number": self._number, **fields})
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def write_responses_usage(usage: Usage) -> _Object:
    """Buckets as a usage object of this format."""
    other = usage.other or {}
    written = (usage.cache_write or 0) + other.get("cache_write_1h", 0)
    read = (usage.cache_read or 0) + other.get("cache_read_audio", 0)
    given = (usage.input_uncached or 0) + read + written + other.get("input_audio", 0) + other.get("input_image", 0)
    made = (usage.output or 0) + other.get("output_audio", 0) + other.get("output_image", 0)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": given + made,
    }
