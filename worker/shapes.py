"""What travels between the database and the worker: the message in, the result out.

The queue's message holds the whole decision and no prompt. A result holds every fact about the
calls that were made and no word of what was said. Times are milliseconds, sizes are bytes, keys
(`customer`, `offer`, `key`, `ticket`) are lower-case hex.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Outcome = Literal["SUCCESS", "ERROR", "TIMEOUT", "CANCELLED"]

ErrorClass = Literal[
    "bad_request",
    "context_too_long",
    "content_policy",
    "auth_dead",
    "money_dead",
    "rate_limited",
    "overloaded",
    "server_error",
    "timeout",
    "connect",
    "truncated_stream",
    "client_gone",
    "front_gone",
    "worker_lost",
    "outrun",
]
"""The closed list of what can go wrong. Nothing else about a failure is ever stored."""


class Candidate(msgspec.Struct, frozen=True):
    """One offer that may serve the request, with everything needed to call it.

    `max_output_tokens` is what to send upstream when the customer named no limit or a higher one.
    `settings` are the quirks of this provider, read by its adapter. `spare_keys` are for when `key` is not taken; None
    among them is a call without a key. `own_keys` are those of both that the customer brought. `guarded`: the endpoint
    is a customer's word, and only reached as `worker.egress` allows. `betas` are the beta features that it may be told
    of; None where that is for its own list to say.
    """

    offer: str
    provider: str
    kind: str
    model: str
    upstream_model: str
    first_byte_timeout_ms: int
    endpoint: str | None = None
    key: str | None = None
    spare_keys: tuple[str | None, ...] = ()
    own_keys: tuple[str, ...] = ()
    max_output_tokens: int | None = None
    settings: msgspec.Raw = msgspec.Raw(b"{}")
    guarded: bool = False
    betas: tuple[str, ...] | None = None


class Hedge(msgspec.Struct, frozen=True):
    """Whom to ask as well when the first candidate has said nothing for so long."""

    after_ms: int
    offer: str


class Message(msgspec.Struct, frozen=True):
    """The decision about one request, as `sp_route_requests` queued it.

    `dead`: SQL has buried it, since worker after worker was lost with it; whoever waits is to be told.
    """

    request: str
    customer: str
    reply_to: str
    ticket: str
    deadline_ms: int
    candidates: list[Candidate]
    dead: bool = False
    hedge: Hedge | None = None


class Delivery(msgspec.Struct, frozen=True):
    """A message as it was read: `(msg_id, read_ct)` is the receipt that fences its booking.

    `read_at_ms` is the time of the clock that the message's deadline is by: the database's, which need not be ours.
    """

    queue: str
    msg_id: int
    read_ct: int
    message: Message
    read_at_ms: int


class Usage(msgspec.Struct):
    """Tokens in disjoint buckets, apart from `reasoning`, which lies inside `output`.

    What the provider did not say is None, which is not zero. `other` holds what few calls use, under the names of the
    price book's meters (`cache_write_1h`, `input_audio`, `output_image`, `search`), with a variant after a slash where
    prices differ by one (`image/1024x1024/high`).
    """

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    other: dict[str, int] | None = None


class Attempt(msgspec.Struct, kw_only=True):
    """One call to one provider; an adapter fills it in while the call goes on.

    So whatever ends the call, what is known by then is here. `output_bytes` counts the text in
    the answer (UTF-8), from which usage is estimated when the provider did not give any; `untold_bytes` are those of
    them that came after the usage that it gave. `service_tier` is the one by which it was served, if the provider said
    so; `dropped` names what of the request it could not be told.
    """

    number: int
    offer: str
    key: str | None
    outcome: Outcome = "ERROR"
    error_class: ErrorClass | None = msgspec.field(name="class", default=None)
    http_status: int | None = None
    latency_ms: int = 0
    first_byte_ms: int | None = None
    output_bytes: int = 0
    untold_bytes: int | msgspec.UnsetType = msgspec.UNSET
    retry_after_ms: int | None = None
    finish_reason: str | None = None
    service_tier: str | None = None
    usage: Usage | None = None
    usage_source: Literal["provider_final", "provider_partial"] | None = None
    raw_usage: dict[str, object] | None = None
    dropped: list[str] = msgspec.field(default_factory=list)


class Result(msgspec.Struct, kw_only=True):
    """The end of one request, as `sp_record_results` books it.

    `readings` counts how often this worker read its message: every other reading is a worker that was lost.
    """

    request: str
    customer: str
    queue: str
    msg_id: int
    read_ct: int
    status: Outcome
    readings: int = 1
    error_class: ErrorClass | None = msgspec.field(name="class", default=None)
    latency_ms: int = 0
    first_byte_ms: int | None = None
    attempts: list[Attempt] = msgspec.field(default_factory=list)


class TriedCandidate(msgspec.Struct):
    """One line of the list of attempts that a customer sees when all of them failed."""

    provider: str
    model: str
    error_class: ErrorClass | None = msgspec.field(name="class", default=None)
    http_status: int | None = None


class CustomerError(msgspec.Struct, kw_only=True):
    """What the customer is told when there is no answer, or when it broke off."""

    http_status: int
    code: str
    message: str
    param: str | None = None
    attempts: list[TriedCandidate] = msgspec.field(default_factory=list)
    retry_after_ms: int | None = None


_message_decoder: Final = msgspec.json.Decoder(Message)


def decode_message(text: str | bytes) -> Message:
    """Read a queue message. Raises `msgspec.MsgspecError` for one that is malformed."""
    return _message_decoder.decode(text)
