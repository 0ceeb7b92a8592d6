"""Two months of random traffic, closed, against the same money reckoned by other means, to the tenth decimal.

Every kind of call, prices and markups that change in the middle, rules of prices, own sums for who uses included usage,
plans that change, credits that expire, what is booked after the close, corrections by rating again, refunds.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests_py.billing.reference import (
    Charge,
    Credit,
    fee_of,
    first_of,
    month_before,
    read_charges,
    to_cents,
    use_credits,
)
from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import call, load_fixtures, result, route

CALLS = 80
CUSTOMERS = {"ada": "Pacific/Auckland", "bob": "Pacific/Auckland", "cyd": "America/New_York", "dee": "America/New_York"}
_METERS = {
    "cache_read": 0.3,
    "cache_write": 3.75,
    "cache_write_1h": 6,
    "input_audio": 40,
    "output_audio": 80,
    "search": 10_000,
}


def prepare(database: ClonedDatabase) -> None:
    load_fixtures(database)
    for zone in set(CUSTOMERS.values()):
        database.query("select test.make_tenant(%s, %s::jsonb)", zone, json.dumps({"time_zone": zone}))
    for offer in ("maker/model-a", "other/model-b"):
        provider, model = offer.split("/")
        database.query("select test.make_offer(%s, %s, 3, 15)", provider, model)
        for meter, usd in _METERS.items():
            database.query(
                "select test.make_price(util.hash_key(%s, %s), %s, %s::numeric)", provider, model, meter, usd
            )
    for customer, zone in CUSTOMERS.items():
        database.query("select test.make_customer(%s, '{\"markup_percent\": 17.5}', %s)", customer, zone)


def tell(message: tuple[Any, ...], chance: random.Random) -> dict[str, Any]:
    """How a call ended: answered, failed, hung up, or answered by the second candidate."""
    told = result(*message)
    usage: dict[str, Any] = {"input_uncached": chance.randint(0, 900), "output": chance.randint(0, 900)}
    for meter in chance.sample(["cache_read", "cache_write"], chance.randint(0, 2)):
        usage[meter] = chance.randint(1, 400)
    if chance.random() < 0.4:
        usage["other"] = {
            meter: chance.randint(1, 9) for meter in chance.sample(["input_audio", "output_audio", "search"], 2)
        }
    attempt = told["attempts"][0] | {"usage": usage, "output_bytes": chance.randint(1, 4000)}
    kind = chance.random()
    if kind < 0.15:
        failed = attempt | {
            "outcome": "ERROR",
            "class": "server_error",
            "output_bytes": 0,
            "usage": None,
            "usage_source": None,
        }
        return told | {"status": "ERROR", "class": "server_error", "attempts": [failed]}
    if kind < 0.3:
        cut = attempt | {"outcome": "CANCELLED", "class": "client_gone", "usage": None, "usage_source": None}
        return told | {"status": "CANCELLED", "class": "client_gone", "attempts": [cut]}
    if kind < 0.45:
        first = attempt | {
            "outcome": "ERROR",
            "class": "overloaded",
            "output_bytes": 0,
            "usage": None,
            "usage_source": None,
        }
        return told | {"attempts": [first, attempt | {"number": 2}]}
    return told | {"attempts": [attempt]}


def book(database: ClonedDatabase, chance: random.Random, calls: int) -> None:
    """Random calls on the road."""
    with database.connect() as connection:
        for _ in range(calls):
            features = {"model": chance.choice(["model-a", "model-b"]), "prompt_bytes": 9000, "max_output_tokens": 1000}
            route(connection, [call(chance.choice([*CUSTOMERS]), **features)])
            messages = connection.execute(
                b"select r.queue, r.msg_id, r.read_ct, r.message from gateway.sp_read_messages(10, 60) as r"
            ).fetchall()
            results = [tell(message, chance) for message in messages]
            connection.execute(b"select gateway.sp_record_results(%s::jsonb)", (json.dumps(results),))


_MOVE = """
with moved as (
    select s.api_request_hk as old, uuid_send(uuidv7(m.moment - clock_timestamp())) as new, m.moment
    from (
        select r.api_request_hk, row_number() over (order by r.api_request_hk) as n, count(*) over () as all_of_them
        from gateway.api_request_s as r where r.request_timestamp >= %(since)s
    ) as s
    cross join lateral (select %(start)s::timestamptz + %(span)s * (s.n - 0.5) / s.all_of_them as moment) as m
),
hubs as (
    update gateway.api_request_h as h set api_request_hk = m.new, load_date = m.moment
    from moved as m where h.api_request_hk = m.old
),
attempts as (
    update gateway.api_request_attempt_s as a set api_request_hk = m.new
    from moved as m where a.api_request_hk = m.old
)
update gateway.api_request_s as s set
    api_request_hk = m.new, request_id = encode(m.new, 'hex')::uuid, request_timestamp = m.moment,
    load_date = case when %(late)s then s.load_date else m.moment end
