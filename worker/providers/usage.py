"""What a provider says it used, brought into disjoint buckets.

OpenAI's `prompt_tokens` holds the cached and the cache-written tokens, `completion_tokens` holds
the reasoning. Servers that are merely compatible leave fields out, send null, or count reasoning
beside the completion; what is not said stays None.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Final

from worker.shapes import Usage

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
MAX_COUNT: Final = 10**9
"""More than any answer uses. Who tells more of anything is not believed: what it would cost has no place in the books,
and what was learnt from it none in a limit."""
_MAX_KEPT: Final = 2**53
_MAX_FIELDS: Final = 64
_MAX_DEPTH: Final = 3


def normalise_openai_usage(said: dict[str, object]) -> Usage | None:
    """Buckets from a `usage` object of the chat completions format; None if it says nothing.

    Where counts contradict each other (more cached than prompted), the whole limits its parts.
    """
    prompt = read_count(said.get("prompt_tokens"))
    completion = read_count(said.get("completion_tokens"))
    total = read_count(said.get("total_tokens"))
    inside_prompt = _object(said.get("prompt_tokens_details"))
    cached = read_count(inside_prompt.get("cached_tokens"))
    if cached is None:
        cached = read_count(said.get("prompt_cache_hit_tokens", said.get("cached_tokens")))
    written = read_count(inside_prompt.get("cache_write_tokens"))
    inside_completion = _object(said.get("completion_tokens_details"))
    reasoning = read_count(inside_completion.get("reasoning_tokens"))
    other: dict[str, int] = {}
    if completion is None and prompt is not None and total is not None and total >= prompt:
        completion = total - prompt
    if reasoning and prompt is not None and completion is not None and total == prompt + completion + reasoning:
        completion += reasoning
    if prompt is None and completion is None:
        return None
    uncached = None
    if prompt is not None:
        cached = None if cached is None else min(cached, prompt)
        written = None if written is None else min(written, prompt - (cached or 0))
        uncached = prompt - (cached or 0) - (written or 0)
        for meter, field in (("input_audio", "audio_tokens"), ("input_image", "image_tokens")):
            if part := min(read_count(inside_prompt.get(field)) or 0, uncached):
                other[meter] = part
                uncached -= part
    if completion is not None:
        for meter, field in (("output_audio", "audio_tokens"), ("output_image", "image_tokens")):
            if part := min(read_count(inside_completion.get(field)) or 0, completion):
                other[meter] = part
                completion -= part
        reasoning = None if reasoning is None else min(reasoning, completion)
    return Usage(
        input_uncached=uncached,
        cache_read=cached,
        cache_write=written,
        output=completion,
        reasoning=reasoning,
        other=other or None,
    )


def normalise_messages_usage(said: dict[str, object], before: Usage | None = None) -> Usage | None:
    """Buckets from a `usage` object of Anthropic's Messages format; None if it says nothing.

    It is told in parts and cumulative: of each count the greatest that was told, `before` or now, is the one.
    """
    written = read_count(said.get("cache_creation_input_tokens"))
    inside = _object(said.get("cache_creation"))
    short, hour = (
        read_count(inside.get("ephemeral_5m_input_tokens")),
        read_count(inside.get("ephemeral_1h_input_tokens")),
    )
    if hour is None and before is not None and before.other is not None:
        hour = before.other.get("cache_write_1h")  # the end of a stream repeats the sum without its parts
    if hour and written is not None:
        short = max(written - hour, 0)
    elif written is not None:
        short = written
    searches = read_count(_object(said.get("server_tool_use")).get("web_search_requests"))
    reasoning = read_count(_object(said.get("output_tokens_details")).get("thinking_tokens"))
    usage = Usage(
        input_uncached=read_count(said.get("input_tokens")),
        cache_read=read_count(said.get("cache_read_input_tokens")),
        cache_write=short,
        output=read_count(said.get("output_tokens")),
        reasoning=reasoning,
        other={name: count for name, count in (("cache_write_1h", hour), ("search", searches)) if count} or None,
    )
    if before is not None:
        for name in ("input_uncached", "cache_read", "cache_write", "output", "reasoning"):
            setattr(usage, name, _greater(getattr(before, name), getattr(usage, name)))
        if before.other:
            other = usage.other or {}
            usage.other = {n: max(before.other.get(n, 0), other.get(n, 0)) for n in before.other | other}
    if usage.reasoning is not None:
        usage.reasoning = None if usage.output is None else min(usage.reasoning, usage.output)
    return None if usage == Usage() else usage


def normalise_responses_usage(said: dict[str, object], searches: int = 0) -> Usage | None:
    """Buckets from a `usage` object of the Responses API, and the searches its items tell; None if it says nothing."""
    usage = normalise_openai_usage(
        {
            "prompt_tokens": said.get("input_tokens"),
            "completion_tokens": said.get("output_tokens"),
            "prompt_tokens_details": said.get("input_tokens_details"),
            "completion_tokens_details": said.get("output_tokens_details"),
        }
    )
    if usage is not None and searches:
        usage.other = (usage.other or {}) | {"search": searches}
    return usage


def normalise_gemini_usage(said: dict[str, object], searches: int = 0) -> Usage | None:
    """Buckets from Google's `usageMetadata`; None if it says nothing. What is absent there is zero.

    The prompt holds what was cached; thoughts lie beside the candidates; what tools put into the prompt is apart.
    """
    prompt, cached = read_count(said.get("promptTokenCount")), read_count(said.get("cachedContentTokenCount")) or 0
    spoken, thought = read_count(said.get("candidatesTokenCount")), read_count(said.get("thoughtsTokenCount"))
    if prompt is None and spoken is None and thought is None:
        return None
    cached = min(cached, prompt or 0)
    uncached = (prompt or 0) - cached + (read_count(said.get("toolUsePromptTokenCount")) or 0)
    output = min((spoken or 0) + (thought or 0), MAX_COUNT)
    other: dict[str, int] = {}
    inside = _by_modality(said.get("promptTokensDetails"))
    kept = _by_modality(said.get("cacheTokensDetails"))
    outside = _by_modality(said.get("candidatesTokensDetails"))
    if sound := min(inside.get("AUDIO", 0) - kept.get("AUDIO", 0), uncached):
        other["input_audio"] = max(sound, 0)
        uncached -= other["input_audio"]
    if heard := min(kept.get("AUDIO", 0), cached):
        other["cache_read_audio"] = heard
        cached -= heard
    for meter, name in (("output_audio", "AUDIO"), ("output_image", "IMAGE")):
        if part := min(outside.get(name, 0), output):
            other[meter] = part
            output -= part
    if searches:
        other["search"] = searches
    return Usage(
        input_uncached=uncached,
        cache_read=cached,
        cache_write=0,
        output=output,
        reasoning=min(thought or 0, output),
        other={meter: count for meter, count in other.items() if count} or None,
    )


def normalise_converse_usage(said: dict[str, object]) -> Usage | None:
    """Buckets from a `usage` object of Amazon's Converse; None if it says nothing. What was cached lies beside it."""
    written = read_count(said.get("cacheWriteInputTokens"))
    details = said.get("cacheDetails")
    hour = sum(
        read_count(_object(entry).get("inputTokens")) or 0
        for entry in (details if isinstance(details, list) else ())
        if _object(entry).get("ttl") == "1h"
    )
    usage = Usage(
        input_uncached=read_count(said.get("inputTokens")),
        cache_read=read_count(said.get("cacheReadInputTokens")),
        cache_write=None if written is None else max(written - hour, 0),
        output=read_count(said.get("outputTokens")),
    )
    if written and hour:
        usage.other = {"cache_write_1h": min(hour, written)}
    return None if usage == Usage() else usage


