"""Two calls for one answer: when the first takes longer than nearly all do, a second provider is asked as well.

Whoever has something to say first goes on to the end, and the other is ended; both are booked. Which call is hedged,
after how long and by whom, says SQL (`worker.shapes.Hedge`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from worker.providers.base import Call, CallFailed, Provider
from worker.running import Running
from worker.shapes import Attempt, Candidate


class Lane:
    """One of the calls, and where it writes: nothing it says reaches the customer unless it is the first to speak."""

    def __init__(self, run: Running, provider: Provider, call: Call, attempt: Attempt) -> None:
        self._run = run
        self._provider = provider
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._decided: asyncio.Future[Lane] | None = None
        self._begun_at = self._ended_at = self._loop.time()
        self._heard_at: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.attempt: Final = attempt

    @property
    def candidate(self) -> Candidate:
        return self._call.candidate

    @property
    def failure(self) -> CallFailed | None:
        """What its call came to by itself, if that is nothing."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        error = self._task.exception()
        return error if error is None or isinstance(error, CallFailed) else CallFailed("server_error")

    @property
    def has_answered(self) -> bool:
        return self._task is not None and self._task.done() and not self._task.cancelled() and self.failure is None

    def begin(self, decided: asyncio.Future[Lane]) -> asyncio.Task[None]:
        """Make the call; `decided` is told who speaks first."""
        self._decided = decided
        self._begun_at = self._loop.time()
        self._task = self._loop.create_task(self._provider.call(self._call, self.attempt, self))
        self._task.add_done_callback(self._note_end)
        return self._task

    def win(self) -> None:
        """From now on this is the call that counts, unless the other is already."""
        assert self._decided is not None
        if not self._decided.done():
            self._decided.set_result(self)
            plain = self._run.body is not None and not self._run.body.stream
            self._run.adopt(self.attempt, self.candidate, self._begun_at, self._heard_at if plain else None)

    async def end(self) -> None:
        """Stop the call, if it goes on, and wait until it has stopped."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    def book_loss(self, failure: CallFailed | None) -> None:
        """Complete the attempt of a call that was not the one that counts; `failure` is that one's, if it failed."""
        own = self.failure
        if own is not None:
            self.attempt.error_class = own.error_class
        elif failure is not None and not self._run.delivered:
            self.attempt.outcome, self.attempt.error_class = "CANCELLED", failure.error_class
        else:
            self.attempt.outcome, self.attempt.error_class = "CANCELLED", "outrun"
        self.attempt.latency_ms = max(0, round((self._ended_at - self._begun_at) * 1000))

    # What the adapter writes (see worker.providers.base.Output)

    def alive(self) -> None:
        if self._has_won:
            self._run.alive()
        elif self._heard_at is None:
            self._heard_at = self._loop.time()

    async def send(self, data: bytes) -> None:
        self.win()
        if not self._has_won:
            raise asyncio.CancelledError
        await self._run.send(data)

    def hold(self, last: bytes) -> None:
        if self._has_won:
            self._run.hold(last)

    @property
    def _has_won(self) -> bool:
        return self._decided is not None and self._decided.done() and self._decided.result() is self

    def _note_end(self, _: asyncio.Task[None]) -> None:
        self._ended_at = self._loop.time()


class Rival:
    """The second call of a hedged request: `make` gives it after so many seconds, or None if it cannot be made."""

    def __init__(self, after: float, make: Callable[[], Awaitable[Lane | None]]) -> None:
        self._after = after
        self._make = make
        self._lanes: list[Lane] = []

    async def race(self, first: Lane) -> None:
        """The first call, and the second if it is time for it, until one has answered.

        Raises what the first one raised if none answers, and what the one that spoke raised if it broke off.
        """
        decided: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._lanes.append(first)
        try:
            calls: list[asyncio.Future[Any]] = [first.begin(decided)]
            await asyncio.wait({*calls, decided}, timeout=self._after, return_when=asyncio.FIRST_COMPLETED)
            if not decided.done() and not calls[0].done():
                second = await self._make()
                if second is not None:
                    self._lanes.append(second)
                    calls.append(second.begin(decided))
            while not decided.done() and (running := [call for call in calls if not call.done()]):
                await asyncio.wait({*running, decided}, return_when=asyncio.FIRST_COMPLETED)
                for lane in self._lanes:
                    if lane.has_answered:
                        lane.win()
            counted = self._lanes.index(decided.result()) if decided.done() else 0
            for number, lane in enumerate(self._lanes):
                if number != counted:
                    await lane.end()
            await calls[counted]
        finally:
            for lane in self._lanes:
                await lane.end()

    def book_losses(self, counted: Attempt, failure: CallFailed | None) -> None:
        """Complete the attempts that are not the one that counts."""
        for lane in self._lanes:
            if lane.attempt is not counted:
                lane.book_loss(failure)
