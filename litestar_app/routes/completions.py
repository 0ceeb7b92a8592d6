"""The routes of the road, plain and streamed: `litestar_app.surfaces.surface` lists them.

They are bare ASGI handlers, which read the scope and write the response themselves. Measured over
uvicorn alone at 64 connections, Litestar adds 0.005 CPU-ms to a call that way, and 0.037 with request and
response objects; this module as a whole stays near 0.1.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
from litestar import asgi

from litestar_app.answer_headers import STREAM_HEADERS, answer_headers, as_header, dropped_headers
from litestar_app.answers import Answer
from litestar_app.auth import Headers, user_agent
from litestar_app.body import read_body
from litestar_app.calls import Ask, Decision
from litestar_app.errors import (
    ClientLeft,
    Draining,
    GatewayError,
    InternalError,
    ProviderFailed,
    WrongMethod,
    error_body,
    error_headers,
)
from litestar_app.idempotency import Pair
from litestar_app.receipts import (
    Receipt,
    failure_of,
    read_receipt,
    refusal_of,
    splice,
    stream_id,
)
from litestar_app.surfaces.surface import SURFACES
from litestar_app.watch import Watch
from onevault.errors import unwind
from onevault.log import get_log

if TYPE_CHECKING:
    from litestar.handlers import ASGIRouteHandler
    from litestar.types import HTTPScope, Receive, Scope, Send

    from litestar_app.admission import Load
    from litestar_app.front import Front
    from litestar_app.requests import Features
    from litestar_app.surfaces.surface import Surface

_PIECE_BYTES: Final = 256 * 1024

_log = get_log("front.completions")


def completion_routes(front: Front) -> list[ASGIRouteHandler]:
    """The handlers of the road."""
    return [_route(front, surface) for surface in SURFACES]


def _route(front: Front, surface: Surface) -> ASGIRouteHandler:
    @asgi(surface.path, copy_scope=False)
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await Call(front, surface, scope, receive, send).run()  # type: ignore[arg-type]

    return handle


class Call:
    """One customer's call, from its first byte to the last of its answer."""

    __slots__ = (
        "_decision",
        "_front",
        "_kind",
        "_load",
        "_receipt",
        "_receive",
        "_scope",
        "_send",
        "_started",
        "_surface",
    )

    def __init__(self, front: Front, surface: Surface, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._front = front
        self._surface = surface
        self._scope = scope
        self._receive = receive
        self._send = send
        self._kind = "plain"
        self._started = False
        self._decision: Decision | None = None
        self._receipt: Receipt | None = None
        self._load: Load | None = None

    async def run(self) -> None:
        """Answer the call; whatever goes wrong becomes an error in the surface's shape."""
        begun = time.perf_counter()
        outcome = "ok"
        try:
            await self._answer()
        except GatewayError as error:
            outcome = error.code
            await self._refuse(error)
            unwind(error)
        except Exception as error:  # noqa: BLE001 - the customer gets a shape, the log a class
            outcome = "internal_error"
            _log.error("call_failed", error)
            await self._refuse(InternalError())
            unwind(error)
        finally:
            if self._load is not None:
                self._load.close()
        self._front.metrics.request(self._surface.name, self._kind, outcome, time.perf_counter() - begun)

    async def _answer(self) -> None:
        front = self._front
        if self._scope["method"] != "POST":
            raise WrongMethod("POST")
        if front.draining:
            raise Draining
        headers: Headers = dict(self._scope["headers"])
        digests = front.tokens.digests(headers)
        load = self._load = front.enter()
        body = await read_body(headers, self._receive, front.body_limit, load)
        surface = self._surface
        keys = front.keys.pairs(headers, self._scope["path"], body)
        if surface.is_form:
            body = surface.unpack(body, headers)
        features = surface.read(body)
        self._kind = "stream" if features.stream else "plain"
        passed = surface.passed_headers(headers)
        answer = Answer(
            surface.name,
            body,
            load,
            stream=features.stream,
            include_usage=features.include_usage,
            passed=passed,
        )
        del body
        timeout = front.settings.request_timeout_seconds
        watch = Watch(answer, self._receive, timeout)
        front.links.expect(answer)
        try:
            for digest in digests:
                ask = self._ask(digest, answer, features, headers, timeout, keys, surface.betas(passed))
                decision = self._decision = await front.decide(ask)
                if decision.status != "invalid_token":
                    break
            if digest is not digests[0]:
                front.rehash.begin(digest, digests[0])
            if decision.status != "routed":
                raise refusal_of(decision)
            watch.end_in(decision.left_ms)
            await (self._stream(answer) if features.stream else self._plain(answer))
        finally:
            watch.close()
            front.links.forget(answer, routed=self._routed is not None)

    @property
    def _routed(self) -> Decision | None:
        decision = self._decision
        return decision if decision is not None and decision.status == "routed" else None

    def _ask(
        self,
        digest: bytes,
        answer: Answer,
        features: Features,
        headers: Headers,
        timeout: float,
        keys: list[Pair] | None,
        betas: list[str] | None,
    ) -> Ask:
        return Ask(
            digest=digest.hex(),
            ticket=answer.ticket.hex(),
            surface=self._surface.name,
            capability=self._surface.capability,
            request_type=features.request_type,
            priority=features.priority,
            model=features.model,
            stream=features.stream,
            tools=features.tools,
            vision=features.vision,
            structured=features.structured,
            prompt_bytes=features.prompt_bytes,
            images=features.images,
            messages=features.messages,
            max_output_tokens=features.max_output_tokens,
            choices=features.choices,
            max_cost=features.max_cost,
            metadata=features.metadata,
            session=self._front.keys.session(features.session),
            client_ip=self._front.addresses.client_ip(self._scope),
            user_agent=user_agent(headers),
            timeout_ms=round(timeout * 1000),
            **features.rare(),
            betas=betas,
            idempotency=keys if keys is not None else msgspec.UNSET,
        )

    async def _plain(self, answer: Answer) -> None:
        await answer.arrival()
        receipt = self._settle(answer)
        data = answer.take()
        if not data:
            raise ProviderFailed("The provider's answer was empty.")
        body = splice(data, receipt)
        headers = answer_headers(self._decision, receipt) + dropped_headers(answer)
        headers.append((b"content-length", b"%d" % len(body)))
        headers.append((b"x-onevault-cost", as_header(receipt.cost.customer or "0")))
        content_type = answer.head.content_type if answer.head else "application/json"
        headers.append((b"content-type", as_header(content_type)))
        self._started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        while len(body) > _PIECE_BYTES:
            # Each waits until the customer has taken those before: a large answer is his to fetch, not ours to hold.
            await self._send({"type": "http.response.body", "body": body[:_PIECE_BYTES], "more_body": True})
            body = body[_PIECE_BYTES:]
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _stream(self, answer: Answer) -> None:
        await answer.arrival()
        data = answer.take()
        if not data:
            self._settle(answer)  # an answer that failed before its first byte is a plain error
        chunk_id = stream_id(data)
        headers = answer_headers(self._decision, answer.head or self._decision)
        headers += dropped_headers(answer) + STREAM_HEADERS
        self._started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        while not answer.over:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            answer.drained()
            await answer.arrival()
            data = answer.take()
        try:
            data += self._surface.last_events(self._settle(answer), chunk_id, answer.last_event)
        except ClientLeft:
            raise
        except GatewayError as error:
            self._front.metrics.broken_streams.inc()
            data += self._surface.failed_event(error, answer.last_sent, headers[0][1].decode())
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    def _settle(self, answer: Answer) -> Receipt:
        """The receipt of an answer that is over. Raises the error it ended with, if it did."""
        if answer.error is not None:
            raise answer.error
        assert answer.receipt is not None
        try:
            receipt = self._receipt = read_receipt(answer.receipt)
        except msgspec.MsgspecError as error:
            _log.error("receipt_unreadable", error)
            raise InternalError from None
        failure = failure_of(receipt)
        if failure is not None:
            raise failure
        return receipt

    async def _refuse(self, error: GatewayError) -> None:
        if isinstance(error, ClientLeft):
            return
        if self._started:
            _log.warning("answer_broke_off", code=error.code)
            return  # the server closes the connection: the answer is visibly incomplete
        receipt = self._receipt
        headers = answer_headers(self._decision, receipt or self._decision)
        cost = (receipt.cost.customer if receipt else None) or "0"
        headers.append((b"x-onevault-cost", as_header(cost)))
        request_id = headers[0][1].decode()
        body = error_body(error, self._surface.shape, request_id)
        headers += error_headers(error, len(body))
        await self._send({"type": "http.response.start", "status": error.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
