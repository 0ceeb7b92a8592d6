"""Bills of a month."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pypdf import PdfReader

from onevault.invoices.document import contradictions, read_value
from tests_py.cli.conftest import Cli


def book_a_call(cli: Cli, digest: bytes, *, input_tokens: int, output_tokens: int) -> None:
    """Route a call, read it as a worker does, and book its usage."""
    request = {
        "ticket": "00" * 16,
        "surface": "chat",
        "capability": "chat",
        "prompt_bytes": 100,
        "max_output_tokens": 1000,
    }
    with cli.database.connect() as connection:
        connection.execute("select gateway.sp_route_request(%s, %s::jsonb, 'unix:/x')", (digest, json.dumps(request)))
        (queue, msg_id, read_ct, text) = connection.execute(
            "select r.queue, r.msg_id, r.read_ct, r.message from gateway.sp_read_messages(1, 60) as r"
        ).fetchall()[0]
        message = json.loads(text)
        attempt = {
            "number": 1, "offer": message["candidates"][0]["offer"], "key": None, "outcome": "SUCCESS", "class": None,
            "http_status": 200, "latency_ms": 10, "first_byte_ms": 5, "output_bytes": 10,
            "usage_source": "provider_final", "usage": {"input_uncached": input_tokens, "output": output_tokens},
        }  # fmt: skip
        result = {
            "request": message["request"], "customer": message["customer"], "queue": queue, "msg_id": msg_id,
            "read_ct": read_ct, "status": "SUCCESS", "class": None, "latency_ms": 10, "first_byte_ms": 5,
            "attempts": [attempt],
        }  # fmt: skip
        connection.execute("select gateway.sp_record_result(%s::jsonb)", (json.dumps(result),))


def prepare(cli: Cli) -> None:
    cli("provider", "set", "local", "--endpoint", "http://127.0.0.1:9/v1")
    cli.json("model", "set", "local", "tiny <b>", "--input", "1000", "--output", "2000")
    cli.json("customer", "create", "acme")
    ((digest,),) = cli.database.query("select token_digest from ops.principal")
    book_a_call(cli, digest, input_tokens=10, output_tokens=20)
    book_a_call(cli, digest, input_tokens=0, output_tokens=5)


def test_a_bill_adds_up(cli: Cli) -> None:
    prepare(cli)
    bill: dict[str, Any] = json.loads(cli.text("bill", "Acme", "--format", "json"), parse_float=Decimal)
    again = cli.text("bill", "acme", "--month", bill["period"], "--json")
    told_again = json.loads(again, parse_float=Decimal)
    # A draft says when it was drawn up.
    assert told_again["invoice"].pop("known_at") > bill["invoice"].pop("known_at")
    assert told_again == bill
    (line,) = bill["lines"]
    assert (line["provider"], line["model"], line["request_count"]) == ("local", "tiny <b>", 2)
    assert (line["input_tokens"], line["output_tokens"]) == (10, 25)
    # 10 x 0.001 + 25 x 0.002 USD, and 20 percent on it.
    assert (line["provider_cost_usd"], line["markup_usd"], line["customer_cost_usd"]) == (
        Decimal("0.06"),
        Decimal("0.012"),
        Decimal("0.072"),
    )
    assert (bill["customer"], bill["tenant"], bill["is_open"], bill["customer_cost_usd"]) == (
        "acme",
        "default",
        True,
        Decimal("0.072"),
    )

    text = cli.text("bill", "acme")
    assert text.startswith("OneVault AI Gateway - Monthly Bill\n")
    assert "*** DRAFT ***" in text
    assert "- 35 tokens processed: $0.07\n" in text
    assert "\nTotal: $0.07\n" in text
    html = cli.text("bill", "acme", "--format", "html")
    assert html.startswith("<!doctype html>")
    assert "tiny &lt;b&gt;" in html
    assert "$0.07" in html
    pdf = cli.home / "bill.pdf"
    cli.text("bill", "acme", "--format", "pdf", "--output", str(pdf))
    assert "Total $0.07" in " ".join(PdfReader(pdf).pages[0].extract_text().split())
    invoice = told_again["invoice"] | {"known_at": "2026-12-01T00:00:00Z"}
    assert contradictions(read_value(invoice)) == []
    assert (invoice["status"], invoice["exact_usd"], invoice["total"]) == ("draft", "0.072", "0.07")


def test_a_deleted_customer_still_has_a_bill(cli: Cli) -> None:
    prepare(cli)
    cli.database.query("delete from admin.customer where customer = 'acme' returning 1")
    assert json.loads(cli.text("bill", "acme", "--json"))["customer_cost_usd"] == 0.072


def test_other_months_and_customers(cli: Cli) -> None:
    cli.json("customer", "create", "acme")
    past = json.loads(cli.text("bill", "acme", "--month", "2020-01", "--json"))
    assert (past["lines"], past["is_open"], past["customer_cost_usd"]) == ([], False, 0)
    assert "\nTotal: $0.00\n" in cli.text("bill", "acme", "--month", "2020-01")
    assert cli.refusal("bill", "nobody") == "there is no customer 'nobody': `onevault customer list` lists them"
    assert "2999-01 is still to come: this month is 20" in cli.refusal("bill", "acme", "--month", "2999-01")
    assert "is no month" in cli.misuse("bill", "acme", "--month", "2026-13")
