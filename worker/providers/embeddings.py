"""Embeddings: what OpenAI-shaped servers answer, and vectors of other servers in OpenAI's shape."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from worker.providers.base import CallFailed
from worker.providers.listening import SseListener
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.shapes import Usage


class _Answer(msgspec.Struct):
    data: list[msgspec.Raw] | None = None
    usage: dict[str, Any] | None = None
    error: object = None


_decoder: Final = msgspec.json.Decoder(_Answer)


class EmbeddingsListener(SseListener):
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

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`: there are no streams of these."""
        return b"", b""


def use_input(tally: Tally, said: dict[str, Any], tokens: object = None) -> None:
    """Tell the input tokens: those given, or what a usage object of OpenAI's or Voyage's shape has."""
    count = tokens
    for name in ("prompt_tokens", "total_tokens"):
        if count is None:
            count = said.get(name)
    if isinstance(count, int | float) and not isinstance(count, bool) and 0 <= count < 2**53:
        tally.use(Usage(input_uncached=int(count), output=0), said)


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
