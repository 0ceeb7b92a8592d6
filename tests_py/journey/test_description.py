"""`/openapi.json` keeps its word: whatever it lets one ask, the answer is one that it names, and none is a 5xx."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests_py.support.played import House

FULL_SIZE = bool(os.environ.get("ONEVAULT_SOAK"))
EXAMPLES = 200 if FULL_SIZE else 5
CHECKS: Any = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


def test_what_is_described_is_so(played: House, subtests: pytest.Subtests) -> None:
    described: Any = schemathesis.openapi.from_url(f"{played.gateway.url}/openapi.json")
    token = {"authorization": f"Bearer {played.gateway.token}"}
    asked: dict[str, int] = {}
    for found in described.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            derandomize=not FULL_SIZE,
            suppress_health_check=list(HealthCheck),
            deadline=None,
            database=None,
        )
        def ask(case: Any) -> None:
            headers = token if case.path.startswith("/v1/") else {}
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=30)
            asked[case.path] = asked.get(case.path, 0) + 1

        with subtests.test(operation.label):
            ask()
    assert len(asked) >= 18, asked


def test_nothing_is_left_unaccounted(played: House) -> None:
    with played.gateway.database.connect() as owner:
        assert owner.execute("select v.* from ops.invariant_violation as v").fetchall() == []
    assert httpx.get(f"{played.gateway.url}/healthz/ready", timeout=10).status_code == 200
