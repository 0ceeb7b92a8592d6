"""The two routes of the road: shapes, headers, streams, refusals, sizes, and what SQL is told."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
import pytest_asyncio

from litestar_app import body as body_module
from onevault.frames import Body, Chunk, Claim, End
from onevault.tokens import digest_token
from tests_py.litestar_app.kit import (
    ANSWER,
    CHAT,
    PEPPER,
    REQUEST_ID,
    TOKEN,
    Desk,
    Worker,
    decision,
    event,
    receipt,
    running_front,
    until,
)

NATIVE = "/v1/ai/completions"
STREAM = {**CHAT, "stream": True}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_front(body_limit_bytes=200_000) as desk:
        yield desk


async def answered(desk: Desk, body: Any = CHAT, path: str = "/v1/chat/completions", **changes: Any) -> httpx.Response:
    """The response to a call that a worker answers at once; `changes` are those of its receipt."""
    worker = await Worker.dial(desk.front)
    call = desk.post(body, path)
    claimed = await worker.claim(await desk.ticket())
    worker.begin(claimed.ticket)
    if "error" not in changes:
        worker.send(Chunk(claimed.ticket, event("Hi") if claimed.stream else json.dumps(ANSWER).encode()))
    worker.send(End(claimed.ticket, receipt(**changes)))
    return await call


async def test_a_plain_answer_has_the_contracts_headers(desk: Desk) -> None:
    response = await answered(desk)
    assert response.status_code == 200
    assert {name: value for name, value in response.headers.items() if name.startswith("x-")} == {
        "x-onevault-request-id": REQUEST_ID,
        "x-request-id": REQUEST_ID,
        "x-onevault-provider": "openai",
        "x-onevault-model": "gpt-4o",
        "x-onevault-cost": "0.0000135",
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1.5s",
    }
    assert response.headers["content-type"] == "application/json"
    assert response.json()["onevault"]["cost"]["customer"] == 0.0000135


async def test_a_stream_passes_through_and_ends_with_onevault(desk: Desk) -> None:
    response = await answered(desk, STREAM)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-onevault-cost"] == "pending"
    events = response.text.split("\n\n")
    assert events[0] + "\n\n" == event("Hi").decode()
    assert json.loads(events[1].removeprefix("data: "))["onevault"]["attempts"] == 1
    assert events[2:] == ["data: [DONE]", ""]


async def test_pieces_are_written_as_they_come(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]))
    body = json.dumps(STREAM).encode()
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
        % (TOKEN.encode(), len(body), body)
    )
    claimed = await worker.claim(await desk.ticket())
    worker.begin(claimed.ticket)
    for number in range(3):
        worker.send(Chunk(claimed.ticket, event(f"piece {number}")))
        async with asyncio.timeout(5):
            await reader.readuntil(f"piece {number}".encode())
    worker.send(End(claimed.ticket, receipt()))
    await reader.readuntil(b"data: [DONE]\n\n")
    writer.close()


async def test_the_body_goes_to_the_worker_untouched(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    raw = b' { "prompt" : "h\xc3\xa9llo",\n "unknown": [1.0, 1e2] , "stream":true , '
    raw += b'"stream_options":{"include_usage":true} } '
    call = asyncio.create_task(desk.client.post(NATIVE, content=raw))
    claimed = await worker.claim(await desk.ticket())
    assert claimed == Body(claimed.ticket, "native", True, True, raw)
    worker.begin(claimed.ticket)
    worker.send(Chunk(claimed.ticket, event("Hi")), End(claimed.ticket, receipt()))
    await call


async def test_sql_is_told_sizes_and_flags_and_no_words(desk: Desk) -> None:
    desk.road.says = lambda _: decision(status="model_not_found", http_status=404, message="No.")
    await desk.client.post(
        NATIVE,
        json={"prompt": "canary-7f3a", "type": "t", "priority": "high", "max_cost": 1, "metadata": {"team": "red"}},
        headers={"user-agent": "tester/1"},
    )
    (ask,) = desk.road.asks
    told = msgspec.to_builtins(ask)
    assert told.pop("ticket")
    assert told == {
        "session": None,
        "digest": digest_token(TOKEN, PEPPER).hex(),
        "surface": "native",
        "capability": "chat",
        "request_type": "t",
        "priority": "high",
        "model": None,
        "stream": False,
        "tools": False,
        "vision": False,
        "structured": False,
        "prompt_bytes": 11,
        "images": 0,
        "messages": 1,
        "max_output_tokens": None,
        "choices": 1,
        "max_cost": "1.0000000000",
        "metadata": {"team": "red"},
        "client_ip": "127.0.0.1",
        "user_agent": "tester/1",
        "timeout_ms": 600_000,
    }


async def test_sql_is_told_a_digest_of_a_conversation_s_name(desk: Desk) -> None:
    """The customer's own, or OpenAI's; the same conversation has the same one, and the name is told to nobody."""
    desk.road.says = lambda _: decision(status="model_not_found", http_status=404, message="No.")
    for names in ({"session_id": "canary-1"}, {"prompt_cache_key": "canary-1"}, {"session_id": "canary-2"}):
        await desk.post({**CHAT, **names})
    one, again, other = (ask.session for ask in desk.road.asks)
    assert one == again != other
    assert one is not None
    assert re.fullmatch("[0-9a-f]{64}", one)
    assert "canary" not in repr(desk.road.asks)


async def test_a_refusal_of_sql_is_told_with_rate_limit_and_retry_after(desk: Desk) -> None:
    desk.road.says = lambda _: decision(
        status="rate_limited",
        http_status=429,
        message="Slow down.",
        retry_after_ms=1400,
        rate_remaining=0,
        provider=None,
    )
    response = await desk.post()
    assert response.status_code == 429
    assert response.json() == {
        "error": {"message": "Slow down.", "type": "rate_limit_error", "code": "rate_limited", "param": None}
    }
    assert (response.headers["retry-after"], response.headers["retry-after-ms"]) == ("2", "1400")
    assert response.headers["x-ratelimit-remaining-requests"] == "0"
    assert response.headers["x-onevault-request-id"] == response.headers["x-request-id"] == REQUEST_ID
    assert "x-onevault-provider" not in response.headers


@pytest.mark.parametrize(("status", "final"), [(402, True), (403, True), (404, True), (422, True), (429, False)])
async def test_the_sdk_is_told_when_asking_again_is_useless(desk: Desk, status: int, final: bool) -> None:
    desk.road.says = lambda _: decision(status="code", http_status=status, message="No.")
    assert ((await desk.post()).headers.get("x-should-retry") == "false") is final


async def test_a_budget_is_named(desk: Desk) -> None:
    budget = {"scope": "customer", "period": "day", "limit_usd": 5.0}
    desk.road.says = lambda _: decision(
        status="budget_exceeded", http_status=402, message="Spent.", detail=json.dumps({"budget": budget})
    )
    error = (await desk.post()).json()["error"]
    assert (error["budget"], error["type"], error["code"]) == (budget, "insufficient_quota", "budget_exceeded")


async def test_a_failure_of_all_candidates_is_told_plainly_even_in_a_stream(desk: Desk) -> None:
    attempts = [{"provider": "openai", "model": "gpt-4o", "class": "overloaded", "http_status": 503}]
    failure = {"http_status": 502, "code": "provider_error", "message": "All failed.", "attempts": attempts}
    response = await answered(desk, STREAM, error=failure)
    assert response.status_code == 502
    assert response.json()["error"]["attempts"] == attempts
    assert response.headers["x-onevault-cost"] == "0.0000135"


async def test_a_failure_after_the_first_byte_is_an_event_without_done(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    call = desk.post(STREAM)
    claimed = await worker.claim(await desk.ticket())
    worker.begin(claimed.ticket)
    worker.send(Chunk(claimed.ticket, event("Hi")))
    await asyncio.sleep(0.05)
    failure = {"http_status": 502, "code": "provider_error", "message": "Broke off."}
    worker.send(End(claimed.ticket, receipt(error=failure)))
    events = (await call).text.strip().split("\n\n")
    assert json.loads(events[-1].removeprefix("data: "))["error"]["message"] == "Broke off."
    assert len(events) == 2


async def test_an_empty_answer_is_a_failure(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    call = desk.post()
    claimed = await worker.claim(await desk.ticket())
    worker.send(End(claimed.ticket, receipt()))
    assert (await call).json()["error"]["code"] == "provider_error"


async def test_an_unreadable_receipt_is_our_fault(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    call = desk.post()
    claimed = await worker.claim(await desk.ticket())
    worker.send(Chunk(claimed.ticket, b"{}"), End(claimed.ticket, b"nonsense"))
    response = await call
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")


async def test_a_database_that_is_away_is_a_quick_503(desk: Desk) -> None:
    desk.road.away = True
    response = await desk.post()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "overloaded")
    assert response.headers["retry-after"] == "1"
    assert response.elapsed.total_seconds() < 1


@pytest.mark.parametrize(
    ("error", "status"),
    [(psycopg.errors.LockNotAvailable("canary"), 503), (psycopg.errors.DivisionByZero("canary"), 500)],
)
async def test_an_error_of_the_statement_leaks_nothing(
    desk: Desk, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_(_: object) -> Any:
        raise error

    desk.road.says = raise_
    response = await desk.post()
    assert response.status_code == status
    assert "canary" not in response.text


async def test_an_older_pepper_is_tried_while_the_master_key_changes(desk: Desk) -> None:
    older = b"o" * 32
    desk.front.tokens._peppers = (PEPPER, older)
    known = digest_token(TOKEN, older).hex()
    desk.road.says = lambda ask: (
        decision() if ask.digest == known else decision(status="invalid_token", http_status=401)
    )
    worker = await Worker.dial(desk.front)
    call = desk.post()
    await desk.ticket(1)
    assert desk.road.asks[0].ticket == desk.road.asks[1].ticket
    claimed = await worker.claim(await desk.ticket(1))
    worker.answer(claimed.ticket)
    assert (await call).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", NATIVE])
@pytest.mark.parametrize(
    ("content", "param"),
    [
        (b"{", None),
        (b'{"messages": []}', "messages"),
        (b'{"messages": [{"role": "x"}]}', "messages[0].role"),
        (b"[]", None),
    ],
)
async def test_bad_bodies_are_refused_before_sql(desk: Desk, path: str, content: bytes, param: str | None) -> None:
    response = await desk.client.post(path, content=content)
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["code"], error["param"], error["type"]) == ("invalid_request", param, "invalid_request_error")
    assert not desk.road.asks


@pytest.mark.parametrize(
    "token",
    ["", "Bearer x", "Bearer sk-" + "a" * 45, pytest.param(f"Bearer {TOKEN[:-1]}~", id="Bearer one letter off")],
)
async def test_junk_tokens_are_refused_before_sql_and_before_the_body(desk: Desk, token: str) -> None:
    response = await desk.client.post("/v1/chat/completions", content=b"{", headers={"authorization": token})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_token")
    assert response.json()["error"]["type"] == "authentication_error"
    assert "sk-" not in response.text
    assert not desk.road.asks


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_in_shape(desk: Desk, method: str) -> None:
    response = await desk.client.request(method, "/v1/chat/completions")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["error"]["code"] == "method_not_allowed"


async def test_an_encoded_body_is_refused(desk: Desk) -> None:
    response = await desk.client.post(NATIVE, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert (response.status_code, response.json()["error"]["param"]) == (415, "content-encoding")
    assert response.headers["accept-encoding"] == "identity"


async def test_a_body_over_the_limit_is_refused_by_its_length(desk: Desk) -> None:
    response = await desk.client.post(NATIVE, content=b"x" * 20_000_000)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")
    # The connection is still good.
    assert (await desk.client.post(NATIVE, content=b"{}")).status_code == 400


async def test_a_body_over_the_limit_is_refused_without_a_length_too(desk: Desk) -> None:
    seen = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal seen
        for _ in range(320):
            seen += 1
            yield b"x" * 65536

    response = await desk.client.post(NATIVE, content=pieces())
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")


async def test_an_endless_body_is_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "DISCARD_BYTES", 1_000_000)
    _, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]))
    writer.write(
        b"POST /v1/ai/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\ntransfer-encoding: chunked\r\n\r\n"
        % TOKEN.encode()
    )
    sent = 0
    with pytest.raises(ConnectionError):
        while sent < 100_000_000:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536
    assert sent < 20_000_000
    writer.close()


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async with running_front(body_timeout_seconds=0.1) as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]))
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"content-length: 100\r\n\r\n{" % TOKEN.encode()
        )
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request_timeout"' in answer
        writer.close()


async def test_a_clients_own_request_id_is_not_echoed(desk: Desk) -> None:
    response = await desk.client.post(NATIVE, content=b"{", headers={"x-request-id": "canary"})
    assert "canary" not in str(response.headers)
    assert response.headers["x-request-id"] == response.headers["x-onevault-request-id"]


async def test_names_from_the_database_cannot_break_headers(desk: Desk) -> None:
    response = await answered(desk, model="evil\r\nset-cookie: x", provider="ünï")
    assert response.status_code == 200
    assert (response.headers["x-onevault-model"], response.headers["x-onevault-provider"]) == ("?", "?n?")


async def test_what_happens_is_counted(desk: Desk) -> None:
    await answered(desk)
    await desk.client.post(NATIVE, content=b"{")
    text = (await desk.client.get("/metrics")).text
    assert 'onevault_front_requests_total{kind="plain",outcome="ok",surface="chat"} 1.0' in text
    assert 'onevault_front_requests_total{kind="plain",outcome="invalid_request",surface="native"} 1.0' in text
    assert "onevault_front_linked_workers 1.0" in text
    assert "onevault_front_route_batch_size_sum" in text


async def test_many_calls_at_once_each_get_their_own_answer(desk: Desk) -> None:
    worker = await Worker.dial(desk.front)
    calls = [desk.post({**CHAT, "user": str(number)}) for number in range(100)]
    await until(lambda: len(desk.road.asks) == 100)
    for ask in desk.road.asks:
        worker.send(Claim(bytes.fromhex(ask.ticket), "standard", 1, 1))
    for _ in calls:
        claimed = await worker.receive(Body)
        worker.answer(claimed.ticket, json.dumps({"user": json.loads(claimed.body)["user"]}).encode())
    responses = await asyncio.gather(*calls)
    assert [response.json()["user"] for response in responses] == [str(number) for number in range(100)]
