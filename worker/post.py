"""One POST to an address that is looked at first: of the answer its status, how long to wait, and, for whoever asks for
it, the beginning of the body.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from onevault.errors import OperatorError
from worker.egress import HTTPS_PORT, Address, Egress, Unreachable
from worker.providers.wire import read_retry_after

_HTTP_PORT: Final = 80
_MOST_ADDRESSES: Final = 3
_TIMEOUTS: Final = {"timeout": {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": None}}


class Answer(NamedTuple):
    """How a try ended: the other side's status, or why there is none; `body` is what was asked for of it."""

    http_status: int | None
    error_class: str | None
    latency_ms: int
    retry_after_ms: int | None = None
    body: bytes = b""


class Poster:
    """Posts. Needs a running loop; close it with `close`.

    It keeps no cookie, follows no redirect, and knows no proxy. Plain http goes to this machine only, and where it is
    allowed. Connections are kept where all that is posted goes to one host (`keeps_connections`); `reads` is how many
    bytes of an answer are read, none if not given.
    """

    def __init__(
        self,
        egress: Egress,
        ca_file: Path | None = None,
        *,
        keeps_connections: bool = False,
        allows_http_here: bool = False,
        reads: int = 0,
    ) -> None:
        self._egress = egress
        self._ca_file = ca_file
        self._most_kept = 32 if keeps_connections else 0
        self._allows_http_here = allows_http_here
        self._reads = reads
        check_ca_file(ca_file)
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def post(self, endpoint: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
        """One try, for so long at most. Never raises for what the other side does."""
        begun = time.monotonic()
        status: int | None = None
        error_class: str | None = None
        retry_after: int | None = None
        read = b""
        try:
            async with asyncio.timeout(seconds):
                response = await self._post(endpoint, headers, body)
                status, retry_after = response.status_code, read_retry_after(response.headers)
                read = await self._read(response)
        except Unreachable as error:
            error_class = error.error_class
        except (TimeoutError, httpx.TimeoutException):
            error_class = "timeout"
        except httpx.ConnectError as error:
            error_class = "certificate" if _is_about_certificates(error) else "connect"
        except (httpx.InvalidURL, UnicodeError):
            error_class = "bad_url"
        except (httpx.HTTPError, OSError, ValueError):
            error_class = "cut"
        if error_class is not None:
            status = None  # a status without the rest of the answer is none
        return Answer(status, error_class, round((time.monotonic() - begun) * 1000), retry_after, read)

    async def close(self) -> None:
        """End all connections."""
        if self._transport is not None:
            await self._transport.aclose()

    def _open(self) -> httpx.AsyncHTTPTransport:
        """The transport, made for the first try: a gateway that posts nothing need not load the authorities."""
        if self._transport is None:
            context = httpx.create_ssl_context()
            if self._ca_file is not None:
                _trust_too(context, self._ca_file)
            limits = httpx.Limits(
                max_connections=None, max_keepalive_connections=self._most_kept, keepalive_expiry=10.0
            )
            self._transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)
        return self._transport

    async def _post(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        url = httpx.URL(endpoint)
        host = url.raw_host.decode()
        is_plain = url.scheme == "http" and self._allows_http_here
        if not host or not (url.scheme == "https" or is_plain):
            raise httpx.InvalidURL("no address to post to")
        addresses = await self._egress.find(host, url.port or (_HTTP_PORT if is_plain else HTTPS_PORT))
        if is_plain and not all(address.is_loopback for address in addresses):
            raise Unreachable("forbidden_address")
        addresses = addresses[:_MOST_ADDRESSES]
        for address in addresses[:-1]:
            try:
                return await self._post_to(address, url, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the next may answer
        return await self._post_to(addresses[-1], url, headers, body)

    async def _post_to(
        self, address: Address, url: httpx.URL, headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        request = httpx.Request(
            "POST",
            url.copy_with(host=str(address)),
            content=body,
            headers={"host": url.netloc.decode(), **headers},
            extensions={**_TIMEOUTS, "sni_hostname": url.raw_host.decode()},
        )
        return await self._open().handle_async_request(request)

    async def _read(self, response: httpx.Response) -> bytes:
        """The beginning of the body; hanging up is all that is done with the rest."""
        read = bytearray()
        try:
            if self._reads:
                async for chunk in response.aiter_raw():
                    read += chunk
                    if len(read) > self._reads:
                        break
        finally:
            await response.aclose()
        return bytes(read[: self._reads])


def check_ca_file(ca_file: Path | None) -> None:
    """Raises OperatorError for a file that holds no authorities."""
    if ca_file is not None:
        _trust_too(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_file)


def _trust_too(context: ssl.SSLContext, ca_file: Path) -> None:
    """Take the operator's own authorities for endpoints' certificates, beside the public ones."""
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError:  # ssl.SSLError is one
        message = f"ONEVAULT_WEBHOOK_CA_FILE is {str(ca_file)!r}: name a file of certificates in PEM, or unset it"
        raise OperatorError(message) from None


def _is_about_certificates(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
