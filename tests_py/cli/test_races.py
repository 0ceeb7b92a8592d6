"""Several DBAs at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest

from onevault.seed import sync_price_book
from tests_py.support.cluster import ClonedDatabase

CROWD = 8

INSERTS = {
    "customer": "insert into admin.customer (customer) values ('x')",
    "tenant": "insert into admin.tenant (tenant) values ('x')",
    "provider": "insert into admin.provider (provider, api_endpoint) values ('x', 'http://x')",
    "routing_rule": "insert into admin.routing_rule (rule_name) values ('x')",
    "model": "insert into admin.model (provider, model) values ('p', 'x')",
    "price": "insert into admin.price (provider, model, meter, usd_per_million, valid_from)"
    " values ('p', 'm', 'input', 1, '2030-01-01')",
}


def at_once(database: ClonedDatabase, work: Callable[[psycopg.Connection[object], int], None]) -> Counter[str | None]:
    """Lets a crowd do the same at once, each on a connection of its own; counts how each fared (SQLSTATE or None)."""
    ready = threading.Barrier(CROWD)
    fared: list[str | None] = []

    def run(number: int) -> None:
        with database.connect("dba", autocommit=False) as connection:
            ready.wait()
            try:
                work(connection, number)
                connection.commit()
                fared.append(None)
            except psycopg.Error as error:
                connection.rollback()
                fared.append(error.sqlstate)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(fared)


@pytest.fixture
def priced(database: ClonedDatabase) -> ClonedDatabase:
    with database.connect() as connection:
        connection.execute("insert into admin.provider (provider, api_endpoint) values ('p', 'http://p')")
        connection.execute("insert into admin.model (provider, model) values ('p', 'm')")
        connection.execute(
            "insert into admin.price (provider, model, meter, usd_per_million) values ('p', 'm', 'input', 1)"
        )
    return database


def test_a_name_is_taken_once(priced: ClonedDatabase) -> None:
    for thing, statement in INSERTS.items():
        fared = at_once(priced, lambda connection, _, said=statement: connection.execute(said.encode()) and None)  # type: ignore[misc]
        assert fared == {None: 1, "VG409": CROWD - 1}, thing


def test_changes_follow_each_other(priced: ClonedDatabase) -> None:
    def change(connection: psycopg.Connection[object], number: int) -> None:
        connection.execute("update admin.price set usd_per_million = %s where model = 'm'", (number + 10,))

    assert at_once(priced, change) == {None: CROWD}
    assert priced.query(
        "select count(*), count(*) filter (where load_end_date is null) from admin.price_history where model = 'm'"
    ) == [(CROWD + 1, 1)]
    ((agrees,),) = priced.query(
        "select o.input_usd_per_million = p.usd_per_million from ops.offer as o"
        " inner join admin.price as p on o.model_bk = p.model where p.model = 'm'"
    )
    assert agrees


def test_the_price_book_comes_in_once(database: ClonedDatabase) -> None:
    def sync(connection: psycopg.Connection[object], number: int) -> None:
        sync_price_book(connection)

    assert at_once(database, sync) == {None: CROWD}
    ((models, prices),) = database.query(
        "select (select count(*) from admin.model), (select count(*) from admin.price)"
    )
    assert database.query(
        "select (select count(*) from admin.model_history), (select count(*) from admin.price_history)"
    ) == [(models, prices)]
