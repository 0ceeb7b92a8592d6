"""Decoding a body, and what is wrong with one, in sentences of ours.

The decoder's own text is read for the place and the expected type, and never passed on, because it can quote the body.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from litestar_app.errors import InvalidRequest

_ROLES: Final = "developer, system, user, assistant, tool or function"
_KINDS: Final = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "decimal": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
}
_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")
_EXPECTED: Final = re.compile(r"^Expected `([^`]+)`(?:, got `([a-z]+)`| (?:of )?(length )?(<=|>=) (\S+))?")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")


def decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """The typed body. Raises `InvalidRequest` in words of ours."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        known = " and ".join(f"`{name}`" for name in getattr(decoder.type, "__struct_fields__", ()))
        raise _explain(str(error), known) from None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidRequest(
            "The body is not valid JSON." if body.strip() else "The body is empty. Send JSON."
        ) from None


def _explain(text: str, known: str) -> InvalidRequest:
    """Our own sentence for a decoder's complaint: the place and what belongs there, no values and no name of his."""
    place = found[1] if (found := _PLACE.search(text)) else ""
    inside = place.endswith("[...]") or "`key` in" in text
    place = place.replace("[...]", "")
    if missing := _MISSING.search(text):
        field = f"{place}.{missing[1]}" if place else missing[1]
        return InvalidRequest(f"`{field}` is missing.", field)
    if text.startswith("Object contains unknown field") and known:
        return InvalidRequest(f"The body has a field that this route does not take; it takes {known}.")
    name = f"`{place}`" if place else "The body"
    if inside:
        name = f"What is in {name}"
    return InvalidRequest(f"{name} {_complaint(text, place)}.", place or None)


def _complaint(text: str, place: str) -> str:
    if place.endswith(".role"):
        return f"must be one of {_ROLES}"
    if text.startswith("Invalid decimal string"):
        return "must be a number"
    expected = _EXPECTED.match(text)
    if expected is None or "matching regex" in text:
        return "is out of range or not a value this field takes"
    kinds, got, length, relation, bound = expected.groups()
    if relation:
        limit = f"{'at least' if relation == '>=' else 'at most'} {bound}"
        return f"must have a length of {limit}" if length else f"must be {limit}"
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null")
    return f"must be {wanted}, not {_KINDS.get(got, got)}" if got else f"must be {wanted}"
