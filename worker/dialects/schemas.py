"""JSON schemas as they are taken by who holds an answer to them.

OpenAI holds a model only to a schema whose objects are closed and require all of their fields. Claude and Bedrock
refuse an object that is not closed, and limits that they cannot hold anybody to: those are told in words instead, as
Anthropic's own SDK does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS: Final = ("properties", "$defs", "definitions")
_NOT_STRICT: Final = frozenset(("oneOf", "allOf", "not", "if", "then", "else", "patternProperties", "prefixItems"))
_ONLY_TOLD: Final = frozenset(
    ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems")
).union(("uniqueItems", "minProperties", "maxProperties", "patternProperties"))
_FORMATS: Final = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
)
_Object = dict[str, Any]


def is_strict(schema: object) -> bool:
    """Whether OpenAI's models can be held to a schema."""
    if not isinstance(schema, dict):
        return True
    if _NOT_STRICT & schema.keys():
        return False
    if _is_object(schema):
        fields, required = schema.get("properties") or {}, schema.get("required") or []
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        if schema.get("additionalProperties") is not False or set(names) != set(map(str, fields)):
            return False
    return all(map(is_strict, _inside(schema)))


def close(schema: _Object) -> tuple[_Object, bool]:
    """A schema that Claude's models can be held to, and whether it says all that this one does."""
    closed: _Object = {}
    told: _Object = {}
    whole = True
    for name, value in schema.items():
        if _is_only_told(name, value):
            told[name] = value
        elif name in _LISTS and isinstance(value, list):
            found = [close(inner) if isinstance(inner, dict) else (inner, True) for inner in value]
            closed["anyOf" if name == "oneOf" else name] = [inner for inner, _ in found]
            whole &= all(all_said for _, all_said in found)
        elif name in _MAPS and isinstance(value, dict):
            named = {key: close(inner) if isinstance(inner, dict) else (inner, True) for key, inner in value.items()}
            closed[name] = {key: inner for key, (inner, _) in named.items()}
            whole &= all(all_said for _, all_said in named.values())
        elif name == "items" and isinstance(value, dict):
            closed[name], all_said = close(value)
            whole &= all_said
        else:
            closed[name] = value
    if _is_object(schema):
        whole &= schema.get("additionalProperties", False) is False
        closed["additionalProperties"] = False
    if told:
        words = msgspec.json.encode(told).decode()
        closed["description"] = f"{schema['description']}\n\n{words}" if schema.get("description") else words
    return closed, whole and not told


def _is_only_told(name: str, value: object) -> bool:
    if name == "minItems":
        return value not in (0, 1)
    return name in _ONLY_TOLD or (name == "format" and str(value) not in _FORMATS)


def _is_object(schema: _Object) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def _inside(schema: _Object) -> Iterator[object]:
    for name in _MAPS:
        if isinstance(found := schema.get(name), dict):
            yield from found.values()
    for name in _LISTS:
        if isinstance(found := schema.get(name), list):
            yield from found
    yield schema.get("items")
