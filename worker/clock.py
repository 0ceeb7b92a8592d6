"""The worker's clock: hears of new work, and once a second lets SQL do what its schedule says is due, and asks about
keys that SQL wants to know about.

Both on one connection of its own: a job that takes long holds up nothing but the hints, and those are only hints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg

from onevault.log import get_log
from worker.calls import Calls, DatabaseAway

TICK_SECONDS: Final = 1.0

_log = get_log("worker.clock")


class Clock:
    """Ticks until it is cancelled."""

    def __init__(self, calls: Calls, on_work: Callable[[], None], on_tick: Callable[[], Awaitable[None]]) -> None:
        self._calls = calls
        self._on_work = on_work
        self._on_tick = on_tick

    async def run(self) -> None:
        """Listen and tick; after a lost connection listen anew."""
        while True:
            try:
                await self._calls.listen()
                while True:
                    await self._tick()
                    await self._hear()
            except DatabaseAway as error:
                _log.warning("clock_waits", error.__cause__)
                await asyncio.sleep(TICK_SECONDS)

    async def _tick(self) -> None:
        try:
            await self._calls.run_due_jobs()
        except psycopg.Error as error:
            _log.error("due_jobs_failed", error)
        try:
            await self._on_tick()
        except psycopg.Error as error:
            _log.error("due_keys_failed", error)

    async def _hear(self) -> None:
        async for _ in self._calls.notified(TICK_SECONDS):
            self._on_work()
