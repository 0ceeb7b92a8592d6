"""From the customer's call to the books: what psql shows after one call, and that budgets hold."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx

from tests_py.support.gateway import Gateway


def ask(gateway: Gateway, token: str, **body: object) -> httpx.Response:
    """One chat call at the sandbox."""
    return httpx.post(
        f"{gateway.url}/v1/chat/completions",
        headers={"authorization": f"Bearer {token}"},
        json={"model": "sandbox-small", "messages": [{"role": "user", "content": "How are you today?"}], **body},
        timeout=60,
    )


def test_one_call_stands_whole_in_the_books(gateway: Gateway) -> None:
    response = ask(gateway, gateway.token)
    assert response.status_code == 200, response.text
    told = json.loads(response.content, parse_float=Decimal)["onevault"]

    ((request, provider),) = gateway.database.query(
        "select h.api_request_bk, p.provider_bk from gateway.api_request_h as h"
        " join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk"
    )
    assert (request, provider) == (told["request_id"], "sandbox")

    ((prompt, completion, provider_cost, markup, cost, reason, latency, status, agent, address),) = (
        gateway.database.query(
            "select s.prompt_tokens, s.completion_tokens, s.provider_cost, s.gateway_markup, s.customer_cost,"
            " s.route_reason, s.request_latency_ms, s.response_status, s.user_agent, host(s.request_ip)"
            " from gateway.api_request_s as s"
        )
    )
    usage = response.json()["usage"]
    assert (prompt, completion) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert provider_cost == (Decimal(prompt) * Decimal("0.5") + Decimal(completion) * Decimal("1.5")) / 1_000_000
    assert cost == told["cost"]["customer"] == Decimal(response.headers["x-onevault-cost"])
    assert (provider_cost, markup) == (told["cost"]["provider"], told["cost"]["markup"])
    assert cost == provider_cost + markup
    assert markup > 0
    assert (reason, latency, status) == (told["route_reason"], told["latency_ms"], "SUCCESS")
    assert address == "127.0.0.0"
    assert agent.startswith("python-httpx/")

    ((spent, held, month_spent, month_held),) = gateway.database.query(
        "select s.day_spent_usd, s.day_held_usd, s.month_spent_usd, s.month_held_usd from ops.scope_state as s"
        " where s.day_spent_usd > 0"
    )
    assert (spent, held, month_spent, month_held) == (cost, 0, cost, 0)
    assert gateway.database.query("select count(*) from ops.reservation") == [(0,)]
    for queue in ("premium", "standard", "basic"):
        assert gateway.database.query(f"select count(*) from pgmq.q_{queue}") == [(0,)]
    assert gateway.database.query("select a.attempt_number, a.outcome from gateway.api_request_attempt_s as a") == [
        (1, "SUCCESS")
    ]


def test_usage_and_bill_show_the_call_at_once(gateway: Gateway) -> None:
    costs = [Decimal(ask(gateway, gateway.token).headers["x-onevault-cost"]) for _ in range(3)]
    headers = {"authorization": f"Bearer {gateway.token}"}
    usage = json.loads(
        httpx.get(f"{gateway.url}/v1/usage?group_by=model", headers=headers).content, parse_float=Decimal
    )
    assert [(row["model"], row["requests"], row["cost_usd"]) for row in usage["data"]] == [
        ("sandbox-small", 3, sum(costs))
    ]
    bill = json.loads(httpx.get(f"{gateway.url}/v1/billing", headers=headers).content, parse_float=Decimal)
    assert bill["total_usd"] == sum(costs)
    budget = next(b for b in bill["budgets"] if b["period"] == "daily")
    assert (budget["spent_usd"], budget["held_usd"]) == (sum(costs), 0)
    assert budget["remaining_usd"] == budget["limit_usd"] - sum(costs)


def test_two_hundred_calls_on_a_budget_for_fifty(gateway: Gateway) -> None:
    """Concurrent callers over real sockets: never a cent over, the rest is told 402 with the figures."""
    sample = ask(gateway, gateway.token, max_tokens=16, metadata={"sandbox_output_tokens": "16"})
    cost = Decimal(sample.headers["x-onevault-cost"])
    ((hold,),) = gateway.database.query("select s.reserved_cost from gateway.api_request_s as s")
    budget = hold * 50
    made = json.loads(gateway.run("customer", "create", "fifty", "--daily-budget", str(budget), "--json"))

    def caller(_: int) -> httpx.Response:
        return ask(gateway, made["token"], max_tokens=16, metadata={"sandbox_output_tokens": "16"})

    with ThreadPoolExecutor(64) as pool:
        responses = list(pool.map(caller, range(200)))
    outcome = Counter(response.status_code for response in responses)
    assert set(outcome) <= {200, 402}
    assert outcome[200] >= 50
    assert outcome[402] >= 1 or outcome[200] * cost <= budget
    ((spent, held),) = gateway.database.query(
        "select s.day_spent_usd, s.day_held_usd from ops.scope_state as s"
        " join gateway.customer_h as h on s.scope_hk = h.customer_hk where h.customer_bk = 'fifty'"
    )
    assert spent == outcome[200] * cost <= budget
    assert held == 0
    for refused in (response for response in responses if response.status_code == 402):
        error = refused.json()["error"]
        assert error["code"] == "budget_exceeded"
        assert error["budget"]["period"] == "daily"
        assert Decimal(str(error["budget"]["limit_usd"])) == budget
