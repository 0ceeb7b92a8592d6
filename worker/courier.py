"""The courier: takes events that are due off their queue, many at once, and tells SQL how each try ended.

SQL decides who is next, whether there is another try, and when. A worker that dies has lost nothing: what it held shows
again when its hold lapses, and goes out once more under the same id.
"""

from __future__ import annotations

import asyncio
from typing import Final

import psycopg

from onevault.envelope import OpenError
from onevault.log import get_log
from onevault.tokens import Secret
from worker.calls import Calls, DatabaseAway, DueEvent
from worker.keys import Opener
from worker.webhooks import TRY_SECONDS, Event, Outcome, Sender

AT_ONCE: Final = 256
POLL_SECONDS: Final = 1.0
HOLD_SECONDS: Final = 30
_BACK_OFF_SECONDS: Final = 1.0

_log = get_log("worker.courier")


class Courier:
    """Delivers until it is stopped."""

    def __init__(self, calls: Calls, opener: Opener, sender: Sender) -> None:
        self._calls = calls
        self._opener = opener
        self._sender = sender
        self._running: set[asyncio.Task[None]] = set()
        self._work = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Read and deliver until `stop` is called."""
        while not self._stopping:
            self._work.clear()
            room = AT_ONCE - len(self._running)
            events = await self._read(room) if room > 0 else []
            for event in events:
                task = asyncio.get_running_loop().create_task(self._deliver(event))
                self._running.add(task)
                task.add_done_callback(self._ended)
            if not events:
                await self._rest()

    def stop(self) -> None:
        """Read no more."""
        self._stopping = True
        self._work.set()

    async def finish(self, seconds: float) -> None:
        """Wait for tries that are under way; what is left then goes out again later, from another worker."""
        if self._running:
            await asyncio.wait(self._running, timeout=min(seconds, TRY_SECONDS))
        left = tuple(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._sender.close()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _read(self, limit: int) -> list[DueEvent]:
        try:
            return await self._calls.read_webhooks(limit, HOLD_SECONDS)
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("reading_waits", error.__cause__ or error)
            await asyncio.sleep(_BACK_OFF_SECONDS)
            return []

    async def _deliver(self, due: DueEvent) -> None:
        until = asyncio.get_running_loop().time() + HOLD_SECONDS
        secrets = self._open(due)
        if secrets:
            event = Event(due.event_id, due.endpoint, due.body.encode(), due.sent_at, secrets)
            outcome = await self._sender.send(event)
        else:
            outcome = Outcome(None, "secret_does_not_open", 0)
        await self._book(due, outcome, until)

    async def _book(self, due: DueEvent, outcome: Outcome, until: float) -> None:
        """Once the hold has lapsed another worker tries, and this one's word counts no more."""
        while True:
            try:
                await self._calls.record_webhook(due, *outcome)
                return
            except DatabaseAway as error:
                _log.warning("booking_waits", error.__cause__)
                if asyncio.get_running_loop().time() > until:
                    return
            except psycopg.Error as error:
                _log.error("booking_refused", error)
                return
            await asyncio.sleep(_BACK_OFF_SECONDS)

    def _open(self, due: DueEvent) -> list[Secret[bytes]]:
        opened = []
        for sealed, identity in zip(due.secrets, due.identities, strict=True):
            try:
                opened.append(Secret(self._opener.open(bytes(sealed), bytes(identity))))
            except OpenError as error:
                _log.error("webhook_secret_does_not_open", error)
        return opened

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._work.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("delivery_failed", error)
