"""`onevault prepare`: what `up` does before it starts processes, in a process of its own.

Migrating and seeding load far more code than keeping processes needs: the memory goes with it. And it is the one that
has started the database: if `up` is killed before its first child runs, the database is stopped all the same.
"""

from __future__ import annotations

import contextlib
import sys

import click
import msgspec

from onevault.database import open_database
from onevault.envelope import load_keyring
from onevault.log import configure_logging
from onevault.master_key import create_master_key
from onevault.migrate import migrate
from onevault.seed import seed
from onevault.settings import load_settings


@click.command("prepare", hidden=True)
@click.option("--hold", is_flag=True, help="Hold the database until standard input ends.")
def command(hold: bool) -> None:
    """Make the master key, migrate and seed; print {"token": …} of the demo customer as JSON."""
    settings = load_settings()
    configure_logging(settings.log_level, "prepare")
    database = open_database(settings)
    try:
        if settings.master_key is None and settings.master_key_file is not None:
            create_master_key(settings.master_key_file)
        load_keyring(settings)
        migrate(database.dsn("owner"))
        report = seed(settings, database)
        token = report.token.reveal() if report.token is not None else None
        # One line, so that whoever started this knows when it is whole.
        click.echo(msgspec.json.encode({"token": token, "token_file": str(report.token_file)}).decode())
        if hold:
            sys.stdout.flush()
            with contextlib.suppress(KeyboardInterrupt):
                sys.stdin.buffer.read()
    finally:
        database.close()
