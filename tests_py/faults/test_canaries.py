"""What customers say, hear and hold is nowhere afterwards, whatever happened meanwhile and whatever was turned on.

Calls of every kind, good and bad, with the database's log as talkative as an operator can make it, while workers,
fronts and the database are killed or crash in the middle; then everything that is left behind is searched: data
directory, write-ahead log, dump, logs, statistics, metrics, temporary files, core files.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from onevault.embedded import install_directory
from tests_py.providers.fake import FakeProvider
from tests_py.support.canaries import Canaries, find_in_files
from tests_py.support.talker import Talker, Tokens
from tests_py.support.up import Up

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
CALLS = 5_500 if SOAK else 150
"""A call has nearly two canaries."""
THREADS = 4
SERVICES = ("onevault_app", "onevault_worker", "onevault_dba")
TALKATIVE = {
    "log_statement": "all",
    "log_duration": "on",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_min_error_statement": "debug1",
    "log_min_messages": "debug1",
    "log_error_verbosity": "verbose",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_parameter_max_length": "-1",
}
SEEN = (
    "select a.query from pg_stat_activity as a",
    "select s.query from pg_stat_statements as s",
    "select p.statement from pg_prepared_statements as p",
)


@pytest.mark.long
def test_canaries_are_nowhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants: the prompt among the features that SQL gets; a provider's words in error_message; a core file of
    a worker; a body that is spooled to a file; the model that was asked for kept for a refusal."""
    canaries = Canaries()
    for name in ("tmp", "cwd"):
        (place / name).mkdir()
        (place / name).chmod(0o1777)
    monkeypatch.chdir(place / "cwd")
    with FakeProvider(text="Hello there") as fake, core_files_allowed():
        up = Up(place / "home", "--workers", "2", TMPDIR=str(place / "tmp"), ONEVAULT_LOG_LEVEL="debug")
        try:
            turn_everything_up(up)
            tokens = set_up(up, fake, canaries)
            with Witness(up) as witness:
                talkers = talk(up, tokens, canaries, CALLS)
                crash(up, tokens, canaries)
                talkers += talk(up, tokens, canaries, 50)
            dump(up, place / "dump.sql")
            with psycopg.connect(up.dsn, autocommit=True) as connection:
                connection.execute("checkpoint")
            assert up.stop() == 0
        finally:
            up.close()
    said = {status for talker in talkers for statuses in talker.statuses.values() for status in statuses}
    assert {200, 400, 401, 404, 422} <= said, said
    (place / "witness").write_text(witness.text, errors="replace")
    search(place, canaries)
    assert not SOAK or canaries.made >= 10_000
    print(canaries.made, "canaries;", {kind: sorted(s) for kind, s in sorted(talkers[0].statuses.items())})


def search(place: Path, canaries: Canaries) -> None:
    """The search itself is proved first: by a planted file, a planted secret, and a coded one."""
    anything = canaries.pattern("content", "words")
    planted = place / "home" / "planted"
    for text in (canaries.make(), canaries.make("words"), canaries.make().encode().hex()):
        planted.write_text(f"…{text}…")
        assert planted in {path for path, _ in find_in_files([place / "home"], anything)}
    planted.unlink()
    assert list(find_in_files([place], canaries.pattern("content"))) == []
    # What SQL decides by is in its log when somebody has it write parameters; it is kept nowhere.
    log = place / "home" / "logs" / "postgres.log"
    assert canaries.pattern("words").search(log.read_bytes()), "the log is as talkative as it can be"
    log.unlink()
    assert list(find_in_files([place], canaries.pattern("words"))) == []


def turn_everything_up(up: Up) -> None:
    """What an operator who looks for a fault might do, and a restart that brings it into force."""
    with psycopg.connect(up.dsn, autocommit=True) as connection:
        connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements', 'auto_explain'")
        connection.execute("alter system set track_activity_query_size = '100kB'")
        for name, value in TALKATIVE.items():
            if "." not in name:
                connection.execute(f"alter system set {name} = '{value}'".encode())
                for role in SERVICES:
                    connection.execute(f"alter role {role} set {name} = '{value}'".encode())
        connection.execute("create extension pg_stat_statements schema public")
    restart_database(up)
    with psycopg.connect(up.dsn, autocommit=True) as connection:
        for name, value in TALKATIVE.items():
            if "." in name:
                connection.execute(f"alter system set {name} = '{value}'".encode())
        connection.execute("select pg_reload_conf()")


