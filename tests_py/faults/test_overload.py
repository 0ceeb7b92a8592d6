"""Ten times more calls than there is room for: those let in are answered, the others are told so at once.

The provider is the sandbox with a fixed time to answer and the worker holds a fixed number of calls, so capacity is
their quotient and not what this machine can do. Small in `make test`; a minute of flood with ONEVAULT_SOAK=1.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import psutil
import pytest

from tests_py.conftest import StartGateway
from tests_py.support.books import check_books, wait_until_settled
from tests_py.support.flood import Caller, Heard, flood, percentile
from tests_py.support.gateway import Gateway
from tests_py.support.memory import Sampler, proportional_bytes

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
FLOOD_SECONDS = 60.0 if SOAK else 8.0
SLOTS = 20
ANSWER_SECONDS = 0.25 if SOAK else 0.5
CAPACITY = SLOTS / ANSWER_SECONDS
OVER = 10
LONGEST_WAIT = {"PREMIUM": 10.0, "STANDARD": 5.0, "BASIC": 2.0}
SHORTER = 1.0 if SOAK else 0.5
"""A flood of a minute has time for waits as they are shipped, a small one for half of them."""
RECOVERY_SECONDS = 30.0
LONGEST_ANSWER_SECONDS = 25.0
GOODPUT = 0.8
_MIB = 1024 * 1024


@pytest.mark.alone
def test_a_flood_costs_those_let_in_nothing_and_the_lowest_tier_most(start_gateway: StartGateway) -> None:
    """Mutants: no fn_refuse_backlog (everybody waits for minutes: goodput falls to what was let in before the
    deadline, no 503); admission by age alone (a wait of ten times the limit); one limit for all tiers."""
    gateway = start_gateway(
        ONEVAULT_WORKER_CONCURRENCY=str(SLOTS), ONEVAULT_SANDBOX_FIRST_BYTE_MS=str(round(ANSWER_SECONDS * 1000))
    )
    callers = [make_caller(gateway, tier) for tier in LONGEST_WAIT]
    with gateway.database.connect() as connection:
        connection.execute("update ops.admission set longest_wait = longest_wait * %s", (SHORTER,))
    calm = flood(gateway.port, callers, CAPACITY / 3, 3.0)
    assert {call.status for call in calm} == {200}
    usual = percentile([call.seconds for call in calm], 0.99)

    with memory_of(gateway) as memory:
        heard = flood(gateway.port, callers, CAPACITY * OVER, FLOOD_SECONDS)
    tail = max(call.heard_at for call in heard) - FLOOD_SECONDS
    recovered_after = round(tail + seconds_until_usual(gateway, callers, usual), 1)

    good = [call for call in heard if call.status == 200]
    refused = [call for call in heard if call.status == 503]
    in_time = sum(call.heard_at <= FLOOD_SECONDS for call in good)
    share = {
        caller.name: sum(call.caller == caller.name for call in good)
        / sum(call.caller == caller.name for call in heard)
        for caller in callers
    }
    waits = {
        caller.name: round(percentile([call.seconds for call in good if call.caller == caller.name], 0.99), 2)
        for caller in callers
    }
    figures = {
        "offered": len(heard), "statuses": Counter(call.status for call in heard), "share_answered": share,
        "goodput": round(in_time / FLOOD_SECONDS / CAPACITY, 3), "usual_p99": round(usual, 3), "p99": waits,
        "refused_p50": round(percentile([call.seconds for call in refused], 0.5), 4),
        "refused_p99": round(percentile([call.seconds for call in refused], 0.99), 4),
        "recovered_after": recovered_after,
        "most_mib": {name: round(memory.most(name) / _MIB) for name in memory.samples},
    }  # fmt: skip
    print(figures)
    assert {call.status for call in heard} == {200, 503}, figures
    assert all(call.retry_after and 1 <= call.retry_after <= 30 for call in refused)
    assert in_time >= GOODPUT * CAPACITY * FLOOD_SECONDS, figures
    assert share["PREMIUM"] > max(share["STANDARD"], share["BASIC"]) > 0, figures
    if SOAK:
        assert share["STANDARD"] > share["BASIC"] > 0, figures
    # Those who came in the first second, before the pace was known, wait longest; without any bound it is minutes.
    assert max(waits.values()) <= LONGEST_ANSWER_SECONDS, figures
    assert percentile([call.seconds for call in refused], 0.9) < (0.5 if SOAK else 2.0), figures
    assert recovered_after <= RECOVERY_SECONDS
    assert memory.most("front") < 400 * _MIB, figures
    assert memory.most("worker") < 300 * _MIB, figures
    wait_until_settled(gateway.database)
    check_books(gateway.database, [call.request_id for call in good if call.request_id])


@pytest.mark.alone
def test_premium_does_not_notice_a_flood_of_basic(start_gateway: StartGateway) -> None:
    """Mutant: one queue for all tiers (a premium call waits behind all the others)."""
    gateway = start_gateway(
        ONEVAULT_WORKER_CONCURRENCY=str(SLOTS), ONEVAULT_SANDBOX_FIRST_BYTE_MS=str(round(ANSWER_SECONDS * 1000))
    )
    premium, basic = make_caller(gateway, "PREMIUM"), make_caller(gateway, "BASIC")
    quarter = CAPACITY / 4
    idle = flood(gateway.port, [premium], quarter, FLOOD_SECONDS)
    heard = flood(gateway.port, [premium, *[basic] * 12], 13 * quarter, FLOOD_SECONDS)
    served = [call for call in heard if call.caller == "PREMIUM"]
    assert {call.status for call in idle + served} == {200}
    p99 = {
        name: percentile([call.seconds for call in calls], 0.99) for name, calls in (("idle", idle), ("flood", served))
    }
    print({name: round(seconds, 3) for name, seconds in p99.items()})
    assert p99["flood"] <= 2 * p99["idle"], p99
    wait_until_settled(gateway.database)
    check_books(gateway.database)


def test_who_leaves_the_queue_costs_no_call_and_holds_no_money(start_gateway: StartGateway) -> None:
    """Mutant: nobody notices that a client left (the provider is called for nobody)."""
    gateway = start_gateway(ONEVAULT_WORKER_CONCURRENCY="2", ONEVAULT_SANDBOX_FIRST_BYTE_MS="1500")
    caller = make_caller(gateway, "PREMIUM")
    busy = threading.Thread(target=flood, args=(gateway.port, [caller], 2, 1.0))
    busy.start()
    wait_for(lambda: waiting(gateway) == (0, 2))
    leaving = [ask_without_waiting(gateway, caller) for _ in range(20)]
    wait_for(lambda: waiting(gateway) == (20, 22))
    for line in leaving:
        line.close()
    busy.join()
    wait_until_settled(gateway.database, 30)
    found = gateway.database.query(
        "select s.response_status, s.error_class, s.customer_cost,"
        " (select count(*) from gateway.api_request_attempt_s as a where a.api_request_hk = s.api_request_hk),"
        " count(*) from gateway.api_request_s as s group by 1, 2, 3, 4"
    )
    left = [row for row in found if row[0] == "CANCELLED"]
    assert left == [("CANCELLED", "client_gone", 0, 0, 20)], found
    check_books(gateway.database)


def make_caller(gateway: Gateway, tier: str) -> Caller:
    made = json.loads(gateway.run("customer", "create", tier.lower(), "--tier", tier, "--json"))
    return Caller(tier, made["token"])


def memory_of(gateway: Gateway) -> AbstractContextManager[Sampler]:
    return Sampler(
        0.5,
        front=lambda: proportional_bytes(front.pid for front in gateway.fronts),
        worker=lambda: proportional_bytes(worker.pid for worker in gateway.workers),
        postgres=lambda: proportional_bytes(postgres_of(gateway)),
    )


def postgres_of(gateway: Gateway) -> list[int]:
    """The processes of the server that serves this gateway's database."""
    return [
        pid for (pid,) in gateway.database.query("select a.pid from pg_stat_activity as a") if psutil.pid_exists(pid)
    ]


def seconds_until_usual(gateway: Gateway, callers: list[Caller], usual: float) -> float:
    """How long after a flood calls at a third of the capacity take as long as before it, and none is refused."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) <= RECOVERY_SECONDS:
        heard: list[Heard] = flood(gateway.port, callers, CAPACITY / 3, 1.0)
        usually = percentile([call.seconds for call in heard], 0.99) <= 2 * usual + 0.2
        if usually and {call.status for call in heard} == {200}:
            return round(passed, 1)
    pytest.fail(f"not back to {usual:.3f} s within {RECOVERY_SECONDS} s")


def waiting(gateway: Gateway) -> tuple[int, int]:
    """Messages that nobody has read, and requests under way."""
    ((unread, reserved),) = gateway.database.query(
        "select (select count(*) from pgmq.q_premium as q where q.read_ct = 0), (select count(*) from ops.reservation)"
    )
    return unread, reserved


def ask_without_waiting(gateway: Gateway, caller: Caller) -> socket.socket:
    body = json.dumps({"model": "sandbox-small", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    line = socket.create_connection(("127.0.0.1", gateway.port))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {caller.token}\r\n"
    line.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return line


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
