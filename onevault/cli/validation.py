"""What a command says of a key that it has set: whether its provider takes it. A worker asks, nobody else."""

from __future__ import annotations

import enum
import time
from typing import Final

import click

from onevault.calls import Connection
from onevault.cli.output import CommandError
from onevault.key_calls import read_key_validation

_PATIENCE_SECONDS: Final = 8.0
_PAUSE_SECONDS: Final = 0.1


class Finding(enum.Enum):
    """What became of asking a provider about a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "unsupported"
    WAITING = "waiting"

    def tell(self, provider: str) -> None:
        """Say it, on standard error. Raises `CommandError` for a key that is not used."""
        if self is Finding.REFUSED:
            raise CommandError(f"refused by {provider}: the key is set but not used")
        click.echo(_SENTENCES[self].format(provider=provider), err=True)


_SENTENCES: Final = {
    Finding.ACCEPTED: "validated by {provider}",
    Finding.UNREACHABLE: "not validated yet: {provider} could not be reached; it is asked again, and the key is used",
    Finding.UNSUPPORTED: "not validated: {provider} has nothing that could be asked; the key is used",
    Finding.WAITING: "not validated yet: no worker answered, it happens when one runs",
}


def wait_for_finding(connection: Connection, provider: str, customer: str | None, name: str) -> Finding:
    """Commit what was set and wait some seconds for what a worker finds; not at all when none runs."""
    connection.commit()
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        row = read_key_validation(connection, provider, customer, name)
        connection.rollback()
        finding = Finding(row["finding"])
        if finding is not Finding.WAITING or not row["is_worker_at_work"] or time.monotonic() >= until:
            return finding
        time.sleep(_PAUSE_SECONDS)
