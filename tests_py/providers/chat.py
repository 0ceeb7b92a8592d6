"""Chat completions from scenarios, in OpenAI's way or in that of a server that is merely compatible."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests_py.providers import wire
from tests_py.providers.scenarios import Scenario
from tests_py.providers.stage import Reply, answer, stream

ENDS = {"refusal": "content_filter", "blocked": "content_filter", "failed": "error"}


@dataclass(frozen=True)
class Dialect:
    """How a server differs from OpenAI."""

    usage_on_finish: bool = False
    """The usage comes on the chunk that finishes, asked for or not."""
    thinks_in_content: bool = False
    """Content is a list of chunks while it thinks; else the field is `reasoning_content`."""
    whole_calls: bool = False
    """A call of a tool comes in one piece."""
    id_prefix: str = "call_"


OPENAI = Dialect()


def complete(body: dict[str, Any], scenario: Scenario, dialect: Dialect = OPENAI) -> Reply:
    """The answer to a request, streamed if it asks for that."""
    used = None if scenario.usage_on == "never" else scenario.usage or wire.usage()
    tier = {"service_tier": scenario.tier} if scenario.tier else {}
    if not body.get("stream"):
        made: dict[str, Any] = {**_envelope("chat.completion", body), **tier, "choices": [_choice(scenario, dialect)]}
        return answer(made | ({} if used is None else {"usage": used}))
    asked = (body.get("stream_options") or {}).get("include_usage")
    chunks = _chunks(scenario, used if asked or dialect.usage_on_finish else None, dialect)
    events = [wire.event({**chunk, **_envelope("chat.completion.chunk", body), **tier}) for chunk in chunks]
    return stream([*events, b"data: [DONE]\n\n"])


def _envelope(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": wire.ID, "object": kind, "created": wire.CREATED, "model": body.get("model", wire.MODEL)}


def _choice(scenario: Scenario, dialect: Dialect) -> dict[str, Any]:
    text: Any = "".join(scenario.pieces) or None
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thought := "".join(scenario.thinking):
        if dialect.thinks_in_content:
            said = [{"type": "text", "text": text}] if text else []
            message["content"] = [*_thought(thought), *said]
        else:
            message["reasoning_content"] = thought
    if scenario.calls:
        message["tool_calls"] = [call for call, _ in _calls(scenario, dialect, whole=True)]
    return {"index": 0, "message": message, "finish_reason": _end(scenario), **(scenario.details or {})}


def _chunks(scenario: Scenario, used: dict[str, Any] | None, dialect: Dialect) -> Iterator[dict[str, Any]]:
    every = used if scenario.usage_on == "every" else None
    yield wire.chunk({"role": "assistant", "content": ""}, used=every)
    for piece in scenario.thinking:
        said = {"content": _thought(piece)} if dialect.thinks_in_content else {"reasoning_content": piece}
        yield wire.chunk(said, used=every)
    for piece in scenario.pieces:
        yield wire.chunk({"content": piece}, used=every)
    for first, rest in _calls(scenario, dialect, whole=dialect.whole_calls):
        for part in (first, *rest):
            yield wire.chunk({"tool_calls": [part]}, used=every)
    last = used if dialect.usage_on_finish else every
    yield wire.chunk({"content": ""} if dialect.usage_on_finish else {}, _end(scenario), used=last)
    if used is not None and last is None:
        yield {"choices": [], "usage": used}


def _calls(
    scenario: Scenario, dialect: Dialect, *, whole: bool
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each call, and the pieces of its arguments that come after it."""
    for index, call in enumerate(scenario.calls):
        arguments = "".join(call.arguments) if whole else ""
        function = {"name": call.name, "arguments": arguments}
        made = {"index": index, "id": call.id or f"{dialect.id_prefix}{index + 1}", "type": "function"}
        rest = () if whole else call.arguments
        yield {**made, "function": function}, [{"index": index, "function": {"arguments": part}} for part in rest]


def _thought(text: str) -> list[dict[str, Any]]:
    return [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]


def _end(scenario: Scenario) -> str:
    return ENDS.get(scenario.ends, scenario.ends) or ("tool_calls" if scenario.calls else "stop")


def refusal(status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
    """OpenAI's error."""
    return answer({"error": error(status, message, code, more)}, "x-request-id: req_2", status=status)


def error(status: int, message: str, code: str, more: dict[str, Any]) -> dict[str, Any]:
    """The object of OpenAI's error."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    codes = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded", 503: "server_is_overloaded"}
    return {"message": message, "type": kind, "param": None, "code": code or codes.get(status), **more}


def error_event(scenario: Scenario) -> bytes:
    """OpenAI's error amid a stream of chunks."""
    return wire.event(json.loads(refusal(503, "It broke.", scenario.code, scenario.error or {}).body))
