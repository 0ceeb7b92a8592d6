"""Fronts and workers as processes, linked by TCP with TLS: the same outcomes as over unix sockets, whatever breaks."""

from __future__ import annotations

import json
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from onevault.link_tls import Credentials
from tests_py.conftest import StartGateway
from tests_py.providers.fake import FakeProvider
from tests_py.support.certificates import Certificates
from tests_py.support.gateway import Gateway, Process
from tests_py.support.ports import free_port
from tests_py.support.wire import Wire
from tests_py.worker.stage import Stage

Start = Callable[..., Stage]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
def start(start_gateway: StartGateway, certificates: Certificates) -> Iterator[Start]:
    """A gateway whose front listens on TCP, with a stage around it."""
    stages: list[Stage] = []

    def start(*, listen: str = "127.0.0.1:0", workers: int = 1, **environ: str) -> Stage:
        stages.append(
            Stage(
                start_gateway(
                    workers=workers,
                    ONEVAULT_LINK_LISTEN=listen,
                    ONEVAULT_LINK_TLS_DIR=str(certificates.home),
                    **environ,
                )
            )
        )
        return stages[-1]

    yield start
    for stage in stages:
        stage.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire to a port that a front may take."""
    opened = Wire(free_port())
    yield opened
    opened.close()


def over(wire: Wire) -> dict[str, str]:
    """Where to listen, and what to tell workers, so that they come by this wire."""
    return {"listen": f"127.0.0.1:{wire._target}", "ONEVAULT_LINK_ADVERTISE": f"127.0.0.1:{wire.port}"}


def start_worker_with(gateway: Gateway, directory: Path) -> Process:
    """One more worker, with the certificates of another directory."""
    environ = {**gateway.environ, "ONEVAULT_LINK_TLS_DIR": str(directory)}
    worker = Process("worker", ["work"], environ, gateway._log, None)
    gateway.workers.append(worker)
    return worker


def all_answered_once(stage: Stage, answers: list[httpx.Response]) -> None:
    """Every call has its answer, and each was booked and charged once."""
    count = len(answers)
    stage.wait(stage.is_settled)
    assert [answer.status_code for answer in answers] == [200] * count, [a.text for a in answers]
    assert len({answer.headers["x-onevault-request-id"] for answer in answers}) == count
    booked = stage.booked()
    assert [row[0] for row in booked] == ["SUCCESS"] * count
    outcomes = [outcome for _, outcome, *_ in stage.attempts()]
    assert outcomes.count("SUCCESS") == count, outcomes
    assert set(outcomes) <= {"SUCCESS", "UNKNOWN"}, "calls of a lost worker stand in the books"
    assert stage.query("select v.* from ops.invariant_violation as v") == []
    assert sum(Decimal(answer.headers["x-onevault-cost"]) for answer in answers) == sum(row[2] for row in booked)
    assert stage.is_settled()


def test_calls_pass_and_nothing_crosses_the_wire_in_the_clear(start: Start, wire: Wire) -> None:
    prompt, answer = "prompt" + secrets.token_hex(12), "answer" + secrets.token_hex(12)
    with FakeProvider(text=answer) as fake:
        stage = start(**over(wire))
        stage.provider("one", fake.endpoint("ok"))
        messages = [{"role": "user", "content": prompt}]
        response = stage.ask(messages=messages)
        assert response.json()["choices"][0]["message"]["content"] == answer
        said = re.findall(r'"content":"((?:[^"\\]|\\.)*)"', stage.stream(messages=messages).replace('": "', '":"'))
        assert "".join(said) == answer
    crossed = wire.recorded
    assert len(crossed) > 2000
    assert b"\x17\x03\x03" in crossed, "records of TLS"
    for word in (prompt, answer, "worker-", "chat.completion", stage.token):
        assert word.encode() not in crossed, word
    assert wire.connections == 1, "one connection, however many calls"


def test_no_unix_socket_is_opened_beside_the_port(start: Start, fake: FakeProvider) -> None:
    stage = start()
    stage.provider("one", fake.endpoint("ok"))
    assert stage.ask().status_code == 200
    assert not list((stage.gateway.home / "run").glob("front-*"))


def test_a_dead_worker_costs_no_answer(start: Start, fake: FakeProvider) -> None:
    fake.gate.clear()
    stage = start()
    stage.provider("one", fake.endpoint("gated"))
    before = fake.count("gated")
    with ThreadPoolExecutor(30) as pool:
        calls = [pool.submit(stage.ask) for _ in range(20)]
        stage.wait(lambda: fake.count("gated") - before == 20)
        stage.gateway.start_worker()
        stage.wait(lambda: stage.gateway.log().count("worker_ready") == 2)
        calls += [pool.submit(stage.ask) for _ in range(10)]
        stage.wait(lambda: fake.count("gated") - before == 30)
        stage.gateway.workers[0].kill()
        fake.gate.set()
        answers = [call.result() for call in calls]
    all_answered_once(stage, answers)
    assert fake.count("gated") - before >= 50, "those of the dead worker were called again by the other"


def test_a_dead_worker_ends_its_streams_cleanly(start: Start, fake: FakeProvider) -> None:
    fake.gate.clear()
    stage = start()
    stage.provider("one", fake.endpoint("gated-after-4"))
    with ThreadPoolExecutor(5) as pool:
        calls, begun = begin_streams(stage, pool, 5)
        stage.wait(lambda: len(begun) == 5)
        stage.gateway.start_worker()
        stage.wait(lambda: stage.gateway.log().count("worker_ready") == 2)
        stage.gateway.workers[0].kill()
        texts = [call.result() for call in calls]
    assert all(is_cut(text) for text in texts)
    stage.wait(lambda: len(stage.booked()) == 5)
    assert {row[:2] for row in stage.booked()} == {("CANCELLED", "worker_lost")}
    assert all(row[2] > 0 for row in stage.booked()), "what was delivered is charged"
    stage.wait(stage.is_settled)


def test_a_dead_front_stops_its_calls(start: Start, fake: FakeProvider) -> None:
    stage = start()
    stage.provider("one", fake.endpoint("hang-after-4"))
    before = len(fake.seen)
    with httpx.Client() as client, pytest.raises(httpx.HTTPError), stage.open_stream(client) as response:
        for text in response.iter_text():
            if "how" in text:
                stage.gateway.fronts[0].kill()
    stage.wait(lambda: len(stage.booked()) == 1)
    assert stage.booked()[0][:2] == ("CANCELLED", "front_gone")
    assert stage.attempts()[0][:4] == ("one", "CANCELLED", "front_gone", "estimated")
    stage.wait(lambda: not fake.seen[before].finished)
    stage.wait(stage.is_settled)


@pytest.mark.parametrize("restarted", [False, True], ids=["gone", "restarted on its port"])
def test_what_waits_for_a_dead_front_is_settled_and_called_by_nobody(
    start: Start, fake: FakeProvider, *, restarted: bool
) -> None:
    stage = start(listen=f"127.0.0.1:{free_port()}", workers=0)
    stage.provider("one", fake.endpoint("ok"))
    before = fake.count("ok")
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(stage.ask, timeout=20) for _ in range(5)]
        stage.wait(lambda: stage.query("select count(*) from ops.reservation") == [(5,)])
        stage.gateway.fronts[0].kill()
        if restarted:
            stage.gateway.start_front()
            stage.wait(lambda: stage.gateway.log().count("front_open") == 2)
        stage.gateway.start_worker()
        for call in calls:
            assert isinstance(call.exception(), httpx.HTTPError)
    stage.wait(lambda: len(stage.booked()) == 5, 40)
    assert {row[:2] for row in stage.booked()} == {("CANCELLED", "front_gone")}
    assert stage.attempts() == []
    assert fake.count("ok") == before
    assert stage.is_settled()
    if restarted:
        assert stage.ask().status_code == 200


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_a_connection_that_breaks_between_two_that_live_costs_no_answer(
    start: Start, fake: FakeProvider, wire: Wire, how: str
) -> None:
    """Cut: both are told. Frozen: nobody is told anything, as when a machine between them vanishes."""
    fake.gate.clear()
    stage = start(**over(wire))
    stage.provider("one", fake.endpoint("gated"))
    before = fake.count("gated")
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(stage.ask) for _ in range(20)]
        stage.wait(lambda: fake.count("gated") - before == 20)
        getattr(wire, how)()
        stage.wait(lambda: fake.count("gated") - before == 40, 40)
        assert "link_broke" in stage.gateway.log()
        fake.gate.set()
        answers = [call.result() for call in calls]
    all_answered_once(stage, answers)
    if how == "freeze":
        # Whoever notices first begins a new connection, by which the other learns of it.
        assert "worker_silent" in stage.gateway.log() or "front_silent" in stage.gateway.log()


def test_both_ends_notice_that_the_other_has_vanished(start: Start, fake: FakeProvider, wire: Wire) -> None:
    """Neither can learn it from the other: nothing passes any more, and no new connection is made."""
    fake.gate.clear()
    stage = start(**over(wire))
    stage.provider("one", fake.endpoint("gated"))
    before = fake.count("gated")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(stage.ask, timeout=20)
        stage.wait(lambda: fake.count("gated") - before == 1)
        wire.vanish()
        stage.wait(lambda: "worker_silent" in stage.gateway.log() and "front_silent" in stage.gateway.log(), 40)
        fake.gate.set()
        assert isinstance(call.exception(), httpx.ReadTimeout), "nobody can bring the answer"


def test_a_broken_connection_ends_streams_that_had_begun(start: Start, fake: FakeProvider, wire: Wire) -> None:
    fake.gate.clear()
    stage = start(**over(wire))
    stage.provider("one", fake.endpoint("gated-after-4"))
    with ThreadPoolExecutor(5) as pool:
        calls, begun = begin_streams(stage, pool, 5)
        stage.wait(lambda: len(begun) == 5)
        wire.cut()
        texts = [call.result() for call in calls]
    assert all(is_cut(text) for text in texts)
    stage.wait(lambda: len(stage.booked()) == 5)
    assert {row[:2] for row in stage.booked()} == {("CANCELLED", "worker_lost")}
    assert all(row[2] > 0 for row in stage.booked())
    fake.gate.set()
    stage.wait(stage.is_settled)


def test_a_worker_that_no_front_trusts_takes_no_work_from_the_others(
    start: Start, fake: FakeProvider, certificates: Certificates, tmp_path: Path
) -> None:
    foreign = Certificates(tmp_path / "foreign")
    distrusted = certificates.spoil(tmp_path / "distrusted", "worker", signer=foreign)
    stage = start(workers=0)
    stage.provider("one", fake.endpoint("ok"))
    bad = [start_worker_with(stage.gateway, distrusted) for _ in range(2)]
    bad.append(start_worker_with(stage.gateway, tmp_path))  # one without any certificate
    stage.wait(lambda: stage.gateway.log().count("worker_ready") == 3)
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(stage.ask) for _ in range(20)]
        stage.wait(lambda: "turned_away_by_front" in stage.gateway.log())
        stage.wait(lambda: "link_certificates_unusable" in stage.gateway.log())
        stage.gateway.start_worker()
        answers = [call.result() for call in calls]
        answers += [call.result() for call in [pool.submit(stage.ask) for _ in range(20)]]
    all_answered_once(stage, answers)
    assert stage.query("select count(*) from ops.dead_message") == [(0,)]
    assert all(worker.running for worker in bad)


def test_an_unusable_certificate_stops_the_start_with_a_sentence(
    start: Start, certificates: Certificates, tmp_path: Path
) -> None:
    stage = start(workers=0)
    expired = certificates.spoil(tmp_path / "expired", "worker", expired=True)
    worker = start_worker_with(stage.gateway, expired)
    stage.wait(lambda: not worker.running, 60)
    assert worker.stop() == 1
    log = stage.gateway.log()
    assert f"onevault: the certificate {expired / 'worker.pem'} has expired on " in log
    assert "onevault link issue --replace" in log


def begin_streams(stage: Stage, pool: ThreadPoolExecutor, count: int) -> tuple[list[Future[str]], list[str]]:
    """Streams under way, and those of them whose first words have come."""
    begun: list[str] = []

    def stream() -> str:
        with httpx.Client() as client, stage.open_stream(client) as response:
            text = ""
            for piece in response.iter_text():
                text += piece
                if "how" in piece:
                    begun.append(text)
            return text

    return [pool.submit(stream) for _ in range(count)], begun


def is_cut(text: str) -> bool:
    """Whether a stream has ended with an error."""
    return "[DONE]" not in text and "error" in json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))


def test_a_front_leaves_whoever_is_at_its_door(start: Start, fake: FakeProvider, certificates: Certificates) -> None:
    """One in a handshake, one that is known and has not said hello, and a worker: none of them holds up a stop."""
    port = free_port()
    stage = start(listen=f"127.0.0.1:{port}")
    stage.provider("one", fake.endpoint("ok"))
    assert stage.ask().status_code == 200
    context = Credentials(certificates.home, "worker").context()
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as bare,
        context.wrap_socket(bare, server_hostname="127.0.0.1"),
    ):
        assert stage.gateway.fronts[0].stop() == 0
    assert "Traceback" not in stage.gateway.log()


def test_a_worker_stops_though_its_front_hears_nothing(start: Start, fake: FakeProvider, wire: Wire) -> None:
    stage = start(**over(wire))
    stage.provider("one", fake.endpoint("ok"))
    assert stage.ask().status_code == 200
    wire.freeze()
    assert stage.gateway.workers[0].stop() == 0
