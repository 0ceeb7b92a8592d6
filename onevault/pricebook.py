"""The public price book: which providers we know, and what their models cost.

Providers are the table below. Models and prices come from the bundled data of the package
genai-prices, without any network, as one row per model and span of dates. Amounts are `Decimal`
in USD per million tokens. What the data has and the book has not is told by `read_skipped`.

Reading loads about 30 MB into the process; `price_book_version` costs nothing and says whether
there is anything new to read.
"""

import importlib.metadata
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from onevault.model_facts import (
    PICTURE_TOKENS,
    find_max_output,
    find_misfit,
    find_surfaces,
    has_regions,
    is_embedding,
    is_picture,
)
from onevault.price_windows import BookPrice, Note, Prices, Window, read_windows

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

# Part of the version, so that a change in how the data is read counts as news too.
_READING: Final = "4"
SANDBOX: Final = "sandbox"


class KnownProvider(msgspec.Struct, frozen=True):
    """A provider that works once there is a key for it.

    `settings` are its quirks, for the adapter: `max_tokens_field` names the field of the request
    that limits the output, `stream_usage` is False if `stream_options` must not be sent.
    """

    name: str
    display_name: str
    endpoint: str
    key_variable: str | None
    """Environment variable that holds the house's key; None if it needs none."""
    settings: Mapping[str, str | bool]
    kind: Literal["openai", "mistral", "anthropic", "google", "bedrock", "cohere", "voyage", "sandbox"] = "openai"


class BookOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model at a provider costs for a span of dates.

    Rows of one offer differ in prices and dates alone and do not overlap; `valid_from` is the
    first day (UTC), `valid_to` the day after the last, None is open. `prices` always has input
    and output; tokens of a kind that is missing cost what input or output costs. `other_prices` are
    those above thresholds, of other service tiers and of batches. Token limits are None where the
    data does not tell.
    """

    provider: str
    model: str
    """The name that customers ask for; the same model at two providers has one name."""
    upstream_model: str
    provider_name: str
    model_name: str
    capabilities: tuple[Literal["chat", "embedding", "image"], ...]
    context_tokens: int | None
    surfaces: tuple[str, ...] | None = None
    """The routes by which it can be talked to, None for all."""
    max_output_tokens: int | None = None
    default_output_tokens: int | None = None
    prices: dict[str, Decimal]
    other_prices: tuple[BookPrice, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    deprecated: bool = False


class SkippedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the data that the price book leaves out; `what` is "model" for a whole one."""

    provider: str
    model: str
    what: str
    reason: str


_Quirks = Mapping[str, str | bool]
_NEWER: Final[_Quirks] = {"max_tokens_field": "max_completion_tokens", "stream_usage": True}
_OPENAI: Final[_Quirks] = {**_NEWER, "responses": True}
_OLDER: Final[_Quirks] = {"max_tokens_field": "max_tokens", "stream_usage": True}

_GEMINI: Final = "https://generativelanguage.googleapis.com/v1beta"
_BEDROCK: Final = "https://bedrock-runtime.us-east-1.amazonaws.com"
_OPENROUTER: Final = "https://openrouter.ai/api/v1"

_KNOWN: Final = (
    KnownProvider("openai", "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", _OPENAI),
    KnownProvider("anthropic", "Anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", {}, "anthropic"),
    KnownProvider("google", "Google Gemini", _GEMINI, "GEMINI_API_KEY", {}, "google"),
    KnownProvider("mistral", "Mistral AI", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", {}, "mistral"),
    KnownProvider("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", _NEWER),
    KnownProvider("together", "Together AI", "https://api.together.xyz/v1", "TOGETHER_API_KEY", _OLDER),
    KnownProvider("deepseek", "DeepSeek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", _OLDER),
    KnownProvider("openrouter", "OpenRouter", _OPENROUTER, "OPENROUTER_API_KEY", _OLDER),
    KnownProvider("cohere", "Cohere", "https://api.cohere.com/v2", "COHERE_API_KEY", {}, "cohere"),
    KnownProvider("aws", "Amazon Bedrock", _BEDROCK, "AWS_BEARER_TOKEN_BEDROCK", {}, "bedrock"),
    KnownProvider("voyageai", "Voyage AI", "https://api.voyageai.com/v1", "VOYAGE_API_KEY", {}, "voyage"),
    KnownProvider("x-ai", "xAI", "https://api.x.ai/v1", "XAI_API_KEY", _NEWER),
    KnownProvider(SANDBOX, "Sandbox", "in-process", None, {}, kind="sandbox"),
)
PROVIDERS: Final[Mapping[str, KnownProvider]] = {provider.name: provider for provider in _KNOWN}


def _sandbox(
    size: str, price: tuple[str, str], context: int, max_output: int, capability: Literal["chat", "embedding"] = "chat"
) -> BookOffer:
    return BookOffer(
        provider=SANDBOX,
        model=f"sandbox-{size}",
        upstream_model=f"sandbox-{size}",
        provider_name="Sandbox",
        model_name=f"Sandbox {size}",
        capabilities=(capability,),
        context_tokens=context,
        max_output_tokens=max_output,
        default_output_tokens=min(256, max_output),
        prices={"input": Decimal(price[0]), "output": Decimal(price[1])},
    )


SANDBOX_OFFERS: Final = (
    _sandbox("small", ("0.50", "1.50"), 32_768, 4_096),
    _sandbox("large", ("5.00", "15.00"), 131_072, 16_384),
    _sandbox("embedding", ("0.10", "0"), 8_192, 1, "embedding"),
)

# Like "global.anthropic.claude-haiku-4-5-20251001-v1:0".
_BEDROCK_MODEL: Final = re.compile(r"(?:global\.)?([a-z]+)\.(.+?)(?:-v\d(?::\d)?)?")
_STATES: Final = Decimal("1.1")
_DATE: Final = re.compile(r"-20\d{6}$")
# How OpenRouter and Bedrock call the makers of models that are providers here too.
_MAKERS: Final = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "mistralai": "mistral",
    "deepseek": "deepseek",
    "cohere": "cohere",
    "x-ai": "x-ai",
}


