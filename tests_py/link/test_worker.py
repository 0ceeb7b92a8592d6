"""The worker's side of the link over TCP: whom it takes for a front, and what becomes of its requests when a link breaks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest

from onevault.frames import Claim, Frame, FrameDecoder, Hello, Wake, Welcome, encode
from onevault.link_address import FrontAddress
from onevault.link_tls import Credentials
from tests_py.litestar_app.kit import until
from tests_py.support.certificates import BOTH_USAGES, Certificates, bare_server
from worker.link import FrontUnreachable, Links

INSTANCE = "00112233aabbccdd"
OTHER = "ffeeddccbbaa9988"


class PlayedFront:
    """A front moved by hand, on a real port with real TLS."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.connections: list[asyncio.Transport] = []
        self.welcome: str | None = INSTANCE
        self.silent = False
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self, context: ssl.SSLContext | None, port: int = 0) -> PlayedFront:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def address(self, instance: str = INSTANCE, host: str = "127.0.0.1") -> str:
        return str(FrontAddress(host, self.port, instance))

    def say(self, frame: Frame) -> None:
        for transport in self.connections:
            transport.write(encode(frame))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for transport in tuple(self.connections):
            transport.abort()

    def count(self, kind: type[Frame]) -> int:
        return sum(isinstance(frame, kind) for frame in self.frames)


class _Connection(asyncio.Protocol):
    def __init__(self, front: PlayedFront) -> None:
        self._front = front
        self._decoder = FrameDecoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._front.connections.append(self._transport)

    def data_received(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self._front.frames.append(frame)
            if isinstance(frame, Hello) and self._front.welcome is not None:
                self._transport.write(encode(Welcome(self._front.welcome)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.connections.remove(self._transport)


@pytest.fixture
async def front(certificates: Certificates) -> AsyncIterator[PlayedFront]:
    opened = await PlayedFront().open(Credentials(certificates.home, "front").context())
    yield opened
    opened.close()
    await until(lambda: not opened.connections)


@pytest.fixture
async def links(certificates: Certificates, tmp_path: Path) -> AsyncIterator[Links]:
    opened = Links("w1", tmp_path, certificates.home)
    yield opened
    await opened.close()


async def test_a_link_stands_when_the_front_has_said_who_it_is(links: Links, front: PlayedFront) -> None:
    woken: list[None] = []
    links.on_wake(lambda: woken.append(None))
    link = await links.reach(front.address())
    assert links.get(front.address()) is link
    assert await links.reach(front.address()) is link
    assert front.frames == [Hello("w1")]
    front.say(Wake())
    await until(lambda: bool(woken))


async def test_many_that_dial_at_once_share_one_connection(links: Links, front: PlayedFront) -> None:
    found = await asyncio.gather(*(links.reach(front.address()) for _ in range(20)))
    assert len(set(found)) == 1
    assert len(front.connections) == 1


Make = Callable[[Certificates, Path], ssl.SSLContext | None]
IMPOSTORS: dict[str, Make] = {
    "of another authority": lambda good, place: bare_server(Certificates(place / "foreign").home),
    "expired": lambda good, place: bare_server(good.spoil(place / "x", "front", expired=True)),
    "a worker's": lambda good, place: bare_server(good.home, "worker"),
    "a worker's which servers may use": lambda good, place: bare_server(
        good.spoil(place / "x", "worker", usage=BOTH_USAGES), "worker"
    ),
    "of another host": lambda good, place: bare_server(
        good.spoil(place / "x", "front", names=("elsewhere", "10.9.9.9"))
    ),
    "none: plain TCP": lambda good, place: None,
}


@pytest.mark.parametrize("made", IMPOSTORS.values(), ids=IMPOSTORS.keys())
async def test_who_is_no_front_hears_nothing(
    links: Links, certificates: Certificates, tmp_path: Path, made: Make
) -> None:
    impostor = await PlayedFront().open(made(certificates, tmp_path))
    impostor.welcome = INSTANCE
    if made(certificates, tmp_path / "again") is None:  # it cannot even read what comes
        impostor.frames.append(Wake())
        _silence(impostor)
    with pytest.raises(FrontUnreachable):
        await links.reach(impostor.address())
    assert impostor.count(Hello) == 0
    assert impostor.count(Claim) == 0
    assert links.allowance(64) == 0, "it reads no messages that others could serve"
    impostor.close()
    await until(lambda: not impostor.connections)
