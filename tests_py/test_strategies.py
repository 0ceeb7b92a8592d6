"""Each strategy chooses what a brute-force reference chooses, over random offers: the reference is written here."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests_py.support.cluster import Cluster

PROMPT_TOKENS = 1000
OUTPUT_TOKENS = 100
PRICES = st.sampled_from([Decimal(n) / 4 for n in range(1, 12)])


@dataclass(frozen=True)
class Offer:
    """An offer of the world that a test makes up."""

    provider: str
    model: str
    price: Decimal
    quality: int | None
    speed: tuple[float, float] | None
    """Milliseconds to the first byte, and for a token."""
    resting: bool
    outstanding: int

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"

    @property
    def cost(self) -> Decimal:
        return self.price * (PROMPT_TOKENS + OUTPUT_TOKENS)


@st.composite
def worlds(draw: st.DrawFn) -> list[Offer]:
    names = draw(
        st.lists(
            st.tuples(st.sampled_from(["p1", "p2", "p3", "p4"]), st.sampled_from(["a", "b", "c"])),
            min_size=1,
            max_size=8,
            unique=True,
        )
    )
    speeds = st.none() | st.tuples(st.sampled_from([50.0, 200.0, 900.0]), st.sampled_from([5.0, 20.0, 80.0]))
    return [
        Offer(
            provider, model, draw(PRICES), draw(st.none() | st.integers(0, 100)), draw(speeds),
            draw(st.sampled_from([False, False, False, True])), draw(st.integers(0, 3)),
        )
        for provider, model in names
    ]  # fmt: skip


RULES: dict[str, dict[str, Any]] = {
    "cheapest": {},
    "cheapest with a floor": {"min_quality_score": 50},
    "fastest": {"latency_optimization": True},
    "best": {"quality_optimization": True},
    "balanced": {"optimization_weights": {"cost": 1, "latency": 0.5, "quality": 2}},
    "least outstanding": {"strategy": "LEAST_OUTSTANDING"},
}


def penalty(kind: str, offer: Offer, among: list[Offer]) -> float:
    """How bad an offer is, among those that fit."""
    dearest = max(float(one.cost) for one in among)
    measured = [one.speed[0] + one.speed[1] * OUTPUT_TOKENS for one in among if one.speed]
    own = offer.speed[0] + offer.speed[1] * OUTPUT_TOKENS if offer.speed else min(measured, default=0.0)
    cost = float(offer.cost) / dearest
    latency = own / max(measured) if measured else 0.0
    quality = 1 - (offer.quality or 0) / 100
    match kind:
        case "cheapest" | "cheapest with a floor":
            return cost
        case "fastest":
            return latency
        case "best":
            return quality
        case "balanced":
            return cost + 0.5 * latency + 2 * quality
        case "least outstanding":
            return offer.outstanding
    raise AssertionError(kind)


def best_of(kind: str, world: list[Offer]) -> set[str]:
    """The names of those among which nothing but the seed decides."""
    fitting = [one for one in world if kind != "cheapest with a floor" or (one.quality or 0) >= 50]
    if not fitting:
        return set()
    awake = [one for one in fitting if not one.resting] or fitting
    least = min(penalty(kind, one, fitting) for one in awake)
    equals = [one for one in awake if math.isclose(penalty(kind, one, fitting), least, rel_tol=1e-12, abs_tol=1e-12)]
    cheapest = min(one.cost for one in equals)
    return {one.name for one in equals if one.cost == cheapest}


@pytest.fixture(scope="module")
def connection(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    database = cluster.clone()
    with database.connect(autocommit=False) as opened:
        opened.execute("update admin.routing_rule set is_active = false")
        opened.execute("update admin.model set is_active = false")
        opened.execute("insert into admin.customer (customer, tenant) values ('caller', 'default')")
        for provider in ("p1", "p2", "p3", "p4"):
            opened.execute(
                "insert into admin.provider (provider, adapter_kind, api_endpoint, needs_key) "
                "values (%s, 'openai', 'http://127.0.0.1:9/v1', false)",
                (provider,),
            )
        opened.commit()
        yield opened
        opened.rollback()
    cluster.drop(database)


def build(connection: psycopg.Connection[Any], world: list[Offer], rule: dict[str, Any]) -> None:
    for offer in world:
        connection.execute(
            "insert into admin.model (provider, model, quality_score) values (%s, %s, %s)",
            (offer.provider, offer.model, offer.quality),
        )
        connection.execute(
            "insert into admin.price (provider, model, meter, usd_per_million) "
            "select %s, %s, m, %s from unnest('{input,output}'::text[]) as m",
            (offer.provider, offer.model, offer.price),
        )
        key = (offer.provider, offer.model)
        if offer.speed:
            connection.execute(
                "insert into ops.offer_speed values (util.hash_key(%s, %s), %s, %s, now())", (*key, *offer.speed)
            )
        if offer.resting:
            connection.execute(
                "insert into ops.offer_health (offer_hk, rests_until) values (util.hash_key(%s, %s), 'infinity')", key
            )
        for _ in range(offer.outstanding):
            connection.execute(
                "insert into ops.reservation (api_request_hk, customer_hk, tenant_hk, token_hk, token_is_limited, "
                "reserved_at, deadline, queue_name, msg_id, held_usd, markup_percent, day_number, month_number, "
                "candidates, request, route_reason) "
                "values (uuid_send(uuidv7()), '\\x00', '\\x00', '\\x00', false, now(), now(), 'basic', 1, 0, 0, 0, 0, "
                "jsonb_build_array(jsonb_build_object('offer', encode(util.hash_key(%s, %s), 'hex'))), '{}', '')",
                key,
            )
    columns = {"rule_name": "tried", **rule}
    connection.execute(
        "insert into admin.routing_rule (rule_name, min_quality_score, latency_optimization, quality_optimization, "
        "optimization_weights, strategy, targets) select r.rule_name, r.min_quality_score, r.latency_optimization, "
        "r.quality_optimization, r.optimization_weights, r.strategy, r.targets "
        "from jsonb_populate_record(null::admin.routing_rule, %s) as r",
        (json.dumps(columns),),
    )


def choose(connection: psycopg.Connection[Any], seed: int = 0) -> str | None:
    request = {"prompt_tokens": PROMPT_TOKENS, "max_output_tokens": OUTPUT_TOKENS, "seed": seed}
    rows = connection.execute(
        "select provider || '/' || model from admin.explain_route('caller', %s) where chosen", (json.dumps(request),)
    ).fetchall()
    return rows[0][0] if rows else None


@pytest.mark.parametrize("kind", RULES)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), seed=st.integers(-(2**63), 2**63 - 1))
def test_the_choice_is_the_reference_s(
    connection: psycopg.Connection[Any], kind: str, world: list[Offer], seed: int
) -> None:
    """Mutants: a score of raw figures; resting offers asked first; an unmeasured offer counted as the slowest; a floor
    that lets unscored offers through; equals told apart by name."""
    try:
        build(connection, world, RULES[kind])
        chosen = choose(connection, seed)
        allowed = best_of(kind, world)
        assert (chosen in allowed) if allowed else chosen is None, (chosen, allowed)
    finally:
        connection.rollback()


def test_equals_are_told_apart_by_the_seed_alone(connection: psycopg.Connection[Any]) -> None:
    world = [Offer(provider, "a", Decimal(1), None, None, False, 0) for provider in ("p1", "p2", "p3")]
    try:
        build(connection, world, {})
        drawn = [choose(connection, seed) for seed in range(120)]
        assert drawn == [choose(connection, seed) for seed in range(120)]
        assert all(count > 20 for count in Counter(drawn).values()), Counter(drawn)
        assert len(set(drawn)) == 3
    finally:
        connection.rollback()


def test_targets_are_drawn_by_their_weight_and_each_by_its_cheapest(connection: psycopg.Connection[Any]) -> None:
    world = [
        Offer("p1", "a", Decimal(9), None, None, False, 0),
        Offer("p2", "a", Decimal(8), None, None, False, 0),
        Offer("p1", "b", Decimal(1), None, None, False, 0),
        Offer("p3", "c", Decimal("0.25"), None, None, False, 0),
    ]
    try:
        build(connection, world, {"targets": {"a": 3, "p1/b": 1}})
        drawn = Counter(choose(connection, seed) for seed in range(400))
        assert set(drawn) == {"p2/a", "p1/b"}
        assert 260 <= drawn["p2/a"] <= 340, drawn
    finally:
        connection.rollback()
