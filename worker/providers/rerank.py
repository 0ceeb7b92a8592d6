"""Rerank: Cohere's question and answer, which are the customer's too, and others' answers in that shape."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec

from worker.providers.base import NOT_UPSTREAM, Call, CallFailed
from worker.providers.listening import PlainListener
from worker.providers.loose import inside, read_object
from worker.providers.usage import normalise_cohere_usage
from worker.shapes import Attempt

FIELDS: Final = ("query", "documents", "top_n", "max_tokens_per_doc")
_OURS: Final = ("model", "metadata", "stream")


def rerank_fields(call: Call, attempt: Attempt, known: Collection[str] = FIELDS) -> dict[str, Any]:
    """The customer's question without its model and what is not known there, which is named."""
    attempt.dropped = sorted(set(call.wishes).difference(known, NOT_UPSTREAM, _OURS))
    return {name: call.fields[name] for name in known if name in call.wishes and name not in NOT_UPSTREAM}


class RerankListener(PlainListener):
    """Listens to an answer of Cohere's, which passes on untouched."""

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        said = read_object(body)
        if not isinstance(said.get("results"), list):
            raise CallFailed("server_error")
        meta = inside(said, "meta")
        self.tally.use(normalise_cohere_usage(meta), meta)
        self.tally.finish("stop")
        return body


def write_ranks(name: str, said: dict[str, Any], tokens: int | None) -> bytes:
    """Ranks as Cohere tells them, from a list with its words for each. Raises `CallFailed`."""
    try:
        results = [
            {"index": int(found["index"]), "relevance_score": float(found["relevance_score"])} for found in said["data"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise CallFailed("server_error") from None
    meta: dict[str, Any] = {"api_version": {"version": "2"}}
    if tokens is not None:
        meta["billed_units"] = {"input_tokens": tokens}
    return msgspec.json.encode({"id": name, "results": results, "meta": meta})
