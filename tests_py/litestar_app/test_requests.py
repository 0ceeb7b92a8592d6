"""Reading a body: what is accepted, what is measured, and what is refused by which name."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litestar_app.errors import InvalidRequest
from litestar_app.requests import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    MOST_SEARCHES,
    Features,
    Surface,
    check_document,
    read_request,
)
from litestar_app.surfaces.surface import SURFACES

SAY = [{"role": "user", "content": "Hello"}]
# The smallest PNG there is, one pixel, and a picture that is elsewhere.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
URLS = (f"data:image/png;base64,{PNG}", "https://example.com/a.png")
SEE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}} for url in URLS]}]
SOUND: Any = [
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "a" * 640, "format": "wav"}}]}
]


BY_NAME = {surface.name: surface for surface in SURFACES}


def read(surface: Surface = "chat", /, **body: Any) -> Features:
    return BY_NAME[surface].read(json.dumps(body).encode())


def refuse(surface: Surface = "chat", /, **body: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read(surface, **body)
    return caught.value


def test_a_plain_call_is_measured() -> None:
    features = read(model="gpt-4o", messages=[{"role": "system", "content": "Be good"}, *SAY], max_tokens=64)
    assert features == Features(
        request_type="completion",
        priority=None,
        model="gpt-4o",
        stream=False,
        include_usage=False,
        tools=False,
        vision=False,
        structured=False,
        prompt_bytes=12,
        images=0,
        messages=2,
        max_output_tokens=64,
        choices=1,
        max_cost=None,
        metadata=None,
        session=None,
    )


def test_text_is_measured_in_bytes_of_utf8() -> None:
    assert read(messages=[{"role": "user", "content": "héllo 🎉"}]).prompt_bytes == len("héllo 🎉".encode())


def test_every_text_of_a_conversation_counts() -> None:
    features = read(
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "12345"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "ab", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "678"},
            {"role": "assistant", "refusal": "no"},
        ],
        tools=[{"type": "function", "function": {"name": "ab", "description": "cd", "parameters": {"a": 1}}}],
        response_format={"type": "json_schema", "json_schema": {"name": "x"}},
    )
    assert features.prompt_bytes == 5 + 4 + 3 + 2 + 4 + len('{"a": 1}') + len('{"name": "x"}')
    assert features.tools
    assert features.structured
    assert features.messages == 4
    features = read(messages=SAY, functions=[{"name": "ab", "description": "cd", "parameters": {"a": 1}}])
    assert (features.prompt_bytes, features.tools) == (5 + 4 + len('{"a": 1}'), True)


def test_an_image_is_counted_and_its_bytes_are_no_text() -> None:
    picture = "data:image/png;base64," + base64.b64encode(bytes(30_000)).decode()
    parts = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": picture}}]
    features = read(messages=[{"role": "user", "content": parts}])
    assert (features.images, features.vision, features.prompt_bytes) == (1, True, 5)
    drawn = {"role": "assistant", "content": "Here", "images": [parts[1]]}
    assert read(messages=[*SAY, drawn, *SAY]).images == 1


def test_files_weigh_less_than_text() -> None:
    parts = [{"type": "file", "file": {"file_data": "a" * 8000}}]
    assert read(messages=[{"role": "user", "content": parts}]).prompt_bytes == 1000


@pytest.mark.parametrize(
    ("feature", "body", "told"),
    [
        ("service_tier", {"service_tier": "priority"}, "priority"),
        ("audio_out", {"modalities": ["text", "audio"]}, True),
        ("audio_out", {"audio": {"voice": "alloy"}}, True),
        ("audio_in", {"messages": SOUND}, True),
        ("needs", {"n": 2}, ["n"]),
        ("pictures", {"messages": SEE}, [1, 1]),
        ("parameters", {"seed": 0, "logprobs": True}, ["logprobs", "seed"]),
    ],
)
def test_what_may_cost_more_is_told(feature: str, body: dict[str, object], told: object) -> None:
    assert getattr(read(**{"messages": SAY, **body}), feature) == told
    assert getattr(read(messages=SAY), feature) is None


def test_searches_go_to_who_counts_them() -> None:
    told = read(messages=SAY, n=2, web_search_options={})
    assert (told.needs, told.searches, told.parameters) == (["n", "web_search_options"], MOST_SEARCHES, None)
    where = {"type": "approximate", "approximate": {"city": "Zürich", "region": None}}
    told = read(messages=SAY, web_search_options={"search_context_size": "high", "user_location": where})
    assert (told.needs, told.parameters) == (["web_search_options"], ["search_context_size"])
    assert read(messages=SAY, web_search_options=None) == read(messages=SAY)
    assert refuse(messages=SAY, web_search_options={"user_location": {"type": "exact"}}).param is not None


def test_the_standard_tier_is_no_matter() -> None:
    assert read(messages=SAY, service_tier="auto", modalities=["text"]) == read(messages=SAY)


def test_fields_that_are_not_named_are_let_through() -> None:
    parts = [{"type": "novelty", "whatever": [1, {"deep": None}]}]
    assert read(messages=[{"role": "user", "content": parts, "mood": 3}], brand_new={"a": []}).messages == 1


def test_null_is_as_good_as_absent() -> None:
    names = ("model", "stream", "stream_options", "max_tokens", "n", "temperature", "tools", "response_format", "stop")
    assert read(messages=SAY, **dict.fromkeys(names)) == read(messages=SAY)


def test_the_newer_limit_of_output_wins() -> None:
    assert read(messages=SAY, max_tokens=5, max_completion_tokens=7).max_output_tokens == 7


def test_stream_options_are_read() -> None:
    features = read(messages=SAY, stream=True, stream_options={"include_usage": True})
    assert (features.stream, features.include_usage) == (True, True)


def test_the_native_route_takes_a_prompt_and_its_own_fields() -> None:
    features = read(
        "native", prompt="Hello", type="medical_analysis", priority="high", max_cost=0.05, metadata={"a": "b"}
    )
    assert features.prompt_bytes == 5
    assert features.messages == 1
    assert (features.request_type, features.priority, features.max_cost) == ("medical_analysis", "high", "0.0500000000")
    assert features.metadata == {"a": "b"}


def test_the_chat_route_takes_our_fields_too() -> None:
    features = read(messages=SAY, type="medical_analysis", priority="low", max_cost="0.25")
    assert (features.request_type, features.priority, features.max_cost) == ("medical_analysis", "low", "0.2500000000")
    assert refuse(messages=SAY, max_cost="nonsense").param == "max_cost"


@pytest.mark.parametrize(
    ("given_cost", "kept"), [("0.1", "0.1000000000"), (0, "0.0000000000"), (1e-30, "0.0000000000"), (3, "3.0000000000")]
)
def test_max_cost_is_decimal_text(given_cost: object, kept: str) -> None:
    assert read("native", prompt="x", max_cost=given_cost).max_cost == kept


@pytest.mark.parametrize("cost", ["NaN", "Infinity", -1, 1_000_001, "1e999999", "0x10", [1], True])
def test_max_cost_is_bounded(cost: object) -> None:
    assert refuse("native", prompt="x", max_cost=cost).param == "max_cost"


def test_prompt_and_messages_exclude_each_other() -> None:
    assert refuse("native").param == "prompt"
    assert refuse("native", prompt="x", messages=SAY).param == "prompt"


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("messages", {"messages": []}),
        ("messages", {}),
        ("messages", {"messages": "hello"}),
        ("messages[0]", {"messages": ["hello"]}),
        ("messages[0].role", {"messages": [{"role": "robot", "content": "x"}]}),
        ("messages[0].role", {"messages": [{"content": "x"}]}),
        ("messages[0].content", {"messages": [{"role": "user"}]}),
        ("messages[0].content", {"messages": [{"role": "user", "content": 5}]}),
        ("messages[0].content[0]", {"messages": [{"role": "user", "content": ["x"]}]}),
        ("messages[0].content[0].type", {"messages": [{"role": "user", "content": [{}]}]}),
        ("messages[0].content[0].text", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
        ("messages[0].content[0].image_url", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
        ("messages[0].content[0].file", {"messages": [{"role": "user", "content": [{"type": "file"}]}]}),
        ("model", {"messages": SAY, "model": 5}),
        ("model", {"messages": SAY, "model": ""}),
        ("model", {"messages": SAY, "model": "a\0b"}),
        ("model", {"messages": SAY, "model": "m" * 300}),
        ("stream", {"messages": SAY, "stream": "yes"}),
        ("stream_options", {"messages": SAY, "stream_options": []}),
        ("max_tokens", {"messages": SAY, "max_tokens": 0}),
        ("max_tokens", {"messages": SAY, "max_tokens": 1.5}),
        ("max_tokens", {"messages": SAY, "max_tokens": 10**30}),
        ("n", {"messages": SAY, "n": 1000}),
        ("temperature", {"messages": SAY, "temperature": "hot"}),
        ("temperature", {"messages": SAY, "temperature": 1e308}),
        ("seed", {"messages": SAY, "seed": 2**70}),
        ("stop[1]", {"messages": SAY, "stop": ["a", 1]}),
        ("tools", {"messages": SAY, "tools": {}}),
        ("tools[0].type", {"messages": SAY, "tools": [{}]}),
        ("tools[0].function", {"messages": SAY, "tools": [{"type": "function"}]}),
        ("tools[0].function.name", {"messages": SAY, "tools": [{"type": "function", "function": {"name": 1}}]}),
        ("tool_choice", {"messages": SAY, "tool_choice": 1}),
        ("response_format.type", {"messages": SAY, "response_format": {"type": "poem"}}),
        ("metadata", {"messages": SAY, "metadata": {"a": 1}}),
        ("metadata", {"messages": SAY, "metadata": {"a": "x" * 600}}),
        ("metadata", {"messages": SAY, "metadata": {"a": "\0"}}),
        ("metadata", {"messages": SAY, "metadata": {str(i): "x" for i in range(17)}}),
    ],
)
def test_a_refusal_names_the_field(param: str, body: dict[str, Any]) -> None:
    error = refuse(**body)
    assert (error.status, error.code, error.param) == (400, "invalid_request", param)
    assert f"`{param}`" in error.message
    assert error.message.endswith(".")


def test_a_refusal_says_what_belongs_there() -> None:
    assert refuse(messages=SAY, max_tokens="ten").message == "`max_tokens` must be an integer, not a string."
    assert refuse(messages=SAY, n=0).message == "`n` must be at least 1."
    assert refuse(messages=[]).message == "`messages` must have a length of at least 1."
    assert refuse(messages=SAY, metadata={"a": 1}).message == "What is in `metadata` must be a string, not an integer."


@pytest.mark.parametrize("field", ["model", "stream", "messages", "stop", "metadata", "response_format", "tools"])
def test_a_refusal_never_quotes_the_body(field: str) -> None:
    canary = "canary-7f3a"
    for value in (canary, {"role": canary, "type": canary}, [canary], [{"role": canary}], {canary: 1}):
        body = json.dumps({"messages": SAY, field: value}).encode()
        try:
            read_request("chat", body)
        except InvalidRequest as error:
            assert canary not in f"{error} {error.message} {error.param} {error.__cause__}"
            assert error.__suppress_context__


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"messages": [{"role": "user", "content": "x"}]',
        b'{"a": NaN}',
        b'{"messages": [{"role": "user", "content": "x"}]} {}',
        b"\xff\xfe{}",
    ],
)
def test_broken_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_request("chat", body)
    assert caught.value.param is None


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="invalid_request"):
        read_request("chat", body)


def nested(depth: int) -> bytes:
    """A document with arrays and objects in turn, `depth` levels in all."""
    opening = (b'{"a":', b"[")
    closing = (b"}", b"]")
    levels = [level % 2 for level in range(depth)]
    return b"".join(opening[n] for n in levels) + b"1" + b"".join(closing[n] for n in reversed(levels))


def test_depth_is_limited() -> None:
    check_document(nested(MAX_DEPTH))
    check_document(b"[" + b",".join([nested(MAX_DEPTH - 1)] * 50) + b"]")
    for depth in (MAX_DEPTH + 1, 1000, 100_000):
        with pytest.raises(InvalidRequest, match="invalid_request"):
            check_document(nested(depth))


def test_the_number_of_containers_is_limited() -> None:
    check_document(b"[" + b"{}," * (MAX_CONTAINERS - 2) + b"{}]")
    with pytest.raises(InvalidRequest, match="invalid_request"):
        check_document(b"[" + b"{}," * MAX_CONTAINERS + b"{}]")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000_000,
        b"[" * 5_000_000 + b"]" * 5_000_000,
        (b"[" * 60 + b"]" * 60) * 80_000,
        b'{"a":[' + b'"",' * 3_300_000 + b'""]}',
        b'{"a":[' + b'"[",' * 2_500_000 + b'""]}',
        b'{"a":"' + b'\\"' * 5_000_000 + b'"}',
        b'{"messages":[' + b'{"role":"user","content":""},' * 300_000 + b'{"role":"user","content":""}]}',
    ],
    ids=["open", "deep", "many", "empty-strings", "strings", "escapes", "messages"],
)
def test_a_hostile_body_holds_nobody_up(body: bytes) -> None:
    begun = time.process_time()
    with contextlib.suppress(InvalidRequest):
        read_request("chat", body)
    assert time.process_time() - begun < 2  # a fraction of it on a machine of its own


@pytest.mark.parametrize("text", ["[" * 500, '\\" [[[ \\\\' * 100, '{"' * 100, "\\" * 99 + "[" * 99, "]}" * 300])
def test_brackets_inside_strings_are_no_depth(text: str) -> None:
    assert read(messages=[{"role": "user", "content": text}]).prompt_bytes == len(text)


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{}"\\a'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[]{}"\\a'), inner, max_size=3),
    max_leaves=40,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(documents, st.integers(0, 70))
def test_depth_is_counted_right(document: Any, wrapped: int) -> None:
    for _ in range(wrapped):
        document = [document]
    body = json.dumps(document).encode()
    if depth_of(document) <= MAX_DEPTH:
        check_document(body)
    else:
        with pytest.raises(InvalidRequest):
            check_document(body)


@given(st.binary(max_size=200) | documents.map(lambda document: json.dumps({"messages": document}).encode()))
def test_nothing_but_a_refusal_comes_out(body: bytes) -> None:
    surfaces: tuple[Surface, ...] = ("chat", "native")
    for surface in surfaces:
        try:
            read_request(surface, body)
        except InvalidRequest as error:
            assert error.status == 400
