"""How long business_vault takes to tell of one customer's month, and a bill to be made: as the BI role, one tenant set.

What is timed is the server: planning, running, and turning every value into text (EXPLAIN's SERIALIZE), without a
client. The kernel says how long it waited for a core that others had: without that it is what the statement takes on a
machine of its own, and what goals are held against. Three readings of a view: all of its rows, sums of its money and
tokens, and the hundred latest rows; of the ledger also the rows and sums of a billing period.
"""

import datetime as dt
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg import sql

# By which column a view is cut to a month; None where it tells of now.
VIEWS: Final[dict[str, str | None]] = {
    "budget_status": None,
    "charge_adjustment": "billing_period",
    "compliance_event": "happened_at",
    "cost_analysis": "usage_month",
    "credit_balance": None,
    "customer_balance": None,
    "customer_spending": "billing_period",
    "invoice": "billing_period",
    "invoice_line": "billing_period",
    "ledger_line": "booked_at",
    "offer_quality": None,
    "provider_comparison": None,
    "provider_performance": "window_started_at",
    "request_detail": "request_timestamp",
    "routing_decision": "request_timestamp",
    "savings": "request_timestamp",
    "usage_daily": "usage_day",
    "usage_hourly": "usage_hour",
    "usage_limit_status": None,
    "usage_part": "usage_day",
}
# And a second way to name the month, where there is one.
PERIODS: Final[dict[str, str]] = {"ledger_line": "billing_period"}
_COLUMNS: Final = """
select
    a.attname,
    a.atttypid::regtype::text
from pg_attribute as a
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""
_CALLERS: Final = """
select
    h.customer_bk,
    n.tenant_bk
from gateway.customer_h as h
inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
where h.customer_bk = any(%s)
order by h.customer_bk
"""
_SUMMED: Final = ("_usd", "_tokens", "_count")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One way to read a view: milliseconds of several runs with and without waiting for a core, rows, plan."""

    view: str
    how: str
    customer: str
    rows: int
    runs: list[float]
    alone: list[float]
    plan: str

    @property
    def median_ms(self) -> float:
        """The middle run."""
        return statistics.median(self.runs)

    @property
    def alone_ms(self) -> float:
        """The middle run without the time for which others had the cores."""
        return statistics.median(self.alone)

    @property
    def worst_ms(self) -> float:
        """The slowest run."""
        return max(self.runs)


def read_views(
    connection: psycopg.Connection, customers: Sequence[str], month: dt.date, runs: int, only: str | None = None
) -> Iterator[Reading]:
    """Read every view of business_vault for each customer's `month`; `connection` is a superuser's, autocommit."""
    callers = connection.execute(_CALLERS, (list(customers),)).fetchall()
    for view in VIEWS:
        if only and view != only:
            continue
        columns: dict[str, str] = dict(connection.execute(_COLUMNS, (f"business_vault.{view}",)).fetchall())
        for customer, tenant in callers if "customer" in columns else callers[:1]:
            for how, statement in _statements(view, columns, customer, month, VIEWS[view]):
                yield _read(connection, view, how, customer, tenant, statement, runs)
            if view in PERIODS:
                for how, statement in _statements(view, columns, customer, month, PERIODS[view]):
                    yield _read(connection, view, f"{how}/p", customer, tenant, statement, runs)


def read_bills(
    connection: psycopg.Connection, customers: Sequence[str], month: dt.date, runs: int
) -> Iterator[Reading]:
    """Make the bill of each customer's `month`, as the API does and as `onevault bill` does."""
    bill = sql.SQL("select admin.sp_read_bill({}, {})")
    for customer, tenant in connection.execute(_CALLERS, (list(customers),)).fetchall():
        statement = bill.format(sql.Literal(customer), sql.Literal(month))
        yield _read(connection, "sp_read_bill", "bill", customer, tenant, statement, runs, role="onevault_dba")


def _statements(
    view: str, columns: dict[str, str], customer: str, month: dt.date, moment: str | None
) -> Iterator[tuple[str, sql.Composed]]:
    conditions: list[sql.Composable] = []
    if "customer" in columns:
        conditions.append(sql.SQL("v.customer = {}").format(sql.Literal(customer)))
    if moment:
        first, after = month, (month + dt.timedelta(days=32)).replace(day=1)
        bounds: list[dt.date] = [first, after]
        if columns[moment] != "date":
            bounds = [dt.datetime(day.year, day.month, 1, tzinfo=dt.UTC) for day in bounds]
        values = [sql.Literal(bound) for bound in bounds]
        column = sql.Identifier("v", moment)
        conditions.append(sql.SQL("{0} >= {1} and {0} < {2}").format(column, *values))
    where = sql.SQL(" where ") + sql.SQL(" and ").join(conditions) if conditions else sql.SQL("")
    source = sql.SQL("from business_vault.{} as v").format(sql.Identifier(view)) + where
    yield "rows", sql.SQL("select v.* ") + source
    summed = [name for name, kind in columns.items() if kind in ("numeric", "bigint") and name.endswith(_SUMMED)]
    if moment and summed:
        sums = sql.SQL(", ").join(sql.SQL("sum({})").format(sql.Identifier("v", name)) for name in summed)
        yield "sums", sql.SQL("select count(*), ") + sums + sql.SQL(" ") + source
    if moment in ("request_timestamp", "happened_at"):
        order = sql.SQL(" order by {} desc limit 100").format(sql.Identifier("v", moment))
        yield "page", sql.SQL("select v.* ") + source + order


def _read(
    connection: psycopg.Connection,
    view: str,
    how: str,
    customer: str,
    tenant: str,
    statement: sql.Composed,
    runs: int,
    role: str = "onevault_bi",
) -> Reading:
    explain = sql.SQL("explain (analyze, timing off, serialize text, buffers off, format json) ") + statement
    found: list[float] = []
    alone: list[float] = []
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('onevault.tenant', %s, true)", (tenant,))
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        for _ in range(runs):
            before = used(connection)
            ((plans,),) = connection.execute(explain).fetchall()
            found.append(plans[0]["Planning Time"] + plans[0]["Execution Time"])
            spent = used(connection)
            alone.append(max(spent.cpu_ms - before.cpu_ms, found[-1] - spent.waited_ms + before.waited_ms))
        plan = connection.execute(sql.SQL("explain (costs off) ") + statement).fetchall()
    return Reading(
        view=view,
        how=how,
        customer=customer,
        rows=round(plans[0]["Plan"]["Actual Rows"]),
        runs=found,
        alone=alone,
        plan="\n".join(line for (line,) in plan),
    )


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection's server process has used of a core so far, and how long it waited for one."""

    cpu_ms: float
    waited_ms: float


def used(connection: psycopg.Connection) -> Used:
    """Read it from the kernel, to the nanosecond."""
    cpu, waited = Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()[:2]
    return Used(cpu_ms=int(cpu) / 1_000_000, waited_ms=int(waited) / 1_000_000)
