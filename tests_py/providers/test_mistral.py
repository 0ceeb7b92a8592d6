"""Mistral's own SDK understands the fake that speaks its dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests_py.providers.mistral import FakeMistral
from tests_py.providers.scenarios import TEXT

ASK: Any = {"model": "mistral-medium-2608", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeMistral]:
    with FakeMistral() as server:
        yield server


@pytest.fixture(scope="module")
def client(fake: FakeMistral, web2: Any) -> Callable[..., Any]:
    from mistralai.client import Mistral

    return lambda scenario="ok": Mistral(api_key="k", server_url=fake.root(scenario), client=web2)


def test_a_plain_answer_thinks_in_its_content(client: Callable[..., Any]) -> None:
    answer = client("thinking").chat.complete(**ASK)
    thought, text = answer.choices[0].message.content
    assert (thought.thinking[0].text, text.text) == ("Let me think.", TEXT)
    assert answer.usage.total_tokens == 29


def test_a_stream_has_its_usage_on_the_chunk_that_finishes(client: Callable[..., Any]) -> None:
    chunks = [event.data for event in client("thinking").chat.stream(**ASK)]
    assert chunks[1].choices[0].delta.content[0].thinking[0].text == "Let me"
    (last,) = [chunk for chunk in chunks if chunk.choices[0].finish_reason]
    assert (last.choices[0].finish_reason, last.usage.completion_tokens) == ("stop", 10)
    (call,) = [e.data for e in client("tools").chat.stream(**ASK) if e.data.choices[0].delta.tool_calls]
    assert call.choices[0].delta.tool_calls[0].function.arguments == '{"city":"Zürich"}'


def test_embeddings_and_models(client: Callable[..., Any]) -> None:
    made = client().embeddings.create(model="mistral-embed", inputs=["a", "b"])
    assert [one.embedding[0] for one in made.data] == [0.0, 1.0]
    assert [model.id for model in client().models.list().data] == ["mistral-medium-2608"]


def test_its_errors(client: Callable[..., Any], fake: FakeMistral, web: httpx.Client) -> None:
    from mistralai.client.errors import HTTPValidationError, SDKError

    with pytest.raises(SDKError, match="rate_limited"):
        client("status-429").chat.complete(**ASK)
    with pytest.raises(HTTPValidationError):
        client("status-422").chat.complete(**ASK)
    body = {**ASK, "stream": True, "stream_options": {"include_usage": True}}
    url = f"{fake.endpoint()}/chat/completions"
    assert web.post(url, json=body, headers={"authorization": "Bearer k"}).status_code == 422
