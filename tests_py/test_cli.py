"""The command line: help, tables, JSON, and one sentence for what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from onevault.cli import COMMANDS
from onevault.cli.output import print_json, print_record, print_rows
from tests_py.support.cluster import ClonedDatabase, clean_environ


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "onevault", *arguments],
        env={**clean_environ(os.environ), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_explains_itself(name: str) -> None:
    result = run(*([name] if name else []), "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"Usage: onevault {name}".rstrip())


def test_wrong_usage_is_exit_code_2() -> None:
    for arguments in (["nonsense"], ["up", "--port", "x"], ["dsn", "--role", "king"]):
        result = run(*arguments)
        assert result.returncode == 2
        assert "Usage: onevault" in result.stderr
        assert result.stdout == ""


def test_a_wrong_setting_is_one_sentence() -> None:
    result = run("dsn", ONEVAULT_PORT="high")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "onevault: ONEVAULT_PORT is 'high': set it to a whole number from 0 to 65535, or unset it\n"
    )


def test_a_database_out_of_reach_is_one_sentence() -> None:
    url = "postgresql://gateway:hunter2@127.0.0.1:1/none"
    result = run("migrate", DATABASE_URL=url)
    assert result.returncode == 1
    assert result.stderr.startswith("onevault: the database cannot be reached: ")
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr


def test_dsn_starts_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    result = run("dsn", "--json", "--role", "app", ONEVAULT_HOME=str(home))
    assert result.returncode == 0
    assert '"embedded": true' in result.stdout
    assert "not running" in result.stderr
    assert not home.exists()


def test_commands_work_by_url(database: ClonedDatabase, home: Path) -> None:
    environ = database.environ(home)
    assert run("dsn", **environ).stdout.strip() == database.dsn()
    assert run("migrate", **environ).stdout == "nothing to do\n"
    assert run("migrate", "--json", **environ).stdout == '{\n  "migrations": [],\n  "installed": false\n}\n'
    assert run("psql", "--", "-XAtc", "select current_user", **environ).stdout == "postgres\n"
    assert run("psql", "--role", "app", "--", "-XAtc", "select current_user", **environ).stdout == "onevault_app\n"
    failed = run("psql", "--", "-Xc", "select nonsense", **environ)
    assert failed.returncode == 1
    assert "nonsense" in failed.stderr
    refused = run("psql", "--", "-Xc", "insert into admin.routing_rule (rule_name) values ('')", **environ).stderr
    assert refused.splitlines() == [
        "ERROR:  A rule needs a name",
        "HINT:  Give it one; it is how everybody will call it.",
    ], "a refusal is a sentence and a remedy, and not a stack of functions"


def test_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"name": "acme", "cost_usd": Decimal("1.20"), "active": True, "since": datetime(2026, 11, 1, 12, tzinfo=UTC)},
        {"name": "b", "cost_usd": Decimal("1E+2"), "active": False, "since": None},
    ]
    print_rows(rows, as_json=False)
    assert capsys.readouterr().out == (
        "name  cost_usd  active  since\n"
        "----  --------  ------  -------------------------\n"
        "acme      1.20  yes     2026-11-01 12:00:00+00:00\n"
        "b          100  no\n"
    )
    print_rows([], as_json=False, empty="no customers")
    assert capsys.readouterr().out == "no customers\n"


def test_json_keeps_every_digit(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"cost": Decimal("0.00012300"), "total": Decimal("12345678901234567890.5")})
    assert capsys.readouterr().out == '{\n  "cost": 0.00012300,\n  "total": 12345678901234567890.5\n}\n'


def test_a_record_is_a_line_per_field(capsys: pytest.CaptureFixture[str]) -> None:
    print_record({"tenant": "acme", "providers": ["openai", "sandbox"], "note": None}, as_json=False)
    assert capsys.readouterr().out == "tenant     acme\nproviders  openai, sandbox\nnote\n"
