"""Kinds of values that several commands take: amounts, lists, moments, days, months, keys that nobody should see."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from onevault.cli.output import CommandError
from onevault.issuing import read_environment
from onevault.tokens import Secret

F = TypeVar("F", bound=Callable[..., Any])

_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Amount(click.ParamType[Decimal]):
    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is no amount from 0 up", param, ctx)
        return amount


class _Words(click.ParamType[list[str]]):
    name = "a,b,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        return [word.strip() for word in str(value).split(",") if word.strip()]


class _Moment(click.ParamType[datetime]):
    name = "30d|2026-12-31"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        if span := re.fullmatch(r"([1-9]\d{0,5})([mhdw])", str(value)):
            return datetime.now(UTC) + timedelta(**{_SPANS[span[2]]: int(span[1])})
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a span like 30d (m, h, d, w) nor a date like 2026-12-31", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Date(click.ParamType[date]):
    name = "2026-11-30"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value!r} is no date; write it like 2026-11-30", param, ctx)


class _Month(click.ParamType[date]):
    name = "2026-11"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", str(value)):
            self.fail(f"{value!r} is no month; write it like 2026-11", param, ctx)
        return date.fromisoformat(f"{value}-01")


class _Networks(click.ParamType[list[str]]):
    name = "10.0.0.0/8,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        if isinstance(value, list):
            return value
        networks = []
        for part in filter(None, (part.strip() for part in str(value).split(","))):
            try:
                networks.append(str(ipaddress.ip_network(part)))
            except ValueError:
                self.fail(self._advise(part), param, ctx)
        if not networks:
            self.fail(f"{value!r} names no network: leave the option out to let the token be used anywhere", param, ctx)
        return networks

    @staticmethod
    def _advise(part: str) -> str:
        try:
            meant = ipaddress.ip_network(part, strict=False)
        except ValueError:
            return f"{part!r} is no network; write it like 10.0.0.0/8 or 2001:db8::/32, an address alone for one host"
        return f"{part!r} is a host within a network: write {meant}, or the address alone"


AMOUNT = _Amount()
WORDS = _Words()
MOMENT = _Moment()
DATE = _Date()
MONTH = _Month()
NETWORKS = _Networks()


def key_options(name: str = "api-key") -> Callable[[F], F]:
    """Adds `--api-key-env` and `--api-key-stdin`, as the parameters `key_variable` and `key_from_stdin`."""

    def add(function: F) -> F:
        reads = click.option(
            f"--{name}-stdin", "key_from_stdin", is_flag=True, help="Read the key from standard input."
        )(function)
        takes = click.option(f"--{name}-env", "key_variable", metavar="VAR", help="Take the key from this variable.")
        return takes(reads)

    return add


def read_key(key_variable: str | None, *, from_stdin: bool) -> Secret[str] | None:
    """The key that the options of `key_options` mean; None if neither was given. Raises CommandError."""
    if key_variable is not None and from_stdin:
        raise CommandError("the key can come from a variable or from standard input, not from both")
    if key_variable is not None:
        return _check_key(read_environment().get(key_variable, ""), f"the variable {key_variable}")
    if not from_stdin:
        return None
    text = click.prompt("API key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    return _check_key(text, "standard input")


def _check_key(text: str, source: str) -> Secret[str]:
    key = text.strip()
    if not key:
        raise CommandError(f"{source} holds no key")
    if not key.isprintable() or " " in key or not key.isascii():
        raise CommandError(f"what {source} holds is no key: it has blanks or signs that no key has")
    return Secret(key)
