"""The price book: whole, exact, never below what the provider charges, and open about its gaps."""

import re
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from genai_prices.data import providers as published_providers
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
    Usage,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from onevault.model_facts import find_misfit
from onevault.price_windows import METERS, BookPrice, read_windows
from onevault.pricebook import (
    PROVIDERS,
    SANDBOX_OFFERS,
    BookOffer,
    price_book_version,
    read_price_book,
    read_skipped,
)

DAY = date(2026, 6, 1)
BOOK = read_price_book(DAY)
SKIPPED = read_skipped(DAY)
PUBLISHED: dict[str, Provider] = {provider.id: provider for provider in published_providers}
MODELS = {(p.id, model.id): model for p in published_providers for model in p.models}
BOUGHT = [row for row in BOOK if row.provider != "sandbox"]


def model(prices: ModelPrice | list[ConditionalPrice], **others: Any) -> ModelInfo:
    return ModelInfo(id="m", match=ClauseEquals(equals="m"), prices=prices, **others)


def flat(input_price: str, output_price: str, **others: Decimal | TieredPrices) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(input_price), output_mtok=Decimal(output_price), **others)


def since(day: date, prices: ModelPrice) -> ConditionalPrice:
    return ConditionalPrice(StartDateConstraint(start_date=day), prices=prices)


def between(start: time, end: time, prices: ModelPrice) -> ConditionalPrice:
    return ConditionalPrice(TimeOfDateConstraint(start_time=start, end_time=end), prices=prices)


# The whole book


def test_the_united_states_cost_a_tenth_more() -> None:
    found = {row.model: row for row in BOOK if row.provider == "anthropic"}

    def there(model: str) -> dict[tuple[str, str], Decimal]:
        rows = [price for price in found[model].other_prices if price.region == "us"]
        assert all((price.mode, price.threshold_tokens) == ("sync", 0) for price in rows)
        return {(price.meter, price.service_tier): price.usd_per_million for price in rows}

    assert {meter: price for (meter, tier), price in there("claude-opus-4-6").items() if tier == "standard"} == {
        "input": Decimal("5.5"),
        "output": Decimal("27.5"),
        "cache_read": Decimal("0.55"),
        "cache_write": Decimal("6.875"),
        "cache_write_1h": Decimal("11"),
    }
    assert there("claude-opus-4-8")["output", "fast"] == Decimal("55")
    assert there("claude-sonnet-4-6")["output", "standard"] == Decimal("16.5")
    assert not any(there(model) for model in found if re.match(r"claude-(v?[123]|(opus|sonnet|haiku)-4-[0-5])", model))
    assert not any(p.region for row in BOOK if row.provider != "anthropic" for p in row.other_prices)


def test_every_row_is_exact_and_fits_the_price_table() -> None:
    assert len(BOOK) > 500
    for row in BOOK:
        assert {"input", "output"} <= row.prices.keys() <= set(METERS.values())
        others = [price.usd_per_million for price in row.other_prices]
        assert all(type(price) is Decimal for price in [*row.prices.values(), *others])
        keys = [(p.meter, p.threshold_tokens, p.service_tier, p.region, p.mode) for p in row.other_prices]
        assert len(set(keys)) == len(keys)
        for price in [*row.prices.values(), *others]:
            assert Decimal(0) <= price < Decimal(10**10)
            assert price == round(price, 10)
        assert row.provider in PROVIDERS
        assert row.model
        assert row.model_name
        assert row.provider_name == PROVIDERS[row.provider].display_name
        assert row.context_tokens is None or row.context_tokens > 0
        assert row.prices["input"] > 0
        assert (row.prices["output"] > 0) is (row.capabilities != ("embedding",))
        assert "/" not in row.provider


