"""One try to deliver an event: signed as Standard Webhooks 1.0 asks, posted to a checked address, and of the answer
nothing but its status.

The key of the signature is what the envelope holds: random bytes, known to the customer as `whsec_` and their base64.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from onevault import __version__
from onevault.errors import OperatorError
from onevault.tokens import Secret
from worker.egress import HTTPS_PORT, Address, Egress, Unreachable
from worker.providers.wire import read_retry_after

TRY_SECONDS: Final = 15.0
"""The longest that a try takes, whatever an endpoint does."""

_MOST_ADDRESSES: Final = 3
_TIMEOUTS: Final = {"timeout": {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": None}}


class Event(NamedTuple):
    """What is sent where, at which second (UTC, since 1970), signed with which secrets."""

    event_id: str
    endpoint: str
    body: bytes
    sent_at: int
    secrets: Sequence[Secret[bytes]]


class Outcome(NamedTuple):
    """How a try ended: the endpoint's status, or why there is none."""

    http_status: int | None
    error_class: str | None
    latency_ms: int
    retry_after_ms: int | None = None


def sign(event: Event) -> str:
    """The header webhook-signature: one signature for each secret, the newest first."""
    signed = f"{event.event_id}.{event.sent_at}.".encode() + event.body
    digests = (hmac.digest(secret.reveal(), signed, "sha256") for secret in event.secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class Sender:
    """Posts events. Needs a running loop; close it with `close`.

    It keeps no connection and no cookie, follows no redirect, and knows no proxy: what one endpoint says changes
    nothing for another.
    """

    def __init__(self, egress: Egress, ca_file: Path | None = None) -> None:
        self._egress = egress
        self._ca_file = ca_file
        if ca_file is not None:
            _trust_too(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_file)
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def send(self, event: Event) -> Outcome:
        """One try. Never raises for what an endpoint does."""
        begun = time.monotonic()
        status: int | None = None
        error_class: str | None = None
        retry_after: int | None = None
        try:
            async with asyncio.timeout(TRY_SECONDS):
                status, retry_after = await self._post(event)
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
        return Outcome(status, error_class, round((time.monotonic() - begun) * 1000), retry_after)

    async def close(self) -> None:
        """End all connections."""
        self._egress.close()
        if self._transport is not None:
            await self._transport.aclose()

    def _open(self) -> httpx.AsyncHTTPTransport:
        """The transport, made for the first event: a gateway without webhooks need not load the authorities."""
        if self._transport is None:
            context = httpx.create_ssl_context()
            if self._ca_file is not None:
                _trust_too(context, self._ca_file)
            # A connection is kept by address and port, and two customers may share both: so none is kept.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)
        return self._transport

    async def _post(self, event: Event) -> tuple[int, int | None]:
        url = httpx.URL(event.endpoint)
        host = url.raw_host.decode()
        if url.scheme != "https" or not host:
            raise httpx.InvalidURL("no https address")
        addresses = (await self._egress.find(host, url.port or HTTPS_PORT))[:_MOST_ADDRESSES]
        for address in addresses[:-1]:
            try:
                return await self._post_to(address, url, event)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the next may answer
        return await self._post_to(addresses[-1], url, event)

    async def _post_to(self, address: Address, url: httpx.URL, event: Event) -> tuple[int, int | None]:
        request = httpx.Request(
            "POST",
            url.copy_with(host=str(address)),
            content=event.body,
            headers={
                "host": url.netloc.decode(),
                "content-type": "application/json",
                "user-agent": f"onevault-webhooks/{__version__}",
                "webhook-id": event.event_id,
                "webhook-timestamp": str(event.sent_at),
                "webhook-signature": sign(event),
            },
            extensions={**_TIMEOUTS, "sni_hostname": url.raw_host.decode()},
        )
        response = await self._open().handle_async_request(request)
        # The body is not read: hanging up is all that is done with it.
        await response.aclose()
        return response.status_code, read_retry_after(response.headers)


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
