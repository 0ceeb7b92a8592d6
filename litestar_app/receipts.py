"""From the worker's receipt to what the customer gets: the `onevault` object, headers, errors.

Amounts travel as decimal text and are written as JSON numbers from that text: they are never a
float on the way.
"""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from litestar_app.calls import Decision
from litestar_app.errors import GatewayError

_AMOUNT: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_ID: Final = re.compile(rb'"id":\s*"([^"\\]{1,200})"')
_NULL: Final = Raw(b"null")
_encode = msgspec.json.Encoder().encode


class Amounts(Struct, frozen=True):
    """What a request cost, in decimal text; `own_key` is what a provider asks the customer himself."""

    provider: str | None = None
    markup: str | None = None
    customer: str | None = None
    currency: str = "USD"
    own_key: str | None = None


class Failure(Struct, frozen=True):
    """Why a request failed, written by the worker."""

    http_status: int
    code: str
    message: str
    param: str | None = None
    attempts: list[dict[str, Any]] = []
    retry_after_ms: int | None = None


class Limited(Struct, frozen=True):
    """Why an answer could not be as long as it was asked to be; `by` is "budget" or "max_cost"."""

    max_output_tokens: int
    by: str


class Receipt(Struct, frozen=True):
    """What was booked, as `sp_record_results` gave it, with the worker's error if there was one."""

    request_id: str
    provider: str | None = None
    model: str | None = None
    route_reason: str | None = None
    attempts: int | None = None
    latency_ms: int | None = None
    cost: Amounts = Amounts()
    limited: Limited | None = None
    error: Failure | None = None


class _Cost(Struct, frozen=True):
    provider: Raw
    markup: Raw
    customer: Raw
    currency: str
    own_key: Raw | UnsetType = UNSET


class _OneVault(Struct, frozen=True, omit_defaults=True):
    request_id: str
    provider: str | None
    model: str | None
    route_reason: str | None
    attempts: int | None
    latency_ms: int | None
    cost: _Cost
    limited: Limited | None = None


_decode_receipt: Final = msgspec.json.Decoder(Receipt).decode
_decode_limited: Final = msgspec.json.Decoder(Limited).decode
_decode_detail: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


def read_receipt(data: bytes) -> Receipt:
    """Decode a receipt. Raises `msgspec.MsgspecError`."""
    return _decode_receipt(data)


def onevault_object(receipt: Receipt) -> bytes:
    """The `onevault` object of an answer, as JSON."""
    cost = receipt.cost
    return _encode(
        _OneVault(
            receipt.request_id,
            receipt.provider,
            receipt.model,
            receipt.route_reason,
            receipt.attempts,
            receipt.latency_ms,
            _Cost(
                _number(cost.provider),
                _number(cost.markup),
                _number(cost.customer),
                cost.currency,
                UNSET if cost.own_key is None else _number(cost.own_key),
            ),
            receipt.limited,
        )
    )


def splice(answer: bytes, receipt: Receipt) -> bytes:
    """The provider's JSON object with `onevault` as its last member; its own bytes stay as they are.

    What is no JSON object is given back unchanged.
    """
    trimmed = answer.rstrip()
    if not trimmed.endswith(b"}"):
        return answer
    head = trimmed[:-1]
    comma = b"" if head.rstrip().endswith(b"{") else b","
    return b"".join((head, comma, b'"onevault":', onevault_object(receipt), b"}"))


def splice_event(event: bytes, receipt: Receipt) -> bytes:
    """An event whose data is a JSON object, with `onevault` as that object's last member."""
    end = event.rfind(b"}")
    if end < 0:
        return event
    comma = b"" if event[:end].rstrip().endswith(b"{") else b","
    return b"".join((event[:end], comma, b'"onevault":', onevault_object(receipt), event[end:]))


def stream_id(first_piece: bytes) -> bytes | None:
    """The id that the provider gave the stream, from its first event."""
    found = _ID.search(first_piece, 0, 4096)
    return found[1] if found else None


def last_events(receipt: Receipt, chunk_id: bytes | None) -> bytes:
    """The end of a whole stream: the event that carries `onevault`, and [DONE]."""
    name = chunk_id or b"chatcmpl-" + receipt.request_id.encode()
    return (
        b'data: {"id":"%b","object":"chat.completion.chunk","created":%d,"model":%b,"choices":[],'
        b'"onevault":%b}\n\ndata: [DONE]\n\n'
        % (name, int(time.time()), _encode(receipt.model or ""), onevault_object(receipt))
    )


def failure_of(receipt: Receipt) -> GatewayError | None:
    """The error that the worker reports, if it does."""
    failure = receipt.error
    if failure is None:
        return None
    return GatewayError(
        failure.http_status,
        failure.code,
        failure.message,
        param=failure.param,
        extra={"attempts": failure.attempts} if failure.attempts else {},
        retry_after_ms=failure.retry_after_ms,
    )


def limited_header(decision: Decision) -> bytes | None:
    """The value of `x-onevault-limited`, when a routed call will get a shorter answer than it asked for."""
    if decision.status != "routed" or decision.detail is None:
        return None
    limited = _decode_limited(decision.detail)
    return b"max_output_tokens=%d; by=%s" % (limited.max_output_tokens, limited.by.encode("ascii", "replace"))


def refusal_of(decision: Decision) -> GatewayError:
    """The error for a request that SQL refused."""
    detail = _decode_detail(decision.detail) if decision.detail else None
    return GatewayError(
        decision.http_status,
        decision.status,
        decision.message or "The gateway refused this request.",
        param=(detail or {}).get("param"),
        extra=detail or {},
        retry_after_ms=decision.retry_after_ms,
    )


def duration(milliseconds: int) -> bytes:
    """A duration as OpenAI writes it in rate-limit headers: `350ms`, `1.5s`, `6m0s`."""
    if milliseconds < 1000:
        return b"%dms" % max(0, milliseconds)
    minutes, rest = divmod(milliseconds, 60_000)
    seconds = b"%d" % (rest // 1000) if rest % 1000 == 0 else b"%.3f" % (rest / 1000)
    if b"." in seconds:
        seconds = seconds.rstrip(b"0")
    return b"%dm%bs" % (minutes, seconds) if minutes else seconds + b"s"


def _number(amount: str | None) -> Raw:
    """Decimal text as a JSON number; null for what is none."""
    if amount is None or not _AMOUNT.fullmatch(amount):
        return _NULL
    return Raw(amount.encode())
