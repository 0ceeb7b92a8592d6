"""A provider that speaks Cohere's v2 format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tests_py.providers.scenarios import WORDS, Scenario, ToolCall
from tests_py.providers.server import Seen
from tests_py.providers.stage import (
    Refused,
    Reply,
    ScenarioServer,
    answer,
    bearer,
    named_event,
    require,
    stream,
    vectors,
)

MODEL = "command-a-03-2026"
ENDS = {"length": "MAX_TOKENS", "refusal": "ERROR_TOXIC", "blocked": "ERROR_TOXIC", "failed": "ERROR"}
CHAT = {
    "stream", "tools", "strict_tools", "documents", "citation_options", "response_format", "safety_mode", "max_tokens",
    "stop_sequences", "temperature", "seed", "frequency_penalty", "presence_penalty", "k", "p", "logprobs",
    "tool_choice", "thinking", "priority",
}  # fmt: skip
EMBED = {
    "texts", "images", "inputs", "embedding_types", "output_dimension", "truncate", "max_tokens", "priority",
}  # fmt: skip
MOST_TEXTS = 96
"""More than these a call are refused."""
CITATION = {"start": 22, "end": 28, "text": "Zürich", "sources": [{"type": "document", "id": "doc:0"}]}


def usage() -> dict[str, Any]:
    """A usage object: 19 tokens of input are billed of 30 that were read, 10 of output; 4 were cached."""
    return {
        "billed_units": {"input_tokens": 19, "output_tokens": 10},
        "tokens": {"input_tokens": 30, "output_tokens": 12},
        "cached_tokens": 4,
    }


@dataclass
class FakeCohere(ScenarioServer):
    """`/v2/chat`, `/v2/embed`, `/v2/rerank` and `/v1/models` with a bearer token."""

    scenarios: ClassVar[dict[str, Scenario]] = {
        "tool-plan": Scenario(pieces=(), details={"tool_plan": "I will look."}, calls=(ToolCall(),)),
        "citations": Scenario(citations=(CITATION,)),
        "deny-listed": Scenario(refuse=498, pieces=WORDS),
    }

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        self.check_key(bearer(seen), "invalid api token")
        body = seen.body
        match seen.route:
            case "/v1/models":
                return answer({"models": [{"name": MODEL, "endpoints": ["chat"], "context_length": 256000}]})
            case "/v2/chat":
                require(body, "model", "messages", allowed=CHAT)
                return stream(_events(scenario)) if body.get("stream") else answer(_whole(scenario))
            case "/v2/embed":
                require(body, "model", "input_type", allowed=EMBED)
                return _embed(body, scenario)
            case "/v2/rerank":
                require(body, "model", "query", "documents", allowed=("top_n", "max_tokens_per_doc", "priority"))
                ranked = list(reversed(range(len(body["documents"]))))[: body.get("top_n")]
                found = [{"index": index, "relevance_score": 0.5 / (place + 1)} for place, index in enumerate(ranked)]
                return answer({"id": "r1", "results": found, **_meta(scenario, {"search_units": 1})})
        raise Refused(404, "Not found")

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        return answer({"id": "e1", "message": message, **more}, status=status)

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        delta = {"finish_reason": "ERROR", "error": "It broke.", **(scenario.error or {})}
        return _event("message-end", id="c1", delta=delta)


def _whole(scenario: Scenario) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if scenario.thinking:
        content.append({"type": "thinking", "thinking": "".join(scenario.thinking)})
    if scenario.pieces:
        content.append({"type": "text", "text": "".join(scenario.pieces)})
    message: dict[str, Any] = {"role": "assistant", **(scenario.details or {})}
    if content:
        message["content"] = content
    if scenario.calls:
        message["tool_calls"] = [_call(call, number, whole=True) for number, call in enumerate(scenario.calls)]
    if scenario.citations:
        message["citations"] = list(scenario.citations)
    return {"id": "c1", "finish_reason": _end(scenario), "message": message, **_used(scenario)}


def _events(scenario: Scenario) -> Iterator[bytes]:
    yield _event("message-start", id="c1", delta={"message": {"role": "assistant", "content": [], "tool_calls": []}})
    if plan := (scenario.details or {}).get("tool_plan"):
        for word in plan.split():
            yield _event("tool-plan-delta", delta={"message": {"tool_plan": f"{word} "}})
    for index, (kind, pieces) in enumerate(
        (kind, pieces) for kind, pieces in (("thinking", scenario.thinking), ("text", scenario.pieces)) if pieces
    ):
        yield _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
        for piece in pieces:
            yield _event("content-delta", index=index, delta={"message": {"content": {kind: piece}}})
        yield _event("content-end", index=index)
    for index, citation in enumerate(scenario.citations):
        yield _event("citation-start", index=index, delta={"message": {"citations": citation}})
        yield _event("citation-end", index=index)
    for index, call in enumerate(scenario.calls):
        started = {"message": {"tool_calls": _call(call, index, whole=False)}}
        yield _event("tool-call-start", index=index, delta=started)
        for piece in call.arguments:
            part = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            yield _event("tool-call-delta", index=index, delta=part)
        yield _event("tool-call-end", index=index)
    yield _event("message-end", id="c1", delta={"finish_reason": _end(scenario), **_used(scenario)})


def _event(kind: str, **data: Any) -> bytes:
    return named_event(kind, {"type": kind, **data})


def _call(call: ToolCall, number: int, *, whole: bool) -> dict[str, Any]:
    function = {"name": call.name, "arguments": "".join(call.arguments) if whole else ""}
    return {"id": call.id or f"{call.name}_{number}", "type": "function", "function": function}


def _embed(body: dict[str, Any], scenario: Scenario) -> Reply:
    texts = body.get("texts")
    given = texts or body.get("inputs") or body.get("images") or []
    if len(given) > MOST_TEXTS:
        raise Refused(
            400, f"invalid request: total number of texts must be at most {MOST_TEXTS} - received {len(given)}"
        )
    kinds = body.get("embedding_types") or ["float"]
    made = vectors(len(given), body.get("output_dimension"))
    whole = [[int(number * 8) for number in vector] for vector in made]
    embeddings = {kind: made if kind == "float" else whole for kind in kinds}
    billed = {"images": len(given)} if body.get("images") else {"input_tokens": 5 * len(given)}
    more = {} if texts is None else {"texts": texts}
    return answer(
        {"id": "e1", "embeddings": embeddings, "response_type": "embeddings_by_type", **more, **_meta(scenario, billed)}
    )


def _meta(scenario: Scenario, billed: dict[str, Any]) -> dict[str, Any]:
    if scenario.usage_on == "never":
        return {}
    return {"meta": {"api_version": {"version": "2"}, **(scenario.usage or {"billed_units": billed})}}


def _used(scenario: Scenario) -> dict[str, Any]:
    return {} if scenario.usage_on == "never" else {"usage": scenario.usage or usage()}


def _end(scenario: Scenario) -> str:
    return ENDS.get(scenario.ends, scenario.ends) or ("TOOL_CALL" if scenario.calls else "COMPLETE")
