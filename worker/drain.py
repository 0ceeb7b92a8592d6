"""The drain: starts decided requests, as many at once as it may hold.

A front gives it those that nobody waits before, as read and with their bodies. The others it reads off the queue when a
hint says that there is work (a `Wake` from a front, a notification from the database), and at least every 250 ms
without one. Until the booking it keeps a message invisible to others by renewing its hold, and tells how far a stream
has got, so that what flowed is known if this worker and the front are both lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Final, NamedTuple

import msgspec
import psycopg

from onevault.frames import Work
from onevault.log import get_log
from worker.calls import Calls, DatabaseAway, ReadMessage, Receipt, Report
from worker.connection import Listener
from worker.link import FrontGone, FrontUnreachable, Link, Links
from worker.road import Road
from worker.running import Running
from worker.shapes import Delivery, decode_message

READ_AT_ONCE: Final = 64
POLL_SECONDS: Final = 0.25
HOLD_SECONDS: Final = 30
RENEW_AFTER_SECONDS: Final = 5.0
FIRST_RENEWAL_SECONDS: Final = 1.0
"""After which what was handed over is held as what is read: until then SQL has hidden it for five."""
TELL_AFTER_SECONDS: Final = 1.0
CLAIM_SECONDS: Final = 15.0
_BACK_OFF_SECONDS: Final = 1.0
_UNREACHABLE_SECONDS: Final = 2
_LAST_BOOKING_SECONDS: Final = 2.0

_log = get_log("worker.drain")


class Limits(NamedTuple):
    """How many requests are held at once, and how long a stop waits for them (seconds)."""

    concurrency: int
    stop_seconds: float


class Drain:
    """Everything between the queue and the road."""

    def __init__(self, calls: Calls, links: Links, limits: Limits) -> None:
        self._calls = calls
        self._links = links
        self._limits = limits
        self._running: set[Running] = set()
        self._beside: set[asyncio.Task[None]] = set()
        self._work = asyncio.Event()
        self._stopping = False
        self._full = False
        self._renewing = False
        self._road: Road | None = None
        links.listen(Listener(self.wake, self.take))
        links.on_stray(self.ended)

    def use_road(self, road: Road) -> None:
        """The road that requests are sent on; it reports each one's end to `ended`."""
        self._road = road

    def wake(self) -> None:
        """There may be work."""
        self._work.set()

    def take(self, link: Link, work: Work) -> None:
        """A front gives a request that nobody else has read; its body follows."""
        receipt = Receipt(work.queue, work.msg_id, 1)
        if self._stopping or len(self._running) >= self._limits.concurrency:
            self._spawn(self._give_back([receipt], 0))
        elif (run := self._make(receipt, work.message, left_ms=work.left_ms)) is not None:
            run.renew_early = True
            link.adopt(run)

    def ended(self, run: Running) -> None:
        """A request is over."""
        self._running.discard(run)
        if run.link is not None:
            run.link.release(run)
        if self._full:
            self._work.set()

    async def tell(self, run: Running) -> None:
        """Have SQL know which offer is called next. A database that is away keeps nobody from being called."""
        try:
            await self._calls.renew_messages([_report(run)], HOLD_SECONDS)
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("renewal_failed", error.__cause__ or error, count=1)

    @property
    def held(self) -> int:
        """Requests that are held now."""
        return len(self._running)

    async def run(self) -> None:
        """Read and start until `stop` is called."""
        if not self._stopping:
            self._links.offer_room(self._limits.concurrency)
        while not self._stopping:
            self._work.clear()
            limit = self._links.allowance(min(self._limits.concurrency - len(self._running), READ_AT_ONCE))
            self._full = limit <= 0
            if not self._full:
                messages = await self._read(limit)
                self._start(messages)
                # SQL keeps a share of each reading for lower tiers, so a full one need not reach the limit.
                if len(messages) * 2 >= limit:
                    continue
            await self._work.wait()

    def stop(self) -> None:
        """Read no more, and take no more."""
        self._stopping = True
        self._links.offer_room(0)
        self._work.set()

    async def finish(self) -> None:
        """Wait for what is running, as long as the limits allow, and abandon what is left then.

        Abandoned requests are not booked: their fronts see this worker go and give them to another.
        """
        if not await self._empty(self._limits.stop_seconds):
            _log.warning("drain_cut_short", running=len(self._running))
            for run in tuple(self._running):
                run.abandon()
            await self._empty(_LAST_BOOKING_SECONDS)

    async def _empty(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._running or self._beside:
            if loop.time() >= until:
                return False
            await asyncio.sleep(0.02)
        return True

    def check(self, now: float) -> None:
        """Called several times a second: look for late requests, renew holds that grow old."""
        old: list[Running] = []
        for run in tuple(self._running):
            run.check_time(now)
            if run.link is not None and run.body is None and now - run.claimed_at > CLAIM_SECONDS:
                run.end("front_gone")
            silent = now - run.renewed_at
            if silent > (FIRST_RENEWAL_SECONDS if run.renew_early else RENEW_AFTER_SECONDS) or (
                silent > TELL_AFTER_SECONDS and run.output_bytes > run.told_bytes
            ):
                old.append(run)
        if old and not self._renewing:
            self._renewing = True
            self._spawn(self._renew(old, now))

    async def _read(self, limit: int) -> list[ReadMessage]:
        try:
            messages = await self._calls.read_messages(limit, HOLD_SECONDS)
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("reading_waits", error.__cause__ or error)
            await asyncio.sleep(_BACK_OFF_SECONDS)
            return []
        if self._stopping and messages:
            await self._give_back([message.receipt for message in messages], 0)
            return []
        return messages

    def _start(self, messages: Sequence[ReadMessage]) -> None:
        for receipt, text, read_at_ms in messages:
            run = self._make(receipt, text, read_at_ms=read_at_ms)
            if run is None:
                continue
            link = self._links.get(run.delivery.message.reply_to)
            if link is not None:
                self._claim(link, run)
            else:
                self._spawn(self._dial(run))

    def _make(self, receipt: Receipt, text: str, *, read_at_ms: int | None = None, left_ms: int = 0) -> Running | None:
        """The request of a message, whose time is given by the database's clock or by what is left of it."""
        assert self._road is not None
        try:
            decision = decode_message(text)
            bytes.fromhex(decision.ticket)
        except (msgspec.MsgspecError, ValueError) as error:
            # It is read again until SQL buries it and gives back what it holds.
            _log.error("message_malformed", error, queue=receipt.queue, read_ct=receipt.read_ct)
            return None
        if read_at_ms is None:
            read_at_ms = decision.deadline_ms - left_ms
        run = Running(Delivery(*receipt, decision, read_at_ms), self._road.serve)
        self._running.add(run)
        return run

    def _claim(self, link: Link, run: Running) -> None:
        known = link.find(run.ticket)
        if known is None:
            link.claim(run)
        else:
            # Our own hold had lapsed; the newer receipt is now the one that books.
            known.delivery = run.delivery
            known.readings += 1
            self._running.discard(run)

    async def _dial(self, run: Running) -> None:
        try:
            link = await self._links.reach(run.delivery.message.reply_to)
        except FrontGone:
            run.end("front_gone")
        except FrontUnreachable:
            _log.warning("front_unreachable", read_ct=run.delivery.read_ct)
            self._running.discard(run)
            await self._give_back([_receipt(run.delivery)], _UNREACHABLE_SECONDS)
        else:
            if self._stopping:
                self._running.discard(run)
                await self._give_back([_receipt(run.delivery)], 0)
            else:
                self._claim(link, run)

    async def _renew(self, runs: list[Running], now: float) -> None:
        reports = [_report(run) for run in runs]
        try:
            await self._calls.renew_messages(reports, HOLD_SECONDS)
            for run, report in zip(runs, reports, strict=True):
                run.renewed_at = now
                run.renew_early = False
                run.told_bytes = report.output_bytes
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("renewal_failed", error.__cause__ or error, count=len(runs))
        finally:
            self._renewing = False

    async def _give_back(self, receipts: list[Receipt], seconds: int) -> None:
        try:
            await self._calls.return_messages(receipts, seconds)
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("giving_back_failed", error.__cause__ or error, count=len(receipts))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)


def _report(run: Running) -> Report:
    message = run.delivery.message
    offer, key = (None, None) if run.attempt is None else (run.attempt.offer, run.attempt.key)
    return Report(*_receipt(run.delivery), message.request, message.customer, offer, run.output_bytes, key)


def _receipt(delivery: Delivery) -> Receipt:
    return Receipt(delivery.queue, delivery.msg_id, delivery.read_ct)
