"""The adapter for every server that speaks OpenAI's formats: chat completions, responses, embeddings, images.

What differs between such servers is data: `Quirks`, read from the candidate's settings over those of its kind. Where
the customer speaks the same format, his JSON is opened at the top level only and everything below goes upstream as it
came; Anthropic's Messages, and Responses where the server has none, are translated into chat completions.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import httpx
import msgspec

from onevault.tokens import Secret
from worker.dialects.chat_answer import ChatReader
from worker.dialects.chat_request import write_chat
from worker.dialects.translation import Translation
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.answers import ChatListener
from worker.providers.base import LIMITS, NOT_UPSTREAM, Call, CallFailed, Finding, Inquiry, Transport
from worker.providers.counting import estimate_count
from worker.providers.embeddings import EmbeddingsListener
from worker.providers.http import USER_AGENT, Exchange, Headers, HttpProvider, close, finding_of, post
from worker.providers.images import ImagesListener, edit_form, variant_of
from worker.providers.listening import Listener
from worker.providers.refusals import classify_refusal
from worker.providers.responses import ResponsesListener
from worker.providers.tally import Tally
from worker.providers.wire import TIMEOUTS
from worker.shapes import Attempt

_NOT_IN_CHAT: Final = (*NOT_UPSTREAM, *LIMITS, "prompt", "stream_options")
_MODELS: Final = "/models"
_TRUE: Final = msgspec.Raw(b"true")
_FALSE: Final = msgspec.Raw(b"false")


class Quirks(msgspec.Struct, frozen=True):
    """How one OpenAI-compatible server differs from the others.

    `max_tokens_field`: the name it knows the output limit by. `stream_usage`: it accepts
    `stream_options`. `path` and `query` complete the endpoint, `root` stands before the other formats' paths; `{model}`
    in both is the model. The key goes in `auth_header` after `auth_prefix`. `drop`: fields that it refuses. `rename`:
    fields that it knows by another name. `fields`: fields to add where the customer set none. `responses`: it has the
    Responses API. `translated`: beginnings of the names of models whose answers only resemble OpenAI's.
    `context_marks`: its words for a prompt that is too long, if it has no code for it.
    """

    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    path: str = "/chat/completions"
    root: str = ""
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    auth_header: str = "authorization"
    auth_prefix: str = "Bearer "
    drop: list[str] = []
    rename: dict[str, str] = {}
    fields: dict[str, msgspec.Raw] = {}
    responses: bool = False
    translated: tuple[str, ...] = ()
    context_marks: tuple[str, ...] = ("maximum context length",)


AZURE: Final[dict[str, Any]] = {
    "path": "/openai/deployments/{model}/chat/completions",
    "root": "/openai/deployments/{model}",
    "query": {"api-version": "2024-10-21"},
    "auth_header": "api-key",
    "auth_prefix": "",
    "max_tokens_field": "max_completion_tokens",
}
"""Azure's deployments, each under the name that the operator gave it; `responses` needs its newer paths."""

MISTRAL: Final[dict[str, Any]] = {
    "stream_usage": False,
    "rename": {"seed": "random_seed"},
    "drop": [
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "user",
        "service_tier",
        "store",
        "verbosity",
        "prompt_cache_key",
    ],
    "translated": ["magistral"],
}
"""Mistral's own server, which refuses fields that it does not know."""


