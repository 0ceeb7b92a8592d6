"""From a body's bytes to what SQL must know about it: checked, measured, and none of its words.

What leaves this module is a `Features`: sizes, counts, names and flags. Every refusal is an
`InvalidRequest` whose message is ours: the decoder's own text is read for the place and the
expected type, and never passed on, because it can quote the body.
"""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw

from litestar_app.complaints import decode
from litestar_app.errors import InvalidRequest
from litestar_app.grammar import ChatRequest, Message, NativeRequest, Part, Tool, ToolFunction
from litestar_app.pictures import measure_url

Surface = Literal["chat", "native"]

MAX_DEPTH: Final = 64
"""The deepest nesting of arrays and objects; deeper documents are an attack or a mistake."""

MAX_CONTAINERS: Final = 100_000
"""The most arrays and objects; a body of 10 MB could hold five million, at some cost to all others."""

MAX_COST_LIMIT: Final = Decimal(1_000_000)
_COST_STEP: Final = Decimal("1e-10")

_FILE_BYTES_PER_TEXT_BYTE: Final = 8
"""What a file's base64 weighs against text, roughly, in tokens a provider counts."""

_NOT_EVERYWHERE: Final = (
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "verbosity",
    "prediction",
)
"""Parameters that have no counterpart in the grammar of some provider."""

_SOUND_BYTES_PER_TEXT_BYTE: Final = 64
"""The same of sound: a second of the thinnest has 4,000 bytes, and ten tokens."""

_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'"[]{}'))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_STRING: Final = re.compile(rb'"[^"]*"')

MOST_SEARCHES: Final = 10
"""So many searches are held for a call that does not say how many it may make."""

STANDARD_TIERS: Final = (None, "auto", "default", "standard")
_RARE: Final = (
    "needs",
    "parameters",
    "service_tier",
    "searches",
    "images_out",
    "image_variant",
    "audio_in",
    "audio_out",
    "cache_1h",
    "inputs",
    "pictures",
)

_NULL: Final = Raw(b"null")
_chat: Final = msgspec.json.Decoder(ChatRequest)
_native: Final = msgspec.json.Decoder(NativeRequest)


class Features(msgspec.Struct, frozen=True):
    """What SQL must know about a request's body. Sizes in bytes of UTF-8."""

    request_type: str
    priority: str | None
    model: str | None
    stream: bool
    include_usage: bool
    tools: bool
    vision: bool
    structured: bool
    prompt_bytes: int
    images: int
    messages: int
    max_output_tokens: int | None
    choices: int
    max_cost: str | None
    metadata: dict[str, str] | None
    session: str | None
    """The customer's own name of the conversation. SQL is told a digest of it."""
    needs: list[str] | None = None
    """What a provider must be able to be told, lest the answer be another one: a grammar of its own, `n`."""
    parameters: list[str] | None = None
    """What some providers cannot be told: whether they may leave it out is the customer's to say."""
    service_tier: str | None = None
    searches: int | None = None
    """The most searches that the provider may make."""
    images_out: int | None = None
    image_variant: str | None = None
    audio_in: bool | None = None
    audio_out: bool | None = None
    cache_1h: bool | None = None
    """Whether something is to be kept by the provider for an hour, which costs more than for minutes."""

    inputs: int | None = None
    """How many texts are to be embedded, where it is more than one."""

    pictures: list[int] | None = None
    """Widths and heights, in turn, of those of the images whose size can be told."""

    def rare(self) -> dict[str, Any]:
        """Those that few calls have, by name, as far as this one has them."""
        return {name: value for name in _RARE if (value := getattr(self, name)) is not None}


def read_request(surface: Surface, body: bytes) -> Features:
    """Check the body of a chat request and measure it. Raises `InvalidRequest`."""
    check_document(body)
    request: ChatRequest | NativeRequest = decode(_chat, body) if surface == "chat" else decode(_native, body)
    prompt_bytes = images = 0
    sizes: list[int] = []
    if isinstance(request, NativeRequest):
        if (request.prompt is None) == (request.messages is None):
            raise InvalidRequest("Send either `prompt` or `messages`, one of them.", "prompt")
        prompt_bytes = size_of(request.prompt)
    messages = request.messages or ()
    for index, message in enumerate(messages):
        images += len(message.images or ())  # that the model drew before
        if type(message.content) is str and message.tool_calls is None:
            prompt_bytes += size_of(message.content)
        else:
            text, pictures = _measure(message, index, sizes)
            prompt_bytes += text
            images += pictures
    prompt_bytes += sum(map(_measure_function, request.functions or ()))
    if request.tools:
        prompt_bytes += sum(_measure_tool(tool, index) for index, tool in enumerate(request.tools))
    structured = False
    if (form := request.response_format) is not None and form.type != "text":
        structured = True
        prompt_bytes += len(form.json_schema)
    return Features(
        request_type=request.type or "completion",
        priority=request.priority,
        model=request.model,
        stream=bool(request.stream),
        include_usage=request.stream_options is not None and bool(request.stream_options.include_usage),
        tools=bool(request.tools or request.functions),
        vision=images > 0,
        structured=structured,
        prompt_bytes=prompt_bytes,
        images=images,
        messages=len(messages) or 1,
        max_output_tokens=request.max_completion_tokens or request.max_tokens,
        choices=request.n or 1,
        max_cost=cost_of(request.max_cost),
        metadata=request.metadata,
        session=request.session_id or request.prompt_cache_key or None,
        needs=_list_needs(request),
        parameters=_list_wishes(request),
        service_tier=request.service_tier if request.service_tier not in STANDARD_TIERS else None,
        searches=MOST_SEARCHES if request.web_search_options is not None else None,
        audio_in=any(_is_sound(message) for message in messages) or None,
        pictures=sizes or None,
        audio_out=is_said(request.audio) or "audio" in (request.modalities or ()) or None,
    )


