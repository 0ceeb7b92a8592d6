"""The front as an ASGI application.

A call walks like this: routes/completions.py reads and checks it (auth.py, body.py, requests.py),
front.py asks SQL in a batch (calls.py), a worker claims the body over the link (link.py) and sends
the answer (answers.py), which leaves with its receipt spliced in (receipts.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from litestar_app.calls import Reads, Road
from litestar_app.docs import document_routes
from litestar_app.errors import (
    GatewayError,
    InternalError,
    InvalidRequest,
    UnknownRoute,
    WrongMethod,
    error_body,
    error_headers,
    shape_of,
)
from litestar_app.front import LANES, Front
from litestar_app.replies import JSON, request_id_headers
from litestar_app.routes.completions import completion_routes
from litestar_app.routes.feedback import feedback_routes
from litestar_app.routes.health import health_routes
from litestar_app.routes.models import model_routes
from litestar_app.routes.usage import usage_routes
from onevault.database import open_database
from onevault.envelope import load_keyring
from onevault.log import get_log
from onevault.settings import Settings

_log = get_log("front")


def create_app(settings: Settings) -> Litestar:
    """The application of one front process; its state is `app.state.front`.

    The database need not be up yet, but the master key must be there: raises `MasterKeyError`, and
    `DatabaseError` when no database is named for the role of the front.
    """
    dsn = open_database(settings, start=False).dsn("app")
    return build_app(Front(settings, load_keyring(settings), Road(dsn, LANES), Reads(dsn)))


def build_app(front: Front) -> Litestar:
    """The routes around a front, and its life with the application's."""
    described = [*model_routes(front), *usage_routes(front), *feedback_routes(front), *health_routes(front)]
    app = Litestar(
        route_handlers=[*completion_routes(front), *described, *document_routes(described)],
        lifespan=[lambda _: _lifespan(front)],
        exception_handlers={
            HTTPException: _answer_http_exception,
            GatewayError: _answer_gateway_error,
            Exception: _answer_unexpected,
        },
        request_max_body_size=front.body_limit,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.state.front = front
    return app


@asynccontextmanager
async def _lifespan(front: Front) -> AsyncIterator[None]:
    try:
        await front.open()
    except Exception as error:
        front.failure = error  # the server only learns that there was one
        raise
    try:
        yield
    finally:
        await front.close()


def _answer_gateway_error(request: Request[Any, Any, Any], error: GatewayError) -> Response[bytes]:
    ids = request_id_headers()
    body = error_body(error, shape_of(request.scope["path"]), ids["x-request-id"])
    headers = {name.decode(): value.decode() for name, value in error_headers(error, len(body))}
    return Response(body, status_code=error.status, media_type=JSON, headers={**headers, **ids})


def _answer_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals, in our shape and our words."""
    refusal: GatewayError
    if isinstance(error, NotFoundException):
        refusal = UnknownRoute()
    elif isinstance(error, MethodNotAllowedException):
        refusal = WrongMethod((error.headers or {}).get("allow", "another method"))
    elif error.status_code < 500:
        refusal = InvalidRequest("The request is not one that this route takes.")
    else:
        return _answer_unexpected(request, error)
    return _answer_gateway_error(request, refusal)


def _answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    _log.error("request_failed", error)
    return _answer_gateway_error(request, InternalError())
