"""The adapter for every server that speaks OpenAI's formats: chat completions, responses, embeddings, images.

What differs between such servers is data: `Quirks`, read from the candidate's settings over those of its kind. Where
the customer speaks the same format, his JSON is opened at the top level only and everything below goes upstream as it
came; Anthropic's Messages, and Responses where the server has none, are translated into chat completions.
"""

from __future__ import annotations

import re
from typing import Any, Final

import httpx
import msgspec

from onevault.tokens import Secret
from worker.dialects.chat_answer import ChatReader
from worker.dialects.chat_request import write_chat
from worker.dialects.conversation import fit_ids, fit_names
from worker.dialects.translation import Translation
from worker.dialects.translators import read_conversation, writer_of
from worker.providers.answers import ChatListener
from worker.providers.base import LIMITS, NOT_UPSTREAM, Call, CallFailed, Finding, Inquiry, Transport, not_served
from worker.providers.counting import estimate_count
from worker.providers.embeddings import EmbeddingsListener
from worker.providers.foreign import bare_chat, own_chat, own_input
from worker.providers.http import Exchange, HttpProvider, post
from worker.providers.images import ImagesListener, edit_form, variant_of
from worker.providers.listening import Listener
from worker.providers.refusals import classify_refusal
from worker.providers.responses import ResponsesListener, include_sealed
from worker.providers.tally import Tally
from worker.providers.target import JSON, find_target, read_quirks
from worker.shapes import Attempt

_NOT_IN_CHAT: Final = (*NOT_UPSTREAM, *LIMITS, "prompt", "stream_options")
_MODELS: Final = "/models"
_PREFIX: Final = "prefix"
_CALL_ID: Final = re.compile(r".{1,40}", re.DOTALL)
_INPUT_TYPE: Final = "input_type"
_TRUE: Final = msgspec.Raw(b"true")
_FALSE: Final = msgspec.Raw(b"false")


class Quirks(msgspec.Struct, frozen=True):
    """How one OpenAI-compatible server differs from the others.

    `max_tokens_field`: the name it knows the output limit by. `stream_usage`: it accepts `stream_options`. `path` and
    `query` complete the endpoint, `root` stands before the other formats' paths; `{model}` in both is the model;
    `paths` has the whole path of those that stand elsewhere, by the usual one, and without `query`. The key goes in
    `auth_header` after `auth_prefix`. `drop`: fields that it refuses. `rename`: fields that it knows by another name.
    `fields`: fields to add where the customer set none. `responses`: it has the Responses API. `translated`:
    beginnings of the names of models whose answers only resemble OpenAI's. `signed`: it is Google's, which knows its
    signatures. `call_id_size`: how long the ids of calls must be in what is translated, 0 for any. `context_marks`:
    its words for a prompt that is too long, if it has no code for it. `message_fields`: the only fields that it takes
    in a message, which it takes from nobody but user, assistant, tool and system; none for any.
    """

    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    path: str = "/chat/completions"
    root: str = ""
    query: dict[str, str] = {}
    paths: dict[str, str] = {}
    headers: dict[str, str] = {}
    auth_header: str = "authorization"
    auth_prefix: str = "Bearer "
    drop: list[str] = []
    rename: dict[str, str] = {}
    fields: dict[str, msgspec.Raw] = {}
    responses: bool = False
    translated: tuple[str, ...] = ()
    signed: bool = False
    call_id_size: int = 0
    context_marks: tuple[str, ...] = ("maximum context length",)
    message_fields: frozenset[str] = frozenset()

    def own_path(self, usual: str | None) -> str | None:
        """Where this server has what others have at a usual path, if that is elsewhere."""
        return self.paths.get(usual) if usual is not None and self.paths else None


AZURE: Final[dict[str, Any]] = {
    "path": "/openai/deployments/{model}/chat/completions",
    "root": "/openai/deployments/{model}",
    "query": {"api-version": "2024-10-21"},
    "paths": {"/responses": "/openai/v1/responses", "/models": "/openai/v1/models"},
    "auth_header": "api-key",
    "auth_prefix": "",
    "max_tokens_field": "max_completion_tokens",
}
"""Azure's deployments, each under the name that the operator gave it. What it added later is at paths without version;
not all that it runs has the Responses API, so `responses` is for the operator to set."""

