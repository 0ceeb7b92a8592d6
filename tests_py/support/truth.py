"""The honest provider as a test holds it: starts it, reads its books."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Call:
    """One call as the provider remembers it; times are seconds of CLOCK_MONOTONIC.

    `tokens` were generated, of those that were `wanted`, until the answer was `whole` or the caller was seen to be gone.
    """

    nonce: str
    stream: bool
    usage: str
    prompt_tokens: int
    wanted: int
    tokens: int
    whole: bool
    began: float
    ended: float | None


class HonestProvider:
    """The process, as a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests_py.support.honest_provider"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().split()
        assert len(said) == 2, "the provider does not start"
        self._address = f"http://127.0.0.1:{int(said[1])}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def endpoint(self) -> str:
        """Its base URL."""
        return f"{self._address}/v1"

    def calls(self) -> list[Call]:
        """Every call so far."""
        return [Call(**call) for call in self._get("/calls")]

    def state(self) -> dict[str, int]:
        """open, answering: connections, and those in the middle of an answer; gated: calls that wait; calls: all."""
        found: dict[str, int] = self._get("/state")
        return found

    def release(self) -> None:
        """Let those go that wait at the gate."""
        self._get("/release")

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._address + path, timeout=30) as answer:
            return json.loads(answer.read())


def duplicates(calls: list[Call]) -> int:
    """How many calls were made beyond the first with their nonce."""
    return sum(times - 1 for times in Counter(call.nonce for call in calls).values())
