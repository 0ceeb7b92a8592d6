"""Usage from its charge to the systems that bill: a real worker, and servers that speak their formats."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest

from onevault.envelope import load_keyring
from onevault.issuing import set_export_key
from onevault.settings import load_settings
from onevault.tokens import Secret
from tests_py.support.billing import Lago, OpenMeter, Stripe, Target
from tests_py.support.cluster import ClonedDatabase, Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED
from tests_py.support.vault import load_fixtures

KEY = "sk_test_9f3c21"
_CHARGE = (
    "select test.settle(test.route(sha256(convert_to(%s || '/token', 'UTF8')))) ->> 'request_id'"
    " from generate_series(1, %s)"
)
_STATES = (
    "select d.delivery_state, d.last_error_class, d.attempts, d.last_http_status, d.finding"
    " from admin.usage_export_delivery as d where d.export = %s order by d.created_at, d.event_id"
)


class Stage:
    """One gateway of a worker, with a customer for each export, who is charged as tests like."""

    def __init__(self, gateway: Gateway, database: ClonedDatabase) -> None:
        self.gateway = gateway
        self.database = database
        self.keyring = load_keyring(load_settings(gateway.environ, None))

    def export(self, name: str, target: Target, external_id: str, value: str = "TOKENS", key: str = KEY) -> None:
        """An export under a name, and a customer of this name who is known there."""
        with self.database.connect() as connection:
            connection.execute("select test.make_customer(%s)", (name,))
            connection.execute(
                "insert into admin.usage_export (export, kind, endpoint, event_name, value)"
                " values (%s, %s, %s, 'used', %s)",
                (name, type(target).__name__.upper(), target.url, value),
            )
            connection.execute("insert into admin.usage_export_customer values (%s, %s, %s)", (name, name, external_id))
        target.known.add(external_id)
        with self.database.connect("dba", autocommit=False) as connection:
            set_export_key(connection, self.keyring, name, Secret(key))

    def charge(self, customer: str, count: int = 1) -> list[str]:
        """So many calls of a customer, charged in one transaction; the ids of their events."""
        with self.database.connect(autocommit=False) as connection:
            rows = connection.execute(_CHARGE, (customer, count)).fetchall()
        return [f"{row[0]}:{customer}" for row in rows]

    def set_output_price(self, usd: int) -> None:
        """What the provider is known to ask for a million tokens of output, since ever."""
        correct = "update admin.price set usd_per_million = %s where model = 'model-a' and meter = 'output' returning 1"
        self.database.query(correct, usd, role="dba")

    def rerate(self, customer: str) -> int:
        """Rates the calls of a customer again; how many are charged otherwise."""
        rerate = (
            "select coalesce(sum(r.requests), 0)::integer from gateway.sp_rerate(current_date, 'wrong', %s, true) as r"
        )
        return int(self.database.query(rerate, customer, role="dba")[0][0])

    def states(self, export: str) -> list[tuple[Any, ...]]:
        """State, class, attempts, status and finding of each event of an export."""
        return self.database.query(_STATES, export, role="dba")

    def wait(self, export: str, *states: str, seconds: float = 20) -> list[tuple[Any, ...]]:
        """Returns when the events of an export are in these states, or all in this one."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.states(export)
            found = sorted(row[0] for row in rows)
            if found == sorted(states) or (len(states) == 1 and set(found) == set(states)):
                return rows
            assert time.monotonic() < deadline, rows
            time.sleep(0.02)

    def wait_for_a_try(self, export: str) -> tuple[Any, ...]:
        """The first event of an export that was tried and failed."""
        deadline = time.monotonic() + 20
        while not (tried := [row for row in self.states(export) if row[1]]):
            assert time.monotonic() < deadline, self.states(export)
            time.sleep(0.02)
        return tried[0]

    def hasten(self) -> None:
        """All that waits is due, whoever held it."""
        self.database.query("update pgmq.q_usage_event set vt = clock_timestamp() returning msg_id")


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    database = cluster.clone(STOCKED)
    load_fixtures(database)
    gateway = Gateway(database, tmp_path_factory.mktemp("home"), {})
    with database.connect() as connection:
        connection.execute("select test.make_offer('maker', 'model-a', 1, 2)")
    gateway.start_worker()
    yield Stage(gateway, database)
    gateway.stop()
    cluster.drop(database)


@pytest.fixture
def targets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_stripe_counts_each_charge_once(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Stripe(KEY))
    stage.export("st", target, "cus_1", "CHARGE_USD")
    ids = stage.charge("st", 25)
    assert set(target.wait_for(25)) == set(ids)
    # (10 * 1 + 5 * 2) * 1.2 millionths of a dollar, in ten-billionths
    assert {event["payload[value]"] for event in target.events.values()} == {"240000"}
    assert stage.wait("st", "DELIVERED")[0][:4] == ("DELIVERED", None, 1, 200)
    assert target.posted[0].headers["authorization"] == f"Bearer {KEY}"
    assert target.duplicates == []