MISTRAL: Final[dict[str, Any]] = {
    "stream_usage": False,
    "call_id_size": 9,
    "rename": {"seed": "random_seed", "dimensions": "output_dimension"},
    "drop": [
        "audio",
        "logit_bias",
        "logprobs",
        "modalities",
        "moderation",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "top_logprobs",
        "user",
        "verbosity",
        "web_search_options",
    ],
    "translated": ["magistral"],
    "message_fields": ["content", "prefix", "role", "tool_call_id", "tool_calls"],
}
"""Mistral's own server, which refuses fields that it does not know."""


class OpenAIProvider(HttpProvider):
    """Calls over one shared transport; `defaults` are the quirks of a kind of server."""

    def __init__(self, transport: Transport, defaults: dict[str, Any] | None = None) -> None:
        super().__init__(transport)
        self._defaults = msgspec.json.encode(defaults or {})

    def exchange(self, call: Call, tally: Tally) -> Exchange:
        """See `HttpProvider`."""
        quirks = self._quirks(call.candidate.settings)
        surface = call.surface
        if quirks.drop:
            tally.attempt.dropped = [name for name in quirks.drop if name in call.wishes]
        if surface == "rerank":
            raise not_served()
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
            body, forgotten = responses_body(call, quirks)
            tally.attempt.dropped += forgotten
            return self._exchange(call, quirks, "/responses", body, listener, stream=call.stream)
        if surface in ("chat", "native") and not call.candidate.upstream_model.startswith(quirks.translated or "\0"):
            body = upstream_body(call, quirks, tally.attempt.dropped)
            listener = ChatListener(tally, call.include_usage, quirks.context_marks)
        else:
            body, names = _translated_body(call, quirks, tally.attempt)
            listener = Translation(tally, ChatReader(tally, quirks.context_marks), writer_of(call), names)
        return self._exchange(call, quirks, None, body, listener, stream=call.stream)

    async def call(self, call: Call, attempt: Attempt, output: Any) -> None:
        """One call; tokens are only estimated here, which asks nobody. See `worker.providers.base.Provider`."""
        if call.surface == "count_tokens":
            await estimate_count(call, attempt, output)
        else:
            await super().call(call, attempt, output)

    def refusal(self, call: Call, attempt: Attempt, headers: httpx.Headers, body: bytes) -> CallFailed:
        """See `HttpProvider`."""
        marks = self._quirks(call.candidate.settings).context_marks
        return classify_refusal(attempt.http_status or 500, body, marks)

    async def validate(self, inquiry: Inquiry) -> Finding:
        """By the list of models, which costs nothing; see `worker.providers.base.Provider`."""
        try:
            quirks = self._quirks(inquiry.settings)
            path, query = quirks.own_path(_MODELS), quirks.query
            target = find_target(inquiry.endpoint, path or _MODELS, quirks.headers, None if path else query)
            return await self.ask(target[0], [*target[1], _authorization(inquiry.api_key, quirks)])
        except CallFailed:
            return "unreachable"

    def _quirks(self, settings: msgspec.Raw) -> Quirks:
        return read_quirks(Quirks, settings, self._defaults)

    def _exchange(
        self,
        call: Call,
        quirks: Quirks,
        path: str | None,
        body: bytes,
        listener: Listener,
        *,
        stream: bool,
        kind: str = JSON,
    ) -> Exchange:
        own = quirks.own_path(path)
        whole = own or (quirks.path if path is None else quirks.root + path)
        whole = whole.replace("{model}", call.candidate.upstream_model)
        url, headers = find_target(call.candidate.endpoint, whole, quirks.headers, None if own else quirks.query, kind)
        if call.api_key is not None:
            headers = [*headers, _authorization(call.api_key, quirks)]
        return Exchange(post(url, headers, body), listener, stream)


