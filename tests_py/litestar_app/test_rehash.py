"""A token known by an older digest is given the current one: once, beside its call, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from litestar_app.calls import Reply
from litestar_app.lane import DatabaseAway
from litestar_app.rehash import Rehasher
from onevault.tokens import digest_token
from tests_py.litestar_app.kit import PEPPER, TOKEN, Desk, Worker, decision, running_front, until

OLDER = b"o" * 32
CURRENT_DIGEST, OLDER_DIGEST = (digest_token(TOKEN, pepper) for pepper in (PEPPER, OLDER))


class Store:
    """The door, which says what it is told to say."""

    def __init__(self, says: str | Exception = "done") -> None:
        self.says = says
        self.asked: list[tuple[bytes, bytes, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, presented: bytes, current: bytes, key_id: str) -> str:
        self.asked.append((presented, current, key_id))
        await self.gate.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_front() as desk:
        desk.front.tokens._peppers = (PEPPER, OLDER)
        yield desk


def watch(desk: Desk) -> Store:
    store = Store()
    desk.front.rehash = Rehasher(store, "key-1")
    return store


@pytest.mark.parametrize(
    ("known", "stored"),
    [(OLDER_DIGEST, [(OLDER_DIGEST, CURRENT_DIGEST, "key-1")]), (CURRENT_DIGEST, [])],
    ids=["older", "current"],
)
async def test_the_road_stores_what_came_by_an_older_digest(
    desk: Desk, known: bytes, stored: list[tuple[bytes, bytes, str]]
) -> None:
    store = watch(desk)
    desk.road.says = lambda ask: (
        decision() if ask.digest == known.hex() else decision(status="invalid_token", http_status=401)
    )
    worker = await Worker.dial(desk.front)
    call = desk.post()
    claimed = await worker.claim(await desk.ticket(len(stored)))
    worker.answer(claimed.ticket)
    assert (await call).status_code == 200
    assert store.asked == stored
    assert len(desk.road.asks) == 1 + len(stored), "the ordinary road asks once"


async def test_the_reading_routes_do_so_too(desk: Desk) -> None:
    store = watch(desk)

    def say(*asked: object) -> Reply:
        known = getattr(asked[1], "digest", None) == OLDER_DIGEST
        return Reply("ok", body=msgspec.Raw(b"{}")) if known else Reply("invalid_token", 401)

    desk.reads._say = say  # type: ignore[method-assign]
    assert (await desk.client.get("/v1/usage")).status_code == 200
    assert store.asked == [(OLDER_DIGEST, CURRENT_DIGEST, "key-1")]


async def test_an_unknown_token_is_nobodys(desk: Desk) -> None:
    store = watch(desk)
    desk.road.says = lambda _: decision(status="invalid_token", http_status=401)
    assert (await desk.post()).status_code == 401
    assert [ask.digest for ask in desk.road.asks] == [
        CURRENT_DIGEST.hex(), OLDER_DIGEST.hex(), CURRENT_DIGEST.hex(),
    ], "it may have been moved between the two questions"  # fmt: skip
    assert store.asked == []


async def test_a_token_that_calls_often_is_stored_once_and_few_at_a_time() -> None:
    store = Store()
    store.gate.clear()
    rehasher = Rehasher(store, "key-1")
    for number in range(5):
        for _ in range(10):
            rehasher.begin(bytes([number]), b"new")
    await until(lambda: len(store.asked) == 2)
    store.gate.set()
    await rehasher.close()
    assert [presented for presented, _, _ in store.asked] == [b"\0", b"\1"]


@pytest.mark.parametrize("says", ["not_yet", DatabaseAway(), RuntimeError("canary")])
async def test_it_is_quiet_for_a_while_when_it_is_too_early(says: str | Exception) -> None:
    store = Store(says)
    rehasher = Rehasher(store, "key-1")
    for _ in range(3):
        rehasher.begin(b"old", b"new")
        await rehasher.close()
    assert len(store.asked) == 1


@pytest.mark.parametrize("says", ["done", "gone"])
async def test_one_that_is_done_or_gone_keeps_nobody_waiting(says: str) -> None:
    store = Store(says)
    rehasher = Rehasher(store, "key-1")
    for number in range(3):
        rehasher.begin(bytes([number]), b"new")
        await rehasher.close()
    assert len(store.asked) == 3


async def test_without_a_key_id_nothing_is_stored() -> None:
    store = Store()
    Rehasher(store, None).begin(b"old", b"new")
    await asyncio.sleep(0)
    assert store.asked == []
