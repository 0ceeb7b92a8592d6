"""The worker in a real gateway: processes, queue, books; only the providers are played."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from tests_py.conftest import StartGateway
from tests_py.providers.fake import FakeProvider
from tests_py.worker.stage import Stage


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
def stage(start_gateway: StartGateway) -> Iterator[Stage]:
    opened = Stage(start_gateway())
    yield opened
    opened.close()


def test_an_answer_of_a_provider_is_billed_by_its_usage(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("ok"))
    response = stage.ask()
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"] == fake.text
    assert response.headers["x-onevault-provider"] == "one"
    assert stage.attempts() == [("one", "SUCCESS", None, "provider_final", 10, len(fake.text))]
    ((status, error_class, cost),) = stage.booked()
    # 19 prompt tokens, 4 of them cached and without a price of their own, and 10 of output at one dollar a million.
    assert (status, error_class) == ("SUCCESS", None)
    assert cost > Decimal("0.000025")
    assert stage.is_settled()


def test_a_stream_passes_with_its_receipt_at_the_end(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("pace-5"))
    events = stage.stream().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    told = json.loads(events[-3].removeprefix("data: "))
    assert told["choices"] == []
    assert told["onevault"]["provider"] == "one"
    said = [json.loads(event.removeprefix("data: ")) for event in events[:-3]]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in said) == fake.text
    assert stage.is_settled()


def test_failover_is_told_and_booked(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("status-503"))
    stage.provider("two", fake.endpoint("cut-head"))
    stage.provider("three", fake.endpoint("ok"))
    response = stage.ask()
    assert response.status_code == 200, response.text
    assert response.headers["x-onevault-provider"] == "three"
    assert response.json()["onevault"]["attempts"] == 3
    assert [row[:3] for row in stage.attempts()] == [
        ("one", "ERROR", "overloaded"),
        ("two", "ERROR", "connect"),
        ("three", "SUCCESS", None),
    ]


def test_nobody_answers(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("status-500"))
    response = stage.ask()
    assert response.status_code == 502
    error = response.json()["error"]
    assert error["code"] == "provider_error"
    assert error["attempts"][0]["class"] == "server_error"
    assert stage.booked() == [("ERROR", "server_error", Decimal(0))]
    assert stage.is_settled()


def test_a_broken_stream_ends_with_an_error(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("cut-after-4"))
    text = stage.stream()
    assert "[DONE]" not in text
    assert json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))["error"]["code"] == "provider_error"
    stage.wait(lambda: len(stage.booked()) == 1)
    ((_, _, error_class, source, output, _),) = stage.attempts()
    assert (error_class, source, output) == ("truncated_stream", "provider_partial", 3)
    assert stage.booked()[0][2] > 0
    assert stage.is_settled()


def test_a_customer_who_hangs_up_pays_for_what_was_said(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("hang-after-4"))
    with httpx.Client() as client, stage.open_stream(client) as response:
        for text in response.iter_text():
            if "how" in text:
                break
    stage.wait(lambda: len(stage.booked()) == 1)
    ((status, error_class, cost),) = stage.booked()
    assert (status, error_class) == ("CANCELLED", "client_gone")
    assert cost > 0
    assert stage.attempts() == [("one", "CANCELLED", "client_gone", "estimated", 4, len("Hello there, how"))]
    assert stage.is_settled()


def test_a_request_that_takes_too_long(start_gateway: StartGateway, fake: FakeProvider) -> None:
    stage = Stage(start_gateway(ONEVAULT_REQUEST_TIMEOUT_SECONDS="1"))
    stage.provider("one", fake.endpoint("hang"))
    response = stage.ask()
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "timeout"
    stage.wait(lambda: len(stage.booked()) == 1)
    stage.wait(stage.is_settled)
    stage.close()


def test_a_dead_worker_costs_no_answer(start_gateway: StartGateway, fake: FakeProvider) -> None:
    """kill -9 in the middle of 100 calls, a second worker is running: all are answered, each is booked once."""
    fake.gate.clear()
    stage = Stage(start_gateway())
    stage.provider("one", fake.endpoint("gated"))
    before = fake.count("gated")
    with ThreadPoolExecutor(100) as pool:
        calls = [pool.submit(stage.ask) for _ in range(60)]
        stage.wait(lambda: fake.count("gated") - before == 60)
        stage.gateway.start_worker()
        stage.wait(lambda: stage.gateway.log().count("worker_ready") == 2)
        calls += [pool.submit(stage.ask) for _ in range(40)]
        stage.wait(lambda: fake.count("gated") - before == 100)
        stage.gateway.workers[0].kill()
        fake.gate.set()
        answers = [call.result() for call in calls]
    assert [answer.status_code for answer in answers] == [200] * 100, [a.text for a in answers if a.status_code != 200]
    assert all(answer.json()["choices"][0]["message"]["content"] == fake.text for answer in answers)
    assert len({answer.headers["x-onevault-request-id"] for answer in answers}) == 100
    booked = stage.booked()
    assert len(booked) == 100
    assert {row[0] for row in booked} == {"SUCCESS"}
    attempts = Counter((outcome, reason) for _, outcome, reason, *_ in stage.attempts())
    assert attempts == {("SUCCESS", None): 100, ("UNKNOWN", "worker_lost"): fake.count("gated") - before - 100}
    assert stage.query("select v.* from ops.invariant_violation as v") == []
    assert stage.is_settled()
    told = sum(Decimal(answer.headers["x-onevault-cost"]) for answer in answers)
    assert told == sum(row[2] for row in booked)
    assert fake.count("gated") - before >= 160, "those of the dead worker were called again by the other"
    stage.close()


def test_a_dead_worker_ends_its_streams_cleanly(start_gateway: StartGateway, fake: FakeProvider) -> None:
    fake.gate.clear()
    stage = Stage(start_gateway())
    stage.provider("one", fake.endpoint("gated-after-4"))
    begun: list[str] = []

    def stream() -> str:
        with httpx.Client() as client, stage.open_stream(client) as response:
            text = ""
            for piece in response.iter_text():
                text += piece
                if "how" in piece:
                    begun.append(text)
            return text

    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(stream) for _ in range(20)]
        stage.wait(lambda: len(begun) == 20)
        stage.gateway.start_worker()
        stage.wait(lambda: stage.gateway.log().count("worker_ready") == 2)
        stage.gateway.workers[0].kill()
        texts = [call.result() for call in calls]
    for text in texts:
        assert "[DONE]" not in text
        assert "error" in json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))
    stage.wait(lambda: len(stage.booked()) == 20)
    booked = stage.booked()
    assert {row[:2] for row in booked} == {("CANCELLED", "worker_lost")}
    assert all(row[2] > 0 for row in booked), "what was delivered is charged"
    stage.wait(stage.is_settled)
    stage.close()


def test_a_worker_that_is_told_to_stop_finishes_its_answers(start_gateway: StartGateway, fake: FakeProvider) -> None:
    fake.gate.clear()
    stage = Stage(start_gateway(workers=2))
    stage.provider("one", fake.endpoint("gated"))
    before = fake.count("gated")
    with ThreadPoolExecutor(40) as pool:
        calls = [pool.submit(stage.ask) for _ in range(40)]
        stage.wait(lambda: fake.count("gated") - before == 40)
        stage.gateway.workers[0].signal(signal.SIGTERM)
        stage.wait(lambda: "worker_drains" in stage.gateway.log())
        fake.gate.set()
        assert stage.gateway.workers[0].stop() == 0
        answers = [call.result() for call in calls]
        assert stage.ask().status_code == 200
    assert [answer.status_code for answer in answers] == [200] * 40
    assert len(stage.booked()) == 41
    assert fake.count("gated") - before == 41, "no call was made twice"
    stage.close()


def test_a_database_that_drops_the_worker_costs_no_answer(stage: Stage, fake: FakeProvider) -> None:
    fake.gate.clear()
    stage.provider("one", fake.endpoint("gated"))
    before = fake.count("gated")
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(stage.ask) for _ in range(20)]
        stage.wait(lambda: fake.count("gated") - before == 20)
        stage.query(
            "select pg_terminate_backend(a.pid) from pg_stat_activity as a "
            "where a.application_name like 'onevault worker %%' and a.datname = current_database()"
        )
        fake.gate.set()
        answers = [call.result() for call in calls]
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len(stage.booked()) == 20
    assert stage.ask().status_code == 200
    assert stage.is_settled()


def test_the_houses_key_is_unsealed_for_its_provider_alone(stage: Stage, fake: FakeProvider) -> None:
    stage.provider("one", fake.endpoint("ok"))
    stage.gateway.run(
        "provider", "set", "one", "--kind", "openai", "--endpoint", fake.endpoint("ok"), "--api-key-stdin",
        given="sk-canary-77e1\n",
    )  # fmt: skip
    assert stage.ask().status_code == 200
    assert fake.seen[-1].headers["authorization"] == "Bearer sk-canary-77e1"
    assert "sk-canary-77e1" not in stage.gateway.log()


def test_a_refused_key_is_set_aside_for_another_of_its_provider(stage: Stage, fake: FakeProvider) -> None:
    """The customer notices nothing, and the next call does not try it. Set anew, it is another key."""
    stage.provider("one", fake.endpoint("lets-in-1"))

    def set_key(name: str, key: str) -> None:
        arguments = ("provider", "set", "one", "--api-key-stdin", "--key-name", name)
        stage.gateway.run(*arguments, given=f"{key}\n")

    set_key("older", "sk-good-1")
    set_key("newer", "sk-dead-1")
    first = stage.ask()
    assert first.status_code == 200, first.text
    assert first.json()["onevault"]["attempts"] == 2
    assert [row[:3] for row in stage.attempts()] == [("one", "ERROR", "auth_dead"), ("one", "SUCCESS", None)]
    shown = "select k.key_name, k.state, k.refusals, k.last_error_class from ops.key_breaker as k"
    assert stage.query(shown) == [("newer", "open", 1, "auth_dead")]
    assert stage.query("select count(*) from ops.offer_health where consecutive_failures > 0") == [(0,)]
    second = stage.ask()
    assert (second.status_code, second.json()["onevault"]["attempts"]) == (200, 1)
    assert fake.seen[-1].headers["authorization"] == "Bearer sk-good-1"
    set_key("newer", "sk-good-1")
    assert stage.query(shown) == []


def test_a_dead_front_stops_its_calls(start_gateway: StartGateway, fake: FakeProvider) -> None:
    gateway = start_gateway()
    stage = Stage(gateway)
    stage.provider("one", fake.endpoint("hang-after-4"))
    before = len(fake.seen)
    with httpx.Client() as client, pytest.raises(httpx.HTTPError), stage.open_stream(client) as response:
        for text in response.iter_text():
            if "how" in text:
                gateway.fronts[0].kill()
    stage.wait(lambda: len(stage.booked()) == 1)
    assert stage.booked()[0][:2] == ("CANCELLED", "front_gone")
    assert stage.attempts()[0][:4] == ("one", "CANCELLED", "front_gone", "estimated")
    assert not fake.seen[before].finished
    stage.wait(stage.is_settled)
    stage.close()


def test_what_waits_for_a_dead_front_is_settled(start_gateway: StartGateway, fake: FakeProvider) -> None:
    gateway = start_gateway(workers=0)
    stage = Stage(gateway)
    stage.provider("one", fake.endpoint("ok"))
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(stage.ask, timeout=20) for _ in range(5)]
        stage.wait(lambda: stage.query("select count(*) from ops.reservation") == [(5,)])
        gateway.fronts[0].kill()
        gateway.start_worker()
        for call in calls:
            assert isinstance(call.exception(), httpx.HTTPError)
    stage.wait(lambda: len(stage.booked()) == 5)
    assert {row[:2] for row in stage.booked()} == {("CANCELLED", "front_gone")}
    assert stage.attempts() == []
    assert stage.is_settled()
    stage.close()


def test_the_prompt_and_the_answer_are_nowhere_in_the_logs(start_gateway: StartGateway) -> None:
    prompt, answer = "prompt-canary-41ac", "answer-canary-9b3e"
    with FakeProvider(text=answer) as fake:
        stage = Stage(start_gateway(ONEVAULT_LOG_LEVEL="debug"))
        stage.provider("one", fake.endpoint("status-400"))
        messages = [{"role": "user", "content": prompt}]
        refused = stage.ask(messages=messages)
        assert refused.status_code == 400
        assert prompt in refused.json()["error"]["message"]
        rude = ("broken-json", "not-http", "cut-body", "cut-after-2", "error-in-stream", "status-500", "ok")
        for number, behaviour in enumerate(rude):
            model = f"played-{number + 2}"
            stage.provider(behaviour, fake.endpoint(behaviour), model=model)
            stage.ask(messages=messages, model=model)
            stage.ask(messages=messages, model=model, stream=True)
        assert len(stage.booked()) == 1 + 2 * len(rude)
        log = stage.gateway.log()
        assert prompt not in log
        assert answer not in log
        stage.close()


def test_whoever_waits_for_a_buried_message_is_told(start_gateway: StartGateway, fake: FakeProvider) -> None:
    stage = Stage(start_gateway(workers=0))
    stage.provider("one", fake.endpoint("slow-1"))
    before = fake.count("slow-1")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(stage.ask)
        stage.wait(lambda: len(stage.query("select from pgmq.q_standard")) == 1)
        stage.query("update pgmq.q_standard set read_ct = 5 returning 1")
        stage.gateway.start_worker()
        answer = call.result()
    assert answer.status_code == 502, answer.text
    assert "given up" in answer.json()["error"]["message"]
    assert stage.query("select d.error_class from ops.dead_message as d") == [("too_many_readings",)]
    assert fake.count("slow-1") == before, "it is not called once more"
    assert stage.is_settled()
    assert stage.query("select v.* from ops.invariant_violation as v") == []
    stage.close()
