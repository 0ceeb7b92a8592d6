"""Running a front under uvicorn, with a way to stop that cuts nobody off."""

from __future__ import annotations

import asyncio
import gc
import math
import resource
import socket
from types import FrameType
from typing import Final

import uvicorn
from litestar import Litestar

from litestar_app.app import create_app
from litestar_app.front import Front
from litestar_app.heads import HeadCheck
from litestar_app.protocol import Bounds, bounded, sweep
from onevault.settings import Settings

BACKLOG: Final = 2048
_SWEEP_SECONDS: Final = 0.5
_MARGIN_SECONDS: Final = 5
"""Beyond the drain time, for answers that were ended by it to leave."""
_LINGER_SECONDS: Final = 1.0
_LINGER_STEP_SECONDS: Final = 0.02
"""How long connections without an answer under way are kept while the front leaves, and how often they are counted."""

_OTHER_FILES: Final = 256
"""What a front keeps open besides its customers' connections, and room for those that are being refused."""


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve on `listener` until SIGTERM or SIGINT, then finish running answers and return.

    Raises what kept the front from opening, such as `LinkError`.
    """
    app = create_app(settings)
    front: Front = app.state.front
    config = front_config(app, front, reserve_files(settings.max_connections))
    # What has been loaded stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # What a call makes is freed by counting; the collector, looking for cycles, may look less often.
    gc.set_threshold(10_000, 20, 20)
    try:
        FrontServer(config, front).run(sockets=[listener])
    except SystemExit:
        if front.failure is not None:
            raise front.failure from None
        raise


def front_config(app: Litestar, front: Front, connections: int) -> uvicorn.Config:
    """How uvicorn runs a front that holds at most so many connections."""
    settings = front.settings
    bounds = Bounds(
        check=HeadCheck(settings.allowed_hosts),
        connections=connections,
        head_seconds=settings.header_timeout_seconds,
        body_seconds=settings.body_timeout_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
        send_seconds=settings.send_timeout_seconds,
        refused=front.metrics.refused,
    )
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=bounded(bounds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # auth.py reads X-Forwarded-For, and only from peers that are trusted
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=math.ceil(settings.drain_timeout_seconds) + _MARGIN_SECONDS,
    )


def reserve_files(connections: int) -> int:
    """Make room for so many connections in this process's limit of open files; how many there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - _OTHER_FILES))


class FrontServer(uvicorn.Server):
    """A server that drains before it stops.

    After the first signal nothing new is accepted; what still comes in on connections that are kept
    alive is told to try again elsewhere, and the server stops when no answer is running any more or
    the drain time is over. A second signal stops it at once.
    """

    def __init__(self, config: uvicorn.Config, front: Front) -> None:
        super().__init__(config)
        self._front = front
        self._draining: asyncio.Task[None] | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called in the main thread, between two steps of the loop."""
        if not self.started or self._front.draining:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._loop.call_soon_threadsafe(self._begin)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._sweep()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; the deadlines of connections hold to the end."""
        try:
            await super().shutdown(sockets)
        finally:
            if self._sweeping is not None:
                self._sweeping.cancel()

    def _sweep(self) -> None:
        sweep(self.server_state.connections, self._loop.time())
        self._sweeping = self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _begin(self) -> None:
        for server in self.servers:
            server.close()
        self._front.drain()
        self._draining = self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        await self._front.links.idle()
        # Who sends on a connection that is kept alive just now is told to try again, and not cut off.
        until = self._loop.time() + _LINGER_SECONDS
        while self.server_state.connections and self._loop.time() < until:  # noqa: ASYNC110 - uvicorn's set tells nobody
            await asyncio.sleep(_LINGER_STEP_SECONDS)
        self.should_exit = True
