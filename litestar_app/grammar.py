"""The grammar of chat requests: OpenAI's, plus the native route's own fields.

Decoding checks types and bounds of every field named here; fields that are not named are allowed,
because the body goes to the provider untouched. Only the front's own structs are made from it, and
they live as long as the check does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

Role = Literal["developer", "system", "user", "assistant", "tool", "function"]

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Label = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z_.:-]*$")]
Tokens = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
MetadataKey = Annotated[str, Meta(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Meta(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=16)]


class ImageUrl(Struct):
    """Where an image is: a URL, or the image itself as a data URL."""

    url: str
    detail: str | None = None


class InputFile(Struct):
    """A file, base64 as a data URL, or one the provider already holds."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class InputAudio(Struct):
    """Sound, base64."""

    data: str
    format: str | None = None


class Part(Struct):
    """One part of a message's content; `type` says which of the other fields counts."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | None = None
    file: InputFile | None = None
    input_audio: InputAudio | None = None


class Function(Struct):
    """What a tool call names, and its arguments as the model wrote them."""

    name: str
    arguments: str = ""


class ToolCall(Struct):
    """A call the assistant made in an earlier turn."""

    id: str | None = None
    type: str = "function"
    function: Function | None = None
    custom: Raw = field(default_factory=Raw)


class Message(Struct):
    """One turn of the conversation."""

    role: Role
    content: str | list[Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: Function | None = None
    images: list[Any] | None = None


class ToolFunction(Struct):
    """A function that the model may call."""

    name: str
    description: str | None = None
    parameters: Raw = field(default_factory=Raw)
    strict: bool | None = None


class Tool(Struct):
    """A tool that the model may use."""

    type: str
    function: ToolFunction | None = None
    custom: Raw = field(default_factory=Raw)


class ResponseFormat(Struct):
    """The form the answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Raw = field(default_factory=Raw)


class StreamOptions(Struct):
    """What a stream carries besides the answer."""

    include_usage: bool | None = None


class Ours(Struct, kw_only=True):
    """The gateway's own fields of a call.

    type: what kind of work this is, for the routing rules; priority: how urgent; max_cost: the most this call may
    cost, in USD; session_id: the conversation, which sticky rules keep at one model.
    """

    type: Label | None = None
    priority: Label | None = None
    max_cost: Decimal | None = None
    session_id: Annotated[str, Meta(max_length=512)] | None = None


class UserLocation(Struct):
    """Where the asker is, roughly."""

    type: Literal["approximate"]
    approximate: dict[str, str | None]


class SearchOptions(Struct):
    """That the model may search the web, and from where."""

    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: UserLocation | None = None


class _Parameters(Ours, kw_only=True):
    """What both routes take besides the conversation: OpenAI's parameters and ours."""

    model: Name | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    tools: list[Tool] | None = None
    functions: list[ToolFunction] | None = None
    tool_choice: str | dict[str, msgspec.Raw] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    metadata: Metadata | None = None
    user: Annotated[str, Meta(max_length=512)] | None = None
    prompt_cache_key: Annotated[str, Meta(max_length=512)] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    prediction: Raw = field(default_factory=Raw)
    service_tier: str | None = None
    modalities: list[str] | None = None
    audio: Raw = field(default_factory=Raw)
    web_search_options: SearchOptions | None = None


class ChatRequest(_Parameters, kw_only=True):
    """The body of `POST /v1/chat/completions`."""

    messages: Annotated[list[Message], Meta(min_length=1)]


class NativeRequest(_Parameters, kw_only=True):
    """The body of `POST /v1/ai/completions`: `prompt` or `messages`, one of them."""

    prompt: Annotated[str, Meta(min_length=1)] | None = None
    messages: Annotated[list[Message], Meta(min_length=1)] | None = None
