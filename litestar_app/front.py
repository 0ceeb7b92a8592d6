"""The state of one front process: its road to SQL, its links to workers, and whether it drains."""

from __future__ import annotations

import asyncio
from typing import Final

import psycopg

from litestar_app.admission import Admission, Load
from litestar_app.auth import AddressBook, TokenDesk
from litestar_app.calls import Ask, Decision, Reads, Road
from litestar_app.errors import Draining, Overloaded
from litestar_app.gate import open_gate
from litestar_app.idempotency import KeyDesk
from litestar_app.lane import DatabaseAway
from litestar_app.link import Links
from litestar_app.metrics import Metrics
from litestar_app.rehash import Rehasher
from onevault.batcher import Batcher, BatcherClosed
from onevault.envelope import Keyring
from onevault.frames import MAX_FRAME_BYTES, Work
from onevault.log import get_log
from onevault.settings import Settings
from onevault.trim import keep_trimmed

LANES: Final = 1
# Handed over as a whole, a larger batch would have database and worker wait for each other in turns.
BATCH_SIZE: Final = 32

_log = get_log("front")


class Front:
    """What all requests of this process share. Made by `create_app`, opened in its lifespan."""

    def __init__(self, settings: Settings, keyring: Keyring, road: Road, reads: Reads) -> None:
        self.settings = settings
        self.body_limit = min(settings.body_limit_bytes, MAX_FRAME_BYTES - 1024)
        self.tokens = TokenDesk(keyring.peppers)
        self.keys = KeyDesk(keyring.retry_keys)
        self.rehash = Rehasher(reads.rehash_token, keyring.key_id)
        self.addresses = AddressBook(settings.trusted_proxies)
        self.metrics = Metrics()
        self.admission = Admission.of(settings)
        self.reads = reads
        self.links = Links(open_gate(settings), reads.reclaim_message, reads.return_message)
        self.draining = False
        self.failure: Exception | None = None
        """Why it could not open."""

        self._road = road
        self._batcher = Batcher(self._route, max_size=BATCH_SIZE, lanes=LANES)
        self._last_call: asyncio.TimerHandle | None = None
        self._trimming: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen for workers and begin to connect. Raises `LinkError`."""
        await self.links.open()
        await self.reads.open()
        self._trimming = asyncio.create_task(keep_trimmed())
        _log.info("front_open", address=self.links.address)

    def drain(self) -> None:
        """Take no new requests; give those that run the drain time, then end them."""
        if self.draining:
            return
        self.draining = True
        _log.info("front_draining", waiting=self.links.waiting)
        loop = asyncio.get_running_loop()
        self._last_call = loop.call_later(self.settings.drain_timeout_seconds, self._end_all)

    async def close(self) -> None:
        """Drain, then hang up on workers and database."""
        self.drain()
        await self.links.idle()
        if self._last_call is not None:
            self._last_call.cancel()
        await self._batcher.close()
        await self.links.close()
        await self._road.close()
        await self.rehash.close()
        await self.reads.close()
        if self._trimming is not None:
            self._trimming.cancel()
        _log.info("front_closed")

    def enter(self) -> Load:
        """Let one call in, if there is room for it. Raises `Overloaded`."""
        now = asyncio.get_running_loop().time()
        return self.admission.enter(self._batcher.oldest(now), now)

    @property
    def held(self) -> dict[str, int]:
        """What this front holds, by the names that metrics give it."""
        books = self.admission
        return {
            "calls": books.calls, "body_bytes": books.body_bytes, "answer_bytes": books.answer_bytes,
            "undecided": self._batcher.waiting, "tombstones": self.links.tombstones,
        }  # fmt: skip

    async def decide(self, ask: Ask) -> Decision:
        """Have SQL decide about one request. Raises `Overloaded`, `Draining`."""
        try:
            decision = await self._batcher.submit(ask)
        except BatcherClosed:
            raise Draining from None
        except psycopg.OperationalError as error:
            # Waited too long for a lock or a statement: nothing was decided, nothing is reserved.
            _log.warning("route_refused", error)
            raise Overloaded from error
        if decision is None:
            raise Overloaded
        return decision

    async def _route(self, asks: list[Ask]) -> list[Decision | None]:
        links = self.links
        try:
            decisions = await self._road.route(asks, links.address, notify=links.workers == 0, room=links.room)
        except DatabaseAway:
            return [None] * len(asks)
        self.metrics.batch(len(asks))
        queued = 0
        for ask, decision in zip(asks, decisions, strict=True):
            if decision.work is not None:
                links.hand_over(_work(ask, decision, decision.work))
            elif decision.status == "routed":
                queued += 1
        if queued:
            links.wake(queued)
        return list(decisions)

    def _end_all(self) -> None:
        _log.warning("drain_time_over", waiting=self.links.waiting)
        self.links.fail_all(Draining, "front_draining")


def _work(ask: Ask, decision: Decision, message: str) -> Work:
    assert decision.queue is not None
    assert decision.msg_id is not None
    assert decision.left_ms is not None
    return Work(bytes.fromhex(ask.ticket), decision.queue, decision.msg_id, message, decision.left_ms)
