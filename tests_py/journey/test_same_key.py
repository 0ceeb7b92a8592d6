"""One `Idempotency-Key`, sent again and again: one hold, one provider call, one charge.

Mutants it and tests_sql/routing/sp_route_requests/makes_a_keyed_call_once.sql catch: a body that is not compared; a key
that a refusal keeps; a failed call whose key stays used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest

from tests_py.conftest import StartGateway
from tests_py.providers.fake import FakeProvider
from tests_py.worker.stage import Stage


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
def stage(start_gateway: StartGateway, fake: FakeProvider, request: pytest.FixtureRequest) -> Iterator[Stage]:
    fake.seen.clear()
    number = getattr(request, "param", 1)
    opened = Stage(start_gateway(fronts=number, workers=number))
    yield opened
    opened.close()


def ask(stage: Stage, key: str, text: str = "Say hello.", path: str = "chat", **body: Any) -> httpx.Response:
    return httpx.post(
        f"{stage.gateway.url}/v1/{path}/completions",
        headers={"authorization": f"Bearer {stage.token}", "idempotency-key": key},
        json={"model": "played-1", "messages": [{"role": "user", "content": text}], "max_tokens": 100, **body},
        timeout=60,
    )


# Two fronts, so that their batches race in the database.
@pytest.mark.parametrize("stage", [2], indirect=True, ids=["two fronts"])
def test_fifty_at_once_make_one_call(stage: Stage, fake: FakeProvider) -> None:
    fake.gate.clear()
    stage.provider("one", fake.endpoint("gated"))
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(ask, stage, "once") for _ in range(50)]
        stage.wait(lambda: sum(call.done() for call in calls) == 49)
        ((held, waiting),) = stage.query(
            "select (select count(*) from ops.reservation), sum(s.day_held_usd) > 0 from ops.scope_state as s"
        )
        assert (held, waiting) == (1, True), "one hold while it is in flight"
        fake.gate.set()
        answers = [call.result() for call in calls]
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    (done,) = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer is not done:
            error = answer.json()["error"]
            assert error["code"] == "idempotency_conflict"
            assert error["request"]["status"] == "IN_FLIGHT"
            assert error["request"]["request_id"] == done.headers["x-onevault-request-id"]
            assert answer.headers["x-should-retry"] == "false"
    assert fake.count("gated") == 1
    assert [status for status, _, _ in stage.booked()] == ["SUCCESS"]

    again = ask(stage, "once")
    assert again.status_code == 409
    receipt = again.json()["error"]["request"]
    told = done.json()["onevault"]
    assert (receipt["request_id"], receipt["status"]) == (told["request_id"], "SUCCESS")
    assert receipt["cost"] == told["cost"]
    assert receipt["usage"]["output"] == done.json()["usage"]["completion_tokens"]
    assert "content" not in again.text, "a receipt, no answer"
    assert fake.count("gated") == 1, "and no second call"
    assert stage.query("select v.* from ops.invariant_violation as v") == []


def test_another_body_is_refused(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint())
    assert ask(stage, "mine").status_code == 200
    for changed in (ask(stage, "mine", "Say goodbye."), ask(stage, "mine", path="ai"), ask(stage, "mine", stream=True)):
        assert changed.status_code == 422
        assert changed.json()["error"]["code"] == "idempotency_mismatch"
    assert fake.count("ok") == 1
    assert ask(stage, "mine-2", "Say goodbye.").status_code == 200


def test_a_failure_that_cost_nothing_may_be_tried_again(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("status-500"))
    assert ask(stage, "retry").status_code == 502
    stage.provider("two", fake.endpoint())
    stage.query("update admin.provider set is_active = false where provider = 'one' returning provider")
    assert ask(stage, "retry").status_code == 200
    assert ask(stage, "retry").status_code == 409
    assert [status for status, _, _ in stage.booked()] == ["ERROR", "SUCCESS"]


def test_a_refusal_keeps_no_key(stage: Stage, fake: FakeProvider) -> None:
    assert ask(stage, "early").status_code == 404
    stage.provider("one", fake.endpoint())
    assert ask(stage, "early").status_code == 200


def test_streams_and_sdks_have_keys_too(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint())
    client = openai.OpenAI(base_url=f"{stage.gateway.url}/v1", api_key=stage.token, max_retries=2)
    given: dict[str, Any] = {
        "model": "played-1",
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": True,
        "extra_headers": {"Idempotency-Key": "sdk"},
    }
    assert (
        "".join(e.choices[0].delta.content or "" for e in client.chat.completions.create(**given) if e.choices)
        == fake.text
    )
    with pytest.raises(openai.ConflictError) as refused:
        client.chat.completions.create(**given)
    error = refused.value.body
    assert isinstance(error, dict)
    assert error["request"]["status"] == "SUCCESS"
    assert fake.count("ok") == 1, "the SDK does not try a 409 again"
    client.close()

    kept = stage.query("select octet_length(k.key_digest), octet_length(k.body_digest) from ops.idempotency_key as k")
    assert kept == [(32, 32)], "digests and no text"
