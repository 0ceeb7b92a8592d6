"""`GET /v1/usage`, `/v1/billing` and `/v1/billing/{yyyy-mm}`: what was used and what it costs."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from litestar import Request, Response, get
from litestar.params import PathParameter, QueryParameter

from litestar_app.errors import InvalidRequest
from litestar_app.replies import ask, json_response
from litestar_app.routes.models import HEADERS

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from litestar_app.front import Front

GROUPS: Final = ("day", "hour", "model", "provider", "type", "token")
LARGEST_PAGE: Final = 1000
_MONTH: Final = re.compile(r"2\d{3}-(0[1-9]|1[0-2])")
_CURSOR: Final = re.compile(r"[0-9A-Za-z_\-.:=+/ ]{1,500}")

Text = str | None


def usage_routes(front: Front) -> list[HTTPRouteHandler]:
    """The handlers of this module."""
    tokens, reads = front.tokens, front.reads

    @get("/v1/usage", tags=["usage"], summary="Own usage, grouped and paged", response_headers=HEADERS)
    async def get_usage(
        request: Request[Any, Any, Any],
        from_: Annotated[Text, QueryParameter(name="from", description="ISO 8601 date or time, inclusive.")] = None,
        to: Annotated[Text, QueryParameter(description="ISO 8601 date or time, exclusive.")] = None,
        group_by: Annotated[
            Text, QueryParameter(description=f"Any of {', '.join(GROUPS)}, separated by commas.")
        ] = None,
        limit: Annotated[Text, QueryParameter(description=f"Rows of a page, 1 to {LARGEST_PAGE}.")] = None,
        after: Annotated[Text, QueryParameter(description="The cursor that the page before gave.")] = None,
    ) -> Response[bytes]:
        parameters = {
            "from": _moment("from", from_),
            "to": _moment("to", to),
            "group_by": _groups(group_by),
            "limit": _page(limit),
            "after": _cursor(after),
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        reply = await ask(request, tokens, lambda digest: reads.get_usage(digest, given))
        return json_response(reply.body)

    @get(
        "/v1/billing",
        tags=["billing"],
        summary="The current bill, and every budget with what is spent, reserved and left",
        response_headers=HEADERS,
    )
    async def get_current_bill(request: Request[Any, Any, Any]) -> Response[bytes]:
        reply = await ask(request, tokens, lambda digest: reads.get_billing(digest, None))
        return json_response(reply.body)

    @get("/v1/billing/{period:str}", tags=["billing"], summary="The bill of a month", response_headers=HEADERS)
    async def get_bill(
        request: Request[Any, Any, Any], period: Annotated[str, PathParameter(description="The month as yyyy-mm.")]
    ) -> Response[bytes]:
        if not _MONTH.fullmatch(period):
            raise InvalidRequest("The month must be written as yyyy-mm.", "period")
        reply = await ask(request, tokens, lambda digest: reads.get_billing(digest, period))
        return json_response(reply.body)

    return [get_usage, get_current_bill, get_bill]


def _moment(name: str, value: str | None) -> str | None:
    """An ISO 8601 date or time as PostgreSQL reads it; a `+` that a query string lost is put back."""
    if value is None:
        return None
    text = value.replace(" ", "+") if "T" in value else value
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"`{name}` must be an ISO 8601 date or time.", name) from None
    return moment.isoformat()


def _groups(value: str | None) -> list[str] | None:
    if value is None:
        return None
    groups = [group.strip() for group in value.split(",") if group.strip()]
    if not groups or any(group not in GROUPS for group in groups):
        raise InvalidRequest(f"`group_by` takes {', '.join(GROUPS)}, separated by commas.", "group_by")
    return list(dict.fromkeys(groups))


def _page(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= LARGEST_PAGE:
        raise InvalidRequest(f"`limit` must be a whole number from 1 to {LARGEST_PAGE}.", "limit")
    return int(value)


def _cursor(value: str | None) -> str | None:
    if value is not None and not _CURSOR.fullmatch(value):
        raise InvalidRequest("`after` must be the cursor that the page before gave.", "after")
    return value
