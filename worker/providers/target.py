"""Where a call goes and under which headers, prepared once; and the quirks of its server, read once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from onevault.tokens import Secret
from worker.providers.base import CallFailed

Headers = list[tuple[bytes, bytes]]
Told = tuple[tuple[str, str], ...]

USER_AGENT: Final = "onevault"
JSON: Final = "application/json"

_Quirks = TypeVar("_Quirks", bound=msgspec.Struct)


def read_quirks(kind: type[_Quirks], settings: msgspec.Raw, defaults: bytes = b"{}") -> _Quirks:
    """A server's quirks from its settings, over the defaults of its kind. Raises `CallFailed` for what is none."""
    found = _read(kind, bytes(settings), defaults)
    assert isinstance(found, kind)
    return found


@functools.lru_cache(maxsize=1024)
def _read(kind: type[msgspec.Struct], settings: bytes, defaults: bytes) -> msgspec.Struct:
    try:
        if defaults == b"{}":
            return msgspec.json.decode(settings, type=kind)
        return msgspec.convert(msgspec.json.decode(defaults) | msgspec.json.decode(settings), kind)
    except (msgspec.MsgspecError, TypeError):
        raise CallFailed("connect") from None


def find_target(
    endpoint: str | None,
    path: str,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    kind: str = JSON,
) -> tuple[httpx.URL, Headers]:
    """The address of a path at an endpoint, and the headers of every request to it. Raises `CallFailed`."""
    return _prepare(endpoint or "", path, tuple((headers or {}).items()), tuple((query or {}).items()), kind)


def bearer(key: Secret[str]) -> tuple[bytes, bytes]:
    """The header that brings a key as a bearer's token."""
    return b"authorization", b"Bearer " + key.reveal().encode()


@functools.lru_cache(maxsize=4096)
def _prepare(endpoint: str, path: str, told: Told, query: Told, kind: str) -> tuple[httpx.URL, Headers]:
    try:
        url = httpx.URL(endpoint.rstrip("/") + path)
        if query:
            url = url.copy_merge_params(dict(query))
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError
    except (httpx.InvalidURL, ValueError):
        raise CallFailed("connect") from None
    headers = {"content-type": kind, "accept-encoding": "identity", "user-agent": USER_AGENT}
    headers |= {name.lower(): value for name, value in told}
    return url, [(name.encode(), value.encode()) for name, value in headers.items()]
