"""`onevault doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
import psycopg

from onevault import calls
from onevault.cli.link import link_findings
from onevault.cli.output import explain_database_error, json_option, print_rows
from onevault.database import Database, open_database
from onevault.envelope import load_keyring
from onevault.errors import OperatorError
from onevault.log import configure_logging
from onevault.migrate import pending
from onevault.settings import Settings, load_settings

_LEAST_DISK_BYTES = 1024**3
_MOST_CLOCK_SECONDS = 2.0


class Finding(NamedTuple):
    """One line: what was looked at, whether it is well, what was found, and how to mend it if not."""

    check_name: str
    is_ok: bool
    finding: str
    remedy: str = ""

    def row(self) -> dict[str, Any]:
        """As it is printed; there is nothing to mend where all is well."""
        return self._asdict() | {"remedy": "" if self.is_ok else self.remedy}


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Check database, roles, keys, queues and clocks; exit code 1 if something is wrong."""
    settings = load_settings()
    configure_logging("error", "doctor")
    findings = [finding.row() for finding in _examine(settings)]
    if as_json:
        print_rows(findings, as_json=True)
    else:
        for finding in findings:
            click.echo(f"{'ok   ' if finding['is_ok'] else 'WRONG'}  {finding['check_name']}: {finding['finding']}")
            if finding["remedy"]:
                click.echo(f"       {finding['remedy']}")
    sys.exit(0 if all(finding["is_ok"] for finding in findings) else 1)


def _examine(settings: Settings) -> Iterator[Finding]:
    yield _check_disk(settings)
    yield _check_master_key(settings)
    yield from (Finding(**row) for row in link_findings(settings))
    try:
        database = open_database(settings)
    except OperatorError as error:
        yield Finding("database", is_ok=False, finding=str(error), remedy="Nothing else can be checked without it.")
        return
    try:
        yield from _check_database(settings, database)
    except psycopg.Error as error:
        yield Finding(
            "database",
            is_ok=False,
            finding=explain_database_error(error),
            remedy="Start it, or mend DATABASE_URL; then `onevault migrate`.",
        )
    except OperatorError as error:
        yield Finding("database", is_ok=False, finding=str(error), remedy="Nothing else can be checked before that.")
    finally:
        database.close()


def _check_disk(settings: Settings) -> Finding:
    place = settings.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    return Finding(
        "data directory",
        is_ok=writable and free >= _LEAST_DISK_BYTES,
        finding=f"{settings.home}, {free / 1024**3:.1f} GiB free{'' if writable else ', not writable'}",
        remedy="Make room or rights there, or set ONEVAULT_HOME to another place.",
    )


def _check_master_key(settings: Settings) -> Finding:
    try:
        keyring = load_keyring(settings)
    except OperatorError as error:
        return Finding("master key", is_ok=False, finding=str(error), remedy="Tokens and provider keys need it.")
    return Finding("master key", is_ok=True, finding=f"key {keyring.key_id} is live")


def _check_database(settings: Settings, database: Database) -> Iterator[Finding]:
    waiting = pending(database.dsn("owner"))
    yield Finding(
        "database",
        is_ok=not waiting,
        finding="it is behind this release"
        if waiting
        else f"{'embedded' if database.embedded else 'remote'}, up to date",
        remedy="Run `onevault migrate`.",
    )
    if waiting:
        return
    with psycopg.connect(database.dsn("dba")) as connection:
        yield _check_clock(connection)
        yield _check_sealing(settings, connection)
        for row in calls.check_house(connection):
            yield Finding(**row)
    for role in ("app", "worker"):
        yield _check_login(database, role)


def _check_clock(connection: calls.Connection) -> Finding:
    skew = abs((calls.read_clock(connection) - datetime.now(UTC)).total_seconds())
    return Finding(
        "clocks",
        is_ok=skew <= _MOST_CLOCK_SECONDS,
        finding=f"this machine and the database are {skew:.1f} seconds apart",
        remedy="Set both by NTP: deadlines and rate limits go by the database's.",
    )


def _check_sealing(settings: Settings, connection: calls.Connection) -> Finding:
    """Whether every provider key is sealed under a master key that is here."""
    try:
        live = load_keyring(settings).live_key_ids
    except OperatorError:
        live = ()
    keys = [row for row in calls.list_provider_keys(connection) if row["key_status"] == "ACTIVE"]
    foreign = [row["provider"] for row in keys if row["encryption_key_id"] not in live]
    return Finding(
        "provider keys",
        is_ok=not foreign,
        finding=f"{len(keys)} active" + (f", sealed under another master key: {', '.join(foreign)}" if foreign else ""),
        remedy="Set ONEVAULT_MASTER_KEY_PREVIOUS to the key before, or set these keys again.",
    )


def _check_login(database: Database, role: Any) -> Finding:
    try:
        with psycopg.connect(database.dsn(role)) as connection:
            calls.read_clock(connection)
    except psycopg.Error as error:
        remedy = f"Let it log in as onevault_{role}; remote: ONEVAULT_{role.upper()}_DATABASE_URL."
        return Finding(f"login {role}", is_ok=False, finding=explain_database_error(error), remedy=remedy)
    return Finding(f"login {role}", is_ok=True, finding="connects")
