"""What processes cost: CPU seconds and memory, read from the kernel."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Self

import msgspec
import psutil

_HIGH_WATER: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_MEGABYTE: Final = 1_000_000


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Processes that count as one part of the gateway: a front, a worker, PostgreSQL's all."""

    name: str
    pids: tuple[int, ...]
    with_children: bool = False

    def processes(self) -> list[psutil.Process]:
        """The group's living processes."""
        found: list[psutil.Process] = []
        for pid in self.pids:
            process = psutil.Process(pid)
            found.append(process)
            if self.with_children:
                found.extend(process.children(recursive=True))
        return found


class CpuSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds used up to a moment, by group name."""

    seconds: Mapping[str, float]

    @classmethod
    def take(cls, groups: Iterable[Group]) -> Self:
        """Read every group now. Children that have ended are counted through their parent."""
        return cls(seconds={group.name: _cpu_seconds(group) for group in groups})

    def since(self, before: Self) -> dict[str, float]:
        """CPU seconds between `before` and this snapshot, by group name."""
        return {name: after - before.seconds[name] for name, after in self.seconds.items()}


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of a group in MB (10^6 bytes).

    `pss` adds up over groups (shared pages are split between those who share them); `peak` is the
    high-water mark of the largest process and counts shared pages in full.
    """

    processes: int
    pss_mb: float
    peak_mb: float


def measure_memory(groups: Iterable[Group]) -> dict[str, Memory]:
    """Read every group's memory now, by group name."""
    return {group.name: _memory(group) for group in groups}


def _cpu_seconds(group: Group) -> float:
    total = 0.0
    for process in group.processes():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if group.with_children:
            total += times.children_user + times.children_system
    return total


def _memory(group: Group) -> Memory:
    pss, peaks = 0, [0]
    processes = group.processes()
    for process in processes:
        try:
            pss += _proportional(process)
            status = Path(f"/proc/{process.pid}/status").read_text()
        except (psutil.NoSuchProcess, FileNotFoundError):
            continue
        found = _HIGH_WATER.search(status)
        peaks.append(int(found[1]) * 1024 if found else 0)
    return Memory(processes=len(processes), pss_mb=pss / _MEGABYTE, peak_mb=max(peaks) / _MEGABYTE)


def _proportional(process: psutil.Process) -> int:
    try:
        found: int = process.memory_full_info().pss
    except psutil.AccessDenied:
        # The gateway's processes close their memory maps to all but root: shared pages then count in full.
        found = process.memory_info().rss
    return found
