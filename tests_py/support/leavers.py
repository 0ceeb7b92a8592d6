"""Customers who hang up: before the answer, after so many bytes of it, after the last one; politely or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
import socket
import struct
from dataclasses import dataclass
from typing import Final, Literal

from tests_py.support.honest_provider import MODEL

_EVENT_BYTES: Final = 150
_READ_SECONDS: Final = 60


@dataclass
class Plan:
    """One call and its end. `after`: seconds before the head (`early`), or bytes of the response (`middle`)."""

    nonce: str
    stream: bool
    when: Literal["early", "middle", "last"]
    after: float
    how: Literal["rst", "fin"]
    prompt: str
    got: int = 0

    @property
    def agent(self) -> str:
        """What it calls itself, by which its row is found in the books."""
        return f"leaver/{self.nonce}"


def draw(chance: random.Random) -> Plan:
    """A call that takes from a quarter of a second to one, and some moment to leave it."""
    tokens, gap = chance.randint(100, 300), chance.randint(2, 4)
    stream = chance.random() < 0.7
    when = chance.choices(("early", "middle", "last"), (2, 7, 1))[0]
    if when == "early" or not stream:
        after = chance.uniform(0.0, tokens * gap / 1000 if not stream else 0.3)
        when = "early" if when == "middle" else when
    else:
        after = chance.randint(1, tokens * _EVENT_BYTES)
    nonce = f"{chance.getrandbits(64):016x}-{secrets.token_hex(2)}"
    usage = chance.choice(("end", "end", "every", "first", "never"))
    padding = "x" * chance.randint(0, 400)
    prompt = f"nonce={nonce} tokens={tokens} gap={gap} first={chance.randint(0, 100)} usage={usage} {padding}"
    how: Literal["rst", "fin"] = "rst" if chance.random() < 0.5 else "fin"
    return Plan(nonce, stream, when, after, how, prompt)  # type: ignore[arg-type]


async def call_and_leave(port: int, token: str, plan: Plan) -> None:
    """Make the call, read as the plan says, hang up."""
    body = json.dumps(
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": plan.prompt}],
            "max_tokens": 1000,
            "stream": plan.stream,
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        f"user-agent: {plan.agent}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        if plan.when == "early":
            await asyncio.sleep(plan.after)
        else:
            async with asyncio.timeout(_READ_SECONDS):
                await _read(reader, plan)
    finally:
        line: socket.socket = writer.get_extra_info("socket")
        if plan.how == "rst":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader, plan: Plan) -> None:
    """Up to the byte at which the plan leaves; without one, to the end of the answer."""
    end = b"data: [DONE]\n\n\r\n0\r\n\r\n" if plan.stream else b""
    said = b""
    while plan.when == "last" or plan.got < plan.after:
        most = 65536 if plan.when == "last" else int(plan.after) - plan.got
        piece = await reader.read(min(most, 65536))
        plan.got += len(piece)
        said = (said + piece)[-65536:]
        if not piece or (plan.stream and said.endswith(end)) or (not plan.stream and said.endswith(b"}}}")):
            return
