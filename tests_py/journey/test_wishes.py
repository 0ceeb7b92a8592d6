"""What a call asks for besides an answer, through real processes: told, left out and named, or refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx

from tests_py.support.played import House

SAID: dict[str, Any] = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hello?"}]}


def post(house: House, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    token = {"authorization": f"Bearer {house.gateway.token}"}
    return httpx.post(f"{house.gateway.url}/v1{path}", headers=token | headers, json=body, timeout=60)


def change(house: House, statement: str) -> None:
    with house.gateway.database.connect() as owner:
        owner.execute(statement)


def test_a_tenant_allows_beta_features(played: House) -> None:
    model = played.model("anthropic")
    named = {"anthropic-beta": "context-1m-2025-08-07, other-2026-01-01"}
    try:
        for stream in (False, True):
            change(played, "update admin.tenant set allowed_betas = null where true")
            free = post(played, "/messages", SAID | {"model": model, "stream": stream}, **named)
            assert played.seen("anthropic").headers["anthropic-beta"] == "context-1m-2025-08-07,other-2026-01-01"
            assert (free.status_code, free.headers.get("x-onevault-dropped")) == (200, None)
            change(played, "update admin.tenant set allowed_betas = '{other-2026-01-01}' where true")
            bound = post(played, "/messages", SAID | {"model": model, "stream": stream}, **named)
            assert played.seen("anthropic").headers["anthropic-beta"] == "other-2026-01-01"
            assert bound.headers["x-onevault-dropped"] == "anthropic-beta=context-1m-2025-08-07"
    finally:
        change(played, "update admin.tenant set allowed_betas = null where true")


def test_a_model_of_the_responses_api_says_where_it_is(played: House) -> None:
    model = played.model("openai")
    change(played, f"update admin.model set surfaces = '{{responses}}' where model = '{model}'")
    assert post(played, "/responses", {"model": model, "input": "Hello?"}).status_code == 200
    refused = post(played, "/chat/completions", {"model": model, "messages": SAID["messages"]})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "model")
    assert "/v1/responses" in refused.json()["error"]["message"]


def test_a_chat_searches_at_the_price_of_a_search(played: House) -> None:
    model = played.model("anthropic", "search")
    body = {"model": model, "messages": SAID["messages"], "web_search_options": {}}
    unpriced = post(played, "/chat/completions", body)
    assert (unpriced.status_code, unpriced.json()["error"]["code"]) == (400, "invalid_request")
    change(
        played,
        "insert into admin.price (provider, model, meter, usd_per_million) "
        f"values ('{model}', '{model}', 'search', 10000)",
    )
    answer = post(played, "/chat/completions", body)
    assert answer.status_code == 200
    # 15 of input, 3 read, 6 written, 4 for an hour (as 5 minutes: it has no price of its own), 10 of output, a search.
    told = json.loads(answer.text, parse_float=Decimal)["onevault"]["cost"]["provider"]
    assert told == Decimal("0.0100478")
