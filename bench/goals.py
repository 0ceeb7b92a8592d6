"""What the gateway has promised to reach on two cores, load and provider included."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bench.suite import Measurement, Mode


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One promise beside what was measured; `at_least` tells which way is good."""

    name: str
    wanted: float
    measured: float
    at_least: bool

    @property
    def reached(self) -> bool:
        """Whether the promise is kept."""
        if self.at_least:
            return self.measured >= self.wanted
        return self.measured <= self.wanted


_Promise = tuple[str, Mode, int, float, bool, Callable[[Measurement], float]]

_PROMISES: Final[Sequence[_Promise]] = (
    ("requests/s at 64, plain", "plain", 64, 1500, True, lambda m: m.requests_per_second),
    ("CPU-ms per request at 64, plain", "plain", 64, 1.0, False, lambda m: m.gateway_cpu_ms),
    ("p50 overhead at 1, plain, ms", "plain", 1, 4.0, False, lambda m: m.overhead_p50_ms),
    ("streams/s at 64", "stream", 64, 400, True, lambda m: m.requests_per_second),
)


def compare(measurements: Iterable[Measurement], *, idle_mb: float, second_start_seconds: float) -> Iterator[Goal]:
    """Yield every goal that something was measured for."""
    found = {(measurement.mode, measurement.connections): measurement for measurement in measurements}
    for name, mode, connections, wanted, at_least, read in _PROMISES:
        measurement = found.get((mode, connections))
        if measurement is not None:
            yield Goal(name=name, wanted=wanted, measured=read(measurement), at_least=at_least)
    yield Goal(name="idle memory, MB", wanted=350, measured=idle_mb, at_least=False)
    yield Goal(name="second start, s", wanted=5, measured=second_start_seconds, at_least=False)
