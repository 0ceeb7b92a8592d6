"""Processes that hold keys leave no core file, and show their memory to root alone."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onevault.settings import Settings, load_settings
from onevault.tokens import Secret
from tests_py.conftest import StartGateway
from tests_py.support.up import Up

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def core_limit(pid: int) -> list[str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("Max core file size")]
    return line.split()[4:6]


@LINUX
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
@pytest.mark.parametrize("kind", ["front", "worker"])
def test_a_front_or_worker_that_crashes_leaves_no_core(
    kind: str, number: signal.Signals, start_gateway: StartGateway
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # what the gateway is started with
    try:
        gateway = start_gateway()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    process = (gateway.fronts if kind == "front" else gateway.workers)[0]
    assert core_limit(process.pid) == ["0", "0"]
    place = Path(f"/proc/{process.pid}/cwd").readlink()
    before = set(place.glob("core*"))
    process.signal(number)
    _, status = os.waitpid(process.pid, 0)
    process.popen.returncode = -number
    process.kill()
    assert os.WTERMSIG(status) == number
    assert not os.WCOREDUMP(status)
    assert set(place.glob("core*")) == before


@LINUX
def test_up_and_its_children_may_write_no_core(home: Path, place: Path) -> None:
    up = Up(place / "home")
    try:
        pids = [up.popen.pid, *(child.pid for command in ("serve", "work") for child in up.children(command))]
        assert len(pids) == 3
        assert [core_limit(pid) for pid in pids] == [["0", "0"]] * 3
    finally:
        assert up.stop() == 0


@LINUX
def test_a_process_is_marked_as_not_dumpable() -> None:
    script = (
        "import ctypes; from onevault.memory import keep_memory_private; c = ctypes.CDLL(None)\n"
        "before = c.prctl(3, 0, 0, 0, 0); keep_memory_private(); print(before, c.prctl(3, 0, 0, 0, 0))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1", "0"]


@pytest.mark.parametrize("module", ["onevault", "worker"])
def test_every_way_to_start_marks_the_process(module: str, tmp_path: Path) -> None:
    """The command line and the worker by itself, stopped right after they have begun."""
    script = (
        "import ctypes, resource, runpy, sys, onevault.settings as s\n"
        "def stop(*_):\n    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))\n"
        "    sys.exit()\n"
        "s.load_settings = stop\n"
        f"sys.argv = [{module!r}, 'work']; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert result.stdout.strip() == "0 (0, 0)"


@pytest.mark.parametrize("show", [repr, str, lambda settings: f"{settings}", lambda settings: repr(vars_of(settings))])
def test_settings_show_no_key(show: Callable[[Settings], str]) -> None:
    key = "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
    settings = load_settings({"ONEVAULT_MASTER_KEY": key, "ONEVAULT_MASTER_KEY_PREVIOUS": key[::-1]}, None)
    assert key not in show(settings)
    assert key[::-1] not in show(settings)
    assert settings.master_key == Secret(key)


def vars_of(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in Settings.__struct_fields__}
