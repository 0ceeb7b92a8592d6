"""OpenAI's own SDK, unchanged but for base URL and key, against a running gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest

from tests_py.providers.fake import FakeProvider
from tests_py.support.gateway import Gateway

SANDBOX = "sandbox-small"
ASK: Any = [{"role": "user", "content": "Hello there"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tells the weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.token, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


def add_model(gateway: Gateway, model: str, endpoint: str) -> None:
    """A model at a provider of its own."""
    with gateway.database.connect() as connection:
        connection.execute(
            "insert into admin.provider (provider, api_endpoint, needs_key) values (%s, %s, false)", (model, endpoint)
        )
        connection.execute("insert into admin.model (provider, model) values (%s, %s)", (model, model))
        for meter in ("input", "output"):
            connection.execute(
                "insert into admin.price (provider, model, meter, usd_per_million) values (%s, %s, %s, 1)",
                (model, model, meter),
            )


@pytest.mark.parametrize("stream", [False, True])
def test_max_cost_buys_an_answer_of_the_length_it_pays_for(client: openai.OpenAI, stream: bool) -> None:
    asked: dict[str, Any] = {
        "model": SANDBOX,
        "messages": ASK,
        "metadata": {"sandbox_output_tokens": "250"},
        "max_tokens": 250,
        "extra_body": {"max_cost": "0.0002"},
    }
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    raw = client.chat.completions.with_raw_response.create(**asked)
    answer: Any = raw.parse()
    pieces = list(answer) if stream else [answer]
    told = pieces[-1].model_extra["onevault"]
    limit = told["limited"]["max_output_tokens"]
    assert 64 < limit < 250
    assert raw.headers["x-onevault-limited"] == f"max_output_tokens={limit}; by=max_cost"
    assert [piece.usage.completion_tokens for piece in pieces if piece.usage] == [limit]
    assert Decimal(str(told["cost"]["customer"])) <= Decimal("0.0002")
    assert [choice.finish_reason for piece in pieces for choice in piece.choices][-1] == "length"


def test_chat(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model=SANDBOX, messages=ASK)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    told = json.loads(raw.content, parse_float=Decimal)["onevault"]
    assert told["provider"] == raw.headers["x-onevault-provider"] == "sandbox"
    assert told["request_id"] == raw.headers["x-onevault-request-id"] == answer._request_id
    assert told["cost"]["customer"] == told["cost"]["provider"] + told["cost"]["markup"]
    assert Decimal(raw.headers["x-onevault-cost"]) == told["cost"]["customer"]
    assert int(raw.headers["x-ratelimit-remaining-requests"]) < int(raw.headers["x-ratelimit-limit-requests"])


def test_stream(client: openai.OpenAI) -> None:
    text, last = "", None
    for chunk in client.chat.completions.create(model=SANDBOX, messages=ASK, stream=True):
        assert chunk.usage is None
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        last = chunk
    assert text == client.chat.completions.create(model=SANDBOX, messages=ASK).choices[0].message.content
    assert last is not None
    assert last.model_extra is not None
    assert last.model_extra["onevault"]["provider"] == "sandbox"


def test_stream_with_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=SANDBOX, messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert len(usages) == 1
    assert usages[0].completion_tokens > 0
    assert "onevault" in (chunks[-1].model_extra or {})


async def test_the_async_client(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.token, max_retries=0) as client:
        stream = await client.chat.completions.create(model=SANDBOX, messages=ASK, stream=True)
        assert [chunk async for chunk in stream]


def test_tools_and_unknown_fields_are_passed_through(
    gateway: Gateway, client: openai.OpenAI, fake: FakeProvider
) -> None:
    add_model(gateway, "tooled", fake.endpoint())
    client.chat.completions.create(
        model="tooled",
        messages=[*ASK, {"role": "assistant", "tool_calls": [], "content": None}],
        tools=TOOLS,
        tool_choice="auto",
        parallel_tool_calls=False,
        extra_body={"brand_new": {"a": [1, 2.50]}},
    )
    (seen,) = fake.seen
    assert seen.body["tools"] == TOOLS
    assert (seen.body["tool_choice"], seen.body["parallel_tool_calls"]) == ("auto", False)
    assert seen.body["brand_new"] == {"a": [1, 2.50]}
    assert seen.body["messages"][0] == ASK[0]
    assert gateway.token not in str(seen.headers)


def test_a_model_may_be_named_with_its_provider(gateway: Gateway, client: openai.OpenAI, fake: FakeProvider) -> None:
    add_model(gateway, "named", fake.endpoint())
    answer = client.chat.completions.create(model="named/named", messages=ASK)
    assert answer.choices[0].message.content == fake.text


def test_models_are_listed(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert "sandbox-small" in names
    assert client.models.retrieve("sandbox-small").id == "sandbox-small"


def test_errors_are_the_sdks_own_classes(gateway: Gateway, client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as unknown:
        client.with_options(api_key="sk-nonsense").chat.completions.create(model=SANDBOX, messages=ASK)
    assert unknown.value.code == "invalid_token"
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="no-such-model", messages=ASK)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model=SANDBOX, messages=[])
    assert (bad.value.code, bad.value.param, bad.value.type) == ("invalid_request", "messages", "invalid_request_error")
    with pytest.raises(openai.APIStatusError) as large:
        client.chat.completions.create(model=SANDBOX, messages=[{"role": "user", "content": "x" * 20_000_000}])
    assert (large.value.status_code, large.value.code) == (413, "request_too_large")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")
    assert all(error.value.request_id for error in (unknown, missing, bad, large))


def test_a_spent_budget_is_402_and_not_retried(gateway: Gateway) -> None:
    made = json.loads(gateway.run("customer", "create", "poor", "--daily-budget", "0.0000001", "--json"))
    with (
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=made["token"], max_retries=3) as client,
        pytest.raises(openai.APIStatusError) as spent,
    ):
        client.chat.completions.create(model=SANDBOX, messages=ASK)
    assert (spent.value.status_code, spent.value.code) == (402, "budget_exceeded")
    body: Any = spent.value.body
    assert body["budget"]["period"]


def test_a_rate_limit_is_429_with_retry_after(gateway: Gateway) -> None:
    made = json.loads(gateway.run("customer", "create", "hasty", "--rpm", "1", "--json"))
    with (
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=made["token"], max_retries=0) as client,
        pytest.raises(openai.RateLimitError) as limited,
    ):
        for _ in range(20):
            client.chat.completions.create(model=SANDBOX, messages=ASK)
    assert limited.value.code == "rate_limited"
    assert int(limited.value.response.headers["retry-after"]) >= 1


def test_a_provider_that_fails_is_an_error_of_the_server(
    gateway: Gateway, client: openai.OpenAI, fake: FakeProvider
) -> None:
    add_model(gateway, "broken", fake.endpoint("status-500"))
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="broken", messages=ASK)
    assert (failed.value.status_code, failed.value.code) == (502, "provider_error")
    body: Any = failed.value.body
    assert body["attempts"][0]["provider"] == "broken"


def test_a_stream_that_breaks_raises(gateway: Gateway, client: openai.OpenAI, fake: FakeProvider) -> None:
    add_model(gateway, "breaking", fake.endpoint("cut-after-3"))
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="breaking", messages=ASK, stream=True))


def test_a_broken_stream_names_its_request(gateway: Gateway) -> None:
    """Anthropic's errors have a `request_id`, in the last event of a stream too. Mutant: null there."""
    asked = {"model": SANDBOX, "max_tokens": 9, "stream": True, "messages": ASK, "metadata": {"sandbox_error": "cut"}}
    answer = httpx.post(f"{gateway.url}/v1/messages", json=asked, headers={"x-api-key": gateway.token})
    last = answer.text.strip().rpartition("data: ")[2]
    assert json.loads(last)["request_id"] == answer.headers["x-onevault-request-id"]


def test_who_leaves_a_plain_call_pays_for_what_it_used(gateway: Gateway, fake: FakeProvider) -> None:
    """Only the last byte of a plain answer says what it used, and the provider bills it: so it is read to its end."""
    add_model(gateway, "slow", fake.endpoint("slow-3000"))
    with (
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.token, max_retries=0, timeout=1) as client,
        pytest.raises(openai.APITimeoutError),
    ):
        client.chat.completions.create(model="slow", messages=ASK)
    assert wait_for_result(gateway, "slow") == "CANCELLED"
    assert fake.seen[0].finished
    ((charged,),) = gateway.database.query(
        "select s.customer_cost > 0 and s.usage_source = 'provider_final' from gateway.api_request_s as s"
        " where s.model_used = 'slow'"
    )
    assert charged


def wait_for_result(gateway: Gateway, model: str) -> str:
    """The status of the one request to this model."""
    deadline = time.monotonic() + 30
    while True:
        rows = gateway.database.query(
            "select s.response_status from gateway.api_request_s as s where s.model_used = %s", model
        )
        if rows:
            return str(rows[0][0])
        assert time.monotonic() < deadline
        time.sleep(0.05)
