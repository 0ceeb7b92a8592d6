"""What the published data does not tell about models, as far as the price book needs it.

Which models cannot be offered on the endpoints that we call at the prices that we have, which ones embed or make
pictures, and how many tokens a model can answer at most.
"""

import re
from collections.abc import Sequence
from typing import Final

from onevault.price_windows import Window

# Provider ("" is any), what its model ids look like, why they are not offered.
_MISFITS: Final = tuple(
    (provider, re.compile(pattern), reason)
    for provider, pattern, reason in (
        ("", r"realtime|transcri|whisper|\btts\b|audio|voice|\blive\b", "sound is not offered"),
        ("openai", r"^gpt-5.*-image", "named so at OpenRouter alone"),
        ("", r"deep-research|search-(preview|api)|sonar", "searches are billed by the call"),
        ("", r"guard|moderation", "a classifier, no chat model"),
        ("openai", r"^(ada|babbage|curie|davinci|text-davinci)\b|-instruct", "no chat endpoint"),
        ("openai", r"computer-use", "it needs a tool that is not offered"),
        ("openai", r"gpt-oss", "open weights, not served by their maker"),
        ("openai", r":|-$", "a family of models, no name that can be called"),
        ("google", r"^(?!gemini|gemma)|-maas$", "served by Vertex AI alone"),
        ("openrouter", r"^[^/]+$", "no name that can be called"),
        ("aws", r"^regional\.", "a family of names, one for each region"),
        ("aws", r"sonic|voxtral", "sound is not offered"),
        ("aws", r"embed", "it embeds by a route of its own"),
        ("voyageai", r"context", "it embeds by a route of its own"),
    )
)
# What OpenAI serves by the Responses API alone.
_RESPONSES_ALONE: Final = re.compile(r"-pro\b|codex")
_UNPRICED: Final = re.compile(r"^output_(audio|video)|_(hours|kpages|mchars)$")
_EMBEDDING: Final = re.compile(r"embed|^voyage-")
_PICTURE: Final = re.compile(r"image|banana|dall-e|flux")
# Pictures are all that these give: what they ask for output is the price of a picture's tokens.
_PICTURES_ALONE: Final = re.compile(r"gpt-image-(1|1-mini|2|2\..*)")
# More than the tokens of the largest picture that any of them is known to make.
PICTURE_TOKENS: Final = 8192

# Claudes of before these ask for no region: they answer it with 400.
_ANYWHERE: Final = re.compile(r"claude-(v?[123]|instant|(opus|sonnet|haiku)-4-[0-5]\b)")

_MAX_OUTPUT: Final = (
    ("openai", r"gpt-5(-mini|-nano)?|gpt-5\.[12]", 128_000),
    ("openai", r"o1|o3|o3-mini|o4-mini", 100_000),
    ("openai", r"gpt-4\.1(-mini|-nano)?", 32_768),
    ("openai", r"gpt-4o(-mini)?", 16_384),
    ("openai", r"gpt-4", 8_192),
    ("openai", r"gpt-4-turbo|gpt-3\.5-turbo|gpt-4o-2024-05-13", 4_096),
    ("anthropic", r"claude-(sonnet|opus|haiku)-4-5|claude-sonnet-4-0|claude-3-7-.*", 64_000),
    ("anthropic", r"claude-opus-4-[01]", 32_000),
    ("anthropic", r"claude-3-5-.*", 8_192),
    ("anthropic", r"claude-3-(haiku|opus|sonnet).*", 4_096),
    ("google", r"gemini-2\.5-(pro|flash|flash-lite)", 65_536),
    ("google", r"gemini-2\.0-flash(-lite)?", 8_192),
    ("aws", r"amazon\.titan-text-express.*", 8_192),
    ("aws", r"amazon\.nova-(lite|micro|pro|premier)-v1.*", 5_120),
    ("aws", r"amazon\.titan-text-lite.*|mistral\.(mistral-(large|small)-24|mistral-7b|mixtral|pixtral).*", 4_096),
    ("aws", r"meta\.llama3-.*", 2_048),
)


def is_embedding(model: str) -> bool:
    """Tell whether a model embeds, by its id."""
    return _EMBEDDING.search(model) is not None


def is_picture(model: str) -> bool:
    """Tell whether a model makes pictures, by its id."""
    return _PICTURE.search(model) is not None


def find_surfaces(provider: str, model: str) -> tuple[str, ...] | None:
    """Give the routes by which a model can be talked to at its provider; None for all."""
    return ("responses",) if provider == "openai" and _RESPONSES_ALONE.search(model) else None


def has_regions(model: str) -> bool:
    """Tell whether a model of Anthropic's can be asked to stay in a region, by its id."""
    return _ANYWHERE.match(model) is None


def find_misfit(provider: str, model: str, windows: Sequence[Window]) -> str | None:
    """Say why a model cannot be offered at the prices in these windows, None if it can."""
    for only, pattern, reason in _MISFITS:
        if only in ("", provider) and pattern.search(model):
            return reason
    if any(_UNPRICED.search(meter) for window in windows for meter in window.meters):
        return "it bills by meters that the price book has not"
    needed = {"input"} if is_embedding(model) else {"input", "output"}
    if any(not needed <= window.prices.keys() for window in windows):
        return "no price for input or none for output: free of charge, or not known"
    if is_picture(model) and not _PICTURES_ALONE.fullmatch(model):
        if any("output_image" not in window.prices for window in windows):
            return "no price for the tokens of pictures"
    elif any("output_image" in window.prices for window in windows) and not is_picture(model):
        return "it gives pictures, too, which nobody asks of a chat"
    return None


def find_max_output(provider: str, model: str) -> int | None:
    """Give the most tokens that a model can answer, as its provider publishes it, if known."""
    for maker, pattern, tokens in _MAX_OUTPUT:
        if maker == provider and re.fullmatch(pattern, model):
            return tokens
    return None