def test_the_rows_of_an_offer_follow_each_other_and_differ_only_in_prices_and_dates() -> None:
    offers: dict[tuple[str, str], list[BookOffer]] = {}
    for row in BOOK:
        offers.setdefault((row.provider, row.model.upper()), []).append(row)
    for rows in offers.values():
        assert len({(r.model, r.upstream_model, r.context_tokens, r.deprecated) for r in rows}) == 1
        for before, after in pairwise(rows):
            assert before.valid_to is not None
            assert before.valid_to == after.valid_from
        for row in rows:
            assert row.valid_to is None or row.valid_to > DAY
        assert rows[-1].valid_to is None


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_no_call_is_priced_below_what_the_provider_charges(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(BOUGHT))
    edges = {price.threshold_tokens + step for price in row.other_prices for step in (0, 1)} | {row.context_tokens or 1}
    prompt = data.draw(st.one_of(st.sampled_from(sorted(edges)), st.integers(0, 10**6)))
    read = data.draw(st.integers(0, prompt))
    written = data.draw(st.integers(0, prompt - read))
    output = 0 if row.capabilities == ("embedding",) else data.draw(st.integers(0, 200_000))
    served = data.draw(
        st.sampled_from(sorted({(price.service_tier, price.mode) for price in row.other_prices} | {_PLAIN}))
    )
    first = max(row.valid_from or DAY, DAY)
    last = row.valid_to - timedelta(days=1) if row.valid_to else first + timedelta(days=900)
    day = data.draw(st.dates(first, last))
    moment = datetime.combine(day, data.draw(st.times()), tzinfo=UTC)

    charged = MODELS[row.provider, row.upstream_model].calc_price(
        Usage(
            input_tokens=prompt,
            cache_read_tokens=read,
            cache_write_tokens=written,
            output_tokens=output,
        ),
        PUBLISHED[row.provider],
        genai_request_timestamp=moment,
        price_context=_context(row, served),
    )

    booked = (
        (prompt - read - written) * _price(row, "input", prompt, served)
        + read * _price(row, "cache_read", prompt, served)
        + written * _price(row, "cache_write", prompt, served)
        + output * _price(row, "output", prompt, served)
    ) / 1_000_000
    assert booked >= charged.total_price
    hourly = any(skipped.what == "cheaper hours" for skipped in _skipped(row))
    exact = (
        row.capabilities != ("image",) and served == _PLAIN and all(-_exponent(p) <= 10 for p in row.prices.values())
    )
    if exact and not written and not hourly:
        assert booked - charged.total_price < Decimal("0.001")


_PLAIN = ("standard", "sync")


def _context(row: BookOffer, served: tuple[str, str]) -> dict[str, str] | None:
    """How the data asks for what was served: OpenAI and Google say service_tier, Anthropic says speed."""
    tier, mode = served
    if served == _PLAIN:
        return None
    if mode == "batch":
        return {"processing": "batch"}
    return {"speed" if row.provider == "anthropic" else "service_tier": tier}


def _price(row: BookOffer, meter: str, prompt: int, served: tuple[str, str]) -> Decimal:
    """What the database makes of the rows (ops.fn_list_rates): tests_sql holds it to the same."""
    own = _find(row, meter, prompt, served)
    if own is not None:
        return own
    fallback = "input" if meter.startswith("cache") else meter
    standard = _find(row, meter, prompt, _PLAIN)
    if standard is None:
        return _price(row, fallback, prompt, served)
    if served == _PLAIN or _price(row, "input", prompt, served) <= _price(row, "input", prompt, _PLAIN):
        return standard
    return max(standard, _price(row, fallback, prompt, served)) if fallback != meter else standard


def _find(row: BookOffer, meter: str, prompt: int, served: tuple[str, str]) -> Decimal | None:
    found = [
        (price.threshold_tokens, price.usd_per_million)
        for price in row.other_prices
        if (price.meter, price.service_tier, price.mode, price.region) == (meter, *served, "")
        and price.threshold_tokens < max(prompt, 1)
    ]
    if served == _PLAIN and meter in row.prices:
        found.append((0, row.prices[meter]))
    return max(found)[1] if found else None


def _exponent(price: Decimal) -> int:
    exponent = price.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def _skipped(row: BookOffer) -> list[Any]:
    return [s for s in SKIPPED if (s.provider, s.model) == (row.provider, row.upstream_model)]


def test_every_published_model_is_either_in_the_book_or_skipped_with_a_reason() -> None:
    taken = {(row.provider, row.upstream_model) for row in BOUGHT}
    skipped = {(s.provider, s.model) for s in SKIPPED if s.what == "model"}
    for name in PROVIDERS.keys() - {"sandbox"}:
        for entry in PUBLISHED[name].models:
            assert ((name, entry.id) in taken) != ((name, entry.id) in skipped)
    assert all(s.reason and s.what for s in SKIPPED)


def test_every_published_price_that_is_left_out_is_named() -> None:
    named = {(s.provider, s.model, s.what) for s in SKIPPED}
    for row in BOUGHT:
        prices = MODELS[row.provider, row.upstream_model].prices
        if isinstance(prices, ModelPrice):
            for key, value in vars(prices).items():
                if key not in METERS:
                    assert (row.provider, row.upstream_model, key) in named
                    continue
                for tier in value.tiers if isinstance(value, TieredPrices) else ():
                    found = _find(row, METERS[key], tier.start + 1, _PLAIN)
                    assert found is not None
                    assert found >= tier.price


