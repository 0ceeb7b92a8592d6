"""The adapter for Cohere: chat in its own words, vectors, ranks, and what it bills."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from onevault.tokens import Secret
from tests_py.providers.cohere import MOST_TEXTS, FakeCohere
from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.worker.adapters import GRAMMARS, PNG, SCHEMA, ask, fails, files, opened, question, say, structured, tools
from tests_py.worker.kit import Remembered, attempt, call, candidate
from worker.providers.base import Inquiry
from worker.providers.cohere import CohereProvider
from worker.shapes import Attempt, Usage

RERANK = {"query": "q", "documents": ["a", "b", "c"], "top_n": 2}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeCohere]:
    with FakeCohere() as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[CohereProvider]:
    async with opened(CohereProvider) as provider:
        yield provider


def endpoint(fake: FakeCohere, scenario: str | Scenario = "ok") -> str:
    return fake.endpoint(scenario) + "/v2"


async def sent(provider: CohereProvider, fake: FakeCohere, grammar: str, body: dict[str, Any]) -> dict[str, Any]:
    await ask(provider, endpoint(fake), grammar, body, stream=False)
    return fake.seen[-1].body


async def plain(
    provider: CohereProvider, where: str, surface: str, body: dict[str, Any], **who: Any
) -> tuple[dict[str, Any], Attempt]:
    output, made = Remembered(), attempt()
    await provider.call(question(where, surface, body, **who), made, output)
    return json.loads(output.data), made


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_what_it_is_asked(provider: CohereProvider, fake: FakeCohere, grammar: str) -> None:
    given = say(grammar, files(grammar, document=False), tools=tools(grammar, "a"), **structured(grammar))
    body = await sent(provider, fake, grammar, given)
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    assert body["messages"] == [{"role": "user", "content": [picture, {"type": "text", "text": "?"}]}]
    function = {"name": "a", "description": "d", "parameters": SCHEMA}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    failed, _, _ = await fails(provider, endpoint(fake), grammar, say(grammar, files(grammar)))
    assert (failed.error_class, failed.failover) == ("bad_request", True), "it reads no documents"


async def test_a_conversation_with_calls(provider: CohereProvider, fake: FakeCohere) -> None:
    said = {"id": "1", "type": "function", "function": {"name": "a", "arguments": '{"x":1}'}}
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [said]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "user", "content": "And?"},
    ]
    body = await sent(provider, fake, "chat", {"messages": turns})
    turns[2].pop("content")
    assert body["messages"] == turns


@pytest.mark.parametrize(
    ("choice", "names", "said"),
    [
        ("auto", ["a", "b"], None),
        ("required", ["a", "b"], "REQUIRED"),
        ("none", [], None),
        ({"type": "function", "function": {"name": "b"}}, ["b"], "REQUIRED"),
    ],
)
async def test_choices_of_tools(
    provider: CohereProvider, fake: FakeCohere, choice: Any, names: list[str], said: str | None
) -> None:
    body = await sent(provider, fake, "chat", say("chat", "?", tools=tools("chat", "a", "b"), tool_choice=choice))
    assert [tool["function"]["name"] for tool in body.get("tools", ())] == names
    assert body.get("tool_choice") == said


async def test_wishes(provider: CohereProvider, fake: FakeCohere) -> None:
    given = {"temperature": 2, "top_p": 0.5, "stop": "END", "max_tokens": 7, "seed": 1, "user": "u", "logit_bias": {}}
    answered = await ask(provider, endpoint(fake), "chat", say("chat", "?", **given), stream=False)
    body = fake.seen[-1].body
    wishes = {name: body[name] for name in ("temperature", "p", "stop_sequences", "max_tokens", "seed")}
    assert wishes == {"temperature": 1, "p": 0.5, "stop_sequences": ["END"], "max_tokens": 7, "seed": 1}
    assert answered.made.dropped == ["logit_bias", "user"]
    body = await sent(provider, fake, "chat", say("chat", "?", reasoning_effort="none"))
    assert body["thinking"] == {"type": "disabled"}
    given = {"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5, "max_tokens": 3000}
    body = await sent(provider, fake, "messages", say("messages", "?", **given))
    assert (body["thinking"], body["k"]) == ({"type": "enabled", "token_budget": 2000}, 5)


@pytest.mark.parametrize(
    ("given", "told", "left"),
    [
        ({"top_p": 1, "presence_penalty": 1.5}, {"p": 0.99, "presence_penalty": 1}, []),
        ({"top_p": 0, "frequency_penalty": 0.5}, {"p": 0.01, "frequency_penalty": 0.5}, []),
        ({"frequency_penalty": -1}, {"frequency_penalty": 0}, ["frequency_penalty"]),
    ],
)
async def test_wishes_are_within_its_ranges(
    provider: CohereProvider, fake: FakeCohere, given: dict[str, Any], told: dict[str, Any], left: list[str]
) -> None:
    answered = await ask(provider, endpoint(fake), "chat", say("chat", "?", **given), stream=False)
    assert (told.items() <= fake.seen[-1].body.items(), answered.made.dropped) == (True, left)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_plan_is_a_thought(provider: CohereProvider, fake: FakeCohere, stream: bool) -> None:
    found = await ask(provider, endpoint(fake, "tool-plan"), "chat", stream=stream)
    assert found.told.thought.strip() == "I will look."
    assert found.told.calls == [("get_weather", '{"city":"Zürich"}')]
    assert (await ask(provider, endpoint(fake, "citations"), "chat", stream=stream)).told.text == TEXT


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_billed_is_booked(provider: CohereProvider, fake: FakeCohere, stream: bool) -> None:
    usage = {"billed_units": {"input_tokens": 5, "output_tokens": 6}, "tokens": {"input_tokens": 90}}
    found = await ask(provider, endpoint(fake, Scenario(usage=usage)), "chat", stream=stream)
    assert found.made.usage == Usage(input_uncached=5, output=6)
    assert found.made.raw_usage == usage
    usage = {"tokens": {"input_tokens": 90, "output_tokens": 7}}
    found = await ask(provider, endpoint(fake, Scenario(usage=usage)), "chat", stream=stream)
    assert found.made.usage == Usage(input_uncached=90, output=7)


# Vectors


async def test_one_call_takes_so_many_texts(provider: CohereProvider, fake: FakeCohere) -> None:
    """More of them SQL sends elsewhere: they are never split into calls that the books would not know."""
    calls = len(fake.seen)
    answer, _ = await plain(provider, endpoint(fake), "embeddings", {"input": ["a"] * MOST_TEXTS})
    assert len(answer["data"]) == MOST_TEXTS
    failed, made, _ = await fails(
        provider, endpoint(fake), "embeddings", {"input": ["a"] * (MOST_TEXTS + 1)}, stream=False
    )
    assert (failed.error_class, failed.customer_fault, made.usage) == ("bad_request", True, None)
    assert len(fake.seen) == calls + 2


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("embed-v4.0", None, "search_document"),
        ("embed-v4.0", "query", "search_query"),
        ("embed-v4.0", "document", "search_document"),
        ("embed-v4.0:query", None, "search_query"),
        ("embed-v4.0:query", "document", "search_document"),
    ],
)
async def test_questions_and_documents_are_embedded_apart(
    provider: CohereProvider, fake: FakeCohere, model: str, kind: str | None, said: str
) -> None:
    given = {"input": ["a", "b"], "dimensions": 3, **({"input_type": kind} if kind else {})}
    answer, made = await plain(provider, endpoint(fake), "embeddings", given, upstream_model=model)
    assert fake.seen[-1].body == {
        "model": "embed-v4.0",
        "texts": ["a", "b"],
        "embedding_types": ["float"],
        "input_type": said,
        "output_dimension": 3,
    }
    assert [one["embedding"] for one in answer["data"]] == [[0.0, 0.125, 0.25], [1.0, 0.125, 0.25]]
    assert (made.usage, made.usage_source) == (Usage(input_uncached=10, output=0), "provider_final")
    assert answer["usage"]["prompt_tokens"] == 10


async def test_vectors_in_base64(provider: CohereProvider, fake: FakeCohere) -> None:
    given = {"input": "a", "encoding_format": "base64"}
    answer, _ = await plain(provider, endpoint(fake), "embeddings", given)
    packed = base64.b64decode(answer["data"][0]["embedding"])
    assert struct.unpack("<4f", packed) == (0.0, 0.125, 0.25, 0.375)
    failed, _, _ = await fails(provider, endpoint(fake), "embeddings", {"input": [1, 2]})
    assert (failed.error_class, failed.failover, failed.param) == ("bad_request", True, "input")
    _, made = await plain(provider, endpoint(fake, "no-usage"), "embeddings", given)
    assert made.usage is None


# Ranks


async def test_ranks_pass_untouched_and_are_billed_by_the_search(provider: CohereProvider, fake: FakeCohere) -> None:
    ours = {"metadata": {"team": "a"}, "type": "t", "priority": "high"}
    given = {**RERANK, **ours, "return_documents": True, "rank": None}
    answer, made = await plain(provider, endpoint(fake), "rerank", given, upstream_model="rerank-v4.0")
    assert fake.seen[-1].body == {"model": "rerank-v4.0", **RERANK}
    assert answer["results"] == [{"index": 2, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.25}]
    assert made.usage == Usage(input_uncached=0, output=0, other={"search": 1})
    assert made.dropped == ["return_documents"]
    assert (made.finish_reason, made.usage_source) == ("stop", "provider_final")
    failed, _, _ = await fails(provider, endpoint(fake, "error-in-200"), "rerank", RERANK)
    assert failed.error_class == "server_error"


# Errors and keys


@pytest.mark.parametrize(
    ("scenario", "error_class"),
    [
        ("deny-listed", "content_policy"),
        (Scenario(refuse=499), "server_error"),
        (Scenario(refuse=422), "bad_request"),
        (Scenario(refuse=402), "money_dead"),
        (Scenario(refuse=504), "timeout"),
        (Scenario(refuse=429, error={"message": "You are using a Trial key, limited to 1000 calls"}), "money_dead"),
        (Scenario(refuse=400, error={"message": "too many tokens: 200000"}), "context_too_long"),
        (Scenario(refuse=404, error={"message": "model 'x' not found"}), "bad_request"),
    ],
)
async def test_its_errors(
    provider: CohereProvider, fake: FakeCohere, scenario: str | Scenario, error_class: str
) -> None:
    for surface, body in (("chat", None), ("rerank", RERANK), ("embeddings", {"input": "a"})):
        failed, _, _ = await fails(provider, endpoint(fake, scenario), surface, body)
        assert failed.error_class == error_class


@pytest.mark.parametrize(("ends", "error_class"), [("ERROR", "server_error"), ("TIMEOUT", "timeout")])
@pytest.mark.parametrize("stream", [False, True])
async def test_ends_that_are_failures(
    provider: CohereProvider, fake: FakeCohere, ends: str, error_class: str, stream: bool
) -> None:
    failed, _, _ = await fails(provider, endpoint(fake, Scenario(ends=ends)), stream=stream)
    assert failed.error_class == error_class


@pytest.mark.parametrize(
    ("scenario", "finding"),
    [("ok", "accepted"), (Scenario(refuse=401), "refused"), (Scenario(refuse=500), "unreachable")],
)
async def test_keys_are_tried(
    provider: CohereProvider, fake: FakeCohere, scenario: str | Scenario, finding: str
) -> None:
    inquiry = Inquiry(endpoint(fake, scenario), msgspec.Raw(b"{}"), Secret("k"))
    assert await provider.validate(inquiry) == finding
    assert fake.asked[-1].route == "/v1/models"


async def test_tokens_are_estimated_and_pictures_not_drawn(provider: CohereProvider, fake: FakeCohere) -> None:
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(None), surface="count_tokens"), made, output)
    assert json.loads(output.data)["input_tokens"] > 0
    failed, _, _ = await fails(provider, endpoint(fake), "images", {"prompt": "x"})
    assert (failed.error_class, failed.customer_fault) == ("bad_request", False)
