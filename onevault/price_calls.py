"""The SQL of prices for the command line and the start: the price book's doors, and admin.price.

Every function takes an open connection of a DBA or the owner, and commits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, LiteralString

import msgspec
from psycopg.rows import dict_row

from onevault.calls import Connection, Row

_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")

# The price that is in force already, set by hand, is not set once more.
_INSERT: Final = """
insert into admin.price (provider, model, meter, usd_per_million)
select m.provider, m.model, n.meter, n.usd_per_million
from admin.model as m
cross join jsonb_to_recordset(%(prices)s::jsonb) as n (meter text, usd_per_million numeric)
where
    lower(m.provider) = lower(%(provider)s) and lower(m.model) = lower(%(model)s)
    and not exists (
        select from admin.price as p
        where
            p.provider = m.provider and p.model = m.model and p.meter = n.meter and p.threshold_tokens = 0
            and p.service_tier = 'standard' and p.region = '' and p.mode = 'sync' and p.variant = '' and p.is_in_force
            and p.price_source = 'HAND' and p.usd_per_million = n.usd_per_million
    )
"""

_LIST: Final = """
select
    p.provider, p.model, p.meter, p.threshold_tokens, p.service_tier, p.region, p.mode, p.variant, p.usd_per_million,
    nullif(p.valid_from, '-infinity') as valid_from, nullif(p.valid_to, 'infinity') as valid_to, p.price_source,
    p.is_in_force
from admin.price as p
where lower(p.provider) = lower(coalesce(%s, p.provider)) and lower(p.model) = lower(coalesce(%s, p.model))
order by
    p.provider, p.model, p.meter, p.variant, p.mode desc, p.service_tier <> 'standard', p.service_tier, p.region,
    p.threshold_tokens, p.valid_from
"""

_COMPARE: Final = """
select
    c.change, c.provider, c.model, c.meter, c.threshold_tokens, c.service_tier, c.region, c.mode, c.variant,
    c.usd_per_million_before, c.usd_per_million, nullif(c.valid_from, '-infinity') as valid_from,
    nullif(c.valid_to, 'infinity') as valid_to
from admin.sp_compare_prices(%s::jsonb) as c
"""

_SYNC: Final = "select s.* from admin.sp_sync_price_book(%s, %s::jsonb, %s::jsonb) as s"


def insert_prices(connection: Connection, provider: str, model: str, prices: Mapping[str, Decimal]) -> None:
    """Prices by hand from now on, by meter in USD per million."""
    rows = [{"meter": meter, "usd_per_million": price} for meter, price in prices.items()]
    connection.execute(_INSERT, {"provider": provider, "model": model, "prices": _json(rows)})


def list_prices(connection: Connection, provider: str | None, model: str | None) -> list[Row]:
    """All of admin.price, or those of a provider or of a model; an open end is None."""
    return _all(connection, _LIST, (provider, model))


def read_book_version(connection: Connection) -> str | None:
    """Which price book was brought in last."""
    rows = _all(connection, "select b.book_version from ops.price_book as b")
    return rows[0]["book_version"] if rows else None


def compare_prices(connection: Connection, offers: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What bringing the book in would change in prices, a price a row."""
    return _all(connection, _COMPARE, (_json(offers),))


def sync_price_book(
    connection: Connection, version: str, providers: Sequence[Mapping[str, Any]], offers: Sequence[Mapping[str, Any]]
) -> Row:
    """How many providers, models and prices changed."""
    (row,) = _all(connection, _SYNC, (version, _json(providers), _json(offers)))
    return row


def _all(connection: Connection, statement: LiteralString, values: Sequence[Any] | None = None) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def _json(value: Any) -> str:
    return _ENCODER.encode(value).decode()
