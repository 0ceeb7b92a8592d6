"""The front's TCP port for workers: who gets in, who does not, and that a good link goes on whatever knocks."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from litestar_app import remote
from litestar_app.sockets import LinkError
from onevault import pulse
from onevault.frames import Body, Chunk, Claim, End, Gone, Head, Hello, Ping, Wake, Welcome, encode
from onevault.link_address import Advertised, Listen, parse_front_address
from onevault.link_authority import issue_to
from onevault.link_tls import Credentials, LinkTlsError
from tests_py.litestar_app.kit import ANSWER, CHAT, Desk, Worker, event, receipt, running_front, until
from tests_py.support.certificates import BOTH_USAGES, Certificates, bare_client

LISTEN = Listen("127.0.0.1", 0, 0)


@pytest_asyncio.fixture
async def desk(certificates: Certificates) -> AsyncIterator[Desk]:
    async with running_front(link_listen=LISTEN, link_tls_dir=certificates.home) as desk:
        yield desk


def port(desk: Desk) -> int:
    return parse_front_address(desk.front.links.address).port


async def dial(desk: Desk, directory: Path, name: str = "w1") -> Worker:
    """A worker with good certificates, linked."""
    before = desk.front.links.workers
    context = Credentials(directory, "worker").context()
    _, worker = await asyncio.get_running_loop().create_connection(
        lambda: Worker(name), "127.0.0.1", port(desk), ssl=context, server_hostname="127.0.0.1"
    )
    await until(lambda: desk.front.links.workers > before)
    welcome = await worker.receive(Welcome)
    assert welcome.instance == parse_front_address(desk.front.links.address).instance
    return worker


async def is_turned_away(desk: Desk, context: ssl.SSLContext) -> None:
    """Whoever dials so is hung up on without a byte of ours, and what he says is read by nobody."""
    workers = desk.front.links.workers
    answer = b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port(desk), ssl=context)
        try:
            writer.write(encode(Hello("intruder")))
            async with asyncio.timeout(10):
                answer = await reader.read(1)
        finally:
            writer.transport.abort()
    except (ConnectionError, ssl.SSLError):
        pass
    assert answer == b""
    assert desk.front.links.workers == workers


async def is_hung_up_on(desk: Desk, context: ssl.SSLContext | None, said: bytes) -> bytes:
    """Says something and waits until the front hangs up; what it had answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port(desk), ssl=context)
    try:
        writer.write(said)
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.transport.abort()


async def test_a_call_goes_through(desk: Desk, certificates: Certificates) -> None:
    worker = await dial(desk, certificates.home)
    call = desk.post()
    body = await worker.claim(await desk.ticket())
    worker.answer(body.ticket)
    response = await call
    assert response.status_code == 200
    assert {name: response.json()[name] for name in ANSWER} == ANSWER
    assert desk.road.notified == [False], "hints arrive over TCP"
    assert worker.frames == [] or {type(frame) for frame in worker.frames} <= {Wake, Ping}


async def test_what_wakes_a_worker_and_a_large_body_pass(desk: Desk, certificates: Certificates) -> None:
    worker = await dial(desk, certificates.home)
    content = "ü" * 3_000_000
    call = desk.post({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]})
    assert await worker.receive(Wake) == Wake()
    body = await worker.claim(await desk.ticket())
    assert len(body.body) > 6_000_000
    worker.answer(body.ticket)
    assert (await call).status_code == 200


class Intruder:
    """One way of dialling that must lead nowhere."""

    def __init__(self, name: str, make: Callable[[Certificates, Path], ssl.SSLContext]) -> None:
        self.name = name
        self.make = make


INTRUDERS = [
    Intruder("no certificate", lambda good, place: bare_client(None)),
    Intruder(
        "a certificate of another authority", lambda good, place: bare_client(Certificates(place / "foreign").home)
    ),
    Intruder("an expired one", lambda good, place: bare_client(good.spoil(place / "x", "worker", expired=True))),
    Intruder("that of a front", lambda good, place: bare_client(good.home, "front")),
    Intruder(
        "that of a front which may be used by clients",
        lambda good, place: bare_client(good.spoil(place / "x", "front", usage=BOTH_USAGES), "front"),
    ),
    Intruder("TLS 1.2", lambda good, place: bare_client(good.home, maximum_version=ssl.TLSVersion.TLSv1_2)),
]


