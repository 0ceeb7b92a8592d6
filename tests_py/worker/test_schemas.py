"""Schemas as OpenAI and Claude take them. Mutants it catches: a limit that is sent, a field that need not be there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.dialects.schemas import close, is_strict

TEXT = {"type": "string"}


def thing(required: list[str], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": required} | more


CLOSED = thing(["a", "b"], additionalProperties=False)


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        (None, True),
        (thing(["a"], additionalProperties=False), False),
        (thing(["a", "b"]), False),
        (thing(["a", "b"], additionalProperties=True), False),
        ({"anyOf": [CLOSED, {"type": "null"}]}, True),
        ({"oneOf": [CLOSED, {"type": "null"}]}, False),
        ({"type": "array", "items": thing(["a"])}, False),
        ({"$ref": "#/$defs/x", "$defs": {"x": thing([])}}, False),
        ({"type": ["object", "null"], "properties": {}}, False),
        # A field may bear the name of what a schema may not have.
        ({"type": "object", "properties": {"not": TEXT}, "required": ["not"], "additionalProperties": False}, True),
    ],
)
def test_what_openai_holds_a_model_to(schema: Any, strict: bool) -> None:
    assert is_strict(schema) is strict


def test_claude_is_told_in_words_what_it_cannot_be_held_to() -> None:
    closed, whole = close({"type": "integer", "minimum": 1, "description": "So many."})
    assert (closed, whole) == ({"type": "integer", "description": 'So many.\n\n{"minimum":1}'}, False)
    closed, whole = close(
        {"type": "array", "minItems": 1, "items": {"type": "string", "format": "uri", "maxLength": 9}}
    )
    assert closed["minItems"] == 1
    assert closed["items"] == {"type": "string", "format": "uri", "description": '{"maxLength":9}'}
    assert not whole
    assert close({"type": "array", "minItems": 2})[0] == {"type": "array", "description": '{"minItems":2}'}
    assert close({"type": "string", "format": "color"})[0] == {"type": "string", "description": '{"format":"color"}'}


def test_claudes_objects_are_closed_at_every_depth() -> None:
    inner = {"type": "object", "properties": {"minimum": TEXT, "format": {"type": "integer", "default": 1}}}
    given = {"type": "object", "properties": {"x": {"oneOf": [{"$ref": "#/$defs/y"}, inner]}}, "$defs": {"y": inner}}
    before = json.dumps(given)
    closed, whole = close(given)
    shut = inner | {"additionalProperties": False}
    assert closed == {
        "type": "object",
        "properties": {"x": {"anyOf": [{"$ref": "#/$defs/y"}, shut]}},
        "$defs": {"y": shut},
        "additionalProperties": False,
    }
    assert (whole, json.dumps(given)) == (True, before)
    closed, whole = close({"type": "object", "additionalProperties": TEXT})
    assert (closed, whole) == ({"type": "object", "additionalProperties": False}, False)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "object", "properties": [1], "required": 5},
        {"type": "object", "properties": {"a": 1}, "required": [{}], "additionalProperties": False},
        {"type": "string", "format": [], "anyOf": {}, "items": [1], "$defs": [], "description": 5, "minLength": 1},
    ],
)
def test_what_is_no_schema_is_for_its_reader_to_refuse(odd: dict[str, Any]) -> None:
    assert close(odd)[0].get("type") == odd["type"]
    assert is_strict(odd) in (True, False)
