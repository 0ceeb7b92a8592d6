"""Requests in OpenAI's chat completions format, read and written."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from worker.dialects.conversation import (
    Conversation,
    Document,
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
    split_data_url,
    unspeakable,
)
from worker.dialects.schemas import is_strict
from worker.providers.base import LIMITS, NOT_UPSTREAM
from worker.providers.loose import objects

PARAMETERS: Final = frozenset(
    (
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "presence_penalty",
        "frequency_penalty",
        "parallel_tool_calls",
        "reasoning_effort",
        "verbosity",
        "service_tier",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "user",
        "safety_identifier",
    )
)
"""What a request in this format can ask for besides its conversation and its length."""

# Asking for what is the case anyway is no wish.
_NO_WISH: Final[dict[str, Any]] = {"n": 1, "parallel_tool_calls": True, "logprobs": False, "service_tier": "auto"}
_UNTOLD: Final = ("name", "audio")
"""Fields of a message that no other grammar has."""
_LONGEST_USER: Final = 64
_LAST: Final = ""
"""Where the id of the last call is kept that had none."""
_WISHES: Final = PARAMETERS | {"web_search_options"}
# `metadata` is the customer's label of the call here.
_READ: Final = _WISHES.union(
    (*NOT_UPSTREAM, *LIMITS, "model", "stream", "stream_options", "metadata", "messages", "prompt", "response_format"),
    ("tools", "tool_choice", "functions", "function_call"),
)


def read_chat(fields: dict[str, msgspec.Raw]) -> Conversation:
    """The conversation of a request in this format, its limits of length left out. Raises `CallFailed`."""
    given = {name: msgspec.json.decode(raw) for name, raw in fields.items() if name not in ("max_cost",)}
    talk = Conversation(parameters=read_parameters(given, _WISHES))
    talk.leave(given, _READ)
    messages = given.get("messages")
    if messages is None:
        messages = [{"role": "user", "content": given.get("prompt", "")}]
    names: dict[str, str] = {}
    for message in messages:
        _read_message(message, talk, names)
    talk.settle()
    _read_tools(given, talk)
    form = given.get("response_format") or {}
    if form.get("type") == "json_object":
        talk.schema = Schema()
    elif form.get("type") == "json_schema":
        said = form.get("json_schema") or {}
        talk.schema = Schema(
            said.get("schema"), said.get("name", "answer"), said.get("strict"), said.get("description")
        )
    return talk


def _read_tools(given: dict[str, Any], talk: Conversation) -> None:
    """Tools, also under the names that they had before they were called so."""
    for tool in given.get("tools") or ():
        if tool.get("type") != "function" or tool.get("function") is None:
            raise unspeakable("A tool that is no function", "tools")
        talk.tools.append(_read_function(tool["function"]))
    choice = given.get("tool_choice")
    if not talk.tools and given.get("functions"):
        talk.tools = [_read_function(function) for function in given["functions"]]
        talk.parameters["parallel_tool_calls"] = False  # its answers have room for one call
        choice = given.get("function_call")
        choice = {"function": choice} if isinstance(choice, dict) else choice
    if not isinstance(choice, dict):
        talk.tool_choice = choice
    elif "function" in choice:
        talk.tool_choice = {"name": choice["function"]["name"]}
    elif choice.get("type") == "allowed_tools":
        allowed = choice["allowed_tools"]
        talk.allow([tool["function"]["name"] for tool in allowed["tools"] if "function" in tool], allowed["mode"])
    else:
        raise unspeakable("This choice of tools", "tool_choice")


def _read_function(function: dict[str, Any]) -> Tool:
    return Tool(function["name"], function.get("description"), function.get("parameters"), function.get("strict"))


def read_parameters(given: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What of these names is asked for."""
    found = {name: given[name] for name in known if given.get(name) is not None}
    return {name: value for name, value in found.items() if name not in _NO_WISH or value != _NO_WISH[name]}


def _read_message(message: dict[str, Any], talk: Conversation, names: dict[str, str]) -> None:
    role, content = message["role"], message.get("content")
    if role not in ("tool", "function"):
        talk.unread += [f"messages.{name}" for name in _UNTOLD if message.get(name)]
    if role in ("system", "developer"):
        talk.system += [part for part in _read_parts(content) if isinstance(part, Text)]
    elif role in ("tool", "function"):
        call = message.get("tool_call_id") or names.get(_LAST) or message.get("name") or ""
        parts = [part for part in _read_parts(content) if isinstance(part, Text | Image | Document)]
        talk.turns.append(Turn("user", [ToolResult(call, parts, names.get(call, message.get("name")))]))
    elif role == "assistant":
        drawn = [image for image in objects(message.get("images")) if image.get("type") == "image_url"]
        said = [*_read_thoughts(message), *_read_parts(content), *_read_parts(drawn)]
        if message.get("refusal"):
            said.append(Text(message["refusal"]))
        for call in message.get("tool_calls") or ():
            function = call.get("function")
            if function is None:
                raise unspeakable("A call of a tool that is no function", "messages")
            name = call.get("id") or _name_call(names)
            names[name] = function["name"]
            signature = ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature")
            if signature:
                said.append(Thinking("", signature, "google"))
            said.append(ToolCall(name, function["name"], function.get("arguments") or ""))
        if function := message.get("function_call"):
            call = _name_call(names)  # it had no id when it was the only one
            names[call] = function["name"]
            said.append(ToolCall(call, function["name"], function.get("arguments") or ""))
        talk.turns.append(Turn("assistant", said))
    else:
        talk.turns.append(Turn("user", _read_parts(content)))


def _name_call(names: dict[str, str]) -> str:
    names[_LAST] = f"call_function_{len(names)}"
    return names[_LAST]


