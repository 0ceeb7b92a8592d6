"""A second provider is asked when the first one says nothing for long: one answer, both booked, nobody left calling.

Mutants: a loser that goes on at its provider; a race that ends with the first failure; a second call though the first
one has spoken, or has failed by itself; a loser that is booked as a failure.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from onevault.frames import Cancel
from tests_py.providers.fake import FakeProvider
from tests_py.worker.house import Answer, House, open_house
from tests_py.worker.test_road import named


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
async def house(place: Path) -> AsyncIterator[House]:
    async with open_house(place) as opened:
        yield opened


def ask(house: House, fake: FakeProvider, *behaviours: str, after_ms: int = 50, stream: bool = False) -> Answer:
    """Ask the first, after a while the second as well; those after them wait."""
    return house.ask(*(named(fake, behaviour) for behaviour in behaviours), stream=stream, hedge_ms=after_ms)


async def attempts(house: House) -> list[tuple[str, str, str | None]]:
    """Whom was called, and what came of it, as it is booked."""
    made = (await house.result()).attempts
    assert [attempt.number for attempt in made] == [1, 2, 3][: len(made)]
    return [(bytes.fromhex(attempt.offer).decode(), attempt.outcome, attempt.error_class) for attempt in made]


async def until_broken_off(fake: FakeProvider, behaviour: str) -> None:
    async with asyncio.timeout(5):
        while not all(seen.broken_off for seen in fake.seen if seen.behaviour == behaviour):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("stream", [False, True])
async def test_the_second_answers_for_a_slow_first(house: House, fake: FakeProvider, *, stream: bool) -> None:
    answer = ask(house, fake, "hang", "ok", stream=stream)
    receipt = await answer.wait()
    assert (receipt["status"], "error" in receipt) == ("SUCCESS", False)
    assert [head.provider for head in answer.heads] == ["ok"]
    if not stream:
        assert json.loads(answer.data)["choices"][0]["message"]["content"] == fake.text
    result = await house.result()
    first, second = result.attempts
    assert await attempts(house) == [("hang", "CANCELLED", "outrun"), ("ok", "SUCCESS", None)]
    assert first.latency_ms >= 50
    assert first.latency_ms >= second.latency_ms
    assert second.first_byte_ms is not None
    assert result.first_byte_ms is not None
    assert result.first_byte_ms >= 50, "counted from the claim, not from the second call"
    assert second.usage is not None
    await until_broken_off(fake, "hang")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_first_goes_on_if_it_speaks_first(house: House, fake: FakeProvider, *, stream: bool) -> None:
    receipt = await ask(house, fake, "slow-300", "hang", stream=stream).wait()
    assert (receipt["status"], fake.count("hang")) == ("SUCCESS", 1)
    assert await attempts(house) == [("slow-300", "SUCCESS", None), ("hang", "CANCELLED", "outrun")]
    await until_broken_off(fake, "hang")


@pytest.mark.parametrize("stream", [False, True])
async def test_nobody_else_is_asked_in_time(house: House, fake: FakeProvider, *, stream: bool) -> None:
    await ask(house, fake, "ok", "hang", after_ms=3000, stream=stream).wait()
    assert await attempts(house) == [("ok", "SUCCESS", None)]
    assert fake.count("hang") == 0


async def test_a_stream_that_has_begun_is_not_hedged(house: House, fake: FakeProvider) -> None:
    await ask(house, fake, "pace-60", "ok", after_ms=300, stream=True).wait()
    assert await attempts(house) == [("pace-60", "SUCCESS", None)]


async def test_who_only_cleared_his_throat_is_outrun(house: House, fake: FakeProvider) -> None:
    """The head and the role have come, and no word."""
    answer = ask(house, fake, "hang-after-1", "ok", stream=True)
    await answer.wait()
    assert await attempts(house) == [("hang-after-1", "CANCELLED", "outrun"), ("ok", "SUCCESS", None)]
    await until_broken_off(fake, "hang-after-1")


async def test_a_failure_is_followed_at_once(house: House, fake: FakeProvider) -> None:
    await ask(house, fake, "status-500", "ok", after_ms=3000).wait()
    assert await attempts(house) == [("status-500", "ERROR", "server_error"), ("ok", "SUCCESS", None)]


async def test_a_second_goes_on_when_the_first_fails(house: House, fake: FakeProvider) -> None:
    receipt = await ask(house, fake, "late-500", "slow-600").wait()
    assert receipt["status"] == "SUCCESS"
    assert await attempts(house) == [("late-500", "ERROR", "server_error"), ("slow-600", "SUCCESS", None)]


async def test_a_second_that_fails_costs_nothing(house: House, fake: FakeProvider) -> None:
    receipt = await ask(house, fake, "slow-300", "status-500").wait()
    assert receipt["status"] == "SUCCESS"
    assert await attempts(house) == [("slow-300", "SUCCESS", None), ("status-500", "ERROR", "server_error")]


async def test_when_both_fail_the_third_is_tried(house: House, fake: FakeProvider) -> None:
    receipt = await ask(house, fake, "late-500", "status-529", "ok").wait()
    assert receipt["status"] == "SUCCESS"
    assert await attempts(house) == [
        ("late-500", "ERROR", "server_error"), ("status-529", "ERROR", "overloaded"), ("ok", "SUCCESS", None)
    ]  # fmt: skip


async def test_a_winner_that_breaks_off_is_not_replaced(house: House, fake: FakeProvider) -> None:
    answer = ask(house, fake, "hang", "cut-after-4", "ok", stream=True)
    receipt = await answer.wait()
    assert receipt["error"]["code"] == "provider_error"
    assert b"there," in answer.data
    assert await attempts(house) == [("hang", "CANCELLED", "outrun"), ("cut-after-4", "ERROR", "truncated_stream")]


async def test_a_customer_who_hangs_up_ends_both(house: House, fake: FakeProvider) -> None:
    answer = ask(house, fake, "hang", "hang-after-0", stream=True)
    async with asyncio.timeout(5):
        while fake.count("hang-after-0") == 0:
            await asyncio.sleep(0.01)
    house.tell(answer, Cancel)
    await answer.wait()
    assert {made[1:] for made in await attempts(house)} == {("CANCELLED", "client_gone")}
    for behaviour in ("hang", "hang-after-0"):
        await until_broken_off(fake, behaviour)
