"""What the front tells SQL of calls in each grammar, and what it refuses: sizes, needs and wishes, never a word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litestar_app.errors import GatewayError, InvalidRequest
from litestar_app.receipts import Receipt, splice_event
from litestar_app.requests import Features
from litestar_app.surfaces.images import unpack_form
from litestar_app.surfaces.surface import SURFACES

BY_NAME = {surface.name: surface for surface in SURFACES}
SAY = {"role": "user", "content": "Hello"}
LEAST: dict[str, dict[str, Any]] = {
    "messages": {"model": "m", "max_tokens": 9, "messages": [SAY]},
    "count_tokens": {"model": "m", "messages": [SAY]},
    "responses": {"input": "Hello"},
    "embeddings": {"input": "Hello"},
    "images": {"prompt": "Hello"},
    "image_edits": {"prompt": "Hello", "image": [{"name": "a.png", "type": "image/png", "data": "AAAA"}]},
    "rerank": {"query": "Hello", "documents": ["Hello"]},
}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
# The smallest PNG there is, one pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
INLINE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
ELSEWHERE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
SEARCH = {"type": "web_search_20260209", "name": "web_search", "max_uses": 3}


def read(surface: str, **changes: Any) -> Features:
    return BY_NAME[surface].read(json.dumps(LEAST[surface] | changes).encode())


@pytest.mark.parametrize("surface", LEAST)
def test_the_least_that_can_be_asked(surface: str) -> None:
    features = read(surface)
    assert features.prompt_bytes == (10 if surface == "rerank" else 5)
    assert (features.needs, features.parameters, features.service_tier, features.cache_1h) == (None, None, None, None)
    assert features.stream is False


@pytest.mark.parametrize(
    ("surface", "changes", "feature", "told"),
    [
        ("messages", {"max_tokens": 0}, "max_output_tokens", 1),
        ("messages", {"system": "Be good"}, "prompt_bytes", 12),
        ("messages", {"system": [{"type": "text", "text": "Be good", **HOUR}]}, "cache_1h", True),
        ("messages", {"messages": [SAY | {"content": [{"type": "text", "text": "a", **HOUR}]}]}, "cache_1h", True),
        ("messages", {"tools": [{"name": "a", "input_schema": {}, **HOUR}]}, "cache_1h", True),
        ("messages", HOUR, "cache_1h", True),
        ("messages", {"cache_control": {"type": "ephemeral"}}, "cache_1h", None),
        ("messages", {"thinking": {"type": "adaptive"}, "top_k": 0}, "parameters", ["top_k", "thinking"]),
        ("messages", {"thinking": {"type": "disabled"}}, "parameters", None),
        ("messages", {"mcp_servers": [{"type": "url"}]}, "needs", ["messages"]),
        ("messages", {"tools": [SEARCH]}, "needs", ["messages"]),
        ("messages", {"tools": [SEARCH]}, "searches", 3),
        ("messages", {"tools": [{"type": "bash_20250124", "name": "bash"}]}, "searches", None),
        ("messages", {"messages": [SAY | {"content": [INLINE, ELSEWHERE, INLINE]}]}, "pictures", [1, 1, 1, 1]),
        ("messages", {"messages": [SAY | {"content": [INLINE, ELSEWHERE, INLINE]}]}, "images", 3),
        ("messages", {"messages": [SAY | {"content": [ELSEWHERE]}]}, "pictures", None),
        ("count_tokens", {"messages": [SAY | {"content": [INLINE]}]}, "pictures", [1, 1]),
        ("messages", {"speed": "fast"}, "service_tier", "fast"),
        ("messages", {"inference_geo": "us"}, "service_tier", "geo_us"),
        ("messages", {"inference_geo": "us", "speed": "fast"}, "service_tier", "geo_us_fast"),
        ("messages", {"inference_geo": "us"}, "needs", ["messages"]),
        ("messages", {"inference_geo": "global"}, "service_tier", None),
        ("messages", {"inference_geo": "global"}, "needs", None),
        ("messages", {"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "structured", True),
        (
            "messages",
            {"messages": [SAY | {"content": [{"type": "image", "source": {"type": "url", "url": "https://x/y"}}]}]},
            "images",
            1,
        ),
        (
            "messages",
            {"messages": [SAY | {"content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]},
            "needs",
            ["messages"],
        ),
        (
            "messages",
            {"messages": [SAY | {"content": [{"type": "tool_result", "tool_use_id": "1", "content": "abc"}]}]},
            "prompt_bytes",
            3,
        ),
        (
            "responses",
            {"input": [SAY | {"content": [{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]}]},
            "pictures",
            [1, 1],
        ),
        ("responses", {"store": True}, "needs", ["storage"]),
        ("responses", {"store": False}, "needs", None),
        ("responses", {"tools": [{"type": "web_search"}]}, "searches", 10),
        ("responses", {"tools": [{"type": "web_search"}], "max_tool_calls": 2}, "searches", 2),
        ("responses", {"tools": [{"type": "mcp", "server_label": "x"}]}, "needs", ["responses"]),
        ("responses", {"input": [{"type": "compaction", "encrypted_content": "abcd"}]}, "needs", ["responses"]),
        ("responses", {"input": [{"type": "compaction", "encrypted_content": "abcd"}]}, "prompt_bytes", 4),
        ("responses", {"input": [{"type": "image_generation_call", "result": PNG}]}, "needs", None),
        ("responses", {"input": [{"type": "image_generation_call", "result": PNG}]}, "images", 1),
        ("responses", {"reasoning": {"effort": "low"}}, "parameters", ["reasoning_effort"]),
        ("responses", {"service_tier": "flex"}, "service_tier", "flex"),
        ("responses", {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}, "structured", True),
        ("responses", {"text": {"format": {"type": "text"}}}, "structured", False),
        ("embeddings", {"input": ["ab", "c"]}, "prompt_bytes", 3),
        ("embeddings", {"input": [1, 2, 3]}, "needs", ["token_input"]),
        ("embeddings", {"input": [[1, 2], [3]]}, "prompt_bytes", 12),
        ("embeddings", {"input": ["ab", "c"]}, "inputs", 2),
        ("embeddings", {"input": [[1, 2], [3], [4]]}, "inputs", 3),
        ("embeddings", {"input": [1, 2, 3]}, "inputs", None),
        ("embeddings", {"input": "ab"}, "inputs", None),
        ("embeddings", {"dimensions": 8}, "parameters", ["dimensions"]),
        ("images", {"n": 3}, "images_out", 3),
        ("images", {"size": "1024x1024", "quality": "high"}, "image_variant", "1024x1024/high"),
        ("images", {"size": "1024x1024", "quality": "auto"}, "image_variant", None),
        ("images", {"size": "1024x1024"}, "image_variant", None),
        ("image_edits", {}, "images", 1),
        ("rerank", {"documents": ["x"] * 101}, "searches", 2),
    ],
)
def test_what_is_told(surface: str, changes: dict[str, Any], feature: str, told: object) -> None:
    assert getattr(read(surface, **changes), feature) == told


@pytest.mark.parametrize(
    ("surface", "changes", "param"),
    [
        ("messages", {"messages": []}, "messages"),
        ("messages", {"max_tokens": -1}, "max_tokens"),
        ("messages", {"inference_geo": "Not here"}, "inference_geo"),
        ("messages", {"tools": [{"type": "code_execution_20260120", "name": "code"}]}, "tools[0]"),
        ("messages", {"messages": [SAY | {"role": "robot"}]}, "messages[0].role"),
        ("messages", {"messages": [SAY | {"content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ("messages", {"model": "a\0b"}, "model"),
        ("responses", {"input": []}, "input"),
        ("responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"background": True}, "background"),
        ("responses", {"conversation": "conv_1"}, "conversation"),
        ("responses", {"prompt": {"id": "pmpt_1"}}, "prompt"),
        ("responses", {"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ("responses", {"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ("responses", {"tools": [{"type": "code_interpreter"}]}, "tools[0]"),
        ("responses", {"metadata": {"a": "b\0"}}, "metadata"),
        ("embeddings", {"input": []}, "input"),
        ("embeddings", {"input": ["a", ""]}, "input"),
        ("images", {"n": 11}, "n"),
        ("images", {"size": "huge"}, "size"),
        ("images", {"prompt": ""}, "prompt"),
        ("image_edits", {"image": []}, "image"),
        ("rerank", {"documents": []}, "documents"),
    ],
)
def test_what_is_refused(surface: str, changes: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(surface, **changes)
    assert caught.value.param == param


def form(*parts: tuple[str, bytes]) -> bytes:
    lines = [b"--x\r\ncontent-disposition: form-data; " + head.encode() + b"\r\n\r\n" + data for head, data in parts]
    return b"\r\n".join([*lines, b"--x--\r\n"])


def test_a_form_becomes_json() -> None:
    body = form(('name="prompt"', b"Hello"), ('name="n"', b"2"), ('name="image[]"; filename="../a b.png"', b"\x89PNG"))
    unpacked = json.loads(unpack_form(body, "multipart/form-data; boundary=x"))
    picture = {"name": ".._a_b.png", "type": "application/octet-stream", "data": "iVBORw=="}
    assert unpacked == {"prompt": "Hello", "n": 2, "image": [picture]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (form(('name="prompt"', b"x")), "multipart/form-data"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (form(*[(f'name="f{number}"', b"x") for number in range(65)]), "multipart/form-data; boundary=x"),
        (form(('name="prompt"', b"\xff")), "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(GatewayError) as caught:
        unpack_form(body, kind)
    assert caught.value.status == 400


def test_the_last_event_carries_the_receipt() -> None:
    receipt = Receipt("r-1", "p", "m")
    spliced = splice_event(b'event: message_stop\ndata: {"type":"message_stop"}\n\n', receipt)
    head, _, data = spliced.decode().partition("data: ")
    assert (head, data[-2:]) == ("event: message_stop\n", "\n\n")
    assert json.loads(data)["onevault"]["request_id"] == "r-1"
    assert b'"onevault"' in splice_event(b"data: {}\r\n\r\n", receipt)
    assert splice_event(b": nothing\n\n", receipt) == b": nothing\n\n"


def test_only_what_a_provider_may_be_told_is_passed_on() -> None:
    surface = BY_NAME["messages"]
    given = {
        b"anthropic-beta": b"context-1m-2025-08-07, other",
        b"anthropic-version": b"2023-06-01",
        b"x-api-key": b"k",
    }
    assert surface.passed_headers(given) == {
        "anthropic-beta": "context-1m-2025-08-07, other",
        "anthropic-version": "2023-06-01",
    }
    assert surface.betas(surface.passed_headers(given)) == ["context-1m-2025-08-07", "other"]
    assert surface.betas({}) is None
    assert surface.passed_headers({b"anthropic-version": b"1; drop", b"anthropic-beta": b"\xff"}) == {}
    assert BY_NAME["chat"].passed_headers(given) == {}


def test_null_is_no_wish() -> None:
    nulls: dict[str, Any] = dict.fromkeys(("audio", "prediction", "modalities", "web_search_options", "logit_bias"))
    chat = BY_NAME["chat"].read(json.dumps({"messages": [SAY], **nulls}).encode())
    assert (chat.audio_out, chat.parameters, chat.needs, chat.searches) == (None, None, None, None)
    natives = ("container", "mcp_servers", "context_management", "fallbacks", "prefill")
    assert read("messages", **dict.fromkeys(natives)).needs is None
    assert read("messages", tools=[{"type": None, "name": "a", "input_schema": {}}]).needs is None
    kept = ("previous_response_id", "conversation", "prompt", "background")
    assert read("responses", **dict.fromkeys(kept)).needs is None


@pytest.mark.parametrize(
    "block",
    [
        {"type": "web_fetch_tool_result", "tool_use_id": "a", "content": {"type": "web_fetch_result", "url": "u"}},
        {"type": "web_search_tool_result", "tool_use_id": "a", "content": {"type": "web_search_tool_result_error"}},
        {"type": "code_execution_tool_result", "tool_use_id": "a", "content": {"stdout": "x", "content": []}},
        {"type": "search_result", "source": "https://a.b", "title": "t", "content": [{"type": "text", "text": "x"}]},
    ],
)
def test_blocks_that_the_provider_made_come_back(block: dict[str, Any]) -> None:
    features = read("messages", messages=[SAY, {"role": "assistant", "content": [block]}])
    assert features.needs == ["messages"]
    assert features.prompt_bytes > 5


@pytest.mark.parametrize(
    "item",
    [
        {"type": "computer_call_output", "call_id": "a", "output": {"type": "computer_screenshot", "image_url": "u"}},
        {"type": "shell_call_output", "call_id": "a", "output": [{"stdout": "x", "stderr": "", "outcome": {}}]},
        {"type": "tool_search_call", "call_id": "a", "arguments": {"query": "x"}},
        {"type": "tool_search_output", "call_id": "a", "tools": [{"type": "function", "name": "a"}]},
        {"type": "apply_patch_call", "call_id": "a", "operation": {"type": "create_file", "diff": "x"}},
        {"type": "code_interpreter_call", "id": "a", "code": "x", "outputs": None},
    ],
)
def test_items_that_the_provider_made_come_back(item: dict[str, Any]) -> None:
    features = read("responses", input=[SAY, item])
    assert features.needs == ["responses"]
    assert features.prompt_bytes > 5
