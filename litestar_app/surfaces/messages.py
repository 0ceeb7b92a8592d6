"""The grammar of `POST /v1/messages` and its `count_tokens`: Anthropic's, plus our own fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

from litestar_app.complaints import decode
from litestar_app.errors import InvalidRequest
from litestar_app.grammar import Label, Name
from litestar_app.pictures import measure_picture
from litestar_app.requests import MOST_SEARCHES, Features, check_document, cost_of, is_said, size_of

_FILE_BYTES_PER_TEXT_BYTE: Final = 8
# Tools that the customer's own program runs, though Anthropic wrote them.
_HIS_OWN: Final = ("bash_", "text_editor_", "computer_", "browser_", "memory_")
# What the provider runs and asks nothing for besides tokens.
_FREE: Final = ("web_fetch_", "tool_search_")
_SEARCH: Final = "web_search_"
# Said only in this grammar; no other provider has words for it.
_NATIVE: Final = ("container", "mcp_servers", "context_management", "fallbacks", "prefill")


class Source(Struct):
    """Where a picture or document is: in the request, or at an address."""

    type: str
    data: str | None = None
    url: str | None = None
    content: Raw = field(default_factory=Raw)


class Block(Struct):
    """One block of content; `type` says which of the other fields counts."""

    type: str
    text: str | None = None
    source: Source | str | None = None
    content: str | list[Block] | dict[str, Raw] | None = None
    input: Raw = field(default_factory=Raw)
    thinking: str | None = None
    data: str | None = None
    cache_control: dict[str, Any] | None = None


class Turn(Struct):
    """One turn of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class MessagesTool(Struct):
    """A tool that the model may use, or one that the provider has."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: Raw = field(default_factory=Raw)
    cache_control: dict[str, Any] | None = None
    max_uses: int | None = None


class OutputConfig(Struct):
    """How much effort to make, and the form of the answer."""

    effort: str | None = None
    format: dict[str, Any] | None = None


class CountRequest(Struct, kw_only=True):
    """The body of `POST /v1/messages/count_tokens`."""

    model: Name
    messages: Annotated[list[Turn], Meta(min_length=1)]
    system: str | list[Block] | None = None
    tools: list[MessagesTool] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    output_config: OutputConfig | None = None


class MessagesRequest(CountRequest, kw_only=True):
    """The body of `POST /v1/messages`."""

    max_tokens: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: list[str] | None = None
    metadata: dict[str, Any] | None = None
    cache_control: dict[str, Any] | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: Annotated[str, Meta(pattern="^[a-z]{2,8}$")] | None = None
    container: Raw = field(default_factory=Raw)
    mcp_servers: Raw = field(default_factory=Raw)
    context_management: Raw = field(default_factory=Raw)
    fallbacks: Raw = field(default_factory=Raw)
    prefill: Raw = field(default_factory=Raw)
    type: Label | None = None
    priority: Label | None = None
    max_cost: Decimal | None = None
    session_id: Annotated[str, Meta(max_length=512)] | None = None


_messages: Final = msgspec.json.Decoder(MessagesRequest)
_count: Final = msgspec.json.Decoder(CountRequest)


def read_messages(body: bytes) -> Features:
    """Check the body of a call and measure it. Raises `InvalidRequest`."""
    check_document(body)
    request: MessagesRequest = decode(_messages, body)
    measure = _Measure(request)
    geo = request.inference_geo if request.inference_geo != "global" else None
    needs = [name for name in _NATIVE if is_said(getattr(request, name))]
    stated = request.thinking is not None and request.thinking.get("type") != "disabled"
    wishes = {"top_k": request.top_k is not None, "thinking": stated}
    return Features(
        request_type=request.type or "completion",
        priority=request.priority,
        model=request.model,
        stream=bool(request.stream),
        include_usage=True,
        tools=bool(request.tools),
        vision=measure.images > 0,
        structured=request.output_config is not None and bool(request.output_config.format),
        prompt_bytes=measure.bytes + len(request.prefill),
        images=measure.images,
        messages=len(request.messages),
        max_output_tokens=request.max_tokens or 1,
        choices=1,
        max_cost=cost_of(request.max_cost),
        metadata={n: v for n, v in (request.metadata or {}).items() if isinstance(v, str) and "\0" not in n + v}
        or None,
        session=request.session_id or None,
        needs=["messages"] if needs or geo or measure.is_native else None,
        parameters=[name for name, asked in wishes.items() if asked] or None,
        service_tier=_name_tier(geo, request.speed),
        searches=measure.searches or None,
        pictures=measure.pictures or None,
        cache_1h=measure.is_kept_long or _is_hour(request.cache_control) or None,
    )


def read_count(body: bytes) -> Features:
    """Check the body of a question for a count. Raises `InvalidRequest`."""
    check_document(body)
    request = decode(_count, body)
    measure = _Measure(request)
    return Features(
        request_type="count_tokens",
        priority=None,
        model=request.model,
        stream=False,
        include_usage=False,
        tools=bool(request.tools),
        vision=measure.images > 0,
        structured=False,
        prompt_bytes=measure.bytes,
        images=measure.images,
        pictures=measure.pictures or None,
        messages=len(request.messages),
        max_output_tokens=1,
        choices=1,
        max_cost=None,
        metadata=None,
        session=None,
    )


class _Measure:
    """Bytes of text and numbers of pictures in a request. Raises `InvalidRequest` for tools that have no price."""

    def __init__(self, request: CountRequest) -> None:
        self.bytes = self.images = self.searches = 0
        self.pictures: list[int] = []
        self.is_native = self.is_kept_long = False
        if isinstance(request.system, str):
            self.bytes += size_of(request.system)
        for number, block in enumerate(request.system if isinstance(request.system, list) else ()):
            self._block(block, f"system[{number}]")
        for index, turn in enumerate(request.messages):
            if isinstance(turn.content, str):
                self.bytes += size_of(turn.content)
                continue
            for number, block in enumerate(turn.content):
                self._block(block, f"messages[{index}].content[{number}]")
        for index, tool in enumerate(request.tools or ()):
            self._tool(tool, index)

    def _block(self, block: Block, place: str) -> None:
        self.is_kept_long |= _is_hour(block.cache_control)
        match block.type:
            case "text":
                if block.text is None:
                    raise InvalidRequest(f"`{place}.text` must be a string.", f"{place}.text")
            case "image":
                if not isinstance(block.source, Source):
                    raise InvalidRequest(f"`{place}.source` must be an object.", f"{place}.source")
                self.images += 1
                if block.source.type == "base64":
                    self.pictures += measure_picture(block.source.data or "") or ()
                self.is_native |= block.source.type == "file"
                return
            case "document":
                if not isinstance(block.source, Source):
                    raise InvalidRequest(f"`{place}.source` must be an object.", f"{place}.source")
                data = block.source.data or ""
                self.bytes += size_of(data) // (1 if block.source.type == "text" else _FILE_BYTES_PER_TEXT_BYTE)
                self.bytes += len(block.source.content)
                self.is_native |= block.source.type in ("file", "content")
            case "tool_use" | "tool_result" | "thinking" | "redacted_thinking":
                pass
            case _:
                self.is_native = True
        self.bytes += size_of(block.text) + size_of(block.thinking) + size_of(block.data) + len(block.input)
        if isinstance(block.content, str):
            self.bytes += size_of(block.content)
        elif isinstance(block.content, list):
            for number, inner in enumerate(block.content):
                self._block(inner, f"{place}.content[{number}]")
        elif block.content is not None:
            self.bytes += sum(map(len, block.content.values()))

    def _tool(self, tool: MessagesTool, index: int) -> None:
        self.bytes += size_of(tool.name) + size_of(tool.description) + len(tool.input_schema)
        self.is_kept_long |= _is_hour(tool.cache_control)
        if tool.type is None or tool.type == "custom":
            return
        self.is_native = True
        if tool.type.startswith(_SEARCH):
            self.searches += tool.max_uses or MOST_SEARCHES
        elif not tool.type.startswith((*_HIS_OWN, *_FREE)):
            place = f"tools[{index}]"
            raise InvalidRequest(f"`{place}` is a tool of the provider's that has no price here.", place)


def _is_hour(mark: dict[str, Any] | None) -> bool:
    return mark is not None and mark.get("ttl") == "1h"


def _name_tier(geo: str | None, speed: str | None) -> str | None:
    """Where and how fast it is to be served, as the price book calls what that costs."""
    fast = "fast" if speed == "fast" else None
    return fast if geo is None else "_".join(word for word in ("geo", geo, fast) if word)
