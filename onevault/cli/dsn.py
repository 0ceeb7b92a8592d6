"""`onevault dsn`: where the database is."""

from __future__ import annotations

import click

from onevault.cli.output import json_option, print_record
from onevault.database import Role, open_database
from onevault.settings import load_settings


@click.command("dsn")
@click.option("--role", type=click.Choice(["owner", "app", "worker", "dba"]), default="owner", show_default=True)
@json_option
def command(role: Role, as_json: bool) -> None:
    """Print the connection string of the database in use."""
    database = open_database(load_settings(), start=False)
    dsn = database.dsn(role)
    if as_json:
        print_record({"dsn": dsn, "role": role, "embedded": database.embedded}, as_json=True)
    else:
        click.echo(dsn)
    if database.server is not None and not database.server.running():
        click.echo("onevault: the embedded database is not running; `onevault up` starts it", err=True)
