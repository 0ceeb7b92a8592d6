"""Workers, fronts and PostgreSQL are killed under load, and the books are right afterwards."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from tests_py.faults.conftest import Report, Size, StartRig
from tests_py.support.checker import drain, find_violations, read_rows
from tests_py.support.customers import Customers
from tests_py.support.rig import Rig
from tests_py.support.truth import Call, duplicates

# workers, fronts, servers to kill, and the calls during which it is done
KILLS = {"small": (5, 3, 1, 600), "full": (100, 50, 10, 50_000)}
PROMPT = "tokens=6 first=4 gap=1"
MUTANTS = Path(__file__).parent / "mutants"


def plan(size: Size, chance: random.Random) -> dict[int, str]:
    """What is killed after how many calls: all kinds mixed, evenly over the middle of the run."""
    workers, fronts, servers, requests = KILLS[size]
    kinds = ["worker"] * workers + ["front"] * fronts + ["database"] * servers
    chance.shuffle(kinds)
    step = requests * 0.85 / len(kinds)
    return {round(requests * 0.05 + number * step): kind for number, kind in enumerate(kinds)}


async def run_with_kills(rig: Rig, customers: Customers, kills: dict[int, str], chance: random.Random) -> None:
    """Let the customers call, and kill by plan."""
    waiting = sorted(kills)

    async def kill(done: int) -> None:
        while waiting and waiting[0] <= done:
            kind = kills[waiting.pop(0)]
            if kind == "worker":
                rig.kill_worker(chance)
            elif kind == "front":
                rig.kill_front(chance)
            else:
                await asyncio.to_thread(rig.crash_database)

    customers.on_progress = kill
    await customers.run()
    assert not waiting


def in_flight(calls: list[Call], moments: list[float], slack: float = 1.0) -> int:
    """Calls that were under way, or over but perhaps not booked yet, at one of these moments."""
    return sum(
        any(call.began <= moment <= (call.ended if call.ended is not None else moment) + slack for moment in moments)
        for call in calls
    )


async def settle(rig: Rig, size: Size, most: float = 60) -> float:
    """Everything that is still under way comes to its end."""
    full = size == "full"
    return await drain(rig.gateway.database, 300 if full else most, hasten_after=0 if full else 1.5)


@pytest.mark.parametrize("concurrency", [1, 64])
async def test_nothing_is_lost_and_nothing_charged_twice(
    start_rig: StartRig, size: Size, report: Report, concurrency: int
) -> None:
    """Catches: a settle that is no longer one transaction with the deletion (the control below), a front that does not
    release the messages of a dead worker, a worker that does not book for a dead front."""
    chance = random.Random(41 + concurrency)
    rig = start_rig(
        fronts=2,
        workers=4 if concurrency == 1 else 2,
        ONEVAULT_WORKER_CONCURRENCY=str(concurrency),
        # What a worker had read and not yet claimed when it died is invisible for a minute.
        ONEVAULT_REQUEST_TIMEOUT_SECONDS="120" if size == "full" else "10",
    )
    kills = plan(size, chance)
    requests = KILLS[size][3]
    if concurrency > 1:
        # The same kills, in fewer calls: what differs is how many are under way at each.
        requests //= 2
        kills = {done // 2: kind for done, kind in kills.items()}
    before = len(rig.provider.calls())
    customers = Customers(rig.gateway.url, rig.token, requests, at_once=24, prompt=lambda _: PROMPT)
    await run_with_kills(rig, customers, kills, chance)
    drained = await settle(rig, size)
    calls = rig.provider.calls()[before:]
    allowed = len(kills) if concurrency == 1 else in_flight(calls, rig.killed)
    found = find_violations(rig.gateway.database, customers.heard, calls, duplicates_allowed=allowed)
    report(
        concurrency=concurrency,
        requests=requests,
        kills=len(kills),
        outcome=customers.outcome(),
        booked=len(read_rows(rig.gateway.database)),
        provider_calls=len(calls),
        duplicates=duplicates(calls),
        duplicates_allowed=allowed,
        dead=rig.gateway.database.query("select count(*) from ops.dead_message")[0][0],
        drained_after_seconds=round(drained, 1),
        violations=len(found),
    )
    assert found == []
    assert sum(heard.whole for heard in customers.heard) > requests * 0.8


async def test_tries_with_one_key_are_charged_once(start_rig: StartRig, size: Size, report: Report) -> None:
    """Who tries again with his key after whatever broke gets his answer or the receipt of it, and one bill.

    Catches: a key that is not kept in the transaction that routes its call, a key that is forgotten when its call ends.
    """
    chance = random.Random(43)
    rig = start_rig(fronts=2, workers=3, ONEVAULT_REQUEST_TIMEOUT_SECONDS="120" if size == "full" else "10")
    kills = {done // 4: kind for done, kind in plan(size, chance).items()}
    before = len(rig.provider.calls())
    customers = Customers(
        rig.gateway.url, rig.token, KILLS[size][3] // 4, at_once=24, keyed=True, prompt=lambda _: PROMPT
    )
    await run_with_kills(rig, customers, kills, chance)
    await settle(rig, size)
    calls = rig.provider.calls()[before:]
    found = find_violations(
        rig.gateway.database, customers.heard, calls, duplicates_allowed=in_flight(calls, rig.killed)
    )
    keys = {heard.request_id: heard.nonce for heard in customers.heard}
    again = await customers.ask_again()
    rows = read_rows(rig.gateway.database)
    charged = Counter(keys.get(row.request_id) for row in rows if row.charged)
    report(
        keys=len(set(keys.values())), tries=len(customers.heard), again=len(again), booked=len(rows),
        charged=charged.total(),
    )  # fmt: skip
    assert found == []
    costs = {row.request_id: row.cost for row in rows}
    assert again
    assert [heard for heard in again if not heard.receipt or heard.cost != costs[heard.request_id or ""]] == []
    assert charged.total() == len({heard.nonce for heard in customers.heard})
    assert set(charged.values()) == {1}


async def test_a_settle_in_two_statements_is_caught(start_rig: StartRig, report: Report) -> None:
    """The control: with the mutant, the same harness must find charges that are made twice."""
    rig = start_rig(workers=0, ONEVAULT_WORKER_CONCURRENCY="1", ONEVAULT_REQUEST_TIMEOUT_SECONDS="20")
    with rig.gateway.database.connect() as connection:
        connection.execute((MUTANTS / "two_statements.sql").read_bytes())
    rig.gateway.program = "tests_py.faults.mutants.two_statements"
    for _ in range(3):
        rig.gateway.start_worker()
    rig.wait_until_linked()
    before = len(rig.provider.calls())
    customers = Customers(rig.gateway.url, rig.token, 1_000, at_once=6, prompt=lambda _: PROMPT)
    load = asyncio.create_task(customers.run())
    for _ in range(2):
        await rig.kill_worker_at("between")
    done = customers.done
    async with asyncio.timeout(60):
        while customers.done < done + 20:
            await asyncio.sleep(0.05)
    customers.stop()
    await load
    await settle(rig, "small", 10)
    found = find_violations(rig.gateway.database, customers.heard, rig.provider.calls()[before:], duplicates_allowed=2)
    rules = {violation.split(":")[0] for violation in found}
    report(requests=customers.done, kills=len(rig.killed), violations=len(found), rules=sorted(rules))
    # Charged twice, or stopped from it by the constraint on holds, which leaves the request where it is.
    assert rules & {"spent is what the vault says", "nothing stays reserved"}, found
