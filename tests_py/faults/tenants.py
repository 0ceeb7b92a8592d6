"""Two tenants in one house, each with all that is a tenant's own, and the words by which it would be known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from psycopg import sql

from onevault.envelope import load_keyring
from onevault.issuing import issue, set_key
from onevault.settings import load_settings
from onevault.tokens import Secret
from tests_py.support.gateway import Gateway

MODEL = "sandbox-small"


@dataclass
class Tenant:
    """A tenant: its customers' tokens by customer, and its marks, which nobody else may read."""

    name: str
    role: str
    tokens: dict[str, str] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)

    @property
    def token(self) -> str:
        return next(iter(self.tokens.values()))

    def seen_in(self, text: str) -> set[str]:
        """Those of its marks that stand in a text."""
        lower = text.lower()
        return {mark for mark in self.marks if mark in lower}


def settle_tenant(gateway: Gateway, name: str, role: str) -> Tenant:
    """Two customers with tokens, keys of their own, a rule, a role and usage."""
    tenant = Tenant(name, role)
    keyring = load_keyring(load_settings(gateway.environ, None))
    with gateway.database.connect() as connection:
        connection.execute("insert into admin.tenant (tenant) values (%s)", (name,))
        for customer in (f"{name}-one", f"{name}-two"):
            connection.execute(
                "insert into admin.customer (customer, tenant, rate_limit_requests_per_minute, compliance)"
                " values (%s, %s, 100000, '{HIPAA}')",
                (customer, name),
            )
            made = issue(
                connection, keyring, customer, {"token_name": f"token of {customer}", "cost_budget_daily": 1000}
            )
            tenant.tokens[customer] = made.token.reveal()
            set_key(connection, keyring, "keyed", Secret(f"sk-of-{customer}"), customer=customer)
            connection.execute(
                "insert into admin.usage_limit (customer, unit, period, amount) values (%s, 'USD', 'WEEK', 1000)",
                (customer,),
            )
            connection.execute(
                "insert into admin.subscription (customer, plan, valid_from, valid_to)"
                " select %s, 'analytics', m.month, (m.month + interval '1 month')::date"
                " from (select (date_trunc('month', now()) - interval '2 months')::date as month) as m",
                (customer,),
            )
            connection.execute(
                "insert into admin.charge_rule (charge_rule, customer, markup_percent) values (%s, %s, 25)",
                (f"prices of {customer}", customer),
            )
            connection.execute(
                "insert into admin.credit (customer, credit, credit_kind, amount_usd) values (%s, %s, 'PREPAID', 5)",
                (customer, f"credit of {customer}"),
            )
        # An invoice, so that there is something to see of invoices too.
        connection.execute("select gateway.sp_close_month((now() - interval '2 months')::date, %s)", (name,))
        connection.execute(
            "insert into admin.routing_rule (rule_name, conditions, target_model) values (%s, %s, %s)",
            (f"rule of {name}", json.dumps({"tenant": name}), MODEL),
        )
        connection.execute(sql.SQL("create role {} login in role onevault_bi").format(sql.Identifier(role)))
        connection.execute(
            "insert into auth.tenant_role (role_name, tenant_hk) select %s, util.hash_key(%s)", (role, name)
        )
    for customer, token in tenant.tokens.items():
        # One that lets the gateway choose, and one that names a model, which savings are told by.
        ask(gateway.url, token, f"{customer}/0").raise_for_status()
        answer = ask(gateway.url, token, f"{customer}/1", model=MODEL).raise_for_status()
        httpx.post(
            f"{gateway.url}/v1/ai/feedback",
            headers={"authorization": f"Bearer {token}"},
            json={"request_id": answer.headers["x-onevault-request-id"], "score": 0.5},
            timeout=60,
        ).raise_for_status()
    with gateway.database.connect() as connection:
        # A price that turns out to have been wrong, so that each customer has an adjustment.
        connection.execute("update admin.price set usd_per_million = usd_per_million + 1 where provider = 'sandbox'")
        for customer in tenant.tokens:
            connection.execute("select gateway.sp_rerate(current_date, 'a test', %s, true)", (customer,))
    return tenant


def ask(url: str, token: str, key: str, **body: Any) -> httpx.Response:
    """One chat call under an idempotency key."""
    return httpx.post(
        f"{url}/v1/chat/completions",
        headers={"authorization": f"Bearer {token}", "idempotency-key": key},
        json={"model": "auto", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8, **body},
        timeout=60,
    )


def collect_marks(connection: psycopg.Connection[Any], tenant: Tenant) -> None:
    """Everything that names the tenant, its customers, tokens or requests, in each way in which it is written."""
    rows = connection.execute(
        b"select h.tenant_bk, encode(h.tenant_hk, 'hex') from auth.tenant_h as h where h.tenant_bk = %(name)s"
        b" union all select c.customer_bk, encode(c.customer_hk, 'hex') from gateway.customer_h as c"
        b"  where c.tenant_hk = util.hash_key(%(name)s)"
        b" union all select c.customer_reference, 'rule of ' || %(name)s from gateway.customer_h as c"
        b"  where c.tenant_hk = util.hash_key(%(name)s)"
        b" union all select t.token_bk, encode(t.token_hk, 'hex') from gateway.token_h as t"
        b"  inner join gateway.customer_h as c using (customer_hk) where c.tenant_hk = util.hash_key(%(name)s)"
        b" union all select r.api_request_bk, encode(r.api_request_hk, 'hex') from gateway.api_request_h as r"
        b"  inner join gateway.customer_h as c using (customer_hk) where c.tenant_hk = util.hash_key(%(name)s)",
        {"name": tenant.name},
    ).fetchall()
    tenant.marks |= {mark.lower() for row in rows for mark in row}
    tenant.marks |= {token.lower() for token in tenant.tokens.values()}
    tenant.marks |= {
        f"{kind}{customer}" for customer in tenant.tokens for kind in ("sk-of-", "token of ", "credit of ")
    }
