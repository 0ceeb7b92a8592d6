"""A file system of fixed size that a test may fill."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(mebibytes: int, place: Path) -> Iterator[SmallDisk]:
    """A disk of this size at `place`; skips the test where none can be mounted (it takes root and Linux)."""
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk takes root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=711", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class SmallDisk:
    """The disk at `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    @property
    def free(self) -> int:
        """Bytes left."""
        return shutil.disk_usage(self.place).free

    def fill(self, leave: int = 0) -> None:
        """Take all but about `leave` bytes."""
        with self._ballast.open("ab") as file, contextlib.suppress(OSError):
            while self.free > leave:
                file.write(b"\0" * min(self.free - leave, 1024 * 1024))
                file.flush()

    def relieve(self) -> None:
        """Give it all back."""
        self._ballast.unlink(missing_ok=True)
