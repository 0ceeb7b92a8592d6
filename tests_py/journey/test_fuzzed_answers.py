"""Whatever a provider sends, a whole gateway stays upright: the customer hears a whole answer or an error in his
grammar, and the books are in order.

True answers of every format, streamed and plain, are garbled and framed well or badly (`tests_py.providers.garbled`),
and asked for on every surface at once. Held for each: both processes live on and log no error; no status is 500; one
terminal row; nothing reserved, queued or held is left; no invariant is broken; nobody pays more than was held; who
was told a whole answer was told what it cost in the books. `ONEVAULT_SOAK=1` goes on for some thousands.

Mutants it catches: counts up to 2^53 are believed; negative ones are; a settled request releases nothing; a stream that
ends early is whole; more is charged than was held.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Final, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from tests_py.providers.bedrock import ACCESS_KEY, SECRET
from tests_py.providers.garbled import FakeGarbler, broken, recounted, replies
from tests_py.providers.server import Step
from tests_py.support.books import check_books
from tests_py.support.played import House

SOAK: Final = os.environ.get("ONEVAULT_SOAK") == "1"
EXAMPLES: Final = settings(
    max_examples=500 if SOAK else 6,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
_ASK: Final = [{"role": "user", "content": "What is the weather?"}]
_PATHS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "chat": ("/v1/chat/completions", {"messages": _ASK}),
    "messages": ("/v1/messages", {"messages": _ASK, "max_tokens": 500}),
    "responses": ("/v1/responses", {"input": "What is the weather?"}),
}
_LASTS: Final = {
    "messages": {"message_stop"},
    "responses": {"response.completed", "response.incomplete", "response.failed"},
}
_SETTLE_SECONDS: Final = 3


class Format(NamedTuple):
    """How a wire format is reached: the kind of adapter, its settings, its key, what stands before its routes."""

    kind: str
    settings: str = "{}"
    base: str = "/v1"
    key: str = "sk-played"
    surfaces: tuple[str, ...] = ("chat", "messages", "responses")


FORMATS: Final = {
    "openai": Format("openai"),
    "responses": Format("openai", '{"responses": true}', surfaces=("responses",)),
    "anthropic": Format("anthropic"),
    "google": Format("google", base="/v1beta"),
    "bedrock": Format("bedrock", '{"region": "eu-central-1"}', base="", key=f"{ACCESS_KEY}:{SECRET}"),
    "cohere": Format("cohere", base="/v2"),
    "mistral": Format("mistral", '{"translated": [""]}'),
}


class Heard(NamedTuple):
    """What a customer heard: the status, the cost that he was told if the answer was whole, and the error if not."""

    request_id: str
    status: int
    cost: Decimal | None
    error: dict[str, Any] | None


class Range:
    """The gateway with a server that garbles; `play` is one example."""

    def __init__(self, house: House, garbler: FakeGarbler) -> None:
        self.gateway = house.gateway
        self.garbler = garbler
        self.models = {
            name: house.offer(form.kind, garbler.endpoint(name) + form.base, form.settings, key=form.key)
            for name, form in FORMATS.items()
        }
        # A name of its own: the gateway outlives this module, whose tests may come to one process in two parts.
        made = json.loads(self.gateway.run("customer", "create", f"fuzz-{uuid.uuid4()}", "--json"))
        self._client = httpx.Client(headers={"authorization": f"Bearer {made['token']}"}, timeout=40)
        self._pool = ThreadPoolExecutor(6)
        self._owner = self.gateway.database.connect()
        self._pids = self._running()
        self._read = len(self.gateway.log())
        self._before: tuple[int, ...] = ()

    def close(self) -> None:
        self._pool.shutdown()
        self._client.close()
        self._owner.close()

    def play(
        self, name: str, plain: list[Step], streamed: list[Step], note: Callable[[str], None] = lambda _: None
    ) -> None:
        """Ask on every surface at once, plain and streamed, and look at what came of it."""
        self.garbler.script = {(name, False): plain, (name, True): streamed}
        # What rests after a failure is a matter of other tests.
        self._owner.execute("delete from ops.offer_health")
        self._owner.execute("delete from ops.key_health")
        self._before = self._left()
        calls = [(surface, stream) for surface in FORMATS[name].surfaces for stream in (False, True)]
        heard = list(self._pool.map(lambda call: self._ask(name, *call), calls))
        for (_, stream), one in zip(calls, heard, strict=True):
            note(f"{'streamed' if stream else 'plain'}: {one.status}{'' if one.error is None else ' broken'}")
        assert self._running() == self._pids, "the processes live on"
        assert self._errors() == [], "nothing surprised them"
        self._check(heard)

    def _ask(self, name: str, surface: str, stream: bool) -> Heard:
        path, body = _PATHS[surface]
        body = {"model": self.models[name], "stream": stream, **body}
        response = self._client.post(self.gateway.url + path, json=body)  # raises for an answer that is not whole
        request_id = response.headers["x-onevault-request-id"]
        if response.status_code != 200:
            assert response.status_code in (400, 502, 504), response.text
            return Heard(request_id, response.status_code, None, _read_error(surface, response.json()))
        if stream:
            return Heard(request_id, 200, *_read_stream(surface, response.content))
        answer = _read(response.content)
        cost: Decimal = answer["onevault"]["cost"]["customer"]
        assert cost == Decimal(response.headers["x-onevault-cost"])
        return Heard(request_id, 200, cost, None)

    def _check(self, heard: list[Heard]) -> None:
        until = time.monotonic() + _SETTLE_SECONDS
        while (left := self._left()) != self._before and time.monotonic() < until:
            time.sleep(0.02)
        assert left == self._before, "nothing is left reserved, queued or held"
        rows = self._owner.execute(
            "select h.api_request_bk::text, s.response_status, s.customer_cost, s.reserved_cost"
            " from gateway.api_request_h as h"
            " left join gateway.api_request_s as s on h.api_request_hk = s.api_request_hk"
            " where h.api_request_bk::text = any(%s)",
            ([one.request_id for one in heard],),
        ).fetchall()
        booked = {row[0]: row[1:] for row in rows}
        assert len(rows) == len(booked) == len(heard), "one terminal row each"
        for one in heard:
            status, cost, held = booked[one.request_id]
            assert 0 <= cost <= held
            assert (status == "SUCCESS") == (one.error is None), (status, one)
            if one.error is None:
                assert one.cost == cost
        assert self._owner.execute("select v.* from ops.invariant_violation as v").fetchall() == []

    def _left(self) -> tuple[int, ...]:
        row = self._owner.execute(
            "select (select count(*) from ops.reservation), (select count(*) from pgmq.q_premium)"
            " + (select count(*) from pgmq.q_standard) + (select count(*) from pgmq.q_basic),"
            " (select count(*) from ops.scope_state as s where s.day_held_usd <> 0 or s.month_held_usd <> 0)"
        ).fetchone()
        assert row is not None
        return tuple(row)

    def _running(self) -> list[int]:
        return [one.pid for one in (*self.gateway.workers, *self.gateway.fronts) if one.running]

    def _errors(self) -> list[dict[str, Any]]:
        log = self.gateway.log()
        new, self._read = log[self._read :], len(log)
        lines = [json.loads(line) for line in new.splitlines() if line.startswith("{")]
        return [line for line in lines if line["level"] not in ("debug", "info", "warning")]


def _read(body: bytes) -> dict[str, Any]:
    """A JSON object; what is not looked at passes as it came, be it no UTF-8."""
    answer = json.loads(body.decode(errors="replace"), parse_float=Decimal)
    assert isinstance(answer, dict)
    return answer


def _read_error(surface: str, body: dict[str, Any]) -> dict[str, Any]:
    """The error of a body in the surface's grammar."""
    error = body["error"]
    assert isinstance(error["message"], str)
    assert isinstance(error["type"], str)
    assert surface != "messages" or body["type"] == "error"
    return {**error}


