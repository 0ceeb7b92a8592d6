"""The sandbox answers like a provider, always the same, and misbehaves on order."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from onevault.settings import Settings
from tests_py.worker.kit import Remembered, attempt, call, candidate
from worker.providers.base import CallFailed
from worker.providers.sandbox import SandboxProvider
from worker.shapes import Attempt, Usage

PROMPT = "What is a vault? Ünïcödé."


async def ask(
    metadata: dict[str, str] | None = None, *, stream: bool = False, settings: Settings | None = None, **body: Any
) -> tuple[Remembered, Attempt]:
    given: dict[str, Any] = {"messages": [{"role": "user", "content": PROMPT}], **body}
    if metadata is not None:
        given["metadata"] = metadata
    output, made = Remembered(), attempt()
    usage = bool(given.get("stream_options"))
    sandbox = SandboxProvider(settings or Settings())
    who = candidate(None, kind="sandbox")
    await sandbox.call(call(who, given, stream=stream, include_usage=usage), made, output)
    return output, made


async def test_a_plain_answer() -> None:
    output, made = await ask()
    answer = json.loads(output.data)
    words = answer["choices"][0]["message"]["content"].split(" ")
    assert len(words) == 48
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "fast-1-2026"
    assert answer["choices"][0]["finish_reason"] == "stop"
    prompt = -(-len(PROMPT.encode()) // 4)
    told = {"prompt_tokens": prompt, "completion_tokens": 48, "total_tokens": prompt + 48}
    assert answer["usage"].items() >= told.items()
    assert made.usage == Usage(input_uncached=prompt, output=48)
    assert made.usage_source == "provider_final"
    assert made.output_bytes == len(" ".join(words))


async def test_it_says_the_same_plain_and_streamed_and_again() -> None:
    plain, _ = await ask()
    streamed, made = await ask(stream=True)
    assert streamed.text == json.loads(plain.data)["choices"][0]["message"]["content"]
    assert (await ask(stream=True))[0].text == streamed.text
    assert streamed.chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert streamed.chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert made.finish_reason == "stop"


async def test_the_prompt_is_not_repeated_unless_ordered() -> None:
    assert "vault?" not in (await ask(stream=True))[0].text
    assert (await ask({"sandbox_echo": "true"}, stream=True))[0].text == PROMPT


async def test_the_output_limit_is_honoured() -> None:
    output, made = await ask(max_tokens=5)
    answer = json.loads(output.data)
    assert answer["usage"]["completion_tokens"] == 5
    assert answer["choices"][0]["finish_reason"] == made.finish_reason == "length"


async def test_size_and_usage_chunk_on_order() -> None:
    output, made = await ask({"sandbox_output_tokens": "3"}, stream=True, stream_options={"include_usage": True})
    assert len(output.text.split(" ")) == 3
    assert output.chunks[-1]["choices"] == []
    assert output.chunks[-1]["usage"]["completion_tokens"] == 3
    assert made.usage is not None
    assert made.usage.output == 3


async def test_pace_and_first_byte_on_order() -> None:
    began = time.monotonic()
    orders = {"sandbox_output_tokens": "5", "sandbox_tokens_per_second": "50", "sandbox_first_byte_ms": "50"}
    output, _ = await ask(orders, stream=True)
    assert time.monotonic() - began >= 0.05 + 4 / 50
    assert len(output.sent) >= 5


async def test_pace_from_the_settings() -> None:
    settings = Settings(sandbox_output_tokens=4, sandbox_tokens_per_second=100, sandbox_first_byte_ms=20)
    began = time.monotonic()
    output, _ = await ask(settings=settings)
    assert time.monotonic() - began >= 0.06
    assert json.loads(output.data)["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_calls_on_order(stream: bool) -> None:
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
    output, made = await ask({"sandbox_tool_call": "true"}, stream=stream, tools=tools)
    assert made.finish_reason == "tool_calls"
    if stream:
        pieces = [c for chunk in output.chunks for c in chunk["choices"][0]["delta"].get("tool_calls", [])]
        assert {piece["index"] for piece in pieces} == {0}
        told = "".join(piece["function"]["arguments"] for piece in pieces)
        assert (pieces[0]["function"]["name"], told) == ("get_weather", "{}")
    else:
        (tool,) = json.loads(output.data)["choices"][0]["message"]["tool_calls"]
        assert tool["function"] == {"name": "get_weather", "arguments": "{}"}


@pytest.mark.parametrize(
    ("order", "error_class", "status"),
    [
        ("500", "server_error", 500),
        ("429", "rate_limited", 429),
        ("400", "bad_request", 400),
        ("401", "auth_dead", 401),
        ("503", "overloaded", 503),
        ("connect", "connect", None),
        ("cut", "truncated_stream", 200),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_on_order(stream: bool, order: str, error_class: str, status: int | None) -> None:
    with pytest.raises(CallFailed, match=error_class):
        await ask({"sandbox_error": order}, stream=stream)


async def test_a_timeout_on_order() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await ask({"sandbox_error": "timeout"})


@pytest.mark.parametrize(
    "metadata", [{"sandbox_output_tokens": "many"}, {"sandbox_first_byte_ms": "-1"}, {"other": "x"}]
)
async def test_orders_that_make_no_sense_are_ignored(metadata: dict[str, str]) -> None:
    output, _ = await ask(metadata)
    assert json.loads(output.data)["usage"]["completion_tokens"] == 48


@pytest.mark.parametrize(("asked", "size"), [({}, 32), ({"dimensions": 4}, 4), ({"dimensions": 100}, 100)])
async def test_embeddings_are_as_long_as_asked_for(asked: dict[str, int], size: int) -> None:
    """Mutant: always 32, which no header told."""
    output, made = Remembered(), attempt()
    given = {"input": ["one", "two"], **asked}
    await SandboxProvider(Settings()).call(
        call(candidate(None, kind="sandbox"), given, surface="embeddings"), made, output
    )
    vectors = [one["embedding"] for one in json.loads(output.data)["data"]]
    assert [len(vector) for vector in vectors] == [size, size]
    assert [round(sum(number * number for number in vector), 6) for vector in vectors] == [1, 1]


async def test_a_native_prompt() -> None:
    output, made = Remembered(), attempt()
    who = candidate(None, kind="sandbox")
    await SandboxProvider(Settings()).call(call(who, {"prompt": "abcd"}, surface="native"), made, output)
    assert made.usage == Usage(input_uncached=1, output=48)
