"""Work is found without hints, and whoever's hold on a message has lapsed settles nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests_py.faults.conftest import Report, Size, StartRig
from tests_py.support.checker import drain, find_violations
from tests_py.support.customers import Customers
from tests_py.support.rig import Rig

CALLS = {"small": 40, "full": 2_000}
CUTS = {"small": 3, "full": 100}
STALE = {"small": 12, "full": 500}
# The house promises half a second; two busy cores of `make test` are given more.
PICKED_UP_WITHIN_SECONDS = {"small": 10.0, "full": 0.5}
MUTANTS = Path(__file__).parent / "mutants"
_LISTENERS = (
    "from pg_stat_activity as a where a.application_name = 'onevault worker clock' and a.datname = current_database()"
)


def apply(rig: Rig, name: str) -> None:
    """Run one of the mutants' SQL files in the rig's database."""
    with rig.gateway.database.connect() as connection:
        connection.execute((MUTANTS / name).read_bytes())


def pick_ups(rig: Rig, customers: Customers, before: int) -> list[float]:
    """Seconds from the sending of each call to its arrival at the provider, sorted."""
    began = {call.nonce: call.began for call in rig.provider.calls()[before:]}
    return sorted(began[heard.nonce] - heard.sent for heard in customers.heard if heard.nonce in began)


async def test_polling_alone_finds_work(start_rig: StartRig, size: Size, report: Report) -> None:
    """No notification and no wake frame. Catches: a worker that polls only when it was woken."""
    rig = start_rig(program="tests_py.faults.mutants.deaf")
    apply(rig, "deaf.sql")
    before = len(rig.provider.calls())
    # One at a time: a busy worker finds the next call while it asks for more.
    customers = Customers(rig.gateway.url, rig.token, CALLS[size], at_once=1, prompt=lambda _: "tokens=1")
    with rig.gateway.database.connect() as ear:
        ear.execute("listen onevault_work")
        await customers.run()
        told = list(ear.notifies(timeout=0.5))
    waits = pick_ups(rig, customers, before)
    p99 = waits[int(len(waits) * 0.99) - 1]
    report(
        calls=len(waits), notifications=len(told), p50_ms=round(waits[len(waits) // 2] * 1000), p99_ms=round(p99 * 1000)
    )
    assert told == []
    assert customers.outcome() == {"answered": CALLS[size]}
    assert p99 < PICKED_UP_WITHIN_SECONDS[size]


async def test_a_cut_ear_grows_back(start_rig: StartRig, size: Size, report: Report) -> None:
    """The listening connection is ended again and again, then PostgreSQL crashes. Catches: a clock that dies with its
    connection, or that goes on without listening."""
    rig = start_rig()
    before = len(rig.provider.calls())
    cut = 0

    async def cut_ears(done: int) -> None:
        nonlocal cut
        if done % 5 == 0:
            ended = f"select pg_terminate_backend(a.pid) {_LISTENERS}"
            cut += len(await asyncio.to_thread(rig.gateway.database.query, ended))
        if cut >= CUTS[size] and done >= CALLS[size]:
            customers.stop()

    customers = Customers(
        rig.gateway.url, rig.token, 1_000_000, at_once=2, prompt=lambda _: "tokens=1", on_progress=cut_ears
    )
    await customers.run()
    waits = pick_ups(rig, customers, before)
    await asyncio.to_thread(rig.crash_database)
    async with asyncio.timeout(60):
        # What was listened for is forgotten by a crash; the worker has to say it anew.
        while not await asyncio.to_thread(
            rig.gateway.database.query, f"select a.pid {_LISTENERS} and a.query <> '' and a.state = 'idle'"
        ):
            await asyncio.sleep(0.1)
    again = Customers(rig.gateway.url, rig.token, 20, at_once=2, prompt=lambda _: "tokens=1")
    await again.run()
    report(cut=cut, calls=len(waits), p99_ms=round(waits[int(len(waits) * 0.99) - 1] * 1000), again=again.outcome())
    assert customers.outcome() == {"answered": len(customers.heard)}
    assert again.outcome().get("answered") == 20
    assert waits[int(len(waits) * 0.99) - 1] < PICKED_UP_WITHIN_SECONDS[size]


async def lapse(rig: Rig, count: int) -> Customers:
    """Calls whose first worker is stuck while its hold on the message ends and a second one takes them; then it wakes.

    Every other call is a stream, which the first worker settles as soon as it wakes, before the second has its answer.
    """
    (first,) = rig.gateway.workers
    customers = Customers(
        rig.gateway.url, rig.token, count, at_once=count, stream_each=2, prompt=lambda _: "tokens=4 gate=each"
    )
    load = asyncio.create_task(customers.run())
    await until(lambda: rig.provider.state()["gated"] == count)
    rig.gateway.start_worker()
    await until(lambda: rig.gateway.log().count('"event":"worker_ready"') == 2)
    first.signal(signal.SIGSTOP)
    rig.gateway.database.query("update pgmq.q_standard set vt = clock_timestamp() returning 1")
    await until(lambda: rig.provider.state()["gated"] == 2 * count)
    first.signal(signal.SIGCONT)
    await until(lambda: len(receipts(rig)) >= count // 2)
    rig.provider.release()
    await load
    await drain(rig.gateway.database, 30, hasten_after=1.5)
    await until(lambda: len(receipts(rig)) == 2 * count)
    return customers


async def until(condition: Callable[[], bool]) -> None:
    """Returns when it holds."""
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.05)


def receipts(rig: Rig) -> list[dict[str, Any]]:
    """What sp_record_results said, as the witness has it."""
    return [row[0] for row in rig.gateway.database.query("select w.receipt from faults.receipt as w")]


@pytest.mark.parametrize("fenced", [True, False], ids=["fenced", "mutant"])
async def test_a_lapsed_hold_settles_nothing(start_rig: StartRig, size: Size, report: Report, fenced: bool) -> None:
    """100 % of stale settles are refused and each call is charged once. The control: without the fence on `read_ct`
    (mutants/no_fence.sql) the same must be found wrong."""
    rig = start_rig()
    apply(rig, "witness.sql")
    if not fenced:
        apply(rig, "no_fence.sql")
    before = len(rig.provider.calls())
    customers = await lapse(rig, STALE[size])
    calls = rig.provider.calls()[before:]
    said = receipts(rig)
    settled = sum(bool(receipt["settled"]) for receipt in said)
    found = find_violations(rig.gateway.database, customers.heard, calls, duplicates_allowed=len(calls))
    report(
        fenced=fenced, calls=STALE[size], provider_calls=len(calls), settles=len(said),
        refused=len(said) - settled, outcome=customers.outcome(), violations=len(found),
    )  # fmt: skip
    if fenced:
        assert found == []
        assert settled == STALE[size]
        assert len(said) - settled == STALE[size], "one settle of each call was stale"
        assert customers.outcome() == {"answered": STALE[size]}
    else:
        assert [violation for violation in found if violation.startswith("told is booked")], found
