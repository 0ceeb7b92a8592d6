"""Requests in the format of Amazon Bedrock's Converse, written.

What only some models take stands in `additionalModelRequestFields`, in the words of their makers.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Final

import msgspec

from worker.dialects.claude import write_sampling, write_thinking
from worker.dialects.conversation import (
    OPENING,
    Conversation,
    Document,
    Image,
    Part,
    Sound,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    merge_turns,
    own_thinking,
    unspeakable,
    write_stops,
)
from worker.dialects.schemas import close

PARAMETERS: Final = frozenset(("temperature", "top_p", "stop", "service_tier"))
"""What a request to any model can ask for besides its conversation and its length."""
CLAUDES: Final = PARAMETERS | {"top_k", "thinking", "reasoning_effort"}
THINKERS: Final = PARAMETERS | {"reasoning_effort"}

_CLAUDE: Final = re.compile(r"anthropic\.|claude")
_THINKER: Final = re.compile(r"openai\.|nova-2")
_CACHER: Final = re.compile(r"anthropic\.|claude|amazon\.nova")
_TIERS: Final = ("priority", "default", "flex", "reserved")
_MOST_MARKS: Final = 4
_PICTURES: Final = ("png", "jpeg", "gif", "webp")
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z\s()\[\]-]+")
_DEFAULT_LIMIT: Final = 4096
_Object = dict[str, Any]


def write_converse(talk: Conversation, model: str, limit: int | None) -> tuple[_Object, list[str]]:
    """The request in this format, and the names of the parameters left out. Raises `CallFailed`."""
    is_claude = _CLAUDE.search(model) is not None
    known = CLAUDES if is_claude else THINKERS if _THINKER.search(model) else PARAMETERS
    wishes, dropped = talk.take(known)
    dropped += talk.leave_drawn()
    writer = _Writer(marks=_CACHER.search(model) is not None)
    body: _Object = {"messages": [said for turn in merge_turns(talk.turns, "bedrock") if (said := writer.turn(turn))]}
    if system := writer.texts(talk.system):
        body["system"] = system
    _write_tools(talk, body, dropped, marks=is_claude)
    plain: _Object = {name: wishes[name] for name in ("temperature", "top_p", "top_k") if name in wishes}
    output: _Object = {}
    if is_claude:
        plain = write_sampling(model, wishes, dropped)
        output, told = write_thinking(model, talk, wishes, plain, limit or _DEFAULT_LIMIT)
        if not told:
            dropped.append("reasoning_effort")
    elif wishes.get("reasoning_effort", "none") != "none":
        output["effort"] = wishes["reasoning_effort"]
    _write_form(talk, output, dropped)
    if output:
        body["outputConfig"] = output
    config: _Object = {} if limit is None else {"maxTokens": limit}
    if "temperature" in plain:
        config["temperature"] = min(plain["temperature"], 1)
    if "top_p" in plain:
        config["topP"] = plain["top_p"]
    if stops := write_stops(wishes, dropped, blank=not is_claude):
        config["stopSequences"] = stops
        if is_claude:
            body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    if config:
        body["inferenceConfig"] = config
    if more := {name: plain[name] for name in ("top_k", "thinking") if name in plain}:
        body["additionalModelRequestFields"] = more
    if wishes.get("service_tier") in _TIERS:
        body["serviceTier"] = {"type": wishes["service_tier"]}
    _trim_marks(body)
    return body, sorted(set(dropped))


def _write_form(talk: Conversation, output: _Object, dropped: list[str]) -> None:
    if talk.schema is None:
        return
    if talk.schema.schema is None:
        dropped.append("response_format")
        return
    closed, whole = close(talk.schema.schema)
    dropped += [] if whole else ["response_format.schema"]
    schema = {"schema": msgspec.json.encode(closed).decode(), "name": talk.schema.name}
    if talk.schema.description:
        schema["description"] = talk.schema.description
    output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}


def _write_tools(talk: Conversation, body: _Object, dropped: list[str], *, marks: bool) -> None:
    """Tools, which cannot be forbidden here but by leaving them out, and must be there if one was ever called."""
    called = {part.name: None for turn in talk.turns for part in turn.parts if isinstance(part, ToolCall)}
    choice = talk.tool_choice
    tools = talk.tools
    if choice == "none":
        tools = [tool for tool in tools if called]
        if tools:
            dropped.append("tool_choice")
    if not tools:
        tools = [Tool(name) for name in called]
    if not tools:
        return
    written: list[_Object] = []
    for tool in tools:
        schema = tool.parameters or {"type": "object"}
        if tool.strict and marks:
            schema, whole = close(schema)
            dropped += [] if whole else ["tools.schema"]
        elif tool.strict:
            dropped.append("tools.strict")
        spec: _Object = {"name": tool.name, "inputSchema": {"json": schema}}
        if tool.description:
            spec["description"] = tool.description
        if tool.strict is not None and marks:
            spec["strict"] = tool.strict
        written.append({"toolSpec": spec})
        if tool.cache is not None and marks:
            written.append(_mark(tool.cache))
    body["toolConfig"] = {"tools": written}
    if isinstance(choice, dict):
        body["toolConfig"]["toolChoice"] = {"tool": {"name": choice["name"]}}
    elif choice in ("auto", "required") and talk.tools:
        body["toolConfig"]["toolChoice"] = {"any": {}} if choice == "required" else {"auto": {}}


class _Writer:
    """Writes turns; documents are named apart. `marks`: the model keeps prompts."""

    def __init__(self, *, marks: bool) -> None:
        self._marks = marks
        self._names: set[str] = set()

    def turn(self, turn: Turn) -> _Object | None:
        """A message, if anything can be said of it."""
        content = [block for part in turn.parts for block in self._blocks(part)]
        if any("document" in block for block in content) and not any("text" in block for block in content):
            content.append({"text": OPENING})  # it takes none without words
        return {"role": turn.role, "content": content} if content else None

    def texts(self, parts: list[Text]) -> list[_Object]:
        """Texts of the system's."""
        return [block for part in parts for block in self._blocks(part)]

    def _blocks(self, part: Part) -> list[_Object]:
        block = self._block(part)
        if block is None:
            return []
        cache = None if isinstance(part, Thinking) else part.cache
        return [block, _mark(cache)] if cache is not None and self._marks else [block]

    def _block(self, part: Part) -> _Object | None:
        match part:
            case Text(text=text):
                return {"text": text} if text.strip() else None
            case Image(media_type=kind, data=str(data)):
                form = (kind or "").removeprefix("image/").replace("jpg", "jpeg")
                if form not in _PICTURES:
                    raise unspeakable("A picture of this kind", "messages")
                return {"image": {"format": form, "source": {"bytes": data}}}
            case Sound():
                raise unspeakable("Sound", "messages")
            case Document():
                return {"document": self._document(part)}
            case ToolCall(id=call, name=name):
                return {"toolUse": {"toolUseId": call, "name": name, "input": part.parsed()}}
            case ToolResult(id=call, parts=parts):
                content = [shown for inner in parts if (shown := self._block(inner)) is not None]
                status = "error" if part.is_error else "success"
                return {"toolResult": {"toolUseId": call, "content": content, "status": status}}
            case Thinking(text=data, is_redacted=True, family="bedrock"):
                return {"reasoningContent": {"redactedContent": data}}
            case Thinking(text=text, signature=str(signature)) if own_thinking(part, "bedrock"):
                return {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}
            case Thinking():
                return None  # what another family signed
        raise unspeakable("A picture by its address", "messages")

    def _document(self, part: Document) -> _Object:
        if part.text is not None:
            form, data = "txt", base64.b64encode(part.text.encode()).decode()
        elif part.data is not None:
            form, data = _DOCUMENTS.get(part.media_type or "application/pdf", ""), part.data
            if not form:
                raise unspeakable("A document of this kind", "messages")
        else:
            raise unspeakable("A document by its address", "messages")
        stem = " ".join(_NOT_IN_NAMES.sub(" ", part.name or "").split())[:190] or "document"
        name, number = stem, 1
        while name in self._names:
            number += 1
            name = f"{stem} {number}"
        self._names.add(name)
        return {"format": form, "name": name, "source": {"bytes": data}}


def _mark(cache: str) -> _Object:
    return {"cachePoint": {"type": "default", "ttl": "1h"} if cache == "1h" else {"type": "default"}}


def _trim_marks(body: _Object) -> None:
    """Of more marks than are allowed the last ones count: they cover the others."""
    lists = [body.get("toolConfig", {}).get("tools", []), body.get("system", [])]
    lists += [message["content"] for message in body["messages"]]
    extra = sum("cachePoint" in block for blocks in lists for block in blocks) - _MOST_MARKS
    for blocks in lists:
        for block in [block for block in blocks if "cachePoint" in block][: max(extra, 0)]:
            blocks.remove(block)
            extra -= 1
