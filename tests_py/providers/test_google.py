"""Google's own SDK understands the fake that speaks its format, at Gemini's paths and at Vertex's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests_py.providers.google import FakeGoogle
from tests_py.providers.scenarios import TEXT, WORDS, Scenario
from tests_py.providers.stage import PNG

ASK: Any = {"model": "gemini-3-flash", "contents": "Hello"}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeGoogle]:
    with FakeGoogle() as server:
        yield server


@pytest.fixture(scope="module")
def client(fake: FakeGoogle, web2: Any) -> Callable[..., Any]:
    from google import genai
    from google.oauth2.credentials import Credentials

    kept = []  # a client closes what it was given when it is forgotten

    @functools.cache
    def make(scenario: str | Scenario = "ok", *, vertex: bool = False) -> Any:
        who: Any = {"api_key": "AIza"}
        if vertex:
            token = Credentials("ya29")  # type: ignore[no-untyped-call]
            who = {"enterprise": True, "project": "p", "location": "europe-west4", "credentials": token}
        options: Any = {"base_url": fake.endpoint(scenario), "httpx_client": web2}
        kept.append(genai.Client(**who, http_options=options))
        return kept[-1].models

    return make


def streamed(client: Callable[..., Any], scenario: str | Scenario) -> list[Any]:
    return list(client(scenario).generate_content_stream(**ASK))


@pytest.mark.parametrize("scenario", ["ok", "lf", "bytewise", "in-one"])
def test_a_stream_in_every_form(client: Callable[..., Any], scenario: str) -> None:
    chunks = streamed(client, scenario)
    assert tuple(chunk.text for chunk in chunks) == WORDS
    assert [chunk.candidates[0].finish_reason for chunk in chunks] == [None, None, None, "STOP"]
    assert [chunk.usage_metadata.candidates_token_count for chunk in chunks] == [1, 2, 3, 10]


def test_a_plain_answer_counts_everything(client: Callable[..., Any]) -> None:
    answer = client().generate_content(**ASK, config={"temperature": 0.5, "system_instruction": "Be kind."})
    assert answer.text == TEXT
    used = answer.usage_metadata
    assert (used.prompt_token_count, used.cached_content_token_count, used.tool_use_prompt_token_count) == (19, 4, 6)
    assert (used.candidates_token_count, used.thoughts_token_count, used.total_token_count) == (10, 3, 38)


def test_a_call_ends_with_stop_and_thoughts_are_signed(client: Callable[..., Any]) -> None:
    for answer in (client("thinking-tools").generate_content(**ASK), streamed(client, "thinking-tools")[-1]):
        (candidate,) = answer.candidates
        call = candidate.content.parts[-1]
        assert (call.function_call.name, call.function_call.args) == ("get_weather", {"city": "Zürich"})
        assert call.thought_signature
        assert candidate.finish_reason == "STOP"
    thoughts = [chunk.candidates[0].content.parts[0] for chunk in streamed(client, "thinking-tools")[:-1]]
    assert [(part.thought, part.text) for part in thoughts] == [(True, "Let me"), (True, " look.")]


def test_a_blocked_prompt_has_no_candidate(client: Callable[..., Any]) -> None:
    answer = client("blocked").generate_content(**ASK)
    assert (answer.candidates, answer.prompt_feedback.block_reason) == (None, "PROHIBITED_CONTENT")
    assert answer.usage_metadata.candidates_token_count is None


def test_an_image_and_its_tokens(client: Callable[..., Any]) -> None:
    answer = client("image").generate_content(**ASK, config={"response_modalities": ["TEXT", "IMAGE"]})
    assert answer.candidates[0].content.parts[-1].inline_data.data == PNG
    drawn = {detail.modality: detail.token_count for detail in answer.usage_metadata.candidates_tokens_details}
    assert drawn == {"TEXT": 10, "IMAGE": 1290}


def test_embeddings_counts_and_models(client: Callable[..., Any], fake: FakeGoogle) -> None:
    made = client().embed_content(
        model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 3}
    )
    assert [one.values for one in made.embeddings] == [[0.0, 0.125, 0.25], [1.0, 0.125, 0.25]]
    assert client().count_tokens(**ASK).total_tokens == 19
    assert [model.name for model in client().list()] == ["models/gemini-3-flash"]
    assert fake.asked[-1].headers["x-goog-api-key"] == "AIza"


def test_vertex(client: Callable[..., Any], fake: FakeGoogle) -> None:
    assert client(vertex=True).generate_content(**ASK).text == TEXT
    seen = fake.seen[-1]
    assert seen.headers["authorization"] == "Bearer ya29"
    place = "/projects/p/locations/europe-west4/publishers/google/models/gemini-3-flash:generateContent"
    assert seen.route.endswith(place)
    made = client(vertex=True).embed_content(model="text-embedding-005", contents=["a", "b"])
    assert [one.statistics.token_count for one in made.embeddings] == [5, 5]


def test_its_errors(client: Callable[..., Any]) -> None:
    from google.genai import errors

    with pytest.raises(errors.ClientError) as limited:
        client("minute-limit").generate_content(**ASK)
    assert limited.value.status == "RESOURCE_EXHAUSTED"
    assert limited.value.details["error"]["details"][1]["retryDelay"] == "22s"
    for scenario in ("error-after-2", "error-in-200"):
        with pytest.raises(errors.ServerError):
            streamed(client, scenario)
    with pytest.raises(Exception, match="closed"):
        streamed(client, "cut-after-2")
    assert len(streamed(client, "end-after-2")) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"generationConfig": {"max_tokens": 3}},
        {"messages": []},
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]},
    ],
)
def test_it_refuses_what_the_api_refuses(web: httpx.Client, fake: FakeGoogle, changes: dict[str, Any]) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], **changes}
    url = f"{fake.endpoint()}/v1beta/models/m:generateContent"
    answer = web.post(url, json=body, headers={"x-goog-api-key": "k"})
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