def _read_stream(surface: str, body: bytes) -> tuple[Decimal | None, dict[str, Any] | None]:
    """What the end of a stream says: the cost, or the error."""
    text = body.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    assert text.endswith("\n\n")
    found = []
    for said in text.split("\n\n"):
        lines = [line[5:].removeprefix(" ") for line in said.split("\n") if line.startswith("data:")]
        if lines:
            found.append("\n".join(lines))
    if surface == "chat" and found[-1] == "[DONE]":
        found.pop()
        last = json.loads(found[-1], parse_float=Decimal)
        return last["onevault"]["cost"]["customer"], None
    for data in found:
        assert isinstance(json.loads(data), dict)
    last = json.loads(found[-1], parse_float=Decimal)
    if surface != "chat" and last["type"] in _LASTS[surface]:
        return last["onevault"]["cost"]["customer"], None
    if surface == "responses":
        assert last["type"] == "error"
        assert isinstance(last["message"], str)
        return None, last
    return None, _read_error(surface, last)


@pytest.fixture(scope="module")
def fuzzed(played: House) -> Iterator[Range]:
    with FakeGarbler() as garbler:
        found = Range(played, garbler)
        yield found
        found.close()
    check_books(played.gateway.database)


@pytest.mark.parametrize("name", FORMATS)
@EXAMPLES
@given(data=st.data())
def test_garbled_answers_leave_a_gateway_upright(fuzzed: Range, name: str, data: st.DataObject) -> None:
    fuzzed.play(name, data.draw(replies(name, stream=False)), data.draw(replies(name, stream=True)), event)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("count", ["9007199254740992", "500000000", "-5"])
def test_usage_that_no_answer_has(fuzzed: Range, name: str, count: str) -> None:
    fuzzed.play(name, recounted(name, count, stream=False), recounted(name, count, stream=True))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("junk", [b"", b'{"choices": [{"delta": '])
def test_what_is_no_answer(fuzzed: Range, name: str, junk: bytes) -> None:
    fuzzed.play(name, broken(name, junk, stream=False), broken(name, junk, stream=True))
