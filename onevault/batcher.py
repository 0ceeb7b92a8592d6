"""An adaptive batcher: while one statement is in flight, the next callers gather.

An idle system adds no wait, because the first caller's statement starts at once; a busy one shares statements and
commits, because everybody who came meanwhile goes along in the next one. There is no timer and nothing to tune but the
largest batch and the number of lanes (statements in flight at the same time).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

# Errors
#   BatcherClosed         submitted after close()
#   BatchMismatch         the run function gave back another number of results than it was given items

T = TypeVar("T")
R = TypeVar("R")


class BatcherClosed(Exception):
    """The batcher takes no more items."""


class BatchMismatch(Exception):
    """A run gave back another number of results than it was given items."""


class Batcher(Generic[T, R]):
    """Runs items in batches of at most `max_size`, at most `lanes` batches at a time, in order of arrival.

    `run` takes a list of items and gives a list of results of the same length and order. When it raises for a batch of
    more than one, each item is run alone, so that one bad item never fails its neighbours; an exception of an item that
    is alone goes to its caller.
    """

    def __init__(self, run: Callable[[list[T]], Awaitable[list[R]]], *, max_size: int = 64, lanes: int = 1) -> None:
        if max_size < 1 or lanes < 1:
            raise ValueError("a batcher needs a max_size and lanes of at least 1")
        self._run = run
        self._max_size = max_size
        self._waiting: deque[tuple[T, asyncio.Future[R], float]] = deque()
        self._idle_lanes = lanes
        self._in_flight = 0
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def waiting(self) -> int:
        """Items that no statement has taken yet."""
        return len(self._waiting)

    def oldest(self, now: float) -> float:
        """Seconds that the caller who came first of those who wait has waited; `now` by the loop's clock.

        While no statement is in flight nobody waits for one: they only have come in the same moment, however long.
        """
        return now - self._waiting[0][2] if self._waiting and self._in_flight else 0.0

    async def submit(self, item: T) -> R:
        """Give the item's result. A cancelled caller leaves the batch it is in untouched. Raises `BatcherClosed`."""
        if self._closed:
            raise BatcherClosed("the batcher is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future, loop.time()))
        if self._idle_lanes:
            self._idle_lanes -= 1
            # The task begins after the callbacks that are ready now: callers of the same moment share its first batch.
            task = loop.create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def close(self) -> None:
        """Refuse new items and wait until everything submitted before has its result."""
        self._closed = True
        while self._running:
            await asyncio.wait(tuple(self._running))

    async def _work(self) -> None:
        try:
            while batch := self._take():
                await self._run_batch(batch)
        finally:
            # In one step with finding nobody waiting: whoever comes from now on starts a lane of his own.
            self._idle_lanes += 1

    async def _run_batch(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        self._in_flight += 1
        try:
            results = await self._run_checked([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to a caller
            if len(batch) == 1:
                _fail(batch[0][1], error)
            else:
                await self._run_alone(batch)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
        finally:
            self._in_flight -= 1

    def _take(self) -> list[tuple[T, asyncio.Future[R]]]:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        while self._waiting and len(batch) < self._max_size:
            item, future, _ = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    async def _run_alone(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        for item, future in batch:
            if future.done():
                continue
            try:
                (result,) = await self._run_checked([item])
            except Exception as error:  # noqa: BLE001 - as above
                _fail(future, error)
            else:
                if not future.done():
                    future.set_result(result)

    async def _run_checked(self, items: list[T]) -> list[R]:
        results = await self._run(items)
        if len(results) != len(items):
            raise BatchMismatch(f"{len(items)} items gave {len(results)} results")
        return results


def _fail(future: asyncio.Future[R], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
