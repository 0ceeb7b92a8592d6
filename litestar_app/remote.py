"""Workers of other machines: TCP, where nothing is read before both sides have proved by TLS who they are.

handshake     5 seconds at most; of more than 64 at once the oldest is given up, so that slow ones keep nobody out
certificate   of our own authority and of a worker; whoever has none is hung up on without a word of ours
Hello         the first frame, within 5 seconds; answered by Welcome, which says which front process this is
Ping          both ways, so that a machine which vanishes is noticed (onevault/pulse.py)
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
import ssl
from pathlib import Path
from typing import Final

from litestar_app.connection import Link
from litestar_app.link import Links
from litestar_app.sockets import LinkError
from onevault.frames import Frame, FrameError, Hello, Ping, Welcome, encode
from onevault.link_address import Advertised, FrontAddress, Listen, is_any
from onevault.link_tls import Credentials, has_role
from onevault.log import get_log
from onevault.pulse import Pulse

HANDSHAKE_SECONDS: Final = 5.0
HELLO_SECONDS: Final = 5.0
MOST_HANDSHAKES: Final = 64
_PAUSE_SECONDS: Final = 0.5
_GOODBYE_SECONDS: Final = 2.0
_LOG_SECONDS: Final = 1.0
_PING: Final = encode(Ping())

_log = get_log("front.link")


class RemoteGate:
    """A TCP port for workers, open from its making. Raises `LinkError` and `LinkTlsError`."""

    def __init__(self, listen: Listen, advertised: Advertised | None, directory: Path) -> None:
        if advertised is None and is_any(listen.host):
            raise LinkError(
                f"ONEVAULT_LINK_LISTEN is every address of this machine ({listen.host}): set ONEVAULT_LINK_ADVERTISE "
                "to the one name or address by which workers reach it"
            )
        self._credentials = Credentials(directory, "front")
        self._credentials.context()
        self._listener = _bind(listen)
        self._entrance: asyncio.Task[None] | None = None
        self._arriving: dict[asyncio.Task[None], None] = {}
        self._refusals = Refusals()
        port = self._listener.getsockname()[1]
        host = advertised.host if advertised is not None else listen.host
        self.instance = secrets.token_hex(8)
        self.address = str(FrontAddress(host, (advertised and advertised.port) or port, self.instance))

    async def open(self, links: Links) -> None:
        """Let workers in."""
        self._entrance = asyncio.get_running_loop().create_task(self._accept(links))

    async def close(self) -> None:
        """Listen no more, and leave those standing who have not yet shown a certificate."""
        tasks = [*self._arriving, *((self._entrance,) if self._entrance is not None else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self, links: Links) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                peer, address = await loop.sock_accept(self._listener)
            except OSError as error:  # such as too many open files: the queue of the kernel holds them a while
                _log.error("link_accept_failed", error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            task = loop.create_task(self._admit(links, peer, address[0]))
            self._arriving[task] = None
            task.add_done_callback(self._left)
            if len(self._arriving) > MOST_HANDSHAKES:
                oldest = next(iter(self._arriving))
                del self._arriving[oldest]
                oldest.cancel()

    async def _admit(self, links: Links, peer: socket.socket, host: str) -> None:
        loop = asyncio.get_running_loop()
        entered = False
        try:
            context = self._credentials.context()
            await loop.connect_accepted_socket(
                lambda: RemoteLink(links, self.instance, host, self._refusals),
                peer,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
            entered = True
        except asyncio.CancelledError:
            self._refusals.note("crowded", host)
            raise
        except ssl.SSLCertVerificationError:
            self._refusals.note("certificate", host)
        except (ssl.SSLError, OSError):  # a time-out is one too
            self._refusals.note("handshake", host)
        finally:
            if not entered:
                peer.close()

    def _left(self, task: asyncio.Task[None]) -> None:
        self._arriving.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("link_admission_broke", error)


class RemoteLink(Link):
    """One connection to a worker of another machine."""

    def __init__(self, links: Links, instance: str, host: str, refusals: Refusals) -> None:
        super().__init__(links)
        self._instance = instance
        self._host = host
        self._refusals = refusals
        self._greeted = False
        self._refused = False
        self._pulse: Pulse | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not has_role(transport, "worker"):
            self._refuse("role")
            return
        self._alarm = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._refuse, "silent")
        self._pulse = Pulse(self._beat, self._fall_silent)

    def data_received(self, data: bytes) -> None:
        if self._pulse is None or self._refused:
            return
        self._pulse.heard()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._pulse is not None:
            self._pulse.stop()
        super().connection_lost(exc)

    def _receive(self, frame: Frame) -> None:
        if type(frame) is Ping:
            return
        if self._greeted:
            super()._receive(frame)
        elif type(frame) is Hello:
            self._greeted = True
            if self._alarm is not None:
                self._alarm.cancel()
            self.name = frame.worker
            super()._receive(frame)
            self.write(encode(Welcome(self._instance)))
        else:
            raise FrameError("the first frame must be Hello")

    def _refuse(self, reason: str) -> None:
        self._refused = True
        self._refusals.note(reason, self._host)
        self.hang_up()

    def _beat(self) -> None:
        if self._greeted:
            self.write(_PING)

    def _fall_silent(self) -> None:
        _log.warning("worker_silent", address=self._host, count=len(self.claimed))
        self.hang_up()


class Refusals:
    """Logs who was not let in, at most one line a second however many knock."""

    def __init__(self) -> None:
        self._count = 0
        self._next = 0.0

    def note(self, reason: str, host: str) -> None:
        """One more: `reason` is certificate, handshake, role, silent or crowded."""
        self._count += 1
        now = asyncio.get_running_loop().time()
        if now >= self._next:
            _log.warning("link_refused", reason=reason, address=host, count=self._count)
            self._next = now + _LOG_SECONDS
            self._count = 0


def _bind(listen: Listen) -> socket.socket:
    """A listening socket on the first port that is free. Raises `LinkError`."""
    reason = ""
    for port in range(listen.first, listen.last + 1):
        try:
            family = socket.getaddrinfo(listen.host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.create_server((listen.host, port), family=family, backlog=128)
        except OSError as error:
            # getaddrinfo has numbers of its own; create_server lengthens the system's sentence.
            reason = str(error.strerror) if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            if error.errno != errno.EADDRINUSE:
                break
            continue
        listener.setblocking(False)
        return listener
    raise LinkError(
        f"cannot listen for workers on {listen.host}, port {listen.first}"
        + (f" to {listen.last}" if listen.last > listen.first else "")
        + f" ({reason}): set ONEVAULT_LINK_LISTEN to an address of this machine and a port, or a range, that is free"
    )
