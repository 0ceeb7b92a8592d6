"""What tests of adapters share: one call in a customer's grammar, and what its answer says, whatever the grammar."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from unittest import mock

import httpx

from tests_py.providers.anthropic import FakeAnthropic
from tests_py.providers.bedrock import ACCESS_KEY, SECRET, FakeBedrock
from tests_py.providers.cohere import FakeCohere
from tests_py.providers.google import FakeGoogle
from tests_py.providers.mistral import FakeMistral
from tests_py.providers.scenarios import Scenario
from tests_py.providers.stage import ScenarioServer
from tests_py.worker.kit import Remembered, attempt, call, candidate, tls
from worker.providers.anthropic import AnthropicProvider
from worker.providers.base import CallFailed, Provider, Transport
from worker.providers.bedrock import BedrockProvider
from worker.providers.cohere import CohereProvider
from worker.providers.google import GoogleProvider
from worker.providers.openai import MISTRAL, OpenAIProvider
from worker.providers.wire import open_transport
from worker.shapes import Attempt

T = TypeVar("T")

GRAMMARS = ("chat", "messages", "responses")


class Kind(NamedTuple):
    """A kind of provider whose format is translated: its adapter, its fake and where that has its routes."""

    fake: type[ScenarioServer]
    open: Callable[[Transport], Provider]
    base: str
    more: dict[str, Any]
    """Of the candidate's, and its key."""

    def endpoint(self, fake: ScenarioServer, scenario: str | Scenario = "ok") -> str:
        """The endpoint that plays a scenario."""
        return fake.root(scenario) + self.base


_SIGNED: dict[str, Any] = {"key": f"{ACCESS_KEY}:{SECRET}", "settings": {"region": "eu-central-1"}}
KINDS = {
    "anthropic": Kind(FakeAnthropic, AnthropicProvider, "/v1", {}),
    "bedrock": Kind(FakeBedrock, BedrockProvider, "", _SIGNED | {"upstream_model": "eu.anthropic.claude-1-v1:0"}),
    "cohere": Kind(FakeCohere, CohereProvider, "/v2", {}),
    "google": Kind(FakeGoogle, GoogleProvider, "/v1beta", {}),
    "mistral": Kind(
        FakeMistral, lambda transport: OpenAIProvider(transport, MISTRAL), "/v1", {"settings": {"translated": [""]}}
    ),
}
TRANSLATED = [(kind, grammar) for kind in KINDS for grammar in GRAMMARS if (kind, grammar) != ("anthropic", "messages")]


_read_certificates = functools.cache(httpx.create_ssl_context)


@contextlib.contextmanager
def open_fakes() -> Iterator[dict[str, ScenarioServer]]:
    """A fake of each kind."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(kind.fake()) for name, kind in KINDS.items()}


@contextlib.asynccontextmanager
async def opened(make: Callable[[Transport], T]) -> AsyncIterator[T]:
    """What is made over a transport of its own."""
    with mock.patch.object(httpx, "create_ssl_context", _read_certificates):
        transport = open_transport(context=tls())
    try:
        yield make(transport)
    finally:
        await transport.aclose()


def open_adapters(transport: Transport) -> dict[str, Provider]:
    """An adapter of each kind."""
    return {name: kind.open(transport) for name, kind in KINDS.items()}


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjQ="
CANARY = "prompt-canary-5f1c"


@dataclass
class Told:
    """One answer; `back` is how the customer sends it back: messages or items."""

    text: str = ""
    refusal: str = ""
    thought: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    images: int = 0
    end: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    back: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Answered:
    """One call that went well."""

    told: Told
    made: Attempt
    output: Remembered


async def ask(
    provider: Provider, endpoint: str, grammar: str, body: dict[str, Any] | None = None, *, stream: bool, **more: Any
) -> Answered:
    """Make a call and read its answer."""
    output, made = Remembered(), attempt()
    async with asyncio.timeout(10):
        await provider.call(question(endpoint, grammar, body, stream=stream, **more), made, output)
    return Answered(read_answer(grammar, output, stream=stream), made, output)


async def fails(
    provider: Provider, endpoint: str, grammar: str = "chat", body: dict[str, Any] | None = None, **more: Any
) -> tuple[CallFailed, Attempt, Remembered]:
    """Make a call that comes to nothing."""
    output, made = Remembered(), attempt()
    try:
        async with asyncio.timeout(10):
            await provider.call(question(endpoint, grammar, body, **more), made, output)
    except CallFailed as failed:
        assert CANARY not in str(failed)
        assert CANARY not in repr(made)
        return failed, made, output
    raise AssertionError("it went well")


def question(
    endpoint: str, grammar: str, body: dict[str, Any] | None = None, *, stream: bool = False, key: str = "k", **who: Any
) -> Any:
    """A call in a customer's grammar, with its least body where none is given."""
    asked = {"include_usage": True} if grammar == "chat" and stream else {}
    given = {"model": "auto", **(say(grammar, CANARY) if body is None else body)}
    return call(candidate(endpoint, **who), given, stream=stream, surface=grammar, key=key, **asked)


