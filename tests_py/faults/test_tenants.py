"""Two tenants × every route × every role, on connections that are used again after errors: not one foreign row.

Routes and their parameters are the application's own, views and relations the catalog's, so a new one is asked without
being named here. `ONEVAULT_SOAK=1` goes on for some thousand interleavings.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from litestar_app.app import build_app
from litestar_app.calls import Reads, Road
from litestar_app.front import Front
from onevault.settings import Settings
from tests_py.faults.tenants import MODEL, Tenant, ask, collect_marks, settle_tenant
from tests_py.litestar_app.kit import KEYRING
from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
ROUNDS = 3000 if SOAK else 60
pytestmark = pytest.mark.timeout(3600 if SOAK else 300)
# Nobody's rows: how providers do, over everybody's attempts, with nobody named.
SHARED = {"provider_comparison", "provider_performance"}


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running gateway with a provider for everybody's keys."""
    home: Path = tmp_path_factory.mktemp("tenants")
    home.chmod(0o700)
    database = cluster.clone(STOCKED)
    gateway = Gateway(database, home, {})
    gateway.start_worker()
    gateway.start_front()
    gateway.wait_until_ready()
    with database.connect() as connection:
        connection.execute("update admin.provider set compliance_levels = '{HIPAA}' where provider = 'sandbox'")
    gateway.run(
        "provider", "set", "keyed", "--kind", "openai", "--endpoint", "http://127.0.0.1:9/v1"
    )  # is never called
    yield gateway
    gateway.stop()
    cluster.drop(database)


@pytest.fixture(scope="module")
def tenants(house: Gateway, cluster: Cluster) -> Iterator[list[Tenant]]:
    """Both, with everything booked and half of it rolled up."""
    both = [settle_tenant(house, f"{name}-{house.port}", f"onevault_test_{letter}")
            for name, letter in (("amber", "x"), ("birch", "y"))]  # fmt: skip
    with house.database.connect() as connection:
        connection.execute("select ops.fn_roll_up_usage(clock_timestamp()), ops.fn_roll_up_spending()")
        for tenant in both:
            ask(house.url, tenant.token, f"late/{tenant.name}").raise_for_status()
            collect_marks(connection, tenant)
    yield both
    with house.database.connect() as connection:
        connection.execute("delete from auth.tenant_role")
    with cluster.maintenance() as connection:
        for tenant in both:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(tenant.role)))


def pairs(tenants: list[Tenant]) -> list[tuple[Tenant, Tenant]]:
    """Who asks, and who must not be seen."""
    return list(itertools.permutations(tenants, 2))


def login(house: Gateway, role: str) -> psycopg.Connection[Any]:
    return psycopg.connect(make_conninfo(house.database.dsn(), user=role), autocommit=True)


# Every route


def routes() -> list[tuple[str, str]]:
    """Method and path of each route of the application; a bare handler takes what it is given."""
    app = build_app(Front(Settings(), KEYRING, Road("host=/nowhere", 1), Reads("host=/nowhere")))
    found = set()
    for route in app.routes:
        for method in getattr(route, "methods", None) or ["GET", "POST"]:
            if method in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                found.add((method, route.path_format))
    return sorted(found)


def parameters_of(document: dict[str, Any], path: str) -> list[str]:
    """The names that the query string of a path may have."""
    operations = document["paths"].get(path, {}).values()
    return sorted({p["name"] for o in operations for p in o.get("parameters", []) if p["in"] == "query"})


