"""The grammar of embeddings: OpenAI's, plus our own fields.

`input_type` is for providers that embed questions and documents apart: `query` or `document`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from litestar_app.complaints import decode
from litestar_app.errors import InvalidRequest
from litestar_app.grammar import Metadata, Name, Ours
from litestar_app.requests import Features, check_document, cost_of, size_of

_BYTES_PER_TOKEN: Final = 4
_Token = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class EmbeddingsRequest(Ours, kw_only=True):
    """The body of `POST /v1/embeddings` and `POST /v1/ai/embeddings`."""

    model: Name | None = None
    input: str | Annotated[list[str | _Token | list[_Token]], Meta(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1, le=65536)] | None = None
    input_type: Literal["query", "document"] | None = None
    user: Annotated[str, Meta(max_length=512)] | None = None
    metadata: Metadata | None = None


_decoder: Final = msgspec.json.Decoder(EmbeddingsRequest)


def read_embeddings(body: bytes) -> Features:
    """Check the body of a call and measure it. Raises `InvalidRequest`."""
    check_document(body)
    request: EmbeddingsRequest = decode(_decoder, body)
    given = request.input
    size, tokens = 0, False
    texts: list[str | int | list[int]] = [given] if isinstance(given, str) else given
    for text in texts:
        if isinstance(text, str):
            if not text:
                raise InvalidRequest("`input` holds an empty text.", "input")
            size += size_of(text)
        else:
            tokens = True
            size += _BYTES_PER_TOKEN * (1 if isinstance(text, int) else len(text))
    return Features(
        request_type=request.type or "embedding",
        priority=request.priority,
        model=request.model,
        stream=False,
        include_usage=False,
        tools=False,
        vision=False,
        structured=False,
        prompt_bytes=size,
        images=0,
        messages=len(texts) if not tokens else 1,
        max_output_tokens=1,
        choices=1,
        max_cost=cost_of(request.max_cost),
        metadata=request.metadata,
        session=request.session_id or None,
        # Tokens mean something to their maker only.
        needs=["token_input"] if tokens else None,
        inputs=_count_inputs(given),
        parameters=["dimensions"] if request.dimensions is not None else None,
    )


def _count_inputs(given: str | list[str | int | list[int]]) -> int | None:
    """How many vectors are asked for; None for one. A list of numbers is one text in tokens."""
    if isinstance(given, str) or len(given) == 1 or isinstance(given[0], int):
        return None
    return len(given)
