"""Documents to render: the bill of the brief, and what becomes of it when something is changed."""

from __future__ import annotations

import copy
from typing import Any

from onevault.invoices.document import Document, read_value

_SERVICES = [
    ("analytics", "Real-time Analytics Dashboard", "50"),
    ("routing", "Smart Routing & Optimization", "100"),
    ("compliance", "Compliance Reporting (HIPAA)", "200"),
]
_MODELS = [
    # provider, model, requests, input, cache read, cache write, output, provider cost, markup
    ("openai", "gpt-5-mini", 640, 310_000, 120_000, 0, 150_000, "22.5", "7.5"),
    ("openai", "gpt-5", 110, 60_000, 0, 0, 40_000, "16.5", "5.5"),
    ("anthropic", "claude-sonnet-4-5", 250, 180_000, 30_000, 20_000, 90_000, "21", "7"),
]


def brief() -> dict[str, Any]:
    """The example bill of the brief as the database gives it: a new copy each time."""
    lines = []
    for number, (provider, model, requests, fresh, read, write, out, cost, markup) in enumerate(_MODELS, start=1):
        exact = float(cost) + float(markup)
        lines.append(
            usage_line(number, f"{exact:.2f}")
            | {"provider": provider, "model": model, "requests": requests, "input_tokens": fresh}
            | {"cache_read_tokens": read, "cache_write_tokens": write, "output_tokens": out}
            | {"total_tokens": fresh + read + write + out, "provider_cost_usd": cost, "markup_usd": markup}
        )
    for number, (plan, description, fee) in enumerate(_SERVICES, start=len(lines) + 1):
        lines.append(other_line(number, "SERVICE", description, f"{fee}.00") | {"plan": plan, "days": 30})
    return {
        "object": "invoice",
        "kind": "INVOICE",
        "invoice_number": "OV-2026-000017",
        "status": "final",
        "tenant": "default",
        "customer": "acme",
        "period": "2026-11",
        "period_from": "2026-11-01",
        "period_to": "2026-11-30",
        "issued_on": "2026-12-01",
        "due_on": "2026-12-31",
        "known_at": "2026-12-01T09:00:00Z",
        "refers_to": None,
        "seller": {
            "legal_name": "OneVault Gateway GmbH",
            "address": ["Lindenstraße 12", "10969 Berlin", "Germany"],
            "tax_number": "DE 312 555 017",
            "email": "billing@onevault.example",
            "payment_instructions": [
                "Bank transfer to IBAN DE02 1203 0000 0000 2020 51, BIC BYLADEM1001",
                "Reference: OV-2026-000017",
            ],
        },
        "buyer": {
            "legal_name": "Acme Health, Inc.",
            "address": ["500 Terry A. Francois Blvd", "San Francisco, CA 94158", "United States"],
            "tax_number": "US 94-3141592",
            "email": "ap@acme.example",
        },
        "currency": "USD",
        "units_per_usd": "1",
        "rate_date": None,
        "usage": {
            "requests": 1000,
            "total_tokens": 1000000,
            "provider_cost_usd": "60",
            "markup_usd": "20",
            "charges_usd": "80",
            "own_key_cost_usd": "0",
            "saved_usd": "41.25",
        },
        "lines": lines,
        "subtotal": "430.00",
        "tax_total": "0.00",
        "total": "430.00",
        "credited": "0.00",
        "prepaid_applied": "0.00",
        "paid": "0.00",
        "due": "430.00",
    }


def sample(**changes: Any) -> Document:
    """The bill of the brief with other values of some of its fields."""
    return read_value(brief() | changes)


