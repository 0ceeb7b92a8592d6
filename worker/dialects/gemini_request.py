"""Requests in Google's format of Gemini, written."""

from __future__ import annotations

import itertools
import mimetypes
import re
from typing import Any, Final

from worker.dialects.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Sound,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    merge_turns,
    own_thinking,
    unspeakable,
    write_stops,
)

PARAMETERS: Final = frozenset(
    (
        "temperature",
        "top_p",
        "top_k",
        "n",
        "stop",
        "seed",
        "logprobs",
        "top_logprobs",
        "presence_penalty",
        "frequency_penalty",
        "reasoning_effort",
        "thinking",
        "service_tier",
    )
)
"""What a request in this format can ask for besides its conversation and its length."""

_NAMES: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_LEVELS: Final = {
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
# Models before the third generation know a budget of tokens instead.
_BUDGETS: Final = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEAST_BUDGET: Final = 128
_MOST_BUDGET: Final = 32768
_MOST_STOPS: Final = 5
_MODES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_SIGNER: Final = re.compile(r"gemini-([3-9]|[1-9]\d)")
_UNSIGNED: Final = "skip_thought_signature_validator"
"""Google's own word in place of a signature that was lost, or never was."""
_TIERS: Final = ("flex", "standard", "priority")


def write_gemini(talk: Conversation, model: str, limit: int | None) -> tuple[dict[str, Any], list[str]]:
    """The request in this format, and the names of the parameters left out. Raises `CallFailed`."""
    wishes, dropped = talk.take(PARAMETERS)
    if wishes.get("n", 1) > 1:
        raise unspeakable("More than one answer", "n")
    turns = merge_turns(talk.turns, "google")
    _order_results(turns)
    contents = [
        {"role": "model" if turn.role == "assistant" else "user", "parts": parts}
        for turn in turns
        if (parts := _write_parts(turn.parts))
    ]
    if _SIGNER.search(model):
        _sign_calls(contents)
    body: dict[str, Any] = {"contents": contents}
    if talk.system:
        body["systemInstruction"] = {"parts": [{"text": part.text} for part in talk.system]}
    if talk.tools:
        body["tools"] = [{"functionDeclarations": [_write_tool(tool) for tool in talk.tools]}]
        if any(tool.strict for tool in talk.tools):
            dropped.append("tools.strict")
        if isinstance(talk.tool_choice, dict):
            named = {"mode": "ANY", "allowedFunctionNames": [talk.tool_choice["name"]]}
            body["toolConfig"] = {"functionCallingConfig": named}
        elif talk.tool_choice in _MODES:
            body["toolConfig"] = {"functionCallingConfig": {"mode": _MODES[talk.tool_choice]}}
    if wishes.get("service_tier") in _TIERS:
        body["serviceTier"] = wishes["service_tier"]
    config = {_NAMES[name]: value for name, value in wishes.items() if name in _NAMES}
    if limit is not None:
        config["maxOutputTokens"] = limit
    if stops := write_stops(wishes, dropped, most=_MOST_STOPS):
        config["stopSequences"] = stops
    if talk.schema is not None:
        config["responseMimeType"] = "application/json"
        if talk.schema.schema is not None:
            config["responseJsonSchema"] = talk.schema.schema
    if thinking := _write_thinking(wishes, model, dropped):
        config["thinkingConfig"] = thinking
    if config:
        body["generationConfig"] = config
    if any(isinstance(part, Document) and part.name for part in talk.parts):
        dropped.append("messages.title")
    return body, sorted(dropped)


def _write_thinking(wishes: dict[str, Any], model: str, dropped: list[str]) -> dict[str, Any] | None:
    """How much to think. Some cannot be told not to: they are told to think as little as they can."""
    thinking, effort = wishes.get("thinking"), wishes.get("reasoning_effort")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if budget is None and effort is None and thinking is None:
        return None
    said: dict[str, Any] = {"includeThoughts": effort != "none"}
    is_pro, is_new = "pro" in model, _SIGNER.search(model) is not None
    if isinstance(budget, int):
        said["thinkingBudget"] = min(budget, _MOST_BUDGET if is_pro or is_new else _BUDGETS["max"])
    elif effort == "none" and (is_pro or is_new):
        dropped.append("reasoning_effort")
        said |= {"thinkingLevel": "LOW" if is_pro else "MINIMAL"} if is_new else {"thinkingBudget": _LEAST_BUDGET}
    elif effort == "minimal" and is_pro and is_new:
        said["thinkingLevel"] = "LOW"
    elif effort is not None and ("gemini-2" in model or effort == "none"):
        said["thinkingBudget"] = _BUDGETS.get(effort, -1)
    elif effort in _LEVELS:
        said["thinkingLevel"] = _LEVELS[effort]
    return said


def _write_tool(tool: Tool) -> dict[str, Any]:
    said: dict[str, Any] = {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
    return {name: value for name, value in said.items() if value is not None}


def _write_parts(parts: list[Part]) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    signature: str | None = None
    for part in parts:
        if isinstance(part, Thinking):
            # A signature belongs to the part that it stands before.
            signature = part.signature if own_thinking(part, "google") else signature
            continue
        for said in _write_part(part):
            if signature is not None:
                said["thoughtSignature"] = signature
                signature = None
            written.append(said)
    return written


def _order_results(turns: list[Turn]) -> None:
    """Results in the order of their calls, whose ids are not told: nothing else tells two of one function apart."""
    for before, turn in itertools.pairwise(turns):
        places = {part.id: place for place, part in enumerate(before.parts) if isinstance(part, ToolCall)}
        results = [part for part in turn.parts if isinstance(part, ToolResult) and part.id in places]
        ordered = iter(sorted(results, key=lambda result: places[result.id]))
        turn.parts = [next(ordered) if any(part is result for result in results) else part for part in turn.parts]


def _sign_calls(contents: list[dict[str, Any]]) -> None:
    """Have the first call of each turn signed: these models refuse one that is not, though other models made it, or
    the customer's program kept no more of it than OpenAI's format has."""
    for content in contents:
        first = next((part for part in content["parts"] if "functionCall" in part), None)
        if first is not None:
            first.setdefault("thoughtSignature", _UNSIGNED)


def _write_part(part: Part) -> list[dict[str, Any]]:
    match part:
        case Text(text=text):
            return [{"text": text}] if text else []
        case Image(media_type=kind, data=str(data)) | Document(media_type=kind, data=str(data)):
            return [{"inlineData": {"mimeType": kind or "application/pdf", "data": data}}]
        case Sound(data=data, format=kind):
            return [{"inlineData": {"mimeType": f"audio/{kind}", "data": data}}]
        case Document(text=str(text)):
            return [{"text": text}]
        case Image(url=url) | Document(url=url):
            kind, _ = mimetypes.guess_type((url or "").partition("?")[0])  # Vertex wants to be told
            return [{"fileData": {"fileUri": url} | ({"mimeType": kind} if kind else {})}]
        case ToolCall(name=name):
            return [{"functionCall": {"name": name, "args": part.parsed()}}]
        case ToolResult(name=name, is_error=is_error):
            response = {"error" if is_error else "result": part.text}
            shown = [said for inner in part.shown for said in _write_part(inner)]
            return [{"functionResponse": {"name": name or part.id, "response": response}}, *shown]
    return []
