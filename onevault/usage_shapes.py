"""What providers' reports of usage look like, and what each of their records says in the house's buckets.

Shapes: OpenAI's organization usage and costs (`/v1/organization/usage/…`, `/v1/organization/costs`) and the CSV that
its dashboard exports; Anthropic's usage and cost reports (`/v1/organizations/usage_report/messages`,
`/v1/organizations/cost_report`) and the CSV of its console.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from onevault.usage_rows import EXACT, Fields, Problem, Usage

# OpenAI's kinds of results -> ours. What the gateway has no calls for is not compared.
_OPENAI_KINDS: Final = {
    "completions": "COMPLETION",
    "embeddings": "EMBEDDING",
    "images": "IMAGE",
    "audio_speeches": "SPEECH",
    "audio_transcriptions": "TRANSCRIPTION",
    "web_searches": "SEARCH",
}
_PIECES: Final = {
    "IMAGE": ("image", "images"),
    "SPEECH": ("character", "characters"),
    "TRANSCRIPTION": ("second", "seconds"),
    "SEARCH": ("search", "num_requests"),
}


def read_openai_usage(fields: Fields) -> Usage:
    """A result of one of OpenAI's usage endpoints, or a line of the CSV export, which is of completions."""
    name = fields.text("object") or "organization.usage.completions.result"
    kind = _OPENAI_KINDS.get(name.removeprefix("organization.usage.").removesuffix(".result"))
    if kind is None:
        raise Problem(f"{name!r} is not compared: {', '.join(_OPENAI_KINDS)} are")
    usage = Usage(kind, fields.text("model"), fields.text("api_key_id"), fields.tier("service_tier"))
    usage.counts["requests"] = fields.count("num_model_requests")
    if fields.flag("batch"):
        usage.tier = "batch"
    if kind in _PIECES:
        meter, field = _PIECES[kind]
        fields.need(field)
        usage.other[meter] = fields.count(field)
        return usage
    fields.need("input_tokens")
    cached, heard = fields.count("input_cached_tokens"), fields.count("input_cached_audio_tokens")
    sound, pictures = fields.count("input_audio_tokens"), fields.count("input_image_tokens")
    written = fields.count("input_cache_write_tokens")
    if "input_text_tokens" in fields:
        text = fields.count("input_text_tokens")
    elif "input_uncached_tokens" in fields:
        text = fields.count("input_uncached_tokens") - sound - pictures
    else:
        # As long as sound and pictures are not told apart from text, they are no part of this.
        text = fields.count("input_tokens") - cached - written
    output = "output_text_tokens" if "output_text_tokens" in fields else "output_tokens"
    if text < 0 or cached < heard:
        raise Problem("its parts of the input are more than the whole")
    usage.counts |= {
        "input_uncached_tokens": text,
        "cache_read_tokens": cached - heard,
        "cache_write_tokens": written,
        "output_tokens": fields.count(output),
    }
    usage.other = {
        "input_audio": sound,
        "cache_read_audio": heard,
        "input_image": pictures,
        "output_audio": fields.count("output_audio_tokens"),
        "output_image": fields.count("output_image_tokens"),
    }
    return usage


def read_openai_cost(fields: Fields) -> Usage:
    """A result of OpenAI's costs endpoint. A line item is "model, what of it" where it is about a model."""
    amount = fields.inner("amount")
    return _cost(fields, amount.text("currency"), amount.amount("value"), fields.text("line_item"))


def _read_openai_cost_line(fields: Fields) -> Usage:
    return _cost(fields, fields.text("amount_currency"), fields.amount("amount_value"), fields.text("line_item"))


def _cost(fields: Fields, currency: str, amount: Decimal, line_item: str) -> Usage:
    _check_currency(currency)
    return Usage("COST", line_item.split(",", maxsplit=1)[0].strip(), fields.text("api_key_id"), cost=amount)


