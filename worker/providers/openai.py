"""The adapter for every server that speaks OpenAI's chat completions.

What differs between such servers is data: `Quirks`, read from the candidate's settings. The
customer's JSON is opened at the top level only; everything below goes upstream as it came.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from typing import Final

import httpx
import msgspec

from onevault.tokens import Secret
from worker.providers.answers import read_plain, read_stream
from worker.providers.base import Call, CallFailed, Finding, Inquiry, Output, Transport
from worker.providers.refusals import classify_refusal
from worker.providers.wire import (
    TIMEOUTS,
    WIRE_ERRORS,
    classify_wire_error,
    read_error_body,
    read_retry_after,
    was_hung_up,
)
from worker.shapes import Attempt

_NOT_UPSTREAM: Final = ("type", "priority", "max_cost", "session_id", "prompt", "max_tokens", "stream_options")
_LIMITS: Final = ("max_tokens", "max_completion_tokens")
_MODELS: Final = "/models"
_TRUE: Final = msgspec.Raw(b"true")
_USER_AGENT: Final = "onevault"
# A server that hangs up later than this after it was asked has had the request.
_STALE_SECONDS: Final = 0.5
# What lies in the socket is read in one turn of the loop and understood in the next.
_LAST_TURNS: Final = 3


class Quirks(msgspec.Struct, frozen=True):
    """How one OpenAI-compatible server differs from the others.

    `max_tokens_field`: the name it knows the output limit by. `stream_usage`: it accepts
    `stream_options`. `path` and `query` complete the endpoint. The key goes in `auth_header` after
    `auth_prefix`. `drop`: fields that it refuses. `fields`: fields to add where the customer set
    none. `context_marks`: its words for a prompt that is too long, if it has no code for it.
    """

    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    path: str = "/chat/completions"
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    auth_header: str = "authorization"
    auth_prefix: str = "Bearer "
    drop: list[str] = []
    fields: dict[str, msgspec.Raw] = {}
    context_marks: tuple[str, ...] = ("maximum context length",)


class OpenAIProvider:
    """Calls over one shared transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def call(self, call: Call, attempt: Attempt, output: Output) -> None:
        """One call; see `worker.providers.base.Provider`."""
        target = _target(call.candidate.endpoint or "", bytes(call.candidate.settings))
        request = _request(call, target)
        response = await (self._send_apart(request) if call.stream else self._send(request))
        try:
            attempt.http_status = response.status_code
            if response.status_code != 200:
                attempt.retry_after_ms = read_retry_after(response.headers)
                body = await read_error_body(response)
                raise classify_refusal(response.status_code, body, target.quirks.context_marks)
            if call.stream:
                await read_stream(response, attempt, output, call.include_usage, target.quirks.context_marks)
            else:
                await read_plain(response, attempt, output, target.quirks.context_marks)
        except WIRE_ERRORS as error:
            raise CallFailed(classify_wire_error(error, begun=True)) from None
        finally:
            await _close(response)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By the list of models, which costs nothing; see `worker.providers.base.Provider`."""
        try:
            target = _target(inquiry.endpoint, bytes(inquiry.settings))
            url = httpx.URL(inquiry.endpoint.rstrip("/") + _MODELS).copy_merge_params(target.quirks.query)
            headers = [*target.headers, _authorization(inquiry.api_key, target.quirks)]
            request = httpx.Request("GET", url, headers=headers, extensions=TIMEOUTS)
            response = await self._send(request)
        except CallFailed:
            return "unreachable"
        await _close(response)
        status = response.status_code
        if status in (401, 403):
            return "refused"
        if status == 429 or status == 408 or status >= 500:
            return "unreachable"
        return "accepted" if 200 <= status < 300 else "unsupported"

    async def _send_apart(self, request: httpx.Request) -> httpx.Response:
        """As `_send`, but when the call is cancelled just as the head comes, the head is not lost with it.

        The cancellation then takes its effect in the reading, which counts what has come.
        """
        sending = asyncio.get_running_loop().create_task(self._send(request))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            for _ in range(_LAST_TURNS):
                if not sending.done():
                    await asyncio.sleep(0)
            task = asyncio.current_task()
            if task is None or not sending.done() or sending.cancelled() or sending.exception() is not None:
                sending.cancel()
                raise
            task.uncancel()
            task.cancel()  # once more, at the first wait of the reading
            return sending.result()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """The response's head. A connection that the server had given up meanwhile is replaced once, unseen."""
        began = time.monotonic()
        try:
            return await self._transport.handle_async_request(request)
        except WIRE_ERRORS as error:
            if not was_hung_up(error) or time.monotonic() - began > _STALE_SECONDS:
                raise CallFailed(classify_wire_error(error, begun=False)) from None
        try:
            return await self._transport.handle_async_request(request)
        except WIRE_ERRORS as error:
            raise CallFailed(classify_wire_error(error, begun=False)) from None


