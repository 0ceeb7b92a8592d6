"""When a published model costs what: the prices of one model as plain windows of dates.

The published data says prices in ways that the price book has no room for: prices that change with the hour, and meters
that nobody counts here. All of it becomes, for each span of dates, a price for each meter, number of input tokens,
service tier and mode, by one rule: never less than what the provider will charge for a call that we send.

- Prices that rise above a number of input tokens: rows with that threshold.
- Prices by service tier or speed, and of batches: rows with that tier or mode.
- Prices that change with the hour of the day: the dearest hour.
- A price for writing to the cache that is below the price of input is a surcharge on it: their sum.
- What the cache gives of pictures is counted with the rest: the dearer of the two.
- Fractions beyond the tenth decimal are rounded up.
- Everything else that is left out is named in `notes`; nothing is dropped silently.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, TieredPrices

_MILLION: Final = 1_000_000
# Published key: our meter, and how many of what we count its price is for.
_KEYS: Final[Mapping[str, tuple[str, int]]] = {
    "input_mtok": ("input", _MILLION),
    "output_mtok": ("output", _MILLION),
    "cache_read_mtok": ("cache_read", _MILLION),
    "cache_image_read_mtok": ("cache_read", _MILLION),
    "cache_write_mtok": ("cache_write", _MILLION),
    "cache_write_1h_mtok": ("cache_write_1h", _MILLION),
    "input_audio_mtok": ("input_audio", _MILLION),
    "output_audio_mtok": ("output_audio", _MILLION),
    "cache_audio_read_mtok": ("cache_read_audio", _MILLION),
    "input_image_mtok": ("input_image", _MILLION),
    "output_image_mtok": ("output_image", _MILLION),
    "web_searches_kcount": ("search", 1000),
    "audio_hours": ("second", 3600),
    "input_audio_hours": ("second", 3600),
    "input_mchars": ("character", _MILLION),
}
METERS: Final[Mapping[str, str]] = {key: meter for key, (meter, _) in _KEYS.items()}

_SMALLEST: Final = Decimal("1e-10")
_STANDARD: Final = ("standard", "sync")

Prices = dict[str, Decimal]
# By meter and the input tokens above which it holds.
_Table = dict[tuple[str, int], Decimal]


class Note(msgspec.Struct, frozen=True):
    """A published price that the price book leaves out, and why."""

    what: str
    reason: str


class BookPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price that is not the plain one: of a meter above a threshold, in a service tier, in a region or in batches."""

    meter: str
    threshold_tokens: int = 0
    service_tier: str = "standard"
    region: str = ""
    mode: Literal["sync", "batch"] = "sync"
    usd_per_million: Decimal


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What one model costs from one date to another.

    `prices` maps meter to USD per million of what it counts, for standard calls with a short prompt; `other_prices`
    are all others. A meter of tokens that is not there costs what input or output costs. `valid_from` is the first day
    (UTC) and `valid_to` the day after the last; None is open. `meters` names every published meter, priced here or not.
    """

    valid_from: date | None
    valid_to: date | None
    prices: Prices
    other_prices: tuple[BookPrice, ...]
    meters: frozenset[str]


def read_windows(model: "ModelInfo", on: date) -> tuple[list[Window], list[Note]]:
    """Give the windows of a model that hold on this day or later, in order, and what is left out.

    Windows that follow each other at the same prices are one. A model without any price gives
    windows without prices.
    """
    from genai_prices.types import ConditionalPrice, ModelPrice

    published = model.prices
    if isinstance(published, ModelPrice):
        published = [ConditionalPrice(prices=published)]
    windows: list[Window] = []
    notes: dict[Note, None] = {}
    for valid_from, valid_to in _spans([*published, *(model.price_variants or ())]):
        if valid_to is not None and valid_to <= on:
            continue
        meters: set[str] = set()
        table = _read_hours(_holding(published, valid_from), meters, notes)
        tables = {_STANDARD: table} | _read_variants(model, valid_from, table, notes)
        window = Window(
            valid_from=valid_from,
            valid_to=valid_to,
            prices={meter: price for (meter, threshold), price in table.items() if threshold == 0},
            other_prices=tuple(_list_others(tables)),
            meters=frozenset(meters),
        )
        if windows and _cost_the_same(windows[-1], window):
            before = windows.pop()
            meters |= before.meters
            window = msgspec.structs.replace(window, valid_from=before.valid_from, meters=frozenset(meters))
        windows.append(window)
    return windows, list(notes)


def _spans(published: Sequence[object]) -> Iterator[tuple[date | None, date | None]]:
    starts = sorted({start for price in published if (start := _start_date(price)) is not None})
    return zip([None, *starts], [*starts, None], strict=True)


def _start_date(price: object) -> date | None:
    from genai_prices.types import StartDateConstraint

    constraint = getattr(price, "constraint", None)
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else None


def _holding(published: Sequence["ConditionalPrice"], day: date | None) -> list["ModelPrice"]:
    """Give the prices that hold at some hour of this day: as published, the last that fits wins.

    If none fits at all hours, the first one holds at the others.
    """
    holding = []
    for price in reversed(published):
        start = _start_date(price)
        if start is not None and (day is None or start > day):
            continue
        holding.append(price.prices)
        if price.constraint is None or start is not None:
            return holding
    return [*holding, published[0].prices]


def _read_hours(holding: list["ModelPrice"], meters: set[str], notes: dict[Note, None]) -> _Table:
    hours = [_read_table(vars(prices), meters, notes) for prices in holding]
    if all(hour == hours[0] for hour in hours):
        return hours[0]
    notes[Note(what="cheaper hours", reason="all hours cost what the dearest costs")] = None
    keys = dict.fromkeys(key for hour in hours for key in hour)
    return {key: max(price for hour in hours if (price := _price_at(hour, *key)) is not None) for key in keys}


def _price_at(table: _Table, meter: str, threshold: int) -> Decimal | None:
    """The price of a meter above a number of input tokens; a missing cache meter costs what input costs."""
    found = [(above, price) for (name, above), price in table.items() if name == meter and above <= threshold]
    if found:
        return max(found)[1]
    return _price_at(table, "input", threshold) if meter.startswith("cache") else None


def _read_table(
    published: Mapping[str, "Decimal | TieredPrices | None"],
    meters: set[str],
    notes: dict[Note, None],
    whole: _Table | None = None,
) -> _Table:
    """Read one set of prices; `whole` is the table that it is a part of, for what it does not name itself."""
    table: _Table = {}
    for key, value in published.items():
        if value is None:
            continue
        meters.add(key)
        if key not in _KEYS:
            notes[Note(what=key, reason="the price book has no such meter")] = None
            continue
        meter, per = _KEYS[key]
        for threshold, price in _read_steps(value):
            rounded = _round_up(price * _MILLION / per)
            table[meter, threshold] = max(rounded, table.get((meter, threshold), rounded))
    for (meter, threshold), price in table.items():
        if meter in ("cache_write", "cache_write_1h"):
            base = _price_at(table, "input", threshold) or _price_at(whole or {}, "input", threshold) or Decimal(0)
            if price < base:
                table[meter, threshold] = price + base
    return table


def _read_steps(value: "Decimal | TieredPrices") -> Iterator[tuple[int, Decimal]]:
    if isinstance(value, Decimal):
        yield 0, value
        return
    # One that begins at no token at all is the base.
    yield 0, next((tier.price for tier in value.tiers if tier.start <= 0), value.base)
    yield from sorted((tier.start, tier.price) for tier in value.tiers if tier.start > 0)


def _read_variants(
    model: "ModelInfo", day: date | None, whole: _Table, notes: dict[Note, None]
) -> dict[tuple[str, str], _Table]:
    """Read the prices of service tiers and of batches: of variants that hold, the first that names a price wins."""
    found: dict[tuple[str, str], dict[str, Decimal | TieredPrices]] = {}
    for variant in model.price_variants or ():
        prices = {key: price for key, price in vars(variant.prices).items() if price is not None}
        start = _start_date(variant)
        if not prices or (start is not None and (day is None or start > day)):
            continue
        name = _name_variant(variant.when)
        if name is None or (variant.constraint is not None and start is None):
            when = ", ".join(f"{key}={value}" for key, value in variant.when.items())
            notes[Note(what=when, reason="calls are priced at the standard rate")] = None
            continue
        found[name] = prices | found.get(name, {})
    return {name: _read_table(prices, set(), notes, whole) for name, prices in found.items()}


def _name_variant(when: Mapping[str, str]) -> tuple[str, str] | None:
    """Name service tier and mode; None for what decides between prices and is no choice of a call here."""
    if dict(when) == {"processing": "batch"}:
        return "standard", "batch"
    if len(when) == 1 and (tier := when.get("service_tier") or when.get("speed")):
        return tier, "sync"
    return None


def _list_others(tables: Mapping[tuple[str, str], _Table]) -> Iterator[BookPrice]:
    for (tier, mode), table in tables.items():
        for (meter, threshold), price in table.items():
            if (tier, mode, threshold) != (*_STANDARD, 0):
                yield BookPrice(
                    meter=meter,
                    threshold_tokens=threshold,
                    service_tier=tier,
                    mode="batch" if mode == "batch" else "sync",
                    usd_per_million=price,
                )


def _round_up(price: Decimal) -> Decimal:
    rounded = price.quantize(_SMALLEST, ROUND_CEILING)
    return price if rounded == price else rounded


def _cost_the_same(first: Window, second: Window) -> bool:
    return first.prices == second.prices and sorted(first.other_prices, key=repr) == sorted(
        second.other_prices, key=repr
    )
