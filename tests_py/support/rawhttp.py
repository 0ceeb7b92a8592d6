"""HTTP by hand: bytes out as a test wants them, responses in as a strict client reads them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def talk(port: int, *pieces: bytes, seconds: float = 30) -> bytes:
    """Send the pieces, one write each, and give all that comes back until the server closes. It must close."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = bytearray()
    try:
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                while data := await reader.read(65536):
                    received += data
    finally:
        writer.close()
    return bytes(received)


def read_answers(raw: bytes) -> list[Answer]:
    """The responses that these bytes are; AssertionError if they are anything else besides."""
    found = []
    rest = raw
    while rest:
        head, mark, rest = rest.partition(b"\r\n\r\n")
        assert mark, f"half a head: {head!r}"
        lines = head.decode("ascii").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        if status == "100":
            continue
        names = [line.partition(": ")[0].lower() for line in lines[1:]]
        assert all(name.replace("-", "").isalnum() for name in names), head
        assert sum(name in ("content-length", "transfer-encoding", "content-type") for name in names) == 2, head
        headers = dict(zip(names, (line.partition(": ")[2] for line in lines[1:]), strict=True))
        if "content-length" in headers:
            length = int(headers["content-length"])
            assert len(rest) >= length, f"cut off: {head!r} {rest!r}"
            body, rest = rest[:length], rest[length:]
        else:
            body, rest = _unchunk(rest)
        found.append(Answer(int(status), headers, body))
    return found


def _unchunk(rest: bytes) -> tuple[bytes, bytes]:
    pieces = []
    while True:
        size, mark, rest = rest.partition(b"\r\n")
        assert mark, "a stream that was cut off"
        length = int(size, 16)
        pieces.append(rest[:length])
        assert rest[length : length + 2] == b"\r\n"
        rest = rest[length + 2 :]
        if length == 0:
            return b"".join(pieces), rest


def check_shape(answer: Answer) -> None:
    """An error in the contract's shape, OpenAI's or Anthropic's."""
    said = answer.json()
    error = said["error"]
    assert isinstance(error["message"], str), said
    assert isinstance(error["code"], str), said
    assert isinstance(error["type"], str), said
    assert answer.headers["content-type"].startswith("application/json"), answer.headers
