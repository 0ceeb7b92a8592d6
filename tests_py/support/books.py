"""What must be true of the books of a gateway that has come to rest."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests_py.support.gateway import AnyDatabase

_QUEUED = (
    "select (select count(*) from pgmq.q_premium) + (select count(*) from pgmq.q_standard)"
    " + (select count(*) from pgmq.q_basic)"
)


def wait_until_settled(database: AnyDatabase, seconds: float = 60) -> None:
    """Until nothing is reserved and no message is left."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ((reserved,),) = database.query("select count(*) from ops.reservation")
        ((queued,),) = database.query(_QUEUED)
        if reserved == queued == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"not settled within {seconds} s: {reserved} reservations, {queued} messages")


def check_books(database: AnyDatabase, acknowledged: Iterable[str] = ()) -> None:
    """Every acknowledged request has one terminal row; holds are nil; sums agree with the rows."""
    found = database.query(
        "select h.api_request_bk, count(s.api_request_hk) from gateway.api_request_h as h"
        " left join gateway.api_request_s as s on h.api_request_hk = s.api_request_hk group by 1"
    )
    rows = {str(request): count for request, count in found}
    assert not {request: count for request, count in rows.items() if count != 1}, "one terminal row each"
    missing = set(acknowledged) - rows.keys()
    assert not missing, f"{len(missing)} acknowledged requests are not in the books"
    assert database.query("select * from ops.invariant_violation") == []
    held = database.query(
        "select s.scope_kind, s.day_held_usd, s.month_held_usd from ops.scope_state as s"
        " where s.day_held_usd <> 0 or s.month_held_usd <> 0"
    )
    assert held == []
    wrong = database.query(
        "select s.scope_kind, s.month_spent_usd, f.month_spent from ops.scope_state as s"
        " join ops.scope_fact as f on s.scope_hk = f.scope_hk"
        " where s.month_number = f.month_number and s.month_spent_usd <> f.month_spent"
    )
    assert wrong == []
