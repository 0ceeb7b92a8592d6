"""A front and a worker whose clocks are five minutes apart from the database's, and ten from each other.

Mutants: a deadline of the database's clock that a front, or a worker, compares with its own.
"""

from __future__ import annotations

import json

import httpx
import pytest

from bench.tools import find_tool
from tests_py.conftest import StartGateway
from tests_py.providers.fake import FakeProvider
from tests_py.support.books import check_books, wait_until_settled
from tests_py.support.gateway import Gateway

LIMIT_SECONDS = 6
SLOW = "slow-3000"
"""Answers later than a call is over that has no time left, and within the time that it has."""
SKEW_SECONDS = 300


def shifted(seconds: int) -> dict[str, str]:
    """Variables under which a process reads a time of day that is so many seconds late or early; only that clock."""
    tool = find_tool("faketime", ["faketime", "libfaketime"])
    (library,) = tool.path.parents[1].glob("lib/*/faketime/libfaketimeMT.so.1")
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.parametrize("front_is_ahead", [True, False])
def test_a_call_has_the_time_it_has_by_the_databases_clock(
    start_gateway: StartGateway, *, front_is_ahead: bool
) -> None:
    gateway = start_gateway(fronts=0, workers=0, ONEVAULT_REQUEST_TIMEOUT_SECONDS=str(LIMIT_SECONDS))
    skew = SKEW_SECONDS if front_is_ahead else -SKEW_SECONDS
    gateway.environ.update(shifted(-skew))
    gateway.start_worker()
    gateway.environ.update(shifted(skew))
    gateway.start_front()
    gateway.wait_until_ready()
    line = next(line for line in gateway.log().splitlines() if '"front_open"' in line)
    ((ahead,),) = gateway.database.query(
        "select round(extract(epoch from %s::timestamptz - now()) / 60)::int", json.loads(line)["time"]
    )
    assert ahead == skew / 60, "the front's clock is not the database's"
    for variable in ("LD_PRELOAD", "FAKETIME"):
        del gateway.environ[variable]

    with FakeProvider() as fake:
        for name in ("ok", SLOW, "hang"):
            gateway.run("provider", "set", name, "--kind", "openai", "--endpoint", fake.endpoint(name))
            gateway.run("model", "set", name, f"{name}-1", "--input", "1", "--output", "2", "--max-output", "1000")
        for name, stream in (("ok", False), ("ok", True), (SLOW, False)):
            answer = ask(gateway, f"{name}-1", stream=stream)
            assert answer.status_code == 200, answer.text
            assert not stream or answer.text.rstrip().endswith("data: [DONE]")
        late = ask(gateway, "hang-1")
        assert (late.status_code, late.json()["error"]["code"]) == (504, "timeout")
    wait_until_settled(gateway.database, 30)
    check_books(gateway.database)


def ask(gateway: Gateway, model: str, *, stream: bool = False) -> httpx.Response:
    headers = {"authorization": f"Bearer {gateway.token}"}
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20, "stream": stream}
    return httpx.post(f"{gateway.url}/v1/chat/completions", headers=headers, json=body, timeout=60, trust_env=False)
