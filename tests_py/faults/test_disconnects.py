"""Customers hang up at any moment: each pays for what the provider had said by then, and nothing stays open."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from decimal import Decimal
from typing import NamedTuple

import psutil

from tests_py.faults.conftest import Report, Size, StartRig
from tests_py.support.checker import drain, find_violations
from tests_py.support.leavers import Plan, call_and_leave, draw
from tests_py.support.rig import Rig
from tests_py.support.truth import Call

CALLS = {"small": 150, "full": 10_000}
AT_ONCE = 16
_BOOKED = """
select s.user_agent, s.response_status, s.provider_cost, s.customer_cost, s.house_loss, s.markup_percent,
       s.usage_source
from gateway.api_request_s as s
"""


class Booked(NamedTuple):
    """What the books say about one call; costs in USD."""

    agent: str
    status: str
    provider_cost: Decimal
    customer_cost: Decimal
    house_loss: Decimal
    markup_percent: Decimal
    usage_source: str | None


def true_cost(call: Call | None) -> Decimal:
    """What the provider asks for a call, at a dollar for a million tokens: nothing for one that brought no token."""
    if call is None or not call.tokens:
        return Decimal(0)
    return Decimal(call.prompt_tokens + call.tokens) / 1_000_000


async def leave_all(rig: Rig, plans: list[Plan]) -> None:
    """Call and hang up, many at once."""
    waiting = iter(plans)

    async def customer() -> None:
        for plan in waiting:
            await call_and_leave(rig.gateway.port, rig.token, plan)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(customer())


async def wait_until_quiet(rig: Rig, seconds: float = 30) -> None:
    """Returns when the provider is in the middle of no answer any more."""
    deadline = time.monotonic() + seconds
    while rig.provider.state()["answering"]:
        assert time.monotonic() < deadline, f"answers that nobody reads go on: {rig.provider.state()}"
        await asyncio.sleep(0.05)


def sockets_to(rig: Rig) -> int:
    """Connections that the workers hold open to the provider."""
    port = int(rig.provider.endpoint.split(":")[2].split("/")[0])
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.raddr and connection.raddr.port == port
        for worker in rig.gateway.workers
        for connection in psutil.Process(worker.pid).net_connections("tcp")
    )


async def test_who_hangs_up_pays_for_what_was_said(start_rig: StartRig, size: Size, report: Report) -> None:
    """Catches: what lay unread in the worker when the call was broken off is not counted (`read_rest` gives nothing);
    a plain call is broken off and forgotten; usage told early stands for the whole; a call whose socket is left open."""
    rig = start_rig()
    chance = random.Random(1811)
    plans = [draw(chance) for _ in range(CALLS[size])]
    before = len(rig.provider.calls())
    await leave_all(rig, plans)
    await drain(rig.gateway.database, 60)
    await wait_until_quiet(rig)
    calls = rig.provider.calls()[before:]
    truth = {call.nonce: call for call in calls}
    booked = {row[0]: Booked(*row) for row in rig.gateway.database.query(_BOOKED)}

    wrong: list[str] = []
    apart: Counter[int] = Counter()
    for plan in plans:
        call, row = truth.get(plan.nonce), booked.get(plan.agent)
        true = true_cost(call)
        if row is None:
            # It left before the front had read the call, which then never was one.
            if call is not None:
                wrong.append(f"{plan} was called and is not booked")
            continue
        tokens = round((row.provider_cost - true) * 1_000_000)
        apart[tokens] += 1
        # One token may be on its way while the connection is being closed: the provider counts it, nobody can see it.
        allowed = max(Decimal(1) / 1_000_000, true / 100)
        if abs(row.provider_cost - true) > allowed:
            wrong.append(f"{plan.when} {plan.how} {row.status} {row.usage_source}: {tokens} tokens apart of {call}")
        if call is not None and call.tokens and not row.customer_cost:
            wrong.append(f"{call} brought output and is free")
        price = round(row.provider_cost * (1 + row.markup_percent / 100), 10)
        if row.customer_cost + row.house_loss != price:
            wrong.append(f"{plan.nonce} costs {row.customer_cost} at a price of {price}")
    off = sum(abs(tokens) * count for tokens, count in apart.items())
    report(
        disconnects=len(plans),
        booked=len(booked),
        cut=sum(not call.whole for call in calls),
        status=dict(Counter(row.status for row in booked.values())),
        usage_source=dict(Counter(str(row.usage_source) for row in booked.values())),
        tokens=sum(call.tokens for call in calls),
        tokens_apart=off,
        apart=dict(sorted(apart.items())),
        wrong=len(wrong),
    )
    assert wrong == []
    assert find_violations(rig.gateway.database, [], calls, duplicates_allowed=0) == []
    assert sockets_to(rig) <= rig.provider.state()["open"]
    assert sum(not call.whole for call in calls) > len(plans) / 4
