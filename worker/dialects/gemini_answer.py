"""Answers in Google's format of Gemini, read.

Every event of a stream is a whole answer with a piece of the words; the stream simply ends, so it was whole if a reason
for its end was given. A call ends with STOP like words do, and has no id: one is made that names its place.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from worker.dialects.events import (
    Begin,
    CallBegin,
    CallPiece,
    Event,
    Finish,
    ImagePiece,
    Odds,
    Signature,
    TextPiece,
    ThoughtPiece,
    size_of,
)
from worker.providers.base import CallFailed
from worker.providers.loose import objects, text
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import normalise_gemini_usage

_REASONS: Final = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
_FAULTS: Final = frozenset(("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"))
_TIERS: Final = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex", "ON_DEMAND": "standard"}
MARKS: Final = ("exceeds the maximum number of tokens",)


class _Candidate(msgspec.Struct, rename="camel"):
    content: dict[str, Any] | None = None
    finish_reason: str | None = None
    grounding_metadata: dict[str, Any] | None = None
    logprobs_result: dict[str, Any] | None = None


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: dict[str, Any] | None = None
    usage_metadata: dict[str, Any] | None = None
    response_id: str = ""
    error: object = None


_decoder: Final = msgspec.json.Decoder(_Answer)


class GeminiReader:
    """Reads answers; `searched` counts as the price book does, by answers that searched."""

    def __init__(self, tally: Tally) -> None:
        self.done = False
        self._tally = tally
        self._name: str | None = None
        self._finished = False
        self._calls = 0
        self._searches = 0

    def read(self, _: Any, data: bytes) -> list[Event]:
        """See `Reader`."""
        answer = self._decode(data)
        events: list[Event] = []
        if self._name is None:
            self._name = answer.response_id
            events.append(Begin(answer.response_id))
        for candidate in answer.candidates or ():
            events += self._parts((candidate.content or {}).get("parts"))
            if odds := _read_odds(candidate.logprobs_result or {}):
                events.append(Odds(odds))
            self._count_searches(candidate)
        if answer.usage_metadata is not None:
            usage = normalise_gemini_usage(answer.usage_metadata, self._searches)
            self._tally.use(usage, answer.usage_metadata, ahead=sum(map(size_of, events)))
            self._tally.serve(_tier_of(answer.usage_metadata))
        for candidate in answer.candidates or ():
            events += self._finish(candidate)  # what failed was used all the same
        return [*events, *self._block(answer)]

    def read_whole(self, body: bytes) -> list[Event]:
        """See `Reader`."""
        events = self.read(None, body)
        if not self._finished:
            raise CallFailed("server_error")
        return events

    def is_whole(self) -> bool:
        """See `Reader`."""
        return self._finished

    def _decode(self, data: bytes) -> _Answer:
        try:
            answer = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise CallFailed("server_error" if self._name is None else "truncated_stream") from None
        if answer.error is not None:
            raise classify_error_object(answer.error, MARKS)
        return answer

    def _parts(self, parts: object) -> list[Event]:
        events: list[Event] = []
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                events += self._part(part)
        return events

    def _part(self, part: dict[str, Any]) -> list[Event]:
        events: list[Event] = []
        if isinstance(signature := part.get("thoughtSignature"), str):
            events.append(Signature(signature, "google"))
        text, call, picture = part.get("text"), part.get("functionCall"), part.get("inlineData")
        if isinstance(text, str) and text:
            # Signed words: the signature closes what was thought before them.
            events.append(ThoughtPiece(text) if part.get("thought") else TextPiece(text))
        elif isinstance(call, dict):
            number, self._calls = self._calls, self._calls + 1
            name = str(call.get("id") or f"call_{(self._name or '')[:40]}_{number}")
            events.append(CallBegin(number, name, str(call.get("name") or "")))
            events.append(CallPiece(number, msgspec.json.encode(call.get("args") or {}).decode()))
        elif isinstance(picture, dict) and not part.get("thought"):
            events.append(ImagePiece(str(picture.get("mimeType") or ""), str(picture.get("data") or "")))
        return events

    def _count_searches(self, candidate: _Candidate) -> None:
        queries = (candidate.grounding_metadata or {}).get("webSearchQueries")
        if isinstance(queries, list):
            self._searches = max(self._searches, len(queries))

    def _finish(self, candidate: _Candidate) -> list[Event]:
        reason = candidate.finish_reason
        if reason is None or reason == "FINISH_REASON_UNSPECIFIED":
            return []
        if reason in _FAULTS:
            raise CallFailed("server_error")
        self._finished = True
        word = _REASONS.get(reason, "other")
        if word == "stop" and self._calls:
            word = "tool_calls"
        self._tally.finish(word)
        return [Finish(word)]

    def _block(self, answer: _Answer) -> list[Event]:
        """A prompt that was blocked has no candidates; it was read all the same, and is charged for."""
        if not (answer.prompt_feedback or {}).get("blockReason"):
            return []
        self._finished = True
        self._tally.finish("content_filter")
        return [Finish("content_filter")]


def _tier_of(usage: dict[str, Any]) -> str | None:
    """The tier served, as Vertex tells it or as the Gemini API does; None if it is not told."""
    return _TIERS.get(text(usage, "trafficType")) or text(usage, "serviceTier").lower() or None


def _read_odds(said: dict[str, Any]) -> list[dict[str, Any]]:
    others = objects(said.get("topCandidates"))
    found: list[dict[str, Any]] = []
    for place, chosen in enumerate(objects(said.get("chosenCandidates"))):
        top = objects(others[place].get("candidates")) if place < len(others) else []
        found.append(_read_token(chosen) | {"top_logprobs": [_read_token(token) for token in top]})
    return found


def _read_token(said: dict[str, Any]) -> dict[str, Any]:
    token, odds = text(said, "token"), said.get("logProbability")
    known = isinstance(odds, int | float)
    return {"token": token, "logprob": odds if known else 0.0, "bytes": list(token.encode("utf-8", "surrogatepass"))}
