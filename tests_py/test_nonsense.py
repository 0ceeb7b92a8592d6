"""Whatever a DBA types: it is refused in a sentence and soon, nothing of it is executed, and nothing is changed by it.

A statement that takes five seconds is ended and fails its test; what is meant is well under one, and is printed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests_py.support.cluster import ClonedDatabase, Cluster

Json = Any

_RULE = "update admin.routing_rule set conditions = %s where rule_name = 'mine'"
_TARGETS = "update admin.routing_rule set targets = %s where rule_name = 'mine'"
_WEIGHTS = "update admin.routing_rule set optimization_weights = %s where rule_name = 'mine'"
_FALLBACKS = "update admin.routing_rule set target_model = 'm', fallbacks = %s where rule_name = 'mine'"
_SCORES = "update admin.model set quality_by_type = %s where model = 'm'"
_TEST = "insert into admin.routing_rule_test (test_name, customer, request, is_denied) values ('t', 'demo', %s, true)"
_EXPLAIN = "select * from admin.explain_route('demo', %s)"
_LEVEL = "insert into admin.compliance_fact (provider, model, compliance_level) values ('p', 'm', %s)"
_LEVELS = "update admin.routing_rule set compliance_requirements = %s where rule_name = 'mine'"
_ALLOWED = "update admin.customer set allowed_models = %s where customer = 'demo'"
_PREFERRED = "update admin.customer set preferred_providers = %s where customer = 'demo'"
_JSON = {_RULE, _TARGETS, _WEIGHTS, _SCORES, _TEST, _EXPLAIN}
_DROP = "x'); drop table gateway.routing_rule_s; --"


DEEP_NOTS = '{"not":' * 1000 + '{"tier": "BASIC"}' + "}" * 1000
DEEP_LISTS = '{"any":[' * 1000 + '{"tier": "BASIC"}' + "]}" * 1000

NONSENSE: dict[str, tuple[str, Json]] = {
    "conditions: a megabyte of value": (_RULE, {"model": "a" * 1_000_000}),
    "conditions: a megabyte of clauses": (_RULE, {f"metadata.key{n}": "value" for n in range(40_000)}),
    "conditions: a megabyte of list": (_RULE, {"model": [f"model-{n}" for n in range(80_000)]}),
    "conditions: deep nots": (_RULE, DEEP_NOTS),
    "conditions: deep anys": (_RULE, DEEP_LISTS),
    "conditions: a pattern that back-tracks": (_RULE, {"metadata.team": {"like_regex": "(a+)+$"}}),
    "conditions: SQL as attribute": (_RULE, {_DROP: "x"}),
    "conditions: SQL as operator": (_RULE, {"tier": {_DROP: "x"}}),
    "conditions: a path as attribute": (_RULE, {'tier" ? (1 == 1) || $."x': "y"}),
    "conditions: a path as key of metadata": (_RULE, {'metadata.a"].**': {"like_regex": "x"}}),
    "conditions: a number for a text": (_RULE, {"tier": 7}),
    "conditions: a huge number": (_RULE, {"prompt_tokens": {"gte": "1e400"}}),
    "conditions: any of nothing": (_RULE, {"any": []}),
    "targets: a megabyte": (_TARGETS, {f"model-{n}": 1 for n in range(60_000)}),
    "targets: SQL as name": (_TARGETS, {_DROP: 1}),
    "targets: a weight that is no number": (_TARGETS, {"m": "NaN"}),
    "targets: a weight without end": (_TARGETS, {"m": 10**400}),
    "targets: weights in weights": (_TARGETS, {"m": {"m": 1}}),
    "fallbacks: a hundred thousand": (_FALLBACKS, ["m"] * 100_000),
    "fallbacks: SQL": (_FALLBACKS, [_DROP]),
    "fallbacks: NULL": (_FALLBACKS, [None]),
    "weights: SQL": (_WEIGHTS, {_DROP: 1}),
    "weights: without end": (_WEIGHTS, {"cost": 10**400}),
    "weights: a list": (_WEIGHTS, [1, 2, 3]),
    "scores: a megabyte": (_SCORES, {f"type-{n}": 1 for n in range(60_000)}),
    "scores: scores in scores": (_SCORES, {"a": {"b": 1}}),
    "scores: above all": (_SCORES, {"a": 10**400}),
    "test: a megabyte": (_TEST, {"metadata": {f"key{n}": "value" for n in range(60_000)}}),
    "test: an unknown attribute": (_TEST, {_DROP: 1}),
    "test: a list": (_TEST, [1]),
    "test: words for numbers": (_TEST, {"prompt_tokens": "many"}),
    "test: an object for a text": (_TEST, {"model": {"a": 1}, "images": [1]}),
    "explain: a list": (_EXPLAIN, [1]),
    "explain: words for numbers": (_EXPLAIN, {"prompt_tokens": "many"}),
    "explain: words for truth": (_EXPLAIN, {"stream": "perhaps"}),
    "explain: a number without end": (_EXPLAIN, {"prompt_tokens": 10**400}),
    "explain: less than nothing": (_EXPLAIN, {"prompt_tokens": -5}),
    "explain: an unknown attribute": (_EXPLAIN, {_DROP: 1}),
    "level: SQL": (_LEVEL, _DROP),
    "level: a megabyte": (_LEVEL, "A" * 1_000_000),
    "levels: a hundred thousand": (_LEVELS, [f"L{n}" for n in range(100_000)]),
    "allowed models: a hundred thousand": (_ALLOWED, ["m"] * 100_000),
    "preferred providers: a hundred thousand": (_PREFERRED, ["p"] * 100_000),
    "restore: SQL as thing": ("select admin.restore(%s, 'x', now())", _DROP),
    "restore: SQL as name": ("select admin.restore('routing_rule', %s, now())", _DROP),
    "restore: before all time": ("select admin.restore('routing_rule', 'mine', %s)", "-infinity"),
    "replay: a request that is not": ("select * from admin.replay(%s)", "00000000-0000-7000-8000-000000000000"),
    "why: a request that is not": ("select * from admin.why(%s)", "00000000-0000-7000-8000-000000000000"),
    "what_if: backwards": ("select * from admin.what_if(now(), %s)", "2020-01-01"),
    "what_if: from nowhere": ("select * from admin.what_if(%s, now())", None),
}

_SEEN = """
    select md5(string_agg(
        h.thing || h.name || h.document::text || h.load_date::text, '' order by h.thing, h.name, h.load_date
    ))
    from admin.config_history as h
