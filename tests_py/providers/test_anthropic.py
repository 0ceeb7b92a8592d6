"""Anthropic's own SDK understands the fake that speaks its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests_py.providers.anthropic import CITATION, FakeAnthropic, usage
from tests_py.providers.scenarios import SCENARIOS, TEXT, Scenario

ASK: Any = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
KINDS = {
    "ok": ["text"],
    "thinking-tools": ["thinking", "tool_use"],
    "redacted": ["redacted_thinking", "text"],
    "search": ["server_tool_use", "web_search_tool_result", "text"],
    "text-and-tools": ["text", "tool_use", "tool_use"],
}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAnthropic]:
    with FakeAnthropic() as server:
        yield server


@pytest.fixture(scope="module")
def client(fake: FakeAnthropic, web2: Any) -> Callable[..., Any]:
    from anthropic import Anthropic

    one = Anthropic(api_key="sk-ant", max_retries=0, http_client=web2)
    return lambda scenario="ok": one.with_options(base_url=fake.endpoint(scenario))


def streamed(client: Callable[..., Any], scenario: str | Scenario) -> tuple[Any, list[str]]:
    """The message that the SDK puts together, and the events of which it did."""
    with client(scenario).messages.stream(**ASK) as stream:
        kinds = [event.type for event in stream]
        return stream.get_final_message(), kinds


@pytest.mark.parametrize("scenario", KINDS)
def test_a_stream_makes_the_message_that_comes_plain(client: Callable[..., Any], scenario: str) -> None:
    plain = client(scenario).messages.create(**ASK)
    message, kinds = streamed(client, scenario)
    assert [block.type for block in message.content] == KINDS[scenario]
    assert kinds[-1] == "message_stop"
    assert [block.to_dict() for block in message.content] == [block.to_dict() for block in plain.content]
    assert message.usage == plain.usage
    assert message.stop_reason == plain.stop_reason == ("tool_use" if "tools" in scenario else "end_turn")


@pytest.mark.parametrize("scenario", ["crlf", "comments", "bytewise", "in-one", "usage-every-chunk"])
def test_a_stream_in_every_form(client: Callable[..., Any], scenario: str) -> None:
    message, _ = streamed(client, scenario)
    assert message.content[0].text == TEXT
    assert message.usage.to_dict() == usage()


def test_what_it_says_beside_the_text(client: Callable[..., Any]) -> None:
    message, _ = streamed(client, "citations")
    assert message.content[0].citations[0].to_dict() == CITATION
    message, _ = streamed(client, "thinking-tools")
    assert (message.content[0].thinking, message.content[1].input) == ("Let me look.", {"city": "Zürich"})
    message, _ = streamed(client, "refusal")
    assert (message.stop_reason, message.stop_details.category) == ("refusal", "cyber")
    message, _ = streamed(client, "pause")
    assert (message.stop_reason, message.usage.server_tool_use.web_search_requests) == ("pause_turn", 1)
    message, _ = streamed(client, "empty-arguments")
    assert message.content[0].input == {}


def test_a_call_that_fills_the_cache_says_nothing(client: Callable[..., Any]) -> None:
    message = client().messages.create(**{**ASK, "max_tokens": 0})
    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "max_tokens", 0)
    assert message.usage.cache_creation.ephemeral_1h_input_tokens == 4


def test_a_scenario_of_the_tests_own(client: Callable[..., Any], fake: FakeAnthropic) -> None:
    made = Scenario(pieces=("a", "b"), usage={**usage(), "input_tokens": 7}, ends="stop_sequence")
    message, _ = streamed(client, made)
    assert (message.content[0].text, message.usage.input_tokens, message.stop_reason) == ("ab", 7, "stop_sequence")
    seen = fake.seen[-1]
    assert (seen.route, seen.body) == ("/v1/messages", {**ASK, "stream": True})
    assert seen.headers["authorization"] == "Bearer sk-ant"


def test_counts_and_models(client: Callable[..., Any]) -> None:
    assert client().messages.count_tokens(model="m", messages=ASK["messages"]).input_tokens == 15
    assert [model.id for model in client().models.list()] == ["claude-opus-4-6"]


def test_its_errors(client: Callable[..., Any]) -> None:
    import anthropic

    for scenario, kind in [
        ("status-529", "overloaded_error"),
        ("status-429", "rate_limit_error"),
        ("status-500", "api_error"),
        ("no-money", "billing_error"),
        ("spend-limit", "invalid_request_error"),
        ("tier-limit", "rate_limit_error"),
        ("error-in-200", "overloaded_error"),
        ("error-after-4", "overloaded_error"),
    ]:
        with pytest.raises(anthropic.APIStatusError) as caught:
            streamed(client, scenario)
        assert caught.value.type == kind, scenario
    with pytest.raises(anthropic.RateLimitError) as limited:
        client("ramp-limit").messages.create(**ASK)
    assert limited.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("scenario", ["cut-head", "cut-after-4", "cut-inside-4"])
def test_its_cuts(client: Callable[..., Any], scenario: str) -> None:
    with pytest.raises(Exception, match=r"[Cc]onnection|closed"):
        streamed(client, scenario)


def test_it_takes_no_key_but_its_own(web: httpx.Client, fake: FakeAnthropic) -> None:
    with FakeAnthropic(key="sk-good") as strict:
        statuses = [post(web, strict, {"x-api-key": key}).status_code for key in ("sk-bad", "sk-good")]
    assert statuses == [401, 200]
    assert post(web, fake, {}).json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize(
    ("version", "changes", "status"),
    [
        ("2023-06-01", {"temperature": 0.5}, 200),
        ("2026-10-21", {"temperature": 0.5}, 400),
        ("2024-01-01", {}, 400),
        ("2023-06-01", {"frequency_penalty": 1}, 400),
        ("2023-06-01", {"messages": [{"role": "tool", "content": "x"}]}, 400),
        ("2023-06-01", {"messages": [{"role": "user", "content": ""}]}, 400),
        ("2023-06-01", {"tools": [{"type": "function", "function": {"name": "f"}}]}, 400),
    ],
)
def test_it_refuses_what_the_api_refuses(
    web: httpx.Client, fake: FakeAnthropic, version: str, changes: dict[str, Any], status: int
) -> None:
    assert post(web, fake, {"x-api-key": "k", "anthropic-version": version}, changes).status_code == status


def test_a_scenario_can_be_changed(client: Callable[..., Any]) -> None:
    message, _ = streamed(client, replace(SCENARIOS["thinking"], form="crlf"))
    assert [block.type for block in message.content] == ["thinking", "text"]


def post(
    web: httpx.Client, fake: FakeAnthropic, headers: dict[str, str], changes: dict[str, Any] | None = None
) -> httpx.Response:
    headers = {"anthropic-version": "2023-06-01", **headers}
    return web.post(f"{fake.endpoint()}/v1/messages", json={**ASK, **(changes or {})}, headers=headers)