from moved as m where s.api_request_hk = m.old
"""


def move(database: ClonedDatabase, since: datetime, start: date, days: int, *, late: bool = False) -> None:
    """Calls that were made since then, as if they had come in days that are over, in their order."""
    with database.connect() as connection:
        connection.execute(b"set session_replication_role = replica")
        connection.execute(_MOVE.encode(), {"since": since, "start": start, "span": timedelta(days=days), "late": late})


def now(database: ClonedDatabase) -> datetime:
    ((moment,),) = database.query("select clock_timestamp()")
    assert isinstance(moment, datetime)
    return moment


def sums(charges: list[Charge], month: date) -> dict[str, Decimal]:
    """What each customer's calls of a month cost, as reckoned."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for charge in charges:
        if first_of(charge.day) == month:
            found[charge.customer] += charge.reckoned
    return found


def lines(database: ClonedDatabase, month: date) -> dict[str, dict[str, Decimal]]:
    """Exact USD of each customer's invoice by kind of line; `amount` and `total` in cents."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    rows = database.query(
        "select c.customer_bk, l.line_kind, l.exact_usd, l.amount, s.total, l.exact from gateway.invoice_s as s"
        " inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk"
        " inner join gateway.customer_h as c on h.customer_hk = c.customer_hk"
        " inner join gateway.invoice_line_s as l on s.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date"
        " where s.load_end_date is null and s.billing_period = %s and s.invoice_kind = 'INVOICE'",
        month,
    )
    for customer, kind, exact_usd, amount, total, exact in rows:
        assert amount == to_cents(exact), "rounded once, halves to the even digit"
        found[customer][kind] += exact_usd
        found[customer]["amount"] += amount
        found[customer]["total"] = total
    return found


def ledger(database: ClonedDatabase) -> dict[str, dict[str, Decimal]]:
    """What each account of each customer stands at."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    with database.connect("dba") as connection:
        rows = connection.execute(
            b"select l.customer, l.account, sum(l.amount_usd) from business_vault.ledger_line as l group by 1, 2"
        )
        for customer, account, amount in rows:
            found[customer][account] = amount
    return found


def close(database: ClonedDatabase, month: date) -> None:
    with database.connect("dba") as connection:
        connection.execute(b"select * from gateway.sp_close_month(%s)", (month,)).fetchall()


