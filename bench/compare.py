"""`python -m bench.compare CHECKOUT`: this gateway and another checkout's, loaded in turns on one machine.

A machine whose speed changes from minute to minute says nothing about two runs after each other. Here both gateways
stand at once, each answers for a few seconds in turn, and the medians of many turns are compared. The other checkout
needs its virtual environment (`make .venv/.ready-dev` there).
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench.gateway import running_gateway
from bench.load import find_generator
from bench.provider import running_provider
from bench.suite import Mode, Plan, measure

_HERE: Final = Path(__file__).resolve().parents[1]


class Turn(msgspec.Struct, frozen=True):
    """One load of one gateway: what was got, and what an answer cost in CPU-ms."""

    requests_per_second: float
    overhead_p50_ms: float
    cpu_ms: dict[str, float]


class _Ask(msgspec.Struct):
    mode: Mode
    connections: int
    seconds: int


class Side:
    """A checkout's gateway, run by that checkout's own code in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def turn(self, mode: Mode, connections: int, seconds: int) -> Turn:
        """Load it once."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(_Ask(mode, connections, seconds)).decode() + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self.line(), type=Turn)

    def line(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise SystemExit("bench: a gateway that is compared has ended")
        return said


def main() -> None:
    """Compare as the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("checkout", type=Path, help="the other checkout, called before")
    parser.add_argument("--turns", type=int, default=8, help="of each gateway (%(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="length of a turn (%(default)s)")
    parser.add_argument("--connections", type=int, default=64, help="%(default)s")
    options = parser.parse_args()
    modes: tuple[Mode, ...] = ("plain", "stream")
    with ExitStack() as stack:
        before = stack.enter_context(_standing(options.checkout.resolve()))
        after = stack.enter_context(_standing(_HERE))
        for mode in modes:
            turns: tuple[list[Turn], list[Turn]] = ([], [])
            for number in range(options.turns):
                for place in (0, 1) if number % 2 else (1, 0):
                    side = (before, after)[place]
                    turns[place].append(side.turn(mode, options.connections, options.seconds))
            for name, got in zip(("before", "after"), turns, strict=True):
                print(f"{mode:>6} {name:>6}: {_line(got)}", flush=True)


def serve() -> None:
    """One side: stand a gateway up, load it whenever a line on standard input asks for it."""
    generator = find_generator()
    with running_provider(gap_us=1000, first_byte_us=0) as provider, running_gateway(provider, customers=1) as gateway:
        print("standing", flush=True)
        for line in sys.stdin:
            ask = msgspec.json.decode(line, type=_Ask)
            plan = Plan(modes=(ask.mode,), connections=(ask.connections,), seconds=ask.seconds)
            for got in measure(plan, generator, provider, gateway):
                turn = Turn(got.requests_per_second, got.overhead_p50_ms, got.cpu_ms)
                print(msgspec.json.encode(turn).decode(), flush=True)


@contextmanager
def _standing(checkout: Path) -> Iterator[Side]:
    python = checkout / ".venv" / "bin" / "python"
    # This file with the other's `bench`: what is compared is measured by the code that belongs to it.
    process = subprocess.Popen(
        [python, Path(__file__).resolve(), "--serve"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    side = Side(process)
    try:
        side.line()
        yield side
    finally:
        process.communicate()


def _line(turns: list[Turn]) -> str:
    def median(numbers: list[float]) -> float:
        return statistics.median(numbers)

    parts = {name: median([turn.cpu_ms[name] for turn in turns]) for name in turns[0].cpu_ms}
    return (
        f"{median([turn.requests_per_second for turn in turns]):,.0f} req/s, "
        f"p50 overhead {median([turn.overhead_p50_ms for turn in turns]):.1f} ms, "
        f"{median([sum(turn.cpu_ms.values()) for turn in turns]):.3f} CPU-ms ("
        + ", ".join(f"{name} {cost:.3f}" for name, cost in parts.items())
        + ")"
    )


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["--serve"] else main()
