"""The only SQL of the command line and of the seed: doors and views of schema `admin`, and views of `business_vault`.

Every function takes an open connection, commits nothing, and gives rows as dicts by column name. What the database
refuses comes out as `psycopg.Error` with SQLSTATE VG and an HTTP status (see `onevault/cli/output.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Values = Sequence[Any] | Mapping[str, Any] | None

_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")

_INSERT_CUSTOMER: Final = """
insert into admin.customer
select n.* from jsonb_populate_record(null::admin.customer, %s::jsonb) as n
returning tenant, customer
"""

# A column that is not given (NULL) keeps its value, or takes its default in a new row.
_MERGE_PROVIDER: Final = """
merge into admin.provider as p
using jsonb_populate_record(null::admin.provider, %s::jsonb) as n
on lower(p.provider) = lower(n.provider)
when matched then update set
    adapter_kind = coalesce(n.adapter_kind, p.adapter_kind), api_endpoint = coalesce(n.api_endpoint, p.api_endpoint),
    requests_per_minute_limit = coalesce(n.requests_per_minute_limit, p.requests_per_minute_limit),
    compliance_levels = coalesce(n.compliance_levels, p.compliance_levels),
    needs_key = coalesce(n.needs_key, p.needs_key), is_active = coalesce(n.is_active, p.is_active),
    customer = coalesce(n.customer, p.customer)
when not matched then insert (
    provider, adapter_kind, api_endpoint, requests_per_minute_limit, compliance_levels, needs_key, is_active, customer
)
values (
    n.provider, n.adapter_kind, n.api_endpoint, n.requests_per_minute_limit, n.compliance_levels,
    coalesce(n.needs_key, false), n.is_active, n.customer
)
"""

_MERGE_MODEL: Final = """
merge into admin.model as m
using jsonb_populate_record(null::admin.model, %s::jsonb) as n
on lower(m.provider) = lower(n.provider) and lower(m.model) = lower(n.model)
when matched then update set
    upstream_model = coalesce(n.upstream_model, m.upstream_model),
    capabilities = coalesce(n.capabilities, m.capabilities), features = coalesce(n.features, m.features),
    context_tokens = coalesce(n.context_tokens, m.context_tokens),
    max_output_tokens = coalesce(n.max_output_tokens, m.max_output_tokens),
    default_output_tokens = coalesce(n.default_output_tokens, m.default_output_tokens),
    max_inputs = coalesce(n.max_inputs, m.max_inputs), surfaces = coalesce(n.surfaces, m.surfaces),
    quality_score = coalesce(n.quality_score, m.quality_score), is_active = coalesce(n.is_active, m.is_active),
    customer = coalesce(n.customer, m.customer)
when not matched then insert (
    provider, model, upstream_model, capabilities, features, context_tokens, max_output_tokens, default_output_tokens,
    max_inputs, surfaces, quality_score, is_active, customer
)
values (
    n.provider, n.model, n.upstream_model, n.capabilities, n.features, n.context_tokens, n.max_output_tokens,
    n.default_output_tokens, n.max_inputs, n.surfaces, n.quality_score, n.is_active, n.customer
)
"""

_WAS_CUSTOMER: Final = """
select h.customer, h.tenant, date_trunc('month', now() at time zone t.time_zone)::date as this_month
from admin.customer_history as h
inner join admin.tenant_history as t on h.tenant = t.tenant
where lower(h.customer) = lower(%s)
order by h.load_date desc, t.load_date desc
limit 1
"""

_BILL: Final = """
select
    a.provider, a.model, a.request_count, a.input_tokens, a.cache_read_tokens, a.cache_write_tokens, a.output_tokens,
    trim_scale(a.provider_cost_usd) as provider_cost_usd, trim_scale(a.markup_usd) as markup_usd,
    trim_scale(a.customer_cost_usd) as customer_cost_usd, trim_scale(a.own_key_cost_usd) as own_key_cost_usd
