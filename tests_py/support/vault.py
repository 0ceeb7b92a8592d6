"""The fixtures of tests_sql/ for tests in Python, and the calls that they make on the road."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import psycopg

from tests_py.support.cluster import ClonedDatabase

_FIXTURES = Path(__file__).resolve().parents[2] / "tests_sql" / "fixtures"


def load_fixtures(database: ClonedDatabase) -> None:
    """Adds the schema `test` (test.make_customer and so on) to a clone."""
    with database.connect() as connection:
        for path in sorted(_FIXTURES.glob("*.sql")):
            connection.execute(path.read_bytes())


def digest_of(customer: str, token: str = "token") -> str:
    """The digest, in hex, that test.make_token gives a customer's token."""
    return hashlib.sha256(f"{customer}/{token}".encode()).hexdigest()


def call(customer: str, **features: Any) -> dict[str, Any]:
    """One element of a batch for gateway.sp_route_requests: a small chat call."""
    return {
        "digest": digest_of(customer),
        "ticket": "00" * 16,
        "surface": "chat",
        "capability": "chat",
        "prompt_bytes": 100,
        "messages": 1,
        **features,
    }


def route(connection: psycopg.Connection[Any], calls: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Status and message id of each call of a batch, in its order."""
    rows = connection.execute(
        b"select r.status, r.msg_id from gateway.sp_route_requests(%s::jsonb, 'unix:/test', false) as r"
        b" order by r.ordinal",
        (json.dumps(calls),),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def settle(connection: psycopg.Connection[Any], limit: int = 100, output: int = 1) -> int:
    """Reads messages as a worker does and books each as answered; gives how many were settled."""
    messages = connection.execute(
        b"select r.queue, r.msg_id, r.read_ct, r.message from gateway.sp_read_messages(%s, 60) as r", (limit,)
    ).fetchall()
    results = [result(*message, output=output) for message in messages]
    if not results:
        return 0
    rows = connection.execute(
        b"select r.receipt from gateway.sp_record_results(%s::jsonb) as r", (json.dumps(results),)
    ).fetchall()
    return sum(1 for (receipt,) in rows if json.loads(receipt)["settled"])


def result(queue: str, msg_id: int, read_ct: int, message: str, *, output: int = 1) -> dict[str, Any]:
    """What a worker tells of a message that it served with the first candidate."""
    decision = json.loads(message)
    attempt = {
        "number": 1,
        "offer": decision["candidates"][0]["offer"],
        "key": None,
        "outcome": "SUCCESS",
        "class": None,
        "http_status": 200,
        "latency_ms": 1,
        "first_byte_ms": 1,
        "output_bytes": 4,
        "usage": {"input_uncached": 0, "output": output},
        "usage_source": "provider_final",
    }
    return {
        "request": decision["request"],
        "customer": decision["customer"],
        "queue": queue,
        "msg_id": msg_id,
        "read_ct": read_ct,
        "status": "SUCCESS",
        "class": None,
        "latency_ms": 1,
        "first_byte_ms": 1,
        "attempts": [attempt],
    }
