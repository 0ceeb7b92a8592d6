"""`onevault psql`: a psql session on the database in use."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import click

from onevault.cli.output import CommandError
from onevault.cli.session import use_database
from onevault.database import Role
from onevault.embedded import EmbeddedError, install_directory


@click.command("psql", context_settings={"ignore_unknown_options": True})
@click.option("--role", type=click.Choice(["owner", "app", "worker", "dba"]), default="owner", show_default=True)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(role: Role, arguments: tuple[str, ...]) -> None:
    """Open psql on the database; what follows `--` goes to psql, which tells errors without their context."""
    with use_database() as (_, database):
        # Ctrl-C belongs to psql: it cancels a query there.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            # A refusal is a sentence and a hint; where in our code it was said buries them. `\set SHOW_CONTEXT errors`
            # in the session brings it back.
            told = ["--set=SHOW_CONTEXT=never", database.dsn(role), *arguments]
            result = subprocess.run([_program(), *told], check=False)
        finally:
            signal.signal(signal.SIGINT, previous)
    sys.exit(result.returncode)


def _program() -> str:
    try:
        bundled = install_directory() / "bin" / "psql"
    except EmbeddedError:
        bundled = None
    if bundled is not None and bundled.exists():
        return str(bundled)
    found = shutil.which("psql")
    if found is None:
        raise CommandError("psql is not installed: install PostgreSQL's client, or use `onevault dsn`")
    return found
