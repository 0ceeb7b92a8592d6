"""Where the worker may connect to on a customer's word: to addresses of the public internet, and to networks that the
operator named.

A name is resolved once, every address that it leads to is looked at, and the connection goes to one of these: what the
name leads to a moment later does not matter.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

# Errors
#   Unreachable         this host is not called; `error_class` says why, in the words of admin.fn_explain_webhook

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HTTPS_PORT: Final = 443
_RESOLVE_SECONDS: Final = 5.0
_RESOLVERS: Final = 32
# Not public whatever a version of Python's tables says: addresses that stand for IPv4 ones, or that a relay translates.
_NEVER: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "fec0::/10",
    )
)


class Unreachable(Exception):
    """A host that is not called."""

    def __init__(self, error_class: str) -> None:
        super().__init__(error_class)
        self.error_class = error_class


def is_public(address: Address) -> bool:
    """Whether it is an address of one host on the public internet."""
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NEVER if network.version == address.version)
    )


class Egress:
    """Resolves and checks; `allowed` are networks that may be called besides, at any port."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        # Its own threads: a name server that hangs must not hold up the names of providers.
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")

    async def find(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, all of which may be called at this port. Raises `Unreachable`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                found = await loop.run_in_executor(self._threads, _resolve, host, port)
        except (OSError, UnicodeError):
            raise Unreachable("unknown_host") from None  # TimeoutError is an OSError
        named = all(self._is_named(address) for address in found)
        if not all(is_public(address) or self._is_named(address) for address in found):
            raise Unreachable("forbidden_address")
        if port != HTTPS_PORT and not named:
            raise Unreachable("forbidden_port")
        return found

    def close(self) -> None:
        """Wait for no name any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _is_named(self, address: Address) -> bool:
        return any(address in network for network in self._allowed if network.version == address.version)


def _resolve(host: str, port: int) -> list[Address]:
    """Each address once, in the system's order; one of IPv4 in IPv6's clothes as what it is."""
    found: dict[Address, None] = {}
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        found[mapped or address] = None
    return list(found)
