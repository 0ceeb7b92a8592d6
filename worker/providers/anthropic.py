"""The adapter for servers that speak Anthropic's Messages format."""

from __future__ import annotations

from typing import Final

import httpx
import msgspec

from onevault.tokens import Secret
from worker.dialects.conversation import fit_ids, fit_names
from worker.dialects.messages_answer import MessagesReader
from worker.dialects.messages_request import write_messages
from worker.dialects.translation import Translation
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.base import (
    BETA,
    CONVERSATIONS,
    LIMITS,
    NOT_UPSTREAM,
    Call,
    CallFailed,
    Finding,
    Inquiry,
    not_served,
)
from worker.providers.counting import CountListener
from worker.providers.foreign import own_messages
from worker.providers.http import Exchange, HttpProvider, post
from worker.providers.listening import Listener
from worker.providers.messages import MessagesListener
from worker.providers.refusals import classify_refusal
from worker.providers.tally import Tally
from worker.providers.target import find_target, read_quirks
from worker.shapes import Attempt

VERSION: Final = "2023-06-01"
_MARKS: Final = ("prompt is too long", "exceed context limit")
# What a count takes of a request.
_COUNTED: Final = frozenset(("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config")).union(
    ("cache_control", "context_management", "mcp_servers", "compaction")
)
# What makes no difference to it.
_UNCOUNTED: Final = frozenset(
    (*NOT_UPSTREAM, *LIMITS, "metadata", "stream", "temperature", "top_p", "top_k", "stop_sequences", "service_tier")
)
_LEAST_OUTPUT: Final = 4096
_LONGEST_NAME: Final = 128


class Quirks(msgspec.Struct, frozen=True):
    """How one server differs from the others: further `headers`; the beta features that customers may name to it in
    `anthropic-beta`, None for all."""

    headers: dict[str, str] = {}
    betas: tuple[str, ...] | None = None


class AnthropicProvider(HttpProvider):
    """Calls over one shared transport."""

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        quirks = read_quirks(Quirks, call.candidate.settings)
        listener: Listener
        if call.surface == "count_tokens":
            fields = {name: value for name, value in call.fields.items() if name in _COUNTED}
            tally.attempt.dropped = sorted(set(call.wishes).difference(_COUNTED, _UNCOUNTED))
            path, stream, listener = "/messages/count_tokens", False, CountListener(tally)
        elif call.surface == "messages":
            fields = {name: value for name, value in call.fields.items() if name not in NOT_UPSTREAM}
            path, stream, listener = "/messages", call.stream, MessagesListener(tally)
        elif call.surface not in CONVERSATIONS:
            raise not_served()
        else:
            talk, model = read_conversation(call), call.candidate.upstream_model
            fit_ids(talk)
            names = fit_names(talk, _LONGEST_NAME)
            body, tally.attempt.dropped = write_messages(talk, model, call.output_limit or _LEAST_OUTPUT)
            fields = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in body.items()}
            path, stream = "/messages", call.stream
            listener = Translation(tally, MessagesReader(tally), writer_of(call), names)
        fields["model"] = msgspec.Raw(msgspec.json.encode(call.candidate.upstream_model))
        if call.surface in ("messages", "count_tokens"):
            fields["messages"] = own_messages(fields["messages"])
        if path == "/messages":
            _set_length(call, fields)
        url, headers = find_target(call.candidate.endpoint, path, _told(quirks, call))
        if call.surface in ("messages", "count_tokens"):
            told = ",".join(self.betas(call))
            headers = [*headers, (BETA.encode(), told.encode("latin-1", "replace"))] if told else headers
        if call.api_key is not None:
            headers = [*headers, _authorization(call.api_key)]
        return Exchange(post(url, headers, msgspec.json.encode(fields)), listener, stream)

    def betas(self, call: Call) -> list[str]:
        """See `HttpProvider`: what SQL has named of them, and never more than the server's own list."""
        own, said = read_quirks(Quirks, call.candidate.settings).betas, call.candidate.betas
        return [name for name in call.betas if (own is None or name in own) and (said is None or name in said)]

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        return classify_refusal(attempt.http_status or 500, body, _MARKS)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By the list of models, which costs nothing; see `worker.providers.base.Provider`."""
        try:
            quirks = read_quirks(Quirks, inquiry.settings)
            url, headers = find_target(inquiry.endpoint, "/models", _told(quirks))
            return await self.ask(url, [*headers, _authorization(inquiry.api_key)])
        except CallFailed:
            return "unreachable"


def _set_length(call: Call, fields: dict[str, msgspec.Raw]) -> None:
    limit = call.output_limit
    if limit is not None and bytes(fields.get("max_tokens", b"")) != b"0":  # 0 fills the cache and says nothing
        fields["max_tokens"] = msgspec.Raw(b"%d" % limit)
    if call.stream:
        fields["stream"] = msgspec.Raw(b"true")
    else:
        fields.pop("stream", None)


def _told(quirks: Quirks, call: Call | None = None) -> dict[str, str]:
    version = call.headers.get("anthropic-version", VERSION) if call is not None else VERSION
    return {"anthropic-version": version, **quirks.headers}


def _authorization(key: Secret[str]) -> tuple[bytes, bytes]:
    return b"x-api-key", key.reveal().encode()
