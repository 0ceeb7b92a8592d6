"""Couriers: each takes what is due off its queue, many at once, and tells SQL how each try ended.

SQL decides what is next, whether there is another try, and when. A worker that dies has lost nothing: what it held
shows again when its hold lapses, and goes out once more under the same id.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import psycopg

from onevault.envelope import OpenError
from onevault.log import get_log
from onevault.tokens import Secret
from worker.calls import Calls, DatabaseAway, DueEvent
from worker.keys import Opener
from worker.post import Answer
from worker.webhooks import TRY_SECONDS, Event, Sender

AT_ONCE: Final = 256
POLL_SECONDS: Final = 1.0
HOLD_SECONDS: Final = 30
_BACK_OFF_SECONDS: Final = 1.0

D = TypeVar("D")

_log = get_log("worker.courier")


class Courier(ABC, Generic[D]):
    """Delivers until it is stopped, so much at once."""

    def __init__(self, at_once: int, hold_seconds: int, try_seconds: float) -> None:
        self._at_once = at_once
        self._hold_seconds = hold_seconds
        self._try_seconds = try_seconds
        self._running: set[asyncio.Task[None]] = set()
        self._work = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Read and deliver until `stop` is called."""
        while not self._stopping:
            self._work.clear()
            room = self._at_once - len(self._running)
            due = await self._read(room) if room > 0 else []
            for one in due:
                task = asyncio.get_running_loop().create_task(self._deliver(one))
                self._running.add(task)
                task.add_done_callback(self._ended)
            if not due:
                await self._rest()

    def stop(self) -> None:
        """Read no more."""
        self._stopping = True
        self._work.set()

    async def finish(self, seconds: float) -> None:
        """Wait for tries that are under way; what is left then goes out again later, from another worker."""
        if self._running:
            await asyncio.wait(self._running, timeout=min(seconds, self._try_seconds))
        left = tuple(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._close()

    @abstractmethod
    async def _take(self, limit: int) -> list[D]:
        """Up to so much that is due."""

    @abstractmethod
    async def _deliver(self, due: D) -> None:
        """Try, and tell SQL."""

    @abstractmethod
    async def _close(self) -> None:
        """Nothing more will be tried."""

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _read(self, limit: int) -> list[D]:
        try:
            return await self._take(limit)
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("reading_waits", error.__cause__ or error)
            await asyncio.sleep(_BACK_OFF_SECONDS)
            return []

    def _hold_ends(self) -> float:
        """When what is read now shows again, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._hold_seconds

    async def _book(self, tell: Callable[[], Awaitable[None]], until: float) -> None:
        """Once the hold has lapsed another worker tries, and this one's word counts no more."""
        while True:
            try:
                await tell()
                return
            except DatabaseAway as error:
                _log.warning("booking_waits", error.__cause__)
                if asyncio.get_running_loop().time() > until:
                    return
            except psycopg.Error as error:
                _log.error("booking_refused", error)
                return
            await asyncio.sleep(_BACK_OFF_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._work.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("delivery_failed", error)


class EventCourier(Courier[DueEvent]):
    """Brings events to customers' endpoints."""

    def __init__(self, calls: Calls, opener: Opener, sender: Sender) -> None:
        super().__init__(AT_ONCE, HOLD_SECONDS, TRY_SECONDS)
        self._calls = calls
        self._opener = opener
        self._sender = sender

    async def _take(self, limit: int) -> list[DueEvent]:
        return await self._calls.read_webhooks(limit, HOLD_SECONDS)

    async def _deliver(self, due: DueEvent) -> None:
        until = self._hold_ends()
        secrets = self._open(due)
        if secrets:
            event = Event(due.event_id, due.endpoint, due.body.encode(), due.sent_at, secrets)
            answer = await self._sender.send(event)
        else:
            answer = Answer(None, "secret_does_not_open", 0)
        await self._book(lambda: self._calls.record_webhook(due, *answer[:4]), until)

    async def _close(self) -> None:
        await self._sender.close()

    def _open(self, due: DueEvent) -> list[Secret[bytes]]:
        opened = []
        for sealed, identity in zip(due.secrets, due.identities, strict=True):
            try:
                opened.append(Secret(self._opener.open(bytes(sealed), bytes(identity))))
            except OpenError as error:
                _log.error("webhook_secret_does_not_open", error)
        return opened
