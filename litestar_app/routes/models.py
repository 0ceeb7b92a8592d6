"""`GET /v1/models`, `/v1/models/{id}` and `/v1/ai/models`: what the token's customer may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import PathParameter

from litestar_app.errors import GatewayError
from litestar_app.reading_docs import answers
from litestar_app.replies import ask, json_response

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from litestar_app.front import Front

HEADERS = [ResponseHeader(name="x-onevault-request-id", description="Names this answer.", documentation_only=True)]


class Model(msgspec.Struct):
    """A model in OpenAI's shape; more fields tell what it can do and what it costs."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = ""


class ModelList(msgspec.Struct):
    """All models that this token may use."""

    data: list[Model]
    object: str = "list"


class _Listing(msgspec.Struct):
    data: list[msgspec.Raw]


class _Named(msgspec.Struct):
    id: str


def model_routes(front: Front) -> list[HTTPRouteHandler]:
    """The handlers of this module."""
    reads = front.reads

    @get(
        ["/v1/models", "/v1/ai/models"],
        tags=["models"],
        summary="Models this token may use",
        responses=answers(ModelList, "All of them."),
        response_headers=HEADERS,
    )
    async def list_models(request: Request[Any, Any, Any]) -> Response[bytes]:
        reply = await ask(request, front, reads.list_models)
        return json_response(reply.body)

    @get(
        "/v1/models/{model_id:path}",
        tags=["models"],
        summary="One model",
        responses=answers(Model, "The model."),
        response_headers=HEADERS,
    )
    async def get_model(
        request: Request[Any, Any, Any],
        model_id: Annotated[str, PathParameter(description="A model name, or `provider/model`.")],
    ) -> Response[bytes]:
        reply = await ask(request, front, reads.list_models)
        wanted = str(model_id).strip("/")
        for model in msgspec.json.decode(reply.body, type=_Listing).data:
            if msgspec.json.decode(model, type=_Named).id == wanted:
                return json_response(model)
        message = "There is no such model for this token. `GET /v1/models` lists all."
        raise GatewayError(404, "model_not_found", message, param="model")

    return [list_models, get_model]