def _read_thoughts(message: dict[str, Any]) -> list[Part]:
    """Thoughts as this gateway gives them (see `chat_writing`); nobody else's have a signature that can be used."""
    thoughts: list[Part] = []
    for said in message.get("reasoning_details") or ():
        if isinstance(said, dict) and said.get("family") in ("anthropic", "google", "bedrock"):
            redacted = said.get("type") == "redacted"
            text = said.get("data" if redacted else "text") or ""
            thoughts.append(Thinking(text, said.get("signature"), said["family"], redacted))
    return thoughts


def _read_parts(content: Any) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [_read_part(part) for part in content]


def _read_part(part: dict[str, Any]) -> Part:
    cache = "5m" if part.get("prompt_cache_breakpoint") else None
    match part.get("type"):
        case "text":
            return Text(part["text"], cache)
        case "refusal":
            return Text(part.get("refusal") or "")
        case "image_url":
            where = part["image_url"]
            if inline := split_data_url(where["url"]):
                return Image(*inline, detail=where.get("detail"), cache=cache)
            return Image(url=where["url"], detail=where.get("detail"), cache=cache)
        case "input_audio":
            return Sound(part["input_audio"]["data"], part["input_audio"].get("format") or "wav", cache)
        case "file":
            file = part["file"]
            inline = split_data_url(file.get("file_data") or "")
            if inline is None:
                raise unspeakable("A file that is kept elsewhere", "messages")
            return Document(*inline, name=file.get("filename"), cache=cache)
    raise unspeakable("This kind of content", "messages")


def write_chat(talk: Conversation, *, signed: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The request in this format without model and limits, and the names of the parameters left out.

    `signed`: the server is Google's, and gets its signatures back where it puts them. Raises `CallFailed`.
    """
    taken, dropped = talk.take(PARAMETERS)
    if taken.get("n", 1) > 1:
        raise unspeakable("More than one answer", "n")
    dropped += talk.leave_drawn()
    messages: list[dict[str, Any]] = []
    if talk.system:
        messages.append({"role": "system", "content": _write_parts(talk.system)})
    for turn in merge_turns(talk.turns, "google" if signed else "openai"):
        messages += _write_assistant(turn, signed=signed) if turn.role == "assistant" else _write_user(turn)
    body: dict[str, Any] = {"messages": messages, **taken}
    user = body.get("user")
    if isinstance(user, str) and len(user) > _LONGEST_USER:  # the same one stays the same
        body["user"] = hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
    if any(isinstance(part, Document) and part.text is not None and part.name for part in talk.parts):
        dropped.append("messages.title")
    if any(isinstance(part, ToolResult) and part.is_error for part in talk.parts):
        dropped.append("messages.is_error")
    if talk.tools:
        body["tools"] = [{"type": "function", "function": _write_function(tool, dropped)} for tool in talk.tools]
        choice = talk.tool_choice
        if isinstance(choice, dict):
            body["tool_choice"] = {"type": "function", "function": choice}
        elif choice is not None:
            body["tool_choice"] = choice
    else:
        body.pop("parallel_tool_calls", None)
    if talk.schema is not None:
        form = {name: value for name, value in msgspec.to_builtins(talk.schema).items() if value is not None}
        if talk.schema.strict and not is_strict(talk.schema.schema):
            form["strict"] = False
            dropped.append("response_format.strict")
        body["response_format"] = (
            {"type": "json_object"} if talk.schema.schema is None else {"type": "json_schema", "json_schema": form}
        )
    return body, sorted(set(dropped))


def _write_function(tool: Tool, dropped: list[str]) -> dict[str, Any]:
    strict = tool.strict
    if strict and not is_strict(tool.parameters):
        strict = False
        dropped.append("tools.strict")
    said = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": strict}
    return {name: value for name, value in said.items() if value is not None}


def _write_user(turn: Turn) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    rest: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            # Results come first, as this format wants it; their pictures and files follow as the user's words.
            messages.append({"role": "tool", "tool_call_id": part.id, "content": part.text})
            rest += part.shown
        elif not isinstance(part, Thinking):
            rest.append(part)
    if rest:
        messages.append({"role": "user", "content": _write_parts(rest)})
    return messages


def _write_assistant(turn: Turn, *, signed: bool) -> list[dict[str, Any]]:
    message: dict[str, Any] = {"role": "assistant"}
    words = [part for part in turn.parts if isinstance(part, Text)]
    message["content"] = _write_parts(words) if words else None
    calls: list[dict[str, Any]] = []
    signature: str | None = None
    for part in turn.parts:
        if isinstance(part, Thinking) and signed:
            signature = part.signature
        elif isinstance(part, ToolCall):
            call: dict[str, Any] = {"id": part.id, "type": "function"}
            call["function"] = {"name": part.name, "arguments": part.arguments or "{}"}
            if signature is not None:
                call["extra_content"] = {"google": {"thought_signature": signature}}
                signature = None
            calls.append(call)
    if calls:
        message["tool_calls"] = calls
    return [message] if words or calls else []


def _write_parts(parts: list[Any]) -> Any:
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].cache is None:
        return parts[0].text
    return [_write_part(part) for part in parts]


def _write_part(part: Part) -> dict[str, Any]:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image(media_type=kind, data=data, url=url, detail=detail):
            where = {"url": url if data is None else f"data:{kind};base64,{data}"}
            return {"type": "image_url", "image_url": where | ({"detail": detail} if detail else {})}
        case Document(text=str(text)):
            return {"type": "text", "text": text}
        case Document(media_type=kind, data=str(data), name=name):
            file = {"filename": name or "document", "file_data": f"data:{kind};base64,{data}"}
            return {"type": "file", "file": file}
        case Sound(data=data, format=kind):
            return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}
    raise unspeakable("A document by its address", "messages")
