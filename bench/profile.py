"""Where the time goes: py-spy watches front and worker while a load runs, if it is installed."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench.errors import ToolError
from bench.processes import Group

_RATE: Final = 250
_SHOWN: Final = 25
_LINE: Final = re.compile(r":\d+\)$")


class Profiler:
    """Records the groups called front and worker for `seconds` from each `start`."""

    def __init__(self, groups: Iterable[Group], seconds: int, folder: Path) -> None:
        beside = Path(sys.executable).with_name("py-spy")
        program = str(beside) if beside.exists() else shutil.which("py-spy")
        if program is None:
            raise ToolError("py-spy is not installed: pip install py-spy")
        self._program = program
        self._groups = [group for group in groups if group.name in ("front", "worker")]
        self._seconds = seconds
        self._folder = folder
        self._running: list[tuple[Path, subprocess.Popen[bytes]]] = []

    def start(self, name: str) -> None:
        """Begin to record; counted stacks go to `<folder>/<name>-<group>.txt`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for group in self._groups:
            path = self._folder / f"{name}-{group.name}.txt"
            # Only who holds the interpreter's lock: a thread that waits is not at work.
            options = ("--gil", "--format", "raw", "--rate", str(_RATE), "--duration", str(self._seconds))
            process = subprocess.Popen(
                [self._program, "record", *options, "-o", str(path), "--pid", str(group.pids[0])],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._running.append((path, process))

    def finish(self) -> str:
        """Wait for what was started and name the functions that took most time of their own."""
        tables = []
        for path, process in self._running:
            process.wait()
            if path.exists():
                tables.append(f"{path}\n{summarise(path.read_text())}")
        self._running.clear()
        return "\n\n".join(tables)


def summarise(stacks: str) -> str:
    """Shares of samples per function, its own and with all it called, from py-spy's raw format."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        # A frame is `function (file:line)`; the lines of a function belong together.
        frames = [_LINE.sub(")", frame) for frame in stack.split(";")]
        seen = int(count)
        samples += seen
        own[frames[-1]] += seen
        for frame in set(frames):
            total[frame] += seen
    lines = ["   own  total  function"]
    for frame, seen in own.most_common(_SHOWN):
        lines.append(f"{seen / samples:6.1%} {total[frame] / samples:6.1%}  {frame}")
    return "\n".join(lines)
