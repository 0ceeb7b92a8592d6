"""One HTTP call to one provider, whatever its grammar: sent, watched, read, and its failures as classes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from typing import ClassVar, Final, NamedTuple

import httpx

from worker.providers.base import Call, CallFailed, Finding, Output, Transport
from worker.providers.listening import Listener, read_plain, read_stream
from worker.providers.refusals import classify_refusal
from worker.providers.tally import Tally
from worker.providers.target import Headers
from worker.providers.wire import (
    TIMEOUTS,
    WIRE_ERRORS,
    classify_wire_error,
    read_error_body,
    read_retry_after,
    was_hung_up,
)
from worker.shapes import Attempt

# A server that hangs up later than this after it was asked has had the request.
_STALE_SECONDS: Final = 0.5
# What lies in the socket is read in one turn of the loop and understood in the next.
_LAST_TURNS: Final = 3

GUARDED: Final = "guarded"
"""Extension of a request whose address is a customer's word (see `worker.guard`)."""


class Exchange(NamedTuple):
    """A prepared request and who understands its answer. `stream`: the answer comes in events."""

    request: httpx.Request
    listener: Listener
    stream: bool


class HttpProvider:
    """Calls over one shared transport. A kind of provider adds its grammar: `exchange`, and how it refuses."""

    tier_header: ClassVar[str | None] = None
    """Where an answer's head names the service tier by which it was served, if it does."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def call(self, call: Call, attempt: Attempt, output: Output) -> None:
        """One call; see `worker.providers.base.Provider`."""
        tally = Tally(attempt)
        request, listener, stream = self.exchange(call, tally)
        call.note_betas(attempt, self.betas(call))
        if call.candidate.guarded:
            request.extensions = {**request.extensions, GUARDED: True}
        response = await (self._send_apart(request) if stream else self.send(request))
        try:
            attempt.http_status = response.status_code
            if response.status_code != 200:
                attempt.retry_after_ms = read_retry_after(response.headers)
                raise self.refusal(call, attempt, response.headers, await read_error_body(response))
            if self.tier_header is not None:
                tally.serve(response.headers.get(self.tier_header))
            await (read_stream if stream else read_plain)(response, listener, output)
        except WIRE_ERRORS as error:
            raise CallFailed(classify_wire_error(error, begun=True)) from None
        except RecursionError:  # JSON so deep that it can be read, but not written again
            raise CallFailed("server_error") from None
        finally:
            await close(response)

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """What to send for a call, and who listens. Raises `CallFailed` for what this provider cannot be asked."""
        raise NotImplementedError

    def betas(self, call: Call) -> Collection[str]:
        """Those of the beta features that a call names which this provider is told of."""
        return ()

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """What an error response means; `attempt` has its status."""
        return classify_refusal(attempt.http_status or 500, body, ())

    async def ask(self, url: httpx.URL, headers: Headers) -> Finding:
        """What the answer to a GET that needs a key says about it. Raises `CallFailed`."""
        response = await self.send(httpx.Request("GET", url, headers=headers, extensions=TIMEOUTS))
        await close(response)
        return finding_of(response.status_code)

    async def _send_apart(self, request: httpx.Request) -> httpx.Response:
        """As `send`, but when the call is cancelled just as the head comes, the head is not lost with it.

        The cancellation then takes its effect in the reading, which counts what has come.
        """
        sending = asyncio.get_running_loop().create_task(self.send(request))
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

    async def send(self, request: httpx.Request) -> httpx.Response:
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


def post(url: httpx.URL, headers: Headers, body: bytes) -> httpx.Request:
    """A POST request that is ready to be sent."""
    # A stream that is read at once skips what httpx does to find out about `content`; aiohttp adds host and length.
    request = httpx.Request("POST", url, headers=headers, stream=httpx.ByteStream(body), extensions=TIMEOUTS)
    request.read()
    return request


def finding_of(status: int) -> Finding:
    """What the status of an answer that needs a key says about it."""
    if status in (401, 403):
        return "refused"
    if status == 429 or status == 408 or status >= 500:
        return "unreachable"
    return "accepted" if 200 <= status < 300 else "unsupported"


async def close(response: httpx.Response) -> None:
    """Give the connection back, or drop it if the answer was not read to its end."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    with contextlib.suppress(*WIRE_ERRORS):
        await stream.aclose()
