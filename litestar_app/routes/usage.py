"""`GET /v1/usage`, `/v1/billing` and `/v1/billing/{yyyy-mm}`: what was used and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from litestar import Request, Response, get
from litestar.params import PathParameter, QueryParameter

from litestar_app.errors import InvalidRequest
from litestar_app.reading_docs import Bill, Usage, answers
from litestar_app.replies import ask, json_response
from litestar_app.routes.models import HEADERS

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from litestar_app.front import Front

_LONGEST_VALUE: Final = 200

Text = str | None


def usage_routes(front: Front) -> list[HTTPRouteHandler]:
    """The handlers of this module."""
    reads = front.reads

    @get(
        "/v1/usage",
        tags=["usage"],
        summary="Own usage, grouped and paged",
        responses=answers(Usage, "A page of it."),
        response_headers=HEADERS,
    )
    async def get_usage(
        request: Request[Any, Any, Any],
        from_: Annotated[
            Text,
            QueryParameter(
                name="from", description="ISO 8601 date or time, inclusive; 30 days before `to` if not given."
            ),
        ] = None,
        to: Annotated[Text, QueryParameter(description="ISO 8601 date or time, exclusive; now if not given.")] = None,
        group_by: Annotated[
            Text, QueryParameter(description="Any of day, hour, model, provider, type, token, separated by commas.")
        ] = None,
        limit: Annotated[Text, QueryParameter(description="Rows of a page, 1 to 1000; 100 if not given.")] = None,
        after: Annotated[Text, QueryParameter(description="`next_after` of the page before.")] = None,
    ) -> Response[bytes]:
        values = {"from": _moment(from_), "to": _moment(to), "group_by": group_by, "limit": limit, "after": after}
        given = {name: _plain(name, value) for name, value in values.items() if value is not None}
        reply = await ask(request, front, lambda caller: reads.get_usage(caller, given))
        return json_response(reply.body)

    @get(
        "/v1/billing",
        tags=["billing"],
        summary="The current bill, and every budget with what is spent, reserved and left",
        responses=answers(Bill, "The bill so far."),
        response_headers=HEADERS,
    )
    async def get_current_bill(request: Request[Any, Any, Any]) -> Response[bytes]:
        reply = await ask(request, front, lambda caller: reads.get_billing(caller, None))
        return json_response(reply.body)

    @get(
        "/v1/billing/{period:str}",
        tags=["billing"],
        summary="The bill of a month",
        responses=answers(Bill, "The bill."),
        response_headers=HEADERS,
    )
    async def get_bill(
        request: Request[Any, Any, Any], period: Annotated[str, PathParameter(description="The month as yyyy-mm.")]
    ) -> Response[bytes]:
        month = _plain("period", period)
        reply = await ask(request, front, lambda caller: reads.get_billing(caller, month))
        return json_response(reply.body)

    return [get_usage, get_current_bill, get_bill]


def _moment(value: str | None) -> str | None:
    """A time of the query string; the `+` of its zone, which there means a space, is put back."""
    return value.replace(" ", "+") if value is not None and "T" in value else value


def _plain(name: str, value: str) -> str:
    """A value that may go to the database, which reads it and says what is wrong with it."""
    if len(value) > _LONGEST_VALUE or not value.isprintable():
        raise InvalidRequest(f"`{name}` is too long or holds characters that it cannot.", name)
    return value
