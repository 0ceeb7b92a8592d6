"""What a customer is told when a call fails: one exception tree, one table, one shape per surface.

    GatewayError                    any status: what SQL refused and what a worker reports
    ├── InvalidRequest        400   the body, a parameter or a header is not what the route takes
    ├── InvalidToken          401   no token, or not the form of one; the database was not asked
    ├── UnknownRoute          404   nothing lives at this path
    ├── WrongMethod           405   something does, but not for this method
    ├── TooSlow               408   the head or the body did not arrive in time
    ├── BodyTooLarge          413   the body is longer than this gateway reads
    ├── UrlTooLong            414   the request's target is
    ├── EncodedBody           415   the body is compressed; it is never unpacked
    ├── WrongHost             421   the request names a host that this gateway is not
    ├── HeadTooLarge          431   more header lines or bytes than this gateway reads
    ├── ClientLeft            499   nobody is there to be told
    ├── InternalError         500   our fault; the log has its class, the customer our apology
    ├── ProviderFailed        502   the answer broke off, or no candidate gave one
    ├── Overloaded            503   the database is away or behind; try again soon
    ├── Draining              503   this front is about to stop; another one answers
    └── TimedOut              504   no answer before the deadline

Messages are written here, in SQL, or by the worker; never by a library, and they never hold a token
or a word of the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

Shape = Literal["openai", "anthropic"]

_OPENAI_TYPES: Final[dict[int, str]] = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES: Final[dict[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_FINAL: Final = frozenset({402, 403, 404, 409, 422})
"""Statuses that do not change by asking again; the SDKs obey `x-should-retry`."""

_NOTHING: Final[dict[str, Any]] = {}
_JSON: Final = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class GatewayError(Exception):
    """A refusal or failure that the customer is told.

    status: HTTP status. code: from the contract's list. message: a sentence of ours that names what
    to do. param: the field it is about. extra: more fields of the error object. retry_after_ms:
    when to try again. headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        extra: Mapping[str, Any] = _NOTHING,
        retry_after_ms: int | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.extra = extra
        self.retry_after_ms = retry_after_ms
        self.headers = headers


class InvalidRequest(GatewayError):
    """The body, a parameter or a header is not what the route takes."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(400, "invalid_request", message, param=param)


class InvalidToken(GatewayError):
    """No token, or something that cannot be one."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "invalid_token",
            "The token is missing or malformed. Send it as `Authorization: Bearer ov_…`.",
        )


class UnknownRoute(GatewayError):
    """Nothing lives at this path."""

    def __init__(self) -> None:
        super().__init__(404, "not_found", "There is no such route. `GET /docs` lists them all.")


class WrongMethod(GatewayError):
    """The route exists, but not for this method. `allow` is the header's value."""

    def __init__(self, allow: str) -> None:
        super().__init__(
            405,
            "method_not_allowed",
            f"This route answers {allow} only.",
            headers=((b"allow", allow.encode()),),
        )


class TooSlow(GatewayError):
    """The head or the body, `part`, did not arrive in time."""

    def __init__(self, part: str, seconds: float) -> None:
        message = f"The request's {part} did not arrive within {seconds:g} seconds."
        super().__init__(408, "request_timeout", message)


class BodyTooLarge(GatewayError):
    """The body is longer than `limit` bytes. `close`: more follows than is worth reading."""

    def __init__(self, limit: int, *, close: bool) -> None:
        message = f"The request body is larger than this gateway's limit of {limit} bytes."
        headers = ((b"connection", b"close"),) if close else ()
        super().__init__(413, "request_too_large", message, headers=headers)


class UrlTooLong(GatewayError):
    """The target is longer than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(414, "invalid_request", f"The URL is longer than this gateway's limit of {limit} bytes.")


class EncodedBody(GatewayError):
    """The body is compressed."""

    def __init__(self) -> None:
        super().__init__(
            415,
            "invalid_request",
            "The body is encoded. Send it as it is, without a Content-Encoding header.",
            param="content-encoding",
            headers=((b"accept-encoding", b"identity"),),
        )


class WrongHost(GatewayError):
    """The request is for another host."""

    def __init__(self) -> None:
        super().__init__(421, "invalid_request", "This gateway does not answer for the host that `Host` names.")


class HeadTooLarge(GatewayError):
    """More than `lines` header lines, or more than `size` bytes of them."""

    def __init__(self, lines: int, size: int) -> None:
        message = f"The request's head is larger than this gateway's limit of {lines} lines and {size} bytes."
        super().__init__(431, "invalid_request", message)


class ClientLeft(GatewayError):
    """The customer has hung up. It is never sent, only counted."""

    def __init__(self) -> None:
        super().__init__(499, "client_gone", "The client left before its answer was complete.")


class InternalError(GatewayError):
    """Our fault."""

    def __init__(self) -> None:
        super().__init__(500, "internal_error", "The gateway made a mistake; it has been logged.")


class ProviderFailed(GatewayError):
    """The answer broke off, or no candidate gave one."""

    def __init__(self, message: str) -> None:
        super().__init__(502, "provider_error", message)


class Overloaded(GatewayError):
    """The database is away or behind."""

    def __init__(self, retry_after_ms: int = 1000) -> None:
        super().__init__(
            503,
            "overloaded",
            "The gateway cannot take this request right now. Try again shortly.",
            retry_after_ms=retry_after_ms,
        )


class Draining(GatewayError):
    """This front is about to stop."""

    def __init__(self) -> None:
        super().__init__(
            503,
            "draining",
            "This gateway process is shutting down. Try again; another one answers.",
            retry_after_ms=1000,
            headers=((b"connection", b"close"),),
        )


class TimedOut(GatewayError):
    """No answer before the deadline."""

    def __init__(self) -> None:
        super().__init__(504, "timeout", "No answer was complete before the request's deadline.")


def shape_of(path: str) -> Shape:
    """The shape in which errors leave from this path."""
    return "anthropic" if path.startswith("/v1/messages") else "openai"


def error_object(error: GatewayError) -> dict[str, Any]:
    """The error in OpenAI's shape: `{"error": {message, type, code, param, …}}`."""
    default = "server_error" if error.status >= 500 else "invalid_request_error"
    inner = {
        "message": error.message,
        "type": _OPENAI_TYPES.get(error.status, default),
        "code": error.code,
        "param": error.param,
    }
    return {"error": {**inner, **error.extra, **inner}}


def error_body(error: GatewayError, shape: Shape, request_id: str | None = None) -> bytes:
    """The error as the JSON body of a response in the surface's shape."""
    if shape == "openai":
        return _encode(error_object(error))
    default = "api_error" if error.status >= 500 else "invalid_request_error"
    inner = {
        "type": _ANTHROPIC_TYPES.get(error.status, default),
        "message": error.message,
        "code": error.code,
    }
    return _encode({"type": "error", "error": {**inner, **error.extra, **inner}, "request_id": request_id})


def error_headers(error: GatewayError, length: int) -> list[tuple[bytes, bytes]]:
    """The headers every error carries. `length`: bytes of the body."""
    headers = [_JSON, (b"content-length", b"%d" % length), *error.headers]
    wait = error.retry_after_ms
    if wait is None and error.status in {429, 503}:
        wait = 1000
    if wait is not None:
        headers.append((b"retry-after", b"%d" % max(1, -(-wait // 1000))))
        headers.append((b"retry-after-ms", b"%d" % max(0, wait)))
    if error.status in _FINAL:
        headers.append((b"x-should-retry", b"false"))
    return headers