@pytest.mark.parametrize("intruder", INTRUDERS, ids=lambda intruder: intruder.name)
async def test_who_is_no_worker_gets_nothing(
    desk: Desk, certificates: Certificates, tmp_path: Path, intruder: Intruder
) -> None:
    good = await dial(desk, certificates.home)
    call = desk.post({**CHAT, "stream": True})
    body = await good.claim(await desk.ticket())
    good.begin(body.ticket)
    good.send(Chunk(body.ticket, event("Hi")))
    context = intruder.make(certificates, tmp_path)
    for _ in range(3):
        await is_turned_away(desk, context)
    good.send(Chunk(body.ticket, event("there")), End(body.ticket, receipt()))
    assert (await call).text.count("chat.completion.chunk") == 3


async def test_plain_speech_is_not_understood(desk: Desk, certificates: Certificates) -> None:
    good = await dial(desk, certificates.home)
    for said in (encode(Claim(bytes(16), "standard", 1, 1)), b"GET / HTTP/1.1\r\n\r\n", b"\0" * 4096):
        answer = await is_hung_up_on(desk, None, said)
        assert answer[:1] in (b"", b"\x15"), "a TLS alert at most"
    assert desk.front.links.workers == 1
    assert not good.lost.is_set()


async def test_handshakes_that_are_slow_or_many_keep_nobody_out(
    desk: Desk, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MOST_HANDSHAKES", 8)
    silent = [await asyncio.open_connection("127.0.0.1", port(desk)) for _ in range(40)]
    good = await dial(desk, certificates.home)
    async with asyncio.timeout(10):  # the oldest are given up long before their five seconds
        for reader, _ in silent[:30]:
            assert await reader.read() == b""
    assert len(desk.front.links._gate._arriving) <= 8  # type: ignore[attr-defined]
    for _, writer in silent:
        writer.close()
    assert not good.lost.is_set()


async def test_a_handshake_has_a_deadline(
    desk: Desk, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "HANDSHAKE_SECONDS", 0.2)
    assert await is_hung_up_on(desk, None, b"\x16\x03\x01") == b""


async def test_a_worker_that_says_nothing_is_hung_up_on(
    desk: Desk, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "HELLO_SECONDS", 0.2)
    assert await is_hung_up_on(desk, bare_client(certificates.home), b"") == b""


@pytest.mark.parametrize("frame", [Claim(bytes(16), "standard", 1, 1), Head(bytes(16), "", "", "", ""), Wake()])
async def test_the_first_frame_must_be_hello(
    desk: Desk, certificates: Certificates, frame: Claim | Head | Wake
) -> None:
    assert await is_hung_up_on(desk, bare_client(certificates.home), encode(frame)) == b""


async def test_a_worker_that_dials_anew_has_given_up_its_old_connection(desk: Desk, certificates: Certificates) -> None:
    first = await dial(desk, certificates.home, "same")
    other = await dial(desk, certificates.home, "other")
    call = desk.post()
    body = await first.claim(await desk.ticket(), msg_id=7)
    context = Credentials(certificates.home, "worker").context()
    _, second = await asyncio.get_running_loop().create_connection(
        lambda: Worker("same"), "127.0.0.1", port(desk), ssl=context, server_hostname="127.0.0.1"
    )
    await until(lambda: desk.reads.released == [("standard", 7, 1, 0)])
    again = await second.claim(body.ticket, msg_id=7, read_ct=2) if await second.receive(Welcome) else body
    second.answer(again.ticket)
    assert (await call).status_code == 200
    assert first.lost.is_set()
    assert not other.lost.is_set()


async def test_a_worker_that_vanishes_without_a_word_is_noticed(
    desk: Desk, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.2)
    living, frozen = await dial(desk, certificates.home, "w1"), await dial(desk, certificates.home, "w2")
    call = desk.post()
    body = await frozen.claim(await desk.ticket(), msg_id=7)
    frozen.transport.pause_reading()  # it acknowledges nothing above the kernel, and says nothing
    beating = asyncio.create_task(beat(living))
    try:
        await until(lambda: desk.reads.released == [("standard", 7, 1, 0)])
        assert not living.lost.is_set(), "a ping is a sign of life"
        assert any(isinstance(frame, Ping) for frame in living.frames)
        living.frames.clear()
        body = await claim_among_pings(living, body.ticket)
        living.answer(body.ticket)
        assert (await call).status_code == 200
    finally:
        beating.cancel()
        frozen.die()
        await frozen.lost.wait()


async def beat(worker: Worker) -> None:
    while True:
        worker.send(Ping())
        await asyncio.sleep(0.1)


async def claim_among_pings(worker: Worker, ticket: bytes) -> Body:
    worker.send(Claim(ticket, "standard", 7, 2))
    await until(lambda: any(isinstance(frame, Body) for frame in worker.frames))
    return next(frame for frame in worker.frames if isinstance(frame, Body))


async def test_an_unknown_ticket_is_gone(desk: Desk, certificates: Certificates) -> None:
    worker = await dial(desk, certificates.home)
    worker.send(Claim(b"\0" * 16, "standard", 1, 1))
    assert await worker.receive(Gone) == Gone(b"\0" * 16, "unknown_ticket", 0)


async def test_a_slow_worker_holds_up_what_is_written_and_loses_nothing(desk: Desk, certificates: Certificates) -> None:
    worker = await dial(desk, certificates.home)
    worker.transport.pause_reading()
    content = "x" * 4_000_000
    calls = [desk.post({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}) for _ in range(4)]
    tickets = [bytes.fromhex(await desk.ticket(number)) for number in range(4)]
    worker.send(*(Claim(ticket, "standard", 1, 1) for ticket in tickets))
    await until(lambda: all(answer.link is not None for answer in desk.front.links._answers.values()))
    worker.transport.resume_reading()
    await until(lambda: sum(isinstance(frame, Body) for frame in worker.frames) == 4)
    for ticket in tickets:
        worker.answer(ticket)
    assert [response.status_code for response in await asyncio.gather(*calls)] == [200] * 4


async def test_a_renewed_certificate_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "link")
    async with running_front(link_listen=LISTEN, link_tls_dir=certificates.home) as desk:
        first = await dial(desk, certificates.home)
        serial = first.transport.get_extra_info("peercert")["serialNumber"]
        issue_to(certificates.authority, certificates.home, "front", ("127.0.0.1",), replace=True)
        second = await dial(desk, certificates.home, "w2")
        assert second.transport.get_extra_info("peercert")["serialNumber"] != serial
        (certificates.home / "front.pem").write_text("half a cert")
        await dial(desk, certificates.home, "w3")