def set_up(up: Up, fake: FakeProvider, canaries: Canaries) -> Tokens:
    """Providers that play, one with a key of ours; a customer whose agent is not kept, with two tokens."""
    with psycopg.connect(up.dsn, autocommit=True) as connection:
        connection.execute("update admin.tenant set address_policy = 'NONE'")
        for name in Talker.FAKES:
            connection.execute(
                "insert into admin.provider (provider, api_endpoint, needs_key) values (%s, %s, false)",
                (name, fake.endpoint(name)),
            )
            connection.execute("insert into admin.model (provider, model) values (%s, %s)", (name, f"model-{name}"))
            for meter in ("input", "output"):
                connection.execute(
                    "insert into admin.price (provider, model, meter, usd_per_million) values (%s, %s, %s, 1)",
                    (name, f"model-{name}", meter),
                )
    up.environ["CANARY_KEY"] = f"sk-{canaries.make()}"
    up.run("provider", "set", "ok", "--api-key-env", "CANARY_KEY")
    up.run("provider", "set", "status-500", "--api-key-env", "CANARY_KEY")
    del up.environ["CANARY_KEY"]
    good, revoked = (
        json.loads(up.run("customer", "create", name, "--json")) for name in ("canary keeper", "canary loser")
    )
    up.run("token", "revoke", revoked["token_id"])
    return Tokens(canaries.remember(good["token"]), canaries.remember(revoked["token"]))


def talk(up: Up, tokens: Tokens, canaries: Canaries, count: int) -> list[Talker]:
    """So many calls by several customers at once."""
    numbers = itertools.count()
    talkers = [Talker(up.url, tokens, canaries) for _ in range(THREADS)]
    errors: list[BaseException] = []

    def work(talker: Talker) -> None:
        try:
            while (number := next(numbers)) < count and not errors:
                talker.talk(number)
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            talker.close()

    run_together([lambda talker=talker: work(talker) for talker in talkers])  # type: ignore[misc]
    assert not errors, errors
    return talkers


def crash(up: Up, tokens: Tokens, canaries: Canaries) -> None:
    """Everything dies once in every way, with answers half said."""
    deaths = [("work", signal.SIGSEGV), ("serve", signal.SIGABRT)]
    deaths += [("work", signal.SIGKILL), ("serve", signal.SIGKILL), ("work", signal.SIGABRT)] if SOAK else []
    for command, number in deaths:
        with half_said(up, tokens, canaries):
            os.kill(up.children(command)[0].pid, number)
        wait_until_answered(up, tokens)
    with half_said(up, tokens, canaries):
        restart_database(up)
    wait_until_answered(up, tokens)


@contextlib.contextmanager
def half_said(up: Up, tokens: Tokens, canaries: Canaries) -> Iterator[None]:
    """Streams that have said a canary and go on, while something happens."""
    begun = threading.Semaphore(0)

    def listen() -> None:
        body = {
            "model": "sandbox-small", "stream": True,
            "messages": [{"role": "user", "content": f"{canaries.make()} " * 20}],
            "metadata": {"sandbox_echo": "true", "sandbox_tokens_per_second": "8"},
        }  # fmt: skip
        headers = {"authorization": f"Bearer {tokens.good}"}
        with (
            contextlib.suppress(httpx.HTTPError),
            httpx.stream("POST", f"{up.url}/v1/chat/completions", json=body, headers=headers, timeout=30) as response,
        ):
            for _ in response.iter_bytes():
                begun.release()
        begun.release()

    threads = [threading.Thread(target=listen) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=30)
    yield
    for thread in threads:
        thread.join(60)


def restart_database(up: Up) -> None:
    """kill -9; it comes back by itself."""
    before = int((up.home / "pg" / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.Error), psycopg.connect(up.dsn, connect_timeout=2):
            return
        time.sleep(0.1)
    raise AssertionError(up.log()[-4000:])


def wait_until_answered(up: Up, tokens: Tokens) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            headers = {"authorization": f"Bearer {tokens.good}"}
            body = {"model": "sandbox-small", "messages": [{"role": "user", "content": "x"}]}
            if httpx.post(f"{up.url}/v1/chat/completions", json=body, headers=headers, timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(up.log()[-4000:])


class Witness:
    """Looks at what can be seen from outside while calls run; `text` is everything it saw."""

    def __init__(self, up: Up) -> None:
        self._up = up
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._seen: set[str] = set()

    @property
    def text(self) -> str:
        return "\n".join(sorted(self._seen))

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert "sp_route_requests" in self.text
        assert "onevault_front_requests_total" in self.text

    def _run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(psycopg.Error), psycopg.connect(self._up.dsn, autocommit=True) as connection:
                for statement in SEEN:
                    self._seen.update(str(row[0]) for row in connection.execute(statement.encode()))
            with contextlib.suppress(httpx.HTTPError):
                self._seen.add(httpx.get(f"{self._up.url}/metrics", timeout=5).text)
            for path in Path("/dev/shm").glob("PostgreSQL.*"):
                with contextlib.suppress(OSError):
                    found = re.findall(rb"cnry[0-9a-f]{12}x\d{6}", path.read_bytes())
                    self._seen.update(word.decode() for word in found)
            self._over.wait(0.25)


def dump(up: Up, path: Path) -> None:
    """Everything in the database as text."""
    where = parse_qs(urlsplit(up.dsn).query)
    command = [str(install_directory() / "bin" / "pg_dump"), "-h", where["host"][0], "-p", where["port"][0]]
    subprocess.run([*command, "-U", "postgres", "-f", str(path), "onevault"], check=True, timeout=300)
    assert path.stat().st_size > 100_000


@contextlib.contextmanager
def core_files_allowed() -> Iterator[None]:
    """Whoever starts a process now lets it write core files, if the machine has them."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def run_together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