def test_the_money_is_the_same_reckoned_by_other_means(database: ClonedDatabase) -> None:
    chance = random.Random(20)
    prepare(database)
    today = datetime.now(UTC).date()
    second = month_before(first_of(today))
    first = month_before(second)
    database.query(
        "insert into admin.plan (plan, monthly_fee_usd, included_usage_usd) values ('bundle', 100, 0.04) returning 1"
    )
    for customer, plan, start, end in (
        ("ada", "analytics", first + timedelta(days=9), None),
        ("bob", "bundle", first, second + timedelta(days=11)),
        ("bob", "compliance_reporting", second + timedelta(days=11), None),
    ):
        database.query(
            "insert into admin.subscription (customer, plan, valid_from, valid_to)"
            " values (%s, %s, %s, coalesce(%s, 'infinity'::date)) returning 1",
            customer, plan, start, end,
        )  # fmt: skip
    credit = (
        "insert into admin.credit"
        " (customer, credit, credit_kind, amount_usd, priority, valid_from, expires_on, description)"
        " values (%s, %s, %s, %s, %s, %s, %s, 'a credit') returning 1"
    )
    for customer, name, kind, usd, priority, start, end in (
        ("cyd", "expiring", "PROMOTION", "0.03", 10, first, first + timedelta(days=12)),
        ("cyd", "welcome", "PROMOTION", "0.05", 20, first, second + timedelta(days=20)),
        ("dee", "prepaid", "PREPAID", "0.2", 10, first, date(2099, 1, 1)),
    ):
        database.query(credit, customer, name, kind, usd, priority, start, end)

    began = now(database)
    book(database, chance, CALLS)
    # In the middle of the month: a price, a markup, rules of prices.
    database.query("select test.make_price(util.hash_key('maker', 'model-a'), 'input', 4.4, clock_timestamp())")
    database.query("update admin.customer set markup_percent = -5 where customer = 'dee' returning 1")
    database.query(
        "insert into admin.charge_rule (charge_rule, customer, meter, usd_per_million)"
        " values ('list', 'ada', 'output', 21.3) returning 1"
    )
    database.query(
        "insert into admin.charge_rule (charge_rule, customer, markup_percent, minimum_usd)"
        " values ('floor', 'bob', 12.345, 0.004) returning 1"
    )
    book(database, chance, CALLS)
    move(database, began, first + timedelta(days=1), 26)
    charges = read_charges(database)
    assert [c for c in charges if c.booked != c.reckoned] == []
    assert sum(c.booked for c in charges) > Decimal("0.3"), "something was charged"
    close(database, first)

    spent = sums(charges, first)
    invoices = lines(database, first)
    assert {customer: found["USAGE"] for customer, found in invoices.items()} == spent
    days = (second - first).days
    assert invoices["ada"]["SERVICE"] == fee_of(Decimal(50), days - 9, first)
    assert invoices["bob"]["SERVICE"] == Decimal(100)
    assert invoices["bob"]["INCLUDED"] == -min(Decimal("0.04"), spent["bob"])
    granted = [
        Credit("expiring", 10, first, first + timedelta(days=12), Decimal("0.03")),
        Credit("welcome", 20, first, second + timedelta(days=20), Decimal("0.05")),
    ]
    due: dict[date, Decimal] = defaultdict(Decimal)
    for charge in charges:
        if charge.customer == "cyd":
            due[charge.day] += charge.reckoned
    used = use_credits(granted, due)
    assert invoices["cyd"]["PROMOTION"] == -sum(used.values())
    assert min(used["expiring"], used["welcome"]) > 0
    for customer, found in invoices.items():
        assert found["total"] == found["amount"], customer
        assert ledger(database)[customer]["unbilled"] == 0, customer
    check_ledger(database, charges)

    # After the close: calls of the month that are booked late, the next month, a correction, a refund.
    since = now(database)
    book(database, chance, 12)
    move(database, since, first + timedelta(days=1), 25, late=True)
    late = [charge for charge in read_charges(database) if charge not in charges]
    since = now(database)
    book(database, chance, CALLS)
    move(database, since, second + timedelta(days=1), 25)
    charges = read_charges(database)
    assert [c for c in charges if c.booked != c.reckoned] == []
    ((number, total),) = database.query(
        "select s.invoice_number, s.total from gateway.invoice_s as s"
        " inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk"
        " where h.customer_hk = util.hash_key('ada') and s.load_end_date is null"
    )
    database.query("select admin.record_payment(%s, %s, 'bank 1')", number, total)
    database.query("select admin.issue_credit_note(%s, 1.23, 'outage')", number)
    database.query("select admin.record_refund('ada', 1.23, 'bank 2')")
    close(database, second)
    invoices = lines(database, second)
    spent = sums(charges, second)
    assert {customer: found["USAGE"] for customer, found in invoices.items()} == spent
    again: dict[str, Decimal] = defaultdict(Decimal)
    for charge in late:
        if first_of(charge.day) == first:
            again[charge.customer] += charge.reckoned
    assert {customer: found["ADJUSTMENT"] for customer, found in invoices.items() if found["ADJUSTMENT"]} == {
        customer: amount for customer, amount in again.items() if amount
    }
    assert invoices["bob"]["SERVICE"] == fee_of(Decimal(100), 11, second) + fee_of(
        Decimal(200), (first_of(today) - second).days - 11, second
    )
    check_ledger(database, charges)
    # What calls were moved in time by hand, budgets do not know.
    database.query("select ops.fn_rebuild_hot_state()")
    assert database.query("select v.invariant, v.finding from ops.invariant_violation as v") == []


def check_ledger(database: ClonedDatabase, charges: list[Charge]) -> None:
    """Every customer's accounts balance, and say what was reckoned and what the invoices say."""
    for customer, accounts in ledger(database).items():
        assert sum(accounts.values()) == 0, customer
        assert accounts["unbilled"] == 0, customer
        reckoned = sum(charge.reckoned for charge in charges if charge.customer == customer)
        rows = database.query(
            "select coalesce(sum(l.exact_usd) filter ("
            " where l.line_kind in ('USAGE', 'ADJUSTMENT') and s.invoice_kind = 'INVOICE'), 0),"
            " coalesce(sum(l.exact_usd) filter (where l.line_kind = 'INCLUDED'), 0),"
            " coalesce(sum(l.exact_usd) filter (where l.line_kind = 'SERVICE'), 0)"
            " from gateway.invoice_s as s inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk"
            " inner join gateway.invoice_line_s as l on s.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date"
            " where h.customer_hk = util.hash_key(%s) and s.load_end_date is null and s.invoice_status <> 'VOID'",
            customer,
        )
        ((used, included, services),) = rows
        assert used == reckoned, customer
        assert accounts["usage_revenue"] == -(reckoned + included), customer
        assert accounts["service_revenue"] == -services, customer
        owed = database.query(
            "select coalesce(sum(s.total - s.credited - s.prepaid_applied - s.paid), 0) from gateway.invoice_s as s"
            " inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk"
            " where h.customer_hk = util.hash_key(%s) and s.load_end_date is null and s.invoice_status <> 'VOID'",
            customer,
        )
        assert abs(accounts["receivable"] - owed[0][0]) < Decimal("0.01"), customer
