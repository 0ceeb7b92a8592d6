"""OpenAI's own SDK understands the fake on all surfaces, at OpenAI's paths and at Azure's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.providers.stage import PNG

MESSAGES: Any = [{"role": "user", "content": "Hello"}]
ASK: Any = {"model": "gpt-5.6", "input": "Hello"}
CHAT: Any = {"model": "gpt-5.6", "messages": MESSAGES}
DRAW: Any = {"model": "gpt-image-2", "prompt": "Zürich"}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def client(fake: FakeOpenAI, web2: Any) -> Callable[..., Any]:
    from openai import OpenAI

    one = OpenAI(api_key="sk", max_retries=0, http_client=web2)
    return lambda scenario="ok": one.with_options(base_url=fake.endpoint(scenario))


def streamed(client: Callable[..., Any], scenario: str | Scenario) -> list[Any]:
    return list(client(scenario).responses.create(**ASK, stream=True))


@pytest.mark.parametrize("scenario", ["ok", "thinking", "text-and-tools", "thinking-tools", "search"])
def test_a_stream_of_responses_makes_the_object_that_comes_plain(client: Callable[..., Any], scenario: str) -> None:
    plain = client(scenario).responses.create(**ASK)
    with client(scenario).responses.stream(**ASK) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [item.type for item in final.output] == [item.type for item in plain.output]
    assert final.output_text == plain.output_text == ("" if scenario == "thinking-tools" else TEXT)
    assert (final.usage, final.status) == (plain.usage, "completed")
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_the_grammar_of_a_stream(client: Callable[..., Any]) -> None:
    kinds = [event.type for event in streamed(client, Scenario(pieces=("a", "b")))]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    calls = [event for event in streamed(client, "tools") if "function_call_arguments" in event.type]
    assert "".join(event.delta for event in calls[:-1]) == calls[-1].arguments == '{"city":"Zürich"}'
    thoughts = [event.type for event in streamed(client, "thinking")]
    assert thoughts[3:8] == [
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
    ]


@pytest.mark.parametrize("form", ["crlf", "comments", "bytewise", "in-one"])
def test_a_stream_of_responses_in_every_form(client: Callable[..., Any], form: str) -> None:
    assert streamed(client, form)[-1].response.output_text == TEXT


def test_the_ends_of_a_response(client: Callable[..., Any]) -> None:
    import openai

    last = streamed(client, "length")[-1]
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")
    last = streamed(client, "failed")[-1]
    assert (last.type, last.response.error.code) == ("response.failed", "server_error")
    last = streamed(client, "error-after-5")[-1]
    assert (last.type, last.code) == ("error", "server_error")
    assert client("no-usage").responses.create(**ASK).usage is None
    with pytest.raises(openai.APIConnectionError):
        streamed(client, "cut-after-5")
    with pytest.raises(openai.RateLimitError) as caught:
        streamed(client, "no-money")
    assert caught.value.code == "insufficient_quota"


def test_chat(client: Callable[..., Any]) -> None:
    answer = client("thinking-tools").chat.completions.create(**CHAT)
    with client("thinking-tools").chat.completions.stream(**CHAT) as stream:
        final = stream.get_final_completion()
    for made in (answer, final):
        (choice,) = made.choices
        assert (choice.finish_reason, choice.message.tool_calls[0].function.arguments) == (
            "tool_calls",
            '{"city":"Zürich"}',
        )
    options = {"stream": True, "stream_options": {"include_usage": True}}
    *_, last = client().chat.completions.create(**CHAT, **options)
    assert (last.choices, last.usage.completion_tokens) == ([], 10)
    assert all(chunk.usage is None for chunk in client().chat.completions.create(**CHAT, stream=True))


def test_embeddings_as_floats_and_packed(client: Callable[..., Any], fake: FakeOpenAI) -> None:
    made = client().embeddings.create(model="e", input=["a", "b"], dimensions=3)
    assert fake.seen[-1].body["encoding_format"] == "base64"
    assert [one.embedding for one in made.data] == [[0.0, 0.125, 0.25], [1.0, 0.125, 0.25]]
    made = client().embeddings.create(model="e", input=[[1, 2, 3], [4]], encoding_format="float")
    assert [one.embedding[0] for one in made.data] == [0.0, 1.0]
    assert made.usage.prompt_tokens == 10


def test_images(client: Callable[..., Any], fake: FakeOpenAI) -> None:
    made = client().images.generate(**DRAW, n=2)
    assert (len(made.data), made.usage.output_tokens_details.image_tokens) == (2, 544)
    events = list(client().images.generate(**DRAW, stream=True, partial_images=2))
    assert [event.type.rpartition(".")[2] for event in events] == ["partial_image", "partial_image", "completed"]
    assert events[-1].usage.output_tokens == 272
    files = [("a.png", PNG, "image/png"), ("b.png", PNG, "image/png")]
    made = client().images.edit(**DRAW, image=files)
    body = fake.seen[-1].body
    assert (body["prompt"], body["image[]"][1]) == (
        "Zürich",
        {"filename": "b.png", "type": "image/png", "content": PNG},
    )
    edited = list(client().images.edit(**DRAW, image=files[0], stream=True))
    assert [event.type for event in edited] == ["image_edit.completed"]


def test_azure(fake: FakeOpenAI, web2: Any) -> None:
    from openai import AzureOpenAI

    azure = AzureOpenAI(api_key="k", azure_endpoint=fake.root(), api_version="2024-10-21", http_client=web2)
    assert azure.chat.completions.create(**{**CHAT, "model": "mine"}).model == "mine"
    seen = fake.seen[-1]
    assert seen.path == "/ok/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert seen.headers["api-key"] == "k"
    assert azure.embeddings.create(model="mine", input="a").data[0].embedding[1] == 0.125
