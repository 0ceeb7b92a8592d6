"""One connection to the database that mends itself.

DatabaseAway       no answer from the database; nothing is known about the statement's fate
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, AsyncCursor

from onevault.connections import leaves_unusable
from onevault.log import get_log

FIRST_CONNECT_SECONDS: Final = 0.8
STATEMENT_SECONDS: Final = 5.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
CONNECTION: Final[dict[str, Any]] = {
    "connect_timeout": 2,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "onevault front",
}

_log = get_log("front.database")


class DatabaseAway(Exception):
    """The database cannot be reached, or did not answer in time."""


class Lane:
    """One self-mending connection in autocommit mode, for one statement at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection[Any] | None = None
        self._cursor: AsyncCursor[Any] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._away = False

    async def execute(self, query: str, parameters: Sequence[Any], *, again: bool = True) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows. Raises `DatabaseAway`, or psycopg's error.

        A statement whose connection broke is run once more on a new one, because a restarted server
        is the common case. That is safe for the road: a request routed twice has one ticket, and
        the front answers only one claim on it. `again` false runs it once.
        """
        for last in (False, True) if again else (True,):
            cursor = self._cursor or await self._ready()
            loop = asyncio.get_running_loop()
            alarm = loop.call_later(STATEMENT_SECONDS, self._hang_up)
            try:
                await cursor.execute(query, parameters, prepare=True)
                return await cursor.fetchall()
            except BaseException as error:
                if not cursor.connection.closed and not leaves_unusable(error):
                    raise
                self._cursor = self._connection = None
                await cursor.connection.close()
                if not isinstance(error, psycopg.Error):
                    raise
                _log.warning("connection_lost", error)
                timed_out = loop.time() >= alarm.when()
                if last or timed_out:
                    raise DatabaseAway from error
            finally:
                alarm.cancel()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the connection and stop mending it."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._connection is not None:
            await self._connection.close()
        self._cursor = self._connection = None

    async def _ready(self) -> AsyncCursor[Any]:
        """Wait a moment for the first attempt to connect, and not at all once one has failed."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        if not self._away:
            await asyncio.wait({self._connecting}, timeout=FIRST_CONNECT_SECONDS)
        if self._cursor is None:
            self._away = True
            raise DatabaseAway
        return self._cursor

    async def _connect(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                connection = await AsyncConnection.connect(self._dsn, autocommit=True, **CONNECTION)
            except psycopg.Error as error:
                self._away = True
                _log.warning("database_away", error, delay_ms=round(pause * 1000))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._connection = connection
                self._cursor = connection.cursor(binary=True)
                self._away = False
                return

    def _connected(self, _: asyncio.Task[None]) -> None:
        self._connecting = None

    def _hang_up(self) -> None:
        """End a statement that hangs by shutting its socket: libpq then sees the connection end."""
        if self._connection is not None and not self._connection.closed:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
