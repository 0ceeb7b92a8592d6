"""`onevault plan`: plans and services, and who has them."""

from __future__ import annotations

from datetime import date

import click

from onevault import plan_calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.parameters import DATE
from onevault.cli.session import connect

_NOTHING_LEFT = "it was to begin today or later, and is taken back"


@click.group("plan")
def command() -> None:
    """Plans and services that customers subscribe to; made in SQL, in admin.plan."""


@command.command("list")
@click.option("--customer", help="List what this customer has, had and will have instead.")
@json_option
def list_plans(customer: str | None, as_json: bool) -> None:
    """List plans and what they cost a month."""
    with connect("dba") as (_, connection):
        if customer is None:
            rows = plan_calls.list_plans(connection)
        else:
            rows = plan_calls.list_subscriptions(connection, customer)
    empty = "there are no plans" if customer is None else f"{customer} never had a plan"
    print_rows(rows, as_json=as_json, empty=empty)


@command.command("subscribe")
@click.argument("customer")
@click.argument("plan")
@click.option("--from", "first", type=DATE, help="First day, in the tenant's time zone. [default: today]")
@click.option("--trial-until", type=DATE, help="First day that costs. [default: no trial]")
@json_option
def subscribe(customer: str, plan: str, first: date | None, trial_until: date | None, as_json: bool) -> None:
    """Give a customer a plan beside those that it has."""
    with connect("dba") as (_, connection):
        row = plan_calls.subscribe(connection, customer, plan, first, trial_until)
    print_record(row, as_json=as_json)


@command.command("change")
@click.argument("customer")
@click.argument("old")
@click.argument("new")
@click.option("--at-period-end", is_flag=True, help="On the first day of next month. [default: today]")
@json_option
def change(customer: str, old: str, new: str, at_period_end: bool, as_json: bool) -> None:
    """Take a customer from a plan to another; no day is charged twice."""
    with connect("dba") as (_, connection):
        rows = plan_calls.change_plan(connection, customer, old, new, at_period_end=at_period_end)
    print_rows(rows, as_json=as_json)


@command.command("cancel")
@click.argument("customer")
@click.argument("plan")
@click.option("--at-period-end", is_flag=True, help="On the first day of next month. [default: today]")
@json_option
def cancel(customer: str, plan: str, at_period_end: bool, as_json: bool) -> None:
    """End a customer's plan; its last day is the one before."""
    with connect("dba") as (_, connection):
        rows = plan_calls.change_plan(connection, customer, plan, None, at_period_end=at_period_end)
    print_rows(rows, as_json=as_json, empty=_NOTHING_LEFT)
