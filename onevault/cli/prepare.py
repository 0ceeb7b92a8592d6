"""`onevault prepare`: what `up` does before it starts processes, in a process of its own.

Migrating and seeding load far more code than keeping processes needs: the memory goes with it.
"""

from __future__ import annotations

import click

from onevault.cli.output import print_json
from onevault.database import open_database
from onevault.envelope import load_keyring
from onevault.log import configure_logging
from onevault.master_key import create_master_key
from onevault.migrate import migrate
from onevault.seed import seed
from onevault.settings import load_settings


@click.command("prepare", hidden=True)
def command() -> None:
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
    finally:
        database.close()
    token = report.token.reveal() if report.token is not None else None
    print_json({"token": token, "token_file": str(report.token_file)})
