"""What adapters translate is what the official SDKs take: every answer and event, by their own types."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import KINDS, TRANSLATED, ask, events_of
from worker.providers.base import Provider

SCENARIOS = ("thinking", "thinking-tools", "text-and-tools", "empty-arguments", "length", "refusal", "no-usage")


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


@pytest.mark.parametrize(("name", "grammar"), TRANSLATED)
async def test_answers_are_what_sdks_take(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, grammar: str
) -> None:
    kind = KINDS[name]
    for scenario in SCENARIOS:
        endpoint = kind.endpoint(fakes[name], scenario)
        answered = await ask(adapters[name], endpoint, grammar, stream=False, **kind.more)
        types()[grammar].validate_python(json.loads(answered.output.data))
        answered = await ask(adapters[name], endpoint, grammar, stream=True, **kind.more)
        for event in events_of(answered.output):
            types()[f"{grammar} event"].validate_python(event)
