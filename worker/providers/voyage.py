"""The adapter for Voyage: embeddings and rerank."""

from __future__ import annotations

from typing import Any, Final

import httpx
import msgspec

from worker.providers.base import Call, CallFailed, Finding, Inquiry, not_served
from worker.providers.embeddings import VectorsListener, input_kind, read_input, use_input
from worker.providers.http import Exchange, HttpProvider, close, finding_of, post
from worker.providers.listening import PlainListener
from worker.providers.loose import inside, objects, read_object
from worker.providers.refusals import classify_refusal
from worker.providers.rerank import rerank_fields, write_ranks
from worker.providers.tally import Tally
from worker.providers.target import bearer, find_target, read_quirks
from worker.shapes import Attempt

_MARKS: Final = ("max allowed tokens", "context length", "too many tokens")


class Quirks(msgspec.Struct, frozen=True):
    """How one endpoint differs from the others: further `headers`."""

    headers: dict[str, str] = {}


class VoyageProvider(HttpProvider):
    """Calls over one shared transport."""

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        if call.surface == "embeddings":
            return _request(call, "/embeddings", _embed_body(call), _VectorsListener(tally, call))
        if call.surface == "rerank":
            asked = rerank_fields(call, tally.attempt, ("query", "documents", "top_n"))
            if "top_n" in asked:
                asked["top_k"] = asked.pop("top_n")
            model = {"model": call.candidate.upstream_model}
            return _request(call, "/rerank", model | asked, _RanksListener(tally, call))
        raise not_served()

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        return classify_refusal(attempt.http_status or 500, body, _MARKS)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By a question without a text, which is refused, but only after its key; see `Provider`."""
        try:
            quirks = read_quirks(Quirks, inquiry.settings)
            url, headers = find_target(inquiry.endpoint, "/embeddings", quirks.headers)
            headers = [*headers, bearer(inquiry.api_key)]
            response = await self.send(post(url, headers, b'{"input":[],"model":"voyage-4-lite"}'))
        except CallFailed:
            return "unreachable"
        await close(response)
        return "accepted" if response.status_code in (400, 422) else finding_of(response.status_code)


class _VectorsListener(VectorsListener):
    """Vectors of Voyage's."""

    def vectors(self, said: dict[str, Any]) -> Any:
        """See `VectorsListener`."""
        use_input(self.tally, inside(said, "usage"))
        found = sorted(objects(said.get("data")), key=lambda one: int(one["index"]))
        return [one["embedding"] for one in found]


class _RanksListener(PlainListener):
    """Ranks in the customer's shape."""

    def __init__(self, tally: Tally, call: Call) -> None:
        super().__init__(tally)
        self._name = call.request_id

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        said = read_object(body)
        use_input(self.tally, inside(said, "usage"))
        self.tally.finish("stop")
        usage = self.tally.attempt.usage
        return write_ranks(self._name, said, None if usage is None else usage.input_uncached)


def _embed_body(call: Call) -> dict[str, Any]:
    model, kind = input_kind(call)
    body: dict[str, Any] = {"model": model, "input": read_input(call.fields)}
    if kind is not None:
        body["input_type"] = kind
    if (size := call.fields.get("dimensions")) is not None:
        body["output_dimension"] = size
    return body


def _request(call: Call, path: str, body: dict[str, Any], listener: PlainListener) -> Exchange:
    quirks = read_quirks(Quirks, call.candidate.settings)
    url, headers = find_target(call.candidate.endpoint, path, quirks.headers)
    if call.api_key is not None:
        headers = [*headers, bearer(call.api_key)]
    return Exchange(post(url, headers, msgspec.json.encode(body)), listener, stream=False)