class OpenAIProvider(HttpProvider):
    """Calls over one shared transport; `defaults` are the quirks of a kind of server."""

    def __init__(self, transport: Transport, defaults: dict[str, Any] | None = None) -> None:
        super().__init__(transport)
        self._defaults = msgspec.json.encode(defaults or {})

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        quirks = _quirks(self._defaults, bytes(call.candidate.settings))
        surface = call.surface
        if surface == "embeddings":
            body = msgspec.json.encode(_plain_fields(call, quirks))
            return self._exchange(call, quirks, "/embeddings", body, EmbeddingsListener(tally), stream=False)
        if surface == "images":
            body = msgspec.json.encode(_plain_fields(call, quirks))
            listener: Listener = ImagesListener(tally, variant_of(call))
            return self._exchange(call, quirks, "/images/generations", body, listener, stream=call.stream)
        if surface == "image_edits":
            body, kind = edit_form(call, _plain_fields(call, quirks))
            listener = ImagesListener(tally, variant_of(call))
            return self._exchange(call, quirks, "/images/edits", body, listener, stream=call.stream, kind=kind)
        if surface == "responses" and quirks.responses:
            listener = ResponsesListener(tally, quirks.context_marks)
            return self._exchange(
                call, quirks, "/responses", responses_body(call, quirks), listener, stream=call.stream
            )
        if surface in ("chat", "native") and not call.candidate.upstream_model.startswith(quirks.translated or "\0"):
            body, listener = upstream_body(call, quirks), ChatListener(tally, call.include_usage, quirks.context_marks)
        else:
            body = _translated_body(call, quirks, tally.attempt)
            listener = Translation(tally, ChatReader(tally, quirks.context_marks), writer_of(call))
        return self._exchange(call, quirks, None, body, listener, stream=call.stream)

    async def call(self, call: Call, attempt: Attempt, output: Any) -> None:
        """One call; tokens are only estimated here, which asks nobody. See `worker.providers.base.Provider`."""
        if call.surface == "count_tokens":
            await estimate_count(call, attempt, output)
        else:
            await super().call(call, attempt, output)

    def refusal(self, call: Call, attempt: Attempt, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        marks = _quirks(self._defaults, bytes(call.candidate.settings)).context_marks
        return classify_refusal(attempt.http_status or 500, body, marks)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By the list of models, which costs nothing; see `worker.providers.base.Provider`."""
        try:
            quirks = _quirks(self._defaults, bytes(inquiry.settings))
            target = _target(inquiry.endpoint, quirks_key(quirks), _MODELS, "application/json")
            headers = [*target[1], _authorization(inquiry.api_key, quirks)]
            response = await self.send(httpx.Request("GET", target[0], headers=headers, extensions=TIMEOUTS))
        except CallFailed:
            return "unreachable"
        await close(response)
        return finding_of(response.status_code)

    def _exchange(
        self,
        call: Call,
        quirks: Quirks,
        path: str | None,
        body: bytes,
        listener: Listener,
        *,
        stream: bool,
        kind: str = "application/json",
    ) -> Exchange:
        whole = quirks.path if path is None else quirks.root + path
        whole = whole.replace("{model}", call.candidate.upstream_model)
        url, headers = _target(call.candidate.endpoint or "", quirks_key(quirks), whole, kind)
        if call.api_key is not None:
            headers = [*headers, _authorization(call.api_key, quirks)]
        return Exchange(post(url, headers, body), listener, stream)


def upstream_body(call: Call, quirks: Quirks) -> bytes:
    """The customer's JSON as this server wants it.

    The model is the candidate's, a native `prompt` becomes a message, our own fields are gone, the
    output limit is there under the server's name for it, and streams are asked for their usage.
    """
    given = call.fields
    fields = {name: value for name, value in given.items() if name not in _NOT_IN_CHAT}
    prompt = given.get("prompt")
    if prompt is not None and "messages" not in given:
        message = b'[{"role":"user","content":' + bytes(prompt) + b"}]"
        fields["messages"] = msgspec.Raw(message)
    if call.surface == "native" or bytes(given.get("store", b"")) != b"true":
        # On the native surface it is the customer's label for routing; elsewhere OpenAI accepts
        # it only for what it is to store.
        fields.pop("metadata", None)
    _set_common(call, quirks, fields, quirks.max_tokens_field)
    if call.stream and quirks.stream_usage:
        fields["stream_options"] = _stream_options(given.get("stream_options"))
    return _encode(fields, quirks)


def responses_body(call: Call, quirks: Quirks) -> bytes:
    """The customer's JSON for the Responses API: nothing is kept there unless he says so himself."""
    given = call.fields
    fields = {name: value for name, value in given.items() if name not in NOT_UPSTREAM}
    if bytes(given.get("store", b"")) != b"true":
        fields["store"] = _FALSE
        fields.pop("metadata", None)
    _set_common(call, quirks, fields, "max_output_tokens")
    return msgspec.json.encode(fields)


def _translated_body(call: Call, quirks: Quirks, attempt: Attempt) -> bytes:
    body, attempt.dropped = write_chat(read_conversation(call))
    fields = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in body.items()}
    _set_common(call, quirks, fields, quirks.max_tokens_field)
    if call.stream and quirks.stream_usage:
        fields["stream_options"] = _stream_options(None)
    return _encode(fields, quirks)


