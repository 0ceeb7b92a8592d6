"""What a customer is told when no candidate answered, or when an answer broke off."""

from __future__ import annotations

from typing import Final

import msgspec

from worker.providers.base import CallFailed
from worker.shapes import Candidate, CustomerError, Result, TriedCandidate

_REASONS: Final[dict[str, str]] = {
    "bad_request": "does not serve this model or request",
    "context_too_long": "cannot take a prompt of this length",
    "content_policy": "refused it by its content policy",
    "auth_dead": "did not accept the gateway's key",
    "money_dead": "has no credit left",
    "rate_limited": "limits the rate",
    "overloaded": "is overloaded",
    "server_error": "failed",
    "timeout": "did not answer in time",
    "connect": "could not be reached",
    "truncated_stream": "broke off its answer",
}

_IMPATIENT: Final = ("rate_limited", "overloaded")

_OWN_KEY_REASONS: Final[dict[str, str]] = {
    "auth_dead": "did not accept your own key",
    "money_dead": "has no credit left on the account of your own key",
    "rate_limited": "limits the rate of your own key",
}


def describe_failure(result: Result, candidates: list[Candidate], verdict: CallFailed | None) -> CustomerError:
    """The customer's error for a result that is no success; names the attempts, no key and no prompt."""
    offers = {candidate.offer: candidate for candidate in candidates}
    tried = [
        TriedCandidate(
            provider=offers[attempt.offer].provider,
            model=offers[attempt.offer].model,
            error_class=attempt.error_class,
            http_status=attempt.http_status,
        )
        for attempt in result.attempts
    ]
    if result.status == "TIMEOUT":
        message = "There was no answer within the time limit of this request."
        return CustomerError(http_status=504, code="timeout", message=message, attempts=tried)
    if verdict is not None and verdict.customer_fault:
        message = verdict.message or "The provider refused this request as malformed or too long."
        return CustomerError(
            http_status=400, code="invalid_request", message=message, param=verdict.param, attempts=tried
        )
    reasons = "; ".join(
        f"{t.provider}/{t.model} {_reason(t, is_own=attempt.key in offers[attempt.offer].own_keys)}"
        + (f" ({t.http_status})" if t.http_status and t.http_status >= 400 else "")
        for t, attempt in zip(tried, result.attempts, strict=True)
    )
    message = f"No provider answered: {reasons}." if reasons else "No provider answered."
    return CustomerError(
        http_status=502, code="provider_error", message=message, attempts=tried, retry_after_ms=_wait_of(result)
    )


def _wait_of(result: Result) -> int | None:
    """When to ask again, as the first of the providers has it that asked for patience, if nothing else was wrong."""
    if any(attempt.error_class not in _IMPATIENT for attempt in result.attempts):
        return None
    return min((a.retry_after_ms for a in result.attempts if a.retry_after_ms is not None), default=None)


def _reason(tried: TriedCandidate, *, is_own: bool) -> str:
    reasons = _OWN_KEY_REASONS if is_own and tried.error_class in _OWN_KEY_REASONS else _REASONS
    return reasons.get(tried.error_class or "", "failed")


def describe_unbooked() -> CustomerError:
    """The customer's error when the answer could not be booked, and so is not given."""
    message = "The gateway could not book this request, so it gives no answer. You have not been charged; try again."
    return CustomerError(http_status=502, code="provider_error", message=message)


def describe_buried() -> CustomerError:
    """The customer's error when worker after worker was lost with this request."""
    message = "Every worker that took this request was lost with it, so it is given up. You have not been charged."
    return CustomerError(http_status=502, code="provider_error", message=message)


class _Told(msgspec.Struct):
    status: str | None = None


def was_fenced(receipt: bytes) -> bool:
    """Whether SQL refused a result, since the message had gone to another worker and is not booked yet."""
    return msgspec.json.decode(receipt, type=_Told).status == "FENCED"


def with_error(receipt: bytes, error: CustomerError) -> bytes:
    """The receipt with the error as its last member."""
    body = receipt.rstrip()[:-1].rstrip()
    comma = b"" if body.endswith(b"{") else b","
    return body + comma + b'"error":' + msgspec.json.encode(error) + b"}"
