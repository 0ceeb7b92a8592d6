"""The doctor finds what is wrong and says how to mend it."""

from __future__ import annotations

import json
from typing import Any

from tests_py.cli.conftest import Cli


def examine(cli: Cli, **environ: str) -> tuple[int, dict[str, dict[str, Any]]]:
    result = cli("doctor", "--json", **environ)
    return result.returncode, {row["check_name"]: row for row in json.loads(result.stdout)}


def test_all_is_well(cli: Cli) -> None:
    cli("provider", "set", "local", "--endpoint", "http://127.0.0.1:9/v1")
    cli.json("model", "set", "local", "tiny", "--input", "1", "--output", "1")
    cli.json("customer", "create", "acme")
    code, findings = examine(cli)
    assert [name for name, row in findings.items() if not row["is_ok"]] == []
    assert code == 0
    named = {"data directory", "master key", "database", "clocks", "provider keys", "roles", "public", "queue standard"}
    assert named <= findings.keys()
    assert all(line.startswith("ok     ") for line in cli.text("doctor").splitlines())


def test_what_is_wrong_comes_with_its_remedy(cli: Cli) -> None:
    cli("provider", "set", "local", "--endpoint", "http://127.0.0.1:9/v1", "--api-key-env", "KEY", KEY="sk-1")
    (cli.home / "master.key").write_bytes(b"A" * 43)
    cli.database.query("delete from yoyo.install_digest returning 1")
    code, findings = examine(cli)
    assert code == 1
    wrong = {name for name, row in findings.items() if not row["is_ok"]}
    assert wrong == {"master key", "database"}
    assert findings["database"]["remedy"] == "Run `onevault migrate`."

    assert cli("migrate").returncode == 0
    other = "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
    code, findings = examine(cli, ONEVAULT_MASTER_KEY=other)
    assert code == 1
    assert findings["provider keys"]["finding"] == "1 active, sealed under another master key: local"
    text = cli("doctor", ONEVAULT_MASTER_KEY=other).stdout
    assert "WRONG  tokens: 0 tokens of 0 customers may call\n       Issue one: onevault token issue CUSTOMER\n" in text


def test_a_database_out_of_reach(cli: Cli) -> None:
    code, findings = examine(cli, DATABASE_URL="postgresql://x:hunter2@127.0.0.1:1/none")
    assert code == 1
    assert findings["database"]["finding"].startswith("the database cannot be reached")
    assert "hunter2" not in str(findings)
