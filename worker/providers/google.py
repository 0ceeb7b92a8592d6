"""The adapter for Google's Gemini API, and for the same models on Vertex AI.

Vertex is the same grammar at another address: its endpoint ends in the publisher's path
(`https://…/v1/projects/P/locations/L/publishers/google`), and its key is an OAuth token, sent as a bearer's.
"""

from __future__ import annotations

from typing import Any, Final

import httpx
import msgspec

from onevault.tokens import Secret
from worker.dialects.gemini_answer import MARKS, GeminiReader
from worker.dialects.gemini_request import write_gemini
from worker.dialects.translation import Translation
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.base import CONVERSATIONS, Call, CallFailed, Finding, Inquiry, not_served
from worker.providers.counting import free_of_charge, write_count
from worker.providers.embeddings import VectorsListener, input_kind, read_input, use_input
from worker.providers.http import Exchange, HttpProvider, close, finding_of, post
from worker.providers.listening import Listener, PlainListener
from worker.providers.loose import inside, read_object
from worker.providers.refusals import classify_google
from worker.providers.tally import Tally
from worker.providers.target import bearer, find_target, read_quirks
from worker.providers.usage import read_count
from worker.providers.wire import TIMEOUTS
from worker.shapes import Attempt

_TASKS: Final = {"query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT"}


class Quirks(msgspec.Struct, frozen=True):
    """How one server differs from the others: `vertex` wants the key as a bearer's token; further `headers`."""

    vertex: bool = False
    headers: dict[str, str] = {}


class GoogleProvider(HttpProvider):
    """Calls over one shared transport."""

    tier_header = "x-gemini-service-tier"

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        quirks = read_quirks(Quirks, call.candidate.settings)
        model = call.candidate.upstream_model
        listener: Listener
        stream = False
        if call.surface == "embeddings":
            model, _ = input_kind(call)
            if quirks.vertex:
                body, verb, listener = _instances(call), "predict", _PredictionsListener(tally, call)
            else:
                body, verb, listener = _embeddings_body(call), "batchEmbedContents", _VectorsListener(tally, call)
        elif call.surface == "count_tokens":
            said, _ = write_gemini(read_conversation(call), model, None)
            body = said if quirks.vertex else {"generateContentRequest": {"model": f"models/{model}", **said}}
            verb, listener = "countTokens", _CountListener(tally)
        elif call.surface not in CONVERSATIONS:
            raise not_served()
        else:
            body, tally.attempt.dropped = write_gemini(read_conversation(call), model, call.output_limit)
            verb, stream = "streamGenerateContent?alt=sse" if call.stream else "generateContent", call.stream
            listener = Translation(tally, GeminiReader(tally), writer_of(call))
        url, headers = find_target(call.candidate.endpoint, f"/models/{model}:{verb}", quirks.headers)
        if call.api_key is not None:
            headers = [*headers, _authorization(call.api_key, quirks)]
        return Exchange(post(url, headers, msgspec.json.encode(body)), listener, stream)

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        failure, wait = classify_google(attempt.http_status or 500, body, MARKS)
        if wait is not None and attempt.retry_after_ms is None:
            attempt.retry_after_ms = wait
        return failure

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By the list of models, which costs nothing; see `worker.providers.base.Provider`."""
        try:
            quirks = read_quirks(Quirks, inquiry.settings)
            url, headers = find_target(inquiry.endpoint, "/models", quirks.headers)
            headers = [*headers, _authorization(inquiry.api_key, quirks)]
            response = await self.send(httpx.Request("GET", url, headers=headers, extensions=TIMEOUTS))
        except CallFailed:
            return "unreachable"
        await close(response)
        # A key that is none is a bad request here.
        return "refused" if response.status_code == 400 else finding_of(response.status_code)


class _VectorsListener(VectorsListener):
    """Vectors of Google's."""

    def vectors(self, said: dict[str, Any]) -> Any:
        """See `VectorsListener`."""
        usage = inside(said, "usageMetadata") or inside(said, "metadata")
        use_input(self.tally, usage, usage.get("promptTokenCount"))
        return [found["values"] for found in said["embeddings"]]


class _PredictionsListener(VectorsListener):
    """Vectors of Vertex', which tells the tokens of each text."""

    def vectors(self, said: dict[str, Any]) -> Any:
        """See `VectorsListener`."""
        found = [one["embeddings"] for one in said["predictions"]]
        told = [read_count(inside(one, "statistics").get("token_count")) for one in found]
        usage = {"token_count": sum(count or 0 for count in told)}
        use_input(self.tally, usage, None if None in told else usage["token_count"])
        return [one["values"] for one in found]


class _CountListener(PlainListener):
    """A count in the customer's shape."""

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        count = read_object(body).get("totalTokens")
        if not isinstance(count, int):
            raise CallFailed("server_error")
        self.tally.finish("stop")
        free_of_charge(self.tally.attempt)
        return write_count(count)


def _embeddings_body(call: Call) -> dict[str, Any]:
    model, kind = input_kind(call)
    request: dict[str, Any] = {"model": f"models/{model}"}
    if (raw := call.fields.get("dimensions")) is not None:
        request["outputDimensionality"] = raw
    if kind is not None:
        request["taskType"] = _TASKS[kind]
    return {"requests": [request | {"content": {"parts": [{"text": text}]}} for text in read_input(call.fields)]}


def _instances(call: Call) -> dict[str, Any]:
    """The texts as Vertex has them, which knows no batch of Gemini's."""
    _, kind = input_kind(call)
    task = {} if kind is None else {"task_type": _TASKS[kind]}
    body: dict[str, Any] = {"instances": [{"content": text, **task} for text in read_input(call.fields)]}
    if (raw := call.fields.get("dimensions")) is not None:
        body["parameters"] = {"outputDimensionality": raw}
    return body


def _authorization(key: Secret[str], quirks: Quirks) -> tuple[bytes, bytes]:
    if quirks.vertex:
        return bearer(key)
    return b"x-goog-api-key", key.reveal().encode()