def _set_common(call: Call, quirks: Quirks, fields: dict[str, msgspec.Raw], limit_field: str) -> None:
    fields["model"] = msgspec.Raw(msgspec.json.encode(call.candidate.upstream_model))
    limit = call.output_limit
    if limit is not None:
        fields[limit_field] = msgspec.Raw(b"%d" % limit)
    if call.stream:
        fields["stream"] = _TRUE
    else:
        fields.pop("stream", None)


def _plain_fields(call: Call, quirks: Quirks) -> dict[str, msgspec.Raw]:
    """The customer's fields for the formats that have no conversation."""
    fields = {name: value for name, value in call.fields.items() if name not in (*NOT_UPSTREAM, "metadata")}
    fields["model"] = msgspec.Raw(msgspec.json.encode(call.candidate.upstream_model))
    for name in quirks.drop:
        fields.pop(name, None)
    return fields


def _encode(fields: dict[str, msgspec.Raw], quirks: Quirks) -> bytes:
    for name in quirks.drop:
        fields.pop(name, None)
    for name, other in quirks.rename.items():
        if name in fields:
            fields[other] = fields.pop(name)
    for name, value in quirks.fields.items():
        fields.setdefault(name, value)
    return msgspec.json.encode(fields)


@functools.lru_cache(maxsize=1024)
def _quirks(defaults: bytes, settings: bytes) -> Quirks:
    """The quirks of a kind with those of one server over them."""
    try:
        if defaults == b"{}":
            return msgspec.json.decode(settings, type=Quirks)
        return msgspec.convert(msgspec.json.decode(defaults) | msgspec.json.decode(settings), Quirks)
    except (msgspec.MsgspecError, TypeError):
        raise CallFailed("connect") from None


def quirks_key(quirks: Quirks) -> tuple[tuple[str, str], ...]:
    """What of the quirks matters for where to send, as a key for what is prepared once."""
    return (*(("?" + n, v) for n, v in quirks.query.items()), *((n.lower(), v) for n, v in quirks.headers.items()))


@functools.lru_cache(maxsize=4096)
def _target(endpoint: str, told: tuple[tuple[str, str], ...], path: str, kind: str) -> tuple[httpx.URL, Headers]:
    """Where to send, and under which headers; prepared once."""
    try:
        url = httpx.URL(endpoint.rstrip("/") + path)
        query = {name[1:]: value for name, value in told if name.startswith("?")}
        if query:
            url = url.copy_merge_params(query)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError
    except (httpx.InvalidURL, ValueError):
        raise CallFailed("connect") from None
    headers = {
        "content-type": kind,
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        **{name: value for name, value in told if not name.startswith("?")},
    }
    return url, [(n.encode(), v.encode()) for n, v in headers.items()]


def _authorization(key: Secret[str], quirks: Quirks) -> tuple[bytes, bytes]:
    return quirks.auth_header.encode(), (quirks.auth_prefix + key.reveal()).encode()


def _stream_options(given: msgspec.Raw | None) -> msgspec.Raw:
    options: dict[str, object] = {}
    if given is not None:
        try:
            options = msgspec.json.decode(given, type=dict[str, object])
        except msgspec.MsgspecError:
            options = {}
    options["include_usage"] = True
    return msgspec.Raw(msgspec.json.encode(options))
