"""Heads: which are refused, and in which words. What goes over the wire is tested in faults/test_smuggling.py.

Mutants: `allowed` not compared; the exception for probes dropped; limits off by one; `_find_twice` blind.
"""

from __future__ import annotations

import pytest

from litestar_app.heads import MAX_HEAD_LINES, MAX_URL_BYTES, HeadCheck, Headers
from tests_py.litestar_app.kit import CHAT, running_front

HOST: Headers = [(b"host", b"api.example.com:8000")]


def status(url: bytes, headers: Headers, *allowed: str, version: str = "1.1") -> int | None:
    refusal = HeadCheck(allowed).refusal(url, version, headers)
    return None if refusal is None else refusal.status


def test_a_usual_head_passes() -> None:
    assert status(b"/v1/models", [*HOST, (b"accept", b"a"), (b"accept", b"b")]) is None
    assert status(b"/v1/models", [], version="1.0") is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"api.example.com", None),
        (b"API.Example.com:443", None),
        (b" api.example.com ", None),
        (b"[::1]:8000", None),
        (b"10.0.0.1", 421),
        (b"api.example.com.evil.org", 421),
        (b"evil.org#api.example.com", 400),
        (b"api.example.com:99999", 400),
        (b"api.example.com:80:80", 400),
        (b"a@api.example.com", 400),
        (b"", 400),
        (b"\xe2\x98\x83.example.com", 400),
    ],
)
def test_the_host_is_one_of_ours(host: bytes, expected: int | None) -> None:
    ours = ("api.example.com", "[::1]")
    assert status(b"/v1/models", [(b"host", host)], *ours) == expected
    assert status(b"/v1/models", [(b"host", host)]) == (400 if expected == 400 else None)
    # Who looks after the front knows its address alone.
    for probe in (b"/healthz/live", b"/metrics"):
        assert status(probe, [(b"host", host)], *ours) == (400 if expected == 400 else None)


def test_where_hosts_are_named_none_is_no_host() -> None:
    assert status(b"/v1/models", [], "api.example.com", version="1.0") == 400


def test_limits_are_exact() -> None:
    lines: Headers = [(b"x-%d" % number, b"y") for number in range(MAX_HEAD_LINES - 1)]
    assert status(b"/", [*HOST, *lines]) is None
    assert status(b"/", [*HOST, *lines, (b"z", b"")]) == 431
    assert status(b"/" + b"a" * (MAX_URL_BYTES - 1), HOST) is None
    assert status(b"/" + b"a" * MAX_URL_BYTES, HOST) == 414


@pytest.mark.parametrize("name", [b"host", b"authorization", b"x-api-key", b"content-length", b"transfer-encoding"])
def test_what_counts_once_is_sent_once(name: bytes) -> None:
    assert status(b"/", [*HOST, (name, b"chunked"), (name, b"chunked")]) == 400


async def test_a_body_may_call_itself_what_it_likes() -> None:
    """curl's --data says it is a form; what counts is whether it is JSON."""
    async with running_front() as desk:
        for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", "nonsense"):
            asked = len(desk.road.asks)
            running = desk.post(CHAT, headers={"content-type": kind})
            await desk.ticket(asked)
            running.cancel()


async def test_the_refusal_has_the_shape_of_its_surface() -> None:
    async with running_front(allowed_hosts=("api.example.com",)) as desk:
        for path, outer in (("/v1/chat/completions", "error"), ("/v1/messages", "type")):
            response = await desk.client.post(path, json=CHAT)
            assert response.status_code == 421
            assert next(iter(response.json())) == outer
            assert response.json()["error"]["code"] == "invalid_request"
            assert response.headers["connection"] == "close"
            assert response.headers["x-onevault-request-id"] == response.headers["x-request-id"]
