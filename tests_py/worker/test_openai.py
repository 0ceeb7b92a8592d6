"""The adapter against a server that speaks OpenAI's wire format, politely and not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from tests_py.providers import wire
from tests_py.providers.fake import FakeProvider
from tests_py.worker.kit import Remembered, attempt, call, candidate, tls
from worker.providers.base import CallFailed
from worker.providers.openai import OpenAIProvider, Quirks, upstream_body
from worker.providers.wire import open_transport
from worker.shapes import Attempt, Usage

CANARY = "prompt-canary-5f1c"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider(text="Hello there, how is Zürich 🚂 today?") as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[OpenAIProvider]:
    transport = open_transport(context=tls())
    yield OpenAIProvider(transport)
    await transport.aclose()


async def stream(provider: OpenAIProvider, endpoint: str, **options: Any) -> tuple[Remembered, Attempt]:
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(endpoint), stream=True, **options), made, output)
    return output, made


async def fails(provider: OpenAIProvider, endpoint: str, *, streamed: bool) -> tuple[CallFailed, Remembered, Attempt]:
    output, made = Remembered(), attempt()
    body = {"model": "auto", "messages": [{"role": "user", "content": CANARY}]}
    with pytest.raises(CallFailed) as caught:
        async with asyncio.timeout(10):
            await provider.call(call(candidate(endpoint), body, stream=streamed), made, output)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(made)
    return caught.value, output, made


async def test_a_plain_answer_passes_untouched(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(fake.endpoint("ok"))), made, output)
    answer = json.loads(output.data)
    assert answer["choices"][0]["message"]["content"] == fake.text
    assert made.http_status == 200
    assert made.finish_reason == "stop"
    assert made.usage == Usage(input_uncached=15, cache_read=4, cache_write=None, output=10, reasoning=3)
    assert made.usage_source == "provider_final"
    assert made.raw_usage == fake.usage
    assert made.output_bytes == len(fake.text.encode())


async def test_what_goes_upstream(provider: OpenAIProvider, fake: FakeProvider) -> None:
    who = candidate(fake.endpoint("ok"), settings={"headers": {"X-Team": "a"}, "query": {"api-version": "preview"}})
    await provider.call(call(who, key="sk-secret"), attempt(), Remembered())
    seen = fake.seen[-1]
    assert seen.path == "/ok/v1/chat/completions?api-version=preview"
    assert seen.headers["authorization"] == "Bearer sk-secret"
    assert seen.headers["x-team"] == "a"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"
    assert "cookie" not in seen.headers
    assert seen.body == {
        "model": "fast-1-2026",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 1000,
    }


@pytest.mark.parametrize(
    "behaviour", ["ok", "crlf", "cr", "comments", "multi-line", "bytewise", "in-one", "no-last-newline", "zipped"]
)
async def test_a_stream_in_every_form(provider: OpenAIProvider, fake: FakeProvider, behaviour: str) -> None:
    output, made = await stream(provider, fake.endpoint(behaviour))
    assert output.text == fake.text
    assert b"[DONE]" not in output.data
    assert all(chunk["choices"] for chunk in output.chunks), "nobody asked for the usage chunk"
    assert made.finish_reason == "stop"
    assert made.usage == Usage(input_uncached=15, cache_read=4, output=10, reasoning=3)
    assert made.usage_source == "provider_final"
    assert made.output_bytes == len(fake.text.encode())
    assert fake.seen[-1].body["stream_options"] == {"include_usage": True}


async def test_a_stream_passes_byte_for_byte(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output, _ = await stream(provider, fake.endpoint("ok"), include_usage=True)
    assert output.data == b"".join(wire.events(fake.text, fake.usage)[:-1])


async def test_events_that_arrive_together_leave_together(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output, _ = await stream(provider, fake.endpoint("in-one"))
    assert len(output.sent) <= 2


@pytest.mark.parametrize("behaviour", ["usage-with-choices", "usage-every-chunk"])
async def test_usage_on_chunks_with_choices(provider: OpenAIProvider, fake: FakeProvider, behaviour: str) -> None:
    output, made = await stream(provider, fake.endpoint(behaviour))
    assert output.text == fake.text
    assert made.usage == Usage(input_uncached=15, cache_read=4, output=10, reasoning=3)
    assert made.usage_source == "provider_final"


@pytest.mark.parametrize("streamed", [False, True])
async def test_no_usage_at_all(provider: OpenAIProvider, fake: FakeProvider, streamed: bool) -> None:
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(fake.endpoint("no-usage")), stream=streamed), made, output)
    assert made.usage is None
    assert made.usage_source is None
    assert made.output_bytes == len(fake.text.encode())


@pytest.mark.parametrize("streamed", [False, True])
async def test_tool_calls(provider: OpenAIProvider, fake: FakeProvider, streamed: bool) -> None:
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
    body = {"model": "auto", "messages": [{"role": "user", "content": "?"}], "tools": tools}
    output, made = Remembered(), attempt()
    await provider.call(call(candidate(fake.endpoint("tools")), body, stream=streamed), made, output)
    assert fake.seen[-1].body["tools"] == tools
    assert made.finish_reason == "tool_calls"
    assert made.output_bytes == len("get_weather") + len('{"city":"Zürich"}'.encode())
    if streamed:
        calls = [c for chunk in output.chunks for c in chunk["choices"][0]["delta"].get("tool_calls", [])]
        assert "".join(c["function"]["arguments"] for c in calls) == '{"city":"Zürich"}'


async def test_a_stream_may_end_without_done(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output, made = await stream(provider, fake.endpoint("no-done"))
    assert output.text == fake.text
    assert made.usage_source == "provider_final"


async def test_done_without_a_finish_reason_is_an_end(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output, made = await stream(provider, fake.endpoint("no-finish"))
    assert output.text == fake.text
    assert made.finish_reason is None


async def test_start_events_are_held_back_but_not_for_ever(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output, _ = await stream(provider, fake.endpoint("role-flood-200"))
    assert output.text == fake.text
    assert len(output.chunks) >= 200
    failed, output, _ = await fails(provider, fake.endpoint("cut-after-1"), streamed=True)
    assert failed.error_class == "truncated_stream"
    assert output.sent == []


@pytest.mark.parametrize(
    ("behaviour", "error_class", "status", "failover", "fault"),
    [
        ("status-400", "bad_request", 400, False, True),
        ("status-401", "auth_dead", 401, True, False),
        ("status-402", "money_dead", 402, True, False),
        ("status-403", "auth_dead", 403, True, False),
        ("status-404", "bad_request", 404, True, False),
        ("status-408", "timeout", 408, True, False),
        ("status-413", "bad_request", 413, False, True),
        ("status-418", "server_error", 418, True, False),
        ("status-422", "bad_request", 422, False, True),
        ("status-429", "rate_limited", 429, True, False),
        ("status-500", "server_error", 500, True, False),
        ("status-502", "server_error", 502, True, False),
        ("status-503", "overloaded", 503, True, False),
        ("status-504", "timeout", 504, True, False),
        ("status-529", "overloaded", 529, True, False),
        ("no-money", "money_dead", 429, True, False),
        ("no-model", "bad_request", 404, True, False),
        ("too-long", "context_too_long", 400, True, True),
        ("too-long-in-words", "context_too_long", 400, True, True),
        ("policy", "content_policy", 400, False, True),
        ("redirect", "server_error", 302, True, False),
        ("html-0", "server_error", 200, True, False),
        ("html-502", "server_error", 502, True, False),
        ("broken-json", "server_error", 200, True, False),
        ("error-in-200", "overloaded", 200, True, False),
        ("cut-head", "connect", None, True, False),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_rude_answers_have_a_class(
    provider: OpenAIProvider,
    fake: FakeProvider,
    streamed: bool,
    behaviour: str,
    error_class: str,
    status: int | None,
    failover: bool,
    fault: bool,
) -> None:
    failed, output, made = await fails(provider, fake.endpoint(behaviour), streamed=streamed)
    assert (failed.error_class, failed.failover, failed.customer_fault) == (error_class, failover, fault)
    assert made.http_status == status
    assert output.sent == []
    if behaviour in ("status-429", "status-503"):
        assert made.retry_after_ms == 2000
    if behaviour == "status-400":
        assert failed.message is not None
        assert CANARY in failed.message, "the customer may read what the provider said about his own words"


@pytest.mark.parametrize("behaviour", ["cut-body", "endless-answer", "bomb"])
async def test_plain_answers_that_never_end_well(provider: OpenAIProvider, fake: FakeProvider, behaviour: str) -> None:
    failed, output, _ = await fails(provider, fake.endpoint(behaviour), streamed=False)
    assert failed.error_class == ("truncated_stream" if behaviour == "cut-body" else "server_error")
    assert failed.failover
    assert output.sent == []


async def test_a_peer_that_speaks_no_http(provider: OpenAIProvider, fake: FakeProvider) -> None:
    failed, _, _ = await fails(provider, fake.endpoint("not-http"), streamed=False)
    assert failed.error_class in ("server_error", "connect")


async def test_nobody_there(provider: OpenAIProvider) -> None:
    failed, _, made = await fails(provider, "http://127.0.0.1:1/v1", streamed=False)
    assert failed.error_class == "connect"
    assert made.http_status is None


@pytest.mark.parametrize("endpoint", [None, "", "ftp://x/v1", "nonsense", "http://"])
async def test_an_endpoint_that_is_none(provider: OpenAIProvider, endpoint: str | None) -> None:
    with pytest.raises(CallFailed, match="connect"):
        await provider.call(call(candidate(endpoint)), attempt(), Remembered())


async def test_a_stream_that_is_cut_keeps_what_it_used(provider: OpenAIProvider, fake: FakeProvider) -> None:
    failed, output, made = await fails(provider, fake.endpoint("cut-after-4"), streamed=True)
    assert failed.error_class == "truncated_stream"
    assert output.text == "Hello there, how"
    assert made.usage == Usage(input_uncached=15, cache_read=4, output=3, reasoning=3)
    assert made.usage_source == "provider_partial"
    assert made.output_bytes == len("Hello there, how")


async def test_what_came_with_the_end_of_the_connection_is_not_lost(
    provider: OpenAIProvider, fake: FakeProvider
) -> None:
    failed, output, made = await fails(provider, fake.endpoint("cut-at-once-after-4"), streamed=True)
    assert failed.error_class == "truncated_stream"
    assert output.text == "Hello there, how"
    assert made.usage == Usage(input_uncached=15, cache_read=4, output=3, reasoning=3)


async def test_a_stream_that_ends_too_early_is_truncated(provider: OpenAIProvider, fake: FakeProvider) -> None:
    failed, output, _ = await fails(provider, fake.endpoint("end-after-3"), streamed=True)
    assert failed.error_class == "truncated_stream"
    assert output.text == "Hello there,"


async def test_an_error_inside_a_stream(provider: OpenAIProvider, fake: FakeProvider) -> None:
    failed, output, made = await fails(provider, fake.endpoint("error-in-stream"), streamed=True)
    assert failed.error_class == "server_error"
    assert output.text == "Hello there, how"
    assert b"upstream failed" not in output.data
    assert made.http_status == 200


async def test_an_endless_event(provider: OpenAIProvider, fake: FakeProvider) -> None:
    failed, _, _ = await fails(provider, fake.endpoint("endless-line"), streamed=True)
    assert failed.error_class == "server_error"


async def test_a_call_that_is_cancelled_hangs_up(provider: OpenAIProvider, fake: FakeProvider) -> None:
    output = Remembered()
    running = asyncio.create_task(
        provider.call(call(candidate(fake.endpoint("hang-after-3")), stream=True), attempt(), output)
    )
    while not output.data or output.text != "Hello there,":
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    while not fake.seen[-1].broken_off:
        await asyncio.sleep(0.01)


async def test_connections_are_used_again(fake: FakeProvider) -> None:
    transport = open_transport(context=tls())
    provider = OpenAIProvider(transport)
    for behaviour in ("ok", "status-500", "ok"):
        for streamed in (True, False):
            try:
                await provider.call(call(candidate(fake.endpoint(behaviour)), stream=streamed), attempt(), Remembered())
            except CallFailed:
                assert behaviour == "status-500"
    connector = transport.client.connector  # type: ignore[union-attr]
    assert connector is not None
    assert sum(len(idle) for idle in connector._conns.values()) == 1
    await transport.aclose()


async def test_a_connection_that_went_stale_is_replaced(provider: OpenAIProvider, fake: FakeProvider) -> None:
    for _ in range(3):
        output, made = Remembered(), attempt()
        await provider.call(call(candidate(fake.endpoint("stale"))), made, output)
        assert made.http_status == 200
    assert [seen.on_connection for seen in fake.seen if seen.behaviour == "stale"] == [1, 2, 1, 2, 1]


async def test_a_server_that_always_hangs_up_is_asked_twice_at_most(
    provider: OpenAIProvider, fake: FakeProvider
) -> None:
    before = fake.count("cut-head")
    await fails(provider, fake.endpoint("cut-head"), streamed=False)
    assert fake.count("cut-head") - before == 2


async def test_a_transport_can_be_handed_in() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["api-key"] == "k"
        assert "authorization" not in request.headers
        return httpx.Response(200, stream=httpx.ByteStream(b'{"choices":[{"finish_reason":"made up"}]}'))

    made = attempt()
    settings = {"auth_header": "api-key", "auth_prefix": ""}
    provider = OpenAIProvider(httpx.MockTransport(answer))
    await provider.call(call(candidate(settings=settings), key="k"), made, Remembered())
    assert made.finish_reason == "other", "a provider's own words are not booked"


def body(given: dict[str, Any], quirks: Quirks | None = None, **options: Any) -> dict[str, Any]:
    changes = options.pop("changes", {})
    made: dict[str, Any] = json.loads(upstream_body(call(candidate(**changes), given, **options), quirks or Quirks()))
    return made


def test_a_native_prompt_becomes_a_message() -> None:
    given = {
        "prompt": 'Say "ü"\n',
        "type": "completion",
        "priority": "high",
        "max_cost": "0.01",
        "metadata": {"team": "a"},
        "temperature": 0.5,
    }
    assert body(given, surface="native") == {
        "model": "fast-1-2026",
        "messages": [{"role": "user", "content": 'Say "ü"\n'}],
        "temperature": 0.5,
        "max_tokens": 1000,
    }


def test_fields_that_nobody_knows_pass() -> None:
    given = {"messages": [], "future": {"deep": [1, 2, {"x": None}]}, "seed": 7}
    assert body(given)["future"] == given["future"]
    assert body(given)["seed"] == 7


@pytest.mark.parametrize(
    ("given", "limit", "sent"),
    [
        ({}, 1000, 1000),
        ({"max_tokens": 10}, 1000, 10),
        ({"max_tokens": 5000}, 1000, 1000),
        ({"max_completion_tokens": 20}, 1000, 20),
        ({"max_completion_tokens": 20, "max_tokens": 30}, 1000, 20),
        ({"max_tokens": None}, 1000, 1000),
        ({"max_tokens": 10}, None, 10),
        ({}, None, None),
    ],
)
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_output_limit(given: dict[str, Any], limit: int | None, sent: int | None, field: str) -> None:
    made = body({"messages": [], **given}, Quirks(max_tokens_field=field), changes={"max_output_tokens": limit})
    other = "max_tokens" if field == "max_completion_tokens" else "max_completion_tokens"
    assert made.get(field) == sent
    assert other not in made


def test_metadata_goes_where_it_is_stored() -> None:
    assert "metadata" not in body({"messages": [], "metadata": {"a": "b"}})
    assert body({"messages": [], "metadata": {"a": "b"}, "store": True})["metadata"] == {"a": "b"}
    assert "store" not in body({"messages": []})
    assert body({"messages": [], "store": False})["store"] is False


def test_stream_options_are_kept_and_completed() -> None:
    given = {"messages": [], "stream_options": {"include_obfuscation": False, "include_usage": False}}
    assert body(given, stream=True)["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert "stream_options" not in body(given, Quirks(stream_usage=False), stream=True)
    assert "stream_options" not in body(given)
    assert body(given, stream=True)["stream"] is True


def test_quirks_drop_and_add() -> None:
    quirks = Quirks(drop=["seed"], fields={"safe": json_raw(True), "temperature": json_raw(1)})
    made = body({"messages": [], "seed": 1, "temperature": 0.2}, quirks)
    assert "seed" not in made
    assert made["safe"] is True
    assert made["temperature"] == 0.2


def json_raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


async def test_what_had_come_of_a_cancelled_stream_is_counted(provider: OpenAIProvider, fake: FakeProvider) -> None:
    """Catches: a `read_rest` that gives nothing. The customer reads slowly, the rest lies unread in the worker."""

    class Stuck(Remembered):
        async def send(self, data: bytes) -> None:
            await super().send(data)
            await asyncio.Event().wait()

    output, made = Stuck(), attempt()
    endpoint = fake.endpoint("hang-after-6")
    calling = asyncio.create_task(provider.call(call(candidate(endpoint), stream=True), made, output))
    async with asyncio.timeout(10):
        while not output.sent:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert made.output_bytes == len("Hello there, how is Zürich".encode())


async def test_usage_told_early_does_not_stand_for_the_rest(provider: OpenAIProvider) -> None:
    """Catches: usage of the first chunk that is booked as that of the whole stream."""

    events = wire.events("one two three four", None)
    first = wire.event(wire.chunk({"role": "assistant", "content": ""}, used=wire.usage(completion=0)))
    body = b"".join([first, *events[1:3]])

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=httpx.ByteStream(body))

    made = attempt()
    with pytest.raises(CallFailed):
        await OpenAIProvider(httpx.MockTransport(answer)).call(call(candidate(), stream=True), made, Remembered())
    assert made.usage is not None
    assert (made.usage.output, made.usage_source, made.untold_bytes) == (0, "provider_partial", len("one two"))


@pytest.mark.parametrize(
    "said",
    [
        {"choices": []},
        {"choices": [{"index": 0, "message": {"content": "Hel"}, "finish_reason": "error"}]},
    ],
)
async def test_a_plain_answer_that_failed_is_none(said: dict[str, Any]) -> None:
    """A stream that ends so has failed, too; what was used is the provider's cost, and nobody pays for nothing."""
    whole = json.dumps(said | {"usage": {"prompt_tokens": 5, "completion_tokens": 1}}).encode()
    given = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(whole)))
    made = attempt()
    with pytest.raises(CallFailed) as failed:
        await OpenAIProvider(given).call(call(candidate()), made, Remembered())
    assert (failed.value.error_class, failed.value.failover) == ("server_error", True)
    assert made.usage == Usage(input_uncached=5, output=1)


@pytest.mark.parametrize("surface", ["chat", "messages"])
async def test_usage_may_stand_in_a_choice(surface: str) -> None:
    """As Moonshot tells it."""
    used = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    choices = ({"delta": {"content": "Hello"}}, {"delta": {}, "finish_reason": "stop", "usage": used})
    chunks = [{"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0} | choice]} for choice in choices]
    said = b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"
    given = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(said)))
    made = attempt()
    await OpenAIProvider(given).call(call(candidate(), stream=True, surface=surface), made, Remembered())
    assert (made.usage, made.usage_source) == (Usage(input_uncached=5, output=2), "provider_final")
