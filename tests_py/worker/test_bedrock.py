"""The adapter for Amazon Bedrock: what it asks, checked by Amazon's own description, signed; frames in every state."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from onevault.tokens import Secret
from tests_py.providers.bedrock import ACCESS_KEY, SECRET, FakeBedrock
from tests_py.providers.eventstream import frame
from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.worker.adapters import (
    CANARY,
    GRAMMARS,
    PDF,
    PNG,
    SCHEMA,
    ask,
    fails,
    files,
    opened,
    say,
    structured,
    tools,
)
from tests_py.worker.kit import Remembered, attempt, call, candidate
from worker.providers.base import CallFailed, Inquiry
from worker.providers.bedrock import BedrockProvider
from worker.providers.eventstream import FrameCutter
from worker.providers.sse import EventTooLong

KEY = f"{ACCESS_KEY}:{SECRET}"
CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA, LLAMA = "amazon.nova-2-lite-v1:0", "meta.llama3-70b-instruct-v1:0"
HERE: dict[str, Any] = {"key": KEY, "settings": {"region": "eu-central-1"}}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeBedrock]:
    with FakeBedrock() as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[BedrockProvider]:
    async with opened(BedrockProvider) as provider:
        yield provider


async def sent(
    provider: BedrockProvider, fake: FakeBedrock, grammar: str, body: dict[str, Any], model: str = CLAUDE
) -> tuple[dict[str, Any], list[str]]:
    """What of a question reached the provider, and what was left out."""
    endpoint = fake.endpoint()
    answered = await ask(provider, endpoint, grammar, body, stream=False, upstream_model=model, **HERE)
    return fake.seen[-1].body, answered.made.dropped


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_pictures_and_documents(provider: BedrockProvider, fake: FakeBedrock, grammar: str) -> None:
    body, _ = await sent(provider, fake, grammar, say(grammar, files(grammar), "And?"))
    picture = {"image": {"format": "png", "source": {"bytes": PNG}}}
    document = {"document": {"format": "pdf", "name": "a pdf", "source": {"bytes": PDF}}}
    assert body["messages"] == [{"role": "user", "content": [picture, document, {"text": "?"}, {"text": "And?"}]}]
    assert fake.seen[-1].route == f"/model/{CLAUDE.replace(':', '%3A')}/converse"


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_tools_and_forms(provider: BedrockProvider, fake: FakeBedrock, grammar: str) -> None:
    given = say(grammar, "?", tools=tools(grammar, "a", "b"), **structured(grammar))
    body, _ = await sent(provider, fake, grammar, given)
    spec = {"name": "a", "description": "d", "inputSchema": {"json": SCHEMA}}
    assert body["toolConfig"]["tools"][0] == {"toolSpec": spec}
    form = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(form["schema"]) == SCHEMA | {"additionalProperties": False}


CHOICES: tuple[tuple[Any, Any], ...] = (
    ("auto", {"auto": {}}),
    ("required", {"any": {}}),
    ({"type": "function", "function": {"name": "a"}}, {"tool": {"name": "a"}}),
)


@pytest.mark.parametrize(("choice", "said"), CHOICES)
async def test_choices_of_tools(provider: BedrockProvider, fake: FakeBedrock, choice: Any, said: Any) -> None:
    body, _ = await sent(provider, fake, "chat", say("chat", "?", tools=tools("chat", "a"), tool_choice=choice))
    assert body["toolConfig"]["toolChoice"] == said


async def test_no_tool_may_be_called(provider: BedrockProvider, fake: FakeBedrock) -> None:
    """The format cannot forbid it: tools stay away, unless one was called before."""
    given = {"tools": tools("chat", "a"), "tool_choice": "none"}
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", **given))
    assert ("toolConfig" in body, dropped) == (False, [])
    called = {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}}],
    }
    gave = {"role": "tool", "tool_call_id": "1", "content": "x"}
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", called, gave, **given))
    assert (len(body["toolConfig"]["tools"]), dropped) == (1, ["tool_choice"])
    body, _ = await sent(provider, fake, "chat", say("chat", "?", called, gave))
    assert body["toolConfig"]["tools"][0]["toolSpec"]["name"] == "a", "who was called must be there"
    result = {"toolUseId": "1", "content": [{"text": "x"}], "status": "success"}
    assert body["messages"][2]["content"] == [{"toolResult": result}]


async def test_wishes(provider: BedrockProvider, fake: FakeBedrock) -> None:
    given = {
        "temperature": 1.5,
        "top_p": 0.5,
        "stop": "END",
        "max_tokens": 7,
        "service_tier": "flex",
        "seed": 1,
        "n": 1,
    }
    older = "anthropic.claude-3-7-sonnet-20250219-v1:0"
    body, dropped = await sent(provider, fake, "chat", say("chat", "?", **given), older)
    assert body["inferenceConfig"] == {"maxTokens": 7, "temperature": 1, "topP": 0.5, "stopSequences": ["END"]}
    assert (body["serviceTier"], dropped) == ({"type": "flex"}, ["seed"])
    given = {"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5, "temperature": 0.5, "max_tokens": 3000}
    body, _ = await sent(provider, fake, "messages", say("messages", "?", **given))
    assert body["additionalModelRequestFields"] == {"thinking": given["thinking"]}, "who thinks, samples at will"
    body, dropped = await sent(provider, fake, "messages", say("messages", "?", top_k=5, max_tokens=9))
    assert body["additionalModelRequestFields"] == {"top_k": 5}
    _, dropped = await sent(provider, fake, "messages", say("messages", "?", top_k=5, max_tokens=9), LLAMA)
    assert dropped == ["top_k"]
    # A Claude before 4.6 knows no effort, and an answer this short leaves no room to think by tokens.
    for model, effort in (("anthropic.claude-sonnet-4-6", "high"), (CLAUDE, None), (NOVA, "high"), (LLAMA, None)):
        body, dropped = await sent(provider, fake, "chat", say("chat", "?", reasoning_effort="high"), model)
        assert body.get("outputConfig", {}).get("effort") == effort
        assert dropped == ([] if effort else ["reasoning_effort"])


async def test_prompts_are_kept_where_the_model_can(provider: BedrockProvider, fake: FakeBedrock) -> None:
    hour, short = {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral"}
    words = [{"type": "text", "text": str(n), "cache_control": short} for n in range(3)]
    tool = tools("messages", "a")[0] | {"cache_control": hour}
    system = [{"type": "text", "text": "s", "cache_control": hour}]
    given = say("messages", words, tools=[tool], system=system, max_tokens=9)
    body, _ = await sent(provider, fake, "messages", given)
    marks = [block for block in body["messages"][0]["content"] if "cachePoint" in block]
    assert marks == [{"cachePoint": {"type": "default"}}] * 3
    assert body["system"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert len(body["toolConfig"]["tools"]) == 1, "of five marks the first goes"
    body, _ = await sent(provider, fake, "messages", given, LLAMA)
    assert "cachePoint" not in json.dumps(body)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": f"data:image/bmp;base64,{PNG}"}},
        {"type": "file", "file": {"file_data": f"data:application/zip;base64,{PDF}"}},
    ],
)
async def test_what_it_has_no_words_for(provider: BedrockProvider, fake: FakeBedrock, part: dict[str, Any]) -> None:
    failed, _, _ = await fails(provider, fake.endpoint(), "chat", say("chat", [part]), **HERE)
    assert (failed.error_class, failed.failover, failed.customer_fault) == ("bad_request", True, True)


async def test_documents_are_named_apart(provider: BedrockProvider, fake: FakeBedrock) -> None:
    part = {"type": "file", "file": {"filename": "ä/b.txt", "file_data": "data:text/plain;base64,eA=="}}
    body, _ = await sent(provider, fake, "chat", say("chat", [part, part]))
    *documents, words = body["messages"][0]["content"]
    assert [block["document"]["name"] for block in documents] == ["b txt", "b txt 2"]
    assert words == {"text": "..."}, "it takes none without words"


# Keys


async def test_keys_sign_or_bear() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        said = {"output": {"message": {"content": []}}, "stopReason": "end_turn"}
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(said).encode()))

    provider = BedrockProvider(httpx.MockTransport(answer))
    endpoint = "https://bedrock-runtime.eu-west-3.amazonaws.com"
    for key in ("AKIA:secret:session", "AKIA:secret", "bedrock-api-key"):
        await provider.call(call(candidate(endpoint), key=key), attempt(), Remembered())
    first, second, third = seen
    assert "/eu-west-3/bedrock/aws4_request" in first.headers["authorization"]
    assert first.headers["x-amz-security-token"] == "session"
    assert "x-amz-security-token" not in second.headers
    assert third.headers["authorization"] == "Bearer bedrock-api-key"
    with pytest.raises(CallFailed, match="connect"):
        await provider.call(call(candidate("https://example.com"), key="a:b"), attempt(), Remembered())


async def test_a_session_is_signed_too(provider: BedrockProvider) -> None:
    with FakeBedrock(session_token="IQoJb3JpZ2luX2Vj") as fake:
        found = await ask(provider, fake.endpoint(), "chat", stream=True, **HERE | {"key": f"{KEY}:IQoJb3JpZ2luX2Vj"})
        assert found.told.text == TEXT
        failed, made, _ = await fails(provider, fake.endpoint(), **HERE | {"key": f"{KEY}:wrong"})
        assert (failed.error_class, made.http_status) == ("auth_dead", 403)


@pytest.mark.parametrize(
    ("scenario", "key", "finding"),
    [
        ("ok", KEY, "accepted"),
        ("ok", f"{ACCESS_KEY}:wrong", "refused"),
        (Scenario(refuse=400), KEY, "accepted"),
        (Scenario(refuse=403), KEY, "accepted"),
        (Scenario(refuse=403), "bearer", "refused"),
        (Scenario(refuse=403, code="ExpiredTokenException"), KEY, "refused"),
        (Scenario(refuse=503), KEY, "unreachable"),
        (Scenario(cut_head=True), KEY, "unreachable"),
    ],
)
async def test_keys_are_tried(
    provider: BedrockProvider, fake: FakeBedrock, scenario: str | Scenario, key: str, finding: str
) -> None:
    settings = msgspec.Raw(b'{"region":"eu-central-1"}')
    assert await provider.validate(Inquiry(fake.endpoint(scenario), settings, Secret(key))) == finding


def test_a_worker_without_it_does_not_load_amazons_library() -> None:
    code = "import sys, worker.providers.registry; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Errors


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (400, "ValidationException", "Input is too long for requested model.", ("context_too_long", True, True)),
        (400, "ValidationException", "The provided model identifier is invalid.", ("bad_request", True, False)),
        (400, "ServiceQuotaExceededException", "x", ("rate_limited", True, False)),
        (403, "AccessDeniedException", "You don't have access to the model.", ("bad_request", True, False)),
        (403, "ExpiredTokenException", "x", ("auth_dead", True, False)),
        (404, "ResourceNotFoundException", "x", ("bad_request", True, False)),
        (408, "ModelTimeoutException", "x", ("timeout", True, False)),
        (424, "ModelErrorException", "x", ("server_error", True, False)),
        (429, "ModelNotReadyException", "x", ("overloaded", True, False)),
    ],
)
async def test_its_errors(
    provider: BedrockProvider, fake: FakeBedrock, status: int, code: str, message: str, meaning: Any
) -> None:
    scenario = Scenario(refuse=status, code=code, error={"message": message})
    failed, _, _ = await fails(provider, fake.endpoint(scenario), **HERE)
    assert (failed.error_class, failed.failover, failed.customer_fault) == meaning


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("throttlingException", "rate_limited"),
        ("modelStreamErrorException", "server_error"),
        ("internalServerException", "server_error"),
        ("serviceUnavailableException", "overloaded"),
        ("validationException", "bad_request"),
        ("modelTimeoutException", "timeout"),
        ("somethingNewException", "server_error"),
    ],
)
async def test_exceptions_in_a_stream(
    provider: BedrockProvider, fake: FakeBedrock, code: str, error_class: str
) -> None:
    for after, text in ((0, b""), (3, b"Hello")):
        endpoint = fake.endpoint(Scenario(error_after=after, code=code))
        failed, _, output = await fails(provider, endpoint, stream=True, **HERE)
        assert failed.error_class == error_class
        assert text in output.data
        assert b"broke" not in output.data


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("ends", ["malformed_model_output", "malformed_tool_use"])
async def test_what_went_wrong_is_paid_for(
    provider: BedrockProvider, fake: FakeBedrock, ends: str, stream: bool
) -> None:
    failed, made, _ = await fails(provider, fake.endpoint(Scenario(ends=ends)), stream=stream, **HERE)
    assert failed.error_class == "server_error"
    assert made.usage is not None
    assert made.usage.output


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_a_guardrail_intervenes(provider: BedrockProvider, fake: FakeBedrock, grammar: str) -> None:
    for stream in (False, True):
        found = await ask(provider, fake.endpoint("blocked"), grammar, stream=stream, **HERE)
        assert found.made.finish_reason == "content_filter"
        assert found.told.end in ("content_filter", "refusal")


async def test_a_stop_sequence_is_named(provider: BedrockProvider, fake: FakeBedrock) -> None:
    details = {"additionalModelResponseFields": {"stop_sequence": "END"}}
    endpoint = fake.endpoint(Scenario(ends="stop_sequence", details=details))
    body = say("messages", "?", stop_sequences=["END"], max_tokens=9)
    for stream in (False, True):
        found = await ask(provider, endpoint, "messages", body, stream=stream, upstream_model=CLAUDE, **HERE)
        assert found.told.end == "stop_sequence"
    assert fake.seen[-1].body["additionalModelResponseFieldPaths"] == ["/stop_sequence"]


@pytest.mark.parametrize("surface", ["embeddings", "images", "rerank"])
async def test_other_routes_are_not_served(provider: BedrockProvider, fake: FakeBedrock, surface: str) -> None:
    failed, _, _ = await fails(provider, fake.endpoint(), surface, {"input": "x"}, **HERE)
    assert (failed.error_class, failed.failover, failed.customer_fault) == ("bad_request", True, False)


async def test_tokens_are_estimated(provider: BedrockProvider) -> None:
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(None), surface="count_tokens"), made, output)
    assert json.loads(output.data)["input_tokens"] > 0
    assert made.usage is not None
    assert made.usage.input_uncached == 0


# Frames

WORD = frame({"contentBlockIndex": 0, "delta": {"text": "Hi"}}, message_type="event", event_type="contentBlockDelta")
STOP = frame({"stopReason": "end_turn"}, message_type="event", event_type="messageStop")
UNKNOWN = frame({"x": 1}, message_type="event", event_type="somethingNew")
ERROR = frame({}, message_type="error", error_code="InternalError", error_message="x")


def broken(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


async def heard(*frames: bytes) -> tuple[str | None, Remembered]:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"".join(frames)))

    output = Remembered()
    try:
        await BedrockProvider(httpx.MockTransport(answer)).call(call(candidate(), stream=True), attempt(), output)
    except CallFailed as failed:
        assert CANARY not in str(failed)
        return failed.error_class, output
    return None, output


@pytest.mark.parametrize(
    ("frames", "error_class"),
    [
        ((WORD, STOP), None),
        ((WORD, UNKNOWN, STOP), None),
        ((WORD,), "truncated_stream"),
        ((WORD, STOP[:-1]), "truncated_stream"),
        ((WORD, broken(STOP, 3)), "server_error"),
        ((WORD, broken(STOP, 20)), "server_error"),
        ((WORD, broken(STOP, -2), STOP), "server_error"),
        ((WORD, b"data: {}\n\n" * 3), "server_error"),
        ((WORD, ERROR), "server_error"),
        ((b"",), "server_error"),
    ],
)
async def test_frames_that_are_none(frames: tuple[bytes, ...], error_class: str | None) -> None:
    found, output = await heard(*frames)
    assert found == error_class
    assert (b"Hi" in output.data) == (frames[0] == WORD)


def test_frames_however_they_are_cut() -> None:
    whole = WORD + STOP
    for size in range(1, 40):
        cutter = FrameCutter()
        found = [one for at in range(0, len(whole), size) for one in cutter.feed(whole[at : at + size])]
        assert [one.headers["event-type"] for one in found] == ["contentBlockDelta", "messageStop"]
    with pytest.raises(EventTooLong):
        FrameCutter(limit=100).feed(frame({"x": "y" * 100}, message_type="event"))
