"""What commands print: tables for people, JSON for programs, one sentence for a failure.

CommandError       a command refused or failed; its text is for the person who typed it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from onevault.errors import OperatorError

if TYPE_CHECKING:
    import psycopg

F = TypeVar("F", bound=Callable[..., Any])
Row = Mapping[str, Any]

_NETWORKS = (IPv4Network, IPv6Network)


def _as_json(value: Any) -> str:
    """What JSON has no form for: networks, as people write them."""
    if isinstance(value, _NETWORKS):
        return str(value)
    raise TypeError(type(value))


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_json)


class CommandError(OperatorError):
    """A command refused or failed. The text says why and what to do."""


def json_option(function: F) -> F:
    """Adds `--json` to a command, as its parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def print_rows(rows: Sequence[Row], *, as_json: bool, empty: str = "nothing there") -> None:
    """Prints rows of equal keys: a table with a heading, or a JSON array."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        click.echo(empty)
    else:
        click.echo("\n".join(_table(list(rows[0]), [list(row.values()) for row in rows])))


def print_record(record: Row, *, as_json: bool) -> None:
    """Prints one thing: a line per field, or a JSON object."""
    if as_json:
        print_json(record)
        return
    width = max((len(name) for name in record), default=0)
    for name, value in record.items():
        click.echo(f"{name:{width}}  {_text(value)}".rstrip())


def write_json(value: Any) -> str:
    """JSON for people and programs; amounts are numbers and keep every digit."""
    return msgspec.json.format(_ENCODER.encode(value), indent=2).decode()


def print_json(value: Any) -> None:
    """Prints JSON."""
    click.echo(write_json(value))


def explain_database_error(error: psycopg.Error) -> str:
    """The sentence for a database error: what it says and its hint, never the statement.

    Errors raised on purpose (SQLSTATE VG…) and PostgreSQL's own look the same to the reader.
    """
    message = error.diag.message_primary
    if message is None:
        return f"the database cannot be reached: {str(error).strip()}"
    hint = error.diag.message_hint
    return f"{message}. {hint}" if hint else message


def _table(columns: list[str], rows: list[list[Any]]) -> list[str]:
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    lines = []
    for line in [columns, ["-" * width for width in widths], *cells]:
        padded = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return _ENCODER.encode(value).decode()
    return str(value)
