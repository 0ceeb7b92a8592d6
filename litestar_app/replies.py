"""Responses of the reading routes: the body that SQL made, with the headers every answer carries."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, Response

from litestar_app.calls import Caller, Reply
from litestar_app.errors import GatewayError, Overloaded
from litestar_app.lane import DatabaseAway

if TYPE_CHECKING:
    from litestar_app.front import Front

JSON: Final = "application/json"


async def ask(request: Request[Any, Any, Any], front: Front, door: Callable[[Caller], Awaitable[Reply]]) -> Reply:
    """What the door says to the request's caller. Raises `GatewayError` for a refusal.

    `door` is asked again with an older digest of the token while the master key changes.
    """
    digests = front.tokens.digests(dict(request.scope["headers"]))
    client_ip = front.addresses.client_ip(request.scope)
    try:
        for digest in digests:
            reply = await door(Caller(digest, client_ip))
            if reply.status != "invalid_token":
                break
    except DatabaseAway:
        raise Overloaded from None
    if digest is not digests[0]:
        front.rehash.begin(digest, digests[0])
    if reply.status != "ok":
        message = reply.message or "The gateway refused this request."
        raise GatewayError(reply.http_status, reply.status, message, param=reply.param, extra=reply.detail or {})
    return reply


def json_response(body: bytes, status: int = 200) -> Response[bytes]:
    """A JSON body of ours as a response."""
    return Response(body, status_code=status, media_type=JSON, headers=request_id_headers())


def request_id_headers() -> dict[str, str]:
    """The id of an answer that no request row stands behind."""
    name = str(uuid.uuid4())
    return {"x-onevault-request-id": name, "x-request-id": name, "request-id": name}
