"""The grammar of pictures: OpenAI's generations, and its edits, which come as a form."""

from __future__ import annotations

import io
import re
from typing import Annotated, Any, Final

import msgspec
import multipart
from msgspec import Meta, Struct

from litestar_app.complaints import decode
from litestar_app.errors import InvalidRequest
from litestar_app.grammar import Metadata, Name, Ours
from litestar_app.requests import Features, check_document, cost_of, size_of

MAX_PICTURES: Final = 16
_MAX_FIELDS: Final = 64
_SIZE: Final = r"^(auto|[1-9][0-9]{1,4}x[1-9][0-9]{1,4})$"
_WORD: Final = r"^[a-z][a-z0-9_-]{0,19}$"
_NUMBERS: Final = frozenset(("n", "partial_images", "output_compression"))
_FLAGS: Final = {"true": True, "false": False}


class ImagesRequest(Ours, kw_only=True):
    """The body of `POST /v1/images/generations` and `POST /v1/ai/images/generations`."""

    prompt: Annotated[str, Meta(min_length=1)]
    model: Name | None = None
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    size: Annotated[str, Meta(pattern=_SIZE)] | None = None
    quality: Annotated[str, Meta(pattern=_WORD)] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    metadata: Metadata | None = None


class Picture(Struct):
    """A picture that came in a form."""

    name: str
    type: str
    data: bytes  # base64 in JSON


class EditRequest(ImagesRequest, kw_only=True):
    """The form of `POST /v1/images/edits`, as the worker is given it."""

    image: Annotated[list[Picture], Meta(min_length=1, max_length=MAX_PICTURES)]
    mask: Annotated[list[Picture], Meta(max_length=1)] | None = None


_generations: Final = msgspec.json.Decoder(ImagesRequest)
_edits: Final = msgspec.json.Decoder(EditRequest)


def read_generations(body: bytes) -> Features:
    """Check the body of a call and measure it. Raises `InvalidRequest`."""
    check_document(body)
    return _measure(decode(_generations, body), 0)


def read_edits(body: bytes) -> Features:
    """Check a form that `unpack_form` unpacked. Raises `InvalidRequest`."""
    request: EditRequest = decode(_edits, body)
    return _measure(request, len(request.image) + len(request.mask or ()))


def unpack_form(body: bytes, content_type: str) -> bytes:
    """A form as a JSON object: its fields, and lists of pictures in base64. Raises `InvalidRequest`."""
    kind, options = multipart.parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise InvalidRequest("Send the form as multipart/form-data.", "content-type")
    fields: dict[str, Any] = {}
    try:
        parts = list(
            multipart.MultipartParser(
                io.BytesIO(body),
                options["boundary"],
                part_limit=_MAX_FIELDS,
                memory_limit=len(body) + 1,
                spool_limit=len(body) + 1,
            )
        )
    except multipart.MultipartError:
        raise InvalidRequest("The form is malformed, or has more than 64 parts.") from None
    for part in parts:
        name = part.name.removesuffix("[]")
        if name in ("image", "mask"):
            picture = {"name": _file_name(part.filename), "type": _type_of(part.content_type), "data": part.raw}
            fields.setdefault(name, []).append(picture)
        else:
            try:
                fields[name] = _value(name, part.value)
            except UnicodeDecodeError:
                raise InvalidRequest("The form holds a field that is not UTF-8.") from None
    return msgspec.json.encode(fields)


def _value(name: str, text: str) -> Any:
    if name in _NUMBERS and re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    return _FLAGS.get(text, text) if name == "stream" else text


def _file_name(name: str | None) -> str:
    return re.sub(r"[^0-9A-Za-z._-]", "_", name or "image")[:100]


def _type_of(said: str | None) -> str:
    return said if said and re.fullmatch(r"[a-z]+/[a-z0-9.+-]{1,40}", said) else "application/octet-stream"


def _measure(request: ImagesRequest, pictures: int) -> Features:
    return Features(
        request_type=request.type or "image",
        priority=request.priority,
        model=request.model,
        stream=bool(request.stream),
        include_usage=True,
        tools=False,
        vision=False,
        structured=False,
        prompt_bytes=size_of(request.prompt),
        images=pictures,
        messages=1,
        max_output_tokens=None,
        choices=1,
        max_cost=cost_of(request.max_cost),
        metadata=request.metadata,
        session=request.session_id or None,
        images_out=request.n or 1,
        image_variant=_variant(request),
    )


def _variant(request: ImagesRequest) -> str | None:
    """Size and quality; None where the provider chooses one of them, which may be the dearest."""
    known = [word for word in (request.size, request.quality) if word not in (None, "auto")]
    return "/".join(map(str, known)) if len(known) == 2 else None