from business_vault.cost_analysis as a
where a.customer = %s and a.usage_month = %s
order by a.customer_cost_usd desc, a.provider, a.model
"""


def insert_tenant(connection: Connection, tenant: str, time_zone: str | None, markup_percent: Decimal | None) -> Row:
    """The new row of admin.tenant."""
    statement = (
        "insert into admin.tenant (tenant, time_zone, markup_percent) values (%s, %s, %s)"
        " returning tenant, tenant_name, time_zone, markup_percent, address_policy, is_active"
    )
    return fetch_one(connection, statement, (tenant, time_zone, markup_percent))


def list_tenants(connection: Connection) -> list[Row]:
    """All of admin.tenant."""
    return fetch_all(connection, "select t.* from admin.tenant as t order by t.tenant")


def insert_customer(connection: Connection, customer: Mapping[str, Any]) -> Row:
    """Its {"tenant", "customer"}; `customer` holds columns of admin.customer, None or absent for a default."""
    return fetch_one(connection, _INSERT_CUSTOMER, (_json(customer),))


def list_customers(connection: Connection, customer: str | None = None) -> list[Row]:
    """All of admin.customer, or the one of this name."""
    statement = (
        "select c.* from admin.customer as c"
        " where lower(c.customer) = lower(coalesce(%s, c.customer)) order by c.tenant, c.customer"
    )
    return fetch_all(connection, statement, (customer,))


def was_customer(connection: Connection, customer: str) -> Row | None:
    """{"customer", "tenant", "this_month"} of a customer, deleted ones included; None if there never was one.

    `this_month` is the first day of the current month in the tenant's time zone.
    """
    rows = fetch_all(connection, _WAS_CUSTOMER, (customer,))
    return rows[0] if rows else None


def identify_customer(connection: Connection, customer: str) -> tuple[bytes, str]:
    """What its token's fingerprint is sealed for (bytes), and its public reference (8 base62 characters)."""
    row = fetch_one(connection, "select i.* from admin.sp_identify_customer(%s) as i", (customer,))
    return row["identity"], row["customer_reference"]


def issue_token(
    connection: Connection, customer: str, digest: bytes, hint: str, sealed: bytes, settings: Mapping[str, Any]
) -> Row:
    """{"tenant", "customer", "token_id"}; `settings` holds columns of admin.token."""
    statement = "select i.* from admin.sp_issue_token(%s, %s, %s, %s, %s::jsonb) as i"
    return fetch_one(connection, statement, (customer, digest, hint, sealed, _json(settings)))


def find_token(connection: Connection, digest: bytes) -> Row | None:
    """{"token_id", "customer", "token_status"} of a token by its digest."""
    rows = fetch_all(connection, "select f.* from admin.sp_find_token(%s) as f", (digest,))
    return rows[0] if rows else None


def list_tokens(connection: Connection, customer: str) -> list[Row]:
    """Its rows of admin.token, the newest first."""
    statement = "select t.* from admin.token as t where lower(t.customer) = lower(%s) order by t.issued_at desc"
    return fetch_all(connection, statement, (customer,))


def revoke_token(connection: Connection, token_id: str) -> Row | None:
    """The revoked row of admin.token, None if there is none of this id."""
    statement = (
        "update admin.token set token_status = 'REVOKED' where token_id = %s"
        " returning token_id, customer, token_name, token_status"
    )
    rows = fetch_all(connection, statement, (token_id,))
    return rows[0] if rows else None


def merge_provider(connection: Connection, provider: Mapping[str, Any]) -> None:
    """Makes or changes a provider; `provider` holds columns of admin.provider, None or absent to leave one."""
    connection.execute(_MERGE_PROVIDER, (_json(provider),))


def list_providers(connection: Connection, provider: str | None = None) -> list[Row]:
    """All of admin.provider, or the one of this name."""
    statement = (
        "select p.* from admin.provider as p"
        " where lower(p.provider) = lower(coalesce(%s, p.provider)) order by p.provider"
    )
    return fetch_all(connection, statement, (provider,))


