"""The provider without a network: it answers at once, always the same, so that nobody needs a key.

Its answers have OpenAI's format, with usage: prompt tokens are a quarter of the prompt's bytes, a completion token is
one word. What it says depends only on the length of the prompt. A request can order how it behaves, by `metadata`
(texts, as everywhere in metadata):

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
import time
import zlib
from typing import Final

import msgspec

from onevault.settings import Settings
from onevault.tokens import Secret
from worker.providers.base import Call, CallFailed, Finding, Inquiry, Output, text_bytes
from worker.providers.refusals import classify_refusal
from worker.shapes import Attempt, Usage

MAX_OUTPUT_TOKENS: Final = 100_000
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


class _Message(msgspec.Struct):
    content: object = None
    tool_calls: object = None


class _Function(msgspec.Struct):
    name: str


class _Tool(msgspec.Struct):
    function: _Function | None = None


class _Script(msgspec.Struct):
    """What this answer will be, decided before its first word."""

    pieces: list[str]
    finish_reason: str
    tool: str | None
    prompt_tokens: int
    pace: float
    error: str


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
        said = _Speaker(call, script)
        if call.stream:
            await self._stream(said, script, attempt, output, call.include_usage)
        else:
            if script.pace > 0:
                await asyncio.sleep(len(script.pieces) / script.pace)
            if script.error == "cut":
                raise CallFailed("truncated_stream")
            attempt.output_bytes = sum(map(text_bytes, script.pieces))
            await output.send(said.answer())
        attempt.finish_reason = script.finish_reason
        attempt.usage, attempt.raw_usage = said.normalised(), said.usage()
        attempt.usage_source = "provider_final"

    async def validate(self, inquiry: Inquiry) -> Finding:
        """See `worker.providers.base.Provider`."""
        return "refused" if _is_refused(inquiry.api_key) else "accepted"

    async def _stream(
        self, said: _Speaker, script: _Script, attempt: Attempt, output: Output, include_usage: bool
    ) -> None:
        cut = len(script.pieces) // 2 if script.error == "cut" else None
        ready = [said.chunk({"role": "assistant", "content": ""})]
        for number, piece in enumerate(script.pieces):
            if number == cut:
                break
            if script.pace > 0 and number:
                await asyncio.sleep(1 / script.pace)
            ready.append(said.chunk({"content": piece}))
            attempt.output_bytes += text_bytes(piece)
            if script.pace > 0:
                await output.send(b"".join(ready))
                ready.clear()
        if cut is not None:
            if len(ready) > 1:
                await output.send(b"".join(ready))
            raise CallFailed("truncated_stream")
        if script.tool is not None:
            call = {"index": 0, "id": "call_sandbox", "type": "function"}
            function = {"name": script.tool, "arguments": "{}"}
            ready.append(said.chunk({"tool_calls": [{**call, "function": function}]}))
        ready.append(said.chunk({}, script.finish_reason))
        if include_usage:
            ready.append(said.usage_chunk())
        await output.send(b"".join(ready))

    def _script(self, call: Call, orders: _Orders) -> _Script:
        messages = _messages(call)
        asked = text_bytes([m.content for m in messages]) + text_bytes([m.tool_calls for m in messages])
        asked += sum(len(call.fields[name]) for name in ("tools", "response_format") if name in call.fields)
        wanted = int(_number(orders.sandbox_output_tokens, self._tokens))
        limit = call.output_limit
        allowed = wanted if limit is None else min(wanted, limit)
        tool = _first_tool(call) if orders.sandbox_tool_call == "true" else None
        if tool is not None:
            pieces: list[str] = []
        elif orders.sandbox_echo == "true" and messages and isinstance(messages[-1].content, str):
            words = messages[-1].content.split(" ")
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


class _Speaker:
    """Puts words into OpenAI's format."""

    def __init__(self, call: Call, script: _Script) -> None:
        self._script = script
        self._model = call.candidate.upstream_model
        self._id = f"chatcmpl-sandbox-{call.request_id}"
        self._created = int(time.time())

    def usage(self) -> dict[str, object]:
        prompt, completion = self._script.prompt_tokens, self._completion_tokens()
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}

    def normalised(self) -> Usage:
        return Usage(input_uncached=self._script.prompt_tokens, output=self._completion_tokens())

    def answer(self) -> bytes:
        message: dict[str, object] = {"role": "assistant", "content": "".join(self._script.pieces), "refusal": None}
        if self._script.tool is not None:
            function = {"name": self._script.tool, "arguments": "{}"}
            message["content"] = None
            message["tool_calls"] = [{"id": "call_sandbox", "type": "function", "function": function}]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._script.finish_reason}
        return msgspec.json.encode(self._envelope("chat.completion", [choice]) | {"usage": self.usage()})

    def chunk(self, delta: dict[str, object], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _event(self._envelope("chat.completion.chunk", [choice]))

    def usage_chunk(self) -> bytes:
        return _event(self._envelope("chat.completion.chunk", []) | {"usage": self.usage()})

    def _completion_tokens(self) -> int:
        return len(self._script.pieces) + (1 if self._script.tool is not None else 0)

    def _envelope(self, kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
        envelope: dict[str, object] = {"id": self._id, "object": kind, "created": self._created}
        return envelope | {"model": self._model, "choices": choices}


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


def _event(chunk: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


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


def _messages(call: Call) -> list[_Message]:
    raw = call.fields.get("messages")
    try:
        if raw is not None:
            return msgspec.json.decode(raw, type=list[_Message])
        prompt = call.fields.get("prompt")
        return [] if prompt is None else [_Message(content=msgspec.json.decode(prompt))]
    except msgspec.MsgspecError:
        raise CallFailed("bad_request", message="The messages cannot be read.", param="messages") from None


def _first_tool(call: Call) -> str | None:
    raw = call.fields.get("tools")
    if raw is None:
        return None
    try:
        tools = msgspec.json.decode(raw, type=list[_Tool])
    except msgspec.MsgspecError:
        return None
    return next((tool.function.name for tool in tools if tool.function is not None), None)
