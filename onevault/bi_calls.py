"""The SQL of `onevault bi`: logins of tenants that read `business_vault`.

Every function takes an open connection of a login that may make roles, and commits nothing.
"""

from __future__ import annotations

from onevault.calls import Connection, Row, fetch_all, fetch_one


def make_tenant_role(connection: Connection, tenant: str, role: str | None, verifier: str | None) -> str:
    """The name of the login that reads this tenant's rows; `verifier` is a SCRAM verifier, never a password."""
    statement = "select util.fn_make_tenant_role(%s, %s, %s)::text as role"
    return str(fetch_one(connection, statement, (tenant, role, verifier))["role"])


def drop_tenant_role(connection: Connection, role: str) -> None:
    """Takes a login away."""
    fetch_all(connection, "select util.fn_drop_tenant_role(%s)", (role,))


def list_tenant_roles(connection: Connection) -> list[Row]:
    """All logins of tenants."""
    return fetch_all(
        connection,
        "select t.role_name::text as role, h.tenant_bk::text as tenant, t.load_date, t.record_source::text"
        " from auth.tenant_role as t inner join auth.tenant_h as h on t.tenant_hk = h.tenant_hk order by 2, 1",
    )
