"""One measurement after another: the provider alone, then the gateway in front of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from bench.errors import GatewayError
from bench.gateway import PROVIDER, Gateway
from bench.load import Call, Load, chat_body, messages_body, run_load
from bench.postgres import Booked, Watch
from bench.processes import CpuSnapshot
from bench.provider import MODEL, Provider
from bench.tools import Tool

Mode = Literal["plain", "stream", "translated"]
"""Translated is a stream to a customer who speaks Messages, from a provider that speaks chat completions."""

ROUTE: Final = "/v1/chat/completions"
TRANSLATED_ROUTE: Final = "/v1/messages"

_WARM_UP_SECONDS: Final = 1
_SETTLE_SECONDS: Final = 30
_DIRECT_SECONDS: Final = 3


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure: each mode at each number of connections, for some seconds."""

    modes: Sequence[Mode] = ("plain", "stream")
    connections: Sequence[int] = (1, 16, 64, 200)
    seconds: int = 8


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One mode at one number of connections, the gateway's figures beside the provider's own.

    CPU is in milliseconds per answer; `overhead` is the gateway's latency less the provider's.
    """

    mode: Mode
    connections: int
    answers: int
    errors: dict[str, int]
    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    direct_requests_per_second: float
    direct_p50_ms: float
    overhead_p50_ms: float
    overhead_p99_ms: float
    cpu_ms: dict[str, float]
    generator_cpu_ms: float
    statements: float | None
    commits: float
    wal_bytes: float
    booked: Booked
    by_statement: dict[str, int]

    @property
    def gateway_cpu_ms(self) -> float:
        """CPU per answer of the gateway's own processes with PostgreSQL."""
        return sum(self.cpu_ms.values())


def calls(gateway: Gateway, mode: Mode) -> Call:
    """The call of a mode as the gateway's customers make it."""
    model = f"{PROVIDER}/{MODEL}"
    if mode == "translated":
        return Call(url=gateway.url(TRANSLATED_ROUTE), body=messages_body(model), tokens=gateway.tokens)
    body = chat_body(model, stream=mode == "stream")
    return Call(url=gateway.url(ROUTE), body=body, tokens=gateway.tokens)


def measure(
    plan: Plan, wrk: Tool, provider: Provider, gateway: Gateway, watcher: Callable[[str], None] | None = None
) -> Iterator[Measurement]:
    """Yield a measurement per mode and number of connections, in the plan's order.

    `watcher` is called with the measurement's name as its load begins. Raises GatewayError when
    an answer was not booked.
    """
    for mode in plan.modes:
        call = calls(gateway, mode)
        body = chat_body(MODEL, stream=mode != "plain")
        direct = Call(url=f"{provider.endpoint}/chat/completions", body=body, tokens=("none",))
        for connections in plan.connections:
            seconds = min(plan.seconds, _DIRECT_SECONDS)
            alone = run_load(wrk, direct, connections=connections, seconds=seconds)
            run_load(wrk, call, connections=connections, seconds=_WARM_UP_SECONDS)
            before = settled(gateway.watch)
            if watcher is not None:
                watcher(f"{mode}-{connections}")
            gateway.watch.begin()
            cpu = CpuSnapshot.take(gateway.groups)
            load = run_load(wrk, call, connections=connections, seconds=plan.seconds)
            spent = CpuSnapshot.take(gateway.groups).since(cpu)
            yield _put_together(mode, connections, alone, load, spent, gateway.watch, before)


def settled(watch: Watch) -> Booked:
    """Wait until all that was asked is routed and booked. Raises GatewayError when that never comes."""
    begun = time.monotonic()
    earlier, booked = None, watch.booked()
    # A generator leaves amid its last requests: some are routed only after it has gone.
    while booked != earlier or booked.routed != booked.booked:
        if time.monotonic() - begun > _SETTLE_SECONDS:
            raise GatewayError(f"{booked.routed} requests were routed, {booked.booked} booked")
        time.sleep(0.25)
        earlier, booked = booked, watch.booked()
    return booked


def _put_together(
    mode: Mode, connections: int, alone: Load, load: Load, spent: dict[str, float], watch: Watch, before: Booked
) -> Measurement:
    work = watch.end()
    booked = settled(watch).since(before)
    answers = load.requests - load.errors["status"]
    # wrk leaves amid its last requests: they are booked too, one per connection at most.
    if not answers <= booked.succeeded or booked.booked > load.requests + connections:
        raise GatewayError(f"{answers} answers came, but the vault has {booked}")

    def per_answer(amount: float) -> float:
        return amount / max(answers, 1)

    return Measurement(
        mode=mode,
        connections=connections,
        answers=answers,
        errors=load.errors,
        requests_per_second=answers / load.seconds,
        p50_ms=load.p50_ms,
        p95_ms=load.p95_ms,
        p99_ms=load.p99_ms,
        direct_requests_per_second=alone.requests_per_second,
        direct_p50_ms=alone.p50_ms,
        overhead_p50_ms=load.p50_ms - alone.p50_ms,
        overhead_p99_ms=load.p99_ms - alone.p99_ms,
        cpu_ms={name: per_answer(seconds * 1000) for name, seconds in spent.items()},
        generator_cpu_ms=per_answer(load.generator_cpu_seconds * 1000),
        statements=None if work.statements is None else per_answer(work.statements),
        commits=per_answer(work.commits),
        wal_bytes=per_answer(work.wal_bytes),
        booked=booked,
        by_statement=work.by_statement,
    )