def upstream_body(call: Call, quirks: Quirks, dropped: list[str] | None = None) -> bytes:
    """The customer's JSON as this server wants it.

    The model is the candidate's, a native `prompt` becomes a message, our own fields are gone, the
    output limit is there under the server's name for it, and streams are asked for their usage. Names of what had to go
    from messages are added to `dropped`.
    """
    given = call.fields
    fields = {name: value for name, value in given.items() if name not in _NOT_IN_CHAT}
    prompt = given.get("prompt")
    if prompt is not None and "messages" not in given:
        message = b'[{"role":"user","content":' + bytes(prompt) + b"}]"
        fields["messages"] = msgspec.Raw(message)
    elif "messages" in given:
        fields["messages"] = own_chat(given["messages"], signed=quirks.signed)
        if quirks.message_fields:
            fields["messages"], left = bare_chat(fields["messages"], quirks.message_fields)
            if dropped is not None:
                dropped += left
    if call.surface == "native" or bytes(given.get("store", b"")) != b"true":
        # On the native surface it is the customer's label for routing; elsewhere OpenAI accepts
        # it only for what it is to store.
        fields.pop("metadata", None)
    _set_common(call, quirks, fields, quirks.max_tokens_field)
    if call.stream and quirks.stream_usage:
        fields["stream_options"] = _stream_options(given.get("stream_options"))
    return _encode(fields, quirks)


def responses_body(call: Call, quirks: Quirks) -> tuple[bytes, list[str]]:
    """The customer's JSON for the Responses API, and the names of what had to go.

    Nothing is kept there unless he says so himself, so a model that thinks is asked to seal its thoughts into the
    answer, and what he sends back of one that is not sealed names something that nobody has.
    """
    given = call.fields
    fields = {name: value for name, value in given.items() if name not in NOT_UPSTREAM}
    forgotten: list[str] = []
    if bytes(given.get("store", b"")) != b"true":
        fields["store"] = _FALSE
        fields.pop("metadata", None)
        if bytes(given.get("reasoning", b"null")) != b"null":
            fields["include"] = include_sealed(given.get("include"))
        if (kept := own_input(given["input"])) is not None:
            fields["input"] = kept
            forgotten.append("input.reasoning")
    _set_common(call, quirks, fields, "max_output_tokens")
    return msgspec.json.encode(fields), forgotten


def _translated_body(call: Call, quirks: Quirks, attempt: Attempt) -> tuple[bytes, dict[str, str]]:
    """The request as chat completions, and what of its tools is called otherwise there; see `fit_names`."""
    talk = read_conversation(call)
    if quirks.call_id_size:
        fit_ids(talk, re.compile(f"[0-9A-Za-z]{{{quirks.call_id_size}}}"), quirks.call_id_size)
    else:
        fit_ids(talk, _CALL_ID)
    names = fit_names(talk)
    body, dropped = write_chat(talk, signed=quirks.signed)
    begun = body["messages"][-1:]
    if _PREFIX in quirks.message_fields and begun and begun[0]["role"] == "assistant":
        begun[0][_PREFIX] = True
    attempt.dropped = sorted({*attempt.dropped, *dropped, *(name for name in quirks.drop if name in body)})
    fields = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in body.items()}
    _set_common(call, quirks, fields, quirks.max_tokens_field)
    if call.stream and quirks.stream_usage:
        fields["stream_options"] = _stream_options(None)
    return _encode(fields, quirks), names


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
    if _INPUT_TYPE not in quirks.rename:
        fields.pop(_INPUT_TYPE, None)  # a word of ours, which OpenAI's format has not
    _rename(fields, quirks)
    return fields


def _rename(fields: dict[str, msgspec.Raw], quirks: Quirks) -> None:
    for name in quirks.drop:
        fields.pop(name, None)
    for name, other in quirks.rename.items():
        if name in fields:
            fields[other] = fields.pop(name)


def _encode(fields: dict[str, msgspec.Raw], quirks: Quirks) -> bytes:
    _rename(fields, quirks)
    for name, value in quirks.fields.items():
        fields.setdefault(name, value)
    return msgspec.json.encode(fields)


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