def test_well_known_models_are_there_at_their_published_prices() -> None:
    rows = {(row.provider, row.model): row for row in BOOK}
    gpt = rows["openai", "gpt-4o"]
    assert gpt.prices == {
        "input": Decimal("2.5"),
        "output": Decimal(10),
        "cache_read": Decimal("1.25"),
        "search": Decimal(10_000),
    }
    tiers = {(p.service_tier, p.mode) for p in gpt.other_prices}
    assert tiers == {("priority", "sync"), ("fast", "sync"), ("standard", "batch")}
    assert (gpt.context_tokens, gpt.max_output_tokens) == (128_000, 16_384)
    assert gpt.upstream_model == "gpt-4o"
    gemini = rows["google", "gemini-2.5-pro"]
    assert [_price(gemini, "input", prompt, _PLAIN) for prompt in (199_999, 200_000, 200_001)] == [
        Decimal("1.25"),
        Decimal("1.25"),
        Decimal("2.5"),
    ]
    claude = rows["anthropic", "claude-sonnet-4-5"]
    assert (claude.context_tokens, claude.prices["cache_write_1h"]) == (200_000, Decimal(6))
    assert _price(claude, "cache_write_1h", 200_001, _PLAIN) == 12
    assert rows["openai", "gpt-image-1"].capabilities == ("image",)
    assert rows["google", "gemini-2.5-flash-image"].prices["output_image"] == 30
    assert rows["openai", "text-embedding-3-small"].capabilities == ("embedding",)


def test_one_model_has_one_name_at_its_maker_and_at_openrouter() -> None:
    rows = {(row.provider, row.model): row.upstream_model for row in BOOK}
    assert rows["openrouter", "gpt-4o"] == "openai/gpt-4o"
    assert rows["openrouter", "claude-sonnet-4-5"] == "anthropic/claude-sonnet-4.5"
    assert rows["groq", "openai/gpt-oss-120b"] == "openai/gpt-oss-120b"


def test_the_sandbox_comes_first_and_costs_what_it_says() -> None:
    small, large, embedding = SANDBOX_OFFERS
    assert BOOK[:3] == [small, large, embedding]
    assert (embedding.model, embedding.capabilities) == ("sandbox-embedding", ("embedding",))
    assert small.model == "sandbox-small"
    assert small.prices == {"input": Decimal("0.50"), "output": Decimal("1.50")}
    assert (small.context_tokens, small.max_output_tokens) == (32_768, 4_096)
    assert large.model == "sandbox-large"
    assert large.prices == {"input": Decimal(5), "output": Decimal(15)}
    assert (large.context_tokens, large.max_output_tokens) == (131_072, 16_384)
    assert small.default_output_tokens == large.default_output_tokens == 256


def test_providers_can_be_called_as_they_stand_in_the_table() -> None:
    for name, provider in PROVIDERS.items():
        assert provider.name == name
        if name == "sandbox":
            assert (provider.endpoint, provider.key_variable) == ("in-process", None)
            assert provider.kind == "sandbox"
            continue
        assert re.fullmatch(r"https://[a-z0-9./-]+[a-z0-9]", provider.endpoint)
        assert re.fullmatch(r"[A-Z]+_API_KEY|AWS_BEARER_TOKEN_BEDROCK", provider.key_variable or "")
        if provider.kind == "openai":
            assert provider.settings["max_tokens_field"] in ("max_tokens", "max_completion_tokens")
    assert {name: PROVIDERS[name].kind for name in ("anthropic", "google", "mistral")} == {
        "anthropic": "anthropic",
        "google": "google",
        "mistral": "mistral",
    }
    assert PROVIDERS.keys() - {"sandbox"} <= PUBLISHED.keys()


def test_the_book_is_read_without_any_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the price book reached for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert read_price_book(DAY) == BOOK
    assert read_price_book()


