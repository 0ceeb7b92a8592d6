"""Fronts of other machines: dialled by TCP with TLS; a link stands when the front has said which process it is.

Until its `Welcome` nothing is claimed: a front that turns this worker's certificate down tells it only after the
worker's half of the handshake. A certificate that is not a front's, or not of the host that was dialled, ends it.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import Final

from onevault.frames import Frame, Hello, Ping, Welcome, encode
from onevault.link_address import FrontAddress
from onevault.link_tls import Credentials, LinkTlsError, has_role
from onevault.log import get_log
from onevault.pulse import Pulse
from worker.connection import FrontUnreachable, Link, Listener

_GOODBYE_SECONDS: Final = 2.0
_PING: Final = encode(Ping())

_log = get_log("worker.link")


class FrontRefuses(FrontUnreachable):
    """Nobody listens at this port, as seen from here."""


class RemoteLink(Link):
    """One connection to a front of another machine."""

    def __init__(self, hello: Hello, listener: Listener, on_lost: Callable[[Link], None]) -> None:
        super().__init__(hello, listener, on_lost)
        self.welcome: asyncio.Future[str] = self._loop.create_future()
        self._pulse: Pulse | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not has_role(transport, "front"):
            self._fail(ssl.SSLCertVerificationError("not a front"))
            transport.abort()  # type: ignore[attr-defined]
            return
        self._pulse = Pulse(lambda: self.write(_PING), self._fall_silent)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._pulse is not None:
            self._pulse.heard()
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        self._fail(exc or ConnectionResetError())
        super().connection_lost(exc)

    def _receive_other(self, frame: Frame) -> None:
        if type(frame) is Welcome:
            if not self.welcome.done():
                self.welcome.set_result(frame.instance)
        elif type(frame) is not Ping:
            super()._receive_other(frame)

    def _fail(self, error: Exception) -> None:
        if not self.welcome.done():
            self.welcome.set_exception(error)
            self.welcome.exception()  # whoever waits for it gets it all the same

    def _fall_silent(self) -> None:
        _log.warning("front_silent", running=len(self._requests))
        self.abort()


async def dial_remote(
    address: FrontAddress, credentials: Credentials, make_link: Callable[[], RemoteLink], seconds: float
) -> tuple[RemoteLink, str]:
    """A link that stands, and the instance that it leads to. Raises `FrontUnreachable`, `FrontRefuses`."""
    loop = asyncio.get_running_loop()
    unproven: RemoteLink | None = None
    try:
        async with asyncio.timeout(seconds):
            _, unproven = await loop.create_connection(
                make_link,
                address.host,
                address.port,
                ssl=credentials.context(),
                server_hostname=address.host,
                ssl_handshake_timeout=seconds,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
            link = unproven
            instance = await link.welcome
            unproven = None
            return link, instance
    except LinkTlsError as error:
        _log.error("link_certificates_unusable", error, host=address.host)
        raise FrontUnreachable from None
    except OSError as error:  # that of TLS is one too, and a time-out
        if error.errno == errno.ECONNREFUSED:
            raise FrontRefuses from None
        if unproven is not None:
            # The front knows why: it has turned down our certificate, and its log says so.
            _log.error("turned_away_by_front", error, host=address.host, port=address.port)
        elif isinstance(error, ssl.SSLError):
            _log.error("front_not_trusted", host=address.host, port=address.port, reason=error.reason)
        else:
            _log.warning("front_not_reached", error, host=address.host, port=address.port)
        raise FrontUnreachable from None
    finally:
        if unproven is not None:
            unproven.abort()
