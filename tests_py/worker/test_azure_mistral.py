"""OpenAI's adapter at servers that differ: Azure's deployments, and Mistral's own server."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from onevault.tokens import Secret
from tests_py.providers.mistral import FakeMistral
from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import TEXT, Scenario, ToolCall
from tests_py.providers.server import Seen
from tests_py.worker.adapters import GRAMMARS, PNG, SCHEMA, ask, fails, files, opened, question, say, structured, tools
from tests_py.worker.kit import Remembered, attempt
from worker.providers.base import Inquiry
from worker.providers.openai import AZURE, MISTRAL, OpenAIProvider
from worker.shapes import Attempt, Usage

TRANSLATED: dict[str, Any] = {"upstream_model": "magistral-medium"}
VERSION = "api-version=2024-10-21"


@pytest.fixture(scope="module")
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeMistral]:
    with FakeMistral() as server:
        yield server


@pytest.fixture
async def azure() -> AsyncIterator[OpenAIProvider]:
    async with opened(lambda transport: OpenAIProvider(transport, AZURE)) as provider:
        yield provider


@pytest.fixture
async def mistral() -> AsyncIterator[OpenAIProvider]:
    async with opened(lambda transport: OpenAIProvider(transport, MISTRAL)) as provider:
        yield provider


async def plain(provider: OpenAIProvider, endpoint: str, surface: str, **body: Any) -> tuple[dict[str, Any], Attempt]:
    output, made = Remembered(), attempt()
    await provider.call(question(endpoint, surface, body, upstream_model="d1"), made, output)
    return json.loads(output.data), made


# Azure


async def test_deployments_have_paths_of_their_own(azure: OpenAIProvider, openai: FakeOpenAI) -> None:
    def asked() -> str:
        seen: Seen = openai.seen[-1]
        assert seen.headers["api-key"] == "k"
        assert "authorization" not in seen.headers
        return seen.path.removeprefix("/ok")

    found = await ask(azure, openai.root(), "chat", stream=True, upstream_model="d1")
    assert (found.told.text, asked()) == (TEXT, f"/openai/deployments/d1/chat/completions?{VERSION}")
    assert openai.seen[-1].body["max_completion_tokens"] == 1000
    answer, made = await plain(azure, openai.root(), "embeddings", input="a", input_type="query")
    assert (len(answer["data"]), asked()) == (1, f"/openai/deployments/d1/embeddings?{VERSION}")
    assert made.usage == Usage(input_uncached=5, output=0)
    answer, made = await plain(azure, openai.root(), "images", prompt="a")
    assert (len(answer["data"]), asked()) == (1, f"/openai/deployments/d1/images/generations?{VERSION}")


async def test_another_version_can_be_set(azure: OpenAIProvider, openai: FakeOpenAI) -> None:
    settings = {"query": {"api-version": "preview"}}
    await ask(azure, openai.root(), "chat", stream=False, settings=settings, upstream_model="d1")
    assert openai.seen[-1].path.endswith("?api-version=preview")


@pytest.mark.parametrize("stream", [False, True])
async def test_responses_where_they_are_served(azure: OpenAIProvider, openai: FakeOpenAI, stream: bool) -> None:
    body = say("responses", "Hello")
    found = await ask(azure, openai.root(), "responses", body, stream=stream, upstream_model="d1")
    assert (found.told.text, found.told.end) == (TEXT, "completed")
    assert openai.seen[-1].route.endswith("/deployments/d1/chat/completions"), "translated"
    settings = {"responses": True}
    found = await ask(azure, openai.root(), "responses", body, stream=stream, upstream_model="d1", settings=settings)
    assert (found.told.text, found.told.end) == (TEXT, "completed")
    assert openai.seen[-1].path == "/ok/openai/v1/responses"
    sent = openai.seen[-1].body
    assert (sent["model"], sent["store"], sent["max_output_tokens"]) == ("d1", False, 1000)


@pytest.mark.parametrize("stream", [False, True])
async def test_messages_are_translated(azure: OpenAIProvider, openai: FakeOpenAI, stream: bool) -> None:
    endpoint = openai.root("text-and-tools")
    given = say("messages", "?", tools=tools("messages", "get_weather"), max_tokens=9, **structured("messages"))
    found = await ask(azure, endpoint, "messages", given, stream=stream, upstream_model="d1")
    assert [name for name, _ in found.told.calls] == ["get_weather", "get_time"]
    assert (found.told.text, found.told.end) == (TEXT, "tool_use")
    sent = openai.seen[-1].body
    assert (sent["max_completion_tokens"], sent["response_format"]["json_schema"]["schema"]) == (9, SCHEMA)
    assert sent["tools"][0]["function"]["parameters"] == SCHEMA


@pytest.mark.parametrize(
    ("scenario", "error_class", "wait"),
    [
        ("no-money", "money_dead", None),
        ("too-long", "context_too_long", None),
        ("policy", "content_policy", None),
        ("slow-down", "rate_limited", 1500),
        (Scenario(refuse=429, headers=("retry-after: -1",)), "rate_limited", None),
        (Scenario(refuse=400, code="ResponsibleAIPolicyViolation"), "content_policy", None),
    ],
)
async def test_its_errors(
    azure: OpenAIProvider, openai: FakeOpenAI, scenario: str | Scenario, error_class: str, wait: int | None
) -> None:
    failed, made, _ = await fails(azure, openai.root(scenario), stream=True, upstream_model="d1")
    assert (failed.error_class, made.retry_after_ms) == (error_class, wait)


@pytest.mark.parametrize(("status", "finding"), [(None, "accepted"), (401, "refused"), (404, "unsupported")])
async def test_keys_are_tried(azure: OpenAIProvider, openai: FakeOpenAI, status: int | None, finding: str) -> None:
    inquiry = Inquiry(openai.root(Scenario(refuse=status)), msgspec.Raw(b"{}"), Secret("k"))
    assert await azure.validate(inquiry) == finding
    assert openai.asked[-1].route == "/openai/v1/models"


# Mistral


async def test_what_mistral_refuses_is_left_out(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    given: dict[str, Any] = {
        "seed": 7, "user": "u", "store": False, "logprobs": True, "verbosity": "low", "service_tier": "auto",
        "stream_options": {"include_usage": True}, "prompt_cache_key": "c", "temperature": 0.5,
    }  # fmt: skip
    for stream in (False, True):
        found = await ask(mistral, fake.endpoint(), "chat", say("chat", "?", **given), stream=stream)
        body = {name: value for name, value in fake.seen[-1].body.items() if name not in ("messages", "stream")}
        wishes = {"random_seed": 7, "prompt_cache_key": "c", "temperature": 0.5}
        assert body == {"model": "fast-1-2026", "max_tokens": 1000, **wishes}
        assert found.made.dropped == ["logprobs", "service_tier", "store", "user", "verbosity"]
        assert (found.told.text, found.made.usage) == (TEXT, Usage(input_uncached=19, output=10))
    nulls = dict.fromkeys(("refusal", "annotations", "audio", "function_call", "tool_calls"))
    turns = [
        {"role": "developer", "content": "Be kind."}, {"role": "user", "content": "?", "name": "bob"},
        {"role": "assistant", "content": "!", "reasoning_content": "x"} | nulls,
    ]  # fmt: skip
    found = await ask(mistral, fake.endpoint(), "chat", say("chat", *turns, "?"), stream=False)
    said = [(turn["role"], turn["content"]) for turn in fake.seen[-1].body["messages"]]
    assert said == [("system", "Be kind."), ("user", "?"), ("assistant", "!"), ("user", "?")]
    assert found.made.dropped == ["messages.name", "messages.reasoning_content"]
    given = say("messages", "?", metadata={"user_id": "u"}, top_k=3, max_tokens=9)
    found = await ask(mistral, fake.endpoint(), "messages", given, stream=False)
    assert found.made.dropped == ["top_k", "user"]


async def test_what_was_begun_goes_on_untranslated(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    begun = {"role": "assistant", "content": "It is"}
    await ask(mistral, fake.endpoint(), "chat", say("chat", "?", begun), stream=False)
    assert fake.seen[-1].body["messages"][1] == begun | {"prefix": True}


@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("stream", [False, True])
async def test_magistral_thinks_in_its_content(
    mistral: OpenAIProvider, fake: FakeMistral, grammar: str, stream: bool
) -> None:
    found = await ask(mistral, fake.endpoint("thinking"), grammar, stream=stream, **TRANSLATED)
    assert (found.told.thought, found.told.text) == ("Let me think.", TEXT)


@pytest.mark.parametrize("stream", [False, True])
async def test_whole_calls_that_are_all_counted_as_one(
    mistral: OpenAIProvider, fake: FakeMistral, stream: bool
) -> None:
    calls = (ToolCall("a", ("{}",), "one"), ToolCall("b", ("{}",), "two"), ToolCall("c", (), "three"))
    endpoint = fake.endpoint(Scenario(pieces=(), calls=calls))
    found = await ask(mistral, endpoint, "messages", stream=stream, **TRANSLATED)
    assert found.told.calls == [("a", "{}"), ("b", "{}"), ("c", "{}")]


@pytest.mark.parametrize("stream", [False, True])
async def test_no_more_room_is_an_end_by_length(mistral: OpenAIProvider, fake: FakeMistral, stream: bool) -> None:
    for grammar, end in (("chat", "length"), ("messages", "max_tokens"), ("responses", "max_output_tokens")):
        found = await ask(mistral, fake.endpoint(Scenario(ends="model_length")), grammar, stream=stream, **TRANSLATED)
        assert (found.told.end, found.made.finish_reason) == (end, "length")


async def test_one_answer_at_a_time_is_translated(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    before = len(fake.seen)
    failed, _, _ = await fails(mistral, fake.endpoint(), "chat", say("chat", "?", n=2), **TRANSLATED)
    assert (failed.error_class, failed.failover, failed.param) == ("bad_request", True, "n")
    assert len(fake.seen) == before, "two would be paid for, and one told"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_failed_is_paid_for(mistral: OpenAIProvider, fake: FakeMistral, stream: bool) -> None:
    failed, made, _ = await fails(mistral, fake.endpoint(Scenario(ends="error")), stream=stream, **TRANSLATED)
    assert (failed.error_class, made.usage) == ("server_error", Usage(input_uncached=19, output=10))


async def test_ids_of_calls_are_as_mistral_wants_them(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    uses: list[dict[str, Any]] = [
        {"type": "tool_use", "id": one, "name": "a", "input": {}} for one in ("toolu_01", "D681PevK1")
    ]
    gave = [{"type": "tool_result", "tool_use_id": use["id"], "content": "x"} for use in uses]
    turns = ({"role": "assistant", "content": uses}, {"role": "user", "content": gave})
    await ask(mistral, fake.endpoint(), "messages", say("messages", "?", *turns, max_tokens=9), stream=False)
    _, called, first, second = fake.seen[-1].body["messages"]
    ids = [one["id"] for one in called["tool_calls"]]
    assert (ids, ids[1]) == ([first["tool_call_id"], second["tool_call_id"]], "D681PevK1")
    assert re.fullmatch(r"[0-9a-f]{9}", ids[0])


async def test_pictures_go_to_mistral(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    await ask(mistral, fake.endpoint(), "messages", say("messages", files("messages", document=False)), stream=False)
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    assert fake.seen[-1].body["messages"][0]["content"] == [picture, {"type": "text", "text": "?"}]


async def test_vectors_of_mistral(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    answer, made = await plain(
        mistral, fake.endpoint(), "embeddings", input=["a", "b"], dimensions=3, input_type="query", user="u"
    )
    assert fake.seen[-1].body == {"model": "d1", "input": ["a", "b"], "output_dimension": 3}
    assert ([len(one["embedding"]) for one in answer["data"]], made.dropped) == ([3, 3], ["user"])
    assert made.usage == Usage(input_uncached=10, output=0)


@pytest.mark.parametrize(
    ("scenario", "error_class"),
    [
        ("status-401", "auth_dead"),
        ("status-422", "bad_request"),
        ("status-429", "rate_limited"),
        ("status-503", "overloaded"),
        (Scenario(error_after=0, code="rate_limited"), "rate_limited"),
        (Scenario(error_after=3, code="unreachable_backend"), "overloaded"),
        (Scenario(error_after=3), "server_error"),
    ],
)
async def test_mistrals_errors(
    mistral: OpenAIProvider, fake: FakeMistral, scenario: str | Scenario, error_class: str
) -> None:
    for who in ({}, TRANSLATED):
        failed, _, output = await fails(mistral, fake.endpoint(scenario), stream=True, **who)
        assert failed.error_class == error_class
        assert b"broke" not in output.data


async def test_what_nobody_serves(mistral: OpenAIProvider, fake: FakeMistral) -> None:
    failed, _, _ = await fails(mistral, fake.endpoint(), "rerank", {"query": "q", "documents": ["a"]})
    assert (failed.error_class, failed.failover, failed.customer_fault) == ("bad_request", True, False)
