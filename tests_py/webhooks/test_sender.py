"""One try: where it may lead, what it shows, and what an endpoint can do about it."""

from __future__ import annotations

import base64
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from onevault.errors import OperatorError
from onevault.tokens import Secret
from tests_py.support.certificates import Certificates
from tests_py.support.endpoint import Endpoint
from worker import webhooks
from worker.egress import Egress, Unreachable, is_public
from worker.webhooks import Event, Sender, sign

HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_LISTED = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 192.0.0.1 192.0.2.1 192.88.99.1
192.168.1.1 198.18.0.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
:: ::1 ::10.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:a00:1:: fc00::1
fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
"""
KEY = bytes(range(32))
INSIDE = sorted(set(_LISTED.split()))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with Endpoint(tmp_path_factory.mktemp("endpoint")) as server:
        yield server


@pytest.fixture
async def sender(endpoint: Endpoint) -> AsyncIterator[Sender]:
    opened = Sender(Egress(HERE), endpoint.ca_file)
    yield opened
    await opened.close()


def event(url: str, *keys: bytes) -> Event:
    return Event("evt_1", url, b'{"type": "t"}', 1_700_000_000, [Secret(key) for key in keys or (KEY,)])


def test_signatures_are_those_of_the_published_vector() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, tests of the reference libraries
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    vector = Event("msg_p5jXN8AQM9LWM0D4loKWxJek", "", b'{"test": 2432232314}', 1614265330, [Secret(secret)])
    assert sign(vector) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("address", INSIDE)
async def test_no_address_inside_is_called(address: str) -> None:
    with pytest.raises(Unreachable) as refused:
        await Egress().find(address, 443)
    assert refused.value.error_class == "forbidden_address"


@pytest.mark.parametrize("name", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "localhost", "localhost."])
async def test_nor_under_another_spelling(name: str, endpoint: Endpoint) -> None:
    before = endpoint.connections
    with pytest.raises(Unreachable) as refused:
        await Egress().find(name, endpoint.port)
    assert refused.value.error_class in ("forbidden_address", "unknown_host")
    outside = Sender(Egress(), endpoint.ca_file)
    assert (await outside.send(event(endpoint.url("/ok", name)))).http_status is None
    await outside.close()
    assert endpoint.connections == before


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
async def test_public_addresses_are_called_at_one_port(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert await Egress().find(address, 443) == [ipaddress.ip_address(address)]
    if "." in address:
        assert await Egress().find(f"::ffff:{address}", 443) == [ipaddress.ip_address(address)]
    with pytest.raises(Unreachable, match="forbidden_port"):
        await Egress().find(address, 8443)


async def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Any] = [(*[0] * 4, (address, 443)) for address in ("1.1.1.1", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    sender = Sender(Egress())
    outcome = await sender.send(event("https://both.example/hook"))
    await sender.close()
    assert (outcome.http_status, outcome.error_class) == (None, "forbidden_address")
    places.pop()
    assert await Egress().find("both.example", 443) == [ipaddress.ip_address("1.1.1.1")]


async def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, sender: Sender
) -> None:
    """A name that leads elsewhere at the second look: there is no second look, and the certificate is for the name."""
    asked = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(*[0] * 4, ("127.0.0.1" if len(asked) == 1 else "10.0.0.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    outcome = await sender.send(event(endpoint.url("/ok-rebound")))
    assert (outcome.http_status, asked) == (200, ["localhost"])
    assert endpoint.at("/ok-rebound")[0].headers["host"] == f"localhost:{endpoint.port}"


async def test_both_secrets_sign_while_one_takes_the_others_place(endpoint: Endpoint, sender: Sender) -> None:
    old, new = KEY, KEY[::-1]
    await sender.send(event(endpoint.url("/ok-both"), new, old)._replace(sent_at=int(time.time())))
    (request,) = endpoint.at("/ok-both")
    for key in (old, new):
        assert Webhook(base64.b64encode(key).decode()).verify(request.body, request.headers) == {"type": "t"}


@pytest.mark.parametrize(
    ("path", "status", "error_class"),
    [("/ok", 200, None), ("/status-503", 503, None), ("/redirect", 302, None), ("/endless", 200, None)],
)
async def test_the_status_is_all_that_is_taken(
    endpoint: Endpoint, sender: Sender, path: str, status: int, error_class: str | None
) -> None:
    outcome = await sender.send(event(endpoint.url(path)))
    assert (outcome.http_status, outcome.error_class) == (status, error_class)
    assert outcome.latency_ms < 5000


async def test_redirects_are_not_followed(endpoint: Endpoint, sender: Sender) -> None:
    endpoint.location = endpoint.url("/ok-landing")
    assert (await sender.send(event(endpoint.url("/redirect-home")))).http_status == 302
    assert endpoint.at("/ok-landing") == []


async def test_proxies_of_the_environment_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, sender: Sender
) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await sender.send(event(endpoint.url("/ok-direct")))).http_status == 200


async def test_what_goes_wrong_has_a_name(
    endpoint: Endpoint, sender: Sender, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert (await sender.send(event(f"https://127.0.0.1:{port}/"))).error_class == "connect"
    assert (await sender.send(event("https://nowhere.invalid/"))).error_class == "unknown_host"
    assert (await sender.send(event("https://exa mple/"))).error_class in ("bad_url", "unknown_host")
    assert (await sender.send(event(endpoint.url("/ok", "127.0.0.2")))).error_class in ("certificate", "connect")
    stranger = Sender(Egress(HERE))
    assert (await stranger.send(event(endpoint.url("/ok")))).error_class == "certificate"
    await stranger.close()
    with Endpoint(tmp_path / "other", ("other.example",)) as other:
        trusting = Sender(Egress(HERE), other.ca_file)
        assert (await trusting.send(event(other.url("/ok")))).error_class == "certificate"
        await trusting.close()
    monkeypatch.setattr(webhooks, "TRY_SECONDS", 0.5)
    assert (await sender.send(event(endpoint.url("/hang")))).error_class == "timeout"


def test_a_file_without_certificates_is_told_at_the_start(tmp_path: Path) -> None:
    Certificates(tmp_path)
    for name in ("nothing.pem", "ca.key"):
        with pytest.raises(OperatorError, match="ONEVAULT_WEBHOOK_CA_FILE"):
            Sender(Egress(), tmp_path / name)
