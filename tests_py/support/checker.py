"""The accounting after a fault: what customers heard and what the provider knows against the books.

`find_violations` gives sentences; none means that nothing was lost, charged twice or left behind. Each sentence begins
with the name of the rule, so that a test can say which one has to catch its mutant.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tests_py.support.customers import Heard
from tests_py.support.gateway import AnyDatabase
from tests_py.support.truth import Call, duplicates

_QUEUES = ("premium", "standard", "basic")
_OPEN = (
    "select (select count(*) from ops.reservation), (select count(*) from pgmq.q_premium) "
    "+ (select count(*) from pgmq.q_standard) + (select count(*) from pgmq.q_basic)"
)
_ROWS = """
select h.api_request_bk, s.response_status, s.customer_cost, s.output_tokens, a.charged, a.attempts, s.attempt_count,
    a.outcomes
from gateway.api_request_h as h
left join gateway.api_request_s as s on h.api_request_hk = s.api_request_hk and h.customer_hk = s.customer_hk
left join lateral (
    select count(*) filter (where a.is_charged) as charged, count(*) as attempts,
        string_agg(concat_ws(' ', a.attempt_number, a.outcome, a.error_class), ', ') as outcomes
    from gateway.api_request_attempt_s as a
    where a.api_request_hk = h.api_request_hk and a.customer_hk = h.customer_hk
) as a on true
"""
_SCOPES = """
select s.scope_kind, s.day_spent_usd, f.day_spent, s.month_spent_usd, f.month_spent, s.day_held_usd, s.month_held_usd
from ops.scope_state as s
inner join ops.scope_fact as f on s.scope_hk = f.scope_hk and s.day_number = f.day_number
where s.month_spent_usd + s.month_held_usd > 0 or s.scope_kind = 'customer'
"""


class Row(NamedTuple):
    """A request in the books; `status` is None for one that nobody settled."""

    request_id: str
    status: str | None
    cost: Decimal | None
    tokens: int | None
    charged: int
    attempts: int
    attempt_count: int | None
    outcomes: str | None


async def drain(database: AnyDatabase, seconds: float, *, hasten_after: float = 0.0) -> float:
    """Wait until nothing is reserved or queued; gives how many seconds that took, at most `seconds`.

    A message whose front and worker both died is read again after a minute. With `hasten_after`, when so many seconds
    have brought nothing, that minute is over at once.
    """
    began = last = time.monotonic()
    before: tuple[Any, ...] = ()
    while time.monotonic() - began < seconds:
        (now,) = await asyncio.to_thread(database.query, _OPEN)
        if now == (0, 0):
            break
        if now != before:
            before, last = now, time.monotonic()
        elif hasten_after and time.monotonic() - last > hasten_after:
            last = time.monotonic()
            for queue in _QUEUES:
                statement = f"update pgmq.q_{queue} set vt = clock_timestamp() returning 1"
                await asyncio.to_thread(database.query, statement)
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def read_rows(database: AnyDatabase) -> list[Row]:
    """All requests, one for each row of the hub and each of its terminal rows."""
    return [Row(*row) for row in database.query(_ROWS)]


def find_violations(
    database: AnyDatabase, heard: Sequence[Heard], calls: Sequence[Call], *, duplicates_allowed: int
) -> list[str]:
    """Everything that is not as it must be, once all is drained."""
    rows = read_rows(database)
    return [
        *_of_rows(rows),
        *_of_customers(rows, heard, calls),
        *_of_hot_state(database),
        *_of_provider(calls, duplicates_allowed),
        *_of_the_house(database),
    ]


def _of_rows(rows: Sequence[Row]) -> Iterator[str]:
    for request_id, count in Counter(row.request_id for row in rows).items():
        if count > 1:
            yield f"one terminal row: {request_id} has {count}"
    for row in rows:
        if row.status is None:
            yield f"every request ends: {row.request_id} has no terminal row"
        if row.charged > 1:
            yield f"one charge: {row.request_id} has {row.charged} charged attempts"
        if row.status is not None and row.attempts != row.attempt_count:
            yield f"attempts are whole: {row.request_id} has {row.attempts} of {row.attempt_count}"
        if row.cost and not row.charged:
            yield f"a charge has its attempt: {row.request_id} costs {row.cost} and charges none"


def _of_customers(rows: Sequence[Row], heard: Sequence[Heard], calls: Sequence[Call]) -> Iterator[str]:
    booked = {row.request_id: row for row in rows}
    told = Counter(one.request_id for one in heard if one.whole)
    said = {call.nonce: call for call in calls if call.whole}
    for one in heard:
        if one.whole and told[one.request_id] > 1:
            yield f"one answer: {one.request_id} was told {told[one.request_id]} times"
        if not one.acknowledged:
            continue
        row = booked.get(one.request_id or "")
        if row is None or row.status is None:
            yield f"acknowledged is booked: {one.request_id} ({one.status}, {one.code}) is not"
        elif one.whole and (row.status, row.cost) != ("SUCCESS", one.cost):
            yield f"told is booked: {one.request_id} was told {one.cost} and is {row.status} at {row.cost}"
        elif one.whole and one.nonce not in said:
            yield f"answers come from the provider: {one.nonce} never came to an end there"
        elif one.whole and row.tokens != said[one.nonce].tokens:
            yield f"usage is the provider's: {one.request_id} has {row.tokens} of {said[one.nonce].tokens} tokens"
        elif one.broken and one.tokens and not row.cost:
            yield f"what was given is charged: {one.request_id} gave {one.tokens} tokens for nothing: {row}"


def _of_hot_state(database: AnyDatabase) -> Iterator[str]:
    ((reserved, queued),) = database.query(_OPEN)
    if reserved:
        yield f"nothing stays reserved: {reserved} reservations are left"
    if queued:
        yield f"nothing stays queued: {queued} messages are left"
    for kind, day, day_fact, month, month_fact, day_held, month_held in database.query(_SCOPES):
        if (day, month) != (day_fact, month_fact):
            yield f"spent is what the vault says: a {kind} has {day} and {month}, the vault {day_fact} and {month_fact}"
        if day_held or month_held:
            yield f"nothing stays held: a {kind} holds {day_held} and {month_held}"


def _of_provider(calls: Sequence[Call], allowed: int) -> Iterator[str]:
    found = duplicates(list(calls))
    if found > allowed:
        yield f"few calls are made twice: {found}, and {allowed} may be"


def _of_the_house(database: AnyDatabase) -> Iterator[str]:
    if database.query("select to_regclass('ops.invariant_violation') is not null") == [(True,)]:
        for invariant, subject, finding in database.query(
            "select v.invariant::text, v.subject::text, v.finding::text from ops.invariant_violation as v"
        ):
            yield f"invariant {invariant}: {subject}: {finding}"
