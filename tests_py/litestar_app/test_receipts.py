"""Receipts: the spliced object, amounts to the digit, the end of a stream, errors."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from litestar_app.receipts import (
    duration,
    failure_of,
    last_events,
    onevault_object,
    read_receipt,
    refusal_of,
    splice,
    stream_id,
)
from tests_py.litestar_app.kit import REQUEST_ID, decision, receipt


def test_onevault_is_spliced_in_and_the_answer_keeps_its_bytes() -> None:
    answer = b'{"id":"x",  "choices":[{"a":{}}] }\n'
    spliced = splice(answer, read_receipt(receipt()))
    assert spliced.startswith(b'{"id":"x",  "choices":[{"a":{}}] ,"onevault":{')
    assert json.loads(spliced)["onevault"] == {
        "request_id": REQUEST_ID,
        "provider": "openai",
        "model": "gpt-4o",
        "route_reason": "cheapest",
        "attempts": 1,
        "latency_ms": 12,
        "cost": {"provider": 0.0000123, "markup": 0.0000012, "customer": 0.0000135, "currency": "USD"},
    }


def test_a_shortened_answer_says_so() -> None:
    booked = read_receipt(receipt(limited={"max_output_tokens": 326, "by": "budget"}))
    assert json.loads(onevault_object(booked))["limited"] == {"max_output_tokens": 326, "by": "budget"}


def test_an_empty_object_takes_no_comma() -> None:
    assert json.loads(splice(b"{ }", read_receipt(receipt()))).keys() == {"onevault"}


@pytest.mark.parametrize("answer", [b"", b"[1]", b"Hello", b'{"a":'])
def test_what_is_no_object_is_left_alone(answer: bytes) -> None:
    assert splice(answer, read_receipt(receipt())) == answer


@pytest.mark.parametrize("amount", ["0.1", "0.0000000001", "12345678.9012345678", "0", "3"])
def test_amounts_keep_every_digit(amount: str) -> None:
    whole = onevault_object(read_receipt(receipt(cost={"customer": amount, "currency": "USD"})))
    assert b'"customer":' + amount.encode() + b"," in whole
    assert json.loads(whole, parse_float=Decimal)["cost"]["customer"] == Decimal(amount)


@pytest.mark.parametrize("amount", ["NaN", "1e5", "", "0x1", '1,"evil":1', "01"])
def test_what_is_no_amount_becomes_null(amount: str) -> None:
    whole = json.loads(onevault_object(read_receipt(receipt(cost={"customer": amount, "currency": "USD"}))))
    assert whole["cost"]["customer"] is None


def test_a_stream_ends_with_onevault_and_done() -> None:
    ending = last_events(read_receipt(receipt()), b"chatcmpl-9")
    event, done, rest = ending.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    chunk = json.loads(event.removeprefix(b"data: "))
    assert (chunk["id"], chunk["object"], chunk["choices"]) == ("chatcmpl-9", "chat.completion.chunk", [])
    assert chunk["onevault"]["request_id"] == REQUEST_ID


def test_the_id_of_a_stream_is_its_providers() -> None:
    assert stream_id(b'data: {"id": "abc", "x": 1}\n\n') == b"abc"
    assert stream_id(b'data: {"x": 1}\n\n') is None
    assert stream_id(b'data: {"id":"a\\"b"}\n\n') is None
    assert b'"id":"chatcmpl-' + REQUEST_ID.encode() in last_events(read_receipt(receipt()), None)


def test_the_workers_error_is_told() -> None:
    attempts = [{"provider": "openai", "model": "gpt-4o", "class": "overloaded", "http_status": 503}]
    told = receipt(error={"http_status": 502, "code": "provider_error", "message": "No.", "attempts": attempts})
    error = failure_of(read_receipt(told))
    assert error is not None
    assert (error.status, error.code, error.message) == (502, "provider_error", "No.")
    assert error.extra == {"attempts": attempts}
    assert error.retry_after_ms is None
    waits = {"http_status": 502, "code": "provider_error", "message": "No.", "retry_after_ms": 1500}
    error = failure_of(read_receipt(receipt(error=waits)))
    assert error is not None
    assert error.retry_after_ms == 1500
    assert failure_of(read_receipt(receipt())) is None


def test_a_refusal_of_sql_is_told_with_its_details() -> None:
    error = refusal_of(
        decision(status="budget_exceeded", http_status=402, message="Spent.", detail='{"budget":{"limit_usd":1.10}}')
    )
    assert (error.status, error.code, error.message) == (402, "budget_exceeded", "Spent.")
    assert error.extra == {"budget": {"limit_usd": Decimal("1.10")}}, "an amount is never a float"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, b"0ms"),
        (0, b"0ms"),
        (350, b"350ms"),
        (1000, b"1s"),
        (1500, b"1.5s"),
        (12345, b"12.345s"),
        (360_000, b"6m0s"),
    ],
)
def test_durations_are_written_as_openai_does(milliseconds: int, text: bytes) -> None:
    assert duration(milliseconds) == text
