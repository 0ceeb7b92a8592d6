"""The embedded PostgreSQL is killed under `onevault up`: it comes back by itself and calls succeed again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx
import psycopg

from tests_py.support.up import Up, wait_until_unused


def test_a_killed_postmaster_comes_back_by_itself(place: Path) -> None:
    """Mutants: nobody looks after it; it comes back once and not twice; `up` leaves it running at the end."""
    up = Up(place / "home")
    try:
        for _ in range(2):
            assert ask(up).status_code == 200
            os.kill(postmaster(up), signal.SIGKILL)
            refused = ask(up)
            if refused.status_code != 200:
                assert refused.status_code == 503, refused.text
                assert int(refused.headers["retry-after"]) >= 1
            wait_until_answered(up)
        assert up.log().count("database_started_again") == 2
        with psycopg.connect(up.dsn) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",), "with the settings it had"
        assert up.stop() == 0
    finally:
        up.close()
    assert wait_until_unused(up.home) == [], "nothing is left behind"


def postmaster(up: Up) -> int:
    return int((up.home / "pg" / "postmaster.pid").read_text().split("\n", 1)[0])


def ask(up: Up) -> httpx.Response:
    return httpx.post(
        f"{up.url}/v1/ai/completions",
        json={"prompt": "Hello"},
        headers={"authorization": f"Bearer {up.token}"},
        timeout=30,
    )


def wait_until_answered(up: Up, seconds: float = 60) -> None:
    """Until a call succeeds; until then every one must be a 503 with retry-after."""
    deadline = time.monotonic() + seconds
    while (response := ask(up)).status_code != 200:
        assert response.status_code == 503, response.text
        assert int(response.headers["retry-after"]) >= 1
        assert time.monotonic() < deadline, up.log()[-4000:]
        time.sleep(0.2)
