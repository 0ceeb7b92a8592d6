"""The adapter for Amazon Bedrock: Converse and ConverseStream, signed."""

from __future__ import annotations

import urllib.parse
from typing import Any

import httpx
import msgspec

from worker.dialects.conversation import fit_ids, fit_names
from worker.dialects.converse_answer import ConverseReader
from worker.dialects.converse_request import write_converse
from worker.dialects.translation import Translation
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.amazon import classify_amazon, find_region, is_signing, is_unknown_key, kind_of, load_signer, sign
from worker.providers.base import CONVERSATIONS, Call, CallFailed, Finding, Inquiry, Output, not_served
from worker.providers.counting import estimate_count
from worker.providers.eventstream import BROKEN, Frame, FrameCutter
from worker.providers.http import Exchange, HttpProvider, close, finding_of, post
from worker.providers.listening import Heard
from worker.providers.tally import Tally
from worker.providers.target import find_target, read_quirks
from worker.providers.wire import read_error_body
from worker.shapes import Attempt


class Quirks(msgspec.Struct, frozen=True):
    """How one endpoint differs from the others: the `region` to sign for, if its host does not name it; `headers`."""

    region: str | None = None
    headers: dict[str, str] = {}


class BedrockProvider(HttpProvider):
    """Calls over one shared transport."""

    async def call(self, call: Call, attempt: Attempt, output: Output) -> None:
        """One call; tokens are only estimated here, which asks nobody. See `worker.providers.base.Provider`."""
        if call.surface == "count_tokens":
            await estimate_count(call, attempt, output)
            return
        if call.api_key is not None and is_signing(call.api_key):
            await load_signer()
        await super().call(call, attempt, output)

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        if call.surface not in CONVERSATIONS:
            raise not_served()
        model = call.candidate.upstream_model
        talk = read_conversation(call)
        fit_ids(talk)
        names = fit_names(talk)
        body, tally.attempt.dropped = write_converse(talk, model, call.output_limit)
        request = _request(call, _path(model, stream=call.stream), msgspec.json.encode(body))
        return Exchange(request, _Framed(tally, ConverseReader(tally), writer_of(call), names), call.stream)

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        return classify_amazon(attempt.http_status, kind_of(headers), body)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By a call that says nothing: it is refused for that, but only after its key; see `Provider`."""
        if is_signing(inquiry.api_key):
            await load_signer()
        try:
            response = await self.send(_request(inquiry, _path("none", stream=False), b"{}"))
        except CallFailed:
            return "unreachable"
        try:
            await read_error_body(response)
        finally:
            await close(response)
        status, kind = response.status_code, kind_of(response.headers)
        if status in (400, 404) and not is_unknown_key(kind):
            return "accepted"
        if status == 403 and is_signing(inquiry.api_key) and not is_unknown_key(kind):
            return "accepted"  # it is known, and may not call this model
        return "refused" if status == 400 else finding_of(status)


class _Framed(Translation):
    """A translation of a stream of frames."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.cutter = FrameCutter()

    def hear(self, event: Any) -> Heard:
        """See `Listener`."""
        frame: Frame = event
        if frame is BROKEN:
            raise CallFailed("server_error")
        heard = self.understand(frame, frame.payload)
        self.begun = True
        return heard


def _request(asked: Call | Inquiry, path: str, body: bytes) -> httpx.Request:
    """A request that is signed, if there is a key."""
    who = asked.candidate if isinstance(asked, Call) else asked
    quirks = read_quirks(Quirks, who.settings)
    url, headers = find_target(who.endpoint, path, quirks.headers)
    if asked.api_key is not None:
        region = find_region(quirks.region, url.host) if is_signing(asked.api_key) else ""
        headers = sign(asked.api_key, "bedrock", region, url, headers, body)
    return post(url, headers, body)


def _path(model: str, *, stream: bool) -> str:
    return f"/model/{urllib.parse.quote(model, safe='')}/{'converse-stream' if stream else 'converse'}"
