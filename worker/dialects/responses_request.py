"""Requests in the format of OpenAI's Responses API, read."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.dialects.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Schema,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    split_data_url,
    unspeakable,
)
from worker.providers.base import LIMITS, NOT_UPSTREAM

_WISHES: Final = (
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "user",
    "safety_identifier",
)
_NO_WISH: Final[dict[str, Any]] = {"parallel_tool_calls": True, "service_tier": "auto"}
_GIVEN_ANYWAY: Final = ("reasoning.encrypted_content",)
_READ: Final = frozenset(
    (*NOT_UPSTREAM, *LIMITS, *_WISHES, "model", "stream", "stream_options", "store", "metadata", "instructions")
).union(("input", "tools", "tool_choice", "max_tool_calls", "reasoning", "text", "include"))
_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt", "background")
_STARTS: Final = {"/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
_FAMILIES: Final = ("anthropic", "google", "bedrock")


def read_responses(fields: dict[str, msgspec.Raw]) -> Conversation:
    """The conversation of a request in this format, its limit of length left out. Raises `CallFailed`."""
    given = {name: msgspec.json.decode(raw) for name, raw in fields.items() if name not in ("max_cost",)}
    for name in _ELSEWHERE:
        if given.get(name):
            raise unspeakable(f"`{name}`", name)
    talk = Conversation()
    if given.get("instructions"):
        talk.system.append(Text(given["instructions"]))
    said = given["input"]
    names: dict[str, str] = {}
    for item in [{"role": "user", "content": said}] if isinstance(said, str) else said:
        _read_item(item, talk, names)
    talk.settle()
    talk.leave(given, _READ)
    if any(name not in _GIVEN_ANYWAY for name in given.get("include") or ()):
        talk.unread.append("include")
    for tool in given.get("tools") or ():
        if tool.get("type") != "function":
            raise unspeakable("A tool of the provider's own", "tools")
        talk.tools.append(Tool(tool["name"], tool.get("description"), tool.get("parameters"), tool.get("strict")))
    choice = given.get("tool_choice")
    if not isinstance(choice, dict):
        talk.tool_choice = choice
    elif choice.get("type") == "function":
        talk.tool_choice = {"name": choice["name"]}
    elif choice.get("type") == "allowed_tools":
        talk.allow([tool["name"] for tool in choice["tools"] if tool.get("type") == "function"], choice["mode"])
    else:
        raise unspeakable("This choice of tools", "tool_choice")
    _read_wishes(given, talk)
    return talk


def _read_wishes(given: dict[str, Any], talk: Conversation) -> None:
    wishes = {name: given[name] for name in _WISHES if given.get(name) is not None}
    talk.parameters = {n: value for n, value in wishes.items() if n not in _NO_WISH or value != _NO_WISH[n]}
    if effort := (given.get("reasoning") or {}).get("effort"):
        talk.parameters["reasoning_effort"] = effort
    text = given.get("text") or {}
    if text.get("verbosity"):
        talk.parameters["verbosity"] = text["verbosity"]
    form = text.get("format") or {}
    if form.get("type") == "json_object":
        talk.schema = Schema()
    elif form.get("type") == "json_schema":
        talk.schema = Schema(
            form.get("schema"), form.get("name", "answer"), form.get("strict"), form.get("description")
        )


def _read_item(item: dict[str, Any], talk: Conversation, names: dict[str, str]) -> None:
    match item.get("type", "message"):
        case "message":
            role = item["role"]
            parts = _read_parts(item.get("content"))
            if role in ("system", "developer"):
                talk.system += [part for part in parts if isinstance(part, Text)]
            else:
                talk.turns.append(Turn("assistant" if role == "assistant" else "user", parts))
        case "function_call":
            names[item["call_id"]] = item["name"]
            call = ToolCall(item["call_id"], item["name"], item.get("arguments") or "")
            talk.turns.append(Turn("assistant", [call]))
        case "function_call_output":
            output = item.get("output")
            found = _read_parts(output)
            shown = [part for part in found if isinstance(part, Text | Image | Document)]
            result = ToolResult(item["call_id"], shown, names.get(item["call_id"]))
            talk.turns.append(Turn("user", [result]))
        case "image_generation_call":
            if item.get("result"):
                talk.turns.append(Turn("assistant", [Image(_kind_of(item["result"]), item["result"])]))
        case "reasoning":
            if thought := _read_thought(item):
                talk.turns.append(Turn("assistant", [thought]))
        case _:
            raise unspeakable("This kind of input item", "input")


def _kind_of(data: str) -> str:
    """The kind of a picture whose item does not name it, by how its base64 begins."""
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), "image/png")


def _read_thought(item: dict[str, Any]) -> Thinking | None:
    """A thought as this gateway gives it (see `responses_answer`); one that OpenAI sealed nobody else can read."""
    family, _, signature = str(item.get("encrypted_content") or "").partition(".")
    if family not in _FAMILIES:
        return None
    words = "".join(str(part.get("text") or "") for part in item.get("summary") or ())
    if signature.startswith("sealed."):
        return Thinking(signature.removeprefix("sealed."), None, family, is_redacted=True)  # type: ignore[arg-type]
    return Thinking(words, signature, family)  # type: ignore[arg-type]


def _read_parts(content: Any) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_read_part(part) for part in content]


def _read_part(part: dict[str, Any]) -> Part:
    match part.get("type"):
        case "input_text" | "output_text":
            return Text(part["text"], "5m" if part.get("prompt_cache_breakpoint") else None)
        case "refusal":
            return Text(part.get("refusal") or "")
        case "input_image" if part.get("image_url"):
            if inline := split_data_url(part["image_url"]):
                return Image(*inline, detail=part.get("detail"))
            return Image(url=part["image_url"], detail=part.get("detail"))
        case "input_file" if part.get("file_url"):
            return Document(url=part["file_url"], name=part.get("filename"))
        case "input_file" if inline := split_data_url(part.get("file_data") or ""):
            return Document(*inline, name=part.get("filename"))
    raise unspeakable("This kind of content", "input")
