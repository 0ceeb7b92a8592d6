"""The money of a month once more, by other means: from the raw vault alone, in Python, with no code of the gateway.

charges    usage in buckets x prices kept beside it, the markup or terms kept with the charge; at most the hold
fees       by the day, from subscriptions and the versions of plans
credits    by priority and expiry, day by day
amounts    each line rounded once, halves to the even digit
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, getcontext
from fractions import Fraction
from typing import Any, NamedTuple

from tests_py.support.cluster import ClonedDatabase

getcontext().prec = 60
_TENTH = Decimal("1e-10")
_MILLION = Decimal(1_000_000)

_CHARGED = """
select
    c.customer_bk, (s.request_timestamp at time zone t.time_zone)::date, s.customer_cost, s.reserved_cost,
    s.markup_percent, s.charge_terms,
    a.input_uncached_tokens, a.cache_read_tokens, a.cache_write_tokens, a.output_tokens,
    a.input_usd_per_million, a.cache_read_usd_per_million, a.cache_write_usd_per_million, a.output_usd_per_million,
    a.other_usage, l.provider_bk || '/' || s.model_used
from gateway.api_request_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
inner join auth.tenant_s as t on s.tenant_hk = t.tenant_hk and t.load_end_date is null
inner join gateway.ai_provider_h as l on s.provider_hk = l.provider_hk
left join gateway.api_request_attempt_s as a
    on s.api_request_hk = a.api_request_hk and s.customer_hk = a.customer_hk and a.is_charged
"""


class Charge(NamedTuple):
    """What a request costs its customer: as booked, and as reckoned here."""

    customer: str
    day: date
    offer: str
    booked: Decimal
    reckoned: Decimal


def read_charges(database: ClonedDatabase) -> list[Charge]:
    """Every request of the vault."""
    return [_reckon(*row) for row in database.query(_CHARGED)]


def _reckon(
    customer: str,
    day: date,
    booked: Decimal,
    reserved: Decimal,
    markup: Decimal,
    terms: dict[str, Any] | None,
    *rest: Any,
) -> Charge:
    units, prices, others, offer = rest[0:4], rest[4:8], rest[8], rest[9]
    if prices[0] is None:
        return Charge(customer, day, offer, booked, Decimal(0))
    meters = {
        meter: (Decimal(used or 0), price)
        for meter, used, price in zip(("input", "cache_read", "cache_write", "output"), units, prices, strict=True)
    }
    for meter, other in (others or {}).items():
        meters[meter] = Decimal(str(other["units"])), Decimal(str(other["usd_per_million"]))
    if terms is None:
        cost = _round(sum(used * price for used, price in meters.values()) / _MILLION)
        charge = _round(cost * (1 + markup / 100))
    else:
        asked = {meter: Decimal(str(usd)) for meter, usd in terms["usd_per_million"].items()}
        charge = _round(sum(used * asked[meter] for meter, (used, _) in meters.items() if used) / _MILLION)
        minima = [Decimal(str(rule["minimum_usd"])) for rule in terms["rules"] if rule.get("minimum_usd") is not None]
        charge = max([charge, *minima])
    return Charge(customer, day, offer, booked, min(charge, reserved))


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(_TENTH, ROUND_HALF_UP)


def to_cents(amount: Decimal) -> Decimal:
    """As it stands on an invoice in dollars."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def fee_of(monthly: Decimal, days: int, month: date) -> Decimal:
    """A monthly fee for some days of a month, to ten decimals."""
    exact = Fraction(monthly) * days / calendar.monthrange(month.year, month.month)[1]
    return _round(Decimal(exact.numerator) / Decimal(exact.denominator))


class Credit(NamedTuple):
    """A credit as it stands before a close."""

    name: str
    priority: int
    valid_from: date
    expires_on: date
    left: Decimal


def use_credits(granted: Iterable[Credit], due: dict[date, Decimal]) -> dict[str, Decimal]:
    """How much each credit covers of what is due by day; takes it from `due`."""
    used: dict[str, Decimal] = defaultdict(Decimal)
    for credit in sorted(granted, key=lambda c: (c.priority, c.expires_on, c.name)):
        left = credit.left
        for day in sorted(due):
            if credit.valid_from <= day < credit.expires_on:
                taken = min(left, due[day])
                due[day] -= taken
                left -= taken
                used[credit.name] += taken
    return used


def first_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def month_before(month: date) -> date:
    """The first day of the month before."""
    return first_of(month - timedelta(days=1))
