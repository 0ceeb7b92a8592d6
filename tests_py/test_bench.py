"""The benchmark's own parts: a stand-in provider that speaks properly, figures that add up, books that balance."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from bench import provider as provider_module
from bench.errors import BenchError
from bench.goals import Goal
from bench.history.books import fill
from bench.history.reads import VIEWS, read_views
from bench.load import Call, chat_body, find_generator, run_load
from bench.processes import CpuSnapshot, Group, measure_memory
from bench.profile import summarise
from bench.provider import CHUNKS, Provider, running_provider
from tests_py.support.cluster import ClonedDatabase


@pytest.fixture(params=["C, epoll", "Python, asyncio"])
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    if request.param != "C, epoll":
        monkeypatch.setattr(provider_module, "_compile", lambda: None)
    with running_provider() as started:
        assert started.made_of == request.param
        yield started


def chat(provider: Provider, body: bytes) -> httpx.Response:
    return httpx.post(f"{provider.endpoint}/chat/completions", content=body)


def test_the_provider_answers_plain(provider: Provider) -> None:
    answer = chat(provider, chat_body("m", stream=False)).json()
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["total_tokens"] == 32


@pytest.mark.parametrize("usage", [False, True])
def test_the_provider_streams_whole_events_and_usage_when_asked(provider: Provider, usage: bool) -> None:
    body = json.loads(chat_body("m", stream=True)) | {"stream_options": {"include_usage": usage}}
    events = chat(provider, json.dumps(body).encode()).text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    texts = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    assert [text for text in texts if text] == [f" word{number}" for number in range(1, CHUNKS + 1)]
    assert [bool(chunk.get("usage")) for chunk in chunks] == [False] * (CHUNKS + 2) + [True] * usage


def test_the_provider_answers_requests_that_come_in_one_piece_or_in_two(provider: Provider) -> None:
    url = httpx.URL(provider.endpoint)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(head + b"{}" + head + b"{")
        time.sleep(0.05)
        connection.sendall(b"}")
        connection.settimeout(5)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"}"):
            received += connection.recv(65536)


def test_the_load_generator_counts_answers() -> None:
    wrk = find_generator()
    with running_provider() as provider:
        call = Call(url=f"{provider.endpoint}/chat/completions", body=chat_body("m", stream=False), tokens=("a", "b"))
        load = run_load(wrk, call, connections=2, seconds=1)
    assert load.failed == 0
    assert load.requests > 100
    assert load.requests_per_second == pytest.approx(load.requests, rel=0.2)
    assert 0 < load.p50_ms <= load.p95_ms <= load.p99_ms <= load.max_ms
    nobody = Call(url="http://127.0.0.1:1/", body=b"{}", tokens=("a",))
    with pytest.raises(BenchError, match="connect"):
        run_load(wrk, nobody, connections=2, seconds=1)


def test_cpu_and_memory_are_those_of_the_process_and_its_children() -> None:
    spin = "import subprocess, sys, time; d = time.process_time() + 0.3\nwhile time.process_time() < d: pass\n"
    parent = f"{spin}subprocess.run([sys.executable, '-c', {spin!r}]); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        group = Group(name="spinner", pids=(process.pid,), with_children=True)
        before = CpuSnapshot.take([group])
        process.stdout.readline()
        spent = CpuSnapshot.take([group]).since(before)
        memory = measure_memory([group])["spinner"]
        process.kill()
    assert 0.5 < spent["spinner"] < 5
    assert memory.processes == 1
    assert 1 < memory.pss_mb <= memory.peak_mb * 1.05 < 500


def test_a_profile_names_the_functions_that_took_the_time() -> None:
    text = summarise("main (app.py:1);read (io.py:9) 3\nmain (app.py:2) 1\n")
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["75.0%", "75.0%", "read", "(io.py)"],
        ["25.0%", "100.0%", "main", "(app.py)"],
    ]


def test_a_goal_knows_which_way_is_good() -> None:
    assert Goal(name="requests/s", wanted=1500, measured=1500, at_least=True).reached
    assert not Goal(name="memory", wanted=350, measured=351, at_least=False).reached


def test_a_history_that_is_made_is_one_that_could_have_been(database: ClonedDatabase) -> None:
    books = fill(database.dsn(), requests=4000, customers=12, tenants=3)
    assert sum(size.data_bytes for size in books.sizes) > 4000 * 1000
    with database.connect() as connection:
        connection.execute("set onevault.check_from = '2020-01-01'")
        assert connection.execute("select v.* from ops.invariant_violation as v").fetchall() == []
        made = connection.execute(
            "select count(*), sum(s.total_tokens), sum(s.provider_cost), sum(s.customer_cost)"
            " from gateway.api_request_s as s"
        ).fetchall()
        assert made[0][0] == 4000
        months = connection.execute("select count(*) from gateway.api_request_s_default").fetchall()
        assert months == [(0,)], "each lies in the partition of its month"
        for view, columns in (
            (
                "usage_daily",
                "sum(v.request_count), sum(v.total_tokens), sum(v.provider_cost_usd), sum(v.customer_cost_usd)",
            ),
            ("request_detail", "count(*), sum(v.total_tokens), sum(v.provider_cost_usd), sum(v.customer_cost_usd)"),
            (
                "customer_spending",
                "sum(v.total_requests), sum(v.total_tokens), sum(v.provider_cost_usd), sum(v.customer_cost_usd)",
            ),
        ):
            told = connection.execute(f"select {columns} from business_vault.{view} as v".encode()).fetchall()
            assert told == made, view
        attempts = "select count(*) from gateway.api_request_attempt_s as a"
        windows = "select sum(p.total_requests) from business_vault.provider_performance as p"
        assert connection.execute(f"{windows} having sum(p.total_requests) <= ({attempts})".encode()).fetchall()
        marks = "select f.* from ops.fn_roll_up_usage() as r, ops.fn_mend_usage() as f"
        assert connection.execute(marks.encode()).fetchall() == [(0,)], "nothing is counted again"
        month = books.until.date().replace(day=1)
        readings = list(read_views(connection, ["history-00001"], month, runs=1))
    assert {reading.view for reading in readings} == set(VIEWS)
    assert {reading.view for reading in readings if reading.rows == 0} <= {
        "charge_adjustment",
        "compliance_event",
        "credit_balance",
        "invoice",
        "invoice_line",
        "offer_quality",
        "usage_limit_status",
    }, "nothing of the kind was made"
