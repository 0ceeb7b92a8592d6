"""What the routes beside the road answer, as `/openapi.json` describes it."""

from __future__ import annotations

from typing import Any, Final

from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from litestar_app.road_docs import Problem

_PROBLEMS: Final = {
    400: "invalid_request: names the parameter",
    401: "invalid_token, token_expired, token_revoked",
    403: "scope_not_allowed, address_not_allowed",
    404: "not_found: there is no such thing for this token",
    503: "overloaded, draining: see retry-after",
}


class Usage(Struct):
    """Own usage, a row for each group, and the sums of all of them."""

    object: str
    data: list[dict[str, Any]]
    totals: dict[str, Any]
    group_by: list[str]
    has_more: bool
    next_after: str | None = None


class Bill(Struct):
    """The bill of a month: usage, a line for each provider and model, plans by days with their fees, and the invoice, a
    draft until the month is closed.

    Of the current month what the customer is entitled to and the budgets, too.
    """

    object: str
    customer: str
    period: str
    status: str
    currency: str
    total_usd: float
    lines: list[dict[str, Any]]
    invoice: dict[str, Any]
    plans: list[dict[str, Any]]
    entitlements: list[str] | None = None
    budgets: list[dict[str, Any]] | None = None
    credits: list[dict[str, Any]] | None = None


def answers(container: Any, description: str, *, problems: bool = True) -> dict[int, ResponseSpec]:
    """The answer of a route, and what may be told instead."""
    told = {200: ResponseSpec(data_container=container, description=description)}
    if problems:
        for status, text in _PROBLEMS.items():
            told[status] = ResponseSpec(data_container=Problem, description=text, generate_examples=False)
    return told
