"""`onevault reconcile`: what providers say was used and asked, beside the books."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from onevault import reconcile_calls
from onevault.cli.output import json_option, print_record
from onevault.cli.session import connect
from onevault.usage_files import FORMATS, read_usage

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("reconcile")
def command() -> None:
    """Compare the books with what providers say."""


@command.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--provider", metavar="NAME", help="Whose it is. [default: openai or anthropic, by the format]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="auto", show_default=True)
@json_option
def import_usage(files: tuple[Path, ...], provider: str | None, form: str, as_json: bool) -> None:
    """Import a provider's report of usage or costs: JSON of its API, or CSV that its console exports.

    Several files are pages of one report. A file says all of its days: what was imported of them before and is not
    there any more ends. Taken whole or refused whole.
    """
    report = read_usage(files, form)
    report.provider = provider or report.provider
    rows = report.rows()
    with connect("dba") as (_, connection):
        done = reconcile_calls.import_usage(connection, f"{report.format}: {files[0].name}", rows)
    print_record(
        {
            "provider": report.provider,
            "format": report.format,
            "first_day": rows[0]["usage_day"],
            "last_day": rows[-1]["usage_day"],
            "records": report.records,
            **{name: number for name, number in done.items() if name != "rows_read"},
        },
        as_json=as_json,
    )


@command.command("forget")
@click.argument("provider")
@click.argument("first_day", type=_DAY)
@click.argument("last_day", type=_DAY)
@click.option("--reason", required=True, metavar="TEXT", help="What was wrong with it.")
@json_option
def forget_usage(provider: str, first_day: datetime, last_day: datetime, reason: str, as_json: bool) -> None:
    """Take back what was imported of PROVIDER from FIRST_DAY to LAST_DAY (UTC): these days count as not imported."""
    with connect("dba") as (_, connection):
        ended = reconcile_calls.forget_usage(connection, provider, first_day.date(), last_day.date(), reason)
    days = {"first_day": first_day.date().isoformat(), "last_day": last_day.date().isoformat()}
    print_record({"provider": provider, **days, "ended": ended}, as_json=as_json)
