"""The transport of a worker: one door to the providers of the house, and a guarded one to servers of customers' own.

Behind the guarded one a name is resolved anew for each connection, every address that it leads to is looked at, and the
connection goes to one of these; an address that stands in the endpoint itself is looked at before each request. No
redirect is followed by either.
"""

from __future__ import annotations

import ipaddress
import socket

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from worker.egress import HTTPS_PORT, Egress, Unreachable
from worker.providers.http import GUARDED
from worker.providers.wire import open_transport


class GuardedTransport:
    """Sends prepared requests. Needs a running loop; close it with `aclose`."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._context = httpx.create_ssl_context()
        self._open = open_transport(context=self._context)
        self._guarded: AiohttpTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response to a request. Raises httpx.ConnectError where a customer's server may not be reached."""
        if GUARDED not in request.extensions:
            return await self._open.handle_async_request(request)
        url = request.url
        if url.scheme != "https":
            raise httpx.ConnectError("a customer's server is reached by https only")
        if _is_address(url.host):
            await _find(self._egress, url.host, url.port or HTTPS_PORT)
        if self._guarded is None:
            self._guarded = open_transport(_Resolver(self._egress), self._context)
        return await self._guarded.handle_async_request(request)

    async def aclose(self) -> None:
        """End all connections."""
        await self._open.aclose()
        if self._guarded is not None:
            await self._guarded.aclose()


class _Resolver(AbstractResolver):
    """Names as `Egress` lets them be called."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await _find(self._egress, host, port)
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _find(egress: Egress, host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        return await egress.find(host, port)
    except Unreachable:
        raise OSError("this address may not be called") from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
