"""What the head of a request may be: its size, its framing, the host that it names.

llhttp, the parser under httptools, refuses by itself what is no HTTP: bare line ends, folded lines, blanks in names,
lengths that are not digits, a length beside chunks. What it lets pass and another server might read differently is
refused here, so that nobody's request can hide in somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

import httptools

from litestar_app.errors import GatewayError, HeadTooLarge, InvalidRequest, UrlTooLong, WrongHost

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_HEAD_LINES: Final = 100
MAX_URL_BYTES: Final = 8 * 1024

_ONCE: Final = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"transfer-encoding",
        b"user-agent",
        b"x-api-key",
    )
)
"""Lines of which two would leave it to each reader which one counts."""

_HOST: Final = re.compile(
    rb"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_PROBES: Final = (b"/healthz/", b"/metrics")
"""Who looks after a front reaches it by its address; none of this is a customer's."""

Headers = list[tuple[bytes, bytes]]


class HeadCheck:
    """Judges heads; `allowed` are the hosts that the gateway answers for, lower-case, empty for any."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(name.encode() for name in allowed)
        self._judge_host = lru_cache(1024)(self._look_at_host)

    def refusal(self, url: bytes, version: str, headers: Headers) -> GatewayError | None:
        """Why this head is refused; None if it is not."""
        if len(url) > MAX_URL_BYTES:
            return UrlTooLong(MAX_URL_BYTES)
        if len(headers) > MAX_HEAD_LINES:
            return HeadTooLarge(MAX_HEAD_LINES, MAX_HEAD_BYTES)
        if version not in ("1.1", "1.0"):
            return InvalidRequest("Speak HTTP/1.1.")
        named = dict(headers)
        if len(named) != len(headers):
            twice = _find_twice(headers)
            if twice is not None:
                return InvalidRequest(f"The header `{twice}` was sent twice.", twice)
        encoding = named.get(b"transfer-encoding")
        if encoding is not None and (version == "1.0" or encoding.strip(b" \t").lower() != b"chunked"):
            return InvalidRequest("Send the body with a Content-Length, or chunked.", "transfer-encoding")
        body = encoding is not None or b"content-length" in named
        if body and b"upgrade" in named and b"upgrade" in named.get(b"connection", b"").lower():
            # The parser would take the body for the other protocol's first words.
            return InvalidRequest("Speak HTTP/1.1, without asking for an upgrade of the connection.", "upgrade")
        host = named.get(b"host")
        if host is None:
            if version == "1.1" or self._allowed:
                return InvalidRequest("The `Host` header is missing.", "host")
        else:
            verdict = self._judge_host(host)
            if verdict is not None and (verdict != 421 or not url.startswith(_PROBES)):
                return WrongHost() if verdict == 421 else InvalidRequest("The `Host` header is malformed.", "host")
        if not url.startswith(b"/"):
            return _refuse_target(url, host)
        return None

    def _look_at_host(self, value: bytes) -> int | None:
        """The status for a host; None if it is one that the gateway answers for."""
        found = _HOST.fullmatch(value.strip(b" \t"))
        if found is None or int(found["port"] or 0) > 65535:
            return 400
        return 421 if self._allowed and found["name"].lower() not in self._allowed else None


def head_bytes(url: bytes, headers: Headers) -> int:
    """How long a head is that the parser has taken apart, near enough."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _refuse_target(url: bytes, host: bytes | None) -> GatewayError | None:
    """Targets that are no path: a whole URL must name the same host as `Host`; CONNECT's are refused."""
    problem = InvalidRequest("The request's target must be a path.")
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserError:
        return problem
    scheme, _, rest = url.partition(b"://")
    authority = re.split(rb"[/?#]", rest, maxsplit=1)[0]
    if scheme.lower() not in (b"http", b"https") or parsed.path is None:
        return problem
    if host is None or authority.lower() != host.strip(b" \t").lower():
        return InvalidRequest("The request's target names another host than `Host`.", "host")
    return None


def _find_twice(headers: Headers) -> str | None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and name in _ONCE:
            return name.decode()
        seen.add(name)
    return None
