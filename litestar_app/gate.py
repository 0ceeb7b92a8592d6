"""The one place where a front listens for workers: a unix socket of its own, or a TCP port with TLS.

Messages name one address, so a front with a TCP port opens no unix socket: workers of its own machine dial the port
too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from pathlib import Path
from typing import Protocol

from litestar_app.connection import Link
from litestar_app.link import Links
from litestar_app.sockets import listen
from onevault.settings import Settings


class Gate(Protocol):
    """Lets workers in; `address` is what messages name."""

    address: str

    async def open(self, links: Links) -> None:
        """Let workers in from now on. Raises `LinkError`."""

    async def close(self) -> None:
        """Listen no more; who is in stays."""


def open_gate(settings: Settings) -> Gate:
    """The gate that the settings ask for. Raises `LinkError` and `LinkTlsError`."""
    if settings.link_listen is None:
        return UnixGate(settings.link_dir)
    from litestar_app.remote import RemoteGate

    return RemoteGate(settings.link_listen, settings.link_advertise, settings.link_tls_dir)


class UnixGate:
    """A socket `front-<pid>-<random>.sock` in the link directory, for workers of this machine."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / f"front-{os.getpid()}-{secrets.token_hex(8)}.sock"
        self._server: asyncio.Server | None = None
        self.address = f"unix:{self._path}"

    async def open(self, links: Links) -> None:
        """Listen. Raises `LinkError`."""
        listener = listen(self._path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Link(links), sock=listener, backlog=128)

    async def close(self) -> None:
        """Listen no more, and remove the socket."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
