"""HTTP as adapters need it: the shared transport, bounded reading, and failures as classes."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import os
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import _EXC_SENTINEL as _NO_CAUSE
from aiohttp.helpers import set_exception
from httpx_aiohttp import AiohttpTransport

from worker.providers.base import CallFailed
from worker.shapes import ErrorClass

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
MAX_ERROR_BYTES: Final = 64 * 1024
CONNECT_SECONDS: Final = 10.0
_ANY_ZLIB: Final = zlib.MAX_WBITS | 32
_UNPACKED_BYTES: Final = 256 * 1024
_REST_SECONDS: Final = 0.25
_REST_TURN_SECONDS: Final = 0.002
_MAX_RETRY_AFTER_MS: Final = 86_400_000

TIMEOUTS: Final = {"timeout": {"connect": CONNECT_SECONDS}}
"""Extensions of every request: only connecting is timed here, the worker's watch does the rest."""

WIRE_ERRORS: Final = (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError)
"""All that sending a request or reading a response may raise; ValueError is malformed HTTP."""


class _Handler(ResponseHandler):
    """aiohttp's end of a connection, whose reader learns at once that a body's framing is broken.

    aiohttp closes the connection then, and leaves whoever reads the body to wait.
    """

    def set_exception(self, exc: BaseException, exc_cause: BaseException = _NO_CAUSE) -> None:
        payload = self._payload
        super().set_exception(exc, exc_cause)
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            set_exception(payload, aiohttp.ClientPayloadError("the body's framing is broken"), exc)


def open_transport(resolver: AbstractResolver | None = None, context: ssl.SSLContext | None = None) -> AiohttpTransport:
    """A transport over connections that are kept. Needs a running loop; close it with `aclose`.

    It keeps no cookies, follows no redirects and decompresses nothing. With a `resolver` a name is asked of it for each
    connection. A TLS `context` that others use too saves the time and memory of another one.
    """
    context = context or httpx.create_ssl_context()
    connector = aiohttp.TCPConnector(
        limit=0,
        ttl_dns_cache=60,
        use_dns_cache=resolver is None,
        resolver=resolver,
        keepalive_timeout=30,
        ssl=context,
        enable_cleanup_closed=False,
    )
    connector._factory = functools.partial(_Handler, loop=asyncio.get_running_loop())  # type: ignore[assignment]
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=256 * 1024,
    )
    # Addresses are written as httpx writes them: a signature holds for those very bytes.
    object.__setattr__(session, "_build_url", functools.partial(yarl.URL, encoded=True))
    return AiohttpTransport(verify=context, client=session)


async def read_pieces(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """The body, decompressed, piece by piece.

    Raises `CallFailed` (server_error) past `limit` bytes and for an encoding that was not asked
    for and is not understood; what the transport raises passes through.
    """
    encoding = _read_encoding(response.headers)
    stream = _read_to_the_end(response)
    size = 0
    if encoding in (b"", b"identity"):
        async for piece in stream:
            size += len(piece)
            if size > limit:
                raise CallFailed("server_error")
            yield piece
        return
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise CallFailed("server_error")
    async for plain in _unpack(stream, limit):
        size += len(plain)
        if size > limit:
            raise CallFailed("server_error")
        yield plain


async def _read_to_the_end(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it came: also what came in the same moment as the connection's end, which would be kept back."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        async for piece in stream:
            yield piece
    except WIRE_ERRORS:
        content = getattr(getattr(stream, "_aiohttp_response", None), "content", None)
        if isinstance(content, aiohttp.StreamReader) and (piece := content._read_nowait(-1)):
            yield piece
        raise


async def _unpack(stream: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """What gzip or zlib packed, at most 256 kB a piece; several gzip members are one body, as RFC 1952 has it."""
    unpacker = zlib.decompressobj(wbits=_ANY_ZLIB)
    begun = False  # within a member
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > limit:  # packed bytes that unpack to nothing count too
            raise CallFailed("server_error")
        packed = piece
        while packed:
            begun = True
            try:
                plain = unpacker.decompress(packed, _UNPACKED_BYTES)
            except zlib.error:
                raise CallFailed("server_error") from None
            if plain:
                yield plain
            packed = unpacker.unconsumed_tail
            if unpacker.eof:
                packed = unpacker.unused_data
                unpacker = zlib.decompressobj(wbits=_ANY_ZLIB)
                begun = False
    if begun or size == 0:
        raise CallFailed("truncated_stream")


async def read_rest(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """What still comes of a body that somebody stopped reading, once the server has been told.

    A server counts what it says until the hang-up reaches it. So this side hangs up first and then reads what was under
    way, for a quarter of a second at most. Nothing for a body that is packed or that another transport brought; never
    raises for a broken one.
    """
    content = getattr(getattr(response.stream, "_aiohttp_response", None), "content", None)
    if not isinstance(content, aiohttp.StreamReader) or _read_encoding(response.headers) not in (b"", b"identity"):
        return
    _hang_up(response)
    size = 0
    until = time.monotonic() + _REST_SECONDS
    while size < limit:
        # The connection's end makes `read_nowait` raise, whatever lies before it.
        over = content.exception() is not None or content.at_eof() or time.monotonic() >= until
        if piece := content._read_nowait(-1):
            size += len(piece)
            yield piece
        if over:
            return
        await asyncio.sleep(_REST_TURN_SECONDS)


def _hang_up(response: httpx.Response) -> None:
    """End this side of the connection; the other may still be read."""
    connection = getattr(getattr(response.stream, "_aiohttp_response", None), "connection", None)
    line = None if connection is None or connection.transport is None else connection.transport.get_extra_info("socket")
    if line is not None:
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as copy:
            copy.shutdown(socket.SHUT_WR)


async def read_error_body(response: httpx.Response) -> bytes:
    """The first bytes of an error's body, as far as they came; never raises for a broken one."""
    pieces: list[bytes] = []
    with contextlib.suppress(CallFailed, *WIRE_ERRORS):
        async for piece in read_pieces(response, MAX_ERROR_BYTES):
            pieces.append(piece)  # noqa: PERF401 - what came before a failure counts
    return b"".join(pieces)


def classify_wire_error(error: Exception, *, begun: bool) -> ErrorClass:
    """The class of a failure of the transport; `begun`: the response's head had arrived."""
    if begun:
        return "truncated_stream"
    if isinstance(error, httpx.TransportError | aiohttp.ClientConnectionError | OSError):
        return "connect"
    return "server_error"


def was_hung_up(error: Exception) -> bool:
    """Whether a standing connection broke before a byte of the response: so ends one that was idle for too long."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ServerDisconnectedError):
        return True
    return isinstance(cause, aiohttp.ClientOSError) and not isinstance(cause, aiohttp.ClientConnectorError)


def read_retry_after(headers: httpx.Headers) -> int | None:
    """How long the provider asks to wait, in ms: retry-after-ms, or retry-after as s or a date.

    None if it does not say, or says nonsense.
    """
    text = headers.get("retry-after-ms")
    wait = _number(text) if text else None
    if wait is None:
        text = headers.get("retry-after")
        if not text:
            return None
        seconds = _number(text)
        if seconds is None:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
            except (ValueError, OverflowError):
                return None
            seconds = max(0.0, seconds)
        wait = seconds * 1000
    if not 0 <= wait <= _MAX_RETRY_AFTER_MS:
        return None
    return int(wait)


def _read_encoding(headers: httpx.Headers) -> bytes:
    for name, value in headers.raw:  # a look-up by name would decode them all first
        if name.lower() == b"content-encoding":
            return value.strip().lower()
    return b""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
