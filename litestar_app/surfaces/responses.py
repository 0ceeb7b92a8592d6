"""The grammar of `POST /v1/responses`: OpenAI's, plus our own fields.

What would need the provider to keep something is refused: what an earlier response would cost once more cannot be known
here, so it could not be held against a budget.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct, field

from litestar_app.complaints import decode
from litestar_app.errors import InvalidRequest
from litestar_app.grammar import Metadata, Name, Ours, Tokens
from litestar_app.pictures import measure_url
from litestar_app.requests import MOST_SEARCHES, STANDARD_TIERS, Features, check_document, cost_of, is_said, size_of

_FILE_BYTES_PER_TEXT_BYTE: Final = 8
_KEPT_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt", "background")
# Items that every provider can be told in its own words.
_COMMON_ITEMS: Final = frozenset(
    ("message", "function_call", "function_call_output", "reasoning", "image_generation_call")
)
_FREE_TOOLS: Final = frozenset(("mcp", "local_shell", "apply_patch", "custom", "tool_search"))


class Content(Struct):
    """One part of an item's content; `type` says which of the other fields counts."""

    type: str = ""
    text: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None


class Item(Struct):
    """One item of the input; `type` says which of the other fields counts."""

    type: str = "message"
    role: str | None = None
    content: str | list[Content] | None = None
    name: str | None = None
    arguments: Any = None
    output: str | list[Content] | dict[str, Raw] | None = None
    encrypted_content: str | None = None
    input: str | None = None
    code: str | None = None
    result: str | None = None
    action: Raw = field(default_factory=Raw)
    operation: Raw = field(default_factory=Raw)
    tools: Raw = field(default_factory=Raw)


