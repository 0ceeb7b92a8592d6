"""Customers that make many calls at once and remember what each of them was told.

A customer tries again after what the contract says may be tried again: a connection that broke before an answer, and
503 after its `retry-after`. Each try is a call of its own in the books, so each has a nonce of its own, unless
`Idempotency-Key` is sent: then all tries of a call share nonce and key, and whatever broke is tried again until there
is an answer or the receipt of one.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import aiohttp

from tests_py.support.honest_provider import MODEL

_MOST_TRIES: Final = 400
_LONGEST_WAIT: Final = 1.0
_FIRST_PAUSE: Final = 0.05


@dataclass
class Heard:
    """What one try was told. `sent` is when, by CLOCK_MONOTONIC; `status` is None when no head came.

    `whole`: the answer came to its end. `broken`: it began and broke off. `receipt`: it had been made and
    charged before. `cost` is the customer's, in USD.
    """

    nonce: str
    stream: bool
    sent: float
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    cost: Decimal | None = None
    tokens: int = 0
    whole: bool = False
    broken: bool = False
    seconds: float = 0.0
    retry_after: str | None = None
    receipt: bool = False
    prompt: str = ""

    @property
    def acknowledged(self) -> bool:
        """Whether the gateway said that it took this call: a head of an answer, or the failure of a routed call."""
        return self.status == 200 or (self.status in (502, 504) and self.code in ("provider_error", "timeout"))


@dataclass
class Customers:
    """`at_once` customers of one token, who share `requests` calls between them.

    `prompt` makes the words that steer the provider from the number of the call; every `stream_each`th is streamed (0:
    none). `on_progress` is awaited with the number of calls that are over, by one customer at a time.
    """

    url: str
    token: str
    requests: int
    at_once: int = 16
    stream_each: int = 2
    keyed: bool = False
    prompt: Callable[[int], str] = lambda _: "tokens=8"
    on_progress: Callable[[int], Awaitable[None]] | None = None
    heard: list[Heard] = field(default_factory=list)
    done: int = 0
    stopped: bool = False

    async def run(self) -> None:
        """All calls, to their end."""
        self._next = 0
        self._watching = asyncio.Lock()
        async with self._connect() as self._session, asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._customer())

    async def ask_again(self) -> list[Heard]:
        """One more try of each call that came to an end, under its own key; these are not among those heard."""
        ended = [heard for heard in self.heard if heard.whole or heard.receipt]
        async with self._connect() as self._session:
            return [await self._try(Heard(heard.nonce, heard.stream, 0, prompt=heard.prompt)) for heard in ended]

    @staticmethod
    def _connect() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=90))

    def stop(self) -> None:
        """Begin no more calls."""
        self.stopped = True

    def outcome(self) -> dict[str, int]:
        """How many tries ended how."""
        return dict(Counter(_outcome(heard) for heard in self.heard))

    async def _customer(self) -> None:
        while self._next < self.requests and not self.stopped:
            number = self._next
            self._next += 1
            await self._call(number)
            self.done += 1
            if self.on_progress is not None:
                async with self._watching:
                    await self.on_progress(self.done)

    async def _call(self, number: int) -> None:
        stream = bool(self.stream_each) and number % self.stream_each == 0
        nonce = secrets.token_hex(8)
        for count in range(_MOST_TRIES):
            if count and not self.keyed:
                nonce = secrets.token_hex(8)
            heard = Heard(nonce, stream, 0, prompt=f"nonce={nonce} {self.prompt(number)}")
            self.heard.append(heard)
            await self._try(heard)
            if heard.status == 503:
                await asyncio.sleep(min(float(heard.retry_after or 1), _LONGEST_WAIT))
            elif heard.status is None or (self.keyed and not (heard.whole or heard.receipt)):
                await asyncio.sleep(_FIRST_PAUSE)
            else:
                return
        raise AssertionError(f"not answered in {_MOST_TRIES} tries: {self.heard[-1]}")

    async def _try(self, heard: Heard) -> Heard:
        heard.sent = time.monotonic()
        headers = {"authorization": f"Bearer {self.token}"}
        if self.keyed:
            headers["idempotency-key"] = heard.nonce
        messages = [{"role": "user", "content": heard.prompt}]
        asked = {"model": MODEL, "messages": messages, "max_tokens": 400, "stream": heard.stream}
        try:
            async with self._session.post(f"{self.url}/v1/chat/completions", json=asked, headers=headers) as answer:
                heard.status = answer.status
                heard.request_id = answer.headers.get("x-onevault-request-id")
                heard.retry_after = answer.headers.get("retry-after")
                body = await _read(answer)
                heard.seconds = time.monotonic() - heard.sent
                if answer.status != 200:
                    _hear_refusal(heard, body)
                elif heard.stream:
                    _hear_stream(heard, body)
                else:
                    _hear_plain(heard, body, answer.content_length)
        except (aiohttp.ClientError, ConnectionError):
            heard.broken = heard.status is not None
        heard.seconds = time.monotonic() - heard.sent
        return heard


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, or what came of it."""
    pieces = []
    try:
        async for piece in answer.content.iter_any():
            pieces.append(piece)  # noqa: PERF401 - what came before a failure counts
    except (aiohttp.ClientError, ConnectionError):
        pass
    return b"".join(pieces)


def _hear_plain(heard: Heard, body: bytes, length: int | None) -> None:
    if length is None or len(body) < length:
        heard.broken = True
        return
    said = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    heard.cost = _cost(said)
    heard.tokens = int(said["usage"]["completion_tokens"])
    heard.whole = said["onevault"]["request_id"] == heard.request_id


def _hear_stream(heard: Heard, body: bytes) -> None:
    events = [event for event in body.split(b"\n\n") if event.startswith(b"data: ")]
    heard.tokens = sum(b'" tok"' in event for event in events)
    if not body.endswith(b"data: [DONE]\n\n"):
        heard.broken = True
        return
    said = json.loads(events[-2].removeprefix(b"data: "), parse_float=Decimal, parse_int=Decimal)
    heard.cost = _cost(said)
    heard.whole = said["onevault"]["request_id"] == heard.request_id


def _cost(said: dict[str, Any]) -> Decimal | None:
    cost = said["onevault"]["cost"]["customer"]
    return None if cost is None else Decimal(cost)


def _hear_refusal(heard: Heard, body: bytes) -> None:
    try:
        error: dict[str, Any] = json.loads(body, parse_float=Decimal)["error"]
    except (ValueError, KeyError):
        heard.broken = True
        return
    heard.code = error["code"]
    receipt = error.get("request")
    if heard.code == "idempotency_conflict" and isinstance(receipt, dict):
        # The call of an earlier try: its id, and its cost if it is over.
        heard.request_id = receipt.get("request_id") or receipt.get("id")
        heard.receipt = receipt["status"] != "IN_FLIGHT"
        if heard.receipt:
            heard.cost = receipt["cost"]["customer"]


def _outcome(heard: Heard) -> str:
    if heard.whole:
        return "answered"
    if heard.broken:
        return "broke_off"
    return heard.code or "no_connection"
