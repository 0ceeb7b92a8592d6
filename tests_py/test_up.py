"""`onevault up` from the first start to the last signal."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests_py.support.up import Up, users_of, wait_until_unused

StartUp = Callable[..., Up]


@pytest.fixture
def start_up(place: Path) -> Iterator[StartUp]:
    """`start_up("home", "--workers", "2", ONEVAULT_…="…")`: a gateway in a directory of that name."""
    started: list[Up] = []

    def start(name: str = "home", *arguments: str, bare: bool = False, **environ: str) -> Up:
        up = Up(place / name, *arguments, bare=bare, **environ)
        started.append(up)
        return up

    yield start
    for up in started:
        up.close()
    for home in {up.home for up in started}:
        assert wait_until_unused(home) == []


def ask(up: Up, prompt: str = "Say hello") -> dict[str, Any]:
    request = urllib.request.Request(
        f"{up.url}/v1/ai/completions",
        json.dumps({"prompt": prompt}).encode(),
        {"authorization": f"Bearer {up.token}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def count_requests(up: Up) -> int:
    with psycopg.connect(up.dsn) as connection:
        row = connection.execute("select count(*) from gateway.api_request_h").fetchone()
    assert row is not None
    return int(row[0])


def test_starts_answers_stops_and_starts_again_with_its_data(start_up: StartUp) -> None:
    first = start_up(bare=True)
    assert ask(first)["onevault"]["provider"] == "sandbox"
    assert first.stop() == 0
    assert users_of(first.home) == []
    second = start_up()
    assert count_requests(second) == 1
    assert ask(second)["onevault"]["request_id"]
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    assert users_of(second.home) == []


def test_two_homes_live_side_by_side(start_up: StartUp) -> None:
    one, two = start_up("one"), start_up("two", "--fronts", "2", "--workers", "2")
    assert one.url != two.url
    assert len(two.children("serve")) == len(two.children("work")) == 2
    ask(one)
    ask(two)
    ask(two)
    assert (count_requests(one), count_requests(two)) == (1, 2)
    assert one.stop() == 0
    assert ask(two)
    assert two.stop() == 0


def test_a_killed_supervisor_leaves_no_orphan(start_up: StartUp) -> None:
    up = start_up()
    up.signal(signal.SIGKILL)
    up.popen.wait()
    assert wait_until_unused(up.home) == []


def test_a_dead_child_is_replaced(start_up: StartUp) -> None:
    up = start_up()
    for command in ("work", "serve"):
        (old,) = up.children(command)
        old.kill()
        deadline = time.monotonic() + 20
        while not [p for p in up.children(command) if p.pid != old.pid]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert ask(up)["onevault"]["attempts"] == 1
    assert '"event":"child_died"' in up.log()
    assert up.stop() == 0


def test_a_child_that_keeps_dying_is_replaced_ever_later(start_up: StartUp) -> None:
    """Catches: a supervisor without back-off, which would burn a core for a worker that cannot live."""
    up = start_up()
    killed = set()
    for _ in range(3):
        wait_for(lambda: bool([p for p in up.children("work") if p.pid not in killed]))
        (worker,) = [p for p in up.children("work") if p.pid not in killed]
        killed.add(worker.pid)
        worker.kill()
        wait_for(lambda: up.log().count('"event":"child_died"') == len(killed))
    delays = [json.loads(line)["delay_ms"] for line in up.log().splitlines() if '"event":"child_died"' in line]
    assert delays == [100, 200, 400]
    assert ask(up)
    assert up.stop() == 0


@pytest.mark.parametrize("event", ["database", "child"])
def test_a_supervisor_killed_while_it_starts_leaves_no_orphan(place: Path, event: str) -> None:
    """Killed once PostgreSQL accepts connections, and once the first child has started."""
    home = place / "home"
    environ = {"ONEVAULT_HOME": str(home), "PATH": "/usr/bin:/bin", "ONEVAULT_LOG_LEVEL": "debug"}
    with (place / "log").open("w") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "onevault", "up", "--port", "0"],
            env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    begun = {
        "database": (home / "run" / "postgres.started").exists,
        "child": lambda: '"event":"child_started"' in (place / "log").read_text(),
    }
    try:
        wait_for(begun[event], 60)
    finally:
        up.kill()
        up.wait()
    assert wait_until_unused(home) == []


def test_a_stop_lets_a_running_answer_finish(start_up: StartUp) -> None:
    up = start_up(ONEVAULT_SANDBOX_FIRST_BYTE_MS="1500")
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(ask(up)))
    asking.start()
    wait_for(lambda: count_requests(up) == 1)
    assert up.stop() == 0
    asking.join()
    assert answers[0]["onevault"]["provider"] == "sandbox"


def test_a_second_signal_does_not_wait(start_up: StartUp) -> None:
    up = start_up(ONEVAULT_SANDBOX_FIRST_BYTE_MS="60000")
    failures: list[Exception] = []

    def ask_in_vain() -> None:
        try:
            ask(up)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    asking = threading.Thread(target=ask_in_vain)
    asking.start()
    wait_for(lambda: count_requests(up) == 1)
    up.signal(signal.SIGINT)
    time.sleep(0.5)
    began = time.monotonic()
    up.signal(signal.SIGINT)
    assert up.wait() == 1
    assert time.monotonic() - began < 5
    asking.join()
    assert failures


def test_the_data_directory_is_for_one_gateway(start_up: StartUp) -> None:
    up = start_up()
    result = run_up(up.environ)
    assert result.returncode == 1
    assert result.stderr.startswith(f"onevault: a gateway already runs on {up.home}")
    assert up.stop() == 0


def test_a_taken_port_is_one_sentence(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run_up({"ONEVAULT_HOME": str(place / "home"), "ONEVAULT_PORT": port, "PATH": "/usr/bin:/bin"})
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {port}" in result.stderr
    assert "Traceback" not in result.stderr
    assert users_of(place / "home") == []


def test_what_cannot_start_ends_instead_of_trying_for_ever(place: Path) -> None:
    home = place / "home"
    environ = {"ONEVAULT_HOME": str(home), "PATH": "/usr/bin:/bin", "ONEVAULT_MASTER_KEY": "too short"}
    result = run_up(environ)
    assert result.returncode == 1
    assert "ONEVAULT_MASTER_KEY" in result.stderr
    assert "Traceback" not in result.stderr
    assert users_of(home) == []


def test_other_commands_share_the_running_database(start_up: StartUp) -> None:
    up = start_up()
    assert up.run("dsn").strip() == up.dsn
    assert up.run("migrate").strip() == "nothing to do"
    assert up.run("psql", "--", "-XAtc", "select 1 + 1").strip() == "2"
    assert ask(up)
    assert up.stop() == 0
    # And without it they start it for themselves, and leave nothing behind.
    assert up.run("psql", "--", "-XAtc", "select count(*) from gateway.api_request_h").strip() == "1"
    assert users_of(up.home) == []


def test_idle_memory_is_small(start_up: StartUp) -> None:
    up = start_up()
    ask(up)
    time.sleep(1)
    supervisor = psutil.Process(up.popen.pid)
    # Of a process that has just ended there is no command line.
    (postmaster,) = [
        p
        for p in psutil.process_iter(["name", "cmdline"])
        if p.info["name"] == "postgres" and str(up.home / "pg") in (p.info["cmdline"] or ())
    ]
    processes = [supervisor, *supervisor.children(recursive=True), postmaster, *postmaster.children()]
    held = [pss_of(process) for process in processes]
    assert sum(held) < 350 * 1024 * 1024, [size >> 20 for size in held]
    assert up.stop() == 0


def pss_of(process: psutil.Process) -> int:
    """Bytes that a process holds; PostgreSQL's helpers end when they like, and then hold nothing."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def run_up(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "onevault", "up"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
