"""The provider of `provider.c` in Python, for machines without a compiler: it costs more.

Same options, same bytes, one uvloop protocol per connection.
"""

import argparse
import asyncio
import json
import re
from typing import Final, cast

import uvloop

_STREAM: Final = re.compile(rb'"stream"\s*:\s*true')
_USAGE: Final = re.compile(rb'"include_usage"\s*:\s*true')
_LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)

USAGE: Final[dict[str, object]] = {
    "prompt_tokens": 12,
    "completion_tokens": 20,
    "total_tokens": 32,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}


def plain_answer() -> bytes:
    """One whole HTTP answer with a chat completion."""
    message = {"role": "assistant", "content": "One two three four five.", "refusal": None}
    body = json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1760000000,
            "model": "bench-model",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": USAGE,
        },
        separators=(",", ":"),
    ).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


def stream_pieces(chunks: int, *, usage: bool) -> list[bytes]:
    """The HTTP head, then one HTTP chunk per server-sent event, then the end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    pieces = [head + b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"]
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f" word{number}"} for number in range(1, chunks + 1)]
    deltas.append({})
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None}
        pieces.append(_event([{**choice, "finish_reason": None if delta else "stop"}], usage, None))
    if usage:
        pieces.append(_event([], usage, USAGE))
    return [*pieces, b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"]


def _event(choices: list[object], asked: bool, usage: dict[str, object] | None) -> bytes:
    chunk: dict[str, object] = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "bench-model",
        "choices": choices,
    }
    if asked:
        chunk["usage"] = usage
    data = b"data: %s\n\n" % json.dumps(chunk, separators=(",", ":")).encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


class Answerer(asyncio.Protocol):
    """One connection: reads whole requests and plays an answer to each."""

    def __init__(self, chunks: int, gap: float, first_byte: float) -> None:
        self._plain = [plain_answer()]
        self._streams = [stream_pieces(chunks, usage=usage) for usage in (False, True)]
        self._gap, self._first_byte = gap, first_byte
        self._input = b""
        self._answer: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._input += data
        if not self._answer:
            self._begin()

    def _begin(self) -> None:
        head, blank, rest = self._input.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if not blank or len(rest) < size:
            return
        body, self._input = rest[:size], rest[size:]
        streamed = _STREAM.search(body) is not None
        answer = self._streams[_USAGE.search(body) is not None] if streamed else self._plain
        self._answer = answer[::-1]
        self._later(self._first_byte)

    def _later(self, pause: float) -> None:
        loop = asyncio.get_running_loop()
        if pause:
            loop.call_later(pause, self._send)
        else:
            loop.call_soon(self._send)

    def _send(self) -> None:
        if self._transport is None:
            return
        self._transport.write(self._answer.pop())
        if self._answer:
            self._later(self._gap)
        else:
            self._begin()


async def serve(port: int, chunks: int, gap: float, first_byte: float) -> None:
    """Listen on a loopback port (0: a free one), print `port <number>`, answer until cancelled."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answerer(chunks, gap, first_byte), "127.0.0.1", port, backlog=1024)
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options of `provider.c` and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--gap-us", type=int, default=0)
    parser.add_argument("--first-byte-us", type=int, default=0)
    options = parser.parse_args()
    micro = 1e-6
    uvloop.run(serve(options.port, options.chunks, options.gap_us * micro, options.first_byte_us * micro))


if __name__ == "__main__":
    main()