async def test_the_system_s_authorities_are_not_asked(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Certificates(tmp_path / "foreign")
    monkeypatch.setenv("SSL_CERT_FILE", str(foreign.home / "ca.pem"))
    async with running_front(link_listen=LISTEN, link_tls_dir=certificates.home) as desk:
        await is_turned_away(desk, bare_client(foreign.home))


def test_every_address_needs_one_that_is_told(certificates: Certificates) -> None:
    with pytest.raises(LinkError, match="ONEVAULT_LINK_ADVERTISE"):
        remote.RemoteGate(Listen("0.0.0.0", 0, 0), None, certificates.home)


def test_the_first_free_port_of_a_range_is_taken_and_the_advertised_one_told(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        gate = remote.RemoteGate(Listen("127.0.0.1", first, min(first + 50, 65535)), None, certificates.home)
        assert first < parse_front_address(gate.address).port <= first + 50
        gate._listener.close()
        with pytest.raises(LinkError, match=f"port {first} .*ONEVAULT_LINK_LISTEN"):
            remote.RemoteGate(Listen("127.0.0.1", first, first), None, certificates.home)
    gate = remote.RemoteGate(LISTEN, Advertised("gateway-1", 7443), certificates.home)
    assert gate.address == f"tcp:gateway-1:7443/{gate.instance}"
    gate._listener.close()


def test_a_front_without_certificates_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(LinkTlsError, match="onevault link init"):
        remote.RemoteGate(LISTEN, None, tmp_path)
