"""`onevault export`: the keys of exports, which hand usage over to Stripe, Lago or OpenMeter."""

from __future__ import annotations

import click

from onevault import export_calls
from onevault.cli.output import CommandError, json_option, print_record, print_rows
from onevault.cli.parameters import key_options, read_key
from onevault.cli.session import connect
from onevault.envelope import load_keyring
from onevault.issuing import set_export_key


@click.group("export")
def command() -> None:
    """Usage for systems that bill: docs/export.md."""


@command.group("key")
def key_command() -> None:
    """What an export shows its target."""


@key_command.command("set")
@click.argument("export")
@key_options("key")
@json_option
def set_key(export: str, key_variable: str | None, key_from_stdin: bool, as_json: bool) -> None:
    """Set an export's key, or the next one. What waits is tried at once, and what the target refused the key for."""
    key = read_key(key_variable, from_stdin=key_from_stdin)
    if key is None:
        raise CommandError("name the key's source: --key-env VAR or --key-stdin")
    with connect("dba") as (settings, connection):
        set_export_key(connection, load_keyring(settings), export, key)
        (row,) = export_calls.list_exports(connection, export)
    print_record(row, as_json=as_json)


@command.command("list")
@json_option
def list_exports(as_json: bool) -> None:
    """List exports, without what is secret."""
    with connect("dba") as (_, connection):
        rows = export_calls.list_exports(connection)
    print_rows(rows, as_json=as_json, empty="there are no exports")
