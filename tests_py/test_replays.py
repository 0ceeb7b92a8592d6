"""Past decisions are made again after everything has changed, and come out the same."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests_py.support.cluster import Cluster
from tests_py.test_pgtap import FIXTURES, run_psql

SIZE = 10_000 if os.environ.get("ONEVAULT_SOAK") == "1" else 300
PER_CHANGE = 10
MODELS = [(f"p{provider}", f"m{model}") for provider in range(4) for model in range(3)]
TYPES = ["summary", "chat", "report"]


@pytest.fixture
def connection(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    database = cluster.clone()
    for path in sorted(FIXTURES.glob("*.sql")):
        result = run_psql(database, path)
        assert result.returncode == 0, result.stderr
    with database.connect() as opened:
        yield opened
    cluster.drop(database)


def change_something(connection: psycopg.Connection[Any], chance: random.Random) -> None:
    """One change of rules, prices, models, the customer, health or speed."""
    provider, model = chance.choice(MODELS)
    offer = (provider, model)
    match chance.randrange(8):
        case 0 | 1:
            rule: dict[str, Any] = {
                "rule_name": f"r{chance.randrange(6)}",
                "rule_priority": chance.randrange(5),
                "conditions": chance.choice(
                    [
                        {}, {"request_type": chance.choice(TYPES)}, {"metadata.team": "red"},
                        {"prompt_tokens": {"gte": 500}}, {"budget_used_percent": {"lt": chance.randrange(100)}},
                        {"hour": {"gte": chance.randrange(24)}},
                    ]
                ),
                **chance.choice([
                    {}, {"quality_optimization": True}, {"latency_optimization": True},
                    {"strategy": "LEAST_OUTSTANDING"},
                    {"targets": {"m0": chance.randint(1, 5), f"{provider}/{model}": 2}}, {"min_quality_score": 40},
                    {"target_model": "m1", "fallbacks": ["m2"]}, {"optimization_weights": {"cost": 1, "quality": 1}},
                    {"is_sticky": True},
                ]),
            }  # fmt: skip
            connection.execute("delete from admin.routing_rule where rule_name = %s", (rule["rule_name"],))
            names = ", ".join(rule)
            connection.execute(
                f"insert into admin.routing_rule ({names}) "
                f"select {names} from jsonb_populate_record(null::admin.routing_rule, %s)",
                (json.dumps(rule),),
            )
        case 2:
            connection.execute(
                "update admin.price set usd_per_million = %s where provider = %s and model = %s",
                (chance.randint(1, 40), *offer),
            )
        case 3:
            connection.execute(
                "update admin.model set quality_score = %s, is_active = %s where provider = %s and model = %s",
                (chance.randrange(100), chance.random() < 0.8, *offer),
            )
        case 4:
            connection.execute(
                "update admin.customer set preferred_providers = %s, markup_percent = %s, priority_tier = %s "
                "where customer = 'caller'",
                (
                    [provider] if chance.random() < 0.5 else None,
                    chance.randrange(50),
                    chance.choice(["BASIC", "PREMIUM"]),
                ),
            )
        case 5:
            connection.execute(
                "insert into ops.offer_health (offer_hk, rests_until) values (util.hash_key(%s, %s), now() + %s) "
                "on conflict (offer_hk) do update set rests_until = excluded.rests_until",
                (*offer, chance.choice(["1 hour", "-1 hour"])),
            )
        case 6:
            connection.execute(
                "insert into ops.offer_speed values (util.hash_key(%s, %s), %s, %s, now()) on conflict (offer_hk) "
                "do update set first_byte_ms = excluded.first_byte_ms, ms_per_token = excluded.ms_per_token",
                (*offer, chance.random() * 900, chance.random() * 50),
            )
        case 7:
            connection.execute("update admin.provider set is_active = not is_active where provider = %s", (provider,))


def test_past_decisions_come_out_the_same(connection: psycopg.Connection[Any]) -> None:
    """Mutants: an epoch that is not moved by a change of rules, or of offers; health or speed looked at as they are
    now; a seed that is not kept; metadata that a rule asked for and that is not kept."""
    chance = random.Random(20261125)
    for provider, model in MODELS:
        connection.execute(
            "select test.make_offer(%s, %s, %s, %s)", (provider, model, *chance.choices(range(1, 9), k=2))
        )
    connection.execute("""select test.make_customer('caller', '{"cost_budget_daily": 100000}')""")
    connection.execute(
        "insert into admin.routing_rule (rule_name, rule_priority, conditions, targets) "
        """values ('drawn', 0, '{"request_type": "chat"}', '{"m0": 2, "m1": 1, "m2": 1}')"""
    )
    routed = 0
    for _ in range(SIZE // PER_CHANGE):
        change_something(connection, chance)
        for _ in range(PER_CHANGE):
            request = {
                "request_type": chance.choice(TYPES),
                "prompt_bytes": chance.choice([100, 2000, 40_000]),
                "stream": chance.random() < 0.5,
                "metadata": {"team": chance.choice(["red", "blue"])},
                "model": chance.choice([None, None, None, "m0", "p1/m1"]),
                "session": chance.choice([None, "00" * 32, "11" * 32]),
            }
            row = connection.execute(
                "select (test.settle(d) ->> 'request_id') is not null from test.route(sha256('caller/token'), %s) as d "
                "where d.status = 'routed'",
                (json.dumps(request),),
            ).fetchone()
            routed += row is not None
    assert routed > SIZE * 0.6, routed
    for _ in range(20):
        change_something(connection, chance)
    again = connection.execute(
        "select count(*) filter (where r.is_same), count(*), "
        "(array_agg(row_to_json(r)::text) filter (where not r.is_same))[1] "
        "from gateway.api_request_s as s cross join lateral admin.replay(encode(s.api_request_hk, 'hex')::uuid) as r"
    ).fetchone()
    assert again is not None
    same, made, other = again
    assert (same, made) == (routed, routed), other
