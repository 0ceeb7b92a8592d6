"""Which grammar a customer's call is in: how its question is read, and its answer written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from worker.dialects.chat_request import read_chat
from worker.dialects.chat_writing import ChatWriter
from worker.dialects.conversation import Conversation, ToolCall, ToolResult
from worker.dialects.messages_answer import MessagesWriter
from worker.dialects.messages_request import read_messages
from worker.dialects.responses_answer import ResponsesWriter
from worker.dialects.responses_request import read_responses
from worker.dialects.translation import Writer
from worker.providers.base import Call, CallFailed
from worker.providers.counting import estimate_tokens

_READERS: Final[dict[str, Callable[[dict[str, msgspec.Raw]], Conversation]]] = {
    "chat": read_chat,
    "native": read_chat,
    "messages": read_messages,
    "count_tokens": read_messages,
    "responses": read_responses,
}
_ECHOED: Final = (
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
)


def read_conversation(call: Call) -> Conversation:
    """What a call says, whatever its grammar. Raises `CallFailed` for what it does not allow."""
    try:
        talk = _READERS[call.surface](call.fields)
        _check(talk)
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, ValueError, RecursionError):
        raise CallFailed("bad_request", message="The request is not what this route takes.") from None
    return talk


def _check(talk: Conversation) -> None:
    """Who writes it may take for granted what its types say. Raises TypeError for what passed its reader otherwise."""
    schemas = [tool.parameters for tool in talk.tools] + ([talk.schema.schema] if talk.schema is not None else [])
    called = [part for part in talk.parts if isinstance(part, ToolCall | ToolResult)]
    names = [*(part.id for part in called), *(part.name or "" for part in called), *(tool.name for tool in talk.tools)]
    if isinstance(talk.tool_choice, dict):
        names.append(talk.tool_choice["name"])
    if not all(isinstance(name, str) for name in names) or not all(isinstance(one, dict | None) for one in schemas):
        raise TypeError


def writer_of(call: Call) -> Writer:
    """Who writes the answer of a call in the grammar in which it was asked."""
    name, model = call.request_id, call.candidate.upstream_model
    match call.surface:
        case "messages":
            return MessagesWriter(name, model, estimate_tokens(call))
        case "responses":
            return ResponsesWriter(name, model, _echo(call.fields))
    functions = "functions" in call.fields and "tools" not in call.fields
    return ChatWriter(name, model, include_usage=call.include_usage, functions=functions)


def _echo(fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    return {name: fields[name] for name in _ECHOED if name in fields and bytes(fields[name]) != b"null"}
