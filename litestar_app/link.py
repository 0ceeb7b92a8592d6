"""The front's half of the link: workers dial in, are given work or claim bodies, and send answers back.

The front listens at its gate: a unix socket, or TCP with TLS (gate.py, remote.py). Every worker keeps
one connection to it, on which many requests travel. Each side notices when the other one has died:

    worker dies, nothing sent to the customer yet   the message becomes visible again, another
                                                    worker claims the same ticket and answers
    worker dies, bytes were sent                    the stream ends with an error; a tombstone tells
                                                    the next worker how much, and it books that
    customer leaves, or the deadline passes         Cancel if claimed, a tombstone if not

A ticket that is neither waiting nor buried is answered with Gone("unknown_ticket").
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Final, Literal

from litestar_app.answers import Answer
from litestar_app.errors import GatewayError, ProviderFailed
from onevault.frames import Claim, Gone, Wake, Work, encode
from onevault.log import get_log

if TYPE_CHECKING:
    from litestar_app.connection import Link
    from litestar_app.gate import Gate

Reason = Literal["client_gone", "front_draining", "worker_lost"]
Release = Callable[[str, int, int, int], Awaitable[str]]
Return = Callable[[str, int, int], Awaitable[None]]

TOMBSTONE_SECONDS: Final = 3600.0
MOST_TOMBSTONES: Final = 100_000
_GOODBYE_SECONDS: Final = 2.0
_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Before each attempt to give a message back: together as long as a worker's hold on it."""

_WAKE: Final = encode(Wake())
_LOST: Final = (
    "The answer was made and booked, and was lost with the worker that had it. It is not made again by itself: "
    "send the call once more if you need it."
)

_log = get_log("front.link")


