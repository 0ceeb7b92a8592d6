"""The services of docker/compose.yaml without Docker: their commands with their environment, as processes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from onevault.master_key import create_master_key

BIN = Path(sys.executable).parent

Service = dict[str, Any]


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, within a minute."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **options)


class Containers:
    """Runs services as the compose file would: its environment, its command, nothing of ours besides.

    Addresses and files are those of `folder`, where an empty PostgreSQL runs that logins.sql has seen.
    """

    def __init__(self, services: dict[str, Service], folder: Path, owner: str) -> None:
        key, link = folder / "master.key", folder / "link"
        link.mkdir(mode=0o700)
        assert create_master_key(key)
        self._services = services
        self._here = {
            "DATABASE_URL": owner,
            "ONEVAULT_APP_DATABASE_URL": make_conninfo(owner, user="onevault_app"),
            "ONEVAULT_WORKER_DATABASE_URL": make_conninfo(owner, user="onevault_worker"),
            "ONEVAULT_MASTER_KEY_FILE": str(key),
            "ONEVAULT_LINK_DIR": str(link),
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def environment(self, name: str) -> dict[str, str]:
        given: dict[str, str] = self._services[name]["environment"]
        ours = {variable: self._here.get(variable, value) for variable, value in given.items()}
        # What is left to fill in has a default: "${NAME:-default}".
        filled = {variable: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for variable, value in ours.items()}
        return {"PATH": f"{BIN}:/usr/bin:/bin", "ONEVAULT_HOME": "/nowhere/onevault", **filled}

    def run(self, name: str, *command: str) -> str:
        words = command or tuple(self._services[name]["command"])
        result = run(BIN / "onevault", *words, env=self.environment(name), cwd="/")
        assert result.returncode == 0, f"{words}: {result.stderr}"
        return result.stdout

    def start(self, name: str, *options: str) -> None:
        command = [str(BIN / "onevault"), self._services[name]["command"][0], *options]
        self.started.append(subprocess.Popen(command, env=self.environment(name), cwd="/"))

    def stop(self) -> list[int]:
        for process in self.started:
            process.terminate()
        return [process.wait(30) for process in self.started]
