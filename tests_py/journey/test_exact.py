"""Where customer and provider speak alike, bytes pass as they came: compared by their digests, through real processes.

What a provider sends is asked of it directly, with the request that the gateway sent; the gateway's own words are the
last event, or the last member, and nothing else.
"""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from tests_py.providers.scenarios import Scenario
from tests_py.support.played import ROOTS, House

ROUTES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": ("openai", "/chat/completions", {"messages": [{"role": "user", "content": "Say hello."}]}),
    "responses": ("openai", "/responses", {"input": "Say hello."}),
    "messages": ("anthropic", "/messages", {"max_tokens": 1000, "messages": [{"role": "user", "content": "Hello?"}]}),
}
LASTS = {"chat": b"[DONE]", "responses": b"response.completed", "messages": b"message_stop"}
FORMS: dict[str, Scenario] = {
    "whole": Scenario(),
    "bytewise": Scenario(form="bytewise"),
    "crlf": Scenario(form="crlf"),
    "comments": Scenario(form="comments"),
    "two-thousand-chunks": Scenario(pieces=tuple(f" w{number} 🚂" for number in range(2000))),
    "tools-and-thoughts": Scenario(thinking=("Hm",), pieces=("So",)),
}


def ask(house: House, surface: str, model: str, *, stream: bool) -> bytes:
    _, path, body = ROUTES[surface]
    options = {"stream_options": {"include_usage": True}} if stream and surface == "chat" else {}
    response = httpx.post(
        f"{house.gateway.url}/v1{path}",
        headers={"authorization": f"Bearer {house.gateway.token}", "anthropic-version": "2023-06-01"},
        json={"model": model, "stream": stream, **options, **body},
        timeout=60,
    )
    assert response.status_code == 200, response.text
    return response.content


def ask_directly(house: House, surface: str, behaviour: Scenario) -> bytes:
    """What the provider says to the request that the gateway sent last."""
    kind, path, _ = ROUTES[surface]
    seen = house.seen(kind)
    names: tuple[str, ...] = ("authorization", "x-api-key", "anthropic-version")
    headers = {name: seen.headers[name] for name in names if name in seen.headers}
    url = house.fakes[kind].root(behaviour) + ROOTS[kind] + path
    return httpx.post(url, headers=headers, content=seen.raw, timeout=60).content


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("surface", ROUTES)
@pytest.mark.parametrize("form", FORMS)
def test_streams_pass_as_they_come(played: House, surface: str, form: str) -> None:
    model = played.model(ROUTES[surface][0], FORMS[form])
    got = ask(played, surface, model, stream=True)
    sent = ask_directly(played, surface, FORMS[form])
    end = sent.rindex(LASTS[surface])
    end = max(sent.rfind(b"\n\n", 0, end), sent.rfind(b"\r\n\r\n", 0, end) + 2) + 2
    assert digest(got[: len(sent[:end])]) == digest(sent[:end])
    rest = got[len(sent[:end]) :]
    assert rest.count(b'"onevault":') == 1
    assert LASTS[surface] in rest


@pytest.mark.parametrize("surface", ROUTES)
@pytest.mark.parametrize("size", [10, 10_000_000])
def test_answers_pass_as_they_come(played: House, surface: str, size: int) -> None:
    behaviour = Scenario(pieces=("Zürich 🚂 " * (size // 10),))
    model = played.model(ROUTES[surface][0], behaviour)
    got = ask(played, surface, model, stream=False)
    sent = ask_directly(played, surface, behaviour)
    body = sent.rstrip()[:-1]
    assert digest(got[: len(body)]) == digest(body)
    assert got[len(body) :].startswith(b',"onevault":{')
