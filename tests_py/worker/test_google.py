"""The adapter for Gemini, and for the same models on Vertex: what it is asked, what it says and what that costs."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from onevault.tokens import Secret
from tests_py.providers.google import FakeGoogle
from tests_py.providers.google import usage as used
from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.providers.stage import PNG as DRAWN
from tests_py.providers.stage import packed
from tests_py.worker.adapters import GRAMMARS, PDF, PNG, SCHEMA, ask, fails, files, opened, question, say, structured
from tests_py.worker.adapters import tools as tools_of
from tests_py.worker.kit import Remembered, attempt, call, candidate
from worker.providers.base import Inquiry
from worker.providers.google import GoogleProvider
from worker.shapes import Usage

OLD, NEW = "gemini-2.5-flash", "gemini-3-flash"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[GoogleProvider]:
    async with opened(GoogleProvider) as provider:
        yield provider


def where(fake: FakeGoogle, scenario: str | Scenario = "ok") -> str:
    return fake.endpoint(scenario) + "/v1beta"


async def sent(
    provider: GoogleProvider, fake: FakeGoogle, grammar: str, body: dict[str, Any], model: str = NEW
) -> tuple[dict[str, Any], list[str]]:
    answered = await ask(provider, where(fake), grammar, body, stream=False, upstream_model=model)
    return fake.seen[-1].body, answered.made.dropped


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_pictures_and_documents(provider: GoogleProvider, fake: FakeGoogle, grammar: str) -> None:
    body, _ = await sent(provider, fake, grammar, say(grammar, files(grammar)))
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    document = {"inlineData": {"mimeType": "application/pdf", "data": PDF}}
    assert body["contents"] == [{"role": "user", "parts": [picture, document, {"text": "?"}]}]
    assert body["generationConfig"] == {"maxOutputTokens": 1000}


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_tools_and_forms(provider: GoogleProvider, fake: FakeGoogle, grammar: str) -> None:
    given = say(grammar, "?", tools=tools_of(grammar, "a"), **structured(grammar))
    body, _ = await sent(provider, fake, grammar, given)
    declared = {"name": "a", "description": "d", "parametersJsonSchema": SCHEMA}
    assert body["tools"] == [{"functionDeclarations": [declared]}]
    config = body["generationConfig"]
    assert (config["responseMimeType"], config["responseJsonSchema"]) == ("application/json", SCHEMA)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "a"}}, {"mode": "ANY", "allowedFunctionNames": ["a"]}),
    ],
)
async def test_choices_of_tools(provider: GoogleProvider, fake: FakeGoogle, choice: Any, said: Any) -> None:
    body, _ = await sent(provider, fake, "chat", say("chat", "?", tools=tools_of("chat", "a"), tool_choice=choice))
    assert body["toolConfig"] == {"functionCallingConfig": said}


async def test_wishes(provider: GoogleProvider, fake: FakeGoogle) -> None:
    given = {"temperature": 1.5, "top_p": 0.5, "stop": "END", "max_tokens": 7, "seed": 1, "user": "u", "logprobs": True}
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", **given, service_tier="flex"))
    config = {"temperature": 1.5, "topP": 0.5, "stopSequences": ["END"], "maxOutputTokens": 7, "seed": 1}
    assert body["generationConfig"] == config | {"responseLogprobs": True}
    assert (body["serviceTier"], dropped) == ("flex", ["user"])
    failed, _, _ = await fails(provider, where(fake), "chat", say("chat", "?", n=2))
    assert (failed.error_class, failed.failover) == ("bad_request", True), "another can say it twice"


@pytest.mark.parametrize(
    ("model", "effort", "said"),
    [
        (OLD, "none", {"includeThoughts": False, "thinkingBudget": 0}),
        (OLD, "high", {"includeThoughts": True, "thinkingBudget": 24576}),
        (NEW, "low", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        (NEW, "minimal", {"includeThoughts": True, "thinkingLevel": "MINIMAL"}),
        ("gemini-3-pro-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        (NEW, "max", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
    ],
)
async def test_effort(provider: GoogleProvider, fake: FakeGoogle, model: str, effort: str, said: Any) -> None:
    body, _ = await sent(provider, fake, "chat", say("chat", "?", reasoning_effort=effort), model)
    assert body["generationConfig"]["thinkingConfig"] == said


async def test_a_budget_of_thoughts(provider: GoogleProvider, fake: FakeGoogle) -> None:
    given = {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 3000, "top_k": 5}
    body, _ = await sent(provider, fake, "messages", say("messages", "?", **given), OLD)
    config = body["generationConfig"]
    assert (config["thinkingConfig"], config["topK"]) == ({"includeThoughts": True, "thinkingBudget": 2000}, 5)
    for model, most in ((OLD, 24576), ("gemini-2.5-pro", 31999), (NEW, 31999)):
        given["thinking"] = {"type": "enabled", "budget_tokens": 31999}
        body, _ = await sent(provider, fake, "messages", say("messages", "?", **given), model)
        assert body["generationConfig"]["thinkingConfig"]["thinkingBudget"] == most


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("gemini-2.5-pro", {"thinkingBudget": 128}),
        ("gemini-3-pro-preview", {"thinkingLevel": "LOW"}),
        (NEW, {"thinkingLevel": "MINIMAL"}),
    ],
)
async def test_who_cannot_but_think_thinks_little(
    provider: GoogleProvider, fake: FakeGoogle, model: str, said: Any
) -> None:
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", reasoning_effort="none"), model)
    assert body["generationConfig"]["thinkingConfig"] == {"includeThoughts": False} | said
    assert dropped == ["reasoning_effort"]


async def test_a_conversation_with_calls(provider: GoogleProvider, fake: FakeGoogle) -> None:
    use = {"type": "tool_use", "id": "1", "name": "a", "input": {"x": 1}}
    gave = {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": "No."}
    turns = ({"role": "assistant", "content": [use]}, {"role": "user", "content": [gave]})
    body, _ = await sent(provider, fake, "messages", say("messages", "?", *turns, system="Be kind.", max_tokens=9))
    assert body["systemInstruction"] == {"parts": [{"text": "Be kind."}]}
    response = {"functionResponse": {"name": "a", "response": {"error": "No."}}}
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"name": "a", "args": {"x": 1}},
                    "thoughtSignature": "skip_thought_signature_validator",
                }
            ],
        },
        {"role": "user", "parts": [response]},
    ]


# Answers


@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_that_is_blocked(provider: GoogleProvider, fake: FakeGoogle, grammar: str, stream: bool) -> None:
    """It was read all the same, and is charged for."""
    found = await ask(provider, where(fake, "blocked"), grammar, stream=stream)
    assert (found.made.finish_reason, found.told.text) == ("content_filter", "")
    assert found.made.usage is not None
    assert (found.made.usage.input_uncached, found.made.usage.output) == (19, 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_picture_is_drawn(provider: GoogleProvider, fake: FakeGoogle, stream: bool) -> None:
    found = await ask(provider, where(fake, "image"), "chat", stream=stream)
    assert (found.told.images, found.told.text) == (1, TEXT)
    assert base64.b64encode(DRAWN) in found.output.data
    assert found.made.usage is not None
    assert (found.made.usage.output, found.made.usage.other) == (13, {"output_image": 1290})


@pytest.mark.parametrize("ends", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"])
@pytest.mark.parametrize("stream", [False, True])
async def test_calls_that_went_wrong(provider: GoogleProvider, fake: FakeGoogle, ends: str, stream: bool) -> None:
    failed, made, _ = await fails(provider, where(fake, Scenario(ends=ends)), stream=stream)
    assert failed.error_class == "server_error"
    assert made.usage is not None, "it is paid for all the same"
    assert made.usage.output


@pytest.mark.parametrize("stream", [False, True])
async def test_searches_and_tiers(provider: GoogleProvider, fake: FakeGoogle, stream: bool) -> None:
    details = {"groundingMetadata": {"webSearchQueries": ["a", "b"]}}
    told = used() | {"trafficType": "ON_DEMAND_FLEX"}
    found = await ask(provider, where(fake, Scenario(details=details, usage=told)), "chat", stream=stream)
    assert found.made.usage == Usage(
        input_uncached=21, cache_read=4, cache_write=0, output=13, reasoning=3, other={"search": 2}
    )
    assert found.made.service_tier == "flex"


@pytest.mark.parametrize("stream", [False, True])
async def test_the_tier_that_served(provider: GoogleProvider, fake: FakeGoogle, stream: bool) -> None:
    """Who asks for priority may be served, and charged, by the standard."""
    given = say("chat", "?", service_tier="priority")
    for told in (
        Scenario(headers=("x-gemini-service-tier: standard",)),
        Scenario(usage=used() | {"serviceTier": "STANDARD"}),
    ):
        found = await ask(provider, where(fake, told), "chat", given, stream=stream)
        assert (fake.seen[-1].body["serviceTier"], found.made.service_tier) == ("priority", "standard")
    assert (await ask(provider, where(fake), "chat", stream=stream)).made.service_tier is None


async def test_sound_is_counted_apart(provider: GoogleProvider, fake: FakeGoogle) -> None:
    sound = [{"modality": "TEXT", "tokenCount": 9}, {"modality": "AUDIO", "tokenCount": 10}]
    kept = [{"modality": "AUDIO", "tokenCount": 3}]
    told = used() | {"promptTokensDetails": sound, "cacheTokensDetails": kept, "cachedContentTokenCount": 4}
    found = await ask(provider, where(fake, Scenario(usage=told)), "chat", stream=False)
    assert found.made.usage is not None
    assert found.made.usage.other == {"input_audio": 7, "cache_read_audio": 3}
    assert (found.made.usage.input_uncached, found.made.usage.cache_read) == (14, 1)


# Vectors, counts, Vertex


@pytest.mark.parametrize(
    ("model", "kind", "task"),
    [
        ("gemini-embedding-001", None, None),
        ("gemini-embedding-001", "query", "RETRIEVAL_QUERY"),
        ("gemini-embedding-001:document", None, "RETRIEVAL_DOCUMENT"),
    ],
)
async def test_vectors(
    provider: GoogleProvider, fake: FakeGoogle, model: str, kind: str | None, task: str | None
) -> None:
    given = {"input": ["a", "b"], "dimensions": 3, "encoding_format": "base64", "input_type": kind}
    output, made = Remembered(), attempt()
    await provider.call(question(where(fake), "embeddings", given, upstream_model=model), made, output)
    name = "models/gemini-embedding-001"
    assert fake.seen[-1].route == f"/v1beta/{name}:batchEmbedContents"
    request = fake.seen[-1].body["requests"][0]
    assert (request["model"], request["content"]) == (name, {"parts": [{"text": "a"}]})
    assert (request["outputDimensionality"], request.get("taskType")) == (3, task)
    answer = json.loads(output.data)
    assert answer["data"][1]["embedding"] == packed([1.0, 0.125, 0.25])
    assert made.usage == Usage(input_uncached=10, output=0)


async def test_vectors_of_vertex(provider: GoogleProvider, fake: FakeGoogle) -> None:
    for scenario, usage in (("ok", Usage(input_uncached=10, output=0)), ("no-usage", None)):
        endpoint = fake.endpoint(scenario) + "/v1/projects/p/locations/l/publishers/google"
        given = {"input": ["a", "b"], "dimensions": 3, "encoding_format": "base64", "input_type": "query"}
        output, made = Remembered(), attempt()
        who: Any = {"upstream_model": "text-embedding-005", "settings": {"vertex": True}}
        await provider.call(question(endpoint, "embeddings", given, **who), made, output)
        assert fake.seen[-1].route.endswith("/publishers/google/models/text-embedding-005:predict")
        instances = [{"content": text, "task_type": "RETRIEVAL_QUERY"} for text in ("a", "b")]
        assert fake.seen[-1].body == {"instances": instances, "parameters": {"outputDimensionality": 3}}
        assert json.loads(output.data)["data"][1]["embedding"] == packed([1.0, 0.125, 0.25])
        assert made.usage == usage


async def test_tokens_are_counted(provider: GoogleProvider, fake: FakeGoogle) -> None:
    for settings, field in (({}, "generateContentRequest"), ({"vertex": True}, "contents")):
        endpoint = where(fake) if not settings else fake.endpoint() + "/v1/projects/p/locations/l/publishers/google"
        output, made = Remembered(), attempt()
        who = candidate(endpoint, settings=settings)
        await provider.call(call(who, say("messages", "?"), surface="count_tokens", key="k"), made, output)
        assert json.loads(output.data) == {"input_tokens": 19}
        assert field in fake.seen[-1].body
        assert made.usage == Usage(input_uncached=0, output=0)


@pytest.mark.parametrize("stream", [False, True])
async def test_vertex_is_the_same_elsewhere(provider: GoogleProvider, fake: FakeGoogle, stream: bool) -> None:
    endpoint = fake.endpoint() + "/v1/projects/p/locations/l/publishers/google"
    found = await ask(provider, endpoint, "messages", stream=stream, settings={"vertex": True})
    assert found.told.text == TEXT
    assert fake.seen[-1].headers["authorization"] == "Bearer k"
    assert "x-goog-api-key" not in fake.seen[-1].headers
    assert ("alt=sse" in fake.seen[-1].path) == stream


# Errors and keys


@pytest.mark.parametrize(
    ("scenario", "error_class", "wait"),
    [
        ("minute-limit", "rate_limited", 22000),
        ("day-limit", "money_dead", None),
        ("bad-key", "auth_dead", None),
        ("too-long", "context_too_long", None),
        ("status-504", "timeout", None),
        (Scenario(error_after=0), "overloaded", None),
    ],
)
async def test_its_errors(
    provider: GoogleProvider, fake: FakeGoogle, scenario: str | Scenario, error_class: str, wait: int | None
) -> None:
    for grammar in GRAMMARS:
        failed, made, output = await fails(provider, where(fake, scenario), grammar, stream=True)
        assert (failed.error_class, made.retry_after_ms, output.data) == (error_class, wait, b"")


@pytest.mark.parametrize("surface", ["images", "image_edits", "rerank"])
async def test_other_routes_are_not_served(provider: GoogleProvider, fake: FakeGoogle, surface: str) -> None:
    failed, _, _ = await fails(provider, where(fake), surface, {"prompt": "x"})
    assert (failed.error_class, failed.failover, failed.customer_fault) == ("bad_request", True, False)


@pytest.mark.parametrize(
    ("scenario", "finding"),
    [
        ("ok", "accepted"),
        ("bad-key", "refused"),
        (Scenario(refuse=403), "refused"),
        (Scenario(refuse=503), "unreachable"),
    ],
)
async def test_keys_are_tried(
    provider: GoogleProvider, fake: FakeGoogle, scenario: str | Scenario, finding: str
) -> None:
    assert await provider.validate(Inquiry(where(fake, scenario), msgspec.Raw(b"{}"), Secret("k"))) == finding


async def test_results_find_their_calls(provider: GoogleProvider, fake: FakeGoogle) -> None:
    calls = [
        {"id": name, "type": "function", "function": {"name": "f", "arguments": json.dumps({"x": name})}}
        for name in "ab"
    ]
    results = [{"role": "tool", "tool_call_id": name, "content": f"of {name}"} for name in "ba"]
    given = say("chat", "?", {"role": "assistant", "content": None, "tool_calls": calls}, *results)
    body, _ = await sent(provider, fake, "chat", given)
    told = [part["functionResponse"]["response"]["result"] for part in body["contents"][2]["parts"]]
    assert told == ["of a", "of b"]


async def test_how_likely_the_words_were(provider: GoogleProvider, fake: FakeGoogle) -> None:
    one, other = {"token": "ü", "logProbability": -0.5}, {"token": "u", "logProbability": -1.5}
    found = {"logprobsResult": {"chosenCandidates": [one], "topCandidates": [{"candidates": [one, other]}]}}
    scenario = Scenario(pieces=("ü",), details=found)
    said = {"token": "ü", "logprob": -0.5, "bytes": [195, 188]}
    top = [said, {"token": "u", "logprob": -1.5, "bytes": [117]}]
    for stream in (False, True):
        given = say("chat", "?", logprobs=True, top_logprobs=2)
        answered = await ask(provider, where(fake, scenario), "chat", given, stream=stream, upstream_model=NEW)
        lines = answered.output.data.decode().splitlines()
        chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith(("{", "data: {"))]
        odds = [choice["logprobs"] for chunk in chunks for choice in chunk["choices"] if choice["logprobs"]]
        assert odds == [{"content": [said | {"top_logprobs": top}], "refusal": None}]
        assert answered.made.dropped == []


async def test_sound(provider: GoogleProvider, fake: FakeGoogle) -> None:
    heard = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    body, _ = await sent(provider, fake, "chat", say("chat", {"role": "user", "content": [heard]}))
    assert body["contents"][0]["parts"] == [{"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}]


async def test_a_picture_is_an_item(provider: GoogleProvider, fake: FakeGoogle) -> None:
    answered = await ask(provider, where(fake, "image"), "responses", stream=False, upstream_model=NEW)
    (made,) = [one for one in json.loads(answered.output.data)["output"] if one["type"] == "image_generation_call"]
    assert (made["status"], base64.b64decode(made["result"])) == ("completed", DRAWN)


async def test_of_embeddings_what_is_left_out_is_named(provider: GoogleProvider, fake: FakeGoogle) -> None:
    given = {"input": "a", "user": "u", "encoding_format": "float", "dimensions": 3, "truncation": None}
    output, made = Remembered(), attempt()
    await provider.call(question(where(fake), "embeddings", given, upstream_model=NEW), made, output)
    assert made.dropped == ["user"]


async def test_a_picture_by_its_address_has_a_type(provider: GoogleProvider, fake: FakeGoogle) -> None:
    for url, more in (("https://x/a.png?b=c.d", {"mimeType": "image/png"}), ("https://x/a", {})):
        part = {"type": "image_url", "image_url": {"url": url}}
        body, _ = await sent(provider, fake, "chat", say("chat", [part]))
        assert body["contents"][0]["parts"] == [{"fileData": {"fileUri": url} | more}]
