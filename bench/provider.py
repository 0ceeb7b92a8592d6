"""A provider that costs next to nothing: `provider.c`, or Python where no compiler is."""

import hashlib
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench.errors import ProviderError
from bench.tools import CACHE

SOURCE: Final = Path(__file__).with_name("provider.c")
CHUNKS: Final = 20
MODEL: Final = "bench-model"

_START_SECONDS: Final = 10


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A running provider: where it listens, its process, and what it is made of."""

    port: int
    pid: int
    made_of: str

    @property
    def endpoint(self) -> str:
        """The base URL as a provider row holds it."""
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def running_provider(*, gap_us: int = 0, first_byte_us: int = 0) -> Iterator[Provider]:
    """Start a provider on a free port and stop it at the end.

    `gap_us` is the pause between two events of a stream, `first_byte_us` the one before an answer,
    both in microseconds. Raises ProviderError.
    """
    compiled = _compile()
    program = [str(compiled)] if compiled else [sys.executable, "-m", "bench.provider_asyncio"]
    options = ("--chunks", CHUNKS, "--gap-us", gap_us, "--first-byte-us", first_byte_us)
    process = subprocess.Popen([*program, *map(str, options)], cwd=SOURCE.parent.parent, stdout=subprocess.PIPE)
    try:
        yield Provider(port=_read_port(process), pid=process.pid, made_of="C, epoll" if compiled else "Python, asyncio")
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _read_port(process: subprocess.Popen[bytes]) -> int:
    if process.stdout is None or not select.select([process.stdout], [], [], _START_SECONDS)[0]:
        raise ProviderError(f"the provider said nothing within {_START_SECONDS} s")
    word, _, port = process.stdout.readline().decode().strip().partition(" ")
    if word != "port":
        raise ProviderError(f"the provider ended with exit code {process.wait()}")
    return int(port)


def _compile() -> Path | None:
    """Build `provider.c` unless this source was built before; None without a fit compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    program = CACHE / f"provider-{digest}"
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(f".{os.getpid()}")
        command: Sequence[str] = (compiler, "-O2", "-std=c11", "-o", str(fresh), str(SOURCE))
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        fresh.rename(program)
    return program
