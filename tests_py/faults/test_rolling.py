"""Fronts and workers are replaced one by one under load, and no customer notices."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess

from tests_py.faults.conftest import Report, Size, StartRig
from tests_py.litestar_app.kit import until
from tests_py.support.checker import drain, find_violations
from tests_py.support.customers import Customers
from tests_py.support.gateway import Process
from tests_py.support.rig import Rig

# rounds, and how many fronts and workers are replaced in each
ROUNDS = {"small": (2, 1), "full": (10, 2)}
_LEAVE_SECONDS = 45
# Answers of a tenth of a second, so that each replacement meets some in the middle.
PROMPT = "tokens=10 first=20 gap=8"


async def replace(rig: Rig, old: Process) -> int:
    """Start a successor, then SIGTERM for `old`; its exit code."""
    front = old in rig.gateway.fronts
    processes = rig.gateway.fronts if front else rig.gateway.workers
    event = '"event":"front_open"' if front else '"event":"worker_ready"'
    seen = rig.gateway.log().count(event)
    (rig.gateway.start_front if front else rig.gateway.start_worker)()
    async with asyncio.timeout(_LEAVE_SECONDS):
        while rig.gateway.log().count(event) == seen:
            await asyncio.sleep(0.05)
    old.signal(signal.SIGTERM)
    code = await asyncio.to_thread(old.popen.wait, _LEAVE_SECONDS)
    processes.remove(old)
    old.kill()  # it has gone; this closes its log
    return code


async def test_a_rolling_replacement_loses_nothing(start_rig: StartRig, size: Size, report: Report) -> None:
    """Customers may try again after a refused connection and after 503 `draining`, as the contract says, and after
    nothing else. Catches: a front that leaves while customers still send on standing connections."""
    rounds, count = ROUNDS[size]
    rig = start_rig(fronts=count, workers=count)
    before = len(rig.provider.calls())
    customers = Customers(rig.gateway.url, rig.token, 1_000_000, at_once=8, prompt=lambda _: PROMPT)
    load = asyncio.create_task(customers.run())
    codes: list[int] = []
    for _ in range(rounds):
        codes += [await replace(rig, old) for old in (*rig.gateway.fronts, *rig.gateway.workers)]
    customers.stop()
    await load
    await drain(rig.gateway.database, 60)
    calls = rig.provider.calls()[before:]
    outcome = customers.outcome()
    report(rounds=rounds, replaced=len(codes), requests=customers.done, outcome=outcome)
    assert codes == [0] * len(codes)
    assert set(outcome) <= {"answered", "draining"}, [heard for heard in customers.heard if not heard.whole]
    assert find_violations(rig.gateway.database, customers.heard, calls, duplicates_allowed=0) == []


async def test_who_leaves_may_be_told_again(start_rig: StartRig) -> None:
    """SIGTERM every two milliseconds until it is gone, the interpreter's own end included. Catches: handlers that are
    put back at the end, so that the last signal kills and the exit code tells of a crash."""
    rig = start_rig()
    await until(lambda: '"event":"worker_ready"' in rig.gateway.log())  # a front is ready without a worker
    for processes in (rig.gateway.fronts, rig.gateway.workers):
        process = processes.pop()
        code = None
        while code is None:
            process.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.popen.wait(0.002)
        process.kill()  # it has gone; this closes its log
        assert code == 0, process.name
