"""Answers of OpenAI's Images API: looked at, never rewritten, and counted by pictures that were delivered."""

from __future__ import annotations

from typing import Any, Final

import httpx
import msgspec

from worker.providers.base import Call, CallFailed
from worker.providers.listening import Heard, SseListener
from worker.providers.refusals import classify_error_object
from worker.providers.tally import Tally
from worker.shapes import Usage

_COMPLETED: Final = (".completed",)


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
        variant = f"{size}/{quality}" if size and quality else self._variant
        self.tally.use(Usage(input_uncached=0, output=0, other={f"image/{variant}": self._pictures}), {})


def normalise_images_usage(said: dict[str, Any]) -> Usage:
    """Buckets from a `usage` object of the Images API: words and pictures in, pictures (and words) out."""

    def count(of: Any) -> int:
        return of if isinstance(of, int) and not isinstance(of, bool) and 0 <= of < 2**53 else 0

    inside, outside = said.get("input_tokens_details") or {}, said.get("output_tokens_details") or {}
    given, made = count(said.get("input_tokens")), count(said.get("output_tokens"))
    pictures_in = min(count(inside.get("image_tokens")), given)
    words_out = min(count(outside.get("text_tokens")), made)
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
        other[meter] = other.get(meter, 0) + tokens
    now.input_uncached = (before.input_uncached or 0) + (now.input_uncached or 0)
    now.output = (before.output or 0) + (now.output or 0)
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
