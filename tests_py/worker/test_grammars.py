"""Each provider's format in each customer's grammar, plain and streamed: everything that is said arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import (
    GRAMMARS,
    KINDS,
    TRANSLATED,
    Answered,
    ask,
    fails,
)
from worker.providers.base import Provider
from worker.shapes import Usage

ENDS = {
    "chat": ("stop", "tool_calls", "length", "content_filter"),
    "messages": ("end_turn", "tool_use", "max_tokens", "refusal"),
    "responses": ("completed", "completed", "max_output_tokens", "content_filter"),
}
USED = {
    "anthropic": Usage(
        input_uncached=15, cache_read=3, cache_write=6, output=10, reasoning=2, other={"cache_write_1h": 4}
    ),
    "bedrock": Usage(input_uncached=15, cache_read=3, cache_write=6, output=10, other={"cache_write_1h": 4}),
    "cohere": Usage(input_uncached=15, cache_read=4, output=10),
    "google": Usage(input_uncached=21, cache_read=4, cache_write=0, output=13, reasoning=3),
    "mistral": Usage(input_uncached=19, output=10),
}
PROMPTED = {"anthropic": 28, "bedrock": 28, "cohere": 19, "google": 25, "mistral": 19}
WEATHER, TIME = ("get_weather", {"city": "Zürich"}), ("get_time", {"zone": "Europe/Zurich"})
STREAMED = [False, True]


class Asker:
    """Asks one kind in one grammar."""

    def __init__(self, fake: ScenarioServer, adapter: Provider, name: str, grammar: str, *, stream: bool) -> None:
        self._fake, self._adapter, self._kind = fake, adapter, KINDS[name]
        self._how: dict[str, Any] = {"stream": stream, **self._kind.more}
        self._grammar = grammar

    async def __call__(self, scenario: str | Scenario) -> Answered:
        return await ask(self._adapter, self._kind.endpoint(self._fake, scenario), self._grammar, **self._how)

    async def fail(self, scenario: str | Scenario) -> tuple[Any, Any, Any]:
        return await fails(self._adapter, self._kind.endpoint(self._fake, scenario), self._grammar, **self._how)


def parsed(answered: Answered) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for name, arguments in answered.told.calls]


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize(("name", "grammar"), TRANSLATED)
async def test_what_is_said_arrives(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, grammar: str, stream: bool
) -> None:
    asker = Asker(fakes[name], adapters[name], name, grammar, stream=stream)
    stop, tools, length, refused = ENDS[grammar]
    found = await asker("ok")
    assert (found.told.text, found.told.end, found.made.finish_reason) == (TEXT, stop, "stop")
    assert (found.made.usage, found.made.usage_source) == (USED[name], "provider_final")
    assert found.made.output_bytes == len(TEXT.encode())
    told = found.told.usage
    if grammar == "messages":
        assert (
            sum(told.get(f"{kind}input_tokens") or 0 for kind in ("", "cache_read_", "cache_creation_"))
            == (PROMPTED[name])
        )
    else:
        assert told.get("prompt_tokens", told.get("input_tokens")) == PROMPTED[name]
    found = await asker("thinking")
    assert (found.told.thought, found.told.text) == ("Let me think.", TEXT)
    found = await asker("thinking-tools")
    assert (found.told.thought, parsed(found), found.told.end) == ("Let me look.", [WEATHER], tools)
    found = await asker("text-and-tools")
    assert (found.told.text, parsed(found), found.made.finish_reason) == (TEXT, [WEATHER, TIME], "tool_calls")
    assert parsed(await asker("empty-arguments")) == [("get_weather", {})]
    assert (await asker("length")).told.end == length
    found = await asker("refusal")
    assert (found.told.end, found.made.finish_reason) == (refused, "content_filter")
    assert (await asker("empty")).told.text == ""


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("name", KINDS)
async def test_arguments_that_are_no_json_arrive_as_they_are(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, stream: bool
) -> None:
    if name == "google" or (name in ("anthropic", "bedrock") and not stream):
        pytest.skip("the format has objects only")
    for grammar in ("chat", "responses"):
        found = await Asker(fakes[name], adapters[name], name, grammar, stream=stream)("broken-arguments")
        assert found.told.calls == [("get_weather", '{"city": "Zü')]
    if name != "anthropic":
        found = await Asker(fakes[name], adapters[name], name, "messages", stream=stream)("broken-arguments")
        assert parsed(found) == [("get_weather", {"invalid_json": '{"city": "Zü'})]


@pytest.mark.parametrize("name", KINDS)
async def test_streams_in_every_form(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str
) -> None:
    for form in ("crlf", "comments", "bytewise", "in-one", "usage-every-chunk"):
        if name == "bedrock" and form in ("crlf", "comments"):
            continue  # frames are binary
        found = await Asker(fakes[name], adapters[name], name, "chat", stream=True)(form)
        assert (found.told.text, found.made.usage, found.made.usage_source) == (TEXT, USED[name], "provider_final"), (
            form
        )
    found = await Asker(fakes[name], adapters[name], name, "chat", stream=False)("bytewise")
    assert found.told.text == TEXT


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("name", KINDS)
async def test_no_usage_is_no_zero(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, stream: bool
) -> None:
    for grammar in GRAMMARS:
        if (name, grammar) in TRANSLATED:
            found = await Asker(fakes[name], adapters[name], name, grammar, stream=stream)("no-usage")
            assert (found.made.usage, found.made.usage_source) == (None, None)
            assert found.made.output_bytes == len(TEXT.encode())


CUT = {"anthropic": 5, "bedrock": 3, "cohere": 4, "google": 2, "mistral": 3}
"""After so many events two words have been said."""


@pytest.mark.parametrize(("name", "grammar"), TRANSLATED)
async def test_streams_that_break(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, grammar: str
) -> None:
    asker = Asker(fakes[name], adapters[name], name, grammar, stream=True)
    for way in ("cut-after", "cut-inside", "end-after"):
        failed, made, output = await asker.fail(f"{way}-{CUT[name]}")
        assert failed.error_class == "truncated_stream", way
        assert b"Hello" in output.data, way
        assert made.output_bytes == len("Hello there, how"), way
        assert made.usage is None or made.usage_source == "provider_partial"
        failed, made, output = await asker.fail(f"{way}-0")
        assert failed.error_class == ("server_error" if way == "end-after" else "truncated_stream")
        assert (output.data, made.output_bytes, failed.failover) == (b"", 0, True)
    failed, _, output = await asker.fail("error-in-200")
    assert (output.data, failed.failover) == (b"", True)
    failed, made, output = await asker.fail(f"error-after-{CUT[name]}")
    assert b"It broke" not in output.data
    assert made.output_bytes == len("Hello there, how")


@pytest.mark.parametrize("name", KINDS)
async def test_plain_answers_that_break(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str
) -> None:
    asker = Asker(fakes[name], adapters[name], name, "chat", stream=False)
    failed, _, output = await asker.fail("cut-after-1")
    assert (failed.error_class, output.data) == ("truncated_stream", b"")
    failed, _, output = await asker.fail("error-in-200")
    assert (failed.error_class, output.data) == ("server_error", b"")
    failed, _, _ = await asker.fail("cut-head")
    assert failed.error_class == "connect"


STATUSES = {
    400: ("bad_request", False, True),
    401: ("auth_dead", True, False),
    403: ("auth_dead", True, False),
    404: ("bad_request", True, False),
    429: ("rate_limited", True, False),
    500: ("server_error", True, False),
    503: ("overloaded", True, False),
}


@pytest.mark.parametrize("name", KINDS)
async def test_refusals_have_a_class(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str
) -> None:
    for stream in STREAMED:
        asker = Asker(fakes[name], adapters[name], name, "responses", stream=stream)
        for status, meaning in STATUSES.items():
            if (name, status) == ("bedrock", 401):
                continue  # Amazon has 403 for everything about keys
            failed, made, output = await asker.fail(f"status-{status}")
            assert (failed.error_class, failed.failover, failed.customer_fault) == meaning, status
            assert (made.http_status, output.data) == (status, b"")
            assert made.retry_after_ms == (2000 if status in (429, 503) else None)
            assert (failed.message is not None) == (status == 400), "what was said of his words is the customer's"
        wait = Scenario(refuse=429, headers=("retry-after-ms: 1500",))
        assert (await asker.fail(wait))[1].retry_after_ms == 1500