def price_book_version() -> str:
    """Name the data that `read_price_book` reads, without reading it."""
    return f"genai-prices {importlib.metadata.version('genai-prices')}/{_READING}"


def read_price_book(on: date | None = None) -> list[BookOffer]:
    """Give the rows that hold on this day (None: today, UTC) or later, the sandbox's first."""
    return _read(on)[0]


def read_skipped(on: date | None = None) -> list[SkippedPrice]:
    """Tell what of the data is not in `read_price_book(on)`, and why."""
    return _read(on)[1]


def _read(on: date | None) -> tuple[list[BookOffer], list[SkippedPrice]]:
    from genai_prices.data import providers

    day = on or datetime.now(UTC).date()
    published = {provider.id: provider.models for provider in providers}
    offers = list(SANDBOX_OFFERS)
    skipped: list[SkippedPrice] = []
    for provider in PROVIDERS.values():
        taken: set[str] = set()
        for model in published.get(provider.name, []):
            windows, notes = read_windows(model, day)
            names = (_house_name(provider.name, model.id, published), model.id)
            name = next((name for name in names if name.upper() not in taken), None)
            reason = find_misfit(provider.name, model.id, windows)
            if name is None:
                reason = "another model of this provider has the same name"
            if name is None or reason is not None:
                notes = [Note(what="model", reason=reason or "")]
            else:
                taken.add(name.upper())
                offers.extend(_rows(provider, model, name, windows))
            skipped.extend(
                SkippedPrice(provider=provider.name, model=model.id, what=n.what, reason=n.reason) for n in notes
            )
    return offers, skipped


def _rows(provider: KnownProvider, model: "ModelInfo", name: str, windows: list[Window]) -> Iterable[BookOffer]:
    embedding, picture = is_embedding(model.id), is_picture(model.id)
    for window in windows:
        prices, others = window.prices, list(window.other_prices)
        if embedding:
            # An embedding has no output tokens, whatever price the data names for them.
            prices = prices | {"output": Decimal(0)}
            others = [price for price in others if price.meter != "output"]
        if provider.name == "anthropic" or model.id.startswith("anthropic/"):
            prices, others = _with_hour_long_writes(prices, others)
        if provider.name == "anthropic" and has_regions(model.id):
            others = [*others, *_in_the_states(prices, others)]
        yield BookOffer(
            provider=provider.name,
            model=name,
            upstream_model=model.id,
            provider_name=provider.display_name,
            model_name=model.name or model.id,
            capabilities=("embedding",) if embedding else ("image",) if picture else ("chat",),
            context_tokens=model.context_window,
            surfaces=find_surfaces(provider.name, model.id),
            max_output_tokens=PICTURE_TOKENS if picture else find_max_output(provider.name, model.id),
            default_output_tokens=PICTURE_TOKENS if picture else None,
            prices=prices,
            other_prices=tuple(others),
            valid_from=window.valid_from,
            valid_to=window.valid_to,
            deprecated=bool(model.deprecated),
        )


def _with_hour_long_writes(prices: Prices, others: list[BookPrice]) -> tuple[Prices, list[BookPrice]]:
    """Where Anthropic's price of an hour-long cache write is not published: twice that of input, as its list says."""
    if "cache_write" not in prices or "cache_write_1h" in prices:
        return prices, others
    longer = [
        msgspec.structs.replace(price, meter="cache_write_1h", usd_per_million=2 * price.usd_per_million)
        for price in others
        if price.meter == "input"
    ]
    told = {
        (price.threshold_tokens, price.service_tier, price.mode) for price in others if price.meter == "cache_write_1h"
    }
    longer = [price for price in longer if (price.threshold_tokens, price.service_tier, price.mode) not in told]
    return prices | {"cache_write_1h": 2 * prices["input"]}, [*others, *longer]


def _in_the_states(prices: Prices, others: Sequence[BookPrice]) -> Iterable[BookPrice]:
    """What tokens cost where they must not leave the United States: a tenth more of each, as Anthropic's list says."""
    plain = [BookPrice(meter=meter, usd_per_million=price) for meter, price in prices.items()]
    for price in (*plain, *others):
        if price.mode == "sync" and price.meter != "search":
            dearer = price.usd_per_million * _STATES
            yield msgspec.structs.replace(price, region="us", usd_per_million=dearer)


def _house_name(provider: str, model: str, published: Mapping[str, list["ModelInfo"]]) -> str:
    """Name a model of OpenRouter or Bedrock as its maker does, if the maker's own list has it."""
    vendor, bare = "", model
    if provider == "openrouter":
        vendor, _, bare = model.partition("/")
    elif provider == "aws" and (found := _BEDROCK_MODEL.fullmatch(model)):
        vendor, bare = found.groups()
    maker = _MAKERS.get(vendor)
    if maker is None:
        return model
    own = {entry.id for entry in published.get(maker, [])}
    names = (bare, bare.replace(".", "-"), _DATE.sub("", bare))
    return next((name for name in names if name in own), model)