def test_the_version_is_known_without_loading_the_data() -> None:
    program = (
        "import sys; from onevault.pricebook import price_book_version as v; "
        "print(v()); print('genai_prices' in sys.modules, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    version, loaded = done.stdout.splitlines()
    assert version == price_book_version()
    assert loaded == "False False"


# One model at a time


def test_a_change_of_price_makes_two_rows_and_the_past_is_left_out() -> None:
    changing = model(
        [
            ConditionalPrice(prices=flat("1", "2")),
            since(date(2026, 1, 1), flat("3", "4")),
            since(date(2027, 1, 1), flat("5", "6")),
        ]
    )
    windows, notes = read_windows(changing, DAY)
    assert [(w.valid_from, w.valid_to, w.prices["input"]) for w in windows] == [
        (date(2026, 1, 1), date(2027, 1, 1), Decimal(3)),
        (date(2027, 1, 1), None, Decimal(5)),
    ]
    assert notes == []
    assert read_windows(changing, date(2027, 1, 1))[0] == windows[1:]
    assert len(read_windows(changing, date(2025, 12, 31))[0]) == 3


def test_a_change_that_changes_nothing_here_makes_one_row() -> None:
    searching = flat("1", "2", storage_searches_kcount=Decimal(14))
    windows, notes = read_windows(
        model([ConditionalPrice(prices=flat("1", "2")), since(date(2026, 9, 1), searching)]), DAY
    )
    assert [(w.valid_from, w.valid_to) for w in windows] == [(None, None)]
    assert [note.what for note in notes] == ["storage_searches_kcount"]
    assert "storage_searches_kcount" in windows[0].meters


def test_prices_by_the_hour_become_the_dearest_of_each_meter() -> None:
    night = flat("1", "9", cache_read_mtok=Decimal("0.1"))
    windows, notes = read_windows(
        model([ConditionalPrice(prices=night), between(time(8), time(20), flat("2", "8"))]), DAY
    )
    assert windows[0].prices == {
        "input": Decimal(2),
        "output": Decimal(9),
        "cache_read": Decimal(2),
    }
    assert [note.what for note in notes] == ["cheaper hours"]


def test_hours_are_compared_within_the_dates_they_hold_in() -> None:
    windows, _ = read_windows(
        model(
            [
                ConditionalPrice(prices=flat("9", "9")),
                between(time(8), time(20), flat("2", "2")),
                since(date(2026, 7, 1), flat("1", "1")),
                between(time(8), time(20), flat("3", "3")),
            ]
        ),
        DAY,
    )
    assert [w.prices["input"] for w in windows] == [Decimal(9), Decimal(3)]


def test_a_threshold_is_a_row() -> None:
    tiers = TieredPrices(
        base=Decimal(1),
        tiers=[Tier(start=200_000, price=Decimal(2)), Tier(start=100_000, price=Decimal("1.5"))],
    )
    windows, notes = read_windows(model(ModelPrice(input_mtok=tiers, output_mtok=Decimal(3))), DAY)
    assert windows[0].prices == {"input": Decimal(1), "output": Decimal(3)}
    assert windows[0].other_prices == (
        BookPrice(meter="input", threshold_tokens=100_000, usd_per_million=Decimal("1.5")),
        BookPrice(meter="input", threshold_tokens=200_000, usd_per_million=Decimal(2)),
    )
    assert notes == []
    always = TieredPrices(base=Decimal(1), tiers=[Tier(start=0, price=Decimal(2))])
    windows, _ = read_windows(model(ModelPrice(input_mtok=always, output_mtok=Decimal(3))), DAY)
    assert windows[0].prices["input"] == 2


def test_meters_are_counted_by_the_million() -> None:
    prices = flat(
        "1",
        "2",
        web_searches_kcount=Decimal(14),
        input_audio_hours=Decimal("0.36"),
        input_mchars=Decimal(15),
        cache_write_1h_mtok=Decimal(2),
        cache_read_mtok=Decimal("0.1"),
        cache_image_read_mtok=Decimal("0.2"),
        input_audio_mtok=Decimal(3),
        cache_audio_read_mtok=Decimal("0.3"),
    )
    windows, notes = read_windows(model(prices), DAY)
    assert windows[0].prices == {
        "input": Decimal(1),
        "output": Decimal(2),
        "search": Decimal(14_000),
        "second": Decimal(100),
        "character": Decimal(15),
        "cache_write_1h": Decimal(2),
        "cache_read": Decimal("0.2"),
        "input_audio": Decimal(3),
        "cache_read_audio": Decimal("0.3"),
    }
    assert notes == []


def test_hours_and_thresholds_together_are_the_dearest_of_each() -> None:
    rising = TieredPrices(base=Decimal(1), tiers=[Tier(start=1000, price=Decimal(4))])
    windows, _ = read_windows(
        model(
            [
                ConditionalPrice(prices=ModelPrice(input_mtok=rising, output_mtok=Decimal(2))),
                between(time(8), time(20), flat("3", "2")),
            ]
        ),
        DAY,
    )
    assert windows[0].prices["input"] == 3
    assert windows[0].other_prices == (BookPrice(meter="input", threshold_tokens=1000, usd_per_million=Decimal(4)),)


def test_a_cache_write_below_input_is_a_surcharge_and_fractions_round_up() -> None:
    surcharge = Decimal("0.0416666666666667")
    windows, _ = read_windows(model(flat("0.75", "3.75", cache_write_mtok=surcharge)), DAY)
    assert windows[0].prices["cache_write"] == Decimal("0.7916666667")
    windows, _ = read_windows(model(flat("3", "15", cache_write_mtok=Decimal("3.75"))), DAY)
    assert windows[0].prices["cache_write"] == Decimal("3.75")


def test_service_tiers_and_batches_are_rows_and_begin_when_they_do() -> None:
    fast = PriceVariant(when={"speed": "fast"}, prices=flat("2", "4"))
    same = PriceVariant(when={"service_tier": "default"}, prices=ModelPrice())
    routed = PriceVariant(when={"route": "eu"}, prices=flat("7", "7"))
    start = StartDateConstraint(start_date=date(2026, 9, 1))
    batch = PriceVariant(when={"processing": "batch"}, prices=ModelPrice(input_mtok=Decimal("0.5")), constraint=start)
    windows, notes = read_windows(model(flat("1", "2"), price_variants=[fast, same, routed, batch]), DAY)
    assert [note.what for note in notes] == ["route=eu"]
    assert [window.valid_from for window in windows] == [None, date(2026, 9, 1)]
    fast_rows = (
        BookPrice(meter="input", service_tier="fast", usd_per_million=Decimal(2)),
        BookPrice(meter="output", service_tier="fast", usd_per_million=Decimal(4)),
    )
    assert windows[0].other_prices == fast_rows
    assert windows[1].other_prices == (
        *fast_rows,
        BookPrice(meter="input", mode="batch", usd_per_million=Decimal("0.5")),
    )


def test_what_the_responses_api_alone_has_is_offered_by_it() -> None:
    kept = {row.model: row.surfaces for row in BOOK if row.provider == "openai"}
    assert {name for name, surfaces in kept.items() if surfaces == ("responses",)} >= {
        "codex-mini",
        "gpt-5-pro",
        "gpt-5.1-codex-mini",
        "gpt-5.2-pro",
        "o1-pro",
        "o3-pro",
    }
    assert kept["gpt-5"] is kept["o1"] is None
    assert not any(row.surfaces for row in BOOK if row.provider != "openai")
    assert PROVIDERS["openai"].settings["responses"] is True


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "gpt-4o-realtime-preview"),
        ("openai", "gpt-image-9"),
        ("openai", "gpt-5-image"),
        ("openai", "computer-use"),
        ("openai", "ft:gpt-4o"),
        ("openai", "davinci"),
        ("google", "claude-sonnet-4-5"),
        ("groq", "meta-llama/llama-guard-4-12b"),
        ("openrouter", "perplexity/sonar-pro"),
        ("openrouter", "gpt-4o"),
    ],
)
def test_models_that_no_chat_endpoint_serves_at_these_prices_are_not_offered(provider: str, name: str) -> None:
    windows, _ = read_windows(model(flat("1", "2")), DAY)
    assert find_misfit(provider, name, windows) is not None


@pytest.mark.parametrize(
    "prices",
    [
        ModelPrice(),
        ModelPrice(input_mtok=Decimal(1)),
        ModelPrice(output_mtok=Decimal(1)),
        flat("1", "2", output_image_mtok=Decimal(30)),
        flat("1", "2", audio_hours=Decimal(3)),
    ],
)
def test_models_that_cannot_be_priced_are_not_offered(prices: ModelPrice) -> None:
    windows, _ = read_windows(model(prices), DAY)
    assert find_misfit("openai", "gpt-4o", windows) is not None
    windows, _ = read_windows(model(flat("1", "2")), DAY)
    assert find_misfit("openai", "gpt-4o", windows) is None


def test_models_at_bedrock_are_named_as_their_makers_name_them() -> None:
    named = {offer.upstream_model: offer.model for offer in read_price_book() if offer.provider == "aws"}
    assert named["global.anthropic.claude-haiku-4-5-20251001-v1:0"] == "claude-haiku-4-5"
    assert named["global.openai.gpt-6-sol"] == "gpt-6-sol"
    assert named["amazon.nova-pro-v1:0"] == "amazon.nova-pro-v1:0"
    assert not any(name.startswith("regional.") for name in named), "no name that can be called"
