"""The description of the routes of the road, which are bare ASGI handlers: from the structs that check their bodies."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from litestar_app.grammar import ChatRequest, NativeRequest
from litestar_app.surfaces.embeddings import EmbeddingsRequest
from litestar_app.surfaces.images import EditRequest, ImagesRequest
from litestar_app.surfaces.messages import CountRequest, MessagesRequest
from litestar_app.surfaces.rerank import RerankRequest
from litestar_app.surfaces.responses import ResponsesRequest

JSON: Final = "application/json"


class Cost(Struct):
    """What a call cost: the provider's price, our markup, and their sum, which the customer pays."""

    provider: float
    markup: float
    customer: float
    currency: str = "USD"


class Limited(Struct):
    """Present when the answer could not be as long as it was asked to be."""

    max_output_tokens: int
    by: Literal["budget", "max_cost"]


class OneVault(Struct):
    """What the gateway adds to an answer; in a stream it is in the last data event."""

    request_id: str
    provider: str
    model: str
    route_reason: str
    attempts: int
    latency_ms: int
    cost: Cost
    limited: Limited | None = None


class Completion(Struct):
    """The provider's answer in the shape of chat completions, with `onevault` added; other fields pass unchanged."""

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    onevault: OneVault
    usage: dict[str, Any] | None = None


class MessageAnswer(Struct):
    """The answer in the shape of Anthropic's Messages, with `onevault` added."""

    id: str
    type: str
    role: str
    model: str
    content: list[dict[str, Any]]
    usage: dict[str, Any]
    onevault: OneVault
    stop_reason: str | None = None
    stop_sequence: str | None = None


class CountAnswer(Struct):
    """How many input tokens a request has; an estimate where the provider cannot be asked."""

    input_tokens: int
    onevault: OneVault


class ResponseAnswer(Struct):
    """The answer in the shape of OpenAI's Responses, with `onevault` added."""

    id: str
    object: str
    status: str
    model: str
    output: list[dict[str, Any]]
    onevault: OneVault
    usage: dict[str, Any] | None = None


class ListAnswer(Struct):
    """Vectors or pictures in OpenAI's shape, with `onevault` added."""

    data: list[dict[str, Any]]
    onevault: OneVault
    usage: dict[str, Any] | None = None


class RankAnswer(Struct):
    """Ranks in Cohere's shape, with `onevault` added."""

    results: list[dict[str, Any]]
    onevault: OneVault
    id: str | None = None
    meta: dict[str, Any] | None = None


class ErrorDetail(Struct):
    """What went wrong and what to do; some codes add fields, such as `budget` or `attempts`."""

    message: str
    type: str
    code: str
    param: str | None = None


class Problem(Struct):
    """An error in OpenAI's shape."""

    error: ErrorDetail


class MessagesErrorDetail(Struct):
    """What went wrong and what to do, in Anthropic's words, and `code` in ours."""

    type: str
    message: str
    code: str


class MessagesProblem(Struct):
    """An error in Anthropic's shape."""

    type: Literal["error"]
    error: MessagesErrorDetail
    request_id: str | None = None


PROBLEMS: Final = {
    400: "invalid_request: malformed JSON, a wrong type, an unknown role, no messages; `param` names the field",
    401: "invalid_token, token_expired, token_revoked",
    402: "budget_exceeded: names the budget",
    403: "model_not_allowed, compliance_blocked, denied_by_rule: names the rule",
    404: "model_not_found",
    409: "idempotency_conflict: names the request of the same key",
    413: "request_too_large",
    415: "invalid_request: the body is compressed",
    422: "max_cost_too_low: says the cheapest estimate",
    429: "rate_limited: see retry-after",
    502: "provider_error: every candidate failed; lists the attempts",
    503: "overloaded, draining, no_provider: see retry-after",
    504: "timeout",
}

_ROUTES: Final[tuple[tuple[str, str, str, type[Struct], type[Struct]], ...]] = (
    (
        "/v1/chat/completions",
        "chatCompletions",
        "OpenAI's chat completions, or its stream",
        ChatRequest,
        Completion,
    ),
    ("/v1/responses", "responses", "OpenAI's Responses, plain or streamed", ResponsesRequest, ResponseAnswer),
    ("/v1/messages", "messages", "Anthropic's Messages, plain or streamed", MessagesRequest, MessageAnswer),
    (
        "/v1/messages/count_tokens",
        "countTokens",
        "How many tokens a request has, for nothing",
        CountRequest,
        CountAnswer,
    ),
    ("/v1/embeddings", "embeddings", "OpenAI's embeddings", EmbeddingsRequest, ListAnswer),
    ("/v1/images/generations", "images", "OpenAI's pictures, plain or streamed", ImagesRequest, ListAnswer),
    ("/v1/images/edits", "imageEdits", "Pictures made of pictures, sent as a form", EditRequest, ListAnswer),
    ("/v1/rerank", "rerank", "Documents in the order in which they answer a question", RerankRequest, RankAnswer),
    (
        "/v1/ai/completions",
        "nativeCompletions",
        "The native route: `prompt` or `messages`, `type`, `priority`, `max_cost`, every OpenAI parameter",
        NativeRequest,
        Completion,
    ),
    ("/v1/ai/embeddings", "nativeEmbeddings", "The native route of embeddings", EmbeddingsRequest, ListAnswer),
    ("/v1/ai/images/generations", "nativeImages", "The native route of pictures", ImagesRequest, ListAnswer),
)


def describe_road() -> tuple[dict[str, Any], dict[str, Any]]:
    """The paths of the road, and the schemas that they name."""
    types: list[Any] = [MessagesProblem, Problem]
    for *_, body, answer in _ROUTES:
        types += [body, answer]
    found, shapes = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    messages_problem, problem, *rest = found
    paths: dict[str, Any] = {}
    for (path, name, summary, body, _), asked, told in zip(_ROUTES, rest[::2], rest[1::2], strict=True):
        refusal = messages_problem if path.startswith("/v1/messages") else problem
        content: dict[str, Any] = {JSON: {"schema": told}}
        ok = "The answer, or with `stream` its events, with `onevault` added."
        if "stream" in body.__struct_fields__:
            content["text/event-stream"] = {}
        form = {"multipart/form-data": {"schema": _as_form(shapes[body.__name__])}}
        paths[path] = {
            "post": {
                "tags": ["calls"],
                "summary": summary,
                "operationId": name,
                "requestBody": {
                    "required": True,
                    "content": form if body is EditRequest else {JSON: {"schema": asked}},
                },
                "responses": {
                    "200": {"description": ok, "content": content},
                    **{
                        str(code): {"description": text, "content": {JSON: {"schema": refusal}}}
                        for code, text in PROBLEMS.items()
                    },
                },
            }
        }
    return paths, shapes


def _as_form(shape: dict[str, Any]) -> dict[str, Any]:
    """The schema of a form, whose pictures are files."""
    fields = dict(shape.get("properties", {}))
    file = {"type": "string", "format": "binary"}
    return shape | {"properties": fields | {"image": {"type": "array", "items": file}, "mask": file}}
