"""Answers in Anthropic's Messages format for customers who speak it too: looked at, never rewritten.

What goes on to the customer is the bytes as they came; only `message_stop` waits until the call has been booked.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.providers.base import CallFailed, text_bytes
from worker.providers.listening import Heard, SseListener
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_messages_usage

REASONS: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Why an answer ended, in the words that the books use."""

_Object = dict[str, Any]
# Where an answer came from when it was free to come from anywhere.
_EVERYWHERE: Final = frozenset(("", "global", "not_available"))


class Said(msgspec.Struct):
    """One event of a stream, as far as the gateway looks."""

    type: str
    index: int = 0
    message: _Object | None = None
    content_block: _Object | None = None
    delta: _Object | None = None
    usage: _Object | None = None
    error: object = None


class Answer(msgspec.Struct):
    """A plain answer, as far as the gateway looks."""

    id: str = ""
    content: list[_Object] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: _Object | None = None
    type: str = "message"
    error: object = None

    def note(self, tally: Tally) -> None:
        """Tell what was used and why it ended."""
        if self.usage is not None:
            _use(tally, self.usage, 0)
        if self.stop_reason is not None:
            tally.finish(REASONS.get(self.stop_reason, "other"))


_said: Final = msgspec.json.Decoder(Said)
_answer: Final = msgspec.json.Decoder(Answer)


def read_said(data: bytes) -> Said:
    """An event's data. Raises `CallFailed` for what is none, and for an error told inside the stream."""
    try:
        said = _said.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CallFailed("server_error") from None
    if said.type == "error":
        raise classify_error_object(said.error, ())
    return said


def read_answer(body: bytes) -> Answer:
    """A plain answer. Raises `CallFailed` for what is none, and for an error told with status 200."""
    try:
        answer = _answer.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CallFailed("server_error") from None
    if answer.type != "message" or answer.error is not None or answer.content is None:
        raise classify_error_object(answer.error, ())
    return answer


class MessagesListener(SseListener):
    """Listens to one answer."""

    def __init__(self, tally: Tally) -> None:
        super().__init__(tally)
        self._stop = b""

    def understand(self, event: bytes, data: bytes) -> Heard:
        """Note what an event says."""
        said = read_said(data)
        kind = said.type
        if kind == "content_block_delta":
            size = text_bytes({name: value for name, value in (said.delta or {}).items() if name != "signature"})
            self.tally.say(size)
            return Heard(event, size > 0)
        if kind == "content_block_start":
            size = text_bytes((said.content_block or {}).get("text"))
            self.tally.say(size)
            return Heard(event, (said.content_block or {}).get("type") not in ("text", "thinking") or size > 0)
        if kind == "message_stop":
            self.done = True
            self._stop = event
            return Heard(b"", True)
        note_usage(self.tally, said)
        if kind == "message_delta" and isinstance(reason := (said.delta or {}).get("stop_reason"), str):
            self.tally.finish(REASONS.get(reason, "other"))
            return Heard(event, True)
        return Heard(event, False)

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`."""
        if not self.done:
            raise self.broken()
        return b"", self._stop

    def answer(self, body: bytes) -> bytes:
        """See `Listener`: noted and passed on untouched."""
        answer = read_answer(body)
        answer.note(self.tally)
        for block in answer.content or ():
            self.tally.say(text_bytes({name: value for name, value in block.items() if name not in _UNSAID}))
        return body


_UNSAID: Final = frozenset(("type", "id", "signature", "data", "cache_control"))


def note_usage(tally: Tally, said: Said, *, ahead: int = 0) -> None:
    """Tell what an event says was used. At the begin the output is a placeholder: only what was read is known."""
    if said.type == "message_start":
        usage = (said.message or {}).get("usage")
        if isinstance(usage, dict):
            _use(tally, usage, ahead, begun=True)
    elif said.usage is not None:
        _use(tally, said.usage, ahead)


def _use(tally: Tally, usage: _Object, ahead: int, *, begun: bool = False) -> None:
    tally.serve(_tier_of(usage, tally.attempt.service_tier or ""))
    found = normalise_messages_usage(usage, tally.attempt.usage)
    if found is not None and begun:
        found.output = found.reasoning = None
    tally.use(found, usage, ahead=ahead)


def _tier_of(usage: _Object, before: str) -> str | None:
    """What decides what it costs: whether it ran fast, and where. The end of a stream repeats only a part of what its
    begin said, which is what was known before."""
    geo, tier, speed = usage.get("inference_geo"), usage.get("service_tier"), usage.get("speed")
    own = before
    if before.startswith("geo_"):
        _, place, *rest = before.split("_", 2)
        own = rest[0] if rest else "standard"
        geo = geo or place
    if speed == "fast" or (speed is None and own == "fast"):
        served: str | None = "fast"
    else:
        served = tier if isinstance(tier, str) and tier else own or None
    if not isinstance(geo, str) or geo in _EVERYWHERE:
        return served
    return f"geo_{geo}" if served in (None, "standard") else f"geo_{geo}_{served}"
