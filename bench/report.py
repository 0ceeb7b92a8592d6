"""The figures as a table for people and as JSON under `bench/results/`."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.goals import Goal, compare
from bench.processes import Memory
from bench.suite import Measurement

RESULTS: Final = Path(__file__).with_name("results")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures come from: everything, load and provider included, ran on this machine."""

    cores: int
    processor: str
    kernel: str
    python: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole benchmark. Memory is in MB, idle CPU in percent of one core, both by process group.

    `others_cpu_percent` is what other processes of the machine took while the gateway rested;
    `verified_answers` were read to the last byte.
    """

    taken_at: dt.datetime
    commit: str
    machine: Machine
    provider: str
    options: dict[str, object]
    second_start_seconds: float
    verified_answers: int
    others_cpu_percent: float
    idle_cpu_percent: dict[str, float]
    idle_memory: dict[str, Memory]
    loaded_memory: dict[str, Memory]
    measurements: list[Measurement]

    @property
    def idle_mb(self) -> float:
        """Idle memory of all processes with PostgreSQL, shared pages counted once."""
        return sum(memory.pss_mb for memory in self.idle_memory.values())

    @property
    def goals(self) -> list[Goal]:
        """Every promise that this benchmark can tell about."""
        start = self.second_start_seconds
        return list(compare(self.measurements, idle_mb=self.idle_mb, second_start_seconds=start))


def describe_machine() -> Machine:
    """Read this machine's size and kind."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return Machine(
        cores=os.cpu_count() or 0,
        processor=names[0] if names else platform.machine(),
        kernel=platform.release(),
        python=platform.python_version(),
    )


def current_commit() -> str:
    """The short commit of the checkout, with `-changed` when files differ from it."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--abbrev=7", "--dirty=-changed", "--exclude=*"],
        cwd=RESULTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "unknown"


def keep(report: Report, folder: Path = RESULTS) -> Path:
    """Write the report to `<date>-<commit>.json` in `folder`; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.taken_at:%Y-%m-%d}-{report.commit}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    return path


_Column = tuple[str, Callable[[Measurement], str]]

_LOAD: Final[Sequence[_Column]] = (
    ("mode", lambda m: m.mode),
    ("conn", lambda m: str(m.connections)),
    ("req/s", lambda m: f"{m.requests_per_second:,.0f}"),
    ("p50 ms", lambda m: f"{m.p50_ms:.2f}"),
    ("p95 ms", lambda m: f"{m.p95_ms:.2f}"),
    ("p99 ms", lambda m: f"{m.p99_ms:.2f}"),
    ("direct p50", lambda m: f"{m.direct_p50_ms:.2f}"),
    ("overhead p50", lambda m: f"{m.overhead_p50_ms:.2f}"),
    ("overhead p99", lambda m: f"{m.overhead_p99_ms:.2f}"),
    ("errors", lambda m: str(sum(m.errors.values()))),
)
_COST: Final[Sequence[_Column]] = (
    ("mode", lambda m: m.mode),
    ("conn", lambda m: str(m.connections)),
    ("CPU-ms/req", lambda m: f"{m.gateway_cpu_ms:.3f}"),
    ("front", lambda m: f"{m.cpu_ms['front']:.3f}"),
    ("worker", lambda m: f"{m.cpu_ms['worker']:.3f}"),
    ("postgres", lambda m: f"{m.cpu_ms['postgres']:.3f}"),
    ("load+provider", lambda m: f"{m.generator_cpu_ms:.3f}"),
    ("statements/req", lambda m: "-" if m.statements is None else f"{m.statements:.3f}"),
    ("commits/req", lambda m: f"{m.commits:.3f}"),
    ("WAL bytes/req", lambda m: f"{m.wal_bytes:,.0f}"),
    ("answers", lambda m: f"{m.answers:,}"),
    ("booked", lambda m: f"{m.booked.booked:,}"),
)


def headline(measurement: Measurement) -> str:
    """One line to show while the rest is still running."""
    return (
        f"{measurement.mode:>6} {measurement.connections:>4} connections: "
        f"{measurement.requests_per_second:,.0f} req/s, p50 {measurement.p50_ms:.2f} ms, "
        f"{measurement.gateway_cpu_ms:.3f} CPU-ms per request"
    )


def as_text(report: Report) -> str:
    """The report as tables."""
    memory = [["process", "count", "idle CPU %", "idle MB (PSS)", "loaded MB (PSS)", "peak MB (largest, RSS)"]]
    for name, idle in report.idle_memory.items():
        loaded = report.loaded_memory[name]
        figures = (idle.pss_mb, loaded.pss_mb, loaded.peak_mb)
        rest = f"{report.idle_cpu_percent[name]:.1f}"
        memory.append([name, str(loaded.processes), rest, *(f"{figure:.0f}" for figure in figures)])
    goals = [("goal", "wanted", "measured", "")]
    for goal in report.goals:
        wanted = f"{'>=' if goal.at_least else '<='} {goal.wanted:g}"
        verdict = "reached" if goal.reached else "MISSED"
        goals.append((goal.name, wanted, f"{goal.measured:,.2f}", verdict))
    machine = report.machine
    return "\n\n".join(
        (
            (
                f"commit {report.commit}, {report.taken_at:%Y-%m-%d %H:%M} UTC, {machine.cores} cores "
                f"({machine.processor}), Python {machine.python}, provider: {report.provider}"
            ),
            _table([[name for name, _ in _LOAD], *_rows(_LOAD, report.measurements)]),
            _table([[name for name, _ in _COST], *_rows(_COST, report.measurements)]),
            _table(memory),
            _table(goals),
            (
                f"answers read to the last byte: {report.verified_answers}\n"
                f"others at work on this machine: {report.others_cpu_percent:.0f} % of a core"
            ),
        )
    )


def _rows(columns: Sequence[_Column], measurements: Iterable[Measurement]) -> list[list[str]]:
    return [[read(measurement) for _, read in columns] for measurement in measurements]


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
