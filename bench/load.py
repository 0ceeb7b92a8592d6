"""The load: wrk keeps N connections busy for some seconds and tells how that went."""

import json
import os
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.errors import BenchError
from bench.tools import Tool, find_tool

_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_PACKAGES: Final = ("wrk", "libluajit-5.1-2", "libluajit-5.1-common")
_TIMEOUT_SECONDS: Final = 60


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What each request sends: where to, what, and in whose name (the tokens take turns)."""

    url: str
    body: bytes
    tokens: Sequence[str]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of wrk saw. `requests` are whole answers; latencies are up to the last byte."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    errors: dict[str, int]
    generator_cpu_seconds: float = 0.0

    @property
    def requests_per_second(self) -> float:
        """Whole answers per second."""
        return self.requests / self.seconds

    @property
    def failed(self) -> int:
        """Answers with a status of 400 and above, and requests without an answer."""
        return sum(self.errors.values())


def chat_body(model: str, *, stream: bool) -> bytes:
    """A chat completion request as a customer's SDK would send it, in UTF-8 JSON."""
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant. Answer in one sentence."},
            {"role": "user", "content": "Count from one to twenty in words, please."},
        ],
        "max_tokens": 64,
        "temperature": 0.2,
    }
    return json.dumps({**body, "stream": True} if stream else body).encode()


def messages_body(model: str) -> bytes:
    """The same question as `chat_body` has, for a stream in Anthropic's Messages, in UTF-8 JSON."""
    body: dict[str, object] = {
        "model": model,
        "system": "You are a helpful assistant. Answer in one sentence.",
        "messages": [{"role": "user", "content": "Count from one to twenty in words, please."}],
        "max_tokens": 64,
        "temperature": 0.2,
        "stream": True,
    }
    return json.dumps(body).encode()


def find_generator() -> Tool:
    """Find wrk, or fetch it. Raises ToolError."""
    return find_tool("wrk", _PACKAGES)


def run_load(wrk: Tool, call: Call, *, connections: int, seconds: int) -> Load:
    """Keep `connections` busy with `call` for `seconds`. Raises BenchError when wrk fails."""
    spent = _children_cpu_seconds()
    result = subprocess.run(
        [
            str(wrk.path),
            "--threads=1",
            f"--connections={connections}",
            f"--duration={seconds}s",
            f"--timeout={_TIMEOUT_SECONDS}s",
            f"--script={_SCRIPT}",
            call.url,
        ],
        env={**os.environ, **wrk.environment, "BENCH_TOKENS": ",".join(call.tokens), "BENCH_BODY": call.body.decode()},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 2 * _TIMEOUT_SECONDS,
    )
    lines = result.stdout.strip().splitlines()
    if result.returncode != 0 or not lines:
        raise BenchError(f"wrk failed: {result.stderr.strip() or result.stdout.strip()}")
    load = msgspec.json.decode(lines[-1], type=Load)
    return msgspec.structs.replace(load, generator_cpu_seconds=_children_cpu_seconds() - spent)


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