class ResponsesTool(Struct):
    """A function that the model may call, or a tool that the provider has."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: Raw = field(default_factory=Raw)


class TextOptions(Struct):
    """The form of the answer."""

    format: dict[str, Raw] | None = None
    verbosity: str | None = None


class Reasoning(Struct):
    """How much effort to make."""

    effort: str | None = None
    summary: str | None = None


class ResponsesRequest(Ours, kw_only=True):
    """The body of `POST /v1/responses`."""

    model: Name | None = None
    input: str | Annotated[list[Item], Meta(min_length=1)]
    instructions: str | None = None
    max_output_tokens: Tokens | None = None
    stream: bool | None = None
    store: bool | None = None
    tools: list[ResponsesTool] | None = None
    tool_choice: str | dict[str, Raw] | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    include: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1, le=128)] | None = None
    service_tier: str | None = None
    metadata: Metadata | None = None
    prompt_cache_key: Annotated[str, Meta(max_length=512)] | None = None
    previous_response_id: str | None = None
    conversation: Raw = field(default_factory=Raw)
    prompt: Raw = field(default_factory=Raw)
    background: bool | None = None


_decoder: Final = msgspec.json.Decoder(ResponsesRequest)


def read_responses(body: bytes) -> Features:
    """Check the body of a call and measure it. Raises `InvalidRequest`."""
    check_document(body)
    request: ResponsesRequest = decode(_decoder, body)
    for name in _KEPT_ELSEWHERE:
        if is_said(getattr(request, name)):
            message = f"`{name}` cannot be used: nothing is kept between calls. Send the whole input."
            raise InvalidRequest(message, name)
    measure = _Measure(request)
    form = (request.text.format or {}) if request.text is not None else {}
    needs = ["storage"] if request.store else []
    if measure.is_native:
        needs.append("responses")
    wishes = {
        "reasoning_effort": request.reasoning is not None and request.reasoning.effort,
        "verbosity": request.text is not None and request.text.verbosity,
        "top_logprobs": request.top_logprobs,
    }
    return Features(
        request_type=request.type or "completion",
        priority=request.priority,
        model=request.model,
        stream=bool(request.stream),
        include_usage=True,
        tools=bool(request.tools),
        vision=measure.images > 0,
        structured=bytes(form.get("type", b"")) not in (b"", b'"text"'),
        prompt_bytes=measure.bytes + sum(map(len, form.values())),
        images=measure.images,
        pictures=measure.pictures or None,
        messages=1 if isinstance(request.input, str) else len(request.input),
        max_output_tokens=request.max_output_tokens,
        choices=1,
        max_cost=cost_of(request.max_cost),
        metadata=request.metadata,
        session=request.session_id or request.prompt_cache_key or None,
        needs=needs or None,
        parameters=[name for name, asked in wishes.items() if asked] or None,
        service_tier=None if request.service_tier in STANDARD_TIERS else request.service_tier,
        searches=(measure.searches and (request.max_tool_calls or measure.searches)) or None,
    )


class _Measure:
    """Bytes of text and numbers of pictures in a request. Raises `InvalidRequest`."""

    def __init__(self, request: ResponsesRequest) -> None:
        self.bytes = size_of(request.instructions)
        self.images = self.searches = 0
        self.pictures: list[int] = []
        self.is_native = False
        if isinstance(request.input, str):
            self.bytes += size_of(request.input)
        else:
            for index, item in enumerate(request.input):
                self._item(item, f"input[{index}]")
        for index, tool in enumerate(request.tools or ()):
            self.bytes += size_of(tool.name) + size_of(tool.description) + len(tool.parameters)
            self._tool(tool, f"tools[{index}]")

    def _item(self, item: Item, place: str) -> None:
        if item.type == "item_reference":
            raise InvalidRequest(f"`{place}` names an item that nobody has kept. Send the item itself.", place)
        self.is_native |= item.type not in _COMMON_ITEMS
        self.images += item.type == "image_generation_call" and bool(item.result)
        if item.type == "message" and item.role not in ("user", "assistant", "system", "developer"):
            raise InvalidRequest(
                f"`{place}.role` must be one of user, assistant, system or developer.", f"{place}.role"
            )
        self.bytes += sum(map(size_of, (item.name, item.encrypted_content, item.input, item.code)))
        self.bytes += len(item.action) + len(item.operation) + len(item.tools)
        if isinstance(item.arguments, str):
            self.bytes += size_of(item.arguments)
        elif item.type == "function_call" and item.arguments is not None:
            raise InvalidRequest(f"`{place}.arguments` must be a string.", f"{place}.arguments")
        elif item.arguments is not None:
            self.bytes += len(msgspec.json.encode(item.arguments))
        for name, said in (("content", item.content), ("output", item.output)):
            if isinstance(said, str):
                self.bytes += size_of(said)
            elif isinstance(said, list):
                for number, part in enumerate(said):
                    self._part(part, f"{place}.{name}[{number}]")
            elif said is not None:
                self.bytes += sum(map(len, said.values()))

    def _part(self, part: Content, place: str) -> None:
        match part.type:
            case "input_text" | "output_text":
                if part.text is None:
                    raise InvalidRequest(f"`{place}.text` must be a string.", f"{place}.text")
            case "input_image":
                self.images += 1
                self.pictures += measure_url(part.image_url or "") or ()
                self.is_native |= part.image_url is None
                return
            case "input_file":
                self.bytes += len(part.file_data or "") // _FILE_BYTES_PER_TEXT_BYTE
                self.is_native |= part.file_id is not None
                return
            case "input_audio":
                raise InvalidRequest(f"`{place}` is sound, which has no price here.", place)
        self.bytes += sum(map(size_of, (part.text, part.refusal, part.stdout, part.stderr)))

    def _tool(self, tool: ResponsesTool, place: str) -> None:
        if tool.type == "function":
            if not tool.name:
                raise InvalidRequest(f"`{place}.name` must be a string.", f"{place}.name")
            return
        self.is_native = True
        if tool.type.startswith("web_search"):
            self.searches += MOST_SEARCHES
        elif tool.type not in _FREE_TOOLS:
            raise InvalidRequest(f"`{place}` is a tool of the provider's that has no price here.", place)


def stream_error(error: dict[str, Any], number: int) -> bytes:
    """An error as an event of a stream."""
    said = {"code": error.get("code"), "message": error.get("message"), "param": error.get("param")}
    data = msgspec.json.encode({"type": "error", **said, "sequence_number": number})
    return b"event: error\ndata: %b\n\n" % data
