"""Answers of OpenAI's Images API: looked at, never rewritten, and counted by pictures that were delivered."""

from __future__ import annotations

import re
from typing import Any, Final

import httpx
import msgspec

from worker.providers.base import Call, CallFailed
from worker.providers.listening import Heard, SseListener
from worker.providers.loose import inside
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.providers.usage import MAX_COUNT, read_count
from worker.shapes import Usage

_COMPLETED: Final = (".completed",)
_VARIANT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,19}/[a-z0-9][a-z0-9_-]{0,19}")
"""What of a provider's words may stand in the books: the name of a price, if it has one."""


class _Picture(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None


class _Answer(msgspec.Struct):
    data: list[_Picture] | None = None
    usage: dict[str, Any] | None = None
    size: str | None = None
    quality: str | None = None
    error: object = None


class _Said(msgspec.Struct):
    type: str = ""
    usage: dict[str, Any] | None = None
    size: str | None = None
    quality: str | None = None
    error: object = None


_answer: Final = msgspec.json.Decoder(_Answer)
_said: Final = msgspec.json.Decoder(_Said)


class ImagesListener(SseListener):
    """Listens to one answer. `variant`, size/quality as they were asked for, is what pictures cost by where a model's
    price is by the picture; `by_tokens`: it is by tokens."""

    def __init__(self, tally: Tally, variant: str) -> None:
        super().__init__(tally)
        self._variant = variant
        self._last = b""
        self._pictures = 0

    def understand(self, event: bytes, data: bytes) -> Heard:
        """Note what an event says."""
        try:
            said = _said.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self.broken() from None
        if said.error is not None or said.type == "error":
            raise classify_error_object(said.error or {}, ())
        if not said.type.endswith(_COMPLETED):
            return Heard(event, True)
        self._pictures += 1
        self._use(said.usage, said.size, said.quality)
        self.tally.finish("stop")
        # Several pictures end with an event each: the last one waits for the booking.
        before, self._last = self._last, event
        return Heard(before, True)

    def end(self) -> tuple[bytes, bytes]:
        """See `Listener`."""
        if not self._pictures:
            raise self.broken()
        return b"", self._last

    def answer(self, body: bytes) -> bytes:
        """See `Listener`: noted and passed on untouched."""
        try:
            answer = _answer.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise CallFailed("server_error") from None
        if answer.error is not None:
            raise classify_error_object(answer.error, ())
        self._pictures = sum(bool(picture.b64_json or picture.url) for picture in answer.data or ())
        if not self._pictures:
            raise CallFailed("server_error")
        self._use(answer.usage, answer.size, answer.quality)
        self.tally.finish("stop")
        return body

    def _use(self, usage: dict[str, Any] | None, size: str | None, quality: str | None) -> None:
        if usage is not None:
            before = self.tally.attempt.usage
            self.tally.use(_add(before, normalise_images_usage(usage)), usage)
            return
        variant = f"{size}/{quality}" if size and quality else ""
        variant = variant if _VARIANT.fullmatch(variant) else self._variant
        self.tally.use(Usage(input_uncached=0, output=0, other={f"image/{variant}": self._pictures}), {})


def normalise_images_usage(said: dict[str, Any]) -> Usage:
    """Buckets from a `usage` object of the Images API: words and pictures in, pictures (and words) out."""

    given, made = read_count(said.get("input_tokens")) or 0, read_count(said.get("output_tokens")) or 0
    pictures_in = min(read_count(inside(said, "input_tokens_details").get("image_tokens")) or 0, given)
    words_out = min(read_count(inside(said, "output_tokens_details").get("text_tokens")) or 0, made)
    other = {"input_image": pictures_in, "output_image": made - words_out}
    return Usage(
        input_uncached=given - pictures_in,
        output=words_out,
        other={meter: tokens for meter, tokens in other.items() if tokens} or None,
    )


def _add(before: Usage | None, now: Usage) -> Usage:
    if before is None:
        return now
    other = dict(before.other or {})
    for meter, tokens in (now.other or {}).items():
        other[meter] = min(other.get(meter, 0) + tokens, MAX_COUNT)
    now.input_uncached = min((before.input_uncached or 0) + (now.input_uncached or 0), MAX_COUNT)
    now.output = min((before.output or 0) + (now.output or 0), MAX_COUNT)
    now.other = other or None
    return now


def variant_of(call: Call) -> str:
    """Size and quality as they were asked for."""

    def said(name: str) -> str:
        try:
            return msgspec.json.decode(call.fields.get(name, b'""'), type=str) or "auto"
        except msgspec.MsgspecError:
            return "auto"

    return f"{said('size')}/{said('quality')}"


class _File(msgspec.Struct):
    """A picture that came in a form (see the front's `forms`)."""

    name: str
    type: str
    data: bytes  # base64 in the JSON


def edit_form(call: Call, fields: dict[str, msgspec.Raw]) -> tuple[bytes, str]:
    """The form that a call came as, with these fields, and its content type. Raises `CallFailed`."""
    files: list[tuple[str, tuple[str, bytes, str]]] = []
    data: dict[str, Any] = {}
    try:
        for name, raw in fields.items():
            if name in ("image", "mask"):
                found = msgspec.json.decode(raw, type=list[_File])
                field = "image[]" if name == "image" and len(found) > 1 else name
                files += [(field, (file.name, file.data, file.type)) for file in found]
            else:
                value = msgspec.json.decode(raw)
                data[name] = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except msgspec.MsgspecError:
        raise CallFailed("bad_request", message="The form is not what this route takes.") from None
    request = httpx.Request("POST", "http://form", data=data, files=files)
    return request.read(), request.headers["content-type"]
