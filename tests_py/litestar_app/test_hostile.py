"""Bad input against a running gateway: each refused by the contract's code, in the surface's shape."""

from __future__ import annotations

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx

from onevault.tokens import issue_token, make_reference
from tests_py.support.gateway import Gateway

CHAT, NATIVE = "/v1/chat/completions", "/v1/ai/completions"
SAY = [{"role": "user", "content": "canary-7f3a"}]


class Bad(NamedTuple):
    """A request and the refusal it earns."""

    status: int
    code: str
    method: str = "POST"
    path: str = CHAT
    content: bytes = b""
    headers: dict[str, str] | None = None
    param: str | None = None


def body(**fields: Any) -> bytes:
    return json.dumps({"messages": SAY, **fields}).encode()


UNKNOWN = issue_token(make_reference()).reveal()
BAD = [
    Bad(400, "invalid_request", content=b'{"messages": [canary-7f3a'),
    Bad(400, "invalid_request", content=b"\xff\xfe"),
    Bad(400, "invalid_request", content=b"[" * 100_000),
    Bad(400, "invalid_request", content=body(x=json.loads("[" * 100 + "]" * 100))),
    Bad(400, "invalid_request", content=body(messages=[]), param="messages"),
    Bad(400, "invalid_request", content=body(messages="canary-7f3a"), param="messages"),
    Bad(400, "invalid_request", content=body(messages=[{"role": "canary-7f3a"}]), param="messages[0].role"),
    Bad(400, "invalid_request", content=body(stream="canary-7f3a"), param="stream"),
    Bad(400, "invalid_request", content=body(max_tokens=10**40), param="max_tokens"),
    Bad(400, "invalid_request", content=body().replace(b"}]", b'}], "temperature": NaN')),
    Bad(400, "invalid_request", content=body(model="\0"), param="model"),
    Bad(400, "invalid_request", content=body(metadata={"a": "\0"}), param="metadata"),
    Bad(400, "invalid_request", path=NATIVE, content=body(prompt="canary-7f3a"), param="prompt"),
    Bad(400, "invalid_request", path=NATIVE, content=b'{"prompt": "x", "max_cost": "NaN"}', param="max_cost"),
    Bad(415, "invalid_request", content=body(), headers={"content-encoding": "gzip"}, param="content-encoding"),
    Bad(400, "invalid_request", "GET", "/v1/usage?group_by=canary-7f3a", param="group_by"),
    Bad(400, "invalid_request", "GET", "/v1/usage?from=canary-7f3a", param="from"),
    Bad(400, "invalid_request", "GET", "/v1/billing/2026-13", param="period"),
    Bad(401, "invalid_token", content=body(), headers={"authorization": "Bearer sk-canary-7f3a"}),
    Bad(401, "invalid_token", content=body(), headers={"authorization": f"Bearer {UNKNOWN[:-1]}"}),
    Bad(401, "invalid_token", content=body(), headers={"authorization": f"Bearer {UNKNOWN}"}),
    Bad(401, "invalid_token", "GET", "/v1/models", headers={"authorization": f"Bearer {UNKNOWN}"}),
    Bad(404, "model_not_found", content=body(model="no-such-model"), param="model"),
    Bad(404, "model_not_found", "GET", "/v1/models/no-such-model", param="model"),
    Bad(404, "not_found", path="/v1/canary-7f3a", content=body()),
    Bad(405, "method_not_allowed", "GET"),
    Bad(405, "method_not_allowed", "DELETE", "/v1/usage"),
    Bad(413, "request_too_large", content=b"canary-7f3a" * 2_000_000),
    Bad(422, "max_cost_too_low", path=NATIVE, content=body(max_cost=0.0000000001), param="max_cost"),
]


def count_requests(gateway: Gateway) -> int:
    ((count,),) = gateway.database.query("select count(*) from gateway.api_request_h")
    assert isinstance(count, int)
    return count


def test_each_is_refused_by_its_code_and_in_shape(gateway: Gateway) -> None:
    before = count_requests(gateway)
    with httpx.Client(base_url=gateway.url, timeout=30, trust_env=False) as client:
        for bad in BAD:
            headers = {"authorization": f"Bearer {gateway.token}", **(bad.headers or {})}
            response = client.request(bad.method, bad.path, content=bad.content, headers=headers)
            error = response.json()["error"]
            label = f"{bad.method} {bad.path} {bad.content[:60]!r}: {response.text[:300]}"
            assert (response.status_code, error["code"], error["param"]) == (bad.status, bad.code, bad.param), label
            assert set(error) >= {"message", "type", "code", "param"}, label
            assert "canary" not in str(response.headers), label
            assert "canary" not in response.text, label
            assert response.headers["x-onevault-request-id"], label
        # And after all that, the gateway answers.
        assert client.post(
            CHAT, json={"messages": SAY}, headers={"authorization": f"Bearer {gateway.token}"}
        ).is_success
    assert "canary" not in gateway.log()
    assert gateway.token not in gateway.log()
    assert count_requests(gateway) == before + 1, "a refusal makes no request"


def test_a_bad_call_does_not_fail_its_neighbours(gateway: Gateway) -> None:
    """64 calls at once, three of them bad: the others succeed."""
    headers = {"authorization": f"Bearer {gateway.token}"}
    with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:

        def call(number: int) -> int:
            match number:
                case 7:
                    return client.post(CHAT, content=b"{", headers=headers).status_code
                case 23:
                    unknown = {"authorization": f"Bearer {UNKNOWN}"}
                    return client.post(CHAT, json={"messages": SAY}, headers=unknown).status_code
                case 42:
                    return client.post(CHAT, json={"messages": SAY, "model": "none"}, headers=headers).status_code
            return client.post(CHAT, json={"messages": SAY}, headers=headers).status_code

        with ThreadPoolExecutor(64) as pool:
            statuses = list(pool.map(call, range(64)))
    assert statuses.count(200) == 61
    assert (statuses[7], statuses[23], statuses[42]) == (400, 401, 404)


def test_http_that_is_ambiguous_is_not_read_twice(gateway: Gateway) -> None:
    """A length and chunks at once, two lengths, folded lines: one answer and the connection ends."""
    for lines in (
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"content-length: +5\r\n\r\nabcde",
    ):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            smuggled = b"GET /healthz/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n" + lines + smuggled)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 400 "), lines
        assert b"live" not in answer, lines


async def test_backends_that_are_terminated_under_load_are_not_noticed(gateway: Gateway) -> None:
    headers = {"authorization": f"Bearer {gateway.token}"}
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30, headers=headers, trust_env=False) as client:
        statuses: list[int] = []

        async def call_often() -> None:
            for _ in range(40):
                response = await client.post(CHAT, json={"messages": SAY})
                statuses.append(response.status_code)

        calls = asyncio.gather(*(call_often() for _ in range(8)))
        for number in range(5):
            while len(statuses) < 50 * (number + 1):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(
                gateway.database.query,
                "select pg_catalog.pg_terminate_backend(a.pid) from pg_catalog.pg_stat_activity as a"
                " where a.datname = current_database() and a.usename = 'onevault_app'",
            )
        await calls
        assert statuses == [200] * 320