def upstream_body(call: Call, quirks: Quirks) -> bytes:
    """The customer's JSON as this server wants it.

    The model is the candidate's, a native `prompt` becomes a message, our own fields are gone, the
    output limit is there under the server's name for it, and streams are asked for their usage.
    """
    given = call.fields
    fields = {name: value for name, value in given.items() if name not in _NOT_UPSTREAM}
    fields["model"] = msgspec.Raw(msgspec.json.encode(call.candidate.upstream_model))
    prompt = given.get("prompt")
    if prompt is not None and "messages" not in given:
        message = b'[{"role":"user","content":' + bytes(prompt) + b"}]"
        fields["messages"] = msgspec.Raw(message)
    if call.surface == "native" or bytes(given.get("store", b"")) != b"true":
        # On the native surface it is the customer's label for routing; elsewhere OpenAI accepts
        # it only for what it is to store.
        fields.pop("metadata", None)
    fields.pop("max_completion_tokens", None)
    limit = output_limit(call)
    if limit is not None:
        fields[quirks.max_tokens_field] = msgspec.Raw(b"%d" % limit)
    if call.stream:
        fields["stream"] = _TRUE
        if quirks.stream_usage:
            fields["stream_options"] = _stream_options(given.get("stream_options"))
    else:
        fields.pop("stream", None)
    for name in quirks.drop:
        fields.pop(name, None)
    for name, value in quirks.fields.items():
        fields.setdefault(name, value)
    return msgspec.json.encode(fields)


def output_limit(call: Call) -> int | None:
    """The smallest of the limits that the customer and the candidate name; None if none does."""
    limits = [] if call.candidate.max_output_tokens is None else [call.candidate.max_output_tokens]
    for name in _LIMITS:
        raw = call.fields.get(name)
        if raw is not None:
            try:
                limits.append(msgspec.json.decode(raw, type=int))
            except msgspec.MsgspecError:
                continue  # null, or for the front to have refused
    return min(limits) if limits else None


class _Target(msgspec.Struct, frozen=True):
    url: httpx.URL
    headers: list[tuple[bytes, bytes]]
    quirks: Quirks


@functools.lru_cache(maxsize=1024)
def _target(endpoint: str, settings: bytes) -> _Target:
    """Where to send, prepared once for each endpoint and its settings."""
    try:
        quirks = msgspec.json.decode(settings, type=Quirks)
        url = httpx.URL(endpoint.rstrip("/") + quirks.path)
        if quirks.query:
            url = url.copy_merge_params(quirks.query)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError
    except (msgspec.MsgspecError, httpx.InvalidURL, ValueError):
        raise CallFailed("connect") from None
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": _USER_AGENT,
        **{name.lower(): value for name, value in quirks.headers.items()},
    }
    return _Target(url, [(n.encode(), v.encode()) for n, v in headers.items()], quirks)


def _authorization(key: Secret[str], quirks: Quirks) -> tuple[bytes, bytes]:
    return quirks.auth_header.encode(), (quirks.auth_prefix + key.reveal()).encode()


def _request(call: Call, target: _Target) -> httpx.Request:
    headers = target.headers
    if call.api_key is not None:
        headers = [*headers, _authorization(call.api_key, target.quirks)]
    # A stream that is read at once skips what httpx does to find out about `content`; aiohttp adds host and length.
    body = httpx.ByteStream(upstream_body(call, target.quirks))
    request = httpx.Request("POST", target.url, headers=headers, stream=body, extensions=TIMEOUTS)
    request.read()
    return request


def _stream_options(given: msgspec.Raw | None) -> msgspec.Raw:
    options: dict[str, object] = {}
    if given is not None:
        try:
            options = msgspec.json.decode(given, type=dict[str, object])
        except msgspec.MsgspecError:
            options = {}
    options["include_usage"] = True
    return msgspec.Raw(msgspec.json.encode(options))


async def _close(response: httpx.Response) -> None:
    """Give the connection back, or drop it if the answer was not read to its end."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    with contextlib.suppress(*WIRE_ERRORS):
        await stream.aclose()
