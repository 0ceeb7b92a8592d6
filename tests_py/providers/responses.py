"""OpenAI's Responses format from scenarios: the object, and the grammar of its events."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from tests_py.providers import chat
from tests_py.providers.scenarios import Scenario
from tests_py.providers.stage import Refused, Reply, answer, named_event, stream

CREATED = 1741570283
OPTIONAL = {
    "input", "instructions", "max_output_tokens", "max_tool_calls", "tools", "tool_choice", "parallel_tool_calls",
    "text", "reasoning", "include", "previous_response_id", "conversation", "context_management", "truncation", "store",
    "background", "stream", "stream_options", "prompt", "metadata", "service_tier", "temperature", "top_p",
    "top_logprobs", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options",
    "moderation",
}  # fmt: skip
REASONS = {"length": "max_output_tokens", "refusal": "content_filter", "blocked": "content_filter"}
SEARCH = {
    "id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "Zürich"},
}  # fmt: skip

EMPTY: dict[str, dict[str, Any]] = {
    "message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []},
}  # fmt: skip
"""What an item lacks when it is added, by its type."""


def usage() -> dict[str, Any]:
    """A usage object with all details: 19 input, of it 4 cached and 5 written; 10 output, of it 3 thought."""
    return {
        "input_tokens": 19,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 29,
    }


def respond(body: dict[str, Any], scenario: Scenario) -> Reply:
    """The answer to a request, streamed if it asks for that."""
    said = body.get("input")
    for item in said if isinstance(said, list) else ():
        if item.get("type") == "reasoning" and body.get("store") is False and not item.get("encrypted_content"):
            raise Refused(404, f"Item with id {item.get('id')!r} not found. Items are not persisted.")
    final = _response(body, scenario, list(_items(scenario)))
    if not body.get("stream"):
        return answer(final)
    numbers = itertools.count()
    return stream(
        named_event(kind, {"type": kind, "sequence_number": next(numbers), **data})
        for kind, data in _events(final, scenario)
    )


def error_event(scenario: Scenario) -> bytes:
    """The error amid a stream."""
    failed = {"code": scenario.code or "server_error", "message": "It broke.", "param": None, **(scenario.error or {})}
    return named_event("error", {"type": "error", "sequence_number": 99, **failed})


def _response(body: dict[str, Any], scenario: Scenario, output: list[dict[str, Any]]) -> dict[str, Any]:
    reason = REASONS.get(scenario.ends)
    failed = scenario.ends == "failed"
    return {
        "id": "resp_67ccd2bed1ec8190",
        "object": "response",
        "created_at": CREATED,
        "status": "failed" if failed else "incomplete" if reason else "completed",
        "error": chat.error(500, "It broke.", "server_error", {}) if failed else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "reasoning": body.get("reasoning", {"effort": None, "summary": None}),
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": body.get("text", {"format": {"type": "text"}}),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "top_p": 1.0,
        "truncation": "disabled",
        "metadata": {},
        "usage": None if scenario.usage_on == "never" else scenario.usage or usage(),
        **(scenario.details or {}),
    }


def _items(scenario: Scenario) -> Iterator[dict[str, Any]]:
    status = "incomplete" if scenario.ends in REASONS else "completed"
    if scenario.thinking:
        summary = [{"type": "summary_text", "text": "".join(scenario.thinking)}]
        yield {"id": "rs_1", "type": "reasoning", "summary": summary, "encrypted_content": scenario.signature}
    yield from scenario.blocks
    if scenario.pieces:
        text = {"type": "output_text", "text": "".join(scenario.pieces), "annotations": list(scenario.citations)}
        yield {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": [text]}
    for number, call in enumerate(scenario.calls, 1):
        named = {"call_id": call.id or f"call_{number}", "name": call.name, "arguments": "".join(call.arguments)}
        yield {"id": f"fc_{number}", "type": "function_call", "status": status, **named}


def _events(final: dict[str, Any], scenario: Scenario) -> Iterator[tuple[str, dict[str, Any]]]:
    unset: dict[str, Any] = {
        "status": "in_progress",
        "output": [],
        "usage": None,
        "error": None,
        "incomplete_details": None,
    }
    begun = {**final, **unset}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(final["output"]):
        where = {"item_id": item["id"], "output_index": index}
        empty: dict[str, dict[str, Any]] = {
            "message": {"content": []},
            "function_call": {"arguments": ""},
            "reasoning": {"summary": []},
        }
        started = {**item, **empty.get(item["type"], {})} | ({"status": "in_progress"} if "status" in item else {})
        yield "response.output_item.added", {"output_index": index, "item": started}
        yield from _inside(item, where, scenario)
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{final['status']}", {"response": final}


def _inside(item: dict[str, Any], where: dict[str, Any], scenario: Scenario) -> Iterator[tuple[str, dict[str, Any]]]:
    """What comes between an item's `added` and its `done`."""
    match item["type"]:
        case "message":
            part = item["content"][0]
            at = {**where, "content_index": 0}
            yield "response.content_part.added", {**at, "part": {**part, "text": "", "annotations": []}}
            for piece in scenario.pieces:
                yield "response.output_text.delta", {**at, "delta": piece, "logprobs": []}
            for number, citation in enumerate(scenario.citations):
                annotation = {"annotation_index": number, "annotation": citation}
                yield "response.output_text.annotation.added", {**at, **annotation}
            yield "response.output_text.done", {**at, "text": part["text"], "logprobs": []}
            yield "response.content_part.done", {**at, "part": part}
        case "function_call":
            call = scenario.calls[int(item["id"].removeprefix("fc_")) - 1]
            for piece in call.arguments:
                yield "response.function_call_arguments.delta", {**where, "delta": piece}
            done = {"name": item["name"], "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", {**where, **done}
        case "reasoning":
            at = {**where, "summary_index": 0}
            part = item["summary"][0]
            yield "response.reasoning_summary_part.added", {**at, "part": {**part, "text": ""}}
            for piece in scenario.thinking:
                yield "response.reasoning_summary_text.delta", {**at, "delta": piece}
            yield "response.reasoning_summary_text.done", {**at, "text": part["text"]}
            yield "response.reasoning_summary_part.done", {**at, "part": part}
        case "web_search_call":
            for state in ("in_progress", "searching", "completed"):
                yield f"response.web_search_call.{state}", where