def normalise_cohere_usage(said: dict[str, object]) -> Usage | None:
    """Buckets from what Cohere says it used (`usage` of a chat, `meta` of the others); None if it says nothing.

    What it bills counts, not what it read; a search unit is a question with up to a hundred documents.
    """
    billed, read = _object(said.get("billed_units")), _object(said.get("tokens"))
    given = read_count(billed.get("input_tokens", read.get("input_tokens")))
    made = read_count(billed.get("output_tokens", read.get("output_tokens")))
    searches, pictures = read_count(billed.get("search_units")), read_count(billed.get("image_tokens"))
    if given is None and made is None and searches is None and pictures is None:
        return None
    cached = min(read_count(said.get("cached_tokens")) or 0, given or 0)
    other = {"search": searches, "input_image": pictures}
    return Usage(
        input_uncached=(given or 0) - cached,
        cache_read=cached or None,
        output=made or 0,
        other={meter: count for meter, count in other.items() if count} or None,
    )


def _by_modality(said: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in said if isinstance(said, list) else ():
        name, count = _object(entry).get("modality"), read_count(_object(entry).get("tokenCount"))
        if isinstance(name, str) and count:
            found[name] = found.get(name, 0) + count
    return found


def keep_numbers(said: dict[str, object], depth: int = _MAX_DEPTH) -> dict[str, object]:
    """The numbers of a usage object under their names, for a dispute; everything else is dropped.

    Bounded in depth and number of fields, since the names are the provider's.
    """
    kept: dict[str, object] = {}
    for name, value in said.items():
        if len(kept) >= _MAX_FIELDS:
            break
        if not _is_plain_name(name):
            continue
        if isinstance(value, dict):
            if depth > 1 and (inner := keep_numbers(value, depth - 1)):
                kept[name] = inner
        elif isinstance(value, bool):
            continue
        elif isinstance(value, list):
            if modalities := _by_modality(value):
                kept[name] = modalities
        elif isinstance(value, int):
            if abs(value) <= _MAX_KEPT:
                kept[name] = value
        elif isinstance(value, float) and math.isfinite(value):
            kept[name] = value
    return kept


@functools.lru_cache(maxsize=1024)
def _is_plain_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def read_count(value: object) -> int | None:
    """A number of tokens, or of whatever else is counted; None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= MAX_COUNT:  # false for nan too
        return None
    return int(value)


def _greater(before: int | None, now: int | None) -> int | None:
    return now if before is None else before if now is None else max(before, now)


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
