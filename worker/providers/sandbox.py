"""The provider without a network: it answers at once, always the same, so that nobody needs a key.

Its answers are in the format of the question, with usage: prompt tokens are a quarter of the prompt's bytes, a
completion token is one word. What it says depends only on the length of the prompt. A request can order how it behaves,
by `metadata` (texts, as everywhere in metadata):

    sandbox_output_tokens         how many words; more than the output limit gives finish_reason "length"
    sandbox_tokens_per_second     pace; 0 is as fast as possible
    sandbox_first_byte_ms         wait before the first word
    sandbox_error                 a status (400, 401, 429, 500, 503, …), "timeout" (never says anything),
                                  "connect" (nobody there) or "cut" (breaks off in the middle)
    sandbox_tool_call             "true": calls the first tool that was offered, with empty arguments
    sandbox_echo                  "true": repeats the last message instead of speaking of its own

It takes calls without a key and any key but those that begin with "refused", so that one can see what becomes of those.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec

from onevault.settings import Settings
from onevault.tokens import Secret
from worker.dialects.conversation import Part, Text, ToolCall, ToolResult, unspeakable
from worker.dialects.events import Begin, CallBegin, CallPiece, Event, Finish, TextPiece
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.base import Call, CallFailed, Finding, Inquiry, Output, text_bytes
from worker.providers.counting import estimate_count
from worker.providers.embeddings import read_input, wants_base64, write_embeddings
from worker.providers.refusals import classify_refusal
from worker.shapes import Attempt, Usage

MAX_OUTPUT_TOKENS: Final = 100_000
_NAME: Final = "sandbox"
_CALL: Final = "call_sandbox"
_DIMENSIONS: Final = 32
_FOREVER_SECONDS: Final = 86_400.0
_SPEECH: Final = (
    "the vault keeps every fact and no word of what was said this answer costs nothing because the sandbox "
    "made it without a model so that a newcomer can see how calls are routed priced and booked before any key is set"
)
_WORDS: Final = _SPEECH.split()


class _Orders(msgspec.Struct):
    """What a request's metadata orders; texts, since metadata holds nothing else."""

    sandbox_output_tokens: str = ""
    sandbox_tokens_per_second: str = ""
    sandbox_first_byte_ms: str = ""
    sandbox_error: str = ""
    sandbox_tool_call: str = ""
    sandbox_echo: str = ""


class _Script(msgspec.Struct):
    """What this answer will be, decided before its first word."""

    pieces: list[str]
    finish_reason: str
    tool: str | None
    prompt_tokens: int
    pace: float
    error: str

    def end(self) -> list[Event]:
        """What follows the words."""
        called: list[Event] = [] if self.tool is None else [CallBegin(0, _CALL, self.tool), CallPiece(0, "{}")]
        return [*called, Finish(self.finish_reason)]

    def note(self, attempt: Attempt) -> None:
        """What it used, as OpenAI would say it."""
        prompt, completion = self.prompt_tokens, len(self.pieces) + (self.tool is not None)
        attempt.usage = Usage(input_uncached=prompt, output=completion)
        attempt.raw_usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
        attempt.usage_source = "provider_final"


def _is_refused(key: Secret[str]) -> bool:
    return key.reveal().startswith("refused")


