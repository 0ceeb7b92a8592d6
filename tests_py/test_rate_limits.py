"""The rate bucket of a scope beside a reference that keeps a level instead of a time, over random arrivals."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import load_fixtures

_MINUTE_US = 60_000_000
_RESERVE = b"select gateway.fn_reserve_scope(util.hash_key('caller'), 0, %s, %s, 1, 1, null, null) is not null"


class Level:
    """A bucket that leaks: a call adds one, a step takes one away, and no more than the limit fits in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._step = _MINUTE_US // limit
        self._level = Fraction(0)
        self._seen = 0

    def take(self, now: int) -> bool:
        self._level = max(self._level - Fraction(max(now - self._seen, 0), self._step), Fraction(0))
        self._seen = max(self._seen, now)
        if (self._level + 1) * self._step > _MINUTE_US:
            return False
        self._level += 1
        return True


def arrivals(chance: random.Random, limit: int) -> list[int]:
    """Moments in microseconds: at the limit's pace, in bursts, and after pauses."""
    now = chance.randrange(1, 10**15)
    moments = []
    for _ in range(40):
        pace = chance.choice([0, 1, _MINUTE_US // limit // 2, _MINUTE_US // limit, 2 * _MINUTE_US // limit])
        for _ in range(chance.randint(1, max(2, limit // 4))):
            now += chance.randint(0, 2 * pace) if pace > 1 else pace
            moments.append(now)
        now += chance.choice([0, 0, chance.randrange(_MINUTE_US), 3 * _MINUTE_US])
    return moments


@pytest.mark.parametrize("limit", [1, 2, 7, 60, 100])
def test_it_refuses_what_the_reference_refuses_and_nothing_else(database: ClonedDatabase, limit: int) -> None:
    """Catches: a burst beyond the limit, a call that is refused though there is room, a pause that is saved up."""
    load_fixtures(database)
    database.query("select test.make_customer('caller')")
    chance = random.Random(limit)
    with database.connect(autocommit=False) as connection:
        for _ in range(8):
            connection.execute("update ops.scope_state set rate_full_at_us = 0")
            reference = Level(limit)
            taken = []
            for now in arrivals(chance, limit):
                row = connection.execute(_RESERVE, (now, limit)).fetchone()
                assert row == (reference.take(now),)
                if row == (True,):
                    taken.append(now)
            for number, first in enumerate(taken):
                within = sum(first <= moment < first + _MINUTE_US for moment in taken[number:])
                assert within <= 2 * limit + 1, "the limit, and a full bucket before it"
    assert taken
