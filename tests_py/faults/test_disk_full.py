"""A disk without room: reads answer, writes fail cleanly, nothing is lost or broken, and it goes on by itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from onevault.embedded import install_directory
from tests_py.support.books import check_books, wait_until_settled
from tests_py.support.small_disk import SmallDisk, small_disk
from tests_py.support.up import Up, wait_until_unused

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
DISK_MIB = 400
FULL_SECONDS = 60.0 if SOAK else 8.0
ROUNDS = 3 if SOAK else 1


class Database:
    """What tests look into, by connection string."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()


@pytest.mark.long
def test_a_full_disk_loses_nothing_and_breaks_nothing(place: Path) -> None:
    """Mutants: nobody starts the server again; a refused booking is given up (worker.booking); a full disk that is
    answered with 500."""
    with small_disk(DISK_MIB, place / "disk") as disk, contextlib.ExitStack() as stack:
        up = Up(disk.place / "home", bare=True, ONEVAULT_WORKER_CONCURRENCY="16", TMPDIR=str(place))
        try:
            calls = stack.enter_context(contextlib.closing(Calls(up)))
            acknowledged = []
            outcomes: Counter[int] = Counter()
            for _ in range(ROUNDS):
                assert calls.ask().status_code == 200
                slow = SlowCalls(calls, 8)
                session = stack.enter_context(psycopg.connect(up.dsn, autocommit=True))
                disk.fill()
                heard, reads = calls.keep_asking(FULL_SECONDS / 2)
                use_up_the_log(session, disk)
                more = calls.keep_asking(FULL_SECONDS / 2)
                heard, reads = heard + more[0], reads + more[1]
                outcomes += Counter(response.status_code for response in heard)
                assert 503 in outcomes, "the disk was full enough"
                assert {response.status_code for response in reads} <= {200, 503}
                disk.relieve()
                calls.wait_until_answered()
                heard += slow.heard()
                acknowledged += [r.headers["x-onevault-request-id"] for r in heard if r.status_code == 200]
            database = Database(up.dsn)
            wait_until_settled(database, 90)  # type: ignore[arg-type]
            check_books(database, acknowledged)  # type: ignore[arg-type]
            check_files(up)
            print(outcomes)
            assert up.stop() == 0
        finally:
            disk.relieve()
            up.close()
        assert wait_until_unused(up.home) == []


@pytest.mark.long
def test_processes_go_on_when_their_logs_have_no_room(place: Path) -> None:
    """Mutant: a log line that cannot be written ends the call that wrote it."""
    full = Path("/dev/full")
    if not full.exists():
        return
    with full.open("wb") as errors:
        environ = {**os.environ, "ONEVAULT_HOME": str(place / "home"), "ONEVAULT_LOG_LEVEL": "debug"}
        process = subprocess.Popen(
            [sys.executable, "-m", "onevault", "up", "--json", "--port", "0"],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        while "}" not in said:
            line = process.stdout.readline()
            assert line, "it ended at once"
            said += line
        url, token = (said.split(f'"{name}": "')[1].split('"')[0] for name in ("url", "token"))
        for body in ({"prompt": "Hello"}, {"prompt": "Hello", "metadata": {"sandbox_error": "500"}}, {"prompt": 1}):
            response = httpx.post(
                f"{url}/v1/ai/completions", json=body, headers={"authorization": f"Bearer {token}"}, timeout=30
            )
            assert response.status_code in (200, 400, 502), response.text
        process.terminate()
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


class Calls:
    """A customer who does not give up."""

    def __init__(self, up: Up) -> None:
        self._up = up
        self._client = httpx.Client(
            base_url=up.url, headers={"authorization": f"Bearer {up.token}"}, timeout=60, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, *, patience: float = 120, **metadata: str) -> httpx.Response:
        """One call; what is refused is refused in the contract's words."""
        body = {"model": "sandbox-small", "messages": [{"role": "user", "content": "Hello"}], "metadata": metadata}
        response = self._client.post("/v1/chat/completions", json=body, timeout=patience)
        if response.status_code != 200:
            assert response.status_code == 503, response.text
            assert response.json()["error"]["code"] in ("overloaded", "no_provider"), response.text
            assert int(response.headers["retry-after"]) >= 1
        return response

    def keep_asking(self, seconds: float) -> tuple[list[httpx.Response], list[httpx.Response]]:
        """Responses to calls and to reads beside them."""
        deadline = time.monotonic() + seconds
        heard, reads = [], []
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.ReadTimeout):  # answered, and not booked yet: it waits for room
                heard.append(self.ask(patience=2))
            reads.append(self._client.get("/v1/models"))
            time.sleep(0.02)
        return heard, reads

    def wait_until_answered(self, seconds: float = 60) -> None:
        """Until a call succeeds again, with nobody's help."""
        deadline = time.monotonic() + seconds
        while self.ask().status_code != 200:
            assert time.monotonic() < deadline, self._up.log()[-4000:]
            time.sleep(0.2)


class SlowCalls:
    """Calls that are with the provider while the disk fills, so that their results wait for room."""

    def __init__(self, calls: Calls, count: int) -> None:
        self._heard: list[httpx.Response] = []
        self._threads = [
            threading.Thread(target=lambda: self._heard.append(calls.ask(sandbox_first_byte_ms="3000")))
            for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def heard(self) -> list[httpx.Response]:
        """All responses."""
        for thread in self._threads:
            thread.join(120)
        assert len(self._heard) == len(self._threads)
        return self._heard


def use_up_the_log(session: psycopg.Connection[Any], disk: SmallDisk) -> None:
    """Use up what the server has put by, its log being laid out in advance, until it stops.

    Told by what becomes of the session, opened while there was room: no new one can be, and the server's own log has
    no room for why.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        disk.fill()
        try:
            session.execute("select pg_logical_emit_message(false, 'ballast', repeat('x', 1000000), true)")
        except psycopg.OperationalError:
            if session.closed:
                return
    raise AssertionError("the write-ahead log found room all the time")


def check_files(up: Up) -> None:
    """Every index agrees with its table, and every page with its checksum."""
    socket_dir = up.dsn.split("host=")[1].split("&")[0].replace("%2F", "/")
    checked = subprocess.run(
        [
            str(install_directory() / "bin" / "pg_amcheck"), "--install-missing", "--heapallindexed", "--all",
            "-h", socket_dir, "-p", "5432", "-U", "postgres",
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