def read_anthropic_usage(fields: Fields) -> Usage:
    """A result of Anthropic's usage report. Its buckets are the house's."""
    fields.need("output_tokens")
    written, tools = fields.inner("cache_creation"), fields.inner("server_tool_use")
    fast = fields.text("speed") == "fast"
    return Usage(
        "COMPLETION",
        fields.text("model"),
        fields.text("api_key_id"),
        "fast" if fast else fields.tier("service_tier"),
        {
            "input_uncached_tokens": fields.count("uncached_input_tokens"),
            "cache_read_tokens": fields.count("cache_read_input_tokens"),
            "cache_write_tokens": written.count("ephemeral_5m_input_tokens"),
            "cache_write_1h_tokens": written.count("ephemeral_1h_input_tokens"),
            "output_tokens": fields.count("output_tokens"),
        },
        {"search": tools.count("web_search_requests")},
    )


def read_anthropic_cost(fields: Fields) -> Usage:
    """A result of Anthropic's cost report: its amount is cents, as a decimal string."""
    _check_currency(fields.text("currency"))
    cost = fields.amount("amount").scaleb(-2, EXACT)
    return Usage("COST", fields.text("model"), tier=fields.tier("service_tier"), cost=cost)


def _read_anthropic_line(fields: Fields) -> Usage:
    fast = fields.text("speed") == "fast"
    return Usage(
        "COMPLETION",
        fields.text("model_version"),
        fields.text("api_key_id") or fields.text("api_key"),
        "fast" if fast else fields.tier("usage_type"),
        {
            "input_uncached_tokens": fields.count("usage_input_tokens_no_cache"),
            "cache_read_tokens": fields.count("usage_input_tokens_cache_read"),
            "cache_write_tokens": fields.count("usage_input_tokens_cache_write_5m"),
            "cache_write_1h_tokens": fields.count("usage_input_tokens_cache_write_1h"),
            "output_tokens": fields.count("usage_output_tokens"),
        },
        {"search": fields.count("web_search_count")},
    )


def _read_anthropic_cost_line(fields: Fields) -> Usage:
    key = fields.text("api_key_id") or fields.text("api_key")
    return Usage("COST", fields.text("model"), key, fields.tier("usage_type"), cost=fields.amount("cost_usd"))


def _check_currency(currency: str) -> None:
    if currency.lower() not in ("", "usd"):
        raise Problem(f"its currency is {currency!r}: the books are in USD")


@dataclass(frozen=True)
class Shape:
    """How records of a format are read; `nothing` is the kind of a bucket in which nothing was used."""

    name: str
    provider: str
    start: str
    end: str
    nothing: str
    read: Callable[[Fields], Usage]


SHAPES: Final[Mapping[str, Shape]] = {
    shape.name: shape
    for shape in (
        Shape("openai-usage", "openai", "start_time", "end_time", "COMPLETION", read_openai_usage),
        Shape("openai-costs", "openai", "start_time", "end_time", "COST", read_openai_cost),
        Shape("anthropic-usage", "anthropic", "starting_at", "ending_at", "COMPLETION", read_anthropic_usage),
        Shape("anthropic-costs", "anthropic", "starting_at", "ending_at", "COST", read_anthropic_cost),
    )
}

# Of a CSV its columns tell what it is; `end` is empty where a line has a day and no bucket.
CSV_SHAPES: Final[Mapping[frozenset[str], Shape]] = {
    frozenset({"start_time", "end_time", "amount_value"}): Shape(
        "openai-costs csv", "openai", "start_time", "end_time", "COST", _read_openai_cost_line
    ),
    frozenset({"start_time", "end_time", "input_tokens", "output_tokens"}): Shape(
        "openai-usage csv", "openai", "start_time", "end_time", "COMPLETION", read_openai_usage
    ),
    frozenset({"usage_date_utc", "cost_usd"}): Shape(
        "anthropic-costs csv", "anthropic", "usage_date_utc", "", "COST", _read_anthropic_cost_line
    ),
    frozenset({"usage_date_utc", "usage_input_tokens_no_cache", "usage_output_tokens"}): Shape(
        "anthropic-usage csv", "anthropic", "usage_date_utc", "", "COMPLETION", _read_anthropic_line
    ),
}
