"""`GET /v1/models`, `/v1/models/{id}` and `/v1/ai/models`: what the token's customer may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import PathParameter, QueryParameter

from litestar_app.errors import GatewayError, InvalidRequest
from litestar_app.reading_docs import answers
from litestar_app.replies import ask, json_response

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from litestar_app.front import Front

_MOST: Final = 1000
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


class _Offered(msgspec.Struct):
    providers: list[str] = []


class _Named(msgspec.Struct):
    id: str
    onevault: _Offered = msgspec.field(default_factory=_Offered)

    def is_meant_by(self, name: str) -> bool:
        """Whether `name` is this model, or it at one of its providers."""
        provider, _, model = name.partition("/")
        return name == self.id or (model == self.id and provider in self.onevault.providers)


def model_routes(front: Front) -> list[HTTPRouteHandler]:
    """The handlers of this module."""
    reads = front.reads

    @get(
        ["/v1/models", "/v1/ai/models"],
        tags=["models"],
        summary="Models this token may use",
        responses=answers(ModelList, "All of them, or the page that was asked for."),
        response_headers=HEADERS,
    )
    async def list_models(
        request: Request[Any, Any, Any],
        after_id: Annotated[str | None, QueryParameter(description="Only models after this one.")] = None,
        before_id: Annotated[str | None, QueryParameter(description="Only models before this one.")] = None,
        limit: Annotated[str | None, QueryParameter(description="So many at most, 1 to 1000; else all.")] = None,
    ) -> Response[bytes]:
        most = None if limit is None else _read_limit(limit)
        reply = await ask(request, front, reads.list_models)
        if after_id is None and before_id is None and most is None:
            return json_response(reply.body)
        return json_response(_cut(reply.body, after_id, before_id, most))

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
            if msgspec.json.decode(model, type=_Named).is_meant_by(wanted):
                return json_response(model)
        message = "There is no such model for this token. `GET /v1/models` lists all."
        raise GatewayError(404, "model_not_found", message, param="model")

    return [list_models, get_model]


def _read_limit(limit: str) -> int:
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:5]) <= _MOST and len(limit) <= len(str(_MOST))):
        raise InvalidRequest(f"`limit` must be a number from 1 to {_MOST}.", "limit")
    return int(limit)


def _cut(body: bytes, after: str | None, before: str | None, limit: int | None) -> bytes:
    """A page of the list, as Anthropic's SDK turns them."""
    models = msgspec.json.decode(body, type=_Listing).data
    names = [msgspec.json.decode(model, type=_Named).id for model in models]
    start, end = _place(names, after, "after_id", -1) + 1, _place(names, before, "before_id", len(names))
    found = range(start, max(start, end))
    page = found if limit is None else found[:limit] if before is None else found[-limit:]
    said = msgspec.json.decode(body, type=dict[str, Any]) | {
        "data": [models[place] for place in page],
        "has_more": len(page) < len(found),
        "first_id": names[page[0]] if page else None,
        "last_id": names[page[-1]] if page else None,
    }
    return msgspec.json.encode(said)


def _place(names: list[str], name: str | None, param: str, default: int) -> int:
    if name is None:
        return default
    if name not in names:
        raise InvalidRequest(f"`{param}` is no model of this list.", param)
    return names.index(name)
