"""A provider that speaks Anthropic's Messages format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tests_py.providers.scenarios import WORDS, Scenario, ToolCall
from tests_py.providers.server import Seen
from tests_py.providers.stage import Refused, Reply, ScenarioServer, answer, bearer, named_event, require, stream

MODEL = "claude-opus-4-6"
ENDS = {"length": "max_tokens", "failed": "end_turn", "blocked": "refusal"}
ERRORS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 429: "rate_limit_error",
    500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
OPTIONAL = {
    "system", "stop_sequences", "stream", "tools", "tool_choice", "thinking", "output_config", "cache_control",
    "service_tier", "inference_geo", "container", "metadata", "diagnostics", "prefill", "speed",
}  # fmt: skip
VERSIONS = {"2023-06-01": OPTIONAL | {"temperature", "top_p", "top_k"}, "2026-10-21": OPTIONAL}
"""What each version of the API knows beside the required fields."""
BETA = {"fallbacks", "context_management", "mcp_servers", "billing_policy"}
CITATION = {
    "type": "char_location", "cited_text": "Zürich", "document_index": 0, "document_title": "Cities",
    "start_char_index": 0, "end_char_index": 6, "file_id": None,
}  # fmt: skip
SEARCH = (
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Zürich"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [
            {"type": "web_search_result", "url": "https://example.com/", "title": "Zürich", "encrypted_content": "RW5j"}
        ],
    },
)


def usage(*, output: int = 10, searches: int = 0) -> dict[str, Any]:
    """A usage object with all details: 15 input, 6 written for 5 minutes, 4 for an hour, 3 read."""
    return {
        "input_tokens": 15,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": 2},
        "server_tool_use": {"web_search_requests": searches, "web_fetch_requests": 0} if searches else None,
        "service_tier": "standard",
        "inference_geo": "global",
    }


@dataclass
class FakeAnthropic(ScenarioServer):
    """`/v1/messages`, `/v1/messages/count_tokens` and `/v1/models`, in both versions of the API.

    The key comes as "x-api-key", or as a bearer token, as newer SDKs send it.
    """

    scenarios: ClassVar[dict[str, Scenario]] = {
        "redacted": Scenario(blocks=({"type": "redacted_thinking", "data": "RWNyeXB0ZWQ="},)),
        "pause": Scenario(ends="pause_turn", blocks=SEARCH[:1], pieces=WORDS[:1], usage=usage(searches=1)),
        "search": Scenario(blocks=SEARCH, citations=(CITATION,), usage=usage(searches=1)),
        "citations": Scenario(citations=(CITATION,)),
        "refusal": Scenario(
            pieces=WORDS[:1],
            ends="refusal",
            details={"stop_details": {"type": "refusal", "category": "cyber", "explanation": "No."}},
        ),
        # A limit that the customer set is a 400, the tier's a 429 without a time to come back, an unpaid bill a 402.
        "no-money": Scenario(refuse=402),
        "spend-limit": Scenario(refuse=400, error={"message": "You have reached your specified API usage limits."}),
        "tier-limit": Scenario(refuse=429, error={"details": {"error_code": "enforced_spend_limit_reached"}}),
        "ramp-limit": Scenario(
            refuse=429, error={"details": {"error_code": "ramp_limit_exceeded"}}, headers=("retry-after: 7",)
        ),
        "too-long": Scenario(refuse=400, error={"message": "prompt is too long: 215000 tokens > 200000 maximum"}),
    }

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        self.check_key(seen.headers.get("x-api-key") or bearer(seen), "invalid x-api-key")
        allowed = VERSIONS.get(seen.headers.get("anthropic-version", ""))
        if allowed is None:
            raise Refused(400, "anthropic-version: header is required")
        if seen.route == "/v1/models":
            about = {"type": "model", "id": MODEL, "display_name": "Claude", "created_at": "2026-02-04T00:00:00Z"}
            return answer({"data": [about], "has_more": False, "first_id": MODEL, "last_id": MODEL})
        if seen.route == "/v1/messages/count_tokens":
            require(seen.body, "model", "messages", allowed=allowed)
            return answer({"input_tokens": usage()["input_tokens"]})
        if seen.route != "/v1/messages":
            raise Refused(404, "Not found")
        _check(seen, allowed | BETA if "anthropic-beta" in seen.headers else allowed)
        if seen.body["max_tokens"] == 0:  # it fills the cache and says nothing
            scenario = Scenario(pieces=(), ends="length", usage=usage(output=0))
        made = _message(seen.body, scenario)
        head = ("request-id: req_011", "anthropic-organization-id: org_1")
        return stream(_events(made, scenario), *head) if seen.body.get("stream") else answer(made, *head)

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        return answer(_error(status, message, code, more), "request-id: req_011", status=status)

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        return named_event("error", _error(529, "Overloaded", scenario.code, scenario.error or {}))


def _check(seen: Seen, allowed: set[str]) -> None:
    require(seen.body, "model", "max_tokens", "messages", allowed=allowed)
    for message in seen.body["messages"]:
        if message["role"] not in ("user", "assistant", "system"):
            raise Refused(400, f"messages: Unexpected role {message['role']!r}")
        if not message["content"]:
            raise Refused(400, "messages: text content blocks must be non-empty")
        blocks = message["content"] if isinstance(message["content"], list) else []
        _check_blocks(blocks)
        if seen.headers["anthropic-version"] != "2023-06-01" and any(
            (message["role"] == "assistant" and block["type"] == "document")
            or (message["role"] == "user" and block["type"] == "text" and block.get("citations"))
            for block in blocks
        ):
            raise Refused(400, "messages: no document of an assistant, no citations of a user")
    if seen.body["messages"] and seen.body["messages"][0]["role"] == "assistant":
        raise Refused(400, 'messages: first message must use the "user" role')
    if not seen.body["messages"]:
        raise Refused(400, "messages: at least one message is required")
    system = seen.body.get("system")
    _check_blocks(system if isinstance(system, list) else [])
    thinks = seen.body.get("thinking", {}).get("type") in ("enabled", "adaptive")
    if thinks and seen.body.get("tool_choice", {}).get("type") in ("any", "tool"):
        raise Refused(400, "Thinking may not be enabled when tool_choice forces tool use.")
    for tool in seen.body.get("tools", ()):
        kind = tool.get("type") or "custom"
        if kind != "custom" and not re.fullmatch(r"[a-z_]+_\d{8}|mcp_toolset", kind):
            raise Refused(400, f"tools: unknown type {kind!r}")
        if kind == "custom":
            known = {"type", "description", "cache_control", "strict", "defer_loading", "allowed_callers"}
            require(tool, "name", "input_schema", allowed=known | {"eager_input_streaming", "input_examples"})


def _check_blocks(blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        if block["type"] == "text" and not block["text"].strip():
            raise Refused(400, "messages: text content blocks must contain non-whitespace text")
        if block["type"] == "thinking" and (
            not block["signature"] or block["signature"].startswith(("google.", "bedrock."))
        ):
            raise Refused(400, "messages.1.content.0: Invalid `signature` in `thinking` block")


def _error(status: int, message: str, code: str, more: dict[str, Any]) -> dict[str, Any]:
    error = {"type": code or ERRORS.get(status, "api_error"), "message": message, **more}
    return {"type": "error", "error": error, "request_id": "req_011"}


def _message(body: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if scenario.thinking:
        thought = "".join(scenario.thinking)
        content.append({"type": "thinking", "thinking": thought, "signature": scenario.signature})
    content += scenario.blocks
    if scenario.pieces:
        text = {"type": "text", "text": "".join(scenario.pieces), "citations": list(scenario.citations) or None}
        content.append(text)
    for number, call in enumerate(scenario.calls, 1):
        content.append({"type": "tool_use", "id": _id(call, number), "name": call.name, "input": call.parsed()})
    message = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": ENDS.get(scenario.ends, scenario.ends) or ("tool_use" if scenario.calls else "end_turn"),
        "stop_sequence": None,
        **(scenario.details or {}),
    }
    if scenario.usage_on != "never":
        message["usage"] = scenario.usage or usage()
    return message


def _events(message: dict[str, Any], scenario: Scenario) -> Iterator[bytes]:
    used = message.get("usage")
    start = {**message, "content": [], "stop_reason": None}
    start = {name: value for name, value in start.items() if name not in (scenario.details or {})}
    if used:
        start["usage"] = {**used, "output_tokens": min(1, used["output_tokens"]), "server_tool_use": None}
        start["usage"].pop("output_tokens_details", None)
    yield _event("message_start", message=start)
    for index, block in enumerate(message["content"]):
        deltas, empty = _deltas(block, scenario)
        yield _event("content_block_start", index=index, content_block=block | empty)
        if index == 0:
            yield _event("ping")
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
        if used and scenario.usage_on == "every":
            yield _event("message_delta", delta={"stop_reason": None, "stop_sequence": None}, usage=_final(used, 2))
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None, **(scenario.details or {})}
    final = {"usage": _final(used, used["output_tokens"])} if used else {}
    yield _event("message_delta", delta=stop, **final)
    yield _event("message_stop")


def _deltas(block: dict[str, Any], scenario: Scenario) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The deltas that build a block, and the fields that are empty before them."""
    match block["type"]:
        case "text":
            said: list[dict[str, Any]] = [{"type": "text_delta", "text": piece} for piece in scenario.pieces]
            said += [{"type": "citations_delta", "citation": citation} for citation in scenario.citations]
            return said, {"text": "", "citations": [] if scenario.citations else None}
        case "thinking":
            said = [{"type": "thinking_delta", "thinking": piece} for piece in scenario.thinking]
            return [*said, {"type": "signature_delta", "signature": block["signature"]}], {
                "thinking": "",
                "signature": "",
            }
        case "tool_use":
            (call,) = (c for number, c in enumerate(scenario.calls, 1) if _id(c, number) == block["id"])
            return [{"type": "input_json_delta", "partial_json": part} for part in ("", *call.arguments)], {"input": {}}
        case "server_tool_use":
            return [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}], {"input": {}}
    return [], {}


def _event(kind: str, **data: Any) -> bytes:
    return named_event(kind, {"type": kind, **data})


def _final(used: dict[str, Any], output: int) -> dict[str, Any]:
    """The usage of a `message_delta`: cumulative, without what only the start tells."""
    start_only = ("cache_creation", "service_tier", "inference_geo")
    return {name: value for name, value in used.items() if name not in start_only} | {"output_tokens": output}


def _id(call: ToolCall, number: int) -> str:
    return call.id or f"toolu_{number:02}"
