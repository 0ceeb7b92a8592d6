"""The adapter for Voyage: vectors in OpenAI's shape and ranks in Cohere's, billed by the token."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from onevault.tokens import Secret
from tests_py.providers.scenarios import Scenario
from tests_py.providers.stage import packed
from tests_py.providers.voyage import FakeVoyage
from tests_py.worker.adapters import fails, opened, question
from tests_py.worker.kit import Remembered, attempt
from worker.providers.base import CallFailed, Inquiry
from worker.providers.voyage import VoyageProvider
from worker.shapes import Attempt, Usage

RERANK = {"query": "q", "documents": ["a", "b", "c"]}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeVoyage]:
    with FakeVoyage() as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[VoyageProvider]:
    async with opened(VoyageProvider) as provider:
        yield provider


async def ask(
    provider: VoyageProvider, endpoint: str, surface: str, body: dict[str, Any], **who: Any
) -> tuple[dict[str, Any], Attempt]:
    output, made = Remembered(), attempt()
    await provider.call(question(endpoint, surface, body, **who), made, output)
    return json.loads(output.data), made


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("voyage-4", None, {}),
        ("voyage-4", "query", {"input_type": "query"}),
        ("voyage-4:document", None, {"input_type": "document"}),
    ],
)
async def test_vectors(
    provider: VoyageProvider, fake: FakeVoyage, model: str, kind: str | None, said: dict[str, str]
) -> None:
    given = {"input": ["a", "b"], "dimensions": 3, "user": "u", "metadata": {"a": "b"}, "input_type": kind}
    answer, made = await ask(provider, fake.endpoint(), "embeddings", given, upstream_model=model)
    assert fake.seen[-1].body == {"model": "voyage-4", "input": ["a", "b"], "output_dimension": 3, **said}
    assert [one["embedding"][0] for one in answer["data"]] == [0.0, 1.0]
    assert (made.usage, made.usage_source) == (Usage(input_uncached=10, output=0), "provider_final")
    given = {"input": "a", "encoding_format": "base64"}
    answer, _ = await ask(provider, fake.endpoint(), "embeddings", given)
    assert answer["data"][0]["embedding"] == packed([0.0, 0.125, 0.25, 0.375])


async def test_ranks_are_told_as_cohere_tells_them(provider: VoyageProvider, fake: FakeVoyage) -> None:
    given = {**RERANK, "top_n": 2, "max_tokens_per_doc": 100}
    answer, made = await ask(provider, fake.endpoint(), "rerank", given, upstream_model="rerank-3")
    assert fake.seen[-1].body == {"model": "rerank-3", **RERANK, "top_k": 2}
    assert answer["results"] == [{"index": 2, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.25}]
    assert answer["meta"]["billed_units"] == {"input_tokens": 21}
    assert made.usage == Usage(input_uncached=21, output=0)
    assert made.dropped == ["max_tokens_per_doc"]
    _, made = await ask(provider, fake.endpoint("no-usage"), "rerank", RERANK)
    assert made.usage is None


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"data":null}',
        b'{"data":[{"embedding":[1]}]}',
        b'{"data":[{"index":0,"embedding":["x"]}]}',
        b'{"data":[{"index":0,"embedding":null}]}',
        b'{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]}',
        b'{"data":[{"index":{},"relevance_score":[]}]}',
    ],
)
@pytest.mark.parametrize(("surface", "body"), [("embeddings", {"input": "a"}), ("rerank", RERANK)])
async def test_answers_that_are_none(said: bytes, surface: str, body: dict[str, Any]) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(said)))
    with pytest.raises(CallFailed, match="server_error"):
        await VoyageProvider(transport).call(question("http://x", surface, body), attempt(), Remembered())


@pytest.mark.parametrize(
    ("status", "error_class"),
    [(400, "bad_request"), (401, "auth_dead"), (422, "bad_request"), (429, "rate_limited"), (502, "server_error")],
)
async def test_its_errors(provider: VoyageProvider, fake: FakeVoyage, status: int, error_class: str) -> None:
    scenario = Scenario(refuse=status, headers=("retry-after: 7",))
    failed, made, _ = await fails(provider, fake.endpoint(scenario), "rerank", RERANK)
    assert (failed.error_class, made.retry_after_ms) == (error_class, 7000)
    assert (failed.message is not None) == failed.customer_fault


async def test_it_does_not_chat(provider: VoyageProvider, fake: FakeVoyage) -> None:
    for surface in ("chat", "messages", "responses", "images", "count_tokens"):
        failed, _, _ = await fails(provider, fake.endpoint(), surface)
        assert (failed.error_class, failed.failover, failed.customer_fault) == ("bad_request", True, False)


@pytest.mark.parametrize(
    ("scenario", "finding"),
    [
        ("ok", "accepted"),
        (Scenario(refuse=400), "accepted"),
        (Scenario(refuse=401), "refused"),
        (Scenario(refuse=429), "unreachable"),
    ],
)
async def test_keys_are_tried(
    provider: VoyageProvider, fake: FakeVoyage, scenario: str | Scenario, finding: str
) -> None:
    inquiry = Inquiry(fake.endpoint(scenario), msgspec.Raw(b"{}"), Secret("k"))
    assert await provider.validate(inquiry) == finding
