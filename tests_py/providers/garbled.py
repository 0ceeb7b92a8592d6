"""True answers of every format, and what may become of them: bytes flipped, cut out and doubled, events dropped and
told twice, values replaced by others, usage that no provider can have had.

`garbled` and `garbled_answer` are Hypothesis strategies of bodies, `replies` of whole HTTP responses as steps of a
server; `FakeGarbler` is the server that plays them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

from tests_py.providers import bedrock, wire
from tests_py.providers.anthropic import FakeAnthropic
from tests_py.providers.cohere import FakeCohere
from tests_py.providers.eventstream import frame
from tests_py.providers.google import FakeGoogle
from tests_py.providers.mistral import FakeMistral
from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import SCENARIOS
from tests_py.providers.server import RESET, FakeServer, Seen, Step
from tests_py.providers.stage import ScenarioServer

SAID = ("thinking-tools", "text-and-tools", "usage-every-chunk", "image", "refusal", "length")
FAKES: Final[dict[str, type[ScenarioServer]]] = {
    "anthropic": FakeAnthropic,
    "cohere": FakeCohere,
    "google": FakeGoogle,
    "mistral": FakeMistral,
    "openai": FakeOpenAI,
    "responses": FakeOpenAI,
}
ROUTES: Final = {
    "anthropic": "/v1/messages",
    "bedrock": "/model/m/converse-stream",
    "cohere": "/v2/chat",
    "google": "/v1beta/models/m:streamGenerateContent?alt=sse",
    "mistral": "/v1/chat/completions",
    "openai": "/v1/chat/completions",
    "responses": "/v1/responses",
}
# What a question has, or has not, besides its messages.
_MORE: Final[dict[str, dict[str, Any]]] = {
    "anthropic": {"max_tokens": 9},
    "google": {"contents": [{"parts": [{"text": "?"}]}], "model": None, "stream": None, "messages": None},
    "openai": {"stream_options": {"include_usage": True}},
    "responses": {"input": "?", "messages": None},
}
_TYPE_OF_FRAME: Final = re.compile(rb":event-type\x07\x00.([A-Za-z]+)", re.DOTALL)
_COUNTED: Final = re.compile("usage|token|count|units|cache", re.IGNORECASE)
_HOLE: Final = "a hole for raw JSON"
# As they stand in JSON, which says more than Python's: numbers that no float holds, halves of characters, depths.
_RAW: Final = (
    "-5", "-1e3", "9007199254740992", "5e8", "3000000000", "99999999999999999999999", "1e400", "1e-400", "NaN", "-0",
    "1.5", "true", "null", "[]", "{}", '"12"', '""', '"\\u0000"', '"\\ud800"', '"error"', "[null,{},[1]]",
    '{"type":"tool_use","text":1,"parts":[1]}', '{"a":' * 700 + '"x"' + "}" * 700, "[" * 3000 + "]" * 3000,
)  # fmt: skip
ODD: Final = st.one_of(
    st.sampled_from(_RAW),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(json.dumps),
    st.text(max_size=3).map(json.dumps),
)
# What is looked for in some answers, and may be put where nobody expects it.
_NAMES: Final = (
    "error", "usage", "choices", "content", "delta", "extra_content", "finish_reason", "google", "incomplete_details",
    "index", "message", "reason", "reasoning_details", "refusal", "service_tier", "status", "stop_reason", "tool_calls",
    "type",
)  # fmt: skip
COUNTS: Final = st.one_of(
    st.sampled_from(("-5", "0", "1e3", "5e8", "3000000000", "9007199254740992", "9007199254740993", "1e400", '"12"')),
    ODD,
)


@functools.cache
def events_of(kind: str, scenario: str) -> list[bytes]:
    """The events of a true stream."""
    if kind == "bedrock":
        return list(bedrock._events(SCENARIOS[scenario]))  # the fake itself wants a signature
    return list(_ask(kind, scenario, ROUTES[kind], stream=True).events or ())


@functools.cache
def answer_of(kind: str, scenario: str) -> bytes:
    """A true answer that is no stream."""
    if kind == "bedrock":
        return json.dumps(bedrock._whole(SCENARIOS[scenario])).encode()
    route = ROUTES[kind].replace("streamGenerateContent?alt=sse", "generateContent")
    return bytes(_ask(kind, scenario, route, stream=False).body)


def _ask(kind: str, scenario: str, route: str, *, stream: bool) -> Any:
    more = {"stream_options": None} if not stream else {}
    body: dict[str, Any] = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "?"}]}
    body = {name: value for name, value in (body | _MORE.get(kind, {}) | more).items() if value is not None}
    headers = {"authorization": "Bearer k", "x-api-key": "k", "x-goog-api-key": "k", "anthropic-version": "2023-06-01"}
    return FAKES[kind]().reply(Seen("x", f"/x{route}", headers, body, b"{}"), SCENARIOS[scenario])


@st.composite
def garbled(draw: Any, kind: str) -> list[bytes]:
    """A stream in pieces, with some of it changed."""
    return _cut(draw, _scratch(draw, b"".join(_shuffle(draw, kind, draw(_true(kind))))))


def _true(kind: str) -> st.SearchStrategy[list[bytes]]:
    return st.sampled_from(SAID).map(lambda scenario: list(events_of(kind, scenario)))


def _shuffle(draw: Any, kind: str, events: list[bytes]) -> list[bytes]:
    """Up to three events changed, doubled, dropped or replaced; now and then all in another order."""
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(events) - 1))
        events[at : at + 1] = draw(st.sampled_from((_change, _double, _drop, _swap, _fill)))(draw, kind, events[at])
        events = events or [b"\n\n"]
    return list(draw(st.permutations(events))) if draw(st.integers(0, 5)) == 5 else events


def _change_some(draw: Any, kind: str, events: list[bytes]) -> list[bytes]:
    """One to three values changed, and nothing else."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from([n for n, event in enumerate(events) if b"{" in event]))
        events[at : at + 1] = _change(draw, kind, events[at])
    return events


def _scratch(draw: Any, body: bytes) -> bytes:
    """Bytes flipped, cut out, put in."""
    whole = bytearray(body)
    for _ in range(draw(st.integers(0, 2))):
        if whole:
            at = draw(st.integers(0, len(whole) - 1))
            whole[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=4))
    return bytes(whole)