def test_lago_gets_batches_and_money_to_the_last_digit(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Lago(KEY))
    stage.export("la", target, "sub_1", "CHARGE_USD")
    ids = stage.charge("la", 130)
    assert set(target.wait_for(130)) == set(ids)
    assert sorted(len(posted.body) > 20_000 for posted in target.posted) == [False, True]
    event = target.events[ids[0]]
    assert (event["properties"]["value"], event["precise_total_amount_cents"]) == ("0.000024", "0.0024")
    assert len(stage.wait("la", "DELIVERED")) == 130


def test_a_corrected_price_is_told_beside_what_it_corrects(stage: Stage, targets: ExitStack) -> None:
    kinds = [targets.enter_context(make(KEY)) for make in (Stripe, Lago, OpenMeter)]
    names = [f"mend{type(target).__name__.lower()}" for target in kinds]
    ids = {}
    for name, target in zip(names, kinds, strict=True):
        stage.export(name, target, f"cus_{name}", "CHARGE_USD")
        ids[name] = stage.charge(name, 2)
        target.wait_for(2)
    # (10 * 1 + 5 * 2) * 1.2 millionths of a dollar, then 5 * 1, then 5 * 3
    for count, usd in ((4, 1), (6, 3)):
        stage.set_output_price(usd)
        for name in names:
            assert stage.rerate(name) == 2
            assert stage.rerate(name) == 0
        for target in kinds:
            target.wait_for(count)
    stage.set_output_price(2)
    stripe, lago, openmeter = ([*target.events.values()] for target in kinds)
    assert [sorted(int(e["payload[value]"]) for e in stripe), len(kinds[0].duplicates)] == [
        [-60000, -60000, 120000, 120000, 240000, 240000],
        0,
    ]
    assert sum(Decimal(event["precise_total_amount_cents"]) for event in lago) == Decimal("0.006")
    for name, told in ((names[1], [e["properties"] for e in lago]), (names[2], [e["data"] for e in openmeter])):
        assert sum(Decimal(one["value"]) for one in told) == Decimal("0.00006")
        assert sorted(one["corrects"] for one in told if "corrects" in one) == sorted(ids[name] * 2)
        assert {row[:3] for row in stage.wait(name, "DELIVERED")} == {("DELIVERED", None, 1)}


def test_one_that_lago_refuses_holds_up_no_other(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Lago(KEY))
    stage.export("lb", target, "sub_1")
    with stage.database.connect() as connection:
        connection.execute("select test.make_customer('stranger')")
        connection.execute("insert into admin.usage_export_customer values ('lb', 'stranger', 'sub_unknown')")
    with stage.database.connect(autocommit=False) as connection:
        for customer, count in (("lb", 3), ("stranger", 1)):
            connection.execute(_CHARGE, (customer, count))
    target.wait_for(3)
    rows = stage.wait("lb", *["DELIVERED"] * 3, "FAILED")
    (parked,) = [row for row in rows if row[0] == "FAILED"]
    assert parked[1:] == ("refused", 1, 422, "the target refuses it")
    update = "update admin.usage_export_customer set external_id = 'sub_1' where customer = 'stranger' returning 1"
    stage.database.query(update, role="dba")
    assert stage.database.query("select admin.resend_usage_events('lb')", role="dba") == [(1,)]
    assert len(target.wait_for(4)) == 4
    assert {row[2] for row in stage.wait("lb", "DELIVERED")} == {1, 3}


