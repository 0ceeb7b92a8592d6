"""Rules that never act are told of when they are written."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests_py.support.cluster import ClonedDatabase

INSERT = "insert into admin.routing_rule (rule_name, rule_priority, conditions) values (%s, %s, %s)"


def write(connection: psycopg.Connection[Any], *rule: Any) -> list[str]:
    """Insert a rule; the warnings that come."""
    said: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        said.append(notice.message_primary or "")

    connection.add_notice_handler(hear)
    connection.execute(INSERT, rule)
    connection.remove_notice_handler(hear)
    return said


SHADOWS = [
    ("{}", '{"tier": "PREMIUM"}'),
    ('{"tier": ["PREMIUM", "BASIC"]}', '{"tier": "PREMIUM", "stream": true}'),
    ('{"prompt_tokens": {"gte": 1000}}', '{"prompt_tokens": {"gt": 1000, "lt": 2000}}'),
    ('{"model": {"ne": "o3"}}', '{"model": {"not_in": ["o3", "o4"]}}'),
    ('{"model": {"starts_with": "gpt-"}}', '{"model": ["gpt-4o", "gpt-5"]}'),
    ('{"metadata.team": "blue"}', '{"metadata": {"team": "blue"}, "hour": 7}'),
    ('{"not": {"tier": "BASIC"}}', '{"not": {"tier": "BASIC"}, "vision": true}'),
]
NO_SHADOWS = [
    ('{"tier": "PREMIUM"}', "{}"),
    ('{"tier": "PREMIUM"}', '{"tier": ["PREMIUM", "BASIC"]}'),
    ('{"prompt_tokens": {"gt": 1000}}', '{"prompt_tokens": {"gte": 1000}}'),
    ('{"metadata.team": ["blue", "red"]}', '{"metadata.team": "blue"}'),  # not sure, so not said
    ('{"stream": true}', '{"tier": "PREMIUM"}'),
]


@pytest.mark.parametrize(("earlier", "later"), SHADOWS)
def test_a_rule_that_will_never_act_is_told_of(database: ClonedDatabase, earlier: str, later: str) -> None:
    sentence = "The rule 'second' will never act: 'first' before it takes all its calls"
    with database.connect("owner") as connection:
        connection.execute("update admin.routing_rule set is_active = false where true")
        assert write(connection, "first", 1, earlier) == []
        assert write(connection, "second", 2, later) == [sentence]
        connection.execute("delete from admin.routing_rule where rule_name = 'first'")
        assert write(connection, "second, and before", 0, earlier) == [
            sentence.replace("'first'", "'second, and before'")
        ]


@pytest.mark.parametrize(("earlier", "later"), NO_SHADOWS)
def test_rules_that_leave_each_other_calls_are_not(database: ClonedDatabase, earlier: str, later: str) -> None:
    with database.connect("owner") as connection:
        connection.execute("update admin.routing_rule set is_active = false where true")
        assert write(connection, "first", 1, earlier) == []
        assert write(connection, "second", 2, later) == []
