"""What the fake provider can do to its callers: polite, in every form of the format, and rude.

A behaviour yields the steps of one response. Its name in an endpoint is the function's, with dashes; a number after
the name is its argument.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from tests_py.providers import hostile, wire
from tests_py.providers.server import FOREVER, Seen, Step

if TYPE_CHECKING:
    from tests_py.providers.fake import FakeProvider

Behaviour = Callable[["FakeProvider", "Seen", int], AsyncIterator[Step]]


# Polite


async def ok(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """What OpenAI does, plain or streamed, with the usage chunk if it was asked for."""
    if not seen.body.get("stream"):
        yield wire.plain(wire.answer(fake.text, fake.usage))
        return
    asked = (seen.body.get("stream_options") or {}).get("include_usage")
    yield wire.stream_head()
    for event in wire.events(fake.text, fake.usage if asked else None):
        yield wire.piece(event)
    yield wire.last_piece()


async def slow(fake: FakeProvider, seen: Seen, milliseconds: int) -> AsyncIterator[Step]:
    """As `ok`, but the answer begins late."""
    yield milliseconds / 1000
    async for step in ok(fake, seen, 0):
        yield step


async def gated(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """As `ok`, once `fake.gate` is set."""
    while not fake.gate.is_set():
        yield 0.02
    async for step in ok(fake, seen, 0):
        yield step


async def gated_after(fake: FakeProvider, seen: Seen, count: int) -> AsyncIterator[Step]:
    """A stream that says so many events, and the rest once `fake.gate` is set."""
    for number, step in enumerate(_stream(wire.events(fake.text, fake.usage))):
        while number > count and not fake.gate.is_set():
            yield 0.02
        yield step


async def pace(fake: FakeProvider, seen: Seen, milliseconds: int) -> AsyncIterator[Step]:
    """As `ok`, with a pause before each event."""
    async for step in ok(fake, seen, 0):
        yield milliseconds / 1000
        yield step


async def tools(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Calls the first tool; streamed, its arguments come in fragments that are no JSON by themselves."""
    name = seen.body["tools"][0]["function"]["name"]
    if not seen.body.get("stream"):
        yield wire.plain(wire.tool_answer(name, fake.usage))
        return
    for step in _stream(wire.tool_events(name, fake.usage)):
        yield step


# Usage in every form


