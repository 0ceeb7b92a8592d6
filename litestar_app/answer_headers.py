"""The headers of the contract that an answer of the road begins with."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from litestar_app.receipts import duration, limited_header

if TYPE_CHECKING:
    from litestar_app.answers import Answer
    from litestar_app.calls import Decision
    from litestar_app.receipts import Receipt
    from onevault.frames import Head

RawHeaders = list[tuple[bytes, bytes]]

STREAM_HEADERS: Final[RawHeaders] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
    (b"x-onevault-cost", b"pending"),
]


def answer_headers(decision: Decision | None, source: Decision | Head | Receipt | None) -> RawHeaders:
    """Request id, provider, model and limits as far as they are known; `source` knows best who answers."""
    name = as_header((source.request_id if source else None) or str(uuid.uuid4()))
    # The second is where OpenAI's SDKs look, the third where Anthropic's do.
    headers: RawHeaders = [(b"x-onevault-request-id", name), (b"x-request-id", name), (b"request-id", name)]
    if source is not None and source.provider is not None:
        headers.append((b"x-onevault-provider", as_header(source.provider)))
    if source is not None and source.model is not None:
        headers.append((b"x-onevault-model", as_header(source.model)))
    if decision is not None and (limited := limited_header(decision)) is not None:
        headers.append((b"x-onevault-limited", limited))
    if decision is not None and decision.rate_limit is not None:
        headers += (
            (b"x-ratelimit-limit-requests", b"%d" % decision.rate_limit),
            (b"x-ratelimit-remaining-requests", b"%d" % (decision.rate_remaining or 0)),
            (b"x-ratelimit-reset-requests", duration(decision.rate_reset_ms or 0)),
        )
    return headers


def dropped_headers(answer: Answer) -> RawHeaders:
    """What of the request the provider could not be told."""
    dropped = answer.head.dropped if answer.head is not None else ""
    return [(b"x-onevault-dropped", as_header(dropped))] if dropped else []


def as_header(text: str) -> bytes:
    """A header value that no name from the database can break."""
    value = text.encode("ascii", "replace")
    return value if text.isprintable() else b"?"
