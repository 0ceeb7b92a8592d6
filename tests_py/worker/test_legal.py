"""What the SDKs allow is asked of every kind of provider in words that it takes; what it cannot be told is named.

The fakes refuse what the providers do: words that are blank, a conversation without a user, thoughts that others
signed. Mutants that this catches: empty turns that leave two of one speaker; a wish that nobody reads and nobody names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import TEXT, Scenario, ToolCall
from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import (
    GRAMMARS,
    KINDS,
    PDF,
    PNG,
    SCHEMA,
    TRANSLATED,
    ask,
    fails,
    files,
    opened,
    say,
    structured,
)
from tests_py.worker.adapters import result as result_of
from tests_py.worker.adapters import tools as tools_of
from worker.dialects.chat_writing import write_chat_usage
from worker.dialects.messages_answer import write_messages_usage
from worker.dialects.responses_answer import write_responses_usage
from worker.providers.base import Provider
from worker.providers.openai import OpenAIProvider
from worker.shapes import Usage

SPOKEN = [kind for kind in KINDS if kind != "mistral"]


class Desk:
    """Asks one kind of provider, and shows what it was sent."""

    def __init__(self, fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], kind: str) -> None:
        self.kind = kind
        self._fake, self._adapter, self._kind = fakes[kind], adapters[kind], KINDS[kind]
        self.output = b""

    async def sent(
        self, grammar: str, body: dict[str, Any], scenario: str | Scenario = "ok", *, stream: bool = False, **who: Any
    ) -> tuple[dict[str, Any], list[str]]:
        where = self._kind.endpoint(self._fake, scenario)
        answered = await ask(self._adapter, where, grammar, body, stream=stream, **(self._kind.more | who))
        self.output = answered.output.data
        return self._fake.seen[-1].body, answered.made.dropped

    async def refused(self, grammar: str, body: dict[str, Any], *, failover: bool = True) -> str | None:
        failed, _, _ = await fails(
            self._adapter, self._kind.endpoint(self._fake, "ok"), grammar, body, **self._kind.more
        )
        assert (failed.customer_fault, failed.failover) == (True, failover)
        return failed.message


@pytest.fixture
def desk(fakes: dict[str, ScenarioServer], adapters: dict[str, Provider], kind: str) -> Desk:
    return Desk(fakes, adapters, kind)


def roles(body: dict[str, Any]) -> list[str]:
    """Who speaks, in turn."""
    return [turn["role"] for turn in body.get("messages") or body["contents"] if turn["role"] != "system"]


@pytest.mark.parametrize("kind", KINDS)
async def test_blank_words_are_no_turn(desk: Desk) -> None:
    empty = {"role": "system", "content": [{"type": "text", "text": ""}]}
    nothing: Any
    for nothing in ("", []):
        body, _ = await desk.sent("chat", say("chat", empty, "a", {"role": "assistant", "content": nothing}, "b"))
        assert roles(body) == ["user"]
        assert '""' not in json.dumps(body)


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_claude_is_not_told_of_blanks(desk: Desk) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": "\n\n", "tool_calls": [call]}
    gave = {"role": "tool", "tool_call_id": "a", "content": "x"}
    body, _ = await desk.sent("chat", say("chat", {"role": "system", "content": " "}, "?", said, gave))
    assert roles(body) == ["user", "assistant", "user"]
    assert len(body["messages"][1]["content"]) == 1
    assert "system" not in body


@pytest.mark.parametrize("kind", KINDS)
async def test_somebody_is_answered(desk: Desk) -> None:
    told = [{"role": "system", "content": "Be kind."}, {"role": "developer", "content": "Say hi."}]
    body, _ = await desk.sent("chat", say("chat", *told))
    assert roles(body) == ["user"]
    assert json.dumps(body).index("Be kind.") != json.dumps(body).index("Say hi.")


@pytest.mark.parametrize(("kind", "grammar"), [(kind, grammar) for kind, grammar in TRANSLATED if kind != "mistral"])
async def test_what_nobody_reads_is_named(desk: Desk, grammar: str) -> None:
    more: dict[str, Any] = {"foo": 1, "bar": None, "baz": [], "not\r\nplain": True}
    known = {
        "chat": {"store": True, "top_k": 3, "modalities": ["text"]},
        "messages": {"diagnostics": {"previous_message_id": "a"}, "speed": "standard", "max_tokens": 9},
        "responses": {"include": ["message.output_text.logprobs"], "top_logprobs": 2, "truncation": "disabled"},
    }[grammar]
    _, dropped = await desk.sent(grammar, say(grammar, "?", **more, **known))
    named = {"chat": ["store", "top_k"], "messages": ["diagnostics"], "responses": ["include", "top_logprobs"]}[grammar]
    assert dropped == sorted(["?", "foo", *named])


@pytest.mark.parametrize("kind", ["cohere"])
async def test_what_is_not_answered_is_not_asked(desk: Desk) -> None:
    body, dropped = await desk.sent("chat", say("chat", "?", logprobs=True))
    assert ("logprobs" in body, dropped) == (False, ["logprobs"])


@pytest.mark.parametrize("kind", SPOKEN)
async def test_functions_before_they_were_tools(desk: Desk) -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": "{}"}}
    gave = {"role": "function", "name": "get_weather", "content": "Rain."}
    offered = {"functions": [{"name": "get_weather", "parameters": {"type": "object"}}], "function_call": "auto"}
    for stream in (False, True):
        body, _ = await desk.sent("chat", say("chat", "?", called, gave, **offered), "tools", stream=stream)
        assert roles(body)[0] == "user"
        assert len(roles(body)) == 3 or roles(body)[2] == "tool"
        assert "Rain." in json.dumps(body)
        assert "get_weather" in json.dumps(body.get("tools") or body["toolConfig"])
        assert b'"function_call":{' in desk.output
        assert b'"finish_reason":"function_call"' in desk.output
        assert b"tool_calls" not in desk.output


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grammar", ["chat", "responses"])
async def test_some_of_the_tools_are_allowed(desk: Desk, grammar: str) -> None:
    flat: dict[str, Any] = {"mode": "required", "tools": tools_of(grammar, "b")}
    choice = {"type": "allowed_tools", **({"allowed_tools": flat} if grammar == "chat" else flat)}
    body, _ = await desk.sent(grammar, say(grammar, "?", tools=tools_of(grammar, "a", "b"), tool_choice=choice))
    declared = json.dumps(body.get("tools") or body["toolConfig"])
    assert ('"b"' in declared, '"a"' in declared) == (True, False)
    chosen = body.get("tool_choice") or body["toolConfig"]
    assert any(word in json.dumps(chosen) for word in ('"any"', "required", "REQUIRED", "ANY"))


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "a"}}])
async def test_who_must_call_does_not_think(desk: Desk, choice: Any) -> None:
    given = say("chat", "?", tools=tools_of("chat", "a"), tool_choice=choice, reasoning_effort="high", max_tokens=3000)
    body, _ = await desk.sent("chat", given, max_output_tokens=3000, upstream_model="claude-sonnet-4-6")
    assert "thinking" not in json.dumps(body)
    assert '"effort": "high"' in json.dumps(body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grammar", GRAMMARS[1:])
async def test_a_document_is_a_result_too(desk: Desk, kind: str, grammar: str) -> None:
    if grammar == "messages":
        shown = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
        use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
        gave = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "See"}, shown]}
        turns = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [gave]}]
        body = say(grammar, "?", *turns, max_tokens=9)
    else:
        file = {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
        use = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
        gave = {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "See"}, file]}
        body = say(grammar, "?", use, gave)
    if kind == "cohere":
        assert await desk.refused(grammar, body) == (
            "A document cannot be sent to the provider that was chosen for this call."
        )
        return
    told, _ = await desk.sent(grammar, body)
    assert PDF in json.dumps(told)
    assert "See\\n" not in json.dumps(told)


@pytest.mark.parametrize("kind", ["anthropic", "bedrock", "cohere"])
async def test_sound_is_refused_in_words(desk: Desk) -> None:
    heard = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    message = await desk.refused("chat", say("chat", {"role": "user", "content": [heard]}))
    assert message == "Sound cannot be sent to the provider that was chosen for this call."


@pytest.mark.parametrize("kind", ["anthropic"])
async def test_thoughts_of_others_stay_behind(desk: Desk) -> None:
    def thought(signature: str) -> dict[str, Any]:
        return {"type": "thinking", "thinking": "x", "signature": signature}

    own = thought("EqQB")
    sealed = {"type": "redacted_thinking", "data": "bedrock.a"}
    words = {"type": "text", "text": "Hi", "citations": None}
    turns: list[Any] = [[thought("google.a"), own, words], [thought(""), sealed], [own]]
    given = say("messages", "?", *[{"role": "assistant", "content": turn} for turn in turns], max_tokens=9)
    body, _ = await desk.sent("messages", given)
    assert [turn["content"] for turn in body["messages"]] == ["?", [own, words], [own]]
    assert TEXT.encode() in desk.output


@pytest.mark.parametrize("kind", ["bedrock"])
async def test_all_that_was_said_is_kept(desk: Desk) -> None:
    given = say("messages", "a", {"role": "assistant", "content": "b"}, "c", max_tokens=9)
    body, _ = await desk.sent("messages", given | {"cache_control": {"type": "ephemeral"}})
    assert body["messages"][-1]["content"] == [{"text": "c"}, {"cachePoint": {"type": "default"}}]


@pytest.mark.parametrize("kind", ["anthropic", "bedrock", "google"])
async def test_every_way_to_think_is_passed_on(desk: Desk, kind: str) -> None:
    grammar, thinking = "messages", {"type": "between_tools"}
    body, _ = await desk.sent(grammar, say(grammar, "?", thinking=thinking, max_tokens=9))
    assert ("includeThoughts" if kind == "google" else "between_tools") in json.dumps(body)


@pytest.fixture(scope="module")
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


async def sent_to_openai(
    openai: FakeOpenAI, grammar: str, body: dict[str, Any], **settings: Any
) -> tuple[dict[str, Any], list[str]]:
    async with opened(OpenAIProvider) as provider:
        where = openai.root("ok") + "/v1"
        answered = await ask(provider, where, grammar, body, stream=False, settings={"responses": True} | settings)
    return openai.seen[-1].body, answered.made.dropped


def thought(seal: str | None) -> dict[str, Any]:
    """An item of the Responses API."""
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal}


async def test_openai_is_not_sent_what_it_has_not_kept(openai: FakeOpenAI) -> None:
    own, call = thought("gAAA"), {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": "x"}
    given = say("responses", "?", thought(None), own, thought("anthropic.a"), call, thought("google.b"), output)
    body, dropped = await sent_to_openai(openai, "responses", given)
    assert (body["input"][1:], dropped) == ([own, call, output], ["input.reasoning"])
    assert (body["store"], "include" in body) == (False, False)
    body, dropped = await sent_to_openai(openai, "responses", given | {"store": True})
    assert (body["input"], dropped) == (given["input"], [])


@pytest.mark.parametrize("asked", [None, ["reasoning.encrypted_content"], ["code_interpreter_call.outputs"]])
async def test_openai_seals_what_it_thinks(openai: FakeOpenAI, asked: list[str] | None) -> None:
    given = say("responses", "?", reasoning={"effort": "low"}, include=asked)
    body, _ = await sent_to_openai(openai, "responses", given)
    assert set(body["include"]) == {*(asked or ()), "reasoning.encrypted_content"}
    assert len(body["include"]) == len(set(body["include"]))


async def test_openai_is_not_sent_fields_of_others(openai: FakeOpenAI) -> None:
    def call(**more: Any) -> dict[str, Any]:
        return {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, **more}

    signed = call(extra_content={"google": {"thought_signature": "s"}})
    detail = {"type": "thought", "text": "x", "signature": "s", "family": "anthropic"}
    thoughts = {"reasoning_content": "x", "reasoning_details": [detail]}
    turn = {"role": "assistant", "content": None}
    gave = {"role": "tool", "tool_call_id": "a", "content": "x"}
    given = say("chat", "?", turn | thoughts | {"tool_calls": [signed]}, gave)
    body, _ = await sent_to_openai(openai, "chat", given)
    assert body["messages"][1] == turn | {"tool_calls": [call()]}
    body, _ = await sent_to_openai(openai, "chat", given, signed=True)
    assert body["messages"][1] == turn | {"tool_calls": [signed]}
    # Of servers that think in these fields themselves they are kept.
    own = turn | {"content": "x", "reasoning_content": "y", "reasoning_details": [{"type": "reasoning.text"}]}
    body, _ = await sent_to_openai(openai, "chat", say("chat", "?", own, "!"))
    assert body["messages"][1] == own


async def test_openai_is_not_sent_a_turn_without_words(openai: FakeOpenAI) -> None:
    turn = {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}]}
    body, _ = await sent_to_openai(openai, "messages", say("messages", "a", turn, "b", max_tokens=9))
    assert roles(body) == ["user"]


def test_cached_sound_is_shown_as_it_is_booked() -> None:
    usage = Usage(
        input_uncached=1, cache_read=20, output=3, reasoning=2, other={"cache_read_audio": 300, "input_audio": 4000}
    )
    chat, messages, responses = write_chat_usage(usage), write_messages_usage(usage), write_responses_usage(usage)
    assert chat is not None
    assert (chat["prompt_tokens"], chat["prompt_tokens_details"]["cached_tokens"]) == (4321, 320)
    assert (messages["input_tokens"], messages["cache_read_input_tokens"]) == (4001, 320)
    assert messages["output_tokens_details"] == {"thinking_tokens": 2}
    assert (responses["input_tokens"], responses["input_tokens_details"]["cached_tokens"]) == (4321, 320)


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
@pytest.mark.parametrize(
    ("model", "told", "left"),
    [
        ("claude-3-5-haiku-latest", ["temperature", "top_p"], []),
        ("claude-opus-4-0", ["temperature", "top_p"], []),
        ("claude-opus-4-1-20250805", ["temperature"], ["top_p"]),
        ("claude-sonnet-4-6", ["temperature"], ["top_p"]),
        ("claude-opus-4-7", [], ["temperature", "top_p"]),
        ("claude-fable-5", [], ["temperature", "top_p"]),
        ("own-claude", ["temperature", "top_p"], []),
    ],
)
async def test_each_claude_samples_as_it_can(desk: Desk, model: str, told: list[str], left: list[str]) -> None:
    body, dropped = await desk.sent("chat", say("chat", "?", temperature=0.5, top_p=0.9), upstream_model=model)
    config = {"topP": "top_p"}
    found = {config.get(name, name) for name in (body.get("inferenceConfig") or body)}
    assert (sorted(found & {"temperature", "top_p"}), dropped) == (told, left)
    body, dropped = await desk.sent("chat", say("chat", "?", temperature=1), upstream_model=model)
    assert dropped == [], "it would be 1 anyway"


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
@pytest.mark.parametrize(
    ("model", "effort", "limit", "thinking", "said", "left"),
    [
        ("claude-3-5-haiku-latest", "high", 4000, None, None, ["reasoning_effort"]),
        ("claude-haiku-4-5", "high", 4000, {"type": "enabled", "budget_tokens": 2000}, None, []),
        ("claude-haiku-4-5", "low", 40000, {"type": "enabled", "budget_tokens": 1024}, None, []),
        ("claude-sonnet-4-20250514", "max", 90000, {"type": "enabled", "budget_tokens": 32768}, None, []),
        ("claude-haiku-4-5", "high", 1000, None, None, ["reasoning_effort"]),
        ("claude-haiku-4-5", "none", 4000, {"type": "disabled"}, None, []),
        ("claude-sonnet-4-6", "high", 4000, {"type": "adaptive"}, "high", []),
        ("claude-opus-5", "max", 4000, {"type": "adaptive"}, "max", []),
    ],
)
async def test_each_claude_thinks_as_it_can(
    desk: Desk, model: str, effort: str, limit: int, thinking: Any, said: str | None, left: list[str]
) -> None:
    given = say("chat", "?", reasoning_effort=effort, max_tokens=limit)
    body, dropped = await desk.sent("chat", given, upstream_model=model, max_output_tokens=limit)
    output = body.get("output_config") or body.get("outputConfig") or {}
    more = body.get("additionalModelRequestFields") or body
    assert (more.get("thinking"), output.get("effort"), dropped) == (thinking, said, left)


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_a_claude_of_tokens_does_not_begin_to_think_amid_calls(desk: Desk, kind: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    gave = {"role": "tool", "tool_call_id": "a", "content": "x"}
    thoughts = [{"type": "thought", "text": "x", "signature": "s", "family": kind}]
    for details, begins in (([], False), (thoughts, True)):
        given = say("chat", "?", turn | {"reasoning_details": details}, gave, reasoning_effort="low", max_tokens=4000)
        body, dropped = await desk.sent("chat", given, upstream_model="claude-haiku-4-5", max_output_tokens=4000)
        assert ("budget_tokens" in json.dumps(body), dropped) == (begins, [] if begins else ["reasoning_effort"])


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_claude_is_not_made_to_begin(desk: Desk) -> None:
    body, _ = await desk.sent("chat", say("chat", {"role": "assistant", "content": "Hello!"}, "Hi."))
    assert roles(body) == ["user", "assistant", "user"]
    body, _ = await desk.sent("chat", say("chat", " ", {"role": "assistant", "content": "Hello!"}, "Hi."))
    assert roles(body) == ["user", "assistant", "user"]


def asked_back(grammar: str, call_id: str, name: str) -> dict[str, Any]:
    """A call and what it gave, with the tool that was called."""
    if grammar == "messages":
        called = {"role": "assistant", "content": [{"type": "tool_use", "id": call_id, "name": name, "input": {}}]}
    else:
        function = {"name": name, "arguments": "{}"}
        called = {"role": "assistant", "tool_calls": [{"id": call_id, "type": "function", "function": function}]}
    return say(grammar, "?", called, result_of(grammar, call_id, "x"), tools=tools_of(grammar, name))


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_claude_is_told_ids_that_it_takes(desk: Desk) -> None:
    for call_id in ("functions.get_weather:0", "", "x" * 99):
        body, _ = await desk.sent("chat", asked_back("chat", call_id, "f"))
        told = json.dumps(body)
        (used,) = re.findall(r'"(?:toolUseId|id)": "([^"]*)"', told)[:1]
        assert re.fullmatch(r"[0-9A-Za-z_-]{1,64}", used)
        assert told.count(f'"{used}"') == 2
    body, _ = await desk.sent("chat", asked_back("chat", "toolu_01-a", "f"))
    assert json.dumps(body).count('"toolu_01-a"') == 2


@pytest.mark.parametrize(("kind", "size"), [("anthropic", 128), ("bedrock", 64), ("mistral", 64)])
async def test_names_of_tools_fit(desk: Desk, kind: str, size: int) -> None:
    for name in ("mcp__" + "x" * size, "files.read"):
        grammar = "messages" if kind != "anthropic" else "chat"
        for stream in (False, True):
            body, _ = await desk.sent(grammar, asked_back(grammar, "a", name), stream=stream)
            told = json.dumps(body)
            assert name not in told
            (used,) = set(re.findall(r'"name": "([^"]*)"', told))
            assert re.fullmatch(r"[0-9A-Za-z_-]+", used)
            assert len(used) <= size
            body, _ = await desk.sent(grammar, asked_back(grammar, "a", name), calls(used), stream=stream)
            assert f'"name":"{name}"'.encode() in desk.output, "the customer knows it by his own name for it"


def calls(name: str) -> Scenario:
    return Scenario(pieces=(), calls=(ToolCall(name),))


async def test_openai_is_told_of_users_and_calls_as_it_takes_them(openai: FakeOpenAI) -> None:
    user = "user_" + "a" * 64 + "_account__session_" + "b" * 36
    given = asked_back("messages", "get_weather_" + "x" * 40, "f") | {"max_tokens": 9, "metadata": {"user_id": user}}
    body, _ = await sent_to_openai(openai, "messages", given)
    assert (len(body["user"]), body["user"] in user) == (64, False)
    (call,) = body["messages"][1]["tool_calls"]
    assert (len(call["id"]), body["messages"][2]["tool_call_id"]) == (32, call["id"])
    body, _ = await sent_to_openai(openai, "messages", given | {"metadata": {"user_id": "u" * 64}})
    assert body["user"] == "u" * 64


async def test_openai_holds_nobody_to_what_it_cannot(openai: FakeOpenAI) -> None:
    tools = [tool | {"strict": True} for tool in tools_of("messages", "f")]
    given = say("messages", "?", tools=tools, max_tokens=9, **structured("messages"))
    body, dropped = await sent_to_openai(openai, "messages", given)
    assert (body["response_format"]["json_schema"]["strict"], body["tools"][0]["function"]["strict"]) == (False, False)
    assert dropped == ["response_format.strict", "tools.strict"]
    shut = SCHEMA | {"additionalProperties": False}
    given = say("messages", "?", max_tokens=9, output_config={"format": {"type": "json_schema", "schema": shut}})
    body, dropped = await sent_to_openai(openai, "messages", given)
    assert (body["response_format"]["json_schema"]["strict"], dropped) == (True, [])


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_claude_is_held_to_what_it_can(desk: Desk) -> None:
    limited = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": limited, "strict": True}}
    tool = {"type": "function", "function": {"name": "f", "parameters": limited, "strict": True}}
    body, dropped = await desk.sent("chat", say("chat", "?", response_format=form, tools=[tool]))
    told = json.dumps(body).replace('\\"', '"').replace(": ", ":")
    assert (told.count('"additionalProperties":false'), '"minimum":1,' in told) == (2, False)
    assert dropped == ["response_format.schema", "tools.schema"]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("bedrock", []),
        ("cohere", ["messages.title"]),
        ("google", ["messages.title", "tools.strict"]),
        ("mistral", ["messages.title"]),
    ],
)
async def test_what_is_not_told_of_documents_and_tools_is_named(desk: Desk, named: list[str]) -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "x"}
    document = {"type": "document", "source": source, "title": "t", "context": "c", "citations": {"enabled": True}}
    shut = SCHEMA | {"additionalProperties": False}
    tool = {"name": "f", "input_schema": shut, "strict": True}
    given = say("messages", [document, {"type": "text", "text": "?"}], tools=[tool], max_tokens=9)
    _, dropped = await desk.sent("messages", given)
    assert dropped == sorted(["messages.citations", "messages.context", *named])


@pytest.mark.parametrize("kind", KINDS)
async def test_that_a_tool_failed_is_told_or_named(desk: Desk) -> None:
    used = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    gave = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "No.", "is_error": True}
    turns: list[Any] = [{"role": "assistant", "content": [used]}, {"role": "user", "content": [gave]}]
    body, dropped = await desk.sent("messages", say("messages", "?", *turns, max_tokens=9))
    told = any(word in json.dumps(body) for word in ('"is_error": true', '"status": "error"', '{"error": "No."}'))
    assert told or dropped == ["messages.is_error"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_what_the_model_drew_is_shown_to_it_or_named(desk: Desk, grammar: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    url = f"data:image/png;base64,{PNG}"
    drawn = {
        "chat": {"role": "assistant", "content": "A", "images": [{"type": "image_url", "image_url": {"url": url}}]},
        "messages": {"role": "assistant", "content": [{"type": "image", "source": source}]},
        "responses": {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG},
    }[grammar]
    if (grammar, desk.kind) == ("messages", "anthropic"):
        pytest.skip("passed on as it came")
    body, dropped = await desk.sent(grammar, say(grammar, "?", drawn, "Blue!", max_tokens=9))
    assert (PNG in json.dumps(body), dropped) == ((True, []) if desk.kind == "google" else (False, ["messages.images"]))


@pytest.mark.parametrize("kind", KINDS)
async def test_names_of_speakers_are_named(desk: Desk) -> None:
    _, dropped = await desk.sent("chat", say("chat", {"role": "user", "name": "Ada", "content": "?"}))
    assert dropped == ["messages.name"]


@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_pictures_are_of_a_kind_that_claude_takes(desk: Desk) -> None:
    def shown(kind: str) -> dict[str, Any]:
        part = {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{PNG}"}}
        return say("chat", [part])

    for kind in ("image/jpg", "IMAGE/JPEG"):
        body, _ = await desk.sent("chat", shown(kind))
        assert '"image/jpeg"' in json.dumps(body) or '"jpeg"' in json.dumps(body)
    assert await desk.refused("chat", shown("image/bmp"))


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("anthropic", "zabcdef"),
        ("bedrock", "zabcdef"),
        ("cohere", " zabc"),
        ("google", " zabc"),
        ("mistral", " zabcdef"),
    ],
)
async def test_an_end_is_told_as_it_is_taken(desk: Desk, kind: str, kept: str) -> None:
    """Claude does not end at blanks, and others have room for five."""
    given = say("messages", "?", stop_sequences=list(" zabcdef"), max_tokens=9)
    body, dropped = await desk.sent("messages" if kind != "anthropic" else "chat", stops(kind, given))
    told = body.get("generationConfig") or body.get("inferenceConfig") or body
    assert (told.get("stop_sequences") or told.get("stopSequences") or told["stop"]) == list(kept)
    assert dropped == ([] if kind == "mistral" else ["stop"])
    body, dropped = await desk.sent("chat", say("chat", "?", stop="\n"))
    assert (dropped, "stop_sequences" in body) == (
        ["stop"] if kind in ("anthropic", "bedrock") else [],
        kind == "cohere",
    )


def stops(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The same for who speaks Messages himself."""
    return given if kind != "anthropic" else say("chat", "?", stop=given["stop_sequences"])


@pytest.mark.parametrize("kind", ["bedrock"])
async def test_a_document_is_not_alone(desk: Desk) -> None:
    body, _ = await desk.sent("messages", say("messages", files("messages")[:2], max_tokens=9))
    assert [list(block) for block in body["messages"][0]["content"]] == [["image"], ["document"], ["text"]]


@pytest.mark.parametrize("kind", ["mistral"])
async def test_mistral_goes_on_with_what_the_assistant_said(desk: Desk) -> None:
    begun = {"role": "assistant", "content": "It is"}
    for grammar in ("chat", "messages"):
        body, _ = await desk.sent(grammar, say(grammar, "?", begun))
        assert body["messages"][1] == begun | {"prefix": True}
        body, _ = await desk.sent(grammar, say(grammar, "?", begun, "?"))
        assert "prefix" not in json.dumps(body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "odd",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": [1], "strict": True}}]},
        {"messages": [{"role": "tool", "tool_call_id": 5, "content": "x"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": 5}}]}]},
    ],
)
async def test_what_no_grammar_has_is_the_customers_fault(desk: Desk, odd: dict[str, Any]) -> None:
    assert await desk.refused("chat", say("chat", "?") | odd, failover=False) is not None
