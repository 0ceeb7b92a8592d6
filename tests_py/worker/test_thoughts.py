"""What a model thought comes back to it: in every grammar, with its signature, at its place; and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests_py.providers.scenarios import Scenario, ToolCall
from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import (
    GRAMMARS,
    KINDS,
    TRANSLATED,
    Told,
    ask,
    result,
    say,
)
from worker.providers.base import Provider

SIGNERS = [(name, grammar) for name, grammar in TRANSLATED if name in ("anthropic", "bedrock", "google")]
SEALED = [(name, grammar) for name, grammar in SIGNERS if name != "google"]
SIGNATURE = Scenario().signature


async def talk(
    fakes: dict[str, ScenarioServer],
    adapters: dict[str, Provider],
    name: str,
    grammar: str,
    scenario: str | Scenario,
    *,
    stream: bool,
    to: str = "",
) -> tuple[Told, list[dict[str, Any]]]:
    """An answer, and the turn of the model's that the next question, perhaps to another provider, gives back."""
    asked, kind = KINDS[name], KINDS[to or name]
    answered = await ask(adapters[name], asked.endpoint(fakes[name], scenario), grammar, stream=stream, **asked.more)
    told = answered.told
    after = result(grammar, call_id(grammar, told), "Sunny") if told.calls else "And?"
    body = say(grammar, "Weather?", told, after)
    await ask(adapters[to or name], kind.endpoint(fakes[to or name]), grammar, body, stream=False, **kind.more)
    sent = fakes[to or name].seen[-1].body
    turns = sent["contents"] if (to or name) == "google" else sent["messages"]
    (said,) = (turn for turn in turns if turn["role"] in ("assistant", "model"))
    parts: list[dict[str, Any]] = said.get("content") or said.get("parts") or []
    return told, parts


def call_id(grammar: str, told: Told) -> str:
    for said in told.back:
        for call in (said, *(said.get("tool_calls") or ()), *(said.get("content") or ())):
            if isinstance(call, dict) and call.get("type") in ("tool_use", "function", "function_call"):
                return str(call.get("call_id") or call["id"])
    raise AssertionError


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("name", "grammar"), SIGNERS)
async def test_a_signed_thought_comes_back_before_its_call(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, grammar: str, stream: bool
) -> None:
    scenario = Scenario(
        thinking=("Let me", " look."), pieces=("Wait.",), calls=(ToolCall(), ToolCall("get_time", ("{}",)))
    )
    _, parts = await talk(fakes, adapters, name, grammar, scenario, stream=stream)
    if name == "google":
        signed = [part for part in parts if "thoughtSignature" in part]
        assert [part["functionCall"]["name"] for part in signed] == ["get_weather"]
        assert signed[0]["thoughtSignature"] == SIGNATURE
        return
    thought = {
        "anthropic": {"type": "thinking", "thinking": "Let me look.", "signature": SIGNATURE},
        "bedrock": {"reasoningContent": {"reasoningText": {"text": "Let me look.", "signature": SIGNATURE}}},
    }
    assert parts[0] == thought[name]
    assert len(parts) == 4, "a thought, a word, two calls"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("name", "grammar"), SEALED)
async def test_a_sealed_thought_comes_back(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, grammar: str, stream: bool
) -> None:
    _, parts = await talk(fakes, adapters, name, grammar, "redacted", stream=stream)
    sealed = {
        "anthropic": {"type": "redacted_thinking", "data": "RWNyeXB0ZWQ="},
        "bedrock": {"reasoningContent": {"redactedContent": "eHl6"}},
    }
    assert parts[0] == sealed[name]


@pytest.mark.parametrize("grammar", GRAMMARS)
@pytest.mark.parametrize("name", ["bedrock", "google"])
async def test_nobody_else_gets_it(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], name: str, grammar: str
) -> None:
    for other in KINDS:
        if other != name and (other, grammar) in TRANSLATED:
            await talk(fakes, adapters, name, grammar, "thinking-tools", stream=True, to=other)
            sent = fakes[other].seen[-1].raw.decode()
            assert SIGNATURE not in sent
            assert "Let me look" not in sent


@pytest.mark.parametrize("grammar", ["chat", "responses"])
async def test_a_thought_without_words_is_signed_all_the_same(
    fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], grammar: str
) -> None:
    block = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    for stream in (False, True):
        scenario = Scenario(blocks=(block,))
        _, parts = await talk(fakes, adapters, "anthropic", grammar, scenario, stream=stream)
        assert parts[0] == block
