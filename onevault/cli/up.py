"""`onevault up`: the whole gateway in one terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from onevault.cli.output import CommandError, json_option, print_json
from onevault.cli.serve import open_listener, override_address
from onevault.database import open_database
from onevault.embedded import EmbeddedServer, make_home
from onevault.lifeline import ignore_signals, leave_on_signals
from onevault.log import configure_logging
from onevault.settings import Settings, load_settings
from onevault.supervisor import Supervisor, reachable_address


@click.command("up")
@click.option("--host", help="Address to listen on (ONEVAULT_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one (ONEVAULT_PORT).")
@click.option("--fronts", type=click.IntRange(1, 64), default=1, show_default=True, help="Front processes.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
@json_option
def command(host: str | None, port: int | None, fronts: int, workers: int, as_json: bool) -> None:
    """Start everything: database, migrations, demo customer, front and worker. Ctrl-C stops it."""
    leave_on_signals()
    settings = override_address(load_settings(), host, port)
    configure_logging(settings.log_level, "up")
    with _only_one(settings.home), open_listener(settings) as listener:
        environ = {
            **os.environ,
            "ONEVAULT_HOST": settings.host,
            "ONEVAULT_PORT": str(listener.getsockname()[1]),
        }
        # It has started the database, and whatever becomes of this process it stops what nobody uses.
        preparation = _Preparation(environ)
        database = open_database(settings)
        try:
            token, token_file = preparation.token, preparation.token_file
            url = "http://{}:{}".format(*_bracketed(reachable_address(listener)))

            def announce() -> None:
                preparation.close()
                if as_json:
                    print_json({"url": url, "token": token, "dsn": database.dsn("owner"), "home": str(settings.home)})
                else:
                    click.echo(_welcome(url, token, token_file, settings))
                sys.stdout.flush()

            drained = asyncio.run(_supervise(settings, database.server, listener, fronts, workers, environ, announce))
        finally:
            ignore_signals()
            preparation.close()
            database.close()
    sys.exit(0 if drained else 1)


async def _supervise(
    settings: Settings,
    server: EmbeddedServer | None,
    listener: socket.socket,
    fronts: int,
    workers: int,
    environ: dict[str, str],
    announce: Callable[[], None],
) -> bool:
    supervisor = Supervisor(
        listener,
        fronts=fronts,
        workers=workers,
        drain_seconds=settings.drain_timeout_seconds,
        environ=environ,
        server=server,
    )
    return await supervisor.run(announce)


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Keeps a second `up` off the same data directory. Raises CommandError."""
    make_home(home)
    descriptor = os.open(home / "run" / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CommandError(
            f"a gateway already runs on {home}: stop it, or give this one its own data directory with ONEVAULT_HOME"
        ) from error
    finally:
        os.close(descriptor)


class _Preparation:
    """`onevault prepare`: starts the database, migrates and seeds, and holds the database until it is told that others
    do. The demo customer's token, if it has one, and the file of it. Ends this process if it fails."""

    def __init__(self, environ: dict[str, str]) -> None:
        command = [sys.executable, "-P", "-m", "onevault", "prepare", "--hold"]
        self._process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        try:
            said = self._process.stdout.readline()
        except BaseException:
            self.close()
            raise
        if not said:
            # It has said why.
            self.close()
            sys.exit(max(self._process.returncode, 1))
        told = json.loads(said)
        self.token: str | None = told["token"]
        self.token_file: str = told["token_file"]

    def close(self) -> None:
        """Others hold the database now, or nobody needs it any more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _bracketed(address: tuple[str, int]) -> tuple[str, int]:
    host, port = address
    return (f"[{host}]" if ":" in host else host), port


def _welcome(url: str, token: str | None, token_file: str, settings: Settings) -> str:
    where = "DATABASE_URL" if settings.database_url else str(settings.home)
    beside = Path(sys.executable).with_name("onevault")
    program = "onevault" if shutil.which("onevault") or not beside.exists() else os.path.relpath(beside)
    kept = f"\n         kept in {token_file}, which nobody else can read" if token else ""
    return f"""
OneVault is ready at {url}

  token  {token or f"none for the demo customer; make one: {program} token issue demo"}{kept}

  curl {url}/v1/ai/completions \\
    -H 'Authorization: Bearer {token or "$TOKEN"}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"prompt": "Say hello in one sentence."}}'

  API    {url}/docs
  data   {where}; look at it with: {program} psql

Ctrl-C finishes what is running and stops everything.
"""
