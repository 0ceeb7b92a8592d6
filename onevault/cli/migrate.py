"""`onevault migrate`: brings the database to the state of this release."""

from __future__ import annotations

import click

from onevault.cli.output import json_option, print_record
from onevault.database import open_database
from onevault.log import configure_logging
from onevault.migrate import migrate
from onevault.settings import load_settings


@click.command("migrate")
@json_option
def command(as_json: bool) -> None:
    """Apply migrations and sql/ to the database."""
    settings = load_settings()
    configure_logging(settings.log_level, "migrate")
    database = open_database(settings)
    try:
        report = migrate(database.dsn("owner"))
    finally:
        database.close()
    if as_json:
        print_record({"migrations": report.migrations, "installed": report.installed}, as_json=True)
    elif report.migrations:
        click.echo(f"applied {', '.join(report.migrations)} and sql/")
    else:
        click.echo("applied sql/" if report.installed else "nothing to do")