def say(grammar: str, *turns: Any, **more: Any) -> dict[str, Any]:
    """A body: the user's words or parts, then in turn what `Told.back` holds and the user's again."""
    said: list[dict[str, Any]] = []
    for turn in turns:
        if isinstance(turn, Told):
            said += turn.back
        elif isinstance(turn, dict):
            said.append(turn)
        else:
            said.append({"role": "user", "content": turn})
    return {"input" if grammar == "responses" else "messages": said, **more}


def tools(grammar: str, *names: str) -> list[dict[str, Any]]:
    """Tools of these names as the grammar has them."""
    if grammar == "messages":
        return [{"name": name, "description": "d", "input_schema": SCHEMA} for name in names]
    flat = [{"type": "function", "name": name, "description": "d", "parameters": SCHEMA} for name in names]
    if grammar == "responses":
        return flat
    return [{"type": "function", "function": {n: v for n, v in tool.items() if n != "type"}} for tool in flat]


def result(grammar: str, call_id: str, text: str) -> dict[str, Any]:
    """What a tool gave, as a turn or an item."""
    if grammar == "messages":
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call_id, "content": text}]}
    if grammar == "responses":
        return {"type": "function_call_output", "call_id": call_id, "output": text}
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def files(grammar: str, *, document: bool = True) -> list[dict[str, Any]]:
    """Parts: a picture, a document, words."""
    image, pdf = f"data:image/png;base64,{PNG}", f"data:application/pdf;base64,{PDF}"
    if grammar == "messages":
        parts: list[dict[str, Any]] = [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            },
            {"type": "text", "text": "?"},
        ]
    elif grammar == "responses":
        parts = [
            {"type": "input_image", "image_url": image},
            {"type": "input_file", "filename": "a.pdf", "file_data": pdf},
            {"type": "input_text", "text": "?"},
        ]
    else:
        parts = [
            {"type": "image_url", "image_url": {"url": image}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
            {"type": "text", "text": "?"},
        ]
    return parts if document else [parts[0], parts[2]]


def structured(grammar: str) -> dict[str, Any]:
    """The wish for an answer of a schema."""
    if grammar == "messages":
        return {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    form = {"name": "city", "schema": SCHEMA, "strict": True}
    if grammar == "responses":
        return {"text": {"format": {"type": "json_schema", **form}}}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def read_answer(grammar: str, output: Remembered, *, stream: bool) -> Told:
    """What an answer says; an order of events that no SDK takes fails."""
    return _read_stream(grammar, output) if stream else _read_whole(grammar, json.loads(output.data))


def events_of(output: Remembered) -> list[dict[str, Any]]:
    """All events of a stream, with the one that was held back."""
    whole = Remembered()
    whole.sent = [*output.sent, output.last]
    return whole.chunks


def _read_whole(grammar: str, whole: dict[str, Any]) -> Told:
    if grammar == "chat":
        (choice,) = whole["choices"]
        return _read_message(choice["message"], choice["finish_reason"], whole.get("usage") or {})
    return _read_blocks(whole) if grammar == "messages" else _read_items(whole)


def _read_stream(grammar: str, output: Remembered) -> Told:
    events = events_of(output)
    if grammar == "chat":
        return _merge_chunks(events)
    if grammar == "messages":
        return _merge_blocks(events)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["type"] in ("response.completed", "response.incomplete")
    return _check_deltas(events, _read_items(events[-1]["response"]))


def _read_message(message: dict[str, Any], end: str, usage: dict[str, Any]) -> Told:
    calls = [(c["function"]["name"], c["function"]["arguments"]) for c in message.get("tool_calls") or ()]
    return Told(
        message.get("content") or "",
        message.get("refusal") or "",
        message.get("reasoning_content") or "",
        calls,
        len(message.get("images") or ()),
        end,
        usage,
        [{name: value for name, value in message.items() if value is not None}],
    )


def _merge_chunks(events: list[dict[str, Any]]) -> Told:
    message: dict[str, Any] = {"role": "assistant"}
    end = ""
    usage: dict[str, Any] = {}
    for chunk in events:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            assert not end, "nothing is said after the end"
            end = choice["finish_reason"] or ""
            for name, value in choice["delta"].items():
                if name in ("content", "refusal", "reasoning_content") and value:
                    message[name] = message.get(name, "") + value
                elif name in ("reasoning_details", "images"):
                    message.setdefault(name, []).extend(value)
                for piece in value if name == "tool_calls" else ():
                    calls = message.setdefault("tool_calls", [])
                    if piece["index"] == len(calls):
                        calls.append({n: v for n, v in piece.items() if n != "index"})
                    else:
                        calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]
    return _read_message(message, end, usage)


def _read_blocks(whole: dict[str, Any]) -> Told:
    told = Told(end=whole["stop_reason"], usage=whole["usage"])
    for block in whole["content"]:
        match block["type"]:
            case "text":
                told.text += block["text"]
            case "thinking":
                told.thought += block["thinking"]
            case "tool_use":
                told.calls.append((block["name"], json.dumps(block["input"], ensure_ascii=False)))
    told.back = [{"role": "assistant", "content": whole["content"]}]
    return told


def _merge_blocks(events: list[dict[str, Any]]) -> Told:
    kinds = [event["type"] for event in events if event["type"] != "ping"]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    whole = events[0]["message"]
    open_at: int | None = None
    for event in events:
        if event["type"] == "content_block_start":
            assert open_at is None
            assert event["index"] == len(whole["content"])
            open_at = event["index"]
            whole["content"].append(dict(event["content_block"]) | {"_": ""})
        elif event["type"] == "content_block_stop":
            assert open_at == event["index"]
            open_at = None
            block = whole["content"][-1]
            if said := block.pop("_"):
                block["input"] = json.loads(said) if _is_json(said) else {"invalid_json": said}
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_at
            block = whole["content"][-1]
            for name, value in event["delta"].items():
                if name == "partial_json":
                    block["_"] += value
                elif name in ("text", "thinking", "signature"):
                    block[name] += value
        elif event["type"] == "message_delta":
            whole |= {n: v for n, v in event["delta"].items() if v is not None}
            whole["usage"] |= event.get("usage") or {}
    return _read_blocks(whole)


def _read_items(whole: dict[str, Any]) -> Told:
    end = whole["status"] if whole["status"] == "completed" else whole["incomplete_details"]["reason"]
    told = Told(end=end, usage=whole["usage"] or {}, back=whole["output"])
    for item in whole["output"]:
        if item["type"] == "message":
            told.text += "".join(part.get("text", "") for part in item["content"])
            told.refusal += "".join(part.get("refusal", "") for part in item["content"])
        elif item["type"] == "reasoning":
            told.thought += "".join(part["text"] for part in item["summary"])
        elif item["type"] == "function_call":
            told.calls.append((item["name"], item["arguments"]))
    return told


def _check_deltas(events: list[dict[str, Any]], told: Told) -> Told:
    def said(kind: str) -> str:
        return "".join(event["delta"] for event in events if event["type"] == kind)

    assert said("response.output_text.delta") == told.text
    assert said("response.reasoning_summary_text.delta") == told.thought
    assert said("response.function_call_arguments.delta") == "".join(arguments for _, arguments in told.calls)
    added = [event["output_index"] for event in events if event["type"] == "response.output_item.added"]
    done = [event["output_index"] for event in events if event["type"] == "response.output_item.done"]
    assert added == done == list(range(len(told.back)))
    return told


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
