"""Answers as few servers give them: read by the listeners of each grammar, without a server.

Mutants that this catches: an event of a picture that is too long; a call that ends before it is told; zeros that undo
what was used; a refusal of the customer's own words that is the provider's failure.
"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import AsyncMock

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from onevault.frames import MAX_FRAME_BYTES, Chunk, End, FrameDecoder, Head
from tests_py.worker.adapters import Told, read_answer
from tests_py.worker.kit import OFFER, Remembered, attempt, candidate
from worker.dialects.chat_answer import ChatReader
from worker.dialects.chat_writing import ChatWriter
from worker.dialects.gemini_answer import GeminiReader
from worker.dialects.messages_answer import MessagesReader, MessagesWriter
from worker.dialects.responses_answer import ResponsesWriter
from worker.dialects.translation import Reader, Translation, Writer
from worker.endings import describe_failure
from worker.providers.answers import ChatListener
from worker.providers.base import CallFailed
from worker.providers.images import ImagesListener
from worker.providers.listening import Listener
from worker.providers.refusals import classify_error_object
from worker.providers.responses import ResponsesListener
from worker.providers.tally import Tally
from worker.running import PIECE_BYTES, Running
from worker.shapes import Attempt, Delivery, ErrorClass, Message, Result, Usage

BLOCKS = ("messages", "responses")
USED = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def writer_of(grammar: str) -> Writer:
    if grammar == "chat":
        return ChatWriter("1", "m", include_usage=True)
    return MessagesWriter("1", "m", 1) if grammar == "messages" else ResponsesWriter("1", "m", {})


def event(said: object) -> bytes:
    return b"data: " + json.dumps(said).encode() + b"\n\n"


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def call_piece(number: int, arguments: str, name: str = "") -> dict[str, Any]:
    begun = {"id": f"call_{name}", "type": "function"} if name else {}
    return {"index": number, **begun, "function": {"arguments": arguments} | ({"name": name} if name else {})}


def hear(listener: Listener, *said: object) -> Remembered:
    """A stream of these events, up to its end."""
    output = Remembered()
    stream = b"".join(map(event, said))
    for start in range(0, len(stream), 65536):
        output.sent += [listener.hear(one).data for one in listener.cutter.feed(stream[start : start + 65536])]
    rest, output.last = listener.end()
    listener.tally.complete()
    output.sent.append(rest)
    return output


def translate(grammar: str, reader: Any, *said: object) -> tuple[Told, Attempt]:
    made = attempt()
    tally = Tally(made)
    read: Reader = reader(tally)
    output = hear(Translation(tally, read, writer_of(grammar)), *said)
    return read_answer(grammar, output, stream=True), made


def by_chat(tally: Tally) -> Reader:
    return ChatReader(tally, ())


@pytest.mark.parametrize("grammar", BLOCKS)
def test_a_call_is_whole_before_the_next_begins(grammar: str) -> None:
    together = {"tool_calls": [call_piece(0, "", "f"), call_piece(1, "", "g"), call_piece(2, "", "h")]}
    pieces = [(0, '{"a"'), (1, '{"b":'), (0, ":1}"), (2, "{}"), (1, "2}")]
    told, made = translate(
        grammar,
        by_chat,
        chunk(together),
        *[chunk({"tool_calls": [call_piece(number, arguments)]}) for number, arguments in pieces],
        chunk({}, "tool_calls", usage=USED),
    )
    assert [(name, json.loads(said)) for name, said in told.calls] == [("f", {"a": 1}), ("g", {"b": 2}), ("h", {})]
    assert made.output_bytes == 3 + len('{"a":1}{"b":2}{}')


@pytest.mark.parametrize("grammar", BLOCKS)
def test_a_call_without_arguments_is_whole_too(grammar: str) -> None:
    told, _ = translate(
        grammar,
        by_chat,
        chunk({"tool_calls": [call_piece(0, "", "f")]}),
        chunk({"tool_calls": [call_piece(1, '{"a":1}', "g")]}),
        chunk({}, "tool_calls"),
    )
    assert [json.loads(said) for _, said in told.calls] == [{}, {"a": 1}]


@pytest.mark.parametrize("grammar", ["chat", *BLOCKS])
def test_calls_behind_one_that_never_ends_are_told(grammar: str) -> None:
    told, _ = translate(
        grammar,
        by_chat,
        chunk({"tool_calls": [call_piece(0, '{"a"', "f"), call_piece(1, "", "g"), call_piece(2, '{"c":', "h")]}),
        chunk({"tool_calls": [call_piece(2, "3}"), call_piece(1, '{"b":2}')]}),
        chunk({}, "tool_calls"),
    )
    assert [name for name, _ in told.calls] == ["f", "g", "h"]
    assert [json.loads(said) for _, said in told.calls[1:]] == [{"b": 2}, {"c": 3}]


def test_an_item_that_broke_off_is_not_completed() -> None:
    tally = Tally(attempt())
    listener = Translation(tally, ChatReader(tally, ()), writer_of("responses"))
    output = hear(listener, chunk({"tool_calls": [call_piece(0, '{"a"', "f")]}), chunk({}, "length"))
    assert json.loads(output.last.partition(b"data: ")[2])["response"]["output"][0]["status"] == "incomplete"


PICTURE = "x" * 2_000_000


def test_a_picture_may_be_an_event() -> None:
    made = attempt()
    output = hear(ImagesListener(Tally(made), "auto/auto"), {"type": "image_generation.completed", "b64_json": PICTURE})
    assert PICTURE.encode() in output.last


@pytest.mark.parametrize("grammar", ["chat", "messages", "responses"])
def test_a_picture_of_geminis_arrives(grammar: str) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": PICTURE}}
    answer = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}], "responseId": "x"}
    _, _ = translate(grammar, GeminiReader, answer)
    tally = Tally(attempt())
    listener = Translation(tally, GeminiReader(tally), writer_of(grammar))
    output = hear(listener, answer)
    assert PICTURE.encode() in output.data + output.last
    tally = Tally(attempt())
    whole = Translation(tally, GeminiReader(tally), writer_of(grammar)).answer(json.dumps(answer).encode())
    assert PICTURE.encode() in whole


def test_zeros_undo_nothing() -> None:
    made = attempt()
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    listener = ChatListener(Tally(made), include_usage=False, marks=())
    hear(listener, chunk({"content": "Hi"}), chunk({}, "stop", usage=USED), {"choices": [], "usage": nothing})
    assert (made.usage, made.usage_source) == (Usage(input_uncached=10, output=5), "provider_final")


@pytest.mark.parametrize("translated", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_tells_what_was_used(*, translated: bool, stream: bool) -> None:
    tally = Tally(attempt())
    listener: Listener = ChatListener(tally, include_usage=False, marks=())
    if translated:
        listener = Translation(tally, ChatReader(tally, ()), writer_of("messages"))
    said = {"choices": [], "error": {"message": "No.", "code": 502}, "usage": USED}
    with pytest.raises(CallFailed):
        listener.hear(event(said)) if stream else listener.answer(json.dumps(said).encode())
    assert tally.attempt.usage == Usage(input_uncached=10, output=5)


def test_a_response_without_a_list_of_items_is_one() -> None:
    made = attempt()
    used = {"input_tokens": 10, "output_tokens": 5}
    begun = {"type": "response.created", "response": {"status": "in_progress", "output": None}}
    ended = {"type": "response.completed", "response": {"status": "completed", "output": None, "usage": used}}
    output = hear(ResponsesListener(Tally(made), ()), begun, ended)
    assert b"response.completed" in output.last
    assert (made.finish_reason, made.usage) == ("stop", Usage(input_uncached=10, output=5))


@pytest.mark.parametrize(
    ("error", "meaning", "message"),
    [
        ({"type": "invalid_request_error", "message": "No."}, ("bad_request", False, True), "No."),
        ({"type": "authentication_error", "message": "No."}, ("auth_dead", True, False), None),
        ({"type": "billing_error", "message": "No."}, ("money_dead", True, False), None),
        ({"type": "not_found_error", "message": "No."}, ("bad_request", True, False), None),
        ({"type": "timeout_error", "message": "No."}, ("timeout", True, False), None),
        ({"type": "api_error", "message": "No."}, ("server_error", True, False), None),
        ({"code": "invalid_prompt", "message": "No."}, ("content_policy", False, True), "No."),
        ({"code": "image_content_policy_violation", "message": "No."}, ("content_policy", False, True), "No."),
        ({"code": "failed_to_download_image", "message": "No."}, ("bad_request", False, True), "No."),
        ({"code": "server_error", "message": "No."}, ("server_error", True, False), None),
        ({"code": "invalid_api_key", "type": "invalid_request_error"}, ("auth_dead", True, False), None),
        ({"code": 503, "type": "invalid_request_error"}, ("overloaded", True, False), None),
    ],
)
def test_an_error_inside_a_stream_is_whose_fault_it_is(
    error: dict[str, Any], meaning: tuple[str, bool, bool], message: str | None
) -> None:
    failed = classify_error_object(error, ())
    assert (failed.error_class, failed.failover, failed.customer_fault) == meaning
    assert failed.message == message


@pytest.mark.parametrize(
    ("ends", "wait"),
    [
        ([("rate_limited", 30_000)], 30_000),
        ([("rate_limited", 30_000), ("overloaded", 2_000), ("rate_limited", None)], 2_000),
        ([("rate_limited", None)], None),
        ([("rate_limited", 30_000), ("server_error", None)], None),
        ([], None),
    ],
)
def test_the_customer_is_told_how_long_providers_ask_to_wait(
    ends: list[tuple[ErrorClass, int | None]], wait: int | None
) -> None:
    made = [Attempt(number=1, offer=OFFER, key=None, error_class=name, retry_after_ms=ms) for name, ms in ends]
    result = Result(request="r", customer="c", queue="q", msg_id=1, read_ct=1, status="ERROR", attempts=made)
    assert describe_failure(result, [candidate()], None).retry_after_ms == wait


def test_lists_in_chunks_say_their_places() -> None:
    """OpenAI's SDK puts the pieces of an answer together by them, and fails where there are none."""
    made = Tally(attempt())
    listener = Translation(made, MessagesReader(made), writer_of("chat"))
    thoughts = [
        {"type": "content_block_start", "index": number, "content_block": {"type": "redacted_thinking", "data": data}}
        for number, data in enumerate("ab")
    ]
    output = hear(listener, {"type": "message_start", "message": {}}, *thoughts, {"type": "message_stop"})
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for said in output.chunks:
        if said["choices"]:
            state.handle_chunk(ChatCompletionChunk.model_validate(said))
    message: Any = state.current_completion_snapshot.choices[0].message
    assert [one["data"] for one in message.reasoning_details] == ["a", "b"]


