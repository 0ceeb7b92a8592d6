"""What tests of the worker share: an output that remembers, calls and candidates with sensible defaults."""

from __future__ import annotations

import functools
import json
import ssl
from typing import Any

import httpx
import msgspec

from onevault.tokens import Secret
from worker.providers.base import Call
from worker.shapes import Attempt, Candidate


@functools.cache
def tls() -> ssl.SSLContext:
    """The one TLS context of all transports of a run: making one takes longer than most tests."""
    return httpx.create_ssl_context()


OFFER = "0f" * 32
KEY = b"ke".hex() * 16
CUSTOMER = "c0" * 32


class Remembered:
    """An output that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.lives = 0
        self.last = b""

    def hold(self, last: bytes) -> None:
        self.last = last

    def alive(self) -> None:
        self.lives += 1

    async def send(self, data: bytes) -> None:
        self.sent.append(data)

    @property
    def data(self) -> bytes:
        return b"".join(self.sent)

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The events as a client of ours reads them, strictly."""
        found = []
        text = self.data.decode().replace("\r\n", "\n").replace("\r", "\n")
        assert text.endswith("\n\n")
        for event in text.split("\n\n"):
            lines = [line[5:].removeprefix(" ") for line in event.split("\n") if line.startswith("data:")]
            if lines:
                found.append(json.loads("\n".join(lines)))
        return found

    @property
    def text(self) -> str:
        """What was said, put together from a stream."""
        return "".join(
            choice["delta"].get("content") or "" for chunk in self.chunks for choice in chunk.get("choices", [])
        )


def candidate(endpoint: str | None = "http://127.0.0.1:1/v1", *, kind: str = "openai", **changes: Any) -> Candidate:
    """A candidate; `settings` may be given as a dictionary."""
    settings = changes.pop("settings", {})
    given: dict[str, Any] = {
        "offer": OFFER,
        "provider": "fake",
        "kind": kind,
        "model": "fast-1",
        "upstream_model": "fast-1-2026",
        "first_byte_timeout_ms": 5000,
        "endpoint": endpoint,
        "max_output_tokens": 1000,
    }
    return Candidate(**(given | changes), settings=msgspec.Raw(json.dumps(settings).encode()))


def call(
    who: Candidate,
    body: dict[str, Any] | None = None,
    *,
    stream: bool = False,
    include_usage: bool = False,
    surface: str = "chat",
    key: str | None = None,
) -> Call:
    """A call of this candidate with this body."""
    given = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]} if body is None else body
    if stream:
        given = given | {"stream": True}
    return Call(
        request_id="0198c0de-0000-7000-8000-000000000001",
        candidate=who,
        fields=msgspec.json.decode(json.dumps(given), type=dict[str, msgspec.Raw]),
        surface=surface,
        stream=stream,
        include_usage=include_usage,
        api_key=None if key is None else Secret(key),
    )


def attempt() -> Attempt:
    """An attempt before anything has happened."""
    return Attempt(number=1, offer=OFFER, key=None)
