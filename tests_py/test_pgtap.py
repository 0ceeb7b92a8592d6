"""Runs each file of tests_sql/ as a test: a transaction that speaks TAP and rolls back.

tests_sql/fixtures/*.sql is loaded once, in order of name, into the database they all share;
every other file is a test, run by psql as the superuser with pgTAP in its search_path. Each of its
assertions is a subtest.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from onevault.embedded import install_directory
from tests_py.support.cluster import ClonedDatabase, Cluster
from tests_py.support.pgtap import read_pgtap

FOLDER = Path(__file__).resolve().parents[1] / "tests_sql"
FIXTURES = FOLDER / "fixtures"
FILES = sorted(path for path in FOLDER.rglob("*.sql") if FIXTURES not in path.parents)

_LINE = re.compile(r"(?P<not>not )?ok (?P<number>\d+)(?: - (?P<what>.*?))?(?: # (?P<directive>(?:TODO|SKIP).*))?")
_PLAN = re.compile(r"1\.\.(\d+)")


@pytest.fixture(scope="module")
def tap_database(cluster: Cluster) -> Iterator[ClonedDatabase]:
    """A migrated database with pgTAP in the schema `tap` and the fixtures of tests_sql/."""
    database = cluster.clone()
    with database.connect(autocommit=False) as connection:
        connection.execute("create schema tap")
        connection.execute("grant usage on schema tap to public")
        connection.execute("set local search_path = tap")
        connection.execute(read_pgtap().encode())
    for path in sorted(FIXTURES.glob("*.sql")):
        result = run_psql(database, path)
        assert result.returncode == 0, f"{path}:\n{result.stderr}"
    yield database
    cluster.drop(database)


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(FOLDER).with_suffix("")) for p in FILES])
def test_sql(path: Path, tap_database: ClonedDatabase, subtests: pytest.Subtests) -> None:
    statements = [line for line in path.read_text().splitlines() if line and not line.startswith("--")]
    assert statements[0] == "begin;", "a test begins with a transaction"
    assert statements[-1] == "rollback;", "and rolls it back"
    result = run_psql(tap_database, path)
    lines = result.stdout.splitlines()
    planned, seen = None, 0
    for position, line in enumerate(lines):
        if plan := _PLAN.fullmatch(line):
            planned = int(plan[1])
        elif found := _LINE.fullmatch(line):
            seen += 1
            with subtests.test(found["what"] or f"number {found['number']}"):
                failed = bool(found["not"]) and not found["directive"]
                assert not failed, "\n".join([line, *comments_after(lines, position)])
    assert result.returncode == 0, f"{result.stderr}\nafter:\n{result.stdout}"
    assert planned is not None, f"no plan:\n{result.stdout}"
    assert seen == planned, f"planned {planned} assertions, saw {seen}:\n{result.stdout}"


def run_psql(database: ClonedDatabase, path: Path) -> subprocess.CompletedProcess[str]:
    """psql's output for one file; a failing statement ends it."""
    command = [str(install_directory() / "bin" / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", str(path)]
    return subprocess.run(
        [*command, database.dsn()],
        env={"PGOPTIONS": "-c search_path=tap -c client_min_messages=warning"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def comments_after(lines: list[str], position: int) -> Iterator[str]:
    """The lines of explanation that pgTAP writes below a failure."""
    for line in lines[position + 1 :]:
        if not line.startswith("#"):
            return
        yield line
