"""What a customer says and hears is nowhere afterwards: data directory, write-ahead log, logs, statistics."""

from __future__ import annotations

import json
import mmap
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from onevault.database import open_database
from onevault.settings import load_settings
from tests_py.support.cluster import clean_environ

_START = re.compile(r"\{.*\}", re.DOTALL)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that PostgreSQL's system user can reach."""
    path = Path(tempfile.mkdtemp(prefix="ov-canary-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def test_canaries_are_nowhere_at_rest(directory: Path) -> None:
    home = directory / "home"
    environ = {**clean_environ(os.environ), "ONEVAULT_HOME": str(home)}
    record_statements(environ)
    log = directory / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "onevault", "up", "--port", "0", "--json"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = ""
        while not _START.search(said):
            line = process.stdout.readline()
            assert line, log.read_text()
            said += line
        up = json.loads(said)
        canaries = talk(up["url"], up["token"])
        with psycopg.connect(up["dsn"], autocommit=True) as connection:
            connection.execute("checkpoint")
            statements = connection.execute("select string_agg(s.query, ' ') from pg_stat_statements as s").fetchone()
            assert statements is not None
            assert "sp_route_requests" in statements[0], "the road's statements are in the statistics"
            assert not [canary for canary in canaries if canary in statements[0]]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        if process.stdout is not None:
            process.stdout.close()

    planted = home / "planted"
    planted.write_text(f"…{canaries[0]}…")
    assert [path.name for path, _ in find(directory, canaries)] == ["planted"], "the search itself works"
    planted.unlink()
    assert list(find(directory, canaries)) == []


def record_statements(environ: dict[str, str]) -> None:
    """A database whose statistics keep the text of every statement from the first one on."""
    settings = load_settings(environ, None)
    for statement in (
        "alter system set shared_preload_libraries = 'pg_stat_statements'",
        "create extension pg_stat_statements schema public",
    ):
        database = open_database(settings)
        try:
            with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
                connection.execute(statement.encode())
        finally:
            database.close()


def talk(url: str, token: str) -> list[str]:
    """Calls of every kind with a canary in each; those of echoing calls come back as the answer."""
    canaries = []

    def ask(body: dict[str, Any] | None, *, good: bool = True, path: str = "/v1/chat/completions") -> None:
        canary = "canary" + secrets.token_hex(12)
        canaries.append(canary)
        content = json.dumps(body).replace("CANARY", canary)
        if body is None:
            content = '{"messages": [{"role": "user", "content": "' + canary
        response = httpx.post(
            f"{url}{path}",
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            content=content,
            timeout=60,
        )
        if not good:
            assert response.status_code >= 400 or '"error"' in response.text, response.text
        elif "sandbox_echo" in content:
            said = "".join(re.findall(r'"content":"((?:[^"\\]|\\.)*)"', response.text))
            assert canary in said, "the canary is in the answer as well"

    say = [{"role": "user", "content": "CANARY"}]
    chat = {"model": "sandbox-small", "messages": say}
    echo = {"sandbox_echo": "true"}
    ask({**chat, "metadata": echo})
    ask({**chat, "metadata": echo, "stream": True})
    ask({"prompt": "CANARY", "metadata": echo}, path="/v1/ai/completions")
    ask({"prompt": "CANARY", "type": "medical_analysis", "stream": True}, path="/v1/ai/completions")
    ask({**chat, "tools": [{"type": "function", "function": {"name": "CANARY", "parameters": {}}}]})
    for failure in ("500", "429", "cut"):
        ask({**chat, "metadata": {"sandbox_error": failure}, "stream": failure == "cut"}, good=False)
    ask(None, good=False)
    ask({"model": "sandbox-small", "messages": [{"role": "CANARY", "content": "x"}]}, good=False)
    ask({"model": "sandbox-small", "messages": [{"role": "user", "content": {"CANARY": 1}}]}, good=False)
    ask({"messages": say, "max_cost": "0.00000000001"}, good=False, path="/v1/ai/completions")
    ask({**chat, "temperature": "CANARY"}, good=False)
    return canaries


def find(directory: Path, canaries: list[str]) -> Iterator[tuple[Path, str]]:
    """Files below a directory that hold one of the canaries."""
    pattern = re.compile(b"|".join(canary.encode() for canary in canaries))
    for path in directory.rglob("*"):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if found := pattern.search(content):
                    yield path, found[0].decode()
