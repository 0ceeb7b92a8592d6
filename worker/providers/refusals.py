"""What an OpenAI-compatible server means when it refuses: its error object, as one of our classes.

Servers agree on the status more than on the body: `{"error": {...}}` (OpenAI, Groq, Together),
`{"error": "text"}` (Ollama), the object itself (older vLLM), `{"detail": ...}` (FastAPI),
`[{"error": {...}}]` (Google's compatible surface), or HTML from something in between.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from worker.providers.base import CallFailed
from worker.shapes import ErrorClass

_MAX_MESSAGE: Final = 2000

_CODES: Final[dict[str, ErrorClass]] = {
    "context_length_exceeded": "context_too_long",
    "context_window_exceeded": "context_too_long",
    "model_context_window_exceeded": "context_too_long",
    "content_policy_violation": "content_policy",
    "content_filter": "content_policy",
    "responsibleaipolicyviolation": "content_policy",
    "moderation_blocked": "content_policy",
    "invalid_prompt": "content_policy",
    "image_content_policy_violation": "content_policy",
    "insufficient_quota": "money_dead",
    "credit_balance_exhausted": "money_dead",
    "billing_hard_limit_reached": "money_dead",
    "billing_not_active": "money_dead",
    "spend_limit_reached": "money_dead",
    "spend_limit_exceeded": "money_dead",
    "enforced_spend_limit_reached": "money_dead",
    "insufficient_balance": "money_dead",
    "invalid_api_key": "auth_dead",
    "account_deactivated": "auth_dead",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "rate_limited": "rate_limited",
    "slow_down": "rate_limited",
    "server_is_overloaded": "overloaded",
    "overloaded_error": "overloaded",
    "unreachable_backend": "overloaded",
}

_KINDS: Final[dict[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "timeout_error": 504,
    **dict.fromkeys(("invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url"), 400),
    **dict.fromkeys(("image_too_large", "image_too_small", "image_parse_error", "invalid_image_mode"), 400),
    **dict.fromkeys(("image_file_too_large", "unsupported_image_media_type", "empty_image_file"), 400),
    **dict.fromkeys(("failed_to_download_image", "image_file_not_found"), 400),
}
"""The status that an error would have had which is told inside a 200, by its type or its code."""

_MONEY_MARKS: Final = ("credit balance is too low", "reached your specified api usage limits")
"""Words for want of money in an error that is told as a bad request."""

STATUSES: Final[dict[int, ErrorClass]] = {
    400: "bad_request",
    401: "auth_dead",
    402: "money_dead",
    403: "auth_dead",
    404: "bad_request",
    408: "timeout",
    413: "bad_request",
    422: "bad_request",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
"""All other statuses are the server's own trouble: server_error."""


class _Said(msgspec.Struct):
    message: str | None = None
    code: str | None = None
    kind: str | None = None
    param: str | None = None
    status: int | None = None


def classify_refusal(status: int, body: bytes, context_marks: tuple[str, ...]) -> CallFailed:
    """The failure that an error response means.

    `context_marks` are words that servers without error codes use for a prompt that is too long.
    """
    return _judge(status, _find(_parse(body)), context_marks)


def told(body: bytes) -> str | None:
    """What an error's body tells the customer, if anything."""
    message = _find(_parse(body)).message
    return message[:_MAX_MESSAGE] if message else None


def classify_error_object(error: object, context_marks: tuple[str, ...]) -> CallFailed:
    """The failure that an `error` inside a 200 answer or a stream means."""
    said = _find({"error": error})
    status = said.status if said.status is not None and 400 <= said.status <= 599 else None
    if status is None:
        status = _KINDS.get((said.code or "").lower()) or _KINDS.get((said.kind or "").lower(), 500)
    return _judge(status, said, context_marks)


_COHERE_MARKS: Final = ("too many tokens", "total number of tokens", "maximum context")


