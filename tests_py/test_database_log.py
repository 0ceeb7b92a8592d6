"""What PostgreSQL writes about a service's failed statements: nothing, on a server that logs everything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from onevault.database import Role
from tests_py.support.cluster import ClonedDatabase, Cluster
from tests_py.support.vault import load_fixtures

CANARY = "canary-d107"
_TALKATIVE = {
    "log_min_messages": "debug1",
    "log_min_error_statement": "debug1",
    "log_error_verbosity": "verbose",
    "log_statement": "all",
    "log_duration": "on",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}
_BAD_DOCUMENT = f'{{"{CANARY}'
_BAD_VALUE = json.dumps({"prompt_bytes": CANARY, "expires_at": CANARY, "request": CANARY, "attempts": CANARY})

# Statements of each role that fail on, or carry, a value that must not be written.
STATEMENTS: dict[Role, list[tuple[LiteralString, tuple[str, ...]]]] = {
    "app": [
        ("select * from gateway.sp_route_requests(%s::jsonb, 'x')", (_BAD_DOCUMENT,)),
        ("select * from gateway.sp_route_requests(%s::jsonb, 'x')", (f"[{_BAD_VALUE}]",)),
        ("select * from gateway.sp_route_request('\\x00', %s::jsonb)", (_BAD_VALUE,)),
        ("select gateway.sp_get_usage(sha256('caller/token'), %s::jsonb)", (_BAD_DOCUMENT,)),
        ("select gateway.sp_get_billing(sha256('caller/token'), %s)", (CANARY,)),
        ("select gateway.sp_release_message(%s, 1, 1)", (CANARY,)),
        ("select gateway.sp_rehash_token('\\x00', '\\x01', %s)", (CANARY,)),
        ("select %s::integer", (CANARY,)),
        (f"select '{CANARY}'::integer", ()),
    ],
    "worker": [
        ("select gateway.sp_record_result(%s::jsonb)", (_BAD_VALUE,)),
        ("select * from gateway.sp_record_results(%s::jsonb)", (f"[{_BAD_VALUE}]",)),
        ("select gateway.sp_renew_messages(%s::jsonb, 1)", (f'[{{"msg_id": "{CANARY}"}}]',)),
        ("select gateway.sp_read_provider_key(%s::bytea)", (f"\\x{CANARY}",)),
    ],
}


@pytest.fixture
def talkative(cluster: Cluster, database: ClonedDatabase) -> Iterator[ClonedDatabase]:
    """A database on a server whose own settings write down everything."""
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a'), test.make_customer('caller')")
    try:
        with cluster.maintenance() as connection:
            for name, value in _TALKATIVE.items():
                connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), value))
            connection.execute("select pg_reload_conf()")
        yield database
    finally:
        with cluster.maintenance() as connection:
            for name in _TALKATIVE:
                connection.execute(sql.SQL("alter system reset {}").format(sql.Identifier(name)))
            connection.execute("select pg_reload_conf()")


def attempt(database: ClonedDatabase, role: Role, statement: LiteralString, values: tuple[str, ...]) -> str | None:
    """The SQLSTATE that a statement ends with; None if it succeeds."""
    with database.connect(role) as connection:
        try:
            connection.execute(statement, values or None)
        except psycopg.Error as error:
            return error.sqlstate
    return None


def wait_for(log: Path, text: str) -> str:
    """The log, once `text` is in it."""
    deadline = time.monotonic() + 30
    while text not in (found := log.read_text(errors="replace")):
        assert time.monotonic() < deadline, "the server's log does not tell it"
        time.sleep(0.05)
    return found


def test_a_services_failed_statements_leave_no_value_in_the_log(cluster: Cluster, talkative: ClonedDatabase) -> None:
    log = cluster.home / "logs" / "postgres.log"
    begin = len(wait_for(log, 'parameter "log_statement" changed to "all"'))
    failed = set()
    for role, statements in STATEMENTS.items():
        for statement, values in statements:
            failed.add(attempt(talkative, role, statement, values))
    assert {"22P02"} <= failed, "bad casts and broken documents were tried"
    # A check that fails in an owner's session, and the last word of this test: the log is alive and tells values.
    statement = "update admin.token set token_status = %s where customer = 'caller'"
    assert attempt(talkative, "owner", statement, ("told-5c1e",)) == "VG400"
    written = wait_for(log, "told-5c1e")[begin:]
    assert CANARY not in written
    assert "told-5c1e" in written


def test_values_that_break_a_check_are_not_written(cluster: Cluster, talkative: ClonedDatabase) -> None:
    """A constraint's violation has the whole row in its detail."""
    log = cluster.home / "logs" / "postgres.log"
    begin = len(wait_for(log, 'parameter "log_statement" changed to "all"'))
    with talkative.connect("worker") as connection, pytest.raises(psycopg.Error):
        connection.execute(
            "select gateway.sp_record_results(%s::jsonb)",
            (json.dumps([{"request": "00000000-0000-0000-0000-000000000000", "customer": CANARY}]),),
        )
    talkative.query("select 'told-77aa'")
    assert CANARY not in wait_for(log, "told-77aa")[begin:]
