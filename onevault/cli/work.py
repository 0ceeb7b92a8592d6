"""`onevault work`: one worker process."""

from __future__ import annotations

import sys

import click

from onevault.database import open_database
from onevault.lifeline import leave_on_signals, watch_lifeline
from onevault.log import configure_logging
from onevault.settings import load_settings


@click.command("work")
def command() -> None:
    """Run one worker: messages off the queue, calls to providers, results into the vault."""
    leave_on_signals()  # before what takes long to load
    from worker.__main__ import main

    settings = load_settings()
    configure_logging(settings.log_level, "worker")
    database = open_database(settings)
    try:
        watch_lifeline()
        code = main(settings)
    finally:
        database.close()
    sys.exit(code)
