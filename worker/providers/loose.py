"""Looking into JSON that may be anything."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.providers.base import CallFailed


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a plain answer is. Raises `CallFailed` for what is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CallFailed("server_error") from None


def inside(said: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of this name; empty if there is none."""
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def text(said: dict[str, Any], name: str) -> str:
    """The text of this name; empty if there is none."""
    found = said.get(name)
    return found if isinstance(found, str) else ""


def objects(found: object) -> list[dict[str, Any]]:
    """The objects in a list, if it is one."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
