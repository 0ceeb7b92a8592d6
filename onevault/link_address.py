"""Where fronts listen for workers over TCP, and how a message names one of them.

    listen       0.0.0.0:7443 · 10.0.0.5:7443-7450 · [::]:0      a range: the first port that is free
    advertise    gateway-1.internal · 10.0.0.5:7443              what workers dial
    reply_to     tcp:gateway-1.internal:7443/9f86d081884c7d65    the last part is this very front process

The instance tells a front from the one that had its port before: its tickets are nobody else's.
All of them raise `ValueError` for a text that is something else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple

TCP: Final = "tcp:"

_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PLACE: Final = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9-]+))?")
_INSTANCE: Final = re.compile(r"[0-9a-f]{16}")


class Listen(NamedTuple):
    """Where to listen: an address of this machine and the ports to try, first to last; 0 is any."""

    host: str
    first: int
    last: int


class Advertised(NamedTuple):
    """How others reach this machine; without a port it is the one that is listened on."""

    host: str
    port: int | None


class FrontAddress(NamedTuple):
    """One front process on the network."""

    host: str
    port: int
    instance: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{TCP}{host}:{self.port}/{self.instance}"


def parse_listen(text: str) -> Listen:
    """`host:port` or `host:first-last`."""
    host, ports = _split(text)
    if ports is None:
        raise ValueError(text)
    first, dash, last = ports.partition("-")
    listen = Listen(host, _port(first), _port(last if dash else first))
    if listen.first > listen.last or (dash and not listen.first):
        raise ValueError(text)
    return listen


def parse_advertised(text: str) -> Advertised:
    """`host` or `host:port`; not an address that means every address."""
    host, port = _split(text)
    if is_any(host) or (port is not None and not _port(port)):
        raise ValueError(text)
    return Advertised(host, None if port is None else _port(port))


def parse_front_address(text: str) -> FrontAddress:
    """What `str` of a `FrontAddress` gives."""
    place, _, instance = text.removeprefix(TCP).rpartition("/")
    host, port = _split(place)
    if not text.startswith(TCP) or port is None or not _port(port) or not _INSTANCE.fullmatch(instance):
        raise ValueError(text)
    return FrontAddress(host, _port(port), instance)


def is_any(host: str) -> bool:
    """Whether this address means every address of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def check_name(text: str) -> str:
    """A host's name or address as a certificate may carry it: no wildcard, no address that means all."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if not _NAME.fullmatch(text) or len(text) > 253 or re.fullmatch(r"[0-9.]+", text):
            raise ValueError(text) from None
        return text
    if address.is_unspecified:
        raise ValueError(text)
    return str(address)


def _split(text: str) -> tuple[str, str | None]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    host = found["six"] or found["name"]
    if found["six"] and ipaddress.ip_address(host).version != 6:
        raise ValueError(text)
    return host if is_any(host) else check_name(host), found["port"]


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port
