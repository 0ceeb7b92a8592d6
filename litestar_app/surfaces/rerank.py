"""The grammar of rerank: Cohere's, plus our own fields."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from litestar_app.complaints import decode
from litestar_app.grammar import Metadata, Name, Ours
from litestar_app.requests import Features, check_document, cost_of, size_of

MAX_DOCUMENTS: Final = 1000
_SEARCH_DOCUMENTS: Final = 100
"""So many documents are one search, as Cohere bills them."""


class RerankRequest(Ours, kw_only=True):
    """The body of `POST /v1/rerank` and `POST /v1/ai/rerank`."""

    model: Name | None = None
    query: Annotated[str, Meta(min_length=1)]
    documents: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1, max_length=MAX_DOCUMENTS)]
    top_n: Annotated[int, Meta(ge=1)] | None = None
    max_tokens_per_doc: Annotated[int, Meta(ge=1)] | None = None
    metadata: Metadata | None = None


_decoder: Final = msgspec.json.Decoder(RerankRequest)


def read_rerank(body: bytes) -> Features:
    """Check the body of a call and measure it. Raises `InvalidRequest`."""
    check_document(body)
    request: RerankRequest = decode(_decoder, body)
    count = len(request.documents)
    return Features(
        request_type=request.type or "rerank",
        priority=request.priority,
        model=request.model,
        stream=False,
        include_usage=False,
        tools=False,
        vision=False,
        structured=False,
        # The question is read once with each document.
        prompt_bytes=count * size_of(request.query) + sum(map(size_of, request.documents)),
        images=0,
        messages=1,
        max_output_tokens=1,
        choices=1,
        max_cost=cost_of(request.max_cost),
        metadata=request.metadata,
        session=request.session_id or None,
        parameters=["max_tokens_per_doc"] if request.max_tokens_per_doc is not None else None,
        searches=-(-count // _SEARCH_DOCUMENTS),
    )