class Links:
    """All links of one front, the answers that wait, and the tombstones of those that do no more.

    `release` makes a message (queue, msg_id, read_ct, bytes delivered of its answer) visible again, unless it is
    "gone": its request has ended. `unused` does so with one that no worker has been given.
    """

    def __init__(self, gate: Gate, release: Release, unused: Return) -> None:
        self._gate = gate
        self._release = release
        self._return = unused
        self._answers: dict[bytes, Answer] = {}
        self._tombstones: OrderedDict[bytes, tuple[Reason, int, float]] = OrderedDict()
        self._links: list[Link] = []
        self._closing = False
        self._releasing: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def address(self) -> str:
        """What messages name as the place to bring the answer to."""
        return self._gate.address

    @property
    def workers(self) -> int:
        """Workers that are linked."""
        return len(self._links)

    @property
    def room(self) -> int:
        """Requests that the linked workers can be given now."""
        now = asyncio.get_running_loop().time()
        return sum(link.room(now) for link in self._links)

    @property
    def waiting(self) -> int:
        """Requests that wait for their answer."""
        return len(self._answers)

    @property
    def tombstones(self) -> int:
        """Requests that nobody waits for and that no worker has claimed yet."""
        return len(self._tombstones)

    async def open(self) -> None:
        """Listen for workers. Raises `LinkError`."""
        await self._gate.open(self)

    async def close(self) -> None:
        """Hang up on the workers and listen no more; what was written to them leaves before."""
        await self._gate.close()
        self._closing = True
        links = tuple(self._links)
        for link in links:
            link.close()
        goodbyes = [asyncio.create_task(link.lost.wait()) for link in links]
        if waiting := {*self._releasing, *goodbyes}:
            await asyncio.wait(waiting, timeout=_GOODBYE_SECONDS)
        for link, goodbye in zip(links, goodbyes, strict=True):
            goodbye.cancel()
            link.hang_up()
        await asyncio.sleep(0)

    async def idle(self) -> None:
        """Wait until no request waits for an answer."""
        await self._idle.wait()

    def expect(self, answer: Answer) -> None:
        """From now on a worker may claim this answer's ticket."""
        self._answers[answer.ticket] = answer
        self._idle.clear()

    def forget(self, answer: Answer, *, routed: bool) -> None:
        """The request is over: nobody may claim it any more.

        If it was routed and no worker has claimed it, the one that will is told why nobody waits.
        """
        if self._answers.pop(answer.ticket, None) is None:
            return
        if not self._answers:
            self._idle.set()
        if routed and answer.receipt is None and answer.link is None:
            self.bury(answer, "client_gone")

    def bury(self, answer: Answer, reason: Reason) -> None:
        """Keep what the next worker that claims this ticket must know."""
        now = asyncio.get_running_loop().time()
        self._tombstones.setdefault(answer.ticket, (reason, answer.delivered_text(), now + TOMBSTONE_SECONDS))
        while self._tombstones:
            oldest = next(iter(self._tombstones))
            if self._tombstones[oldest][2] > now and len(self._tombstones) <= MOST_TOMBSTONES:
                break
            del self._tombstones[oldest]

    def fail_all(self, make_error: Callable[[], GatewayError], reason: Reason) -> None:
        """End all that wait, such as when the time to drain is over."""
        for answer in tuple(self._answers.values()):
            if answer.link is None:
                self.bury(answer, reason)
            answer.cancel(make_error())

    def wake(self, count: int) -> None:
        """Tell as many workers as there is new work for, the least loaded first."""
        links = self._links
        if len(links) > 1:
            links = sorted(links, key=_load)[:count]
        for link in links:
            link.write(_WAKE)

    def hand_over(self, work: Work) -> None:
        """Give a decision that nobody else reads to the worker that has most room."""
        now = asyncio.get_running_loop().time()
        link = max(self._links, key=lambda link: link.room(now), default=None)
        if link is None:
            self._spawn(self._give_back_unused(work))
        else:
            link.hand_over(work, now)

    # What a link calls

    def add(self, link: Link) -> None:
        """A worker has said hello. One that has dialled anew has given up the connection that it had."""
        for other in self._links:
            if other is not link and link.name and other.name == link.name:
                other.hang_up()
        if link not in self._links:
            self._links.append(link)

    def claim(self, link: Link, claim: Claim) -> Answer | None:
        """The answer that this worker may work on, or None and it has been told why."""
        answer = self._answers.get(claim.ticket)
        if answer is None or (answer.over and claim.ticket in self._tombstones):
            # Its customer may not have heard of the end yet: the tombstone knows more than the answer.
            reason, delivered, _ = self._tombstones.get(claim.ticket, ("unknown_ticket", 0, 0.0))
        elif answer.over:
            reason, delivered = "client_gone", answer.delivered_text()
        elif answer.link is None:
            answer.link, answer.claim = link, claim
            return answer
        elif not _supersedes(claim, answer.claim):
            reason, delivered = "unknown_ticket", 0
        else:
            # The first worker let its hold on the message lapse: it is stuck, this one is not.
            answer.link.drop(answer)
            if answer.start_over():
                answer.link, answer.claim = link, claim
                return answer
            # This one books what was delivered until now, so nothing may follow it.
            self._break_off(answer)
            reason, delivered = "worker_lost", answer.delivered_text()
        link.write(encode(Gone(claim.ticket, reason, delivered)))
        return None

    def release(self, answer: Answer, claim: Claim) -> None:
        """Have the message of a request read by another worker: the one that has it may be stuck."""
        self._spawn(self._give_back(answer, claim, 0))

    def lost(self, link: Link, claimed: list[tuple[Answer, Claim]]) -> None:
        """A worker has died with these requests in hand."""
        if link in self._links:
            self._links.remove(link)
        if self._closing:
            return  # it is we who go: the worker books what it holds
        if claimed:
            _log.warning("worker_lost", count=len(claimed))
        for answer, claim in claimed:
            if not answer.start_over():
                self._break_off(answer)
            elif answer.over:
                self.bury(answer, "client_gone")
            delivered = answer.delivered_text() if answer.delivered else 0
            self._spawn(self._give_back(answer, claim, delivered))

    def _break_off(self, answer: Answer) -> None:
        self.bury(answer, "worker_lost")
        answer.fail(ProviderFailed("The answer broke off; what was sent is incomplete."))

    async def _give_back(self, answer: Answer, claim: Claim, delivered: int) -> None:
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            try:
                outcome = await self._release(claim.queue, claim.msg_id, claim.read_ct, delivered)
                break
            except Exception as error:  # noqa: BLE001 - most likely the database is away
                _log.warning("release_failed", error, queue=claim.queue)
        else:
            return  # it has become visible by itself meanwhile
        if outcome == "gone" and answer.link is None:
            answer.fail(ProviderFailed(_LOST))
        else:
            self.wake(1)

    async def _give_back_unused(self, work: Work) -> None:
        try:
            await self._return(work.queue, work.msg_id, 1)
        except Exception as error:  # noqa: BLE001 - it becomes visible by itself
            _log.warning("release_failed", error, queue=work.queue)
        self.wake(1)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)


def _supersedes(claim: Claim, held: Claim | None) -> bool:
    """Whether this is a later reading of the same message."""
    return (
        held is not None and (claim.queue, claim.msg_id) == (held.queue, held.msg_id) and claim.read_ct > held.read_ct
    )


def _load(link: Link) -> int:
    return len(link.claimed)
