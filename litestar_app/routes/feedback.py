"""`POST /v1/ai/feedback`: how good an answer was, in a number and without a word."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Meta

from litestar_app.complaints import decode
from litestar_app.replies import ask, json_response
from litestar_app.routes.models import HEADERS

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from litestar_app.front import Front


class Feedback(msgspec.Struct, forbid_unknown_fields=True):
    """A score of a past request: 0 is useless, 1 as good as can be. There is no room for words."""

    request_id: Annotated[str, Meta(min_length=36, max_length=36)]
    score: Annotated[Decimal, Meta(description="From 0 to 1.")]


class Booked(msgspec.Struct):
    """What was booked, and the model that it counts for."""

    request_id: str
    score: float
    model: str


_decoder: Final = msgspec.json.Decoder(Feedback)


def feedback_routes(front: Front) -> list[HTTPRouteHandler]:
    """The handler of this module."""

    @post(
        "/v1/ai/feedback",
        tags=["feedback"],
        summary="Score a past request, from 0 to 1",
        status_code=200,
        responses={200: ResponseSpec(data_container=Booked)},
        response_headers=HEADERS,
    )
    async def record_feedback(request: Request[Any, Any, Any]) -> Response[bytes]:
        front.tokens.digests(dict(request.scope["headers"]))  # who brings none is told that first
        given: Feedback = decode(_decoder, await request.body())
        score = str(given.score) if given.score.is_finite() and abs(given.score) < 10 else "-1"
        reply = await ask(request, front, lambda caller: front.reads.record_feedback(caller, given.request_id, score))
        return json_response(reply.body)

    return [record_feedback]
