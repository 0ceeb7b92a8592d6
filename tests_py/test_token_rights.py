"""A token's rights at a running gateway of two fronts: revoked, narrowed, bound to networks, everywhere and at once.

Mutants: a revoked token that goes on; a scope that nobody asks for; a list of networks that lets everybody in; an
address that anybody may name for himself.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests_py.conftest import StartGateway
from tests_py.support.gateway import Gateway

ROUTES = (
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/ai/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/ai/models"),
    ("GET", "/v1/usage"),
    ("GET", "/v1/billing"),
)
SCOPE = {"/v1/usage": "usage", "/v1/billing": "billing"}


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Iterator[Gateway]:
    yield start_gateway(
        fronts=2,
        ONEVAULT_TRUSTED_PROXIES="127.0.0.1",
        ONEVAULT_SANDBOX_TOKENS_PER_SECOND="40",
        ONEVAULT_SANDBOX_OUTPUT_TOKENS="200",
    )


def issue(gateway: Gateway, *flags: str) -> tuple[str, str]:
    issued = json.loads(gateway.run("token", "issue", "demo", *flags, "--json"))
    return issued["token"], issued["token_id"]


def ask(gateway: Gateway, token: str, method: str, path: str, **headers: str) -> tuple[int, str | None]:
    """Status and code of one call on a connection of its own, so that either front may take it."""
    body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    response = httpx.request(
        method,
        gateway.url + path,
        headers={"authorization": f"Bearer {token}", **headers},
        json=body if method == "POST" else None,
        timeout=30,
        trust_env=False,
    )
    return response.status_code, None if response.status_code == 200 else response.json()["error"]["code"]


def everywhere(gateway: Gateway, token: str, **headers: str) -> set[tuple[int, str | None]]:
    return {ask(gateway, token, *route, **headers) for route in ROUTES}


def test_revoking_is_in_force_at_every_door_of_every_front_and_cuts_no_stream(gateway: Gateway) -> None:
    token, token_id = issue(gateway)
    assert everywhere(gateway, token) == {(200, None)}
    begun, text = threading.Event(), []

    def stream() -> None:
        body = {"messages": [{"role": "user", "content": "x"}], "stream": True}
        headers = {"authorization": f"Bearer {token}"}
        with httpx.stream(
            "POST", f"{gateway.url}/v1/chat/completions", headers=headers, json=body, timeout=60
        ) as answer:
            for piece in answer.iter_text():
                text.append(piece)
                begun.set()

    running = threading.Thread(target=stream)
    running.start()
    assert begun.wait(30)
    gateway.run("token", "revoke", token_id)
    revoked = time.monotonic()
    # Two fronts on one socket: enough calls that each of them is asked.
    answers = [everywhere(gateway, token) for _ in range(4)]
    assert answers == [{(401, "token_revoked")}] * 4, f"within {time.monotonic() - revoked:.1f} s of the command's end"
    assert running.is_alive() or "[DONE]" in "".join(text)
    running.join(60)
    assert "".join(text).rstrip().endswith("data: [DONE]"), "what was begun goes on to its end"


def test_each_route_asks_for_its_scope(gateway: Gateway) -> None:
    for scope in ("inference", "usage", "billing", "admin"):
        token, _ = issue(gateway, "--scopes", scope)
        for method, path in ROUTES:
            expected = (200, None) if SCOPE.get(path, "inference") == scope else (403, "scope_not_allowed")
            assert ask(gateway, token, method, path) == expected, (scope, path)


def test_a_token_of_one_network_is_refused_from_another(gateway: Gateway) -> None:
    token, token_id = issue(gateway, "--from", "10.0.0.0/8,2001:db8::/32")
    forwarded: Any = {"x-forwarded-for": "198.51.100.7, 10.1.2.3"}
    assert everywhere(gateway, token, **forwarded) == {(200, None)}
    assert everywhere(gateway, token, **{"x-forwarded-for": "2001:db8::5"}) == {(200, None)}
    assert everywhere(gateway, token) == {(403, "address_not_allowed")}
    assert everywhere(gateway, token, **{"x-forwarded-for": "10.1.2.3, 192.0.2.9"}) == {(403, "address_not_allowed")}
    rows = {row["token_id"]: row for row in json.loads(gateway.run("token", "list", "demo", "--json"))}
    assert rows[token_id]["allowed_addresses"] == ["10.0.0.0/8", "2001:db8::/32"]
    assert "10.0.0.0/8, 2001:db8::/32" in gateway.run("token", "list", "demo")


def test_an_untrusted_peer_cannot_name_his_address(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    token, _ = issue(gateway, "--from", "10.0.0.0/8")
    own, _ = issue(gateway, "--from", "127.0.0.1")
    assert everywhere(gateway, token, **{"x-forwarded-for": "10.1.2.3"}) == {(403, "address_not_allowed")}
    assert everywhere(gateway, own) == {(200, None)}
