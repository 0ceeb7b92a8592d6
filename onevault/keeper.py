"""Keeps the embedded PostgreSQL running for as long as `onevault up` runs.

PostgreSQL restarts itself after a crash of one of its processes, but not when the postmaster is killed, and not when
the disk is still full when it recovers. Then it is started from here, with growing delays, until it stays.
"""

from __future__ import annotations

import asyncio

from onevault.embedded import EmbeddedServer
from onevault.errors import OperatorError
from onevault.log import get_log

_LOOK_SECONDS = 0.5
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0
# A server that stayed for so long is started again at once when it dies.
_STEADY_SECONDS = 30.0

_log = get_log("supervisor")


async def keep_running(server: EmbeddedServer) -> None:
    """Starts `server` again whenever it is gone. Runs until it is cancelled; a start under way then ends by itself."""
    loop = asyncio.get_running_loop()
    delay = _FIRST_DELAY_SECONDS
    down_at = loop.time()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if server.running():
            if loop.time() - down_at >= _STEADY_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            continue
        _log.warning("database_gone", delay_ms=round(delay * 1000))
        await asyncio.sleep(delay)
        delay = min(delay * 2, _LONGEST_DELAY_SECONDS)
        try:
            if await asyncio.to_thread(server.revive):
                _log.warning("database_started_again")
        except (OperatorError, OSError) as error:
            _log.error("database_does_not_start", error, path=str(server.log))
        down_at = loop.time()
