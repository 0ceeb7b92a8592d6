"""Usage is counted while it is booked: what a reader sees is what the books hold, at every moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import call, load_fixtures, route, settle

BOOKERS = 3
SECONDS = 3.5

# One statement, one snapshot: rolled-up hours and live calls on one side, the books on the other.
SEEN_AND_BOOKED = b"""
select
    (select coalesce(sum(u.request_count), 0) from business_vault.usage_hourly as u),
    (select count(*) from gateway.api_request_s)
"""


@pytest.fixture
def prepared(database: ClonedDatabase) -> ClonedDatabase:
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a')")
    for number in range(BOOKERS):
        database.query("select test.make_customer(%s)", f"user {number}")
    return database


def test_readers_see_each_call_once_while_it_is_rolled_up(prepared: ClonedDatabase) -> None:
    done = threading.Event()

    def book(number: int) -> None:
        with prepared.connect() as connection:
            while not done.is_set():
                route(connection, [call(f"user {number}") for _ in range(5)])
                settle(connection)

    def roll_up(_: int) -> int:
        runs = 0
        with prepared.connect() as connection:
            while not done.is_set():
                # Bookings take milliseconds here; the job itself keeps a minute's distance.
                connection.execute(b"select ops.fn_roll_up_usage(clock_timestamp() - interval '1 second')")
                runs += 1
        return runs

    with ThreadPoolExecutor(BOOKERS + 2) as pool:
        bookings: list[Future[Any]] = [pool.submit(book, number) for number in range(BOOKERS)]
        rollups: list[Future[Any]] = [pool.submit(roll_up, number) for number in range(2)]
        try:
            compared = watch(prepared, lambda: any(task.done() for task in [*bookings, *rollups]))
        finally:
            done.set()
        for booking in bookings:
            booking.result(30)
        assert all(rollup.result(30) > 0 for rollup in rollups)

    assert [pair for pair in compared if pair[0] != pair[1]] == []
    assert compared[-1][1] > 0
    assert prepared.query("select sum(u.request_count) > 0 from ops.usage_hourly as u") == [(True,)]


def watch(database: ClonedDatabase, broken: Callable[[], bool]) -> list[tuple[int, int]]:
    """How many requests were seen and booked, again and again, until the time is over or something broke."""
    compared = []
    until = time.monotonic() + SECONDS
    with database.connect() as connection:
        while time.monotonic() < until and not broken():
            row = connection.execute(SEEN_AND_BOOKED).fetchone()
            assert row is not None
            compared.append((int(row[0]), int(row[1])))
    return compared
