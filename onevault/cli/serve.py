"""`onevault serve`: one front process."""

from __future__ import annotations

import os
import socket

import click
import msgspec

from onevault.cli.output import CommandError
from onevault.database import open_database
from onevault.lifeline import leave_on_signals, watch_lifeline
from onevault.log import configure_logging, get_log
from onevault.settings import Settings, load_settings

_BACKLOG = 2048

log = get_log("front")


@click.command("serve")
@click.option("--host", help="Address to listen on (ONEVAULT_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one (ONEVAULT_PORT).")
@click.option("--fd", type=int, help="An open listening socket to use instead.")
def command(host: str | None, port: int | None, fd: int | None) -> None:
    """Run one front: HTTP in, decisions from the database, answers out."""
    leave_on_signals()  # before what takes long to load
    from litestar_app.server import serve

    settings = override_address(load_settings(), host, port)
    configure_logging(settings.log_level, "front")
    listener = socket.socket(fileno=fd) if fd is not None else open_listener(settings)
    if fd is not None:
        os.set_inheritable(fd, False)
    address = listener.getsockname()
    log.info("front_starts", host=str(address[0]), port=address[1])
    database = open_database(settings)
    try:
        watch_lifeline()
        serve(settings, listener)
    finally:
        database.close()


def override_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    """The settings with the address given on the command line, where one is."""
    return msgspec.structs.replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )


def open_listener(settings: Settings) -> socket.socket:
    """The listening TCP socket of settings.host and settings.port. Raises CommandError."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # getaddrinfo has numbers of its own; create_server lengthens the system's sentence.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise CommandError(
            f"cannot listen on {settings.host}, port {settings.port} ({reason}): "
            "choose another with --port or ONEVAULT_PORT; 0 picks a free one"
        ) from error
