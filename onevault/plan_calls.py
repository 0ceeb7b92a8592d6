"""The SQL of plans for the command line: admin.plan, admin.subscription and admin.change_plan().

Every function takes an open connection of a DBA or the owner, and commits nothing. A day without end is None.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from onevault.calls import Connection, Row

_LIST: Final = """
select
    p.plan, p.plan_name, p.monthly_fee_usd, p.included_usage_usd, p.entitlements, p.is_active, s.customers
from admin.plan as p
left join lateral (
    select count(*) as customers
    from admin.subscription as s
    where s.plan = p.plan and s.valid_from <= current_date and s.valid_to > current_date
) as s on true
order by p.monthly_fee_usd, p.plan
"""

_LIST_SUBSCRIPTIONS: Final = """
select
    s.customer, s.plan, p.plan_name, p.monthly_fee_usd, s.valid_from, nullif(s.valid_to, 'infinity') as valid_to,
    s.trial_until
from admin.subscription as s
left join admin.plan as p on s.plan = p.plan
where lower(s.customer) = lower(%s)
order by s.valid_from, s.plan
"""

_SUBSCRIBE: Final = """
insert into admin.subscription (customer, plan, valid_from, trial_until)
values (%s, %s, %s, %s)
returning customer, plan, valid_from, nullif(valid_to, 'infinity') as valid_to, trial_until
"""

_CHANGE: Final = """
select c.plan, c.valid_from, nullif(c.valid_to, 'infinity') as valid_to, c.trial_until
from admin.change_plan(%s, %s, %s, %s) as c
"""


def list_plans(connection: Connection) -> list[Row]:
    """All of admin.plan, the cheapest first, each with how many `customers` have it today."""
    return _all(connection, _LIST)


def list_subscriptions(connection: Connection, customer: str) -> list[Row]:
    """What a customer has, had and will have: {"customer", "plan", "plan_name", "monthly_fee_usd", days}."""
    return _all(connection, _LIST_SUBSCRIPTIONS, (customer,))


def subscribe(connection: Connection, customer: str, plan: str, first: date | None, trial_until: date | None) -> Row:
    """The new row of admin.subscription, from `first` on or from the tenant's today."""
    return _all(connection, _SUBSCRIBE, (customer, plan, first, trial_until))[0]


def change_plan(connection: Connection, customer: str, old: str, new: str | None, *, at_period_end: bool) -> list[Row]:
    """What he has of both plans from then on: {"plan", "valid_from", "valid_to", "trial_until"}; None cancels."""
    return _all(connection, _CHANGE, (customer, old, new, "PERIOD_END" if at_period_end else "NOW"))


def _all(connection: Connection, statement: LiteralString, values: tuple[Any, ...] = ()) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()
