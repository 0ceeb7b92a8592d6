"""`/openapi.json` and `/docs`: the API's own description.

Litestar describes the routes that are its own; `road_docs` those of the road. The page at `/docs` is rendered from the
same document, as plain HTML: it loads no script, no style and no font from anywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Litestar, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from litestar_app.docs_page import render_page
from litestar_app.replies import JSON
from litestar_app.road_docs import describe_road
from onevault import __version__

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

DESCRIPTION = """\
One door to many AI providers: each call is authenticated, routed, held against a budget, answered \
and booked. OpenAI's own SDKs work against it unchanged but for base URL and key."""


def document_routes(described: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """The handlers of this module; `described` are the routes beside the road."""
    document = functools.cache(lambda: describe(described))
    page: Callable[[], bytes] = functools.cache(lambda: render_page(document()))

    @get("/openapi.json", include_in_schema=False)
    async def openapi_json() -> Response[bytes]:
        return Response(msgspec.json.encode(document()), media_type=JSON)

    @get("/docs", include_in_schema=False)
    async def docs() -> Response[bytes]:
        headers = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(page(), media_type="text/html", headers=headers)

    return [openapi_json, docs]


def describe(described: Sequence[HTTPRouteHandler]) -> dict[str, Any]:
    """The OpenAPI document as a dictionary."""
    token = SecurityScheme(type="http", scheme="bearer", description="A customer's token, `ov_…`.")
    twin = Litestar(
        route_handlers=described,
        openapi_config=OpenAPIConfig(
            title="OneVault AI Gateway",
            version=__version__,
            description=DESCRIPTION,
            components=Components(security_schemes={"token": token}),
            security=[{"token": []}],
        ),
        logging_config=None,
    )
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(twin.openapi_schema.to_schema()))
    for path, item in document["paths"].items():
        if not path.startswith("/v1/"):
            for operation in item.values():
                operation["security"] = []
    road, shapes = describe_road()
    document["components"].setdefault("schemas", {}).update(shapes)
    document["paths"] = {**road, **document["paths"]}
    return document
