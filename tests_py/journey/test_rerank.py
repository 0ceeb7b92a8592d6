"""Rerank from the customer's request to the books: at Cohere by the search, at Voyage by the token."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from onevault.envelope import load_keyring
from onevault.issuing import set_key
from onevault.settings import load_settings
from onevault.tokens import Secret
from tests_py.providers.cohere import FakeCohere
from tests_py.providers.voyage import FakeVoyage
from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED
from tests_py.worker.stage import Stage

PRICES: dict[str, dict[str, int]] = {"cohere": {"search": 2000}, "voyage": {"input": 1}}


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    clone = cluster.clone(STOCKED)
    home = tmp_path_factory.mktemp("rerank") / "home"
    home.mkdir(mode=0o700)
    gateway = Gateway(clone, home, {})
    with FakeCohere() as cohere, FakeVoyage() as voyage:
        gateway.start_worker()
        gateway.start_front()
        try:
            gateway.wait_until_ready()
            stage = Stage(gateway)
            for kind, endpoint in (("cohere", cohere.endpoint() + "/v2"), ("voyage", voyage.endpoint())):
                put_up(stage, kind, endpoint)
            yield stage
            stage.close()
        finally:
            gateway.stop()
            cluster.drop(clone)


def put_up(stage: Stage, kind: str, endpoint: str) -> None:
    with stage.gateway.database.connect() as connection:
        connection.execute(
            "insert into admin.provider (provider, adapter_kind, api_endpoint, needs_key) values (%s, %s, %s, true)",
            (f"my-{kind}", kind, endpoint),
        )
        connection.execute(
            "insert into admin.model (provider, model, capabilities, context_tokens) values (%s, %s, %s, 100000)",
            (f"my-{kind}", f"rank-{kind}", ["rerank"]),
        )
        keyring = load_keyring(load_settings(stage.gateway.environ, None))
        set_key(connection, keyring, f"my-{kind}", Secret("sk-played"), name="default")
        for meter, price in PRICES[kind].items():
            connection.execute(
                "insert into admin.price (provider, model, meter, usd_per_million) values (%s, %s, %s, %s)",
                (f"my-{kind}", f"rank-{kind}", meter, price),
            )


def rank(stage: Stage, **body: Any) -> httpx.Response:
    given = {"query": "q", "documents": ["a", "b", "c"], "top_n": 2, **body}
    headers = {"authorization": f"Bearer {stage.token}"}
    return httpx.post(f"{stage.gateway.url}/v1/rerank", json=given, headers=headers, timeout=30)


# Prices, and what the customer pays besides: a fifth.
@pytest.mark.parametrize(
    ("kind", "used", "cost"),
    [
        ("cohere", (0, {"search": {"units": 1, "usd_per_million": 2000}}), Decimal("0.002")),
        ("voyage", (21, None), Decimal("0.000021")),
    ],
)
def test_it_is_ranked_and_booked(stage: Stage, kind: str, used: tuple[int, Any], cost: Decimal) -> None:
    response = rank(stage, model=f"rank-{kind}")
    assert response.status_code == 200, response.text
    ranked = [{"index": 2, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.25}]
    assert response.json()["results"] == ranked
    assert response.json()["onevault"]["provider"] == f"my-{kind}"
    booked = "select s.prompt_tokens, s.other_usage, s.provider_cost, s.customer_cost from gateway.api_request_s as s"
    ((tokens, other, provider, customer),) = stage.query(f"{booked} where s.model_used = %s", f"rank-{kind}")
    assert ((tokens, other), provider, customer) == (used, cost, cost * Decimal("1.2"))


def test_many_documents_are_several_searches(stage: Stage) -> None:
    """Each hundred is held for one; what the provider tells is what is charged."""
    assert rank(stage, model="rank-cohere", documents=["x"] * 150).status_code == 200
    price = {"max_cost": "0.003"}
    assert rank(stage, model="rank-cohere", **price).status_code == 200
    assert rank(stage, model="rank-cohere", documents=["x"] * 150, **price).status_code != 200


def test_what_cannot_rank_is_not_asked(stage: Stage) -> None:
    assert rank(stage, model="rank-cohere", documents=[]).status_code == 400
    answer = rank(stage, model="sandbox-small")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model")
