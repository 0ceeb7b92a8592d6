"""Whatever a provider sends, an adapter fails in its classes or answers, and what is booked of it adds up.

True answers of every format are garbled: bytes flipped, cut out, doubled; JSON values replaced by others; pieces cut
anywhere. Nothing but `CallFailed` may come of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests_py.providers.garbled import ROUTES, SAID, change_json, events_of, garbled
from tests_py.worker.adapters import GRAMMARS, KINDS, question
from tests_py.worker.kit import Remembered, attempt
from worker.providers.base import CallFailed
from worker.providers.openai import OpenAIProvider
from worker.shapes import Attempt

EXAMPLES = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


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
        body = change_json(data.draw, event[event.find(b"{") : event.rfind(b"}") + 1])
        grammar = "responses" if kind == "responses" else data.draw(st.sampled_from(GRAMMARS))
        asyncio.run(hear(kind, grammar, [body], stream=False))

    run()


# A list where words are looked up, JSON deeper than Python goes by recursion, an object's field in what is none.
_DEEP = '{"a":' * 700 + '"x"' + "}" * 700
SURPRISES = {
    "anthropic": 'event: message_delta\ndata: {"type": "message_delta", "delta": {"stop_reason": ["end_turn"]}}\n\n',
    "responses": 'data: {"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details":'
    ' {"reason": ["max_output_tokens"]}}}\n\n',
    "openai": f'data: {{"choices": [{{"delta": {{"x": {_DEEP}}}}}]}}\n\n',
    "mistral": 'data: {"choices": [{"delta": {"tool_calls": [{"id": "a", "extra_content": [1], "function":'
    ' {"name": "f", "arguments": ""}}]}}]}\n\n',
}


@pytest.mark.parametrize("kind", SURPRISES)
async def test_what_once_surprised_an_adapter(kind: str) -> None:
    grammar = {"anthropic": "messages", "responses": "responses"}.get(kind, "chat")
    await hear(kind, grammar, [SURPRISES[kind].encode()], stream=True)
