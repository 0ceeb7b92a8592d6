"""The adaptive batcher: gathering, order, isolation of failures, cancellation, closing."""

from __future__ import annotations

import asyncio

import pytest

from onevault.batcher import Batcher, BatcherClosed, BatchMismatch


class Desk:
    """A run function whose batches are recorded and which waits until it is let go."""

    def __init__(self, *, open_: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.busy = 0
        self.busiest = 0
        self.gate = asyncio.Event()
        if open_:
            self.gate.set()

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await self.gate.wait()
        self.busy -= 1
        return [item * 10 for item in items]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_lone_caller_does_not_wait_for_others() -> None:
    desk = Desk(open_=True)
    assert await Batcher(desk).submit(1) == 10
    assert desk.batches == [[1]]


async def test_callers_gather_while_a_statement_is_in_flight() -> None:
    desk = Desk()
    batcher = Batcher(desk)
    first = asyncio.create_task(batcher.submit(1))
    await settle()
    others = [asyncio.create_task(batcher.submit(number)) for number in range(2, 8)]
    await settle()
    assert batcher.waiting == 6
    desk.gate.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40, 50, 60, 70]
    assert desk.batches == [[1], [2, 3, 4, 5, 6, 7]]


async def test_callers_of_one_moment_share_the_first_batch() -> None:
    desk = Desk(open_=True)
    batcher = Batcher(desk)
    assert await asyncio.gather(*(batcher.submit(number) for number in range(5))) == [0, 10, 20, 30, 40]
    assert desk.batches == [[0, 1, 2, 3, 4]]


async def test_a_batch_is_never_larger_than_max_size() -> None:
    desk = Desk(open_=True)
    batcher = Batcher(desk, max_size=4)
    results = await asyncio.gather(*(batcher.submit(number) for number in range(10)))
    assert results == [number * 10 for number in range(10)]
    assert [len(batch) for batch in desk.batches] == [4, 4, 2]


async def test_lanes_bound_the_statements_in_flight() -> None:
    desk = Desk()
    batcher = Batcher(desk, max_size=1, lanes=2)
    tasks = [asyncio.create_task(batcher.submit(number)) for number in range(6)]
    await settle()
    assert desk.batches == [[0], [1]]
    desk.gate.set()
    await asyncio.gather(*tasks)
    assert desk.busiest == 2


async def test_one_bad_item_does_not_fail_its_neighbours() -> None:
    calls: list[list[int]] = []

    async def run(items: list[int]) -> list[int]:
        calls.append(items)
        if 3 in items:
            raise ZeroDivisionError
        return items

    batcher = Batcher(run)
    results = await asyncio.gather(*(batcher.submit(number) for number in range(1, 6)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, BaseException)] == [1, 2, 4, 5]
    assert isinstance(results[2], ZeroDivisionError)
    assert calls == [[1, 2, 3, 4, 5], [1], [2], [3], [4], [5]]


async def test_a_caller_may_come_again_the_moment_it_was_answered() -> None:
    batcher = Batcher(Desk(open_=True))

    async def call_often(number: int) -> list[int]:
        return [await batcher.submit(number) for _ in range(10)]

    async with asyncio.timeout(5):
        assert await call_often(1) == [10] * 10
        assert [*await asyncio.gather(call_often(1), call_often(2))] == [[10] * 10, [20] * 10]


async def test_a_wrong_number_of_results_is_an_error_of_each_caller() -> None:
    async def run(items: list[int]) -> list[int]:
        return [*items, 0]

    results = await asyncio.gather(*(Batcher(run).submit(number) for number in range(2)), return_exceptions=True)
    assert all(isinstance(result, BatchMismatch) for result in results)


async def test_a_cancelled_caller_does_not_cancel_the_batch() -> None:
    desk = Desk()
    batcher = Batcher(desk)
    tasks = [asyncio.create_task(batcher.submit(number)) for number in (1, 2)]
    await settle()
    tasks[0].cancel()
    await settle()
    desk.gate.set()
    assert await tasks[1] == 20
    assert tasks[0].cancelled()


async def test_a_caller_cancelled_while_waiting_is_left_out() -> None:
    desk = Desk()
    batcher = Batcher(desk)
    tasks = [asyncio.create_task(batcher.submit(1))]
    await settle()
    tasks += [asyncio.create_task(batcher.submit(number)) for number in (2, 3)]
    await settle()
    tasks[1].cancel()
    await settle()
    desk.gate.set()
    assert await tasks[2] == 30
    assert desk.batches == [[1], [3]]


async def test_close_waits_for_what_was_submitted_and_refuses_the_rest() -> None:
    desk = Desk()
    batcher = Batcher(desk, max_size=1)
    tasks = [asyncio.create_task(batcher.submit(number)) for number in (1, 2)]
    await settle()
    closing = asyncio.create_task(batcher.close())
    await settle()
    assert not closing.done()
    with pytest.raises(BatcherClosed):
        await batcher.submit(3)
    desk.gate.set()
    await closing
    assert [task.result() for task in tasks] == [10, 20]


@pytest.mark.parametrize("arguments", [{"max_size": 0}, {"lanes": 0}])
async def test_impossible_sizes_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Batcher(Desk(), **arguments)


async def test_callers_of_one_moment_wait_for_nobody_however_long_it_is() -> None:
    desk = Desk()
    batcher = Batcher(desk, max_size=1)
    now = asyncio.get_running_loop().time()
    calls = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)
    assert batcher.waiting == 2
    assert batcher.oldest(now + 60) == 0.0, "no statement has begun: the process itself was held up"
    await settle()
    assert batcher.oldest(now + 60) > 59, "the second waits for the first one's statement"
    desk.gate.set()
    assert await asyncio.gather(*calls) == [10, 20]
    assert batcher.oldest(now + 60) == 0.0
