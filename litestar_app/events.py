"""How much text was in the events of a stream, told from their number and the envelope of the last ones.

Needed only when a worker dies in the middle of an answer: what was delivered is then booked by an
estimate, and an event's envelope (id, model, braces) is many times larger than its text. Nothing is
parsed while an answer passes.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

_END: Final = re.compile(rb"\r?\n\r?\n")
_LABELS: Final = frozenset({"role", "id", "type", "index"})


class _Choice(msgspec.Struct):
    delta: dict[str, Any] = {}


class _Event(msgspec.Struct):
    choices: list[_Choice] = []
    delta: Any = None


_decode: Final = msgspec.json.Decoder(_Event).decode


def count_events(data: bytes) -> int:
    """How many events end in this piece."""
    return data.count(b"\n\n") + data.count(b"\r\n\r\n")


def estimate_text(size: int, events: int, last: bytes) -> int:
    """The bytes of text in `events` events of `size` bytes in all, if they are like those in `last`."""
    lengths = texts = seen = 0
    for event in _END.split(last):
        data = event[event.find(b"data:") + 5 :].strip() if b"data:" in event else b""
        if not data.startswith(b"{"):
            continue
        try:
            said = _decode(data)
            text = _text(said.delta) + sum(_text(choice.delta) for choice in said.choices)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if text:
            lengths += len(event) + 2
            texts += text
            seen += 1
    if not seen:
        return 0
    envelope = (lengths - texts) / seen
    return max(texts, round(size - events * envelope))


def _text(value: object) -> int:
    """Bytes of UTF-8 of all text inside, but for what only labels it."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list):
        return sum(map(_text, value))
    if isinstance(value, dict):
        return sum(_text(inner) for name, inner in value.items() if name not in _LABELS)
    return 0