def requests_for(method: str, path: str, names: list[str], value: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A route with a value wherever it takes one."""
    places = re.compile(r"{[^}]+}")
    filled = places.sub(quote(value, safe=""), path)
    if method == "GET":
        yield filled, {}
        for name in names:
            yield filled, {"params": {name: value}}
        return
    message = {"role": "user", "content": "Hello", "name": value}
    for model in (value, f"sandbox/{value}", MODEL):
        # The key under which another has called already, at the route where he did.
        key = value if (path, model) == ("/v1/chat/completions", MODEL) else str(uuid.uuid4())
        body = {"model": model, "messages": [message], "user": value, "metadata": {"id": value}, "max_tokens": 8}
        yield filled, {"json": body, "headers": {"idempotency-key": key}}


@pytest.mark.parametrize("route", routes(), ids=" ".join)
def test_no_route_shows_what_is_another_tenants(house: Gateway, tenants: list[Tenant], route: tuple[str, str]) -> None:
    """And what another has is to each what nobody has: the same status, so that nobody learns what there is."""
    method, path = route
    names = parameters_of(httpx.get(f"{house.url}/openapi.json").json(), path)
    for me, other in pairs(tenants):
        foreign = sorted(mark for mark in other.marks if re.fullmatch(r"[!-~]+", mark))
        foreign = foreign if SOAK else random.Random(path).sample(foreign, 4)
        used_key, cursor = f"{next(iter(other.tokens))}/0", next_page_of(house, other)
        foreign += [used_key, cursor]
        asked: dict[int, httpx.Response] = {}
        headers = {"authorization": f"Bearer {me.token}"}
        with httpx.Client(base_url=house.url, headers=headers, timeout=60) as client:
            for value in [f"nobody-{uuid.uuid4()}", *foreign]:
                for number, (target, options) in enumerate(requests_for(method, path, names, value)):
                    answer = client.request(method, target, **options)
                    told = f"{answer.headers} {answer.text}".replace(value, "…")
                    assert other.seen_in(told) == set(), (target, options)
                    assert answer.status_code < 500, answer.text
                    if value not in (used_key, cursor):
                        wanted = asked.setdefault(number, answer)
                        assert answer.status_code == wanted.status_code, (target, answer.text, wanted.text)


def next_page_of(house: Gateway, tenant: Tenant) -> str:
    """A cursor into another's usage."""
    answer = httpx.get(
        f"{house.url}/v1/usage?limit=1&group_by=token,model,hour,type",
        headers={"authorization": f"Bearer {tenant.token}"},
    )
    return str(answer.json().get("next_after") or "2026-11-01")


def test_usage_and_bill_count_ones_own_calls_only(house: Gateway, tenants: list[Tenant]) -> None:
    for tenant in tenants:
        for customer, token in tenant.tokens.items():
            headers = {"authorization": f"Bearer {token}"}
            usage = httpx.get(f"{house.url}/v1/usage?group_by=model", headers=headers).json()
            counted = sum(row["requests"] for row in usage["data"])
            ((booked,),) = house.database.query(
                "select count(*) from gateway.api_request_s as s where s.customer_hk = util.hash_key(%s)", customer
            )
            assert counted == booked > 0


# Every role


def views(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "select c.relname from pg_catalog.pg_class as c"
        " where c.relnamespace = 'business_vault'::regnamespace and c.relkind in ('v', 'm', 'r', 'p', 'f') order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def read(connection: psycopg.Connection[Any], view: str) -> list[str]:
    """Each row of a view, as text."""
    statement = sql.SQL("select v::text from business_vault.{} as v").format(sql.Identifier(view))
    return [row for (row,) in connection.execute(statement).fetchall()]


def assert_own(connection: psycopg.Connection[Any], me: Tenant, other: Tenant) -> None:
    """Each view shows this tenant's rows, and none of the other's."""
    for view in views(connection):
        rows = read(connection, view)
        for row in rows:
            assert other.seen_in(row) == set(), view
            if view in SHARED:
                assert me.seen_in(row) == set(), f"{view} is to name nobody"
            else:
                assert me.name in row, view
        assert rows or view in SHARED, f"{view} is empty: nothing was proved"


def break_something(connection: psycopg.Connection[Any], number: int) -> None:
    """An error, of which each leaves the session in another way."""
    statements = [
        b"select 1 / 0",
        b"select * from gateway.api_request_s",
        b"begin; select * from nothing",
        b"begin; set local onevault.tenant = 'amber'; select 1 / 0",
        b"select r.total_tokens / 0 from business_vault.request_detail as r; select 1 / 0",
        b"set statement_timeout = '1ms'; select pg_sleep(1)",
    ]
    with pytest.raises(psycopg.Error):
        connection.execute(statements[number % len(statements)])
    connection.execute("rollback")
    connection.execute("reset statement_timeout")


@pytest.mark.parametrize("role", ["bound", "onevault_bi", "onevault_dba"])
def test_each_view_shows_a_tenants_own_rows(house: Gateway, tenants: list[Tenant], role: str) -> None:
    for me, other in pairs(tenants):
        with closing(login(house, me.role if role == "bound" else role)) as connection:
            if role != "bound":
                connection.execute("select set_config('onevault.tenant', %s, false)", (me.name,))
            assert_own(connection, me, other)


def test_a_bound_role_stays_bound(house: Gateway, tenants: list[Tenant]) -> None:
    for me, other in pairs(tenants):
        with closing(login(house, me.role)) as connection:
            for attempt in (
                sql.SQL("set onevault.tenant = {}").format(sql.Literal(other.name)),
                sql.SQL("set role onevault_bi"),
                sql.SQL("reset all"),
                sql.SQL("discard all"),
                sql.SQL("set role none"),
            ):
                connection.execute(attempt)
                assert_own(connection, me, other)


def test_what_policies_ask_is_not_asked_by_hand(house: Gateway, tenants: list[Tenant]) -> None:
    """Told another's name, fn_choose_tenant would say which tenants there are."""
    for me, other in pairs(tenants):
        with closing(login(house, me.role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select util.fn_choose_tenant('nobody', 'nobody', %s)", (other.name,))


def test_services_read_no_relation(house: Gateway, tenants: list[Tenant]) -> None:
    with house.database.connect() as owner:
        relations = owner.execute(
            "select n.nspname, c.relname from pg_catalog.pg_class as c"
            " inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid"
            " where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname !~ '^(pg_|information_schema)'"
        ).fetchall()
    assert len(relations) > 60
    for role in ("onevault_app", "onevault_worker"):
        with closing(login(house, role)) as connection:
            for schema, name in relations:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(
                        sql.SQL("select * from {}.{}").format(sql.Identifier(schema), sql.Identifier(name))
                    )


def test_the_catalog_names_nobody_elses(house: Gateway, tenants: list[Tenant]) -> None:
    """Statistics, settings, activity, locks: what PostgreSQL tells everybody tells of no tenant."""
    for me, other in pairs(tenants):
        with closing(login(house, me.role)) as connection, closing(login(house, other.role)) as busy:
            busy.execute(sql.SQL("select {}").format(sql.Literal(other.name)))
            relations = connection.execute(
                "select c.oid::regclass::text from pg_catalog.pg_class as c"
                " where c.relnamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
                " and c.relkind in ('r', 'v') and has_table_privilege(c.oid, 'select')"
            ).fetchall()
            for (name,) in relations:
                try:
                    rows = connection.execute(f"select t::text from {name} as t".encode()).fetchall()
                except psycopg.Error as error:
                    rows = [(str(error),)]
                assert other.seen_in(str(rows)) == set(), name


def test_plans_and_errors_tell_nothing(house: Gateway, tenants: list[Tenant]) -> None:
    for me, other in pairs(tenants):
        with closing(login(house, me.role)) as connection:
            for view in views(connection):
                name = sql.Identifier(view)
                plan = connection.execute(
                    sql.SQL("explain (analyze, verbose, settings) select * from business_vault.{}").format(name)
                ).fetchall()
                assert other.seen_in(str(plan)) == set(), view
                for attempt in (
                    "v::text::integer = 1",
                    "1 / (strpos(v::text, %(other)s) - 1) > 0",
                    "v::text::xml is null",
                ):
                    statement = sql.SQL("select count(*) from business_vault.{} as v where " + attempt).format(name)
                    try:
                        connection.execute(statement, {"other": other.name})
                    except psycopg.Error as error:
                        assert other.seen_in(str(error)) == set(), view
                        assert not isinstance(error, psycopg.errors.DivisionByZero), view


# The same connections, again and again


def test_a_session_used_by_both_after_errors_keeps_them_apart(house: Gateway, tenants: list[Tenant]) -> None:
    """One connection, as a pool lends it: prepared statements, transactions that failed, settings left behind."""
    dice = random.Random(7)
    with closing(login(house, "onevault_bi")) as connection:
        connection.prepare_threshold = 0
        names = [name for name in views(connection) if name not in SHARED]
        for number in range(ROUNDS):
            me, other = dice.choice(pairs(tenants))
            if dice.random() < 0.5:
                break_something(connection, number)
            view = dice.choice(names)
            manner = dice.randrange(4)
            if manner == 0:
                connection.execute("select set_config('onevault.tenant', %s, false)", (me.name,))
                rows = read(connection, view)
            elif manner == 1:
                with connection.transaction():
                    connection.execute("select set_config('onevault.tenant', %s, true)", (me.name,))
                    rows = read(connection, view)
            elif manner == 2:
                connection.execute("reset onevault.tenant")
                assert read(connection, view) == []
                continue
            else:
                connection.execute("discard all")
                connection._prepared.clear()
                assert read(connection, view) == []
                continue
            for row in rows:
                assert other.seen_in(row) == set(), (view, manner, number)
                assert me.name in row


def test_the_fronts_pool_used_by_both_after_errors_keeps_them_apart(house: Gateway, tenants: list[Tenant]) -> None:
    """Good and bad requests of both through the few connections of one front, at once."""

    def one(number: int) -> None:
        dice = random.Random(number)
        me, other = dice.choice(pairs(tenants))
        headers = {"authorization": f"Bearer {dice.choice(list(me.tokens.values()))}"}
        target = dice.choice([
            "/v1/usage?group_by=token,model,type", "/v1/usage?limit=1", "/v1/billing", "/v1/models",
            "/v1/billing/2026-11", "/v1/usage?from=never", "/v1/usage?after=nonsense", "/v1/billing/2026-99",
            "/v1/usage?group_by=customer",
        ])  # fmt: skip
        if dice.random() < 0.2:
            answer = ask(house.url, headers["authorization"].split()[1], f"pool/{number}/{dice.random()}")
        elif dice.random() < 0.1:
            # Gone before the answer is there.
            try:
                httpx.get(f"{house.url}{target}", headers=headers, timeout=0.001)
            except httpx.HTTPError:
                return
            return
        else:
            answer = httpx.get(f"{house.url}{target}", headers=headers, timeout=60)
        assert answer.status_code < 500, answer.text
        assert other.seen_in(f"{answer.headers} {answer.text}") == set(), target

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(ROUNDS * 2)))
