"""Runs fronts and workers as child processes, keeps them alive, and drains them at the end.

    StartFailed        a child does not come up; its own log lines say why

Order of a stop: the fronts first, so that the workers still answer what is running; then the
workers; what has not gone by then is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from onevault.embedded import EmbeddedServer
from onevault.errors import OperatorError
from onevault.keeper import keep_running
from onevault.lifeline import STOP_SIGNALS, VARIABLE
from onevault.log import get_log

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 10.0
# A child that lived this long starts again at once when it dies.
_STEADY_SECONDS = 30.0
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.1
_FAILURES_BEFORE_READY = 3
# Past the drain timeout a child still has to book what it cut off.
_GRACE_SECONDS = 10.0

log = get_log("supervisor")


class StartFailed(OperatorError):
    """A child process dies again and again before the gateway was ready once."""


class Child:
    """One kept process: started again with growing delays until told to stop."""

    def __init__(self, name: str, command: Sequence[str], descriptors: Sequence[int], environ: dict[str, str]) -> None:
        self.name = name
        self.failures = 0
        self._command = command
        self._descriptors = tuple(descriptors)
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    async def keep(self) -> None:
        """Runs the process until `terminate` or `kill`; returns when it is gone."""
        delay = _FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=self._descriptors,
                env=self._environ,
                # Ctrl-C in the terminal is for the supervisor, which stops its children in order.
                start_new_session=True,
            )
            log.debug("child_started", process=self.name, pid=self._process.pid)
            if self._stopping.is_set():
                self._signal(signal.SIGTERM)
            code = await self._process.wait()
            if self._stopping.is_set():
                return
            self.failures += 1
            if time.monotonic() - began >= _STEADY_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            log.warning("child_died", process=self.name, exit_code=code, delay_ms=round(delay * 1000))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    def terminate(self) -> None:
        """Asks the process to drain and leave; it is not started again."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process at once; it is not started again."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class Supervisor:
    """The processes of one gateway on one listening socket.

    `drain_seconds` is how long a stop waits for running answers; `server` is the embedded database, if it is in use,
    which is kept running as well.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        fronts: int,
        workers: int,
        drain_seconds: float,
        environ: dict[str, str],
        server: EmbeddedServer | None = None,
    ) -> None:
        self._listener = listener
        self._server = server
        self._drain_seconds = drain_seconds
        self._stop = asyncio.Event()
        self._forced = asyncio.Event()
        watched, self._lifeline = os.pipe()
        own = {**environ, VARIABLE: str(watched)}
        python = (sys.executable, "-P", "-m", "onevault")
        serve = (*python, "serve", "--fd", str(listener.fileno()))
        self._fronts = [Child(f"front-{i + 1}", serve, (listener.fileno(), watched), own) for i in range(fronts)]
        self._workers = [Child(f"worker-{i + 1}", (*python, "work"), (watched,), own) for i in range(workers)]

    async def run(self, announce: Callable[[], None]) -> bool:
        """Keeps the processes until a signal; `announce` is called once, when they are ready.

        True if all of them left by themselves after the drain. Raises StartFailed.
        """
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
                loop.add_signal_handler(number, self._on_signal)
        # Workers first: they are quicker up than the first customer.
        children = [*self._workers, *self._fronts]
        keepers = [asyncio.create_task(child.keep(), name=child.name) for child in children]
        database = asyncio.create_task(keep_running(self._server)) if self._server is not None else None
        try:
            if await self._ready(children):
                announce()
                await self._stop.wait()
        finally:
            # The one copy of the socket that would still take connections during the drain.
            self._listener.close()
            drained = await self._drain(self._fronts, keepers) and await self._drain(self._workers, keepers)
            for child in children:
                child.kill()
            await asyncio.gather(*keepers, return_exceptions=True)
            if database is not None:
                database.cancel()
            os.close(self._lifeline)
        return drained

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._forced.set()
        self._stop.set()

    async def _ready(self, children: Sequence[Child]) -> bool:
        """Waits until the fronts answer; False when a stop was asked for first."""
        deadline = time.monotonic() + _READY_SECONDS
        stop = asyncio.create_task(self._stop.wait())
        try:
            while not stop.done():
                asked = asyncio.create_task(is_ready(self._listener))
                await asyncio.wait({asked, stop}, return_when=asyncio.FIRST_COMPLETED)
                if asked.done() and asked.result():
                    return True
                asked.cancel()
                failing = [child.name for child in children if child.failures >= _FAILURES_BEFORE_READY]
                if failing:
                    raise StartFailed(f"{', '.join(failing)} cannot start: the log lines above say why")
                if time.monotonic() > deadline:
                    raise StartFailed(f"not ready after {_READY_SECONDS:.0f} seconds: the log lines above may say why")
                await asyncio.wait({stop}, timeout=_POLL_SECONDS)
            return False
        finally:
            stop.cancel()

    async def _drain(self, children: Sequence[Child], keepers: Sequence[asyncio.Task[None]]) -> bool:
        """Stops `children`; False when some were still there after the drain or a second signal."""
        names = {child.name for child in children}
        waiting = [keeper for keeper in keepers if keeper.get_name() in names]
        for child in children:
            child.terminate()
        gone: asyncio.Future[Any] = asyncio.gather(*waiting, return_exceptions=True)
        forced: asyncio.Future[Any] = asyncio.ensure_future(self._forced.wait())
        await asyncio.wait(
            {gone, forced}, timeout=self._drain_seconds + _GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        forced.cancel()
        return all(keeper.done() for keeper in waiting)


async def is_ready(listener: socket.socket) -> bool:
    """Whether /healthz/ready answers 200 on the address of `listener`."""
    host, port = reachable_address(listener)
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET /healthz/ready HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def reachable_address(listener: socket.socket) -> tuple[str, int]:
    """The host and port under which this machine reaches `listener`."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104