class SandboxProvider:
    """Answers by itself; pace and size come from the settings unless the request orders others."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = settings.sandbox_output_tokens
        self._pace = settings.sandbox_tokens_per_second
        self._first_byte_ms = settings.sandbox_first_byte_ms

    async def call(self, call: Call, attempt: Attempt, output: Output) -> None:
        """One answer; see `worker.providers.base.Provider`."""
        if call.surface == "count_tokens":
            await estimate_count(call, attempt, output)
            return
        call.note_betas(attempt)
        if call.surface == "embeddings":
            await _embed(call, attempt, output)
            return
        if call.surface not in ("chat", "native", "messages", "responses"):
            raise unspeakable("This kind of call")
        orders = _orders(call)
        script = self._script(call, orders)
        wait = _number(orders.sandbox_first_byte_ms, self._first_byte_ms) / 1000
        if wait > 0:
            await asyncio.sleep(wait)
        if call.api_key is not None and _is_refused(call.api_key):
            attempt.http_status = 401
            raise CallFailed("auth_dead")
        await _fail_as_ordered(script.error, attempt)
        attempt.http_status = 200
        if call.stream:
            await self._stream(script, attempt, output, call)
        else:
            if script.pace > 0:
                await asyncio.sleep(len(script.pieces) / script.pace)
            if script.error == "cut":
                raise CallFailed("truncated_stream")
            attempt.output_bytes = sum(map(text_bytes, script.pieces))
            script.note(attempt)
            said = [Begin(_NAME), *map(TextPiece, script.pieces), *script.end()]
            await output.send(writer_of(call).write_whole(said, attempt))
        attempt.finish_reason = script.finish_reason

    async def validate(self, inquiry: Inquiry) -> Finding:
        """See `worker.providers.base.Provider`."""
        return "refused" if _is_refused(inquiry.api_key) else "accepted"

    async def _stream(self, script: _Script, attempt: Attempt, output: Output, call: Call) -> None:
        writer = writer_of(call)
        cut = len(script.pieces) // 2 if script.error == "cut" else None
        ready = [writer.write(Begin(_NAME))]
        for number, piece in enumerate(script.pieces):
            if number == cut:
                break
            if script.pace > 0 and number:
                await asyncio.sleep(1 / script.pace)
            ready.append(writer.write(TextPiece(piece)))
            attempt.output_bytes += text_bytes(piece)
            if script.pace > 0:
                await output.send(b"".join(ready))
                ready.clear()
        if cut is not None:
            if len(ready) > 1:
                await output.send(b"".join(ready))
            raise CallFailed("truncated_stream")
        ready += map(writer.write, script.end())
        script.note(attempt)
        rest, last = writer.end(attempt)
        await output.send(b"".join([*ready, rest]))
        if last:
            output.hold(last)

    def _script(self, call: Call, orders: _Orders) -> _Script:
        talk = read_conversation(call)
        asked = _size([*talk.system, *(part for turn in talk.turns for part in turn.parts)])
        asked += sum(len(call.fields[name]) for name in ("tools", "response_format") if name in call.fields)
        wanted = int(_number(orders.sandbox_output_tokens, self._tokens))
        limit = call.output_limit
        allowed = wanted if limit is None else min(wanted, limit)
        tool = talk.tools[0].name if orders.sandbox_tool_call == "true" and talk.tools else None
        said = talk.turns[-1].parts[-1] if talk.turns and talk.turns[-1].parts else None
        if tool is not None:
            pieces: list[str] = []
        elif orders.sandbox_echo == "true" and isinstance(said, Text):
            words = said.text.split(" ")
            wanted, allowed = len(words), min(len(words), limit if limit is not None else len(words))
            pieces = _spaced(words[:allowed])
        else:
            seed = zlib.crc32(b"%d" % asked)
            pieces = _spaced([_WORDS[(seed + i) % len(_WORDS)] for i in range(min(allowed, MAX_OUTPUT_TOKENS))])
        reason = "tool_calls" if tool is not None else "length" if wanted > allowed else "stop"
        return _Script(
            pieces=pieces,
            finish_reason=reason,
            tool=tool,
            prompt_tokens=-(-asked // 4),
            pace=_number(orders.sandbox_tokens_per_second, self._pace),
            error=orders.sandbox_error,
        )


async def _fail_as_ordered(error: str, attempt: Attempt) -> None:
    if error == "timeout":
        await asyncio.sleep(_FOREVER_SECONDS)
    if error == "connect":
        raise CallFailed("connect")
    if error.isascii() and error.isdigit() and 400 <= int(error) <= 599:
        attempt.http_status = int(error)
        if attempt.http_status == 429:
            attempt.retry_after_ms = 1000
        body = b'{"error":{"message":"The sandbox was told to refuse this request.","type":"sandbox_error"}}'
        raise classify_refusal(attempt.http_status, body, ())


def _spaced(words: list[str]) -> list[str]:
    return [word if number == 0 else " " + word for number, word in enumerate(words)]


def _number(text: str, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        return default
    return value if 0 <= value <= _FOREVER_SECONDS * 1000 else default


def _orders(call: Call) -> _Orders:
    raw = call.fields.get("metadata")
    if raw is not None:
        try:
            return msgspec.json.decode(raw, type=_Orders)
        except msgspec.MsgspecError:
            pass
    return _Orders()


def _size(parts: Sequence[Part]) -> int:
    """Bytes of the words in parts of a conversation."""
    size = 0
    for part in parts:
        match part:
            case Text(text=text):
                size += text_bytes(text)
            case ToolCall(name=name, arguments=arguments):
                size += text_bytes([name, arguments])
            case ToolResult(parts=inner):
                size += _size(inner)
    return size


async def _embed(call: Call, attempt: Attempt, output: Output) -> None:
    """Vectors that depend on nothing but the texts: the same text has the same direction."""
    texts = read_input(call.fields)
    raw = call.fields.get("dimensions")
    size = _DIMENSIONS if raw is None else msgspec.json.decode(raw, type=int | None) or _DIMENSIONS
    vectors = []
    for text in texts:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        numbers = [digest[place % len(digest)] - 127.5 for place in range(size)]
        length = math.hypot(*numbers)
        vectors.append([number / length for number in numbers])
    tokens = -(-text_bytes(texts) // 4)
    attempt.http_status, attempt.finish_reason = 200, "stop"
    attempt.usage, attempt.usage_source = Usage(input_uncached=tokens, output=0), "provider_final"
    attempt.raw_usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    model = call.candidate.upstream_model
    await output.send(write_embeddings(vectors, model, tokens, as_base64=wants_base64(call.fields)))