def _cut(draw: Any, whole: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def _drop(draw: Any, kind: str, event: bytes) -> list[bytes]:
    return []


def _double(draw: Any, kind: str, event: bytes) -> list[bytes]:
    return [event, event]


def _swap(draw: Any, kind: str, event: bytes) -> list[bytes]:
    return [draw(st.sampled_from(events_of(kind, draw(st.sampled_from(SAID)))))]


def _fill(draw: Any, kind: str, event: bytes) -> list[bytes]:
    """A long line before it, or one that is too long."""
    return [b": " + b"x" * draw(st.sampled_from((70_000, 1_100_000))) + b"\n\n", event]


def _change(draw: Any, kind: str, event: bytes) -> list[bytes]:
    """Some value in an event's JSON becomes another."""
    start, end = event.find(b"{"), event.rfind(b"}") + 1
    if start < 0:
        return [event]
    return [_reframed(kind, event, change_json(draw, event[start:end]))]


def change_json(draw: Any, body: bytes) -> bytes:
    """Some value in a JSON object becomes another, or is put in; every other time one that counts something."""
    try:
        said = json.loads(body)
        places = list(_places(said, ""))
    except (ValueError, RecursionError):
        return body
    counted = [place for place in places if _COUNTED.search(place[2])]
    odd = ODD
    if counted and draw(st.booleans()):
        places, odd = counted, COUNTS
    if not places:
        return body
    holder, name, _ = draw(st.sampled_from(places))
    if odd is ODD and isinstance(holder, dict) and draw(st.integers(0, 3)) == 3:
        name = draw(st.sampled_from(_NAMES))
    holder[name] = _HOLE
    whole = json.dumps(said)  # escaped, as some servers write it
    return whole.replace(json.dumps(_HOLE), draw(odd), 1).encode()


def recounted(kind: str, raw: str, *, stream: bool) -> list[Step]:
    """A true answer but for its usage: everything that is counted is this."""
    events = events_of(kind, "text-and-tools") if stream else [answer_of(kind, "text-and-tools")]
    made: list[bytes] = []
    for event in events:
        start, end = event.find(b"{"), event.rfind(b"}") + 1
        if not (start >= 0 and _COUNTED.search(event[start:end].decode(errors="replace"))):
            made.append(event)
            continue
        said = json.loads(event[start:end])
        for holder, name, path in list(_places(said, "")):
            if type(holder[name]) is int and _COUNTED.search(path):
                holder[name] = _HOLE
        data = json.dumps(said).replace(json.dumps(_HOLE), raw).encode()
        made.append(_reframed(kind, event, data) if stream else data)
    return _sent(made)


def broken(kind: str, junk: bytes, *, stream: bool) -> list[Step]:
    """Something else where an answer is due, be it nothing; of a stream the first half is true."""
    if not stream:
        return _sent([junk])
    events = events_of(kind, "text-and-tools")
    event = b"data: " + junk + b"\n\n" if kind != "bedrock" else _reframed(kind, events[-1], junk)
    return _sent([*events[: len(events) // 2], *([event] if junk else [])])


def _sent(pieces: list[bytes]) -> list[Step]:
    return [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % sum(map(len, pieces)), *pieces]


def _reframed(kind: str, event: bytes, data: bytes) -> bytes:
    """An event with other data."""
    if kind != "bedrock":
        return event[: event.find(b"{")] + data + event[event.rfind(b"}") + 1 :]
    found = _TYPE_OF_FRAME.search(event)
    return frame(data, message_type="event", event_type=found[1].decode() if found else "metadata")


def _places(said: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    for name, value in list(said.items() if isinstance(said, dict) else enumerate(said)):
        yield said, name, f"{path}.{name}"
        if isinstance(value, dict | list) and value:
            yield from _places(value, f"{path}.{name}")


_TYPES: Final = ("text/event-stream", "application/json", "text/html; charset=x", "", "\xff", "image/png")
_STATUSES: Final = (201, 204, 302, 400, 498)
_NONSENSE: Final = (b"", b"{}", b"null", b"[]", b"\xff", b"<html>", b"[" * 200_000)
_LAYERS: Final = ("values", "values", "values", "values", "events", "bytes", "head", "framing", "end")


@st.composite
def replies(draw: Any, kind: str, *, stream: bool) -> list[Step]:
    """A whole response, as steps, of which one or two layers are garbled: values, events, bytes, the head, the framing
    of the body, or its end, which may be the connection's, closed or torn anywhere."""
    layers = draw(st.sets(st.sampled_from(_LAYERS), min_size=1, max_size=2))
    events = draw(_true(kind)) if stream else [answer_of(kind, draw(st.sampled_from(SAID)))]
    if "values" in layers:
        events = _change_some(draw, kind if stream else "", events)
    if "events" in layers:
        events = _shuffle(draw, kind, events) if stream else [draw(st.sampled_from((*_NONSENSE, events[0] * 2)))]
    whole = _scratch(draw, b"".join(events)) if "bytes" in layers else b"".join(events)
    pieces = [piece for piece in _cut(draw, whole) if piece]
    own = "application/vnd.amazon.eventstream" if kind == "bedrock" else "text/event-stream"
    content_type, status = own if stream else "application/json", 200
    if "head" in layers:
        content_type, status = draw(st.sampled_from(_TYPES)), draw(st.sampled_from((200, *_STATUSES)))
    lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {content_type}"]
    framing = draw(st.sampled_from(("chunked", "length", "until-closed")))
    if framing == "chunked":
        lines.append("transfer-encoding: chunked")
        pieces = [*map(wire.piece, pieces), wire.last_piece()]
    else:
        lines.append(f"content-length: {len(whole)}" if framing == "length" else "connection: close")
    steps: list[Step] = ["\r\n".join([*lines, "", ""]).encode("latin-1"), *pieces]
    if layers.isdisjoint({"framing", "end"}):
        return steps if framing != "until-closed" and status != 204 else [*steps, 0.0, None]
    raw = b"".join(step for step in steps if isinstance(step, bytes))
    if "framing" in layers:
        raw = _scratch(draw, raw)
    if "end" in layers:
        raw = raw[: draw(st.integers(0, len(raw)))]
    return [raw, 0.0, RESET if draw(st.booleans()) else None]


@dataclass
class FakeGarbler(FakeServer):
    """A server that says to each behaviour what its script has for it, plain or streamed."""

    script: dict[tuple[str, bool], list[Step]] = field(default_factory=dict, kw_only=True)

    async def steps(self, seen: Seen) -> AsyncIterator[Step]:
        streamed = bool(seen.body.get("stream")) or "stream" in seen.route.rsplit("/", 1)[-1]
        # Whoever asks for something else wants to know whether his key is taken.
        for step in self.script.get((seen.behaviour, streamed), [wire.plain(b"{}")]):
            yield step
