"""Who may be asked once more when every candidate has failed.

A server that could not be reached, was overloaded or broke may answer a moment later; one that named a time is waited
for. Dead keys and refusals of the request itself are final, and so is an answer that nobody can read: making it may
have cost. Each candidate is asked twice at most, and all waiting together is bounded by the operator's patience and by
the customer's deadline: a call that took long before it failed is made again only if there is time for as long a call.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final, NamedTuple

from worker.running import Running
from worker.shapes import Attempt, Candidate, ErrorClass

_PAUSES: Final[dict[ErrorClass, float]] = {
    "connect": 0.1,
    "timeout": 0.1,
    "server_error": 0.5,
    "overloaded": 1.0,
    "rate_limited": 1.0,
}
"""Seconds until a server that named no time may have recovered, by what went wrong."""

_SPREAD: Final = 0.25
"""Up to so much longer, so that those who failed together do not come back together."""


class _Failed(NamedTuple):
    ready_at: float
    seconds: float
    candidate: Candidate


class SecondRound:
    """The failures of one request, in the order in which they may be over."""

    def __init__(self, run: Running, patience: float) -> None:
        self._run = run
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._failed: list[_Failed] = []
        self._noted: set[str] = set()

    def note(self, candidate: Candidate, attempt: Attempt) -> None:
        """This attempt failed; nothing of it has reached the customer."""
        if not self._patience:
            return
        pause = _PAUSES.get(attempt.error_class) if attempt.error_class is not None else None
        if pause is None or candidate.offer in self._noted or not _may_recover(attempt):
            return
        self._noted.add(candidate.offer)
        wait = max(pause, (attempt.retry_after_ms or 0) / 1000) * (1 + _SPREAD * random.random())  # noqa: S311 - no secret
        self._failed.append(_Failed(self._loop.time() + wait, attempt.latency_ms / 1000, candidate))

    async def next(self) -> Candidate | None:
        """The next one to ask again, when it is time; None if there is none or no time for it."""
        while self._failed:
            soonest = min(self._failed, key=lambda failed: failed.ready_at)
            self._failed.remove(soonest)
            wait = max(soonest.ready_at - self._loop.time(), 0)
            if wait > self._patience or self._loop.time() + wait + soonest.seconds >= self._run.deadline_at:
                continue
            self._patience -= wait
            await self._run.sleep(wait)
            return soonest.candidate if self._run.ending is None else None
        return None


def _may_recover(attempt: Attempt) -> bool:
    """Whether it said itself that it is in trouble, or said nothing."""
    status = attempt.http_status
    return attempt.error_class in ("connect", "timeout") if status is None else status >= 400
