"""The routes of the road: where each is, in which grammar it is asked and answers, and how its streams end."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from litestar_app.auth import Headers
from litestar_app.errors import GatewayError, Shape, error_body, error_object
from litestar_app.receipts import Receipt, last_events, splice_event
from litestar_app.requests import Features, check_names, read_request
from litestar_app.surfaces.embeddings import read_embeddings
from litestar_app.surfaces.images import read_edits, read_generations, unpack_form
from litestar_app.surfaces.messages import read_count, read_messages
from litestar_app.surfaces.rerank import read_rerank
from litestar_app.surfaces.responses import read_responses, stream_error

_NUMBER: Final = re.compile(rb'"sequence_number":\s*(\d{1,9})')
BETA: Final = "anthropic-beta"
_PASSED: Final = {
    "anthropic-version": re.compile(rb"20[0-9]{2}-[0-9]{2}-[0-9]{2}"),
    BETA: re.compile(rb"[0-9A-Za-z_., -]{1,1000}"),
}


class Surface(NamedTuple):
    """One route of the road. `name` is what SQL and the worker know it by; `is_form`: its body is a form, not JSON."""

    name: str
    path: str
    capability: str
    reader: Callable[[bytes], Features]
    shape: Shape = "openai"
    is_form: bool = False

    def unpack(self, body: bytes, headers: Headers) -> bytes:
        """The body as JSON. Raises `InvalidRequest`."""
        return unpack_form(body, headers.get(b"content-type", b"").decode("latin-1")) if self.is_form else body

    def read(self, body: bytes) -> Features:
        """Check a body and measure it. Raises `InvalidRequest`."""
        features = self.reader(body)
        check_names(features)
        return features

    def passed_headers(self, headers: Headers) -> dict[str, str]:
        """What of the customer's headers is for the provider."""
        if self.shape != "anthropic":
            return {}
        given = ((name, headers.get(name.encode()), form) for name, form in _PASSED.items())
        return {name: value.decode() for name, value, form in given if value is not None and form.fullmatch(value)}

    @staticmethod
    def betas(passed: dict[str, str]) -> list[str] | None:
        """The beta features that the customer names."""
        return [name for part in passed.get(BETA, "").split(",") if (name := part.strip())] or None

    def last_events(self, receipt: Receipt, first_id: bytes | None, last: bytes) -> bytes:
        """The end of a whole stream, with `onevault` in it; `last` is the event that the worker kept for it."""
        if self.name in ("chat", "native"):
            return last_events(receipt, first_id)
        return splice_event(last, receipt)

    def failed_event(self, error: GatewayError, last: bytes, request_id: str) -> bytes:
        """The end of a stream that broke off; `last` is what was sent of it last."""
        if self.name == "responses":
            numbers = _NUMBER.findall(last)
            return stream_error(error_object(error)["error"], int(numbers[-1]) + 1 if numbers else 0)
        body = error_body(error, self.shape, request_id)
        if self.shape == "anthropic":
            return b"event: error\ndata: %b\n\n" % body
        return b"data: %b\n\n" % body


SURFACES: Final = (
    Surface("chat", "/v1/chat/completions", "chat", partial(read_request, "chat")),
    Surface("native", "/v1/ai/completions", "chat", partial(read_request, "native")),
    Surface("responses", "/v1/responses", "chat", read_responses),
    Surface("messages", "/v1/messages", "chat", read_messages, shape="anthropic"),
    Surface("count_tokens", "/v1/messages/count_tokens", "chat", read_count, shape="anthropic"),
    Surface("embeddings", "/v1/embeddings", "embedding", read_embeddings),
    Surface("embeddings", "/v1/ai/embeddings", "embedding", read_embeddings),
    Surface("rerank", "/v1/rerank", "rerank", read_rerank),
    Surface("rerank", "/v1/ai/rerank", "rerank", read_rerank),
    Surface("images", "/v1/images/generations", "image", read_generations),
    Surface("images", "/v1/ai/images/generations", "image", read_generations),
    Surface("image_edits", "/v1/images/edits", "image", read_edits, is_form=True),
)
