"""The same usage, read and priced by the package that publishes the prices; where it differs, it is explained."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data import providers
from genai_prices.types import ModelPrice, Tier, TieredPrices

from tests_py.conformance.cases import CASES, Case
from tests_py.conformance.words import BOOKS

FLAVORS = {"openai chat": "chat", "openai responses": "responses", "azure chat": "chat", "openai images": "images"}
FLAVORS |= {
    "anthropic messages": "default",
    "google chat": "default",
    "bedrock chat": "default",
    "mistral chat": "default",
}
PROVIDERS = {"bedrock": "aws"}
METERS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "search": "web_searches_kcount",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
    "cache_read_audio": "cache_audio_read_mtok",
    "input_image": "input_image_mtok",
    "output_image": "output_image_mtok",
}
COVERED = [
    case
    for case in CASES
    if " ".join(case.name.split()[:2]) in FLAVORS
    and not case.streamed
    and case.says
    and case.ends == "ok"
    and case.book not in ("tiers", "regions", "pictures")
    and "blocked" not in case.name
]
EXPLAINED = {
    "openai chat plain more-cached-than-prompted": "it refuses to count; here the whole limits its parts",
    "openai chat plain beside": "it takes thoughts that lie beside the completion for none",
    "openai responses plain search": "searches are told by the answer's items, and it looks at the usage alone",
}
"""Cases in which it is of another opinion, and why ours holds."""


def price_of(book: str) -> ModelPrice:
    rows: dict[str, Any] = {}
    for row in BOOKS[book]:
        name = METERS.get(row.meter)
        if name is None:
            continue
        if row.above:
            rows[name] = TieredPrices(base=rows[name], tiers=[Tier(start=row.above, price=Decimal(row.usd))])
        else:
            rows[name] = Decimal(row.usd) / (1000 if row.meter == "search" else 1)
    if "input_image_mtok" in rows:  # it wants to know what a picture from the cache costs, which nobody tells
        rows["cache_image_read_mtok"] = rows["input_image_mtok"]
    return ModelPrice(**rows)


def opinion(case: Case) -> Decimal | None:
    """What it would ask; None where it does not want to say."""
    kind, flavor = case.kind, FLAVORS[" ".join(case.name.split()[:2])]
    field = {"google": "usageMetadata"}.get(kind, "usage")
    model = {"google": "modelVersion"}.get(kind, "model")
    provider = next(known for known in providers if known.id == PROVIDERS.get(kind, kind))
    _, told = provider.extract_usage({model: "model-1", field: case.says}, api_flavor=flavor)
    try:
        total: Decimal = price_of(case.book).calc_price(told)["total_price"]
    except ValueError:
        return None
    return total.quantize(Decimal("1e-10"))


@pytest.mark.parametrize("case", COVERED, ids=[case.name for case in COVERED])
def test_second_opinion(case: Case) -> None:
    if case.name in EXPLAINED:
        assert opinion(case) != Decimal(case.usd), "it is of one opinion now: take the explanation away"
    else:
        assert opinion(case) == Decimal(case.usd)