def _is_sound(message: Message) -> bool:
    return type(message.content) is list and any(part.type == "input_audio" for part in message.content)


def _list_needs(request: ChatRequest | NativeRequest) -> list[str] | None:
    needs = ["n"] if request.n is not None and request.n > 1 else []
    if request.web_search_options is not None:
        needs.append("web_search_options")
    return needs or None


def _list_wishes(request: ChatRequest | NativeRequest) -> list[str] | None:
    wishes = [name for name in _NOT_EVERYWHERE if is_said(getattr(request, name))]
    if request.seed is not None:
        wishes.append("seed")
    if (search := request.web_search_options) is not None and search.search_context_size not in (None, "medium"):
        wishes.append("search_context_size")
    return wishes or None


def check_document(body: bytes) -> None:
    """Refuse what is not UTF-8 or is nested deeper than `MAX_DEPTH`. Raises `InvalidRequest`."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest("The body is not valid UTF-8.") from None
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    brackets = _brackets_of(body)
    if len(brackets) > 2 * MAX_CONTAINERS:
        raise InvalidRequest(f"The body holds more than {MAX_CONTAINERS} arrays and objects.")
    if _is_too_deep(brackets):
        raise InvalidRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _brackets_of(body: bytes) -> bytes:
    """The brackets of a document that are no part of a string, all written as square ones.

    Every step runs at the speed of C and leaves less to the next: escapes go, then everything that
    is neither quote nor bracket, then empty strings, then strings.
    """
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = bare.translate(_ONE_KIND, _NOT_STRUCTURE).replace(b'""', b"")
    return _STRING.sub(b"", bare)


def _is_too_deep(brackets: bytes) -> bool:
    """Take the innermost brackets away, one level a round: a document of depth n is gone after n."""
    for _ in range(MAX_DEPTH):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            return False  # nothing left, or brackets that do not match: the decoder says so
        brackets = shorter
    return bool(brackets)


def _measure(message: Message, index: int, sizes: list[int]) -> tuple[int, int]:
    """Text bytes and images of one message that is more than a plain string; `sizes` are added to."""
    size, images = size_of(message.refusal), 0
    content = message.content
    if isinstance(content, str):
        size += size_of(content)
    elif content is not None:
        for number, part in enumerate(content):
            text, pictures = _measure_part(part, f"messages[{index}].content[{number}]", sizes)
            size += text
            images += pictures
    elif message.role not in {"assistant", "function"}:
        place = f"messages[{index}].content"
        raise InvalidRequest(f"`{place}` must be a string or an array of parts.", place)
    for call in message.tool_calls or ():
        size += len(call.custom)
        if call.function is not None:
            size += size_of(call.function.name) + size_of(call.function.arguments)
    if message.function_call is not None:
        size += size_of(message.function_call.name) + size_of(message.function_call.arguments)
    return size, images


def _measure_part(part: Part, place: str, sizes: list[int]) -> tuple[int, int]:
    match part.type:
        case "text":
            if part.text is None:
                raise InvalidRequest(f"`{place}.text` must be a string.", f"{place}.text")
        case "image_url":
            if part.image_url is None:
                raise InvalidRequest(f"`{place}.image_url` must be an object.", f"{place}.image_url")
            sizes += measure_url(part.image_url.url) or ()
            return 0, 1
        case "input_audio":
            if part.input_audio is None:
                raise InvalidRequest(f"`{place}.input_audio` must be an object.", f"{place}.input_audio")
            return len(part.input_audio.data) // _SOUND_BYTES_PER_TEXT_BYTE, 0
        case "file":
            if part.file is None:
                raise InvalidRequest(f"`{place}.file` must be an object.", f"{place}.file")
            return len(part.file.file_data or "") // _FILE_BYTES_PER_TEXT_BYTE, 0
    return size_of(part.text) + size_of(part.refusal), 0


def _measure_tool(tool: Tool, index: int) -> int:
    function = tool.function
    if tool.type == "function" and function is None:
        place = f"tools[{index}].function"
        raise InvalidRequest(f"`{place}` must be an object.", place)
    if function is None:
        return len(tool.custom)
    return _measure_function(function)


def _measure_function(function: ToolFunction) -> int:
    return size_of(function.name) + size_of(function.description) + len(function.parameters)


def is_said(value: Any) -> bool:
    """Whether a field that is kept as it came says anything: the SDKs write null for None."""
    return bool(value) and value != _NULL


def size_of(text: str | None) -> int:
    """Bytes of the text in UTF-8."""
    if not text:
        return 0
    return len(text) if text.isascii() else len(text.encode())


def cost_of(amount: Decimal | None) -> str | None:
    """The customer's limit as plain decimal text of at most 10 places."""
    if amount is None:
        return None
    if not amount.is_finite() or not 0 <= amount <= MAX_COST_LIMIT:
        raise InvalidRequest(f"`max_cost` must be an amount in USD from 0 to {MAX_COST_LIMIT}.", "max_cost")
    return format(amount.quantize(_COST_STEP, rounding=ROUND_DOWN), "f")


def check_names(features: Features) -> None:
    """Refuse names that no table can hold. Raises `InvalidRequest`."""
    if features.model is not None and "\0" in features.model:
        raise InvalidRequest("`model` holds a NUL character.", "model")
    for key, value in (features.metadata or {}).items():
        if "\0" in key or "\0" in value:
            raise InvalidRequest("`metadata` holds a NUL character.", "metadata")
