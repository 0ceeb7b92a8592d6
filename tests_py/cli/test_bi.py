"""Logins of tenants: what `onevault bi grant` prints is a login that reads that tenant's rows and nothing else.

Catches: a login that is bound to nobody, one that may write, one that keeps its tenant's rows after it was taken away.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests_py.cli.conftest import Cli
from tests_py.support.vault import load_fixtures


def read(dsn: str, statement: bytes) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(statement).fetchall()


def test_a_tenants_login_reads_its_rows_and_nothing_else(cli: Cli) -> None:
    load_fixtures(cli.database)
    cli.database.query("select test.make_offer('maker', 'model-a')")
    for tenant, customer in (("North Wind", "ours"), ("south", "theirs")):
        cli.database.query("select test.make_customer(%s, '{}', %s)", customer, tenant)
        cli.database.query("select test.booked(%s, '2026-01-15 10:00Z', 1)", customer)
    made = cli.json("bi", "grant", "north wind")
    assert (made["tenant"], made["role"]) == ("north wind", "bi_north_wind")
    dsn = made["dsn"]
    assert read(dsn, b"select r.customer, r.customer_cost_usd from business_vault.request_detail as r") == [("ours", 1)]
    assert read(
        dsn, b"select current_setting('default_transaction_read_only'), current_setting('statement_timeout')"
    ) == [("on", "30s")]
    with pytest.raises(errors.InsufficientPrivilege):
        read(dsn, b"select * from gateway.api_request_s")
    with pytest.raises(errors.InsufficientPrivilege):
        read(dsn, b"select * from ops.reservation")
    with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
        read(dsn, b"create table business_vault.mine (n integer)")
    # Naming another tenant changes nothing.
    named = (
        b"select set_config('onevault.tenant', 'south', false),"
        b" (select string_agg(u.customer, ',') from business_vault.usage_hourly as u)"
    )
    assert read(dsn, named) == [("south", "ours")]

    assert cli.json("bi", "grant", "North Wind")["role"] == "bi_north_wind"
    assert "is not this tenant's alone" in cli.refusal("bi", "grant", "south", "--role", "bi_north_wind")
    assert "is not this tenant's alone" in cli.refusal("bi", "grant", "south", "--role", "onevault_owner")
    assert "There is no tenant" in cli.refusal("bi", "grant", "nowhere")
    assert [row["role"] for row in cli.json("bi", "list")] == ["bi_north_wind"]
    cli.json("bi", "revoke", "bi_north_wind")
    with pytest.raises(psycopg.OperationalError):
        read(dsn, b"select 1")
    assert "No tenant has a role" in cli.refusal("bi", "revoke", "onevault_owner")


def test_a_bi_tool_finds_the_views_with_comments_and_types(cli: Cli) -> None:
    """What dbt, Metabase and the like ask the catalog."""
    cli.json("tenant", "create", "north")
    dsn = cli.json("bi", "grant", "north")["dsn"]
    tables = read(
        dsn,
        b"select t.table_name from information_schema.tables as t where t.table_schema = 'business_vault' order by 1",
    )
    names = [name for (name,) in tables]
    assert {"usage_hourly", "usage_daily", "request_detail", "customer_spending", "invoice", "invoice_line"} <= set(
        names
    )
    assert {"provider_performance", "provider_comparison", "cost_analysis", "budget_status", "routing_decision"} <= set(
        names
    )
    columns = read(
        dsn,
        b"select c.table_name, c.column_name, c.data_type,"
        b" pg_catalog.col_description(format('business_vault.%I', c.table_name)::regclass, c.ordinal_position)"
        b" from information_schema.columns as c where c.table_schema = 'business_vault'",
    )
    assert {table for table, *_ in columns} == set(names)
    assert [(table, column) for table, column, _, comment in columns if not comment] == []
    types = {kind for _, _, kind, _ in columns}
    assert types <= {
        "text", "uuid", "date", "timestamp with time zone", "numeric", "bigint", "integer", "smallint", "boolean",
        "jsonb", "ARRAY", "inet",
    }, types  # fmt: skip
    # No schema beside it is shown, nor asked for by name.
    shown = read(dsn, b"select distinct t.table_schema from information_schema.tables as t")
    assert {schema for (schema,) in shown} <= {"business_vault", "pg_catalog", "information_schema"}
