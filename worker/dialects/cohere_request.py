"""Requests in Cohere's format (`/v2/chat`), written."""

from __future__ import annotations

from typing import Any, Final

from worker.dialects.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Sound,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    merge_turns,
    unspeakable,
    write_stops,
)

PARAMETERS: Final = frozenset(
    (
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "reasoning_effort",
        "thinking",
    )
)
"""What a request in this format can ask for besides its conversation and its length."""

_NAMES: Final = {
    "temperature": "temperature",
    "top_p": "p",
    "top_k": "k",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_MOST_STOPS: Final = 5
_PENALTIES: Final = ("presence_penalty", "frequency_penalty")
# What lies outside is refused; elsewhere it goes from -2, or up to 2.
_RANGES: Final = {"temperature": (0, 1), "p": (0.01, 0.99)} | dict.fromkeys(_PENALTIES, (0, 1))
_Object = dict[str, Any]


def write_cohere(talk: Conversation, limit: int | None) -> tuple[_Object, list[str]]:
    """The request in this format without its model, and the names of the parameters left out. Raises `CallFailed`."""
    wishes, dropped = talk.take(PARAMETERS)
    dropped += talk.leave_drawn()
    messages: list[_Object] = []
    if words := "\n\n".join(part.text for part in talk.system if part.text):
        messages.append({"role": "system", "content": words})
    for turn in merge_turns(talk.turns):
        messages += _write_assistant(turn) if turn.role == "assistant" else _write_user(turn)
    body: _Object = {"messages": messages}
    if talk.tools and talk.tool_choice != "none":
        _write_tools(talk, body, dropped)
    body |= {_NAMES[name]: value for name, value in wishes.items() if name in _NAMES}
    for name, (least, most) in _RANGES.items():
        if name in body:
            if name in _PENALTIES and body[name] < least:
                dropped.append(name)
            body[name] = min(max(body[name], least), most)
    if limit is not None:
        body["max_tokens"] = limit
    if stops := write_stops(wishes, dropped, most=_MOST_STOPS):
        body["stop_sequences"] = stops
    if talk.schema is not None:
        body["response_format"] = {"type": "json_object"}
        if talk.schema.schema is not None:
            body["response_format"]["json_schema"] = talk.schema.schema
    if thinking := _write_thinking(wishes):
        body["thinking"] = thinking
    if any(isinstance(part, Document) and part.name for part in talk.parts):
        dropped.append("messages.title")
    if any(isinstance(part, ToolResult) and part.is_error for part in talk.parts):
        dropped.append("messages.is_error")
    return body, sorted(dropped)


def _write_thinking(wishes: _Object) -> _Object | None:
    thinking, effort = wishes.get("thinking"), wishes.get("reasoning_effort")
    if effort == "none":
        return {"type": "disabled"}
    if thinking is None and effort is None:
        return None
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return {"type": "enabled"} | ({"token_budget": budget} if isinstance(budget, int) else {})


def _write_tools(talk: Conversation, body: _Object, dropped: list[str]) -> None:
    choice, tools = talk.tool_choice, talk.tools
    if isinstance(choice, dict):
        # One tool cannot be named; it can be the only one.
        tools = [tool for tool in tools if tool.name == choice["name"]]
    written: list[_Object] = []
    for tool in tools:
        function: _Object = {"name": tool.name, "parameters": tool.parameters or {"type": "object", "properties": {}}}
        written.append({"type": "function", "function": function})
        if tool.description:
            function["description"] = tool.description
    body["tools"] = written
    if isinstance(choice, dict) or choice == "required":
        body["tool_choice"] = "REQUIRED"
    if any(tool.strict for tool in tools):
        body["strict_tools"] = True


def _write_user(turn: Turn) -> list[_Object]:
    messages: list[_Object] = []
    rest: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            # Results come first; their pictures follow as the user's.
            messages.append({"role": "tool", "tool_call_id": part.id, "content": part.text})
            rest += part.shown
        else:
            rest.append(part)
    if content := [said for part in rest if (said := _write_part(part)) is not None]:
        alone = content[0]["text"] if len(content) == 1 and content[0]["type"] == "text" else None
        messages.append({"role": "user", "content": alone or content})
    return messages


def _write_assistant(turn: Turn) -> list[_Object]:
    message: _Object = {"role": "assistant"}
    if words := "".join(part.text for part in turn.parts if isinstance(part, Text)):
        message["content"] = words
    calls = [part for part in turn.parts if isinstance(part, ToolCall)]
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in calls
        ]
    return [message] if len(message) > 1 else []


def _write_part(part: Part) -> _Object | None:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text} if text else None
        case Image(media_type=kind, data=data, url=url, detail=detail):
            where = {"url": url if data is None else f"data:{kind};base64,{data}"}
            return {"type": "image_url", "image_url": where | ({"detail": detail} if detail else {})}
        case Sound():
            raise unspeakable("Sound", "messages")
        case Document(text=str(text)):
            return {"type": "text", "text": text}
        case Document():
            raise unspeakable("A document", "messages")
    return None
