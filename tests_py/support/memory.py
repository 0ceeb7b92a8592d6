"""How much memory a gateway's processes take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import psutil


def proportional_bytes(pids: Iterable[int]) -> int:
    """The memory of these processes, shared pages in proportion (PSS; RSS where the system does not tell)."""
    return _sum(pids, "pss")


def private_bytes(pids: Iterable[int]) -> int:
    """The memory that would be free if these processes ended (USS)."""
    return _sum(pids, "uss")


def _sum(pids: Iterable[int], kind: str) -> int:
    total = 0
    for pid in pids:
        try:
            found = psutil.Process(pid).memory_full_info()
        except psutil.Error:  # it has ended
            continue
        total += getattr(found, kind, found.rss)
    return total


class Sampler:
    """Samples figures at intervals in a thread of its own; a context manager."""

    def __init__(self, seconds: float, **figures: Callable[[], float]) -> None:
        self._seconds = seconds
        self._figures = figures
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._begun = time.monotonic()
        self.samples: dict[str, list[tuple[float, float]]] = {name: [] for name in figures}
        """Pairs of seconds since the beginning and the figure."""

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def most(self, name: str) -> float:
        """The highest value of a figure."""
        return max(value for _, value in self.samples[name])

    def slope(self, name: str, begin: float = 0.0) -> float:
        """How much a figure grows in a second, by least squares over the samples since `begin`."""
        points = [(at, value) for at, value in self.samples[name] if at >= begin]
        if len(points) < 2:
            return 0.0
        mean_at = sum(at for at, _ in points) / len(points)
        mean = sum(value for _, value in points) / len(points)
        spread = sum((at - mean_at) ** 2 for at, _ in points)
        return sum((at - mean_at) * (value - mean) for at, value in points) / spread

    def _run(self) -> None:
        while not self._over.is_set():
            for name, figure in self._figures.items():
                self.samples[name].append((time.monotonic() - self._begun, figure()))
            self._over.wait(self._seconds)
