"""`python -m bench`: measure the gateway on this machine, print the figures and keep them."""

import argparse
import datetime as dt
import signal
import sys
from collections.abc import Sequence
from typing import Final

import psutil

from bench.errors import BenchError
from bench.gateway import Gateway, running_gateway
from bench.load import find_generator
from bench.processes import CpuSnapshot, measure_memory
from bench.profile import Profiler
from bench.provider import Provider, running_provider
from bench.report import Report, as_text, current_commit, describe_machine, headline, keep
from bench.suite import Mode, Plan, calls, measure, settled
from bench.tools import CACHE, Tool
from bench.verify import verify_answers

_IDLE_SECONDS: Final = 5


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    options = _parser().parse_args()
    if not sys.platform.startswith("linux"):
        print("bench: the figures are read from Linux's /proc, which is not here", file=sys.stderr)
        return 1
    # Ended from outside it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        wrk = find_generator()
        with (
            running_provider(gap_us=options.gap_us, first_byte_us=options.first_byte_us) as provider,
            running_gateway(provider, customers=options.customers, tcp_link=options.link == "tcp") as gateway,
        ):
            return _run(options, wrk, provider, gateway)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, wrk: Tool, provider: Provider, gateway: Gateway) -> int:
    modes: Sequence[Mode] = (options.only,) if options.only else ("plain", "stream")
    plan = Plan(modes=modes, connections=options.connections, seconds=options.seconds)
    verified = verify_answers(calls(gateway, "plain"), calls(gateway, "stream"))
    settled(gateway.watch)
    resting = CpuSnapshot.take(gateway.groups)
    busy = psutil.cpu_percent(interval=_IDLE_SECONDS) * (psutil.cpu_count() or 1)
    rest = CpuSnapshot.take(gateway.groups).since(resting)
    idle_cpu = {name: 100 * seconds / _IDLE_SECONDS for name, seconds in rest.items()}
    idle = measure_memory(gateway.groups)
    profiler = _profiler(options, gateway)
    measurements = []
    for measurement in measure(plan, wrk, provider, gateway, profiler.start if profiler else None):
        print(headline(measurement), file=sys.stderr, flush=True)
        measurements.append(measurement)
        if profiler:
            print(profiler.finish(), file=sys.stderr)
    report = Report(
        taken_at=dt.datetime.now(dt.UTC),
        commit=current_commit(),
        machine=describe_machine(),
        provider=provider.made_of,
        options=vars(options),
        second_start_seconds=gateway.second_start_seconds,
        verified_answers=verified,
        others_cpu_percent=max(0.0, busy - sum(idle_cpu.values())),
        idle_cpu_percent=idle_cpu,
        idle_memory=idle,
        loaded_memory=measure_memory(gateway.groups),
        measurements=measurements,
    )
    print(as_text(report))
    if options.keep:
        print(f"\nkept in {keep(report)}")
    return 1 if any(sum(measurement.errors.values()) for measurement in measurements) else 0


def _profiler(options: argparse.Namespace, gateway: Gateway) -> Profiler | None:
    if not options.profile:
        return None
    return Profiler(gateway.groups, options.seconds, CACHE / "profiles")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=int, default=8, help="length of each load (%(default)s)")
    add("--only", choices=("plain", "stream"), help="one kind of answer instead of both")
    add("--connections", type=_numbers, default=(1, 16, 64, 200), metavar="N,N", help="1,16,64,200")
    add("--customers", type=int, default=1, help="customers who take turns (%(default)s)")
    add("--link", choices=("unix", "tcp"), default="unix", help="how front and worker are joined (%(default)s)")
    add("--gap-us", type=int, default=1000, help="pause between two events of a stream (%(default)s)")
    add("--first-byte-us", type=int, default=0, help="how long the provider thinks (%(default)s)")
    add("--profile", action="store_true", help="watch front and worker with py-spy")
    add("--keep", action=argparse.BooleanOptionalAction, default=True, help="write bench/results/")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
