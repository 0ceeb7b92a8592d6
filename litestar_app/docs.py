"""`/openapi.json` and `/docs`: the API's own description.

Litestar describes the routes that are its own; the two of the road, which are bare ASGI handlers, are
described from the structs that check their bodies. The page at `/docs` is rendered here, from the same
document, as plain HTML: it loads no script, no style and no font from anywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from litestar import Litestar, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from litestar_app.docs_page import render_page
from litestar_app.grammar import ChatRequest, NativeRequest
from litestar_app.replies import JSON
from onevault import __version__

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

DESCRIPTION = """\
One door to many AI providers: each call is authenticated, routed, held against a budget, answered \
and booked. OpenAI's own SDKs work against it unchanged but for base URL and key."""


CHAT_SUMMARY = "OpenAI's chat completions, plain or streamed"
NATIVE_SUMMARY = "The native route: `prompt` or `messages`, `type`, `priority`, `max_cost`, every OpenAI parameter"


class Cost(msgspec.Struct):
    """What a call cost: the provider's price, our markup, and their sum, which the customer pays."""

    provider: float
    markup: float
    customer: float
    currency: str = "USD"


class Limited(msgspec.Struct):
    """Present when the answer could not be as long as it was asked to be."""

    max_output_tokens: int
    by: Literal["budget", "max_cost"]


class OneVault(msgspec.Struct):
    """What the gateway adds to an answer; in a stream it is in the last data event before [DONE]."""

    request_id: str
    provider: str
    model: str
    route_reason: str
    attempts: int
    latency_ms: int
    cost: Cost
    limited: Limited | None = None


class Completion(msgspec.Struct):
    """The provider's answer in OpenAI's shape, with `onevault` added; other fields pass unchanged."""

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    onevault: OneVault
    usage: dict[str, Any] | None = None


class ErrorDetail(msgspec.Struct):
    """What went wrong and what to do; some codes add fields, such as `budget` or `attempts`."""

    message: str
    type: str
    code: str
    param: str | None = None


class Problem(msgspec.Struct):
    """An error in OpenAI's shape."""

    error: ErrorDetail


PROBLEMS = {
    400: "invalid_request: malformed JSON, a wrong type, an unknown role, no messages; `param` names the field",
    401: "invalid_token, token_expired, token_revoked",
    402: "budget_exceeded: names the budget",
    403: "model_not_allowed, compliance_blocked, denied_by_rule: names the rule",
    404: "model_not_found",
    413: "request_too_large",
    415: "invalid_request: the body is compressed",
    422: "max_cost_too_low: says the cheapest estimate",
    429: "rate_limited: see retry-after",
    502: "provider_error: every candidate failed; lists the attempts",
    503: "overloaded, draining, no_provider: see retry-after",
    504: "timeout",
}


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
    (chat, native, completion, problem), shapes = msgspec.json.schema_components(
        [ChatRequest, NativeRequest, Completion, Problem], ref_template="#/components/schemas/{name}"
    )
    document["components"].setdefault("schemas", {}).update(shapes)
    answers = {
        "200": {
            "description": "The provider's answer, or with `stream` its events, with `onevault` added.",
            "content": {JSON: {"schema": completion}, "text/event-stream": {"schema": {"type": "string"}}},
        },
        **{str(code): {"description": text, "content": {JSON: {"schema": problem}}} for code, text in PROBLEMS.items()},
    }
    road = {
        path: {
            "post": {
                "tags": ["completions"],
                "summary": summary,
                "operationId": name,
                "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
                "responses": answers,
            }
        }
        for path, name, summary, body in (
            ("/v1/chat/completions", "chatCompletions", CHAT_SUMMARY, chat),
            ("/v1/ai/completions", "nativeCompletions", NATIVE_SUMMARY, native),
        )
    }
    document["paths"] = {**road, **document["paths"]}
    return document
