"""What adapters translate is what the official SDKs take: every answer and event, by their own types."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests_py.providers.anthropic import FakeAnthropic
from tests_py.providers.bedrock import ACCESS_KEY, SECRET, FakeBedrock
from tests_py.providers.cohere import FakeCohere
from tests_py.providers.google import FakeGoogle
from tests_py.providers.mistral import FakeMistral
from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import GRAMMARS, ask, events_of
from worker.providers.anthropic import AnthropicProvider
from worker.providers.base import Provider
from worker.providers.bedrock import BedrockProvider
from worker.providers.cohere import CohereProvider
from worker.providers.google import GoogleProvider
from worker.providers.openai import MISTRAL, OpenAIProvider
from worker.providers.wire import open_transport

FAKES: dict[str, type[ScenarioServer]] = {
    "anthropic": FakeAnthropic,
    "bedrock": FakeBedrock,
    "cohere": FakeCohere,
    "google": FakeGoogle,
    "mistral": FakeMistral,
}
BASES = {"anthropic": "/v1", "cohere": "/v2", "google": "/v1beta"}
SIGNED: dict[str, Any] = {"key": f"{ACCESS_KEY}:{SECRET}", "settings": {"region": "eu-central-1"}}
MORE: dict[str, dict[str, Any]] = {"bedrock": SIGNED, "mistral": {"settings": {"translated": [""]}}}
SCENARIOS = ("thinking", "thinking-tools", "text-and-tools", "empty-arguments", "length", "refusal", "no-usage")


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, ScenarioServer]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(fake()) for name, fake in FAKES.items()}


@pytest.fixture
async def providers() -> AsyncIterator[dict[str, Provider]]:
    transport = open_transport()
    yield {
        "anthropic": AnthropicProvider(transport),
        "bedrock": BedrockProvider(transport),
        "cohere": CohereProvider(transport),
        "google": GoogleProvider(transport),
        "mistral": OpenAIProvider(transport, MISTRAL),
    }
    await transport.aclose()


@functools.cache
def types() -> dict[str, Any]:
    import anthropic.types
    import openai.types.chat
    import openai.types.responses
    from pydantic import TypeAdapter

    return {
        "chat": TypeAdapter(openai.types.chat.ChatCompletion),
        "chat event": TypeAdapter(openai.types.chat.ChatCompletionChunk),
        "messages": TypeAdapter(anthropic.types.Message),
        "messages event": TypeAdapter(anthropic.types.RawMessageStreamEvent),
        "responses": TypeAdapter(openai.types.responses.Response),
        "responses event": TypeAdapter(openai.types.responses.ResponseStreamEvent),
    }


@pytest.mark.parametrize(
    ("kind", "grammar"),
    [(kind, grammar) for kind in FAKES for grammar in GRAMMARS if (kind, grammar) != ("anthropic", "messages")],
)
async def test_answers_are_what_sdks_take(
    fakes: dict[str, ScenarioServer], providers: dict[str, Provider], kind: str, grammar: str
) -> None:
    for scenario in SCENARIOS:
        endpoint = fakes[kind].root(scenario) + BASES.get(kind, fakes[kind].base)
        answered = await ask(providers[kind], endpoint, grammar, stream=False, **MORE.get(kind, {}))
        types()[grammar].validate_python(json.loads(answered.output.data))
        answered = await ask(providers[kind], endpoint, grammar, stream=True, **MORE.get(kind, {}))
        for event in events_of(answered.output):
            types()[f"{grammar} event"].validate_python(event)
