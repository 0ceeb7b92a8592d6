"""Running a front under uvicorn, with a way to stop that cuts nobody off."""

from __future__ import annotations

import asyncio
import gc
import math
import socket
from types import FrameType
from typing import Final

import uvicorn

from litestar_app.app import create_app
from litestar_app.front import Front
from onevault.settings import Settings

BACKLOG: Final = 2048
KEEP_ALIVE_SECONDS: Final = 75
_MARGIN_SECONDS: Final = 5
"""Beyond the drain time, for answers that were ended by it to leave."""


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve on `listener` until SIGTERM or SIGINT, then finish running answers and return."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # auth.py reads X-Forwarded-For, and only from peers that are trusted
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.drain_timeout_seconds) + _MARGIN_SECONDS,
    )
    # What has been loaded stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # What a call makes is freed by counting; the collector, looking for cycles, may look less often.
    gc.set_threshold(10_000, 20, 20)
    FrontServer(config, app.state.front).run(sockets=[listener])


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

    def _begin(self) -> None:
        for server in self.servers:
            server.close()
        self._front.drain()
        self._draining = self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        await self._front.links.idle()
        self.should_exit = True
