"""The drain: how much it holds, how it stops, how it keeps its hold on messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from onevault.frames import Wake
from tests_py.providers.fake import FakeProvider
from tests_py.worker.house import FakeFront, House, open_house
from tests_py.worker.kit import candidate
from worker.calls import DatabaseAway, ReadMessage, Receipt


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
async def house(place: Path) -> AsyncIterator[House]:
    async with open_house(place, concurrency=8) as opened:
        yield opened


async def until(condition: object, seconds: float = 5) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def test_it_holds_no_more_than_it_may(house: House, fake: FakeProvider) -> None:
    answers = [house.ask(candidate(fake.endpoint("slow-30"))) for _ in range(40)]
    most = 0
    while not all(answer.over.is_set() for answer in answers):
        most = max(most, house.drain.held)
        await asyncio.sleep(0.002)
    assert most == 8
    assert len(house.calls.results) == 40


async def test_claims_of_one_reading_leave_in_one_write(house: House, fake: FakeProvider) -> None:
    await house.ask(candidate(fake.endpoint("ok"))).wait()
    house.front.reads.clear()
    answers = [house.ask(candidate(fake.endpoint("ok"))) for _ in range(8)]
    await asyncio.gather(*(answer.wait() for answer in answers))
    assert house.front.reads[0] == 8


async def greeted(house: House, room: int = 8) -> None:
    """The front knows how much this worker takes."""
    house.links.greet_new_fronts()
    await until(lambda: house.front.rooms == [0, room])


async def test_what_is_handed_over_is_served_without_being_read(house: House, fake: FakeProvider) -> None:
    await greeted(house)
    readings = sum(house.calls.readings)
    answers = [house.ask(candidate(fake.endpoint("ok")), hand_over=True) for _ in range(8)]
    await asyncio.gather(*(answer.wait() for answer in answers))
    assert sum(house.calls.readings) == readings
    assert not any(answer.claims for answer in answers)
    assert house.front.pings >= 1, "the front knows that it has come"
    assert sorted((r.queue, r.msg_id, r.read_ct) for r in house.calls.results) == [
        ("standard", n, 1) for n in range(1, 9)
    ]


async def test_what_is_handed_over_is_held_before_it_shows_again(house: House, fake: FakeProvider) -> None:
    """Mutant: its hold is renewed when that of what was read is. It shows again after five seconds."""
    await greeted(house)
    begun = time.monotonic()
    answer = house.ask(candidate(fake.endpoint("slow-2500")), hand_over=True)
    await until(lambda: bool(house.calls.renewed))
    assert 0.9 < time.monotonic() - begun < 4
    (reports, seconds) = house.calls.renewed[0]
    assert [(report.msg_id, report.read_ct) for report in reports] == [(1, 1)]
    assert seconds == 30
    await answer.wait()


async def test_the_time_of_what_is_handed_over_is_what_is_left_of_it(house: House, fake: FakeProvider) -> None:
    await greeted(house)
    answer = house.ask(candidate(fake.endpoint("slow-5000")), hand_over=True, seconds=0.2)
    assert (await answer.wait())["status"] == "TIMEOUT"


async def test_what_is_too_much_is_given_back(house: House, fake: FakeProvider) -> None:
    await greeted(house)
    running = [house.ask(candidate(fake.endpoint("slow-250")), hand_over=True) for _ in range(8)]
    await until(lambda: house.drain.held == 8)
    late = house.ask(candidate(fake.endpoint("ok")), hand_over=True)
    await until(lambda: house.calls.returned == [([Receipt("standard", 9, 1)], 0)])
    await asyncio.gather(*(answer.wait() for answer in running))
    assert late.frames == []
    assert len(house.calls.results) == 8


async def test_fronts_share_the_room(house: House, place: Path) -> None:
    await greeted(house)
    other = FakeFront(place / "front-2-cd.sock")
    await other.open()
    house.links.greet_new_fronts()
    await until(lambda: other.rooms == [0, 4])
    await until(lambda: house.front.rooms == [0, 8, 4])
    other.hang_up()
    await until(lambda: house.front.rooms == [0, 8, 4, 8])


async def test_who_stops_takes_nothing_more(place: Path, fake: FakeProvider) -> None:
    async with open_house(place) as house:
        await greeted(house, 64)
        running = house.ask(candidate(fake.endpoint("slow-210")), hand_over=True)
        await until(lambda: fake.count("slow-210"))
        house.drain.stop()
        await until(lambda: house.front.rooms == [0, 64, 0])
        late = house.ask(candidate(fake.endpoint("ok")), hand_over=True)
        await until(lambda: house.calls.returned == [([Receipt("standard", 2, 1)], 0)])
        await house.drain.finish()
        assert running.receipt["status"] == "SUCCESS"
        assert late.frames == []


async def test_a_hint_is_enough(house: House, fake: FakeProvider) -> None:
    await house.ask(candidate(fake.endpoint("ok"))).wait()
    await asyncio.sleep(0.05)
    readings = len(house.calls.readings)
    house.front.send(Wake())
    await until(lambda: len(house.calls.readings) == readings + 1)


async def test_new_fronts_are_greeted(house: House, place: Path) -> None:
    front = FakeFront(place / "front-2-cd.sock")
    await front.open()
    house.links.greet_new_fronts()
    await until(lambda: front.hellos == ["worker-test"])
    house.links.greet_new_fronts()
    await asyncio.sleep(0.05)
    assert len(front.links) == 1
    front.hang_up()
    (place / "front-3-ef.sock").touch()
    house.links.greet_new_fronts()
    await asyncio.sleep(0.05)


async def test_a_front_of_another_machine_is_left_to_its_worker(house: House, fake: FakeProvider) -> None:
    house.ask(candidate(fake.endpoint("ok")), reply_to="unix:/elsewhere/front-9-ff.sock")
    house.ask(candidate(fake.endpoint("ok")), reply_to="tcp:other:1")
    await until(lambda: len(house.calls.returned) == 2)
    assert house.calls.results == []
    assert house.drain.held == 0
    assert sorted(house.calls.returned) == [([Receipt("standard", 1, 1)], 2), ([Receipt("standard", 2, 1)], 2)]


async def test_one_connection_however_many_dial(place: Path, fake: FakeProvider) -> None:
    async with open_house(place) as house:
        answers = [house.ask(candidate(fake.endpoint("ok"))) for _ in range(20)]
        await asyncio.gather(*(answer.wait() for answer in answers))
        assert house.front.hellos == ["worker-test"]


async def test_a_stop_lets_running_answers_finish(place: Path, fake: FakeProvider) -> None:
    async with open_house(place) as house:
        running = house.ask(candidate(fake.endpoint("slow-200")))
        await until(lambda: fake.count("slow-200"))
        house.drain.stop()
        late = house.ask(candidate(fake.endpoint("ok")))
        await house.drain.finish()
        assert running.receipt["status"] == "SUCCESS"
        assert not late.claims
        assert len(house.calls.waiting) == 1


async def test_what_was_read_during_a_stop_is_given_back(place: Path, fake: FakeProvider) -> None:
    async with open_house(place) as house:
        await asyncio.sleep(0.05)
        reading = house.calls.read_messages

        async def stop_while_reading(limit: int, seconds: int) -> list[ReadMessage]:
            house.drain.stop()
            return await reading(limit, seconds)

        house.calls.read_messages = stop_while_reading  # type: ignore[method-assign]
        answer = house.ask(candidate(fake.endpoint("ok")))
        await until(lambda: house.calls.returned)
        assert house.calls.returned == [([Receipt("standard", 1, 1)], 0)]
        assert not answer.claims


async def test_a_stop_does_not_wait_for_ever(place: Path, fake: FakeProvider) -> None:
    async with open_house(place, stop_seconds=0.1) as house:
        answer = house.ask(candidate(fake.endpoint("hang-after-3")), stream=True)
        await answer.wait_for_output()
        house.drain.stop()
        began = time.monotonic()
        await house.drain.finish()
        assert time.monotonic() - began < 1
        assert house.calls.results == [], "its front gives it to another worker"
        assert not answer.over.is_set()


async def test_holds_are_renewed(place: Path, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.drain.RENEW_AFTER_SECONDS", 0.1)
    async with open_house(place) as house:
        answer = house.ask(candidate(fake.endpoint("slow-500")))
        await answer.wait()
        assert 2 <= len(house.calls.renewed) <= 5
        ((report,), seconds) = house.calls.renewed[0]
        assert (report[:3], report.output_bytes, seconds) == (("standard", 1, 1), 0, 30)


async def test_a_stream_tells_how_far_it_got(place: Path, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.drain.TELL_AFTER_SECONDS", 0.1)
    async with open_house(place) as house:
        answer = house.ask(candidate(fake.endpoint("gated-after-3")), stream=True)
        try:
            await until(lambda: house.calls.renewed)
            ((report,), _) = house.calls.renewed[0]
        finally:
            fake.gate.set()
        await answer.wait()
        assert (report.offer, report.output_bytes > 0) == (candidate().offer, True)
        assert house.calls.results[0].attempts[0].output_bytes >= report.output_bytes


async def test_the_next_candidate_is_told_before_it_is_called(house: House, fake: FakeProvider) -> None:
    first, second = candidate(fake.endpoint("status-500")), candidate(fake.endpoint(), offer="ab" * 32)
    answer = house.ask(first, second)
    await answer.wait()
    assert [report.offer for reports, _ in house.calls.renewed for report in reports] == [second.offer]


async def test_a_message_read_again_here_is_booked_with_the_newer_receipt(house: House, fake: FakeProvider) -> None:
    answer = house.ask(candidate(fake.endpoint("slow-200")))
    message = house.calls.waiting[0].message
    await until(lambda: answer.claims)
    house.calls.waiting.append(ReadMessage(Receipt("standard", 1, 2), message, 0))
    house.drain.wake()
    await answer.wait()
    assert len(answer.claims) == 1
    assert (await house.result()).read_ct == 2


async def test_a_malformed_message_harms_nobody(house: House, fake: FakeProvider) -> None:
    for text in ("{", "{}", '{"request": 1}'):
        house.calls.waiting.append(ReadMessage(Receipt("standard", 99, 1), text, 0))
    assert (await house.ask(candidate(fake.endpoint("ok"))).wait())["status"] == "SUCCESS"


async def test_a_front_that_never_gives_the_body(
    house: House, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.drain.CLAIM_SECONDS", 0.1)
    house.front.silent = True
    house.ask(candidate(fake.endpoint("ok")))
    result = await house.result()
    assert (result.status, result.error_class) == ("CANCELLED", "front_gone")


@pytest.mark.parametrize("error", [DatabaseAway("gone"), psycopg.errors.InternalError_("broken")])
async def test_reading_goes_on_after_the_database_was_away(
    place: Path, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("worker.drain._BACK_OFF_SECONDS", 0.02)
    async with open_house(place) as house:
        house.calls.away = error
        answer = house.ask(candidate(fake.endpoint("ok")))
        await asyncio.sleep(0.1)
        house.calls.away = None
        house.drain.wake()
        assert (await answer.wait())["status"] == "SUCCESS"


async def test_results_wait_while_the_database_is_away(house: House, fake: FakeProvider) -> None:
    answers = [house.ask(candidate(fake.endpoint("slow-100"))) for _ in range(8)]
    await until(lambda: house.drain.held == 8)
    house.calls.away = DatabaseAway("gone")
    await asyncio.sleep(0.4)
    assert house.drain.held == 8, "each keeps its place, so that their number is bounded"
    assert not any(answer.frames for answer in answers)
    house.calls.away = None
    receipts = await asyncio.gather(*(answer.wait() for answer in answers))
    assert {receipt["status"] for receipt in receipts} == {"SUCCESS"}
    assert len({result.msg_id for result in house.calls.results}) == len(house.calls.results) == 8


async def test_a_result_that_the_database_refuses_gives_no_answer(house: House, fake: FakeProvider) -> None:
    await house.ask(candidate(fake.endpoint("ok"))).wait()
    house.calls.away = psycopg.errors.CheckViolation("no")
    house.drain.wake()
    house.calls.away = None
    answer = house.ask(candidate(fake.endpoint("slow-100")))
    await until(lambda: answer.claims)
    house.calls.away = psycopg.errors.CheckViolation("no")
    error = (await answer.wait())["error"]
    house.calls.away = None
    assert (error["http_status"], error["code"]) == (502, "provider_error")
    assert answer.data == b""
