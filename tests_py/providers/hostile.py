"""What a provider does who means harm, or is broken in a way that looks like it: bombs, floods, drips, garbage."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from tests_py.providers import wire
from tests_py.providers.server import Seen, Step

if TYPE_CHECKING:
    from tests_py.providers.behaviours import Behaviour
    from tests_py.providers.fake import FakeProvider

_MEGABYTE = 1 << 20
_BLOCK = 16 * _MEGABYTE
_START = b'{"choices":[],"x":"'


async def zipped_twice(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Two gzip members, cut in the middle of the answer."""
    whole = (
        b"".join(wire.events(fake.text, fake.usage)) if seen.body.get("stream") else wire.answer(fake.text, fake.usage)
    )
    body = wire.gzip(whole[:200]) + wire.gzip(whole[200:])
    kind = "text/event-stream" if seen.body.get("stream") else "application/json"
    yield wire.plain(body, "content-encoding: gzip", content_type=kind)


async def deflated(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """zlib's own format, under HTTP's name for it."""
    yield wire.plain(zlib.compress(wire.answer(fake.text, fake.usage)), "content-encoding: deflate")


async def zipped_short(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """A gzip member without its end."""
    yield wire.plain(wire.gzip(wire.answer(fake.text, fake.usage))[:-20], "content-encoding: gzip")


async def brotli(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """An encoding that nobody asked for."""
    yield wire.plain(wire.answer(fake.text, fake.usage), "content-encoding: br")


async def zstd(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Another one."""
    yield wire.plain(wire.answer(fake.text, fake.usage), "content-encoding: zstd")


async def zipped_over(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """One encoding upon another."""
    yield wire.plain(wire.gzip(wire.gzip(wire.answer(fake.text, None))), "content-encoding: gzip, gzip")


async def big_bomb(fake: FakeProvider, seen: Seen, megabytes: int) -> AsyncIterator[Step]:
    """An answer of a thousandth of what it unpacks to, in one gzip member; a stream's event, if it is one."""
    packer = zlib.compressobj(9, wbits=31)
    start = b"data: " + _START if seen.body.get("stream") else _START
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * _BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)  # it stands by itself
    kind = "text/event-stream" if seen.body.get("stream") else "application/json"
    yield wire.plain(head + block * (megabytes // 16), "content-encoding: gzip", content_type=kind)


async def many_bombs(fake: FakeProvider, seen: Seen, megabytes: int) -> AsyncIterator[Step]:
    """The same in many members, after a whole answer."""
    member = wire.gzip(b" " * _BLOCK)
    body = wire.gzip(wire.answer(fake.text, fake.usage)) + member * (megabytes // 16)
    yield wire.plain(body, "content-encoding: gzip")


async def bomb_in_error(fake: FakeProvider, seen: Seen, megabytes: int) -> AsyncIterator[Step]:
    """A refusal that unpacks to much."""
    body = wire.gzip(b" " * _BLOCK) * (megabytes // 16)
    yield wire.plain(body, "content-encoding: gzip", status=500)


async def endless_nothing(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Packed bytes without end that unpack to nothing."""
    packer = zlib.compressobj(wbits=31)
    yield wire.stream_head("content-encoding: gzip").replace(b"text/event-stream", b"application/json")
    yield wire.piece(packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH))
    while True:
        yield wire.piece(b"\x00\x00\x00\xff\xff" * 200_000)
        yield 0.0


async def endless_head(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Header lines without end."""
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x-more: and more\r\n" * 1000
        yield 0.0


async def long_header(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """One header line without end."""
    yield b"HTTP/1.1 200 OK\r\nx-more: "
    while True:
        yield b"x" * 65536
        yield 0.0


async def long_status(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """A status line without end."""
    yield b"HTTP/1.1 200 "
    while True:
        yield b"O" * 65536
        yield 0.0


async def endless_hints(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Interim responses without end."""
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 10
        yield 0.05


async def drip(fake: FakeProvider, seen: Seen, milliseconds: int) -> AsyncIterator[Step]:
    """A head, a byte at a time, for ever."""
    yield b"HTTP/1.1 200 OK\r\nx: "
    while True:
        yield b"x"
        yield milliseconds / 1000


async def chunk_garbage(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Chunks whose sizes are none, a while after a good one."""
    yield wire.stream_head()
    yield wire.piece(wire.events(fake.text, None)[0])
    yield 0.2
    yield b"zz\r\n\xff\xfe\r\n-1\r\n"
    yield 0.05
    yield None


async def lying_length(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Two lengths that contradict each other."""
    body = wire.answer(fake.text, fake.usage)
    yield wire.plain(body, "content-length: 3")


async def split_head(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Headers that would be the customer's if they were passed on."""
    body = wire.answer(fake.text, fake.usage)
    yield wire.plain(
        body,
        "set-cookie: a=b",
        "x-injected: 1",
        "x-onevault-cost: 0",
        "location: http://127.0.0.1:1/",
        content_type="text/html; x-injected=1",
    )


async def elsewhere(fake: FakeProvider, seen: Seen, port: int) -> AsyncIterator[Step]:
    """Sends its caller to another port of this machine."""
    yield wire.plain(b"{}", f"location: http://127.0.0.1:{port}/v1/chat/completions", status=307)


BEHAVIOURS: dict[str, Behaviour] = {
    make.__name__.replace("_", "-"): make
    for make in (
        zipped_twice, deflated, zipped_short, brotli, zstd, zipped_over, big_bomb, many_bombs, bomb_in_error,
        endless_nothing, endless_head, long_header, long_status, endless_hints, drip, chunk_garbage, lying_length,
        split_head, elsewhere,
    )
}  # fmt: skip
