"""A role that was taken over gets nowhere: every way out of its room is denied, by right and not by luck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests_py.faults.escapes import ESCAPES
from tests_py.support.cluster import ClonedDatabase, Cluster

BOUND = "onevault_test_tenant"
ROLES = ["onevault_app", "onevault_worker", "onevault_bi", BOUND]
DENIED = "42501"


@pytest.fixture(scope="module")
def house(cluster: Cluster) -> Iterator[ClonedDatabase]:
    """A migrated database with a BI role that is bound to a tenant."""
    database = cluster.clone()
    with database.connect() as connection:
        connection.execute("create role onevault_test_tenant login in role onevault_bi")
        connection.execute("insert into admin.tenant (tenant) values ('bound')")
        connection.execute(
            "insert into auth.tenant_role (role_name, tenant_hk)"
            " select 'onevault_test_tenant', h.tenant_hk from auth.tenant_h as h"
        )
    yield database
    cluster.drop(database)
    with cluster.maintenance() as connection:
        connection.execute("drop role onevault_test_tenant")


def login(house: ClonedDatabase, role: str) -> psycopg.Connection[Any]:
    """A session of its own, which writes as far as its role may."""
    connection = psycopg.connect(make_conninfo(house.dsn(), user=role), autocommit=True)
    connection.execute("set default_transaction_read_only = off")
    return connection


def attempt(session: psycopg.Connection[Any], statement: str) -> str | None:
    """The SQLSTATE that a statement ends with; None when it was done."""
    try:
        session.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        session.execute("rollback")
    return None


def test_there_are_sixty_and_more() -> None:
    assert len(ESCAPES) == len(set(ESCAPES)) >= 60


@pytest.mark.parametrize("role", ROLES)
def test_every_way_out_is_denied(house: ClonedDatabase, role: str) -> None:
    # Whose session is to be ended: one of a role that a tenant's own role is a member of.
    with login(house, role) as session, login(house, "onevault_bi") as other:
        named = {":database": house.name, ":other": str(other.info.backend_pid)}
        outcomes = {}
        for statement in ESCAPES:
            text = statement
            for name, value in named.items():
                text = text.replace(name, value)
            outcomes[statement] = attempt(session, text)
        assert {statement: state for statement, state in outcomes.items() if state != DENIED} == {}
        assert other.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("role", ["onevault_bi", BOUND])
def test_row_security_cannot_be_left_out(house: ClonedDatabase, role: str) -> None:
    """PostgreSQL refuses a query rather than answer it without the policies."""
    with login(house, role) as session:
        session.execute("set row_security = off")
        assert attempt(session, "select count(*) from business_vault.request_detail") == DENIED


def test_the_owner_and_dbas_keep_what_they_need(house: ClonedDatabase) -> None:
    """What is closed to everybody is open to those whose work it is."""
    with house.connect() as connection:
        ((locks, ends, blocks),) = connection.execute(
            "select has_function_privilege('onevault_owner', 'pg_advisory_xact_lock(bigint)', 'execute'),"
            " has_function_privilege('onevault_dba', 'pg_terminate_backend(integer, bigint)', 'execute'),"
            " has_language_privilege('onevault_dba', 'plpgsql', 'usage')"
        ).fetchall()
    assert (locks, ends, blocks) == (True, True, True)
