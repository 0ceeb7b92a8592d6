"""Amazon's own SDK understands the fake's frames, and the fake its signature."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests_py.providers.bedrock import ACCESS_KEY, SECRET, FakeBedrock, usage, validate
from tests_py.providers.scenarios import TEXT, Scenario

MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
ASK: Any = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Hello, Zürich"}]}]}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeBedrock]:
    with FakeBedrock() as server:
        yield server


@pytest.fixture(scope="module")
def client(fake: FakeBedrock) -> Iterator[Callable[..., Any]]:
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session()
    once = Config(retries={"total_max_attempts": 1})

    kept = []

    def make(scenario: str | Scenario = "ok", **credentials: str) -> Any:
        keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET, **credentials}
        url = fake.endpoint(scenario)
        kept.append(session.create_client("bedrock-runtime", "eu-central-1", endpoint_url=url, config=once, **keys))
        return kept[-1]

    yield make
    for one in kept:
        one.close()


def streamed(client: Callable[..., Any], scenario: str) -> list[dict[str, Any]]:
    with contextlib.closing(client(scenario).converse_stream(**ASK)["stream"]) as stream:
        return list(stream)


def test_a_plain_answer(client: Callable[..., Any], fake: FakeBedrock) -> None:
    answer = client("thinking-tools").converse(**ASK)
    thought, call = answer["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == "Let me look."
    assert call["toolUse"]["input"] == {"city": "Zürich"}
    assert (answer["stopReason"], answer["usage"]) == ("tool_use", usage())
    assert fake.seen[-1].route == f"/model/{MODEL.replace(':', '%3A')}/converse"


@pytest.mark.parametrize("scenario", ["ok", "bytewise", "in-one"])
def test_a_stream(client: Callable[..., Any], scenario: str) -> None:
    events = streamed(client, scenario)
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta["text"] for delta in deltas) == TEXT
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert events[-1]["metadata"]["usage"] == usage()


def test_a_stream_of_thoughts_and_calls(client: Callable[..., Any]) -> None:
    events = streamed(client, "thinking-tools")
    (start,) = (event["contentBlockStart"] for event in events if "contentBlockStart" in event)
    assert start["contentBlockIndex"] == 1
    assert start["start"]["toolUse"]["name"] == "get_weather"
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert [next(iter(delta["reasoningContent"])) for delta in deltas[:3]] == ["text", "text", "signature"]
    assert "".join(delta["toolUse"]["input"] for delta in deltas[3:]) == '{"city":"Zürich"}'
    assert not any("metadata" in event for event in streamed(client, "no-usage"))


def test_its_errors(client: Callable[..., Any]) -> None:
    from botocore.exceptions import ClientError, EventStreamError

    with pytest.raises(ClientError, match="ThrottlingException"):
        streamed(client, "status-429")
    for scenario in ("throttled-in-stream", "model-error-in-stream"):
        with pytest.raises(EventStreamError, match=r"throttlingException|modelStreamErrorException"):
            streamed(client, scenario)
    with pytest.raises(Exception, match="Checksum mismatch"):
        streamed(client, "garbled-after-2")
    for scenario in ("cut-after-3", "cut-inside-3"):
        with pytest.raises(Exception, match="prematurely"):
            streamed(client, scenario)


def test_it_takes_only_what_is_signed_with_its_secret(client: Callable[..., Any]) -> None:
    from botocore.exceptions import ClientError

    for wrong, code in [
        ({"aws_secret_access_key": "other"}, "InvalidSignatureException"),
        ({"aws_access_key_id": "AKIAOTHER"}, "UnrecognizedClientException"),
        ({"aws_session_token": "token"}, "UnrecognizedClientException"),
    ]:
        with pytest.raises(ClientError, match=code):
            client(**wrong).converse(**ASK)


def test_a_session_token_is_signed_too(client: Callable[..., Any], fake: FakeBedrock) -> None:
    fake.session_token = "token"
    try:
        assert client(aws_session_token="token").converse(**ASK)["stopReason"] == "end_turn"
    finally:
        fake.session_token = ""


def test_it_knows_the_request_by_amazons_description() -> None:
    assert validate({"messages": ASK["messages"], "inferenceConfig": {"maxTokens": 5}}, MODEL) == ""
    assert "max_tokens" in validate({"messages": ASK["messages"], "inferenceConfig": {"max_tokens": 5}}, MODEL)
    assert "content" in validate({"messages": [{"role": "user", "content": "text"}]}, MODEL)
