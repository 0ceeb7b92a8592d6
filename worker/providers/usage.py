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

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MAX_COUNT: Final = 2**53
_MAX_FIELDS: Final = 64
_MAX_DEPTH: Final = 3


def normalise_openai_usage(said: dict[str, object]) -> Usage | None:
    """Buckets from a `usage` object of the chat completions format; None if it says nothing.

    Where counts contradict each other (more cached than prompted), the whole limits its parts.
    """
    prompt = _count(said.get("prompt_tokens"))
    completion = _count(said.get("completion_tokens"))
    total = _count(said.get("total_tokens"))
    inside_prompt = _object(said.get("prompt_tokens_details"))
    cached = _count(inside_prompt.get("cached_tokens"))
    if cached is None:
        cached = _count(said.get("prompt_cache_hit_tokens"))
    written = _count(inside_prompt.get("cache_write_tokens"))
    reasoning = _count(_object(said.get("completion_tokens_details")).get("reasoning_tokens"))
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
    if reasoning is not None and completion is not None:
        reasoning = min(reasoning, completion)
    return Usage(
        input_uncached=uncached,
        cache_read=cached,
        cache_write=written,
        output=completion,
        reasoning=reasoning,
    )


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
        elif isinstance(value, int):
            if abs(value) <= _MAX_COUNT:
                kept[name] = value
        elif isinstance(value, float) and math.isfinite(value):
            kept[name] = value
    return kept


@functools.lru_cache(maxsize=1024)
def _is_plain_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= _MAX_COUNT:  # false for nan too
        return None
    return int(value)


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
