"""`onevault bi`: logins of tenants for their own BI tools."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlencode

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

from onevault import bi_calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.session import connect, use_database

_PASSWORD_BYTES = 24


@click.group("bi")
def command() -> None:
    """Logins of tenants for their own BI tools: they read that tenant's rows of business_vault, and nothing else."""


@command.command("grant")
@click.argument("tenant")
@click.option("--role", help="Its name. [default: bi_ and the tenant's]")
@json_option
def grant(tenant: str, role: str | None, as_json: bool) -> None:
    """Make TENANT's login, or give it a new password; the connection string is printed this once."""
    with use_database() as (_, database), psycopg.connect(database.dsn("owner")) as connection:
        password = None if database.embedded else secrets.token_urlsafe(_PASSWORD_BYTES)
        verifier = None
        if password is not None:
            # Made here, so that the server and its log never see the password.
            hidden = connection.pgconn.encrypt_password(password.encode(), b"", b"scram-sha-256")
            verifier = hidden.decode()
        name = bi_calls.make_tenant_role(connection, tenant, role, verifier)
        dsn = _connection_string(database.dsn("owner"), name, password)
    print_record({"tenant": tenant, "role": name, "dsn": dsn}, as_json=as_json)


@command.command("list")
@json_option
def show_list(as_json: bool) -> None:
    """List the logins of all tenants."""
    with connect("owner") as (_, connection):
        rows = bi_calls.list_tenant_roles(connection)
    print_rows(rows, as_json=as_json, empty="no tenant has a login")


@command.command("revoke")
@click.argument("role")
@json_option
def revoke(role: str, as_json: bool) -> None:
    """Take the login ROLE away."""
    with connect("owner") as (_, connection):
        bi_calls.drop_tenant_role(connection, role)
    print_record({"role": role, "is_active": False}, as_json=as_json)


def _connection_string(owner: str, user: str, password: str | None) -> str:
    """The database of another connection string, as somebody else reaches it."""
    known: dict[str, str] = {name: str(value) for name, value in conninfo_to_dict(owner).items()}
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    kept = {name: value for name, value in known.items() if name in {"host", "port", "sslmode", "sslrootcert"}}
    return f"postgresql://{login}@/{quote(known['dbname'], safe='')}?{urlencode(kept)}"
