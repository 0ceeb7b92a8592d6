"""Servers of customers' own: where the worker may go on their word, and what a name can do about it.

Mutants it catches: an address in the endpoint that nobody looks at; a name that is looked at once and then trusted; a
redirect that is followed; plain http; a server of the house that is kept to the same rules.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests_py.providers.openai import FakeOpenAI
from tests_py.support.endpoint import Endpoint
from tests_py.worker.kit import Remembered, attempt, call, candidate
from worker import egress
from worker.egress import Egress
from worker.guard import GuardedTransport
from worker.providers.base import CallFailed
from worker.providers.http import GUARDED, HttpProvider, close, post
from worker.providers.openai import OpenAIProvider

HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with Endpoint(tmp_path_factory.mktemp("endpoint")) as server:
        yield server


@pytest.fixture
async def strict() -> AsyncIterator[GuardedTransport]:
    transport = GuardedTransport(Egress())
    yield transport
    await transport.aclose()


def guarded(url: str) -> httpx.Request:
    request = post(httpx.URL(url), [(b"connection", b"close")], b"{}")
    request.extensions = {**request.extensions, GUARDED: True}
    return request


async def send(transport: GuardedTransport, url: str) -> int:
    """The status of the response. Raises `CallFailed`."""
    response = await HttpProvider(transport).send(guarded(url))
    await close(response)
    return response.status_code


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "0.0.0.0"]
)
async def test_no_address_inside_is_called(endpoint: Endpoint, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_file))  # nothing but the address speaks against it
    transport = GuardedTransport(Egress())
    with pytest.raises(CallFailed):
        await send(transport, endpoint.url("/inside", host))
    await transport.aclose()
    assert endpoint.at("/inside") == []


@pytest.mark.parametrize("url", ["http://8.8.8.8/v1", "https://2130706433/v1", "https://0x7f.1/v1", "https://127.1/v1"])
async def test_no_other_way_to_write_one_is_understood(strict: GuardedTransport, url: str) -> None:
    with pytest.raises(CallFailed):
        await send(strict, url)


async def test_networks_that_the_operator_named_are_called(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_file))
    transport = GuardedTransport(Egress(HERE))
    try:
        assert await send(transport, endpoint.url("/named")) == 200
        assert await send(transport, endpoint.url("/named", "127.0.0.1")) == 200
    finally:
        await transport.aclose()
    assert len(endpoint.at("/named")) == 2


async def test_a_name_is_looked_at_each_time(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to = ["127.0.0.1", "10.0.0.1"]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[egress.Address]:
        asked.append(leads_to[min(len(asked), 1)])
        return [ipaddress.ip_address(asked[-1])]

    monkeypatch.setattr(egress, "_resolve", resolve)
    monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_file))
    transport = GuardedTransport(Egress(HERE))
    try:
        assert await send(transport, endpoint.url("/rebound")) == 200
        with pytest.raises(CallFailed):
            await send(transport, endpoint.url("/rebound"))
    finally:
        await transport.aclose()
    assert asked == leads_to
    assert len(endpoint.at("/rebound")) == 1


async def test_no_redirect_is_followed(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_file))
    endpoint.location = endpoint.url("/redirected")
    transport = GuardedTransport(Egress(HERE))
    try:
        assert await send(transport, endpoint.url("/redirect")) == 302
    finally:
        await transport.aclose()
    assert endpoint.at("/redirected") == []


async def test_only_a_customers_own_server_is_guarded(strict: GuardedTransport) -> None:
    provider = OpenAIProvider(strict)
    with FakeOpenAI() as fake:
        output = Remembered()
        await provider.call(call(candidate(fake.endpoint("ok")), key="sk-played"), attempt(), output)
        assert output.data
        with pytest.raises(CallFailed) as caught:
            await provider.call(
                call(candidate(fake.endpoint("ok"), guarded=True), key="sk-played"), attempt(), Remembered()
            )
        assert (caught.value.error_class, len(fake.seen)) == ("connect", 1)
