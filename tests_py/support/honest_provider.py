"""A provider in a process of its own that keeps the truth: what it was asked, and what it gave out until when.

    python -m tests_py.support.honest_provider        prints `port <number>`, serves until its input ends

It speaks OpenAI's chat completions. Every delta of a stream is one token of four bytes, and a prompt has a token for
every four bytes, so what it counts is what anybody can count who reads what it says. The prompt steers it, by words:

    nonce=…      which call this is                 tokens=8        how long the answer is
    first=5      ms before the first token          gap=2           ms between tokens
    usage=end    when it says what was used: at the end of a stream, on `every` chunk, only on the `first`, `never`
    gate=first   the first call with this nonce waits until `POST /release`

`GET /calls` gives every call so far (`Call` of tests_py/support/truth.py), `GET /state` what is open now. Its clock is
CLOCK_MONOTONIC, which all processes of a machine share. A call that is broken off ends when the provider notices.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from typing import Any, Final, cast

import uvloop

TOKEN: Final = " tok"
MODEL: Final = "honest-1"

_LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_WORD: Final = re.compile(r"\b(nonce|tokens|first|gap|usage|gate)=([\w-]+)")


class Books:
    """All calls of this provider, and the connections that are open."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.seen: dict[str, int] = {}
        self.open: set[Answerer] = set()
        self.gated: list[Answerer] = []

    def state(self) -> dict[str, int]:
        """Open connections, how many of them are in the middle of an answer, how many wait at the gate."""
        answering = sum(connection.call is not None for connection in self.open)
        return {"open": len(self.open), "answering": answering, "gated": len(self.gated), "calls": len(self.calls)}


class Answerer(asyncio.Protocol):
    """One connection: one call after the other."""

    def __init__(self, books: Books) -> None:
        self.call: dict[str, Any] | None = None
        self._books = books
        self._loop = asyncio.get_running_loop()
        self._input = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._words: dict[str, str] = {}
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._books.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._books.open.discard(self)
        if self in self._books.gated:
            self._books.gated.remove(self)
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if self.call is not None:
            if not self.call["stream"]:
                self.call["tokens"] = self._generated()
            self._end(whole=False)

    def data_received(self, data: bytes) -> None:
        self._input += data
        if self.call is None:
            self._begin()

    def go(self) -> None:
        """The gate is open."""
        self._later(0.0, self._speak)

    def _begin(self) -> None:
        head, blank, rest = self._input.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        size = int(length[1]) if length else 0
        if not blank or len(rest) < size:
            return
        body, self._input = rest[:size], rest[size:]
        path = head.split(b" ", 2)[1]
        if path in (b"/calls", b"/state", b"/release"):
            self._tell(path)
            return
        asked = json.loads(body)
        prompt = str(asked["messages"][-1]["content"])
        self._words = words = dict(_WORD.findall(prompt))
        nonce = words["nonce"]
        times = self._books.seen[nonce] = self._books.seen.get(nonce, 0) + 1
        limit = asked.get("max_tokens") or asked.get("max_completion_tokens") or 1 << 30
        self.call = {
            "nonce": nonce,
            "stream": bool(asked.get("stream")),
            "usage": words.get("usage", "end"),
            "prompt_tokens": (len(prompt.encode()) + 3) // 4,
            "wanted": min(int(words.get("tokens", "8")), limit),
            "tokens": 0,
            "whole": False,
            "began": time.monotonic(),
            "ended": None,
        }
        self._books.calls.append(self.call)
        if words.get("gate") == "first" and times == 1:
            self._books.gated.append(self)
        else:
            self._speak()

    def _speak(self) -> None:
        assert self.call is not None
        if self.call["stream"]:
            self._write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            self._event({"role": "assistant", "content": ""}, None)
            self._due = self._loop.time() + self._ms("first", 0)
            self._later(self._ms("first", 0), self._next_token)
        else:
            wait = self._ms("first", 0) + self._ms("gap", 0) * self.call["wanted"]
            self._later(wait, self._plain)

    def _plain(self) -> None:
        assert self.call is not None
        self.call["tokens"] = self.call["wanted"]
        message = {"role": "assistant", "content": TOKEN * self.call["tokens"]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {"id": "c-1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice]}
        body = json.dumps({**answer, "usage": self._usage()}).encode()
        self._write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        self._end(whole=True)

    def _next_token(self) -> None:
        assert self.call is not None
        gap = self._ms("gap", 0)
        while self.call["tokens"] < self.call["wanted"]:
            self.call["tokens"] += 1
            self._event({"content": TOKEN}, None)
            if gap:
                # A pace, not a pause: what a late loop missed is made up for one token a turn.
                self._due += gap
                self._later(max(self._due - self._loop.time(), 0.0), self._next_token)
                return
        self._event({}, "stop")
        if self.call["usage"] == "end":
            self._chunk({"choices": [], "usage": self._usage()})
        self._write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        self._end(whole=True)

    def _event(self, delta: dict[str, str], reason: str | None) -> None:
        assert self.call is not None
        chunk: dict[str, Any] = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        if self.call["usage"] == "every" or (self.call["usage"] == "first" and self.call["tokens"] == 0):
            chunk["usage"] = self._usage()
        self._chunk(chunk)

    def _chunk(self, chunk: dict[str, Any]) -> None:
        envelope = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        data = b"data: %b\n\n" % json.dumps({**envelope, **chunk}).encode()
        self._write(b"%x\r\n%b\r\n" % (len(data), data))

    def _usage(self) -> dict[str, int]:
        assert self.call is not None
        prompt, output = self.call["prompt_tokens"], self.call["tokens"]
        return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}

    def _generated(self) -> int:
        """Tokens of a plain answer that its pace has brought by now."""
        assert self.call is not None
        gap = self._ms("gap", 0)
        spent = time.monotonic() - self.call["began"] - self._ms("first", 0)
        return max(0, min(self.call["wanted"], int(spent / gap) if gap else 0))

    def _end(self, *, whole: bool) -> None:
        assert self.call is not None
        self.call["whole"] = whole
        self.call["ended"] = time.monotonic()
        self.call = None
        if whole and self._input:
            self._begin()

    def _ms(self, word: str, otherwise: int) -> float:
        return int(self._words.get(word, otherwise)) / 1000

    def _later(self, seconds: float, call: Any) -> None:
        self._timer = self._loop.call_later(seconds, call) if seconds else self._loop.call_soon(call)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _tell(self, path: bytes) -> None:
        said: object = self._books.calls if path == b"/calls" else self._books.state()
        if path == b"/release":
            for connection in self._books.gated:
                connection.go()
            self._books.gated.clear()
        body = json.dumps(said).encode()
        self._write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


async def serve() -> None:
    """Serve until standard input ends, which it does with the test, however that ends."""
    loop = asyncio.get_running_loop()
    books = Books()
    server = await loop.create_server(lambda: Answerer(books), "127.0.0.1", 0, backlog=1024)
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    over = asyncio.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, daemon=True).start()
    await over.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
