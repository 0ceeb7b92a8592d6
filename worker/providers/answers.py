"""Reading answers in OpenAI's chat completions format, plain and streamed.

Chunks of a stream are looked at, never rewritten: what goes on to the customer is the bytes as they
came, less `[DONE]` (the front says it, after the booking) and less a usage chunk nobody asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Literal

import httpx
import msgspec

from worker.providers.base import LABELS, CallFailed, Output, text_bytes
from worker.providers.refusals import classify_error_object
from worker.providers.sse import EventCutter, EventTooLong, read_data
from worker.providers.usage import keep_numbers, normalise_openai_usage
from worker.providers.wire import MAX_ANSWER_BYTES, read_pieces, read_rest
from worker.shapes import Attempt

HELD_EVENTS: Final = 64
HELD_BYTES: Final = 256 * 1024
_TRAILER_SECONDS: Final = 0.05

_FINISH_REASONS: Final = frozenset(("stop", "length", "tool_calls", "content_filter", "function_call"))


class _Choice(msgspec.Struct):
    index: int = 0
    delta: dict[str, object] | None = None
    message: dict[str, object] | None = None
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    """An answer or a chunk of one, as far as the gateway looks."""

    choices: list[_Choice] | None = None
    usage: dict[str, object] | None = None
    error: object = None


_decoder: Final = msgspec.json.Decoder(_Answer)


async def read_plain(
    response: httpx.Response, attempt: Attempt, output: Output, context_marks: tuple[str, ...]
) -> None:
    """Read a whole answer, note its usage, pass it on untouched. Raises `CallFailed`."""
    pieces: list[bytes] = []
    async for piece in read_pieces(response, MAX_ANSWER_BYTES):
        output.alive()
        pieces.append(piece)
    body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    answer = _decode(body)
    if answer is None:
        raise CallFailed("server_error")
    if answer.error is not None:
        raise classify_error_object(answer.error, context_marks)
    if answer.choices is None:
        raise CallFailed("server_error")
    for choice in answer.choices:
        if choice.message:
            attempt.output_bytes += text_bytes(choice.message)
        if choice.finish_reason is not None:
            attempt.finish_reason = finish_reason(choice.finish_reason)
    if answer.usage is not None:
        note_usage(attempt, answer.usage, "provider_final")
    await output.send(body)


async def read_stream(
    response: httpx.Response,
    attempt: Attempt,
    output: Output,
    include_usage: bool,
    context_marks: tuple[str, ...],
) -> None:
    """Pass a stream on, event by event, and note what it used. Raises `CallFailed`.

    Events before the first real output are held back, so that another candidate may still answer. When the call is
    cancelled, what has come by then is counted, though it goes nowhere.
    """
    reader = _StreamReader(attempt, output, include_usage, context_marks)
    cutter = EventCutter()
    try:
        await _read_events(response, reader, cutter)
    except asyncio.CancelledError:
        with contextlib.suppress(EventTooLong, CallFailed):
            async for piece in read_rest(response, MAX_ANSWER_BYTES):
                reader.count(cutter.feed(piece))
        raise
    finally:
        reader.complete_usage()


async def _read_events(response: httpx.Response, reader: _StreamReader, cutter: EventCutter) -> None:
    pieces = read_pieces(response, MAX_ANSWER_BYTES)
    try:
        async for piece in pieces:
            await reader.take(cutter.feed(piece))
            if reader.done:
                break
    except EventTooLong:
        raise CallFailed("server_error") from None
    if reader.done:
        # The connection can serve again if the body's end is read; it has mostly come already.
        try:
            async with asyncio.timeout(_TRAILER_SECONDS):
                async for _ in pieces:
                    pass
        except TimeoutError:
            pass
    else:
        last = cutter.close()
        if last is not None:
            await reader.take([last])
    await reader.close()


class _StreamReader:
    """The state of one stream: what is held back, what was said, what finished."""

    def __init__(self, attempt: Attempt, output: Output, include_usage: bool, marks: tuple[str, ...]) -> None:
        self.done = False
        self._attempt = attempt
        self._output = output
        self._include_usage = include_usage
        self._marks = marks
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._begun = False
        self._flowing = False
        self._open: set[int] = set()
        self._finished = False
        self._bytes_at_usage = 0

    async def take(self, events: list[bytes]) -> None:
        """Look at events that arrived together and pass them on as one piece."""
        if self._begun:
            self._output.alive()
        passed: list[bytes] = []
        failure: CallFailed | None = None
        for event in events:
            data = read_data(event)
            if data is None:
                if self._flowing:
                    passed.append(event)
                continue
            if data == b"[DONE]":
                self.done = True
                break
            try:
                keep, real = self._look(data)
            except CallFailed as error:
                failure = error
                break
            if keep:
                passed.append(event)
            if real:
                self._flowing = True
        if passed:
            await self._pass_on(passed)
        if failure is not None:
            raise failure

    def count(self, events: list[bytes]) -> None:
        """Look at events that nobody waits for any more. Raises `CallFailed`."""
        for event in events:
            data = read_data(event)
            if data == b"[DONE]" or self.done:
                self.done = True
            elif data is not None:
                self._look(data)

    def complete_usage(self) -> None:
        """Usage that was told before the last words lacks them: they are estimated, four bytes a token, as in SQL."""
        usage = self._attempt.usage
        said = self._attempt.output_bytes - self._bytes_at_usage
        if usage is not None and usage.output is not None and said > 0:
            usage.output += (said + 3) // 4
            self._attempt.usage_source = "estimated"

    async def close(self) -> None:
        """The stream has ended. Raises `CallFailed` (truncated_stream) if it was cut off."""
        if not self.done and (not self._finished or self._open):
            raise CallFailed("truncated_stream" if self._begun else "server_error")
        if self._attempt.usage is not None:
            self._attempt.usage_source = "provider_final"
        if self._held:
            self._flowing = True
            await self._pass_on([])

    async def _pass_on(self, events: list[bytes]) -> None:
        if not self._flowing:
            self._held += events
            self._held_bytes += sum(map(len, events))
            if len(self._held) < HELD_EVENTS and self._held_bytes < HELD_BYTES:
                return
            self._flowing = True
            events = []
        if self._held:
            events = [*self._held, *events]
            self._held = []
        await self._output.send(events[0] if len(events) == 1 else b"".join(events))

    def _look(self, data: bytes) -> tuple[bool, bool]:
        """Note what a chunk says. Gives: pass it on? is it real output? Raises `CallFailed`."""
        chunk = _decode(data)
        if chunk is None:
            raise CallFailed("truncated_stream" if self._flowing else "server_error")
        if chunk.error is not None:
            raise classify_error_object(chunk.error, self._marks)
        if not self._begun:
            self._begun = True
            self._output.alive()
        if chunk.usage is not None:
            note_usage(self._attempt, chunk.usage, "provider_partial")
            said = sum(text_bytes(choice.delta) for choice in chunk.choices or () if choice.delta)
            self._bytes_at_usage = self._attempt.output_bytes + said
        if not chunk.choices:
            only_usage = chunk.usage is not None and chunk.choices is not None
            return self._include_usage or not only_usage, False
        real = False
        for choice in chunk.choices:
            if choice.delta and (said := text_bytes(choice.delta)):
                self._attempt.output_bytes += said
                self._open.add(choice.index)
                real = True
            elif choice.delta and _says_more_than_role(choice.delta):
                real = True
            if choice.finish_reason is not None:
                if choice.finish_reason == "error":
                    raise CallFailed("server_error")
                self._attempt.finish_reason = finish_reason(choice.finish_reason)
                self._open.discard(choice.index)
                self._finished = True
                real = True
        return True, real


def note_usage(
    attempt: Attempt,
    said: dict[str, object],
    source: Literal["provider_final", "provider_partial"],
) -> None:
    """Keep the usage a provider gave: the last that says anything is the one that counts."""
    usage = normalise_openai_usage(said)
    if usage is not None:
        attempt.usage = usage
        attempt.usage_source = source
        attempt.raw_usage = keep_numbers(said)


def finish_reason(said: str) -> str:
    """A finish reason of the closed list; "other" for words of the provider's own."""
    return said if said in _FINISH_REASONS else "other"


def _decode(data: bytes) -> _Answer | None:
    """The typed answer; None if it is none. Odd types in fields that do not matter are let pass."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError:
        pass
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    try:
        loose = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(loose, dict):
        return None
    choices = loose.get("choices")
    usage = loose.get("usage")
    return _Answer(
        choices=[_loose_choice(c) for c in choices] if isinstance(choices, list) else None,
        usage=usage if isinstance(usage, dict) else None,
        error=loose.get("error"),
    )


def _loose_choice(said: object) -> _Choice:
    if not isinstance(said, dict):
        return _Choice()
    index, delta, message = said.get("index"), said.get("delta"), said.get("message")
    reason = said.get("finish_reason")
    return _Choice(
        index=index if isinstance(index, int) else 0,
        delta=delta if isinstance(delta, dict) else None,
        message=message if isinstance(message, dict) else None,
        finish_reason=reason if isinstance(reason, str) else None,
    )


def _says_more_than_role(delta: dict[str, object]) -> bool:
    return any(value for name, value in delta.items() if name not in LABELS)
