"""The adapter for Cohere's own API: chat, embeddings and rerank. What it bills is booked, not what it read."""

from __future__ import annotations

from typing import Any, Final

import httpx
import msgspec

from worker.dialects.cohere_answer import CohereReader
from worker.dialects.cohere_request import write_cohere
from worker.dialects.translation import Translation
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.base import CONVERSATIONS, Call, CallFailed, Finding, Inquiry, Output, not_served
from worker.providers.counting import estimate_count
from worker.providers.embeddings import VectorsListener, input_kind, read_input
from worker.providers.http import Exchange, HttpProvider, post
from worker.providers.listening import Listener
from worker.providers.loose import inside
from worker.providers.refusals import classify_cohere
from worker.providers.rerank import RerankListener, rerank_fields
from worker.providers.tally import Tally
from worker.providers.target import bearer, find_target, read_quirks
from worker.providers.usage import normalise_cohere_usage
from worker.shapes import Attempt

_KINDS: Final = {"query": "search_query", "document": "search_document"}


class Quirks(msgspec.Struct, frozen=True):
    """How one endpoint differs from the others: further `headers`; `models`, the path where a key can be tried."""

    headers: dict[str, str] = {}
    models: str = "/models"


class CohereProvider(HttpProvider):
    """Calls over one shared transport."""

    async def call(self, call: Call, attempt: Attempt, output: Output) -> None:
        """One call; tokens are only estimated here, which asks nobody. See `worker.providers.base.Provider`."""
        if call.surface == "count_tokens":
            await estimate_count(call, attempt, output)
        else:
            await super().call(call, attempt, output)

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        quirks = read_quirks(Quirks, call.candidate.settings)
        listener: Listener
        model, stream = call.candidate.upstream_model, False
        if call.surface == "embeddings":
            model, kind = input_kind(call)
            body, path, listener = _embed_body(call, kind), "/embed", _VectorsListener(tally, call)
        elif call.surface == "rerank":
            body, path, listener = rerank_fields(call, tally.attempt), "/rerank", RerankListener(tally)
        elif call.surface in CONVERSATIONS:
            body, tally.attempt.dropped = write_cohere(read_conversation(call), call.output_limit)
            path, stream, listener = "/chat", call.stream, Translation(tally, CohereReader(tally), writer_of(call))
            body |= {"stream": True} if stream else {}
        else:
            raise not_served()
        url, headers = find_target(call.candidate.endpoint, path, quirks.headers)
        if call.api_key is not None:
            headers = [*headers, bearer(call.api_key)]
        return Exchange(post(url, headers, msgspec.json.encode({"model": model, **body})), listener, stream)

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        return classify_cohere(attempt.http_status or 500, body)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By the list of models of its first version, which costs nothing; see `worker.providers.base.Provider`."""
        try:
            quirks = read_quirks(Quirks, inquiry.settings)
            endpoint = inquiry.endpoint.rstrip("/").removesuffix("/v2") + "/v1"
            url, headers = find_target(endpoint, quirks.models, quirks.headers)
            return await self.ask(url, [*headers, bearer(inquiry.api_key)])
        except CallFailed:
            return "unreachable"


class _VectorsListener(VectorsListener):
    """Vectors of Cohere's."""

    def vectors(self, said: dict[str, Any]) -> Any:
        """See `VectorsListener`."""
        meta = inside(said, "meta")
        self.tally.use(normalise_cohere_usage(meta), meta)
        return inside(said, "embeddings").get("float")


def _embed_body(call: Call, kind: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"texts": read_input(call.fields), "embedding_types": ["float"]}
    body["input_type"] = _KINDS.get(kind or "", "search_document")
    if (size := call.fields.get("dimensions")) is not None:
        body["output_dimension"] = size
    return body