PAGE = {"type": "web_search_result_location", "url": "https://example.com", "title": "Zürich", "cited_text": "x"}
WORDS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": {}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "So: "}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "", "citations": []}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": PAGE}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Zü"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "rich."}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
)
PLACE = {"url": "https://example.com", "title": "Zürich", "start_index": 4, "end_index": 11}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("grammar", ["chat", "responses"])
def test_pages_that_claude_found_are_told(grammar: str, *, stream: bool) -> None:
    tally = Tally(attempt())
    listener = Translation(tally, MessagesReader(tally), writer_of(grammar))
    if stream:
        output = hear(listener, *WORDS)
        last = json.loads(output.last.partition(b"data: ")[2])["response"] if output.last else {}
        found = [one for said in output.chunks for choice in said.get("choices", []) for one in [choice["delta"]]]
        told = [one for delta in found for one in delta.get("annotations", [])]
    else:
        blocks = [{"type": "text", "text": "So: "}, {"type": "text", "text": "Zürich.", "citations": [PAGE]}]
        answer = {"type": "message", "content": blocks, "stop_reason": "end_turn"}
        last = json.loads(listener.answer(json.dumps(answer).encode()))
        told = last["choices"][0]["message"]["annotations"] if grammar == "chat" else []
    if grammar == "chat":
        assert [(one["type"], one["url_citation"]) for one in told] == [("url_citation", PLACE)]
    else:
        assert last["output"][0]["content"][0]["annotations"] == [{"type": "url_citation", **PLACE}]


class Wire:
    """A link that keeps what is written."""

    def __init__(self) -> None:
        self.blocked = False
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@pytest.mark.parametrize("size", [10, PIECE_BYTES, MAX_FRAME_BYTES + 10])
async def test_the_last_event_may_be_longer_than_a_frame(size: int) -> None:
    message = Message(request="r", customer="c", reply_to="f", ticket="ab" * 16, deadline_ms=1000, candidates=[])
    running = Running(Delivery("q", 1, 1, message, 0), AsyncMock())
    wire = Wire()
    running.link = wire  # type: ignore[assignment]
    running.candidate = candidate()
    last = b"data: {" + b"x" * size + b"}\n\n"
    running.hold(last)
    running.finish(b"{}", answered=True)
    head, *chunks, end = FrameDecoder().feed(wire.data)
    assert isinstance(head, Head), "who answers is told, though nothing else was said"
    assert isinstance(end, End)
    assert end.last.endswith(b"}\n\n")
    assert b"".join(one.data for one in chunks if isinstance(one, Chunk)) + end.last == last
