"""What every provider adapter shares: the call it is given, the output it writes, how it fails.

An adapter is one coroutine, `call(call, attempt, output)`. It talks to one server once. While it
goes on it fills in the attempt (see `worker.shapes.Attempt`); what the customer is to get goes to
the output; if the call comes to nothing it raises `CallFailed`. It never retries, never logs, and
never keeps anything that was said.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, Protocol

import httpx
import msgspec

from onevault.tokens import Secret
from worker.shapes import Attempt, Candidate, ErrorClass

# Errors
#   CallFailed          the call came to nothing; its class says why, its flags what may follow
#
# The class alone decides whether another candidate may be tried and whose fault it was, with two
# exceptions that adapters state: a model that is missing at this provider, and refusals by policy.

_NO_FAILOVER: Final[frozenset[ErrorClass]] = frozenset(("bad_request", "content_policy"))
_CUSTOMERS_FAULT: Final[frozenset[ErrorClass]] = frozenset(("bad_request", "context_too_long", "content_policy"))


LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""The names by which the grammars of customers know the output limit."""

NOT_UPSTREAM: Final = ("type", "priority", "max_cost", "session_id")
"""Fields of ours in a customer's request, which are no provider's business."""

CONVERSATIONS: Final = frozenset(("chat", "native", "messages", "responses"))
"""The routes by which models are talked to."""

BETA: Final = "anthropic-beta"
"""The header in which beta features are named; only servers that speak Messages have any."""

LABELS: Final = frozenset(("role", "id", "type", "index", "format", "call_id"))
"""Fields of an answer that name a piece and are no output."""


class CallFailed(Exception):
    """A call came to nothing.

    `failover`: another candidate may be tried. `customer_fault`: the request itself is what the
    provider refused; then `message` and `param` are the provider's words for the customer, and
    for nobody else: they are neither stored nor logged, so they are no part of `str(error)`.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        *,
        failover: bool | None = None,
        customer_fault: bool | None = None,
        message: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(error_class)
        self.error_class = error_class
        self.failover = error_class not in _NO_FAILOVER if failover is None else failover
        self.customer_fault = error_class in _CUSTOMERS_FAULT if customer_fault is None else customer_fault
        self.message = message
        self.param = param


def not_served() -> CallFailed:
    """The failure of a call by a route that this kind of provider has nothing for: our price book's fault."""
    return CallFailed("bad_request", failover=True, customer_fault=False)


class Call(msgspec.Struct, frozen=True):
    """One request to one candidate.

    `fields` is the customer's JSON object, decoded at the top level only and the same for all
    candidates: adapters must not change it. `surface` names the route it came by, and so the grammar of question and
    answer. `include_usage`: the customer asked for the usage chunk of a stream. `request_id` is the gateway's
    own. `headers` are those of the customer's that are for the provider.
    """

    request_id: str
    candidate: Candidate
    fields: dict[str, msgspec.Raw]
    surface: str
    stream: bool
    include_usage: bool
    api_key: Secret[str] | None
    headers: dict[str, str] = {}

    @property
    def output_limit(self) -> int | None:
        """The smallest of the limits that the customer and the candidate name; None if none does."""
        limits = [] if self.candidate.max_output_tokens is None else [self.candidate.max_output_tokens]
        for name in LIMITS:
            raw = self.fields.get(name)
            if raw is not None:
                try:
                    limits.append(msgspec.json.decode(raw, type=int))
                except msgspec.MsgspecError:
                    continue  # null, or for the front to have refused
        return min(limits) if limits else None

    @property
    def betas(self) -> list[str]:
        """The beta features that the customer names."""
        given = self.headers.get(BETA)
        return [name for part in given.split(",") if (name := part.strip())] if given else []

    @property
    def wishes(self) -> list[str]:
        """Names of what the customer says; null is nothing said."""
        return [name for name, value in self.fields.items() if bytes(value) != b"null"]

    def note_betas(self, attempt: Attempt, passed: Collection[str] = ()) -> None:
        """Say which beta features the provider is not told of."""
        if BETA in self.headers:
            attempt.dropped = [*attempt.dropped, *(f"{BETA}={name}" for name in self.betas if name not in passed)]

    def __repr__(self) -> str:
        return f"Call({self.request_id!r}, {self.candidate.provider!r})"


Finding = Literal["accepted", "refused", "unreachable", "unsupported"]
"""What asking a provider about a key comes to: `unsupported` is a provider with nothing to ask."""


class Inquiry(msgspec.Struct, frozen=True):
    """A key and the provider that is to say whether it takes it; `settings` as in `worker.shapes.Candidate`."""

    endpoint: str
    settings: msgspec.Raw
    api_key: Secret[str]

    def __repr__(self) -> str:
        return f"Inquiry({self.endpoint!r})"


class Output(Protocol):
    """Where the answer goes. Nothing reaches the customer before the first `send`."""

    def alive(self) -> None:
        """The provider has said something: from now on only silence counts against it."""

    async def send(self, data: bytes) -> None:
        """Pass on bytes that are ready for the wire. Waits while the customer reads slowly."""

    def hold(self, last: bytes) -> None:
        """The event that ends a stream: the customer gets it when the call has been booked."""


class Provider(Protocol):
    """One kind of provider."""

    async def call(self, call: Call, attempt: Attempt, output: Output) -> None:
        """Make the call, fill in the attempt, write the answer. Raises `CallFailed`."""

    async def validate(self, inquiry: Inquiry) -> Finding:
        """Ask whether a key is taken, by the cheapest call that needs one. Raises nothing."""


class Transport(Protocol):
    """What an adapter needs of httpx: one prepared request in, one response out."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response: ...


def text_bytes(value: object) -> int:
    """The UTF-8 bytes of all text inside a piece of an answer, at any depth.

    What only labels a piece (role, id, type) is not text.
    """
    size = 0
    found = [value]
    while found:  # no recursion: JSON may be deeper than Python goes
        inner = found.pop()
        if isinstance(inner, str):
            size += len(inner) if inner.isascii() else len(inner.encode("utf-8", "surrogatepass"))
        elif isinstance(inner, dict):
            found += [said for name, said in inner.items() if name not in LABELS]
        elif isinstance(inner, list):
            found += inner
    return size
