"""Errors: one object per surface, and the headers that SDKs obey."""

from __future__ import annotations

import json

import pytest

from litestar_app.errors import (
    BodyTooLarge,
    Draining,
    GatewayError,
    InternalError,
    InvalidRequest,
    InvalidToken,
    Overloaded,
    TimedOut,
    UnknownRoute,
    WrongMethod,
    error_body,
    error_headers,
    shape_of,
)

EVERY = [
    InvalidRequest("No.", "model"),
    InvalidToken(),
    UnknownRoute(),
    WrongMethod("POST"),
    BodyTooLarge(10, close=True),
    InternalError(),
    Overloaded(),
    Draining(),
    TimedOut(),
    GatewayError(402, "budget_exceeded", "Spent.", extra={"budget": {"scope": "customer"}, "code": "evil"}),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.code)
def test_openais_shape(error: GatewayError) -> None:
    inner = json.loads(error_body(error, "openai"))["error"]
    assert list(inner)[:4] == ["message", "type", "code", "param"]
    assert (inner["message"], inner["code"], inner["param"]) == (error.message, error.code, error.param)


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.code)
def test_anthropics_shape(error: GatewayError) -> None:
    whole = json.loads(error_body(error, "anthropic", "the-id"))
    assert (whole["type"], whole["request_id"]) == ("error", "the-id")
    assert (whole["error"]["message"], whole["error"]["code"]) == (error.message, error.code)


@pytest.mark.parametrize(
    ("status", "openai", "anthropic"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (402, "insufficient_quota", "billing_error"),
        (403, "permission_error", "permission_error"),
        (404, "not_found_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (422, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "server_error", "api_error"),
        (503, "server_error", "overloaded_error"),
        (504, "server_error", "timeout_error"),
    ],
)
def test_types_are_the_dialects_own(status: int, openai: str, anthropic: str) -> None:
    error = GatewayError(status, "code", "No.")
    assert json.loads(error_body(error, "openai"))["error"]["type"] == openai
    assert json.loads(error_body(error, "anthropic"))["error"]["type"] == anthropic


@pytest.mark.parametrize(
    ("status", "wait", "seconds"),
    [(429, 1, b"1"), (429, 1001, b"2"), (503, None, b"1"), (429, 0, b"1"), (400, None, None)],
)
def test_retry_after_is_whole_seconds_rounded_up(status: int, wait: int | None, seconds: bytes | None) -> None:
    headers = dict(error_headers(GatewayError(status, "code", "No.", retry_after_ms=wait), 5))
    assert headers.get(b"retry-after") == seconds
    assert headers[b"content-length"] == b"5"


def test_the_shape_follows_the_path() -> None:
    assert shape_of("/v1/messages") == shape_of("/v1/messages/count_tokens") == "anthropic"
    assert shape_of("/v1/chat/completions") == shape_of("/") == "openai"
