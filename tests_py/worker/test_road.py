"""One request's walk: failover, deadlines, hang-ups; what the customer gets and what is booked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from onevault.frames import Cancel, Chunk, Gone, Pause, Resume
from tests_py.providers.fake import FakeProvider
from tests_py.worker.house import House, open_house
from tests_py.worker.kit import KEY, OFFER, candidate
from worker.calls import SealedKey
from worker.shapes import Candidate


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
async def house(place: Path) -> AsyncIterator[House]:
    async with open_house(place) as opened:
        yield opened


def named(fake: FakeProvider, behaviour: str, **changes: Any) -> Candidate:
    return candidate(fake.endpoint(behaviour), provider=behaviour, offer=behaviour.encode().hex(), **changes)


async def test_a_plain_answer_is_sent_after_its_booking(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "ok"))
    receipt = await answer.wait()
    result = await house.result()
    assert receipt == {"settled": True, "status": "SUCCESS", "request_id": result.request}
    (head,) = answer.heads
    assert (head.provider, head.model, head.content_type) == ("ok", "fast-1", "application/json")
    assert head.request_id == result.request
    assert json.loads(answer.data)["choices"][0]["message"]["content"] == fake.text
    assert (result.status, result.error_class, result.queue, result.read_ct) == ("SUCCESS", None, "standard", 1)
    (made,) = result.attempts
    assert (made.number, made.outcome, made.error_class, made.http_status) == (1, "SUCCESS", None, 200)
    assert made.usage is not None
    assert made.first_byte_ms is not None
    assert result.latency_ms >= made.latency_ms >= made.first_byte_ms


async def test_an_answer_that_is_not_booked_here_is_not_given(house: House, fake: FakeProvider) -> None:
    house.calls.fenced = True
    answer = house.ask(named(fake, "ok"))
    receipt = await answer.wait()
    assert answer.data == b"", "whoever reads the message next answers"
    assert (receipt["error"]["code"], receipt["error"]["http_status"]) == ("provider_error", 502)
    assert receipt["request_id"] == (await house.result()).request


async def test_head_answer_and_end_leave_in_one_write(house: House, fake: FakeProvider) -> None:
    await house.ask(named(fake, "ok")).wait()
    assert house.front.reads[-1] == 3


async def test_a_stream_flows_before_it_is_booked(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "pace-20"), stream=True)
    await answer.wait_for_output()
    assert house.calls.results == []
    assert answer.heads[0].content_type == "text/event-stream"
    receipt = await answer.wait()
    assert receipt["status"] == "SUCCESS"
    assert "error" not in receipt
    assert answer.data.count(b'"content":') == 9  # the role and eight words
    assert b"[DONE]" not in answer.data
    assert sum(isinstance(frame, Chunk) for frame in answer.frames) >= 8
    (made,) = (await house.result()).attempts
    assert made.first_byte_ms is not None
    assert made.first_byte_ms >= 20


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("rude", "error_class"),
    [
        ("status-500", "server_error"),
        ("status-429", "rate_limited"),
        ("status-401", "auth_dead"),
        ("cut-head", "connect"),
        ("html-0", "server_error"),
        ("too-long", "context_too_long"),
        ("no-model", "bad_request"),
        ("error-in-200", "overloaded"),
    ],
)
async def test_the_next_candidate_answers(
    house: House, fake: FakeProvider, rude: str, error_class: str, stream: bool
) -> None:
    answer = house.ask(named(fake, rude), named(fake, "ok"), stream=stream)
    assert (await answer.wait())["status"] == "SUCCESS"
    assert [head.provider for head in answer.heads] == ["ok"]
    result = await house.result()
    assert [(a.number, a.outcome, a.error_class) for a in result.attempts] == [
        (1, "ERROR", error_class),
        (2, "SUCCESS", None),
    ]
    if rude == "status-429":
        assert result.attempts[0].retry_after_ms == 2000


async def test_a_stream_that_dies_after_its_role_is_answered_by_the_next(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "cut-after-1"), named(fake, "ok"), stream=True)
    assert (await answer.wait())["status"] == "SUCCESS"
    assert answer.data.count(b'"role"') == 1


async def test_a_candidate_that_is_silent_is_given_up(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "hang", first_byte_timeout_ms=100), named(fake, "ok"))
    began = time.monotonic()
    assert (await answer.wait())["status"] == "SUCCESS"
    assert 0.1 <= time.monotonic() - began < 1
    first, second = (await house.result()).attempts
    assert (first.outcome, first.error_class) == ("TIMEOUT", "timeout")
    assert second.outcome == "SUCCESS"


async def test_comments_are_no_sign_of_an_answer(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "only-comments", first_byte_timeout_ms=150), named(fake, "ok"), stream=True)
    assert (await answer.wait())["status"] == "SUCCESS"


async def test_all_fail(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "status-500"), named(fake, "cut-head"), named(fake, "status-429"))
    receipt = await answer.wait()
    assert answer.heads == []
    assert answer.data == b""
    error = receipt["error"]
    assert (error["http_status"], error["code"], error["param"]) == (502, "provider_error", None)
    assert error["attempts"] == [
        {"provider": "status-500", "model": "fast-1", "class": "server_error", "http_status": 500},
        {"provider": "cut-head", "model": "fast-1", "class": "connect", "http_status": None},
        {"provider": "status-429", "model": "fast-1", "class": "rate_limited", "http_status": 429},
    ]
    assert "status-500/fast-1 failed (500)" in error["message"]
    result = await house.result()
    assert (result.status, result.error_class) == ("ERROR", "rate_limited")


async def test_a_fault_of_the_customer_is_not_tried_elsewhere(house: House, fake: FakeProvider) -> None:
    body = {"messages": [{"role": "user", "content": "canary-7d2"}]}
    answer = house.ask(named(fake, "status-400"), named(fake, "ok"), body=body)
    error = (await answer.wait())["error"]
    assert (error["http_status"], error["code"]) == (400, "invalid_request")
    assert "canary-7d2" in error["message"]
    result = await house.result()
    assert (result.status, result.error_class, len(result.attempts)) == ("ERROR", "bad_request", 1)
    assert "canary" not in repr(result)


async def test_a_prompt_too_long_everywhere_is_the_customers_fault(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "too-long"), named(fake, "status-500"))
    error = (await answer.wait())["error"]
    assert (error["http_status"], error["code"]) == (400, "invalid_request")
    assert "maximum context length" in error["message"]


async def test_the_deadline_ends_everything(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "hang"), named(fake, "ok"), seconds=0.2)
    error = (await answer.wait())["error"]
    assert (error["http_status"], error["code"]) == (504, "timeout")
    result = await house.result()
    assert (result.status, result.error_class) == ("TIMEOUT", "timeout")
    assert [a.outcome for a in result.attempts] == ["TIMEOUT"]


async def test_a_deadline_that_passed_in_the_queue(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "ok"), seconds=-1)
    assert (await answer.wait())["error"]["http_status"] == 504
    assert (await house.result()).attempts == []


async def test_candidates_that_all_time_out(house: House, fake: FakeProvider) -> None:
    # The second takes longer than the first one's pause: without patience nobody is asked again all the same.
    slow = [named(fake, "hang", first_byte_timeout_ms=60), named(fake, "hang", first_byte_timeout_ms=300)]
    error = (await house.ask(*slow).wait())["error"]
    assert (error["http_status"], len(error["attempts"])) == (504, 2)


async def test_a_stream_that_breaks_off_ends_with_an_error(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "cut-after-4"), named(fake, "ok"), stream=True)
    receipt = await answer.wait()
    assert receipt["error"]["code"] == "provider_error"
    assert b"there," in answer.data
    (made,) = (await house.result()).attempts
    assert (made.outcome, made.error_class) == ("ERROR", "truncated_stream")
    assert made.usage_source == "provider_partial"
    assert made.output_bytes == len("Hello there, how")


async def test_a_stream_that_falls_silent(house: House, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.running.SILENCE_SECONDS", 0.15)
    answer = house.ask(named(fake, "hang-after-3"), named(fake, "ok"), stream=True)
    receipt = await answer.wait()
    assert receipt["error"]["http_status"] == 504
    (made,) = (await house.result()).attempts
    assert (made.outcome, made.error_class, made.output_bytes) == ("TIMEOUT", "timeout", len("Hello there,"))


async def test_the_customer_hangs_up_in_the_middle(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "hang-after-3"), stream=True)
    await answer.wait_for_output()
    house.tell(answer, Cancel)
    receipt = await answer.wait()
    assert "error" not in receipt
    result = await house.result()
    assert (result.status, result.error_class) == ("CANCELLED", "client_gone")
    (made,) = result.attempts
    assert (made.outcome, made.error_class, made.output_bytes) == ("CANCELLED", "client_gone", len("Hello there,"))
    assert not fake.seen[-1].finished


async def test_the_customer_hangs_up_before_the_first_byte(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "hang"), named(fake, "ok"), stream=True)
    while not fake.count("hang"):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    house.tell(answer, Cancel)
    await answer.wait()
    result = await house.result()
    assert (result.status, result.error_class, len(result.attempts)) == ("CANCELLED", "client_gone", 1)


async def test_a_plain_call_goes_on_when_the_customer_hangs_up(house: House, fake: FakeProvider) -> None:
    """Only its last byte says what it used. Catches: an `end` that interrupts it, which books it at nothing."""
    answer = house.ask(named(fake, "slow-300"))
    while not fake.count("slow-300"):
        await asyncio.sleep(0.01)
    house.tell(answer, Cancel)
    (made,) = (await house.result()).attempts
    assert (made.outcome, made.usage_source, made.output_bytes) == ("SUCCESS", "provider_final", len(fake.text))


async def test_the_front_dies(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "hang-after-3"), stream=True)
    await answer.wait_for_output()
    house.front.hang_up()
    result = await house.result()
    assert (result.status, result.error_class) == ("CANCELLED", "front_gone")
    (made,) = result.attempts
    assert (made.outcome, made.error_class, made.output_bytes) == ("CANCELLED", "front_gone", len("Hello there,"))


async def test_a_front_that_cannot_be_dialled(house: House, fake: FakeProvider, place: Path) -> None:
    house.ask(named(fake, "ok"), reply_to=f"unix:{place}/front-9-ff.sock")
    result = await house.result()
    assert (result.status, result.error_class, result.attempts) == ("CANCELLED", "front_gone", [])


@pytest.mark.parametrize(
    ("reason", "error_class"),
    [("client_gone", "client_gone"), ("unknown_ticket", "client_gone"), ("front_draining", "front_gone")],
)
async def test_nobody_waits(house: House, fake: FakeProvider, reason: str, error_class: str) -> None:
    answer = house.ask(named(fake, "ok"), gone=Gone(b"", reason, 0))
    await answer.wait()
    result = await house.result()
    assert (result.status, result.error_class, result.attempts) == ("CANCELLED", error_class, [])


async def test_what_an_earlier_worker_delivered_is_booked(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "ok"), named(fake, "pace-1"), gone=Gone(b"", "worker_lost", 777), read_ct=2)
    await answer.wait()
    result = await house.result()
    assert (result.status, result.error_class) == ("CANCELLED", "worker_lost")
    (made,) = result.attempts
    assert (made.offer, made.outcome, made.error_class) == (b"ok".hex(), "CANCELLED", "worker_lost")
    assert (made.output_bytes, made.usage, made.number) == (777, None, 1)


async def test_a_customer_who_reads_slowly_slows_the_provider(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "pace-10"), stream=True)
    await answer.wait_for_output()
    house.tell(answer, Pause)
    await asyncio.sleep(0.15)
    held = len(answer.frames)
    await asyncio.sleep(0.15)
    assert len(answer.frames) == held
    assert not answer.over.is_set()
    house.tell(answer, Resume)
    assert (await answer.wait())["status"] == "SUCCESS"
    assert answer.data.count(b'"content":') == 9


async def test_a_pause_does_not_hide_a_hang_up(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "pace-10"), stream=True)
    await answer.wait_for_output()
    house.tell(answer, Pause)
    await asyncio.sleep(0.1)
    house.tell(answer, Cancel)
    await answer.wait()
    assert (await house.result()).status == "CANCELLED"


async def test_a_large_answer_travels_in_pieces(house: House) -> None:
    with FakeProvider(text="x" * 3_000_000) as large:
        answer = house.ask(candidate(large.endpoint("ok")))
        await answer.wait()
    assert len(json.loads(answer.data)["choices"][0]["message"]["content"]) == 3_000_000
    chunks = [frame for frame in answer.frames if isinstance(frame, Chunk)]
    assert len(chunks) >= 3
    assert max(len(chunk.data) for chunk in chunks) <= 1 << 20


async def test_the_providers_key_is_opened_and_sent(house: House, fake: FakeProvider) -> None:
    house.calls.keys[bytes.fromhex(KEY)] = SealedKey(b"rowsk-secret-9", "k1", "ACTIVE", b"row")
    for _ in range(3):
        await house.ask(named(fake, "ok", key=KEY)).wait()
        assert fake.seen[-1].headers["authorization"] == "Bearer sk-secret-9"
    assert house.calls.key_readings == 1
    assert "sk-secret-9" not in repr(house.calls.results)
    assert all(result.attempts[0].key == KEY for result in house.calls.results)


async def test_a_key_that_rests_is_passed_over_in_silence(house: House, fake: FakeProvider) -> None:
    spare = "0" * 64
    house.calls.keys[bytes.fromhex(KEY)] = SealedKey(b"rowsk-good-1", "k1", "RESTING", b"row")
    house.calls.keys[bytes.fromhex(spare)] = SealedKey(b"rowsk-good-2", "k1", "ACTIVE", b"row")
    answer = house.ask(named(fake, "good-key-2", key=KEY, spare_keys=(spare,)))
    assert (await answer.wait())["status"] == "SUCCESS"
    (made,) = (await house.result()).attempts
    assert (made.number, made.key) == (1, spare)


async def test_every_key_is_tried_before_the_next_candidate(house: House, fake: FakeProvider) -> None:
    spares = ("0" * 64, "1" * 64)
    for number, key in enumerate((KEY, *spares)):
        house.calls.keys[bytes.fromhex(key)] = SealedKey(b"rowsk-bad-%d" % number, "k1", "ACTIVE", b"row")
    before = fake.count("good-key-2")
    answer = house.ask(named(fake, "good-key-2", key=KEY, spare_keys=spares), named(fake, "ok"))
    assert (await answer.wait())["status"] == "SUCCESS"
    made = (await house.result()).attempts
    assert [(a.number, a.key, a.error_class) for a in made] == [
        (1, KEY, "auth_dead"),
        (2, spares[0], "auth_dead"),
        (3, spares[1], "auth_dead"),
        (4, None, None),
    ]
    assert fake.count("good-key-2") == before + 3


@pytest.mark.parametrize("sealed", [None, SealedKey(b"rowx", "k1", "REVOKED", b"row")])
async def test_a_key_that_is_not_there_is_a_dead_key(
    house: House, fake: FakeProvider, sealed: SealedKey | None
) -> None:
    if sealed is not None:
        house.calls.keys[bytes.fromhex(KEY)] = sealed
    before = fake.count("pace-1")
    answer = house.ask(named(fake, "pace-1", key=KEY), named(fake, "ok"))
    assert (await answer.wait())["status"] == "SUCCESS"
    first, _ = (await house.result()).attempts
    assert (first.outcome, first.error_class, first.http_status) == ("ERROR", "auth_dead", None)
    assert fake.count("pace-1") == before


async def test_an_unknown_kind_of_provider(house: House, fake: FakeProvider) -> None:
    answer = house.ask(candidate(kind="carrier-pigeon", offer=OFFER), named(fake, "ok"))
    assert (await answer.wait())["status"] == "SUCCESS"


async def test_a_body_that_is_no_object(house: House, fake: FakeProvider) -> None:
    answer = house.ask(named(fake, "ok"), body=["no object"])  # type: ignore[arg-type]
    assert (await answer.wait())["error"]["http_status"] == 400
    assert (await house.result()).error_class == "bad_request"


async def test_no_candidates(house: House) -> None:
    answer = house.ask()
    error = (await answer.wait())["error"]
    assert (error["http_status"], error["message"]) == (502, "No provider answered.")


async def test_the_sandbox_answers_too(house: House) -> None:
    answer = house.ask(candidate(None, kind="sandbox", provider="sandbox"), stream=True)
    assert (await answer.wait())["status"] == "SUCCESS"
    assert b'"finish_reason":"stop"' in answer.data
