"""`/healthz/live`, `/healthz/ready` and `/metrics`: for the machines that look after this one.

What balances load often asks with HEAD: the same status and headers, and no body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from litestar import MediaType, Response, get, head
from litestar.openapi.datastructures import ResponseSpec

from litestar_app.calls import Readiness
from litestar_app.lane import DatabaseAway
from litestar_app.metrics import CONTENT_TYPE
from litestar_app.replies import JSON, request_id_headers

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from litestar_app.front import Front


def health_routes(front: Front) -> list[HTTPRouteHandler]:
    """The handlers of this module."""

    @get("/healthz/live", tags=["health"], summary="200 while the process runs")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @head("/healthz/live", include_in_schema=False)
    async def is_live() -> None:
        """As GET."""

    @get(
        "/healthz/ready",
        tags=["health"],
        summary="200 when calls can be taken, else 503 and why not",
        responses={
            200: ResponseSpec(data_container=Readiness, description="Calls can be taken."),
            503: ResponseSpec(data_container=Readiness, description="They cannot, and why."),
        },
    )
    async def ready() -> Response[bytes]:
        readiness = await _readiness(front)
        status, headers = _outcome(readiness)
        return Response(msgspec.json.encode(readiness), status_code=status, media_type=JSON, headers=headers)

    @head("/healthz/ready", include_in_schema=False)
    async def is_ready() -> Response[None]:
        status, headers = _outcome(await _readiness(front))
        return Response(None, status_code=status, media_type=JSON, headers=headers)

    @get(
        "/metrics",
        tags=["health"],
        summary="Prometheus metrics of this front and of the queues",
        responses={200: ResponseSpec(data_container=str, description="Metrics.", media_type=MediaType.TEXT)},
    )
    async def metrics() -> Response[bytes]:
        try:
            gauges = await front.reads.read_metrics()
        except DatabaseAway:
            gauges = None
        links = front.links
        text = front.metrics.render(
            gauges, workers=links.workers, waiting=links.waiting, draining=front.draining, held=front.held
        )
        return Response(text, media_type=CONTENT_TYPE.partition("; charset")[0])

    return [live, is_live, ready, is_ready, metrics]


def _outcome(readiness: Readiness) -> tuple[int, dict[str, str]]:
    headers = request_id_headers()
    if not readiness.ready:
        headers["retry-after"] = "1"
    return (200 if readiness.ready else 503), headers


async def _readiness(front: Front) -> Readiness:
    if front.draining:
        return Readiness(ready=False, reason="This front is shutting down.")
    try:
        return await front.reads.check_ready()
    except DatabaseAway:
        return Readiness(ready=False, reason="The database is away.")
