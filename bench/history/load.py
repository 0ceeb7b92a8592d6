"""Loads two gateways in turns, one on a vault with a history and one on an empty vault."""

import statistics
from pathlib import Path
from typing import Final

from bench.gateway import running_gateway
from bench.load import find_generator
from bench.provider import running_provider
from bench.suite import Measurement, Mode, Plan, measure

_CONNECTIONS: Final = (1, 16, 64)
_MODES: Final[tuple[Mode, ...]] = ("plain", "stream")


def load(home: Path, *, turns: int, seconds: int) -> str:
    """Requests a second and CPU of both, the medians of `turns`. What the load books stays in `home`'s vault."""
    generator = find_generator()
    lines = []
    with (
        running_provider(gap_us=1000, first_byte_us=0) as provider,
        running_gateway(provider, customers=1) as empty,
        running_gateway(provider, customers=1, data=home) as full,
    ):
        for mode in _MODES:
            for connections in _CONNECTIONS:
                plan = Plan(modes=(mode,), connections=(connections,), seconds=seconds)
                found: dict[str, list[Measurement]] = {"empty": [], "history": []}
                for number in range(turns):
                    sides = (("empty", empty), ("history", full))
                    for name, gateway in sides if number % 2 else reversed(sides):
                        found[name].extend(measure(plan, generator, provider, gateway))
                rates = {name: statistics.median(m.requests_per_second for m in got) for name, got in found.items()}
                costs = {name: statistics.median(m.gateway_cpu_ms for m in got) for name, got in found.items()}
                lines.append(
                    f"{mode:>6} at {connections:>2}: empty {rates['empty']:,.0f}/s, {costs['empty']:.3f} CPU-ms; "
                    f"with history {rates['history']:,.0f}/s, {costs['history']:.3f} CPU-ms; "
                    f"{100 * (rates['history'] / rates['empty'] - 1):+.1f} % requests/s"
                )
    return "\n".join(lines)