def classify_cohere(status: int, body: bytes) -> CallFailed:
    """The failure that an error response of Cohere's means. It has words for a few, and 498 for what it bars."""
    if status == 498:
        return CallFailed("content_policy", message=told(body))
    if status == 429 and "trial key" in (told(body) or "").lower():
        return CallFailed("money_dead")  # so many calls a month
    return classify_refusal(500 if status == 499 else status, body, _COHERE_MARKS)


_WAIT: Final = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")
_LASTING: Final = re.compile(r"per ?day|spend", re.IGNORECASE)
_GOOGLE: Final[dict[str, ErrorClass]] = {
    "RESOURCE_EXHAUSTED": "rate_limited",
    "PERMISSION_DENIED": "auth_dead",
    "UNAUTHENTICATED": "auth_dead",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "timeout",
    "INTERNAL": "server_error",
}


def classify_google(status: int, body: bytes, context_marks: tuple[str, ...]) -> tuple[CallFailed, int | None]:
    """The failure that an error response of Google's means, and the wait in ms that it asks for.

    A quota of a day, or of money, does not recover by waiting.
    """
    failure = classify_refusal(status, body, context_marks)
    try:
        said = msgspec.json.decode(body, type=_GoogleProblem).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return failure, None
    if any(detail.reason == "API_KEY_INVALID" for detail in said.details):
        return CallFailed("auth_dead"), None
    if (by_status := _GOOGLE.get(said.status)) is not None:
        failure = CallFailed(by_status)
    if failure.error_class == "rate_limited" and any(
        _LASTING.search(violation.quota_id) for detail in said.details for violation in detail.violations
    ):
        return CallFailed("money_dead"), None
    waits = [found for detail in said.details if (found := _WAIT.fullmatch(detail.retry_delay))]
    return failure, round(float(waits[0][1]) * 1000) if waits else None


class _Violation(msgspec.Struct, rename="camel"):
    quota_id: str = ""


class _GoogleDetail(msgspec.Struct, rename="camel"):
    reason: str = ""
    retry_delay: str = ""
    violations: list[_Violation] = []


class _GoogleError(msgspec.Struct):
    status: str = ""
    details: list[_GoogleDetail] = []


class _GoogleProblem(msgspec.Struct):
    error: _GoogleError


def _judge(status: int, said: _Said, context_marks: tuple[str, ...]) -> CallFailed:
    by_code = _CODES.get((said.code or "").lower()) or _CODES.get((said.kind or "").lower())
    error_class = by_code or STATUSES.get(status, "server_error")
    if error_class == "bad_request" and said.message:
        text = said.message.lower()
        if any(mark in text for mark in _MONEY_MARKS):
            return CallFailed("money_dead")
        if any(mark.lower() in text for mark in context_marks):
            error_class = "context_too_long"
    if error_class == "bad_request" and (status == 404 or said.code == "model_not_found"):
        # The model or the route is missing at this provider: our price book's fault.
        return CallFailed("bad_request", failover=True, customer_fault=False)
    if error_class not in ("bad_request", "context_too_long", "content_policy"):
        return CallFailed(error_class)
    message = said.message[:_MAX_MESSAGE] if said.message else None
    return CallFailed(error_class, message=message, param=said.param)


def _parse(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _find(parsed: object) -> _Said:
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    if not isinstance(parsed, dict):
        return _Said()
    inner = parsed.get("error")
    if isinstance(inner, str):
        return _Said(message=inner)
    if not isinstance(inner, dict):
        inner = parsed
    code, kind, param = inner.get("code"), inner.get("type"), inner.get("param")
    details = inner.get("details")
    if code is None and isinstance(details, dict):
        code = details.get("error_code")  # Anthropic's
    message = inner.get("message")
    if message is None:
        message = inner.get("detail", inner.get("Message"))
    return _Said(
        message=message if isinstance(message, str) else None,
        code=code if isinstance(code, str) else None,
        kind=kind if isinstance(kind, str) else None,
        param=param[:200] if isinstance(param, str) else None,
        status=code if isinstance(code, int) and not isinstance(code, bool) else None,
    )
