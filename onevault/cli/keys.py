"""`onevault keys`: the master key, and what is sealed under which."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import psycopg

from onevault import key_calls
from onevault.calls import Row
from onevault.cli.output import CommandError, json_option, print_json, print_record, print_rows
from onevault.cli.session import connect, use_database
from onevault.envelope import Keyring, load_keyring
from onevault.master_key import create_master_key, read_master_key_file
from onevault.rotation import read_status, rotate
from onevault.settings import load_settings


@click.group("keys")
def command() -> None:
    """The master key, and what is sealed under which."""


@command.command("new")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), required=False)
@json_option
def new_key(path: Path | None, as_json: bool) -> None:
    """Make the next master key in a file of mode 0600. [default: master.key.next in the data directory]"""
    settings = load_settings()
    target = (path or settings.home / "master.key.next").absolute()
    if not create_master_key(target):
        raise CommandError(f"{target} is there already: use it, or name another file")
    key_id = Keyring(read_master_key_file(target)).key_id
    print_record({"path": str(target), "master_key_id": key_id}, as_json=as_json)


@command.command("status")
@click.option("--tokens", "names_tokens", is_flag=True, help="List the tokens that wait for their next use instead.")
@json_option
def status(names_tokens: bool, as_json: bool) -> None:
    """Tell what is under which master key, and whether the previous one can be taken away."""
    with connect() as (settings, connection):
        keyring = load_keyring(settings)
        if names_tokens:
            rows = key_calls.list_waiting_tokens(connection, keyring.key_id)
        else:
            found = read_status(connection, keyring)
    if names_tokens:
        print_rows(rows, as_json=as_json, empty="every token is under the current master key")
    elif as_json:
        print_json(found)
    else:
        print_rows(found["keys"], as_json=False)
        click.echo(f"\n{_advise(found)}")


@command.command("rotate")
@json_option
def rotate_keys(as_json: bool) -> None:
    """Seal everything anew under the current master key, while the gateway runs; exit code 1 if something is left.

    All fronts and workers must know the current key and the one before: docs/secure.md tells the order.
    """
    with use_database() as (settings, database):
        keyring = load_keyring(settings)
        with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
            done = rotate(connection, keyring)
            found = read_status(connection, keyring)
    left = [secret._asdict() for secret in done.left]
    if as_json:
        print_json({"master_key_id": keyring.key_id, "rewrapped": done.rewrapped, "left": left})
    else:
        click.echo(f"{done.rewrapped} secrets sealed anew under master key {keyring.key_id}\n{_advise(found)}")
        for secret in done.left:
            click.echo(f"onevault: left as it is: {secret.kind} {secret.name}: {secret.reason}", err=True)
    sys.exit(1 if left else 0)


def _advise(found: Row) -> str:
    """What the operator is to do next."""
    secrets, tokens, previous = found["secrets_to_rotate"], found["tokens_to_rehash"], found["previous"]
    advice = []
    missing = [row for row in found["keys"] if row["role"] == "missing"]
    if missing:
        names = ", ".join(row["master_key_id"] for row in missing)
        advice.append(f"What is under {names} does not work now: set ONEVAULT_MASTER_KEY_PREVIOUS_FILE to that key.")
    if previous is None:
        return "\n".join(advice) or "There is one master key, and all is under it."
    if secrets:
        advice.append(f"{secrets} secrets are to be sealed anew: onevault keys rotate")
    if tokens:
        advice.append(
            f"{tokens} tokens wait for their next use and stop working without {previous}: "
            "onevault keys status --tokens lists them"
        )
    return "\n".join(advice) or f"Nothing is under {previous} any more: it can be taken away."
