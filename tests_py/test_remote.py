"""The gateway on a PostgreSQL that is known by DATABASE_URL alone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from onevault.migrate import Report, migrate
from tests_py.support.gateway import Gateway
from tests_py.support.remote import RemoteServer


@pytest.fixture
def remote(place: Path) -> Iterator[RemoteServer]:
    server = RemoteServer(place / "server")
    yield server
    server.close()


def test_migrates_as_an_owner_who_is_no_superuser(remote: RemoteServer) -> None:
    assert migrate(remote.url).installed
    assert migrate(remote.url) == Report((), installed=False)
    (row,) = remote.query("select rolsuper from pg_catalog.pg_roles where rolname = session_user")
    assert row == (False,)


def test_serves_a_call_from_end_to_end(remote: RemoteServer, place: Path) -> None:
    home = place / "gateway"
    home.mkdir()
    gateway = Gateway(remote, home, {})
    try:
        gateway.start_worker()
        gateway.start_front()
        gateway.wait_until_ready()
        request = urllib.request.Request(
            f"{gateway.url}/v1/ai/completions",
            b'{"prompt": "Say hello"}',
            {"authorization": f"Bearer {gateway.token}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.loads(answer.read())["onevault"]
        assert remote.query("select api_request_bk from gateway.api_request_h") == [(told["request_id"],)]
        assert not (home / "pg").exists()
    finally:
        gateway.stop()
    assert gateway.run("dsn").strip() == remote.url
