"""Conditions mean what the documentation says: compared with a reference that reads them in plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests_py.support.cluster import Cluster

Json = dict[str, Any]

TEXTS = ["BASIC", "PREMIUM", 'a" || 1 == 1', "x", "xyz", ""]
NUMBERS = [0, 1, 5, 23, -1.5, 1e21]
ATTRIBUTES: dict[str, list[Any]] = {
    "request_type": TEXTS,
    "model": TEXTS,
    "prompt_tokens": NUMBERS,
    "max_cost": NUMBERS,
    "stream": [True, False],
    "compliance": TEXTS,
    "metadata.team": [*TEXTS, *NUMBERS, True, False],
    "metadata.deep.er": [*TEXTS, *NUMBERS],
}


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def look_up(call: Json, attribute: str) -> list[Any]:
    """The values of an attribute: none where it is absent, several where it is a list."""
    found: Any = call
    for name in attribute.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return [value for value in (found if isinstance(found, list) else [found]) if value is not None]


def equal(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def meets_clause(values: list[Any], operator: str, operand: Any) -> bool:
    match operator:
        case "eq":
            return any(equal(value, operand) for value in values)
        case "ne":
            return not meets_clause(values, "eq", operand)
        case "in":
            return any(meets_clause(values, "eq", one) for one in operand)
        case "not_in":
            return not meets_clause(values, "in", operand)
        case "exists":
            return bool(values) is operand
        case "starts_with":
            return any(isinstance(value, str) and value.startswith(operand) for value in values)
        case "gt":
            return any(is_number(value) and value > operand for value in values)
        case "gte":
            return any(is_number(value) and value >= operand for value in values)
        case "lt":
            return any(is_number(value) and value < operand for value in values)
        case "lte":
            return any(is_number(value) and value <= operand for value in values)
    raise AssertionError(operator)


def meets(call: Json, condition: Json) -> bool:
    """The reference."""
    for key, value in condition.items():
        if key == "all":
            held = all(meets(call, part) for part in value)
        elif key == "any":
            held = any(meets(call, part) for part in value)
        elif key == "not":
            held = not meets(call, value)
        elif isinstance(value, dict):
            held = all(meets_clause(look_up(call, key), operator, operand) for operator, operand in value.items())
        elif isinstance(value, list):
            held = meets_clause(look_up(call, key), "in", value)
        else:
            held = meets_clause(look_up(call, key), "eq", value)
        if not held:
            return False
    return True


@st.composite
def shapes_of(draw: st.DrawFn, attribute: str) -> Any:
    """What may stand behind an attribute."""
    values = st.sampled_from(ATTRIBUTES[attribute])
    lists = st.lists(values, min_size=1, max_size=3)
    operators: dict[str, st.SearchStrategy[Any]] = {
        "eq": values,
        "ne": values,
        "in": lists,
        "not_in": lists,
        "exists": st.booleans(),
    }
    if any(is_number(value) for value in ATTRIBUTES[attribute]):
        operators |= dict.fromkeys(("gt", "gte", "lt", "lte"), st.sampled_from(NUMBERS))
    if "x" in ATTRIBUTES[attribute]:
        operators["starts_with"] = st.sampled_from(["", "x", "xy", "B", '"'])
    names = st.lists(st.sampled_from(sorted(operators)), min_size=1, max_size=2, unique=True)
    return draw(
        st.one_of(values, lists, names.flatmap(lambda found: st.fixed_dictionaries({n: operators[n] for n in found})))
    )


def clauses() -> st.SearchStrategy[Json]:
    names = st.lists(st.sampled_from(sorted(ATTRIBUTES)), min_size=1, max_size=2, unique=True)
    return names.flatmap(lambda found: st.fixed_dictionaries({name: shapes_of(name) for name in found}))


CONDITIONS = st.recursive(
    clauses(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)

CALLS = st.fixed_dictionaries(
    {},
    optional={
        "request_type": st.sampled_from(TEXTS),
        "model": st.sampled_from(TEXTS),
        "prompt_tokens": st.sampled_from(NUMBERS),
        "max_cost": st.sampled_from(NUMBERS),
        "stream": st.booleans(),
        "compliance": st.lists(st.sampled_from(TEXTS), max_size=2),
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "team": st.one_of(
                    st.none(),
                    st.sampled_from(ATTRIBUTES["metadata.team"]),
                    st.lists(st.sampled_from(TEXTS), max_size=2),
                ),
                "deep": st.one_of(
                    st.sampled_from(TEXTS),
                    st.fixed_dictionaries({"er": st.sampled_from(ATTRIBUTES["metadata.deep.er"])}),
                ),
            },
        ),
    },
)


@pytest.fixture(scope="module")
def connection(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    database = cluster.clone()
    with database.connect() as found:
        yield found
    cluster.drop(database)


def compile_conditions(connection: psycopg.Connection[Any], condition: Json) -> str | None:
    """The jsonpath as text; None when it is refused because it can never hold. Any other refusal fails."""
    try:
        row = connection.execute("select gateway.fn_compile_conditions(%s)::text", [Jsonb(condition)]).fetchone()
    except psycopg.Error as error:
        assert (error.sqlstate, error.diag.constraint_name) in {
            ("VG400", "condition_can_hold"),
            ("VG400", "conditions_are_not_deep"),
        }, error
        return None if error.diag.constraint_name == "condition_can_hold" else ""
    assert row is not None
    return str(row[0])


@settings(max_examples=400)
@given(condition=CONDITIONS, calls=st.lists(CALLS, min_size=20, max_size=20))
def test_conditions_mean_what_they_say(connection: psycopg.Connection[Any], condition: Json, calls: list[Json]) -> None:
    """Catches: a "not" of something unknown, "ne" that overlooks the absent, a value that escapes from its quotes."""
    path = compile_conditions(connection, condition)
    if path == "":
        return
    if path is None:
        # A part of it can never hold; where that part must hold, no call may meet the whole.
        if not {"any", "not", "all"} & condition.keys():
            assert not any(meets(call, condition) for call in calls)
        return
    rows = connection.execute(
        "select c.call @@ %s::jsonpath from jsonb_array_elements(%s) with ordinality as c (call, place)"
        " order by c.place",
        [path, Jsonb(calls)],
    ).fetchall()
    assert [held for (held,) in rows] == [meets(call, condition) for call in calls]


@settings(max_examples=200)
@given(
    pair=st.sampled_from(["model", "prompt_tokens", "stream"]).flatmap(
        lambda name: st.tuples(st.just(name), shapes_of(name), shapes_of(name))
    )
)
def test_a_shadow_is_sure(connection: psycopg.Connection[Any], pair: tuple[str, Any, Any]) -> None:
    """Where one clause is said to imply another, no value meets the first and not the second.

    Of attributes with one value of one type; for the others nothing is said but of the same clause.
    """
    attribute, one, other = pair
    values = ATTRIBUTES[attribute]
    rows = connection.execute(
        "select a.operator, a.operand, b.operator, b.operand,"
        " gateway.fn_implies_clause(a.operator, a.operand, b.operator, b.operand)"
        " from gateway.fn_flatten_conditions(%s) as a, gateway.fn_flatten_conditions(%s) as b",
        [Jsonb({attribute: one}), Jsonb({attribute: other})],
    ).fetchall()
    for operator, operand, implied, implied_operand, is_implied in rows:
        for found in [[], *([value] for value in values)]:
            if is_implied and meets_clause(found, operator, operand):
                assert meets_clause(found, implied, implied_operand)
