"""What each generation of Claude can be told of how to answer. The older ones are thought of in tokens, the newer in
effort; the newest sample as they like. A model whose name has no generation is told all, in the newer words."""

from __future__ import annotations

import re
from typing import Any, Final

from worker.dialects.conversation import Conversation, Thinking, ToolCall

_Object = dict[str, Any]
_NAME: Final = re.compile(r"claude-(?:v|[a-z]+-)?(\d)(?:[-.](\d{1,2}))?(?!\d)")
_THINKS: Final = (3, 7)
_ONE_OF_TWO: Final = (4, 1)
_BY_EFFORT: Final = (4, 6)
_SAMPLES_AT_WILL: Final = (4, 7)
_SAMPLING: Final = ("temperature", "top_p", "top_k")
_LEAST_BUDGET: Final = 1024
# OpenAI's words for effort, and Anthropic's, and about how many tokens that is.
_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_BUDGETS: Final = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16384, "xhigh": 32768, "max": 32768}


def generation(model: str) -> tuple[int, int] | None:
    """A model's generation, such as (4, 6); None if its name does not tell."""
    found = _NAME.search(model)
    return (int(found[1]), int(found[2] or 0)) if found is not None else None


def write_sampling(model: str, wishes: _Object, dropped: list[str]) -> _Object:
    """How it is to sample, under Anthropic's names, as far as this model lets others say."""
    said: _Object = {name: wishes[name] for name in _SAMPLING if name in wishes}
    if "temperature" in said:
        said["temperature"] = min(said["temperature"], 1)  # elsewhere the range ends at 2
    known = generation(model)
    if known is None:
        return said
    refused: tuple[str, ...] = _SAMPLING if known >= _SAMPLES_AT_WILL else ()
    if not refused and known >= _ONE_OF_TWO and "temperature" in said:
        refused = ("top_p",)
    # Of the first two 1 is what they take anyway.
    dropped += [name for name in refused if name in said and (said[name] != 1 or name == "top_k")]
    return {name: value for name, value in said.items() if name not in refused}


def write_thinking(model: str, talk: Conversation, wishes: _Object, body: _Object, limit: int) -> tuple[_Object, bool]:
    """How much it is to think: `thinking` to the body; the effort, for where the format has it, and whether all could
    be told. `limit`: the most tokens of the answer.

    Who must call a tool may not think before, and who thinks by tokens not in the middle of calls begun without.
    """
    thinking, effort = wishes.get("thinking"), wishes.get("reasoning_effort")
    known = generation(model)
    output: _Object = {}
    told = True
    if isinstance(thinking, dict):
        body["thinking"] = thinking
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif effort in _EFFORTS and (known is None or known >= _BY_EFFORT):
        output["effort"] = _EFFORTS[effort]
        if thinking is None and limit > _LEAST_BUDGET and not talk.must_call:
            body["thinking"] = {"type": "adaptive"}
    elif effort in _EFFORTS and thinking is None:
        told = known is not None and known >= _THINKS and limit > _LEAST_BUDGET and not talk.must_call
        if told := told and not _is_calling(talk):
            budget = max(min(_BUDGETS[effort], limit // 2), _LEAST_BUDGET)
            body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if body.get("thinking", {}).get("type") not in (None, "disabled"):
        # Who thinks, samples at will.
        for name in ("temperature", "top_k"):
            body.pop(name, None)
    return output, told


def _is_calling(talk: Conversation) -> bool:
    """Whether the model's last words are calls that it has not thought of before."""
    for turn in reversed(talk.turns):
        if turn.role == "assistant":
            begun = isinstance(turn.parts[0], Thinking) and turn.parts[0].signature is not None
            return not begun and any(isinstance(part, ToolCall) for part in turn.parts)
    return False
