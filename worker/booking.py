"""Booking: finished requests gather into batches; while the database is away they wait.

A waiting result keeps its place among the requests that a worker holds at once, so that their number is bounded: a
worker whose results all wait reads no more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg

from onevault.batcher import Batcher
from onevault.errors import unwind
from onevault.log import get_log
from worker.calls import DatabaseAway
from worker.shapes import Result

# Errors
#   NotBooked           the database refuses this result, again and again: somebody has to look

BATCH: Final = 64
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
_REFUSALS: Final = 3

_log = get_log("worker.booking")


class NotBooked(Exception):
    """The database is there and does not take this result."""


class Booker:
    """Books results, one statement at a time, each with everything that finished meanwhile."""

    def __init__(self, record: Callable[[list[Result]], Awaitable[list[bytes]]]) -> None:
        self._batcher: Batcher[Result, bytes] = Batcher(record, max_size=BATCH)

    async def book(self, result: Result) -> bytes:
        """The receipt (a JSON object). Waits as long as the database is away. Raises `NotBooked`."""
        pause = _FIRST_PAUSE_SECONDS
        refusals = 0
        while True:
            try:
                return await self._batcher.submit(result)
            except DatabaseAway as error:
                _log.warning("booking_waits", error.__cause__, request_id=result.request)
                unwind(error)
            except psycopg.Error as error:
                refusals += 1
                _log.error("booking_refused", error, request_id=result.request, number=refusals)
                if refusals >= _REFUSALS:
                    raise NotBooked from error
                unwind(error)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, no secret
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """Wait for what is being booked."""
        await self._batcher.close()
