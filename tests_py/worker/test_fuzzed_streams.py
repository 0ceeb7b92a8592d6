"""Whatever a provider sends, an adapter fails in its classes or answers, and what is booked of it adds up.

True answers of every format are garbled: bytes flipped, cut out, doubled; JSON values replaced by others; pieces cut
anywhere. Nothing but `CallFailed` may come of it.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests_py.providers import bedrock
from tests_py.providers.eventstream import frame
from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import SCENARIOS
from tests_py.providers.server import Seen
from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import GRAMMARS, KINDS, question
from tests_py.worker.kit import Remembered, attempt
from worker.providers.base import CallFailed
from worker.providers.openai import OpenAIProvider
from worker.shapes import Attempt

EXAMPLES = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SAID = ("thinking-tools", "text-and-tools", "usage-every-chunk", "image", "refusal", "length")
ROUTES = {
    "anthropic": "/v1/messages",
    "bedrock": "/model/m/converse-stream",
    "cohere": "/v2/chat",
    "google": "/v1beta/models/m:streamGenerateContent?alt=sse",
    "mistral": "/v1/chat/completions",
    "openai": "/v1/chat/completions",
    "responses": "/v1/responses",
}
# What a question has, or has not, besides its messages.
MORE: dict[str, dict[str, Any]] = {
    "anthropic": {"max_tokens": 9},
    "cohere": {},
    "google": {"contents": [{"parts": [{"text": "?"}]}], "model": None, "stream": None, "messages": None},
    "mistral": {},
    "openai": {"stream_options": {"include_usage": True}},
    "responses": {"input": "?", "messages": None},
}
ODD: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.just([None, {}, [1]]),
    st.just({"type": "tool_use", "text": 1, "parts": [1]}),
)


@functools.cache
def events_of(kind: str, scenario: str) -> list[bytes]:
    """The events of a true stream."""
    play = SCENARIOS[scenario]
    if kind == "bedrock":
        return list(bedrock._events(play))  # the fake itself wants a signature
    fake: ScenarioServer = KINDS[kind].fake() if kind in KINDS else FakeOpenAI()
    body: dict[str, Any] = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "?"}]} | MORE[kind]
    body = {name: value for name, value in body.items() if value is not None}
    headers = {"authorization": "Bearer k", "x-api-key": "k", "x-goog-api-key": "k", "anthropic-version": "2023-06-01"}
    return list(fake.reply(Seen("x", f"/x{ROUTES[kind]}", headers, body, b"{}"), play).events or ())


@st.composite
def garbled(draw: Any, kind: str) -> list[bytes]:
    """A stream in pieces, with some of it changed."""
    events = list(events_of(kind, draw(st.sampled_from(SAID))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(events) - 1))
        events[at : at + 1] = draw(st.sampled_from((_drop, _double, _change, _swap)))(draw, kind, events[at])
        events = events or [b"\n\n"]
    whole = bytearray(b"".join(events))
    for _ in range(draw(st.integers(0, 2))):
        if whole:
            at = draw(st.integers(0, len(whole) - 1))
            whole[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=4))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    return [bytes(whole[start:end]) for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def _drop(draw: Any, kind: str, event: bytes) -> list[bytes]:
    return []


def _double(draw: Any, kind: str, event: bytes) -> list[bytes]:
    return [event, event]


def _swap(draw: Any, kind: str, event: bytes) -> list[bytes]:
    return [draw(st.sampled_from(events_of(kind, draw(st.sampled_from(SAID)))))]


def _change(draw: Any, kind: str, event: bytes) -> list[bytes]:
    """Some value in an event's JSON becomes another."""
    start, end = event.find(b"{"), event.rfind(b"}") + 1
    try:
        said = json.loads(event[start:end])
    except ValueError:
        return [event]
    places = list(_places(said))
    holder, name = draw(st.sampled_from(places))
    holder[name] = draw(ODD)
    data = json.dumps(said).encode()
    if kind != "bedrock":
        return [event[:start] + data + event[end:]]
    type_of = "contentBlockDelta" if b"contentBlockDelta" in event else "metadata"
    return [frame(said, message_type="event", event_type=type_of)]


def _places(said: Any) -> Any:
    for name, value in list(said.items() if isinstance(said, dict) else enumerate(said)):
        yield said, name
        if isinstance(value, dict | list) and value:
            yield from _places(value)


async def hear(kind: str, grammar: str, pieces: list[bytes], *, stream: bool) -> Attempt:
    """Have an answer read. Raises nothing but what must not be raised."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    class Body(httpx.AsyncByteStream):
        def __aiter__(self) -> AsyncIterator[bytes]:
            return body()

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Body())

    transport = httpx.MockTransport(answer)
    made, output = attempt(), Remembered()
    if kind in KINDS:
        provider, who = KINDS[kind].open(transport), KINDS[kind].more
    else:
        provider, who = OpenAIProvider(transport), {"settings": {"responses": kind == "responses"}}
    try:
        await provider.call(question("http://x", grammar, stream=stream, **who), made, output)
    except CallFailed as failed:
        assert failed.message is None or isinstance(failed.message, str)
    else:
        assert output.sent or output.last
    check(made)
    return made


def check(made: Attempt) -> None:
    """What an attempt tells is possible: no bucket below zero, what was thought within what was said."""
    assert made.output_bytes >= 0
    assert (made.usage is None) == (made.usage_source is None)
    if made.usage is not None:
        usage = made.usage
        buckets = (usage.input_uncached, usage.cache_read, usage.cache_write, usage.output, usage.reasoning)
        assert all(bucket is None or 0 <= bucket <= 2**54 for bucket in buckets)
        assert all(type(count) is int and count > 0 for count in (usage.other or {}).values())
        assert (usage.reasoning or 0) <= (usage.output or 0)
    json.dumps(made.raw_usage, allow_nan=False)


@pytest.mark.parametrize("kind", ROUTES)
def test_garbled_streams(kind: str) -> None:
    @EXAMPLES
    @given(garbled(kind), st.sampled_from(("responses",) if kind == "responses" else GRAMMARS))
    def run(pieces: list[bytes], grammar: str) -> None:
        asyncio.run(hear(kind, grammar, pieces, stream=True))

    run()


@pytest.mark.parametrize("kind", [kind for kind in ROUTES if kind != "bedrock"])
def test_garbled_answers(kind: str) -> None:
    """A plain answer is made of an event of a stream: odd enough, and sometimes whole."""

    @EXAMPLES
    @given(st.data())
    def run(data: Any) -> None:
        event = data.draw(st.sampled_from(events_of(kind, data.draw(st.sampled_from(SAID)))))
        (changed,) = _change(data.draw, kind, event)
        body = changed[changed.find(b"{") : changed.rfind(b"}") + 1]
        grammar = "responses" if kind == "responses" else data.draw(st.sampled_from(GRAMMARS))
        asyncio.run(hear(kind, grammar, [body], stream=False))

    run()
