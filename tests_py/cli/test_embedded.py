"""Commands on the embedded database: they start it when nobody else has, and leave it as they found it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from onevault.embedded import EmbeddedServer
from tests_py.support.cluster import clean_environ


@pytest.fixture
def place() -> Iterator[Path]:
    # Not pytest's directory: it is closed to the system user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="ov-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path / "home"


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "onevault", *arguments],
        env={**clean_environ(os.environ), "ONEVAULT_HOME": str(place)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_commands_start_and_stop_what_nobody_runs(place: Path) -> None:
    made = run(place, "tenant", "create", "early", "--json")
    assert made.returncode == 0, made.stderr
    assert not EmbeddedServer(place).running()
    assert run(place, "customer", "create", "acme").stderr.startswith("onevault: there is no master key")

    server = EmbeddedServer(place)
    assert server.acquire()
    try:
        listed = json.loads(run(place, "tenant", "list", "--json").stdout)
        assert [row["tenant"] for row in listed] == ["default", "early"]
        assert server.running(), "a command stops nothing that others use"
    finally:
        server.release()
