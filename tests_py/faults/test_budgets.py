"""Budgets of a tenant, its customers and their tokens are shared by everybody at once while everything is killed."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

import httpx

from tests_py.faults.conftest import Report, Size, StartRig
from tests_py.faults.test_kills import in_flight, settle
from tests_py.support.checker import find_violations
from tests_py.support.customers import Customers
from tests_py.support.honest_provider import MODEL
from tests_py.support.rig import Rig

# calls, kills of workers, of connections, of PostgreSQL
SIZES = {"small": (900, 3, 6, 1), "full": (5_000, 20, 60, 5)}
PROMPT = "tokens=40 first=2 gap=0"
# What a short answer's worst case may come to: nobody is refused while more is left.
LAST_HOLD = Decimal("0.0003")

_BUDGETS = """
select b.scope || ' ' || coalesce(b.limit_name, b.customer) || ' ' || b.period, b.limit_usd, b.spent_usd, b.held_usd
from business_vault.budget_status as b where b.limit_usd < 100
union all
select 'highest ' || u.limit_name, u.allowed, u.used, u.held from business_vault.usage_limit_status as u
where u.unit <> 'USD'
"""


def cut_connections(rig: Rig, chance: random.Random) -> None:
    """Half of the gateway's connections to its database break."""
    rig.gateway.database.query(
        "select count(pg_catalog.pg_terminate_backend(a.pid)) from pg_catalog.pg_stat_activity as a"
        " where a.datname = current_database() and a.application_name like 'onevault%%' and random() < %s",
        chance.uniform(0.3, 0.7),
    )


async def test_no_budget_is_passed_and_nobody_is_refused_while_money_is_left(
    start_rig: StartRig, size: Size, report: Report
) -> None:
    """Catches: a limit that is taken without its lock, one that is not given back when a worker dies, a hold that is
    made twice, limits that are locked in another order by routing than by booking."""
    chance = random.Random(5)
    requests, workers, connections, servers = SIZES[size]
    rig = start_rig(fronts=2, workers=3, others=("b", "c"), ONEVAULT_REQUEST_TIMEOUT_SECONDS="10")
    database = rig.gateway.database
    # An answer costs about 0.00005 USD: the tenant's week pays for half of the calls, the others for less of theirs.
    all_of_it = Decimal(requests) * Decimal("0.00005")
    database.query("update admin.customer set cost_budget_daily = %s where customer = 'b' returning 1", all_of_it / 8)
    database.query("update admin.token set cost_budget_monthly = %s where customer = 'c' returning 1", all_of_it / 10)
    database.query(
        "insert into admin.usage_limit (tenant, provider, unit, period, amount) values"
        " ('default', null, 'USD', 'WEEK', %s), ('default', 'honest', 'PARALLEL', null, 40),"
        " ('default', 'honest', 'TOKENS', 'DAY', 100000000) returning 1",
        all_of_it / 2,
    )
    before = len(rig.provider.calls())
    logged = rig.cluster.log.stat().st_size
    crowd = [
        Customers(rig.gateway.url, token, requests // 3, at_once=at_once, prompt=lambda _: PROMPT)
        for token, at_once in zip(rig.tokens, (6, 5, 5), strict=True)
    ]
    load = asyncio.gather(*(customers.run() for customers in crowd))
    kinds = ["worker"] * workers + ["connections"] * connections + ["database"] * servers
    chance.shuffle(kinds)
    while kinds and not load.done():
        await asyncio.sleep(0.2)
        kind = kinds.pop()
        if kind == "worker":
            rig.kill_worker(chance)
        elif kind == "connections":
            await asyncio.to_thread(cut_connections, rig, chance)
        else:
            await asyncio.to_thread(rig.crash_database)
    await load
    assert kinds == []
    await settle(rig, size)
    calls = rig.provider.calls()[before:]
    heard = [one for customers in crowd for one in customers.heard]
    found = find_violations(database, heard, calls, duplicates_allowed=in_flight(calls, rig.killed))
    refused = sum(one.code == "budget_exceeded" for one in heard)

    # Whoever asks on gets what is left, down to what pays for no answer any more.
    messages = [{"role": "user", "content": f"nonce=last {PROMPT}"}]
    asked = {"model": MODEL, "messages": messages, "max_tokens": 400}
    async with httpx.AsyncClient(base_url=rig.gateway.url, timeout=60) as client:
        for token in rig.tokens:
            for _ in range(requests):
                answer = await client.post(
                    "/v1/chat/completions", json=asked, headers={"authorization": f"Bearer {token}"}
                )
                if answer.status_code == 402:
                    break
                assert answer.status_code == 200, answer.text
            else:
                raise AssertionError("the budget has no end")
    await settle(rig, size)
    budgets = database.query(_BUDGETS)
    left = {name: limit - spent for name, limit, spent, held in budgets if not name.startswith("highest")}
    report(
        requests=requests, answered=sum(one.whole for one in heard), refused=refused, killed=len(rig.killed), left=left
    )
    assert found == []
    assert refused > 0
    assert [budget for budget in budgets if budget[2] > budget[1] or budget[3] != 0] == []
    assert min(left.values()) >= 0
    week = next(value for name, value in left.items() if "WEEK" in name)
    assert week < LAST_HOLD, "every customer has spent the tenant's budget"
    assert b"deadlock detected" not in rig.cluster.log.read_bytes()[logged:]
    assert database.query("select v.invariant, v.finding from ops.invariant_violation as v") == []
    assert database.query("select ops.fn_rebuild_hot_state()") == [(0,)], "what is kept is what the vault says"
