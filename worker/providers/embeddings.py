"""Embeddings: what OpenAI-shaped servers answer, and vectors of other servers in OpenAI's shape."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from worker.providers.base import NOT_UPSTREAM, Call, CallFailed
from worker.providers.listening import PlainListener
from worker.providers.loose import read_object
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import read_count
from worker.shapes import Usage

_READ: Final = frozenset(
    (*NOT_UPSTREAM, "model", "input", "encoding_format", "dimensions", "input_type", "metadata", "stream")
)
"""What those who speak another format are told of a request, or need not be."""
_INPUT_KINDS: Final = ("query", "document")


class _Answer(msgspec.Struct):
    data: list[msgspec.Raw] | None = None
    usage: dict[str, Any] | None = None
    error: object = None


_decoder: Final = msgspec.json.Decoder(_Answer)


class EmbeddingsListener(PlainListener):
    """Listens to an answer in OpenAI's shape, which passes on untouched."""

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        try:
            answer = _decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise CallFailed("server_error") from None
        if answer.error is not None:
            raise classify_error_object(answer.error, ())
        if answer.data is None:
            raise CallFailed("server_error")
        if answer.usage is not None:
            use_input(self.tally, answer.usage)
        self.tally.finish("stop")
        return body


class VectorsListener(PlainListener):
    """Listens to vectors in another shape, and gives them in OpenAI's."""

    def __init__(self, tally: Tally, call: Call) -> None:
        super().__init__(tally)
        self._call = call
        tally.attempt.dropped = sorted(name for name in call.wishes if name not in _READ)

    def vectors(self, said: dict[str, Any]) -> Any:
        """The vectors of an answer in the order of the texts; usage goes to the tally. May raise for odd answers."""
        raise NotImplementedError

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        said = read_object(body)
        usage: Usage | None
        try:
            vectors = [list(map(float, vector)) for vector in self.vectors(said)]
            if len(vectors) != len(read_input(self._call.fields)):
                raise ValueError
            usage = self.tally.attempt.usage
            written = write_embeddings(
                vectors,
                self._call.candidate.upstream_model,
                usage.input_uncached if usage is not None else None,
                as_base64=wants_base64(self._call.fields),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise CallFailed("server_error") from None
        self.tally.finish("stop")
        return written


def use_input(tally: Tally, said: dict[str, Any], tokens: object = None) -> None:
    """Tell the input tokens: those given, or what a usage object of OpenAI's or Voyage's shape has."""
    count = tokens
    for name in ("prompt_tokens", "total_tokens"):
        if count is None:
            count = said.get(name)
    if (used := read_count(count)) is not None:
        tally.use(Usage(input_uncached=used, output=0), said)


def write_embeddings(vectors: Sequence[Sequence[float]], model: str, tokens: int | None, *, as_base64: bool) -> bytes:
    """Vectors as OpenAI's answer; in base64 they are little-endian float32, as its SDKs ask for."""
    data = [
        {"object": "embedding", "index": index, "embedding": pack_vector(vector) if as_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens or 0, "total_tokens": tokens or 0}
    return msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": usage})


def pack_vector(vector: Sequence[float]) -> str:
    """A vector as base64 of little-endian float32."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def input_kind(call: Call) -> tuple[str, str | None]:
    """The model, and whether questions or documents are embedded: by the body, else by the model's name
    ("embed-v4.0:query"), else None."""
    model, _, suffix = call.candidate.upstream_model.rpartition(":")
    named = suffix if model and suffix in _INPUT_KINDS else None
    kind = msgspec.json.decode(call.fields.get("input_type", b"null"))
    return model if named else call.candidate.upstream_model, kind if kind in _INPUT_KINDS else named


def read_input(fields: dict[str, msgspec.Raw]) -> list[str]:
    """The texts of a request in OpenAI's shape. Raises `CallFailed` for tokens, which only their maker can read."""
    given = msgspec.json.decode(fields["input"])
    texts = [given] if isinstance(given, str) else given
    if not all(isinstance(text, str) for text in texts):
        message = "Tokens can only be embedded by a provider that speaks OpenAI's format: send text."
        raise CallFailed("bad_request", failover=True, customer_fault=True, message=message, param="input")
    return list(texts)


def wants_base64(fields: dict[str, msgspec.Raw]) -> bool:
    """Whether the customer asked for base64."""
    return bytes(fields.get("encoding_format", b"")) == b'"base64"'
