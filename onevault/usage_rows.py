"""Rows of providers' own usage, gathered from a file a record at a time.

UsageFileError     a file is refused as a whole: where (a line), and why
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

from onevault.errors import OperatorError

MAX_ROWS: Final = 200_000
# Amounts are added and moved by decimal places, never rounded.
EXACT: Final = Context(prec=200)
_MOST: Final = 10**15
_DAY: Final = timedelta(days=1)
_FIRST, _LAST = date(2015, 1, 1), date(2100, 1, 1)
_COUNTS: Final = (
    "requests",
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)


class UsageFileError(OperatorError):
    """A file of usage is refused; nothing of it was imported."""


class Problem(Exception):
    """What is wrong with one record; whoever reads the file knows where it stands."""


@dataclass(slots=True)
class Usage:
    """What one record says: of what, and how much. Costs are USD."""

    kind: str
    model: str = ""
    key: str = ""
    tier: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)


class Fields:
    """The fields of one record, of JSON or of CSV, checked as they are read. Absent, null and empty are the same."""

    def __init__(self, record: Any) -> None:
        if not isinstance(record, Mapping):
            raise Problem("it is no object")
        self._record = record

    def __contains__(self, name: str) -> bool:
        return self._get(name) is not None

    def need(self, name: str) -> None:
        """Refuses a record without this field."""
        if name not in self:
            raise Problem(f"it has no {name}")

    def inner(self, name: str) -> Fields:
        """The fields of an object within it; none if it is not there."""
        return Fields(self._get(name) or {})

    def text(self, name: str, most: int = 255) -> str:
        """A name; empty if it is not there."""
        value = self._get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.isprintable() or len(value) > most:
            raise Problem(f"{name} is no name of at most {most} signs")
        return value.strip()

    def tier(self, name: str) -> str:
        """The name of a service tier; empty if it is not there."""
        return self.text(name, 40)

    def count(self, name: str) -> int:
        """A whole number from 0 up; 0 if it is not there."""
        value = self._get(name)
        if value is None:
            return 0
        number = _number(value)
        if number is None or number != number.to_integral_value() or not 0 <= number <= _MOST:
            raise Problem(f"{name} is no whole number from 0 up: {str(value)[:40]!r}")
        return int(number)

    def amount(self, name: str) -> Decimal:
        """An amount of money, exactly as it is written."""
        value = self._get(name)
        number = _number(value)
        if number is None or abs(number) > _MOST or int(number.as_tuple().exponent) < -40:
            raise Problem(f"{name} is no amount: {str(value)[:40]!r}")
        return number

    def flag(self, name: str) -> bool:
        """True for true, in JSON or in words."""
        value = self._get(name)
        if value not in (None, True, False) and str(value).lower() not in ("true", "false"):
            raise Problem(f"{name} is neither true nor false: {str(value)[:40]!r}")
        return str(value).lower() == "true"

    def moment(self, name: str) -> datetime:
        """A moment in UTC, by seconds since 1970 or as ISO 8601 with its zone."""
        value = self._get(name)
        try:
            if isinstance(value, str) and not re.fullmatch(r"\d{1,11}", value):
                moment = datetime.fromisoformat(value)
            else:
                moment = datetime.fromtimestamp(self.count(name), UTC)
        except (ValueError, OverflowError, OSError):
            raise Problem(f"{name} is no moment: {str(value)[:40]!r}") from None
        if value is None or moment.tzinfo is None:
            raise Problem(f"{name} is no moment with a time zone: {str(value)[:40]!r}")
        return moment.astimezone(UTC)

    def day(self, name: str) -> date:
        """A day like 2026-11-30."""
        value = self._get(name)
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise Problem(f"{name} is no day like 2026-11-30: {str(value)[:40]!r}")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise Problem(f"{name} is no day of the calendar: {value!r}") from None

    def _get(self, name: str) -> Any:
        value = self._record.get(name)
        return None if value == "" else value


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    if isinstance(value, str) and not re.fullmatch(r"-?\d{1,30}(\.\d{1,60})?([eE][-+]?\d{1,2})?", value.strip()):
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def day_of(start: datetime, end: datetime) -> date:
    """The day that a bucket of time lies in."""
    if not start < end <= datetime.combine(start.date(), datetime.min.time(), UTC) + _DAY:
        raise Problem("its bucket is no part of one day in UTC: ask for buckets of a day (bucket_width=1d)")
    return start.date()


class Gathered:
    """Everything that some files say together, each thing once; what it holds grows with things, not with records."""

    def __init__(self) -> None:
        self.format = ""
        self.provider = ""
        self.nothing = ""
        self.records = 0
        self._rows: dict[tuple[date, str, str, str, str], dict[str, Any]] = {}
        self._quiet: set[tuple[date, str]] = set()
        self._buckets: dict[tuple[str, date], dict[datetime, timedelta]] = {}

    def add(self, day: date, usage: Usage) -> None:
        """One record; amounts of the same day, kind, model, key and tier add up."""
        if not _FIRST <= day < _LAST:
            raise Problem(f"{day} is not a day of usage")
        self.records += 1
        row = self._rows.setdefault(
            (day, usage.kind, usage.model, usage.key, usage.tier),
            {**dict.fromkeys(_COUNTS, 0), "other_usage": {}, "cost_usd": Decimal(0)},
        )
        if len(self._rows) > MAX_ROWS:
            raise Problem(f"there are more than {MAX_ROWS} things told apart: import fewer days at a time")
        for name, number in usage.counts.items():
            row[name] += number
        for meter, number in usage.other.items():
            if number:
                row["other_usage"][meter] = row["other_usage"].get(meter, 0) + number
        row["cost_usd"] = EXACT.add(row["cost_usd"], usage.cost)
        if max(row[name] for name in _COUNTS) > _MOST or abs(row["cost_usd"]) > _MOST:
            raise Problem("the sums are larger than anything that was ever used")

    def add_nothing(self, day: date, kind: str) -> None:
        """A day that is told of; where nothing else is said of it, nothing was used. Without a kind: see `rows`."""
        self._quiet.add((day, kind))

    def cover(self, kind: str, start: datetime, end: datetime) -> None:
        """A bucket of time that is told of, whether or not anything was used in it."""
        day = day_of(start, end)
        told = self._buckets.setdefault((kind, day), {})
        if start in told:
            raise Problem(f"its bucket ({start:%Y-%m-%d %H:%M}) was told of already: is a page there twice?")
        told[start] = end - start

    def rows(self) -> list[dict[str, Any]]:
        """Rows for gateway.sp_import_provider_usage(). Raises UsageFileError when a day is told of in part.

        What was told without its kind is of that of the rest, or of `nothing` where there is no rest.
        """
        self._settle_kind()
        for (_, day), told in self._buckets.items():
            if (length := sum(told.values(), timedelta())) != _DAY:
                hours = f"{length / timedelta(hours=1):g}"
                raise UsageFileError(
                    f"{day} is told of in part ({hours} hours of 24): ask for it from midnight to midnight in UTC, and"
                    " give all pages of an answer at once"
                )
        for day, kind in self._quiet - {(day, kind) for day, kind, *_ in self._rows}:
            self.add(day, Usage(kind))
            self.records -= 1
        if not self._rows:
            raise UsageFileError("no usage is told of, and no day without any")
        return [
            {
                "provider": self.provider,
                "usage_day": day.isoformat(),
                "usage_kind": kind,
                "model_name": model,
                "provider_key_id": key,
                "service_tier": tier,
                **row,
                "cost_usd": f"{row['cost_usd']:f}",
            }
            for (day, kind, model, key, tier), row in sorted(self._rows.items())
        ]

    def _settle_kind(self) -> None:
        """A page in which nothing was used does not say of what: of what the other pages say."""
        if not any(kind == "" for _, kind in self._quiet):
            return
        kinds = {kind for _, kind, *_ in self._rows} or {self.nothing}
        if len(kinds) > 1:
            raise UsageFileError(
                f"a page tells of days without usage, and not whether of {' or '.join(sorted(kinds))}: import one kind"
                " at a time"
            )
        (kind,) = kinds
        self._quiet = {(day, told or kind) for day, told in self._quiet}
        for (_, day), told in [item for item in self._buckets.items() if item[0][0] == ""]:
            del self._buckets["", day]
            for start, length in told.items():
                try:
                    self.cover(kind, start, start + length)
                except Problem as problem:
                    raise UsageFileError(str(problem)) from None