async def usage_with_choices(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The usage comes on the chunk that finishes."""
    for step in _stream(wire.events(fake.text, fake.usage, usage_on="finish")):
        yield step


async def usage_every_chunk(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The usage comes on every chunk and grows."""
    for step in _stream(wire.events(fake.text, fake.usage, usage_on="every")):
        yield step


async def no_usage(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """No usage at all, asked for or not."""
    if not seen.body.get("stream"):
        yield wire.plain(wire.answer(fake.text, None))
        return
    for step in _stream(wire.events(fake.text, None)):
        yield step


# The stream in every form


async def crlf(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Lines end in CRLF."""
    for step in _stream(wire.events(fake.text, fake.usage), lambda data: data.replace(b"\n", b"\r\n")):
        yield step


async def cr(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Lines end in CR."""
    for step in _stream(wire.events(fake.text, fake.usage), lambda data: data.replace(b"\n", b"\r")):
        yield step


async def comments(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Comment lines before, between and within events, other fields too."""
    for step in _stream(
        wire.events(fake.text, fake.usage),
        lambda data: b": PROCESSING\n\n" + b": more\nevent: message\nid: 7\nretry: 10\n" + data,
    ):
        yield step


async def only_comments(fake: FakeProvider, seen: Seen, milliseconds: int) -> AsyncIterator[Step]:
    """Says that it lives and nothing else."""
    yield wire.stream_head()
    while True:
        yield wire.piece(b": PROCESSING\n\n")
        yield max(milliseconds, 20) / 1000


async def multi_line(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """One event's JSON over several `data:` lines, without the space."""
    for step in _stream(
        wire.events(fake.text, fake.usage),
        lambda data: data.replace(b"data: ", b"data:").replace(b',"choices"', b',\ndata:"choices"'),
    ):
        yield step


async def bytewise(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Every byte in a chunk of its own, some of them late: each cut there is, inside UTF-8 too."""
    yield wire.stream_head()
    for number, byte in enumerate(b"".join(wire.events(fake.text, fake.usage))):
        yield wire.piece(bytes([byte]))
        if number % 100 == 0:
            yield 0.001
    yield wire.last_piece()


async def in_one(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The whole stream in one write."""
    yield b"".join(step for step in _stream(wire.events(fake.text, fake.usage)) if isinstance(step, bytes))


async def no_done(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Ends after the finish reason, without `[DONE]`."""
    for step in _stream(wire.events(fake.text, fake.usage)[:-1]):
        yield step


async def no_finish(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """`[DONE]` without a finish reason."""
    events = [event for event in wire.events(fake.text, None) if b'"stop"' not in event]
    for step in _stream(events):
        yield step


async def no_last_newline(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The last event lacks its blank line."""
    events = wire.events(fake.text, fake.usage)
    for step in _stream([*events[:-1], events[-1].rstrip(b"\n")]):
        yield step


async def role_flood(fake: FakeProvider, seen: Seen, count: int) -> AsyncIterator[Step]:
    """Many start events before the first word."""
    events = wire.events(fake.text, fake.usage)
    for step in _stream([events[0]] * count + events):
        yield step


async def zipped(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Compresses although it was not asked to."""
    if seen.body.get("stream"):
        yield wire.stream_head("content-encoding: gzip")
        yield wire.piece(wire.gzip(b"".join(wire.events(fake.text, fake.usage))))
        yield wire.last_piece()
    else:
        yield wire.plain(wire.gzip(wire.answer(fake.text, fake.usage)), "content-encoding: gzip")


async def bomb(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """A small answer that unpacks to 100 MB."""
    yield wire.plain(wire.gzip(b'{"choices":[],"x":"' + b" " * (100 << 20) + b'"}'), "content-encoding: gzip")


async def endless_line(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """An event without an end."""
    yield wire.stream_head()
    yield wire.piece(b"data: ")
    while True:
        yield wire.piece(b"x" * 65536)
        yield 0.0


async def endless_answer(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """A plain answer without an end."""
    yield wire.stream_head().replace(b"text/event-stream", b"application/json")
    while True:
        yield wire.piece(b"x" * (1 << 20))
        yield 0.0


# Rude


async def status(fake: FakeProvider, seen: Seen, code: int) -> AsyncIterator[Step]:
    """Refuses with this status; 429 and 503 say when to come back. The message quotes the prompt, as some do."""
    headers = ("retry-after: 2",) if code in (429, 503) else ()
    quoted = json.dumps(seen.body.get("messages"))
    yield wire.refusal(code, f"You said {quoted}", headers=headers)


async def late(fake: FakeProvider, seen: Seen, code: int) -> AsyncIterator[Step]:
    """As `status`, a while later."""
    yield 0.3
    async for step in status(fake, seen, code):
        yield step


async def once(fake: FakeProvider, seen: Seen, code: int) -> AsyncIterator[Step]:
    """Refuses the first call with this status and a `retry-after` of a second, and answers from then on."""
    if fake.count(seen.behaviour) == 1:
        yield wire.refusal(code, "Come back in a second.", headers=("retry-after: 1",))
        return
    async for step in ok(fake, seen, 0):
        yield step


async def good_key(fake: FakeProvider, seen: Seen, number: int) -> AsyncIterator[Step]:
    """Takes the key sk-good-1 (of that number), and no other."""
    if seen.headers.get("authorization") == f"Bearer sk-good-{number}":
        async for step in ok(fake, seen, number):
            yield step
    else:
        yield wire.refusal(401, "Incorrect API key provided.", code="invalid_api_key")


async def lets_in(fake: FakeProvider, seen: Seen, number: int) -> AsyncIterator[Step]:
    """As `good_key`, but every key may ask for the list of models."""
    async for step in good_key(fake, seen, number):
        yield step


async def limits_but(fake: FakeProvider, seen: Seen, number: int) -> AsyncIterator[Step]:
    """429 for half a minute, for every key but sk-good-1 (of that number)."""
    if seen.headers.get("authorization") == f"Bearer sk-good-{number}":
        async for step in ok(fake, seen, number):
            yield step
    else:
        yield wire.refusal(429, "Rate limit reached.", code="rate_limit_exceeded", headers=("retry-after: 30",))


async def no_money(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """429, but waiting does not help."""
    yield wire.refusal(429, "You exceeded your current quota.", code="insufficient_quota")


async def too_long(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The prompt is longer than this model's context."""
    yield wire.refusal(400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded")


async def too_long_in_words(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The same from a server that has no codes."""
    message = "This model's maximum context length is 8192 tokens."
    yield wire.plain(json.dumps({"object": "error", "message": message, "code": 400}).encode(), status=400)


async def policy(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Refused by the content policy."""
    yield wire.refusal(400, "Your request was rejected.", code="content_policy_violation")


async def no_model(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """The model does not exist here."""
    yield wire.refusal(404, "The model does not exist.", code="model_not_found")


async def redirect(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Points elsewhere; nobody may follow with a key in the hand."""
    yield wire.plain(b"", "location: http://127.0.0.1:1/", status=302)


async def html(fake: FakeProvider, seen: Seen, code: int) -> AsyncIterator[Step]:
    """A page of something in between, with a status or with 200."""
    yield wire.plain(b"<html><body>Bad gateway</body></html>", status=code or 200, content_type="text/html")


async def broken_json(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """JSON that breaks off, with a correct length."""
    if seen.body.get("stream"):
        for step in _stream([b'data: {"choices":[{"delta":\n\n']):
            yield step
    else:
        yield wire.plain(wire.answer(fake.text, fake.usage)[:-20])


async def error_in_200(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """An error object where an answer belongs."""
    error = {"error": {"message": "upstream failed", "code": 503}}
    if seen.body.get("stream"):
        for step in _stream([wire.event(error)]):
            yield step
    else:
        yield wire.plain(json.dumps(error).encode())


async def error_in_stream(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """An error object after some output."""
    error = {"error": {"message": "upstream failed", "type": "server_error"}, "choices": []}
    for step in _stream([*wire.events(fake.text, fake.usage)[:4], wire.event(error)]):
        yield step


async def hang(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Never says anything."""
    yield FOREVER


async def hang_after(fake: FakeProvider, seen: Seen, count: int) -> AsyncIterator[Step]:
    """Falls silent after so many events (1 is the role alone)."""
    yield wire.stream_head()
    for event in wire.events(fake.text, fake.usage)[:count]:
        yield wire.piece(event)
    yield FOREVER


async def cut_head(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Hangs up without a word."""
    yield 0.0
    yield None


async def stale(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Answers the first request of each connection and hangs up at the second, as after an idle time."""
    if seen.on_connection > 1:
        yield None
    async for step in ok(fake, seen, 0):
        yield step


async def cut_body(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Hangs up in the middle of a plain answer."""
    answer = wire.plain(wire.answer(fake.text, fake.usage))
    yield answer[: len(answer) - 30]
    yield 0.02
    yield None


async def cut_after(fake: FakeProvider, seen: Seen, count: int) -> AsyncIterator[Step]:
    """Hangs up after so many events of a stream (1 is the role alone)."""
    yield wire.stream_head()
    for event in wire.events(fake.text, fake.usage, usage_on="every")[:count]:
        yield wire.piece(event)
    yield 0.02
    yield None


async def cut_at_once_after(fake: FakeProvider, seen: Seen, count: int) -> AsyncIterator[Step]:
    """Hangs up with its last event, so that both are read in one piece."""
    yield wire.stream_head() + b"".join(
        wire.piece(event) for event in wire.events(fake.text, fake.usage, usage_on="every")[:count]
    )
    yield None


async def end_after(fake: FakeProvider, seen: Seen, count: int) -> AsyncIterator[Step]:
    """Ends the body properly, but in the middle of the answer."""
    for step in _stream(wire.events(fake.text, fake.usage)[:count]):
        yield step


async def not_http(fake: FakeProvider, seen: Seen, _: int) -> AsyncIterator[Step]:
    """Speaks something else."""
    yield b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    yield 0.05
    yield None


def _stream(events: list[bytes], change: Callable[[bytes], bytes] = bytes) -> Iterator[Step]:
    yield wire.stream_head()
    for event in events:
        yield wire.piece(change(event))
    yield wire.last_piece()


BEHAVIOURS: dict[str, Behaviour] = {
    make.__name__.replace("_", "-"): make
    for make in (
        ok, slow, gated, gated_after, pace, tools, usage_with_choices, usage_every_chunk, no_usage, crlf, cr, comments,
        only_comments, multi_line, bytewise, in_one, no_done, no_finish, no_last_newline, role_flood, zipped, bomb,
        endless_line, endless_answer, status, late, once, good_key, lets_in, limits_but, no_money, too_long,
        too_long_in_words, policy, no_model, redirect, html, broken_json,
        error_in_200, error_in_stream, hang, hang_after, cut_head, stale, cut_body, cut_after,
        cut_at_once_after, end_after, not_http,
    )
}  # fmt: skip
ANSWERS_QUESTIONS = {"status", "good-key", "hang", "cut-head"}
"""Those that answer a question for the list of models as they answer calls; all others give it."""

BEHAVIOURS |= hostile.BEHAVIOURS
