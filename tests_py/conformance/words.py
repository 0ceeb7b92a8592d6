"""Usage as each provider tells it, and the prices that cases are counted by, in USD per million units."""

from __future__ import annotations

from typing import Any, NamedTuple


class Price(NamedTuple):
    """A row of the price book: a meter, what it costs, and where it holds."""

    meter: str
    usd: str
    above: int = 0
    tier: str = "standard"
    variant: str = ""
    region: str = ""


BOOKS = {
    "cached": (
        Price("input", "3"), Price("output", "15"), Price("cache_read", "0.3"), Price("cache_write", "3.75"),
        Price("cache_write_1h", "6"), Price("search", "10000"),
    ),
    "steps": (
        Price("input", "2"), Price("output", "10"), Price("cache_read", "0.2"), Price("cache_write", "2.5"),
        Price("input", "4", 200_000), Price("output", "15", 200_000), Price("cache_read", "0.4", 200_000),
        Price("cache_write", "5", 200_000),
    ),
    "tiers": (
        Price("input", "2"), Price("output", "8"), Price("cache_read", "0.5"),
        Price("input", "1", 0, "flex"), Price("output", "4", 0, "flex"), Price("cache_read", "0.25", 0, "flex"),
        Price("input", "3.5", 0, "priority"), Price("output", "14", 0, "priority"),
        Price("cache_read", "0.875", 0, "priority"),
    ),
    "regions": (
        Price("input", "5"), Price("output", "25"), Price("cache_read", "0.5"), Price("search", "10000"),
        Price("input", "5.5", region="us"), Price("output", "27.5", region="us"),
        Price("cache_read", "0.55", region="us"),
        Price("input", "30", tier="fast"), Price("output", "150", tier="fast"),
        Price("input", "33", tier="fast", region="us"), Price("output", "165", tier="fast", region="us"),
    ),
    "bare": (Price("input", "1"), Price("output", "2")),
    "sound": (
        Price("input", "2.5"), Price("output", "10"), Price("cache_read", "1.25"), Price("input_audio", "40"),
        Price("output_audio", "80"), Price("cache_read_audio", "2.5"), Price("input_image", "10"),
        Price("output_image", "40"),
    ),
    "pictures": (
        Price("image", "11000", variant="1024x1024/low"), Price("image", "167000", variant="1024x1024/high"),
    ),
    "ranks": (Price("input", "0.05"), Price("search", "2000")),
}  # fmt: skip
"""Prices by name: what caching, thresholds, service tiers, sound and pictures cost; in "bare" nothing has its own."""

_Said = dict[str, Any]


def chat(
    prompt: int, out: int, *, cached: int = 0, written: int = 0, thought: int = 0, sound: int = 0, spoken: int = 0
) -> _Said:
    """OpenAI's chat completions: what was cached, written and heard lies inside the prompt."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": out,
        "total_tokens": prompt + out,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": sound},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": spoken},
    }


def bare(prompt: int, out: int) -> _Said:
    """A compatible server that tells no details."""
    return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out}


def beside(prompt: int, out: int, thought: int) -> _Said:
    """A compatible server that counts thoughts beside the completion."""
    told = bare(prompt, out) | {"total_tokens": prompt + out + thought}
    return told | {"completion_tokens_details": {"reasoning_tokens": thought}}


def responses(given: int, out: int, *, cached: int = 0, written: int = 0, thought: int = 0) -> _Said:
    """OpenAI's Responses."""
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": given + out,
    }


def messages(
    given: int,
    out: int,
    *,
    read: int = 0,
    short: int = 0,
    hour: int = 0,
    searches: int = 0,
    tier: str = "standard",
    **more: str,
) -> _Said:
    """Anthropic's Messages: input is what no cache had to do with."""
    return {
        "input_tokens": given,
        "cache_creation_input_tokens": short + hour,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour},
        "output_tokens": out,
        "server_tool_use": {"web_search_requests": searches} if searches else None,
        "service_tier": tier,
        **more,
    }


def gemini(
    prompt: int,
    out: int,
    *,
    cached: int = 0,
    thought: int = 0,
    tools: int = 0,
    sound: int = 0,
    drawn: int = 0,
    traffic: str = "",
) -> _Said:
    """Google's: the prompt holds what was cached, thoughts and what tools brought are apart."""
    told: _Said = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": cached,
        "candidatesTokenCount": out + drawn,
        "thoughtsTokenCount": thought,
        "toolUsePromptTokenCount": tools,
        "totalTokenCount": prompt + out + drawn + thought + tools,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt - sound}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": out}],
    }
    if sound:
        told["promptTokensDetails"].append({"modality": "AUDIO", "tokenCount": sound})
    if drawn:
        told["candidatesTokensDetails"].append({"modality": "IMAGE", "tokenCount": drawn})
    return told | ({"trafficType": traffic} if traffic else {})


def converse(given: int, out: int, *, read: int = 0, short: int = 0, hour: int = 0) -> _Said:
    """Bedrock's: input is what no cache had to do with."""
    return {
        "inputTokens": given,
        "outputTokens": out,
        "totalTokens": given + out + read + short + hour,
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": short + hour,
        "cacheDetails": [{"ttl": "5m", "inputTokens": short}, {"ttl": "1h", "inputTokens": hour}],
    }


def cohere(billed: int, out: int, *, seen: int = 0, cached: int = 0) -> _Said:
    """Cohere's: what it bills, and what it saw."""
    tokens = {"input_tokens": seen or billed, "output_tokens": out}
    return {"billed_units": {"input_tokens": billed, "output_tokens": out}, "tokens": tokens, "cached_tokens": cached}


def pictures(words: int, shown: int, drawn: int) -> _Said:
    """OpenAI's images: words and pictures in, pictures out."""
    return {
        "input_tokens": words + shown,
        "input_tokens_details": {"text_tokens": words, "image_tokens": shown},
        "output_tokens": drawn,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": drawn},
        "total_tokens": words + shown + drawn,
    }
