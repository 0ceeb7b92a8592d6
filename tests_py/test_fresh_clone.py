"""What a stranger does: clone, `make up`, paste the curl, Ctrl-C, `make up` again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

from tests_py.support.cluster import clean_environ
from tests_py.support.up import wait_until_unused

ROOT = Path(__file__).resolve().parents[1]

needs_a_checkout = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("make") is None, reason="needs git's checkout and make"
)


class MakeUp:
    """`make up` in a terminal of its own: Ctrl-C reaches make and everything it started."""

    def __init__(self, checkout: Path, environ: dict[str, str], log: IO[bytes]) -> None:
        self._log = Path(log.name)
        self._begin = self._log.stat().st_size
        began = time.monotonic()
        self._popen = subprocess.Popen(
            ["make", "up"], cwd=checkout, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        while "Ctrl-C finishes" not in self.output():
            assert self._popen.poll() is None, self.output()
            assert time.monotonic() - began < 110, self.output()
            time.sleep(0.05)

    def output(self) -> str:
        return self._log.read_bytes()[self._begin :].decode(errors="replace")

    def printed_curl(self) -> str:
        """The command it printed, as a person would paste it."""
        found = re.search(r"^ *curl (?:.*\\\n)*.*$", self.output(), re.M)
        assert found, self.output()
        return found[0]

    def control_c(self) -> None:
        os.killpg(self._popen.pid, signal.SIGINT)
        self._popen.wait(60)


@needs_a_checkout
@pytest.mark.timeout(300)
def test_a_stranger_gets_an_answer(place: Path) -> None:
    checkout = place / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, checkout], check=True)
    environ = {**clean_environ(os.environ), "ONEVAULT_PORT": "0"}
    environ.pop("VIRTUAL_ENV", None)
    home = checkout / ".onevault"
    with (place / "make.log").open("ab") as log:
        first = MakeUp(checkout, environ, log)
        answer = subprocess.run(first.printed_curl(), shell=True, capture_output=True, text=True, check=True)
        assert '"onevault":' in answer.stdout, answer.stdout
        first.control_c()
        assert wait_until_unused(home) == []

        second = MakeUp(checkout, environ, log)
        answer = subprocess.run(second.printed_curl(), shell=True, capture_output=True, text=True, check=True)
        assert '"onevault":' in answer.stdout, answer.stdout
        count = [".venv/bin/onevault", "psql", "--", "-XAtc", "select count(*) from gateway.api_request_h"]
        told = subprocess.run(count, cwd=checkout, env=environ, capture_output=True, text=True, check=True)
        assert told.stdout == "2\n"
        second.control_c()
        assert wait_until_unused(home) == []
    status = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, text=True, check=True)
    assert status.stdout == "", "running the gateway leaves the checkout as it was"
