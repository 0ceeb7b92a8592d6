"""The adapter for Anthropic's Messages: what passes untouched, what is translated, and what each costs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from litestar_app import requests
from onevault.tokens import Secret
from tests_py.providers.anthropic import FakeAnthropic, usage
from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.worker.adapters import PDF, PNG, SCHEMA, ask, fails, files, opened, say, structured, tools
from tests_py.worker.kit import Remembered, attempt, call, candidate
from worker.dialects.messages_request import MOST_SEARCHES
from worker.providers.anthropic import AnthropicProvider
from worker.providers.base import CallFailed, Inquiry
from worker.providers.openai import OpenAIProvider
from worker.shapes import Candidate, Usage

USED = Usage(input_uncached=15, cache_read=3, cache_write=6, output=10, reasoning=2, other={"cache_write_1h": 4})
SAID: dict[str, Any] = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
TRANSLATED = ("chat", "responses")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAnthropic]:
    with FakeAnthropic() as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[AnthropicProvider]:
    async with opened(AnthropicProvider) as provider:
        yield provider


async def sent(
    provider: AnthropicProvider, fake: FakeAnthropic, grammar: str, body: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    answered = await ask(provider, fake.endpoint() + "/v1", grammar, body, stream=False)
    return fake.seen[-1].body, answered.made.dropped


def where(fake: FakeAnthropic, scenario: str | Scenario = "ok") -> str:
    return fake.endpoint(scenario) + "/v1"


# His own grammar


async def test_his_own_words_pass_untouched(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    given = SAID | {"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}], "top_k": 5}
    body = given | {"model": "auto", "type": "t", "priority": "p", "max_cost": 1, "session_id": "s"}
    found = await ask(provider, where(fake, "thinking-tools"), "messages", body, stream=False)
    assert fake.seen[-1].body == given | {"model": "fast-1-2026"}
    assert fake.seen[-1].headers["x-api-key"] == "k"
    answer = json.loads(found.output.data)
    assert [block["type"] for block in answer["content"]] == ["thinking", "tool_use"]
    assert (found.made.usage, found.made.usage_source, found.made.service_tier) == (USED, "provider_final", "standard")
    assert (found.made.raw_usage or {})["cache_creation"] == usage()["cache_creation"]


@pytest.mark.parametrize("form", ["ok", "crlf", "comments", "bytewise", "in-one", "usage-every-chunk"])
async def test_his_own_stream_in_every_form(provider: AnthropicProvider, fake: FakeAnthropic, form: str) -> None:
    found = await ask(provider, where(fake, form), "messages", SAID, stream=True)
    assert (found.told.text, found.told.end) == (TEXT, "end_turn")
    assert (found.made.usage, found.made.usage_source) == (USED, "provider_final")
    assert found.made.output_bytes == len(TEXT.encode())
    assert b"message_stop" in found.output.last, "the end waits for the booking"
    assert b"message_stop" not in found.output.data


async def test_a_stream_that_is_cut_keeps_what_it_read(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    """The input is told at the start and exact; what was said is estimated."""
    failed, made, output = await fails(provider, where(fake, "cut-after-6"), "messages", SAID, stream=True)
    assert (failed.error_class, b"Hello" in output.data) == ("truncated_stream", True)
    expected = msgspec.structs.replace(USED, output=None, reasoning=None)
    assert (made.usage, made.usage_source) == (expected, "provider_partial")
    failed, _, output = await fails(provider, where(fake, "cut-after-3"), "messages", SAID, stream=True)
    assert output.data == b"", "another may still answer"


async def test_searches_and_other_ends(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    for stream in (False, True):
        found = await ask(provider, where(fake, "search"), "messages", SAID, stream=stream)
        assert (found.made.usage and found.made.usage.other) == {"cache_write_1h": 4, "search": 1}
        assert found.told.text == TEXT
        for scenario, end, reason in (("pause", "pause_turn", "stop"), ("refusal", "refusal", "content_filter")):
            found = await ask(provider, where(fake, scenario), "messages", SAID, stream=stream)
            assert (found.told.end, found.made.finish_reason) == (end, reason)
        found = await ask(provider, where(fake), "messages", SAID | {"max_tokens": 0}, stream=stream)
        assert fake.seen[-1].body["max_tokens"] == 0, "it fills the cache and says nothing"
        assert (found.told.text, found.made.usage and found.made.usage.output) == ("", 0)


async def test_the_limit_is_the_smallest(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    await ask(provider, where(fake), "messages", SAID | {"max_tokens": 9000}, stream=False)
    assert fake.seen[-1].body["max_tokens"] == 1000


async def test_versions_and_betas(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    async def told(settings: dict[str, Any], **headers: str) -> dict[str, str]:
        who = candidate(where(fake), settings=settings)
        asked = msgspec.structs.replace(call(who, SAID, surface="messages", key="k"), headers=headers)
        await provider.call(asked, attempt(), Remembered())
        return fake.seen[-1].headers

    headers = await told({}, **{"anthropic-beta": "a-1, b-2"})
    assert (headers["anthropic-beta"], headers["anthropic-version"]) == ("a-1,b-2", "2023-06-01")
    assert (await told({"betas": ["b-2"]}, **{"anthropic-beta": "a-1, b-2"}))["anthropic-beta"] == "b-2"
    assert "anthropic-beta" not in await told({"betas": []}, **{"anthropic-beta": "a-1"})
    assert (await told({"headers": {"X-Team": "a"}}))["x-team"] == "a"


async def test_a_chat_may_search(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    here = {"type": "approximate", "approximate": {"city": "Zürich", "region": None}}
    options = {"search_context_size": "high", "user_location": here}
    said = {"messages": [{"role": "user", "content": "Hello"}], "web_search_options": options}
    for stream in (False, True):
        found = await ask(provider, where(fake, "search"), "chat", said, stream=stream)
        assert fake.seen[-1].body["tools"] == [
            {
                "type": "web_search_20250305",
                "name": "web_search",
                "max_uses": MOST_SEARCHES,
                "user_location": {"type": "approximate", "city": "Zürich"},
            }
        ]
        assert found.made.usage is not None
        assert found.made.usage.other == {"cache_write_1h": 4, "search": 1}
        assert found.made.dropped == ["search_context_size"]
        assert found.made.finish_reason == "stop"


def test_as_many_searches_are_held_as_may_be_made() -> None:
    assert requests.MOST_SEARCHES == MOST_SEARCHES


async def test_a_beta_that_is_not_told_is_named(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    async def told(who: Candidate) -> tuple[str | None, list[str]]:
        asked, made = call(who, SAID, surface="messages", key="k"), attempt()
        await provider.call(msgspec.structs.replace(asked, headers={"anthropic-beta": "a-1, b-2"}), made, Remembered())
        return fake.seen[-1].headers.get("anthropic-beta"), made.dropped

    who = candidate(where(fake), settings={"betas": ["b-2", "c-3"]})
    assert await told(who) == ("b-2", ["anthropic-beta=a-1"])
    # SQL names what passes; a server's own list holds all the same.
    assert await told(msgspec.structs.replace(who, betas=("a-1",))) == (
        None,
        ["anthropic-beta=a-1", "anthropic-beta=b-2"],
    )
    assert await told(msgspec.structs.replace(candidate(where(fake)), betas=("a-1", "b-2"))) == ("a-1,b-2", [])


async def test_no_other_server_is_told_of_betas() -> None:
    with FakeOpenAI() as other:
        made = attempt()
        asked = call(candidate(other.endpoint()), SAID, surface="messages", key="k")
        async with opened(OpenAIProvider) as provider:
            await provider.call(msgspec.structs.replace(asked, headers={"anthropic-beta": "a-1"}), made, Remembered())
    assert made.dropped == ["anthropic-beta=a-1"]
    assert "anthropic-beta" not in other.seen[-1].headers


@pytest.mark.parametrize("surface", ["messages", "chat"])
@pytest.mark.parametrize("said", [b"{}", b'{"error":"boo"}', b'{"type":"message"}', b'{"message":"boo"}'])
async def test_what_is_no_message_is_no_answer(surface: str, said: bytes) -> None:
    """An object of somebody in between was an answer without words, and paid for."""
    given = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(said)))
    with pytest.raises(CallFailed) as failed:
        await AnthropicProvider(given).call(call(candidate(), SAID, surface=surface), attempt(), Remembered())
    assert (failed.value.error_class, failed.value.failover) == ("server_error", True)


async def test_tokens_are_counted(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(where(fake)), SAID, surface="count_tokens", key="k"), made, output)
    assert json.loads(output.data) == {"input_tokens": 15}
    assert fake.seen[-1].body == {"model": "fast-1-2026", "messages": SAID["messages"]}
    assert made.usage == Usage(input_uncached=0, output=0), "counting costs nothing"
    more = {"cache_control": {"type": "ephemeral"}, "container": "c", "temperature": 0.5, "speed": None}
    await provider.call(call(candidate(where(fake)), SAID | more, surface="count_tokens", key="k"), made, output)
    assert sorted(fake.seen[-1].body) == ["cache_control", "messages", "model"]
    assert made.dropped == ["container"], "what may count, and is not counted"


# Other grammars


@pytest.mark.parametrize("grammar", TRANSLATED)
async def test_pictures_and_documents(provider: AnthropicProvider, fake: FakeAnthropic, grammar: str) -> None:
    body, _ = await sent(provider, fake, grammar, say(grammar, files(grammar)))
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    source = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    document = {"type": "document", "source": source, "title": "a.pdf"}
    assert body["messages"][0]["content"] == [picture, document, {"type": "text", "text": "?"}]
    assert body["max_tokens"] == 1000, "it must be told"


@pytest.mark.parametrize("grammar", TRANSLATED)
async def test_tools_and_forms(provider: AnthropicProvider, fake: FakeAnthropic, grammar: str) -> None:
    choices = {
        "none": {"type": "none"},
        "required": {"type": "any"},
        "auto": {"type": "auto"},
    }
    for choice, said in choices.items():
        given = say(grammar, "?", tools=tools(grammar, "a"), tool_choice=choice, **structured(grammar))
        body, _ = await sent(provider, fake, grammar, given)
        assert body["tools"] == [{"name": "a", "description": "d", "input_schema": SCHEMA}]
        assert body["tool_choice"] == said
        assert body["output_config"]["format"] == {
            "type": "json_schema",
            "schema": SCHEMA | {"additionalProperties": False},
        }
    given = say(grammar, "?", tools=tools(grammar, "a"), parallel_tool_calls=False)
    body, _ = await sent(provider, fake, grammar, given)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


async def test_wishes(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    given = {"temperature": 2, "stop": "END", "user": "u", "seed": 1, "logprobs": True, "service_tier": "default"}
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", **given))
    told = {name: body[name] for name in ("temperature", "stop_sequences", "metadata", "service_tier")}
    expected = {"temperature": 1, "stop_sequences": ["END"], "metadata": {"user_id": "u"}}
    assert told == expected | {"service_tier": "standard_only"}
    assert dropped == ["logprobs", "seed"]
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", response_format={"type": "json_object"}))
    assert dropped == ["response_format"]
    body, _ = await sent(provider, fake, "responses", say("responses", "?", reasoning={"effort": "high"}))
    assert body["output_config"] == {"effort": "high"}
    body, _ = await sent(provider, fake, "chat", say("chat", "?", reasoning_effort="none"))
    assert body["thinking"] == {"type": "disabled"}


async def test_a_conversation_of_many_turns(provider: AnthropicProvider, fake: FakeAnthropic) -> None:
    said = {"id": "1", "type": "function", "function": {"name": "a", "arguments": '{"x":1}'}}
    more = {"id": "2", "type": "function", "function": {"name": "a", "arguments": ""}}
    turns: tuple[dict[str, Any], ...] = (
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "Wait.", "tool_calls": [said, more]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "y"}]},
        {"role": "user", "content": "And?"},
    )
    body, _ = await sent(provider, fake, "chat", say("chat", *turns))
    assert body["system"] == [{"type": "text", "text": "Be kind."}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    calls = [block["input"] for block in body["messages"][1]["content"][1:]]
    assert calls == [{"x": 1}, {}]
    kinds = [block["type"] for block in body["messages"][2]["content"]]
    assert kinds == ["tool_result", "tool_result", "text"], "results and what follows are one turn"


# Errors and keys


@pytest.mark.parametrize(
    ("scenario", "error_class", "wait"),
    [
        ("spend-limit", "money_dead", None),
        ("no-money", "money_dead", None),
        ("tier-limit", "money_dead", None),
        ("ramp-limit", "rate_limited", 7000),
        ("too-long", "context_too_long", None),
        ("status-413", "bad_request", None),
        ("status-504", "timeout", None),
        ("status-529", "overloaded", 2000),
        (Scenario(error_after=0), "overloaded", None),
    ],
)
async def test_its_errors(
    provider: AnthropicProvider, fake: FakeAnthropic, scenario: str | Scenario, error_class: str, wait: int | None
) -> None:
    for grammar in ("messages", "chat"):
        body = SAID if grammar == "messages" else None
        failed, made, output = await fails(provider, where(fake, scenario), grammar, body, stream=True)
        assert (failed.error_class, made.retry_after_ms, output.data) == (error_class, wait, b"")


@pytest.mark.parametrize("surface", ["embeddings", "images", "rerank"])
async def test_other_routes_are_not_served(provider: AnthropicProvider, fake: FakeAnthropic, surface: str) -> None:
    failed, _, _ = await fails(provider, where(fake), surface, {"input": "x"})
    assert (failed.error_class, failed.failover, failed.customer_fault) == ("bad_request", True, False)


@pytest.mark.parametrize(
    ("scenario", "finding"),
    [("ok", "accepted"), (Scenario(refuse=401), "refused"), (Scenario(refuse=529), "unreachable")],
)
async def test_keys_are_tried(
    provider: AnthropicProvider, fake: FakeAnthropic, scenario: str | Scenario, finding: str
) -> None:
    assert await provider.validate(Inquiry(where(fake, scenario), msgspec.Raw(b"{}"), Secret("k"))) == finding
