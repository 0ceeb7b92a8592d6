"""OpenAI's and Anthropic's own SDKs, unchanged but for base URL and key, at every kind of provider.

A gateway of real processes stands between them and servers that speak each provider's true format. What was booked is
read from the vault. Mutants it catches: usage of one grammar read as another's; a call's arguments lost between two; a
signature that does not find its way back; the end of a stream in the wrong words.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pydantic
import pytest

from tests_py.providers.scenarios import TEXT, Scenario
from tests_py.providers.stage import PNG
from tests_py.support.played import House

ASK: Any = [{"role": "user", "content": "What is the weather?"}]
PARAMETERS: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
KINDS = ("openai", "anthropic", "google")


@pytest.fixture
def house(played: House) -> House:
    return played


@pytest.fixture
def by_openai(house: House) -> Iterator[openai.OpenAI]:
    url = f"{house.gateway.url}/v1"
    with openai.OpenAI(base_url=url, api_key=house.gateway.token, timeout=30) as client:
        yield client


@pytest.fixture
def by_anthropic(house: House) -> Iterator[anthropic.Anthropic]:
    url, token = house.gateway.url, house.gateway.token
    with anthropic.Anthropic(base_url=url, api_key=token, timeout=30) as client:
        yield client


@pytest.mark.parametrize("kind", KINDS)
def test_chat_completions(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    model = house.model(kind)
    answer = by_openai.chat.completions.create(model=model, messages=ASK)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (TEXT, "stop")
    booked = house.booked(model)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (
        booked["prompt_tokens"],
        booked["completion_tokens"],
    )
    assert booked["usage_source"] == "provider_final"
    cost: Any = answer.model_extra
    assert Decimal(str(cost["onevault"]["cost"]["customer"])) == booked["customer_cost"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_chat_completions_streamed(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    model = house.model(kind)
    options: Any = {"include_usage": True}
    chunks = list(by_openai.chat.completions.create(model=model, messages=ASK, stream=True, stream_options=options))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    used = next(chunk.usage for chunk in chunks if chunk.usage is not None)
    booked = house.booked(model)
    assert (used.prompt_tokens, used.completion_tokens) == (booked["prompt_tokens"], booked["completion_tokens"])
    last: Any = chunks[-1].model_extra
    assert last["onevault"]["model"] == model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_loop_of_tools_by_openai(house: House, by_openai: openai.OpenAI, kind: str, streamed: bool) -> None:
    model = house.model(kind, "thinking-tools")
    message: Any
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]
    if streamed:
        with by_openai.chat.completions.stream(model=model, messages=ASK, tools=tools) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = by_openai.chat.completions.create(model=model, messages=ASK, tools=tools).choices[0].message
    assert message.tool_calls is not None
    (call,) = message.tool_calls
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Zürich"})
    said: Any = message.model_dump(exclude_none=True, exclude={"parsed"})
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Rain."}
    by_openai.chat.completions.create(model=model, messages=[*ASK, said, result], tools=tools)
    sent = json.dumps(house.seen(kind).body, ensure_ascii=False)
    assert "Rain." in sent
    assert "Zürich" in sent
    if kind != "openai":
        # Who thought is given his thought back, signed.
        assert Scenario().signature in sent


@pytest.mark.parametrize("kind", KINDS)
def test_a_parsed_schema(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    class Place(pydantic.BaseModel):
        city: str

    model = house.model(kind, Scenario(pieces=('{"city":', ' "Zürich"}')))
    answer = by_openai.chat.completions.parse(model=model, messages=ASK, response_format=Place)
    assert answer.choices[0].message.parsed == Place(city="Zürich")
    assert '"city"' in json.dumps(house.seen(kind).body)


@pytest.mark.parametrize("kind", KINDS)
def test_responses(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    model = house.model(kind, "thinking")
    answer = by_openai.responses.create(model=model, input="What is the weather?")
    assert (answer.output_text, answer.status) == (TEXT, "completed")
    booked = house.booked(model)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
        booked["prompt_tokens"],
        booked["completion_tokens"],
    )
    if kind == "openai":
        assert house.seen(kind).body["store"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_responses_streamed_with_tools(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    model = house.model(kind, "text-and-tools")
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}]
    with by_openai.responses.stream(model=model, input="What is the weather?", tools=tools) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()
    assert ("".join(deltas), answer.output_text) == (TEXT, TEXT)
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": "Zürich"}, {"zone": "Europe/Zurich"}]
    assert house.booked(model)["response_status"] == "SUCCESS"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("streamed", [False, True])
def test_messages(house: House, by_anthropic: anthropic.Anthropic, kind: str, streamed: bool) -> None:
    model = house.model(kind, "thinking")
    message: Any
    if streamed:
        with by_anthropic.messages.stream(model=model, max_tokens=2000, messages=ASK) as stream:
            assert "".join(stream.text_stream) == TEXT
            message = stream.get_final_message()
    else:
        message = by_anthropic.messages.create(model=model, max_tokens=2000, messages=ASK)
    assert message.stop_reason == "end_turn"
    assert "".join(block.text for block in message.content if block.type == "text") == TEXT
    booked = house.booked(model)
    used = message.usage
    read, written = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
    assert (used.input_tokens + read + written, used.output_tokens) == (
        booked["prompt_tokens"],
        booked["completion_tokens"],
    )
    if kind == "anthropic":
        assert message.content[0].type == "thinking"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_loop_of_tools_by_anthropic(
    house: House, by_anthropic: anthropic.Anthropic, kind: str, streamed: bool
) -> None:
    model = house.model(kind, "thinking-tools")
    message: Any
    asked: Any = {"tools": [{"name": "get_weather", "input_schema": PARAMETERS}], "model": model, "max_tokens": 3000}
    if streamed:
        with by_anthropic.messages.stream(messages=ASK, **asked) as stream:
            message = stream.get_final_message()
    else:
        message = by_anthropic.messages.create(messages=ASK, **asked)
    assert message.stop_reason == "tool_use"
    (call,) = [block for block in message.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("get_weather", {"city": "Zürich"})
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain."}
    turns: Any = [
        *ASK,
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]},
        {"role": "user", "content": [result]},
    ]
    by_anthropic.messages.create(messages=turns, **asked)
    sent = json.dumps(house.seen(kind).body, ensure_ascii=False)
    assert "Rain." in sent
    if kind != "openai":
        assert Scenario().signature in sent


@pytest.mark.parametrize(("kind", "tokens"), [("openai", 5), ("anthropic", 15), ("google", 19)])
def test_tokens_are_counted_for_nothing(
    house: House, by_anthropic: anthropic.Anthropic, kind: str, tokens: int
) -> None:
    model = house.model(kind)
    assert by_anthropic.messages.count_tokens(model=model, messages=ASK).input_tokens == tokens
    assert house.booked(model)["customer_cost"] == 0


@pytest.mark.parametrize("kind", ["openai", "google"])
def test_embeddings(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    model = house.model(kind, capability="embedding")
    # The SDK asks for base64 by itself and unpacks it.
    answer = by_openai.embeddings.create(model=model, input=["one", "two"])
    assert [found.index for found in answer.data] == [0, 1]
    assert all(isinstance(number, float) for number in answer.data[1].embedding)
    asked = by_openai.embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    assert answer.data[1].embedding == pytest.approx(asked.data[1].embedding)


def test_images(house: House, by_openai: openai.OpenAI) -> None:
    model = house.model("openai", capability="image")
    made = by_openai.images.generate(model=model, prompt="A bridge", size="1024x1024", quality="low", n=2)
    assert made.data is not None
    assert [base64.b64decode(picture.b64_json or "") for picture in made.data] == [PNG, PNG]
    assert house.booked(model)["response_status"] == "SUCCESS"
    other = house.model("openai", capability="image")
    edited = by_openai.images.edit(model=other, prompt="Another", image=[("a.png", PNG), ("b.png", PNG)], n=1)
    assert edited.data is not None
    assert len(edited.data) == 1
    seen = house.seen("openai")
    assert seen.headers["content-type"].startswith("multipart/form-data")


def test_images_streamed(house: House, by_openai: openai.OpenAI) -> None:
    model = house.model("openai", capability="image")
    events = list(by_openai.images.generate(model=model, prompt="A bridge", stream=True, partial_images=1))
    assert events[-1].type == "image_generation.completed"
    assert house.booked(model)["response_status"] == "SUCCESS"


def test_errors_have_the_words_of_each_sdk(
    house: House, by_openai: openai.OpenAI, by_anthropic: anthropic.Anthropic
) -> None:
    def class_of(ask: Callable[[], object]) -> type[Exception]:
        with pytest.raises(Exception) as caught:
            ask()
        return caught.type

    model = house.model("google", "status-400")
    assert class_of(lambda: by_openai.chat.completions.create(model=model, messages=ASK)) is openai.BadRequestError
    assert (
        class_of(lambda: by_anthropic.messages.create(model=model, max_tokens=10, messages=ASK))
        is anthropic.BadRequestError
    )
    assert (
        class_of(lambda: by_anthropic.messages.create(model="nobody", max_tokens=10, messages=ASK))
        is anthropic.NotFoundError
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_breaks_off_says_so(
    house: House, by_openai: openai.OpenAI, by_anthropic: anthropic.Anthropic, kind: str
) -> None:
    # Events count differently from format to format; after these some words have been said and some not.
    broken = Scenario(cut_after={"openai": 3, "anthropic": 5, "google": 2}[kind])
    model = house.model(kind, broken)
    with pytest.raises(openai.APIError):
        list(by_openai.chat.completions.create(model=model, messages=ASK, stream=True))
    booked = house.booked(model)
    assert (booked["response_status"], booked["error_class"]) == ("ERROR", "truncated_stream")
    assert booked["customer_cost"] > 0
    model = house.model(kind, broken)
    with (
        pytest.raises(anthropic.APIError),
        by_anthropic.messages.stream(model=model, max_tokens=100, messages=ASK) as stream,
    ):
        list(stream)
    model = house.model(kind, broken)
    with pytest.raises((openai.APIError, RuntimeError)), by_openai.responses.stream(model=model, input="Hi") as events:
        assert [event.type for event in events][-1] == "error"
        events.get_final_response()


def test_both_sdks_know_their_request(
    house: House, by_openai: openai.OpenAI, by_anthropic: anthropic.Anthropic
) -> None:
    model = house.model("openai")
    message = by_anthropic.messages.create(model=model, max_tokens=9, messages=ASK)
    assert message._request_id is not None
    assert by_openai.chat.completions.create(model=model, messages=ASK)._request_id
    with pytest.raises(anthropic.NotFoundError) as caught:
        by_anthropic.messages.create(model="nobody", max_tokens=9, messages=ASK)
    assert caught.value.request_id == caught.value.response.headers["x-onevault-request-id"]


@pytest.mark.parametrize("kind", KINDS)
def test_none_is_no_wish(house: House, by_openai: openai.OpenAI, by_anthropic: anthropic.Anthropic, kind: str) -> None:
    model = house.model(kind)
    chat = by_openai.chat.completions.create(model=model, messages=ASK, audio=None, prediction=None, store=None)
    assert chat.choices[0].message.content == TEXT
    message = by_anthropic.messages.create(
        model=model, max_tokens=9, messages=ASK, container=None, tools=[{"type": None, "name": "a", "input_schema": {}}]
    )
    assert message.stop_reason == "end_turn"
    answer = by_openai.responses.create(model=model, input="?", conversation=None, prompt=None, background=None)
    assert answer.output_text == TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_of_responses_as_the_guide_has_it(house: House, by_openai: openai.OpenAI, kind: str) -> None:
    model = house.model(kind, "thinking-tools")
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}]
    said: Any = list(ASK)
    answer = by_openai.responses.create(model=model, input=said, tools=tools)
    for item in answer.output:
        # Who asks for no sealed thoughts of OpenAI's is given none.
        said.append(item.model_copy(update={"encrypted_content": None}) if item.type == "reasoning" else item)
        if item.type == "function_call":
            said.append({"type": "function_call_output", "call_id": item.call_id, "output": "Rain."})
    again = by_openai.responses.with_raw_response.create(model=model, input=said, tools=tools)
    assert "Rain." in json.dumps(house.seen(kind).body)
    assert again.headers.get("x-onevault-dropped") == ("input.reasoning" if kind == "openai" else None)


def test_a_conversation_goes_on_elsewhere(house: House, by_anthropic: anthropic.Anthropic) -> None:
    first = by_anthropic.messages.create(model=house.model("google", "thinking-tools"), max_tokens=3000, messages=ASK)
    call = next(block for block in first.content if block.type == "tool_use")
    turns: Any = [
        *ASK,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Rain."}]},
    ]
    other = house.model("anthropic")
    assert by_anthropic.messages.create(model=other, max_tokens=3000, messages=turns).stop_reason == "end_turn"
    assert [block["type"] for block in house.seen("anthropic").body["messages"][1]["content"]] == ["tool_use"]


def test_both_sdks_read_the_models(house: House, by_openai: openai.OpenAI, by_anthropic: anthropic.Anthropic) -> None:
    model = house.model("anthropic")
    found = by_anthropic.models.retrieve(model)
    assert (found.type, found.display_name, found.max_input_tokens, found.max_tokens) == ("model", model, 100000, 4000)
    listed = list(by_anthropic.models.list())
    assert model in [one.id for one in listed]
    assert found.created_at == next(one.created_at for one in listed if one.id == model)
    assert found.created_at.timestamp() == pytest.approx(by_openai.models.retrieve(model).created, abs=1)
