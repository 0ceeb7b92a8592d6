"""Real processes of a gateway, as `onevault up` starts them, under the control of a test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import psycopg

from onevault.database import Role
from tests_py.support.cluster import clean_environ


class AnyDatabase(Protocol):
    """A database that tests look into: a clone, or a remote one."""

    def environ(self, home: Path) -> dict[str, str]: ...

    def dsn(self, role: Role = "owner") -> str: ...

    def connect(self, role: Role = "owner", *, autocommit: bool = True) -> psycopg.Connection[Any]: ...

    def query(self, statement: str, *parameters: Any, role: Role = "owner") -> list[tuple[Any, ...]]: ...


_READY_SECONDS = 30
_STOP_SECONDS = 45


class Process:
    """One started `onevault` command; everything it logs goes to a file."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environ: dict[str, str],
        log: Path,
        fd: int | None,
        program: str = "onevault",
        prefix: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._log: IO[bytes] = log.open("ab")
        self.popen = subprocess.Popen(
            [*prefix, sys.executable, "-m", program, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=() if fd is None else (fd,),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if the process is still there."""
        if self.running:
            self.popen.send_signal(number)

    def kill(self) -> None:
        """kill -9, and waits until it is gone."""
        self.popen.kill()
        self.popen.wait()
        self._log.close()

    def stop(self) -> int:
        """SIGTERM; the exit code. A process that does not go is killed, and that is an error."""
        self.signal(signal.SIGTERM)
        try:
            code = self.popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not leave within {_STOP_SECONDS} s of SIGTERM") from None
        self._log.close()
        return code


class Gateway:
    """Fronts and workers on one database, with a data directory of their own.

    `url` is the base (no slash at the end), `token` that of the demo customer, `log()` everything
    the processes wrote. `program` is the module that fronts and workers are started from: a mutant of `onevault` is
    given its arguments.
    """

    program = "onevault"

    def __init__(self, database: AnyDatabase, home: Path, environ: Mapping[str, str]) -> None:
        self.database = database
        self.home = home
        self.fronts: list[Process] = []
        self.workers: list[Process] = []
        self._log = home / "processes.log"
        self.environ = {**clean_environ(os.environ), **database.environ(home), **environ}
        self.token = self._prepare()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Standard output of an `onevault` command on this gateway. It must succeed."""
        result = subprocess.run(
            [sys.executable, "-m", "onevault", *arguments],
            env=self.environ,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, f"onevault {' '.join(arguments)}: {result.stderr}"
        return result.stdout

    def start_front(self) -> Process:
        """One more front on the gateway's port."""
        number = self._listener.fileno()
        arguments = ["serve", "--fd", str(number)]
        front = Process("front", arguments, self.environ, self._log, number, self.program)
        self.fronts.append(front)
        return front

    def start_worker(self) -> Process:
        """One more worker."""
        worker = Process("worker", ["work"], self.environ, self._log, None, self.program)
        self.workers.append(worker)
        return worker

    def wait_until_ready(self) -> None:
        """Returns when /healthz/ready says 200."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            dead = [p.name for p in (*self.fronts, *self.workers) if not p.running]
            assert not dead, f"{dead} ended at once:\n{self.log()}"
            try:
                with urllib.request.urlopen(f"{self.url}/healthz/ready", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready within {_READY_SECONDS} s:\n{self.log()}")

    def log(self) -> str:
        """Everything the processes wrote so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def stop(self) -> None:
        """Stops the fronts, then the workers, with SIGTERM. Each that had begun must end with exit code 0."""
        # With a copy of the socket left open here, new connections would wait in vain.
        self._listener.close()
        codes: list[tuple[str, int]] = []
        for processes in (self.fronts, self.workers):
            running = [process for process in processes if process.running]
            for process in running:
                process.signal(signal.SIGTERM)
            for process in running:
                code = process.stop()
                if code != -signal.SIGTERM or f'"pid":{process.pid},' in self.log():
                    codes.append((process.name, code))
        assert not any(code for _, code in codes), f"{codes}:\n{self.log()[-4000:]}"

    def _prepare(self) -> str:
        token = json.loads(self.run("prepare"))["token"]
        return token or ""
