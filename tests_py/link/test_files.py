"""Addresses as people and messages write them, and certificates on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from pathlib import Path

import pytest

from onevault import pulse
from onevault.link_address import (
    Advertised,
    FrontAddress,
    Listen,
    parse_advertised,
    parse_front_address,
    parse_listen,
)
from onevault.link_authority import create_authority, find_certificates, load_authority
from onevault.link_tls import Credentials, LinkTlsError
from tests_py.support.certificates import Certificates, bare_client


def test_addresses_are_read_as_they_are_written() -> None:
    assert parse_listen("0.0.0.0:7443") == Listen("0.0.0.0", 7443, 7443)
    assert parse_listen("[::]:0") == Listen("::", 0, 0)
    assert parse_listen("10.0.0.5:7443-7450") == Listen("10.0.0.5", 7443, 7450)
    assert parse_advertised("gateway-1.internal") == Advertised("gateway-1.internal", None)
    assert parse_advertised("[fd00::5]:7443") == Advertised("fd00::5", 7443)
    for address in (FrontAddress("fd00::5", 7443, "0" * 16), FrontAddress("gateway-1", 1, "f" * 16)):
        assert parse_front_address(str(address)) == address


@pytest.mark.parametrize(
    "text", ["7443", "host", "host:", "host:x", "host:70000", "::1:7443", "h:9-8", "h:0-5", "a b:1"]
)
def test_what_cannot_be_listened_on_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_listen(text)


@pytest.mark.parametrize("text", ["0.0.0.0", "[::]", "host:0", "*.internal", "host/x", "1.2.3", "-h", ""])
def test_what_nobody_can_dial_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_advertised(text)


@pytest.mark.parametrize("role", ["front", "worker"])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, role: str) -> None:
    good = Certificates(tmp_path / "link")
    key = good.home / f"{role}.key"
    key.chmod(0o640)
    with pytest.raises(LinkTlsError, match=f"{key} has mode 0640: run `chmod 600 {key}`"):
        Credentials(good.home, role).context()  # type: ignore[arg-type]
    ca = good.home / "ca.key"
    ca.chmod(0o604)
    with pytest.raises(LinkTlsError, match="mode 0604"):
        load_authority(good.home)


def test_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    good, other = Certificates(tmp_path / "link"), Certificates(tmp_path / "other")
    (good.home / "worker.key").write_bytes((other.home / "worker.key").read_bytes())
    with pytest.raises(LinkTlsError, match="do not make a chain"):
        Credentials(good.home, "worker").context()
    (good.home / "worker.pem").write_text("?")
    with pytest.raises(LinkTlsError, match="is no certificate"):
        Credentials(good.home, "worker").context()


def test_every_key_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        good = Certificates(tmp_path / "link")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in good.home.glob("*.key")} == {0o600}
    assert good.home.stat().st_mode & 0o777 == 0o700


def test_an_authority_is_made_once(tmp_path: Path) -> None:
    assert create_authority(tmp_path / "link")
    before = (tmp_path / "link" / "ca.key").read_bytes()
    assert not create_authority(tmp_path / "link")
    assert (tmp_path / "link" / "ca.key").read_bytes() == before
    assert [facts.role for facts in find_certificates(tmp_path / "link")] == ["authority"]


async def test_a_loop_that_was_held_up_gives_up_on_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.05)
    silent: list[None] = []
    beats: list[None] = []
    watched = pulse.Pulse(lambda: beats.append(None), lambda: silent.append(None))
    await asyncio.sleep(0)
    time.sleep(0.5)  # ten beats long nothing ran here
    await asyncio.sleep(0.01)
    assert silent == []
    assert len(beats) == 1
    watched.stop()


@pytest.mark.parametrize("shown", [True, False])
def test_the_handshake_itself_asks_for_a_certificate(tmp_path: Path, *, shown: bool) -> None:
    good = Certificates(tmp_path / "link")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = Credentials(good.home, "front").context().wrap_bio(to_server, to_client, server_side=True)
    client = bare_client(good.home if shown else None).wrap_bio(to_client, to_server)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    with contextlib.suppress(ssl.SSLWantReadError):
        server.do_handshake()
    client.do_handshake()
    if shown:
        server.do_handshake()
        assert server.version() == "TLSv1.3"
    else:
        with pytest.raises(ssl.SSLError, match=r"(?i)peer did not return a certificate"):
            server.do_handshake()
