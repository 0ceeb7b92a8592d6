"""The command line as people run it: a process of its own on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onevault.envelope import Keyring, create_master_key, load_keyring
from tests_py.support.cluster import ClonedDatabase, clean_environ


class Cli:
    """`onevault` on one database."""

    def __init__(self, database: ClonedDatabase, home: Path) -> None:
        self.database = database
        self.home = home
        self.environ = database.environ(home)

    def __call__(self, *arguments: str, stdin: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "onevault", *arguments],
            env={**clean_environ(os.environ), **self.environ, **environ},
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=60,
        )

    def json(self, *arguments: str, stdin: str | None = None, **environ: str) -> Any:
        """What a command that succeeds prints with `--json`."""
        result = self(*arguments, "--json", stdin=stdin, **environ)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def text(self, *arguments: str, **environ: str) -> str:
        """What a command that succeeds prints for people."""
        result = self(*arguments, **environ)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refusal(self, *arguments: str, stdin: str | None = None, **environ: str) -> str:
        """The one sentence of a command that is refused."""
        result = self(*arguments, stdin=stdin, **environ)
        assert (result.returncode, result.stdout) == (1, ""), result.stdout
        assert result.stderr.startswith("onevault: ")
        assert "Traceback" not in result.stderr
        return result.stderr.removeprefix("onevault: ").strip()

    def misuse(self, *arguments: str) -> str:
        """What a command says that was written wrongly."""
        result = self(*arguments)
        assert (result.returncode, result.stdout) == (2, "")
        return result.stderr

    def keyring(self) -> Keyring:
        """The master key that the commands use."""
        return load_keyring(self.database.settings(self.home))


@pytest.fixture
def cli(database: ClonedDatabase, home: Path) -> Cli:
    """The command line on a fresh database, with a master key."""
    create_master_key(home / "master.key")
    return Cli(database, home)
