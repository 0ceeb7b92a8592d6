"""`python -m bench.translated`: streams in another grammar than the provider's, beside those that pass through.

The provider speaks chat completions; customers ask by it, and by Anthropic's Messages, in turns, so that a machine
whose speed changes says the same of both. And how long the gateway keeps the first word of 64 streams that are open.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from bench.gateway import Gateway, running_gateway
from bench.load import Call, chat_body, find_generator
from bench.provider import MODEL, Provider, running_provider
from bench.suite import Measurement, Mode, Plan, calls, measure

_STREAMS: Final = 64
_OPEN_SECONDS: Final = 8.0
# What says nothing yet is held back, so that another provider may still answer: the first words are what counts.
_FIRST_WORDS: Final = (b'"delta":{"content"', b'"text_delta"')


def main() -> None:
    """Measure as the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.translated", description=__doc__)
    parser.add_argument("--turns", type=int, default=6, help="of each kind (%(default)s)")
    parser.add_argument("--first-word", action="store_true", help="measure that alone")
    parser.add_argument("--seconds", type=int, default=4, help="length of a turn (%(default)s)")
    options = parser.parse_args()
    if not options.first_word:
        _compare(options.turns, options.seconds)
    # Streams that stand open: an event each 20 ms, so that the machine is not full of them.
    with (
        running_provider(gap_us=20_000, first_byte_us=0) as provider,
        running_gateway(provider, customers=1) as gateway,
    ):
        for name, call, direct in _first_words(gateway, provider):
            ours, theirs = asyncio.run(_open_streams(call)), asyncio.run(_open_streams(direct))
            print(
                f"{name:>10}: first word p50 {1000 * _median(ours):.1f} ms, the provider's own "
                f"{1000 * _median(theirs):.1f} ms, {_STREAMS} streams open, {len(ours)} measured"
            )


def _compare(turns: int, seconds: int) -> None:
    """Streams that pass and streams that are translated, in turns."""
    generator = find_generator()
    with running_provider(gap_us=1000, first_byte_us=0) as provider, running_gateway(provider, customers=1) as gateway:
        modes: tuple[Mode, ...] = ("stream", "translated")
        found: dict[Mode, list[Measurement]] = {mode: [] for mode in modes}
        for number in range(turns):
            turn = Plan(modes=modes[:: 1 if number % 2 else -1], connections=(_STREAMS,), seconds=seconds)
            for measurement in measure(turn, generator, provider, gateway):
                found[measurement.mode].append(measurement)
        for mode, got in found.items():
            print(f"{mode:>10}: {_line(got)}", flush=True)
        ratio = _median([m.gateway_cpu_ms for m in found["translated"]]) / _median(
            [m.gateway_cpu_ms for m in found["stream"]]
        )
        print(f"a translated stream costs {ratio:.2f} times the CPU of one that passes through")


def _first_words(gateway: Gateway, provider: Provider) -> Iterator[tuple[Mode, Call, Call]]:
    direct = Call(url=f"{provider.endpoint}/chat/completions", body=chat_body(MODEL, stream=True), tokens=("none",))
    modes: tuple[Mode, ...] = ("stream", "translated")
    for mode in modes:
        yield mode, calls(gateway, mode), direct


async def _open_streams(call: Call) -> list[float]:
    """Seconds until the first word of an answer, with as many streams open all the time."""
    until = time.monotonic() + _OPEN_SECONDS
    waits: list[float] = []
    await asyncio.gather(*(_ask_on(call, until, waits, place / _STREAMS) for place in range(_STREAMS)))
    return waits


async def _ask_on(call: Call, until: float, waits: list[float], delay: float) -> None:
    place = urlsplit(call.url)
    head = (
        f"POST {place.path} HTTP/1.1\r\nhost: {place.netloc}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {call.tokens[0]}\r\ncontent-length: {len(call.body)}\r\n\r\n"
    )
    await asyncio.sleep(delay * 0.4)  # the length of a stream, so that they do not begin together
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while time.monotonic() < until:
        asked = time.monotonic()
        writer.write(head.encode() + call.body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        await reader.readuntil(_FIRST_WORDS[place.path.startswith("/v1/messages")])
        waits.append(time.monotonic() - asked)
        await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.close()


def _line(measured: list[Measurement]) -> str:
    parts = {name: _median([m.cpu_ms[name] for m in measured]) for name in measured[0].cpu_ms}
    return (
        f"{_median([m.requests_per_second for m in measured]):,.0f} streams/s, "
        f"{_median([m.gateway_cpu_ms for m in measured]):.2f} CPU-ms ("
        + ", ".join(f"{name} {cost:.2f}" for name, cost in parts.items())
        + ")"
    )


def _median(numbers: list[float]) -> float:
    return statistics.median(numbers)


if __name__ == "__main__":
    main()
