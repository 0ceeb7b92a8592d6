"""Every provider's usage, as it tells it, in buckets and in USD: the table of `cases`, through adapter and database.

Each case is a true response of a played provider, read by the true adapter; what comes of it is priced by the function
that books it, by rows of a price book. Mutants it catches: a bucket counted twice, sums for parts, a price below its
threshold, the tier that was asked for, a cut stream for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest

from onevault.settings import load_settings
from tests_py.conformance.cases import CASES, Case
from tests_py.conformance.words import BOOKS
from tests_py.providers import anthropic, bedrock, responses
from tests_py.providers.bedrock import FakeBedrock
from tests_py.providers.cohere import FakeCohere
from tests_py.providers.google import FakeGoogle
from tests_py.providers.mistral import FakeMistral
from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import Scenario, ToolCall
from tests_py.providers.stage import PNG, ScenarioServer
from tests_py.providers.voyage import FakeVoyage
from tests_py.support.cluster import ClonedDatabase, Cluster
from tests_py.worker.kit import Remembered, attempt, call, candidate, tls
from worker.providers.base import CallFailed
from worker.providers.registry import open_providers
from worker.providers.wire import open_transport
from worker.shapes import Attempt

PROMPT_TOKENS = 25
"""What the prompt is estimated at where nobody tells."""
ROOTS = {"anthropic": "/v1", "google": "/v1beta", "cohere": "/v2", "azure": "", "bedrock": ""}
KEYS = {"bedrock": f"{bedrock.ACCESS_KEY}:{bedrock.SECRET}"}
SETTINGS = {"openai": {"responses": True}, "bedrock": {"region": "us-east-1"}}
ASKED: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Say hello."}]},
    "responses": {"input": "Say hello."},
    "messages": {"max_tokens": 1000, "messages": [{"role": "user", "content": "Say hello."}]},
    "count_tokens": {"messages": [{"role": "user", "content": "Say hello."}]},
    "embeddings": {"input": ["Hello", "there"]},
    "rerank": {"query": "Which?", "documents": ["This", "That"]},
    "images": {"prompt": "A bridge"},
    "image_edits": {"prompt": "A bridge", "image": [{"name": "a.png", "type": "image/png", "data": ""}]},
}
NAMES = {
    "input_uncached": "in",
    "cache_read": "read",
    "cache_write": "write",
    "cache_write_1h": "hour",
    "input_audio": "audio-in",
    "cache_read_audio": "audio-read",
    "input_image": "image-in",
    "output": "out",
    "output_audio": "audio-out",
    "output_image": "image-out",
    "reasoning": "thought",
}


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, ScenarioServer]]:
    with (
        FakeOpenAI() as openai_like,
        anthropic.FakeAnthropic() as messages_like,
        FakeGoogle() as gemini_like,
        FakeBedrock() as converse_like,
        FakeCohere() as cohere_like,
        FakeVoyage() as voyage_like,
        FakeMistral() as mistral_like,
    ):
        yield {
            "openai": openai_like,
            "azure": openai_like,
            "anthropic": messages_like,
            "google": gemini_like,
            "bedrock": converse_like,
            "cohere": cohere_like,
            "voyage": voyage_like,
            "mistral": mistral_like,
        }


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[ClonedDatabase]:
    clone = cluster.clone()
    with clone.connect() as owner:
        owner.execute(
            "insert into admin.provider (provider, adapter_kind, api_endpoint, needs_key) "
            "values ('maker', 'anthropic', 'https://x/v1', false)"
        )
        for book, rows in BOOKS.items():
            capability = "image" if book == "pictures" else "chat"
            owner.execute(
                "insert into admin.model (provider, model, capabilities) values ('maker', %s, %s)", (book, [capability])
            )
            for row in rows:
                owner.execute(
                    "insert into admin.price (provider, model, meter, usd_per_million, threshold_tokens, service_tier, "
                    "variant, region) values ('maker', %s, %s, %s, %s, %s, %s, %s)",
                    (book, row.meter, row.usd, row.above, row.tier, row.variant, row.region),
                )
    yield clone
    cluster.drop(clone)


@pytest.fixture(scope="module")
def owner(database: ClonedDatabase) -> Iterator[psycopg.Connection[Any]]:
    with database.connect() as connection:
        yield connection


@pytest.fixture
async def providers() -> AsyncIterator[dict[str, Any]]:
    transport = open_transport(context=tls())
    yield open_providers(transport, load_settings({}, None))
    await transport.aclose()


def scenario_of(case: Case) -> Scenario:
    plays = dict(case.plays)
    if plays.get("calls"):
        plays["calls"] = (ToolCall(),)
    if plays.get("blocks"):
        plays["blocks"] = (responses.SEARCH,)
    if case.tier is not None and case.surface == "chat" and case.kind == "openai":
        plays["tier"] = case.tier
    if case.tier is not None and case.surface == "responses":
        plays["details"] = {"service_tier": case.tier}
    return Scenario(usage=case.says, **plays)


async def play(case: Case, providers: dict[str, Any], fake: ScenarioServer) -> tuple[Attempt, str]:
    """What the adapter makes of it, and how it ends."""
    base = fake.root if case.kind in ROOTS else fake.endpoint
    who = candidate(
        base(scenario_of(case)) + ROOTS.get(case.kind, ""), kind=case.kind, settings=SETTINGS.get(case.kind, {})
    )
    body = {"model": "auto", **ASKED[case.surface], **case.asks}
    if case.surface == "image_edits":
        body["image"] = [{"name": "a.png", "type": "image/png", "data": msgspec.to_builtins(PNG)}]
    asked = call(
        who, body, stream=case.streamed, surface=case.surface, key=KEYS.get(case.kind, "sk-played"), include_usage=True
    )
    made, before = attempt(), len(fake.seen)
    task = asyncio.get_running_loop().create_task(providers[case.kind].call(asked, made, Remembered()))
    if case.leaves:
        async with asyncio.timeout(10):
            while len(fake.seen) == before or (case.leaves == "answered" and made.http_status is None):
                await asyncio.sleep(0.002)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        made.outcome = "CANCELLED"
        return made, "gone"
    try:
        await task
    except CallFailed as failed:
        made.error_class = failed.error_class
        return made, failed.error_class
    made.outcome = "SUCCESS"
    return made, "ok"


def price(owner: psycopg.Connection[Any], case: Case, made: Attempt) -> dict[str, Any]:
    """What the books would say, at the prices that were pinned when it was routed, for a short prompt."""
    row = owner.execute(
        "select to_jsonb(gateway.fn_price_attempt(%s::jsonb, o.prices, %s))::text from ops.offer as o "
        "where o.model_bk = %s and o.service_tier = %s and o.above_tokens = 0",
        (msgspec.json.encode(made).decode(), PROMPT_TOKENS, case.book, case.asked_tier),
    ).fetchone()
    assert row is not None
    found: dict[str, Any] = json.loads(row[0], parse_float=Decimal, parse_int=Decimal)
    return found


def buckets_of(priced: dict[str, Any]) -> str:
    """Units that are not zero, in words."""
    other = {name: entry["units"] for name, entry in (priced["other_usage"] or {}).items()}
    counts = {**{name: priced.get(name) for name in NAMES}, **other}
    order = [*NAMES, *sorted(set(other) - set(NAMES))]
    return ", ".join(f"{counts[name]:g} {NAMES.get(name, name)}" for name in order if counts.get(name))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_case(
    case: Case, providers: dict[str, Any], fakes: dict[str, ScenarioServer], owner: psycopg.Connection[Any]
) -> None:
    made, ends = await play(case, providers, fakes[case.kind])
    priced = price(owner, case, made)
    told = json.dumps(msgspec.to_builtins(made), default=str)
    assert ends == case.ends, told
    assert set(buckets_of(priced).split(", ")) == set(case.buckets.split(", ")), told
    assert priced["provider_cost"] == Decimal(case.usd), told
    assert (priced["usage_source"] or None) == case.source, told
    assert priced["has_unpriced_usage"] is False


def test_there_are_cases_enough() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 120
