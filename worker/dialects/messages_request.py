"""Requests in Anthropic's Messages format, read and written."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.dialects.claude import write_sampling, write_thinking
from worker.dialects.conversation import (
    Conversation,
    Document,
    Family,
    Image,
    Part,
    Schema,
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
from worker.providers.base import LIMITS, NOT_UPSTREAM

PARAMETERS: Final = frozenset(
    (
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "parallel_tool_calls",
        "reasoning_effort",
        "thinking",
        "user",
        "service_tier",
        "web_search_options",
    )
)
"""What a request in this format can ask for besides its conversation and its length."""

_PLAIN: Final = ("temperature", "top_p", "top_k")
_READ: Final = frozenset(
    (*NOT_UPSTREAM, *LIMITS, *_PLAIN, "model", "stream", "stop_sequences", "metadata", "system", "messages", "tools")
).union(("tool_choice", "thinking", "output_config", "cache_control", "service_tier", "inference_geo"))
_MOST_MARKS: Final = 4
MOST_SEARCHES: Final = 10
"""A call that may search may do so often; SQL holds as much."""
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_FOREIGN: Final[tuple[Family, ...]] = ("google", "bedrock")


def read_messages(fields: dict[str, msgspec.Raw]) -> Conversation:
    """The conversation of a request in this format, its limit of length left out. Raises `CallFailed`."""
    given = {name: msgspec.json.decode(raw) for name, raw in fields.items() if name not in ("max_cost",)}
    talk = Conversation()
    system = given.get("system")
    if isinstance(system, str):
        talk.system = [Text(system)] if system else []
    else:
        talk.system = [Text(block["text"], _cache(block)) for block in system or ()]
    talk.leave(given, _READ)
    names: dict[str, str] = {}
    for message in given["messages"]:
        content = message["content"]
        parts = _read_blocks(content, names)
        _note_untold(content, talk)
        if message["role"] == "system":
            talk.system += [part for part in parts if isinstance(part, Text)]
        else:
            talk.turns.append(Turn(message["role"], parts))
    talk.settle()
    if (cache := _cache(given)) is not None:
        _keep_all(talk, cache)
    for tool in given.get("tools") or ():
        if (tool.get("type") or "custom") != "custom":
            raise unspeakable("A tool of the provider's own", "tools")
        talk.tools.append(
            Tool(tool["name"], tool.get("description"), tool.get("input_schema"), tool.get("strict"), _cache(tool))
        )
    _read_choice(given.get("tool_choice"), talk)
    _read_wishes(given, talk)
    return talk


def _note_untold(content: Any, talk: Conversation) -> None:
    """What is said of documents that no other grammar has words for."""
    for block in content if isinstance(content, list) else ():
        if block.get("type") == "tool_result":
            _note_untold(block.get("content"), talk)
        elif block.get("type") == "document":
            cites = (block.get("citations") or {}).get("enabled")
            talk.unread += ["messages.citations"] * bool(cites) + ["messages.context"] * bool(block.get("context"))


def _read_choice(choice: dict[str, Any] | None, talk: Conversation) -> None:
    if choice is None:
        return
    kind = choice.get("type")
    talk.tool_choice = {"name": choice["name"]} if kind == "tool" else "required" if kind == "any" else kind
    if choice.get("disable_parallel_tool_use"):
        talk.parameters["parallel_tool_calls"] = False


def _read_wishes(given: dict[str, Any], talk: Conversation) -> None:
    wishes = talk.parameters
    for name in _PLAIN:
        if given.get(name) is not None:
            wishes[name] = given[name]
    if given.get("stop_sequences"):
        wishes["stop"] = given["stop_sequences"]
    if user := (given.get("metadata") or {}).get("user_id"):
        wishes["user"] = user
    output = given.get("output_config") or {}
    if output.get("effort"):
        wishes["reasoning_effort"] = output["effort"]
    thinking = given.get("thinking") or {}
    if thinking.get("type") not in (None, "disabled"):
        wishes["thinking"] = thinking
    form = output.get("format") or {}
    if form.get("type") == "json_schema":
        talk.schema = Schema(form.get("schema"), strict=True)


def _cache(block: dict[str, Any]) -> str | None:
    mark = block.get("cache_control")
    return (mark.get("ttl") or "5m") if isinstance(mark, dict) else None


def _keep_all(talk: Conversation, cache: str) -> None:
    """Mark the last that can be kept: with it everything before is."""
    for turn in reversed(talk.turns):
        for part in reversed(turn.parts):
            if not isinstance(part, Thinking):
                part.cache = part.cache or cache
                return


def _read_blocks(content: Any, names: dict[str, str]) -> list[Part]:
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    return [_read_block(block, names) for block in content]


def _read_block(block: dict[str, Any], names: dict[str, str]) -> Part:
    cache = _cache(block)
    source = block.get("source") or {}
    match block.get("type"):
        case "text":
            return Text(block["text"], cache)
        case "image" if source.get("type") == "base64":
            return Image(source["media_type"], source["data"], cache=cache)
        case "image" if source.get("type") == "url":
            return Image(url=source["url"], cache=cache)
        case "document" if source.get("type") == "base64":
            return Document(source["media_type"], source["data"], name=block.get("title"), cache=cache)
        case "document" if source.get("type") == "url":
            return Document(url=source["url"], name=block.get("title"), cache=cache)
        case "document" if source.get("type") == "text":
            return Document("text/plain", text=source["data"], name=block.get("title"), cache=cache)
        case "tool_use":
            names[block["id"]] = block["name"]
            return ToolCall(block["id"], block["name"], msgspec.json.encode(block.get("input") or {}).decode(), cache)
        case "tool_result":
            inner = _read_blocks(block.get("content"), names)
            parts = [part for part in inner if isinstance(part, Text | Image | Document)]
            call = block["tool_use_id"]
            return ToolResult(call, parts, names.get(call), bool(block.get("is_error")), cache)
        case "thinking":
            signature, family = _read_seal(block.get("signature") or "")
            return Thinking(block.get("thinking") or "", signature or None, family if signature else None)
        case "redacted_thinking":
            data, family = _read_seal(block["data"])
            return Thinking(data, None, family, is_redacted=True)
    raise unspeakable("This kind of content", "messages")


def _read_seal(seal: str) -> tuple[str, Family]:
    """A signature, or something sealed, and who can read it: others than Anthropic are named before it."""
    for family in _FOREIGN:
        if seal.startswith(f"{family}."):
            return seal[len(family) + 1 :], family
    return seal, "anthropic"


def write_messages(talk: Conversation, model: str, max_tokens: int) -> tuple[dict[str, Any], list[str]]:
    """The request in this format without the model's name, and the names of the parameters left out.

    Raises `CallFailed`.
    """
    wishes, dropped = talk.take(PARAMETERS)
    dropped += talk.leave_drawn()
    body: dict[str, Any] = {
        "max_tokens": max_tokens,
        "messages": [
            {"role": turn.role, "content": blocks}
            for turn in merge_turns(talk.turns, "anthropic")
            if (blocks := [block for part in turn.parts if (block := _write_block(part)) is not None])
        ],
    }
    if system := [_write_text(part) for part in talk.system if part.text.strip()]:
        body["system"] = system
    if talk.tools:
        body["tools"] = [_write_tool(tool, dropped) for tool in talk.tools]
    _write_choice(talk, wishes, body)
    if (search := wishes.get("web_search_options")) is not None:
        body["tools"] = [*body.get("tools", ()), _write_search(search, dropped)]
    body |= write_sampling(model, wishes, dropped)
    if stops := write_stops(wishes, dropped, blank=False):
        body["stop_sequences"] = stops
    if "user" in wishes:
        body["metadata"] = {"user_id": wishes["user"]}
    if wishes.get("service_tier") in ("auto", "default", "standard"):
        body["service_tier"] = "auto" if wishes["service_tier"] == "auto" else "standard_only"
    output, told = write_thinking(model, talk, wishes, body, max_tokens)
    if not told:
        dropped.append("reasoning_effort")
    if talk.schema is not None:
        if talk.schema.schema is None:
            dropped.append("response_format")
        else:
            schema, whole = close(talk.schema.schema)
            output["format"] = {"type": "json_schema", "schema": schema}
            dropped += [] if whole else ["response_format.schema"]
    if output:
        body["output_config"] = output
    _trim_marks(body)
    return body, sorted(set(dropped))


def _write_choice(talk: Conversation, wishes: dict[str, Any], body: dict[str, Any]) -> None:
    choice = talk.tool_choice
    single = wishes.get("parallel_tool_calls") is False
    if not talk.tools or (choice is None and not single):
        return
    if isinstance(choice, dict):
        body["tool_choice"] = {"type": "tool", "name": choice["name"]}
    else:
        body["tool_choice"] = {"type": "any" if choice == "required" else choice or "auto"}
    if single and choice != "none":
        body["tool_choice"]["disable_parallel_tool_use"] = True


def _write_tool(tool: Tool, dropped: list[str]) -> dict[str, Any]:
    schema = tool.parameters or {"type": "object", "properties": {}}
    if tool.strict:
        schema, whole = close(schema)
        dropped += [] if whole else ["tools.schema"]
    said = {"name": tool.name, "description": tool.description, "input_schema": schema, "strict": tool.strict}
    return _marked({name: value for name, value in said.items() if value is not None}, tool.cache)


def _write_search(options: dict[str, Any], dropped: list[str]) -> dict[str, Any]:
    """The tool by which Anthropic searches; it tells how often it did."""
    tool: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search", "max_uses": MOST_SEARCHES}
    if where := (options.get("user_location") or {}).get("approximate"):
        known = {name: where[name] for name in ("city", "region", "country", "timezone") if where.get(name)}
        tool["user_location"] = {"type": "approximate", **known}
    if options.get("search_context_size") not in (None, "medium"):
        dropped.append("search_context_size")
    return tool


def _write_text(part: Text) -> dict[str, Any]:
    return _marked({"type": "text", "text": part.text}, part.cache)


def _write_block(part: Part) -> dict[str, Any] | None:
    match part:
        case Text(text=text):
            return _write_text(part) if text.strip() else None
        case Image(media_type=kind, data=str()) if kind not in _PICTURES:
            raise unspeakable("A picture of this kind", "messages")
        case Image(media_type=kind, data=str(data), cache=cache):
            return _marked({"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}, cache)
        case Image(url=url, cache=cache):
            return _marked({"type": "image", "source": {"type": "url", "url": url}}, cache)
        case Document():
            return _write_document(part)
        case Sound():
            raise unspeakable("Sound", "messages")
        case ToolCall(id=name, name=tool, cache=cache):
            return _marked({"type": "tool_use", "id": name, "name": tool, "input": part.parsed()}, cache)
        case ToolResult(id=name, parts=parts, cache=cache):
            content = [shown for inner in parts if (shown := _write_block(inner)) is not None]
            result: dict[str, Any] = {"type": "tool_result", "tool_use_id": name, "content": content}
            return _marked(result | ({"is_error": True} if part.is_error else {}), cache)
        case Thinking(text=data, is_redacted=True, family="anthropic"):
            return {"type": "redacted_thinking", "data": data}
        case Thinking(text=text, signature=signature) if own_thinking(part, "anthropic"):
            return {"type": "thinking", "thinking": text, "signature": signature}
    return None  # thoughts that another family signed


def _write_document(part: Document) -> dict[str, Any]:
    if part.text is not None:
        source = {"type": "text", "media_type": "text/plain", "data": part.text}
    elif part.data is not None:
        source = {"type": "base64", "media_type": part.media_type or "application/pdf", "data": part.data}
    else:
        source = {"type": "url", "url": part.url or ""}
    block: dict[str, Any] = {"type": "document", "source": source}
    return _marked(block | ({"title": part.name} if part.name else {}), part.cache)


def _marked(block: dict[str, Any], cache: str | None) -> dict[str, Any]:
    if cache is not None:
        block["cache_control"] = {"type": "ephemeral", "ttl": "1h"} if cache == "1h" else {"type": "ephemeral"}
    return block


def _trim_marks(body: dict[str, Any]) -> None:
    """Of more marks than are allowed the last ones count: they cover the others."""
    marked = [block for block in (*body.get("tools", ()), *body.get("system", ())) if "cache_control" in block]
    marked += [block for turn in body["messages"] for block in turn["content"] if "cache_control" in block]
    for block in marked[:-_MOST_MARKS]:
        del block["cache_control"]