"""


@pytest.fixture(scope="module")
def dba(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """A DBA's session on a house with one model and one rule."""
    database: ClonedDatabase = cluster.clone()
    with database.connect("dba") as connection:
        connection.execute("insert into admin.customer (customer, tenant) values ('demo', 'default')")
        provider = "insert into admin.provider (provider, api_endpoint, needs_key) values ('p', %s, false)"
        connection.execute(provider, ["http://127.0.0.1:9/v1"])
        connection.execute("insert into admin.model (provider, model) values ('p', 'm')")
        connection.execute("insert into admin.routing_rule (rule_name) values ('mine')")
        connection.execute("set statement_timeout = '5s'")
        yield connection
    cluster.drop(database)


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_refused_in_a_sentence(dba: psycopg.Connection[Any], what: str) -> None:
    """Catches: a check that grows with its input's square, a raw error instead of a sentence, a half change."""
    statement, value = NONSENSE[what]
    given = json.dumps(value) if statement in _JSON and not isinstance(value, str) else value
    before = dba.execute(_SEEN).fetchone()
    begun = time.monotonic()
    with pytest.raises(psycopg.Error) as caught:
        dba.execute(statement, [given])
    print(f"{what}: {time.monotonic() - begun:.3f} s: {caught.value.diag.message_primary}")
    assert caught.value.sqlstate is not None
    assert caught.value.sqlstate.startswith("VG"), (caught.value.sqlstate, str(caught.value)[:300])
    assert caught.value.diag.message_hint
    assert len(caught.value.diag.message_primary or "") < 400
    assert dba.execute(_SEEN).fetchone() == before


def test_what_looks_like_code_is_only_text(dba: psycopg.Connection[Any]) -> None:
    """Catches: a name or a value that becomes SQL, a jsonpath or a pattern."""
    for value in (_DROP, '") || true || ("', "(a+)+$", "$.**", "\\'; select pg_sleep(9)"):
        insert = "insert into admin.routing_rule (rule_name, conditions) values (%s, %s)"
        dba.execute(insert, [value, json.dumps({"model": value})])
        kept = "select conditions ->> 'model' from admin.routing_rule where rule_name = %s"
        row = dba.execute(kept, [value]).fetchone()
        assert row == (value,)
        told = dba.execute(_EXPLAIN, [json.dumps({"model": "m"})]).fetchall()
        assert value not in str(told)
        dba.execute("delete from admin.routing_rule where rule_name = %s", [value])