def euro() -> dict[str, Any]:
    """A bill in euros: tax, credits, a service for a part of the month, prepaid money, own keys, a remainder."""
    lines = [
        usage_line(1, "1104.00")
        | {"provider": "openai", "model": "gpt-5", "requests": 12_345, "input_tokens": 98_765_432}
        | {"cache_read_tokens": 0, "cache_write_tokens": 0, "output_tokens": 7_654_321, "total_tokens": 106_419_753}
        | {"provider_cost_usd": "900", "markup_usd": "300.0012345678", "exact_usd": "1200.0012345678"}
        | {"remainder_usd": "0.0012345678"},
        usage_line(2, "0.01")
        | {"provider": "sandbox", "model": "sandbox-small", "requests": 3, "input_tokens": 12}
        | {"cache_read_tokens": 0, "cache_write_tokens": 0, "output_tokens": 4, "total_tokens": 16}
        | {"provider_cost_usd": "0.0123", "markup_usd": "0.0001", "exact_usd": "0.0124"}
        | {"remainder_usd": "0.0015304348"},
        other_line(3, "SERVICE", "Priority support", "153.33") | {"days": 10, "exact_usd": "166.6666666667"},
        other_line(4, "INCLUDED", "Included usage of plan Scale", "-46.00") | {"exact_usd": "-50"},
        other_line(5, "PROMOTION", "Welcome credit", "-9.20") | {"exact_usd": "-10"},
        other_line(6, "ADJUSTMENT", "Corrected price of gpt-5 in October", "-4.14") | {"exact_usd": "-4.5"},
        other_line(7, "TAX", "VAT 19 % (DE)", "227.62") | {"exact_usd": "247.4130434783"},
    ]
    return brief() | {
        "currency": "EUR",
        "units_per_usd": "0.92",
        "rate_date": "2026-11-30",
        "usage": {
            "requests": 12_348,
            "total_tokens": 106_419_769,
            "provider_cost_usd": "900.0123",
            "markup_usd": "300.0013345678",
            "charges_usd": "1200.0136345678",
            "own_key_cost_usd": "12.3456",
            "saved_usd": "-3.5",
        },
        "lines": lines,
        "subtotal": "1198.00",
        "tax_total": "227.62",
        "total": "1425.62",
        "prepaid_applied": "400.00",
        "paid": "25.62",
        "due": "1000.00",
    }


def credit_note() -> dict[str, Any]:
    """Gives back the routing service of the brief's bill."""
    return brief() | {
        "kind": "CREDIT_NOTE",
        "invoice_number": "OV-2026-000018",
        "refers_to": "OV-2026-000017",
        "due_on": None,
        "usage": None,
        "lines": [other_line(1, "SERVICE", "Smart Routing & Optimization", "-100.00")],
        "subtotal": "-100.00",
        "total": "-100.00",
        "due": "-100.00",
    }


def many(count: int) -> dict[str, Any]:
    """A bill with many lines: models at a dozen providers."""
    lines = [
        usage_line(n, "1.50")
        | {"provider": f"provider-{n % 12:02}", "model": f"family-{n // 12}/model-{n:04}", "requests": n * 7}
        | {"input_tokens": n * 1000, "cache_read_tokens": n * 11, "cache_write_tokens": n, "output_tokens": n * 300}
        | {"total_tokens": n * 1312, "provider_cost_usd": "1.125", "markup_usd": "0.375"}
        for n in range(1, count + 1)
    ]
    total = f"{count * 1.5:.2f}"
    usage = brief()["usage"] | {"provider_cost_usd": str(count * 1.125), "markup_usd": str(count * 0.375)}
    amounts = {"subtotal": total, "total": total, "due": total}
    return brief() | amounts | {"lines": lines, "usage": usage | {"charges_usd": str(count * 1.5)}}


def draft() -> dict[str, Any]:
    """A month under way, of a customer without a billing profile."""
    nothing = {"invoice_number": None, "issued_on": None, "due_on": None, "seller": None, "buyer": None}
    return copy.deepcopy(brief()) | nothing | {"status": "draft", "known_at": "2026-11-12T08:15:30.5Z"}


def usage_line(number: int, amount: str) -> dict[str, Any]:
    """A line of usage."""
    return other_line(number, "USAGE", "Usage", amount)


def other_line(number: int, kind: str, description: str, amount: str) -> dict[str, Any]:
    """A line of any kind with what all have."""
    line = {"number": number, "kind": kind, "description": description, "amount": amount}
    return line | {"exact_usd": f"{amount}00000000", "remainder_usd": "0"}
