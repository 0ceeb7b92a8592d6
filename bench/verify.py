"""Are the answers whole? wrk counts them; here some are read to the last byte."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from bench.errors import AnswerError
from bench.load import Call
from bench.provider import CHUNKS

_TOGETHER: Final = 32
_TIMEOUT_SECONDS: Final = 30


def verify_answers(plain: Call, streamed: Call) -> int:
    """Read plain and streamed answers, many at once; returns how many. Raises AnswerError."""
    return asyncio.run(_verify(plain, streamed))


async def _verify(plain: Call, streamed: Call) -> int:
    usage = json.loads(streamed.body) | {"stream_options": {"include_usage": True}}
    with_usage = Call(url=streamed.url, body=json.dumps(usage).encode(), tokens=streamed.tokens)
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
        checks = [
            check
            for _ in range(_TOGETHER)
            for check in (
                _check_plain(client, plain),
                _check_stream(client, streamed, usage=False),
                _check_stream(client, with_usage, usage=True),
            )
        ]
        await asyncio.gather(*checks)
    return len(checks)


async def _post(client: httpx.AsyncClient, call: Call) -> httpx.Response:
    headers = {"authorization": f"Bearer {call.tokens[0]}", "content-type": "application/json"}
    response = await client.post(call.url, content=call.body, headers=headers)
    if response.status_code != httpx.codes.OK:
        raise AnswerError(f"status {response.status_code}: {response.text}")
    for header in ("x-onevault-request-id", "x-onevault-provider", "x-onevault-model"):
        if header not in response.headers:
            raise AnswerError(f"the answer has no header {header}")
    return response


async def _check_plain(client: httpx.AsyncClient, call: Call) -> None:
    answer = (await _post(client, call)).json()
    if not answer["choices"][0]["message"]["content"] or not answer["usage"]["total_tokens"]:
        raise AnswerError(f"the answer has no text or no usage: {answer}")
    _check_receipt(answer)


async def _check_stream(client: httpx.AsyncClient, call: Call, *, usage: bool) -> None:
    response = await _post(client, call)
    if not response.headers["content-type"].startswith("text/event-stream"):
        raise AnswerError(f"a stream came as {response.headers['content-type']}")
    events = response.text.split("\n\n")
    if events[-2:] != ["data: [DONE]", ""]:
        raise AnswerError(f"a stream ended with {events[-2:]}")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    if text != "".join(f" word{number}" for number in range(1, CHUNKS + 1)):
        raise AnswerError(f"a stream lost or doubled a piece: {text!r}")
    reported = [chunk for chunk in chunks if chunk.get("usage")]
    if len(reported) != usage:
        raise AnswerError(f"usage was asked for: {usage}, and came {len(reported)} times")
    _check_receipt(chunks[-1])


def _check_receipt(answer: Mapping[str, object]) -> None:
    receipt = answer.get("onevault")
    wanted: Sequence[str] = ("request_id", "provider", "model", "route_reason", "cost")
    if not isinstance(receipt, dict) or any(name not in receipt for name in wanted):
        raise AnswerError(f"the receipt is {receipt!r}")