def test_one_that_openmeter_refuses_is_found_among_many(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(OpenMeter(KEY))
    stage.export("om", target, "om")
    with stage.database.connect() as connection:
        connection.execute("select test.make_customer('alien')")
        connection.execute("insert into admin.usage_export_customer (export, customer) values ('om', 'alien')")
    with stage.database.connect(autocommit=False) as connection:
        for customer, count in (("om", 4), ("alien", 1)):
            connection.execute(_CHARGE, (customer, count))
    events = target.wait_for(4)
    assert {(event["subject"], event["data"]["value"]) for event in events.values()} == {("om", "15")}
    stage.wait("om", *["DELIVERED"] * 4, "FAILED")


def test_a_worker_that_dies_before_it_could_tell_costs_no_event_and_counts_none_twice(
    stage: Stage, targets: ExitStack
) -> None:
    kinds = [targets.enter_context(make(KEY)) for make in (Stripe, Lago, OpenMeter)]
    names = [f"kill-{type(target).__name__.lower()}" for target in kinds]
    taken = threading.Barrier(len(kinds), stage.gateway.workers[0].kill, timeout=20)

    def hold(_: object) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            taken.wait()

    ids = {}
    try:
        for name, target in zip(names, kinds, strict=True):
            stage.export(name, target, "cus_1")
            target.on_post = hold
        for name in names:
            ids[name] = stage.charge(name, 3)
        stage.gateway.workers[0].popen.wait(20)
        for target in kinds:
            target.on_post = lambda _: None
    finally:
        taken.abort()
        stage.gateway.workers.clear()
        stage.gateway.start_worker()
    assert {row[0] for name in names for row in stage.states(name)} == {"WAITING"}
    stage.hasten()
    for name, target in zip(names, kinds, strict=True):
        stage.wait(name, "DELIVERED")
        assert {event_id.removeprefix("onevault ") for event_id in target.events} == set(ids[name])
        assert target.duplicates, "at least once, and known again"
    said = [{row[1] for row in stage.states(name)} for name in names]
    assert said == [{None, "duplicate"}, {"duplicate"}, {None}]


def test_what_fails_for_now_is_tried_again_and_then_taken(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Lago(KEY))
    stage.export("retry", target, "sub_1")
    target.answers = [503, 429, None]
    stage.charge("retry")
    classes = []
    deadline = time.monotonic() + 30
    while (row := stage.states("retry")[0])[0] != "DELIVERED":
        assert time.monotonic() < deadline, row
        if row[1] and row[1:3] not in classes:
            classes.append(row[1:3])
            stage.hasten()
        time.sleep(0.02)
    assert classes == [("server_error", 1), ("throttled", 2), ("cut", 3)]
    # What was cut off had been taken: it is known again.
    assert row[1:3] == ("duplicate", 4)
    assert len(target.events) == 1


def test_after_a_failure_stripe_is_left_alone_for_a_while(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Stripe(KEY))
    stage.export("down", target, "cus_1")
    target.answers = [503] * 50
    target.retry_after = "60"
    stage.charge("down", 10)
    deadline = time.monotonic() + 20
    while not any(row[1] for row in stage.states("down")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(target.posted) == 1, "nine others wait with it"
    waits = (
        stage.database.query("select min(q.vt - now() > interval '50 s') from pgmq.q_usage_event as q")
        if False
        else None
    )
    assert waits is None
    target.answers.clear()
    stage.hasten()
    target.wait_for(10)
    assert len(stage.wait("down", "DELIVERED")) == 10


def test_a_key_that_is_not_taken_parks_and_the_next_one_sends(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Lago(KEY))
    stage.export("keyed", target, "sub_1", key="sk_test_wrong")
    stage.charge("keyed", 2)
    assert stage.wait("keyed", "FAILED")[0][1:4] == ("unauthorized", 1, 401)
    stage.gateway.run("export", "key", "set", "KEYED", "--key-stdin", given=KEY)
    assert len(target.wait_for(2)) == 2
    stage.wait("keyed", "DELIVERED")


def test_a_target_that_hangs_holds_up_no_other(stage: Stage, targets: ExitStack) -> None:
    slow, quick = targets.enter_context(Lago(KEY)), targets.enter_context(OpenMeter(KEY))
    slow.on_post = lambda _: time.sleep(2)
    stage.export("slow", slow, "sub_1")
    stage.export("quick", quick, "quick")
    stage.charge("slow", 5)
    deadline = time.monotonic() + 20
    while not slow.posted:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    stage.charge("quick", 5)
    quick.wait_for(5, seconds=1.8)
    stage.wait("slow", "DELIVERED")


def test_the_key_is_seen_in_the_clear_nowhere(stage: Stage, targets: ExitStack) -> None:
    target = targets.enter_context(Lago(KEY))
    stage.export("secret", target, "sub_1")
    stage.charge("secret")
    stage.wait("secret", "DELIVERED")
    tables = stage.database.query(
        "select c.oid::regclass::text from pg_catalog.pg_class as c where c.relkind = 'r'"
        " and c.relnamespace = any('{auth,gateway,ops,pgmq,util}'::regnamespace[])"
    )
    assert ("gateway.usage_export_key_s",) in tables
    for (table,) in tables:
        found = f"select count(*) from {table} as t where t::text like any(%s)"
        assert stage.database.query(found, [f"%{KEY}%", f"%{KEY.encode().hex()}%"]) == [(0,)], table
    assert KEY not in stage.gateway.log()
    for posted in target.posted:
        assert set(posted.headers) == {"host", "authorization", "user-agent", "content-type", "content-length"}
        assert KEY.encode() not in posted.body
