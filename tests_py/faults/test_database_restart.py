"""PostgreSQL goes away under load and comes back: refused at once, nothing cut, everything booked, nobody helps."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests_py.faults.conftest import Report, Size, StartRig
from tests_py.support.checker import drain, find_violations
from tests_py.support.customers import Customers

AWAY_SECONDS = {"small": 2.0, "full": 10.0}
# The contract's second, and what two busy cores may add to it in `make test`.
REFUSED_WITHIN_SECONDS = {"small": 10.0, "full": 1.5}


@pytest.mark.parametrize("immediate", [False, True], ids=["fast", "immediate"])
async def test_streams_go_on_and_settles_wait(start_rig: StartRig, size: Size, report: Report, immediate: bool) -> None:
    """Catches: a stream that ends with the database, a settle that is given up, a refusal without `retry-after`."""
    rig = start_rig(fronts=2, workers=2)
    before = len(rig.provider.calls())
    away = AWAY_SECONDS[size]
    streams = Customers(
        rig.gateway.url, rig.token, 12, at_once=12, stream_each=1,
        prompt=lambda _: f"tokens={int(away * 20)} gap=100",
    )  # fmt: skip
    opened = asyncio.create_task(streams.run())
    async with asyncio.timeout(60):
        while sum(call.tokens > 3 for call in rig.provider.calls()[before:]) < 12:
            await asyncio.sleep(0.05)
    customers = Customers(rig.gateway.url, rig.token, 1_000_000, at_once=8, prompt=lambda _: "tokens=6 first=4 gap=1")
    load = asyncio.create_task(customers.run())
    while customers.done < 30:
        await asyncio.sleep(0.02)
    gone = time.monotonic()
    await asyncio.to_thread(rig.cluster.stop, immediate=immediate)
    # Those from before may all wait for their receipts; these find it gone.
    late = Customers(rig.gateway.url, rig.token, 1_000_000, at_once=4, prompt=lambda _: "tokens=6 first=4 gap=1")
    later = asyncio.create_task(late.run())
    await asyncio.sleep(away)
    back = time.monotonic()
    await asyncio.to_thread(rig.cluster.start)
    accepting = time.monotonic()
    had = sum(heard.whole for heard in customers.heard)
    async with asyncio.timeout(60):
        while sum(heard.whole for heard in customers.heard) < had + 30:
            await asyncio.sleep(0.02)
    customers.stop()
    late.stop()
    await asyncio.gather(load, later, opened)
    await drain(rig.gateway.database, 90, hasten_after=1.5 if size == "small" else 0)

    refused = [heard for heard in [*customers.heard, *late.heard] if heard.status == 503]
    in_time = [heard for heard in refused if gone < heard.sent < back]
    answered = [heard.sent + heard.seconds for heard in customers.heard if heard.whole]
    recovered = min(moment for moment in answered if moment > accepting) - accepting
    report(
        immediate=immediate,
        away_seconds=round(accepting - gone, 2),
        refused=len(refused),
        slowest_refusal_seconds=round(max((heard.seconds for heard in in_time), default=0), 3),
        recovered_after_seconds=round(recovered, 2),
        streams=streams.outcome(),
        outcome=customers.outcome(),
        late=late.outcome(),
    )
    calls = rig.provider.calls()[before:]
    assert streams.outcome() == {"answered": 12}
    assert set(customers.outcome()) | set(late.outcome()) <= {"answered", "overloaded"}
    assert in_time
    assert all(heard.retry_after is not None for heard in refused)
    assert max(heard.seconds for heard in in_time) < REFUSED_WITHIN_SECONDS[size]
    heard = [*streams.heard, *customers.heard, *late.heard]
    found = find_violations(rig.gateway.database, heard, calls, duplicates_allowed=12 + 8 + 4)
    assert found == []
