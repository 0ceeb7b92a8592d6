"""`onevault up` as a person runs it, in a session of its own, under the control of a test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests_py.support.cluster import clean_environ
from tests_py.support.template import lay_data

_READY_SECONDS = 60


class Up:
    """A running `onevault up --json` on the data directory `home` and a free port.

    A new `home` begins as the first start leaves it, unless it is to be `bare`. `url`, `token` and `dsn` are what was
    printed.
    """

    def __init__(self, home: Path, *arguments: str, bare: bool = False, **environ: str) -> None:
        self.home = home
        if not bare and not home.exists():
            lay_data(home)
        self.environ = {**clean_environ(os.environ), "ONEVAULT_HOME": str(home), **environ}
        self._errors = (home.parent / f"{home.name}.log").open("ab+")
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "onevault", "up", "--json", "--port", "0", *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        printed = self._read_announcement()
        self.url: str = printed["url"]
        self.token: str = printed["token"] or ""
        self.dsn: str = printed["dsn"]

    def log(self) -> str:
        """What it and its children wrote to standard error."""
        return Path(self._errors.name).read_text(errors="replace")

    def run(self, *arguments: str) -> str:
        """Standard output of another `onevault` command on the same data directory."""
        return subprocess.run(
            [sys.executable, "-m", "onevault", *arguments],
            env=self.environ, capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip

    def children(self, command: str) -> list[psutil.Process]:
        """Its running fronts (`serve`) or workers (`work`)."""
        found = []
        for child in psutil.Process(self.popen.pid).children():
            with contextlib.suppress(psutil.Error):  # it may be gone by now
                if command in child.cmdline():
                    found.append(child)
        return found

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to `up` alone."""
        self.popen.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """Its exit code."""
        try:
            return self.popen.wait(seconds)
        finally:
            self.close()

    def stop(self) -> int:
        """Ctrl-C, and the exit code."""
        self.signal(signal.SIGINT)
        return self.wait()

    def close(self) -> None:
        """Ends it if it still runs, and closes its files."""
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        if self.popen.stdout is not None:
            self.popen.stdout.close()
        self._errors.close()

    def _read_announcement(self) -> dict[str, Any]:
        assert self.popen.stdout is not None
        text = b""
        deadline = time.monotonic() + _READY_SECONDS
        os.set_blocking(self.popen.stdout.fileno(), False)
        while time.monotonic() < deadline and self.popen.poll() is None:
            text += self.popen.stdout.read() or b""
            if text.rstrip().endswith(b"}"):
                found: dict[str, Any] = json.loads(text)
                return found
            time.sleep(0.01)
        log = self.log()
        self.close()
        raise AssertionError(f"not ready: exit code {self.popen.returncode}, printed {text!r}\n{log}")


def users_of(home: Path) -> list[str]:
    """Command lines of the processes that work on the data directory `home`."""
    found = []
    for process in psutil.process_iter():
        try:
            named = process.environ().get("ONEVAULT_HOME")
            if named is None and "onevault" in process.cmdline():
                named = str(Path(process.cwd()) / ".onevault")
            mine = named == str(home) or str(home / "pg") in process.cmdline()
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def wait_until_unused(home: Path, seconds: float = 30) -> list[str]:
    """Who still works on `home` after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while (users := users_of(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return users
