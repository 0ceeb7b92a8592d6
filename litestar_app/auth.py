"""Who is calling: the token's digest, and the address and agent that SQL may keep.

A token is taken from `Authorization: Bearer …` or from `x-api-key`. Its form and checksum are
checked here, so that junk never reaches the database; whether it is known, SQL says.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from litestar_app.errors import InvalidToken
from onevault.tokens import digest_token, parse_token

if TYPE_CHECKING:
    from litestar.types import HTTPScope

Headers = dict[bytes, bytes]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LONGEST_AGENT: Final = 256


class TokenDesk:
    """Turns a request's headers into token digests: `peppers` are the keys, newest first."""

    def __init__(self, peppers: Sequence[bytes]) -> None:
        self._peppers = tuple(peppers)

    def digests(self, headers: Headers) -> list[bytes]:
        """The digests under which SQL may know the caller's token. Raises `InvalidToken`.

        There is more than one only while the master key is being changed: the current one, the older one, and once more
        the current one, to which the token may have been moved between the two questions.
        """
        text = _bearer(headers.get(b"authorization")) or headers.get(b"x-api-key")
        if text is None:
            raise InvalidToken
        parsed = parse_token(text.decode("latin-1").strip())
        if parsed is None:
            raise InvalidToken
        digests = [digest_token(parsed.token, pepper) for pepper in self._peppers]
        return digests if len(digests) == 1 else [*digests, digests[0]]


class AddressBook:
    """Finds the caller's address, behind those proxies that are trusted to name it."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)
        self._is_trusted = lru_cache(4096)(self._look_up)

    def client_ip(self, scope: HTTPScope) -> str | None:
        """The peer's address; the last untrusted one of X-Forwarded-For if a trusted peer sent it."""
        client = scope["client"]
        if client is None:
            return None
        address = client[0]
        if not self._trusted or not self._is_trusted(address):
            return address
        lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        for hop in reversed(b",".join(lines).decode("latin-1").split(",")):
            candidate = hop.strip()
            if _parse(candidate) is None:
                break
            address = candidate
            if not self._is_trusted(candidate):
                break
        return address

    def _look_up(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def user_agent(headers: Headers) -> str | None:
    """The caller's agent, printable and of bounded length."""
    value = headers.get(b"user-agent")
    if value is None:
        return None
    text = value[:_LONGEST_AGENT].decode("latin-1")
    return text if text.isprintable() else "".join(c for c in text if c.isprintable())


def _bearer(value: bytes | None) -> bytes | None:
    if value is None:
        return None
    scheme, _, credentials = value.partition(b" ")
    return credentials if scheme.lower() == b"bearer" else None


@lru_cache(4096)
def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