def identify_provider_key(connection: Connection, provider: str, customer: str | None, name: str | None) -> bytes:
    """What a key is to be sealed for: the house's (customer None) or a customer's own, by its name."""
    statement = "select admin.sp_identify_provider_key(%s, %s, %s) as identity"
    identity: bytes = fetch_one(connection, statement, (provider, customer, name))["identity"]
    return identity


def set_provider_key(
    connection: Connection,
    provider: str,
    customer: str | None,
    name: str | None,
    *,
    fingerprint: bytes,
    sealed: bytes,
    encryption_key_id: str,
    keeps_status: bool,
) -> bool:
    """True when it is another key than before; `keeps_status` leaves the same key revoked if it was."""
    statement = "select admin.sp_set_provider_key(%s, %s, %s, %s, %s, %s, %s) as is_new"
    values = (provider, customer, name, fingerprint, sealed, encryption_key_id, keeps_status)
    return bool(fetch_one(connection, statement, values)["is_new"])


def list_provider_keys(connection: Connection, customer: str | None = None) -> list[Row]:
    """All of admin.provider_key, or a customer's own."""
    statement = (
        "select k.* from admin.provider_key as k where %(customer)s::text is null or"
        " lower(k.customer) = lower(%(customer)s) order by k.provider, k.customer nulls first, k.key_name"
    )
    return fetch_all(connection, statement, {"customer": customer})


def merge_model(connection: Connection, model: Mapping[str, Any]) -> None:
    """Makes or changes a model; `model` holds columns of admin.model, None or absent to leave one."""
    connection.execute(_MERGE_MODEL, (_json(model),))


def list_models(connection: Connection, provider: str | None = None, model: str | None = None) -> list[Row]:
    """All of admin.model, or those of a provider, or of a name."""
    statement = (
        "select m.* from admin.model as m where lower(m.provider) = lower(coalesce(%s, m.provider))"
        " and lower(m.model) = lower(coalesce(%s, m.model)) order by m.provider, m.model"
    )
    return fetch_all(connection, statement, (provider, model))


def list_rules(connection: Connection, rule_name: str | None = None) -> list[Row]:
    """All of admin.routing_rule in the order in which they are asked, or the one of this name."""
    statement = (
        "select r.* from admin.routing_rule as r where lower(r.rule_name) = lower(coalesce(%s, r.rule_name))"
        " order by r.token_id is null, r.customer is null, r.tenant is null, r.rule_priority, r.rule_name"
    )
    return fetch_all(connection, statement, (rule_name,))


def explain_route(connection: Connection, customer: str, request: Mapping[str, Any]) -> list[Row]:
    """Candidates of a call in the order of trying, then those that were dropped."""
    return fetch_all(connection, "select e.* from admin.explain_route(%s, %s::jsonb) as e", (customer, _json(request)))


def test_rules(connection: Connection) -> list[Row]:
    """Every active test of the rulebook: test_name, and a complaint where it fails."""
    return fetch_all(connection, "select t.* from admin.test_rules() as t")


def what_if(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    """Where the answered calls of a time would go by what this transaction sees, and at what cost."""
    return fetch_all(connection, "select w.* from admin.what_if(%s, %s) as w", (since, until))


def check_house(connection: Connection) -> list[Row]:
    """What the database finds about itself: check_name, is_ok, finding, remedy."""
    return fetch_all(connection, "select c.* from admin.sp_check_house() as c")


def read_clock(connection: Connection) -> datetime:
    """The database's wall clock."""
    moment: datetime = fetch_one(connection, "select clock_timestamp() as moment")["moment"]
    return moment


def read_bill(connection: Connection, customer: str, month: date) -> list[Row]:
    """Lines of a month's bill by provider and model; `month` is its first day."""
    return fetch_all(connection, _BILL, (customer, month))


def fetch_all(connection: Connection, statement: LiteralString, values: Values = None) -> list[Row]:
    """All rows of a statement."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def fetch_one(connection: Connection, statement: LiteralString, values: Values = None) -> Row:
    """The one row of a statement; raises ValueError if it is not one."""
    (row,) = fetch_all(connection, statement, values)
    return row


def _json(value: Any) -> str:
    return _ENCODER.encode(value).decode()
