"""Cohere's own SDK understands the fake that speaks its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests_py.providers.cohere import FakeCohere
from tests_py.providers.scenarios import TEXT

ASK: Any = {"model": "command-a-03-2026", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeCohere]:
    with FakeCohere() as server:
        yield server


@pytest.fixture(scope="module")
def client(fake: FakeCohere, web: httpx.Client) -> Callable[..., Any]:
    from cohere import ClientV2

    return lambda scenario="ok": ClientV2(api_key="k", base_url=fake.endpoint(scenario), httpx_client=web)


def test_a_plain_answer(client: Callable[..., Any]) -> None:
    answer = client("thinking").chat(**ASK)
    thought, text = answer.message.content
    assert (thought.thinking, text.text, answer.finish_reason) == ("Let me think.", TEXT, "COMPLETE")
    assert (answer.usage.billed_units.input_tokens, answer.usage.tokens.input_tokens) == (19, 30)
    answer = client("tool-plan").chat(**ASK)
    assert (answer.message.tool_plan, answer.finish_reason) == ("I will look.", "TOOL_CALL")
    assert answer.message.tool_calls[0].function.arguments == '{"city":"Zürich"}'


@pytest.mark.parametrize("scenario", ["ok", "crlf", "bytewise", "citations"])
def test_a_stream(client: Callable[..., Any], scenario: str) -> None:
    events = list(client(scenario).chat_stream(**ASK))
    said = [event.delta.message.content.text for event in events if event.type == "content-delta"]
    assert "".join(said) == TEXT
    assert (events[0].type, events[-1].type) == ("message-start", "message-end")
    assert events[-1].delta.usage.billed_units.output_tokens == 10


def test_a_stream_of_calls(client: Callable[..., Any]) -> None:
    events = list(client("tool-plan").chat_stream(**ASK))
    kinds = [event.type for event in events]
    assert kinds[1:5] == ["tool-plan-delta"] * 3 + ["tool-call-start"]
    assert kinds[-2:] == ["tool-call-end", "message-end"]
    pieces = [e.delta.message.tool_calls.function.arguments for e in events if e.type == "tool-call-delta"]
    assert "".join(pieces) == '{"city":"Zürich"}'


def test_embeddings_and_ranks(client: Callable[..., Any], fake: FakeCohere) -> None:
    made = client().embed(model="embed-v4.0", input_type="search_query", texts=["a", "b"], embedding_types=["float"])
    assert [vector[0] for vector in made.embeddings.float_] == [0.0, 1.0]
    assert made.meta.billed_units.input_tokens == 10
    ranked = client().rerank(model="rerank-v4.0", query="q", documents=["a", "b", "c"], top_n=2)
    assert [found.index for found in ranked.results] == [2, 1]
    assert ranked.meta.billed_units.search_units == 1
    assert fake.seen[-1].headers["authorization"] == "Bearer k"


def test_its_errors(client: Callable[..., Any]) -> None:
    from cohere.errors import InvalidTokenError

    with pytest.raises(InvalidTokenError):
        client("deny-listed").chat(**ASK)
    last = list(client("error-after-3").chat_stream(**ASK))[-1]
    assert (last.delta.finish_reason, last.delta.error) == ("ERROR", "It broke.")
