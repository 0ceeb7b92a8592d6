"""The worker's side of the link over TCP: whom it takes for a front, and what it does when one cannot be reached."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest

from onevault import pulse
from onevault.frames import Frame, FrameDecoder, FrameError, Hello, Ping, Wake, Welcome, encode
from onevault.link_address import FrontAddress
from onevault.link_tls import Credentials
from tests_py.litestar_app.kit import until
from tests_py.support.certificates import BOTH_USAGES, Certificates, bare_server
from tests_py.support.ports import free_port
from worker import link as worker_link
from worker import reach
from worker.connection import Listener
from worker.link import FrontGone, FrontUnreachable, Links

INSTANCE = "00112233aabbccdd"
OTHER = "ffeeddccbbaa9988"


class PlayedFront:
    """A front moved by hand, on a real port with real TLS."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.connections: list[asyncio.Transport] = []
        self.welcome: str | None = INSTANCE
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, context: ssl.SSLContext | None) -> AsyncIterator[PlayedFront]:
        """One that listens, and is gone at the end whatever has failed."""
        front = cls()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(front), "127.0.0.1", 0, ssl=context)
        front.port = server.sockets[0].getsockname()[1]
        try:
            yield front
        finally:
            server.close()
            for transport in tuple(front.connections):
                transport.abort()
            await until(lambda: not front.connections)

    def address(self, instance: str = INSTANCE, host: str = "127.0.0.1") -> str:
        return str(FrontAddress(host, self.port, instance))

    def say(self, frame: Frame) -> None:
        for transport in self.connections:
            transport.write(encode(frame))

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
        with contextlib.suppress(FrameError):  # what those say who speak TLS to one that does not
            self._receive(self._decoder.feed(data))

    def _receive(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._front.frames.append(frame)
            if isinstance(frame, Hello) and self._front.welcome is not None:
                self._transport.write(encode(Welcome(self._front.welcome)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.connections.remove(self._transport)


@pytest.fixture
async def front(certificates: Certificates) -> AsyncIterator[PlayedFront]:
    async with PlayedFront.open(Credentials(certificates.home, "front").context()) as opened:
        yield opened


@pytest.fixture
async def links(certificates: Certificates, tmp_path: Path) -> AsyncIterator[Links]:
    opened = Links("w1", tmp_path, certificates.home)
    yield opened
    await opened.close()


async def test_a_link_stands_when_the_front_has_said_who_it_is(links: Links, front: PlayedFront) -> None:
    woken: list[None] = []
    links.listen(Listener(lambda: woken.append(None), lambda link, work: None))
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
    async with PlayedFront.open(made(certificates, tmp_path)) as impostor:
        with pytest.raises(FrontUnreachable):
            await links.reach(impostor.address())
        assert impostor.frames == []
        assert links.allowance(64) == 0, "it reads no messages that others could serve"


async def test_the_name_that_was_dialled_counts(certificates: Certificates, links: Links, tmp_path: Path) -> None:
    named = certificates.spoil(tmp_path / "named", "front", names=("localhost",))
    async with PlayedFront.open(Credentials(named, "front").context()) as front:
        await links.reach(front.address(host="localhost"))
        with pytest.raises(FrontUnreachable):
            await links.reach(front.address(host="127.0.0.1"))


async def test_the_systems_authorities_are_not_asked(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Certificates(tmp_path / "foreign")
    monkeypatch.setenv("SSL_CERT_FILE", str(foreign.home / "ca.pem"))
    links = Links("w1", tmp_path, certificates.home)
    async with PlayedFront.open(bare_server(foreign.home)) as front:
        with pytest.raises(FrontUnreachable):
            await links.reach(front.address())
        assert front.frames == []
    await links.close()


async def test_a_front_that_never_says_who_it_is(
    links: Links, front: PlayedFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_link, "_DIAL_SECONDS", 0.5)
    front.welcome = None
    with pytest.raises(FrontUnreachable):
        await links.reach(front.address())
    assert links.get(front.address()) is None
    await until(lambda: not front.connections)


async def test_another_front_on_the_port_means_that_the_one_before_is_dead(links: Links, front: PlayedFront) -> None:
    with pytest.raises(FrontGone):
        await links.reach(front.address(OTHER))
    assert links.get(front.address(INSTANCE)) is not None, "who answers is a front all the same"
    with pytest.raises(FrontGone):
        await links.reach(front.address(OTHER))
    assert len(front.connections) == 1
    assert links.allowance(64) == 64


async def test_a_port_that_refuses_once_proves_nothing(links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(FrontAddress("127.0.0.1", free_port(), INSTANCE))
    with pytest.raises(FrontUnreachable):
        await links.reach(address)
    assert links.allowance(64) == 0
    monkeypatch.setattr(reach, "REFUSED_SECONDS", 0.0)
    with pytest.raises(FrontGone):
        await links.reach(address)
    assert links.allowance(64) == 64


async def test_a_worker_that_is_cut_off_reads_one_message_now_and_then(
    links: Links, front: PlayedFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "_FIRST_PAUSE_SECONDS", 0.05)
    with pytest.raises(FrontUnreachable):
        await links.reach(str(FrontAddress("127.0.0.1", free_port(), INSTANCE)))
    allowed: list[int] = []

    def ask() -> bool:
        allowed.append(links.allowance(64))
        return bool(allowed[-1])

    await until(ask)
    assert allowed[0] == 0
    assert allowed[-1] == 1
    assert links.allowance(64) == 0
    await links.reach(front.address())
    assert links.allowance(64) == 64


async def test_a_front_whose_link_broke_is_dialled_again(links: Links, front: PlayedFront) -> None:
    await links.reach(front.address())
    front.connections[0].abort()
    await until(lambda: links.get(front.address()) is None)
    links.greet_new_fronts()
    await until(lambda: links.get(front.address()) is not None)
    assert front.count(Hello) == 2


async def test_a_front_that_vanishes_without_a_word_is_noticed(
    links: Links, front: PlayedFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.2)
    link = await links.reach(front.address())
    await until(lambda: front.count(Ping) >= 2)
    await until(lambda: link.lost)  # the played front has sent no ping


async def test_pings_keep_a_quiet_link(links: Links, front: PlayedFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.2)
    link = await links.reach(front.address())
    before = 0
    while before < 8:  # twice as many beats as silence would be borne
        front.say(Ping())
        await asyncio.sleep(0.05)
        before = front.count(Ping)
    assert not link.lost


async def test_a_full_connection_blocks_and_is_freed(links: Links, front: PlayedFront) -> None:
    link = await links.reach(front.address())
    await until(lambda: len(front.connections) == 1)
    front.connections[0].pause_reading()
    sent = 0
    while not link.blocked:
        link.write(encode(Ping()) * 10_000)
        sent += 10_000
        assert sent < 100_000_000
        await asyncio.sleep(0)
    front.connections[0].resume_reading()
    async with asyncio.timeout(60):
        while front.count(Ping) < sent:
            await asyncio.sleep(0.01)
    await until(lambda: not link.blocked)


async def test_what_was_written_leaves_before_the_end(links: Links, front: PlayedFront) -> None:
    link = await links.reach(front.address())
    link.write(encode(Ping()) * 50_000)
    await links.close()
    assert link.lost
    await until(lambda: front.count(Ping) >= 50_000)


async def test_addresses_that_are_none(links: Links) -> None:
    for text in ("tcp:other:1", "tcp:/", "tcp:h:99999/0011223344556677", "http://x", "tcp:0.0.0.0:0/0011223344556677"):
        with pytest.raises(FrontUnreachable):
            await links.reach(text)
    assert links.allowance(64) == 64, "nonsense in a message says nothing about this worker"
