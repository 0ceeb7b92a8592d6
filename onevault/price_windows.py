"""When a published model costs what: the prices of one model as plain windows of dates.

The published data says prices in ways that the price book has no room for: prices that rise with
the length of the prompt, that change with the hour, that depend on a service tier, and meters for
sound, pictures and searches. Here all of that becomes, for each span of dates, one price for each
of four meters, by one rule: never less than what the provider will charge for a call that we send.

- Prices that rise above a number of input tokens: the base price, and a limit on the input that
  keeps every call below it.
- Prices that change with the hour of the day: the dearest hour.
- A price for writing to the cache that is below the price of input is a surcharge on it: their sum.
- Fractions beyond the tenth decimal are rounded up.
- Everything else that is left out is named in `notes`; nothing is dropped silently.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, TieredPrices

METERS: Final[Mapping[str, str]] = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
}

_SMALLEST: Final = Decimal("1e-10")

Prices = dict[str, Decimal]


class Note(msgspec.Struct, frozen=True):
    """A published price that the price book leaves out, and why."""

    what: str
    reason: str


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What one model costs from one date to another.

    `prices` maps meter to USD per million tokens; a cache meter that is not there costs what input
    costs. `valid_from` is the first day (UTC) and `valid_to` the day after the last; None is open.
    `input_limit_tokens` is the longest prompt that these prices hold for, None if they hold for
    all. `meters` names every published meter, priced here or not.
    """

    valid_from: date | None
    valid_to: date | None
    prices: Prices
    input_limit_tokens: int | None
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
    for valid_from, valid_to in _spans(published):
        if valid_to is not None and valid_to <= on:
            continue
        window = _read_window(_holding(published, valid_from), valid_from, valid_to, notes)
        if windows and _cost_the_same(windows[-1], window):
            before = windows.pop()
            meters = before.meters | window.meters
            window = msgspec.structs.replace(window, valid_from=before.valid_from, meters=meters)
        windows.append(window)
    for variant in model.price_variants or ():
        if vars(variant.prices):
            when = ", ".join(f"{key}={value}" for key, value in variant.when.items())
            notes[Note(what=when, reason="calls are priced at the standard rate")] = None
    return windows, list(notes)


def _spans(published: Sequence["ConditionalPrice"]) -> Iterator[tuple[date | None, date | None]]:
    starts = sorted({start for price in published if (start := _start_date(price)) is not None})
    return zip([None, *starts], [*starts, None], strict=True)


def _start_date(price: "ConditionalPrice") -> date | None:
    from genai_prices.types import StartDateConstraint

    constraint = price.constraint
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


def _read_window(
    holding: list["ModelPrice"],
    valid_from: date | None,
    valid_to: date | None,
    notes: dict[Note, None],
) -> Window:
    limits: list[int] = []
    hours: list[Prices] = []
    meters: set[str] = set()
    for model_price in holding:
        prices: Prices = {}
        for key, value in vars(model_price).items():
            if value is None:
                continue
            meters.add(key)
            if key in METERS:
                base = _read_base(key, value, limits, notes)
                prices[METERS[key]] = _round_up(base)
            else:
                notes[Note(what=key, reason="the price book has no such meter")] = None
        if prices.get("cache_write", Decimal("inf")) < prices.get("input", Decimal(0)):
            prices["cache_write"] += prices["input"]
        hours.append(prices)
    if any(prices != hours[0] for prices in hours):
        notes[Note(what="cheaper hours", reason="all hours cost what the dearest costs")] = None
    return Window(
        valid_from=valid_from,
        valid_to=valid_to,
        prices=_dearest(hours),
        input_limit_tokens=min(limits, default=None),
        meters=frozenset(meters),
    )


def _read_base(key: str, value: "Decimal | TieredPrices", limits: list[int], notes: dict[Note, None]) -> Decimal:
    if isinstance(value, Decimal):
        return value
    for tier in value.tiers:
        limits.append(tier.start)
        what = f"{key} above {tier.start} input tokens: {tier.price}"
        notes[Note(what=what, reason="calls are limited to shorter prompts")] = None
    return value.base


def _round_up(price: Decimal) -> Decimal:
    rounded = price.quantize(_SMALLEST, ROUND_CEILING)
    return price if rounded == price else rounded


def _dearest(hours: list[Prices]) -> Prices:
    if len(hours) == 1:
        return hours[0]
    meters = [meter for meter in METERS.values() if any(meter in prices for prices in hours)]
    return {meter: max(prices.get(meter, prices.get("input", Decimal(0))) for prices in hours) for meter in meters}


def _cost_the_same(first: Window, second: Window) -> bool:
    return (first.prices, first.input_limit_tokens) == (second.prices, second.input_limit_tokens)
